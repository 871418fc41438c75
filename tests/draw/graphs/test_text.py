"""The tree of text: its lines, what is shared, and that it does not grow wide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, define_rule, draw, math
from microgrid.draw.graphs.text import DEPTH


def test_a_small_tree() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b + 10
    d = c * c
    d.label = "d"
    assert (
        draw.to_text(d)
        == """\
d * data=16
├── #1 + 10 data=4
│   └── * data=-6
│       ├── a data=2
│       └── b data=-3
└── #1 + 10 (above)"""
    )


def test_gradients_are_shown_once_there_is_one() -> None:
    x = Value(2.0)
    y = x.exp()
    y.backward()
    assert draw.to_text(y) == "exp data=7.389 grad=1\n└── data=2 grad=7.389"


def test_shared_leaves_without_a_name_are_known_by_number_and_value() -> None:
    x = Value(2.0)
    assert draw.to_text(x * x) == "* data=4\n├── #1 data=2\n└── #1 2 (above)"


def test_constants_of_sequences_have_a_line() -> None:
    text = draw.to_text(math.dot([Value(1.0, label="w")] * 5, [1.0, 2.0, 3.0, 4.0, 0.5], 3.0))
    assert text.splitlines()[0] == "dot(·, ·, 3) data=13.5"
    assert text.splitlines()[-1] == "└── constants 1, 2, 3, 4, … 5 numbers"
    assert draw.to_text(math.dot([Value(1.0)], [2.0])).endswith("└── constants 2")


@given(st.text())
def test_a_label_stays_in_its_line(label: str) -> None:
    leaf = Value(1.0, label=label)
    assert len(draw.to_text(Value(2.0, (leaf,), label)).split("\n")) == 2
    assert all(line.isprintable() for line in draw.to_text(Value(2.0, (leaf,), label)).split("\n"))


def chain(length: int) -> Value:
    y = x = Value(1.0, label="x")
    for _ in range(length):
        y = y * x
    return y


def test_deep_trees_are_continued_below() -> None:
    lines = draw.to_text(chain(60)).splitlines()
    assert max(map(len, lines)) < 4 * DEPTH + 40
    below = [line.split()[-4] for line in lines if line.endswith("continued below")]
    tops = [line.split()[0] for line in lines if line.startswith("#")]
    assert tops == below and len(tops) == 2
    assert sum("data=" in line for line in lines) == 61  # every node is written out once


def test_what_is_met_again_above_is_not_continued() -> None:
    x = Value(1.0, label="x")
    deep = x.exp()
    y = deep
    for _ in range(DEPTH - 1):
        y = y.tanh()
    lines = draw.to_text(y * deep).splitlines()
    assert lines[-2] == "└── #1 exp data=2.718"
    assert sum("continued below" in line for line in lines) == 1
    assert sum("data=2.718" in line for line in lines) == 1


def test_what_is_cut_twice_is_continued_once() -> None:
    deep = Value(1.0).exp()
    y = deep * deep
    for _ in range(DEPTH - 1):
        y = y.tanh()
    lines = draw.to_text(y).splitlines()
    assert [line.split()[-4:] for line in lines[-4:-2]] == [["#1", "exp", "continued", "below"]] * 2
    assert lines[-2].startswith("#1 exp data=") and lines[-1].startswith("└── data=1")


def test_very_deep_trees_are_written() -> None:
    assert draw.to_text(chain(20_000)).count("data=") == 20_001


@pytest.mark.usefixtures("rules_restored")
def test_other_operations() -> None:
    thrice = define_rule("thrice(x)", "3 * x", x="3")
    by_hand = Value(6.0, (Value(2.0),), "mine")
    assert draw.to_text(thrice(by_hand)) == "thrice data=18\n└── mine data=6\n    └── data=2"


def test_only_nodes_are_written() -> None:
    with pytest.raises(TypeError, match=r"expected a Value to draw, got float 2\.0"):
        draw.to_text(2.0)  # type: ignore[arg-type]
