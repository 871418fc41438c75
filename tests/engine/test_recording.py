"""Recording: the general way from a row and its arguments to a node."""

import math
from fractions import Fraction
from typing import Any

import pytest

from microgrid import Value, no_grad
from microgrid.engine.operations import functions_for
from microgrid.engine.recording import apply, apply_exactly, has_value, lifted, names_for
from microgrid.rules.source import define
from microgrid.rules.table import ROWS, RULES, Rule


def test_source_may_use_the_operations_it_records() -> None:
    source = "def f(x):\n    return mul_xy, dot_wsb, number_exp, x\n"
    function: Any = define(source, "recorder", names_for(source))["f"]
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


@pytest.mark.parametrize(("role", "log_of_zero"), [("trace", ValueError), ("trace_total", -math.inf)])
def test_a_trace_records_everything_that_it_computes(role: str, log_of_zero: Any) -> None:
    functions, x = functions_for(role), Value(0.5)
    assert functions["step"](x).parents[0] is x and functions["sign"](x).data == 1.0
    assert functions["maximum"](2, 3) == 3 and type(functions["maximum"](2, 3)) is int
    if log_of_zero is ValueError:
        with pytest.raises(ValueError, match=r"^log\(0.0\): math domain error$"):
            functions["log"](Value(0.0))
    else:
        assert functions["log"](Value(0.0)).data == log_of_zero


def test_a_trace_follows_which_of_several_is_the_largest() -> None:
    functions, x, y = functions_for("trace"), Value(1.0), Value(3.0)
    less, none = functions["shifted"]([x, y, 2.0])[::2]
    assert (less.data, none) == (-2.0, -1.0) and less.parents[0] is x
    largest = less.parents[1]
    assert largest.data == 3.0 and largest is not y and largest.op is None  # its derivative is not followed
    assert functions["shifted"]([1.0, 3.0]) == [-2.0, 0.0]


@pytest.mark.parametrize(
    ("numbers", "out", "shares"),
    [([3, 1, 3], 3, [0.5, 0.0, 0.5]), ([1, 2], 2, [0.0, 1.0]), ([1, 2], 1, [1.0, 0.0]), ([7], 7, [1.0])],
)
def test_a_trace_shares_evenly_among_equals(numbers: list[float], out: float, shares: list[float]) -> None:
    ties = functions_for("trace")["ties"]
    assert ties(numbers, out) == shares
    leaves = [Value(x) for x in numbers]
    found = ties(leaves, Value(out))
    assert [share.data for share in found] == shares and all(share.parents for share in found)


def test_functions_of_the_exact_role_keep_integers_and_forget_nodes() -> None:
    functions = lifted(functions_for("exact"))
    assert functions["power"] is functions["pow"] and type(functions["power"](2, 3)) is int
    assert type(functions["step"](Value(math.nan))) is float


def test_two_nodes_lie_in_the_two_slots() -> None:
    x, y = Value(2.0), Value(3.0)
    node = apply(RULES["mul"], x, y)
    assert node._x is x and node._y is y and node.parents == (x, y) and node.constants == ()


def test_a_parameter_by_keyword_reaches_the_function() -> None:
    assert apply(RULES["prod"], [Value(2.0), 3.0], 5).data == 30.0 and apply(RULES["prod"], [2.0, 3.0], 5) == 30.0


@pytest.mark.parametrize(("given", "kept"), [(2, 2.0), (True, 1.0), (2.5, 2.5), (Fraction(1, 2), Fraction(1, 2))])
def test_the_data_of_a_node_is_a_float_or_a_fraction(given: Any, kept: Any) -> None:
    data = apply(RULES["abs"], Value(1.0), functions={"abs": lambda x: given}).data
    assert (type(data), data) == (type(kept), kept)


def test_one_number_has_a_mean_and_none_has_not() -> None:
    assert apply(RULES["mean"], [Value(2.0)]).data == 2.0
    with pytest.raises(ValueError, match=r"^mean\(\[\]\): expected at least one number, got none$"):
        apply(RULES["mean"], [])


def test_what_is_no_parameter_is_named() -> None:
    with pytest.raises(TypeError, match=r"^elu\(1.0, 'steep'\): alpha is a plain number; got str 'steep'$"):
        apply(RULES["elu"], Value(1.0), "steep")


def test_numbers_alone_make_no_node_of_a_sequence_either() -> None:
    assert type(apply(RULES["sumprod"], [1.0, 2.0], [3.0, 4.0])) is float
    x = Value(2.0)
    assert apply(RULES["sumprod"], [1.0], [x]).parents == (x,) and apply(RULES["sumprod"], [1.0], [x]).constants


def test_modes_see_what_the_general_way_records() -> None:
    with no_grad():
        assert apply(RULES["fma"], Value(2.0), 3.0, 4.0).op is None


def test_only_with_fractions_a_result_is_exact() -> None:
    assert type(apply_exactly(RULES["step"], 2.0)) is float
    assert type(apply_exactly(RULES["step"], Fraction(1, 2))) is int
