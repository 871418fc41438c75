"""The argument `data` of `fit` and plots: a pair, the inputs and the targets, as lists or arrays.

Each row of a NumPy array is an array; if its numbers are integers, an array of objects, since they may be indices.
"""

from __future__ import annotations

import operator

from microgrid.engine.messages import brief
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Samples = Sequence[tuple[Any, Any]]


def checked_samples(caller: str, data: Any) -> Samples:
    """Return pairs of an input and a target, with numbers as Python numbers.

    Args:
        caller: the name of the function that was given `data`, for errors.
        data: the inputs and the targets.

    Raises:
        TypeError: if `data` is not a pair of sequences, or an array contains something other than numbers.
        ValueError: if they are empty or of different lengths.

    >>> checked_samples("fit", ([[0.0], [1.0]], (2.0, 3.0)))
    [([0.0], 2.0), ([1.0], 3.0)]
    """
    if not (isinstance(data, tuple | list) and len(data) == 2 and all(hasattr(part, "__len__") for part in data)):
        raise TypeError(f"{caller} expects data to be a pair, the inputs and the targets, got {brief(data)}")
    inputs, targets = (rows(caller, part) for part in data)
    if len(inputs) != len(targets) or not len(inputs):
        counts = f"{len(inputs)} and {len(targets)}"
        raise ValueError(f"{caller} expects as many inputs as targets, at least one, got {counts}")
    return list(zip(inputs, targets, strict=True))


def are_those_of(data: Any, samples: Samples) -> bool:
    """Return whether `data` still consists of `samples`: as many, and the same objects in its lists.

    >>> data = [[0.0], [1.0]], [2.0, 3.0]
    >>> samples = checked_samples("fit", data)
    >>> data[1][0] = 5.0
    >>> are_those_of(data, samples)
    False
    """
    columns = zip(data, zip(*samples, strict=True), strict=True)
    return all(
        len(part) == len(column) and (not isinstance(part, list) or all(map(operator.is_, part, column)))
        for part, column in columns
    )


def rows(caller: str, part: Any) -> Sequence[Any]:
    """Return the inputs or the targets as a sequence: of an array, its rows.

    Raises:
        TypeError: naming `caller`, if it is an array that contains something other than numbers.
    """
    if (arrays.is_array(part) or arrays.is_column(part)) and arrays.strangers(part):
        raise TypeError(f"{caller} expects numbers, got {type(part).__name__}{arrays.advice(part)}")
    if getattr(part, "ndim", 1) > 1 and arrays.is_array(part):
        whole = part.astype(int) if part.dtype.kind == "b" else part
        return list(part.astype(float) if part.dtype.kind == "f" else whole.astype(object))
    found: Sequence[Any] = arrays.listed(caller, part)
    return [int(one) if type(one) is bool else one for one in found] if found is not part else part
