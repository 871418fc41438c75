"""Operations that a program adds."""

import copy
import inspect
import math as standard
import pickle
from fractions import Fraction
from typing import Any

import pytest

import microgrid
from microgrid import Value, define_rule, math, operations
from microgrid.rules import RULES

pytestmark = pytest.mark.usefixtures("rules_restored")


def derivatives(function: Any, at: float, orders: int) -> list[float]:
    """Return the value of `function` at a point and its derivatives up to an order."""
    x = Value(at)
    out = function(x)
    found = [out.data]
    for _ in range(orders):
        x.zero_grad()
        out.backward(create_graph=True)
        out = x.grad if isinstance(x.grad, Value) else Value(x.grad)
        found.append(out.data)
    return found


def test_a_row_of_text() -> None:
    swish = define_rule("swish(x)", "x * sigmoid(x)", "x times its sigmoid", x="sigmoid(x) + out * sigmoid(-x)")
    assert derivatives(swish, 0.5, 3) == pytest.approx(derivatives(math.silu, 0.5, 3), rel=1e-14)
    assert swish(0.5) == math.silu(0.5) and type(swish(0.5)) is float
    node = swish(Value(0.5))
    assert (str(node.op), node.op.symbol) == ("swish", "swish")


def test_callables() -> None:
    square = define_rule("squared(x)", lambda x: x * x, "second power", x=lambda x, out: 2 * x)
    assert derivatives(square, 3.0, 3) == [9.0, 6.0, 2.0, 0.0]
    wave = define_rule("wave(x, k)", lambda x, k: standard.sin(k * x), x=lambda x, k, out: k * math.cos(k * x))
    assert derivatives(lambda x: wave(x, 2.0), 0.5, 2) == pytest.approx(
        [standard.sin(1), 2 * standard.cos(1), -4 * standard.sin(1)]
    )


def test_several_arguments_parameters_and_symbols() -> None:
    blend = define_rule("blend(x, y, t=0.5)", "t * x + (1 - t) * y", "mixture", x="t", y="1 - t", symbol="<>")
    x, y = Value(2.0), Value(4.0)
    out = blend(x, y, t=0.25)
    out.backward()
    assert (out.data, x.grad, y.grad, out._op) == (3.5, 0.25, 0.75, "<>")
    assert blend(2, Value(4.0)).data == 3.0 and blend(x, 4).parents == (x,)
    assert str(inspect.signature(blend)) == "(x, y, /, t=0.5)"


def test_sequences() -> None:
    energy = define_rule("energy(xs)", lambda xs: sum(x * x for x in xs), x=lambda x, out: 2 * x)
    length = define_rule("length(*xs)", "hypot(*xs)", "length", x="x / out")
    spread = define_rule("spread(xs)", "max(xs) - min(xs)", xs=lambda xs, out: [0.0] * (len(xs) - 1) + [1.0])
    xs = [Value(3.0), Value(4.0)]
    out = energy(xs) + length(*xs) + spread(xs)
    out.backward()
    assert (out.data, xs[0].grad, xs[1].grad) == (31.0, 6.6, 9.8)


def test_numbers_whose_names_end_in_s() -> None:
    affine = define_rule("affine(x, bias, gains)", "gains * x + bias", x="gains", bias="1", gains="x")
    values = [Value(3.0), Value(4.0), Value(5.0)]
    affine(*values).backward()
    assert [value.grad for value in values] == [5.0, 1.0, 3.0]
    largest = define_rule("largest(*values)", "max(values)", values="ties(values, out)")
    weighed = define_rule("weighed(values, scale)", "fsum(values) * scale", value="scale", scale="fsum(values)")
    out = largest(*values) * weighed(values, 2.0)
    out.backward()
    assert out.data == 120.0 and values[2].grad == 3.0 + 24.0 + 10.0


def test_fractions_stay_exact() -> None:
    half = define_rule("half_of_square(x)", "x * x / 2", x="x")
    third = define_rule("third_of_product(xs)", "prod(xs) / 3", xs="[c / 3 for c in cofactors(xs)]")
    x, y = Value(Fraction(1, 3)), Value(Fraction(1, 5))
    out = half(x) + third([x, y])
    out.backward()
    assert (out.data, x.grad, y.grad) == (Fraction(7, 90), Fraction(2, 5), Fraction(1, 9))
    assert half(Fraction(1, 3)) == Fraction(1, 18) and type(half(Value(3.0)).data) is type(half(3)) is float


def test_backward_does_not_raise() -> None:
    root = define_rule("root(x)", "sqrt(x)", "square root", x="1 / (2 * out)")
    own = define_rule("own(x)", standard.sqrt, x=lambda x, out: 0.5 / out)
    for function, slope in ((root, standard.inf), (own, standard.nan)):
        for create_graph in (False, True):
            x = Value(0.0)
            function(x).backward(create_graph=create_graph)
            assert getattr(x.grad, "data", x.grad) == pytest.approx(slope, nan_ok=True)


def test_errors_name_the_operation() -> None:
    inverse = define_rule("inverse(x)", "1 / x", "inverse", x="-out * out")
    with pytest.raises(ZeroDivisionError, match=r"^inverse\(0.0\): float division by zero$"):
        inverse(Value(0.0))
    with pytest.raises(TypeError, match=r"^inverse\('a'\): expected a real number, got str"):
        inverse("a")


def test_it_works_when_roles_are_in_use_already() -> None:
    x = Value(0.0)
    x.sqrt().backward(create_graph=True)
    late = define_rule("late(x)", "exp(x) - 1", "exponential less one", x="out + 1")
    assert derivatives(late, 0.0, 3) == [0.0, 1.0, 1.0, 1.0]


halved = None  # where pickle finds the function


def test_graphs_are_copied_and_pickled() -> None:
    global halved
    halved = define_rule("halved(x)", "x / 2", "half", x="1 / 2")
    assert pickle.loads(pickle.dumps(halved)) is halved
    for twin in (copy.deepcopy(halved(Value(3.0))), pickle.loads(pickle.dumps(halved(Value(3.0))))):
        twin.backward()
        assert (twin.data, twin.parents[0].grad) == (1.5, 0.5)
    text = pickle.dumps(halved(Value(3.0)))
    del RULES["halved"]
    operations._operations.clear()
    with pytest.raises(LookupError, match="no rule is called 'halved': define it before you load a graph with it"):
        pickle.loads(text)


def test_source_and_documentation_are_there() -> None:
    bump = define_rule("bump(x)", "exp(-x * x)", "bell", x="-2 * x * out", domain="x > -9")
    assert "def bump(x, /):" in inspect.getsource(bump)
    assert (bump.__doc__ or "").startswith("Return `exp(-x * x)`: bell.") and "where `x > -9`" in (bump.__doc__ or "")
    silent = define_rule("silent(x)", "2 * x", x="2")
    assert (silent.__doc__ or "").startswith("Return `2 * x`.\n\n    The partial by x is `2`.")


def test_nothing_else_changes() -> None:
    before = set(vars(microgrid.math)), set(vars(Value))
    define_rule("quiet(x)", "x", "same", x="1")
    assert (set(vars(microgrid.math)), set(vars(Value))) == before


def test_a_namespace_without_a_name() -> None:
    names: dict[str, Any] = {"define_rule": define_rule}
    exec("double = define_rule('double(x)', '2 * x', x='2')", names)
    assert names["double"](3.0) == 6.0 and names["double"].__module__ == "__main__"


@pytest.mark.parametrize(
    ("signature", "forward", "partials", "message"),
    [
        ("tanh(x)", "x", {"x": "1"}, "the name 'tanh' is taken"),
        ("sum(x)", "x", {"x": "1"}, "the name 'sum' is taken"),
        ("lambda(x)", "x", {"x": "1"}, "the name 'lambda' is taken"),
        ("f(class)", "x", {"class": "1"}, "the name 'class' is taken"),
        ("f(g)", "g", {"g": "1"}, "the name 'g' is taken"),
        ("f(x, gx)", "x", {"x": "1"}, "the name 'gx' is taken"),
        ("f(apply)", "apply", {"apply": "1"}, "the name 'apply' is taken"),
        ("no good(x)", "x", {"x": "1"}, "is not an identifier"),
        ("f(x)", "x", {}, "expected a partial for at least one argument"),
        ("f(x)", "x", {"y": "1"}, "the partial 'y' belongs to no argument"),
        ("f(x, xs)", "x", {"x": "1"}, "makes 'xs' a sequence, but there is an argument 'x' or a partial 'xs' too"),
        ("f(xs)", "fsum(xs)", {"x": "1", "xs": "[1]"}, "the partial 'x' makes 'xs' a sequence, but there is"),
        ("f(x)", "x +", {"x": "1"}, "the forward 'x \\+' is not an expression"),
        ("f(x)", "x", {"x": "y = 1"}, "the partial by x 'y = 1' is not an expression"),
        ("f(x)", "x", {"x": "1", "domain": "x >"}, "the domain 'x >' is not an expression"),
        ("f(x)", "z * q", {"x": "1"}, "the forward 'z \\* q' speaks of q, z, expected arguments and known functions"),
        ("f(x)", "x", {"x": "n"}, "the partial by x 'n' speaks of n"),
        ("f(x)", "x", {"x": "1 if x > 0 else 0"}, "branches: write it with where, step, sign or less"),
        ("f(x)", "x", {"x": "x > 0"}, "branches"),
        ("f(x)", "x", {"x": "x and 1"}, "branches"),
        ("f(xs)", "fsum(xs)", {"xs": "[1 for xs in xs]"}, r"the partial by xs .* has another meaning for xs"),
        ("f(xs)", "xs[0]", {"x": "1"}, r"the forward 'xs\[0\]' has an index: numbers in texts are floats"),
    ],
)
def test_a_bad_rule_is_refused_when_it_is_declared(signature: str, forward: str, partials: Any, message: str) -> None:
    before = dict(RULES)
    with pytest.raises(ValueError, match=message):
        define_rule(signature, forward, **partials)
    assert before == RULES


@pytest.mark.parametrize(
    ("forward", "partial", "role"), [(5, "1", "forward"), ("x", 5, "partial_x"), (None, "1", "forward")]
)
def test_parts_are_text_or_functions(forward: Any, partial: Any, role: str) -> None:
    with pytest.raises(TypeError, match=f"expected text or a function as {role}, got"):
        define_rule("f(x)", forward, x=partial)


def test_a_rule_is_defined_once() -> None:
    define_rule("once(x)", "x", "same", x="1")
    with pytest.raises(ValueError, match="the name 'once' is taken"):
        define_rule("once(x)", "x", "same", x="1")
    with pytest.raises(ValueError, match="is taken"):
        operations.register(RULES["once"], {})


def test_text_calls_rows() -> None:
    before = dict(operations.NUMBERS)
    ramp = define_rule("ramp(x)", "relu(x) ** 2", x="2 * relu(x)")
    twice = define_rule("twice_ramp(x)", "2 * ramp(x)", x="4 * relu(x)")
    assert (ramp(3.0), twice(3.0), twice(-1.0)) == (9.0, 18.0, 0.0)
    assert operations.NUMBERS.items() >= before.items()
