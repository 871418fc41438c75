"""`Value`: numbers, operators, backward, gradients of gradients, the number protocol, errors."""

import copy
import importlib.util
import math as standard
import operator
import pickle
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, jit, math
from microgrid.engine import graph, value
from microgrid.engine.modes import Mode
from microgrid.engine.recording import apply
from microgrid.nn import MLP
from microgrid.rules.table import RULES

NUMBERS = st.floats(-100, 100).filter(lambda x: abs(x) > 1e-3)
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod]


class TestNumbers:
    @pytest.mark.parametrize("given_", [3, True, 3.0, Decimal(3), Fraction(3)])
    def test_data_is_a_float_unless_it_is_a_fraction(self, given_: Any) -> None:
        assert type(Value(given_).data) is (Fraction if isinstance(given_, Fraction) else float)
        assert Value(given_).data == given_ and Value(given_).grad == 0
        assert type(Value(given_).grad) is type(Value(given_).data)

    @pytest.mark.parametrize("bad", ["1", None, 1j, [1.0], (1.0,), {}, object(), b"1"])
    def test_what_is_no_real_number_is_refused(self, bad: Any) -> None:
        with pytest.raises(TypeError, match=f"expected a real number, got {type(bad).__name__}"):
            Value(bad)

    def test_a_value_in_a_value_is_refused_with_advice(self) -> None:
        with pytest.raises(TypeError, match=r"expected a real number, got Value\(data=1.0, grad=0.0\) \(v.detach\(\)"):
            Value(Value(1.0))

    def test_a_number_too_large_for_a_float_is_an_overflow(self) -> None:
        with pytest.raises(OverflowError, match="too large"):
            Value(10**400)

    @pytest.mark.parametrize("function", BINARY)
    @pytest.mark.parametrize("other", [2, True, 0.75, Fraction(3, 4), Decimal("0.75")])
    def test_numbers_stand_on_either_side(self, function: Callable[..., Any], other: Any) -> None:
        x = Value(5.5)
        left, right = function(x, other), function(other, x)
        assert left.data == function(5.5, float(other)) and right.data == function(float(other), 5.5)
        assert left.parents == right.parents == (x,)
        assert left.constants == right.constants == (float(other),) and type(left.constants[0]) is float

    @pytest.mark.parametrize("function", [*BINARY, operator.pow, divmod])
    @pytest.mark.parametrize("bad", ["a", None, 1j, [1.0]])
    def test_other_operands_are_a_type_error_that_names_the_operator(self, function: Any, bad: Any) -> None:
        for operands in ((Value(1.0), bad), (bad, Value(1.0))):
            if isinstance(bad, str | list) and function in (operator.mod, operator.mul) and operands[0] is bad:
                continue  # formatting and repetition answer first
            with pytest.raises(TypeError, match=r"unsupported operand|can't multiply|not supported|can only conc"):
                function(*operands)

    @given(NUMBERS, NUMBERS)
    def test_operators_compute_what_floats_do(self, x: float, y: float) -> None:
        for function in BINARY:
            assert function(Value(x), Value(y)).data == function(x, y)
        assert (Value(abs(x)) ** Value(y / 10)).data == abs(x) ** (y / 10)
        assert (abs(x) ** Value(y / 10)).data == abs(x) ** (y / 10)
        assert (-Value(x)).data == -x and abs(Value(x)).data == abs(x) and (+Value(x)).data == x
        assert [part.data for part in divmod(Value(x), y)] == list(divmod(x, y))
        assert [part.data for part in divmod(x, Value(y))] == list(divmod(x, y))

    def test_fractions_stay_exact_with_integers(self) -> None:
        x = Value(Fraction(1, 3))
        out = (2 * x + 1) ** 3 / x - 5
        assert out.data == (2 * Fraction(1, 3) + 1) ** 3 / Fraction(1, 3) - 5
        out.backward(2)
        assert x.grad == 2 * (6 * Fraction(5, 3) ** 2 / Fraction(1, 3) - Fraction(5, 3) ** 3 / Fraction(1, 9))
        assert type(x.grad) is Fraction

    def test_whole_results_of_fractions_are_fractions(self) -> None:
        x = Value(Fraction(7, 3))
        for result in (
            x // 2,
            7 // x,
            2 ** Value(Fraction(4)),
            Value(Fraction(4)) ** Value(Fraction(2)),
            divmod(x, 2)[0],
        ):
            assert type(result.data) is Fraction
        assert ((2 ** Value(Fraction(4))) / 3).data == Fraction(16, 3)

    def test_the_gradient_of_a_fraction_may_be_infinite(self) -> None:
        x = Value(Fraction(1))
        x.backward(standard.inf)
        assert x.grad == standard.inf

    def test_complex_numbers_that_would_convert_are_refused(self) -> None:
        class complex64(float):
            pass

        with pytest.raises(TypeError, match="expected a real number, got complex64"):
            math.sigmoid(complex64(1.0))

    def test_fractions_meet_floats_as_in_python(self) -> None:
        x = Value(Fraction(1, 3))
        assert type((x * 0.5).data) is float and type(x.tanh().data) is float and type((x * Value(2.0)).data) is float
        (x * 0.5).backward()
        assert x.grad == 0.5

    def test_where_the_exact_rule_raises_the_total_one_answers(self) -> None:
        x, y = Value(Fraction(0)), Value(Fraction(2))
        math.maximum(x, y).backward()
        assert (x.grad, y.grad) == (0, 1)


class TestBackward:
    def test_it_accumulates_in_leaves_and_resets_inner_nodes(self) -> None:
        x = Value(3.0)
        square = x * x
        out = square * 2.0
        out.backward()
        out.backward()
        assert (x.grad, square.grad, out.grad) == (24.0, 2.0, 1.0)
        x.zero_grad()
        assert x.grad == 0.0

    def test_on_a_leaf_it_adds_the_gradient(self) -> None:
        x = Value(3.0)
        x.backward()
        x.backward(2.5)
        assert x.grad == 3.5

    def test_the_gradient_of_a_later_result_is_a_factor(self) -> None:
        x = Value(3.0)
        (x * x).backward(0.5)
        assert x.grad == 3.0
        with pytest.raises(TypeError, match=r"^backward\('a'\): expected a real number, got str 'a'$"):
            (x * x).backward("a")
        assert x.grad == 3.0

    @pytest.mark.parametrize("retains", [True, False])
    def test_graphs_are_kept_anyway(self, retains: bool) -> None:
        """As code written for PyTorch may ask for."""
        x = Value(3.0)
        y = x * x
        for total in (6.0, 12.0):
            y.backward(retain_graph=retains)
            assert x.grad == total

    def test_a_node_is_a_gradient_only_where_gradients_are_recorded(self) -> None:
        y = Value(3.0) * 2.0
        with pytest.raises(TypeError, match=r"^backward\(1.0\): expected a real number, got Value\(data=1.0"):
            y.backward(Value(1.0))
        with pytest.raises(TypeError, match=r"^backward\('1'\): expected a real number, got str '1'$"):
            y.backward("1", create_graph=True)

    def test_shared_nodes_are_summed_over_all_paths(self) -> None:
        x = Value(2.0)
        y = x * x
        (y * y + y).backward()
        assert x.grad == 4 * 2.0**3 + 2 * 2.0

    def test_data_that_was_set_to_an_integer_is_a_float_to_gradients(self) -> None:
        x = Value(2.0)
        x.data = 3
        (x * x).backward(0.5)
        assert x.grad == 3.0
        x.zero_grad()
        assert type(x.grad) is float

    def test_the_same_leaf_may_be_every_argument(self) -> None:
        x = Value(3.0)
        math.dot([x, x], [x, x], x).backward()
        assert x.grad == 13.0

    def test_an_argument_that_meets_no_leaf_keeps_its_gradient(self) -> None:
        x, y = Value(1.0), Value(2.0)
        (x * 2.0).backward()
        assert y.grad == 0.0

    @pytest.mark.parametrize(
        ("make", "at", "gradient"),
        [
            (lambda x: x.sqrt(), 0.0, standard.inf),
            (lambda x: x**0.5, 0.0, standard.inf),
            (lambda x: x.cbrt(), 0.0, standard.inf),
            (lambda x: x.asin(), 1.0, standard.inf),
            (lambda x: x.acosh(), 1.0, standard.inf),
            (lambda x: 1e200 / x, 1e-100, -standard.inf),
        ],
    )
    def test_infinite_derivatives_do_not_raise(
        self, make: Callable[[Value], Value], at: float, gradient: float
    ) -> None:
        x = Value(at)
        make(x).backward()
        assert x.grad == gradient
        x.zero_grad()
        make(x).backward(create_graph=True)
        assert x.grad.data == gradient

    def test_nothing_is_added_twice_where_a_partial_raises(self) -> None:
        x, y = Value(0.0), Value(0.5)
        (x**y).backward()
        assert (x.grad, y.grad) == (standard.inf, 0.0)

    def test_gradients_of_gradients(self) -> None:
        x, y = Value(0.5), Value(1.5)
        (x * y.sin()).backward(create_graph=True)
        gx, gy = x.grad, y.grad
        x.zero_grad(), y.zero_grad()
        (gx * gy).backward()
        assert gx.data == standard.sin(1.5) and gy.data == 0.5 * standard.cos(1.5)
        assert x.grad == pytest.approx(standard.sin(1.5) * standard.cos(1.5), rel=1e-15)
        assert y.grad == pytest.approx(0.5 * standard.cos(3.0), rel=1e-14)

    def test_recorded_gradients_accumulate_as_nodes(self) -> None:
        x = Value(2.0)
        y = x**3
        y.backward()
        y.backward(create_graph=True)
        y.backward(create_graph=True)
        assert isinstance(x.grad, Value) and x.grad.data == 36.0
        total = x.grad
        x.zero_grad()
        total.backward()
        assert x.grad == 24.0

    def test_recorded_gradients_of_inner_nodes_are_set_anew(self) -> None:
        x = Value(2.0)
        inner = x * 3.0
        y = inner.exp()
        y.backward(create_graph=True)
        assert inner.grad.op.name == x.grad.op.name == "mul"  # and no sum with a zero
        y.backward(create_graph=True)
        assert inner.grad.data == y.data and x.grad.data == 6.0 * y.data

    def test_a_recorded_gradient_may_start_from_a_node(self) -> None:
        x, seed = Value(3.0), Value(2.0)
        (x * x).backward(seed, create_graph=True)
        gradient = x.grad
        gradient.backward()
        assert gradient.data == 12.0 and seed.grad == 6.0

    def test_recorded_gradients_go_on_behind_the_call_of_a_compiled_function(self) -> None:
        x = Value(2.0)
        quotient, product = jit(lambda x: [x / 4.0, x * x])(x * 3.0)
        (quotient * product).backward(create_graph=True)
        assert x.grad.data == 3 * 3**3 * 2.0**2 / 4

    def test_derivatives_that_are_zero_everywhere_are_nodes_too(self) -> None:
        x = Value(0.5)
        inner = x * 2.0
        (inner.sign().sqrt() * 3.0).backward(create_graph=True)
        assert all(isinstance(node.grad, Value) and node.grad.data == 0.0 for node in (x, inner))

    @pytest.mark.parametrize(
        ("number", "differentiate", "role"),
        [
            (2.5, lambda node: node.backward(), "pull"),
            (Fraction(5, 2), lambda node: node.backward(), "exact"),
            (2.5, lambda node: node._backward(), "pull"),
        ],
    )
    def test_floats_take_the_fast_rule_and_fractions_the_exact_one(
        self, number: Any, differentiate: Any, role: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        node = Value(number) * 3
        node.grad = 1.0
        called: list[str] = []
        for name in ("pull", "exact"):
            monkeypatch.setattr(node.op, name, lambda node, g, name=name: called.append(name))
        differentiate(node)
        assert called == [role]

    def test_modes_see_the_root_before_it_is_differentiated(self) -> None:
        class Watch(Mode):
            def before_backward(self, root: Value) -> None:
                seen.append((root, x.grad))

        seen: list[Any] = []
        x = Value(2.0)
        y = x * x
        with Watch(lambda node: None):
            y.backward()
        (y * 2.0).backward()
        assert len(seen) == 1 and seen[0][0] is y and seen[0][1] == 0.0

    def test_modes_see_the_node_that_is_made_a_float(self) -> None:
        class Watch(Mode):
            def before_float(self, node: Value) -> None:
                seen.append(node)

        seen: list[Value] = []
        x = Value(2.0)
        with Watch(None):
            assert float(x) == 2.0
        float(Value(3.0))
        assert len(seen) == 1 and seen[0] is x

    def test_the_same_graph_gives_the_same_bits_wherever_its_nodes_lie(self) -> None:
        def gradients() -> list[float]:
            xs = [Value(0.1 * k) for k in range(20)]
            math.logsumexp([x * y for x in xs for y in xs]).backward()
            return [x.grad for x in xs]

        first = gradients()
        elsewhere = [Value(0.0) for _ in range(1001)]
        assert gradients() == first and len(elsewhere) == 1001


class TestNodes:
    def test_a_node_knows_how_it_was_made(self) -> None:
        x, y = Value(2.0, label="x"), Value(3.0)
        node = x * y
        assert node.parents == (x, y) and node.constants == () and str(node.op) == "mul" and node.op.symbol == "*"
        assert x.op is None and x.parents == () and x.constants == ()
        assert math.clip(x, 0.0, 1.0).constants == (0.0, 1.0)
        assert math.dot([x, y], [1.0, 2.0], x).parents == (x, y, x)
        assert math.dot([x, y], [1.0, 2.0], x).constants == ((1.0, 2.0),)

    def test_repr_is_one_line_and_never_walks(self) -> None:
        x = Value(2.5)
        assert repr(x) == "Value(data=2.5, grad=0.0)"
        assert repr(Value(1, label="a b")) == "Value(data=1.0, grad=0.0, label='a b')"
        (x**2).backward(create_graph=True)
        assert repr(x) == "Value(data=2.5, grad=5.0)"

    def test_detach_copies_number_and_label(self) -> None:
        x = Value(2.0, label="x")
        assert x.detach().label == "x" and x.detach() is not x
        y = (x * x).detach()
        (y * 3.0).backward()
        assert y.data == 4.0 and y.parents == () and x.grad == 0.0

    @pytest.mark.parametrize("number", [2.0, Fraction(2)])
    def test_a_gradient_set_to_zero_is_of_the_type_of_the_data(self, number: Any) -> None:
        x = Value(number)
        (x * x).backward()
        assert x.grad == 4
        x.zero_grad()
        assert x.grad == 0 and type(x.grad) is type(number)

    def test_operations_pickle_by_name(self) -> None:
        op = (Value(1.0) * 2.0).op
        assert pickle.loads(pickle.dumps(op)) is op

    def test_a_notebook_shows_the_graph(self) -> None:
        picture = (Value(2.0, label="the leaf") * 3.0)._repr_svg_()
        assert picture.startswith("<svg") and "the leaf" in picture

    def test_attributes_cannot_be_misspelt(self) -> None:
        with pytest.raises(AttributeError):
            Value(1.0).dta = 2.0  # type: ignore[attr-defined]

    @pytest.mark.parametrize("make", [lambda x: x.log(), lambda x: x / 0, lambda x: x**-1.5, lambda x: x.exp() ** -900])
    def test_an_error_leaves_the_graph_usable(self, make: Callable[[Value], Value]) -> None:
        x = Value(-2.0)
        y = x * x
        with pytest.raises((ValueError, ArithmeticError)):
            make(y - 8.0)
        y.backward()
        assert x.grad == -4.0


OF_ONE_NUMBER: dict[str, Callable[[Value], Value]] = {
    "*": lambda p: p * 2.0,
    "+": lambda p: 1.0 + p,
    "/": lambda p: 1.0 / p,
    "**": lambda p: p**2.0,
    "abs": abs,
    "tanh": lambda p: p.tanh(),
    "exp": math.exp,
    "sigmoid": math.sigmoid,
    "dot": lambda p: math.dot([p], [1.0], 0.0),
    "fsum": lambda p: math.fsum([p, 1.0]),
    "mean": lambda p: math.mean([1.0, p]),
    "hypot": lambda p: math.hypot(p, 1.0),
    "fma": lambda p: math.fma(p, 1.0, 2.0),
    "sumprod": lambda p: math.sumprod([p], [1.0]),
    "softmax": lambda p: math.softmax([p, 1.0])[0],
    "maximum": lambda p: math.maximum(p, 0.0),
    "clip": lambda p: math.clip(p, 0.0, 1.0),
    "relu": math.relu,
    "leaky_relu": math.leaky_relu,
    "huber": math.huber,
    "step": math.step,
    "where": lambda p: math.where(p, 1.0, 2.0),
    "modf": lambda p: math.modf(p)[0],
    "frexp": lambda p: math.frexp(p)[0],
}


class TestData:
    """What is put in the place of a leaf's number is noticed by what comes next; assigning it is not checked."""

    @pytest.mark.parametrize("name", OF_ONE_NUMBER)
    @pytest.mark.parametrize("start", [0.5, -0.5])
    def test_a_value_as_data_is_never_silent(self, name: str, start: float) -> None:
        """A learner's `p.data = p - 0.1 * p.grad`: in the operation or in `backward`, naming the leaf."""
        p = Value(start, label="p")
        p.data = p - 0.1 * p.grad
        for create_graph in (False, True):
            words = r"the data of p is a Value, .*: write p.data = p.data - 0.1 \* p.grad \("
            with pytest.raises(TypeError, match=words):
                OF_ONE_NUMBER[name](p).backward(create_graph=create_graph)
            assert p.grad == 0.0

    @pytest.mark.parametrize("name", OF_ONE_NUMBER)
    @pytest.mark.parametrize("bad", ["1", None, [1.0]], ids=str)
    def test_nor_is_anything_else_that_is_not_a_number(self, name: str, bad: Any) -> None:
        p = Value(0.5, label="p")
        p.data = bad
        with pytest.raises(TypeError, match=rf"the data of p is {type(bad).__name__} .*: write a float, as in p"):
            OF_ONE_NUMBER[name](p).backward()

    def test_a_network_that_is_trained_by_that_line(self) -> None:
        for activation in ("tanh", "relu"):
            net = MLP(2, [3, 1], activation=activation, rng=0)
            (net([1.0, 2.0]) ** 2).backward()
            for p in net.parameters():
                p.data = p - 0.1 * p.grad
            with pytest.raises(TypeError, match=r"the data of a leaf is a Value, expected a number: write p.data ="):
                net.zero_grad()
            with pytest.raises(TypeError, match=r"the data of a leaf is a Value, expected a number: write p.data ="):
                (net([1.0, 2.0]) ** 2).backward()

    def test_the_leaf_is_named_behind_what_was_made_of_it(self) -> None:
        p, q = Value(1.0, label="p"), Value(2.0, label="a name in words")
        q.data = Value(3.0)
        with pytest.raises(TypeError, match=r"^the data of a name in words is a Value, .* write p.data = p.data -"):
            (p + 2.0 * q).backward()
        with pytest.raises(TypeError, match=r"^tanh\(.*\): the data of a name in words is a Value"):
            (p + 2.0 * q).tanh()
        node = p * 2.0
        node.data = q
        with pytest.raises(TypeError, match=r"^the data of a result of mul is a Value"):
            (node + 1.0).backward()

    def test_data_that_was_spoiled_after_the_forward_pass(self) -> None:
        x, y = Value(1.0), Value(2.0, label="y")
        product = x * y
        y.data = "2"
        with pytest.raises(TypeError, match=r"^the data of y is str '2', expected a number: write a float"):
            product.backward()

    def test_a_recorded_gradient_has_a_number_as_well(self) -> None:
        p = Value(2.0, label="p")
        (p * p).backward(create_graph=True)
        p.data -= 0.1 * p.grad
        with pytest.raises(TypeError, match=r"write p.data = p.data - 0.1 \* p.grad.data \(the number of"):
            (p * p).backward()

    def test_reading_the_number(self) -> None:
        p = Value(1.0)
        p.data = Value(2.0)
        with pytest.raises(TypeError, match=r"^the data of a leaf is a Value, expected a number: write p.data"):
            float(p)

    @pytest.mark.parametrize("number", [2, True, Fraction(2), Decimal(2)])
    def test_numbers_of_other_types_are_welcome(self, number: Any) -> None:
        p = Value(1.0)
        p.data = number
        for function in (math.relu, math.tanh, lambda p: math.fsum([p, 1.0])):
            p.zero_grad()
            function(p).backward()
            assert p.grad != 0.0

    def test_functions_that_give_plain_numbers_of_nodes(self) -> None:
        """They convert what a caller gave, not the data of it."""
        x = Value(2.5)
        assert (math.floor(x), math.isnan(x), math.nextafter(x, 3.0) > 2.5, math.ulp(x) > 0) == (2, False, True, True)
        assert math.nextafter(2.5, Value(3.0)) > 2.5


class TestErrors:
    @pytest.mark.parametrize(
        ("make", "kind", "message"),
        [
            (lambda x, zero: x / zero, ZeroDivisionError, r"div\(x=-8.0, 0.0\): float division by zero"),
            (lambda x, zero: 1 / zero, ZeroDivisionError, r"div\(1.0, 0.0\): float division by zero"),
            (lambda x, zero: x.log(), ValueError, r"log\(x=-8.0\): math domain error"),
            (lambda x, zero: x ** (1 / 3), ValueError, r"pow\(x=-8.0, 0.33\d+\): negative number to a fractional"),
            (lambda x, zero: zero**-1, ZeroDivisionError, r"pow\(0.0, -1.0\): "),
            (lambda x, zero: x**400.0, OverflowError, r"pow\(x=-8.0, 400.0\): Numerical result out of range"),
            (lambda x, zero: math.log(-x, 1), ZeroDivisionError, r"log\(8.0, 1\): div\("),
            (lambda x, zero: math.digamma(zero), ValueError, r"digamma\(0.0\): math domain error$"),
            (lambda x, zero: math.atan2(x, "a"), TypeError, r"atan2\(x=-8.0, 'a'\): expected a real number, got str"),
            (lambda x, zero: math.dot([x], [1.0, 2.0]), ValueError, r"dot\(.*unequal lengths: ws has 1, xs has 2"),
            (
                lambda x, zero: math.fsum([x, None]),
                TypeError,
                r"fsum\(\[x=-8.0, None\]\): expected a real number, got N",
            ),
            (lambda x, zero: x.leaky_relu(x), TypeError, r"leaky_relu\(.*negative_slope is a plain number"),
            (
                lambda x, zero: math.mean([zero] * 9 + [x, "b"]),
                TypeError,
                r"mean\(\[0.0, 0.0, 0.0, 0.0, …\]\): expected",
            ),
            (lambda x, zero: x.ldexp(1.5), TypeError, r"ldexp\(x=-8.0, 1.5\): "),
            (lambda x, zero: math.logsumexp([]), ValueError, "logsumexp"),
        ],
    )
    def test_errors_name_operation_and_operands(self, make: Any, kind: type[Exception], message: str) -> None:
        with pytest.raises(kind, match=message) as caught:
            make(Value(-8.0, label="x"), Value(0.0))
        assert type(caught.value) is kind

    def test_an_error_of_another_package_keeps_its_type(self) -> None:
        class Odd(ValueError):
            def __init__(self, code: int, detail: str) -> None:
                super().__init__(code, detail)

        class Strange:
            def __float__(self) -> float:
                raise Odd(1, "strange")

        with pytest.raises(Odd) as caught:
            math.atan2(Value(1.0), Strange())
        assert caught.value.__notes__[0].startswith("in atan2(1.0, ")

    @pytest.mark.parametrize(("children", "got"), [("x", "str 'x'"), ((2.0, 3.0), "float 2.0"), ([None], "NoneType")])
    def test_children_are_values(self, children: Any, got: str) -> None:
        with pytest.raises(TypeError, match=f"^expected Values as children, got {got}"):
            Value(1.0, children)
        with pytest.raises(TypeError, match=r"^expected a tuple of Values as children, got int 2$"):
            Value(1.0, 2)  # type: ignore[arg-type]

    def test_a_gradient_of_none_is_named(self) -> None:
        x = Value(1.0)
        x.grad = None
        with pytest.raises(TypeError, match=r"the grad of a leaf is None, expected a number: zero_grad\(\) sets it"):
            (x * x).backward()
        y = Value(1.0)
        y._backward = lambda: "a" + 1  # type: ignore[operator]
        with pytest.raises(TypeError, match="can only concatenate"):
            y.backward()

    def test_a_gradient_of_none_is_named_by_its_label(self) -> None:
        x = Value(1.0, label="x")
        x.grad = None
        with pytest.raises(TypeError, match=r"^the grad of x is None, expected a number: zero_grad"):
            (x * x).backward()

    def test_the_largest_integers_are_not_printed(self) -> None:
        with pytest.raises(OverflowError, match=r"add\(1.0, an integer of \d+ bits\): int too large"):
            Value(1.0) + 10**5000

    def test_apply_wants_every_argument(self) -> None:
        with pytest.raises(ValueError, match=r"atan2\(1.0\)"):
            apply(RULES["atan2"], Value(1.0))


class TestNumberProtocol:
    def test_comparisons_compare_data(self) -> None:
        x, y = Value(1.0), Value(2.0)
        assert x < y and x <= y and y > x and y >= x and x != y and x == 1.0 and x == Value(1.0) and 1 == x
        assert x <= 1 and not x <= 0.5 and x > 0.5 and not x > 1 and x >= 1 and not x >= 2
        assert x < 2 and 2 > x and not x == 2 and not x == "a" and x != "a" and (x == 1.0) is True
        with pytest.raises(TypeError, match="not supported between"):
            _ = x < "a"

    def test_hashing_is_by_identity(self) -> None:
        x, y = Value(1.0), Value(1.0)
        assert len({x, y}) == 2 and {x: 1}.get(y) is None and hash(x) == hash(x)

    def test_a_function_written_for_floats_takes_the_same_branch(self) -> None:
        def sinc(x: Any) -> Any:
            return 1.0 if x == 0 else math.sin(x) / x

        assert sinc(Value(0.0)) == 1.0 and sinc(Value(0.5)).data == sinc(0.5)

    def test_conversions(self) -> None:
        x = Value(2.75)
        assert (float(x), int(x), bool(x), bool(Value(0.0))) == (2.75, 2, True, False)
        assert all(type(whole) is int for whole in (standard.floor(x), standard.ceil(x), standard.trunc(x), round(x)))
        assert (standard.floor(x), standard.ceil(x), standard.trunc(x), round(x)) == (2, 3, 2, 3)
        assert complex(x) == 2.75 + 0j and f"{x:.1f}" == "2.8" and f"{x}" == repr(x) and str(x) == repr(x)

    def test_rounding_to_digits_is_a_node(self) -> None:
        x = Value(2.756)
        out = round(x, 1)
        assert out.data == 2.8 and out.parents == (x,) and x.round(2).data == 2.76
        out.backward()
        assert x.grad == 0.0

    def test_builtins_work(self) -> None:
        xs = [Value(3.0), Value(1.0), Value(2.0)]
        assert sum(xs).data == 6.0 and max(xs) is xs[0] and min(xs) is xs[1]
        assert sorted(xs) == [xs[1], xs[2], xs[0]] and +xs[0] is xs[0]


class NumPyScalar:
    """What matters of a NumPy scalar: it converts, it has no length, and its own operators refuse."""

    ndim = 0

    def __init__(self, x: float) -> None:
        self.x = x

    def __float__(self) -> float:
        return self.x


def test_foreign_scalars_become_constants() -> None:
    x = Value(2.0)
    assert (x * NumPyScalar(3.0)).data == 6.0 and (NumPyScalar(3.0) - x).data == 1.0
    assert math.dot([x], [NumPyScalar(3.0)]).data == 6.0


class Array(list[Any]):
    """What matters of an array: iterable, convertible when it holds one number, with reflected operators."""

    def __float__(self) -> float:
        return float(self[0])

    def __rmul__(self, other: Any) -> Any:
        return Array(other * x for x in self)


def test_arrays_on_the_right_answer_for_themselves() -> None:
    x = Value(2.0)
    assert [node.data for node in x * Array([1.0, 3.0])] == [2.0, 6.0]


class TestHandWritten:
    @staticmethod
    def cube(x: Value) -> Value:
        out = Value(x.data**3, (x,), "cube")

        def _backward() -> None:
            x.grad += 3 * x.data**2 * out.grad

        out._backward = _backward
        return out

    def test_it_takes_part_in_backward(self) -> None:
        x = Value(2.0)
        out = self.cube(x * 2.0) + 1.0
        out.backward()
        assert out.data == 65.0 and x.grad == 96.0
        assert repr(out.parents[0].op) == "cube" and out.parents[0]._op == "cube"

    def test_without_a_function_it_hands_nothing_on(self) -> None:
        x = Value(2.0)
        (Value(4.0, (x,), "square") * 3.0).backward()
        assert x.grad == 0.0

    def test_it_has_no_second_derivative(self) -> None:
        out = self.cube(Value(2.0))
        with pytest.raises(
            TypeError, match="'cube' was added by assigning _backward, so it has a first derivative only"
        ):
            out.backward(create_graph=True)

    def test_a_rule_can_be_replaced_on_one_node(self) -> None:
        x, y = Value(2.0), Value(3.0)
        out = x * y
        out._backward = lambda: setattr(x, "grad", x.grad + 10 * out.grad)
        out.backward()
        assert (x.grad, y.grad, out.parents, out._op) == (10.0, 0.0, (x, y), "*")

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, pickle.dumps])
    def test_it_cannot_be_copied(self, duplicate: Callable[[Value], object]) -> None:
        with pytest.raises(TypeError, match="'cube' was added by assigning _backward, so its graph cannot be copied"):
            duplicate(self.cube(Value(2.0)) * 2.0)

    def test_errors_in_the_function_are_the_callers(self) -> None:
        calls = []
        out = self.cube(Value(2.0))
        out._backward = lambda: calls.append(1) or 1 / 0  # type: ignore[assignment]
        with pytest.raises(ZeroDivisionError):
            out.backward()
        assert calls == [1]

    def test_stepping_by_hand(self) -> None:
        x, y = Value(2.0), Value(-3.0)
        z = x * y
        z.grad = 1.0
        z._backward()
        x._backward()
        assert (x.grad, y.grad) == (-3.0, 2.0)
        root = Value(0.0).sqrt()
        root.grad = 1.0
        root._backward()
        assert root.parents[0].grad == standard.inf


@pytest.mark.parametrize(("platform", "expected"), [("emscripten", graph.unlink), ("linux", None)])
def test_only_in_a_browser_graphs_are_freed_in_a_loop(
    platform: str, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    spec: Any = value.__spec__
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    assert getattr(again.Value, "__del__", None) is expected


def test_micrograd_symbols() -> None:
    x = Value(2.0)
    assert [(x * x)._op, (x + 1)._op, x.relu()._op, (x**2)._op, (x**-0.5)._op, (2**x)._op, x._op, (x**x)._op] == [
        "*", "+", "ReLU", "**2", "**-0.5", "**", "", "**"
    ]  # fmt: skip
    assert (x * x)._prev == {x}
