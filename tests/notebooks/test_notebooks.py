"""The notebooks of demos/: run from scratch they show what is stored in them, and what is stored is tidy and true."""

import io
import re
from itertools import count
from pathlib import Path

import pytest

import microgrid
from microgrid.training.progress import is_watched
from tests.demos.test_by_hand import ONE_NEURON, ONE_STEP, SQUARED_NORM

pytest.importorskip("nbclient")

import nbformat

from tests.notebooks.execute import FOLDER, executed, paths, read, texts

pytestmark = pytest.mark.dev
NAMES = [path.stem for path in paths()]


def test_there_are_some() -> None:
    assert {"tour", "backprop_by_hand", "xor_pictures"} <= {*NAMES}


def printed(program: str) -> str:
    """Return what `program` prints in a notebook."""
    cell = nbformat.v4.new_code_cell(program)
    ((_, stream, shown),) = texts(executed(nbformat.v4.new_notebook(cells=[cell])))
    assert stream == "stdout"
    return shown.strip()


def test_the_kernel_is_of_this_environment() -> None:
    assert Path(printed("import microgrid\nprint(microgrid.__file__)")).samefile(microgrid.__file__)


def test_a_notebook_watches_the_progress_of_training() -> None:
    program = "import io\nfrom microgrid.training.progress import is_watched\nprint(is_watched(io.StringIO()))"
    assert (printed(program), is_watched(io.StringIO())) == ("True", False)


@pytest.mark.parametrize("name", NAMES)
def test_it_shows_what_is_stored(name: str) -> None:
    stored = read(FOLDER / f"{name}.ipynb")
    shown = list(texts(executed(stored)))
    assert shown == list(texts(stored)), "run `make notebooks`, and look at what has changed"
    assert "stderr" not in {kind for _, kind, _ in shown}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_stored_tidily(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.ipynb"
    text = path.read_text("utf-8")
    stored = read(path)
    nbformat.validate(stored)
    assert nbformat.writes(stored) + "\n" == text
    assert stored.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert not any(cell.metadata for cell in stored.cells)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert all(cell.execution_count == number for cell, number in zip(code, count(1), strict=False))
    assert len(text) < 300_000
    assert not re.search(r"0x[0-9a-f]{6}|/home/|/tmp/|\.venv", text)


@pytest.mark.parametrize("name", NAMES)
def test_its_links_lead_somewhere(name: str) -> None:
    words = "\n".join(cell.source for cell in read(FOLDER / f"{name}.ipynb").cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((?!http)([^)]+)\)", words)
    assert links and all((FOLDER / link).exists() for link in links)


def test_published_numbers_are_found_by_hand_and_by_the_engine() -> None:
    stored = read(FOLDER / "backprop_by_hand.ipynb")
    shown = "\n".join(text for _, _, text in texts(stored))
    for number in (*ONE_NEURON, *ONE_STEP, *SQUARED_NORM):
        assert re.search(rf"(?<![\d.-]){re.escape(number)}(?!\d)", shown), number
    by_hand = "\n".join(cell.source for cell in stored.cells if cell.cell_type == "markdown")
    assert all(number in by_hand for number in ONE_NEURON)
