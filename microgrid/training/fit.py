"""`fit`: the training loop. It checks the arguments; `Run` does the rest."""

from __future__ import annotations

from microgrid.engine.messages import brief
from microgrid.engine.numbers import random_source
from microgrid.nn import Frozen, Module
from microgrid.optim import Optimizer
from microgrid.training.run import Run, batches_of
from microgrid.training.samples import checked_samples
from microgrid.training.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from microgrid.training.history import History
    from microgrid.training.run import Callback, Metric
    from microgrid.training.steps import Loss, Model


def check(optimizer: Any, counts: Mapping[str, tuple[Any, int]], functions: Iterable[tuple[str, Any]]) -> None:
    """Check the optimiser, the counts (each with its lower bound) and the functions that `fit` was given.

    Raises:
        TypeError, ValueError: naming the argument that does not fit.
    """
    if not isinstance(optimizer, Optimizer):
        example = "such as SGD(model.parameters())"
        raise TypeError(f"fit expects an optimizer, {example}, got {type(optimizer).__name__} {brief(optimizer)}")
    for name, (count, least) in counts.items():
        if not isinstance(count, int) or count < least:
            raise ValueError(f"fit expects {name} to be a whole number of at least {least}, got {brief(count)}")
    for name, function in functions:
        if not callable(function):
            raise TypeError(f"fit expects {name} to be a function, got {type(function).__name__} {brief(function)}")


def check_trains(model: Model, optimizer: Optimizer) -> None:
    """Check that `optimizer` has a parameter of `model`, if that is a `Module` with parameters to train.

    Raises:
        ValueError: if it has none, as in a notebook where the cell of the model was run again, and only that.
    """
    if not isinstance(model, Module):
        return
    trained = {parameter for parameter in model.parameters() if not isinstance(parameter, Frozen)}
    if trained and trained.isdisjoint(optimizer.params):
        example = "such as SGD(model.parameters())"
        raise ValueError(
            f"fit expects an optimizer of the model's parameters, {example}, got {brief(optimizer, 100)} of other ones"
        )


def checked_watchers(metrics: Any, callbacks: Any) -> tuple[dict[str, Metric], list[Callback]]:
    """Return the metrics by name, and the callbacks.

    Raises:
        TypeError: if they are not a dict and a list.
        ValueError: if a metric is called "loss", as the loss is in the history.
    """
    if metrics is not None and not hasattr(metrics, "items"):
        example = "such as {'accuracy': accuracy}"
        raise TypeError(f"fit expects metrics to be a dict of functions, {example}, got {brief(metrics)}")
    if "loss" in (metrics or {}):
        raise ValueError("fit expects another name than 'loss' for a metric: in the history it is that of the loss")
    if not hasattr(callbacks, "__iter__"):
        raise TypeError(f"fit expects callbacks to be a list of functions, got {brief(callbacks)}")
    return dict(metrics or {}), list(callbacks)


def fit(
    model: Model,
    data: tuple[Sequence[Any], Sequence[Any]],
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int = 100,
    batch_size: int | None = None,
    shuffle: bool | None = None,
    rng: random.Random | int | None = None,
    compile: bool = True,
    metrics: Mapping[str, Metric] | None = None,
    callbacks: Iterable[Callback] = (),
    progress: bool | None = None,
) -> History:
    """Train `model` on `data`, and return the history of losses and metrics.

    The loss of a batch is the mean of the losses of its samples. Training is compiled: one generated function computes
    losses, gradients and updates, for as many steps as fit into some milliseconds. Meanwhile the gradients of the
    leaves stay as they are, and the model receives its parameters when that function returns; with metrics or callbacks
    it returns after every epoch. Model and loss are traced for that, so they have to be pure: a loss that draws random
    numbers, say, needs `compile=False`. What cannot be compiled runs eagerly, with a warning that says why.

    Args:
        model: a function from an input to a prediction; usually a `Module`.
        data: the inputs and the targets, lists or arrays; each row of a NumPy array of several dimensions is an array.
        loss: a function of the prediction and the target of one sample, such as those in `losses`.
        optimizer: an optimiser of the parameters to train. At least one belongs to the model, unless that is frozen.
        epochs: how often all samples are shown.
        batch_size: the count of samples per step; None for all.
        shuffle: whether each epoch shuffles the samples; None to do so if there are several batches.
        rng: the source of that order: None (the module `random`), a seed, or a `random.Random`.
        compile: whether to compile the steps.
        metrics: functions of the lists of all predictions, as numbers, and all targets; called after each epoch.
        callbacks: functions of the epoch, from 1 on, and the history so far, called after each epoch; training ends
            when one returns True. They may change parameters, freeze some, change the layers and settings of a
            `Module`, and the `lr` and hyperparameters of the optimiser. The samples stay those that training began
            with. Anything else that model and loss read, such as a global number, is fixed in the compiled step: it may
            change between two calls of `fit`, or with `compile=False`.
        progress: whether to show progress; None to show it in a terminal or a notebook.

    Raises:
        FloatingPointError: if the loss becomes nan or inf; the model keeps the parameters from before that step.
        TypeError, ValueError: if an argument does not fit, or the loss does not depend on a trained parameter.

    Warns:
        RuntimeWarning: if training cannot be compiled and runs eagerly.
        UserWarning: if the loss uses parameters of the model that the optimiser does not have, a `Recorder` belongs to
            another model, a callback changes the data, or no parameter has moved since all gradients are zero.

    Ctrl-C ends the training early, and the history is returned. Model and optimiser keep what was learned, except for
    the last milliseconds if generated code was running. A second Ctrl-C, while the history is completed, is raised; no
    step is lost by that.

    >>> from microgrid.losses import mse_loss
    >>> from microgrid.nn import Neuron
    >>> from microgrid.optim import SGD
    >>> line = Neuron(1, nonlin=False, rng=0)
    >>> data = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> history = fit(line, data, loss=mse_loss, optimizer=SGD(line.parameters(), lr=0.2), epochs=200)
    >>> round(line.w[0].data, 4), round(line.b.data, 4), history
    (2.0, 1.0, <History of 200 epochs, loss 1.871e-24>)
    """
    samples, (measures, watchers) = checked_samples("fit", data), checked_watchers(metrics, callbacks)
    counts = {"epochs": (epochs, 0), "batch_size": (1 if batch_size is None else batch_size, 1)}
    functions = [("model", model), ("loss", loss), *measures.items(), *(("a callback", one) for one in watchers)]
    check(optimizer, counts, functions)
    check_trains(model, optimizer)
    steps = Steps(model, loss, optimizer, samples, compile)
    steps.mistakes.check_recorders(watchers)
    shuffles = batch_size is not None and batch_size < len(samples) if shuffle is None else shuffle
    batches = batches_of(len(samples), batch_size, random_source(rng) if shuffles else None)
    return Run(steps, data, batches, epochs, measures, watchers, progress).train()
