"""The GPT of `demos/gpt.py` on a minimal scalar engine: a node stores its children and its local gradients, no more.

It is what the compiled and the eager GPT are measured against, written along the public description of microgpt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

WIDTH, HEADS = 16, 4
SIZE = WIDTH // HEADS


class Scalar:
    """A number, the nodes it was computed from, and the derivatives by them."""

    __slots__ = ("children", "data", "grad", "slopes")

    def __init__(self, data: float, children: tuple[Any, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data, self.grad, self.children, self.slopes = data, 0.0, children, slopes

    def __add__(self, other: Any) -> Scalar:
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Scalar:
        other = other if isinstance(other, Scalar) else Scalar(other)
        return Scalar(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> Scalar:
        return Scalar(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def exp(self) -> Scalar:
        power = math.exp(self.data)
        return Scalar(power, (self,), (power,))

    def log(self) -> Scalar:
        return Scalar(math.log(self.data), (self,), (1 / self.data,))

    def relu(self) -> Scalar:
        return Scalar(max(0.0, self.data), (self,), (float(self.data > 0),))

    def __sub__(self, other: float) -> Scalar:
        return self + -other

    def __truediv__(self, other: Any) -> Scalar:
        return self * other**-1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Add the derivatives of this node to the gradients of all that it depends on."""
        order: list[Scalar] = []
        seen: set[Scalar] = set()
        stack: list[tuple[Scalar, bool]] = [(self, False)]
        while stack:
            node, is_done = stack.pop()
            if is_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack += [(child, False) for child in node.children]
        self.grad = 1.0
        for node in reversed(order):
            for child, slope in zip(node.children, node.slopes, strict=True):
                child.grad += slope * node.grad


Matrix = list[list[Scalar]]


def linear(x: Sequence[Scalar], weights: Matrix) -> list[Scalar]:
    """Return the products of `x` and each row of `weights`."""
    return [total(w * a for w, a in zip(row, x, strict=True)) for row in weights]


def total(terms: Iterable[Scalar]) -> Scalar:
    """Return the sum of `terms`."""
    first, *rest = terms
    for term in rest:
        first = first + term
    return first


def softmax(logits: Sequence[Scalar]) -> list[Scalar]:
    """Return the exponentials of `logits`, divided by their sum."""
    largest = max(logit.data for logit in logits)
    powers = [(logit - largest).exp() for logit in logits]
    scale = total(powers) ** -1
    return [power * scale for power in powers]


def normed(x: Sequence[Scalar]) -> list[Scalar]:
    """Return `x` divided by its root mean square."""
    scale = (total(a * a for a in x) * (1 / len(x)) + 1e-5) ** -0.5
    return [a * scale for a in x]


class ScalarGPT:
    """The transformer, with the numbers of another one.

    Args:
        matrices: its parameters by name, as lists of lists of numbers.
    """

    def __init__(self, matrices: dict[str, list[list[float]]]) -> None:
        self.matrices = {name: [[Scalar(x) for x in row] for row in rows] for name, rows in matrices.items()}
        self.parameters = [x for rows in self.matrices.values() for row in rows for x in row]
        self.means, self.squares = [0.0] * len(self.parameters), [0.0] * len(self.parameters)
        self.steps = 0

    def loss(self, numbers: Sequence[int]) -> Scalar:
        """Return the mean cross-entropy of each token and the one that follows."""
        at, keys, values, losses = self.matrices, [], [], []
        for place, (number, following) in enumerate(pairwise(numbers)):
            x = normed([a + b for a, b in zip(at["tokens"][number], at["positions"][place], strict=True)])
            inner = normed(x)
            query = linear(inner, at["query"])
            keys.append(linear(inner, at["key"]))
            values.append(linear(inner, at["value"]))
            seen: list[Scalar] = []
            for head in range(0, WIDTH, SIZE):
                part = range(head, head + SIZE)
                scores = [total(query[i] * key[i] for i in part) * SIZE**-0.5 for key in keys]
                weights = softmax(scores)
                seen += [total(w * value[i] for w, value in zip(weights, values, strict=True)) for i in part]
            x = [a + b for a, b in zip(x, linear(seen, at["mix"]), strict=True)]
            hidden = [a.relu() for a in linear(normed(x), at["wide"])]
            x = [a + b for a, b in zip(x, linear(hidden, at["narrow"]), strict=True)]
            losses.append(softmax(linear(x, at["head"]))[following].log() * -1)
        return total(losses) * (1 / len(losses))

    def step(self, numbers: Sequence[int], lr: float, betas: tuple[float, float] = (0.85, 0.99)) -> float:
        """Return the loss before one step of Adam."""
        loss = self.loss(numbers)
        loss.backward()
        self.steps += 1
        first, second = betas
        for i, p in enumerate(self.parameters):
            self.means[i] = first * self.means[i] + (1 - first) * p.grad
            self.squares[i] = second * self.squares[i] + (1 - second) * p.grad**2
            mean = self.means[i] / (1 - first**self.steps)
            p.data -= lr * mean / ((self.squares[i] / (1 - second**self.steps)) ** 0.5 + 1e-8)
            p.grad = 0.0
        return loss.data
