"""The demo of exam scores: it learns the examples, and expects something sensible of (4, 8)."""

import pytest

import exam_scores as demo


def test_inputs_are_divided_by_the_largest():
    assert [demo.scaled(hours) for hours in demo.HOURS] == [[0.3, 1.0], [0.5, 0.2], [1.0, 0.4]]
    assert demo.scaled([4, 8]) == [0.4, 1.6]


@pytest.mark.parametrize("seed", range(3))
def test_it_trains_until_the_error_is_acceptable(seed):
    net, history = demo.trained(seed, 5000)
    assert len(history.loss) < 5000
    assert history.loss[-1] < demo.ACCEPTABLE <= history.loss[-2]
    assert [demo.score(net, hours) for hours in demo.HOURS] == pytest.approx([75, 82, 93], abs=0.6)
    assert 70 < demo.score(net, (4, 8)) < 85


def test_it_answers(capsys):
    assert demo.main([]) == 0
    assert "expects 77 of 100 after 4 hours of study and 8 of sleep.\n" in capsys.readouterr().out


def test_it_says_that_it_needs_longer(capsys):
    assert demo.main(["--epochs", "20"]) == 1
    assert capsys.readouterr().out.endswith("The error is not acceptable yet: try more --epochs.\n")
