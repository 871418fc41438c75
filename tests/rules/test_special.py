"""The special functions against 40-digit values, their identities, and their behaviour at the edges."""

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from microgrid.rules import special
from microgrid.rules.special import (
    binary_cross_entropy,
    cross_entropy,
    digamma,
    floordiv,
    gelu,
    logaddexp,
    logsigmoid,
    logsumexp,
    polygamma,
    power,
    sigmoid,
    silu,
    softplus,
)

INF, NAN = math.inf, math.nan
TINY = math.ulp(0.0)
EPSILON = math.ulp(1.0)
ACTIVATIONS = [sigmoid, logsigmoid, softplus, silu, gelu]
ROWS = json.loads((Path(__file__).parents[1] / "reference" / "values.json").read_text())


def rows(*names):
    """Return (name, args, value) of the table's rows of these functions, as test parameters."""
    wanted = [(row["name"], row["args"], Fraction(row["value"])) for row in ROWS if row["name"] in names]
    return [pytest.param(*row, id=f"{row[0]}({', '.join(map(repr, row[1]))})") for row in wanted]


def same(x, y):
    """Return whether two floats have the same bits, taking all nans for one."""
    return isinstance(x, float) and x.hex() == float(y).hex()


# values


def test_the_table_has_enough_points_of_each_function():
    names = [row["name"] for row in ROWS]
    assert {name for name in names if names.count(name) >= 20} == {
        "erf", "erfc", "gamma", "lgamma", "digamma", "polygamma", "gelu", "sigmoid", "logsigmoid", "softplus", "silu",
        "logaddexp", "logsumexp", "cbrt", "exp2", "log1p", "expm1",
    }  # fmt: skip
    assert {row["args"][0] for row in ROWS if row["name"] == "polygamma"} == {1, 2, 3, 4, 10}


@pytest.mark.parametrize(("name", "args", "value"), rows("erf", "erfc", "gamma", "cbrt", "exp2", "log1p", "expm1"))
def test_the_table_agrees_with_the_standard_library(name, args, value):
    # the C library's own errors: a few units in the last place, more for large gamma
    assert abs(Fraction(getattr(math, name)(*args)) - value) <= abs(value) * Fraction(20 * EPSILON)


@pytest.mark.parametrize(("name", "args", "value"), rows("lgamma"))
def test_the_table_agrees_with_lgamma(name, args, value):
    assert abs(Fraction(math.lgamma(*args)) - value) <= max(1, abs(value)) * Fraction(10 * EPSILON)


@pytest.mark.parametrize(("name", "args", "value"), rows("sigmoid", "logsigmoid", "softplus", "silu", "gelu"))
def test_activations_are_right_to_three_units_in_the_last_place(name, args, value):
    assert abs(Fraction(getattr(special, name)(*args)) - value) <= abs(value) * Fraction(3 * EPSILON)


@pytest.mark.parametrize(("name", "args", "value"), rows("logaddexp", "logsumexp"))
def test_logarithms_of_sums_are_right_to_two_units_in_the_last_place(name, args, value):
    result = logaddexp(*args) if name == "logaddexp" else logsumexp(args)
    assert abs(Fraction(result) - value) <= max(abs(value), abs(max(args))) * Fraction(2 * EPSILON)


@pytest.mark.parametrize(("name", "args", "value"), rows("digamma"))
def test_digamma_is_as_right_as_documented(name, args, value):
    size = max(abs(value), 1, math.log(abs(args[0])) if args[0] < 0 else 1)
    assert abs(Fraction(digamma(*args)) - value) <= Fraction(2e-15) * Fraction(size)


@pytest.mark.parametrize(("name", "args", "value"), rows("polygamma"))
def test_polygamma_is_as_right_as_documented(name, args, value):
    n, x = args
    distance = abs(Fraction(math.remainder(x, 1)))
    size = abs(value) if x > 0 else math.factorial(n) / distance ** (n + 1)
    assert abs(Fraction(polygamma(n, x)) - value) <= Fraction((n + 5) * 3e-16) * size


# identities over the whole range


@given(st.floats(allow_nan=False))
def test_activations_stay_in_their_ranges(x):
    assert 0 <= sigmoid(x) <= 1
    assert logsigmoid(x) <= 0 <= softplus(x)
    assert max(x, 0) <= softplus(x) <= max(x, 0) + math.log(2)
    assert min(x, -0.0) - math.log(2) <= logsigmoid(x) <= min(x, -0.0)
    assert max(x, 0) - 0.2785 <= silu(x) <= max(x, 0)
    assert max(x, 0) - 0.17 <= gelu(x) <= max(x, 0)


@given(st.floats(-700, 700))
def test_activations_are_one_another(x):
    assert sigmoid(x) == pytest.approx(math.exp(logsigmoid(x)), rel=4 * EPSILON * max(1, abs(x)))
    assert softplus(x) == logaddexp(x, 0) == pytest.approx(logsumexp([x, 0]), rel=4 * EPSILON)
    assert silu(x) == pytest.approx(x * sigmoid(x), rel=8 * EPSILON, abs=2 * TINY)
    assert sigmoid(x) + sigmoid(-x) == pytest.approx(1, rel=2 * EPSILON)
    assert gelu(x) - gelu(-x) == pytest.approx(x, rel=4 * EPSILON, abs=2 * TINY)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.randoms())
def test_logsumexp_lies_above_the_largest_and_takes_any_order(xs, random):
    result = logsumexp(xs)
    assert max(xs) <= result <= max(xs) + math.log(len(xs)) + EPSILON * abs(max(xs)) + EPSILON
    shuffled = random.sample(xs, len(xs))
    assert logsumexp(iter(shuffled)) == result


@given(st.integers(0, 10), st.floats(1e-10, 1e10))
def test_polygamma_obeys_its_recurrence(n, x):
    assume(n > 0 or x > 1e-3)
    following, term = polygamma(n, x + 1), math.factorial(n) / x ** (n + 1) * (-1) ** n
    size = max(abs(following), abs(term), 1 if n == 0 else 0)
    # rounding x + 1 moves the value by up to (n + 1) / (x + 1) * ulp(x + 1) of itself
    assert abs(polygamma(n, x) - (following - term)) <= size * (n + 8) * 8e-16


@given(st.integers(1, 40), st.floats(0.01, 100))
def test_polygamma_has_the_sign_of_its_order_and_falls(n, x):
    sign = (-1) ** (n + 1)
    assert sign * polygamma(n, x) > sign * polygamma(n, x * 1.01) > 0


@pytest.mark.parametrize("x", [-0.5, -1.5, -2.5, -6.5, -1000.5])
@pytest.mark.parametrize("n", [0, 2, 4, 10])
def test_between_two_poles_even_orders_reflect_exactly(n, x):
    assert polygamma(n, x) == polygamma(n, 1 - x)


# the edges


@pytest.mark.parametrize(
    ("function", "at_minus_inf", "at_inf"),
    [(sigmoid, 0.0, 1.0), (logsigmoid, -INF, -0.0), (softplus, 0.0, INF), (silu, -0.0, INF), (gelu, -0.0, INF)],
)
def test_limits_of_activations(function, at_minus_inf, at_inf):
    assert same(function(-INF), at_minus_inf)
    assert same(function(INF), at_inf)
    assert same(function(1e308), min(at_inf, 1e308))
    assert same(function(-1e308), max(at_minus_inf, -1e308))
    assert same(function(NAN), NAN)
    assert same(function(1), function(1.0))


@pytest.mark.parametrize("function", [silu, gelu])
def test_zeros_keep_their_sign(function):
    assert same(function(0.0), 0.0)
    assert same(function(-0.0), -0.0)


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    # expected in multiples of TINY
    [(sigmoid, -740.0, 84.78), (softplus, -740.0, 84.78), (silu, -745.0, -425.58), (silu, -750.0, -2.887)],
)
def test_activations_below_the_normal_floats(function, x, expected):
    assert abs(function(x) / TINY - expected) <= 1


@pytest.mark.parametrize(
    ("x", "expected"), [(-37.9, -4.87685527567e-313), (-38.5, -5.4e-323), (-38.6, 0.0), (-41, 0.0)]
)
def test_gelu_below_the_normal_floats(x, expected):
    assert abs(gelu(x) - expected) <= 20 * TINY


@pytest.mark.parametrize(
    ("xs", "expected"),
    [
        ([3.0], 3.0),
        ([7], 7.0),
        ([INF, 1.0], INF),
        ([-INF, 1.0], 1.0),
        ([-INF, -INF], -INF),
        ([INF, INF], INF),
        ([INF, -INF], INF),
        ([NAN, 1.0], NAN),
        ([1.0, NAN], NAN),
        ([INF, NAN], NAN),
        ([NAN, INF], NAN),
        ([-INF, NAN], NAN),
        ([NAN, -INF], NAN),
        ([1e308, -1e308], 1e308),
        ([1.7e308, 1.7e308], 1.7e308),
        ([0.0, -700.0], math.exp(-700)),
        ([-700.0, 0.0], math.exp(-700)),
        ([2, 1], 2 + math.log1p(math.exp(-1))),
    ],
)
def test_logsumexp_and_logaddexp_at_the_edges(xs, expected):
    assert same(logsumexp(xs), expected)
    if len(xs) == 2:
        assert same(logaddexp(*xs), expected)


def test_logsumexp_of_nothing_says_so():
    with pytest.raises(ValueError, match=r"^logsumexp of no numbers: it takes at least one$"):
        logsumexp([])


@pytest.mark.parametrize(
    ("xs", "ys", "expected"),
    [
        ([0.0, 0.0], [1.0, 0.0], math.log(2)),
        ([5.0], [2.0], 0.0),
        ([40.0, 0.0], [1.0, 0.0], 4.248354255291589e-18),
        ([0.0, 40.0], [1.0, 0.0], 40.0),
        ([0.0, -1000.0], [0.25, 0.5], 500.0),
        ([1.5e308, -1.5e308], [1.0, 0.0], 0.0),
        ([-INF, 0.0], [0.0, 1.0], 0.0),
        ([-INF, 0.0], [0.5, 0.5], INF),
        ([NAN, 0.0], [0.0, 1.0], NAN),
        ([0.0, NAN], [1.0, 0.0], NAN),
        ([0.0, 1.0], [NAN, 1.0], NAN),
        ([INF, 0.0], [1.0, 0.0], NAN),
    ],
)
def test_cross_entropy_at_the_edges(xs, ys, expected):
    result = cross_entropy(iter(xs), ys)
    assert same(result, expected) or result == pytest.approx(expected, rel=1e-15, abs=0)


def test_cross_entropy_of_nothing_says_so():
    with pytest.raises(ValueError, match=r"^cross_entropy of no numbers: it takes at least one$"):
        cross_entropy([], [])


@pytest.mark.parametrize("n", [0, 0.0, 1, 2, 3.0, 10])
def test_polygamma_at_the_edges(n):
    assert same(polygamma(n, NAN), NAN)
    assert same(polygamma(n, INF), 0.0 if n else INF)
    assert same(polygamma(n, 3), polygamma(int(n), 3.0))
    for pole in (0, 0.0, -0.0, -1, -2.0, -(2.0**60), -INF):
        with pytest.raises(ValueError, match=r"^math domain error$"):
            polygamma(n, pole)
    for x in (TINY, -TINY):
        with pytest.raises(OverflowError, match=r"^math range error$"):
            polygamma(n, x)


def test_digamma_is_polygamma_of_order_zero():
    assert same(digamma(0.3), polygamma(0, 0.3))
    assert same(digamma(INF), INF)
    with pytest.raises(ValueError, match="math domain error"):
        digamma(-1.0)
    with pytest.raises(OverflowError, match="math range error"):
        digamma(1e-320)


@pytest.mark.parametrize("n", [-1, 0.5, NAN, INF, -INF, Fraction(1, 2)])
def test_polygamma_refuses_other_orders(n):
    with pytest.raises(ValueError, match=r"^the order of polygamma is one of 0, 1, 2 \.\.\., not "):
        polygamma(n, 1.0)


@pytest.mark.parametrize(
    ("n", "x", "expected"),
    [
        # n! / x ** (n + 1) overflows or underflows on the way, the value does not
        (1, 1e-154, 1e308),
        (1, 1e308, 1e-308),
        (1, 1.7e308, 1 / 1.7e308),
        (10, 1e-27, -3.6288e303),
        (10, 3e27, -6.14540466392318731397e-270),
        (100, 1.0, -9.3326215443944152682e157),
        (170, 1.0, -7.257415615307999e306),
        (200, 100.0, -9.1254246910962227e-28),
        (1000, 367.0, -2.5316765774518949),
        (3000, 1200.0, -1.0771459203457857e-110),
    ],
)
def test_polygamma_far_out(n, x, expected):
    assert polygamma(n, x) == pytest.approx(expected, rel=max(1e-14, n * 3e-16), abs=0)


def test_polygamma_too_small_for_a_float_is_zero():
    assert same(polygamma(2, 1e200), -0.0)
    assert same(polygamma(3, 1e200), 0.0)
    assert same(polygamma(10**300, 1e305), -0.0)
    assert same(polygamma(2, 5e161), -TINY)
    assert -30 * TINY < polygamma(100, 60190.0) < -10 * TINY


@pytest.mark.parametrize(("n", "x"), [(171, 1.0), (200, 1.5), (10**9, 2.0), (10**300, 1.0), (5, -1 + 2.0**-53)])
def test_polygamma_too_large_for_a_float_is_an_error(n, x):
    if x < 0:  # not so far out: next to a pole it is only large
        assert polygamma(n, x) == pytest.approx(120 * 2.0 ** (53 * 6))
        return
    with pytest.raises(OverflowError, match="math range error"):
        polygamma(n, x)


def test_the_series_are_of_bernoulli_numbers():
    numbers = [Fraction(1)]
    for m in range(1, 2 * len(special.BERNOULLI) + 1):
        numbers.append(-sum(math.comb(m + 1, k) * b for k, b in enumerate(numbers)) / (m + 1))
    assert special.BERNOULLI == tuple(float(b) for b in numbers[2::2])


@pytest.mark.parametrize(("n", "x"), [(294, 10), (295, 10), (296, 10), (313, 12)])
def test_polygamma_where_its_factors_overflow_and_it_does_not(n, x):
    terms = sum(Fraction(x, x + k) ** (n + 1) for k in range(30))  # the next is 1e-178 of the first
    exact = Fraction(math.factorial(n), x ** (n + 1)) * terms * (-1) ** (n + 1)
    assert abs(Fraction(polygamma(n, float(x))) - exact) <= abs(exact) * Fraction((n + 5) * 3e-16)


# power


@pytest.mark.parametrize(
    ("x", "y"), [(2, 10), (2, -1), (2.0, 0.5), (-8, 3), (-2.0, 2.0), (Fraction(2, 3), -2), (NAN, 0), (True, 2)]
)
def test_power_is_the_operator(x, y):
    assert power(x, y) == x**y
    assert type(power(x, y)) is type(x**y)


@pytest.mark.parametrize("x", [-8, -8.0, Fraction(-8), -TINY])
def test_power_refuses_complex_results(x):
    with pytest.raises(ValueError, match=r"^negative number to a fractional power$"):
        power(x, 0.5)


@pytest.mark.parametrize(("x", "y", "error"), [(0, -1, ZeroDivisionError), (10.0, 400, OverflowError)])
def test_power_leaves_other_errors_alone(x, y, error):
    with pytest.raises(error):
        power(x, y)


@pytest.mark.parametrize(("x", "y"), [(2.0, 5000.5), (0.5, -5000.5), (-10.0, 401), (-1e200, 3), (-1e200, 2.0)])
def test_power_too_large_for_a_float_is_an_error(x, y):
    with pytest.raises(OverflowError):
        power(x, y)


@pytest.mark.parametrize(("x", "y"), [(-1e200, 2.5), (-1e-200, -2.5)])
def test_power_that_is_complex_and_too_large_is_complex(x, y):
    with pytest.raises(ValueError, match=r"^negative number to a fractional power$"):
        power(x, y)


@pytest.mark.parametrize(
    ("function", "x", "y", "expected"),
    [
        (power, 2, Fraction(3), Fraction(8)),
        (power, Fraction(2), 3, Fraction(8)),
        (power, Fraction(1, 2), -2, Fraction(4)),
        (power, 2, 3, 8),
        (power, 2, 3.0, 8.0),
        (floordiv, Fraction(7, 2), 2, Fraction(1)),
        (floordiv, 7, Fraction(3, 2), Fraction(4)),
        (floordiv, Fraction(7, 2), Fraction(3, 2), Fraction(2)),
        (floordiv, 7, 2, 3),
        (floordiv, True, 2, 0),
        (floordiv, Fraction(7, 2), 2.0, 1.0),
    ],
)
def test_a_fraction_among_the_arguments_makes_an_integer_a_fraction(function, x, y, expected):
    result = function(x, y)
    assert (type(result), result) == (type(expected), expected)


# binary cross-entropy


@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("p", [1e-40, 0.1, 0.5, 0.875, 1 - EPSILON])
def test_binary_cross_entropy_is_its_formula(p, y):
    expected = -(y * math.log(p) + (1 - y) * math.log1p(-p))
    assert binary_cross_entropy(p, y) == pytest.approx(expected, rel=4 * EPSILON)


@pytest.mark.parametrize(
    ("p", "y", "expected"),
    [(0.0, 1.0, 100.0), (0.0, 0.25, 25.0), (0, 0, 0.0), (1.0, 0.0, 100.0), (1.0, 0.25, 75.0), (1, 1, 0.0),
     (1e-50, 1.0, 100.0), (TINY, 0.5, 50.0)],
)  # fmt: skip
def test_binary_cross_entropy_takes_no_logarithm_below_minus_hundred(p, y, expected):
    assert binary_cross_entropy(p, y) == expected


@pytest.mark.parametrize("p", [-TINY, -1.0, 1 + EPSILON, 1.5, INF, -INF])
def test_binary_cross_entropy_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match=f"^expected a probability between 0 and 1, got {p}$"):
        binary_cross_entropy(p, 0.5)


def test_binary_cross_entropy_of_nan_is_nan():
    assert math.isnan(binary_cross_entropy(NAN, 0.5)) and math.isnan(binary_cross_entropy(0.5, NAN))
