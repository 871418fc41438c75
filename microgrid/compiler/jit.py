"""`jit`: a function, run once on recording values, becomes straight-line Python on floats.

For functions that are pure in their arguments and in the leaves they close over, the answer equals the eager one. A
function that a trace cannot record runs eagerly, with one warning that says why.
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
from microgrid.compiler.trace.recorder import TOP_LEVEL, Context
from microgrid.compiler.trace.rolling import with_paths_of
from microgrid.compiler.trace.trace import Trace
from microgrid.engine.forks import free_in_forks
from microgrid.engine.modes import active, gc_paused, guards, no_grad, observers
from microgrid.engine.numbers import all_of
from microgrid.engine.operations import dependents
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.transforms.run import Differentiation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

# Bounds on memory, and on the time of a call, which tries the cases of its shape in turn.
MOST_CASES = 32  # for one shape of the arguments
MOST_SHAPES = 128
entering = free_in_forks(RLock())  # held while a new case is added


class Jitted:
    """A function that `jit` compiles when it is called.

    Attributes:
        cases: the compiled cases.
        source: the generated programs.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function, updated=())
        self.function = function
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self._calls: dict[Hashable, list[Call]] = {}  # by the shape of the arguments, the newest first
        self._eager = ""  # why all calls are made eagerly, if they are
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
        """Forget all cases, and that calls are made eagerly."""
        self._calls = {}  # a new one: a trace in another thread adds its outdated case to the old one
        self._eager = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        modes = active() if observers or guards else []
        if self._eager or not all([isinstance(mode, no_grad | Differentiation) for mode in modes]):
            return self.function(*args, **kwargs)
        context = TOP_LEVEL
        if modes:
            context = Context(*[any([isinstance(mode, kind) for mode in modes]) for kind in (no_grad, Differentiation)])
        reason, results = "", None
        try:
            arguments = Arguments((args, kwargs))
            arguments.mark_repeated()
            is_foreign = arguments.foreign and arguments.has_foreign((*args, *kwargs.values()))
            results = None if arguments.is_exact or is_foreign else self.results(arguments, (args, kwargs), context)
        except Unfit as unfit:
            reason = str(unfit)
        except RecursionError:
            reason = "a nest that is too deep, or in itself"
        if reason:  # outside of the handler: an error of the function would be chained to `Unfit` there
            return self.give_up(reason, args, kwargs)
        return self.function(*args, **kwargs) if results is None else results[0]

    def results(self, arguments: Arguments, nest: Any, context: Context) -> tuple[Any] | None:
        """Return the result of a call, in a tuple; None if this call has to be made eagerly.

        Raises:
            Unfit: if all calls have to be.
        """
        try:
            for call in self._calls.get(arguments.key, ()):
                found = self.serve(call, arguments, context)
                if found:
                    return found
            return self.serve(self.trace(arguments, nest, context), arguments, context)
        except ERRORS:
            return None

    def serve(self, call: Call, arguments: Arguments, context: Context) -> tuple[Any] | None:
        """Return the result of a call, in a tuple; None if this case does not fit.

        Raises:
            ArithmeticError, ValueError, TypeError: if compiled code cannot compute the result.
        """
        case, leaves = call.case, arguments.leaves
        if context not in case.serves or (arguments.integers and not case.floats.isdisjoint(arguments.integers)):
            return None
        if arguments.repeats and case.identifies_inputs:
            return None
        if case.identified and any([leaf is other for leaf in leaves for other in case.identified]):
            return None
        read = [external.data for external in case.externals]
        if not all_of(float, read):
            raise TypeError("compiled code is for floats")
        numbers = case.numbers_of(arguments) if case.wholes else arguments.numbers
        if read:
            numbers = numbers + read
        if case.records and not context.is_silent:
            outputs, tape = case.record(numbers)
            return None if outputs is None else (case.results.rebuilt(call.results(leaves, numbers, outputs, tape)),)
        outputs = case.run(numbers)
        if outputs is None:
            return None
        if not case.has_values:
            return (case.results.rebuilt(outputs),)
        return (case.results.rebuilt(case.results_of(leaves, outputs, lambda _, output: Value(output))),)

    def give_up(self, reason: str, args: Any, kwargs: Any) -> Any:
        """Return the result of an eager call; warn once, with the `reason`, that all calls are eager from now on."""
        result = self.function(*args, **kwargs)
        if not self._eager:
            self._eager = reason
            warnings.warn(f"jit({self.__name__}) runs eagerly: {reason}", RuntimeWarning, stacklevel=3)
        return result

    def trace(self, arguments: Arguments, nest: Any, context: Context) -> Call:
        """Run the function once, and return a compiled call that serves calls like this one.

        Raises:
            Unfit: if the function cannot be compiled.
        """
        known = self._calls
        calls = known.get(arguments.key, [])
        if len(calls) >= MOST_CASES:
            raise Unfit(f"it took {MOST_CASES} paths already, and takes yet another one")
        with gc_paused():
            others = [call.case for call in calls if context in call.case.serves]
            case, former = traced_case(self.function, arguments, nest, context, others)
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


def traced_case(
    function: Callable[..., Any],
    arguments: Arguments,
    nest: Any,
    context: Context = TOP_LEVEL,
    others: Sequence[Case] = (),
) -> tuple[Case, Case | None]:
    """Return the case made from one run of `function` on `nest`, and the case among `others` that it replaces, if any.

    A case is replaced if the new run differs only in the paths that rows took through a loop: the new case has both.

    Raises:
        Unfit: if the run does something that a program cannot express.
    """
    trace = Trace(arguments.numbers, arguments.leaves, context=context)
    leaves = [trace.inputs[position] for position in arguments.firsts] or trace.inputs
    template = with_leaves(nest, leaves)  # a copy to compare with: the function may change lists of the caller,
    args, kwargs = given = with_leaves(template, leaves)  # or this one, which it is given
    results = Results(trace.run(function, *args, **kwargs))
    if not is_like(given, template):
        raise Unfit("it changes its arguments")
    program = trace.checked_program(results.leaves)
    if any([leaf is other for leaf in arguments.leaves for other in trace.identified_others]):
        raise Unfit("an argument that it closes over as well, in a set or as a key")
    if arguments.repeats and trace.identifies_inputs:
        raise Unfit("a set or a key of many arguments, some of which are the same Value")
    for other in others:
        kept = sorted(trace.wholes) if trace.keeps_types else []
        extended = (
            other.has_loops
            and kept == other.wholes
            and with_paths_of(other.unoptimised, other.externals, program, trace.externals)
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
            and modules; text, bools, `None`, members of enumerations, ranges and functions in them select a case, as
            the type and the shape of an array do. With an argument that may change in place unnoticed, such as a set
            in a module, the function runs eagerly. While it is traced, the numbers are `Value`s, for `isinstance` too:
            the builtin `sum` adds them plainly, but compensates the roundings of plain floats from Python 3.12 on, so
            that a compiled sum of floats may differ in its last bits from the eager one. `math.fsum` is the same in
            both. Fractions, and NumPy scalars and decimals that are arguments themselves, have arithmetic of their own:
            such calls are made eagerly. In lists and arrays NumPy scalars and decimals are floats. Among more than 16
            numbers, `is` does not tell that two of them are the same `Value`.

    Returns:
        a function of the same arguments with the same answers. A result keeps the numbers of its call: derivatives and
        copies do not change when leaves get other data afterwards. Its attributes: `source`, the generated programs;
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
