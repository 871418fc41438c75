"""What counts as a number, and how errors speak of operands."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from microgrid import Value
from microgrid.engine.messages import check_sequences, named, show
from microgrid.engine.modes import Mode
from microgrid.engine.numbers import as_number, constant, is_number, zero_like


@pytest.mark.parametrize("x", [1, 1.5, True, Fraction(1, 2), Decimal("0.5")])
def test_real_numbers(x: Any) -> None:
    assert is_number(x) and as_number(x) == x


@pytest.mark.parametrize("x", ["1", None, 1j, [1.0], (1.0,), b"1", Value(1.0), float])
def test_what_is_no_number(x: Any) -> None:
    assert not is_number(x) or x is float
    with pytest.raises(TypeError, match="real number"):
        as_number(x)


class Complex128:
    """What matters of NumPy's complex numbers: they convert, and lose their imaginary part."""

    def __float__(self) -> float:
        return 1.0


class Array(Complex128):
    """What matters of an array of one number: it converts, and has a length."""

    def __iter__(self) -> Iterator[float]:
        return iter([1.0])


@pytest.mark.parametrize("x", [type("complex128", (Complex128,), {})(), Array()])
def test_what_converts_and_is_no_real_number(x: Any) -> None:
    assert float(x) == 1.0 and not is_number(x) and is_number(Complex128())
    with pytest.raises(TypeError, match=f"^expected a real number, got {type(x).__name__} <"):
        as_number(x)


class Scalar:
    """What matters of NumPy's scalars and arrays without dimensions: all convert, and arrays have `__iter__`."""

    def __init__(self, kind: str, *shape: int) -> None:
        self.dtype, self.shape = SimpleNamespace(kind=kind), shape

    def __float__(self) -> float:
        return 1.0

    def __iter__(self) -> Iterator[float]:
        raise TypeError("iteration over a 0-d array")


@pytest.mark.parametrize("kind", "biufV")
def test_what_has_a_dtype_of_real_numbers_and_no_dimension_is_a_number(kind: str) -> None:
    assert is_number(Scalar(kind)) and as_number(Scalar(kind)) == 1.0
    assert not is_number(Scalar(kind, 1))


@pytest.mark.parametrize("kind", "cOSUMm")
def test_complex_numbers_text_times_and_objects_of_numpy_are_none(kind: str) -> None:
    with pytest.raises(TypeError, match=r"^expected a real number, got Scalar <"):
        as_number(Scalar(kind))


def test_a_node_is_no_number_of_another() -> None:
    with pytest.raises(
        TypeError, match=r"^expected a real number, got Value.* \(v.detach\(\) copies a node, v.data is"
    ):
        as_number(Value(1.0))
    with pytest.raises(TypeError, match=r"^the data of a node is a number, got Value.* \(v.data is the number"):
        zero_like(Value(1.0))


@pytest.mark.parametrize(
    ("other", "data", "expected"),
    [
        (2, 1.0, 2.0),
        (True, 1.0, 1.0),
        (Fraction(1, 2), 1.0, 0.5),
        (2, Fraction(1), 2),
        (Fraction(1, 2), Fraction(1), Fraction(1, 2)),
        (0.5, Fraction(1), 0.5),
        ("a", 1.0, NotImplemented),
    ],
)
def test_constants_are_of_the_kind_of_the_data(other: Any, data: Any, expected: Any) -> None:
    found = constant(other, data)
    assert found == expected and type(found) is type(expected)


def test_zeros_are_of_the_kind_of_the_data() -> None:
    assert type(zero_like(1.0)) is float and type(zero_like(1)) is float
    assert zero_like(2.0) == zero_like(2) == 0.0
    assert zero_like(Fraction(1, 2)) == 0 and type(zero_like(Fraction(1, 2))) is Fraction


@pytest.mark.parametrize(
    ("operand", "text"),
    [
        (Value(2.0, label="x"), "x=2.0"),
        (Value(2.0), "2.0"),
        ([Value(1.0), 2.0], "[1.0, 2.0]"),
        ((1, 2, 3, 4), "[1, 2, 3, 4]"),
        ((1, 2, 3, 4, 5), "[1, 2, 3, 4, …]"),
        ("a" * 100, "'" + "a" * 59),
        ((1 << 1000) - 1, str((1 << 1000) - 1)[:60]),
        (1 << 1000, "an integer of 1001 bits"),
        (1 << 2000, "an integer of 2001 bits"),
    ],
)
def test_operands_are_shown_briefly(operand: Any, text: str) -> None:
    assert show(operand) == text


def test_an_error_is_named_once_and_keeps_its_type() -> None:
    error = named(OverflowError(34, "Numerical result out of range"), "pow", 10.0, 400)
    assert type(error) is OverflowError and str(error) == "pow(10.0, 400): Numerical result out of range"
    assert str(named(ValueError(), "f", 1.0)) == "f(1.0): failed"
    assert str(named(ValueError("math domain error"), "log", Value(-1.0))) == "log(-1.0): math domain error"


def test_an_error_of_others_is_noted_and_not_made_anew() -> None:
    error = InvalidOperation("signal")
    assert named(error, "f", Value(1.0, label="x"), 2) is error and error.__notes__ == ["in f(x=1.0, 2)"]


@pytest.mark.parametrize("operands", [(), (2.0, 3.0), ([2.0], 3.0), ([Value(2.0)], (Value(3.0),), iter([1.0]))])
def test_sequences_and_numbers_without_a_node_pass(operands: tuple[Any, ...]) -> None:
    check_sequences("f", *operands)


@pytest.mark.parametrize(
    ("operands", "told"),
    [
        ((Value(2.0, label="x"),), "f(x=2.0): expected a sequence of numbers, got Value"),
        (([1.0], Value(2.0)), "f([1.0], 2.0): expected a sequence of numbers, got Value"),
        ((3.0, (1.0, Value(2.0))), "f(3.0, [1.0, 2.0]): expected a sequence of numbers, got float"),
        (([Value(2.0)], "ab", 3.0), "f([2.0], 'ab', 3.0): expected a sequence of numbers, got float"),
    ],
)
def test_what_is_no_sequence_beside_a_node_is_named(operands: tuple[Any, ...], told: str) -> None:
    with pytest.raises(TypeError) as caught:
        check_sequences("f", *operands)
    assert str(caught.value) == told


def test_a_trace_is_told_of_an_error() -> None:
    class Trace(Mode):
        traces = True

        def cannot_follow(self, what: str) -> None:
            obstacles.append(what)

    obstacles: list[str] = []
    with Trace(None):
        error = named(ValueError("math domain error"), "log", -1.0)
    named(ValueError("math domain error"), "sqrt", -1.0)
    assert str(error) == "log(-1.0): math domain error" and obstacles == ["an error in log"]
