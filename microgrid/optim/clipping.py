"""Gradient clipping, a remedy for exploding gradients: call it between `backward()` and `step()`."""

from __future__ import annotations

import math as standard

from microgrid import math
from microgrid.engine.messages import brief
from microgrid.engine.value import Value
from microgrid.optim.optimizer import at_least_zero, gradient_of, parameter_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def clip_grad_norm_(
    parameters: Iterable[Value] | Value, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale the gradients down to a total norm of about `max_norm` if theirs is larger; return the norm before.

    As in PyTorch, every gradient is multiplied by `min(1, max_norm / (norm + 1e-6))`.

    Args:
        parameters: the leaves; their gradients together are one vector.
        max_norm: the largest norm allowed.
        norm_type: 2 for the Euclidean norm, inf for the largest absolute value, p for the p-norm.
        error_if_nonfinite: whether an infinite or nan norm raises an error; else the gradients become 0 or nan.

    Raises:
        ValueError: if `max_norm` is negative, `norm_type` is not above 0, or the norm is not finite and
            `error_if_nonfinite` is set.
        TypeError: if `parameters` is not iterable (a model, say), or contains something other than `Value`s.

    >>> from microgrid import Value
    >>> x, y = Value(0.0), Value(0.0)
    >>> x.grad, y.grad = 30.0, 40.0
    >>> clip_grad_norm_([x, y], 1.0), round(x.grad, 6), round(y.grad, 6)
    (50.0, 0.6, 0.8)
    """
    parameters = values("clip_grad_norm_", parameters)
    at_least_zero("clip_grad_norm_", max_norm=max_norm)
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm_ expects norm_type above 0, got {brief(norm_type)}")
    norm = p_norm([float(gradient_of("clip_grad_norm_", parameter)) for parameter in parameters], norm_type)
    if error_if_nonfinite and not standard.isfinite(norm):
        raise ValueError(f"clip_grad_norm_: the norm of the gradient is {norm}, so it cannot be clipped")
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:
        for parameter in parameters:
            parameter.grad = parameter.grad * factor
    return norm


def values(owner: str, parameters: Iterable[Value] | Value) -> list[Value]:
    """Return `parameters`, which may be a single `Value`, as a list.

    Raises:
        TypeError: if an item is not a `Value`.
    """
    found = parameter_list(owner, [parameters] if isinstance(parameters, Value) else parameters)
    for one in found:
        if not isinstance(one, Value):
            raise TypeError(f"{owner} expects Values, got {type(one).__name__} {brief(one)}")
    return found


def p_norm(numbers: list[float], p: float) -> float:
    """Return the p-norm of `numbers`, without overflow on the way."""
    if p == 2:
        return standard.hypot(*numbers)
    largest: float = math.maximum(0.0, *map(abs, numbers))
    if p == standard.inf or largest == 0 or not standard.isfinite(largest):
        return largest
    return largest * standard.pow(standard.fsum([(abs(number) / largest) ** p for number in numbers]), 1 / p)


def clip_grad_value_(parameters: Iterable[Value] | Value, clip_value: float) -> None:
    """Clip every gradient to the interval from `-clip_value` to `clip_value`.

    Args:
        parameters: the leaves whose gradients are clipped.
        clip_value: the largest absolute value allowed.

    Raises:
        ValueError: if `clip_value` is negative.
        TypeError: if `clip_value` is not a plain number, or `parameters` is not iterable (a model, say).

    >>> from microgrid import Value
    >>> x = Value(0.0)
    >>> x.grad = -3.0
    >>> clip_grad_value_(x, 0.5)
    >>> x.grad
    -0.5
    """
    at_least_zero("clip_grad_value_", clip_value=clip_value)
    for parameter in values("clip_grad_value_", parameters):
        gradient_of("clip_grad_value_", parameter)
        parameter.grad = math.clip(parameter.grad, -clip_value, clip_value)
