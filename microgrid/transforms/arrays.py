"""Containers of other libraries as nests: NumPy arrays, `array.array`, pandas rows and columns, without importing them.

A NumPy array is a nest of its shape. Replacing its leaves gives an array again: of floats if all leaves are floats,
else of objects. An `array.array` and a pandas column are treated as lists, a pandas row as a dict of its labels. A
`Series` counts as a row if all its labels are text, else as a column; write `.tolist()` or `.to_dict()` to choose.
"""

from __future__ import annotations

import sys

from microgrid.engine.numbers import all_of, is_node, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Which container it is


def is_of(item: Any, module: str, name: str) -> bool:
    """Return whether `item` is an instance of the class `name` of `module`, which need not be imported.

    >>> from array import array
    >>> is_of(array("d"), "array", "array"), is_of([], "numpy", "ndarray")
    (True, False)
    """
    return module in sys.modules and isinstance(item, getattr(sys.modules[module], name, ()))


def is_array(item: Any) -> bool:
    """Return whether `item` is a NumPy array of one dimension or more.

    Subclasses that calculate differently do not count: `numpy.matrix`, where `*` is the matrix product, masked arrays.
    """
    if not is_of(item, "numpy", "ndarray"):
        return False
    numpy: Any = sys.modules["numpy"]
    return type(item) in (numpy.ndarray, numpy.memmap) and item.ndim > 0


def is_plain(item: Any) -> bool:
    """Return whether `item` is a NumPy array that cannot hold a `Value`."""
    return hasattr(item, "dtype") and is_of(item, "numpy", "ndarray") and item.dtype.kind != "O"


def is_kept(item: Any) -> bool:
    """Return whether `item` is a NumPy array of neither numbers nor objects: an array of bools, say."""
    return is_plain(item) and item.dtype.kind not in "iuf"


def is_table(item: Any) -> bool:
    """Return whether `item` is a pandas table; iterating over one gives the names of its columns."""
    return is_of(item, "pandas", "DataFrame")


def is_row(item: Any) -> bool:
    """Return whether `item` is a pandas row."""
    return is_of(item, "pandas", "Series") and item.index.inferred_type == "string"


def is_column(item: Any) -> bool:
    """Return whether `item` is treated as a list of numbers: an `array.array` or a pandas column."""
    return is_of(item, "array", "array") or (is_of(item, "pandas", "Series") and not is_row(item))


def is_sequence(item: Any) -> bool:
    """Return whether `item` is a list, a tuple, an array or a column."""
    return isinstance(item, list | tuple) or is_array(item) or is_column(item)


def has_items(item: Any) -> bool:
    """Return whether `item` can be iterated over; an array without dimensions cannot, it is a number.

    >>> has_items([]), has_items(1.0)
    (True, False)
    """
    return hasattr(item, "__iter__") and getattr(item, "ndim", 1) != 0


def is_nest(item: Any) -> bool:
    """Return whether `item` is an array, a row or a column in which all entries are numbers or `Value`s.

    >>> from array import array
    >>> is_nest(array("d", [1.0])), is_nest([1.0])
    (True, False)
    """
    if not hasattr(item, "tolist"):
        return False
    is_container = is_array(item) or is_column(item) or (is_row(item) and item.index.is_unique)
    return is_container and not strangers(item)


# Its entries


def entries(item: Any) -> list[Any]:
    """Return all entries of an array, a row or a column as Python objects, bools as floats."""
    found: list[Any] = item.ravel().tolist() if is_array(item) else item.tolist()
    if bool not in map(type, found):
        return found
    return [float(entry) if type(entry) is bool else entry for entry in found]


def floats(item: Any) -> list[float]:
    """Return all entries of an array of numbers as floats."""
    found: list[float] = item.astype(float).ravel().tolist()
    return found


def strangers(item: Any) -> list[Any]:
    """Return the entries of an array, a row or a column that are neither numbers nor `Value`s."""
    if is_plain(item) and item.dtype.kind in "biuf":
        return []
    found = entries(item)
    return [] if all_of(float, found) else [entry for entry in found if not (is_node(entry) or is_number(entry))]


def opened(item: Any) -> list[Any] | dict[str, Any] | None:
    """Return the entries of an array or a column as a list, those of a row as a dict; None for everything else.

    The entries of an array of several dimensions are its rows, which are arrays.

    >>> from array import array
    >>> opened(array("d", [1, 2])), opened([1.0, 2.0])
    ([1.0, 2.0], None)
    """
    if not is_nest(item):
        return None
    if is_array(item) and item.ndim > 1:
        return list(item)
    return dict(zip(item.index, entries(item), strict=True)) if is_row(item) else entries(item)


def unwrapped(item: Any) -> Any:
    """Return the `Value` in an array without dimensions, such as `np.where` makes of single `Value`s; else `item`."""
    return item.item() if is_of(item, "numpy", "ndarray") and item.ndim == 0 and item.dtype.kind == "O" else item


def listed(asker: str, item: Any) -> Any:
    """Return an array, a row or a column as a list, or as a list of lists; everything else as it is.

    Raises:
        TypeError: naming `asker`, for a pandas table.
    """
    if is_table(item):
        raise TypeError(f"{asker} expects a list or an array, got DataFrame{advice(item)}")
    return item.tolist() if hasattr(item, "tolist") else item


def advice(item: Any) -> str:
    """Return the end of an error message about a container that is not a nest of numbers: why, or what to write."""
    if is_table(item):
        return ": write df.to_numpy() for its rows, df.to_dict('list') for a dict of its columns"
    if is_row(item) and not item.index.is_unique:
        return ", whose labels are not unique: write .tolist() for a list"
    if is_array(item) or is_column(item) or is_row(item):
        entry = strangers(item)[0]
        cure = ".astype(float) makes numbers of their text" if isinstance(entry, str) else "leave it out, or fill it in"
        return f", which holds {type(entry).__name__} {entry!r:.60}: {cure}"
    if hasattr(item, "filled"):  # numpy.asarray would turn masked entries into numbers
        return ": write x.compressed() for what is not masked, x.filled(number) to fill it in"
    return ": write numpy.asarray(x)" if hasattr(item, "__array__") else ""


# New arrays


def copied(item: Any) -> Any:
    """Return `item`, or a copy of it if it is a NumPy array."""
    return item.copy() if is_plain(item) else item


def as_array(pieces: list[Any]) -> Any:
    """Return the NumPy array of `pieces`: numbers, or arrays of one shape, which are stacked."""
    numpy: Any = sys.modules["numpy"]
    if is_array(pieces[0]):
        return numpy.stack(pieces)
    if type(pieces[0]) in (float, int, bool) and all_of(type(pieces[0]), pieces):
        return numpy.array(pieces)
    array = numpy.empty(len(pieces), dtype=object)
    array[:] = pieces
    return array
