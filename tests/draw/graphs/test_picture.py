"""The boxes of a drawing and their words."""

import math as standard
from typing import Any

import pytest

from microgrid import Value, math
from microgrid.draw.graphs.picture import Box, picture
from microgrid.nn import MLP


def by_kind(boxes: list[Box]) -> dict[str, list[Box]]:
    found: dict[str, list[Box]] = {}
    for box in boxes:
        found.setdefault(box.kind, []).append(box)
    return found


def test_a_box_tells_about_its_node() -> None:
    x = Value(0.5, label="x")
    y = x.tanh()
    y.backward()
    first, second = picture(y).boxes
    assert (first.kind, first.label, first.operation, first.data, first.root) == ("input", "x", "", "0.5", False)
    assert first.grad == "0.7864" and first.size == x.grad
    assert (second.kind, second.operation, second.data, second.root) == ("operation", "tanh", "0.4621", True)
    assert first.details == ["x", "input", "data 0.5", f"grad {x.grad}"]
    assert second.details[0] == "operation tanh(x) = tanh(x)"


def test_each_argument_has_its_edge() -> None:
    x = Value(2.0)
    assert picture(x * x).edges == [(0, 1), (0, 1)]
    drawn = picture(x - x)
    assert drawn.names == ["x", "y"]


def test_gradients_are_shown_once_there_is_one() -> None:
    x = Value(2.0)
    y = x * 3
    assert not picture(y).shows_gradients
    y.backward()
    assert picture(y).shows_gradients
    assert not picture(math.dot([Value(1.0)], [2.0])).shows_gradients


def test_constants_have_a_box_only_in_sequences() -> None:
    boxes = by_kind(picture(math.dot([Value(1.0)] * 6, [1.0, 2.0, 3.0, 4.0, 5.0, 1 / 3], 0.5)).boxes)
    (constants,) = boxes["constant"]
    assert (constants.data, constants.count) == ("1, 2, 3, 4, … 6 numbers", 6)
    assert boxes["operation"][0].operation == "dot(·, ·, 0.5)"
    assert picture(math.dot([Value(1.0)], [2.0])).boxes[0].data == "2"


def test_folded_boxes_count_and_range() -> None:
    net = MLP(2, [4, 1], rng=0)
    y = net([1.0, 0.5])
    y.backward()
    boxes = by_kind(picture(y, 20).boxes)
    last = boxes["parameter"][-1]
    own = net.layers[1].parameters()
    assert last.label == "5 parameters" and last.count == 5
    assert last.data == f"{min(own).data:.3g} … {max(own).data:.3g}"
    assert last.size == max(abs(p.grad) for p in own) and last.grad == f"≤ {last.size:.4g}"
    (folded,) = by_kind(picture(y, 2).boxes)["folded"]
    assert folded.label == "26 nodes" and folded.data == ""  # 17 parameters, 8 operations, 1 sequence of constants


def test_folded_boxes_without_gradient_say_zero() -> None:
    y = math.fsum([Value(1.0) for _ in range(5)]) + 1
    assert picture(y, 3).boxes[0].grad == "0"
    leaves = y.parents[0].parents
    leaves[2].grad = standard.nan
    assert picture(y, 3).boxes[0].grad == "≤ nan"


def test_folded_constants_have_no_gradient() -> None:
    y = math.dot([Value(1.0).exp()], [2.0]) * math.dot([Value(1.0).exp()], [3.0])
    boxes = picture(y, 4).boxes
    assert len(boxes) <= 4 and boxes[-1].root


def test_edges_into_folded_boxes_are_drawn_once() -> None:
    x = Value(1.0)
    y = x
    for _ in range(20):
        y = y * x
    drawn = picture(y, 5)
    assert len(drawn.boxes) <= 5 and len({*drawn.edges}) == len(drawn.edges) and not any(drawn.names)


@pytest.mark.parametrize("root", [2.0, "x", None, [Value(1.0)]])
def test_only_nodes_are_drawn(root: object) -> None:
    with pytest.raises(TypeError, match="expected a Value to draw, got"):
        picture(root)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [1, -1, 2.5, "many"])
def test_max_nodes_is_a_number_of_boxes(count: Any) -> None:
    with pytest.raises(
        ValueError, match=f"^expected max_nodes to be a whole number of at least 2, or None, got {count!r}$"
    ):
        picture(Value(1.0), count)


def test_parameters_are_a_list() -> None:
    expected = "expected parameters to be a list of Values, such as net.parameters(), got int 3"
    with pytest.raises(TypeError) as caught:
        picture(Value(1.0), parameters=3)  # type: ignore[arg-type]
    assert str(caught.value) == expected
