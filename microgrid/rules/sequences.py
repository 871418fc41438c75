"""Functions of sequences that rows of the table are written with.

Those that occur in partials use arithmetic and comparisons alone, so that they serve floats, fractions and nodes alike.
"""

from __future__ import annotations

from math import isfinite, nan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def maximum(*xs: Any) -> Any:
    """Return the largest of `xs`, or nan if one of them is nan.

    >>> maximum(1.0, 3.0, 2.0), maximum(1.0, float("nan"))
    (3.0, nan)
    """
    return max(xs) if has_no_nan(xs) else nan


def minimum(*xs: Any) -> Any:
    """Return the smallest of `xs`, or nan if one of them is nan.

    >>> minimum(1.0, 3.0, 2.0), minimum(1.0, float("nan"))
    (1.0, nan)
    """
    return min(xs) if has_no_nan(xs) else nan


def has_no_nan(xs: Sequence[Any]) -> bool:
    """Return whether no one of `xs` is nan; their sum tells, but for opposite infinities."""
    total = sum(xs)
    return bool(total == total) or all(x == x for x in xs)


def are_finite(xs: Sequence[Any]) -> bool:
    """Return whether none of `xs` is infinite or nan; their sum tells, unless it leaves the range itself.

    >>> are_finite([1e308, 1e308]), are_finite([float("inf"), 1.0]), are_finite([nan])
    (True, False, False)
    """
    return isfinite(sum(xs)) or all(map(isfinite, xs))


def shifted(xs: Sequence[Any]) -> list[Any]:
    """Return `xs` less their largest: exponentials of the result cannot overflow.

    >>> shifted([1.0, 3.0])
    [-2.0, 0.0]
    """
    largest = max(xs)
    return [x - largest for x in xs]


def normalised(xs: Sequence[Any]) -> list[Any]:
    """Return `xs` divided by their sum.

    >>> normalised([1.0, 3.0])
    [0.25, 0.75]
    """
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    return [x / total for x in xs]


def scaled(g: Any, partials: Sequence[Any]) -> list[Any]:
    """Return the product of `g` and each of `partials`; a plain zero hands nothing on, even of an infinite `g`.

    >>> scaled(float("inf"), [0.5, 0.0])
    [inf, 0]
    """
    return [g * partial if hasattr(partial, "backward") or partial else 0 for partial in partials]


def combined(factors: Sequence[Any], partials: Sequence[Any]) -> Any:
    """Return the sum of the products of `factors` and `partials`; a plain zero on either side contributes nothing.

    >>> combined([2.0, float("inf"), 3.0], [0.5, 0.0, 1.0])
    4.0
    """
    total = 0
    for factor, partial in zip(factors, partials, strict=True):
        if hasattr(factor, "backward") or factor:
            total = total + scaled(factor, [partial])[0]
    return total


def cofactors(xs: Sequence[Any], start: Any = 1) -> list[Any]:
    """Return for each of `xs` the product of `start` and all the others: the derivatives of their product.

    Made by multiplication alone, so that it is right where a factor is zero and serves any kind of number.

    >>> cofactors([2, 3, 0])
    [0, 0, 6]
    """
    products = []
    for x in xs:
        products.append(start)
        start = start * x
    following: Any = 1
    for i in reversed(range(len(xs))):
        products[i] = products[i] * following
        following = xs[i] * following
    return products


def rests(xs: Sequence[Any]) -> list[Any]:
    """Return for each of `xs` the sum of all the others, by addition alone: exact where subtraction would cancel.

    >>> rests([1, 2, 3])
    [5, 4, 3]
    """
    sums = []
    preceding: Any = 0
    for x in xs:
        sums.append(preceding)
        preceding = preceding + x
    following: Any = 0
    for i in reversed(range(len(xs))):
        sums[i] = sums[i] + following
        following = xs[i] + following
    return sums


def cross_entropy_slopes(ps: Sequence[Any], ys: Sequence[Any]) -> list[Any]:
    """Return `p * sum(ys) - y` for each probability of `ps` and target of `ys`, written so that 1 - p is not formed.

    >>> cross_entropy_slopes([0.25, 0.75], [1, 0])
    [-0.75, 0.75]
    """
    return [p * of_ys - y * of_ps for p, y, of_ps, of_ys in zip(ps, ys, rests(ps), rests(ys), strict=True)]


def ties(xs: Sequence[Any], out: Any) -> list[float]:
    """Return the derivatives of `out`, the largest or smallest of `xs`: those equal to it share 1 evenly.

    If `out` is nan, each gets 1, as in PyTorch's `maximum`.

    >>> ties([3, 1, 3], 3)
    [0.5, 0.0, 0.5]
    """
    if out != out:
        return [1.0] * len(xs)
    equal = [x == out for x in xs]
    count = sum(equal)
    return [hit / count for hit in equal]
