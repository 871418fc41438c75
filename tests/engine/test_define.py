"""Operations that a program adds."""

import copy
import gc
import inspect
import math as standard
import pickle
import sys
import threading
import types
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

import microgrid
from microgrid import Value, define_rule, grad, jit, math, taylor
from microgrid.compiler.source import templates
from microgrid.compiler.source.templates import Recipe
from microgrid.engine import define as extend
from microgrid.engine import operations
from microgrid.rules.table import RULES, Rule
from microgrid.testing.strategies import domains
from microgrid.transforms.series import Partial, Series, expansions

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
    assert inspect.cleandoc(silent.__doc__ or "").startswith("Return `2 * x`.\n\nThe partial by x is `2`.")


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
        ("tanh(x)", "x", {"x": "1"}, r"^rule 'tanh\(x\)': the name 'tanh' is taken by the library$"),
        ("sum(x)", "x", {"x": "1"}, "the name 'sum' is taken by the library"),
        ("lambda(x)", "x", {"x": "1"}, "the name 'lambda' is taken by Python"),
        ("f(class)", "x", {"class": "1"}, "the name 'class' is taken by Python"),
        ("f(g)", "g", {"g": "1"}, "the name 'g' is taken by generated source"),
        ("f(x, gx)", "x", {"x": "1"}, "the name 'gx' is taken by generated source"),
        ("f(apply)", "apply", {"apply": "1"}, "the name 'apply' is taken by generated source"),
        ("f(gs)", "fsum(gs)", {"g": "1"}, "the name 'g' is taken by generated source"),
        ("f(tangent)", "tangent", {"tangent": "1"}, "the name 'tangent' is taken by generated source"),
        ("f(tangents)", "tangents", {"tangents": "1"}, "the name 'tangents' is taken by generated source"),
        ("apply(x)", "x", {"x": "1"}, "the name 'apply' is taken by generated source"),
        ("RULES(x)", "x", {"x": "1"}, "the name 'RULES' is taken by generated source"),
        ("n(x)", "x", {"x": "1"}, "the name 'n' is taken by generated source"),
        ("f", "x", {"x": "1"}, "^rule 'f': expected a signature such as 'name\\(x, y\\)'$"),
        ("f(x", "x", {"x": "1"}, "^rule 'f\\(x': expected a signature such as 'name"),
        ("f(x, x)", "x", {"x": "1"}, "duplicate argument 'x' in function definition; expected one such as 'name"),
        ("f(x, *, y)", "x", {"x": "1"}, "^rule 'f\\(x, \\*, y\\)': named arguments must follow bare \\*; expected one"),
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


@pytest.mark.parametrize("name", ["signature", "doc", "domain", "symbol"])
def test_what_is_told_of_a_rule_is_text(name: str) -> None:
    told: dict[str, Any] = {"signature": "f(x)", "forward": "x", "x": "1", name: 3}
    with pytest.raises(TypeError, match=f"^define_rule expects {name} to be text, got int 3$"):
        define_rule(**told)


def test_any_other_name_will_do() -> None:
    odd = define_rule("odd(self, nodes, n)", "self * nodes * n", self="nodes * n", nodes="self * n", n="self * nodes")
    assert microgrid.grad(odd, (0, 1, 2))(2.0, 3.0, 5.0) == (15.0, 10.0, 6.0)
    assert microgrid.hessian(lambda x: odd(x, x, x))(2.0) == 12.0
    only = define_rule("only_defaults(x=2.0)", "x * x", x="2 * x")
    assert (only(), derivatives(only, 3.0, 2)) == (4.0, [9.0, 6.0, 2.0])


@pytest.mark.parametrize("name", ["forward", "tape", "seed0", "input0", "leaf0", "d_leaf0", "d_out_0_0"])
def test_names_of_generated_code_make_it_slow_but_not_wrong(name: str) -> None:
    inner = define_rule(f"{name}(x)", "x * x", x="2 * x")
    outer = define_rule("outer(x)", f"{name}(x) * x", x=f"3 * {name}(x)")
    weight = Value(3.0)

    def slopes(function: Any) -> tuple[float, float]:
        weight.zero_grad()
        x = Value(2.0)
        function(x).backward()
        return x.grad, weight.grad

    def function(x: Any) -> Any:
        return outer(x) + inner(x) * weight

    def of_rows(x: Any) -> Any:
        return math.mean(microgrid.vmap(lambda y: outer(y * weight) + inner(y))([x, x]))

    assert slopes(microgrid.jit(function)) == slopes(function) == (24.0, 4.0)
    assert slopes(microgrid.jit(of_rows)) == slopes(of_rows) == (328.0, 216.0)


@pytest.mark.parametrize(
    ("signature", "parts", "message"),
    [
        ("f(x)", {"forward": lambda: 1, "x": "1"}, "forward to take (x), got a function of ()"),
        ("f(x, y)", {"forward": lambda x: 1, "x": "1"}, "forward to take (x, y), got a function of (x)"),
        ("f(*xs)", {"forward": lambda xs: 1, "x": "1"}, "forward to take (*xs), got a function of (xs)"),
        ("f(x)", {"forward": "x", "x": lambda x: 1}, "partial_x to take (x, out), got a function of (x)"),
        ("f(xs)", {"forward": "fsum(xs)", "x": lambda x, xs, out: 1}, "partial_x to take (x, out), got a function of"),
    ],
)
def test_functions_take_what_they_are_given(signature: str, parts: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        define_rule(signature, **parts)
    assert str(caught.value).startswith(f"rule {signature!r}: expected {message}")


def test_functions_may_take_more() -> None:
    def first(x: float, *rest: float) -> float:
        return x

    define_rule("first_of(*xs)", first, xs=lambda xs, out, one=1.0: [one] + [0.0] * (len(xs) - 1))
    define_rule("larger(x, y)", max, x=lambda *given: 1.0)  # max tells no signature


@pytest.mark.parametrize("wrong", [None, "1", [1.0], {}])
def test_functions_return_numbers(wrong: Any) -> None:
    x = Value(2.0, label="x")
    got = f"got {type(wrong).__name__} {wrong!r}"
    forward = define_rule("wrong_forward(x)", lambda x: wrong, x="1")
    partial = define_rule("wrong_partial(x)", "x", x=lambda x, out: wrong)
    for given, named in ((x, "x=2.0"), (2.0, "2.0")):
        with pytest.raises(TypeError) as caught:
            forward(given)
        told = f"wrong_forward({named}): rule 'wrong_forward(x)': expected forward to return a number, {got}"
        assert str(caught.value) == told
    for of in (partial, microgrid.jit(partial)):
        with pytest.raises(TypeError) as caught:
            of(x).backward()
        assert str(caught.value) == f"rule 'wrong_partial(x)': expected partial_x to return a number, {got}"
    x.zero_grad()
    (x * x).backward()
    assert x.grad == 4.0


@pytest.mark.parametrize("wrong", [None, 1.0, [1.0], [1.0, 1.0, 1.0], [1.0, None]])
def test_functions_of_sequences_return_a_number_for_each_element(wrong: Any) -> None:
    summed = define_rule("wrongly_summed(k, xs)", lambda k, xs: k * sum(xs), xs=lambda k, xs, out: wrong)
    with pytest.raises(TypeError) as caught:
        summed(1.0, [Value(2.0), 3.0]).backward()
    told = f"expected partial_xs to return a list of 2 numbers, got {type(wrong).__name__} {wrong!r}"
    assert str(caught.value) == f"rule 'wrongly_summed(k, xs)': {told}"


def test_text_calls_rows() -> None:
    before = dict(operations.NUMBERS)
    ramp = define_rule("ramp(x)", "relu(x) ** 2", x="2 * relu(x)")
    twice = define_rule("twice_ramp(x)", "2 * ramp(x)", x="4 * relu(x)")
    assert (ramp(3.0), twice(3.0), twice(-1.0)) == (9.0, 18.0, 0.0)
    assert operations.NUMBERS.items() >= before.items()


# A name that is defined again


def test_a_module_may_define_its_rule_again() -> None:
    half = define_rule("half(x)", "x / 3", "a slip", x="1 / 3")
    x = Value(3.0)
    half(x).backward(create_graph=True)
    again = define_rule("half(x, shift=0.5)", "x / 2 + shift", "half", x="1 / 2", symbol="h")
    assert again is half
    assert (half(3.0), half(3, shift=1), derivatives(half, 3.0, 2)) == (2.0, 2.5, [2.0, 0.5, 0.0])
    assert (str(inspect.signature(half)), half(x).op.symbol) == ("(x, /, shift=0.5)", "h")
    assert "def half(x, /, shift=0.5):" in inspect.getsource(half) and "half." in (half.__doc__ or "")
    assert half(Fraction(3)) == 2.0 and type(half(Value(Fraction(3)), shift=1).data) is Fraction


CUBE = ("x * x * x", "3 * x * x")
PARTS = [CUBE, (lambda x: x * x * x, lambda x, out: 3 * x * x)]


def terms(node: Value, leaf: Value, records: bool) -> list[float]:
    """Return the series of `node` along `leaf`."""
    table = {leaf: Series([Value(leaf.data) if records else leaf.data, 1.0, 0.0, 0.0])}
    expansions([node], table, "record" if records else "")
    return [float(getattr(term, "data", term)) for term in table[node].terms]


@pytest.mark.parametrize(("forward", "partial"), PARTS)
@pytest.mark.parametrize("role", operations.ROLES)
def test_nodes_recorded_before_keep_the_old_rule(role: str, forward: Any, partial: Any) -> None:
    """Also in roles that are built later."""
    cube = define_rule("power_of(x)", forward, x=partial)
    x = Value(2.0)
    node = cube(x)
    for factor in (5.0, 7.0):
        define_rule("power_of(x)", lambda x, factor=factor: factor * x, x=lambda x, out, factor=factor: factor)
    seed = Value(1.0) if "record" in role or "trace" in role else 1.0
    given = {x: seed} if role.startswith("jvp") else seed
    found = getattr(node.op, role)(node, given)
    amounts = [x.grad] if found is None else [found] if role.startswith("jvp") else found
    assert [float(amount) for amount in amounts] == [12.0]
    assert node.op is not cube(x).op and node.op.rule is not cube(x).op.rule
    assert derivatives(cube, 2.0, 2) == [14.0, 7.0, 0.0]


@pytest.mark.parametrize(("forward", "partial"), PARTS)
@pytest.mark.parametrize("records", [False, True])
def test_series_of_nodes_recorded_before(records: bool, forward: Any, partial: Any) -> None:
    cube = define_rule("power_of(x)", forward, x=partial)
    x = Value(2.0)
    nodes = [cube(x)]
    define_rule("power_of(x)", lambda x: x * x, x=lambda x, out: 2 * x)
    nodes.append(cube(x))
    assert [terms(node, x, records) for node in nodes] == [[8.0, 12.0, 6.0, 1.0], [4.0, 4.0, 1.0, 0.0]]


def test_a_graph_keeps_the_old_rule_at_every_order() -> None:
    cube = define_rule("power_of(x)", lambda x: x * x * x, x=lambda x, out: 3 * x * x)
    x = Value(2.0)
    out = cube(x)
    define_rule("power_of(x)", "x", x="1")
    for expected in (12.0, 12.0, 6.0):
        x.zero_grad()
        out.backward(create_graph=True)
        assert isinstance(x.grad, Value)
        out = x.grad
        assert out.data == expected


def test_texts_of_other_rules_call_the_new_one() -> None:
    """But in nodes that were recorded before; what these record is of the old rule, too."""
    inner = define_rule("inner(x)", "x * x", x="2 * x")
    outer = define_rule("outer(x)", "inner(x) + x", x="inner(x) / x + x + 1")
    outermost = define_rule("outermost(x)", "outer(x)", x="inner(x) / x + x + 1")
    before = [
        [derivatives(function, 2.0, 3), taylor(function, 2.0, 3), terms(function(x := Value(2.0)), x, True)]
        for function in (outer, outermost)
    ]
    x = Value(2.0)
    old = [outer(x), outermost(x)]
    define_rule("inner(x)", "x * x * x", x="3 * x * x")
    for function, node, (slopes, *_) in zip((outer, outermost), old, before, strict=True):
        assert derivatives(lambda _, node=node: node, 2.0, 0) == [6.0] == slopes[:1]
        x.zero_grad()
        node.backward(create_graph=True)
        first: Any = x.grad
        x.zero_grad()
        first.backward(create_graph=True)
        second: Any = x.grad
        assert (first.data, second.data) == (5.0, 2.0) == (slopes[1], slopes[2])
        # 1 + x + x ** 3 / x, of which the text is a partial, though no longer the right one
        assert derivatives(function, 2.0, 3) == [10.0, 7.0, 5.0, 2.0]
        assert taylor(function, 2.0, 3) == terms(function(x), x, True) == [10.0, 7.0, 2.5, pytest.approx(1 / 3)]
        assert function(2.0) == 10.0
    assert inner(2.0) == 8.0


halves = None


def test_what_is_pickled_is_found_by_name() -> None:
    global halves
    halves = define_rule("halves(x)", "x / 3", x="1 / 3")
    text = pickle.dumps((halves, halves(Value(3.0))))
    define_rule("halves(x)", "x / 2", x="1 / 2")
    function, node = pickle.loads(text)
    node.backward()
    assert function is halves and (node.data, node.parents[0].grad) == (1.0, 0.5)
    assert node.op is halves(Value(3.0)).op


@pytest.mark.parametrize(
    ("signature", "forward", "partials", "error"),
    [
        ("kept(x)", "x +", {"x": "1"}, ValueError),
        ("kept(x)", "x", {"x": "1 if x > 0 else 0"}, ValueError),
        ("kept(x)", "kept(x)", {"x": "1"}, ValueError),
        ("kept(x)", "x", {"x": "kept(x)"}, ValueError),
        ("kept(x)", lambda x: x, {"x": 5}, TypeError),
        ("kept(x)", "x", {}, ValueError),
        ("kept(x, shift=oops)", "x + shift", {"x": "1"}, NameError),
        ("kept(x)", "x; ", {"x": "1"}, (SyntaxError, ValueError)),
    ],
)
def test_a_bad_rule_leaves_the_old_one(signature: str, forward: Any, partials: Any, error: Any) -> None:
    kept = define_rule("kept(x)", "2 * x", x="2")
    rule, callables = RULES["kept"], dict(operations._callables)
    with pytest.raises(error):
        define_rule(signature, forward, **partials)
    assert RULES["kept"] is rule and operations._callables == callables
    assert derivatives(kept, 3.0, 2) == [6.0, 2.0, 0.0] and kept(3.0) == 6.0


def test_a_bad_rule_is_not_entered() -> None:
    with pytest.raises(NameError):
        define_rule("unknown(x, shift=oops)", "x + shift", x="1")
    assert "unknown" not in RULES


def test_another_module_does_not_define_it_again() -> None:
    define = 'from microgrid import define_rule\nfunction = define_rule("mine(x)", "3 * x", x="3")\n'
    mine = define_rule("mine(x)", lambda x: 2 * x, x="2")
    with pytest.raises(ValueError, match=rf"^rule 'mine\(x\)': the name 'mine' is taken by the module '{__name__}'$"):
        exec(define, {"__name__": "other"})
    with pytest.raises(ValueError, match="the name 'mine_forward' is taken by a part of another rule"):
        define_rule("mine_forward(x)", "x", x="1")
    assert mine(1.0) == 2.0


def test_parts_have_names_of_their_own() -> None:
    define_rule("part_forward(x)", "5 * x", x="5")
    define_rule("part2(x)", lambda x: 6 * x, x="6")
    parts = define_rule("part(x)", lambda x: 7 * x, x="7")
    assert [RULES[name].forward for name in ("part_forward", "part2", "part")] == [
        "5 * x", "part2_forward(x)", "part3_forward(x)"
    ]  # fmt: skip
    assert parts(1.0) == 7.0


def test_a_row_gives_way_only_to_one_that_was_made_for_its_place() -> None:
    define_rule("once(x)", "x", "same", x="1")
    once = RULES["once"]
    for former in (None, RULES["tanh"]):
        with pytest.raises(ValueError, match="the name 'once' is taken"):
            operations.register(Rule("once(x)", "2 * x", "", x="2"), {}, former)
    assert RULES["once"] is once
    operations.register(Rule("once(x)", "2 * x", "", x="2"), {}, once)
    assert operations.NUMBERS["once"](2.0) == 4.0


def test_a_node_keeps_the_old_rules_that_its_text_calls() -> None:
    """Also where none of its derivatives was asked for before."""
    inner = define_rule("inner(x)", "x * x", x="2 * x")
    outer = define_rule("outer(x)", "x * x * x / 3", x="inner(x)")
    x = Value(2.0)
    node = outer(x)
    define_rule("inner(x)", "5 * x", x="5")
    node.backward()
    assert (x.grad, inner(2.0)) == (4.0, 10.0)


def test_threads_may_define_the_same_rule_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def define() -> None:
        functions.append(define_rule("hasty(x)", "x * x", x="2 * x"))

    def check_slowly(*arguments: Any) -> None:
        if not other.ident:
            other.start()
            other.join(0.2)  # which waits, or is through by then
        check(*arguments)

    check, functions, other = extend.check, [], threading.Thread(target=define)
    monkeypatch.setattr(extend, "check", check_slowly)
    define()
    other.join()
    assert functions[0] is functions[1] and functions[0](3.0) == 9.0


PARTS_OF_ROWS = {
    "text": ("again(x)", "x * x", {"x": "2 * x"}),
    "functions": ("again(x)", lambda x: x * x, {"x": lambda x, out: 2 * x}),
    "sequence": ("again(*xs)", "sum([x * x for x in xs])", {"x": "sum([x for _ in (1, 2)])"}),
    "functions of sequences": ("again(*xs)", lambda *xs: xs[0] * xs[0], {"xs": lambda xs, out: [2 * x for x in xs]}),
}


@pytest.mark.parametrize(("signature", "forward", "partials"), PARTS_OF_ROWS.values(), ids=PARTS_OF_ROWS)
def test_what_is_replaced_is_freed(signature: str, forward: Any, partials: Any) -> None:
    """Whatever was made of it: derivatives, series, compiled code, modules of generated functions."""

    def counts() -> tuple[int, ...]:
        for _ in range(3):
            again = define_rule(signature, forward, **partials)
            assert derivatives(again, 3.0, 2) == [9.0, 6.0, 2.0]
            assert taylor(again, 3.0, 2) == [9.0, 6.0, 1.0]
            assert jit(lambda x, again=again: grad(lambda y: again(y) * x)(x))(3.0) == 18.0
            domains.limits(RULES["again"], "x")
        gc.collect()
        kinds = Counter(type(thing) for thing in gc.get_objects())
        names = (operations.NUMBERS, operations.BASE_FUNCTIONS, operations._callables, templates.helpers, sys.modules)
        return (*map(len, names), *map(kinds.__getitem__, (Rule, Recipe, Partial, types.FunctionType, types.CellType)))

    counts()
    before = counts()
    assert before == counts() == counts()


def test_functions_stay_as_long_as_a_node_needs_them() -> None:
    known = len(operations._callables)
    cube = define_rule("power_of(x)", lambda x: x * x * x, x=lambda x, out: 3 * x * x)
    x = Value(2.0)
    node = cube(x)
    for _ in range(4):
        define_rule("power_of(x)", lambda x: x, x=lambda x, out: 1.0)
        assert terms(node, x, True) == [8.0, 12.0, 6.0, 1.0]
    assert len(operations._callables) == known + 6  # those of the node, of the present rule, and of the one before


@pytest.mark.parametrize("start", [0.5, -0.5])
def test_data_that_is_not_a_number_is_named(start: float) -> None:
    """As in the rows of the library: a function that chooses could hide it."""
    rectified = define_rule("rectified(x)", lambda x: x if x > 0 else 0.0, x=lambda x, out: math.step(x))
    p = Value(start, label="p")
    p.data = p - 0.1 * p.grad
    with pytest.raises(TypeError, match=r"^rectified\(p=-?0.5\): the data of p is a Value, expected a number"):
        rectified(p)
