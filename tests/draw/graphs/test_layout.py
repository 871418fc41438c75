"""The layered layout: nothing overlaps, edges go to the right, lines cross less than before, the same graph comes out
the same."""

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.draw.graphs.layout import Layout, ascending, assign_layers, first_visits, inversions


@st.composite
def dags(draw: st.DrawFn) -> tuple[list[tuple[float, float]], list[tuple[int, int]]]:
    """Draw boxes, and edges between them that may be long, doubled, or leave a box alone."""
    count = draw(st.integers(0, 14))
    sizes = draw(st.lists(st.tuples(st.floats(10, 90), st.floats(10, 60)), min_size=count, max_size=count))
    pairs = list(combinations(range(count), 2))
    return sizes, draw(st.lists(st.sampled_from(pairs), max_size=25)) if pairs else []


def laid_out(sizes: list[tuple[float, float]], edges: list[tuple[int, int]]) -> Layout:
    return Layout(sizes, edges, gap=30.0, spacing=8.0)


@given(dags())
def test_edges_lead_to_a_layer_further_right(dag: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    layout = laid_out(*dag)
    assert all(layout.layers[source] < layout.layers[target] for source, target in dag[1])
    assert all(
        layout.positions[source][0] + dag[0][source][0] < layout.positions[target][0] for source, target in dag[1]
    )


@given(dags())
def test_boxes_keep_their_distance_and_stay_within(
    dag: tuple[list[tuple[float, float]], list[tuple[int, int]]],
) -> None:
    sizes, edges = dag
    layout = laid_out(sizes, edges)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.positions, sizes, strict=True)]
    for (x0, y0, x1, y1), (u0, v0, u1, v1) in combinations(boxes, 2):
        apart = max(u0 - x1, x0 - u1, v0 - y1, y0 - v1)
        assert apart >= 8.0 - 1e-9
    for x0, y0, x1, y1 in boxes:
        assert -1e-9 <= x0 and -1e-9 <= y0 and x1 <= layout.width + 1e-9 and y1 <= layout.height + 1e-9


@given(dags())
def test_lines_pass_no_box(dag: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    sizes, edges = dag
    layout = laid_out(sizes, edges)
    columns = {layout.positions[box][0]: layout.layers[box] for box in range(len(sizes))}
    assert len(columns) >= len({*columns.values()})
    for (source, target), route in zip(edges, layout.routes, strict=True):
        for (x0, y0), (x1, y1) in pairwise(route):
            assert x0 <= x1 + 1e-9
            for box in {*range(len(sizes))} - {source, target}:
                (left, top), (width, height) = layout.positions[box], sizes[box]
                if x0 < left + width - 1e-9 and x1 > left + 1e-9:  # beside the box: level, above or below it
                    assert y0 == y1 and not top < y0 < top + height


@given(dags())
def test_routes_join_their_boxes(dag: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    sizes, edges = dag
    layout = laid_out(sizes, edges)
    for (source, target), route in zip(edges, layout.routes, strict=True):
        (x, y), (width, height) = layout.positions[source], sizes[source]
        assert route[0] == pytest.approx((x + width, y + height / 2))
        (x, y), (width, height) = layout.positions[target], sizes[target]
        assert route[-1][0] == pytest.approx(x) and y <= route[-1][1] <= y + height


@given(dags())
def test_lines_cross_no_more_than_in_the_first_order(
    dag: tuple[list[tuple[float, float]], list[tuple[int, int]]],
) -> None:
    class Unsorted(Layout):
        def _reduce_crossings(self) -> int:
            return self.count_crossings()

    layout = laid_out(*dag)
    assert layout.crossings <= Unsorted(*dag, gap=30.0, spacing=8.0).crossings
    assert layout.crossings == layout.count_crossings()


@given(dags())
def test_the_same_graph_is_laid_out_the_same(dag: tuple[list[tuple[float, float]], list[tuple[int, int]]]) -> None:
    first, second = laid_out(*dag), laid_out(*dag)
    assert (first.positions, first.routes) == (second.positions, second.routes)


def test_a_tangle_that_can_be_undone_is_undone() -> None:
    random_source = random.Random(3)
    for _ in range(5):
        ends = random_source.sample(range(8, 16), 8)  # a permutation needs no crossing
        assert laid_out([(10.0, 10.0)] * 16, list(zip(range(8), ends, strict=True))).crossings == 0
    tree = [(child, child // 2) for child in range(2, 32)]
    upside_down = [(31 - child, 31 - parent) for child, parent in tree]
    assert laid_out([(10.0, 10.0)] * 31, upside_down).crossings == 0


def test_crossings_are_counted() -> None:
    class Fixed(Layout):
        def _reduce_crossings(self) -> int:
            self.columns = [[0, 1], [2, 3]]
            return self.count_crossings()

    every = [(0, 2), (0, 3), (1, 2), (1, 3)]
    assert Fixed([(9.0, 9.0)] * 4, every, gap=9.0, spacing=9.0).crossings == 1
    assert Fixed([(9.0, 9.0)] * 4, [(0, 3), (1, 2)], gap=9.0, spacing=9.0).crossings == 1
    assert Fixed([(9.0, 9.0)] * 4, [(0, 2), (1, 3)], gap=9.0, spacing=9.0).crossings == 0


def test_a_chain_is_straight() -> None:
    layout = laid_out([(10.0, 10.0 + i) for i in range(9)], [(i, i + 1) for i in range(8)])
    assert all(len({y for _, y in route}) == 1 for route in layout.routes)


def test_what_leaves_a_box_shares_its_way() -> None:
    edges = [(0, i) for i in range(1, 9)] + [(i, i + 1) for i in range(8)]
    layout = laid_out([(10.0, 10.0)] * 9, edges)
    assert len(layout.via) == 7  # one in each layer passed, not one for each edge


@pytest.mark.parametrize("edge", [(1, 0), (1, 1), (0, 3), (-1, 2)])
def test_edges_go_up(edge: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="from a lower to a higher index below 3"):
        assign_layers(3, [edge])


def test_layers_shorten_edges() -> None:
    late_leaf = [(0, 1), (1, 2), (3, 4), (2, 4)]
    assert assign_layers(5, late_leaf) == [0, 1, 2, 2, 3]
    early_sum = [(0, 2), (1, 2), (2, 6), (0, 3), (1, 3), (3, 4), (4, 5), (5, 6)]
    assert assign_layers(7, early_sum) == [0, 0, 1, 1, 2, 3, 4]


def test_visits_follow_the_edges_in_order() -> None:
    assert first_visits(5, [(2, 4), (0, 4), (1, 2)]) == [3, 2, 1, 4, 0]


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 9)), min_size=1, max_size=12))
def test_ascending_is_nearest(pairs: list[tuple[float, float]]) -> None:
    wishes, weights = [wish for wish, _ in pairs], [weight for _, weight in pairs]
    found = ascending(wishes, weights)
    assert all(a <= b for a, b in pairwise(found))
    # What characterises the nearest: in each run of equal numbers, no tail would gain by rising, no head by sinking.
    for level in {*found}:
        run = [i for i, value in enumerate(found) if value == level]
        pull = [weights[i] * (wishes[i] - level) for i in run]
        assert sum(pull) == pytest.approx(0.0, abs=1e-9)
        assert all(sum(pull[k:]) <= 1e-9 for k in range(len(pull)))


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_inversions_are_counted(first: list[int], second: list[int]) -> None:
    assert inversions(sorted(first), second) == sum(a > b for a in first for b in second)
