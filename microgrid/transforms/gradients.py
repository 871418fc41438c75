"""Transforms: functions that differentiate functions, to any order and in both modes, with JAX's names and conventions.

Arguments and results are numbers, `Value`s, and nests of them (see `nests`); a gradient has the nest of its argument.
`.grad` is neither read nor written. The work is done in `run`, by the passes of `engine.sweeps`.

All numbers that a transform returns are `Value`s, recorded so that they can be differentiated again, if it is called
inside another transform, if an argument, tangent or cotangent is a `Value`, or if the result depends on a `Value` made
before the call. So `backward()` reaches the parameters of a network that the function closes over, as in `torch.func`.
Otherwise the numbers are plain, as they are under `no_grad()` and where the function closes over frozen `Value`s only.

>>> from microgrid import Value, no_grad
>>> slope = Value(3.0)
>>> out = grad(lambda x: slope * x * x)(2.0)
>>> out.backward()
>>> out.data, slope.grad
(12.0, 4.0)
>>> with no_grad():
...     grad(lambda x: slope * x * x)(2.0)
12.0

A NumPy array, an `array.array`, a pandas row or column is a nest as well (see `arrays`): the function gets an array of
`Value`s with `dtype=object`, a list, or a dict of the labels. Derivatives by a NumPy array are arrays of floats, as
`scipy.optimize` wants them: `minimize(value_and_grad(f), x0, jac=True)`, `jac=grad(f)`, `hess=hessian(f)`,
`hessp=lambda x, p: hvp(f, (x,), (p,))[0]`, `least_squares(f, x0, jac=jacobian(f))`. If `f` closes over the parameters
of a network, call `minimize` under `no_grad()`, and pass `lambda x: float(f(x))` in place of `f` itself.
"""

from __future__ import annotations

from functools import wraps

from microgrid.engine.numbers import is_node
from microgrid.transforms import nests
from microgrid.transforms.run import Run, name_of, one_of, paired, plain, surrounding
from microgrid.transforms.series import magnified
from microgrid.transforms.taylor import expanded, last_derivative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.transforms.run import Argnums, Function


def gradient(run: Run) -> Any:
    """Return the gradient of the single number that a run returned."""
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
        TypeError: when called, if an argument is not a nest of numbers, if the result is not one number, or if an
            operation was written by hand.

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
        primals: its arguments; it is differentiated by all of them.
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
    """Return what `jvp` returns; errors name the transform `name`."""
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
    slopes = nests.rebuilt(run.out, run.push(seeds if run.records else map(plain, seeds), run.records))
    answer = run.with_aux(run.results(), has_aux)
    return (answer[0], slopes, answer[1]) if has_aux else (answer, slopes)


def one_hot(leaves: Sequence[Any], index: int) -> list[Any]:
    """Return seeds for `leaves`: one at `index`, plain zeros elsewhere."""
    return [one_of(leaf) if position == index else 0 for position, leaf in enumerate(leaves)]


def rows(run: Run) -> list[list[Any]]:
    """Return the Jacobian matrix by reverse mode, one pass for each output."""
    return [run.pull(one_hot(run.outputs, index), run.records) for index in range(len(run.outputs))]


def columns(run: Run) -> list[list[Any]]:
    """Return the Jacobian matrix by forward mode, one pass for each input."""
    tangents = [run.push(one_hot(run.inputs, index), run.records) for index in range(len(run.inputs))]
    return [list(row) for row in zip(*tangents, strict=True)] or [[] for _ in run.outputs]


def cheaper(run: Run) -> list[list[Any]]:
    """Return the Jacobian matrix by the mode that takes fewer passes."""
    return rows(run) if len(run.outputs) <= len(run.inputs) else columns(run)


def jacobian_by(
    matrix: Callable[[Run], list[list[Any]]], transform: str, function: Function, argnums: Argnums
) -> Function:
    """Return a function that returns the Jacobian matrix of `function`, computed by `matrix`."""
    name = name_of(transform, function)

    @wraps(function)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run = Run(name, function, args, kwargs, argnums)
        return nests.rebuilt(run.out, map(run.in_nest, matrix(run)))

    return transformed


def jacrev(function: Function, argnums: Argnums = 0) -> Function:
    """Return a function that returns the Jacobian matrix of `function` by reverse mode, one pass for each output.

    Args:
        function, argnums: as for `jacobian`.

    >>> jacrev(lambda x: [x[0] * x[1], x[0]])([2.0, 3.0])
    [[3.0, 2.0], [1.0, 0.0]]
    """
    return jacobian_by(rows, "jacrev", function, argnums)


def jacfwd(function: Function, argnums: Argnums = 0) -> Function:
    """Return a function that returns the Jacobian matrix of `function` by forward mode, one pass for each input.

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
        a function of the same arguments; it returns the nest of the result with each number replaced by the nest of
        the argument. If both are NumPy arrays, the matrix is an array with the dimensions of the result followed by
        those of the argument; if the argument is a dict and the result an array, it is a dict of arrays.

    >>> jacobian(lambda x, y: {"sum": x + y, "product": x * y}, argnums=(0, 1))(2.0, 3.0)
    {'sum': (1.0, 1.0), 'product': (3.0, 2.0)}
    """
    return jacobian_by(cheaper, "jacobian", function, argnums)


def hessian(function: Function, argnums: Argnums = 0) -> Function:
    """Return a function that returns the second derivatives of `function`, by forward mode over its gradient.

    Args:
        function, argnums: as for `jacobian`.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 5.0])
    [[10.0, 6.0], [6.0, 0.0]]
    """
    return jacobian_by(columns, "hessian", jacobian_by(rows, "hessian", function, argnums), argnums)


def hvp(function: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the product of the Hessian matrix and a vector, at a small multiple of the cost of `function`.

    The gradient is pushed forward along the vector; the matrix is never built.

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
    return nests.replace(lambda leaf: leaf.detach() if is_node(leaf) else leaf, "stop_gradient: the nest", nest)


def taylor(function: Function, x: Any, order: int) -> list[Any]:
    """Return the Taylor coefficients of `function` at `x`: its value, its derivative, half of the second one, ….

    The series is scaled by a power of two, which is exact, so that intermediate results neither overflow nor underflow
    if any scale can prevent it.

    Args:
        function: of one number; returns a number or a nest of numbers.
        x: the point.
        order: the highest power.

    Returns:
        a list of `order + 1` numbers, or nests of numbers: the `k`-th derivative divided by the factorial of `k`.

    Raises:
        ValueError: if `order` is not a whole number of at least 0.

    >>> taylor(lambda x: 1 / (1 - x), 0.0, 4)
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    out, series = expansion(name_of("taylor", function), function, x, order)
    return [
        nests.rebuilt(out, [magnified(terms[power], -power * exponent) for terms, exponent in series])
        for power in range(order + 1)
    ]


def check_order(name: str, order: Any) -> None:
    """Raise ValueError unless `order` is a whole number of at least 0."""
    if not (isinstance(order, int) and order >= 0):
        raise ValueError(f"{name}: expected an order of 0, 1, 2, …, got {order!r:.60}")


def expansion(name: str, function: Function, x: Any, order: int) -> tuple[Any, list[tuple[list[Any], int]]]:
    """Return what `function` returns, and for each of its leaves the terms that `expanded` returns."""
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

    The result overflows or underflows only if the derivative itself is out of the range of floats: the factor `n!` is
    rounded but cannot overflow, and the series is scaled.

    Args:
        function: returns a number or a nest of numbers.
        n: the order of the derivative; 0 gives the function itself.

    Raises:
        ValueError: if `n` is not a whole number of at least 0.

    >>> derivative(lambda x: x**5, 3)(2.0)
    240.0
    """
    name = name_of("derivative", function)
    check_order(name, n)

    @wraps(function)
    def transformed(x: Any) -> Any:
        out, series = expansion(name, function, x, n)
        return nests.rebuilt(out, [last_derivative(terms, exponent) for terms, exponent in series])

    return transformed
