"""The content of a drawing of a graph, shared by SVG and DOT: boxes, the edges between them, and their words.

Constants are not nodes: a single one is a part of the operation (`* 2`), a sequence of them gets a box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from microgrid.draw.graphs.folding import fold
from microgrid.draw.graphs.sketch import Numbers, Sketch
from microgrid.draw.words import formula, full, gradient, has_gradient, magnitude, numbers_text, operation_text
from microgrid.engine.messages import brief, label_of, number, printable
from microgrid.engine.numbers import is_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from microgrid.engine.value import Value

FOLDED = "folded"
NAMES = {"parameter": "parameters", "input": "inputs", FOLDED: "nodes"}


@dataclass(slots=True)
class Box:
    """A node, a sequence of constants, or several nodes folded into one box.

    Attributes:
        kind: `"parameter"`, `"input"`, `"constant"`, `"operation"` or `"folded"`.
        label: the label of the node, printable, or an empty string.
        operation: the operation with its constants, or an empty string.
        data: the number, or the range of several.
        grad: the gradient, or the largest of several; None without one.
        size: the absolute value of that gradient.
        count: how many nodes or numbers are in it.
        root: whether it is the root.
        details: the full information, as lines of a tooltip.
    """

    kind: str
    label: str = ""
    operation: str = ""
    data: str = ""
    grad: str | None = None
    size: float = 0.0
    count: int = 1
    root: bool = False
    details: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Picture:
    """Boxes, sources before targets, and edges as pairs of their indices, one for each operand.

    Attributes:
        names: for each edge the name of the argument, where the order of arguments matters.
        shows_gradients: whether any gradient is not zero; otherwise gradients are left out.
    """

    boxes: list[Box]
    edges: list[tuple[int, int]]
    names: list[str]
    shows_gradients: bool


def picture(root: Value, max_nodes: int | None = None, parameters: Iterable[Value] | None = None) -> Picture:
    """Return the content of a drawing of the graph of `root`, folded to at most `max_nodes` boxes.

    Raises:
        TypeError: if `root` is not a `Value`, or `parameters` is not iterable.
        ValueError: if `max_nodes` is not a whole number of at least 2.
    """
    if not is_node(root):
        raise TypeError(f"expected a Value to draw, got {type(root).__name__} {brief(root)}")
    if max_nodes is not None and not (isinstance(max_nodes, int) and max_nodes >= 2):
        raise ValueError(f"expected max_nodes to be a whole number of at least 2, or None, got {brief(max_nodes)}")
    if parameters is not None and not hasattr(parameters, "__iter__"):
        given = f"{type(parameters).__name__} {brief(parameters)}"
        raise TypeError(f"expected parameters to be a list of Values, such as net.parameters(), got {given}")
    sketch = Sketch(root, parameters)
    groups = fold(sketch, len(sketch.items) if max_nodes is None else max_nodes)
    box_of = {index: place for place, group in enumerate(groups) for index in group}
    edges: dict[tuple[int, ...], str] = {}
    for index, (source, target) in enumerate(sketch.edges):
        ends = box_of[source], box_of[target]
        folded = len(groups[ends[0]]) > 1 or len(groups[ends[1]]) > 1
        if ends[0] != ends[1]:
            edges[ends if folded else (*ends, index)] = "" if folded else sketch.names[index]
    shows = any(has_gradient(item) for item in sketch.items if not isinstance(item, Numbers))
    boxes = [single_box(sketch, group) if len(group) == 1 else folded_box(sketch, group) for group in groups]
    return Picture(boxes, [(key[0], key[1]) for key in edges], list(edges.values()), shows)


def single_box(sketch: Sketch, group: list[int]) -> Box:
    """Return the box of one item."""
    (index,) = group
    item, kind = sketch.items[index], sketch.kind(index)
    if isinstance(item, Numbers):
        numbers = item.numbers
        details = ["constants", printable(", ".join(map(full, numbers[:40])), 400)]
        return Box(kind, data=numbers_text(numbers), count=len(numbers), details=details)
    grad, label = gradient(item), label_of(item)
    details = [label] if label else []
    details += [kind if item.op is None else printable(f"operation {item.op.name}{formula(item)}")]
    details += [f"data {full(item.data)}", *([] if grad is None else [f"grad {full(grad)}"])]
    size, root = magnitude(grad), item is sketch.root
    short = None if grad is None else number(grad)
    return Box(kind, label, operation_text(item), number(item.data), short, size, root=root, details=details)


def folded_box(sketch: Sketch, group: list[int]) -> Box:
    """Return the box of several items: leaves of one kind, or a piece of the graph."""
    kinds = {sketch.kind(index) for index in group}
    nodes = [item for item in (sketch.items[index] for index in group) if not isinstance(item, Numbers)]
    sizes = [magnitude(gradient(node)) for node in nodes]
    size = math.nan if any(map(math.isnan, sizes)) else max(sizes, default=0.0)
    (kind,) = kinds if len(kinds) == 1 and kinds <= {*NAMES} else (FOLDED,)
    count = f"{len(group):,} {NAMES[kind]}"
    details = [count, f"largest gradient {size}"]
    data = ""
    if kind != FOLDED:
        numbers = [node.data for node in nodes]
        data = f"{number(min(numbers), 3)} … {number(max(numbers), 3)}"
    has_root = any(node is sketch.root for node in nodes)
    return Box(kind, count, "", data, f"≤ {number(size)}" if size else "0", size, len(group), has_root, details)
