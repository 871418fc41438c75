"""What a terminal can show: characters, colours, a width; and numbers as a line of bars."""

from __future__ import annotations

import math
import os
import shutil
import sys

from microgrid.engine.numbers import is_node, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BLUE_TO_ORANGE = (25, 67, 245, 173, 166)  # of the 256-colour palette, in the middle grey
DISTINCT = (25, 166, 29, 169, 94)  # blue, orange, green, pink, brown: for classes
SHADES, ASCII_SHADES = " ░▒▓█", " .:*#"
BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-=oO#@"


def shown(characters: str, instead: str) -> str:
    """Return `characters` if the standard output can show them, else others."""
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return instead
    return characters


def width() -> int:
    """Return how many columns the terminal has; COLUMNS in the environment says otherwise."""
    return shutil.get_terminal_size().columns


def shades() -> str:
    """Return five characters from light to dark."""
    return shown(SHADES, ASCII_SHADES)


def has_colours() -> bool:
    """Return whether the standard output shows colours: only a terminal does, and not where NO_COLOR is set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and sys.stdout.isatty()


def painted(text: str, colour: int) -> str:
    """Return `text`, bold and white, on a colour of the 256-colour palette."""
    return f"\033[1;97;48;5;{colour}m{text}\033[0m"


def sparkline(numbers: Sequence[float], width: int = 40, *, low: float | None = None, high: float | None = None) -> str:
    """Return a line with a bar for each of `width` of the numbers, evenly spread; `!` where one is inf or nan.

    Args:
        numbers: what is shown.
        width: the most bars there are.
        low, high: from where to where bars reach; the least and the greatest number unless given.

    Raises:
        TypeError: if `numbers` are no sequence of numbers, or `width` is no whole number.

    >>> sparkline([0, 1, 4, 9, 16, 25])
    '▁▁▂▄▅█'
    """
    if not hasattr(numbers, "__getitem__") or not all(is_node(one) or is_number(one) for one in numbers):
        raise TypeError(f"sparkline expects a list of numbers, got {type(numbers).__name__} {numbers!r:.60}")
    if not isinstance(width, int):
        raise TypeError(f"sparkline expects width to be a whole number, got {type(width).__name__} {width!r:.60}")
    last = len(numbers) - 1
    places = range(len(numbers)) if last < width else [round(last * column / (width - 1)) for column in range(width)]
    finite = [number for number in numbers if math.isfinite(number)] or [0.0]
    low, high = min(finite) if low is None else low, max(finite) if high is None else high
    levels = shown(BARS, ASCII_BARS)

    def bar(number: float) -> str:
        part = (min(max(number, low), high) - low) / ((high - low) or 1.0)
        return levels[round(part * (len(levels) - 1))] if math.isfinite(number) else "!"

    return "".join(bar(numbers[place]) for place in places)
