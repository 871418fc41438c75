"""`check_rule`: the library's own rows pass in every role, planted faults are found and named."""

import math as standard
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from microgrid import Value, define_rule, math
from microgrid.engine import operations
from microgrid.math.functions import FUNCTIONS
from microgrid.rules.table import ROWS, RULES, Rule
from microgrid.testing import check_rule
from microgrid.testing.rule_checks import (
    check_gradients_beside,
    check_reverse,
    check_role,
    check_second,
    check_smooth,
    depends,
    run,
    shuffled,
)
from microgrid.testing.trials import Trial, pulled


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_every_row_is_right_in_every_role(rule: Rule) -> None:
    check_rule(rule, examples=settings().max_examples // 2)


def failure(rule: Any, examples: int = 20) -> str:
    """Return the message with which `rule` is refused."""
    with pytest.raises(AssertionError) as caught:
        check_rule(rule, examples)
    return str(caught.value)


@pytest.fixture
def define(rules_restored: None) -> Any:
    return define_rule


# Right rules of a program's own


@pytest.mark.parametrize(
    ("signature", "forward", "partials", "options"),
    [
        ("swish(x)", "x * sigmoid(x)", {"x": "sigmoid(x) + out * sigmoid(-x)"}, {}),
        ("squared(x)", lambda x: x * x, {"x": lambda x, out: 2 * x}, {}),
        ("wave(x, k)", lambda x, k: standard.sin(k * x), {"x": lambda x, k, out: k * math.cos(k * x)}, {}),
        ("blend(x, y, t=0.5)", "t * x + (1 - t) * y", {"x": "t", "y": "1 - t"}, {}),
        ("root(x)", standard.sqrt, {"x": lambda x, out: 1 / (2 * out)}, {"domain": "x > 0"}),
        ("energy(xs)", "sumprod(xs, xs)", {"x": "2 * x"}, {}),
        ("longest(*xs)", "hypot(*xs)", {"x": "x / out"}, {"domain": "any(xs)"}),
        ("product(xs, *, start=1)", "prod(xs, start=start)", {"xs": "cofactors(xs, start)"}, {}),
        ("bend(x)", "abs(x)", {"x": "sign(x)"}, {}),  # its kink is passed over
    ],
)
def test_right_rules_are_accepted(define: Any, signature: str, forward: Any, partials: Any, options: Any) -> None:
    rule = define(signature, forward, **options, **partials)
    check_rule(rule, 30)
    check_rule(rule.__name__, 5)
    check_rule(RULES[rule.__name__], 5)


# Planted faults


@pytest.mark.parametrize(
    ("partial", "found"), [("x + 1 / 10 ** 9", "by y"), ("-x", "by y"), ("2 * x", "by y"), ("0", "by y"), ("y", "by y")]
)
def test_a_wrong_partial_by_the_second_argument(define: Any, partial: str, found: str) -> None:
    text = failure(define("times(x, y)", "x * y", x="y", y=partial))
    assert text.startswith("rule 'times', reverse by y at x=") and "the engine gives" in text and "oracle finds" in text


def test_a_wrong_partial_by_the_first_argument_at_the_simplest_point(define: Any) -> None:
    text = failure(define("times(x, y)", "x * y", x="2 * y", y="x"))
    assert text.startswith("rule 'times', reverse by x at x=1.0, y=1.0: the engine gives 2.0, the oracle finds 1.0")


def test_the_element_of_a_sequence_is_named(define: Any) -> None:
    text = failure(define("energy(xs)", "sumprod(xs, xs)", x="x"))
    assert text.startswith("rule 'energy', reverse by xs[0] at xs=[1.0]: the engine gives 1.0, the oracle finds 2.0")


def test_callables(define: Any) -> None:
    wave = define("wave(x, k)", lambda x, k: standard.sin(k * x), x=lambda x, k, out: math.cos(k * x))
    assert failure(wave).startswith("rule 'wave', reverse by x at x=1.0, k=2: the engine gives -0.416")
    close = define("close(x)", standard.exp, x=lambda x, out: out * (1 + 1e-6))
    assert failure(close).startswith("rule 'close', reverse by x at x=1.0")


def test_right_for_positive_arguments_only(define: Any) -> None:
    text = failure(define("bent(x)", "x * x", x="2 * abs(x)"), 100)
    assert text.startswith("rule 'bent', reverse by x at x=-")


@pytest.mark.filterwarnings("ignore::microgrid.LostDerivativeWarning")  # of the first, whose partial drops it
@pytest.mark.parametrize(
    "partial", [lambda x, out: standard.exp(x), lambda x, out: math.exp(float(x)) + 0 * x, "flat_exp(x)"]
)
def test_a_wrong_second_derivative(define: Any, partial: Any) -> None:
    define("flat_exp(x)", "exp(x)", x="x")
    text = failure(define("growth(x)", "exp(x)", x=partial))
    assert text.startswith("rule 'growth', second order by x and x at x=1.0: the engine gives")


def test_a_mixed_second_derivative(define: Any) -> None:
    define("slanted(x)", "x", x="2")
    text = failure(define("times(x, y)", "x * y", x="slanted(y)", y="x"), 100)
    assert text.startswith("rule 'times', second order by x and y at x=1.0, y=1.0: the engine gives 2.0")


def test_a_partial_that_cannot_be_recorded(define: Any) -> None:
    def partial(x: Any, out: Any) -> Any:
        if isinstance(x, Value):
            raise TypeError("not a float")
        return 2 * x

    text = failure(define("square(x)", "x * x", x=partial))
    assert text == "rule 'square', record at x=1.0: it raises TypeError: not a float"


def test_a_recorded_gradient_that_is_another_one(define: Any) -> None:
    text = failure(define("square(x)", "x * x", x=lambda x, out: (2 if isinstance(x, float) else 3) * x))
    assert text.startswith("rule 'square', record by x at x=1.0: the engine gives 3.0, in reverse 2.0")


def test_a_forward_function_that_swallows_nan(define: Any) -> None:
    text = failure(define("floored(x)", "x if x > 1 else 1", x="step(x - 1)", domain="x != 1"))
    assert text.startswith("rule 'floored', nan by x at x=2.0: a nan there gives 1.0")


def test_fractions_that_do_not_stay_exact(define: Any) -> None:
    text = failure(define("square(x)", "x * x", x="2.0 * x"))
    assert text.startswith("rule 'square', on fractions by x at x=1.0: the engine gives 2.0 at 1, on floats 2.0")


def test_a_derivative_that_raises_at_an_edge(define: Any) -> None:
    def partial(x: Any, out: Any) -> Any:
        if x == 0:
            raise LookupError("no slope at zero")
        return 2 * x

    text = failure(define("square(x)", "x * x", x=partial, domain="x != 0"), 100)
    assert text.startswith("rule 'square', backward at x=") and "0.0: it raises LookupError: no slope at zero" in text


def test_a_result_that_is_not_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operations.NUMBERS, "sin", lambda x: standard.sin(x) * (1 + 1e-15))
    assert failure("sin").startswith("rule 'sin', forward at x=1.0: the engine gives 0.841470984807897")


def test_a_result_that_is_not_that_of_the_function_or_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(operations.NUMBERS, "softsign", lambda x: x / (1 + abs(x)) * (1 + 1e-9))
    assert failure("softsign").startswith("rule 'softsign', forward at x=1.0: the function gives 0.5, the row 0.5000")
    monkeypatch.delitem(FUNCTIONS, "softsign")
    assert failure("softsign").startswith("rule 'softsign', forward at x=1.0: the engine gives 0.5000000005, the text")


def test_a_role_that_differs() -> None:
    trial = Trial(RULES["sin"], {"x": 1.0})
    check_role(trial, "total", pulled(trial))
    with pytest.raises(
        AssertionError, match=r"rule 'sin', total by x at x=1\.0: the engine gives 0\.540.*, in reverse"
    ):
        check_role(trial, "total", [0.5])


def test_rules_that_are_not_in_the_table_are_refused() -> None:
    with pytest.raises(ValueError, match=r"<rule lone.* is not in the table: define_rule adds it"):
        check_rule(Rule("lone(x)", "x", "same", x="1"))
    with pytest.raises(ValueError, match="expected a rule"):
        check_rule("lone")


def test_points_without_a_derivative_are_passed_over() -> None:
    kink = Trial(RULES["abs"], {"x": 0.0})
    with pytest.raises(Unsatisfiable):
        run(lambda _: check_smooth(kink), st.none(), 1)
    with pytest.raises(Unsatisfiable):
        run(lambda _: check_second(kink, 0, 0), st.none(), 1)
    check_gradients_beside(Trial(RULES["sqrt"], {"x": 0.0}), "y")


def test_terms_that_cancel_are_no_fault() -> None:
    check_smooth(Trial(RULES["dot"], {"ws": [1.0, 1e-13, 1.5], "xs": [0.0, 1.0, 1 / 3], "b": -0.5}))
    check_second(Trial(RULES["tanh"], {"x": 7.756750673685423}), 0, 0)  # where 1 - out * out has ten digits


def test_terms_that_are_lost_in_a_sum_are_no_fault(define: Any) -> None:
    """Beside 0.5, to which the others come before the last one, a product of 2e-16 is lost in rounding."""
    point = {"ws": [1.0, 2.0**-52, 1.0], "xs": [1.0, 1.0, -0.5], "b": -0.5}
    assert check_reverse(Trial(RULES["dot"], point)) == [1.0, 1.0, -0.5, 1.0, 2.0**-52, 1.0, 1.0]
    define("twice(ws, xs, b)", "b; out + w * x", w="x", x="2 * w", b="1")
    with pytest.raises(AssertionError, match=r"reverse by xs\[0\] .* the engine gives 2.0, the oracle finds 1.0"):
        check_reverse(Trial(RULES["twice"], point))


def test_what_a_result_depends_on() -> None:
    trial = Trial(RULES["where"], {"c": 1.0, "x": 2.0, "y": 3.0})
    assert [depends(trial, i, (0.0, 5.0)) for i in range(3)] == [True, True, False]
    assert depends(Trial(RULES["log"], {"x": 1.0}), 0, (-1.0,))  # where it does not exist


# What it is worth


@cache
def drawn(name: str) -> list[Any]:
    """Return a few dozen points of a row, the same each time."""
    found: list[Any] = []
    health = list(HealthCheck)

    @settings(max_examples=40, phases=[Phase.generate], database=None, derandomize=True, suppress_health_check=health)
    @given(shuffled(RULES[name]))
    def collect(point: Any) -> None:
        found.append(point)

    collect()
    return found


def finds(rule: Rule) -> bool:
    """Return whether `check_rule` would find something in a few dozen points."""
    try:
        for point in drawn(rule.name):
            check_smooth(Trial(rule, point))
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(("rule", "key"), [(rule, key) for rule in ROWS for key in rule.partials], ids=str)
def test_one_billionth_too_much_is_found_in_every_partial(
    rule: Rule, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"({rule.partials[key]}) * (1 + 1 / 10 ** 9)"
    if rule.partials[key] == "0":
        text = "1 / 10 ** 9"
    elif key in rule.arguments and rule.is_sequence(key):
        text = f"scaled(1 + 1 / 10 ** 9, {rule.partials[key]})"
    monkeypatch.setitem(rule.partials, key, text)
    monkeypatch.setattr(operations, "_operations", {})
    assert finds(rule)
