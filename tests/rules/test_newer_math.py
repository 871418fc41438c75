"""The fallbacks against the standard functions, bit for bit, and against exact arithmetic on every Python."""

import importlib.util
import itertools
import math
import sys
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from microgrid.rules import newer_math
from microgrid.rules.newer_math import product_error, pure_fma, pure_nextafter, pure_sumprod

INF, NAN = math.inf, math.nan
TINY, HUGE = math.ulp(0.0), math.nextafter(INF, 0.0)

floats = st.one_of(
    st.floats(),
    st.floats(-10, 10),
    st.integers(-5, 5).map(float),
    st.sampled_from([1.0, 1e16, -1e16, 1e-16, 1e100, -1e100, HUGE, -HUGE, TINY, -TINY, INF, -INF, NAN]),
)
numbers = st.one_of(
    floats,
    st.integers(-(2**65), 2**65),
    st.sampled_from([2**31, 2**32, 2**53 + 1, 2**63 - 1, -(2**63), 10**308, 10**309, 10**400]),
    st.booleans(),
    st.fractions(max_denominator=9),
)
vectors = st.one_of(st.lists(st.tuples(kind, kind), max_size=8) for kind in (floats, st.integers(), numbers))
bit_counts = st.one_of(st.integers(0, 5), st.integers(0, 2**64 + 5), st.just(2**100))


def outcome(function, *args, **options):
    """Return what a call gives, down to the bits, or the error it raises."""
    try:
        result = function(*args, **options)
    except (TypeError, ValueError, OverflowError) as error:
        return type(error), str(error)
    return type(result), result.hex() if isinstance(result, float) else result


def same(x, y):
    """Return whether two floats have the same bits, taking all nans for one."""
    return outcome(lambda: x) == outcome(lambda: y)


@pytest.mark.parametrize("name", ["fma", "sumprod", "nextafter"])
@pytest.mark.parametrize("version", [(3, 11, 9), (3, 12, 0), (3, 13, 0)])
def test_the_standard_function_is_chosen_where_it_exists(name, version, monkeypatch):
    def standard():
        """Stand for the function of a Python of that version."""

    exists = version >= {"fma": (3, 13), "sumprod": (3, 12), "nextafter": (3, 12)}[name]
    monkeypatch.setattr(sys, "version_info", version)
    if exists or name == "nextafter":
        monkeypatch.setattr(math, name, standard, raising=False)
    else:
        monkeypatch.delattr(math, name, raising=False)
    again = importlib.util.module_from_spec(newer_math.__spec__)
    newer_math.__spec__.loader.exec_module(again)
    assert getattr(again, name) is (standard if exists else getattr(again, f"pure_{name}"))


def test_the_chosen_functions_are_the_standard_ones_where_these_exist():
    assert newer_math.fma is getattr(math, "fma", pure_fma)
    assert newer_math.sumprod is getattr(math, "sumprod", pure_sumprod)
    assert newer_math.nextafter(1.0, 2.0, steps=3) == 1 + 3 * 2**-52


# fma


@pytest.mark.skipif(not hasattr(math, "fma"), reason="math.fma is new in Python 3.13")
@given(numbers, numbers, numbers, st.booleans())
@example(HUGE, 2.0, -INF, False)
@example(-TINY, 0.25, 0.0, False)
@example("1", 2.0, 3.0, False)
@example(1.0, 2.0, None, False)
def test_fma_is_the_standard_one(x, y, z, cancel):
    if cancel and all(isinstance(number, float) for number in (x, y)):
        z = -(x * y)
    assert outcome(pure_fma, x, y, z) == outcome(math.fma, x, y, z)


@given(st.floats(-1e150, 1e150), st.floats(-1e150, 1e150), st.floats(-1e300, 1e300))
def test_fma_rounds_the_exact_result_once(x, y, z):
    assert pure_fma(x, y, z) == float(Fraction(x) * Fraction(y) + Fraction(z))


@pytest.mark.parametrize(
    ("x", "y", "z", "expected"),
    [
        (0.1, 10.0, -1.0, 2.0**-54),
        (1, True, 2, 3.0),
        (Fraction(1, 2), 3, 1, 2.5),
        (-0.0, 1.0, -0.0, -0.0),
        (0.0, 1.0, -0.0, 0.0),
        (1.0, 1.0, -1.0, 0.0),
        (TINY, 0.5, 0.0, 0.0),
        (-TINY, 0.5, 0.0, -0.0),
        (TINY, 0.5, TINY, 2 * TINY),
        (HUGE, 2.0, -HUGE, HUGE),
        (HUGE, 2.0, -INF, -INF),
        (INF, 1.0, 1.0, INF),
        (1.0, -INF, -INF, -INF),
        (INF, 0.0, NAN, NAN),
        (NAN, 1.0, 1.0, NAN),
        (1.0, NAN, INF, NAN),
        (1.0, 1.0, NAN, NAN),
    ],
)
def test_fma_at_the_edges(x, y, z, expected):
    assert same(pure_fma(x, y, z), expected)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((INF, 0.0, 1.0), ValueError, "invalid operation in fma"),
        ((0.0, -INF, 1.0), ValueError, "invalid operation in fma"),
        ((INF, 1.0, -INF), ValueError, "invalid operation in fma"),
        ((HUGE, 2.0, 1.0), OverflowError, "overflow in fma"),
        ((10**400, 1.0, 1.0), OverflowError, "int too large to convert to float"),
        (("1", 1.0, 1.0), TypeError, "must be real number, not str"),
        ((1.0, 1.0, 1j), TypeError, "must be real number, not complex"),
    ],
)
def test_fma_errors(args, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        pure_fma(*args)


# nextafter

STEPS_EXAMPLES = [
    (0.0, -0.0, 0), (0.0, -0.0, 1), (-0.0, 0.0, 1), (0.0, 1.0, 2**62), (TINY, -1.0, 1), (TINY, -1.0, 2),
    (-TINY, 1.0, 2), (1.0, 2.0, -1), (1.0, 2.0, -(10**30)), (1.0, 2.0, 1.0), (1.0, 2.0, True), (NAN, 1.0, 3),
    (1.0, NAN, 3), (1.0, NAN, 0), (1.0, INF, 2**64), (-1.0, 1.0, 2**70), (INF, 0.0, 1), (3.0, 3.0, 5),
    (1.0, 2.0, "1"), ("1", 2.0, 1), (1, 10**400, 1), (TINY, -0.0, 1), (1.0, -1.0, 1),
]  # fmt: skip


@pytest.mark.skipif(not hasattr(math, "sumprod"), reason="the steps of math.nextafter are new in Python 3.12")
@given(numbers, numbers, st.one_of(bit_counts, st.none()))
def test_nextafter_is_the_standard_one(x, y, steps):
    assert outcome(pure_nextafter, x, y, steps=steps) == outcome(math.nextafter, x, y, steps=steps)


@pytest.mark.skipif(not hasattr(math, "sumprod"), reason="the steps of math.nextafter are new in Python 3.12")
@pytest.mark.parametrize(("x", "y", "steps"), STEPS_EXAMPLES)
def test_nextafter_is_the_standard_one_at_the_edges(x, y, steps):
    assert outcome(pure_nextafter, x, y, steps=steps) == outcome(math.nextafter, x, y, steps=steps)


@given(floats, floats, st.integers(1, 50))
@example(TINY, -1.0, 3)
@example(0.0, -0.0, 1)
@example(1.0, 1.0, 1)
def test_nextafter_takes_single_steps_one_by_one(x, y, steps):
    expected = x
    for _ in range(steps):
        expected = math.nextafter(expected, y)
    result = pure_nextafter(x, y, steps=steps)
    assert math.isnan(result) if math.isnan(x) or math.isnan(y) else result == expected
    assert same(pure_nextafter(x, y), math.nextafter(x, y))


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.integers(0, 2**63))
def test_nextafter_there_and_back(x, y, steps):
    there = pure_nextafter(x, y, steps=steps)
    assert min(x, y) <= there <= max(x, y)
    if there != y:
        assert pure_nextafter(there, -INF if x < y else INF, steps=steps) == x


@pytest.mark.parametrize(
    ("x", "y", "steps", "expected"),
    [
        (1.0, 2.0, 3, 1 + 3 * 2**-52),
        (1.0, 0.0, 3, 1 - 3 * 2**-53),
        (0.0, 1.0, 2**52, 2.0**-1022),
        (2.0**-1022, -1.0, 2**53, -(2.0**-1022)),
        (1.0, 2.0, 2**100, 2.0),
        (-1.0, 1.0, 2**64, 1.0),
        (1.0, NAN, 0, 1.0),
        (1.0, NAN, 1, NAN),
        (NAN, 1.0, 1, NAN),
        (-0.0, 1.0, 0, -0.0),
        (TINY, -1.0, 1, 0.0),
        (-TINY, 1.0, 1, -0.0),
        (TINY, -0.0, 1, -0.0),
        (1.0, -1.0, 1, 1 - 2.0**-53),
        (INF, 0.0, 1, HUGE),
        (1, 2, True, 1 + 2**-52),
    ],
)
def test_nextafter_at_the_edges(x, y, steps, expected):
    assert same(pure_nextafter(x, y, steps=steps), expected)


@pytest.mark.parametrize(
    ("x", "steps", "error", "message"),
    [
        (1.0, -1, ValueError, "steps must be a non-negative integer"),
        (NAN, -1, ValueError, "steps must be a non-negative integer"),
        (1.0, 1.0, TypeError, "'float' object cannot be interpreted as an integer"),
        ("1", 1, TypeError, "must be real number, not str"),
    ],
)
def test_nextafter_errors(x, steps, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        pure_nextafter(x, 2.0, steps=steps)


# sumprod

CANCELLING = [1e308, 1.0, 1e-16, -1e308]
THIRD_LENGTH = (
    [1.994531008781329e18, 13683631.525998417, -1.9365230922325854e-17, 1.925163649693365e-18, -0.12688752074864854,
     -1.994531008781329e18, -13683631.525998417],
    [179590.75032289315, 1635836673895.7449, 1768635.2307836807, 1.456148287680224e-11, 1.4837241199202594e-09,
     179590.75032289315, 1635836673895.7449],
)  # fmt: skip

SUMPROD_EXAMPLES = [
    ([], []),
    THIRD_LENGTH,
    ([2**62, 2**62, -(2.0**63), 0.1, -1.0], [1, 1, 1.0, 10.0, 1.0]),
    ([1], [1, 2]),
    ([1, 2], [1]),
    (1, [1]),
    ([0.1] * 10, [1] * 10),
    ([0.1] * 10, [True] * 10),
    ([1, 2, 0.1, 0.1, 0.1, 3, 0.1, 0.1], [1] * 8),
    ([2**62, 2**62, 1], [1, 1, 1]),
    ([2**32, 1], [2**31, -1]),
    ([2**62, 2**32, -(2.0**62), 0.1], [-1, 2**31, 1.0, 1.0]),
    ([-(2**63), 2.0**63, 0.1], [1, 1.0, 1.0]),
    ([2**63, -(2.0**63), 0.1], [1, 1.0, 1.0]),
    ([2**63, 0.1, 0.1, 0.1], [1, 1.0, 1.0, 1.0]),
    ([2**53 + 1, 1.0], [1, 1.0]),
    ([10**308, 10**308, 1.0], [1, 1, 1.0]),
    ([0.5, 10**400], [1.0, 1.0]),
    ([10**400], [1]),
    (CANCELLING, [1.0] * 4),
    ([1e308, 1e308, -1e308], [1.0, 1.0, 1.0]),
    ([1e308, -1e308], [10.0, 10.0]),
    ([INF, 1.0], [0.0, 1.0]),
    ([INF, -INF], [1.0, 1.0]),
    ([1.0, NAN, 2.0], [1.0, 1.0, 1.0]),
    ([TINY, 1e-200], [0.5, 1e-200]),
    ([HUGE, HUGE], [0.3, -0.3]),
    ([1e300, 1.0, 1e300], [1e-300, 1e-30, -1e-300]),
    ([-0.0], [1.0]),
    ([True, True], [True, False]),
    ([Fraction(1, 3), 0.5], [3, 1.0]),
    ([0.5, Fraction(1, 3), 0.1, 0.1, 0.1], [1.0, 1, 1.0, 1.0, 1.0]),
    ([1j, 2.0], [2, 1.0]),
    (["a"], [2]),
    ([None], [2.0]),
]


@pytest.mark.skipif(not hasattr(math, "sumprod"), reason="math.sumprod is new in Python 3.12")
@pytest.mark.parametrize(("p", "q"), SUMPROD_EXAMPLES)
def test_sumprod_is_the_standard_one_at_the_edges(p, q):
    assert outcome(pure_sumprod, p, q) == outcome(math.sumprod, p, q)


@pytest.mark.skipif(not hasattr(math, "sumprod"), reason="math.sumprod is new in Python 3.12")
@given(vectors, st.booleans())
def test_sumprod_is_the_standard_one(pairs, mirrored):
    p, q = [x for x, _ in pairs], [y for _, y in pairs]
    if mirrored:
        p, q = p + [-x for x in p], q + q
    assert outcome(pure_sumprod, p, q) == outcome(math.sumprod, p, q)


@pytest.mark.parametrize(
    ("p", "q", "expected"),
    [
        ([], [], 0),
        ([2, 3], [10**20, 1], 2 * 10**20 + 3),
        ([2, 3, 5, 7], [1, 10, 100, 1000], 7532),
        ([2**62, 2**62, 1], [1, 1, 1], 2**63 + 1),
        ([True, False], [True, True], 1),
        ([Fraction(1, 3), 1], [3, 1], Fraction(2)),
        ([1, 0.5], [1, 2], 2.0),
        ([2**53 + 1, 1.0], [1, 1.0], 2.0**53),
        ([0.1] * 10, [1] * 10, 1.0),
        ([0.1] * 10, [True] * 10, 1.0),
        # an integer pair in between ends the extended precision
        ([1, *[0.1] * 3], [1, *[1] * 3], 1.3),
        ([2**63, 1.0, -1.0], [1, 0.25, 1.0], 2.0**63),
        ([1.0, 2.0**-53], [1.0, 1.0], 1.0),
        ([1.0, 2.0**-53, 2.0**-100], [1.0, 1.0, 1.0], 1 + 2.0**-52),
        # and so does an integer product that does not fit a C long
        ([-(2**63), 2.0**63, 0.1], [1, 1.0, 1.0], 0.0),
        ([2**63, -(2.0**63), 0.1], [1, 1.0, 1.0], 0.1),
        ([2**62, 2**32, -(2.0**62), 0.1], [-1, 2**31, 1.0, 1.0], 0.1),
        ([2**62, 2**62, -(2.0**63), 0.1, -1.0], [1, 1, 1.0, 10.0, 1.0], 0.0),
        # or such a sum of products: what follows is added plainly
        ([2**62, 2**62, -(2.0**63), 0.5, 0.125], [1, 1, 1.0, 1.0, 1.0], 0.625),
        (CANCELLING, [1.0] * 4, 1.0),
        # the third length: without it the last four digits are wrong
        (THIRD_LENGTH[0], THIRD_LENGTH[1], -2.2251610471313882e-10),
        ([1e300, 1.0, 1e300], [1e-300, 1e-30, -1e-300], 1e-30),
        ([HUGE, HUGE], [0.3, -0.3], 0.0),
        ([TINY], [0.5], 0.0),
        ([1e308, 1e308, -1e308], [1.0, 1.0, 1.0], INF),
        ([1e308, -1e308], [10.0, 10.0], NAN),
        ([INF, 1.0], [1.0, 1.0], INF),
        ([INF, -INF], [1.0, 1.0], NAN),
        ([INF], [0.0], NAN),
        ([-0.0], [1.0], 0.0),
        ([0.5, Fraction(1, 2)], [1.0, 1], 1.0),
        ([1j], [2], 2j),
    ],
)
def test_sumprod_at_the_edges(p, q, expected):
    assert outcome(pure_sumprod, iter(p), tuple(q)) == outcome(lambda: expected)


@given(st.lists(st.tuples(*[st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)] * 2)))
def test_sumprod_is_right_to_many_more_digits_than_floats_have(pairs):
    exact = sum(Fraction(x) * Fraction(y) for x, y in pairs)
    size = sum(abs(Fraction(x) * Fraction(y)) for x, y in pairs)
    result = pure_sumprod([float(x) for x, _ in pairs], [float(y) for _, y in pairs])
    assert abs(Fraction(result) - exact) <= abs(exact) / 2**53 + size * len(pairs) ** 3 / 2**140


@pytest.mark.parametrize(
    ("p", "q", "error", "message"),
    [
        ([1], [1, 2], ValueError, "Inputs are not the same length"),
        ([1.0, 2.0, 3], [1.0, 2.0], ValueError, "Inputs are not the same length"),
        ([None, 1], [2.0], TypeError, r"unsupported operand type\(s\) for \*: 'NoneType' and 'float'"),
        (1, [1], TypeError, "'int' object is not iterable"),
        ([10**400], [1.0], OverflowError, "int too large to convert to float"),
        ([2**1024, 1.0], [1, 1.0], OverflowError, "int too large to convert to float"),
        ([None], [2.0], TypeError, r"unsupported operand type\(s\) for \*: 'NoneType' and 'float'"),
    ],
)
def test_sumprod_errors(p, q, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        pure_sumprod(p, q)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@example(2.0**1000, 2.0**-1000)
@example(0.1, 1e-310)
@example(1.7502318897398699, 1.5468373652012157)  # split a bit higher, a product of low parts would be rounded
@example(1.3148061923515744e-154, 1.3215034117034858e-158)  # too small to be split
def test_product_error_is_the_rest_of_the_product(x, y):
    assume(math.isfinite(x * y))
    assert product_error(x, y) == float(Fraction(x) * Fraction(y) - Fraction(x * y))


def test_product_error_splits_right_at_the_bounds():
    sizes = [2.0**e for e in (-960, -959, -500, 0, 29, 30, 500, 989, 990)]
    for x, y in itertools.product([s * (1 + 2**-30) for s in sizes], [s * (1 + 2**-52) for s in sizes]):
        if 2.0**-900 < x * y < INF:
            assert product_error(x, y) == Fraction(x) * Fraction(y) - Fraction(x * y)
