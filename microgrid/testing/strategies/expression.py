"""Expressions as source text: what the strategy `expressions` draws, and how its operations become text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from microgrid.engine import graph
from microgrid.engine.operations import dependents
from microgrid.engine.recording import names_for
from microgrid.engine.value import Value
from microgrid.rules import methods
from microgrid.rules.source import define, words
from microgrid.rules.table import ROWS, RULES, Rule
from microgrid.testing.strategies.domains import places, replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

STANDARD = {rule.name for rule in ROWS}
IMPORT = "from microgrid import math\n\n"


@dataclass(frozen=True, repr=False)
class Expression:
    """A function as source text, and a point at which all of its operations are smooth.

    Args:
        source: the definition of a function `expression` of numbers or `Value`s. It calls rules that `define_rule` has
            added by their names.
        point: one number for each argument.

    Called with numbers it returns a number, with `Value`s a `Value`. Its `repr` can be pasted into a program.

    >>> expression = Expression("def expression(x, y):\\n    return x * y\\n", point=(2.0, 3.0))
    >>> expression(*expression.point)
    6.0
    >>> expression
    Expression(
        "def expression(x, y):\\n"
        "    return x * y\\n",
        point=(2.0, 3.0),
    )
    """

    source: str
    point: tuple[float, ...]

    def __call__(self, *numbers: Any) -> Any:
        return compiled(self.source)(*numbers)

    @property
    def operations(self) -> list[str]:
        """The names of the rules that are recorded at the point, in the order of evaluation."""
        out = self(*map(Value, self.point))
        return [node.op.name for node in graph.inner_nodes(out)]

    def __repr__(self) -> str:
        lines = (f'    "{line}\\n"\n' for line in self.source.splitlines())
        return f"Expression(\n{''.join(lines).rstrip()},\n    point={self.point!r},\n)"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Print the `repr` through the pretty-printer that Hypothesis and IPython use."""
        for index, line in enumerate(repr(self).splitlines()):
            if index:
                printer.break_()
            printer.text(line)


@lru_cache(maxsize=1024)
def compiled(source: str) -> Callable[..., Any]:
    """Return the function `expression` that `source` defines."""
    used = words(source)
    own = {name: function_of(rule) for name, rule in RULES.items() if name in used and name not in STANDARD}
    function: Callable[..., Any] = define(source, "expression", own)["expression"]
    return function


dependents.add(compiled)


def function_of(rule: Rule) -> Callable[..., Any]:
    """Return the function of a rule that `define_rule` has added."""
    source = methods.general_function_source(rule, "")
    function: Callable[..., Any] = define(source, f"{rule.name}_called", names_for(source))[rule.name]
    return function


class Node:
    """An input (it has a name), a constant or the result of a rule, with its number at the point.

    Attributes:
        growth: a bound on its slope by the inputs: the sum over all paths of the product of the slopes along each.
    """

    rule: Any  # a `Rule`, or None
    arguments: dict[str, Any]

    def __init__(self, number: float, growth: float, name: str = "", rule: Rule | None = None, **arguments: Any):
        self.number, self.growth, self.name, self.rule, self.arguments = number, growth, name, rule, arguments

    @property
    def operands(self) -> list[Node]:
        """The nodes it was computed from, in the order of the rule's arguments."""
        return [node for _, node in places(self.rule, self.arguments)]

    @property
    def is_constant(self) -> bool:
        """Whether it is a constant of the text."""
        return not (self.rule or self.name)


# Text


def inner_nodes(result: Node) -> list[Node]:
    """Return the operations that `result` depends on, itself included, each after its operands."""
    order: dict[Node, None] = {}
    stack = [result]
    while stack:
        node = stack[-1]
        missing = [operand for operand in node.operands if operand.rule and operand not in order]
        if missing:
            stack += reversed(missing)
        else:
            order[stack.pop()] = None
    return [*order]


def source_of(result: Node, inputs: list[Node]) -> str:
    """Return the source of the function of `inputs` that computes `result`, one operation per line."""
    order = inner_nodes(result)
    names = {node: f"v{index}" for index, node in enumerate(order, 1)}
    lines = [f"def expression({', '.join(node.name for node in inputs)}):"]
    for node in order:
        texts = [names.get(operand) or operand.name or repr(operand.number) for operand in node.operands]
        text = call(node.rule, replaced(node.rule, node.arguments, texts))
        lines.append(f"    return {text}" if node is result else f"    {names[node]} = {text}")
    source = "\n".join(lines) + "\n"
    return IMPORT + source if "math." in source else source


def call(rule: Rule, arguments: dict[str, Any]) -> str:
    """Return a call of `rule` as text, given its operands as text and its parameters.

    >>> call(RULES["sub"], {"x": "1.0", "y": "x"}), call(RULES["prod"], {"xs": ["x", "y"], "start": 3})
    ('1.0 - x', 'math.prod([x, y], start=3)')
    """
    if rule.name in methods.DUNDER_NAMES:
        return f" {rule.symbol} ".join(arguments.values())
    if rule.name == "neg":
        return "-" + str(arguments["x"])
    parts = []
    for name, argument in arguments.items():
        text = ", ".join(argument) if rule.is_sequence(name) else str(argument)
        if rule.is_sequence(name) and not rule.variadic:
            text = f"[{text}]"
        if text != rule.defaults.get(name):
            parts.append(f"{name}={text}" if name in rule.defaults else text)
    prefix = "math." if rule.name in STANDARD - {"abs", "round"} else ""
    return f"{prefix}{rule.name}({', '.join(parts)})"
