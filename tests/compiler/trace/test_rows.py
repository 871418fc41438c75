"""Rows by themselves: their shapes. What a trace makes of them is held by the tests of loops."""

from typing import Any

from microgrid import Value, grad, jacobian, jit, jvp, no_grad, taylor, value_and_grad, vjp, vmap
from microgrid.compiler.program.form import Loop
from microgrid.compiler.trace.rows import shape_of
from microgrid.nn import MLP
from microgrid.transforms import nests


def test_shapes_are_of_nests_of_values() -> None:
    x = Value(1.0)
    assert shape_of((x, [x, "text"]), 2) == shape_of((Value(2.0), [x, "text"]), 2) != shape_of((x, [x, "other"]), 2)
    assert shape_of((x, 1.0), 1) is shape_of(object(), 0) is shape_of(MLP(1, [1]), 0) is None


def test_sets_tell_what_rows_return_as_it_came() -> None:
    y = Value(2.0)
    functions: list[Any] = [
        lambda xs: len({y, *vmap(lambda x: y)(xs)}),
        lambda xs: len({*xs, *vmap(lambda x: x)(xs)}),
        lambda xs: len({*xs, *vmap(lambda x: x if x > 2 else -x)(xs)}),
        lambda xs: len({*xs, *vmap(lambda x: x if x > 0 else xs[0])(xs)}),
        lambda xs: sum(vmap(lambda x: x is xs[0])(xs)) + (vmap(lambda x: x)(xs)[1] is xs[1]),
        lambda xs: vmap(lambda x: len({x, xs[0]}))(xs),
        lambda xs: len({xs[0], *vjp(lambda x: x, xs[1])[1](xs[0]), *jvp(lambda x: x, xs[:1], xs[1:])}),
        lambda xs: vmap(lambda x: x * len({x, xs[0]}) if x > 2 else len({x}))(xs),
        grad(lambda xs: sum(vmap(lambda x: x * len({x, xs[0]}))(xs))),
        grad(lambda xs: xs[0] * len({*vmap(lambda x: x)(xs), *xs})),
    ]
    batches = [[Value(number) for number in numbers] for numbers in ([1.0, 3.0], [3.0, 1.0], [-1.0, 3.0], [2.0, 2.0])]
    for index, function in enumerate(functions):
        jitted = jit(function)
        for xs in batches:
            eager, compiled = (nests.leaves("results", call(xs)) for call in (function, jitted))
            assert list(map(float, eager)) == list(map(float, compiled)), (index, xs)


def test_under_no_grad_rows_return_what_came() -> None:
    def function(xs: Any) -> Any:
        return vmap(lambda x: x if x > 0 else -x)(xs)

    jitted = jit(function)
    for numbers in ([1.0, -2.0], [-1.0, -2.0], [-1.0, 2.0], [1.0, 2.0]):
        xs = [Value(number) for number in numbers]
        with no_grad():
            results = jitted(xs)
            assert [result is x for result, x in zip(results, xs, strict=True)] == [number > 0 for number in numbers]
        assert [result.data for result in results] == list(map(abs, numbers)) and not any(y.parents for y in results)


def test_under_no_grad_transforms_return_new_leaves() -> None:
    transforms: list[Any] = [
        lambda x, v: jvp(lambda x: x, (x,), (v,)),
        lambda x, v: vjp(lambda x: x, x)[1](v),
        lambda x, v: taylor(lambda x: x, x, 1),
        lambda x, v: value_and_grad(lambda x, y: x, has_aux=False)(x, v),
    ]
    x, v = Value(2.0), Value(3.0)
    with no_grad():
        for transform in transforms:
            for function in (transform, jit(transform)):
                results = nests.leaves("results", function(x, v))
                assert not any(result is x or result is v or result.parents for result in results), transform


def test_rows_that_branch_stay_one_loop() -> None:
    jitted = jit(vmap(lambda x: x if x > 0 else -x))
    for numbers in [[1.0, -2.0], [-1.0, 2.0], [1.0, -2.0], [-1.0, 2.0]]:
        xs = [Value(number) for number in numbers]
        ys = jitted(xs)
        (ys[0] + ys[1]).backward()
        assert [y.data for y in ys] == [1.0, 2.0] and [x.grad for x in xs] == [*numbers[:1], numbers[1] / 2]
    assert len(jitted.cases) == 1


def test_rows_that_remember_are_differentiated_too() -> None:
    known: dict[Any, Any] = {}

    def remembered(x: Any) -> Any:
        if x not in known:
            known[x] = x * x * x
        return known[x]

    function = jacobian(vmap(lambda x: remembered(x) if x > 0 else -x))
    jitted = jit(function)
    for xs in [[2.0, 3.0], [2.0, -3.0], [3.0, 2.0]]:
        assert jitted(xs) == function(xs)
        recorded = nests.leaves("recorded", jitted([Value(x) for x in xs]))
        assert list(map(float, recorded)) == nests.leaves("eager", function(xs))


def test_cases_serve_no_grad_where_rows_choose_nothing() -> None:
    jitted = jit(vmap(lambda x: x * 2 if x > 0 else -x))
    chosen = jit(vmap(lambda x: x if x > 0 else -x))
    for _ in range(2):
        for xs in ([Value(1.0), Value(-1.0)], [Value(-1.0), Value(1.0)]):
            with no_grad():
                assert [jitted(xs)[place] is x for place, x in enumerate(xs)] == [False, False]
                assert [chosen(xs)[place] is x for place, x in enumerate(xs)] == [x.data > 0 for x in xs]
            assert [chosen(xs)[place] is x for place, x in enumerate(xs)] == [False, False]
    assert len(jitted.cases) == 1 and len(chosen.cases) == 3


def test_rows_that_give_integers_in_one_branch() -> None:
    def function(x: Any, n: Any, xs: Any) -> Any:
        return sum(vmap(lambda r: x * 0.5 if x > r else n)(xs))

    jitted = jit(function)
    for xs in ([1.0, 3.0], [3.0, 3.0], [1.0, 1.0], [3.0, 1.0]):
        found, expected = jitted(2.0, 2, xs), function(2.0, 2, xs)
        assert (found, type(found)) == (expected, type(expected)), xs


def test_a_function_that_cannot_be_called_again_is_unrolled() -> None:
    calls = iter(range(2))  # one for each row

    def function(x: Any) -> Any:
        next(calls)
        return x * 2 if x > 0 else -x

    jitted = jit(lambda xs: vmap(function)(xs))
    assert [y.data for y in jitted([Value(1.0), Value(-3.0)])] == [2.0, 3.0]
    assert not any(isinstance(step, Loop) for step in jitted.cases[0].program.steps)
