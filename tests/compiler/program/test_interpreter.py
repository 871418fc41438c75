"""Programs done on nodes: the bits and the graph of an eager run, whatever has changed since the program was made."""

import copy
from typing import Any

import pytest
from hypothesis import given

from microgrid import Value, grad, graph, hessian, jit, math, stop_gradient, taylor, vmap
from tests.compiler.programs import Line, bits, function_of, lines, numbers


@given(lines(), numbers, numbers)
def test_random_programs_on_nodes_are_the_eager_runs(program: list[Line], x: float, y: float) -> None:
    function = function_of(program)
    try:
        eager = function(Value(x), Value(y))
        call = jit(function)(Value(x), Value(y))
    except (ArithmeticError, ValueError, OverflowError):
        return
    if isinstance(eager, Value):
        assert bits(copy.deepcopy(call)) == bits(eager)


def test_what_a_function_closes_over_is_not_read_again() -> None:
    x, total = Value(2.0), 0.0
    for factor in (1.0, 2.0, 3.0):
        total = total + jit(lambda q: factor * q * q)(x)  # noqa: B023 # it is called while it has this factor
    total.backward(create_graph=True)
    assert x.grad.data == 24.0
    calls: list[Any] = []
    jitted = jit(lambda q: (calls.append(q), q * q * q)[1])
    assert grad(grad(jitted))(2.0) == 12.0
    assert len(calls) == 1


def test_numbers_are_those_of_the_call() -> None:
    weight, x = Value(3.0), Value(2.0)
    out = jit(lambda x: weight * x * x)(x)
    weight.data, x.data = 5.0, 7.0
    out.backward(create_graph=True)
    recorded = x.grad.data, weight.grad.data
    x.zero_grad(), weight.zero_grad()
    out.backward()
    assert recorded == (x.grad, weight.grad) == (12.0, 4.0)


@pytest.mark.parametrize(("x", "y"), [(0.5, 2.0), (0.5, -0.5), (-1.5, 2.0), (-1.5, -0.5)])
def test_every_kind_of_step(x: float, y: float) -> None:
    def function(x: Any, y: Any) -> Any:
        rows = vmap(lambda z: z * y if z > 0 else -z)([x, y, x - 1.0])
        fixed = stop_gradient(x) * y
        return math.dot(math.softmax([x, y, fixed]), rows) + (x**3 if x > 0 else x * x)

    ours, theirs = ((Value(x), Value(y)) for _ in range(2))
    eager, compiled = function(*ours), jit(function)(*theirs)
    assert bits(copy.deepcopy(compiled)) == bits(compiled) == bits(eager)
    jitted = jit(function)
    for row, other in zip(*(hessian(lambda xs, f=f: f(*xs))([x, y]) for f in (jitted, function)), strict=True):
        assert row == pytest.approx(other, rel=1e-13)
    terms, others = (taylor(lambda t, f=f: f(t, y), x, 3) for f in (jitted, function))
    assert terms == pytest.approx(others, rel=1e-13)


def test_what_is_only_detached_is_a_number() -> None:
    out = jit(lambda x, y: stop_gradient(y * 1.0) * x)(Value(3.0), Value(2.0))
    assert copy.deepcopy(out).data == 6.0


def test_softmax_is_the_operations_of_an_eager_run() -> None:
    def shapes(out: Value) -> list[Any]:
        steps = [node for node in graph.inner_nodes(out) if node.op.name != "identity"]
        return [(node.op.name, len(node.parents), node.constants) for node in steps]

    def weight(x: Value, y: Value) -> Value:
        return math.softmax([x, y, 0.5])[0]

    compiled = copy.deepcopy(jit(weight)(Value(1.0), Value(2.0)))
    assert shapes(compiled) == shapes(weight(Value(1.0), Value(2.0)))
