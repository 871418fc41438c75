"""Where random numbers come from: what the argument `rng` means, everywhere."""

from __future__ import annotations

import random


def random_source(rng: random.Random | int | None) -> random.Random:
    """Return the source of random numbers that `rng` means: `random`'s own, a new one for a seed, or `rng`.

    >>> random_source(7).random() == random.Random(7).random()
    True
    """
    if rng is None:
        shared: random.Random = random.uniform.__self__  # type: ignore[attr-defined] # a method of the module's Random
        return shared
    return rng if isinstance(rng, random.Random) else random.Random(rng)
