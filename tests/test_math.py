"""`microgrid.math` is the standard `math` for numbers, bit for bit, and takes `Value`s everywhere."""

import inspect
import math as standard
import pickle
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, math
from microgrid.math.functions import FUNCTIONS
from microgrid.rules.table import ROWS, Rule

# The names of the `math` module of Python 3.13.
NAMES = """
acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp exp2 expm1 fabs
factorial floor fma fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm ldexp lgamma log log10
log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt sumprod tan tanh tau trunc ulp
""".split()
NETWORK_NAMES = """
binary_cross_entropy binary_cross_entropy_with_logits clip digamma dot elu gelu leaky_relu less log_softmax logaddexp
logsigmoid logsumexp maximum mean minimum polygamma relu sigmoid sign silu softmax softplus softsign step where
""".split()
CONSTANTS = ("e", "inf", "nan", "pi", "tau")
INTEGER_FUNCTIONS = ("comb", "factorial", "gcd", "isqrt", "lcm", "perm")

ANYTHING = st.one_of(
    st.floats(),
    st.integers(-5, 5),
    st.integers(-(10**400), 10**400),
    st.booleans(),
    st.fractions(-9, 9, max_denominator=9),
    st.sampled_from(["a", None, 1j, [1.0]]),
)
SEQUENCES = st.lists(ANYTHING, max_size=4) | st.lists(st.floats() | st.integers(-9, 9), max_size=4)


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the result with its type, or the error with its message."""
    try:
        result = function(*args, **kwargs)
    except Exception as error:
        return type(error), str(error)
    return type(result), repr(result)


def test_every_name_is_there() -> None:
    assert set(math.__all__) >= {*NAMES, *NETWORK_NAMES}
    assert {name for name in dir(standard) if not name.startswith("_")} <= set(math.__all__)
    assert all(getattr(math, name) == getattr(standard, name) or name == "nan" for name in CONSTANTS)


def test_what_is_an_operator_or_private_is_no_name_of_the_module() -> None:
    assert not {"add", "neg", "abs", "round"} & {*math.__all__}
    assert math.__name__ == "microgrid.math" and not [name for name in math.__all__ if name.startswith("_")]


FUNCTION_NAMES = [name for name in NAMES if name not in CONSTANTS and hasattr(standard, name)]
OF_SEQUENCES = {"dist": 2, "fsum": 1, "prod": 1, "sumprod": 2}


def signature(function: Callable[..., Any]) -> list[Any]:
    return [(p.kind, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", FUNCTION_NAMES)
def test_signatures_are_the_standard_ones(name: str) -> None:
    try:
        expected = signature(getattr(standard, name))
    except ValueError:  # the standard function does not tell
        expected = {"hypot": [(inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.empty)]}.get(name)
    if name == "nextafter":
        expected = signature(lambda x, y, /, *, steps=None: x)
    if expected is not None:
        assert signature(getattr(math, name)) == expected


@pytest.mark.parametrize("name", FUNCTION_NAMES)
@given(data=st.data())
def test_numbers_give_the_standard_result_bit_for_bit(name: str, data: st.DataObject) -> None:
    count = OF_SEQUENCES.get(name, 0)
    if count:
        args = [data.draw(SEQUENCES) for _ in range(count)]
    elif name in ("comb", "factorial", "perm"):
        args = [data.draw(st.integers(-3, 60) | st.floats(-3, 3)) for _ in range(data.draw(st.integers(1, 2)))]
    else:
        args = [data.draw(ANYTHING) for _ in range(data.draw(st.integers(1, 3)))]
    expected, result = outcome(getattr(standard, name), *args), outcome(getattr(math, name), *args)
    if isinstance(expected[0], type) and issubclass(expected[0], TypeError):
        assert result[0] is TypeError  # argument counts are worded otherwise
    else:
        assert result == expected


@pytest.mark.parametrize(
    ("args", "kwargs"), [(([2, 3],), {"start": 4}), (([],), {"start": Fraction(1, 2)}), (([2.5, 2],), {})]
)
def test_prod_takes_start(args: Any, kwargs: Any) -> None:
    assert outcome(math.prod, *args, **kwargs) == outcome(standard.prod, *args, **kwargs)


def test_iterators_are_read_once() -> None:
    assert math.fsum(x / 2 for x in range(4)) == 3.0 and math.prod(iter([2, 3])) == 6
    assert math.fsum(Value(x) for x in (1.0, 2.0)).data == 3.0
    assert math.sumprod(iter([1, 2]), iter([3, Value(4.0)])).data == 11.0
    assert math.dist(iter([0.0]), iter([Value(2.0)])).data == 2.0


UNARY = [name for name in FUNCTION_NAMES if name in FUNCTIONS and name not in ("hypot", "ldexp", "log", *OF_SEQUENCES)]


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_a_value_in_gives_a_value_with_the_standard_result(name: str, data: st.DataObject) -> None:
    size = len(inspect.signature(getattr(math, name)).parameters)
    args = [data.draw(st.floats(-20, 20)) for _ in range(size)]
    hit = data.draw(st.integers(0, size - 1))
    mixed = [Value(x) if index == hit else x for index, x in enumerate(args)]
    try:
        expected = getattr(math, name)(*args)
    except (ValueError, ArithmeticError) as error:
        with pytest.raises(type(error), match=f"^{name}"):
            getattr(math, name)(*mixed)
        return
    result = getattr(math, name)(*mixed)
    assert type(result) is Value and repr(result.data) == repr(expected) and result.parents == (mixed[hit],)


def test_floor_ceil_and_trunc_give_integers() -> None:
    results = [math.floor(Value(-2.5)), math.ceil(Value(-2.5)), math.trunc(Value(-2.5))]
    assert results == [-3, -2, -2] and all(type(result) is int for result in results)


def test_predicates_give_bools() -> None:
    x = Value(2.5)
    results = [math.isnan(x), math.isinf(x), math.isfinite(x), math.isclose(x, 2.5)]
    assert results == [False, False, True, True] and all(type(result) is bool for result in results)


def test_neighbours_are_plain_numbers() -> None:
    assert math.ulp(Value(1.0)) == standard.ulp(1.0) and math.nextafter(Value(1.0), 2.0) == 1.0 + standard.ulp(1.0)
    assert math.nextafter(1.0, 2.0, steps=2) == 1.0 + 2 * standard.ulp(1.0)


@pytest.mark.parametrize("name", INTEGER_FUNCTIONS)
def test_functions_of_integers_refuse_a_value(name: str) -> None:
    args = (Value(3.0), 2) if name in ("comb", "gcd", "lcm", "perm") else (Value(3.0),)
    with pytest.raises(TypeError, match="Value"):
        getattr(math, name)(*args)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_are_found_by_pickle_and_say_what_they_do(name: str) -> None:
    function = FUNCTIONS[name]
    assert pickle.loads(pickle.dumps(function)) is function and function.__name__ == name
    assert (function.__doc__ or "").startswith("Return ")


def test_functions_take_arguments_where_the_signature_says() -> None:
    x = Value(-2.0)
    assert math.leaky_relu(x, 0.5).data == math.leaky_relu(x, negative_slope=0.5).data == x.leaky_relu(0.5).data == -1.0
    assert math.elu(x, alpha=2).data == math.elu(-2.0, 2) == 2 * standard.expm1(-2.0)
    assert math.dot([x], [3.0], b=1).data == -5.0 and math.prod([x], start=3).data == -6.0
    with pytest.raises(TypeError):
        math.tanh(x=1.0)


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_numbers_give_a_number(rule: Rule) -> None:
    samples = {"x": 0.5, "low": 0.25, "high": 0.75, "n": 1, "i": 1, "ndigits": 1, "p": 0.5, "c": 1.0}
    arguments = [[0.5, 0.25] if rule.is_sequence(name) else samples.get(name, 0.75) for name in rule.arguments]
    if rule.name == "acosh":
        arguments = [1.5]
    positional = (
        arguments[0]
        if rule.variadic
        else [x for x, name in zip(arguments, rule.arguments, strict=True) if name not in rule.defaults]
    )
    assert type(FUNCTIONS[rule.name](*positional)) is float


@pytest.mark.parametrize(
    "call",
    [
        lambda x: math.polygamma(x, 2.0),
        lambda x: math.leaky_relu(-1.0, x),
        lambda x: math.elu(1.0, x),
        lambda x: math.prod([2.0], start=x),
        lambda x: math.prod([x], start=x),
        lambda x: math.ldexp(1.0, x),
        lambda x: x.round(x),
    ],
)
def test_a_parameter_is_never_a_value(call: Callable[[Value], object]) -> None:
    with pytest.raises(TypeError, match="is a plain number, never differentiated; got a Value"):
        call(Value(1.0))


@pytest.mark.parametrize("bad", ["steep", None, 1j, [1]])
def test_a_parameter_is_a_number(bad: Any) -> None:
    for call in (Value(1.0).leaky_relu, Value(1.0).elu, lambda alpha: math.elu(1.0, alpha)):
        with pytest.raises(TypeError, match=f"is a plain number; got {type(bad).__name__}"):
            call(bad)


@pytest.mark.parametrize("bad", ["a", None, [1.0, 2.0], 1j])
def test_functions_of_networks_refuse_what_is_no_number(bad: Any) -> None:
    for function in (math.relu, math.sigmoid, math.sign, math.maximum, math.mean, math.logsumexp):
        argument = [bad] if function in (math.mean, math.logsumexp) else bad
        with pytest.raises(TypeError, match=rf"^{function.__name__}\(.*\): expected a real number, got"):
            function(argument)
    with pytest.raises(TypeError, match="expected a real number, got"):
        math.softmax([Value(1.0), bad])


def test_nothing_has_no_mean_and_no_largest() -> None:
    for call in (lambda: math.mean([]), math.maximum, math.minimum, lambda: math.logsumexp([])):
        with pytest.raises(ValueError, match="expected at least one number, got none"):
            call()


def test_the_older_pythons_have_what_the_newest_has() -> None:
    assert math.fma(2.0, 3.0, 1.0) == 7.0 and math.sumprod([1, 2], [3, 4]) == 11
    if sys.version_info >= (3, 13):
        assert outcome(math.fma, 1e308, 10.0, 0.0) == outcome(standard.fma, 1e308, 10.0, 0.0)


TAKE_SEQUENCES = {**OF_SEQUENCES, "total": 1, "mean": 1, "logsumexp": 1, "softmax": 1, "log_softmax": 1, "dot": 2}


@pytest.mark.parametrize(("name", "count"), TAKE_SEQUENCES.items())
def test_sequences_are_asked_for(name: str, count: int) -> None:
    """Where a `Value` takes part; of numbers Python says what it does of the standard functions."""
    function, nodes = getattr(math, name), [Value(2.0), 0.5]
    for wrong, shown in ((Value(2.0, label="x"), "x=2.0"), (2.0, "2.0")):
        alone = count == 1 and not isinstance(wrong, Value)
        with pytest.raises(TypeError) as caught:
            function(*[nodes] * (count - 1), wrong)
        operands = "[2.0, 0.5], " * (count - 1) + shown
        told = f"{name}({operands}): expected a sequence of numbers, got {type(wrong).__name__}"
        assert str(caught.value) == ("'float' object is not iterable" if alone else told)


@pytest.mark.parametrize(("name", "count"), TAKE_SEQUENCES.items())
def test_errors_of_iterators_are_handed_on(name: str, count: int) -> None:
    cause = KeyError("cause")

    def broken() -> Iterator[float]:
        yield 0.5
        raise TypeError("of the iterator") from cause

    with pytest.raises(TypeError, match=r"^of the iterator$") as caught:
        getattr(math, name)(*[[0.5]] * (count - 1), broken())
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_shares_are_of_numbers(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}\(\[2.0, 'a'\]\): expected a real number, got str 'a'$"):
        getattr(math, name)([Value(2.0), "a"])
    with pytest.raises(ValueError, match=rf"^{name} expects at least one number, got none$"):
        getattr(math, name)([])
