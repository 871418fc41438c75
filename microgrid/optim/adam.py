"""`Adam` and `AdamW`: gradient descent whose step adapts to the size of recent gradients."""

from __future__ import annotations

from microgrid import math
from microgrid.engine.messages import brief
from microgrid.engine.numbers import is_number
from microgrid.optim.optimizer import Optimizer, at_least_zero

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from microgrid.engine.value import Value
    from microgrid.optim.optimizer import LearningRate, State


class Adam(Optimizer):
    """Adam: the running mean of the gradient, divided by its root mean square, times `lr`.

    Both means are exponential averages with decay rates `betas`, corrected for starting at zero: Kingma and Ba, "Adam:
    A Method for Stochastic Optimization", 2015 (arXiv:1412.6980).

    Args:
        params: the parameters, leaf `Value`s.
        lr: the learning rate, or a function of the number of steps already taken.
        betas: the decay rates of the two running means, of the gradient and of its square.
        eps: added to the root, to avoid a division by zero.
        weight_decay: `weight_decay * parameter` is added to the gradient.

    Raises:
        ValueError: if `params` is empty or has duplicates, or a hyperparameter is out of range.
        TypeError: if a parameter is not a leaf, or a hyperparameter not a plain number.

    >>> from microgrid import Value
    >>> x = Value(1.0)
    >>> optimizer = Adam([x], lr=0.25)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> round(x.data, 6)
    0.75
    """

    betas: tuple[float, float]
    eps: float
    weight_decay: float

    def __init__(
        self,
        params: Iterable[Value],
        lr: LearningRate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
    ) -> None:
        name = type(self).__name__
        if not isinstance(betas, tuple | list) or len(betas) != 2 or not all(map(is_number, betas)):
            raise TypeError(f"{name} expects betas to be two plain numbers, got {brief(betas)}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"{name} expects betas of at least 0 and below 1, got {brief(betas)}")
        at_least_zero(name, eps=eps, weight_decay=weight_decay)
        super().__init__(params, lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    def initial_state(self) -> State:
        """Return the two running means, both 0."""
        return 0.0, 0.0

    def decayed(self, parameter: Any, gradient: Any, lr: Any) -> tuple[Any, Any]:
        """Return the parameter and the gradient with weight decay added to the gradient."""
        return parameter, gradient + self.weight_decay * parameter

    def update(self, parameter: Any, gradient: Any, state: State, step: Any, lr: Any) -> tuple[Any, State]:
        """Return the parameter after one step, and the new running means of its gradient and squared gradient.

        The bias corrections `1 - beta**step` are folded into the learning rate and `eps`: these depend on the step
        alone, so compiled code computes them once per step and not once per parameter.
        """
        if self.weight_decay:
            parameter, gradient = self.decayed(parameter, gradient, lr)
        first, second = self.betas
        mean = first * state[0] + (1 - first) * gradient
        square = second * state[1] + (1 - second) * gradient * gradient
        scale = math.sqrt(1 - second**step)
        rate, eps = lr * scale / (1 - first**step), self.eps * scale
        return parameter - rate * mean / (math.sqrt(square) + eps), (mean, square)


class AdamW(Adam):
    """Adam with decoupled weight decay: the running means use the gradient alone, and each step also multiplies the
    parameter by `1 - lr * weight_decay`. (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019,
    arXiv:1711.05101.)

    Arguments and errors are those of `Adam`.

    >>> from microgrid import Value
    >>> x = Value(1.0)
    >>> optimizer = AdamW([x], lr=0.25, weight_decay=1.0)
    >>> optimizer.step()
    >>> x.data
    0.75
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: LearningRate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def decayed(self, parameter: Any, gradient: Any, lr: Any) -> tuple[Any, Any]:
        """Return the parameter, shrunk by weight decay, and the gradient as it is."""
        return parameter * (1 - lr * self.weight_decay), gradient
