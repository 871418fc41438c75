"""A run of a function on leaves of its own: what all transforms begin with, and the passes over what it recorded.

The leaves stand in the place of the arguments, so that nested runs cannot be confused, and what is not an argument is a
constant. After the run, a leaf in the place of a `Value` becomes a node that leads on to it.
"""

from __future__ import annotations

from microgrid import graph, tree
from microgrid.conversions import as_number, is_node, show, zero_like
from microgrid.engine import Value
from microgrid.modes import Mode, active, apart, gc_paused, no_grad, tracing
from microgrid.operations import operation
from microgrid.passes import adjoints, counts, dependents, tangents
from microgrid.series import Series, expansions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Function = Callable[..., Any]
    Argnums = int | Sequence[int]

IDENTITY = operation("identity", (True,))


class Differentiation(Mode):
    """The mode in which a transform runs a function: what depends on its inputs does not become a float unnoticed.

    A `no_grad` around the transform does not reach into it.
    """

    def __init__(self, name: str, inputs: Sequence[Value]) -> None:
        super().__init__(None)
        self.name, self.inputs = name, inputs

    def __enter__(self) -> Any:
        self._apart = apart(lambda mode: not isinstance(mode, no_grad)).__enter__()
        return super().__enter__()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._apart.__exit__()

    def before_float(self, node: Value) -> None:
        """Raise TypeError if `node` depends on an input."""
        if node in dependents(graph.inner_nodes(node), self.inputs):
            raise TypeError(
                f"{self.name}: float({show(node)}) would drop the derivative; use microgrid.math in place of math, "
                f"and v.data where a plain number is meant"
            )


def is_nested() -> bool:
    """Return whether a transform is running a function in this thread or task."""
    return any(isinstance(mode, Differentiation) for mode in active())


def recording_role() -> str:
    """Return the role that makes derivatives as nodes, here and now."""
    return "trace" if tracing() else "record"


def name_of(transform: str, function: Function) -> str:
    """Return what errors call `transform` of `function`."""
    if not callable(function):
        raise TypeError(f"{transform} expects a function, got {type(function).__name__} {function!r:.60}")
    return f"{transform}({getattr(function, '__name__', repr(function))})"


def plain(leaf: Any) -> Any:
    """Return the number of a leaf."""
    return leaf.data if is_node(leaf) else as_number(leaf)


def as_node(number: Any) -> Value:
    """Return `number` as a `Value`."""
    return number if is_node(number) else Value(number)


class Run:
    """One run of a function, with leaves of its own in the place of the arguments that it is differentiated by.

    Args:
        name: what errors call the transform.
        function: the function; with `has_aux` it returns a pair, of which only the first part is differentiated.
        args, kwargs: its arguments.
        argnums: which of `args` it is differentiated by; negative numbers count from the end.

    Attributes:
        nest: the differentiated arguments, bare if `argnums` is an integer.
        inputs: the leaves in the place of theirs.
        out, outputs: the result, as a nest and as its leaves.
        nodes: the inner nodes that depend on `inputs`, parents first.
        records: whether derivatives are nodes.
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
        places = [argnums] if isinstance(argnums, int) else list(argnums)
        if not all(-len(args) <= place < len(args) for place in places):
            raise TypeError(f"{name}: argnums is {argnums}, but there are {len(args)} positional arguments")
        nests = [args[place] for place in places]
        self.nest = nests[0] if isinstance(argnums, int) else tuple(nests)
        self.sources: list[Any] = []
        self.inputs: list[Value] = []
        self.records = is_nested()
        arguments = list(args)
        for place, nest in zip(places, nests, strict=True):
            walk = tree.Walk(self.enter)
            arguments[place] = walk.visit(f"{name}: argument {place % len(args)}", False, nest)
            self.records = self.records or walk.met_value
        with gc_paused():
            with Differentiation(name, self.inputs):
                result = function(*arguments, **kwargs)
            if has_aux and not (isinstance(result, tuple) and len(result) == 2):
                raise TypeError(f"{name}: has_aux expects the function to return a pair, got {result!r:.60}")
            self.out: Any = result[0] if has_aux else result
            self.aux: Any = result[1] if has_aux else None
            self.outputs = tree.leaves(f"{name}: the result", self.out)
            order = graph.inner_nodes(*filter(is_node, self.outputs))
            self.reached = dependents(order, self.inputs)
            self.nodes = [node for node in order if node in self.reached]
        if self.records:
            for leaf, source in zip(self.inputs, self.sources, strict=True):
                if is_node(source):
                    leaf.op, leaf._x = IDENTITY, source

    def enter(self, source: Any) -> Value:
        """Return a new leaf that takes the place of `source`, a number or a `Value`."""
        leaf = source.detach() if is_node(source) else Value(source)
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

    def one_of(self, leaf: Any) -> Any:
        """Return the derivative of `leaf` by itself."""
        return zero_like(plain(leaf)) + 1

    def pull(self, seeds: Iterable[Any], records: bool) -> list[Any]:
        """Return the adjoints of the inputs, where `seeds` are those of the outputs."""
        table: dict[Value, Any] = {}
        for out, seed in zip(self.outputs, seeds, strict=True):
            if is_node(out) and out in self.reached and counts(seed):
                seed = as_node(seed) if records else seed
                table[out] = table[out] + seed if out in table else seed
        with gc_paused():
            adjoints(self.nodes, table, recording_role() if records else "vjp", self.reached)
        return [finished(table.get(leaf, 0), leaf, records) for leaf in self.inputs]

    def push(self, seeds: Iterable[Any], records: bool) -> list[Any]:
        """Return the tangents of the outputs, where `seeds` are those of the inputs."""
        pairs = zip(self.inputs, seeds, strict=True)
        table = {leaf: as_node(seed) if records else seed for leaf, seed in pairs if counts(seed)}
        with gc_paused():
            tangents(self.nodes, table, f"jvp_{recording_role()}" if records else "jvp")
        return [finished(table.get(out, 0) if is_node(out) else 0, out, records) for out in self.outputs]

    def expand(self, order: int) -> list[list[Any]]:
        """Return the Taylor coefficients of the outputs along the only input, up to the power `order`."""
        (leaf,) = self.inputs
        start = leaf if self.records else leaf.data
        table = {leaf: Series([start, self.one_of(leaf), *[zero_like(leaf.data)] * order][: order + 1])}
        with gc_paused():
            expansions(self.nodes, table, self.records)
        return [
            [finished(term, out, self.records) for term in table[out].terms]
            if is_node(out) and out in table
            else [finished(out, out, self.records), *[finished(0, out, self.records)] * order]
            for out in self.outputs
        ]

    def in_nest(self, numbers: Sequence[Any]) -> Any:
        """Return the nest of the arguments with `numbers` as its leaves; the parameters of a module are `Value`s."""
        pairs = zip(numbers, self.sources, strict=True)
        return tree.rebuilt(self.nest, [as_node(number) if is_node(source) else number for number, source in pairs])

    def results(self) -> Any:
        """Return what the function returned, as numbers unless derivatives are recorded."""
        return tree.converted(as_node if self.records else plain, self.out)

    def with_aux(self, answer: Any, has_aux: bool) -> Any:
        """Return `answer`, in a pair with the auxiliary result if there is one."""
        return (answer, self.aux if self.records else tree.converted(plain, self.aux)) if has_aux else answer


def finished(amount: Any, like: Any, records: bool) -> Any:
    """Return a derivative as a node if it is recorded, else as a number; zero is of the type of `like`."""
    number = zero_like(plain(like)) + amount if type(amount) is int else amount
    return as_node(number) if records else plain(number)
