"""Rows by themselves: their shapes. What a trace makes of them is held by the tests of loops."""

from microgrid import Value
from microgrid.compiler.rows import shape_of
from microgrid.nn import MLP


def test_shapes_are_of_nests_of_values() -> None:
    x = Value(1.0)
    assert shape_of((x, [x, "text"]), 2) == shape_of((Value(2.0), [x, "text"]), 2) != shape_of((x, [x, "other"]), 2)
    assert shape_of((x, 1.0), 1) is shape_of(object(), 0) is shape_of(MLP(1, [1]), 0) is None
