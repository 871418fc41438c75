"""An oracle for derivatives that shares nothing with the partials of the table: complex step on the forward text.

For an analytic f, f(x + ih) = f(x) + ih f'(x) + O(h²): with h = 1e-150 the imaginary part is the derivative to the last
bits, without cancellation (Squire and Trapp, SIAM Review 40, 1998). The functions are written here once more, for
complex numbers; choices and roundings look at the real part, so that piecewise functions are served too.
"""

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

H = 1e-150


class Step:
    """A complex number that is compared and rounded by its real part."""

    def __init__(self, z: complex) -> None:
        self.z = complex(z)

    def __repr__(self) -> str:
        return f"Step({self.z})"

    def __add__(self, other: Any) -> "Step":
        return Step(self.z + z_of(other))

    def __sub__(self, other: Any) -> "Step":
        return Step(self.z - z_of(other))

    def __mul__(self, other: Any) -> "Step":
        a, b = self.z, z_of(other)  # without the product of two imaginary parts, which is zero but for 0 * inf
        return Step(complex(a.real * b.real, a.real * b.imag + a.imag * b.real))

    def __truediv__(self, other: Any) -> "Step":
        a, b = self.z, z_of(other)
        quotient = a.real / b.real
        return Step(complex(quotient, (a.imag - quotient * b.imag) / b.real))

    def __radd__(self, other: Any) -> "Step":
        return Step(z_of(other)) + self

    def __rsub__(self, other: Any) -> "Step":
        return Step(z_of(other)) - self

    def __rmul__(self, other: Any) -> "Step":
        return Step(z_of(other)) * self

    def __rtruediv__(self, other: Any) -> "Step":
        return Step(z_of(other)) / self

    def __neg__(self) -> "Step":
        return Step(-self.z)

    def __abs__(self) -> "Step":
        return -self if self.z.real < 0 else self

    def __floordiv__(self, other: Any) -> "Step":
        return Step(self.z.real // z_of(other).real)

    def __mod__(self, other: Any) -> "Step":
        return Step(self.z - z_of((self // other) * other))

    def __pow__(self, other: Any) -> "Step":
        return Step(cmath.exp(z_of(other) * cmath.log(self.z)))

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


def z_of(x: Any) -> complex:
    return x.z if isinstance(x, Step) else complex(x)


def analytic(function: Callable[..., complex]) -> Callable[..., Step]:
    return lambda *arguments: Step(function(*map(z_of, arguments)))


def truncated(x: Step, y: Step) -> int:
    return math.trunc(x.z.real / y.z.real)


def total(xs: Sequence[Any], start: Any = 0.0) -> Any:
    real, imag = math.fsum(z_of(x).real for x in xs), math.fsum(z_of(x).imag for x in xs)
    return Step(complex(real, imag)) + start


def product(xs: Sequence[Any], start: Any = 1.0) -> Any:
    out = Step(z_of(start))
    for x in xs:
        out = out * x
    return out


def length(*xs: Step) -> Step:
    scale = max((abs(x.z.real) for x in xs), default=0.0) or 1.0
    return Step(cmath.sqrt(total([(x / scale) * (x / scale) for x in xs]).z)) * scale


def log_sum(xs: Sequence[Step]) -> Step:
    top = max(x.z.real for x in xs)
    return Step(cmath.log(total([Step(cmath.exp(x.z - top)) for x in xs]).z)) + top


def cross_entropy(xs: Sequence[Step], ys: Sequence[Step]) -> Any:
    top = max(range(len(xs)), key=lambda i: xs[i].z.real)
    rest = total([Step(cmath.exp(x.z - xs[top].z)) for i, x in enumerate(xs) if i != top])
    return total([y * (Step(log_of_one_plus(z_of(rest))) + (xs[top] - x)) for x, y in zip(xs, ys, strict=True)])


def log_of_one_plus(z: complex) -> complex:
    return complex(math.log1p(z.real), z.imag / (1 + z.real))


def softplus(z: complex) -> complex:
    return z + log_of_one_plus(cmath.exp(-z)) if z.real > 0 else log_of_one_plus(cmath.exp(z))


def sigmoid(z: complex) -> complex:
    return 1 / (1 + cmath.exp(-z)) if z.real > 0 else cmath.exp(z) / (1 + cmath.exp(z))


def angle(y: complex, x: complex) -> complex:
    scale = max(abs(x.real), abs(y.real))
    a, b = x / scale, y / scale
    slope = (b.imag * a.real - b.real * a.imag) / (a.real * a.real + b.real * b.real)
    return complex(math.atan2(y.real, x.real), slope)


LN2, LN10 = math.log(2), math.log(10)

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "acos": analytic(cmath.acos),
    "acosh": analytic(cmath.acosh),
    "asin": analytic(cmath.asin),
    "asinh": analytic(cmath.asinh),
    "atan": analytic(cmath.atan),
    "atan2": analytic(angle),
    "atanh": analytic(cmath.atanh),
    "binary_cross_entropy": lambda p, y: -(y * Step(cmath.log(p.z)) + (1 - y) * Step(log_of_one_plus(-p.z))),
    "cbrt": lambda x: Step(cmath.exp(cmath.log(x.z) / 3)) if x > 0 else -Step(cmath.exp(cmath.log(-x.z) / 3)),
    "copysign": lambda x, y: abs(x) * math.copysign(1, y.z.real),
    "cos": analytic(cmath.cos),
    "cosh": analytic(cmath.cosh),
    "cross_entropy": cross_entropy,
    "degrees": lambda x: x * (180 / math.pi),
    "exp": analytic(cmath.exp),
    "exp2": analytic(lambda z: cmath.exp(z * LN2)),
    "expm1": analytic(lambda z: complex(math.expm1(z.real), z.imag * math.exp(z.real))),
    "floordiv": lambda x, y: x // y,
    "fma": lambda x, y, z: x * y + z,
    "fmod": lambda x, y: x - y * truncated(x, y),
    "fsum": total,
    "hypot": length,
    "ldexp": lambda x, i: x * 2.0**i,
    "len": len,
    "log": analytic(cmath.log),
    "log10": analytic(lambda z: cmath.log(z) / LN10),
    "log1p": analytic(log_of_one_plus),
    "log2": analytic(lambda z: cmath.log(z) / LN2),
    "logaddexp": lambda x, y: log_sum([x, y]),
    "logsigmoid": analytic(lambda z: -softplus(-z)),
    "logsumexp": log_sum,
    "maximum": lambda *xs: max(xs),
    "minimum": lambda *xs: min(xs),
    "power": lambda x, y: x**y,
    "prod": product,
    "radians": lambda x: x * (math.pi / 180),
    "remainder": lambda x, y: x - y * round(x.z.real / y.z.real),
    "round": lambda x, ndigits: Step(round(x.z.real, ndigits)),
    "sigmoid": analytic(sigmoid),
    "silu": lambda x: x * Step(sigmoid(x.z)),
    "sin": analytic(cmath.sin),
    "sinh": analytic(cmath.sinh),
    "softplus": analytic(softplus),
    "sqrt": analytic(cmath.sqrt),
    "sumprod": lambda ps, qs: total([p * q for p, q in zip(ps, qs, strict=True)]),
    "tan": analytic(cmath.tan),
    "tanh": analytic(cmath.tanh),
}

# No complex version in the standard library: these are held to a table of 40 digits.
TABULATED = {"erf", "erfc", "gamma", "lgamma", "digamma", "polygamma", "gelu"}


def evaluate(forward: str, arguments: Mapping[str, Any]) -> Step:
    """Return the value of a row's forward text, `start; step` included, on arguments that may be `Step`s."""
    names = {**FUNCTIONS, **arguments, "__builtins__": {}}
    sequences = {name[:-1]: value for name, value in arguments.items() if isinstance(value, list)}
    if sequences:
        names["n"] = len(next(iter(sequences.values())))
    start, fold, step = forward.partition("; ")
    out = eval(start, names)
    if fold:
        for elements in zip(*sequences.values(), strict=True):
            out = eval(step, {**names, **dict(zip(sequences, elements, strict=True)), "out": out})
    return out if isinstance(out, Step) else Step(out)


def complex_step(
    forward: str, arguments: Mapping[str, Any], name: str, index: int | None = None
) -> tuple[float, float]:
    """Return the value of `forward` and its derivative by the argument `name`, or by element `index` of it."""

    def lift(key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [Step(complex(x, H * (key == name and i == index))) for i, x in enumerate(value)]
        return Step(complex(value, H * (key == name))) if isinstance(value, float) else value

    out = evaluate(forward, {key: lift(key, value) for key, value in arguments.items()}).z
    return out.real, out.imag / H
