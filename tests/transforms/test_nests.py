"""Nests of numbers: what counts as one, the order of its leaves, how it is rebuilt, and what errors say of it."""

from array import array
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value
from microgrid.nn import MLP, Module
from microgrid.transforms import nests


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Plain:
    a: Any
    b: Any = None


@dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any = None


@dataclass(slots=True)
class Slotted:
    a: Any
    b: Any = None


@dataclass(frozen=True, slots=True)
class FrozenSlotted:
    a: Any
    b: Any = None


@dataclass
class Circle:
    radius: Any
    area: Any = field(init=False, default=0.0)
    name: ClassVar[str] = "a circle"


class Pair(Module):
    """Two Values, perhaps the same one, and settings beside them."""

    def __init__(self, left: Value, right: Value) -> None:
        self.left, self.others = left, {"right": [right]}
        self.size, self.name, self.none = 2, "pair", None


KINDS = [Plain, Frozen, Slotted, FrozenSlotted, Point]
NESTS = st.recursive(
    st.floats(allow_nan=False) | st.integers() | st.booleans() | st.fractions() | st.none(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text() | st.integers(), inner, max_size=3),
        st.builds(lambda kind, a, b: kind(a, b), st.sampled_from(KINDS), inner, inner),
    ),
    max_leaves=8,
)


@given(NESTS)
def test_a_nest_is_rebuilt_from_its_leaves(nest: Any) -> None:
    copied = nests.rebuilt(nest, nests.leaves("a nest", nest))
    assert copied == nest and type(copied) is type(nest)


@given(NESTS)
def test_leaves_stand_in_the_order_in_which_they_are_written(nest: Any) -> None:
    count = len(nests.leaves("a nest", nest))
    assert nests.leaves("a nest", nests.rebuilt(nest, map(float, range(count)))) == [*range(count)]


@given(NESTS)
def test_a_nest_has_its_own_shape(nest: Any) -> None:
    leaves = nests.leaves("a nest", nest)
    met: list[Any] = []
    nests.replace(lambda one, other: met.append((one, other)), "a nest", nest, nest)
    assert met == [*zip(leaves, leaves, strict=True)]


@pytest.mark.parametrize(
    "nest",
    [
        OrderedDict(a=1.0, b=2.0),
        defaultdict(list, a=1.0, b=2.0),
        Counter(a=1.0, b=2.0),
        Point(1.0, 2.0),
        type("Numbers", (list,), {})([1.0, 2.0]),
        type("Numbers", (tuple,), {})([1.0, 2.0]),
    ],
    ids=lambda nest: type(nest).__name__,
)
def test_kinds_of_containers_are_kept(nest: Any) -> None:
    found = nests.replace(lambda leaf: leaf * 10, "a nest", nest)
    assert type(found) is type(nest)
    assert nests.leaves("a nest", found) == [10.0, 20.0] and nests.leaves("a nest", nest) == [1.0, 2.0]


def test_the_factory_of_a_defaultdict_is_kept() -> None:
    assert nests.replace(float, "a nest", defaultdict(list, a=1.0)).default_factory is list


def test_class_variables_are_no_pieces_and_fields_without_init_are() -> None:
    circle = Circle(2.0)
    assert nests.leaves("a circle", circle) == [2.0, 0.0]
    found = nests.rebuilt(circle, [3.0, 9.0])
    assert (found.radius, found.area, found.name) == (3.0, 9.0, "a circle") and "name" not in vars(found)


def test_numbers_of_every_kind_are_leaves() -> None:
    leaves = [1, True, 2.5, Fraction(1, 3), Value(3.0)]
    assert all(one is other for one, other in zip(nests.leaves("a nest", leaves), leaves, strict=True))


def test_the_same_value_twice_is_two_leaves_outside_of_modules() -> None:
    x = Value(1.0)
    assert nests.leaves("a nest", [x, (x,)]) == [x, x]
    assert len(nests.leaves("a nest", [x, (x,)])) == 2


def test_a_value_in_two_places_of_modules_is_one_leaf() -> None:
    shared = Value(1.0)
    pair = Pair(shared, shared)
    assert nests.leaves("a nest", [pair, pair, Pair(shared, Value(2.0))]) == [shared, Value(2.0)]
    found = nests.replace(lambda leaf: leaf * 3.0, "a nest", pair)
    assert found.left is found.others["right"][0] and found.left.data == 3.0 and found.left.op.name == "mul"
    assert pair.left is shared and pair.others["right"] == [shared]


def test_a_value_beside_a_module_that_holds_it_is_a_leaf_of_its_own() -> None:
    x = Value(1.0)
    for nest in ([x, Pair(x, x)], [Pair(x, x), x]):
        assert len(nests.leaves("a nest", nest)) == 2


def test_the_settings_of_a_module_stay() -> None:
    pair = Pair(Value(1.0, label="left"), Value(2.0))
    found = nests.replace(lambda leaf: leaf.data + 0.5, "a pair", pair)
    assert (found.size, found.name, found.none) == (2, "pair", None)
    assert type(found.left) is Value and (found.left.data, found.left.label) == (1.5, "left")


def test_a_module_may_lead_back_to_itself() -> None:
    pair = Pair(Value(1.0), Value(2.0))
    pair.myself = pair  # type: ignore[attr-defined]
    found = nests.replace(lambda leaf: leaf * 2.0, "a pair", pair)
    assert found.myself is found and found.left.data == 2.0


def test_a_network_is_rebuilt_whole() -> None:
    net = MLP(2, [3, 1], rng=0)
    twin = nests.replace(lambda leaf: leaf.data, "a network", net)
    assert [p.data for p in twin.parameters()] == [p.data for p in net.parameters()]
    assert not {*twin.parameters()} & {*net.parameters()} and repr(twin) == repr(net)
    assert twin([1.0, 2.0]).data == net([1.0, 2.0]).data


def test_the_order_of_keys_does_not_matter_to_the_other_nests() -> None:
    pairs = nests.replace(lambda one, other: (one, other), "a nest", {"a": 1.0, "b": 2.0}, {"b": 20.0, "a": 10.0})
    assert pairs == {"a": (1.0, 10.0), "b": (2.0, 20.0)}


def test_keys_may_be_long_or_look_alike() -> None:
    long, first, second = "k" * 100, Value(1.0), Value(1.0)
    for one, other in ((long + "a", long + "b"), (1, "1"), (first, second)):
        found = nests.replace(lambda x, y: (x, y), "a nest", {one: 1.0, other: 2.0}, {one: 10.0, other: 20.0})
        assert [*found.values()] == [(1.0, 10.0), (2.0, 20.0)]


EXPECTED = "expected a number, a Value, or a list, tuple, dict, dataclass, array or Module of them, got "


@pytest.mark.parametrize(
    ("nest", "message"),
    [
        ("text", EXPECTED + "str 'text'"),
        ({"a": [1.0, {1.0}]}, "['a'][1]: " + EXPECTED + "set {1.0}"),
        (Plain(1.0, Point(2.0, 1j)), ".b.y: " + EXPECTED + "complex 1j"),
        ([SimpleNamespace(x=1.0)], "[0]: " + EXPECTED + "SimpleNamespace"),
        ((x for x in [1.0]), EXPECTED + "generator"),
        ([Plain], "[0]: " + EXPECTED + "type"),
        ({"k" * 100: "text"}, "['" + "k" * 59 + "]: " + EXPECTED),
    ],
)
def test_a_foreign_object_is_named_with_its_place(nest: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        nests.leaves("weights", nest)
    assert str(error.value).startswith("weights") and message in str(error.value)


@given(st.lists(st.floats(allow_nan=False)), st.sampled_from("df"))
def test_an_array_is_a_nest_that_becomes_a_list(numbers: list[float], code: str) -> None:
    given = array(code, [x if code == "d" else 1.5 for x in numbers])
    assert nests.leaves("a nest", given) == given.tolist() == nests.rebuilt(given, given.tolist())
    doubled = nests.replace(lambda x, y: x + y, "a sum", {"a": given}, {"a": given.tolist()})
    assert (
        doubled
        == {"a": [x + x for x in given]}
        == nests.replace(lambda x, y: x + y, "a sum", {"a": [*given]}, {"a": given})
    )


def test_an_array_that_has_another_shape_or_no_numbers() -> None:
    for other, shown in [(array("d", [1.0]), r"array\('d', \[1.0\]\)"), ({0: 1.0, 1: 2.0}, "{0: 1.0, 1: 2.0}")]:
        with pytest.raises(TypeError, match=f"^weights: expected the shape of array.*, got {shown}$"):
            nests.replace(max, "weights", array("d", [1.0, 2.0]), other)
    with pytest.raises(
        TypeError, match=r"^weights: expected a number, .*, got Foreign <Foreign>: write numpy\.asarray"
    ):
        nests.leaves("weights", Foreign())


class Foreign:
    """What is made an array of on demand, as an array of JAX is."""

    def __array__(self) -> Any:
        raise NotImplementedError

    def tolist(self) -> list[float]:
        return [1.0]

    def __repr__(self) -> str:
        return "<Foreign>"


class Masked(Foreign):
    def filled(self, number: float) -> list[float]:
        return [number]


def test_masked_numbers_are_not_made_an_array_of() -> None:
    with pytest.raises(TypeError, match=r"got Masked <Foreign>: write x.compressed\(\) for .*, x.filled\(number\) to"):
        nests.leaves("weights", [Masked()])


@pytest.mark.parametrize(
    ("nest", "other", "message"),
    [
        ([1.0], [1.0, 2.0], "weights: expected the shape of [1.0], got [1.0, 2.0]"),
        ({"a": [1.0]}, {"a": {0: 1.0}}, "weights['a']: expected the shape of [1.0], got {0: 1.0}"),
        ({"a": 1.0}, {"b": 1.0}, "weights: expected the shape of {'a': 1.0}, got {'b': 1.0}"),
        ([None], [1.0], "weights[0]: expected the shape of None, got 1.0"),
        ([1.0], [None], "weights[0]: expected a number, got NoneType None"),
        ([1.0], 1.0, "weights: expected the shape of [1.0], got 1.0"),
        (Point(1.0, 2.0), (1.0, 2.0), "weights: expected the shape of Point(x=1.0, y=2.0), got (1.0, 2.0)"),
        ((1.0,), ("text",), "weights[0]: expected a number, got str 'text'"),
    ],
)
def test_nests_of_other_shapes_are_refused(nest: Any, other: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        nests.replace(lambda one, two: one, "weights", nest, other)
    assert str(error.value) == message


def test_a_value_fits_a_number_and_a_number_a_value() -> None:
    x, y = Value(1.0), Value(2.0)
    assert nests.replace(lambda one, other: (one, other), "pairs", [x, 3.0], [4.0, y]) == [(x, 4.0), (3.0, y)]


def test_only_leaves_can_be_rebuilt() -> None:
    with pytest.raises(TypeError, match=r"^a nest\['a'\]: expected a number, a Value"):
        nests.rebuilt({"a": "text"}, [1.0])


def test_a_list_fits_a_tuple() -> None:
    assert nests.replace(lambda one, other: one + other, "a sum", (1.0, [2.0]), [10.0, (20.0,)]) == (11.0, [22.0])


def test_converted_lets_everything_else_be() -> None:
    marker, net = object(), MLP(1, [1], rng=0)
    found = nests.converted(lambda leaf: leaf + 1, [1, "two", marker, net, {"x": (Value(3.0), None)}])
    assert found == [2, "two", marker, net, {"x": (Value(4.0), None)}] and found[3] is net


@pytest.mark.parametrize(
    ("nest", "met"), [([1.0, Value(2.0)], True), ([1.0], False), (Pair(Value(1.0), Value(2.0)), False)]
)
def test_a_walk_tells_whether_it_met_a_value_outside_of_modules(nest: Any, met: bool) -> None:
    walk = nests.Walk(lambda leaf: leaf)
    walk.visit("a nest", False, nest)
    assert walk.met_value is met
