"""The demo of CBOW: words of a kind come together, and the loss comes near its bound."""

import math

import pytest

import cbow as demo


@pytest.fixture(scope="module")
def trained():
    return demo.trained(0, 60)


def test_samples_are_words_and_their_neighbours():
    bags, targets = demo.samples()
    assert len(bags) == len(targets) == 18 * 5
    words = [[demo.WORDS[number] for number in bag] for bag in bags[:5]]
    assert words[0] == ["cat", "eats"]
    assert words[2] == ["the", "cat", "some", "fish"]
    assert [demo.WORDS[number] for number in targets[:5]] == "the cat eats some fish".split()


def test_the_loss_comes_near_its_bound(trained):
    bound = (2 * math.log(3) + math.log(2)) / 5
    assert bound < trained[1][-1] < bound + 0.03 < trained[1][0] / 3


def test_words_of_a_kind_are_neighbours(trained):
    model, _ = trained
    for kind in demo.KINDS:
        assert all(demo.nearest(model, word) in kind for word in kind)


def test_it_guesses_an_animal(trained):
    likely = trained[0].likely("the", "eats", "some")
    assert sum(likely.values()) == pytest.approx(1)
    assert [likely[animal] for animal in demo.KINDS[0]] == pytest.approx([1 / 3] * 3, abs=0.03)


def test_order_does_not_matter(trained):
    model, _ = trained
    assert model.likely("the", "eats") == pytest.approx(model.likely("eats", "the"), rel=1e-12)


def test_the_map_shows_each_word_once(trained):
    lines = demo.chart(trained[0])
    assert sorted(" ".join(lines).split()) == demo.WORDS
    assert max(map(len, lines)) <= 66


def test_it_returns_whether_it_worked(capsys):
    assert demo.main(["--epochs", "1"]) == 1
    assert "loss  " in capsys.readouterr().out
