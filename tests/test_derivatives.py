"""Every row of the calculus table against oracles that share nothing with its partials."""

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from microgrid.engine import Value
from microgrid.recording import apply
from microgrid.rules import ROWS, RULES, Rule
from microgrid.testing import complex_step as oracle
from microgrid.testing.strategies import in_domain, points

REFERENCE = json.loads((Path(__file__).parent / "reference" / "values.json").read_text())
TINY, HUGE = 1e-120, 1e120  # beyond them, products with the step underflow or overflow
UNSEEN = 1e-150  # a smaller slope is zero to the oracle


def record(rule: Rule, arguments: dict[str, Any]) -> tuple[Value, dict[str, Any]]:
    """Return the node of `rule` on leaves, and the leaves by argument."""
    leaves: dict[str, Any] = {}
    for name, argument in arguments.items():
        if rule.is_sequence(name):
            leaves[name] = [Value(x) for x in argument]
        else:
            leaves[name] = Value(argument) if rule.is_differentiable(name) else argument
    return apply(rule, *leaves.values()), leaves


def places(rule: Rule, leaves: dict[str, Any]) -> list[tuple[str, int | None, Value]]:
    """Return argument, index and leaf of everything that the result of `rule` can be differentiated by."""
    found: list[tuple[str, int | None, Value]] = []
    for name, leaf in leaves.items():
        if rule.is_sequence(name):
            found += [(name, index, element) for index, element in enumerate(leaf)]
        elif isinstance(leaf, Value):
            found.append((name, None, leaf))
    return found


def moved(arguments: dict[str, Any], name: str, index: int | None, step: float) -> dict[str, Any]:
    """Return `arguments` with one number moved by `step`."""
    if index is None:
        return arguments | {name: arguments[name] + step}
    elements = list(arguments[name])
    elements[index] += step
    return arguments | {name: elements}


def complex_step(rule: Rule, arguments: dict[str, Any], name: str, index: int | None = None) -> tuple[float, float]:
    """Return the value of `rule` and its derivative by the argument `name`, or by element `index` of it."""

    def lift(key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [oracle.Step(complex(x, oracle.H * (key == name and i == index))) for i, x in enumerate(value)]
        return oracle.Step(complex(value, oracle.H * (key == name))) if rule.is_differentiable(key) else value

    out = oracle.evaluate(rule, *(lift(key, value) for key, value in arguments.items())).z
    return out.real, out.imag / oracle.H


def agrees_with_difference(rule: Rule, arguments: dict[str, Any], name: str, index: int | None, slope: float) -> bool:
    """Return whether a difference quotient tells the same slope, roughly: complex step is believed only there."""
    x = arguments[name] if index is None else arguments[name][index]
    size = max(abs(x), 1e-6) * 1e-6
    try:
        there, here = (
            complex_step(rule, moved(arguments, name, index, step), name, index)[0] for step in (size, -size)
        )
    except (ValueError, ArithmeticError):
        return False
    value = max(abs(there), abs(here), 1e-300)
    return abs((there - here) / (2 * size) - slope) <= 1e-4 * abs(slope) + 1e-9 * value / size


def wobble(rule: Rule, arguments: dict[str, Any], name: str, index: int | None) -> float:
    """Return how far the oracle's slope moves when its argument does by a few roundings: where terms cancel, far."""
    x = arguments[name] if index is None else arguments[name][index]
    slopes = [
        complex_step(rule, moved(arguments, name, index, step), name, index)[1]
        for step in (-4 * math.ulp(x), 0.0, 4 * math.ulp(x))
    ]
    return max(slopes) - min(slopes)


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@given(data=st.data())
def test_partials_agree_with_complex_step(rule: Rule, data: st.DataObject) -> None:
    arguments = data.draw(points(rule))
    assume(in_domain(rule, arguments))
    try:
        out, leaves = record(rule, arguments)
        found = {(name, index): complex_step(rule, arguments, name, index) for name, index, _ in places(rule, leaves)}
    except (ValueError, ArithmeticError):
        assume(False)
    assume(math.isfinite(out.data) and (out.data == 0 or abs(out.data) > TINY))
    out.backward()
    for name, index, leaf in places(rule, leaves):
        value, slope = found[name, index]
        assume(math.isfinite(slope) and abs(slope) < HUGE and (slope == 0 or abs(slope) > TINY))
        assume(agrees_with_difference(rule, arguments, name, index, slope))
        assert out.data == pytest.approx(value, rel=1e-12, abs=1e-13), "the result itself"
        scale = max(abs(slope), abs(out.data) / max(1, abs(leaf.data)))
        off = abs(leaf.grad - slope)
        assert off <= 1e-12 * scale + UNSEEN or off <= wobble(rule, arguments, name, index), (name, index)


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


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@settings(max_examples=30)
@given(data=st.data())
def test_recorded_gradients_equal_plain_ones(rule: Rule, data: st.DataObject) -> None:
    arguments = data.draw(points(rule))
    assume(in_domain(rule, arguments))
    try:
        plain, plain_leaves = record(rule, arguments)
        recorded, recorded_leaves = record(rule, arguments)
    except (ValueError, ArithmeticError):
        assume(False)
    plain.backward()
    recorded.backward(create_graph=True)
    for (_, _, one), (_, _, other) in zip(places(rule, plain_leaves), places(rule, recorded_leaves), strict=True):
        assert isinstance(other.grad, Value)
        assert other.grad.data == pytest.approx(one.grad, rel=1e-14, nan_ok=True)


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@settings(max_examples=30)
@given(data=st.data())
def test_second_derivatives_agree_with_differences_of_first(rule: Rule, data: st.DataObject) -> None:
    arguments = data.draw(points(rule))
    assume(in_domain(rule, arguments))

    def gradient_by(first: int, step: float = 0.0, second: int = 0) -> tuple[float, float, Value]:
        found, leaves = record(rule, arguments)
        name, index, _ = places(rule, leaves)[second]
        found, leaves = record(rule, moved(arguments, name, index, step))
        nodes = [node for _, _, node in places(rule, leaves)]
        found.backward(create_graph=True)
        gradient = nodes[first].grad
        nodes[second].zero_grad()
        gradient.backward()
        return gradient.data, nodes[second].grad, nodes[second]

    if rule.name in ("floordiv", "mod", "fmod", "remainder"):
        assume(abs(arguments["x"]) < 1e3 * abs(arguments["y"]))  # else there is a jump within every difference
    count = sum(len(x) if isinstance(x, list) else rule.is_differentiable(name) for name, x in arguments.items())
    first, second = data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, count - 1))
    try:
        gradient, curvature, node = gradient_by(first, 0.0, second)
        step = 1e-5 * abs(node.data) or 1e-5
        slopes = [
            (gradient_by(first, h, second)[0] - gradient_by(first, -h, second)[0]) / (2 * h)
            for h in (step, step / 2, step / 9)
        ]
    except (ValueError, ArithmeticError):
        assume(False)
    noise = 1e-15 * max(abs(gradient), abs(slopes[0] * node.data)) / step
    assume(all(map(math.isfinite, slopes)))
    assume(max(slopes) - min(slopes) <= 1e-4 * abs(slopes[0]) + 100 * noise)  # else a kink is near
    assert curvature == pytest.approx(slopes[0], rel=1e-3, abs=100 * noise + 1e-12)


class Dual:
    """A number with its derivative, over fractions: the forward mode of calculus, written out."""

    def __init__(self, primal: Fraction, tangent: Fraction = Fraction(0)) -> None:
        self.primal, self.tangent = primal, tangent

    def __add__(self, other: "Dual") -> "Dual":
        return Dual(self.primal + other.primal, self.tangent + other.tangent)

    def __sub__(self, other: "Dual") -> "Dual":
        return Dual(self.primal - other.primal, self.tangent - other.tangent)

    def __mul__(self, other: "Dual") -> "Dual":
        return Dual(self.primal * other.primal, self.tangent * other.primal + self.primal * other.tangent)

    def __truediv__(self, other: "Dual") -> "Dual":
        quotient = self.primal / other.primal
        return Dual(quotient, (self.tangent - quotient * other.tangent) / other.primal)

    def __pow__(self, n: int) -> "Dual":
        return Dual(self.primal**n, n * self.primal ** (n - 1) * self.tangent if n else Fraction(0))

    def __neg__(self) -> "Dual":
        return Dual(-self.primal, -self.tangent)


def formulas() -> st.SearchStrategy[str]:
    """Return rational expressions in a, b and c."""
    leaves = st.sampled_from(["a", "b", "c"])

    def combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        power = st.tuples(inner, st.integers(-3, 4)).map(lambda t: f"({t[0]} ** {t[1]})")
        return binary | power | inner.map(lambda text: f"(-{text})")

    return st.recursive(leaves, combine, max_leaves=8)


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
@pytest.mark.parametrize("at", [0.0, -1.5, 2.0])
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
