"""The package as a whole: what it imports, in which direction, and what it is known by."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import metadata
from pathlib import Path

import pytest

import microgrid

PACKAGE = Path(microgrid.__file__).parent
README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
OF_ANOTHER_ROW = {"__init__", "compositions", "functions"}  # the last two stand in that of `math`


def dotted(path: Path) -> str:
    """Return the name of a module within the package, or of a subpackage."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}

# Imports point down this list.
LAYERS = [
    ["__init__", "reference"],
    ["draw"],
    ["draw.loss_surface", "draw.representation"],
    ["draw.decision_boundary", "draw.history", "draw.parameters"],
    ["draw.axes", "draw.fields", "draw.terminal"],
    ["draw.explanation"],
    ["draw.explained_markdown"],
    ["draw.explained_text"],
    ["testing"],
    ["testing.rule_checks"],
    ["testing.trials"],
    ["testing.drafting"],
    ["testing.expression", "testing.strategies"],
    ["testing.domains"],
    ["testing.intervals"],
    ["testing.gradients"],
    ["testing.numerical"],
    ["testing.complex_step"],
    ["testing.complex_functions"],
    ["training"],
    ["training.fit", "training.sweep"],
    ["training.steps"],
    ["training.mistakes"],
    ["training.history", "training.progress", "training.recorder"],
    ["losses", "optim", "datasets"],
    ["optim.sgd", "optim.adam", "optim.clipping"],
    ["optim.optimizer"],
    ["nn"],
    ["nn.embedding", "nn.perceptrons", "nn.recurrent"],
    ["nn.module", "nn.initialisers", "nn.activations"],
    ["nn.state", "rng", "samples"],
    ["math"],
    ["compositions"],
    ["compiler"],
    ["compiler.jit", "compiler.steps"],
    ["compiler.call", "compiler.updates"],
    ["compiler.cases"],
    ["compiler.loops", "compiler.parts"],
    ["compiler.units"],
    ["compiler.trace", "compiler.emit", "compiler.interpreter"],
    ["compiler.instrument", "compiler.templates", "compiler.passes", "compiler.rolling", "compiler.batch"],
    ["compiler.rows"],
    ["compiler.arguments", "compiler.program", "compiler.projections"],
    ["compiler.settings"],
    ["functions", "extend", "anomaly", "transforms", "batches"],
    ["scaling"],
    ["runs"],
    ["series"],
    ["recording"],
    ["engine"],
    ["draw.dot", "draw.svg", "draw.text", "draw.table"],
    ["draw.picture", "draw.latex", "draw.layout"],
    ["draw.folding", "draw.tex"],
    ["draw.words"],
    ["draw.sketch"],
    ["operations"],
    ["pullbacks"],
    ["eager"],
    ["passes"],
    ["tree"],
    ["arrays"],
    ["graph", "conversions"],
    ["lost"],
    ["modes"],
    ["forks"],
    ["codegen", "calls"],
    ["rules"],
    ["total"],
    ["sequences", "special"],
    ["fallbacks"],
]

# What a module may import besides the standard library, when it is used.
EXTRAS = {
    "draw.axes": {"matplotlib"},
    "draw.dot": {"graphviz"},
    "draw.loss_surface": {"matplotlib"},
    "draw.parameters": {"matplotlib"},
    "testing": {"hypothesis"},
    "testing.drafting": {"hypothesis"},
    "testing.rule_checks": {"hypothesis"},
    "testing.strategies": {"hypothesis"},
    "testing.trials": {"hypothesis"},
    "training.progress": {"tqdm"},
}


def imports(path: Path) -> set[str]:
    """Return the modules that are imported at run time, whether at the top of the file or within a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
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


@pytest.mark.parametrize("name", ["datasets", "losses"])
def test_a_module_lists_what_it_is_for(name: str) -> None:
    """And not the helpers beside it, in the completion of a prompt or a notebook."""
    module = import_module(f"microgrid.{name}")
    assert dir(module) == sorted(module.__all__)


def test_every_module_has_its_layer() -> None:
    assert sorted(name for layer in LAYERS for name in layer) == sorted(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    depth = {module: index for index, layer in enumerate(LAYERS) for module in layer}
    own = {module.partition(".")[2] for module in imports(MODULES[name]) if module.startswith("microgrid")}
    assert all(depth[module or "__init__"] > depth[name] for module in own), own


def readme_rows() -> dict[str, int]:
    """Return the modules and packages of the README's table, each with the number of its row."""
    found: dict[str, int] = {}
    lines = README.partition("| module | what lives there |\n")[2].partition("\n\n")[0].splitlines()
    for index, line in enumerate(lines[1:]):
        folder = ""
        for path in re.findall("`([^`]+)`", line.split("|")[1]):
            folder = path[: path.rfind("/") + 1] or folder
            found[(folder + path.removeprefix(folder)).rstrip("/").removesuffix(".py").replace("/", ".")] = index
    return found


def test_the_table_in_the_readme_has_every_module() -> None:
    rows = readme_rows()
    assert {name.partition(".")[0] for name in rows} == {name.partition(".")[0] for name in MODULES} - OF_ANOTHER_ROW
    assert rows.keys() <= {*MODULES}


def test_imports_point_down_the_table_in_the_readme() -> None:
    rows = readme_rows()
    row_of = {name: rows.get(name, rows.get(name.partition(".")[0])) for name in MODULES}
    placed = {name: row for name, row in row_of.items() if row is not None and (name in rows or "draw" not in name)}
    for name, row in placed.items():
        own = {module.partition(".")[2] for module in imports(MODULES[name])} & placed.keys()
        assert all(placed[module] >= row for module in own), f"{name} imports {own}"


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
    heavy = (
        "ast importlib.metadata dataclasses fractions inspect typing re enum linecache threading random decimal".split()
    )
    bare = set(run("import sys; print(*sys.modules)").split())
    loaded = set(run("import sys, microgrid; print(*sys.modules)").split()) - bare
    assert "microgrid.engine" in loaded
    assert not loaded & {*heavy, "microgrid.nn", "microgrid.math", "microgrid.pullbacks", "microgrid.total"}


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


def test_the_package_carries_its_licence_and_its_types() -> None:
    assert (PACKAGE / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert (PACKAGE / "py.typed").exists() and (PACKAGE / "math.pyi").exists()
