"""`fit`: the training loop, eager or with every step compiled to one function.

Both ways go through the same batches and give the same parameters, but for roundings.
"""

from __future__ import annotations

import math
import time
import warnings

from microgrid import tree
from microgrid.compiler.arguments import Arguments, Unfit, with_leaves
from microgrid.compiler.steps import CompiledStep, Unfollowed
from microgrid.conversions import MATH_ERRORS
from microgrid.engine import Value
from microgrid.math import mean
from microgrid.modes import gc_paused, no_grad
from microgrid.nn import Frozen
from microgrid.rng import random_source
from microgrid.training.history import History
from microgrid.training.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from microgrid.optim import Optimizer

    Model = Callable[[Any], Any]
    Loss = Callable[[Any, Any], Any]
    Callback = Callable[[int, History], object]


class EagerSteps:
    """Training steps by `backward()` and `optimizer.step()`."""

    def __init__(self, model: Model, loss: Loss, optimizer: Optimizer, samples: Sequence[tuple[Any, Any]]) -> None:
        self.model, self.loss, self.optimizer, self.samples = model, loss, optimizer, samples

    def step(self, batch: Sequence[int]) -> float:
        """Return the mean loss of the samples of these numbers, after following its gradient.

        The parameters stay as they are if the loss is not finite.
        """
        with gc_paused():
            losses = [self.loss(self.model(x), y) for x, y in map(self.samples.__getitem__, batch)]
            total = mean(losses)
            number = float(getattr(total, "data", total))
            if math.isfinite(number):
                self.optimizer.zero_grad()
                if isinstance(total, Value):
                    total.backward()
                self.optimizer.step()
        return number

    def commit(self) -> None:
        """Let the model have what was learned: it has it already."""


class CompiledSteps:
    """Training steps by generated code, with the parameters as plain numbers until they are committed.

    Raises:
        Unfollowed: if it cannot be compiled.
    """

    def __init__(self, model: Model, loss: Loss, optimizer: Optimizer, samples: Sequence[tuple[Any, Any]]) -> None:
        self.eager = EagerSteps(model, loss, optimizer, samples)
        self.optimizer = optimizer
        self.parameters = [parameter for parameter in optimizer.params if not isinstance(parameter, Frozen)]
        if any(type(parameter.data) is not float for parameter in self.parameters):
            raise Unfollowed("a parameter is no float")
        try:
            arguments = [Arguments(sample) for sample in samples]
        except Unfit as reason:
            raise Unfollowed(str(reason)) from None
        if any(other.key != arguments[0].key for other in arguments) or any(map(has_value, arguments)):
            raise Unfollowed("samples of different shapes")
        self.rows = [tuple(map(float, sample.leaves)) for sample in arguments]

        def of_numbers(*numbers: Value) -> Any:
            x, y = with_leaves(samples[0], numbers)
            return loss(model(x), y)

        self.compiled = CompiledStep(of_numbers, optimizer, self.parameters)
        self.fetch()

    def fetch(self) -> None:
        """Take the parameters and the optimiser's state as they are."""
        places = {parameter: place for place, parameter in enumerate(self.optimizer.params)}
        self.places = [places[parameter] for parameter in self.parameters]
        numbers = [parameter.data for parameter in self.parameters]
        initial = self.optimizer.initial_state()
        kept = [self.optimizer.state[place] or initial for place in self.places]
        states = [state[slot] for slot in range(len(initial)) for state in kept]
        self.learned = numbers, states, self.optimizer.steps  # in one place, so that Ctrl-C cannot part them

    def commit(self) -> None:
        """Let the model and the optimiser have what was learned, all at once."""
        numbers, states, self.optimizer.steps = self.learned
        for parameter, number in zip(self.parameters, numbers, strict=True):
            parameter.data = number
        count = len(self.parameters)
        slots = [states[start : start + count] for start in range(0, len(states), count)]
        for number, place in enumerate(self.places):
            self.optimizer.state[place] = tuple(slot[number] for slot in slots)

    def step(self, batch: Sequence[int]) -> float:
        """Return the mean loss of the samples of these numbers, after following its gradient."""
        rows = self.rows if type(batch) is range and len(batch) == len(self.rows) else [self.rows[i] for i in batch]
        numbers, states, steps = self.learned
        self.optimizer.steps = steps  # a schedule asks for it
        lr = self.optimizer.learning_rate()
        try:
            total, numbers, states = self.compiled(numbers, states, rows, steps + 1, lr)
        except MATH_ERRORS:
            total = math.nan
        if not math.isfinite(total):
            self.commit()
            total = self.eager.step(batch)
            self.fetch()
            return total
        self.learned = numbers, states, steps + 1
        return total


def has_value(arguments: Arguments) -> bool:
    """Return whether there is a `Value` among the numbers of a sample."""
    return any(isinstance(leaf, Value) for leaf in arguments.leaves)


def steps_for(
    compile: bool, model: Model, loss: Loss, optimizer: Optimizer, samples: Sequence[tuple[Any, Any]]
) -> EagerSteps | CompiledSteps:
    """Return the training steps, compiled if that is asked for."""
    return (CompiledSteps if compile else EagerSteps)(model, loss, optimizer, samples)


def batches(count: int, size: int | None, source: random.Random | None) -> list[Sequence[int]]:
    """Return the numbers of the samples of each batch of an epoch, in an order drawn from `source` if there is one."""
    order: Sequence[int] = range(count)
    if source is not None:
        order = list(order)
        source.shuffle(order)
    if size is None or size >= count:
        return [order]
    return [order[start : start + size] for start in range(0, count, size)]


def checked_samples(data: Any) -> list[tuple[Any, Any]]:
    """Return pairs of an input and a target.

    Raises:
        TypeError: if `data` is no pair of sequences.
        ValueError: if they are empty or of different lengths.
    """
    if not (isinstance(data, tuple | list) and len(data) == 2 and all(hasattr(part, "__len__") for part in data)):
        raise TypeError(f"fit expects data to be a pair, the inputs and the targets, got {data!r:.60}")
    inputs, targets = data
    if len(inputs) != len(targets) or not len(inputs):
        raise ValueError(f"fit expects as many inputs as targets, at least one, got {len(inputs)} and {len(targets)}")
    return list(zip(inputs, targets, strict=True))


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
    metrics: Mapping[str, Callable[[list[Any], Sequence[Any]], float]] | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | None = None,
) -> History:
    """Train `model`, and return how that went.

    The loss of a batch is the mean of the losses of its samples. Compiled, a step is one generated function, and the
    model gets its parameters after each epoch if somebody looks, else at the end. What cannot be compiled runs
    eagerly, with a warning that says why.

    Args:
        model: takes one input and returns a prediction; usually a `Module`.
        data: the inputs and the targets.
        loss: takes a prediction and a target of one sample; those in `losses` serve.
        optimizer: made for the parameters that are trained.
        epochs: how often all samples are seen.
        batch_size: the number of samples to a step; None for all.
        shuffle: whether the samples come in a new order in each epoch; None for: if there are several batches.
        rng: where the order is drawn from: None (the module `random`), a seed, or a `random.Random`.
        compile: whether steps are compiled.
        metrics: functions of all predictions, as numbers, and all targets, called after each epoch.
        callbacks: functions of the number of the epoch, from 1 on, and the history so far; one that returns True ends
            the training.
        progress: whether progress is shown; None for: if a terminal or a notebook watches.

    Raises:
        FloatingPointError: if the loss becomes nan or inf; the model keeps the parameters from before that step.
        TypeError, ValueError: if an argument does not fit.

    Ctrl-C ends the training; what was learned so far is kept.

    >>> from microgrid.losses import mse_loss
    >>> from microgrid.nn import Neuron
    >>> from microgrid.optim import SGD
    >>> line = Neuron(1, nonlin=False, rng=0)
    >>> data = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> history = fit(line, data, loss=mse_loss, optimizer=SGD(line.parameters(), lr=0.2), epochs=200)
    >>> round(line.w[0].data, 4), round(line.b.data, 4), history
    (2.0, 1.0, <History of 200 epochs, loss 1.871e-24>)
    """
    samples = checked_samples(data)
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"fit expects batch_size to be at least 1, got {batch_size!r:.60}")
    measures, watchers = dict(metrics or {}), list(callbacks)
    source = random_source(rng)
    shuffles = batch_size is not None and batch_size < len(samples) if shuffle is None else shuffle
    history, begun = History(tuple(measures)), time.perf_counter()
    try:
        steps = steps_for(compile, model, loss, optimizer, samples)
    except Unfollowed as reason:
        steps = run_eagerly(reason, model, loss, optimizer, samples)
    bar = Progress(progress, epochs, "fit")
    try:
        for epoch in range(1, epochs + 1):
            total = 0.0
            for batch in batches(len(samples), batch_size, source if shuffles else None):
                try:
                    found = steps.step(batch)
                except Unfollowed as reason:
                    steps.commit()
                    steps = run_eagerly(reason, model, loss, optimizer, samples)
                    found = steps.step(batch)
                if not math.isfinite(found):
                    raise FloatingPointError(
                        f"fit: the loss became {found} in epoch {epoch}; a smaller learning rate or clipped gradients "
                        f"usually help, and detect_anomaly with compile=False finds where it begins"
                    )
                total += found * len(batch)
            history.loss.append(total / len(samples))
            if measures:
                steps.commit()
                with no_grad():
                    predictions = [tree.converted(number_of, model(x)) for x, _ in samples]
                for name, measure in measures.items():
                    history.metrics[name].append(measure(predictions, [y for _, y in samples]))
            bar.advance(history.last)
            if watchers:
                steps.commit()
                if any([watcher(epoch, history) is True for watcher in watchers]):
                    break
    except KeyboardInterrupt:
        history.interrupted = True
    finally:
        steps.commit()
        bar.close()
        history.seconds = time.perf_counter() - begun
    return history


def number_of(leaf: Any) -> float:
    """Return the number of a `Value`, or a number itself."""
    return float(getattr(leaf, "data", leaf))


def run_eagerly(
    reason: Unfollowed, model: Model, loss: Loss, optimizer: Optimizer, samples: Sequence[tuple[Any, Any]]
) -> EagerSteps:
    """Return eager steps, and say why they are not compiled."""
    warnings.warn(f"fit runs eagerly: {reason}", RuntimeWarning, stacklevel=3)
    return EagerSteps(model, loss, optimizer, samples)
