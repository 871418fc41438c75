"""The pages are true: examples run and print what stands below them, links lead somewhere, commands exist."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests import stand_in_torch
from tests.pages import PAGES, ROOT, anchors, blocks, text_of, without_blocks

OF_DEV = r"\b(import|from) (numpy|pandas|scipy)\b"
TARGETS = re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def examples() -> Iterator[Any]:
    """Yield each example of each page, with what is printed below it; empty if nothing is."""
    for page in PAGES:
        found = [*blocks(text_of(page)), ("", "")]
        for number, ((language, program), (below, printed)) in enumerate(pairwise(found)):
            if language == "python":
                marks = [pytest.mark.dev] * bool(re.search(OF_DEV, program))
                expected = printed if below == "text" else ""
                yield pytest.param(page.name, program, expected, id=f"{name_of(page)}-{number}", marks=marks)


@pytest.fixture
def torch_there(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a program import PyTorch, or a stand-in where it is not installed; put its default back."""
    if find_spec("torch") is None:
        monkeypatch.setitem(sys.modules, "torch", stand_in_torch)
        yield
    else:
        import torch

        before = torch.get_default_dtype()
        yield
        torch.set_default_dtype(before)


@pytest.mark.usefixtures("rules_restored", "torch_there")
@pytest.mark.parametrize(("file", "program", "expected"), [*examples()])
def test_an_example_prints_what_stands_below_it(file: str, program: str, expected: str) -> None:
    """By itself: it imports all that it uses."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, file, "exec"), {"__name__": "page"})
    assert printed.getvalue().strip() == expected.strip()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]*)\)", without_blocks(text_of(page))):
        file, _, place = target.partition("#")
        if not file.startswith("https://"):
            there = page.parent / file if file else page
            assert there.exists(), target
            assert not place or place in anchors(text_of(there)), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_targets_of_the_makefile(page: Path) -> None:
    text = text_of(page)
    commands = re.findall(r"`make ([a-z-]+)", text)
    commands += [
        name for _, block in blocks(text) for name in re.findall(r"^make ([a-z-]+)", block, flags=re.MULTILINE)
    ]
    assert {*commands} <= {*TARGETS}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_are_short(page: Path) -> None:
    lines = without_blocks(text_of(page)).splitlines()
    assert not [line for line in lines if len(line) > 120 and not line.startswith("|")]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_are_python_output_or_shell(page: Path) -> None:
    assert {language for language, _ in blocks(text_of(page))} <= {"python", "text", "sh"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nobody_is_told_to_install_the_other_package(page: Path) -> None:
    assert "pip install microgrid" not in text_of(page)
