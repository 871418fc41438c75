"""Drawing in a terminal: its characters, colours and width; and numbers as a line of bars."""

from __future__ import annotations

import math
import os
import shutil
import sys

from microgrid.engine.messages import brief
from microgrid.engine.numbers import is_node, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BLUE_TO_ORANGE = (25, 67, 245, 173, 166)  # indices in the 256-colour palette; the middle one is grey
DISTINCT = (25, 166, 29, 169, 94)  # blue, orange, green, pink, brown: for classes
SHADES, ASCII_SHADES = " ░▒▓█", " .:*#"
BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-=oO#@"


def shown(characters: str, instead: str) -> str:
    """Return `characters` if the encoding of the standard output has them, else `instead`."""
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return instead
    return characters


def width() -> int:
    """Return the width of the terminal in columns, or that in the environment variable COLUMNS."""
    return shutil.get_terminal_size().columns


def shades() -> str:
    """Return five characters from light to dark."""
    return shown(SHADES, ASCII_SHADES)


def has_colours() -> bool:
    """Return whether the standard output shows colours: it is a terminal, and NO_COLOR is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and sys.stdout.isatty()


def painted(text: str, colour: int) -> str:
    """Return `text`, bold and white, on the colour at an index of the 256-colour palette."""
    return f"\033[1;97;48;5;{colour}m{text}\033[0m"


def sparkline(numbers: Sequence[float], width: int = 40, *, low: float | None = None, high: float | None = None) -> str:
    """Return a line of bars for `numbers`, or for `width` evenly spaced ones of them; `!` stands for inf and nan.

    Args:
        numbers: the numbers to draw.
        width: the largest count of bars.
        low, high: the numbers at the ends of the scale; the smallest and the largest one unless given.

    Raises:
        TypeError: if `numbers` is not a sequence of numbers, or `width` is not a whole number.

    >>> sparkline([0, 1, 4, 9, 16, 25])
    '▁▁▂▄▅█'
    """
    if not hasattr(numbers, "__getitem__") or not all(is_node(one) or is_number(one) for one in numbers):
        raise TypeError(f"sparkline expects a list of numbers, got {type(numbers).__name__} {brief(numbers)}")
    if not isinstance(width, int):
        raise TypeError(f"sparkline expects width to be a whole number, got {type(width).__name__} {brief(width)}")
    last = len(numbers) - 1
    places = range(len(numbers)) if last < width else [round(last * column / (width - 1)) for column in range(width)]
    finite = [number for number in numbers if math.isfinite(number)] or [0.0]
    low, high = min(finite) if low is None else low, max(finite) if high is None else high
    levels = shown(BARS, ASCII_BARS)

    def bar(number: float) -> str:
        part = (min(max(number, low), high) - low) / ((high - low) or 1.0)
        return levels[round(part * (len(levels) - 1))] if math.isfinite(number) else "!"

    return "".join(bar(numbers[place]) for place in places)
