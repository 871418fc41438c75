"""The chain rule for one graph: the partial derivatives of each operation, and the terms that each gradient sums up.

All numbers are computed afresh by the rules of the operations, so they are what `backward()` accumulates into zero
gradients. The gradients of the nodes are neither read nor changed.
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
    """One use of a node as an operand, and its contribution to the gradient of that node.

    Attributes:
        parent: the node that is used.
        node: the result of the operation.
        argument: the name of the argument; empty for an operation written by hand.
        index: the index in a sequence, or None.
        place: argument and index, as in `xs[0]`, if the operation uses the parent more than once; else empty.
        partial: the derivative of `node` by this operand.
        contribution: the term that this use adds to the gradient of `parent`; None if the gradient of `node` is zero,
            so that nothing is propagated.
    """

    __slots__ = ("argument", "contribution", "index", "node", "parent", "partial", "place")

    def __init__(self, parent: Value, node: Value, argument: str, index: int | None) -> None:
        self.parent, self.node, self.argument, self.index = parent, node, argument, index
        self.place = ""
        self.partial: Any = None
        self.contribution: Any = None


def applied(node: Value) -> tuple[str, tuple[Value, ...], str]:
    """Return the name, the operands and the kind of an operation that is not in the table."""
    call = node._x if isinstance(node.op, Projection) else node
    result = f"[{node._y}]" if call is not node else ""
    kind = "compiled function" if isinstance(call.op, Call) else "operation written by hand"
    return (printable(call.op.name) or "?") + result, call.parents, kind


def uses_of(node: Value) -> list[Use]:
    """Return the uses that `node` makes of its parents, in their order; one per parent if it was written by hand."""
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


def contributions_of(node: Value, gradient: Any) -> list[Any]:
    """Return the contribution of each use that `node` makes of a parent, if the gradient of `node` is `gradient`."""
    if isinstance(node.op, Projection):
        return contributions_of_call(node._x, Seeds({node._y: gradient}))
    if isinstance(node.op, Call):
        return contributions_of_call(node, gradient)
    if node.op.rule is None:
        return contributions_by_hand(node, gradient)
    copies: list[Value] = []  # one for each use, so that uses of one parent are not added up

    def copied(parent: Value) -> Value:
        copies.append(Value(parent.data))
        return copies[-1]

    x, y = graph.with_parents(node, copied)
    twin = graph.make(Value, node.data, gradient, "", node.op, x, y)
    propagate([twin], type(gradient) is not float)
    return [parent.grad for parent in copies]


def contributions_of_call(call: Value, seed: Any) -> list[Any]:
    """Return the contribution to each parent of a compiled call."""
    found: dict[Value, Any] = {}
    for parent, adjoint in zip(call.parents, call.op.vjp(call, seed), strict=True):
        found[parent] = found.get(parent, 0.0) + adjoint
    return list(found.values())


def contributions_by_hand(node: Value, gradient: Any) -> list[Any]:
    """Return the contribution to each parent: call `_backward` on zero gradients, and restore the old ones."""
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
    """Return a name for each node: its label if that is a short identifier and unique, else `v1`, `v2`, …."""
    count = Counter(node.label for node in nodes)
    names: dict[Value, str] = {}
    index = 0
    for node in nodes:
        name = node.label
        if not (isinstance(name, str) and name.isidentifier() and len(name) <= LONGEST_NAME and count[name] == 1):
            index += 1
            while f"v{index}" in count:
                index += 1
            name = f"v{index}"
        names[node] = name
    return names


def as_read(root: Value, calls: Collection[Value]) -> list[Value]:
    """Return the leaves and then the inner nodes of the graph of `root`, without `calls`, in reading order.

    In `a * b + c`, `a` comes first; in the order of `graph.inner_nodes`, the last operand does.
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
    """The chain rule for the graph of `root`.

    Attributes:
        nodes: every node: leaves first, every inner node after its parents, the root last.
        names: the name of each node in the explanation.
        uses: for each inner node, the uses that it makes of its parents.
        contributions: for each node, the uses of it by other nodes, in the order in which `backward()` adds them up.
        gradients: for each node, the derivative of the root by it.
    """

    def __init__(self, root: Value) -> None:
        inner = graph.inner_nodes(root)
        self.root = root
        calls = {node._x for node in inner if isinstance(node.op, Projection)}  # only their results are numbers
        self.nodes = as_read(root, calls)
        inner = [node for node in inner if node not in calls]
        self.names = names_of(self.nodes)
        self.uses = {node: uses_of(node) for node in inner}
        self.contributions: dict[Value, list[Use]] = {node: [] for node in self.nodes}
        zero = zero_like(root.data)
        one = zero + 1
        self.gradients: dict[Value, Any] = dict.fromkeys(self.nodes, zero)
        self.gradients[root] = one
        for node in reversed(inner):
            self.differentiate(node, one)

    def differentiate(self, node: Value, one: Any) -> None:
        """Compute the partials of `node`, and propagate its gradient unless that is zero."""
        gradient, uses = self.gradients[node], self.uses[node]
        for use, partial in zip(uses, contributions_of(node, one), strict=True):
            use.partial = partial
            self.contributions[use.parent].append(use)
        if gradient:
            for use, contribution in zip(uses, contributions_of(node, gradient), strict=True):
                use.contribution = contribution
                self.gradients[use.parent] += contribution

    def applied(self, node: Value) -> tuple[str, tuple[Value, ...], str]:
        """Return the name, the operands and the kind of an operation that is not in the table."""
        return applied(node)
