"""Operations with several results: one node for all of them, and a projection of it for each result.

Calls of compiled functions are such nodes, and in traces the batches over which `vmap` maps a function.
"""

from __future__ import annotations

from microgrid.engine import graph
from microgrid.engine.operations import IDENTITY
from microgrid.engine.sweeps import reachable
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.transforms.series import Series, expansions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`


class Seeds:
    """The adjoints of several results of one node, by index; they add up like numbers, result by result."""

    __slots__ = ("by_index",)

    def __init__(self, by_index: Mapping[int, Any]) -> None:
        self.by_index = by_index

    def __add__(self, other: Any) -> Seeds:
        if not isinstance(other, Seeds):  # the zero that every gradient begins with
            return self
        total = dict(self.by_index)
        for index, seed in other.by_index.items():
            total[index] = total[index] + seed if index in total else seed
        return Seeds(total)

    __radd__ = __add__


class Projection:
    """The operation that takes one result from a node; the constant of the projection is the index of the result."""

    name = symbol = "result"
    fan, mask, is_number, rule = 1, (True, False), True, None

    def pull(self, node: Value, g: Any) -> None:
        """Add to the adjoints of the node of all results."""
        whole = node._x
        whole.grad = Seeds({node._y: g}) + whole.grad

    exact = total = pull

    def vjp(self, node: Value, g: Any) -> tuple[Seeds]:
        """Return the adjoint of the node of all results."""
        return (Seeds({node._y: g}),)

    vjp_total = record = record_total = trace = trace_total = vjp

    def jvp(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the tangent of the result."""
        return table[node._x][node._y]

    jvp_total = jvp_record = jvp_record_total = jvp_trace = jvp_trace_total = jvp

    def expand(self, node: Value, table: Mapping[Value, Any], role: str) -> Series:
        """Return the series of the result."""
        found: Series = table[node._x][node._y]
        return found

    def written_out(self, node: Value, replacements: Mapping[Any, Any]) -> tuple[list[Value], Value]:
        """Return the nodes in place of the projection, parents first, and the last one of them."""
        return with_link(node, replacements[node._x][node._y], [])


PROJECTION = Projection()


def with_link(node: Value, out: Any, made: list[Value]) -> tuple[list[Value], Value]:
    """Return `made` followed by a link to `out` with the label and gradient of `node`; and that link."""
    link = graph.make(type(node), node.data, graph.plain_grad(node), node.label, IDENTITY, out)
    return [*made, link], link


def series_of(order: Sequence[Value], outputs: Iterable[Any], table: dict[Value, Any], role: str) -> list[Series]:
    """Return the series of `outputs`, given the series of the inputs in `table`; `order` has the nodes between."""
    depending = reachable(order, table)
    zeros = [0.0] * (min(len(series.terms) for series in table.values()) - 1)
    expansions([node for node in order if node in depending], table, role)
    return [table.get(out) or Series([out if role else getattr(out, "data", out), *zeros]) for out in outputs]
