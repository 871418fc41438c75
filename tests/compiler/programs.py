"""Random programs with decisions, and what it means that a compiled function gives what the eager one does."""

import math as standard
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from microgrid import Value, math
from microgrid.engine import graph

EPSILON = 2.0**-52
UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": lambda x: -x,
    "abs": abs,
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "inverse": lambda x: 1 / x,
    "root": lambda x: x**0.5,
    "shift": lambda x: x + 0.5,
    "scale": lambda x: 3 * x,
    "whole": lambda x: x * math.floor(x),
    "rounded": lambda x: x + round(x) + int(x) + standard.trunc(x) + standard.ceil(x),
    **{name: getattr(math, name) for name in ("exp", "log", "tanh", "sin", "relu", "sigmoid", "softplus", "sqrt")},
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "max": max,
    "power": lambda x, y: abs(x) ** y,
    "maximum": math.maximum,
    "hypot": math.hypot,
    "smaller": lambda x, y: x if x < y else y * 2,
    "either": lambda x, y: x * y if x else y,
    "same": lambda x, y: x + 1 if x == y or x != x else y - 1,
    "stopped": lambda x, y: x * y.detach() if isinstance(y, Value) else x * y,
    "weights": lambda x, y: math.softmax([x, y, 0.5])[0],
    "shares": lambda x, y: math.dot(math.softmax([x, y, 2.0, x]), [1.0, y, -1.0, x]),
    "neuron": lambda x, y: math.dot([x, y], [y, 2.0], x),
}
Line = tuple[str, int, int]


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    """Draw a program on two inputs: each line an operation and the lines it works on."""
    program = []
    for known in range(2, 2 + draw(st.integers(1, 8))):
        operands = draw(st.tuples(st.integers(0, known - 1), st.integers(0, known - 1)))
        program.append((draw(st.sampled_from([*UNARY, *BINARY])), *operands))
    return program


def function_of(program: Sequence[Line]) -> Callable[[Any, Any], Any]:
    """Return the function that `program` describes."""

    def function(x: Any, y: Any) -> Any:
        known = [x, y]
        for name, first, second in program:
            known.append(UNARY[name](known[first]) if name in UNARY else BINARY[name](known[first], known[second]))
        return known[-1]

    return function


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result, or the type and the words of the error."""
    try:
        return function(*arguments)
    except Exception as error:
        return type(error), str(error)


def bits(number: Any) -> str:
    """Return what tells numbers apart: -0.0 from 0.0, and nan not from nan."""
    return repr(getattr(number, "data", number))


def magnitudes(root: Value) -> dict[Value, float]:
    """Return for each node the sum of the magnitudes of all that its adjoint is made of."""
    sizes = {root: 1.0}
    for node in reversed(graph.inner_nodes(root)):
        for parent, partial in zip(node.parents, node.op.vjp(node, 1.0), strict=True):
            sizes[parent] = sizes.get(parent, 0.0) + sizes[node] * abs(partial)
    return sizes


def check_same(eager: Any, compiled: Any, leaves: Sequence[Value], twins: Sequence[Value]) -> None:
    """Check that two results have the same bits, and gradients that differ by roundings alone."""
    assert bits(eager) == bits(compiled)
    assert type(eager) is type(compiled)
    if not isinstance(eager, Value):
        return
    eager.backward()
    compiled.backward()
    slopes = [(leaf.grad, twin.grad) for leaf, twin in zip(leaves, twins, strict=True)]
    for slope, other in slopes:
        assert standard.isfinite(slope) == standard.isfinite(other)
        assert standard.isfinite(slope) or bits(slope) == bits(other)
    try:
        sizes = magnitudes(eager)
    except ArithmeticError:
        return  # an infinite partial that a zero adjoint never met
    steps = len(graph.inner_nodes(eager)) + 1
    for leaf, (slope, other) in zip(leaves, slopes, strict=True):
        size = sizes.get(leaf, 0.0)
        if standard.isfinite(slope) and standard.isfinite(size):
            assert abs(slope - other) <= 2 * steps * (EPSILON * size + 5e-324)


numbers = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5]) | st.floats(-4, 4) | st.floats()
