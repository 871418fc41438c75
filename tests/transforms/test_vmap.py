"""`vmap`: the list that a comprehension gives, whatever the rows are, and what it refuses."""

from collections import defaultdict, namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, grad, hessian, jvp, math, vmap
from microgrid.nn import MLP
from microgrid.testing import expressions

Point = namedtuple("Point", "x y")


@given(expressions(inputs=2), st.integers(0, 4))
def test_rows_are_mapped_as_by_a_comprehension(expression: Any, count: int) -> None:
    columns = [[x] * count for x in expression.point]
    leaves, twins = ([list(map(Value, column)) for column in columns] for _ in range(2))
    mapped, expected = vmap(expression)(*leaves), [expression(*row) for row in zip(*twins, strict=True)]
    for y, z in zip(mapped, expected, strict=True):
        y.backward()
        z.backward()
        assert repr(y.data) == repr(z.data)
    slopes, others = ([repr(leaf.grad) for column in side for leaf in column] for side in (leaves, twins))
    assert slopes == others


def test_rows_and_results_are_any_nests() -> None:
    rows = [Point(1.0, [2.0]), Point(3.0, [4.0])]
    expected = [{"sum": 3.0, "rest": ("text", None)}, {"sum": 7.0, "rest": ("text", None)}]
    assert vmap(lambda p: {"sum": p.x + p.y[0], "rest": ("text", None)})(rows) == expected
    net = MLP(2, [3, 1], rng=0)
    data = [[0.0, 1.0], [1.0, 1.0]]
    assert [out.data for out in vmap(net)(data)] == [net(row).data for row in data]
    assert vmap(lambda net, x: net(x).data, in_axes=(0, None))([net, net], data[0]) == [net(data[0]).data] * 2


def test_batches_are_iterables() -> None:
    assert vmap(math.prod)(zip([1, 2], [3, 4], strict=True)) == [3, 8]
    assert vmap(lambda x, y: x - y)(range(3), (x for x in (1, 1, 1))) == [-1, 0, 1]
    assert vmap(lambda x: x)([]) == []


def test_a_dict_of_batches_is_a_batch_of_dicts() -> None:
    data = {"x": [1.0, 2.0, 3.0], "y": {"z": (0.0, 1.0, 1.0)}}
    rows = [{"x": 1.0, "y": {"z": 0.0}}, {"x": 2.0, "y": {"z": 1.0}}, {"x": 3.0, "y": {"z": 1.0}}]
    assert vmap(lambda row: row)(data) == rows
    assert vmap(lambda row, by: row["x"] * by, (0, None))(data, 2.0) == [2.0, 4.0, 6.0]
    assert vmap(lambda row, by: row["x"] * by)(data, [1, 2, 3]) == [1.0, 4.0, 9.0]
    counted = defaultdict(int, x=[1, 2])
    assert [row["new"] for row in vmap(lambda row: row)(counted)] == [0, 0] and "new" not in counted
    assert vmap(lambda row: row["x"])({"x": zip([1, 2], [3, 4], strict=True)}) == [(1, 3), (2, 4)]


def test_what_is_no_batch_goes_to_every_call() -> None:
    shared = object()
    assert vmap(lambda x, y, *, z: (x, y is shared, z), in_axes=[0, None])([1, 2], shared, z="z") == [
        (1, True, "z"),
        (2, True, "z"),
    ]
    assert vmap(lambda x, y: (x, y), (None, 0))([1, 2], [3]) == [([1, 2], 3)]


def test_it_goes_into_transforms_and_they_into_it() -> None:
    assert vmap(grad(lambda x: x**3))([1.0, 2.0]) == [3.0, 12.0]
    assert grad(lambda xs: sum(vmap(lambda x: x**3)(xs)))([1.0, 2.0]) == [3.0, 12.0]
    assert jvp(vmap(math.sin), ([0.0, 0.0],), ([1.0, 2.0],)) == ([0.0, 0.0], [1.0, 2.0])
    assert vmap(vmap(lambda x: x + 1))([[1, 2], [3]]) == [[2, 3], [4]]
    assert hessian(lambda xs: sum(vmap(lambda x, y: x * y, (0, None))(xs, xs[0])))([1.0, 2.0]) == [[2.0, 1.0], [1.0, 0]]


def test_it_is_known_by_the_name_of_the_function() -> None:
    def area(r: float) -> float:
        """Return the area."""
        return r * r

    assert (vmap(area).__name__, vmap(area).__doc__) == ("area", "Return the area.")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: vmap(3), TypeError, "vmap expects a function, got int 3"),  # type: ignore[arg-type]
        (lambda: vmap(abs, 1), TypeError, "vmap(abs): expected in_axes to be 0, None or a tuple of these, got 1"),
        (
            lambda: vmap(abs, (0, False)),
            TypeError,
            "vmap(abs): expected in_axes to be 0, None or a tuple of these, got ",
        ),
        (lambda: vmap(abs, (0, None))([1]), TypeError, "in_axes is (0, None), but there are 1 positional arguments"),
        (
            lambda: vmap(abs, None)([1]),
            TypeError,
            "vmap(abs): expected a batch among the positional arguments, got none",
        ),
        (lambda: vmap(abs)(), TypeError, "vmap(abs): expected a batch among the positional arguments"),
        (lambda: vmap(pow)([1], 2), TypeError, "vmap(pow): expected argument 1 to be a list of rows, got int 2"),
        (lambda: vmap(abs)({}), TypeError, "vmap(abs): expected argument 0 to be a list of rows, got dict {}"),
        (lambda: vmap(abs)({1: 2}), TypeError, "vmap(abs): expected argument 0[1] to be a list of rows, got int 2"),
        (lambda: vmap(abs)("12"), TypeError, "vmap(abs): expected argument 0 to be a list of rows, got str '12'"),
        (lambda: vmap(abs)(Value(2.0)), TypeError, "vmap(abs): expected argument 0 to be a list of rows, got Value "),
        (
            lambda: vmap(pow, (0, None, 0))([1], 2, [3, 4]),
            ValueError,
            "vmap(pow): expected batches of one length, got 1 (argument 0), 2 (argument 2)",
        ),
        (
            lambda: vmap(abs)({"x": [1], "y": {"z": [1, 2], "w": [3, 4]}}),
            ValueError,
            "vmap(abs): expected batches of one length, got 1 (argument 0['x']), 2 (argument 0['y'])",
        ),
    ],
)
def test_what_is_refused(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
