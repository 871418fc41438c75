"""Functions made of several operations."""

import math as standard
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, hessian, jit, jvp, math, taylor, value_and_grad
from microgrid.compiler.trace.trace import Trace
from microgrid.engine.modes import Mode

FINITE = st.floats(-1e3, 1e3)


def gradient(result: Value, *leaves: Value) -> list[float]:
    for leaf in leaves:
        leaf.zero_grad()
    result.backward()
    return [leaf.grad for leaf in leaves]


def test_logarithms_take_a_base() -> None:
    x, base = Value(8.0), Value(2.0)
    assert math.log(x, 2).data == math.log(x, base).data == pytest.approx(3.0) == math.log(8, base).data
    assert gradient(math.log(x, base), x, base) == pytest.approx(
        [1 / (8 * standard.log(2)), -3 / (2 * standard.log(2))]
    )
    with pytest.raises(TypeError, match="log expected at most 2 arguments, got 3"):
        math.log(x, 2, 3)
    assert math.log(x).data == standard.log(8.0) and math.log(x).op.name == "log"
    with pytest.raises(ZeroDivisionError, match=r"^log\(8.0, 1\): "):
        math.log(x, 1)


@given(st.lists(FINITE, min_size=1, max_size=4), st.lists(FINITE, min_size=1, max_size=4))
def test_dist_is_the_length_of_the_difference(p: list[float], q: list[float]) -> None:
    q = (q * 4)[: len(p)]
    leaves = [Value(x) for x in p]
    result = math.dist(leaves, q)
    assert result.data == pytest.approx(standard.dist(p, q), rel=1e-14)
    if result.data > 1e-100:
        assert gradient(result, *leaves) == pytest.approx([(a - b) / result.data for a, b in zip(p, q, strict=True)])


def test_equal_points_attract_and_repel_each_other_no_more() -> None:
    points = [Value(1.0), Value(2.0)], [Value(1.0), Value(2.0)]
    assert gradient(math.dist(*points), *points[0], *points[1]) == [0.0] * 4
    assert hessian(lambda p: math.dist(p, [1.0, 2.0]))([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert jvp(lambda x: math.dist([x, 2.0], [1.0, 2.0]), (1.0,), (1.0,)) == (0.0, 0.0)
    assert taylor(lambda x: math.dist([x, 2.0], [1.0, 2.0]), 1.0, 2) == [0.0, 0.0, 0.0]
    assert math.dist([Value(standard.nan)], [0.0]).data != 0.0


def test_a_compiled_distance_is_the_eager_one() -> None:
    def distance(x: Value) -> Value:
        return math.dist([x, 2.0], [1.0, 2.0])

    compiled, slope = jit(distance), jit(value_and_grad(distance))
    for at in (4.0, 1.0):
        assert slope(at) == value_and_grad(compiled)(at) == value_and_grad(distance)(at)


def test_dist_wants_points_of_one_space() -> None:
    with pytest.raises(ValueError, match="same number of dimensions"):
        math.dist([Value(1.0)], [1.0, 2.0])


@given(st.floats(allow_nan=False))
def test_modf_takes_a_number_apart(x: float) -> None:
    node = Value(x)
    fraction, whole = math.modf(node)
    assert [repr(fraction.data), repr(whole.data)] == [repr(part) for part in standard.modf(x)]
    assert gradient(fraction, node) == [0.0 if standard.isinf(x) else 1.0]
    assert gradient(whole, node) == [0.0]


@given(st.floats(1e-300, 1e300) | st.floats(-1e300, -1e-300))
def test_frexp_takes_a_number_apart(x: float) -> None:
    node = Value(x)
    mantissa, exponent = math.frexp(node)
    assert (mantissa.data, exponent) == standard.frexp(x) and type(exponent) is int
    assert gradient(mantissa, node) == [2.0**-exponent if exponent < 1000 else standard.ldexp(1.0, -exponent)]


def test_pow_raises_as_in_math() -> None:
    for x, y in ((0.0, -1.0), (-8.0, 0.5)):
        with pytest.raises(ValueError, match=r"pow\("):
            math.pow(Value(x), y)
    with pytest.raises(OverflowError):
        math.pow(Value(10.0), 400)


def test_fabs_and_pow_are_those_of_math() -> None:
    x = Value(-3.0)
    assert math.fabs(x).data == 3.0 and gradient(math.fabs(x), x) == [-1.0]
    assert math.pow(x, 2).data == 9.0 and gradient(math.pow(x, 2), x) == [-6.0] and type(math.pow(2, 3)) is float


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_softmax_adds_up_to_one_and_differentiates(xs: list[float]) -> None:
    leaves = [Value(x) for x in xs]
    ps = math.softmax(leaves)
    shares = [standard.exp(x - max(xs)) for x in xs]
    expected = [share / standard.fsum(shares) for share in shares]
    assert [p.data for p in ps] == pytest.approx(expected, rel=1e-12, abs=1e-300)
    assert gradient(ps[0], *leaves) == pytest.approx(
        [expected[0] * ((index == 0) - p) for index, p in enumerate(expected)], rel=1e-12, abs=1e-13
    )


@pytest.mark.parametrize(
    ("xs", "expected"),
    [
        ([1e6, 1e6], [-standard.log(2)] * 2),
        ([1e308, -1e308], [0.0, -standard.inf]),
        ([0.0, -800.0], [0.0, -800.0]),
        ([-1000.0], [0.0]),
    ],
)
def test_log_softmax_is_exact_at_any_size(xs: list[float], expected: list[float]) -> None:
    assert math.log_softmax(xs) == pytest.approx(expected, rel=1e-15)
    assert [node.data for node in math.log_softmax([Value(x) for x in xs])] == pytest.approx(expected, rel=1e-15)


def test_softmax_takes_what_converts_to_a_number() -> None:
    assert math.softmax([Decimal(1), Fraction(1)]) == [0.5, 0.5]
    with pytest.raises(TypeError, match=r"^softmax\(\['a'\]\): expected a real number, got str 'a'$"):
        math.softmax(["a"])


def test_the_shift_of_softmax_is_a_number_and_in_a_trace_a_node() -> None:
    class Trace(Mode):
        traces = True

        def stands_in(self, leaf: Value) -> None:
            """Record nothing."""

    def shift(x: Value) -> tuple[Value, ...]:
        seen: list[Value] = []
        with Mode(seen.append):
            math.softmax([x, 1.0])
        return next(node for node in seen if node.op.name == "sub").parents

    x = Value(2.0)
    (only,) = shift(x)
    assert only is x
    with Trace(lambda node: None):
        _, largest = shift(x)
    assert largest is not x and largest.data == 2.0 and largest.op.name == "maximum"
    assert all(parent is not x for parent in largest.parents)


def test_softmax_is_one_operation_of_a_compiled_function() -> None:
    trace = Trace([1.0, 1.0])
    with trace:
        shares = math.softmax([*trace.inputs, 1.0, 1.0])
        assert math.softmax([1.0, 1.0]) == [0.5, 0.5]
    assert [(share.data, share.op.name) for share in shares] == [(0.25, "share")] * 4


@pytest.mark.parametrize("function", [math.softmax, math.log_softmax])
@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ([], " expects at least one number, got none"),
        ([Value(2.0), "a"], "([2.0, 'a']): expected a real number, got str 'a'"),
        (Value(2.0), "(2.0): expected a sequence of numbers, got Value"),
    ],
)
def test_softmax_says_what_it_expects(function: Any, argument: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        function(argument)
    assert str(caught.value) == function.__name__ + told


def test_dist_says_what_it_expects() -> None:
    x = Value(2.0)
    for points, told in (((x, [1.0]), "dist(2.0, [1.0])"), (([x], x), "dist([2.0], 2.0)")):
        with pytest.raises(TypeError) as caught:
            math.dist(*points)
        assert str(caught.value) == f"{told}: expected a sequence of numbers, got Value"


@pytest.mark.parametrize("number", [2.75, -2.75, 3.5, -0.0, standard.inf, -standard.inf])
def test_modf_and_frexp_are_the_standard_ones(number: float) -> None:
    x = Value(number)
    assert repr(tuple(part.data for part in math.modf(x))) == repr(standard.modf(number)) == repr(math.modf(number))
    mantissa, exponent = math.frexp(x)
    assert (mantissa.data, exponent) == standard.frexp(number) == math.frexp(number)


def test_log_softmax_of_numbers_is_of_floats() -> None:
    assert [type(x) for x in math.log_softmax([1, True, 2])] == [float] * 3
    with pytest.raises(TypeError, match="expected a real number, got str"):
        math.log_softmax([1.0, "a"])
