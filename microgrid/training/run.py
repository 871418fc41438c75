"""`Run`: the loop of `fit`, which shows a model its batches epoch after epoch."""

from __future__ import annotations

import math
import operator
import time
from itertools import chain, repeat

from microgrid.engine.modes import no_grad
from microgrid.engine.numbers import plain_float
from microgrid.training.history import History
from microgrid.training.progress import Progress
from microgrid.transforms import nests

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from microgrid.training.samples import Samples
    from microgrid.training.steps import Model, Steps

    Callback = Callable[[int, History], object]
    Metric = Callable[[list[Any], list[Any]], Any]
    Batches = tuple[Iterator[Sequence[int]], Sequence[int]]  # see `batches_of`


class Run:
    """One call of `fit`, once its arguments have been checked.

    Args:
        steps: takes the steps.
        data: as given to `fit`, to notice when a callback changes it.
        batches: the batches, and the sizes of those of one epoch.
        epochs: how often all samples are shown.
        metrics, callbacks, progress: as for `fit`.
    """

    def __init__(
        self,
        steps: Steps,
        data: Any,
        batches: Batches,
        epochs: int,
        metrics: Mapping[str, Metric],
        callbacks: Sequence[Callback],
        progress: bool | None,
    ) -> None:
        self.steps, self.data, self.epochs = steps, data, epochs
        self.order, self.sizes = batches
        self.metrics, self.callbacks = metrics, callbacks
        self.history, self.bar = History(metrics), Progress(progress, epochs, "fit")

    def train(self) -> History:
        """Train until all epochs are done, a callback returns True, or Ctrl-C comes; return the history."""
        begun = time.perf_counter()
        try:
            while len(self.history.loss) < self.epochs:
                self.train_epochs()
                if self.is_ended_by_callback():
                    break
        except KeyboardInterrupt:
            self.history.interrupted = True
        finally:
            self.steps.settle()
            if not self.metrics:  # else the lists of metrics would become shorter than that of losses
                self.history.add(self.new_means(), {})
            self.bar.close()
            self.history.seconds = time.perf_counter() - begun
        if self.history.loss:
            self.steps.mistakes.check_that_something_moved()
        return self.history

    def train_epochs(self) -> None:
        """Train one epoch, or as many as compiled code takes together if nothing has to happen between them."""
        is_watched = bool(self.metrics or self.callbacks)
        losses = self.next_losses(1 if is_watched else self.bar.rounds_until_shown())
        if is_watched:
            self.steps.release()
        self.history.add(losses, measured(self.steps.model, self.steps.samples, self.metrics))
        self.bar.advance(self.history.last, len(losses))

    def next_losses(self, most: int) -> list[float]:
        """Take steps until at least one epoch is done; return the mean losses of these epochs, at most `most`.

        Raises:
            FloatingPointError: if a loss is not finite, or too large for a float.
        """
        losses: list[float] = []
        done = len(self.history.loss)
        while not losses:
            self.take_steps((done + most) * len(self.sizes) - len(self.steps.losses), done + 1)
            losses = self.new_means()
        return losses

    def take_steps(self, most: int, epoch: int) -> None:
        """Take one step or several, at most `most`; `epoch` is that of the first.

        Raises:
            FloatingPointError: if the loss is not finite, or too large for a float.
        """
        try:
            loss = self.steps.take(self.order, most)
        except OverflowError as error:
            raise diverged(math.inf, epoch) from error
        if not math.isfinite(loss):
            raise diverged(loss, epoch)

    def new_means(self) -> list[float]:
        """Return the mean losses of the finished epochs that are not in the history yet."""
        return means(self.steps.losses[len(self.history.loss) * len(self.sizes) :], self.sizes)

    def is_ended_by_callback(self) -> bool:
        """Call all callbacks, and return whether one of them returned True."""
        if not self.callbacks:
            return False
        epoch = len(self.history.loss)
        self.steps.mistakes.remember_model()
        answers = [callback(epoch, self.history) for callback in self.callbacks]
        if any(map(is_true, answers)):
            return True
        self.steps.look_again()
        self.steps.mistakes.check_samples(self.data)
        return False


def batches_of_epoch(count: int, size: int | None, source: random.Random | None) -> list[Sequence[int]]:
    """Return the batches of one epoch, as indices of samples; shuffled by `source` if there is one."""
    order: Sequence[int] = range(count)
    if source is not None:
        order = list(order)
        source.shuffle(order)
    if size is None or size >= count:
        return [order]
    return [order[start : start + size] for start in range(0, count, size)]


def batches_of(count: int, size: int | None, source: random.Random | None) -> Batches:
    """Return the batches of epoch after epoch, and the sizes of those of one epoch.

    Without `source` every epoch has the very same batches: `Steps` looks up the rows of each only once.

    >>> order, sizes = batches_of(3, 2, None)
    >>> [[*next(order)] for _ in range(4)], sizes
    ([[0, 1], [2], [0, 1], [2]], [2, 1])
    """
    unshuffled = batches_of_epoch(count, size, None)
    epochs = repeat(unshuffled) if source is None else (batches_of_epoch(count, size, source) for _ in repeat(None))
    return chain.from_iterable(epochs), [len(batch) for batch in unshuffled]


def means(losses: list[float], sizes: Sequence[int]) -> list[float]:
    """Return the mean loss of all samples for each whole epoch.

    Args:
        losses: the mean losses of batches.
        sizes: the count of samples in each batch of an epoch.

    >>> means([1.0, 4.0, 3.0, 3.0, 5.0], [2, 1])
    [2.0, 3.0]
    """
    if len(sizes) == 1:
        return losses
    count, starts = sum(sizes), range(0, len(losses) - len(sizes) + 1, len(sizes))
    return [sum(map(operator.mul, losses[start : start + len(sizes)], sizes)) / count for start in starts]


def measured(model: Model, samples: Samples, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Return the metrics of the model's predictions; without metrics the model is not called."""
    if not metrics:
        return {}
    with no_grad():
        predictions = [nests.converted(plain_float, model(x)) for x, _ in samples]
    return {name: metric(predictions, [y for _, y in samples]) for name, metric in metrics.items()}


def diverged(loss: float, epoch: int) -> FloatingPointError:
    """Return the error for a loss that is not finite, with the usual remedies."""
    return FloatingPointError(
        f"fit: the loss became {loss} in epoch {epoch}; a smaller learning rate or clipped gradients usually help, and "
        f"detect_anomaly with compile=False finds where it begins"
    )


def is_true(answer: Any) -> bool:
    """Return whether `answer` is True, in Python or in NumPy, whose comparisons return a `bool_`."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)
