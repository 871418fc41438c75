"""The mutators: faults are planted where they are said to be, and found."""

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "mutation"
TABLE = (FOLDER.parents[1] / "microgrid" / "rules" / "table.py").read_text()


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("rows")


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("-x", ["x", "y"], ["x", "-y", "--x"]),
        ("1", ["x"], ["2", "-1", "0"]),
        ("x / y", ["x", "y"], ["x * y", "x // y", "x", "y", "-(x / y)", "y / x", "y / y", "-x / y", "x / x", "x / -y"]),
        ("sin(x)", ["x"], ["cos(x)", "tan(x)", "x", "-sin(x)", "sin(-x)"]),
        ("hypot(x, y)", ["x", "y"], ["copysign(x, y)", "atan2(x, y)", "x", "y", "-hypot(x, y)",
                                     "hypot(y, y)", "hypot(x, x)"]),
        ("x if c else y", ["c"], ["x", "y", "y if c else x", "x if c else c", "c if c else y"]),
        ("b; out + x", ["b"], ["-b; out + x", "b; out - x", "b; out * x", "b; out", "b; x", "b; -(out + x)",
                               "b; b + x", "b; out + b"]),
    ],
)  # fmt: skip
def test_an_expression_is_changed_in_each_way_once(rows: Any, text: str, names: list[str], expected: list[str]) -> None:
    assert sorted(rows.mutated_texts(text, names)) == sorted(expected)


def test_a_mutant_is_the_table_with_one_expression_changed(rows: Any) -> None:
    found = {(name, mutant.place, mutant.after): mutant for name, mutant in rows.mutants(TABLE)}
    mutant = found["div", "div.y", "out / y"]
    changed = [
        (old, new) for old, new in zip(TABLE.splitlines(), mutant.source.splitlines(), strict=True) if old != new
    ]
    assert len(changed) == 1 and changed[0][1] == changed[0][0].replace('y="-out / y"', 'y="out / y"')
    assert {name for name, *_ in found} == set(rows.table().RULES)


@pytest.mark.parametrize("name", ["tanh", "clip", "pow", "hypot", "atan2"])
def test_every_row_has_tests(rows: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER.parent)
    found = {test.func.__name__ for test in rows.tests_of(name)}
    assert found >= {
        "test_nan_goes_through",
        "test_edges_are_as_in_pytorch_or_a_listed_departure",
        "test_every_row_is_right_in_every_role",
    }


@pytest.mark.parametrize(("partial", "found"), [("1 + out * out", True), ("1 - out  *  out", False)])
def test_a_process_of_its_own_tells_whether_a_fault_is_found(rows: Any, partial: str, found: bool) -> None:
    source = TABLE.replace('x="1 - out * out"', f'x="{partial}"')
    assert source != TABLE

    def check() -> int:
        from microgrid import Value

        x = Value(0.5)
        x.tanh().backward()
        return int(abs(x.grad - (1 - x.tanh().data ** 2)) > 1e-15)

    start: Callable[[str], int] = lambda source: rows.fork("rules.table", source, check, 60)  # noqa: E731
    assert [failed for _, failed, _ in rows.outcomes([source], start)] == [found]


def test_what_is_listed_as_a_survivor_is_a_change_of_its_module(rows: Any) -> None:
    workers = importlib.import_module("workers")
    for section in re.findall(r"^\[(.*)\]$", workers.SURVIVORS.read_text(), flags=re.MULTILINE):
        source = Path(workers.file_of(section)).read_text()
        for place, before, after in workers.survivors(section):
            assert " ".join(before.split()) in " ".join(source.split()), f"{section}: {place}"
            assert before != after
