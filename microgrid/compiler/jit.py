"""`jit`: a function, run once on recording values, becomes straight-line Python on floats.

For functions that are pure in their arguments and in the leaves they close over, the answer equals the eager one. What
a trace cannot follow runs eagerly, with one warning that says why.
"""

from __future__ import annotations

import operator
import sys
import warnings
from _thread import RLock
from functools import update_wrapper
from types import MethodType

from microgrid.compiler.arguments import Arguments, Results, Unfit, with_leaves
from microgrid.compiler.call import Call
from microgrid.compiler.cases import ERRORS, Case
from microgrid.compiler.trace.recorder import ALONE, Around
from microgrid.compiler.trace.rolling import with_ways_of
from microgrid.compiler.trace.trace import Trace
from microgrid.engine.forks import free_in_forks
from microgrid.engine.modes import active, gc_paused, guards, no_grad, observers
from microgrid.engine.numbers import all_of
from microgrid.engine.operations import dependents
from microgrid.engine.value import Value
from microgrid.transforms.run import Differentiation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import Any

FOLLOWED = True  # by traces: see `compiler.trace.instrument`

MOST_CASES = 32  # for one shape of the arguments
MOST_SHAPES = 128
entering = free_in_forks(RLock())  # held while the case of a call is entered among the others


class Jitted:
    """A function that `jit` has compiled, or will when it is called.

    Attributes:
        cases: the compiled cases.
        source: the generated programs.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function, updated=())
        self.function = function
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self._calls: dict[Hashable, list[Call]] = {}  # by the shape of the arguments; what served last is first
        self._eager = ""  # why all calls are made eagerly
        dependents.add(self)

    @property
    def cases(self) -> list[Case]:
        """The compiled cases."""
        return [call.case for calls in self._calls.values() for call in calls]

    @property
    def source(self) -> str:
        """The source of all cases; empty before the first call."""
        return "\n\n".join(case.source for case in self.cases)

    def cache_clear(self) -> None:
        """Forget all cases, and why calls were made eagerly."""
        self._calls = {}  # a trace that is being made enters its case where it began
        self._eager = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        modes = active() if observers or guards else []
        if self._eager or not all([isinstance(mode, no_grad | Differentiation) for mode in modes]):
            return self.function(*args, **kwargs)
        around = ALONE
        if modes:
            around = Around(*[any([isinstance(mode, kind) for mode in modes]) for kind in (no_grad, Differentiation)])
        reason, results = "", None
        try:
            arguments = Arguments((args, kwargs))
            arguments.tell_same()
            is_foreign = arguments.foreign and arguments.reckon_otherwise((*args, *kwargs.values()))
            results = None if arguments.is_exact or is_foreign else self.results(arguments, (args, kwargs), around)
        except Unfit as unfit:
            reason = str(unfit)
        except RecursionError:
            reason = "a nest that is too deep, or in itself"
        if reason:  # out of the handler, or what the function raises would be said to come of it
            return self.give_up(reason, args, kwargs)
        return self.function(*args, **kwargs) if results is None else results[0]

    def results(self, arguments: Arguments, nest: Any, around: Around) -> tuple[Any] | None:
        """Return the result of a call; None if it is to be made eagerly.

        Raises:
            Unfit: if all calls are.
        """
        try:
            for call in self._calls.get(arguments.key, ()):
                found = self.serve(call, arguments, around)
                if found:
                    return found
            return self.serve(self.trace(arguments, nest, around), arguments, around)
        except ERRORS:
            return None

    def serve(self, call: Call, arguments: Arguments, around: Around) -> tuple[Any] | None:
        """Return the result of a call by one case; None if it is another's.

        Raises:
            ArithmeticError, ValueError, TypeError: if compiled code cannot tell the result.
        """
        case, leaves = call.case, arguments.leaves
        if around not in case.serves or (arguments.integers and not case.floats.isdisjoint(arguments.integers)):
            return None
        if case.identified and any([leaf is other for leaf in leaves for other in case.identified]):
            return None
        read = [external.data for external in case.externals]
        if not all_of(float, read):
            raise TypeError("compiled code is for floats")
        numbers = case.numbers_of(arguments) if case.wholes else arguments.numbers
        if read:
            numbers = numbers + read
        if case.records and not around.is_silent:
            outputs, tape = case.record(numbers)
            return None if outputs is None else (case.results.rebuilt(call.results(leaves, numbers, outputs, tape)),)
        outputs = case.run(numbers)
        if outputs is None:
            return None
        if not case.has_values:
            return (case.results.rebuilt(outputs),)
        return (case.results.rebuilt(case.results_of(leaves, outputs, lambda _, output: Value(output))),)

    def give_up(self, reason: str, args: Any, kwargs: Any) -> Any:
        """Make a call eagerly; say once why all are from now on."""
        result = self.function(*args, **kwargs)
        if not self._eager:
            self._eager = reason
            warnings.warn(f"jit({self.__name__}) runs eagerly: {reason}", RuntimeWarning, stacklevel=3)
        return result

    def trace(self, arguments: Arguments, nest: Any, around: Around) -> Call:
        """Return what serves calls like this one, made from one run of the function.

        Raises:
            Unfit: if nothing can.
        """
        known = self._calls
        calls = known.get(arguments.key, [])
        if len(calls) >= MOST_CASES:
            raise Unfit(f"it went {MOST_CASES} ways already, and goes yet another one")
        with gc_paused():
            others = [call.case for call in calls if around in call.case.serves]
            case, former = traced(self.function, arguments, nest, around, others)
            call = Call(self.__name__, case)
        with entering:
            while len(known) >= MOST_SHAPES:
                del known[next(iter(known))]
            rest = [other for other in known.get(arguments.key, []) if other.case is not former]
            known[arguments.key] = [call, *rest]
        return call

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        name: str = getattr(self.function, "__qualname__", "<nameless>")
        found: Any = sys.modules.get(self.function.__module__) if "<" not in name else None
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is self:
            return name
        if found is self.function:
            return jit, (self.function,)
        raise TypeError(f"jit({name}) cannot be pickled: the function has to be found by its name in its module")

    def __repr__(self) -> str:
        return f"jit({self.__name__})"


def traced(
    function: Callable[..., Any], arguments: Arguments, nest: Any, around: Around = ALONE, others: Sequence[Case] = ()
) -> tuple[Case, Case | None]:
    """Return the case that one run of `function` on `nest` makes, and the one of `others` whose place it takes.

    Raises:
        Unfit: if it does something that a program cannot tell.
    """
    trace = Trace(arguments.numbers, arguments.leaves, around=around)
    leaves = [trace.inputs[place] for place in arguments.firsts] or trace.inputs
    template = with_leaves(nest, leaves)  # the caller's own lists may change, and the function's
    args, kwargs = given = with_leaves(template, leaves)
    results = Results(trace.run(function, *args, **kwargs))
    if not is_like(given, template):
        raise Unfit("it changes its arguments")
    program = trace.checked_program(results.leaves)
    if any([leaf is other for leaf in arguments.leaves for other in trace.identified_others]):
        raise Unfit("an argument that it closes over as well, in a set or as a key")
    for other in others:
        kept = sorted(trace.wholes) if trace.keeps_types else []
        extended = (
            other.has_loops
            and kept == other.wholes
            and with_ways_of(other.traced, other.externals, program, trace.externals)
        )
        if extended:
            program, trace.externals = extended
            return Case(trace, program, results), other
    return Case(trace, program, results), None


def is_like(nest: Any, other: Any) -> bool:
    """Return whether two nests have the same shape and the same leaves."""
    ours, theirs = Arguments(nest), Arguments(other)
    return ours.key == theirs.key and all(map(operator.is_, ours.leaves, theirs.leaves))


def jit(function: Callable[..., Any]) -> Jitted:
    """Return `function` compiled to straight-line Python on floats, at its first call for each shape of arguments.

    Args:
        function: pure in its arguments and in the leaves that it closes over. Arguments are nests of numbers, `Value`s
            and modules; text, bools, None, members of enumerations, ranges and functions in them select a case, as the
            kind and the shape of an array do. What may change in place, such as a set within a module, lets it run
            eagerly. While it is traced, the numbers are `Value`s, also for `isinstance`: the builtin `sum` adds them
            plainly, but compensates the roundings of plain floats from Python 3.12 on, so that a compiled sum of floats
            may differ in its last bits from the eager one. `math.fsum` is the same in both. Fractions reckon in their
            own way, and so do NumPy's scalars and decimals that are arguments themselves: such calls are made eagerly.
            In lists and arrays those are floats.

    Returns:
        a function of the same arguments with the same answers. What it returns keeps the numbers of the call: all
        derivatives, and copies, are those of the call, whatever leaves hold afterwards. Its attributes: `source`, the
        generated programs; `cases`; `cache_clear()`.

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
    >>> print(f.source, end="")
    def tape(numbers):
        input0, input1 = numbers
        tanh_1 = tanh(input0 * input1)
        seed0, = yield [tanh_1]
        while True:
            d_mul_0 = seed0 * (1.0 - tanh_1 * tanh_1)
            seed0, = yield [d_mul_0 * input1]
    """
    if not callable(function):
        raise TypeError(f"jit expects a function, got {type(function).__name__} {function!r:.60}")
    return Jitted(function)
