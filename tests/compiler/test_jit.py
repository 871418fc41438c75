"""jit: when compiled code serves, when a function is traced again, when it runs eagerly."""

import contextlib
import copy
import gc
import math as standard
import pickle
import sys
import threading
import warnings
import weakref
from array import array
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from microgrid import (
    Value,
    define_rule,
    derivative,
    detect_anomaly,
    grad,
    hessian,
    jacobian,
    jit,
    jvp,
    math,
    no_grad,
    stop_gradient,
    taylor,
    value_and_grad,
    vjp,
    vmap,
)
from microgrid.compiler import jit as jit_module
from microgrid.compiler.jit import Jitted
from microgrid.compiler.program.form import Guard
from microgrid.nn import MLP, Frozen, Module


def cube(x: Any) -> Any:
    return x * x * x


@jit
def decorated(x: Any) -> Any:
    """Return twice `x`."""
    return 2 * x


jitted_cube = jit(cube)


class Point(NamedTuple):
    x: Any
    y: Any


def check_followed(function: Any, *arguments: Any) -> Jitted:
    """Check that a function is compiled at the first call, and that its answers are the eager ones."""
    jitted = jit(function)
    assert repr(jitted(*arguments)) == repr(function(*arguments))
    assert jitted.cases
    return jitted


def check_eager(function: Any, reason: str, *arguments: Any) -> None:
    """Check that a function runs eagerly, and says why once."""
    jitted = jit(function)
    with pytest.warns(RuntimeWarning, match=reason) as caught:
        assert repr(jitted(*arguments)) == repr(function(*arguments))
    assert caught[0].filename == __file__
    assert repr(jitted(*arguments)) == repr(function(*arguments))  # a second warning would be an error
    assert not jitted.cases


# The wrapper


def test_it_looks_like_the_function() -> None:
    assert decorated.__name__ == "decorated" and decorated.__doc__ == "Return twice `x`."
    assert repr(decorated) == "jit(decorated)" and decorated.__wrapped__ is decorated.function
    assert repr(jit(MLP(1, [1]))) == "jit(MLP)"
    with pytest.raises(TypeError, match=r"jit expects a function, got float 2\.0"):
        jit(2.0)  # type: ignore[arg-type]


def test_source_and_cases_are_of_what_was_called() -> None:
    jitted = jit(cube)
    assert jitted.source == "" and jitted.cases == []
    jitted(2.0)
    assert jitted.source == "def forward(numbers):\n    input0, = numbers\n    return [input0 * input0 * input0]\n"
    jitted(Value(2.0))
    assert len(jitted.cases) == 2 and "def tape(numbers):" in jitted.source
    jitted.cache_clear()
    assert jitted.cases == []
    assert jitted(2.0) == 8.0 and len(jitted.cases) == 1


def test_it_pickles_by_name() -> None:
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    assert copy.deepcopy(decorated) is decorated
    assert pickle.loads(pickle.dumps(jitted_cube)).function is cube
    with pytest.raises(TypeError, match=r"jit\(test_.*<lambda>\) cannot be pickled: the function has to be found"):
        pickle.dumps(jit(lambda x: x))
    with pytest.raises(TypeError, match=r"jit\(<nameless>\) cannot be pickled"):
        pickle.dumps(jit(MLP(1, [1])))


def test_methods_are_bound() -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.slope = Value(2.0)

        @jit
        def __call__(self, x: Any) -> Any:
            return self.slope * x

    line = Line()
    line(3.0).backward()
    assert line.slope.grad == 3.0 and isinstance(Line.__call__, Jitted) and len(Line.__call__.cases) == 1


# Arguments


def test_arguments_may_be_nested_and_named() -> None:
    def function(nest: Any, *more: Any, scale: Any = 1.0, mode: str = "sum", flip: bool = False) -> Any:
        total = nest["a"] * nest["b"][0] + nest["b"][1].x * nest["b"][1].y
        total = total + sum(more) * scale
        return -total if flip else total if mode == "sum" else total / 2

    def call(function: Any, **named: Any) -> Any:
        return function({"a": Value(1.0), "b": (2.0, Point(3.0, Value(4.0)))}, 5.0, 6, scale=0.5, **named)

    jitted = jit(function)
    for named in ({}, {"mode": "mean"}, {"flip": True}, {"mode": "mean", "flip": True}, {}):
        assert call(jitted, **named).data == call(function, **named).data
    assert len(jitted.cases) == 4


def test_keys_of_dicts_belong_to_the_case_and_never_to_the_source() -> None:
    hostile = '"]); import os; os._exit(1)\n#'
    long = "x" * 100
    jitted = jit(lambda nest: sum(value * len(str(key)) for key, value in nest.items()))
    assert jitted({hostile: 2.0}) == 2.0 * len(hostile)
    assert jitted({long + "y": 2.0, 1: 3.0}) == 2.0 * 101 + 3.0
    assert jitted({long + "zz": 2.0, True: 3.0}) == 2.0 * 102 + 3.0 * 4
    assert "os" not in jitted.source and "xxx" not in jitted.source


def test_names_and_labels_of_users_do_not_reach_the_source() -> None:
    def function(x: Value) -> Value:
        y = x * 2
        y.label = 'in"); evil('
        return y

    function.__name__ = function.__qualname__ = 'evil\n"'
    jitted = jit(function)
    out = jitted(Value(3.0, label="evil'''"))
    out.backward()
    assert "evil" not in jitted.source
    assert out.op.name == out._op == 'evil\n"' and out._prev == set(out.parents)


def test_generated_code_has_only_the_functions_it_needs() -> None:
    jitted = jit(lambda x: x.tanh() * 2)
    jitted(1.0)
    names = jitted.cases[0]._forward.__globals__
    assert {name for name, item in names.items() if callable(item)} - {"forward"} == {"tanh"}
    assert names["__builtins__"] == {}


def test_an_integer_may_be_an_index() -> None:
    jitted = jit(lambda xs, i: xs[i] * xs[i])
    xs = [Value(1.0), Value(2.0), Value(3.0)]
    assert [jitted(xs, i).data for i in (0, 2, 0, 1)] == [1.0, 9.0, 1.0, 4.0]
    assert len(jitted.cases) == 3
    for wrong in (1.0, Value(1.0)):
        with pytest.raises(TypeError, match="list indices must be integers or slices"):
            jitted(xs, wrong)
    with pytest.raises(IndexError):
        jitted(xs, 3)


def test_integers_count_and_repeat() -> None:
    def power(x: Any, n: int) -> Any:
        out = 1.0
        for _ in range(n):
            out = out * x
        return out

    jitted = jit(power)
    assert [jitted(2.0, n) for n in (3, 0, 3, 5)] == [8.0, 1.0, 8.0, 32.0]
    assert jitted(2.0, True) == 2.0


def test_what_is_computed_of_integers_is_an_index() -> None:
    check_followed(lambda xs, i: xs[2 * i + 1] * 2, [1.0, 2.0], 0)
    check_eager(lambda xs, i: xs[i.bit_length()] * 2, r"reading \.bit_length at ", [1.0, 2.0], 0)


def test_fractions_and_large_integers_run_exactly_without_a_warning() -> None:
    jitted = jit(lambda x, y: x * y)
    x = Value(Fraction(1, 3))
    out = jitted(x, 2)
    out.backward()
    assert out.data == Fraction(2, 3) and x.grad == 2
    assert jitted(Fraction(1, 3), Fraction(3)) == 1 and isinstance(jitted(Fraction(1), Fraction(1)), Fraction)
    assert jitted(2**53 + 1, 1) == 2**53 + 1
    assert not jitted.cases


def test_a_leaf_may_come_in_twice() -> None:
    x = Value(3.0)
    jitted = jit(lambda x, y: x * y * y)
    jitted(x, x).backward()
    assert x.grad == 27.0


def test_modules_are_arguments() -> None:
    def loss(net: Any, x: list[float]) -> Any:
        return net(x) ** 2

    nets = [MLP(2, [3, 1], activation="tanh", rng=seed) for seed in (1, 2)]
    twins = copy.deepcopy(nets)
    jitted = jit(loss)
    for net, twin in zip(nets, twins, strict=True):
        out, same = jitted(net, [0.5, -1.0]), loss(twin, [0.5, -1.0])
        out.backward()
        same.backward()
        assert out.data == same.data
        slopes = [p.grad for p in net.parameters()]
        assert slopes == pytest.approx([p.grad for p in twin.parameters()], rel=1e-14)
    assert len(jitted.cases) == 1
    nets[0].layers[0].neurons[0].nonlin = False  # a setting: part of the key
    twins[0].layers[0].neurons[0].nonlin = False
    assert jitted(nets[0], [0.5, -1.0]).data == loss(twins[0], [0.5, -1.0]).data
    assert len(jitted.cases) == 2


def test_what_is_no_number_runs_eagerly() -> None:
    check_eager(lambda x, y: x, "an argument of type set", 1.0, {1.0})
    check_eager(lambda x, y: x, "an argument of type Odd", 1.0, Odd())


class Odd:
    def backward(self) -> None: ...

    def __repr__(self) -> str:
        return "Odd"


# Leaves that are closed over


def test_closed_over_leaves_are_read_afresh_and_get_gradients() -> None:
    weight = Value(2.0)
    jitted = jit(lambda x: weight * x)
    assert jitted(3.0).data == 6.0
    weight.data = 5.0
    out = jitted(3.0)
    out.backward()
    assert out.data == 15.0 and weight.grad == 3.0 and len(jitted.cases) == 1
    weight.data = Fraction(1, 3)
    assert jitted(3.0).data == 1.0 and jit(lambda: weight * 3)().data == Fraction(1)
    third = jit(lambda: weight / 3)
    weight.data = 1.0
    assert third().data == 1.0 / 3
    weight.data = Fraction(1, 3)
    assert third().data == Fraction(1, 9)


def test_closed_over_results_propagate() -> None:
    x = Value(2.0)
    y = x * x
    jit(lambda z: y * z)(3.0).backward()
    assert x.grad == 12.0


def test_guards_look_at_closed_over_leaves() -> None:
    gate = Value(1.0)
    jitted = jit(lambda x: x if gate > 0 else -x)
    assert jitted(3.0) == 3.0
    gate.data = -1.0
    assert jitted(3.0) == -3.0
    assert len(jitted.cases) == 2


def test_frozen_leaves_stay_without_gradient() -> None:
    net = MLP(1, [1], rng=0)
    net.freeze()
    x = Value(2.0)
    jit(lambda net, x: net([x]))(net, x).backward()
    assert x.grad == net.layers[0].neurons[0].w[0].data
    assert all(isinstance(p, Frozen) and p.grad == 0.0 for p in net.parameters())


# Decisions

DECISIONS = {
    "<": lambda x: x if x < 1 else x * 2,
    "<=": lambda x: x if x <= 1 else x * 2,
    ">": lambda x: x if x > 1 else x * 2,
    ">=": lambda x: x if x >= 1 else x * 2,
    "==": lambda x: x if x == 1 else x * 2,
    "!=": lambda x: x if x != 1 else x * 2,
    "bool": lambda x: x if x - 1 else x * 2,
    "int": lambda x: x * int(x),
    "floor": lambda x: x * standard.floor(x),
    "ceil": lambda x: x * standard.ceil(x),
    "trunc": lambda x: x * standard.trunc(x),
    "round": lambda x: x * round(x),
}


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("kind", [Value, float])
def test_decisions_are_guards(decision: str, kind: Any) -> None:
    function: Any = DECISIONS[decision]
    jitted = jit(function)
    inputs = [0.5, 1.0, 1.6, 0.5, 1.0, -1.6]
    assert [repr(jitted(kind(x))) for x in inputs] == [repr(function(kind(x))) for x in inputs]
    assert 2 <= len(jitted.cases) <= 4


def test_a_function_that_calls_itself_warns_once() -> None:
    @jit
    def falling(x: Any) -> Any:
        return x if x.data < 1 else falling(x - 1) * 2

    with pytest.warns(RuntimeWarning, match="reading .data") as caught:
        assert falling(Value(2.5)).data == 2.0
    assert len(caught) == 1


def test_rounding_to_digits_is_an_operation() -> None:
    jitted = jit(lambda x: round(x, 1))
    assert [jitted(x) for x in (0.12, 0.56)] == [0.1, 0.6] and len(jitted.cases) == 1


def test_too_many_paths_run_eagerly() -> None:
    jitted = jit(lambda x: x * int(x))
    for x in range(jit_module.MOST_CASES):
        assert jitted(float(x)) == x * x
    with pytest.warns(RuntimeWarning, match="it took 32 paths already"):
        assert jitted(100.0) == 10_000.0
    assert jitted(200.0) == 40_000.0


def test_shapes_that_are_not_used_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit_module, "MOST_SHAPES", 3)
    jitted = jit(lambda xs: sum(xs))
    for count in range(1, 6):
        assert jitted([1.0] * count) == count
    assert [len(case.program.inputs) for case in jitted.cases] == [3, 4, 5]


def test_too_large_a_graph_runs_eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microgrid.compiler.trace.trace.MOST_STEPS", 3)
    check_eager(lambda x: x * x * x * x * x, "4 operations are too many to compile; compile a part", 2.0)


# What cannot be followed


def handwritten(x: Value) -> Value:
    out = Value(x.data * 2, (x,), "twice")
    out._backward = lambda: None
    return out


def assigning(x: Value) -> Value:
    y = Value(1.0)
    y.data = 2.0
    return x * y


def assigning_grad(x: Value) -> Value:
    x.grad = 0.0
    return x * x


def backwards(x: Value) -> Any:
    y = x * x
    y.backward()
    return y.detach()


WEIGHT = Value(3.0)


def logarithm(x: Any) -> Any:
    try:
        return math.log(x)
    except ValueError:
        return 0 * x


def quotient(x: Any, y: Any) -> Any:
    try:
        return x / y
    except ZeroDivisionError:
        return x


UNFOLLOWED = {
    "reading .data": lambda x: x * x.data,
    "reading .grad": lambda x: x * (WEIGHT.grad + 1.0),
    "assigning .data": assigning,
    "assigning .grad": assigning_grad,
    "float": lambda x: x * float(x),
    "format": lambda x: x * len(f"{x:.3f}"),
    "repr": lambda x: x * len(str(x)),
    "copy": lambda x: x * copy.copy(x),
    "deepcopy": lambda x: x * copy.deepcopy(x),
    "reduce": lambda x: x * pickle.loads(pickle.dumps(x)),
    "backward": backwards,
    "zero_grad": lambda x: [x * x, x.zero_grad()][0],
    "a fraction": lambda x: x * float(Value(Fraction(1, 2)) == 0.5),
    "an error in log": lambda x: logarithm(-x),
    "an error in div": lambda x: quotient(x, 0 * x),
}


@pytest.mark.parametrize("what", UNFOLLOWED)
def test_what_cannot_be_followed_runs_eagerly_and_names_the_line(what: str) -> None:
    function: Any = UNFOLLOWED[what]
    if "copy" in what:  # called by the module `copy`
        check_eager(function, rf"{what}.* at .*copy.py:\d+", Value(2.0))
    else:
        line = function.__code__.co_filename
        check_eager(function, rf"{what}.* at {line}:\d+", Value(2.0))


def test_errors_that_a_function_catches_are_met_eagerly() -> None:
    compiled = jit(logarithm)
    assert [compiled(x) for x in (1.0, -1.0, standard.e)] == [0.0, 0.0, 1.0]
    assert compiled.cases


def test_operations_by_hand_run_eagerly() -> None:
    check_eager(handwritten, "reading .data at|a hand-written operation", Value(2.0))
    check_eager(lambda x: x * Value(1.0, (x,), "made"), "a hand-written operation at", Value(2.0))


def test_constants_that_are_no_floats_run_eagerly() -> None:
    check_eager(lambda x: x if x > Fraction(1, 2) else -x, "the constant .* of type Fraction", Value(2.0))
    check_eager(lambda x: x if x < 10**400 else -x, "the constant an integer of 1329 bits of type int", Value(2.0))


def test_the_standard_math_runs_eagerly_on_floats() -> None:
    check_eager(lambda x: standard.sin(x), r"standard\.sin\(x\) at .* drops the derivative: write", 2.0)


def test_a_function_that_changes_its_arguments_runs_eagerly() -> None:
    def last(xs: list[Any]) -> Any:
        return xs.pop() * 2

    jitted = jit(last)
    xs = [Value(1.0), Value(2.0)]
    with pytest.warns(RuntimeWarning, match="it changes its arguments"):
        assert jitted(xs).data == 4.0
    assert len(xs) == 1


def test_results_that_are_no_numbers_run_eagerly() -> None:
    jitted = jit(lambda x: (x * i for i in range(3)))
    with pytest.warns(RuntimeWarning, match="it returns something of type generator"):
        assert list(jitted(2.0)) == [0.0, 2.0, 4.0]
    net = MLP(1, [1])
    with pytest.warns(RuntimeWarning, match="it returns something of type MLP"):
        assert jit(lambda x: net)(2.0) is net

    def counting(x: Any) -> Iterator[Any]:
        yield x

    with pytest.warns(RuntimeWarning, match="generator"):
        assert list(jit(counting)(2.0)) == [2.0]


def test_errors_are_the_eager_ones() -> None:
    def function(x: Any) -> Any:
        return math.log(x) / (x - 1)

    jitted = jit(function)
    assert jitted(2.0) == function(2.0)
    for wrong, error in ((-1.0, ValueError), (1.0, ZeroDivisionError)):
        for kind in (Value, float):
            with pytest.raises(error) as eager:
                function(kind(wrong))
            with pytest.raises(error) as compiled:
                jitted(kind(wrong))
            assert str(compiled.value) == str(eager.value)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        jitted()
    assert jitted(3.0) == function(3.0)
    with pytest.raises(OverflowError, match=r"pow\(1e\+200, 2.0\)"):
        jit(lambda x: x**2)(Value(1e200))


def test_nan_and_inf_are_left_to_the_eager_function() -> None:
    jitted = jit(lambda x, y: x * y - x)
    assert standard.isnan(jitted(standard.inf, 1.0)) and jitted(1e200, 1e200) == standard.inf
    assert standard.isnan(jitted(standard.nan, 1.0))
    x = Value(0.0)
    y = jit(lambda x: x.sqrt() * 0.0)(x)  # eagerly, a zero adjoint hands nothing on
    y.backward()
    assert x.grad == 0.0
    y.backward()
    assert x.grad == 0.0


# Results


def test_results_are_what_they_are_eagerly() -> None:
    def function(x: Any, y: Any) -> Any:
        same = x if isinstance(x, Value) else Value(1.0)
        return {"x": x, "y": y, "three": 3, "list": [x * y, same.detach()], "half": Value(0.5), "text": "a", "no": None,
                "bool": x > 0, "point": Point(y, x + 1)}  # fmt: skip

    for x in (Value(2.0), 2.0):
        jitted = jit(function)
        for _ in range(2):
            out, same = jitted(x, 3.0), function(x, 3.0)
            out["list"].pop(), same["list"].pop()
            assert repr(out) == repr(same) and type(out["point"]) is Point


def test_several_results_share_one_call() -> None:
    x, y = Value(2.0), Value(3.0)
    jitted = jit(lambda x, y: [x * y, x + y, x.detach(), y])
    product, total, detached, same = jitted(x, y)
    assert product.parents == total.parents and product.constants == (0,) and detached.parents == ()
    (product * total + same).backward()
    assert (x.grad, y.grad) == (21.0, 17.0)  # 2xy + y², x² + 2xy + 1
    (call,) = product.parents
    assert call.grad == 0.0 and call.constants == () and repr(call.op) == "<lambda>"


def test_results_that_depend_on_nothing() -> None:
    assert jit(lambda: 2.5)() == 2.5
    assert jit(lambda x: None)(1.0) is None
    assert jit(lambda x: [])(Value(1.0)) == []
    out = jit(lambda x: Value(3.0) * 2)(1.0)
    assert isinstance(out, Value) and out.data == 6.0 and out.parents == ()


def test_backward_may_be_repeated_and_accumulates() -> None:
    x = Value(2.0)
    out = jit(cube)(x)
    out.backward()
    out.backward()
    assert x.grad == 24.0


# Modes


@pytest.mark.parametrize("kind", [list, lambda xs: array("d", xs)])
def test_arrays_are_compiled_as_lists(kind: Any) -> None:
    def function(xs: Any) -> Any:
        return sum(x * x for x in xs) * xs[0]

    for transform in (grad, hessian, value_and_grad):
        jitted = check_followed(transform(function), kind([1.0, 2.0]))
        assert jitted(kind([0.5, 3.0])) == transform(function)([0.5, 3.0]) and len(jitted.cases) == 1


def test_transforms_of_what_stands_behind_a_node_or_takes_no_part() -> None:
    w = Value(2.0)
    node = w * 1.0
    for function in (grad(lambda x: node * x), grad(lambda x: w), jacobian(lambda x: [x, w + 0 * x])):
        jitted = jit(function)
        assert repr(jitted(3.0)) == repr(function(3.0)) and not jitted._eager
    inner = jit(lambda x: grad(lambda y: Value(2.0) * y)(x))
    assert type(inner(3.0)) is float


def test_under_no_grad_numbers_of_transforms_are_plain() -> None:
    w, v = Value(2.0), Value(3.0)

    def function(x: Any) -> Any:
        return value_and_grad(lambda t: w * t * t)(x), w * x, [grad(lambda t: w * t if t > 1 else t)(x) * 2]

    jitted = jit(function)
    for argument in (3.0, 0.5, v, 3.0, 0.5):
        assert repr(jitted(argument)) == repr(function(argument))
        with no_grad():
            assert repr(jitted(argument)) == repr(function(argument))
    assert isinstance(jitted(3.0)[0][1], Value) and not jitted._eager
    plain = jit(lambda x: w * x)
    with no_grad():
        plain(3.0)
    plain(3.0)
    assert len(plain.cases) == 1


def test_decimals_have_their_own_arithmetic_and_are_floats_in_data() -> None:
    third, of_list = jit(lambda x: x / 3), jit(lambda xs: xs[0] / 3)
    assert repr(third(Decimal(1))) == repr(third(x=Decimal(1))) == repr(Decimal(1) / 3)
    assert not third.cases
    assert [of_list([Decimal(1)]), of_list((1.5,))] == [1 / 3, 0.5] and len(of_list.cases) == 2
    assert third(1.0) == 1 / 3 and third.cases


def test_no_grad_around_and_inside() -> None:
    jitted = jit(lambda x: [x * 2, x * x])
    x = Value(3.0)
    with no_grad():
        out = jitted(x)
    assert [type(result) for result in out] == [Value, Value] and [result.parents for result in out] == [(), ()]
    (jitted(x)[1]).backward()
    assert x.grad == 6.0

    def half(x: Any) -> Any:
        with no_grad():
            y = x * x
        return y * x

    z = Value(3.0)
    out = jit(half)(z)
    out.backward()
    assert out.data == 27.0 and z.grad == 9.0


def test_detach_and_stop_gradient_inside() -> None:
    for stop in (Value.detach, stop_gradient):
        x = Value(3.0)
        jit(lambda x, stop=stop: x * stop(x))(x).backward()
        assert x.grad == 3.0


def test_detect_anomaly_sees_every_operation() -> None:
    jitted = jit(lambda x: (x * 1e200) * 1e200)
    jitted(1.0)
    with detect_anomaly(), pytest.raises(RuntimeError, match="mul"):
        jitted(Value(1.0))


def test_create_graph_goes_through() -> None:
    x, weight = Value(2.0), Value(3.0)
    out = jit(lambda x: [weight * x**3, x * x])(x)
    (out[0] + out[1]).backward(create_graph=True)
    slope = x.grad
    assert slope.data == 40.0  # 3wx² + 2x
    x.zero_grad()
    weight.zero_grad()
    slope.backward()
    assert x.grad == 38.0 and weight.grad == 12.0  # 6wx + 2, 3x²
    x.zero_grad()


# Transforms

EXPECTED = 2.0 * 3.0**4  # of x⁴ · 2 at 3


@pytest.mark.parametrize("kind", ["inside", "outside"])
def test_transforms(kind: str) -> None:
    def compose(transform: Any) -> Any:
        if kind == "inside":
            return jit(transform(lambda x: 2 * x**4))
        return transform(jit(lambda x: 2 * x**4))

    assert compose(grad)(3.0) == 216.0
    assert compose(value_and_grad)(3.0) == (EXPECTED, 216.0)
    assert compose(lambda f: grad(grad(f)))(3.0) == 216.0
    assert compose(lambda f: derivative(f, 3))(3.0) == 144.0
    assert compose(lambda f: lambda x: taylor(f, x, 3))(3.0) == [162.0, 216.0, 108.0, 24.0]
    assert compose(lambda f: lambda x: jvp(f, (x,), (2.0,)))(3.0) == (EXPECTED, 432.0)
    assert compose(lambda f: lambda x: vjp(f, x)[1](2.0))(3.0) == (432.0,)


@pytest.mark.parametrize("kind", ["inside", "outside"])
def test_transforms_of_several_results(kind: str) -> None:
    def function(v: Any) -> Any:
        return [v[0] ** 2 * v[1], math.exp(v[1]), v[1]]

    def compose(transform: Any) -> Any:
        return jit(transform(function)) if kind == "inside" else transform(jit(function))

    at = [3.0, 0.0]
    assert compose(lambda f: lambda v: jvp(f, (v,), ([1.0, 2.0],)))(at) == ([0.0, 1.0, 0.0], [18.0, 2.0, 2.0])
    assert compose(lambda f: lambda v: vjp(f, v)[1]([1.0, 2.0, 3.0]))(at) == ([0.0, 14.0],)
    assert compose(lambda f: hessian(lambda v: f(v)[0] + f(v)[1]))(at) == [[0.0, 6.0], [6.0, 1.0]]
    assert compose(lambda f: lambda x: taylor(lambda x: f([x, x]), x, 2))(1.0)[2][0] == 3.0


WEIGHT = Value(3.0)
TRANSFORMED = [
    grad(cube),
    grad(grad(cube)),
    grad(lambda x: 3 * x),  # a derivative that does not depend on the point
    grad(lambda x: x * WEIGHT),
    value_and_grad(cube),
    hessian(cube),
    lambda x: jvp(cube, (x,), (1.0,)),
    lambda x: vjp(cube, x)[1](2.0),
    lambda x: taylor(cube, x, 4),
    lambda x: jacobian(lambda p: [p[0] * p[1], 2.0])([x, 1.0]),
    lambda x: grad(cube)(x * 2),
    lambda x: grad(cube)(2.0) * x,
    lambda x: grad(cube)(x) * WEIGHT,
    lambda x: grad(lambda y: cube(y) * x)(1.0),
    lambda x: grad(lambda y: grad(lambda z: z * y * x)(1.0))(2.0),
]


@pytest.mark.parametrize("function", TRANSFORMED)
def test_transforms_within_give_numbers_where_they_do_eagerly(function: Any) -> None:
    compiled = jit(function)
    for x in (2.0, Value(2.0)):
        for _ in range(2):
            assert repr(compiled(x)) == repr(function(x))
    assert compiled.cases


def test_transforms_of_compiled_functions_by_values() -> None:
    x = Value(2.0)
    slope = grad(jit(lambda x: x**3))(x)
    slope.backward()
    assert slope.data == 12.0 and x.grad == 12.0
    assert taylor(jit(lambda x: x**3), x, 2)[1].data == 12.0
    assert grad(lambda x: taylor(jit(lambda y: y**3), x, 1)[1])(2.0) == 12.0
    assert jvp(grad(jit(lambda x: x**3)), (2.0,), (1.0,)) == (12.0, 12.0)


@pytest.mark.parametrize(
    "function", [math.maximum, math.minimum, math.hypot, math.atan2, lambda x, y: math.logsumexp([x, y])]
)
def test_derivatives_of_choices_are_traced_without_guards(function: Any) -> None:
    slope = grad(function, argnums=(0, 1))
    jitted = jit(slope)
    for point in ((0.5, 2.0), (2.0, 0.5), (2.0, 2.0)):
        assert jitted(*point) == pytest.approx(slope(*point), rel=1e-15)
    (case,) = jitted.cases
    assert not any(isinstance(step, Guard) for step in case.program.steps)


def test_the_builtin_sum_is_compensated_for_plain_floats_alone() -> None:
    xs = [0.1] * 10
    assert sum(xs) == (1.0 if sys.version_info >= (3, 12) else 0.9999999999999999)
    assert jit(sum)(xs) == sum(map(Value, xs)).data == 0.9999999999999999
    assert jit(math.fsum)(xs) == math.fsum(xs) == 1.0


def test_compiled_functions_are_inlined_in_one_another() -> None:
    inner = jit(lambda x: x * 2)
    outer = jit(lambda x: inner(x) + 1)
    assert outer(3.0) == 7.0 and not inner.cases and "input0 * 2.0" in outer.source


# Graphs with calls


def test_a_call_keeps_what_it_was_given() -> None:
    rows = [Value(1.0), Value(2.0)]
    first = rows[0]
    out = jit(lambda rows: rows[0] ** 3 * rows[1])(rows)
    rows.clear()
    out.backward(create_graph=True)
    assert first.grad.data == 6.0
    first.zero_grad()


def test_backward_in_no_grad_and_past_an_error() -> None:
    x = Value(0.0)
    out = jit(lambda x: x.sqrt())(x)  # 1 / 0 in the reverse pass
    with no_grad():
        out.backward()
    assert x.grad == standard.inf
    out.backward()
    assert x.grad == standard.inf


# Memory and threads


def test_everything_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        weight = Value(1.0)
        jitted = jit(lambda x: (weight * x).tanh())
        x = Value(0.5)
        out = jitted(x)
        out.backward()
        case = weakref.ref(jitted.cases[0])
        generated = weakref.ref(jitted.cases[0]._tape)
        call, leaf = weakref.ref(out), weakref.ref(x)
        del out, x
        assert call() is None and leaf() is None
        del jitted
        assert case() is None and generated() is None
    finally:
        gc.enable()


def test_the_graph_of_a_trace_is_not_kept() -> None:
    made: list[Any] = []

    def function(x: Any) -> Any:
        y = x * x
        made.append(weakref.ref(y))
        return y * 2

    gc.collect()
    gc.disable()
    try:
        jitted = jit(function)
        jitted(Value(1.0))
        assert len(made) == 1 and made[0]() is None and jitted.cases
    finally:
        gc.enable()


def test_the_arguments_of_a_traced_call_are_not_kept() -> None:
    jitted = jit(lambda x: x * 2)
    x = Value(1.0)
    jitted(x)
    ref = weakref.ref(x)
    del x
    assert ref() is None


def test_value_is_as_before_after_an_error() -> None:
    before = dict(vars(Value))

    def failing(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        jit(failing)(1.0)
    with pytest.raises(KeyboardInterrupt):
        jit(interrupted)(1.0)
    assert dict(vars(Value)) == before


def interrupted(x: Any) -> Any:
    raise KeyboardInterrupt


def test_threads_trace_and_compute_at_once() -> None:
    before = dict(vars(Value))
    problems: list[Any] = []
    stop = threading.Event()

    def tracing(seed: int) -> None:
        for turn in range(60):
            x = Value(float(seed + turn))
            out = jit(lambda x: x * x + 1 if x > 0 else x)(x)
            out.backward()
            if (out.data, x.grad) != (x.data * x.data + 1, 2 * x.data):
                problems.append((seed, turn, out, x))
        stop.set()

    def plain() -> None:
        while not stop.is_set():
            x = Value(2.0)
            y = Value(x.data * float(x)) + round(x) + x.detach()
            if y.data != 8.0 or not x > 1 or int(x) != 2 or repr(x) != "Value(data=2.0, grad=0.0)":
                problems.append(y)
            with contextlib.suppress(TypeError):
                problems.append([1, 2, 3][x])  # type: ignore[call-overload]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=tracing, args=(seed,)) for seed in (1, 1000)]
        threads.append(threading.Thread(target=plain))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not problems
    assert dict(vars(Value)) == before


# Size


@pytest.mark.parametrize(
    "one", [lambda x: x + 0.001, lambda x: -x, lambda x: math.tanh(x), lambda x: x if x < 9 else 0]
)
def test_a_deep_graph_compiles(one: Any) -> None:
    def chain(x: Any) -> Any:
        for _ in range(20_000):
            x = one(x)
        return x

    x, twin = Value(0.5), Value(0.5)
    out, same = jit(chain)(x), chain(twin)
    out.backward()
    same.backward()
    assert out.data == same.data and x.grad == twin.grad


def test_a_wide_graph_compiles() -> None:
    xs = [Value(float(i)) for i in range(3000)]
    jit(lambda xs: sum(x * x for x in xs) + math.fsum(xs) * xs[0] + math.dot(xs, xs))(xs).backward()
    assert xs[7].grad == 28.0


def test_the_lines_of_source_grow_linearly() -> None:
    def counts(size: int) -> int:
        jitted = jit(lambda x: [x := math.softmax([x, x * i, 1.0])[0] for i in range(size)])
        jitted(Value(1.0))
        return len(jitted.source)

    assert counts(200) < 2.3 * counts(100)


# Rules that are defined again


@pytest.mark.usefixtures("rules_restored")
@pytest.mark.parametrize("power", [2, 3])
def test_it_compiles_again_where_a_rule_was_defined_again(power: int) -> None:
    forms: list[dict[str, Any]] = [
        {"forward": f"fsum([x ** {power} for x in xs])", "xs": f"[{power} * d ** {power - 1} for d in xs]"},
        {"forward": lambda xs: sum(x**power for x in xs), "x": lambda x, out: power * x ** (power - 1)},
    ]
    own = define_rule("own(xs)", "fsum([-x for x in xs])", xs="[-1 for d in xs]")
    doubled = define_rule("doubled(x)", "own([x, x])", x="2 * own([1])")
    jitted = jit(lambda x: own([x, 3.0]) + doubled(x))
    assert jitted(2.0) == -9.0
    for form in forms:
        x = Value(2.0)
        define_rule("own(xs)", **form)
        y = jitted(x)
        y.backward()
        expected = 3 * 2**power + 3**power
        assert (jitted(2.0), y.data, x.grad) == (expected, expected, power * 2 ** (power - 1) + 2)
        assert len(jitted.cases) == 2


@pytest.mark.usefixtures("rules_restored")
def test_what_could_not_be_compiled_is_tried_again() -> None:
    own = define_rule("own(x)", "x * x", x="2 * x")
    jitted = jit(lambda x: own(x) if own(x) < 9 else float(own(x)))
    with pytest.warns(RuntimeWarning, match="runs eagerly"):
        assert jitted(3.0) == 9.0
    define_rule("own(x)", "2 * x", x="2")
    assert jitted(3.0) == 6.0 and len(jitted.cases) == 1


@pytest.mark.usefixtures("rules_restored")
def test_a_case_whose_rule_was_defined_again_meanwhile_serves_no_other_call() -> None:
    own = define_rule("own(x)", "2 * x", x="2")
    pending = ["3", "4"]

    @jit
    def function(x: Any) -> Any:
        out = own(x)
        if pending:
            factor = pending.pop(0)
            define_rule("own(x)", f"{factor} * x", x=factor)
        return out

    assert [function(1.0) for _ in range(4)] == [2.0, 3.0, 4.0, 4.0] and len(function.cases) == 1


def test_what_is_returned_as_it_came_is_the_very_same() -> None:
    x, leaf, inner = Value(2.0), Value(3.0), Value(1.0) * 2
    number = 7.5
    jitted = jit(lambda x, y, n: [x * leaf, {"x": x, "leaf": leaf}, y, n])
    for _ in range(2):
        out, same, kept, whole = jitted(x, number, 3)
        assert same["x"] is x and same["leaf"] is leaf and kept is number and type(whole) is int
        assert out.data == 6.0 and jit(lambda v: v)(inner) is inner
        with no_grad():
            assert jitted(x, number, 3)[1]["x"] is x and jit(lambda: leaf)() is leaf


def test_a_value_that_is_given_twice_is_one() -> None:
    x, y = Value(2.0), Value(2.0)
    jitted = jit(lambda a, b: (len({a, b}) + (10.0 if a is b else 0.0)) * a * b)
    for pair, factor in (((x, y), 2.0), ((x, x), 11.0), ((y, x), 2.0), ((y, y), 11.0)):
        x.zero_grad(), y.zero_grad()
        out = jitted(*pair)
        out.backward()
        assert out.data == factor * 4.0 and x.grad + y.grad == factor * 4.0
    assert len(jitted.cases) == 2
    assert jit(lambda nest: len({*nest["a"]}))({"a": [x, y, x, 1.0, 1.0]}) == 3


def test_what_rows_return_as_it_came_is_the_very_same() -> None:
    x, leaf = Value(2.0), Value(3.0)
    jitted = jit(vmap(lambda v: (v, leaf)))
    for _ in range(2):
        ((first, same), (second, _)) = jitted([x, 4.0])
        assert first is x and same is leaf and second == 4.0
        with no_grad():
            assert jitted([x, 4.0])[0][0] is x
