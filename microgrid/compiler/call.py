"""Calls of compiled functions as nodes of a graph: one node for a call, and a projection for each of several results.

First derivatives run compiled code on the numbers of the call; what must be recorded replays the call eagerly.
"""

from __future__ import annotations

from microgrid import graph
from microgrid.conversions import is_node
from microgrid.engine import Value
from microgrid.passes import adjoints, counts, dependents, tangents
from microgrid.runs import IDENTITY
from microgrid.series import expansions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from microgrid.compiler.cases import Case
    from microgrid.series import Series


class Seeds:
    """The adjoints of several results of one call, by their numbers; sums of them are made as of one number."""

    __slots__ = ("by_number",)

    def __init__(self, by_number: Mapping[int, Any]) -> None:
        self.by_number = by_number

    def __add__(self, other: Any) -> Seeds:
        if not isinstance(other, Seeds):  # the zero that a sum begins with
            return self
        total = dict(self.by_number)
        for number, seed in other.by_number.items():
            total[number] = total[number] + seed if number in total else seed
        return Seeds(total)

    __radd__ = __add__


class Projection:
    """The operation that takes one result of a call; the number of it is the node's constant."""

    name = symbol = "result"
    fan, mask = 1, (True, False)

    def pull(self, node: Value, g: Any) -> None:
        """Add to the adjoints of the call."""
        call = node._x
        call.grad = Seeds({node._y: g}) + call.grad

    exact = total = pull

    def vjp(self, node: Value, g: Any) -> tuple[Seeds]:
        """Return the adjoint of the call."""
        return (Seeds({node._y: g}),)

    vjp_total = record = record_total = trace = trace_total = vjp

    def jvp(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the tangent of the result."""
        return table[node._x][node._y]

    jvp_total = jvp_record = jvp_record_total = jvp_trace = jvp_trace_total = jvp

    def expand(self, node: Value, table: Mapping[Value, Any], records: bool) -> Series:
        """Return the series of the result."""
        found: Series = table[node._x][node._y]
        return found


class Call:
    """The operation of one call.

    Args:
        name: that of the function.
        case: the compiled case that served the call.
        function: what was called, eagerly, as a function of the leaves of its arguments that gives those of its result.
    """

    fan, mask = 0, (True, False)

    def __init__(self, name: str, case: Case, function: Callable[[Sequence[Any]], list[Any]]) -> None:
        self.name = self.symbol = name
        self.case, self.function = case, function

    def seeds(self, g: Any) -> list[Any]:
        """Return the adjoints of all results."""
        if not isinstance(g, Seeds):
            return [g]
        return [g.by_number.get(number, 0.0) for number in range(len(self.case.program.outputs))]

    def pull(self, node: Value, g: Any) -> None:
        """Add to the gradients of the parents."""
        for parent, amount in zip(node.parents, self.vjp(node, g), strict=True):
            parent.grad += amount

    exact = total = pull

    def vjp(self, node: Value, g: Any) -> Sequence[Any]:
        """Return the products with the Jacobian matrix, by compiled code if that can tell them."""
        amounts = self.case.gradient(node._y, self.seeds(g))
        return self.replay(node, False).pull(self.seeds(g), "vjp") if amounts is None else amounts

    vjp_total = vjp

    def record(self, node: Value, g: Any) -> Sequence[Any]:
        """Return the products with the Jacobian matrix as nodes."""
        return self.replay(node, True).pull(self.seeds(g), "record")

    record_total = trace = trace_total = record

    def jvp(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the tangents of the results, of a single one bare."""
        return self.replay(node, False).push(table, "jvp")

    jvp_total = jvp

    def jvp_record(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the tangents of the results as nodes, of a single one bare."""
        return self.replay(node, True).push(table, "jvp_record")

    jvp_record_total = jvp_trace = jvp_trace_total = jvp_record

    def expand(self, node: Value, table: Mapping[Value, Any], records: bool) -> Any:
        """Return the series of the results, of a single one bare."""
        return self.replay(node, records).expand(table, records)

    def replay(self, node: Value, records: bool) -> Replay:
        """Return the call made again eagerly, on leaves that lead on to the parents if that is to be recorded."""
        return Replay(self, node, records)


class Replay:
    """One eager repetition of a call.

    Args:
        call: the operation of the node.
        node: the call.
        records: whether its derivatives are recorded.
    """

    def __init__(self, call: Call, node: Value, records: bool) -> None:
        case, parents = call.case, node.parents
        count = len(case.places)
        self.parents = parents
        self.inputs = [Value(parent.data) for parent in parents[:count]]
        leaves: list[Any] = list(node._y[: case.count])
        for place, leaf in zip(case.places, self.inputs, strict=True):
            leaves[place] = leaf
        self.outputs = call.function(leaves)
        self.reached_from = [*self.inputs, *parents[count:]]
        order = graph.inner_nodes(*filter(is_node, self.outputs))
        self.reached = dependents(order, self.reached_from)
        self.order = [node for node in order if node in self.reached]
        if records:
            for leaf, parent in zip(self.inputs, parents, strict=False):
                leaf.op, leaf._x = IDENTITY, parent

    def pull(self, seeds: Iterable[Any], role: str) -> list[Any]:
        """Return the adjoints of the parents."""
        table: dict[Value, Any] = {}
        for out, seed in zip(self.outputs, seeds, strict=True):
            if out in self.reached and counts(seed):
                table[out] = table[out] + seed if out in table else seed
        adjoints(self.order, table, role, self.reached)
        return [table.get(leaf, 0) for leaf in self.reached_from]

    def push(self, known: Mapping[Value, Any], role: str) -> Any:
        """Return the tangents of the results."""
        pairs = zip(self.reached_from, self.parents, strict=True)
        table = tangents(self.order, {leaf: known[parent] for leaf, parent in pairs if parent in known}, role)
        found = [table.get(out, 0) for out in self.outputs]
        return found[0] if len(found) == 1 else found

    def expand(self, known: Mapping[Value, Any], records: bool) -> Any:
        """Return the series of the results."""
        pairs = zip(self.reached_from, self.parents, strict=True)
        table = {leaf: known[parent] for leaf, parent in pairs if parent in known}
        expansions(self.order, table, records)
        found = [table.get(out, out) for out in self.outputs]
        return found[0] if len(found) == 1 else found
