"""A program: what a function did with its inputs, as a list of steps on named numbers.

It is what a trace gives, what each pass takes and returns, and what source is written from. Data only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from microgrid.rules.table import Rule

INDEX = "index_of({})"  # the test of a guard that a number is an integer, and which
MOST_WAYS = 16  # through the body of a loop

DETACH = Rule("detach(x)", "x", "the number without its derivative", x="0")
AS_FLOAT = Rule("as_float(x)", "float(x)", "the number, of an integer as a float", x="0")
# A softmax is a step for all of it, and one for each result, with the number of that. The adjoint of all of it, `g`, is
# the sum of the results times their adjoints `d`; what an argument gains is `(d - g) * out` of its own result. That sum
# is one for all, where the operations that softmax is made of in an eager run have several more.
SOFTMAX = Rule("softmax(xs)", "softmax(xs)", "positive numbers that add up to one", x="-out")
SHARE = Rule("share(x, index)", "x", "one of the results of softmax", x="out")


class Step(NamedTuple):
    """One operation: `target` becomes `rule` of `arguments`: names, numbers, and tuples of them for sequences."""

    target: str
    rule: Rule
    arguments: tuple[Any, ...]


class Guard(NamedTuple):
    """A decision that the function took: what follows holds only where the value of `test` is `outcome` again.

    `test` is an expression with places for `operands`, such as `"{} < {}"`.
    """

    test: str
    operands: tuple[Any, ...]
    outcome: Any


class Loop(NamedTuple):
    """Programs that are run for each row of a batch: one for each way that a row may go, told apart by their guards.

    Attributes:
        name: what its names end in, such as `3`.
        targets: for each result of a row what it becomes, row by row.
        columns: for each number of a row what it is, row by row: names and numbers.
        ways: their inputs are the numbers of a row; besides these they use names of the program around the loop.
        shape: what rows and their results have in common besides numbers; None if they may differ by more.
    """

    name: str
    targets: tuple[tuple[str, ...], ...]
    columns: tuple[tuple[Any, ...], ...]
    ways: tuple[Program, ...]
    shape: Any = None

    @property
    def length(self) -> int:
        """How many rows there are."""
        return len([*self.targets, *self.columns, ("once",)][0])

    def outside(self) -> list[str]:
        """Return the names of the program around the loop that are used in it."""
        return list(dict.fromkeys([name for way in self.ways for name in way.outside()]))

    def renamed(self, names: Mapping[str, Any]) -> Loop:
        """Return the loop with names of the program around it replaced as `names` tells, by numbers too."""
        ways = tuple([way.renamed(names) for way in self.ways])
        return self._replace(columns=renamed(self.columns, names), ways=ways)

    def changed(self, change: Callable[[Program], Program]) -> Loop:
        """Return the loop with its ways changed."""
        return self._replace(ways=tuple(map(change, self.ways)))

    def __str__(self) -> str:
        lines = [f"loop {self.name} over {', '.join(map(shown, self.columns))}"]
        lines += [f"  {line}" for way in self.ways for line in str(way).splitlines()]
        return "\n".join([*lines, *(f"makes {shown(column)}" for column in self.targets)])


class Program(NamedTuple):
    """Steps from inputs to outputs.

    Attributes:
        inputs: the names of the numbers that come in.
        steps: what is computed, in this order.
        outputs: names or numbers.

    >>> from microgrid.rules.table import RULES
    >>> steps = (Step("mul_0", RULES["mul"], ("x", 2.0)), Guard("{} > {}", ("mul_0", 1.0), True))
    >>> print(Program(("x",), steps, ("mul_0",)))
    inputs x
    mul_0 = mul(x, 2.0)
    guard mul_0 > 1.0 is True
    outputs mul_0
    """

    inputs: tuple[str, ...]
    steps: tuple[Step | Guard | Loop, ...]
    outputs: tuple[Any, ...]

    @property
    def takes_integers(self) -> bool:
        """Whether some inputs come in unconverted as well, since they may be integers."""
        return any(name.startswith("whole") for name in self.inputs)

    def __str__(self) -> str:
        lines = [f"inputs {', '.join(self.inputs)}"]
        for step in self.steps:
            if isinstance(step, Step):
                lines.append(f"{step.target} = {step.rule.name}({', '.join(map(shown, step.arguments))})")
            elif isinstance(step, Loop):
                lines.append(str(step))
            else:
                lines.append(f"guard {step.test.format(*map(shown, step.operands))} is {step.outcome}")
        return "\n".join([*lines, f"outputs {', '.join(map(shown, self.outputs))}"])

    @property
    def size(self) -> int:
        """How many operations and decisions there are, those of a loop counted once."""
        return sum([sum([way.size for way in step.ways]) if isinstance(step, Loop) else 1 for step in self.steps])

    def outside(self) -> list[str]:
        """Return the names that are used but neither made here nor inputs."""
        made = {*self.inputs, *(name for step in self.steps for name in targets(step))}
        used = [name for step in self.steps for name in names_in(operands(step))] + names_in(self.outputs)
        return [name for name in dict.fromkeys(used) if name not in made]

    def renamed(self, names: Mapping[str, Any]) -> Program:
        """Return the program with its names replaced as `names` tells, those from outside by numbers too.

        Names that end in an underscore and digits belong to traces: others cannot be mistaken for them.
        """
        if not names:
            return self
        steps = [
            step._replace(operands=renamed(step.operands, names))
            if isinstance(step, Guard)
            else step.renamed(names)
            if isinstance(step, Loop)
            else Step(names.get(step.target, step.target), step.rule, renamed(step.arguments, names))
            for step in self.steps
        ]
        inputs = tuple([names.get(name, name) for name in self.inputs])
        return Program(inputs, tuple(steps), renamed(self.outputs, names))

    def check(self, around: Iterable[str] = ()) -> None:
        """Check that every name is made once, and before it is used.

        Args:
            around: names that are known besides.

        Raises:
            ValueError: naming the step that is wrong.
        """
        known = {*around, *self.inputs}
        for step in self.steps:
            if not known.issuperset(names_in(operands(step))):
                unknown = [name for name in names_in(operands(step)) if name not in known]
                raise ValueError(f"{step}: {', '.join(unknown)} is not known here")
            if isinstance(step, Step) and len(step.arguments) != len(step.rule.arguments):
                raise ValueError(f"{step}: {step.rule.name} takes {len(step.rule.arguments)} arguments")
            if isinstance(step, Loop):
                for way in step.ways:
                    way.check(known)
            for name in targets(step):
                if name in known:
                    raise ValueError(f"{step}: {name} is made twice")
                known.add(name)
        if not known.issuperset(names_in(self.outputs)):
            raise ValueError(f"the outputs {self.outputs} are not all known")


def sources(program: Program) -> set[str]:
    """Return the names that the outputs depend on as a graph does: not by decisions, nor through what is detached."""
    found = set(names_in(program.outputs))
    for step in reversed(program.steps):
        if isinstance(step, Loop) and not found.isdisjoint(targets(step)):
            for way in step.ways:
                inside = sources(way)
                columns = [column for name, column in zip(way.inputs, step.columns, strict=True) if name in inside]
                found.update(inside, names_in(tuple(columns)))
        elif isinstance(step, Step) and step.target in found and step.rule is not DETACH:
            found.update(names_in(step.arguments))
    return found


def descendants(program: Program, names: Iterable[str]) -> set[str]:
    """Return `names`, and those that depend on them as a graph does: also where the derivative is zero."""
    found = set(names)
    for step in program.steps:
        if isinstance(step, Step) and step.rule is not DETACH and not found.isdisjoint(names_in(step.arguments)):
            found.add(step.target)
        elif isinstance(step, Loop):
            for way in step.ways:
                columns = zip(way.inputs, step.columns, strict=True)
                inside = descendants(way, [*found, *(name for name, column in columns if not found.isdisjoint(column))])
                results = zip(way.outputs, step.targets, strict=True)
                found.update([name for output, column in results if output in inside for name in column])
    return found


def operands(step: Step | Guard | Loop) -> tuple[Any, ...]:
    """Return what a step works on."""
    if isinstance(step, Step):
        return step.arguments
    return (*step.columns, *step.outside()) if isinstance(step, Loop) else step.operands


def targets(step: Step | Guard | Loop) -> list[str]:
    """Return the names that a step makes."""
    if isinstance(step, Step):
        return [step.target]
    return [name for column in step.targets for name in column] if isinstance(step, Loop) else []


def shown(operand: Any) -> str:
    """Return the text of an operand."""
    if isinstance(operand, tuple):
        return f"[{', '.join(map(shown, operand))}]"
    return operand if isinstance(operand, str) else repr(operand)


def names_in(arguments: tuple[Any, ...]) -> list[str]:
    """Return the names among `arguments`, in sequences too, in order and as often as they occur.

    >>> names_in(("x", 2.0, ("y", 1.0, "x")))
    ['x', 'y', 'x']
    """
    found: list[str] = []
    for argument in arguments:
        if isinstance(argument, str):
            found.append(argument)
        elif isinstance(argument, tuple):
            found += [element for element in argument if isinstance(element, str)]
    return found


def renamed(arguments: tuple[Any, ...], names: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return `arguments` with names replaced as `names` tells.

    >>> renamed(("x", 2.0, ("y", "x")), {"x": "z"})
    ('z', 2.0, ('y', 'z'))
    """
    if not names:
        return arguments
    return tuple(
        [
            tuple([names.get(x, x) for x in argument]) if isinstance(argument, tuple) else names.get(argument, argument)
            for argument in arguments
        ]
    )
