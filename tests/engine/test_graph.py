"""Walks over graphs: order, copies, pickles, and graphs of a million nodes."""

import copy
import gc
import pickle
import sys
import weakref
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, gc_paused, math
from microgrid.engine import graph

MILLION = 1_000_000


OPERATIONS = [
    lambda x, y, z: x * y,
    lambda x, y, z: x + y,
    lambda x, y, z: x * 0.5,
    lambda x, y, z: x.tanh(),
    lambda x, y, z: math.dot([x, y], [z, x], y),
    lambda x, y, z: math.fma(x, 2.0, z),
    lambda x, y, z: math.clip(x, -1.0, 1.0),
]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Value], Value]:
    """Draw a random graph with shared nodes, constants and operations of every fan; return its leaves and its root."""
    leaves = [Value(draw(st.floats(-2, 2)), label=f"leaf {i}") for i in range(draw(st.integers(1, 3)))]
    nodes = list(leaves)
    for _ in range(draw(st.integers(0, 12))):
        operands = (draw(st.sampled_from(nodes)) for _ in range(3))
        nodes.append(draw(st.sampled_from(OPERATIONS))(*operands))
    return leaves, nodes[-1]


def gradients(leaves: list[Value], root: Value) -> list[float]:
    for leaf in leaves:
        leaf.zero_grad()
    root.backward()
    return [leaf.grad for leaf in leaves]


@given(graphs())
def test_parents_come_before_the_nodes_made_from_them(drawn: tuple[list[Value], Value]) -> None:
    _, root = drawn
    order = graph.inner_nodes(root)
    place = {node: index for index, node in enumerate(order)}
    assert len(place) == len(order) and all(node.op is not None for node in order)
    assert all(place[parent] < place[node] for node in order for parent in node.parents if parent.op is not None)
    assert (not order and root.op is None) or order[-1] is root


@given(graphs())
def test_the_order_holds_every_node_that_can_be_reached(drawn: tuple[list[Value], Value]) -> None:
    _, root = drawn
    reached, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if node.op is not None and node not in reached:
            reached.add(node)
            waiting += node.parents
    assert set(graph.inner_nodes(root)) == reached


@pytest.mark.parametrize("turned", [False, True])
def test_what_stands_behind_a_shared_sequence_is_reached(turned: bool) -> None:
    inputs = tuple(Value(x) * 1.0 for x in (2.0, 3.0))
    biases = [Value(1.0), Value(1.0)]
    neurons = [math.dot([Value(1.0), Value(1.0)], inputs, bias * 5.0) for bias in biases]
    assert neurons[0]._x[1] is neurons[1]._x[1]
    (neurons[1] + neurons[0] if turned else neurons[0] + neurons[1]).backward()
    assert [bias.grad for bias in biases] == [5.0, 5.0] and inputs[0].parents[0].grad == 2.0


def same_graph(one: Value, other: Value) -> bool:
    ones, others = graph.inner_nodes(one), graph.inner_nodes(other)
    number = {node: index for index, node in enumerate([*graph.leaves(ones), *ones])}
    twin = {node: index for index, node in enumerate([*graph.leaves(others), *others])}
    return len(ones) == len(others) and all(
        (a.data, a.grad, a.label, a.op, a.constants) == (b.data, b.grad, b.label, b.op, b.constants)
        and [number[parent] for parent in a.parents] == [twin[parent] for parent in b.parents]
        for a, b in zip([*graph.leaves(ones), *ones], [*graph.leaves(others), *others], strict=True)
    )


@given(graphs(), st.sampled_from([copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))]))
def test_copies_keep_their_graph_and_share_nothing(drawn: tuple[list[Value], Value], duplicate: object) -> None:
    leaves, root = drawn
    expected = gradients(leaves, root)
    twin = duplicate(root)  # type: ignore[operator]
    assert same_graph(root, twin)
    own = graph.leaves(graph.inner_nodes(twin)) or [twin]
    assert not set(own) & set(leaves)
    assert dict(zip((leaf.label for leaf in own), gradients(own, twin), strict=True)).items() <= (
        dict(zip((leaf.label for leaf in leaves), expected, strict=True)).items()
    )


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda nodes: pickle.loads(pickle.dumps(nodes))])
def test_nodes_copied_together_keep_their_shared_leaves(duplicate: object) -> None:
    x = Value(3.0, label="x")
    leaf, square, double, nothing = duplicate([x, x * x, x * 2.0, None])  # type: ignore[operator]
    (square + double).backward()
    assert leaf.grad == 8.0 and leaf.label == "x" and x.grad == 0.0 and nothing is None


def test_a_shallow_copy_has_the_same_parents() -> None:
    x = Value(3.0)
    y = x * x
    twin = copy.copy(y)
    assert twin is not y and twin.parents[0] is x and twin.data == 9.0


def test_a_shallow_copy_has_every_field() -> None:
    x = Value(3.0)
    y = x * 2.0
    y.label, y.grad = "double", 5.0
    twin = copy.copy(y)
    assert (twin.data, twin.grad, twin.label, twin.op) == (6.0, 5.0, "double", y.op)
    assert twin.parents == (x,) and twin.constants == (2.0,)


def test_leaves_are_given_their_numbers_in_order() -> None:
    x, y = Value(1.0), Value(2.0)
    x.grad = 7.0
    graph.assign([x, y], iter([3.0, 4.0]))
    assert (x.data, y.data, x.grad) == (3.0, 4.0, 7.0)


def test_leaves_have_their_numbers_back_after_an_error() -> None:
    x, y = Value(1.0), Value(2.0)

    def fail() -> None:
        with graph.data_restored(iter([x, y])):
            x.data, y.data = 3.0, 4.0
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (x.data, y.data) == (1.0, 2.0)


def test_a_recorded_gradient_is_copied_as_its_number() -> None:
    x = Value(3.0)
    y = x.exp()
    y.backward(create_graph=True)
    assert type(x.grad) is Value
    for twin in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        assert type(twin.parents[0].grad) is float and twin.parents[0].grad == x.grad.data


def test_subclasses_stay_what_they_are() -> None:
    class Weight(Value):
        __slots__ = ()

    leaf = Weight(2.0)
    assert type(copy.deepcopy(leaf)) is Weight and type(copy.deepcopy(leaf * 3.0).parents[0]) is Weight


class Tagged(Value):
    def __init__(self, data: float, note: str) -> None:
        super().__init__(data)
        self.note = note


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))])
def test_subclasses_keep_their_attributes(duplicate: Callable[[Value], Value]) -> None:
    twin = duplicate(Tagged(2.0, "a"))
    assert type(twin) is Tagged and (twin.data, twin.note) == (2.0, "a")


def million_chain(x: Value) -> Value:
    with gc_paused():
        out = x
        for _ in range(MILLION // 2):
            out = out * 1.0
            out = out + x
    return out


def million_sum(x: Value) -> Value:
    with gc_paused():
        return math.fsum([x * 1.0 for _ in range(MILLION)])


@pytest.mark.parametrize("build", [million_chain, million_sum])
def test_a_million_nodes(build: object) -> None:
    assert sys.getrecursionlimit() <= 1100, "the default limit"
    x = Value(1.0)
    out = build(x)  # type: ignore[operator]
    out.backward()
    assert x.grad == pytest.approx(MILLION if build is million_sum else MILLION / 2 + 1)
    assert repr(out).startswith("Value(data=")
    for duplicate in (copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))):
        twin = duplicate(out)
        assert twin.data == out.data and twin is not out
        del twin
    alive = weakref.ref(out)
    del out
    assert alive() is None


def test_a_graph_is_freed_by_reference_counting_alone() -> None:
    collecting = gc.isenabled()
    gc.disable()
    try:
        x = Value(2.0)
        inner = [x * x, x.tanh(), math.dot([x], [x], x), math.fma(x, x, x), math.hypot(x, 1.0)]
        root = math.fsum(inner) ** 2
        root.backward()
        alive = [weakref.ref(node) for node in [*inner, root]]
        del inner, root
        assert [node() for node in alive] == [None] * len(alive)
    finally:
        if collecting:
            gc.enable()


def test_unlinking_frees_a_deep_graph_in_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    depths, depth = [0], 0

    def unlink(node: Value) -> None:
        nonlocal depth
        depth += 1
        graph.unlink(node)
        depths.append(depth)
        depth -= 1

    gc.collect()  # nodes of other tests do not count
    monkeypatch.setattr(Value, "__del__", unlink, raising=False)
    x = y = Value(1.0)
    alive = []
    for _ in range(1000):
        for operation in OPERATIONS:
            y = operation(y, x, y)
            alive.append(weakref.ref(y))
    del y
    assert len(depths) == 1 + len(alive) and not any(node() for node in alive)
    assert max(depths) == 2 and not graph._links
    assert x.op is None and x.data == 1.0


def test_what_is_unlinked_is_a_leaf() -> None:
    node = Value(1.0) * 2.0
    graph.unlink(node)
    assert node.op is node._x is node._y is None and node.parents == () and not graph._links


def test_a_node_that_was_never_finished_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Value, "__del__", graph.unlink, raising=False)
    with pytest.raises(TypeError, match="expected"):
        Value("text")


@given(graphs(), st.integers(0, 15))
def test_size_is_told_without_visiting_more_than_needed(drawn: tuple[list[Value], Value], count: int) -> None:
    _, root = drawn
    inner = graph.inner_nodes(root)
    assert graph.has_more_than(root, count) == (len({root, *inner, *graph.leaves(inner)}) > count)


def test_telling_the_size_of_a_long_chain_visits_its_end_only() -> None:
    visited = []

    class Counted(Value):
        @property
        def parents(self) -> tuple[Value, ...]:
            visited.append(self)
            return super().parents

    y: Value = Counted(1.0)
    for _ in range(1000):
        y = Counted(1.0, (y,), "next")
    assert graph.has_more_than(y, 10) and len(visited) == 10


def test_arguments_are_in_the_order_of_the_rule() -> None:
    x, y = Value(2.0), Value(3.0)
    cases = [(x * y, [x, y]), (x - 5.0, [x, 5.0]), (5.0 - x, [5.0, x]), (x.exp(), [x])]
    cases += [(math.fma(x, 7.0, y), [x, 7.0, y]), (math.clip(1.0, x, 9.0), [1.0, x, 9.0]), (x.leaky_relu(), [x, 0.01])]
    cases += [(math.dot([x], [4.0], y), [(x,), (4.0,), y]), (math.hypot(x, y), [(x, y)])]
    for node, expected in cases:
        found = graph.arguments(node)
        assert list(found) == expected and all(
            one is other for one, other in zip(found, expected, strict=True) if one is x
        )


def test_nodes_that_were_seen_are_left_out() -> None:
    x = Value(2.0)
    y = x * x
    z = y.exp()
    seen = {y}
    assert graph.inner_nodes(z, seen=seen) == [z] and seen == {y, z}
    assert graph.inner_nodes(z, y, seen=seen) == [] and graph.inner_nodes(z) == [y, z]
