"""The hidden representation of the data, and how it moved in training, as a figure."""

from __future__ import annotations

from contextlib import nullcontext

from microgrid.draw.plots.axes import axes_for, colour, scatter
from microgrid.draw.plots.decision_boundary import draw_regions
from microgrid.draw.plots.fields import Field, checked_limits, class_of, evenly, limits, scores_of
from microgrid.draw.plots.parameters import check_is_recorder
from microgrid.engine.messages import brief
from microgrid.training.samples import checked_samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from matplotlib.axes import Axes

    from microgrid.draw.plots.fields import Limits, Model, Point
    from microgrid.training import Recorder

RESOLUTION = 60


def plot_representation(
    hidden: Model,
    data: tuple[Sequence[Any], Sequence[Any]],
    ax: Axes | None = None,
    *,
    units: tuple[int, int] = (0, 1),
    recorder: Recorder | None = None,
    epoch: int | None = None,
    readout: Model | None = None,
    threshold: float = 0.5,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
) -> Axes:
    """Draw the activations of two hidden units for the samples; return the axes.

    With a recorder, a line shows the path of each sample from before the training (a small circle).

    Args:
        hidden: a function from an input to activations, such as `net.layers[0]`.
        data: the inputs and the targets, as for `fit`.
        ax: the axes to draw into; those of a new figure unless given.
        units: the indices of the two units.
        recorder: the `Recorder` of the training run.
        epoch: the epoch to show, one of `recorder.epochs`; with a recorder the last one unless given.
        readout: a function from the activations to the output of the network, such as `net.layers[1]`: its regions are
            drawn, which needs exactly two activations.
        threshold: as for `plot_decision_boundary`.
        xlim, ylim: the limits of the activations; chosen to show all samples unless given.

    Raises:
        ModuleNotFoundError: if no axes are given and matplotlib is missing.
        TypeError, ValueError: if an argument does not fit.
    """
    ax = axes_for("plot_representation", ax)
    samples = checked_samples("plot_representation", data)
    if recorder is not None:
        check_is_recorder("plot_representation", recorder)
        check_of_model(recorder, hidden)
        epoch = recorder.epochs[-1] if epoch is None else epoch
    film = film_of(hidden, [x for x, _ in samples], units, recorder, epoch)
    columns = zip(*(place for places in film for place in places), strict=True)
    wide, high = (limits(column) for column in columns)
    xlim = wide if xlim is None else checked_limits("plot_representation", "xlim", xlim)
    ylim = high if ylim is None else checked_limits("plot_representation", "ylim", ylim)
    if readout is not None:
        with moment(recorder, epoch):
            check_two(scores_of("plot_representation", hidden, [samples[0][0]])[0], units)
            draw_readout(ax, readout, film[-1], units, threshold, xlim, ylim)
    classes = [class_of(target) for _, target in samples]
    if len(film) > 1:
        for path, index in zip(zip(*film, strict=True), classes, strict=True):
            draw_path(ax, path, colour(index))
    scatter(ax, film[-1], classes)
    title = "hidden space" if epoch is None else f"hidden space, epoch {epoch}"
    ax.set(title=title, xlabel=f"unit {units[0]}", ylabel=f"unit {units[1]}", xlim=xlim, ylim=ylim)
    return ax


def check_of_model(recorder: Recorder, hidden: Model) -> None:
    """Check that `recorder` belongs to the model of `hidden`, if that is a `Module`.

    Raises:
        ValueError: if it has other parameters.
    """
    parameters = set(hidden.parameters()) if hasattr(hidden, "parameters") else set()
    if parameters and parameters.isdisjoint(recorder.model.parameters()):
        raise ValueError("plot_representation expects a recorder of the model of hidden, got one of another model")


def moment(recorder: Recorder | None, epoch: int | None) -> AbstractContextManager[None]:
    """Return a context manager in which the model has its parameters after `epoch`; the current ones for None.

    Raises:
        ValueError: if there is an epoch, but no recorder.
    """
    if recorder is None and epoch is not None:
        raise ValueError(f"plot_representation expects a recorder, to restore the parameters of epoch {brief(epoch)}")
    return nullcontext() if recorder is None or epoch is None else recorder.restored(epoch)


def film_of(
    hidden: Model, inputs: Sequence[Any], units: tuple[int, int], recorder: Recorder | None, epoch: int | None
) -> list[list[Point]]:
    """Return the activations for each input at all recorded epochs up to `epoch`, which comes last."""
    earlier = [] if recorder is None or epoch is None else [one for one in recorder.epochs if one < epoch]
    film = []
    for one in (*earlier, epoch):
        with moment(recorder, one):
            film.append(places(hidden, inputs, units))
    return film


def places(hidden: Model, inputs: Sequence[Any], units: tuple[int, int]) -> list[Point]:
    """Return the activations of the two units for each input.

    Raises:
        TypeError: if `units` are not two whole numbers.
        ValueError: if there is no unit at one of these indices.
    """
    if not (isinstance(units, tuple | list) and len(units) == 2 and all(isinstance(unit, int) for unit in units)):
        raise TypeError(f"plot_representation expects units to be two whole numbers, got {brief(units)}")
    first, second = units
    found = scores_of("plot_representation", hidden, inputs)
    count = min(map(len, found))
    if not (0 <= first < count and 0 <= second < count):
        raise ValueError(f"plot_representation expects hidden to have units {first} and {second}, but it has {count}")
    return [(activations[first], activations[second]) for activations in found]


def check_two(activations: Sequence[float], units: tuple[int, int]) -> None:
    """Check that a readout can be drawn: there are two activations, and both are drawn.

    Raises:
        ValueError: otherwise.
    """
    if len(activations) != 2:
        count = len(activations)
        raise ValueError(f"plot_representation draws a readout over two hidden units, but there are {count}")
    if units[0] == units[1]:
        raise ValueError(f"plot_representation draws a readout over two different units, got {units}")


def draw_path(ax: Axes, path: Sequence[Point], tint: str) -> None:
    """Draw the path of a sample, with a small circle at its start."""
    xs, ys = zip(*path, strict=True)
    ax.plot(xs, ys, color="white", linewidth=2.6, alpha=0.5, zorder=2)
    ax.plot(xs, ys, color=tint, linewidth=1.2, zorder=2)
    ax.plot(xs[:1], ys[:1], "o", color=tint, markersize=4, fillstyle="none", zorder=3)


def draw_readout(
    ax: Axes, readout: Model, now: Sequence[Point], units: tuple[int, int], threshold: float, xlim: Limits, ylim: Limits
) -> None:
    """Draw the regions of `readout` over the plane of two hidden units."""

    def by_units(place: Sequence[float]) -> Any:
        return readout([place[units.index(unit)] for unit in (0, 1)])

    xs, ys = evenly(xlim, RESOLUTION), evenly(ylim, RESOLUTION)
    draw_regions(ax, Field("plot_representation", by_units, xs, ys, threshold, now))
