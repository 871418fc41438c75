"""`vmap`: any function mapped over the rows of a batch, with JAX's name. Nothing is differentiated here.

A batch is an iterable of rows, and a row any nest; or a dict of batches, whose rows are dicts. Rows of a NumPy array
of several dimensions are arrays, those of a one-dimensional array or a pandas column are Python numbers. Inside a
function that `jit` compiles, the calls go through the trace, which rolls them into one loop where it can.
"""

from __future__ import annotations

from copy import copy
from functools import wraps

from microgrid.engine.modes import observers, tracing
from microgrid.transforms import arrays, nests
from microgrid.transforms.run import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from microgrid.transforms.run import Function

    Axes = int | Sequence[int | None] | None


def vmap(function: Function, in_axes: Axes = 0) -> Function:
    """Return a function of batches that returns the list of the results of `function` for each row.

    Args:
        function: takes one row of each batch; a row may be any nest.
        in_axes: 0 for an argument that is a batch, None for one that every call gets unchanged: either one axis for
            all positional arguments, or a sequence with one for each. Every call gets the keyword arguments unchanged.

    Returns:
        a function of iterables of equally many rows: `vmap(f)(xs, ys)` is `[f(x, y) for x, y in zip(xs, ys)]`. A dict
        of batches is a batch as well, whose rows are dicts.

    Raises:
        TypeError: if `in_axes` is something else; when called, if it does not fit the arguments, if no argument is a
            batch, or if a batch cannot be iterated over.
        ValueError: when called, if batches differ in length.

    Within a function that `jit` compiles the rows become one loop, in which each path that a row took is a branch.
    There `function` has to be pure as well: it may be called more than once for a row.

    >>> vmap(lambda x, y: x * y)([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    [4.0, 10.0, 18.0]
    >>> from microgrid import grad
    >>> vmap(grad(lambda x, power: x**power), in_axes=(0, None))([1.0, 2.0, 3.0], 2)
    [2.0, 4.0, 6.0]
    >>> vmap(lambda row: row["x"] * row["y"])({"x": [1.0, 2.0, 3.0], "y": [4.0, 5.0, 6.0]})
    [4.0, 10.0, 18.0]
    """
    name = name_of("vmap", function)
    each = in_axes if isinstance(in_axes, list | tuple) else (in_axes,)
    if not all(axis is None or (type(axis) is int and axis == 0) for axis in each):
        raise TypeError(f"{name}: expected in_axes to be 0, None or a tuple of these, got {in_axes!r:.60}")

    @wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        axes = each if each is in_axes else each * len(args)
        if len(axes) != len(args):
            raise TypeError(f"{name}: in_axes is {in_axes!r:.60}, but there are {len(args)} positional arguments")
        positions = [position for position, axis in enumerate(axes) if axis == 0]
        if not positions:
            raise TypeError(f"{name}: expected a batch among the positional arguments, got none")
        trace = tracing() if observers else None
        rows = rows_of(name, {f"argument {position}": args[position] for position in positions})

        def call(*row: Any) -> Any:
            given = dict(zip(positions, row, strict=True))
            return function(*[given.get(position, shared) for position, shared in enumerate(args)], **kwargs)

        return [call(*row) for row in rows] if trace is None else trace.mapped(call, rows)

    return transformed


def rows_of(name: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of batches, `given` by how errors of the transform `name` refer to them.

    Raises:
        TypeError: if one cannot be iterated over.
        ValueError: if they differ in length.
    """
    batches = {place: batch(name, place, each) for place, each in given.items()}
    if len({*map(len, batches.values())}) > 1:
        lengths = ", ".join(f"{len(rows)} ({place})" for place, rows in batches.items())
        raise ValueError(f"{name}: expected batches of one length, got {lengths}")
    return list(zip(*batches.values(), strict=True))


def batch(name: str, place: str, given: Any) -> list[Any]:
    """Return the rows of the batch at `place`; those of a dict of batches are dicts.

    Raises:
        TypeError, ValueError: as `rows_of`.
    """
    if isinstance(given, dict) and given:
        columns = {f"{place}[{key!r:.60}]": column for key, column in given.items()}
        return [nests.fill(given, copy(given), list(row)) for row in rows_of(name, columns)]
    if arrays.has_items(given) and not isinstance(given, str | bytes | dict) and not arrays.is_table(given):
        return list(given if getattr(given, "ndim", 1) > 1 else arrays.listed(name, given))
    raise TypeError(f"{name}: expected {place} to be a list of rows, got {nests.shown(given)}")
