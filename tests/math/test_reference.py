"""What is written down from the table says what the table says."""

import inspect
from pathlib import Path

import pytest

from microgrid import Value, math
from microgrid.math import reference
from microgrid.rules.table import ROWS, RULES


@pytest.mark.parametrize(("path", "text"), reference.documents().items(), ids=lambda value: getattr(value, "name", ""))
def test_the_files_are_as_the_table_has_them(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run `python -m microgrid.math.reference`"


def test_writing_the_files_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    monkeypatch.setattr(reference, "documents", lambda: {target: "text"})
    reference.write()
    assert target.read_text(encoding="utf-8") == "text"


def test_every_generated_method_is_declared() -> None:
    declared = reference.declare_operations()
    functions = [it for it in vars(Value).values() if inspect.isfunction(it)]
    generated = [it.__name__ for it in functions if it.__code__.co_filename == "<microgrid>/value.py"]
    assert len(generated) > 50 and all(f"def {name}(self" in declared for name in generated)


def test_every_function_is_declared() -> None:
    declared = reference.declare_math()
    for name in math.__all__:
        assert any(text in declared for text in (f"def {name}(", f"import {name} as {name}", f"{name}: float")), name


def test_overloads_say_where_values_go() -> None:
    assert reference.declare_function(RULES["atan2"]).splitlines() == [
        "@overload",
        "def atan2(y: Value, x: Number, /) -> Value: ...",
        "@overload",
        "def atan2(y: Number, x: Value, /) -> Value: ...",
        "@overload",
        "def atan2(y: Number, x: Number, /) -> float: ...",
    ]
    assert "def hypot(*xs: Value | float) -> Value: ..." in reference.declare_function(RULES["hypot"])
    assert "start: float = ...) -> float" in reference.declare_function(RULES["prod"])


def test_the_table_has_a_line_for_every_row() -> None:
    lines = reference.calculus_table().splitlines()
    assert len(lines) == len(ROWS) + 2
    assert "| `tanh` | `tanh(x)` | `x`: `1 - out * out` | everywhere |" in lines


def test_text_between_marks_is_replaced() -> None:
    text = "a\n<!-- mark -->\nold\n<!-- end of mark -->\nb"
    assert reference.between(text, "mark", "new\n") == "a\n<!-- mark -->\nnew\n<!-- end of mark -->\nb"
