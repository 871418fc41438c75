"""Training steps (loss, gradient, update), by one generated function if possible, else eagerly.

A call of that function takes steps for some milliseconds, and all their results are stored at once: Ctrl-C finds model,
optimiser and losses as they are after some step, never in the middle of one.
"""

from __future__ import annotations

import math
import time
import warnings
from itertools import islice
from operator import setitem

from microgrid.compiler.arguments import Arguments, Unfit, with_leaves
from microgrid.engine.anomaly import users_frame
from microgrid.engine.graph import end
from microgrid.engine.messages import brief
from microgrid.engine.modes import active, gc_paused
from microgrid.engine.numbers import MATH_ERRORS, is_node, is_number, plain_float
from microgrid.engine.value import Value
from microgrid.math import mean
from microgrid.nn import Frozen
from microgrid.optim import Optimizer
from microgrid.optim.optimizer import is_table
from microgrid.training.generated import CompiledSteps
from microgrid.training.mistakes import Mistakes
from microgrid.transforms import nests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from microgrid.training.samples import Samples

    Model = Callable[[Any], Any]
    Loss = Callable[[Any, Any], Any]


BRIEF = 0.005  # seconds: after a call that took less, the next one takes twice as many steps. Ctrl-C loses one call.


class Rates:
    """The learning rates of the next steps: a schedule is called once for each, in their order.

    If it raises, the error is kept until that step comes.

    Args:
        optimizer: an `Optimizer`; its `steps` are not read.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._asked: list[float] = []
        self._error: BaseException | None = None

    def first(self, count: int, steps: int) -> list[float]:
        """Return the learning rates of the next `count` steps; fewer, but at least one, if the schedule raises.

        Args:
            steps: the count of steps taken before.
        """
        if not callable(self.optimizer.lr):
            return [self.optimizer.learning_rate(steps)] * count
        while len(self._asked) < count and self._error is None:
            try:
                self._asked.append(self.optimizer.learning_rate(steps + len(self._asked)))
            except BaseException as error:
                self._error = error
        if self._error is not None and not self._asked:
            raise self._error
        return self._asked[:count]

    def drop(self, count: int) -> None:
        """Forget the rates of the first `count` steps, which have been taken."""
        del self._asked[:count]

    def step(self) -> None:
        """Let the optimiser take a step; the schedule is not called again if the rate is known already."""
        if self._asked or self._error:
            (lr,) = self.first(1, self.optimizer.steps)
            self.optimizer.move(lr)
            self.drop(1)
        elif type(self.optimizer).step is Optimizer.step:
            # Unlike `step`, this does not warn if all gradients are zero, as those of the first batch may well be.
            self.optimizer.move(self.optimizer.learning_rate())
        else:
            self.optimizer.step()


class Steps:
    """The steps of one training run.

    Args:
        model: a function from an input to a prediction.
        loss: a function of a prediction and a target.
        optimizer: the optimiser.
        samples: pairs of an input and a target.
        compile: whether to compile the steps.

    Attributes:
        losses: the mean loss of the batch of every step taken.
        mistakes: the checks for silent mistakes.
    """

    def __init__(self, model: Model, loss: Loss, optimizer: Optimizer, samples: Samples, compile: bool) -> None:
        self.model, self.loss, self.optimizer, self.samples = model, loss, optimizer, samples
        self.losses: list[float] = []
        self.mistakes = Mistakes(model, self.loss_of, optimizer, samples)
        self._take: Callable[[int], float] = self.compiled_steps if compile else self.eager_step
        self._batches: list[Sequence[int]] = []  # of the next steps
        self._rates = Rates(optimizer)
        self._together = 1  # the most steps for one call of generated code
        self._rows: list[list[float]] = []
        self._leaves: list[list[Any]] = []
        self._sample: Any = None  # one sample: all have its shape
        self._places: list[int] = []  # the indices of the trained parameters in `optimizer.params`
        self._compiled: CompiledSteps | None = None
        self._begun: tuple[int, Any] | None = None  # the step count before an eager step, and the item for its loss
        self._numbers: list[float] | None = None  # parameters and states; None if others may change them

    def take(self, batches: Iterator[Sequence[int]], most: int) -> float:
        """Take a step with the next of `batches`, or several steps.

        Args:
            batches: the batches, as indices of samples.
            most: the largest count of steps.

        Returns:
            the loss of the last step. If it is not finite, or an error is raised, nothing has moved.
        """
        count = min(most, self._together)
        self._batches += islice(batches, max(0, count - len(self._batches)))
        return self._take(count)

    def loss_of(self, x: Any, y: Any) -> Any:
        """Return the loss of one sample.

        Raises:
            TypeError: if it is not a number.
        """
        loss = self.loss(self.model(x), y)
        if not (is_node(loss) or is_number(loss)):
            raise TypeError(f"fit expects the loss of a sample to be a number, got {type(loss).__name__} {brief(loss)}")
        return loss

    # Eagerly

    def eager_step(self, count: int) -> float:
        """Take one step by `backward()` and `optimizer.step()`."""
        with gc_paused():
            total = mean([self.loss_of(x, y) for x, y in map(self.samples.__getitem__, self._batches.pop(0))])
            number = plain_float(total)
            if math.isfinite(number):
                if not self.mistakes.is_checked:
                    self.mistakes.check(total)
                self.optimizer.zero_grad()
                if isinstance(total, Value):
                    total.backward()
                self.step(number)
        return number

    def step(self, loss: float) -> None:
        """Let the optimiser take a step, and append `loss`, that of before the step."""
        self._begun = self.optimizer.steps, end(self.losses, [loss])
        self._rates.step()
        setitem(*self._begun[1])
        self._begun = None

    def settle(self) -> None:
        """Append the loss of the last step if Ctrl-C came between the step and that; calling it twice does no harm."""
        if self._begun and self._begun[0] < self.optimizer.steps:
            setitem(*self._begun[1])

    # Compiled

    def look_again(self) -> None:
        """Forget compiled steps if a callback has changed what the model contains."""
        if self.mistakes.model_has_changed() and self._compiled is not None:
            self._compiled.cache_clear()

    def compiled_steps(self, count: int) -> float:
        """Take steps by generated code; or one eagerly if a number is not finite, or all if it cannot be compiled."""
        begun = time.perf_counter()
        while True:
            reason = ""
            try:
                losses, numbers = self.computed(count)
            except Unfit as unfit:
                reason = str(unfit)
            if reason:  # outside the handler: an error of the model would be chained to this one
                return self.give_up(reason)
            if math.isfinite(sum(numbers, sum(losses))):  # inf and nan survive sums and further steps
                break
            if count == 1:
                self.release()
                return self.eager_step(1)
            count = self._together = 1
        if not self.mistakes.is_checked:
            assert self._compiled is not None
            if not any(path.is_trainable for path in self._compiled.paths):
                self.release()
                return self.eager_step(1)  # it checks whether the loss of any sample is
            self.mistakes.check_used(self._compiled.others)
        self.commit(losses, numbers)
        del self._batches[: len(losses)]
        self._rates.drop(len(losses))
        if len(losses) == self._together and time.perf_counter() - begun < BRIEF:
            self._together *= 2
        return losses[-1]

    def computed(self, count: int) -> tuple[list[float], list[float]]:
        """Return the mean losses of the next `count` batches, and parameters and states after these steps.

        There may be fewer steps, if a later one has to be compiled first. If generated code raises, the loss is nan.

        Raises:
            Unfit: if the step cannot be compiled.
        """
        numbers = self._numbers or self.fetch()
        rates = self._rates.first(count, self.optimizer.steps)
        known: dict[int, list[list[float]]] = {}  # without shuffling, epochs share their batches
        batches = []
        for batch in self._batches[: len(rates)]:
            if id(batch) not in known:
                known[id(batch)] = [self._rows[index] for index in batch]
            batches.append(known[id(batch)])
        assert self._compiled is not None
        try:
            return self._compiled(numbers, batches, self.optimizer.steps, rates)
        except MATH_ERRORS:
            return [math.nan], numbers

    def give_up(self, reason: str) -> float:
        """Take this and all later steps eagerly, and warn why; if the step raises, its error says enough."""
        self._take = self.eager_step
        total = self.eager_step(1)
        warnings.warn(f"fit runs eagerly: {reason}", RuntimeWarning, stacklevel=users_frame()[1] + 2)
        return total

    def fetch(self) -> list[float]:
        """Read parameters and states from model and optimiser, and make the compiled step fit them.

        Raises:
            Unfit: if it cannot be compiled.
        """
        optimizer = self.optimizer
        self._places = [place for place, parameter in enumerate(optimizer.params) if not isinstance(parameter, Frozen)]
        parameters = [optimizer.params[place] for place in self._places]
        states = [optimizer.states()[place] for place in self._places]
        observers = [type(mode).__name__ for mode in active() if mode.observer]
        if observers:
            raise Unfit(f"{observers[0]} is on, which looks at every operation")
        if type(optimizer).step is not Optimizer.step:
            raise Unfit(f"{type(optimizer).__name__} overrides step")
        if not parameters:
            raise Unfit("all parameters are frozen")
        if any(type(parameter) is not Value or type(parameter.data) is not float for parameter in parameters):
            raise Unfit("a parameter is not a plain Value of a float")
        if not is_table(states):
            raise Unfit("the states of the optimiser are not tuples of numbers, all of one length")
        self.compile(parameters, len(states[0]))
        numbers = [parameter.data for parameter in parameters]
        return numbers + [number for slot in zip(*states, strict=True) for number in slot]

    def compile(self, parameters: list[Value], slots: int) -> None:
        """Make compiled steps for the current hyperparameters, and for `parameters` if they have changed."""
        known = self._compiled
        if known is None:
            self._rows, self._leaves, self._sample = as_rows(self.samples)
        if known is None or (known.slots, *map(id, known.parameters)) != (slots, *map(id, parameters)):
            self._compiled = CompiledSteps(
                self.loss_of_numbers, self.optimizer, parameters, slots, self._rows, self._leaves
            )
        else:
            known.refresh()

    def loss_of_numbers(self, *numbers: Value) -> Any:
        """Return the loss of a sample that consists of `numbers`."""
        return self.loss_of(*with_leaves(self._sample, numbers))

    def commit(self, losses: list[float], numbers: list[float]) -> None:
        """Store the results of steps in the model and the optimiser, atomically.

        Args:
            losses: the mean losses of the steps.
            numbers: parameters and states after them.
        """
        optimizer, count = self.optimizer, len(self._places)
        slots = [numbers[start : start + count] for start in range(count, len(numbers), count)]
        states: list[Any] = []
        columns: list[list[float]] | None = slots
        if count < len(optimizer.params):
            trained = dict(zip(self._places, zip(*slots, strict=True), strict=bool(slots)))
            states = [trained.get(place, state) for place, state in enumerate(optimizer.state)]
            columns = None
        items = end(self.losses, losses), (vars(self), "_numbers", numbers)
        parameters = [optimizer.params[place] for place in self._places]
        optimizer.commit(parameters, numbers, optimizer.steps + len(losses), states, columns, *items)

    def release(self) -> None:
        """Let the next step read model and optimiser again, since callbacks may change them before."""
        self._numbers = None


def has_bool(key: Any) -> bool:
    """Return whether the arguments of a call with `key` include a bool."""
    return isinstance(key, tuple) and ((len(key) == 2 and key[0] is bool) or any(map(has_bool, key)))


def as_rows(samples: Samples) -> tuple[list[list[float]], list[list[Any]], tuple[Any, Any]]:
    """Return the numbers of each sample, as floats and as they are given, and one sample.

    Bools count as the numbers 0 and 1.

    Raises:
        Unfit: if samples differ in shape, or contain something that a float cannot represent.
    """
    try:
        found = [Arguments(sample) for sample in samples]
        if any(map(has_bool, {sample.key for sample in found})):
            samples = [nests.converted(lambda x: int(x) if isinstance(x, bool) else x, sample) for sample in samples]
            found = [Arguments(sample) for sample in samples]
    except Unfit as reason:
        raise Unfit(f"the data has {reason}") from None
    if any(sample.key != found[0].key for sample in found):
        raise Unfit("samples have different shapes")
    leaves = [leaf for sample in found for leaf in sample.leaves]
    if any(map(is_node, leaves)):
        raise Unfit("the data has Values")
    if any(sample.is_exact for sample in found):
        raise Unfit("the data has numbers that a float cannot represent")
    return [sample.numbers for sample in found], [sample.leaves for sample in found], samples[0]
