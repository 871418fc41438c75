"""Numbers or Values: what transforms return, eagerly and compiled, is a Value where a Value took part."""

import math as standard
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from microgrid import (
    Value,
    derivative,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    math,
    no_grad,
    taylor,
    value_and_grad,
    vjp,
    vmap,
)
from microgrid.losses import mse_loss
from microgrid.nn import MLP, Frozen, Module
from microgrid.optim import SGD
from microgrid.training import fit
from microgrid.transforms import nests

CLOSED: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "grad": lambda f, x: grad(f)(x),
    "value_and_grad": lambda f, x: value_and_grad(f)(x),
    "aux": lambda f, x: grad(lambda t: (f(t), [f(t), "text"]), has_aux=True)(x),
    "vjp": lambda f, x: vjp(f, x)[1](1.0),
    "the value of vjp": lambda f, x: vjp(f, x)[0],
    "jvp": lambda f, x: jvp(f, (x,), (1.0,)),
    "jacobian": lambda f, x: jacobian(lambda t: [f(t), f(t)])(x),
    "jacrev": lambda f, x: jacrev(f)(x),
    "jacfwd": lambda f, x: jacfwd(f)(x),
    "hessian": lambda f, x: hessian(f)(x),
    "hvp": lambda f, x: hvp(f, (x,), (1.0,)),
    "derivative": lambda f, x: derivative(f, 2)(x),
    "taylor": lambda f, x: taylor(f, x, 2),
    "grad of grad": lambda f, x: grad(grad(f))(x),
}
closed = pytest.mark.parametrize("transform", CLOSED.values(), ids=CLOSED)


def kinds(nest: Any) -> set[type]:
    """Return the types of the numbers in `nest`."""
    return {type(leaf) for leaf in nests.leaves("a nest", without_text(nest))}


def without_text(nest: Any) -> Any:
    """Return `nest` without the words in it."""
    if isinstance(nest, list | tuple):
        return [without_text(item) for item in nest if not isinstance(item, str)]
    return nest


@closed
def test_results_are_values_where_the_function_closes_over_one(transform: Callable[..., Any]) -> None:
    leaf, inner = Value(2.0), Value(3.0) * 1.0
    constants = Value(0.0), Frozen(2.0)
    for through in (lambda f: f, jit):
        for kind, function in (
            (Value, lambda t: leaf * t**3),
            (Value, lambda t: inner * t**3),
            (Value, lambda t: t**3 + t * t * leaf * 0.0),
            (float, lambda t: t**3),
            (float, lambda t: Value(2.0) * t**3),
            (float, lambda t: constants[1] * t**3),
            (float, lambda t: leaf.detach() * t**3),
            (float, lambda t: leaf.data * t**3),
        ):
            called = through(lambda x, function=function: transform(function, x))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a number that is read cannot be compiled
                assert kinds(called(2.0)) == {kind}
                with no_grad():
                    assert kinds(transform(function, 2.0)) == {float}


@closed
def test_backward_reaches_what_the_function_closes_over(transform: Callable[..., Any]) -> None:
    leaf, twin = Value(1.5), Value(1.5)

    def total(nest: Any) -> Any:
        return math.fsum(nests.leaves("a nest", without_text(nest)))

    expected = grad(lambda w: total(transform(lambda t: w**2 * math.sin(t), 0.5)))(1.5)
    total(transform(lambda t: leaf**2 * math.sin(t), 0.5)).backward()
    assert leaf.grad == pytest.approx(expected, rel=1e-14)
    total(jit(lambda: transform(lambda t: twin**2 * math.sin(t), 0.5))()).backward()
    assert twin.grad == pytest.approx(expected, rel=1e-14)


def test_values_that_a_transform_is_given_are_followed() -> None:
    x, v = Value(0.5), Value(2.0)
    for through in (lambda f: f, jit):
        for pushed in (
            lambda v: jvp(math.sin, (0.5,), (v,))[1],
            lambda v: vjp(math.sin, 0.5)[1](v)[0],
            lambda v: jvp(lambda x: x * v, (x,), (v,))[1] / v,
        ):
            v.zero_grad()
            through(pushed)(v).backward()
            assert v.grad == pytest.approx(grad(pushed)(2.0), rel=1e-15)
        v.zero_grad()
        through(lambda v: hvp(math.sin, (0.5,), (v,))[0])(v).backward()
        assert v.grad == -standard.sin(0.5)
        assert type(through(lambda v: jvp(math.sin, (0.5,), (v,))[0])(v)) is Value


@closed
def test_a_point_that_is_a_constant_is_not_baked_in(transform: Callable[..., Any]) -> None:
    leaf = Value(2.0)
    for function in (
        lambda a: transform(lambda q: a * q**3, 2.0),
        lambda a: transform(lambda q: leaf * a * q**3, 2.0),
    ):
        jitted = jit(function)
        for number, weight in ((3.0, 2.0), (5.0, 2.0), (5.0, -1.0)):
            leaf.data = weight
            assert str(jitted(number)) == str(function(number))


def test_a_model_that_holds_a_derivative_is_trained_eagerly_as_it_is_compiled() -> None:
    losses = []
    for compiles in (True, False):
        net = MLP(1, [4, 1], activation="tanh", rng=0)

        def slope(net: MLP) -> Callable[[Any], Any]:
            return lambda x: grad(lambda t: net([t]))(x[0])

        optimizer = SGD(net.parameters(), lr=0.05)

        class Sloped(Module):
            def __init__(self, net: MLP) -> None:
                self.net = net

            def __call__(self, x: Any) -> Any:
                return slope(self.net)(x)

        history = fit(Sloped(net), ([[0.1], [0.5], [0.9]], [0.2, 1.0, 1.8]), loss=mse_loss, optimizer=optimizer,
                      epochs=20, compile=compiles)  # fmt: skip
        losses.append(history.loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-10) and losses[0][-1] < losses[0][0] / 2


def test_what_a_result_does_not_depend_on_does_not_count() -> None:
    leaf = Value(2.0)
    for function in (
        lambda x, y: -x,
        lambda x, y: -x if y > 0 else x,
        lambda x, y: y.detach() * x,
        lambda x, y: -x if leaf > 0 else x,
        lambda x, y: leaf.detach() * x,
        lambda x, y: vmap(lambda z: z if z > y else -z)([x, x])[0],
    ):
        for through in (lambda f: f, jit):
            assert type(grad(through(function))(2.0, Value(1.0))) is float


def test_rows_count_by_what_their_results_depend_on() -> None:
    for function in (
        lambda x, y: grad(lambda q: sum(vmap(lambda r: q)([y, x])))(x),
        lambda x, y: grad(lambda q: vmap(lambda r: q * r)([q, y])[0])(x),
        lambda x, y: jvp(lambda q: sum(vmap(lambda r: q * r)([x, y])), (x,), (1.0,))[1],
    ):
        for given in ((2.0, 3.0), (2.0, Value(3.0)), (Value(2.0), 3.0)):
            assert kinds(jit(function)(*given)) == kinds(function(*given))


def test_numbers_of_one_transform_are_numbers_to_the_next() -> None:
    def function(x: Any) -> Any:
        slope = grad(lambda t: t * t)(x)
        return grad(lambda t: slope * t)(x), jvp(lambda t: t * slope, (x,), (slope,))

    for x in (2.0, Value(2.0)):
        assert kinds(jit(function)(x)) == kinds(function(x)) == {type(x)}
        assert kinds(jit(lambda x: grad(lambda u: jit(grad(lambda t: t * u))(u))(x))(x)) == {type(x)}


@pytest.mark.parametrize("function", [lambda q: math.maximum(q * q, q), lambda q: math.minimum(q, q)])
def test_series_in_a_trace_choose_by_numbers(function: Callable[[Any], Any]) -> None:
    jitted = jit(lambda x: taylor(function, x, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in (2.0, 0.5, 1.0):
            assert jitted(x) == taylor(function, x, 3)
