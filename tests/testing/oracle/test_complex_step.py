"""Complex step: the number, the functions, rows and graphs."""

import math as standard
from typing import Any

import pytest

from microgrid import Value, define_rule, math
from microgrid.rules.table import ROWS, RULES
from microgrid.testing.oracle.complex_step import FUNCTIONS, H, Step, derivative, evaluate


def slope(out: Step) -> float:
    return out.z.imag / H


def at(x: float) -> Step:
    return Step(complex(x, H))


@pytest.mark.parametrize(
    ("function", "x", "value", "by_x"),
    [
        (lambda x: x + 2.0, 3.0, 5.0, 1.0),
        (lambda x: 2.0 + x, 3.0, 5.0, 1.0),
        (lambda x: x - 2.0, 3.0, 1.0, 1.0),
        (lambda x: 2.0 - x, 3.0, -1.0, -1.0),
        (lambda x: x * 2.0, 3.0, 6.0, 2.0),
        (lambda x: 2.0 * x, 3.0, 6.0, 2.0),
        (lambda x: x / 2.0, 3.0, 1.5, 0.5),
        (lambda x: 3.0 / x, 2.0, 1.5, -0.75),
        (lambda x: -x, 3.0, -3.0, -1.0),
        (abs, 3.0, 3.0, 1.0),
        (abs, -3.0, 3.0, -1.0),
        (lambda x: x // 2.0, 3.0, 1.0, 0.0),
        (lambda x: x % 2.0, 3.0, 1.0, 1.0),
        (lambda x: 7.0 % x, 3.0, 1.0, -2.0),
        (lambda x: 7.0 // x, 3.0, 2.0, 0.0),
        (lambda x: x**3, 2.0, 8.0, 12.0),
        (lambda x: x**3, -2.0, -8.0, 12.0),
        (lambda x: x**3, 0.0, 0.0, 0.0),
        (lambda x: x**0, 0.0, 1.0, 0.0),
        (lambda x: x**-2.0, 2.0, 0.25, -0.25),
        (lambda x: x**0.5, 4.0, 2.0, 0.25),
        (lambda x: x**101, -1.0, -1.0, 101.0),
        (lambda x: x**102, -1.0, 1.0, -102.0),
        (lambda x: 2.0**x, 3.0, 8.0, 8.0 * standard.log(2)),
        (lambda x: x**x, 2.0, 4.0, 4.0 * (standard.log(2) + 1)),
    ],
)
def test_arithmetic(function: Any, x: float, value: float, by_x: float) -> None:
    out = function(at(x))
    assert (out.z.real, slope(out)) == (pytest.approx(value, rel=1e-14), pytest.approx(by_x, rel=1e-14))


def test_comparisons_look_at_the_real_part() -> None:
    x = at(3.0)
    assert x < 4.0 and x <= 3.0 and x > 2.0 and x >= at(3.0) and bool(x)
    assert not (x < 3.0 or x <= 2.0 or x > 3.0 or x >= 4.0 or at(0.0))
    assert repr(Step(1 + 2j)) == "Step((1+2j))"


@pytest.mark.parametrize("base", [0.0, -2.0])
def test_powers_that_are_no_real_numbers_are_refused(base: float) -> None:
    with pytest.raises(ValueError, match="positive real part"):
        at(base) ** 0.5


@pytest.mark.parametrize(
    ("name", "x"),
    [("acos", 1.0), ("acosh", 1.0), ("asin", -1.0), ("atanh", 1.5), ("log", 0.0), ("log10", -1.0), ("log2", -1.0),
     ("log1p", -1.0), ("sqrt", -1.0), ("gamma", -0.5), ("cbrt", 0.0), ("binary_cross_entropy", 0.0)],
)  # fmt: skip
def test_outside_of_the_domain_nothing_is_continued(name: str, x: float) -> None:
    with pytest.raises(ValueError, match="expected a"):
        FUNCTIONS[name](at(x), *([0.5] if name == "binary_cross_entropy" else []))


def test_functions_take_numbers_beside_steps() -> None:
    assert slope(FUNCTIONS["hypot"](at(3.0), 4.0)) == pytest.approx(0.6, rel=1e-15)
    assert slope(FUNCTIONS["logaddexp"](1.0, at(1.0))) == 0.5
    assert slope(FUNCTIONS["copysign"](at(3.0), -1.0)) == -1.0
    assert slope(FUNCTIONS["cbrt"](at(-8.0))) == pytest.approx(1 / 12, rel=1e-15)
    assert slope(FUNCTIONS["binary_cross_entropy"](0.25, at(0.5))) == pytest.approx(-standard.log(1 / 3), rel=1e-14)


def test_every_row_has_a_complex_version() -> None:
    """The rows whose text only calls a function that is written elsewhere; that they are right is checked elsewhere."""
    assert set(FUNCTIONS) >= {rule.name for rule in ROWS if rule.forward.startswith(f"{rule.name}(")}


def test_rows_of_every_form() -> None:
    assert slope(evaluate(RULES["dot"], [at(2.0), Step(3.0)], [Step(5.0), Step(7.0)], Step(1.0))) == 5.0
    assert slope(evaluate(RULES["mean"], [at(2.0), Step(3.0)])) == 0.5
    assert slope(evaluate(RULES["hypot"], [at(3.0), Step(4.0)])) == pytest.approx(0.6, rel=1e-15)
    assert slope(evaluate(RULES["leaky_relu"], at(-2.0), 0.25)) == 0.25
    assert slope(evaluate(RULES["sign"], at(-2.0))) == 0.0 and evaluate(RULES["sign"], at(-2.0)).z == -1


@pytest.mark.usefixtures("rules_restored")
def test_rows_may_call_rows() -> None:
    define_rule("longest(*xs)", "hypot(*xs)", x="0")
    define_rule("gate(x)", "relu(x) * longest(x, 4) + pi", x="0")
    assert slope(evaluate(RULES["gate"], at(3.0))) == pytest.approx(5 + 3 * 0.6, rel=1e-15)


@pytest.mark.usefixtures("rules_restored")
def test_functions_without_a_complex_version_are_named() -> None:
    define_rule("steps(x)", "floor(x)", x="0")
    define_rule("own(x)", lambda x: x, x="1")
    for name, missing in (("steps", "floor"), ("own", "own_forward")):
        with pytest.raises(NameError, match=missing):
            evaluate(RULES[name], at(1.5))


def test_graphs() -> None:
    x, y = Value(0.75), Value(2.0)
    out = math.dot([x, x.sin()], [x * x, 2.0], x.relu()) + math.hypot(x, 1, y) * (3 / y) ** x + math.prod([x, y])
    out.backward()
    assert derivative(out, x) == pytest.approx(x.grad, rel=1e-14)
    assert derivative(out, y) == pytest.approx(y.grad, rel=1e-14)
    assert derivative(x, x) == 1.0
    assert derivative(y * y, x) == derivative(y, x) == 0.0


def test_a_zero_on_the_way_keeps_its_derivative() -> None:
    x = Value(2.0)
    assert derivative((x - 2.0) * 3.0, x) == 3.0


def test_hand_written_operations_are_refused_where_they_matter() -> None:
    x = Value(2.0)
    out = Value(4.0, (x,), "square")
    with pytest.raises(TypeError, match="the operation 'square' is not in the table"):
        derivative(out * 2.0, x)
    y = Value(3.0)
    assert derivative(out * y, y) == 4.0


def test_a_long_chain() -> None:
    x = out = Value(1.0)
    for _ in range(20_000):
        out = out * 1.0
    assert derivative(out, x) == 1.0
