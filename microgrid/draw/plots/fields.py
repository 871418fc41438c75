"""The output of a model over a plane: the class of each point, and by what margin.

Models are functions here, evaluated without recording. Their scores become margins: the score of a class minus the best
score of the others. It is positive where the class wins, and zero along the boundary.
"""

from __future__ import annotations

import math

from microgrid.engine.messages import brief
from microgrid.engine.modes import no_grad
from microgrid.engine.numbers import is_node, is_number, plain_float
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Model = Callable[[Any], Any]
    Limits = tuple[float, float]
    Point = tuple[float, float]


def scores_of(caller: str, model: Model, inputs: Iterable[Any]) -> list[list[float]]:
    """Return the output of `model` for each input as a list of numbers, without recording.

    Raises:
        TypeError: naming `caller`, if `model` is not a function, or returns something else.
    """
    if not callable(model):
        raise TypeError(f"{caller} expects a model or another function, got {type(model).__name__} {brief(model)}")
    with no_grad():
        return [scores(caller, model(x)) for x in inputs]


def scores(caller: str, output: Any) -> list[float]:
    """Return an output as a list of numbers; a single number becomes a list of one.

    Raises:
        TypeError: naming `caller`, if it is something else.
    """
    found = [*output] if arrays.has_items(output) and not is_node(output) else [output]
    if not found or not all(is_node(one) or is_number(one) for one in found):
        got = f"got {type(output).__name__} {brief(output)}"
        raise TypeError(f"{caller} expects the model to return a number, or a list of scores, {got}")
    return [plain_float(one) for one in found]


def margins(outputs: list[float], threshold: float) -> list[float]:
    """Return the margin of each class over the others; a single output separates two classes at the threshold.

    >>> margins([0.75], 0.5), margins([1.0, 4.0, 2.0], 0.5)
    ([-0.25, 0.25], [-3.0, 2.0, -2.0])
    """
    if len(outputs) == 1:
        return [threshold - outputs[0], outputs[0] - threshold]
    return [one - max(outputs[:place] + outputs[place + 1 :]) for place, one in enumerate(outputs)]


def class_of(target: Any) -> int:
    """Return the index of a class, given as that, as -1 or 1, as a probability, or as a row of scores.

    Raises:
        TypeError: if it is something else.

    >>> [class_of(target) for target in (0, 2, -1, 1.0, 0.8, [0.0, 1.0, 0.0])]
    [0, 2, 0, 1, 1, 1]
    """
    if arrays.has_items(target) and not isinstance(target, str):
        row = [*target]
        return row.index(max(row))
    if not (is_node(target) or is_number(target)):
        raise TypeError(f"expected the index of a class as target, got {type(target).__name__} {brief(target)}")
    return max(round(plain_float(target)), 0)


def limits(numbers: Iterable[float], margin: float = 0.2) -> Limits:
    """Return the limits of an axis: the smallest and the largest number, with a margin.

    >>> limits([0.0, 1.0], 0.5), limits([3.0]), limits([])
    ((-0.5, 1.5), (2.0, 4.0), (-1.0, 1.0))
    """
    found = [number for number in numbers if math.isfinite(number)]
    if not found:
        return -1.0, 1.0
    low, high = min(found), max(found)
    spare = (high - low) * margin or 1.0
    return low - spare, high + spare


def evenly(ends: Limits, count: int) -> list[float]:
    """Return `count` evenly spaced numbers from one end to the other.

    >>> evenly((0.0, 1.0), 5)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    low, high = ends
    return [low + (high - low) * place / (count - 1) for place in range(count)]


def checked_limits(caller: str, name: str, ends: Any) -> Limits:
    """Return `ends` as two numbers.

    Raises:
        ValueError: unless they are two finite numbers, the lower one first.
    """
    try:
        low, high = map(plain_float, ends)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(high - low) and low < high):
        raise ValueError(f"{caller} expects {name} to be two numbers, the lower one first, got {brief(ends)}")
    return low, high


def check_count(caller: str, name: str, count: Any, least: int) -> None:
    """Raise ValueError, naming `caller`, unless `count` is a whole number of at least `least`."""
    if not isinstance(count, int) or count < least:
        raise ValueError(f"{caller} expects {name} to be a whole number of at least {least}, got {brief(count)}")


class Field:
    """The margins of a model over a grid; `caller` is named in errors, `as_input` turns points into inputs.

    Attributes:
        xs, ys: the grid.
        margins: for each class a table of numbers, one row for each of `ys`.
        reach: the margin at which a class counts as certain: the largest margin of a sample, or of the grid without
            samples. It is at least 1; for a single output, at least the threshold if that is not 0, since the
            probabilities 0 and 1 are certain.

    Raises:
        TypeError: if the threshold is not a number, or as in `scores_of`.
    """

    def __init__(
        self,
        caller: str,
        model: Model,
        xs: Sequence[float],
        ys: Sequence[float],
        threshold: float,
        samples: Iterable[Point] = (),
        as_input: Callable[[Sequence[float]], Any] = list,
    ) -> None:
        if not is_number(threshold):
            got = f"got {type(threshold).__name__} {brief(threshold)}"
            raise TypeError(f"{caller} expects threshold to be a plain number, {got}")
        self.xs, self.ys = xs, ys
        outputs = scores_of(caller, model, [as_input((x, y)) for y in ys for x in xs])
        found = [margins(one, threshold) for one in outputs]
        self.margins = [
            [list(column[start : start + len(xs)]) for start in range(0, len(column), len(xs))]
            for column in zip(*found, strict=True)
        ]
        measured = [margins(one, threshold) for one in scores_of(caller, model, map(as_input, samples))] or found
        sizes = [abs(margin) for row in measured for margin in row if math.isfinite(margin)]
        clear = abs(threshold) if len(outputs[0]) == 1 and threshold else 1.0
        self.reach = max([clear, *sizes])
