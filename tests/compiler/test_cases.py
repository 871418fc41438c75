"""Cases: the two forms of generated code, and when it cannot tell."""

import math
import sys
import weakref
from typing import Any

import pytest

from microgrid import Value, grad, jit, vmap
from microgrid.compiler.arguments import Arguments, Results
from microgrid.compiler.cases import GIVEN, NUMBER, RECORDED, VALUE, Case, checked, defined, tape_gradient
from microgrid.compiler.trace.trace import Trace


def case_of(function: Any, *leaves: Any) -> Case:
    trace = Trace([float(getattr(leaf, "data", leaf)) for leaf in leaves], leaves)
    with trace:
        out = function(*trace.inputs)
    results = Results(out)
    return Case(trace, trace.program(results.leaves), results)


def test_kinds() -> None:
    case = case_of(lambda x, y: [x * 2, y * 2, x.detach(), Value(1.0), 2.0, x // 1, y], Value(1.0), 2.0)
    assert case.kinds == [RECORDED, NUMBER, VALUE, VALUE, NUMBER, RECORDED, GIVEN]
    assert case.positions == [0] and case.records and not case.has_loops


def test_plain_numbers_take_the_function() -> None:
    case = case_of(lambda x: x * x if x > 0 else x, 2.0)
    assert case.source == case.forward_source
    assert case.run([3.0]) == [9.0] and case.run([-1.0]) is None
    with pytest.raises(ArithmeticError, match="a result is nan"):
        case_of(lambda x: x - x, 2.0).run([math.inf])


def test_infinities_are_told_from_nan() -> None:
    assert checked(None) is None and checked([]) == []
    assert checked([math.inf, 1.0, -math.inf]) == [math.inf, 1.0, -math.inf]
    for outputs in ([math.nan], [math.inf, math.nan, -math.inf], [math.nan, math.inf]):
        with pytest.raises(ArithmeticError, match="a result is nan"):
            checked(outputs)


def test_values_take_the_tape() -> None:
    case = case_of(lambda x: [x * x if x > 0 else x, 1.0], Value(2.0))
    assert case.source == case.tape_source
    outputs, tape = case.record([3.0])
    assert outputs == [9.0, 1.0]
    assert tape_gradient(tape, [1.0, 5.0]) == [6.0] and tape_gradient(tape, [0.5, 0.0]) == [3.0]
    outputs, _ = case.record([-1.0])
    assert outputs is None


def test_a_tape_that_failed_tells_nothing_more() -> None:
    _, tape = case_of(lambda x: x.sqrt(), Value(1.0)).record([0.0])
    assert tape_gradient(tape, [1.0]) is None and tape_gradient(tape, [0.0]) is None
    _, tape = case_of(lambda x: x * 2, Value(1.0)).record([0.0])
    assert tape_gradient(tape, [math.nan]) is None and tape_gradient(tape, [1.0]) == [2.0]


def test_a_tape_serves_one_thread_at_a_time() -> None:
    tape = None

    def running() -> Any:
        yield []
        yield tape_gradient(tape, [1.0])  # type: ignore[arg-type]

    tape = running()
    next(tape)
    assert tape_gradient(tape, [1.0]) is None


def test_long_adjoints_get_a_name() -> None:
    case = case_of(lambda x: sum(x * float(i) for i in range(2, 60)), Value(1.0))
    assert "    d_input0 = d_input0" in case.source and "yield [d_input0]" in case.source
    _, tape = case.record([1.0])
    assert tape_gradient(tape, [1.0]) == [float(sum(range(2, 60)))]


def test_a_long_adjoint_is_added_up_after_all_others() -> None:
    def function(x: Value) -> Any:
        power = x.exp()
        return sum(x * float(i) for i in range(2, 60)) + (power * power).sin()

    case = case_of(function, Value(1.0))
    assert "    d_input0 = " in case.source and "    d_exp" in case.source
    _, tape = case.record([0.0])
    assert tape_gradient(tape, [1.0]) == pytest.approx([sum(range(2, 60)) + 2 * math.cos(1.0)], rel=1e-15)


def test_generated_functions_are_told_apart_and_freed() -> None:
    one, other = (defined("def f(x):\n    return len([exp(x)])\n", "f") for _ in range(2))
    assert one.__module__.startswith("microgrid.generated.compiled_") and one.__module__ != other.__module__
    assert one.__module__ not in sys.modules
    freed = weakref.ref(one)
    del one
    assert freed() is None


def test_what_gets_nothing_gets_zero() -> None:
    _, tape = case_of(lambda x, y: x * 2 + y // 1, Value(1.0), Value(2.0)).record([1.0, 2.0])
    assert tape_gradient(tape, [3.0]) == [6.0, 0.0]


def test_inputs_of_which_it_matters_whether_they_are_integers() -> None:
    case = case_of(lambda x, n, i: [x, x * 2.0][i] * 0.5 * n, 1.0, 3, 1)
    assert case.wholes == [2] and case.floats == set()
    assert case.numbers_of(Arguments([5.0, 7.5, 0])) == [5.0, 7.5, 0.0, 0]
    case = case_of(lambda x, y, z: [x * y, y + 1, z], 1.0, 3.0, 1.0)
    assert case.wholes == [] and case.floats == {0, 1, 2}
    assert case_of(lambda x, y: x * y * 0.5, Value(1.0), 3).wholes == []


def test_results_without_a_derivative_depend_on_their_arguments_too() -> None:
    functions: list[Any] = [
        lambda x, n: n // 2 + 2.0,
        lambda x, n: vmap(lambda r: r // 2 if r > 1 else r * 1)([n, x])[0],
    ]
    for function in functions:
        for call in (function, jit(function)):
            slope = grad(call)(2.0, Value(3.0))
            assert isinstance(slope, Value) and slope.data == 0.0


def test_results_that_were_given_and_those_that_are_new() -> None:
    w, x = Value(3.0), Value(2.0)
    runs = []

    def function(x: Any, y: Any) -> Any:
        runs.append(None)
        return [w, x, x.detach(), x * w, y]

    jitted = jit(function)
    given, argument, new, product, number = jitted(x, 1.0)
    assert given is w and argument is x and number == 1.0
    product.backward()
    assert (new.data, new.parents) == (2.0, ()) and (product.data, x.grad, w.grad) == (6.0, 3.0, 2.0)
    assert jitted(x, 1.0)[0] is w and len(runs) == 1  # none was made eagerly
    hashed = jit(lambda x: len({x}) * x)
    assert hashed(x).data == 2.0
    assert hashed.cases[0].identifies_inputs and not jitted.cases[0].identifies_inputs
