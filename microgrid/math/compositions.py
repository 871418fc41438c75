# mypy: disable-error-code="overload-overlap"
"""Functions that are made of several operations, most of them because they have several results."""

from __future__ import annotations

import math

from microgrid.engine.messages import check_data, check_sequences, named
from microgrid.engine.modes import following, tracing
from microgrid.engine.numbers import as_number
from microgrid.engine.recording import has_value
from microgrid.engine.value import Value
from microgrid.math.functions import copysign, exp, fmod, hypot, ldexp, logsumexp, maximum, total
from microgrid.math.functions import log as natural_log
from microgrid.math.functions import pow as power

TYPE_CHECKING: bool = False  # not known to be false: jedi would skip what is under it
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, overload

    from microgrid.math.functions import Number

__all__ = ["dist", "fabs", "frexp", "log", "log_softmax", "modf", "pow", "softmax"]


def stop(x: Any) -> Any:
    """Return the number of `x`, whose derivative is not followed; in a trace a node that has it."""
    if isinstance(x, Value):
        check_data(x)
        return x.detach() if tracing() else x.data
    return x


if TYPE_CHECKING:

    @overload
    def log(x: Value, base: Value | Number = ..., /) -> Value: ...
    @overload
    def log(x: Number, base: Value, /) -> Value: ...
    @overload
    def log(x: Number, base: Number = ..., /) -> float: ...


def log(x: Any, /, *base: Any) -> Any:
    """Return the logarithm of `x` to `base`, the natural one if no base is given.

    >>> log(8, 2), log(Value(8.0), 2).data
    (3.0, 3.0)
    """
    if not has_value((x, *base)):
        return math.log(x, *base)
    if len(base) > 1:
        raise TypeError(f"log expected at most 2 arguments, got {1 + len(base)}")
    try:
        return natural_log(x) / natural_log(base[0]) if base else natural_log(x)
    except ZeroDivisionError as error:
        raise named(error, "log", x, *base) from None


if TYPE_CHECKING:

    @overload
    def pow(x: Value, y: Value | Number, /) -> Value: ...
    @overload
    def pow(x: Number, y: Value, /) -> Value: ...
    @overload
    def pow(x: Number, y: Number, /) -> float: ...


def pow(x: Any, y: Any, /) -> Any:
    """Return `x` to the power `y`; for numbers as `math.pow`, for nodes as `x ** y`.

    Raises:
        ValueError: for a negative power of zero, as in `math`, and for a fractional one of a negative number.

    >>> pow(2, 3), pow(Value(2.0), 3).data
    (8.0, 8.0)
    """
    if not has_value((x, y)):
        return math.pow(x, y)
    try:
        return power(x, y)
    except ZeroDivisionError as error:
        raise ValueError(str(error)) from None


if TYPE_CHECKING:

    @overload
    def fabs(x: Value, /) -> Value: ...
    @overload
    def fabs(x: Number, /) -> float: ...


def fabs(x: Any, /) -> Any:
    """Return the absolute value of `x`.

    >>> fabs(-2), fabs(Value(-2.0)).data
    (2.0, 2.0)
    """
    return x.fabs() if isinstance(x, Value) else math.fabs(x)


if TYPE_CHECKING:

    @overload
    def dist(p: Iterable[float], q: Iterable[float], /) -> float: ...
    @overload
    def dist(p: Iterable[Value | float], q: Iterable[Value | float], /) -> Value: ...


def dist(p: Iterable[Any], q: Iterable[Any], /) -> Any:
    """Return the Euclidean distance between two points, given as sequences of coordinates.

    Where they are equal its derivative is 0, as in PyTorch.

    Raises:
        ValueError: if the points have different numbers of coordinates.

    >>> dist([0.0, 0.0], [Value(3.0), 4.0]).data
    5.0
    """
    try:
        p, q = tuple(p), tuple(q)
    except TypeError:
        check_sequences("dist", p, q)
        raise
    if not has_value(p + q) or len(p) != len(q):
        return math.dist(p, q)
    differences = [x - y for x, y in zip(p, q, strict=True)]
    length = hypot(*differences)
    return length if length else 0.0 * total(differences)


if TYPE_CHECKING:

    @overload
    def modf(x: Value, /) -> tuple[Value, Value]: ...
    @overload
    def modf(x: Number, /) -> tuple[float, float]: ...


def modf(x: Any, /) -> tuple[Any, Any]:
    """Return the fractional and the whole part of `x`, both with its sign.

    >>> fraction, whole = modf(Value(-2.75))
    >>> fraction.data, whole.data
    (-0.75, -2.0)
    """
    if not isinstance(x, Value):
        return math.modf(x)
    check_data(x)
    whole = Value(math.modf(x.data)[1])
    return (copysign(0.0, x) if math.isinf(x.data) else fmod(x, 1.0)), whole


if TYPE_CHECKING:

    @overload
    def frexp(x: Value, /) -> tuple[Value, int]: ...
    @overload
    def frexp(x: Number, /) -> tuple[float, int]: ...


def frexp(x: Any, /) -> tuple[Any, int]:
    """Return the mantissa of `x`, between 1/2 and 1, and the exponent of 2 that belongs to it.

    >>> mantissa, exponent = frexp(Value(6.0))
    >>> mantissa.data, exponent
    (0.75, 3)
    """
    if not isinstance(x, Value):
        return math.frexp(x)
    check_data(x)
    exponent = math.frexp(x.data)[1]
    return ldexp(x, -exponent), exponent


if TYPE_CHECKING:

    @overload
    def log_softmax(xs: Iterable[float], /) -> list[float]: ...
    @overload
    def log_softmax(xs: Iterable[Value | float], /) -> list[Value]: ...


def log_softmax(xs: Iterable[Any], /) -> list[Any]:
    """Return the logarithms of `softmax(xs)`, stable at any size.

    >>> log_softmax([1000.0, 0.0])
    [0.0, -1000.0]
    """
    shifted = less_largest(at_least_one("log_softmax", xs))
    scale = logsumexp(shifted)
    return [x - scale for x in shifted]


if TYPE_CHECKING:

    @overload
    def softmax(xs: Iterable[float], /) -> list[float]: ...
    @overload
    def softmax(xs: Iterable[Value | float], /) -> list[Value]: ...


def softmax(xs: Iterable[Any], /) -> list[Any]:
    """Return `exp(x) / sum(exp(xs))` for each of `xs`: positive numbers that add up to one.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    xs = at_least_one("softmax", xs)
    trace = following()
    if trace and has_value(xs):
        results: list[Any] = trace.softmax(xs, softmax)
        return results
    powers = [exp(x) for x in less_largest(xs)]
    scale = 1 / total(powers)
    return [power * scale for power in powers]


def at_least_one(name: str, xs: Iterable[Any]) -> tuple[Any, ...]:
    """Return `xs`, in which everything but the `Value`s is a number.

    Raises:
        ValueError: if there are none.
        TypeError: naming the function `name`, as the other error does, if one is no number, or `xs` no sequence.
    """
    try:
        given = tuple(xs)
    except TypeError:
        check_sequences(name, xs)
        raise
    try:
        numbers = tuple(x if isinstance(x, Value) else as_number(x) for x in given)
    except TypeError as error:
        raise named(error, name, given) from None
    if not numbers:
        raise ValueError(f"{name} expects at least one number, got none")
    return numbers


def less_largest(xs: tuple[Any, ...]) -> list[Any]:
    """Return `xs` less the largest of them: shifting all changes neither `softmax` nor its derivatives."""
    largest = maximum(*map(stop, xs))
    return [x - largest for x in xs]
