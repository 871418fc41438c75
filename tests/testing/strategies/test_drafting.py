"""Random expressions: what they hold to, what they shrink to, and what they find."""

import contextlib
import math
import random
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from microgrid import Value, define_rule
from microgrid.engine import graph, operations
from microgrid.rules.table import ROWS, RULES, Rule
from microgrid.testing import Expression, expressions
from microgrid.testing.strategies import drafting
from microgrid.testing.strategies.domains import is_inside
from tests.profiles import examples

LARGE = examples(60)


def recorded(drawn: Expression) -> tuple[Value, list[Value]]:
    """Return the result of an expression at its point, and the inputs."""
    leaves = [Value(x) for x in drawn.point]
    return drawn(*leaves), leaves


def numbers_of(node: Value) -> dict[str, Any]:
    """Return the plain numbers that the operation of `node` was applied to, by argument."""
    rule, parents, constants = node.op.rule, iter(node.parents), iter(node.constants)
    arguments: dict[str, Any] = {}
    sizes = len(node._x[0]) if node.op.fan == 0 and type(node._x[0]) is tuple else 0
    for name, mask in zip(rule.arguments, node.op.mask, strict=True):
        if not mask:
            arguments[name] = next(constants)
        else:
            arguments[name] = (
                [next(parents).data for _ in range(sizes)] if rule.is_sequence(name) else next(parents).data
            )
    return {name: [*x] if type(x) is tuple else x for name, x in arguments.items()}


@LARGE
@given(expressions(size=20))
def test_every_operation_is_smooth_and_moderate(drawn: Expression) -> None:
    out, leaves = recorded(drawn)
    assert all(abs(x) <= drafting.LARGEST for x in drawn.point)
    for node in graph.inner_nodes(out):
        assert abs(node.data) <= drafting.LARGEST
        assert is_inside(node.op.rule, numbers_of(node), 0.99 * drafting.MARGIN)
    out.backward()
    assert all(abs(leaf.grad) <= 2 * drafting.STEEPEST for leaf in leaves)


@LARGE
@given(expressions(size=20))
def test_expressions_differentiate_twice(drawn: Expression) -> None:
    out, leaves = recorded(drawn)
    out.backward()
    plain = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.zero_grad()
    out.backward(create_graph=True)
    gradients = [leaf.grad if isinstance(leaf.grad, Value) else Value(leaf.grad) for leaf in leaves]
    scale = max(map(abs, plain))
    assert [gradient.data for gradient in gradients] == pytest.approx(plain, rel=1e-9, abs=1e-9 * scale)
    for gradient in gradients:
        gradient.backward()
    assert all(math.isfinite(leaf.grad if isinstance(leaf.grad, float) else leaf.grad.data) for leaf in leaves)


@given(data=st.data(), inputs=st.integers(1, 6), size=st.integers(1, 4))
def test_inputs_size_and_rules_are_those_asked_for(data: st.DataObject, inputs: int, size: int) -> None:
    drawn = data.draw(expressions(inputs=inputs, size=size, rules=["tanh", RULES["sin"]]))
    assert len(drawn.point) == inputs and 1 <= len(drawn.operations) <= size
    assert {*drawn.operations} <= {"tanh", "sin"}


def test_wrong_arguments() -> None:
    for wrong in ({"rules": []}, {"size": 0}, {"inputs": 0}):
        with pytest.raises(ValueError, match="expected at least one rule, operation and input, got rules="):
            expressions(**wrong)  # type: ignore[arg-type]


def test_sharing_and_size_occur() -> None:
    def shares(drawn: Expression) -> bool:
        out, _ = recorded(drawn)
        uses = [parent for node in graph.inner_nodes(out) for parent in node.parents if parent.op]
        return len({*uses}) < len(uses)

    shared = find(expressions(rules=["tanh", "mul"]), shares, random=random.Random(0))
    assert shared.operations[-1] == "mul" and len(shared.operations) == 2


@pytest.mark.parametrize("name", ["asin", "maximum", "polygamma"])
def test_the_smallest_expression_with_a_row_is_that_row_alone(name: str) -> None:
    """One search in a hundred ends at an expression that only two changes at once would make smaller."""
    found = []
    for seed in range(3):
        rng, tries = random.Random(seed), settings(max_examples=5000, database=None)
        found.append(find(expressions(size=4), lambda drawn: name in drawn.operations, settings=tries, random=rng))
    alone = [drawn for drawn in found if drawn.operations == [name] and drawn.point in [(1.0,), (2.0,), (0.5,)]]
    assert len(alone) >= 2


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
@examples(3)
@given(data=st.data())
def test_every_row_is_drawn_on_its_own(rule: Rule, data: st.DataObject) -> None:
    assert rule.name in data.draw(expressions(size=1, rules=[rule])).operations


@pytest.mark.parametrize(("low", "high"), [(0, math.inf), (3, math.inf), (-math.inf, -2), (-1, 1), (0, 1), (2, 10)])
@given(x=st.floats(-90, 90))
def test_operands_are_moved_between_bounds(low: float, high: float, x: float) -> None:
    moves = [*drafting.moves_between(low, high, drafting.Node(x, 1.0, "x"))]
    assert moves[0] is not None and low < moves[0].number < high
    assert all(low < move.number < high for move in moves if move)


@given(x=st.floats(-100, 100))
def test_operands_are_moved_away_from_zero_and_to_moderate_size(x: float) -> None:
    moves = [move for move in drafting.moves_between(-math.inf, math.inf, drafting.Node(x, 1.0, "x")) if move]
    assert min(abs(move.number) for move in moves) < 1 and max(abs(move.number) for move in moves) > 0.2


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("log", (-1.0,)),  # outside of the domain
        ("log", (0.005,)),  # too near to its end
        ("exp", (5.0,)),  # too large
        ("gamma", (0.02,)),  # too steep
        ("polygamma", (2, 0.03)),
        ("log2", (0.0301,)),  # too curved
        ("ldexp", (1.0, 2000)),  # it raises
    ],
)
def test_operations_that_are_not_drawn(name: str, numbers: tuple[float, ...]) -> None:
    rule = RULES[name]
    arguments = {
        argument: drafting.Node(number, 1.0, "x") if rule.is_differentiable(argument) else number
        for argument, number in zip(rule.arguments, numbers, strict=True)
    }
    assert drafting.operation(rule, arguments) is None


def test_growth_is_bounded() -> None:
    def times_two(growth: float) -> drafting.Node | None:
        return drafting.combined("mul", drafting.Node(1.0, growth, "x"), 2.0)

    found = times_two(400.0)
    assert found and found.growth == pytest.approx(800.0) and times_two(600.0) is None
    assert drafting.combined("add", None, 1.0) is None
    steep = drafting.Node(3.0, 999.0, "x")
    assert drafting.moved(lambda strategy: 3, -9.0, 9.0, steep) == []


@pytest.mark.usefixtures("rules_restored")
def test_rules_of_ones_own_are_drawn() -> None:
    gap = define_rule("gap(x, y, k, scale=0.5)", "scale * log(x - y) + k", x="scale / (x - y)", y="-scale / (x - y)",
                      domain="x > y")  # fmt: skip
    drawn = find(expressions(rules=["tanh", "mul", "gap"]), lambda drawn: "gap" in drawn.operations)
    assert "gap(" in drawn.source and "math.gap" not in drawn.source and len(drawn.operations) <= 2
    assert {*find(expressions(rules=[gap]), lambda drawn: True).operations} == {"gap"}
    define_rule("never(x)", "x", x="1", domain="x * x < 0")
    with pytest.raises(Unsatisfiable):
        find(expressions(rules=["never"]), lambda drawn: True, settings=settings(max_examples=3))


# What they are worth: a fault planted in the partials of a row is found, and shrinks


def differences(drawn: Expression, index: int, step: float) -> float:
    """Return a central difference of fourth order by one input."""

    def at(move: float) -> float:
        point = [*drawn.point]
        point[index] += move
        return float(drawn(*point))

    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)


def is_wrong(drawn: Expression) -> bool:
    """Return whether a gradient differs from differences that agree with each other."""
    out, leaves = recorded(drawn)
    out.backward()
    for index, leaf in enumerate(leaves):
        try:
            coarse, fine = (differences(drawn, index, step) for step in (1e-4, 2e-5))
        except (ValueError, ArithmeticError):
            return False
        if abs(coarse - fine) < 1e-6 * max(1.0, abs(fine)) and abs(leaf.grad - fine) > 1e-4 * max(1.0, abs(fine)):
            return True
    return False


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts a wrong partial into a row; what was built from it is built again."""
    names: list[str] = []

    def rebuild() -> None:
        for (rule, _), operation in operations._operations.items():
            if rule.name in names:
                with contextlib.suppress(AttributeError):  # not built yet
                    del operation.pull

    def plant(name: str, argument: str, text: str) -> None:
        names.append(name)
        monkeypatch.setattr(RULES[name], "partials", {**RULES[name].partials, argument: text})
        rebuild()

    yield plant
    monkeypatch.undo()
    rebuild()


@LARGE
@given(expressions())
def test_no_gradient_is_wrong(drawn: Expression) -> None:
    assert not is_wrong(drawn)


@pytest.mark.parametrize(
    ("name", "argument", "text"),
    [
        ("div", "y", "out / y"),
        ("pow", "y", "out * log(x) * 2"),
        ("acosh", "x", "1 / (sqrt(x - 1) * sqrt(x - 1))"),
        ("tanh", "x", "1 + out * out"),
        ("atan2", "x", "y / hypot(x, y) / hypot(x, y)"),
        ("fmod", "y", "1"),
        ("prod", "xs", "cofactors(xs, 2)"),
        ("dot", "b", "2"),
        ("hypot", "x", "x"),
        ("minimum", "xs", "cofactors(xs, 3)"),
        ("leaky_relu", "x", "where(step(x), 2, 1)"),
        ("binary_cross_entropy", "y", "log(p)"),
    ],
)
def test_planted_faults_are_found_and_shrink(planted: Any, name: str, argument: str, text: str) -> None:
    planted(name, argument, text)
    tries = settings(max_examples=20_000, database=None)
    drawn = find(expressions(size=4), is_wrong, settings=tries, random=random.Random(0))
    assert name in drawn.operations and len(drawn.operations) <= 3
