"""What a training run is told of, eager or compiled: mistakes that would cost it all its epochs."""

import warnings

import pytest

from microgrid import Value, no_grad
from microgrid.losses import mse_loss
from microgrid.nn import MLP, Layer, Module, Neuron
from microgrid.optim import SGD, Adam, AdamW
from microgrid.training import Recorder, fit
from microgrid.training.mistakes import Contents

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
LINE = [[0.0], [0.5], [1.0], [2.0], [-1.0]], [0.1, 0.4, 1.1, 1.9, -1.2]
OPTIMISERS = {
    "sgd": lambda params: SGD(params, lr=0.1),
    "decay": lambda params: SGD(params, lr=0.1, weight_decay=0.05),
    "momentum": lambda params: SGD(params, lr=0.1, momentum=0.9),
    "adam": lambda params: Adam(params, lr=lambda step: 0.05),
    "adamw": lambda params: AdamW(params, lr=0.05),
}


def net(seed=1, activation="tanh"):
    return MLP(2, [3, 1], activation=activation, rng=seed)


class Shared(Module):
    def __init__(self):
        self.w, self.b = Value(0.4), Value(0.1)

    def __call__(self, x):
        return (self.w * x[0] + self.b).tanh() * self.w + self.b


def learned(model, optimizer):
    """Return all that training changes: the parameters, the optimiser's state, the number of steps."""
    return [parameter.data for parameter in model.parameters()], optimizer.state, optimizer.steps


def run(make, data, optimiser=OPTIMISERS["sgd"], **options):
    """Return the losses of a run, and what was learned."""
    model = make()
    optimizer = optimiser(model.parameters())
    history = fit(model, data, optimizer=optimizer, **{"loss": mse_loss, "epochs": 12, "rng": 3, **options})
    return history.loss, learned(model, optimizer)


class Array:
    """What has the shape of an array of NumPy, and gives other objects at each reading."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __len__(self):
        return len(self.numbers)

    def tolist(self):
        return [number + 0.0 for number in self.numbers]


def refusal(make, data=XOR, optimiser=OPTIMISERS["sgd"], **options):
    """Return what `fit` says to a run that it refuses, eager and compiled; the model stays as it was."""
    told = set()
    for compile in (True, False):
        model = make()
        before = [parameter.data for parameter in model.parameters()]
        options = {"loss": mse_loss, "epochs": 3, **options, "compile": compile}
        with pytest.raises(
            ValueError, match=r"^fit expects a loss that depends on a parameter of the optimizer"
        ) as got:
            fit(model, data, optimizer=optimiser(model.parameters()), **options)
        assert [parameter.data for parameter in model.parameters()] == before
        told.add(str(got.value))
    return told.pop()


def told_of(make, data=XOR, optimiser=OPTIMISERS["sgd"], of=lambda model: model.parameters(), **options):
    """Return the warnings of a run, the same for an eager and a compiled one, which name the line of the caller."""
    runs = []
    for compile in (True, False):
        model = make()
        options = {"loss": mse_loss, "epochs": 3, "rng": 0, **options, "compile": compile}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit(model, data, optimizer=optimiser(of(model)), **options)
        assert all(warning.filename == __file__ for warning in caught)
        runs.append([str(warning.message) for warning in caught])
    assert runs[0] == runs[1]
    return runs[0]


@pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS)
def test_a_loss_that_does_not_depend_on_the_parameters(optimiser):
    assert "got 1.5: usually" in refusal(net, optimiser=optimiser, loss=lambda out, y: 1.5)
    refusal(net, optimiser=optimiser, loss=lambda out, y: out.detach() - y, batch_size=2)
    refusal(net, optimiser=optimiser, loss=lambda out, y: Value(2.0) * y + 1.0)


def test_a_loss_of_data_or_of_another_model():
    other = net(2)
    for loss in (lambda out, y: (out.data - y) ** 2, lambda out, y: mse_loss(other([y, 1.0]), y)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the first runs eagerly
            refusal(net, loss=loss)


def test_training_under_no_grad():
    with no_grad():
        assert "no_grad() is on" in refusal(net)


def test_samples_that_have_nothing_to_teach_are_no_mistake():
    """As with the rule of the perceptron, whose loss is zero where the answer is right; the last sample is wrong."""

    def perceptron(out, y):
        return 0.0 if out * y > 0 else -y * out

    def make():
        neuron = Neuron(1, nonlin=False, rng=0)
        neuron.w[0].data, neuron.b.data = 1.0, 0.5
        return neuron

    inputs = [[1.0], [2.0], [-2.0]]
    options = {"loss": perceptron, "batch_size": 1, "shuffle": False}
    assert told_of(make, (inputs, [1, 1, 1]), **options) == []
    assert run(make, (inputs, [1, 1, 1]), **options)[:2] == run(make, (inputs, [1, 1, 1]), **options, compile=False)[:2]
    (told,) = told_of(make, (inputs, [1, 1, -1]), **options)  # all are right: not to be told from a constant
    assert told.startswith("fit: all gradients are zero, so SGD(2 parameters, lr=0.1) moved nothing: usually")


def test_a_constant_that_only_some_samples_have():
    """Which is found out after a first batch that has it."""
    loss = lambda out, y: 1.0 if y == 0 else (out - y) ** 2  # noqa: E731
    options = {"loss": loss, "batch_size": 1, "shuffle": False}
    assert told_of(net, **options) == []
    assert run(net, XOR, **options)[1] == run(net, XOR, **options, compile=False)[1]


@pytest.mark.parametrize(("loss", "more"), [(mse_loss, 0), (lambda out, y: 1.0 if y == 0 else (out - y) ** 2, 4)])
def test_losses_are_asked_for_once_more_where_a_first_batch_has_a_constant(loss, more):
    calls, model = [], net()
    optimizer = SGD(model.parameters(), lr=0.1)

    def counted(out, y):
        calls.append(y)
        return loss(out, y)

    options = {"epochs": 3, "batch_size": 1, "shuffle": False, "callbacks": [lambda *_: None]}
    fit(model, XOR, loss=counted, optimizer=optimizer, compile=False, **options)
    assert len(calls) == 3 * 4 + more


def test_gradients_that_are_zero_for_all_samples():
    (told,) = told_of(Shared, LINE, loss=lambda out, y: out * 0 + 1.0)
    assert told.startswith("fit: all gradients are zero, so SGD(2 parameters, lr=0.1) moved nothing: usually all units")

    def dead():
        neuron = Neuron(2, rng=0)
        neuron.b.data = -9.0
        return neuron

    (told,) = told_of(dead, optimiser=OPTIMISERS["momentum"])
    assert told.startswith("fit: all gradients are zero, so SGD(3 parameters, lr=0.1, momentum=0.9) moved nothing")


def test_who_may_stay_at_rest():
    """A learning rate that is zero or too small, weight decay, a loss that is zero already, no epoch."""

    def zero():
        model = Shared()
        model.w.data = model.b.data = 0.0
        return model

    nothing = {"loss": lambda out, y: out * 0 + 1.0}
    assert told_of(Shared, LINE, lambda params: SGD(params, lr=0.0), **nothing) == []
    assert told_of(Shared, LINE, lambda params: SGD(params, lr=1e-30)) == []
    assert told_of(Shared, LINE, OPTIMISERS["decay"], **nothing) == []
    assert told_of(zero, LINE, OPTIMISERS["decay"], **nothing) == []
    assert told_of(Shared, LINE, epochs=0, **nothing) == []
    assert told_of(Shared, LINE, loss=lambda out, y: (out - out) ** 2) == []


def test_a_step_of_ones_own_may_move_nothing():
    class Still(SGD):
        def step(self):
            pass

    model = net()
    assert fit(model, XOR, loss=mse_loss, optimizer=Still(model.parameters()), epochs=2, compile=False).loss


def test_an_optimizer_without_the_parameters_of_a_new_layer():
    def replaced():
        model = net()
        known[:] = model.parameters()
        model.layers[1] = Layer(3, 1, nonlin=False, rng=5)
        return model

    known = []
    (told,) = told_of(replaced, of=lambda model: known)
    assert told.startswith(
        "fit: the loss uses 4 parameters of the model, such as model.layers[1].neurons[0].w[0], that the opt"
    )
    (told,) = told_of(net, of=lambda model: model.parameters()[1:], batch_size=1)
    assert told.startswith(
        "fit: the loss uses 1 parameter of the model, such as model.layers[0].neurons[0].w[0], that the"
    )


def test_an_optimizer_without_parameters_that_are_frozen_or_that_the_loss_does_not_use():
    class Spare(Shared):
        def __init__(self):
            super().__init__()
            self.spare = Value(3.0)

    def frozen():
        model = net()
        model.layers[0].freeze()
        return model

    assert told_of(Spare, LINE, of=lambda model: [model.w, model.b]) == []
    assert told_of(frozen, of=lambda model: model.layers[1].parameters()) == []
    scale = Value(2.0)
    assert told_of(net, loss=lambda out, y: (scale * out - y) ** 2) == []


def test_a_model_that_is_a_function_has_no_names_of_parameters():
    model, other = net(), Value(0.5)
    assert told_of(lambda: lambda x: model(x) + other, of=lambda _: model.parameters()) == []


@pytest.mark.parametrize("compile", [True, False])
def test_each_missing_parameter_is_told_of_once(compile):
    model = Scaled()
    optimizer = SGD(model.parameters()[1:], lr=0.1)

    def change(epoch, history):
        model.scale += 1.0
        if epoch == 2:
            model.inner[0].layers[1] = Layer(3, 1, nonlin=False, rng=5)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, XOR, loss=mse_loss, optimizer=optimizer, epochs=5, callbacks=[change], compile=compile)
    first, second = (str(warning.message) for warning in caught)
    assert first.startswith("fit: the loss uses 1 parameter ") and second.startswith("fit: the loss uses 4 parameters ")


def test_a_layer_that_a_callback_replaces():
    """It takes effect, and the optimiser is told of."""

    def outcome(compile):
        model = net()
        optimizer = SGD(model.parameters(), lr=0.1)

        def replace(epoch, history):
            if epoch == 2:
                model.layers[1] = Layer(3, 1, nonlin=False, rng=5)

        options = {"optimizer": optimizer, "epochs": 5, "callbacks": [replace], "compile": compile}
        with pytest.warns(
            UserWarning, match=r"^fit: the loss uses 4 parameters of the model, such as model\.layers\[1\]"
        ) as caught:
            history = fit(model, XOR, loss=mse_loss, **options)
        assert len(caught) == 1
        return learned(model, optimizer), history.loss

    (compiled, losses), (eager, eager_losses) = outcome(True), outcome(False)
    assert compiled == eager and losses == pytest.approx(eager_losses, rel=1e-14)


class Scaled(Module):
    """A model with a setting, a list of layers, and something that it writes down itself."""

    def __init__(self):
        self.inner, self.scale, self.seen = [net()], 1.0, None
        self.options = {"shift": 0.0}

    def __call__(self, x):
        self.seen = object()
        return self.inner[0](x) * self.scale + self.options["shift"]


@pytest.mark.parametrize("change", ["setting", "option", "nothing", "first layer"])
def test_what_a_callback_changes_of_the_model_takes_effect(change):
    def outcome(compile):
        model, traces = Scaled(), []
        optimizer = SGD(model.parameters(), lr=0.1)

        def watcher(epoch, history):
            if epoch == 1 and change == "first layer":
                model.inner[0].layers = [*model.inner[0].layers]
            if epoch == 3 and change == "setting":
                model.scale = 2.0
            if epoch == 3 and change == "option":
                model.options["shift"] = 0.5

        def loss(out, y):
            traces.append(y)
            return (out - y) ** 2

        options = {"optimizer": optimizer, "epochs": 6, "callbacks": [watcher], "compile": compile}
        history = fit(model, XOR, loss=loss, **options)
        return learned(model, optimizer), history.loss, len(traces)

    (compiled, losses, traces), (eager, eager_losses, _) = outcome(True), outcome(False)
    assert compiled == eager and losses == pytest.approx(eager_losses, rel=1e-14)
    assert traces == (1 if change == "nothing" else 2)


def test_a_model_that_holds_itself():
    model = Scaled()
    model.itself = model
    told = told_of(lambda: model, callbacks=[lambda *_: None])
    assert told == []


def test_what_is_no_module_holds_nothing():
    model = [1.0]
    contents = Contents(model)
    model.append(2.0)
    assert contents.are_same()


def test_a_recorder_of_another_model():
    model, other = net(), net()
    for recorder, told in ((Recorder(other), True), (Recorder(model), False), (Recorder(model.layers[0]), False)):
        options = {"optimizer": SGD(model.parameters(), lr=0.1), "epochs": 2, "callbacks": [recorder]}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit(model, XOR, loss=mse_loss, **options)
        assert [str(warning.message)[:40] for warning in caught] == ["fit: the Recorder among the callbacks be"] * told


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda inputs, targets: targets.__setitem__(1, 0.5), True),
        (lambda inputs, targets: inputs.append([2.0, 2.0]), True),
        (lambda inputs, targets: (inputs.pop(), targets.pop()), True),
        (lambda inputs, targets: inputs.__setitem__(slice(None), [[0.5, 0.5]] * 4), True),
        (lambda inputs, targets: inputs.__setitem__(0, inputs[0]), False),
    ],
)
def test_data_that_a_callback_changes(change, told, compile):
    """They are read once; it is said once."""
    data, model = ([*XOR[0]], [*XOR[1]]), net()
    optimizer = SGD(model.parameters(), lr=0.1)
    options = {"optimizer": optimizer, "epochs": 4, "callbacks": [lambda epoch, history: change(*data) and None]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = fit(model, data, loss=mse_loss, compile=compile, **options)
    assert [str(warning.message)[:33] for warning in caught] == ["fit: a callback changed the data,"] * told
    assert all(str(warning.message).endswith(" a callback that returns True, and call fit again") for warning in caught)
    assert history.loss == pytest.approx(run(net, XOR, epochs=4)[0], rel=1e-14)


def test_arrays_are_compared_by_their_lengths():
    numbers = [0.5, 1.0]
    for change, told in ((lambda *_: numbers.reverse(), []), (lambda *_: numbers.append(2.0), ["fit: a callback cha"])):
        data = [[0.0, 1.0], [1.0, 1.0]], Array(numbers)
        model = net()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit(model, data, loss=mse_loss, optimizer=SGD(model.parameters()), epochs=2, callbacks=[change])
        assert [str(warning.message)[:19] for warning in caught] == told
