"""`jit`: a function, run once on recording values, becomes straight-line Python on floats.

For functions that are pure in their arguments and in the leaves they close over, the answer equals the eager one. What
a trace cannot follow runs eagerly, with one warning that says why.
"""

from __future__ import annotations

import warnings
from functools import update_wrapper

from microgrid import tree
from microgrid.compiler.call import Call, Projection
from microgrid.compiler.cases import ERRORS, Case
from microgrid.compiler.trace import Trace, tracer
from microgrid.conversions import is_fraction, is_node, is_number
from microgrid.engine import Value
from microgrid.modes import active, gc_paused, no_grad, observe, observers
from microgrid.runs import Differentiation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import Any

MOST_CASES = 32
MOST_STEPS = 200_000
PROJECTION = Projection()


class Unfit(Exception):
    """Raised for arguments that compiled code cannot serve."""


class Arguments:
    """The numbers in the arguments of a call, and what must be the same for a case to serve it.

    Attributes:
        leaves: numbers and `Value`s, in the order of `tree`.
        key: the shape, with what is no number in it: text, bools, None, and modules themselves.
    """

    def __init__(self, nest: Any) -> None:
        self.leaves: list[Any] = []
        self._walk = tree.Walk(self.leaves.append)
        self._modules: list[Any] = []
        self.key = self.shape(nest)

    def shape(self, item: Any) -> Hashable:
        """Return the part of the key for `item`, after taking note of its leaves."""
        kind = type(item)
        if kind is float or kind is int:
            self.leaves.append(item)
            return float
        if is_node(item):
            self.leaves.append(item)
            return Value
        if kind is bool or kind is str or item is None:
            return kind, item
        if kind is list or kind is tuple:
            return (kind, *map(self.shape, item))
        if tree.is_module(item):
            self._walk.visit("a module", False, item)
            return kind, item
        pieces = tree.parts(item)
        if pieces is not None:
            return (kind, *((step, self.shape(piece)) for step, piece in pieces))
        if not is_number(item) or is_fraction(item):
            raise Unfit(f"an argument of type {kind.__name__}")
        self.leaves.append(float(item))
        return float


def is_static(item: Any) -> bool:
    """Return whether a part of the arguments belongs to the key of a case."""
    return isinstance(item, bool | str)


class Jitted:
    """A function that `jit` has compiled, or will when it is called.

    Attributes:
        cases: the compiled cases.
        source: the generated programs.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.function = function
        self.__name__: str = getattr(function, "__name__", repr(function))
        self._cases: dict[Hashable, list[Case]] = {}
        self._eager = ""  # why all calls are made eagerly

    @property
    def cases(self) -> list[Case]:
        """The compiled cases."""
        return [case for cases in self._cases.values() for case in cases]

    @property
    def source(self) -> str:
        """The source of all cases; empty before the first call."""
        return "\n\n".join(case.source for case in self.cases)

    def cache_clear(self) -> None:
        """Forget all cases, and why calls were made eagerly."""
        self._cases.clear()
        self._eager = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._eager or tracer() is not None or not all(map(allows_compiled, active())):
            return self.function(*args, **kwargs)
        try:
            arguments = Arguments((args, kwargs))
        except Unfit as reason:
            return (
                self.function(*args, **kwargs) if "Fraction" in str(reason) else self.give_up(str(reason), args, kwargs)
            )
        numbers = [leaf.data if is_node(leaf) else float(leaf) for leaf in arguments.leaves]
        try:
            for case in self._cases.get(arguments.key, ()):
                outputs = case.run([*numbers, *(leaf.data for leaf in case.externals)])
                if outputs is not None:
                    return self.answer(case, arguments.leaves, numbers, outputs, (args, kwargs))
            case = self.trace(arguments, numbers, args, kwargs)
            outputs = case.run([*numbers, *(leaf.data for leaf in case.externals)])
        except ERRORS:
            outputs = None
        except Unfit as reason:
            return self.give_up(str(reason), args, kwargs)
        if outputs is None:
            return self.function(*args, **kwargs)
        return self.answer(case, arguments.leaves, numbers, outputs, (args, kwargs))

    def give_up(self, reason: str, args: Any, kwargs: Any) -> Any:
        """Say once why calls are made eagerly from now on, and make this one."""
        self._eager = reason
        message = f"jit({self.__name__}) runs eagerly: {reason}"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        return self.function(*args, **kwargs)

    def trace(self, arguments: Arguments, numbers: Sequence[float], args: Any, kwargs: Any) -> Case:
        """Return a new case, made from one run of the function."""
        if len(self.cases) >= MOST_CASES:
            raise Unfit(f"it went {MOST_CASES} ways already, and goes yet another one")
        with gc_paused():
            trace = Trace(numbers)
            inputs = iter(trace.inputs)
            walk = tree.Walk(lambda leaf: next(inputs), is_static)
            given, named = walk.visit("the arguments", False, (args, kwargs))
            with trace:
                out = self.function(*given, **named)
            outputs = tree.leaves(f"jit({self.__name__}): the result", out)
            program = trace.program(outputs)
        if trace.obstacle:
            raise Unfit(trace.obstacle)
        if len(program.steps) > MOST_STEPS:
            raise Unfit(f"{len(program.steps)} operations are too many to compile; jit a part of it, or use vmap")
        places = [place for place, leaf in enumerate(arguments.leaves) if is_node(leaf)]
        case = Case(program, len(numbers), places, trace.externals, out)
        self._cases.setdefault(arguments.key, []).insert(0, case)
        return case

    def answer(self, case: Case, leaves: Sequence[Any], numbers: list[float], outputs: list[float], nest: Any) -> Any:
        """Return the result of a call, as nodes where it depends on `Value`s."""
        results: list[Any] = outputs
        if any(case.recorded):
            parents = (*(leaves[place] for place in case.places), *case.externals)
            call = object.__new__(Value)

            def eagerly(leaves: Sequence[Any]) -> list[Any]:
                replaced = iter(leaves)
                walk = tree.Walk(lambda leaf: next(replaced), is_static)
                args, kwargs = walk.visit("the arguments", False, nest)
                return tree.leaves("the result", self.function(*args, **kwargs))

            captured = [*numbers, *(leaf.data for leaf in case.externals)]
            fill(call, outputs[0], Call(self.__name__, case, eagerly), (parents,), captured)
            results = [call] if len(outputs) == 1 else self.projections(case, call, outputs)
        return tree.rebuilt(case.out, results)

    def projections(self, case: Case, call: Value, outputs: Sequence[float]) -> list[Any]:
        """Return the results of a call that has several."""
        results: list[Any] = []
        for number, (output, recorded) in enumerate(zip(outputs, case.recorded, strict=True)):
            results.append(fill(object.__new__(Value), output, PROJECTION, call, number) if recorded else output)
        return results

    def __reduce__(self) -> str:
        name: str = getattr(self.function, "__qualname__", "<nameless>")
        if "<" in name:
            raise TypeError(f"jit({name}) cannot be pickled: give the function a name at the top of a module")
        return name

    def __repr__(self) -> str:
        return f"jit({self.__name__})"


def fill(node: Value, data: float, op: Any, x: Any, y: Any) -> Value:
    """Return `node` with these fields, seen by the modes that are on."""
    node.data, node.grad, node.label, node.op, node._x, node._y = data, 0.0, "", op, x, y
    return observe(node) if observers else node


def allows_compiled(mode: Any) -> bool:
    """Return whether compiled code may run in `mode`: one that looks at every operation would see none."""
    return isinstance(mode, no_grad | Differentiation)


def jit(function: Callable[..., Any]) -> Jitted:
    """Return `function` compiled to straight-line Python on floats, at its first call for each shape of arguments.

    Args:
        function: pure in its arguments and in the leaves that it closes over. Arguments are nests of numbers, `Value`s
            and modules; text, bools and None in them select a case.

    Returns:
        a function of the same arguments with the same answers. Its attributes: `source`, the generated programs;
        `cases`; `cache_clear()`.

    Raises:
        TypeError: if `function` is not callable.

    >>> @jit
    ... def f(x, y):
    ...     return (x * y).tanh()
    >>> x = Value(0.5)
    >>> y = f(x, 2.0)
    >>> y.backward()
    >>> y.data, round(x.grad, 6)
    (0.7615941559557649, 0.839949)
    >>> print(f.source)
    def forward(numbers):
        input0, input1 = numbers
        return [tanh(input0 * input1)]
    <BLANKLINE>
    <BLANKLINE>
    def gradient(numbers, seeds):
        input0, input1 = numbers
        seed0, = seeds
        mul_0 = input0 * input1
        tanh_1 = tanh(mul_0)
        d_mul_0 = seed0 * (1.0 - tanh_1 * tanh_1)
        return [d_mul_0 * input1]
    <BLANKLINE>
    """
    if not callable(function):
        raise TypeError(f"jit expects a function, got {type(function).__name__} {function!r:.60}")
    return Jitted(function)
