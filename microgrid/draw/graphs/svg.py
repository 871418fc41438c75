"""A graph as a self-contained SVG: it needs no program, no network, no script and no style sheet.

Boxes are opaque and edges are grey, so that the picture works on light and on dark pages. It contains no `<style>` and
no `id`: a notebook puts many pictures into one page, where they would clash.
"""

from __future__ import annotations

import math
from html import escape
from unicodedata import combining, east_asian_width

from microgrid.draw.graphs.layout import Layout
from microgrid.draw.graphs.picture import FOLDED, Box, Picture, picture
from microgrid.engine import graph
from microgrid.engine.messages import brief, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgrid.engine.value import Value

FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
CHARACTER, LINE, PAD, PILL = 7.3, 17.0, 9.0, 18.0  # in pixels, for a monospaced font of 12
MARGIN, GAP, SPACING, GUTTER, STEP = 12.0, 38.0, 12.0, 9.0, 18.0
WIDEST = 24  # characters of a label or an operation
INK, MUTED, EDGE, ROOT, PILL_COLOUR = "#1f2933", "#66727f", "#8793a0", "#c27c0e", "#3b4754"
# Fill, border and corner radius of each kind.
STYLES = {
    "parameter": ("#e3f3e6", "#3f8f57", 3),
    "input": ("#e2eefb", "#3d7ab8", 14),
    "constant": ("#f0f1f3", "#8793a0", 14),
    "operation": ("#ffffff", "#8793a0", 7),
    FOLDED: ("#efeaf7", "#8a78b0", 7),
}
WHITE, WARM, COLD, BROKEN = (255, 255, 255), (240, 138, 75), (92, 148, 226), "#e05cc8"
CELL_NODES = 40  # the largest graph that a notebook cell draws by itself
SHOWN_NODES = 200
CELL_WIDTH, SMALLEST = 900.0, 0.6  # the width that a notebook shows without scrolling, and the smallest scale to fit it
MANY = 150  # with so many edges they are drawn thin


class SVG(str):
    """The text of an SVG, which notebooks show as a picture.

    There, a wide picture is scaled down to fit the cell, but only as far as it stays readable; then it scrolls.
    """

    __slots__ = ()

    def _repr_svg_(self) -> str:
        width, height = (float(self.partition(f'{name}="')[2].partition('"')[0]) for name in ("width", "height"))
        scale = min(max(CELL_WIDTH / width, SMALLEST), 1)
        size = f'width="{width * scale:.0f}" height="{height * scale:.0f}"'
        return self.replace(f'width="{width:.0f}" height="{height:.0f}"', size, 1)


def to_svg(root: Value, max_nodes: int = SHOWN_NODES, parameters: Iterable[Value] | None = None) -> SVG:
    """Return the graph of `root` as the text of an SVG picture, which a notebook shows.

    Each box shows the label and the operation of a node, its value, and its gradient on a colour for its sign and size.
    If all gradients are zero, they are left out. Inputs are blue and round, parameters green and angular, constants
    dashed; the root has a thick border.

    Args:
        root: the node whose graph is drawn.
        max_nodes: the largest count of boxes. A larger graph is folded: first leaves that are operands of the same
            operations share a box, then nodes far from the root. A folded box says how many nodes are in it.
        parameters: the leaves to draw as parameters; unless given, weights and biases of `dot`.

    Raises:
        TypeError: if `root` is not a `Value`.
        ValueError: if `max_nodes` is not a whole number of at least 2.

    >>> from microgrid import Value
    >>> x = Value(2.0, label="x")
    >>> to_svg(x * x)[:42]
    '<svg xmlns="http://www.w3.org/2000/svg" wi'
    """
    drawn = picture(root, max_nodes, parameters)
    lines = [lines_of(box, drawn) for box in drawn.boxes]
    named = {target for (_, target), name in zip(drawn.edges, drawn.names, strict=True) if name}
    gutters = [GUTTER if index in named else 0.0 for index in range(len(drawn.boxes))]
    layout = Layout(list(map(size_of, drawn.boxes, lines, gutters)), drawn.edges, gap=GAP, spacing=SPACING)
    largest = max([box.size for box in drawn.boxes if math.isfinite(box.size)], default=0.0)
    body = [f'<g fill="none" stroke="{EDGE}" stroke-width="{1.4 if len(drawn.edges) < MANY else 0.8}">']
    body += [edge_path(route) for route in layout.routes] + ["</g>"]
    for box, text, gutter, place, size in zip(drawn.boxes, lines, gutters, layout.positions, layout.sizes, strict=True):
        body.append(f'<g transform="translate({place[0]:.1f} {place[1]:.1f})">')
        body += [*card(box, text, size, gutter, largest), "</g>"]
    body += [port_name(name, route) for name, route in zip(drawn.names, layout.routes, strict=True) if name]
    return document(layout.width, layout.height, body)


def document(width: float, height: float, body: Iterable[str]) -> SVG:
    """Return the picture of the elements `body`, with a margin."""
    wide, high = width + 2 * MARGIN, height + 2 * MARGIN
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" font-family="{FONT}" font-size="12">'
    )
    return SVG("\n".join([opening, f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">', *body, "</g>", "</svg>\n"]))


def columns(text: str) -> int:
    """Return how many columns `text` takes in a monospaced font."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def lines_of(box: Box, drawn: Picture) -> list[str]:
    """Return the lines of text below the operation: label, value, gradient."""
    name = box.label or ("" if box.operation else box.kind)
    if box.kind == "constant":
        return [box.data]
    shows = drawn.shows_gradients and box.grad is not None
    lines = [printable(name, WIDEST), box.data, f"grad {box.grad}" if shows else ""]
    return [line for line in lines if line]


def size_of(box: Box, lines: Sequence[str], gutter: float) -> tuple[float, float]:
    """Return width and height of a box; widths are multiples of `STEP`, so that most boxes line up."""
    wide = max(columns(text) for text in (*lines, printable(box.operation, WIDEST))) * CHARACTER + 2 * PAD + gutter
    return max(math.ceil(wide / STEP), 3) * STEP, len(lines) * LINE + 8 + (PILL if box.operation else 0.0)


def gradient_colour(box: Box, largest: float) -> str:
    """Return the colour of a gradient: warm if positive, cold if negative, the smaller the paler."""
    if not math.isfinite(box.size):
        return BROKEN
    share = box.size / largest if largest else 0.0
    depth = share ** (1 / 3)
    end = COLD if (box.grad or "").startswith("-") else WARM
    return "#" + "".join(f"{round(a + (b - a) * depth):02x}" for a, b in zip(WHITE, end, strict=True))


def card(box: Box, lines: Sequence[str], size: tuple[float, float], gutter: float, largest: float) -> list[str]:
    """Return the elements of a box whose upper left corner is the origin."""
    width, height = size
    fill, border, radius = STYLES[box.kind]
    frame = f'stroke="{ROOT}" stroke-width="3"' if box.root else f'stroke="{border}" stroke-width="1.3"'
    dashes = ' stroke-dasharray="4 3"' if box.kind == "constant" else ""
    rounding = min(radius, height / 2)
    elements = [f"<title>{escape(chr(10).join(box.details))}</title>"]
    if box.count > 1 and box.kind != "constant":
        elements += [rectangle(d, -d, width, height, rounding, f'fill="{fill}" stroke="{border}"') for d in (6, 3)]
    elements.append(rectangle(0, 0, width, height, rounding, f'fill="{fill}" {frame}{dashes}'))
    top, left, inside = 4.0, 4 + gutter, width - 8 - gutter
    if box.operation:
        elements.append(rectangle(left, top, inside, PILL - 2, 4, f'fill="{PILL_COLOUR}"'))
        text = printable(box.operation, WIDEST)
        elements.append(words(text, left + inside / 2, top + 12.3, 'fill="#ffffff" font-weight="600"'))
        top += PILL
    for index, (line, style) in enumerate(zip(lines, styles(box, lines), strict=True)):
        if index == len(lines) - 1 and line.startswith("grad "):
            tint = f'fill="{gradient_colour(box, largest)}"'
            elements.append(rectangle(left, top + 1, inside, LINE - 1, min(4, rounding), tint))
        elements.append(words(line, left + inside / 2, top + 12.8, style))
        top += LINE
    return elements


def styles(box: Box, lines: Sequence[str]) -> list[str]:
    """Return the attributes of each line: a label is bold, a kind instead of one in italics, numbers are plain."""
    plain = f'fill="{INK}"'
    if not box.label and (box.operation or box.kind == "constant"):
        return [plain] * len(lines)
    first = f'{plain} font-weight="700"' if box.label else f'fill="{MUTED}" font-style="italic"'
    return [first, *[plain] * (len(lines) - 1)]


def rectangle(x: float, y: float, width: float, height: float, radius: float, style: str) -> str:
    """Return a rectangle with round corners."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}" {style}/>'


def words(text: str, x: float, y: float, style: str) -> str:
    """Return a line of text, centred at `x`."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" {style}>{escape(text)}</text>'


def edge_path(route: Sequence[tuple[float, float]]) -> str:
    """Return the line of an edge, with an arrowhead."""
    (x, y), *rest = route
    tip_x, tip_y = rest[-1]
    parts = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in [*rest[:-1], (tip_x - 4, tip_y)]:
        if next_y == y:
            parts.append(f"H{next_x:.1f}")
        else:
            middle = (x + next_x) / 2
            parts.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {next_y:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    head = f"M{tip_x:.1f} {tip_y:.1f}l-7 -3.2v6.4z"
    return f'<path d="{"".join(parts)}"/><path d="{head}" fill="{EDGE}" stroke="none"/>'


def port_name(name: str, route: Sequence[tuple[float, float]]) -> str:
    """Return the name of an argument, inside the box where its edge arrives."""
    x, y = route[-1]
    return f'<text x="{x + 4:.1f}" y="{y + 3:.1f}" font-size="9" fill="{MUTED}">{escape(name)}</text>'


def for_cell(root: Value) -> str:
    """Return what a notebook cell shows for `root`: its graph, or a note that it is too large to draw by itself."""
    if graph.has_more_than(root, CELL_NODES):
        shown = f"{brief(root, 100)}: more than {CELL_NODES} nodes, draw.to_svg(…) draws them"
        text = f'<text x="0" y="14" fill="{EDGE}">{escape(printable(shown))}</text>'
        return document(columns(shown) * CHARACTER, 18, [text])._repr_svg_()
    return to_svg(root)._repr_svg_()
