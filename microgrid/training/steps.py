"""Training steps: forward, loss, gradient and update, as one generated function as long as that is possible.

Whatever a call of that function has done, some milliseconds of it, takes effect at once: Ctrl-C finds the model, the
optimiser and the losses as they are after one step or another, never in between.
"""

from __future__ import annotations

import math
import time
import warnings
from itertools import islice
from operator import setitem

from microgrid.compiler.arguments import Arguments, Unfit, with_leaves
from microgrid.engine.graph import end
from microgrid.engine.modes import active, gc_paused
from microgrid.engine.numbers import MATH_ERRORS, is_node, is_number, plain_float
from microgrid.engine.value import Value
from microgrid.math import mean
from microgrid.nn import Frozen
from microgrid.optim import Optimizer
from microgrid.optim.optimizer import is_table
from microgrid.training.generated import CompiledSteps
from microgrid.training.mistakes import Mistakes
from microgrid.transforms import nests as tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from microgrid.training.samples import Samples

    Model = Callable[[Any], Any]
    Loss = Callable[[Any, Any], Any]


BRIEF = 0.005  # seconds: while several steps take less, twice as many are taken together the next time


class Rates:
    """The learning rates of the steps to come: a schedule is asked once for each of them, in their order.

    An error of its own is raised when the turn of that step comes.

    Args:
        optimizer: an `Optimizer`; its `steps` are not looked at.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self._asked: list[float] = []
        self._error: BaseException | None = None

    def first(self, count: int, steps: int) -> list[float]:
        """Return the learning rates of the next `count` steps, of fewer if the schedule fails, but at least of one.

        Args:
            steps: how many steps were done before.
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
        """Count steps as done."""
        del self._asked[:count]

    def step(self) -> None:
        """Let the optimiser take a step, without asking the schedule again if it was asked for it."""
        if self._asked or self._error:
            (lr,) = self.first(1, self.optimizer.steps)
            self.optimizer.move(lr)
            self.drop(1)
        elif type(self.optimizer).step is Optimizer.step:
            self.optimizer.move(self.optimizer.learning_rate())  # without a look at the gradients of the first batch
        else:
            self.optimizer.step()


class Steps:
    """The steps of one training run.

    Args:
        model: takes an input, returns a prediction.
        loss: takes a prediction and a target.
        optimizer: knows the parameters.
        samples: pairs of an input and a target.
        compile: whether steps are compiled.

    Attributes:
        losses: for each step taken the mean loss of its batch.
        mistakes: those that nothing else would tell of.
    """

    def __init__(self, model: Model, loss: Loss, optimizer: Optimizer, samples: Samples, compile: bool) -> None:
        self.model, self.loss, self.optimizer, self.samples = model, loss, optimizer, samples
        self.losses: list[float] = []
        self.mistakes = Mistakes(model, self.loss_of, optimizer, samples)
        self._take: Callable[[int], float] = self.compiled_steps if compile else self.eager_step
        self._batches: list[Sequence[int]] = []  # that wait for their steps
        self._rates = Rates(optimizer)
        self._together = 1  # how many steps generated code takes in one call
        self._rows: list[list[float]] = []
        self._leaves: list[list[Any]] = []
        self._sample: Any = None  # one like the others
        self._places: list[int] = []  # of the trained parameters among those of the optimiser
        self._compiled: CompiledSteps | None = None
        self._begun: tuple[int, Any] | None = None  # the number of steps before an eager one, and where its loss goes
        self._numbers: list[float] | None = None  # the parameters with their states; None where others may change them

    def take(self, batches: Iterator[Sequence[int]], most: int) -> float:
        """Follow the gradient of the mean loss of the next of `batches`, or of several one after the other.

        Generated code takes as many steps in one call as it can in some milliseconds: as much is lost by Ctrl-C.

        Args:
            batches: the numbers of the samples of each batch.
            most: how many steps are taken at most.

        Returns:
            the loss of the last step. If it is not finite, or an error is raised, nothing has moved.
        """
        count = min(most, self._together)
        self._batches += islice(batches, max(0, count - len(self._batches)))
        return self._take(count)

    def loss_of(self, x: Any, y: Any) -> Any:
        """Return the loss of one sample.

        Raises:
            TypeError: if it is no number.
        """
        loss = self.loss(self.model(x), y)
        if not (is_node(loss) or is_number(loss)):
            raise TypeError(f"fit expects the loss of a sample to be a number, got {type(loss).__name__} {loss!r:.60}")
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
        """Let the optimiser take a step, and keep the `loss` from before it."""
        self._begun = self.optimizer.steps, end(self.losses, [loss])
        self._rates.step()
        setitem(*self._begun[1])
        self._begun = None

    def settle(self) -> None:
        """Keep the loss of a step that was taken when Ctrl-C came, as often as this is called."""
        if self._begun and self._begun[0] < self.optimizer.steps:
            setitem(*self._begun[1])

    # Compiled

    def look_again(self) -> None:
        """Forget compiled steps if others have changed what the model holds meanwhile."""
        if self.mistakes.model_has_changed() and self._compiled is not None:
            self._compiled.cache_clear()

    def compiled_steps(self, count: int) -> float:
        """Take steps by generated code; where that cannot tell, one eagerly, and all from then on if it never can."""
        begun = time.perf_counter()
        while True:
            reason = ""
            try:
                losses, numbers = self.computed(count)
            except Unfit as unfit:
                reason = str(unfit)
            if reason:  # out of the handler, or what the model raises would be said to come of it
                return self.give_up(reason)
            if math.isfinite(sum(numbers, sum(losses))):  # what an update has made infinite or nan stays so
                break
            if count == 1:
                self.release()
                return self.eager_step(1)
            count = self._together = 1
        if not self.mistakes.is_checked:
            assert self._compiled is not None
            if not any(way.is_trainable for way in self._compiled.branches):
                self.release()
                return self.eager_step(1)  # which tells whether any sample is
            self.mistakes.check_used(self._compiled.others)
        self.commit(losses, numbers)
        del self._batches[: len(losses)]
        self._rates.drop(len(losses))
        if len(losses) == self._together and time.perf_counter() - begun < BRIEF:
            self._together *= 2
        return losses[-1]

    def computed(self, count: int) -> tuple[list[float], list[float]]:
        """Return the mean losses of the next `count` batches, nan if generated code raises, and the parameters with
        their states after these steps; of fewer, if only those can be taken together.

        Raises:
            Unfit: if the step cannot be compiled.
        """
        numbers = self._numbers or self.fetch()
        rates = self._rates.first(count, self.optimizer.steps)
        known: dict[int, list[list[float]]] = {}  # an epoch that is not shuffled has the batches of that before
        batches = []
        for batch in self._batches[: len(rates)]:
            if id(batch) not in known:
                known[id(batch)] = [self._rows[number] for number in batch]
            batches.append(known[id(batch)])
        assert self._compiled is not None
        try:
            return self._compiled(numbers, batches, self.optimizer.steps, rates)
        except MATH_ERRORS:
            return [math.nan], numbers

    def give_up(self, reason: str) -> float:
        """Take a step eagerly, as all that follow, and say why; if it raises, that says enough."""
        self._take = self.eager_step
        total = self.eager_step(1)
        warnings.warn(f"fit runs eagerly: {reason}", RuntimeWarning, stacklevel=7)
        return total

    def fetch(self) -> list[float]:
        """Return the parameters with their states, after compiling what they need.

        Raises:
            Unfit: if that cannot be done.
        """
        optimizer = self.optimizer
        self._places = [place for place, parameter in enumerate(optimizer.params) if not isinstance(parameter, Frozen)]
        parameters = [optimizer.params[place] for place in self._places]
        states = [optimizer.states()[place] for place in self._places]
        looking = [type(mode).__name__ for mode in active() if mode.observer]
        if looking:
            raise Unfit(f"{looking[0]} is on, which looks at every operation")
        if type(optimizer).step is not Optimizer.step:
            raise Unfit(f"{type(optimizer).__name__} has a step of its own")
        if not parameters:
            raise Unfit("all parameters are frozen")
        if any(type(parameter) is not Value or type(parameter.data) is not float for parameter in parameters):
            raise Unfit("a parameter is no plain Value of a float")
        if not is_table(states):
            raise Unfit("the optimiser keeps something else than numbers, equally many for each parameter")
        self.compile(parameters, len(states[0]))
        numbers = [parameter.data for parameter in parameters]
        return numbers + [number for slot in zip(*states, strict=True) for number in slot]

    def compile(self, parameters: list[Value], slots: int) -> None:
        """Make ready for the optimiser's hyperparameters as they are, and for `parameters` if they are others."""
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
        """Return the loss of a sample like the others with these numbers."""
        return self.loss_of(*with_leaves(self._sample, numbers))

    def commit(self, losses: list[float], numbers: list[float]) -> None:
        """Let the model and the optimiser have what was learned in steps with these `losses`.

        Args:
            losses: the mean losses of their batches.
            numbers: the parameters with their states after them.
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
        """Read model and optimiser anew at the next step, since others may change them before."""
        self._numbers = None


def has_bool(key: Any) -> bool:
    """Return whether there is a bool among the arguments of a call with `key`."""
    return isinstance(key, tuple) and ((len(key) == 2 and key[0] is bool) or any(map(has_bool, key)))


def as_rows(samples: Samples) -> tuple[list[list[float]], list[list[Any]], tuple[Any, Any]]:
    """Return the numbers of each sample, as floats and as they are given, and a sample.

    Bools are the numbers 0 and 1.

    Raises:
        Unfit: if they are not of the same shape, or hold something that is as good as no float.
    """
    try:
        found = [Arguments(sample) for sample in samples]
        if any(map(has_bool, {sample.key for sample in found})):
            samples = [tree.converted(lambda x: int(x) if isinstance(x, bool) else x, sample) for sample in samples]
            found = [Arguments(sample) for sample in samples]
    except Unfit as reason:
        raise Unfit(f"there is in the data {reason}") from None
    if any(sample.key != found[0].key for sample in found):
        raise Unfit("samples of different shapes")
    leaves = [leaf for sample in found for leaf in sample.leaves]
    if any(map(is_node, leaves)):
        raise Unfit("there are Values in the data")
    if any(sample.is_exact for sample in found):
        raise Unfit("there are numbers in the data that no float can be")
    return [sample.numbers for sample in found], [sample.leaves for sample in found], samples[0]
