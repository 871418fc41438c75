"""Small networks, what they learn, and microgrid as one who trains them; its peers do the same in `peers`.

A trainer is made from the parameters of a network 2-…-1 with ReLU, in micrograd's order (the weights of a neuron, then
its bias, neuron by neuron). `run(steps)` takes so many steps of gradient descent on all points; `parameters()` tells
the numbers. Everything computes in double precision.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

XOR = ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0])


class Trainer(Protocol):
    """What is timed."""

    def run(self, steps: int) -> object:
        """Take so many steps."""

    def parameters(self) -> list[float]:
        """Return the numbers learned."""


@dataclass(frozen=True)
class Task:
    """What is to be learned.

    Args:
        sizes: the widths of the layers, the inputs first.
        points: the inputs.
        targets: what each should give.
        lr: the learning rate.
        hinge: whether the loss is the hinge loss with L2 weights, else the mean squared error.
    """

    sizes: tuple[int, ...]
    points: Sequence[Sequence[float]]
    targets: Sequence[float]
    lr: float
    hinge: bool = False
    decay: float = 1e-4

    def start(self) -> list[float]:
        """Return the parameters to begin with."""
        rng = random.Random(1)
        numbers = []
        for nin, nout in zip(self.sizes, self.sizes[1:], strict=False):
            for _ in range(nout):
                numbers += [rng.uniform(-1, 1) for _ in range(nin)] + [0.1]
        return numbers

    def layers(self, numbers: Sequence[float]) -> Iterator[tuple[list[list[float]], list[float]]]:
        """Yield weights and biases of each layer."""
        source = iter(numbers)
        for nin, nout in zip(self.sizes, self.sizes[1:], strict=False):
            rows = [[next(source) for _ in range(nin + 1)] for _ in range(nout)]
            yield [row[:-1] for row in rows], [row[-1] for row in rows]


def in_order(layers: Sequence[tuple[Any, Any]]) -> list[float]:
    """Return the numbers of weights and biases in micrograd's order."""
    return [float(x) for weights, biases in layers for row, b in zip(weights, biases, strict=True) for x in [*row, b]]


class Microgrid:
    """`fit`, with every step compiled, or eagerly."""

    def __init__(self, task: Task, compile: bool = True) -> None:
        from microgrid.math import relu
        from microgrid.nn import MLP
        from microgrid.optim import SGD

        self.net = MLP(task.sizes[0], task.sizes[1:])
        for parameter, number in zip(self.net.parameters(), task.start(), strict=True):
            parameter.data = number
        decay = 2 * task.decay if task.hinge else 0.0
        self.task, self.compile = task, compile
        self.optimizer = SGD(self.net.parameters(), lr=task.lr, weight_decay=decay)
        self.loss = (lambda x, y: relu(1 - y * x)) if task.hinge else (lambda x, y: (x - y) ** 2)

    def run(self, steps: int) -> object:
        from microgrid.training import fit

        data = self.task.points, self.task.targets
        return fit(self.net, data, loss=self.loss, optimizer=self.optimizer, epochs=steps, compile=self.compile)

    def parameters(self) -> list[float]:
        return [parameter.data for parameter in self.net.parameters()]


def by_hand(task: Task, steps: int) -> list[float]:
    """Return what so many steps of gradient descent give, by backpropagation written out."""
    numbers = task.start()
    for _ in range(steps):
        layers = [[[*row, b] for row, b in zip(*layer, strict=True)] for layer in task.layers(numbers)]
        decay = 2 * task.decay if task.hinge else 0.0
        gradients = [[[decay * p for p in row] for row in layer] for layer in layers]
        for point, y in zip(task.points, task.targets, strict=True):
            inputs, signals = [], list(point)
            for layer in layers:
                inputs.append([*signals, 1.0])
                signals = [sum(p * x for p, x in zip(row, inputs[-1], strict=True)) for row in layer]
                if layer is not layers[-1]:
                    signals = [max(signal, 0.0) for signal in signals]
            score = signals[0]
            slope = (-y if 1 - y * score > 0 else 0.0) if task.hinge else 2 * (score - y)
            deltas = [slope / len(task.points)]
            for layer, gradient, xs in zip(reversed(layers), reversed(gradients), reversed(inputs), strict=True):
                for row, delta in zip(gradient, deltas, strict=True):
                    row[:] = [g + delta * x for g, x in zip(row, xs, strict=True)]
                products = [
                    sum(p * delta for p, delta in zip(column, deltas, strict=True))
                    for column in zip(*layer, strict=True)
                ]
                deltas = [product if x > 0 else 0.0 for product, x in zip(products[:-1], xs, strict=False)]
        slopes = (g for layer in gradients for row in layer for g in row)
        numbers = [p - task.lr * g for p, g in zip(numbers, slopes, strict=True)]
    return numbers
