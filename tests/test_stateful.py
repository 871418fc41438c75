"""Nodes built, changed, differentiated, copied and deleted in any order, against the reference model in `model`."""

import copy
import gc
import operator
import pickle
import sys
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from microgrid import Value, math, no_grad
from microgrid.engine import modes
from tests import dual
from tests.model import Gradient, Record, ancestors, differentiate, has_gradients, number
from tests.profiles import examples

Operation = tuple[Callable[..., Any], Callable[..., Any]]  # on nodes, and on the model's numbers


def dotted(xs: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Return the two sequences and the bias that stand one after the other in `xs`."""
    half = len(xs) // 2
    return xs[:half], xs[half:-1], xs[-1]


def dot(ws: Any, xs: Any, b: Any) -> Any:
    """Return `b + ws[0] * xs[0] + ...`, taken from left to right."""
    for w, x in zip(ws, xs, strict=True):
        b = b + w * x
    return b


UNARY: dict[str, Operation] = {
    "negative": (operator.neg, operator.neg),
    "absolute": (abs, abs),
    "cubed": (lambda x: x**3, lambda x: x**3),
    "inverse": (lambda x: x**-1, lambda x: x**-1),
}
UNARY_OF_FLOATS: dict[str, Operation] = {
    "exp": (math.exp, dual.exp),
    "relu": (lambda x: x.relu(), dual.relu),
    "sin": (Value.sin, dual.sin),
    "tanh": (lambda x: x.tanh(), dual.tanh),
}
BINARY: dict[str, Operation] = {
    "+": (operator.add, operator.add),
    "-": (operator.sub, operator.sub),
    "*": (operator.mul, operator.mul),
    "/": (operator.truediv, operator.truediv),
}
SEQUENCES: dict[str, Operation] = {
    "prod": (lambda *xs: math.prod(xs), lambda *xs: dual.product(xs)),
    "dot": (lambda *xs: math.dot(*dotted(xs)), lambda *xs: dot(*dotted(xs))),
}
SEQUENCES_OF_FLOATS: dict[str, Operation] = {
    "fsum": (lambda *xs: math.fsum(xs), lambda *xs: dual.fsum(xs)),
    "maximum": (math.maximum, dual.maximum),
}
COPIES: dict[str, Callable[[list[Value]], list[Value]]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda nodes: pickle.loads(pickle.dumps(nodes)),
}
LARGEST, LARGEST_GRAPH, HIGHEST_ORDER = 100, 20, 2
NONE = multiple()  # what a rule adds to the bundle that adds nothing
SEEDS = st.sampled_from([None, 0, -2, 3])
ROUNDING = 1e-10  # relative to the largest number that took part: graphs are small


class Graphs(RuleBasedStateMachine):
    """Programs on nodes of floats.

    The model is the `Record`s, which the bundle holds. The nodes that a program would have names for are in `named`;
    of all others there are weak references only, so that it shows what keeps them alive.
    """

    nodes = Bundle("nodes")
    numbers: st.SearchStrategy[Any] = st.integers(-12, 12).map(lambda n: n / 4)
    unary = UNARY | UNARY_OF_FLOATS
    sequences = SEQUENCES | SEQUENCES_OF_FLOATS
    exact = False

    def __init__(self) -> None:
        super().__init__()
        self.named: dict[Record, Value] = {}
        self.references: dict[Record, weakref.ref[Value]] = {}
        self.reachable: set[Record] = set()
        self.in_cycles: set[Record] = set()  # no longer reachable, but maybe not freed before the collector runs
        self.modes = ExitStack()
        self.depth = 0
        gc.disable()
        gc.freeze()  # so that collecting takes no time for what was there before

    def teardown(self) -> None:
        """Leave the modes, and see all nodes go."""
        try:
            self.modes.close()
            assert not modes.observers and not modes.active()
            if sys.exc_info()[0] is None:  # else the traceback keeps nodes alive
                self.named.clear()
                self.what_is_deleted_is_freed()
                self.collect()
                self.what_is_deleted_is_freed()
        finally:
            gc.unfreeze()
            gc.enable()

    def add(self, node: Value, record: Record) -> Record:
        """Keep `node`, which the program has a name for, and `record`, which describes it."""
        self.named[record] = node
        self.references[record] = weakref.ref(node)
        return record

    def node(self, record: Record) -> Value:
        """Return the node that `record` describes."""
        node = self.references[record]()
        assert node is not None, "it was freed while it was in use"
        return node

    # Building

    @initialize(target=nodes, data=st.data())
    def two_leaves(self, data: st.DataObject) -> Any:
        """Make leaves, so that there is something to build on."""
        return multiple(*(self.leaf(data.draw(self.numbers), label) for label in "xy"))

    @rule(target=nodes, data=st.data(), label=st.sampled_from(["", "w", "x"]))
    def any_leaf(self, data: st.DataObject, label: str) -> Any:
        """Make a leaf."""
        return self.leaf(data.draw(self.numbers), label)

    def leaf(self, number: Any, label: str) -> Record:
        """Make a leaf of this number."""
        return self.add(Value(number, label=label), Record(number, label=label))

    def apply(self, operation: Operation, *arguments: Any) -> Any:
        """Do `operation` on records and numbers; nothing where the result would be too large or does not exist."""
        function, reference = operation
        parents = tuple(argument for argument in arguments if isinstance(argument, Record))

        def compute(*numbers: Any) -> Any:
            values = iter(numbers)
            return reference(*(next(values) if isinstance(x, Record) else x for x in arguments))

        try:
            data = compute(*(parent.data for parent in parents))
            fits = abs(data) <= LARGEST and (not self.exact or data.denominator <= LARGEST)
        except (ZeroDivisionError, OverflowError):
            fits = False
        if not fits or len(ancestors(*parents)) >= LARGEST_GRAPH:
            return NONE
        node = function(*(self.node(x) if isinstance(x, Record) else x for x in arguments))
        if self.depth:
            parents, compute = (), None  # type: ignore[assignment]
        record = Record(data, parents, compute)
        scale = max(x.scale for x in arguments if isinstance(x, Record))
        record.scale = scale and max(scale, abs(data))
        return self.add(node, record)

    @rule(target=nodes, x=nodes, data=st.data())
    def function(self, x: Record, data: st.DataObject) -> Any:
        """Apply a function of one argument."""
        return self.apply(self.unary[data.draw(st.sampled_from(sorted(self.unary)))], x)

    @rule(target=nodes, name=st.sampled_from(sorted(BINARY)), x=nodes, y=nodes)
    def operator(self, name: str, x: Record, y: Record) -> Any:
        """Apply an operator to two nodes."""
        return self.apply(BINARY[name], x, y)

    @rule(target=nodes, name=st.sampled_from(sorted(BINARY)), x=nodes, data=st.data(), left=st.booleans())
    def operator_with_constant(self, name: str, x: Record, data: st.DataObject, left: bool) -> Any:
        """Apply an operator to a node and a number."""
        constant = data.draw(self.numbers)
        return self.apply(BINARY[name], *((constant, x) if left else (x, constant)))

    @rule(target=nodes, xs=st.lists(nodes, min_size=2, max_size=4), data=st.data())
    def sequence(self, xs: list[Record], data: st.DataObject) -> Any:
        """Apply an operation on a sequence."""
        name = data.draw(st.sampled_from(sorted(self.sequences)))
        return self.apply(self.sequences[name], *([*xs, *reversed(xs), xs[0]] if name == "dot" else xs))

    # Changing

    @rule(x=nodes, data=st.data())
    def set_data(self, x: Record, data: st.DataObject) -> None:
        """Set the data of a leaf in the graph of `x`; nothing made from it may change."""
        leaves = [record for record in ancestors(x) if record.is_leaf]
        if leaves:
            leaf = data.draw(st.sampled_from(leaves))
            node = self.references[leaf]()
            if node is not None:  # a recorded gradient need not keep all leaves
                node.data = leaf.data = data.draw(self.numbers)
                leaf.version += 1
                leaf.scale = 0

    @rule(x=nodes, label=st.sampled_from(["", "y", "z"]))
    def set_label(self, x: Record, label: str) -> None:
        """Set a label."""
        if not isinstance(x, Gradient):
            self.node(x).label = x.label = label

    @rule(x=nodes)
    def zero_grad(self, x: Record) -> None:
        """Set a gradient to zero."""
        if not isinstance(x, Gradient):
            self.node(x).zero_grad()
            x.grad = x.grad_scale = 0

    # Differentiating

    def differentiate(self, x: Record, record: bool, seed: int | None) -> bool:
        """Differentiate, unless a leaf was set since, which is the caller's mistake; return whether it was done."""
        cut_off = self.depth and any(isinstance(node.grad, Gradient) for node in ancestors(x))
        if not x.is_fresh() or cut_off or x.order() + record > HIGHEST_ORDER:
            return False
        if self.depth and not self.node(x).parents:
            with pytest.raises(RuntimeError, match=r"^backward\(\) under no_grad\(\): nothing was recorded"):
                self.node(x).backward(create_graph=record)
            return False
        self.node(x).backward(**({} if seed is None else {"gradient": seed}), create_graph=record)
        differentiate(x, 1 if seed is None else seed, record, not self.depth)
        return True

    @rule(x=nodes, seed=SEEDS)
    def backward(self, x: Record, seed: int | None) -> None:
        """Differentiate."""
        self.differentiate(x, False, seed)

    @rule(target=nodes, x=nodes, seed=SEEDS, data=st.data())
    def backward_recorded(self, x: Record, seed: int | None, data: st.DataObject) -> Any:
        """Differentiate, recording the gradients, and take one of them to build on."""
        return self.gradient_of(data.draw(st.sampled_from(ancestors(x)))) if self.differentiate(x, True, seed) else NONE

    @rule(target=nodes, x=nodes)
    def gradient(self, x: Record) -> Any:
        """Take a recorded gradient, to build on it."""
        return self.gradient_of(x)

    def gradient_of(self, x: Record) -> Any:
        """Return the record of the gradient of `x`, which the program has a name for from now on."""
        node = self.references[x]() if x in self.references else None  # a recorded gradient need not keep all nodes
        if node is None or not isinstance(node.grad, Value) or not isinstance(x.grad, Gradient) or x.grad in self.named:
            return NONE
        return self.add(node.grad, x.grad)

    # Copying

    @rule(target=nodes, x=nodes)
    def detach(self, x: Record) -> Record:
        """Detach a node."""
        twin = Record(x.data, label=self.node(x).label)
        twin.scale = x.scale
        return self.add(self.node(x).detach(), twin)

    @rule(target=nodes, x=nodes)
    def shallow_copy(self, x: Record) -> Any:
        """Copy a node, but not its graph."""
        if isinstance(x, Gradient):
            return NONE
        twin = copy.copy(x)
        return self.add(copy.copy(self.node(x)), twin)

    @rule(target=nodes, xs=st.lists(nodes, min_size=1, max_size=2), how=st.sampled_from(sorted(COPIES)))
    def copies(self, xs: list[Record], how: str) -> Any:
        """Copy nodes together, with their graph."""
        if has_gradients(ancestors(*xs)):
            return NONE
        twins: dict[Record, Record] = {}
        roots = {}
        for x in xs:
            if how == "pickle":  # shares leaves, and the nodes that are pickled themselves
                twins = {leaf: twin for leaf, twin in twins.items() if leaf.is_leaf}
            roots.setdefault(x, twins.get(x) or self.twin(x, twins))
        nodes = COPIES[how]([self.node(x) for x in xs])
        waiting = [(roots[x], node) for x, node in zip(xs, nodes, strict=True)]
        self.named.update(waiting)
        while waiting:
            record, node = waiting.pop()
            self.references[record] = weakref.ref(node)
            waiting += zip(record.parents, node.parents, strict=True)
        return multiple(*roots.values())

    def twin(self, x: Record, twins: dict[Record, Record]) -> Record:
        """Return what a copy of `x` and its graph should be; those in `twins` are taken from there."""
        for original in ancestors(x):
            if original not in twins:
                twins[original] = twin = copy.copy(original)
                twin.grad = number(original.grad)
                twin.parents = tuple(twins[parent] for parent in original.parents)
                twin.seen = frozenset((twins.get(leaf, leaf), version) for leaf, version in original.seen)
        return twins[x]

    # Modes

    @rule()
    def enter_no_grad(self) -> None:
        """Begin a block in which nothing is recorded."""
        self.modes.enter_context(no_grad())
        self.depth += 1

    @precondition(lambda self: self.depth)
    @rule()
    def leave_no_grad(self) -> None:
        """End all such blocks."""
        self.modes.close()
        self.depth = 0

    # Deleting

    @rule(x=consumes(nodes))
    def delete(self, x: Record) -> None:
        """Forget the name of a node."""
        self.named.pop(x, None)

    @precondition(lambda self: self.in_cycles)
    @rule()
    def collect(self) -> None:
        """Let the garbage collector find cycles."""
        gc.collect()
        self.in_cycles.clear()

    # What holds after every step

    @invariant()
    def nodes_are_as_the_model_says(self) -> None:
        """Compare all that the program can reach."""
        for record in self.used():
            node = self.node(record)
            self.check(node.data, record.data, record.scale)
            if isinstance(record, Gradient):
                continue
            assert node.label == record.label
            assert (node.op is None) == record.is_leaf
            assert len(node.parents) == len(record.parents)
            for parent, expected in zip(node.parents, record.parents, strict=True):
                assert parent is self.node(expected)
            if record.grad is not None:
                self.check(getattr(node.grad, "data", node.grad), number(record.grad), 1 + record.grad_scale)
                assert not isinstance(node.grad, Value) or isinstance(record.grad, Gradient)

    def check(self, found: Any, expected: Any, scale: Any) -> None:
        """Fail unless two numbers are equal, up to rounding at this scale where they are floats."""
        if self.exact:
            assert found == expected
        else:
            assert abs(found - expected) <= ROUNDING * scale

    @invariant()
    def no_mode_leaks(self) -> None:
        """Count the modes, and look at the collector."""
        assert len(modes.observers) == len(modes.active()) == self.depth
        assert not gc.isenabled()

    @invariant()
    def what_is_deleted_is_freed(self) -> None:
        """See nodes go as soon as nothing refers to them; recorded gradients alone may keep a cycle."""
        now = self.held()
        gone = self.reachable - now
        if any(isinstance(record, Gradient) or record.grad is None for record in gone) or any(
            isinstance(record.grad, Gradient) for record in gone
        ):
            self.in_cycles |= gone
        self.reachable = now
        for record, reference in list(self.references.items()):
            if record not in now and record not in self.in_cycles:
                assert reference() is None or isinstance(record, Gradient)
                del self.references[record]

    def used(self) -> list[Record]:
        """Return the records of all nodes that can be reached along parents, as far as the model knows the graph."""
        found: dict[Record, None] = {}
        waiting = list(self.named)
        while waiting:
            record = waiting.pop()
            if record not in found:
                found[record] = None
                waiting += record.parents
        return list(found)

    def held(self) -> set[Record]:
        """Return the records of all nodes that something may refer to, gradients included."""
        found: set[Record] = set()
        waiting = list(self.named)
        while waiting:
            record = waiting.pop()
            if record not in found:
                found.add(record)
                waiting += record.sources()
                if isinstance(record.grad, Gradient):
                    waiting.append(record.grad)
        return found


class GraphsOfFractions(Graphs):
    """Programs on nodes of fractions, where all is exact."""

    numbers = st.fractions(-3, 3, max_denominator=4)
    unary = UNARY
    sequences = SEQUENCES
    exact = True


@pytest.mark.parametrize("machine", [Graphs, GraphsOfFractions])
def test_any_program_does_as_the_model_says(machine: type[Graphs]) -> None:
    how = settings(examples(100), stateful_step_count=40, report_multiple_bugs=False)
    run_state_machine_as_test(machine, settings=how)
