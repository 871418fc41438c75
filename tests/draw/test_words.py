"""Numbers in a few characters, labels that break nothing, operations with their constants."""

import math as standard
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, define_rule, math
from microgrid.draw.words import formula, forward_of, full, has_gradient, magnitude, operation_text
from microgrid.engine.messages import number, printable
from microgrid.rules.table import RULES


@given(st.text())
def test_printable_text_is_one_line_without_control_characters(text: str) -> None:
    assert printable(text).isprintable()
    assert len(printable(text, 5)) <= 5
    if text.isprintable():
        assert printable(text) == text


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (0.1 + 0.2, "0.3"),
        (-12345.678, "-1.235e+04"),
        (standard.inf, "inf"),
        (standard.nan, "nan"),
        (Fraction(22, 7), "22/7"),
        (Fraction(-(10**400)), "< -1e308"),
        (Fraction(10**9000), "> 1e308"),
        (True, "1"),
        ("text\n", "text\\n"),
    ],
)
def test_numbers_are_short(x: object, shown: str) -> None:
    assert number(x).startswith(shown) and len(number(x)) <= 12


def test_all_digits_are_written_if_python_writes_them() -> None:
    assert full(Fraction(1, 3)) == "1/3" and full(0.1 + 0.2) == "0.30000000000000004"
    assert full(Fraction(10**9000)) == "> 1e308"


def test_sizes_of_gradients() -> None:
    assert [magnitude(x) for x in (-2.0, Fraction(-1, 2), None)] == [2.0, 0.5, 0.0]
    assert magnitude(Fraction(10**400)) == standard.inf
    x = Value(2.0)
    assert not has_gradient(x)
    (x**3).backward(create_graph=True)
    assert has_gradient(x)


def test_operations_show_their_constants() -> None:
    x, y = Value(3.0), Value(2.0)
    shown = {
        "*": x * y,
        "-": -x,
        "2 /": 2 / x,
        "// 2": x // 2,
        "tanh": x.tanh(),
        "dot": math.dot([x, y], [1.0, 2.0]),
        "dot(·, ·, 0.5)": math.dot([x, y], [1.0, 2.0], 0.5),
        "elu": x.elu(),
        "elu(·, 2)": x.elu(2.0),
        "clip(·, -1, 1)": math.clip(x, -1, 1),
        "where(·, ·, 0)": math.where(x, y, 0.0),
        "prod": math.prod([x, y]),
        "prod(·, 3)": math.prod([x, y], start=3),
    }
    assert [operation_text(node) for node in shown.values()] == list(shown)
    assert operation_text(Value(1.0)) == ""


def test_operations_written_by_hand_show_their_name() -> None:
    x = Value(3.0)
    assert operation_text(Value(3.0, (x,), "cu\nbe")) == "cu\\nbe"
    assert operation_text(Value(3.0, (x,))) == "?"
    assert formula(Value(3.0, (x,), "cube")) == ""
    assert formula(x * x) == "(x, y) = x * y"


@pytest.mark.usefixtures("rules_restored")
def test_functions_given_as_forward_are_calls_of_the_operation() -> None:
    define_rule("shown_cube(x)", lambda x: x**3, x=lambda x, out: 3 * x * x)
    assert forward_of(RULES["shown_cube"]) == "shown_cube(x)"
    assert forward_of(RULES["tanh"]) == "tanh(x)"
