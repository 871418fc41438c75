"""DOT text, `trace` and `draw_dot`: micrograd's results, and labels that break nothing."""

import html
import json
import re
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, draw, math
from microgrid.engine.messages import printable

HOSTILE = [
    '"];}',
    "<b>bold</b>",
    "{a|b}<port>",
    "back\\slash\\",
    "line\nbreak",
    "&amp; &#34;",
    "\x00\x1b",
    "日本 🎲",
    "\\N",
]
STATEMENT = re.compile(r'    (\w+)( -> \w+)?( \[(\w+="[^"\\<>{}|]*"|label="\{ [^"\\<>{}]* \}"|[ ])*\])?')


def example() -> Value:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a - b
    c.label = "c"
    return c


def test_trace_gives_nodes_and_edges() -> None:
    x, y = Value(2.0), Value(3.0)
    z = x * y
    root = z + z
    nodes, edges = draw.trace(root)
    assert nodes == {x, y, z, root}
    assert edges == {(x, z), (y, z), (z, root)}
    assert draw.trace(x) == ({x}, set())
    with pytest.raises(TypeError, match=r"^expected a Value to trace, got int 3$"):
        draw.trace(3)  # type: ignore[arg-type]


def test_small_graph() -> None:
    c = example()
    c.backward()
    assert (
        draw.to_dot(c, rankdir="TB")
        == """\
digraph {
    graph [rankdir="TB"]
    n0 [label="{ a | data 2 | grad 1 }" shape="record" style="filled" fillcolor="#e2eefb"]
    n1 [label="{ b | data -3 | grad -1 }" shape="record" style="filled" fillcolor="#e2eefb"]
    n2 [label="{ c | data 5 | grad 1 }" shape="record" style="filled" fillcolor="#ffffff" penwidth="2.5"]
    op2 [label="-"]
    op2 -> n2
    n0 -> op2 [headlabel="x"]
    n1 -> op2 [headlabel="y"]
}
"""
    )


def test_constants_and_parameters_are_told_apart() -> None:
    text = draw.to_dot(math.dot([Value(1.0)], [2.0, 3.0][:1]))
    assert '"{ 2 }" shape="record" style="filled" fillcolor="#f0f1f3"' in text and "#e3f3e6" in text


@given(st.sampled_from(HOSTILE) | st.text())
def test_labels_stay_within_their_quotes(label: str) -> None:
    leaf = Value(1.0, label=label)
    lines = draw.to_dot(Value(2.0, (leaf,), label)).splitlines()
    assert lines[0] == "digraph {" and lines[-1] == "}"
    for line in lines[1:-1]:
        assert STATEMENT.fullmatch(line), line


@pytest.mark.parametrize("rankdir", ["left", "", 3])
def test_directions_are_checked(rankdir: str) -> None:
    with pytest.raises(ValueError, match="rankdir is one of LR, TB, RL, BT, got"):
        draw.to_dot(example(), rankdir)


@pytest.mark.skipif(not shutil.which("dot"), reason="needs the program dot")
@pytest.mark.parametrize("label", HOSTILE)
def test_graphviz_reads_labels_as_they_are(label: str) -> None:
    leaf = Value(1.0, label=label)
    text = draw.to_dot(Value(2.0, (leaf,), label))
    run = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, encoding="utf-8", check=True)
    assert not run.stderr
    shown = [html.unescape(line).replace(" ", "") for line in re.findall(r"<text[^>]*>(.*?)</text>", run.stdout)]
    assert shown.count(printable(label).replace(" ", "")) == 2  # records swallow some spaces


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install '\.\[graphviz\]'"):
        draw.draw_dot(example())


@pytest.mark.dev
def test_draw_dot_gives_a_digraph() -> None:
    from graphviz import Digraph

    drawing = draw.draw_dot(example(), format="png", rankdir="TB")
    assert isinstance(drawing, Digraph) and drawing.format == "png"
    assert drawing.graph_attr == {"rankdir": "TB"}
    assert draw.draw_dot(example()).format == "svg"
    with pytest.raises(ValueError, match="rankdir"):
        draw.draw_dot(example(), rankdir="up")


@pytest.mark.dev
@pytest.mark.skipif(not shutil.which("dot"), reason="needs the program dot")
@pytest.mark.parametrize("label", HOSTILE)
def test_draw_dot_draws_what_to_dot_writes(label: str) -> None:
    root = Value(2.0, (Value(1.0, label=label),), label) * 2
    drawings = []
    for text in (draw.to_dot(root), draw.draw_dot(root).source):
        run = subprocess.run(["dot", "-Tjson"], input=text, capture_output=True, encoding="utf-8", check=True)
        drawings.append(sorted((item["name"], item["label"]) for item in json.loads(run.stdout)["objects"]))
    assert drawings[0] == drawings[1]
