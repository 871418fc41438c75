"""What holds for every demo of training: a question, arguments, plain text where nothing else can be shown, a test."""

import importlib
import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "demos"
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.py"))}
NAMES = [name for name, text in TEXTS.items() if "from common import" in text]
DRAWING = [name for name in NAMES if "plot=True" in TEXTS[name]]


def test_there_are_some():
    assert len(NAMES) >= 13
    assert len(DRAWING) >= 7


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_a_question_and_has_tests(name):
    demo = importlib.import_module(name)
    assert "?" in demo.__doc__.splitlines()[0]
    assert [*Path(__file__).parent.glob(f"test_{name}*.py")]


def test_the_page_has_every_demo():
    page = (FOLDER / "README.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(\w+)\.py` \| (.*) \|$", page, flags=re.MULTILINE))
    assert {*listed} == {*TEXTS} - {"common", "figures"}
    for name, question in listed.items():
        assert " ".join(TEXTS[name].split()).startswith(f'"""{question}'), name


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_for_one_epoch_in_ascii(name):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with redirect_stdout(screen):
        assert importlib.import_module(name).main(["--epochs", "1"]) in (None, 0, 1)
    screen.seek(0)
    assert len(screen.readlines()) > 5


@pytest.mark.parametrize("name", NAMES)
def test_it_refuses(name, capsys):
    demo = importlib.import_module(name)
    for arguments in (["--epochs", "0"], ["--speed", "7"]):
        with pytest.raises(SystemExit):
            demo.main(arguments)
    errors = capsys.readouterr().err
    assert "--epochs: expected at least 1, got 0" in errors
    assert "unrecognized arguments: --speed 7" in errors


@pytest.mark.parametrize("name", NAMES)
def test_the_same_twice(name, capsys):
    demo = importlib.import_module(name)
    outputs = []
    for _ in range(2):
        demo.main(["--epochs", "3"])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


@pytest.mark.dev
@pytest.mark.parametrize("name", DRAWING)
def test_it_draws(name, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    importlib.import_module(name).main(["--epochs", "20", "--plot", str(tmp_path / "figure.svg")])
    assert (tmp_path / "figure.svg").read_text("utf-8").rstrip().endswith("</svg>")
