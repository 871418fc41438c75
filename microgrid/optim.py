"""Optimisers: how parameters follow their gradients, with the names and formulas of `torch.optim`."""

from __future__ import annotations

from microgrid.engine import Value
from microgrid.graph import plain_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class SGD:
    """Stochastic gradient descent with momentum.

    Each step sets, as PyTorch does, `velocity = momentum * velocity + gradient` (at the first step, the gradient) and
    `parameter = parameter - lr * velocity`.

    Args:
        params: the parameters, leaves.
        lr: the learning rate.
        momentum: how much of the last velocity is kept, 0 for none, usually below 1.

    Raises:
        ValueError: if there are no parameters, one comes twice, or `lr` or `momentum` is negative.
        TypeError: if a parameter is no leaf, or `lr` or `momentum` no plain number.

    >>> from microgrid import Value
    >>> x = Value(1.0)
    >>> optimizer = SGD([x], lr=0.25)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> x.data
    0.5
    """

    def __init__(self, params: Iterable[Value], lr: float = 0.001, momentum: float = 0.0) -> None:
        if not hasattr(params, "__iter__"):
            raise TypeError(f"SGD expects the parameters, such as net.parameters(), got {params!r:.60}")
        self.params = list(params)
        if not self.params:
            raise ValueError("SGD expects at least one parameter, got none")
        if len({*self.params}) < len(self.params):
            raise ValueError("SGD expects each parameter once, got one of them twice")
        for parameter in self.params:
            if not isinstance(parameter, Value) or parameter.op is not None:
                raise TypeError(f"SGD expects leaf Values, got {type(parameter).__name__} {parameter!r:.60}")
        if isinstance(lr, Value) or isinstance(momentum, Value):
            raise TypeError(f"SGD expects plain numbers, got lr={lr} and momentum={momentum}")
        if not (lr >= 0 and momentum >= 0):
            raise ValueError(f"SGD expects lr and momentum of at least 0, got lr={lr} and momentum={momentum}")
        self.lr, self.momentum = lr, momentum
        self._velocities: list[float] | None = None

    def step(self) -> None:
        """Move every parameter once against its gradient."""
        velocities = [plain_grad(parameter) for parameter in self.params]
        if self.momentum and self._velocities is not None:
            pairs = zip(self._velocities, velocities, strict=True)
            velocities = [self.momentum * velocity + gradient for velocity, gradient in pairs]
        self._velocities = velocities
        for parameter, velocity in zip(self.params, velocities, strict=True):
            parameter.data = parameter.data - self.lr * velocity

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to zero."""
        for parameter in self.params:
            parameter.zero_grad()
