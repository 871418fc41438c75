"""Each pass by itself: what it leaves out, and what it must not."""

import math

import pytest

from microgrid.compiler.program.form import DETACH, SHARE, SOFTMAX, Guard, Loop, Program, Step, operands
from microgrid.compiler.program.passes import (
    PASSES,
    folded,
    optimised,
    power_by,
    pruned,
    pruned_loop,
    shared,
    with_whole_powers,
)
from microgrid.rules.table import RULES


def step(target: str, name: str, *arguments: object) -> Step:
    return Step(target, RULES[name], arguments)


def program(*steps: Step | Guard, outputs: tuple[object, ...] = ("out",)) -> Program:
    return Program(("x", "y"), steps, outputs)


def names(result: Program) -> list[str]:
    return [item.rule.name for item in result.steps if isinstance(item, Step)]


def test_numbers_are_folded_through_the_program() -> None:
    result = folded(program(step("a", "mul", 2.0, 3.0), step("b", "fsum", ("a", 1.0)), step("out", "add", "x", "b")))
    assert result.steps == (step("out", "add", "x", 7.0),)
    assert folded(program(step("out", "exp", 0.0))).outputs == (1.0,)


def test_identities_and_detached_numbers_are_left_out() -> None:
    detached = Step("b", DETACH, (2.0,))
    kept = Step("c", DETACH, ("y",))
    steps = (step("a", "identity", "x"), detached, kept, step("out", "add", "a", "b"))
    assert folded(program(*steps)).steps == (kept, step("out", "add", "x", 2.0))


def test_what_raises_is_not_folded() -> None:
    raising = step("out", "log", -1.0)
    assert folded(program(raising)).steps == (raising,)
    assert pruned(program(raising, outputs=(1.0,))).steps == (raising,)


def test_softmax_of_numbers_is_not_folded() -> None:
    steps = (Step("s", SOFTMAX, ((1.0, 2.0),)), Step("out", SHARE, ("s", 0)))
    assert folded(program(*steps)).steps == steps


def test_softmax_is_shared_with_its_results() -> None:
    steps = [Step(f"{name}{part}", *made) for name in "ab" for part, made in
             (("", (SOFTMAX, (("x", "y"),))), ("0", (SHARE, (name, 0))), ("1", (SHARE, (name, 1))))]  # fmt: skip
    result = pruned(shared(program(*steps, step("out", "sub", "a0", "b0"))))
    assert names(result) == ["softmax", "share", "sub"] and result.steps[-1] == step("out", "sub", "a0", "a0")


def test_decisions_on_numbers_are_left_out() -> None:
    decided, open_ = Guard("{} < {}", ("a", 3.0), True), Guard("{} < {}", ("x", "a"), True)
    first = step("b", "neg", "x")
    result = folded(program(first, step("a", "mul", 1.0, 2.0), decided, open_, outputs=("x",)))
    assert result.steps == (first, Guard("{} < {}", ("x", 2.0), True))


@pytest.mark.parametrize("exponent", [1, 2, 3, -1, -2, 10])
@pytest.mark.parametrize("x", [1.5, -0.3, 2.0, 0.0])
def test_whole_powers_have_the_bits_of_the_row(exponent: int, x: float) -> None:
    rule = power_by(exponent)
    if x or exponent > 0:
        scope = {"x": x, "y": float(exponent), "step": lambda x: float(x > 0), "where": lambda c, x, y: x if c else y}
        assert eval(rule.forward, {"x": x}) == x**exponent
        assert eval(rule.partials["x"], {"x": x}) == eval(RULES["pow"].partials["x"], scope)
    assert rule.name.isidentifier() and power_by(exponent) is rule


def test_only_constant_whole_powers_are_taken() -> None:
    powers = [step("a", "pow", "x", 3.0), step("b", "pow", "x", 0.5), step("c", "pow", "x", 0.0)]
    powers += [step("d", "pow", 2.0, "x"), step("e", "pow", "x", math.inf), step("f", "pow", "x", 1e300)]
    result = with_whole_powers(program(*powers, Guard("{} < {}", ("a", 1.0), True)))
    assert names(result) == ["pow_3", *["pow"] * 5] and names(with_whole_powers(result)) == names(result)
    assert power_by(-2).name == "pow_minus_2" and power_by(1).name == "pow_1"
    assert [power_by(exponent).partials["x"] for exponent in (1, 2, 3)] == ["1", "2 * x", "3 * x ** 2"]
    assert power_by(3).doc == RULES["pow"].doc


def test_the_largest_exponents_are_left_to_the_row() -> None:
    powers = program(step("a", "pow", "x", 1e15), step("b", "pow", "x", -1e15), step("c", "pow", "x", 1e15 - 1))
    assert names(with_whole_powers(powers)) == ["pow", "pow", "pow_999999999999999"]


def test_the_same_is_done_once() -> None:
    steps = [step("a", "mul", "x", "y"), step("b", "mul", "x", "y"), Guard("{} < {}", ("b", 1.0), True)]
    steps += [step("c", "exp", "b"), step("d", "exp", "a"), step("out", "add", "c", "d")]
    result = shared(program(*steps))
    assert names(result) == ["mul", "exp", "add"]
    assert result.steps[1] == Guard("{} < {}", ("a", 1.0), True) and result.steps[-1] == step("out", "add", "c", "c")
    assert shared(program(*steps[:2], outputs=("b", ("b", "x")))).outputs == ("a", ("a", "x"))


def test_numbers_are_the_same_by_their_bits() -> None:
    steps = [step(f"s{i}", "add", "x", number) for i, number in enumerate([0.0, -0.0, math.nan, math.nan, 1.0, 1.0])]
    assert len(shared(program(*steps, outputs=())).steps) == 4
    sequences = [step("a", "fsum", ("x", "y")), step("b", "fsum", ("y", "x")), step("c", "fsum", ("x", "y"))]
    assert len(shared(program(*sequences, outputs=())).steps) == 2


def test_dead_steps_go_unless_they_can_raise() -> None:
    steps = [
        step("a", "mul", "x", "y"),
        step("b", "add", "a", 1.0),
        step("c", "div", "x", "y"),
        step("out", "neg", "x"),
    ]
    assert names(pruned(program(*steps))) == ["div", "neg"]
    fold = step("a", "dot", ("x",), ("y",), 1.0)
    assert names(pruned(program(fold, step("b", "total", ("a", 1.0), 0.0), steps[3]))) == ["neg"]
    guard = Guard("{} > {}", ("b", 0.0), True)
    assert names(pruned(program(*steps[:2], guard, steps[3]))) == ["mul", "add", "neg"]


def test_all_passes_leave_a_sound_program() -> None:
    result = optimised(program(step("a", "pow", "x", 2.0), step("b", "pow", "x", 2.0), step("out", "sub", "a", "b")))
    assert names(result) == ["pow_2", "sub"] and len(PASSES) == 4
    with pytest.raises(ValueError, match="not known"):
        optimised(program(step("out", "neg", "z")))


# Loops


def loop(*steps: Step | Guard, outputs: tuple[object, ...]) -> Loop:
    """Return a loop over two rows of two numbers, which gives results `m0_0`, `m0_1`, `m1_0`, …."""
    path = Program(("r", "s"), steps, outputs)
    results = tuple((f"m{index}_0", f"m{index}_1") for index in range(len(outputs)))
    return Loop("0", results, (("x", "y"), ("y", "x")), (path,))


def test_passes_reach_into_loops() -> None:
    body = (
        step("a", "mul", "r", "k"),
        step("b", "mul", "r", "k"),
        step("c", "pow", "b", 2.0),
        step("d", "mul", "s", 2.0),
    )
    whole = Program(("x", "y"), (step("k", "add", 1.0, 2.0), loop(*body, outputs=("a", "c"))), ("m1_0", "m1_1"))
    found = optimised(whole)
    (left,) = found.steps
    assert isinstance(left, Loop)
    square = Step("c", power_by(2), ("a",))
    assert left.paths == (Program(("r",), (step("a", "mul", "r", 3.0), square), ("c",)),)
    assert left.columns == (("x", "y"),) and left.targets == (("m1_0", "m1_1"),)
    assert found.outputs == ("m1_0", "m1_1")


def test_what_a_loop_takes_from_outside_stays() -> None:
    whole = Program(
        ("x", "y"), (step("k", "mul", "x", "y"), loop(step("a", "mul", "r", "k"), outputs=("a",))), ("m0_1",)
    )
    assert optimised(whole) == whole._replace(steps=(whole.steps[0], pruned_loop(whole.steps[1], {"m0_1"})))


def test_loops_without_use_are_left_out_if_they_cannot_raise() -> None:
    assert pruned(program(loop(step("a", "exp", "r"), outputs=("a",)), outputs=("x",))).steps != ()
    assert pruned(program(loop(step("a", "mul", "r", "s"), outputs=("a",)), outputs=("x",))).steps == ()
    guard = Guard("{} < {}", ("s", 0.0), True)
    (left,) = pruned(program(loop(step("a", "mul", "r", "s"), guard, outputs=("a",)), outputs=("x",))).steps
    assert left == Loop("0", (), (("y", "x"),), (Program(("s",), (guard,), ()),))


def test_what_changes_nothing_is_left_out() -> None:
    ones = [
        step("a", "mul", "x", 1.0),
        step("b", "mul", 1.0, "a"),
        step("c", "div", "b", 1.0),
        step("d", "pow", "c", 1.0),
    ]
    kept = [
        step("e", "mul", "d", -1.0),
        step("f", "div", 1.0, "e"),
        step("g", "pow", 1.0, "f"),
        step("h", "add", "g", 1.0),
    ]
    result = folded(program(*ones, *kept, outputs=("h", "d")))
    assert names(result) == ["mul", "div", "pow", "add"] and operands(result.steps[0]) == ("x", -1.0)
    assert result.outputs == ("h", "x")
    whole = Program(("x", "whole0"), (step("a", "mul", "whole0", 1.0),), ("a",))  # which makes a float of an integer
    assert folded(whole) == whole
    inside = loop(step("a", "mul", "r", 1.0), outputs=("a",))
    assert folded(program(inside)).steps[0].paths[0] == Program(("r", "s"), (), ("r",))
    assert folded(Program(("x", "y", "whole0"), (inside,), ("m0_0",))).steps == (inside,)


def test_quotients_by_constants_and_magnitudes_cannot_raise() -> None:
    safe = [step("a", "div", "x", 2.0), step("b", "abs", "a"), step("c", "div", "b", -math.inf)]
    risky = [step("d", "div", "x", 0.0), step("e", "div", 1.0, "x"), step("f", "exp", "x")]
    assert names(pruned(program(*safe, *risky, outputs=("x",)))) == ["div", "div", "exp"]
    whole = Program(("x", "whole0"), (step("a", "div", "whole0", 2.0),), ("x",))  # of 10**400, an OverflowError
    assert pruned(whole) == whole
