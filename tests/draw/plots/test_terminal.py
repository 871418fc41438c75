"""What a terminal can show, and numbers as bars."""

import io
import math
import sys

import pytest

from microgrid import draw
from microgrid.draw.plots import terminal


class Screen(io.TextIOWrapper):
    """A standard output that may be a terminal."""

    def __init__(self, encoding="utf-8", tty=False):
        super().__init__(io.BytesIO(), encoding=encoding)
        self.isatty = lambda: tty


@pytest.mark.parametrize(
    ("numbers", "width", "bars"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], 40, "▁▂▃▄▅▆▇█"),
        ([7.0, 0.0], 40, "█▁"),
        (range(701), 8, "▁▂▃▄▅▆▇█"),
        ([3.0, 3.0], 40, "▁▁"),
        ([0.0, math.nan, 1.0, math.inf], 40, "▁!█!"),
        ([math.nan], 40, "!"),
        ([], 40, ""),
    ],
)
def test_sparkline(numbers, width, bars):
    assert draw.sparkline(numbers, width) == bars


@pytest.mark.parametrize("numbers", [3, None, [None, 1.0], ["1"], "123", [[1.0]], {1.0}])
def test_a_sparkline_is_of_numbers(numbers):
    with pytest.raises(TypeError) as caught:
        draw.sparkline(numbers)
    assert str(caught.value) == f"sparkline expects a list of numbers, got {type(numbers).__name__} {numbers!r}"


@pytest.mark.parametrize("width", ["a", 2.5, None])
def test_a_sparkline_is_some_characters_wide(width):
    with pytest.raises(TypeError, match=r"^sparkline expects width to be a whole number, got "):
        draw.sparkline([1.0], width)


def test_sparkline_between_bounds():
    assert draw.sparkline([-5, 0, 7, 14, math.nan], low=0, high=7) == "▁▁██!"


def test_ascii_where_nothing_else_can_be_shown(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Screen("ascii"))
    assert draw.sparkline(range(8)) == "_.-=oO#@"
    assert terminal.shades() == " .:*#"
    monkeypatch.setattr(sys, "stdout", Screen("cp437"))
    assert terminal.shades() == " ░▒▓█"
    monkeypatch.setattr(sys, "stdout", object())
    assert terminal.shades() == " ░▒▓█"


@pytest.mark.parametrize(
    ("tty", "environment", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),  # no-color.org: only counts when not empty
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colours(tty, environment, expected, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Screen(tty=tty))
    assert terminal.has_colours() is expected


def test_width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "123")
    assert terminal.width() == 123


def test_painted():
    assert terminal.painted("x", 25) == "\033[1;97;48;5;25mx\033[0m"
