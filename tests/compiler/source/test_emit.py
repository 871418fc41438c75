"""Source: what is written in the place of a name, what gets one, how sums and guards are written."""

import ast

import pytest

from microgrid.compiler.program.form import DETACH, SHARE, SOFTMAX, Guard, Program, Step
from microgrid.compiler.source.emit import (
    LONGEST,
    TERMS,
    Writer,
    active_names,
    as_function,
    joined,
    kept_together,
    summed,
)
from microgrid.rules.table import RULES, Rule


def step(target: str, name: str, *arguments: object) -> Step:
    return Step(target, RULES[name], arguments)


def program(*steps: Step | Guard, outputs: tuple[object, ...] = ("out",)) -> Program:
    return Program(("x", "y"), steps, outputs)


def forward(*steps: Step | Guard, outputs: tuple[object, ...] = ("out",)) -> list[str]:
    writer = Writer(program(*steps, outputs=outputs))
    return [*writer.forward(), writer.text(outputs)]


def test_operands_by_themselves_need_no_parentheses() -> None:
    writer = Writer(program(step("a", "add", "x", "y"), step("out", "neg", "a")))
    writer.forward()
    assert (writer.bare("a"), writer.text("a")) == ("x + y", "(x + y)")
    assert (writer.bare(-2.0), writer.text(-2.0), writer.bare(("x", -2.0))) == ("-2.0", "(-2.0)", "[x, -2.0]")


def test_another_name_of_the_same_is_no_statement() -> None:
    steps = [step("a", "identity", "x"), step("b", "exp", "a"), step("out", "mul", "b", "a")]
    assert forward(*steps) == ["[exp(x) * x]"]


def test_what_is_used_once_has_no_name() -> None:
    steps = [step("a", "mul", "x", "y"), step("b", "exp", "a"), step("out", "sub", "b", "a")]
    assert forward(*steps) == ["a = x * y", "[exp(a) - a]"]
    assert forward(*steps, outputs=("out", "out")) == ["a = x * y", "out = exp(a) - a", "[out, out]"]


def test_what_a_text_says_twice_has_a_name() -> None:
    assert forward(step("a", "neg", "x"), step("out", "relu", "a")) == ["a = -x", "[0.0 if a <= 0.0 else a]"]


def test_what_a_fold_says_twice_has_a_name() -> None:
    lines = forward(step("a", "exp", "x"), step("out", "maximum", ("a", "y")))
    assert lines[0] == "a = exp(x)" and lines.count("out = -inf") == 1
    assert forward(step("a", "exp", "x"), step("out", "total", ("a", "y"), 0.0))[0] == "out = 0.0 + exp(x) + y"


def test_lines_stay_short() -> None:
    steps = [step("s0", "tanh", "x"), *(step(f"s{i}", "tanh", f"s{i - 1}") for i in range(1, 60))]
    lines = forward(*steps, step("out", "neg", "s59"))
    assert 2 < len(lines) < 10 and all(len(line) < LONGEST + 20 for line in lines)


def test_what_may_raise_is_computed_though_unused() -> None:
    assert forward(step("a", "log", "x"), step("out", "neg", "y")) == ["log(x)", "[-y]"]


@pytest.mark.parametrize(
    ("left", "right", "text"),
    [("add", "add", "x + y - (y + x)"), ("mul", "mul", "x * y - y * x"), ("sub", "neg", "x - y - -y")],
)
def test_parentheses_keep_the_order_of_roundings(left: str, right: str, text: str) -> None:
    second = step("b", right, "y") if right == "neg" else step("b", right, "y", "x")
    assert forward(step("a", left, "x", "y"), second, step("out", "sub", "a", "b")) == [f"[{text}]"]


def test_negative_numbers_stand_in_parentheses() -> None:
    assert forward(step("out", "pow", "x", -2.0)) == ["[power(x, -2.0)]"]
    assert forward(step("out", "mul", -2.0, "x")) == ["[(-2.0) * x]"]


def test_guards() -> None:
    guards = [Guard("{} < {}", ("x", -1.0), True), Guard("{} < {}", ("a", "y"), False), Guard("int({})", ("x",), -3)]
    lines = Writer(program(step("a", "add", "x", 1.0), *guards, outputs=("x",))).forward("break")
    assert lines == [
        "if not (x < (-1.0)):", "    break", "if x + 1.0 < y:", "    break", "if int(x) != -3:", "    break"
    ]  # fmt: skip


def test_a_guard_that_fails_ends_with_none() -> None:
    guard = Guard("{} < {}", ("x", "y"), True)
    assert Writer(program(guard, outputs=("x",))).forward() == ["if not (x < y):", "    return None"]


def test_sequences() -> None:
    assert forward(step("out", "fsum", ("x", 2.0, "y"))) == ["[fsum([x, 2.0, y])]"]
    assert forward(step("out", "hypot", ("x", -2.0, "y"))) == ["[hypot(x, -2.0, y)]"]
    assert forward(step("out", "mean", ("x", "y"))) == ["[fsum([x, y]) / 2.0]"]
    assert forward(step("out", "prod", ("x", "y"), 3)) == ["[prod([x, y], start=3)]"]


def test_sums_from_left_to_right() -> None:
    assert forward(step("out", "dot", ("x", "y"), (2.0, -1.0), 0.5)) == ["out = 0.5 + x * 2.0 + y * (-1.0)", "[out]"]
    product = Rule("product(xs, b=1)", "b; out * x", "a test", x="1", b="1")
    assert forward(Step("out", product, (("x", "y"), 2.0))) == ["out = 2.0", "out = out * x", "out = out * y", "[out]"]


def test_long_sums_are_cut() -> None:
    terms = [f"a{i}" for i in range(2 * TERMS + 1)]
    lines = summed("s", terms)
    assert len(lines) == 3 and lines[1].startswith("s = s + a40 + ")
    assert [name for line in lines for name in line.split() if name.startswith("a")] == terms
    assert joined(["-a", "-(b * c)", "d"]) == "-a - (b * c) + d"
    assert (
        kept_together(["a if b else c", "d"]) == ["(a if b else c)", "d"]
        and kept_together(["a if b else c"])[0][0] == "a"
    )


def test_dependents_stop_where_the_partial_is_zero() -> None:
    steps = [
        Step("a", DETACH, ("x",)),
        step("b", "step", "x"),
        step("c", "mul", "b", "y"),
        step("d", "fsum", ("x", "b")),
    ]
    assert active_names(program(*steps, Guard("{} < {}", ("x", "y"), True)), ["x"]) == {"x", "d"}


def backward(*steps: Step | Guard) -> tuple[list[str], dict[str, list[str]]]:
    writer = Writer(program(*steps), ["x", "y"])
    writer.forward()
    return writer.backward({"out": ["g"]})


def test_adjoints_are_sums_of_products() -> None:
    lines, terms = backward(step("a", "mul", "x", "y"), step("b", "exp", "a"), step("out", "sub", "b", "a"))
    assert lines == ["d_a = -g + g * b"]
    assert terms == {"x": ["d_a * y"], "y": ["d_a * x"]}


def test_every_adjoint_of_several_terms_has_a_statement() -> None:
    steps = [step("a", "exp", "x"), step("b", "mul", "a", "a"), step("c", "mul", "b", "b"), step("out", "sin", "c")]
    lines, terms = backward(*steps, step("late", "log", "x"))
    assert lines == ["d_c = g * cos(c)", "d_b = d_c * b + d_c * b", "d_a = d_b * a + d_b * a"]
    assert terms == {"x": ["d_a * a"], "y": []}
    lines, _ = backward(step("a", "mul", "x", "y"), step("b", "mul", "a", "a"), step("out", "add", "a", "b"))
    assert lines == ["d_a = g + g * a + g * a"]
    lines, _ = backward(step("a", "exp", "x"), step("b", "mul", "a", "y"), step("out", "add", "a", "b"))
    assert lines == ["d_a = g + g * y"]


def test_sequences_hand_on_to_their_elements() -> None:
    lines, terms = backward(step("out", "dot", ("x", 2.0), ("y", "y"), 1.0))
    assert lines == [] and terms == {"x": ["g * y"], "y": ["g * x", "g * 2.0"]}
    lines, terms = backward(step("out", "maximum", ("x", 1.0, "x")))
    assert lines == ["p_out_xs_0, p_out_xs_1, p_out_xs_2 = scaled(g, ties([x, 1.0, x], out))"]
    assert terms == {"x": ["p_out_xs_0", "p_out_xs_2"], "y": []}


SOFTMAX_STEPS = (
    step("a", "exp", "x"),
    Step("s", SOFTMAX, (("a", -1.0, "y"),)),
    Step("s0", SHARE, ("s", 0)),
    Step("s2", SHARE, ("s", 2)),
)


def test_softmax() -> None:
    assert forward(*SOFTMAX_STEPS, outputs=("s0", "s2")) == [
        "a = exp(x)",
        "s_largest = a",
        "if -1.0 > s_largest:",
        "    s_largest = -1.0",
        "if y > s_largest:",
        "    s_largest = y",
        "s0 = exp(a - s_largest)",
        "s_1 = exp(-1.0 - s_largest)",
        "s2 = exp(y - s_largest)",
        "s_scale = 1.0 / (s0 + s_1 + s2)",
        "s0 *= s_scale",
        "s_1 *= s_scale",
        "s2 *= s_scale",
        "[s0, s2]",
    ]
    many = Step("s", SOFTMAX, (("x",) * (TERMS + 1),))
    lines = forward(many, Step("s0", SHARE, ("s", 0)), outputs=("s0",))
    assert lines[-TERMS - 4 : -TERMS - 2] == [f"s_scale = {joined(['s0', *(f's_{i}' for i in range(1, TERMS))])}",
                                              f"s_scale = 1.0 / (s_scale + s_{TERMS})"]  # fmt: skip


def test_softmax_hands_on_by_one_sum() -> None:
    lines, terms = backward(*SOFTMAX_STEPS, step("out", "mul", "s0", "x"))
    assert lines == ["d_s0 = g * x", "d_s = d_s0 * s0", "d_a = (d_s0 - d_s) * s0"]
    assert terms == {"x": ["g * s0", "d_a * a"], "y": ["-(d_s * s2)"]}
    lines, terms = backward(*SOFTMAX_STEPS[1:], step("out", "sub", "s0", "s2"))
    assert lines == ["d_s2 = -g", "d_s = d_s2 * s2 + g * s0"] and terms["y"] == ["(d_s2 - d_s) * s2"]


def test_what_reaches_no_output_is_left_out() -> None:
    lines, terms = backward(step("a", "log", "x"), Guard("{} < {}", ("x", "y"), True), step("out", "neg", "y"))
    assert lines == [] and terms == {"x": [], "y": ["-g"]}


def test_functions() -> None:
    source = as_function("f", "x", ["return x"])
    assert source == "def f(x):\n    return x\n" and ast.parse(source)
