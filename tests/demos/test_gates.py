"""The demo of the sixteen gates: which ones a neuron learns, and what xor takes."""

import pytest

import gates
from microgrid.datasets import GATES, truth_table

HOPELESS = {"a xor b", "a xnor b"}


@pytest.mark.parametrize("gate", GATES)
def test_a_perceptron_learns_what_a_line_divides(gate):
    neuron, best, epochs = gates.perceptron(gate)
    rows, targets = truth_table(gate)
    learned = [neuron(row).data for row in rows] == targets
    assert learned == (best == 4) == (gate not in HOPELESS)
    assert epochs <= 5
    assert all(parameter.data.is_integer() for parameter in neuron.parameters())


def test_a_perceptron_goes_around_forever_on_xor():
    neuron, best, epochs = gates.perceptron("a xor b")
    assert best <= 3
    again = [parameter.data for parameter in neuron.parameters()]
    assert gates.perceptron("a xor b")[0].state_dict() == neuron.state_dict()
    assert any(again == list(weights) for weights in weights_after_each_epoch(epochs))


def weights_after_each_epoch(epochs):
    """Yield the weights before each epoch of the perceptron rule on xor, written out without microgrid."""
    a, b, c = 0.0, 0.0, 0.0
    for _ in range(epochs):
        yield a, b, c
        for (x, y), target in zip(*truth_table("xor"), strict=True):
            error = target - (a * x + b * y + c > 0)
            a, b, c = a + error * x, b + error * y, c + error


def test_sixteen_gates_and_three_kinds_of_neuron(capsys):
    assert set(gates.sixteen(seed=1, epochs=300)) == HOPELESS
    table = {line[:13].strip(): line[13:].split() for line in capsys.readouterr().out.splitlines()[2:]}
    assert table.keys() == GATES.keys()
    for gate, (stepped, _, *_, softmax) in table.items():
        assert (stepped == softmax == table[gate][5] == "4") == (gate not in HOPELESS)


def test_nor_and_and_have_other_weights():
    conjunction, nor = (gates.by_gradient(gates.Neuron(2, nonlin=False, rng=0), name, 300) for name in ("and", "nor"))
    assert all(weight.data > 1 for weight in conjunction.w) and conjunction.b.data < -1
    assert all(weight.data < -1 for weight in nor.w) and nor.b.data > 1


def test_xor_takes_three_neurons():
    assert gates.composed_xor() == [0, 1, 1, 0]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_hidden_layer_is_enough(activation):
    names = "and", "or", "xor"
    assert gates.by_layers([2, 1], activation, names, seed=1, epochs=300) == [4, 4, 4]
    *learned, xor = gates.by_layers([1], activation, names, seed=1, epochs=300)
    assert learned == [4, 4] and xor < 4


def test_it_says_what_it_showed(capsys):
    gates.main(["--epochs", "100"])
    assert capsys.readouterr().out.endswith("One neuron learned 14 of 16 gates; it failed on a xor b and a xnor b.\n")
