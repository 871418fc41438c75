"""Every code block of the README runs, and prints what stands below it."""

import contextlib
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import figures
import microgrid
from microgrid import Value

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.usefixtures("rules_restored")
def test_code_prints_what_the_readme_says() -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    checked = 0
    for (language, text), (next_language, expected) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language != "python":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "README.md", "exec"), names)
        if next_language == "text":
            assert printed.getvalue().strip() == expected.strip()
            checked += 1
        else:
            assert not printed.getvalue()
    assert checked >= 5


def test_the_first_example_and_its_result_stand_early() -> None:
    lines = README.splitlines()
    assert lines.index("```text") < 25


def test_every_block_is_python_output_or_shell() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "text", "sh"}


def test_the_kinds_of_departures_are_counted() -> None:
    departures = json.loads((Path(__file__).parent / "reference" / "departures.json").read_text())
    assert f"there are {len(departures)}\nkinds" in README


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


def test_the_times_of_training_steps_are_those_of_the_benchmarks() -> None:
    page = figures.BENCHMARKS.read_text(encoding="utf-8")
    measured = {(case, contestant): time for case, contestant, time in figures.timings(page)}
    table = README.partition("<!-- training steps -->\n")[2].partition("<!-- end of training steps -->")[0]
    (_, *names), _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    assert len(rows) == 2 and len(names) == 7
    for case, *times in rows:
        for name, time in zip(names, times, strict=True):
            assert figures.duration(measured[f"training step, {case}", name]) == time


def test_nobody_is_told_to_install_the_other_package() -> None:
    assert "pip install microgrid" not in README


def test_the_row_shown_is_a_row() -> None:
    from microgrid.rules.table import Rule

    (row,) = (text for language, text in BLOCKS if language == "text" and text.startswith("Rule("))
    rule = eval(row.strip().rstrip(","), {"Rule": Rule})
    assert rule.name == "square" and rule.partials == {"x": "2 * x"}
