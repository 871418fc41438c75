"""`SGD`: stochastic gradient descent."""

from __future__ import annotations

from microgrid.engine.messages import brief
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

    As in PyTorch, each step sets `velocity = momentum * velocity + (1 - dampening) * gradient` (at the first step,
    the gradient) and `parameter = parameter - lr * velocity`.

    Args:
        params: the parameters, leaf `Value`s.
        lr: the learning rate, or a function of the number of steps already taken.
        momentum: the fraction of the velocity that is kept from step to step; 0 for plain gradient descent.
        dampening: the fraction of each gradient that does not enter the velocity.
        weight_decay: `weight_decay * parameter` is added to the gradient.
        nesterov: whether to step along `gradient + momentum * velocity`, looking one step ahead.

    Raises:
        ValueError: if `params` is empty or has duplicates, `lr`, `momentum` or `weight_decay` is negative, or
            `nesterov` is set without momentum or with dampening.
        TypeError: if a parameter is not a leaf, or a hyperparameter not a plain number.

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
            raise TypeError(f"SGD expects plain numbers, got dampening={brief(dampening)}")
        if nesterov and (not momentum or dampening):
            got = f"momentum={momentum} and dampening={dampening}"
            raise ValueError(f"SGD expects momentum and no dampening with nesterov, got {got}")
        options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, lr, **options)

    def initial_state(self) -> State:
        """Return the velocity 0; without momentum there is no state."""
        return (0.0,) if self.momentum else ()

    def update(self, parameter: Any, gradient: Any, state: State, step: Any, lr: Any) -> tuple[Any, State]:
        """Return the parameter after one step, and its velocity."""
        if self.weight_decay:
            gradient = gradient + self.weight_decay * parameter
        if not self.momentum:
            return parameter - lr * gradient, (gradient,) * len(state)  # momentum may have been set to 0 later
        velocity = gradient if step == 1 else self.momentum * state[0] + (1 - self.dampening) * gradient
        direction = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameter - lr * direction, (velocity,)
