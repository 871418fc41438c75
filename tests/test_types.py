"""What a type checker and an editor know of the generated operators, methods and functions."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import microgrid

pytestmark = pytest.mark.dev

PROGRAM = """
from microgrid import Value, math, no_grad
from microgrid.nn import MLP

x = Value(1.0)
reveal_type(x * 2)  # Value
reveal_type(2 / x)  # Value
reveal_type(-x)  # Value
reveal_type(x**2)  # Value
reveal_type(x.tanh())  # Value
reveal_type(x.leaky_relu(0.5))  # Value
reveal_type(x < 2)  # bool
reveal_type(x.parents)  # tuple[Value, ...]
reveal_type(math.tanh(x))  # Value
reveal_type(math.tanh(1))  # float
reveal_type(math.atan2(1.0, x))  # Value
reveal_type(math.atan2(1.0, 2))  # float
reveal_type(math.hypot(x, 1.0))  # Value
reveal_type(math.hypot(1.0, 2.0))  # float
reveal_type(math.fsum([x, 1.0]))  # Value
reveal_type(math.fsum([1.0, 2.0]))  # float
reveal_type(math.dot([x], [1.0], x))  # Value
reveal_type(math.softmax([x]))  # list[Value]
reveal_type(math.frexp(x))  # tuple[Value, int]
reveal_type(math.floor(x))  # int
reveal_type(math.isnan(x))  # bool
reveal_type(math.pi)  # float
reveal_type(MLP(2, [3, 1]).parameters())  # list[Value]
reveal_type(MLP(2, [3, 1]).layers[0].neurons[0].w)  # list[Value]
MLP(2, [3, 1]).layers[0].freeze()


@no_grad()
def double(value: Value) -> Value:
    return value * 2


reveal_type(double(x))  # Value
reveal_type(no_grad())  # no_grad
"""

MISTAKES = """
from microgrid import Value, math

Value(1.0).tahn()
math.atan2(Value(1.0))
math.gelu("a")
Value(1.0).leaky_relu("steep")
"""


def check(tmp_path: Path, program: str) -> list[str]:
    """Return what mypy says, line by line."""
    file = tmp_path / "program.py"
    file.write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.stderr
    return done.stdout.splitlines()


def test_types_of_results_are_known(tmp_path: Path) -> None:
    expected = re.findall(r"reveal_type\(.*\)  # (.+)", PROGRAM)
    found = [
        re.sub(r"[a-z_]+\.(?=[a-zA-Z])", "", line.partition('"')[2].rstrip('"')) for line in check(tmp_path, PROGRAM)
    ]
    assert found[: len(expected)] == expected
    assert found[len(expected) :] == [""], "no error, one closing line"


def test_mistakes_are_seen(tmp_path: Path) -> None:
    report = check(tmp_path, MISTAKES)
    lines = {int(line.split(":")[1]) for line in report if ": error:" in line}
    assert lines == {4, 5, 6, 7}


EDITED = """
from microgrid import Value, math
x = Value(1.0)
x.tanh
math.tanh
x.ta
(x * 2).ta
math.tanh(x).ta
math.ta
"""


def test_an_editor_finds_definitions_and_completes() -> None:
    import jedi

    project = jedi.Project(Path(microgrid.__file__).parents[1], sys_path=sys.path)
    script = jedi.Script(EDITED, project=project)
    method, function = script.goto(4, 4), script.goto(5, 7, follow_imports=True)
    assert [found.full_name for found in method] == ["microgrid.engine.methods.Methods.tanh"]
    assert [found.full_name for found in function] == ["microgrid.math.functions.tanh"]
    for found in (*method, *function):
        assert found.get_line_code().lstrip().startswith("def tanh(") and "hyperbolic tangent" in found.docstring()
    for line, text in enumerate(EDITED.splitlines(), 1):
        if text.endswith(".ta"):
            names = {found.name for found in script.complete(line, len(text))}
            assert {"tan", "tanh"} <= names, text
