"""Transforms: functions that differentiate functions, to any order and in both modes, with JAX's names and conventions.

Arguments and results are numbers, `Value`s, and nests of them (see `tree`); a gradient has the nest of its argument. No
`.grad` is read or written. How it is done is in `runs` and `passes`.

All numbers that a transform returns are `Value`s, recorded so that they can be differentiated again, inside another
transform, where an argument, tangent or cotangent is a `Value`, and where the result depends on one that was there
before the call: so `backward()` reaches the parameters of a network that the function closes over, as in `torch.func`.
Otherwise they are plain, as they are under `no_grad()` and where all that the function closes over is frozen.

>>> from microgrid import Value, no_grad
>>> slope = Value(3.0)
>>> out = grad(lambda x: slope * x * x)(2.0)
>>> out.backward()
>>> out.data, slope.grad
(12.0, 4.0)
>>> with no_grad():
...     grad(lambda x: slope * x * x)(2.0)
12.0

A NumPy array, an `array.array`, a row or a column of pandas is a nest as well (see `arrays`): the function gets an
array of `Value`s with `dtype=object`, a list, or a dict of the labels. Derivatives by a NumPy array are arrays of
floats, which is what `scipy.optimize` takes: `minimize(value_and_grad(f), x0, jac=True)`, `jac=grad(f)`,
`hess=hessian(f)`, `hessp=lambda x, p: hvp(f, (x,), (p,))[0]`, `least_squares(f, x0, jac=jacobian(f))`. If `f` closes
over the parameters of a network, call it under `no_grad()`, and give `lambda x: float(f(x))` where `f` itself is asked
for.
"""

from __future__ import annotations

from functools import wraps

from microgrid.engine.numbers import is_node
from microgrid.transforms import nests as tree
from microgrid.transforms.run import Run, name_of, one_of, paired, plain, surrounding
from microgrid.transforms.series import magnified
from microgrid.transforms.taylor import expanded, last_derivative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.transforms.run import Argnums, Function


def gradient(run: Run) -> Any:
    """Return the gradient of the only number that a run gave."""
    run.check_scalar()
    return run.in_nest(run.pull([one_of(run.out)], run.records))


def value_and_grad(function: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return a function that returns what `function` returns, and its gradient.

    Args:
        function: returns one number, or with `has_aux` a pair of one and anything else.
        argnums: the position of the argument to differentiate by, or several of them.
        has_aux: whether the function returns a pair.

    Returns:
        a function of the same arguments; it returns `(value, gradient)`, or `((value, aux), gradient)`. The gradient
        has the nest of the argument, in a tuple if `argnums` is one.

    Raises:
        TypeError: when called, if an argument or the result is not what it should be, or an operation was written by
            hand.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 4.0)
    (12.0, (4.0, 3.0))
    """
    name = name_of("value_and_grad", function)

    @wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run = Run(name, function, args, kwargs, argnums, has_aux)
        slopes = gradient(run)
        return run.with_aux(run.results(), has_aux), slopes

    return transformed


def grad(function: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return a function that returns the gradient of `function`.

    Args:
        function, argnums, has_aux: as for `value_and_grad`.

    Returns:
        a function of the same arguments; it returns the gradient, or `(gradient, aux)`.

    Raises:
        TypeError: when called, as `value_and_grad`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    >>> grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": [5.0]})
    {'a': 5.0, 'b': [2.0]}
    """
    name = name_of("grad", function)

    @wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run = Run(name, function, args, kwargs, argnums, has_aux)
        return run.with_aux(gradient(run), has_aux)

    return transformed


def vjp(function: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Return what `function` returns, and its pullback: the product of a vector and the Jacobian matrix.

    Args:
        function: returns a number or a nest of numbers, or with `has_aux` a pair of that and anything else.
        primals: its arguments, all differentiated by.
        has_aux: whether the function returns a pair.

    Returns:
        `(result, pullback)` or `(result, pullback, aux)`; `pullback` takes cotangents, in the nest of the result, and
        returns the tuple of their products for the arguments. It can be called again and again.

    >>> y, pullback = vjp(lambda x, y: [x * y, x + y], 3.0, 4.0)
    >>> y, pullback([1.0, 10.0])
    ([12.0, 7.0], (14.0, 13.0))
    """
    run = Run(name_of("vjp", function), function, primals, {}, range(len(primals)), has_aux)

    def pullback(cotangents: Any) -> Any:
        seeds, records = paired(f"{run.name}: the cotangents", run.out, cotangents)
        records = records or run.records or surrounding() is not None
        return run.in_nest(run.pull(seeds if records else map(plain, seeds), records))

    answer = run.with_aux(run.results(), has_aux)
    return (answer[0], pullback, answer[1]) if has_aux else (answer, pullback)


def jvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """Return what `function` returns, and its pushforward of `tangents`: the Jacobian matrix times a vector.

    Args:
        function: returns a number or a nest of numbers, or with `has_aux` a pair of that and anything else.
        primals: the tuple of its arguments.
        tangents: the directions, in the nests of the arguments.
        has_aux: whether the function returns a pair.

    Returns:
        `(result, tangents of the result)`, or `(result, tangents, aux)`.

    >>> jvp(lambda x, y: [x * y, x + y], (3.0, 4.0), (1.0, 10.0))
    ([12.0, 7.0], [34.0, 11.0])
    """
    return pushed(name_of("jvp", function), function, primals, tangents, has_aux)


def pushed(name: str, function: Function, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Return what `jvp` does; errors call it `name`."""
    if not (isinstance(primals, tuple | list) and isinstance(tangents, tuple | list)):
        raise TypeError(f"{name}: expected primals and tangents as tuples, got {primals!r:.60} and {tangents!r:.60}")
    if len(primals) != len(tangents):
        raise TypeError(f"{name}: expected a tangent for each primal, got {len(tangents)} for {len(primals)}")
    run = Run(name, function, primals, {}, range(len(primals)), has_aux)
    seeds: list[Any] = []
    for index, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        numbers, met_value = paired(f"{name}: tangent {index}", primal, tangent)
        seeds += numbers
        run.records = run.records or met_value
    run.witnesses += seeds
    slopes = tree.rebuilt(run.out, run.push(seeds if run.records else map(plain, seeds), run.records))
    answer = run.with_aux(run.results(), has_aux)
    return (answer[0], slopes, answer[1]) if has_aux else (answer, slopes)


def one_hot(leaves: Sequence[Any], index: int) -> list[Any]:
    """Return seeds for `leaves`: one at `index`, plain zeros elsewhere."""
    return [one_of(leaf) if place == index else 0 for place, leaf in enumerate(leaves)]


def rows(run: Run) -> list[list[Any]]:
    """Return the Jacobian matrix by reverse mode, a pass for each output."""
    return [run.pull(one_hot(run.outputs, index), run.records) for index in range(len(run.outputs))]


def columns(run: Run) -> list[list[Any]]:
    """Return the Jacobian matrix by forward mode, a pass for each input."""
    passes = [run.push(one_hot(run.inputs, index), run.records) for index in range(len(run.inputs))]
    return [list(row) for row in zip(*passes, strict=True)] or [[] for _ in run.outputs]


def cheaper(run: Run) -> list[list[Any]]:
    """Return the Jacobian matrix by the mode that takes fewer passes."""
    return rows(run) if len(run.outputs) <= len(run.inputs) else columns(run)


def jacobian_by(
    matrix: Callable[[Run], list[list[Any]]], transform: str, function: Function, argnums: Argnums
) -> Function:
    """Return a function that returns the Jacobian matrix of `function`, found by `matrix`."""
    name = name_of(transform, function)

    @wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run = Run(name, function, args, kwargs, argnums)
        return tree.rebuilt(run.out, map(run.in_nest, matrix(run)))

    return transformed


def jacrev(function: Function, argnums: Argnums = 0) -> Function:
    """Return a function that returns the Jacobian matrix of `function` by reverse mode, a pass for each output.

    Args:
        function, argnums: as for `jacobian`.

    >>> jacrev(lambda x: [x[0] * x[1], x[0]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 0.0]]
    """
    return jacobian_by(rows, "jacrev", function, argnums)


def jacfwd(function: Function, argnums: Argnums = 0) -> Function:
    """Return a function that returns the Jacobian matrix of `function` by forward mode, a pass for each input.

    Args:
        function, argnums: as for `jacobian`.

    >>> jacfwd(lambda x: [x[0] * x[1], x[0]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 0.0]]
    """
    return jacobian_by(columns, "jacfwd", function, argnums)


def jacobian(function: Function, argnums: Argnums = 0) -> Function:
    """Return a function that returns the Jacobian matrix of `function`, by the mode that takes fewer passes.

    Args:
        function: returns a number or a nest of numbers.
        argnums: the position of the argument to differentiate by, or several of them.

    Returns:
        a function of the same arguments; it returns the nest of the result, in which the nest of the argument stands in
        place of each number. An array of NumPy has the dimensions of the result and then those of the argument; where
        the argument is a dict, say, there is a dict of arrays.

    >>> jacobian(lambda x, y: {"sum": x + y, "product": x * y}, argnums=(0, 1))(2.0, 3.0)
    {'sum': (1.0, 1.0), 'product': (3.0, 2.0)}
    """
    return jacobian_by(cheaper, "jacobian", function, argnums)


def hessian(function: Function, argnums: Argnums = 0) -> Function:
    """Return a function that returns the second derivatives of `function`: the gradient pushed forward, once an input.

    Args:
        function, argnums: as for `jacobian`.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian_by(columns, "hessian", jacobian_by(rows, "hessian", function, argnums), argnums)


def hvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the product of the Hessian matrix and a vector, at a small multiple of the cost of `function`.

    The gradient is pushed forward along the vector; no matrix is made.

    Args:
        function: returns one number.
        primals: the tuple of its arguments.
        tangents: the vector, in the nests of the arguments.

    >>> hvp(lambda x: x[0] ** 2 * x[1], ([3.0, 5.0],), ([1.0, 10.0],))
    ([70.0, 6.0],)
    """
    name = name_of("hvp", function)

    def slopes(*args: Any) -> Any:
        return gradient(Run(name, function, args, {}, range(len(args))))

    return pushed(name, slopes, primals, tangents)[1]


def stop_gradient(nest: Any) -> Any:
    """Return `nest` with every `Value` in it detached: a constant to differentiation.

    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return tree.replace(lambda leaf: leaf.detach() if is_node(leaf) else leaf, "stop_gradient: the nest", nest)


def taylor(function: Function, x: Any, order: int) -> list[Any]:
    """Return the Taylor coefficients of `function` at `x`: its value, its derivative, half of the second one, ….

    Nothing on the way to a coefficient overflows or underflows that need not: the series is scaled, which is exact.

    Args:
        function: of one number; returns a number or a nest of numbers.
        x: the point.
        order: the highest power.

    Returns:
        a list of `order + 1` numbers, or nests of numbers: the `k`-th derivative divided by the factorial of `k`.

    Raises:
        ValueError: if `order` is no whole number of at least 0.

    >>> taylor(lambda x: 1 / (1 - x), 0.0, 4)
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    out, series = expansion(name_of("taylor", function), function, x, order)
    return [
        tree.rebuilt(out, [magnified(terms[power], -power * exponent) for terms, exponent in series])
        for power in range(order + 1)
    ]


def check_order(name: str, order: Any) -> None:
    """Raise ValueError unless `order` is a whole number of at least 0."""
    if not (isinstance(order, int) and order >= 0):
        raise ValueError(f"{name}: expected an order of 0, 1, 2, …, got {order!r:.60}")


def expansion(name: str, function: Function, x: Any, order: int) -> tuple[Any, list[tuple[list[Any], int]]]:
    """Return what `function` returns, and for each leaf what `expanded` does; errors call the transform `name`."""
    check_order(name, order)
    run = Run(name, function, (x,), {}, 0)
    if not run.sources or run.sources[0] is not x:
        raise TypeError(f"{name}: expected x to be one number, got {x!r:.60}")
    try:
        return run.out, expanded(run, order)
    except RecursionError:
        raise RecursionError(f"{name}: the order {order} is too high for an operation in the function") from None


def derivative(function: Function, n: int = 1) -> Function:
    """Return the `n`-th derivative of a function of one number, as a function.

    It is inf or 0 only where it leaves the range of floats itself: neither `n!` nor the terms of the series do, which
    is scaled.

    Args:
        function: returns a number or a nest of numbers.
        n: the order of the derivative; 0 gives the function itself.

    Raises:
        ValueError: if `n` is no whole number of at least 0.

    >>> derivative(lambda x: x**5, 3)(2.0)
    240.0
    """
    name = name_of("derivative", function)
    check_order(name, n)

    @wraps(function)
    def transformed(x: Any) -> Any:
        out, series = expansion(name, function, x, n)
        return tree.rebuilt(out, [last_derivative(terms, exponent) for terms, exponent in series])

    return transformed
