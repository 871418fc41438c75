"""`Recorder`: the parameters of a model in the course of its training."""

from __future__ import annotations

from contextlib import contextmanager

from microgrid.engine import graph
from microgrid.engine.messages import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from microgrid.nn import Module


class Recorder:
    """A callback of `fit` that records the parameters of a model, at the beginning and after every epoch.

    Everything else about a past epoch follows from its parameters: hidden activations, decision boundaries, losses.
    `draw.plot_parameters`, `draw.plot_representation` and `draw.plot_loss_surface` take a recorder.

    Args:
        model: the model.
        every: record after every so many epochs.

    Attributes:
        epochs: the recorded epochs; the first is 0, when the recorder was made.
        parameters: for each of these epochs, the list of all parameters as numbers.

    Raises:
        TypeError: if `model` is not a `Module`.
        ValueError: if `every` is not a whole number of at least 1.

    In a training loop of your own, call `recorder()` after each epoch.

    >>> from microgrid.losses import mse_loss
    >>> from microgrid.nn import Neuron
    >>> from microgrid.optim import SGD
    >>> from microgrid.training import fit
    >>> line = Neuron(1, nonlin=False, init="zeros")
    >>> recorder = Recorder(line)
    >>> data, optimizer = ([[0.0], [1.0]], [1.0, 3.0]), SGD(line.parameters(), lr=0.5)
    >>> history = fit(line, data, loss=mse_loss, optimizer=optimizer, epochs=2, callbacks=[recorder])
    >>> recorder.epochs, recorder.parameters
    ([0, 1, 2], [[0.0, 0.0], [1.5, 2.0], [1.25, 1.25]])
    >>> with recorder.restored(1):
    ...     line([1.0]).data
    3.5
    """

    def __init__(self, model: Module, every: int = 1) -> None:
        if not hasattr(model, "parameters"):
            raise TypeError(f"Recorder expects a Module, got {type(model).__name__} {brief(model)}")
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"Recorder expects every to be a whole number of at least 1, got {brief(every)}")
        self.model, self.every = model, every
        self.epochs: list[int] = []
        self.parameters: list[list[float]] = []
        self._seen = 0
        self._record()

    def __call__(self, *epoch_and_history: object) -> None:
        """Count one more epoch, and record the parameters if it is due."""
        self._seen += 1
        if self._seen % self.every == 0:
            self._record()

    def _record(self) -> None:
        numbers = [parameter.data for parameter in self.model.parameters()]
        graph.assign((), (), graph.end(self.epochs, [self._seen]), graph.end(self.parameters, [numbers]))

    @contextmanager
    def restored(self, epoch: int) -> Iterator[None]:
        """Give the model its parameters after `epoch` within a `with` block; the current ones are restored at its end.

        Raises:
            ValueError: if they were not recorded, or the model has another count of parameters by now.
        """
        if epoch not in self.epochs:
            raise ValueError(f"the recorder has no parameters of epoch {brief(epoch)}, only of {known(self.epochs)}")
        numbers, parameters = self.parameters[self.epochs.index(epoch)], self.model.parameters()
        if len(numbers) != len(parameters):
            raise ValueError(f"the model had {len(numbers)} parameters in epoch {epoch}, but has {len(parameters)} now")
        with graph.data_restored(parameters):
            graph.assign(parameters, numbers)
            yield


def known(epochs: list[int]) -> str:
    """Return the epochs as text, in short if there are many.

    >>> known([0, 1]), known([0, 10, 20, 30])
    ('0, 1', '0, 10 … 30')
    """
    return ", ".join(map(str, epochs)) if len(epochs) < 4 else f"{epochs[0]}, {epochs[1]} … {epochs[-1]}"
