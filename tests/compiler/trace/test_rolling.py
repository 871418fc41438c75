"""Rolling by itself: patterns of rows, guards that tell paths apart, and the paths of two programs in one."""

from typing import Any

import pytest

from microgrid import Value
from microgrid.compiler.program.form import MOST_PATHS, Guard, Loop, Program, Step
from microgrid.compiler.trace.rolling import OPERAND, are_told_apart, as_bits, parted, with_operands, with_paths_of
from microgrid.rules.table import RULES


def guard(outcome: Any, operand: Any = "r") -> Guard:
    return Guard("{} < {}", (operand, 0.0), outcome)


def path(*steps: Step | Guard, output: Any = "r") -> Program:
    return Program(("r",), steps, (output,))


DOUBLE = Step("a", RULES["mul"], ("r", 2.0))


def test_patterns_hold_what_a_row_made() -> None:
    steps = (Step("a", RULES["dot"], (("x", 2.0), ("y", "x"), 0.0)), Step("b", RULES["neg"], ("a",)), guard(True, "b"))
    pattern, operands = parted(steps, ("a", "x", 1.0))
    assert operands == ["x", 2.0, "y", "x", 0.0, 0.0, "x", 1.0]
    assert pattern[0][0].arguments == ((OPERAND, OPERAND), (OPERAND, OPERAND), OPERAND)
    assert pattern[0][1] == steps[1] and pattern[1] == ("a", OPERAND, OPERAND)
    assert with_operands(pattern, iter(operands)) == (steps, ("a", "x", 1.0))


def test_operands_are_the_same_by_their_bits() -> None:
    assert as_bits(("x", 0.0)) != as_bits(("x", -0.0)) and as_bits((float("nan"),)) == as_bits((float("nan"),))
    assert as_bits((1,)) != as_bits((1.0,))


def test_guards_tell_paths_apart() -> None:
    one, other = path(guard(True), DOUBLE, output="a"), path(guard(False))
    assert are_told_apart([one]) and are_told_apart([one, other])
    assert not are_told_apart([one, one._replace(outputs=("r",))])
    assert not are_told_apart([one, path(DOUBLE, output="a")])
    assert not are_told_apart([one, path(guard(False, "x"))])
    assert not are_told_apart([one, other, path(guard(False), DOUBLE)])


def looped(*paths: Program, shape: Any = "shape", factor: Any = 3.0) -> Program:
    loop = Loop("0", (("m_0", "m_1"),), (("input0", "input1"),), paths, shape)
    return Program(("input0", "input1", "leaf0"), (loop, Step("b", RULES["mul"], ("m_0", factor))), ("b",))


def test_two_programs_become_one() -> None:
    one, other = looped(path(guard(True), output="leaf0")), looped(path(guard(False), output="leaf0"))
    w, v = Value(1.0), Value(2.0)
    program, externals = with_paths_of(one, [w], other, [v]) or (None, [])
    assert program is not None and externals == [w, v] and externals[0] is w
    assert program.inputs == ("input0", "input1", "leaf0", "leaf1")
    assert program.steps[0].paths == (path(guard(False), output="leaf1"), path(guard(True), output="leaf0"))  # type: ignore[union-attr]
    program, externals = with_paths_of(one, [w], other, [w]) or (None, [])
    assert program is not None and externals == [w] and len(program.steps[0].paths) == 2  # type: ignore[union-attr]
    program, _ = with_paths_of(program, [w], one, [w]) or (None, [])
    assert program is not None and len(program.steps[0].paths) == 2, "a known path is not added"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "other",
    [
        looped(path(guard(False)), factor=-0.0),
        looped(path(guard(False)), shape="other"),
        looped(path(guard(False)), shape=None),
        looped(path(guard(True), DOUBLE)),
        looped(path(guard(False)))._replace(outputs=("m_0",)),
    ],
)
def test_other_programs_stay_apart(other: Program) -> None:
    one = looped(path(guard(True)), factor=0.0 if other.steps[1].arguments[1] == 0 else 3.0)  # type: ignore[union-attr]
    assert with_paths_of(one, [Value(1.0)], other, [Value(1.0)]) is None


def test_the_number_of_paths_is_bounded() -> None:
    first, *others = [path(Guard("int({})", ("r",), place)) for place in range(MOST_PATHS + 1)]
    assert with_paths_of(looped(first), [Value(1.0)], looped(*others), [Value(1.0)]) is None
    assert with_paths_of(looped(first), [Value(1.0)], looped(*others[1:]), [Value(1.0)]) is not None
