"""`History`: the record of a training run."""

from __future__ import annotations

from microgrid.engine.graph import assign, end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


class History:
    """The losses and metrics of a training run, epoch by epoch.

    Attributes:
        loss: the mean loss of each epoch, each batch before its update.
        metrics: for each metric, the list of its values after each epoch.
        seconds: how long the run took.
        interrupted: whether Ctrl-C ended it.
    """

    def __init__(self, metrics: Iterable[str] = ()) -> None:
        self.loss: list[float] = []
        self.metrics: dict[str, list[Any]] = {name: [] for name in metrics}
        self.seconds = 0.0
        self.interrupted = False

    def add(self, losses: Iterable[float], metrics: Mapping[str, Any]) -> None:
        """Add the losses of epochs and the metrics after the last one, atomically: Ctrl-C leaves all or nothing."""
        assign((), (), end(self.loss, losses), *[end(self.metrics[name], [found]) for name, found in metrics.items()])

    def last(self) -> str:
        """Return the loss and metrics of the last epoch as text.

        >>> history = History(["accuracy"])
        >>> history.add([0.25], {"accuracy": 1.0})
        >>> history.last()
        'loss 0.25, accuracy 1'
        """
        values = {"loss": self.loss, **self.metrics}
        return ", ".join(f"{name} {shown(found[-1])}" for name, found in values.items() if found)

    def __repr__(self) -> str:
        return f"<History of {len(self.loss)} epochs{', ' * bool(self.loss)}{self.last()}>"


def shown(found: Any) -> str:
    """Return a metric as text, a number with four digits."""
    return f"{found:.4g}" if isinstance(found, float) else f"{found}"
