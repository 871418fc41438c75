"""Steps that generated code takes together: they are those that it takes one by one, and nothing else can be told."""

import math
import random
import subprocess
import sys
import textwrap
from contextlib import nullcontext
from fractions import Fraction
from itertools import chain, repeat
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from microgrid import Value
from microgrid.losses import mse_loss
from microgrid.nn import MLP, Module, Neuron
from microgrid.optim import SGD, Adam, AdamW, Optimizer
from microgrid.training import fit
from microgrid.training.generated import CompiledSteps
from microgrid.training.steps import Rates, Steps

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
OPTIMISERS = {
    "sgd": lambda params: SGD(params, lr=0.1),
    "nesterov": lambda params: SGD(params, lr=lambda step: 0.1 * 0.95**step, momentum=0.9, nesterov=True),
    "adam": lambda params: Adam(params, lr=0.05, weight_decay=0.01),
    "adamw": lambda params: AdamW(params, lr=lambda step: 0.1 / (1 + step)),
}


@pytest.fixture
def always_together(monkeypatch):
    """However long the steps are, the second call takes two, the third four, ...; returns the numbers of steps."""
    monkeypatch.setattr("microgrid.training.steps.BRIEF", math.inf)
    taken, call = [], CompiledSteps.__call__

    def counted(self, numbers, batches, steps, rates):
        found = call(self, numbers, batches, steps, rates)
        taken.append(len(found[0]))
        return found

    with patch.object(CompiledSteps, "__call__", counted):
        yield taken


def net(sizes=(3, 1)):
    return MLP(2, list(sizes), activation="tanh", rng=1)


def run(optimiser, data=XOR, make=net, **options):
    """Return the losses of a run, the parameters, the state of the optimiser, and the number of its steps."""
    model = make()
    optimizer = optimiser(model.parameters())
    history = fit(model, data, optimizer=optimizer, **{"loss": mse_loss, "epochs": 30, "rng": 3, **options})
    return history.loss, [parameter.data for parameter in model.parameters()], optimizer.state, optimizer.steps


@pytest.mark.parametrize("batch_size", [None, 1, 3])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_steps_taken_together_are_those_taken_one_by_one(optimiser, batch_size, monkeypatch, always_together):
    together = run(OPTIMISERS[optimiser], batch_size=batch_size)
    count = 30 * {None: 1, 1: 4, 3: 2}[batch_size]
    assert sum(always_together) == count and max(always_together) > 8
    assert run(OPTIMISERS[optimiser], batch_size=batch_size, callbacks=[lambda *_: None]) == together
    monkeypatch.setattr("microgrid.training.steps.BRIEF", 0.0)
    always_together.clear()
    assert run(OPTIMISERS[optimiser], batch_size=batch_size) == together
    assert always_together == [1] * count
    eager = run(OPTIMISERS[optimiser], batch_size=batch_size, compile=False)
    assert eager[1:] == together[1:] and eager[0] == pytest.approx(together[0], rel=1e-14)


def test_each_call_takes_twice_as_many(always_together):
    run(OPTIMISERS["sgd"])
    assert always_together == [1, 2, 4, 8, 15]


def test_epochs_that_somebody_has_to_see_end_a_call(always_together):
    run(OPTIMISERS["sgd"], batch_size=1, epochs=3, callbacks=[lambda *_: None])
    assert always_together == [1, 2, 1, 4, 4]
    always_together.clear()
    run(OPTIMISERS["sgd"], epochs=3, metrics={"any": lambda *_: 0})
    assert always_together == [1, 1, 1]


@pytest.mark.usefixtures("always_together")
@pytest.mark.parametrize("batch_size", [None, 2])
def test_ways_are_met_in_the_middle(batch_size, monkeypatch):
    """The third way is met when the second parameter has come down, and by one sample alone."""
    traces = []

    class Bent(Module):
        def __init__(self):
            self.w, self.v = Value(0.5), Value(1.0)

        def __call__(self, x):
            traces.append(x)
            if self.v * x > 0.8:
                return self.w * x + self.v
            return self.w - self.v * x if self.v > 0.55 else self.v * x

    data = [[1.0, 0.5, 0.25, 0.1], [0.0] * 4]
    options = {"make": Bent, "data": data, "batch_size": batch_size, "shuffle": False}
    together = run(OPTIMISERS["sgd"], **options)
    assert len(traces) == 3
    monkeypatch.setattr("microgrid.training.steps.BRIEF", 0.0)
    assert run(OPTIMISERS["sgd"], **options) == together
    eager = run(OPTIMISERS["sgd"], **options, compile=False)
    assert eager[1:] == together[1:] and eager[0] == pytest.approx(together[0], rel=1e-14)


class Staged(Optimizer):
    """An optimiser that decides by the number of the step, and then by the learning rate."""

    def initial_state(self):
        return (0.0,)

    def update(self, parameter, gradient, state, step, lr):
        if step == 5 or step > 20:
            return parameter - 2 * lr * gradient, (gradient + step,)
        return (parameter - gradient * lr, (state[0] + lr,)) if lr > 0.05 else (parameter - lr, state)


def test_updates_change_in_the_middle(always_together):
    staged = lambda params: Staged(params, lr=lambda step: 0.1 if step < 14 else 0.01)  # noqa: E731
    together = run(staged)
    assert together[1:] == run(staged, compile=False)[1:] and sum(always_together) == 30
    assert always_together == [1, 2, 1, 1, 4, 5, 6, 8, 2]


# What goes wrong in the middle


@pytest.mark.usefixtures("always_together")
@pytest.mark.parametrize("compile", [True, False])
def test_a_run_that_diverges_names_the_epoch_and_keeps_the_last_parameters(compile):
    line = Neuron(1, nonlin=False, rng=0)
    optimizer = SGD(line.parameters(), lr=30.0)
    data = [[0.0], [0.5], [1.0], [2.0], [-1.0]], [0.1, 0.4, 1.1, 1.9, -1.2]
    with pytest.raises(FloatingPointError, match=r"^fit: the loss became inf in epoch 79;") as raised:
        fit(line, data, loss=mse_loss, optimizer=optimizer, epochs=1000, compile=compile)
    assert optimizer.steps == 78 and isinstance(raised.value.__cause__, OverflowError)
    learned = [parameter.data for parameter in line.parameters()]
    again = Neuron(1, nonlin=False, rng=0)
    fit(again, data, loss=mse_loss, optimizer=SGD(again.parameters(), lr=30.0), epochs=78, compile=not compile)
    assert learned == [parameter.data for parameter in again.parameters()]


class Root(Module):
    """Divides by zero in a partial in plain floats where `x` is 0; an eager pass skips that: its adjoint is 0."""

    def __init__(self):
        self.w, self.v = Value(1.0), Value(1.0)

    def __call__(self, x):
        return (self.w * x).sqrt() * 0 + self.v * (x + 1)


class Huge(Root):
    """Multiplies an adjoint of 0 by inf where `x` is 0: no loss shows it."""

    def __call__(self, x):
        return (self.w * (self.v * -1e300 * (1e9 if x == 0 else 1.0))).relu() + self.v * (x + 1) + self.w * 0.0


@pytest.mark.usefixtures("always_together")
@pytest.mark.parametrize("make", [Root, Huge])
def test_a_step_that_generated_code_cannot_take_is_taken_eagerly(make):
    """One of five, and no other."""
    data = [1.0, 0.5, 2.0, 0.0, 1.5], [1.9, 1.1, 3.0, 1.0, 2.0]
    careful = lambda params: SGD(params, lr=0.02, momentum=0.5)  # noqa: E731
    options = {"data": data, "make": make, "batch_size": 1, "shuffle": False, "epochs": 6}
    eager = run(careful, **options, compile=False)
    with patch.object(Steps, "eager_step", autospec=True, side_effect=Steps.eager_step) as taken:
        together = run(careful, **options)
    assert together[1:] == eager[1:] and together[0] == pytest.approx(eager[0], rel=1e-14)
    assert taken.call_count == 6


# Schedules


def seventeen_paths(out, y):
    """Return the loss of a sample that goes a way of its own."""
    return next((out - number) ** 2 for number in range(17) if y == number)


@pytest.mark.usefixtures("always_together")
@pytest.mark.parametrize(
    ("loss", "warning"),
    [
        (mse_loss, None),
        (lambda out, y: (out - y) * float(out), "float"),
        (seventeen_paths, "more than 16 paths"),
    ],
)
def test_a_schedule_is_asked_once_for_each_step_in_order(loss, warning):
    """Where steps are compiled, where the first cannot be, and where one in the middle cannot."""
    asked, model = [], Neuron(1, rng=0)

    def schedule(step):
        asked.append(step)
        return 0.01

    optimizer = SGD(model.parameters(), lr=schedule)
    data = [[0.1 * number] for number in range(17)], [*range(17)]
    options = {"loss": loss, "optimizer": optimizer, "epochs": 2, "batch_size": 1, "shuffle": False}
    with pytest.warns(RuntimeWarning, match=warning) if warning else nullcontext():
        fit(model, data, **options)
    assert asked == [*range(34)] and optimizer.steps == 34


@pytest.mark.usefixtures("always_together")
def test_a_schedule_is_not_asked_again_where_a_step_is_taken_eagerly():
    rates = [0.1, 0.2, 0.05, 0.3, 0.1, 0.2]
    data = [1.0, 0.5, 0.0], [1.9, 1.1, 1.0]
    options = {"data": data, "make": Root, "batch_size": 1, "shuffle": False, "epochs": 2}

    def outcome(compile):
        source = iter(rates)
        return run(lambda params: SGD(params, lr=lambda step: next(source)), **options, compile=compile)[1:]

    assert outcome(True) == outcome(False)


@pytest.mark.usefixtures("always_together")
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, StopIteration])
def test_an_error_of_a_schedule_comes_in_its_turn(error):
    asked, model = [], net()

    def schedule(step):
        asked.append(step)
        if step == 9:
            raise error("now")
        return 0.1

    optimizer = SGD(model.parameters(), lr=schedule)
    if error is KeyboardInterrupt:
        history = fit(model, XOR, loss=mse_loss, optimizer=optimizer)
        assert history.interrupted and len(history.loss) == 9
    else:
        with pytest.raises(error, match="now"):
            fit(model, XOR, loss=mse_loss, optimizer=optimizer)
    assert optimizer.steps == 9 and asked == [*range(10)]
    assert [parameter.data for parameter in model.parameters()] == run(OPTIMISERS["sgd"], epochs=9)[1]


def test_rates():
    optimizer = SGD([Value(1.0)], lr=0.5)
    rates = Rates(optimizer)
    assert rates.first(3, 0) == [0.5] * 3
    asked = []
    optimizer.lr = lambda step: asked.append(step) or 1.0 / (4 - step)
    assert rates.first(2, 1) == [1 / 3, 1 / 2] and rates.first(1, 1) == [1 / 3]
    rates.drop(1)
    assert rates.first(5, 2) == [1 / 2, 1.0] and asked == [1, 2, 3, 4]
    rates.drop(2)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            rates.first(5, 4)
    optimizer.params[0].grad = 1.0
    with pytest.raises(ZeroDivisionError):
        rates.step()
    assert asked == [1, 2, 3, 4] and optimizer.steps == 0 and optimizer.params[0].data == 1.0


# Ctrl-C


@pytest.mark.usefixtures("always_together")
@pytest.mark.parametrize("batch_size", [None, 2])
def test_an_interruption_of_generated_code_leaves_what_was_learned_before_that_call(batch_size):
    model, calls, call = net(), [], CompiledSteps.__call__
    optimizer = Adam(model.parameters(), lr=0.05, weight_decay=0.01)

    def interrupted(self, *given):
        calls.append(given)
        found = call(self, *given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return found

    with patch.object(CompiledSteps, "__call__", interrupted):
        options = {"batch_size": batch_size, "shuffle": False}
        history = fit(model, XOR, loss=mse_loss, optimizer=optimizer, **options)
    epochs = {None: 7, 2: 3}[batch_size]
    assert history.interrupted and len(history.loss) == epochs and optimizer.steps == 7
    again = net()
    other = Adam(again.parameters(), lr=0.05, weight_decay=0.01)
    batches = chain.from_iterable(repeat([range(4)] if batch_size is None else [range(2), range(2, 4)]))
    steps = Steps(again, mse_loss, other, list(zip(*XOR, strict=True)), True)
    while len(steps.losses) < 7:
        steps.take(batches, 7 - len(steps.losses))
    assert [p.data for p in model.parameters()] == [p.data for p in again.parameters()]
    assert optimizer.state == other.state


@pytest.mark.usefixtures("always_together")
@pytest.mark.parametrize("metrics", [None, {"any": lambda *_: 0}])
def test_an_interruption_after_generated_code_leaves_no_loss_out(metrics):
    """With metrics one epoch may be missing: those would have to be measured."""
    calls, take = [], Steps.take

    def interrupted(self, *given):
        loss = take(self, *given)
        calls.append(loss)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return loss

    model = net()
    optimizer = SGD(model.parameters(), lr=0.1)
    with patch.object(Steps, "take", interrupted):
        history = fit(model, XOR, loss=mse_loss, optimizer=optimizer, metrics=metrics)
    expected, *learned = run(OPTIMISERS["sgd"], epochs=optimizer.steps)
    assert learned == [[p.data for p in model.parameters()], optimizer.state, 4 if metrics else 15]
    assert history.loss == (expected[:-1] if metrics else expected)
    assert [len(found) for found in history.metrics.values()] == ([3] if metrics else [])


@pytest.mark.usefixtures("interruptible")
def test_a_real_interruption_of_steps_taken_together():
    """SIGINT comes while generated code runs: the state is that of an uninterrupted run, and so is the history."""
    program = textwrap.dedent("""
        import os, signal, threading, time
        from microgrid.losses import mse_loss
        from microgrid.nn import MLP
        from microgrid.optim import Adam
        from microgrid.training import fit

        rows, targets = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
        def trained(epochs):
            net = MLP(2, [3, 1], activation="tanh", rng=1)
            optimizer = Adam(net.parameters(), lr=0.001)
            history = fit(net, (rows, targets), loss=mse_loss, optimizer=optimizer, epochs=epochs)
            learned = [p.data for p in net.parameters()], optimizer.state
            return history.interrupted, history.loss, optimizer.steps, learned

        begun = time.perf_counter()
        trained(1)
        compiling = 3 * (time.perf_counter() - begun)  # a busy machine takes longer, and a step is to be taken before
        for wait in (0.05, 0.0613, 0.0727):
            threading.Timer(compiling + wait, os.kill, (os.getpid(), signal.SIGINT)).start()
            interrupted, *learned = trained(10**9)
            assert interrupted and learned[1] == len(learned[0]) > 0, (learned[1], len(learned[0]))
            assert trained(learned[1]) == (False, *learned)
        print("kept")
    """)
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert process.stdout == "kept\n", process.stderr


# What else could be told


@pytest.mark.parametrize(("epochs", "stride"), [(30, 1), (251, 2), (508, 5)])
def test_progress_is_told_as_often_as_if_steps_were_taken_one_by_one(epochs, stride, always_together, monkeypatch):
    told = []
    bar = SimpleNamespace(set_postfix_str=lambda words, refresh: told.append(words), close=lambda: None)
    bar.update = told.append
    monkeypatch.setattr("microgrid.training.progress.bar_for", lambda total, desc: bar)
    losses, *_ = run(OPTIMISERS["sgd"], epochs=epochs, progress=True)
    ends = [*range(stride, epochs + 1, stride)] + [epochs] * (epochs % stride > 0)
    assert told[::2] == [f"loss {losses[end - 1]:.4g}" for end in ends]
    assert told[1::2] == [end - start for start, end in zip([0, *ends], ends, strict=False)]
    assert len(losses) == epochs and max(always_together) == stride


@pytest.mark.usefixtures("always_together")
def test_shuffled_batches_are_those_of_an_eager_run():
    together = run(OPTIMISERS["sgd"], batch_size=3, rng=random.Random(5))
    assert together[1:] == run(OPTIMISERS["sgd"], batch_size=3, rng=random.Random(5), compile=False)[1:]
    assert together[1:] != run(OPTIMISERS["sgd"], batch_size=3, rng=random.Random(6))[1:]


def test_what_is_no_float_ends_the_compiled_steps(always_together):
    """A callback makes a parameter a fraction after the second epoch: what follows is eager."""

    def watcher(epoch, history):
        if epoch == 2:
            model.parameters()[0].data = Fraction(1, 2)

    model = net()
    with pytest.warns(RuntimeWarning, match="a parameter is not a plain Value of a float"):
        fit(model, XOR, loss=mse_loss, optimizer=SGD(model.parameters()), epochs=5, callbacks=[watcher])
    assert always_together == [1, 1]


@pytest.mark.parametrize(("steps", "kept"), [(3, [0.5]), (4, [0.5, 0.25])])
def test_a_loss_is_kept_if_its_step_was_taken(steps: int, kept: list[float]) -> None:
    losses = [0.5]
    interrupted = SimpleNamespace(_begun=(3, (losses, slice(1, None), [0.25])), optimizer=SimpleNamespace(steps=steps))
    for _ in range(2):
        Steps.settle(interrupted)  # type: ignore[arg-type] # all that it looks at
        assert losses == kept
