"""What counts as a number, and where random ones come from."""

from __future__ import annotations

import sys

from microgrid.rules import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from fractions import Fraction
    from random import Random
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

MATH_ERRORS = (ArithmeticError, ValueError)  # what functions of numbers raise outside of their domain
FORWARD_ERRORS = (*MATH_ERRORS, TypeError)  # and where an operand is not a number


def is_node(x: object) -> bool:
    """Return whether `x` is a node of a graph, ours or another library's."""
    return hasattr(x, "backward")


def is_number(x: object) -> bool:
    """Return whether `x` can become the number of a node: it converts to float, and is not a node or a container.

    Of NumPy's scalars, and of arrays without dimensions, all convert: also complex numbers, text, times and objects.
    """
    if type(x) is float or type(x) is int:
        return True
    if not hasattr(x, "__float__") or "complex" in type(x).__name__ or is_node(x):
        return False
    if hasattr(x, "dtype"):
        return getattr(x, "shape", None) == () and getattr(x.dtype, "kind", "O") not in "cOSUMm"
    return not hasattr(x, "__iter__")


def is_fraction(x: object) -> bool:
    """Return whether `x` is a `fractions.Fraction`, which stays exact."""
    fractions = sys.modules.get("fractions")  # if nobody has imported it, there are none
    return fractions is not None and isinstance(x, fractions.Fraction)


def as_number(x: Any) -> float | Fraction:
    """Return `x` as a node keeps it: a float, or the Fraction it is.

    Raises:
        TypeError: if `x` is not a real number.
    """
    if isinstance(x, int):
        return float(x)
    if type(x) is float or is_fraction(x):
        number: float | Fraction = x
        return number
    if is_node(x):
        raise TypeError(f"expected a real number, got {x!r:.60} (v.detach() copies a node, v.data is its number)")
    if not is_number(x):
        raise TypeError(f"expected a real number, got {type(x).__name__} {x!r:.60}")
    return float(x)


def all_of(kind: type, items: Collection[Any]) -> bool:
    """Return whether each of `items` is of type `kind` itself; for thousands of them, as fast as it can be told.

    >>> all_of(float, [1.0, 2.0]), all_of(float, [1.0, True])
    (True, False)
    """
    return [*map(type, items)].count(kind) == len(items)


def plain_float(x: Any) -> float:
    """Return `x`, a number or a node, as a float: of a node its number alone is meant.

    >>> from microgrid import Value
    >>> plain_float(Value(2.0)), plain_float(True)
    (2.0, 1.0)
    """
    return float(x.data if is_node(x) else x)


def zero_like(data: Any) -> float | Fraction:
    """Return the zero of a gradient by `data`: a Fraction for a Fraction, else a float.

    Raises:
        TypeError: if something else was put where a number belongs.
    """
    if type(data) is float:
        return 0.0
    if is_fraction(data):
        zero: Fraction = type(data)()
        return zero
    if not is_number(data):
        raise TypeError(f"the data of a node is a number, got {data!r:.60} (v.data is the number of a Value v)")
    return 0.0


def constant(other: Any, data: float | Fraction) -> Any:
    """Return `other` as a constant in an operation on `data`, or NotImplemented; integers stay exact with fractions."""
    if not isinstance(other, int) and not is_number(other):
        return NotImplemented
    if type(data) is float:
        return float(other)
    return int(other) if isinstance(other, int) else as_number(other)


def random_source(rng: Random | int | None) -> Random:
    """Return the source of random numbers that `rng` means: `random`'s own, a new one for a seed, or `rng`.

    >>> import random
    >>> random_source(7).random() == random.Random(7).random()
    True
    """
    import random

    if rng is None:
        shared: Random = random.uniform.__self__  # type: ignore[attr-defined] # a method of the module's Random
        return shared
    return rng if isinstance(rng, random.Random) else random.Random(rng)
