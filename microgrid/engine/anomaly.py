"""The debug mode that finds the first operation that gave inf or nan, or has a partial that is.

It costs nothing while it is off. While it is on, every node remembers the line of the program that made it, and
`backward()` looks at the graph before it differentiates it.
"""

from __future__ import annotations

import math
import sys
import warnings
from weakref import WeakKeyDictionary

from microgrid.engine import graph
from microgrid.engine.messages import show
from microgrid.engine.modes import Mode
from microgrid.engine.node import Node
from microgrid.engine.numbers import MATH_ERRORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


class AnomalyError(RuntimeError):
    """Raised by `detect_anomaly` for a result or a partial that is not finite, and for a leaf that has changed."""

    __module__ = "microgrid"


class detect_anomaly(Mode):
    """Context manager: the first operation in forward order whose result or partial is not finite raises.

    The error names the operation, its label and operands, and the line that made the node. `backward()` also checks
    that no leaf has other data than when it was used. Hand-written operations are checked by their results only.

    Raises:
        AnomalyError: at the operation whose result is not finite, or in `backward()` before anything is differentiated.

    >>> from microgrid import Value
    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     x = Value(0.0, label="x")
    ...     x.sqrt().backward()
    Traceback (most recent call last):
    microgrid.AnomalyError: the partial of sqrt(x=0.0) by x=0.0 is inf; the node was made at ...
    """

    def __init__(self) -> None:
        super().__init__(self._see)
        self._made: WeakKeyDictionary[Node, tuple[int, str]] = WeakKeyDictionary()
        self._count = 0
        # For each node its leaves with their data: an optimiser may change them between one pass and the next.
        self._used: WeakKeyDictionary[Node, list[tuple[Node, Any]]] = WeakKeyDictionary()

    def _see(self, node: Node) -> None:
        self._count += 1
        self._made[node] = self._count, users_line()
        self._used[node] = [(parent, parent.data) for parent in node.parents if parent.op is None]
        if not math.isfinite(node.data):
            raise AnomalyError(f"{described(node)} gave {node.data}{self._place(node)}")

    def before_backward(self, root: Node) -> None:
        """Check the graph of `root`, which is about to be differentiated."""
        nodes = graph.inner_nodes(root)
        nodes.sort(key=lambda node: self._made.get(node, (0, ""))[0])
        for leaf, before in [use for node in nodes for use in self._used.get(node, ())]:
            if leaf.data is not before and leaf.data != before:  # a nan is the same as itself here
                raise AnomalyError(f"the data of a leaf was {before} in the forward pass and is {show(leaf)} now")
        for node in nodes:
            for parent, partial in partials(node):
                if not math.isfinite(partial):
                    where = f"by {show(parent)} is {float(partial)}{self._place(node)}"
                    raise AnomalyError(f"the partial of {described(node)} {where}")

    def _place(self, node: Node) -> str:
        _, line = self._made.get(node, (0, "a line before detect_anomaly was entered"))
        return f"; the node was made at {line}"


def described(node: Node) -> str:
    """Return the label of `node`, if it has one, the operation that made it, and the operands."""
    if node.op is None:
        return "an operation under no_grad"
    label = f"{node.label!r}, made by " if node.label else ""
    rule = node.op.rule
    operands: Iterable[Any] = node.parents if rule is None else graph.arguments(node)
    if rule is not None and rule.variadic:
        (operands,) = operands
    return f"{label}{node.op.name}({', '.join(map(show, operands))})"


def partials(node: Node) -> Iterator[tuple[Node, Any]]:
    """Yield each parent of `node` with the partial derivative by it; nothing for a hand-written operation."""
    if node.op.rule is not None:
        try:
            amounts = node.op.vjp(node, 1.0)
        except MATH_ERRORS:
            amounts = node.op.vjp_total(node, 1.0)
        yield from zip(node.parents, amounts, strict=True)


def users_frame() -> tuple[Any, int]:
    """Return the innermost frame that is not of this package, and how many calls it is from the caller's."""
    frame, count = sys._getframe(2), 0
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "microgrid":
        frame, count = frame.f_back, count + 1
    return frame, count


def users_line() -> str:
    """Return file and line of the innermost frame that is not of this package."""
    frame, _ = users_frame()
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def warn(message: str) -> None:
    """Warn of a mistake of the user's, at the line of the innermost frame that is not of this package."""
    _, count = users_frame()
    warnings.warn(message, UserWarning, stacklevel=count + 2)
