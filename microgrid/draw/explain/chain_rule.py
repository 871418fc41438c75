"""The chain rule for one graph, in steps: each number, its local partial derivatives, and how gradients add up.

What is shown is worked out anew with the operations' own rules, so it is what `backward()` computes on fresh
gradients; no node's gradient is read or changed.
"""

from __future__ import annotations

from collections import Counter

from microgrid.compiler.call import Call
from microgrid.compiler.projections import Projection, Seeds
from microgrid.draw.graphs.sketch import arguments
from microgrid.engine import graph
from microgrid.engine.messages import printable
from microgrid.engine.numbers import zero_like
from microgrid.engine.value import Value, propagate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

LONGEST_NAME = 16


class Use:
    """One use of a node as an operand: where, and what the gradient gains by it.

    Attributes:
        parent: the node that is used.
        node: the result of the operation.
        argument: the name of the argument; empty for an operation written by hand.
        index: the place in a sequence, or None.
        place: argument and index in words, if the operation uses the parent more than once; else empty.
        partial: the derivative of `node` by this operand.
        amount: what the gradient of `parent` gains; None where `node` hands nothing on, since its own is zero.
    """

    __slots__ = ("amount", "argument", "index", "node", "parent", "partial", "place")

    def __init__(self, parent: Value, node: Value, argument: str, index: int | None) -> None:
        self.parent, self.node, self.argument, self.index = parent, node, argument, index
        self.place = ""
        self.partial: Any = None
        self.amount: Any = None


def applied(node: Value) -> tuple[str, tuple[Value, ...], str]:
    """Return the name, the operands and the nature of an operation that is no row of the table."""
    call = node._x if isinstance(node.op, Projection) else node
    result = f"[{node._y}]" if call is not node else ""
    nature = "compiled function" if isinstance(call.op, Call) else "operation written by hand"
    return (printable(call.op.name) or "?") + result, call.parents, nature


def uses_of(node: Value) -> list[Use]:
    """Return the uses that `node` makes of its parents, in their order; of each once if it was written by hand."""
    if node.op.rule is None:
        return [Use(parent, node, "", None) for parent in dict.fromkeys(applied(node)[1])]
    uses = []
    for name, operand in arguments(node):
        if isinstance(operand, Value):
            uses.append(Use(operand, node, name, None))
        elif isinstance(operand, tuple) and operand and isinstance(operand[0], Value):
            uses += [Use(element, node, name, index) for index, element in enumerate(operand)]
    count = Counter(use.parent for use in uses)
    for use in uses:
        if count[use.parent] > 1:
            use.place = use.argument if use.index is None else f"{use.argument}[{use.index}]"
    return uses


def handed_on(node: Value, gradient: Any) -> list[Any]:
    """Return what each use of a parent gains if the gradient of `node` is `gradient`."""
    if isinstance(node.op, Projection):
        return handed_on_by_call(node._x, Seeds({node._y: gradient}))
    if isinstance(node.op, Call):
        return handed_on_by_call(node, gradient)
    if node.op.rule is None:
        return handed_on_by_hand(node, gradient)
    stand_ins: list[Value] = []

    def stand_in(parent: Value) -> Value:
        stand_ins.append(Value(parent.data))
        return stand_ins[-1]

    x, y = graph.with_parents(node, stand_in)
    twin = graph.make(Value, node.data, gradient, "", node.op, x, y)
    propagate([twin], type(gradient) is not float)
    return [parent.grad for parent in stand_ins]


def handed_on_by_call(call: Value, seed: Any) -> list[Any]:
    """Return what each parent of a compiled call gains."""
    gains: dict[Value, Any] = {}
    for parent, amount in zip(call.parents, call.op.vjp(call, seed), strict=True):
        gains[parent] = gains.get(parent, 0.0) + amount
    return list(gains.values())


def handed_on_by_hand(node: Value, gradient: Any) -> list[Any]:
    """Ask the function that was assigned to `_backward`: it runs on fresh gradients, and the old ones are put back."""
    parents = list(dict.fromkeys(node.parents))
    found = [(other, other.grad) for other in (node, *parents)]
    try:
        for parent in parents:
            parent.grad = zero_like(parent.data)
        node.grad = gradient
        propagate([node])
        return [parent.grad for parent in parents]
    finally:
        for other, grad in found:
            other.grad = grad


def names_of(nodes: Sequence[Value]) -> dict[Value, str]:
    """Return a name for each node: its label if that is a short word of its own, else a `v` and a number."""
    count = Counter(node.label for node in nodes)
    names: dict[Value, str] = {}
    number = 0
    for node in nodes:
        name = node.label
        if not (isinstance(name, str) and name.isidentifier() and len(name) <= LONGEST_NAME and count[name] == 1):
            number += 1
            while f"v{number}" in count:
                number += 1
            name = f"v{number}"
        names[node] = name
    return names


def as_read(root: Value, calls: Collection[Value]) -> list[Value]:
    """Return the leaves and then the other nodes of the graph of `root`, but `calls`: as a formula names them.

    Operands come from left to right, where `backward()` takes the last one first.
    """
    leaves, inner = [], []
    seen: set[Value] = set()
    stack = [(root, False)]
    while stack:
        node, is_complete = stack.pop()
        if is_complete:
            inner.append(node)
        elif node not in seen:
            seen.add(node)
            if node.op is None:
                leaves.append(node)
                continue
            if node not in calls:
                stack.append((node, True))
            stack += [(parent, False) for parent in reversed(node.parents)]
    return [*leaves, *inner]


class ChainRule:
    """The chain rule for the graph of `root`, in steps.

    Attributes:
        nodes: every node, leaves first, parents before those made from them, the root last.
        names: what each is called here.
        uses: for each node those that it makes of its parents.
        gains: for each node its uses by others, in the order in which `backward()` adds them.
        gradients: for each node the derivative of the root by it.
    """

    def __init__(self, root: Value) -> None:
        inner = graph.inner_nodes(root)
        self.root = root
        calls = {node._x for node in inner if isinstance(node.op, Projection)}  # only their results are numbers
        self.nodes = as_read(root, calls)
        inner = [node for node in inner if node not in calls]
        self.names = names_of(self.nodes)
        self.uses = {node: uses_of(node) for node in inner}
        self.gains: dict[Value, list[Use]] = {node: [] for node in self.nodes}
        zero = zero_like(root.data)
        one = zero + 1
        self.gradients: dict[Value, Any] = dict.fromkeys(self.nodes, zero)
        self.gradients[root] = one
        for node in reversed(inner):
            self.differentiate(node, one)

    def differentiate(self, node: Value, one: Any) -> None:
        """Work out the partials of `node`, and hand its gradient on unless that is zero."""
        gradient, uses = self.gradients[node], self.uses[node]
        for use, partial in zip(uses, handed_on(node, one), strict=True):
            use.partial = partial
            self.gains[use.parent].append(use)
        if gradient:
            for use, amount in zip(uses, handed_on(node, gradient), strict=True):
                use.amount = amount
                self.gradients[use.parent] += amount

    def applied(self, node: Value) -> tuple[str, tuple[Value, ...], str]:
        """Return the name, the operands and the nature of an operation that is no row of the table."""
        return applied(node)
