"""Recording a run: what a function does with its values, and which of these are numbers in an eager run.

Operations are recorded when their nodes are made, everything else by the instruments of `Value`.
"""

from __future__ import annotations

from itertools import product
from math import nan
from typing import NamedTuple
from weakref import WeakSet

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.program.form import SHARE, SOFTMAX, Guard
from microgrid.compiler.projections import PROJECTION
from microgrid.compiler.trace.batch import Batch
from microgrid.compiler.trace.instrument import exact, instrument, plain_ids, restore
from microgrid.compiler.trace.rows import Alias, Row, Rows
from microgrid.engine import graph, modes
from microgrid.engine.anomaly import users_line
from microgrid.engine.modes import observe
from microgrid.engine.numbers import MATH_ERRORS, is_number
from microgrid.engine.operations import IDENTITY, NUMBERS, Operation, operation
from microgrid.engine.recording import as_nodes, evaluate
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.rules.table import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Any

    from microgrid.engine.node import Node

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

OF_INTEGERS = ("prod", "sumprod")  # functions that return an integer for integers; operators are instrumented
ended: WeakSet[Value] = WeakSet()  # the inputs of earlier traces to which something outside still refers
OF_SOFTMAX, OF_SHARE = Operation(SOFTMAX, (True,)), Operation(SHARE, (True, False))


class Context(NamedTuple):
    """The modes around a call, which decide whether the numbers that transforms return in it are `Value`s.

    Attributes:
        is_silent: whether the call is made under `no_grad`.
        is_inner: whether it is made inside a transform, where all results of other transforms are `Value`s.
    """

    is_silent: bool = False
    is_inner: bool = False


TOP_LEVEL = Context()


class Recorder(modes.Mode):
    """The mode in which a run is recorded: what was done with its values, and what they are in an eager run.

    Args:
        numbers: the numbers of the inputs.
        leaves: the arguments of the caller: floats, integers, and `Value`s; floats unless given.
        rolls: whether rows of `vmap` may become a loop.
        whole: the positions of inputs that may be integers; unless given, those of all plain numbers if one of them is.
        context: the context of the traced call.

    Attributes:
        inputs: the leaves in place of the arguments.
        externals: the `Value`s used by the function that were made elsewhere, in the order of their first use.
        wholes: the positions of inputs for which it matters whether they are integers: they met other integers in an
            operation, or were an index or a result.
        keeps_types: whether the program gets these inputs unconverted as well, and computes with them as Python does;
            else they were floats in this run, and the program does not serve integers.
        obstacle: what could not be followed, with its line; empty if everything could.
        is_silent: whether the traced call is made under `no_grad`.
        depends: the names of the fields of `context` on which the kind of a result depends.
    """

    traces = True

    def __init__(
        self,
        numbers: Sequence[float],
        leaves: Sequence[Any] = (),
        rolls: bool = True,
        whole: Collection[int] | None = None,
        context: Context = TOP_LEVEL,
    ) -> None:
        super().__init__(self.record)
        self.rolls, self.context, self.is_silent = rolls, context, context.is_silent
        self.depends: set[str] = set()
        self._epoch = modes.new_epoch()
        self.obstacle = ""
        self.externals: list[Value] = []
        self.wholes: set[int] = set()
        self.inputs = [Value(number) for number in numbers]
        self.positions = {id(leaf): position for position, leaf in enumerate(self.inputs)}
        self._leaves = leaves or numbers
        # The ids of nodes that are `Value`s in an eager run too.
        self.values = {id(new) for new, leaf in zip(self.inputs, self._leaves, strict=True) if isinstance(leaf, Value)}
        # The ids of plain numbers there: results of transforms may be such, the leaves that transforms make never are.
        self._plain = set(self.positions) - self.values
        self._hashed: list[Value] = []  # the nodes hashed by value
        self.identified: list[Value] = []  # the nodes hashed by identity
        self.identifies_inputs = False  # whether an input is among them
        positions = [position for position, leaf in enumerate(self._leaves) if not isinstance(leaf, Value)]
        self.keeps_types = bool(whole) or (whole is None and any([isinstance(self._leaves[n], int) for n in positions]))
        # By id, nodes that may be integers in an eager run, with their number there: plain arguments, and results of
        # operators on these and integers.
        self.exact = {
            id(self.inputs[position]): self._leaves[position] for position in (positions if whole is None else whole)
        }
        self._stand_ins: set[int] = set()  # the ids of leaves made for plain numbers in sequences
        self.quotients: set[int] = set()  # the ids of quotients of such nodes, which are floats
        self.events: list[Any] = []  # nodes with their fields, guards, and rows; they keep ids from being used again
        self.sources: dict[int, Sequence[Any]] = {}  # by the id of a derivative: it is a `Value` if one of these is
        self._aliased: dict[int, Value] = {}  # by the id of an alias, its source
        self._branching: dict[int, Rows] = {}  # by the id of an alias, the rows in whose branches it has other sources
        self._given: dict[int, int] = {}  # by the id of a derivative, the epoch in which it was made
        self._rows: Rows | None = None  # the rows of the batch that is being mapped
        self.hidden: set[int] = set()  # the ids of nodes made in copies of rows, which no step may use

    def __enter__(self) -> Any:
        self._apart = modes.apart().__enter__()
        super().__enter__()
        plain_ids.update(self._plain)
        exact.update(self.exact)
        instrument()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._apart.__exit__()
        self.close()

    def close(self) -> None:
        """Undo the changes outside of the mode itself; calling it twice is harmless."""
        self.observer = None  # a method of its own, which would keep it alive
        plain_ids.difference_update(self._plain)
        for key in self.exact:
            exact.pop(key, None)
        restore()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the result of `function`, run in this mode.

        Raises:
            Unfit: if it raises an error, which an eager run might not.
        """
        outside = modes.entered()
        try:
            with self:
                return function(*args, **kwargs)
        except BaseException as error:
            self.release()
            if not isinstance(error, Exception):  # Ctrl-C, say
                raise
            raise Unfit(self.obstacle or f"a trial run raised {type(error).__name__}: {error}") from error
        finally:  # again, since Ctrl-C may have interrupted the exit from `with`
            self.abandon(outside)
            self.close()

    @property
    def serves(self) -> frozenset[Context]:
        """The contexts of the calls that the program serves."""
        alike = [(value,) if name in self.depends else (False, True) for name, value in self.context._asdict().items()]
        return frozenset(map(Context._make, product(*alike)))

    # Called by instruments, transforms and operations during the run

    def record(self, node: Node) -> None:
        """Record a new node with its operation and operands."""
        op, x, y = node.op, node._x, node._y
        self.events.append((node, op, x, y))
        if id(x) in self._plain if op.fan == 1 else self.are_plain((x, y) if op.fan else node.parents):
            self.set_plain(node)
            if op.name in OF_INTEGERS:
                self.takes_integers(op.name, [x for x in node.parents if id(x) not in self._stand_ins])

    def made(self, leaf: Value, source: Value | None = None) -> None:
        """Record a leaf that is made in the trace: a constant, or the number of `source`."""
        if leaf.op is not None:
            self.cannot_follow("a hand-written operation")
        elif type(leaf.data) is not float:
            self.cannot_follow("a fraction")
        if source is None:
            self.values.add(id(leaf))
        self.events.append((leaf, None, source, None))

    def stands_in(self, leaf: Value) -> None:
        """Record that `leaf`, just made, replaces a plain number among the elements of a sequence."""
        self.values.discard(id(leaf))
        self.set_plain(leaf)
        self._stand_ins.add(id(leaf))

    def detached(self, source: Value) -> Value:
        """Return a new leaf with the number of `source`."""
        leaf = graph.make(Value, source.data, 0.0, source.label)
        self.made(leaf, source)
        return leaf

    def resolved(self, node: Any) -> Any:
        """Return the source behind `node` and its aliases, up to one that depends on the branches that rows take."""
        while id(node) in self._aliased:
            rows = self._branching.get(id(node))
            if rows and rows.are_regular:
                break
            node = self._aliased[id(node)]
        return node

    def choosing(self, node: Any) -> list[Rows]:
        """Return the rows whose branches decide of which outer `Value` the node is an alias."""
        found = []
        while id(node) in self._aliased:
            rows = self._branching.get(id(node))
            found += [rows] if rows and rows.return_given() else []
            node = self._aliased[id(node)]
        return found

    def identify(self, node: Value) -> Value:
        """Record that `node` is hashed by identity, and return the `Value` that an eager run would hash."""
        if self._rows is not None and self._rows.in_transform:
            self.unroll()  # derivatives of a batch call the function again, and a memo would return the old nodes
        for rows in self.choosing(node):
            rows.are_regular = False
        found: Value = self.resolved(node)
        self.identifies_inputs = self.identifies_inputs or id(found) in self.positions
        self.identified.append(found)
        return found

    def closed_over(self, outputs: Sequence[Any], epoch: int) -> list[Value]:
        """Return the `Value`s made before `epoch` that `outputs` depend on; an empty list under `no_grad`.

        A derivative that another transform returned before is itself one of them; its own sources are not.
        """
        found: list[Value] = []
        stack = [out for out in outputs if isinstance(out, Value)]
        met = set(map(id, stack))
        while stack:
            node = stack.pop()
            if self._given.get(id(node), epoch) < epoch or (node.op is None and node._x < epoch):
                found += [] if node._is_frozen else [node]
            else:
                in_batch = node.op is PROJECTION and isinstance(node._x.op, Batch)
                parents = (node._x.op.results[node._y],) if in_batch else node.parents
                stack += [parent for parent in parents if id(parent) not in met]
                met.update(map(id, parents))
        if found:
            self.depends.add("is_silent")
            self.values.update([id(node) for node in found if node.op is None and node._x < self._epoch])
        return [] if self.is_silent else found

    def given(self, node: Value, sources: Sequence[Any]) -> Value:
        """Return a link to `node`, a result of a transform: eagerly a number unless one of `sources` is a `Value`."""
        link = self.without_kind(node)
        self.sources[id(link)] = sources
        self.depends.add("is_inner")
        if self.context.is_inner:
            self.values.add(id(link))
        elif self.are_plain([source for source in sources if isinstance(source, Value)]):
            self.set_plain(link)
        if self._plain.isdisjoint((id(link), id(node))) and not self.is_silent:
            self._aliased[id(link)] = node  # the result in an eager run
        return link

    def without_kind(self, node: Value) -> Value:
        """Return a link to `node` that is neither a `Value` in an eager run nor a plain number, and has no sources."""
        link = observe(graph.make(Value, node.data, 0.0, node.label, IDENTITY, node))
        self.sources[id(link)], self._given[id(link)] = (), modes.epoch
        for known in (self._plain, plain_ids):
            known.discard(id(link))
        return link

    def are_plain(self, operands: Iterable[Value]) -> bool:
        """Return whether `operands` are plain numbers in an eager run."""
        return all([id(operand) in self._plain for operand in operands])

    def set_plain(self, node: Node) -> None:
        """Record that `node` is a plain number in an eager run."""
        self._plain.add(id(node))
        plain_ids.add(id(node))

    def hashed(self, node: Value) -> int:
        """Return the hash of a plain number, with the guard that it is the same number again."""
        number = self.exact.get(id(node), node.data)
        if number != number:  # nan hashes by identity
            self.cannot_follow("hash() of nan")
        self.unroll()
        self._hashed.append(node)
        self.guard("{} == {}", (node, number), True)
        return hash(number)

    def release(self) -> None:
        """Disable the nodes of this trace that outlive it, in the dict of a memo for example."""
        for node in self._hashed:
            node.data = nan  # equal to no number, so that a dict finds it no more
        ended.update(self.inputs)  # a later trace that uses them has an obstacle

    def softmax(self, xs: tuple[Any, ...], of_numbers: Callable[[list[float]], list[float]]) -> list[Value]:
        """Return the softmax of `xs`, recorded as one step; `of_numbers` is the function for plain numbers."""
        nodes = as_nodes(xs)
        whole = graph.make(Value, 0.0, 0.0, "", OF_SOFTMAX, (nodes,))
        numbers = of_numbers([x.data for x in nodes])
        shares = [graph.make(Value, share, 0.0, "", OF_SHARE, whole, index) for index, share in enumerate(numbers)]
        for node in (whole, *shares):
            self.record(node)
        return shares

    def guard(self, test: str, compared: tuple[Any, ...], outcome: Any) -> Any:
        """Record a decision; return its outcome."""
        self.events.append(Guard(test, compared, outcome))
        return outcome

    def is_integer(self, value: Value) -> bool:
        """Return whether `value`, about to be used as an integer, is one in an eager run."""
        if id(value) not in self.exact:
            return False
        self.types_matter([value])
        return isinstance(self.exact[id(value)], int)

    def takes_integers(self, name: str, operands: Sequence[Value]) -> None:
        """Record a function whose result is an integer if all its `operands` are."""
        if all([id(operand) in self.exact for operand in operands]):
            self.types_matter(operands)
            if self.keeps_types:
                self.cannot_follow(f"{name}() of integers")

    def types_matter(self, operands: Iterable[Any]) -> None:
        """Record that it matters whether `operands` are integers."""
        self.wholes.update([self.positions[id(operand)] for operand in operands if id(operand) in self.positions])
        if self.keeps_types:
            self.unroll()

    def unroll(self) -> None:
        """Record that the rows being traced, if any, cannot be a loop."""
        if self._rows is not None:
            self._rows.use_indices = True

    def check_operands(self, others: Sequence[Any]) -> None:
        """Record the obstacle that an operand among `others` has an arithmetic of its own with integers, if one has."""
        if self.keeps_types and not all([isinstance(x, int | float | Value) or not is_number(x) for x in others]):
            self.cannot_follow("an operation on an integer and a number other than a float")

    def whole(self, name: str, operands: tuple[Any, ...], original: Callable[[], Any]) -> Any:
        """Return the node of the rule `name` on `operands`, all of which may be integers.

        Args:
            name: the rule of an operator.
            operands: nodes and integers.
            original: makes the node as for floats.
        """
        if name == "div" and not any([self.is_computed(operand) for operand in operands]):
            return original()  # of inputs and small constants, the quotient as floats is the same
        self.types_matter(operands)
        if not self.keeps_types:
            node = original()
            self.set_exact(node, node.data)
            return node
        try:
            number = evaluate(RULES[name], [self.exact.get(id(x), x) for x in operands], NUMBERS)
            data = float(number)
        except (*MATH_ERRORS, TypeError):
            self.cannot_follow(f"an error in {name}")
            raise
        mask = tuple([isinstance(operand, Value) for operand in operands])
        slots = operands if all(mask) else sorted(operands, key=lambda operand: not isinstance(operand, Value))
        node = graph.make(Value, data, 0.0, "", operation(name, mask), *slots)
        observe(node)
        if name == "div":
            self.quotients.add(id(node))
        else:
            self.set_exact(node, number)
        return node

    def set_exact(self, node: Value, number: int | float) -> None:
        """Record that `node` may be an integer in an eager run, where it is `number` for the inputs of this run."""
        self.exact[id(node)] = exact[id(node)] = number

    def is_computed(self, operand: Any) -> bool:
        """Return whether `operand` is the result of an operation on numbers that may be integers."""
        return id(operand) in self.exact and id(operand) not in self.positions

    def cannot_follow(self, what: str, why: str = "") -> None:
        """Record an obstacle, something that a program cannot express; the first one is kept."""
        self.obstacle = self.obstacle or f"{what} at {users_line()}{why}"

    def enter(self, row: Row) -> None:
        """Record events in `row` from now on."""
        self.events = row.events

    def alias(self, aliases: Sequence[Alias], branches: Rows | None = None) -> None:
        """Record aliases; those of results of rows that branch come with the rows, as `branches`."""
        for node, source in aliases:
            self._aliased[id(node)] = source
            if branches is not None:
                self._branching[id(node)] = branches
            if id(source) in self.positions:
                self.positions[id(node)] = self.positions[id(source)]
            if id(source) in self._plain:
                self.set_plain(node)
            if id(source) in self.exact:
                self.set_exact(node, self.exact[id(source)])

    def hide(self, nodes: Sequence[Value]) -> None:
        """Record that no step may use `nodes`."""
        self.hidden.update(map(id, nodes))

    def is_value(self, operand: Any) -> bool:
        """Return whether `operand` is a `Value` in an eager run too, or a sequence with one."""
        return any(map(self.is_value, operand)) if isinstance(operand, tuple) else id(operand) in self.values

    def kind(self, node: Value) -> tuple[bool, bool]:
        """Return whether `node` is a `Value` in an eager run too, and whether it may be an integer there."""
        return self.is_value(node), self.keeps_types and id(node) in self.exact
