"""A run of a function on fresh leaves, with which every transform begins, and the passes over what it recorded.

The fresh leaves replace the arguments: nested runs cannot confuse their inputs, and everything that is not an argument
is a constant. After the run, a leaf that replaced a `Value` becomes a link to it, so that derivatives propagate there.

Derivatives are recorded if an argument is a `Value` or the function closes over one. In a trace they always are, so
that the program has their operations; the trace decides later whether the caller gets numbers or `Value`s.
"""

from __future__ import annotations

from microgrid.engine import modes
from microgrid.engine.modes import active, before_backward, gc_paused, is_silent, observers, tracing
from microgrid.engine.numbers import as_number, is_node, zero_like
from microgrid.engine.operations import make_links
from microgrid.engine.sweeps import Guarded, adjoints, between, counts, seeded, tangents
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.transforms import arrays, nests
from microgrid.transforms.series import Series, expansions, magnified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Function = Callable[..., Any]
    Argnums = int | Sequence[int]

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`


class Differentiation(Guarded):
    """The mode in which a transform runs a function.

    Attributes:
        known: nodes that inner runs have already walked over; later ones skip them. Without this, a function that
            calls `grad` in a loop would take quadratic time.
    """

    def __init__(self, name: str, inputs: Sequence[Value]) -> None:
        super().__init__(name, inputs)
        self.known: set[Value] = set()


def surrounding() -> Differentiation | None:
    """Return the innermost transform that is running in this thread or task, if any."""
    return next((mode for mode in reversed(active()) if isinstance(mode, Differentiation)), None)


def recording_role() -> str:
    """Return the role in which derivatives are recorded now."""
    return "trace" if tracing() else "record"


def name_of(transform: str, function: Function) -> str:
    """Return the name of `transform` of `function` in errors: `grad(f)`."""
    if not callable(function):
        raise TypeError(f"{transform} expects a function, got {type(function).__name__} {function!r:.60}")
    return f"{transform}({getattr(function, '__name__', None) or f'{function!r:.60}'})"


def argument_positions(name: str, argnums: Argnums, count: int) -> list[int]:
    """Return the positions, among `count` arguments, that `argnums` names.

    Raises:
        TypeError: if `argnums` is neither an integer nor a sequence of integers, is out of range, or names an argument
            twice.
    """
    given = argnums if isinstance(argnums, list | tuple | range) else (argnums,)
    if not all(isinstance(position, int) for position in given):
        raise TypeError(f"{name}: expected argnums to be an integer or a tuple of them, got {argnums!r:.60}")
    if not all(-count <= position < count for position in given):
        raise TypeError(f"{name}: argnums is {argnums!r:.60}, but there are {count} positional arguments")
    positions = [position % count for position in given]
    if len({*positions}) < len(positions):
        raise TypeError(f"{name}: argnums is {argnums!r:.60}, which names an argument twice")
    return positions


def plain(leaf: Any) -> Any:
    """Return the number of a leaf."""
    return leaf.data if is_node(leaf) else as_number(leaf)


def as_node(number: Any) -> Value:
    """Return `number` as a `Value`."""
    return number if is_node(number) else Value(number)


def detached(leaf: Any) -> Value:
    """Return the number of a leaf as a new `Value`, even where it is a plain number in eager runs."""
    trace = tracing() if observers and is_node(leaf) else None
    node: Value = trace.detached(leaf) if trace else leaf.detach() if is_node(leaf) else Value(plain(leaf))
    return node


def closed_over(outputs: Iterable[Any], nodes: Iterable[Value], epoch: int) -> list[Value]:
    """Return the leaves made before `epoch`, except frozen ones, among `outputs` and the parents of `nodes`."""
    found = [out for out in outputs if is_node(out) and out.op is None and out._x < epoch]
    for node in nodes:
        fan = node.op.fan
        if not fan:
            found += [parent for parent in node.parents if parent.op is None and parent._x < epoch]
            continue
        parent = node._x
        if parent.op is None and parent._x < epoch:
            found.append(parent)
        if fan == 2:
            parent = node._y
            if parent.op is None and parent._x < epoch:
                found.append(parent)
    return [leaf for leaf in dict.fromkeys(found) if not leaf._is_frozen]


def paired(name: str, nest: Any, given: Any) -> tuple[list[Any], bool]:
    """Return the leaves of `given` in the order of `nest`, which has the same shape, and whether one is a `Value`."""
    found: list[Any] = []
    walk = nests.Walk(lambda leaf, number: found.append(number))
    walk.visit(name, False, nest, given)
    return found, walk.met_value


class Run:
    """One run of a function, on fresh leaves in place of the arguments that it is differentiated by.

    Args:
        name: the name of the transform in errors.
        function: the function; with `has_aux` it returns a pair, of which only the first element is differentiated.
        args, kwargs: its arguments.
        argnums: which of `args` it is differentiated by; negative positions count from the end.

    Attributes:
        nests: the arguments that it is differentiated by.
        is_single: whether `argnums` is an integer, so that the gradient is that of one argument and not a tuple.
        inputs: the fresh leaves.
        out, outputs: the result, as a nest and as its leaves.
        witnesses: the numbers and `Value`s from which a trace decides whether the caller gets `Value`s: the arguments,
            tangents, and unless another transform surrounds this one, the `Value`s that the function closes over.
        nodes: the inner nodes that depend on `inputs`, parents first.
        records: whether derivatives are recorded.
    """

    def __init__(
        self,
        name: str,
        function: Function,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        argnums: Argnums,
        has_aux: bool = False,
    ) -> None:
        self.name = name
        positions = argument_positions(name, argnums, len(args))
        self.nests = [args[position] for position in positions]
        self.is_single = isinstance(argnums, int)
        self.sources: list[Any] = []
        self.inputs: list[Value] = []
        outside = surrounding()
        self.is_nested = outside is not None
        self.records = self.is_nested or (bool(observers) and tracing() is not None)
        epoch = modes.new_epoch()
        arguments = list(args)
        for position, nest in zip(positions, self.nests, strict=True):
            walk = nests.Walk(self.enter)
            arguments[position] = walk.visit(f"{name}: argument {position}", False, nest)
            self.records = self.records or walk.met_value
        with gc_paused():
            with Differentiation(name, self.inputs):
                result = function(*arguments, **kwargs)
            if has_aux and not (isinstance(result, tuple) and len(result) == 2):
                raise TypeError(f"{name}: has_aux expects the function to return a pair, got {result!r:.60}")
            self.out: Any = arrays.unwrapped(result[0] if has_aux else result)
            self.aux: Any = result[1] if has_aux else None
            self.outputs = nests.leaves(f"{name}: the result", self.out)
            known = outside.known if outside else set()
            order, self.nodes, self.reached = between(self.inputs, self.outputs, seen=known)
            known.difference_update(self.nodes)  # `known` would keep them alive when the caller drops the result
            trace = tracing() if observers else None
            closed: list[Value] = []
            if not (outside or (observers and is_silent())):
                closed = trace.closed_over(self.outputs, epoch) if trace else closed_over(self.outputs, order, epoch)
        for out in filter(is_node, self.outputs if observers else ()):
            before_backward(out)
        self.witnesses = [*self.sources, *closed]
        self.records = self.records or bool(closed)
        if self.records:
            make_links(self.inputs, self.sources)

    def enter(self, source: Any) -> Value:
        """Return a fresh leaf that replaces `source`, a number or a `Value`."""
        leaf = detached(source)
        self.sources.append(source)
        self.inputs.append(leaf)
        return leaf

    def check_scalar(self) -> None:
        """Raise TypeError unless the result is one number."""
        if len(self.outputs) != 1 or self.outputs[0] is not self.out:
            shown = f"{type(self.out).__name__} {self.out!r:.60}"
            raise TypeError(
                f"{self.name}: expected the function to return one number, got {shown}; use jacobian or vjp"
            )

    def pull(self, seeds: Iterable[Any], records: bool) -> list[Any]:
        """Return the adjoints of the inputs, given `seeds`, those of the outputs."""
        seeds = list(seeds)
        table: dict[Value, Any] = seeded(self.outputs, seeds, self.reached)
        if records:
            table = {out: as_node(seed) for out, seed in table.items()}
        with gc_paused():
            adjoints(self.nodes, table, recording_role() if records else "vjp", self.reached)
        return [self.finished(table.get(leaf, 0), leaf, records, seeds) for leaf in self.inputs]

    def push(self, seeds: Iterable[Any], records: bool) -> list[Any]:
        """Return the tangents of the outputs, given `seeds`, those of the inputs."""
        pairs = zip(self.inputs, seeds, strict=True)
        table = {leaf: as_node(seed) if records else seed for leaf, seed in pairs if counts(seed)}
        with gc_paused():
            tangents(self.nodes, table, f"jvp_{recording_role()}" if records else "jvp")
        return [self.finished(table.get(out, 0) if is_node(out) else 0, out, records) for out in self.outputs]

    def expand(self, nodes: Iterable[Value], order: int, exponent: int, records: bool) -> dict[Value, Series]:
        """Return the series of the single input, `x + 2**exponent * t`, and of `nodes`, up to the power `order`."""
        (leaf,) = self.inputs
        start = leaf if records else leaf.data
        table = {leaf: Series([start, magnified(one_of(leaf), exponent), *[0] * order][: order + 1])}
        with gc_paused():
            expansions(nodes, table, recording_role() if records else "")
        return table

    def terms(self, out: Any, table: Mapping[Value, Series], order: int) -> list[Any]:
        """Return the terms of an output up to the power `order`: from `table`, or zeros if it is a constant."""
        if is_node(out) and out in table:
            return [self.finished(term, out, self.records) for term in table[out].terms]
        return [self.finished(out, out, self.records), *[self.finished(0, out, self.records)] * order]

    def finished(self, amount: Any, like: Any, records: bool, seeds: Sequence[Any] = ()) -> Any:
        """Return a derivative as a node if it is recorded, else as a number; an absent one is a zero like `like`."""
        number = zero_like(plain(like)) + amount if type(amount) is int else amount
        return self.as_result(number, seeds) if records else plain(number)

    def as_result(self, number: Any, seeds: Sequence[Any] = ()) -> Value:
        """Return a number or node as the `Value` that the caller gets; compiled code may turn it into a number again.

        Under `no_grad` it is always a new leaf.
        """
        node = detached(number) if is_silent() else as_node(number)
        trace = None if self.is_nested else tracing()
        return node if trace is None else trace.given(node, [*self.witnesses, *seeds])

    def in_nest(self, numbers: Iterable[Any]) -> Any:
        """Return the nests of the arguments with `numbers` as leaves: a tuple, or one if `argnums` is an integer."""
        source = iter(numbers)
        filled = tuple(nests.rebuilt(nest, source) for nest in self.nests)
        return filled[0] if self.is_single else filled

    def results(self) -> Any:
        """Return the result of the function: numbers, or nodes if derivatives are recorded."""
        return nests.replace(self.finished_result, f"{self.name}: the result", self.out)

    def finished_result(self, leaf: Any) -> Any:
        """Return a number of the result: a node if derivatives are recorded."""
        if not self.records:
            return plain(leaf)
        return self.as_result(leaf)

    def with_aux(self, answer: Any, has_aux: bool) -> Any:
        """Return `answer`, or with `has_aux` the pair of `answer` and the auxiliary result."""
        if not has_aux:
            return answer
        if self.records and not is_silent() and (self.is_nested or not tracing()):
            return answer, self.aux
        trace = tracing()

        def finished(leaf: Any) -> Any:
            is_number = not is_node(leaf) or (trace is not None and trace.are_plain([leaf]))
            return leaf if is_number else self.finished_result(leaf)

        return answer, nests.converted(finished, self.aux)


def one_of(leaf: Any) -> Any:
    """Return a one of the type of `leaf`, the seed of its derivative by itself."""
    return zero_like(plain(leaf)) + 1
