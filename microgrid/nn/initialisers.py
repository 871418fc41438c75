"""Initialisers: functions that draw the first weights.

An initialiser draws one weight from a `random.Random`. Its arguments `fan_in` and `fan_out`, if it has them, are the
count of inputs of a unit and the count of units in a layer. An argument `init` takes such a function, or the name of
one of these; `functools.partial` sets their other arguments.

Normal numbers come from `normalvariate`. Unlike `gauss` it keeps no state between calls, and calls `log` in comparisons
only, so that the last bit of `log`, which differs between machines, does not reach the result.

Sources of the variances: for tanh and sigmoid Glorot and Bengio, "Understanding the difficulty of training deep
feedforward neural networks", 2010; for relu He et al., "Delving Deep into Rectifiers", 2015 (arXiv:1502.01852).

>>> import random
>>> source = random.Random(0)
>>> [round(draw(source), 6) for draw in (uniform, normal, zeros, constant)]
[0.688844, 0.763732, 0.0, 1.0]
>>> [round(draw(source, fan_in=3, fan_out=1), 6) for draw in (glorot_uniform, glorot_normal)]
[-0.590531, 0.022984]
>>> [round(draw(source, fan_in=2), 6) for draw in (he_uniform, he_normal)]
[0.983107, -0.64467]
"""

from __future__ import annotations

import math
from functools import partial

from microgrid.engine.messages import brief

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Initialiser = str | Callable[..., float] | None


def uniform(source: random.Random, low: float = -1.0, high: float = 1.0) -> float:
    """Return a number drawn uniformly between `low` and `high`: the default of `Neuron`, as in micrograd."""
    return source.uniform(low, high)


def normal(source: random.Random, mean: float = 0.0, std: float = 1.0) -> float:
    """Return a number drawn from the normal distribution with this mean and standard deviation."""
    return source.normalvariate(mean, std)


def glorot_uniform(source: random.Random, fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    """Return a number drawn uniformly with the variance `gain**2 * 2 / (fan_in + fan_out)`, for tanh and sigmoid."""
    bound = gain * math.sqrt(6 / (fan_in + fan_out))
    return uniform(source, -bound, bound)


def glorot_normal(source: random.Random, fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    """Return a number drawn normally with the variance `gain**2 * 2 / (fan_in + fan_out)`, for tanh and sigmoid."""
    return normal(source, 0.0, gain * math.sqrt(2 / (fan_in + fan_out)))


def he_uniform(source: random.Random, fan_in: int) -> float:
    """Return a number drawn uniformly with the variance `2 / fan_in`, for relu and its like."""
    bound = math.sqrt(6 / fan_in)
    return uniform(source, -bound, bound)


def he_normal(source: random.Random, fan_in: int) -> float:
    """Return a number drawn normally with the variance `2 / fan_in`, for relu and its like."""
    return normal(source, 0.0, math.sqrt(2 / fan_in))


def constant(source: random.Random, value: float = 1.0) -> float:
    """Return `value`, without drawing."""
    return value


def zeros(source: random.Random) -> float:
    """Return zero, without drawing."""
    return 0.0


INITIALISERS: dict[str, Callable[..., float]] = {
    function.__name__: function
    for function in (uniform, normal, glorot_uniform, glorot_normal, he_uniform, he_normal, zeros, constant)
}


def initialiser_function(init: Initialiser, fan_in: int, fan_out: int) -> Callable[[random.Random], float]:
    """Return the function of a `random.Random` that `init` refers to: itself, one by name, or `uniform` for None.

    Raises:
        ValueError: if no initialiser has that name.
        TypeError: if `init` is neither a name nor a function.

    >>> initialiser_function("constant", 2, 3)(None)
    1.0
    >>> initialiser_function(lambda rng, fan_in: 1 / fan_in, 2, 3)(None)
    0.5
    """
    if init is None:
        return uniform
    if isinstance(init, str) and init not in INITIALISERS:
        raise ValueError(f"no initialiser is called {brief(init)}; try {', '.join(map(repr, INITIALISERS))}")
    function = INITIALISERS[init] if isinstance(init, str) else init
    if not callable(function):
        raise TypeError(f"an initialiser is a function or its name, got {type(init).__name__} {brief(init)}")
    fans = {"fan_in": fan_in, "fan_out": fan_out}
    return partial(function, **{name: fans[name] for name in argument_names(function) & fans.keys()})


def argument_names(function: Callable[..., object]) -> set[str]:
    """Return the names of the arguments of `function`; an empty set if it has no signature, as some builtins."""
    import inspect  # takes as long to import as all of microgrid

    try:
        return {*inspect.signature(function).parameters}
    except ValueError:
        return set()
