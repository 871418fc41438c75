"""The operators, methods and functions that are written from rows."""

import inspect
import pickle
from collections.abc import Callable, Iterator

import pytest

from microgrid import Value
from microgrid.engine.operations import Operation
from microgrid.engine.recording import names_for
from microgrid.math.functions import FUNCTIONS
from microgrid.rules.methods import (
    DUNDER_NAMES,
    describe,
    function_source,
    is_method,
    is_standard,
    method_names,
    method_source,
    value_methods,
)
from microgrid.rules.source import define, sequences
from microgrid.rules.table import ROWS, RULES, Rule


def test_generated_methods_have_name_module_and_documentation() -> None:
    assert Value.tanh.__qualname__ == "Value.tanh" and Value.tanh.__module__ == "microgrid.engine.methods"
    assert "hyperbolic tangent" in (Value.tanh.__doc__ or "")
    assert pickle.loads(pickle.dumps(Value.tanh)) is Value.tanh
    assert str(inspect.signature(Value.leaky_relu)) == "(self, negative_slope: 'float' = 0.01) -> 'Self'"


def test_methods_are_rules_of_one_differentiable_number() -> None:
    methods = {rule.name for rule in ROWS if is_method(rule)}
    assert {"tanh", "relu", "leaky_relu", "round", "ldexp"} <= methods
    assert not methods & {"mul", "atan2", "fsum", "hypot", "dot", "polygamma", "logsumexp", "maximum"}
    assert all(callable(getattr(Value, name)) for name in methods)


@pytest.mark.parametrize(
    ("name", "names"),
    [("neg", ["__neg__", "neg"]), ("abs", ["__abs__", "abs", "fabs"]), ("tanh", ["tanh"]), ("mul", []), ("dot", [])],
)
def test_names_of_methods(name: str, names: list[str]) -> None:
    assert method_names(RULES[name]) == names
    assert all(hasattr(Value, method) for method in names)


def test_functions_of_the_standard_module_are_known() -> None:
    standard = {rule.name for rule in ROWS if is_standard(rule)}
    assert {"tanh", "hypot", "prod", "fma", "sumprod", "ldexp"} <= standard
    assert not standard & {"relu", "sigmoid", "maximum", "pow", "dot", "mean", "add"}


@pytest.mark.parametrize("name", list(RULES))
def test_documentation_says_what_and_shows_how(name: str) -> None:
    documentation = FUNCTIONS[name].__doc__ or ""
    assert documentation.startswith("Return ") and "The partial by" in documentation and f">>> {name}(" in documentation


def test_documentation_of_a_sum_names_every_partial_and_not_the_steps() -> None:
    assert describe(RULES["dot"]) == (
        "Return b plus the sum of products, plainly from left to right.\n\n"
        "    The partial by w is `x`, by x is `w`, by b is `1`."
    )


def test_every_comparison_is_generated() -> None:
    for name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
        assert getattr(Value, name).__module__ == "microgrid.engine.methods"


METHODS = {name: rule for rule in ROWS for name in method_names(rule)}
OPERATORS = {f"__{prefix}{name}__": rule for rule, name in DUNDER_NAMES.items() for prefix in ("", "r")}


@pytest.mark.parametrize("name", [*METHODS, *OPERATORS])
def test_a_method_names_itself_where_data_is_no_number(name: str) -> None:
    rule = METHODS.get(name) or RULES[OPERATORS[name]]
    others = [1.5] if name in OPERATORS else [1] if rule.arguments[-1] in ("i", "ndigits") else []
    x = Value(0.5)
    x.data = "half"
    with pytest.raises(TypeError, match=rf"^{rule.name}\(.*'half'.*\): the data of a leaf is str 'half', expected a"):
        getattr(x, name)(*others)


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "huber"])
def test_a_method_takes_whole_numbers_as_parameters(name: str) -> None:
    result, expected = (getattr(Value(-1.5), name)(parameter) for parameter in (1, 1.0))
    assert (result.data, result.op) == (expected.data, expected.op)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_leave_what_they_do_not_know_to_the_other_operand(name: str) -> None:
    assert getattr(Value(0.5), name)([]) is NotImplemented


BLEND = Rule("blend(x, low=0.0, high=1.0)", "low + (high - low) * x", "a mixture", x="high - low")


def blend_method() -> Callable[..., Value]:
    source = method_source(BLEND, "blend")
    names = {**names_for(source), "RULES": {"blend": BLEND}, "blend_x": Operation(BLEND, (True, False, False))}
    method: Callable[..., Value] = define(source, "blend_method", names)["blend"]
    return method


def test_a_method_may_have_several_parameters() -> None:
    x = Value(0.25)
    node = blend_method()(x, 2.0, high=4.0)
    assert node.data == 2.5 and node.parents[0] is x and node.constants == (2.0, 4.0)
    assert blend_method()(x).constants == (0.0, 1.0)
    assert "        return x.blend(low, high)\n" in function_source(BLEND)


def test_parameters_that_are_no_floats_go_the_general_way(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    method = blend_method()
    monkeypatch.setitem(method.__globals__, "apply", lambda *arguments: calls.append(arguments))
    x = Value(0.25)
    method(x, 2), method(x, 2.0, 4)
    assert calls == [(BLEND, x, 2, 1.0), (BLEND, x, 2.0, 4)]


def test_the_fast_way_of_a_sum_of_products_is_on_floats() -> None:
    rule = Rule("weighted(weights, values, offset=0)", "offset; out + weight * value", "a sum",
                weight="value", value="weight", offset="1")  # fmt: skip
    lines = [line.strip() for line in function_source(rule).splitlines()]
    assert lines.count("for weight, value in zip(weights, values):") == 2
    first, second = (line for line in lines if line.startswith("out = out + "))
    assert (first, second) == ("out = out + weight.data * value.data", "out = out + weight.data * value")
    assert function_source(RULES["total"]).endswith(
        '        check_sequences("total", xs)\n        raise\n    return apply(RULES["total"], xs, start)\n'
    )


def packed(name: str) -> list[str]:
    """Return the lines that make a tuple of a sequence `xs`."""
    return ["try:", "xs = tuple(xs)", "except TypeError:", f'check_sequences("{name}", xs)', "raise"]


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("mean", [*packed("mean"), 'return apply(RULES["mean"], xs)']),
        ("sigmoid", ["if isinstance(x, Value):", "return x.sigmoid()", 'return apply(RULES["sigmoid"], x)']),
        ("tanh", ["if isinstance(x, Value):", "return x.tanh()", "return number_tanh(x)"]),
        ("ldexp", ["if isinstance(x, Value) or isinstance(i, Value):", 'return apply(RULES["ldexp"], x, i)',
                   "return number_ldexp(x, i)"]),
        ("elu", ["if isinstance(x, Value):", "return x.elu(alpha)", 'return apply(RULES["elu"], x, alpha)']),
        ("hypot", ["if has_value(xs):", 'return apply(RULES["hypot"], xs)', "return number_hypot(*xs)"]),
        ("prod", [*packed("prod"), "if has_value(xs) or isinstance(start, Value):",
                  'return apply(RULES["prod"], xs, start)', "return number_prod(xs, start=start)"]),
    ],
)  # fmt: skip
def test_a_function_asks_for_nodes_only_where_they_may_stand(name: str, last: list[str]) -> None:
    *_, body = function_source(RULES[name]).split('"""\n')
    assert [line.strip() for line in body.splitlines()] == last


@pytest.mark.parametrize(
    "rule", [rule for rule in ROWS if sequences(rule) and not rule.variadic], ids=lambda rule: rule.name
)
def test_functions_of_sequences_pass_on_what_their_iterators_raise(rule: Rule) -> None:
    def numbers() -> Iterator[float]:
        yield 1.0
        raise TypeError("of its own")

    with pytest.raises(TypeError, match=r"^of its own$"):
        FUNCTIONS[rule.name](*(numbers() for _ in sequences(rule)))


def test_generated_lines_end_without_blanks() -> None:
    source = value_methods(ROWS)
    assert not [line for line in source.splitlines() if line != line.rstrip()]
