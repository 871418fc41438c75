"""The demo of synthetic gradients: they come to agree with the true ones, and train a layer as well."""

import random

import pytest

import decoupled as demo
from microgrid import Value


@pytest.fixture(scope="module")
def course():
    return demo.decoupled(seed=0, epochs=250)


def test_synthetic_gradients_are_enough(course):
    assert course.rights == 4
    assert course.losses[-1] < 0.15
    assert demo.coupled(0, 250, frozen=True).losses[-1] > 0.6


def test_they_come_to_agree_with_the_true_ones(course):
    assert abs(course.agreement[0]) < 0.5
    assert min(course.agreement[-50:]) > 0.99


def test_backpropagation_learns_too():
    assert demo.coupled(0, 250).rights == 4


def test_true_synthetic_gradients_give_the_true_update():
    lower, upper = demo.layers(random.Random(3))
    outputs = [lower(row) for row in demo.ROWS]
    loss = demo.binary_cross_entropy_with_logits([upper(units) for units in outputs], demo.TARGETS)
    loss.backward()
    expected = [weight.grad for weight in lower.parameters()]
    true = [[Value(4 * unit.grad) for unit in units] for units in outputs]
    lower.zero_grad()
    demo.along([lower(row) for row in demo.ROWS], true).backward()
    assert [weight.grad for weight in lower.parameters()] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("xs", "ys", "expected"), [([1, 1], [2, 2], 1), ([1, 0], [0, 3], 0), ([0, 0], [1, 2], 0)])
def test_cosine(xs, ys, expected):
    assert demo.cosine(xs, ys) == pytest.approx(expected)


def test_it_says_whether_it_learned(capsys):
    assert demo.main(["--epochs", "2"]) == 1
    assert capsys.readouterr().out.endswith("the hidden layer did not learn what xor needs.\n")
