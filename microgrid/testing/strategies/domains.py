"""Where a rule is smooth: its `domain` text, used as a condition, as a condition with a margin, and as bounds.

A domain is a condition on numbers, such as `-1 < x < 1`. Evaluated on intervals, the same text tells whether a point
keeps a distance from all edges and kinks.
"""

from __future__ import annotations

import ast
import math
from functools import cache

from microgrid.engine import recording
from microgrid.engine.messages import brief
from microgrid.engine.numbers import MATH_ERRORS
from microgrid.engine.operations import NUMBERS, dependents
from microgrid.rules.derivatives import expression
from microgrid.rules.table import RULES, Rule
from microgrid.testing.strategies.intervals import Interval

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    Arguments = Mapping[str, Any]

MARGIN = 1e-3  # the distance from edges and kinks: this times max(1, abs(x))
MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}


def row(rule: Rule | str | Callable[..., Any]) -> Rule:
    """Return the row of the table that `rule`, a row, a name or a function, refers to.

    Raises:
        ValueError: if there is no such row.

    >>> from microgrid import math
    >>> row("tanh") is row(math.tanh) is RULES["tanh"]
    True
    """
    if isinstance(rule, Rule):
        return rule
    name = getattr(rule, "__name__", rule)
    if name not in RULES:
        raise ValueError(f"expected a rule, its name or its function, got {brief(rule)}")
    return RULES[name]


def forward(rule: Rule, arguments: Arguments) -> float:
    """Return the result of `rule` on plain numbers, given by the names of its arguments.

    Raises:
        ValueError, ArithmeticError: where it is not defined.
    """
    return float(recording.evaluate(rule, arguments.values(), NUMBERS))


# The domain as a condition


@cache
def condition(domain: str) -> Any:
    """Return the compiled text of a domain."""
    return compile(domain or "True", "<domain>", "eval")


def holds(rule: Rule, arguments: Arguments) -> bool:
    """Return whether the domain of `rule` holds for `arguments`, numbers or intervals."""
    lengths = [len(argument) for argument in arguments.values() if isinstance(argument, list)]
    count = {"n": lengths[0]} if lengths else {}
    return bool(eval(condition(rule.domain), {**NUMBERS, **count, **arguments}))


def in_domain(rule: Rule, arguments: Arguments) -> bool:
    """Return whether `arguments` are in the domain of `rule`, where it is defined and smooth.

    >>> in_domain(RULES["log"], {"x": 2.0}), in_domain(RULES["log"], {"x": 0.0})
    (True, False)
    """
    try:
        return holds(rule, arguments)
    except MATH_ERRORS:
        return False


def is_inside(rule: Rule, arguments: Arguments, margin: float = MARGIN) -> bool:
    """Return whether `arguments` are in the domain of `rule` with a margin around them.

    >>> is_inside(RULES["mod"], {"x": 7.0, "y": 2.0}), is_inside(RULES["mod"], {"x": 8.0001, "y": 2.0})
    (True, False)
    """
    if not in_domain(rule, arguments):
        return False
    wide = []
    for name, x in places(rule, arguments):
        distance = radius(rule, name, x, margin)
        wide.append(Interval(x - distance, x + distance))
    try:
        return holds(rule, replaced(rule, arguments, wide))
    except (*MATH_ERRORS, TypeError):  # the domain calls functions that do not take intervals
        return all(in_domain(rule, near) for _, *pair in neighbours(rule, arguments, margin) for near in pair)


def radius(rule: Rule, name: str, x: float, margin: float) -> float:
    """Return how far the argument `name`, at `x`, has to stay from edges and kinks."""
    low, high = bounds(rule, name)
    return margin * min(max(1.0, abs(x)), high - low)


def neighbours(rule: Rule, arguments: Arguments, margin: float) -> Iterator[tuple[float, Arguments, Arguments]]:
    """Yield, for each number that `rule` is differentiated by, a step, and the points one step below and above."""
    found = places(rule, arguments)
    numbers = [x for _, x in found]
    for index, (name, x) in enumerate(found):
        step = radius(rule, name, x, margin)
        low, high = ([*numbers[:index], x + h, *numbers[index + 1 :]] for h in (-step, step))
        yield step, replaced(rule, arguments, low), replaced(rule, arguments, high)


def places(rule: Rule, arguments: Arguments) -> list[tuple[str, Any]]:
    """Return the numbers that `rule` is differentiated by, each with the name of its argument.

    >>> places(RULES["dot"], {"ws": [1.0, 2.0], "xs": [3.0, 4.0], "b": 0.0})
    [('ws', 1.0), ('ws', 2.0), ('xs', 3.0), ('xs', 4.0), ('b', 0.0)]
    """
    found: list[tuple[str, Any]] = []
    for name, argument in arguments.items():
        if rule.is_differentiable(name):
            found += [(name, x) for x in (argument if rule.is_sequence(name) else [argument])]
    return found


def replaced(rule: Rule, arguments: Arguments, items: Iterable[Any]) -> dict[str, Any]:
    """Return `arguments` with `items` in their places (see `places`)."""
    rest = iter(items)

    def next_items(name: str) -> Any:
        if rule.is_sequence(name):
            return [next(rest) for _ in arguments[name]]
        return next(rest) if rule.is_differentiable(name) else arguments[name]

    return {name: next_items(name) for name in arguments}


# The domain as bounds


def comparisons(node: ast.expr) -> Iterator[tuple[ast.expr, type[ast.cmpop], ast.expr]]:
    """Yield pairwise comparisons that are necessary for `node` to be true; conditions of other forms are skipped."""
    match node:
        case ast.BoolOp(ast.And(), parts):
            for part in parts:
                yield from comparisons(part)
        case ast.Call(ast.Name("all"), [ast.GeneratorExp(element)]):
            yield from comparisons(element)
        case ast.Compare(left, operators, others):
            for operator, right in zip(operators, others, strict=True):
                yield left, type(operator), right
                left = right


@cache
def limits(rule: Rule, name: str) -> list[tuple[type[ast.cmpop], float]]:
    """Return the comparisons of the argument `name` with constants in the domain of `rule`.

    >>> limits(RULES["asin"], "x")
    [(<class 'ast.Gt'>, -1.0), (<class 'ast.Lt'>, 1.0)]
    """
    words = {name, name[:-1]} if rule.is_sequence(name) else {name}
    found = []
    for left, operator, right in comparisons(expression(rule.domain or "True")):
        for one, relation, other in ((left, operator, right), (right, MIRRORED.get(operator), left)):
            number = constant(other)
            match one:
                case ast.Name(word) if word in words and relation and number is not None:
                    found.append((relation, number))
                case ast.Call(ast.Name("abs"), [ast.Name(word)]) if word in words and relation and number is not None:
                    found += [(relation, number), (MIRRORED[relation], -number)]
    return found


dependents.add(limits)


def constant(node: ast.expr) -> float | None:
    """Return the number that `node` evaluates to, or None if it has variables."""
    if any(isinstance(part, ast.Name | ast.Attribute) for part in ast.walk(node)):
        return None
    try:
        return float(eval(compile(ast.Expression(node), "<domain>", "eval")))
    except (*MATH_ERRORS, TypeError):
        return None


def bounds(rule: Rule, name: str) -> tuple[float, float]:
    """Return the bounds of the argument `name` that follow from comparisons with constants in the domain of `rule`.

    >>> bounds(RULES["acosh"], "x"), bounds(RULES["relu"], "x")
    ((1.0, inf), (-inf, inf))
    """
    low = [limit for relation, limit in limits(rule, name) if relation in (ast.Gt, ast.GtE)]
    high = [limit for relation, limit in limits(rule, name) if relation in (ast.Lt, ast.LtE)]
    return max(low, default=-math.inf), min(high, default=math.inf)
