"""Functions of the newest `math` module, for the older Pythons that lack them.

The rest of the package imports `sumprod`, `fma` and `nextafter` from here: each is the standard function where this
Python has it, and otherwise the `pure_` function below, which gives the same bits and raises the same errors.
"""

from __future__ import annotations

import math
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsFloat, SupportsIndex

LONG = 2**63  # the standard sumprod adds integers in a C long for as long as they fit
SPLITTER = 2.0**27 + 1


def pure_fma(x: SupportsFloat, y: SupportsFloat, z: SupportsFloat, /) -> float:
    """Return the product of x and y, plus z, rounded once, as `math.fma` of Python 3.13.

    >>> pure_fma(0.1, 10.0, -1.0)
    5.551115123125783e-17
    """
    x, y, z = as_float(x), as_float(y), as_float(z)
    if not (math.isfinite(x) and math.isfinite(y)):
        result = x * y + z
        if math.isnan(result) and not (math.isnan(x) or math.isnan(y) or math.isnan(z)):
            raise ValueError("invalid operation in fma")
        return result
    if not math.isfinite(z):
        return z
    (a, b), (c, d), (e, f) = x.as_integer_ratio(), y.as_integer_ratio(), z.as_integer_ratio()
    numerator = a * c * f + e * b * d
    if not numerator:
        return x * y + z  # exact here, and it knows the sign of zero
    try:
        return numerator / (b * d * f)  # division of integers rounds correctly
    except OverflowError:
        raise OverflowError("overflow in fma") from None


def pure_nextafter(x: SupportsFloat, y: SupportsFloat, /, *, steps: SupportsIndex | None = None) -> float:
    """Return the float that many steps after x towards y, as `math.nextafter` of Python 3.12.

    >>> pure_nextafter(1.0, 2.0, steps=3)
    1.0000000000000007
    """
    x, y = as_float(x), as_float(y)
    if steps is None:
        return math.nextafter(x, y)
    from operator import index

    steps = index(steps)
    if steps < 0:
        raise ValueError("steps must be a non-negative integer")
    if steps == 0 or math.isnan(x):
        return x
    if math.isnan(y):
        return y
    start, end = magnitude_bits(x), magnitude_bits(y)
    same_sign = math.copysign(1.0, x) == math.copysign(1.0, y)
    if steps >= (abs(start - end) if same_sign else start + end):
        return y
    bits = start + steps if same_sign and start < end else start - steps
    return math.copysign(from_bits(abs(bits)), x if bits >= 0 else y)


def pure_sumprod(p: Iterable[Any], q: Iterable[Any], /) -> Any:
    """Return the sum of the products of p and q, pair by pair, as `math.sumprod` of Python 3.12.

    Leading pairs of integers are added exactly, the pairs of floats after them in triple length (Ogita, Rump, Oishi,
    "Accurate Sum and Dot Product", 2005, algorithm 5.10 with K = 3), everything from the first other pair on plainly.

    >>> pure_sumprod([0.1] * 10, [1.0] * 10)
    1.0
    """
    ps, qs = tuple(p), tuple(q)
    integers = position = 0
    count = min(len(ps), len(qs))
    while position < count and type(ps[position]) is type(qs[position]) is int:
        grown = integers + ps[position] * qs[position]
        if not (fits_long(ps[position]) and fits_long(qs[position]) and fits_long(grown - integers, grown)):
            break
        integers = grown
        position += 1
    high, low, tiny, begin = 0.0, 0.0, 0.0, position
    while position < count:
        pair = as_float_pair(ps[position], qs[position])
        if pair is None:
            break
        product = pair[0] * pair[1]
        grown, high_error = two_sum(high, product)
        if not math.isfinite(grown):
            break
        carry, low_error = two_sum(low, product_error(*pair))
        low, carry_error = two_sum(carry, high_error)
        high, tiny = grown, tiny + low_error + carry_error
        position += 1
    total: Any = integers
    if position > begin:
        last, error = two_sum(low, high)
        total += tiny + error + last
    for x, y in zip(ps[position:], qs[position:], strict=False):
        total = total + x * y
    if len(ps) != len(qs):
        raise ValueError("Inputs are not the same length")
    return total


def product_error(x: float, y: float) -> float:
    """Return what rounding takes from the product of x and y: `fma(x, y, -(x * y))` for finite arguments.

    Veltkamp's splitting and Dekker's product (1971) where nothing in them can overflow or underflow.

    >>> 0.1 * 10.0, product_error(0.1, 10.0)
    (1.0, 5.551115123125783e-17)
    """
    product = x * y
    if not (2.0**-960 < abs(product) < 2.0**1020 and abs(x) < 2.0**990 and abs(y) < 2.0**990):
        return pure_fma(x, y, -product)
    scaled = x * SPLITTER
    x_high = scaled - (scaled - x)
    scaled = y * SPLITTER
    y_high = scaled - (scaled - y)
    x_low, y_low = x - x_high, y - y_high
    return x_high * y_high - product + x_high * y_low + x_low * y_high + x_low * y_low


def two_sum(x: float, y: float) -> tuple[float, float]:
    """Return the rounded sum of x and y, and what the rounding took from it (Knuth)."""
    total = x + y
    shift = total - x
    return total, (x - (total - shift)) + (y - shift)


def as_float(x: SupportsFloat) -> float:
    """Return the float that x stands for, or the error the functions of `math` raise."""
    return math.copysign(x, x)


def as_float_pair(x: Any, y: Any) -> tuple[float, float] | None:
    """Return the two numbers as floats if one is a float and the other a float, an int that fits, or a bool."""
    kinds = type(x), type(y)
    if float not in kinds or not all(kind in (float, int, bool) for kind in kinds):
        return None
    try:
        return float(x), float(y)
    except OverflowError:
        return None


def fits_long(*integers: int) -> bool:
    """Return whether all the integers fit a C long of 64 bits."""
    return all(-LONG <= integer < LONG for integer in integers)


def magnitude_bits(x: float) -> int:
    """Return the position of abs(x) among the floats from zero upwards."""
    import struct

    return int.from_bytes(struct.pack("<d", abs(x)), "little")


def from_bits(bits: int) -> float:
    """Return the float at that position among the floats from zero upwards."""
    import struct

    x: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return x


fma: Callable[[SupportsFloat, SupportsFloat, SupportsFloat], float] = getattr(math, "fma", pure_fma)
sumprod: Callable[[Iterable[Any], Iterable[Any]], Any] = getattr(math, "sumprod", pure_sumprod)
nextafter = math.nextafter if sys.version_info >= (3, 12) else pure_nextafter
