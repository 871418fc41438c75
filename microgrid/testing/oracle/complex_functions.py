"""Complex functions that `cmath` lacks, for complex steps: precise to the last bits just off the real axis.

Their formulas differ from those in `special` and from the partials of the table, so that a mistake in one shows
against the other. Where a formula covers only part of the real axis, the rest raises ValueError.
"""

from __future__ import annotations

import cmath
import math

LOG_2, LOG_10 = math.log(2), math.log(10)
HALF_LOG_2_PI = math.log(2 * math.pi) / 2
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # B(2), B(4), ... B(16)
LARGE = 16  # from here on the asymptotic series with these Bernoulli numbers are exact to the last bits


def log_of_one_plus(z: complex) -> complex:
    """Return log(1 + z), without cancellation near 0."""
    return complex(math.log1p(z.real), z.imag / (1 + z.real))


def exp_less_one(z: complex) -> complex:
    """Return exp(z) - 1, without cancellation near 0."""
    return complex(math.expm1(z.real), z.imag * math.exp(z.real))


def sigmoid(z: complex) -> complex:
    """Return 1 / (1 + exp(-z))."""
    return 1 / (1 + cmath.exp(-z)) if z.real > 0 else cmath.exp(z) / (1 + cmath.exp(z))


def softplus(z: complex) -> complex:
    """Return log(1 + exp(z))."""
    return z + log_of_one_plus(cmath.exp(-z)) if z.real > 0 else log_of_one_plus(cmath.exp(z))


def angle(y: complex, x: complex) -> complex:
    """Return the angle of the point (x, y)."""
    scale = max(abs(x.real), abs(y.real))
    a, b = x / scale, y / scale
    slope = (b.imag * a.real - b.real * a.imag) / (a.real * a.real + b.real * b.real)
    return complex(math.atan2(y.real, x.real), slope)


def erf(z: complex) -> complex:
    """Return the error function: by its power series near 0, elsewhere as 1 - `erfc`."""
    if abs(z.real) >= 1:
        return 1 - erfc(z)
    term = total = z
    for n in range(1, 20):
        term *= -z * z / n
        total += term / (2 * n + 1)
    return total * 2 / math.sqrt(math.pi)


def erfc(z: complex) -> complex:
    """Return 1 - erf(z), by the trapezoidal rule: its error falls as exp(-(pi / step)**2).

    Matta and Reichel, Mathematics of Computation 25, 1971; the last term is the residue of the integrand's pole.
    """
    if z.real < 0:
        return 2 - erfc(-z)
    if z.real < 1:
        return 1 - erf(z)
    step = 0.5
    nodes = [(step * k) ** 2 for k in range(1, 14)]
    integral = 1 / (2 * z * z) + sum(math.exp(-t) / (t + z * z) for t in nodes)
    pole = 2 / (cmath.exp(2 * math.pi * z / step) - 1) if z.real < math.pi / step else 0
    near = round(16 * z.real) / 16  # the square of this is exact, that of z is rounded
    density = math.exp(-near * near) * cmath.exp(-(z - near) * (z + near))
    return 2 * step * z * density / math.pi * integral - pole


def above_zero(z: complex) -> complex:
    """Return `z`, if its real part is positive.

    Raises:
        ValueError: otherwise: the series of the gamma functions hold for that half plane.
    """
    if not z.real > 0:
        raise ValueError("expected a positive real part")
    return z


def stirling(z: complex) -> complex:
    """Return log(gamma(z)) for large z (DLMF 5.11.1)."""
    series = sum(b / (2 * k * (2 * k - 1)) * (1 / z) ** (2 * k - 1) for k, b in enumerate(BERNOULLI, 1))
    return (z - 0.5) * cmath.log(z) - z + HALF_LOG_2_PI + series


def log_gamma(z: complex) -> complex:
    """Return log(gamma(z)); for small z by recurrence from a large one."""
    return stirling(z) if above_zero(z).real >= LARGE else log_gamma(z + 1) - cmath.log(z)


def gamma(z: complex) -> complex:
    """Return the gamma function: `math.gamma`, and its derivative by that of `log_gamma`."""
    return complex(1, log_gamma(z).imag) * math.gamma(z.real)


def digamma(z: complex) -> complex:
    """Return the derivative of `log_gamma` (DLMF 5.11.2); for small z by recurrence."""
    if above_zero(z).real < LARGE:
        return digamma(z + 1) - 1 / z
    return cmath.log(z) - 1 / (2 * z) - sum(b / (2 * k) * (1 / z) ** (2 * k) for k, b in enumerate(BERNOULLI, 1))


def polygamma(n: int, z: complex) -> complex:
    """Return the n-th derivative of `digamma`: a Hurwitz zeta function (DLMF 25.11.12, by Euler and Maclaurin)."""
    if n == 0:
        return digamma(z)
    s = n + 1
    count = max(0, math.ceil(LARGE + 2 * n - above_zero(z).real))
    last = 1 / (z + count)  # its powers may underflow to 0, those of its reciprocal would overflow and raise
    zeta = last ** (s - 1) / (s - 1) + last**s / 2
    for k, b in enumerate(BERNOULLI, 1):
        zeta += b / math.factorial(2 * k) * math.perm(s + 2 * k - 2, 2 * k - 1) * last ** (s + 2 * k - 1)
    zeta += sum((1 / (z + k)) ** s for k in reversed(range(count)))
    return zeta * math.factorial(n) * (1 if n % 2 else -1)
