"""`numerical_derivative`: a derivative found from the values of a function alone, the oracle of all checks.

Two methods check each other. Ridders' method extrapolates difference quotients at ever smaller steps to step zero
(Ridders, 1982, Advances in Engineering Software 4). It works for any function, and gives about ten digits and an
estimate of the error. Complex step along the recorded graph gives nearly all digits, if every operation has a complex
version; it is trusted only where it agrees with the differences.

Kinks, jumps and edges of the domain are detected: there the slopes on the two sides differ, or one is missing.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import NamedTuple

from microgrid.engine import graph
from microgrid.engine.messages import brief
from microgrid.engine.modes import NumbersAlone
from microgrid.engine.numbers import MATH_ERRORS, as_number, is_number
from microgrid.engine.value import Value
from microgrid.testing.oracle.complex_step import derivative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

EPSILON = 2.0**-52
STEPS = 8  # per tableau: with more, rounding costs more than extrapolation wins
RATIO = 1.7  # of one step to the next: with an integer, all steps could hit a periodic function at the same phase
FIRST_STEPS = [0.19 / 100**k for k in range(5)]  # times the size of x; a tableau begins where the last one ends
SMALLEST = 5e-324  # the spacing of the floats next to zero
UNSEEN = 1e-150  # smaller slopes underflow to zero in a complex step
SURE = 20  # errors are estimates: only a difference of this many times the error counts as one


class NotDifferentiableError(ValueError):
    """Raised where the values of a function show no derivative: at a kink, a jump or an edge of its domain."""

    __module__ = "microgrid.testing"


class Estimate(NamedTuple):
    """A derivative, an estimate of its absolute error, and the method, `"complex step"` or `"Ridders"`."""

    derivative: float
    error: float
    method: str


class Tableau(NamedTuple):
    """The slope of a function, extrapolated from one sequence of ever smaller steps."""

    slope: float
    error: float
    gap: float  # the slope on the right less the slope on the left
    gap_error: float
    noise: float  # the part of `gap_error` that is due to rounding
    size: float  # the steepest quotient


def numerical_derivative(f: Callable[[Any], Any], x: float) -> Estimate:
    """Return the derivative of `f` at `x`, found from its values, with an estimate of the error.

    It uses no partial derivative of the calculus table. `f` is called a few dozen times.

    Args:
        f: a function from a number to a number. It is called with a `Value`, or with floats if it refuses that.
        x: the point.

    Raises:
        NotDifferentiableError: at a kink, a jump or an edge of the domain, outside the domain, and where the difference
            quotients do not converge.
        TypeError: if `x`, or the result of `f`, is not a number.

    >>> from microgrid import math
    >>> numerical_derivative(lambda x: math.exp(x) * x, 1.0) # doctest: +ELLIPSIS
    Estimate(derivative=5.43656365691809, error=..., method='complex step')
    >>> numerical_derivative(abs, 0.0)
    Traceback (most recent call last):
    microgrid.testing.NotDifferentiableError: at 0.0 the slope is -1.0 on the left and 1.0 on the right
    """
    if not callable(f):
        raise TypeError(f"numerical_derivative expects a function, got {type(f).__name__} {brief(f)}")
    x = float(as_number(x))
    with NumbersAlone():
        return estimated(f, x)


def estimated(f: Callable[[Any], Any], x: float) -> Estimate:
    """Return the derivative of `f` at `x`, found from its values."""
    at = on_floats(f, x)
    try:
        return agreed(at, x, lambda t: along_graph(f, t))
    except NotDifferentiableError:
        scale = 0.0
        with suppress(*MATH_ERRORS, TypeError, AttributeError):
            scale = largest(f(Value(x)))
        if not scale or scale <= abs(at(x)):
            raise
    # The rounding of large intermediate values looked like a jump: with their size the noise is estimated right.
    return agreed(at, x, lambda t: along_graph(f, t), scale)


def agreed(at: Callable[[float], float], x: float, along: Callable[[float], float], scale: float = 0.0) -> Estimate:
    """Return the derivative at `x`: by complex step if that agrees with difference quotients, else by those.

    Args:
        at: the function on floats.
        x: the point.
        along: its derivative by complex step; it raises where there is none.
        scale: the size of the largest intermediate value, whose rounding the result inherits.

    Raises:
        NotDifferentiableError: as in `numerical_derivative`.
    """
    try:
        value = at(x)
    except MATH_ERRORS as error:
        raise NotDifferentiableError(f"there is no value at {x!r}: {error}") from None
    by_differences = ridders(at, x, value, scale)
    try:
        slopes = [along(x + shift * math.ulp(x)) for shift in (0, -4, 4)]
    except (*MATH_ERRORS, TypeError, AttributeError, NameError):
        return by_differences
    slope = slopes[0] + 0.0  # turns -0.0 into 0.0
    if not abs(slope - by_differences.derivative) <= SURE * by_differences.error + 1e-9 * abs(slope) + UNSEEN:
        return by_differences
    rounding = 4 * EPSILON * max(abs(slope), abs(value) / max(1.0, abs(x)))
    return Estimate(slope, rounding + max(slopes) - min(slopes) + UNSEEN, "complex step")


def on_floats(f: Callable[[Any], Any], x: float) -> Callable[[float], float]:
    """Return `f` as a function from floats to finite floats; it is called with `Value`s, unless it refuses one at `x`.

    Raises:
        TypeError: if `f` does not return a number.
    """
    wrap: Callable[[float], Any] = Value
    try:
        f(Value(x))
    except (TypeError, AttributeError):
        wrap = float
    except MATH_ERRORS:
        pass  # the caller gets the same error, and reports it

    def at(t: float) -> float:
        out = f(wrap(t))
        data = out.data if isinstance(out, Value) else out
        if not is_number(data):
            raise TypeError(f"expected a function that returns a number, got {type(data).__name__} {brief(data)}")
        if not math.isfinite(data):
            raise ValueError(f"the function gives {float(data)}")
        return float(data)

    return at


def along_graph(f: Callable[[Any], Any], x: float) -> float:
    """Return the derivative of `f` by complex step along the graph that it records."""
    leaf = Value(x)
    root = f(leaf)
    if not isinstance(root, Value):
        raise TypeError("the function recorded no graph")
    return derivative(root, leaf)


def largest(root: Any) -> float:
    """Return the size of the largest number in the graph of `root`, whose rounding its value inherits.

    It is 0.0 without a graph, and if a number is not finite.
    """
    nodes = graph.inner_nodes(root) if isinstance(root, Value) else []
    sizes = [abs(float(node.data)) for node in (*nodes, *graph.leaves(nodes))]
    return max(sizes, default=0.0) if all(map(math.isfinite, sizes)) else 0.0


def ridders(at: Callable[[float], float], x: float, value: float, scale: float = 0.0) -> Estimate:
    """Return the best estimate from difference quotients, or raise `NotDifferentiableError`."""
    seen: list[Tableau] = []
    limits: list[Tableau] = []
    kink: Tableau | None = None
    reason: Exception | None = None
    for step in first_steps(x):
        try:
            seen.append(last := tableau(at, x, value, step, scale))
        except MATH_ERRORS as error:
            reason = error
            continue
        if abs(last.gap) > SURE * last.gap_error + 1e-9 * last.size:
            kink = last if not kink or last.gap_error < kink.gap_error else kink
        elif converges(last, max(one.size for one in seen)) and (not kink or SURE * last.gap_error < abs(kink.gap)):
            kink = None  # larger steps reached a kink nearby
            limits.append(last)
            if last.error <= max(1e-10 * abs(last.slope), 2 * last.noise):
                break
    if limits and not kink:
        best = min(limits, key=lambda one: one.error)
        doubt = max(abs(one.slope - best.slope) - SURE * one.error for one in limits)
        if best.slope == 0:  # values may be too coarse for small steps to change them
            doubt = max(abs(one.slope) for one in seen)
        return Estimate(best.slope, max(best.error, doubt), "Ridders")
    if kink:
        left, right = kink.slope - kink.gap / 2, kink.slope + kink.gap / 2
        raise NotDifferentiableError(f"at {x!r} the slope is {left:.9} on the left and {right:.9} on the right")
    if not seen:
        raise NotDifferentiableError(f"{x!r} is at an edge or near: there is no value next to it, {reason}")
    raise NotDifferentiableError(f"at {x!r} the differences do not converge: a jump, a vertical slope, or noise")


def first_steps(x: float) -> Iterator[float]:
    """Yield the first step of each tableau, relative to 1 and then to a small `x`: `f` may vary on either scale."""
    yield from (step * max(1.0, abs(x)) for step in FIRST_STEPS)
    if 0 < abs(x) < FIRST_STEPS[-1]:
        yield from (step * abs(x) for step in FIRST_STEPS)


def tableau(at: Callable[[float], float], x: float, value: float, step: float, scale: float) -> Tableau:
    """Return the slope at `x`, extrapolated from `STEPS` ever smaller steps that begin with `step`."""
    central, gaps, noises, size = [], [], [], 0.0
    for k in range(STEPS):
        above, below = x + step / RATIO**k, x - step / RATIO**k
        high, low = at(above), at(below)
        right, left = (high - value) / (above - x), (value - low) / (x - below)
        central.append((high - low) / (above - below))
        gaps.append(right - left)
        rounded = abs(high) + 2 * abs(value) + abs(low)  # the results are
        rounded += abs(x) * (abs(right) + abs(left))  # and so are the arguments `above` and `below`
        rounded += 4 * scale
        noises.append((EPSILON * rounded + SMALLEST) / (above - x))
        size = max(size, abs(right), abs(left))
    slope, error, noise = extrapolated(central, noises, RATIO**2)
    gap, gap_error, gap_noise = extrapolated(gaps, noises, RATIO)
    return Tableau(slope, error + noise, gap, gap_error + gap_noise, max(noise, gap_noise), size)


def extrapolated(quotients: list[float], noises: list[float], factor: float) -> tuple[float, float, float]:
    """Return the limit of quotients at ever smaller steps, its error, and its rounding noise.

    Args:
        quotients: the error of each is a sum of terms; from one quotient to the next, the first term shrinks by
            `factor`, the second by its square, and so on.
        noises: the rounding error of each.
        factor: `RATIO`, or its square where only even powers of the step occur.
    """
    best = quotients[0], math.inf, noises[0]
    before: list[float] = []
    for i, (quotient, noise) in enumerate(zip(quotients, noises, strict=True)):
        row = [quotient]
        for j, coarse in enumerate(before, 1):
            row.append(row[-1] + (row[-1] - coarse) / (factor**j - 1))
            others = (row[j - 1], coarse, *before[j : j + 1])
            error = max(abs(row[j] - other) for other in others)
            if i > 2 and error + noise < best[1] + best[2]:  # the first few may agree by chance
                best = row[j], error, noise
        before = row
    return best


def converges(found: Tableau, steepest: float) -> bool:
    """Return whether the quotients converge: their error is small next to the steepest one, or lost in rounding."""
    worst = max(found.error, found.gap_error)
    return math.isfinite(worst) and worst <= 1e-3 * steepest + SURE * found.noise
