"""Losses: how far predictions are from targets, with the names and definitions of `torch.nn.functional`.

Each takes predictions and targets: two sequences (or arrays) of equal length, or two single numbers. It returns their
mean loss as a `Value` (a float if no `Value` is among them); with `reduction="sum"` the sum, with `"none"` a list.
"""

from __future__ import annotations

import operator

from microgrid import math
from microgrid.engine.anomaly import warn
from microgrid.engine.messages import brief
from microgrid.engine.numbers import is_number
from microgrid.engine.value import Value
from microgrid.transforms import arrays
from microgrid.transforms.run import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Number = Value | float
    Numbers = Sequence[Number] | Number
    Rows = Sequence[Sequence[Number]] | Sequence[Number]
    Classes = Sequence[int] | int

__all__ = [
    "accuracy",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge_loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
]


def __dir__() -> list[str]:
    return __all__


REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {"mean": math.mean, "sum": math.fsum, "none": list}


def reduced(
    name: str, loss: Callable[[Any, Any], Any], pairs: list[tuple[Any, Any]], reduction: str, single: bool
) -> Any:
    """Return the reduced `loss` over `pairs` of a prediction and a target; if `single`, the loss of the only pair.

    Raises:
        ValueError: if `reduction` is unknown.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name} expects reduction to be 'mean', 'sum' or 'none', got {brief(reduction)}")
    found = [loss(prediction, target) for prediction, target in pairs]
    return found[0] if single else REDUCTIONS[reduction](found)


def paired(name: str, predictions: Any, targets: Any) -> list[tuple[Any, Any]]:
    """Return pairs of a prediction and a target.

    Raises:
        ValueError: if the counts of predictions and targets differ, or both are 0.
    """
    sides = [arrays.listed(name, side) for side in (predictions, targets)]
    rows = [list(side) if hasattr(side, "__iter__") else [side] for side in sides]
    if not rows[0] or len(rows[0]) != len(rows[1]):
        lengths = f"{len(rows[0])} and {len(rows[1])}"
        raise ValueError(f"{name} expects as many predictions as targets, at least one, got {lengths}")
    return list(zip(*rows, strict=True))


def check_numbers(name: str, numbers: Sequence[Any]) -> None:
    """Raise TypeError if one of `numbers` is not a real number."""
    for x in numbers:
        if not (isinstance(x, Value) or is_number(x)):
            raise TypeError(f"{name} expects real numbers, got {type(x).__name__} {brief(x)}")


def over_numbers(name: str, loss: Callable[[Any, Any], Any], input: Numbers, target: Numbers, reduction: str) -> Any:
    """Return the reduced loss over pairs of numbers; two bare numbers are a single pair.

    Raises:
        TypeError: if a prediction or a target is not a real number.
    """
    pairs = paired(name, input, target)
    check_numbers(name, [*(x for x, _ in pairs), *(y for _, y in pairs)])
    single = not (arrays.has_items(input) or arrays.has_items(target))
    return reduced(name, loss, pairs, reduction, single)


def mse_loss(input: Numbers, target: Numbers, reduction: str = "mean") -> Any:
    """Return the mean squared error.

    >>> mse_loss([Value(1.0), Value(2.0)], [0.0, 2.0]).data
    0.5
    """
    return over_numbers("mse_loss", lambda x, y: (x - y) ** 2, input, target, reduction)


def l1_loss(input: Numbers, target: Numbers, reduction: str = "mean") -> Any:
    """Return the mean absolute error.

    >>> l1_loss([Value(1.0), Value(2.0)], [0.0, 2.0]).data
    0.5
    """
    return over_numbers("l1_loss", lambda x, y: abs(x - y), input, target, reduction)


def huber_loss(input: Numbers, target: Numbers, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Return the mean Huber loss: half the squared error, continued as a straight line beyond `delta`.

    Args:
        input, target, reduction: as for all losses here.
        delta: the error, above 0, beyond which the loss is a straight line.

    Raises:
        ValueError: if `delta` is not above 0.

    >>> huber_loss([Value(0.5), Value(3.0)], [0.0, 0.0], reduction="sum").data
    2.625
    """
    if not (is_number(delta) and delta > 0):
        raise ValueError(f"huber_loss expects delta above 0, got {brief(delta)}")
    return over_numbers("huber_loss", lambda x, y: math.huber(x - y, delta), input, target, reduction)


def binary_cross_entropy(input: Numbers, target: Numbers, reduction: str = "mean") -> Any:
    """Return the mean of `-(y * log(p) + (1 - y) * log(1 - p))`, for probabilities `p` and targets `y` in [0, 1].

    As in PyTorch, logarithms are clamped at -100, so that the loss is finite at 0 and 1. If there are logits, prefer
    `binary_cross_entropy_with_logits`, which is exact.

    Raises:
        ValueError: if a prediction is not between 0 and 1.

    >>> round(binary_cross_entropy([Value(0.5)], [1.0]).data, 6)
    0.693147
    """
    return over_numbers("binary_cross_entropy", math.binary_cross_entropy, input, target, reduction)


def binary_cross_entropy_with_logits(input: Numbers, target: Numbers, reduction: str = "mean") -> Any:
    """Return the mean cross-entropy of `sigmoid(x)` and targets `y` in [0, 1], stable for every logit `x`.

    It is `y * softplus(-x) + (1 - y) * softplus(x)`: nothing cancels, even if the prediction is right and very sure.

    >>> round(binary_cross_entropy_with_logits([Value(0.0)], [1.0]).data, 6)
    0.693147
    """
    name = "binary_cross_entropy_with_logits"
    return over_numbers(name, math.binary_cross_entropy_with_logits, input, target, reduction)


def hinge_loss(input: Numbers, target: Numbers, reduction: str = "mean") -> Any:
    """Return the mean of `max(0, 1 - y * x)`, for targets `y` of -1 and 1: zero beyond a margin of 1.

    Raises:
        ValueError: if a target is not -1 or 1.

    >>> hinge_loss([Value(0.5), Value(3.0)], [1, -1]).data
    2.25
    """

    def loss(x: Any, y: Any) -> Any:
        if not isinstance(y, Value) and y not in (-1, 1):
            raise ValueError(f"hinge_loss expects targets of -1 and 1, got {brief(y)}")
        return math.relu(1 - y * x)

    return over_numbers("hinge_loss", loss, input, target, reduction)


def cross_entropy(input: Rows, target: Classes | Rows, reduction: str = "mean") -> Any:
    """Return the mean cross-entropy of `softmax(row)` and the target over rows of logits; stable for all logits.

    Args:
        input: for each sample, a row of logits, one per class; or a single row.
        target: for each sample, the index of its class or a row of probabilities.
        reduction: "mean", "sum" or "none".

    Warns:
        UserWarning: if a row of probabilities does not add up to 1; often it is not one, but the targets of several
            samples with one output each.

    Raises:
        TypeError: if the input is not a sequence of rows, or a target is neither an index nor a row of numbers.
        IndexError: if a class is out of range.
        ValueError: if rows differ in length, or one is empty.

    >>> cross_entropy([[Value(0.0), Value(0.0)], [Value(1000.0), Value(0.0)]], [1, 1], reduction="none")[1].data
    1000.0
    >>> cross_entropy([Value(2.0), Value(2.0)], [0.5, 0.5]).data == math.log(2)
    True
    """
    if not arrays.has_items(input):
        raise TypeError(f"cross_entropy expects rows of logits, got {type(input).__name__} {brief(input)}")
    rows = [*arrays.listed("cross_entropy", input)]
    single = bool(rows) and not hasattr(rows[0], "__iter__")
    pairs = paired("cross_entropy", [rows] if single else rows, [target] if single else target)
    return reduced("cross_entropy", cross_entropy_of_row, pairs, reduction, single)


def cross_entropy_of_row(row: Any, target: Any) -> Any:
    """Return the cross-entropy of one row of logits and its target, an index or a row of probabilities."""
    if not hasattr(row, "__iter__"):
        raise TypeError(f"cross_entropy expects rows of logits, got {type(row).__name__} {brief(row)} among them")
    logits = tuple(arrays.listed("cross_entropy", row))
    if not logits:
        raise ValueError(f"cross_entropy expects rows of at least one logit, got {brief(row)}")
    if arrays.has_items(target):
        probabilities = tuple(arrays.listed("cross_entropy", target))
        found = math.cross_entropy(logits, probabilities)
        check_sum(probabilities)
        return found
    try:
        index = operator.index(target)
    except TypeError:
        given = f"{type(target).__name__} {brief(target)}"
        raise TypeError(f"cross_entropy expects the index of a class or a row of probabilities, got {given}") from None
    if not 0 <= index < len(logits):
        raise IndexError(f"cross_entropy expects a class from 0 to {len(logits) - 1}, got {index}")
    return math.cross_entropy(logits, [float(position == index) for position in range(len(logits))])


def check_sum(probabilities: Sequence[Any]) -> None:
    """Warn if the sum of `probabilities` is not 1."""
    total = sum(map(plain, probabilities))
    if abs(total - 1) > 1e-6:
        warn(
            f"cross_entropy expects a row of probabilities that add up to 1, got one that adds up to {float(total):g}; "
            f"with one output for each sample use binary_cross_entropy_with_logits, and logits of several samples need "
            f"brackets around each row, as in [[1.0, 2.0], [3.0, 4.0]]"
        )


def accuracy(input: Numbers | Rows, target: Numbers | Rows, threshold: float = 0.5) -> float:
    """Return the fraction of right predictions.

    Args:
        input: numbers; or rows of scores, which predict the class with the largest one.
        target: numbers; for rows, indices of classes or rows of scores.
        threshold: a prediction is right if it is on the same side of this as its target: 0.5 for probabilities, 0 for
            logits and hinge losses.

    Raises:
        ValueError: if the counts of predictions and targets differ or are 0, or a row of scores is empty.
        TypeError: if the threshold, a prediction, a target or the index of a class is not a real number.

    >>> accuracy([0.2, 0.7, 0.9, 0.6], [0, 1, 1, 0])
    0.75
    >>> accuracy([[0.1, 2.0], [0.3, 0.1]], [1, 1])
    0.5
    """

    def is_right(prediction: Any, truth: Any) -> bool:
        if not arrays.has_items(prediction):
            check_numbers("accuracy", (prediction, truth))
            return bool((prediction > threshold) == (truth > threshold))
        if arrays.has_items(truth) and not isinstance(truth, str):
            return largest(prediction) == largest(truth)
        check_numbers("accuracy", (truth,))
        return bool(largest(prediction) == truth)

    check_numbers("accuracy", (threshold,))
    pairs = paired("accuracy", input, target)
    return sum(is_right(prediction, truth) for prediction, truth in pairs) / len(pairs)


def largest(scores: Any) -> int:
    """Return the index of the largest of `scores`, the first of equal ones.

    Raises:
        ValueError: if `scores` is empty.
    """
    row: list[Any] = [*scores]
    if not row:
        raise ValueError(f"accuracy expects rows of at least one score, got {brief(scores)}")
    return row.index(max(row))
