"""`Embedding`: a row of parameters for each of several things, such as words."""

from __future__ import annotations

import operator

from microgrid.engine.messages import brief
from microgrid.engine.numbers import random_source
from microgrid.engine.value import Value
from microgrid.nn.initialisers import initialiser_function
from microgrid.nn.module import Module, check_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from typing import Any

    from microgrid.nn.initialisers import Initialiser


class Embedding(Module):
    """A table of learned vectors, with the arguments of PyTorch.

    Args:
        num_embeddings: the count of rows.
        embedding_dim: the length of a row.
        init: the initialiser that draws the first weights, or its name.
        rng: None (the module `random`), a seed, or a `random.Random`.

    Attributes:
        weight: the rows, as lists of `Value`s.

    Called with an index, it returns the row at that index as a list.

    Raises:
        ValueError: if a size is less than 1.
        TypeError, IndexError: if it is called with anything but the index of a row.

    >>> words = Embedding(10, 3, rng=0)
    >>> words(7)[0] is words.weight[7][0]
    True
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        init: Initialiser = "normal",
        rng: random.Random | int | None = None,
    ) -> None:
        check_size("Embedding", "num_embeddings", num_embeddings)
        check_size("Embedding", "embedding_dim", embedding_dim)
        source = random_source(rng)
        draw = initialiser_function(init, num_embeddings, embedding_dim)
        self.weight = [[Value(draw(source)) for _ in range(embedding_dim)] for _ in range(num_embeddings)]

    def __call__(self, index: Any) -> list[Value]:
        try:
            row = operator.index(index)
        except TypeError:
            raise TypeError(f"{self!r} expects the index of a row, got {type(index).__name__} {brief(index)}") from None
        if not 0 <= row < len(self.weight):
            raise IndexError(f"{self!r} expects an index from 0 to {len(self.weight) - 1}, got {row}")
        return [*self.weight[row]]

    def __repr__(self) -> str:
        return f"Embedding({len(self.weight)}, {len(self.weight[0])})"
