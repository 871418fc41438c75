"""Expressions as program texts: what the strategy `expressions` draws, and how operations are written down."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from microgrid import codegen, eager, graph
from microgrid.engine import Value
from microgrid.recording import names_for
from microgrid.rules import ROWS, RULES, Rule
from microgrid.testing.domains import places, replaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

STANDARD = {rule.name for rule in ROWS}
IMPORT = "from microgrid import math\n\n"


@dataclass(frozen=True, repr=False)
class Expression:
    """A function as a program text, and a point at which all of its operations are smooth.

    Args:
        source: what defines a function `expression` of numbers or `Value`s; rules of one's own are called by name.
        point: one number for each argument.

    Called with numbers it returns a number, with `Value`s a `Value`. Its representation can be pasted.

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


@lru_cache(maxsize=1024)
def compiled(source: str) -> Callable[..., Any]:
    """Return the function `expression` that `source` defines."""
    used = codegen.words(source)
    own = {name: function_of(rule) for name, rule in RULES.items() if name in used and name not in STANDARD}
    function: Callable[..., Any] = codegen.define(source, "expression", own)["expression"]
    return function


def function_of(rule: Rule) -> Callable[..., Any]:
    """Return the function of a rule that a program has added."""
    source = eager.general_function_source(rule, "")
    function: Callable[..., Any] = codegen.define(source, f"{rule.name}_called", names_for(source))[rule.name]
    return function


class Node:
    """An input (of a name), a constant or the result of a rule, and its number at the point.

    Attributes:
        growth: how much faster than the inputs it may change there: the sum over all paths of the product of slopes.
    """

    def __init__(self, number: float, growth: float, name: str = "", rule: Rule | None = None, **arguments: Any):
        self.number, self.growth, self.name, self.rule, self.arguments = number, growth, name, rule, arguments

    @property
    def is_constant(self) -> bool:
        """Whether it is a number that the text gives."""
        return not (self.rule or self.name)


# Text


def source_of(result: Node, inputs: list[Node]) -> str:
    """Return the text of the function of `inputs` that computes `result`, one operation a line."""
    order: dict[Node, str] = {node: node.name for node in inputs}
    lines: list[str] = []
    stack = [result]
    while stack:
        node = stack[-1]
        if node in order or not node.rule:
            order.setdefault(node, repr(node.number))
            stack.pop()
        elif missing := [part for _, part in places(node.rule, node.arguments) if part not in order]:
            stack += reversed(missing)
        else:
            text = call(
                node.rule,
                replaced(node.rule, node.arguments, [order[part] for _, part in places(node.rule, node.arguments)]),
            )
            order[node] = f"v{len(lines) + 1}"
            lines.append(f"    {order[node]} = {text}")
    lines[-1] = "    return " + lines[-1].partition(" = ")[2]
    text = f"def expression({', '.join(node.name for node in inputs)}):\n" + "\n".join(lines) + "\n"
    return IMPORT + text if "math." in text else text


def call(rule: Rule, arguments: dict[str, Any]) -> str:
    """Return the text of `rule` on operands given as text, and parameters.

    >>> call(RULES["sub"], {"x": "1.0", "y": "x"}), call(RULES["prod"], {"xs": ["x", "y"], "start": 3})
    ('1.0 - x', 'math.prod([x, y], start=3)')
    """
    if rule.name in eager.DUNDER_NAMES:
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
