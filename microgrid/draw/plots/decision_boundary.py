"""Decision boundaries of models with two inputs, as a figure and as text for a terminal."""

from __future__ import annotations

import math
from functools import partial

from microgrid.draw.plots import terminal
from microgrid.draw.plots.axes import axes_for, colour, scatter
from microgrid.draw.plots.fields import Field, check_count, checked_limits, class_of, evenly, limits
from microgrid.engine.messages import brief, number
from microgrid.engine.numbers import plain_float
from microgrid.training.samples import checked_samples
from microgrid.transforms import nests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from microgrid.draw.plots.fields import Limits, Model, Point

TINT, STEPS = 0.17, 4  # the opacity of each layer, and the count of layers far from the boundary
COLUMNS, LEVELS = 49, 5  # in text: cells per line, shades
CELL = 0.4  # about the width of a cell divided by its height


class Plane:
    """The samples with their classes, and the limits of the axes.

    Raises:
        TypeError, ValueError: naming `caller`, if `data` or the limits do not fit.
    """

    def __init__(self, caller: str, data: Any, xlim: Any, ylim: Any, ax: Axes | None = None) -> None:
        samples = () if data is None else checked_samples(caller, data)
        like = samples[0][0] if samples else []
        self.as_input = partial(nests.rebuilt, like) if hasattr(like, "tolist") else list
        self.points: list[Point] = [checked_point(caller, x) for x, _ in samples]
        self.classes = [class_of(target) for _, target in samples]
        columns = list(zip(*self.points, strict=True)) or [(), ()]
        found = [limits(column) for column in columns]
        if ax is not None and not self.points and ax.has_data():
            found = [ax.get_xlim(), ax.get_ylim()]
        self.xlim = found[0] if xlim is None else checked_limits(caller, "xlim", xlim)
        self.ylim = found[1] if ylim is None else checked_limits(caller, "ylim", ylim)


def checked_point(caller: str, x: Any) -> Point:
    """Return an input as two numbers.

    Raises:
        ValueError: if it is not two numbers.
    """
    try:
        first, second = map(plain_float, x)
    except (TypeError, ValueError):
        raise ValueError(f"{caller} expects inputs of two numbers, got {brief(x)}") from None
    return first, second


def plot_decision_boundary(
    model: Model,
    data: tuple[Sequence[Any], Sequence[Any]] | None = None,
    ax: Axes | None = None,
    *,
    threshold: float = 0.5,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    resolution: int = 60,
) -> Axes:
    """Draw the regions of the classes, and the samples; return the axes.

    The surer the model, the stronger the colour. Its margin counts: the distance of the output from the threshold, or
    of the largest score from the second largest. The largest margin of a sample has full colour, provided it is at
    least 1, or at least the threshold if that is not 0: a network that is not sure of anything yet is pale all over.

    Args:
        model: a function from two numbers to one, or to a score for each class; usually a `Module`.
        data: the inputs and the targets, as for `fit`; unless given, no samples are drawn.
        ax: the axes to draw into; those of a new figure unless given.
        threshold: the output between the two classes of a single output: 0.5 for probabilities, 0 for logits or hinge.
        xlim, ylim: the limits of the inputs; chosen to show all samples unless given.
        resolution: the count of points in each row and each column of the grid.

    Raises:
        ModuleNotFoundError: if no axes are given and matplotlib is missing.
        TypeError, ValueError: if an argument does not fit.
    """
    ax = axes_for("plot_decision_boundary", ax, instead="draw.decision_boundary_text")
    check_count("plot_decision_boundary", "resolution", resolution, 2)
    plane = Plane("plot_decision_boundary", data, xlim, ylim, ax)
    xs, ys = evenly(plane.xlim, resolution), evenly(plane.ylim, resolution)
    draw_regions(ax, Field("plot_decision_boundary", model, xs, ys, threshold, plane.points, plane.as_input))
    if plane.points:
        scatter(ax, plane.points, plane.classes)
    ax.set(title="decision boundary", xlabel="x[0]", ylabel="x[1]", xlim=plane.xlim, ylim=plane.ylim)
    return ax


def draw_regions(ax: Axes, field: Field) -> None:
    """Draw the regions of the classes in layers of opacity, and the lines between them."""
    for index, margin in enumerate(field.margins):
        found = [one for row in margin for one in row if math.isfinite(one)] or [0.0]
        starts = [step / STEPS * field.reach for step in range(STEPS)]
        for start in starts:  # layers on top of each other: side by side, the seams would show
            if max(found) > start:
                levels, tint = [start, math.inf], [colour(index)]
                ax.contourf(field.xs, field.ys, margin, levels=levels, colors=tint, alpha=TINT, zorder=0)
        if index and min(found) < 0 < max(found):
            ax.contour(field.xs, field.ys, margin, levels=[0.0], colors=["0.5"], linewidths=1.5, zorder=1)


def decision_boundary_text(
    model: Model,
    data: tuple[Sequence[Any], Sequence[Any]] | None = None,
    *,
    threshold: float = 0.5,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    width: int | None = None,
    height: int | None = None,
    color: bool | None = None,
) -> str:
    """Return the plane as lines of text, shaded from light (class 0) to dark (class 1), with the targets of the
    samples on it; with more classes, each has a shade.

    Args:
        model, data, threshold, xlim, ylim: as for `plot_decision_boundary`.
        width: the count of columns, including the frame; None for the width of the terminal, but at most 51.
        height: the count of lines within the frame; None for about equal scales on both axes.
        color: whether to use colours; None to use them if the terminal shows them and NO_COLOR is not set.

    Raises:
        TypeError, ValueError: if an argument does not fit.

    >>> print(decision_boundary_text(lambda x: x[0] + x[1], ([[0, 0], [1, 1]], [0, 1]), threshold=1, width=19))
    +-----------------+
    |▒▒▒▓▓▓▓██████████|
    |░▒▒▒▒▓▓▓▓▓████1██|
    |░░░░▒▒▒▒▓▓▓▓▓████|
    |  ░░░░▒▒▒▒▒▓▓▓▓██|
    |    ░░░░░▒▒▒▒▓▓▓▓|
    |  0    ░░░░░▒▒▒▒▓|
    |          ░░░░▒▒▒|
    +-----------------+
    0 [ ░▒▓█] 1; x[0] from -0.2 to 1.2, x[1] upwards from -0.2 to 1.2
    """
    caller = "decision_boundary_text"
    for name, count in (("width", width), ("height", height)):
        if count is not None:
            check_count(caller, name, count, 1)
    plane = Plane(caller, data, xlim, ylim)
    columns = max((min(terminal.width(), COLUMNS + 2) if width is None else width) - 2, 2)
    lines = max(round(CELL * columns) if height is None else height, 2)
    xs, ys = evenly(plane.xlim, columns), evenly(plane.ylim, lines)
    field, marks = Field(caller, model, xs, ys, threshold, plane.points, plane.as_input), {}
    for (x, y), index in zip(plane.points, plane.classes, strict=True):
        marks[nearest(xs, x), nearest(ys, y)] = str(index)
    colours = terminal.has_colours() if color is None else color
    frame = f"+{'-' * columns}+"
    drawn = [frame]
    for row in reversed(range(lines)):
        drawn.append(f"|{''.join(cell(field, column, row, marks, colours) for column in range(columns))}|")
    ends = [number(end) for end in (*plane.xlim, *plane.ylim)]
    caption = "x[0] from {} to {}, x[1] upwards from {} to {}".format(*ends)
    return "\n".join([*drawn, frame, f"{key(len(field.margins), colours)}; {caption}"])


def nearest(places: Sequence[float], x: float) -> int:
    """Return the index of the place nearest to `x`."""
    return min(range(len(places)), key=lambda index: abs(places[index] - x))


def cell(field: Field, column: int, row: int, marks: dict[tuple[int, int], str], colours: bool) -> str:
    """Return one cell of the picture: its mark, a shade, or `!` if the model returns nan."""
    found, mark = [margin[row][column] for margin in field.margins], marks.get((column, row), "")
    if any(map(math.isnan, found)):
        return mark or "!"
    if len(found) > 2:
        return shade(found.index(max(found)), terminal.DISTINCT, colours, mark)
    part = (1 + min(max(found[1] / field.reach, -1), 1)) / 2
    return shade(min(int(part * LEVELS), LEVELS - 1), terminal.BLUE_TO_ORANGE, colours, mark)


def shade(level: int, palette: Sequence[int], colours: bool, mark: str = "") -> str:
    """Return a cell of the shade or colour of `level`, or `mark` on it."""
    level %= LEVELS
    return terminal.painted(mark or " ", palette[level]) if colours else mark or terminal.shades()[level]


def key(classes: int, colours: bool) -> str:
    """Return the legend of the shades."""
    if classes == 2:
        return f"0 [{''.join(shade(level, terminal.BLUE_TO_ORANGE, colours) for level in range(LEVELS))}] 1"
    return " ".join(f"{index} [{shade(index, terminal.DISTINCT, colours)}]" for index in range(classes))
