"""The total functions: Python's own where it gives a value, PyTorch's and C99's where it raises."""

import math
import operator
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from microgrid.rules import newer_math as fallbacks
from microgrid.rules import special
from microgrid.rules.ieee import TOTAL, total, undefined

INF, NAN = math.inf, math.nan
TINY, HUGE = math.ulp(0.0), math.nextafter(INF, 0.0)

OPERATORS = {"div": operator.truediv, "floordiv": operator.floordiv, "mod": operator.mod}
# fmt: off
ARITY = {
    1: ["exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos",
        "atan", "degrees", "radians", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "gamma",
        "lgamma", "digamma", "sigmoid", "logsigmoid", "softplus", "silu", "gelu"],
    2: ["div", "floordiv", "mod", "power", "atan2", "hypot", "copysign", "fmod", "remainder", "logaddexp"],
    3: ["fma"],
}
# fmt: on
SEQUENCES = ["fsum", "prod", "logsumexp"]
OTHERS = ["sumprod", "ldexp", "polygamma"]

floats = st.one_of(
    st.floats(),
    st.floats(-5, 5),
    st.integers(-30, 30).map(float),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, TINY, -TINY, HUGE, -HUGE, 710.0, -800.0, 1e4, -1e4]),
)


def plain(name):
    """Return the function that may raise."""
    homes = [getattr(home, name, None) for home in (special, fallbacks, math)]
    return OPERATORS.get(name) or next(filter(None, homes))


def same(x, y):
    """Return whether two floats have the same bits, taking all nans for one."""
    return isinstance(x, float) and x.hex() == float(y).hex()


def agrees_with_the_plain_function(name, *args):
    """Return whether the total function gives the plain one's value, and inf or nan where that raises."""
    result = TOTAL[name](*args)
    try:
        return same(result, plain(name)(*args))
    except (ValueError, ZeroDivisionError, OverflowError):
        return isinstance(result, float) and not math.isfinite(result)


def test_every_function_is_there():
    assert sorted(TOTAL) == sorted([*ARITY[1], *ARITY[2], *ARITY[3], *SEQUENCES, *OTHERS])


@pytest.mark.parametrize("name", ARITY[1])
@given(floats)
def test_functions_of_one_number_never_raise(name, x):
    assert agrees_with_the_plain_function(name, x)


@pytest.mark.parametrize("name", ARITY[2])
@given(floats, floats)
def test_functions_of_two_numbers_never_raise(name, x, y):
    assert agrees_with_the_plain_function(name, x, y)


@given(floats, floats, floats)
def test_fma_never_raises(x, y, z):
    assert agrees_with_the_plain_function("fma", x, y, z)


@pytest.mark.parametrize("name", ["prod", "logsumexp"])
@given(st.lists(floats, min_size=1).map(lambda xs: [1.0, *xs]))
def test_functions_of_many_numbers_never_raise(name, xs):
    assert agrees_with_the_plain_function(name, xs)


@given(st.lists(st.tuples(floats, floats), min_size=1))
def test_sumprod_never_raises(pairs):
    assert agrees_with_the_plain_function("sumprod", *zip(*pairs, strict=True))


@given(st.integers(0, 300), floats)
def test_polygamma_never_raises(n, x):
    assert agrees_with_the_plain_function("polygamma", n, x)


@given(floats, st.integers(-(10**20), 10**20))
def test_ldexp_never_raises(x, i):
    assert agrees_with_the_plain_function("ldexp", x, i)


# Against PyTorch (float64 on a CPU). Its last digits are its own, and so are its signs of zero in // and %.

POINTS = [INF, -INF, NAN, 0.0, -0.0, 1.0, -1.0, -2.5, 1e308, -1e308, TINY, -TINY, 1e4, -1e4]
# fmt: off
AT_POINTS = {
    "exp": [INF, 0.0, NAN, 1, 1, 2.7182818, 0.36787944, 0.082084999, INF, 0.0, 1, 1, INF, 0.0],
    "exp2": [INF, 0.0, NAN, 1, 1, 2, 0.5, 0.1767767, INF, 0.0, 1, 1, INF, 0.0],
    "expm1": [INF, -1, NAN, 0.0, -0.0, 1.7182818, -0.63212056, -0.917915, INF, -1, 4.9406565e-324, -4.9406565e-324,
              INF, -1],
    "log": [INF, NAN, NAN, -INF, -INF, 0.0, NAN, NAN, 709.19621, NAN, -744.44007, NAN, 9.2103404, NAN],
    "log1p": [INF, NAN, NAN, 0.0, -0.0, 0.69314718, -INF, NAN, 709.19621, NAN, 0.0, 0.0, 9.2104404, NAN],
    "log2": [INF, NAN, NAN, -INF, -INF, 0.0, NAN, NAN, 1023.1539, NAN, -1074, NAN, 13.287712, NAN],
    "log10": [INF, NAN, NAN, -INF, -INF, 0.0, NAN, NAN, 308, NAN, -323.30622, NAN, 4, NAN],
    "sqrt": [INF, NAN, NAN, 0.0, -0.0, 1, NAN, NAN, 1e+154, NAN, 2.2227587e-162, NAN, 100, NAN],
    "sin": [NAN, NAN, NAN, 0.0, -0.0, 0.84147098, -0.84147098, -0.59847214, 0.45339649, -0.45339649, 4.9406565e-324,
            -4.9406565e-324, -0.30561439, 0.30561439],
    "cos": [NAN, NAN, NAN, 1, 1, 0.54030231, 0.54030231, -0.80114362, -0.89130894, -0.89130894, 1, 1, -0.95215537,
            -0.95215537],
    "tan": [NAN, NAN, NAN, 0.0, -0.0, 1.5574077, -1.5574077, 0.7470223, -0.50868613, 0.50868613, 4.9406565e-324,
            -4.9406565e-324, 0.32097113, -0.32097113],
    "asin": [NAN, NAN, NAN, 0.0, -0.0, 1.5707963, -1.5707963, NAN, NAN, NAN, 4.9406565e-324, -4.9406565e-324, NAN, NAN],
    "acos": [NAN, NAN, NAN, 1.5707963, 1.5707963, 0.0, 3.1415927, NAN, NAN, NAN, 1.5707963, 1.5707963, NAN, NAN],
    "atan": [1.5707963, -1.5707963, NAN, 0.0, -0.0, 0.78539816, -0.78539816, -1.1902899, 1.5707963, -1.5707963,
             4.9406565e-324, -4.9406565e-324, 1.5706963, -1.5706963],
    "sinh": [INF, -INF, NAN, 0.0, -0.0, 1.1752012, -1.1752012, -6.0502045, INF, -INF, 4.9406565e-324,
             -4.9406565e-324, INF, -INF],
    "cosh": [INF, INF, NAN, 1, 1, 1.5430806, 1.5430806, 6.1322895, INF, INF, 1, 1, INF, INF],
    "tanh": [1, -1, NAN, 0.0, -0.0, 0.76159416, -0.76159416, -0.9866143, 1, -1, 4.9406565e-324, -4.9406565e-324, 1, -1],
    "asinh": [INF, -INF, NAN, 0.0, -0.0, 0.88137359, -0.88137359, -1.6472311, 709.88936, -709.88936, 4.9406565e-324,
              -4.9406565e-324, 9.9034876, -9.9034876],
    "acosh": [INF, NAN, NAN, NAN, NAN, 0.0, NAN, NAN, 709.88936, NAN, NAN, NAN, 9.9034876, NAN],
    "atanh": [NAN, NAN, NAN, 0.0, -0.0, INF, -INF, NAN, NAN, NAN, 4.9406565e-324, -4.9406565e-324, NAN, NAN],
    "lgamma": [INF, INF, NAN, INF, INF, 0.0, INF, -0.056243716, INF, INF, 744.44007, 744.44007, 82099.717, INF],
    "erf": [1, -1, NAN, 0.0, -0.0, 0.84270079, -0.84270079, -0.99959305, 1, -1, 4.9406565e-324, -4.9406565e-324, 1, -1],
    "erfc": [0.0, 2, NAN, 1, 1, 0.15729921, 1.8427008, 1.999593, 0.0, 2, 1, 1, 0.0, 2],
    "degrees": [INF, -INF, NAN, 0.0, -0.0, 57.29578, -57.29578, -143.23945, INF, -INF, 2.8161742e-322,
                -2.8161742e-322, 572957.8, -572957.8],
    "radians": [INF, -INF, NAN, 0.0, -0.0, 0.017453293, -0.017453293, -0.043633231, 1.7453293e+306, -1.7453293e+306,
                0.0, -0.0, 174.53293, -174.53293],
    "digamma": [INF, NAN, NAN, -INF, INF, -0.57721566, NAN, 1.1031566, 709.19621, NAN, -INF, INF, 9.2102904, NAN],
    "sigmoid": [1, 0.0, NAN, 0.5, 0.5, 0.73105858, 0.26894142, 0.07585818, 1, 0.0, 0.5, 0.5, 1, 0.0],
}
PAIR_FUNCTIONS = ["div", "floordiv", "mod", "power", "atan2", "hypot", "fmod", "copysign", "logaddexp"]
AT_PAIRS = [
    (1.0, 0.0, [INF, INF, NAN, 1, 1.5707963, 1, NAN, 1, 1.3132617]),
    (-1.0, 0.0, [-INF, -INF, NAN, 1, -1.5707963, 1, NAN, 1, 0.31326169]),
    (1.0, -0.0, [-INF, -INF, NAN, 1, 1.5707963, 1, NAN, -1, 1.3132617]),
    (0.0, 0.0, [NAN, NAN, NAN, 1, 0.0, 0.0, NAN, 0.0, 0.69314718]),
    (-0.0, 0.0, [NAN, NAN, NAN, 1, -0.0, 0.0, NAN, 0.0, 0.69314718]),
    (NAN, 0.0, [NAN, NAN, NAN, 1, NAN, NAN, NAN, NAN, NAN]),
    (INF, 0.0, [INF, INF, NAN, 1, 1.5707963, INF, NAN, INF, INF]),
    (-INF, -0.0, [INF, INF, NAN, 1, -1.5707963, INF, NAN, -INF, 0.0]),
    (0.0, -1.0, [-0.0, -0.0, 0.0, INF, 3.1415927, 1, 0.0, -0.0, 0.31326169]),
    (-0.0, -1.0, [0.0, 0.0, -0.0, -INF, -3.1415927, 1, -0.0, -0.0, 0.31326169]),
    (-0.0, -2.0, [0.0, 0.0, -0.0, INF, -3.1415927, 2, -0.0, -0.0, 0.12692801]),
    (0.0, -0.5, [-0.0, -0.0, 0.0, INF, 3.1415927, 0.5, 0.0, -0.0, 0.47407698]),
    (-0.0, -0.5, [0.0, 0.0, -0.0, INF, -3.1415927, 0.5, -0.0, -0.0, 0.47407698]),
    (-8.0, 0.25, [-32, -32, -0.0, NAN, -1.5395565, 8.0039053, -0.0, 8, 0.25026122]),
    (10.0, 400.0, [0.025, 0.0, 10, INF, 0.024994794, 400.12498, 10, 10, 400]),
    (-10.0, 401.0, [-0.024937656, -1, 391, -INF, -0.024932488, 401.12467, -10, 10, 401]),
    (-10.0, 400.0, [-0.025, -1, 390, INF, -0.024994794, 400.12498, -10, 10, 400]),
    (-10.0, 400.5, [-0.024968789, -1, 390.5, NAN, -0.024963602, 400.62482, -10, 10, 400.5]),
    (1e-200, -2.0, [-5e-201, -1, -2, INF, 3.1415927, 2, 1e-200, -1e-200, 0.12692801]),
    (-1e-200, -3.0, [3.3333333e-201, 0.0, -1e-200, -INF, -3.1415927, 3, -1e-200, -1e-200, 0.048587352]),
    (1e-200, 3.0, [3.3333333e-201, 0.0, 1e-200, 0.0, 3.3333333e-201, 3, 1e-200, 1e-200, 3.0485874]),
    (-1e-200, 3.0, [-3.3333333e-201, -1, 3, -0.0, -3.3333333e-201, 3, -1e-200, 1e-200, 3.0485874]),
    (INF, 2.0, [INF, NAN, NAN, INF, 1.5707963, INF, NAN, INF, INF]),
    (-INF, 0.5, [-INF, NAN, NAN, INF, -1.5707963, INF, NAN, INF, 0.5]),
    (-INF, -INF, [NAN, NAN, NAN, 0.0, -2.3561945, INF, NAN, -INF, -INF]),
    (INF, INF, [NAN, NAN, NAN, INF, 0.78539816, INF, NAN, INF, INF]),
    (INF, -INF, [NAN, NAN, NAN, 0.0, 2.3561945, INF, NAN, -INF, INF]),
    (2.0, INF, [0.0, 0.0, 2, INF, 0.0, INF, 2, 2, INF]),
    (-2.0, INF, [-0.0, -1, INF, INF, -0.0, INF, -2, 2, INF]),
    (1e+308, 1e-10, [INF, INF, 8.2424477e-11, 1.0000001, 1.5707963, 1e+308, 8.2424477e-11, 1e+308, 1e+308]),
    (-1e+308, 1e+308, [-1, -1, -0.0, INF, -0.78539816, 1.4142136e+308, -0.0, 1e+308, 1e+308]),
    (NAN, INF, [NAN, NAN, NAN, NAN, NAN, INF, NAN, NAN, NAN]),
    (0.0, -INF, [-0.0, -0.0, 0.0, INF, 3.1415927, INF, 0.0, -0.0, 0.0]),
    (-2.5, -INF, [0.0, 0.0, -2.5, 0.0, -3.1415927, INF, -2.5, -2.5, -2.5]),
    (1.0, NAN, [NAN, NAN, NAN, 1, NAN, NAN, NAN, 1, NAN]),
    (2.0, NAN, [NAN, NAN, NAN, NAN, NAN, NAN, NAN, 2, NAN]),
]
# fmt: on


def wrong(labels, results, expected):
    """Return what differs in more than eight digits: infinities in sign too, zeros not."""
    return [
        (label, x, y)
        for label, x, y in zip(labels, results, expected, strict=True)
        if not (math.isclose(x, y, rel_tol=1e-7, abs_tol=1e-320) or (math.isnan(x) and math.isnan(y)))
    ]


@pytest.mark.parametrize("name", AT_POINTS)
def test_functions_of_one_number_are_those_of_pytorch(name):
    assert wrong(POINTS, [TOTAL[name](x) for x in POINTS], AT_POINTS[name]) == []


@pytest.mark.parametrize(("x", "y", "expected"), AT_PAIRS)
def test_functions_of_two_numbers_are_those_of_pytorch(x, y, expected):
    results = [TOTAL[name](x, y) for name in PAIR_FUNCTIONS]
    assert wrong(PAIR_FUNCTIONS, results, expected) == []


# What PyTorch lacks or calculates badly: C99, and the limits from the side on which the argument lies.


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("gamma", (0.0,), INF),
        ("gamma", (-0.0,), -INF),
        ("gamma", (-1.0,), NAN),
        ("gamma", (-INF,), NAN),
        ("gamma", (200.0,), INF),
        ("gamma", (TINY,), INF),
        ("gamma", (-TINY,), -INF),
        ("lgamma", (1e308,), INF),
        ("digamma", (-TINY,), INF),
        ("digamma", (TINY,), -INF),
        ("polygamma", (1, 0.0), INF),
        ("polygamma", (1, -0.0), INF),
        ("polygamma", (1, -2.0), INF),
        ("polygamma", (1, -1e-200), INF),
        ("polygamma", (1, -INF), NAN),
        ("polygamma", (1, INF), 0.0),
        ("polygamma", (2, 0.0), -INF),
        ("polygamma", (2, -0.0), INF),
        ("polygamma", (2, 1e-200), -INF),
        ("polygamma", (2, -1e-200), INF),
        ("polygamma", (2, -2.0), NAN),
        ("polygamma", (2, -INF), NAN),
        ("polygamma", (200, 0.75), -INF),
        ("polygamma", (200, -0.75), -INF),
        ("polygamma", (200, -0.25), INF),
        ("polygamma", (0, -0.0), INF),
        ("cbrt", (-INF,), -INF),
        ("ldexp", (-1.0, 5000), -INF),
        ("ldexp", (1.0, 10**30), INF),
        ("ldexp", (0.0, 10**30), 0.0),
        ("fma", (INF, 0.0, 1.0), NAN),
        ("fma", (INF, 1.0, -INF), NAN),
        ("fma", (HUGE, 2.0, -1.0), INF),
        ("fma", (HUGE, -3.0, HUGE), -INF),
        ("fma", (-HUGE, 1.0, -HUGE), -INF),
        ("remainder", (1.0, 0.0), NAN),
        ("remainder", (INF, 2.0), NAN),
        ("remainder", (2.0, INF), 2.0),
        ("power", (-TINY, -1.0), -INF),
        ("power", (-0.0, -3.0), -INF),
        ("prod", ([INF, 0.0],), NAN),
        ("sumprod", ([INF, 1.0], [0.0, 1.0]), NAN),
        ("logsumexp", ([INF, -INF],), INF),
    ],
)
def test_poles_and_overflow(name, args, expected):
    assert same(TOTAL[name](*args), expected)


@pytest.mark.parametrize(
    ("xs", "expected"),
    [
        ([0.1] * 10, 1.0),
        ([INF, -INF], NAN),
        ([INF, 1.0], INF),
        ([1e308, 1e308], INF),
        ([-1e308, -1e308], -INF),
        ([1e308, 1e308, -1e308, -1e308, 1e-300], 1e-300),
        ([HUGE, HUGE, -HUGE], HUGE),
        ([1e308, 1e308, INF], INF),
        ([1e308, 1e308, -INF], -INF),
        ([1e308, 1e308, NAN], NAN),
        ([1e308, 1e308, INF, -INF], NAN),
        ([], 0.0),
    ],
)
def test_fsum(xs, expected):
    assert same(TOTAL["fsum"](xs), expected)
    assert same(TOTAL["fsum"](tuple(reversed(xs))), expected)


@given(st.lists(floats))
@example([1e308, 1e308, INF])
def test_fsum_is_rounded_once(xs):
    special_values = [x for x in xs if not math.isfinite(x)]
    exact = 0 if special_values else sum(map(Fraction, xs))
    try:
        expected = sum(special_values) if special_values else float(exact)
    except OverflowError:
        expected = INF if exact > 0 else -INF
    assert same(TOTAL["fsum"](xs), expected)


# Mistakes that are no matter of floats still raise.


@pytest.mark.parametrize(
    ("name", "args", "error"),
    [
        ("polygamma", (0.5, 1.0), ValueError),
        ("polygamma", (-1, 0.0), ValueError),
        ("logsumexp", ([],), ValueError),
        ("sumprod", ([1.0], []), ValueError),
        ("exp", ("1",), TypeError),
        ("exp", (1.0, 2.0), TypeError),
    ],
)
def test_mistakes_still_raise(name, args, error):
    with pytest.raises(error):
        TOTAL[name](*args)


def test_total_functions_are_named_after_the_plain_ones():
    assert total(math.sqrt, undefined).__name__ == "sqrt"
    assert "inf or nan where it raises" in TOTAL["log"].__doc__
