"""Runs: leaves of their own, nothing left behind, and what errors say."""

import asyncio
import functools
import gc
import math as standard
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from microgrid import (
    LostDerivativeWarning,
    Value,
    derivative,
    detect_anomaly,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    math,
    no_grad,
    stop_gradient,
    taylor,
    value_and_grad,
    vjp,
)
from microgrid.engine import graph, modes
from microgrid.engine.modes import Mode
from microgrid.nn import MLP
from microgrid.transforms.run import Run, as_node, recording_role


def f(x: Any) -> Any:
    return math.sin(x) * x + math.prod([x, x, 2.0]) + math.maximum(x, 1.0)


ONCE: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: value_and_grad(f)(x)[1],
    "vjp": lambda f, x: vjp(f, x)[1](1.0)[0],
    "jvp": lambda f, x: jvp(f, (x,), (1.0,))[1],
    "jacobian": lambda f, x: jacobian(f)(x),
    "jacrev": lambda f, x: jacrev(f)(x),
    "jacfwd": lambda f, x: jacfwd(f)(x),
    "derivative": lambda f, x: derivative(f)(x),
    "taylor": lambda f, x: taylor(f, x, 1)[1],
}
TWICE: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "hessian": lambda f, x: hessian(f)(x),
    "hvp": lambda f, x: hvp(f, (x,), (1.0,))[0],
}
EVERY = {**ONCE, **TWICE}
every_transform = pytest.mark.parametrize("transform", EVERY.values(), ids=EVERY)
once = pytest.mark.parametrize("transform", ONCE.values(), ids=ONCE)
nested = pytest.mark.parametrize("other", ONCE.values(), ids=ONCE)


@once
def test_every_transform_finds_the_same_derivative(transform: Callable[..., Any]) -> None:
    slope = standard.cos(2.0) * 2.0 + standard.sin(2.0) + 8.0 + 1.0
    assert transform(f, 2.0) == pytest.approx(slope, rel=1e-15)
    recorded = transform(f, Value(2.0))
    assert type(recorded) is Value and recorded.data == transform(f, 2.0)


@once
def test_plain_derivatives_make_no_nodes(transform: Callable[..., Any]) -> None:
    made: list[Value] = []
    with Mode(made.append):
        transform(f, 2.0)
    assert sorted(node.op.name for node in made) == ["add", "add", "maximum", "mul", "prod", "sin"]


@once
def test_constants_have_derivatives_of_the_kind_of_the_argument(transform: Callable[..., Any]) -> None:
    for constant in (lambda x: 3.0, lambda x: Value(3.0)):
        assert transform(constant, 2.0) == 0.0 and type(transform(constant, 2.0)) is float
        recorded = transform(constant, Value(2.0))
        assert recorded.data == 0.0 and type(recorded) is Value


def test_what_is_returned_beside_derivatives_is_of_their_kind() -> None:
    def function(x: Any) -> Any:
        return x * x, [x * 3.0, "text"]

    def result(x: Any) -> tuple[Any, Any]:
        (value, aux), _ = value_and_grad(function, has_aux=True)(x)
        return value, aux[0]

    assert result(2.0) == (4.0, 6.0) and [type(number) for number in result(2.0)] == [float, float]
    x = Value(2.0)
    value, beside = result(x)
    (value + beside).backward()
    assert (value.data, beside.data, x.grad) == (4.0, 6.0, 7.0)
    with no_grad():
        assert [(type(node), node.data, node.op) for node in result(x)] == [(Value, 4.0, None), (Value, 6.0, None)]


def test_zeros_are_skipped_where_nothing_is_recorded_and_only_there() -> None:
    for slope in (grad, jacfwd):
        function = [lambda x: math.sqrt(x) * 0.0, lambda x: math.sqrt(x * 0.0)][slope is jacfwd]
        assert slope(function)(0.0) == 0.0
        assert standard.isnan(slope(function)(Value(0.0)).data)
    assert vjp(math.sqrt, Value(0.0))[1](0.0)[0].data == 0.0  # the caller's zero asks for nothing


def test_a_negative_zero_stays_one() -> None:
    assert standard.copysign(1.0, grad(lambda x: x * -0.0)(1.0)) == -1.0


@pytest.mark.parametrize("order", [0, 1, 4])
def test_a_run_expands_to_as_many_terms_as_asked(order: int) -> None:
    for x, kind in ((2.0, float), (Value(2.0), Value)):
        run = Run("taylor", lambda x: [x * x, 3.0], (x,), {}, 0)
        table = run.expand(run.nodes, order, 0, run.records)
        terms = [run.terms(out, table, order) for out in run.outputs]
        assert {type(term) for row in terms for term in row} == {kind}
        numbers = [[getattr(term, "data", term) for term in row] for row in terms]
        assert numbers == [[4.0, 4.0, 1.0, 0.0, 0.0][: order + 1], [3.0, 0.0, 0.0, 0.0, 0.0][: order + 1]]


def test_derivatives_are_recorded_for_a_trace_where_one_is_on() -> None:
    class Trace(Mode):
        traces = True

    with Mode(lambda node: None):
        assert recording_role() == "record"
    with Trace(lambda node: None):
        assert recording_role() == "trace"


def test_a_trace_is_told_what_a_run_returns_and_what_took_part() -> None:
    class Trace(Mode):
        traces = True

        def closed_over(self, outputs: Any, epoch: int) -> list[Value]:
            asked.append([out.data for out in outputs])
            return [weight]

        def detached(self, source: Value) -> Value:
            return source.detach()

        def given(self, node: Value, sources: Any) -> Value:
            returned.append((node.data, sources))
            return node

    returned: list[tuple[float, Any]] = []
    asked: list[list[float]] = []
    x, weight = Value(2.0), Value(3.0)
    with Trace(lambda node: None):
        run = Run("test", lambda x: x * x * weight, (x,), {}, 0)
        run.results(), run.pull([1.0], True), run.push([3.0], True), as_node(5.0)
    assert returned == [(12.0, [x, weight]), (12.0, [x, weight, 1.0]), (36.0, [x, weight])]
    assert asked == [[12.0]]


@once
@nested
def test_every_transform_goes_into_every_other(transform: Callable[..., Any], other: Callable[..., Any]) -> None:
    second = 2 * standard.cos(2.0) - 2.0 * standard.sin(2.0) + 4.0
    assert transform(lambda x: other(f, x), 2.0) == pytest.approx(second, rel=1e-14)


@once
@nested
def test_perturbations_are_not_confused(transform: Callable[..., Any], other: Callable[..., Any]) -> None:
    # d/dx (x · d/dy (x + y)) = 1, and not 2, as it would be if both had the same infinitesimal
    assert transform(lambda x: x * other(lambda y: x + y, 1.0), 1.0) == 1.0
    assert transform(lambda x: x * other(lambda y: x * y, 2.0), 3.0) == 6.0
    assert transform(lambda x: other(lambda y: x * x, 2.0), 3.0) == 0.0
    assert transform(lambda x: x * other(lambda y: other(lambda z: x * y * z, 1.0), 5.0), 3.0) == 6.0


@once
def test_a_closure_that_escapes_keeps_its_own_derivative(transform: Callable[..., Any]) -> None:
    def translated(s: Any) -> Callable[[Any], Any]:
        return lambda g: lambda x: g(x + s)

    # Manzyuk et al., Perturbation confusion in forward automatic differentiation of higher-order functions
    doubly = transform(lambda s: translated(s)(translated(s)(lambda x: x**3))(1.0), 0.0)
    assert doubly == 6.0


@every_transform
def test_no_grad_around_a_transform_does_not_reach_into_it(transform: Callable[..., Any]) -> None:
    expected = transform(f, 2.0)
    with no_grad():
        assert transform(f, 2.0) == expected
        assert (Value(1.0) * 2.0).op is None


@every_transform
def test_what_is_computed_in_no_grad_is_constant(transform: Callable[..., Any]) -> None:
    def with_constant(x: Any) -> Any:
        with no_grad():
            factor = x * x
        return factor * x

    assert transform(with_constant, 3.0) == (0.0 if transform in TWICE.values() else 9.0)


@every_transform
def test_a_transform_in_no_grad_in_a_transform_gives_constants(transform: Callable[..., Any]) -> None:
    def inner(x: Any) -> Any:
        with no_grad():
            value, slope = value_and_grad(lambda y: y * y * x)(x)
            (pushed, aux), _ = value_and_grad(lambda y: (y * x, y * x), has_aux=True)(x)
        return value * 1.0 + slope + pushed + aux + transform(f, x) * 0.0

    assert grad(inner)(3.0) == 0.0


@every_transform
def test_no_gradient_is_read_or_written(transform: Callable[..., Any]) -> None:
    seen: list[Value] = []
    closed, argument = Value(2.0), Value(3.0)
    shared = closed * 5.0
    for node in (closed, argument, shared):
        node.grad = 7.0

    def watched(x: Any) -> Any:
        out = f(x) * shared
        seen.extend([x, out])
        return out

    transform(watched, 3.0)
    transform(watched, argument)
    assert [node.grad for node in (closed, argument, shared)] == [7.0, 7.0, 7.0]
    assert all(node.grad == 0.0 and type(node.grad) is float for node in seen)


@every_transform
def test_nothing_is_left_for_the_garbage_collector(transform: Callable[..., Any]) -> None:
    made: list[weakref.ref[Value]] = []

    def watched(x: Any) -> Any:
        out = f(x)
        made.extend(map(weakref.ref, [x, out]))
        return out

    transform(watched, 2.0)  # derivative roles are built
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for x in (2.0, Value(2.0)):
            made.clear()
            result = transform(watched, x)
            del result
            assert made and all(node() is None for node in made)
        assert gc.collect() == 0
    finally:
        if collecting:
            gc.enable()


class Refused(Exception):
    pass


@every_transform
def test_an_error_in_the_function_leaves_nothing_changed(transform: Callable[..., Any]) -> None:
    def refuse(x: Any) -> Any:
        raise Refused

    collecting = gc.isenabled()
    with pytest.raises(Refused):
        transform(refuse, 2.0)
    with no_grad(), pytest.raises(Refused):
        transform(lambda x: transform(refuse, x), 2.0)
    assert modes._entered.get() == () and not modes.guards and not modes.observers and gc.isenabled() == collecting
    assert float(Value(2.0)) == 2.0 and (Value(1.0) * 2.0).op is not None


@every_transform
def test_a_differentiated_value_does_not_become_a_float_unnoticed(transform: Callable[..., Any]) -> None:
    name = next(name for name in EVERY if EVERY[name] is transform)
    message = rf"^{name}\(<lambda>\): float\(2.0\) would drop the derivative: write `from microgrid import math`"
    with pytest.raises(TypeError, match=message):
        transform(lambda x: standard.sin(x), 2.0)


def test_what_does_not_depend_on_an_input_becomes_a_float() -> None:
    weight = Value(3.0)

    def function(x: Value) -> Value:
        assert f"{x:.1f} {x!r} {x}" == "2.0 Value(data=2.0, grad=0.0) Value(data=2.0, grad=0.0)"
        assert standard.isclose(x.data, 2.0) and int(x) == 2 and round(x) == 2 and x > 1.0
        return x * float(weight * 2.0) * standard.sqrt(float(stop_gradient(x) * 2.0))

    assert grad(function)(2.0) == 12.0
    with pytest.warns(LostDerivativeWarning, match=r"^standard.sqrt\(weight\) drops the derivative"):
        grad(lambda x: x * standard.sqrt(weight))(2.0)


def test_an_inner_value_may_not_become_a_float_in_the_outer_transform() -> None:
    def outer(x: Value) -> Any:
        return grad(lambda y: y * float(x))(1.0)

    with pytest.raises(TypeError, match=r"grad\(outer\): float\(3.0\) would drop"):
        grad(outer)(3.0)


# The argument list


def test_arguments_of_every_kind() -> None:
    def function(x: Any, y: Any, *rest: Any, scale: Any = 1.0) -> Any:
        return x * y * scale + sum(rest)

    assert grad(function)(2.0, 3.0) == 3.0
    assert grad(function, 1)(2.0, 3.0, scale=5.0) == 10.0
    assert grad(function, -1)(2.0, 3.0, 7.0, 8.0) == 1.0
    assert grad(function, (1, -1))(2.0, 3.0, 7.0) == (2.0, 1.0)
    assert grad(function, [-1, 0])(2.0, 3.0) == (2.0, 3.0)
    assert grad(function, ())(2.0, 3.0) == ()
    weight = Value(5.0)
    assert grad(function)(2.0, 3.0, scale=weight) == 15.0 and weight.grad == 0.0
    assert grad(lambda w: grad(function)(2.0, 3.0, scale=w))(5.0) == 3.0


@pytest.mark.parametrize(
    ("argnums", "message"),
    [
        (2, "argnums is 2, but there are 2 positional arguments"),
        ((0, -3), r"argnums is \(0, -3\), but there are 2 positional arguments"),
        ((0, -2), r"argnums is \(0, -2\), which names an argument twice"),
        (0.0, "expected argnums to be an integer or a tuple of them, got 0.0"),
        ("x", "expected argnums to be an integer or a tuple of them, got 'x'"),
        ([0, "y"], r"expected argnums to be an integer or a tuple of them, got \[0, 'y'\]"),
    ],
)
@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, jacrev, jacfwd, hessian])
def test_argnums_that_name_no_argument(transform: Callable[..., Any], argnums: Any, message: str) -> None:
    with pytest.raises(TypeError, match=rf"^{transform.__name__}\(f\): {message}$"):
        transform(f, argnums)(1.0, 2.0)


def test_a_keyword_is_no_positional_argument() -> None:
    with pytest.raises(TypeError, match=r"grad\(f\): argnums is 0, but there are 0 positional arguments"):
        grad(f)(x=1.0)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (functools.partial(math.pow, 2.0), "functools.partial(<function pow at 0x"),
        (math.tanh, "tanh"),
        (lambda x: x, "<lambda>"),
        (MLP(1, [1], rng=0), "MLP of [Layer of [LinearNeuron(1)]]"),
    ],
)
def test_errors_name_what_is_no_function_of_that_name(function: Callable[..., Any], name: str) -> None:
    with pytest.raises(TypeError) as error:
        grad(function)("text")
    assert str(error.value).startswith(f"grad({name}") and "argument 0: expected a number, a Value" in str(error.value)


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian, derivative, taylor, vjp, jvp, hvp])
def test_what_cannot_be_called_is_refused(transform: Callable[..., Any]) -> None:
    given = {taylor: (3.0, 1.0, 1), jvp: (3.0, (1.0,), (1.0,)), hvp: (3.0, (1.0,), (1.0,))}.get(transform, (3.0,))
    with pytest.raises(TypeError, match=rf"^{transform.__name__} expects a function, got float 3.0$"):
        transform(*given)


# Threads and tasks


def test_a_transform_is_local_to_its_thread() -> None:
    entered, checked, found = threading.Event(), threading.Event(), []

    def hold(x: Value) -> Value:
        entered.set()
        checked.wait()
        return x * x

    thread = threading.Thread(target=lambda: found.append(grad(hold)(3.0)))
    thread.start()
    entered.wait()
    try:
        assert type(grad(f)(2.0)) is float and float(Value(2.0) * 3.0) == 6.0
    finally:
        checked.set()
        thread.join()
    assert found == [6.0]


def test_a_transform_is_local_to_its_task() -> None:
    async def slope(x: float) -> Any:
        await asyncio.sleep(0)
        return grad(lambda y: grad(f)(y) * y)(x)

    async def all_slopes() -> list[Any]:
        return list(await asyncio.gather(*map(slope, [1.5, 2.5, 3.5])))

    assert asyncio.run(all_slopes()) == [grad(lambda y: grad(f)(y) * y)(x) for x in (1.5, 2.5, 3.5)]


def test_threads_may_differentiate_at_once() -> None:
    found: dict[float, Any] = {}

    def work(x: float) -> None:
        for _ in range(30):
            found[x] = hessian(lambda p: f(p[0]) * f(p[1]))([x, x + 1.0])

    threads = [threading.Thread(target=work, args=(1.0 + k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for x, matrix in found.items():
        assert matrix == hessian(lambda p: f(p[0]) * f(p[1]))([x, x + 1.0])


# detect_anomaly


def test_detect_anomaly_looks_into_transforms() -> None:
    with detect_anomaly():
        assert grad(f)(2.0) == grad(f)(2.0) and hessian(f)(2.0) == hessian(f)(2.0)
        for transform in EVERY.values():
            with pytest.raises(RuntimeError, match=r"the partial of sqrt\(0.0\) by 0.0 is inf; .*test_run.py"):
                transform(lambda x: math.sqrt(x) * 2.0, 0.0)
        with pytest.raises(RuntimeError, match=r"mul\(inf, 2.0\) gave inf; the node was made at .*test_run.py"):
            grad(lambda x: x * 2.0)(standard.inf)
    assert grad(lambda x: math.sqrt(x))(0.0) == standard.inf


# Size


def test_a_run_does_not_look_at_what_earlier_ones_have_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[int] = []
    inner_nodes = graph.inner_nodes

    def counting(*roots: Value, **options: Any) -> list[Value]:
        order = inner_nodes(*roots, **options)
        walked.append(len(order))
        return order

    monkeypatch.setattr(graph, "inner_nodes", counting)

    def root_of(a: Value) -> Value:
        x = 1.0 + 0.0 * a
        for _ in range(100):
            x = x - 0.25 * grad(lambda step, x=x: (x + step) ** 2 - a * step)(0.0)
        return x

    assert grad(root_of)(2.0) == pytest.approx(0.5, rel=1e-15)
    assert max(walked[:-1]) < 40, "no inner run walks the history of the outer one"


def test_long_chains_and_wide_nests() -> None:
    def chain(x: Any) -> Any:
        for _ in range(3_000):
            x = x * 1.0 + 0.0
        return x

    for transform in ONCE.values():
        assert transform(chain, 3.0) == 1.0
    numbers = [1.0 + k for k in range(10_000)]
    assert grad(lambda xs: math.fsum([x * x for x in xs]))(numbers) == [2 * x for x in numbers]
