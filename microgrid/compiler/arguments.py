"""The arguments of a call, taken apart: their numbers, and the shape for which a case is compiled."""

from __future__ import annotations

from operator import itemgetter

from microgrid.compiler.settings import is_constant, is_static, key_of
from microgrid.engine.numbers import all_of, is_fraction, is_node, is_number
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.transforms import arrays, nests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

LARGEST_INTEGER = 2**53  # up to here floats hold every integer
VALUE = (Value, None)  # the part of a key for a `Value`; for one that a module holds twice, `(Value, index)`

MOST_TOLD_APART = 16  # leaves, of which the key tells which ones are the same `Value`


class Unfit(Exception):
    """Raised, with the reason, for functions and arguments that compiled code cannot serve."""


class Arguments:
    """The numbers in the arguments of a call, and a key that must be the same for a case to serve it.

    Attributes:
        leaves: numbers and `Value`s, in the order of `nests`.
        numbers: the number of each leaf.
        key: the shape, and everything in it besides numbers: text, bools, `None`, functions, dict keys, settings.
        integers: the positions of integers among the leaves.
        is_exact: whether a leaf is a fraction or an integer too large for a float.
        firsts: if a `Value` was given twice, for each leaf the position at which it occurs first: `f(x, 2.0, x)` has
            `(0, 1, 0)`; empty if all leaves differ, or there are many.
        repeats: whether a `Value` was given twice among so many leaves that the key does not tell.
        foreign: numbers with an arithmetic of their own: NumPy scalars, decimals.

    Raises:
        Unfit: if something in the arguments is neither a number nor a setting.

    >>> arguments = Arguments((Value(2.0), [3, 0.5], "mean"))
    >>> arguments.numbers
    [2.0, 3.0, 0.5]
    >>> arguments.key == Arguments((Value(1.0), [1.0, 7.0], "mean")).key
    True
    """

    __slots__ = ("_met", "firsts", "foreign", "integers", "is_exact", "key", "leaves", "numbers", "repeats")

    def __init__(self, nest: Any) -> None:
        self.leaves: list[Any] = []
        self.numbers: list[Any] = []
        self.integers: list[int] = []
        self.foreign: list[Any] = []
        self.is_exact = False
        self._met: dict[int, int] = {}  # by id, the indices of the modules, and of the `Value`s in them, met so far
        try:
            self.key = self.shape(nest, False)
        except RecursionError:
            raise Unfit("a nest that is too deep, or in itself") from None
        self.firsts: tuple[int, ...] = ()
        self.repeats = False

    def mark_repeated(self) -> None:
        """Find the `Value`s that were given more than once, and add their positions to the key.

        Among many leaves there would be a case for each pattern: a language model is given the same rows of parameters
        for each letter of a word, and every word would be traced.
        """
        if len({*map(id, self.leaves)}) == len(self.leaves):
            return
        if len(self.leaves) > MOST_TOLD_APART:
            values = [leaf for leaf in self.leaves if isinstance(leaf, Value)]
            self.repeats = len({*map(id, values)}) < len(values)
            return
        positions: dict[int, int] = {}
        self.firsts = tuple(
            [
                positions.setdefault(id(leaf), position) if isinstance(leaf, Value) else position
                for position, leaf in enumerate(self.leaves)
            ]
        )
        if len({*self.firsts}) < len(self.firsts):
            self.key = self.key, self.firsts

    def shape(self, item: Any, inside: bool) -> Hashable:
        """Return the part of the key for `item`, which is `inside` a module or not; record its leaves."""
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
            return (kind, *self.extras(item), *self.pairs(item, inside))
        if arrays.is_nest(item):
            return self.shape_of_array(item, inside)
        pieces = nests.parts(item)
        if pieces is not None:
            return (kind, *self.extras(item), *[(step, self.shape(piece, inside)) for step, piece in pieces])
        return self.shape_of_setting(item) if inside else self.shape_of_number(item)

    def pairs(self, nest: dict[Any, Any], inside: bool) -> list[Hashable]:
        """Return the parts of the key for the items of a dict."""
        return [(key_of(key) or (type(key), key), self.shape(piece, inside)) for key, piece in nest.items()]

    def extras(self, nest: Any) -> list[Hashable]:
        """Return the parts of the key for what a nest has besides its pieces: attributes, a `default_factory`."""
        found = vars(nest) if hasattr(nest, "__dict__") else {}
        if found and isinstance(nest, list | tuple):  # `type(nest)(pieces)`, the copy, would lack them
            raise Unfit(f"a {type(nest).__name__} with attributes of its own")
        fields = nests.field_names(nest) or ()
        others = [(name, value) for name, value in found.items() if name not in fields]
        if hasattr(nest, "default_factory"):
            others.append(("default_factory", nest.default_factory))
        return [(name, self.shape_of_setting(value)) for name, value in others]

    def shapes(self, items: Iterable[Any], inside: bool) -> list[Hashable]:
        """Return the parts of the key for `items`; floats and `Value`s, the most frequent, are handled at once."""
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
        """Return the part of the key for an array, or a pandas row or column; an array in a module is a setting."""
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
        """Return the part of the key for a plain number: that of a float, whatever its type."""
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

    def has_foreign(self, given: Iterable[Any]) -> bool:
        """Return whether one of `given`, the arguments, is a foreign number itself; inside of lists they are floats."""
        return bool(self.foreign) and any([item is number for item in given for number in self.foreign])

    def shape_of_setting(self, item: Any) -> Hashable:
        """Return the part of the key for an attribute of a module that is not a `Value`."""
        key = key_of(item)
        if key is None:
            raise Unfit(f"an argument with something of type {type(item).__name__} in it, which may change in place")
        return key


def is_settled(item: Any) -> bool:
    """Return whether a part of the result is the same for all calls of a case: text, and bools, which guards ensure."""
    return is_static(item) or arrays.is_kept(item)


def with_leaves(nest: Any, leaves: Iterable[Any]) -> Any:
    """Return a nest like `nest` with `leaves` as its leaves, in the order of `Arguments`.

    >>> with_leaves(([2.0, "mean"], None), [5.0])
    ([5.0, 'mean'], None)
    """
    source = iter(leaves)
    return nests.Walk(lambda leaf: next(source), is_static).visit("the arguments", False, nest)


class Results:
    """The result of a function, taken apart: its leaves, and a nest with their indices in place of them.

    Args:
        out: a nest of numbers, `Value`s, text, bools and `None`.

    Attributes:
        leaves: the numbers.
        rebuilt: returns the nest of others, of which a list is given.

    Raises:
        Unfit: if it contains anything else.
    """

    __slots__ = ("leaves", "rebuilt")

    def __init__(self, out: Any) -> None:
        self.leaves: list[Any] = []
        self.rebuilt = builder(nests.Walk(self.take, self.is_kept).visit("the result", False, out))

    def take(self, leaf: Any) -> int:
        """Record a leaf; return its index, which replaces it in the nest."""
        self.leaves.append(leaf)
        return len(self.leaves) - 1

    def is_kept(self, item: Any) -> bool:
        """Return whether `item` stays in the nest as it is."""
        item = arrays.unwrapped(item)
        if is_constant(item) or arrays.is_kept(item):
            return True
        if nests.is_module(item) or not (isinstance(item, Value) or is_number(item) or nests.parts(item) is not None):
            raise Unfit(f"it returns something of type {type(item).__name__}")
        return False


def builder(nest: Any) -> Callable[[Sequence[Any]], Any]:
    """Return a function of the list of leaves that builds a nest like `nest`, which has indices in place of leaves.

    A walk through the nest would take longer than most compiled functions: 1 ms for a list of 1,000 numbers, which as a
    slice takes 2 µs.

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
