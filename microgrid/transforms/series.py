"""Taylor mode: operations on truncated power series, from the same rows as every other derivative.

The derivative of a result along a series is the sum of its partials, evaluated on the series, times the derivatives of
the arguments; integrated term by term it gives the series of the result. Order n costs at most about n³ times the
function, where differentiating n times costs about 3 to the power n. (Griewank and Walther, Evaluating Derivatives, 2nd
edition, chapter 13, give such recurrences for each function; here the partials of a row are enough.)
"""

from __future__ import annotations

import ast
import operator
from functools import cache

from microgrid.engine import graph
from microgrid.engine.numbers import MATH_ERRORS, is_node
from microgrid.engine.operations import _callables, dependents, functions_for, make_links
from microgrid.engine.recording import flattened
from microgrid.engine.sweeps import Guarded, between, counts
from microgrid.engine.value import Value
from microgrid.rules.derivatives import Totalise, expression
from microgrid.rules.source import sequences, words
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Function = Callable[..., Any]


LARGEST_STEP = 1000  # exponent of a factor: `2.0**1024` would overflow


class Series:
    """A power series in one variable, truncated after some term, and compared by its first term.

    A number counts as a constant series, and an operation returns as many terms as the shorter operand has.

    Args:
        terms: the coefficients of the powers 0, 1, 2, …: floats, fractions or `Value`s; the integer 0 marks an absent
            term, which stays 0 even if it is multiplied by inf.

    >>> (Series([1.0, 2.0, 3.0]) * Series([0.0, 1.0, 0.0]) - 1).terms
    [-1.0, 1.0, 2.0]
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Sequence[Any]) -> None:
        self.terms = terms

    def upto(self, count: int) -> Series:
        """Return the first `count` terms."""
        return Series(self.terms[:count])

    def derivative(self) -> Series:
        """Return the series of the derivative, which has one term less."""
        return Series([power * term for power, term in enumerate(self.terms)][1:])

    def __add__(self, other: Any) -> Series:
        if isinstance(other, Series):
            return Series([a + b for a, b in zip(self.terms, other.terms, strict=False)])
        return Series([self.terms[0] + other, *self.terms[1:]])

    def __mul__(self, other: Any) -> Series:
        if not isinstance(other, Series):
            return Series([times(term, other) for term in self.terms])
        count = min(len(self.terms), len(other.terms))
        return Series([convolution(self.terms, other.terms, 0, power) for power in range(count)])

    def __truediv__(self, other: Any) -> Series:
        return quotient(self, other, operator.truediv)

    def __rtruediv__(self, other: Any) -> Series:
        return quotient(other, self, operator.truediv)

    def __neg__(self) -> Series:
        return self * -1

    def __sub__(self, other: Any) -> Series:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Series:
        return self.__neg__().__add__(other)

    __radd__, __rmul__ = __add__, __mul__

    def __eq__(self, other: object) -> bool:
        return bool(self.terms[0] == first(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.terms[0] < first(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.terms[0] > first(other))


def first(x: Any) -> Any:
    """Return the first term of `x`, or of each element of a sequence; a number is its own first term."""
    if isinstance(x, list | tuple):
        return [first(element) for element in x]
    return x.terms[0] if isinstance(x, Series) else x


def series_in(arguments: Iterable[Any]) -> list[Series]:
    """Return the series among `arguments` and the elements of sequences there."""
    return [x for x in flattened(arguments) if isinstance(x, Series)]


def cut(x: Any, count: int) -> Any:
    """Return `x` with at most `count` terms in a series, or in each element of a sequence."""
    if isinstance(x, list | tuple):
        return [cut(element, count) for element in x]
    return x.upto(count) if isinstance(x, Series) else x


def is_absent(term: Any) -> bool:
    """Return whether `term` is the integer 0, which marks an absent term: computed terms are never integers."""
    return type(term) is int and not term


def magnified(number: Any, exponent: int) -> Any:
    """Return `number * 2**exponent`, exactly, even if `2**exponent` itself is out of the range of floats."""
    while exponent:
        step = max(-LARGEST_STEP, min(exponent, LARGEST_STEP))
        number = number * 2**step if step > 0 else number / 2**-step
        exponent -= step
    return number


def times(a: Any, b: Any) -> Any:
    """Return the product of two terms, which is absent if one of them is."""
    return 0 if is_absent(a) or is_absent(b) else a * b


def convolution(a: Sequence[Any], b: Sequence[Any], start: int, power: int) -> Any:
    """Return the sum of `a[j] * b[power - j]` for `j` from `start` to `power`."""
    out = times(a[start], b[power - start])
    for j in range(start + 1, power + 1):
        out = out + times(a[j], b[power - j])
    return out


def quotient(x: Any, y: Any, divide: Function) -> Series:
    """Return the quotient of two series, or of a series and a number; `divide` divides terms."""
    if not isinstance(y, Series):
        return Series([0 if is_absent(term) else divide(term, y) for term in x.terms])
    above = x.terms if isinstance(x, Series) else [x, *[0] * len(y.terms)]
    terms: list[Any] = []
    for power, term in enumerate(above[: len(y.terms)]):
        rest = term - convolution(y.terms, terms, 1, power) if power else term
        terms.append(0 if is_absent(rest) else divide(rest, y.terms[0]))
    return Series(terms)


class Partial:
    """One partial of a row as a function of series.

    Args:
        rule: the row.
        key: the name of its partial.
        role: the role of the functions it calls: `"record"`, or `"trace"` in a trace; with `_total` appended, those
            that return inf or nan where others raise.
    """

    def __init__(self, rule: Rule, key: str, role: str) -> None:
        text = rule.partials[key]
        elements = [name[:-1] for name in sequences(rule)]
        parameters = dict.fromkeys([*rule.arguments, *elements, "n", "out"])
        self.uses_out = "out" in words(text)
        body = ast.unparse(Totalise().visit(expression(text)))
        names = {word: on_series(word, role) for word in words(body) - parameters.keys()}
        self.function: Function = eval(f"lambda {', '.join(parameters)}: {body}", names)
        self.missing = dict.fromkeys(parameters)

    def __call__(self, bindings: Mapping[str, Any]) -> Any:
        return self.function(**{**self.missing, **bindings})


partial = cache(Partial)
dependents.add(partial)


def on_series(word: str, role: str) -> Any:
    """Return the function or number that the name `word` refers to in a partial that is evaluated on series."""
    name = "pow" if word == "power" else word
    if name not in RULES:
        known = functions_for(role.replace("trace", "record"))  # they branch by comparing series: a trace makes guards
        return composed(word, known[word], role) if word in _callables else known.get(word)
    rule = RULES[name]

    def expanded(*arguments: Any) -> Any:
        packed = (arguments,) if rule.variadic else arguments
        if series_in(packed) and name == "div":
            x, y = arguments
            return quotient(x, y, functions_for(role)["div"])
        base = functions_for(role)[name](*first(arguments))
        has_series = not rule.is_piecewise_constant() and series_in(packed)
        return expand(rule, packed, base, role) if has_series else base

    return expanded


def slope(rule: Rule, bindings: Mapping[str, Any], count: int, role: str, with_out: bool) -> list[Any]:
    """Return `count` terms of the derivative of the result, from the partials that use `out` or from the others."""
    known = {name: cut(x, count) for name, x in bindings.items()}
    slope = Series([0] * count)
    for key in rule.partials:
        by = partial(rule, key, role)
        if by.uses_out == with_out:
            for amount, argument in along(rule, key, by, known, bindings):
                if isinstance(argument, Series) and (isinstance(amount, Series) or counts(amount)):
                    slope = slope + argument.derivative() * amount
    return list(slope.terms)


def along(
    rule: Rule, key: str, by: Partial, known: Mapping[str, Any], bindings: Mapping[str, Any]
) -> Iterable[tuple[Any, Any]]:
    """Yield the partial `key`, evaluated on the terms that are `known`, with its argument in `bindings`.

    For a sequence there is a pair for each element. Partials by plain numbers are left out: they are not needed, and
    may raise, as the partial of `(-2.0) ** 3` by its exponent does.
    """
    looped = sequences(rule)
    if key in looped:
        yield from zip(by(known), bindings[key], strict=True)
    elif f"{key}s" in looped:
        for index, argument in enumerate(bindings[f"{key}s"]):
            if isinstance(argument, Series):
                yield by({**known, **{name[:-1]: known[name][index] for name in looped}}), argument
    elif isinstance(bindings[key], Series):
        yield by(known), bindings[key]


def expand(rule: Rule, arguments: Sequence[Any], base: Any, role: str) -> Series:
    """Return the series of `rule` on `arguments`, which begins with `base`.

    Args:
        rule: a row of the calculus table.
        arguments: one for each of its arguments, at least one a `Series` or a sequence with one.
        base: the result for their first terms.
        role: as for `Partial`.

    >>> expand(RULES["exp"], [Series([0.0, 1.0, 0.0, 0.0])], 1.0, "record").terms
    [1.0, 1.0, 0.5, 0.16666666666666666]
    """
    count = min(len(series.terms) for series in series_in(arguments))
    if count == 1:
        return Series([base])
    bindings = dict(zip(rule.arguments, arguments, strict=True))
    for name in sequences(rule):
        bindings.setdefault("n", len(bindings[name]))
    known = slope(rule, bindings, count - 1, role, with_out=False)
    terms = [base]
    for power in range(1, count):
        own = slope(rule, {**bindings, "out": Series(terms)}, power, role, with_out=True)
        term = known[power - 1] + own[-1]
        terms.append(term if type(term) is int else term / power)  # an integer is the 0 of an absent term
    return Series(terms)


def expansions(nodes: Iterable[Value], table: dict[Value, Series], role: str = "") -> None:
    """Add the series of `nodes` to `table`.

    Args:
        nodes: inner nodes of a graph that depend on the inputs, parents first.
        table: the series of the inputs.
        role: `"record"` or `"trace"` if terms are nodes, so that they can be differentiated again; else empty.

    Raises:
        TypeError: if an operation was written by hand.
    """

    records, functions = bool(role), role or "record"
    for node in nodes:
        if node.op.rule is None:
            table[node] = node.op.expand(node, table, role)
            continue
        arguments = [series_or_number(argument, table, records) for argument in graph.arguments(node)]
        base = node if records else node.data
        try:
            table[node] = expand(node.op.rule, arguments, base, functions)
        except MATH_ERRORS:
            table[node] = expand(node.op.rule, arguments, base, f"{functions}_total")


def series_or_number(argument: Any, table: Mapping[Value, Series], records: bool) -> Any:
    """Return the series of an argument of a node, or its number if it is constant; a list of them for a sequence."""
    if isinstance(argument, tuple):
        return [series_or_number(element, table, records) for element in argument]
    if not is_node(argument):
        return argument
    return table.get(argument) or (argument if records else argument.data)


def composed(name: str, function: Function, role: str) -> Function:
    """Return a function of series for `function`, which a rule gives as a Python function and not as text.

    It runs `function` on fresh leaves in place of the first terms, and expands the nodes that it records. The leaves
    become links to terms that are nodes. If every series has one term only, `function` is called on numbers and may be
    one that cannot be recorded. Errors call it `name`.
    """

    def on_series(*arguments: Any) -> Any:
        table: dict[Value, Series] = {}
        given = series_in(arguments)
        records = any(is_node(series.terms[0]) for series in given)
        if not records and all(len(series.terms) == 1 for series in given):
            return function(*first(arguments))

        def enter(argument: Any) -> Any:
            if not isinstance(argument, Series):
                return argument
            start = argument.terms[0]
            leaf = start.detach() if is_node(start) else Value(start)
            table[leaf] = argument
            return leaf

        with Guarded(name, table):
            entered = [list(map(enter, x)) if isinstance(x, list | tuple) else enter(x) for x in arguments]
            results = function(*entered)
        outs = results if isinstance(results, list | tuple) else [results]
        _, nodes, _ = between([*table], outs)
        make_links(table, [series.terms[0] for series in table.values()])
        expansions(nodes, table, role.removesuffix("_total") if records else "")
        expanded = [series_or_number(out, table, records) for out in outs]
        return expanded if isinstance(results, list | tuple) else expanded[0]

    return on_series
