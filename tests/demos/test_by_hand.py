"""The demo of hand calculations: the published numbers, digit by digit, and both columns alike."""

import pytest

import by_hand

ONE_NEURON = ["0.61", "0.6479", "-0.040733", "0.00418", "0.00095", "0.4599", "0.1199"]
ONE_STEP = (
    "0.298371109 0.149780716 0.199561432 0.249751144 0.299502287 0.358916480 0.408666186 0.511301270 0.561370121 "
    "0.291027774 0.0000351019"
).split()
SQUARED_NORM = ["0.116", "0.088", "0.176", "0.104", "0.208", "-0.112", "0.636"]


def digits(text, number):
    """Return `number` with as many decimals as `text` has."""
    return f"{number:.{len(text.partition('.')[2])}f}"


@pytest.mark.parametrize(
    ("lines", "published"),
    [
        (by_hand.one_neuron, ONE_NEURON),
        (lambda: by_hand.two_layers(10_000), ONE_STEP),
        (by_hand.squared_norm, SQUARED_NORM),
    ],
    ids=["one neuron", "two layers", "squared norm"],
)
def test_published_numbers(lines, published):
    found = [*lines()]
    assert [digits(text, by_hand) for text, (_, by_hand, _) in zip(published, found, strict=True)] == published
    assert [digits(text, engine) for text, (_, _, engine) in zip(published, found, strict=True)] == published


@pytest.mark.parametrize("lines", [lambda: by_hand.two_layers(50), by_hand.one_weight, by_hand.squared_norm])
def test_both_columns_agree(lines):
    for words, expected, found in lines():
        assert found == pytest.approx(expected, rel=1e-12), words


def test_the_chain_of_one_weight():
    *factors, product = by_hand.one_weight()
    assert product[1] == pytest.approx(factors[0][2] * factors[1][2] * factors[2][2], rel=1e-14)
    assert product[2] == pytest.approx((0.55 - 0.561370121) / 0.5, abs=2e-9)  # what the step of w8 says


def test_it_counts_what_agrees(capsys):
    by_hand.main(["--epochs", "5"])
    out = capsys.readouterr().out
    assert "loss after 5 steps" in out
    assert "25 of 29 agree to 9 digits,\nand the others were rounded by hand on the way.\n" in out
