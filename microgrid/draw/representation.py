"""Where a hidden layer puts the data, and how it moved them there in training, as a figure."""

from __future__ import annotations

from contextlib import nullcontext

from microgrid.draw.axes import axes_for, colour, scatter
from microgrid.draw.decision_boundary import draw_regions
from microgrid.draw.fields import Field, checked_limits, class_of, evenly, limits, scores_of
from microgrid.samples import checked_samples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from microgrid.draw.fields import Limits, Model, Point
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

    With a recorder, lines lead from where each sample was before the training (small circles) to where it is.

    Args:
        hidden: takes an input and returns activations: `net.layers[0]`, say, or a function that projects them.
        data: the inputs and the targets, as for `fit`.
        ax: where it is drawn; a figure of its own unless given.
        units: the numbers of the two units.
        recorder: took down the parameters of the network in the course of its training.
        epoch: shows what was then, one of `recorder.epochs`; with a recorder the last one unless given.
        readout: takes the activations and returns what the network says, `net.layers[1]`, say: its regions are drawn,
            if there are two activations. The threshold is as for `plot_decision_boundary`.
        xlim, ylim: from where to where the activations go; as the samples need, unless given.

    Raises:
        ModuleNotFoundError: if there are neither axes nor matplotlib.
        TypeError, ValueError: if an argument does not fit.
    """
    samples = checked_samples("plot_representation", data)
    if recorder is None and epoch is not None:
        raise ValueError(f"plot_representation expects a recorder, to know what was in epoch {epoch!r:.60}")
    inputs, classes = [x for x, _ in samples], [class_of(target) for _, target in samples]
    film: list[list[Point]] = []
    if recorder is not None:
        epoch = recorder.epochs[-1] if epoch is None else epoch
        for moment in (one for one in (*recorder.epochs, epoch) if one <= epoch):
            with recorder.restored(moment):
                film.append(places(hidden, inputs, units))
    with nullcontext() if recorder is None or epoch is None else recorder.restored(epoch):
        now = places(hidden, inputs, units)
        ends = [limits(column) for column in zip(*now, *(point for past in film for point in past), strict=True)]
        xlim = ends[0] if xlim is None else checked_limits("plot_representation", "xlim", xlim)
        ylim = ends[1] if ylim is None else checked_limits("plot_representation", "ylim", ylim)
        ax = axes_for("plot_representation", ax)
        if readout is not None:
            draw_readout(ax, readout, now, units, threshold, xlim, ylim)
    for path, number in zip(zip(*film, strict=True), classes, strict=bool(film)):
        xs, ys = zip(*path, strict=True)
        ax.plot(xs, ys, color="white", linewidth=2.6, alpha=0.5, zorder=2)
        ax.plot(xs, ys, color=colour(number), linewidth=1.2, zorder=2)
        ax.plot(xs[:1], ys[:1], "o", color=colour(number), markersize=4, fillstyle="none", zorder=3)
    scatter(ax, now, classes)
    title = "hidden space" if epoch is None else f"hidden space, epoch {epoch}"
    ax.set(title=title, xlabel=f"unit {units[0]}", ylabel=f"unit {units[1]}", xlim=xlim, ylim=ylim)
    return ax


def places(hidden: Model, inputs: Sequence[Any], units: tuple[int, int]) -> list[Point]:
    """Return the activations of the two units for each input.

    Raises:
        ValueError: if there are not so many units.
    """
    first, second = units
    found = scores_of(hidden, inputs)
    count = min(map(len, found))
    if not (0 <= first < count and 0 <= second < count):
        raise ValueError(
            f"plot_representation expects hidden to have the units {first} and {second}, and it has {count}"
        )
    return [(activations[first], activations[second]) for activations in found]


def draw_readout(
    ax: Axes, readout: Model, now: Sequence[Point], units: tuple[int, int], threshold: float, xlim: Limits, ylim: Limits
) -> None:
    """Draw the regions of what follows a hidden layer of two units."""

    def straight(place: list[float]) -> Any:
        return readout([place[units.index(unit)] for unit in (0, 1)])

    field = Field(straight, evenly(xlim, RESOLUTION), evenly(ylim, RESOLUTION), threshold, now)
    draw_regions(ax, field)
