"""Laws of calculus that the engine obeys on random expressions and networks, whatever operations they are made of."""

import copy
import pickle
from collections.abc import Callable, Sequence
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from microgrid import Value, math
from microgrid.engine import graph
from microgrid.nn import MLP
from microgrid.rules.source import words
from microgrid.testing import Expression, check_gradients, expressions, networks
from tests import dual
from tests.dual import Dual
from tests.profiles import examples

# Smooth everywhere and of moderate growth: such expressions can be moved to another point and combined.
EVERYWHERE = "add sub mul neg sin cos tanh atan asinh sigmoid softplus gelu erf fma dot sumprod logaddexp".split()
LARGEST = 1e3
CLOSE = 1e-10  # relative to the largest number in the comparison, or to 1: random expressions are small and moderate
ACTIVATIONS = ["tanh", "sigmoid", "softplus", "gelu", None]

Function = Callable[..., Any]


def gradient(function: Function, point: Sequence[Any], seed: float = 1.0) -> list[Any]:
    """Return the gradient of `function` at `point`."""
    leaves = [Value(x) for x in point]
    as_node(function(*leaves)).backward(seed)
    return [leaf.grad for leaf in leaves]


def value(function: Function, point: Sequence[Any]) -> Any:
    """Return the number that `function` gives at `point`."""
    return as_node(function(*point)).data


def as_node(result: Any) -> Value:
    """Return a result as a node, where it depends on no argument too."""
    return result if isinstance(result, Value) else Value(result)


def hessian(function: Function, point: Sequence[float]) -> list[list[float]]:
    """Return all second derivatives of `function` at `point`."""
    leaves = [Value(x) for x in point]
    as_node(function(*leaves)).backward(create_graph=True)
    gradients = [as_node(leaf.grad) for leaf in leaves]
    rows = []
    for node in gradients:
        for leaf in leaves:
            leaf.zero_grad()
        node.backward()
        rows.append([leaf.grad for leaf in leaves])
    return rows


def assert_close(found: Sequence[float], expected: Sequence[float], scale: float = 0.0) -> None:
    """Fail unless all numbers agree, relative to the largest of them, to `scale` and to 1."""
    size = max(1.0, scale, *map(abs, found), *map(abs, expected))
    assert len(found) == len(expected)
    assert all(abs(a - b) <= CLOSE * size for a, b in zip(found, expected, strict=True)), (found, expected)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Expression, Expression, tuple[float, ...]]:
    """Draw two expressions of two arguments and a point at which both are moderate."""
    f, g = draw(expressions(2, 6, EVERYWHERE)), draw(expressions(2, 6, EVERYWHERE))
    for function in (f, g):
        try:
            numbers = [value(function, f.point), *gradient(function, f.point)]
        except (ArithmeticError, ValueError):
            assume(False)
        assume(all(abs(number) < LARGEST for number in numbers))
    return f, g, f.point


class TestOracle:
    @examples(60)
    @given(expressions())
    def test_gradients_agree(self, expression: Expression) -> None:
        check_gradients(expression, *expression.point, rtol=CLOSE, atol=CLOSE)

    @examples(15)
    @given(expressions(size=6))
    def test_second_derivatives_agree(self, expression: Expression) -> None:
        check_gradients(expression, *expression.point, order=2, rtol=CLOSE, atol=CLOSE)

    @examples(10)
    @given(networks(activations=ACTIVATIONS))
    def test_gradients_of_networks_agree(self, drawn: tuple[MLP, list[float]]) -> None:
        net, inputs = drawn
        check_gradients(lambda net, inputs: net(inputs) ** 2, net, inputs, rtol=CLOSE, atol=CLOSE)


class TestRules:
    @examples(50)
    @given(pairs(), st.integers(-3, 3), st.integers(-3, 3))
    def test_differentiation_is_linear(self, pair: Any, a: int, b: int) -> None:
        f, g, point = pair
        found = gradient(lambda *x: a * f(*x) + b * g(*x), point)
        parts = zip(gradient(f, point), gradient(g, point), strict=True)
        assert_close(found, [a * df + b * dg for df, dg in parts])

    @examples(50)
    @given(pairs(), st.sampled_from([-2.0, 0.5, 4.0]))
    def test_the_seed_is_a_factor(self, pair: Any, seed: float) -> None:
        f, _, point = pair
        assert gradient(f, point, seed) == [seed * df for df in gradient(f, point)], "exact: a power of two"

    @examples(50)
    @given(pairs())
    def test_product_rule(self, pair: Any) -> None:
        f, g, point = pair
        u, v = value(f, point), value(g, point)
        parts = zip(gradient(f, point), gradient(g, point), strict=True)
        assert_close(gradient(lambda *x: f(*x) * g(*x), point), [du * v + u * dv for du, dv in parts], abs(u * v))

    @examples(50)
    @given(pairs())
    def test_quotient_rule(self, pair: Any) -> None:
        f, g, point = pair
        u, v = value(f, point), value(g, point)
        assume(abs(v) > 0.01)
        parts = zip(gradient(f, point), gradient(g, point), strict=True)
        found = gradient(lambda *x: f(*x) / g(*x), point)
        assert_close(found, [(du * v - u * dv) / v**2 for du, dv in parts], abs(u / v))

    @examples(50)
    @given(expressions(), expressions(1, 6, EVERYWHERE))
    def test_chain_rule(self, inner: Expression, outer: Expression) -> None:
        try:
            (slope,) = gradient(outer, [value(inner, inner.point)])
            found = gradient(lambda *x: outer(as_node(inner(*x))), inner.point)
        except (ArithmeticError, ValueError):
            assume(False)
        assume(abs(slope) < LARGEST)
        assert_close(found, [slope * d for d in gradient(inner, inner.point)])

    @examples(50)
    @given(expressions())
    def test_second_derivatives_are_symmetric(self, expression: Expression) -> None:
        rows = hessian(expression, expression.point)
        assert_close([x for row in rows for x in row], [x for column in zip(*rows, strict=True) for x in column])


INVERSES: list[tuple[str, Function, Function, float, float]] = [
    ("exp, log", math.exp, math.log, 0.01, 100),
    ("log, exp", math.log, math.exp, -5, 5),
    ("exp2, log2", math.exp2, math.log2, 0.01, 100),
    ("expm1, log1p", math.expm1, math.log1p, -0.9, 9),
    ("tan, atan", math.tan, math.atan, -9, 9),
    ("atan, tan", math.atan, math.tan, -1.5, 1.5),
    ("sin, asin", math.sin, math.asin, -0.99, 0.99),
    ("cos, acos", math.cos, math.acos, -0.99, 0.99),
    ("sinh, asinh", math.sinh, math.asinh, -9, 9),
    ("asinh, sinh", math.asinh, math.sinh, -5, 5),
    ("cosh, acosh", math.cosh, math.acosh, 1.1, 9),
    ("tanh, atanh", math.tanh, math.atanh, -0.99, 0.99),
    ("atanh, tanh", math.atanh, math.tanh, -3, 3),
    ("square, sqrt", lambda x: x**2, math.sqrt, 0.01, 100),
    ("third power, cbrt", lambda x: x**3, math.cbrt, 0.01, 100),
    ("10**x, log10", lambda x: 10**x, math.log10, 0.01, 100),
    ("sigmoid, logit", math.sigmoid, lambda x: math.log(x / (1 - x)), 0.01, 0.99),
    ("softplus, its inverse", math.softplus, lambda x: math.log(math.expm1(x)), 0.1, 9),
    ("degrees, radians", math.degrees, math.radians, -9, 9),
    ("inverse, inverse", lambda x: 1 / x, lambda x: 1 / x, 0.01, 9),
]


@pytest.mark.parametrize(
    ("inverse", "function", "low", "high"), [i[1:] for i in INVERSES], ids=[i[0] for i in INVERSES]
)
@examples(10)
@given(data=st.data())
def test_a_function_of_its_inverse_has_slope_one(
    inverse: Function, function: Function, low: float, high: float, data: st.DataObject
) -> None:
    x = Value(data.draw(st.floats(low, high)))
    inverse(function(x)).backward(create_graph=True)
    slope = x.grad
    assert slope.data == pytest.approx(1, rel=1e-12)
    x.zero_grad()
    slope.backward()
    assert x.grad == pytest.approx(0, abs=1e-11 * max(1, 1 / abs(low), high) ** 2)


class TestHomogeneousFunctions:
    """Euler: where f(t x) = t**k f(x), the sum of x[i] times the derivative by x[i] is k f(x)."""

    @examples(50)
    @given(expressions(), st.integers(-2, 4), st.floats(0.5, 2.0))
    def test_eulers_theorem(self, expression: Expression, degree: int, t: float) -> None:
        def homogeneous(*xs: Value) -> Any:
            *xs, t = xs  # type: ignore[assignment]
            return t**degree * expression(*(x / t for x in xs))

        point = [*(x * t for x in expression.point), t]
        terms = [x * d for x, d in zip(point, gradient(homogeneous, point), strict=True)]
        assert_close([sum(terms)], [degree * value(homogeneous, [Value(x) for x in point])], max(map(abs, terms)))

    @pytest.mark.parametrize(
        ("function", "degree"),
        [
            (lambda *xs: math.hypot(*xs), 1),
            (lambda *xs: math.maximum(*xs), 1),
            (lambda *xs: math.prod(xs), 3),
            (lambda *xs: math.fsum(xs), 1),
            (lambda x, y, z: math.atan2(x, y) * z**0, 0),
            (lambda x, y, z: math.sqrt(x * y) / z, 0),
            (lambda x, y, z: math.sumprod([x, y], [y, z]), 2),
            (lambda x, y, z: x**0.75 * y**0.25 * math.cbrt(z), Fraction(4, 3)),
        ],
    )
    @examples(10)
    @given(point=st.lists(st.floats(0.1, 9.0), min_size=3, max_size=3))
    def test_known_degrees(self, function: Function, degree: Fraction, point: list[float]) -> None:
        total = sum(x * d for x, d in zip(point, gradient(function, point), strict=True))
        assert total == pytest.approx(float(degree) * function(*point), rel=1e-13, abs=1e-13)


REWRITINGS: list[tuple[str, Function, Function]] = [
    ("x * y", lambda x, y: x * y, lambda x, y: math.exp(math.log(x) + math.log(y))),
    ("x / y", lambda x, y: x / y, lambda x, y: math.exp(math.log(x) - math.log(y))),
    ("x - y", lambda x, y: x - y, lambda x, y: x + -1 * y),
    ("x ** y", lambda x, y: (x / 9) ** y, lambda x, y: math.exp(y * math.log(x / 9))),
    ("x ** 3", lambda x, y: x**3 + y, lambda x, y: x * x * x + y),
    ("squares", lambda x, y: x**2 - y**2, lambda x, y: (x - y) * (x + y)),
    ("sqrt", lambda x, y: math.sqrt(x + y), lambda x, y: (x + y) ** 0.5),
    ("tanh", lambda x, y: math.tanh(x - y), lambda x, y: 2 * math.sigmoid(2 * (x - y)) - 1),
    ("sigmoid", lambda x, y: math.sigmoid(x - y), lambda x, y: 1 / (1 + math.exp(y - x))),
    ("softplus", lambda x, y: math.softplus(x - y), lambda x, y: math.log1p(math.exp(x - y))),
    ("logaddexp", math.logaddexp, lambda x, y: math.log(math.exp(x) + math.exp(y))),
    ("logsumexp", lambda x, y: math.logsumexp([x, y, x]), lambda x, y: y + math.log(1 + 2 * math.exp(x - y))),
    ("hypot", math.hypot, lambda x, y: math.sqrt(x * x + y * y)),
    ("atan2", lambda x, y: math.atan2(y, x), lambda x, y: math.atan(y / x)),
    ("sin of a sum", lambda x, y: math.sin(x + y), lambda x, y: math.sin(x) * math.cos(y) + math.cos(x) * math.sin(y)),
    ("dot", lambda x, y: math.dot([x, y], [y, x], x), lambda x, y: x + 2 * x * y),
    ("prod", lambda x, y: math.prod([x, y, x]), lambda x, y: x * x * y),
    ("fma", lambda x, y: math.fma(x, y, y), lambda x, y: (x + 1) * y),
    ("relu", lambda x, y: math.relu(x * y) - math.relu(-x * y), lambda x, y: x * y),
    ("maximum", lambda x, y: math.maximum(x, y) + math.minimum(x, y), lambda x, y: x + y),
    ("where", lambda x, y: math.where(y, x, y), lambda x, y: x + 0 * y),
]


class TestRewriting:
    @pytest.mark.parametrize(("before", "after"), [r[1:] for r in REWRITINGS], ids=[r[0] for r in REWRITINGS])
    @examples(10)
    @given(pairs())
    def test_gradients_do_not_change(self, before: Function, after: Function, pair: Any) -> None:
        f, g, point = pair

        def between(function: Expression) -> Function:
            return lambda *x: 1 + 3 * math.sigmoid(as_node(function(*x)))  # from 1 to 4, where all of them are defined

        u, v = between(f), between(g)
        one, other = (gradient(lambda *x, form=form: form(u(*x), v(*x)), point) for form in (before, after))
        assert_close(one, other)

    @examples(50)
    @given(expressions(), st.data())
    def test_the_order_of_a_sum_does_not_matter(self, expression: Expression, data: st.DataObject) -> None:
        def terms(*x: Value) -> list[Any]:
            first = as_node(expression(*x))
            return [first, first * first, math.sin(first), *x]

        order = data.draw(st.permutations(range(3 + len(expression.point))))
        expected = gradient(lambda *x: sum(terms(*x)), expression.point)
        for add in (sum, math.fsum):
            permuted = gradient(lambda *x, add=add: add([terms(*x)[i] for i in order]), expression.point)
            assert_close(permuted, expected)

    @examples(50)
    @given(expressions())
    def test_a_common_subexpression_may_be_shared_or_not(self, expression: Expression) -> None:
        def shared(*x: Value) -> Any:
            common = as_node(expression(*x))
            return common * common + math.sin(common)

        def repeated(*x: Value) -> Any:
            return as_node(expression(*x)) * expression(*x) + math.sin(as_node(expression(*x)))

        assert_close(gradient(shared, expression.point), gradient(repeated, expression.point))


class TestBackward:
    @examples(50)
    @given(expressions(), st.integers(2, 5))
    def test_leaves_accumulate_and_inner_nodes_do_not(self, expression: Expression, times: int) -> None:
        leaves = [Value(x) for x in expression.point]
        out = expression(*leaves)
        out.backward()
        nodes = graph.inner_nodes(out)
        once, inner = [leaf.grad for leaf in leaves], [node.grad for node in nodes]
        for _ in range(times - 1):
            out.backward()
        assert_close([leaf.grad for leaf in leaves], [times * grad for grad in once])
        assert [node.grad for node in nodes] == inner and out.grad == 1

    @examples(50)
    @given(expressions(), st.data())
    def test_the_order_in_which_nodes_were_made_does_not_matter(
        self, expression: Expression, data: st.DataObject
    ) -> None:
        shuffled = Expression(reordered(expression.source, data), expression.point)
        leaves = [Value(x) for x in reversed(expression.point)][::-1]
        out = shuffled(*leaves)
        out.backward()
        assert out.data == value(expression, [Value(x) for x in expression.point])
        assert [leaf.grad for leaf in leaves] == gradient(expression, expression.point), "the same bits"

    @examples(50)
    @given(expressions())
    def test_recorded_gradients_are_the_same(self, expression: Expression) -> None:
        leaves = [Value(x) for x in expression.point]
        expression(*leaves).backward(create_graph=True)
        assert_close([as_node(leaf.grad).data for leaf in leaves], gradient(expression, expression.point))

    @examples(50)
    @given(expressions(rules=["add", "sub", "mul", "div", "neg", "abs", "maximum", *dual.FUNCTIONS]))
    def test_reverse_mode_agrees_with_dual_numbers(self, expression: Expression) -> None:
        namespace: dict[str, Any] = {"math": SimpleNamespace(**dual.FUNCTIONS, maximum=dual.maximum)}
        exec(expression.source.removeprefix("from microgrid import math\n\n"), namespace)
        expected = []
        for place in range(len(expression.point)):
            numbers = (Dual(x, float(index == place)) for index, x in enumerate(expression.point))
            expected.append(dual.dual(namespace["expression"](*numbers)).tangent)
        assert_close(gradient(expression, expression.point), expected)


def reordered(source: str, data: st.DataObject) -> str:
    """Return the text of an expression with its lines in another order, each still after those that it depends on."""
    head, _, body = source.partition("):\n")
    *lines, last = body.splitlines()
    order: list[str] = []
    while lines:
        missing = {line.split()[0] for line in lines}
        ready = [line for line in lines if not words(line.partition(" = ")[2]) & missing]
        order.append(data.draw(st.sampled_from(ready)))
        lines.remove(order[-1])
    return "\n".join([head + "):", *order, last, ""])


class TestFractions:
    @examples(60)
    @given(
        f=dual.formulas(),
        g=dual.formulas(),
        point=st.lists(st.fractions(-9, 9, max_denominator=9), min_size=3, max_size=3),
    )
    def test_rules_are_exact(self, f: str, g: str, point: list[Fraction]) -> None:
        def function(text: str) -> Function:
            return lambda a, b, c: eval(text, {"a": a, "b": b, "c": c})

        try:
            u, v = value(function(f), [Value(x) for x in point]), value(function(g), [Value(x) for x in point])
            du, dv = gradient(function(f), point), gradient(function(g), point)
            product, quotient, total, square = (
                gradient(function(text), point)
                for text in (f"({f}) * ({g})", f"({f}) / ({g})", f"2 * ({f}) - 3 * ({g})", f"({f}) ** 2")
            )
        except ZeroDivisionError:
            assume(False)
        parts = list(zip(du, dv, strict=True))
        assert product == [a * v + u * b for a, b in parts]
        assert quotient == [(a * v - u * b) / v**2 for a, b in parts]
        assert total == [2 * a - 3 * b for a, b in parts]
        assert square == [2 * u * a for a in du]
        assert {type(d) for d in product + quotient + total + square} == {Fraction}


COPIES = [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))]


def structure(root: Value) -> list[Any]:
    """Return all there is to know of a graph, nodes numbered in topological order."""
    nodes = graph.inner_nodes(root)
    order = [*(graph.leaves(nodes) or [root]), *nodes]
    number = {node: index for index, node in enumerate(order)}
    return [
        (node.data, node.grad, node.label, node.op, node.constants, [number[parent] for parent in node.parents])
        for node in order
    ]


@pytest.mark.parametrize("duplicate", COPIES, ids=["deepcopy", "pickle"])
class TestCopies:
    @examples(30)
    @given(expression=expressions())
    def test_a_copy_equals_its_graph(self, duplicate: Function, expression: Expression) -> None:
        leaves = [Value(x, label=name) for x, name in zip(expression.point, "xyz", strict=False)]
        out = expression(*leaves)
        twin = duplicate(out)
        assert structure(twin) == structure(out)
        out.backward()
        assert structure(twin) != structure(out), "nothing is shared"
        twin.backward()
        assert structure(twin) == structure(out) == structure(duplicate(out))

    @examples(10)
    @given(drawn=networks())
    def test_a_copied_network_computes_the_same(self, duplicate: Function, drawn: tuple[MLP, list[float]]) -> None:
        net, inputs = drawn
        twin = duplicate(net)
        results = []
        for one in (net, twin):
            out = one(inputs)
            out.backward()
            results.append((out.data, [parameter.grad for parameter in one.parameters()], repr(one)))
        assert results[0] == results[1]
        assert not {*net.parameters()} & {*twin.parameters()}
