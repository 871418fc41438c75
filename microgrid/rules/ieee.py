"""The float functions made total: where Python raises an error they return inf or nan.

`TOTAL` maps each name to a function that never raises on floats. At poles, on overflow and outside of the domain it
returns what IEEE 754, C99 (Annex F) and PyTorch do. Mistakes that are no matter of floats still raise: sequences of
different lengths, `logsumexp` of nothing, an order of `polygamma` that is not an integer.

>>> TOTAL["log"](0.0), TOTAL["log"](-1.0), TOTAL["exp"](1000.0), TOTAL["div"](-1.0, 0.0)
(-inf, nan, inf, -inf)
"""

from __future__ import annotations

import math
import operator

from microgrid.rules import newer_math, special

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Function = Callable[..., Any]


def total(function: Function, outside: Function, overflow: Function | None = None) -> Function:
    """Return `function`, but for the value of `outside` or `overflow` at its arguments where it raises.

    Args:
        function: what is called first.
        outside: gives the result where `function` raises ValueError or ZeroDivisionError.
        overflow: gives the result where it raises OverflowError; `outside` unless given.

    >>> total(math.sqrt, undefined)(-1.0)
    nan
    """
    on_overflow = overflow or outside

    def totalised(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (ValueError, ZeroDivisionError):
            return outside(*arguments)
        except OverflowError:
            return on_overflow(*arguments)

    totalised.__name__ = totalised.__qualname__ = function.__name__
    totalised.__doc__ = f"Return what `{function.__name__}` returns, and inf or nan where it raises."
    return totalised


def undefined(*arguments: float) -> float:
    """Return nan."""
    return math.nan


def infinite(*arguments: float) -> float:
    """Return inf."""
    return math.inf


def minus_infinite(*arguments: float) -> float:
    """Return -inf."""
    return -math.inf


def infinite_as(x: float, *others: float) -> float:
    """Return inf with the sign of x."""
    return math.copysign(math.inf, x)


def pole(place: float, limit: Function) -> Function:
    """Return a function that is `limit` at plus and minus `place`, and nan elsewhere."""
    return lambda x: limit(x) if abs(x) == place else math.nan


def quotient_by_zero(x: float, y: float) -> float:
    """Return inf with the signs of x and the zero y, or nan if x is zero too."""
    return x * math.copysign(math.inf, y)


def power_limit(x: float, y: float) -> float:
    """Return x ** y where Python raises: nan where it is complex, else infinite, negative in odd powers."""
    if x < 0 and y % 1:
        return math.nan
    return math.copysign(math.inf, x) if y % 2 == 1 else math.inf


def fma_overflow(x: float, y: float, z: float) -> float:
    """Return inf with the sign of x * y + z."""
    return math.copysign(math.inf, x * y + z)


def fsum_overflow(xs: Iterable[float]) -> float:
    """Return the sum of xs, whose parts are too large for a float, and perhaps the sum itself."""
    from fractions import Fraction

    xs = list(xs)
    if not all(map(math.isfinite, xs)):
        return sum(x for x in xs if not math.isfinite(x))
    exact = sum(map(Fraction, xs))
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def polygamma_limit(n: float, x: float) -> float:
    """Return polygamma(n, x) at a pole or so near that it overflows: infinite, nan where the sides differ in sign.

    The zeros know their side.
    """
    special.polygamma(n, math.nan)  # an order that is not an integer still raises
    if x == -math.inf:
        return math.nan
    if n % 2:
        return math.inf
    if x < 0 and x % 1 == 0:
        return math.nan
    return math.copysign(math.inf, -x if x > 0 else -math.remainder(x, 1.0))


# What each function gives outside of its domain, and if need be on overflow.
TOTAL: dict[str, Function] = {
    # operators
    "div": total(operator.truediv, quotient_by_zero),
    "floordiv": total(operator.floordiv, quotient_by_zero),
    "mod": total(operator.mod, undefined),
    "power": total(special.power, power_limit),
    "fma": total(newer_math.fma, undefined, fma_overflow),
    # exponentials and logarithms
    "exp": total(math.exp, infinite),
    "exp2": total(math.exp2, infinite),
    "expm1": total(math.expm1, infinite),
    "log": total(math.log, pole(0, minus_infinite)),
    "log1p": total(math.log1p, pole(1, minus_infinite)),
    "log2": total(math.log2, pole(0, minus_infinite)),
    "log10": total(math.log10, pole(0, minus_infinite)),
    "sqrt": total(math.sqrt, undefined),
    "cbrt": math.cbrt,
    # angles
    "sin": total(math.sin, undefined),
    "cos": total(math.cos, undefined),
    "tan": total(math.tan, undefined),
    "asin": total(math.asin, undefined),
    "acos": total(math.acos, undefined),
    "atan": math.atan,
    "atan2": math.atan2,
    "hypot": math.hypot,
    "degrees": math.degrees,
    "radians": math.radians,
    # hyperbolic functions
    "sinh": total(math.sinh, infinite_as),
    "cosh": total(math.cosh, infinite),
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": total(math.acosh, undefined),
    "atanh": total(math.atanh, pole(1, infinite_as)),
    # special functions
    "erf": math.erf,
    "erfc": math.erfc,
    "gamma": total(math.gamma, pole(0, infinite_as), infinite_as),
    "lgamma": total(math.lgamma, infinite),
    "digamma": total(special.digamma, lambda x: polygamma_limit(0, x)),
    "polygamma": total(special.polygamma, polygamma_limit),
    # pieces of numbers
    "copysign": math.copysign,
    "fmod": total(math.fmod, undefined),
    "remainder": total(math.remainder, undefined),
    "ldexp": total(math.ldexp, infinite_as),
    # sums and products
    "fsum": total(math.fsum, undefined, fsum_overflow),
    "prod": math.prod,
    "sumprod": newer_math.sumprod,
    "logsumexp": special.logsumexp,
    "logaddexp": special.logaddexp,
    # activations
    "sigmoid": special.sigmoid,
    "logsigmoid": special.logsigmoid,
    "softplus": special.softplus,
    "silu": special.silu,
    "gelu": special.gelu,
}
