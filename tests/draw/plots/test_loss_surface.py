"""The loss over a plane through the parameters."""

import math
import re
from itertools import pairwise

import pytest

from microgrid import draw
from microgrid.draw.plots.loss_surface import coordinates, directions_of_path, length, random_direction
from microgrid.engine.numbers import random_source
from microgrid.losses import mse_loss
from microgrid.nn import MLP, Neuron
from microgrid.optim import SGD
from microgrid.training import Recorder, fit

LINE = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]


def neuron(w=2.0, b=1.0):
    """Return a line of this slope and height."""
    line = Neuron(1, nonlin=False, init="zeros")
    line.w[0].data, line.b.data = w, b
    return line


def surface(ax):
    """Return the levels and colours of the surface."""
    return next(one for one in ax.collections if one.get_array() is not None and len(one.levels) > 2)


@pytest.fixture
def computed(monkeypatch):
    """Return a list that gets what is drawn: the grid and its losses."""
    from microgrid.draw.plots import loss_surface

    seen, genuine = [], loss_surface.draw_surface
    monkeypatch.setattr(loss_surface, "draw_surface", lambda ax, *found: (seen.append(found), genuine(ax, *found)))
    return seen


@pytest.mark.dev
@pytest.mark.parametrize("compile", [True, False])
def test_the_losses_are_those_of_the_plane(compile, computed):
    line = neuron(1.5, 0.5)
    directions = [1.0, 0.0], [0.0, 2.0]
    ax = draw.plot_loss_surface(
        line, LINE, loss=mse_loss, directions=directions, reach=0.5, resolution=3, compile=compile
    )
    ((xs, ys, found),) = computed
    assert xs == ys == [-0.5, 0.0, 0.5]

    def loss(w, b):
        return math.fsum((w * x + b - y) ** 2 for (x,), y in zip(*LINE, strict=True)) / 3

    assert found == [[pytest.approx(loss(1.5 + x, 0.5 + 2 * y), rel=1e-14) for x in xs] for y in ys]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 0.5), (-0.5, 0.5))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first direction", "second direction")
    assert ax.figure.axes[1].get_ylabel() == "loss"


@pytest.mark.dev
@pytest.mark.parametrize(("reach", "scale"), [(0.1, "linear"), (10.0, "log")])
def test_levels_are_logarithmic_where_losses_differ_much(reach, scale):
    ax = draw.plot_loss_surface(
        neuron(0.0, 0.0), LINE, loss=mse_loss, reach=reach, resolution=8, rng=3, directions=([1, 0], [0, 1])
    )
    levels = surface(ax).levels
    steps = [b - a for a, b in pairwise(levels)]
    ratios = [b / a for a, b in pairwise(levels)]
    assert len(levels) == 14
    even = steps if scale == "linear" else ratios
    assert max(even) / min(even) == pytest.approx(1, rel=1e-9)


@pytest.mark.dev
def test_without_more_it_reaches_one_step_of_random_directions(computed):
    ax = draw.plot_loss_surface(neuron(), LINE, loss=mse_loss, resolution=3, rng=1)
    ((xs, ys, found),) = computed
    assert xs == ys == [-1.0, 0.0, 1.0]
    assert found[1][1] == 0.0 and min(*found[0], *found[2]) > 0
    assert ax.get_xlabel() == "first random direction"
    draw.plot_loss_surface(neuron(), LINE, loss=mse_loss, resolution=3, rng=1)
    assert computed[0] == computed[1]
    draw.plot_loss_surface(neuron(), LINE, loss=mse_loss, resolution=3, rng=2)
    assert computed[0] != computed[2]


@pytest.fixture
def run():
    line = neuron(0.0, 0.0)
    recorder = Recorder(line)
    fit(line, LINE, loss=mse_loss, optimizer=SGD(line.parameters(), lr=0.1), epochs=20, callbacks=[recorder])
    return line, recorder


@pytest.mark.dev
def test_the_path_lies_where_its_losses_are(run, computed):
    """There are two parameters, so that the plane holds all of the path."""
    line, recorder = run
    ax = draw.plot_loss_surface(line, LINE, loss=mse_loss, recorder=recorder, resolution=2)
    _, path, start, star = ax.get_lines()
    xs, ys = path.get_data()
    assert (xs[-1], ys[-1]) == (0.0, 0.0) == tuple(float(part[0]) for part in star.get_data())
    assert (xs[0], ys[0]) == tuple(float(part[0]) for part in start.get_data())
    distances = [math.dist(numbers, recorder.parameters[-1]) for numbers in recorder.parameters]
    assert [math.hypot(x, y) for x, y in zip(xs, ys, strict=True)] == pytest.approx(distances, rel=1e-12, abs=1e-15)
    left, right = ax.get_xlim()
    low, high = ax.get_ylim()
    assert all(left < x < right and low < y < high for x, y in zip(xs, ys, strict=True))
    assert ax.get_xlabel() == "distance back along the training"
    draw.plot_loss_surface(line, LINE, loss=mse_loss, recorder=recorder, resolution=2, reach=9.0)
    assert computed[1][0] == computed[1][1] == [-9.0, 9.0]


@pytest.mark.dev
def test_a_recorder_that_has_seen_no_training():
    line = neuron()
    ax = draw.plot_loss_surface(line, LINE, loss=mse_loss, recorder=Recorder(line), resolution=3, rng=0)
    assert ax.get_xlabel() == "first random direction"


def test_directions_along_a_path():
    net = neuron()
    first, second = directions_of_path([[3.0, 4.0], [3.0, 0.0], [0.0, 0.0]], net, random_source(0))
    assert first == pytest.approx([0.6, 0.8])
    assert second == pytest.approx([0.8, -0.6])
    first, second = directions_of_path([[3.0, 4.0], [1.5, 2.0], [0.0, 0.0]], net, random_source(0))
    assert first == pytest.approx([0.6, 0.8])
    assert math.fsum(x * y for x, y in zip(first, second, strict=True)) == pytest.approx(0, abs=1e-15)
    assert length(second) == pytest.approx(1)


def test_the_nearest_point_of_the_plane():
    assert coordinates([1.0, 2.0, 3.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]) == (1.0, 2.0)
    x, y = coordinates([1.0, 2.0, 3.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0])
    rest = [1 - x, 2 - x - y, 3 - y]
    assert rest[0] + rest[1] == pytest.approx(0, abs=1e-15) == rest[1] + rest[2]


def test_random_directions_are_as_long_as_each_neuron():
    net = MLP(2, [3, 2], rng=1)
    net.layers[0].neurons[2].freeze()
    drawn = dict(zip(map(id, net.parameters()), random_direction(net, random_source(5)), strict=True))
    for neuron in (neuron for layer in net.layers for neuron in layer.neurons):
        step = length([drawn[id(leaf)] for leaf in neuron.parameters()])
        frozen = neuron is net.layers[0].neurons[2]
        assert step == pytest.approx(0.0 if frozen else length([leaf.data for leaf in neuron.parameters()]))
    assert random_direction(MLP(1, [1], init="zeros"), random_source(0)) == [0.0, 0.0]


@pytest.mark.dev
def test_losses_that_there_are_not_are_left_out(computed):
    def loss(prediction, target):
        return prediction.log() - target  # of what is below zero there is none

    draw.plot_loss_surface(
        neuron(0.0, 1.0), LINE, loss=loss, directions=([1, 0], [0, 1]), reach=2.0, resolution=5, compile=False
    )
    ((_, ys, found),) = computed
    assert all(math.isnan(row[2]) == (y <= -1) for y, row in zip(ys, found, strict=True))
    ax = draw.plot_loss_surface(neuron(), LINE, loss=lambda p, y: 0.0 * p + 1.0, resolution=2, rng=0)
    ax.figure.draw_without_rendering()


@pytest.mark.dev
def test_an_error_at_the_parameters_as_they_are_is_raised():
    with pytest.raises(ValueError, match=r"^log\(.*\): math domain error$"):
        draw.plot_loss_surface(neuron(0.0, -1.0), LINE, loss=lambda p, y: p.log(), rng=0, compile=False)


NET = neuron()


@pytest.mark.dev
@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (NET, {"loss": 3}, TypeError, "plot_loss_surface expects loss to be a function, got int 3"),
        (print, {}, TypeError, "plot_loss_surface expects a Module, got builtin_function_or_method <built-in function"),
        (
            NET,
            {"resolution": 1},
            ValueError,
            "plot_loss_surface expects resolution to be a whole number of at least 2, got 1",
        ),
        (NET, {"reach": 0}, ValueError, "plot_loss_surface expects reach to be a number above 0, got 0"),
        (NET, {"reach": math.inf}, ValueError, "plot_loss_surface expects reach to be a number above 0, got inf"),
        (
            NET,
            {"directions": ([1.0], [1.0, 2.0])},
            ValueError,
            "plot_loss_surface expects directions of 2 numbers, one for each parameter, got 1 and 2",
        ),
        (
            NET,
            {"directions": ([1.0, 2.0], [2.0, 4.0])},
            ValueError,
            "plot_loss_surface expects directions that span a plane, got two parallel ones",
        ),
        (
            NET,
            {"recorder": Recorder(MLP(1, [2]))},
            ValueError,
            "plot_loss_surface expects a recorder of this model, with 2 parameters, got 4",
        ),
        (
            NET,
            {"loss": lambda p, y: p * math.inf},
            ValueError,
            "plot_loss_surface: the loss is nan or inf all over the plane; try a smaller reach",
        ),
    ],
)
def test_what_it_refuses(model, options, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        draw.plot_loss_surface(model, LINE, **{"loss": mse_loss, "resolution": 2, "rng": 0, **options})
    assert (NET.w[0].data, NET.b.data) == (2.0, 1.0)


@pytest.mark.dev
@pytest.mark.parametrize("compile", [False, True])
@pytest.mark.parametrize("loss", [None, "a", [1.0]])
def test_a_loss_is_a_number(loss, compile):
    expected = f"plot_loss_surface expects the loss of a sample to be a number, got {type(loss).__name__} {loss!r}"
    with pytest.raises(TypeError) as caught:
        draw.plot_loss_surface(NET, ([[0.0]], [0.0]), loss=lambda *given: loss, compile=compile)
    assert str(caught.value) == expected
