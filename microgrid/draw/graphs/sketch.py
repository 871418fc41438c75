"""The graph of a root as a list of items and edges between their indices; sequences of constants are items too.

Nodes are read as plain data here, as in `graph`.
"""

from __future__ import annotations

from microgrid.engine import graph
from microgrid.engine.numbers import is_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from microgrid.engine.value import Value

PARAMETER, INPUT, CONSTANT, OPERATION = "parameter", "input", "constant", "operation"


class Numbers:
    """A sequence of constants that is an operand."""

    __slots__ = ("numbers",)

    def __init__(self, numbers: tuple[Any, ...]) -> None:
        self.numbers = numbers


class Sketch:
    """The graph of a root: items, each after those it depends on, and edges between their indices.

    Attributes:
        items: nodes, and sequences of constants.
        edges: one for each operand, from its index to that of the result.
        names: for each edge the name of the argument, empty if the order of arguments does not matter.
    """

    def __init__(self, root: Value, parameters: Iterable[Value] | None) -> None:
        nodes = graph.inner_nodes(root)
        self.root = root
        self.parameters = weights_and_biases(nodes) if parameters is None else set(parameters)
        sequences: dict[str, Numbers] = {}
        links: list[tuple[Value | Numbers, Value, str]] = []
        for node in nodes:
            for name, operand in arguments(node):
                if is_node(operand):
                    links.append((operand, node, name))
                elif isinstance(operand, tuple) and operand:
                    if is_node(operand[0]):
                        links += [(element, node, name) for element in operand]
                    else:  # equal sequences share a box, as the inputs of the neurons in a layer do
                        links.append((sequences.setdefault(repr(operand), Numbers(operand)), node, name))
        leaves = graph.leaves(nodes) if nodes else [root]
        self.items: list[Value | Numbers] = [*sequences.values(), *leaves, *nodes]
        place = {item: index for index, item in enumerate(self.items)}
        self.edges = [(place[source], place[target]) for source, target, _ in links]
        self.names = [name if order_matters(target, name) else "" for _, target, name in links]

    def kind(self, index: int) -> str:
        """Return the kind of the item at `index`."""
        item = self.items[index]
        if isinstance(item, Numbers):
            return CONSTANT
        if item.op is not None:
            return OPERATION
        return PARAMETER if item in self.parameters else INPUT


def arguments(node: Value) -> Iterator[tuple[str, Any]]:
    """Yield the names of the arguments of `node` with its operands: nodes, plain numbers, or tuples of either."""
    if node.op is None:
        return
    if node.op.rule is not None:
        yield from zip(node.op.rule.arguments, graph.arguments(node), strict=True)
    else:  # written by hand, or a call of a compiled function
        yield from (("", parent) for parent in node.parents)


def order_matters(node: Value, name: str) -> bool:
    """Return whether the argument `name` of `node` cannot be exchanged with the others."""
    if node.op.rule is None or node.op.rule.is_sequence(name):
        return False
    return node.op.mask.count(True) > 1 and node.op.name not in ("add", "mul", "dot", "logaddexp")


def weights_and_biases(nodes: Iterable[Value]) -> set[Value]:
    """Return the leaves that are weights or the bias of a `dot`: the default guess at the parameters."""
    found: set[Value] = set()
    for node in nodes:
        if node.op.name == "dot" and node.op.rule is not None:
            for name, operand in arguments(node):
                if name != "xs":
                    found.update(x for x in (operand if isinstance(operand, tuple) else (operand,)) if is_node(x))
    return {node for node in found if node.op is None}
