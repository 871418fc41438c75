"""Decisions of every kind: what a hash, a caught error, an operand that is not chosen means for compiled code."""

import functools
import gc
import math as standard
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from microgrid import (
    Value,
    define_rule,
    derivative,
    grad,
    hvp,
    jit,
    jvp,
    math,
    no_grad,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)
from microgrid.compiler.jit import Jitted
from microgrid.compiler.trace.instrument import is_own, plain_ids
from microgrid.draw.graphs.dot import to_dot
from microgrid.nn import MLP, Module
from microgrid.optim import SGD
from microgrid.training import fit
from microgrid.training.generated import CompiledSteps
from tests.compiler.programs import outcome


def check_calls(function: Callable[..., Any], *calls: tuple[Any, ...], warns: bool = False) -> Jitted:
    """Check that one compiled function gives what the eager one does, in value and type, for call after call."""
    jitted = jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if warns else "error")
        for arguments in (*calls, *reversed(calls)):
            assert repr(outcome(jitted, *arguments)) == repr(outcome(function, *arguments)), arguments
    assert warns or jitted.cases
    return jitted


# Hashes


@pytest.mark.parametrize(
    "function",
    [
        lambda n, x: {1: 10.0, 2: 20.0}.get(n, 0.0) * x,
        lambda n, x: x * 2 if n in {1, 2} else x,
        lambda n, x: len({n, x, n * 1.0, x / 2}) * x,
        lambda n, x: Counter([n, x, n])[x] * x,
        lambda n, x: {n: x, 2.0: x + 1}[n] * 1.0,
        lambda n, x: hash(n) * x,
        lambda n, x: {(n, 1): 3.0}.get((2, 1), 4.0) * x,
        lambda n, x: {2.0: 3.0}.get(grad(lambda q: q * q)(n) / 2, 5.0) * x,
        lambda n, x: {2.0: 3.0}.get(stopped(n), 5.0) * x,
        lambda n, x: sum(vmap(lambda row: {1: 10.0, 2: 20.0}.get(row, 0.5) * row)([n, x, 2.0])),
        lambda n, x: {2.0: 3.0}.get(vmap(lambda row: row * 1.0)([x, n])[1], 5.0) * x,
        lambda n, x: grad(lambda q: {3.0: 2.0}.get(q, 5.0) * q * {2: 3.0}.get(n, 1.0))(x),
    ],
)
def test_plain_numbers_hash_by_value(function: Any) -> None:
    check_calls(function, (2, 3.0), (1, 3.0), (7, 1.0), (2.0, 2.0))


def stopped(x: Any) -> Any:
    return x.detach() if isinstance(x, Value) else x


def test_values_hash_by_identity() -> None:
    jitted = check_calls(lambda x, y: len({x, y, x + 0}) * x, (Value(2.0), Value(2.0)), (Value(1.0), Value(3.0)))
    assert len(jitted.cases) == 1
    check_calls(lambda n, x: {n * x: 2.0}.get(x, 3.0) * x, (1.0, Value(2.0)))
    weight = Value(2.0)
    check_calls(lambda n: {weight: 2.0}.get(n, 3.0) * n, (2.0,), (1.0,))


def test_nan_hashes_by_identity() -> None:
    check_calls(lambda n: {1.0: 2.0}.get(n, 3.0), (float("nan"),), warns=True)


def test_the_library_tells_nodes_apart_by_identity() -> None:
    def function(n: Any) -> Any:
        half, other = n * 0.5, n * 0.5 * 1
        return grad(lambda q: q * half * other + q * half)(n)

    jitted = check_calls(function, (2.0,), (3.0,))
    assert len(jitted.cases) == 1
    assert is_own("microgrid") and is_own("microgrid.engine.graph") and not is_own("microgrids") and not is_own("")


def test_nothing_is_kept_of_a_trace() -> None:
    gc.collect()
    assert not plain_ids
    jit(lambda n: {n: 1.0}[n] * n)(2.0)
    assert not plain_ids and vars(Value)["__hash__"] is vars(object)["__hash__"]


def test_what_is_cached_in_a_trace_is_not_found_afterwards() -> None:
    @functools.lru_cache
    def cached(n: Any) -> Any:
        return n * n

    check_calls(lambda n, x: cached(n) * x, (2.0, 3.0), (1.0, 2.0), (2.0, 1.0))
    assert repr([cached(2.0), cached(1.0)]) == "[4.0, 1.0]"
    memo: dict[Any, Any] = {}

    def fibonacci(n: Any) -> Any:
        if n not in memo:
            memo[n] = n * 1.0 if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
        return memo[n]

    check_calls(fibonacci, (7,), (3,), (12,))
    assert repr(fibonacci(12)) == "144.0"
    check_calls(lambda x: cached(x) * x, (Value(2.0),), (Value(3.0),))


def test_a_failing_trace_leaves_nothing_to_be_found() -> None:
    @functools.lru_cache
    def cached(n: Any) -> Any:
        return n * n

    unknown: dict[Any, Any] = {}
    jitted = jit(lambda n: unknown[cached(n)])
    with pytest.raises(KeyError):
        jitted(2.0)
    assert repr(cached(2.0)) == "4.0"


@pytest.mark.parametrize("keep", [lambda x: x * 2.0, lambda x: x])
def test_numbers_of_an_earlier_trace_are_told(keep: Any) -> None:
    memo: dict[str, Any] = {}
    jitted = jit(lambda x, y: memo.setdefault("kept", keep(x)) * y)
    jitted(2.0, 3.0)
    with pytest.warns(RuntimeWarning, match="a number of an earlier trace, .* is met again"):
        jitted(2.0, Value(3.0))


@pytest.mark.parametrize("kind", [int, float])
def test_class_weights_are_looked_up(kind: Any) -> None:
    for count in (3, 20):
        trained = []
        for compiled in (True, False):
            model = MLP(1, [1], rng=0)
            weights = {number: 1.0 + number for number in range(count)}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore" if count > 16 else "error")
                fit(
                    model,
                    ([[number / count] for number in range(count)], list(map(kind, range(count)))),
                    loss=lambda p, y, weights=weights: weights[y] * (p - y / 10) ** 2,
                    optimizer=SGD(model.parameters(), lr=0.001),
                    epochs=2,
                    compile=compiled,
                )
            trained.append([p.data for p in model.parameters()])
        assert trained[0] == pytest.approx(trained[1], rel=1e-12)


def test_an_optimiser_may_look_up_the_number_of_the_step() -> None:
    class Warm(SGD):
        def update(self, parameter: Any, gradient: Any, state: Any, step: Any, lr: Any) -> Any:
            return super().update(parameter, gradient, state, step, lr * 10 if step in {1, 2} else lr)

    parameter = Value(1.0)
    optimizer = Warm([parameter], lr=0.1)
    found = []
    for _ in range(4):
        parameter.grad = 1.0
        optimizer.step()
        found.append(parameter.data)
    assert found == pytest.approx([0.0, -1.0, -1.1, -1.2])


# Errors that are caught


def caught(convert: Callable[[Any], int]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        try:
            return convert(x) * x
        except OverflowError:
            return -1.0
        except ValueError:
            return x + 2.0

    return function


@pytest.mark.parametrize("convert", [int, round, math.floor, math.ceil, math.trunc, standard.floor])
def test_an_error_of_a_conversion_that_is_caught_is_a_decision(convert: Any) -> None:
    inf, nan = float("inf"), float("nan")
    function = caught(convert)
    for first in (inf, -inf, 2.5):
        for kind in (float, Value):
            jitted = check_calls(function, (kind(first),), (kind(2.5),), (kind(inf),))
            assert len(jitted.cases) == (1 if first == 2.5 else 2)  # int(inf) raises in compiled code too
    check_calls(function, (nan,), (2.5,), (inf,))
    check_calls(lambda xs: sum(vmap(function)(xs)), ([inf, 1.0, 2.5],), ([2.5, inf, inf],), ([1.0, 2.0, 3.0],))
    check_calls(lambda x: grad(lambda q: q * function(x))(x), (inf,), (2.5,))


def test_an_error_of_a_conversion_is_a_decision_in_a_loss() -> None:
    function = caught(int)
    trained = []
    for compiled in (True, False):
        model = MLP(1, [1], rng=0)
        data = [[0.5], [1.0], [0.25]], [float("inf"), 2.5, 1.5]
        loss: Any = lambda p, y: (p - function(y)) ** 2  # noqa: E731
        optimizer = SGD(model.parameters(), lr=0.01)
        fit(model, data, loss=loss, optimizer=optimizer, epochs=3, compile=compiled)
        trained.append([p.data for p in model.parameters()])
    assert trained[0] == pytest.approx(trained[1], rel=1e-12)


# Operands that are not chosen


def test_an_error_in_an_operand_that_is_not_chosen_is_raised() -> None:
    for function in (
        lambda c, x, y: math.where(c, x, math.log(y)),
        lambda c, x, y: math.where(c, x, -math.log(y)),
        lambda c, x, y: math.where(c, x, 2 * (1 - 1 / (y + 1))),
        lambda c, x, y: 1 + math.where(c, x, math.where(x, x, 3 * math.sqrt(y))),
        lambda c, x, y: grad(lambda q: math.where(c, q, math.log(y) * q))(x),
        lambda c, x, y: sum(vmap(lambda q: math.where(c, q, math.log(y * q)))([x, x + 1, x + 2])),
    ):
        for kind in (float, Value):
            jitted = check_calls(
                function, *[tuple(map(kind, numbers)) for numbers in [(1.0, 1.0, 1.0), (0.0, 1.0, 2.0)]]
            )
            for failing in ((1.0, 1.0, -1.0), (0.0, 1.0, -1.0)):
                numbers = tuple(map(kind, failing))
                expected = outcome(function, *numbers)
                assert expected[0] in (ValueError, ZeroDivisionError) and outcome(jitted, *numbers) == expected


def test_an_operand_that_cannot_raise_stays_where_it_is_used() -> None:
    jitted = jit(lambda c, x, y: math.where(c, x * y, x + y))
    jitted(1.0, 2.0, 3.0)
    assert "return [(input1 * input2) if input0 else (input1 + input2)]" in jitted.source


@pytest.mark.usefixtures("rules_restored")
@pytest.mark.parametrize("text", ["x if c > 0 else y", "x * (0 < c < y)", "x * (c or y)", "x * (c and y)"])
def test_operands_that_texts_of_others_may_skip_are_evaluated(text: str) -> None:
    rule = define_rule("picked(c, x, y)", text, c="0", x="1", y="0")
    function = lambda c, x, y: rule(c, x, math.log(y))  # noqa: E731
    jitted = check_calls(function, (1.0, 1.0, 5.0), (-1.0, 2.0, 3.0), (0.0, 2.0, 3.0))
    for c in (1.0, -1.0, 0.0):
        expected = outcome(function, c, 1.0, -1.0)
        assert outcome(jitted, c, 1.0, -1.0) == expected and expected[0] is ValueError


def test_a_loss_raises_where_an_operand_that_is_not_chosen_does() -> None:
    model = MLP(1, [1], rng=0)

    def loss(p: Any, y: Any) -> Any:
        return math.where(y, p * p, p * math.log(y + 1))

    with pytest.raises(ValueError, match="math domain error"):
        fit(model, ([[1.0], [2.0]], [1.0, -2.0]), loss=loss, optimizer=SGD(model.parameters(), lr=0.1), epochs=1)


# Integers


@pytest.mark.parametrize(
    "function",
    [
        lambda n, x: n**30 % 7 * x,
        lambda n, x: n * n * 2**80 + 1,
        lambda n, x: (n, x, -n, abs(-n), +n, [n + True]),
        lambda n, x: n * 2 / 3 + x * n,
        lambda n, x: (n * 2**60) / (n * 3 + 1),
        lambda n, x: 2 - n if n * 3 > 2**53 else n // 2,
        lambda n, x: divmod(n * 7, 3 * n + 1),
        lambda n, x: math.relu(n * 2) + math.maximum(n - 3, n - 4) * x,
        lambda n, x: math.fabs(n * 2),
        lambda n, x: round(n * 12345, -2),
        lambda n, x: round(n * 2) + int(n * 3) * math.floor(n),
        lambda n, x: [1.0, 2.0, 3.0, 4.0, 5.0][n - 1] * x if n == 3 else n,
        lambda n, x: {6: 2.0}.get(n * 2, 3.0) * x,
        lambda n, x: {n * 2: x}[n + n],
        lambda n, x: sum([n, 1, x]) + sum([n, n]),
        lambda n, x: vmap(lambda row: row * 2 + 1)([n, x, 4]),
        lambda n, x: [*vmap(lambda row: row)([n, n * 2]), n * x],
        lambda n, x: vmap(lambda row: row * 0.5)([n, n * 2, x]),
        lambda n, x: grad(lambda q: q * n * n**2)(n * 2),
        lambda n, x: value_and_grad(lambda q: q * 2)(n),
        lambda n, x: 2**-n + n**2 + 3**n,
        lambda n, x: math.softmax([n * 2, x])[0] + math.dot([n * 2, 1], [x, n], n * 3),
        lambda n, x: n * 0.5 + x * n * 2**70,
    ],
)
def test_integers_stay_integers(function: Any) -> None:
    for kind in (float, Value):
        calls: list[tuple[Any, ...]] = [
            (3, kind(2.5)),
            (5, kind(1.5)),
            (3.0, kind(2.0)),
            (0, kind(1.0)),
            (2.5, kind(0.5)),
        ]
        for order in (calls, calls[::-1]):
            check_calls(function, *order)


def test_numbers_of_which_the_type_does_not_matter_share_a_case() -> None:
    for function in (
        lambda n, x: n * x,
        lambda n, x: n * 0.5 + x,
        lambda n, x: math.exp(n) * x if n > 2 else math.exp(n) + x,
        lambda n, x: n / 2 * x,
    ):
        jitted = check_calls(function, (3, Value(2.0)), (3.0, Value(2.0)), (2, Value(1.0)), (0.5, Value(1.0)))
        assert all(not case.wholes and not case.floats for case in jitted.cases) and len(jitted.cases) <= 2


def test_the_number_of_a_step_keeps_one_case() -> None:
    jitted = jit(lambda step, x: x * 0.1 / (1 + step * 2) + step % 7)
    for step in range(1000):
        assert repr(jitted(step, 2.0)) == repr(2.0 * 0.1 / (1 + step * 2) + step % 7)
    assert len(jitted.cases) == 1


def test_rows_of_integers_and_floats_share_two_cases() -> None:
    rows = [[1.0, 0.5], [0, 1], [0, 0.5], [1.0, 1], [1, 2.5], [0.5, 0]]
    jitted = check_calls(lambda row: sum(row) * 2, *[(row,) for row in rows])
    assert len(jitted.cases) == 2


def test_what_python_alone_does_with_an_integer_runs_eagerly() -> None:
    for function in (
        lambda n: n & 1,
        lambda n: n * Fraction(1, 3),
        lambda n: n.bit_length(),
        lambda n: n % 0 if n else 1,
    ):
        check_calls(function, (3,), (5,), (0,), warns=True)
    check_calls(lambda n: Value(1.0) * (n * 10**400), (3,), warns=True)
    check_calls(lambda x, n: math.ldexp(x, n), (0.5, 3), warns=True)


def test_an_index_that_is_no_integer_is_refused() -> None:
    def function(n: Any) -> Any:
        try:
            return [1.0, 2.0, 3.0, 4.0][n + 1]
        except TypeError:
            return -1.0

    check_calls(function, (1,), (1.0,), (2,))
    check_calls(function, (1.0,), (1,), (2.0,))


@pytest.mark.parametrize("targets", [[0, 1, 1, 0], [0, 1, 0.5, 1.0], [0.5, 1, 0, 0.25], [0.0, 1.0, 1.0, 0.5]])
@pytest.mark.parametrize(
    "loss",
    [
        lambda p, y: (p - y) ** 2,
        lambda p, y: -y * math.log(math.sigmoid(p)) - (1 - y) * math.log(1 - math.sigmoid(p)),
        lambda p, y: (p - (2 * y + 3) ** 40 % 7) ** 2 if y else p * p,
        lambda p, y: (p - math.relu(2 * y - 1)) ** 2,
    ],
)
def test_a_loss_does_with_integers_what_python_does(loss: Any, targets: list[Any]) -> None:
    trained = []
    for compiled in (True, False):
        model = MLP(2, [1], rng=0)
        optimizer = SGD(model.parameters(), lr=0.1)
        data = [[0, 0], [0, 1], [1, 0], [1, 1]], targets
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit(model, data, loss=loss, optimizer=optimizer, epochs=3, compile=compiled, shuffle=False)
        trained.append([p.data for p in model.parameters()])
    assert trained[0] == pytest.approx(trained[1], rel=1e-12)


def test_integers_that_meet_floats_alone_change_nothing_of_a_step() -> None:
    sources = []
    for kind in (int, float):
        model = MLP(2, [2, 1], rng=0)
        rows = [[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
        steps = CompiledSteps(
            lambda x, y, z, model=model: (model([x, y]) - z) ** 2,
            SGD(model.parameters(), lr=0.1),
            model.parameters(),
            0,
            rows,
            [list(map(kind, row)) for row in rows],
        )
        steps([p.data for p in model.parameters()], [rows], 0, [0.1])
        sources.append(steps.source)
    assert sources[0] == sources[1] and "input2" in sources[0] and "whole" not in sources[0]


def test_an_optimiser_gets_the_number_of_the_step_as_an_integer() -> None:
    class Odd(SGD):
        def update(self, parameter: Any, gradient: Any, state: Any, step: Any, lr: Any) -> Any:
            return super().update(parameter, gradient, state, step, lr * ((step + 9) ** 30 % 7))

    parameter, found = Value(0.0), []
    optimizer = Odd([parameter], lr=1.0)
    for _ in range(3):
        parameter.grad = -1.0
        optimizer.step()
        found.append(parameter.data)
    assert found == [1.0, 1.0 + 11**30 % 7, 1.0 + 11**30 % 7 + 12**30 % 7]


@pytest.mark.parametrize(
    "function",
    [
        lambda n, x: x**2 * (n**30 % 7) * [1.0, 2.0, 3.0][n - 9],
        lambda n, x: math.relu(n * 2) * x**3 + (n * 2**60) / (n * 3 + 1) * x,
        lambda n, x: sum(vmap(lambda row: row**2 * (n % 4))([x, x * 2])),
        lambda n, x: math.softmax([x, n * 2 - 20])[0] * n,
        lambda n, x: [x * x, n * 7][0] * (x if n % 2 else 2 * x),
    ],
)
def test_derivatives_of_calls_with_integers_are_derived_again(function: Any) -> None:
    jitted = jit(function)
    for n in (10, 11, 10):
        found = []
        for each in (function, jitted):
            x = Value(0.5)
            out = each(n, x)
            out.backward(create_graph=True)
            slope = x.grad
            x.grad = 0.0
            slope.backward()
            found.append((out.data, slope.data, x.grad, derivative(lambda q, each=each, n=n: each(n, q), 2)(0.5)))
        assert found[0] == pytest.approx(found[1], rel=1e-12)
    assert jitted.cases


# State


class Shade(IntEnum):
    DARK = 1
    LIGHT = 2


@dataclass
class Point:
    x: Any
    y: Any


class Scaled(Module):
    def __init__(self, **settings: Any) -> None:
        self.weight = Value(2.0)
        vars(self).update(settings)


def marked(point: Point, mode: Any) -> Point:
    point.mode = mode  # type: ignore[attr-defined]
    return point


def test_settings_select_a_case() -> None:
    def by_setting(setting: Any, x: Any) -> Any:
        if setting is Shade.DARK:
            return x * 2
        return (x, setting) if setting is Shade.LIGHT or isinstance(setting, bytes | range) else setting(x)

    settings = [Shade.DARK, Shade.LIGHT, b"x", range(3), math.tanh, math.exp, standard.floor, thrice.__get__(1), Value]
    check_calls(by_setting, *[(setting, Value(0.5)) for setting in settings if setting is not Value])
    jitted = check_calls(
        lambda xs, place: [xs[place], 1.0], ([1.0, 2.0, 3.0], slice(0, 2)), ([1.0, 2.0, 3.0], slice(1, 3))
    )
    assert len(jitted.cases) == 2
    check_calls(
        lambda p: p.x * (2.0 if p.mode == "a" else 3.0),
        *[(marked(Point(x, 1.0), m),) for x in (1.0, 2.0) for m in "ab"],
    )
    check_calls(
        lambda d: [standard.copysign(1.0, key) * value for key, value in d.items()], ({0.0: 1.0},), ({-0.0: 1.0},)
    )
    check_calls(
        lambda m, x: m.weight * x * (2.0 if m.shade is Shade.DARK else 3.0), *[(Scaled(shade=s), 1.0) for s in Shade]
    )


def thrice(self: Any, x: Any) -> Any:
    return x * 3


class Counting:
    def __init__(self) -> None:
        self.count = 0


@pytest.mark.parametrize("held", [{1}, Random(0), Counting()])
def test_what_may_change_in_place_runs_eagerly(held: Any) -> None:
    module = Scaled(held=held)
    with pytest.warns(RuntimeWarning, match="something of type .* in it, which may change in place"):
        assert jit(lambda m, x: m.weight * x)(module, 3.0).data == 6.0


@pytest.mark.parametrize(
    "look",
    [
        lambda x: x.label == "a",
        lambda x: x.op is None,
        lambda x: x.parents == (),
        lambda x: x._prev == set(),
        lambda x: x._op == "",
        lambda x: x.constants == (),
        lambda x: "a" in to_dot(x),
    ],
)
def test_what_a_node_is_called_or_made_of_is_not_followed(look: Any) -> None:
    for x in (Value(2.0, label="a"), Value(2.0) * 3):
        jitted = jit(lambda x: x * 2 if look(x) else x * 3)
        with pytest.warns(RuntimeWarning, match="reading|repr|format"):
            assert jitted(x).data == (x * 2 if look(x) else x * 3).data


# Deep nests


def test_deep_and_cyclic_nests_run_eagerly() -> None:
    deep: list[Any] = [Value(2.0)]
    for _ in range(2000):
        deep = [deep]
    around: list[Any] = [Value(2.0)]
    around.append(around)

    def innermost(nest: Any) -> Any:
        while isinstance(nest, list):
            nest = nest[0]
        return nest * 3

    for nest in (deep, around):
        with pytest.warns(RuntimeWarning, match="a nest that is too deep, or in itself"):
            assert jit(innermost)(nest).data == 6.0


@pytest.mark.parametrize("depth", [50, 90, 130, 200, 250, 300, 400, 600])
def test_nests_of_any_depth_give_what_they_do_eagerly(depth: int) -> None:
    def wrapped(x: Any) -> Any:
        for _ in range(depth):
            x = [x]
        return x

    def unwrapped(nest: Any) -> Any:
        while isinstance(nest, list):
            nest = nest[0]
        return nest

    def around(x: Any) -> Any:
        out: list[Any] = [x]
        out.append(out)
        return out

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function in (lambda nest: unwrapped(nest) * 2.0, lambda nest: wrapped(unwrapped(nest)), lambda nest: nest):
            jitted = jit(function)
            for number in (1.0, 2.0):
                assert unwrapped(jitted(wrapped(number))) == unwrapped(function(wrapped(number)))
        assert jit(around)(2.0)[0] == 2.0


def test_deep_samples_are_learned_eagerly() -> None:
    def innermost(nest: Any) -> Any:
        while isinstance(nest, list):
            nest = nest[0]
        return nest

    deep: Any = 1.0
    for _ in range(2000):
        deep = [deep]
    model = Scaled()
    with pytest.warns(RuntimeWarning, match="the data has a nest that is too deep, or in itself"):
        fit(lambda x: model.weight * innermost(x), ([deep], [1.0]), loss=lambda p, y: (p - y) ** 2,
            optimizer=SGD([model.weight], lr=0.25), epochs=1)  # fmt: skip
    assert model.weight.data == 1.5


# Infinite gradients


def steep(x: Any) -> Any:
    return (x * 0.1) * 1e308 + (x * 0.1) * 1.1e308


def test_an_infinite_gradient_is_asked_for_eagerly() -> None:
    jitted = jit(steep)
    found = []
    for function in (steep, jitted):
        x = Value(1.0)
        function(x).backward()
        found.append(x.grad)
    assert found[0] == found[1] < float("inf")
    x = Value(0.0)
    jit(lambda x: x**0.5 * 1.0)(x).backward()
    assert x.grad == float("inf")
    for n in (grad(jitted), jit(grad(steep)), jit(lambda q: vmap(grad(steep))([q, q])[1])):
        assert n(1.0) == grad(steep)(1.0)


class Signed(SGD):
    def update(self, parameter: Any, gradient: Any, state: Any, step: Any, lr: Any) -> Any:
        return super().update(parameter, math.tanh(gradient * 1e-308), state, step, lr)


@pytest.mark.parametrize(("optimizer", "lr"), [(SGD, 1e-307), (Signed, 0.1)])
def test_a_step_with_an_infinite_gradient_is_taken_eagerly(optimizer: Any, lr: float) -> None:
    trained = []
    for compiled in (True, False):
        model = Scaled()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit(
                lambda x, model=model: model.weight * x,
                ([1.0], [0.0]),
                loss=lambda p, y: steep(p),
                optimizer=optimizer([model.weight], lr=lr),
                epochs=3,
                compile=compiled,
            )
        trained.append(model.weight.data)
    assert trained[0] == pytest.approx(trained[1], rel=1e-14) and trained[0] < 2.0


# What is told of plain numbers


def test_what_a_plain_number_has_is_not_followed() -> None:
    for function in (
        lambda n: n.real if hasattr(n, "real") else -1,
        lambda n: getattr(n, "bit_length", lambda: -1)(),
        lambda n: math.prod([n, 2]),
        lambda n: math.sumprod([n, 2], [n, n]),
    ):
        check_calls(function, (3,), (4,), (3,), warns=True)
    check_calls(lambda n: n * 2.0 if hasattr(n, "shape") else n, (3,), (2.5,))
    check_calls(lambda n, x: math.prod([n, x * 0.5]) * x, (3, 2.0), (2.5, 2))
    with no_grad():
        check_calls(lambda n, x: math.prod([n * 0.5, x * 0.5]) + n * 2, (3, 2.0), (2.5, 2.0))


def test_plain_numbers_pass_through() -> None:
    check_calls(lambda n: stop_gradient(n) * 2, (7,), (7.0,), (Value(2.0),))
    check_calls(lambda n: stop_gradient(n * 2) * n, (7,), (7.0,))
    aux: Any = lambda n: value_and_grad(lambda q: (q * n, {"k": n + 1, "h": {3: 1.0}.get(n)}), has_aux=True)(n)  # noqa: E731
    check_calls(aux, (3,), (2.5,), (3.0,))


@pytest.mark.usefixtures("rules_restored")
def test_an_index_is_guarded_after_a_rule_is_defined_again() -> None:
    for text in ("x * 2", "x * 3"):
        define_rule("defined_twice(x)", text, x="2")
    jitted = check_calls(lambda xs, i: xs[i], ([1.0, 2.0], 0), ([1.0, 2.0], 1))
    assert len(jitted.cases) == 2


def test_within_a_transform_all_that_another_returns_hashes_by_identity() -> None:
    jitted = jit(lambda x: x * {1.0: 5.0}.get(grad(lambda q: q)(2.0), 3.0))
    for _ in range(2):
        assert jitted(2.0) == jitted(Value(2.0)).data == 10.0
        assert grad(jitted)(2.0) == grad(jitted.function)(2.0) == 3.0
        assert grad(grad(jitted))(2.0) == grad(grad(jitted.function))(2.0) == 0.0
    assert len(jitted.cases) == 3  # of a float, of a Value, and of one in a transform
    for compiler in (jit, lambda function: function):  # of a tangent that was a plain number
        pushed = compiler(lambda x: {2.0: 5.0}.get(jvp(lambda q: q, (x,), (x,))[1], 3.0))
        assert grad(lambda p, pushed=pushed: p * pushed(2.0))(1.0) == 3.0
    alike = jit(lambda x: x * x)
    assert (alike(2.0), grad(alike)(2.0), len(alike.cases)) == (4.0, 4.0, 2)  # of a number, and of a Value


def test_a_cotangent_that_is_a_plain_number_comes_back_as_a_value() -> None:
    pulled = jit(lambda x, y: vjp(lambda q: q, x + y)[1](x)[0])
    assert isinstance(pulled(2.0, Value(1.0)), Value) and pulled(2.0, 1.0) == 2.0


def test_derivatives_of_rows_are_no_plain_numbers() -> None:
    def function(x: Any) -> Any:
        slope = grad(lambda q: sum(vmap(lambda r: q if r > 0 else r)([q, q])))(x)
        return {2.0: 20.0}.get(slope, slope)

    for _ in range(2):
        assert jit(function)(3.0) == function(3.0) == 20.0
        assert jit(function)(Value(3.0)).data == function(Value(3.0)).data == 2.0


def test_branches_that_are_not_taken_have_no_derivative() -> None:
    for test in (-1.0, 0.0):

        def function(x: Any, test: float = test) -> Any:
            curvature = hvp(
                lambda q: math.where(test, q if test else math.log(q), math.log(q) if test else q), (x,), (x,)
            )
            return math.sqrt(curvature[0])

        slopes = []
        for call in (function, jit(function)):
            x = Value(2.0)
            call(x * 1.0).backward()
            slopes.append(x.grad)
        assert slopes == [0.0, 0.0]


def test_an_argument_that_is_closed_over_is_one_key() -> None:
    x, y = Value(2.0), Value(2.0)
    jitted = jit(lambda q: q * len({x, q}))
    assert [jitted(y).data, jitted(y).data, len(jitted.cases)] == [4.0, 4.0, 1]
    with pytest.warns(
        RuntimeWarning, match="runs eagerly: an argument that it closes over as well, in a set or as a key"
    ):
        assert jitted(x).data == 2.0
    assert (jitted(x).data, jitted(y).data) == (2.0, 4.0)
