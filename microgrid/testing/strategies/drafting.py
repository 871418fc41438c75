"""Random expressions over the calculus table: a Hypothesis strategy for programs, each with a point to try it at.

An expression is drawn operation by operation and evaluated meanwhile. Operands at which a rule is not smooth, with room
to spare, are exchanged or brought into its domain by a few more operations, so that hardly anything drawn is thrown
away. The table's partials are not looked at: slopes are measured by differences, so that a wrong partial hides nothing.
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

MARGIN = 1e-2  # how far an operand is from any kink, as in `domains`
LARGEST = 100.0  # of results and intermediate values
STEEPEST = 1000.0  # of slopes, by the inputs and by each operand, and of curvatures by each operand
TRIALS = 60  # of other numbers for an operation, and of other operands


def operation(rule: Rule, arguments: dict[str, Any]) -> Node | None:
    """Return the node of `rule` on nodes and parameters, or None if it is not smooth there or its size not moderate."""
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
    """Return the node of a binary rule on nodes or constants, or None if there is none."""
    if x is None or y is None:
        return None
    nodes = (operand if isinstance(operand, Node) else Node(operand, 0.0) for operand in (x, y))
    return operation(RULES[name], dict(zip("xy", nodes, strict=True)))


def brought_between(low: float, high: float, node: Node) -> Iterator[Node | None]:
    """Yield sums and products in `node`, one of which has a number well between the bounds, or away from 0.

    Quotients would hide a fault in `div`: it would not shrink to a division of its own.
    """
    scale = math.ldexp(1.0, -1 - max(0, math.frexp(node.number)[1]))  # times it, the number is below 1/2
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
        """Draw an input, an earlier result (most often one that is not used yet) or a constant."""
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
        """Return `node`; if it is an input without a number, give it one between the bounds, where its place is."""
        if math.isnan(node.number):
            place, numbers = self.places[node], readable(low, high)
            node.number = numbers[place % len(numbers)] if isinstance(place, int) else low + (high - low) * place
        return node

    def add(self, draw: DrawFn) -> None:
        """Draw one more operation, unless none fits."""
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
    """Return the operation on `arguments`; if it is not smooth there, on other numbers or on operands brought inside.

    Only the numbers of constants and of `free` inputs, which nothing depends on yet, may change.
    """
    slots = places(rule, arguments)
    loose = {node: name for name, node in slots if node.is_constant or node in free}
    before = [node.number for node in loose]
    choices = [readable(*inner_bounds(rule, name, MARGIN, 5.0)) for name in loose.values()]
    for numbers in [before, *islice(alternatives(choices), TRIALS if loose else 0)]:
        for node, number in zip(loose, numbers, strict=True):
            node.number = number
        if (out := operation(rule, arguments)) is not None:
            return out
    for node, number in zip(loose, before, strict=True):
        node.number = number
    ways = [[node, *(() if node.is_constant else brought(draw, *bounds(rule, name), node))] for name, node in slots]
    for nodes in islice(product(*ways), 1, TRIALS):
        if (out := operation(rule, replaced(rule, arguments, nodes))) is not None:
            return out
    return None


def brought(draw: DrawFn, low: float, high: float, node: Node) -> list[Node]:
    """Return what `brought_between` yields, from a drawn one on.

    What costs a choice is avoided when Hypothesis shrinks: an operation that fits without comes out before this.
    """
    ways = [way for way in brought_between(low, high, node) if way is not None]
    first = draw(st.integers(0, 5)) % max(len(ways), 1)  # there may be none, where growth is at its bound
    return ways[first:] + ways[:first]


# The strategy


def expressions(
    inputs: int | None = None, size: int = 10, rules: Iterable[Rule | str | Callable[..., Any]] | None = None
) -> SearchStrategy[Expression]:
    """Return a strategy for expressions, each with a point at which to differentiate it.

    At the point every operation is inside its smooth domain, by a hundredth of its operands' size at least; all
    intermediate values are at most 100, the slopes by the inputs at most about 1000.

    Args:
        inputs: the number of arguments; one to three unless given.
        size: the largest number of operations, not counted those that bring an operand into a domain.
        rules: what to choose operations from, rows, names or functions; the whole table unless given, together with
            what `define_rule` has added. Arithmetic is used besides to bring operands into a domain.

    Raises:
        ValueError: if there is no such rule, or nothing to choose from.

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
    """Draw another operation, and return whether to go on: `size` to one.

    All that belongs to a step is drawn within it, and last whether there is another, so that any step can be left out:
    of steps that the last one does not depend on, nothing is written.
    """
    draft.add(draw)
    return draw(st.integers(0, size)) > 0
