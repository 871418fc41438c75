"""What a model says of the points of a plane: whose region each point is in, and how clearly.

Models are functions here, evaluated without recording. Their scores become margins: for each class, how far its score
is above the best of the others; it is positive where the class wins, and zero along the boundary.
"""

from __future__ import annotations

import math

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


def scores_of(asker: str, model: Model, inputs: Iterable[Any]) -> list[list[float]]:
    """Return what `model` says of each input, a list of numbers, without recording anything.

    Raises:
        TypeError: naming the function that asks, if `model` is no function, or says something else.
    """
    if not callable(model):
        raise TypeError(f"{asker} expects a model or another function, got {type(model).__name__} {model!r:.60}")
    with no_grad():
        return [scores(asker, model(x)) for x in inputs]


def scores(asker: str, output: Any) -> list[float]:
    """Return an output as a list of numbers: a bare one as the only element.

    Raises:
        TypeError: naming the function that asks, if it is something else.
    """
    found = [*output] if arrays.has_items(output) and not is_node(output) else [output]
    if not found or not all(is_node(one) or is_number(one) for one in found):
        got = f"got {type(output).__name__} {output!r:.60}"
        raise TypeError(f"{asker} expects the model to return a number, or a list of scores, {got}")
    return [plain_float(one) for one in found]


def margins(outputs: list[float], threshold: float) -> list[float]:
    """Return for each class how far it is ahead of the others; a single output divides two classes by the threshold.

    >>> margins([0.75], 0.5), margins([1.0, 4.0, 2.0], 0.5)
    ([-0.25, 0.25], [-3.0, 2.0, -2.0])
    """
    if len(outputs) == 1:
        return [threshold - outputs[0], outputs[0] - threshold]
    return [one - max(outputs[:place] + outputs[place + 1 :]) for place, one in enumerate(outputs)]


def class_of(target: Any) -> int:
    """Return the number of a class, given by it, by -1 and 1, by a probability, or by a row of scores.

    Raises:
        TypeError: if it is something else.

    >>> [class_of(target) for target in (0, 2, -1, 1.0, 0.8, [0.0, 1.0, 0.0])]
    [0, 2, 0, 1, 1, 1]
    """
    if arrays.has_items(target) and not isinstance(target, str):
        row = [*target]
        return row.index(max(row))
    if not (is_node(target) or is_number(target)):
        raise TypeError(f"expected the number of a class as target, got {type(target).__name__} {target!r:.60}")
    return max(round(plain_float(target)), 0)


def limits(numbers: Iterable[float], margin: float = 0.2) -> Limits:
    """Return from where to where an axis goes: from the least to the greatest number, and somewhat further.

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
    """Return `count` numbers from one end to the other.

    >>> evenly((0.0, 1.0), 5)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    low, high = ends
    return [low + (high - low) * place / (count - 1) for place in range(count)]


def checked_limits(asker: str, name: str, ends: Any) -> Limits:
    """Return `ends` as two numbers.

    Raises:
        ValueError: unless they are two finite numbers, the lower one first.
    """
    try:
        low, high = map(plain_float, ends)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (math.isfinite(high - low) and low < high):
        raise ValueError(f"{asker} expects {name} to be two numbers, the lower one first, got {ends!r:.60}")
    return low, high


def check_count(asker: str, name: str, count: Any, least: int) -> None:
    """Raise ValueError, naming the function that asks, unless `count` is a whole number of at least `least`."""
    if not isinstance(count, int) or count < least:
        raise ValueError(f"{asker} expects {name} to be a whole number of at least {least}, got {count!r:.60}")


class Field:
    """The margins of a model over a grid; `asker` is the function that errors name, `as_input` makes inputs of points.

    Attributes:
        xs, ys: the grid.
        margins: for each class rows of numbers, one row for each of `ys`.
        reach: what counts as clear: the largest margin of a sample, or of the grid if there are no samples; and at
            least 1, but for a single output the threshold if that is not 0, since probabilities are clear at 0 and 1.

    Raises:
        TypeError: if the threshold is no number, or as `scores_of`.
    """

    def __init__(
        self,
        asker: str,
        model: Model,
        xs: Sequence[float],
        ys: Sequence[float],
        threshold: float,
        samples: Iterable[Point] = (),
        as_input: Callable[[Sequence[float]], Any] = list,
    ) -> None:
        if not is_number(threshold):
            got = f"got {type(threshold).__name__} {threshold!r:.60}"
            raise TypeError(f"{asker} expects threshold to be a plain number, {got}")
        self.xs, self.ys = xs, ys
        outputs = scores_of(asker, model, [as_input((x, y)) for y in ys for x in xs])
        found = [margins(one, threshold) for one in outputs]
        self.margins = [
            [list(column[start : start + len(xs)]) for start in range(0, len(column), len(xs))]
            for column in zip(*found, strict=True)
        ]
        measured = [margins(one, threshold) for one in scores_of(asker, model, map(as_input, samples))] or found
        sizes = [abs(margin) for row in measured for margin in row if math.isfinite(margin)]
        clear = abs(threshold) if len(outputs[0]) == 1 and threshold else 1.0
        self.reach = max([clear, *sizes])
