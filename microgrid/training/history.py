"""What a training run was like."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class History:
    """The losses and metrics of a training run, epoch by epoch.

    Attributes:
        loss: the mean loss of each epoch, as it was while the model learned.
        metrics: for each metric the list of its values after each epoch.
        seconds: how long the run took.
        interrupted: whether Ctrl-C ended it.
    """

    def __init__(self, metrics: tuple[str, ...] = ()) -> None:
        self.loss: list[float] = []
        self.metrics: dict[str, list[Any]] = {name: [] for name in metrics}
        self.seconds = 0.0
        self.interrupted = False

    def last(self) -> str:
        """Return the loss and metrics of the last epoch as text.

        >>> history = History(("accuracy",))
        >>> history.loss.append(0.25)
        >>> history.metrics["accuracy"].append(1.0)
        >>> history.last()
        'loss 0.25, accuracy 1'
        """
        values = {"loss": self.loss, **self.metrics}
        return ", ".join(f"{name} {found[-1]:.4g}" for name, found in values.items() if found)

    def __repr__(self) -> str:
        return f"<History of {len(self.loss)} epochs{', ' * bool(self.loss)}{self.last()}>"
