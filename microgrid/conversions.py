"""What counts as a number, and how errors speak of operands."""

from __future__ import annotations

import sys

from microgrid.modes import tracing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from fractions import Fraction
    from typing import Any

MATH_ERRORS = (ArithmeticError, ValueError)  # what functions of numbers raise outside of their domain


def is_node(x: object) -> bool:
    """Return whether `x` is a node of a graph, ours or another library's."""
    return hasattr(x, "backward")


def is_number(x: object) -> bool:
    """Return whether `x` can become the number of a node: it converts to float and is no node and no container.

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
        TypeError: if `x` is no real number.
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


def check_data(node: Any) -> None:
    """Check that the data of `node` is a number, which is not done as it is assigned, for the sake of speed.

    Raises:
        TypeError: if it is not; it names the leaf that this comes from, and says what to write.
    """
    if type(node.data) is not float and not is_number(node.data):
        raise misplaced(node)


def misplaced(node: Any) -> TypeError:
    """Return the error for `node`, whose data is not a number; it names the leaf that this comes from."""
    origin: Any = node
    while node is not None:
        origin, node = node, next((x for x in node.parents if not is_number(x.data)), None)
    name = origin.label if origin.label.isidentifier() else "p"
    owner = origin.label or "a leaf" if origin.op is None else f"a result of {origin.op.name}"
    if is_node(origin.data):
        gradient = f"{name}.grad.data" if is_node(origin.grad) else f"{name}.grad"
        advice = f"write {name}.data = {name}.data - 0.1 * {gradient} (the number of a Value v is v.data)"
        return TypeError(f"the data of {owner} is a Value, expected a number: {advice}")
    advice = f"write a float, as in {name}.data = 0.5"
    return TypeError(
        f"the data of {owner} is {type(origin.data).__name__} {origin.data!r:.60}, expected a number: {advice}"
    )


def constant(other: Any, data: float | Fraction) -> Any:
    """Return `other` as a constant in an operation on `data`, or NotImplemented; integers stay exact with fractions."""
    if not isinstance(other, int) and not is_number(other):
        return NotImplemented
    if type(data) is float:
        return float(other)
    return int(other) if isinstance(other, int) else as_number(other)


def show(operand: Any) -> str:
    """Return the short text of an operand for an error message: its label, if it has one, and its number."""
    if is_node(operand):
        return f"{operand.label}={show(operand.data)}" if operand.label else show(operand.data)
    if isinstance(operand, int) and operand.bit_length() > 1000:  # Python refuses to print the largest
        return f"an integer of {operand.bit_length()} bits"
    if isinstance(operand, tuple | list):
        return f"[{', '.join(map(show, operand[:4]))}{', …' if len(operand) > 4 else ''}]"
    return f"{operand!r:.60}"


def counted(count: int, noun: str) -> str:
    """Return how many there are, in words.

    >>> counted(1, "input"), counted(2000, "input")
    ('1 input', '2,000 inputs')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def named(error: Exception, name: str, *operands: Any) -> Exception:
    """Return an error of the same type that names the operation and its operands.

    A trace, which would not see what a function does on catching it, is told.
    """
    trace = tracing()
    if trace is not None:
        trace.cannot_follow(f"an error in {name}")
    if isinstance(error, TypeError):
        error = next((misplaced(x) for x in flat(operands) if has_misplaced_data(x)), error)
    if type(error).__module__ != "builtins":
        error.add_note(f"in {name}({', '.join(map(show, operands))})")
        return error
    reason = error.args[-1] if error.args else "failed"  # an OverflowError has a number before its words
    return type(error)(f"{name}({', '.join(map(show, operands))}): {reason}")


def has_misplaced_data(x: Any) -> bool:
    """Return whether `x` is one of our nodes with something else than a number as its data."""
    return is_node(x) and hasattr(x, "parents") and not is_number(x.data)


def flat(operands: Iterable[Any]) -> list[Any]:
    """Return `operands` with the elements of tuples and lists in the place of these."""
    return [x for operand in operands for x in (operand if isinstance(operand, tuple | list) else [operand])]


def check_sequences(name: str, *operands: Any) -> None:
    """Raise TypeError, naming the operation `name`, if one of its `operands` that should be sequences is none.

    Where there are only numbers, the error that Python has raised is that of the standard function, and stays.
    """
    for operand in operands if any(map(is_node, flat(operands))) else ():
        if not hasattr(operand, "__iter__"):
            reason = f"expected a sequence of numbers, got {type(operand).__name__}"
            raise named(TypeError(reason), name, *operands) from None
