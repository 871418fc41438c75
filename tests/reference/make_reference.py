"""Write values.json: functions and their derivatives to 40 digits, by mpmath (`pip install mpmath`).

    python tests/reference/make_reference.py

The file is a list of rows, each a dict:

- `name`: the function;
- `args`: its arguments, floats and (for the order of polygamma) integers, exact as JSON prints them;
  `logsumexp` takes them all as one sequence;
- `value`: the value at these arguments, a string of 40 digits;
- `first`: for each argument the first partial derivative, a string, or null where there is none (the order);
- `second`: the matrix of second partial derivatives, a list of lists of the same form.

Points at which the value is not a normal float are left out; a derivative may still be too large or too small.
The derivatives are central differences taken with so many digits that the first 40 are right: they share nothing with
the formulas that the tests compare with them.
"""

from __future__ import annotations

import json
from pathlib import Path

import mpmath as mp

STEP = mp.mpf(10) ** -100  # relative to an argument below 1; its square bounds the relative error of differences

AROUND_ZERO = [0.0, 1e-300, -1e-300, 1e-9, -1e-9, 0.001, -0.001, 0.1, -0.1, 0.5, -0.5]
MIDDLE = [1.0, -1.0, 1.7, -2.3, 3.0, -4.5, 6.0, -8.0, 15.0, -20.0]
TAILS = [36.0, -37.0, 100.0, -100.0, 700.0, -700.0]
ABOVE_ZERO = [1e-300, 1e-10, 0.001, 0.1, 0.5, 0.75, 1.0, 1.25, 1.4616321449683622, 1.5, 2.0, 2.5, 3.0, 5.5, 7.0, 9.75]
ABOVE_ZERO += [10.0, 12.3, 20.0, 50.5, 100.0]
BELOW_ZERO = [
    -1e-300,
    -1e-10,
    -0.001,
    -0.25,
    -0.5,
    -0.75,
    -0.999,
    -1.001,
    -1.5,
    -2.3,
    -3.875,
    -5.5,
    -10.1,
    -20.5,
    -50.25,
]
PAIRS = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (-1.0, 3.0), (0.1, -0.1), (-5.0, -5.0), (1e-9, -1e-9), (30.0, -10.0)]
PAIRS += [(-40.0, 0.0), (0.0, -40.0), (700.0, 699.0), (700.0, 0.5), (-700.0, -699.0), (-0.5, -2.0), (1000.0, 1000.0)]
PAIRS += [(-1000.0, -1001.5), (1e10, 1e10), (3.0, 3.0), (-300.0, 0.0), (5.5, 4.25), (0.75, -3.0), (20.0, 21.0)]
TRIPLES = [(0.0, 0.0, 0.0), (1.0, 2.0, 3.0), (3.0, 2.0, 1.0), (-1.0, -2.0, -50.0), (700.0, 700.0, 1.0)]
TRIPLES += [(-700.0, -701.0, -702.0), (0.0, -300.0, -301.0), (0.1, 0.2, -0.3), (5.0, 5.0, -5.0), (-10.0, 20.0, 20.5)]

FUNCTIONS = {
    "erf": mp.erf,
    "erfc": mp.erfc,
    "gamma": mp.gamma,
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
    "digamma": mp.digamma,
    "polygamma": mp.polygamma,
    "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "logsigmoid": lambda x: -log1p(mp.exp(-x)),
    "softplus": lambda x: log1p(mp.exp(x)),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "logaddexp": lambda *xs: mp.log(mp.fsum(map(mp.exp, xs))),
    "logsumexp": lambda *xs: mp.log(mp.fsum(map(mp.exp, xs))),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "exp2": lambda x: mp.mpf(2) ** x,
    "log1p": lambda x: log1p(x),
    "expm1": lambda x: mp.expm1(x),
}

EVERYWHERE = [*AROUND_ZERO, *MIDDLE, *TAILS]
POINTS = {
    "erf": [*AROUND_ZERO, *MIDDLE, 5.9, -5.9, 25.0, -26.0],
    "erfc": [*AROUND_ZERO, *MIDDLE, 5.9, -5.9, 25.0, 26.0, -26.0],
    "gamma": [*ABOVE_ZERO, *BELOW_ZERO, 170.5, -99.5],
    "lgamma": [*ABOVE_ZERO, *BELOW_ZERO, 170.5, 1e10, 1e100, -99.5],
    "digamma": [*ABOVE_ZERO, *BELOW_ZERO, 1e10, 1e100, -1000000.25],
    "polygamma": [(n, x) for n in (1, 2, 3, 4, 10) for x in (*ABOVE_ZERO, *BELOW_ZERO, 1e10)],
    "gelu": [*AROUND_ZERO, *MIDDLE, 36.0, -37.0, 100.0, 700.0],
    "sigmoid": EVERYWHERE,
    "logsigmoid": EVERYWHERE,
    "softplus": EVERYWHERE,
    "silu": EVERYWHERE,
    "logaddexp": PAIRS,
    "logsumexp": [*PAIRS, *TRIPLES],
    "cbrt": [*AROUND_ZERO[1:], *MIDDLE, *TAILS, 1e300, -1e300],
    "exp2": [*AROUND_ZERO, *MIDDLE, *TAILS, 1023.5, -1021.5],
    "log1p": [*AROUND_ZERO, 1.0, 1.7, 3.0, 6.0, 15.0, 36.0, 700.0, 1e100, -0.75, -0.9, -0.999, -0.999999999, -0.1],
    "expm1": EVERYWHERE,
}


def log1p(x):
    """Return log(1 + x), with more digits for the 1 where x is tiny."""
    with mp.extradps(400):
        return +mp.log(1 + x)


def steps(args):
    """Return for each argument how far to move it, or None for an integer."""
    return [None if isinstance(x, int) else STEP * (min(abs(mp.mpf(x)), 1) or 1) for x in args]


def moved(function, args, *moves):
    """Return the function's value with each argument `i` moved by `d`, for all `(i, d)` in `moves`."""
    args = [x if isinstance(x, int) else mp.mpf(x) for x in args]
    for i, d in moves:
        args[i] += d
    return function(*args)


def first(function, args, i):
    """Return the partial derivative by argument `i`, None for an integer."""
    h = steps(args)[i]
    return h and (moved(function, args, (i, h)) - moved(function, args, (i, -h))) / (2 * h)


def second(function, args, i, j):
    """Return the second partial derivative by arguments `i` and `j`, None for integers."""
    h, k = steps(args)[i], steps(args)[j]
    if h is None or k is None:
        return None
    corners = [a * b * moved(function, args, (i, a * h), (j, b * k)) for a in (1, -1) for b in (1, -1)]
    return mp.fsum(corners) / (4 * h * k)


def digits(x):
    """Return 40 digits of x, 0.0 for what is only the error of a difference."""
    return x if x is None else mp.nstr(x if abs(x) > mp.mpf(10) ** -640 else mp.mpf(0), 40)


def row(name, args):
    """Return the row of a function at a point, None where the value is no normal float."""
    function = FUNCTIONS[name]
    value = moved(function, args)
    if value and not 2.3e-308 < abs(value) < 1.7e308:
        return None
    every = range(len(args))
    return {
        "name": name,
        "args": list(args),
        "value": digits(value),
        "first": [digits(first(function, args, i)) for i in every],
        "second": [[digits(second(function, args, i, j)) for j in every] for i in every],
    }


def digits_needed(args):
    """Return how many digits to calculate with, so that what rounding does to second differences is below 10**-640."""
    return 1700 if any(0 < abs(x) < 1e-20 for x in args) else 950


def main():
    """Write the table beside this script."""
    rows = []
    for name in FUNCTIONS:
        for args in POINTS[name]:
            args = args if isinstance(args, tuple) else (args,)
            with mp.workdps(digits_needed(args)):
                if made := row(name, args):
                    rows.append(json.dumps(made))
    Path(__file__).with_name("values.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")


if __name__ == "__main__":
    main()
