"""Mapping: in a trace, `vmap` calls its function for each row of a batch, and keeps the calls.

If rows took several paths, the function is called once more for one row of each path, on a copy of its arguments. The
copy shows which operands come from the row, even if only one row took that path, so that there is none to compare with.
"""

from __future__ import annotations

from microgrid.compiler.program.form import MOST_PATHS, Guard
from microgrid.compiler.trace.rows import Alias, Row, Rows, shape_of, values_in, with_aliases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.compiler.trace.recorder import Recorder


def results_of(
    recorder: Recorder, rows: Rows, function: Callable[..., Any], batch: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Return the results of `function` for each row of `batch`; `rows` keep the calls."""
    for arguments in batch:
        rows.rows.append(Row(arguments))
        call(recorder, rows.rows[-1], function)
    if any([row.has_other_result() for row in rows.rows]):
        recorder.cannot_follow("a function under vmap that changes what it returned")
    branches = rows if any([isinstance(event, Guard) for row in rows.rows for event in row.events]) else None
    found = [outside(recorder, row, branches) for row in rows.rows]
    rows.are_regular = not rows.use_indices
    paths = {row.path(): row for row in reversed(rows.rows)}
    if rows.are_regular and 1 < len(paths) <= MOST_PATHS and rows.shape() is not None:
        for row in paths.values():
            if not row.is_changed():
                add_copy(recorder, row, function, rows)
    return found


def call(recorder: Recorder, row: Row, function: Callable[..., Any]) -> None:
    """Call the function for a row."""
    recorder.enter(row)
    row.result = function(*row.arguments)
    row.ends = values_in(row.result)
    shape = shape_of(row.result, len(row.ends))
    row.shape = None if shape is None or row.shape is None else (row.shape, shape)


def outside(recorder: Recorder, row: Row, branches: Rows | None) -> Any:
    """Return the result of a row for use outside of it, with aliases; `branches` are the rows if some have guards."""
    own = None if branches else frozenset(map(id, row.made()))
    result = with_aliases(row.result, row.exits, own)
    recorder.alias(row.exits, branches)
    return result


def add_copy(recorder: Recorder, row: Row, function: Callable[..., Any], rows: Rows) -> None:
    """Call the function once more for a row, on a copy of the arguments; `row.copy` stays None if it raises."""
    aliases: list[Alias] = []
    copy = Row(with_aliases(row.arguments, aliases))
    recorder.alias(aliases)
    row.copy = copy, aliases
    try:
        call(recorder, copy, function)
        outside(recorder, copy, rows)
    except Exception:
        row.copy = None
    recorder.hide([*copy.made(), *(alias.node for alias in (*aliases, *copy.exits))])
