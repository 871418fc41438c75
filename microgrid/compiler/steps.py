"""Training steps: the loss of a batch, its gradient, and the update of every parameter, as one generated function.

The loss of one sample is traced and becomes the body of a loop over the rows of a batch; what the optimiser does with
one parameter is traced as well, and follows for each of them. Parameters and gradients are local variables. A sample
that goes another way through the loss than those before adds a branch to the body.
"""

from __future__ import annotations

from microgrid.compiler.cases import defined
from microgrid.compiler.emit import Writer, as_function, indented, unpacked
from microgrid.compiler.parts import Unfollowed, traced, with_names
from microgrid.compiler.program import Guard
from microgrid.compiler.updates import Update
from microgrid.graph import assign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.engine import Value

MOST_BRANCHES = 16


class Sample:
    """The loss of one sample as lines of source: one way through it, with its reverse pass.

    Args:
        loss: a function of the numbers of a sample.
        numbers: a sample.
        parameters: the trainable parameters.
        others: the other values that losses use; those of this one are added.
    """

    def __init__(
        self, loss: Callable[..., Any], numbers: Sequence[float], parameters: Sequence[Value], others: list[Value]
    ) -> None:
        program, externals = traced(lambda *inputs: [loss(*inputs)], numbers)
        known = {*parameters, *others}
        others += [value for value in externals if value not in known]
        names = {parameter: f"parameter{number}" for number, parameter in enumerate(parameters)}
        names |= {value: f"leaf{number}" for number, value in enumerate(others)}
        inputs = program.inputs[len(numbers) :]
        self.program = with_names(program, dict(zip(inputs, map(names.__getitem__, externals), strict=True)))
        self.is_guarded = any(isinstance(step, Guard) for step in program.steps)

    def lines(self) -> list[str]:
        """Return the lines that add the sample's loss to `loss`, and its gradients to those of the parameters."""
        writer = Writer(self.program, [name for name in self.program.inputs if name.startswith("parameter")])
        (output,) = self.program.outputs
        lines = [*writer.forward("break"), f"loss += {writer.bare(output)}"]
        reverse, gained = writer.backward({output: ["scale"]} if isinstance(output, str) else {})
        choices = {line.partition(" = ")[0] for line in reverse if " if " in line}
        units: dict[str, list[str]] = {}  # by the adjoint that they do nothing for where it is zero, as of a dead unit
        for name, terms in gained.items():
            adjoint = terms[0].partition(" * ")[0] if len(terms) == 1 else ""
            additions = [f"{name.replace('parameter', 'gradient')} += {term}" for term in terms]
            units.setdefault(adjoint if adjoint in choices else "", []).extend(additions)
        for adjoint, additions in units.items():
            reverse += [f"if {adjoint}:", *indented(additions)] if adjoint else additions
        return lines + reverse


class CompiledStep:
    """A training step as one generated function.

    Args:
        loss: the loss of one sample, a function of its numbers.
        optimizer: an `Optimizer`, whose `update` is compiled too.
        parameters: those that it trains.
        slots: how many numbers the optimiser keeps for a parameter.
        kinds: `int` or `float` for each number of a sample: what it is where the loss is traced.

    Attributes:
        source: the generated program; empty before the first step.
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        optimizer: Any,
        parameters: Sequence[Value],
        slots: int,
        kinds: Sequence[Callable[[float], float]],
    ) -> None:
        self.loss, self.optimizer, self.parameters, self.slots, self.kinds = loss, optimizer, parameters, slots, kinds
        self.others: list[Value] = []
        self.branches: list[Sample] = []
        self.updates: list[Update] = []
        self.source = ""
        self._settings = optimizer.settings()
        self._function: Any = None

    def __call__(
        self, numbers: Sequence[float], rows: Sequence[list[float]], step: int, lr: float
    ) -> tuple[float, list[float]]:
        """Return the mean loss of `rows`, and the parameters and their states after the step.

        Args:
            numbers: the parameters, then the first part of all states, then the second, …. Where a sample goes a new
                way the parameters themselves are set to them, since the trace decides by these.
            rows: the numbers of the samples.
            step: the number of the step, beginning with 1.
            lr: the learning rate.

        Raises:
            Unfollowed: if the loss or the optimiser cannot be compiled.
            ArithmeticError, ValueError: where the generated code does.
        """
        if not self.branches:
            self.add_branch(numbers, rows[0])
        if not self.updates:
            self.add_update(step, lr)
        while True:
            if self._function is None:
                self.source = self.write()
                self._function = defined(self.source, "training_step")
            leaves = [value.data for value in self.others]
            found = self._function(numbers, leaves, rows, 1 / len(rows), step, lr)
            if type(found) is tuple:
                return found
            if found is None:
                self.add_update(step, lr)
            else:
                self.add_branch(numbers, found)

    def add_branch(self, numbers: Sequence[float], row: Sequence[float]) -> None:
        """Add the way that the sample `row` goes."""
        if len(self.branches) == MOST_BRANCHES:
            raise Unfollowed(f"the samples go more than {MOST_BRANCHES} ways through the loss")
        assign(self.parameters, numbers)
        sample = [kind(number) for kind, number in zip(self.kinds, row, strict=True)]
        self.branches.append(Sample(self.loss, sample, self.parameters, self.others))
        self._function = None

    def add_update(self, step: int, lr: float) -> None:
        """Replace what the optimiser does, by what it does from this step on."""
        if len(self.updates) == MOST_BRANCHES:
            raise Unfollowed(f"the optimiser decides in more than {MOST_BRANCHES} ways by the number of the step")
        self.updates.append(Update(self.optimizer, self.slots, step, lr))
        self._function = None

    def refresh(self) -> None:
        """Make ready for the optimiser's hyperparameters as they are."""
        settings = self.optimizer.settings()
        if settings != self._settings:
            self._settings = settings
            self.updates.clear()

    def write(self) -> str:
        """Return the source."""
        count, update = len(self.parameters), self.updates[-1]
        gradients = " = ".join(f"gradient{number}" for number in range(count))
        lines = [
            *unpacked([f"parameter{number}" for number in range(count)] + self.states(), "numbers"),
            *unpacked([f"leaf{index}" for index in range(len(self.others))], "leaves"),
            *update.common,
            f"{gradients} = 0.0",
            "loss = 0.0",
            "for row in rows:",
            *indented(self.body()),
            *(line for number in range(count) for line in update.lines(number)),
            f"return loss * scale, {update.results(count)}",
        ]
        return as_function("training_step", "numbers, leaves, rows, scale, steps, lr", lines)

    def states(self) -> list[str]:
        """Return the names of the numbers that the optimiser keeps."""
        return [f"state{slot}_of{number}" for slot in range(self.slots) for number in range(len(self.parameters))]

    def body(self) -> list[str]:
        """Return the lines for one sample: each way is tried, and left where it turns out to be another's."""
        lines = unpacked([f"input{index}" for index in range(len(self.kinds))], "row")
        if not self.branches[0].is_guarded:
            return lines + self.branches[0].lines()
        for branch in self.branches:
            lines += ["for _ in (0,):", *indented(branch.lines()), "else:", "    continue"]
        return [*lines, "return row"]
