"""`LSTMCell`: one step of a long short-term memory, to be called along a sequence."""

from __future__ import annotations

from functools import partial

from microgrid import math
from microgrid.engine.messages import brief
from microgrid.engine.numbers import random_source
from microgrid.engine.value import Value
from microgrid.nn.initialisers import uniform
from microgrid.nn.module import Module, check_size, checked_inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from microgrid.nn.module import Number


class LSTMCell(Module):
    """One step of an LSTM, with the equations and names of PyTorch.

    The memory is `c`: each input erases some of it (gate `f`), adds to it (`i`, `g`) and reveals some as `h` (`o`).
    With the gates `i, f, g, o` cut in this order from `weight_ih · x + bias_ih + weight_hh · h + bias_hh`, a step is
    `c = sigmoid(f) * c + sigmoid(i) * tanh(g)` and `h = sigmoid(o) * tanh(c)`. (Hochreiter and Schmidhuber, "Long
    Short-Term Memory", 1997; the gate `f` by Gers, Schmidhuber and Cummins, "Learning to Forget", 2000.)

    Args:
        input_size: the count of inputs.
        hidden_size: the length of `h` and of `c`.
        bias: whether there are biases.
        rng: None (the module `random`), a seed, or a `random.Random`; all parameters are drawn uniformly between plus
            and minus `1 / sqrt(hidden_size)`.

    Attributes:
        weight_ih, weight_hh: `4 * hidden_size` rows of `Value`s, for the inputs and for `h`.
        bias_ih, bias_hh: `4 * hidden_size` `Value`s each, or None. There are two, as in PyTorch, though only their sum
            matters.

    Called with inputs and the pair `(h, c)`, it returns the next pair; without one, both are zero.

    Raises:
        ValueError: if a size is less than 1, or it is called with sequences of other lengths.
        TypeError: if a size is not a whole number, or it is called with inputs that are not a sequence, or a state that
            is not a pair.

    >>> cell = LSTMCell(1, 4, rng=0)
    >>> state = None
    >>> for bit in (1.0, 0.0, 1.0):
    ...     state = cell([bit], state)
    >>> h, c = state
    >>> len(h), len(c)
    (4, 4)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, rng: random.Random | int | None = None
    ) -> None:
        check_size("LSTMCell", "input_size", input_size)
        check_size("LSTMCell", "hidden_size", hidden_size)
        bound = hidden_size**-0.5
        draw = partial(uniform, random_source(rng), -bound, bound)
        rows = range(4 * hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.weight_ih = [[Value(draw()) for _ in range(input_size)] for _ in rows]
        self.weight_hh = [[Value(draw()) for _ in range(hidden_size)] for _ in rows]
        self.bias_ih = [Value(draw()) for _ in rows] if bias else None
        self.bias_hh = [Value(draw()) for _ in rows] if bias else None

    def __call__(
        self, x: Sequence[Number], state: tuple[Sequence[Number], Sequence[Number]] | None = None
    ) -> tuple[list[Value], list[Value]]:
        size = self.hidden_size
        try:
            h, c = ([0.0] * size, [0.0] * size) if state is None else state
        except (TypeError, ValueError):
            given = f"{type(state).__name__} {brief(state)}"
            raise TypeError(f"{self!r} expects the state as a pair (h, c), got {given}") from None
        by_input = linear(self.weight_ih, checked_inputs(self, self.input_size, x), self.bias_ih)
        by_state = linear(self.weight_hh, checked_inputs(self, size, h), self.bias_hh)
        gates = [one + other for one, other in zip(by_input, by_state, strict=True)]
        units = zip(*(gates[start : start + size] for start in range(0, 4 * size, size)), strict=True)
        shown, cells = [], []
        for past, (i, f, g, o) in zip(checked_inputs(self, size, c), units, strict=True):
            cell = math.sigmoid(f) * past + math.sigmoid(i) * math.tanh(g)
            cells.append(cell)
            shown.append(math.sigmoid(o) * math.tanh(cell))
        return shown, cells

    def __repr__(self) -> str:
        return f"LSTMCell({self.input_size}, {self.hidden_size})"


def linear(weight: Sequence[Sequence[Value]], x: Sequence[Number], bias: Sequence[Value] | None) -> list[Value]:
    """Return the dot product of each row of `weight` with `x`, plus its bias."""
    biases: Sequence[Number] = [0.0] * len(weight) if bias is None else bias
    return [math.dot(row, x, b) for row, b in zip(weight, biases, strict=True)]
