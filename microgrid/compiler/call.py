"""Calls of compiled functions as nodes of a graph: one node for a call, and a projection for each of several results.

Plain gradients come from the tape, which is compiled code. For everything else (recorded, forward and Taylor mode) the
call is replayed: the interpreter runs the program on nodes, and the graph that it records is differentiated.
"""

from __future__ import annotations

from microgrid.compiler.cases import RECORDED, tape_gradient
from microgrid.compiler.program.interpreter import interpreted
from microgrid.compiler.projections import PROJECTION, Seeds, series_of, with_link
from microgrid.engine import graph
from microgrid.engine.modes import apart, observe, observers
from microgrid.engine.operations import make_links
from microgrid.engine.sweeps import adjoints, between, seeded, tangents
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.transforms.run import Differentiation, as_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from microgrid.compiler.cases import Case, Tape

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`


class Call:
    """The operation of calls by one case; a node of it keeps the numbers of the call and the tape.

    Args:
        name: the name of the function.
        case: the compiled case.
    """

    fan, mask, rule = 0, (True,), None

    def __init__(self, name: str, case: Case) -> None:
        self.name = self.symbol = name
        self.case = case

    @property
    def is_number(self) -> bool:
        """Whether its nodes are numbers themselves; with several results, only their projections are."""
        return len(self.case.kinds) == 1

    def results(
        self, leaves: Sequence[Any], numbers: Sequence[float], outputs: Sequence[float], tape: Tape
    ) -> list[Any]:
        """Return the results of a call with these arguments: numbers, `Value`s, or projections of a new node."""
        case = self.case
        parents = tuple([leaves[parent] if type(parent) is int else parent for parent in case.parents])
        call = new_node(outputs[0], self, (parents,), (numbers, tape))
        if len(outputs) == 1:
            return [call]
        return case.results_of(leaves, outputs, lambda index, output: new_node(output, PROJECTION, call, index))

    def seeds(self, g: Any) -> list[Any]:
        """Return the adjoints of all results."""
        if not isinstance(g, Seeds):
            return [g]
        return [g.by_index.get(index, 0.0) for index in range(len(self.case.kinds))]

    def pull(self, node: Value, g: Any) -> None:
        """Add to the gradients of the parents."""
        for parent, adjoint in zip(*node._x, self.vjp(node, g), strict=True):
            parent.grad += adjoint
        if isinstance(g, Seeds):
            node.grad = 0.0  # the node of several results is not a number: `Seeds` would be left as its gradient

    exact = total = pull

    def vjp(self, node: Value, g: Any) -> Sequence[Any]:
        """Return the products with the Jacobian matrix, by the tape, or by a replay if the tape fails."""
        seeds = self.seeds(g)
        _, tape = node._y
        products = tape_gradient(tape, seeds)
        return self.replay(node).pull(seeds, "vjp") if products is None else products

    vjp_total = vjp

    def record(self, node: Value, g: Any) -> Sequence[Any]:
        """Return the products with the Jacobian matrix, recorded."""
        return self.replay(node).linked().pull(self.seeds(g), "record")

    record_total = trace = trace_total = record

    def jvp(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the list of the tangents of the results, or the tangent of a single one."""
        return self.replay(node).push(table, "jvp")

    jvp_total = jvp

    def jvp_record(self, node: Value, table: Mapping[Value, Any]) -> Any:
        """Return the tangents as `jvp` does, recorded."""
        return self.replay(node).linked().push(table, "jvp_record")

    jvp_record_total = jvp_trace = jvp_trace_total = jvp_record

    def expand(self, node: Value, table: dict[Value, Any], role: str) -> Any:
        """Return the list of the series of the results, or the series of a single one."""
        replay = self.replay(node)
        return (replay.linked() if role else replay).expand(table, role)

    def written_out(self, node: Value, replacements: Mapping[Any, Any]) -> tuple[list[Value], Any]:
        """Return the recorded nodes in place of the call, parents first, and its result, or a tuple of several."""
        replay = self.replay(node).linked()
        made = [*replay.inputs, *replay.nodes]
        if not self.is_number:
            return made, tuple(replay.outputs)
        return with_link(node, replay.outputs[0], made)

    def replay(self, node: Value) -> Replay:
        """Return the replay of a call."""
        return Replay(self.case, node)

    def __repr__(self) -> str:
        return self.name


def new_node(data: float, op: Any, x: Any, y: Any) -> Value:
    """Return a new node with these fields, recorded by the active modes."""
    node = graph.make(Value, data, 0.0, "", op, x, y)
    return observe(node) if observers else node


class Replay:
    """The graph of a call's operations, on fresh leaves with the numbers of the call.

    Args:
        case: the compiled case that served the call.
        node: the call.
    """

    def __init__(self, case: Case, node: Value) -> None:
        given = list(node._y[0])
        self.parents = node.parents
        self.inputs = [Value(given[position]) for position in case.positions]
        for position, leaf in zip(case.positions, self.inputs, strict=True):
            given[position] = leaf
        with apart(lambda mode: isinstance(mode, Differentiation)):
            outputs = interpreted(case.unoptimised, given)
        # The result of a row that takes a branch without derivative is a plain number.
        self.outputs = [
            as_node(out) if kind == RECORDED else out for out, kind in zip(outputs, case.kinds, strict=True)
        ]
        self.nodes, self.order, self.reached = between(self.inputs, self.outputs)

    def linked(self) -> Replay:
        """Return the replay with its leaves linked to the parents, so that derivatives can be recorded."""
        make_links(self.inputs, self.parents)
        return self

    def pull(self, seeds: Sequence[Any], role: str) -> list[Any]:
        """Return the adjoints of the parents."""
        table = adjoints(self.order, seeded(self.outputs, seeds, self.reached), role, self.reached)
        return [table.get(leaf, 0) for leaf in self.inputs]

    def push(self, known: Mapping[Value, Any], role: str) -> Any:
        """Return the tangents of the results."""
        pairs = zip(self.inputs, self.parents, strict=True)
        table = tangents(self.order, {leaf: known[parent] for leaf, parent in pairs if parent in known}, role)
        return one_or_all([table.get(out, 0) for out in self.outputs])

    def expand(self, known: dict[Value, Any], role: str) -> Any:
        """Return the series of the results; those of all nodes are added to `known`."""
        pairs = zip(self.inputs, self.parents, strict=True)
        table = {leaf: known[parent] for leaf, parent in pairs if parent in known}
        found = series_of(self.order, self.outputs, table, role)
        known.update(table)  # `transforms.taylor` chooses the scale by the terms of inner nodes too
        return one_or_all(found)


def one_or_all(found: list[Any]) -> Any:
    """Return the list `found`, or its only element."""
    return found[0] if len(found) == 1 else found
