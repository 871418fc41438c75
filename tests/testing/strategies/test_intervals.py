"""Arithmetic on intervals: whatever numbers are within the operands, the result of theirs is within the result."""

import math
import operator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from microgrid.testing.strategies.intervals import Interval, hull, interval

NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 6.0, -4.0]) | st.floats(-20, 20)


@st.composite
def members(draw: st.DrawFn) -> tuple[Interval, float]:
    """Draw an interval and a number within it."""
    low, member, high = sorted(draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
    return Interval(low, high), member


def contains(found: Interval, number: float) -> bool:
    slack = 1e-12 * max(1.0, abs(number))
    return found.low - slack <= number <= found.high + slack


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv"])
@given(x=members(), y=members())
def test_operators(name: str, x: tuple[Interval, float], y: tuple[Interval, float]) -> None:
    operation: Any = getattr(operator, name)
    assume(y[1] != 0 or "div" not in name)
    out = operation(x[1], y[1])
    assume(math.isfinite(out))
    if name == "floordiv":  # rounding of the quotient may cross a whole number
        assume(abs(x[1] / y[1] - round(x[1] / y[1])) > 1e-9)
    for one, other in [(x[0], y[0]), (x[0], y[1]), *([(x[1], y[0])] if name != "floordiv" else [])]:
        assert contains(operation(one, other), out)


@given(x=members(), y=members())
def test_remainders(x: tuple[Interval, float], y: tuple[Interval, float]) -> None:
    assume(abs(y[1]) > 1e-3)
    out = x[1] % y[1]
    assume(min(abs(out), abs(y[1] - out)) > 1e-9)
    for one, other in [(x[0], y[0]), (x[0], y[1]), (x[1], y[0])]:
        assert contains(one % other, out)


@given(x=members(), n=st.integers(0, 4))
def test_powers_and_signs(x: tuple[Interval, float], n: int) -> None:
    assert contains(x[0] ** n, x[1] ** n) and contains(-x[0], -x[1]) and contains(abs(x[0]), abs(x[1]))
    with pytest.raises(TypeError):
        x[0] ** -1
    with pytest.raises(TypeError):
        x[0] ** 0.5


@given(x=members(), y=members())
def test_a_comparison_holds_if_it_does_for_all(x: tuple[Interval, float], y: tuple[Interval, float]) -> None:
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.ne):
        if compare(x[0], y[0]) or compare(x[0], y[1]) or compare(x[1], y[0]):
            assert compare(x[1], y[1]) or not compare(x[0], y[0])
        if compare(x[0], y[0]):
            assert compare(x[1], y[1])
    assert bool(x[0]) <= bool(x[1])


def test_known_values() -> None:
    wide = Interval(1.0, 2.0)
    assert repr(1 - wide) == "Interval(-1.0, 0.0)" and repr(wide / Interval(-1.0, 1.0)) == "Interval(-inf, inf)"
    assert wide < 3 and not wide < 2 and wide <= 2 and 0.5 < wide and wide > 0.5 and wide >= 1 and not wide >= 1.5
    assert wide == 1.5 and wide != 0 and wide and not Interval(-1.0, 1.0)
    assert len({Interval(1.0, 2.0), Interval(1.5, 3.0), Interval(4.0, 5.0)}) == 2
    assert repr(Interval(7.1, 7.9) % 2) == repr(Interval(7.1 - 6, 7.9 - 6)) and Interval(7.9, 8.1) % 2 == 0
    assert interval(wide) is wide and repr(hull(x for x in (2.0, 1.0))) == repr(wide)
    assert repr(Interval(-math.inf, 1.0) * 0) == "Interval(-inf, inf)"
    assert repr(abs(Interval(-1.0, 3.0))) == "Interval(0.0, 3.0)"
