"""What is made of the table ahead of time says what the table says, and can be made again from the rules alone."""

import ast
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from microgrid import Value, math
from microgrid.math.functions import FUNCTIONS
from microgrid.rules import generate
from microgrid.rules.table import ROWS, RULES

MODULES = {path: text for path, text in generate.documents().items() if path.suffix == ".py"}


def name_of(path: object) -> str:
    return str(path.relative_to(generate.PACKAGE)) if isinstance(path, Path) else ""


@pytest.mark.parametrize(("path", "text"), generate.documents().items(), ids=name_of)
def test_the_files_are_as_the_table_has_them(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run `make generate`"


@pytest.mark.parametrize(("path", "text"), MODULES.items(), ids=name_of)
def test_modules_say_first_what_made_them(path: Path, text: str) -> None:
    first, *_ = text.splitlines()
    assert first.startswith("# Made by `make generate` from the calculus table: ")


@pytest.mark.parametrize("broken", [None, "", "1 +", "raise SystemExit(1)"])
def test_a_file_that_is_broken_or_gone_is_made_again(broken: str | None, tmp_path: Path) -> None:
    package = tmp_path / "microgrid"
    shutil.copytree(generate.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    copies = {package / path.relative_to(generate.PACKAGE): text for path, text in generate.documents().items()}
    for path, text in copies.items():
        if path.suffix == ".md":
            path.write_text(generate.between(text, "calculus table", ""), encoding="utf-8")
        elif broken is None:
            path.unlink()
        else:
            path.write_text(broken, encoding="utf-8")
    done = subprocess.run([sys.executable, package / "rules"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert {path: path.read_text(encoding="utf-8") for path in copies} == copies


def test_writing_the_files_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    monkeypatch.setattr(generate, "documents", lambda: {target: "text"})
    generate.write()
    assert target.read_text(encoding="utf-8") == "text"


@pytest.mark.parametrize(("path", "text"), MODULES.items(), ids=name_of)
def test_every_function_has_types_and_documentation(path: Path, text: str) -> None:
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert ast.get_docstring(tree) and (functions or path.name == "__init__.py")
    for function in functions:
        is_described = ast.get_docstring(function) or function.decorator_list or function.name == "__dir__"
        assert function.returns and is_described
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        assert all(argument.annotation or argument.arg == "self" for argument in arguments)


def test_methods_are_functions_of_the_class() -> None:
    """And no attributes of a class above it: they are found at once, and a trace changes them in one place."""
    source = Path(inspect.getfile(Value.tanh)).read_text(encoding="utf-8")
    (methods,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    names = [node.name for node in methods.body if isinstance(node, ast.FunctionDef)]
    assert len(names) > 50 and all(inspect.isfunction(vars(Value)[name]) for name in names)
    assert not {"Methods"} & {one.__name__ for one in Value.__mro__}


def test_definitions_are_found_where_they_stand() -> None:
    for found in (Value.__add__, Value.tanh, math.tanh, math.dot):
        lines, start = inspect.getsourcelines(found)
        file = Path(inspect.getsourcefile(found) or "")
        assert file in MODULES and file.read_text(encoding="utf-8").splitlines(keepends=True)[start - 1] == lines[0]
        assert lines[0].lstrip().startswith(f"def {found.__name__}(")


def test_math_has_every_function_but_the_operators() -> None:
    operators = {"add", "sub", "mul", "div", "floordiv", "mod", "neg", "abs", "round"}
    assert FUNCTIONS.keys() - operators <= {*math.__all__} and not operators & {*math.__all__}
    assert all(getattr(math, name) is FUNCTIONS[name] for name in FUNCTIONS.keys() - operators - {"log", "pow"})
    assert len(math.__all__) == len({*math.__all__})


def test_overloads_say_where_values_go() -> None:
    assert generate.overloads(RULES["atan2"]).splitlines() == [
        "@overload",
        "def atan2(y: Value, x: Number, /) -> Value: ...",
        "@overload",
        "def atan2(y: Number, x: Value, /) -> Value: ...",
        "@overload",
        "def atan2(y: Number, x: Number, /) -> float: ...",
    ]
    assert "def hypot(*xs: Value | float) -> Value: ..." in generate.overloads(RULES["hypot"])
    assert "start: float = 1) -> float" in generate.overloads(RULES["prod"])


def test_names_are_imported_in_the_usual_order() -> None:
    names = ["Value", "log2", "log10", "apply", "RULES", "log1p", "log"]
    assert sorted(names, key=generate.in_imports) == ["RULES", "Value", "apply", "log", "log1p", "log2", "log10"]
    assert generate.imported([("b", "y"), ("b", "x as z"), ("a", "x")]) == (
        "from a import x\nfrom b import x as z\nfrom b import y\n"
    )
    name = "n" * 106
    assert generate.imported([("a", name)]) == f"from a import {name}\n"
    assert generate.imported([("a", name + "n")]) == f"from a import (\n    {name}n,\n)\n"


def test_what_row_text_calls_is_imported_from_where_it_is() -> None:
    source = "def f(x):\n    return tanh(x) + power(x, fma(x)) + abs(x) + f(pi)\n"
    assert generate.imports_for(source) == (
        "from math import pi, tanh\n\nfrom microgrid.rules.newer_math import fma\n"
        "from microgrid.rules.special import power\n"
    )


def test_the_table_has_a_line_for_every_row() -> None:
    lines = generate.calculus_table().splitlines()
    assert len(lines) == len(ROWS) + 2
    assert "| `tanh` | `tanh(x)` | `x`: `1 - out * out` | everywhere |" in lines


def test_text_between_marks_is_replaced() -> None:
    text = "a\n<!-- mark -->\nold\n<!-- end of mark -->\nb"
    assert generate.between(text, "mark", "new\n") == "a\n<!-- mark -->\nnew\n<!-- end of mark -->\nb"
