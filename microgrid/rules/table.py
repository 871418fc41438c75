"""The calculus table: every differentiable operation, one row each. Data only.

A row gives the operation's signature, its forward expression, one partial derivative per differentiable
argument, the set on which it is defined and smooth, and what it is called. Everything else in microgrid is
derived from the row: `methods` writes the operator or function, `derivatives` the reverse rule on floats, on exact
fractions and on recorded values, `generate` modules of the former and the table for readers; so are its tests.

How to read a row:

- Expressions are Python over the arguments, `out` (the result), and the functions of `math`, `special` and
  of this table.
- An argument whose name ends in `s` and whose singular has a partial is a sequence: the partial is written for one
  element, and `n` is their number. So is one that is called by a single letter and `s`, or written with a star, and has
  a partial of its own name: that is the list of all partials at once. Others whose names end in `s` are numbers
  (`bias`, with the partial `bias`).
- An argument without a partial is a parameter: a plain number that is never differentiated.
- `start; step` is a sum or product taken plainly from left to right: `out` begins as `start` and becomes `step` for
  each element.
- Literals are integers, so that exact arithmetic stays exact. Partials contain no branch and no comparison (`where`,
  `sign`, `step` and `less` serve instead), so that they can be differentiated again.
- A nan among the arguments makes the result nan.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Rule:
    """One row of the calculus table.

    Args:
        signature: `"name(x, y)"`, with `*xs` for any number of arguments, `name=default` for a default, `*` before
            those that are given by keyword.
        forward: the result, an expression in the arguments, or `"start; step"`.
        doc: what the operation is, in a few words.
        domain: where the operation is defined and smooth, a condition on the arguments; empty for everywhere.
        symbol: what is drawn on a node; the name unless given.
        partials: for each differentiable argument its partial derivative, an expression in the arguments and `out`.

    Raises:
        ValueError: if the signature has another form, the name or an argument is not an identifier, or a partial names
            no argument, or two of them.

    >>> cube = Rule("cube(x)", "x * x * x", "third power", x="3 * x * x")
    >>> cube.name, cube.arguments, cube.partials
    ('cube', ('x',), {'x': '3 * x * x'})
    """

    __slots__ = (
        "arguments", "defaults", "doc", "domain", "forward", "keyword_only", "name", "owner", "partials", "symbol",
        "variadic",
    )  # fmt: skip

    name: str
    arguments: tuple[str, ...]
    defaults: Mapping[str, str]
    keyword_only: bool
    variadic: bool

    def __init__(
        self, /, signature: str, forward: str, doc: str, *, domain: str = "", symbol: str = "", **partials: str
    ) -> None:
        self.name, opened, inside = signature.removesuffix(")").partition("(")
        if not (opened and signature.endswith(")")):
            raise ValueError(f"rule {signature!r}: expected a signature such as 'name(x, y)'")
        self.variadic = inside.startswith("*")
        self.keyword_only = ", *, " in inside
        pairs = [argument.partition("=") for argument in inside.lstrip("*").replace("*, ", "").split(", ")]
        self.arguments = tuple(argument for argument, _, _ in pairs)
        self.defaults = {argument: default for argument, equals, default in pairs if equals}
        self.forward, self.doc, self.domain, self.partials = forward, doc, domain, partials
        self.symbol = symbol or self.name
        self.owner: object = None  # of the functions that only its text calls; what copies of it share
        for word in (self.name, *self.arguments):
            if not word.isidentifier():
                raise ValueError(f"rule {signature!r}: {word!r} is not an identifier")
        for partial in partials:
            if partial not in self.arguments and partial + "s" not in self.arguments:
                raise ValueError(f"rule {signature!r}: the partial {partial!r} belongs to no argument")
            if partial + "s" in self.arguments and (partial in self.arguments or partial + "s" in partials):
                raise ValueError(
                    f"rule {signature!r}: the partial {partial!r} makes {partial + 's'!r} a sequence, but there is an "
                    f"argument {partial!r} or a partial {partial + 's'!r} too: expected one of them, or other names"
                )

    def is_sequence(self, argument: str) -> bool:
        """Return whether `argument` stands for a sequence of differentiable numbers."""
        by_name = len(argument) == 2 or self.variadic
        return argument.endswith("s") and (argument[:-1] in self.partials or (by_name and argument in self.partials))

    def is_differentiable(self, argument: str) -> bool:
        """Return whether `argument` has a partial derivative."""
        return argument in self.partials or self.is_sequence(argument)

    def is_piecewise_constant(self) -> bool:
        """Return whether every partial is zero, as of `step` and `sign`: nothing need be recorded for its sake."""
        return {*self.partials.values()} == {"0"}

    def __repr__(self) -> str:
        return f"<rule {self.name}({', '.join(self.arguments)}) = {self.forward}>"


# fmt: off
ROWS = (
    # arithmetic
    Rule("add(x, y)",       "x + y",            "sum",                      x="1", y="1",             symbol="+"),
    Rule("sub(x, y)",       "x - y",            "difference",               x="1", y="-1",            symbol="-"),
    Rule("mul(x, y)",       "x * y",            "product",                  x="y", y="x",             symbol="*"),
    Rule("div(x, y)",       "x / y",            "quotient",                 x="1 / y", y="-out / y",  symbol="/",
         domain="y != 0"),
    Rule("floordiv(x, y)",  "floordiv(x, y)",   "quotient rounded down",    x="0", y="0",             symbol="//",
         domain="y != 0 and x % y != 0"),
    Rule("mod(x, y)",       "x % y",            "remainder with the sign of y", x="1", y="-(x // y)", symbol="%",
         domain="y != 0 and x % y != 0"),
    # The steps are 1, but 0 where x**0 would become an infinite x**-1 (abs(x) up to 2**-1024 is lost in the quotient),
    # and where log(1) stands for log(0): right at x = 0 to every order. By the first, nan goes through x**1 too.
    Rule("pow(x, y)",       "power(x, y)",      "power",                                                 symbol="**",
         x="y * x ** (y - where(y * (y - 1), 1, step(abs(x) / 2 ** 51 + y)))",
         y="out * log(x + (1 - step(abs(x))))",                                                       domain="x > 0"),
    Rule("identity(x)",     "x",                "the number itself",        x="1"),
    Rule("neg(x)",          "-x",               "negative",                 x="-1",                   symbol="-"),
    Rule("abs(x)",          "abs(x)",           "absolute value",           x="sign(x)",              domain="x != 0"),
    Rule("fma(x, y, z)",    "fma(x, y, z)",     "x * y + z, rounded once",  x="y", y="x", z="1"),

    # exponentials and logarithms
    Rule("exp(x)",          "exp(x)",           "e to the power x",         x="out"),
    Rule("exp2(x)",         "exp2(x)",          "2 to the power x",         x="out * log(2)"),
    Rule("expm1(x)",        "expm1(x)",         "exp(x) - 1, exact near 0", x="exp(x)"),
    Rule("log(x)",          "log(x)",           "natural logarithm",        x="1 / x",                domain="x > 0"),
    Rule("log1p(x)",        "log1p(x)",         "log(1 + x), exact near 0", x="1 / (1 + x)",          domain="x > -1"),
    Rule("log2(x)",         "log2(x)",          "logarithm to base 2",      x="1 / log(2) / x",       domain="x > 0"),
    Rule("log10(x)",        "log10(x)",         "logarithm to base 10",     x="1 / log(10) / x",      domain="x > 0"),
    Rule("sqrt(x)",         "sqrt(x)",          "square root",              x="1 / (2 * out)",        domain="x > 0"),
    Rule("cbrt(x)",         "cbrt(x)",          "cube root",                x="1 / 3 / out / out",    domain="x != 0"),

    # angles
    Rule("sin(x)",          "sin(x)",           "sine",                     x="cos(x)"),
    Rule("cos(x)",          "cos(x)",           "cosine",                   x="-sin(x)"),
    Rule("tan(x)",          "tan(x)",           "tangent",                  x="1 + out * out"),
    Rule("asin(x)",         "asin(x)",          "inverse sine",             x="1 / sqrt((1 - x) * (1 + x))",
         domain="-1 < x < 1"),
    Rule("acos(x)",         "acos(x)",          "inverse cosine",           x="-1 / sqrt((1 - x) * (1 + x))",
         domain="-1 < x < 1"),
    Rule("atan(x)",         "atan(x)",          "inverse tangent",          x="1 / (1 + x * x)"),
    Rule("atan2(y, x)",     "atan2(y, x)",      "angle of the point (x, y)",
         y="x / maximum(hypot(x, y), ulp(0)) / maximum(hypot(x, y), ulp(0))",
         x="-y / maximum(hypot(x, y), ulp(0)) / maximum(hypot(x, y), ulp(0))",                          domain="x > 0"),
    Rule("degrees(x)",      "degrees(x)",       "radians to degrees",       x="180 / pi"),
    Rule("radians(x)",      "radians(x)",       "degrees to radians",       x="pi / 180"),

    # hyperbolic functions
    Rule("sinh(x)",         "sinh(x)",          "hyperbolic sine",          x="cosh(x)"),
    Rule("cosh(x)",         "cosh(x)",          "hyperbolic cosine",        x="sinh(x)"),
    Rule("tanh(x)",         "tanh(x)",          "hyperbolic tangent",       x="1 - out * out"),
    Rule("asinh(x)",        "asinh(x)",         "inverse hyperbolic sine",  x="1 / hypot(x, 1)"),
    Rule("acosh(x)",        "acosh(x)",         "inverse hyperbolic cosine", x="1 / (sqrt(x - 1) * sqrt(x + 1))",
         domain="x > 1"),
    Rule("atanh(x)",        "atanh(x)",         "inverse hyperbolic tangent", x="1 / ((1 - x) * (1 + x))",
         domain="-1 < x < 1"),

    # special functions
    Rule("erf(x)",          "erf(x)",           "error function",           x="2 / sqrt(pi) * exp(-x * x)"),
    Rule("erfc(x)",         "erfc(x)",          "1 - erf(x), exact for large x", x="-2 / sqrt(pi) * exp(-x * x)"),
    Rule("gamma(x)",        "gamma(x)",         "gamma function",           x="out * digamma(x)",     domain="x > 0"),
    Rule("lgamma(x)",       "lgamma(x)",        "log(abs(gamma(x)))",       x="digamma(x)",           domain="x > 0"),
    Rule("digamma(x)",      "digamma(x)",       "derivative of lgamma",     x="polygamma(1, x)",      domain="x > 0"),
    Rule("polygamma(n, x)", "polygamma(n, x)",  "n-th derivative of digamma", x="polygamma(n + 1, x)",  domain="x > 0"),

    # pieces of numbers
    Rule("copysign(x, y)",  "copysign(x, y)",   "magnitude of x, sign of y", x="sign(x) * copysign(1, y)", y="0",
         domain="x != 0 and y != 0"),
    Rule("fmod(x, y)",      "fmod(x, y)",       "remainder with the sign of x", x="1",
         y="-(((x - out) / y + 1 / 2) // 1)",                           domain="y != 0 and x % y != 0"),
    Rule("remainder(x, y)", "remainder(x, y)",  "x minus the nearest multiple of y", x="1",
         y="-(((x - out) / y + 1 / 2) // 1)",                          domain="y != 0 and (x / y + 1 / 2) % 1 != 0"),
    Rule("ldexp(x, i)",     "ldexp(x, i)",      "x * 2**i",                 x="ldexp(1, i)"),
    Rule("round(x, ndigits)", "round(x, ndigits)", "rounded to so many decimals", x="0",
         domain="(x * 10 ** ndigits + 1 / 2) % 1 != 0"),

    # sums and products over sequences: one node each
    Rule("total(xs, start=0.0)", "start; out + x", "start plus the sum, plainly from left to right", x="1", start="1"),
    Rule("fsum(xs)",        "fsum(xs)",         "sum, rounded once",        x="1"),
    Rule("mean(xs)",        "fsum(xs) / n",     "arithmetic mean",          x="1 / n",                domain="n > 0"),
    Rule("prod(xs, *, start=1)", "prod(xs, start=start)", "product",         xs="cofactors(xs, start)"),
    Rule("sumprod(ps, qs)", "sumprod(ps, qs)",  "sum of products, in extended precision", p="q", q="p"),
    Rule("dot(ws, xs, b=0.0)","b; out + w * x",  "b plus the sum of products, plainly from left to right",
         w="x", x="w", b="1"),
    Rule("hypot(*xs)",      "hypot(*xs)",       "Euclidean length",         x="x / out",              domain="any(xs)"),
    Rule("logsumexp(xs)",   "logsumexp(xs)",    "log of the sum of exp(x)",
         xs="normalised([exp(d) for d in shifted(xs)])",
         domain="n > 0"),
    Rule("logaddexp(x, y)", "logaddexp(x, y)",  "log(exp(x) + exp(y))",
         x="where(less(y, x), 1 - sigmoid(y - x), sigmoid(x - y))",
         y="where(less(x, y), 1 - sigmoid(x - y), sigmoid(y - x))"),
    Rule("maximum(*xs)",    "maximum(*xs)",     "largest",                  xs="ties(xs, out)",
         domain="len({*xs}) == n"),
    Rule("minimum(*xs)",    "minimum(*xs)",     "smallest",                 xs="ties(xs, out)",
         domain="len({*xs}) == n"),

    # choices
    Rule("sign(x)",         "1 if x > 0 else -1 if x < 0 else x", "sign: -1, 0 or 1", x="0",          domain="x != 0"),
    Rule("step(x)",         "1 if x > 0 else 0 if x <= 0 else x", "binary step: 1 above 0, else 0", x="0",
         domain="x != 0"),
    Rule("less(x, y)",      "1 if x < y else 0 if x >= y else x + y", "1 where x < y, else 0", x="0", y="0",
         domain="x != y"),
    Rule("where(c, x, y)",  "x if c else y",    "x where c holds, else y",  c="0",
         x="where(c, 1, 0)", y="where(c, 0, 1)",                                                      domain="c != 0"),
    Rule("clip(x, low, high)", "minimum(maximum(x, low), high)", "x held between low and high",
         x="where(less(x, low), 0, where(less(high, x), 0, 1))", low="where(less(x, low), less(low, high), 0)",
         high="where(less(high, x), 1, less(high, low))",
         domain="x != low and x != high and low < high"),

    # activations
    Rule("relu(x)",         "0 if x <= 0 else x", "rectified linear unit",  x="where(step(x), 1, 0)", symbol="ReLU",
         domain="x != 0"),
    Rule("leaky_relu(x, negative_slope=0.01)", "x if x > 0 else negative_slope * x", "relu with a slope below 0",
         x="where(step(x), 1, negative_slope)",                                                       domain="x != 0"),
    Rule("elu(x, alpha=1.0)", "x if x > 0 else alpha * expm1(x)", "exponential linear unit",
         x="where(step(x), 1, alpha * exp(x))",                                                       domain="x != 0"),
    Rule("sigmoid(x)",      "sigmoid(x)",       "1 / (1 + exp(-x))",        x="out * (1 - out)"),
    Rule("logsigmoid(x)",   "logsigmoid(x)",    "log(sigmoid(x))",          x="-expm1(out)"),
    Rule("softplus(x)",     "softplus(x)",      "log(1 + exp(x))",          x="-expm1(-out)"),
    Rule("softsign(x)",     "x / (1 + abs(x))", "x / (1 + |x|)",            x="1 / (1 + abs(x)) / (1 + abs(x))",
         domain="x != 0"),
    Rule("silu(x)",         "silu(x)",          "x * sigmoid(x)",
         x="where(step(x), 1 + (out - 1) * sigmoid(-x), sigmoid(x) + out * sigmoid(-x))"),
    Rule("gelu(x)",         "gelu(x)",          "x times the normal distribution function",
         x="erfc(-x / sqrt(2)) / 2 + x * exp(-x * x / 2) / sqrt(2 * pi)"),

    # losses of one prediction; the bound is PyTorch's, it keeps the slope finite at 0 and 1
    Rule("binary_cross_entropy(p, y)", "binary_cross_entropy(p, y)", "-(y * log(p) + (1 - y) * log(1 - p))",
         p="(p - y) / maximum(p * (1 - p), 10 ** -12)", y="log1p(-p) - log(p)",
         domain="0 < p < 1 and p * (1 - p) > 10 ** -12"),
    Rule("binary_cross_entropy_with_logits(x, y)", "y * softplus(-x) + (1 - y) * softplus(x)",
         "binary_cross_entropy(sigmoid(x), y)", x="where(step(x), 1 - y - sigmoid(-x), sigmoid(x) - y)", y="-x"),
    Rule("cross_entropy(xs, ys)", "cross_entropy(xs, ys)", "-(sum of y * log(softmax(x)))",
         xs="cross_entropy_slopes(normalised([exp(d) for d in shifted(xs)]), ys)",
         ys="[logsumexp(shifted(xs)) - d for d in shifted(xs)]",
         domain="n > 0"),
    Rule("huber(x, delta=1.0)", "x * x / 2 if abs(x) <= delta else delta * (abs(x) - delta / 2)",
         "x * x / 2, straight beyond delta", x="clip(x, -delta, delta)",                      domain="abs(x) != delta"),
)
# fmt: on


def table(rows: tuple[Rule, ...]) -> dict[str, Rule]:
    """Return the rows by name.

    Raises:
        ValueError: if two rows share a name.
    """
    rules: dict[str, Rule] = {}
    for row in rows:
        if row.name in rules:
            raise ValueError(f"two rows are named {row.name!r}")
        rules[row.name] = row
    return rules


RULES = table(ROWS)
