"""Settings: which of them select a case by type and value, which by identity, and which none."""

import functools
import operator
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from microgrid import Value, jit
from microgrid.compiler.settings import Same, is_constant, is_function, is_static, key_of


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


class Part(Flag):
    LEFT = 1
    RIGHT = 2


class Thing:
    def method(self) -> None:
        pass

    def other(self) -> None:
        pass


thing, twin = Thing(), Thing()


def test_the_same_object_is_equal_to_itself_only() -> None:
    one, other = Same([]), Same([])
    assert one == Same(one.item) and one != other and one != []
    assert hash(one) == hash(Same(one.item)) != hash(other)


def settings() -> list[Any]:
    """Return settings of which no two are the same in type and value."""
    half, nan = Fraction(1, 2), float("nan")
    return [
        "a", b"a", 1, 1.0, 1j, True, None, ..., 0.0, -0.0, nan, half, (), (1, 2), (2, 1), (1, 2.0), (1, (2,)),
        frozenset(), frozenset({1, 2}), frozenset({1.0, 2}), range(1, 5), range(2, 5), slice(1, 2), slice(1, 2.0),
        Colour.RED, Level.LOW, Part.LEFT | Part.RIGHT, len, Thing, thing.method, thing.other, twin.method,
    ]  # fmt: skip


def test_what_is_equal_in_type_and_value_has_one_key() -> None:
    keys = list(map(key_of, settings()))
    assert keys == list(map(key_of, settings())) and len(set(keys)) == len(keys) and None not in keys
    assert key_of(frozenset([0, 8])) == key_of(frozenset([8, 0]))  # which keep the order they were made in


@pytest.mark.parametrize(
    "item", [[], {}, {1}, thing, Random(1), bytearray(), Value(1.0), ([],), frozenset({thing}), slice([]), Decimal(1)]
)
def test_what_may_change_has_no_key(item: Any) -> None:
    assert key_of(item) is None and not is_constant(item)


def test_functions() -> None:
    for function in (len, Thing, test_functions, operator.itemgetter(1), functools.partial(len), jit(len)):
        assert is_function(function) and is_static(function) and not is_constant(function)
    assert is_function(functools.lru_cache(test_functions)) and not is_function(thing)
    assert not any(is_function(SimpleNamespace(**{name: len})) for name in ("__wrapped__", "cache_clear"))
    assert is_static(thing.method) and not is_static(1.0) and not is_static(1) and not is_static((1,))


def test_functions_of_numpy() -> None:
    np = pytest.importorskip("numpy")
    assert is_function(np.exp) and is_function(np.vectorize(len)) and not is_function(np.ones(2))


def test_constants() -> None:
    for item in ("a", True, b"a", range(3), slice(1), frozenset({1}), Colour.RED, Level.LOW, ...):
        assert is_constant(item) and is_static(item)
    for other in (1, 1.0, 1j, None, (1,), len, slice([])):
        assert not is_constant(other)
