"""The oracle: derivatives from values alone."""

import json
import math as standard
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import microgrid.testing
from microgrid import Value, define_rule, math
from microgrid.testing import NotDifferentiableError, numerical_derivative

REFERENCE = json.loads((Path(__file__).parents[2] / "reference" / "values.json").read_text())
POINTS = [0.103 + 0.07 * k for k in range(13)]
STEP = 1e-6  # of the central difference: a larger one errs more where f is curved, a smaller one where it is not

# What the derivatives of the standard functions are, in floats: good for 15 digits.
SLOPES: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "acos": (math.acos, lambda x: -1 / standard.sqrt((1 - x) * (1 + x))),
    "acosh": (lambda x: math.acosh(x + 1), lambda x: 1 / standard.sqrt(x * (x + 2))),
    "asin": (math.asin, lambda x: 1 / standard.sqrt((1 - x) * (1 + x))),
    "asinh": (math.asinh, lambda x: 1 / standard.hypot(1, x)),
    "atan": (math.atan, lambda x: 1 / (1 + x * x)),
    "atan2": (lambda x: math.atan2(x, 0.7), lambda x: 0.7 / (0.49 + x * x)),
    "atanh": (math.atanh, lambda x: 1 / ((1 - x) * (1 + x))),
    "cbrt": (math.cbrt, lambda x: x ** (1 / 3) / (3 * x)),
    "cos": (math.cos, lambda x: -standard.sin(x)),
    "cosh": (math.cosh, standard.sinh),
    "degrees": (math.degrees, lambda x: 180 / standard.pi),
    "dist": (lambda x: math.dist([x, 1.0], [0.1, 0.3]), lambda x: (x - 0.1) / standard.hypot(x - 0.1, 0.7)),
    "exp": (math.exp, standard.exp),
    "exp2": (math.exp2, lambda x: 2**x * standard.log(2)),
    "expm1": (math.expm1, standard.exp),
    "fma": (lambda x: math.fma(x, x, 0.3), lambda x: 2 * x),
    "fmod": (lambda x: math.fmod(7.7, x), lambda x: -(7.7 // x)),
    "fsum": (lambda x: math.fsum([x, x * x]), lambda x: 1 + 2 * x),
    "hypot": (lambda x: math.hypot(x, 0.7), lambda x: x / standard.hypot(x, 0.7)),
    "ldexp": (lambda x: math.ldexp(x * x, 3), lambda x: 16 * x),
    "log": (math.log, lambda x: 1 / x),
    "log10": (math.log10, lambda x: 1 / (x * standard.log(10))),
    "log1p": (math.log1p, lambda x: 1 / (1 + x)),
    "log2": (math.log2, lambda x: 1 / (x * standard.log(2))),
    "pow": (lambda x: math.pow(x, 2.5), lambda x: 2.5 * x**1.5),
    "prod": (lambda x: math.prod([x, x, 3.0]), lambda x: 6 * x),
    "radians": (math.radians, lambda x: standard.pi / 180),
    "remainder": (lambda x: math.remainder(7.6, x), lambda x: -round(7.6 / x)),
    "sin": (math.sin, standard.cos),
    "sinh": (math.sinh, standard.cosh),
    "sqrt": (math.sqrt, lambda x: 0.5 / standard.sqrt(x)),
    "sumprod": (lambda x: math.sumprod([x, 2.0], [x, x]), lambda x: 2 * x + 2),
    "tan": (math.tan, lambda x: 1 + standard.tan(x) ** 2),
    "tanh": (math.tanh, lambda x: 1 / standard.cosh(x) ** 2),
}


def cases() -> dict[str, list[tuple[Callable[[Any], Any], float, float]]]:
    """Return functions of one number with a point and the derivative there, by name."""
    found = {name: [(f, x, slope(x)) for x in POINTS] for name, (f, slope) in SLOPES.items()}
    for entry in REFERENCE:
        if len(entry["args"]) == 1 and 0.1 <= entry["args"][0] <= 10 and entry["args"][0] != 1.4616321449683622:
            slope = float(entry["first"][0])
            found.setdefault(entry["name"], []).append((getattr(math, entry["name"]), entry["args"][0], slope))
    return found


def worst(points: list[tuple[Callable[[Any], Any], float, float]], derivative: Callable[..., float]) -> float:
    """Return the largest relative error of `derivative` at the points."""
    return max(abs(derivative(f, x) - slope) / abs(slope) for f, x, slope in points)


def central(f: Callable[[Any], Any], x: float) -> float:
    """Return the plain central difference."""
    return float((f(x + STEP) - f(x - STEP)) / (2 * STEP))


def test_it_beats_central_differences_by_five_digits() -> None:
    """Print the table: the largest relative errors at a dozen points."""
    print(f"\n{'':18}  central   oracle  digits gained")
    gains = {}
    for name, points in sorted(cases().items()):
        assert {numerical_derivative(f, x).method for f, x, _ in points} == {"complex step"}, name
        plain, ours = worst(points, central), worst(points, lambda f, x: numerical_derivative(f, x).derivative)
        gains[name] = standard.log10(plain / max(ours, 2.0**-53))
        print(f"{name:18}{plain:10.1e}  {ours:7.1e}  {gains[name]:13.1f}")
    assert {name: gain for name, gain in gains.items() if gain < 5} == {}


def test_plain_functions_are_extrapolated() -> None:
    for name, points in cases().items():
        if hasattr(standard, name) and name not in ("dist", "fma", "fsum", "ldexp", "prod", "sumprod"):
            for f, x, slope in points:
                estimate = numerical_derivative(lambda t, f=f: float(f(float(t))), x)
                assert estimate.method == "Ridders"
                assert estimate.derivative == pytest.approx(slope, rel=1e-9, abs=1e-12), name
                assert abs(estimate.derivative - slope) <= 4 * estimate.error + 1e-15 * abs(slope)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (lambda x: 5.0, 2.0, 0.0),
        (lambda x: 0.0, 0.0, 0.0),
        (lambda x: x, 3.0, 1.0),
        (standard.cos, 0.0, 0.0),
        (lambda x: x * x, 0.0, 0.0),
        (lambda x: abs(x) * x, 0.0, 0.0),
        (lambda x: abs(float(x)) ** 1.5, 0.0, 0.0),
        (lambda x: x**3, -2.0, 12.0),
        (standard.floor, 2.5, 0.0),
        (lambda x: standard.sin(2 * standard.pi * x), 8.0, 2 * standard.pi),  # where every whole step gives 0
        (math.sqrt, 1e-12, 5e5),
        (standard.log, 1e-300, 1e300),
        (standard.log, 1e300, 1e-300),
        (math.exp, 300.0, standard.exp(300)),
        (lambda x: math.sin(1e4 * x), 1.0, 1e4 * standard.cos(1e4)),
        (math.tanh, 10.0, 8.244614455767397e-09),
        (lambda x: Value(7.0) * 2.0, 1.0, 0.0),  # a graph in which x is not
    ],
)
def test_places_that_are_not_simple(f: Any, x: float, slope: float) -> None:
    estimate = numerical_derivative(f, x)
    assert abs(estimate.derivative - slope) <= 4 * estimate.error + 1e-15 * abs(slope)
    assert estimate.error <= 1e-8 * abs(slope) + 1e-11


@pytest.mark.parametrize("f", [lambda x: x - ((1 + x) - 1), lambda x: (x + 1e6 - 1e6) - x])
def test_what_is_left_of_larger_numbers_is_rounding(f: Any) -> None:
    estimate = numerical_derivative(f, 1.0)
    assert abs(estimate.derivative) <= estimate.error <= 1e-4


def test_a_staircase_cannot_be_told_from_coarse_values() -> None:
    floor = numerical_derivative(standard.floor, 300.25)
    assert floor.derivative == 0 and 0.9 < floor.error < 1.1
    rough = numerical_derivative(lambda x: standard.tanh(float(x)) ** 2, 16.0)
    slope = 8 * standard.exp(-32)
    assert abs(rough.derivative - slope) <= rough.error <= 2 * slope
    assert numerical_derivative(lambda x: x // 1, 300.25).error < 1e-15  # complex step can tell


@pytest.mark.parametrize(
    ("f", "x", "message"),
    [
        (abs, 0.0, "at 0.0 the slope is -1.0 on the left and 1.0 on the right"),
        (lambda x: abs(x - 1) + 1e6, 1.0, "at 1.0 the slope is -"),
        (lambda x: abs(x) + 1e6 * x * x, 0.0, "at 0.0 the slope is -1.0 on the left and 1.0 on the right"),
        (lambda x: math.maximum(x, 2 * x), 0.0, "at 0.0 the slope is 1.0 on the left and 2.0 on the right"),
        (math.relu, 0.0, "the slope is"),
        (math.sign, 0.0, "differences do not converge: a jump"),
        (standard.floor, 2.0, "differences do not converge: a jump"),
        (lambda x: x % 2, 4.0, "differences do not converge: a jump"),
        (math.cbrt, 0.0, "differences do not converge: a jump, a vertical slope"),
        (lambda x: abs(x) ** 0.5, 0.0, "differences do not converge"),
        (math.sqrt, 0.0, r"0.0 is at an edge or near: there is no value next to it, sqrt\(-"),
        (math.asin, 1.0, r"1.0 is at an edge or near: .* math domain error"),
        (lambda x: 1 / x - 1 / x, 1e-320, "there is no value at 1e-320: the function gives"),
        (math.log, 0.0, r"there is no value at 0.0: log\(0.0\): math domain error"),
        (standard.log, -1.0, "there is no value at -1.0: math domain error"),
        (lambda x: x * standard.nan, 1.0, "there is no value at 1.0: the function gives nan"),
    ],
)
def test_where_there_is_no_derivative_it_says_so(f: Any, x: float, message: str) -> None:
    with pytest.raises(NotDifferentiableError, match=message):
        numerical_derivative(f, x)


@given(kink=st.floats(-2, 2), distance=st.floats(-1, 1).filter(lambda d: abs(d) > 1e-5))
def test_a_kink_near_by_does_no_harm(kink: float, distance: float) -> None:
    estimate = numerical_derivative(lambda x: math.relu(x - kink) * 3.0 + x * x, kink + distance)
    assert estimate.derivative == pytest.approx(2 * (kink + distance) + 3 * (distance > 0), rel=1e-12, abs=1e-12)


@given(x=st.floats(-20, 20), size=st.floats(1e-3, 1e3))
def test_the_error_is_admitted(x: float, size: float) -> None:
    assume(x == 0 or abs(x) > 1e-100)
    estimate = numerical_derivative(lambda t: size * standard.sin(float(t)) + float(t) ** 2, x)
    off = abs(estimate.derivative - (size * standard.cos(x) + 2 * x))
    assert off <= 4 * estimate.error and estimate.error <= 1e-8 * (size + abs(x))


def test_what_is_not_in_the_graph_is_seen_by_differences() -> None:
    estimate = numerical_derivative(lambda x: x + 1e-6 * float(x), 2.0)
    assert estimate.method == "Ridders" and estimate.derivative == pytest.approx(1 + 1e-6, rel=1e-11)


@pytest.mark.usefixtures("rules_restored")
def test_operations_without_a_complex_version_are_extrapolated() -> None:
    own = define_rule("own_sine(x)", lambda x: standard.sin(x), x="0")
    estimate = numerical_derivative(lambda x: own(x) * 2.0, 1.0)
    assert estimate.method == "Ridders"
    assert estimate.derivative == pytest.approx(2 * standard.cos(1.0), rel=1e-11)


def test_functions_that_refuse_a_value_get_a_float() -> None:
    def picky(x: float) -> float:
        if not isinstance(x, float):
            raise TypeError("expected a float")
        return x * x

    assert numerical_derivative(picky, 3).derivative == pytest.approx(6.0, rel=1e-11)
    assert numerical_derivative(lambda x: float(x.hex() and x) if isinstance(x, float) else x.hex(), 3).derivative == 1


def test_mistakes_are_named() -> None:
    with pytest.raises(TypeError, match=r"expected a function that returns a number, got list \[Value"):
        numerical_derivative(lambda x: [x], 3.0)
    with pytest.raises(TypeError, match="expected a function that returns a number, got complex"):
        numerical_derivative(lambda x: 1j, 3.0)
    with pytest.raises(TypeError, match="expected a real number, got str 'a'"):
        numerical_derivative(standard.sin, "a")  # type: ignore[arg-type]


def test_no_gradient_is_touched() -> None:
    weight = Value(3.0)
    weight.grad = 7.0
    numerical_derivative(lambda x: x * weight, 2.0)
    assert weight.grad == 7.0


def test_the_package_names_its_tools() -> None:
    assert set(microgrid.testing.__all__) <= set(dir(microgrid.testing))
    for name in microgrid.testing.__all__:
        found = getattr(microgrid.testing, name)
        assert (found.__module__, found.__name__) == ("microgrid.testing", name)
    with pytest.raises(AttributeError, match=r"module 'microgrid.testing' has no attribute 'prophet'"):
        _ = microgrid.testing.prophet  # type: ignore[attr-defined]


def test_it_is_asked_of_functions() -> None:
    with pytest.raises(TypeError, match=r"^numerical_derivative expects a function, got int 3$"):
        numerical_derivative(3, 1.0)  # type: ignore[arg-type]
