"""`Node`: what is recorded of a number in a computation graph. Operators, methods and `backward()` are `Value`'s.

Walks, modes and operations know nodes only; so they stand below `Value`, and have their types from here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    N = TypeVar("N", bound="Node")

new = object.__new__  # makes a node without calling its `__init__`


class Node:
    """A record of one number: its operation and its parents, never a closure.

    Attributes:
        data: the number.
        grad: the derivative of the last root with respect to this node, after `backward()`.
        label: the name, or an empty string.
        op: the operation that made the node; None for a leaf.
    """

    # _x and _y keep parents and constants, in the three ways that `rules.source.fan` tells. A leaf has its `_op` in _y,
    # and in _x the epoch in which it was made: see `modes.epoch`.
    __slots__ = ("__weakref__", "_x", "_y", "data", "grad", "label", "op")

    data: Any
    grad: Any
    label: str
    op: Any
    _x: Any
    _y: Any

    @property
    def parents(self) -> tuple[Any, ...]:
        """The nodes that this one was computed from, in the order of the operation's arguments."""
        if self.op is None:
            return ()
        if self.op.fan == 1:
            return (self._x,)
        if self.op.fan == 2:
            return self._x, self._y
        return tuple(node for part in self._x for node in (part if type(part) is tuple else (part,)))

    @property
    def constants(self) -> tuple[Any, ...]:
        """The plain numbers that took part in the operation, in the order of its arguments."""
        return constants(self.op, self._y)


def constants(op: Any, y: Any) -> tuple[Any, ...]:
    """Return the plain numbers among what `op` was applied to, where `y` is in the slot `_y` of the node."""
    if op is None or y is None:
        return ()
    count = op.mask.count(False)  # none where both slots hold parents
    return y if count > 1 else (y,) if count else ()
