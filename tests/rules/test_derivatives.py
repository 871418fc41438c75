"""The derivative roles of rows, as text and as functions."""

import pytest

from microgrid import Value, math
from microgrid.engine.operations import ROLES, functions_for
from microgrid.rules.derivatives import Pullback, build, expression, may_raise
from microgrid.rules.table import ROWS, RULES, Rule


def source(name: str, mask: str, role: str) -> str:
    """Return the source of a role of the row `name` on the arguments that are marked by 1 in `mask`."""
    return Pullback(RULES[name], tuple(mark == "1" for mark in mask), role).source()


@pytest.mark.parametrize(
    ("name", "mask", "role", "lines"),
    [
        ("add", "11", "pull", ["x, y = node._x, node._y", "x.grad += g", "y.grad += g"]),
        ("sub", "11", "pull", ["x, y = node._x, node._y", "x.grad += g", "y.grad -= g"]),
        ("mul", "10", "pull", ["x = node._x", "y = node._y", "x.grad += g * y"]),
        ("mul", "01", "pull", ["y = node._x", "x = node._y", "y.grad += g * x"]),
        (
            "div",
            "11",
            "pull",
            [
                "x, y = node._x, node._y",
                "gx = g / y.data",
                "gy = g * (-node.data / y.data)",
                "x.grad += gx",
                "y.grad += gy",
            ],
        ),
        ("div", "10", "total", ["x = node._x", "y = node._y", "x.grad += div(g, y)"]),
        (
            "relu",
            "1",
            "pull",
            [
                "x = node._x",
                "if type(x.data) is not float:",
                "    check_data(x)",
                "x.grad += g if x.data > 0.0 else 0.0 if x.data <= 0.0 else g if x.data else 0.0",
            ],
        ),
        (
            "relu",
            "1",
            "exact",
            ["x = node._x", "x.grad += g if x.data > 0 else 0 if x.data <= 0 else g if x.data else 0"],
        ),
        ("relu", "1", "record", ["x = node._x", "return g if step(x.data) else 0,"]),
        ("tanh", "1", "pull", ["x = node._x", "x.grad += g * (1.0 - node.data * node.data)"]),
        ("tanh", "1", "record", ["x = node._x", "return g * (1 - node * node),"]),
        ("sign", "1", "pull", ["x = node._x", "if type(x.data) is not float:", "    check_data(x)"]),
        ("round", "10", "pull", ["pass"]),
        ("fma", "110", "pull", ["x, y = node._x", "x.grad += g * y.data", "y.grad += g * x.data"]),
        (
            "leaky_relu",
            "10",
            "record",
            ["x = node._x", "negative_slope = node._y", "return g if step(x.data) else g * negative_slope,"],
        ),
        ("fsum", "1", "pull", ["(xs,) = node._x", "for x in xs:", "    x.grad += g"]),
        (
            "mean",
            "1",
            "pull",
            [
                "(xs,) = node._x",
                "n = len(xs)",
                "gxs = [g / n for x in xs]",
                "for x, gx in zip(xs, gxs):",
                "    x.grad += gx",
            ],
        ),
        (
            "prod",
            "10",
            "pull",
            [
                "(xs,) = node._x",
                "start = node._y",
                "gxs = scaled(g, cofactors([x.data for x in xs], start))",
                "for x, gx in zip(xs, gxs):",
                "    x.grad += gx",
            ],
        ),
        (
            "dot",
            "111",
            "pull",
            [
                "ws, xs, b = node._x",
                "for w, x in zip(ws, xs):",
                "    w.grad += g * x.data",
                "    x.grad += g * w.data",
                "b.grad += g",
            ],
        ),
        (
            "dot",
            "100",
            "pull",
            ["(ws,) = node._x", "xs, b = node._y", "for w, x in zip(ws, xs):", "    w.grad += g * x"],
        ),
        ("dot", "101", "record", ["ws, b = node._x", "xs = node._y", "return *[g * x for w, x in zip(ws, xs)], g"]),
    ],
)
def test_the_source_reads_as_written_by_hand(name: str, mask: str, role: str, lines: list[str]) -> None:
    assert source(name, mask, role).splitlines() == [f"def {name}_{role}(node, g):", *("    " + line for line in lines)]


WEIGHTED = Rule(
    "weighted(weights, values, offset)", "offset; out + weight * value", "a sum",
    weight="value", value="weight", offset="1",
)  # fmt: skip
SCALED = Rule("scaled_sum(values, unit)", "fsum(values) / unit", "a quotient", value="1 / unit")
SHARED = Rule("shared(ps, unit)", "max(ps) / unit", "a choice", ps="ties(ps, unit)")
WRAPPED = Rule("wrapped(x, y)", "x % y", "a remainder", x="x % y", y="x // y")
LENGTH = Rule("length(values, unit)", "unit", "a constant", value="2", unit="n / unit")


@pytest.mark.parametrize(
    ("rule", "mask", "role", "lines"),
    [
        (
            WEIGHTED,
            "111",
            "pull",
            [
                "weights, values, offset = node._x",
                "for weight, value in zip(weights, values):",
                "    weight.grad += g * value.data",
                "    value.grad += g * weight.data",
                "offset.grad += g",
            ],
        ),
        (
            WEIGHTED,
            "010",
            "pull",
            [
                "(values,) = node._x",
                "weights, offset = node._y",
                "for weight, value in zip(weights, values):",
                "    value.grad += g * weight",
            ],
        ),
        (
            SCALED,
            "10",
            "total",
            [
                "(values,) = node._x",
                "unit = node._y",
                "gvalues = [div(g, unit) for value in values]",
                "for value, gvalue in zip(values, gvalues):",
                "    value.grad += gvalue",
            ],
        ),
        (SCALED, "10", "record", ["(values,) = node._x", "unit = node._y", "return *[g / unit for value in values],"]),
        (
            SHARED,
            "10",
            "pull",
            [
                "(ps,) = node._x",
                "unit = node._y",
                "gps = scaled(g, ties([p.data for p in ps], unit))",
                "for p, gp in zip(ps, gps):",
                "    p.grad += gp",
            ],
        ),
        (
            LENGTH,
            "11",
            "record",
            ["values, unit = node._x", "n = len(values)", "return *[g * 2 for value in values], g * (n / unit)"],
        ),
        (
            WRAPPED,
            "11",
            "total",
            [
                "x, y = node._x, node._y",
                "gx = g * mod(x.data, y.data)",
                "gy = g * floordiv(x.data, y.data)",
                "x.grad += gx",
                "y.grad += gy",
            ],
        ),
        (RULES["tanh"], "1", "total", ["x = node._x", "x.grad += g * (1.0 - node.data * node.data)"]),
        (
            RULES["abs"],
            "1",
            "pull",
            ["x = node._x", "x.grad += g if x.data > 0.0 else -g if x.data < 0.0 else g * x.data"],
        ),
        (
            RULES["clip"],
            "010",
            "exact",
            [
                "low = node._x",
                "x, high = node._y",
                "low.grad += (g if low.data < high else 0 if low.data >= high else g * (low.data + high)) "
                "if (1 if x < low.data else 0 if x >= low.data else x + low.data) else 0",
            ],
        ),
    ],
)  # fmt: skip
def test_rules_from_outside_read_as_well(rule: Rule, mask: str, role: str, lines: list[str]) -> None:
    text = Pullback(rule, tuple(mark == "1" for mark in mask), role).source()
    assert text.splitlines() == [f"def {rule.name}_{role}(node, g):", *("    " + line for line in lines)]


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        (
            SCALED,
            [
                "for value in values:",
                "    if value in tangents:",
                "        amount = tangents[value] / unit",
                "        tangent = amount if tangent is None else tangent + amount",
            ],
        ),
        (
            SHARED,
            [
                "amount = combined([tangents.get(p, 0) for p in ps], ties([p.data for p in ps], unit))",
                "tangent = amount if tangent is None else tangent + amount",
            ],
        ),
    ],
)
def test_tangents_of_elements_go_by_their_names(rule: Rule, lines: list[str]) -> None:
    text = Pullback(rule, (True, False), "jvp").source()
    unpacking = [f"({rule.arguments[0]},) = node._x", "unit = node._y"]
    assert text.splitlines() == [
        f"def {rule.name}_jvp(node, tangents):",
        *("    " + line for line in [*unpacking, "tangent = None", *lines, "return tangent"]),
    ]


def test_tangents_of_all_elements_at_once_go_by_their_name() -> None:
    rule = Rule("shared(*parts)", "max(parts)", "a choice", parts="ties(parts, out)")
    text = Pullback(rule, (True,), "jvp").source()
    assert "combined([tangents.get(part, 0) for part in parts], ties([part.data for part in parts], node.data))" in text


def test_a_function_is_named_after_its_rule_role_and_parents() -> None:
    function = build(RULES["dot"], (True, False, True), "pull", {})
    assert (function.__name__, function.__module__) == ("dot_pull", "microgrid.generated.dot_pull_ws_b")


@pytest.mark.parametrize(
    ("name", "mask", "role", "lines"),
    [
        ("div", "11", "vjp", ["x, y = node._x, node._y", "return g / y.data, g * (-node.data / y.data)"]),
        ("tanh", "1", "jvp", ["x = node._x", "return tangents[x] * (1 - node.data * node.data)"]),
        ("tanh", "1", "jvp_record", ["x = node._x", "return tangents[x] * (1 - node * node)"]),
        ("log", "1", "jvp_total", ["x = node._x", "return div(tangents[x], x.data)"]),
        ("sign", "1", "jvp", ["x = node._x", "return 0"]),
        (
            "where",
            "111",
            "jvp",
            [
                "c, x, y = node._x",
                "tangent = None",
                "if x in tangents:",
                "    tangent = tangents[x] if c.data else 0",
                "if y in tangents:",
                "    amount = 0 if c.data else tangents[y]",
                "    tangent = amount if tangent is None else tangent + amount",
                "return tangent",
            ],
        ),
        (
            "sub",
            "11",
            "jvp_record",
            [
                "x, y = node._x, node._y",
                "tangent = None",
                "if x in tangents:",
                "    tangent = tangents[x]",
                "if y in tangents:",
                "    amount = -tangents[y]",
                "    tangent = amount if tangent is None else tangent + amount",
                "return tangent",
            ],
        ),
        (
            "dot",
            "110",
            "jvp",
            [
                "ws, xs = node._x",
                "tangent = None",
                "for w, x in zip(ws, xs):",
                "    if w in tangents:",
                "        amount = tangents[w] * x.data",
                "        tangent = amount if tangent is None else tangent + amount",
                "for w, x in zip(ws, xs):",
                "    if x in tangents:",
                "        amount = tangents[x] * w.data",
                "        tangent = amount if tangent is None else tangent + amount",
                "return tangent",
            ],
        ),
        (
            "maximum",
            "1",
            "jvp",
            [
                "(xs,) = node._x",
                "tangent = None",
                "amount = combined([tangents.get(x, 0) for x in xs], ties([x.data for x in xs], node.data))",
                "tangent = amount if tangent is None else tangent + amount",
                "return tangent",
            ],
        ),
        # a trace chooses nothing by a number
        ("relu", "1", "trace", ["x = node._x", "return where(step(x), g, 0),"]),
        ("relu", "1", "jvp_trace", ["x = node._x", "return where(step(x), tangents[x], 0)"]),
        ("abs", "1", "trace_total", ["x = node._x", "return g * sign(x),"]),
        ("maximum", "1", "trace", ["(xs,) = node._x", "return *scaled(g, ties(xs, node)),"]),
    ],
)
def test_the_roles_of_transforms_read_as_written_by_hand(name: str, mask: str, role: str, lines: list[str]) -> None:
    taken = "tangents" if role.startswith("jvp") else "g"
    head = f"def {name}_{role}(node, {taken}):"
    assert source(name, mask, role).splitlines() == [head, *("    " + line for line in lines)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_every_role_of_every_row_compiles(rule: Rule, role: str) -> None:
    mask = tuple(map(rule.is_differentiable, rule.arguments))
    assert callable(build(rule, mask, role, functions_for(role)))


@pytest.mark.parametrize(
    ("text", "expected"), [("x * y + z", False), ("x / y", True), ("x ** 2", True), ("exp(x)", True)]
)
def test_products_and_sums_cannot_raise(text: str, expected: bool) -> None:
    assert may_raise(expression(text)) is expected


def test_a_pullback_is_built_once() -> None:
    node = math.cosh(Value(0.25))
    node.backward()
    pull = node.op.pull
    node.backward()
    assert node.op.pull is pull and pull.__name__ == "cosh_pull"
