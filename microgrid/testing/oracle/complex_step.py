"""Complex step: derivatives from the forward text alone, independent of the partials of the table.

For an analytic f, f(x + ih) = f(x) + ih f'(x) + O(h²): with h = 2**-500 the imaginary part, divided by h, is the
derivative to the last bits, without cancellation (Squire and Trapp, SIAM Review 40, 1998). The functions that rows call
are written here a second time, for complex numbers. Comparisons and rounding use the real part, so piecewise functions
work too. Slopes below about 1e-150 underflow to zero.

This module does not check that f is analytic: `numerical` trusts the result only where difference quotients agree.
"""

from __future__ import annotations

import cmath
import math
from functools import cache

from microgrid.engine import graph
from microgrid.engine.value import Value
from microgrid.rules import source
from microgrid.rules.table import RULES, Rule
from microgrid.testing.oracle import complex_functions as cf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType
    from typing import Any

H = 2.0**-500  # a power of two: multiplying and dividing by it is exact


class Step:
    """A complex number that is compared and rounded by its real part.

    >>> x = Step(complex(3.0, H))
    >>> (x * x).z.imag / H
    6.0
    """

    __slots__ = ("z",)

    def __init__(self, z: complex) -> None:
        self.z = complex(z)

    def __repr__(self) -> str:
        return f"Step({self.z})"

    def __add__(self, other: Any) -> Step:
        return Step(self.z + z_of(other))

    def __sub__(self, other: Any) -> Step:
        return Step(self.z - z_of(other))

    def __mul__(self, other: Any) -> Step:
        a, b = self.z, z_of(other)  # the product of the imaginary parts is left out: it is zero, or nan from 0 * inf
        return Step(complex(a.real * b.real, a.real * b.imag + a.imag * b.real))

    def __truediv__(self, other: Any) -> Step:
        a, b = self.z, z_of(other)
        quotient = a.real / b.real
        return Step(complex(quotient, (a.imag - quotient * b.imag) / b.real))

    def __radd__(self, other: Any) -> Step:
        return Step(z_of(other)) + self

    def __rsub__(self, other: Any) -> Step:
        return Step(z_of(other)) - self

    def __rmul__(self, other: Any) -> Step:
        return Step(z_of(other)) * self

    def __rtruediv__(self, other: Any) -> Step:
        return Step(z_of(other)) / self

    def __rfloordiv__(self, other: Any) -> Step:
        return Step(z_of(other)) // self

    def __rmod__(self, other: Any) -> Step:
        return Step(z_of(other)) % self

    def __neg__(self) -> Step:
        return Step(-self.z)

    def __abs__(self) -> Step:
        return -self if self.z.real < 0 else self

    def __floordiv__(self, other: Any) -> Step:
        return Step(self.z.real // z_of(other).real)

    def __mod__(self, other: Any) -> Step:
        rest: Step = self - (self // other) * other
        return rest

    def __pow__(self, other: Any) -> Step:
        exponent = z_of(other)
        whole = exponent.imag == 0 and exponent.real == round(exponent.real)
        if whole and abs(exponent.real) <= 100:
            return Step(self.z ** int(exponent.real))  # by multiplication: the base may be negative or zero
        if whole and self.z.real < 0:
            return Step(z_of((-self) ** other) * (-1) ** int(exponent.real))
        return Step(cmath.exp(exponent * cmath.log(self.above_zero())))

    def __rpow__(self, other: Any) -> Step:
        return Step(z_of(other)) ** self

    def __lt__(self, other: Any) -> bool:
        return self.z.real < z_of(other).real

    def __le__(self, other: Any) -> bool:
        return self.z.real <= z_of(other).real

    def __gt__(self, other: Any) -> bool:
        return self.z.real > z_of(other).real

    def __ge__(self, other: Any) -> bool:
        return self.z.real >= z_of(other).real

    def __bool__(self) -> bool:
        return self.z.real != 0

    def above_zero(self) -> complex:
        """Return the complex number, if its real part is positive.

        Raises:
            ValueError: otherwise: its logarithm is not real.
        """
        return cf.above_zero(self.z)


def z_of(x: Any) -> complex:
    """Return `x`, a `Step` or a number, as a complex number."""
    return x.z if isinstance(x, Step) else complex(x)


def analytic(function: Callable[..., complex]) -> Callable[..., Step]:
    """Return `function`, of complex numbers, as a function of `Step`s."""
    return lambda *arguments: Step(function(*map(z_of, arguments)))


def inside(low: float, high: float, function: Callable[[complex], complex]) -> Callable[..., Step]:
    """Return `function` restricted to an interval; `cmath` also returns complex results outside, as for log(-1)."""

    def restricted(x: Any) -> Step:
        z = z_of(x)
        if not low < z.real < high:
            raise ValueError(f"expected a number between {low} and {high}")
        return Step(function(z))

    return restricted


def total(xs: Sequence[Any]) -> Step:
    """Return the sum of `xs`; real and imaginary part are rounded once each."""
    return Step(complex(math.fsum(z_of(x).real for x in xs), math.fsum(z_of(x).imag for x in xs)))


def product(xs: Sequence[Any], start: Any = 1.0) -> Step:
    """Return the product of `xs`."""
    out = Step(z_of(start))
    for x in xs:
        out = out * x
    return out


def length(*xs: Any) -> Step:
    """Return the Euclidean length of `xs`."""
    scale = max((abs(z_of(x).real) for x in xs), default=0.0) or 1.0
    squares = [x * x for x in (Step(z_of(x) / scale) for x in xs)]
    return Step(cmath.sqrt(total(squares).z)) * scale


def log_sum(xs: Sequence[Any]) -> Step:
    """Return log(sum(exp(x) for x in xs))."""
    top = max(z_of(x).real for x in xs)
    powers = [Step(cmath.exp(z_of(x) - top)) for x in xs]
    return Step(cmath.log(total(powers).z)) + top


def cross_entropy(xs: Sequence[Any], ys: Sequence[Any]) -> Step:
    """Return the cross-entropy of `softmax(xs)` and the probabilities `ys`."""
    top = max(range(len(xs)), key=lambda index: z_of(xs[index]).real)
    gaps = [Step(z_of(x) - z_of(xs[top])) for x in xs]
    rest = total([Step(cmath.exp(gap.z)) for index, gap in enumerate(gaps) if index != top])
    log_of_sum = Step(cf.log_of_one_plus(z_of(rest)))
    losses: Step = total([y * (log_of_sum - gap) for gap, y in zip(gaps, ys, strict=True)])
    return losses


def cube_root(x: Any) -> Step:
    """Return the cube root of `x`."""
    if x < 0:
        return Step(-cube_root(-x).z)
    return Step(cmath.exp(cmath.log(cf.above_zero(z_of(x))) / 3))


def binary_cross_entropy(p: Any, y: Any) -> Step:
    """Return `-(y * log(p) + (1 - y) * log(1 - p))`."""
    log_p, log_rest = Step(cmath.log(cf.above_zero(z_of(p)))), Step(cf.log_of_one_plus(-z_of(p)))
    loss: Step = -(log_p * y + log_rest * (1 - y))
    return loss


def real(x: Any) -> float:
    """Return the real part."""
    return z_of(x).real


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "acos": inside(-1, 1, cmath.acos),
    "acosh": inside(1, math.inf, cmath.acosh),
    "asin": inside(-1, 1, cmath.asin),
    "asinh": analytic(cmath.asinh),
    "atan": analytic(cmath.atan),
    "atan2": analytic(cf.angle),
    "atanh": inside(-1, 1, cmath.atanh),
    "binary_cross_entropy": binary_cross_entropy,
    "cbrt": cube_root,
    "copysign": lambda x, y: abs(x) * math.copysign(1, real(y)),
    "cos": analytic(cmath.cos),
    "cosh": analytic(cmath.cosh),
    "cross_entropy": cross_entropy,
    "degrees": lambda x: x * (180 / math.pi),
    "digamma": analytic(cf.digamma),
    "erf": analytic(cf.erf),
    "erfc": analytic(cf.erfc),
    "exp": analytic(cmath.exp),
    "exp2": analytic(lambda z: cmath.exp(z * cf.LOG_2)),
    "expm1": analytic(cf.exp_less_one),
    "floordiv": lambda x, y: x // y,
    "fma": lambda x, y, z: x * y + z,
    "fmod": lambda x, y: x - y * math.trunc(real(x) / real(y)),
    "fsum": total,
    "gamma": analytic(cf.gamma),
    "gelu": lambda x: x / 2 * Step(cf.erfc(-z_of(x) / math.sqrt(2))),
    "hypot": length,
    "ldexp": lambda x, i: x * 2.0**i,
    "len": len,
    "lgamma": analytic(cf.log_gamma),
    "log": inside(0, math.inf, cmath.log),
    "log10": inside(0, math.inf, lambda z: cmath.log(z) / cf.LOG_10),
    "log1p": inside(-1, math.inf, cf.log_of_one_plus),
    "log2": inside(0, math.inf, lambda z: cmath.log(z) / cf.LOG_2),
    "logaddexp": lambda x, y: log_sum([x, y]),
    "logsigmoid": analytic(lambda z: -cf.softplus(-z)),
    "logsumexp": log_sum,
    "max": max,
    "maximum": lambda *xs: max(xs),
    "min": min,
    "minimum": lambda *xs: min(xs),
    "polygamma": lambda n, x: Step(cf.polygamma(int(n), z_of(x))),
    "power": lambda x, y: x**y,
    "prod": product,
    "radians": lambda x: x * (math.pi / 180),
    "remainder": lambda x, y: x - y * round(real(x) / real(y)),
    "round": lambda x, ndigits: Step(round(real(x), ndigits)),
    "sigmoid": analytic(cf.sigmoid),
    "silu": lambda x: x * Step(cf.sigmoid(z_of(x))),
    "sin": analytic(cmath.sin),
    "sinh": analytic(cmath.sinh),
    "softplus": analytic(cf.softplus),
    "sqrt": inside(0, math.inf, cmath.sqrt),
    "sum": sum,
    "sumprod": lambda ps, qs: total([p * q for p, q in zip(ps, qs, strict=True)]),
    "tan": analytic(cmath.tan),
    "tanh": analytic(cmath.tanh),
}
CONSTANTS: Mapping[str, float] = {name: getattr(math, name) for name in ("e", "inf", "pi", "tau")}


@cache
def compiled(text: str) -> CodeType:
    """Return the code of an expression."""
    return compile(text, "<row text>", "eval")


def function(rule: Rule) -> Callable[..., Step]:
    """Return `rule` as a function, for rows whose text calls it."""
    return lambda *arguments: evaluate(rule, *((arguments,) if rule.variadic else arguments))


def evaluate(rule: Rule, *arguments: Any) -> Step:
    """Return the result of the forward text of `rule` on `Step`s and numbers, lists where it has sequences.

    Raises:
        NameError: if the text calls a function that has no complex version.
        TypeError, ValueError, ArithmeticError: where a function is not defined.

    >>> evaluate(RULES["mul"], Step(complex(3.0, H)), Step(5.0)).z.imag / H
    5.0
    """
    given = dict(zip(rule.arguments, arguments, strict=True))
    sequences = {name[:-1]: given[name] for name in source.sequences(rule)}
    rows = (source.words(rule.forward) & RULES.keys()) - FUNCTIONS.keys()
    names: dict[str, Any] = {**FUNCTIONS, **CONSTANTS, **{name: function(RULES[name]) for name in rows}}
    names |= {"n": len(next(iter(sequences.values())))} if sequences else {}
    names |= given | {"__builtins__": {}}
    start, fold, step = rule.forward.partition("; ")
    out = eval(compiled(start), names)
    if fold:
        for elements in zip(*sequences.values(), strict=True):
            out = eval(compiled(step), {**names, **dict(zip(sequences, elements, strict=True)), "out": out})
    return out if isinstance(out, Step) else Step(out)


def derivative(root: Value, leaf: Value) -> float:
    """Return the derivative of `root` by `leaf`, by complex step along the recorded graph.

    Raises:
        TypeError, NameError: if an operation between them has no complex version.
        ValueError, ArithmeticError: if one is not defined off the real axis.

    >>> x = Value(3.0)
    >>> derivative(x * x + x, x)
    7.0
    """
    steps = {leaf: Step(complex(leaf.data, H))}

    def lift(operand: Any) -> Any:
        if isinstance(operand, tuple):
            return [lift(element) for element in operand]
        if isinstance(operand, Value):
            return steps[operand] if operand in steps else Step(operand.data)
        return operand

    for node in graph.inner_nodes(root):
        if any(parent in steps for parent in node.parents):
            if node.op.rule is None:
                raise TypeError(f"the operation {node.op.name!r} is not in the table: it has no complex version")
            steps[node] = evaluate(node.op.rule, *map(lift, graph.arguments(node)))
    return steps[root].z.imag / H if root in steps else 0.0
