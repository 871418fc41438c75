"""What a model says of the points of a plane."""

import math

import pytest

from microgrid import Value, no_grad
from microgrid.draw.plots.fields import Field, checked_limits, class_of, evenly, limits, margins, scores_of
from microgrid.nn import MLP


def test_scores_of_all_kinds_of_outputs():
    outputs = iter([Value(1.0), 2.0, [Value(3.0), 4.0], (5,)])
    assert scores_of("test", lambda x: next(outputs), range(4)) == [[1.0], [2.0], [3.0, 4.0], [5.0]]


def test_nothing_is_recorded():
    weight, seen = Value(2.0), []

    def model(x):
        seen.append(weight * x)
        return seen[-1]

    assert scores_of("test", model, [3.0]) == [[6.0]]
    assert seen[0].parents == ()
    assert (weight * 3.0).parents == (weight,)
    with no_grad():
        scores_of("test", model, [3.0])
        assert (weight * 3.0).parents == ()


@pytest.mark.parametrize(
    ("outputs", "threshold", "expected"),
    [
        ([2.0], 0.0, [-2.0, 2.0]),
        ([0.25], 0.5, [0.25, -0.25]),
        ([1.0, 3.0], 0.5, [-2.0, 2.0]),
        ([3.0, 3.0, 1.0], 0.5, [0.0, 0.0, -2.0]),
    ],
)
def test_margins(outputs, threshold, expected):
    assert margins(outputs, threshold) == expected


@pytest.mark.parametrize(
    ("target", "expected"), [(0, 0), (1, 1), (-1, 0), (-1.0, 0), (True, 1), (3, 3), (0.2, 0), ([0, 0, 1], 2)]
)
def test_class_of(target, expected):
    assert class_of(target) == expected


def test_limits():
    assert limits([1.0, 3.0, math.nan, math.inf]) == (pytest.approx(0.6), pytest.approx(3.4))


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0), 3, (1,), "ab", (1, 2, 3)])
def test_what_are_no_limits(ends):
    with pytest.raises(ValueError, match=r"^plot expects xlim to be two numbers, the lower one first, got "):
        checked_limits("plot", "xlim", ends)


def test_limits_that_are_given():
    assert checked_limits("plot", "xlim", [0, 2]) == (0.0, 2.0)


def test_a_field_has_a_row_for_each_y():
    field = Field("test", lambda x: x[0] + 10 * x[1], [0.0, 1.0, 2.0], [0.0, 1.0], 0.0)
    assert field.margins[1] == [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]
    assert field.margins[0] == [[-0.0, -1.0, -2.0], [-10.0, -11.0, -12.0]]
    assert field.reach == 12.0


def test_samples_say_what_is_clear():
    field = Field("test", lambda x: x[0], [-5.0, 5.0], [0.0, 1.0], 0.0, [(2.0, 0.0), (-3.0, 0.0)])
    assert field.reach == 3.0


def test_a_model_that_is_never_sure():
    grid = [0.0, 1.0], [0.0, 1.0]
    assert Field("test", lambda x: 0.6, *grid, 0.5).reach == Field("test", lambda x: math.nan, *grid, 0.5).reach == 0.5
    assert (
        Field("test", lambda x: 0.6, *grid, 0.0).reach == Field("test", lambda x: [0.6, 0.4], *grid, 0.5).reach == 1.0
    )


def test_a_network_with_several_outputs():
    net = MLP(2, [3], rng=1)
    field = Field("test", net, evenly((-1.0, 1.0), 4), evenly((-1.0, 1.0), 3), 0.5)
    for row, y in enumerate(field.ys):
        for column, x in enumerate(field.xs):
            scores = [one.data for one in net([x, y])]
            winner = scores.index(max(scores))
            assert [margin[row][column] > 0 for margin in field.margins] == [index == winner for index in range(3)]


@pytest.mark.parametrize("target", ["cat", "1", None, 1j])
def test_a_class_is_a_number(target):
    with pytest.raises(TypeError, match=f"^expected the index of a class as target, got {type(target).__name__} "):
        class_of(target)


@pytest.mark.parametrize("output", [None, "a", [], [None], [[1.0]], 1j])
def test_a_model_returns_numbers(output):
    with pytest.raises(TypeError) as caught:
        scores_of("plot", lambda x: output, [0.0])
    expected = "plot expects the model to return a number, or a list of scores, got"
    assert str(caught.value) == f"{expected} {type(output).__name__} {output!r}"


@pytest.mark.parametrize(
    ("model", "threshold", "message"),
    [
        (3, 0.5, "plot expects a model or another function, got int 3"),
        (sum, None, "plot expects threshold to be a plain number, got NoneType None"),
        (sum, "0.5", "plot expects threshold to be a plain number, got str '0.5'"),
    ],
)
def test_what_a_field_is_not_made_of(model, threshold, message):
    with pytest.raises(TypeError) as caught:
        Field("plot", model, [0.0], [0.0], threshold)
    assert str(caught.value) == message
