"""What others keep numbers in, as nests: NumPy's arrays, `array.array`, pandas' rows and columns. None is imported.

A NumPy array is a nest of its shape. What takes its place is an array again: of floats where all its leaves are, else
of objects. An `array.array` and a column of pandas are lists, a row of pandas a dict of its labels. A `Series` is a row
if all its labels are text, else a column; `.tolist()` and `.to_dict()` say which it is to be.
"""

from __future__ import annotations

import sys

from microgrid.engine.numbers import all_of, is_node, is_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What they are


def is_of(item: Any, module: str, name: str) -> bool:
    """Return whether `item` is an instance of a class of `module`; if nobody has imported that, it is not.

    >>> from array import array
    >>> is_of(array("d"), "array", "array"), is_of([], "numpy", "ndarray")
    (True, False)
    """
    return module in sys.modules and isinstance(item, getattr(sys.modules[module], name, ()))


def is_array(item: Any) -> bool:
    """Return whether `item` is a NumPy array of one dimension or more.

    Matrices, masked arrays and others that calculate in another way than arrays do are not.
    """
    if not is_of(item, "numpy", "ndarray"):
        return False
    numpy: Any = sys.modules["numpy"]
    return type(item) in (numpy.ndarray, numpy.memmap) and item.ndim > 0


def is_plain(item: Any) -> bool:
    """Return whether `item` is an array of NumPy that cannot hold a `Value`."""
    return hasattr(item, "dtype") and is_of(item, "numpy", "ndarray") and item.dtype.kind != "O"


def is_kept(item: Any) -> bool:
    """Return whether `item` is an array of NumPy whose entries are neither numbers nor objects: of bools, say."""
    return is_plain(item) and item.dtype.kind not in "iuf"


def is_table(item: Any) -> bool:
    """Return whether `item` is a table of pandas, which is iterated over by the names of its columns."""
    return is_of(item, "pandas", "DataFrame")


def is_row(item: Any) -> bool:
    """Return whether `item` is a row of pandas."""
    return is_of(item, "pandas", "Series") and item.index.inferred_type == "string"


def is_column(item: Any) -> bool:
    """Return whether `item` is a list of numbers in another form: an `array.array` or a column of pandas."""
    return is_of(item, "array", "array") or (is_of(item, "pandas", "Series") and not is_row(item))


def is_sequence(item: Any) -> bool:
    """Return whether `item` is a list, a tuple, or one of the arrays that stand for a list."""
    return isinstance(item, list | tuple) or is_array(item) or is_column(item)


def has_items(item: Any) -> bool:
    """Return whether `item` can be iterated over: not an array without dimensions, which is a number.

    >>> has_items([]), has_items(1.0)
    (True, False)
    """
    return hasattr(item, "__iter__") and getattr(item, "ndim", 1) != 0


def is_nest(item: Any) -> bool:
    """Return whether `item` is one of these arrays, rows and columns, and all its entries are numbers or `Value`s.

    >>> from array import array
    >>> is_nest(array("d", [1.0])), is_nest([1.0])
    (True, False)
    """
    if not hasattr(item, "tolist"):
        return False
    is_one = is_array(item) or is_column(item) or (is_row(item) and item.index.is_unique)
    return is_one and not strangers(item)


# What is in them


def entries(item: Any) -> list[Any]:
    """Return all entries of an array, a row or a column as Python has them, bools as floats."""
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
    """Return the entries of a nest, of a row as a dict; None for everything else.

    Those of an array of several dimensions are arrays.

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
    """Return what an array without dimensions holds, as `np.where` makes it of single `Value`s; else `item`."""
    return item.item() if is_of(item, "numpy", "ndarray") and item.ndim == 0 and item.dtype.kind == "O" else item


def listed(asker: str, item: Any) -> Any:
    """Return an array, a row or a column as a list, of several dimensions of lists; and everything else as it is.

    Raises:
        TypeError: naming `asker`, for a table of pandas.
    """
    if is_table(item):
        raise TypeError(f"{asker} expects a list or an array, got DataFrame{advice(item)}")
    return item.tolist() if hasattr(item, "tolist") else item


def advice(item: Any) -> str:
    """Return what an error adds about an array that is not a nest of numbers: why, or what to write; or ""."""
    if is_table(item):
        return ": write df.to_numpy() for its rows, df.to_dict('list') for a dict of its columns"
    if is_row(item) and not item.index.is_unique:
        return ", whose labels are not unique: write .tolist() for a list"
    if is_array(item) or is_column(item) or is_row(item):
        entry = strangers(item)[0]
        cure = ".astype(float) makes numbers of their text" if isinstance(entry, str) else "leave it out, or fill it in"
        return f", which holds {type(entry).__name__} {entry!r:.60}: {cure}"
    if hasattr(item, "filled"):  # numpy.asarray would take what is masked for numbers
        return ": write x.compressed() for what is not masked, x.filled(number) to fill it in"
    return ": write numpy.asarray(x)" if hasattr(item, "__array__") else ""


# What is made of them


def copied(item: Any) -> Any:
    """Return `item`, of an array of NumPy a copy."""
    return item.copy() if is_plain(item) else item


def joined(pieces: list[Any]) -> Any:
    """Return a NumPy array of numbers, or of arrays of one shape."""
    numpy: Any = sys.modules["numpy"]
    if is_array(pieces[0]):
        return numpy.stack(pieces)
    if type(pieces[0]) in (float, int, bool) and all_of(type(pieces[0]), pieces):
        return numpy.array(pieces)
    array = numpy.empty(len(pieces), dtype=object)
    array[:] = pieces
    return array
