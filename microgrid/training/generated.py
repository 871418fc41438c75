"""Compiled training steps: the loss of a batch, its gradient and all updates, as one generated function.

The loss of one sample is traced, and becomes the body of a loop over the rows of a batch. The update of one parameter
is traced too, and follows once for each parameter. Together they are a step: the body of a loop over batches and
learning rates. Parameters and gradients are local variables. A sample that takes a new path through the loss adds that
path to the body.
"""

from __future__ import annotations

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.cases import defined
from microgrid.compiler.parts import traced_program
from microgrid.compiler.program.form import MOST_PATHS, Guard
from microgrid.compiler.program.units import with_sums
from microgrid.compiler.source.emit import Writer, active_names, as_function, indented, summed, unpacked
from microgrid.engine.graph import assign
from microgrid.engine.operations import dependents
from microgrid.optim.updates import Update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from microgrid.engine.value import Value


class Path:
    """One path through the loss of a sample, with its reverse pass, as lines of source.

    Args:
        loss: a function of the numbers of a sample.
        numbers: a sample that takes this path.
        whole: the positions of numbers that may be integers.
        parameters: the trainable parameters.
        others: the other leaves that losses depend on; those of this path are appended.

    Attributes:
        wholes: the positions at which it matters whether a number is an integer.
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
        program, externals = traced_program(lambda *inputs: [loss(*inputs)], numbers, whole)
        known = {*parameters, *others}
        others += [value for value in externals if value not in known]
        names = {parameter: f"parameter{index}" for index, parameter in enumerate(parameters)}
        names |= {value: f"leaf{index}" for index, value in enumerate(others)}
        end = len(program.inputs) - len(externals)
        inputs, unconverted = program.inputs[end:], program.inputs[len(numbers) : end]
        self.wholes = [int(name.removeprefix("whole")) for name in unconverted]
        self.program = program.renamed(dict(zip(inputs, map(names.__getitem__, externals), strict=True)))
        self.is_guarded = any(isinstance(step, Guard) for step in program.steps)
        depending = active_names(self.program, [name for name in self.program.inputs if name.startswith("parameter")])
        self.is_trainable = not depending.isdisjoint(self.program.outputs)

    def lines(self) -> list[str]:
        """Return the lines that add the loss of a row to `loss` and accumulate its gradients; a failed guard breaks."""
        writer = Writer(self.program, [name for name in self.program.inputs if name.startswith("parameter")])
        (output,) = self.program.outputs
        lines = [*writer.forward("break"), f"loss += {writer.bare(output)}"]
        reverse, gained = writer.backward({output: ["scale"]} if isinstance(output, str) else {})
        sums = {name: name.replace("parameter", "gradient") for name in gained}
        return lines + with_sums(reverse, gained, sums)


class CompiledSteps:
    """A sequence of training steps as one generated function.

    Args:
        loss: the loss of one sample, a function of its numbers.
        optimizer: an `Optimizer`, whose `update` is compiled too.
        parameters: the parameters it trains.
        slots: the count of numbers in the state of a parameter.
        rows: the samples, as rows of floats. Where it matters whether numbers are integers, they are appended to
            the rows unconverted.
        samples: the same rows unconverted. A column with an integer in some sample may have integers in all. Rows
            without a sample are floats only.

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
            del row[self.size :]  # integers that earlier compiled steps have appended
        self.others: list[Value] = []
        self.paths: list[Path] = []
        self.updates: list[Update] = []
        self.source = ""
        self._settings = optimizer.settings()
        self._function: Any = None
        self._is_outdated = False
        dependents.add(self)

    def cache_clear(self) -> None:
        """Compile again at the next step."""
        self._is_outdated = True

    def __call__(
        self, numbers: Sequence[float], batches: Sequence[Sequence[list[float]]], steps: int, rates: Sequence[float]
    ) -> tuple[list[float], list[float]]:
        """Return the mean losses of `batches`, and parameters and states after a step for each.

        If a step needs a path that is not compiled yet, the steps end before it; the next call begins by compiling it.

        Args:
            numbers: the parameters, then the first number of every state, then the second, …. To trace a new path, the
                parameters themselves are set to these, since guards depend on them.
            batches: for each step, the rows of its samples.
            steps: the count of steps taken before.
            rates: for each step, its learning rate.

        Raises:
            Unfit: if the loss or the optimiser cannot be compiled.
            ArithmeticError, ValueError: if the generated code does, in any step.
        """
        if self._is_outdated:
            self._is_outdated, self._function = False, None
            self.paths, self.updates, self.others = [], [], []
        if not self.paths:
            self.add_path(numbers, batches[0][0])
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
                self.add_path(numbers, missed)

    def add_path(self, numbers: Sequence[float], row: Sequence[float]) -> None:
        """Add the path that the sample `row` takes."""
        if len(self.paths) == MOST_PATHS:
            raise Unfit(f"the samples take more than {MOST_PATHS} paths through the loss")
        assign(self.parameters, numbers)
        path = Path(self.loss, self.samples.get(id(row), row), self.whole, self.parameters, self.others)
        added = [place for place in path.wholes if place not in self.wholes]
        self.wholes += added
        for row in self.rows if added else ():
            row += [self.samples[id(row)][place] for place in added]
        self.paths.append(path)
        self._function = None

    def add_update(self, step: int, lr: float) -> None:
        """Replace the update by that of `step` and later ones."""
        if len(self.updates) == MOST_PATHS:
            raise Unfit(f"the optimiser takes more than {MOST_PATHS} paths, depending on step and lr")
        self.updates.append(Update(self.optimizer, self.slots, step, lr))
        self._function = None

    def refresh(self) -> None:
        """Forget the updates if hyperparameters of the optimiser have changed."""
        settings = self.optimizer.settings()
        if settings != self._settings:
            self._settings = settings
            self.updates.clear()

    def write(self) -> str:
        """Return the source of the function."""
        count = len(self.parameters)
        names = [f"parameter{index}" for index in range(count)]
        names += [f"state{slot}_of{index}" for slot in range(self.slots) for index in range(count)]
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
        """Return the lines of one step: all samples, then the updates; if a guard fails, they break before those."""
        count, update = len(self.parameters), self.updates[-1]
        gradients = " = ".join(f"gradient{index}" for index in range(count))
        unmet = 'missed = "update"\nbreak'
        begin = [
            *["steps += 1"] * update.counts,
            *update.common(unmet),
            f"{gradients} = 0.0",
            "loss, scale = 0.0, 1.0 / len(rows)",
        ]
        if update.hides:
            terms = [f"gradient{index}" for index in range(count)]
            hidden = [*summed("hidden", terms), "loss += 0.0 * hidden"]  # 0 * inf is nan: the step then runs eagerly
        else:
            hidden = []
        end = [
            *hidden,
            *(line for index in range(count) for line in update.lines(index)),
            "losses.append(loss * scale)",
        ]
        names = [f"input{place}" for place in range(self.size)] + [f"whole{place}" for place in self.wholes]
        inputs = unpacked(names, "row")
        if not self.paths[0].is_guarded:
            return [*begin, "for row in rows:", *indented(inputs + self.paths[0].lines()), *end]
        # A path is a loop of one round: a failed guard breaks out of it, to the next path.
        paths = [
            line for path in self.paths for line in ("for _ in (0,):", *indented(path.lines()), "else:", "    continue")
        ]
        sample = [*inputs, *paths, "missed = row", "break"]
        return [*begin, "for row in rows:", *indented(sample), "else:", *indented(end), "    continue", "break"]
