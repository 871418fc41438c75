"""Interval arithmetic: enough of it to evaluate the domain of a rule on a neighbourhood instead of a point."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Interval:
    """The numbers between two bounds. `<` and the like hold if they do for all of them, `==` if it does for some."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __repr__(self) -> str:
        return f"Interval({self.low}, {self.high})"

    def __add__(self, other: Any) -> Interval:
        other = interval(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Any) -> Interval:
        return self + -interval(other)

    def __mul__(self, other: Any) -> Interval:
        other = interval(other)
        return hull(x * y for x in (self.low, self.high) for y in (other.low, other.high))

    def __truediv__(self, other: Any) -> Interval:
        other = interval(other)
        if other == 0:
            return Interval(-math.inf, math.inf)
        return hull(x / y for x in (self.low, self.high) for y in (other.low, other.high))

    def __floordiv__(self, other: Any) -> Interval:
        quotient = self / other
        return Interval(*(x // 1 if math.isfinite(x) else x for x in (quotient.low, quotient.high)))

    def __mod__(self, other: Any) -> Interval:
        other, whole = interval(other), self // other
        if whole.low != whole.high:  # the interval contains a multiple of `other`
            return hull((0.0, other.low, other.high))
        rest: Interval = self - other * whole
        return rest

    def __pow__(self, n: int) -> Interval:
        if not isinstance(n, int) or n < 0:
            return NotImplemented
        out = Interval(1.0, 1.0)
        for _ in range(n):
            out = out * self
        return out

    def __abs__(self) -> Interval:
        if self == 0:
            return Interval(0.0, max(-self.low, self.high))
        return self if self.low > 0 else -self

    def __radd__(self, other: float) -> Interval:
        return self + other

    def __rsub__(self, other: float) -> Interval:
        return interval(other) - self

    def __rmul__(self, other: float) -> Interval:
        return self * other

    def __rtruediv__(self, other: float) -> Interval:
        return interval(other) / self

    def __rmod__(self, other: float) -> Interval:
        return interval(other) % self

    def __lt__(self, other: Any) -> bool:
        return self.high < interval(other).low

    def __le__(self, other: Any) -> bool:
        return self.high <= interval(other).low

    def __gt__(self, other: Any) -> bool:
        return self.low > interval(other).high

    def __ge__(self, other: Any) -> bool:
        return self.low >= interval(other).high

    def __eq__(self, other: object) -> bool:
        other = interval(other)
        return self.low <= other.high and other.low <= self.high

    def __hash__(self) -> int:
        return 0  # equality is not transitive: with one hash, a set drops intervals that overlap another

    def __bool__(self) -> bool:
        return self != 0


def interval(x: Any) -> Interval:
    """Return `x` as an interval."""
    return x if isinstance(x, Interval) else Interval(x, x)


def hull(numbers: Iterable[float]) -> Interval:
    """Return the smallest interval that contains all `numbers`; the whole line if one is nan."""
    found = [*numbers]
    return Interval(-math.inf, math.inf) if any(map(math.isnan, found)) else Interval(min(found), max(found))
