"""A graph as an indented tree of text, from the root down to the leaves; a shared node is written out once.

To fit on a screen, a tree ends after `DEPTH` levels; what is deeper follows as a tree of its own.
"""

from __future__ import annotations

from microgrid.draw.graphs.sketch import arguments
from microgrid.draw.words import gradient, has_gradient, numbers_text, operation_text
from microgrid.engine import graph
from microgrid.engine.messages import brief, label_of, number
from microgrid.engine.numbers import is_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from microgrid.engine.value import Value

DEPTH = 24  # the levels of a tree


def shared(nodes: list[Value]) -> set[Value]:
    """Return the nodes that are used more than once."""
    met: set[Value] = set()
    again: set[Value] = set()
    for node in nodes:
        for parent in node.parents:
            (again if parent in met else met).add(parent)
    return again


def children(node: Value) -> list[Any]:
    """Return the children of `node` in the tree: its parents and sequences of constants, in the order of arguments."""
    found: list[Any] = []
    for _, operand in arguments(node):
        if is_node(operand):
            found.append(operand)
        elif isinstance(operand, tuple) and operand:
            found += operand if is_node(operand[0]) else [operand]
    return found


class Tree:
    """Writes the lines of a graph.

    Attributes:
        lines: the lines written so far.
    """

    def __init__(self, root: Value) -> None:
        nodes = graph.inner_nodes(root)
        self.shared = shared(nodes)
        self.shows_gradients = any(map(has_gradient, [root, *graph.leaves(nodes), *nodes]))
        self.numbers: dict[Value, int] = {}  # the `1` in `#1`, for nodes that other lines refer to
        self.written: set[Value] = set()
        self.lines: list[str] = []
        trees = [root]
        for top in trees:  # it grows during the loop
            if top not in self.written:
                trees += self.write(top)

    def write(self, top: Value) -> list[Value]:
        """Write the tree of `top`, and return the nodes too deep for it, which need trees of their own."""
        later: list[Value] = []
        stack: list[tuple[Any, str, str, int]] = [(top, "", "", 0)]
        while stack:
            item, first, indent, depth = stack.pop()
            if isinstance(item, tuple):
                self.lines.append(f"{first}constants {numbers_text(item)}")
                continue
            below = [] if item in self.written else children(item)
            if below and depth == DEPTH:
                if item not in self.numbers:
                    later.append(item)
                self.lines.append(f"{first}{self.name(item)}{self.title(item)} continued below")
                continue
            self.lines.append(first + self.line(item))
            self.written.add(item)
            branches = [("└── ", "    "), *[("├── ", "│   ")] * (len(below) - 1)]
            for child, (mark, line) in zip(reversed(below), branches, strict=False):
                stack.append((child, indent + mark, indent + line, depth + 1))
        return later

    def name(self, node: Value) -> str:
        """Return the name, such as `#1`, by which lines refer to `node`."""
        return f"#{self.numbers.setdefault(node, len(self.numbers) + 1)} "

    def title(self, node: Value) -> str:
        """Return label and operation of `node`."""
        return " ".join(filter(None, [label_of(node), operation_text(node)])) or number(node.data)

    def line(self, node: Value) -> str:
        """Return the line of `node`: in full the first time, then as a reference."""
        if node in self.written:
            return f"{self.name(node)}{self.title(node)} (above)"
        parts = [self.name(node).strip()] if node in self.shared or node in self.numbers else []
        parts += [label_of(node), operation_text(node), f"data={number(node.data)}"]
        grad = gradient(node)
        parts.append(f"grad={number(grad)}" if self.shows_gradients and grad is not None else "")
        return " ".join(filter(None, parts))


def to_text(root: Value) -> str:
    """Return the graph of `root` as an indented tree, with the parents of each node below it.

    A node that is used more than once gets a name such as `#1`, and is written out where it first appears. If all
    gradients are zero, they are left out.

    Args:
        root: the node whose graph is written.

    Raises:
        TypeError: if `root` is not a `Value`.

    >>> from microgrid import Value
    >>> x, y = Value(2.0, label="x"), Value(3.0, label="y")
    >>> z = (x * y + 1) * x
    >>> z.backward()
    >>> print(to_text(z))
    * data=14 grad=1
    ├── + 1 data=7 grad=2
    │   └── * data=6 grad=2
    │       ├── #1 x data=2 grad=13
    │       └── y data=3 grad=4
    └── #1 x (above)
    """
    if not is_node(root):
        raise TypeError(f"expected a Value to draw, got {type(root).__name__} {brief(root)}")
    return "\n".join(Tree(root).lines)
