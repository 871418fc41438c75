"""Domains of rules: read as bounds, as a test, and as a test with room to spare."""

import ast
import math
from typing import Any

import pytest

from microgrid import define_rule
from microgrid import math as functions
from microgrid.rules.table import ROWS, RULES, Rule
from microgrid.testing.strategies import domains


def rule(domain: str, signature: str = "own(x)", **partials: str) -> Rule:
    return Rule(signature, "x", "for a test", domain=domain, **(partials or {"x": "1"}))


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("", (-math.inf, math.inf)),
        ("x > 0", (0, math.inf)),
        ("0 <= x", (0, math.inf)),
        ("x < -1", (-math.inf, -1)),
        ("1 / 2 >= x and x > -2 ** 3", (-8, 0.5)),
        ("0 < x < 1 and x * x > 2 and x != 0.5", (0, 1)),
        ("abs(x) < 2", (-2, 2)),
        ("x > 0 or x < -1", (-math.inf, math.inf)),
        ("x > y and x < pi", (-math.inf, math.inf)),
        ("x > 1 / 0 and x < 'a' and x in (1, 2)", (-math.inf, math.inf)),
    ],
)
def test_bounds(domain: str, expected: tuple[float, float]) -> None:
    assert domains.bounds(rule(domain), "x") == expected


def test_bounds_of_sequences() -> None:
    own = rule("all(0 < x for x in xs) and max(xs) < 5", "own(xs)", x="1")
    assert domains.bounds(own, "xs") == (0, math.inf)


def test_limits_are_all_constants_compared() -> None:
    own = rule("abs(x) != 2 and x < 3")
    assert domains.limits(own, "x") == [(ast.NotEq, 2.0), (ast.NotEq, -2.0), (ast.Lt, 3.0)]


@pytest.mark.parametrize(
    ("name", "inside", "near", "outside"),
    [
        ("log", [(0.5,)], [(0.0005,)], [(0.0,), (-1.0,)]),
        ("asin", [(0.5,)], [(0.9995,)], [(1.0,)]),
        ("div", [(1.0, 2.0)], [(1.0, 0.0005)], [(1.0, 0.0)]),
        ("mod", [(7.0, 2.0), (-7.0, 2.0), (1.0, -3.0)], [(8.001, 2.0), (7.999, 2.0), (1000.5, 1.0)], [(8.0, 2.0)]),
        ("remainder", [(8.0, 2.0)], [(6.999, 2.0)], [(7.0, 2.0)]),
        ("round", [(0.3, 0)], [(0.4999, 0), (0.3, 4)], [(0.5, 0)]),
        ("less", [(1.0, 2.0)], [(1.0, 1.001)], [(1.0, 1.0)]),
        ("maximum", [([1.0, 3.0, 2.0],)], [([1.0, 3.0, 1.001],)], [([1.0, 3.0, 1.0],)]),
        ("hypot", [([0.0, 1.0],)], [([0.0, 0.0005],)], [([0.0, 0.0],)]),
        ("mean", [([0.0, 1.0],)], [], [([],)]),
        ("clip", [(2.0, 1.0, 3.0)], [(1.0005, 1.0, 3.0)], [(1.0, 1.0, 3.0)]),
        ("binary_cross_entropy", [(0.5, 0.0)], [(0.0005, 0.0)], [(1.0, 0.0)]),
    ],
)
def test_inside_near_and_outside(name: str, inside: Any, near: Any, outside: Any) -> None:
    row = RULES[name]

    def found(point: Any) -> tuple[bool, bool]:
        arguments = dict(zip(row.arguments, point, strict=True))
        return domains.in_domain(row, arguments), domains.is_inside(row, arguments)

    assert {found(point) for point in inside} == {(True, True)}
    assert {found(point) for point in near} <= {(True, False)}
    assert {found(point) for point in outside} == {(False, False)}


def test_domains_that_call_functions_are_tried_at_neighbours() -> None:
    own = rule("log(x) > 0 and sin(x) != 2")
    assert domains.is_inside(own, {"x": 1.5}) and domains.in_domain(own, {"x": 1.0005})
    assert not domains.is_inside(own, {"x": 1.0005}) and not domains.in_domain(own, {"x": -1.0})


def test_margins_of_narrow_domains_are_narrow() -> None:
    own = rule("0 < x < 1e-6")
    assert domains.is_inside(own, {"x": 5e-7}) and not domains.is_inside(own, {"x": 5e-10})


def test_every_row_has_its_places() -> None:
    for row in ROWS:
        arguments = {name: [1.0, 2.0] if row.is_sequence(name) else 1.0 for name in row.arguments}
        places = domains.places(row, arguments)
        assert {name for name, _ in places} == {name for name in row.arguments if row.is_differentiable(name)}
        assert domains.replaced(row, arguments, [x for _, x in places]) == arguments


@pytest.mark.usefixtures("rules_restored")
def test_what_a_rule_is_known_by() -> None:
    own = define_rule("own(x)", "x", x="1")
    assert domains.row(own) is domains.row("own") is domains.row(RULES["own"]) is RULES["own"]
    assert domains.row(functions.log) is RULES["log"]
    for wrong in ("tangent", math.factorial, 3):
        with pytest.raises(ValueError, match="expected a rule, its name or its function, got"):
            domains.row(wrong)  # type: ignore[arg-type]
