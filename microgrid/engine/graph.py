"""Walks over a graph of nodes: in topological order, to copy it, to pickle it, to free it. All are loops.

Nodes are seen here as data only (`op`, `parents`, `data`, `grad`, `label`); what operations mean is `engine`'s.
"""

from __future__ import annotations

from _thread import allocate_lock
from itertools import chain, repeat, starmap
from operator import setitem

from microgrid.engine import modes
from microgrid.engine.node import constants
from microgrid.rules import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from microgrid.engine.node import N, Node

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`


def inner_nodes(*roots: N, seen: set[N] | None = None) -> list[N]:
    """Return the nodes of the graph of `roots` that an operation made, parents before the nodes made from them.

    The order depends on the graph alone, so the same graph gives the same bits twice. Nodes in `seen`, and what only
    they depend on, are left out; those that are returned are added to it.
    """
    order: list[N] = []
    seen = set() if seen is None else seen
    expanded: set[int] = set()  # sequences that were met before, such as the inputs that the neurons of a layer share
    stack: list[N | None] = [root for root in roots if root.op is not None]
    pop, push, emit, see = stack.pop, stack.append, order.append, seen.add
    while stack:
        node = pop()
        if node is None:  # all that the next one depends on is emitted
            emit(pop())  # type: ignore[arg-type] # beneath a None is a node
        elif node not in seen:
            see(node)
            push(node)
            push(None)
            fan = node.op.fan
            if fan:
                parent = node._x
                if parent.op is not None:
                    push(parent)
                if fan == 2:
                    parent = node._y
                    if parent.op is not None:
                        push(parent)
            else:
                for part in node._x:
                    if type(part) is tuple:
                        if id(part) in expanded:
                            continue
                        expanded.add(id(part))
                        stack += [parent for parent in part if parent.op is not None]
                    elif part.op is not None:
                        push(part)
    return order


def arguments(node: Node) -> tuple[Any, ...]:
    """Return what the operation of `node` was applied to, in the order of the rule's arguments."""
    return operands(node.op, node._x, node._y)


def operands(op: Any, x: Any, y: Any) -> tuple[Any, ...]:
    """Return what `op` was applied to, where `x` and `y` are the slots of the node."""
    if op.fan == 2:
        return x, y
    if len(op.mask) == 1:
        return (x,) if op.fan else x
    nodes, numbers = iter((x,) if op.fan else x), iter(constants(op, y))
    return tuple([next(nodes) if is_parent else next(numbers) for is_parent in op.mask])


def leaves(nodes: Iterable[N]) -> list[N]:
    """Return the leaves among the parents of `nodes`, each once, in the order in which they are met."""
    return list(dict.fromkeys(parent for node in nodes for parent in node.parents if parent.op is None))


def with_parents(node: Node, replace: Callable[[Any], Any]) -> Any:
    """Return what the slots `_x` and `_y` of `node` hold, with every parent replaced."""
    if node.op.fan == 2:
        return replace(node._x), replace(node._y)
    if node.op.fan == 1:
        return replace(node._x), node._y
    parts = [tuple(map(replace, part)) if type(part) is tuple else replace(part) for part in node._x]
    return tuple(parts), node._y


def make(kind: type[N], data: Any, grad: Any, label: str, op: Any = None, x: Any = None, y: Any = None) -> N:
    """Return a node with these fields."""
    node = object.__new__(kind)
    node.data, node.grad, node.label, node.op, node._y = data, grad, label, op, y
    node._x = modes.epoch if op is None else x
    return node


def vars_of(node: Node) -> dict[str, Any]:
    """Return the attributes that a subclass of `Value` adds; empty for a `Value`."""
    return getattr(node, "__dict__", {})


def written_out(nodes: Iterable[N], stands: dict[Any, Any]) -> list[N]:
    """Return `nodes`, parents first, with operations of rules alone: others could not be told from their data.

    Args:
        nodes: inner nodes, parents first.
        stands: what stands in the place of which node, which is added to.

    Raises:
        TypeError: if an operation has no other words.
    """
    order: list[N] = []
    for node in nodes:
        if node.op.rule is None:
            made, result = node.op.written_out(node, stands)
            order += written_out(made, stands)
            stands[node] = stands.get(result, result)
        elif stands and any(parent in stands for parent in node.parents):
            stands[node] = twin = alike(node, lambda parent: stands.get(parent, parent))
            order.append(twin)
        else:
            order.append(node)
    return order


def assign(leaves: Iterable[Node], numbers: Iterable[Any], *items: tuple[Any, Any, Any]) -> None:
    """Let `leaves` have `numbers`, and set `items`: all in one opcode, so that Ctrl-C cannot come in between.

    Args:
        leaves: the leaves; for no opcode to run within, a sequence.
        numbers: as many numbers, or more, which are left out; a sequence, too.
        items: what else changes with them: a list or dict, an index, slice or key of it, and what stands there then.
            The attributes of an object are such a dict, its `vars`.
    """
    [*chain(map(setattr, leaves, repeat("data"), numbers), starmap(setitem, items))]


def end(elements: list[Any], more: Iterable[Any]) -> tuple[list[Any], slice, list[Any]]:
    """Return the item for `assign` that puts `more` at the end of `elements`."""
    return elements, slice(len(elements), None), [*more]


class data_restored:
    """Context manager: leaves have their numbers back afterwards, whatever happens meanwhile."""

    def __init__(self, leaves: Iterable[Node]) -> None:
        self.leaves = [*leaves]

    def __enter__(self) -> None:
        self.numbers = [leaf.data for leaf in self.leaves]

    def __exit__(self, *exception: object) -> None:
        assign(self.leaves, self.numbers)


def plain_grad(node: Node) -> Any:
    """Return the gradient as a number: one that was recorded keeps its value, not its graph."""
    return getattr(node.grad, "data", node.grad)


def alike(node: N, replace: Callable[[Any], Any]) -> N:
    """Return a node like `node`, with every parent replaced."""
    twin = make(type(node), node.data, plain_grad(node), node.label, node.op, y=node._y)
    vars_of(twin).update(vars_of(node))
    if node.op is not None:
        twin._x, twin._y = with_parents(node, replace)
    return twin


def duplicate(root: N, memo: dict[int, Any]) -> N:
    """Return a copy of `root` and of its whole graph; nodes found in `memo` are taken from there."""
    stands: dict[Any, Any] = {}
    nodes = written_out([node for node in inner_nodes(root) if id(node) not in memo], stands)
    for node in [*leaves(nodes), *nodes, stands.get(root, root)]:
        if id(node) not in memo:
            memo[id(node)] = alike(node, lambda parent: memo[id(parent)])
    memo |= {id(node): memo[id(stand)] for node, stand in stands.items() if id(stand) in memo}
    memo.setdefault(id(memo), []).append((stands, nodes))  # where deepcopy keeps what must not give its id to others
    copied: N = memo[id(root)]
    return copied


def flatten(root: Node) -> tuple[Any, ...]:
    """Return the graph of `root` as leaves and flat records, for `unflatten`: what is pickled."""
    nodes = written_out(inner_nodes(root), {})
    ends = leaves(nodes)
    number = {node: index for index, node in enumerate([*ends, *nodes])}
    records = [
        (type(node), node.op, *with_parents(node, number.__getitem__), node.data, plain_grad(node), node.label)
        for node in nodes
    ]
    return ends, records


def unflatten(ends: list[N], records: list[Any]) -> N:
    """Return the root of the graph that `flatten` described."""
    nodes = list(ends)
    for kind, op, x, y, data, grad, label in records:
        node = make(kind, data, grad, label, op, x, y)
        node._x, node._y = with_parents(node, nodes.__getitem__)
        nodes.append(node)
    return nodes[-1]


def has_more_than(root: Node, count: int) -> bool:
    """Return whether the graph of `root` has more than `count` nodes; no more are visited than it takes to tell."""
    seen, stack = {root}, [root]
    while stack and len(seen) <= count:
        for parent in stack.pop().parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return len(seen) > count


_links: list[object] = []  # what nodes that are being freed were made from
_freeing = allocate_lock()


def unlink(node: Node) -> None:
    """Let `node`, which is being freed, go of what it was made from.

    As `Value.__del__` this frees a graph in a loop, where reference counting alone would free parents within nodes.
    """
    if getattr(node, "op", None) is None:  # a leaf, or a node that was never finished
        return
    _links.append((node._x, node._y))
    node.op = node._x = node._y = None
    if _freeing.acquire(blocking=False):  # else this is called out of the loop, which goes on with these links
        try:
            while _links:
                _links.pop()
        finally:
            _freeing.release()
