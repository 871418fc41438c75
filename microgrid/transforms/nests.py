"""Nests of numbers: lists, tuples, named tuples, dicts, dataclasses and modules, walked in a fixed order and rebuilt.

A leaf is a number or a `Value`; None is an empty nest. In a module only the `Value`s are leaves, since its plain
numbers are settings; one that it holds in two places is one leaf, and what replaces it is a `Value` again. Arrays of
NumPy, `array.array`, rows and columns of pandas are nests as well: see `arrays`.
"""

from __future__ import annotations

import copy

from microgrid.engine.numbers import is_node, is_number
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Step = tuple[str, Any]
    Path = str | tuple[Any, Step]  # the name of the nest, or the path to a nest and the step from there

AT, FIELD = "[{!r:.60}]", ".{}"  # how errors write a step


def written(path: Path) -> str:
    """Return how errors write `path`: the name of the nest and what is written behind it to reach the place.

    >>> written((("the weights", (AT, "a")), (FIELD, "bias")))
    "the weights['a'].bias"
    """
    steps = []
    while not isinstance(path, str):
        path, (form, key) = path
        steps.append(form.format(key))
    return path + "".join(reversed(steps))


def shown(item: object) -> str:
    """Return the type of what does not fit, its text on one line, and for an array what to write."""
    text = " ".join(f"{item!r:.200}".split())
    return f"{type(item).__name__} {text:.60}{arrays.advice(item)}"


def is_module(item: object) -> bool:
    """Return whether `item` is a `Module`."""
    return hasattr(item, "named_parameters")


def field_names(item: Any) -> tuple[str, ...] | None:
    """Return the names of the attributes that are the pieces of a dataclass or a module; None for what is neither."""
    if is_module(item):
        return tuple(vars(item))
    if hasattr(item, "__dataclass_fields__") and not isinstance(item, type):
        from dataclasses import fields

        return tuple(field.name for field in fields(item))
    return None


def is_named_tuple(item: object) -> bool:
    """Return whether `item` is a named tuple."""
    return isinstance(item, tuple) and hasattr(item, "_fields")


def parts(item: Any) -> list[tuple[Step, Any]] | None:
    """Return the pieces of a nest, each with the step that leads to it; None for what is no nest."""
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
    """Return a nest of the kind of `item` with other pieces; `twin` is a copy of `item`, if that can be changed."""
    if is_named_tuple(item):
        return item._make(pieces)
    if isinstance(item, list | tuple):
        return type(item)(pieces)
    if arrays.is_array(item):
        return stacked(pieces) if pieces else item.astype(float)
    if arrays.is_column(item):
        return pieces
    if isinstance(item, dict):
        dict.update(twin, zip(item, pieces, strict=True))  # a Counter's own would count
        return twin
    if arrays.is_row(item):
        return dict(zip(item.index, pieces, strict=True))
    for name, piece in zip(field_names(item) or (), pieces, strict=True):
        object.__setattr__(twin, name, piece)  # a dataclass may be frozen
    return twin


def stacked(pieces: list[Any]) -> Any:
    """Return what stands in the places of the entries of a NumPy array: an array, or a nest of arrays as in JAX.

    Where a list of numbers is in each place, it is a further dimension. A list of the pieces is left of modules.
    """
    first = pieces[0]
    if first is None or is_node(first) or is_number(first) or arrays.is_array(first):
        return None if first is None else arrays.joined(pieces)
    if is_module(first):
        return pieces
    columns = [*zip(*[[piece for _, piece in parts(nest) or ()] for nest in pieces], strict=True)]
    if type(first) is list and all(is_node(entry) or is_number(entry) for entry in first):
        return arrays.joined([stacked(list(row)) for row in zip(*columns, strict=True)]) if columns else pieces
    return fill(first, copy.copy(first), [stacked(list(column)) for column in columns])


def same_shape(item: Any, other: Any) -> bool:
    """Return whether `other` is a nest with pieces of the same names as `item`, in the same or another order."""
    ours, theirs = parts(item), parts(other)
    if theirs is None or arrays.is_sequence(item) != arrays.is_sequence(other):
        return False
    return dict(ours or ()).keys() == dict(theirs).keys()


def held(leaf: Any, new: Any) -> Any:
    """Return `new` as a module holds it in the place of `leaf`: as a `Value`; None where a walk only looks."""
    if new is None or is_node(new):
        return new
    twin = leaf.detach()
    twin.data = new
    return twin


class Walk:
    """One walk over a nest, with `others` of the same shape beside it, that calls `function` at every leaf.

    Args:
        function: takes the leaf, and those of the others in its place; gives what replaces it.
        keeps: whether something that is met stays as it is.

    Attributes:
        met_value: whether the last of the nests has a `Value` outside of modules.
    """

    def __init__(self, function: Callable[..., Any], keeps: Callable[[Any], bool] = lambda item: False) -> None:
        self.function, self.keeps = function, keeps
        self.met: dict[int, Any] = {}  # what became of modules and of the Values in them
        self.met_value = False

    def visit(self, path: Path, inside: bool, item: Any, *others: Any) -> Any:
        """Return what becomes of `item`, which stands at `path`, and `inside` a module or not."""
        if self.keeps(item):
            return arrays.copied(item)
        if is_node(item) or (not inside and is_number(item)):
            return self.leaf(path, inside, item, *others)
        inner = arrays.unwrapped(item)
        if inner is not item:
            return self.visit(path, inside, inner, *others)
        pieces = None if inside and arrays.is_plain(item) else parts(item)
        if pieces is None:
            if inside:
                return item
            expected = "expected a number, a Value, or a list, tuple, dict, dataclass, array or Module of them"
            raise TypeError(f"{written(path)}: {expected}, got {shown(item)}")
        for other in others:
            if not same_shape(item, other):
                raise TypeError(f"{written(path)}: expected the shape of {item!r:.60}, got {other!r:.60}")
        if id(item) in self.met:
            return self.met[id(item)]
        return self.descend(path, inside or is_module(item), pieces, item, *others)

    def leaf(self, path: Path, inside: bool, item: Any, *others: Any) -> Any:
        """Return what becomes of the leaf `item`."""
        if inside and id(item) in self.met:
            return self.met[id(item)]
        for other in others:
            if not is_node(other) and not is_number(other):
                raise TypeError(f"{written(path)}: expected a number, got {shown(other)}")
        new = self.function(item, *others)
        if inside:
            self.met[id(item)] = new = held(item, new)
        elif is_node((item, *others)[-1]):
            self.met_value = True
        return new

    def descend(self, path: Path, inside: bool, pieces: list[tuple[Step, Any]], item: Any, *others: Any) -> Any:
        """Return a nest like `item` of what becomes of its pieces."""
        if item is None:
            return None
        twin = item if isinstance(item, list | tuple) else copy.copy(item)
        if is_module(item):
            self.met[id(item)] = twin  # before its pieces are visited: one may lead back to it
        beside = [dict(parts(other) or ()) for other in others]
        new = [self.visit((path, step), inside, piece, *(other[step] for other in beside)) for step, piece in pieces]
        return fill(item, twin, new)


def replace(function: Callable[..., Any], name: str, nest: Any, *others: Any) -> Any:
    """Return a nest like `nest` with every leaf replaced by `function` of it, and of the leaves of `others` there.

    Args:
        function: takes one leaf of each nest.
        name: what errors call the nest.
        nest: the nest that gives the shape and the order of leaves.
        others: nests of the same shape; where a leaf of `nest` is a number, theirs may be a `Value` and the reverse.

    Raises:
        TypeError: if something is neither a leaf nor a nest, or the shapes differ; it says where.

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
    """Return `nest` with `function` of every leaf in place of it; modules and other objects stay as they are.

    >>> converted(float, [1, "two", 3])
    [1.0, 'two', 3.0]
    """

    def is_foreign(item: Any) -> bool:
        if is_module(item) or arrays.is_plain(item):
            return True
        return not (is_node(item) or is_number(item) or parts(item) is not None)

    return Walk(function, is_foreign).visit("a nest", False, nest)
