"""How fast does Newton's method find a minimum? Run `python demos/newton.py`, or with a start: `0.5 -0.25`.

Each step goes to the minimum of the parabola that has the function's value, gradient and Hessian matrix. Near the
solution the error is squared each time: the number of right digits doubles. The function is the example of Boyd and
Vandenberghe, Convex Optimization, section 9.3; its minimum is known: x = -log(2) / 2, y = 0.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

from microgrid import grad, hessian, math

MINIMUM = [-math.log(2) / 2, 0.0]


def function(point):
    """Return the sum of three exponentials, which is strictly convex."""
    x, y = point
    return math.exp(x + 3 * y - 0.1) + math.exp(x - 3 * y - 0.1) + math.exp(-x - 0.1)


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return the solution of a system of linear equations, by elimination with pivots."""
    rows = [[*row, number] for row, number in zip(matrix, right, strict=True)]
    for place in range(len(rows)):
        pivot = max(range(place, len(rows)), key=lambda index: abs(rows[index][place]))
        rows[place], rows[pivot] = rows[pivot], rows[place]
        rows[place] = [number / rows[place][place] for number in rows[place]]
        for index, row in enumerate(rows):
            if index != place:
                rows[index] = [number - row[place] * own for number, own in zip(row, rows[place], strict=True)]
    return [row[-1] for row in rows]


def newton(function, point: list[float], tolerance: float = 1e-12) -> Iterator[list[float]]:
    """Yield the points that Newton's method visits, until the gradient vanishes."""
    yield point
    for _ in range(50):
        slopes = grad(function)(point)
        if math.hypot(*slopes) <= tolerance:
            return
        step = solve(hessian(function)(point), slopes)
        point = [x - dx for x, dx in zip(point, step, strict=True)]
        yield point


def main(argv: Sequence[str] | None = None) -> int:
    """Show the steps from the start that `argv` asks for; return 0 if they end in the minimum."""
    parser = argparse.ArgumentParser(description="Minimise a function of two variables by Newton's method.")
    parser.add_argument("start", type=float, nargs="*", help="two numbers (default: -1 1)")
    start = parser.parse_args(argv).start or [-1.0, 1.0]
    if len(start) != 2:
        parser.error(f"expected two numbers, got {len(start)}")
    print("step           x            y           f(x, y)    error")
    for step, (x, y) in enumerate(newton(function, start)):
        error = math.dist([x, y], MINIMUM)
        print(f"{step:4}  {x:12.9f} {y:12.9f}  {function([x, y]):15.12f}  {error:7.1e}")
    print(f"\nthe minimum is at {MINIMUM[0]:.9f}, {MINIMUM[1]:.9f}")
    return 0 if error < 1e-9 else 1


if __name__ == "__main__":
    sys.exit(main())
