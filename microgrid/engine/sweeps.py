"""The two passes over a recorded graph that keep what they find in a table: adjoints backwards, tangents forwards.

No gradient is read or written, so passes may overlap, nest and run in several threads. `Value.backward`, which adds to
gradients and is faster for it, is `engine`'s.
"""

from __future__ import annotations

from operator import attrgetter

from microgrid.engine import graph
from microgrid.engine.messages import show
from microgrid.engine.modes import Recording
from microgrid.engine.numbers import MATH_ERRORS, is_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from typing import Any

    from microgrid.engine.node import N, Node


def counts(number: Any) -> bool:
    """Return whether `number` contributes to a sum: a plain zero does not, whatever it is multiplied by."""
    return is_node(number) or bool(number)


def reachable(nodes: Iterable[N], inputs: Iterable[N]) -> set[N]:
    """Return the `inputs`, and those of `nodes`, parents first, that depend on one of them."""
    reached = set(inputs)
    for node in nodes:
        fan = node.op.fan
        if (
            node._x in reached or (fan == 2 and node._y in reached)
            if fan
            else not reached.isdisjoint(node.parents)
        ):  # fmt: skip
            reached.add(node)
    return reached


def between(inputs: Sequence[N], outputs: Iterable[Any], seen: set[N] | None = None) -> tuple[list[N], list[N], set[N]]:
    """Return the inner nodes that lead to `outputs`, parents first; those that lead there from `inputs`; and all that
    depends on `inputs`.

    Args:
        inputs: nodes; what leads to them does not count.
        outputs: numbers and nodes.
        seen: nodes that need not be looked at; those that were looked at are added.
    """
    order = graph.inner_nodes(*filter(is_node, outputs), seen=seen)
    reached = reachable(order, inputs)
    ends = set(inputs)
    return order, [node for node in order if node in reached and node not in ends], reached


def seeded(outputs: Iterable[Any], seeds: Iterable[Any], reached: Container[Any]) -> dict[N, Any]:
    """Return a table of adjoints that begins with `seeds`, those of the `outputs` that are `reached`.

    Where an output occurs twice its seeds are added.
    """
    table: dict[N, Any] = {}
    for out, seed in zip(outputs, seeds, strict=True):
        if is_node(out) and out in reached and counts(seed):
            table[out] = table[out] + seed if out in table else seed
    return table


class Guarded(Recording):
    """The mode in which a function runs that is differentiated: no `float()` drops a derivative unnoticed.

    Args:
        name: what errors call the function.
        inputs: what it is differentiated by.
    """

    def __init__(self, name: str, inputs: Iterable[Node]) -> None:
        super().__init__()
        self.name, self.inputs = name, inputs

    def before_float(self, node: Node) -> None:
        """Raise TypeError if `node` depends on an input."""
        if node in reachable(graph.inner_nodes(node), self.inputs):
            raise TypeError(
                f"{self.name}: float({show(node)}) would drop the derivative: write `from microgrid import math` in "
                f"place of `import math`, and v.data where a plain number is meant"
            )


def adjoints(nodes: Sequence[N], table: dict[N, Any], role: str, within: Container[N] | None = None) -> dict[N, Any]:
    """Return `table` with the adjoint of everything that its nodes depend on added.

    Args:
        nodes: the inner nodes of the graph, parents first.
        table: the adjoints of the roots.
        role: `"vjp"` for plain adjoints, `"record"` for nodes.
        within: the nodes whose adjoints are wanted; all unless given.

    Raises:
        TypeError: if an operation was written by hand.
    """
    function_of, total_of = attrgetter(f"op.{role}"), attrgetter(f"op.{role}_total")
    for node in reversed(nodes):
        g = table.get(node)
        parents = node.parents
        if not counts(g):  # nothing, or a plain zero
            amounts: Iterable[Any] = (0,) * len(parents)
        else:
            try:
                amounts = function_of(node)(node, g)
            except MATH_ERRORS:
                amounts = total_of(node)(node, g)
        for parent, amount in zip(parents, amounts, strict=True):
            if within is None or parent in within:
                table[parent] = table[parent] + amount if parent in table else amount
    return table


def tangents(nodes: Iterable[N], table: dict[N, Any], role: str) -> dict[N, Any]:
    """Return `table` with the tangent of every node that depends on its nodes added, but where it is a plain zero.

    Args:
        nodes: the inner nodes of the graph, parents first.
        table: the tangents of the inputs.
        role: `"jvp"` for plain tangents, `"jvp_record"` for nodes.

    Raises:
        TypeError: if an operation was written by hand.
    """
    function_of, total_of = attrgetter(f"op.{role}"), attrgetter(f"op.{role}_total")
    for node in nodes:
        if node.op.fan == 1 and node._x not in table:  # only functions of several arguments look for themselves
            continue
        try:
            tangent = function_of(node)(node, table)
        except MATH_ERRORS:
            tangent = total_of(node)(node, table)
        if counts(tangent):
            table[node] = tangent
    return table
