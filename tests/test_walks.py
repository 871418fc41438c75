"""The walks through the rooms: what they name exists, and is called in that order."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import microgrid
from tests.pages import blocks, text_of, without_blocks

PACKAGE = Path(microgrid.__file__).parent
PAGE = text_of(PACKAGE / "README.md").partition("## How the rooms work\n")[2]
_, *WALKS = re.split(r"^### ", PAGE, flags=re.MULTILINE)
# Names in the walks that are neither functions nor classes: of rows, operations, attributes, packages.
WORDS = {"Value", "mul", "mul_xy", "tanh", "op", "pull", "jit", "fit", "inspect", "microgrid.math", "f.source"}

# Runs a program, and prints the file and the name of each function of the package that is called on the way.
WATCHED = """
import json, sys
package, program = sys.argv[1:]
calls = []

def watch(frame, event, argument):
    if event == "call" and frame.f_code.co_filename.startswith(package):
        calls.append((frame.f_code.co_filename[len(package) + 1 :], frame.f_code.co_qualname))

sys.setprofile(watch)
exec(compile(program, "walk", "exec"), {})
sys.setprofile(None)
print(json.dumps(calls))
"""


def named(text: str) -> list[tuple[str, str]]:
    """Return the names in a part of a walk, in order, each with its file: the one behind it, or else the last one."""
    found, file = [], ""
    for name, behind in re.findall(r"`([^`]+)`(?: in `([\w/]+\.py)`)?", " ".join(text.split())):
        file = behind or file
        if name.endswith(".py"):
            file, name = name, ""
        if not re.fullmatch(r"[\w.]*", name) or (name in WORDS and not behind):
            name = ""
        found.append((file, name))
    return [(file, name) for file, name in found if file]


def defined(file: str) -> dict[str, bool]:
    """Return the names that a module and its classes define, and whether each is a function."""
    names = {}
    tree = ast.parse(text_of(PACKAGE / file))
    for prefix, body in [("", tree.body), *((f"{one.name}.", one.body) for one in tree.body if hasattr(one, "name"))]:
        for statement in body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                names[prefix + statement.name] = isinstance(statement, ast.FunctionDef)
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                names |= {prefix + ast.unparse(target): False for target in targets}
    return names


def test_there_are_walks() -> None:
    assert len(WALKS) == 5


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.splitlines()[0])
def test_what_a_walk_names_exists(walk: str) -> None:
    parts = re.split(r"\n(?=\d+\. |\n)", without_blocks(walk))
    names = [pair for part in parts for pair in named(part)]
    assert len(names) > 8
    for file, name in names:
        assert (PACKAGE / file).is_file(), file
        assert not name or name in defined(file), f"{name} in {file}"


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.splitlines()[0])
def test_a_walk_calls_what_it_names_in_this_order(walk: str) -> None:
    steps = re.findall(r"^\d+\. .*?(?=^\d+\. |^$)", without_blocks(walk), flags=re.DOTALL | re.MULTILINE)
    names = [(file, name) for step in steps for file, name in named(step) if defined(file).get(name)]
    assert len(names) > 5
    arguments = [sys.executable, "-c", WATCHED, str(PACKAGE), blocks(walk)[0][1]]
    printed = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=PACKAGE.parent).stdout
    calls = iter(map(tuple, json.loads(printed)))
    for file, name in names:
        assert (file, name) in calls, f"{name} in {file} is called earlier, or not at all"
