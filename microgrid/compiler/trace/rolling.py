"""Rolling: what a trace saw of a function that `vmap` calls for each row of a batch becomes one loop of its program.

All rows are traced. Where they did the same, be it with other operands, they went one way, and operands that differ are
the numbers of a row. Where rows went several ways, guards alone must tell these apart, and each has to serve any row:
so nothing but the numbers of `Value`s may differ in the rows and in their results, and for each way the function is
called once more, on a copy of a row, to see which operands are the row's. Rows that are no loop are left as they are.
"""

from __future__ import annotations

from itertools import combinations

from microgrid.compiler.program.form import MOST_WAYS, Guard, Loop, Program, Step
from microgrid.compiler.trace.rows import Irregular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from microgrid.compiler.trace.names import Names
    from microgrid.compiler.trace.rows import Row, Rows
    from microgrid.engine.value import Value

OPERAND = object()  # in a pattern, in the place of what no row made


class Way:
    """The rows that went one way, and for each of them the operands in the places of its pattern."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.operands: list[list[Any]] = []


class Roller:
    """Makes a loop of rows.

    Args:
        names: those of the values.
        steps: writes what happened in a row as steps.
        number: what the names of the loop end in.
        rows: the rows.

    Attributes:
        ways: by what their rows have in common, their pattern: steps and results.
        columns: for each number of a row what it is, row by row; more are found where operands differ.
        shape: that of the rows; None if there is none, or some give numbers of another kind than others.
    """

    def __init__(self, names: Names, steps: Callable[..., list[Any]], number: str, rows: Rows) -> None:
        self.names, self.steps, self.number, self.rows = names, steps, number, rows
        self.ways: dict[Any, Way] = {}
        shape, kinds, entries = rows.shape(), [], []
        for place, row in enumerate(rows.rows):
            entries.append(list(map(names.name, row.entries)))
            pattern, operands = self.named(row)
            way = self.ways.setdefault(pattern, Way())
            way.rows.append(place)
            way.operands.append(operands)
            numbers = [] if rows.in_transform else [*row.entries, *(alias.source for alias in row.exits)]
            kinds.append(list(map(names.run.kind, numbers)))
            names.leave(row.made(), rows)
            names.stand_for(row.exits, [self.result(index, place) for index in range(len(row.exits))])
        self.shape = None if shape is None or kinds.count(kinds[0]) < len(kinds) else (shape, *kinds[0])
        self.columns: list[tuple[Any, ...]] = [*zip(*entries, strict=True)] if self.shape else []
        self.places = {as_bits(column): place for place, column in enumerate(self.columns)}

    def named(self, row: Row) -> tuple[Any, list[Any]]:
        """Return the pattern of a row, and its operands."""
        steps = self.steps(row.events, f"{self.number}_")
        return parted(steps, tuple([self.names.name(alias.source) for alias in row.exits]))

    def input(self, index: int) -> str:
        """Return the name of a number of a row."""
        return f"row_{self.number}_{index}"

    def result(self, index: int, place: int) -> str:
        """Return the name of a result of the row at `place`."""
        return f"map_{self.number}_{index}_{place}"

    def loop(self) -> Loop:
        """Return the loop.

        Raises:
            Irregular: if there is none.
        """
        if len(self.ways) == 1:
            ((pattern, way),) = self.ways.items()
            programs = [program(pattern, [self.operand(found) for found in zip(*way.operands, strict=True)])]
        elif self.shape is None:
            raise Irregular(self.rows)
        else:
            programs = [program(pattern, self.operands(pattern, way)) for pattern, way in self.ways.items()]
        inputs = tuple(map(self.input, range(len(self.columns))))
        ways = tuple([way._replace(inputs=inputs) for way in programs])
        if not are_told_apart(ways):
            raise Irregular(self.rows)
        count = range(len(self.rows.rows))
        results = range(len(ways[0].outputs))
        targets = [tuple([self.result(index, place) for place in count]) for index in results]
        return Loop(self.number, tuple(targets), tuple(self.columns), ways, self.shape)

    def operand(self, found: tuple[Any, ...]) -> Any:
        """Return the operand that was `found` in all rows, or if it differs the number of a row."""
        bits = as_bits(found)
        if bits.count(bits[0]) == len(bits):
            return found[0]
        if bits not in self.places:
            self.places[bits] = len(self.columns)
            self.columns.append(found)
        return self.input(self.places[bits])

    def operands(self, pattern: Any, way: Way) -> list[Any]:
        """Return the operands of a way: those of the copy of a row, if others have the same.

        Raises:
            Irregular: if they have not.
        """
        row = self.rows.rows[way.rows[0]]
        if row.copy is None:
            raise Irregular(self.rows)
        copy, aliases = row.copy
        inputs = list(map(self.input, range(len(aliases))))
        self.names.stand_for(aliases, inputs)
        found, operands = self.named(copy)
        self.names.leave([*copy.made(), *(alias.node for alias in aliases)], self.rows)
        columns = dict(zip(inputs, self.columns, strict=True))
        for place, others in zip(way.rows, way.operands, strict=True):
            expected = [columns[operand][place] if operand in columns else operand for operand in operands]
            if found != pattern or as_bits(expected) != as_bits(others):
                raise Irregular(self.rows)
        return operands


def as_bits(operands: Iterable[Any]) -> tuple[str, ...]:
    """Return the operands as texts, which are the same for numbers of the same bits."""
    return tuple([operand if type(operand) is str else repr(operand) for operand in operands])


def program(pattern: Any, operands: Iterable[Any]) -> Program:
    """Return the program of a way, without its inputs."""
    return Program((), *with_operands(pattern, iter(operands)))


def parted(steps: Sequence[Step | Guard], results: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """Return the pattern of a row, in which only the names that it made stand, and the operands in the other places."""
    own = {step.target for step in steps if isinstance(step, Step)}
    operands: list[Any] = []

    def place(operand: Any) -> Any:
        if type(operand) is tuple:
            return tuple([place(element) for element in operand])
        if type(operand) is str and operand in own:
            return operand
        operands.append(operand)
        return OPERAND

    return changed(steps, results, place), operands


def with_operands(pattern: Any, operands: Iterator[Any]) -> Any:
    """Return the steps and results of a pattern with `operands` in their places."""

    def filled(part: Any) -> Any:
        if type(part) is tuple:
            return tuple([filled(element) for element in part])
        return next(operands) if part is OPERAND else part

    steps, results = pattern
    return changed(steps, results, filled)


def changed(steps: Iterable[Step | Guard], results: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Return steps and results with what they are applied to changed."""
    found = [
        Step(step.target, step.rule, change(step.arguments))
        if isinstance(step, Step)
        else step._replace(operands=change(step.operands))
        for step in steps
    ]
    return tuple(found), change(results)


def are_told_apart(ways: Sequence[Program]) -> bool:
    """Return whether what each two of `ways` first differ in is the outcome of a guard."""
    return all([is_decided(*pair) for pair in combinations(ways, 2)])


def is_decided(way: Program, other: Program) -> bool:
    """Return whether what two ways first differ in is the outcome of a guard."""
    for step, found in zip(way.steps, other.steps, strict=False):
        if step != found:
            return isinstance(step, Guard) and isinstance(found, Guard) and step[:2] == found[:2]
    return False


def with_ways_of(
    other: Program, known: Sequence[Value], program: Program, externals: Sequence[Value]
) -> tuple[Program, list[Value]] | None:
    """Return a program whose loops go the ways of two programs, and the values of others that it uses.

    Args:
        other: an earlier program, from a run with rows that went other ways.
        known: the values of others that it uses.
        program, externals: the later ones.

    Returns:
        None if the programs differ by more than the ways of their loops, or these cannot be told apart.
    """
    values = [*known, *(value for value in externals if all([value is not old for old in known]))]
    names = {id(value): f"leaf{place}" for place, value in enumerate(values)}
    inputs = program.inputs[: len(program.inputs) - len(externals)]
    program = program.renamed({f"leaf{place}": names[id(value)] for place, value in enumerate(externals)})
    if around(program) != around(other):
        return None
    steps: list[Any] = [
        joined(step, found) if isinstance(step, Loop) and isinstance(found, Loop) else step
        for step, found in zip(program.steps, other.steps, strict=True)
    ]
    if None in steps:
        return None
    return program._replace(inputs=(*inputs, *names.values()), steps=tuple(steps)), values


def joined(loop: Loop, other: Loop) -> Loop | None:
    """Return the loop that goes the ways of both; None if there is none."""
    texts = set(map(str, loop.ways))
    ways = (*loop.ways, *(way for way in other.ways if str(way) not in texts))
    is_one = loop.shape is not None and loop.shape == other.shape and len(ways) <= MOST_WAYS and are_told_apart(ways)
    return loop._replace(ways=ways) if is_one else None


def around(program: Program) -> str:
    """Return the text of a program without its inputs and the ways of its loops."""
    steps = [step._replace(ways=()) if isinstance(step, Loop) else step for step in program.steps]
    return str(Program((), tuple(steps), program.outputs))
