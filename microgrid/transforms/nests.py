"""Nests of numbers: lists, tuples, named tuples, dicts, dataclasses and modules, walked in a fixed order and rebuilt.

A leaf is a number or a `Value`; `None` is an empty nest. In a module only the `Value`s are leaves, since its plain
numbers are settings; a `Value` that a module holds in two places is one leaf, and a number that replaces it becomes a
`Value` again. NumPy arrays, `array.array`, pandas rows and columns are nests as well: see `arrays`.
"""

from __future__ import annotations

import copy

from microgrid.engine.numbers import is_node, is_number
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Accessor = tuple[str, Any]
    # the name of the whole nest, or the location of an inner nest and the accessor from there
    Location = str | tuple[Any, Accessor]

AT, FIELD = "[{!r:.60}]", ".{}"  # how errors write an accessor


def written(location: Location) -> str:
    """Return `location` as errors write it: the name of the nest, followed by accessors.

    >>> written((("the weights", (AT, "a")), (FIELD, "bias")))
    "the weights['a'].bias"
    """
    accessors = []
    while not isinstance(location, str):
        location, (form, key) = location
        accessors.append(form.format(key))
    return location + "".join(reversed(accessors))


def shown(item: object) -> str:
    """Return how errors show an item that does not fit: its type and its text on one line, and a hint for arrays."""
    text = " ".join(f"{item!r:.200}".split())
    return f"{type(item).__name__} {text:.60}{arrays.advice(item)}"


def is_module(item: object) -> bool:
    """Return whether `item` is a `Module`."""
    return hasattr(item, "named_parameters")


def field_names(item: Any) -> tuple[str, ...] | None:
    """Return the names of the attributes that are the pieces of a dataclass or a module; None for other items."""
    if is_module(item):
        return tuple(vars(item))
    if hasattr(item, "__dataclass_fields__") and not isinstance(item, type):
        from dataclasses import fields

        return tuple(field.name for field in fields(item))
    return None


def is_named_tuple(item: object) -> bool:
    """Return whether `item` is a named tuple."""
    return isinstance(item, tuple) and hasattr(item, "_fields")


def parts(item: Any) -> list[tuple[Accessor, Any]] | None:
    """Return the pieces of a nest, each with its accessor; None if `item` is not a nest."""
    if item is None:
        return []
    if isinstance(item, dict):
        return [((AT, key), piece) for key, piece in item.items()]
    if is_named_tuple(item):
        return [((FIELD, name), piece) for name, piece in zip(item._fields, item, strict=True)]
    if isinstance(item, list | tuple):
        return [((AT, index), piece) for index, piece in enumerate(item)]
    names = field_names(item)
    if names is not None:
        return [((FIELD, name), getattr(item, name)) for name in names]
    entries = arrays.opened(item)
    return None if entries is None else parts(entries)


def fill(item: Any, twin: Any, pieces: list[Any]) -> Any:
    """Return a nest of the kind of `item` with other pieces; a dict, dataclass or module is filled into its `twin`.

    Args:
        item: the original.
        twin: a copy of it.
        pieces: the new pieces, in the order of `parts`.
    """
    if is_named_tuple(item):
        return item._make(pieces)
    if isinstance(item, list | tuple):
        return type(item)(pieces)
    if arrays.is_array(item):
        return stacked(pieces) if pieces else item.astype(float)
    if arrays.is_column(item):
        return pieces
    if isinstance(item, dict):
        dict.update(twin, zip(item, pieces, strict=True))  # the update of a Counter would add
        return twin
    if arrays.is_row(item):
        return dict(zip(item.index, pieces, strict=True))
    for name, piece in zip(field_names(item) or (), pieces, strict=True):
        object.__setattr__(twin, name, piece)  # a dataclass may be frozen
    return twin


def stacked(pieces: list[Any]) -> Any:
    """Return one nest for the nests that replace the entries of a NumPy array: an array, or a nest of arrays as in JAX.

    Numbers become an array; lists of numbers a further dimension; dicts a dict of arrays. Modules stay a list.
    """
    first = pieces[0]
    if first is None or is_node(first) or is_number(first) or arrays.is_array(first):
        return None if first is None else arrays.as_array(pieces)
    if is_module(first):
        return pieces
    columns = [*zip(*[[piece for _, piece in parts(nest) or ()] for nest in pieces], strict=True)]
    if type(first) is list and all(is_node(entry) or is_number(entry) for entry in first):
        return arrays.as_array([stacked(list(row)) for row in zip(*columns, strict=True)]) if columns else pieces
    return fill(first, copy.copy(first), [stacked(list(column)) for column in columns])


def same_shape(item: Any, other: Any) -> bool:
    """Return whether `other` is a nest with the same accessors as `item`, in any order."""
    ours, theirs = parts(item), parts(other)
    if theirs is None or arrays.is_sequence(item) != arrays.is_sequence(other):
        return False
    return dict(ours or ()).keys() == dict(theirs).keys()


def held(leaf: Any, new: Any) -> Any:
    """Return `new` as a module holds it in place of `leaf`: as a `Value`; None if a walk replaces nothing."""
    if new is None or is_node(new):
        return new
    twin = leaf.detach()
    twin.data = new
    return twin


class Walk:
    """One walk over a nest, in parallel with `others` of the same shape, that calls `function` at every leaf.

    Args:
        function: takes the leaf and its counterparts in the others; returns what replaces it.
        keeps: tells whether an item stays as it is, without a look inside.

    Attributes:
        met_value: whether the last of the nests has a `Value` outside of modules.
    """

    def __init__(self, function: Callable[..., Any], keeps: Callable[[Any], bool] = lambda item: False) -> None:
        self.function, self.keeps = function, keeps
        self.met: dict[int, Any] = {}  # by id, the replacements of modules and of the Values in them
        self.met_value = False

    def visit(self, location: Location, inside: bool, item: Any, *others: Any) -> Any:
        """Return what replaces `item`, which is at `location`, and `inside` a module or not."""
        if self.keeps(item):
            return arrays.copied(item)
        if is_node(item) or (not inside and is_number(item)):
            return self.leaf(location, inside, item, *others)
        inner = arrays.unwrapped(item)
        if inner is not item:
            return self.visit(location, inside, inner, *others)
        pieces = None if inside and arrays.is_plain(item) else parts(item)
        if pieces is None:
            if inside:
                return item
            expected = "expected a number, a Value, or a list, tuple, dict, dataclass, array or Module of them"
            raise TypeError(f"{written(location)}: {expected}, got {shown(item)}")
        for other in others:
            if not same_shape(item, other):
                raise TypeError(f"{written(location)}: expected the shape of {item!r:.60}, got {other!r:.60}")
        if id(item) in self.met:
            return self.met[id(item)]
        return self.descend(location, inside or is_module(item), pieces, item, *others)

    def leaf(self, location: Location, inside: bool, item: Any, *others: Any) -> Any:
        """Return what replaces the leaf `item`."""
        if inside and id(item) in self.met:
            return self.met[id(item)]
        for other in others:
            if not is_node(other) and not is_number(other):
                raise TypeError(f"{written(location)}: expected a number, got {shown(other)}")
        new = self.function(item, *others)
        if inside:
            self.met[id(item)] = new = held(item, new)
        elif is_node((item, *others)[-1]):
            self.met_value = True
        return new

    def descend(
        self, location: Location, inside: bool, pieces: list[tuple[Accessor, Any]], item: Any, *others: Any
    ) -> Any:
        """Return a nest like `item` with its pieces replaced."""
        if item is None:
            return None
        twin = item if isinstance(item, list | tuple) else copy.copy(item)
        if is_module(item):
            self.met[id(item)] = twin  # before its pieces are visited: one may refer back to it
        beside = [dict(parts(other) or ()) for other in others]
        new = [
            self.visit((location, accessor), inside, piece, *(other[accessor] for other in beside))
            for accessor, piece in pieces
        ]
        return fill(item, twin, new)


def replace(function: Callable[..., Any], name: str, nest: Any, *others: Any) -> Any:
    """Return a nest like `nest` with every leaf replaced by `function` of it and of its counterparts in `others`.

    Args:
        function: takes one leaf of each nest.
        name: what errors call the nest.
        nest: determines the shape and the order of the leaves.
        others: nests of the same shape; a `Value` may be the counterpart of a number and the reverse.

    Raises:
        TypeError: naming the place, if an item is neither a leaf nor a nest, or the shapes differ.

    >>> replace(lambda x, y: x + y, "a sum", {"a": 1.0, "b": (2.0, 3.0)}, {"b": (20.0, 30.0), "a": 10.0})
    {'a': 11.0, 'b': (22.0, 33.0)}
    """
    return Walk(function).visit(name, False, nest, *others)


def leaves(name: str, nest: Any) -> list[Any]:
    """Return the leaves of `nest` in order; errors call it `name`.

    >>> leaves("weights", {"a": 1.0, "b": (2.0, None, [3.0])})
    [1.0, 2.0, 3.0]
    """
    found: list[Any] = []
    replace(found.append, name, nest)
    return found


def rebuilt(nest: Any, numbers: Iterable[Any]) -> Any:
    """Return a nest like `nest` with `numbers` as its leaves.

    >>> rebuilt({"a": 1.0, "b": (2.0, 3.0)}, [4.0, 5.0, 6.0])
    {'a': 4.0, 'b': (5.0, 6.0)}
    """
    source = iter(numbers)
    return replace(lambda leaf: next(source), "a nest", nest)


def converted(function: Callable[[Any], Any], nest: Any) -> Any:
    """Return `nest` with every leaf replaced by `function` of it; modules and other objects stay as they are.

    >>> converted(float, [1, "two", 3])
    [1.0, 'two', 3.0]
    """

    def is_foreign(item: Any) -> bool:
        if is_module(item) or arrays.is_plain(item):
            return True
        return not (is_node(item) or is_number(item) or parts(item) is not None)

    return Walk(function, is_foreign).visit("a nest", False, nest)
