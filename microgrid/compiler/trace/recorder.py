"""Recording a run: what a function does with its values, and what these are in an eager run.

Operations are seen as nodes are made, everything else by the instruments that `Value` has meanwhile.
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
from microgrid.compiler.trace.instrument import exact, instrument, plain, restore
from microgrid.compiler.trace.rows import Alias, Row, Rows
from microgrid.engine import graph, modes
from microgrid.engine.anomaly import users_line
from microgrid.engine.modes import observe
from microgrid.engine.numbers import MATH_ERRORS, is_number
from microgrid.engine.operations import IDENTITY, NUMBERS, Operation, operation
from microgrid.engine.recording import as_nodes, evaluate
from microgrid.engine.value import Value
from microgrid.rules.table import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Any

    from microgrid.engine.node import Node

FOLLOWED = True  # by traces: see `compiler.trace.instrument`

OF_INTEGERS = ("prod", "sumprod")  # functions that give an integer for integers; operators are instrumented
ended: WeakSet[Value] = WeakSet()  # the inputs of earlier traces that something outside still refers to
OF_SOFTMAX, OF_SHARE = Operation(SOFTMAX, (True,)), Operation(SHARE, (True, False))


class Around(NamedTuple):
    """What surrounds a call, and decides which of the numbers that transforms return are `Value`s.

    Attributes:
        is_silent: whether it is made under `no_grad`.
        is_inner: whether it is made in a transform, to which all that another one returns is a `Value`.
    """

    is_silent: bool = False
    is_inner: bool = False


ALONE = Around()


class Recorder(modes.Mode):
    """The mode in which a run is recorded: what was done with its values, and what they are in an eager run.

    Args:
        numbers: the numbers of the inputs.
        leaves: what the caller gave for them: a float, an int, or a `Value`; floats unless given.
        rolls: whether what `vmap` does may become a loop.
        whole: the positions of the inputs that may be integers; unless given all plain numbers, if one of them is.
        around: what surrounds the call that is traced.

    Attributes:
        inputs: the leaves in the place of the arguments.
        externals: the values of others that the function used, in the order of their first use.
        wholes: the positions of the inputs of which it matters whether they are integers: what was done with them and
            integers alone, or they were a result or an index.
        keeps_types: whether the program gets these inputs unconverted as well, and does with them what Python does;
            else the inputs were floats, and it serves no integers in their place.
        obstacle: what could not be followed, with its line; empty if all could.
        is_silent: whether the call that is traced is made under `no_grad`.
        depends: names of those fields of `around` that the kind of a result depends on.
    """

    traces = True

    def __init__(
        self,
        numbers: Sequence[float],
        leaves: Sequence[Any] = (),
        rolls: bool = True,
        whole: Collection[int] | None = None,
        around: Around = ALONE,
    ) -> None:
        super().__init__(self.see)
        self.rolls, self.around, self.is_silent = rolls, around, around.is_silent
        self.depends: set[str] = set()
        self._epoch = modes.new_epoch()
        self.obstacle = ""
        self.externals: list[Value] = []
        self.wholes: set[int] = set()
        self.inputs = [Value(number) for number in numbers]
        self.places = {id(leaf): place for place, leaf in enumerate(self.inputs)}
        self._leaves = leaves or numbers
        # The ids of all that is a `Value` in an eager run too.
        self.values = {id(new) for new, leaf in zip(self.inputs, self._leaves, strict=True) if isinstance(leaf, Value)}
        # The ids of all plain numbers there: results of transforms may be some, the leaves that these make never are.
        self._plain = set(self.places) - self.values
        self._hashed: list[Value] = []  # by value
        self.identified: list[Value] = []  # by identity
        places = [place for place, leaf in enumerate(self._leaves) if not isinstance(leaf, Value)]
        self.keeps_types = bool(whole) or (whole is None and any([isinstance(self._leaves[n], int) for n in places]))
        # What may be an integer in an eager run: plain arguments, and what operators make of these and integers alone.
        self.exact = {id(self.inputs[place]): self._leaves[place] for place in (places if whole is None else whole)}
        self._stand_ins: set[int] = set()  # the ids of leaves in the place of numbers
        self.quotients: set[int] = set()  # the ids of those of such numbers
        self.events: list[Any] = []  # nodes as they were made, and guards; they keep every id from being used again
        self.sources: dict[int, Sequence[Any]] = {}  # by the id of a derivative, what it is a `Value` with
        self._passed: dict[int, Value] = {}  # by the id of an alias, what it stands for
        self._branching: dict[int, Rows] = {}  # by the id of one, the rows that give another thing in other branches
        self._given: dict[int, int] = {}  # by the id of a derivative, the epoch in which it was made
        self._rows: Rows | None = None  # of the batch that is being mapped
        self.hidden: set[int] = set()  # the ids of nodes that were made in copies of rows, which are no part of it

    def __enter__(self) -> Any:
        self._apart = modes.apart().__enter__()
        super().__enter__()
        plain.update(self._plain)
        exact.update(self.exact)
        instrument()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._apart.__exit__()
        self.close()

    def close(self) -> None:
        """Undo what is not the mode's own; doing it twice does nothing more."""
        self.observer = None  # a method of its own, which would keep it alive
        plain.difference_update(self._plain)
        for key in self.exact:
            exact.pop(key, None)
        restore()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the result of `function`, which is run in this mode.

        Raises:
            Unfit: if it raises an error, be it one that only a trace meets.
        """
        outside = modes.entered()
        try:
            with self:
                return function(*args, **kwargs)
        except BaseException as error:
            self.let_go()
            if not isinstance(error, Exception):  # Ctrl-C, say
                raise
            raise Unfit(self.obstacle or f"a trial run raised {type(error).__name__}: {error}") from error
        finally:  # once more, since Ctrl-C may have come within `with`
            self.abandon(outside)
            self.close()

    @property
    def serves(self) -> frozenset[Around]:
        """What may surround the calls that the program serves."""
        alike = [(value,) if name in self.depends else (False, True) for name, value in self.around._asdict().items()]
        return frozenset(map(Around._make, product(*alike)))

    # What the run tells

    def see(self, node: Node) -> None:
        """Record a new node, with what it was made of."""
        op, x, y = node.op, node._x, node._y
        self.events.append((node, op, x, y))
        if id(x) in self._plain if op.fan == 1 else self.are_plain((x, y) if op.fan else node.parents):
            self.set_plain(node)
            if op.name in OF_INTEGERS:
                self.takes_integers(op.name, [x for x in node.parents if id(x) not in self._stand_ins])

    def made(self, leaf: Value, source: Value | None = None) -> None:
        """Record a leaf that is made in the trace: of a constant, or of the number of `source`."""
        if leaf.op is not None:
            self.cannot_follow("a hand-written operation")
        elif type(leaf.data) is not float:
            self.cannot_follow("a fraction")
        if source is None:
            self.values.add(id(leaf))
        self.events.append((leaf, None, source, None))

    def stands_in(self, leaf: Value) -> None:
        """Record that `leaf`, just made of a constant, has the place of a number among the elements of a sequence."""
        self.values.discard(id(leaf))
        self.set_plain(leaf)
        self._stand_ins.add(id(leaf))

    def detached(self, source: Value) -> Value:
        """Return a new leaf with the number of `source`."""
        leaf = graph.make(Value, source.data, 0.0, source.label)
        self.made(leaf, source)
        return leaf

    def passed_on(self, node: Any) -> Any:
        """Return what `node` is in an eager run, in all calls, where it stands for another one."""
        while id(node) in self._passed:
            rows = self._branching.get(id(node))
            if rows and rows.are_regular:
                break
            node = self._passed[id(node)]
        return node

    def choosing(self, node: Any) -> list[Rows]:
        """Return the rows whose branches choose which of the nodes that they were given `node` is."""
        found = []
        while id(node) in self._passed:
            rows = self._branching.get(id(node))
            found += [rows] if rows and rows.pass_on() else []
            node = self._passed[id(node)]
        return found

    def identify(self, node: Value) -> Value:
        """Return what `node` is, which is about to be hashed by identity."""
        if self._rows is not None and self._rows.in_transform:
            self.unroll()  # derivatives of a batch call the function again, and a memo would give what it gave before
        for rows in self.choosing(node):
            rows.are_regular = False
        found: Value = self.passed_on(node)
        self.identified.append(found)
        return found

    def closed_over(self, outputs: Sequence[Any], epoch: int) -> list[Value]:
        """Return the `Value`s from before `epoch` that `outputs` depend on; none under `no_grad`, where it is plain.

        What another transform has given the function is one of them, not what that depends on.
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
        """Return what a transform gives its caller for `node`: eagerly a number unless a source is a `Value`."""
        link = self.without_kind(node)
        self.sources[id(link)] = sources
        self.depends.add("is_inner")
        if self.around.is_inner:
            self.values.add(id(link))
        elif self.are_plain([source for source in sources if isinstance(source, Value)]):
            self.set_plain(link)
        if self._plain.isdisjoint((id(link), id(node))) and not self.is_silent:
            self._passed[id(link)] = node  # which an eager run gives
        return link

    def without_kind(self, node: Value) -> Value:
        """Return a link to `node` that no caller is given: so it makes nothing a `Value`, nor a plain number."""
        link = observe(graph.make(Value, node.data, 0.0, node.label, IDENTITY, node))
        self.sources[id(link)], self._given[id(link)] = (), modes.epoch
        for known in (self._plain, plain):
            known.discard(id(link))
        return link

    def are_plain(self, operands: Iterable[Value]) -> bool:
        """Return whether `operands` are plain numbers in an eager run."""
        return all([id(operand) in self._plain for operand in operands])

    def set_plain(self, node: Node) -> None:
        """Record that `node` is a plain number in an eager run."""
        self._plain.add(id(node))
        plain.add(id(node))

    def hashed(self, node: Value) -> int:
        """Return the hash of a plain number, which has to be the same number again."""
        number = self.exact.get(id(node), node.data)
        if number != number:  # nan hashes by identity
            self.cannot_follow("hash() of nan")
        self.unroll()
        self._hashed.append(node)
        self.guard("{} == {}", (node, number), True)
        return hash(number)

    def let_go(self) -> None:
        """Let what was hashed be found no more in dicts that outlive the trace, and its numbers be known there."""
        for node in self._hashed:
            node.data = nan
        ended.update(self.inputs)

    def softmax(self, xs: tuple[Any, ...], of_numbers: Callable[[list[float]], list[float]]) -> list[Value]:
        """Return the softmax of `xs`, which is one step here; `of_numbers` is the function for plain numbers."""
        nodes = as_nodes(xs)
        whole = graph.make(Value, 0.0, 0.0, "", OF_SOFTMAX, (nodes,))
        numbers = of_numbers([x.data for x in nodes])
        shares = [graph.make(Value, share, 0.0, "", OF_SHARE, whole, index) for index, share in enumerate(numbers)]
        for node in (whole, *shares):
            self.see(node)
        return shares

    def guard(self, test: str, compared: tuple[Any, ...], outcome: Any) -> Any:
        """Record a decision; return its outcome."""
        self.events.append(Guard(test, compared, outcome))
        return outcome

    def is_integer(self, value: Value) -> bool:
        """Return whether `value` is an integer in an eager run, which is about to be used as one."""
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
        """Record a use of `operands` for which it matters whether they are integers."""
        self.wholes.update([self.places[id(operand)] for operand in operands if id(operand) in self.places])
        if self.keeps_types:
            self.unroll()

    def unroll(self) -> None:
        """Record that the rows which are traced now cannot be a loop."""
        if self._rows is not None:
            self._rows.use_indices = True

    def meets(self, others: Sequence[Any]) -> None:
        """Record that a number meets `others`, of which it may make something of their own type."""
        if self.keeps_types and not all([isinstance(x, int | float | Value) or not is_number(x) for x in others]):
            self.cannot_follow("an operation on an integer and something else than a float")

    def whole(self, name: str, operands: tuple[Any, ...], original: Callable[[], Any]) -> Any:
        """Return the node of the rule `name` on `operands`, all of which may be integers.

        Args:
            name: an operator's rule.
            operands: nodes and integers.
            original: makes the node where all are floats.
        """
        if name == "div" and not any([self.is_computed(operand) for operand in operands]):
            return original()  # the quotient of floats is the same one
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
        """Record that `node`, here `number`, may be an integer in an eager run."""
        self.exact[id(node)] = exact[id(node)] = number

    def is_computed(self, operand: Any) -> bool:
        """Return whether `operand` was computed of what may be integers."""
        return id(operand) in self.exact and id(operand) not in self.places

    def cannot_follow(self, what: str, why: str = "") -> None:
        """Record something that a program cannot tell."""
        self.obstacle = self.obstacle or f"{what} at {users_line()}{why}"

    def enter(self, row: Row) -> None:
        """Take note of what happens in `row` from now on."""
        self.events = row.events

    def alias(self, aliases: Sequence[Alias], branches: Rows | None = None) -> None:
        """Record nodes that stand for others: for the results of `branches`, if they do."""
        for node, source in aliases:
            self._passed[id(node)] = source
            if branches is not None:
                self._branching[id(node)] = branches
            if id(source) in self.places:
                self.places[id(node)] = self.places[id(source)]
            if id(source) in self._plain:
                self.set_plain(node)
            if id(source) in self.exact:
                self.set_exact(node, self.exact[id(source)])

    def hide(self, nodes: Sequence[Value]) -> None:
        """Take note that `nodes` are no part of what happens."""
        self.hidden.update(map(id, nodes))

    def is_value(self, operand: Any) -> bool:
        """Return whether `operand`, is a `Value` in an eager run too, or has one among it."""
        return any(map(self.is_value, operand)) if isinstance(operand, tuple) else id(operand) in self.values

    def kind(self, node: Value) -> tuple[bool, bool]:
        """Return whether `node` is a `Value` in an eager run too, and whether it may be an integer there."""
        return self.is_value(node), self.keeps_types and id(node) in self.exact
