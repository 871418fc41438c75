"""Training steps: forward, loss, gradient and update, as one generated function as long as that is possible.

The compiled steps hold the parameters as plain numbers, which the model gets when they are committed.
"""

from __future__ import annotations

import math
import warnings

from microgrid.compiler.arguments import Arguments, Unfit, with_leaves
from microgrid.compiler.parts import Unfollowed
from microgrid.compiler.steps import CompiledStep
from microgrid.conversions import MATH_ERRORS, is_node, is_number
from microgrid.engine import Value
from microgrid.graph import assign
from microgrid.math import mean
from microgrid.modes import active, gc_paused
from microgrid.nn import Frozen
from microgrid.optim import Optimizer
from microgrid.optim.optimizer import is_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.samples import Samples

    Model = Callable[[Any], Any]
    Loss = Callable[[Any, Any], Any]
    Kind = Callable[[float], float]


class Steps:
    """The steps of one training run.

    Args:
        model: takes an input, returns a prediction.
        loss: takes a prediction and a target.
        optimizer: knows the parameters.
        samples: pairs of an input and a target.
        compile: whether steps are compiled.

    Attributes:
        take: follows the gradient of the mean loss of a batch, given as the numbers of its samples, and returns that
            loss. If it is not finite, or an error is raised, nothing has moved.
    """

    def __init__(self, model: Model, loss: Loss, optimizer: Optimizer, samples: Samples, compile: bool) -> None:
        self.model, self.loss, self.optimizer, self.samples = model, loss, optimizer, samples
        self.take: Callable[[Sequence[int]], float] = self.compiled_step if compile else self.eager_step
        self._rows: list[list[float]] = []
        self._kinds: list[Kind] = []
        self._places: list[int] = []  # of the trained parameters among those of the optimiser
        self._compiled: CompiledStep | None = None
        # What the model has not got yet: parameters with their states, and the number of steps. In one place, so that
        # Ctrl-C cannot part them.
        self._learned: tuple[list[float], int] | None = None

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

    def eager_step(self, batch: Sequence[int]) -> float:
        """Take a step by `backward()` and `optimizer.step()`."""
        with gc_paused():
            total = mean([self.loss_of(x, y) for x, y in map(self.samples.__getitem__, batch)])
            number = float(total)
            if math.isfinite(number):
                self.optimizer.zero_grad()
                if isinstance(total, Value):
                    total.backward()
                self.optimizer.step()
        return number

    # Compiled

    def compiled_step(self, batch: Sequence[int]) -> float:
        """Take a step by generated code; where that cannot tell, eagerly, and from then on if it never can."""
        try:
            total, numbers = self.computed(batch)
        except Unfollowed as reason:
            return self.give_up(reason, batch)
        if math.isfinite(sum(numbers, total)):
            self._learned = numbers, self.optimizer.steps + 1
            return total
        self.commit()
        return self.eager_step(batch)

    def computed(self, batch: Sequence[int]) -> tuple[float, list[float]]:
        """Return the mean loss, nan if generated code raises, and the parameters with their states after the step.

        Raises:
            Unfollowed: if the step cannot be compiled.
        """
        numbers, self.optimizer.steps = self._learned or self.fetch()  # schedules ask for the steps
        lr = self.optimizer.learning_rate()
        rows = [self._rows[number] for number in batch]
        assert self._compiled is not None
        try:
            return self._compiled(numbers, rows, self.optimizer.steps + 1, lr)
        except MATH_ERRORS:
            return math.nan, numbers

    def give_up(self, reason: Unfollowed, batch: Sequence[int]) -> float:
        """Take a step eagerly, as all that follow, and say why; if it raises, that says enough."""
        self.commit()
        self.take = self.eager_step
        total = self.eager_step(batch)
        warnings.warn(f"fit runs eagerly: {reason}", RuntimeWarning, stacklevel=5)
        return total

    def fetch(self) -> tuple[list[float], int]:
        """Return the parameters with their states, and the number of steps done, after compiling what they need.

        Raises:
            Unfollowed: if that cannot be done.
        """
        optimizer = self.optimizer
        self._places = [place for place, parameter in enumerate(optimizer.params) if not isinstance(parameter, Frozen)]
        parameters = [optimizer.params[place] for place in self._places]
        states = [optimizer.states()[place] for place in self._places]
        looking = [type(mode).__name__ for mode in active() if mode.observer]
        if looking:
            raise Unfollowed(f"{looking[0]} is on, which looks at every operation")
        if type(optimizer).step is not Optimizer.step:
            raise Unfollowed(f"{type(optimizer).__name__} has a step of its own")
        if not parameters:
            raise Unfollowed("all parameters are frozen")
        if any(type(parameter) is not Value or type(parameter.data) is not float for parameter in parameters):
            raise Unfollowed("a parameter is no plain Value of a float")
        if not is_table(states):
            raise Unfollowed("the optimiser keeps something else than numbers, equally many for each parameter")
        self.compile(parameters, len(states[0]))
        numbers = [parameter.data for parameter in parameters]
        return numbers + [number for slot in zip(*states, strict=True) for number in slot], optimizer.steps

    def compile(self, parameters: list[Value], slots: int) -> None:
        """Make ready for the optimiser's hyperparameters as they are, and for `parameters` if they are others."""
        known = self._compiled
        if known is None:
            self._rows, self._kinds = as_rows(self.samples)
        if known is None or (known.slots, *map(id, known.parameters)) != (slots, *map(id, parameters)):
            self._compiled = CompiledStep(self.loss_of_numbers, self.optimizer, parameters, slots, self._kinds)
        else:
            known.refresh()

    def loss_of_numbers(self, *numbers: Value) -> Any:
        """Return the loss of a sample like the others with these numbers."""
        return self.loss_of(*with_leaves(self.samples[0], numbers))

    def commit(self) -> None:
        """Let the model and the optimiser have what was learned."""
        if self._learned is None:
            return
        numbers, self.optimizer.steps = self._learned
        count = len(self._places)
        slots = [numbers[start : start + count] for start in range(count, len(numbers), count)]
        states = dict(zip(self._places, zip(*slots, strict=True), strict=bool(slots)))
        self.optimizer.state = [states.get(place, state) for place, state in enumerate(self.optimizer.state)]
        assign([self.optimizer.params[place] for place in self._places], numbers)
        self._learned = None


def as_rows(samples: Samples) -> tuple[list[list[float]], list[Kind]]:
    """Return the numbers of each sample, and for each number of a sample whether it is an `int` in all of them.

    Raises:
        Unfollowed: if they are not of the same shape, or hold something that is as good as no float.
    """
    try:
        found = [Arguments(sample) for sample in samples]
    except Unfit as reason:
        raise Unfollowed(f"there is in the data {reason}") from None
    if any(sample.key != found[0].key for sample in found):
        raise Unfollowed("samples of different shapes")
    leaves = [leaf for sample in found for leaf in sample.leaves]
    if any(map(is_node, leaves)):
        raise Unfollowed("there are Values in the data")
    if any(sample.is_exact for sample in found):
        raise Unfollowed("there are numbers in the data that no float can be")
    columns = zip(*(sample.leaves for sample in found), strict=True)
    kinds: list[Kind] = [int if {*map(type, column)} == {int} else float for column in columns]
    return [sample.numbers for sample in found], kinds
