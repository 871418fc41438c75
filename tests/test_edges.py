"""Kinks, edges and special points, one by one: what PyTorch gives there, and the departures from it.

`reference/edges.json` holds PyTorch's numbers; `reference/departures.json` lists where microgrid means to differ, why,
and what it gives instead.
"""

import json
import math
import operator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from microgrid import Value, derivative, grad, hessian
from microgrid import math as math_
from microgrid.math.functions import FUNCTIONS
from microgrid.rules.table import RULES
from microgrid.testing import check_gradients

REFERENCE = Path(__file__).parent / "reference"
EDGES = json.loads((REFERENCE / "edges.json").read_text())
DEPARTURES = {
    (entry["name"], *entry["args"]): entry
    for group in json.loads((REFERENCE / "departures.json").read_text())
    for entry in group["entries"]
}
CONSTANT_FORMS = {"clip_const": "clip", "pow_const": "pow"}
OPERATORS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
}


def same(result: float, expected: float) -> bool:
    """Return whether two numbers agree to the last bits, infinities and nan included."""
    if math.isnan(result) or math.isnan(expected):
        return math.isnan(result) and math.isnan(expected)
    return result == expected or abs(result - expected) <= 1e-14 * max(abs(result), abs(expected))


def build(entry: dict[str, Any]) -> tuple[Value, list[Any]]:
    """Return the node of `entry` and its arguments."""
    name = CONSTANT_FORMS.get(entry["name"], entry["name"])
    rule = RULES[name]
    is_constant = [grad is None and name not in ("step", "where") for grad in entry["grads"]]
    arguments = [float(x) if fixed else Value(float(x)) for x, fixed in zip(entry["args"], is_constant, strict=True)]
    whole = rule.is_sequence(rule.arguments[0]) and not rule.variadic
    return OPERATORS.get(name, FUNCTIONS[name])(*([arguments] if whole else arguments)), arguments


def measure(out: Value, arguments: list[Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Return what microgrid gives at the point of `entry`: result, gradients, second derivative if asked."""
    leaves = [x for x in arguments if isinstance(x, Value)]
    out.backward()
    found = {"out": out.data, "grads": [x.grad if isinstance(x, Value) else None for x in arguments]}
    if entry.get("second") is not None:
        leaves[0].zero_grad()
        out.backward(create_graph=True)
        gradient = leaves[0].grad
        leaves[0].zero_grad()
        gradient.backward()
        found["second"] = leaves[0].grad
    return found


def differences(found: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    """Return where `found` is not what `entry` says."""
    wrong = [] if same(found["out"], float(entry["out"])) else ["out"]
    for index, (slope, expected) in enumerate(zip(found["grads"], entry["grads"], strict=True)):
        if expected is not None and not same(slope, float(expected)):
            wrong.append(f"grads[{index}]")
    if entry.get("second") is not None and not same(found["second"], float(entry["second"])):
        wrong.append("second")
    return wrong


def entry_id(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({', '.join(entry['args'])})"


@pytest.mark.parametrize("entry", EDGES, ids=entry_id)
def test_edges_are_as_in_pytorch_or_a_listed_departure(entry: dict[str, Any]) -> None:
    try:
        out, arguments = build(entry)
    except (ValueError, ArithmeticError) as error:
        if math.isfinite(float(entry["out"])):
            pytest.fail(f"{error!r} where PyTorch has a number")
        return
    found = measure(out, arguments, entry)
    departure = DEPARTURES.get((entry["name"], *entry["args"]))
    assert not differences(found, departure or entry)
    assert departure is None or differences(found, entry), "no departure any more"


def test_every_departure_is_an_edge() -> None:
    assert set(DEPARTURES) <= {(entry["name"], *entry["args"]) for entry in EDGES}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    ("masked", "at"),
    [
        (lambda x: x.relu(), -1.0),
        (lambda x: math_.where(x > 0, x, 0.0), -1.0),
        (lambda x: math_.where(x > 0, x, Value(0.0)), -1.0),
        (lambda x: math_.maximum(x, 0.0), -1.0),
        (lambda x: math_.minimum(x, 0.0), 1.0),
        (lambda x: math_.clip(x, 0.0, 1.0), -1.0),
    ],
)
def test_an_infinite_adjoint_does_not_enter_a_dead_branch(masked: Any, at: float, create_graph: bool) -> None:
    x = Value(at)
    masked(x).sqrt().backward(create_graph=create_graph)
    assert getattr(x.grad, "data", x.grad) == 0.0


def test_what_is_not_chosen_is_not_differentiated_at_any_order() -> None:
    x = Value(750.0)
    x.elu().backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward()
    assert (first.data, x.grad) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("dividend", "divisor"),
    [
        (0.3, 1e-9),
        (326.0, -0.84),  # the quotient of floats is just below a whole number, or just above
        (62.2, 56 / 3),
        (30.0, -0.83),
        (1.0, 2.0),  # halfway: to the even one
        (3.0, 2.0),
        (-3.0, 2.0),
    ],
)
@pytest.mark.parametrize(("name", "whole"), [("fmod", math.trunc), ("remainder", round)])
def test_the_quotient_in_a_remainder_is_constant(name: str, whole: Any, dividend: float, divisor: float) -> None:
    x, y = Value(dividend), Value(divisor)
    FUNCTIONS[name](x, y).backward(create_graph=True)
    slope = y.grad
    x.zero_grad(), y.zero_grad()
    slope.backward()
    assert slope.data == -whole(Fraction(dividend) / Fraction(divisor)) and y.grad == 0.0


@pytest.mark.parametrize("name", ["pow"])
@pytest.mark.parametrize(
    ("at", "mixed"),  # where 1 / x overflows it is x ** 0, as at 0
    [
        (5e-324, 1.0),
        (-1e-310, 1.0),
        (2.0**-1024, 1.0),
        (math.nextafter(2.0**-1024, 1.0), math.ldexp(1 - 2.0**-50, 1024)),
    ],
)
def test_a_power_zero_is_constant_as_near_to_zero_as_there_are_floats(name: str, at: float, mixed: float) -> None:
    x, y = Value(at), Value(0.0)
    OPERATORS[name](x, y).backward(create_graph=True)
    slope = x.grad
    x.zero_grad(), y.zero_grad()
    slope.backward()
    assert (slope.data, y.grad) == (0.0, mixed)


@pytest.mark.parametrize("name", ["pow"])
@pytest.mark.parametrize("at", [-1e300, -(2.0**52), -3.0, 0.0, 1e300])
def test_a_first_power_has_the_slope_1(name: str, at: float) -> None:
    x = Value(at)
    OPERATORS[name](x, 1.0).backward()
    assert x.grad == 1.0


@pytest.mark.parametrize("name", ["pow"])
def test_a_root_in_a_denominator_falls_without_bound(name: str) -> None:
    x = Value(1e-310)
    OPERATORS[name](x, -0.5).backward()
    assert x.grad == -math.inf


@pytest.mark.parametrize("name", ["atan2"])
@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e-17, 1e-3, 1e150])
def test_an_angle_changes_as_one_over_the_distance(name: str, size: float) -> None:
    y, x = Value(3 * size), Value(-4 * size)
    FUNCTIONS[name](y, x).backward()
    assert y.grad * size == pytest.approx(-0.16, rel=1e-14) and x.grad * size == pytest.approx(-0.12, rel=1e-14)


@pytest.mark.parametrize("name", ["cross_entropy"])
def test_the_slopes_of_cross_entropy_do_not_overflow(name: str) -> None:
    xs = [Value(1000.0), Value(0.0)]
    FUNCTIONS[name](xs, [0.25, 0.75]).backward()
    assert [x.grad for x in xs] == [0.75, -0.75]


@pytest.mark.parametrize("name", ["binary_cross_entropy"])
@pytest.mark.parametrize("p", [0.0, 1e-14, 0.9e-12, 1.1e-12, 1e-11, 0.5, 1 - 1e-11, 1 - 1e-13, 1.0])
def test_the_slope_of_binary_cross_entropy_is_bounded(name: str, p: float) -> None:
    x = Value(p)
    FUNCTIONS[name](x, 0.25).backward()
    assert x.grad == pytest.approx((p - 0.25) / max(p * (1 - p), 1e-12), rel=1e-14)


def nested(function: Any, order: int) -> Any:
    """Return the derivative of that order by gradients of gradients."""
    return nested(grad(function), order - 1) if order else function


@pytest.mark.parametrize("name", ["silu"])
@pytest.mark.parametrize(
    ("x", "order", "expected"),  # 2 - x times exp(-x), beside which the rest is lost, and so on
    [
        (40.0, 2, -38 * math.exp(-40)),
        (40.0, 3, 37 * math.exp(-40)),
        (-40.0, 2, -38 * math.exp(-40)),
        (300.0, 2, -298 * math.exp(-300)),
        (700.0, 3, 697 * math.exp(-700)),
    ],
)
def test_the_curvature_of_silu_is_exact_in_its_tails(name: str, x: float, order: int, expected: float) -> None:
    for slope in (nested(FUNCTIONS[name], order), derivative(FUNCTIONS[name], order)):
        assert slope(x) == pytest.approx(expected, rel=1e-13, abs=0.0)


@pytest.mark.parametrize("name", ["binary_cross_entropy_with_logits"])
@pytest.mark.parametrize("x", [-700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0])
@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_the_curvature_of_a_cross_entropy_with_logits_is_exact(name: str, x: float, y: float) -> None:
    expected = 1 / (2 + math.exp(x) + math.exp(-x))
    assert nested(lambda x: FUNCTIONS[name](x, y), 2)(x) == pytest.approx(expected, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("name", ["logaddexp"])
@pytest.mark.parametrize("difference", [-700.0, -40.0, -3.0, 0.0, 0.1, 37.0, 40.0, 700.0])
def test_the_curvature_of_logaddexp_is_symmetric_and_exact(name: str, difference: float) -> None:
    expected = 1 / (2 + math.exp(difference) + math.exp(-difference))
    (xx, xy), (yx, yy) = hessian(lambda p: FUNCTIONS[name](p[0], p[1]))([difference, 0.0])
    assert [xx, -xy, -yx, yy] == pytest.approx([expected] * 4, rel=1e-15, abs=0.0)


@pytest.mark.parametrize("name", ["cbrt"])
@pytest.mark.parametrize("x", [1e-300, -1e-300, 1e-200, 0.0])
def test_derivatives_of_a_cube_root_near_zero_are_infinite(name: str, x: float) -> None:
    for slope in (nested(FUNCTIONS[name], 3), derivative(FUNCTIONS[name], 3)):
        assert slope(x) == math.inf
    assert nested(FUNCTIONS[name], 2)(x) == math.copysign(math.inf, -x)


@pytest.mark.parametrize(
    ("name", "scale", "slope"), [("tanh", 2, lambda out: 1 - out * out), ("sigmoid", 1, lambda out: out * (1 - out))]
)
@pytest.mark.parametrize("x", [5.0, 18.0, 30.0, 36.0, 40.0])
def test_slopes_of_saturated_functions_are_those_of_pytorch(name: str, scale: int, slope: Any, x: float) -> None:
    """They are exact beside 1, the slope in the middle, not for their size; `check_gradients` allows for that."""
    function, x = FUNCTIONS[name], x / scale
    out = function(x)
    assert grad(function)(x) == slope(out)
    check_gradients(function, x)


@pytest.mark.parametrize(
    ("result", "gradient"),
    [
        (lambda x: x.sqrt() * 0.0, 0.0),  # an adjoint of zero is not handed on: no 0 * inf
        (lambda x: x.sqrt() + x, math.inf),
        (lambda x: (x * 0.0).sqrt(), math.nan),
        (lambda x: (1.0 / (x + 1e-310)) * 0.0, 0.0),
    ],
)
def test_a_zero_adjoint_ends_the_way(result: Any, gradient: float) -> None:
    x = Value(0.0)
    result(x).backward()
    assert same(x.grad, gradient)
