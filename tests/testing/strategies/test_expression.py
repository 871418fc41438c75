"""Expressions as texts: what is printed can be pasted, and computes the same."""

import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings

from microgrid import Value, define_rule
from microgrid.rules.table import ROWS, RULES, Rule
from microgrid.testing import Expression, expressions
from microgrid.testing.strategies import expression
from microgrid.testing.strategies.domains import replaced
from tests.profiles import examples

TEXT = "from microgrid import math\n\ndef expression(x, y):\n    v1 = x * y\n    return v1 - math.tanh(v1)\n"


@examples(60)
@given(expressions(size=20))
def test_the_source_is_the_function_bit_for_bit(drawn: Expression) -> None:
    names: dict[str, Any] = {}
    exec(drawn.source, names)
    pasted = eval(repr(drawn), {"Expression": Expression})
    assert pasted == drawn
    out = drawn(*drawn.point)
    assert out.hex() == names["expression"](*drawn.point).hex() == pasted(*map(Value, drawn.point)).data.hex()


def test_what_an_expression_is() -> None:
    drawn = Expression(TEXT, (2.0, 0.5))
    assert drawn(2.0, 0.5) == drawn(Value(2.0), 0.5).data == 1.0 - math.tanh(1.0)
    assert drawn.operations == ["mul", "tanh", "sub"]
    assert pickle.loads(pickle.dumps(drawn)) == drawn and len({drawn, Expression(TEXT, (2.0, 0.5))}) == 1
    assert str(drawn).splitlines()[0] == "Expression(" and str(drawn).splitlines()[-2] == "    point=(2.0, 0.5),"


def text_arguments(rule: Rule) -> tuple[list[Value], dict[str, Any]]:
    """Return leaves with numbers at which no row raises, and arguments in which they are called v0, v1 …"""
    size = {name: 2 if rule.is_sequence(name) else rule.is_differentiable(name) for name in rule.arguments}
    names = [f"v{index}" for index in range(sum(size.values()))]
    given = {name: [""] * count if rule.is_sequence(name) else 2 for name, count in size.items()}
    leaves = [Value(0.5 + index / 8 + (rule.name == "acosh")) for index in range(len(names))]
    return leaves, replaced(rule, given, names)


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_the_text_of_every_row_records_that_row(rule: Rule) -> None:
    leaves, arguments = text_arguments(rule)
    names = ", ".join(f"v{index}" for index in range(len(leaves)))
    text = f"from microgrid import math\ndef expression({names}):\n    return {expression.call(rule, arguments)}\n"
    out = expression.compiled(text)(*leaves)
    assert out.op.rule is rule and out.parents == tuple(leaves)
    assert all(2 in out.constants for name in rule.arguments if not rule.is_differentiable(name))


def test_defaults_are_left_out() -> None:
    assert expression.call(RULES["elu"], {"x": "x", "alpha": 1.0}) == "math.elu(x)"
    assert expression.call(RULES["elu"], {"x": "x", "alpha": 0.5}) == "math.elu(x, alpha=0.5)"
    assert expression.call(RULES["abs"], {"x": "x"}) == "abs(x)"


def test_shared_operations_are_written_once() -> None:
    x = expression.Node(2.0, 1.0, "x")
    square = expression.Node(4.0, 4.0, rule=RULES["mul"], x=x, y=x)
    tail = expression.Node(1.0, 1.0, rule=RULES["neg"], x=square)
    root = expression.Node(1.0, 1.0, rule=RULES["fsum"], xs=[square, tail, expression.Node(3.0, 0.0), square])
    assert expression.source_of(root, [x]).splitlines()[2:] == [
        "def expression(x):",
        "    v1 = x * x",
        "    v2 = -v1",
        "    return math.fsum([v1, v2, 3.0, v1])",
    ]
    assert not x.is_constant and expression.Node(3.0, 0.0).is_constant and not root.is_constant


@pytest.mark.usefixtures("rules_restored")
def test_rules_of_ones_own_are_called_by_name() -> None:
    blend = define_rule("blend(x, y, t=0.5)", "t * x + (1 - t) * y", x="t", y="1 - t")
    define_rule("extent(*xs)", "max(xs)", xs=lambda xs, out: [float(x == out) for x in xs])
    text = "def expression(x, y):\n    return blend(x, y, t=0.25) + extent(x, y)\n"
    drawn = Expression(text, (1.0, 2.0))
    assert drawn(1.0, 2.0) == blend(1.0, 2.0, t=0.25) + 2.0
    assert sorted(drawn.operations) == ["add", "blend", "extent"]
    assert expression.call(RULES["extent"], {"xs": ["x", "y"]}) == "extent(x, y)"
    define_rule("blend(x, y, scale=2.0, t=0.5)", "scale * (t * x + (1 - t) * y)", x="scale * t", y="scale * (1 - t)")
    assert drawn(1.0, 2.0) == 2.0 * 1.75 + 2.0


def test_expressions_that_falsify_can_be_pasted() -> None:
    @settings(database=None, print_blob=False)
    @given(expressions(inputs=1, size=2, rules=["sin", "tanh"]))
    def fails(drawn: Any) -> None:
        assert "tanh" not in drawn.operations

    with pytest.raises(AssertionError) as caught:
        fails()
    text = "".join(caught.value.__notes__)
    call = text[text.index("fails(") :].partition("\n)")[0] + "\n)"
    (drawn,) = eval(call, {"fails": lambda drawn: (drawn,), "Expression": Expression})
    assert drawn == Expression(
        "from microgrid import math\n\ndef expression(x):\n    return math.tanh(x)\n", point=(1.0,)
    )
