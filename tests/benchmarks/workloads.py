"""What the benchmarks run, written once for every engine with micrograd's API, and what must come out.

Each reference shares no code with an engine: numbers written down, a closed formula, or backpropagation by hand.
"""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Point = tuple[float, float]


@dataclass(frozen=True)
class Engine:
    """A library with micrograd's API."""

    name: str
    Value: Callable[[float], Any]
    MLP: Callable[[int, list[int]], Any]


def engine(name: str) -> Engine | None:
    """Return the engine of that name, or None if it is not installed."""
    if importlib.util.find_spec(name) is None:
        return None
    return Engine(name, importlib.import_module(f"{name}.engine").Value, importlib.import_module(f"{name}.nn").MLP)


# The example of micrograd's README.


def readme_expression(Value: Callable[[float], Any]) -> tuple[float, ...]:
    """Return the result and the two derivatives that micrograd's README shows."""
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return g.data, a.grad, b.grad


README_RESULTS = (24.70408163265306, 138.83381924198252, 645.5772594752187)


# One step of training on two moons, as in micrograd's demo.

L2_WEIGHT = 1e-4
LEARNING_RATE = 0.1
HIDDEN = [16, 16]


def two_moons(count: int) -> tuple[list[Point], list[int]]:
    """Return `count` noisy points on two interleaved half circles, and -1 or 1 for each."""
    rng = random.Random(1337)
    points, labels = [], []
    for index in range(count):
        angle = math.pi * (index // 2) / (count // 2 - 1)
        x, y = math.cos(angle), math.sin(angle)
        if index % 2:
            x, y = 1 - x, 0.5 - y
        points.append((x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)))
        labels.append(2 * (index % 2) - 1)
    return points, labels


def two_moons_model(library: Engine) -> Any:
    """Return the network of the demo; every engine draws the same weights."""
    random.seed(1337)
    return library.MLP(2, [*HIDDEN, 1])


def training_step(library: Engine, model: Any, points: Sequence[Point], labels: Sequence[int]) -> float:
    """Return the loss before one step of gradient descent: forward, loss, zero_grad, backward, update."""
    inputs = [list(map(library.Value, point)) for point in points]
    scores = list(map(model, inputs))
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    loss = data_loss + L2_WEIGHT * sum(p * p for p in model.parameters())
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= LEARNING_RATE * p.grad
    return float(loss.data)


def training_step_by_hand(parameters: Sequence[float], points: Sequence[Point], labels: Sequence[int]) -> list[float]:
    """Return what the step must give: the loss, the gradient, and the parameters afterwards."""
    flat, nin = iter(parameters), 2
    layers: list[list[list[float]]] = []
    for nout in (*HIDDEN, 1):
        layers.append([[next(flat) for _ in range(nin + 1)] for _ in range(nout)])  # weights, then the bias
        nin = nout
    loss = L2_WEIGHT * sum(p * p for p in parameters)
    gradients = [[[2 * L2_WEIGHT * p for p in neuron] for neuron in layer] for layer in layers]
    for point, label in zip(points, labels, strict=True):
        inputs = []  # of each layer, with a 1 for the bias
        signals = [*point]
        for layer in layers:
            inputs.append([*signals, 1.0])
            signals = [sum(p * x for p, x in zip(neuron, inputs[-1], strict=True)) for neuron in layer]
            if layer is not layers[-1]:
                signals = [max(signal, 0.0) for signal in signals]
        margin = 1 - label * signals[0]
        if margin <= 0:
            continue
        loss += margin / len(points)
        deltas = [-label / len(points)]
        for layer, gradient, xs in zip(reversed(layers), reversed(gradients), reversed(inputs), strict=True):
            for row, delta in zip(gradient, deltas, strict=True):
                row[:] = [g + delta * x for g, x in zip(row, xs, strict=True)]
            columns = zip(*layer, strict=True)
            products = [sum(p * delta for p, delta in zip(column, deltas, strict=True)) for column in columns]
            deltas = [product if x > 0 else 0.0 for product, x in zip(products[:-1], xs, strict=False)]
    flat_gradient = [g for layer in gradients for row in layer for g in row]
    updated = (p - LEARNING_RATE * g for p, g in zip(parameters, flat_gradient, strict=True))
    return [loss, *flat_gradient, *updated]


# A Hessian-vector product.


def rosenbrock(xs: Sequence[Any]) -> Any:
    """Return Rosenbrock's function of several numbers or nodes."""
    total = 0.0
    for x, y in pairwise(xs):
        total = total + 100.0 * (y - x * x) ** 2 + (1.0 - x) ** 2
    return total


def rosenbrock_hvp(xs: Sequence[float], vs: Sequence[float]) -> list[float]:
    """Return its Hessian matrix times `vs`, by formula."""
    out = [0.0] * len(xs)
    for k, (x, y) in enumerate(pairwise(xs)):
        out[k] += (1200.0 * x * x - 400.0 * y + 2.0) * vs[k] - 400.0 * x * vs[k + 1]
        out[k + 1] += 200.0 * vs[k + 1] - 400.0 * x * vs[k]
    return out


# A long chain.

FACTOR, SUMMAND = 0.999999, 0.5  # no adjoint underflows to zero, even after a million nodes


def chain(Value: Callable[[float], Any], nodes: int) -> tuple[Any, list[Any]]:
    """Return the last of a chain of `nodes` operations, `*` and `+` by turns, and its three leaves."""
    out, factor, summand = leaves = [Value(1.0), Value(FACTOR), Value(SUMMAND)]
    for _ in range(nodes // 2):
        out = out * factor
        out = out + summand
    return out, leaves


def differentiate_chain(Value: Callable[[float], Any], nodes: int) -> list[float]:
    """Build a chain, differentiate it, let go of it; return the result and the derivatives by start and summand."""
    out, (start, _, summand) = chain(Value, nodes)
    out.backward()
    return [out.data, start.grad, summand.grad]


def chain_by_formula(nodes: int) -> list[float]:
    """Return what `differentiate_chain` must return, by the sum of a geometric series."""
    power = FACTOR ** (nodes // 2)
    series = (1 - power) / (1 - FACTOR)
    return [power + SUMMAND * series, power, series]
