"""Where a hidden layer puts the data."""

import re

import pytest

from microgrid import datasets, draw
from microgrid.losses import mse_loss
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.training import Recorder, fit

XOR = datasets.truth_table("xor")
CLASSES = [[row for row, target in zip(*XOR, strict=True) if target == number] for number in (0, 1)]


@pytest.fixture(scope="module")
def run():
    net = MLP(2, [3, 2, 1], activation="tanh", rng=3)
    recorder = Recorder(net, every=2)
    fit(net, XOR, loss=mse_loss, optimizer=SGD(net.parameters(), lr=0.5), epochs=8, callbacks=[recorder])
    return net, recorder


def activations(net, row):
    return [unit.data for unit in net.layers[0](row)]


def clouds(ax):
    """Return the samples as they are drawn, class by class."""
    return [one.get_offsets().tolist() for one in ax.collections if one.get_label() in ("0", "1")]


@pytest.mark.dev
@pytest.mark.parametrize("units", [(0, 1), (2, 0), (1, 1)])
def test_samples_are_at_their_activations(units, run):
    net, _ = run
    ax = draw.plot_representation(net.layers[0], XOR, units=units)
    expected = [[[activations(net, row)[unit] for unit in units] for row in rows] for rows in CLASSES]
    assert clouds(ax) == expected
    assert not ax.get_lines()
    assert (ax.get_xlabel(), ax.get_ylabel()) == (f"unit {units[0]}", f"unit {units[1]}")


@pytest.mark.dev
@pytest.mark.parametrize("epoch", [None, 0, 4])
def test_paths_lead_there(epoch, run):
    net, recorder = run
    ax = draw.plot_representation(net.layers[0], XOR, recorder=recorder, epoch=epoch)
    moments = [one for one in recorder.epochs if one <= (8 if epoch is None else epoch)]
    film = []
    for one in moments:
        with recorder.restored(one):
            film.append([activations(net, row)[:2] for row in XOR[0]])
    paths = [[*map(list, zip(*line.get_data(), strict=True))] for line in ax.get_lines()]
    ways = [path for path in paths if len(path) == len(moments)]
    assert len(paths) == (0 if epoch == 0 else 12)
    if epoch != 0:
        assert ways[::2] == ways[1::2] == [[*path] for path in zip(*film, strict=True)]
    assert sorted(place for cloud in clouds(ax) for place in cloud) == sorted(film[-1])
    assert ax.get_title() == f"hidden space, epoch {moments[-1]}"
    left, right = ax.get_xlim()
    assert all(left < place[0] < right for places in film for place in places)


@pytest.mark.dev
@pytest.mark.parametrize("units", [(0, 1), (1, 0)])
def test_the_readout_divides_hidden_space(units, run):
    net, _ = run

    def below(x):
        return net.layers[1](net.layers[0](x))

    def first(activations):
        return activations[0] - 0.25

    ax = draw.plot_representation(below, XOR, units=units, readout=first, threshold=0.0, xlim=(-1, 1), ylim=(-1, 1))
    (line,) = (one for one in ax.collections if one.get_linewidth()[0] == 1.5 and one.get_facecolor().size == 0)
    places = line.get_paths()[0].vertices
    assert max(abs(place[units.index(0)] - 0.25) for place in places) < 1e-12


@pytest.mark.dev
def test_the_readout_is_as_it_was(run):
    net, recorder = run
    seen, asked = set(), []

    def readout(hidden):
        seen.add(tuple(parameter.data for parameter in net.parameters()))
        asked.append(hidden)
        return hidden[0]

    def below(x):
        return net.layers[1](net.layers[0](x))

    draw.plot_representation(below, XOR, recorder=recorder, epoch=2, readout=readout)
    assert seen == {tuple(recorder.parameters[1])}
    for epoch in (0, 2):
        with recorder.restored(epoch):
            places = [[unit.data for unit in below(row)] for row in XOR[0]]
        assert [place in asked for place in places] == [epoch == 2] * 4, "what is clear, the samples say as they were"


@pytest.mark.dev
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": (0, 3)}, "plot_representation expects hidden to have units 0 and 3, but it has 3"),
        ({"units": (-1, 0)}, "plot_representation expects hidden to have units -1 and 0, but it has 3"),
        ({"epoch": 4}, "plot_representation expects a recorder, to restore the parameters of epoch 4"),
        ({"xlim": (1, 0)}, "plot_representation expects xlim to be two numbers, the lower one first, got (1, 0)"),
        ({"ylim": 3}, "plot_representation expects ylim to be two numbers, the lower one first, got 3"),
        ({"readout": sum}, "plot_representation draws a readout over two hidden units, but there are 3"),
    ],
)
def test_what_it_refuses(options, message, run):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        draw.plot_representation(run[0].layers[0], XOR, **options)


@pytest.mark.dev
def test_what_is_no_recorder(run):
    with pytest.raises(TypeError, match=r"^plot_representation expects a Recorder, got list"):
        draw.plot_representation(run[0].layers[0], XOR, recorder=[1.0])


@pytest.mark.dev
def test_a_recorder_of_another_model(run):
    words = r"^plot_representation expects a recorder of the model of hidden, got one of another model$"
    with pytest.raises(ValueError, match=words):
        draw.plot_representation(MLP(2, [3, 1], rng=3).layers[0], XOR, recorder=run[1])


@pytest.mark.dev
def test_a_readout_over_one_unit(run):
    net, _ = run
    with pytest.raises(
        ValueError, match=r"^plot_representation draws a readout over two different units, got \(1, 1\)$"
    ):
        draw.plot_representation(
            lambda x: net.layers[1](net.layers[0](x)), XOR, units=(1, 1), readout=net.layers[2], threshold=0.0
        )


@pytest.mark.dev
def test_an_epoch_that_was_not_taken_down(run):
    with pytest.raises(ValueError, match=r"^the recorder has no parameters of epoch 3, only of 0, 2 … 8$"):
        draw.plot_representation(run[0].layers[0], XOR, recorder=run[1], epoch=3)


@pytest.mark.dev
@pytest.mark.parametrize("units", [3, (0,), (0, 1, 2), (0, "a"), "01"])
def test_units_are_two_numbers(units):
    with pytest.raises(TypeError) as caught:
        draw.plot_representation(lambda x: x, ([[0.0, 1.0]], [0]), units=units)
    assert str(caught.value) == f"plot_representation expects units to be two whole numbers, got {units!r}"
