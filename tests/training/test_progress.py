"""Progress: by tqdm where that is installed, else by a line; only where somebody watches, unless asked."""

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from microgrid.losses import mse_loss
from microgrid.nn import Neuron
from microgrid.optim import SGD
from microgrid.training import fit
from microgrid.training.progress import WIDTH, Line, Progress, is_watched


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def lines(self):
        """Return what stood in the line, one after the other."""
        return [line.rstrip() for line in self.getvalue().split("\r")]


@pytest.fixture
def no_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)


def see(monkeypatch, stream):
    """Let progress take `stream` for standard error; pytest puts its own in that place again and again."""
    monkeypatch.setattr("microgrid.training.progress.sys", SimpleNamespace(stderr=stream, modules=sys.modules))
    return stream


@pytest.fixture
def stream(monkeypatch):
    """A terminal as standard error."""
    return see(monkeypatch, Terminal())


class Bar:
    """What stands in for tqdm's bar: it takes down what is done with it."""

    made: list["Bar"]

    def __init__(self, total, desc):
        self.told = [(total, desc)]
        Bar.made.append(self)

    def set_postfix_str(self, words, refresh):
        self.told.append((words, refresh))

    def update(self, rounds):
        self.told.append(rounds)

    def close(self):
        self.told.append("closed")


@pytest.fixture
def tqdm(monkeypatch):
    """A module in the place of tqdm."""
    package, auto = ModuleType("tqdm"), ModuleType("tqdm.auto")
    auto.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", package)
    monkeypatch.setitem(sys.modules, "tqdm.auto", auto)
    Bar.made = []
    return Bar


@pytest.mark.usefixtures("no_tqdm")
def test_a_line_rewrites_itself(stream):
    progress = Progress(None, 3, "fit")
    for number in range(3):
        progress.advance(lambda number=number: f"loss {number}")
    progress.close()
    assert stream.lines() == ["", "fit 1/3 loss 0", "fit 2/3 loss 1", "fit 3/3 loss 2"]
    assert stream.getvalue().endswith("\n") and {len(line) for line in stream.getvalue().split("\r")[1:-1]} == {WIDTH}


def test_a_line_is_never_too_long():
    stream = Terminal()
    line = Line(5, "fit", stream)
    line.set_postfix_str("x" * 200, refresh=False)
    line.update(1)
    line.close()
    assert stream.getvalue() == "\rfit 1/5 " + "x" * (WIDTH - 8) + "\n"


@pytest.mark.usefixtures("no_tqdm")
def test_a_hundred_times_at_most_and_once_at_the_end(stream):
    progress = Progress(True, 1000, "fit")
    for _ in range(995):
        progress.advance(lambda: "")
    progress.close()
    assert stream.lines()[1:] == [f"fit {count}/1000" for count in [*range(10, 1000, 10), 995]]


@pytest.mark.usefixtures("no_tqdm")
def test_nothing_is_shown_where_nobody_watches(monkeypatch):
    stream = see(monkeypatch, io.StringIO())
    for show in (None, False):
        progress = Progress(show, 2, "fit")
        progress.advance(lambda: pytest.fail("nobody asked"))
        progress.close()
    terminal = see(monkeypatch, Terminal())
    Progress(False, 1, "fit").close()
    assert stream.getvalue() == terminal.getvalue() == ""


@pytest.mark.usefixtures("no_tqdm")
def test_a_notebook_watches(monkeypatch):
    stream = see(monkeypatch, io.StringIO())
    module = ModuleType("IPython")
    monkeypatch.setitem(sys.modules, "IPython", module)
    for shell, watches in ((None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel="a kernel"), True)):
        module.get_ipython = lambda shell=shell: shell
        assert is_watched(stream) == watches
    progress = Progress(None, 1, "fit")
    progress.advance(lambda: "done")
    progress.close()
    assert "fit 1/1 done" in stream.getvalue()


def test_no_standard_error_means_no_progress(monkeypatch):
    see(monkeypatch, None)
    assert Progress(None, 1, "fit").bar is None


def test_tqdm_is_used_where_it_is_installed(tqdm, stream):
    progress = Progress(None, 200, "fit")
    for number in range(5):
        progress.advance(lambda number=number: f"loss {number}")
    progress.close()
    (bar,) = tqdm.made
    assert bar.told == [(200, "fit"), ("loss 1", False), 2, ("loss 3", False), 2, ("loss 4", False), 1, "closed"]
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("no_tqdm")
def test_fit_shows_its_epochs(stream):
    line = Neuron(1, nonlin=False, rng=0)
    optimizer = SGD(line.parameters(), lr=0.1)
    options = {"loss": mse_loss, "optimizer": optimizer, "metrics": {"least": lambda found, _: min(found)}}
    history = fit(line, ([[0.0], [1.0]], [0.0, 1.0]), epochs=2, **options)
    assert stream.lines()[-1] == f"fit 2/2 {history.last()}"
    fit(line, ([[0.0], [1.0]], [0.0, 1.0]), epochs=2, progress=False, **options)
    assert len(stream.lines()) == 3


@pytest.mark.usefixtures("no_tqdm")
def test_the_line_ends_where_training_does(stream):
    line = Neuron(1, nonlin=False, rng=0)

    def interrupts(epoch, history):
        raise KeyboardInterrupt

    fit(line, ([[0.0]], [0.0]), loss=mse_loss, optimizer=SGD(line.parameters()), callbacks=[interrupts])
    assert stream.getvalue().endswith("\n") and "fit 1/100" in stream.getvalue()
