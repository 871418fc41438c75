"""`SGD`: stochastic gradient descent."""

from __future__ import annotations

from microgrid.engine.numbers import is_number
from microgrid.optim.optimizer import Optimizer, at_least_zero

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from microgrid.engine.value import Value
    from microgrid.optim.optimizer import LearningRate, State


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    Each step sets, as PyTorch does, `velocity = momentum * velocity + (1 - dampening) * gradient` (at the first step,
    the gradient) and `parameter = parameter - lr * velocity`.

    Args:
        params: the parameters, leaves.
        lr: the learning rate, or a function of the number of steps done before.
        momentum: how much of the last velocity is kept, 0 for none, usually below 1.
        dampening: how much of a gradient the velocity leaves out.
        weight_decay: this times the parameter is added to its gradient.
        nesterov: step along `gradient + momentum * velocity`, which looks ahead.

    Raises:
        ValueError: if there are no parameters, one comes twice, `lr`, `momentum` or `weight_decay` is negative, or
            `nesterov` comes without momentum or with dampening.
        TypeError: if a parameter is no leaf, or a hyperparameter no plain number.

    >>> from microgrid import Value
    >>> x = Value(1.0)
    >>> optimizer = SGD([x], lr=0.25)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> x.data
    0.5
    """

    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    def __init__(
        self,
        params: Iterable[Value],
        lr: LearningRate = 0.001,
        momentum: float = 0.0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
    ) -> None:
        rates = {"momentum": momentum} if callable(lr) else {"lr": lr, "momentum": momentum}
        at_least_zero("SGD", **rates)
        at_least_zero("SGD", weight_decay=weight_decay)
        if not is_number(dampening):
            raise TypeError(f"SGD expects plain numbers, got dampening={dampening!r:.60}")
        if nesterov and (not momentum or dampening):
            got = f"momentum={momentum} and dampening={dampening}"
            raise ValueError(f"SGD expects nesterov to have momentum and no dampening, got {got}")
        options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, lr, **options)

    def initial_state(self) -> State:
        """Return the velocity 0, or nothing without momentum."""
        return (0.0,) if self.momentum else ()

    def update(self, parameter: Any, gradient: Any, state: State, step: Any, lr: Any) -> tuple[Any, State]:
        """Return the parameter after one step, and its velocity."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        if not self.momentum:
            return parameter - lr * gradient, (gradient,) * len(state)  # a velocity from before momentum became 0
        velocity = gradient if step == 1 else self.momentum * state[0] + (1 - self.dampening) * gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - lr * direction, (velocity,)
