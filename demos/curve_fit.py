"""Which damped oscillation went through these noisy points? Run `python demos/curve_fit.py`, or with `--seed 7`.

The sum of squared residuals is made small by the method of Levenberg and Marquardt. Near a point the residuals r are
about linear, with the Jacobian matrix J: the step solves (JᵀJ + damping · D) step = -Jᵀr, where D is the diagonal of
JᵀJ. A step that makes the sum smaller is taken and the damping lowered, until it is Gauss and Newton's; otherwise the
damping grows, and the step becomes a short one downhill.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from microgrid import jacobian, math
from newton import solve


class Curve(NamedTuple):
    """The parameters of an oscillation that dies away: of numbers, or of whatever is differentiated."""

    height: Any
    decay: Any
    frequency: Any
    offset: Any

    def __call__(self, t: float) -> Any:
        return self.height * math.exp(-self.decay * t) * math.cos(self.frequency * t) + self.offset


TRUTH, GUESS, NOISE = Curve(2.0, 0.3, 2.5, 0.5), Curve(1.0, 0.1, 2.0, 0.0), 0.05
TIMES = [0.1 * k for k in range(61)]


def measured(rng: random.Random) -> list[float]:
    """Return the truth at each time, with noise."""
    return [TRUTH(t) + rng.gauss(0, NOISE) for t in TIMES]


def fit(data: Sequence[float], curve: Curve) -> Iterator[tuple[Curve, float, float]]:
    """Yield the curve after each step, with its sum of squares and the damping, until there is nothing to gain."""

    def residuals(curve: Curve) -> list[Any]:
        return [curve(t) - y for t, y in zip(TIMES, data, strict=True)]

    total, damping = math.sumprod(residuals(curve), residuals(curve)), 1e-2
    yield curve, total, damping
    while damping < 1e9:
        r, matrix = residuals(curve), jacobian(residuals)(curve)
        columns = [*zip(*matrix, strict=True)]
        normal = [[math.sumprod(a, b) * (1 + damping * (a is b)) for b in columns] for a in columns]
        step = solve(normal, [-math.sumprod(column, r) for column in columns])
        tried = Curve(*(x + dx for x, dx in zip(curve, step, strict=True)))
        squares = math.sumprod(residuals(tried), residuals(tried))
        gained, damping = total - squares, damping / 10 if squares < total else damping * 10
        if gained > 0:
            curve, total = tried, squares
            yield curve, total, damping
        if 0 <= gained <= 1e-12 * total:
            return


def picture(curve: Curve, data: Sequence[float]) -> Iterator[str]:
    """Yield a line for every third time: a star for the measurement, a point for the curve."""
    for t, y in [*zip(TIMES, data, strict=True)][::3]:
        cells = [" "] * 61
        for number, mark in ((curve(t), "."), (y, "*")):
            cells[min(max(round(20 * (number + 1)), 0), 60)] = mark
        yield f"{t:4.1f} |{''.join(cells).rstrip()}"


def main(argv: Sequence[str] | None = None) -> int:
    """Fit the curve to the data of the seed in `argv`; return 0 if the truth was found, but for the noise."""
    parser = argparse.ArgumentParser(description="Fit a curve to noisy data by damped Gauss-Newton steps.")
    parser.add_argument("--seed", type=int, default=1, help="of the noise (default: %(default)s)")
    data = measured(random.Random(parser.parse_args(argv).seed))
    print("step  sum of squares  damping   " + "  ".join(f"{name:>9}" for name in Curve._fields))
    for step, (curve, total, damping) in enumerate(fit(data, GUESS)):
        print(f"{step:4}  {total:14.9f}  {damping:7.0e}   " + "  ".join(f"{x:9.6f}" for x in curve))
    print("truth" + " " * 28 + "  ".join(f"{x:9.6f}" for x in TRUTH), "", sep="\n")
    print(*picture(curve, data), sep="\n")
    return 0 if all(abs(x - truth) < 0.1 for x, truth in zip(curve, TRUTH, strict=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
