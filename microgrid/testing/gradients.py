"""`check_gradients`: compares the derivatives of a function with numerical ones, found from its values alone.

To check a single operation in all its roles, use `check_rule`.
"""

from __future__ import annotations

import inspect
from typing import NamedTuple

from microgrid.engine import graph
from microgrid.engine.anomaly import described
from microgrid.engine.messages import brief
from microgrid.engine.numbers import MATH_ERRORS, is_number, plain_float
from microgrid.engine.recording import apply
from microgrid.engine.sweeps import adjoints
from microgrid.engine.value import Value
from microgrid.testing.oracle.numerical import SURE, Estimate, NotDifferentiableError, numerical_derivative
from microgrid.transforms.nests import Walk, rebuilt, written
from microgrid.transforms.run import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from microgrid.transforms.nests import Location

    Place = tuple[str, str]  # an argument, and the path of a number in it, as in ("xs", "[0]")

LONGEST_TABLE = 20


class Comparison(NamedTuple):
    """One derivative, as the engine computes it and as the oracle estimates it."""

    order: str
    places: tuple[Place, ...]
    engine: float
    oracle: Estimate

    def is_wrong(self, rtol: float, atol: float) -> bool:
        """Return whether the two differ by more than the tolerances and the error of the oracle allow."""
        allowed = rtol * abs(self.oracle.derivative) + atol + SURE * self.oracle.error
        return not abs(self.engine - self.oracle.derivative) <= allowed  # a nan on either side is wrong

    def cells(self) -> list[str]:
        """Return the cells of a row of the table."""
        arguments, indices = (", ".join(filter(None, parts)) for parts in zip(*self.places, strict=True))
        value, error, _ = self.oracle
        return [self.order, arguments, indices, repr(self.engine), repr(value), f"{error:.1e}",
                f"{self.engine - value:.1e}"]  # fmt: skip


def check_gradients(f: Callable[..., Any], *args: Any, order: int = 1, rtol: float = 1e-8, atol: float = 0.0) -> None:
    """Check every partial derivative of `f` at `args` against `numerical_derivative`.

    A derivative may be off by `rtol` times its size, plus `atol`, plus the error of the oracle itself. All gradients
    are restored afterwards, those of leaves that `f` closes over too. `f` may ignore its arguments: its derivatives
    are then zero.

    Args:
        f: a function of numbers, or of nests of numbers, that returns one number. It is called many times, with
            `Value`s, and must return the same result each time.
        args: its arguments: numbers, `Value`s, and nests of them, as in `microgrid.grad`.
        order: 1, or 2 to check also the gradients that `create_graph` records and all second derivatives.
        rtol: the tolerance relative to the derivative.
        atol: the absolute tolerance.

    Raises:
        AssertionError: with a table of the wrong derivatives, and the first wrong operation in the graph if one can be
            found.
        NotDifferentiableError: if `f` has a kink, a jump or an edge of its domain at `args`, or no value.
        TypeError: if an argument or the result is not a number.
        ValueError: if `order` is not 1 or 2, or a tolerance is negative.

    >>> from microgrid import math
    >>> check_gradients(lambda xs, scale: scale * math.hypot(*xs), [3.0, 4.0], 2.0, order=2)
    >>> check_gradients(lambda x: x + 0.1 * float(x), 2.0)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    AssertionError: 1 of 1 derivatives is wrong:
    order  argument  index  engine  oracle ... error estimate  difference
    1      x                1.0     1.0... -1.0e-01
    each operation by itself is right: does the function leave the graph (through `data`, `float` or `no_grad`)?
    """
    if not callable(f):
        raise TypeError(f"check_gradients expects a function, got {type(f).__name__} {brief(f)}")
    if order not in (1, 2):
        raise ValueError(f"order: expected 1 or 2, got {order!r}")
    if not (rtol >= 0 and atol >= 0):
        raise ValueError(f"expected tolerances of at least 0, got rtol={rtol!r} and atol={atol!r}")
    places, numbers = located(argument_names(f, len(args)), args)
    if not numbers:
        raise ValueError("expected at least one number among the arguments")

    def call(leaves: Sequence[Any]) -> Any:
        return f(*rebuilt(args, leaves))

    comparisons = list(compare(call, places, numbers, order))
    wrong = [one for one in comparisons if one.is_wrong(rtol, atol)]
    if wrong:
        verb = "is" if len(wrong) == 1 else "are"
        head = f"{len(wrong)} of {len(comparisons)} derivatives {verb} wrong:"
        blame = culprit(call([Value(x) for x in numbers]), order, rtol, atol)
        raise AssertionError("\n".join([head, *table(wrong), blame]))


# Nests


class Places(Walk):
    """A walk that collects the place and the number of every leaf."""

    def __init__(self) -> None:
        super().__init__(self.collect)
        self.found: list[tuple[Place, float]] = []

    def visit(self, path: Location, inside: bool, item: Any, *others: Any) -> Any:
        """Visit the item at `path`."""
        self.path = path
        return super().visit(path, inside, item, *others)

    def collect(self, leaf: Any) -> Any:
        """Collect a leaf, and return it unchanged."""
        self.found.append(((self.name, written(self.path).removeprefix(self.name)), float(plain(leaf))))
        return leaf

    def enter(self, name: str, nest: Any) -> None:
        """Walk over `nest`, the argument called `name`."""
        self.name = name
        self.visit(name, False, nest)


def located(names: Iterable[str], nests: Iterable[Any]) -> tuple[list[Place], list[float]]:
    """Return the places and the numbers of all leaves of `nests`.

    Raises:
        TypeError: if a leaf is not a number.
    """
    places = Places()
    for name, nest in zip(names, nests, strict=True):
        places.enter(name, nest)
    return [place for place, _ in places.found], [number for _, number in places.found]


def argument_names(f: Callable[..., Any], count: int) -> list[str]:
    """Return the names of the first `count` arguments of `f`; where one is unknown, `argument 2` or the like."""
    try:
        parameters = [*inspect.signature(f).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    names = [parameter.name for parameter in parameters if parameter.kind <= parameter.POSITIONAL_OR_KEYWORD]
    return [*names, *(f"argument {i}" for i in range(len(names), count))][:count]


# Engine and oracle


def compare(
    call: Callable[[Sequence[Any]], Any], places: Sequence[Place], numbers: Sequence[float], order: int
) -> Iterator[Comparison]:
    """Yield a comparison for every derivative of `call`, a function of a list of leaves, up to `order`.

    Raises:
        NotDifferentiableError: where the oracle finds no derivative; it names the argument.
    """
    leaves = [Value(x) for x in numbers]
    try:
        root = call(leaves)
    except MATH_ERRORS as error:
        raise NotDifferentiableError(f"there is no value at these arguments: {error}") from error
    first = gradients(root, leaves)
    estimates = [oracle(call, places, numbers, i) for i in range(len(numbers))]
    for place, engine, estimate in zip(places, first, estimates, strict=True):
        yield Comparison("1", (place,), engine, estimate)
    if order == 1:
        return
    for i, (place, node, estimate) in enumerate(zip(places, recorded(root, leaves), estimates, strict=True)):
        yield Comparison("1 recorded", (place,), plain_float(node), estimate)

        def gradient(leaves: Sequence[Any], i: int = i) -> Any:
            return recorded(call(leaves), leaves)[i]

        for j, engine in enumerate(gradients(node, leaves)):
            yield Comparison("2", (place, places[j]), engine, oracle(gradient, places, numbers, j))


def gradients(root: Any, leaves: Iterable[Value]) -> list[float]:
    """Return the gradients that `backward` accumulates into `leaves`, and restore those of all nodes."""
    if not isinstance(root, Value):
        if not is_number(root):
            kind = type(root).__name__
            raise TypeError(f"expected a function that returns a number, got {kind} {brief(root)}")
        return [0.0 for _ in leaves]
    nodes = graph.inner_nodes(root)
    ends = {root, *graph.leaves(nodes)} - {*nodes}
    before = [(node, node.grad) for node in (*ends, *nodes)]
    for leaf in ends:
        leaf.zero_grad()
    try:
        root.backward()
        return [float(leaf.grad) for leaf in leaves]
    finally:
        for node, grad in before:
            node.grad = grad


def recorded(root: Any, leaves: Iterable[Value]) -> list[Any]:
    """Return the gradients by `leaves` as nodes that can be differentiated again, or 0.0 if `root` is independent."""
    found = adjoints(graph.inner_nodes(root), {root: Value(1.0)}, "record") if isinstance(root, Value) else {}
    return [found.get(leaf, 0.0) for leaf in leaves]


def oracle(call: Callable[[Sequence[Any]], Any], places: Sequence[Place], numbers: Sequence[float], i: int) -> Estimate:
    """Return the numerical derivative of `call` by the number at index `i`."""

    def along(x: Any) -> Any:
        return call([x if j == i else Value(number) for j, number in enumerate(numbers)])

    try:
        return numerical_derivative(along, numbers[i])
    except NotDifferentiableError as error:
        raise NotDifferentiableError(f"by {''.join(places[i])}: {error}") from None


# The report


def table(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the lines of a table of `comparisons`."""
    head = ["order", "argument", "index", "engine", "oracle", "error estimate", "difference"]
    rows = [head, *(one.cells() for one in comparisons[:LONGEST_TABLE])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    left = len(comparisons) - LONGEST_TABLE
    return [*lines, f"and {left} more"] if left > 0 else lines


def culprit(root: Any, order: int, rtol: float, atol: float) -> str:
    """Return a sentence on which operation in the graph of `root` is to blame."""
    nodes = graph.inner_nodes(root) if isinstance(root, Value) else []
    for node in nodes:
        for one in alone(node, order):
            if one.is_wrong(rtol, atol):
                by = " and ".join(map("".join, one.places))
                return (
                    f"the first wrong operation is {described(node)}: its derivative by {by} (order {one.order}) "
                    f"is {one.oracle.derivative!r}, the engine gives {one.engine!r}"
                )
    others = [described(node) for node in nodes if node.op.rule is None]
    if others:
        return f"each operation of the table is right by itself: look at those outside the table, such as {others[0]}"
    return (
        "each operation by itself is right: does the function leave the graph (through `data`, `float` or `no_grad`)?"
    )


def alone(node: Value, order: int) -> list[Comparison]:
    """Return comparisons for the operation of `node` at its operands; empty if it is not differentiable there."""
    if node.op.rule is None:
        return []
    pattern = list(zip(node.op.rule.arguments, graph.arguments(node), node.op.mask, strict=True))
    names = [name for name, _, is_node in pattern if is_node]
    nests = [operand for _, operand, is_node in pattern if is_node]
    places, numbers = located(names, nests)

    def call(leaves: Sequence[Any]) -> Any:
        given = iter(rebuilt(nests, leaves))
        return apply(node.op.rule, *(next(given) if is_node else operand for _, operand, is_node in pattern))

    try:
        return list(compare(call, places, numbers, order))
    except NotDifferentiableError:
        return []
