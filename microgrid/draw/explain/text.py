"""An explanation as plain text."""

from __future__ import annotations

from itertools import groupby

from microgrid.draw.graphs.sketch import arguments
from microgrid.draw.words import INFIX, abridged, forward_of, partial_of
from microgrid.engine.messages import label_of, number
from microgrid.engine.numbers import is_node
from microgrid.rules import source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from microgrid.draw.explain.chain_rule import ChainRule, Use
    from microgrid.engine.value import Value

    Shown = Callable[[Any], str]  # writes an operand, as a name or as a number

FORWARD = "Forward: every number, and the partial derivatives of each operation"
BACKWARD = "Backward: every gradient is a sum over the uses of a number"


def plain(x: Any) -> str:
    """Return a number on its own."""
    return number(x, 6)


def bracketed(x: Any) -> str:
    """Return a number as a part of a formula.

    >>> bracketed(-3.0), bracketed(3.0)
    ('(-3)', '3')
    """
    shown = plain(x)
    return f"({shown})" if needs_brackets(shown) else shown


def needs_brackets(shown: str) -> bool:
    """Return whether a number that replaces a name would be misread next to an operator, as in `2 * -3`."""
    return shown.startswith("-") or ("/" in shown and not shown.startswith("["))


def joined(parts: Sequence[Any], joint: str, shown: Shown) -> str:
    """Return `parts`, written by `shown` and joined; if there are many, those in the middle are left out."""
    return joint.join(abridged([*map(shown, parts)], "…"))


def equations(*sides: str) -> str:
    """Return the sides joined by equals signs; equal neighbours appear once."""
    return " = ".join(side for side, _ in groupby(sides))


def operand_text(operand: Any, shown: Shown) -> str:
    """Return an operand, a sequence in square brackets."""
    return f"[{joined(operand, ', ', shown)}]" if isinstance(operand, tuple) else shown(operand)


def forward_text(node: Value, shown: Shown) -> str:
    """Return the operation of `node`, a row of the table."""
    rule = node.op.rule
    operands = {name: operand_text(operand, shown) for name, operand in arguments(node)}
    if rule.name in INFIX:
        return substituted(f"x {rule.symbol} y", operands)
    if source.is_call_of_itself(rule) or source.sequences(rule):
        return f"{rule.name}({', '.join(operands.values())})"
    return substituted(forward_of(rule), operands)


def substituted(text: str, meanings: Mapping[str, str]) -> str:
    """Return the text of a row with names replaced; negative numbers get brackets unless they have some.

    >>> substituted("x * exp(y)", {"x": "-2", "y": "-3"})
    '(-2) * exp(-3)'
    """
    tokens = list(source.tokens(text))
    words = ["(", *(token for token in tokens if token != " "), ")"]
    neighbours = zip(words, words[2:], strict=False)
    shown = []
    for token in tokens:
        before, after = ("", "") if token == " " else next(neighbours)
        meaning = meanings.get(token, token)
        alone = before in ("(", ",") and after in (")", ",")
        shown.append(f"({meaning})" if token in meanings and not alone and needs_brackets(meaning) else meaning)
    return "".join(shown)


def partial_text(use: Use, shown: Shown) -> str:
    """Return the partial derivative by one operand, in terms of the operands of this node."""
    node = use.node
    rule: Any = node.op.rule
    meanings = {"out": shown(node)}
    for name, operand in arguments(node):
        meanings[name] = operand_text(operand, shown)
        if isinstance(operand, tuple):
            meanings["n"] = str(len(operand))
            if use.index is not None:
                meanings[name[:-1]] = shown(operand[use.index])
    if use.argument in rule.partials:
        listed = f"[{use.index}]" if use.index is not None else ""
        return substituted(partial_of(node, use.argument, use.partial), meanings) + listed
    return substituted(rule.partials[use.argument[:-1]], meanings)


class Text:
    """Writes one explanation."""

    def __init__(self, explanation: ChainRule) -> None:
        self.explanation, self.names = explanation, explanation.names

    def named(self, operand: Any) -> str:
        """Return the name of an operand; a constant as a number."""
        return self.names[operand] if is_node(operand) else plain(operand)

    def numbered(self, operand: Any) -> str:
        """Return an operand as a number."""
        return plain(getattr(operand, "data", operand))

    def derivative(self, use: Use) -> str:
        """Return the symbol of a partial derivative; if a node is used twice, it says as which operand."""
        sign = f"∂{self.names[use.node]}/∂{self.names[use.parent]}"
        return f"{sign} as {use.place}" if use.place else sign

    def applied(self, node: Value, shown: Shown) -> str:
        """Return the operation of `node`, in the table or not."""
        if node.op.rule is not None:
            return forward_text(node, shown)
        name, operands, _ = self.explanation.applied(node)
        return f"{name}({joined(operands, ', ', shown)})"

    def forward(self, node: Value) -> Iterator[str]:
        """Yield the lines of `node` and its partials."""
        label = label_of(node)
        remark = f"    ({label})" if label and label != self.names[node] else ""
        if node.op is None:
            yield f"  {self.names[node]} = {plain(node.data)}{remark}"
            return
        sides = self.applied(node, self.named), self.applied(node, self.numbered)
        yield f"  {equations(self.names[node], *sides, plain(node.data))}{remark}"
        for use in self.explanation.uses[node]:
            texts = [] if not use.argument else [partial_text(use, show) for show in (self.named, self.numbered)]
            yield f"      {equations(self.derivative(use), *texts, plain(use.partial))}"

    def backward(self, node: Value) -> str:
        """Return the line of the gradient of `node`."""
        uses = [use for use in self.explanation.contributions[node] if use.contribution is not None]
        products = [f"grad {self.names[use.node]} · {self.derivative(use)}" for use in uses]
        gradients = self.explanation.gradients
        numbers = [f"{bracketed(gradients[use.node])} · {bracketed(use.partial)}" for use in uses]
        sides = [joined(texts, " + ", str) for texts in (products, numbers) if texts]
        reason = "" if uses or node is self.explanation.root else ": the results that depend on it have gradient 0"
        return f"  {equations(f'grad {self.names[node]}', *sides, plain(gradients[node]))}{reason}"


def write(explanation: ChainRule) -> str:
    """Return `explanation` as text."""
    text = Text(explanation)
    forward = [line for node in explanation.nodes for line in text.forward(node)]
    return "\n".join([FORWARD, *forward, BACKWARD, *map(text.backward, ordered(explanation))])


def ordered(explanation: ChainRule) -> list[Value]:
    """Return the nodes in the order in which gradients are complete: from the root back, leaves last."""
    leaves = [node for node in explanation.nodes if node.op is None]
    return [*reversed(explanation.nodes[len(leaves) :]), *leaves]
