"""Graphs too large to draw: what is put together, and that nothing is lost."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, math
from microgrid.draw.graphs.folding import fold
from microgrid.draw.graphs.sketch import Sketch
from microgrid.nn import MLP


@st.composite
def sketches(draw: st.DrawFn) -> Sketch:
    nodes = [Value(float(i)) for i in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(0, 15))):
        x, y = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        nodes.append(draw(st.sampled_from([x + y, x.tanh(), math.dot([x, Value(1.0)], [1.0, 2.0], y)])))
    return Sketch(nodes[-1], None)


@given(sketches(), st.integers(2, 12))
def test_every_item_is_in_one_group_and_sources_come_first(sketch: Sketch, limit: int) -> None:
    groups = fold(sketch, limit)
    assert len(groups) <= limit
    assert sorted(index for group in groups for index in group) == list(range(len(sketch.items)))
    place = {index: number for number, group in enumerate(groups) for index in group}
    assert all(place[source] <= place[target] for source, target in sketch.edges)
    assert groups[-1] == [len(sketch.items) - 1]


@given(sketches(), st.integers(2, 12))
def test_operations_that_are_drawn_show_all_their_uses(sketch: Sketch, limit: int) -> None:
    groups = fold(sketch, limit)
    folded = {index for group in groups[:-1] if len(group) > 1 for index in group if sketch.kind(index) == "operation"}
    shown = set(range(len(sketch.items))) - {index for group in groups if len(group) > 1 for index in group}
    inner = {index for index in shown if sketch.kind(index) == "operation"}
    assert not [edge for edge in sketch.edges if edge[0] in inner and edge[1] in folded]


def test_what_fits_is_not_folded() -> None:
    sketch = Sketch(MLP(2, [2, 1], rng=0)([1.0, 2.0]), None)
    assert fold(sketch, len(sketch.items)) == [[index] for index in range(len(sketch.items))]


def test_leaves_of_one_neuron_are_folded_first() -> None:
    sketch = Sketch(MLP(2, [4, 1], rng=0)([1.0, 2.0]), None)
    sizes = [len(group) for group in fold(sketch, 20)]
    assert sorted(sizes) == [1] * 10 + [3] * 4 + [5]  # weights and bias of each neuron


def test_parts_with_the_same_use_are_folded_together() -> None:
    branches = [math.dot([Value(1.0).exp(), Value(2.0).exp()], [1.0, 2.0]).exp() for _ in range(3)]
    sketch = Sketch(math.fsum(branches), None)
    groups = fold(sketch, 6)
    assert [len(group) for group in groups] == [16, 1, 1, 1, 1]


def test_many_parts_become_one() -> None:
    x = Value(1.0)
    terms = [(x * i).exp().tanh() for i in range(8)]
    sketch = Sketch(math.fsum([a * b for a, b in itertools.pairwise(terms)]), None)
    groups = fold(sketch, 9)
    assert [len(group) for group in groups][1:] == [1] * 6
