"""Rows as templates: places, parentheses, choices, comprehensions."""

import ast
import itertools

import pytest

from microgrid import jit, math
from microgrid.compiler.source import templates
from microgrid.compiler.source.templates import (
    ATOM,
    LOOSE,
    MINUS,
    POWER,
    PRODUCT,
    SPREAD,
    SUM,
    Template,
    level_of,
    recipe,
)
from microgrid.rules.derivatives import expression
from microgrid.rules.table import RULES, Rule


@pytest.mark.parametrize(
    ("text", "level"),
    [("x", ATOM), ("f(x)", ATOM), ("2.0", ATOM), ("x ** y", POWER), ("-x", MINUS), ("x * y", PRODUCT),
     ("x // y", PRODUCT), ("x - y", SUM), ("x if y else z", LOOSE), ("x < y", LOOSE), ("x << y", LOOSE),
     ("not x", LOOSE)],
)  # fmt: skip
def test_levels(text: str, level: int) -> None:
    assert level_of(expression(text)) == level


@pytest.mark.parametrize(
    ("text", "levels"),
    [("x + y", [SUM, PRODUCT]), ("x * y", [PRODUCT, MINUS]), ("x ** y", [ATOM, ATOM]), ("f(x, k=y)", [LOOSE, LOOSE]),
     ("f(*x)", [SPREAD]), ("x if y else 0.0", [ATOM, ATOM]), ("-x", [ATOM]), ("x", [ATOM]), ("f(x + 1.0)", [SUM])],
)  # fmt: skip
def test_places_ask_for_parentheses(text: str, levels: list[int]) -> None:
    template = Template(expression(text), {"x", "y"})
    assert [level for _, level in template.fields] == levels
    assert template.text.count("{}") == len(levels)


def test_counts_and_braces() -> None:
    template = Template(expression("{x: y}[x]"), {"x", "y"})
    assert template.once == {"y"} and template.places == {"x", "y"}
    assert template.text.format("a", "b", "c") == "{a: b}[c]"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_recipe_is_python(rule: Rule) -> None:
    made = recipe(rule)
    for template in [*made.forward, *(term.template for term in made.adjoint_terms)]:
        ast.parse(template.text.replace("{}", "(a)").replace("*(a)", "*a"))
        assert not any(
            isinstance(node, templates.SCOPES) for node in ast.walk(ast.parse(template.text.replace("{}", "a")))
        )


def test_partials_that_are_zero_have_no_term() -> None:
    assert [term.argument for term in recipe(RULES["where"]).adjoint_terms] == ["x", "y"]
    assert recipe(RULES["round"]).adjoint_terms == [] and recipe(RULES["floordiv"]).adjoint_terms == []


def test_choices_do_not_look_for_nan() -> None:
    (term,) = recipe(RULES["relu"]).adjoint_terms
    assert term.template.text == "{} if {} > 0.0 else 0.0"
    compound = Rule("compound(x)", "x", "a test", x="sign(x * x) + less(x, 1) + step(x)")
    (term,) = recipe(compound).adjoint_terms
    assert term.template.text.startswith("{} * (sign({} * {}) + (1.0 if {} < 1.0 else 0.0)")


@pytest.mark.parametrize("name", templates.FOLDS)
def test_of_equal_numbers_the_first_is_kept_as_eager(name: str) -> None:
    function = getattr(math, name)
    for zeros in itertools.product((0.0, -0.0), repeat=3):  # equal, and told apart by their signs
        expected = repr(function(*zeros))
        assert expected == repr(zeros[0])
        assert repr(jit(function)(*zeros)) == repr(jit(lambda xs: function(*xs))([*zeros])) == expected


def test_comprehensions_become_functions() -> None:
    rule = Rule("spread_out(xs)", "fsum([exp(x) for x in xs])", "a test", x="exp(x) * fsum([abs(d) for d in xs])")
    made = recipe(rule)
    assert made.forward[0].text == "spread_out_result({})"
    assert made.adjoint_terms[0].template.text == "{} * spread_out_by_xs({}, {})"
    assert templates.helpers["spread_out_result"]([0.0, 0.0]) == 2.0
    assert templates.helpers["spread_out_by_xs"](0.0, [1.0, -2.0]) == 3.0


def test_functions_of_parts_have_names_of_their_own() -> None:
    """Rows of one name: a program may define a rule again."""
    rows = [Rule("listed(xs)", f"fsum([{factor} * x for x in xs])", "", xs="xs") for factor in (2, 3)]
    names = [templates.recipe(row).forward[0].text.partition("(")[0] for row in rows]
    assert [templates.helpers[name]([1.0, 2.0]) for name in names] == [6.0, 9.0]


def test_functions_of_guards_are_there_when_a_rule_has_replaced_another() -> None:
    templates.recipe_cache.cache_clear()
    second = jit(lambda xs, n: xs[n] * 2)
    second([1.0, 2.0], 1)
    (case,) = second.cases
    assert case.run([1.0, 2.0, 1.0, 2.0, 1]) == [4.0]
