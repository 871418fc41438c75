"""Rows as templates of source: the forward expression and the products of the chain rule, with places for operands.

They are made once a row, from the same text as the eager roles. A place that occurs twice is filled with a name, so
that nothing is computed twice.
"""

from __future__ import annotations

import ast
import copy
from functools import cache

from microgrid.codegen import sequences, with_float_literals
from microgrid.pullbacks import Inline, Substitute, expression, is_zero, product
from microgrid.rules import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# A nan in a program is found at its end, and the call made again eagerly: choices need not look for one.
CHOICES = {
    "sign": "1 if x > 0 else -1 if x < 0 else 0",
    "step": "1 if x > 0 else 0",
    "less": "1 if x < y else 0",
    "where": "x if c else y",
}


class Mark(ast.NodeTransformer):
    """Replaces the names of places by marks: bare ones where operands need no parentheses, a spread one for `*xs`."""

    def __init__(self, places: Sequence[str]) -> None:
        self.places = places

    def marked(self, node: ast.expr, kind: str = "") -> ast.expr:
        """Return the mark for a place, or what becomes of another expression."""
        if isinstance(node, ast.Name) and node.id in self.places:
            return ast.Name(f"__{node.id}{kind}__")
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Name) and node.value.id in self.places:
            return ast.Name(f"__{node.value.id}_spread__")
        replaced: ast.expr = self.visit(node)
        return replaced

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the mark for a place."""
        return self.marked(node) if node.id in self.places else node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Return the call with bare marks for its arguments."""
        node.args = [self.marked(argument, "_bare") for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.marked(keyword.value, "_bare")
        return node


class Template:
    """Source with places for operands.

    Attributes:
        text: for `str.format_map`; a place `x` may also be written `x_bare`, and a sequence `xs_spread`.
        counts: how often each place occurs.
        atomic: whether it needs no parentheses as an operand.
    """

    def __init__(self, tree: ast.expr, places: Sequence[str]) -> None:
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
        self.counts = {place: names.count(place) for place in places if place in names}
        self.atomic = isinstance(tree, ast.Name | ast.Call | ast.Constant | ast.Subscript)
        whole = Mark(places).marked(copy.deepcopy(tree), "_bare")
        text = ast.unparse(whole).replace("{", "{{").replace("}", "}}")
        for place in self.counts:
            for kind in ("", "_bare", "_spread"):
                text = text.replace(f"__{place}{kind}__", f"{{{place}{kind}}}")
        self.text = text


def places(rule: Rule) -> list[str]:
    """Return the names in the texts of `rule` that stand for operands."""
    return [*rule.arguments, *(name[:-1] for name in sequences(rule)), "out", "g", "n"]


class Choose(Inline):
    """Replaces calls of the small choices by expressions that need not look for nan."""

    def __init__(self) -> None:
        super().__init__(tuple(CHOICES), with_float_literals)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Return the expression for a choice between plain operands, or the call."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in CHOICES and name != "where":
            self.generic_visit(node)
            if all(isinstance(argument, ast.Name) for argument in node.args):
                given = dict(zip(RULES[name].arguments, node.args, strict=True))
                chosen: ast.expr = Substitute(given).visit(expression(with_float_literals(CHOICES[name])))
                return chosen
            return node
        return super().visit_Call(node)


@cache
def forward(rule: Rule) -> tuple[Template, ...]:
    """Return the template of the result of `rule`; of a sum taken from left to right, its start and its step."""
    return tuple(Template(expression(with_float_literals(text)), places(rule)) for text in rule.forward.split("; "))


@cache
def contribution(rule: Rule, argument: str) -> Template | None:
    """Return the template of what the adjoint of `argument` gains from `g`, that of the result; None for zero.

    For a sequence it is written for one element, or if the row gives all partials at once, as the list of all.
    """
    key = argument if argument in rule.partials else argument[:-1]
    partial = Choose().visit(expression(with_float_literals(rule.partials[key])))
    if is_zero(partial):
        return None
    if key in sequences(rule):
        return Template(ast.Call(ast.Name("scaled"), [ast.Name("g"), partial], []), places(rule))
    return Template(product(ast.Name("g"), partial), places(rule))


def is_whole(rule: Rule, argument: str) -> bool:
    """Return whether `rule` gives all partials by the elements of the sequence `argument` at once."""
    return argument in rule.partials and rule.is_sequence(argument)


@cache
def power_by(exponent: int) -> Template:
    """Return the template of what `x` gains from `x ** exponent`, a whole number other than zero."""
    if exponent == 1:
        return Template(expression("g"), ["g"])
    return Template(expression(f"g * ({exponent}.0 * x{f' ** {exponent - 1}.0' if exponent != 2 else ''})"), ["x", "g"])
