"""Initialisers: what they draw, from which distribution, and how a network comes by them."""

import functools
import math
import random
import re
import statistics

import pytest

from microgrid import nn
from microgrid.nn import MLP, Layer, Neuron
from microgrid.nn.initialisers import INITIALISERS, initialiser_function

# The first three numbers for the seed 0, fan_in 3 and fan_out 5: the same bits on every Python and machine.
RECORDED = {
    "uniform": [0.6888437030500962, 0.515908805880605, -0.15885683833831],
    "normal": [-0.18386822109325826, 0.0325041290775818, 0.6988276932539805],
    "glorot_uniform": [0.5965561460783275, 0.44679013192869843, -0.13757405756585417],
    "glorot_normal": [-0.09193411054662913, 0.0162520645387909, 0.34941384662699027],
    "he_uniform": [0.9741721072087512, 0.7296052302240599, -0.22465749525374834],
    "he_normal": [-0.15012777386390858, 0.026539510257879022, 0.5705904221994849],
    "zeros": [0.0, 0.0, 0.0],
    "constant": [1.0, 1.0, 1.0],
}
DEVIATIONS = {
    "uniform": math.sqrt(1 / 3),
    "normal": 1.0,
    "glorot_uniform": math.sqrt(2 / 50),
    "glorot_normal": math.sqrt(2 / 50),
    "he_uniform": math.sqrt(2 / 20),
    "he_normal": math.sqrt(2 / 20),
}


def drawn(init, count, fan_in=3, fan_out=5, seed=0):
    """Return the first numbers that `init` draws."""
    draw, source = initialiser_function(init, fan_in, fan_out), random.Random(seed)
    return [draw(source) for _ in range(count)]


@pytest.mark.parametrize("name", INITIALISERS)
def test_recorded_numbers(name):
    assert drawn(name, 3) == RECORDED[name]
    assert drawn(getattr(nn, name), 3) == RECORDED[name]


@pytest.mark.parametrize("name", DEVIATIONS)
def test_distributions(name):
    count = 20_000
    sample = drawn(name, count, fan_in=20, fan_out=30)
    deviation = DEVIATIONS[name]
    assert abs(statistics.fmean(sample)) < 5 * deviation / math.sqrt(count)
    assert statistics.pstdev(sample) == pytest.approx(deviation, rel=5 / math.sqrt(2 * count))
    largest = max(map(abs, sample)) / deviation
    if name.endswith("uniform"):
        assert math.sqrt(3) * 0.999 < largest <= math.sqrt(3) * (1 + 1e-15)
    else:
        within = [sum(abs(x) < k * deviation for x in sample) / count for k in (1, 2)]
        assert within == pytest.approx([0.6827, 0.9545], abs=0.02)
        assert largest > 3


def test_options_are_set_by_partial():
    assert drawn(functools.partial(nn.constant, value=0.25), 2) == [0.25, 0.25]
    assert drawn(functools.partial(nn.uniform, low=2.0, high=4.0), 1) == [random.Random(0).uniform(2.0, 4.0)]
    assert drawn(functools.partial(nn.normal, mean=5.0, std=0.0), 1) == [5.0]
    for name in ("glorot_uniform", "glorot_normal"):
        gained = drawn(functools.partial(getattr(nn, name), gain=2.0), 3)
        assert gained == pytest.approx([2 * x for x in RECORDED[name]], rel=1e-15)


def test_fans_are_given_to_those_who_ask():
    calls = []

    def both(source, fan_out, fan_in):
        calls.append((fan_in, fan_out))
        return 0.5

    net = MLP(2, [3, 1], init=both)
    assert calls == [(2, 3)] * 6 + [(3, 1)] * 3
    assert {w.data for neuron in net.layers[0].neurons for w in neuron.w} == {0.5}
    calls.clear()
    Neuron(4, init=both)
    Neuron(1, init=both, fan_out=7)
    Layer(2, 2, init=both, fan_out=9)
    assert calls == [(4, 1)] * 4 + [(1, 7)] + [(2, 9)] * 4
    assert [w.data for w in Neuron(2, init=lambda rng, fan_in: fan_in).w] == [2.0, 2.0]


@pytest.mark.parametrize("init", [random.Random.gauss, random.Random.random, lambda rng: rng.gauss(0, 1)])
def test_functions_of_a_source_are_given_nothing_else(init):
    source = random.Random(4)
    assert [w.data for w in Neuron(3, init=init, rng=4).w] == [init(source) for _ in range(3)]


def test_a_function_that_does_not_tell_its_arguments():
    class Untold:
        __signature__ = property(lambda self: (_ for _ in ()).throw(ValueError("no signature")))

        def __call__(self, source):
            return 0.75

    assert drawn(Untold(), 1) == [0.75]


@pytest.mark.parametrize("name", INITIALISERS)
def test_networks_by_name(name):
    net = MLP(3, [4, 2], init=name, rng=5)
    source, expected = random.Random(5), []
    for fan_in, fan_out in ((3, 4), (4, 2)):
        draw = initialiser_function(name, fan_in, fan_out)
        expected += [draw(source) for _ in range(fan_in * fan_out)]
    assert [w.data for layer in net.layers for neuron in layer.neurons for w in neuron.w] == expected
    assert {neuron.b.data for layer in net.layers for neuron in layer.neurons} == {0.0}


@pytest.mark.parametrize("build", [lambda init: Neuron(2, init=init), lambda init: MLP(2, [1], init=init)])
def test_what_is_no_initialiser(build):
    with pytest.raises(
        ValueError, match=r"^no initialiser is called 'ones'; try 'uniform', 'normal', 'glorot_uniform'"
    ):
        build("ones")
    for wrong in (0.0, [1.0]):
        message = f"an initialiser is a function or its name, got {type(wrong).__name__} {wrong!r}"
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            build(wrong)
