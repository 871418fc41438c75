"""What compiled functions promise: the answers of the eager ones, for values, gradients and errors."""

import operator
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid import Value, jit, math
from microgrid.rules.table import ROWS, Rule
from microgrid.testing.strategies.drafting import expressions
from microgrid.testing.strategies.values import points
from tests.compiler.fuzz import drawn, shown
from tests.compiler.programs import Line, bits, check_same, function_of, lines, numbers, outcome
from tests.compiler.vocabulary import FEATURES


@given(lines(), st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
def test_random_programs_give_the_same_on_values(program: list[Line], inputs: list[tuple[float, float]]) -> None:
    function = function_of(program)
    jitted = jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for x, y in inputs:
            leaves, twins = (Value(x), Value(y)), (Value(x), Value(y))
            eager, compiled = outcome(function, *leaves), outcome(jitted, *twins)
            if isinstance(eager, tuple):
                assert compiled == eager
            else:
                check_same(eager, compiled, leaves, twins)


@given(lines(), st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
def test_random_programs_give_the_same_on_floats(program: list[Line], inputs: list[tuple[float, float]]) -> None:
    function = function_of(program)
    jitted = jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for x, y in inputs:
            eager, compiled = outcome(function, x, y), outcome(jitted, x, y)
            assert compiled == eager if isinstance(eager, tuple) else bits(compiled) == bits(eager), (eager, compiled)


def call_of(rule: Rule, arguments: dict[str, Any]) -> Any:
    """Return what the function of `rule` gives on arguments by name."""
    if rule.name in OPERATORS:
        return OPERATORS[rule.name](*arguments.values())
    function = getattr(math, rule.name)
    if rule.variadic:
        (sequence,) = arguments.values()
        return function(*sequence)
    keywords = {name: arguments[name] for name in rule.defaults} if rule.keyword_only else {}
    return function(*(value for name, value in arguments.items() if name not in keywords), **keywords)


OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "mod": operator.mod,
    "floordiv": operator.floordiv, "pow": operator.pow, "neg": operator.neg, "abs": abs, "round": round,
}  # fmt: skip


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@settings(max_examples=settings().max_examples // 10)
@given(data=st.data())
def test_every_rule_gives_the_same(rule: Rule, data: st.DataObject) -> None:
    point = data.draw(points(rule))
    names = [name for name in rule.arguments if rule.is_differentiable(name)]
    nodes = data.draw(st.sets(st.sampled_from(names), min_size=1))
    factor = data.draw(st.sampled_from([1.0, -2.5]))

    def function(arguments: dict[str, Any], parameters: dict[str, Any]) -> Any:
        return factor * call_of(rule, {name: (arguments | parameters)[name] for name in rule.arguments})

    def lifted(name: str, value: Any) -> Any:
        if name not in nodes:
            return value
        return [Value(x) for x in value] if isinstance(value, list) else Value(value)

    parameters = {name: value for name, value in point.items() if name not in names}
    jitted = jit(lambda arguments: function(arguments, parameters))
    for _ in range(2):  # traced, and served
        ours, theirs = ({name: lifted(name, point[name]) for name in names} for _ in range(2))
        leaves, twins = (
            [leaf for name in nodes for leaf in (side[name] if isinstance(side[name], list) else [side[name]])]
            for side in (ours, theirs)
        )
        eager = outcome(function, ours, parameters)
        if isinstance(eager, tuple):
            assert outcome(jitted, theirs) == eager
            return
        check_same(eager, jitted(theirs), leaves, twins)
    assert len(jitted.cases) == 1


@given(expressions())
def test_random_expressions_over_all_rules_give_the_same(expression: Any) -> None:
    jitted = jit(expression)
    for _ in range(2):
        leaves, twins = (list(map(Value, expression.point)) for _ in range(2))
        check_same(expression(*leaves), jitted(*twins), leaves, twins)
    assert len(jitted.cases) == 1


@pytest.mark.parametrize("feature", FEATURES)
def test_random_programs_in_plain_python_give_the_same(feature: str) -> None:
    for number in range(20):  # `make test-deep` runs many more
        program = drawn(0, number, [feature])
        assert not program.outcome.differences, shown(f"--seed 0 --only {feature}, program {number}", program)
