"""Gradient clipping, against the formula of `torch.nn.utils`."""

import math
import re

import pytest

from microgrid import Value
from microgrid.nn import Neuron
from microgrid.optim import clip_grad_norm_, clip_grad_value_


def leaves(*gradients):
    """Return leaves with these gradients."""
    found = [Value(0.0) for _ in gradients]
    for leaf, gradient in zip(found, gradients, strict=True):
        leaf.grad = gradient
    return found


@pytest.mark.parametrize(
    ("norm_type", "norm"),
    [
        (2.0, 13.0),
        (2, 13.0),
        (1.0, 19.0),
        (math.inf, 12.0),
        (3.0, (27 + 64 + 1728) ** (1 / 3)),
        (0.5, (2 + 3 * 3**0.5) ** 2),
    ],
)
def test_the_gradient_is_shortened_to_the_norm(norm_type, norm):
    parameters = leaves(3.0, -4.0, 12.0)
    norm = pytest.approx(norm, rel=1e-14)
    found = clip_grad_norm_(iter(parameters), 2.0, norm_type)
    assert found == norm
    factor = 2.0 / (found + 1e-6)  # as in PyTorch
    assert [x.grad for x in parameters] == [3.0 * factor, -4.0 * factor, 12.0 * factor]


@pytest.mark.parametrize("max_norm", [5.0001, 7.0, math.inf])
def test_a_short_gradient_stays(max_norm):
    parameters = leaves(3.0, 4.0)
    assert clip_grad_norm_(parameters, max_norm) == 5.0
    assert [x.grad for x in parameters] == [3.0, 4.0]


def test_norms_do_not_overflow_or_underflow():
    for p in (1.0, 2.0, 3.0, math.inf):
        for size in (1e-300, 1e200):
            (x,) = leaves(size)
            assert clip_grad_norm_(x, 1e-310, p) == pytest.approx(size, rel=1e-15)
    assert clip_grad_norm_(leaves(0.0, 0.0), 1.0, 3.0) == 0.0
    assert clip_grad_norm_([], 1.0) == 0.0


@pytest.mark.parametrize("p", [1.0, 2.0, math.inf])
def test_norms_that_are_not_finite(p):
    parameters = leaves(math.inf, 1.0)
    with pytest.raises(
        ValueError, match=r"^clip_grad_norm_: the norm of the gradient is inf, so it cannot be clipped$"
    ):
        clip_grad_norm_(parameters, 1.0, p, error_if_nonfinite=True)
    assert [x.grad for x in parameters] == [math.inf, 1.0]
    assert clip_grad_norm_(parameters, 1.0, p) == math.inf
    assert math.isnan(parameters[0].grad) and parameters[1].grad == 0.0
    assert math.isnan(clip_grad_norm_(parameters, 1.0, p))
    assert all(math.isnan(x.grad) for x in parameters)


def test_values_are_held_between_bounds():
    parameters = leaves(-3.0, -0.5, 0.25, 7.0, math.inf, math.nan)
    clip_grad_value_(iter(parameters), 0.5)
    assert [x.grad for x in parameters[:5]] == [-0.5, -0.5, 0.25, 0.5, 0.5]
    assert math.isnan(parameters[5].grad)


def test_recorded_gradients_stay_recorded():
    for clip in (lambda x: clip_grad_norm_(x, 3.0), lambda x: clip_grad_value_(x, 3.0)):
        x = Value(2.0)
        (x**3).backward(create_graph=True)
        clip(x)
        assert isinstance(x.grad, Value)
        assert x.grad.data == pytest.approx(3.0, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: clip_grad_norm_([], -1.0),
            ValueError,
            "clip_grad_norm_ expects max_norm of at least 0, got max_norm=-1.0",
        ),
        (lambda: clip_grad_norm_([], "1"), TypeError, "clip_grad_norm_ expects plain numbers, got max_norm='1'"),
        (lambda: clip_grad_norm_([], 1.0, 0), ValueError, "clip_grad_norm_ expects norm_type above 0, got 0"),
        (lambda: clip_grad_norm_([], 1.0, math.nan), ValueError, "clip_grad_norm_ expects norm_type above 0, got nan"),
        (
            lambda: clip_grad_value_([], -1),
            ValueError,
            "clip_grad_value_ expects clip_value of at least 0, got clip_value=-1",
        ),
    ],
)
def test_bounds_are_checked(call, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_what_is_no_list_of_parameters(clip):
    words = rf"^{clip.__name__} expects the parameters, such as net.parameters\(\), got LinearNeuron\(2\)$"
    with pytest.raises(TypeError, match=words):
        clip(Neuron(2, nonlin=False), 1.0)


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_gradients_are_of_values(clip):
    with pytest.raises(TypeError, match=f"^{clip.__name__} expects Values, got float 3.0$"):
        clip([Value(1.0), 3.0], 1.0)
