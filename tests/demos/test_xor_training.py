"""The demo of XOR: how accuracy climbs, and how the rows come apart in the hidden layer."""

import re

import pytest

import xor
from microgrid.nn import MLP
from microgrid.training import Recorder


@pytest.fixture(scope="module")
def trained():
    """The network of the default seed, what its parameters were, and its counts."""
    net, counts = MLP(2, [8, 1], activation="tanh", rng=2), []
    recorder = Recorder(net)
    for _, _, rights in xor.train(net, 200):
        recorder()
        counts.append(rights)
    return net, recorder, counts


def test_accuracy_climbs_in_steps(trained, capsys):
    _, _, counts = trained
    assert sorted(counts) == counts
    assert {*counts} == {2, 3, 4}
    assert xor.main([]) == 0
    steps = [counts.index(count) + 1 for count in (2, 3, 4)]
    words = "accuracy: 50% from epoch {}, 75% from epoch {}, 100% from epoch {}\n".format(*steps)
    assert words in capsys.readouterr().out


def test_the_rows_are_divided_once_all_are_right(trained):
    net, recorder, counts = trained
    for epoch, count in enumerate(counts):
        with recorder.restored(epoch):
            sides = [
                (distance > 0) == target for distance, target in zip(xor.distances(net), (0, 1, 1, 0), strict=True)
            ]
        assert sum(sides) == count


def test_a_distance_is_the_logit_over_the_length_of_the_weights(trained):
    net, _, _ = trained
    length = sum(weight.data**2 for weight in net.layers[1].neurons[0].w) ** 0.5
    assert xor.distances(net) == pytest.approx([net(row).data / length for row in xor.ROWS])


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ([-2.0, 2.0, 1.0, -1.0], "0 0  |  1 1"),
        ([0.4, 0.4, 2.0, -2.0], "0    |*   1"),
        ([0.0, 2.0, 2.0, -2.0], "0    0    1"),
    ],
)
def test_where_rows_land(found, line):
    assert xor.landing(found, 2.0, 11) == line


def test_no_reach():
    assert xor.landing([0.0] * 4, 0.0, 5) == "  *  "


def test_each_parameter_has_a_curve(capsys):
    xor.main([])
    lines = re.findall(r"^ *(?:\d|out)  .*[▁█].*$", capsys.readouterr().out, re.MULTILINE)
    assert [len(re.findall(r"[▁-█]{10} +-?\d", line)) for line in lines] == [4] * 8 + [1]
