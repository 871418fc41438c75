"""The two passes that keep adjoints and tangents in tables."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, math
from microgrid.engine import graph
from microgrid.engine.sweeps import Guarded, adjoints, between, counts, reachable, seeded, tangents

NUMBERS = st.fractions(-9, 9, max_denominator=9)


@st.composite
def exact_graphs(draw: st.DrawFn) -> tuple[list[Value], Value]:
    """Draw a graph of fractions; return its leaves and its root."""
    leaves = [Value(draw(NUMBERS)) for _ in range(3)]
    nodes = [leaves[0] + leaves[1] * leaves[2], *leaves]
    for _ in range(draw(st.integers(1, 8))):
        x, y, z = (draw(st.sampled_from(nodes)) for _ in range(3))
        constant = draw(NUMBERS)
        made = [x * y, x - y, constant * x, -x, x**2, x / (1 + y * y), y * z - x]
        nodes.append(draw(st.sampled_from(made)))
    return leaves, nodes[-1]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, False), (0.0, False), (Fraction(0), False), (Value(0.0), True), (1, True), (float("nan"), True)],
)
def test_only_a_plain_zero_does_not_count(number: object, expected: bool) -> None:
    assert counts(number) is expected


@given(exact_graphs())
def test_adjoints_are_the_gradients_of_backward(drawn: tuple[list[Value], Value]) -> None:
    leaves, root = drawn
    nodes = graph.inner_nodes(root)
    plain = adjoints(nodes, {root: Fraction(1)}, "vjp")
    recorded = adjoints(nodes, {root: Value(Fraction(1))}, "record")
    assert all(node.grad == 0 for node in [*leaves, *nodes])
    root.backward()
    for node in [*nodes, *leaves]:
        assert plain.get(node, 0) == node.grad
        assert getattr(recorded.get(node, 0), "data", recorded.get(node, 0)) == node.grad


@given(exact_graphs(), st.lists(NUMBERS, min_size=3, max_size=3))
def test_tangents_agree_with_adjoints(drawn: tuple[list[Value], Value], directions: list[Fraction]) -> None:
    leaves, root = drawn
    nodes = graph.inner_nodes(root)
    seeds = {leaf: direction for leaf, direction in zip(leaves, directions, strict=True) if direction}
    pulled = adjoints(nodes, {root: Fraction(1)}, "vjp")
    expected = sum(pulled.get(leaf, 0) * direction for leaf, direction in seeds.items())
    assert tangents(nodes, dict(seeds), "jvp").get(root, 0) == expected
    recorded = tangents(nodes, {leaf: Value(seed) for leaf, seed in seeds.items()}, "jvp_record").get(root, 0)
    assert getattr(recorded, "data", recorded) == expected


@given(exact_graphs())
def test_dependents_are_what_leads_to_an_input(drawn: tuple[list[Value], Value]) -> None:
    leaves, root = drawn
    nodes = graph.inner_nodes(root)
    expected = {leaves[0]}
    for node in nodes:
        if expected & {*node.parents}:
            expected.add(node)
    assert reachable(nodes, leaves[:1]) == expected


def test_adjoints_are_kept_only_of_the_nodes_that_are_wanted() -> None:
    x, y = Value(2.0), Value(3.0)
    inner = y * y
    out = x * inner
    nodes = graph.inner_nodes(out)
    assert adjoints(nodes, {out: 1.0}, "vjp", reachable(nodes, [x])) == {out: 1.0, x: 9.0}


def test_passes_go_on_where_a_partial_raises() -> None:
    x = Value(0.0)
    out = math.sqrt(x)
    assert adjoints([out], {out: 1.0}, "vjp")[x] == math.inf == tangents([out], {x: 1.0}, "jvp")[out]
    assert adjoints([out], {out: Value(1.0)}, "record")[x].data == math.inf
    assert tangents([out], {x: Value(1.0)}, "jvp_record")[out].data == math.inf


def test_nodes_between_inputs_and_outputs() -> None:
    x, y = Value(2.0), Value(3.0)
    before = y * y
    inside = x * before
    out = inside + y
    order, nodes, reached = between([x, before], [out, 5.0, y])
    assert order == [before, inside, out] and nodes == [inside, out] and reached == {x, before, inside, out}
    seen = {inside}
    order, nodes, _ = between([x], [out], seen)
    assert order == [out] and nodes == [] and out in seen


def test_seeds_of_an_output_that_occurs_twice_are_added() -> None:
    x, y = Value(2.0), Value(3.0)
    assert seeded([x, y, 5.0, x, x], [1.0, 2.0, 3.0, 0.0, 4.0], {x}) == {x: 5.0}
    assert seeded([x], [Value(0.0)], {x}).keys() == {x}


def test_what_depends_on_an_input_does_not_become_a_float() -> None:
    x, y = Value(2.0, label="x"), Value(3.0)
    guarded = Guarded("grad(f)", [x])
    guarded.before_float(y)
    guarded.before_float(y * 2.0)
    for node, shown in ((x, "x=2.0"), (x * y, "6.0")):
        with pytest.raises(TypeError) as error:
            guarded.before_float(node)
        assert str(error.value) == (
            f"grad(f): float({shown}) would drop the derivative: write `from microgrid import math` in place of "
            f"`import math`, and v.data where a plain number is meant"
        )
