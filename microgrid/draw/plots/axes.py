"""What the plots share: axes of matplotlib, which is an extra, and colours.

No state of `pyplot` is ever touched: a plot draws into the axes it is given, or into those of a figure of its own. The
colours are of the palette by Okabe and Ito, which the colour-blind can tell apart; those taken show on white and on
black. Classes have markers of different shapes besides.
"""

from __future__ import annotations

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
        plot: the name of the function that asks.
        ax: what it was given.
        width, height: of the new figure, in inches.
        instead: what draws the like without matplotlib.

    Raises:
        TypeError: if `ax` is something else than axes.
        ModuleNotFoundError: if matplotlib is not installed.
    """
    if ax is not None:
        if not hasattr(ax, "set_xlabel"):  # as the module pyplot has not
            raise TypeError(f"{plot} expects ax to be Axes of matplotlib, got {type(ax).__name__} {ax!r:.60}")
        return ax
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{plot} needs matplotlib: install microgrid with the extra plot (pip install '.[plot]')"
            + (f", or use {instead}, which needs nothing" if instead else "")
        ) from None
    return Figure(figsize=(width, height), layout="constrained").subplots()


def label_epochs(ax: Axes) -> None:
    """Make the horizontal axis one of epochs: whole numbers, unless somebody has chosen its ticks."""
    from matplotlib.ticker import AutoLocator

    ax.set_xlabel("epoch")
    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, AutoLocator):
        locator.set_params(integer=True, min_n_ticks=1)


def colour(number: int) -> str:
    """Return the colour of a class or a line."""
    return COLOURS[number % len(COLOURS)]


def scatter(ax: Axes, points: Iterable[tuple[float, float]], classes: Iterable[int]) -> None:
    """Draw points with the colours and markers of their classes, and a legend of these if there are several."""
    pairs = list(zip(points, classes, strict=True))
    found = sorted({number for _, number in pairs})
    for number in found:
        xs, ys = zip(*(point for point, one in pairs if one == number), strict=True)
        style: dict[str, Any] = {"color": colour(number), "marker": MARKERS[number % len(MARKERS)]}
        ax.scatter(xs, ys, s=36, edgecolors="white", linewidths=0.8, zorder=4, label=str(number), **style)
    if len(found) > 1:
        ax.legend(title="target", fontsize="small", title_fontsize="small", framealpha=0.85)
