"""Rows: what a trace sees of a function that `vmap` calls for each row of a batch.

`rolling` makes a loop of them if they can be one. For that, each way that rows went is gone once more, on a copy.
"""

from __future__ import annotations

from typing import NamedTuple

from microgrid.compiler.arguments import Arguments, Unfit
from microgrid.compiler.program.form import Guard
from microgrid.engine import graph
from microgrid.engine.operations import IDENTITY
from microgrid.engine.value import Value
from microgrid.transforms import nests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

FOLLOWED = True  # by traces: see `compiler.trace.instrument`


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
        self.result: Any = None
        self.ends: list[Value] = []

    def is_changed(self) -> bool:
        """Return whether the function changed its arguments."""
        return list(map(id, values_in(self.arguments))) != list(map(id, self.entries))

    def has_other_result(self) -> bool:
        """Return whether the result is not any more what it was."""
        return list(map(id, values_in(self.result))) != list(map(id, self.ends))

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

    return nests.converted(replaced, nest)


def values_in(nest: Any) -> list[Value]:
    """Return the `Value`s in `nest` outside of modules."""
    found: list[Value] = []
    nests.converted(lambda leaf: found.append(leaf) if isinstance(leaf, Value) else None, nest)
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
