# Made by `make generate` from the calculus table: change `rules/table.py`, and make it again.
# mypy: disable-error-code="no-any-return"
"""The operators and methods of `Value` that come from the calculus table."""

from __future__ import annotations

from math import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cbrt,
    cos,
    cosh,
    degrees,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    gamma,
    lgamma,
    log,
    log1p,
    log2,
    log10,
    radians,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from sys import modules

from microgrid.engine.messages import named
from microgrid.engine.modes import observe, observers
from microgrid.engine.node import Node, new
from microgrid.engine.numbers import FORWARD_ERRORS, constant
from microgrid.engine.operations import operation
from microgrid.rules import marks
from microgrid.rules.special import digamma, floordiv, gelu, logsigmoid, power, sigmoid, silu, softplus
from microgrid.rules.table import RULES

TYPE_CHECKING: bool = False  # not known to be false: jedi would skip what is under it
if TYPE_CHECKING:
    from typing import Any, Self, SupportsFloat

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`
COMPUTES = marks.COMPUTES  # with plain numbers: see `Value.__float__`

# What stands above this file; `recording` puts it here.
Value: Any = Node
apply: Any = None

add_x = operation("add", (True, False))
add_y = operation("add", (False, True))
add_xy = operation("add", (True, True))
sub_x = operation("sub", (True, False))
sub_y = operation("sub", (False, True))
sub_xy = operation("sub", (True, True))
mul_x = operation("mul", (True, False))
mul_y = operation("mul", (False, True))
mul_xy = operation("mul", (True, True))
div_x = operation("div", (True, False))
div_y = operation("div", (False, True))
div_xy = operation("div", (True, True))
floordiv_x = operation("floordiv", (True, False))
floordiv_y = operation("floordiv", (False, True))
floordiv_xy = operation("floordiv", (True, True))
mod_x = operation("mod", (True, False))
mod_y = operation("mod", (False, True))
mod_xy = operation("mod", (True, True))
pow_x = operation("pow", (True, False))
pow_y = operation("pow", (False, True))
pow_xy = operation("pow", (True, True))
neg_x = operation("neg", (True,))
abs_x = operation("abs", (True,))
exp_x = operation("exp", (True,))
exp2_x = operation("exp2", (True,))
expm1_x = operation("expm1", (True,))
log_x = operation("log", (True,))
log1p_x = operation("log1p", (True,))
log2_x = operation("log2", (True,))
log10_x = operation("log10", (True,))
sqrt_x = operation("sqrt", (True,))
cbrt_x = operation("cbrt", (True,))
sin_x = operation("sin", (True,))
cos_x = operation("cos", (True,))
tan_x = operation("tan", (True,))
asin_x = operation("asin", (True,))
acos_x = operation("acos", (True,))
atan_x = operation("atan", (True,))
degrees_x = operation("degrees", (True,))
radians_x = operation("radians", (True,))
sinh_x = operation("sinh", (True,))
cosh_x = operation("cosh", (True,))
tanh_x = operation("tanh", (True,))
asinh_x = operation("asinh", (True,))
acosh_x = operation("acosh", (True,))
atanh_x = operation("atanh", (True,))
erf_x = operation("erf", (True,))
erfc_x = operation("erfc", (True,))
gamma_x = operation("gamma", (True,))
lgamma_x = operation("lgamma", (True,))
digamma_x = operation("digamma", (True,))
sign_x = operation("sign", (True,))
step_x = operation("step", (True,))
relu_x = operation("relu", (True,))
leaky_relu_x = operation("leaky_relu", (True, False))
elu_x = operation("elu", (True, False))
sigmoid_x = operation("sigmoid", (True,))
logsigmoid_x = operation("logsigmoid", (True,))
softplus_x = operation("softplus", (True,))
softsign_x = operation("softsign", (True,))
silu_x = operation("silu", (True,))
gelu_x = operation("gelu", (True,))
huber_x = operation("huber", (True, False))


class Methods(Node):
    """The operators and methods that `Value` has from the calculus table."""

    def __add__(self, other: SupportsFloat) -> Self:
        """Return `x + y`: sum.

        The partial by x is `1`, by y is `1`.
        """
        out = new(Value)
        x = self.data
        try:
            if isinstance(other, Value):
                y = other.data
                out.data = x + y
                out.op = add_xy
            else:
                if type(other) is not float:
                    other = constant(other, x)
                    if other is NotImplemented:
                        return NotImplemented
                y = other
                out.data = x + y
                out.op = add_x
        except FORWARD_ERRORS as error:
            raise named(error, "add", self, other) from None
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __radd__(self, other: SupportsFloat) -> Self:
        """Return `x + y`: sum.

        The partial by x is `1`, by y is `1`.
        """
        out = new(Value)
        y = self.data
        try:
            if type(other) is not float:
                other = constant(other, y)
                if other is NotImplemented:
                    return NotImplemented
            x: Any = other
            out.data = x + y
        except FORWARD_ERRORS as error:
            raise named(error, "add", other, self) from None
        out.op = add_y
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __sub__(self, other: SupportsFloat) -> Self:
        """Return `x - y`: difference.

        The partial by x is `1`, by y is `-1`.
        """
        out = new(Value)
        x = self.data
        try:
            if isinstance(other, Value):
                y = other.data
                out.data = x - y
                out.op = sub_xy
            else:
                if type(other) is not float:
                    other = constant(other, x)
                    if other is NotImplemented:
                        return NotImplemented
                y = other
                out.data = x - y
                out.op = sub_x
        except FORWARD_ERRORS as error:
            raise named(error, "sub", self, other) from None
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __rsub__(self, other: SupportsFloat) -> Self:
        """Return `x - y`: difference.

        The partial by x is `1`, by y is `-1`.
        """
        out = new(Value)
        y = self.data
        try:
            if type(other) is not float:
                other = constant(other, y)
                if other is NotImplemented:
                    return NotImplemented
            x: Any = other
            out.data = x - y
        except FORWARD_ERRORS as error:
            raise named(error, "sub", other, self) from None
        out.op = sub_y
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __mul__(self, other: SupportsFloat) -> Self:
        """Return `x * y`: product.

        The partial by x is `y`, by y is `x`.
        """
        out = new(Value)
        x = self.data
        try:
            if isinstance(other, Value):
                y = other.data
                out.data = x * y
                out.op = mul_xy
            else:
                if type(other) is not float:
                    other = constant(other, x)
                    if other is NotImplemented:
                        return NotImplemented
                y = other
                out.data = x * y
                out.op = mul_x
        except FORWARD_ERRORS as error:
            raise named(error, "mul", self, other) from None
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __rmul__(self, other: SupportsFloat) -> Self:
        """Return `x * y`: product.

        The partial by x is `y`, by y is `x`.
        """
        out = new(Value)
        y = self.data
        try:
            if type(other) is not float:
                other = constant(other, y)
                if other is NotImplemented:
                    return NotImplemented
            x: Any = other
            out.data = x * y
        except FORWARD_ERRORS as error:
            raise named(error, "mul", other, self) from None
        out.op = mul_y
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __truediv__(self, other: SupportsFloat) -> Self:
        """Return `x / y`: quotient.

        The partial by x is `1 / y`, by y is `-out / y`. It is defined and smooth where `y != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            if isinstance(other, Value):
                y = other.data
                out.data = x / y
                out.op = div_xy
            else:
                if type(other) is not float:
                    other = constant(other, x)
                    if other is NotImplemented:
                        return NotImplemented
                y = other
                out.data = x / y
                out.op = div_x
        except FORWARD_ERRORS as error:
            raise named(error, "div", self, other) from None
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __rtruediv__(self, other: SupportsFloat) -> Self:
        """Return `x / y`: quotient.

        The partial by x is `1 / y`, by y is `-out / y`. It is defined and smooth where `y != 0`.
        """
        out = new(Value)
        y = self.data
        try:
            if type(other) is not float:
                other = constant(other, y)
                if other is NotImplemented:
                    return NotImplemented
            x: Any = other
            out.data = x / y
        except FORWARD_ERRORS as error:
            raise named(error, "div", other, self) from None
        out.op = div_y
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __floordiv__(self, other: SupportsFloat) -> Self:
        """Return `floordiv(x, y)`: quotient rounded down.

        The partial by x is `0`, by y is `0`. It is defined and smooth where `y != 0 and x % y != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            if isinstance(other, Value):
                y = other.data
                out.data = floordiv(x, y)
                out.op = floordiv_xy
            else:
                if type(other) is not float:
                    other = constant(other, x)
                    if other is NotImplemented:
                        return NotImplemented
                y = other
                out.data = floordiv(x, y)
                out.op = floordiv_x
        except FORWARD_ERRORS as error:
            raise named(error, "floordiv", self, other) from None
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __rfloordiv__(self, other: SupportsFloat) -> Self:
        """Return `floordiv(x, y)`: quotient rounded down.

        The partial by x is `0`, by y is `0`. It is defined and smooth where `y != 0 and x % y != 0`.
        """
        out = new(Value)
        y = self.data
        try:
            if type(other) is not float:
                other = constant(other, y)
                if other is NotImplemented:
                    return NotImplemented
            x: Any = other
            out.data = floordiv(x, y)
        except FORWARD_ERRORS as error:
            raise named(error, "floordiv", other, self) from None
        out.op = floordiv_y
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __mod__(self, other: SupportsFloat) -> Self:
        """Return `x % y`: remainder with the sign of y.

        The partial by x is `1`, by y is `-(x // y)`. It is defined and smooth where `y != 0 and x % y != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            if isinstance(other, Value):
                y = other.data
                out.data = x % y
                out.op = mod_xy
            else:
                if type(other) is not float:
                    other = constant(other, x)
                    if other is NotImplemented:
                        return NotImplemented
                y = other
                out.data = x % y
                out.op = mod_x
        except FORWARD_ERRORS as error:
            raise named(error, "mod", self, other) from None
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __rmod__(self, other: SupportsFloat) -> Self:
        """Return `x % y`: remainder with the sign of y.

        The partial by x is `1`, by y is `-(x // y)`. It is defined and smooth where `y != 0 and x % y != 0`.
        """
        out = new(Value)
        y = self.data
        try:
            if type(other) is not float:
                other = constant(other, y)
                if other is NotImplemented:
                    return NotImplemented
            x: Any = other
            out.data = x % y
        except FORWARD_ERRORS as error:
            raise named(error, "mod", other, self) from None
        out.op = mod_y
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __pow__(self, other: SupportsFloat) -> Self:
        """Return `power(x, y)`: power.

        The partial by x is `y * x ** (y - where(y * (y - 1), 1, step(abs(x) / 2 ** 51 + y)))`,
        by y is `out * log(x + (1 - step(abs(x))))`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            if isinstance(other, Value):
                y = other.data
                out.data = power(x, y)
                out.op = pow_xy
            else:
                if type(other) is not float:
                    other = constant(other, x)
                    if other is NotImplemented:
                        return NotImplemented
                y = other
                out.data = power(x, y)
                out.op = pow_x
        except FORWARD_ERRORS as error:
            raise named(error, "pow", self, other) from None
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __rpow__(self, other: SupportsFloat) -> Self:
        """Return `power(x, y)`: power.

        The partial by x is `y * x ** (y - where(y * (y - 1), 1, step(abs(x) / 2 ** 51 + y)))`,
        by y is `out * log(x + (1 - step(abs(x))))`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        y = self.data
        try:
            if type(other) is not float:
                other = constant(other, y)
                if other is NotImplemented:
                    return NotImplemented
            x: Any = other
            out.data = power(x, y)
        except FORWARD_ERRORS as error:
            raise named(error, "pow", other, self) from None
        out.op = pow_y
        out._x = self
        out._y = other
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def identity(self) -> Self:
        """Return `x`: the number itself.

        The partial by x is `1`.
        """
        return apply(RULES["identity"], self)

    def __neg__(self) -> Self:
        """Return `-x`: negative.

        The partial by x is `-1`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = -x
        except FORWARD_ERRORS as error:
            raise named(error, "neg", self) from None
        out.op = neg_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def neg(self) -> Self:
        """Return `-x`: negative.

        The partial by x is `-1`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = -x
        except FORWARD_ERRORS as error:
            raise named(error, "neg", self) from None
        out.op = neg_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __abs__(self) -> Self:
        """Return `abs(x)`: absolute value.

        The partial by x is `sign(x)`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = abs(x)
        except FORWARD_ERRORS as error:
            raise named(error, "abs", self) from None
        out.op = abs_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def abs(self) -> Self:
        """Return `abs(x)`: absolute value.

        The partial by x is `sign(x)`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = abs(x)
        except FORWARD_ERRORS as error:
            raise named(error, "abs", self) from None
        out.op = abs_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def fabs(self) -> Self:
        """Return `abs(x)`: absolute value.

        The partial by x is `sign(x)`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = abs(x)
        except FORWARD_ERRORS as error:
            raise named(error, "abs", self) from None
        out.op = abs_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def exp(self) -> Self:
        """Return `exp(x)`: e to the power x.

        The partial by x is `out`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = exp(x)
        except FORWARD_ERRORS as error:
            raise named(error, "exp", self) from None
        out.op = exp_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def exp2(self) -> Self:
        """Return `exp2(x)`: 2 to the power x.

        The partial by x is `out * log(2)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = exp2(x)
        except FORWARD_ERRORS as error:
            raise named(error, "exp2", self) from None
        out.op = exp2_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def expm1(self) -> Self:
        """Return `expm1(x)`: exp(x) - 1, exact near 0.

        The partial by x is `exp(x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = expm1(x)
        except FORWARD_ERRORS as error:
            raise named(error, "expm1", self) from None
        out.op = expm1_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def log(self) -> Self:
        """Return `log(x)`: natural logarithm.

        The partial by x is `1 / x`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = log(x)
        except FORWARD_ERRORS as error:
            raise named(error, "log", self) from None
        out.op = log_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def log1p(self) -> Self:
        """Return `log1p(x)`: log(1 + x), exact near 0.

        The partial by x is `1 / (1 + x)`. It is defined and smooth where `x > -1`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = log1p(x)
        except FORWARD_ERRORS as error:
            raise named(error, "log1p", self) from None
        out.op = log1p_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def log2(self) -> Self:
        """Return `log2(x)`: logarithm to base 2.

        The partial by x is `1 / log(2) / x`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = log2(x)
        except FORWARD_ERRORS as error:
            raise named(error, "log2", self) from None
        out.op = log2_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def log10(self) -> Self:
        """Return `log10(x)`: logarithm to base 10.

        The partial by x is `1 / log(10) / x`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = log10(x)
        except FORWARD_ERRORS as error:
            raise named(error, "log10", self) from None
        out.op = log10_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def sqrt(self) -> Self:
        """Return `sqrt(x)`: square root.

        The partial by x is `1 / (2 * out)`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = sqrt(x)
        except FORWARD_ERRORS as error:
            raise named(error, "sqrt", self) from None
        out.op = sqrt_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def cbrt(self) -> Self:
        """Return `cbrt(x)`: cube root.

        The partial by x is `1 / 3 / out / out`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = cbrt(x)
        except FORWARD_ERRORS as error:
            raise named(error, "cbrt", self) from None
        out.op = cbrt_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def sin(self) -> Self:
        """Return `sin(x)`: sine.

        The partial by x is `cos(x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = sin(x)
        except FORWARD_ERRORS as error:
            raise named(error, "sin", self) from None
        out.op = sin_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def cos(self) -> Self:
        """Return `cos(x)`: cosine.

        The partial by x is `-sin(x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = cos(x)
        except FORWARD_ERRORS as error:
            raise named(error, "cos", self) from None
        out.op = cos_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def tan(self) -> Self:
        """Return `tan(x)`: tangent.

        The partial by x is `1 + out * out`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = tan(x)
        except FORWARD_ERRORS as error:
            raise named(error, "tan", self) from None
        out.op = tan_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def asin(self) -> Self:
        """Return `asin(x)`: inverse sine.

        The partial by x is `1 / sqrt((1 - x) * (1 + x))`. It is defined and smooth where `-1 < x < 1`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = asin(x)
        except FORWARD_ERRORS as error:
            raise named(error, "asin", self) from None
        out.op = asin_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def acos(self) -> Self:
        """Return `acos(x)`: inverse cosine.

        The partial by x is `-1 / sqrt((1 - x) * (1 + x))`. It is defined and smooth where `-1 < x < 1`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = acos(x)
        except FORWARD_ERRORS as error:
            raise named(error, "acos", self) from None
        out.op = acos_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def atan(self) -> Self:
        """Return `atan(x)`: inverse tangent.

        The partial by x is `1 / (1 + x * x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = atan(x)
        except FORWARD_ERRORS as error:
            raise named(error, "atan", self) from None
        out.op = atan_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def degrees(self) -> Self:
        """Return `degrees(x)`: radians to degrees.

        The partial by x is `180 / pi`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = degrees(x)
        except FORWARD_ERRORS as error:
            raise named(error, "degrees", self) from None
        out.op = degrees_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def radians(self) -> Self:
        """Return `radians(x)`: degrees to radians.

        The partial by x is `pi / 180`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = radians(x)
        except FORWARD_ERRORS as error:
            raise named(error, "radians", self) from None
        out.op = radians_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def sinh(self) -> Self:
        """Return `sinh(x)`: hyperbolic sine.

        The partial by x is `cosh(x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = sinh(x)
        except FORWARD_ERRORS as error:
            raise named(error, "sinh", self) from None
        out.op = sinh_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def cosh(self) -> Self:
        """Return `cosh(x)`: hyperbolic cosine.

        The partial by x is `sinh(x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = cosh(x)
        except FORWARD_ERRORS as error:
            raise named(error, "cosh", self) from None
        out.op = cosh_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def tanh(self) -> Self:
        """Return `tanh(x)`: hyperbolic tangent.

        The partial by x is `1 - out * out`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = tanh(x)
        except FORWARD_ERRORS as error:
            raise named(error, "tanh", self) from None
        out.op = tanh_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def asinh(self) -> Self:
        """Return `asinh(x)`: inverse hyperbolic sine.

        The partial by x is `1 / hypot(x, 1)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = asinh(x)
        except FORWARD_ERRORS as error:
            raise named(error, "asinh", self) from None
        out.op = asinh_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def acosh(self) -> Self:
        """Return `acosh(x)`: inverse hyperbolic cosine.

        The partial by x is `1 / (sqrt(x - 1) * sqrt(x + 1))`. It is defined and smooth where `x > 1`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = acosh(x)
        except FORWARD_ERRORS as error:
            raise named(error, "acosh", self) from None
        out.op = acosh_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def atanh(self) -> Self:
        """Return `atanh(x)`: inverse hyperbolic tangent.

        The partial by x is `1 / ((1 - x) * (1 + x))`. It is defined and smooth where `-1 < x < 1`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = atanh(x)
        except FORWARD_ERRORS as error:
            raise named(error, "atanh", self) from None
        out.op = atanh_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def erf(self) -> Self:
        """Return `erf(x)`: error function.

        The partial by x is `2 / sqrt(pi) * exp(-x * x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = erf(x)
        except FORWARD_ERRORS as error:
            raise named(error, "erf", self) from None
        out.op = erf_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def erfc(self) -> Self:
        """Return `erfc(x)`: 1 - erf(x), exact for large x.

        The partial by x is `-2 / sqrt(pi) * exp(-x * x)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = erfc(x)
        except FORWARD_ERRORS as error:
            raise named(error, "erfc", self) from None
        out.op = erfc_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def gamma(self) -> Self:
        """Return `gamma(x)`: gamma function.

        The partial by x is `out * digamma(x)`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = gamma(x)
        except FORWARD_ERRORS as error:
            raise named(error, "gamma", self) from None
        out.op = gamma_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def lgamma(self) -> Self:
        """Return `lgamma(x)`: log(abs(gamma(x))).

        The partial by x is `digamma(x)`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = lgamma(x)
        except FORWARD_ERRORS as error:
            raise named(error, "lgamma", self) from None
        out.op = lgamma_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def digamma(self) -> Self:
        """Return `digamma(x)`: derivative of lgamma.

        The partial by x is `polygamma(1, x)`. It is defined and smooth where `x > 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = digamma(x)
        except FORWARD_ERRORS as error:
            raise named(error, "digamma", self) from None
        out.op = digamma_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def ldexp(self, i: int) -> Self:
        """Return `ldexp(x, i)`: x * 2**i.

        The partial by x is `ldexp(1, i)`.
        """
        return apply(RULES["ldexp"], self, i)

    def round(self, ndigits: int) -> Self:
        """Return `round(x, ndigits)`: rounded to so many decimals.

        The partial by x is `0`. It is defined and smooth where `(x * 10 ** ndigits + 1 / 2) % 1 != 0`.
        """
        return apply(RULES["round"], self, ndigits)

    def sign(self) -> Self:
        """Return `1 if x > 0 else -1 if x < 0 else x`: sign: -1, 0 or 1.

        The partial by x is `0`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = 1.0 if x > 0.0 else -1.0 if x < 0.0 else x
        except FORWARD_ERRORS as error:
            raise named(error, "sign", self) from None
        out.op = sign_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def step(self) -> Self:
        """Return `1 if x > 0 else 0 if x <= 0 else x`: binary step: 1 above 0, else 0.

        The partial by x is `0`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = 1.0 if x > 0.0 else 0.0 if x <= 0.0 else x
        except FORWARD_ERRORS as error:
            raise named(error, "step", self) from None
        out.op = step_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def relu(self) -> Self:
        """Return `0 if x <= 0 else x`: rectified linear unit.

        The partial by x is `where(step(x), 1, 0)`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = 0.0 if x <= 0.0 else x
        except FORWARD_ERRORS as error:
            raise named(error, "relu", self) from None
        out.op = relu_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def leaky_relu(self, negative_slope: float = 0.01) -> Self:
        """Return `x if x > 0 else negative_slope * x`: relu with a slope below 0.

        The partial by x is `where(step(x), 1, negative_slope)`. It is defined and smooth where `x != 0`.
        """
        if type(negative_slope) is not float:
            return apply(RULES["leaky_relu"], self, negative_slope)
        out = new(Value)
        x = self.data
        try:
            out.data = x if x > 0.0 else negative_slope * x
        except FORWARD_ERRORS as error:
            raise named(error, "leaky_relu", self, negative_slope) from None
        out.op = leaky_relu_x
        out._x = self
        out._y = negative_slope
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def elu(self, alpha: float = 1.0) -> Self:
        """Return `x if x > 0 else alpha * expm1(x)`: exponential linear unit.

        The partial by x is `where(step(x), 1, alpha * exp(x))`. It is defined and smooth where `x != 0`.
        """
        if type(alpha) is not float:
            return apply(RULES["elu"], self, alpha)
        out = new(Value)
        x = self.data
        try:
            out.data = x if x > 0.0 else alpha * expm1(x)
        except FORWARD_ERRORS as error:
            raise named(error, "elu", self, alpha) from None
        out.op = elu_x
        out._x = self
        out._y = alpha
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def sigmoid(self) -> Self:
        """Return `sigmoid(x)`: 1 / (1 + exp(-x)).

        The partial by x is `out * (1 - out)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = sigmoid(x)
        except FORWARD_ERRORS as error:
            raise named(error, "sigmoid", self) from None
        out.op = sigmoid_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def logsigmoid(self) -> Self:
        """Return `logsigmoid(x)`: log(sigmoid(x)).

        The partial by x is `-expm1(out)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = logsigmoid(x)
        except FORWARD_ERRORS as error:
            raise named(error, "logsigmoid", self) from None
        out.op = logsigmoid_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def softplus(self) -> Self:
        """Return `softplus(x)`: log(1 + exp(x)).

        The partial by x is `-expm1(-out)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = softplus(x)
        except FORWARD_ERRORS as error:
            raise named(error, "softplus", self) from None
        out.op = softplus_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def softsign(self) -> Self:
        """Return `x / (1 + abs(x))`: x / (1 + |x|).

        The partial by x is `1 / (1 + abs(x)) / (1 + abs(x))`. It is defined and smooth where `x != 0`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = x / (1.0 + abs(x))
        except FORWARD_ERRORS as error:
            raise named(error, "softsign", self) from None
        out.op = softsign_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def silu(self) -> Self:
        """Return `silu(x)`: x * sigmoid(x).

        The partial by x is `where(step(x), 1 + (out - 1) * sigmoid(-x), sigmoid(x) + out * sigmoid(-x))`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = silu(x)
        except FORWARD_ERRORS as error:
            raise named(error, "silu", self) from None
        out.op = silu_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def gelu(self) -> Self:
        """Return `gelu(x)`: x times the normal distribution function.

        The partial by x is `erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi)`.
        """
        out = new(Value)
        x = self.data
        try:
            out.data = gelu(x)
        except FORWARD_ERRORS as error:
            raise named(error, "gelu", self) from None
        out.op = gelu_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def huber(self, delta: float = 1.0) -> Self:
        """Return `x * x / 2 if abs(x) <= delta else delta * (abs(x) - delta / 2)`: x * x / 2, straight beyond delta.

        The partial by x is `clip(x, -delta, delta)`. It is defined and smooth where `abs(x) != delta`.
        """
        if type(delta) is not float:
            return apply(RULES["huber"], self, delta)
        out = new(Value)
        x = self.data
        try:
            out.data = x * x / 2.0 if abs(x) <= delta else delta * (abs(x) - delta / 2.0)
        except FORWARD_ERRORS as error:
            raise named(error, "huber", self, delta) from None
        out.op = huber_x
        out._x = self
        out._y = delta
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out

    def __eq__(self, other: object) -> bool:
        """Return whether the number here `==` the other one."""
        return self.data == (other.data if isinstance(other, Value) else other)

    def __ne__(self, other: object) -> bool:
        """Return whether the number here `!=` the other one."""
        return self.data != (other.data if isinstance(other, Value) else other)

    def __lt__(self, other: Any) -> bool:
        """Return whether the number here `<` the other one."""
        return self.data < (other.data if isinstance(other, Value) else other)

    def __le__(self, other: Any) -> bool:
        """Return whether the number here `<=` the other one."""
        return self.data <= (other.data if isinstance(other, Value) else other)

    def __gt__(self, other: Any) -> bool:
        """Return whether the number here `>` the other one."""
        return self.data > (other.data if isinstance(other, Value) else other)

    def __ge__(self, other: Any) -> bool:
        """Return whether the number here `>=` the other one."""
        return self.data >= (other.data if isinstance(other, Value) else other)


modules["microgrid.generated.value"] = modules[__name__]  # where pickles of earlier versions look
