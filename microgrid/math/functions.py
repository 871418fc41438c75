# Made by `make generate` from the calculus table: change `rules/table.py`, and make it again.
# mypy: disable-error-code="overload-overlap"
"""Every row of the calculus table as a function: numbers in, number out; any `Value` in, `Value` out.

`microgrid.math` is the module to import them from.
"""

from __future__ import annotations

from math import acos as number_acos
from math import acosh as number_acosh
from math import asin as number_asin
from math import asinh as number_asinh
from math import atan as number_atan
from math import atan2 as number_atan2
from math import atanh as number_atanh
from math import cbrt as number_cbrt
from math import copysign as number_copysign
from math import cos as number_cos
from math import cosh as number_cosh
from math import degrees as number_degrees
from math import erf as number_erf
from math import erfc as number_erfc
from math import exp as number_exp
from math import exp2 as number_exp2
from math import expm1 as number_expm1
from math import fmod as number_fmod
from math import fsum as number_fsum
from math import gamma as number_gamma
from math import hypot as number_hypot
from math import ldexp as number_ldexp
from math import lgamma as number_lgamma
from math import log as number_log
from math import log1p as number_log1p
from math import log2 as number_log2
from math import log10 as number_log10
from math import prod as number_prod
from math import radians as number_radians
from math import remainder as number_remainder
from math import sin as number_sin
from math import sinh as number_sinh
from math import sqrt as number_sqrt
from math import tan as number_tan
from math import tanh as number_tanh
from sys import modules

from microgrid.engine.messages import check_sequences
from microgrid.engine.modes import observe, observers
from microgrid.engine.node import new
from microgrid.engine.operations import operation
from microgrid.engine.recording import UNEXPECTED, apply, has_value
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.rules.newer_math import fma as number_fma
from microgrid.rules.newer_math import sumprod as number_sumprod
from microgrid.rules.table import RULES

TYPE_CHECKING: bool = False  # not known to be false: jedi would skip what is under it
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsFloat, SupportsIndex, TypeAlias, overload

    Number: TypeAlias = SupportsFloat | SupportsIndex

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`
COMPUTES = marks.COMPUTES  # with plain numbers: see `Value.__float__`

dot_ws = operation("dot", (True, False, False))
dot_wsxs = operation("dot", (True, True, False))
dot_wsb = operation("dot", (True, False, True))
dot_wsxsb = operation("dot", (True, True, True))


if TYPE_CHECKING:

    @overload
    def add(x: Value, y: Number, /) -> Value: ...
    @overload
    def add(x: Number, y: Value, /) -> Value: ...
    @overload
    def add(x: Number, y: Number, /) -> float: ...


def add(x: Any, y: Any, /) -> Any:
    """Return `x + y`: sum.

    The partial by x is `1`, by y is `1`.

    >>> from microgrid import Value
    >>> add(Value(0.5), 0.25).data == add(0.5, 0.25)
    True
    """
    return apply(RULES["add"], x, y)


if TYPE_CHECKING:

    @overload
    def sub(x: Value, y: Number, /) -> Value: ...
    @overload
    def sub(x: Number, y: Value, /) -> Value: ...
    @overload
    def sub(x: Number, y: Number, /) -> float: ...


def sub(x: Any, y: Any, /) -> Any:
    """Return `x - y`: difference.

    The partial by x is `1`, by y is `-1`.

    >>> from microgrid import Value
    >>> sub(Value(0.5), 0.25).data == sub(0.5, 0.25)
    True
    """
    return apply(RULES["sub"], x, y)


if TYPE_CHECKING:

    @overload
    def mul(x: Value, y: Number, /) -> Value: ...
    @overload
    def mul(x: Number, y: Value, /) -> Value: ...
    @overload
    def mul(x: Number, y: Number, /) -> float: ...


def mul(x: Any, y: Any, /) -> Any:
    """Return `x * y`: product.

    The partial by x is `y`, by y is `x`.

    >>> from microgrid import Value
    >>> mul(Value(0.5), 0.25).data == mul(0.5, 0.25)
    True
    """
    return apply(RULES["mul"], x, y)


if TYPE_CHECKING:

    @overload
    def div(x: Value, y: Number, /) -> Value: ...
    @overload
    def div(x: Number, y: Value, /) -> Value: ...
    @overload
    def div(x: Number, y: Number, /) -> float: ...


def div(x: Any, y: Any, /) -> Any:
    """Return `x / y`: quotient.

    The partial by x is `1 / y`, by y is `-out / y`. It is defined and smooth where `y != 0`.

    >>> from microgrid import Value
    >>> div(Value(0.5), 0.25).data == div(0.5, 0.25)
    True
    """
    return apply(RULES["div"], x, y)


if TYPE_CHECKING:

    @overload
    def floordiv(x: Value, y: Number, /) -> Value: ...
    @overload
    def floordiv(x: Number, y: Value, /) -> Value: ...
    @overload
    def floordiv(x: Number, y: Number, /) -> float: ...


def floordiv(x: Any, y: Any, /) -> Any:
    """Return `floordiv(x, y)`: quotient rounded down.

    The partial by x is `0`, by y is `0`. It is defined and smooth where `y != 0 and x % y != 0`.

    >>> from microgrid import Value
    >>> floordiv(Value(0.5), 0.25).data == floordiv(0.5, 0.25)
    True
    """
    return apply(RULES["floordiv"], x, y)


if TYPE_CHECKING:

    @overload
    def mod(x: Value, y: Number, /) -> Value: ...
    @overload
    def mod(x: Number, y: Value, /) -> Value: ...
    @overload
    def mod(x: Number, y: Number, /) -> float: ...


def mod(x: Any, y: Any, /) -> Any:
    """Return `x % y`: remainder with the sign of y.

    The partial by x is `1`, by y is `-(x // y)`. It is defined and smooth where `y != 0 and x % y != 0`.

    >>> from microgrid import Value
    >>> mod(Value(0.5), 0.25).data == mod(0.5, 0.25)
    True
    """
    return apply(RULES["mod"], x, y)


if TYPE_CHECKING:

    @overload
    def pow(x: Value, y: Number, /) -> Value: ...
    @overload
    def pow(x: Number, y: Value, /) -> Value: ...
    @overload
    def pow(x: Number, y: Number, /) -> float: ...


def pow(x: Any, y: Any, /) -> Any:
    """Return `power(x, y)`: power.

    The partial by x is `y * x ** (y - where(y * (y - 1), 1, step(abs(x) / 2 ** 51 + y)))`,
    by y is `out * log(x + (1 - step(abs(x))))`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> pow(Value(0.5), 0.25).data == pow(0.5, 0.25)
    True
    """
    return apply(RULES["pow"], x, y)


if TYPE_CHECKING:

    @overload
    def identity(x: Value, /) -> Value: ...
    @overload
    def identity(x: Number, /) -> float: ...


def identity(x: Any, /) -> Any:
    """Return `x`: the number itself.

    The partial by x is `1`.

    >>> from microgrid import Value
    >>> identity(Value(0.5)).data == identity(0.5)
    True
    """
    if isinstance(x, Value):
        return x.identity()
    return apply(RULES["identity"], x)


if TYPE_CHECKING:

    @overload
    def neg(x: Value, /) -> Value: ...
    @overload
    def neg(x: Number, /) -> float: ...


def neg(x: Any, /) -> Any:
    """Return `-x`: negative.

    The partial by x is `-1`.

    >>> from microgrid import Value
    >>> neg(Value(0.5)).data == neg(0.5)
    True
    """
    if isinstance(x, Value):
        return x.neg()
    return apply(RULES["neg"], x)


if TYPE_CHECKING:

    @overload
    def abs(x: Value, /) -> Value: ...
    @overload
    def abs(x: Number, /) -> float: ...


def abs(x: Any, /) -> Any:
    """Return `abs(x)`: absolute value.

    The partial by x is `sign(x)`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> abs(Value(0.5)).data == abs(0.5)
    True
    """
    if isinstance(x, Value):
        return x.abs()
    return apply(RULES["abs"], x)


if TYPE_CHECKING:

    @overload
    def fma(x: Value, y: Number, z: Number, /) -> Value: ...
    @overload
    def fma(x: Number, y: Value, z: Number, /) -> Value: ...
    @overload
    def fma(x: Number, y: Number, z: Value, /) -> Value: ...
    @overload
    def fma(x: Number, y: Number, z: Number, /) -> float: ...


def fma(x: Any, y: Any, z: Any, /) -> Any:
    """Return `fma(x, y, z)`: x * y + z, rounded once.

    The partial by x is `y`, by y is `x`, by z is `1`.

    >>> from microgrid import Value
    >>> fma(Value(0.5), 0.25, 2.0).data == fma(0.5, 0.25, 2.0)
    True
    """
    if isinstance(x, Value) or isinstance(y, Value) or isinstance(z, Value):
        return apply(RULES["fma"], x, y, z)
    return number_fma(x, y, z)


if TYPE_CHECKING:

    @overload
    def exp(x: Value, /) -> Value: ...
    @overload
    def exp(x: Number, /) -> float: ...


def exp(x: Any, /) -> Any:
    """Return `exp(x)`: e to the power x.

    The partial by x is `out`.

    >>> from microgrid import Value
    >>> exp(Value(0.5)).data == exp(0.5)
    True
    """
    if isinstance(x, Value):
        return x.exp()
    return number_exp(x)


if TYPE_CHECKING:

    @overload
    def exp2(x: Value, /) -> Value: ...
    @overload
    def exp2(x: Number, /) -> float: ...


def exp2(x: Any, /) -> Any:
    """Return `exp2(x)`: 2 to the power x.

    The partial by x is `out * log(2)`.

    >>> from microgrid import Value
    >>> exp2(Value(0.5)).data == exp2(0.5)
    True
    """
    if isinstance(x, Value):
        return x.exp2()
    return number_exp2(x)


if TYPE_CHECKING:

    @overload
    def expm1(x: Value, /) -> Value: ...
    @overload
    def expm1(x: Number, /) -> float: ...


def expm1(x: Any, /) -> Any:
    """Return `expm1(x)`: exp(x) - 1, exact near 0.

    The partial by x is `exp(x)`.

    >>> from microgrid import Value
    >>> expm1(Value(0.5)).data == expm1(0.5)
    True
    """
    if isinstance(x, Value):
        return x.expm1()
    return number_expm1(x)


if TYPE_CHECKING:

    @overload
    def log(x: Value, /) -> Value: ...
    @overload
    def log(x: Number, /) -> float: ...


def log(x: Any, /) -> Any:
    """Return `log(x)`: natural logarithm.

    The partial by x is `1 / x`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> log(Value(0.5)).data == log(0.5)
    True
    """
    if isinstance(x, Value):
        return x.log()
    return number_log(x)


if TYPE_CHECKING:

    @overload
    def log1p(x: Value, /) -> Value: ...
    @overload
    def log1p(x: Number, /) -> float: ...


def log1p(x: Any, /) -> Any:
    """Return `log1p(x)`: log(1 + x), exact near 0.

    The partial by x is `1 / (1 + x)`. It is defined and smooth where `x > -1`.

    >>> from microgrid import Value
    >>> log1p(Value(0.5)).data == log1p(0.5)
    True
    """
    if isinstance(x, Value):
        return x.log1p()
    return number_log1p(x)


if TYPE_CHECKING:

    @overload
    def log2(x: Value, /) -> Value: ...
    @overload
    def log2(x: Number, /) -> float: ...


def log2(x: Any, /) -> Any:
    """Return `log2(x)`: logarithm to base 2.

    The partial by x is `1 / log(2) / x`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> log2(Value(0.5)).data == log2(0.5)
    True
    """
    if isinstance(x, Value):
        return x.log2()
    return number_log2(x)


if TYPE_CHECKING:

    @overload
    def log10(x: Value, /) -> Value: ...
    @overload
    def log10(x: Number, /) -> float: ...


def log10(x: Any, /) -> Any:
    """Return `log10(x)`: logarithm to base 10.

    The partial by x is `1 / log(10) / x`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> log10(Value(0.5)).data == log10(0.5)
    True
    """
    if isinstance(x, Value):
        return x.log10()
    return number_log10(x)


if TYPE_CHECKING:

    @overload
    def sqrt(x: Value, /) -> Value: ...
    @overload
    def sqrt(x: Number, /) -> float: ...


def sqrt(x: Any, /) -> Any:
    """Return `sqrt(x)`: square root.

    The partial by x is `1 / (2 * out)`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> sqrt(Value(0.5)).data == sqrt(0.5)
    True
    """
    if isinstance(x, Value):
        return x.sqrt()
    return number_sqrt(x)


if TYPE_CHECKING:

    @overload
    def cbrt(x: Value, /) -> Value: ...
    @overload
    def cbrt(x: Number, /) -> float: ...


def cbrt(x: Any, /) -> Any:
    """Return `cbrt(x)`: cube root.

    The partial by x is `1 / 3 / out / out`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> cbrt(Value(0.5)).data == cbrt(0.5)
    True
    """
    if isinstance(x, Value):
        return x.cbrt()
    return number_cbrt(x)


if TYPE_CHECKING:

    @overload
    def sin(x: Value, /) -> Value: ...
    @overload
    def sin(x: Number, /) -> float: ...


def sin(x: Any, /) -> Any:
    """Return `sin(x)`: sine.

    The partial by x is `cos(x)`.

    >>> from microgrid import Value
    >>> sin(Value(0.5)).data == sin(0.5)
    True
    """
    if isinstance(x, Value):
        return x.sin()
    return number_sin(x)


if TYPE_CHECKING:

    @overload
    def cos(x: Value, /) -> Value: ...
    @overload
    def cos(x: Number, /) -> float: ...


def cos(x: Any, /) -> Any:
    """Return `cos(x)`: cosine.

    The partial by x is `-sin(x)`.

    >>> from microgrid import Value
    >>> cos(Value(0.5)).data == cos(0.5)
    True
    """
    if isinstance(x, Value):
        return x.cos()
    return number_cos(x)


if TYPE_CHECKING:

    @overload
    def tan(x: Value, /) -> Value: ...
    @overload
    def tan(x: Number, /) -> float: ...


def tan(x: Any, /) -> Any:
    """Return `tan(x)`: tangent.

    The partial by x is `1 + out * out`.

    >>> from microgrid import Value
    >>> tan(Value(0.5)).data == tan(0.5)
    True
    """
    if isinstance(x, Value):
        return x.tan()
    return number_tan(x)


if TYPE_CHECKING:

    @overload
    def asin(x: Value, /) -> Value: ...
    @overload
    def asin(x: Number, /) -> float: ...


def asin(x: Any, /) -> Any:
    """Return `asin(x)`: inverse sine.

    The partial by x is `1 / sqrt((1 - x) * (1 + x))`. It is defined and smooth where `-1 < x < 1`.

    >>> from microgrid import Value
    >>> asin(Value(0.5)).data == asin(0.5)
    True
    """
    if isinstance(x, Value):
        return x.asin()
    return number_asin(x)


if TYPE_CHECKING:

    @overload
    def acos(x: Value, /) -> Value: ...
    @overload
    def acos(x: Number, /) -> float: ...


def acos(x: Any, /) -> Any:
    """Return `acos(x)`: inverse cosine.

    The partial by x is `-1 / sqrt((1 - x) * (1 + x))`. It is defined and smooth where `-1 < x < 1`.

    >>> from microgrid import Value
    >>> acos(Value(0.5)).data == acos(0.5)
    True
    """
    if isinstance(x, Value):
        return x.acos()
    return number_acos(x)


if TYPE_CHECKING:

    @overload
    def atan(x: Value, /) -> Value: ...
    @overload
    def atan(x: Number, /) -> float: ...


def atan(x: Any, /) -> Any:
    """Return `atan(x)`: inverse tangent.

    The partial by x is `1 / (1 + x * x)`.

    >>> from microgrid import Value
    >>> atan(Value(0.5)).data == atan(0.5)
    True
    """
    if isinstance(x, Value):
        return x.atan()
    return number_atan(x)


if TYPE_CHECKING:

    @overload
    def atan2(y: Value, x: Number, /) -> Value: ...
    @overload
    def atan2(y: Number, x: Value, /) -> Value: ...
    @overload
    def atan2(y: Number, x: Number, /) -> float: ...


def atan2(y: Any, x: Any, /) -> Any:
    """Return `atan2(y, x)`: angle of the point (x, y).

    The partial by y is `x / maximum(hypot(x, y), ulp(0)) / maximum(hypot(x, y), ulp(0))`,
    by x is `-y / maximum(hypot(x, y), ulp(0)) / maximum(hypot(x, y), ulp(0))`.
    It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> atan2(Value(0.25), 0.5).data == atan2(0.25, 0.5)
    True
    """
    if isinstance(y, Value) or isinstance(x, Value):
        return apply(RULES["atan2"], y, x)
    return number_atan2(y, x)


if TYPE_CHECKING:

    @overload
    def degrees(x: Value, /) -> Value: ...
    @overload
    def degrees(x: Number, /) -> float: ...


def degrees(x: Any, /) -> Any:
    """Return `degrees(x)`: radians to degrees.

    The partial by x is `180 / pi`.

    >>> from microgrid import Value
    >>> degrees(Value(0.5)).data == degrees(0.5)
    True
    """
    if isinstance(x, Value):
        return x.degrees()
    return number_degrees(x)


if TYPE_CHECKING:

    @overload
    def radians(x: Value, /) -> Value: ...
    @overload
    def radians(x: Number, /) -> float: ...


def radians(x: Any, /) -> Any:
    """Return `radians(x)`: degrees to radians.

    The partial by x is `pi / 180`.

    >>> from microgrid import Value
    >>> radians(Value(0.5)).data == radians(0.5)
    True
    """
    if isinstance(x, Value):
        return x.radians()
    return number_radians(x)


if TYPE_CHECKING:

    @overload
    def sinh(x: Value, /) -> Value: ...
    @overload
    def sinh(x: Number, /) -> float: ...


def sinh(x: Any, /) -> Any:
    """Return `sinh(x)`: hyperbolic sine.

    The partial by x is `cosh(x)`.

    >>> from microgrid import Value
    >>> sinh(Value(0.5)).data == sinh(0.5)
    True
    """
    if isinstance(x, Value):
        return x.sinh()
    return number_sinh(x)


if TYPE_CHECKING:

    @overload
    def cosh(x: Value, /) -> Value: ...
    @overload
    def cosh(x: Number, /) -> float: ...


def cosh(x: Any, /) -> Any:
    """Return `cosh(x)`: hyperbolic cosine.

    The partial by x is `sinh(x)`.

    >>> from microgrid import Value
    >>> cosh(Value(0.5)).data == cosh(0.5)
    True
    """
    if isinstance(x, Value):
        return x.cosh()
    return number_cosh(x)


if TYPE_CHECKING:

    @overload
    def tanh(x: Value, /) -> Value: ...
    @overload
    def tanh(x: Number, /) -> float: ...


def tanh(x: Any, /) -> Any:
    """Return `tanh(x)`: hyperbolic tangent.

    The partial by x is `1 - out * out`.

    >>> from microgrid import Value
    >>> tanh(Value(0.5)).data == tanh(0.5)
    True
    """
    if isinstance(x, Value):
        return x.tanh()
    return number_tanh(x)


if TYPE_CHECKING:

    @overload
    def asinh(x: Value, /) -> Value: ...
    @overload
    def asinh(x: Number, /) -> float: ...


def asinh(x: Any, /) -> Any:
    """Return `asinh(x)`: inverse hyperbolic sine.

    The partial by x is `1 / hypot(x, 1)`.

    >>> from microgrid import Value
    >>> asinh(Value(0.5)).data == asinh(0.5)
    True
    """
    if isinstance(x, Value):
        return x.asinh()
    return number_asinh(x)


if TYPE_CHECKING:

    @overload
    def acosh(x: Value, /) -> Value: ...
    @overload
    def acosh(x: Number, /) -> float: ...


def acosh(x: Any, /) -> Any:
    """Return `acosh(x)`: inverse hyperbolic cosine.

    The partial by x is `1 / (sqrt(x - 1) * sqrt(x + 1))`. It is defined and smooth where `x > 1`.

    >>> from microgrid import Value
    >>> acosh(Value(1.5)).data == acosh(1.5)
    True
    """
    if isinstance(x, Value):
        return x.acosh()
    return number_acosh(x)


if TYPE_CHECKING:

    @overload
    def atanh(x: Value, /) -> Value: ...
    @overload
    def atanh(x: Number, /) -> float: ...


def atanh(x: Any, /) -> Any:
    """Return `atanh(x)`: inverse hyperbolic tangent.

    The partial by x is `1 / ((1 - x) * (1 + x))`. It is defined and smooth where `-1 < x < 1`.

    >>> from microgrid import Value
    >>> atanh(Value(0.5)).data == atanh(0.5)
    True
    """
    if isinstance(x, Value):
        return x.atanh()
    return number_atanh(x)


if TYPE_CHECKING:

    @overload
    def erf(x: Value, /) -> Value: ...
    @overload
    def erf(x: Number, /) -> float: ...


def erf(x: Any, /) -> Any:
    """Return `erf(x)`: error function.

    The partial by x is `2 / sqrt(pi) * exp(-x * x)`.

    >>> from microgrid import Value
    >>> erf(Value(0.5)).data == erf(0.5)
    True
    """
    if isinstance(x, Value):
        return x.erf()
    return number_erf(x)


if TYPE_CHECKING:

    @overload
    def erfc(x: Value, /) -> Value: ...
    @overload
    def erfc(x: Number, /) -> float: ...


def erfc(x: Any, /) -> Any:
    """Return `erfc(x)`: 1 - erf(x), exact for large x.

    The partial by x is `-2 / sqrt(pi) * exp(-x * x)`.

    >>> from microgrid import Value
    >>> erfc(Value(0.5)).data == erfc(0.5)
    True
    """
    if isinstance(x, Value):
        return x.erfc()
    return number_erfc(x)


if TYPE_CHECKING:

    @overload
    def gamma(x: Value, /) -> Value: ...
    @overload
    def gamma(x: Number, /) -> float: ...


def gamma(x: Any, /) -> Any:
    """Return `gamma(x)`: gamma function.

    The partial by x is `out * digamma(x)`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> gamma(Value(0.5)).data == gamma(0.5)
    True
    """
    if isinstance(x, Value):
        return x.gamma()
    return number_gamma(x)


if TYPE_CHECKING:

    @overload
    def lgamma(x: Value, /) -> Value: ...
    @overload
    def lgamma(x: Number, /) -> float: ...


def lgamma(x: Any, /) -> Any:
    """Return `lgamma(x)`: log(abs(gamma(x))).

    The partial by x is `digamma(x)`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> lgamma(Value(0.5)).data == lgamma(0.5)
    True
    """
    if isinstance(x, Value):
        return x.lgamma()
    return number_lgamma(x)


if TYPE_CHECKING:

    @overload
    def digamma(x: Value, /) -> Value: ...
    @overload
    def digamma(x: Number, /) -> float: ...


def digamma(x: Any, /) -> Any:
    """Return `digamma(x)`: derivative of lgamma.

    The partial by x is `polygamma(1, x)`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> digamma(Value(0.5)).data == digamma(0.5)
    True
    """
    if isinstance(x, Value):
        return x.digamma()
    return apply(RULES["digamma"], x)


if TYPE_CHECKING:

    @overload
    def polygamma(n: int, x: Value, /) -> Value: ...
    @overload
    def polygamma(n: int, x: Number, /) -> float: ...


def polygamma(n: Any, x: Any, /) -> Any:
    """Return `polygamma(n, x)`: n-th derivative of digamma.

    The partial by x is `polygamma(n + 1, x)`. It is defined and smooth where `x > 0`.

    >>> from microgrid import Value
    >>> polygamma(2, Value(0.5)).data == polygamma(2, 0.5)
    True
    """
    return apply(RULES["polygamma"], n, x)


if TYPE_CHECKING:

    @overload
    def copysign(x: Value, y: Number, /) -> Value: ...
    @overload
    def copysign(x: Number, y: Value, /) -> Value: ...
    @overload
    def copysign(x: Number, y: Number, /) -> float: ...


def copysign(x: Any, y: Any, /) -> Any:
    """Return `copysign(x, y)`: magnitude of x, sign of y.

    The partial by x is `sign(x) * copysign(1, y)`, by y is `0`.
    It is defined and smooth where `x != 0 and y != 0`.

    >>> from microgrid import Value
    >>> copysign(Value(0.5), 0.25).data == copysign(0.5, 0.25)
    True
    """
    if isinstance(x, Value) or isinstance(y, Value):
        return apply(RULES["copysign"], x, y)
    return number_copysign(x, y)


if TYPE_CHECKING:

    @overload
    def fmod(x: Value, y: Number, /) -> Value: ...
    @overload
    def fmod(x: Number, y: Value, /) -> Value: ...
    @overload
    def fmod(x: Number, y: Number, /) -> float: ...


def fmod(x: Any, y: Any, /) -> Any:
    """Return `fmod(x, y)`: remainder with the sign of x.

    The partial by x is `1`, by y is `-(((x - out) / y + 1 / 2) // 1)`.
    It is defined and smooth where `y != 0 and x % y != 0`.

    >>> from microgrid import Value
    >>> fmod(Value(0.5), 0.25).data == fmod(0.5, 0.25)
    True
    """
    if isinstance(x, Value) or isinstance(y, Value):
        return apply(RULES["fmod"], x, y)
    return number_fmod(x, y)


if TYPE_CHECKING:

    @overload
    def remainder(x: Value, y: Number, /) -> Value: ...
    @overload
    def remainder(x: Number, y: Value, /) -> Value: ...
    @overload
    def remainder(x: Number, y: Number, /) -> float: ...


def remainder(x: Any, y: Any, /) -> Any:
    """Return `remainder(x, y)`: x minus the nearest multiple of y.

    The partial by x is `1`, by y is `-(((x - out) / y + 1 / 2) // 1)`.
    It is defined and smooth where `y != 0 and (x / y + 1 / 2) % 1 != 0`.

    >>> from microgrid import Value
    >>> remainder(Value(0.5), 0.25).data == remainder(0.5, 0.25)
    True
    """
    if isinstance(x, Value) or isinstance(y, Value):
        return apply(RULES["remainder"], x, y)
    return number_remainder(x, y)


if TYPE_CHECKING:

    @overload
    def ldexp(x: Value, i: int, /) -> Value: ...
    @overload
    def ldexp(x: Number, i: int, /) -> float: ...


def ldexp(x: Any, i: Any, /) -> Any:
    """Return `ldexp(x, i)`: x * 2**i.

    The partial by x is `ldexp(1, i)`.

    >>> from microgrid import Value
    >>> ldexp(Value(0.5), 3).data == ldexp(0.5, 3)
    True
    """
    if isinstance(x, Value) or isinstance(i, Value):
        return apply(RULES["ldexp"], x, i)
    return number_ldexp(x, i)


if TYPE_CHECKING:

    @overload
    def round(x: Value, ndigits: int, /) -> Value: ...
    @overload
    def round(x: Number, ndigits: int, /) -> float: ...


def round(x: Any, ndigits: Any, /) -> Any:
    """Return `round(x, ndigits)`: rounded to so many decimals.

    The partial by x is `0`. It is defined and smooth where `(x * 10 ** ndigits + 1 / 2) % 1 != 0`.

    >>> from microgrid import Value
    >>> round(Value(0.5), 1).data == round(0.5, 1)
    True
    """
    if isinstance(x, Value):
        return x.round(ndigits)
    return apply(RULES["round"], x, ndigits)


if TYPE_CHECKING:

    @overload
    def total(xs: Iterable[float], /, start: float = 0.0) -> float: ...
    @overload
    def total(xs: Iterable[Value | float], /, start: Value | float = 0.0) -> Value: ...


def total(xs: Any, /, start: Any = 0.0) -> Any:
    """Return start plus the sum, plainly from left to right.

    The partial by x is `1`, by start is `1`.

    >>> from microgrid import Value
    >>> total([Value(0.5), 2.0]).data == total([0.5, 2.0])
    True
    """
    try:
        xs = tuple(xs)
    except TypeError:
        check_sequences("total", xs)
        raise
    return apply(RULES["total"], xs, start)


if TYPE_CHECKING:

    @overload
    def fsum(xs: Iterable[float], /) -> float: ...
    @overload
    def fsum(xs: Iterable[Value | float], /) -> Value: ...


def fsum(xs: Any, /) -> Any:
    """Return `fsum(xs)`: sum, rounded once.

    The partial by x is `1`.

    >>> from microgrid import Value
    >>> fsum([Value(0.5), 2.0]).data == fsum([0.5, 2.0])
    True
    """
    try:
        xs = tuple(xs)
    except TypeError:
        check_sequences("fsum", xs)
        raise
    if has_value(xs):
        return apply(RULES["fsum"], xs)
    return number_fsum(xs)


if TYPE_CHECKING:

    @overload
    def mean(xs: Iterable[float], /) -> float: ...
    @overload
    def mean(xs: Iterable[Value | float], /) -> Value: ...


def mean(xs: Any, /) -> Any:
    """Return `fsum(xs) / n`: arithmetic mean.

    The partial by x is `1 / n`. It is defined and smooth where `n > 0`.

    >>> from microgrid import Value
    >>> mean([Value(0.5), 2.0]).data == mean([0.5, 2.0])
    True
    """
    try:
        xs = tuple(xs)
    except TypeError:
        check_sequences("mean", xs)
        raise
    return apply(RULES["mean"], xs)


if TYPE_CHECKING:

    @overload
    def prod(xs: Iterable[float], /, *, start: float = 1) -> float: ...
    @overload
    def prod(xs: Iterable[Value | float], /, *, start: float = 1) -> Value: ...


def prod(xs: Any, /, *, start: Any = 1) -> Any:
    """Return `prod(xs, start=start)`: product.

    The partial by xs is `cofactors(xs, start)`.

    >>> from microgrid import Value
    >>> prod([Value(0.5), 2.0]).data == prod([0.5, 2.0])
    True
    """
    try:
        xs = tuple(xs)
    except TypeError:
        check_sequences("prod", xs)
        raise
    if has_value(xs) or isinstance(start, Value):
        return apply(RULES["prod"], xs, start)
    return number_prod(xs, start=start)


if TYPE_CHECKING:

    @overload
    def sumprod(ps: Iterable[float], qs: Iterable[float], /) -> float: ...
    @overload
    def sumprod(ps: Iterable[Value | float], qs: Iterable[Value | float], /) -> Value: ...


def sumprod(ps: Any, qs: Any, /) -> Any:
    """Return `sumprod(ps, qs)`: sum of products, in extended precision.

    The partial by p is `q`, by q is `p`.

    >>> from microgrid import Value
    >>> sumprod([Value(0.5), 2.0], [0.5, 2.0]).data == sumprod([0.5, 2.0], [0.5, 2.0])
    True
    """
    try:
        ps, qs = tuple(ps), tuple(qs)
    except TypeError:
        check_sequences("sumprod", ps, qs)
        raise
    if has_value(ps) or has_value(qs):
        return apply(RULES["sumprod"], ps, qs)
    return number_sumprod(ps, qs)


if TYPE_CHECKING:

    @overload
    def dot(ws: Iterable[float], xs: Iterable[float], /, b: float = 0.0) -> float: ...
    @overload
    def dot(ws: Iterable[Value | float], xs: Iterable[Value | float], /, b: Value | float = 0.0) -> Value: ...


def dot(ws: Any, xs: Any, /, b: Any = 0.0) -> Any:
    """Return b plus the sum of products, plainly from left to right.

    The partial by w is `x`, by x is `w`, by b is `1`.

    >>> from microgrid import Value
    >>> dot([Value(0.5), 2.0], [0.5, 2.0]).data == dot([0.5, 2.0], [0.5, 2.0])
    True
    """
    try:
        ws, xs = tuple(ws), tuple(xs)
    except TypeError:
        check_sequences("dot", ws, xs)
        raise
    node = new(Value)
    try:
        starts = isinstance(b, Value)
        out = b.data if starts else b
        if isinstance(xs[0], Value):
            for w, x in zip(ws, xs):
                out = out + w.data * x.data
            node.op, node._x, node._y = (dot_wsxsb, (ws, xs, b), None) if starts else (dot_wsxs, (ws, xs), b)
        else:
            for w, x in zip(ws, xs):
                out = out + w.data * x
            node.op, node._x, node._y = (dot_wsb, (ws, b), xs) if starts else (dot_ws, (ws,), (xs, b))
    except UNEXPECTED:
        out = None
    if type(out) is not float or len(ws) != len(xs):  # another mixture of nodes and numbers, or an error
        return apply(RULES["dot"], ws, xs, b)
    node.data = out
    node.grad = 0.0
    node.label = ""
    return observe(node) if observers else node


if TYPE_CHECKING:

    @overload
    def hypot(*xs: float) -> float: ...
    @overload
    def hypot(*xs: Value | float) -> Value: ...


def hypot(*xs: Any) -> Any:
    """Return `hypot(*xs)`: Euclidean length.

    The partial by x is `x / out`. It is defined and smooth where `any(xs)`.

    >>> from microgrid import Value
    >>> hypot(Value(0.5), 2.0).data == hypot(0.5, 2.0)
    True
    """
    if has_value(xs):
        return apply(RULES["hypot"], xs)
    return number_hypot(*xs)


if TYPE_CHECKING:

    @overload
    def logsumexp(xs: Iterable[float], /) -> float: ...
    @overload
    def logsumexp(xs: Iterable[Value | float], /) -> Value: ...


def logsumexp(xs: Any, /) -> Any:
    """Return `logsumexp(xs)`: log of the sum of exp(x).

    The partial by xs is `normalised([exp(d) for d in shifted(xs)])`. It is defined and smooth where `n > 0`.

    >>> from microgrid import Value
    >>> logsumexp([Value(0.5), 2.0]).data == logsumexp([0.5, 2.0])
    True
    """
    try:
        xs = tuple(xs)
    except TypeError:
        check_sequences("logsumexp", xs)
        raise
    return apply(RULES["logsumexp"], xs)


if TYPE_CHECKING:

    @overload
    def logaddexp(x: Value, y: Number, /) -> Value: ...
    @overload
    def logaddexp(x: Number, y: Value, /) -> Value: ...
    @overload
    def logaddexp(x: Number, y: Number, /) -> float: ...


def logaddexp(x: Any, y: Any, /) -> Any:
    """Return `logaddexp(x, y)`: log(exp(x) + exp(y)).

    The partial by x is `where(less(y, x), 1 - sigmoid(y - x), sigmoid(x - y))`,
    by y is `where(less(x, y), 1 - sigmoid(x - y), sigmoid(y - x))`.

    >>> from microgrid import Value
    >>> logaddexp(Value(0.5), 0.25).data == logaddexp(0.5, 0.25)
    True
    """
    return apply(RULES["logaddexp"], x, y)


if TYPE_CHECKING:

    @overload
    def maximum(*xs: float) -> float: ...
    @overload
    def maximum(*xs: Value | float) -> Value: ...


def maximum(*xs: Any) -> Any:
    """Return `maximum(*xs)`: largest.

    The partial by xs is `ties(xs, out)`. It is defined and smooth where `len({*xs}) == n`.

    >>> from microgrid import Value
    >>> maximum(Value(0.5), 2.0).data == maximum(0.5, 2.0)
    True
    """
    return apply(RULES["maximum"], xs)


if TYPE_CHECKING:

    @overload
    def minimum(*xs: float) -> float: ...
    @overload
    def minimum(*xs: Value | float) -> Value: ...


def minimum(*xs: Any) -> Any:
    """Return `minimum(*xs)`: smallest.

    The partial by xs is `ties(xs, out)`. It is defined and smooth where `len({*xs}) == n`.

    >>> from microgrid import Value
    >>> minimum(Value(0.5), 2.0).data == minimum(0.5, 2.0)
    True
    """
    return apply(RULES["minimum"], xs)


if TYPE_CHECKING:

    @overload
    def sign(x: Value, /) -> Value: ...
    @overload
    def sign(x: Number, /) -> float: ...


def sign(x: Any, /) -> Any:
    """Return `1 if x > 0 else -1 if x < 0 else x`: sign: -1, 0 or 1.

    The partial by x is `0`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> sign(Value(0.5)).data == sign(0.5)
    True
    """
    if isinstance(x, Value):
        return x.sign()
    return apply(RULES["sign"], x)


if TYPE_CHECKING:

    @overload
    def step(x: Value, /) -> Value: ...
    @overload
    def step(x: Number, /) -> float: ...


def step(x: Any, /) -> Any:
    """Return `1 if x > 0 else 0 if x <= 0 else x`: binary step: 1 above 0, else 0.

    The partial by x is `0`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> step(Value(0.5)).data == step(0.5)
    True
    """
    if isinstance(x, Value):
        return x.step()
    return apply(RULES["step"], x)


if TYPE_CHECKING:

    @overload
    def less(x: Value, y: Number, /) -> Value: ...
    @overload
    def less(x: Number, y: Value, /) -> Value: ...
    @overload
    def less(x: Number, y: Number, /) -> float: ...


def less(x: Any, y: Any, /) -> Any:
    """Return `1 if x < y else 0 if x >= y else x + y`: 1 where x < y, else 0.

    The partial by x is `0`, by y is `0`. It is defined and smooth where `x != y`.

    >>> from microgrid import Value
    >>> less(Value(0.5), 0.25).data == less(0.5, 0.25)
    True
    """
    return apply(RULES["less"], x, y)


if TYPE_CHECKING:

    @overload
    def where(c: Value, x: Number, y: Number, /) -> Value: ...
    @overload
    def where(c: Number, x: Value, y: Number, /) -> Value: ...
    @overload
    def where(c: Number, x: Number, y: Value, /) -> Value: ...
    @overload
    def where(c: Number, x: Number, y: Number, /) -> float: ...


def where(c: Any, x: Any, y: Any, /) -> Any:
    """Return `x if c else y`: x where c holds, else y.

    The partial by c is `0`, by x is `where(c, 1, 0)`, by y is `where(c, 0, 1)`.
    It is defined and smooth where `c != 0`.

    >>> from microgrid import Value
    >>> where(Value(1.0), 0.5, 0.25).data == where(1.0, 0.5, 0.25)
    True
    """
    return apply(RULES["where"], c, x, y)


if TYPE_CHECKING:

    @overload
    def clip(x: Value, low: Number, high: Number, /) -> Value: ...
    @overload
    def clip(x: Number, low: Value, high: Number, /) -> Value: ...
    @overload
    def clip(x: Number, low: Number, high: Value, /) -> Value: ...
    @overload
    def clip(x: Number, low: Number, high: Number, /) -> float: ...


def clip(x: Any, low: Any, high: Any, /) -> Any:
    """Return `minimum(maximum(x, low), high)`: x held between low and high.

    The partial by x is `where(less(x, low), 0, where(less(high, x), 0, 1))`,
    by low is `where(less(x, low), less(low, high), 0)`, by high is `where(less(high, x), 1, less(high, low))`.
    It is defined and smooth where `x != low and x != high and low < high`.

    >>> from microgrid import Value
    >>> clip(Value(0.5), 0.75, 1.0).data == clip(0.5, 0.75, 1.0)
    True
    """
    return apply(RULES["clip"], x, low, high)


if TYPE_CHECKING:

    @overload
    def relu(x: Value, /) -> Value: ...
    @overload
    def relu(x: Number, /) -> float: ...


def relu(x: Any, /) -> Any:
    """Return `0 if x <= 0 else x`: rectified linear unit.

    The partial by x is `where(step(x), 1, 0)`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> relu(Value(0.5)).data == relu(0.5)
    True
    """
    if isinstance(x, Value):
        return x.relu()
    return apply(RULES["relu"], x)


if TYPE_CHECKING:

    @overload
    def leaky_relu(x: Value, /, negative_slope: float = 0.01) -> Value: ...
    @overload
    def leaky_relu(x: Number, /, negative_slope: float = 0.01) -> float: ...


def leaky_relu(x: Any, /, negative_slope: Any = 0.01) -> Any:
    """Return `x if x > 0 else negative_slope * x`: relu with a slope below 0.

    The partial by x is `where(step(x), 1, negative_slope)`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> leaky_relu(Value(0.5)).data == leaky_relu(0.5)
    True
    """
    if isinstance(x, Value):
        return x.leaky_relu(negative_slope)
    return apply(RULES["leaky_relu"], x, negative_slope)


if TYPE_CHECKING:

    @overload
    def elu(x: Value, /, alpha: float = 1.0) -> Value: ...
    @overload
    def elu(x: Number, /, alpha: float = 1.0) -> float: ...


def elu(x: Any, /, alpha: Any = 1.0) -> Any:
    """Return `x if x > 0 else alpha * expm1(x)`: exponential linear unit.

    The partial by x is `where(step(x), 1, alpha * exp(x))`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> elu(Value(0.5)).data == elu(0.5)
    True
    """
    if isinstance(x, Value):
        return x.elu(alpha)
    return apply(RULES["elu"], x, alpha)


if TYPE_CHECKING:

    @overload
    def sigmoid(x: Value, /) -> Value: ...
    @overload
    def sigmoid(x: Number, /) -> float: ...


def sigmoid(x: Any, /) -> Any:
    """Return `sigmoid(x)`: 1 / (1 + exp(-x)).

    The partial by x is `out * (1 - out)`.

    >>> from microgrid import Value
    >>> sigmoid(Value(0.5)).data == sigmoid(0.5)
    True
    """
    if isinstance(x, Value):
        return x.sigmoid()
    return apply(RULES["sigmoid"], x)


if TYPE_CHECKING:

    @overload
    def logsigmoid(x: Value, /) -> Value: ...
    @overload
    def logsigmoid(x: Number, /) -> float: ...


def logsigmoid(x: Any, /) -> Any:
    """Return `logsigmoid(x)`: log(sigmoid(x)).

    The partial by x is `-expm1(out)`.

    >>> from microgrid import Value
    >>> logsigmoid(Value(0.5)).data == logsigmoid(0.5)
    True
    """
    if isinstance(x, Value):
        return x.logsigmoid()
    return apply(RULES["logsigmoid"], x)


if TYPE_CHECKING:

    @overload
    def softplus(x: Value, /) -> Value: ...
    @overload
    def softplus(x: Number, /) -> float: ...


def softplus(x: Any, /) -> Any:
    """Return `softplus(x)`: log(1 + exp(x)).

    The partial by x is `-expm1(-out)`.

    >>> from microgrid import Value
    >>> softplus(Value(0.5)).data == softplus(0.5)
    True
    """
    if isinstance(x, Value):
        return x.softplus()
    return apply(RULES["softplus"], x)


if TYPE_CHECKING:

    @overload
    def softsign(x: Value, /) -> Value: ...
    @overload
    def softsign(x: Number, /) -> float: ...


def softsign(x: Any, /) -> Any:
    """Return `x / (1 + abs(x))`: x / (1 + |x|).

    The partial by x is `1 / (1 + abs(x)) / (1 + abs(x))`. It is defined and smooth where `x != 0`.

    >>> from microgrid import Value
    >>> softsign(Value(0.5)).data == softsign(0.5)
    True
    """
    if isinstance(x, Value):
        return x.softsign()
    return apply(RULES["softsign"], x)


if TYPE_CHECKING:

    @overload
    def silu(x: Value, /) -> Value: ...
    @overload
    def silu(x: Number, /) -> float: ...


def silu(x: Any, /) -> Any:
    """Return `silu(x)`: x * sigmoid(x).

    The partial by x is `where(step(x), 1 + (out - 1) * sigmoid(-x), sigmoid(x) + out * sigmoid(-x))`.

    >>> from microgrid import Value
    >>> silu(Value(0.5)).data == silu(0.5)
    True
    """
    if isinstance(x, Value):
        return x.silu()
    return apply(RULES["silu"], x)


if TYPE_CHECKING:

    @overload
    def gelu(x: Value, /) -> Value: ...
    @overload
    def gelu(x: Number, /) -> float: ...


def gelu(x: Any, /) -> Any:
    """Return `gelu(x)`: x times the normal distribution function.

    The partial by x is `erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi)`.

    >>> from microgrid import Value
    >>> gelu(Value(0.5)).data == gelu(0.5)
    True
    """
    if isinstance(x, Value):
        return x.gelu()
    return apply(RULES["gelu"], x)


if TYPE_CHECKING:

    @overload
    def binary_cross_entropy(p: Value, y: Number, /) -> Value: ...
    @overload
    def binary_cross_entropy(p: Number, y: Value, /) -> Value: ...
    @overload
    def binary_cross_entropy(p: Number, y: Number, /) -> float: ...


def binary_cross_entropy(p: Any, y: Any, /) -> Any:
    """Return `binary_cross_entropy(p, y)`: -(y * log(p) + (1 - y) * log(1 - p)).

    The partial by p is `(p - y) / maximum(p * (1 - p), 10 ** -12)`, by y is `log1p(-p) - log(p)`.
    It is defined and smooth where `0 < p < 1 and p * (1 - p) > 10 ** -12`.

    >>> from microgrid import Value
    >>> binary_cross_entropy(Value(0.5), 0.25).data == binary_cross_entropy(0.5, 0.25)
    True
    """
    return apply(RULES["binary_cross_entropy"], p, y)


if TYPE_CHECKING:

    @overload
    def binary_cross_entropy_with_logits(x: Value, y: Number, /) -> Value: ...
    @overload
    def binary_cross_entropy_with_logits(x: Number, y: Value, /) -> Value: ...
    @overload
    def binary_cross_entropy_with_logits(x: Number, y: Number, /) -> float: ...


def binary_cross_entropy_with_logits(x: Any, y: Any, /) -> Any:
    """Return `y * softplus(-x) + (1 - y) * softplus(x)`: binary_cross_entropy(sigmoid(x), y).

    The partial by x is `where(step(x), 1 - y - sigmoid(-x), sigmoid(x) - y)`, by y is `-x`.

    >>> from microgrid import Value
    >>> binary_cross_entropy_with_logits(Value(0.5), 0.25).data == binary_cross_entropy_with_logits(0.5, 0.25)
    True
    """
    return apply(RULES["binary_cross_entropy_with_logits"], x, y)


if TYPE_CHECKING:

    @overload
    def cross_entropy(xs: Iterable[float], ys: Iterable[float], /) -> float: ...
    @overload
    def cross_entropy(xs: Iterable[Value | float], ys: Iterable[Value | float], /) -> Value: ...


def cross_entropy(xs: Any, ys: Any, /) -> Any:
    """Return `cross_entropy(xs, ys)`: -(sum of y * log(softmax(x))).

    The partial by xs is `cross_entropy_slopes(normalised([exp(d) for d in shifted(xs)]), ys)`,
    by ys is `[logsumexp(shifted(xs)) - d for d in shifted(xs)]`. It is defined and smooth where `n > 0`.

    >>> from microgrid import Value
    >>> cross_entropy([Value(0.5), 2.0], [0.5, 2.0]).data == cross_entropy([0.5, 2.0], [0.5, 2.0])
    True
    """
    try:
        xs, ys = tuple(xs), tuple(ys)
    except TypeError:
        check_sequences("cross_entropy", xs, ys)
        raise
    return apply(RULES["cross_entropy"], xs, ys)


if TYPE_CHECKING:

    @overload
    def huber(x: Value, /, delta: float = 1.0) -> Value: ...
    @overload
    def huber(x: Number, /, delta: float = 1.0) -> float: ...


def huber(x: Any, /, delta: Any = 1.0) -> Any:
    """Return `x * x / 2 if abs(x) <= delta else delta * (abs(x) - delta / 2)`: x * x / 2, straight beyond delta.

    The partial by x is `clip(x, -delta, delta)`. It is defined and smooth where `abs(x) != delta`.

    >>> from microgrid import Value
    >>> huber(Value(0.5)).data == huber(0.5)
    True
    """
    if isinstance(x, Value):
        return x.huber(delta)
    return apply(RULES["huber"], x, delta)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": div,
    "floordiv": floordiv,
    "mod": mod,
    "pow": pow,
    "identity": identity,
    "neg": neg,
    "abs": abs,
    "fma": fma,
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "log2": log2,
    "log10": log10,
    "sqrt": sqrt,
    "cbrt": cbrt,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "asin": asin,
    "acos": acos,
    "atan": atan,
    "atan2": atan2,
    "degrees": degrees,
    "radians": radians,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "asinh": asinh,
    "acosh": acosh,
    "atanh": atanh,
    "erf": erf,
    "erfc": erfc,
    "gamma": gamma,
    "lgamma": lgamma,
    "digamma": digamma,
    "polygamma": polygamma,
    "copysign": copysign,
    "fmod": fmod,
    "remainder": remainder,
    "ldexp": ldexp,
    "round": round,
    "total": total,
    "fsum": fsum,
    "mean": mean,
    "prod": prod,
    "sumprod": sumprod,
    "dot": dot,
    "hypot": hypot,
    "logsumexp": logsumexp,
    "logaddexp": logaddexp,
    "maximum": maximum,
    "minimum": minimum,
    "sign": sign,
    "step": step,
    "less": less,
    "where": where,
    "clip": clip,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "sigmoid": sigmoid,
    "logsigmoid": logsigmoid,
    "softplus": softplus,
    "softsign": softsign,
    "silu": silu,
    "gelu": gelu,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
    "cross_entropy": cross_entropy,
    "huber": huber,
}
modules["microgrid.generated.functions"] = modules[__name__]  # where pickles of earlier versions look
