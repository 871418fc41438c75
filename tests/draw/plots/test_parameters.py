"""The parameters as they stand, and over the epochs."""

import math
import re

import pytest

from microgrid import Value, draw
from microgrid.draw.plots.parameters import rows_of
from microgrid.losses import mse_loss
from microgrid.nn import MLP, Embedding, LSTMCell, Module
from microgrid.optim import SGD
from microgrid.training import Recorder, fit


class Words(Module):
    """A module with parameters of all kinds of paths."""

    def __init__(self):
        self.points, self.output, self.scale = Embedding(2, 2, rng=0), MLP(2, [1], rng=0), Value(2.0)


def test_rows():
    names = {row: [name for name, _ in cells] for row, cells in rows_of(Words()).items()}
    assert names == {
        "points.weight.0": ["0", "1"],
        "points.weight.1": ["0", "1"],
        "output.layers.0.neurons.0": ["b", "w.0", "w.1"],
        "": ["scale"],
    }


def test_rows_of_several_lists():
    names = {row: [name for name, _ in cells] for row, cells in rows_of(LSTMCell(1, 1, rng=0)).items()}
    gates = ["0", "1", "2", "3"]
    weights = {f"weight_{kind}.{gate}": ["0"] for kind in ("ih", "hh") for gate in gates}
    assert names == {**weights, "bias_ih": gates, "bias_hh": gates}


def test_every_parameter_is_in_one_row():
    for model in (Words(), LSTMCell(2, 3, rng=0), MLP(2, [3, 2], rng=0)):
        cells = [parameter for row in rows_of(model).values() for _, parameter in row]
        assert sorted(map(id, cells)) == sorted(map(id, model.parameters()))


def table(ax):
    """Return the numbers of the cells, row by row."""
    return [mesh.get_array().ravel().tolist() for mesh in ax.collections if mesh.get_array() is not None]


@pytest.mark.dev
def test_a_table_of_the_parameters():
    net = MLP(2, [2, 1], rng=1)
    net.layers[0].neurons[1].b.data = 7.0
    ax = draw.plot_parameters(net)
    neurons = [neuron for layer in net.layers for neuron in layer.neurons]
    expected = [[neuron.b.data, *(weight.data for weight in neuron.w)] for neuron in neurons]
    assert table(ax) == expected
    assert [text.get_text() for text in ax.texts] == [f"{number:.2g}" for row in expected for number in row]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "layers.0.neurons.0",
        "layers.0.neurons.1",
        "layers.1.neurons.0",
    ]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["b", "w.0", "w.1"]
    assert {mesh.get_clim() for mesh in ax.collections} == {(-7.0, 7.0)}
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first row is on top"
    assert (ax.get_title(), ax.figure.axes[1].get_ylabel()) == ("parameters", "parameter")


@pytest.mark.dev
def test_a_table_of_the_gradients():
    net = MLP(2, [2, 1], activation="tanh", rng=1)
    net([1.0, 2.0]).backward()
    ax = draw.plot_parameters(net, grads=True)
    expected = [
        [neuron.b.grad, *(weight.grad for weight in neuron.w)] for layer in net.layers for neuron in layer.neurons
    ]
    assert table(ax) == expected and any(map(any, expected))
    assert (ax.get_title(), ax.figure.axes[1].get_ylabel()) == ("gradients", "gradient")


@pytest.mark.dev
def test_recorded_gradients_are_drawn_as_numbers():
    net = MLP(1, [1], rng=1)
    net([2.0]).backward(create_graph=True)
    assert table(draw.plot_parameters(net, grads=True)) == [[1.0, 2.0]]


@pytest.mark.dev
def test_signs_have_colours_that_fade_towards_zero():
    net = MLP(2, [1], rng=1)
    for parameter, number in zip(net.parameters(), [1.0, -1.0, 0.0], strict=True):
        parameter.data = number
    (mesh,) = (one for one in draw.plot_parameters(net).collections if one.get_array() is not None)
    bias, above, below = (mesh.to_rgba(number) for number in (0.0, 1.0, -1.0))
    assert bias[3] < 0.02 < 0.7 < min(above[3], below[3])
    assert above[0] > above[2] and below[0] < below[2]


@pytest.mark.dev
def test_what_is_no_number_does_not_disturb_the_others():
    net = MLP(2, [1], rng=1)
    for parameter, number in zip(net.parameters(), [math.nan, 10**400, 3.0], strict=True):
        parameter.data = number
    (mesh,) = (one for one in draw.plot_parameters(net).collections if one.get_array() is not None)
    assert mesh.get_clim() == (-3.0, 3.0)
    assert [bool(masked) for masked in mesh.get_array().mask.ravel()] == [False, True, True]
    for parameter in net.parameters():
        parameter.data = 0.0
    assert {one.get_clim() for one in draw.plot_parameters(net).collections} == {(-1.0, 1.0)}


@pytest.mark.dev
def test_numbers_and_names_only_where_there_is_room():
    ax = draw.plot_parameters(MLP(30, [60, 1], rng=1))
    assert not ax.texts
    assert 3 <= len(ax.get_xticklabels()) < 30 and 3 <= len(ax.get_yticklabels()) < 61
    assert len(table(ax)) == 61


@pytest.mark.dev
def test_columns_of_several_names_have_numbers():
    labels = [label.get_text() for label in draw.plot_parameters(Words()).get_xticklabels()]
    assert labels == ["0", "1", "w.1"]


@pytest.fixture(scope="module")
def run():
    net = MLP(2, [2, 1], activation="tanh", rng=3)
    recorder = Recorder(net, every=2)
    data, optimizer = ([[0.0, 1.0]], [0.5]), SGD(net.parameters(), lr=0.1)
    fit(net, data, loss=mse_loss, optimizer=optimizer, epochs=6, callbacks=[recorder])
    return net, recorder


@pytest.mark.dev
def test_parameters_over_the_epochs(run):
    net, recorder = run
    ax = draw.plot_parameters(net, recorder=recorder)
    assert [[*line.get_xdata()] for line in ax.get_lines()] == [[0, 2, 4, 6]] * 9
    assert [[*line.get_ydata()] for line in ax.get_lines()] == [
        [*path] for path in zip(*recorder.parameters, strict=True)
    ]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["layers.0", "layers.1"]
    assert ax.get_xlabel() == "epoch" and all(tick == int(tick) for tick in ax.get_xticks())
    names = [name for name, _ in net.named_parameters()]
    dashed = [name for name, line in zip(names, ax.get_lines(), strict=True) if line.get_linestyle() == "--"]
    assert dashed == [name for name in names if name.endswith(".b")]
    colours = {name.split(".")[1]: set() for name in names}
    for name, line in zip(names, ax.get_lines(), strict=True):
        colours[name.split(".")[1]].add(line.get_color())
    assert [len(one) for one in colours.values()] == [1, 1] and colours["0"] != colours["1"]


@pytest.mark.dev
def test_many_lines_are_paler_and_one_layer_needs_no_legend():
    few, many = MLP(3, [1], rng=0), MLP(10, [10], rng=0)
    axes = [draw.plot_parameters(net, recorder=Recorder(net)) for net in (few, many)]
    assert [ax.get_lines()[0].get_alpha() for ax in axes] == [0.9, 0.4]
    assert [ax.get_legend() for ax in axes] == [None, None]
    embedding = Embedding(2, 2, rng=0)
    assert {
        line.get_linestyle() for line in draw.plot_parameters(embedding, recorder=Recorder(embedding)).get_lines()
    } == {"-"}


@pytest.mark.dev
@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (3, {}, TypeError, "plot_parameters expects a Module, got int 3"),
        (Module(), {}, ValueError, "plot_parameters expects a model with parameters, and <"),
        ("net", {"grads": True}, ValueError, "plot_parameters: a recorder has no gradients, only parameters"),
        ("net", {"recorder": 3}, TypeError, "plot_parameters expects a Recorder, got int 3"),
        (Words(), {}, ValueError, "plot_parameters expects a recorder of this model, with 8 parameters, got 9"),
    ],
)
def test_what_it_refuses(model, options, error, message, run):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        draw.plot_parameters(run[0] if model == "net" else model, **{"recorder": run[1], **options})
