"""Transforms: what they return, their laws on random functions, and what they refuse."""

import math as standard
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from microgrid import (
    Value,
    derivative,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    math,
    stop_gradient,
    taylor,
    value_and_grad,
    vjp,
)
from microgrid.nn import MLP
from microgrid.testing import NotDifferentiableError, expressions, numerical_derivative
from microgrid.transforms import nests

SOME = settings(max_examples=max(1, settings().max_examples // 5))
FRACTIONS = st.fractions(-5, 5, max_denominator=3)
FLOATS = st.floats(-2, 2).map(lambda x: round(x, 3))

# Random functions of three numbers: each step is an operation on what is there, and the last three are the result.

EXACT: list[Callable[[Any, Any], Any]] = [
    lambda x, y: x + y,
    lambda x, y: x - y * 2,
    lambda x, y: x * y,
    lambda x, y: x / (1 + y * y),
    lambda x, y: x**2 - y,
    lambda x, y: -x,
    lambda x, y: math.prod([x, y], start=3),
]
SMOOTH: list[Callable[[Any, Any], Any]] = [
    *EXACT[:4],
    lambda x, y: math.sin(x) * y,
    lambda x, y: math.tanh(x - y),
    lambda x, y: math.exp(-x * x) + y,
    lambda x, y: math.log1p(x * x) * y,
    lambda x, y: math.logsumexp([x, y, 1.0]),
    lambda x, y: math.dot([x, y], [y, 2.0], x),
    lambda x, y: math.hypot(x, y, 1.0),
    lambda x, y: math.fma(x, y, 2.0),
    lambda x, y: math.sigmoid(x) / (2.0 + math.cos(y)),
]


def programs(operations: list[Callable[[Any, Any], Any]]) -> st.SearchStrategy[Callable[[list[Any]], list[Any]]]:
    """Draw functions from lists of three numbers to lists of three numbers; each step may double their digits."""
    most = 3 if operations is EXACT else 6
    steps = st.lists(st.tuples(st.sampled_from(operations), st.integers(0, 9), st.integers(0, 9)), max_size=most)

    def program(steps: list[Any]) -> Callable[[list[Any]], list[Any]]:
        def function(xs: list[Any]) -> list[Any]:
            numbers = list(xs)
            for operation, i, j in steps:
                numbers.append(operation(numbers[i % len(numbers)], numbers[-1 - j % len(numbers)]))
            return numbers[-3:]

        return function

    return steps.map(program)


def three(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Draw lists of three of `numbers`."""
    return st.lists(numbers, min_size=3, max_size=3)


def inner(v: list[Any], w: list[Any]) -> Any:
    """Return the inner product."""
    return sum(a * b for a, b in zip(v, w, strict=True))


def product(a: list[list[Any]], b: list[list[Any]]) -> list[list[Any]]:
    """Return the product of two matrices."""
    return [[inner(row, list(column)) for column in zip(*b, strict=True)] for row in a]


def close(found: Any, expected: Any, scale: float, tolerance: float = 1e-12) -> bool:
    """Return whether two numbers agree, relative to `scale`, which is at least 1."""
    return abs(found - expected) <= tolerance * max(1.0, scale)


def size(*matrices: Any) -> float:
    """Return the product of the largest entries of some matrices."""
    return standard.prod(max(1.0, *(abs(x) for row in matrix for x in row)) for matrix in matrices)


@given(programs(EXACT), three(FRACTIONS), three(FRACTIONS), three(FRACTIONS))
def test_jvp_and_vjp_agree_exactly_on_fractions(f: Any, x: Any, v: Any, w: Any) -> None:
    out, pushed = jvp(f, (x,), (w,))
    result, pullback = vjp(f, x)
    (pulled,) = pullback(v)
    assert out == result == f(x)
    assert inner(v, pushed) == inner(pulled, w)
    assert all(isinstance(number, Fraction) for number in [*pushed, *pulled])


@given(programs(SMOOTH), three(FLOATS), three(FLOATS), three(FLOATS))
def test_jvp_and_vjp_agree_on_floats(f: Any, x: Any, v: Any, w: Any) -> None:
    matrix = jacobian(f)(x)
    assume(size(matrix) < 1e6)
    pushed, (pulled,) = jvp(f, (x,), (w,))[1], vjp(f, x)[1](v)
    assert close(inner(v, pushed), inner(pulled, w), 100 * size(matrix))
    for place in range(3):
        assert close(pushed[place], inner(matrix[place], w), 10 * size(matrix))
        assert close(pulled[place], inner(v, [row[place] for row in matrix]), 10 * size(matrix))


@SOME
@given(programs(EXACT), programs(EXACT), three(FRACTIONS))
def test_the_jacobian_of_a_composition_is_the_product(f: Any, g: Any, x: Any) -> None:
    whole = jacobian(lambda x: g(f(x)))(x)
    assert whole == product(jacobian(g)(f(x)), jacobian(f)(x))
    assert whole == jacfwd(lambda x: g(f(x)))(x) == jacrev(lambda x: g(f(x)))(x)


@SOME
@given(programs(EXACT), three(FRACTIONS), three(FRACTIONS))
def test_hessians_are_symmetric_and_every_way_is_the_same(f: Any, x: Any, v: Any) -> None:
    def scalar(xs: Any) -> Any:
        return sum(f(xs))

    matrix = hessian(scalar)(x)
    assert matrix == [list(column) for column in zip(*matrix, strict=True)]
    assert matrix == jacrev(jacfwd(scalar))(x) == jacrev(grad(scalar))(x) == jacfwd(grad(scalar))(x)
    expected = [inner(row, v) for row in matrix]
    assert hvp(scalar, (x,), (v,)) == (expected,)
    assert vjp(grad(scalar), x)[1](v) == (expected,)
    assert jvp(lambda t: jvp(scalar, (x,), (v,))[1], (0.0,), (1.0,))[1] == 0

    def along(t: Any) -> Any:
        return scalar([a + t * b for a, b in zip(x, v, strict=True)])

    assert derivative(along, 2)(Fraction()) == inner(expected, v) == grad(grad(along))(Fraction())


@SOME
@given(programs(SMOOTH), three(FLOATS), three(FLOATS))
def test_derivatives_are_what_differences_tend_to(f: Any, x: Any, v: Any) -> None:
    def along(t: Any) -> Any:
        return sum(f([a + t * b for a, b in zip(x, v, strict=True)]))

    coefficients = taylor(along, 0.0, 4)
    assume(max(map(abs, coefficients)) < 100)
    step = 1e-3  # the fifth coefficient and beyond are lost in the tolerance
    for t in (step, -step):
        expected = sum(c * t**power for power, c in enumerate(coefficients))
        assert close(along(t), expected, max(map(abs, coefficients)), 1e-11)
    assert close(grad(along)(0.0), coefficients[1], max(map(abs, coefficients)))
    assert close(grad(grad(along))(0.0) / 2, coefficients[2], max(map(abs, coefficients)))


@SOME
@given(three(three(FRACTIONS)), three(FRACTIONS), three(FRACTIONS))
def test_linear_functions_are_their_jacobian(matrix: Any, x: Any, v: Any) -> None:
    def linear(xs: Any) -> Any:
        return [inner(row, xs) for row in matrix]

    assert jacobian(linear)(x) == jacfwd(linear)(x) == matrix
    assert jvp(linear, (x,), (v,)) == (linear(x), linear(v))
    assert vjp(linear, x)[1](v) == ([inner(v, [row[k] for row in matrix]) for k in range(3)],)
    assert hessian(lambda xs: linear(xs)[0])(x) == [[0] * 3] * 3


# Nests


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True, slots=True)
class Weights:
    slope: Any
    offsets: Any


def energy(p: Point, w: Weights) -> Any:
    return w.slope * p.x**2 + p.y * w.offsets["a"][0] + (w.offsets["none"] or 0.0)


P, W = Point(2.0, 3.0), Weights(5.0, {"a": (7.0,), "none": None})


def test_gradients_have_the_nest_of_the_argument() -> None:
    assert grad(energy)(P, W) == Point(20.0, 7.0)
    by_both = Point(20.0, 7.0), Weights(4.0, {"a": (3.0,), "none": None})
    assert grad(energy, (0, 1))(P, W) == by_both
    assert value_and_grad(energy, (0, -1))(P, W) == (41.0, by_both)
    assert vjp(energy, P, W)[1](2.0) == (Point(40.0, 14.0), Weights(8.0, {"a": (6.0,), "none": None}))
    assert jvp(energy, (P, W), (Point(1.0, 0.0), Weights(1.0, {"none": None, "a": [0.0]}))) == (41.0, 24.0)
    assert hvp(energy, (P, W), (Point(1.0, 0.0), Weights(0.0, {"a": (1.0,), "none": None}))) == (
        Point(10.0, 1.0),
        Weights(4.0, {"a": (0.0,), "none": None}),
    )


def test_jacobians_put_the_nest_of_the_argument_into_that_of_the_result() -> None:
    def function(p: Point, scale: Any) -> Any:
        return {"sum": p.x + p.y, "list": [p.x * scale, 3.0]}

    expected = {
        "sum": (Point(1.0, 1.0), 0.0),
        "list": [(Point(5.0, 0.0), 2.0), (Point(0.0, 0.0), 0.0)],
    }
    for transform in (jacobian, jacfwd, jacrev):
        assert transform(function, (0, 1))(P, 5.0) == expected
        assert transform(lambda xs: [], 0)([1.0]) == [] and transform(lambda x: [1.0], ())(2.0) == [()]
    assert hessian(energy)(P, W) == Point(Point(10.0, 0.0), Point(0.0, 0.0))
    assert hessian(lambda x: {"a": x**3})(2.0) == {"a": 12.0}
    assert taylor(lambda t: Point(t, [t * t]), 3.0, 2) == [Point(3.0, [9.0]), Point(1.0, [6.0]), Point(0.0, [1.0])]
    assert derivative(lambda t: Point(t, [t * t]), 2)(3.0) == Point(0.0, [2.0])


def loss(net: MLP, x: Any) -> Any:
    return net([x, 1.0]) ** 2


def test_modules_are_differentiated_as_backward_does() -> None:
    net = MLP(2, [3, 1], activation="tanh", rng=1)
    value, slopes = value_and_grad(loss)(net, 0.5)
    assert type(value) is float and type(slopes) is MLP and all(p.grad == 0.0 for p in net.parameters())
    loss(net, 0.5).backward()
    assert [p.data for p in slopes.parameters()] == pytest.approx([p.grad for p in net.parameters()], rel=1e-14)
    assert all(type(p) is Value and p.op is None for p in slopes.parameters())
    (product,) = hvp(lambda net: loss(net, 0.5), (net,), (slopes,))

    def inner_product(other: MLP) -> Any:
        recorded = nests.leaves("slopes", grad(loss)(other, 0.5))
        return sum(a * b.data for a, b in zip(recorded, slopes.parameters(), strict=True))

    expected = grad(inner_product)(net)
    assert [p.data for p in product.parameters()] == pytest.approx([p.data for p in expected.parameters()], rel=1e-12)
    assert all(p.op is None for p in product.parameters())


def test_a_parameter_in_two_places_has_one_derivative() -> None:
    net = MLP(1, [1, 1], rng=0)
    net.layers[1].neurons[0].w = net.layers[0].neurons[0].w
    slopes = grad(lambda net: net([2.0]))(net)
    assert slopes.layers[1].neurons[0].w[0] is slopes.layers[0].neurons[0].w[0]
    net([2.0]).backward()
    assert [p.data for p in slopes.parameters()] == [p.grad for p in net.parameters()]


def test_arguments_that_share_a_module_are_told_apart() -> None:
    net = MLP(1, [1], activation=None, rng=0)
    weight = net.parameters()[0]
    weight.data = 3.0
    one, other = grad(lambda a, b: a.parameters()[0] * b.parameters()[0] ** 2, (0, 1))(net, net)
    assert (one.parameters()[0].data, other.parameters()[0].data) == (9.0, 18.0)
    module, number = grad(lambda a, b: a.parameters()[0] * b**2, (0, 1))(net, weight)
    assert (module.layers[0].neurons[0].w[0].data, number.data) == (9.0, 18.0)
    _, pushed = jvp(lambda a, b: a.parameters()[0] * b.parameters()[0], (net, net), (net, other))
    assert pushed == 9.0 + 3.0 * 18.0 and type(pushed) is float


def test_a_module_may_be_the_result() -> None:
    net = MLP(1, [1], rng=0)

    def moved(net: MLP) -> MLP:
        neuron = net.layers[0].neurons[0]
        neuron.w = [neuron.w[0] * 3.0]
        return net

    weight = net.parameters()[0].data
    result, pushed = jvp(moved, (net,), (net,))
    assert [p.data for p in result.parameters()] == [p.data for p in pushed.parameters()] == [3.0 * weight, 0.0]
    assert net.parameters()[0].data == weight


# What is returned


def test_plain_numbers_give_plain_floats_and_values_give_values() -> None:
    for number in (3, 3.0, True):
        assert type(grad(lambda x: x * x)(number)) is float
    assert type(grad(lambda x: x * x)(Fraction(3))) is Fraction
    x = Value(3.0)
    slope = grad(lambda x: x**3)(x)
    slope.backward()
    assert (slope.data, x.grad) == (27.0, 18.0)
    out, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    assert out == 6.0 and pullback(1) == (3.0, 2.0) and pullback(Value(1.0))[0].data == 3.0
    assert type(jvp(lambda x: x * x, (3.0,), (Value(1.0),))[1]) is Value
    cotangent = Value(2.0)
    pullback(cotangent)[0].backward()
    assert cotangent.grad == 3.0
    assert grad(lambda c: pullback(c)[0] * c)(2.0) == 12.0, "a pullback made outside is differentiated by its cotangent"


def test_closed_over_values_are_constants_that_can_be_differentiated() -> None:
    w = Value(3.0)
    assert grad(lambda x: w * x * x)(2.0) == 12.0 and w.grad == 0.0
    assert grad(lambda v: grad(lambda x: v * x * x)(2.0))(3.0) == 4.0


def test_what_never_met_the_arguments_has_the_derivative_zero() -> None:
    for constant in (5, 5.0, Value(5.0), Value(5.0) * 2.0):
        assert grad(lambda x, c=constant: c)([1.0, 2.0]) == [0.0, 0.0]
        assert jvp(lambda x, c=constant: c, (1.0,), (1.0,))[1] == 0.0
        assert taylor(lambda x, c=constant: c, 1.0, 2) == [float(constant), 0.0, 0.0]
        assert jacobian(lambda x, c=constant: [c, x])(1.0) == [0.0, 1.0]
    assert type(grad(lambda x: 5)(Fraction(1))) is Fraction
    assert grad(lambda x: Fraction(1, 3))(Fraction(1)) == 0 == grad(grad(lambda x: 5))(1.0)


def test_a_node_or_an_argument_may_be_returned_again_and_again() -> None:
    def function(x: Any, y: Any) -> Any:
        out = x * y
        return [out, out, x, x, y]

    assert vjp(function, 2.0, 3.0)[1]([1.0, 10.0, 100.0, 1000.0, 0.0]) == (33.0 + 1100.0, 22.0)
    assert jvp(function, (2.0, 3.0), (1.0, 0.0))[1] == [3.0, 3.0, 1.0, 1.0, 0.0]
    assert grad(lambda x: x)(2.0) == 1.0 and hessian(lambda x: x)(2.0) == 0.0


def test_auxiliary_results() -> None:
    marker = object()

    def function(x: Any) -> Any:
        return x * x, {"x": x, "count": 3, "flag": True, "text": "t", "marker": marker, "list": [x + 1]}

    plain = {"x": 3.0, "count": 3, "flag": True, "text": "t", "marker": marker, "list": [4.0]}
    assert grad(function, has_aux=True)(3.0) == (6.0, plain)
    assert value_and_grad(function, has_aux=True)(3.0) == ((9.0, plain), 6.0)
    assert jvp(function, (3.0,), (1.0,), has_aux=True) == (9.0, 6.0, plain)
    out, pullback, aux = vjp(function, 3.0, has_aux=True)
    assert (out, pullback(1.0), aux) == (9.0, (6.0,), plain)
    assert type(aux["count"]) is int and aux["flag"] is True
    assert grad(lambda x: grad(function, has_aux=True)(x)[1]["list"][0] * x)(3.0) == 7.0
    for wrong in (lambda x: x, lambda x: [x, x], lambda x: (x, x, x)):
        with pytest.raises(TypeError, match=r"grad\(<lambda>\): has_aux expects the function to return a pair, got "):
            grad(wrong, has_aux=True)(3.0)


def test_stop_gradient_makes_constants() -> None:
    x, net, marker = Value(2.0), MLP(1, [1], rng=0), Point(1, None)
    stopped = stop_gradient([x * x, {"a": (3, x)}, marker, net])
    assert (stopped[0].op, stopped[0].data, stopped[1]["a"][0], stopped[2]) == (None, 4.0, 3, marker)
    assert stopped[3] is not net and [p.data for p in stopped[3].parameters()] == [p.data for p in net.parameters()]
    assert grad(lambda x: x * stop_gradient(x * x))(3.0) == 9.0
    slopes = grad(lambda net: net([1.0]) * stop_gradient(net)([1.0]))(net)
    half = grad(lambda n: n([1.0]) * net([1.0]).data)(net)
    assert [p.data for p in slopes.parameters()] == [p.data for p in half.parameters()]
    with pytest.raises(TypeError, match=r"stop_gradient: the nest\[1\]: expected a number, a Value, or .* got str"):
        stop_gradient([x, "text"])


def test_backward_inside_of_a_transform() -> None:
    def slope_by_backward(x: Any) -> Any:
        leaf = x * 1.0
        out = leaf**3
        out.backward(create_graph=True)
        return leaf.grad

    assert grad(slope_by_backward)(2.0) == 12.0
    assert jvp(slope_by_backward, (2.0,), (1.0,)) == (12.0, 12.0)


def test_transformed_functions_are_known_by_the_name_and_text_of_the_function() -> None:
    def area(r: float) -> float:
        """Return the area."""
        return r * r

    for transform in (grad, value_and_grad, jacobian, jacfwd, jacrev, hessian, derivative):
        assert (transform(area).__name__, transform(area).__doc__) == ("area", "Return the area.")


# What is refused


def by_hand(x: Value) -> Value:
    """Return the square of `x` by an operation in the way of micrograd's lecture."""
    out = Value(x.data**2, (x,), "square")

    def backward() -> None:
        x.grad += 2 * x.data * out.grad

    out._backward = backward
    return out * 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: grad(by_hand)(3.0),
        lambda: jvp(by_hand, (3.0,), (1.0,)),
        lambda: hessian(by_hand)(3.0),
        lambda: hvp(by_hand, (3.0,), (1.0,)),
        lambda: taylor(by_hand, 3.0, 2),
        lambda: grad(grad(by_hand))(3.0),
    ],
)
def test_operations_written_by_hand_are_refused(call: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=r"the operation 'square' was added by assigning _backward, .* define_rule"):
        call()


def test_an_operation_written_by_hand_may_be_a_constant() -> None:
    constant = by_hand(Value(3.0))
    assert grad(lambda x: x * constant)(2.0) == 9.0 and taylor(lambda x: x * constant, 2.0, 1) == [18.0, 9.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: grad(f)(1.0), "grad(f): expected the function to return one number, got list [Value(data=1.0"),
        (lambda f: value_and_grad(f)(1.0), "value_and_grad(f): expected the function to return one number, got list"),
        (lambda f: hvp(f, (1.0,), (1.0,)), "hvp(f): expected the function to return one number, got list"),
        (lambda f: vjp(f, 1.0)[1](1.0), "vjp(f): the cotangents: expected the shape of [Value("),
        (lambda f: vjp(f, 1.0)[1](["x"]), "vjp(f): the cotangents[0]: expected a number, got str 'x'"),
        (lambda f: vjp(f, {1.0}), "vjp(f): argument 0: expected a number, a Value, or a list"),
        (lambda f: jvp(f, 1.0, 1.0), "jvp(f): expected primals and tangents as tuples, got 1.0 and 1.0"),
        (lambda f: hvp(f, 1.0, 1.0), "hvp(f): expected primals and tangents as tuples, got 1.0 and 1.0"),
        (lambda f: jvp(f, (1.0,), (1.0, 2.0)), "jvp(f): expected a tangent for each primal, got 2 for 1"),
        (lambda f: jvp(f, ([1.0],), ([1.0, 2.0],)), "jvp(f): tangent 0: expected the shape of [1.0], got [1.0, 2.0]"),
        (lambda f: jvp(f, (1.0,), ("x",)), "jvp(f): tangent 0: expected a number, got str 'x'"),
        (lambda f: jacobian(f)({"a": ["x"]}), "jacobian(f): argument 0['a'][0]: expected a number, a Value"),
        (lambda f: hessian(f)("x"), "hessian(f): argument 0: expected a number, a Value"),
        (lambda f: taylor(f, [1.0], 2), "taylor(f): expected x to be one number, got [1.0]"),
        (lambda f: taylor(f, [], 2), "taylor(f): expected x to be one number, got []"),
        (lambda f: derivative(f)([1.0]), "derivative(f): expected x to be one number, got [1.0]"),
    ],
)  # fmt: skip
def test_type_errors_name_the_transform_the_function_and_the_place(call: Callable[..., object], message: str) -> None:
    def f(x: Any) -> Any:
        return [x]

    with pytest.raises(TypeError) as error:
        call(f)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("result", [None, "text", (), {1.0}, (x for x in ())], ids=repr)
def test_a_result_that_is_no_number_is_refused(result: Any) -> None:
    for transform in (grad, value_and_grad):
        with pytest.raises(
            TypeError, match=rf"^{transform.__name__}\(<lambda>\): (expected the function|the result: expected)"
        ):
            transform(lambda x: result)(1.0)


@pytest.mark.parametrize("order", [-1, 1.0, "2", None])
def test_an_order_is_a_whole_number(order: Any) -> None:
    with pytest.raises(ValueError, match=r"^taylor\(tanh\): expected an order of 0, 1, 2, …, got "):
        taylor(math.tanh, 1.0, order)
    with pytest.raises(ValueError, match=r"^derivative\(tanh\): expected an order of 0, 1, 2, …, got "):
        derivative(math.tanh, order)


# The oracle


@SOME
@given(expressions(inputs=2, size=5), st.data())
def test_every_transform_agrees_with_the_oracle(expression: Any, data: st.DataObject) -> None:
    x, direction = list(expression.point), data.draw(st.sampled_from([[1.0, 0.0], [0.0, 1.0], [0.5, -1.0]]))

    def function(xs: list[Any]) -> Any:
        return expression(*xs) * 1.0

    def along(t: Any) -> Any:
        return function([a + t * b for a, b in zip(x, direction, strict=True)])

    try:
        estimate = numerical_derivative(along, 0.0)
    except NotDifferentiableError:
        assume(False)
    slopes = grad(function)(x)
    found = {
        "grad": inner(slopes, direction),
        "value_and_grad": inner(value_and_grad(function)(x)[1], direction),
        "vjp": inner(vjp(function, x)[1](1.0)[0], direction),
        "jvp": jvp(function, (x,), (direction,))[1],
        "jacfwd": inner(jacfwd(function)(x), direction),
        "derivative": derivative(along)(0.0),
    }
    size = max(1.0, *map(abs, slopes))  # where derivatives cancel, the roundings of their terms stay
    for name, slope in found.items():
        assert abs(slope - estimate.derivative) <= 10 * estimate.error + 1e-9 * size, name
    try:
        bend = numerical_derivative(grad(along), 0.0)
    except NotDifferentiableError:
        return
    curved = {
        "hvp": inner(hvp(function, (x,), (direction,))[0], direction),
        "hessian": inner([inner(row, direction) for row in hessian(function)(x)], direction),
        "derivative": derivative(along, 2)(0.0),
        "grad": grad(grad(along))(0.0),
    }
    size = max(size**2, *(abs(y) for row in hessian(function)(x) for y in row))
    for name, curvature in curved.items():
        assert abs(curvature - bend.derivative) <= 10 * bend.error + 1e-9 * size, name
