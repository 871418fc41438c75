"""The scale of a Taylor expansion: what derivatives of high order are at the ends of the range of floats."""

import math as standard
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid import Value, derivative, grad, jit, math, taylor, vmap
from microgrid.compiler.trace.trace import Trace
from microgrid.transforms.run import Run
from microgrid.transforms.series import Series, magnified
from microgrid.transforms.taylor import balanced, best_exponent, extent, is_within, last_derivative

Function = Callable[[Any], Any]
FUNCTIONS: list[Function] = [
    math.exp,
    lambda x: math.sin(x * x) / (2 + x),
    lambda x: math.tanh(3 * x) ** 2,
    lambda x: (1 + x) ** 2.5,
    lambda x: math.logsumexp([x, 2 * x, 0.5]),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@settings(max_examples=max(1, settings().max_examples // 10))
@given(exponent=st.integers(-50, 50), x=st.floats(0.1, 2.0))
def test_a_scale_changes_no_bits(function: Function, exponent: int, x: float) -> None:
    run = Run("a test", function, (x,), {}, 0)
    plain, scaled = (run.expand(run.nodes, 8, scale, False)[run.outputs[0]].terms for scale in (0, exponent))
    assert [magnified(term, -power * exponent) for power, term in enumerate(scaled)] == plain


CASES: list[tuple[Function, int, float, float]] = [  # a function, an order, a point, the derivative
    (lambda x: math.exp(1e-5 * x), 55, 0.0, 1e-275),
    (lambda x: math.exp(-1e5 * x), 61, 0.0, -1e305),
    (lambda x: 1e-20 * math.exp(1e5 * x), 64, 0.0, 1e300),
    (math.exp, 171, 1.0, math.e),
    (lambda x: math.exp2(1e-30 * x) * 1e30, 11, 0.0, 1e-300 * standard.log(2) ** 11),
    (lambda x: math.log1p(1e-30 * x), 10, 0.0, -standard.factorial(9) * 1e-300),
    (lambda x: 1e-200 / (1 - x * 2.0**-20), 40, 0.0, 1e-200 * standard.factorial(40) / 2.0**800),
    (lambda x: 1e300 * (1e-200 * x) * (1e-200 * x), 2, 0.0, 2e-100),  # the square underflows, the result does not
    (lambda x: 1e-300 * (1e200 * x) * (1e200 * x), 2, 0.0, 2e100),
    (lambda x: 1e-200 * (1e-200 * (1e300 * x)), 1, 0.0, 1e-100),
    (lambda x: math.exp(1e5 * x) + math.exp(1e-7 * x), 58, 0.0, 1e290),  # the second part is lost beside the first
    (lambda x: 1 / (1 - x) + 1 / (1 - 1e-25 * x), 40, 0.0, standard.factorial(40)),
    (lambda x: 1 / (x - 1), 171, 0.0, -standard.inf),
    (lambda x: math.exp(1e-5 * x), 70, 0.0, 0.0),
    (lambda x: x * 1.0, 180, 3.0, 0.0),
    (lambda x: math.sqrt(x * 1e-200) * 1e100, 1, 0.0, standard.inf),
    (lambda x: (2.0**400 * x) ** 3 * 2.0**-1000, 3, 0.0, 6 * 2.0**200),  # the cube overflows, the rest is moderate
    (lambda x: 3.0, 2, 1.0, 0.0),
]


@pytest.mark.parametrize(("function", "order", "x", "expected"), CASES)
def test_a_derivative_leaves_the_range_only_itself(function: Function, order: int, x: float, expected: float) -> None:
    close = pytest.approx(expected, rel=1e-12, abs=0.0)
    assert derivative(function, order)(x) == close
    if order < 100:
        assert derivative(function, order)(Value(x)).data == close
    if order < 12 and standard.isfinite(expected):
        assert derivative(jit(function), order)(x) == jit(derivative(function, order))(x) == close


def test_a_scale_makes_nothing_infinite() -> None:
    """The square in the partial of gelu, which is no node, would be so at the scale that is best for what is."""
    assert derivative(math.gelu, 3)(-38.0) == pytest.approx(-6.00399359e-310, rel=1e-8, abs=0.0)


@pytest.mark.parametrize(("rate", "order"), [(1e-5, 54), (1e-30, 9), (1e5, 59), (1e30, 9)])
def test_recorded_derivatives_have_derivatives_at_every_scale(rate: float, order: int) -> None:
    slope = derivative(lambda x: math.exp(rate * x), order)
    assert grad(slope)(0.0) == pytest.approx(rate ** (order + 1), rel=1e-12, abs=0.0)
    assert grad(lambda a: a * slope(0.0))(2.0) == pytest.approx(rate**order, rel=1e-12, abs=0.0)
    assert grad(grad(derivative(lambda x: math.exp(rate * x), order - 1)))(0.0) == pytest.approx(
        rate ** (order + 1), rel=1e-12, abs=0.0
    )


def test_coefficients_are_scaled_too() -> None:
    function = lambda x: 1e300 * (1e-200 * x) * (1e-200 * x)  # noqa: E731 # twice in a line
    assert taylor(function, 2.0, 3) == pytest.approx([4e-100, 4e-100, 1e-100, 0.0], rel=1e-15, abs=0.0)
    found = taylor(function, Value(2.0), 2)
    assert [term.data for term in found] == pytest.approx([4e-100, 4e-100, 1e-100], rel=1e-15, abs=0.0)
    found[1].backward()


def test_each_result_has_a_scale_of_its_own() -> None:
    function = lambda x: {"slow": math.exp(1e-5 * x), "fast": [math.exp(1e5 * x), x * 1.0], "none": 3.0}  # noqa: E731
    expected = {"slow": 1e-275, "fast": [1e275, 0.0], "none": 0.0}
    found = derivative(function, 55)(0.0)
    assert found["slow"] == pytest.approx(1e-275, rel=1e-12, abs=0.0)
    assert found["fast"] == pytest.approx(expected["fast"], rel=1e-12, abs=0.0) and found["none"] == 0.0


def test_fractions_need_no_scale() -> None:
    exact, rounded = derivative(lambda x: [x**55, math.exp(x / 10**5)], 55)(Fraction(1))
    assert exact == standard.factorial(55) and type(exact) is Fraction
    assert rounded == pytest.approx(1e-275, rel=1e-4, abs=0.0)
    exact = derivative(lambda x: x * x, 172)(Fraction(1))
    assert exact == 0 and type(exact) is Fraction


def test_compiled_derivatives_are_scaled_as_eager_ones() -> None:
    function = lambda rate, x: derivative(lambda x: math.exp(rate * x), 20)(x)  # noqa: E731
    jitted = jit(function)
    for rate in (1.0, 2.0, 1e-14, 2e-14, 1e12, 0.0, -3.0, 3e-14):
        assert jitted(rate, 0.0) == function(rate, 0.0) != 0.0 or rate == 0.0
    assert len(jitted.cases) < 6


def test_compiled_derivatives_that_would_underflow_are_noticed_in_batches() -> None:
    slope = derivative(lambda x: 1e300 * (x * x * x * x), 2)
    function = lambda xs: vmap(slope)(xs)  # noqa: E731
    jitted = jit(function)
    for xs in ([1.0, 2.0], [1e-150, 1.0], [1e-160, 1e-200], [0.0, 3.0]):
        assert jitted(xs) == function(xs) == pytest.approx([12e300 * x * x for x in xs], rel=1e-15)


def test_calls_with_several_results_are_looked_into() -> None:
    pair = jit(lambda x: (1e300 * (1e-200 * x) * (1e-200 * x), x))
    assert derivative(lambda x: pair(x)[0], 2)(1.0) == pytest.approx(2e-100, rel=1e-12, abs=0.0)


@pytest.mark.parametrize(("rate", "count"), [(1.0, 1), (1e-5, 2), (1e5, 2)])
def test_no_scale_is_tried_twice_or_for_nothing(rate: float, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expand, scales = Run.expand, []

    def watched(run: Run, nodes: Any, order: int, exponent: int, records: bool) -> Any:
        scales.append(exponent)
        return expand(run, nodes, order, exponent, records)

    monkeypatch.setattr(Run, "expand", watched)
    derivative(lambda x: math.exp(rate * x), 55)(0.0)
    assert len({*scales}) == len(scales) == count


def test_a_factor_beyond_the_range_is_made_up_for_by_the_scale() -> None:
    assert last_derivative([0.0, 0.0, 0.0, 2.0**1023], 1) == 0.75 * 2.0**1023


def test_which_terms_are_within_bounds() -> None:
    for make in (float, Value):
        for number, expected in [(512.0, True), (1024.0, False), (2.0**-9, True), (2.0**-10, False), (0.0, True)]:
            table = {Value(0.0): Series([1e200, make(-number)])}
            assert is_within(table, 10) == expected
            with Trace([]):
                assert is_within(table, 10) == expected
    table = {Value(0.0): Series([0.0, Value(1000.0), Value(1000.0)])}
    assert is_within(table, 10)
    with Trace([]):  # by the length of the vector of all terms
        assert not is_within(table, 10)


def model(sizes: dict[int, list[int]], is_lost: Callable[[int], bool] = lambda exponent: False) -> Callable[[int], Any]:
    """Return a function of an exponent that gives series whose terms have these sizes, one infinite if `is_lost`."""

    def term(power: int, size: int, exponent: int) -> float:
        size += power * exponent
        return standard.inf if size > 1024 or is_lost(exponent) else standard.ldexp(0.5, size)

    def expand(exponent: int) -> Any:
        return {
            Value(0.0): Series([0.0] * power + [term(power, size, exponent)])
            for power, found in sizes.items()
            for size in found
        }

    return expand


def test_where_no_scale_serves_all_terms_the_greatest_of_each_power_decide() -> None:
    assert best_exponent(model({1: [-1070, 0], 10: [500]})) == 0
    assert best_exponent(model({1: [-1070, 1000]})) == -1000


def test_a_scale_that_makes_terms_infinite_is_halved() -> None:
    assert best_exponent(model({1: [-800]})) == 800
    assert best_exponent(model({1: [-800]}, lambda exponent: exponent > 100)) == 100
    assert best_exponent(model({1: [-800]}, lambda exponent: exponent > 0)) == 0
    assert extent({}, 3) == 0


@given(st.dictionaries(st.integers(1, 300), st.tuples(st.integers(-900, 900), st.integers(-900, 900)), min_size=1))
def test_the_balanced_exponent_has_the_least_extent(sizes: dict[int, tuple[int, int]]) -> None:
    exponent = balanced(sizes)
    assert extent(sizes, exponent) <= min(extent(sizes, exponent - 1), extent(sizes, exponent + 1))
