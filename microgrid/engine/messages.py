"""How messages and pictures write numbers, operands and counts, and how an error names its operation."""

from __future__ import annotations

from microgrid.engine.modes import tracing
from microgrid.engine.numbers import is_fraction, is_node, is_number
from microgrid.rules import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`


def number(x: Any, digits: int = 4) -> str:
    """Return `x` in a few characters.

    >>> from fractions import Fraction
    >>> [number(x) for x in (2.0, 1 / 3, -1e-9, Fraction(1, 3), Fraction(10**9, 7), Fraction(10**400))]
    ['2', '0.3333', '-1e-09', '1/3', '1.429e+08', '> 1e308']
    """
    if is_fraction(x) and abs(x.numerator) + x.denominator < 10 ** (digits + 1):
        return str(x)
    try:
        return f"{float(x):.{digits}g}"
    except OverflowError:
        return "> 1e308" if x > 0 else "< -1e308"
    except (TypeError, ValueError):  # someone has put something else there
        return printable(x, 12)


def printable(text: object, width: int = 0) -> str:
    r"""Return `text` with every character that is not printable escaped, cut to `width` characters if it is given.

    >>> printable("two\nlines"), printable("abcdefgh", 4)
    ('two\\nlines', 'abc…')
    """
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return f"{shown[: width - 1]}…" if 0 < width < len(shown) else shown


def brief(x: object, width: int = 60) -> str:
    """Return the `repr` of `x` for an error message; if it is longer than `width`, it is cut between words.

    >>> brief([1.5, 2.5]), brief([1.5, 2.5, 3.5], 14), brief(10**20, 12)
    ('[1.5, 2.5]', '[1.5, 2.5, …', '10000000000…')
    """
    text = repr(x)
    if len(text) <= width:
        return text
    words = text[: width - 1].rpartition(" ")[0]
    return f"{words} …" if len(words) > width // 2 else f"{text[: width - 1]}…"  # one word may be nearly all of it


def label_of(node: Any) -> str:
    """Return the label of `node`, printable; an empty string without a label."""
    return printable(node.label) if node.label else ""


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


def check_data(node: Any) -> None:
    """Check that the data of `node` is a number, which is not done as it is assigned, for the sake of speed.

    Raises:
        TypeError: if it is not; it names the leaf that this comes from, and says what to write.
    """
    if type(node.data) is not float and not is_number(node.data):
        raise misplaced(node)


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
