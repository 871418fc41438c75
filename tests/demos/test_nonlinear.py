"""The demo of a curve: a line cannot follow it, hidden layers can, between the points shown as well."""

import pytest

import nonlinear as demo


def test_a_neuron_draws_the_best_straight_line():
    net = demo.trained([1], 0, 800)
    heights = [demo.truth(x) for x in demo.SHOWN]
    slope = sum(x * y for x, y in zip(demo.SHOWN, heights, strict=True)) / sum(x * x for x in demo.SHOWN)
    assert net.layers[0].neurons[0].w[0].data == pytest.approx(slope, abs=1e-3)
    assert net.layers[0].neurons[0].b.data == pytest.approx(sum(heights) / len(heights), abs=1e-3)


@pytest.mark.parametrize("seed", range(2))
def test_hidden_layers_follow_the_curve_between_the_points(seed):
    net = demo.trained([8, 8, 1], seed, 800)
    assert demo.error(net, demo.SHOWN) < 0.03
    assert demo.error(net, demo.BETWEEN) < 0.03


def test_the_picture_has_the_points_and_the_curve():
    lines = demo.picture(demo.trained([1], 0, 800))
    assert len(lines) == 13
    assert sum(line.count(".") for line in lines) == 65
    assert 25 < sum(line.count("o") for line in lines) < 33  # the line hides some


def test_it_says_how_much_nearer(capsys):
    demo.main(["--epochs", "300"])
    assert " times as near as a straight line, between the points shown too.\n" in capsys.readouterr().out
