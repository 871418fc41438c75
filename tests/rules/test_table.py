"""The calculus table itself: well-formed rows, and what DESIGN asks of their text."""

import ast
import math

import pytest

from microgrid.engine.operations import BASE_FUNCTIONS, NUMBERS
from microgrid.rules.table import ROWS, RULES, Rule, table

EXPRESSIONS = [(rule, text) for rule in ROWS for text in (*rule.forward.split("; "), *rule.partials.values())]
PARTIALS = [(rule, text) for rule in ROWS for text in rule.partials.values()]


def expression_id(value: object) -> str:
    return value.name if isinstance(value, Rule) else str(value)


def test_two_rows_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two rows are named 'add'"):
        table((RULES["add"], RULES["mul"], RULES["add"]))


@pytest.mark.parametrize("signature", ["no good(x)", "f(x y)", "f(2)", "(x)", "f(x, )"])
def test_a_name_that_is_no_identifier_is_refused(signature: str) -> None:
    with pytest.raises(ValueError, match=r"rule .* is not an identifier"):
        Rule(signature, "x", "nothing")


def test_a_partial_of_no_argument_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rule 'f\(x\)': the partial 'y' belongs to no argument"):
        Rule("f(x)", "x", "nothing", y="1")


def test_signatures_are_read() -> None:
    rule = Rule("f(xs, *, start=1)", "fsum(xs)", "sum", x="1")
    assert (rule.name, rule.arguments, dict(rule.defaults)) == ("f", ("xs", "start"), {"start": "1"})
    assert rule.keyword_only and not rule.variadic and rule.is_sequence("xs") and not rule.is_differentiable("start")
    assert Rule("g(*xs)", "max(xs)", "largest", x="1").variadic
    assert rule.symbol == "f" and repr(rule) == "<rule f(xs, start) = fsum(xs)>"


def test_rules_of_which_every_partial_is_zero_are_piecewise_constant() -> None:
    found = {rule.name for rule in ROWS if rule.is_piecewise_constant()}
    assert found == {"floordiv", "round", "sign", "step", "less"}
    assert not Rule("f(x, y)", "x + round(y, 1)", "one is not", x="1", y="0").is_piecewise_constant()


@pytest.mark.parametrize(("rule", "text"), EXPRESSIONS, ids=expression_id)
def test_text_speaks_of_arguments_and_known_functions_only(rule: Rule, text: str) -> None:
    elements = {name[:-1] for name in rule.arguments if rule.is_sequence(name)}
    known = {*rule.arguments, *elements, "out", *BASE_FUNCTIONS, *NUMBERS, "d"} | ({"n"} if elements else set())
    names = {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}
    assert names <= known


@pytest.mark.parametrize(("rule", "text"), EXPRESSIONS, ids=expression_id)
def test_literals_are_integers(rule: Rule, text: str) -> None:
    literals = [node.value for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Constant)]
    assert all(type(literal) is int for literal in literals)


@pytest.mark.parametrize(("rule", "text"), PARTIALS, ids=expression_id)
def test_partials_do_not_branch(rule: Rule, text: str) -> None:
    branches = (ast.IfExp, ast.Compare, ast.BoolOp, ast.NamedExpr, ast.Lambda)
    assert not any(isinstance(node, branches) for node in ast.walk(ast.parse(text, mode="eval")))


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_every_row_says_what_it_is_and_has_a_partial(rule: Rule) -> None:
    assert rule.doc and rule.partials and rule.symbol


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_nan_goes_through(rule: Rule) -> None:
    plain = {"i": 1, "n": 1, "ndigits": 1, "c": 1.0, "p": 0.5}
    nodes = [name for name in rule.arguments if rule.is_differentiable(name) and name != "c"]
    for hit in nodes:
        arguments = []
        for name in rule.arguments:
            x = math.nan if name == hit else 2.0
            arguments.append([3.0, x] if rule.is_sequence(name) else x if name == hit else plain.get(name, x))
        if rule.keyword_only:
            result = NUMBERS[rule.name](arguments[0], start=1)
        else:
            result = NUMBERS[rule.name](*(arguments[0] if rule.variadic else arguments))
        dead = (rule.name, hit) in {("where", "y"), ("copysign", "y")}  # not taken; only its sign counts
        assert math.isnan(result) != dead, hit


OWN_CALLS = [rule for rule in ROWS if rule.forward.startswith(f"{rule.name}(")]


@pytest.mark.parametrize("rule", OWN_CALLS, ids=lambda rule: rule.name)
def test_a_function_of_the_name_of_its_row_is_called_with_its_arguments(rule: Rule) -> None:
    given = [f"{name}={name}" if name in rule.defaults else name for name in rule.arguments]
    assert rule.forward == f"{rule.name}({'*' * rule.variadic}{', '.join(given)})"  # other text would not be run


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("less", (1.0, 2.0), 1.0),
        ("less", (2.0, 1.0), 0.0),
        ("less", (1.0, 1.0), 0.0),
        ("less", (-1.0, 0.5), 1.0),
        ("less", (-math.inf, math.inf), 1.0),
        ("step", (0.5,), 1.0),
        ("step", (0.0,), 0.0),
        ("step", (-0.5,), 0.0),
        ("elu", (-0.5, 2.0), 2.0 * math.expm1(-0.5)),
        ("elu", (0.5, 2.0), 0.5),
        ("leaky_relu", (-0.5, 0.25), -0.125),
        ("leaky_relu", (0.5, 0.25), 0.5),
        ("huber", (0.5, 2.0), 0.125),
        ("huber", (-1.0, 3.0), 0.5),
        ("huber", (3.0, 2.0), 4.0),
        ("huber", (-4.0, 1.0), 3.5),
        ("huber", (-4.0, 3.0), 7.5),
    ],
)
def test_rows_with_branches_compute_what_they_say(name: str, arguments: tuple[float, ...], expected: float) -> None:
    result = NUMBERS[name](*arguments)
    assert type(result) is float and result == expected


@pytest.mark.parametrize("name", ["step", "relu"])
def test_what_is_cut_off_is_a_positive_zero(name: str) -> None:
    assert math.copysign(1.0, NUMBERS[name](-0.0)) == math.copysign(1.0, NUMBERS[name](-1.0)) == 1.0
