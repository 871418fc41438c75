"""Activations: the name of an operation on one number, or any function of a `Value`."""

from __future__ import annotations

from microgrid import math
from microgrid.engine.value import Value
from microgrid.rules.table import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Activation = str | Callable[[Value], Value] | None


def activation_function(activation: Activation) -> Callable[[Value], Value]:
    """Return the function that `activation` refers to: itself, an operation by name, or the identity for None.

    Raises:
        ValueError: if no operation of that name takes one number.

    >>> from microgrid import Value
    >>> activation_function("relu")(Value(-2.0)).data
    0.0
    """
    if activation is None or activation == "linear":
        return identity
    if callable(activation):
        return activation
    if activation not in RULES or not hasattr(Value, activation):
        raise ValueError(f"no activation is called {activation!r}; try 'relu', 'tanh', 'sigmoid' or 'linear'")
    function: Callable[[Value], Value] = getattr(math, activation)
    return function


def identity(x: Value) -> Value:
    """Return `x`."""
    return x


def activation_name(activation: Activation) -> str:
    """Return the name of `activation` in a `repr`.

    >>> from microgrid import math
    >>> activation_name("relu"), activation_name("tanh"), activation_name(None), activation_name(math.sin)
    ('ReLU', 'Tanh', 'Linear', 'sin')
    """
    if activation is None or isinstance(activation, str):
        return {None: "Linear", "relu": "ReLU"}.get(activation, str(activation).capitalize())
    return getattr(activation, "__name__", repr(activation))
