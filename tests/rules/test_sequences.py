"""Functions of sequences that rows are written with."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value
from microgrid.rules.sequences import (
    cofactors,
    combined,
    cross_entropy_slopes,
    maximum,
    minimum,
    normalised,
    rests,
    scaled,
    shifted,
    ties,
)

NAN = math.nan


@given(st.lists(st.fractions(max_denominator=9), max_size=7), st.fractions(max_denominator=9))
def test_cofactors_are_the_products_of_the_others(xs, start):
    expected = [start * math.prod(xs[:i]) * math.prod(xs[i + 1 :]) for i in range(len(xs))]
    assert cofactors(tuple(xs), start) == expected


@pytest.mark.parametrize(
    ("xs", "expected"),
    [
        ([], []),
        ([5.0], [1]),
        ([2.0, 3.0], [3.0, 2.0]),
        ([0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        ([0.0, 0.0, 1.0], [0, 0, 0]),
    ],
)
def test_cofactors_with_zeros_among_the_factors(xs, expected):
    assert cofactors(xs) == expected


def test_cofactors_multiply_from_both_ends():
    xs = [1e200, 1e200, 1e-200, 1e-200]
    assert cofactors(xs, 1e-300) == [(1e-300) * (1e200 * (1e-200 * 1e-200)), 0.0, 1e100 * 1e-200, 1e100 * 1e-200]
    assert cofactors([2.0, 3.0, 5.0], 7) == [105.0, 70.0, 42.0]


@pytest.mark.parametrize(
    ("xs", "out", "expected"),
    [
        ([2.0, 1.0], 2.0, [1.0, 0.0]),
        ([1.0, 2.0], 2.0, [0.0, 1.0]),
        ([1.0, 1.0], 1.0, [0.5, 0.5]),
        ([0.0, -0.0, 1], 0.0, [0.5, 0.5, 0.0]),
        ([3, 3.0, Fraction(3), 1], 3, [1 / 3, 1 / 3, 1 / 3, 0.0]),
        # gradients of torch.maximum and torch.minimum, which do not share out a nan
        ([NAN, 1.0], NAN, [1.0, 1.0]),
        ([1.0, NAN], NAN, [1.0, 1.0]),
        ([NAN, NAN], NAN, [1.0, 1.0]),
        ([NAN, 1.0, 2.0], NAN, [1.0, 1.0, 1.0]),
    ],
)
def test_ties_share_evenly(xs, out, expected):
    shares = ties(xs, out)
    assert shares == expected
    assert all(type(share) is float for share in shares)


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_maximum_and_minimum_are_those_of_python(xs):
    assert repr(maximum(*xs)) == repr(max(xs)) and repr(minimum(*xs)) == repr(min(xs))


@given(st.lists(st.floats(), min_size=1), st.integers(0, 9))
def test_a_nan_anywhere_makes_the_extremes_nan(xs, place):
    xs.insert(place, NAN)
    assert math.isnan(maximum(*xs)) and math.isnan(minimum(*xs))


def test_infinities_of_both_signs_have_a_largest_and_a_smallest():
    assert maximum(-math.inf, 1.0, math.inf) == math.inf and minimum(-math.inf, 1.0, math.inf) == -math.inf
    assert math.isnan(maximum(-math.inf, NAN, math.inf))


@given(st.lists(st.fractions(), min_size=1))
def test_shifted_has_its_largest_at_zero(xs):
    assert max(shifted(xs)) == 0 and [x - y for x, y in zip(xs, shifted(xs), strict=True)] == [max(xs)] * len(xs)


@given(st.lists(st.fractions(min_value=Fraction(1, 9)), min_size=1))
def test_normalised_adds_up_to_one(xs):
    assert sum(normalised(xs)) == 1 and normalised(xs)[0] == xs[0] / sum(xs)


@given(st.lists(st.integers(-99, 99), max_size=7))
def test_rests_are_the_sums_of_the_others(xs):
    assert rests(xs) == [sum(xs) - x for x in xs]


def test_rests_do_not_cancel():
    assert rests([1.0, 1e-30, 1e-30]) == [2e-30, 1.0, 1.0]


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(-99, 99)), min_size=1, max_size=6))
def test_cross_entropy_slopes(pairs):
    ps, ys = zip(*pairs, strict=True)
    assert cross_entropy_slopes(ps, ys) == [p * sum(ys) - y * sum(ps) for p, y in pairs]


def test_cross_entropy_slopes_do_not_cancel():
    assert cross_entropy_slopes([1.0, 1e-30], [1.0, 0.0]) == [-1e-30, 1e-30]


def test_scaled_multiplies_and_drops_plain_zeros():
    assert scaled(3.0, [2.0, 0.0, -0.5]) == [6.0, 0, -1.5]
    assert scaled(math.inf, [0.0, 0, Fraction(0)]) == [0, 0, 0]


def test_a_recorded_zero_is_scaled_and_not_dropped():
    (amount,) = scaled(3.0, [Value(0.0)])
    assert type(amount) is Value and amount.data == 0.0 and len(amount.parents) == 1


@given(st.lists(st.tuples(st.fractions(), st.fractions())))
def test_combined_is_the_sum_of_products(pairs):
    assert combined(*zip(*pairs, strict=True)) == sum(a * b for a, b in pairs) if pairs else combined([], []) == 0


def test_combined_and_scaled_skip_plain_zeros_only():
    assert combined([0.0, math.inf, 2.0], [math.inf, 0, 3.0]) == 6.0
    assert scaled(math.inf, [0.0, 1.0]) == [0, math.inf]
    zero = Value(0.0)
    assert combined([zero, 0.0], [2.0, zero]).parents == (zero,) and scaled(2.0, [zero])[0].parents == (zero,)
