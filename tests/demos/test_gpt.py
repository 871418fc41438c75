"""The demo of a GPT: it learns, compiled code computes what the eager model does, and it makes up words."""

import random

import pytest

import gpt as demo
from microgrid import jit, math


def loss_of(model):
    return lambda rows, targets: math.mean(
        [math.cross_entropy(*pair) for pair in zip(model.logits(rows), targets, strict=True)]
    )


def test_it_learns_a_tiny_language(tmp_path, capsys):
    corpus = tmp_path / "words.txt"
    corpus.write_text("abab\nbaba\n")
    losses = demo.main(["--corpus", str(corpus), "--steps", "60", "--lr", "0.03"])
    assert losses[0] > 1.0 and max(losses[-4:]) < 0.4
    out = capsys.readouterr().out
    assert "2 words of 2 letters, 3424 parameters" in out
    made_up = out.split("made up:")[1].splitlines()[0].split()
    assert set("".join(made_up)) <= {"a", "b"} and "Guessing blindly among 3 letters costs 1.10" in out


def test_compiled_steps_are_eager_ones():
    model = demo.GPT(".ab", random.Random(0))
    for parameter in model.parameters():
        parameter.data += 0.01  # no matrix of zeros
    eager, compiled = loss_of(model), jit(loss_of(model))
    gradients = []
    for function in (eager, compiled):
        for parameter in model.parameters():
            parameter.zero_grad()
        value = function(*model.encoded("aba"))
        value.backward()
        gradients.append([value.data, *(parameter.grad for parameter in model.parameters())])
    assert gradients[0] == pytest.approx(gradients[1], rel=1e-9, abs=1e-13)
    assert len(compiled.cases) == 1 and "seed0" in compiled.source


def test_words_come_from_the_library():
    words = demo.words_of_the_library()
    assert len(words) > 500 and words == sorted({*words}) and "parser" in words
    assert all(word.isascii() and word.isalpha() and len(word) < demo.BLOCK for word in words)
