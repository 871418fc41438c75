"""Training steps: the loss of a batch, its gradient, and the update of every parameter, as one generated function.

The loss of one sample is traced and becomes the body of a loop over the rows of a batch; what the optimiser does with
one parameter is traced as well, and follows for each of them. Parameters and gradients are local variables. A sample
that goes another way through the loss than those before adds a branch to the body.
"""

from __future__ import annotations

import re

from microgrid.compiler.cases import defined
from microgrid.compiler.emit import Writer, as_function, unpacked
from microgrid.compiler.passes import optimised
from microgrid.compiler.program import Guard, Program, Step, names_in, operands, renamed
from microgrid.compiler.trace import Trace
from microgrid.graph import assign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from microgrid.engine import Value

MOST_BRANCHES = 16
MOST_STEPS = 200_000
# What generated code calls its own: an operation of that name cannot be called there.
OWN = re.compile(
    r"training_step|updated|numbers|leaves|rows?|scale|steps|lr|loss|parameters|gradients|(states|new)\d+|state\d+(_of\d+)?|"
    r"(parameter|gradient|input|leaf)\d*"
)


class Unfollowed(Exception):
    """Raised for a function that a trace cannot follow; it says why."""


def traced(function: Callable[..., Sequence[Any]], numbers: Sequence[float]) -> tuple[Program, list[Value]]:
    """Return what `function` does with `numbers` as a program, and the values of others that it uses.

    Raises:
        Unfollowed: if it does something that a program cannot tell, or raises an error: it may be one of the trace.
    """
    trace = Trace(numbers)
    try:
        with trace:
            outputs = function(*trace.inputs)
    except Exception as error:
        raise Unfollowed(trace.obstacle or f"tracing it ended in {type(error).__name__}: {error}") from error
    program = trace.program(outputs)
    if trace.obstacle:
        raise Unfollowed(trace.obstacle)
    if len(program.steps) > MOST_STEPS:
        raise Unfollowed(f"{len(program.steps)} operations are too many to compile")
    for name in {step.rule.name for step in program.steps if isinstance(step, Step)}:
        if OWN.fullmatch(name):
            raise Unfollowed(f"an operation is called {name}, a name that generated code has for something else")
    for value in trace.externals:
        if value.op is not None:
            raise Unfollowed(f"it uses a node that was made before, {value!r:.60}")
        if type(value.data) is not float:
            raise Unfollowed(f"it uses a leaf that is no float, {value!r:.60}")
    return optimised(program), trace.externals


def with_names(program: Program, names: Mapping[str, str]) -> Program:
    """Return `program` with its names replaced as `names` tells.

    Names that end in an underscore and digits belong to traces: others cannot be mistaken for them.
    """
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
    """What an optimiser does with one parameter, as lines of source for each of them; `@` stands for its number.

    Args:
        optimizer: an `Optimizer`.
        slots: how many numbers it keeps for a parameter.
        step: the number of the next step.
        lr: its learning rate. If `update` decides by these two, the lines hold where they are decided alike.

    Raises:
        Unfollowed: if `update` cannot be compiled.
    """

    def __init__(self, optimizer: Any, slots: int, step: int, lr: float) -> None:
        self.slots = slots

        def update(parameter: Value, gradient: Value, step: Value, lr: Value, *state: Value) -> list[Any]:
            moved, kept = optimizer.update(parameter, gradient, state, step, lr)
            return [moved, *kept]

        program, externals = traced(update, [0.5, 0.5, float(step), lr, *[0.5] * slots])
        if externals:
            raise Unfollowed("the optimiser uses a Value of its own")
        if len(program.outputs) != 1 + slots:
            raise Unfollowed(f"the optimiser keeps {len(program.outputs) - 1} numbers of a parameter, not {slots}")
        names = ["parameter@", "gradient@", "steps", "lr", *(f"state{slot}_of@" for slot in range(slots))]
        common, own = parted(with_names(program, dict(zip(program.inputs, names, strict=True))))
        used = {name for step in own.steps for name in names_in(operands(step))} | {*names_in(own.outputs)}
        outside = tuple([name for name in targets(common) if name in used])
        # Every parameter uses them: as outputs given twice they are not written where they are used.
        self.common = Writer(common._replace(outputs=outside * 2)).forward()
        writer = Writer(own)
        self.own = writer.forward()
        self.outputs = [writer.bare(output) for output in own.outputs]

    def lines(self, number: int) -> list[str]:
        """Return the lines that update the parameter of that number."""
        return [line.replace("@", str(number)) for line in self.own]

    def results(self, count: int) -> str:
        """Return the text of a list: of the new parameters, then of the first part of all states, and so on."""
        texts = [output.replace("@", str(number)) for output in self.outputs for number in range(count)]
        return f"[{', '.join(texts)}]"

    def loop_source(self) -> str:
        """Return the source of a function that updates any number of parameters."""
        states = [f"state{slot}_of@" for slot in range(self.slots)]
        given = ", ".join(["parameters", "gradients", *(f"states{slot}" for slot in range(self.slots))])
        kept = [f"new{slot}" for slot in range(self.slots + 1)]
        lines = [
            *self.common,
            *(f"{name} = []" for name in kept),
            f"for {', '.join(['parameter@', 'gradient@', *states])} in zip({given}):",
            *indented([*self.own, *(f"{name}.append({text})" for name, text in zip(kept, self.outputs, strict=True))]),
            f"return [{', '.join(kept)}]",
        ]
        return as_function("updated", f"{given}, steps, lr", lines).replace("_of@", "").replace("@", "")


def targets(program: Program) -> list[str]:
    """Return the names of what `program` computes."""
    return [step.target for step in program.steps if isinstance(step, Step)]


def parted(program: Program) -> tuple[Program, Program]:
    """Return what an update does with `steps` and `lr` alone, once for all parameters, and what it does with each.

    Raises:
        Unfollowed: if it decides by the number of a parameter.
    """
    known = {"steps", "lr"}
    common: list[Step | Guard] = []
    own: list[Step | Guard] = []
    for step in program.steps:
        if known.issuperset(names_in(operands(step))):
            common.append(step)
            known.update([step.target] if isinstance(step, Step) else [])
        elif isinstance(step, Guard):
            raise Unfollowed("the optimiser decides by the numbers of a parameter")
        else:
            own.append(step)
    for_all = program._replace(inputs=("steps", "lr"), steps=tuple(common), outputs=())
    for_each = program._replace(steps=tuple(own))
    names = {name: f"{name}_of_all" for name in targets(for_all)} | {name: f"{name}_of@" for name in targets(for_each)}
    return with_names(for_all, names), with_names(for_each, names)


def unmet(*given: Any) -> None:
    """Return None, as generated code does where it meets something new."""


def refused(*given: Any) -> None:
    """Raise what generated code would, if there were some."""
    raise Unfollowed("the optimiser cannot be compiled")


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
        self._made_for: Any = None
        self._function: Callable[..., Any] = unmet

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
        step, made_for = self.optimizer.steps + 1, [len(states), *self.optimizer.settings()]
        if made_for != self._made_for:
            self._made_for, self._function = made_for, unmet
        moved = self._function(numbers, gradients, *states, step, lr)
        if moved is None:
            self._function = refused  # unless what follows succeeds
            self.source = Update(self.optimizer, len(states), step, lr).loop_source()
            self._function = defined(self.source, "updated")
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


def indented(lines: Sequence[str]) -> list[str]:
    """Return `lines` as those of a block."""
    return ["    " + line for line in lines]


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
