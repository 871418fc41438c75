"""What the plots share: matplotlib axes (an extra) and colours.

The state of `pyplot` is never touched: a plot draws into the axes it is given, or into those of a new figure. The
colours come from the palette by Okabe and Ito, which colour-blind readers can tell apart; these six show on white and
on black. Classes also have markers of different shapes.
"""

from __future__ import annotations

from microgrid.engine.messages import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY)
MARKERS = "os^DvP"


def axes_for(plot: str, ax: Axes | None, *, width: float = 5.0, height: float = 4.0, instead: str = "") -> Axes:
    """Return `ax`, or the axes of a new figure.

    Args:
        plot: the name of the plot, for errors.
        ax: the axes that the plot was given, or None.
        width, height: the size of a new figure, in inches.
        instead: a similar function that works without matplotlib, to recommend.

    Raises:
        TypeError: if `ax` is given and not axes.
        ModuleNotFoundError: if matplotlib is not installed.
    """
    if ax is not None:
        if not hasattr(ax, "set_xlabel"):  # for instance pyplot, a frequent mistake
            raise TypeError(f"{plot} expects ax to be matplotlib Axes, got {type(ax).__name__} {brief(ax)}")
        return ax
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{plot} needs matplotlib: install microgrid with the extra plot (pip install '.[plot]')"
            + (f", or use {instead}, which does without" if instead else "")
        ) from None
    return Figure(figsize=(width, height), layout="constrained").subplots()


def label_epochs(ax: Axes) -> None:
    """Label the horizontal axis as epochs, with ticks at integers unless the user has chosen others."""
    from matplotlib.ticker import AutoLocator

    ax.set_xlabel("epoch")
    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, AutoLocator):
        locator.set_params(integer=True, min_n_ticks=1)


def colour(index: int) -> str:
    """Return the colour of the class or the line at `index`."""
    return COLOURS[index % len(COLOURS)]


def scatter(ax: Axes, points: Iterable[tuple[float, float]], classes: Iterable[int]) -> None:
    """Draw points in the colours and markers of their classes, with a legend if there are several classes."""
    pairs = list(zip(points, classes, strict=True))
    found = sorted({index for _, index in pairs})
    for index in found:
        xs, ys = zip(*(point for point, one in pairs if one == index), strict=True)
        style: dict[str, Any] = {"color": colour(index), "marker": MARKERS[index % len(MARKERS)]}
        ax.scatter(xs, ys, s=36, edgecolors="white", linewidths=0.8, zorder=4, label=str(index), **style)
    if len(found) > 1:
        ax.legend(title="target", fontsize="small", title_fontsize="small", framealpha=0.85)
