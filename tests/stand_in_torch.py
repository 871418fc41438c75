"""A stand-in for PyTorch, for an example that moves weights there: what that calls, on plain lists."""

import math
from contextlib import nullcontext as no_grad
from types import SimpleNamespace
from typing import Any

__all__ = ["double", "nn", "no_grad", "set_default_dtype", "tensor"]

double = float


def set_default_dtype(dtype: type[float]) -> None:
    """Lists hold Python's floats, whatever is asked for."""
    assert dtype is double


def shape(numbers: Any) -> tuple[int, ...]:
    """Return the lengths of nested lists."""
    return (len(numbers), *shape(numbers[0])) if isinstance(numbers, list) else ()


class Tensor:
    """Nested lists of floats."""

    def __init__(self, numbers: Any) -> None:
        self.numbers = numbers

    def copy_(self, other: "Tensor") -> None:
        """Take the numbers of a tensor of the same shape."""
        assert shape(self.numbers) == shape(other.numbers)
        self.numbers = other.numbers

    def item(self) -> float:
        """Return the only number."""
        (number,) = self.numbers
        return float(number)


tensor = Tensor


class Linear:
    """A linear layer, which has no numbers until it is given some."""

    def __init__(self, nin: int, nout: int) -> None:
        self.weight, self.bias = Tensor([[math.nan] * nin for _ in range(nout)]), Tensor([math.nan] * nout)

    def __call__(self, x: Tensor) -> Tensor:
        pairs = zip(self.weight.numbers, self.bias.numbers, strict=True)
        return Tensor([sum(w * number for w, number in zip(row, x.numbers, strict=True)) + b for row, b in pairs])


class Tanh:
    """The function, as a module."""

    def __call__(self, x: Tensor) -> Tensor:
        return Tensor(list(map(math.tanh, x.numbers)))


class Sequential:
    """Modules one after the other."""

    def __init__(self, *modules: Any) -> None:
        self.modules = modules

    def __call__(self, x: Tensor) -> Tensor:
        for module in self.modules:
            x = module(x)
        return x

    def __getitem__(self, places: slice) -> tuple[Any, ...]:
        return self.modules[places]


nn = SimpleNamespace(Linear=Linear, Tanh=Tanh, Sequential=Sequential)
