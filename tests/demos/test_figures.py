"""The pictures of the READMEs: as they are drawn now, the same each time, small; those of speed where measured."""

import re

import pytest

import figures
from tests.pages import PAGES, text_of

TABLE = """
before | the | table
<!-- benchmarks -->
- a machine

| case                             | contestant         |  result |  ratio | claim        | met |
| -------------------------------- | ------------------ | ------: | -----: | ------------ | --- |
| training step, XOR, MLP(2, [1])  | microgrid, fit     | 7.11 µs |  1.00× |              |     |
|                                  | micrograd          |  2.5 ms | 351.0× | at least 70× | yes |
|                                  | torch              | missing |        | at least 30× |     |
| training step, two moons, MLP(2) | jax                |     3 s |  1.00× |              |     |
| training step, by the width      | width 2: microgrid |   50 µs |  1.00× |              |     |
|                                  | width 2: torch     |  300 µs |  6.00× |              |     |
|                                  | width 16: microgrid |   1 ms |  1.00× |              |     |
|                                  | width 16: torch    |  400 µs |  0.40× |              |     |
| memory of a node                 | microgrid          | 120 bytes | 1.00× |            |     |
<!-- end of benchmarks -->
| after | it | 5 s |
"""


def skeleton(svg):
    """Return an SVG without its numbers, and these: the same picture may differ by a tenth of a point in places.

    Names of parts are made from what is in them, and differ with it.
    """
    svg = re.sub(r"\b[mpCh]?[0-9a-f]{10,}(_\d+)?\b", "name", svg)
    return re.sub(r"-?\d+(\.\d+)?", "0", svg), [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", svg)]


def words(svg):
    """Return the lines of text in an SVG."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def creator(svg):
    """Return the version of matplotlib that drew it."""
    return re.findall(r"Matplotlib v[\w.]+", svg)


def committed(name):
    return (figures.FOLDER / name).read_text(encoding="utf-8")


def test_the_graph_of_a_neuron_is_up_to_date():
    assert figures.neuron() == committed("neuron.svg"), "make figures"


@pytest.mark.dev
def test_the_pictures_are_up_to_date():
    drawn = figures.figures()
    assert {*drawn} == {path.name for path in figures.FOLDER.iterdir()}
    for name, svg in drawn.items():
        old = committed(name)
        assert words(svg) == words(old), f"make figures: {name}"
        if creator(svg) == creator(old):
            (shape, numbers), (old_shape, old_numbers) = skeleton(svg), skeleton(old)
            assert shape == old_shape and numbers == pytest.approx(old_numbers, abs=0.21), f"make figures: {name}"


def test_the_pictures_are_small_and_self_contained():
    paths = [*figures.FOLDER.iterdir()]
    assert len(paths) >= 3
    pages = "".join(map(text_of, PAGES))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) < 60_000
        assert "dc:date" not in text and "<image" not in text and "<script" not in text
        assert f"figures/{path.name})" in pages


@pytest.mark.dev
def test_the_same_twice():
    assert figures.svg(figures.regions) == figures.svg(figures.regions)


def test_coordinates_are_short_and_lines_straight():
    text = 'a 0.17\nL 1.23456 2.0\nL 1.23456 3.0000001\nL 1.23456 4.0\nL 5 4.0  \nL 6 7"\n'
    assert figures.tidied(text) == 'a 0.17\nL 1.2 2.0\nL 1.2 4.0\nL 5 4.0\nL 6 7"\n'


def test_times_are_read_from_the_table():
    found = figures.timings(TABLE)
    assert [(name, pytest.approx(time)) for _, name, time in found] == [
        ("microgrid, fit", 7.11e-6),
        ("micrograd", 2.5e-3),
        ("jax", 3.0),
        ("width 2: microgrid", 50e-6),
        ("width 2: torch", 300e-6),
        ("width 16: microgrid", 1e-3),
        ("width 16: torch", 400e-6),
    ]
    cases = ["XOR, MLP(2, [1])"] * 2 + ["two moons, MLP(2)"] + ["by the width"] * 4
    assert [case for case, _, _ in found] == [f"training step, {case}" for case in cases]
    assert figures.timings("no table") == figures.timings("<!-- benchmarks -->\n<!-- end of benchmarks -->") == []


@pytest.mark.parametrize(("seconds", "text"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4e-6, "4 µs"), (5e-10, "0.5 ns")])
def test_durations(seconds, text):
    assert figures.duration(seconds) == text


@pytest.mark.dev
def test_speed_beside_others():
    first, second = figures.speed(figures.timings(TABLE)).axes
    assert [bar.get_width() for bar in first.patches] == pytest.approx([2.5e-3, 7.11e-6]), "the fastest on top"
    assert [label.get_text() for label in first.get_yticklabels()] == ["micrograd", "microgrid, fit"]
    assert [text.get_text() for text in first.texts] == ["2.5 ms", "7.11 µs"]
    assert len({bar.get_facecolor() for bar in first.patches}) == 2
    assert (first.get_title(), second.get_title()) == ("XOR\nMLP(2, [1])", "two moons\nMLP(2)")


@pytest.mark.dev
def test_where_the_others_overtake():
    (ax,) = figures.crossover(figures.timings(TABLE)).axes
    lines = {line.get_label(): line.get_data() for line in ax.get_lines()}
    assert [[*xs] for xs, _ in lines.values()] == [[2, 16]] * 2
    assert [*lines["microgrid"][1]] == pytest.approx([50e-6, 1e-3])
    assert [*lines["PyTorch"][1]] == pytest.approx([300e-6, 400e-6])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2", "16"]


@pytest.mark.dev
def test_what_was_not_measured_is_not_drawn():
    assert figures.svg(lambda: figures.speed([])) == figures.svg(lambda: figures.crossover([])) == ""
    assert figures.svg(lambda: figures.crossover(figures.timings(TABLE))).endswith("</svg>\n")


@pytest.mark.dev
def test_make_figures(monkeypatch, tmp_path, capsys):
    page = tmp_path / "README.md"
    page.write_text(TABLE, encoding="utf-8")
    monkeypatch.setattr(figures, "BENCHMARKS", page)
    monkeypatch.setattr(figures, "FOLDER", tmp_path / "figures")
    figures.main()
    names = ["neuron.svg", "xor.svg", "hidden_space.svg", "speed.svg", "crossover.svg"]
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"figures/{name}" for name in names
    ]
    for name in names:
        text = (tmp_path / "figures" / name).read_text(encoding="utf-8")
        assert text.endswith("</svg>\n") and len(text.encode()) < 60_000
