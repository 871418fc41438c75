"""Arguments agree with the walk that puts leaves back, and keys tell apart what has to be told apart."""

import warnings
from array import array
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, jit, math
from microgrid.compiler.arguments import Arguments, Results, Unfit, with_leaves
from microgrid.compiler.settings import is_static
from microgrid.nn import MLP, Frozen, Module
from microgrid.transforms.nests import Walk


class Pair(NamedTuple):
    left: Any
    right: Any


class Shade(IntEnum):
    DARK = 1
    LIGHT = 2


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


def test_an_array_has_its_numbers_as_a_list_has_them_and_a_key_of_its_own() -> None:
    given, other = Arguments(array("d", [1.0, 2.0])), Arguments(array("d", [3.0, 4.0]))
    assert given.key == other.key != Arguments([1.0, 2.0]).key
    assert given.numbers == given.leaves == [1.0, 2.0]
    assert len({Arguments(array(code, [1] * count)).key for code in "df" for count in (1, 2)}) == 2
    assert with_leaves({"a": array("d", [1.0, 2.0])}, "xy") == {"a": ["x", "y"]}


def test_in_a_module_an_array_is_a_setting() -> None:
    keys = [Arguments(Holder(a=array("d", [x]))).key for x in (1.0, 1.0, 2.0)]
    assert keys[0] == keys[1] != keys[2]
    assert not Arguments(Holder(a=array("d", [1.0]))).leaves


def test_foreign_numbers_are_told_from_those_among_data() -> None:
    number = Decimal(3)
    arguments = Arguments(((number, 1.0, 2, Fraction(1, 2)), {"x": [Decimal(1)]}))
    assert arguments.has_foreign([1.0, number]) and not arguments.has_foreign([1.0, 2, [number]])
    assert not Arguments((1.0, 2)).has_foreign((1.0, 2))


@given(nests)
def test_leaves_are_those_of_the_walk(nest: Any) -> None:
    found: list[Any] = []
    Walk(found.append, is_static).visit("a nest", False, nest)
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
        ({0.0: 1.0}, {-0.0: 1.0}),
        ({(1, 0.0): 1.0}, {(1, -0.0): 1.0}),
        ({(1,): 1.0}, {(True,): 1.0}),
        (Shade.DARK, Shade.LIGHT),
        (Shade.DARK, 1),
        (min, max),
        (float, int),
        (b"a", "a"),
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


@pytest.mark.parametrize("item", [object(), {1.0}, Random(1), bytearray(b"x")])
def test_what_may_change_in_place_does_not_fit(item: Any) -> None:
    kind = type(item).__name__
    with pytest.raises(Unfit, match=f"an argument of type {kind}"):
        Arguments([1.0, item])
    with pytest.raises(Unfit, match=f"something of type {kind} in it, which may change in place"):
        Arguments(Holder(thing=item))


def test_values_of_other_classes_do_not_fit_unless_they_are_frozen() -> None:
    class Special(Value):
        pass

    with pytest.raises(Unfit, match="an argument of type Special"):
        Arguments([Special(1.0)])
    assert Arguments([Frozen(1.0)]).key == Arguments([Frozen(2.0)]).key != Arguments([Value(1.0)]).key


class Column(list[Any]):
    pass


class Table(dict[str, Any]):
    pass


def with_attributes(nest: Any, **attributes: Any) -> Any:
    vars(nest).update(attributes)
    return nest


def test_attributes_that_are_no_pieces_belong_to_the_key() -> None:
    for make in (lambda: Box(1.0), lambda: Table(a=1.0)):
        keys = [Arguments(with_attributes(make(), mode=mode)).key for mode in ("a", "b", 1, 1.0, min)]
        assert len({*keys, Arguments(make()).key}) == 6
        with pytest.raises(Unfit, match="something of type list in it"):
            Arguments(with_attributes(make(), mode=[]))
    assert Arguments(Column([1.0])).leaves == [1.0]
    with pytest.raises(Unfit, match="a Column with attributes of its own"):
        Arguments(with_attributes(Column([1.0]), mode="a"))
    keys = [Arguments(defaultdict(make, a=1.0)).key for make in (float, int)]
    assert keys[0] != keys[1]


def test_nests_that_are_too_deep_or_in_themselves_do_not_fit() -> None:
    deep: list[Any] = [1.0]
    for _ in range(2000):
        deep = [deep]
    around: list[Any] = [1.0]
    around.append(around)
    for nest in (deep, around):
        with pytest.raises(Unfit, match="a nest that is too deep, or in itself"):
            Arguments(nest)


@given(st.recursive(leaves, containers, max_leaves=12))
def test_results_are_rebuilt(nest: Any) -> None:
    results = Results(nest)
    assert repr(results.rebuilt(results.leaves)) == repr(nest)


def test_modules_are_no_results() -> None:
    with pytest.raises(Unfit, match="it returns something of type Holder"):
        Results([1.0, Holder()])


def test_results_are_built_in_the_kinds_that_they_had() -> None:
    nests: list[Any] = [
        1.0, [], (), {}, [1.0], [1.0, 2.0], (1.0, [2.0, (3.0, 4.0)], 5.0), {"a": 1.0, "b": [2.0, {}]},
        [None, 1.0, "text"], Pair(1.0, [2.0, 3.0]), [Pair(1.0, 2.0), True], [[1.0], [2.0, 3.0]], [0.5, [1.0], 2.0],
    ]  # fmt: skip
    for nest in nests:
        results = Results(nest)
        built = results.rebuilt(results.leaves)
        assert repr(built) == repr(nest) and (built is not nest or not isinstance(nest, list | dict))
        assert Results(results.rebuilt([-leaf for leaf in results.leaves])).leaves == [-x for x in results.leaves]


def test_many_values_given_twice_need_no_case_of_their_own() -> None:
    jitted = jit(lambda xs: math.fsum([x * y for x, y in zip(xs, [*xs[1:], 2.0], strict=True)]))
    for period in (20, 5, 4, 1):
        leaves = [Value(0.5 + place) for place in range(period)]
        xs = (leaves * 20)[:20]
        slopes = []
        for call in (jitted, jitted.function):
            call(xs).backward()
            slopes.append([leaf.grad for leaf in leaves])
            for leaf in leaves:
                leaf.zero_grad()
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-14)
    assert len(jitted.cases) == 1


@pytest.mark.parametrize("period", [5, 20])
def test_many_values_given_twice_are_one_key(period: int) -> None:
    jitted = jit(lambda xs: xs[0] * len({*xs}))
    many = [[Value(0.5 + place) for place in range(size)] for size in (period, 25 - period)]
    for leaves in many:
        xs = (leaves * 20)[:20]
        if len(leaves) == 5 or jitted._eager:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                assert jitted(xs).data == 0.5 * len(leaves)
            assert jitted._eager and all("some of which are the same Value" in str(each.message) for each in caught)
        else:
            assert jitted(xs).data == 0.5 * len(leaves) and not jitted._eager
