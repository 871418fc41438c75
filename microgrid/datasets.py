"""Small data sets (truth tables, points in the plane, exam scores), and functions to prepare data.

A data set is a pair: the rows, lists of floats, and the targets, a list of ints; each call makes new lists. Functions
that scikit-learn has too have the same arguments here, with `rng` for `random_state`. All random numbers come from
`shuffle` and `normalvariate` of `random.Random`, which give the same results for a seed on every Python; sines and
cosines may differ between machines in the last bit.
"""

from __future__ import annotations

import math
import operator
from itertools import product

from microgrid.engine.messages import brief
from microgrid.engine.numbers import is_number, random_source
from microgrid.transforms import arrays

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from typing import Any

    Dataset = tuple[list[list[float]], list[int]]
    Seed = random.Random | int | None
    Curve = Callable[[float], tuple[float, float]]

__all__ = [
    "GATES",
    "exam_scores",
    "make_circles",
    "make_moons",
    "make_spirals",
    "one_hot",
    "parity",
    "train_test_split",
    "truth_table",
]


def __dir__() -> list[str]:
    return __all__


# The sixteen functions of two bits, by their results at (0, 0), (0, 1), (1, 0) and (1, 1).
GATES = {
    "false": (0, 0, 0, 0),
    "a and b": (0, 0, 0, 1),
    "a and not b": (0, 0, 1, 0),
    "a": (0, 0, 1, 1),
    "b and not a": (0, 1, 0, 0),
    "b": (0, 1, 0, 1),
    "a xor b": (0, 1, 1, 0),
    "a or b": (0, 1, 1, 1),
    "a nor b": (1, 0, 0, 0),
    "a xnor b": (1, 0, 0, 1),
    "not b": (1, 0, 1, 0),
    "a or not b": (1, 0, 1, 1),
    "not a": (1, 1, 0, 0),
    "b or not a": (1, 1, 0, 1),
    "a nand b": (1, 1, 1, 0),
    "true": (1, 1, 1, 1),
}


def truth_table(gate: str) -> Dataset:
    """Return the four pairs of inputs of a gate, one of `GATES`, and its outputs; "xor" is short for "a xor b".

    Raises:
        ValueError: if the gate is unknown.

    >>> truth_table("xor")
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    results = GATES.get(gate) or GATES.get(f"a {gate} b")
    if results is None:
        raise ValueError(f"no gate is called {brief(gate)}; try {', '.join(map(repr, GATES))}")
    return bits(2), [*results]


def bits(n: int) -> list[list[float]]:
    """Return all rows of `n` bits, in counting order."""
    return [[*row] for row in product((0.0, 1.0), repeat=n)]


def parity(n: int) -> Dataset:
    """Return all rows of `n` bits, and for each 1 if its count of ones is odd, else 0.

    Raises:
        ValueError: if `n` is less than 1.

    >>> parity(3)[1]
    [0, 1, 1, 0, 1, 0, 0, 1]
    """
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"parity expects at least 1 bit, got {brief(n)}")
    rows = bits(n)
    return rows, [int(sum(row)) % 2 for row in rows]


def exam_scores() -> Dataset:
    """Return hours studied and hours slept of three students, and their scores out of 100.

    >>> exam_scores()
    ([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]], [75, 82, 93])
    """
    return [[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]], [75, 82, 93]


def make_moons(
    n_samples: int | tuple[int, int] = 100, *, shuffle: bool = True, noise: float | None = None, rng: Seed = None
) -> Dataset:
    """Return points on two interleaving half circles.

    Args:
        n_samples: the count of points in total, or on each half circle.
        shuffle: whether the order is random; else class 0 comes first.
        noise: the standard deviation of Gaussian noise added to each coordinate; None for no noise.
        rng: None (the module `random`), a seed, or a `random.Random`.

    Raises:
        ValueError: if a count of points or the noise is negative.

    >>> rows, targets = make_moons(4, shuffle=False)
    >>> [[round(x, 9) for x in row] for row in rows], targets
    ([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]], [0, 0, 1, 1])
    """

    def outer(t: float) -> tuple[float, float]:
        return math.cos(math.pi * t), math.sin(math.pi * t)

    def inner(t: float) -> tuple[float, float]:
        return 1 - math.cos(math.pi * t), 0.5 - math.sin(math.pi * t)

    times = [[index / max(count - 1, 1) for index in range(count)] for count in halves("make_moons", n_samples)]
    return scattered("make_moons", (outer, inner), times, shuffle, noise, rng)


def make_circles(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    rng: Seed = None,
    factor: float = 0.8,
) -> Dataset:
    """Return points on a circle (class 0) and on a smaller one inside it (class 1).

    Args:
        n_samples, shuffle, noise, rng: as for `make_moons`.
        factor: the radius of the smaller circle, at least 0 and below 1.

    Raises:
        ValueError: if a count of points or the noise is negative, or `factor` is out of range.

    >>> rows, targets = make_circles(4, shuffle=False, factor=0.5)
    >>> [[round(x, 9) for x in row] for row in rows], targets
    ([[1.0, 0.0], [-1.0, 0.0], [0.5, 0.0], [-0.5, 0.0]], [0, 0, 1, 1])
    """
    if not (is_number(factor) and 0 <= factor < 1):
        raise ValueError(f"make_circles expects factor of at least 0 and below 1, got {brief(factor)}")

    def circle(radius: float) -> Curve:
        return lambda t: (radius * math.cos(math.tau * t), radius * math.sin(math.tau * t))

    times = [[index / count for index in range(count)] for count in halves("make_circles", n_samples)]
    return scattered("make_circles", (circle(1.0), circle(factor)), times, shuffle, noise, rng)


def make_spirals(
    n_samples: int | tuple[int, int] = 100,
    *,
    shuffle: bool = True,
    noise: float | None = None,
    rng: Seed = None,
    turns: float = 1.5,
) -> Dataset:
    """Return points on two spirals from the origin to radius 1, one rotated by half a turn from the other.

    Args:
        n_samples, shuffle, noise, rng: as for `make_moons`.
        turns: how often each spiral goes around.

    Raises:
        ValueError: if a count of points or the noise is negative, or `turns` is not a number.

    >>> rows, targets = make_spirals(4, shuffle=False, turns=0.25)
    >>> [[round(x, 3) for x in row] for row in rows], targets
    ([[0.354, 0.354], [0.0, 1.0], [-0.354, -0.354], [-0.0, -1.0]], [0, 0, 1, 1])
    """
    if not is_number(turns):
        raise ValueError(f"make_spirals expects turns to be a number, got {brief(turns)}")

    def spiral(start: float) -> Curve:
        return lambda t: (t * math.cos(start + math.tau * turns * t), t * math.sin(start + math.tau * turns * t))

    times = [[(index + 1) / count for index in range(count)] for count in halves("make_spirals", n_samples)]
    return scattered("make_spirals", (spiral(0.0), spiral(math.pi)), times, shuffle, noise, rng)


def halves(name: str, n_samples: int | tuple[int, int]) -> tuple[int, int]:
    """Return the count of samples in each of two classes.

    Raises:
        ValueError: if `n_samples` is not one or two whole numbers of at least 0.
    """
    pair: Any = (n_samples // 2, n_samples - n_samples // 2) if isinstance(n_samples, int) else n_samples
    pair = tuple(pair) if hasattr(pair, "__iter__") else ()
    if len(pair) != 2 or not all(isinstance(count, int) and count >= 0 for count in pair):
        raise ValueError(f"{name} expects n_samples to be one or two numbers of at least 0, got {brief(n_samples)}")
    return pair[0], pair[1]


def scattered(
    name: str, curves: tuple[Curve, Curve], times: list[list[float]], shuffle: bool, noise: float | None, rng: Seed
) -> Dataset:
    """Return the points of two curves at given times, from 0 to 1 along each; each curve is a class."""
    if noise is not None and not (is_number(noise) and noise >= 0):
        raise ValueError(f"{name} expects noise of at least 0, got {brief(noise)}")
    source = random_source(rng)
    samples = [(curves[target](t), target) for target in (0, 1) for t in times[target]]
    if shuffle:
        source.shuffle(samples)
    rows = [[source.normalvariate(x, noise) if noise else x for x in point] for point, _ in samples]
    return rows, [target for _, target in samples]


def one_hot(target: Sequence[int] | int, num_classes: int | None = None) -> Any:
    """Return for each class in `target` a row that is 1.0 at its index and 0.0 elsewhere; for a single class, one row.

    Args:
        target: the indices of classes, or one index.
        num_classes: the length of a row; one more than the largest index unless given.

    Raises:
        TypeError: if a target is not a whole number.
        ValueError: if a target is negative or not below `num_classes`, or both targets and `num_classes` are missing.

    >>> one_hot([0, 2])
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    >>> one_hot(1, 2)
    [0.0, 1.0]
    """
    several = arrays.has_items(target)
    targets: list[Any] = [*arrays.listed("one_hot", target)] if several else [target]
    try:
        indices = [operator.index(index) for index in targets]
    except TypeError:
        raise TypeError(f"one_hot expects indices of classes, got {brief(target)}") from None
    if num_classes is None and not indices:
        raise ValueError("one_hot expects num_classes if there are no targets")
    count = max(indices) + 1 if num_classes is None else num_classes
    for index in indices:
        if not 0 <= index < count:
            raise ValueError(f"one_hot expects classes from 0 to {count - 1}, got {index}")
    rows = [[float(position == index) for position in range(count)] for index in indices]
    return rows if several else rows[0]


def train_test_split(
    *sequences: Sequence[Any],
    test_size: float | None = None,
    train_size: float | None = None,
    shuffle: bool = True,
    rng: Seed = None,
) -> list[Any]:
    """Split each of `sequences` in two, all at the same samples: rows and targets become `[train_rows, test_rows,
    train_targets, test_targets]`.

    Args:
        sequences: sequences of equal length. They are split into lists; NumPy arrays into arrays.
        test_size: the count of samples for testing, or a fraction below 1 of all, rounded up. Unless given, all samples
            that are not for training, or a quarter.
        train_size: likewise for training, but rounded down; unless given, all the other samples.
        shuffle: whether samples are drawn at random; else the first are for training, the next for testing.
        rng: None (the module `random`), a seed, or a `random.Random`.

    Raises:
        ValueError: if there are no sequences, their lengths differ, or a size does not fit.
        TypeError: if one is a pandas DataFrame.

    >>> train_test_split([[1.0], [2.0], [3.0], [4.0]], [0, 1, 0, 1], shuffle=False)
    [[[1.0], [2.0], [3.0]], [[4.0]], [0, 1, 0], [1]]
    """
    given: list[Any] = [one if arrays.is_array(one) else arrays.listed("train_test_split", one) for one in sequences]
    lengths = [len(one) for one in given]
    if len({*lengths}) != 1:
        raise ValueError(f"train_test_split expects sequences of equal length, at least one, got lengths {lengths}")
    train, test = split_sizes(lengths[0], train_size, test_size)
    order = list(range(lengths[0]))
    if shuffle:
        random_source(rng).shuffle(order)
    parts = (order[:train], order[train : train + test])
    return [one[part] if arrays.is_array(one) else [one[index] for index in part] for one in given for part in parts]


def split_sizes(count: int, train_size: float | None, test_size: float | None) -> tuple[int, int]:
    """Return the counts of samples for training and for testing, out of `count`.

    Raises:
        ValueError: if a size is wrong, or one would be less than 1.
    """
    for name, size in (("train_size", train_size), ("test_size", test_size)):
        if size is not None and not (isinstance(size, int) or (isinstance(size, float) and 0 < size < 1)):
            raise ValueError(f"train_test_split expects {name} to be whole or between 0 and 1, got {brief(size)}")
    if train_size is None and test_size is None:
        test_size = 0.25
    train = int(train_size * count) if isinstance(train_size, float) else train_size
    test = math.ceil(test_size * count) if isinstance(test_size, float) else test_size
    train = count - (test or 0) if train is None else train
    test = count - train if test is None else test
    if train < 1 or test < 1 or train + test > count:
        raise ValueError(f"train_test_split cannot split {count} samples into {train} and {test}, at least 1 each")
    return train, test
