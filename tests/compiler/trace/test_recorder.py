"""Traces: what a run did as a program, whose values it used, what comes out as a `Value`."""

import re
from fractions import Fraction
from typing import Any

import pytest

from microgrid import Value, derivative, grad, hvp, jvp, math, no_grad, vjp
from microgrid.compiler.arguments import Unfit
from microgrid.compiler.trace.names import Names
from microgrid.compiler.trace.trace import Trace
from microgrid.compiler.trace.translator import variable
from microgrid.engine.modes import active
from microgrid.rules.table import RULES, Rule


def text(function: Any, *leaves: Any) -> str:
    """Return the program of a function without the lines of its inputs and outputs."""
    trace = Trace([float(getattr(leaf, "data", leaf)) for leaf in leaves], leaves)
    with trace:
        out = function(*trace.inputs)
    assert not trace.obstacle
    return "; ".join(str(trace.program([out])).splitlines()[1:-1])


def test_operations_are_steps() -> None:
    assert text(lambda x: x * x + 2, 3.0) == "mul_0 = mul(input0, input0); add_1 = add(mul_0, 2.0)"
    assert text(lambda x: 2 - x, 3.0) == "sub_0 = sub(2.0, input0)"
    assert text(lambda x: math.fsum([x, 1.0]), 3.0) == "fsum_1 = fsum([input0, 1.0])"
    assert text(lambda x: math.prod([x, x], start=3), 3.0) == "prod_0 = prod([input0, input0], 3)"
    assert text(lambda x: math.ldexp(x, 3), 3.0) == "ldexp_0 = ldexp(input0, 3)"


def test_made_values_are_numbers() -> None:
    assert text(lambda x: x * Value(2.0), 3.0) == "mul_1 = mul(input0, 2.0)"


def test_what_is_detached_keeps_its_number() -> None:
    assert text(lambda x: x * x.detach(), Value(3.0)) == "detach_0 = detach(input0); mul_1 = mul(input0, detach_0)"

    def unrecorded(x: Value) -> Value:
        with no_grad():
            return x * x

    assert text(unrecorded, 3.0) == "mul_0 = mul(input0, input0); mul_0_ = detach(mul_0)"
    assert text(lambda x: unrecorded(x) * x, 3.0).endswith("; mul_1 = mul(mul_0_, input0)")


def test_transforms_link_to_their_arguments() -> None:
    lines = text(grad(lambda x: x * x), 3.0).split("; ")
    assert lines[0] == "identity_0 = identity(input0)" and lines[1] == "mul_1 = mul(identity_0, identity_0)"


def test_softmax_is_one_step() -> None:
    expected = "softmax_1 = softmax([input0, 2.0]); share_2 = share(softmax_1, 0); share_3 = share(softmax_1, 1)"
    assert text(lambda x: math.softmax([x, 2])[0], 3.0) == expected
    assert text(lambda x: x * math.softmax([1.0])[0], 3.0) == "mul_0 = mul(input0, 1.0)"


def test_softmax_gives_its_numbers_meanwhile() -> None:
    trace = Trace([0.0, 0.0])
    with trace:
        shares = math.softmax([*trace.inputs, 0.0, 0.0])
    assert [(share.data, share.grad, share.label, share._y) for share in shares] == [
        (0.25, 0.0, "", n) for n in range(4)
    ]
    (whole,) = shares[0].parents
    assert all(share.parents[0] is whole for share in shares) and (whole.data, whole.grad, whole.label) == (
        0.0,
        0.0,
        "",
    )
    assert whole.op.mask == (True,) and all(
        one is other for one, other in zip(whole.parents, trace.inputs, strict=False)
    )


def test_softmax_is_of_operations_where_others_look_at_them() -> None:
    with_transform = text(lambda x: math.softmax([grad(lambda y: math.softmax([y, x])[0])(x)])[0], 3.0)
    assert with_transform.count("= exp(") == 2 and with_transform.count("= softmax(") == 1

    def constant(x: Value) -> Value:
        shares = math.softmax([x, 2])
        return grad(lambda y: shares[0])(x)  # type: ignore[no-any-return]

    assert "share_2 = share(softmax_1, 0)" in text(constant, 3.0)

    def unrecorded(x: Value) -> Value:
        with no_grad():
            return math.softmax([x, x])[0]  # type: ignore[return-value]

    assert "exp_" in text(unrecorded, 3.0) and "softmax" not in text(unrecorded, 3.0)


def test_externals_are_inputs() -> None:
    weight = Value(2.0)
    trace = Trace([1.0])
    with trace:
        out = trace.inputs[0] * weight + weight
    assert trace.program([out]).inputs == ("input0", "leaf0") and trace.externals == [weight]
    alone = Trace([1.0])
    assert alone.program([weight]).outputs == ("leaf0",) and alone.is_value(weight) and not alone.is_value(out)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, y: x * 2, False),
        (lambda x, y: x * y, True),
        (lambda x, y: y.detach(), True),
        (lambda x, y: x.detach(), False),
        (lambda x, y: Value(1.0) + x, True),
        (lambda x, y: math.hypot(x, 1.0, y), True),
        (lambda x, y: math.hypot(x, x, x), False),
        (lambda x, y: math.hypot(x, 1.0), False),
        (lambda x, y: math.fsum([x, Value(1.0)]), True),
        (lambda x, y: math.softmax([x, y])[0], True),
        (lambda x, y: math.softmax([x, 1.0])[1], False),
        (lambda x, y: y.detach() * x, True),
        (lambda x, y: grad(lambda z: z * y)(x), True),
        (lambda x, y: grad(lambda z: z * Value(2.0))(x), False),
        (lambda x, y: grad(lambda z: z * x)(y), True),
        (lambda x, y: grad(lambda z: grad(lambda u: u * x)(z))(2.0), False),
        (lambda x, y: grad(lambda z: grad(lambda u: u * u * z)(y))(x), True),
        (lambda x, y: jvp(math.sin, (x,), (y,))[1], True),
        (lambda x, y: jvp(math.sin, (x,), (y,))[0], True),
        (lambda x, y: vjp(math.sin, x)[1](y)[0], True),
        (lambda x, y: vjp(math.sin, x)[0], False),
        (lambda x, y: hvp(math.sin, (x,), (y,))[0], True),
        (lambda x, y: hvp(math.sin, (x,), (x,))[0], False),
        (lambda x, y: derivative(lambda z: z * x)(2.0), False),
        (lambda x, y: derivative(lambda z: z * y)(2.0), True),
        (lambda x, y: grad(lambda z: (z * z, z), has_aux=True)(x)[1], False),
        (lambda x, y: grad(lambda z: (z * z, z), has_aux=True)(y)[1], True),
        (lambda x, y: grad(lambda z: z * z)(x), False),
        (lambda x, y: grad(lambda z: z * z)(y), True),
        (lambda x, y: grad(lambda z: 3.0)(x), False),
        (lambda x, y: grad(lambda z: 3.0)(y), True),
    ],
)
def test_what_is_a_value_in_an_eager_run(function: Any, expected: bool) -> None:
    trace = Trace([1.0, 2.0], [1.0, Value(2.0)])
    with trace:
        out = function(*trace.inputs)
    trace.program([out])
    assert trace.is_value(out) is expected


def test_integers_are_known() -> None:
    trace = Trace([1.0, 1.0, 1.0], [1, 1.0, Value(1.0)])
    with trace:
        assert ["a", "b"][trace.inputs[0]] == "b"  # type: ignore[call-overload]
    assert trace.wholes == {0} and trace.program([]).size == 1
    assert [trace.is_integer(leaf) for leaf in (*trace.inputs, Value(1.0))] == [True, False, False, False]
    assert trace.wholes == {0, 1}


def test_modes_outside_see_nothing() -> None:
    with no_grad():
        trace = Trace([1.0])
        with trace:
            assert active() == [trace]
            out = trace.inputs[0] * 2
        assert [type(mode) for mode in active()] == [no_grad]
    assert out.op is not None


def test_constants_are_plain_numbers() -> None:
    class Length(float):
        def __repr__(self) -> str:
            return "__import__('os')"

    class Count(int):
        def __repr__(self) -> str:
            return "__import__('os')"

    assert text(lambda x: math.leaky_relu(x, Length(0.5)), 3.0) == "leaky_relu_0 = leaky_relu(input0, 0.5)"
    assert text(lambda x: math.ldexp(x, Count(2)), 3.0) == "ldexp_0 = ldexp(input0, 2)"
    assert text(lambda x: x < True, 3.0) == "guard input0 < 1 is False"


def test_the_largest_integers_cannot_be_compared_with() -> None:
    fits, too_large = (1 << 1024) - 1, 1 << 1024
    for large, obstacle in [(fits, ""), (too_large, "the constant an integer of 1025 bits of type int")]:
        trace = Trace([3.0])
        with trace:
            assert trace.inputs[0] < large
        trace.program([])
        assert trace.obstacle == obstacle


@pytest.mark.parametrize(
    ("function", "obstacle"),
    [
        (lambda x: Value(Fraction(1, 2)), "a fraction at "),
        (lambda x: Value(1.0, (x,), "mine"), "a hand-written operation at "),
        (lambda x: x < Fraction(1, 2), r"the constant Fraction\(1, 2\) of type Fraction$"),
        (lambda x: [Value(Fraction(1, 2)), Value(1.0, (x,), "mine")], "a fraction at "),
    ],
)
def test_the_first_obstacle_is_told(function: Any, obstacle: str) -> None:
    trace = Trace([3.0])
    assert trace.obstacle == ""
    with trace:
        function(trace.inputs[0])
    trace.program([])
    assert re.match(obstacle, trace.obstacle) and (" at " not in obstacle or "test_recorder.py" in trace.obstacle)
    Names(trace).name({1.0})
    assert re.match(obstacle, trace.obstacle)


def test_an_error_in_a_run_is_told_unless_an_obstacle_is_behind_it() -> None:
    with pytest.raises(Unfit, match=r"^a trial run raised KeyError: 'y'$") as told:
        Trace([3.0]).run(lambda x, *, scale: {}["y"], 2.0, scale=1.0)
    assert isinstance(told.value.__cause__, KeyError)
    trace = Trace([3.0])
    with pytest.raises(Unfit, match=r"^reading \.data at .*test_recorder\.py:\d+$"):
        trace.run(lambda x: {}[x.data], *trace.inputs)


def test_a_program_is_checked_to_tell_all_and_not_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    trace = Trace([3.0])
    out = trace.run(lambda x, *, scale: x * x * scale, *trace.inputs, scale=2.0)
    monkeypatch.setattr("microgrid.compiler.trace.trace.MOST_STEPS", 2)
    assert str(trace.checked_program([out])) == str(trace.program([out]))
    monkeypatch.setattr("microgrid.compiler.trace.trace.MOST_STEPS", 1)
    with pytest.raises(Unfit, match=r"^2 operations are too many to compile; compile a part of it that is called"):
        trace.checked_program([out])
    with pytest.raises(Unfit, match=r"^the constant Fraction\(1, 2\) of type Fraction$"):
        trace.checked_program([Fraction(1, 2)])


@pytest.mark.parametrize("name", ["d", "p", "d_mul", "p_mul_2_xs", "row", "kept", "mul_2", "mul_x_2"])
def test_variables_are_no_names_of_something_else(name: str) -> None:
    assert variable(Rule(f"{name}(x)", "x", "a test", x="1"), 3) == f"{name}__3"


def test_variables_are_no_functions() -> None:
    assert variable(Rule("expm(x)", "x", "a test", x="1"), 1) == "expm_1"
    RULES["mul_9"] = RULES["mul"]
    try:
        assert variable(RULES["mul"], 9) == "mul__9"
    finally:
        del RULES["mul_9"]
