"""Dual numbers: the forward mode of calculus, written out once more and sharing nothing with the engine.

Primals and tangents are floats, fractions, or dual numbers themselves: nested n deep, they carry the n-th derivatives.
At kinks derivatives are those of the table in `microgrid/rules/README.md`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st


class Dual:
    """A number with its derivative."""

    def __init__(self, primal: Any, tangent: Any = Fraction(0)) -> None:
        self.primal, self.tangent = primal, tangent

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"

    def __add__(self, other: Any) -> "Dual":
        other = dual(other)
        return Dual(self.primal + other.primal, self.tangent + other.tangent)

    def __sub__(self, other: Any) -> "Dual":
        other = dual(other)
        return Dual(self.primal - other.primal, self.tangent - other.tangent)

    def __mul__(self, other: Any) -> "Dual":
        other = dual(other)
        return Dual(self.primal * other.primal, self.tangent * other.primal + self.primal * other.tangent)

    def __truediv__(self, other: Any) -> "Dual":
        other = dual(other)
        quotient = self.primal / other.primal
        return Dual(quotient, (self.tangent - quotient * other.tangent) / other.primal)

    def __pow__(self, exponent: Any) -> "Dual":
        if isinstance(exponent, int):
            return Dual(self.primal**exponent, self.tangent * exponent * self.primal ** (exponent - (exponent != 0)))
        x, y = self.primal, dual(exponent).primal
        power = x**y
        return Dual(power, y * x ** (y - 1) * self.tangent + log(x) * power * dual(exponent).tangent)

    def __radd__(self, other: Any) -> "Dual":
        return dual(other) + self

    def __rsub__(self, other: Any) -> "Dual":
        return dual(other) - self

    def __rmul__(self, other: Any) -> "Dual":
        return dual(other) * self

    def __rtruediv__(self, other: Any) -> "Dual":
        return dual(other) / self

    def __rpow__(self, other: Any) -> "Dual":
        return dual(other) ** self

    def __neg__(self) -> "Dual":
        return Dual(-self.primal, -self.tangent)

    def __abs__(self) -> "Dual":
        return self * (real(self) > 0) - self * (real(self) < 0)


def dual(x: Any) -> Dual:
    """Return `x` itself if it is dual, or the constant `x`."""
    return x if isinstance(x, Dual) else Dual(x)


def real(x: Any) -> Any:
    """Return the plain number at the bottom of `x`."""
    while isinstance(x, Dual):
        x = x.primal
    return x


def chain(primal: Callable[[Any], Any], derivative: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the function of plain and dual numbers that `primal` and its derivative make."""

    def function(x: Any) -> Any:
        return Dual(function(x.primal), derivative(x.primal) * x.tangent) if isinstance(x, Dual) else primal(x)

    return function


def maximum(*xs: Any) -> Any:
    """Return the largest of `xs`; equal ones share the derivative evenly."""
    top = max(map(real, xs))
    if not any(isinstance(x, Dual) for x in xs):
        return top
    largest = [dual(x) for x in xs if real(x) == top]
    return Dual(maximum(*(x.primal for x in largest)), total(x.tangent for x in largest) / len(largest))


def total(xs: Iterable[Any]) -> Any:
    """Return the sum of `xs`, taken from left to right."""
    out = 0
    for x in xs:
        out = out + x
    return out


def fsum(xs: Sequence[Any]) -> Any:
    """Return the sum of `xs`, rounded once."""
    if not any(isinstance(x, Dual) for x in xs):
        return math.fsum(xs)
    return Dual(fsum([dual(x).primal for x in xs]), total(dual(x).tangent for x in xs))


def product(xs: Iterable[Any]) -> Any:
    """Return the product of `xs`, taken from left to right."""
    out = 1
    for x in xs:
        out = out * x
    return out


exp = chain(math.exp, lambda x: exp(x))
log = chain(math.log, lambda x: 1 / x)
sin = chain(math.sin, lambda x: cos(x))
cos = chain(math.cos, lambda x: -sin(x))
sinh = chain(math.sinh, lambda x: cosh(x))
cosh = chain(math.cosh, lambda x: sinh(x))
tanh = chain(math.tanh, lambda x: 1 / cosh(x) ** 2)
sqrt = chain(math.sqrt, lambda x: 1 / (2 * sqrt(x)))


def relu(x: Any) -> Any:
    """Return `x` where it is positive, else zero."""
    return x if real(x) > 0 else 0 * x


# By the name of the row of the calculus table, where the function takes one number.
FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "acosh": chain(math.acosh, lambda x: 1 / sqrt(x * x - 1)),
    "asin": chain(math.asin, lambda x: 1 / sqrt(1 - x * x)),
    "asinh": chain(math.asinh, lambda x: 1 / sqrt(x * x + 1)),
    "atan": chain(math.atan, lambda x: 1 / (x * x + 1)),
    "atanh": chain(math.atanh, lambda x: 1 / (1 - x * x)),
    "cos": cos,
    "cosh": cosh,
    "exp": exp,
    "log": log,
    "log1p": chain(math.log1p, lambda x: 1 / (1 + x)),
    "relu": relu,
    "sin": sin,
    "sinh": sinh,
    "sqrt": sqrt,
    "tan": chain(math.tan, lambda x: 1 / cos(x) ** 2),
    "tanh": tanh,
}


def formulas() -> st.SearchStrategy[str]:
    """Return rational expressions in a, b and c, of which dual numbers over fractions give exact derivatives."""
    leaves = st.sampled_from(["a", "b", "c"])

    def combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        power = st.tuples(inner, st.integers(-3, 4)).map(lambda t: f"({t[0]} ** {t[1]})")
        return binary | power | inner.map(lambda text: f"(-{text})")

    return st.recursive(leaves, combine, max_leaves=8)
