"""A program run twice, with functions compiled and as they are, and what differs.

Values and errors must be the same, bit for bit. Derivatives may differ by the rounding of sums: if one does, the
program is run a third time with every derivative a graph, whose operations say how large the roundings may be.
"""

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from math import isfinite, isnan
from typing import Any

from microgrid import Value, jit
from microgrid.engine import graph
from microgrid.transforms import nests
from tests.compiler.programs import EPSILON, bits
from tests.compiler.vocabulary import PRELUDE

SUMS = {"add", "sub", "neg", "dot", "fsum", "mean", "identity"}
ROUNDINGS = 8  # how many of an operation may differ
SMALLEST = 2.0**-1022
MOST_ROOTS = 3  # of one call, that are differentiated


class Call:
    """What one call gave.

    Attributes:
        shape: the result without its numbers, with the kinds of these; or the type and the words of the error.
        numbers: those of the result.
        slopes, seconds: the derivatives of the first numbers in the result by all leaves, and of the sums of these.
        roots: the places of these numbers.
        derived: whether the numbers are derivatives too.
    """

    def __init__(self, derived: bool) -> None:
        self.shape: Any = None
        self.roots: list[int] = []
        self.numbers: list[Any] = []
        self.slopes: list[Any] = []
        self.seconds: list[Any] = []
        self.derived = derived
        self.bounds: dict[str, list[float]] = {"numbers": [], "slopes": [], "seconds": []}


def shape_of(item: Any, found: list[Any]) -> Any:
    """Return `item` with the kind of each number in its place; numbers are added to `found`."""
    if isinstance(item, Value) or type(item) in (float, int):
        found.append(item)
        return type(item).__name__
    if isinstance(item, dict):
        return type(item).__name__, [
            (shape_of(key, []), repr(key), shape_of(each, found)) for key, each in item.items()
        ]
    if isinstance(item, list | tuple):
        return type(item).__name__, [shape_of(each, found) for each in item]
    if is_dataclass(item):
        return type(item).__name__, [shape_of(getattr(item, field.name), found) for field in fields(item)]
    return type(item).__name__, repr(item)


def values_in(nest: Any) -> list[Value]:
    """Return the `Value`s in `nest`, one that stands in several places each time."""
    found: list[Any] = []
    shape_of(nest, found)
    return [item for item in found if isinstance(item, Value)]


def words_of(error: Exception, derived: bool = False) -> tuple[str, str]:
    """Return the type and the words of an error; if these are about a derivative, a zero may have either sign."""
    words = re.sub(r"0x[0-9a-f]+", "0x", str(error))
    return type(error).__name__, words.replace("-0.0", "0.0") if derived else words


def lifted(item: Any) -> Any:
    """Return an argument with `Value`s for floats."""
    if type(item) is float:
        return Value(item)
    return nests.converted(lifted, item) if isinstance(item, list | tuple | dict) else item


class Caller:
    """Makes the calls of a program, and keeps what they gave.

    Args:
        measured: calls that were made before, to find how large roundings may be in them.
    """

    def __init__(self, measured: Sequence[Call] = ()) -> None:
        self.calls: list[Call] = []
        self.measured = measured

    def __call__(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        leaves: Sequence[Value] = (),
        twice: bool = False,
        through: Callable[[Any], Any] = lambda item: item,
        derived: bool = False,
    ) -> None:
        """Call `function`, and differentiate what it returns.

        Args:
            function, arguments: the call.
            leaves: those that it closes over.
            twice: whether to differentiate the gradients too.
            through: what copies the result together with the leaves.
            derived: whether numbers in the result are derivatives of what is compiled.
        """
        made = Call(derived)
        self.calls.append(made)
        watched: list[Value] = list(dict.fromkeys([*values_in(arguments), *leaves]))
        if self.measured and derived:
            arguments = tuple(map(lifted, arguments))
        try:
            result = function(*arguments)
            for leaf in watched:
                leaf.grad = 0.0
            result, watched = through((result, watched))
        except Exception as error:
            made.shape = words_of(error, derived)
            return
        made.shape = shape_of(result, made.numbers)
        made.roots = [place for place, number in enumerate(made.numbers) if isinstance(number, Value)][:MOST_ROOTS]
        if self.measured:
            made.bounds["numbers"] = [bound(number) for number in made.numbers]
            made.roots = self.measured[len(self.calls) - 1].roots
        roots = [made.numbers[place] for place in made.roots]
        made.numbers = [*map(plain, made.numbers)]
        for root in roots:
            try:
                self.differentiate(made, root, watched, twice)
            except Exception as error:
                made.slopes.append(words_of(error, derived=True))

    def differentiate(self, made: Call, root: Value, leaves: Sequence[Value], twice: bool) -> None:
        """Keep the gradients of `root`."""
        clear(root, leaves)
        root.backward(create_graph=twice or bool(self.measured))
        slopes = [leaf.grad for leaf in leaves]
        made.slopes += map(plain, slopes)
        if self.measured:
            made.bounds["slopes"] += map(bound, slopes)
        if twice:
            clear(root, leaves)
            for slope in slopes:
                if isinstance(slope, Value):
                    slope.backward(create_graph=bool(self.measured))
            seconds = [leaf.grad for leaf in leaves]
            made.seconds += map(plain, seconds)
            if self.measured:
                made.bounds["seconds"] += map(bound, seconds)
        clear(root, leaves)


def clear(root: Value, leaves: Sequence[Value]) -> None:
    """Set all gradients to zero."""
    for node in (root, *leaves):
        node.grad = 0.0


def plain(number: Any) -> Any:
    """Return the number of a `Value`."""
    return getattr(number, "data", number)


def bound(root: Any) -> float:
    """Return how much the rounding of the operations that made `root` may change it, in any order of its sums.

    Each operation is given an error of a few units in the last place of its result, of a sum in that of its terms'
    magnitudes, and hands on the errors of its operands.
    """
    if not isinstance(root, Value):
        return ROUNDINGS * ROUNDINGS * EPSILON * abs(root)  # a derivative of constants alone
    sizes: dict[Value, float] = {}
    errors: dict[Value, float] = {}
    for node in graph.inner_nodes(root):
        try:
            partials = node.op.vjp(node, 1.0)
        except (ArithmeticError, ValueError):
            partials = node.op.vjp_total(node, 1.0)
        size, error, is_sum = 0.0, SMALLEST, node.op.name in SUMS
        for parent, partial in zip(node.parents, partials, strict=True):
            slope, own = abs(plain(partial)), abs(parent.data)
            if slope:
                size += slope * (sizes.get(parent, own) - (0.0 if is_sum else own))
                error += slope * errors.get(parent, 0.0)
        sizes[node] = max(size, abs(node.data)) if is_sum else size + abs(node.data)
        errors[node] = error + EPSILON * sizes[node]
    return ROUNDINGS * errors.get(root, 0.0)


@cache
def prelude() -> dict[str, Any]:
    """Return the names that programs use."""
    names: dict[str, Any] = {"__name__": "tests.compiler.prelude"}
    exec(PRELUDE, names)
    return names


@contextlib.contextmanager
def warned() -> Iterator[list[str]]:
    """Collect why functions run eagerly."""
    reasons: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield reasons
    for warning in caught:
        _, found, reason = str(warning.message).partition(" runs eagerly: ")
        if found:
            reasons.append(re.sub(r" at [^ ]*:\d+.*", "", reason))


def calls_of(program: Callable[..., None], compiler: Callable[[Any], Any]) -> list[Call]:
    """Return what the calls of a program give."""
    caller = Caller()
    program(compiler, caller)
    return caller.calls


def measured_calls(program: Callable[..., None], calls: Sequence[Call]) -> list[Call]:
    """Return the `calls` of a program, made again, with how large roundings may be in them: all is recorded."""
    caller, names = Caller(calls), program.__globals__
    silent, names["no_grad"] = names["no_grad"], lambda: as_it_is
    program(as_it_is, caller)
    names["no_grad"] = silent
    return caller.calls


def as_it_is(function: Any) -> Any:
    """Return a function that is not compiled."""
    return function


class Outcome:
    """What the two runs of a program gave.

    Attributes:
        differences: what differs, each the index of the call, what it is that differs, and both sides of it.
        reasons: why functions ran eagerly.
        unbounded: how many roundings could not be bounded.
    """

    def __init__(self, program: Callable[..., None]) -> None:
        self.differences: list[tuple[int, str, Any, Any]] = []
        self.unbounded = 0
        with warned() as self.reasons:
            self.compiled = calls_of(program, jit)
        with warned():
            self.eager = calls_of(program, as_it_is)
            self.measured: list[Call] = []
            for index, (ours, theirs) in enumerate(zip(self.eager, self.compiled, strict=True)):
                self.compare(program, index, ours, theirs)

    def compare(self, program: Callable[..., None], index: int, eager: Call, compiled: Call) -> None:
        """Enter what differs in one call."""
        if eager.shape != compiled.shape and not are_chosen(eager, compiled):
            self.differences.append((index, "kinds", eager.shape, compiled.shape))
        for part, name in (("numbers", "values"), ("slopes", "gradients"), ("seconds", "second gradients")):
            ours, theirs = getattr(eager, part), getattr(compiled, part)
            exact = part == "numbers" and not eager.derived
            if same(ours, theirs, exact) or (not exact and self.is_rounding(program, index, part, ours, theirs)):
                continue
            self.differences.append((index, name, ours, theirs))
            return  # what is computed of it differs more

    def is_rounding(self, program: Callable[..., None], index: int, part: str, ours: Any, theirs: Any) -> bool:
        """Return whether derivatives differ by roundings alone."""
        if len(ours) != len(theirs):
            return False
        if not self.measured:
            self.measured = measured_calls(program, self.eager)
        bounds = self.measured[index].bounds[part]
        return len(bounds) == len(ours) and all(map(self.is_close, ours, theirs, bounds))

    def is_close(self, number: Any, other: Any, within: float) -> bool:
        """Return whether two derivatives differ by at most `within`."""
        if same([number], [other], False):
            return True
        if type(number) is not float or type(other) is not float or not (isfinite(number) and isfinite(other)):
            return False
        if not isfinite(within):
            self.unbounded += 1
            return True
        return abs(number - other) <= within


def are_chosen(eager: Call, compiled: Call) -> bool:
    """Return whether derivatives that are numbers in the eager run are `Value`s that depend on nothing: by a choice.

    These are left out of `compiled` then.
    """
    shapes = [repr(call.shape).replace("'Value'", "'float'") for call in (eager, compiled)]
    chosen = {*compiled.roots} - {*eager.roots}
    if not (eager.derived and chosen and shapes[0] == shapes[1]):
        return False
    for part in ("slopes", "seconds"):
        amounts = getattr(compiled, part)
        width = len(amounts) // len(compiled.roots)
        of_root = [amounts[place * width : (place + 1) * width] for place in range(len(compiled.roots))]
        if any(any(of_one) for root, of_one in zip(compiled.roots, of_root, strict=True) if root in chosen):
            return False
        kept = [of_one for root, of_one in zip(compiled.roots, of_root, strict=True) if root not in chosen]
        setattr(compiled, part, [amount for of_one in kept for amount in of_one])
    return True


def same(ours: Sequence[Any], theirs: Sequence[Any], exact: bool) -> bool:
    """Return whether numbers have the same bits; unless `exact`, zeros may differ in sign."""
    if exact:
        return list(map(bits, ours)) == list(map(bits, theirs))
    return len(ours) == len(theirs) and all(
        a == b or (type(a) is float and type(b) is float and isnan(a) and isnan(b))
        for a, b in zip(ours, theirs, strict=True)
    )


def compiled_program(text: str) -> Callable[..., None]:
    """Return the function that the text of a program defines."""
    names = dict(prelude())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # [1.0, 2.0][0.5]
        exec(compile(text, "<program>", "exec"), names)
    program: Callable[..., None] = names["program"]
    return program


def show(program: Callable[..., None]) -> None:
    """Print what differs in a program."""
    outcome = Outcome(program)
    for reason in outcome.reasons:
        print(f"runs eagerly: {reason}")
    for index, name, eager, compiled in outcome.differences:
        print(f"call {index + 1}: {name} differ\n    eager:    {eager}\n    compiled: {compiled}")
    if not outcome.differences:
        print("no difference")
