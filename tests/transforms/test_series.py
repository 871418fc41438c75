"""Truncated power series, and Taylor mode held to nested gradients for every row."""

import itertools
import math as standard
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from microgrid import Value, define_rule, derivative, grad, jit, math, no_grad, taylor
from microgrid.engine.graph import inner_nodes
from microgrid.engine.recording import apply
from microgrid.rules.table import ROWS, RULES, Rule
from microgrid.transforms.series import Series, expand, expansions

ORDER = 3
FEW = settings(max_examples=max(1, settings().max_examples // 20))
SOME = settings(max_examples=max(1, settings().max_examples // 4))
NUMBERS = st.fractions(-9, 9, max_denominator=9)
TERMS = st.lists(NUMBERS, min_size=1, max_size=5)


def nested(function: Callable[[Any], Any], order: int) -> Callable[[Any], Any]:
    """Return the derivative of that order by gradients of gradients."""
    for _ in range(order):
        function = grad(function)
    return function


def at(terms: list[Fraction], x: Fraction) -> Fraction:
    """Return the value of a polynomial."""
    return sum((term * x**power for power, term in enumerate(terms)), Fraction())


@SOME
@given(TERMS, TERMS, NUMBERS)
def test_series_add_and_multiply_as_polynomials_do(a: list[Fraction], b: list[Fraction], x: Fraction) -> None:
    padding = [Fraction()] * 10
    one, other = Series(a + padding), Series(b + padding)
    assert at((one + other).terms, x) == at(a, x) + at(b, x)
    assert at((one - other).terms, x) == at(a, x) - at(b, x)
    assert at((one * other).terms, x) == at(a, x) * at(b, x)
    assert at((2 - one * 3).terms, x) == 2 - 3 * at(a, x)


@SOME
@given(TERMS, TERMS, NUMBERS)
def test_a_quotient_times_the_divisor_is_the_dividend(a: list[Fraction], b: list[Fraction], c: Fraction) -> None:
    assume(b[0])
    count = min(len(a), len(b))
    assert ((Series(a) / Series(b)) * Series(b)).terms == a[:count]
    assert ((c / Series(b)) * Series(b)).terms == [c, *[0] * (len(b) - 1)]
    assert (Series(a) / b[0] * b[0]).terms == a


@SOME
@given(TERMS, TERMS)
def test_a_series_is_compared_by_its_first_term(a: list[Fraction], b: list[Fraction]) -> None:
    one, other = Series(a), Series(b)
    assert (one == other, one < other, one > other) == (a[0] == b[0], a[0] < b[0], a[0] > b[0])
    assert (one == b[0], one < b[0], one > b[0]) == (a[0] == b[0], a[0] < b[0], a[0] > b[0])
    assert Series([a[0] + 1]) > one > a[0] - 1 and Series([a[0] - 1]) < one < a[0] + 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_what_is_absent_stays_absent() -> None:
    assert (Series([2.0, 1.0, 0]) * standard.inf).terms == [standard.inf, standard.inf, 0]
    assert (Series([2.0, 1.0, 0]) * Series([1.0, 0, 0])).terms == [2.0, 1.0, 0]
    assert standard.isnan((Series([2.0, 0.0]) * standard.inf).terms[1])
    assert (Series([standard.inf, 1.0]) * 0).terms == [0, 0]
    for divisor in (standard.nan, Series([standard.nan, 0])):
        quotient = Series([2.0, 0]) / divisor
        assert standard.isnan(quotient.terms[0]) and quotient.terms[1] == 0 and type(quotient.terms[1]) is int


def test_a_series_of_one_term_is_its_number() -> None:
    assert expand(RULES["exp"], [Series([0.0])], 1.0, "record").terms == [1.0]


def test_terms_are_numbers_unless_they_are_recorded() -> None:
    x, weight = Value(0.5), Value(3.0)
    root = (weight * x).exp() + math.dot([x], [weight])
    numbers, nodes = {x: Series([0.5, 1.0])}, {x: Series([x, Value(1.0)])}
    order = inner_nodes(root)
    expansions(order, numbers)
    expansions(order, nodes, "record")
    assert [type(term) for term in numbers[root].terms] == [float, float]
    assert nodes[root].terms[0] is root
    assert numbers[root].terms[1] == nodes[root].terms[1].data == 3 * standard.exp(1.5) + 3
    assert grad(lambda w: derivative(lambda t: math.dot([t * t, t], [w, 2.0]), 2)(1.0))(3.0) == 2.0


def test_calls_of_compiled_functions_are_expanded_among_others() -> None:
    cube, halves = jit(lambda x: x**3), jit(lambda x: [x / 2.0, x * x / 2.0])
    assert taylor(lambda t: cube(2 * t) * t, 1.0, 4) == [8.0, 32.0, 48.0, 32.0, 8.0]
    assert taylor(lambda t: halves(t)[0] + halves(t)[1] * t, 1.0, 3) == [1.0, 2.0, 1.5, 0.5]
    assert grad(lambda x: derivative(lambda t: cube(t) * x, 2)(x))(2.0) == 24.0
    assert grad(derivative(jit(math.exp)))(0.5) == standard.exp(0.5)


def test_division_at_a_high_order_takes_no_longer_than_it_must() -> None:
    # by its partials, each of which is a quotient again, it would double with every order
    assert taylor(math.log, 1.0, 40)[1:] == pytest.approx([(-1) ** (n + 1) / n for n in range(1, 41)], rel=1e-15)


# Taylor mode against nested gradients


def curves(rule: Rule, arguments: dict[str, Any], bend: list[float]) -> Callable[[Any], Any]:
    """Return a function of t that applies `rule` where each differentiable argument moves on a parabola of its own."""

    def moved(x: float, place: int, t: Any) -> Any:
        speed, acceleration = bend[place % 5], bend[(place + 1) % 5]
        return x + (abs(x) or 1.0) * (speed * t + acceleration * t * t) if speed else x

    def function(t: Any) -> Any:
        operands = []
        for place, (name, argument) in enumerate(arguments.items()):
            if rule.is_sequence(name):
                operands.append([moved(x, place + index, t) for index, x in enumerate(argument)])
            else:
                operands.append(moved(argument, place, t) if rule.is_differentiable(name) else argument)
        return apply(rule, *operands)

    return function


POOL = [0.3, -0.7, 1.6, -2.25, 0.85, 2.7, -0.15, 0.0]
PARAMETERS = {"alpha": 0.5, "i": 3, "n": 2, "ndigits": 1, "negative_slope": 0.25, "start": -2.5}


def moderate_points(rule: Rule) -> st.SearchStrategy[dict[str, Any]]:
    """Draw arguments neither large nor near an edge, at which `rule` is defined and smooth."""
    choices = [
        itertools.permutations(POOL, 3)
        if rule.is_sequence(name)
        else POOL
        if rule.is_differentiable(name)
        else [PARAMETERS.get(name, 0.75)]
        for name in rule.arguments
    ]
    if len(choices) > 1:  # the product of two sequences would be long
        choices = [itertools.islice(choice, 0, None, 7) if rule.is_sequence(name) else choice
                   for name, choice in zip(rule.arguments, choices, strict=True)]  # fmt: skip
    combinations = (dict(zip(rule.arguments, numbers, strict=True)) for numbers in itertools.product(*choices))
    smooth = [arguments for arguments in combinations if eval(rule.domain or "True", {"n": 3, **arguments})]
    return st.sampled_from(smooth)


def are_close(found: list[float], expected: list[float]) -> bool:
    """Return whether two series agree to 1e-9 of the largest term."""
    scale = max(1.0, *map(abs, expected))
    return all(abs(one - other) <= 1e-9 * scale for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@FEW
@given(data=st.data())
def test_taylor_agrees_with_nested_gradients(rule: Rule, data: st.DataObject) -> None:
    arguments = data.draw(moderate_points(rule))
    function = curves(rule, arguments, data.draw(st.permutations([0.0, 0.25, 0.5, -0.25, 1.0])))
    try:
        found = taylor(function, 0.0, ORDER)
    except (ValueError, ArithmeticError):
        assume(False)
    assume(all(map(standard.isfinite, found)))
    slopes = [nested(function, order)(0.0) / standard.factorial(order) for order in range(1, ORDER + 1)]
    assert are_close(found, [function(0.0), *slopes])
    assert are_close([term.data for term in taylor(function, Value(0.0), ORDER)], found), "recorded"
    again = [grad(lambda t, k=k: taylor(function, t, k)[k])(0.0) / (k + 1) for k in range(ORDER)]
    assert are_close([function(0.0), *again], found), "the gradient of a recorded coefficient is the next one"


KINKS = [
    (lambda t: abs(t), [0.0, 0.0, 0.0]),
    (lambda t: math.relu(t), [0.0, 0.0, 0.0]),
    (lambda t: math.elu(t, 0.5), [0.0, 0.5, 0.5]),
    (lambda t: math.leaky_relu(t, 0.25), [0.0, 0.25, 0.0]),
    (lambda t: math.maximum(t, 2 * t, 0.0), [0.0, 1.0, 0.0]),
    (lambda t: math.clip(t, 0.0, 1.0), [0.0, 1.0, 0.0]),
    (lambda t: math.where(t, t, 3 * t), [0.0, 3.0, 0.0]),
    (lambda t: math.prod([t, t, 5.0]), [0.0, 0.0, 10.0]),
    (lambda t: math.prod([t, 0.0, 5.0]), [0.0, 0.0, 0.0]),
    (lambda t: math.sqrt(t), [0.0, math.inf, -math.inf]),
    (lambda t: t**0.5, [0.0, math.inf, -math.inf]),
    (lambda t: t**1.5, [0.0, 0.0, math.inf]),
    (lambda t: t**1, [0.0, 1.0, 0.0]),
    (lambda t: t**0, [1.0, 0.0, 0.0]),
    (lambda t: (t - 2.0) ** t, [1.0, math.nan, math.nan]),
    (lambda t: math.exp(t + 1) // 1, [2.0, 0.0, 0.0]),
    (lambda t: math.hypot(t, 0.0), [0.0, math.nan, math.nan]),
    (lambda t: math.logsumexp([t, 0.0, math.sin(0.0)]), [math.log(3), 1 / 3, 2 / 9]),
]


@pytest.mark.parametrize(("function", "expected"), KINKS)
def test_derivatives_at_kinks_and_edges(function: Callable[[Any], Any], expected: list[float]) -> None:
    found = [derivative(function, order)(0.0) for order in range(3)]
    assert found == pytest.approx(expected, rel=1e-15, abs=1e-15, nan_ok=True)
    assert [nested(function, order)(0.0) for order in range(1, 3)] == pytest.approx(
        expected[1:], abs=1e-15, nan_ok=True
    )


@pytest.mark.parametrize("n", [*range(9), -1, -3])
def test_powers_are_exact_at_every_order(n: int) -> None:
    for order in range(9):
        falling = standard.prod(n - k for k in range(order))
        for x in (Fraction(2, 3), Fraction(-2, 3)):
            found = derivative(lambda x: x**n, order)(x)
            assert found == falling * x ** (n - order) and type(found) is Fraction
        if n >= 0:
            at_zero = standard.factorial(n) if order == n else 0
            assert derivative(lambda x: x**n, order)(0.0) == at_zero
            assert derivative(lambda x: x**n, order)(Fraction()) == at_zero


CLOSED_FORMS: list[tuple[Callable[[Any], Any], Callable[[int, float], float], float]] = [
    (math.exp, lambda n, x: math.exp(x), 0.5),
    (math.sin, lambda n, x: math.sin(x + n * math.pi / 2), 0.5),
    (math.cos, lambda n, x: math.cos(x + n * math.pi / 2), 0.5),
    (math.sinh, lambda n, x: math.cosh(x) if n % 2 else math.sinh(x), 0.5),
    (math.cosh, lambda n, x: math.sinh(x) if n % 2 else math.cosh(x), 0.5),
    (math.log, lambda n, x: -math.factorial(n - 1) * (-1 / x) ** n if n else math.log(x), 0.5),
    (math.log1p, lambda n, x: -math.factorial(n - 1) * (-1 / (1 + x)) ** n if n else math.log1p(x), 0.5),
    (lambda x: 1 / x, lambda n, x: math.factorial(n) * (-1) ** n / x ** (n + 1), 1.5),
    (math.exp2, lambda n, x: 2**x * math.log(2) ** n, 0.5),
    (math.sqrt, lambda n, x: math.prod(0.5 - k for k in range(n)) * x ** (0.5 - n), 2.0),
    (lambda x: x**2.5, lambda n, x: math.prod(2.5 - k for k in range(n)) * x ** (2.5 - n), 2.0),
    (lambda x: 3.0**x, lambda n, x: 3.0**x * math.log(3.0) ** n, 0.5),
    (math.digamma, lambda n, x: math.polygamma(n, x), 2.5),
    (math.lgamma, lambda n, x: math.polygamma(n - 1, x) if n else math.lgamma(x), 2.5),
    (lambda x: math.prod([x, x, x * x]), lambda n, x: math.perm(4, n) * x ** (4 - n), 1.5),
    (lambda x: math.logsumexp([x, x, x]), lambda n, x: [x + math.log(3), 1.0][n] if n < 2 else 0.0, 0.5),
    (lambda x: math.dot([x, 2.0], [x, x], 1.0), lambda n, x: [x * x + 2 * x + 1, 2 * x + 2, 2.0, *[0.0] * 9][n], 0.5),
]


@pytest.mark.parametrize(("function", "closed", "x"), CLOSED_FORMS)
def test_derivatives_of_order_eight_agree_with_closed_forms(
    function: Callable[[Any], Any], closed: Callable[[int, float], float], x: float
) -> None:
    for order in range(9):
        assert derivative(function, order)(x) == pytest.approx(closed(order, x), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("function", "closed", "x"), CLOSED_FORMS[:9])
def test_nested_gradients_agree_with_closed_forms(
    function: Callable[[Any], Any], closed: Callable[[int, float], float], x: float
) -> None:
    assert nested(function, 5)(x) == pytest.approx(closed(5, x), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("function", [lambda x: math.exp(2 * x), math.tanh, lambda x: x**9, lambda x: 1 / (1 + x)])
def test_order_eight_by_nested_gradients(function: Callable[[Any], Any]) -> None:
    assert nested(function, 8)(0.5) == pytest.approx(derivative(function, 8)(0.5), rel=1e-10)


def test_high_orders_of_compositions() -> None:
    # exp(x² / 2) solves y' = x y; its even derivatives at 0 are the odd factorials
    found = [derivative(lambda x: math.exp(x * x / 2), order)(0.0) for order in (20, 21)]
    assert found == [pytest.approx(standard.prod(range(1, 20, 2)), rel=1e-12), 0.0]


# Rules of a program's own


@pytest.mark.usefixtures("rules_restored")
@pytest.mark.parametrize("as_text", [True, False])
def test_own_rules_are_expanded(as_text: bool) -> None:
    cube = define_rule("own_cube(x)", *[("x * x * x",), (lambda x: x * x * x,)][not as_text], "third power",
                       x="3 * x * x" if as_text else lambda x, out: 3 * x**2)  # fmt: skip
    growth = define_rule("own_growth(x)", "exp(2 * x)" if as_text else lambda x: standard.exp(2 * x),
                         x="2 * out" if as_text else lambda x, out: 2 * out)  # fmt: skip
    for order in range(5):
        assert derivative(cube, order)(2.0) == [8.0, 12.0, 12.0, 6.0, 0.0][order]
        assert derivative(growth, order)(0.5) == pytest.approx(2**order * math.e, rel=1e-14)
        assert grad(derivative(growth, order))(0.5) == pytest.approx(2 ** (order + 1) * math.e, rel=1e-14)
        assert nested(growth, order + 1)(0.5) == pytest.approx(2 ** (order + 1) * math.e, rel=1e-14)
    with no_grad():
        assert derivative(cube, 2)(2.0) == 12.0


@pytest.mark.usefixtures("rules_restored")
def test_own_rules_over_sequences_are_expanded() -> None:
    squares = define_rule("own_squares(xs)", lambda xs: sum(x * x for x in xs), x=lambda x, out: 2 * x)
    both = define_rule("own_both(xs)", lambda xs: sum(x**3 for x in xs), xs=lambda xs, out: [3 * x**2 for x in xs])
    flat = define_rule("own_flat(x)", lambda x: 2 * x + 1, x=lambda x, out: 2)
    for order, expected in enumerate([5.0, 4.0 + 2.0, 10.0, 0.0]):
        assert derivative(lambda t: squares([t, 2 * t - 1 + 1.0]), order)(1.0) == [5.0, 10.0, 10.0, 0.0][order], (
            expected
        )
        assert derivative(lambda t: both([t, 2.0, t]), order)(1.0) == [10.0, 6.0, 12.0, 12.0][order]
        assert derivative(flat, order)(1.0) == [3.0, 2.0, 0.0, 0.0][order]


@pytest.mark.usefixtures("rules_restored")
def test_sequences_with_longer_names_are_expanded() -> None:
    weighted = define_rule("own_sum(weights, values)", "sumprod(weights, values)", weight="value", value="weight")
    assert taylor(lambda t: weighted([t, 2.0], [t * t, 3 * t]), 1.0, 3) == [7.0, 9.0, 3.0, 1.0]


@pytest.mark.usefixtures("rules_restored")
def test_own_partials_that_raise_give_nan() -> None:
    root = define_rule("own_root(x)", lambda x: standard.sqrt(x), x=lambda x, out: 0.5 / out)
    assert standard.isnan(derivative(root, 1)(0.0)) and derivative(root, 1)(4.0) == 0.25


@pytest.mark.usefixtures("rules_restored")
def test_own_partials_that_cannot_be_recorded_serve_the_first_order() -> None:
    own = define_rule("own(x)", lambda x: x * x, x=lambda x, out: 2 * standard.fabs(x))
    assert taylor(own, 3.0, 1) == [9.0, 6.0]
    with pytest.raises(TypeError, match=r"own_partial_x: float.* would drop .*: write `from microgrid import math`"):
        taylor(own, 3.0, 2)


@pytest.mark.usefixtures("rules_restored")
def test_own_partials_may_look_at_constants_of_the_series() -> None:
    weighted = define_rule("own_weighted(x, y)", lambda x, y: x * y, x=lambda x, y, out: y, y=lambda x, y, out: x)
    assert derivative(lambda t: weighted(t, 3.0) * t, 2)(1.0) == 6.0
    assert grad(lambda w: derivative(lambda t: weighted(t, w) * t, 2)(1.0))(3.0) == 2.0


@pytest.mark.usefixtures("rules_restored")
def test_what_own_partials_expand_to_has_derivatives() -> None:
    own = define_rule("own(x)", lambda x: x**4, x=lambda x, out: 4 * x * x * x)
    assert grad(derivative(own, 2))(1.5) == 36.0
    assert grad(grad(derivative(own, 2)))(1.5) == 24.0


def test_an_order_too_high_says_so() -> None:
    with pytest.raises(
        RecursionError, match=r"taylor\(sin\): the order 300 is too high for an operation in the function"
    ):
        taylor(math.sin, 0.5, 300)
    assert len(taylor(math.exp, 0.5, 100)) == 101
