"""Settings: arguments other than numbers, which select the case of a call as a part of its key.

Immutable settings such as text enter the key by type and value, functions by identity. A setting that could change in
place, such as a set, has no key: a call with another content could not be told apart.
"""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType, MethodType

from microgrid.engine.numbers import is_fraction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

PLAIN = (str, bytes, bool, type(None), type(...))
NUMBER_TYPES = (int, float, complex)
OF_LIBRARIES = (
    "functools",
    "operator",
    "numpy",
)  # callable instances of their classes are functions: `partial`, ufuncs


class Same:
    """An object as a part of a key: compared by identity, and kept alive so that its id stays its own."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.item is other.item

    def __hash__(self) -> int:
        return id(self.item)


def key_of(item: Any) -> Hashable | None:
    """Return the part of a key for a setting; None if it may change in place.

    >>> key_of(("mean", 0.0)) == key_of(("mean", -0.0)), key_of((1, 2)) == key_of((1, 2)), key_of([1])
    (False, True, None)
    """
    kind = type(item)
    if kind in PLAIN:
        return kind, item
    if kind in NUMBER_TYPES or is_fraction(item):
        return kind, repr(item)
    if is_enum(item) or is_function(item):
        return Same(item)
    if kind is MethodType:
        return Same(item.__func__), Same(item.__self__)
    if kind is range or kind is slice:
        parts = [key_of(part) for part in (item.start, item.stop, item.step)]
    elif kind is tuple or kind is frozenset:
        parts = [key_of(part) for part in item]
    else:
        return None
    return None if None in parts else (kind, frozenset(parts) if kind is frozenset else tuple(parts))


def is_enum(item: object) -> bool:
    """Return whether `item` is a member of an enumeration."""
    enum = sys.modules.get("enum")  # not imported for this: without it there is no member
    return enum is not None and isinstance(item, enum.Enum)


def is_function(item: object) -> bool:
    """Return whether `item` is a function or a class, or a callable instance that counts as a function."""
    if isinstance(item, FunctionType | BuiltinFunctionType | type):
        return True
    is_library = callable(item) and type(item).__module__ in OF_LIBRARIES
    return is_library or (hasattr(item, "__wrapped__") and hasattr(item, "cache_clear"))  # from lru_cache or jit


def is_constant(item: object) -> bool:
    """Return whether `item` is immutable, contents included, but neither a number nor a nest such as a tuple."""
    kind = type(item)
    if kind in (bool, str) or item is None or kind in NUMBER_TYPES or kind is tuple:
        return kind is bool or kind is str
    is_kind = kind in (bytes, range, slice, frozenset) or is_enum(item) or item is ...
    return isinstance(item, bool | str) or (is_kind and key_of(item) is not None)


def is_static(item: object) -> bool:
    """Return whether a part of the arguments enters the key as a whole: a constant, a function or a method."""
    return is_constant(item) or (type(item) not in (float, int) and (type(item) is MethodType or is_function(item)))
