"""Arguments agree with the walk that puts leaves back, and keys tell apart what has to be told apart."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value
from microgrid.compiler.arguments import Arguments, Results, Same, Unfit, with_leaves
from microgrid.nn import MLP, Module
from microgrid.tree import Walk


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass
class Box:
    content: Any
    size: Any = 1


class Holder(Module):
    def __init__(self, **parts: Any) -> None:
        vars(self).update(parts)


SHARED = [Value(1.0), Value(2.0), Holder(w=Value(3.0), rate=0.1, name="a"), MLP(2, [1], rng=0)]
SHARED[2].again = SHARED[0]  # type: ignore[union-attr] # a Value that also comes bare

leaves = st.one_of(
    st.floats(), st.integers(-5, 5), st.booleans(), st.text(max_size=2), st.none(), st.builds(Value, st.floats(0, 1)),
    st.just(Fraction(1, 3)), st.just(2**60),
)  # fmt: skip
keys = st.one_of(st.text(max_size=3), st.integers(0, 3), st.booleans())


def containers(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(parts, max_size=3), st.lists(parts, max_size=3).map(tuple), st.dictionaries(keys, parts, max_size=3),
        st.builds(Pair, parts, parts), st.builds(Box, parts),
    )  # fmt: skip


def holders(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return containers(parts) | st.builds(Holder, a=parts, b=parts)


nests = st.recursive(leaves | st.sampled_from(SHARED), holders, max_leaves=12)


@given(nests)
def test_leaves_are_those_of_the_walk(nest: Any) -> None:
    found: list[Any] = []
    Walk(found.append, lambda item: isinstance(item, bool | str)).visit("a nest", False, nest)
    arguments = Arguments(nest)
    assert len(found) == len(arguments.leaves) == len(arguments.numbers)
    assert all(ours is theirs for ours, theirs in zip(arguments.leaves, found, strict=True))


@given(nests)
def test_a_nest_with_new_leaves_has_the_key_of_the_nest(nest: Any) -> None:
    arguments = Arguments(nest)
    twins = [Value(0.5) if isinstance(leaf, Value) else 0.5 for leaf in arguments.leaves]
    other = Arguments(with_leaves(nest, twins))
    assert other.key == arguments.key and hash(other.key) == hash(arguments.key)
    assert all(ours is theirs for ours, theirs in zip(other.leaves, twins, strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1.0], (1.0,)),
        ([1.0], [1.0, 1.0]),
        ([1.0, [2.0]], [[1.0], 2.0]),
        ("a", "b"),
        (True, False),
        (True, 1.0),
        (None, False),
        (1.0, Value(1.0)),
        ({"a": 1.0}, {"b": 1.0}),
        ({1: 1.0}, {True: 1.0}),
        ({"x" * 100 + "a": 1.0}, {"x" * 100 + "b": 1.0}),
        (Holder(rate=0.1), Holder(rate=0.2)),
        (Holder(rate=0.0), Holder(rate=-0.0)),
        (Holder(mode="a"), Holder(mode="b")),
        (Holder(function=min), Holder(function=max)),
        (Holder(a=SHARED[0], b=SHARED[0]), Holder(a=SHARED[0], b=SHARED[1])),
        (Pair(1.0, 2.0), Box(1.0, 2.0)),
        (MLP(1, [1]), MLP(1, [2])),
    ],
)
def test_keys_differ(one: Any, other: Any) -> None:
    assert Arguments(one).key != Arguments(other).key


def test_modules_of_one_kind_share_a_key() -> None:
    nets = [MLP(2, [3, 1], rng=seed) for seed in (1, 2)]
    assert Arguments(nets[0]).key == Arguments(nets[1]).key
    nets[0].parent = nets[0]  # type: ignore[attr-defined] # leads back to itself
    assert len(Arguments([nets[0], nets[0]]).leaves) == len(nets[0].parameters())


def test_exact_numbers_are_noticed() -> None:
    assert not Arguments([2**53, -(2**53), 1.0, Value(1.0)]).is_exact
    assert all(Arguments([1.0, x, 2]).is_exact for x in (2**53 + 1, Fraction(1), Value(Fraction(1))))


@pytest.mark.parametrize("item", [object(), {1.0}, b"x", 1j, range(2)])
def test_other_things_do_not_fit(item: Any) -> None:
    with pytest.raises(Unfit, match=f"an argument of type {type(item).__name__}"):
        Arguments([1.0, item])
    assert Arguments(Holder(thing=item)).leaves == []


def test_the_same_object_is_equal_to_itself_only() -> None:
    one, other = Same([]), Same([])
    assert one == Same(one.item) and one != other and one != [] and hash(one) == hash(Same(one.item))


@given(st.recursive(leaves, containers, max_leaves=12))
def test_results_are_rebuilt(nest: Any) -> None:
    results = Results(nest)
    assert repr(results.rebuilt(results.leaves)) == repr(nest)


def test_modules_are_no_results() -> None:
    with pytest.raises(Unfit, match="it returns something of type Holder"):
        Results([1.0, Holder()])
