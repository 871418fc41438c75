"""`check_gradients`: what is right passes, planted faults are found and located."""

import math as standard
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid import Value, define_rule, math, no_grad
from microgrid.nn import MLP
from microgrid.testing import NotDifferentiableError, check_gradients

pytestmark = pytest.mark.usefixtures("rules_restored")


class Point(NamedTuple):
    x: float
    y: float


def failure(f: Callable[..., Any], *args: Any, **options: Any) -> str:
    """Return the message of the failure that `f` is expected to give."""
    with pytest.raises(AssertionError) as caught:
        check_gradients(f, *args, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x, y: x * y + math.sin(x) / y, (2.0, 3.0)),
        (lambda xs: math.logsumexp(xs) * math.fsum(xs), ([1.0, 2, -3.5],)),
        (lambda p: math.dot(p["w"], p["x"][0], p["b"]).tanh(), ({"w": [0.5, -1.0], "x": ((1.0, 2.0),), "b": 0.25},)),
        (lambda point: math.atan2(*point) + point.x**2, (Point(1.0, 2.0),)),
        (lambda x, y=2.0: 2 / (1 + math.exp(-x)) * y, (0.5,)),
        (lambda x: math.gamma(x) * math.erf(x) + math.polygamma(2, x), (1.7,)),
        (lambda x, rest: x * rest["a"], (Value(3.0), {"a": Value(2.0), "b": None})),
        (lambda net: net([1.0, 2.0]).sigmoid(), (MLP(2, [2, 1], activation="tanh", rng=1),)),
        (lambda x: x, (3.0,)),
        (lambda x: x * x, (0.0,)),
        (lambda x, y: x, (3.0, 4.0)),
        (lambda x: 5.0, (3.0,)),
        (lambda x: Value(5.0) * 2.0, (3.0,)),
        (lambda x: math.floor(x) * x, (2.5,)),
        (lambda x: x if x > 0 else -x, (-2.5,)),
    ],
)
def test_what_is_right_passes(f: Callable[..., Any], args: Any) -> None:
    check_gradients(f, *args)
    check_gradients(f, *args, order=2)


@settings(max_examples=settings().max_examples // 4)
@given(xs=st.lists(st.floats(-3, 3), min_size=2, max_size=2))
def test_a_network_passes_everywhere(xs: list[float]) -> None:
    net = MLP(2, [3, 1], activation="tanh", rng=1)
    check_gradients(net, xs, order=2)


def test_a_wrong_partial_is_located() -> None:
    wrong = define_rule("wrong(x, y)", "x * y * y", x="y * y", y="x * y")

    def f(p: Any) -> Any:
        inner = wrong(p["a"], p["b"][0])
        inner.label = "inner"
        return math.exp(inner * 0.1) + p["b"][1]

    lines = failure(f, {"a": 1.0, "b": [2.0, 3]}).splitlines()
    assert lines[0] == "1 of 3 derivatives is wrong:"
    assert lines[1].split() == "order argument index engine oracle error estimate difference".split()
    order, argument, index, engine, oracle, _, difference = lines[2].split()
    assert (order, argument, index, difference) == ("1", "p", "['b'][0]", "-3.0e-01")
    assert float(engine) == pytest.approx(float(oracle) / 2, rel=1e-14)
    assert lines[3:] == [
        "the first wrong operation is 'inner', made by wrong(1.0, 2.0): its derivative by y (order 1) is 4.0, "
        "the engine gives 2.0"
    ]


def test_the_first_wrong_operation_in_forward_order_is_named() -> None:
    one = define_rule("one(x)", "x * 2", x="3")
    two = define_rule("two(x)", "x * 2", x="4")
    assert "the first wrong operation is one(1.0)" in failure(lambda x: two(one(x)), 1.0)
    assert "the first wrong operation is two(1.0)" in failure(lambda x: one(two(x)), 1.0)


@pytest.mark.parametrize("partial", ["-cos(x)", "2 * cos(x)", "cos(x) * (1 + 1 / 10 ** 6)", "0", "x", "cos(x) / 0"])
def test_a_wrong_partial_is_found_wherever_it_is_wrong(partial: str) -> None:
    wave = define_rule("wave(x)", "sin(x)", x=partial)
    for x in (-1.2, -0.5, 0.3, 1.0, 40.0):
        assert "the first wrong operation is wave(" in failure(lambda x: 3.0 * wave(x) + 1.0, x)


def test_partials_given_as_functions_are_checked_too() -> None:
    right = define_rule("right(x, k)", lambda x, k: standard.sin(k * x), x=lambda x, k, out: k * math.cos(k * x))
    wrong = define_rule("wrong(x, k)", lambda x, k: standard.sin(k * x), x=lambda x, k, out: math.cos(k * x))
    check_gradients(lambda x: right(x, 2.0), 0.5, order=2)
    assert "the first wrong operation is wrong(0.5, 2.0): its derivative by x" in failure(lambda x: wrong(x, 2.0), 0.5)


def test_sequences_name_the_element() -> None:
    wrong = define_rule("energy(xs)", "sumprod(xs, xs)", x="x")
    assert "energy([1.0, 2.0]): its derivative by xs[0] (order 1)" in failure(lambda x: wrong([x, 2.0]), 1.0)
    many = define_rule("longest(*xs)", "hypot(*xs)", x="x")
    assert "longest(1.0, 2.0): its derivative by xs[0] (order 1)" in failure(lambda x: many(x, 2.0), 1.0)


@pytest.mark.filterwarnings("ignore::microgrid.LostDerivativeWarning")
@pytest.mark.parametrize(
    "first",
    [
        lambda x, out: standard.exp(x),  # on a float: nothing is recorded
        lambda x, out: math.exp(float(x)) + 0 * x,
        "flat_exp(x)",
    ],
)
def test_a_wrong_second_derivative_with_a_right_first_one(first: Any) -> None:
    define_rule("flat_exp(x)", "exp(x)", x="x")
    growth = define_rule("growth(x)", "exp(x)", x=first)
    check_gradients(lambda x: growth(x) * 2.0, 0.7)
    lines = failure(lambda x: growth(x) * 2.0, 0.7, order=2).splitlines()
    assert lines[0] == "1 of 3 derivatives is wrong:"
    assert lines[2].split()[:3] == ["2", "x,", "x"]
    assert lines[-1].startswith("the first wrong operation is growth(0.7): its derivative by x and x (order 2)")


def test_a_wrong_recorded_gradient_with_a_right_plain_one() -> None:
    def partial(x: Any, out: Any) -> Any:
        return 2 * x if isinstance(x, float) else 3 * x

    square = define_rule("square(x)", "x * x", x=partial)
    check_gradients(square, 2.0)
    assert "1 recorded  x" in failure(square, 2.0, order=2)


def hand_written(factor: float) -> Callable[[Value], Value]:
    """Return a square made by hand, with `factor` in its derivative."""

    def square(x: Value) -> Value:
        out = Value(x.data**2, (x,), "square")

        def backward() -> None:
            x.grad += factor * x.data * out.grad

        out._backward = backward
        return out

    return square


def test_hand_written_operations() -> None:
    check_gradients(lambda x: hand_written(2)(x).exp(), 0.5)
    message = failure(lambda x: hand_written(3)(x).exp(), 0.5)
    assert message.endswith("right by itself: look at those outside the table, such as square(0.5)")
    with pytest.raises(TypeError, match="has a first derivative only"):
        check_gradients(lambda x: hand_written(2)(x).exp(), 0.5, order=2)


@pytest.mark.parametrize(
    "f", [lambda x: x + float(x), lambda x: x.data * 2.0, lambda x: Value(x.data) ** 2, no_grad()(lambda x: x * 2.0)]
)
def test_numbers_taken_out_of_the_graph(f: Callable[[Any], Any]) -> None:
    assert "does the function leave the graph (through `data`, `float` or `no_grad`)?" in failure(f, 2.0)


def test_long_tables_are_cut() -> None:
    wrong = define_rule("whole(xs)", "fsum(xs)", x="2")
    lines = failure(wrong, [1.0] * 25).splitlines()
    assert lines[0] == "25 of 25 derivatives are wrong:" and len(lines) == 24 and lines[22] == "and 5 more"


@pytest.mark.parametrize(
    ("f", "args", "message"),
    [
        (lambda x, y: math.relu(x) + y, (0.0, 1.0), "by x: at 0.0 the slope is .* on the left and 1.0 on the right"),
        (lambda xs: math.maximum(*xs), ([1.0, 1.0],), r"by xs\[0\]: at 1.0 the slope is"),
        (lambda x: math.sqrt(x), (0.0,), "by x: 0.0 is at an edge"),
        (lambda x: math.log(x), (-1.0,), r"there is no value at these arguments: log\(-1.0\): math domain error"),
        (lambda x: x * standard.inf, (1.0,), "by x: there is no value at 1.0: the function gives inf"),
    ],
)
def test_kinks_and_edges_are_not_blamed_on_the_derivative(f: Any, args: Any, message: str) -> None:
    with pytest.raises(NotDifferentiableError, match=message):
        check_gradients(f, *args)


def test_a_kink_of_the_derivative_is_told_from_one_of_the_function() -> None:
    check_gradients(lambda x: math.relu(x) * x, 0.0)
    with pytest.raises(NotDifferentiableError, match=r"by x: at 0\.0 the slope is"):
        check_gradients(lambda x: math.relu(x) * x, 0.0, order=2)


def test_an_operation_at_its_kink_is_passed_over_in_the_search() -> None:
    wrong = define_rule("wrong(x)", "x * 2", x="3")
    assert "the first wrong operation is wrong(0.0)" in failure(lambda x: wrong(0 * math.relu(x - 1.0) + x - 1.0), 1.0)


def test_gradients_are_left_as_they_were() -> None:
    weight, none, recorded = Value(3.0), Value(1.0), Value(2.0)
    weight.grad, none.grad, recorded.grad = 7.0, None, Value(5.0)
    inner = weight * none
    inner.grad = 11.0

    def f(x: Any) -> Any:
        return x * weight * none * recorded * inner

    check_gradients(f, 2.0, order=2)
    failure(lambda x: f(x) + float(x), 2.0)
    assert (weight.grad, none.grad, recorded.grad.data, inner.grad) == (7.0, None, 5.0, 11.0)
    check_gradients(lambda x: weight, 2.0)
    assert weight.grad == 7.0


def test_tolerances() -> None:
    close = define_rule("close(x)", "exp(x)", x="out * (1 + 1 / 10 ** 6)")
    check_gradients(close, 1.0, rtol=1e-5)
    check_gradients(close, 1.0, atol=1e-5)
    assert "wrong" in failure(close, 1.0, rtol=1e-7) and "wrong" in failure(close, 1.0, atol=1e-7)
    tiny = define_rule("tiny(x)", "x * x / 10 ** 30", x="0")
    assert "wrong" in failure(tiny, 1.0)  # small as it is


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="order: expected 1 or 2, got 3"):
        check_gradients(math.exp, 1.0, order=3)
    for tolerances in ({"rtol": -1.0, "atol": 0.0}, {"rtol": 0.0, "atol": standard.nan}):
        got = "{rtol!r} and atol={atol!r}".format(**tolerances)
        with pytest.raises(ValueError, match=f"^expected tolerances of at least 0, got rtol={got}$"):
            check_gradients(math.exp, 1.0, **tolerances)
    with pytest.raises(ValueError, match="expected at least one number among the arguments"):
        check_gradients(lambda xs: 0.0, [])
    with pytest.raises(TypeError, match=r"p\['a'\]: expected a number, a Value, or a list, .* got str 'b'"):
        check_gradients(lambda p: 0.0, {"a": "b"})
    with pytest.raises(TypeError, match="expected a function that returns a number, got list"):
        check_gradients(lambda x: [x], 1.0)


@pytest.mark.parametrize("f", [math.exp, max, lambda *xs: xs[0] * xs[1], standard.hypot])
def test_arguments_without_a_name_are_counted(f: Any) -> None:
    with pytest.raises(TypeError, match=r"^(argument 1|y): expected a number, .* got str 'b'$"):
        check_gradients(f, 1.0, "b")


def test_functions_are_checked() -> None:
    with pytest.raises(TypeError, match=r"^check_gradients expects a function, got int 3$"):
        check_gradients(3, 1.0)  # type: ignore[arg-type]
