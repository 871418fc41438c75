"""Names: the names of the nodes of a recorded run in its program, and which nodes are externals, made outside of it."""

from __future__ import annotations

from microgrid.compiler.trace.recorder import ended
from microgrid.compiler.trace.rows import Irregular
from microgrid.engine import graph
from microgrid.engine.messages import show
from microgrid.engine.value import Value
from microgrid.rules import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from microgrid.compiler.trace.recorder import Recorder
    from microgrid.compiler.trace.rows import Alias, Rows

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

LARGEST_BITS = 1024  # of an integer in the range of floats


class Names:
    """The names of nodes in a program, by their ids.

    Args:
        run: the recorded run; externals are added to it when they get a name.
    """

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self._known: dict[int, Any] = {id(leaf): f"input{position}" for position, leaf in enumerate(run.inputs)}
        self._outer_nodes: set[Value] = set()  # the inner nodes of externals, walked over before
        self._left: dict[int, Rows] = {}  # the ids of nodes made in rows, whose names are unknown outside

    def give(self, node: Value, name: Any, is_value: bool = False) -> None:
        """Name `node`; with `is_value` it is a `Value` in an eager run too."""
        self._known[id(node)] = name
        if is_value:
            self.run.values.add(id(node))

    def name(self, operand: Any) -> Any:
        """Return the name of a `Value`, which for one made outside is that of a new input; or a plain number."""
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
            if self.is_of_ended_trace(operand):
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

    def is_of_ended_trace(self, node: Value) -> bool:
        """Return whether `node` is an input of a trace that has ended, or depends on one."""
        return not ended.isdisjoint([node, *graph.leaves(graph.inner_nodes(node, seen=self._outer_nodes))])

    def name_as_is(self, operand: Any) -> Any:
        """Return the name of a `Value`; an integer among the inputs has the name of its unconverted form."""
        position = (
            self.run.positions.get(id(operand)) if self.run.keeps_types and id(operand) in self.run.exact else None
        )
        return self.name(operand) if position is None else f"whole{position}"

    def alias(self, aliases: Sequence[Alias], names: Sequence[Any]) -> None:
        """Give `names` to the nodes of `aliases`."""
        for (node, source), name in zip(aliases, names, strict=True):
            self.give(node, name, self.run.is_value(source))

    def leave(self, nodes: Sequence[Value], rows: Rows) -> None:
        """Hide the names of `nodes`, which were made in one of `rows`, from the rest of the program."""
        for node in nodes:
            self._known.pop(id(node), None)
            self._left[id(node)] = rows

    def is_source(self, operand: Any) -> bool:
        """Return whether `operand` is a reason for a transform to return `Value`s: a `Value` in an eager run too."""
        return self.is_unknown(operand) or self.run.is_value(operand)

    def is_unknown(self, operand: Any) -> bool:
        """Return whether `operand` is a `Value` made outside of the trace that no step needs so far."""
        return isinstance(operand, Value) and not (id(operand) in self._known or id(operand) in self._left)

    def restart(self) -> None:
        """Prepare for another translation, with the nodes made in rows as unknown as at first."""
        self._left.clear()

    def externals_among(self, nodes: Iterable[Value]) -> list[Value]:
        """Return those of `nodes` that were not made in the run, once it is translated."""
        others = set(map(id, self.run.externals))
        return [node for node in nodes if id(node) in others or self.is_unknown(node)]
