"""Decisions of every kind: what a hash, a caught error, an operand that is not chosen means for compiled code."""

import functools
import gc
import math as standard
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from microgrid import Value, define_rule, grad, jit, math, vmap
from microgrid.compiler.instrument import is_own, plain
from microgrid.compiler.jit import Jitted
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.rules import RULES
from microgrid.training import fit
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
    assert is_own("microgrid") and is_own("microgrid.graph") and not is_own("microgrids") and not is_own("")


def test_nothing_is_kept_of_a_trace() -> None:
    gc.collect()
    assert not plain
    jit(lambda n: {n: 1.0}[n] * n)(2.0)
    assert not plain and vars(Value)["__hash__"] is vars(object)["__hash__"]


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


@pytest.mark.parametrize("text", ["x if c > 0 else y", "x * (0 < c < y)", "x * (c or y)", "x * (c and y)"])
def test_operands_that_texts_of_others_may_skip_are_evaluated(text: str) -> None:
    rule = define_rule(f"picked_{len(text)}(c, x, y)", text, c="0", x="1", y="0")
    try:
        function = lambda c, x, y: rule(c, x, math.log(y))  # noqa: E731
        jitted = check_calls(function, (1.0, 1.0, 5.0), (-1.0, 2.0, 3.0), (0.0, 2.0, 3.0))
        for c in (1.0, -1.0, 0.0):
            expected = outcome(function, c, 1.0, -1.0)
            assert outcome(jitted, c, 1.0, -1.0) == expected and expected[0] is ValueError
    finally:
        RULES.pop(f"picked_{len(text)}")


def test_a_loss_raises_where_an_operand_that_is_not_chosen_does() -> None:
    model = MLP(1, [1], rng=0)

    def loss(p: Any, y: Any) -> Any:
        return math.where(y, p * p, p * math.log(y + 1))

    with pytest.raises(ValueError, match="math domain error"):
        fit(model, ([[1.0], [2.0]], [1.0, -2.0]), loss=loss, optimizer=SGD(model.parameters(), lr=0.1), epochs=1)
