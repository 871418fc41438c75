"""The demo of the 3-4-1 networks: the published errors, and the true gradient beside them."""

import pytest

import three_four_one as demo

PUBLISHED = ["0.5013730688788007", "0.4664830127093482"]  # at epochs 0 and 1,000; later ones hang on the last bit


@pytest.mark.parametrize("seed", [0, 2])
def test_the_network_without_biases(seed):
    said = demo.without_biases(seed, 10_000)
    assert said == pytest.approx([0.014, 0.962, 0.962, 0.045], abs=0.015)


def test_the_published_rule_reproduces_the_published_errors():
    errors = demo.by_hand(1000)
    assert [f"{error:.15f}" for error in (errors[0], errors[-1])] == [f"{float(text):.15f}" for text in PUBLISHED]


def test_the_gradient_converges_and_sooner():
    errors = demo.by_engine(3000)
    assert f"{errors[0]:.15f}" == f"{float(PUBLISHED[0]):.15f}"
    assert errors[100] < 0.75 * float(PUBLISHED[1])
    assert demo.first_below(errors, 0.1) == "1,210"
    assert demo.first_below(errors, 0.025) == "2,710"
    assert min(demo.by_hand(1500)) > 0.1 > errors[150] > errors[300]


def test_the_slope_is_taken_at_the_wrong_place():
    out = 0.99
    assert demo.slope(out) == pytest.approx(0.1976, abs=1e-4)
    assert out * (1 - out) == pytest.approx(0.0099)  # what the sigmoid's slope is where it says 0.99


def test_it_shows_both(capsys):
    demo.main(["--epochs", "1000"])
    out = capsys.readouterr().out
    assert "0.5013730688788007  0.5013730688788007\n" in out
    assert out.endswith("In the end the rule is 1.3 times as far off.\n")


def test_only_the_rule_jumps():
    rule, gradient = demo.by_hand(3000), demo.by_engine(3000)
    assert demo.jumps(rule) > 5
    assert sorted(gradient, reverse=True) == gradient


def test_jumps():
    assert demo.jumps([1.0, 2.0, 4.5, 1.0, 2.1]) == 2
