"""What a model was in the course of its training, and that it is put back."""

import pickle
from fractions import Fraction

import pytest

from microgrid import Value, datasets
from microgrid.engine import graph
from microgrid.losses import mse_loss
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.training import Recorder, fit
from tests.interruptions import everywhere

XOR = datasets.truth_table("xor")


def numbers(model):
    return [parameter.data for parameter in model.parameters()]


def trained(every=1, epochs=5, compile=True):
    """Return a network, its recorder, and its parameters before the training and after each epoch."""
    net, seen = MLP(2, [2, 1], activation="tanh", rng=1), []
    recorder = Recorder(net, every)
    first = numbers(net)
    optimizer = SGD(net.parameters(), lr=0.5)
    callbacks = [recorder, lambda epoch, history: seen.append(numbers(net))]
    fit(net, XOR, loss=mse_loss, optimizer=optimizer, epochs=epochs, callbacks=callbacks, compile=compile)
    return net, recorder, [first, *seen]


@pytest.mark.parametrize("compile", [True, False])
def test_every_epoch_is_taken_down(compile):
    _, recorder, seen = trained(compile=compile)
    assert recorder.epochs == [0, 1, 2, 3, 4, 5]
    assert recorder.parameters == seen
    assert len({*map(tuple, seen)}) == 6


def test_every_second_epoch_is_taken_down():
    _, recorder, seen = trained(every=2)
    assert recorder.epochs == [0, 2, 4]
    assert recorder.parameters == seen[::2]


def test_it_goes_on_with_the_training():
    net, recorder, _ = trained(every=2)
    fit(net, XOR, loss=mse_loss, optimizer=SGD(net.parameters()), epochs=3, callbacks=[recorder])
    assert recorder.epochs == [0, 2, 4, 6, 8]
    recorder()
    recorder()
    assert recorder.epochs[-1] == 10 and recorder.parameters[-1] == numbers(net)


def test_the_model_is_as_it_was_meanwhile():
    net, recorder, seen = trained()
    for parameter in net.parameters():
        parameter.grad = 7.0
    leaves, now = net.parameters(), numbers(net)
    for epoch in (0, 3, 5):
        with recorder.restored(epoch):
            assert numbers(net) == seen[epoch] == recorder.parameters[epoch]
        assert numbers(net) == now
    assert all(one is other for one, other in zip(net.parameters(), leaves, strict=True))
    assert {leaf.grad for leaf in leaves} == {7.0}


def test_the_model_is_put_back_after_an_error():
    net, recorder, _ = trained()
    now = numbers(net)
    with pytest.raises(ZeroDivisionError), recorder.restored(0):
        raise ZeroDivisionError
    assert numbers(net) == now


def test_exact_numbers_stay_exact():
    net = MLP(1, [1], rng=0)
    for parameter in net.parameters():
        parameter.data = Fraction(1, 3)
    recorder = Recorder(net)
    net.layers[0].neurons[0].w[0].data = Fraction(1, 7)
    with recorder.restored(0):
        assert numbers(net) == [Fraction(1, 3)] * 2
    assert numbers(net) == [Fraction(1, 7), Fraction(1, 3)]
    assert {type(number) for number in numbers(net)} == {Fraction}


def test_it_pickles():
    _, recorder, seen = trained()
    again = pickle.loads(pickle.dumps(recorder))
    with again.restored(2):
        assert numbers(again.model) == seen[2]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((print,), TypeError, "Recorder expects a Module, got builtin_function_or_method <built-in function print>"),
        ((MLP(2, [1]), 0), ValueError, "Recorder expects every to be a whole number of at least 1, got 0"),
        ((MLP(2, [1]), 1.5), ValueError, "Recorder expects every to be a whole number of at least 1, got 1.5"),
    ],
)
def test_what_it_refuses(arguments, error, message):
    with pytest.raises(error) as raised:
        Recorder(*arguments)
    assert str(raised.value) == message


def test_what_it_has_not_taken_down():
    net, recorder, _ = trained(every=2)
    with (
        pytest.raises(ValueError, match=r"^the recorder has no parameters of epoch 3, only of 0, 2, 4$"),
        recorder.restored(3),
    ):
        pass
    net.extra = Value(1.0)
    with (
        pytest.raises(ValueError, match=r"^the model had 9 parameters in epoch 2, but has 10 now$"),
        recorder.restored(2),
    ):
        pass


def test_an_interruption_leaves_an_epoch_taken_down_or_not():
    net = MLP(2, [1])
    recorder = Recorder(net)
    for _ in everywhere(recorder, Recorder, graph):
        assert len(recorder.epochs) == len(recorder.parameters)
    assert len(recorder.epochs) > 2
