"""Functions on floats that the standard `math` module lacks: what networks need, and the derivatives of lgamma.

All are accurate to a few units in the last place unless their docstring states another bound, over the whole range of
floats; a nan among the arguments makes the result nan.
"""

from __future__ import annotations

import math

from microgrid.rules import marks
from microgrid.rules.newer_math import product_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

COMPUTES = marks.COMPUTES  # with plain numbers: see `Value.__float__`
LOG_2 = math.log(2)
SQRT_HALF = math.sqrt(0.5)
SQRT_HALF_ERROR = -4.833646656726457e-17  # sqrt(1/2) - SQRT_HALF
LOG_LARGEST = 710.0  # exp of it is just above the largest float
LOG_SMALLEST = -746.0  # exp of it is just below half the smallest

# The even Bernoulli numbers B(2k), k = 1 ... 11, of the asymptotic series of digamma and polygamma.
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
             854513 / 138)  # fmt: skip
DIGAMMA_SERIES = tuple(b / (2 * k) for k, b in enumerate(BERNOULLI, 1))
POLYGAMMA_SERIES = tuple(b / math.factorial(2 * k) for k, b in enumerate(BERNOULLI, 1))


def sigmoid(x: float) -> float:
    """Return 1 / (1 + exp(-x)).

    >>> sigmoid(0), sigmoid(1000), sigmoid(-1000)
    (0.5, 1.0, 0.0)
    """
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    power = math.exp(x)
    return power / (1 + power)


def softplus(x: float) -> float:
    """Return log(1 + exp(x)).

    >>> softplus(0) == math.log(2), softplus(1000), softplus(-1000)
    (True, 1000.0, 0.0)
    """
    return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))


def logsigmoid(x: float) -> float:
    """Return log(sigmoid(x)).

    >>> logsigmoid(-1000), logsigmoid(1000)
    (-1000.0, -0.0)
    """
    return -softplus(-x)


def silu(x: float) -> float:
    """Return x * sigmoid(x), and its limit -0.0 at -inf.

    >>> silu(0), silu(1000), silu(-math.inf)
    (0.0, 1000.0, -0.0)
    """
    if x >= 0:
        return x * sigmoid(x)
    if x == -math.inf:
        return -0.0
    root = math.exp(x / 2)  # its square may lose digits below the normal floats that x * root * root still has
    return x * root * root / (1 + root * root)


def gelu(x: float) -> float:
    """Return x times the standard normal distribution function of x, and its limit -0.0 at -inf.

    Below -37.5, where the result leaves the normal floats, it is right to 20 units of the smallest float.

    >>> round(gelu(1), 14), f"{gelu(-20):.12}"
    (0.84134474606854, '-5.50724823721e-88')
    """
    if x < -40:  # below half the smallest float
        return -0.0
    argument = -x * SQRT_HALF
    tail = math.erfc(argument)
    if x < 0:  # a relative error e of the argument grows to 2 * argument**2 * e in erfc: take it back to first order
        missed = product_error(-x, SQRT_HALF) - x * SQRT_HALF_ERROR
        tail -= missed * 2 / math.sqrt(math.pi) * math.exp(-argument * argument)
    return x / 2 * tail


def logaddexp(x: float, y: float) -> float:
    """Return log(exp(x) + exp(y)), to a few units in the last place of the largest of x, y and the result.

    >>> logaddexp(1000, 999) == 999 + logaddexp(1, 0)
    True
    """
    if x == y:  # infinities among them
        return x + LOG_2
    difference = x - y
    if difference > 0:
        return x + math.log1p(math.exp(-difference))
    return y + math.log1p(math.exp(difference))


def logsumexp(xs: Iterable[float]) -> float:
    """Return log(sum(exp(x) for x in xs)), to a few units in the last place of the largest of xs and the result.

    Raises:
        ValueError: if `xs` is empty.

    >>> logsumexp([1000, 1000, 1000]) == 1000 + math.log(3)
    True
    """
    xs = tuple(xs)
    if not xs:
        raise ValueError("logsumexp of no numbers: it takes at least one")
    largest = max(xs)
    if math.isinf(largest):
        return math.nan if any(map(math.isnan, xs)) else largest
    # fsum is exact, so that the 1 of the largest goes without a trace
    return largest + math.log1p(math.fsum([-1.0, *(math.exp(x - largest) for x in xs)]))


def cross_entropy(xs: Iterable[float], ys: Iterable[float]) -> float:
    """Return the sum of y * (logsumexp(xs) - x): nothing cancels, however sure and right the logits are.

    Where y is zero x does not count, even if it is -inf.

    Raises:
        ValueError: if `xs` is empty, or not as long as `ys`.

    >>> cross_entropy([0, 0], [1, 0]) == LOG_2, cross_entropy([0, -1000], [0, 1])
    (True, 1000.0)
    """
    xs = tuple(xs)
    if not xs:
        raise ValueError("cross_entropy of no numbers: it takes at least one")
    largest = max(xs)
    total = logsumexp(x - largest for x in xs)
    return math.fsum(y * (total + (largest - x)) for x, y in zip(xs, ys, strict=True) if y)


def binary_cross_entropy(p: float, y: float) -> float:
    """Return `-(y * log(p) + (1 - y) * log(1 - p))`, the logarithms being at least -100 as in PyTorch.

    Raises:
        ValueError: if p is not between 0 and 1.

    >>> binary_cross_entropy(0.0, 1.0)
    100.0
    """
    if not 0 <= p <= 1 and not math.isnan(p):
        raise ValueError(f"expected a probability between 0 and 1, got {p}")
    log_p = max(math.log(p), -100.0) if p else -100.0
    log_q = math.log1p(-p) if p != 1 else -100.0  # at least -37 otherwise
    return -(y * log_p + (1 - y) * log_q)


def power(x: Any, y: Any) -> Any:
    """Return `x ** y`, on any real numbers.

    Raises:
        ValueError: if the result is complex.

    >>> power(2, 10), power(2, 0.5)
    (1024, 1.4142135623730951)
    >>> power(-8, 0.5)
    Traceback (most recent call last):
    ValueError: negative number to a fractional power
    """
    try:
        result = x**y
    except OverflowError:
        if x >= 0 or y % 1 == 0:
            raise
        result = 1j  # so would a complex result too large for a float be
    if isinstance(result, complex):
        raise ValueError("negative number to a fractional power")
    return as_exact(result, x, y)


def floordiv(x: Any, y: Any) -> Any:
    """Return `x // y`, a Fraction for a Fraction.

    >>> floordiv(7.0, 2.0), floordiv(7, 2)
    (3.0, 3)
    """
    return as_exact(x // y, x, y)


def as_exact(result: Any, x: Any, y: Any) -> Any:
    """Return `result` of an operation on `x` and `y`, as a Fraction if it is an integer and one of them a Fraction."""
    if type(result) is not int or (isinstance(x, int) and isinstance(y, int)):
        return result
    return type(y if isinstance(x, int) else x)(result)


def digamma(x: float) -> float:
    """Return the derivative of lgamma at x.

    The error is at most 2e-15 of max(abs(result), 1), below zero of max(abs(result), 1, log(-x)).

    Raises:
        ValueError: at the poles 0, -1, -2 ..., and at -inf.
        OverflowError: if the result is too large for a float, so close to 0.

    >>> round(digamma(1), 14), round(digamma(-2.5), 14)
    (-0.57721566490153, 1.10315664064524)
    """
    return polygamma(0, x)


def polygamma(n: float, x: float) -> float:
    """Return the n-th derivative of digamma at x.

    For x > 0 the error is at most (n + 5) * 3e-16 of the result. Below zero, where poles on both sides may cancel, it
    is as much of n! / d ** (n + 1), where d is the distance from x to the nearest pole. `polygamma(0, x)` is
    `digamma(x)`.

    Raises:
        ValueError: at the poles 0, -1, -2 ..., at -inf, and if `n` is not one of 0, 1, 2 ...
        OverflowError: if the result is too large for a float.

    >>> round(polygamma(1, 1) - math.pi ** 2 / 6, 14), round(polygamma(2, -0.5), 14)
    (0.0, -0.82879664423432)
    """
    if not (n >= 0 and n % 1 == 0):
        raise ValueError(f"the order of polygamma is one of 0, 1, 2 ..., not {n!r}")
    n = int(n)
    if math.isnan(x):
        return x
    if x == -math.inf or (x <= 0 and x % 1 == 0):
        raise ValueError("math domain error")
    if x == math.inf:
        return 0.0 if n else x
    try:
        return polygamma_above_zero(n, x) if x > 0 else polygamma_below_zero(n, x)
    except OverflowError:
        raise OverflowError("math range error") from None


def polygamma_below_zero(n: int, x: float) -> float:
    """Return polygamma(n, x) at a negative x that is not an integer, through three values above zero.

    By reflection (DLMF 5.5.4, 5.15.6) polygamma(n, x) - (-1)**n * polygamma(n, 1 - x) is the n-th derivative of
    -pi / tan(pi * x). That has period 1, so the same difference at the fractional part of x gives its value.
    """
    offset = math.remainder(x, 1.0)  # exact, and so is the distance to the nearest pole
    near, far = abs(offset), 1 - abs(offset)
    fraction, rest = (near, far) if offset > 0 else (far, near)
    sign = -1 if n % 2 else 1
    periodic = polygamma_above_zero(n, fraction) - sign * polygamma_above_zero(n, rest)
    return periodic + sign * polygamma_above_zero(n, 1 - x)


def polygamma_above_zero(n: int, x: float) -> float:
    """Return polygamma(n, x) at a finite x > 0, or raise OverflowError.

    The recurrence (DLMF 5.5.2, 5.15.5; Abramowitz & Stegun 6.3.6, 6.4.6) leads from x up to where the asymptotic series
    (DLMF 5.11.2, 5.15.8; Abramowitz & Stegun 6.3.18, 6.4.11) holds to the last bit.
    """
    if n == 0:
        return digamma_above_zero(x)
    log_size = math.lgamma(n + 1) - (n + 1) * math.log(x)  # n! / x ** (n + 1), of the first term below
    if log_size > LOG_LARGEST:
        raise OverflowError
    if log_size + math.log1p(x / n) < LOG_SMALLEST:
        return 0.0 if n % 2 else -0.0
    # The sum of (x / (x + k)) ** (n + 1) over all k >= 0: ever smaller terms, and what the series says of the rest.
    terms, top = [], x
    while top < n + 10:
        terms.append((x / top) ** (n + 1))
        top = x + len(terms)
    scale = (x / top) ** (n + 1)
    terms += [scale * top / n, scale / 2]
    factor = scale * (n + 1) / top
    for k, coefficient in enumerate(POLYGAMMA_SERIES, 1):
        terms.append(coefficient * factor)
        factor *= (n + 2 * k) * (n + 2 * k + 1) / (top * top)
    # Times n! / x ** (n + 1), kept as mantissa and exponent: its factors overflow where it does not.
    x_mantissa, x_exponent = math.frexp(x)
    mantissa, exponent = math.frexp(math.fsum(terms))
    for factor in (1, *range(1, n + 1)):
        mantissa, shift = math.frexp(mantissa * factor / x_mantissa)
        exponent += shift - x_exponent
    return math.ldexp(mantissa if n % 2 else -mantissa, exponent)


def digamma_above_zero(x: float) -> float:
    """Return digamma at a finite x > 0, or raise OverflowError; see `polygamma_above_zero`."""
    terms, top = [], x
    while top < 10:
        terms.append(-1 / top)
        top = x + len(terms)
    terms += [math.log(top), -0.5 / top]
    power = 1.0
    for coefficient in DIGAMMA_SERIES:
        power /= top * top
        terms.append(-coefficient * power)
    result = math.fsum(terms)
    if math.isinf(result):
        raise OverflowError
    return result
