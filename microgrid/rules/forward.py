# Made by `make generate` from the calculus table: change `rules/table.py`, and make it again.
"""The forward functions of rows that are written in the table, on plain numbers."""

from __future__ import annotations

from math import expm1, fsum

from microgrid.rules import marks
from microgrid.rules.sequences import maximum, minimum
from microgrid.rules.special import power, softplus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


COMPUTES = marks.COMPUTES  # with plain numbers: see `Value.__float__`


def add(x: Any, y: Any) -> Any:
    """Return `x + y`: sum."""
    return x + y


def sub(x: Any, y: Any) -> Any:
    """Return `x - y`: difference."""
    return x - y


def mul(x: Any, y: Any) -> Any:
    """Return `x * y`: product."""
    return x * y


def div(x: Any, y: Any) -> Any:
    """Return `x / y`: quotient."""
    return x / y


def mod(x: Any, y: Any) -> Any:
    """Return `x % y`: remainder with the sign of y."""
    return x % y


def pow(x: Any, y: Any) -> Any:
    """Return `power(x, y)`: power."""
    return power(x, y)


def identity(x: Any) -> Any:
    """Return `x`: the number itself."""
    return x


def neg(x: Any) -> Any:
    """Return `-x`: negative."""
    return -x


def total(xs: Sequence[Any], start: Any) -> Any:
    """Return start plus the sum, plainly from left to right."""
    out = start
    for x in xs:
        out = out + x
    return out


def mean(xs: Sequence[Any]) -> Any:
    """Return `fsum(xs) / n`: arithmetic mean."""
    n = len(xs)
    return fsum(xs) / n


def dot(ws: Sequence[Any], xs: Sequence[Any], b: Any) -> Any:
    """Return b plus the sum of products, plainly from left to right."""
    out = b
    for w, x in zip(ws, xs):
        out = out + w * x
    return out


def sign(x: Any) -> Any:
    """Return `1 if x > 0 else -1 if x < 0 else x`: sign: -1, 0 or 1."""
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x


def step(x: Any) -> Any:
    """Return `1 if x > 0 else 0 if x <= 0 else x`: binary step: 1 above 0, else 0."""
    return 1.0 if x > 0.0 else 0.0 if x <= 0.0 else x


def less(x: Any, y: Any) -> Any:
    """Return `1 if x < y else 0 if x >= y else x + y`: 1 where x < y, else 0."""
    return 1.0 if x < y else 0.0 if x >= y else x + y


def where(c: Any, x: Any, y: Any) -> Any:
    """Return `x if c else y`: x where c holds, else y."""
    return x if c else y


def clip(x: Any, low: Any, high: Any) -> Any:
    """Return `minimum(maximum(x, low), high)`: x held between low and high."""
    return minimum(maximum(x, low), high)


def relu(x: Any) -> Any:
    """Return `0 if x <= 0 else x`: rectified linear unit."""
    return 0.0 if x <= 0.0 else x


def leaky_relu(x: Any, negative_slope: Any) -> Any:
    """Return `x if x > 0 else negative_slope * x`: relu with a slope below 0."""
    return x if x > 0.0 else negative_slope * x


def elu(x: Any, alpha: Any) -> Any:
    """Return `x if x > 0 else alpha * expm1(x)`: exponential linear unit."""
    return x if x > 0.0 else alpha * expm1(x)


def softsign(x: Any) -> Any:
    """Return `x / (1 + abs(x))`: x / (1 + |x|)."""
    return x / (1.0 + abs(x))


def binary_cross_entropy_with_logits(x: Any, y: Any) -> Any:
    """Return `y * softplus(-x) + (1 - y) * softplus(x)`: binary_cross_entropy(sigmoid(x), y)."""
    return y * softplus(-x) + (1.0 - y) * softplus(x)


def huber(x: Any, delta: Any) -> Any:
    """Return `x * x / 2 if abs(x) <= delta else delta * (abs(x) - delta / 2)`: x * x / 2, straight beyond delta."""
    return x * x / 2.0 if abs(x) <= delta else delta * (abs(x) - delta / 2.0)
