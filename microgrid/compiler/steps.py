"""Training steps: the loss of a batch, its gradient, and the update of every parameter, as one generated function.

The loss of one sample is traced and becomes the body of a loop over the rows of a batch; what the optimiser does with
one parameter is traced as well, and follows for each of them. Parameters and gradients are local variables. A sample
that goes another way through the loss than those before adds a branch to the body.
"""

from __future__ import annotations

from microgrid.compiler.cases import defined
from microgrid.compiler.emit import Writer, as_function, joined, kept_together, unpacked
from microgrid.compiler.passes import optimised
from microgrid.compiler.program import Guard, Program, Step, names_in, operands, renamed
from microgrid.compiler.trace import Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from microgrid.engine import Value

MOST_BRANCHES = 16


class Unfollowed(Exception):
    """Raised for a function that a trace cannot follow; it says why."""


def traced(function: Callable[..., Sequence[Any]], numbers: Sequence[float]) -> tuple[Program, list[Value]]:
    """Return what `function` does with `numbers` as a program, and the values of others that it uses.

    Raises:
        Unfollowed: if it does something that a program cannot tell.
    """
    trace = Trace(numbers)
    with trace:
        outputs = function(*trace.inputs)
    program = trace.program(outputs)
    if trace.obstacle:
        raise Unfollowed(trace.obstacle)
    return optimised(program), trace.externals


def with_names(program: Program, names: Mapping[str, str]) -> Program:
    """Return `program` with its names replaced as `names` tells."""
    known = dict(names)
    steps = [
        step._replace(operands=renamed(step.operands, known))
        if isinstance(step, Guard)
        else Step(known.get(step.target, step.target), step.rule, renamed(step.arguments, known))
        for step in program.steps
    ]
    inputs = tuple(known.get(name, name) for name in program.inputs)
    return Program(inputs, tuple(steps), renamed(program.outputs, known))


class Update:
    """What an optimiser does with one parameter, as lines of source for each of them.

    Args:
        optimizer: an `Optimizer`.
        step: the number of the next step; if `update` decides by it, the lines hold for steps that decide the same.
    """

    def __init__(self, optimizer: Any, step: int) -> None:
        self.slots = len(optimizer.initial_state())

        def update(parameter: Value, gradient: Value, step: Value, lr: Value, *state: Value) -> list[Any]:
            moved, kept = optimizer.update(parameter, gradient, state, step, lr)
            return [moved, *kept]

        program, externals = traced(update, [0.5, 0.5, float(step), 0.5, *[0.5] * self.slots])
        if externals:
            raise Unfollowed("the optimiser uses a Value of its own")
        own = ["parameter", "gradient", "step", "lr", *(f"state{slot}" for slot in range(self.slots))]
        program = with_names(program, dict(zip(program.inputs, own, strict=True)))
        known, common = {"step", "lr"}, []
        for item in program.steps:
            if known.issuperset(names_in(operands(item))):
                common.append(item)
                known.update([item.target] if isinstance(item, Step) else [])
        rest = tuple(item for item in program.steps if item not in common)
        if any(isinstance(item, Guard) for item in rest):
            raise Unfollowed("the optimiser decides by the number of a parameter")
        used = {name for item in rest for name in names_in(operands(item))} | {*names_in(program.outputs)}
        outside = tuple(sorted((known - {"step", "lr"}) & used))
        # Every parameter uses them: as outputs given twice they are not written where they are used.
        self.common = Writer(Program(("step", "lr"), tuple(common), outside * 2)).forward()
        marks = {name: f"{name}_@" for name in own if name not in known}
        marks |= {item.target: f"{item.target}_@" for item in rest if isinstance(item, Step)}
        self.program = with_names(program._replace(steps=rest), marks)
        writer = Writer(self.program)
        self.own = writer.forward()
        self.outputs = [writer.bare(output) for output in self.program.outputs]

    def lines(self, number: int) -> list[str]:
        """Return the lines that update the parameter of that number."""
        return [line.replace("_@", f"_{number}") for line in self.own]

    def loop_source(self) -> str:
        """Return the source of a function that updates any number of parameters."""
        states = [f"state{slot}_@" for slot in range(self.slots)]
        given = ", ".join(["parameters", "gradients", *(f"states{slot}" for slot in range(self.slots))])
        kept = [f"new{slot}" for slot in range(self.slots + 1)]
        lines = [
            *self.common,
            *(f"{name} = []" for name in kept),
            f"for {', '.join(['parameter_@', 'gradient_@', *states])} in zip({given}):",
            *indented([*self.own, *(f"{name}.append({text})" for name, text in zip(kept, self.outputs, strict=True))]),
            f"return [{', '.join(kept)}]",
        ]
        source = as_function("update", f"{given}, step, lr", lines)
        return source.replace("_@", "")

    def results(self, slot: int, count: int) -> str:
        """Return the text of a list: of all new parameters (slot 0), or of one part of all states."""
        return f"[{', '.join(self.outputs[slot].replace('_@', f'_{number}') for number in range(count))}]"


class CompiledUpdate:
    """The update of all parameters as one generated function.

    Args:
        optimizer: an `Optimizer`.

    Attributes:
        source: the generated program; empty before the first step.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.source = ""
        self.settings: Any = None
        self._function: Any = None

    def __call__(
        self, numbers: Sequence[float], gradients: Sequence[float], states: Sequence[Sequence[float]], lr: float
    ) -> list[list[float]]:
        """Return the parameters after the next step, and then their states, part by part.

        Args:
            numbers, gradients: of the parameters.
            states: the first part of all states, then the second, ….
            lr: the learning rate.

        Raises:
            Unfollowed: if the optimiser's `update` cannot be compiled.
            ArithmeticError, ValueError: where the generated code does.
        """
        step, settings = self.optimizer.steps + 1, self.optimizer.settings()
        moved = self._function(numbers, gradients, *states, step, lr) if settings == self.settings else None
        if moved is None:
            self.settings = settings
            self.source = Update(self.optimizer, step).loop_source()
            self._function = defined(self.source, "update")
            moved = self._function(numbers, gradients, *states, step, lr)
        result: list[list[float]] = moved
        return result


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
        place = {parameter: number for number, parameter in enumerate(parameters)}
        others.extend(value for value in externals if value not in place and value not in {*others})
        names = {
            name: f"parameter_{place[value]}" if value in place else f"leaf{others.index(value)}"
            for name, value in zip(program.inputs[len(numbers) :], externals, strict=True)
        }
        self.program = with_names(program, names)
        self.guarded = any(isinstance(step, Guard) for step in program.steps)

    def lines(self) -> list[str]:
        """Return the lines that add the sample's loss to `total`, and its gradients to those of the parameters."""
        writer = Writer(self.program, [name for name in self.program.inputs if name.startswith("parameter_")])
        (loss,) = self.program.outputs
        lines = [*writer.forward("break"), f"total += {writer.bare(loss)}"]
        reverse, gained = writer.backward({loss: ["scale"]} if isinstance(loss, str) else {})
        choices = {line.partition(" = ")[0] for line in reverse if " if " in line}
        units: dict[str, list[str]] = {}  # by the adjoint that they do nothing for where it is zero, as of a dead unit
        for name, terms in gained.items():
            if not terms:
                continue
            adjoint = terms[0].partition(" * ")[0] if len(terms) == 1 else ""
            line = f"{name.replace('parameter', 'gradient')} += {joined(kept_together(terms))}"
            units.setdefault(adjoint if adjoint in choices else "", []).append(line)
        for adjoint, additions in units.items():
            reverse += [f"if {adjoint}:", *indented(additions)] if adjoint else additions
        return lines + reverse


def indented(lines: Sequence[str]) -> list[str]:
    """Return `lines` as those of a block."""
    return ["    " + line for line in lines]


class CompiledStep:
    """A training step as one generated function.

    Args:
        loss: the loss of one sample, a function of its numbers.
        optimizer: an `Optimizer`, whose `update` is compiled too.
        parameters: those that it trains.

    Attributes:
        source: the generated program; empty before the first step.
    """

    def __init__(self, loss: Callable[..., Any], optimizer: Any, parameters: Sequence[Value]) -> None:
        self.loss, self.optimizer, self.parameters = loss, optimizer, parameters
        self.others: list[Value] = []
        self.branches: list[Sample] = []
        self.updates: list[Update] = []
        self.source = ""
        self._function: Any = None

    def __call__(
        self, numbers: Sequence[float], states: Sequence[float], rows: Sequence[Sequence[float]], step: int, lr: float
    ) -> tuple[float, list[float], list[float]]:
        """Return the mean loss of `rows`, and the parameters and their states after the step.

        Args:
            numbers: the parameters.
            states: what the optimiser keeps for them: the first part of all states, then the second, ….
            rows: the numbers of the samples.
            step: the number of the step, beginning with 1.
            lr: the learning rate.

        Raises:
            Unfollowed: if the loss or the optimiser cannot be compiled.
            ArithmeticError, ValueError: where the generated code does.
        """
        if not self.branches:
            self.count = len(rows[0])
            self.branch(rows[0], step)
        scale = 1 / len(rows)
        while True:
            leaves = [value.data for value in self.others]
            result = self._function(numbers, states, leaves, rows, scale, step, lr)
            if type(result) is list:
                total, moved, *kept = result
                return total * scale, moved, [number for part in kept for number in part]
            self.branch(result, step)

    def branch(self, row: Sequence[float] | None, step: int) -> None:
        """Write the function anew, with one more way: for the sample `row`, or for what is decided by `step`."""
        if row is None or not self.updates:
            self.updates.append(Update(self.optimizer, step))
        if row is not None:
            self.branches.append(Sample(self.loss, row, self.parameters, self.others))
        if len(self.branches) > MOST_BRANCHES or len(self.updates) > MOST_BRANCHES:
            raise Unfollowed(f"the samples go more than {MOST_BRANCHES} ways through the loss")
        self.source = self.write()
        self._function = defined(self.source, "step")

    def write(self) -> str:
        """Return the source."""
        numbers, update = range(len(self.parameters)), self.updates[-1]
        states = [f"state{slot}_{number}" for slot in range(update.slots) for number in numbers]
        body = unpacked([f"input{index}" for index in range(self.count)], "row")
        if any(branch.guarded for branch in self.branches):
            for branch in self.branches:
                body += ["for _ in (0,):", *indented(branch.lines()), "else:", "    continue"]
            body.append("return row")
        else:
            body += self.branches[0].lines()
        lines = [
            *unpacked([f"parameter_{number}" for number in numbers], "parameters"),
            *unpacked(states, "states"),
            *unpacked([f"leaf{index}" for index in range(len(self.others))], "leaves"),
            *update.common,
            f"{' = '.join(f'gradient_{number}' for number in numbers)} = 0.0",
            "total = 0.0",
            "for row in rows:",
            *indented(body),
            *(line for number in numbers for line in update.lines(number)),
            f"return [total, {', '.join(update.results(slot, len(numbers)) for slot in range(update.slots + 1))}]",
        ]
        return as_function("step", "parameters, states, leaves, rows, scale, step, lr", lines)
