"""`fit`: the training loop, which shows a model its samples epoch after epoch."""

from __future__ import annotations

import math
import operator
import time
from itertools import chain, repeat

from microgrid.engine.modes import no_grad
from microgrid.engine.numbers import plain_float, random_source
from microgrid.nn import Frozen, Module
from microgrid.optim import Optimizer
from microgrid.training.history import History
from microgrid.training.progress import Progress
from microgrid.training.samples import checked_samples
from microgrid.training.steps import Steps
from microgrid.transforms import nests as tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from microgrid.training.samples import Samples
    from microgrid.training.steps import Loss, Model

    Callback = Callable[[int, History], object]
    Metric = Callable[[list[Any], list[Any]], Any]


def batches(count: int, size: int | None, source: random.Random | None) -> list[Sequence[int]]:
    """Return the numbers of the samples of each batch of an epoch, in an order drawn from `source` if there is one."""
    order: Sequence[int] = range(count)
    if source is not None:
        order = list(order)
        source.shuffle(order)
    if size is None or size >= count:
        return [order]
    return [order[start : start + size] for start in range(0, count, size)]


def in_order(
    count: int, size: int | None, source: random.Random | None
) -> tuple[Iterator[Sequence[int]], Sequence[int]]:
    """Return the batches of epoch after epoch, and the sizes of those of one; without `source` they are the same ones.

    >>> order, sizes = in_order(3, 2, None)
    >>> [[*next(order)] for _ in range(4)], sizes
    ([[0, 1], [2], [0, 1], [2]], [2, 1])
    """
    known = batches(count, size, None)
    epochs = repeat(known) if source is None else (batches(count, size, source) for _ in repeat(None))
    return chain.from_iterable(epochs), [len(batch) for batch in known]


def check(optimizer: Any, counts: Mapping[str, tuple[Any, int]], functions: Iterable[tuple[str, Any]]) -> None:
    """Check the other arguments of `fit`: numbers with what they are at least, and what is to be called.

    Raises:
        TypeError, ValueError: naming what does not fit.
    """
    if not isinstance(optimizer, Optimizer):
        example = "such as SGD(model.parameters())"
        raise TypeError(f"fit expects an optimizer, {example}, got {type(optimizer).__name__} {optimizer!r:.60}")
    for name, (count, least) in counts.items():
        if not isinstance(count, int) or count < least:
            raise ValueError(f"fit expects {name} to be a whole number of at least {least}, got {count!r:.60}")
    for name, function in functions:
        if not callable(function):
            raise TypeError(f"fit expects {name} to be a function, got {type(function).__name__} {function!r:.60}")


def check_trains(model: Model, optimizer: Optimizer) -> None:
    """Check that `optimizer` moves something of `model`, if that is a `Module` with parameters to train.

    Raises:
        ValueError: if it was made for another model, as in a notebook where only the model was made anew.
    """
    if not isinstance(model, Module):
        return
    trained = {parameter for parameter in model.parameters() if not isinstance(parameter, Frozen)}
    if trained and trained.isdisjoint(optimizer.params):
        example = "such as SGD(model.parameters())"
        raise ValueError(
            f"fit expects an optimizer of the model's parameters, {example}, got {optimizer!r:.100} of others"
        )


def checked_watchers(metrics: Any, callbacks: Any) -> tuple[dict[str, Metric], list[Callback]]:
    """Return the metrics by name, and the callbacks.

    Raises:
        TypeError: if they are no dict and no list.
        ValueError: if a metric has the name of the loss, which would hide it.
    """
    if metrics is not None and not hasattr(metrics, "items"):
        example = "such as {'accuracy': accuracy}"
        raise TypeError(f"fit expects metrics to be a dict of functions, {example}, got {metrics!r:.60}")
    if "loss" in (metrics or {}):
        raise ValueError("fit expects another name than 'loss' for a metric: the history has the loss by that name")
    if not hasattr(callbacks, "__iter__"):
        raise TypeError(f"fit expects callbacks to be a list of functions, got {callbacks!r:.60}")
    return dict(metrics or {}), list(callbacks)


def means(losses: list[float], sizes: Sequence[int]) -> list[float]:
    """Return the mean loss of all samples for each whole epoch.

    Args:
        losses: the mean losses of batches.
        sizes: the numbers of samples of the batches of an epoch.

    >>> means([1.0, 4.0, 3.0, 3.0, 5.0], [2, 1])
    [2.0, 3.0]
    """
    if len(sizes) == 1:
        return losses
    count, starts = sum(sizes), range(0, len(losses) - len(sizes) + 1, len(sizes))
    return [sum(map(operator.mul, losses[start : start + len(sizes)], sizes)) / count for start in starts]


def next_losses(
    steps: Steps, order: Iterator[Sequence[int]], sizes: Sequence[int], done: int, together: int
) -> list[float]:
    """Follow batches until the next epoch is done, and return the mean losses of the epochs that are: one or several.

    Args:
        steps: takes the steps.
        order: the batches of epoch after epoch.
        sizes: the numbers of samples of the batches of an epoch.
        done: how many epochs were done before.
        together: how many may be done at most, since nobody has to see what comes between them.

    Raises:
        FloatingPointError: if a loss is not finite, or too large for a float.
    """
    losses: list[float] = []
    while not losses:
        advance(steps, order, (done + together) * len(sizes) - len(steps.losses), done + 1)
        losses = means(steps.losses[done * len(sizes) :], sizes)
    return losses


def advance(steps: Steps, batches: Iterator[Sequence[int]], most: int, epoch: int) -> None:
    """Follow the next of `batches`, at most so many; `epoch` is that of the first.

    Raises:
        FloatingPointError: if the loss is not finite, or too large for a float.
    """
    try:
        loss = steps.take(batches, most)
    except OverflowError as error:
        raise diverged(math.inf, epoch) from error
    if not math.isfinite(loss):
        raise diverged(loss, epoch)


def diverged(loss: float, epoch: int) -> FloatingPointError:
    """Return the error that says what usually helps."""
    return FloatingPointError(
        f"fit: the loss became {loss} in epoch {epoch}; a smaller learning rate or clipped gradients usually help, and "
        f"detect_anomaly with compile=False finds where it begins"
    )


def measured(model: Model, samples: Samples, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    """Return what `metrics` say of the predictions of `model`, which is called only if there are some."""
    if not metrics:
        return {}
    with no_grad():
        predictions = [tree.converted(plain_float, model(x)) for x, _ in samples]
    return {name: metric(predictions, [y for _, y in samples]) for name, metric in metrics.items()}


def is_true(answer: Any) -> bool:
    """Return whether `answer` is True, or that of NumPy, which comparing its numbers gives."""
    return type(answer).__name__ in ("bool", "bool_") and bool(answer)


def fit(
    model: Model,
    data: tuple[Sequence[Any], Sequence[Any]],
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int = 100,
    batch_size: int | None = None,
    shuffle: bool | None = None,
    rng: random.Random | int | None = None,
    compile: bool = True,
    metrics: Mapping[str, Metric] | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | None = None,
) -> History:
    """Train `model`, and return how that went.

    The loss of a batch is the mean of the losses of its samples. Compiled, a step is one generated function: the
    gradients of the leaves stay as they are, and the model gets its parameters after each epoch if there are metrics or
    callbacks, else after as many steps as take some milliseconds. What cannot be compiled runs eagerly, with a warning
    that says why. Model and loss are traced for that, so they have to be pure: what draws random numbers, say, needs
    `compile=False`.

    Args:
        model: takes one input and returns a prediction; usually a `Module`.
        data: the inputs and the targets, lists or arrays; each row of a NumPy array of several dimensions is an array.
        loss: takes a prediction and a target of one sample; those in `losses` serve.
        optimizer: made for the parameters that are trained; one of them the model's at least, unless that is frozen.
        epochs: how often all samples are seen.
        batch_size: the number of samples to a step; None for all.
        shuffle: whether the samples come in a new order in each epoch; None for: if there are several batches.
        rng: where the order is drawn from: None (the module `random`), a seed, or a `random.Random`.
        compile: whether steps are compiled.
        metrics: functions of all predictions, as numbers, and all targets, called after each epoch.
        callbacks: functions of the number of the epoch, from 1 on, and the history so far; one that returns True ends
            the training. They may change the parameters, freeze some, change what a `Module` holds, its layers and
            settings, and the optimiser, its `lr` and hyperparameters. The samples stay those that training began with.
            Whatever else the model and the loss read, such as a number from outside, is part of the compiled step: it
            may change between two calls of `fit`, or with `compile=False`.
        progress: whether progress is shown; None for: if a terminal or a notebook watches.

    Raises:
        FloatingPointError: if the loss becomes nan or inf; the model keeps the parameters from before that step.
        TypeError, ValueError: if an argument does not fit, or the loss does not depend on what is trained.

    Warns:
        RuntimeWarning: if training runs eagerly, though it was to be compiled.
        UserWarning: if the loss uses parameters of the model that the optimiser does not have, a `Recorder` has another
            model, a callback changes the data, or nothing has moved at the end since all gradients are zero.

    Ctrl-C ends the training; what was learned so far is kept, by the model and the optimiser alike, but for the last
    steps if generated code was about them: it takes as many together as it can in some milliseconds, as long as nobody
    has to see what comes in between. A second Ctrl-C, while the history is made ready, is raised; that loses no step.

    >>> from microgrid.losses import mse_loss
    >>> from microgrid.nn import Neuron
    >>> from microgrid.optim import SGD
    >>> line = Neuron(1, nonlin=False, rng=0)
    >>> data = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> history = fit(line, data, loss=mse_loss, optimizer=SGD(line.parameters(), lr=0.2), epochs=200)
    >>> round(line.w[0].data, 4), round(line.b.data, 4), history
    (2.0, 1.0, <History of 200 epochs, loss 1.871e-24>)
    """
    samples, (measures, watchers) = checked_samples("fit", data), checked_watchers(metrics, callbacks)
    counts = {"epochs": (epochs, 0), "batch_size": (1 if batch_size is None else batch_size, 1)}
    functions = [("model", model), ("loss", loss), *measures.items(), *(("a callback", one) for one in watchers)]
    check(optimizer, counts, functions)
    check_trains(model, optimizer)
    steps = Steps(model, loss, optimizer, samples, compile)
    steps.mistakes.check_recorders(watchers)
    shuffles = batch_size is not None and batch_size < len(samples) if shuffle is None else shuffle
    source = random_source(rng) if shuffles else None
    order, sizes = in_order(len(samples), batch_size, source)
    history, bar, begun = History(measures), Progress(progress, epochs, "fit"), time.perf_counter()
    is_watched = bool(measures or watchers)
    try:
        while (done := len(history.loss)) < epochs:
            losses = next_losses(steps, order, sizes, done, 1 if is_watched else bar.untold())
            if is_watched:
                steps.release()
            history.add(losses, measured(model, samples, measures))
            bar.advance(history.last, len(losses))
            if watchers:
                steps.mistakes.look_at_model()
            if any([is_true(watcher(done + 1, history)) for watcher in watchers]):
                break
            if watchers:
                steps.look_again()
                steps.mistakes.check_samples(data)
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        steps.settle()
        if not measures:
            history.add(means(steps.losses[len(history.loss) * len(sizes) :], sizes), {})
        bar.close()
        history.seconds = time.perf_counter() - begun
    if history.loss:
        steps.mistakes.check_that_something_moved()
    return history
