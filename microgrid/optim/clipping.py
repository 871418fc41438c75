"""Gradient clipping: against gradients that explode. It is called between `backward()` and `step()`."""

from __future__ import annotations

import math as standard

from microgrid import math
from microgrid.engine.value import Value
from microgrid.optim.optimizer import at_least_zero, gradient_of, parameter_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def clip_grad_norm_(
    parameters: Iterable[Value] | Value, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Shorten the gradient to a norm of about `max_norm`, if it is longer, and return the norm it had.

    As in PyTorch every gradient is multiplied by `max_norm / (norm + 1e-6)`, or by 1 if that is more.

    Args:
        parameters: the leaves whose gradients are one vector.
        max_norm: the longest it may be.
        norm_type: 2 for the Euclidean norm, inf for the largest amount, p for the p-norm.
        error_if_nonfinite: whether a norm that is inf or nan is an error; else gradients become 0 or nan.

    Raises:
        ValueError: if `max_norm` is negative, `norm_type` is not above 0, or on the norm, as asked for.
        TypeError: if `parameters` are none, as a model is none, or one is no `Value`.

    >>> from microgrid import Value
    >>> x, y = Value(0.0), Value(0.0)
    >>> x.grad, y.grad = 30.0, 40.0
    >>> clip_grad_norm_([x, y], 1.0), round(x.grad, 6), round(y.grad, 6)
    (50.0, 0.6, 0.8)
    """
    parameters = values("clip_grad_norm_", parameters)
    at_least_zero("clip_grad_norm_", max_norm=max_norm)
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm_ expects norm_type above 0, got {norm_type!r:.60}")
    norm = p_norm([float(gradient_of("clip_grad_norm_", parameter)) for parameter in parameters], norm_type)
    if error_if_nonfinite and not standard.isfinite(norm):
        raise ValueError(f"clip_grad_norm_: the norm of the gradient is {norm}, so it cannot be clipped")
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:
        for parameter in parameters:
            parameter.grad = parameter.grad * factor
    return norm


def values(owner: str, parameters: Iterable[Value] | Value) -> list[Value]:
    """Return `parameters`, or the only one, as a list.

    Raises:
        TypeError: if one is no `Value`.
    """
    found = parameter_list(owner, [parameters] if isinstance(parameters, Value) else parameters)
    for one in found:
        if not isinstance(one, Value):
            raise TypeError(f"{owner} expects Values, got {type(one).__name__} {one!r:.60}")
    return found


def p_norm(numbers: list[float], p: float) -> float:
    """Return the p-norm of `numbers`; it does not overflow."""
    if p == 2:
        return standard.hypot(*numbers)
    largest: float = math.maximum(0.0, *map(abs, numbers))
    if p == standard.inf or largest == 0 or not standard.isfinite(largest):
        return largest
    return largest * standard.pow(standard.fsum([(abs(number) / largest) ** p for number in numbers]), 1 / p)


def clip_grad_value_(parameters: Iterable[Value] | Value, clip_value: float) -> None:
    """Hold every gradient between `-clip_value` and `clip_value`.

    Args:
        parameters: the leaves whose gradients are held.
        clip_value: the largest amount that a gradient may have.

    Raises:
        ValueError: if `clip_value` is negative.
        TypeError: if it is no plain number, or `parameters` are none, as a model is none.

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
