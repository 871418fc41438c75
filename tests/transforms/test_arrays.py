"""Arrays of NumPy, rows and columns of pandas as nests of numbers, wherever a nest is taken; and `scipy.optimize`."""

from array import array
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import (
    Value,
    derivative,
    draw,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    no_grad,
    stop_gradient,
    taylor,
    value_and_grad,
    vjp,
    vmap,
)
from microgrid.datasets import one_hot, train_test_split
from microgrid.losses import (
    accuracy,
    binary_cross_entropy,
    cross_entropy,
    hinge_loss,
    huber_loss,
    l1_loss,
    mse_loss,
)
from microgrid.nn import MLP, Embedding, Module
from microgrid.optim import SGD
from microgrid.testing import check_gradients
from microgrid.training import fit
from microgrid.transforms import arrays

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
optimize = pytest.importorskip("scipy.optimize")

pytestmark = pytest.mark.dev

POINT = np.array([0.5, -1.0, 2.0])
MATRIX = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def same(found: Any, expected: Any) -> None:
    """Check that an array has the numbers, the shape and the dtype of another."""
    assert type(found) is np.ndarray and found.dtype == expected.dtype and found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-12, atol=0)


def numbers(found: Any) -> list[float]:
    """Return the numbers of an array of `Value`s."""
    assert found.dtype == object
    return [value.data for value in found.ravel()]


# What a function is given


@pytest.mark.parametrize("transform", [grad, jit])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 2), (0,), (2, 0)])
def test_a_function_gets_an_array_of_the_same_shape(transform, shape):
    seen = []

    def total(x):
        seen.append((type(x), x.shape, {*map(type, x.ravel())}))
        return x.sum() + 0.0 * Value(0.0)

    transform(total)(np.ones(shape))
    assert seen == [(np.ndarray, shape, {Value} if 0 not in shape else set())]


@pytest.mark.parametrize("transform", [grad, jit])
@pytest.mark.parametrize(
    ("given_", "kind"),
    [
        (pd.Series([1.0, 2.0]), list),
        (pd.Series([1, 2], index=[7, 3]), list),
        (pd.Series([True, False]), list),
        (pd.Series([1, 2], dtype="Int64"), list),
        (pd.Series({"a": 1.0, "b": 2.0}), dict),
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}).iloc[1], dict),
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})["a"], list),
    ],
)
def test_a_row_is_a_dict_of_its_labels_and_a_column_a_list(transform, given_, kind):
    seen = []

    def total(x):
        seen.append(x)
        return sum(x.values() if isinstance(x, dict) else x)

    found = transform(total)(given_)
    (x,) = seen
    assert type(x) is kind and all(type(one) is Value for one in (x.values() if kind is dict else x))
    if transform is grad:
        assert found == ({"a": 1.0, "b": 1.0} if kind is dict else [1.0, 1.0])


FUNCTIONS = [
    lambda x: (x**2).sum(),
    lambda x: np.exp(x) @ x,
    lambda x: x[1:].prod() / x[0],
    lambda x: np.tanh(MATRIX @ x).mean() + np.sqrt(x @ x),
    lambda x: np.linalg.norm(x) * np.dot(x, POINT),
    lambda x: np.where(x[0] > 0, x[0] * x[1], -x[0]),
    lambda x: np.maximum(x, 0.0) @ x + np.cumsum(x)[-1],
    lambda x: np.var(x) + np.std(x) + np.median(x) + np.ptp(x) + np.sort(x)[0] + np.clip(x, -1.7, 1.7) @ x,
    lambda x: np.arctan(x).sum() + np.arcsinh(x) @ np.arcsin(x / 9) + np.arccos(x / 9)[0] + np.arctanh(x / 9)[1],
    lambda x: np.arccosh(abs(x) + 2) @ np.deg2rad(x) + np.rad2deg(x)[2] + np.stack([x, x]).sum(axis=0) @ x,
    lambda x: (np.outer(x, x) * np.eye(3)).trace() + x.reshape(3, 1).T[0, 2],
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("transform", [grad, value_and_grad, hessian, jacobian, jacfwd, jacrev])
def test_expressions_of_numpy_compiled_as_eagerly_as_by_differences(function, transform):
    eager, compiled = transform(function), jit(transform(function))
    for x in (POINT, POINT[::-1], POINT + 1):
        found = eager(x)
        for one, other in zip(*[[*each] if transform is value_and_grad else [each] for each in (found, compiled(x))],
                              strict=True):  # fmt: skip
            assert type(one) is type(other) and np.array_equal(one, other)
        slopes = found[1] if transform is value_and_grad else found
        same(np.asarray(slopes), np.asarray(slopes, dtype=float))
        if transform is grad:
            step = 1e-6 * np.eye(3)
            differences = [(function(x + e) - function(x - e)) / 2e-6 for e in step]
            assert np.allclose(slopes, differences, rtol=1e-6, atol=1e-6)
    assert not compiled._eager and compiled.cases


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=5), st.booleans())
def test_an_array_is_as_good_as_a_list(xs, compiles):
    def function(x):
        return sum(one * one.exp() if one > 0 else -one for one in x) * x[0]

    def made(transform):
        return jit(transform) if compiles else transform

    x = np.array(xs)
    same(made(grad(function))(x), np.array(grad(function)(xs)))
    same(made(hessian(function))(x), np.array(hessian(function)(xs)))
    assert made(value_and_grad(function))(x)[0] == value_and_grad(function)(xs)[0]


# What comes back


@pytest.mark.parametrize("compiles", [False, True])
@pytest.mark.parametrize("transform", [jacobian, jacfwd, jacrev])
def test_a_jacobian_has_the_shape_of_the_result_and_then_that_of_the_argument(transform, compiles):
    def made(function, **options):
        return jit(transform(function, **options)) if compiles else transform(function, **options)

    same(made(lambda x: MATRIX @ x)(POINT), MATRIX)
    assert made(lambda x: np.outer(x, x[:2]))(POINT).shape == (3, 2, 3)
    assert made(lambda x: x[0] * x)(MATRIX).shape == (2, 3, 2, 3)
    assert made(lambda x: x[0, 0])(MATRIX).shape == (2, 3)
    assert made(lambda x: x[:0])(POINT).shape == (0,)
    rows = made(lambda x: [x[0] * x[1], x[2]])(POINT)
    assert type(rows) is list and [row.tolist() for row in rows] == [[-1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]
    same(made(lambda x: np.array([x[0] * x[1], x[0]]))([2.0, 3.0]), np.array([[3.0, 2.0], [1.0, 0.0]]))
    same(made(lambda x: POINT * x)(2.0), POINT)


@dataclass
class Weights:
    w: Any
    b: Any = None


@pytest.mark.parametrize("compiles", [False, True])
def test_by_nests_the_jacobian_of_an_array_is_a_nest_of_arrays(compiles):
    def made(function, **options):
        return jit(jacobian(function, **options)) if compiles else jacobian(function, **options)

    found = made(lambda p: p["w"] * p["b"])({"w": POINT, "b": 2.0})
    same(found["w"], 2 * np.eye(3))
    same(found["b"], POINT)
    first, second = made(lambda x, y: x * y.sum(), argnums=(0, 1))(POINT, POINT[:2])
    same(first, -0.5 * np.eye(3))
    same(second, np.stack([POINT, POINT], axis=1))
    found = made(lambda p: p.w * p.w)(Weights(POINT))
    assert found.b is None
    same(found.w, np.diag(2 * POINT))
    whole, part = made(lambda p: p[0] * p[1])([POINT, 2.0])
    same(whole, 2 * np.eye(3))
    same(part, POINT)


def test_blocks_of_a_hessian():
    (aa, ab), (ba, bb) = hessian(lambda a, b: a @ a * b.sum(), argnums=(0, 1))(POINT, POINT[:2])
    same(aa, -1.0 * np.eye(3))
    same(ab, np.stack([2 * POINT, 2 * POINT], axis=1))
    same(ba, ab.T)
    same(bb, np.zeros((2, 2)))


def test_the_jacobian_of_an_array_by_a_module_is_a_list_of_modules():
    first, second = jacobian(lambda net: np.array([net([1.0, 2.0]), 2 * net([1.0, 2.0])]))(MLP(2, [1], rng=0))
    assert [2 * one.data for one in first.parameters()] == [two.data for two in second.parameters()]


def test_derivatives_by_values_in_an_array_are_values():
    x = np.array([Value(2.0), 3.0], dtype=object)
    slopes = grad(lambda x: x[0] ** 3 * x[1])(x)
    assert numbers(slopes) == [36.0, 8.0]
    slopes[1].backward()
    assert x[0].grad == 12.0
    assert numbers(grad(lambda x: (grad(lambda y: (y**3).sum())(x) ** 2).sum() * Value(1.0))(x)) == [288.0, 972.0]


@pytest.mark.parametrize("dtype", [int, bool, np.float32, np.uint8, np.longdouble, object])
def test_other_numbers_become_floats(dtype):
    x = np.array([1, 0, 1]).astype(dtype)
    for function in (grad(lambda x: (x * x).sum()), jit(grad(lambda x: (x * x).sum()))):
        same(function(x), np.array([2.0, 0.0, 2.0]))
    same(jit(lambda x: x * 2)(x), np.array([2, 0, 2], int if dtype is object else float))


def test_arrays_without_dimensions_and_scalars_are_numbers():
    for x in (np.array(3.0), np.float32(3.0), np.int64(3), np.array(3)):
        assert grad(lambda x: x**2)(x) == derivative(lambda x: x**2)(x) == 6.0
        assert Value(x).data == 3.0 and type(Value(x).data) is float
        assert (Value(2.0) * x).data == 6.0
        assert taylor(lambda x: x * x, x, 2) == [9.0, 6.0, 1.0]
    assert grad(lambda x: np.array(x * x))(3.0) == 6.0
    assert jacobian(lambda x: [np.array(x * x)])(3.0) == [6.0]
    size = jit(lambda x: np.where(x > 0, x, -x))
    assert [size(3.0), size(-3.0)] == [3.0, 3.0] and not size._eager


def test_the_other_transforms():
    y, slopes = jvp(lambda x: MATRIX @ x, (POINT,), (np.ones(3),))
    same(y, MATRIX @ POINT)
    same(slopes, MATRIX.sum(axis=1))
    same(jvp(lambda x: MATRIX @ x, (POINT,), ([1, 0, 0],))[1], MATRIX[:, 0])
    y, pullback = vjp(lambda x: MATRIX @ x, POINT)
    same(pullback(np.array([1, 0]))[0], MATRIX[0])
    same(pullback([0.0, 1.0])[0], MATRIX[1])
    same(hvp(lambda x: (x**3).sum(), (POINT,), (np.ones(3),))[0], 6 * POINT)
    y, pullback = vjp(lambda x: [[x[0], x[1]], [x[2], x[0]]], POINT)
    same(pullback(np.array([[1.0, 2.0], [3.0, 4.0]]))[0], np.array([5.0, 2.0, 3.0]))
    assert all(leaf.op is None for leaf in stop_gradient(np.array([2 * Value(1.0)])))
    slopes, aux = grad(lambda x: (x.sum(), {"mask": np.array([1, 0], np.int8), "x": x}), has_aux=True)(POINT)
    assert aux["mask"].dtype == np.int8
    same(aux["x"], POINT)


def test_fractions_in_an_array_stay_exact():
    (slope,) = grad(lambda x: x[0] ** 2)(np.array([Fraction(1, 3)]))
    assert slope == Fraction(2, 3) and type(slope) is Fraction


def test_a_shape_that_does_not_fit_is_named():
    with pytest.raises(TypeError, match=r"tangent 0: expected the shape of array\(\[ 0.5, -1. ,  2. \]\), got array"):
        jvp(lambda x: x, (POINT,), (POINT[:2],))
    with pytest.raises(TypeError, match=r"expected the function to return one number, got ndarray array\("):
        grad(lambda x: x)(POINT)


# Modules


class Linear(Module):
    """A model whose parameters stand in an array, beside one of settings."""

    def __init__(self) -> None:
        self.w = np.array([[Value(1.0), Value(2.0)]])
        self.scale = np.array([1, 2], np.int16)

    def __call__(self, x: Any) -> Any:
        return ((self.w @ x) * self.scale[:1])[0]


def test_arrays_in_modules():
    model = Linear()
    assert [*model.state_dict()] == ["w.0.0", "w.0.1"]
    slopes = grad(lambda model: model(np.array([3.0, 4.0])))(model)
    assert numbers(slopes.w) == [3.0, 4.0]
    assert slopes.scale is model.scale
    step = jit(lambda model, x: model(x))
    assert step(model, np.array([3.0, 4.0])).data == 11.0
    step(model, np.array([3.0, 4.0])).backward()
    assert [parameter.grad for parameter in model.parameters()] == [3.0, 4.0]
    model.scale[0] = 2
    assert step(model, np.array([3.0, 4.0])).data == 22.0
    assert not step._eager


def test_modules_take_arrays_rows_and_columns():
    net = MLP(2, [2, 1], rng=0)
    expected = net([1.0, 2.0]).data
    for x in (np.array([1, 2]), np.array([1.0, 2.0]), pd.Series([1.0, 2.0]), pd.Series({"a": 1.0, "b": 2.0})):
        assert net(x).data == expected
    with pytest.raises(TypeError, match=r"(?s)expects a sequence of 2 inputs, got DataFrame .*: write df.to_numpy\(\)"):
        net(pd.DataFrame([[1.0, 2.0]]))


# What is refused


class Lengths(np.ndarray):
    """Numbers with a unit, or a matrix: what calculates in another way than an array does."""


@pytest.mark.parametrize(
    ("nest", "words"),
    [
        (
            np.array(["1", "2"]),
            r"ndarray array\(.*, which holds str '1': .astype\(float\) makes numbers of their text$",
        ),
        (np.array([[1.0, None]]), r"ndarray .*, which holds NoneType None: leave it out, or fill it in$"),
        (np.array([1.0, [2.0]], dtype=object), r"ndarray .*, which holds list \[2.0\]: leave it out"),
        (np.array([1j]), r"ndarray array\(\[0.\+1.j\]\), which holds complex 1j: leave it out"),
        (np.array(["2020"], "datetime64[Y]"), r"ndarray .*, which holds date datetime.date\(2020, 1, 1\)"),
        (np.array([(1, 2.0)], "i4, f8"), r"ndarray .*, which holds tuple \(1, 2.0\)"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), r"MaskedArray .*: write x.compressed\(\) for what is not masked"),
        (np.ones(2).view(Lengths), r"Lengths .*: write numpy.asarray\(x\)$"),
        (pd.Series(["a", "b"]), "Series .*, which holds str 'a': "),
        (pd.Series([1, None], dtype="Int64"), "Series .*, which holds NAType <NA>: leave it out"),
        (pd.Series([1.0, 2.0], index=["a", "a"]), r"Series .*, whose labels are not unique: write .tolist\(\)"),
        (pd.DataFrame({"a": [1.0]}), r"DataFrame .*: write df.to_numpy\(\) for its rows, df.to_dict\('list'\)"),
        (pd.Index([1.0]), r"Index .*: write numpy.asarray\(x\)$"),
        (np.datetime64("2020"), "datetime64 np.datetime64"),
        (np.timedelta64(3, "s"), "timedelta64 np.timedelta64"),
        (np.array("3"), r"ndarray array\('3'"),
        (np.complex128(1j), "complex128 "),
    ],
)
def test_what_cannot_be_a_nest_is_refused_with_what_to_write(nest, words):
    with pytest.raises(TypeError, match=f"^grad\\(sum\\): argument 0: expected a number, .* got {words}"):
        grad(sum)(nest)
    assert not arrays.is_nest(nest)


@pytest.mark.parametrize("text", ["3", b"3"])
def test_text_without_dimensions_is_no_number(text):
    with pytest.raises(TypeError, match="expected a real number, got "):
        Value(np.array(text))


# scipy.optimize


def rosenbrock(x):
    return ((1 - x[:-1]) ** 2).sum() + 100 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


NET = MLP(2, [3, 1], activation="tanh", rng=0)


def through_a_network(x):
    return NET(x) ** 2 + x @ x


def number_of(function):
    return lambda x: float(function(x))


GRADIENT = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP"]
PRODUCT = ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"]
HESSIAN = [*PRODUCT, "dogleg", "trust-exact"]
START = np.array([1.3, 0.7])  # where the Hessian is positive, as dogleg demands


@pytest.mark.parametrize("function", [rosenbrock, through_a_network])
@pytest.mark.parametrize("compiles", [False, True])
@pytest.mark.filterwarnings("ignore::UserWarning:scipy")  # that a linear step changed nothing
def test_every_method_of_minimize(function, compiles):
    def made(transformed):
        return jit(transformed) if compiles else transformed

    value, slopes, curvature = made(value_and_grad(function)), made(grad(function)), made(hessian(function))
    product = made(lambda x, p: hvp(function, (x,), (p,))[0])
    with no_grad():
        found = [
            optimize.minimize(value, START, method=method, jac=True, **options)
            for methods, options in [(GRADIENT, {}), (HESSIAN, {"hess": curvature}), (PRODUCT, {"hessp": product})]
            for method in methods
        ]
        found += [
            optimize.minimize(number_of(function), START, method=method, jac=slopes)
            for method in [*GRADIENT, "Newton-CG"]
        ]
        lowest = optimize.minimize(number_of(function), START, method="Nelder-Mead", options={"fatol": 1e-9}).fun
        same(curvature(START), curvature(START).astype(float))
    for result in found:
        assert result.success and result.fun <= lowest + 1e-4, result
    if compiles:
        assert all(not one._eager and one.cases for one in (value, slopes, curvature, product))


def residuals(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@pytest.mark.parametrize("compiles", [False, True])
@pytest.mark.parametrize("function", [residuals, lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]]])
def test_least_squares_and_root(function, compiles):
    slopes = jit(jacobian(function)) if compiles else jacobian(function)
    for method in ("trf", "dogbox", "lm"):
        assert np.allclose(optimize.least_squares(function, START, jac=slopes, method=method).x, 1)
    for method in ("hybr", "lm"):
        assert np.allclose(optimize.root(function, START, jac=slopes, method=method).x, 1)
    assert not compiles or (slopes.cases and not slopes._eager)


def test_functions_of_scipy_are_differentiated():
    same(grad(optimize.rosen)(START), optimize.rosen_der(START))
    same(hessian(optimize.rosen)(START), optimize.rosen_hess(START))


# Under jit


def test_kind_and_shape_of_an_array_select_a_case_its_numbers_are_inputs():
    f = jit(lambda x: x.sum() * 2 if x.ndim > 1 else x.sum())
    for x in (POINT, -POINT, POINT.astype(np.float32), np.array([1, 2, 3])):
        assert f(x) == x.sum()
    assert f(MATRIX) == 42.0 and f(MATRIX.T) == 42.0 and f(np.asfortranarray(MATRIX)) == 42.0
    assert len(f.cases) == 3 and not f._eager


def test_a_compiled_function_returns_arrays_of_its_own():
    w = Value(2.0)
    f = jit(
        lambda x: {"twice": 2 * x, "by w": w * x, "large": x > 0, "fixed": np.arange(2), "first": x[:1], "text": "a"}
    )
    found = f(POINT)
    assert [*found] == ["twice", "by w", "large", "fixed", "first", "text"]
    same(found["twice"], 2 * POINT)
    same(found["large"], POINT > 0)
    same(found["fixed"], np.arange(2))
    same(found["first"], POINT[:1])
    assert numbers(found["by w"]) == [1.0, -2.0, 4.0]
    found["by w"].sum().backward()
    assert w.grad == 1.5
    for one in (found["twice"], found["large"], found["fixed"]):
        one[:] = 0
    again = f(POINT)
    same(again["large"], POINT > 0)
    same(again["fixed"], np.arange(2))
    same(f(-POINT)["large"], POINT < 0)
    assert len(f.cases) == 2 and not f._eager


def test_what_is_computed_of_values_in_arrays():
    f = jit(lambda x: (x * x).sum())
    x = np.array([Value(1.0), Value(2.0), 3.0], dtype=object)
    for _ in range(2):
        f(x).backward()
    assert [x[0].grad, x[1].grad, f(x).data] == [4.0, 8.0, 14.0] and len(f.cases) == 1


def test_integers_too_large_for_a_float_and_fractions_run_eagerly():
    f = jit(lambda x: x[0] * 2)
    assert f(np.array([2**53 + 1])) == 2**54 + 2
    assert f(np.array([Fraction(1, 3)])) == Fraction(2, 3)
    assert not f.cases and not f._eager


def test_what_cannot_be_compiled_of_arrays_runs_eagerly():
    def double(x):
        x *= 2
        return x

    for function, x, word in [(double, np.ones(2), "changes its arguments"), (len, np.array(["a"]), "type ndarray")]:
        f = jit(function)
        with pytest.warns(RuntimeWarning, match=f"runs eagerly: .*{word}"):
            f(x)
    table = jit(lambda x: x["a"].sum())
    with pytest.warns(RuntimeWarning, match="an argument of type DataFrame"):
        assert table(pd.DataFrame({"a": [1.0, 2.0]})) == 3.0


@pytest.mark.parametrize("number", [np.float64(3.0), np.float32(0.1), np.int64(3), np.bool_(True), np.array(3.0)])
def test_scalars_of_numpy_run_eagerly_without_a_warning_and_are_floats_among_data(number):
    twice = jit(lambda x: x * 2)
    found = twice(number)
    assert type(found) is type(number * 2) and found == number * 2
    assert twice(x=number) == number * 2
    assert not twice.cases
    among = jit(lambda xs: xs[0] * 2)
    assert type(among([number])) is float and among([number]) == float(number) * 2
    assert not twice._eager and not among._eager


# Where data are taken


X, Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
LISTS = X.astype(float).tolist(), Y.tolist()


def history(data, compiles, model=None, loss=mse_loss):
    net = model or MLP(2, [3, 1], activation="tanh", rng=0)
    found = fit(net, data, loss=loss, optimizer=SGD(net.parameters(), lr=0.1), epochs=3, compile=compiles,
                metrics={"accuracy": accuracy})  # fmt: skip
    return found.loss, found.metrics["accuracy"]


@pytest.mark.parametrize("compiles", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        (X, Y),
        (X.astype(float), Y.astype(float)),
        (X.astype(np.float32), pd.Series(Y, index=[4, 2, 7, 1])),
        (X.astype(bool), Y.astype(bool)),
        (X.astype(object), array("i", [0, 1, 1, 0])),
        ([*X], [*Y]),
        ([row for _, row in pd.DataFrame(X.astype(float), columns=["a", "b"]).iterrows()], pd.Series(Y > 0)),
        (pd.DataFrame(X).to_numpy(), pd.Series(Y, index=[*"abcd"])),
    ],
)
def test_fit_takes_arrays_as_it_takes_lists(data, compiles):
    if isinstance(data[0], list) and isinstance(data[0][0], pd.Series):
        rows, targets = data
        assert [x["a"] for x in rows] == X[:, 0].tolist()

        class ByName(Module):
            def __init__(self):
                self.net = MLP(2, [3, 1], activation="tanh", rng=0)

            def __call__(self, x):
                return self.net([x["a"], x["b"]])

        assert history((rows, targets), compiles, ByName()) == history(LISTS, compiles)
    else:
        assert history(data, compiles) == history(LISTS, compiles)


class OfNumpy(Module):
    """A model that calculates with whole arrays."""

    def __init__(self) -> None:
        self.w, self.b = np.array([[Value(0.5), Value(-1.0)], [Value(0.25), Value(2.0)]]), Value(0.1)

    def __call__(self, x: Any) -> Any:
        return np.tanh(self.w @ x + self.b).sum() + (x**2).sum() + np.exp(x)[0]


def test_a_model_gets_rows_as_arrays():
    data = X.astype(float), Y
    (eager, _), (compiled, _) = history(data, False, OfNumpy()), history(data, True, OfNumpy())
    assert np.allclose(eager, compiled, rtol=1e-12) and eager[2] < eager[0]


class OfIndices(Module):
    """A model whose inputs are indices."""

    def __init__(self) -> None:
        self.words, self.layer = Embedding(3, 2, rng=0), MLP(4, [3], rng=0)

    def __call__(self, x: Any) -> Any:
        return self.layer([one for index in x for one in self.words(index)])


@pytest.mark.parametrize("compiles", [False, True])
def test_integers_in_data_stay_indices(compiles):
    data = np.array([[0, 2], [1, 0], [2, 1]]), np.array([1, 2, 0])
    lists = [part.tolist() for part in data]
    found = history(data, compiles, OfIndices(), cross_entropy)
    assert found == history(lists, compiles, OfIndices(), cross_entropy)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (np.array(["a", "b"]), "fit expects numbers, got ndarray, which holds str 'a': "),
        (pd.Series([1.0, "b"]), "fit expects numbers, got Series, which holds str 'b': "),
        (np.array([[1.0, None], [1.0, 2.0]]), "fit expects numbers, got ndarray, which holds NoneType None: leave it"),
        (pd.DataFrame([[1.0], [2.0]]), r"fit expects a list or an array, got DataFrame: write df.to_numpy\(\)"),
    ],
)
def test_data_that_are_not_numbers_are_refused(part, words):
    for data in ((part, [0, 1]), (np.ones((2, 2)), part)):
        with pytest.raises(TypeError, match=f"^{words}"):
            history(data, True)


@pytest.mark.parametrize(
    "kind", [np.array, pd.Series, lambda xs: pd.Series(xs, index=[*"abc"]), lambda xs: np.array(xs, object)]
)
@pytest.mark.parametrize("loss", [mse_loss, l1_loss, huber_loss, hinge_loss, binary_cross_entropy, accuracy])
def test_losses_and_metrics_of_arrays(loss, kind):
    x, y = [0.5, 0.25, 0.75], [1, -1, 1] if loss is hinge_loss else [1, 0, 1]
    assert loss(kind(x), kind(y)) == loss(x, kind(y)) == loss(x, y)
    values = loss(kind([Value(one) for one in x]), y)
    assert (values if loss is accuracy else values.data) == loss(x, y)
    if loss is not accuracy:
        assert type(loss(np.array(0.5), np.array(1.0))) is float
        assert loss(kind(x), kind(y), reduction="none") == loss(x, y, reduction="none")


def test_losses_of_booleans_and_rows():
    x, y = [0.5, 2.0], np.array([True, False])
    assert mse_loss(x, y) == mse_loss(x, [1, 0]) and accuracy(x, y) == accuracy(x, [1, 0])
    rows, hot = MATRIX, np.array([[0, 1, 0], [0.5, 0.5, 0]])
    for target in (np.array([0, 2]), pd.Series([0, 2]), hot, [*hot], [np.int64(0), np.int8(2)]):
        plain = [one.tolist() for one in target] if hasattr(target[0], "__len__") else [*map(int, target)]
        for logits in (rows, [*rows], np.array([[Value(one) for one in row] for row in rows])):
            assert float(cross_entropy(logits, target)) == cross_entropy(rows.tolist(), plain)
            assert accuracy(logits, target) == accuracy(rows.tolist(), plain)
    assert cross_entropy(rows[0], np.array(1)) == cross_entropy(rows[0].tolist(), 1)
    for loss in (mse_loss, cross_entropy, accuracy):
        with pytest.raises(TypeError, match=f"^{loss.__name__} expects a list or an array, got DataFrame: write "):
            loss(pd.DataFrame([[0.5], [1.0]]), [0, 1])
        with pytest.raises(TypeError, match=f"^{loss.__name__} expects a list or an array, got DataFrame: write "):
            loss([[0.5], [1.0]], pd.DataFrame([0, 0]))


@pytest.mark.parametrize("compiles", [False, True])
def test_rows_of_a_batch(compiles):
    def made(function):
        return jit(function) if compiles else function

    slopes = made(vmap(grad(lambda x: (x**3).sum())))(MATRIX)
    assert [row.tolist() for row in slopes] == (3 * MATRIX**2).tolist()
    for xs in (POINT, np.array([1, 2, 3]), pd.Series([1, 2], index=[7, 3]), array("d", [1.0])):
        found = made(vmap(lambda x, p: x * p, in_axes=(0, None)))(xs, 2)
        assert found == [2 * x for x in [*xs]] and {*map(type, found)} <= {int, float}
    by_name = made(vmap(lambda row: row["a"] * row["b"].sum()))({"a": pd.Series([1.0, 2.0]), "b": MATRIX})
    assert by_name == [6.0, 30.0]


@pytest.mark.parametrize("given_", [np.array(1.0), pd.DataFrame({"a": [1.0]})])
def test_what_is_no_batch(given_):
    with pytest.raises(TypeError, match=f"expected argument 0 to be a list of rows, got {type(given_).__name__}"):
        vmap(abs)(given_)


def test_parts_of_arrays():
    rows, targets = np.arange(12.0).reshape(6, 2), pd.Series(range(6), index=[5, 4, 3, 2, 1, 0])
    found = train_test_split(rows, targets, rows.tolist(), test_size=2, rng=0)
    expected = train_test_split(rows.tolist(), targets.tolist(), rows.tolist(), test_size=2, rng=0)
    same(found[0], np.array(expected[0]))
    same(found[1], np.array(expected[1]))
    assert found[2:] == expected[2:]
    with pytest.raises(TypeError, match="train_test_split expects a list or an array, got DataFrame: write "):
        train_test_split(pd.DataFrame(rows), targets)


def test_one_hot_rows_of_arrays():
    for target in (np.array([0, 2]), pd.Series([0, 2], index=[*"ab"]), array("i", [0, 2])):
        assert one_hot(target) == one_hot([0, 2])
    assert one_hot(np.array(1), 2) == one_hot(np.int64(1), 2) == [0.0, 1.0]


def test_parameters_in_an_array():
    w = np.array([[Value(1.0)], [Value(2.0)]])
    optimizer = SGD(w, lr=0.5)
    (w * w).sum().backward()
    optimizer.step()
    assert numbers(w) == [0.0, 0.0]


def test_a_checker_of_gradients_takes_arrays():
    check_gradients(lambda x: np.tanh(x) @ x, POINT)
    with pytest.raises(AssertionError, match=r"x\[1\]|\[1\]"):
        check_gradients(lambda x: x[0] + x[1] * 2 - stop_gradient(x)[1], POINT)


def test_plots_of_arrays():
    data, lists = (X.astype(float), Y), LISTS

    def of_arrays(x):
        return (x**2).sum() + MLP(2, [1], rng=0)(x)

    def of_lists(x):
        return sum(one**2 for one in x) + MLP(2, [1], rng=0)(x)

    expected = draw.decision_boundary_text(of_lists, lists, width=19, color=False)
    assert draw.decision_boundary_text(of_arrays, data, width=19, color=False) == expected
    assert draw.plot_decision_boundary(of_arrays, data, resolution=4).get_title() == "decision boundary"
    assert draw.plot_representation(lambda x: np.tanh(x * 2), data).get_title() == "hidden space"
    net = MLP(2, [1], rng=0)
    surface = draw.plot_loss_surface(net, data, loss=mse_loss, resolution=3, rng=0)
    assert surface.get_title() == "loss surface"
    losses = [0.5, 0.25, 0.125]
    for given_ in (np.array(losses), pd.Series(losses), pd.Series(losses, index=[*"abc"])):
        assert draw.history_text(given_, width=20) == draw.history_text(losses, width=20)
    assert draw.history_text({"a": np.array(losses)}, width=20) == draw.history_text({"a": losses}, width=20)
