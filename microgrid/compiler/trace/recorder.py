"""Tracing: one run of a function on recording values, and what it did as a program.

Operations are seen as nodes are made, everything else by the instruments that `Value` has meanwhile.
"""

from __future__ import annotations

from itertools import product
from math import nan
from typing import NamedTuple
from weakref import WeakSet

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.program.form import AS_FLOAT, DETACH, INDEX, SHARE, SOFTMAX, Guard, Loop, Program, Step
from microgrid.compiler.projections import PROJECTION
from microgrid.compiler.trace.batch import Batch
from microgrid.compiler.trace.instrument import exact, instrument, plain, restore
from microgrid.compiler.trace.rolling import Roller
from microgrid.compiler.trace.rows import Alias, Irregular, Row, Rows
from microgrid.engine import graph, modes
from microgrid.engine.anomaly import users_line
from microgrid.engine.messages import show
from microgrid.engine.modes import observe
from microgrid.engine.numbers import MATH_ERRORS, is_number
from microgrid.engine.operations import BASE_FUNCTIONS, IDENTITY, NUMBERS, Operation, operation
from microgrid.engine.recording import as_nodes, evaluate
from microgrid.engine.value import Value
from microgrid.rules.table import RULES, Rule
from microgrid.transforms.run import surrounding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Any

    from microgrid.engine.node import Node

OF_INTEGERS = ("prod", "sumprod")  # functions that give an integer for integers; operators are instrumented
MIXED = ("add", "sub", "mul", "div")  # what Python does with an integer and a float as with two floats
OWN = ("d", "p", "row", "kept")  # what other names in generated code begin with
MOST_STEPS = 200_000  # of a program: so many take about half a minute to compile
LARGEST_BITS = 1024  # of an integer that a float can be compared with
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


class Trace(modes.Mode):
    """The mode in which a function is traced.

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
        self._places = {id(leaf): place for place, leaf in enumerate(self.inputs)}
        self._leaves = leaves or numbers
        self._names: dict[int, Any] = {key: f"input{place}" for key, place in self._places.items()}
        # The ids of all that is a `Value` in an eager run too.
        self._values = {id(new) for new, leaf in zip(self.inputs, self._leaves, strict=True) if isinstance(leaf, Value)}
        # The ids of all plain numbers there: results of transforms may be some, the leaves that these make never are.
        self._plain = set(self._places) - self._values
        self._hashed: list[Value] = []  # by value
        self._identified: list[Value] = []  # by identity
        places = [place for place, leaf in enumerate(self._leaves) if not isinstance(leaf, Value)]
        self.keeps_types = bool(whole) or (whole is None and any([isinstance(self._leaves[n], int) for n in places]))
        # What may be an integer in an eager run: plain arguments, and what operators make of these and integers alone.
        self._exact = {id(self.inputs[place]): self._leaves[place] for place in (places if whole is None else whole)}
        self._stand_ins: set[int] = set()  # the ids of leaves in the place of numbers
        self._quotients: set[int] = set()  # the ids of those of such numbers
        self._others: set[Value] = set()  # the inner nodes that led to values of others
        self._events: list[Any] = []  # nodes as they were made, and guards; they keep every id from being used again
        self._sources: dict[int, Sequence[Any]] = {}  # by the id of a derivative, what it is a `Value` with
        self._passed: dict[int, Value] = {}  # by the id of an alias, what it stands for
        self._branching: dict[int, Rows] = {}  # by the id of one, the rows that give another thing in other branches
        self._given: dict[int, int] = {}  # by the id of a derivative, the epoch in which it was made
        self._rows: Rows | None = None  # of the batch that is being mapped
        self._left: dict[int, Rows] = {}  # the ids of nodes that were made in rows, and are known there only
        self._hidden: set[int] = set()  # the ids of nodes that were made in copies of rows, which are no part of it

    def __enter__(self) -> Any:
        self._apart = modes.apart().__enter__()
        super().__enter__()
        plain.update(self._plain)
        exact.update(self._exact)
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
        for key in self._exact:
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
        self._events.append((node, op, x, y))
        if id(x) in self._plain if op.fan == 1 else self.are_plain((x, y) if op.fan else node.parents):
            self.set_plain(node)
            if op.name in OF_INTEGERS:
                self.takes_integers(op.name, [x for x in node.parents if id(x) not in self._stand_ins])

    def made(self, leaf: Value, source: Value | None = None, stands_in: bool = False) -> None:
        """Take note of a leaf that is made in the trace: of a constant, or of the number of `source`.

        With `stands_in` it has the place of a number among the elements of a sequence.
        """
        if leaf.op is not None:
            self.cannot_follow("a hand-written operation")
        elif type(leaf.data) is not float:
            self.cannot_follow("a fraction")
        if source is None and not stands_in:
            self._values.add(id(leaf))
        elif source is None:
            self.set_plain(leaf)
            self._stand_ins.add(id(leaf))
        self._events.append((leaf, None, source, None))

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

    def identified(self, node: Value) -> Value:
        """Return what `node` is, which is about to be hashed by identity."""
        if self._rows is not None and self._rows.in_transform:
            self.unroll()  # derivatives of a batch call the function again, and a memo would give what it gave before
        for rows in self.choosing(node):
            rows.are_regular = False
        found: Value = self.passed_on(node)
        self._identified.append(found)
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
            self._values.update([id(node) for node in found if node.op is None and node._x < self._epoch])
        return [] if self.is_silent else found

    def given(self, node: Value, sources: Sequence[Any]) -> Value:
        """Return what a transform gives its caller for `node`: eagerly a number unless a source is a `Value`."""
        link = self.without_kind(node)
        self._sources[id(link)] = sources
        self.depends.add("is_inner")
        if self.around.is_inner:
            self._values.add(id(link))
        elif self.are_plain([source for source in sources if isinstance(source, Value)]):
            self.set_plain(link)
        if self._plain.isdisjoint((id(link), id(node))) and not self.is_silent:
            self._passed[id(link)] = node  # which an eager run gives
        return link

    def without_kind(self, node: Value) -> Value:
        """Return a link to `node` that no caller is given: so it makes nothing a `Value`, nor a plain number."""
        link = observe(graph.make(Value, node.data, 0.0, node.label, IDENTITY, node))
        self._sources[id(link)], self._given[id(link)] = (), modes.epoch
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
        number = self._exact.get(id(node), node.data)
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
        self._events.append(Guard(test, compared, outcome))
        return outcome

    def is_integer(self, value: Value) -> bool:
        """Return whether `value` is an integer in an eager run, which is about to be used as one."""
        if id(value) not in self._exact:
            return False
        self.types_matter([value])
        return isinstance(self._exact[id(value)], int)

    def takes_integers(self, name: str, operands: Sequence[Value]) -> None:
        """Record a function whose result is an integer if all its `operands` are."""
        if all([id(operand) in self._exact for operand in operands]):
            self.types_matter(operands)
            if self.keeps_types:
                self.cannot_follow(f"{name}() of integers")

    def types_matter(self, operands: Iterable[Any]) -> None:
        """Record a use of `operands` for which it matters whether they are integers."""
        self.wholes.update([self._places[id(operand)] for operand in operands if id(operand) in self._places])
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
            number = evaluate(RULES[name], [self._exact.get(id(x), x) for x in operands], NUMBERS)
            data = float(number)
        except (*MATH_ERRORS, TypeError):
            self.cannot_follow(f"an error in {name}")
            raise
        mask = tuple([isinstance(operand, Value) for operand in operands])
        slots = operands if all(mask) else sorted(operands, key=lambda operand: not isinstance(operand, Value))
        node = graph.make(Value, data, 0.0, "", operation(name, mask), *slots)
        observe(node)
        if name == "div":
            self._quotients.add(id(node))
        else:
            self.set_exact(node, number)
        return node

    def set_exact(self, node: Value, number: int | float) -> None:
        """Record that `node`, here `number`, may be an integer in an eager run."""
        self._exact[id(node)] = exact[id(node)] = number

    def is_computed(self, operand: Any) -> bool:
        """Return whether `operand` was computed of what may be integers."""
        return id(operand) in self._exact and id(operand) not in self._places

    def cannot_follow(self, what: str, why: str = "") -> None:
        """Record something that a program cannot tell."""
        self.obstacle = self.obstacle or f"{what} at {users_line()}{why}"

    def mapped(self, function: Callable[..., Any], batch: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the results of `function` for the rows of a batch, which become a loop if they can be one."""
        if not self.rolls or self._rows is not None or len(batch) < 2:
            return [function(*arguments) for arguments in batch]
        in_transform = surrounding() is not None
        derived = Batch(function) if in_transform else None
        events, self._rows = self._events, Rows(in_transform)
        events.append(self._rows)
        try:
            results = self._rows.results(self, derived.call if derived else function, batch)
            if derived:
                derived.join(self._rows)
            return results
        finally:
            self._events, self._rows = events, None

    def enter(self, row: Row) -> None:
        """Take note of what happens in `row` from now on."""
        self._events = row.events

    def alias(self, aliases: Sequence[Alias], branches: Rows | None = None) -> None:
        """Record nodes that stand for others: for the results of `branches`, if they do."""
        for node, source in aliases:
            self._passed[id(node)] = source
            if branches is not None:
                self._branching[id(node)] = branches
            if id(source) in self._places:
                self._places[id(node)] = self._places[id(source)]
            if id(source) in self._plain:
                self.set_plain(node)
            if id(source) in self._exact:
                self.set_exact(node, self._exact[id(source)])

    def hide(self, nodes: Sequence[Value]) -> None:
        """Take note that `nodes` are no part of what happens."""
        self._hidden.update(map(id, nodes))

    # The program

    def name(self, operand: Any) -> Any:
        """Return the name of a value, that of a new input if it was made elsewhere; or a plain number."""
        key = id(operand)
        known = self._names.get(key)
        if known is not None:
            return known
        if isinstance(operand, Value):
            if key in self._hidden:
                self.obstacle = self.obstacle or "a function under vmap that does more than return a result"
                return operand.data
            if key in self._left:
                raise Irregular(self._left[key])
            if self.is_of_another(operand):
                self.obstacle = self.obstacle or f"a number of an earlier trace, {show(operand)}, is met again"
            self._values.add(key)
            self._names[key] = f"leaf{len(self.externals)}"
            self.externals.append(operand)
            return self._names[key]
        if isinstance(operand, tuple):
            return tuple(map(self.name, operand))
        if isinstance(operand, float):
            return float(operand)
        if isinstance(operand, int) and operand.bit_length() <= LARGEST_BITS:
            return int(operand)
        self.obstacle = self.obstacle or f"the constant {show(operand)} of type {type(operand).__name__}"
        return operand

    def is_of_another(self, node: Value) -> bool:
        """Return whether `node` was made from an input of a trace that has ended, or is one."""
        return not ended.isdisjoint([node, *graph.leaves(graph.inner_nodes(node, seen=self._others))])

    def name_as_is(self, operand: Any) -> Any:
        """Return the name of a value that is not converted to a float, of an integer too."""
        place = self._places.get(id(operand)) if self.keeps_types and id(operand) in self._exact else None
        return self.name(operand) if place is None else f"whole{place}"

    def names_of(self, steps: list[Any], number: str, operands: Iterable[Any]) -> list[Any]:
        """Return the names of what a function takes as floats, after adding the steps that convert them."""
        names: list[Any] = []
        for operand in operands:
            name = self.name(operand)
            if isinstance(operand, tuple):
                name = tuple(self.names_of(steps, f"{number}_{len(names)}", operand))
            elif self.keeps_types and self.is_computed(operand):
                target = variable(AS_FLOAT, f"{number}_{len(names)}")
                steps.append(Step(target, AS_FLOAT, (name,)))
                name = target
            names.append(name)
        return names

    def checked_program(self, outputs: Sequence[Any]) -> Program:
        """Return `program(outputs)`.

        Raises:
            Unfit: if it cannot tell all that happened, or is too long to compile.
        """
        choosing = [rows for output in outputs for rows in self.choosing(output)]
        self.depends.update(["is_silent"] if choosing else [])
        for rows in choosing if self.is_silent else ():
            rows.are_regular = False
        program = self.program(outputs)
        self.let_go()
        if self.obstacle:
            raise Unfit(self.obstacle)
        if program.size > MOST_STEPS:
            advice = "compile a part of it that is called often"
            raise Unfit(f"{program.size:,} operations are too many to compile; {advice}")
        return program

    def program(self, outputs: Sequence[Any]) -> Program:
        """Return what happened as a program; `outputs` are the leaves of the result."""
        self.types_matter([output for output in outputs if id(output) in self._exact])
        while True:
            self._left.clear()
            try:
                steps, named = self.steps(self.events()), tuple(map(self.name_as_is, outputs))
            except Irregular as found:
                found.rows.are_regular = False
                continue
            inputs = [f"input{place}" for place in range(len(self.inputs))]
            if self.keeps_types:
                inputs += [f"whole{place}" for place in sorted(self.wholes)]
            return Program((*inputs, *(f"leaf{index}" for index in range(len(self.externals)))), tuple(steps), named)

    def events(self) -> list[Any]:
        """Return what was noted, without rows that are no loop."""
        found: list[Any] = []
        for event in self._events:
            found += event.events() if isinstance(event, Rows) and not event.are_regular else [event]
        return found

    def steps(self, events: Sequence[Any], prefix: str = "") -> list[Any]:
        """Return the steps that `events` are; names end in `prefix` and a number."""
        steps: list[Step | Guard | Loop] = []
        for place, event in enumerate(events):
            number = f"{prefix}{place}"
            if isinstance(event, Guard):
                name = self.name_as_is if event.test == INDEX else self.name
                steps.append(event._replace(operands=tuple(map(name, event.operands))))
            elif isinstance(event, Alias):
                self.stand_for([event], [self.name(event.source)])
            elif isinstance(event, Rows):
                steps.append(Roller(self, number, event).loop())
            elif event[1] is not None:
                self.add_operation(steps, number, *event)
            else:
                self.add_leaf(steps, number, *event[::2])
        return steps

    def stand_for(self, aliases: Sequence[Alias], names: Sequence[Any]) -> None:
        """Give `names` to nodes that stand for others."""
        for (node, source), name in zip(aliases, names, strict=True):
            self._names[id(node)] = name
            if self.is_value(source):
                self._values.add(id(node))

    def leave(self, nodes: Sequence[Value], rows: Rows) -> None:
        """Forget the names of `nodes`, which were made in one of `rows`."""
        for node in nodes:
            self._names.pop(id(node), None)
            self._left[id(node)] = rows

    def add_operation(self, steps: list[Any], number: str, node: Value, op: Any, x: Any, y: Any) -> None:
        """Add the steps for a node that an operation made."""
        target = variable(op.rule, number)
        given = graph.operands(op, x, y)
        if id(node) in self._exact or id(node) in self._quotients:
            names = list(map(self.name_as_is, given))
        elif op.rule.name in MIXED:
            names = list(map(self.name, given))
        else:
            names = self.names_of(steps, number, given)
        steps.append(Step(target, op.rule, tuple(names)))
        if node.op is None:  # made under no_grad
            steps.append(Step(f"{target}_", DETACH, (target,)))
            target += "_"
        self._names[id(node)] = target
        sources = self._sources.get(id(node))
        if any(map(self.is_value, given) if sources is None else map(self.is_source, sources)):
            self._values.add(id(node))

    def add_leaf(self, steps: list[Any], number: str, leaf: Value, source: Value | None) -> None:
        """Add the step for a leaf that was made: of a number, or with that of another one."""
        if source is None:
            self._names[id(leaf)] = leaf.data
            return
        rule = DETACH if leaf.op is None else RULES["identity"]  # a transform made it a node afterwards
        steps.append(Step(variable(rule, number), rule, tuple(self.names_of(steps, number, [source]))))
        self._names[id(leaf)] = variable(rule, number)
        if self.is_value(source):  # which is known once it has a name
            self._values.add(id(leaf))

    def is_value(self, operand: Any) -> bool:
        """Return whether `operand`, known to the program, is a `Value` in an eager run too, or has one among it."""
        return any(map(self.is_value, operand)) if isinstance(operand, tuple) else id(operand) in self._values

    def kind(self, node: Value) -> tuple[bool, bool]:
        """Return whether `node` is a `Value` in an eager run too, and whether it may be an integer there."""
        return self.is_value(node), self.keeps_types and id(node) in self._exact

    def is_source(self, operand: Any) -> bool:
        """Return whether a transform returns `Value`s because of `operand`, which the trace may not know."""
        return self.is_unknown(operand) or self.is_value(operand)

    def is_unknown(self, operand: Any) -> bool:
        """Return whether `operand` is a `Value` that was not made in the trace, and that no step needs yet."""
        return isinstance(operand, Value) and not (id(operand) in self._names or id(operand) in self._left)

    def identified_others(self) -> list[Value]:
        """Return the values of others that were hashed by identity; the program has been made."""
        others = set(map(id, self.externals))
        return [node for node in self._identified if id(node) in others or self.is_unknown(node)]


def variable(rule: Rule, number: int | str) -> str:
    """Return a name for the result of `rule`, made from the rule's: not one that something else has.

    >>> variable(RULES["mul"], 3), variable(RULES["log"], "2_0")
    ('mul_3', 'log_2_0')
    """
    name = f"{rule.name}_{number}"
    taken = name in BASE_FUNCTIONS or name in RULES or rule.name in OWN or rule.name.startswith(("d_", "p_"))
    taken = taken or rule.name.rpartition("_")[2].isdigit()  # as what is in a loop
    return f"{rule.name}__{number}" if taken else name
