"""Silent mistakes: without a check, the training run would go on to its end and learn nothing, or too little."""

from __future__ import annotations

from microgrid.engine import graph
from microgrid.engine.anomaly import warn
from microgrid.engine.messages import brief, counted
from microgrid.engine.sweeps import adjoints
from microgrid.engine.value import Value
from microgrid.math import mean
from microgrid.nn import Frozen, Module
from microgrid.nn.module import written_parameters
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
    """A snapshot of what a model and the modules, lists and dicts in it contain, to notice cheaply when that changes.

    Args:
        model: the model; anything but a `Module` counts as empty.
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
                held = [*pieces]  # kept alive, so that their ids are not reused
                self._held.append((pieces, held, [*map(id, held)]))
                stack += held

    def are_same(self) -> bool:
        """Return whether all of them still contain the very same objects."""
        return all([[*map(id, pieces)] == ids for pieces, _, ids in self._held])


def pieces_of(item: Any) -> Any:
    """Return a live view of the contents of a module, list, tuple or dict; None for anything else."""
    if isinstance(item, Module):
        return vars(item).values()
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list | tuple) else None


class Mistakes:
    """The checks of one training run.

    Args:
        model: a function from an input to a prediction.
        loss: a function from an input and a target to the loss of the sample.
        optimizer: the optimiser.
        samples: pairs of an input and a target.

    Attributes:
        is_checked: whether the loss has been checked to depend on a trained parameter.
    """

    def __init__(self, model: Any, loss: Callable[[Any, Any], Any], optimizer: Optimizer, samples: Samples) -> None:
        self.model, self.loss, self.optimizer, self.samples = model, loss, optimizer, samples
        self.is_checked = False
        self._before = [parameter.data for parameter in optimizer.params]
        self._contents: Contents | None = None
        self._missing: set[Value] = set()  # parameters already warned of
        self._are_samples_same = True

    def check(self, total: Any) -> None:
        """Check that `total`, the loss of a batch, or else the loss of any sample, depends on a trained parameter.

        Raises:
            ValueError: if none does, unless all are zero: a loss with branches may return 0 if nothing is to learn.
        """
        trained, used = self.trained(), leaves_of(total)
        if trained and trained.isdisjoint(used):
            losses = [self.loss(x, y) for x, y in self.samples]
            if any(losses) and all(trained.isdisjoint(leaves_of(loss)) for loss in losses):
                raise ValueError(
                    f"fit expects a loss that depends on a parameter of the optimizer, got {brief(total)}: usually the "
                    f"optimizer belongs to another model, no_grad() is on, or {LOST}"
                )
        self.check_used(used)

    def check_used(self, leaves: Iterable[Value]) -> None:
        """Warn if `leaves`, those of a loss, include parameters of the model that the optimiser does not have."""
        self.is_checked = True
        missing = {leaf for leaf in leaves if not isinstance(leaf, Frozen)}.difference(self.optimizer.params)
        missing -= self._missing
        if not missing or not isinstance(self.model, Module):
            return
        names = [path for path, parameter in written_parameters(self.model) if parameter in missing]
        self._missing |= missing
        if names:
            warn(
                f"fit: the loss uses {counted(len(names), 'parameter')} of the model, such as {names[0]}, that the "
                f"optimizer does not have, so nothing moves them: make the optimizer after the last layer was added or "
                f"replaced, and freeze() modules that are not to be trained; a single parameter can be a plain number"
            )

    def check_recorders(self, callbacks: Iterable[Any]) -> None:
        """Warn if a `Recorder` among `callbacks` belongs to a model without a parameter of the optimiser."""
        for callback in callbacks:
            is_recorder = isinstance(callback, Recorder)
            if is_recorder and {*self.optimizer.params}.isdisjoint(callback.model.parameters()):
                warn(
                    f"fit: the Recorder among the callbacks belongs to another model than the one being trained, "
                    f"{brief(callback.model)}, whose parameters do not change: make it as Recorder(model), with the "
                    f"model that fit trains"
                )

    def check_samples(self, data: Any) -> None:
        """Warn, once, if `data` no longer has the samples that training began with."""
        if self._are_samples_same and not are_those_of(data, self.samples):
            self._are_samples_same = False
            warn(
                "fit: a callback changed the data, and training goes on with the samples that it began with: to go on "
                "with others, end it by a callback that returns True, and call fit again"
            )

    def remember_model(self) -> None:
        """Remember what the model contains, before callbacks may change it."""
        if self._contents is None or not self._contents.are_same():
            self._contents = Contents(self.model)

    def model_has_changed(self) -> bool:
        """Return whether the model has changed since `remember_model`; if so, the loss will be checked again."""
        has_changed = self._contents is not None and not self._contents.are_same()
        self.is_checked = self.is_checked and not has_changed
        return has_changed

    def check_that_something_moved(self) -> None:
        """Warn if no parameter has moved, and the gradient over all samples is zero."""
        trained, optimizer = self.trained(), self.optimizer
        is_meant = not trained or decays(optimizer) or optimizer.lr == 0
        if is_meant or [parameter.data for parameter in optimizer.params] != self._before:
            return
        total = mean([self.loss(x, y) for x, y in self.samples])
        found = adjoints(graph.inner_nodes(total), {total: 1.0}, "vjp") if isinstance(total, Value) else {}
        if not any(found.get(parameter, 0) for parameter in trained) and (total or not found):
            warn(
                f"fit: all gradients are zero, so {optimizer!r} moved nothing: usually all units of a layer are dead, "
                f"the parameters begin at zero, or {LOST}"
            )

    def trained(self) -> set[Value]:
        """Return the parameters that follow their gradients; empty if the optimiser overrides `step`."""
        if type(self.optimizer).step is not Optimizer.step:
            return set()
        return {parameter for parameter in self.optimizer.params if not isinstance(parameter, Frozen)}


def leaves_of(loss: Any) -> list[Value]:
    """Return the leaves that `loss` depends on; an empty list if it is a plain number."""
    return [loss, *graph.leaves(graph.inner_nodes(loss))] if isinstance(loss, Value) else []
