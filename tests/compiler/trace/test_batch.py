"""Derivatives of batches in traces: of each row by the branch that the row takes, whatever rows took in the trace."""

import warnings
from collections.abc import Callable
from itertools import product
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
from microgrid.compiler.program.form import Loop
from microgrid.compiler.trace import batch

Function = Callable[..., Any]
BATCHES = [[1.0, -2.0, 3.0], [-1.0, 2.0, 3.0], [-1.0, -2.0, -0.5], [1.0, 2.0, 0.0]]
DIRECTION = [1.0, -2.0, 0.5]
TRANSFORMS: dict[str, Callable[[Function], Function]] = {
    "grad": lambda f: grad(lambda xs: sum(f(xs))),
    "value_and_grad": lambda f: value_and_grad(lambda xs: math.fsum(f(xs))),
    "jacobian": jacobian,
    "jacrev": jacrev,
    "jacfwd": jacfwd,
    "hessian": lambda f: hessian(lambda xs: math.prod(f(xs))),
    "hvp": lambda f: lambda xs: hvp(lambda xs: sum(f(xs)) ** 2, (xs,), (DIRECTION,)),
    "jvp": lambda f: lambda xs: jvp(f, (xs,), (DIRECTION,)),
    "vjp": lambda f: lambda xs: vjp(f, xs)[1](DIRECTION),
    "derivative": lambda f: lambda xs: derivative(lambda t: sum(f([x * t for x in xs])), 2)(1.5),
    "taylor": lambda f: lambda xs: taylor(lambda t: f([x + t for x in xs]), 0.5, 2),
    "one of the rows": lambda f: grad(lambda xs: f(xs)[1]),
    "twice": lambda f: grad(lambda xs: sum(grad(lambda ys: sum(f(ys)))(xs))),
    "a closed-over number": lambda f: lambda xs: grad(lambda w: sum(f([w * x for x in xs])))(0.5),
}
FUNCTIONS: dict[str, Function] = {
    "a branch": lambda x: x * x if x > 0 else -x,
    "a branch without steps": lambda x: x if x > 0 else -2.0 * x,
    "a constant branch": lambda x: x * x * x if x > 0 else 3.0,
    "several branches": lambda x: math.sin(x) if x > 1 else math.exp(x) if x < -1 else x**3,
    "a derivative": lambda x: grad(lambda y: abs(y) ** 3 if y > 0 else y * x)(x),
    "no branch": lambda x: x * math.tanh(x),
}


def rounded(nest: Any) -> Any:
    """Return `nest` with numbers cut to what the order of sums leaves alone, whatever the sign of a zero."""
    if isinstance(nest, list | tuple):
        return type(nest)(map(rounded, nest))
    if isinstance(nest, dict):
        return {key: rounded(item) for key, item in nest.items()}
    return type(nest), float(f"{getattr(nest, 'data', nest):.13g}") + 0.0


def check(function: Function, *calls: Any) -> Any:
    """Check that the compiled function gives what the eager one does in all calls, and compiles; return it."""
    jitted = jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for given in calls:
            assert rounded(jitted(given)) == rounded(function(given)), given
    return jitted


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_every_transform_goes_through_rows_that_branch(
    transform: Callable[[Function], Function], function: Any
) -> None:
    check(transform(vmap(function)), *BATCHES)


def test_derivatives_of_many_rows_are_loops() -> None:
    w = Value(2.0)
    loss = grad(lambda xs: math.mean(vmap(lambda x: w * x * x if x > w else math.exp(-x))(xs)))
    batches = [[(37 * row + shift) % 11 - 5.0 for row in range(50)] for shift in (0, 3)]
    jitted = check(loss, *batches)
    (case,) = jitted.cases
    assert sum(isinstance(step, Loop) for step in case.program.steps) == 2
    assert len(jitted.source) < 4000


def test_all_rows_are_asked_where_some_branch() -> None:
    jitted = jit(jacobian(vmap(lambda x: x * x if x > 0 else -x)))
    sizes = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    for signs in product([1, -1], repeat=6):
        slopes = [2 * size if sign > 0 else -1.0 for sign, size in zip(signs, sizes, strict=True)]
        expected = [[slope if row == column else 0.0 for column in range(6)] for row, slope in enumerate(slopes)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert jitted([sign * size for sign, size in zip(signs, sizes, strict=True)]) == expected, signs
    assert len(jitted.cases) == 1


@pytest.mark.parametrize("xs", BATCHES)
def test_what_rows_close_over_is_differentiated(xs: list[float]) -> None:
    def function(ws: list[Any]) -> Any:
        shift = ws[0] * ws[1]
        return math.fsum(vmap(lambda x: x * shift if x > ws[1] else ws[0] / (x * x + 1) + ws[2])(xs))

    def mixed(ws: list[Any]) -> Any:  # entries that are closed over as well
        return sum(vmap(lambda w, x: w * ws[0] * x if w > x else w)(ws, xs))

    def same(ws: list[Any]) -> Any:  # rows that are all the same, and what is closed over
        return sum(vmap(lambda w: ws[0] * ws[0] * w if w > 0 else ws[0] * ws[0])([ws[0], ws[0]]))

    for transformed in (grad(function), hessian(function), jacfwd(lambda ws: [function(ws)]), grad(mixed), grad(same)):
        check(transformed, [1.0, 0.5, -1.0], [-1.0, 2.5, 3.0])


def test_several_numbers_of_a_row_and_one_that_it_closes_over() -> None:
    def function(columns: list[list[Any]], w: Any) -> Any:
        return sum(vmap(lambda x, y, z: w * x * x * y + z if x > 0 else w * z)(*columns))

    for argnums in (0, 1, (0, 1)):
        derived = grad(function, argnums=argnums)
        jitted = jit(derived)
        for columns in ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[1.0, -2.0], [3.0, 4.0], [5.0, 6.0]]):
            assert rounded(jitted(columns, 0.5)) == rounded(derived(columns, 0.5))


def test_what_rows_use_for_nothing_has_no_derivative() -> None:
    check(grad(lambda ws: sum(vmap(lambda x: (ws[0] * x, ws[1] * x)[1])([1.0, 2.0]))), [2.0, 3.0])


def test_tangents_of_what_rows_close_over() -> None:
    check(lambda w: jvp(lambda w: vmap(lambda x: w * x * x)([1.0, 2.0]), (w,), (1.0,)), 3.0)


def test_only_rows_with_tangents_are_asked() -> None:
    others = [Value(1.0), Value(2.0)]
    jitted = check(lambda x: jvp(lambda x: vmap(math.sin)([x, *others]), (x,), (1.0,))[1], 0.5)
    assert jitted.source.count("cos(") == 1


def test_only_rows_with_adjoints_are_asked() -> None:
    jitted = check(grad(lambda xs: vmap(math.sin)(xs)[1]), [0.5, 1.0, 1.5])
    assert jitted.source.count("cos(") == 1


def test_what_leads_to_rows_is_not_walked_over(monkeypatch: pytest.MonkeyPatch) -> None:
    between, walks = batch.between, []

    def watched(inputs: Any, outputs: Any, seen: Any = None) -> Any:
        found = between(inputs, outputs, seen=seen)
        walks.append(({*inputs}, {*found[0]}))
        return found

    monkeypatch.setattr(batch, "between", watched)
    for name in ("grad", "jvp"):
        walks.clear()
        check(TRANSFORMS[name](vmap(FUNCTIONS["a branch"])), BATCHES[0])
        assert walks and all(inputs.isdisjoint(order) for inputs, order in walks)


def test_a_batch_is_one_node_for_all_its_results() -> None:
    results: list[Value] = []

    def function(xs: list[Any]) -> Any:
        results[:] = vmap(lambda x: x * x)(xs)
        return sum(results)

    jit(grad(function))([1.0, 2.0])
    (node,), (other,) = (result.parents for result in results)
    assert node is other and (node.data, node.grad, node.label) == (0.0, 0.0, "")
    assert (node.op.name, node.op.symbol, node.op.mask, node.op.is_number) == ("vmap", "vmap", (True,), False)


def test_gradients_reach_leaves_through_derivatives_of_rows() -> None:
    w, twin = Value(1.5), Value(1.5)

    def function(w: Value) -> Function:
        return lambda xs: sum(grad(lambda ys: sum(vmap(lambda y: w * y * y if y > 0 else w * w * y)(ys)))(xs))

    jitted = jit(function(twin))
    for xs in BATCHES:
        function(w)(xs).backward()
        jitted(xs).backward()
        assert twin.grad == pytest.approx(w.grad, rel=1e-15)


def test_rows_of_values_and_nests() -> None:
    def of_row(row: dict[str, Any]) -> Any:
        return row["x"], {"z": row["y"] if row["x"] > 0 else -row["x"]}

    def function(rows: list[dict[str, Any]]) -> Any:
        return sum(x * out["z"] for x, out in vmap(of_row)(rows))

    for xs in BATCHES:
        check(lambda xs: grad(function)([{"x": x, "y": 2.0 * x} for x in xs]), xs)
        check(lambda xs: jvp(function, ([{"x": x, "y": x} for x in xs],), ([{"x": 1.0, "y": x} for x in xs],)), xs)


def test_a_row_that_uses_nodes_of_another_is_no_operation_of_its_own() -> None:
    def running(xs: list[Any]) -> Any:
        total = [0.0]

        def add(x: Any) -> Any:
            total[0] = total[0] + x * x
            return total[0]

        return sum(vmap(add)(xs))

    jitted = jit(grad(running))
    assert jitted([1.0, 2.0]) == grad(running)([1.0, 2.0]) == [4.0, 4.0]
    assert jitted([3.0, 2.0]) == [12.0, 4.0]


def test_a_function_that_changes_its_arguments_runs_eagerly() -> None:
    def popped(row: list[Any]) -> Any:
        return row.pop() * 2

    jitted = jit(lambda xs: grad(lambda ys: sum(vmap(popped)([[y, y * y] for y in ys])))(xs))
    with pytest.warns(RuntimeWarning, match="runs eagerly: a function under vmap that changes its arguments"):
        assert jitted([1.0, 2.0]) == [4.0, 8.0]


def test_under_no_grad_rows_have_no_derivative() -> None:
    def function(xs: list[Any]) -> Any:
        with no_grad():
            ys = vmap(lambda x: x * x if x > 0 else x)(xs)
        return sum(x * y for x, y in zip(xs, ys, strict=True))

    check(grad(function), *BATCHES)


def test_rows_that_no_derivative_reaches() -> None:
    check(grad(lambda xs: sum(vmap(lambda x: 2.0)(xs)) * xs[0]), *BATCHES)
    check(lambda xs: grad(lambda w: sum(vmap(lambda x: x if x > 0 else -x)(xs)) * w)(3.0), *BATCHES)
    check(lambda xs: jvp(vmap(lambda x: [x, 1.0] if x > 0 else [x * x, 1.0]), (xs,), ([1.0, 0.0, 0.0],)), *BATCHES)
