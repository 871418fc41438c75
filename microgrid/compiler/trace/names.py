"""Names: what a program calls the nodes of a recorded run, and which of them are values of others."""

from __future__ import annotations

from microgrid.compiler.trace.recorder import ended
from microgrid.compiler.trace.rows import Irregular
from microgrid.engine import graph
from microgrid.engine.messages import show
from microgrid.engine.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from microgrid.compiler.trace.recorder import Recorder
    from microgrid.compiler.trace.rows import Alias, Rows

FOLLOWED = True  # by traces: see `compiler.trace.instrument`

LARGEST_BITS = 1024  # of an integer that a float can be compared with


class Names:
    """The names of nodes in a program, by their ids.

    Args:
        run: the recorded run, to which values of others are added as they get a name.
    """

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self._known: dict[int, Any] = {id(leaf): f"input{place}" for place, leaf in enumerate(run.inputs)}
        self._others: set[Value] = set()  # the inner nodes that led to values of others
        self._left: dict[int, Rows] = {}  # the ids of nodes that were made in rows, and are known there only

    def give(self, node: Value, name: Any, is_value: bool = False) -> None:
        """Let `node` be called `name`; with `is_value` it is a `Value` in an eager run too."""
        self._known[id(node)] = name
        if is_value:
            self.run.values.add(id(node))

    def name(self, operand: Any) -> Any:
        """Return the name of a value, that of a new input if it was made elsewhere; or a plain number."""
        key = id(operand)
        known = self._known.get(key)
        if known is not None:
            return known
        if isinstance(operand, Value):
            if key in self.run.hidden:
                self.run.obstacle = self.run.obstacle or "a function under vmap that does more than return a result"
                return operand.data
            if key in self._left:
                raise Irregular(self._left[key])
            if self.is_of_another(operand):
                self.run.obstacle = self.run.obstacle or f"a number of an earlier trace, {show(operand)}, is met again"
            self.run.values.add(key)
            self._known[key] = f"leaf{len(self.run.externals)}"
            self.run.externals.append(operand)
            return self._known[key]
        if isinstance(operand, tuple):
            return tuple(map(self.name, operand))
        if isinstance(operand, float):
            return float(operand)
        if isinstance(operand, int) and operand.bit_length() <= LARGEST_BITS:
            return int(operand)
        self.run.obstacle = self.run.obstacle or f"the constant {show(operand)} of type {type(operand).__name__}"
        return operand

    def is_of_another(self, node: Value) -> bool:
        """Return whether `node` was made from an input of a trace that has ended, or is one."""
        return not ended.isdisjoint([node, *graph.leaves(graph.inner_nodes(node, seen=self._others))])

    def name_as_is(self, operand: Any) -> Any:
        """Return the name of a value that is not converted to a float, of an integer too."""
        place = self.run.places.get(id(operand)) if self.run.keeps_types and id(operand) in self.run.exact else None
        return self.name(operand) if place is None else f"whole{place}"

    def stand_for(self, aliases: Sequence[Alias], names: Sequence[Any]) -> None:
        """Give `names` to nodes that stand for others."""
        for (node, source), name in zip(aliases, names, strict=True):
            self.give(node, name, self.run.is_value(source))

    def leave(self, nodes: Sequence[Value], rows: Rows) -> None:
        """Forget the names of `nodes`, which were made in one of `rows`."""
        for node in nodes:
            self._known.pop(id(node), None)
            self._left[id(node)] = rows

    def is_source(self, operand: Any) -> bool:
        """Return whether a transform returns `Value`s because of `operand`, which the trace may not know."""
        return self.is_unknown(operand) or self.run.is_value(operand)

    def is_unknown(self, operand: Any) -> bool:
        """Return whether `operand` is a `Value` that was not made in the trace, and that no step needs yet."""
        return isinstance(operand, Value) and not (id(operand) in self._known or id(operand) in self._left)

    def meet_all(self) -> None:
        """Let nodes that were made in rows be known again, since the rows are written anew."""
        self._left.clear()

    def of_others(self, nodes: Iterable[Value]) -> list[Value]:
        """Return those of `nodes` that were not made in the run; the program has been made."""
        others = set(map(id, self.run.externals))
        return [node for node in nodes if id(node) in others or self.is_unknown(node)]
