"""The items of a drawing, the edges between them, and what kind each is."""

import pytest

from microgrid import Value, math
from microgrid.draw.graphs.sketch import CONSTANT, INPUT, OPERATION, PARAMETER, Numbers, Sketch, arguments
from microgrid.nn import Layer


def kinds(sketch: Sketch) -> list[str]:
    return [sketch.kind(index) for index in range(len(sketch.items))]


def test_every_operand_has_its_argument() -> None:
    x, y, z = Value(1.0), Value(2.0), Value(3.0)
    dot = math.dot([x, y], [4.0, 5.0], z)
    assert list(arguments(dot)) == [("ws", (x, y)), ("xs", (4.0, 5.0)), ("b", z)]
    assert list(arguments(2 - x)) == [("x", 2.0), ("y", x)]
    assert [name for name, _ in arguments(math.where(x, y, z))] == ["c", "x", "y"]
    assert [(name, parent is y) for name, parent in arguments(Value(1.0, (x, y), "by hand"))] == [
        ("", False),
        ("", True),
    ]
    assert list(arguments(x)) == []


def test_sources_stand_before_targets() -> None:
    x = Value(2.0)
    y = (x * x).exp() + x
    sketch = Sketch(y, None)
    assert sketch.items[0] is x and sketch.items[-1] is y
    assert all(source < target for source, target in sketch.edges)
    assert len(sketch.edges) == 5


def test_weights_and_biases_are_taken_for_parameters() -> None:
    w, x, b = Value(1.0), Value(2.0), Value(3.0)
    sketch = Sketch(math.dot([w], [x], b) + Value(4.0), None)
    assert [sketch.kind(sketch.items.index(leaf)) for leaf in (w, x, b)] == [PARAMETER, INPUT, PARAMETER]
    told = Sketch(math.dot([w], [x], b), [x])
    assert [told.kind(told.items.index(leaf)) for leaf in (w, x, b)] == [INPUT, PARAMETER, INPUT]


def test_inner_nodes_are_no_parameters() -> None:
    w = Value(1.0)
    assert kinds(Sketch(math.dot([w * 2], [3.0]), None)) == [CONSTANT, INPUT, OPERATION, OPERATION]


def test_equal_sequences_of_constants_are_one_item() -> None:
    first, second = Layer(2, 2, nonlin=False)([1.0, 2.0])
    sketch = Sketch(first + second, None)
    assert [isinstance(item, Numbers) for item in sketch.items].count(True) == 1
    assert Sketch(math.dot([], [], first), None).items[0] is not None


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        (lambda x, y: x - y, ["x", "y"]),
        (lambda x, y: x + y, ["", ""]),
        (lambda x, y: x - 2, [""]),
        (lambda x, y: math.hypot(x, y), ["", ""]),
        (lambda x, y: math.atan2(x, y), ["y", "x"]),
        (lambda x, y: Value(1.0, (x, y), "f"), ["", ""]),
    ],
)
def test_arguments_have_names_where_they_differ(operation: object, names: list[str]) -> None:
    assert callable(operation)
    assert Sketch(operation(Value(1.0), Value(2.0)), None).names == names
