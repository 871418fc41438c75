"""The arguments of a call, taken apart: its numbers, and the shape that a compiled case is made for."""

from __future__ import annotations

from operator import itemgetter

from microgrid.compiler.settings import is_constant, is_static, key_of
from microgrid.engine.numbers import all_of, is_fraction, is_node, is_number
from microgrid.engine.value import Value
from microgrid.transforms import arrays, nests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from typing import Any

FOLLOWED = True  # by traces: see `compiler.trace.instrument`

LARGEST_INTEGER = 2**53  # up to here floats are as exact as integers
VALUE = (Value, None)  # the part of a key for one: a pair, as for one that was met before


class Unfit(Exception):
    """Raised for what compiled code cannot serve; it says why."""


class Arguments:
    """The numbers in the arguments of a call, and what must be the same for a case to serve it.

    Attributes:
        leaves: numbers and `Value`s, in the order of `nests`.
        numbers: the number of each.
        key: the shape, with what is not a number in it: text, bools, None, functions, dict keys, settings of modules.
        integers: the places of integers among the leaves.
        is_exact: whether there is a fraction or an integer too large for a float.
        firsts: where a leaf is a number for the second time, for each the place of the first that is the same `Value`.
        foreign: numbers of other types than Python's own, which reckon in their own way: NumPy's scalars, decimals.

    Raises:
        Unfit: if there is something else in them.

    >>> arguments = Arguments((Value(2.0), [3, 0.5], "mean"))
    >>> arguments.numbers
    [2.0, 3.0, 0.5]
    >>> arguments.key == Arguments((Value(1.0), [1.0, 7.0], "mean")).key
    True
    """

    __slots__ = ("_met", "firsts", "foreign", "integers", "is_exact", "key", "leaves", "numbers")

    def __init__(self, nest: Any) -> None:
        self.leaves: list[Any] = []
        self.numbers: list[Any] = []
        self.integers: list[int] = []
        self.foreign: list[Any] = []
        self.is_exact = False
        self._met: dict[int, int] = {}  # the modules, and the `Value`s in them, that were met
        try:
            self.key = self.shape(nest, False)
        except RecursionError:
            raise Unfit("a nest that is too deep, or in itself") from None
        self.firsts: tuple[int, ...] = ()

    def tell_same(self) -> None:
        """Find the `Value`s that were given more than once, which then belongs to the key."""
        if len({*map(id, self.leaves)}) == len(self.leaves):
            return
        places: dict[int, int] = {}
        self.firsts = tuple(
            [
                places.setdefault(id(leaf), place) if isinstance(leaf, Value) else place
                for place, leaf in enumerate(self.leaves)
            ]
        )
        if len({*self.firsts}) < len(self.firsts):
            self.key = self.key, self.firsts

    def shape(self, item: Any, inside: bool) -> Hashable:
        """Return the part of the key for `item`, which stands `inside` a module or not; take note of its leaves."""
        kind: Any = type(item)
        if kind is list or kind is tuple:
            return (kind, *self.shapes(item, inside))
        if isinstance(item, Value):
            return self.shape_of_value(item, inside)
        if kind is bool or kind is str or item is None:
            return kind, item
        if kind is dict:
            return (dict, *self.pairs(item, inside))
        if kind is not float and kind is not int and is_static(item):
            return key_of(item)
        if is_node(item):
            raise Unfit(f"an argument of type {kind.__name__}")
        if nests.is_module(item):
            if id(item) in self._met:
                return kind, self._met[id(item)]
            self._met[id(item)] = len(self._met)
            return (kind, *[(step, self.shape(piece, True)) for step, piece in nests.parts(item) or ()])
        if isinstance(item, dict):
            return (kind, *self.beside(item), *self.pairs(item, inside))
        if arrays.is_nest(item):
            return self.shape_of_array(item, inside)
        pieces = nests.parts(item)
        if pieces is not None:
            return (kind, *self.beside(item), *[(step, self.shape(piece, inside)) for step, piece in pieces])
        return self.shape_of_setting(item) if inside else self.shape_of_number(item)

    def pairs(self, nest: dict[Any, Any], inside: bool) -> list[Hashable]:
        """Return the parts of the key for the items of a dict."""
        return [(key_of(key) or (type(key), key), self.shape(piece, inside)) for key, piece in nest.items()]

    def beside(self, nest: Any) -> list[Hashable]:
        """Return the parts of the key for what a nest has besides its pieces: attributes, what makes missing items."""
        found = vars(nest) if hasattr(nest, "__dict__") else {}
        if found and isinstance(nest, list | tuple):  # which a new one would not have
            raise Unfit(f"a {type(nest).__name__} with attributes of its own")
        fields = nests.field_names(nest) or ()
        others = [(name, value) for name, value in found.items() if name not in fields]
        if hasattr(nest, "default_factory"):
            others.append(("default_factory", nest.default_factory))
        return [(name, self.shape_of_setting(value)) for name, value in others]

    def shapes(self, items: Iterable[Any], inside: bool) -> list[Hashable]:
        """Return the parts of the key for `items`, those of most kinds without a detour."""
        if inside:
            return [self.shape(item, inside) for item in items]
        found: list[Hashable] = []
        for item in items:
            kind = type(item)
            if kind is float:
                self.leaves.append(item)
                self.numbers.append(item)
                found.append(float)
            elif kind is Value and type(item.data) is float:
                self.leaves.append(item)
                self.numbers.append(item.data)
                found.append(VALUE)
            else:
                found.append(self.shape(item, inside))
        return found

    def shape_of_array(self, item: Any, inside: bool) -> Hashable:
        """Return the part of the key for an array, or a row or column of pandas; one in a module is a setting."""
        labels = item.shape if arrays.is_array(item) else tuple(item.index) if arrays.is_row(item) else None
        if not arrays.is_plain(item):
            return (type(item), labels, *self.shapes(arrays.entries(item), inside))
        if inside:
            return type(item), labels, item.dtype.str, item.tobytes()
        numbers = arrays.floats(item)
        self.is_exact = self.is_exact or (item.dtype.kind in "iu" and any([abs(n) >= LARGEST_INTEGER for n in numbers]))
        self.leaves += numbers
        self.numbers += numbers
        return type(item), labels

    def shape_of_value(self, item: Value, inside: bool) -> Hashable:
        """Return the part of the key for a `Value`."""
        if inside:
            if id(item) in self._met:
                return Value, self._met[id(item)]
            self._met[id(item)] = len(self._met)
        if type(item) is not Value and not item._is_frozen:
            raise Unfit(f"an argument of type {type(item).__name__}")
        self.leaves.append(item)
        self.numbers.append(item.data)
        self.is_exact = self.is_exact or type(item.data) is not float
        return VALUE if type(item) is Value else (type(item), None)

    def shape_of_number(self, item: Any) -> Hashable:
        """Return the part of the key for a number that is no float."""
        if not is_number(item):
            raise Unfit(f"an argument of type {type(item).__name__}")
        if type(item) is not int and type(item) is not float:
            self.foreign.append(item)
        large = isinstance(item, int) and abs(item) > LARGEST_INTEGER
        if isinstance(item, int):
            self.integers.append(len(self.leaves))
        self.is_exact = self.is_exact or large or is_fraction(item)
        self.leaves.append(item)
        self.numbers.append(0.0 if self.is_exact else float(item))
        return float

    def reckon_otherwise(self, given: Iterable[Any]) -> bool:
        """Return whether one of `given` is a foreign number itself, not one among data."""
        return bool(self.foreign) and any([item is number for item in given for number in self.foreign])

    def shape_of_setting(self, item: Any) -> Hashable:
        """Return the part of the key for what a module has besides `Value`s."""
        key = key_of(item)
        if key is None:
            raise Unfit(f"an argument with something of type {type(item).__name__} in it, which may change in place")
        return key


def is_settled(item: Any) -> bool:
    """Return whether a part of the result is the same for all calls of a case; bools are where guards have told."""
    return is_static(item) or arrays.is_kept(item)


def with_leaves(nest: Any, leaves: Iterable[Any]) -> Any:
    """Return a nest like `nest` with `leaves` as its leaves, in the order of `Arguments`.

    >>> with_leaves(([2.0, "mean"], None), [5.0])
    ([5.0, 'mean'], None)
    """
    source = iter(leaves)
    return nests.Walk(lambda leaf: next(source), is_static).visit("the arguments", False, nest)


class Results:
    """The result of a function, taken apart: its numbers, and what is around them.

    Args:
        out: a nest of numbers, `Value`s, text, bools and None.

    Attributes:
        leaves: the numbers.
        rebuilt: returns the nest of others, of which a list is given.

    Raises:
        Unfit: if there is something else in it.
    """

    __slots__ = ("leaves", "rebuilt")

    def __init__(self, out: Any) -> None:
        self.leaves: list[Any] = []
        self.rebuilt = builder(nests.Walk(self.take, self.is_kept).visit("the result", False, out))

    def take(self, leaf: Any) -> int:
        """Take note of a leaf; return its number, which stands for it in the nest."""
        self.leaves.append(leaf)
        return len(self.leaves) - 1

    def is_kept(self, item: Any) -> bool:
        """Return whether `item` is no part of the nest but stays as it is."""
        item = arrays.unwrapped(item)
        if is_constant(item) or arrays.is_kept(item):
            return True
        if nests.is_module(item) or not (isinstance(item, Value) or is_number(item) or nests.parts(item) is not None):
            raise Unfit(f"it returns something of type {type(item).__name__}")
        return False


def builder(nest: Any) -> Callable[[Sequence[Any]], Any]:
    """Return what builds a nest like `nest`, in which the indices of its leaves stand, of the list of these.

    A walk through the nest would take longer than most compiled functions: a list of 1,000 numbers 1 ms, a slice 3 µs.

    >>> builder((1, [0, 1], {"a": 2}))([0.5, 1.5, 2.5])
    (1.5, [0.5, 1.5], {'a': 2.5})
    """
    kind = type(nest)
    if kind is int:
        return itemgetter(nest)
    if kind is dict:
        entries = [(key, builder(item)) for key, item in nest.items()]
        return lambda leaves: {key: build(leaves) for key, build in entries}
    if kind is not list and kind is not tuple:
        return lambda leaves: nests.Walk(leaves.__getitem__, is_settled).visit("the result", False, nest)
    if nest and all_of(int, nest) and list(nest) == [*range(nest[0], nest[0] + len(nest))]:
        part = slice(nest[0], nest[0] + len(nest))
        return lambda leaves: kind(leaves[part])
    parts = [builder(item) for item in nest]
    return lambda leaves: kind([build(leaves) for build in parts])
