"""The losses and metrics of a training run over its epochs, as a figure and as text."""

from __future__ import annotations

import math

from microgrid.draw.plots import terminal
from microgrid.draw.plots.axes import axes_for, colour, label_epochs
from microgrid.engine.messages import brief, number
from microgrid.engine.numbers import is_number
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from matplotlib.axes import Axes

    from microgrid.training import History

    Run: TypeAlias = History | Sequence[float]

DECADES = 2.0  # losses that span more get a logarithmic axis
WIDEST = 60  # the largest count of bars


def curves_of(caller: str, history: Run | Mapping[str, Run]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the losses and the metrics in `history`, by name.

    Raises:
        TypeError: if it contains something else.
    """
    history = arrays.listed(caller, history)
    if hasattr(history, "items"):
        runs = {str(name): losses_of(caller, run) for name, run in history.items()}
        return runs, {}
    metrics = getattr(history, "metrics", {})
    shown = {name: found for name, found in metrics.items() if all(map(is_number, found))}
    return {"loss": losses_of(caller, history)}, shown


def losses_of(caller: str, run: Any) -> Sequence[float]:
    """Return the losses of one run.

    Raises:
        TypeError: if they are not numbers.
    """
    losses: Sequence[float] = arrays.listed(caller, getattr(run, "loss", run))
    if not hasattr(losses, "__len__") or not all(map(is_number, losses)):
        raise TypeError(f"{caller} expects a History, losses, or a dict of either, got {brief(run)}")
    return losses


def spans_decades(curves: Mapping[str, Sequence[float]]) -> bool:
    """Return whether the losses span too many decades for a linear axis."""
    numbers = [loss for losses in curves.values() for loss in losses if math.isfinite(loss)]
    return bool(numbers) and min(numbers) > 0 and math.log10(max(numbers)) - math.log10(min(numbers)) > DECADES


def plot_history(history: Run | Mapping[str, Run], ax: Axes | None = None, *, log: bool | None = None) -> Axes:
    """Draw the losses over the epochs, and the metrics on a second axis at the right; return the axes.

    Args:
        history: a `History`, as `fit` returns it, or a list of losses; a dict of either, by name, compares runs.
        ax: the axes to draw into; those of a new figure unless given.
        log: whether the axis of the losses is logarithmic; None to decide by whether they span two decades.

    Raises:
        ModuleNotFoundError: if no axes are given and matplotlib is missing.
        TypeError: if `history` contains something other than numbers.
    """
    losses, metrics = curves_of("plot_history", history)
    ax = axes_for("plot_history", ax, width=5.6, height=3.6, instead="draw.history_text")
    for index, (name, found) in enumerate(losses.items()):
        ax.plot(range(1, len(found) + 1), found, color=colour(index), label=name, **dots(found))
    ax.set(title="training", ylabel="loss")
    label_epochs(ax)
    if spans_decades(losses) if log is None else log:
        ax.set_yscale("log")
    top = ax
    if metrics:
        top = ax.twinx()
        top.set_ylabel(", ".join(metrics))
        for index, (name, found) in enumerate(metrics.items(), len(losses)):
            style = ("--", "-.", ":")[(index - 1) % 3]
            top.plot(range(1, len(found) + 1), found, style, color=colour(index), label=name, **dots(found))
    lines = [*ax.get_lines(), *(top.get_lines() if metrics else [])]
    if len(lines) > 1:
        top.legend(handles=lines, fontsize="small", framealpha=0.85, loc="center right")
    return ax


def dots(found: Sequence[float]) -> dict[str, Any]:
    """Return a style that marks numbers without a finite neighbour, which no line would show.

    >>> dots([3.0]), dots([3.0, 2.0, float("nan"), 1.0])
    ({'marker': 'o', 'markevery': [0]}, {'marker': 'o', 'markevery': [3]})
    """
    ends = [False, *map(math.isfinite, found), False]
    alone = [place for place in range(len(found)) if ends[place : place + 3] == [False, True, False]]
    return {"marker": "o", "markevery": alone} if alone else {}


def history_text(history: Run | Mapping[str, Run], *, width: int | None = None, log: bool | None = None) -> str:
    """Return the losses and metrics over the epochs as lines of bars, each followed by its first and last number.

    Args:
        history: as for `plot_history`.
        width: the count of columns; None for the width of the terminal.
        log: whether the bars of losses are logarithmic; None to decide by whether they span two decades.

    Raises:
        TypeError: if `history` contains something other than numbers.

    >>> print(history_text([9.0, 4.0, 1.0, 0.0]))
    loss  █▄▂▁  9 → 0, 4 epochs
    """
    losses, metrics = curves_of("history_text", history)
    logarithmic = spans_decades(losses) if log is None else log
    arrow, curves = terminal.shown("→", "->"), {**losses, **metrics}
    tails = {name: tail(found, arrow) for name, found in curves.items()}
    names = max(map(len, curves), default=0)
    room = (terminal.width() if width is None else width) - names - max(map(len, tails.values()), default=0) - 4
    lines = []
    for name, found in curves.items():
        heights = list(map(logarithm, found)) if logarithmic and name in losses else found
        bars = terminal.sparkline(heights, min(max(room, 5), WIDEST))
        lines.append(f"{name:{names}}  {bars}  {tails[name]}")
    return "\n".join(lines)


def tail(found: Sequence[float], arrow: str) -> str:
    """Return the text after the bars: the first and the last number, and the count of epochs."""
    return f"{number(found[0])} {arrow} {number(found[-1])}, {len(found)} epochs" if found else "0 epochs"


def logarithm(loss: float) -> float:
    """Return the decimal logarithm of a loss; nan if it is not positive."""
    return math.log10(loss) if loss > 0 else math.nan
