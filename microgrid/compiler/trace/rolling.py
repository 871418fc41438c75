"""Rolling: the record of a function that `vmap` calls for each row of a batch becomes one loop of the program.

All rows are traced. Rows with the same steps took the same path; operands that differ between them, as the 1.0 and 2.0
in `x0 * 1.0` and `x1 * 2.0`, become the numbers of a row. If rows took several paths, only guards may tell these apart,
and any row must be able to take any path: so rows and results may differ by the numbers of `Value`s only, and for each
path a call on a copy of a row shows which operands come from the row. Rows that fit neither case stay unrolled.
"""

from __future__ import annotations

from itertools import combinations

from microgrid.compiler.program.form import MOST_PATHS, Guard, Loop, Program, Step
from microgrid.compiler.trace.rows import Irregular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from microgrid.compiler.trace.names import Names
    from microgrid.compiler.trace.rows import Row, Rows
    from microgrid.engine.value import Value

OPERAND = object()  # in a pattern, in place of an operand that the row did not make


class PathRows:
    """The indices of the rows that took one path, and for each its operands in the order of the pattern."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.operands: list[list[Any]] = []


class Roller:
    """Makes a loop of rows.

    Args:
        names: the names of the nodes.
        steps: translates the events of a row into steps.
        suffix: the suffix of the names of the loop.
        rows: the rows.

    Attributes:
        paths: the rows of each path, by its pattern: their common steps and results.
        columns: for each number of a row its operands, row by row: the entries, and later operands that differ.
        shape: the shape of the rows; `None` if they have none in common, or some return numbers of another kind.
    """

    def __init__(self, names: Names, steps: Callable[..., list[Any]], suffix: str, rows: Rows) -> None:
        self.names, self.steps, self.suffix, self.rows = names, steps, suffix, rows
        self.paths: dict[Any, PathRows] = {}
        shape, kinds, entries = rows.shape(), [], []
        for position, row in enumerate(rows.rows):
            entries.append(list(map(names.name, row.entries)))
            pattern, operands = self.named(row)
            path = self.paths.setdefault(pattern, PathRows())
            path.rows.append(position)
            path.operands.append(operands)
            numbers = [] if rows.in_transform else [*row.entries, *(alias.source for alias in row.exits)]
            kinds.append(list(map(names.run.kind, numbers)))
            names.leave(row.made(), rows)
            names.alias(row.exits, [self.result(index, position) for index in range(len(row.exits))])
        self.shape = None if shape is None or kinds.count(kinds[0]) < len(kinds) else (shape, *kinds[0])
        self.columns: list[tuple[Any, ...]] = [*zip(*entries, strict=True)] if self.shape else []
        self.indices = {as_bits(column): position for position, column in enumerate(self.columns)}

    def named(self, row: Row) -> tuple[Any, list[Any]]:
        """Return the pattern of a row, and its operands."""
        steps = self.steps(row.events, f"{self.suffix}_")
        return parted(steps, tuple([self.names.name(alias.source) for alias in row.exits]))

    def input(self, index: int) -> str:
        """Return the name of a number of a row."""
        return f"row_{self.suffix}_{index}"

    def result(self, index: int, position: int) -> str:
        """Return the name of a result of the row at `position`."""
        return f"map_{self.suffix}_{index}_{position}"

    def loop(self) -> Loop:
        """Return the loop.

        Raises:
            Irregular: if the rows cannot be one.
        """
        if len(self.paths) == 1:
            ((pattern, path),) = self.paths.items()
            programs = [program(pattern, [self.operand(found) for found in zip(*path.operands, strict=True)])]
        elif self.shape is None:
            raise Irregular(self.rows)
        else:
            programs = [program(pattern, self.operands(pattern, path)) for pattern, path in self.paths.items()]
        inputs = tuple(map(self.input, range(len(self.columns))))
        paths = tuple([path._replace(inputs=inputs) for path in programs])
        if not are_told_apart(paths):
            raise Irregular(self.rows)
        count = range(len(self.rows.rows))
        results = range(len(paths[0].outputs))
        targets = [tuple([self.result(index, position) for position in count]) for index in results]
        return Loop(self.suffix, tuple(targets), tuple(self.columns), paths, self.shape)

    def operand(self, found: tuple[Any, ...]) -> Any:
        """Return the operand `found` in the rows if it is the same in all, else the name of a number of a row."""
        bits = as_bits(found)
        if bits.count(bits[0]) == len(bits):
            return found[0]
        if bits not in self.indices:
            self.indices[bits] = len(self.columns)
            self.columns.append(found)
        return self.input(self.indices[bits])

    def operands(self, pattern: Any, path: PathRows) -> list[Any]:
        """Return the operands of a path from the copy of one of its rows, if they agree with those of all its rows.

        Raises:
            Irregular: if they do not.
        """
        row = self.rows.rows[path.rows[0]]
        if row.copy is None:
            raise Irregular(self.rows)
        copy, aliases = row.copy
        inputs = list(map(self.input, range(len(aliases))))
        self.names.alias(aliases, inputs)
        found, operands = self.named(copy)
        self.names.leave([*copy.made(), *(alias.node for alias in aliases)], self.rows)
        columns = dict(zip(inputs, self.columns, strict=True))
        for position, others in zip(path.rows, path.operands, strict=True):
            expected = [columns[operand][position] if operand in columns else operand for operand in operands]
            if found != pattern or as_bits(expected) != as_bits(others):
                raise Irregular(self.rows)
        return operands


def as_bits(operands: Iterable[Any]) -> tuple[str, ...]:
    """Return the operands as texts, which are equal for numbers with the same bits only: 0.0 and -0.0 differ."""
    return tuple([operand if type(operand) is str else repr(operand) for operand in operands])


def program(pattern: Any, operands: Iterable[Any]) -> Program:
    """Return the program of a path, without its inputs."""
    return Program((), *with_operands(pattern, iter(operands)))


def parted(steps: Sequence[Step | Guard], results: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """Return the pattern of a row, in which operands that the row did not make are `OPERAND`; and these operands."""
    own = {step.target for step in steps if isinstance(step, Step)}
    operands: list[Any] = []

    def marked(operand: Any) -> Any:
        if type(operand) is tuple:
            return tuple([marked(element) for element in operand])
        if type(operand) is str and operand in own:
            return operand
        operands.append(operand)
        return OPERAND

    return changed(steps, results, marked), operands


def with_operands(pattern: Any, operands: Iterator[Any]) -> Any:
    """Return the steps and results of a pattern with `operands` filled in."""

    def filled(part: Any) -> Any:
        if type(part) is tuple:
            return tuple([filled(element) for element in part])
        return next(operands) if part is OPERAND else part

    steps, results = pattern
    return changed(steps, results, filled)


def changed(steps: Iterable[Step | Guard], results: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Return steps and results with `change` applied to their operands."""
    found = [
        Step(step.target, step.rule, change(step.arguments))
        if isinstance(step, Step)
        else step._replace(operands=change(step.operands))
        for step in steps
    ]
    return tuple(found), change(results)


def are_told_apart(paths: Sequence[Program]) -> bool:
    """Return whether the first difference of each two of `paths` is the outcome of a guard."""
    return all([is_decided(*pair) for pair in combinations(paths, 2)])


def is_decided(path: Program, other: Program) -> bool:
    """Return whether the first difference of two paths is the outcome of a guard."""
    for step, found in zip(path.steps, other.steps, strict=False):
        if step != found:
            return isinstance(step, Guard) and isinstance(found, Guard) and step[:2] == found[:2]
    return False


def with_paths_of(
    other: Program, known: Sequence[Value], program: Program, externals: Sequence[Value]
) -> tuple[Program, list[Value]] | None:
    """Return a program whose loops have the paths of two programs, and its externals.

    Args:
        other: an earlier program, from a run in which rows took other paths.
        known: its externals.
        program, externals: the new program and its externals.

    Returns:
        `None` if the programs differ by more than the paths of their loops, or these cannot be told apart.
    """
    values = [*known, *(value for value in externals if all([value is not old for old in known]))]
    names = {id(value): f"leaf{position}" for position, value in enumerate(values)}
    inputs = program.inputs[: len(program.inputs) - len(externals)]
    program = program.renamed({f"leaf{position}": names[id(value)] for position, value in enumerate(externals)})
    if outline(program) != outline(other):
        return None
    steps: list[Any] = [
        merged(step, found) if isinstance(step, Loop) and isinstance(found, Loop) else step
        for step, found in zip(program.steps, other.steps, strict=True)
    ]
    if None in steps:
        return None
    return program._replace(inputs=(*inputs, *names.values()), steps=tuple(steps)), values


def merged(loop: Loop, other: Loop) -> Loop | None:
    """Return the loop with the paths of both; None if they cannot be one."""
    texts = set(map(str, loop.paths))
    paths = (*loop.paths, *(path for path in other.paths if str(path) not in texts))
    is_one = loop.shape is not None and loop.shape == other.shape and len(paths) <= MOST_PATHS and are_told_apart(paths)
    return loop._replace(paths=paths) if is_one else None


def outline(program: Program) -> str:
    """Return the text of a program without its inputs and the paths of its loops."""
    steps = [step._replace(paths=()) if isinstance(step, Loop) else step for step in program.steps]
    return str(Program((), tuple(steps), program.outputs))
