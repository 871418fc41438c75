"""Formulas in LaTeX from the text of a row of the calculus table, by a walk over its syntax tree.

Only commands that KaTeX and MathJax both know are used. A call without a formula of its own is written as a call, in
upright letters, so that rows added by `define_rule` work too.
"""

from __future__ import annotations

import ast

from microgrid.draw.explain.tex import (
    ANY,
    ATOM,
    NEGATIVE,
    PLUS,
    POWER,
    PRODUCT,
    SUM,
    TIMES,
    bracketed,
    name_formula,
    number_written,
    upright,
)
from microgrid.draw.words import MOST_TERMS
from microgrid.rules.derivatives import Substitute, expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from microgrid.draw.explain.tex import Written
    from microgrid.rules.table import Rule

    Index = int | str

TOTAL, ALL, NEXT_ROW = r"\sum", r"\prod", r" \\ "
FUNCTIONS = {
    **{name: rf"\{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: rf"\arc{name[1:]}" for name in ("asin", "acos", "atan")},
    **{name: rf"\mathrm{{ar{name[1:]}}}" for name in ("asinh", "acosh", "atanh")},
    "log": r"\ln",
    "log2": r"\log_{2}",
    "log10": r"\log_{10}",
    "sigmoid": r"\sigma",
    "gamma": r"\Gamma",
    "digamma": r"\psi",
    "sign": r"\mathrm{sgn}",
    "relu": r"\mathrm{ReLU}",
}
# Calls that are written as another expression of their arguments a, b, c.
REWRITTEN = {
    "exp2": "2 ** a",
    "expm1": "exp(a) - 1",
    "log1p": "log(1 + a)",
    "lgamma": "log(abs(gamma(a)))",
    "power": "a ** b",
    "pow": "a ** b",
    "floordiv": "a // b",
    "mod": "a % b",
    "fma": "a * b + c",
    "ldexp": "a * 2 ** b",
    "logaddexp": "log(exp(a) + exp(b))",
}
SIGNS = {
    ast.Lt: r"\lt",
    ast.LtE: r"\le",
    ast.Gt: r"\gt",
    ast.GtE: r"\ge",
    ast.Eq: "=",
    ast.NotEq: r"\ne",
}


def negated(node: ast.expr) -> tuple[bool, ast.expr]:
    """Return whether a product or quotient begins with a minus, and `node` without it."""
    match node:
        case ast.UnaryOp(ast.USub(), inner):
            negative, bare = negated(inner)
            return not negative, bare
        case ast.BinOp(left, ast.Mult() | ast.Div() as op, right):
            negative, bare = negated(left)
            return negative, ast.BinOp(bare, op, right)
    return False, node


def factors(node: ast.expr) -> list[ast.expr]:
    """Return the factors of a product, from left to right."""
    found, rest = [], node
    while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Mult):
        found.append(rest.right)
        rest = rest.left
    return [rest, *reversed(found)]


def product(nodes: Sequence[ast.expr]) -> ast.expr:
    """Return the product of `nodes`."""
    result = nodes[0]
    for node in nodes[1:]:
        result = ast.BinOp(result, ast.Mult(), node)
    return result


def quotient(node: ast.expr) -> tuple[ast.expr, list[ast.expr]]:
    """Return the numerator and the factors of the denominator: in `a / b / c`, `a` and `[b, c]`."""
    below: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        below = factors(node.right) + below
        node = node.left
    return node, below


class Formula:
    """Writes expressions over certain names.

    Args:
        names: the LaTeX for a name; other names are written as they are.
        elements: the LaTeX for each element of a sequence; elements of other sequences are `x_{i}`.
    """

    def __init__(self, names: Mapping[str, Written], elements: Mapping[str, Sequence[Written]]) -> None:
        self.names, self.elements = names, elements

    def of(self, text: str, index: Index | None = None) -> str:
        """Return the formula of `text`; if that is a list, of the element at `index`."""
        start, fold, step = text.partition("; ")
        if fold:
            return self.folded(expression(start), expression(step))
        tree = expression(text)
        return (self.write(tree) if index is None else self.element(tree, index))[0]

    def at(self, node: ast.expr, level: int) -> str:
        """Return the formula of `node`, in brackets if its precedence is lower than `level`."""
        return bracketed(self.write(node), level)

    def write(self, node: ast.expr) -> Written:
        """Return the formula of `node`."""
        negative, node = negated(node)
        if negative:
            return f"-{self.at(node, PRODUCT)}", NEGATIVE
        match node:
            case ast.Constant(int() | float() as value):
                return number_written(value)
            case ast.Name(name):
                return self.names.get(name) or (r"\pi" if name == "pi" else name_formula(name), ATOM)
            case ast.BinOp(left, op, right):
                return self.binary(node, left, op, right)
            case ast.IfExp():
                return self.cases(node)
            case ast.Compare(left, ops, others) if all(type(op) in SIGNS for op in ops):
                pairs = zip(ops, others, strict=True)
                return " ".join(
                    [self.at(left, NEGATIVE), *(f"{SIGNS[type(o)]} {self.at(x, NEGATIVE)}" for o, x in pairs)]
                ), ANY
            case ast.BoolOp(op, values):
                word = r" \land " if isinstance(op, ast.And) else r" \lor "
                return word.join(self.at(value, ANY) for value in values), ANY
            case ast.Call(ast.Name(name), arguments):
                return self.call(node, name, arguments)
        return upright(ast.unparse(node)), ATOM

    def binary(self, node: ast.BinOp, left: ast.expr, op: ast.operator, right: ast.expr) -> Written:
        """Return the formula of a binary operation."""
        match op:
            case ast.Add() | ast.Sub():
                negative, bare = negated(right)
                minus = negative != isinstance(op, ast.Sub)
                first, second = self.at(left, NEGATIVE), self.at(bare, PRODUCT if minus else SUM)
                return f"{first} {'-' if minus else '+'} {second}", SUM
            case ast.Mult():
                return self.product(factors(node))
            case ast.Div():
                above, below = quotient(node)
                return rf"\frac{{{self.at(above, ANY)}}}{{{self.at(product(below), ANY)}}}", POWER
            case ast.Pow():
                return f"{self.at(left, ATOM)}^{{{self.at(right, ANY)}}}", POWER
            case ast.FloorDiv():
                inside = self.at(left, ANY) if is_one(right) else self.write(ast.BinOp(left, ast.Div(), right))[0]
                return rf"\left\lfloor {inside} \right\rfloor", ATOM
            case ast.Mod():
                return rf"{self.at(left, POWER)} \bmod {self.at(right, POWER)}", SUM
        return upright(ast.unparse(node)), ATOM

    def product(self, nodes: Sequence[ast.expr]) -> Written:
        """Return the formula of a product; equal neighbours become a power."""
        runs: list[tuple[ast.expr, int]] = []
        for node in nodes:
            if runs and ast.dump(runs[-1][0]) == ast.dump(node):
                runs[-1] = node, runs[-1][1] + 1
            else:
                runs.append((node, 1))
        texts = [self.at(node, PRODUCT) if n == 1 else f"{self.at(node, ATOM)}^{{{n}}}" for node, n in runs]
        return TIMES.join(texts), POWER if len(texts) == 1 else PRODUCT

    def cases(self, node: ast.expr) -> Written:
        """Return the formula of a conditional, by cases."""
        rows, rest = [], node
        while True:
            match rest:
                case ast.IfExp(test, body, orelse) | ast.Call(ast.Name("where"), [test, body, orelse]):
                    rows.append(rf"{self.at(body, ANY)} & \text{{if }} {self.condition(test)}")
                    rest = orelse
                case _:
                    rows.append(rf"{self.at(rest, ANY)} & \text{{otherwise}}")
                    return rf"\begin{{cases}} {NEXT_ROW.join(rows)} \end{{cases}}", ANY

    def condition(self, test: ast.expr) -> str:
        """Return the formula of the condition of a case."""
        match test:
            case ast.Call(ast.Name("step"), [x]):
                return rf"{self.at(x, ANY)} \gt 0"
            case ast.Call(ast.Name("less"), [x, y]):
                return rf"{self.at(x, ANY)} \lt {self.at(y, ANY)}"
            case ast.Compare() | ast.BoolOp():
                return self.at(test, ANY)
        return rf"{self.at(test, ANY)} \ne 0"

    def call(self, node: ast.Call, name: str, arguments: list[ast.expr]) -> Written:
        """Return the formula of a function."""
        starred = arguments and isinstance(arguments[0], ast.Starred)
        match name, arguments:
            case "sqrt", [x]:
                return rf"\sqrt{{{self.at(x, ANY)}}}", POWER
            case "cbrt", [x]:
                return rf"\sqrt[3]{{{self.at(x, ANY)}}}", POWER
            case "exp", [x]:
                return f"e^{{{self.at(x, ANY)}}}", POWER
            case "abs", [x]:
                return rf"\left|{self.at(x, ANY)}\right|", ATOM
            case (("step" | "less"), _):
                return rf"\left[{self.condition(node)}\right]", ATOM
            case "where", [_, _, _]:
                return self.cases(node)
            case "polygamma", [n, x]:
                return rf"\psi^{{({self.at(n, ANY)})}}\left({self.at(x, ANY)}\right)", POWER
            case "hypot", _ if not starred:
                squares = [f"{self.at(x, ATOM)}^{{2}}" for x in arguments]
                return rf"\sqrt{{{' + '.join(squares)}}}", POWER
        if name in REWRITTEN:
            given = Substitute(dict(zip("abc", arguments, strict=False)))
            return self.write(given.visit(expression(REWRITTEN[name])))
        return self.over_sequence(name, arguments) or self.plain_call(name, arguments)

    def plain_call(self, name: str, arguments: Sequence[ast.expr]) -> Written:
        """Return the formula of a function as a call."""
        head = FUNCTIONS.get(name) or upright(name)
        if name in ("maximum", "minimum"):
            head = rf"\{name[:3]}"
        return rf"{head}\left({', '.join(self.at(x, ANY) for x in arguments)}\right)", POWER

    # Sequences

    def length(self, tree: ast.expr) -> int | None:
        """Return the length of the sequences in `tree`, or None if it is unknown or too large to write out."""
        sizes = [len(self.elements[n.id]) for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in self.elements]
        return sizes[0] if sizes and 0 < sizes[0] <= MOST_TERMS else None

    def over(self, sign: str, tree: ast.expr, index: str, term: Callable[[Index], Written], but: Index = "") -> Written:
        """Return the sum or product of `term` over all indices of the sequences in `tree`, without the index `but`."""
        size, level = self.length(tree), SUM if sign == TOTAL else PRODUCT
        if size is None:
            condition = rf"{index} \ne {but}" if but != "" else index
            return rf"{sign}_{{{condition}}} {bracketed(term(index), PRODUCT)}", level
        joint = " + " if sign == TOTAL else TIMES
        texts = [bracketed(term(i), level) for i in range(size) if i != but]
        return joint.join(texts) or "1", level

    def over_sequence(self, name: str, arguments: list[ast.expr]) -> Written | None:
        """Return the formula of a function of sequences, or None if `name` is another function."""
        match name, [x.value if isinstance(x, ast.Starred) else x for x in arguments]:
            case "fsum", [xs]:
                return self.over(TOTAL, xs, "i", lambda i: self.element(xs, i))
            case "prod", [xs]:
                start = self.at(ast.Name("start"), PRODUCT)
                return start + TIMES + self.over(ALL, xs, "i", lambda i: self.element(xs, i))[0], PRODUCT
            case "sumprod", [ps, qs]:
                pair = ast.BinOp(ast.Name("p"), ast.Mult(), ast.Name("q"))
                return self.over(TOTAL, ps, "i", lambda i: self.bound({"p": ps, "q": qs}, i).write(pair))
            case "hypot", [xs]:
                squares = self.over(TOTAL, xs, "i", lambda i: (f"{bracketed(self.element(xs, i), ATOM)}^{{2}}", POWER))
                return rf"\sqrt{{{squares[0]}}}", POWER
            case "logsumexp", [xs]:
                total = self.over(TOTAL, xs, "i", lambda i: (f"e^{{{self.element(xs, i)[0]}}}", POWER))
                return rf"\ln\left({total[0]}\right)", POWER
            case (("maximum" | "minimum"), [xs]):
                return self.extreme(name[:3], xs)
        return None

    def extreme(self, name: str, xs: ast.expr) -> Written:
        """Return the formula of the largest or smallest element of `xs`."""
        size = self.length(xs)
        if size is None:
            return rf"\{name}_{{k}} {bracketed(self.element(xs, 'k'), ATOM)}", POWER
        return rf"\{name}\left({', '.join(self.element(xs, k)[0] for k in range(size))}\right)", POWER

    def element(self, tree: ast.expr, index: Index) -> Written:
        """Return the formula of the element at `index` of the list `tree`."""
        match tree:
            case ast.Name(name):
                known = self.elements.get(name)
                return known[index] if known and isinstance(index, int) else (f"{name[:-1]}_{{{index}}}", ATOM)
            case ast.ListComp(item, [ast.comprehension(ast.Name(name), source)]):
                return self.bound({name: source}, index).write(item)
            case ast.Call(ast.Name("shifted"), [xs]):
                return f"{self.element(xs, index)[0]} - {self.extreme('max', xs)[0]}", SUM
            case ast.Call(ast.Name("normalised"), [xs]):
                below = self.over(TOTAL, xs, "j", lambda j: self.element(xs, j))[0]
                return rf"\frac{{{self.element(xs, index)[0]}}}{{{below}}}", POWER
            case ast.Call(ast.Name("cofactors"), [xs, start]):
                others = self.over(ALL, xs, "j", lambda j: self.element(xs, j), but=index)[0]
                return f"{self.at(start, PRODUCT)}{TIMES}{others}", PRODUCT
            case ast.Call(ast.Name("ties"), [xs, out]):
                value = self.at(out, ANY)

                def tie(j: Index) -> Written:
                    return rf"\left[{self.element(xs, j)[0]} = {value}\right]", ATOM

                return rf"\frac{{{tie(index)[0]}}}{{{self.over(TOTAL, xs, 'j', tie)[0]}}}", POWER
        return rf"\left({self.at(tree, ANY)}\right)_{{{index}}}", ATOM

    def folded(self, start: ast.expr, step: ast.expr) -> str:
        """Return the formula of a row that begins with `start` and adds or multiplies by `step` for each element."""
        match step:
            case ast.BinOp(ast.Name("out"), ast.Add() | ast.Mult() as op, term):
                adds = isinstance(op, ast.Add)
                names = {node.id for node in ast.walk(term) if isinstance(node, ast.Name)}
                lists: dict[str, ast.expr] = {name: ast.Name(f"{name}s") for name in sorted(names - {*self.names})}
                every = ast.Tuple([*lists.values()])
                terms = self.over(TOTAL if adds else ALL, every, "i", lambda i: self.bound(lists, i).write(term))
                first = self.at(start, NEGATIVE if adds else PRODUCT)
                return terms[0] if adds and first == "0" else f"{first}{PLUS if adds else TIMES}{terms[0]}"
        return upright(f"{ast.unparse(start)}; {ast.unparse(step)}")

    def bound(self, lists: Mapping[str, ast.expr], index: Index) -> Formula:
        """Return a writer in which each name means the element at `index` of its list."""
        own = {name: self.element(xs, index) for name, xs in lists.items()}
        return Formula({**self.names, **own}, self.elements)


def is_one(node: ast.expr) -> bool:
    """Return whether `node` is the literal 1."""
    return isinstance(node, ast.Constant) and node.value == 1


def rule_formulas(rule: Rule) -> tuple[str, dict[str, str]]:
    """Return the formulas of a row: the forward expression, and the partial derivative by each argument.

    >>> from microgrid.rules.table import RULES
    >>> print(*rule_formulas(RULES["div"]))
    \\frac{x}{y} {'x': '\\\\frac{1}{y}', 'y': '-\\\\frac{\\\\mathrm{out}}{y}'}
    """
    sequences = [name for name in rule.arguments if rule.is_sequence(name)]
    names = {name[:-1]: (f"{name[:-1]}_{{i}}", ATOM) for name in sequences}
    partials = {
        key: Formula(names, {}).of(text, "i" if key in sequences else None) for key, text in rule.partials.items()
    }
    return Formula({}, {}).of(rule.forward), partials
