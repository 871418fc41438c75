"""Does a planet keep its energy? Run `python demos/hamilton.py`, or with `--eccentricity 0.3 --orbits 5`.

Only the energy is written down; the motion follows from its derivatives, by Hamilton's equations: the position changes
as the energy does by the momentum, the momentum as minus the energy by the position. Leapfrog steps are symplectic:
the energy goes up and down within an orbit, and comes back. Euler's steps, as long, gain energy with every orbit.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence

from microgrid import grad, math

Vector = list[float]
STEPS = 400  # of an orbit
COLUMNS, LINES = 61, 25


def energy(q, p):
    """Return the energy of a planet of mass 1 at position `q` with momentum `p`; its sun stands still at the origin."""
    return math.sumprod(p, p) / 2 - 1 / math.hypot(*q)


def moved(v: Vector, direction: Vector, amount: float) -> Vector:
    """Return `v` moved by `amount` times `direction`."""
    return [x + amount * dx for x, dx in zip(v, direction, strict=True)]


velocity, minus_force = grad(energy, 1), grad(energy, 0)


def leapfrog(q: Vector, p: Vector, dt: float) -> tuple[Vector, Vector]:
    """Return position and momentum a step later: half a kick, a drift, half a kick."""
    p = moved(p, minus_force(q, p), -dt / 2)
    q = moved(q, velocity(q, p), dt)
    return q, moved(p, minus_force(q, p), -dt / 2)


def euler(q: Vector, p: Vector, dt: float) -> tuple[Vector, Vector]:
    """Return position and momentum a step later, both along their present rates."""
    return moved(q, velocity(q, p), dt), moved(p, minus_force(q, p), -dt)


def orbit(
    step: Callable[..., tuple[Vector, Vector]], eccentricity: float, orbits: int
) -> Iterator[tuple[Vector, float]]:
    """Yield positions and energies along orbits of major axis 2, whose period is 2π, from the point next to the sun."""
    q, p = [1 - eccentricity, 0.0], [0.0, math.sqrt((1 + eccentricity) / (1 - eccentricity))]
    for _ in range(orbits * STEPS):
        yield q, energy(q, p)
        q, p = step(q, p, math.tau / STEPS)
    yield q, energy(q, p)


def picture(positions: Sequence[Vector]) -> list[str]:
    """Return the lines of a map from -2 to 2 in both directions: `o` for the sun, `.` for where the planet was."""
    cells = [[" "] * COLUMNS for _ in range(LINES)]
    for mark, (x, y) in [*((".", position) for position in positions), ("o", (0.0, 0.0))]:
        column, line = round((x + 2) / 4 * (COLUMNS - 1)), round((2 - y) / 4 * (LINES - 1))
        if 0 <= column < COLUMNS and 0 <= line < LINES:
            cells[line][column] = mark
    return ["".join(row).rstrip() for row in cells]


def main(argv: Sequence[str] | None = None) -> int:
    """Integrate the orbit that `argv` asks for; return 0 if the leapfrog steps kept the energy."""
    parser = argparse.ArgumentParser(description="Integrate a planet's orbit from its energy alone.")
    parser.add_argument("--eccentricity", type=float, default=0.5, help="from 0 to 0.8 (default: %(default)s)")
    parser.add_argument("--orbits", type=int, default=3, help="how many (default: %(default)s)")
    options = parser.parse_args(argv)
    if not 0 <= options.eccentricity <= 0.8 or options.orbits < 1:
        parser.error("expected an eccentricity from 0 to 0.8, and at least 1 orbit")
    print("energy, and what it has gained after each orbit")
    drifts = {}
    for step in (leapfrog, euler):
        path = [*orbit(step, options.eccentricity, options.orbits)]
        start, gains = path[0][1], [path[STEPS * (k + 1)][1] - path[0][1] for k in range(options.orbits)]
        print(f"{step.__name__:>9} {start:9.6f}  " + " ".join(f"{gain:+.1e}" for gain in gains))
        drifts[step] = max(map(abs, gains))
        if step is leapfrog:
            lines = picture([position for position, _ in path])
    print(*lines, sep="\n")
    return 0 if drifts[leapfrog] < 1e-5 < drifts[euler] else 1


if __name__ == "__main__":
    sys.exit(main())
