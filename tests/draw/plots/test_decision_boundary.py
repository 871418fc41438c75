"""Where a model divides the plane, as a figure and as text."""

import math
import re

import pytest

from microgrid import datasets, draw
from microgrid import math as mg

XOR = datasets.truth_table("xor")


def above(x):
    """Say how far a point is above the line y = x."""
    return x[1] - x[0]


def frame(text):
    """Return the lines within the frame."""
    return re.findall(r"^\|(.*)\|$", text, re.MULTILINE)


# The figure


def lines(ax):
    """Return the lines between regions that are drawn."""
    return [one for one in ax.collections if one.get_linewidth()[0] == 1.5 and one.get_facecolor().size == 0]


@pytest.mark.dev
def test_the_boundary_is_where_the_output_is_the_threshold():
    ax = draw.plot_decision_boundary(above, xlim=(-2, 2), ylim=(-1, 3), threshold=0.5, resolution=9)
    (line,) = lines(ax)
    places = line.get_paths()[0].vertices
    assert len(places) > 5
    assert max(abs(y - x - 0.5) for x, y in places) < 1e-12
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-1, 3))


def opacity(ax, place):
    """Return what the regions are like at a place: how many layers of each colour lie there."""
    from matplotlib.colors import to_hex

    layers = [
        to_hex(one.get_facecolor()[0])
        for one in ax.collections
        if one.get_facecolor().size and one.get_alpha() is not None
        and any(path.contains_point(place) for path in one.get_paths())
    ]  # fmt: skip
    return {colour: layers.count(colour) for colour in layers}


@pytest.mark.dev
def test_regions_are_the_denser_the_clearer_the_model_is():
    data = [[0.0, 1.0], [1.0, 0.0]], [1, 0]
    ax = draw.plot_decision_boundary(lambda x: 5 * above(x), data, threshold=0.0, resolution=9)
    assert opacity(ax, (0.5, 0.6)) == {"#d55e00": 1}
    assert opacity(ax, (0.5, 0.9)) == {"#d55e00": 2}
    assert opacity(ax, (0.0, 0.9)) == {"#d55e00": 4}
    assert opacity(ax, (0.9, 0.5)) == {"#0072b2": 2}


@pytest.mark.dev
def test_several_classes_have_regions_that_do_not_overlap():
    data = [[0, 0], [2, 0], [0, 2]], [0, 1, 2]

    def scores(x):
        return [-math.dist(x, centre) for centre in ((0, 0), (2, 0), (0, 2))]

    ax = draw.plot_decision_boundary(scores, data, resolution=20)
    found = [opacity(ax, place) for place in ((0.3, 0.3), (2.1, 0.1), (0.1, 2.1))]
    assert [len(one) for one in found] == [1, 1, 1]
    assert len({colour for one in found for colour in one}) == 3


@pytest.mark.dev
def test_limits():
    ax = draw.plot_decision_boundary(above, XOR, resolution=3)
    assert ax.get_xlim() == ax.get_ylim() == (pytest.approx(-0.2), pytest.approx(1.2))
    ax = draw.plot_decision_boundary(above, resolution=3)
    assert ax.get_xlim() == ax.get_ylim() == (-1, 1)
    ax.clear()
    ax.plot([0, 10], [0, 20])
    expected = ax.get_xlim(), ax.get_ylim()
    draw.plot_decision_boundary(above, ax=ax, resolution=3)
    assert (ax.get_xlim(), ax.get_ylim()) == expected


@pytest.mark.dev
@pytest.mark.parametrize("output", [3.0, math.nan, math.inf])
def test_a_model_that_divides_nothing(output):
    ax = draw.plot_decision_boundary(lambda x: output, XOR, resolution=3)
    ax.figure.draw_without_rendering()
    assert not lines(ax)


@pytest.mark.dev
@pytest.mark.parametrize("resolution", [1, 2.5, "many"])
def test_resolution(resolution):
    with pytest.raises(
        ValueError, match=r"^plot_decision_boundary expects resolution to be a whole number of at least 2, got "
    ):
        draw.plot_decision_boundary(above, resolution=resolution)


# Text


def test_text_has_marks_where_the_samples_are():
    text = draw.decision_boundary_text(above, XOR, threshold=0, width=23, height=11, xlim=(0, 1), ylim=(0, 1))
    lines = frame(text)
    assert {len(line) for line in lines} == {21} and len(lines) == 11
    assert (lines[10][0], lines[0][0], lines[10][20], lines[0][20]) == ("0", "1", "1", "0")
    assert sum(line.count("0") + line.count("1") for line in lines) == 4
    assert lines[5][10] == "▒" and lines[2][2] == "█" and lines[8][18] == " "
    assert text.splitlines()[-1] == "0 [ ░▒▓█] 1; x[0] from 0 to 1, x[1] upwards from 0 to 1"


@pytest.mark.parametrize("name", ["width", "height"])
@pytest.mark.parametrize("count", [0, 1.5, "many"])
def test_the_size_of_a_text_is_a_number_of_cells(name, count):
    expected = f"decision_boundary_text expects {name} to be a whole number of at least 1, got {count!r}"
    with pytest.raises(ValueError, match=f"^{expected}$"):
        draw.decision_boundary_text(above, **{name: count})


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (3, {}, "expects a model or another function, got int 3"),
        (above, {"threshold": None}, "expects threshold to be a plain number, got NoneType None"),
        (lambda x: None, {}, "expects the model to return a number, or a list of scores, got NoneType None"),
    ],
)
def test_what_no_plane_can_be_drawn_of(model, options, message):
    with pytest.raises(TypeError, match=f"^decision_boundary_text {message}$"):
        draw.decision_boundary_text(model, **options)


def test_shades_go_from_one_class_to_the_other():
    (line,) = {*frame(draw.decision_boundary_text(lambda x: x[0], threshold=0, width=22, height=3))}
    assert line == "    ░░░░▒▒▒▒▓▓▓▓████"


def test_samples_say_what_is_clear():
    data = [[2.0, 0.0], [-2.0, 0.0]], [1, 0]
    text = draw.decision_boundary_text(lambda x: x[0], data, threshold=0, width=22, xlim=(-4, 4))
    assert frame(text)[0] == "       ░░▒▒▓▓███████"


def test_several_classes_have_a_shade_each():
    text = draw.decision_boundary_text(
        lambda x: [-abs(x[0] + 1), -abs(x[0]), -abs(x[0] - 1)], width=22, height=2, color=False
    )
    assert frame(text) == ["     ░░░░░░░░░░▒▒▒▒▒"] * 2
    assert text.splitlines()[-1].startswith("0 [ ] 1 [░] 2 [▒]; x[0] from -1 to 1, ")


def test_what_is_no_number_shows():
    text = draw.decision_boundary_text(lambda x: x[0] if x[0] > 0 else math.nan, XOR, width=22, height=2, xlim=(-1, 1))
    assert {line[:9] for line in frame(text)} == {"!" * 9}


@pytest.mark.parametrize("outputs", [1, 3])
def test_colours_stand_for_shades(outputs):
    def model(x):
        return x[0] if outputs == 1 else [x[0], 0.0, -x[0]]

    arguments = {"data": ([[0.5, 0.5]], [1]), "xlim": (-1, 1), "width": 30}
    plain = frame(draw.decision_boundary_text(model, **arguments, color=False))
    painted = frame(draw.decision_boundary_text(model, **arguments, color=True))
    cells = [re.findall("\x1b\\[1;97;48;5;(\\d+)m(.)\x1b\\[0m", line) for line in painted]
    assert [len(line) for line in cells] == [28] * len(plain)
    pairs = {
        (colour, shade)
        for row, line in zip(cells, plain, strict=True)
        for (colour, _), shade in zip(row, line, strict=True)
    }
    shades = {shade for _, shade in pairs} - {"1"}
    assert len(shades) > 1 and len({pair for pair in pairs if pair[1] != "1"}) == len({colour for colour, _ in pairs})
    assert {mark for row in cells for _, mark in row} == {" ", "1"}


@pytest.mark.parametrize(
    ("columns", "width", "expected"), [(200, None, 49), (30, None, 28), (30, 70, 68), (1, None, 2)]
)
def test_text_is_as_wide_as_the_terminal(columns, width, expected, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = frame(draw.decision_boundary_text(above, width=width))
    assert {len(line) for line in lines} == {expected}
    assert len(lines) == max(round(0.4 * expected), 2)


def test_no_colours_unless_asked(monkeypatch):
    assert "\x1b" not in draw.decision_boundary_text(above)
    monkeypatch.setattr("microgrid.draw.plots.terminal.has_colours", lambda: True)
    assert "\x1b" in draw.decision_boundary_text(above)
    assert "\x1b" not in draw.decision_boundary_text(above, color=False)


def test_the_net_is_asked_for_two_numbers():
    seen = []
    draw.decision_boundary_text(lambda x: seen.append(x) or mg.tanh(x[0]), width=4, height=2, xlim=(0, 1), ylim=(2, 3))
    assert seen == [[0.0, 2.0], [1.0, 2.0], [0.0, 3.0], [1.0, 3.0]]


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0], 5, "ab"])
def test_inputs_are_two_numbers(x):
    with pytest.raises(ValueError, match=r"^decision_boundary_text expects inputs of two numbers, got "):
        draw.decision_boundary_text(above, ([x], [1]))
