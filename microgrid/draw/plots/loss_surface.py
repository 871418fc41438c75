"""The loss over a plane through the parameters of a model, as a figure.

A loss depends on all parameters, and a figure has two dimensions: what it shows depends on the choice of directions.
Random directions are scaled neuron by neuron, so that a step of 1 changes each neuron by as much as its own length: the
filter normalisation of Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018 (arXiv:1712.09913). The path of
a training run is nearly orthogonal to random directions; with a recorder, the plane is chosen along the path.
"""

from __future__ import annotations

import math

from microgrid.compiler.jit import jit
from microgrid.draw.plots.axes import axes_for
from microgrid.draw.plots.fields import check_count, evenly, limits
from microgrid.draw.plots.parameters import check_model, check_recorder, rows_of
from microgrid.engine import graph
from microgrid.engine.messages import brief
from microgrid.engine.modes import no_grad
from microgrid.engine.numbers import MATH_ERRORS, is_node, is_number, plain_float, random_source
from microgrid.nn import Frozen
from microgrid.training.samples import checked_samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from microgrid.draw.plots.fields import Limits, Model, Point
    from microgrid.engine.value import Value
    from microgrid.nn import Module
    from microgrid.training import Recorder
    from microgrid.training.samples import Samples

    Vector = Sequence[float]

LEVELS = 14
LOGARITHMIC = 30.0  # if largest / smallest loss is above this, levels are spaced logarithmically
STRAIGHT = 1e-6  # a path that leaves a line by less than this times its length counts as straight


def plot_loss_surface(
    model: Any,
    data: tuple[Sequence[Any], Sequence[Any]],
    ax: Axes | None = None,
    *,
    loss: Callable[[Any, Any], Any],
    recorder: Recorder | None = None,
    directions: tuple[Vector, Vector] | None = None,
    reach: float | None = None,
    resolution: int = 25,
    rng: random.Random | int | None = None,
    compile: bool = True,
) -> Axes:
    """Draw the mean loss of the samples along two directions from the current parameters; return the axes.

    With a recorder, the path of the training is drawn too, projected onto the plane. Unless directions are given, the
    first one points from the current parameters to the farthest point of the path, the second to the point farthest
    from that line; both have length 1. Without a recorder two directions are drawn at random, in which a step of 1 is
    as long as the parameters of each neuron.

    Args:
        model: a `Module` that takes an input and returns a prediction.
        data: the inputs and the targets, as for `fit`.
        ax: the axes to draw into; those of a new figure unless given.
        loss: a function of a prediction and the target of one sample, as for `fit`.
        recorder: the `Recorder` of the training run.
        directions: two lists of numbers, with one number for each parameter.
        reach: the extent of the plane in both directions; unless given 1, or with a recorder that of the path.
        resolution: the count of points in each row and each column.
        rng: the source of random directions: None (the module `random`), a seed, or a `random.Random`.
        compile: whether to compile the loss; as for `fit`, it has to be pure then.

    Raises:
        ModuleNotFoundError: if no axes are given and matplotlib is missing.
        TypeError, ValueError: if an argument does not fit.
    """
    ax = axes_for("plot_loss_surface", ax, width=5.6)
    samples = checked_samples("plot_loss_surface", data)
    check_model("plot_loss_surface", model)
    if not callable(loss):
        raise TypeError(f"plot_loss_surface expects loss to be a function, got {type(loss).__name__} {brief(loss)}")
    check_count("plot_loss_surface", "resolution", resolution, 2)
    if reach is not None and not (math.isfinite(reach) and reach > 0):
        raise ValueError(f"plot_loss_surface expects reach to be a number above 0, got {brief(reach)}")
    leaves = model.parameters()
    measure = mean_loss(model, samples, loss, compile)
    steps = steps_of(recorder, leaves)
    names, plane = directed(model, steps, directions, random_source(rng))
    path = [coordinates(step, *plane) for step in steps]
    xs, ys = (evenly(ends, resolution) for ends in extent(path, reach))
    draw_surface(ax, xs, ys, losses_over(measure, leaves, plane, xs, ys))
    if path:
        draw_path(ax, path)
    ax.plot(0.0, 0.0, "*", color="white", markeredgecolor="black", markersize=12)
    ax.set(title="loss surface", xlabel=names[0], ylabel=names[1], xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    return ax


def steps_of(recorder: Recorder | None, leaves: Sequence[Value]) -> list[Vector]:
    """Return the path of the training, relative to the current parameters.

    Raises:
        ValueError: if the recorder has another count of parameters.
    """
    if recorder is None:
        return []
    check_recorder("plot_loss_surface", recorder, len(leaves))
    return [[now - leaf.data for now, leaf in zip(numbers, leaves, strict=True)] for numbers in recorder.parameters]


def directed(
    model: Module, steps: Sequence[Vector], directions: Any, source: random.Random
) -> tuple[tuple[str, str], tuple[Vector, Vector]]:
    """Return the names of the axes, and the two directions of the plane."""
    if directions is not None:
        return ("first direction", "second direction"), checked_directions(directions, len(model.parameters()))
    if any(map(length, steps)):
        return ("distance back along the training", "distance aside from it"), directions_of_path(steps, model, source)
    first, second = random_direction(model, source), random_direction(model, source)
    return ("first random direction", "second random direction"), (first, second)


def checked_directions(directions: Any, count: int) -> tuple[Vector, Vector]:
    """Return two directions.

    Raises:
        ValueError: if they do not have one number for each parameter, or are parallel.
    """
    first, second = ([float(number) for number in direction] for direction in directions)
    if len(first) != count or len(second) != count:
        counts = f"{len(first)} and {len(second)}"
        raise ValueError(
            f"plot_loss_surface expects directions of {count} numbers, one for each parameter, got {counts}"
        )
    if not length(orthogonal(second, first)) > STRAIGHT * length(second):
        raise ValueError("plot_loss_surface expects directions that span a plane, got two parallel ones")
    return first, second


def length(vector: Vector) -> float:
    """Return the Euclidean length."""
    return math.hypot(*vector)


def orthogonal(vector: Vector, direction: Vector) -> Vector:
    """Return the component of `vector` that is orthogonal to `direction`."""
    square = math.fsum(x * x for x in direction) or 1.0
    share = math.fsum(x * y for x, y in zip(vector, direction, strict=True)) / square
    return [x - share * y for x, y in zip(vector, direction, strict=True)]


def unit(vector: Vector) -> Vector:
    """Return `vector` scaled to length 1."""
    size = length(vector)
    return [x / size for x in vector]


def directions_of_path(steps: Sequence[Vector], model: Module, source: random.Random) -> tuple[Vector, Vector]:
    """Return the direction to the farthest step, and orthogonal to it the one to the step farthest from that line.

    For a straight path, the second direction is random.
    """
    farthest = max(steps, key=length)
    first = unit(farthest)
    beside = max((orthogonal(step, first) for step in steps), key=length)
    if length(beside) <= STRAIGHT * length(farthest):
        beside = orthogonal(random_direction(model, source), first)
    return first, unit(beside)


def random_direction(model: Module, source: random.Random) -> Vector:
    """Return normally distributed numbers, scaled for each neuron to the length of its parameters; zero if frozen."""
    drawn: dict[int, float] = {}
    for cells in rows_of(model).values():
        leaves = [leaf for _, leaf in cells if not isinstance(leaf, Frozen)]
        numbers = [source.normalvariate(0.0, 1.0) for _ in leaves]
        scale = length([leaf.data for leaf in leaves]) / (length(numbers) or 1.0)
        drawn |= {id(leaf): number * scale for leaf, number in zip(leaves, numbers, strict=True)}
    return [drawn.get(id(leaf), 0.0) for leaf in model.parameters()]


def coordinates(step: Vector, first: Vector, second: Vector) -> Point:
    """Return the point of the plane nearest to `step`, as coefficients of the two directions.

    >>> coordinates([5.0, 3.0, 7.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0])
    (2.0, 3.0)
    """
    upright = orthogonal(second, first)
    square = math.fsum(x * x for x in upright)
    high = math.fsum(x * y for x, y in zip(step, upright, strict=True)) / square
    rest = [x - high * y for x, y in zip(step, second, strict=True)]
    square = math.fsum(x * x for x in first)
    return math.fsum(x * y for x, y in zip(rest, first, strict=True)) / square, high


def extent(path: Sequence[Point], reach: float | None) -> list[Limits]:
    """Return the limits of the plane in both directions: by `reach` if given, else by the path, else from -1 to 1.

    >>> extent([(0.0, 1.0), (10.0, 3.0)], None), extent([], 2.0)
    ([(-2.0, 12.0), (0.6, 3.4)], [(-2.0, 2.0), (-2.0, 2.0)])
    """
    if path and reach is None:
        return [limits(column) for column in zip(*path, strict=True)]
    far = 1.0 if reach is None else reach
    return [(-far, far)] * 2


def mean_loss(model: Model, samples: Samples, loss: Callable[[Any, Any], Any], compile: bool) -> Callable[[], float]:
    """Return a function that returns the mean loss of the samples at the current parameters.

    Raises:
        TypeError: when that is called, if a loss is not a number.
    """

    def loss_of(x: Any, y: Any) -> Any:
        return loss(model(x), y)

    measure = jit(loss_of) if compile else loss_of

    def number(found: Any) -> float:
        if not (is_node(found) or is_number(found)):
            got = f"got {type(found).__name__} {brief(found)}"
            raise TypeError(f"plot_loss_surface expects the loss of a sample to be a number, {got}")
        return plain_float(found)

    return lambda: math.fsum(number(measure(x, y)) for x, y in samples) / len(samples)


def losses_over(
    measure: Callable[[], float], leaves: Sequence[Value], plane: tuple[Vector, Vector], xs: Vector, ys: Vector
) -> list[list[float]]:
    """Return the loss for each of `ys` at each of `xs`, nan if it is not finite; the leaves are restored.

    Raises:
        Exception: whatever the loss raises at the current parameters.
    """
    centre = [leaf.data for leaf in leaves]

    def at(x: float, y: float) -> float:
        graph.assign(leaves, [c + x * a + y * b for c, a, b in zip(centre, *plane, strict=True)])
        try:
            found = measure()
        except MATH_ERRORS:
            return math.nan
        return found if math.isfinite(found) else math.nan

    with no_grad(), graph.data_restored(leaves):
        measure()  # an error here is a mistake in the loss, not the edge of a domain
        return [[at(x, y) for x in xs] for y in ys]


def draw_path(ax: Axes, path: Sequence[Point]) -> None:
    """Draw the path of the training, with a small circle at its start."""
    xs, ys = zip(*path, strict=True)
    ax.plot(xs, ys, color="black", linewidth=3.0)
    ax.plot(xs, ys, color="white", linewidth=1.4)
    ax.plot(*path[0], "o", color="white", markeredgecolor="black", markersize=6)


def draw_surface(ax: Axes, xs: Vector, ys: Vector, surface: list[list[float]]) -> None:
    """Draw the losses as coloured levels, with a colour bar.

    Raises:
        ValueError: if no loss is finite.
    """
    from matplotlib.colors import LogNorm, Normalize
    from matplotlib.ticker import LogLocator, MaxNLocator

    found = [loss for row in surface for loss in row if math.isfinite(loss)]
    if not found:
        raise ValueError("plot_loss_surface: the loss is nan or inf all over the plane; try a smaller reach")
    low, high = min(found), max(found)
    if high == low:
        high = low + 1.0
    logarithmic = low > 0 and high / low > LOGARITHMIC
    levels = evenly((math.log(low), math.log(high)) if logarithmic else (low, high), LEVELS)
    levels = [low, *map(math.exp, levels[1:-1]), high] if logarithmic else levels
    norm = (LogNorm if logarithmic else Normalize)(low, high)
    filled = ax.contourf(xs, ys, surface, levels=levels, norm=norm, cmap="viridis")
    ax.contour(xs, ys, surface, levels=levels[1:-1], colors=["black"], linewidths=0.4, alpha=0.5)
    ticks = LogLocator(subs=(1.0, 2.0, 5.0)) if logarithmic else MaxNLocator(7)
    ax.figure.colorbar(filled, ax=ax, label="loss", format="%.2g", ticks=ticks).minorticks_off()
