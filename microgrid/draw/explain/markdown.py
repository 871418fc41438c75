"""An explanation in Markdown, with formulas in LaTeX made from the rows of the calculus table."""

from __future__ import annotations

from itertools import groupby
from string import punctuation

from microgrid.draw.explain.latex import Formula
from microgrid.draw.explain.tex import (
    ATOM,
    PLUS,
    PRODUCT,
    TIMES,
    bracketed,
    name_formula,
    number_formula,
    number_written,
    upright,
)
from microgrid.draw.explain.text import BACKWARD, FORWARD, ordered
from microgrid.draw.graphs.sketch import arguments
from microgrid.draw.words import MOST_TERMS, abridged, forward_of, partial_of
from microgrid.engine.messages import label_of, printable
from microgrid.engine.numbers import is_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.draw.explain.chain_rule import ChainRule, Use
    from microgrid.draw.explain.tex import Written
    from microgrid.engine.value import Value

    Shown = Callable[[Any], Written]

NEXT_LINE = " \\\\[0.4em]\n"
ENTITIES = {ord(character): f"&#{ord(character)};" for character in punctuation}


def escaped(text: str) -> str:
    """Return `text` with its punctuation escaped, so that Markdown takes it literally.

    >>> escaped("a_b")
    'a&#95;b'
    """
    return text.translate(ENTITIES)


def aligned(lines: Sequence[str]) -> str:
    """Return equations as one block, aligned at `&`."""
    return f"$$\n\\begin{{aligned}}\n{NEXT_LINE.join(lines)}\n\\end{{aligned}}\n$$"


def equation(*sides: str) -> str:
    """Return the sides joined by equals signs; equal neighbours appear once."""
    first, *others = (side for side, _ in groupby(sides))
    return f"{first} &= {' = '.join(others)}"


def writer(node: Value, shown: Shown, index: int | None = None) -> Formula:
    """Return the writer of the row of `node` over its operands; in a partial, `x` is the element of `xs` at `index`."""
    names, elements = {"out": shown(node)}, {}
    for name, given in arguments(node):
        if not isinstance(given, tuple):
            names[name] = shown(given)
            continue
        names["n"] = str(len(given)), ATOM
        elements[name] = [shown(element) for element in given] if len(given) <= MOST_TERMS else []
        if index is not None:
            names[name[:-1]] = shown(given[index])
    return Formula(names, elements)


def partial_formula(use: Use, shown: Shown) -> str:
    """Return the partial derivative by one operand, in terms of the operands of this node."""
    partials = use.node.op.rule.partials
    formula = writer(use.node, shown, use.index)
    if use.argument in partials:
        return formula.of(partial_of(use.node, use.argument, use.partial), use.index)
    return formula.of(partials[use.argument[:-1]])


class Markdown:
    """Writes one explanation."""

    def __init__(self, explanation: ChainRule) -> None:
        self.explanation = explanation
        self.names = {node: name_formula(name) for node, name in explanation.names.items()}

    def named(self, given: Any) -> Written:
        """Return the name of an operand; a constant as a number."""
        return (self.names[given], ATOM) if is_node(given) else number_written(given)

    def numbered(self, given: Any) -> Written:
        """Return an operand as a number."""
        return number_written(getattr(given, "data", given))

    def derivative(self, use: Use) -> str:
        """Return the symbol of a partial derivative; if a node is used twice, it says as which operand."""
        sign = rf"\frac{{\partial {self.names[use.node]}}}{{\partial {self.names[use.parent]}}}"
        return rf"\left.{sign}\right|_{{{upright(use.place)}}}" if use.place else sign

    def total(self, node: Value) -> str:
        """Return the symbol of the derivative of the root by `node`."""
        return rf"\frac{{\mathrm{{d}} {self.names[self.explanation.root]}}}{{\mathrm{{d}} {self.names[node]}}}"

    def remark(self, node: Value) -> str:
        """Return the label of `node` in brackets, unless it is its name."""
        label = label_of(node)
        return f" ({escaped(label)})" if label and label != self.explanation.names[node] else ""

    def heading(self, node: Value) -> str:
        """Return the line above the equations of `node`."""
        if node.op.rule is not None:
            name, what = node.op.name, printable(node.op.rule.doc)
        else:
            name, _, what = self.explanation.applied(node)
        return f"${self.names[node]}$, **{escaped(name)}**{self.remark(node)}: {escaped(what)}"

    def forward(self, node: Value) -> str:
        """Return the paragraph of `node` and its partials."""
        name, data = self.names[node], number_formula(node.data)
        if node.op is None:
            return f"${name} = {data}${self.remark(node)}"
        if node.op.rule is None:
            operation, operands, _ = self.explanation.applied(node)
            given = ", ".join(self.names[parent] for parent in operands)
            sides = [rf"{upright(operation)}\left({given}\right)"]
        else:
            sides = [writer(node, shown).of(forward_of(node.op.rule)) for shown in (self.named, self.numbered)]
        lines = [equation(name, *sides, data)]
        for use in self.explanation.uses[node]:
            shows = (self.named, self.numbered) if use.argument else ()
            texts = [partial_formula(use, shown) for shown in shows]
            lines.append(equation(self.derivative(use), *texts, number_formula(use.partial)))
        return f"{self.heading(node)}\n\n{aligned(lines)}"

    def backward(self, node: Value) -> str:
        """Return the equation of the gradient of `node`."""
        gradients = self.explanation.gradients
        uses = [use for use in self.explanation.contributions[node] if use.contribution is not None]
        products = [self.total(use.node) + TIMES + self.derivative(use) for use in uses]
        pairs = [(number_written(gradients[use.node]), number_written(use.partial)) for use in uses]
        numbers = [bracketed(a, PRODUCT) + TIMES + bracketed(b, PRODUCT) for a, b in pairs]
        sides = [PLUS.join(abridged(parts, r"\cdots")) for parts in (products, numbers) if parts]
        return equation(self.total(node), *sides, number_formula(gradients[node]))


def write(explanation: ChainRule) -> str:
    """Return `explanation` in Markdown."""
    paper = Markdown(explanation)
    leaves = [node for node in explanation.nodes if node.op is None]
    inner = explanation.nodes[len(leaves) :]
    given = [f"- {paper.forward(node)}" for node in leaves]
    steps = [paper.forward(node) for node in inner]
    gradients = [paper.backward(node) for node in ordered(explanation)]
    paragraphs = [f"**{FORWARD}**", "\n".join(given), *steps, f"**{BACKWARD}**", aligned(gradients)]
    return "\n\n".join(filter(None, paragraphs)) + "\n"
