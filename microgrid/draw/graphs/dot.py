"""A graph in DOT, the language of graphviz, as micrograd draws it: a record per node, an oval for its operation.

`to_dot` needs no other package. `draw_dot` needs the Python package graphviz (the extra `graphviz`), and rendering its
picture the program of that name.
"""

from __future__ import annotations

from microgrid.draw.graphs.picture import Box, Picture, picture
from microgrid.engine import graph
from microgrid.engine.messages import brief
from microgrid.engine.numbers import is_node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from graphviz import Digraph

    from microgrid.engine.value import Value

# Graphviz reads entities everywhere, so these replace all characters that are special in its strings and records. It
# reads escapes such as `\\n` only after that, so a backslash has to be doubled as well.
ENTITIES = {ord(character): f"&#{ord(character)};" for character in '"&<>{}|'} | {ord("\\"): "&#92;&#92;"}
COLOURS = {"parameter": "#e3f3e6", "input": "#e2eefb", "constant": "#f0f1f3", "operation": "#ffffff"}
DIRECTIONS = ("LR", "TB", "RL", "BT")


def trace(root: Value) -> tuple[set[Value], set[tuple[Value, Value]]]:
    """Return the nodes of the graph of `root`, and its edges as pairs of a parent and a node that depends on it.

    Raises:
        TypeError: if `root` is not a `Value`.

    >>> from microgrid import Value
    >>> x = Value(3.0)
    >>> y = x * x
    >>> nodes, edges = trace(y)
    >>> len(nodes), edges == {(x, y)}
    (2, True)
    """
    if not is_node(root):
        raise TypeError(f"expected a Value to trace, got {type(root).__name__} {brief(root)}")
    inner = graph.inner_nodes(root)
    return {root, *graph.leaves(inner), *inner}, {(parent, node) for node in inner for parent in node.parents}


def text(shown: str) -> str:
    """Return `shown` escaped for a label.

    >>> text('a "b" {c}')
    'a &#34;b&#34; &#123;c&#125;'
    """
    return shown.translate(ENTITIES)


def record(box: Box, drawn: Picture) -> dict[str, str]:
    """Return the attributes of the record of a box."""
    fields = [box.label, box.data if box.kind == "constant" else f"data {box.data}"]
    if drawn.shows_gradients and box.grad is not None:
        fields.append(f"grad {box.grad}")
    attributes = {"label": f"{{ {' | '.join(text(field) for field in fields if field)} }}", "shape": "record"}
    attributes |= {"style": "filled", "fillcolor": COLOURS[box.kind]}
    return attributes | ({"penwidth": "2.5"} if box.root else {})


def statements(root: Value) -> tuple[list[tuple[str, dict[str, str]]], list[tuple[str, str, dict[str, str]]]]:
    """Return the nodes of the drawing with their attributes, and its edges with theirs."""
    drawn = picture(root)
    nodes: list[tuple[str, dict[str, str]]] = []
    edges: list[tuple[str, str, dict[str, str]]] = []
    for index, box in enumerate(drawn.boxes):
        nodes.append((f"n{index}", record(box, drawn)))
        if box.operation:
            nodes.append((f"op{index}", {"label": text(box.operation)}))
            edges.append((f"op{index}", f"n{index}", {}))
    for (source, target), name in zip(drawn.edges, drawn.names, strict=True):
        edges.append((f"n{source}", f"op{target}", {"headlabel": text(name)} if name else {}))
    return nodes, edges


def checked_direction(rankdir: str) -> str:
    """Return `rankdir`.

    Raises:
        ValueError: if it is not one of `DIRECTIONS`.
    """
    if rankdir not in DIRECTIONS:
        raise ValueError(f"rankdir is one of {', '.join(DIRECTIONS)}, got {brief(rankdir)}")
    return rankdir


def to_dot(root: Value, rankdir: str = "LR") -> str:
    """Return the graph of `root` in DOT.

    Args:
        root: the node whose graph is written.
        rankdir: the direction from leaves to root: `"LR"` to the right, `"TB"` down.

    Raises:
        TypeError: if `root` is not a `Value`.
        ValueError: if `rankdir` is not a direction.

    >>> from microgrid import Value
    >>> print(to_dot(Value(2.0, label="x") ** 2), end="")
    digraph {
        graph [rankdir="LR"]
        n0 [label="{ x | data 2 }" shape="record" style="filled" fillcolor="#e2eefb"]
        n1 [label="{ data 4 }" shape="record" style="filled" fillcolor="#ffffff" penwidth="2.5"]
        op1 [label="** 2"]
        op1 -> n1
        n0 -> op1
    }
    """

    def listed(attributes: dict[str, str]) -> str:
        pairs = " ".join(f'{key}="{value}"' for key, value in attributes.items())
        return f" [{pairs}]" if pairs else ""

    nodes, edges = statements(root)
    lines = [f'graph [rankdir="{checked_direction(rankdir)}"]']
    lines += [name + listed(attributes) for name, attributes in nodes]
    lines += [f"{source} -> {target}{listed(attributes)}" for source, target, attributes in edges]
    return "".join(["digraph {\n", *(f"    {line}\n" for line in lines), "}\n"])


def draw_dot(root: Value, format: str = "svg", rankdir: str = "LR") -> Digraph:
    """Return the graph of `root` as a `graphviz.Digraph`, which a notebook shows and `render()` writes to a file.

    Args:
        root: the node whose graph is drawn.
        format: the format of that file: `"svg"`, `"png"`, …
        rankdir: the direction from leaves to root: `"LR"` to the right, `"TB"` down.

    Raises:
        ModuleNotFoundError: if the package graphviz is not installed.
        TypeError: if `root` is not a `Value`.
        ValueError: if `rankdir` is not a direction, or `format` is unknown.
    """
    try:
        from graphviz import Digraph
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "draw_dot needs the package graphviz, and its program for rendering: install microgrid with the extra "
            "graphviz (pip install '.[graphviz]'), or use draw.to_svg, which needs neither"
        ) from None
    nodes, edges = statements(root)
    drawing = Digraph(format=format, graph_attr={"rankdir": checked_direction(rankdir)})
    for name, attributes in nodes:
        drawing.node(name, **attributes)
    for source, target, attributes in edges:
        drawing.edge(source, target, **attributes)
    return drawing
