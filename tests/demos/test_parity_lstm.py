"""The demo of parity: what an LSTM learns on four bits holds for fifty."""

import random

import pytest

import parity_lstm as demo
from microgrid.datasets import parity


@pytest.mark.parametrize("bits", [[1, 0, 1, 1, 0], [0], [1, 1, 1]])
def test_parities(bits):
    assert demo.parities(bits) == [sum(bits[: place + 1]) % 2 for place in range(len(bits))]


@pytest.mark.parametrize("seed", [0, 2])
def test_it_generalises(seed):
    reader, losses = demo.trained(seed, 300)
    assert losses[-1] < 0.01
    assert [demo.read(reader, bits)[-1] for bits in parity(2)[0]] == [0, 1, 1, 0]
    assert demo.flawless(reader, 3, 100, random.Random(1)) == 3


def test_untrained_it_fails():
    assert demo.flawless(demo.Reader(3, random.Random(0)), 3, 20, random.Random(1)) == 0


def test_it_shows_a_sequence(capsys):
    assert demo.main([]) == 0
    out = capsys.readouterr().out
    parity_line, said = (line.split()[-1] for line in out.splitlines() if line.startswith(("parity ", "it says")))
    assert parity_line == said and len(said) == 50
    assert out.endswith("it read 20 of 20 random sequences of 50 bits without a mistake.\n")


def test_it_says_so_when_it_fails():
    assert demo.main(["--epochs", "1"]) == 1
