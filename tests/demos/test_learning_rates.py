"""The demo of how training fails: each failure is seen, and each cure works."""

import pytest

import learning_rates as demo
from microgrid import math


@pytest.fixture(scope="module")
def rates():
    return demo.rates(seed=3, epochs=400)


@pytest.fixture(scope="module")
def mistakes():
    return demo.mistakes(seed=3, epochs=400)


def test_rates(rates):
    slow, right, wild, clipped = rates.values()
    assert 0.1 < slow.errors[-1] < slow.errors[0] and sorted(slow.errors, reverse=True) == slow.errors
    assert right.learned and right.errors[-1] < 1e-9
    assert wild.errors[-1] == math.inf and len(wild.errors) < 400
    assert clipped.learned and max(clipped.errors[-100:]) < 0.01


def test_every_mistake_fails_and_every_cure_works(mistakes):
    assert [attempt.learned for attempt in mistakes.values()] == [False, True] * 5


def test_why_they_fail(mistakes):
    alike, _, forgotten, _, dead, _, stuck, _, signed, _ = mistakes.values()
    assert alike.errors[-1] == pytest.approx(0.25, abs=1e-3)  # one half to everything, or nearly
    assert dead.errors[-1] == pytest.approx(0.25, abs=1e-9)
    assert stuck.errors[-1] == pytest.approx(1 / 6, abs=1e-3)  # one row right, the others alike
    assert max(forgotten.errors[-100:]) > 2 * min(forgotten.errors[-100:])  # to and fro
    assert signed.errors[-1] > 1e6 > 1 > signed.errors[0]


def test_equal_units_stay_equal():
    net = demo.network(3, init="constant")
    demo.train(net, 50)
    first, *others = net.layers[0].neurons
    assert all(other.state_dict() == first.state_dict() for other in others)
    assert {weight.data for weight in net.layers[1].neurons[0].w} == {net.layers[1].neurons[0].w[0].data}


def test_dead_units_have_no_gradient():
    net = demo.biased(demo.network(3), -2.0)
    demo.mse_loss([net(row) for row in demo.ROWS], demo.TARGETS).backward()
    assert [weight.grad for weight in net.layers[0].parameters()] == [0.0] * 24


def test_it_counts(capsys):
    demo.main(["--epochs", "100"])
    out = capsys.readouterr().out
    assert out.endswith("Of five mistakes 5 kept the network from learning; of their cures 4 let it learn.\n")
