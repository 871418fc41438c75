"""`explain`: the chain rule written out for one graph, as text for a terminal and in Markdown for a notebook."""

from __future__ import annotations

from microgrid.draw.explain import markdown, text
from microgrid.draw.explain.chain_rule import ChainRule
from microgrid.engine.messages import brief
from microgrid.engine.value import Value

IN_A_CELL = 60  # nodes: a notebook does not show the formulas of larger graphs by itself


class Explanation(ChainRule):
    """The chain rule for a graph, written out: `str()` of it is text, `markdown()` has formulas in LaTeX."""

    def __str__(self) -> str:
        return text.write(self)

    __repr__ = __str__

    def markdown(self) -> str:
        """Return the explanation in Markdown, with formulas in LaTeX."""
        return markdown.write(self)

    def _repr_markdown_(self) -> str:
        if len(self.nodes) > IN_A_CELL:
            return f"{len(self.nodes):,} nodes are too many to show here: `print` this, or its `markdown()`."
        return self.markdown()


def explain(root: Value) -> Explanation:
    """Return the chain rule written out for the graph of `root`: print it, or let a notebook show it.

    The gradients are those that `backward()` on `root` would accumulate from zero; those of the nodes are neither read
    nor changed. For operations written by hand, `_backward` is called.

    Args:
        root: the node whose derivatives are explained.

    Raises:
        TypeError: if `root` is not a `Value`.

    >>> from microgrid import Value
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b + a
    >>> print(explain(c))
    Forward: every number, and the partial derivatives of each operation
      a = 2
      b = -3
      v1 = a * b = 2 * (-3) = -6
          ∂v1/∂a = b = -3
          ∂v1/∂b = a = 2
      v2 = v1 + a = (-6) + 2 = -4
          ∂v2/∂v1 = 1
          ∂v2/∂a = 1
    Backward: every gradient is a sum over the uses of a number
      grad v2 = 1
      grad v1 = grad v2 · ∂v2/∂v1 = 1 · 1 = 1
      grad a = grad v2 · ∂v2/∂a + grad v1 · ∂v1/∂a = 1 · 1 + 1 · (-3) = -2
      grad b = grad v1 · ∂v1/∂b = 1 · 2 = 2
    """
    if not isinstance(root, Value):
        raise TypeError(f"expected a Value to explain, got {type(root).__name__} {brief(root)}")
    return Explanation(root)
