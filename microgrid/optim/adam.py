"""`Adam` and `AdamW`: gradient descent in units of the size that gradients have had."""

from __future__ import annotations

from microgrid import math
from microgrid.engine.numbers import is_number
from microgrid.optim.optimizer import Optimizer, at_least_zero

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from microgrid.engine.value import Value
    from microgrid.optim.optimizer import LearningRate, State


class Adam(Optimizer):
    """Adam: steps of about `lr`, along the mean gradient in units of its root mean square.

    Both means fade, by `betas`, and are corrected for having begun at zero: Kingma and Ba, "Adam: A Method for
    Stochastic Optimization", 2015 (arXiv:1412.6980).

    Args:
        params: the parameters, leaves.
        lr: the learning rate, or a function of the number of steps done before.
        betas: how much of the means of the gradient and of its square is kept.
        eps: added to the root, so that nothing is divided by zero.
        weight_decay: this times the parameter is added to its gradient.

    Raises:
        ValueError: if there are no parameters, one comes twice, or a hyperparameter is out of range.
        TypeError: if a parameter is no leaf, or a hyperparameter no plain number.

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
            raise TypeError(f"{name} expects betas to be two plain numbers, got {betas!r:.60}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"{name} expects betas of at least 0 and below 1, got {betas!r:.60}")
        at_least_zero(name, eps=eps, weight_decay=weight_decay)
        super().__init__(params, lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay)

    def initial_state(self) -> State:
        """Return the means of the gradient and of its square, both 0."""
        return 0.0, 0.0

    def decayed(self, parameter: Any, gradient: Any, lr: Any) -> tuple[Any, Any]:
        """Return parameter and gradient with the weight decay, which is here a part of the gradient."""
        return parameter, gradient + self.weight_decay * parameter

    def update(self, parameter: Any, gradient: Any, state: State, step: Any, lr: Any) -> tuple[Any, State]:
        """Return the parameter after one step, and the means of its gradient and of the square of it.

        The means are corrected by `1 - beta**step`. Those corrections are taken out of the root and the fraction, and
        put into the learning rate and `eps`: so they are made once a step, and not once a parameter.
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
    """Adam with decoupled weight decay: the means see the gradient alone, and each step shrinks the parameter besides,
    by `lr * weight_decay` of itself. (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019,
    arXiv:1711.05101.)

    Args and errors are those of `Adam`.

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
        """Return parameter and gradient with the weight decay, which is here a part of the step."""
        return parameter * (1 - lr * self.weight_decay), gradient
