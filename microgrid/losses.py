"""Losses: how far predictions are from targets, with the names and definitions of `torch.nn.functional`.

Each takes predictions and targets, two sequences of equal length or two single numbers, and returns their mean as one
`Value` (a float if none was given).
"""

from __future__ import annotations

from microgrid import math
from microgrid.conversions import is_number
from microgrid.engine import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Number = Value | float
    Numbers = Sequence[Number] | Number


def mean_over_pairs(name: str, loss: Callable[[Any, Any], Any], predictions: Numbers, targets: Numbers) -> Any:
    """Return the mean of `loss` over pairs of a prediction and a target.

    Raises:
        ValueError: if there is nothing to compare, or not as many predictions as targets.
        TypeError: if something to compare is no real number.
    """
    rows = [list(side) if hasattr(side, "__iter__") else [side] for side in (predictions, targets)]
    if not rows[0] or len(rows[0]) != len(rows[1]):
        lengths = f"{len(rows[0])} and {len(rows[1])}"
        raise ValueError(f"{name} expects as many predictions as targets, at least one, got {lengths}")
    for x in rows[0] + rows[1]:
        if not (isinstance(x, Value) or is_number(x)):
            raise TypeError(f"{name} expects real numbers, got {type(x).__name__} {x!r:.60}")
    return math.mean([loss(prediction, target) for prediction, target in zip(*rows, strict=True)])


def mse_loss(input: Numbers, target: Numbers) -> Any:
    """Return the mean squared error.

    >>> mse_loss([Value(1.0), Value(2.0)], [0.0, 2.0]).data
    0.5
    """
    return mean_over_pairs("mse_loss", lambda x, y: (x - y) ** 2, input, target)


def binary_cross_entropy(input: Numbers, target: Numbers) -> Any:
    """Return the mean of `-(y * log(p) + (1 - y) * log(1 - p))`, for probabilities `p` and targets `y` in [0, 1].

    Each logarithm is at least -100, as in PyTorch, so that the loss is finite at 0 and 1. From logits,
    `binary_cross_entropy_with_logits` is exact.

    Raises:
        ValueError: if a prediction is not between 0 and 1.

    >>> round(binary_cross_entropy([Value(0.5)], [1.0]).data, 6)
    0.693147
    """
    return mean_over_pairs("binary_cross_entropy", math.binary_cross_entropy, input, target)


def binary_cross_entropy_with_logits(input: Numbers, target: Numbers) -> Any:
    """Return the mean cross-entropy of `sigmoid(x)` and targets `y` in [0, 1], stable for every logit `x`.

    It is `y * softplus(-x) + (1 - y) * softplus(x)`: nothing cancels, however sure and right the prediction.

    >>> round(binary_cross_entropy_with_logits([Value(0.0)], [1.0]).data, 6)
    0.693147
    """
    return mean_over_pairs("binary_cross_entropy_with_logits", math.binary_cross_entropy_with_logits, input, target)
