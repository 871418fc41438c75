"""The words in drawings: short numbers, and operations with their constants and formulas."""

from __future__ import annotations

import math

from microgrid.draw.graphs.sketch import arguments
from microgrid.engine import graph
from microgrid.engine.messages import number, printable
from microgrid.engine.numbers import MATH_ERRORS, is_node, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from microgrid.engine.value import Value
    from microgrid.rules.table import Rule

FIRST = 4  # so many numbers of a sequence are written out
MOST_TERMS = 6  # so many terms of a sum or a list are written out
INFIX = ("add", "sub", "mul", "div", "floordiv", "mod", "pow")
# Partials as in a textbook. Those of the table are also right at edges such as 0 ** 0, and harder to read for it.
TEXTBOOK = {
    "pow": {"x": "y * x ** (y - 1)", "y": "out * log(x)"},
    "atan2": {"y": "x / (x * x + y * y)", "x": "-y / (x * x + y * y)"},
    "binary_cross_entropy": {"p": "(p - y) / (p * (1 - p))"},
}


def numbers_text(numbers: Sequence[Any]) -> str:
    """Return the first of `numbers`, and the count if there are more.

    >>> numbers_text((1.0, 2.0)), numbers_text([0.5] * 9)
    ('1, 2', '0.5, 0.5, 0.5, 0.5, … 9 numbers')
    """
    rest = f", … {len(numbers)} numbers" if len(numbers) > FIRST else ""
    return ", ".join(map(number, numbers[:FIRST])) + rest


def abridged(parts: Sequence[str], dots: str) -> list[str]:
    """Return `parts`; if there are many, `dots` replace those in the middle.

    >>> abridged("abcdef", "…"), abridged("abcdefg", "…")
    (['a', 'b', 'c', 'd', 'e', 'f'], ['a', 'b', 'c', 'd', '…', 'g'])
    """
    return [*parts] if len(parts) <= MOST_TERMS else [*parts[: MOST_TERMS - 2], dots, parts[-1]]


def full(x: Any) -> str:
    """Return `x` with all its digits; in short if Python refuses, as it does for integers of over 4,300 digits."""
    try:
        return printable(x)
    except ValueError:
        return number(x)


def magnitude(x: Any) -> float:
    """Return the absolute value of a gradient; 0.0 if it is not a number."""
    try:
        return abs(float(x))
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return 0.0


def gradient(node: Value) -> Any:
    """Return the gradient of `node`, or None if it is not a number, as for a compiled call with several results."""
    grad = graph.plain_grad(node)
    return grad if is_number(grad) else None


def has_gradient(node: Value) -> bool:
    """Return whether `node` has a gradient that is not zero."""
    return magnitude(gradient(node)) != 0.0


def operation_text(node: Value) -> str:
    """Return the operation of `node` with its constants, as in `* 2`; sequences of constants get boxes instead.

    >>> from microgrid import Value, math
    >>> x = Value(3.0)
    >>> [operation_text(node) for node in (x * 2, 2 - x, x**2, x.leaky_relu(0.2), x.relu(), x * x, math.fma(x, 2, x))]
    ['* 2', '2 -', '** 2', 'leaky_relu(·, 0.2)', 'ReLU', '*', 'fma(·, 2, ·)']
    """
    if node.op is None:
        return ""
    symbol = printable(node.op.symbol)
    operands = list(arguments(node))
    if node.op.rule is None:
        return symbol or "?"
    shown = ["·" if is_node(x) or isinstance(x, tuple) else number(x) for _, x in operands]
    if node.op.name in INFIX:
        return " ".join(["" if shown[0] == "·" else shown[0], symbol, "" if shown[1] == "·" else shown[1]]).strip()
    defaults = node.op.rule.defaults
    while shown and operands[-1][0] in defaults and repr(operands[-1][1]) == defaults[operands[-1][0]]:
        operands.pop()
        shown.pop()
    return symbol if all(text == "·" for text in shown) else f"{symbol}({', '.join(shown)})"


def forward_of(rule: Rule) -> str:
    """Return the forward text of `rule`; if that is a function given to `define_rule`, a call by the rule's name."""
    return rule.forward.replace(f"{rule.name}_forward(", f"{rule.name}(")


def partial_of(node: Value, argument: str, value: Any) -> str:
    """Return the text of a partial of `node` by `argument`: the textbook's, if it evaluates to `value` here.

    >>> from microgrid import Value
    >>> partial_of(Value(3.0) ** 2, "x", 6.0)
    'y * x ** (y - 1)'
    """
    table: str = node.op.rule.partials[argument]
    textbook = TEXTBOOK.get(node.op.name, {}).get(argument)
    if textbook is None:
        return table
    numbers = {name: getattr(operand, "data", operand) for name, operand in arguments(node)}
    try:
        found = eval(textbook, {"log": math.log, "out": node.data, **numbers})
        return textbook if math.isclose(found, value, rel_tol=1e-12) else table
    except MATH_ERRORS:
        return table


def formula(node: Value) -> str:
    """Return the forward expression in the row of `node`, with its arguments."""
    rule: Any = None if node.op is None else node.op.rule
    return "" if rule is None else f"({', '.join(rule.arguments)}) = {forward_of(rule)}"
