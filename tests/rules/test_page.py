"""The page of the rules: kinks are as its table says, and departures from PyTorch are all there."""

import json
import math

import pytest

import microgrid
from microgrid import Value
from microgrid.rules import Rule
from tests.pages import ROOT, blocks, text_of

PAGE = text_of(ROOT / "microgrid" / "rules" / "README.md")
DEPARTURES = json.loads(text_of(ROOT / "tests" / "reference" / "departures.json"))

KINKS = [
    ("abs(x)", 0.0, 0.0),
    ("copysign(x, 1.0)", 0.0, 0.0),
    ("relu(x)", 0.0, 0.0),
    ("leaky_relu(x, 0.25)", 0.0, 0.25),
    ("elu(x, 0.5)", 0.0, 0.5),
    ("maximum(x, 1.0)", 1.0, 0.5),
    ("clip(x, 1.0, 2.0)", 1.0, 1.0),
    ("clip(1.0, x, 2.0)", 1.0, 0.0),
    ("sqrt(x)", 0.0, math.inf),
    ("cbrt(x)", 0.0, math.inf),
    ("x ** 0.25", 0.0, math.inf),
    ("x ** 1", 0.0, 1.0),
    ("x ** 2", 0.0, 0.0),
    ("0.0 ** x", 0.0, 0.0),
    ("(-2.0) ** x", 2.0, math.nan),
    ("asin(x)", 1.0, math.inf),
    ("acosh(x)", 1.0, math.inf),
    ("acos(x)", -1.0, -math.inf),
    ("hypot(x, 0.0)", 0.0, math.nan),
    ("dist([x], [1.0])", 1.0, 0.0),
    ("atan2(x, 0.0)", 0.0, 0.0),
    ("atan2(0.0, x)", 0.0, 0.0),
    ("prod([x, 2.0, 3.0])", 0.0, 6.0),
    ("x // 1", 2.0, 0.0),
    ("round(x, 0)", 0.5, 0.0),
    ("less(x, 1.0)", 1.0, 0.0),
    ("x % 1", 2.0, 1.0),
    ("binary_cross_entropy(x, 1.0)", 0.0, -1e12),
]


@pytest.mark.parametrize(("expression", "at", "slope"), KINKS)
def test_kinks_are_as_the_table_says(expression: str, at: float, slope: float) -> None:
    x = Value(at)
    eval(expression, {**vars(microgrid.math), "x": x, "abs": abs, "round": round}).backward()
    assert x.grad == pytest.approx(slope, nan_ok=True)


def test_departures_are_those_that_are_known() -> None:
    lines = PAGE.partition("| operations | what differs |\n")[2].splitlines()[1:]
    for line, departure in zip(lines, DEPARTURES, strict=True):
        names = dict.fromkeys(entry["name"].removesuffix("_const") for entry in departure["entries"])
        assert line == f"| {', '.join(f'`{name}`' for name in names)} | {departure['reason']} |"


def test_the_row_shown_is_a_row() -> None:
    (row,) = (text for language, text in blocks(PAGE) if language == "text" and text.startswith("Rule("))
    rule = eval(row.strip().rstrip(","), {"Rule": Rule})
    assert rule.name == "cube" and rule.partials == {"x": "3 * x * x"}
