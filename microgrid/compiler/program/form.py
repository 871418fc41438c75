"""A program: what a function did with its inputs, as a list of steps on named numbers.

A trace makes one, each pass takes one and returns another, and source is written from the last. Data only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from microgrid.rules.table import Rule

INDEX = "index_of({})"  # the test of a guard that a number is a certain integer
MOST_PATHS = 16  # through the body of a loop

DETACH = Rule("detach(x)", "x", "the number without its derivative", x="0")
AS_FLOAT = Rule("as_float(x)", "float(x)", "the number, of an integer as a float", x="0")
# Softmax is one step `softmax`, and a step `share` with the index for each result. The adjoint `g` of the first is the
# sum of the results times their adjoints; an argument whose result is `out` with the adjoint `d` has `(d - g) * out`.
# So there is one sum for all arguments, where the exponentials and quotients of an eager run need several.
SOFTMAX = Rule("softmax(xs)", "softmax(xs)", "positive numbers that add up to one", x="-out")
SHARE = Rule("share(x, index)", "x", "one of the results of softmax", x="out")


class Step(NamedTuple):
    """One operation: `target` becomes `rule` of `arguments`: names, numbers, and tuples of them for sequences."""

    target: str
    rule: Rule
    arguments: tuple[Any, ...]


class Guard(NamedTuple):
    """A decision of the function: the rest of the program is valid only if `test` has the same `outcome` again.

    `test` is an expression with a place for each of the `operands`, such as `"{} < {}"`.
    """

    test: str
    operands: tuple[Any, ...]
    outcome: Any


class Loop(NamedTuple):
    """A program for each path that a row of a batch may take; the guards of a row decide which one is run.

    Attributes:
        name: the suffix of its names, such as `3` in `row_3_0`.
        targets: for each result of a row the names that it gets, row by row.
        columns: for each number of a row the names and numbers that it takes, row by row.
        paths: programs whose inputs are the numbers of a row; they may also use names from outside of the loop.
        shape: the common shape of rows and results; `None` if they may differ by more than numbers.
    """

    name: str
    targets: tuple[tuple[str, ...], ...]
    columns: tuple[tuple[Any, ...], ...]
    paths: tuple[Program, ...]
    shape: Any = None

    @property
    def length(self) -> int:
        """The number of rows."""
        return len([*self.targets, *self.columns, ("once",)][0])

    def outside(self) -> list[str]:
        """Return the names from outside that are used in the loop."""
        return list(dict.fromkeys([name for path in self.paths for name in path.outside()]))

    def renamed(self, names: Mapping[str, Any]) -> Loop:
        """Return the loop with names from outside replaced according to `names`, possibly by numbers."""
        paths = tuple([path.renamed(names) for path in self.paths])
        return self._replace(columns=renamed(self.columns, names), paths=paths)

    def changed(self, change: Callable[[Program], Program]) -> Loop:
        """Return the loop with each path replaced by `change` of it."""
        return self._replace(paths=tuple(map(change, self.paths)))

    def __str__(self) -> str:
        lines = [f"loop {self.name} over {', '.join(map(text_of, self.columns))}"]
        lines += [f"  {line}" for path in self.paths for line in str(path).splitlines()]
        return "\n".join([*lines, *(f"makes {text_of(column)}" for column in self.targets)])


class Program(NamedTuple):
    """Steps from inputs to outputs.

    Attributes:
        inputs: names.
        steps: the operations, guards and loops, in order.
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
                lines.append(f"{step.target} = {step.rule.name}({', '.join(map(text_of, step.arguments))})")
            elif isinstance(step, Loop):
                lines.append(str(step))
            else:
                lines.append(f"guard {step.test.format(*map(text_of, step.operands))} is {step.outcome}")
        return "\n".join([*lines, f"outputs {', '.join(map(text_of, self.outputs))}"])

    @property
    def size(self) -> int:
        """The number of operations and guards, those of a loop counted once."""
        return sum([sum([path.size for path in step.paths]) if isinstance(step, Loop) else 1 for step in self.steps])

    def outside(self) -> list[str]:
        """Return the names that are used but are neither inputs nor targets."""
        made = {*self.inputs, *(name for step in self.steps for name in targets(step))}
        used = [name for step in self.steps for name in names_in(operands(step))] + names_in(self.outputs)
        return [name for name in dict.fromkeys(used) if name not in made]

    def renamed(self, names: Mapping[str, Any]) -> Program:
        """Return the program with names replaced according to `names`; names from outside may become numbers.

        A new name must not end in an underscore and digits as the names from a trace do, or the two could collide.
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

    def check(self, outside_names: Iterable[str] = ()) -> None:
        """Check that every name is made once, and before it is used.

        Args:
            outside_names: names that are known outside of a loop.

        Raises:
            ValueError: naming the wrong step.
        """
        known = {*outside_names, *self.inputs}
        for step in self.steps:
            if not known.issuperset(names_in(operands(step))):
                unknown = [name for name in names_in(operands(step)) if name not in known]
                raise ValueError(f"{step}: {', '.join(unknown)} is not known here")
            if isinstance(step, Step) and len(step.arguments) != len(step.rule.arguments):
                raise ValueError(f"{step}: {step.rule.name} takes {len(step.rule.arguments)} arguments")
            if isinstance(step, Loop):
                for path in step.paths:
                    path.check(known)
            for name in targets(step):
                if name in known:
                    raise ValueError(f"{step}: {name} is made twice")
                known.add(name)
        if not known.issuperset(names_in(self.outputs)):
            raise ValueError(f"the outputs {self.outputs} are not all known")


def sources(program: Program) -> set[str]:
    """Return the names that the outputs depend on in a graph: guards and detached numbers do not count."""
    found = set(names_in(program.outputs))
    for step in reversed(program.steps):
        if isinstance(step, Loop) and not found.isdisjoint(targets(step)):
            for path in step.paths:
                inside = sources(path)
                columns = [column for name, column in zip(path.inputs, step.columns, strict=True) if name in inside]
                found.update(inside, names_in(tuple(columns)))
        elif isinstance(step, Step) and step.target in found and step.rule is not DETACH:
            found.update(names_in(step.arguments))
    return found


def depends(step: Step, names: set[str]) -> bool:
    """Return whether `step` depends on one of `names` in a graph, even if the derivative is zero."""
    return step.rule is not DETACH and not names.isdisjoint(names_in(step.arguments))


def descendants(
    program: Program, names: Iterable[str], depends: Callable[[Step, set[str]], bool] = depends
) -> set[str]:
    """Return `names`, and those that depend on them; `depends` tells whether a step does on those found before it."""
    found = set(names)
    for step in program.steps:
        if isinstance(step, Step) and depends(step, found):
            found.add(step.target)
        elif isinstance(step, Loop):
            for path in step.paths:
                columns = zip(path.inputs, step.columns, strict=True)
                numbers = [name for name, column in columns if not found.isdisjoint(column)]
                inside = descendants(path, [*found.intersection(path.outside()), *numbers], depends)
                results = zip(path.outputs, step.targets, strict=True)
                found.update([name for output, column in results if output in inside for name in column])
    return found


def operands(step: Step | Guard | Loop) -> tuple[Any, ...]:
    """Return the operands of a step, of a loop its columns and the names from outside."""
    if isinstance(step, Step):
        return step.arguments
    return (*step.columns, *step.outside()) if isinstance(step, Loop) else step.operands


def targets(step: Step | Guard | Loop) -> list[str]:
    """Return the names that a step makes."""
    if isinstance(step, Step):
        return [step.target]
    return [name for column in step.targets for name in column] if isinstance(step, Loop) else []


def text_of(operand: Any) -> str:
    """Return the text of an operand."""
    if isinstance(operand, tuple):
        return f"[{', '.join(map(text_of, operand))}]"
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
    """Return `arguments` with names replaced according to `names`.

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
