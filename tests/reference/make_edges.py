"""Write edges.json: values and derivatives that PyTorch (float64, CPU) gives at kinks, edges and special points.

Run `python make_edges.py` with PyTorch installed (made with 2.13). The file is a JSON list, one entry per line, sorted
by name; within a name the points keep the order below. Every number is a string, the `repr` of a Python float, so that
"inf", "nan" and "-0.0" survive; read it back with `float`. An entry has the keys

  name    the rule
  args    its arguments (for `where` the first is the condition, "1.0" or "0.0")
  out     the result
  grads   d out / d arg, one per argument; null where torch gives none (a constant argument, or no derivative defined)
  second  d2 out / d arg0 2, only for rules of one differentiable argument; null where torch gives none (its first
          derivative does not depend on the argument)

Constants: `leaky_relu` has slope 0.01, `step` is heaviside(x, 0.0); the bounds of `clip_const` and the exponent of
`pow_const` are listed in args but are constants. `maximum` and `minimum` of two arguments are torch.maximum/minimum,
of three torch.amax/amin. torch never raises here, where Python often does (1 / 0, log(0), 0 ** -1, exp(710)).
"""

import json
from itertools import product
from math import inf, nan, pi
from pathlib import Path

import torch
from torch.nn import functional

SPECIAL = [0.0, -0.0, inf, -inf, nan]
PAIRS = list(product([0.0, -0.0, 2.0, -3.0, inf, -inf, nan], repeat=2))
TINY = 5e-324  # the smallest positive float
BELOW_1 = 1 - 2**-53

# One differentiable argument: function, points besides SPECIAL.
UNARY = {
    "neg": (torch.neg, [1.0]),
    "abs": (torch.abs, [1.0, -1.0, TINY, -TINY]),
    "exp": (torch.exp, [1.0, 709.0, 710.0, -745.0, -746.0]),
    "expm1": (torch.expm1, [1e-20, 709.0, 710.0, -40.0]),
    "exp2": (torch.exp2, [1.0, 1023.0, 1024.0, -1074.0, -1076.0]),
    "log": (torch.log, [1.0, -1.0, TINY]),
    "log1p": (torch.log1p, [-1.0, -BELOW_1, -2.0, 1e-20]),
    "log2": (torch.log2, [1.0, -1.0, TINY]),
    "log10": (torch.log10, [1.0, -1.0, TINY]),
    "sqrt": (torch.sqrt, [1.0, -1.0, TINY]),
    "sin": (torch.sin, [pi / 2, pi]),
    "cos": (torch.cos, [pi / 2, pi]),
    "tan": (torch.tan, [pi / 2, -pi / 2, pi]),
    "asin": (torch.asin, [1.0, -1.0, BELOW_1, 1.5, -1.5]),
    "acos": (torch.acos, [1.0, -1.0, BELOW_1, 1.5, -1.5]),
    "atan": (torch.atan, [1e200, -1e200]),
    "sinh": (torch.sinh, [710.0, 711.0, -711.0]),
    "cosh": (torch.cosh, [710.0, 711.0, -711.0]),
    "tanh": (torch.tanh, [20.0, -20.0, 1000.0, -1000.0]),
    "asinh": (torch.asinh, [1e-20, 1e200, -1e200]),
    "acosh": (torch.acosh, [1.0, BELOW_1, 1 + 2**-52, -1.0, 1e200]),
    "atanh": (torch.atanh, [1.0, -1.0, BELOW_1, 1.5, -1.5]),
    "erf": (torch.erf, [6.0, -6.0, 30.0]),
    "erfc": (torch.erfc, [6.0, -6.0, 30.0]),
    "lgamma": (torch.lgamma, [1.0, 2.0, -1.0, -2.0, -0.5, TINY]),
    "digamma": (torch.digamma, [1.0, -1.0, -2.0, -0.5]),
    "degrees": (torch.rad2deg, [pi]),
    "radians": (torch.deg2rad, [180.0]),
    "relu": (torch.relu, [1.0, -1.0, TINY, -TINY]),
    "leaky_relu": (lambda x: functional.leaky_relu(x, negative_slope=0.01), [1.0, -1.0]),
    "elu": (functional.elu, [1.0, -1.0, TINY, -1e-20, -40.0, -1000.0]),
    "gelu": (functional.gelu, [1.0, -1.0, 40.0, -40.0]),
    "silu": (functional.silu, [1.0, -1.0, 1000.0, -1000.0]),
    "sigmoid": (torch.sigmoid, [40.0, -40.0, 1000.0, -1000.0]),
    "logsigmoid": (functional.logsigmoid, [40.0, -40.0, 1000.0, -1000.0]),
    "softplus": (functional.softplus, [19.9, 20.0, 20.1, -40.0, 1000.0, -1000.0]),
    "softsign": (functional.softsign, [1.0, -1.0, 1e200]),
    "sign": (torch.sign, [2.0, -3.0, TINY, -TINY]),
    "huber": (lambda x: functional.huber_loss(x, torch.zeros_like(x)), [1.0, -1.0, 0.5, -3.0, 1e200]),
    "step": (lambda x: torch.heaviside(x, torch.tensor(0.0, dtype=x.dtype)), [2.0, -3.0, TINY, -TINY]),
}

# As above, followed by constants: function of (tensor, *floats), all points.
CLIP = [(x, -1.0, 1.0) for x in [-1.0, 1.0, 0.5, -2.0, 2.0, *SPECIAL]] + [
    *[(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (0.0, 1.0, -1.0), (1.0, 1.0, -1.0), (-1.0, 1.0, -1.0)],  # lo == hi, lo > hi
    *[(0.5, nan, 1.0), (0.5, -1.0, nan), (0.5, nan, nan), (nan, nan, nan)],
    *[(0.5, -inf, inf), (inf, -inf, inf), (-inf, -inf, inf), (-0.0, 0.0, 1.0), (0.0, -1.0, -0.0)],
]
CONST = {
    "clip_const": (torch.clamp, CLIP),
    "pow_const": (torch.pow, list(product([*SPECIAL, -2.0], [0.0, 1.0, 2.0, 3.0, 4.0, 0.5, 1.5, -1.0, -2.0]))),
}

# Several differentiable arguments: function, all points.
MANY = {
    "add": (torch.add, PAIRS),
    "sub": (torch.sub, PAIRS),
    "mul": (torch.mul, PAIRS),
    "div": (torch.div, PAIRS),
    "floordiv": (lambda x, y: torch.div(x, y, rounding_mode="floor"), PAIRS),
    "mod": (torch.remainder, PAIRS),
    "fmod": (torch.fmod, PAIRS),
    "pow": (torch.pow, [*PAIRS, *product([0.0, -0.0, -2.0, 1.0, -1.0, inf, -inf], [1.0, 0.5, -1.0, 3.0])]),
    "atan2": (torch.atan2, PAIRS),
    "hypot": (torch.hypot, [*PAIRS, (3e200, 4e200), (3e-200, 4e-200)]),
    "copysign": (torch.copysign, PAIRS),
    "logaddexp": (torch.logaddexp, [*PAIRS, (1000.0, 1000.0), (-1000.0, -1000.0), (1000.0, -1000.0)]),
    "clip": (torch.clamp, CLIP),
    "where": (lambda c, x, y: torch.where(c.detach() != 0, x, y), [(c, *p) for c in (1.0, 0.0) for p in PAIRS]),
}

# Reductions of the stacked arguments: function, all points.
TIES = [(1.0, 1.0, 1.0), (1.0, 2.0, 2.0), (1.0, 1.0, 2.0), (0.0, -0.0, 0.0), (inf, inf, 1.0), (-inf, -inf, 1.0)]
TIES += [(nan, 1.0, 2.0), (1.0, nan, inf), (nan, nan, 1.0), (-inf, -inf, -inf), (inf, inf, inf)]
ZEROS = [(0.0, 2.0, -3.0), (2.0, -0.0, -3.0), (0.0, 0.0, 2.0), (0.0, 2.0, -0.0), (0.0, 0.0, 0.0)]
ZEROS += [(0.0, inf, 2.0), (0.0, nan, 2.0)]
STACKED = {
    "mean": (torch.mean, [(x,) for x in SPECIAL] + PAIRS),
    "logsumexp": (lambda v: torch.logsumexp(v, 0), [(x,) for x in [2.0, *SPECIAL]] + PAIRS + TIES + [(1e3, 1e3, -1e3)]),
    "prod": (torch.prod, [(x,) for x in [2.0, *SPECIAL]] + PAIRS + ZEROS),
}


def show(tensor):
    """The number in `tensor` as text, or None."""
    return None if tensor is None else repr(tensor.item())


def derivatives(out, args, create_graph=False):
    """The derivative of `out` for each of `args`: None where torch has none."""
    if not out.requires_grad:
        return [None] * len(args)
    try:
        return torch.autograd.grad(out, args, allow_unused=True, retain_graph=True, create_graph=create_graph)
    except RuntimeError as error:
        if "not implemented" not in str(error):
            raise
        return [None] * len(args)


def entry(name, function, point, constants=()):
    """One line of the table; `constants` follow `point` and have no gradient."""
    args = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
    out = function(*args, *constants)
    result = {"name": name, "args": [repr(x) for x in (*point, *constants)], "out": show(out)}
    result["grads"] = [show(g) for g in derivatives(out, args)] + [None] * len(constants)
    if name in UNARY or name in CONST:
        # Taken apart from grads: for some rules torch uses another formula for the first derivative under create_graph.
        (first,) = derivatives(out, args, create_graph=True)
        result["second"] = None if first is None else show(derivatives(first, args)[0])
    return result


def entries():
    """All the lines of the table."""
    for name, (function, points) in UNARY.items():
        yield from (entry(name, function, (x,)) for x in [*SPECIAL, *points])
    for name, (function, points) in CONST.items():
        yield from (entry(name, function, point[:1], point[1:]) for point in points)
    for name, (function, points) in MANY.items():
        yield from (entry(name, function, point) for point in points)
    for name, (function, points) in STACKED.items():
        yield from (entry(name, lambda *args, f=function: f(torch.stack(args)), point) for point in points)
    for name, pairwise, reduction in (("maximum", torch.maximum, torch.amax), ("minimum", torch.minimum, torch.amin)):
        yield from (entry(name, pairwise, point) for point in PAIRS)
        yield from (entry(name, lambda *args, f=reduction: f(torch.stack(args), 0), point) for point in TIES)


if __name__ == "__main__":
    lines = [json.dumps(line) for line in sorted(entries(), key=lambda line: line["name"])]
    Path(__file__).with_name("edges.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
