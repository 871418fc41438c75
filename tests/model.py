"""A reference model of the engine for the stateful test: plain records, evaluated anew from the leaves each time.

Where the engine walks a graph backwards, the model evaluates it forwards on dual numbers, once for every node that it
differentiates by; gradients of gradients are nested dual numbers. It is slow and has nothing to get wrong.
"""

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from tests.dual import Dual

ZERO = Fraction(0)  # exact where it meets fractions, and a float where it meets floats


class Record:
    """What is expected of one node.

    Args:
        data: the number.
        parents: the records of the nodes that it was computed from; none for a leaf.
        compute: the function of the parents' numbers that made `data`.
        label: the node's label.

    Attributes:
        grad: the gradient: a number, a `Gradient` if it was recorded, or None where the model does not say.
        scale: how large the numbers were that went into `data`, if it was rounded otherwise than the engine's; else 0.
        grad_scale: the same for `grad`.
        version: how often the data of this leaf was set.
        seen: the versions of the leaves that `data` was computed from.
    """

    def __init__(
        self,
        data: Any,
        parents: tuple["Record", ...] = (),
        compute: Callable[..., Any] | None = None,
        label: str = "",
    ) -> None:
        self.data, self.parents, self.compute, self.label = data, parents, compute, label
        self.grad: Any = 0
        self.version = 0
        self.scale: Any = 0
        self.grad_scale: Any = 0
        self.seen: frozenset[tuple[Record, int]] = frozenset().union(*(parent.stamps() for parent in parents))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data!r}, label={self.label!r})"

    @property
    def is_leaf(self) -> bool:
        """Whether data may be set here, and gradients accumulate."""
        return not self.parents

    def sources(self) -> tuple["Record", ...]:
        """Return the records that `data` was computed from."""
        return self.parents

    def stamps(self) -> frozenset[tuple["Record", int]]:
        """Return the leaves that `data` depends on, with their versions when it was computed."""
        return frozenset([(self, self.version)]) if self.is_leaf else self.seen

    def is_fresh(self) -> bool:
        """Return whether no leaf was set since `data` was computed."""
        return all(leaf.version == version for leaf, version in self.stamps())

    def order(self) -> int:
        """Return how many derivatives were taken on the way to `data`."""
        return max((source.order() for source in self.sources()), default=0)

    def value(self, given: dict["Record", Any]) -> Any:
        """Return what `data` would be if the records in `given` had other numbers; what is found is added there."""
        if self not in given:
            given[self] = self.data if self.compute is None else self.computed(given)
        return given[self]

    def computed(self, given: dict["Record", Any]) -> Any:
        """Return `data` computed anew from the parents."""
        assert self.compute is not None
        return self.compute(*(parent.value(given) for parent in self.parents))


class Gradient(Record):
    """A gradient recorded with `create_graph`: a sum of derivatives of roots and a constant.

    Args:
        terms: root, the node it is differentiated by, and the seed.
        constant: a number.
    """

    def __init__(self, terms: tuple[tuple[Record, Record, Any], ...], constant: Any = ZERO) -> None:
        self.terms, self.constant = terms, constant
        super().__init__(0)
        self.data = self.computed({})
        self.seen = frozenset().union(*(root.stamps() for root, _, _ in terms))

    is_leaf = property(lambda self: False)  # type: ignore[assignment]

    def sources(self) -> tuple[Record, ...]:
        """Return the roots and the nodes they are differentiated by."""
        return tuple(record for root, by, _ in self.terms for record in (root, by))

    def order(self) -> int:
        """Return one more than the order of what is differentiated."""
        return 1 + max((root.order() for root, _, _ in self.terms), default=-1)

    def value(self, given: dict[Record, Any]) -> Any:
        """Return the gradient if the records in `given` had other numbers."""
        return self.computed(given)

    def computed(self, given: dict[Record, Any]) -> Any:
        """Return the sum of all terms."""
        out = self.constant
        for root, by, seed in self.terms:
            out = out + seed * derivative(root, by, given)
        return out

    def plus(self, other: Any, scale: Any) -> "Gradient":
        """Return the sum with another gradient or number."""
        if not isinstance(other, Gradient):
            other = Gradient((), other)
        out = Gradient(self.terms + other.terms, self.constant + other.constant)
        out.data, out.scale = self.data + other.data, scale  # as recorded, even where leaves were set since
        return out


def ancestors(*roots: Record) -> list[Record]:
    """Return `roots` and all that they are computed from, each before what is made from it."""
    order: dict[Record, None] = {}

    def visit(record: Record) -> None:
        if record not in order:
            for source in record.sources():
                visit(source)
            order[record] = None

    for root in roots:
        visit(root)
    return list(order)


def derivative(root: Record, by: Record, given: dict[Record, Any]) -> Any:
    """Return the derivative of `root` by `by`, a node of its graph, where leaves have the numbers in `given`."""
    lifted: dict[Record, Any] = {leaf: Dual(leaf.value(given)) for leaf in ancestors(root) if leaf.is_leaf}
    lifted[by] = Dual(by.value(given), Fraction(1))
    out = root.value(lifted)
    return out.tangent if isinstance(out, Dual) else ZERO


def has_gradients(records: Iterable[Record]) -> bool:
    """Return whether there is a recorded gradient among `records`."""
    return any(isinstance(record, Gradient) for record in records)


def number(grad: Any) -> Any:
    """Return a gradient as a plain number."""
    return grad.data if isinstance(grad, Gradient) else grad


def differentiate(root: Record, seed: Any, record: bool, connected: bool = True) -> None:
    """Set the gradients in the graph of `root` as `backward` should.

    Args:
        root: the record whose `backward` is called.
        seed: its `gradient`.
        record: whether gradients are recorded.
        connected: whether what is recorded keeps its graph; not under `no_grad`.
    """
    nodes = ancestors(root)
    amounts = {
        node: seed * derivative(root, node, {})
        for node in nodes
        if node.is_leaf or not (has_gradients(nodes) or isinstance(node, Gradient))
    }
    scale = max((abs(amount) for amount in amounts.values()), default=0)
    for node in nodes:
        if node not in amounts:
            node.grad = None  # what the graph of a recorded gradient consists of is the engine's business
            continue
        amount = amounts[node]
        new: Any = amount if not (record and connected) else Gradient(((root, node, seed),))
        if record and not connected:
            new = Gradient((), amount)
        node.grad_scale = scale if not node.is_leaf else max(scale, node.grad_scale)
        if isinstance(new, Gradient):
            new.scale = 1 + node.grad_scale
        if not node.is_leaf or (record and not number(node.grad) and not isinstance(node.grad, Gradient)):
            node.grad = new
        elif isinstance(node.grad, Gradient):
            node.grad = node.grad.plus(new, 1 + node.grad_scale)
        else:
            node.grad = new.plus(node.grad, 1 + node.grad_scale) if record else node.grad + new
