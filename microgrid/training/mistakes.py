"""Mistakes of which a training run would say nothing: it goes on to its end, and learns nothing or too little."""

from __future__ import annotations

from microgrid.engine import graph
from microgrid.engine.anomaly import warn
from microgrid.engine.messages import counted
from microgrid.engine.sweeps import adjoints
from microgrid.engine.value import Value
from microgrid.math import mean
from microgrid.nn import Frozen, Module
from microgrid.optim import Optimizer
from microgrid.optim.optimizer import LOST, decays
from microgrid.training.recorder import Recorder
from microgrid.training.samples import are_those_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from microgrid.training.samples import Samples


class Contents:
    """What a model and the modules, lists and dicts within it hold, to see at little cost whether that has changed.

    Args:
        model: anything; what is no `Module` counts as empty.
    """

    def __init__(self, model: Any) -> None:
        self._held: list[tuple[Iterable[Any], list[Any], list[int]]] = []
        seen: set[int] = set()
        stack: list[Any] = [model] if isinstance(model, Module) else []
        while stack:
            item = stack.pop()
            pieces = pieces_of(item)
            if pieces is not None and id(item) not in seen:
                seen.add(id(item))
                held = [*pieces]  # which keeps their ids from being used again
                self._held.append((pieces, held, [*map(id, held)]))
                stack += held

    def are_same(self) -> bool:
        """Return whether all of them hold the very same objects."""
        return all([[*map(id, pieces)] == ids for pieces, _, ids in self._held])


def pieces_of(item: Any) -> Any:
    """Return what a module, list, tuple or dict holds, as it is at any time; None for anything else."""
    if isinstance(item, Module):
        return vars(item).values()
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list | tuple) else None


class Mistakes:
    """The mistakes of one training run.

    Args:
        model: takes an input, returns a prediction.
        loss: returns the loss of a sample.
        optimizer: knows the parameters.
        samples: pairs of an input and a target.

    Attributes:
        is_checked: whether the loss was found to depend on what is trained.
    """

    def __init__(self, model: Any, loss: Callable[[Any, Any], Any], optimizer: Optimizer, samples: Samples) -> None:
        self.model, self.loss, self.optimizer, self.samples = model, loss, optimizer, samples
        self.is_checked = False
        self._before = [parameter.data for parameter in optimizer.params]
        self._contents: Contents | None = None
        self._missing: set[Value] = set()  # that were told of
        self._are_samples_same = True

    def check(self, total: Any) -> None:
        """Check that the loss of a batch, `total`, depends on a parameter that is trained, or that of any sample does.

        Raises:
            ValueError: if none does. Zero is exempt: a loss that branches gives it where there is nothing to learn.
        """
        trained, used = self.trained(), leaves_of(total)
        if trained and trained.isdisjoint(used):
            losses = [self.loss(x, y) for x, y in self.samples]
            if any(losses) and all(trained.isdisjoint(leaves_of(loss)) for loss in losses):
                raise ValueError(
                    f"fit expects a loss that depends on a parameter of the optimizer, got {total!r:.60}: usually the "
                    f"optimizer is one of another model, no_grad() is on, or {LOST}"
                )
        self.check_used(used)

    def check_used(self, leaves: Iterable[Value]) -> None:
        """Warn of parameters of the model among the `leaves` of a loss that the optimiser does not have."""
        self.is_checked = True
        missing = {leaf for leaf in leaves if not isinstance(leaf, Frozen)}.difference(self.optimizer.params)
        missing -= self._missing
        if not missing or not isinstance(self.model, Module):
            return
        names = [name for name, parameter in self.model.named_parameters() if parameter in missing]
        self._missing |= missing
        if names:
            warn(
                f"fit: the loss uses {counted(len(names), 'parameter')} of the model, such as {names[0]}, that the "
                f"optimizer does not have, so nothing moves them: make the optimizer after the last layer was added or "
                f"replaced, and freeze() modules that are not to be trained; a single parameter can be a plain number"
            )

    def check_recorders(self, callbacks: Iterable[Any]) -> None:
        """Warn if a `Recorder` among `callbacks` has a model of which the optimiser moves nothing."""
        for callback in callbacks:
            is_recorder = isinstance(callback, Recorder)
            if is_recorder and {*self.optimizer.params}.isdisjoint(callback.model.parameters()):
                warn(
                    f"fit: the Recorder among the callbacks has another model than the one that is trained, "
                    f"{callback.model!r:.60}, and its parameters stay as they are: make it as Recorder(model) of the "
                    f"model that fit is given"
                )

    def check_samples(self, data: Any) -> None:
        """Warn, once, if the `data` have other samples than those that training began with."""
        if self._are_samples_same and not are_those_of(data, self.samples):
            self._are_samples_same = False
            warn(
                "fit: a callback changed the data, and training goes on with the samples that it began with: to go on "
                "with others, end it by a callback that returns True, and call fit again"
            )

    def look_at_model(self) -> None:
        """Keep in mind what the model holds, before others may change it."""
        if self._contents is None or not self._contents.are_same():
            self._contents = Contents(self.model)

    def model_has_changed(self) -> bool:
        """Return whether the model holds something else since it was looked at; then a loss is to be checked again."""
        has_changed = self._contents is not None and not self._contents.are_same()
        self.is_checked = self.is_checked and not has_changed
        return has_changed

    def check_that_something_moved(self) -> None:
        """Warn if no parameter has, since the gradient of all samples is zero."""
        trained, optimizer = self.trained(), self.optimizer
        is_meant = not trained or decays(optimizer) or optimizer.lr == 0
        if is_meant or [parameter.data for parameter in optimizer.params] != self._before:
            return
        total = mean([self.loss(x, y) for x, y in self.samples])
        slopes = adjoints(graph.inner_nodes(total), {total: 1.0}, "vjp") if isinstance(total, Value) else {}
        if not any(slopes.get(parameter, 0) for parameter in trained) and (total or not slopes):
            warn(
                f"fit: all gradients are zero, so {optimizer!r} moved nothing: usually all units of a layer are dead, "
                f"the parameters begin at zero, or {LOST}"
            )

    def trained(self) -> set[Value]:
        """Return the parameters that move along their gradients; none if the optimiser has a step of its own."""
        if type(self.optimizer).step is not Optimizer.step:
            return set()
        return {parameter for parameter in self.optimizer.params if not isinstance(parameter, Frozen)}


def leaves_of(loss: Any) -> list[Value]:
    """Return the leaves that `loss` depends on; none if it is a plain number."""
    return [loss, *graph.leaves(graph.inner_nodes(loss))] if isinstance(loss, Value) else []
