"""`Value`: a number that remembers how it was computed, and `backward()`: the chain rule along that memory.

Here are the node and the two ways to differentiate a graph: onto floats (fast) and onto new nodes (so that gradients
can be differentiated again). Which operations there are is not known here: `recording` gives `Value` the operators and
methods of the calculus table.

A node keeps its operation and its parents, never a closure, so a graph is freed by reference counting alone. There are
two exceptions: a gradient recorded by `backward(create_graph=True)` refers to the graph that refers to it, and a
function assigned to `_backward` refers to its own node.
"""

from __future__ import annotations

import math
import sys

from microgrid.engine import graph, modes
from microgrid.engine.lost import before_computing
from microgrid.engine.messages import check_data, named
from microgrid.engine.modes import before_backward, before_float, gc_paused, guards, is_silent, observers
from microgrid.engine.node import Node
from microgrid.engine.numbers import MATH_ERRORS, as_number, zero_like
from microgrid.engine.operations import HandWritten
from microgrid.engine.sweeps import adjoints
from microgrid.rules import marks

TYPE_CHECKING: bool = False  # not known to be false: jedi would skip what is under it
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from microgrid.engine.methods import Methods
else:
    Methods = Node  # `recording` adds the methods to this class

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`


class Value(Methods):
    """A number in a computation graph.

    Args:
        data: a real number; it becomes a float, a `fractions.Fraction` stays exact.
        _children: parents, for a node made by hand; set its `_backward` to a function that adds to their gradients.
        _op: the name of the operation of a node made by hand.
        label: a name for pictures and messages.

    Attributes:
        data: the number.
        grad: the derivative of the last root with respect to this node, after `backward()`.
        label: the name, or an empty string.
        op: the operation that made the node; None for a leaf.

    Raises:
        TypeError: if `data` is not a real number, or a child not a `Value`.

    Comparisons compare numbers, so that a function written for floats takes the same branch; hashing is by identity, so
    that nodes work in sets and as keys. Two nodes are told apart by `is`.

    `float(v)` and `v.data` are the plain number, whose derivative nobody knows. The standard `math.sin(v)` and other
    functions that are not made for a `Value` compute with it as well: outside of `no_grad()` they give a
    `LostDerivativeWarning`. Those of `microgrid.math` give a `Value`.

    >>> x = Value(3.0)
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> y.data, x.grad
    (15.0, 8.0)
    """

    __slots__ = ()

    _repr_svg_: Any  # what a notebook shows: the package gives it
    _is_frozen = False  # whether it is a constant to transforms that meet it outside of their arguments

    def __init__(self, data: Any, _children: Iterable[Value] = (), _op: str = "", label: str = "") -> None:
        self.data = number = data if type(data) is float else as_number(data)
        self.grad = 0.0 if type(number) is float else zero_like(number)
        self.label = label
        self.op = self._y = None
        self._x = modes.epoch
        if _op:
            self._op = _op
        if _children:
            self._prev = _children

    if TYPE_CHECKING:

        @property
        def parents(self) -> tuple[Value, ...]: ...

    # Differentiation

    def backward(self, gradient: Any = 1, create_graph: bool = False, *, retain_graph: bool = True) -> None:
        """Add the derivative of this node with respect to every node it depends on to that node's `grad`.

        Gradients of leaves accumulate over calls; those of inner nodes are set anew. A node whose adjoint is exactly
        zero hands nothing on. Where a derivative is infinite or does not exist, it is inf or nan as in IEEE 754, and
        nothing raises.

        Recorded gradients keep the graph alive until they are set to zero or the garbage collector finds the cycle.

        A leaf whose `data` is changed between an operation and `backward()` is the caller's mistake: derivatives then
        mix the new number with results of the old one. Nothing is paid to notice it, but by `detect_anomaly`. (Calls of
        compiled functions keep the numbers that they were made with: theirs are the derivatives of the call.)

        Args:
            gradient: the derivative of some later result with respect to this node.
            create_graph: make the gradients nodes, so that they can be differentiated again.
            retain_graph: taken for the sake of code written for PyTorch, and without effect: a graph is kept as long as
                something refers to it.

        Raises:
            TypeError: if `gradient`, or the data or gradient of a leaf, is not a real number, or a hand-written
                operation stands in the way of `create_graph`.
            RuntimeError: under `no_grad()`, if this node has no parents: what led to it was not recorded.

        >>> x = Value(2.0)
        >>> (x**3).backward(create_graph=True)
        >>> g = x.grad
        >>> x.zero_grad()
        >>> g.backward()
        >>> g.data, x.grad
        (12.0, 12.0)
        """
        if observers:
            before_backward(self)
            if self.op is None and is_silent():
                raise RuntimeError(
                    "backward() under no_grad(): nothing was recorded that leads to this result, so no derivative is "
                    "known; compute the result outside of no_grad()"
                )
        if create_graph and isinstance(gradient, Value):
            return self._record_gradients(gradient)
        check_data(self)
        zero = zero_like(self.data)
        exact = type(zero) is not float
        try:
            seed = as_number(gradient)
        except TypeError as error:
            raise named(error, "backward", gradient) from None
        seed = type(zero)(seed) if math.isfinite(seed) else float(seed)
        if create_graph:
            return self._record_gradients(Value(seed))
        order = graph.inner_nodes(self)
        for node in order:
            node.grad = zero
        try:
            self.grad += seed
            propagate(reversed(order), exact)
        except TypeError:
            for leaf in [self, *graph.leaves(order)]:
                check_data(leaf)
                if leaf.grad is None:
                    name = leaf.label or "a leaf"
                    raise TypeError(
                        f"the grad of {name} is None, expected a number: zero_grad() sets it to 0.0"
                    ) from None
            raise

    def _record_gradients(self, seed: Value) -> None:
        with gc_paused():
            for node, adjoint in adjoints(graph.inner_nodes(self), {self: seed}, "record").items():
                is_leaf = node.op is None
                if is_leaf:
                    check_data(node)
                elif not node.op.is_number:
                    continue
                if not isinstance(adjoint, Value):
                    adjoint = Value(adjoint)
                accumulates = is_leaf and (isinstance(node.grad, Value) or node.grad)
                node.grad = node.grad + adjoint if accumulates else adjoint

    @property
    def _backward(self) -> Callable[[], object]:
        """What hands this node's `grad` on to its parents; assign a function to define an operation by hand."""
        hand_on = self._handing_on()
        return lambda: hand_on(self.grad)

    @_backward.setter
    def _backward(self, function: Callable[[], object]) -> None:
        self._write_by_hand(self._op, self.parents, lambda g: function())

    def _handing_on(self) -> Callable[[Any], object]:
        """Return what hands a gradient on as the operation does now, also when another has taken its place."""
        former = graph.make(Value, self.data, None, self.label, self.op, self._x, self._y)

        def hand_on(g: Any) -> None:
            former.grad = g
            propagate([former] if former.op else [])

        return hand_on

    def _write_by_hand(self, name: str, parents: tuple[Value, ...], hand_on: Callable[[Any], object]) -> None:
        self.op, self._x, self._y = HandWritten(name, hand_on), parents, None

    def detach(self) -> Value:
        """Return a new leaf with the same number and label.

        >>> (Value(2.0) * 3).detach().parents
        ()
        """
        return Value(self.data, label=self.label)

    def zero_grad(self) -> None:
        """Set the gradient to zero.

        Raises:
            TypeError: if the data is not a number.
        """
        check_data(self)
        self.grad = zero_like(self.data)

    # micrograd's names

    @property
    def _prev(self) -> set[Value]:
        """The parents as a set; assign nodes to make them the parents."""
        return set(self.parents)

    @_prev.setter
    def _prev(self, children: Iterable[Value]) -> None:
        if not hasattr(children, "__iter__"):
            raise TypeError(f"expected a tuple of Values as children, got {type(children).__name__} {children!r:.60}")
        parents = tuple(children)
        for parent in parents:
            if not isinstance(parent, Value):
                raise TypeError(f"expected Values as children, got {type(parent).__name__} {parent!r:.60}")
        if parents or self.op is not None:
            self._write_by_hand(self._op, parents, self._handing_on())

    @property
    def _op(self) -> str:
        """The symbol of the operation; the exponent too where it is a constant, as in `**2`; empty for a leaf."""
        if self.op is None:
            return self._y or ""
        if self.op.name == "pow" and self.constants and self.op.mask[0]:
            return f"**{self._y!r}".removesuffix(".0")
        symbol: str = self.op.symbol
        return symbol

    @_op.setter
    def _op(self, name: str) -> None:
        if self.op is None:
            self._y = name
        else:
            self._write_by_hand(name, self.parents, self._handing_on())

    # Copies

    def __copy__(self) -> Value:
        twin = graph.make(type(self), self.data, self.grad, self.label, self.op, self._x, self._y)
        graph.vars_of(twin).update(graph.vars_of(self))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        return graph.duplicate(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.op is None:
            fields = type(self), self.data, graph.plain_grad(self), self.label, None, None, self._y
            return graph.make, fields, graph.vars_of(self) or None
        return graph.unflatten, graph.flatten(self)

    # Text

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={graph.plain_grad(self)}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else str(self)

    # The number protocol

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        """Return the number; warn if the call that asks for it computes with it: see `LostDerivativeWarning`."""
        if guards:
            before_float(self)
        if sys._getframe(1).f_globals.get("COMPUTES") is marks.COMPUTES:
            raise TypeError(f"the data of a node is a number, got {self!r:.60}")
        check_data(self)
        before_computing(sys._getframe(1))
        return float(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __trunc__(self) -> int:
        return int(self.data)

    def __floor__(self) -> int:
        whole: int = math.floor(self.data)
        return whole

    def __ceil__(self) -> int:
        whole: int = math.ceil(self.data)
        return whole

    def __round__(self, ndigits: int | None = None) -> Any:
        return round(self.data) if ndigits is None else self.round(ndigits)

    def __pos__(self) -> Value:
        return self

    def conjugate(self) -> Value:
        """Return the node itself, as a float does; `np.var` asks for it."""
        return self

    def __divmod__(self, other: Any) -> tuple[Value, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Value, Value]:
        return other // self, other % self


if sys.platform == "emscripten":  # CPython's own guard against deep recursion does not know the stack of a browser
    Value.__del__ = graph.unlink


def propagate(nodes: Iterable[Value], exact: bool = False) -> None:
    """Let each of `nodes` hand its `grad` on to its parents, on fractions if `exact`, unless it is zero.

    No container is made here, so the garbage collector does not run and need not be paused.
    """
    for node in nodes:
        g = node.grad
        if g:
            try:
                node.op.exact(node, g) if exact else node.op.pull(node, g)
            except MATH_ERRORS:
                node.op.total(node, g)
