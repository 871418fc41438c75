"""Rows: the record of a function that `vmap` calls for each row of a batch.

`rolling` makes a loop of them if possible. If rows took several paths, it needs one more call for each path, on a copy.
"""

from __future__ import annotations

from typing import NamedTuple

from microgrid.compiler.arguments import Arguments, Unfit
from microgrid.compiler.program.form import Guard
from microgrid.engine import graph
from microgrid.engine.operations import IDENTITY
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.transforms import nests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`


class Irregular(Exception):
    """Raised for rows that cannot be a loop."""

    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows


class Alias(NamedTuple):
    """A node that replaces its source: a result of a row for use outside, or an argument in the copy of a row."""

    node: Value
    source: Value


class Row:
    """One row: a call of the function.

    Attributes:
        entries: the `Value`s among its arguments.
        exits: aliases of the `Value`s among its results, for use outside. If no row has branches, `Value`s that the
            row did not make itself have none.
        events: the events recorded during the call.
        shape: the shape of arguments and result; `None` if rows of this shape could differ by more than numbers.
        copy: the same call on aliases of the entries, and these aliases.
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
        """Return whether the function, in a later row, changed the result."""
        return list(map(id, values_in(self.result))) != list(map(id, self.ends))

    def path(self) -> tuple[Any, ...]:
        """Return the tests and outcomes of its guards."""
        return tuple([(event.test, event.outcome) for event in self.events if isinstance(event, Guard)])

    def made(self) -> list[Value]:
        """Return the nodes that were made in the row, which nothing outside may refer to."""
        return [event[0] for event in self.events if type(event) is tuple]


def with_aliases(nest: Any, aliases: list[Alias], only: Container[int] | None = None) -> Any:
    """Return a nest like `nest` with each `Value` replaced by an alias, which is added to `aliases`.

    With `only`, `Value`s with other ids stay.
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
        in_transform: whether a transform surrounds them, inside which all its numbers are `Value`s.

    Attributes:
        are_regular: whether they may become a loop.
        use_indices: whether a row did something that a loop cannot, such as using one of its integers as an index.
    """

    def __init__(self, in_transform: bool = False) -> None:
        self.in_transform = in_transform
        self.rows: list[Row] = []
        self.are_regular = self.use_indices = False

    def shape(self) -> Any:
        """Return the common shape of all rows; None if they differ by more than numbers."""
        shapes = [row.shape for row in self.rows]
        return None if any([shape is None or shape != shapes[0] for shape in shapes]) else shapes[0]

    def return_given(self) -> bool:
        """Return whether some row returns a `Value` that it did not make itself."""
        return any([not {id(alias.source) for alias in row.exits}.issubset(map(id, row.made())) for row in self.rows])

    def events(self) -> list[Any]:
        """Return the events of the unrolled rows."""
        return [event for row in self.rows for event in (*row.events, *row.exits)]
