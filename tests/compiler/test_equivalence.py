"""What compiled functions promise: the answers of the eager ones, for values, gradients and errors."""

import math as standard
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid import Value, graph, jit, math
from microgrid.rules import ROWS, Rule
from microgrid.testing.drafting import expressions
from microgrid.testing.strategies import points

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
    if not all(standard.isfinite(slope) for slope, _ in slopes):
        assert list(map(bits, (slope for slope, _ in slopes))) == list(map(bits, (slope for _, slope in slopes)))
        return
    try:
        sizes = magnitudes(eager)
    except ArithmeticError:
        return  # an infinite partial that a zero adjoint never met
    steps = len(graph.inner_nodes(eager)) + 1
    for leaf, (slope, other) in zip(leaves, slopes, strict=True):
        size = sizes.get(leaf, 0.0)
        assert abs(slope - other) <= 2 * steps * (EPSILON * size + 5e-324) or not standard.isfinite(size)


numbers = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5]) | st.floats(-4, 4) | st.floats()


@given(lines(), st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
def test_random_programs_give_the_same_on_values(program: list[Line], inputs: list[tuple[float, float]]) -> None:
    function = function_of(program)
    jitted = jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for x, y in inputs:
            leaves, twins = (Value(x), Value(y)), (Value(x), Value(y))
            eager, compiled = outcome(function, *leaves), outcome(jitted, *twins)
            if isinstance(eager, tuple):
                assert compiled == eager
            else:
                check_same(eager, compiled, leaves, twins)


@given(lines(), st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
def test_random_programs_give_the_same_on_floats(program: list[Line], inputs: list[tuple[float, float]]) -> None:
    function = function_of(program)
    jitted = jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for x, y in inputs:
            eager, compiled = outcome(function, x, y), outcome(jitted, x, y)
            assert compiled == eager if isinstance(eager, tuple) else bits(compiled) == bits(eager), (eager, compiled)


def call_of(rule: Rule, arguments: dict[str, Any]) -> Any:
    """Return what the function of `rule` gives on arguments by name."""
    if rule.name in OPERATORS:
        return OPERATORS[rule.name](*arguments.values())
    function = getattr(math, rule.name)
    if rule.variadic:
        (sequence,) = arguments.values()
        return function(*sequence)
    keywords = {name: arguments[name] for name in rule.defaults} if rule.keyword_only else {}
    return function(*(value for name, value in arguments.items() if name not in keywords), **keywords)


OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "mod": operator.mod,
    "floordiv": operator.floordiv, "pow": operator.pow, "neg": operator.neg, "abs": abs, "round": round,
}  # fmt: skip


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@settings(max_examples=settings().max_examples // 10)
@given(data=st.data())
def test_every_rule_gives_the_same(rule: Rule, data: st.DataObject) -> None:
    point = data.draw(points(rule))
    names = [name for name in rule.arguments if rule.is_differentiable(name)]
    nodes = data.draw(st.sets(st.sampled_from(names), min_size=1))
    factor = data.draw(st.sampled_from([1.0, -2.5]))

    def function(arguments: dict[str, Any], parameters: dict[str, Any]) -> Any:
        return factor * call_of(rule, {name: (arguments | parameters)[name] for name in rule.arguments})

    def lifted(name: str, value: Any) -> Any:
        if name not in nodes:
            return value
        return [Value(x) for x in value] if isinstance(value, list) else Value(value)

    parameters = {name: value for name, value in point.items() if name not in names}
    jitted = jit(lambda arguments: function(arguments, parameters))
    for _ in range(2):  # traced, and served
        ours, theirs = ({name: lifted(name, point[name]) for name in names} for _ in range(2))
        leaves, twins = (
            [leaf for name in nodes for leaf in (side[name] if isinstance(side[name], list) else [side[name]])]
            for side in (ours, theirs)
        )
        eager = outcome(function, ours, parameters)
        if isinstance(eager, tuple):
            assert outcome(jitted, theirs) == eager
            return
        check_same(eager, jitted(theirs), leaves, twins)
    assert len(jitted.cases) == 1


@given(expressions())
def test_random_expressions_over_all_rules_give_the_same(expression: Any) -> None:
    jitted = jit(expression)
    for _ in range(2):
        leaves, twins = (list(map(Value, expression.point)) for _ in range(2))
        check_same(expression(*leaves), jitted(*twins), leaves, twins)
    assert len(jitted.cases) == 1
