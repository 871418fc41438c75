"""The demo of linear layers: their product says the same, and 1/2 is all that it learns."""

from functools import reduce

import pytest

import linear_collapse as demo
from microgrid.nn import MLP


def test_linear_layers_are_one():
    net = MLP(3, [4, 2, 5], activation=None, init="normal", rng=0)
    for layer in net.layers:
        for place, neuron in enumerate(layer.neurons):
            neuron.b.data = 0.5 - place
    matrix, bias = reduce(demo.after, map(demo.affine, net.layers))
    x = [0.3, -1.2, 2.0]
    product = [sum(w * x for w, x in zip(row, x, strict=True)) + b for row, b in zip(matrix, bias, strict=True)]
    assert [out.data for out in net(x)] == pytest.approx(product, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_they_say_one_half_to_everything(seed):
    net, losses = demo.trained(None, seed, 1000)
    assert demo.answers(net) == pytest.approx([0.5] * 4, abs=1e-9)
    assert losses[-1] == pytest.approx(0.25, abs=1e-12)


def test_tanh_between_them_is_enough():
    net, losses = demo.trained("tanh", 1, 300)
    assert demo.answers(net) == pytest.approx([0, 1, 1, 0], abs=0.01)
    assert losses[-1] < 1e-4


def test_it_shows_both(capsys):
    demo.main([])
    out = capsys.readouterr().out
    said = {line[:24]: line[28:64].split() for line in out.splitlines() if " says " in line or "multiplied" in line}
    assert said["the linear network says "] == said["its matrices multiplied "] == ["0.5000"] * 4
    assert out.endswith("the best that it can say is 1/2 to everything.\n")
