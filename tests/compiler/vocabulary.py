"""What random programs are written with: names and helpers, and forms of expressions, the simplest first."""

PRELUDE = """\
import copy
import enum
import functools
import operator
import pickle
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

from microgrid import *
from microgrid import math, nn

inf, nan = math.inf, math.nan

if sys.version_info >= (3, 12):  # where the builtin one is compensated on plain floats
    def sum(numbers, start=0):
        return functools.reduce(operator.add, numbers, start)

class Mode(enum.Enum):
    MEAN, TOTAL = "mean", "total"

class Level(enum.IntEnum):
    LOW, HIGH = 1, 2

class Pair(NamedTuple):
    x: Any
    y: Any

@dataclass
class Box:
    x: Any
    mode: Any = "mean"

class Weights(list):
    scale = 1.0

class Table(dict):
    scale = 1.0

class Net(nn.Module):
    def __init__(self, weight):
        self.weight, self.skipped, self.scale = Value(weight), {1}, 1.0

    def __call__(self, x):
        return (self.weight * x).tanh() * self.scale

def boxed(x, mode="mean", **more):
    box = Box(x, mode)
    vars(box).update(more)
    return box

def scaled(item, scale):
    item.scale = scale
    return item

def pickled(item):
    return pickle.loads(pickle.dumps(item))

def repeatedly(function, times):
    return lambda *arguments: sum([function(*arguments) for _ in range(times)])
"""

FEATURES = (
    "transforms", "rows", "integers", "hashing", "errors", "where", "nests", "settings", "leaves", "kinds", "outside",
    "larger", "loops", "nested", "state",
)  # fmt: skip
UNARY = (
    "-{}", "abs({})", "{} ** 2", "3 * {}", "{} + 0.5", "math.sin({})", "math.tanh({})", "math.relu({})",
    "math.sigmoid({})", "{} ** 3", "math.exp({})", "1 / {}", "math.log({})", "math.sqrt({})", "math.softplus({})",
    "{} * math.floor({})", "math.cos({})", "{} / 2", "math.fabs({})", "{} - 1", "math.leaky_relu({})", "math.erf({})",
)  # fmt: skip
BINARY = (
    "{} + {}", "{} * {}", "{} - {}", "{} / {}", "max({}, {})", "min({}, {})", "math.maximum({}, {})",
    "math.hypot({}, {})", "math.dot([{}, 2.0], [{}, 0.5], 1.0)", "math.softmax([{}, {}, 0.5])[0]",
    "math.mean([{}, {}])", "math.minimum({}, {})", "math.logsumexp([{}, {}])", "sum([{}, {}])", "math.prod([{}, {}])",
    "math.atan2({}, {})", "math.fsum([{}, {}])",
)  # fmt: skip
CONSTANTS = ("1.0", "2.0", "0.5", "-1.0", "3.0", "2", "0.0", "-0.5", "1.5", "3", "-2", "0.1")
FLOATS = ("2.0", "-1.0", "0.5", "1.0", "-2.0", "0.0", "3.0", "-0.5", "1.5", "0.3", "7.0", "-0.0")
EXTREMES = ("inf", "-inf", "nan", "1e300", "-0.0", "0.0", "1e-320", "710.0")
INTEGERS = ("2", "3", "1", "0", "-1", "5", "10", "7", "-3", "2**40", "2**53 - 1", "2**60", "True")
CAUGHT = ("ValueError", "ZeroDivisionError", "OverflowError", "(IndexError, KeyError)", "ArithmeticError", "Exception")
TEXTS = ('"a"', '"b"', '"mean"', "None", "True", "False", "Mode.MEAN", "Mode.TOTAL", "Level.LOW", "1", "2")

# Forms of expressions, by the writer that fills them in.

CONTAINED = ("{} in {{1, 2}}", "{} in {{1: 0.5, 3: 2.0}}", "{} in frozenset([2.0, 3.0])", "{} not in {{1, 2.0, 7}}")
OF_SETTINGS = ("{} == {}", "{} is None", "{} is Mode.MEAN", "{} in ({}, 'b')", "bool({})", "{} is True")
FINITE = ("{0} != {0}", "abs({0}) < 10.0", "abs({0}) == inf", "0 * {0} == 0", "-inf < {0} < inf", "math.isfinite({0})")
OF_ONE = (
    "grad(lambda {q}: {b})({p})", "value_and_grad(lambda {q}: {b})({p})[1]", "derivative(lambda {q}: {b})({p})",
    "sum(value_and_grad(lambda {q}: {b})({p}))", "grad(grad(lambda {q}: {b}))({p})", "hessian(lambda {q}: {b})({p})",
    "taylor(lambda {q}: {b}, {p}, 2)[1]", "derivative(lambda {q}: {b}, 2)({p})",
    "sum(taylor(lambda {q}: {b}, {p}, 3))", "jacfwd(lambda {q}: {b})({p})", "value_and_grad(lambda {q}: {b})({p})[0]",
    "grad(lambda {q}: ({b}, {q}), has_aux=True)({p})[0]", "sum(grad(lambda {q}: ({b}, {q}), has_aux=True)({p}))",
    "grad(lambda {q}: {b} * stop_gradient({q}))({p})", "jacrev(lambda {q}: [{b}, {q}])({p})[0]",
    "grad(lambda {q}: {q}.detach() * ({b}))({p})", "taylor(lambda {q}: {b}, {p}, 2)[0]",
)  # fmt: skip
PUSHED = (
    "jvp(lambda {q}: {b}, ({p},), ({t},))[1]", "hvp(lambda {q}: {b}, ({p},), ({t},))[0]",
    "sum(jvp(lambda {q}: {b}, ({p},), ({t},)))", "jvp(lambda {q}: [{b}, {q}], ({p},), ({t},))[1][0]",
    "jvp(lambda {q}: {b}, ({p},), ({t},))[0]", "jvp(grad(lambda {q}: {b}), ({p},), ({t},))[1]",
)  # fmt: skip
PULLED = (
    "vjp(lambda {q}: {b}, {p})[1]({c})[0]", "vjp(lambda {q}: [{b}, 2 * {q}], {p})[1]([{c}, 1.0])[0]",
    "vjp(lambda {q}: {b}, {p})[0]", "vjp(grad(lambda {q}: {b}), {p})[1]({c})[0]",
)  # fmt: skip
OF_LIST = (
    "grad(lambda {q}: {b})({p}){a}", "jacobian(lambda {q}: [{b}, {o}])({p})[1]{a}",
    "hessian(lambda {q}: {b})({p}){a}{a}", "value_and_grad(lambda {q}: {b})({p})[1]{a}",
    "jacfwd(lambda {q}: [{b}, {o}])({p})[0]{a}", "jacrev(lambda {q}: [{b}, {o}])({p})[0]{a}",
    "hvp(lambda {q}: {b}, ({p},), ({p},))[0]{a}", "jvp(lambda {q}: {{'s': {b}}}, ({p},), ({p},))[1]['s']",
)  # fmt: skip
OF_SEVERAL = (
    "grad(lambda {q}, {q}_: {b}, argnums=1)({p}, {o})", "sum(grad(lambda {q}, {q}_: {b}, argnums=(0, 1))({p}, {o}))",
    "jvp(lambda {q}, {q}_: {b}, ({p}, {o}), (1.0, {o}))[1]", "grad(lambda {q}, {q}_: {b})({p}, {o})",
)  # fmt: skip
OF_BATCH = (
    "grad(lambda {q}: sum(vmap(lambda r: {b})({q})))({p})[0]",
    "jacobian(lambda {q}: vmap(lambda r: {b})({q}))({p})[0][0]",
    "value_and_grad(lambda {q}: sum(vmap(lambda r: {b})({q})))({p})[1][-1]",
    "jvp(lambda {q}: vmap(lambda r: {b})({q}), ({p},), ({p},))[1][0]",
    "hessian(lambda {q}: sum(vmap(lambda r: {b})({q})))({p})[0][0]",
    "grad(lambda {q}: max(vmap(lambda r: {b})({q})))({p})[0]",
)  # fmt: skip
OF_EACH = (
    "sum(vmap(grad(lambda r: {b}))({p}))", "vmap(grad(lambda r: {b}))({p})[-1]",
    "sum(vmap(value_and_grad(lambda r: {b}))({p})[0])", "vmap(derivative(lambda r: {b}, 2))({p})[0]",
)  # fmt: skip
IN_ROWS = (
    "grad(lambda {q}: sum(vmap(lambda r: {b})({p})))({o})", "sum(vmap(lambda r: grad(lambda {q}: {b})(2.0))({p}))",
    "grad(lambda {q}: sum(vmap(lambda r: {b})([{q}, {q}])))({o})", "sum(vmap(lambda r: grad(lambda {q}: {b})(r))({p}))",
    "derivative(lambda {q}: sum(vmap(lambda r: {b})({p})), 2)({o})",
    "sum(vmap(lambda r: jvp(lambda {q}: {b}, (r,), ({o},))[1])({p}))",
    "jacfwd(lambda {q}: vmap(lambda r: {b})([{q}, 1.0]))({o})[0]",
)  # fmt: skip
PAIRED_ROWS = ("vmap(lambda {r}, {r}_: {b})({p}, {p})", "vmap(lambda {r}, {r}_: {b}, in_axes=(0, None))({p}, {o})")
ROWS = ("vmap(lambda {r}: {b})({p})", "[{o} + {r} for {r} in vmap(lambda {r}: {b})({p})]")
WHOLE = (
    "({0} + {1})", "({0} * {1})", "({0} - {1})", "({0} // {1})", "({0} % {1})", "(-{0})", "abs({0})", "({0} ** 2)",
    "({0} ** 5 % 7)", "max({0}, {1})", "math.floor({2})", "round({2})", "int({2})", "math.ceil({2})",
    "math.trunc({2})", "divmod({0}, {1})[0]", "divmod({0}, 3)[1]", "int({0})", "round({0})", "math.floor({0})",
    "sum([{0}, {1}])", "len([{2}, {2}])", "({0} if {2} > 0 else {1})", "sum(range(min(abs({0}), 5)))",
    "({0} ** ({0} % 5))", "({0} ** 30 % 11)", "({0} & 3)", "math.gcd(int({0}), 6)",
)  # fmt: skip
OF_INTEGERS = (
    "({0} * {1})", "({1} + {0})", "({0} / {2})", "(({1} + 0.0) ** {0})", "({1} / {0})", "[{1}, 1.0, 0.5][{0}]",
    "({0} * 1.0)", "({1} % {0})", "([1.0, {1}] * 2)[{0} % 4]", "({0} ** ({1} * 1.0))", "({0} ** -1)", "({1} // {0})",
    "float({0})",
    "math.floor({0} / {2})", "[1, 2, 3][{0}]", "math.pow({1}, {0})", "math.where({0}, {1}, 2)",
)  # fmt: skip
LOOKED_UP = (
    "{{1: 10.0, 2: 20.0}}.get({k}, {n})", "{{1.0: {n}, -1.0: 2.0}}.get({k}, 0.5)", "{{{k}: {n}, 2: {m}}}[{k}]",
    "len({{{k}, {n}}})", "sum({{{k}: {n}, {m}: 2.0}}.values())", "{{1: {n}, 2: {m}}}[{k}]",
    "len(dict.fromkeys([{k}, {n}, 1.0]))", "{{0: {n}, 1: {m}}}.get({k} > 0)", "sum({{{k}, {n}}})",
    "{{(1, 2): {n}}}.get(({k}, 2), {m})", "sum(sorted({{{k}, {n}, 2.0}}))",
)  # fmt: skip
RISKY = ("math.log({})", "1 / {}", "math.sqrt({})", "{} ** 0.5", "math.exp(100 * {})", "math.acos({})", "{}")
FROM_NESTS = (
    "[{n}, {m}][0]", "{{'a': {n}, 'b': {m}}}['b']", "Pair({n}, {m}).x", "sum([v * 2 for v in ({n}, {m})])",
    "Box({n}).x", "max([{n}, {m}], key=lambda v: v * v)", "sorted([{n}, {m}, 0.5])[1]",
    "sum(v for v in [{n}, {m}] if v > 0)", "([{n}] + [{m}])[-1]",
)  # fmt: skip
CHOSEN = (
    "({1} if {0} else {2})", "({1} if {3} else {2})", "{{{4}: {1}}}.get({0}, {2})", "({2} if {0} is None else {1})",
)  # fmt: skip
CONSTANT_KINDS = (
    "{w}.detach()", "stop_gradient({w})", "{w}.detach() * {n}", "stop_gradient({n})", "Value(2.0) * {n}",
    "0 * {w} + {n}", "stop_gradient({n}) * {n}", "Value(3.0)", "(Value(1.0) + 1).detach() * {n}", "{w}",
    "stop_gradient([{n}, {w}])[0]", "+{n}", "max({w}, {n})",
)  # fmt: skip
NESTED = (
    "jit(lambda u: {b})({p})", "grad(jit(lambda u: {b}))({p})", "sum(vmap(jit(lambda u: {b}))([{p}, {o}]))",
    "jit(grad(lambda u: {b}))({p})", "jvp(jit(lambda u: {b}), ({p},), ({o},))[1]",
)  # fmt: skip
TRIED = (
    "int({}) * 1.0", "1 / {}", "math.log({})", "math.floor({}) + 0.5", "round({}) * 2.0", "math.sqrt({}) + {}",
    "[1.0, 2.0, {}][int({})]", "{{1: 2.0, 2: {}}}[{}]", "math.exp({} * 500)", "{} ** 0.5", "{} ** -1",
    "math.ceil({}) * {}", "grad(math.log)({})", "math.trunc({})", "[1.0, {}][{}]", "divmod({}, {})[0]", "{} // {}",
    "grad(lambda q: 1 / q)({})", "vmap(lambda r: 1 / r)([{}, {}])[0]", "{} % {}", "math.fmod({}, {})", "math.acos({})",
)  # fmt: skip
RESULTS = (
    "[{n}, {m}]", "({n}, {m})", "{{'a': {n}, 'b': [{m}]}}", "Pair({n}, {m})", "({n}, 2.0)", "[{n}, None]",
    "({n}, {t})", "{{'a': {m}, 'mean': 'mean'}}", "[]", "{n}, {m}, {n}", "Box({n}, 'a')", "({m}, Mode.MEAN)",
    "[v * 2 for v in ({n}, {m})]", "({n}, [])",
)  # fmt: skip
IN_LOOPS = ("jit(lambda q: {b})(x)", "grad(jit(lambda q: {b}))(x)", "jit(grad(lambda q: {b}))(x)")
WRAPPED = (
    "jacobian({})", "jacfwd({})", "jacrev({})", "hessian({})", "grad({})", "value_and_grad({})", "grad(grad({}))",
)  # fmt: skip
LARGER = (
    "lambda x, *more: x * f(x, *more)", "repeatedly(f, 2)", "no_grad()(f)", "lambda *given: 2 * f(*given) + f(*given)",
    "lambda x, *more: f(f(x, *more), *more)", "lambda x, *more: [f(x, *more), f(x * 2, *more)]",
    "lambda x, *more: math.tanh(f(x + 1, *more) * x)",
)  # fmt: skip
OUTSIDE = (
    "grad(f)", "value_and_grad(f)", "grad(grad(f))", "lambda x, *more: jvp(lambda q: f(q, *more), (x,), (1.0,))",
    "lambda x, *more: derivative(lambda q: f(q, *more), 2)(x)", "hessian(f)", "jacobian(f)", "jacfwd(f)",
    "lambda x, *more: vjp(lambda q: f(q, *more), x)[1](0.5)", "lambda x, *more: taylor(lambda q: f(q, *more), x, 3)",
    "lambda x, *more: hvp(lambda q: f(q, *more), (x,), (Value(2.0),))", "grad(lambda x, *more: x * f(x, *more))",
    "lambda x, *more: jvp(lambda q: f(q, *more), (x,), (Value(0.5),))[1]", "jit(grad(f))", "jit(value_and_grad(f))",
    "lambda x, *more: grad(lambda q: sum(vmap(lambda r: f(r, *more))(q)))([x, 2.0])", "grad(f, argnums=(0,))",
    "no_grad()(grad(f))", "jacrev(f)", "lambda x, *more: vjp(lambda q: f(q, *more), x)[1](Value(0.5))",
    "lambda x, *more: vmap(lambda r: f(r, *more))([x, 2.0, -1.0])",
)  # fmt: skip
OUTSIDE_OF_NESTS = ("jacobian(f)", "jacfwd(f)", "jacrev(f)", "hessian(f)", "jit(jacobian(f))", "no_grad()(jacobian(f))")
