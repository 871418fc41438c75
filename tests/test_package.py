"""The package as a whole: what it imports, in which direction, and what it is known by."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from importlib.metadata import metadata
from pathlib import Path

import pytest

import microgrid

PACKAGE = Path(microgrid.__file__).parent


def dotted(path: Path) -> str:
    """Return the name of a module within the package, or of a subpackage."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}

# The rooms of the package, from the roof to the ground: imports point down this list.
ROOMS = re.findall(r"^\| `(\w+)", (PACKAGE / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)

# What a module may import besides the standard library, when it is used.
EXTRAS = {
    "draw.plots.axes": {"matplotlib"},
    "draw.graphs.dot": {"graphviz"},
    "draw.plots.loss_surface": {"matplotlib"},
    "draw.plots.parameters": {"matplotlib"},
    "testing": {"hypothesis"},
    "testing.strategies.drafting": {"hypothesis"},
    "testing.rule_checks": {"hypothesis"},
    "testing.strategies.values": {"hypothesis"},
    "testing.trials": {"hypothesis"},
    "training.progress": {"tqdm"},
}


def imports(path: Path, types: bool = False) -> set[str]:
    """Return the modules that a file imports, at the top or within a function; with `types` for types alone, too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = node.body if types else []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "microgrid":
            package = (node.module or "").partition(".")[2]
            for alias in node.names:
                inner = f"{package}.{alias.name}".lstrip(".")
                found.add(f"microgrid.{inner}" if inner in MODULES else node.module or "")
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def own_imports(name: str) -> set[str]:
    """Return the modules of the package that a module of it imports, for types too."""
    found = [module.partition(".") for module in imports(MODULES[name], types=True)]
    return {inner for package, _, inner in found if package == "microgrid" and inner in MODULES}


def room_of(name: str) -> str:
    """Return the room of a module."""
    return name.partition(".")[0]


@pytest.mark.parametrize("name", ["datasets", "losses", "math"])
def test_a_module_lists_what_it_is_for(name: str) -> None:
    """And not the helpers beside it, in the completion of a prompt or a notebook."""
    module = import_module(f"microgrid.{name}")
    assert dir(module) == sorted(module.__all__)


def test_every_module_is_in_a_room() -> None:
    strangers = {room_of(name) for name in MODULES} - {*ROOMS, "__init__"}
    assert not strangers, f"put {', '.join(strangers)} into a room, or add a row to microgrid/README.md"


@pytest.mark.parametrize("name", sorted({*MODULES} - {"__init__"}))
def test_imports_point_down_the_rooms(name: str) -> None:
    above = ROOMS[: ROOMS.index(room_of(name))]
    wrong = sorted(module for module in own_imports(name) if room_of(module) in [*above, "__init__"])
    assert not wrong, f"{name} is in a room below that of {', '.join(wrong)}, which it imports"


def test_no_imports_form_a_circle() -> None:
    try:
        TopologicalSorter({name: own_imports(name) - {name} for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other, each the one before: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("name", MODULES)
def test_the_standard_library_is_all_that_is_needed(name: str) -> None:
    roots = {module.partition(".")[0] for module in imports(MODULES[name])}
    assert roots <= {*sys.stdlib_module_names, "microgrid"} | EXTRAS.get(name, set())


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[name].read_text(encoding="utf-8")))


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True).stdout


def test_import_is_light() -> None:
    heavy = """
    ast ctypes dataclasses decimal enum fractions importlib.metadata inspect linecache random re threading typing
    """.split()
    bare = set(run("import sys; print(*sys.modules)").split())
    loaded = set(run("import sys, microgrid; print(*sys.modules)").split()) - bare
    assert "microgrid.engine.value" in loaded
    assert not loaded & {
        *heavy,
        "microgrid.nn",
        "microgrid.math",
        "microgrid.rules.derivatives",
        "microgrid.rules.ieee",
    }


def test_submodules_are_imported_when_used() -> None:
    program = (
        "import microgrid; print(microgrid.nn.MLP.__name__, microgrid.math.tanh(0.0), microgrid.optim.SGD.__name__,"
        "microgrid.losses.mse_loss(1.0, 3.0), len(microgrid.datasets.GATES))"
    )
    assert run(program).split() == ["MLP", "0.0", "SGD", "4.0", "16"]
    assert set(microgrid.__all__) <= set(dir(microgrid))
    with pytest.raises(AttributeError, match="module 'microgrid' has no attribute 'tensor'"):
        _ = microgrid.tensor  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["datasets", "draw", "losses", "math", "nn", "optim", "testing", "training"])
def test_public_modules_list_what_is_public(name: str) -> None:
    module = import_module(f"microgrid.{name}")
    assert all(hasattr(module, public) for public in module.__all__)
    own = [one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__]
    assert {one.__name__ for one in own if ">>>" in (one.__doc__ or "")} <= {*module.__all__}, "it has an example"
    assert not {"TYPE_CHECKING", "annotations"} & {*module.__all__}


def test_the_version_is_that_of_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    assert microgrid.__version__ == metadata("microgrid-autograd")["Version"]
    assert "__version__" in dir(microgrid)
    monkeypatch.setattr(sys, "path", [])  # where nothing is installed
    assert microgrid.__version__ == "0+unknown"


def test_the_distribution_is_known_by_its_name() -> None:
    about = metadata("microgrid-autograd")
    assert about["Requires-Python"] == ">=3.11" and "MIT" in (about["License-Expression"] or "")
    assert not [need for need in about.get_all("Requires-Dist") or [] if "extra ==" not in need]


def test_the_package_carries_its_changes() -> None:
    headings = re.findall("^## (.*)$", (PACKAGE / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(microgrid.__version__)} \(\d{{4}}-\d\d-\d\d\)", headings[1])


def test_the_package_carries_its_licence_and_its_types() -> None:
    assert (PACKAGE / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert (PACKAGE / "py.typed").exists()
    assert not [*PACKAGE.rglob("*.pyi")], "types stand beside what they are of"
