"""Calls of compiled functions as nodes of a graph: one node for a call, and a projection for each of several results.

First derivatives are the tape's, which is compiled code; what must be recorded replays the call eagerly.
"""

from __future__ import annotations

from microgrid import graph
from microgrid.compiler.arguments import Results
from microgrid.compiler.cases import RECORDED, gradient
from microgrid.engine import Value
from microgrid.modes import apart, observe, observers
from microgrid.operations import IDENTITY, lead_on
from microgrid.passes import adjoints, between, dependents, seeded, tangents
from microgrid.runs import Differentiation
from microgrid.series import Series, expansions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from microgrid.compiler.cases import Case, Tape


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
    fan, mask, is_number, rule = 1, (True, False), True, None

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

    def written_out(self, node: Value, stands: Mapping[Any, Any]) -> tuple[list[Value], Value]:
        """Return nodes that stand for the result, parents first, and the last one of them."""
        return in_place_of(node, node._x.op.name, stands[node._x][node._y], [])


PROJECTION = Projection()


class Call:
    """The operation of the calls that one case serves; a node of it keeps the arguments' leaves and the tape.

    Args:
        name: that of the function.
        case: the compiled case.
        function: what was compiled.
    """

    fan, mask, rule = 0, (True,), None

    def __init__(self, name: str, case: Case, function: Callable[..., Any]) -> None:
        self.name = self.symbol = name
        self.case, self.function = case, function

    @property
    def is_number(self) -> bool:
        """Whether a node of it is a number itself, not one that projections take numbers from."""
        return len(self.case.kinds) == 1

    def results(self, leaves: Sequence[Any], outputs: Sequence[float], tape: Tape) -> list[Any]:
        """Return the results of a call with these arguments: numbers, `Value`s, or projections of a new node."""
        case = self.case
        parents = (*[leaves[place] for place in case.places], *case.externals)
        call = new_node(outputs[0], self, (parents,), (leaves, tape))
        if len(outputs) == 1:
            return [call]
        return [
            new_node(output, PROJECTION, call, number) if kind == RECORDED else Value(output) if kind else output
            for number, (output, kind) in enumerate(zip(outputs, case.kinds, strict=True))
        ]

    def seeds(self, g: Any) -> list[Any]:
        """Return the adjoints of all results."""
        if not isinstance(g, Seeds):
            return [g]
        return [g.by_number.get(number, 0.0) for number in range(len(self.case.kinds))]

    def pull(self, node: Value, g: Any) -> None:
        """Add to the gradients of the parents."""
        for parent, amount in zip(*node._x, self.vjp(node, g), strict=True):
            parent.grad += amount
        if isinstance(g, Seeds):
            node.grad = 0.0  # nobody sees the call itself, which is no number

    exact = total = pull

    def vjp(self, node: Value, g: Any) -> Sequence[Any]:
        """Return the products with the Jacobian matrix: the tape's, or where that has no answer those of a replay."""
        seeds = self.seeds(g)
        _, tape = node._y
        amounts = gradient(tape, seeds)
        return self.replay(node).pull(seeds, "vjp") if amounts is None else amounts

    vjp_total = vjp

    def record(self, node: Value, g: Any) -> Sequence[Any]:
        """Return the products with the Jacobian matrix as nodes."""
        return self.replay(node).linked().pull(self.seeds(g), "record")

    record_total = trace = trace_total = record

    def jvp(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the tangents of the results, of a single one bare."""
        return self.replay(node).push(table, "jvp")

    jvp_total = jvp

    def jvp_record(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the tangents of the results as nodes, of a single one bare."""
        return self.replay(node).linked().push(table, "jvp_record")

    jvp_record_total = jvp_trace = jvp_trace_total = jvp_record

    def expand(self, node: Value, table: Mapping[Value, Any], records: bool) -> Any:
        """Return the series of the results, of a single one bare."""
        replay = self.replay(node)
        return (replay.linked() if records else replay).expand(table, records)

    def written_out(self, node: Value, stands: Mapping[Any, Any]) -> tuple[list[Value], Any]:
        """Return the nodes that the call stands for, parents first, and its result, of several a tuple.

        Raises:
            ValueError: if an argument or a leaf has another number than at the call.
        """
        replay = self.replay(node).linked()
        made = [*replay.inputs, *replay.order]
        if not self.is_number:
            return made, tuple(replay.outputs)
        return in_place_of(node, self.name, replay.outputs[0], made)

    def replay(self, node: Value) -> Replay:
        """Return the call made again eagerly."""
        return Replay(self, node)

    def __repr__(self) -> str:
        return self.name


def in_place_of(node: Value, name: str, out: Any, made: list[Value]) -> tuple[list[Value], Value]:
    """Return `made` and a node like `node` that leads on to `out`, the same result of a replay; and that node alone.

    Raises:
        ValueError: if it is not the same.
    """
    if getattr(out, "data", None) != node.data:
        raise ValueError(
            f"a graph with a call of the compiled function {name!r} cannot be copied or pickled after its arguments, "
            f"or leaves that it uses, were given other numbers: detach() what is to be kept"
        )
    stand = graph.make(type(node), node.data, graph.plain_grad(node), node.label, IDENTITY, out)
    return [*made, stand], stand


def new_node(data: float, op: Any, x: Any, y: Any) -> Value:
    """Return a node with these fields, seen by the modes that are on."""
    node = graph.make(Value, data, 0.0, "", op, x, y)
    return observe(node) if observers else node


class Replay:
    """One eager repetition of a call, on leaves of its own in the place of the arguments.

    Args:
        call: the operation of the node.
        node: the call.
    """

    def __init__(self, call: Call, node: Value) -> None:
        case, (given, _) = call.case, node._y
        self.parents = node.parents
        self.inputs = [Value(given[place].data) for place in case.places]
        leaves = list(given)
        for place, leaf in zip(case.places, self.inputs, strict=True):
            leaves[place] = leaf
        args, kwargs = case.arguments(leaves)
        with apart(lambda mode: isinstance(mode, Differentiation)):
            self.outputs = Results(call.function(*args, **kwargs)).leaves
        self.reached_from = [*self.inputs, *case.externals]
        self.order, self.reached = between(self.reached_from, self.outputs)

    def linked(self) -> Replay:
        """Return the replay, with its leaves leading on to the parents, so that derivatives can be recorded."""
        lead_on(self.inputs, self.parents[: len(self.inputs)])  # the others are leaves that stand for themselves
        return self

    def pull(self, seeds: Sequence[Any], role: str) -> list[Any]:
        """Return the adjoints of the parents."""
        table = adjoints(self.order, seeded(self.outputs, seeds, self.reached), role, self.reached)
        return [table.get(leaf, 0) for leaf in self.reached_from]

    def push(self, known: Mapping[Value, Any], role: str) -> Any:
        """Return the tangents of the results."""
        pairs = zip(self.reached_from, self.parents, strict=True)
        table = tangents(self.order, {leaf: known[parent] for leaf, parent in pairs if parent in known}, role)
        return one_or_all([table.get(out, 0) for out in self.outputs])

    def expand(self, known: Mapping[Value, Any], records: bool) -> Any:
        """Return the series of the results."""
        pairs = zip(self.reached_from, self.parents, strict=True)
        table = {leaf: known[parent] for leaf, parent in pairs if parent in known}
        depending = dependents(self.order, table)
        zeros = [0.0] * (min(len(series.terms) for series in table.values()) - 1)
        expansions([node for node in self.order if node in depending], table, records)
        return one_or_all([table.get(out) or Series([as_recorded(out, records), *zeros]) for out in self.outputs])


def as_recorded(out: Any, records: bool) -> Any:
    """Return a result that is a constant as a term of its series: its number, or what leads on to it."""
    return out if records else getattr(out, "data", out)


def one_or_all(found: list[Any]) -> Any:
    """Return the only one of what was found for each result, or all."""
    return found[0] if len(found) == 1 else found
