"""Calls as nodes: what they are, and replays where compiled code cannot serve."""

import math as standard

import pytest

from microgrid import Value, grad, jit, jvp, math, taylor, vjp
from microgrid.compiler.projections import PROJECTION


def test_nodes_of_calls_say_what_they_are() -> None:
    def pair(x: Value) -> list[Value]:
        return [x * 2, x * 3]

    first, second = jit(pair)(Value(1.0))
    assert first.op is second.op is PROJECTION and (first._op, first.constants, second.constants) == (
        "result",
        (0,),
        (1,),
    )
    assert first._x is second._x and first._x.op.name == first._x.op.symbol == "pair"
    assert repr(jit(lambda x: x * 2)(Value(1.0))) == "Value(data=2.0, grad=0.0)"


def test_a_replay_answers_where_the_tape_cannot() -> None:
    x = Value(0.0)
    several = jit(lambda x: [x.sqrt(), x * 2, 1.0])(x)
    (several[0] + several[1]).backward()
    assert x.grad == standard.inf
    _, pullback = vjp(jit(lambda x: [abs(x).sqrt(), x * 2]), 0.0)
    assert pullback([0.0, 3.0]) == (6.0,)


def test_a_replay_reaches_closed_over_values() -> None:
    weight = Value(3.0)
    x = Value(2.0)
    line = jit(lambda x: weight * x * x)
    line(x).backward(create_graph=True)
    slope = weight.grad
    weight.zero_grad()
    x.zero_grad()
    slope.backward()
    assert x.grad == 4.0 and weight.grad == 0.0
    assert grad(lambda w: jit(lambda x: w * x * x)(2.0))(5.0) == 4.0
    assert jvp(lambda w: jit(lambda x: w * x * x)(2.0), (5.0,), (1.0,)) == (20.0, 4.0)
    assert taylor(lambda w: jit(lambda x: w * w * x)(2.0), 5.0, 2) == [50.0, 20.0, 2.0]


def test_results_that_do_not_depend_have_no_derivative() -> None:
    function = jit(lambda x, y: [x * x, y * y, 2.0])
    assert jvp(lambda x: function(x, Value(3.0)), (2.0,), (1.0,)) == ([4.0, 9.0, 2.0], [4.0, 0.0, 0.0])
    terms = taylor(lambda x: function(x, Value(3.0)), 2.0, 1)
    assert terms == [[4.0, 9.0, 2.0], [4.0, 0.0, 0.0]]
    scaled = taylor(lambda x: [out * x for out in function(x, Value(3.0))], 2.0, 1)
    assert scaled == [[8.0, 18.0, 4.0], [12.0, 9.0, 2.0]]
    assert grad(lambda y: taylor(lambda x: function(x, y)[1] * x, 2.0, 1)[1])(3.0) == 6.0  # of y²


def test_recorded_derivatives_of_several_results() -> None:
    function = jit(lambda x: [math.sin(x), x**3])
    assert grad(lambda x: jvp(function, (x,), (1.0,))[1][1])(2.0) == 12.0
    assert grad(lambda x: taylor(function, x, 1)[1][1])(2.0) == pytest.approx(12.0, rel=1e-15)
    assert grad(grad(lambda x: sum(function(x))))(2.0) == pytest.approx(12.0 - standard.sin(2.0), rel=1e-15)


def test_a_replay_leaves_the_nodes_of_externals_to_the_graph() -> None:
    weight = Value(3.0)
    square = weight * weight
    both = jit(lambda x: weight * square * x)
    both(2.0).backward(create_graph=True)
    assert weight.grad.data == 54.0  # of 2w³
    weight.zero_grad()
    square.zero_grad()
    assert grad(lambda w: (lambda s: jit(lambda x: w * s * x)(2.0))(w * w))(3.0) == 54.0
    assert jvp(lambda w: (lambda s: jit(lambda x: w * s * x)(2.0))(w * w), (3.0,), (1.0,)) == (54.0, 54.0)
    assert taylor(lambda w: (lambda s: jit(lambda x: w * s * x)(2.0))(w * w), 3.0, 3) == [54.0, 54.0, 18.0, 2.0]


def test_a_replay_walks_over_nodes_of_its_own() -> None:
    weight = Value(1.5)
    scale = weight * weight * weight
    call = jit(lambda x: math.exp(scale * x) + scale)(Value(0.5))
    assert [node.op.name for node in call.op.replay(call).order] == ["mul", "exp", "add"]
