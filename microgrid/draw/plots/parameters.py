"""The parameters of a model, or their gradients, as a table; or the parameters over a training run, as lines."""

from __future__ import annotations

import math
from itertools import pairwise

from microgrid.draw.plots.axes import BLUE, ORANGE, axes_for, colour, label_epochs
from microgrid.engine import graph
from microgrid.engine.messages import brief, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from microgrid.engine.value import Value
    from microgrid.nn import Module
    from microgrid.training import Recorder

    Row = list[tuple[str, Value]]

WIDE, HIGH = 0.36, 0.15  # the room that a number takes, in inches
GAP = 0.3  # between layers, in rows
MANY = 40  # with so many lines they are drawn paler


def rows_of(model: Module) -> dict[str, Row]:
    """Return the parameters in rows, one for each neuron (its bias before its weights) or other list.

    Within its row, a parameter is named by the rest of its path.

    >>> from microgrid.nn import MLP
    >>> {row: [name for name, _ in cells] for row, cells in rows_of(MLP(2, [1])).items()}
    {'layers.0.neurons.0': ['b', 'w.0', 'w.1']}
    """
    paths = [(path.split("."), parameter) for path, parameter in model.named_parameters()]
    lists: dict[str, set[str]] = {}  # the paths of the lists in each module
    for parts, _ in paths:
        if is_element(parts[-1]):
            lists.setdefault(".".join(parts[:-2]), set()).add(".".join(parts[:-1]))
    rows: dict[str, Row] = {}
    for parts, parameter in paths:
        alone = is_element(parts[-1]) and len(lists[".".join(parts[:-2])]) == 1
        own = 2 if alone and not is_element(parts[-2]) else 1
        rows.setdefault(".".join(parts[:-own]), []).append((".".join(parts[-own:]), parameter))
    return {row: sorted(cells, key=lambda cell: is_element(cell[0])) for row, cells in rows.items()}


def is_element(path: str) -> bool:
    """Return whether `path` leads to an element of a list, such as a weight; a bias is not one."""
    return path.rpartition(".")[2].isdigit()


def layer_of(row: str) -> str:
    """Return the layer that a row belongs to.

    >>> [layer_of(row) for row in ("layers.0.neurons.3", "weight.12", "output.neurons.1", "")]
    ['layers.0', 'weight', 'output', '']
    """
    parts = row.split(".")
    return ".".join(parts[: 2 if len(parts) > 2 and parts[1].isdigit() else 1])


def check_model(caller: str, model: Any) -> None:
    """Check that `model` has parameters.

    Raises:
        TypeError: if it is not a `Module`.
        ValueError: if it has none.
    """
    if not hasattr(model, "named_parameters"):
        raise TypeError(f"{caller} expects a Module, got {type(model).__name__} {brief(model)}")
    if not model.parameters():
        raise ValueError(f"{caller} expects a model with parameters, and {brief(model)} has none")


def check_is_recorder(caller: str, recorder: Recorder) -> None:
    """Raise TypeError unless `recorder` is a `Recorder`."""
    if not hasattr(recorder, "restored"):
        raise TypeError(f"{caller} expects a Recorder, got {type(recorder).__name__} {brief(recorder)}")


def check_recorder(caller: str, recorder: Recorder, count: int) -> None:
    """Check that `recorder` recorded `count` parameters each time.

    Raises:
        TypeError: if it is not a `Recorder`.
        ValueError: if it has another count of parameters.
    """
    check_is_recorder(caller, recorder)
    for numbers in recorder.parameters:
        if len(numbers) != count:
            given = len(numbers)
            raise ValueError(f"{caller} expects a recorder of this model, with {count} parameters, got {given}")


def plot_parameters(
    model: Module, ax: Axes | None = None, *, recorder: Recorder | None = None, grads: bool = False
) -> Axes:
    """Draw the parameters of a model; return the axes.

    Without a recorder, the current parameters are a table of colours: a row for each neuron, the bias before the
    weights, orange if positive, blue if negative, with the numbers on top if there is room. With a recorder, they are
    lines over the epochs, one colour per layer; biases are dashed.

    Args:
        model: the model.
        ax: the axes to draw into; those of a new figure unless given.
        recorder: the `Recorder` of a training run.
        grads: whether to draw the current gradients instead of the parameters.

    Raises:
        ModuleNotFoundError: if no axes are given and matplotlib is missing.
        TypeError, ValueError: if an argument does not fit.
    """
    check_model("plot_parameters", model)
    if recorder is None:
        return draw_table(model, ax, grads)
    if grads:
        raise ValueError("plot_parameters: a recorder has no gradients, only parameters")
    return draw_lines(model, ax, recorder)


def draw_table(model: Module, ax: Axes | None, grads: bool) -> Axes:
    """Draw the current parameters or gradients as a table."""
    rows = rows_of(model)
    columns, tops = max(map(len, rows.values())), tops_of(list(rows))
    ax = axes_for("plot_parameters", ax, width=2.4 + 0.55 * min(columns, 16), height=1.0 + 0.3 * min(tops[-1], 24))
    found = [[drawn_number(parameter, grads) for _, parameter in cells] for cells in rows.values()]
    largest = max((abs(one) for row in found for one in row if math.isfinite(one)), default=0.0) or 1.0
    colours, name = signed_colours(), "gradient" if grads else "parameter"
    for top, row in zip(tops, found, strict=False):
        mesh = ax.pcolormesh(range(len(row) + 1), [top, top + 1], [row], cmap=colours, vmin=-largest, vmax=largest)
    ax.figure.colorbar(mesh, ax=ax, label=name)
    wide, high = ax.bbox.width / columns / ax.figure.dpi, ax.bbox.height / tops[-1] / ax.figure.dpi
    for top, row in zip(tops if wide > WIDE and high > HIGH else [], found, strict=False):
        for x, one in enumerate(row):
            ax.text(x + 0.5, top + 0.5, number(one, 2), ha="center", va="center", fontsize="small")
    names = [(top + 0.5, row) for top, row in zip(tops, rows, strict=False)]
    headings = [(place + 0.5, heading(rows.values(), place)) for place in range(columns)]
    ax.set_yticks(*zip(*names[:: math.ceil(HIGH / high)], strict=True), fontsize="small")
    ax.set_xticks(*zip(*headings[:: math.ceil(WIDE / wide)], strict=True), fontsize="small")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set(title=f"{name}s", xlim=(0, columns), ylim=(tops[-1], 0))
    return ax


def tops_of(rows: Sequence[str]) -> list[float]:
    """Return the top of each row, with a gap between layers, and the bottom of the last one.

    >>> tops_of(["layers.0.neurons.0", "layers.0.neurons.1", "layers.1.neurons.0"])
    [0.0, 1.0, 2.3, 3.3]
    """
    tops = [0.0]
    for row, other in pairwise(rows):
        tops.append(tops[-1] + 1 + (GAP if layer_of(row) != layer_of(other) else 0.0))
    return [*tops, tops[-1] + 1]


def drawn_number(parameter: Value, grads: bool) -> float:
    """Return a parameter or its gradient as a float; nan if it cannot be one."""
    try:
        return float(graph.plain_grad(parameter) if grads else parameter.data)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def heading(rows: Iterable[Row], column: int) -> str:
    """Return the heading of a column: the name that all its cells share, or else its index."""
    names = {row[column][0] for row in rows if len(row) > column}
    return names.pop() if len(names) == 1 else str(column)


def signed_colours() -> Any:
    """Return the colours from negative to positive numbers, transparent near zero."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    ends = [to_rgba(BLUE, 0.8), to_rgba(BLUE, 0.0), to_rgba(ORANGE, 0.0), to_rgba(ORANGE, 0.8)]
    return LinearSegmentedColormap.from_list("signed", list(zip([0.0, 0.5, 0.5, 1.0], ends, strict=True)))


def draw_lines(model: Module, ax: Axes | None, recorder: Recorder) -> Axes:
    """Draw the recorded parameters over the epochs."""
    cells = [(path, parameter) for path, parameter in model.named_parameters()]
    check_recorder("plot_parameters", recorder, len(cells))
    rows = rows_of(model)
    places = {id(parameter): row for row, items in rows.items() for _, parameter in items}
    biases = {id(parameter) for items in rows.values() for name, parameter in items if not is_element(name)}
    layers = list(dict.fromkeys(layer_of(row) for row in rows))
    ax = axes_for("plot_parameters", ax, width=5.6, height=3.6)
    alpha = 0.9 if len(cells) < MANY else 0.4
    labelled = set()
    for (_, parameter), path in zip(cells, zip(*recorder.parameters, strict=True), strict=True):
        layer = layer_of(places[id(parameter)])
        line, tint = "--" if id(parameter) in biases else "-", colour(layers.index(layer))
        label = layer if layer not in labelled and line == "-" else None
        labelled |= {label}
        ax.plot(recorder.epochs, path, line, linewidth=1.1, alpha=alpha, color=tint, label=label)
    ax.set(title="parameters", ylabel="parameter")
    label_epochs(ax)
    if len(layers) > 1:
        ax.legend(fontsize="small", framealpha=0.85)
    return ax
