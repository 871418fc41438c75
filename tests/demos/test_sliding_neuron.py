"""The demo of convolution: the sliding neuron knows edges everywhere, separate neurons do not."""

from itertools import pairwise

import pytest

import sliding_neuron as demo
from microgrid.nn import Layer


def test_edges():
    assert demo.edges([0, 1, 1, 0, 1]) == [1, 0, 0, 1]


def test_examples_have_nothing_on_the_right():
    assert len(demo.EXAMPLES) == 16
    assert all(not any(row[4:]) for row in demo.EXAMPLES)


@pytest.mark.parametrize("seed", range(3))
def test_a_sliding_neuron_knows_edges_everywhere(seed):
    model = demo.Sliding(seed)
    losses = demo.taught(model, 150)
    assert len(model.parameters()) == 3
    assert losses[-1] < 0.02
    assert demo.flawless(model, demo.ALL) == 256
    assert demo.found(model, demo.LONGER) == demo.edges(demo.LONGER)


def test_separate_neurons_know_what_they_have_seen():
    layer = Layer(demo.LENGTH, demo.LENGTH - 1, nonlin=False, rng=0)
    demo.taught(layer, 150)
    assert demo.flawless(layer, demo.EXAMPLES) == 16
    assert demo.flawless(layer, demo.ALL) < 128


def test_it_is_a_convolution():
    model, row = demo.Sliding(1), [0.5, -1.0, 2.0, 0.25]
    (a, b), bias = (weight.data for weight in model.neuron.w), 0.0
    assert [out.data for out in model(row)] == [bias + a * x + b * y for x, y in pairwise(row)]
    shifted = [out.data for out in model([0.0, *row])]
    assert shifted[1:] == [out.data for out in model(row)]


def test_it_shows_the_edges(capsys):
    demo.main([])
    out = capsys.readouterr().out
    row, edges = (line.split()[-1] for line in out.splitlines() if line.startswith(("a longer row", "edges found")))
    assert [edge == "#" for edge in edges] == [pair == (".", "#") for pair in pairwise(row)]
    assert "256 rows right against" in out
