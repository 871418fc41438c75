"""The demo of transfer: what xor's hidden units are good for, and what is trained."""

import pytest

import transfer as demo


@pytest.mark.parametrize("target", ["xnor", "and", "or"])
def test_units_of_xor_serve_other_gates(target):
    kept, drawn, trained = map(demo.duration, demo.transferred("xor", target, seed=2, epochs=200).values())
    assert kept < trained < (drawn or 1000)


def test_units_of_and_do_not_serve_xor():
    kept, drawn, trained = map(demo.duration, demo.transferred("and", "xor", seed=2, epochs=300).values())
    assert (kept, drawn) == (None, None)
    assert trained < 100


def test_only_the_output_neuron_is_trained():
    net = demo.network(0)
    demo.taught(net, "xor", 20)
    before = net.layers[0].state_dict()
    demo.kept(net, seed=5)
    fresh = net.layers[1].state_dict()
    demo.taught(net, "and", 20)
    assert net.layers[0].state_dict() == before
    assert net.layers[1].state_dict() != fresh


def test_it_says_which_pairs(capsys):
    demo.main(["--epochs", "100"])
    out = capsys.readouterr().out
    assert "Kept units learned soonest from xor to xnor, xor to and, xor to or.\n" in out
