"""Rolling: what a trace saw of a function that `vmap` calls for each row of a batch becomes one loop of its program.

All rows are traced. Those that did the same, be it with other operands, went one way, and what differs are the numbers
of a row. Where rows went several ways, guards alone must tell these apart, and each has to serve any row: so in the
rows, and in what they give, nothing may differ but the numbers of `Value`s. Rows that are no loop are left as they are.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from microgrid import graph, tree
from microgrid.compiler.arguments import Arguments, Unfit
from microgrid.compiler.program import Guard, Loop, Program, Step
from microgrid.engine import Value
from microgrid.operations import IDENTITY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from microgrid.compiler.trace import Trace

MOST_WAYS = 16
OPERAND = object()  # in a pattern, in the place of what no row made


class Irregular(Exception):
    """Raised for rows that are no loop."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows


class Alias(NamedTuple):
    """A node that stands for another value: in a row for a number of it, outside for a result."""

    node: Value
    source: Value


class Row:
    """One row: a call of the function on nodes of its own, which gives others for its results.

    Attributes:
        entries, exits: these nodes.
        events: what the trace saw meanwhile.
        shape: that of the arguments and of the result; None if in others of this shape more may differ than numbers.
    """

    def __init__(self) -> None:
        self.entries: list[Alias] = []
        self.exits: list[Alias] = []
        self.events: list[Any] = []
        self.shape: Any = None
        self._nests: tuple[Any, Any] = None, None

    def call(self, trace: Trace, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return the result of the call."""
        inside = with_aliases(arguments, self.entries)
        trace.alias(self.entries)
        result = function(*inside)
        outside = with_aliases(result, self.exits)
        trace.alias(self.exits)
        self._nests = inside, result
        shapes = shape_of(arguments, len(self.entries)), shape_of(result, len(self.exits))
        self.shape = None if None in shapes else shapes
        return outside

    def changes(self) -> bool:
        """Return whether the function changed its arguments, or later on the result."""
        found = list(map(id, values_in(self._nests)))
        return found != [id(alias.node) for alias in self.entries] + [id(alias.source) for alias in self.exits]

    def made(self) -> list[Value]:
        """Return the nodes that were made in the row, which nothing outside may know."""
        return [alias.node for alias in self.entries] + [event[0] for event in self.events if type(event) is tuple]


def with_aliases(nest: Any, aliases: list[Alias]) -> Any:
    """Return a nest like `nest` with a node in the place of each `Value`, added to `aliases`."""

    def replaced(leaf: Any) -> Any:
        if not isinstance(leaf, Value):
            return leaf
        node = graph.make(Value, leaf.data, 0.0, leaf.label, IDENTITY, leaf)
        aliases.append(Alias(node, leaf))
        return node

    return tree.converted(replaced, nest)


def values_in(nest: Any) -> list[Value]:
    """Return the `Value`s in `nest` outside of modules."""
    found: list[Value] = []
    tree.converted(lambda leaf: found.append(leaf) if isinstance(leaf, Value) else None, nest)
    return found


def shape_of(nest: Any, count: int) -> Any:
    """Return the shape of `nest` if all numbers in it are those of `count` `Value`s, else None."""
    try:
        arguments = Arguments(nest)
    except Unfit:
        return None
    values = [leaf for leaf in arguments.leaves if isinstance(leaf, Value)]
    return arguments.key if len(values) == len(arguments.leaves) == count else None


class Rows:
    """The rows of one batch, in order.

    Attributes:
        are_regular: whether they may be a loop.
        use_indices: whether an integer among their numbers was used as an index.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.are_regular = self.use_indices = False

    def results(self, trace: Trace, function: Callable[..., Any], batch: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the results of `function` for each row of `batch`."""
        found = []
        for arguments in batch:
            row = Row()
            self.rows.append(row)
            trace.enter(row)
            found.append(row.call(trace, function, arguments))
        if any([row.changes() for row in self.rows]):
            trace.cannot_follow("a function under vmap that changes its arguments or a result")
        self.are_regular = not self.use_indices
        return found

    def events(self) -> list[Any]:
        """Return what the trace saw, as if there were no loop."""
        return [event for row in self.rows for event in (*row.entries, *row.events, *row.exits)]


class Way:
    """The rows that went one way, and for each of them the operands in the places of its pattern."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.operands: list[list[Any]] = []


class Roller:
    """Makes a loop of rows.

    Args:
        trace: names the values.
        number: what the names of the loop end in.
        rows: the rows.

    Attributes:
        ways: by what their rows have in common, their pattern: steps and results.
        columns: for each number of a row what it is, row by row; more are found where operands differ.
    """

    def __init__(self, trace: Trace, number: str, rows: Rows) -> None:
        self.trace, self.number, self.rows = trace, number, rows
        self.places: dict[Any, int] = {}  # of the columns that were found
        self.ways: dict[Any, Way] = {}
        self.shapes: list[Any] = []
        entries = [self.named(place, row) for place, row in enumerate(rows.rows)]
        if len({*map(len, entries)}) > 1:
            raise Irregular(rows)
        self.columns: list[tuple[Any, ...]] = list(zip(*entries, strict=True))

    def named(self, place: int, row: Row) -> list[Any]:
        """Give names to what is in a row, and sort it by its way; return its numbers."""
        trace = self.trace
        entries = [trace.name(alias.source) for alias in row.entries]
        inputs = self.inputs(len(entries))
        trace.stand_for(row.entries, inputs)
        steps = trace.steps(row.events, f"{self.number}_")
        results = tuple([trace.name(alias.source) for alias in row.exits])
        pattern, operands = parted(steps, results, {*inputs, *(step.target for step in steps if type(step) is Step)})
        way = self.ways.setdefault(pattern, Way())
        way.rows.append(place)
        way.operands.append(operands)
        kinds = [trace.is_value(alias.source) for alias in (*row.entries, *row.exits)]
        self.shapes.append(row.shape and (row.shape, kinds))
        trace.leave(row.made(), self.rows)
        trace.stand_for(row.exits, [f"map_{self.number}_{index}_{place}" for index in range(len(results))])
        return entries

    def inputs(self, count: int) -> list[str]:
        """Return the names of the numbers of a row."""
        return [f"row_{self.number}_{index}" for index in range(count)]

    def loop(self) -> Loop:
        """Return the loop.

        Raises:
            Irregular: if there is none.
        """
        shape = self.shapes[0]
        if any([other != shape for other in self.shapes]):
            shape = None
        if len(self.ways) > 1 and shape is None:
            raise Irregular(self.rows)
        programs = [self.program(pattern, way) for pattern, way in self.ways.items()]
        inputs = tuple(self.inputs(len(self.columns)))
        ways = tuple([way._replace(inputs=inputs) for way in programs])
        if len(ways) > MOST_WAYS or not are_told_apart(ways):
            raise Irregular(self.rows)
        count = range(len(self.shapes))
        results = range(len(ways[0].outputs))
        targets = [tuple([f"map_{self.number}_{index}_{place}" for place in count]) for index in results]
        return Loop(self.number, tuple(targets), tuple(self.columns), ways, shape)

    def program(self, pattern: Any, way: Way) -> Program:
        """Return what is done along a way, without its inputs."""
        operands = iter([self.operand(found) for found in zip(*way.operands, strict=True)])
        steps, results = with_operands(pattern, operands)
        return Program((), steps, results)

    def operand(self, found: tuple[Any, ...]) -> Any:
        """Return the operand that was `found` in rows that went one way, or if it differs the number of a row.

        Raises:
            Irregular: if it differs, and other rows have none.
        """
        bits = found if all([type(x) is str for x in found]) else tuple(map(repr, found))
        if bits.count(bits[0]) == len(bits):
            return found[0]
        if len(found) < len(self.shapes):
            raise Irregular(self.rows)
        if bits not in self.places:
            self.places[bits] = len(self.columns)
            self.columns.append(found)
        return self.inputs(len(self.columns))[self.places[bits]]


def parted(steps: Sequence[Step | Guard], results: tuple[Any, ...], own: set[str]) -> tuple[Any, list[Any]]:
    """Return the pattern of a row, in which only names of its `own` stand, and the operands in the other places."""
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
