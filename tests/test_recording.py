"""Recording: the general way from a row and its arguments to a node."""

import math
from fractions import Fraction
from typing import Any

import pytest

from microgrid import Value, codegen
from microgrid.operations import functions_for
from microgrid.recording import apply, has_value, lifted, names_for
from microgrid.rules import ROWS, RULES, Rule


def test_source_may_use_the_operations_it_records() -> None:
    source = "def f(x):\n    return mul_xy, dot_wsb, number_exp, x\n"
    function: Any = codegen.define(source, "recorder", names_for(source))["f"]
    product, dot, exp, _ = function(0)
    assert (product.mask, dot.mask) == ((True, True), (True, False, True)) and exp(0.0) == 1.0


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_fast_ways_and_the_general_way_make_the_same_node(rule: Rule) -> None:
    methods = {"add": "__add__", "sub": "__sub__", "mul": "__mul__", "div": "__truediv__", "floordiv": "__floordiv__"}
    name = methods.get(rule.name, rule.name)
    arguments: list[Any] = [Value(1.5 if rule.name == "acosh" else 0.75), *([0.5] if len(rule.arguments) == 2 else [])]
    if not hasattr(Value, name) or rule.arguments[-1] in ("i", "ndigits"):
        return
    fast, general = getattr(Value, name)(*arguments), apply(rule, *arguments)
    fields = ("data", "grad", "label", "op", "_x", "_y")
    assert [getattr(fast, field) for field in fields] == [getattr(general, field) for field in fields]


def test_numbers_in_a_sequence_with_a_node_become_nodes() -> None:
    x = Value(2.0)
    node = apply(RULES["fsum"], [x, 1, Fraction(1, 2)])
    assert node.data == 3.5 and node.parents[0] is x and [type(parent) for parent in node.parents] == [Value] * 3


def test_arguments_without_a_node_give_a_number() -> None:
    assert apply(RULES["relu"], -2) == 0.0 and type(apply(RULES["relu"], -2)) is float
    assert apply(RULES["dot"], [1, 2], [3, 4], 5) == 16.0


def test_nodes_are_found_among_elements() -> None:
    assert has_value([1.0, Value(2.0)]) and not has_value([1.0, 2.0]) and not has_value([])


def test_lifted_functions_record_nodes_and_compute_numbers() -> None:
    functions = lifted(functions_for("exact"))
    x = Value(0.5)
    assert functions["exp"](x).parents == (x,) and functions["exp"](0.5) == math.exp(0.5)
    assert functions["hypot"](x, 1.0).parents[0] is x and functions["power"](x, 2).data == 0.25
    assert functions["step"](x) == 1 and type(functions["step"](x)) is int  # no graph is kept for a constant
    assert functions["sign"](Fraction(-1, 2)) == -1


def test_lifted_total_functions_do_not_raise() -> None:
    assert lifted(functions_for("total"))["log"](Value(0.0)).data == -math.inf
