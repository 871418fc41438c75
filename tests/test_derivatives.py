"""Derivatives against what is known of them: forty digits, dual numbers, closed forms.

Every row in every role is in testing/test_rule_checks.py.
"""

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from microgrid.engine.recording import apply
from microgrid.engine.value import Value
from microgrid.rules.table import RULES
from tests.dual import Dual, formulas

REFERENCE = json.loads((Path(__file__).parent / "reference" / "values.json").read_text())


def close(result: float, digits: str, scale: float) -> bool:
    """Return whether `result` is the number written as `digits`, to 1e-12 of it or of `scale`."""
    expected = float(digits)
    return result == expected or abs(result - expected) <= 1e-12 * max(abs(expected), scale)


@pytest.mark.parametrize("entry", REFERENCE, ids=lambda entry: f"{entry['name']}{entry['args']}")
def test_functions_agree_with_the_table_of_forty_digits(entry: dict[str, Any]) -> None:
    rule = RULES[entry["name"]]
    leaves = [x if first is None else Value(x) for x, first in zip(entry["args"], entry["first"], strict=True)]
    out = apply(rule, leaves) if rule.is_sequence(rule.arguments[0]) else apply(rule, *leaves)
    assert close(out.data, entry["value"], 0.1)
    out.backward(create_graph=True)
    gradients = [x.grad if isinstance(x, Value) else None for x in leaves]
    for leaf, gradient, first, row in zip(leaves, gradients, entry["first"], entry["second"], strict=True):
        if gradient is None:
            continue
        assert close(gradient.data, first, abs(out.data) / max(1, abs(leaf.data)))
        for other in leaves:
            if isinstance(other, Value):
                other.zero_grad()
        gradient.backward()
        for other, second in zip(leaves, row, strict=True):
            if isinstance(other, Value):
                assert close(other.grad, second, max(abs(float(first)), abs(out.data)))


@given(formula=formulas(), numbers=st.lists(st.fractions(-9, 9, max_denominator=9), min_size=3, max_size=3))
def test_rational_functions_of_fractions_are_exact(formula: str, numbers: list[Fraction]) -> None:
    code = compile(formula, "formula", "eval")
    leaves = dict(zip("abc", map(Value, numbers), strict=True))
    try:
        expected = {
            name: eval(code, {other: Dual(x, Fraction(other == name)) for other, x in zip("abc", numbers, strict=True)})
            for name in "abc"
        }
    except ZeroDivisionError:
        assume(False)
    out = eval(code, dict(leaves))
    out.backward()
    for name, leaf in leaves.items():
        assert (out.data, leaf.grad) == (expected[name].primal, expected[name].tangent)
        assert type(leaf.grad) is Fraction
    for leaf in leaves.values():
        leaf.zero_grad()
    out.backward(create_graph=True)
    assert all(getattr(leaf.grad, "data", leaf.grad) == expected[name].tangent for name, leaf in leaves.items())


@pytest.mark.parametrize("n", range(9))
@pytest.mark.parametrize("at", [0.0, -1.5, 2.0, 5e-324, -1e-310, 2.0**-1024])
def test_powers_are_right_to_every_order(n: int, at: float) -> None:
    x = Value(at)
    out = x**n
    for order in range(n + 3):
        expected = math.perm(n, order) * at ** (n - order) if order <= n else 0.0
        assert out.data == pytest.approx(expected, rel=1e-14)
        x.zero_grad()
        out.backward(create_graph=True)
        out = x.grad if isinstance(x.grad, Value) else Value(x.grad)


@pytest.mark.parametrize(
    ("name", "nth"),
    [
        ("exp", lambda x, n: math.exp(x)),
        ("sin", lambda x, n: math.sin(x + n * math.pi / 2)),
        ("cos", lambda x, n: math.cos(x + n * math.pi / 2)),
        ("log", lambda x, n: math.log(x) if n == 0 else -math.factorial(n - 1) * (-1 / x) ** n),
        ("sqrt", lambda x, n: math.prod(0.5 - k for k in range(n)) * x ** (0.5 - n)),
    ],
)
def test_derivatives_up_to_order_eight_have_their_closed_form(name: str, nth: Any) -> None:
    x = Value(0.7)
    out = getattr(x, name)()
    for order in range(9):
        assert out.data == pytest.approx(nth(0.7, order), rel=1e-12)
        x.zero_grad()
        out.backward(create_graph=True)
        out = x.grad


@pytest.mark.parametrize(("name", "base"), [("log", math.e), ("log2", 2), ("log10", 10)])
@pytest.mark.parametrize(("at", "order"), [(3e-308, 1), (1.7e308, 1), (1e-154, 2), (3e-103, 3)])
def test_logarithms_have_slopes_as_far_as_floats_reach(name: str, base: float, at: float, order: int) -> None:
    x = Value(at)
    out = getattr(x, name)()
    for _ in range(order):
        x.zero_grad()
        out.backward(create_graph=True)
        out = x.grad
    expected = float(math.factorial(order - 1) / (Fraction(math.log(base)) * Fraction(at) ** order))
    assert out.data * (-1) ** (order - 1) == pytest.approx(expected, rel=1e-14, abs=math.ulp(0.0))
