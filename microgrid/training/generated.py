"""Training steps: the loss of a batch, its gradient, and the update of every parameter, as one generated function.

The loss of one sample is traced and becomes the body of a loop over the rows of a batch; what the optimiser does with
one parameter is traced as well, and follows for each of them. That is a step, the body of a loop over batches and
learning rates. Parameters and gradients are local variables. A sample that goes another way through the loss than those
before adds a branch to the body.
"""

from __future__ import annotations

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.cases import defined
from microgrid.compiler.parts import traced
from microgrid.compiler.program.form import MOST_WAYS, Guard
from microgrid.compiler.program.units import with_gains
from microgrid.compiler.source.emit import Writer, as_function, indented, summed, unpacked
from microgrid.compiler.source.emit import dependents as depending_on
from microgrid.engine.graph import assign
from microgrid.engine.operations import dependents
from microgrid.optim.updates import Update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from microgrid.engine.value import Value


class Sample:
    """The loss of one sample as lines of source: one way through it, with its reverse pass.

    Args:
        loss: a function of the numbers of a sample.
        numbers: a sample.
        whole: the positions of the numbers that may be integers.
        parameters: the trainable parameters.
        others: the other values that losses use; those of this one are added.

    Attributes:
        wholes: the positions of those of which it matters.
        is_trainable: whether the loss depends on a parameter.
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        numbers: Sequence[float],
        whole: Collection[int],
        parameters: Sequence[Value],
        others: list[Value],
    ) -> None:
        program, externals = traced(lambda *inputs: [loss(*inputs)], numbers, whole)
        known = {*parameters, *others}
        others += [value for value in externals if value not in known]
        names = {parameter: f"parameter{number}" for number, parameter in enumerate(parameters)}
        names |= {value: f"leaf{number}" for number, value in enumerate(others)}
        end = len(program.inputs) - len(externals)
        inputs, unconverted = program.inputs[end:], program.inputs[len(numbers) : end]
        self.wholes = [int(name.removeprefix("whole")) for name in unconverted]
        self.program = program.renamed(dict(zip(inputs, map(names.__getitem__, externals), strict=True)))
        self.is_guarded = any(isinstance(step, Guard) for step in program.steps)
        depending = depending_on(self.program, [name for name in self.program.inputs if name.startswith("parameter")])
        self.is_trainable = not depending.isdisjoint(self.program.outputs)

    def lines(self) -> list[str]:
        """Return the lines that add the sample's loss to `loss`, and its gradients to those of the parameters."""
        writer = Writer(self.program, [name for name in self.program.inputs if name.startswith("parameter")])
        (output,) = self.program.outputs
        lines = [*writer.forward("break"), f"loss += {writer.bare(output)}"]
        reverse, gained = writer.backward({output: ["scale"]} if isinstance(output, str) else {})
        sums = {name: name.replace("parameter", "gradient") for name in gained}
        return lines + with_gains(reverse, gained, sums)


class CompiledSteps:
    """Training steps, one after the other, as one generated function.

    Args:
        loss: the loss of one sample, a function of its numbers.
        optimizer: an `Optimizer`, whose `update` is compiled too.
        parameters: those that it trains.
        slots: how many numbers the optimiser keeps for a parameter.
        rows: the numbers of all samples; where it matters whether some are integers, they are added unconverted.
        samples: the same numbers unconverted; those that are an integer in some sample may be one in all. A row
            without a sample has floats alone.

    Attributes:
        source: the generated program; empty before the first step.
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        optimizer: Any,
        parameters: Sequence[Value],
        slots: int,
        rows: Sequence[list[float]],
        samples: Sequence[Sequence[Any]],
    ) -> None:
        self.loss, self.optimizer, self.parameters, self.slots = loss, optimizer, parameters, slots
        self.rows, self.samples = rows, {id(row): sample for row, sample in zip(rows, samples, strict=False)}
        self.size = len(samples[0])
        self.whole = [
            place for place in range(self.size) if any([isinstance(sample[place], int) for sample in samples])
        ]
        self.wholes: list[int] = []
        for row in rows:
            del row[self.size :]  # what other steps have added
        self.others: list[Value] = []
        self.branches: list[Sample] = []
        self.updates: list[Update] = []
        self.source = ""
        self._settings = optimizer.settings()
        self._function: Any = None
        self._is_outdated = False
        dependents.add(self)

    def cache_clear(self) -> None:
        """Forget what was compiled, before the next step."""
        self._is_outdated = True

    def __call__(
        self, numbers: Sequence[float], batches: Sequence[Sequence[list[float]]], steps: int, rates: Sequence[float]
    ) -> tuple[list[float], list[float]]:
        """Return the mean losses of `batches`, and the parameters and their states after a step for each.

        Where something new is met, the steps end before it; the next call, which begins with it, compiles it.

        Args:
            numbers: the parameters, then the first part of all states, then the second, …. Where a sample goes a new
                way the parameters themselves are set to them, since the trace decides by these.
            batches: for each step the numbers of its samples.
            steps: how many steps were done before.
            rates: for each step its learning rate.

        Raises:
            Unfit: if the loss or the optimiser cannot be compiled.
            ArithmeticError, ValueError: where the generated code does, in any of the steps.
        """
        if self._is_outdated:
            self._is_outdated, self._function = False, None
            self.branches, self.updates, self.others = [], [], []
        if not self.branches:
            self.add_branch(numbers, batches[0][0])
        if not self.updates:
            self.add_update(steps + 1, rates[0])
        while True:
            if self._function is None:
                self.source = self.write()
                self._function = defined(self.source, "training_steps")
            leaves = [value.data for value in self.others]
            losses, moved, missed = self._function(numbers, leaves, batches, rates, steps)
            if losses:
                return losses, moved
            if missed == "update":
                self.add_update(steps + 1, rates[0])
            else:
                self.add_branch(numbers, missed)

    def add_branch(self, numbers: Sequence[float], row: Sequence[float]) -> None:
        """Add the way that the sample `row` goes."""
        if len(self.branches) == MOST_WAYS:
            raise Unfit(f"the samples go more than {MOST_WAYS} ways through the loss")
        assign(self.parameters, numbers)
        branch = Sample(self.loss, self.samples.get(id(row), row), self.whole, self.parameters, self.others)
        added = [place for place in branch.wholes if place not in self.wholes]
        self.wholes += added
        for row in self.rows if added else ():
            row += [self.samples[id(row)][place] for place in added]
        self.branches.append(branch)
        self._function = None

    def add_update(self, step: int, lr: float) -> None:
        """Replace what the optimiser does, by what it does from this step on."""
        if len(self.updates) == MOST_WAYS:
            raise Unfit(f"the optimiser decides in more than {MOST_WAYS} ways by the number of the step")
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
        count = len(self.parameters)
        names = [f"parameter{number}" for number in range(count)]
        names += [f"state{slot}_of{number}" for slot in range(self.slots) for number in range(count)]
        lines = [
            *unpacked(names, "numbers"),
            *unpacked([f"leaf{index}" for index in range(len(self.others))], "leaves"),
            "losses, missed = [], None",
            "for rows, lr in zip(batches, rates):",
            *indented(self.step()),
            f"return losses, [{', '.join(names)}], missed",
        ]
        return as_function("training_steps", "numbers, leaves, batches, rates, steps", lines)

    def step(self) -> list[str]:
        """Return the lines of one step: all samples, and then the update; it is left before that if a guard fails."""
        count, update = len(self.parameters), self.updates[-1]
        gradients = " = ".join(f"gradient{number}" for number in range(count))
        unmet = 'missed = "update"\nbreak'
        begin = [
            *["steps += 1"] * update.counts,
            *update.common(unmet),
            f"{gradients} = 0.0",
            "loss, scale = 0.0, 1.0 / len(rows)",
        ]
        if update.hides:
            terms = [f"gradient{number}" for number in range(count)]
            hidden = [*summed("hidden", terms), "loss += 0.0 * hidden"]  # nan sends the step back to the eager run
        else:
            hidden = []
        end = [
            *hidden,
            *(line for number in range(count) for line in update.lines(number)),
            "losses.append(loss * scale)",
        ]
        names = [f"input{place}" for place in range(self.size)] + [f"whole{place}" for place in self.wholes]
        inputs = unpacked(names, "row")
        if not self.branches[0].is_guarded:
            return [*begin, "for row in rows:", *indented(inputs + self.branches[0].lines()), *end]
        ways = [
            line
            for branch in self.branches
            for line in ("for _ in (0,):", *indented(branch.lines()), "else:", "    continue")
        ]
        sample = [*inputs, *ways, "missed = row", "break"]
        return [*begin, "for row in rows:", *indented(sample), "else:", *indented(end), "    continue", "break"]
