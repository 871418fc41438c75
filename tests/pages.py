"""The pages that are written for people: where they are, and the blocks of code in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = (".github", "demos", "microgrid", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])


def text_of(page: Path) -> str:
    """Return the text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the blocks of code in a page: the language and the text of each."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def without_blocks(text: str) -> str:
    """Return the text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchor(heading: str) -> str:
    """Return what a link to a heading ends in.

    >>> anchor("Coming from micrograd's `Value`")
    'coming-from-micrograds-value'
    """
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return what links into a page may end in."""
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", without_blocks(text), flags=re.MULTILINE)}
