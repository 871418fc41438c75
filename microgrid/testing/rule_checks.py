"""`check_rule`: checks one rule of the calculus table in every role derived from it, at points that Hypothesis draws.

The library tests its own rows this way. The oracle reads the forward text only, so no partial is checked against
itself.
"""

from __future__ import annotations

import builtins
import math
import operator

from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from microgrid.engine.numbers import MATH_ERRORS
from microgrid.engine.recording import apply, evaluate
from microgrid.engine.sweeps import adjoints, tangents
from microgrid.engine.value import Value
from microgrid.math.functions import FUNCTIONS
from microgrid.rules import source, special
from microgrid.rules.derivatives import expression, names_in
from microgrid.rules.table import RULES, Rule
from microgrid.testing.oracle import complex_step
from microgrid.testing.oracle.numerical import NotDifferentiableError, agreed, largest
from microgrid.testing.strategies.domains import forward, in_domain, places, replaced, row
from microgrid.testing.strategies.values import is_smooth, points
from microgrid.testing.trials import (
    BACKWARD,
    FORWARD,
    Trial,
    first_derivatives,
    has_complex_version,
    pulled,
    recorded,
    slope,
    steps,
    taylor,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from hypothesis.strategies import DrawFn, SearchStrategy

    Arguments = dict[str, Any]

RTOL = 1e-12  # of a first derivative, beyond the error that the oracle states
RTOL_SECOND = 1e-10
SAME = 1e-14  # relative: two roles compute the same terms in another order
ROW = 2  # the count of second derivatives that are checked at one point
STANDARD: dict[str, Callable[..., Any]] = {
    "div": operator.truediv,
    "maximum": lambda *xs: max(xs),
    "minimum": lambda *xs: min(xs),
}


def check_rule(rule: Rule | str | Callable[..., Any], examples: int | None = None) -> None:
    """Check a rule in every role, at points that Hypothesis draws from its domain, and at the edges of it.

    - forward: the result equals that of the standard function of the same name, if there is one, and that of the text
      on complex numbers;
    - reverse: `backward` agrees with `numerical_derivative`;
    - all other ways to a first derivative agree with `backward`: total functions, recording, adjoints in a dict,
      forward mode, Taylor mode;
    - second order: the derivatives of recorded gradients agree with the oracle;
    - fractions: where the rule is rational, results and derivatives stay exact;
    - nan: a nan among the arguments makes the result nan, unless that argument only selects among others or does not
      matter at the point;
    - at edges: wherever the forward function returns a number, no derivative raises.

    Points where the oracle finds no derivative are skipped.

    Args:
        rule: a row of the table, its name, or the function that `define_rule` returned.
        examples: the count of points; the one in the current Hypothesis profile unless given.

    Raises:
        AssertionError: naming the rule, the role, the argument, the simplest failing point, the engine's result and
            the expected one: `rule 'half_square', reverse by x at x=1.0: the engine gives 2.0, the oracle finds 1.0
            (complex step, error 3e-15)`.
        ValueError: if there is no such rule.

    >>> check_rule("tanh", examples=10)
    """
    found = row(rule)
    if RULES.get(found.name) is not found:
        raise ValueError(f"{found!r} is not in the table: define_rule adds it")
    count = examples or settings().max_examples
    run(lambda drawn: check_smooth(Trial(found, drawn)), shuffled(found), count)
    picks = st.tuples(shuffled(found), st.integers(0, 99), st.integers(0, 99))
    run(lambda drawn: check_second(Trial(found, drawn[0]), *drawn[1:]), picks, count // 4 + 1)
    run(lambda drawn: check_edge(Trial(found, drawn)), points(found, edges=True), count // 2 + 1)


@st.composite
def shuffled(draw: DrawFn, rule: Rule) -> Arguments:
    """Draw a point of `rule` with its numbers in random order: rules such as `clip` compare them, and branch."""
    point = draw(points(rule))
    numbers = [x for _, x in places(rule, point)]
    other = replaced(rule, point, draw(st.permutations(numbers)))
    return other if is_smooth(rule, other) else point


def run(check: Callable[[Any], None], strategy: SearchStrategy[Any], examples: int) -> None:
    """Call `check` on draws from `strategy`, and let Hypothesis shrink a failing one."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[phase for phase in settings().phases if phase is not Phase.explain],
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def trial(drawn: Any) -> None:
        check(drawn)

    try:
        trial()
    except AssertionError as error:
        raise AssertionError(*error.args) from None  # without the notes of Hypothesis: the message shows the draw


def check_smooth(trial: Trial) -> None:
    """Check everything that must hold at a point where the rule is smooth."""
    with trial.during("forward"):
        check_forward(trial)
    with trial.during("reverse"):
        gradients = check_reverse(trial)
    for role in (*BACKWARD, *FORWARD, *trial.taylor_roles):
        with trial.during(role):
            check_role(trial, role, gradients)
    with trial.during("on fractions"):
        check_fractions(trial)
    with trial.during("nan"):
        check_nan(trial)
    for name in switches(trial.rule):  # 0 selects the other branch of `where`; its domain excludes it
        check_gradients_beside(Trial(trial.rule, trial.arguments | {name: 0.0}), name)


def switches(rule: Rule) -> set[str]:
    """Return the arguments that only select among others, as the condition of `where`: their partial is always 0."""
    constant = {name for name, partial in rule.partials.items() if partial == "0"}
    return set() if rule.is_piecewise_constant() else constant


# Forward


def standard_function(name: str) -> Callable[..., Any] | None:
    """Return the function of this name that does not come from the table, or None."""
    for module in (math, operator, special, builtins):
        if hasattr(module, name):
            function: Callable[..., Any] = getattr(module, name)
            return function
    return STANDARD.get(name)


def check_forward(trial: Trial) -> None:
    """Check the result against the standard function, the function on `Value`s, and the text on complex numbers."""
    rule, numbers = trial.rule, trial.arguments.values()
    out = trial.node()[0].data
    standard = standard_function(rule.name)
    if standard:
        expected = float(evaluate(rule, numbers, {rule.name: standard}))
        if out != expected:
            trial.fail("forward", reason=f"the engine gives {out!r}, the standard function {expected!r}")
    if rule.name in FUNCTIONS:
        leaves = replaced(rule, trial.arguments, map(Value, trial.numbers))
        eager = evaluate(rule, leaves.values(), FUNCTIONS).data
        if eager != out:
            trial.fail("forward", reason=f"the function gives {eager!r}, the row {out!r}")
    if not has_complex_version(trial):
        return
    text = steps(trial).z.real
    if not abs(out - text) <= 1e-12 * abs(text) + 1e-13:
        trial.fail("forward", reason=f"the engine gives {out!r}, the text {text!r}")


def check_nan(trial: Trial) -> None:
    """Check that a nan in any place makes the result nan, unless the result does not depend on that place."""
    rule = trial.rule
    for i, (name, x) in enumerate(places(rule, trial.arguments)):
        out = forward(rule, trial.with_number(i, math.nan))
        if not math.isnan(out) and name not in switches(rule) and depends(trial, i, (0.0, -x, x + 1.0, 2.0 * x + 3.0)):
            trial.fail("nan", i, reason=f"a nan there gives {out!r}")


def depends(trial: Trial, i: int, others: Sequence[float]) -> bool:
    """Return whether the result changes if one of `others` is in place `i`."""
    out = forward(trial.rule, trial.arguments)
    for x in others:
        try:
            if forward(trial.rule, trial.with_number(i, x)) != out:
                return True
        except MATH_ERRORS:
            return True
    return False


# First derivatives


def check_reverse(trial: Trial) -> list[float]:
    """Check the gradients against the oracle, and return them."""
    gradients = pulled(trial)
    out = forward(trial.rule, trial.arguments)
    for i, (x, gradient) in enumerate(zip(trial.numbers, gradients, strict=True)):
        try:
            oracle = slope(trial, i)
        except NotDifferentiableError:
            reject()  # the domain of the rule decides which points count, not this check
        rounding = RTOL * abs(out) / max(1.0, abs(x))  # the oracle cannot see cancellation within a sum
        trial.hold("reverse", i, engine=gradient, oracle=oracle, rtol=RTOL, atol=rounding)
    return gradients


def check_gradients_beside(trial: Trial, name: str) -> None:
    """Check all gradients but that by `name`, if the rule has any at this point."""
    try:
        for i, gradient in enumerate(pulled(trial)):
            if trial.names[i] != name:
                trial.hold("reverse", i, engine=gradient, oracle=slope(trial, i), rtol=RTOL)
    except MATH_ERRORS:
        return


def check_role(trial: Trial, role: str, gradients: list[float]) -> None:
    """Check that a role gives the same first derivatives as `backward`."""
    for i, (one, other) in enumerate(zip(first_derivatives(trial, role), gradients, strict=True)):
        if not abs(one - other) <= SAME * abs(other):
            trial.fail(role, i, reason=f"the engine gives {one!r}, in reverse {other!r}")


def check_fractions(trial: Trial) -> None:
    """Check that fractions near the point have fractions as derivatives, if the result is one."""
    from fractions import Fraction

    near = [Fraction(x).limit_denominator(64) for x in trial.numbers]
    leaves = [Value(x) for x in near]
    there = replaced(trial.rule, trial.arguments, map(float, near))
    if not is_smooth(trial.rule, there):
        return
    out = apply(trial.rule, *replaced(trial.rule, trial.arguments, leaves).values())
    gradients = pulled(Trial(trial.rule, there))
    if not isinstance(out.data, Fraction):
        return
    out.backward()
    numbers = {*trial.arguments, *(name[:-1] for name in source.sequences(trial.rule)), "out", "n"}
    rational = {name for name, partial in trial.rule.partials.items() if names_in(expression(partial)) <= numbers}
    for i, (leaf, gradient) in enumerate(zip(leaves, gradients, strict=True)):
        name = trial.names[i].partition("[")[0]
        exact = isinstance(leaf.grad, Fraction) or not rational.intersection([name, name[:-1]])
        if not exact or not abs(leaf.grad - gradient) <= 1e-12 * abs(gradient):
            trial.fail("on fractions", i, reason=f"the engine gives {leaf.grad!r} at {near[i]}, on floats {gradient!r}")


# Second derivatives


def check_second(trial: Trial, first: int, second: int) -> None:
    """Check the derivatives of the gradient in place `first` by the numbers in `ROW` places from `second` on."""
    n = len(trial.numbers)
    i = first % n
    gradient, leaves = recorded(trial, i)
    if isinstance(gradient, Value):
        gradient.backward()
    # The rounding error of a partial is relative to the largest number in it: in 1 - out * out that is 1, however
    # small the difference.
    size = max(abs(forward(trial.rule, trial.arguments)), largest(gradient))
    for j in range(second, second + min(n, ROW)):
        check_mixed(trial, i, j % n, float(leaves[j % n].grad), size)


def check_mixed(trial: Trial, i: int, j: int, engine: float, size: float) -> None:
    """Check the second derivative `engine` by places `i` and `j`; `size` is that of the numbers in the gradient."""

    def at(t: float) -> float:
        moved = trial.moved(j, t)
        if not in_domain(trial.rule, moved.arguments):
            raise ValueError("outside of the domain")
        return pulled(moved)[i]

    def along(t: float) -> float:
        node, leaves = recorded(trial.moved(j, t), i)
        return complex_step.derivative(node, leaves[j]) if isinstance(node, Value) else 0.0

    try:
        oracle = agreed(at, trial.numbers[j], along, size)
    except NotDifferentiableError:
        reject()
    tolerances = {"rtol": RTOL_SECOND, "atol": SAME * size}
    trial.hold("second order", i, j, engine=engine, oracle=oracle, **tolerances)
    if i == j and trial.taylor_roles:
        trial.hold("second order by taylor", i, j, engine=2 * taylor(trial, i)[2], oracle=oracle, **tolerances)


# Edges


def check_edge(trial: Trial) -> None:
    """Check that no derivative raises at a point that the forward function accepts."""
    passes: dict[str, Callable[[Value, Sequence[Value]], Any]] = {
        "backward": lambda out, leaves: out.backward(),
        "backward(create_graph=True)": lambda out, leaves: out.backward(create_graph=True),
        "reverse in a table": lambda out, leaves: adjoints([out], {out: 1.0}, "vjp"),
        "forward mode": lambda out, leaves: tangents([out], dict.fromkeys(leaves, 1.0), "jvp"),
        "forward mode, recorded": lambda out, leaves: tangents([out], dict.fromkeys(leaves, Value(1.0)), "jvp_record"),
        "taylor": lambda out, leaves: [taylor(trial, i) for i in range(len(leaves)) if trial.taylor_roles],
    }
    for role, differentiate in passes.items():
        with trial.during(role):
            differentiate(*trial.node())
