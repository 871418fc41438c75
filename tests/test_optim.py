"""Optimisers against trajectories of `torch.optim`, printed by PyTorch 2.13 in float64."""

import math
import re
from fractions import Fraction

import pytest

from microgrid import Value
from microgrid.nn import MLP
from microgrid.optim import SGD


def banana(x, y):
    """Return a curved valley with its minimum 0 at (1, 1)."""
    u, v = 1 - x, y - x * x
    return u * u + 5 * v * v


START = (-1.2, 0.7)
TRAJECTORIES = {
    (0.02, 0.0): [
        (-0.7567999999999999, 0.848),
        (-0.7698528182272, 0.792949248),
        (-0.7607318876845485, 0.7528940707464724),
        (-0.7433046485730829, 0.7180578575851972),
        (-0.7227958973356384, 0.6849466461862287),
        (-0.7008694772640732, 0.6524440987900291),
        (-0.6780340720323087, 0.6201988838641063),
        (-0.654434002443279, 0.5881051476586278),
        (-0.6300936353984526, 0.5561408908376881),
        (-0.6049948209669759, 0.5243163105440781),
    ],
    (0.02, 0.9): [
        (-0.7567999999999999, 0.848),
        (-0.3709728182271999, 0.926149248),
        (-0.08589848541715715, 0.8387778879726862),
        (0.18553797595811897, 0.5938637963129588),
        (0.503928177876922, 0.26155322266113956),
        (0.8118561120965901, -0.03904821646605477),
        (0.8697952897070743, -0.1699577990376005),
        (0.6048020312655811, -0.1024760943451489),
        (0.2688337927683765, 0.051909758151681896),
        (-0.006480554933278377, 0.19492939539533932),
    ],
    (0.01, 0.5): [
        (-0.9783999999999999, 0.7739999999999999),
        (-0.7921703995391999, 0.8293266559999999),
        (-0.6951830343075894, 0.8368107125906095),
        (-0.6619394780103696, 0.805199614745764),
        (-0.6606699998217748, 0.7526904916036289),
        (-0.6686033771438891, 0.6948153657386489),
        (-0.6723319610885651, 0.6410993138251153),
        (-0.6661730465934992, 0.5953343830759565),
        (-0.649961547677207, 0.557297132194548),
        (-0.626385655664157, 0.524793794880284),
    ],
}


@pytest.mark.parametrize(("lr", "momentum"), TRAJECTORIES)
def test_trajectory(lr, momentum):
    x, y = map(Value, START)
    optimizer = SGD([x, y], lr=lr, momentum=momentum)
    for expected in TRAJECTORIES[lr, momentum]:
        optimizer.zero_grad()
        banana(x, y).backward()
        optimizer.step()
        # PyTorch multiplies and adds with one rounding where the processor can: the last bits differ.
        assert (x.data, y.data) == pytest.approx(expected, rel=1e-13, abs=0)


def bowl(x, y):
    return x * x * 2 + x * y + y * y


EXACT = {  # every number here has few bits: nothing is rounded, whatever the order of operations
    0.0: [
        (2.125, -4.125),
        (1.578125, -3.359375),
        (1.208984375, -2.716796875),
        (0.944091796875, -2.188720703125),
        (0.745635986328125, -1.759552001953125),
        (0.5927619934082031, -1.4128684997558594),
        (0.472989559173584, -1.13374662399292),
        (0.378213107585907, -0.9094336628913879),
        (0.302785761654377, -0.7293518856167793),
        (0.2425618665292859, -0.5848621344193816),
    ],
    0.5: [
        (2.125, -4.125),
        (1.140625, -2.921875),
        (0.443359375, -1.732421875),
        (0.089599609375, -0.760009765625),
        (-0.037078857421875, -0.095001220703125),
        (-0.07000350952148438, 0.2658882141113281),
        (-0.08470010757446289, 0.3886113166809082),
        (-0.09827476739883423, 0.36340755224227905),
        (-0.10135065764188766, 0.272238127887249),
        (-0.08624303992837667, 0.17126271594315767),
    ],
}


@pytest.mark.parametrize("momentum", EXACT)
def test_trajectory_bit_for_bit(momentum):
    x, y = Value(3.0), Value(-5.0)
    optimizer = SGD([x, y], lr=0.125, momentum=momentum)
    trajectory = []
    for _ in range(10):
        optimizer.zero_grad()
        bowl(x, y).backward()
        optimizer.step()
        trajectory.append((x.data, y.data))
    assert trajectory == EXACT[momentum]


def test_first_velocity_is_the_gradient():
    x = Value(1.0)
    optimizer = SGD([x], lr=0.5, momentum=0.5)
    for gradient, expected in [(2.0, 0.0), (1.0, -1.0), (0.0, -1.5), (0.0, -1.75)]:
        x.grad = gradient
        optimizer.step()
        assert x.data == expected


def test_gradients_accumulate_until_they_are_zeroed():
    x = Value(1.0)
    optimizer = SGD([x], lr=0.25)
    (x * 2).backward()
    (x * 2).backward()
    optimizer.step()
    assert (x.data, x.grad) == (0.0, 4.0)
    optimizer.zero_grad()
    assert x.grad == 0.0
    optimizer.step()
    assert x.data == 0.0


def test_zero_grad_zeroes_all_parameters_and_no_other():
    x, y, other = Value(1.0), Value(2.0), Value(3.0)
    x.grad = y.grad = other.grad = 5.0
    SGD([x, y]).zero_grad()
    assert (x.grad, y.grad, other.grad) == (0.0, 0.0, 5.0)


def test_a_parameter_without_gradient_stays():
    x, y = Value(1.0), Value(2.0)
    optimizer = SGD([x, y], lr=0.5, momentum=0.5)
    for expected in (0.0, -1.5):
        optimizer.zero_grad()
        (x * 2).backward()
        optimizer.step()
        assert x.data == expected
        assert (y.data, y.grad) == (2.0, 0.0)


def test_parameters_may_come_from_a_generator():
    net = MLP(2, [2, 1])
    before = [parameter.data for parameter in net.parameters()]
    optimizer = SGD((parameter for _, parameter in net.named_parameters()), lr=1.0)
    for _ in range(2):
        for parameter in net.parameters():
            parameter.grad = 1.0
        optimizer.step()
    assert [parameter.data for parameter in net.parameters()] == [data - 1.0 - 1.0 for data in before]
    optimizer.zero_grad()
    assert [parameter.grad for parameter in net.parameters()] == [0.0] * 9


def test_default_learning_rate():
    x = Value(1.0)
    optimizer = SGD([x])
    assert (optimizer.lr, optimizer.momentum) == (0.001, 0.0)
    x.grad = 1.0
    optimizer.step()
    assert x.data == 1.0 - 0.001


def test_learning_rate_and_momentum_can_be_changed_between_steps():
    x = Value(0.0)
    optimizer = SGD([x], lr=1.0, momentum=0.5)
    for lr, momentum, expected in [(1.0, 0.5, -1.0), (0.5, 0.5, -1.75), (0.5, 0.0, -2.25), (1.0, 2.0, -5.25)]:
        optimizer.lr, optimizer.momentum = lr, momentum
        x.grad = 1.0
        optimizer.step()
        assert x.data == expected


def test_without_momentum_nothing_is_kept():
    x = Value(1.0)
    optimizer = SGD([x], lr=1.0)
    x.grad = math.inf
    optimizer.step()
    x.data, x.grad = 1.0, 0.5
    optimizer.step()
    assert x.data == 0.5


def test_zero_learning_rate_changes_nothing():
    x = Value(1.5)
    x.grad = 2.0
    SGD([x], lr=0).step()
    assert x.data == 1.5


def test_step_changes_no_gradient_and_builds_no_graph():
    x = Value(1.5)
    optimizer = SGD([x], lr=0.5, momentum=0.5)
    for _ in range(2):
        x.grad = 2.0
        optimizer.step()
        assert x.grad == 2.0
        assert type(x.data) is float
        assert x.op is None


def test_recorded_gradients_serve_as_numbers():
    x = Value(2.0)
    optimizer = SGD([x], lr=0.25, momentum=0.5)
    for expected in (1.0, 0.0):
        x.zero_grad()
        (x * x).backward(create_graph=True)
        assert isinstance(x.grad, Value)
        optimizer.step()
        assert type(x.data) is float
        assert x.data == expected


def test_fractions_stay_exact():
    x = Value(Fraction(1, 3))
    optimizer = SGD([x], lr=Fraction(1, 4), momentum=Fraction(1, 2))
    for expected in (Fraction(1, 6), Fraction(0)):
        optimizer.zero_grad()
        (x * x).backward()
        optimizer.step()
        assert isinstance(x.data, Fraction)
        assert x.data == expected


def test_no_parameters():
    for nothing in ([], iter(())):
        with pytest.raises(ValueError, match=r"^SGD expects at least one parameter, got none$"):
            SGD(nothing)


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ({"lr": -0.1}, "lr=-0.1 and momentum=0.0"),
        ({"lr": 0.1, "momentum": -0.5}, "lr=0.1 and momentum=-0.5"),
        ({"lr": float("nan")}, "lr=nan and momentum=0.0"),
        ({"momentum": float("nan")}, "lr=0.001 and momentum=nan"),
    ],
)
def test_negative_options(options, got):
    with pytest.raises(ValueError, match=f"^SGD expects lr and momentum of at least 0, got {re.escape(got)}$"):
        SGD([Value(1.0)], **options)


@pytest.mark.parametrize(
    ("bad", "got"),
    [
        (1.0, "float 1.0"),
        (("w", Value(1.0)), "tuple ('w', Value(data=1.0, grad=0.0))"),
        (Value(2.0) * 3, "Value Value(data=6.0, grad=0.0)"),
    ],
)
def test_parameters_that_are_no_leaves(bad, got):
    with pytest.raises(TypeError, match=f"^SGD expects leaf Values, got {re.escape(got)}$"):
        SGD([Value(1.0), bad])


def test_what_is_no_list_of_parameters():
    for wrong in (MLP(2, [1]), MLP(2, [1]).parameters):
        with pytest.raises(TypeError, match=r"^SGD expects the parameters, such as net.parameters\(\), got"):
            SGD(wrong)


def test_a_parameter_given_twice():
    x = Value(1.0)
    with pytest.raises(ValueError, match="SGD expects each parameter once"):
        SGD([x, x])


@pytest.mark.parametrize("options", [{"lr": Value(0.1)}, {"momentum": Value(0.1)}])
def test_the_learning_rate_is_a_plain_number(options):
    with pytest.raises(TypeError, match="SGD expects plain numbers, got lr="):
        SGD([Value(1.0)], **options)
