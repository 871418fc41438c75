"""Rows: what a trace sees of a function that `vmap` calls for each row of a batch.

`rolling` makes a loop of them if they can be one. For that, each way that rows went is gone once more, on a copy.
"""

from __future__ import annotations

from typing import NamedTuple

from microgrid.compiler.arguments import Arguments, Unfit
from microgrid.compiler.program.form import MOST_WAYS, Guard
from microgrid.engine import graph
from microgrid.engine.operations import IDENTITY
from microgrid.engine.value import Value
from microgrid.transforms import nests as tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from typing import Any

    from microgrid.compiler.trace.recorder import Trace


class Irregular(Exception):
    """Raised for rows that are no loop."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows


class Alias(NamedTuple):
    """A node that stands for another value: outside for a result of a row, in a copy of a row for a number of it."""

    node: Value
    source: Value


class Row:
    """One row: a call of the function.

    Attributes:
        entries: the `Value`s among its numbers.
        exits: nodes for the `Value`s among its results, by which what is outside knows these; but for those that it did
            not make itself, if there are no branches.
        events: what the trace saw meanwhile.
        shape: that of the arguments and of the result; None if in others of this shape more may differ than numbers.
        copy: the same call on nodes that stand for the `Value`s, with these.
    """

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.arguments = arguments
        self.entries = values_in(arguments)
        self.exits: list[Alias] = []
        self.events: list[Any] = []
        self.shape: Any = shape_of(arguments, len(self.entries))
        self.copy: tuple[Row, list[Alias]] | None = None
        self._result: Any = None
        self._ends: list[Value] = []

    def call(self, trace: Trace, function: Callable[..., Any]) -> None:
        """Call the function."""
        trace.enter(self)
        self._result = function(*self.arguments)
        self._ends = values_in(self._result)
        shape = shape_of(self._result, len(self._ends))
        self.shape = None if shape is None or self.shape is None else (self.shape, shape)

    def result(self, trace: Trace, branches: Rows | None) -> Any:
        """Return the result of the call for what is outside; `branches` are the rows, if some of them branch."""
        own = None if branches else frozenset(map(id, self.made()))
        outside = with_aliases(self._result, self.exits, own)
        trace.alias(self.exits, branches)
        return outside

    def add_copy(self, trace: Trace, function: Callable[..., Any], rows: Rows) -> None:
        """Call the function once more, on a copy of the arguments, if that can be done."""
        aliases: list[Alias] = []
        copy = Row(with_aliases(self.arguments, aliases))
        trace.alias(aliases)
        self.copy = copy, aliases
        try:
            copy.call(trace, function)
            copy.result(trace, rows)
        except Exception:
            self.copy = None
        trace.hide([*copy.made(), *(alias.node for alias in (*aliases, *copy.exits))])

    def is_changed(self) -> bool:
        """Return whether the function changed its arguments."""
        return list(map(id, values_in(self.arguments))) != list(map(id, self.entries))

    def has_other_result(self) -> bool:
        """Return whether the result is not any more what it was."""
        return list(map(id, values_in(self._result))) != list(map(id, self._ends))

    def path(self) -> tuple[Any, ...]:
        """Return the outcomes of its guards."""
        return tuple([(event.test, event.outcome) for event in self.events if isinstance(event, Guard)])

    def made(self) -> list[Value]:
        """Return the nodes that were made in the row, which nothing outside may know."""
        return [event[0] for event in self.events if type(event) is tuple]


def with_aliases(nest: Any, aliases: list[Alias], only: Container[int] | None = None) -> Any:
    """Return a nest like `nest` with a node in the place of each `Value`, added to `aliases`.

    With `only` this is done for those alone that have one of these ids.
    """

    def replaced(leaf: Any) -> Any:
        if not isinstance(leaf, Value) or (only is not None and id(leaf) not in only):
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

    Args:
        in_transform: whether a transform surrounds them: all numbers that it recorded are `Value`s there.

    Attributes:
        are_regular: whether they may be a loop.
        use_indices: whether an integer among their numbers was used as an index.
    """

    def __init__(self, in_transform: bool = False) -> None:
        self.in_transform = in_transform
        self.rows: list[Row] = []
        self.are_regular = self.use_indices = False

    def results(self, trace: Trace, function: Callable[..., Any], batch: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the results of `function` for each row of `batch`."""
        for arguments in batch:
            self.rows.append(Row(arguments))
            self.rows[-1].call(trace, function)
        if any([row.has_other_result() for row in self.rows]):
            trace.cannot_follow("a function under vmap that changes what it returned")
        branches = self if any([isinstance(event, Guard) for row in self.rows for event in row.events]) else None
        found = [row.result(trace, branches) for row in self.rows]
        self.are_regular = not self.use_indices
        paths = {row.path(): row for row in reversed(self.rows)}
        if self.are_regular and 1 < len(paths) <= MOST_WAYS and self.shape() is not None:
            for row in paths.values():
                if not row.is_changed():
                    row.add_copy(trace, function, self)
        return found

    def shape(self) -> Any:
        """Return the shape of all rows; None if they differ by more than numbers."""
        shapes = [row.shape for row in self.rows]
        return None if any([shape is None or shape != shapes[0] for shape in shapes]) else shapes[0]

    def pass_on(self) -> bool:
        """Return whether some row returns what it did not make itself."""
        return any([not {id(alias.source) for alias in row.exits}.issubset(map(id, row.made())) for row in self.rows])

    def events(self) -> list[Any]:
        """Return what the trace saw, as if there were no loop."""
        return [event for row in self.rows for event in (*row.events, *row.exits)]
