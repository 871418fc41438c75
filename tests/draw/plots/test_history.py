"""Losses and metrics, as a figure and as text."""

import math

import pytest

from microgrid import draw
from microgrid.training import History


def history(losses, **metrics):
    """Return a history with these losses and metrics."""
    found = History(metrics)
    for epoch, loss in enumerate(losses):
        found.add([loss], {name: values[epoch] for name, values in metrics.items()})
    return found


@pytest.mark.dev
def test_losses_and_metrics_have_axes_of_their_own():
    ax = draw.plot_history(history([0.8, 0.4], accuracy=[0.5, 1.0], count=[2, 4], odd=["a", "b"]))
    (loss,) = ax.get_lines()
    assert [*loss.get_xdata()] == [1, 2] and [*loss.get_ydata()] == [0.8, 0.4]
    (other,) = (one for one in ax.figure.axes if one is not ax)
    assert {line.get_label(): [*line.get_ydata()] for line in other.get_lines()} == {
        "accuracy": [0.5, 1.0],
        "count": [2, 4],
    }
    assert (ax.get_ylabel(), other.get_ylabel()) == ("loss", "accuracy, count")
    assert [text.get_text() for text in other.get_legend().get_texts()] == ["loss", "accuracy", "count"]
    assert len({line.get_color() for line in (loss, *other.get_lines())}) == 3
    assert len({line.get_linestyle() for line in (loss, *other.get_lines())}) == 3


@pytest.mark.dev
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 50])
def test_epochs_are_whole(count):
    ax = draw.plot_history([1.0] * count)
    ticks = ax.get_xticks()
    assert all(tick == int(tick) for tick in ticks) and sum(1 <= tick <= count for tick in ticks) >= min(count, 3)


@pytest.mark.dev
def test_ticks_that_were_chosen_stay():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    ax.set_xticks([0.5, 1.5])
    assert [*draw.plot_history([3.0, 2.0], ax).get_xticks()] == [0.5, 1.5]


@pytest.mark.dev
def test_a_number_alone_is_a_dot():
    ax = draw.plot_history(history([0.5], accuracy=[1.0]))
    (other,) = (one for one in ax.figure.axes if one is not ax)
    for (line,) in (ax.get_lines(), other.get_lines()):
        assert (line.get_marker(), line.get_markevery()) == ("o", [0])
    (line,) = draw.plot_history([2.0, math.inf, 1.0, 0.5, math.nan, 0.25]).get_lines()
    assert (line.get_marker(), line.get_markevery()) == ("o", [0, 5])
    (line,) = draw.plot_history([2.0, 1.0]).get_lines()
    assert line.get_marker() == "None"


@pytest.mark.dev
def test_several_runs():
    ax = draw.plot_history({"first": history([2.0, 1.0]), "second": [3.0, 2.0, 1.0]})
    assert {line.get_label(): [*line.get_ydata()] for line in ax.get_lines()} == {
        "first": [2.0, 1.0],
        "second": [3.0, 2.0, 1.0],
    }
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["first", "second"]
    assert draw.plot_history([1.0, 0.5]).get_legend() is None


@pytest.mark.dev
@pytest.mark.parametrize(
    ("losses", "log", "scale"),
    [
        ([1.0, 0.011], None, "linear"),
        ([1.0, 0.009], None, "log"),
        ([1.0, 0.0], None, "linear"),
        ([1.0, math.inf, math.nan, 1e-3], None, "log"),
        ([], None, "linear"),
        ([1.0, 0.5], True, "log"),
        ([1.0, 1e-9], False, "linear"),
    ],
)
def test_scale(losses, log, scale):
    assert draw.plot_history(losses, log=log).get_yscale() == scale


def test_text():
    text = draw.history_text(history([0.8, 0.6, 0.4, 0.1], accuracy=[0.25, 0.5, 0.75, 1.0]), width=80)
    assert text.splitlines() == ["loss      █▆▄▁  0.8 → 0.1, 4 epochs", "accuracy  ▁▃▆█  0.25 → 1, 4 epochs"]


def test_text_of_losses_that_span_decades():
    assert draw.history_text([1.0, 0.1, 0.01, 1e-7]).split()[1] == "█▇▆▁"
    assert draw.history_text([1.0, 0.1, 0.01, 1e-7], log=False).split()[1] == "█▂▁▁"
    assert draw.history_text([1.0, 0.0, 0.1], log=True).split()[1] == "█!▁"


@pytest.mark.parametrize(("width", "bars"), [(None, 9), (40, 9), (45, 14), (200, 60), (1, 5)])
def test_text_is_as_wide_as_the_terminal(width, bars, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    first, second = draw.history_text({"a": [0.5] * 100, "long": [12.5] * 100}, width=width).splitlines()
    assert first == f"a     {'▁' * bars}  0.5 → 0.5, 100 epochs"
    assert second == f"long  {'▁' * bars}  12.5 → 12.5, 100 epochs"
    assert bars == 5 or bars == 60 or len(second) == (width or 40)


def test_text_of_nothing():
    assert draw.history_text(History()) == "loss    0 epochs"
    assert draw.history_text({}) == ""


@pytest.mark.parametrize("wrong", [3, None, "losses", ["a", "b"], {"a": 3}, [[1.0], [2.0]]])
@pytest.mark.parametrize("function", [draw.plot_history, draw.history_text])
def test_what_is_no_history(wrong, function):
    with pytest.raises(TypeError, match=rf"^{function.__name__} expects a History, losses, or a dict of either, got "):
        function(wrong)
