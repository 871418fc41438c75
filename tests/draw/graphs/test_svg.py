"""SVG: well-formed whatever labels say, self-contained, the parts told apart; and what a notebook shows."""

import xml.etree.ElementTree as ET
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, define_rule, draw, math
from microgrid.draw.graphs import svg
from microgrid.nn import MLP

NAMESPACE = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    '"><script>alert(1)</script>',
    "a & b < c > d &amp; ]]>",
    "line\nbreak\r\ttab\x00\x07\x1b[31m",
    "{record|field} \\N \\n %s {0}",
    "\ud800 \ufffe \u202e right to left",
    "日本語 ñ é 🎲",
    "x" * 500,
]


def texts(picture: str) -> list[str]:
    root = ET.fromstring(picture)
    return ["".join(element.itertext()) for element in root.iter(f"{NAMESPACE}text")]


def titles(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter(f"{NAMESPACE}title")]


def test_a_small_graph_is_drawn_with_its_words() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    assert texts(draw.to_svg(c)) == ["a", "2", "b", "-3", "*", "c", "-6"]
    c.backward()
    assert texts(draw.to_svg(c)) == ["a", "2", "grad -3", "b", "-3", "grad 2", "*", "c", "-6", "grad 1"]


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_are_text(label: str) -> None:
    leaf = Value(1.0, label=label)
    root = Value(2.0, (leaf,), label) - leaf
    picture = draw.to_svg(root)
    kinds = {element.tag.removeprefix(NAMESPACE) for element in ET.fromstring(picture).iter()}
    assert kinds <= {"svg", "g", "rect", "text", "title", "path"}
    assert svg.printable(label) in titles(picture)[0]
    assert max(map(len, texts(picture))) <= svg.WIDEST


@given(st.text(), st.text())
def test_any_label_makes_well_formed_pictures(label: str, operation: str) -> None:
    leaf = Value(1.0, label=label)
    ET.fromstring(draw.to_svg(Value(2.0, (leaf, leaf), operation)))


def test_pictures_are_self_contained() -> None:
    picture = draw.to_svg(MLP(2, [4, 1], rng=0)([1.0, 0.5]))
    for word in ("<style", "<script", " id=", "url(", "href", "<image"):
        assert word not in picture
    assert picture.count("http") == 1  # the name space


def boxes(picture: str) -> list[tuple[float, float, float, float]]:
    """Return the outer rectangles of the boxes."""
    found = []
    for group in ET.fromstring(picture).iter(f"{NAMESPACE}g"):
        if group.find(f"{NAMESPACE}title") is not None:
            x, y = map(float, group.attrib["transform"].removeprefix("translate(").rstrip(")").split())
            rectangle = next(r for r in group.iter(f"{NAMESPACE}rect") if r.attrib["x"] == r.attrib["y"] == "0")
            found.append((x, y, float(rectangle.attrib["width"]), float(rectangle.attrib["height"])))
    return found


def test_boxes_do_not_overlap_and_hold_their_text() -> None:
    net = MLP(2, [4, 4, 1], activation="tanh", rng=0)
    y = net([Value(1.0, label="first"), Value(0.5, label="second")])
    y.backward()
    picture = draw.to_svg(y)
    found = boxes(picture)
    assert len(found) == 37 + 2 + 4 + 4 + 4 + 4 + 1
    for i, (x, y0, width, height) in enumerate(found):
        assert all(x + width <= u or u + w <= x or y0 + height <= v or v + h <= y0 for u, v, w, h in found[i + 1 :])
    for group in ET.fromstring(picture).iter(f"{NAMESPACE}g"):
        lines = [len(text.text or "") for text in group.findall(f"{NAMESPACE}text")]
        if group.find(f"{NAMESPACE}title") is not None:
            width = max(float(r.attrib["width"]) for r in group.iter(f"{NAMESPACE}rect"))
            assert max(lines) * svg.CHARACTER < width


def test_kinds_are_told_apart() -> None:
    y = math.dot([Value(1.0)], [Value(2.0)], Value(3.0)) * math.dot([Value(2.0)], [2.0])
    picture = draw.to_svg(y)
    for kind in ("parameter", "input", "operation", "constant"):
        fill, border, _ = svg.STYLES[kind]
        assert f'fill="{fill}" stroke="{border}"' in picture or f'fill="{fill}" stroke="{svg.ROOT}"' in picture
    assert picture.count(f'stroke="{svg.ROOT}"') == 1 and picture.count("stroke-dasharray") == 1
    told = draw.to_svg(y, parameters=[])
    assert svg.STYLES["parameter"][0] not in told


def test_gradients_have_the_colour_of_their_sign_and_size() -> None:
    a, b, c = Value(1.0), Value(1.0), Value(1.0)
    (8 * a - 8 * b + c).backward()
    shades = [svg.gradient_colour(svg.picture(x).boxes[0], 8.0) for x in (a, b, c, Value(1.0))]
    assert shades == ["#f08a4b", "#5c94e2", "#f8c4a5", "#ffffff"]
    a.grad = float("nan")
    assert svg.gradient_colour(svg.picture(a).boxes[0], 8.0) == svg.BROKEN
    assert svg.BROKEN in draw.to_svg(a)


def test_folded_boxes_are_stacks() -> None:
    picture = draw.to_svg(MLP(2, [4, 1], rng=0)([1.0, 0.5]), max_nodes=20)
    assert "5 parameters" in texts(picture) and len(boxes(picture)) <= 20


def test_wide_characters_take_two_columns() -> None:
    assert svg.columns("ab") == 2 and svg.columns("日本") == 4 and svg.columns("e\u0301") == 1


def test_arguments_are_named_where_they_differ() -> None:
    assert [text for text in texts(draw.to_svg(Value(1.0) - Value(2.0))) if text in "xy"] == ["x", "y"]


def test_many_edges_are_thin() -> None:
    thin, thick = 'stroke-width="0.8"', 'stroke-width="1.4"'
    leaves = [Value(1.0) for _ in range(svg.MANY)]
    assert thin in draw.to_svg(math.fsum(leaves)) and thick in draw.to_svg(math.fsum(leaves[1:]))


@pytest.mark.usefixtures("rules_restored")
def test_every_sort_of_node_is_drawn() -> None:
    drawn_twice = define_rule("drawn_twice(x)", "x + x", x="2")
    exact = Value(Fraction(1, 3), label="third")
    recorded = Value(2.0)
    (recorded**3).backward(create_graph=True)
    by_hand = Value(5.0, (exact, recorded), "mine")
    picture = draw.to_svg(drawn_twice(by_hand) + Value(1.0, (exact,), "source"))
    assert {"third", "1/3", "mine", "drawn_twice", "source", "grad 12"} <= {*texts(picture)}


def test_labels_need_not_be_text() -> None:
    assert "7" in texts(draw.to_svg(Value(1.0, label=7)))  # type: ignore[arg-type]


def test_a_deep_graph_is_folded() -> None:
    y = x = Value(1.0)
    for _ in range(5_000):
        y = y * x
    picture = draw.to_svg(y, max_nodes=10)
    assert len(boxes(picture)) <= 10 and "4,994 nodes" in texts(picture)


@pytest.mark.parametrize(("count", "scale"), [(3, 1.0), (10, 900 / 1016), (29, 0.6)])
def test_notebooks_show_wide_pictures_smaller(count: int, scale: float) -> None:
    y = Value(2.0)
    for _ in range(count):
        y = y * 1.0
    picture = draw.to_svg(y)
    drawn, shown = ET.fromstring(picture), ET.fromstring(picture._repr_svg_())
    for side in ("width", "height"):
        assert float(shown.attrib[side]) == pytest.approx(float(drawn.attrib[side]) * scale, abs=0.51)
        shown.attrib[side] = drawn.attrib[side]
    assert ET.tostring(drawn) == ET.tostring(shown)


def test_notebooks_show_pictures_and_small_graphs() -> None:
    x = Value(2.0, label="x")
    picture = draw.to_svg(x * 3)
    shown = picture._repr_svg_()
    assert type(shown) is str and (x * 3)._repr_svg_() == shown
    assert shown == picture
    assert repr(x * 3) == "Value(data=6.0, grad=0.0)"


def test_notebooks_say_that_a_graph_is_large() -> None:
    y = x = Value(1.0, label="<x>")
    for _ in range(svg.CELL_NODES - 1):
        y = y * x
    assert len(boxes(y._repr_svg_())) == svg.CELL_NODES
    y *= x
    (line,) = texts(y._repr_svg_())
    assert line == "Value(data=1.0, grad=0.0): more than 40 nodes, draw.to_svg(…) draws them"
