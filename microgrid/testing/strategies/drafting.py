"""Random expressions over the calculus table: a Hypothesis strategy for programs, each with a point to test it at.

An expression is drawn operation by operation, and evaluated along the way. If operands are too close to an edge or kink
of a rule, they are replaced, or moved into its domain by a few more operations, so that hardly any draw is rejected.
Slopes are measured by differences, never by the partials of the table: a wrong partial must not decide which points
are drawn.
"""

from __future__ import annotations

import math
from itertools import islice, product

from hypothesis import reject
from hypothesis import strategies as st

from microgrid.engine.numbers import MATH_ERRORS
from microgrid.rules.table import RULES, Rule
from microgrid.testing.strategies.domains import bounds, forward, is_inside, neighbours, places, replaced, row
from microgrid.testing.strategies.expression import Expression, Node, source_of
from microgrid.testing.strategies.values import READABLE, alternatives, inner_bounds, parameter, readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from hypothesis.strategies import DrawFn, SearchStrategy

MARGIN = 1e-2  # the distance of operands from edges and kinks, as in `domains`
LARGEST = 100.0  # bounds results and intermediate values
STEEPEST = 1000.0  # bounds slopes by inputs and by operands, and curvatures by operands
TRIALS = 60  # how many other numbers are tried for an operation, and how many other operands


def operation(rule: Rule, arguments: dict[str, Any]) -> Node | None:
    """Return the node of `rule` on nodes and parameters; None if it is not smooth there, too large or too steep."""
    nodes = [node for _, node in places(rule, arguments)]
    numbers = replaced(rule, arguments, [node.number for node in nodes])
    if not is_inside(rule, numbers, MARGIN):
        return None
    growth = 0.0
    try:
        out = forward(rule, numbers)
        for node, (step, low, high) in zip(nodes, neighbours(rule, numbers, MARGIN), strict=True):
            below, above = forward(rule, low), forward(rule, high)
            slope, curvature = (above - below) / (2 * step), ((above - out) - (out - below)) / step**2
            if node.is_constant:
                continue
            if not (abs(slope) <= STEEPEST and abs(curvature) <= STEEPEST):
                return None
            growth += abs(slope) * node.growth
    except MATH_ERRORS:
        return None
    return Node(out, growth, "", rule, **arguments) if abs(out) <= LARGEST and growth <= STEEPEST else None


def combined(name: str, x: Node | float | None, y: Node | float | None) -> Node | None:
    """Return `operation` of a binary rule on nodes or constants; None if an operand is None."""
    if x is None or y is None:
        return None
    nodes = (operand if isinstance(operand, Node) else Node(operand, 0.0) for operand in (x, y))
    return operation(RULES[name], dict(zip("xy", nodes, strict=True)))


def moves_between(low: float, high: float, node: Node) -> Iterator[Node | None]:
    """Yield sums and products of `node`, one of which lies well between the bounds, or away from 0 without bounds.

    There are no quotients among them: with those, a fault in `div` could not shrink to a single division.
    """
    scale = math.ldexp(1.0, -1 - max(0, math.frexp(node.number)[1]))  # the number times `scale` is below 1/2
    if math.isfinite(low) and math.isfinite(high):
        small = combined("mul", node, scale * (high - low))
        yield small if high + low == 0 else combined("add", small, (low + high) / 2)
    elif math.isfinite(low):
        yield combined("add", combined("mul", node, scale), low + 1)
        yield combined("add", combined("mul", node, node), low + 1)
    elif math.isfinite(high):
        yield combined("sub", high - 1, combined("mul", node, scale))
        yield combined("sub", high - 1, combined("mul", node, node))
    else:
        yield from (combined("add", node, 1.0), combined("mul", node, 0.5), combined("add", node, 0.25))
        yield from (combined("mul", node, scale), combined("add", combined("mul", node, scale), 1.0))


class Draft:
    """An expression while it is drawn."""

    def __init__(self, rules: list[Rule], places: list[int | float]) -> None:
        names = [*"xyz"] if len(places) <= 3 else [f"x{i + 1}" for i in range(len(places))]
        self.inputs = [Node(math.nan, 1.0, name) for name in names[: len(places)]]
        self.places = dict(zip(self.inputs, places, strict=True))
        self.rules = rules
        self.results: list[Node] = []
        self.used: set[Node] = set()

    def operand(self, draw: DrawFn, rule: Rule, name: str) -> Node:
        """Draw an operand: an input, an earlier result (preferably one that nothing uses yet) or a constant."""
        nodes = self.inputs + self.results
        unused = [node for node in self.results if node not in self.used]
        nodes += unused * (6 * len(nodes) // len(unused)) if unused else []
        index = draw(st.integers(0, len(nodes) + len(nodes) // 6))
        low, high = inner_bounds(rule, name, MARGIN, 5.0)
        if index >= len(nodes):
            return Node(draw(st.sampled_from(readable(low, high))), 0.0)
        self.used.add(nodes[index])
        return self.with_number(nodes[index], low, high)

    def with_number(self, node: Node, low: float, high: float) -> Node:
        """Return `node`; an input without a number gets the one between the bounds that was drawn for it."""
        if math.isnan(node.number):
            place, numbers = self.places[node], readable(low, high)
            node.number = numbers[place % len(numbers)] if isinstance(place, int) else low + (high - low) * place
        return node

    def add(self, draw: DrawFn) -> None:
        """Draw one more operation; nothing is added if its operands cannot be made to fit."""
        rule = draw(st.sampled_from(self.rules))
        free = [node for node in self.inputs if math.isnan(node.number)]
        size = draw(st.integers(1, 3)) if any(map(rule.is_sequence, rule.arguments)) else 1
        arguments: dict[str, Any] = {}
        for name in rule.arguments:
            if rule.is_sequence(name):
                arguments[name] = [self.operand(draw, rule, name) for _ in range(size)]
            else:
                is_parameter = not rule.is_differentiable(name)
                arguments[name] = draw(parameter(rule, name)) if is_parameter else self.operand(draw, rule, name)
        nodes = [node for _, node in places(rule, arguments)]
        if all(node.is_constant for node in nodes):
            last, _ = places(rule, arguments)[-1]
            nodes[-1] = self.with_number(self.inputs[0], *inner_bounds(rule, last, MARGIN, 5.0))
            arguments = replaced(rule, arguments, nodes)
        out = fitted(draw, rule, arguments, free)
        if out is not None:
            self.results.append(out)


def fitted(draw: DrawFn, rule: Rule, arguments: dict[str, Any], free: list[Node]) -> Node | None:
    """Return the operation on `arguments`; if it is not smooth there, on other numbers or on operands moved inside.

    Only constants and `free` inputs, which nothing depends on yet, may get other numbers.
    """
    slots = places(rule, arguments)
    loose = {node: name for name, node in slots if node.is_constant or node in free}
    before = [node.number for node in loose]
    pools = [readable(*inner_bounds(rule, name, MARGIN, 5.0)) for name in loose.values()]
    for numbers in [before, *islice(alternatives(pools), TRIALS if loose else 0)]:
        for node, number in zip(loose, numbers, strict=True):
            node.number = number
        if (out := operation(rule, arguments)) is not None:
            return out
    for node, number in zip(loose, before, strict=True):
        node.number = number
    choices = [[node, *(() if node.is_constant else moved(draw, *bounds(rule, name), node))] for name, node in slots]
    for nodes in islice(product(*choices), 1, TRIALS):
        if (out := operation(rule, replaced(rule, arguments, nodes))) is not None:
            return out
    return None


def moved(draw: DrawFn, low: float, high: float, node: Node) -> list[Node]:
    """Return what `moves_between` yields, rotated to begin with a drawn one.

    The draw also steers shrinking: Hypothesis prefers fewer draws, so an operation that fits without a move.
    """
    moves = [move for move in moves_between(low, high, node) if move is not None]
    first = draw(st.integers(0, 5)) % max(len(moves), 1)  # there are none if the slope is at its bound already
    return moves[first:] + moves[:first]


# The strategy


def expressions(
    inputs: int | None = None, size: int = 10, rules: Iterable[Rule | str | Callable[..., Any]] | None = None
) -> SearchStrategy[Expression]:
    """Return a strategy for expressions, each with a point to differentiate it at.

    At the point, every operand keeps a distance of at least a hundredth of its size from edges and kinks; no
    intermediate value exceeds 100, no slope by an input about 1000.

    Args:
        inputs: the count of arguments; one to three unless given.
        size: the largest count of operations, without those that move an operand into a domain.
        rules: the operations to choose from, as rows, names or functions; unless given, the whole table, including
            what `define_rule` has added. Arithmetic may appear in any case, to move operands into a domain.

    Raises:
        ValueError: if there is no such rule, or no rule, operation or input to choose from.

    >>> from hypothesis import find
    >>> find(expressions(), lambda expression: "log" in expression.operations)
    Expression(
        "from microgrid import math\\n"
        "\\n"
        "def expression(x):\\n"
        "    return math.log(x)\\n",
        point=(1.0,),
    )
    """
    chosen = None if rules is None else [row(rule) for rule in rules]
    if chosen == [] or size < 1 or (inputs is not None and inputs < 1):
        raise ValueError(f"expected at least one rule, operation and input, got {rules=}, {size=}, {inputs=}")
    return _expressions(inputs, size, chosen)


@st.composite
def _expressions(draw: DrawFn, inputs: int | None, size: int, rules: list[Rule] | None) -> Expression:
    count = draw(st.integers(1, 3)) if inputs is None else inputs
    places = draw(st.lists(st.integers(0, len(READABLE) - 1) | st.floats(0, 1), min_size=count, max_size=count))
    draft = Draft([*RULES.values()] if rules is None else rules, places)
    for _ in range(size):
        if not draw(_step(draft, size)):
            break
    if not draft.results:
        reject()
    for node in draft.inputs:
        draft.with_number(node, -5.0, 5.0)
    return Expression(source_of(draft.results[-1], draft.inputs), tuple(node.number for node in draft.inputs))


@st.composite
def _step(draw: DrawFn, draft: Draft, size: int) -> bool:
    """Draw one more operation, and return whether to continue; the odds are `size` to one.

    Everything about a step is drawn inside it, and whether to continue comes last. So Hypothesis can delete any step
    when it shrinks; steps that the last one does not depend on are not written.
    """
    draft.add(draw)
    return draw(st.integers(0, size)) > 0
