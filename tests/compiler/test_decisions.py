"""Decisions of every kind: what a hash, a caught error, an operand that is not chosen means for compiled code."""

import functools
import gc
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from microgrid import Value, grad, jit, vmap
from microgrid.compiler.instrument import is_own, plain
from microgrid.compiler.jit import Jitted
from microgrid.nn import MLP
from microgrid.optim import SGD
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
    on_values = functools.lru_cache(lambda x: x * x)
    check_calls(lambda x: on_values(x) * x, (Value(2.0),), (Value(3.0),))


def test_a_failing_trace_leaves_nothing_to_be_found() -> None:
    cached = functools.lru_cache(lambda n: n * n)
    jitted = jit(lambda n: {}[cached(n)])
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
