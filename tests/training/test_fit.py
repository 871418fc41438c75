"""`fit`: compiled and eager runs go the same way, and nothing that was learned is lost."""

import math
import pickle
import random
import subprocess
import sys
import textwrap
import traceback
from fractions import Fraction
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import Value, datasets, detect_anomaly, losses
from microgrid.engine.graph import assign
from microgrid.losses import cross_entropy, mse_loss
from microgrid.nn import MLP, Embedding, LSTMCell, Module, Neuron
from microgrid.optim import SGD, Adam, AdamW, Optimizer
from microgrid.training import History, fit
from microgrid.training.run import Run
from microgrid.training.steps import Steps
from tests.interruptions import everywhere

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
SIGNS = XOR[0], [-1, 1, 1, -1]
LINE = [[0.0], [0.5], [1.0], [2.0], [-1.0]], [0.1, 0.4, 1.1, 1.9, -1.2]
OPTIMISERS = {
    "sgd": lambda params: SGD(params, lr=0.1),
    "decay": lambda params: SGD(params, lr=0.1, weight_decay=0.05),
    "momentum": lambda params: SGD(params, lr=0.1, momentum=0.9),
    "dampening": lambda params: SGD(params, lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    "nesterov": lambda params: SGD(params, lr=lambda step: 0.1 * 0.95**step, momentum=0.9, nesterov=True),
    "adam": lambda params: Adam(params, lr=0.05, weight_decay=0.01),
    "adamw": lambda params: AdamW(params, lr=lambda step: 0.1 / (1 + step)),
}
LOSSES = {
    "mse_loss": XOR,
    "l1_loss": XOR,
    "huber_loss": XOR,
    "binary_cross_entropy_with_logits": XOR,
    "hinge_loss": SIGNS,
}


def net(seed=1, sizes=(3, 1), activation="tanh"):
    return MLP(2, list(sizes), activation=activation, rng=seed)


def learned(model, optimizer):
    """Return all that training changes: the parameters, the optimiser's state, the number of steps."""
    return [parameter.data for parameter in model.parameters()], optimizer.state, optimizer.steps


def run(make, data, optimiser=OPTIMISERS["sgd"], **options):
    """Return the losses of a run, what was learned, and the model."""
    model = make()
    optimizer = optimiser(model.parameters())
    options = {"loss": mse_loss, "epochs": 12, "rng": 3, **options}
    history = fit(model, data, optimizer=optimizer, **options)
    return history.loss, learned(model, optimizer), model


def both(make, data, optimiser=OPTIMISERS["sgd"], **options):
    """Return what an eager and a compiled run learn; no step of the compiled one is taken eagerly."""
    eager = run(make, data, optimiser, **options, compile=False)
    with no_eager_steps():
        return eager, run(make, data, optimiser, **options)


def no_eager_steps():
    """Return a context manager in which a step that is taken eagerly fails the test."""
    return patch.object(Steps, "eager_step", side_effect=AssertionError("an eager step"))


def assert_same(make, data, optimiser=OPTIMISERS["sgd"], **options):
    """Check that a compiled run learns bit for bit what an eager one does."""
    (eager_losses, eager, _), (compiled_losses, compiled, _) = both(make, data, optimiser, **options)
    assert compiled == eager
    assert compiled_losses == pytest.approx(eager_losses, rel=1e-14, abs=0)


# The same trajectory


@pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS)
@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_every_optimiser_goes_the_same_way(optimiser, batch_size):
    assert_same(net, XOR, optimiser, batch_size=batch_size)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_goes_the_same_way(name):
    assert_same(net, LOSSES[name], OPTIMISERS["momentum"], loss=getattr(losses, name))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "gelu", "silu"])
def test_every_activation_goes_the_same_way(activation):
    assert_same(lambda: net(activation=activation, sizes=(3, 2, 1)), XOR, OPTIMISERS["adam"])


@pytest.mark.filterwarnings("ignore:fit. all gradients are zero")  # all units of a layer may be dead
@given(
    st.integers(0, 10**6),
    st.sampled_from([*OPTIMISERS]),
    st.sampled_from([*LOSSES]),
    st.sampled_from(["tanh", "relu", "sigmoid"]),
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from([None, True, False]),
)
def test_any_run_goes_the_same_way(seed, optimiser, loss, activation, batch_size, shuffle):
    options = {"loss": getattr(losses, loss), "batch_size": batch_size, "shuffle": shuffle, "epochs": 5}
    assert_same(lambda: net(seed, activation=activation), LOSSES[loss], OPTIMISERS[optimiser], **options)


def test_classes_are_indices_which_become_branches():
    rows, targets = datasets.make_moons(12, noise=0.1, rng=0)
    assert_same(lambda: net(sizes=(4, 2)), (rows, targets), OPTIMISERS["adam"], loss=cross_entropy, batch_size=5)


def test_targets_can_be_rows():
    one_hot = datasets.one_hot(XOR[1], 2) if hasattr(datasets, "one_hot") else [[1.0 - y, 1.0 * y] for y in XOR[1]]
    assert_same(lambda: net(sizes=(4, 2)), (XOR[0], one_hot), loss=cross_entropy)
    assert_same(lambda: net(sizes=(4, 2)), (XOR[0], one_hot), loss=lambda out, row: mse_loss(out, row))


class Recurrent(Module):
    def __init__(self):
        self.cell, self.out = LSTMCell(1, 2, rng=0), Neuron(2, nonlin=False, rng=1)

    def __call__(self, bits):
        state = None
        for bit in bits:
            state = self.cell([bit], state)
        return self.out(state[0])


def test_recurrent_networks_go_the_same_way_but_for_roundings():
    """Each weight is used once for each bit: what it gains is added in another order."""
    eager, compiled = both(Recurrent, ([[0, 1], [1, 1], [1, 0]], [1, 0, 1]), OPTIMISERS["adam"])
    assert compiled[0] == pytest.approx(eager[0], rel=1e-12)
    assert compiled[1][0] == pytest.approx(eager[1][0], rel=1e-12)


class Words(Module):
    def __init__(self):
        self.table, self.out = Embedding(4, 2, rng=0), Neuron(2, nonlin=False, rng=1)

    def __call__(self, word):
        return self.out(self.table(word))


def test_embeddings_take_a_branch_for_each_index():
    assert_same(Words, ([0, 2, 3, 2], [0.5, 1.0, -1.0, 0.8]), OPTIMISERS["momentum"])


class Gated(Module):
    """Decides by its input and by a parameter, which takes another way only after some steps."""

    def __init__(self):
        self.w, self.v, self.gate, self.unused = Value(0.5), Value(-0.3), Value(1.0), Value(7.0)

    def __call__(self, x):
        if x > 0:
            return self.w * x * self.gate
        return self.v * x - self.gate if self.gate > 0.9 else (self.v * self.gate).tanh()


def test_conditions_become_branches_when_they_are_met():
    data = [0.5, -0.5, 1.0, -2.0], [0.0, 0.5, 0.1, -0.2]
    assert_same(Gated, data, epochs=40)
    model = run(Gated, data, epochs=40)[2]
    assert model.gate.data <= 0.9 and model.unused.data == 7.0


class Shared(Module):
    def __init__(self):
        self.w, self.b = Value(0.4), Value(0.1)

    def __call__(self, x):
        return (self.w * x[0] + self.b).tanh() * self.w + self.b


def test_shared_parameters_go_the_same_way():
    assert_same(Shared, LINE, OPTIMISERS["momentum"], epochs=30)
    many = [[1.0] * 3000], [1.0]  # their gradient is a sum of as many terms: no expression of that length compiles

    class Repeated(Shared):
        def __call__(self, xs):
            total = self.b
            for x in xs:
                total = total * self.w + x
            return total

    assert_same(Repeated, many, epochs=2)


def test_frozen_parameters_stay():
    def make():
        model = net()
        model.layers[0].freeze()
        return model

    assert_same(make, XOR, OPTIMISERS["momentum"])
    before, after = make().parameters(), run(make, XOR, OPTIMISERS["momentum"])[2].parameters()
    moved = [x.data != y.data for x, y in zip(before, after, strict=True)]
    assert moved == [False] * 9 + [True] * 4


@pytest.mark.filterwarnings("ignore:fit. the loss uses 1 parameter of the model")
def test_parameters_that_are_not_optimised_are_read_at_each_step():
    def outcome(compile):
        model = net()
        first, *others = model.parameters()
        optimizer = SGD(others, lr=0.1)

        def watcher(epoch, history):
            first.data += 0.1

        history = fit(model, XOR, loss=mse_loss, optimizer=optimizer, epochs=5, callbacks=[watcher], compile=compile)
        return learned(model, optimizer), history.loss

    (eager, eager_losses), (compiled, compiled_losses) = outcome(False), outcome(True)
    assert compiled == eager and compiled_losses == pytest.approx(eager_losses, rel=1e-14, abs=0)


def test_leaves_with_the_same_number_are_told_apart():
    def outcome(compile):
        model, first, second = net(), Value(0.0), Value(0.0)
        optimizer = SGD(model.parameters(), lr=0.1)

        def watcher(epoch, history):
            second.data += 0.1

        loss = lambda out, y: (out - y - second) ** 2 + first * out  # noqa: E731
        fit(model, XOR, loss=loss, optimizer=optimizer, epochs=5, callbacks=[watcher], compile=compile)
        return learned(model, optimizer)

    assert outcome(True) == outcome(False)


def test_dead_units_cost_nothing_and_stay_dead():
    def make():
        model = net(activation="relu", sizes=(4, 1))
        for neuron in model.layers[0].neurons[:2]:
            neuron.b.data = -10.0
        return model

    assert_same(make, XOR, OPTIMISERS["momentum"])


def test_a_loss_that_is_a_parameter_or_goes_nowhere():
    assert_same(Shared, LINE, OPTIMISERS["decay"], loss=lambda out, y: out * 0 + 1.0)

    class Single(Module):
        def __init__(self):
            self.w = Value(1.0)

        def __call__(self, x):
            return self.w

    assert_same(Single, LINE, loss=lambda out, y: out)


def test_training_goes_on_where_it_ended():
    def in_parts(*parts):
        model = net()
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
        for compile in parts:
            fit(model, XOR, loss=mse_loss, optimizer=optimizer, epochs=4, compile=compile)
        return learned(model, optimizer)

    assert in_parts(True, True) == in_parts(False, False) == in_parts(True, False) == in_parts(False, True)


def test_momentum_that_comes_and_goes():
    """The state of an optimiser grows with its first step, and a velocity stays when momentum becomes 0."""

    def outcome(compile):
        model = net()
        optimizer = SGD(model.parameters(), lr=0.1)

        def watcher(epoch, history):
            optimizer.momentum = {3: 0.9, 6: 0.0, 8: 0.5}.get(epoch, optimizer.momentum)

        fit(model, XOR, loss=mse_loss, optimizer=optimizer, epochs=10, callbacks=[watcher], compile=compile)
        return learned(model, optimizer)

    assert outcome(True) == outcome(False)


# What callbacks change


@pytest.mark.parametrize("change", ["momentum", "lr", "weight_decay", "clip", "freeze", "state"])
def test_what_a_callback_changes_takes_effect(change):
    def outcome(compile, changes):
        model = net()
        optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)

        def watcher(epoch, history):
            if not changes or epoch != 3:
                return
            if change == "clip":
                for parameter in model.parameters():
                    parameter.data = min(max(parameter.data, -0.3), 0.3)
            elif change == "freeze":
                model.layers[1].freeze()
            elif change == "state":
                optimizer.load_state_dict(SGD(model.parameters(), lr=0.1, momentum=0.9).state_dict())
            else:
                setattr(optimizer, change, 0.25)

        options = {"loss": mse_loss, "epochs": 8, "callbacks": [watcher], "compile": compile}
        fit(model, XOR, optimizer=optimizer, **options)
        return learned(model, optimizer)

    eager = outcome(False, True)
    with no_eager_steps():
        assert outcome(True, True) == eager != outcome(True, False)


def test_a_callback_sees_what_was_learned_and_can_end_the_training():
    model = net()
    optimizer = Adam(model.parameters(), lr=0.1)
    seen = []

    def watcher(epoch, history):
        seen.append((epoch, len(history.loss), learned(model, optimizer)))
        return epoch == 3

    history = fit(model, XOR, loss=mse_loss, optimizer=optimizer, epochs=10, callbacks=[watcher, lambda *_: 1])
    assert [(epoch, count) for epoch, count, _ in seen] == [(1, 1), (2, 2), (3, 3)]
    assert seen[0][2] == run(net, XOR, lambda params: Adam(params, lr=0.1), epochs=1)[1]
    assert len(history.loss) == 3 and learned(model, optimizer) == seen[-1][2]
    assert not history.interrupted


# What is not compiled


def unfit_fraction(model):
    model.parameters()[0].data = Fraction(1, 2)


class Special(Value):
    """A kind of parameter whose data may mean something else."""

    __slots__ = ()


def unfit_class(model):
    model.parameters()[0].__class__ = Special


class Half(Optimizer):
    def update(self, parameter, gradient, state, step, lr):
        return parameter - lr * gradient, ()


class Deciding(Half):
    def update(self, parameter, gradient, state, step, lr):
        return parameter - lr * (gradient if gradient > 0 else 2 * gradient), ()


class Listing(Half):
    def initial_state(self):
        return ([],)

    def update(self, parameter, gradient, state, step, lr):
        return parameter - lr * gradient, state


class Stepping(SGD):
    def step(self):
        super().step()


class Forgetful(Half):
    def initial_state(self):
        return (0.0,)


class Remembering(Half):
    reference = Value(0.5)

    def update(self, parameter, gradient, state, step, lr):
        pull = 0.1 * (parameter - self.reference.detach())
        return parameter - lr * gradient - (pull.data if isinstance(parameter, float) else pull), ()


class Alternating(Half):
    def update(self, parameter, gradient, state, step, lr):
        for number in range(30):
            if step == number:
                return parameter - lr * gradient * number, ()
        return parameter, ()


def hand_written(x, y):
    out = Value((x - y).data ** 2, (x,), "square")
    out._backward = lambda: setattr(x, "grad", x.grad + 2 * (x.data - y) * out.grad)
    return out


OUTSIDE, HALF = Value(0.5) * 2.0, Value(Fraction(1, 2))
REASONS = {
    "fraction in the data": ("that a float cannot represent", {"data": ([[Fraction(1, 2), 0]] * 4, XOR[1])}),
    "large integer": ("that a float cannot represent", {"data": ([[2**53 + 1, 0]] * 4, XOR[1]), "lr": 0.0}),
    "shapes": ("samples have different shapes", {"data": (XOR[0], [0, 1, 1, (0,)]), "loss": lambda out, y: out * 1}),
    "text": ("samples have different shapes", {"data": (XOR[0], ["no", "yes"] * 2), "loss": lambda o, y: o * len(y)}),
    "values": ("the data has Values", {"data": ([[Value(1.0), 0]] * 4, XOR[1])}),
    "object": (
        "the data has an argument of type object",
        {"data": (XOR[0], [object()] * 4), "loss": lambda o, y: o * 1},
    ),
    "data is read": ("reading .data at ", {"loss": lambda out, y: out * out.data}),
    "hand-written": ("a hand-written operation|reading .data", {"loss": hand_written}),
    "conversion": ("float", {"loss": lambda out, y: (out - y) * float(out)}),
    "method": (r"reading \.bit_length at ", {"loss": lambda out, y: (out - y.bit_length()) ** 2}),
    "node of before": ("uses a node that was made before", {"loss": lambda out, y: (out - OUTSIDE) ** 2}),
    "leaf": ("a leaf that is not a float", {"loss": lambda out, y: out * HALF}),
    "parameter": ("a parameter is not a plain Value", {"prepare": unfit_fraction}),
    "class": ("a parameter is not a plain Value", {"prepare": unfit_class}),
    "frozen": ("all parameters are frozen", {"prepare": lambda model: model.freeze()}),
    "deciding": ("branches on a parameter, its gradient or its state", {"optimiser": Deciding}),
    "listing": ("the states of the optimiser are not tuples of numbers", {"optimiser": Listing}),
    "stepping": ("Stepping overrides step", {"optimiser": Stepping}),
    "forgetful": ("returns 0 numbers as the state of a parameter, not 1", {"optimiser": Forgetful}),
    "alternating": ("takes more than 16 paths", {"optimiser": Alternating, "epochs": 25}),
}


@pytest.mark.parametrize("case", REASONS)
def test_what_cannot_be_compiled_runs_eagerly_and_says_why(case):
    reason, options = REASONS[case]
    options = {"data": XOR, "loss": mse_loss, "optimiser": SGD, "prepare": lambda model: None, "epochs": 3} | options
    lr = options.pop("lr", 0.1)

    def outcome(compile):
        model = net()
        options["prepare"](model)
        optimizer = options["optimiser"](model.parameters(), lr=lr)
        how = {"epochs": options["epochs"], "compile": compile}
        fit(model, options["data"], loss=options["loss"], optimizer=optimizer, **how)
        return learned(model, optimizer)

    with pytest.warns(RuntimeWarning, match=f"^fit runs eagerly: .*({reason})") as caught:
        compiled = outcome(True)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert compiled == outcome(False)


def test_what_was_learned_is_kept_where_compiled_steps_end():
    """Seventeen paths: the last is met in the middle of an epoch."""

    def loss(out, y):
        for number in range(20):
            if y == number:
                return (out - 0.1 * number) ** 2
        raise AssertionError

    data = [[0.1 * number] for number in range(20)], [*range(20)]
    make = lambda: Neuron(1, rng=0)  # noqa: E731
    with pytest.warns(RuntimeWarning, match="the samples take more than 16 paths through the loss"):
        compiled = run(make, data, OPTIMISERS["adam"], loss=loss, batch_size=4, shuffle=False)
    eager = run(make, data, OPTIMISERS["adam"], loss=loss, batch_size=4, shuffle=False, compile=False)
    assert compiled[1] == eager[1] and compiled[0] == pytest.approx(eager[0], rel=1e-14)


def test_modes_that_look_at_every_operation_see_them():
    words = "^fit runs eagerly: detect_anomaly is on, which looks at"
    with detect_anomaly(), pytest.warns(RuntimeWarning, match=words):
        compiled = run(net, XOR)
    with detect_anomaly():
        eager = run(net, XOR, compile=False)
    assert compiled[:2] == eager[:2]


def test_too_many_operations_run_eagerly(monkeypatch):
    monkeypatch.setattr("microgrid.compiler.trace.trace.MOST_STEPS", 5)
    with pytest.warns(RuntimeWarning, match="9 operations are too many to compile"):
        run(net, XOR)


# Bools


def test_bools_in_the_data_are_the_numbers_0_and_1():
    expected = run(net, XOR)[:2]
    for targets in ([False, True, True, False], [False, 1, 1.0, False]):
        assert run(net, (XOR[0], targets))[:2] == expected
    bools = [[bool(x) for x in row] for row in XOR[0]]
    assert run(net, (bools, XOR[1]))[:2] == expected
    assert_same(net, (bools, [False, True, True, False]))

    class Named(MLP):
        def __call__(self, sample):
            return super().__call__(sample["row"])

    samples = [{"row": row, "kind": "two bools", "of": None} for row in bools]
    assert run(lambda: Named(2, [3, 1], activation="tanh", rng=1), (samples, XOR[1]))[:2] == expected


def test_bools_in_the_data_decide_like_numbers():
    loss = lambda out, y: (out - 1.0) ** 2 if y else (out + 1.0) ** 2  # noqa: E731
    assert_same(net, (XOR[0], [False, True, True, False]), loss=loss)


class Bool:
    """What NumPy's comparisons give."""

    def __init__(self, truth):
        self.truth = truth

    def __bool__(self):
        return self.truth


@pytest.mark.parametrize("name", ["bool", "bool_"])
def test_a_callback_may_answer_with_a_bool_of_numpy(name):
    kind = type(name, (Bool,), {})
    assert len(run(net, XOR, callbacks=[lambda *_: kind(True)])[0]) == 1
    assert len(run(net, XOR, callbacks=[lambda *_: kind(False)])[0]) == 12


@pytest.mark.parametrize("where", ["loss", "update"])
@pytest.mark.parametrize("compile", [True, False])
def test_an_error_of_the_users_comes_with_nothing_of_ours(where, compile):
    class Broken(SGD):
        def update(self, parameter, gradient, state, step, lr):
            return {}["missing"]

    options = {"loss": lambda out, y: {}["missing"]} if where == "loss" else {"optimiser": Broken}
    with pytest.raises(KeyError, match="missing") as caught:
        run(net, XOR, **options, compile=compile)
    printed = "".join(traceback.format_exception(caught.value))
    assert "Unfit" not in printed and printed.count("Traceback") == 1


# What goes wrong


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training(compile, bad):
    model = net()
    optimizer = Adam(model.parameters(), lr=0.1)
    data = [[0.0, 0.0], [0.0, 1.0]], [0.0, bad]
    with pytest.raises(
        FloatingPointError, match=r"^fit: the loss became (nan|inf) in epoch 1; a smaller learning rate"
    ):
        fit(model, data, loss=mse_loss, optimizer=optimizer, batch_size=1, shuffle=False, compile=compile)
    assert optimizer.steps == 1
    assert learned(model, optimizer) == run(net, ([data[0][0]], [0.0]), lambda p: Adam(p, lr=0.1), epochs=1)[1]


@pytest.mark.parametrize("compile", [True, False])
def test_a_run_that_diverges_names_the_epoch_and_keeps_the_last_parameters(compile):
    model = Neuron(1, nonlin=False, rng=0)
    optimizer = SGD(model.parameters(), lr=1e6)
    epochs = []
    with pytest.raises(FloatingPointError, match=r"^fit: the loss became inf in epoch (\d+);") as raised:
        fit(
            model,
            LINE,
            loss=mse_loss,
            optimizer=optimizer,
            epochs=200,
            compile=compile,
            callbacks=[lambda epoch, _: epochs.append(epoch)],
        )
    assert f"epoch {epochs[-1] + 1};" in str(raised.value) and optimizer.steps == epochs[-1]
    assert isinstance(raised.value.__cause__, OverflowError)
    assert all(math.isfinite(parameter.data) for parameter in model.parameters())


@pytest.mark.parametrize("compile", [True, False])
def test_errors_of_the_loss_are_those_of_an_eager_step(compile):
    model = net()
    optimizer = SGD(model.parameters(), lr=0.1)
    options = {"optimizer": optimizer, "compile": compile}
    classifier = net(sizes=(2, 2))
    own = {"optimizer": SGD(classifier.parameters(), lr=0.1), "compile": compile}
    with pytest.raises(ValueError, match=r"^log\("):
        fit(model, XOR, loss=lambda out, y: (out * 0 - 1).log(), **options)
    with pytest.raises(ValueError, match="expects 2 inputs, got 3"):
        fit(model, ([[1, 2, 3]], [1]), loss=mse_loss, **options)
    with pytest.raises(TypeError, match=r"expects the index of a class or a row of probabilities, got float 0.5"):
        fit(classifier, (XOR[0], [0.5] * 4), loss=cross_entropy, **own)
    with pytest.raises(TypeError, match=r"expects the index of a class or a row of probabilities, got float 1.0"):
        fit(classifier, (XOR[0], [0, 1.0, 1, 0]), loss=cross_entropy, **own)
    with pytest.raises(TypeError, match=r"^fit expects the loss of a sample to be a number, got list \[Value"):
        fit(model, XOR, loss=lambda out, y: [out], **options)
    with pytest.raises(TypeError, match=r"^fit expects the loss of a sample to be a number, got NoneType None"):
        fit(model, XOR, loss=lambda out, y: None, **options)
    assert learned(model, optimizer) == ([parameter.data for parameter in net().parameters()], [()] * 13, 0)


def test_a_schedule_that_is_wrong_is_named():
    model = net()
    optimizer = SGD(model.parameters(), lr=lambda step: 0.1 - 0.05 * step)
    with pytest.raises(ValueError, match=r"^step 4 of SGD expects lr of at least 0, got lr=-0.0"):
        fit(model, XOR, loss=mse_loss, optimizer=optimizer)
    assert optimizer.steps == 3


BAD = {
    "data": (5, TypeError, "^fit expects data to be a pair, the inputs and the targets, got 5"),
    "pairs": ([([0], 1)] * 3, TypeError, "^fit expects data to be a pair"),
    "generators": ((iter([]), iter([])), TypeError, "^fit expects data to be a pair"),
    "lengths": (([[0, 0]], [0, 1]), ValueError, "^fit expects as many inputs as targets, at least one, got 1 and 2"),
    "empty": (([], []), ValueError, "^fit expects as many inputs as targets, at least one, got 0 and 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data(case):
    data, error, words = BAD[case]
    model = net()
    with pytest.raises(error, match=words):
        fit(model, data, loss=mse_loss, optimizer=SGD(model.parameters()))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"epochs": -1}, ValueError, "^fit expects epochs to be a whole number of at least 0, got -1"),
        ({"epochs": 2.5}, ValueError, "^fit expects epochs to be a whole number of at least 0, got 2.5"),
        ({"batch_size": 0}, ValueError, "^fit expects batch_size to be a whole number of at least 1, got 0"),
        ({"loss": "mse"}, TypeError, "^fit expects loss to be a function, got str 'mse'"),
        ({"model": 3}, TypeError, "^fit expects model to be a function, got int 3"),
        ({"callbacks": [None]}, TypeError, "^fit expects a callback to be a function, got NoneType None"),
        (
            {"callbacks": print},
            TypeError,
            "^fit expects callbacks to be a list of functions, got <built-in function print",
        ),
        ({"metrics": [abs]}, TypeError, r"^fit expects metrics to be a dict of functions, such as .*, got \[<built-in"),
        ({"metrics": {"loss": abs}}, ValueError, "^fit expects another name than 'loss' for a metric"),
        ({"metrics": {"accuracy": 1}}, TypeError, "^fit expects accuracy to be a function, got int 1"),
        ({"optimizer": SGD}, TypeError, r"^fit expects an optimizer, such as SGD\(model.parameters\(\)\), got type"),
    ],
)
def test_bad_arguments(options, error, words):
    model = net()
    given = {"model": model, "loss": mse_loss, "optimizer": SGD(model.parameters())} | options
    with pytest.raises(error, match=words):
        fit(given.pop("model"), XOR, **given)


def test_an_optimizer_of_other_parameters_is_refused():
    words = r"^fit expects an optimizer of the model's parameters, .*, got SGD\(13 parameters, lr=0.1\) of other ones$"
    with pytest.raises(ValueError, match=words):
        fit(net(), XOR, loss=mse_loss, optimizer=SGD(net().parameters(), lr=0.1))
    model = net()
    model.layers[0].freeze()
    with pytest.raises(ValueError, match=r"got SGD\(9 parameters, lr=0.1\) of other ones$"):
        fit(model, XOR, loss=mse_loss, optimizer=SGD(model.layers[0].parameters(), lr=0.1))


def test_other_parameters_are_trained_beside_a_frozen_model_or_a_function():
    model, scale = net(), Value(1.0)

    def loss(out, y):
        return (scale * out - y) ** 2

    for trained in (lambda x: model(x), model):
        before, optimizer = scale.data, SGD([scale], lr=0.1)
        model.freeze()
        fit(trained, XOR, loss=loss, optimizer=optimizer, epochs=1)
        assert scale.data != before


# Ctrl-C, and errors in the middle


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("where", ["callback", "metric", "schedule"])
def test_what_was_learned_is_kept(where, error, compile):
    """An interruption, or an error of the user's own, after four or five steps of six."""
    model, calls = net(), []

    def fifth_raises(*given):
        calls.append(given)
        if len(calls) == 5:
            raise error("now")
        return 0.1

    optimizer = Adam(model.parameters(), lr=fifth_raises if where == "schedule" else 0.1)
    looks = {"callback": {"callbacks": [fifth_raises]}, "metric": {"metrics": {"any": fifth_raises}}, "schedule": {}}
    arguments = {"loss": mse_loss, "optimizer": optimizer, "epochs": 6, "compile": compile, **looks[where]}
    if error is KeyboardInterrupt:
        assert fit(model, XOR, **arguments).interrupted
    else:
        with pytest.raises(error, match="now"):
            fit(model, XOR, **arguments)
    done = 4 if where == "schedule" else 5
    assert learned(model, optimizer) == run(net, XOR, lambda params: Adam(params, lr=0.1), epochs=done)[1]


@pytest.mark.parametrize("compile", [True, False])
def test_an_interruption_of_the_model_keeps_what_was_learned(compile):
    """A compiled run calls it to trace a path that is new: here that of the second batch."""
    model = net()
    optimizer = Adam(model.parameters(), lr=0.1)

    def loss(out, y):
        if y == 3:
            raise KeyboardInterrupt
        return mse_loss(out, y)

    options = {"batch_size": 2, "shuffle": False, "compile": compile}
    history = fit(model, (XOR[0], [0, 1, 3, 0]), loss=loss, optimizer=optimizer, **options)
    assert history.interrupted and history.loss == [] and optimizer.steps == 1
    first = [part[:2] for part in XOR]
    assert learned(model, optimizer) == run(net, first, lambda params: Adam(params, lr=0.1), epochs=1)[1]


@pytest.mark.usefixtures("interruptible")
def test_a_real_interruption_keeps_what_was_learned():
    """SIGINT comes in the middle of a compiled run; the steps done are those of an uninterrupted run."""
    program = textwrap.dedent("""
        import sys, threading, time, os, signal
        from microgrid.losses import mse_loss
        from microgrid.nn import MLP
        from microgrid.optim import Adam
        from microgrid.training import fit

        rows, targets = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
        def trained(epochs, interrupts):
            net = MLP(2, [3, 1], activation="tanh", rng=1)
            optimizer = Adam(net.parameters(), lr=0.01)
            def schedule(step):
                if step == 1000 and interrupts:
                    threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
                return 0.01
            optimizer.lr = schedule
            history = fit(net, (rows, targets), loss=mse_loss, optimizer=optimizer, epochs=epochs)
            return history, optimizer.steps, [p.data for p in net.parameters()], optimizer.state

        history, steps, *learned = trained(10**9, True)
        again, same, *expected = trained(steps, False)
        assert history.interrupted and not again.interrupted
        assert steps >= 1000 and len(history.loss) == steps
        assert learned == expected
        print("kept")
    """)
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert process.stdout == "kept\n", process.stderr


LOOP = fit, Run, assign, Steps.compiled_steps, Steps.commit, Steps.step, Steps.settle, Optimizer.commit, History
WATCHED = {
    "unwatched": {},
    "metrics": {"metrics": {"mean": lambda predictions, _: sum(predictions) / 3, "none": lambda *_: 0.0}},
    "batches": {"callbacks": [lambda *_: None], "batch_size": 2, "shuffle": False},
    "frozen": {},
}


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("watched", WATCHED)
def test_an_interruption_finds_a_step_done_or_not_begun(watched, compile, is_second):
    """Wherever it comes, the model, the optimiser and the losses are those after one step or another.

    The second one comes after one that ended the training.
    """
    options = {"loss": mse_loss, "epochs": 2 + is_second, "compile": compile, **WATCHED[watched]}
    data, per_epoch = (LINE[0][:3], LINE[1][:3]), 2 if "batch_size" in options else 1
    missing = (0, 1) if "metrics" in options else (0,)  # of an epoch whose metrics nobody knows

    def schedule(steps):
        if is_second and steps == 2:
            raise KeyboardInterrupt
        return 0.5 / (1 + steps)

    def begun():
        model = MLP(1, [1, 1], activation="tanh", rng=2)
        if watched == "frozen":
            model.layers[0].freeze()
        return model, Adam(model.parameters(), lr=schedule)

    def trained():
        histories.append(fit(model, data, optimizer=optimizer, **options))

    def moved(optimizer, lr):
        move(optimizer, lr)
        allowed[optimizer.steps] = learned(model, optimizer)

    histories, move, (model, optimizer) = [], Optimizer.move, begun()
    allowed = {0: learned(model, optimizer)}
    with patch.object(Optimizer, "move", moved), patch.dict(options, compile=False):
        trained()
    whole, most = histories.pop(), optimizer.steps
    model, optimizer = begun()
    for _ in everywhere(trained, *LOOP, most=30):
        assert learned(model, optimizer) == allowed[optimizer.steps]
        for history in histories:
            epochs = len(history.loss)
            assert optimizer.steps // per_epoch - epochs in missing
            assert history.loss == pytest.approx(whole.loss[:epochs], rel=1e-14, abs=0)
            assert history.metrics == {name: found[:epochs] for name, found in whole.metrics.items()}
        histories.clear()
        last, (model, optimizer) = optimizer.steps, begun()
    assert last == most


# Metrics, history, batches, chance


def test_metrics_are_measured_after_each_epoch():
    given = []

    def rows_right(predictions, targets):
        given.append((predictions, targets))
        return sum((p > 0.5) == (y > 0.5) for p, y in zip(predictions, targets, strict=True))

    model = net()
    optimizer = SGD(model.parameters(), lr=0.5)
    metrics = {"right": rows_right, "lowest": lambda predictions, _: min(predictions)}
    history = fit(model, XOR, loss=mse_loss, optimizer=optimizer, epochs=4, metrics=metrics)
    assert len(history.metrics["right"]) == len(history.metrics["lowest"]) == len(history.loss) == 4
    assert given[-1] == ([model(row).data for row in XOR[0]], XOR[1])
    assert all(type(prediction) is float for prediction in given[0][0])
    assert (
        history.last()
        == f"loss {history.loss[-1]:.4g}, right {history.metrics['right'][-1]}, lowest {min(given[-1][0]):.4g}"
    )


def test_predictions_of_several_numbers_reach_the_metrics_as_rows():
    model = net(sizes=(2, 2))
    options = {"loss": cross_entropy, "optimizer": SGD(model.parameters(), lr=0.1)}
    history = fit(model, XOR, **options, epochs=2, metrics={"accuracy": losses.accuracy})
    assert all(0 <= found <= 1 for found in history.metrics["accuracy"])


def test_a_history_pickles():
    model = net()
    history = fit(model, XOR, loss=mse_loss, optimizer=SGD(model.parameters()), epochs=3, metrics={"n": len_of})
    again = pickle.loads(pickle.dumps(history))
    assert vars(again) == vars(history) and history.seconds > 0
    assert repr(again) == f"<History of 3 epochs, loss {history.loss[-1]:.4g}, n 4>"


def len_of(predictions, targets):
    return len(predictions)


def test_no_epochs_change_nothing():
    model = net()
    optimizer = SGD(model.parameters())
    assert repr(fit(model, XOR, loss=mse_loss, optimizer=optimizer, epochs=0)) == "<History of 0 epochs>"
    assert learned(model, optimizer)[0] == [parameter.data for parameter in net().parameters()]


def orders(epochs, count, **options):
    """Return the targets in the order in which they are seen, batch by batch."""
    seen = []
    model = Neuron(1, nonlin=False, rng=0)

    def loss(out, y):
        seen.append(y)
        return out * 0.0

    optimizer = SGD(model.parameters(), lr=0.0)
    data = [[0.0]] * count, [*range(count)]
    fit(model, data, loss=loss, optimizer=optimizer, epochs=epochs, compile=False, **options)
    return [seen[start : start + count] for start in range(0, len(seen), count)], optimizer.steps


def test_batches():
    assert orders(2, 5, batch_size=2, shuffle=False) == ([[0, 1, 2, 3, 4]] * 2, 6)
    assert orders(2, 5) == ([[0, 1, 2, 3, 4]] * 2, 2)
    assert orders(2, 5, batch_size=5) == ([[0, 1, 2, 3, 4]] * 2, 2)
    assert orders(1, 5, batch_size=9, shuffle=False) == ([[0, 1, 2, 3, 4]], 1)
    source = random.Random(7)
    expected = [[*range(5)], [*range(5)]]
    for order in expected:
        source.shuffle(order)
    assert orders(2, 5, batch_size=2, rng=7) == (expected, 6)
    assert orders(2, 5, shuffle=True, rng=random.Random(7)) == (expected, 2)
    random.seed(7)
    assert orders(2, 5, shuffle=True) == (expected, 2)
    assert expected[0] != expected[1]


def test_an_epochs_loss_is_the_mean_over_its_samples():
    """The last batch is smaller, and counts less."""
    model = Neuron(1, nonlin=False, rng=0)
    options = {"optimizer": SGD(model.parameters(), lr=0.0), "epochs": 1, "batch_size": 2, "shuffle": False}
    history = fit(model, ([[0.0]] * 3, [1.0, 2.0, 6.0]), loss=lambda out, y: out * 0 + y, **options)
    assert history.loss == [3.0]


def test_gradients_are_left_alone_by_compiled_steps():
    model = net()
    for number, parameter in enumerate(model.parameters()):
        parameter.grad = float(number)
    fit(model, XOR, loss=mse_loss, optimizer=SGD(model.parameters()), epochs=3)
    assert [parameter.grad for parameter in model.parameters()] == [float(number) for number in range(13)]


class Array:
    """What has the shape of an array of NumPy."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def tolist(self):
        return self.rows


def test_arrays_are_taken_as_lists():
    assert run(net, tuple(map(Array, XOR)))[:2] == run(net, XOR)[:2]
