"""Derivatives of a batch: in a trace, `vmap` inside a transform is one operation on all rows.

Its derivative is the derivative of the function, mapped over the rows: another batch, which may become a loop with the
same branches. So each row gets the derivative of the branch that it takes. (Derivatives of the nodes of the rows would
be those of the branches that the rows took in the trace.)
"""

from __future__ import annotations

from microgrid.compiler.program.form import Guard
from microgrid.compiler.projections import PROJECTION, Seeds, series_of
from microgrid.compiler.trace.rows import Alias, Rows, values_in, with_aliases
from microgrid.engine import graph
from microgrid.engine.modes import is_silent, no_grad, tracing
from microgrid.engine.recording import apply, as_nodes
from microgrid.engine.sweeps import adjoints, between, seeded, tangents
from microgrid.engine.value import Value
from microgrid.rules.table import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from microgrid.transforms.series import Series


class Batch:
    """The operation of a batch; its parents are the `Value`s in the rows, and those that the function closes over.

    Args:
        function: the mapped function.

    Attributes:
        rows: the rows.
        entries: the `Value`s among their arguments, row by row.
        ends: the `Value`s among their results, row by row.
        results: all ends in one list, by the index of their projections.
        outside: the nodes that the function closes over.
        links: the links to the entries that the function got as arguments.
    """

    name = symbol = "vmap"
    fan, mask, is_number, rule = 0, (True,), False, None

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = no_grad()(function) if is_silent() else function
        self.links: set[Value] = set()

    def call(self, *arguments: Any) -> Any:
        """Return the result for one row, on links to its `Value`s: the function may close over the same `Value`s."""
        result, links = self.call_on_links(arguments)
        self.links.update(links)
        return result

    def call_on_links(self, arguments: tuple[Any, ...]) -> tuple[Any, list[Value]]:
        """Return the result for one row, and the links to its `Value`s."""
        aliases: list[Alias] = []
        given = with_aliases(arguments, aliases)
        links, trace = [alias.node for alias in aliases], tracing()
        for link in links:
            trace.record(link)  # under no_grad too: there, a link still has the derivative of its source
        trace.alias(aliases)
        result = self.function(*given)
        if list(map(id, values_in(given))) != list(map(id, links)):
            trace.cannot_follow("a function under vmap that changes its arguments")
        return result, links

    def join(self, rows: Rows) -> None:
        """Make the results of `rows` projections of one node.

        Nothing is done if the rows have to be unrolled; they have to be if a row uses nodes made in another one.
        """
        if not rows.are_regular:
            return
        self.rows = rows
        self.entries = [row.entries for row in rows.rows]
        self.ends = [[alias.source for alias in row.exits] for row in rows.rows]
        self.results = [end for ends in self.ends for end in ends]
        maker = {id(node): index for index, row in enumerate(rows.rows) for node in row.made()}
        outside: dict[Value, None] = {}
        for index, row in enumerate(rows.rows):
            used = [parent for node in row.made() if node not in self.links for parent in node.parents]
            used += self.ends[index]
            outside.update(dict.fromkeys([node for node in used if id(node) not in maker]))
            if any([maker.get(id(node), index) != index for node in used]):
                rows.are_regular = False
                return
        self.outside = [*outside]
        parents = (*self.outside, *(entry for entries in self.entries for entry in entries))
        whole = graph.make(Value, 0.0, 0.0, "", self, (parents,))
        for index, alias in enumerate([alias for row in rows.rows for alias in row.exits]):
            alias.node.op, alias.node._x, alias.node._y = PROJECTION, whole, index

    # Derivatives

    def trace(self, node: Value, g: Seeds) -> list[Any]:
        """Return the adjoints of the parents."""
        met: set[int] = set()

        def pulled(arguments: tuple[Any, ...], seeds: list[Value]) -> list[Value]:
            result, links = self.call_on_links(arguments)
            inputs, ends = [*self.outside, *links], values_in(result)
            _, nodes, reached = between(inputs, ends, seen={*inputs})
            table = adjoints(nodes, seeded(ends, seeds, reached), "trace", reached)
            return taken(inputs, table, met)

        seeds = iter([g.by_index.get(index) for index in range(len(self.results))])
        rows = self.mapped(pulled, [[next(seeds) for _ in ends] for ends in self.ends])
        known = [row for row in rows if row]
        count = len(self.outside)
        found = [apply(RULES["fsum"], [row[index] for row in known]) if index in met else 0 for index in range(count)]
        for entries, row in zip(self.entries, rows, strict=True):
            found += [row[count + index] if row and count + index in met else 0 for index in range(len(entries))]
        return found

    def jvp_trace(self, node: Value, table: Mapping[Value, Any]) -> list[Any]:
        """Return the tangents of the results."""
        met: set[int] = set()
        outer_tangents = {value: table[value] for value in self.outside if value in table}

        def pushed(arguments: tuple[Any, ...], seeds: list[Value]) -> list[Value]:
            result, links = self.call_on_links(arguments)
            known, ends = {**outer_tangents, **dict(zip(links, seeds, strict=True))}, values_in(result)
            _, nodes, _ = between([*known], ends, seen={*self.outside, *links})
            return taken(ends, tangents(nodes, known, "jvp_trace"), met)

        rows = self.mapped(
            pushed, [[table.get(entry) for entry in entries] for entries in self.entries], bool(outer_tangents)
        )
        return [
            row[index] if row and index in met else 0
            for row, ends in zip(rows, self.ends, strict=True)
            for index in range(len(ends))
        ]

    trace_total, jvp_trace_total = trace, jvp_trace

    def expand(self, node: Value, table: Mapping[Value, Any], role: str) -> list[Series]:
        """Return the series of the results, from the nodes of the rows, which are unrolled for this."""
        self.rows.are_regular = False
        inputs = node.parents
        _, nodes, _ = between(inputs, self.results, seen={*inputs})
        return series_of(nodes, self.results, {parent: table[parent] for parent in inputs if parent in table}, role)

    def mapped(
        self, function: Callable[..., list[Value]], seeds: Sequence[Sequence[Any]], is_needed: bool = False
    ) -> list[list[Value]]:
        """Return the results of `function` for each row and its seeds; rows without a seed get an empty list.

        If rows have branches, or `is_needed`, it is called for all rows, with zeros for absent seeds: only then can the
        rows become a loop that serves other branches.
        """
        rows = self.rows.rows
        is_needed = is_needed or any(isinstance(event, Guard) for row in rows for event in row.events)
        asked = [index for index, given in enumerate(seeds) if is_needed or any(seed is not None for seed in given)]
        batch = [
            (rows[index].arguments, of_one_kind([0.0 if seed is None else seed for seed in seeds[index]]))
            for index in asked
        ]
        results = dict(zip(asked, tracing().mapped(function, batch), strict=True))
        return [results.get(index, []) for index in range(len(rows))]


def taken(nodes: Sequence[Value], table: Mapping[Value, Any], met: set[int]) -> list[Value]:
    """Return the entries of `table` for `nodes`, zero if there is none; indices of those present are added to `met`."""
    met.update([index for index, node in enumerate(nodes) if node in table])
    return of_one_kind([table.get(node, 0.0) for node in nodes])


def of_one_kind(numbers: Iterable[Any]) -> list[Value]:
    """Return nodes for `numbers` that are all of one kind to the trace, so that rows differ by numbers alone."""
    return [tracing().without_kind(node) for node in as_nodes(numbers)]
