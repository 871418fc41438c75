"""The graph of "Fastest Autograd in the West", and an index tape interpreted in Python to evaluate it.

100 inputs; operation i is, by i mod 4: the softplus of the 10th node from the end; the sum of the nodes [-30:-10:5];
the product of the 20th and the 10th from the end; the softmax of the last 4, which appends 4 nodes. The root is the
last node, as published (nearly every adjoint underflows to zero then), or the sum of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import microgrid.math

INPUTS = 100
SOFTPLUS, SUM, PRODUCT, SOFTMAX = range(4)


def graph(xs: Sequence[Any], operations: int, sums: bool) -> Any:
    """Return the root of the graph on `xs`, which may be `Value`s."""
    nodes = list(xs)
    for i in range(operations):
        if i % 4 == SOFTPLUS:
            nodes.append(microgrid.math.softplus(nodes[-10]))
        elif i % 4 == SUM:
            a, b, c, d = nodes[-30:-10:5]
            nodes.append(a + b + c + d)
        elif i % 4 == PRODUCT:
            nodes.append(nodes[-20] * nodes[-10])
        else:
            nodes += microgrid.math.softmax(nodes[-4:])
    return microgrid.math.total(nodes) if sums else nodes[-1]


def record(operations: int) -> list[tuple[int, tuple[int, ...]]]:
    """Return the tape: for each operation its code and the indices of what it works on."""
    tape, count = [], INPUTS
    for i in range(operations):
        code = i % 4
        indices = {
            SOFTPLUS: (count - 10,),
            SUM: (count - 30, count - 25, count - 20, count - 15),
            PRODUCT: (count - 20, count - 10),
            SOFTMAX: (count - 4, count - 3, count - 2, count - 1),
        }[code]
        tape.append((code, indices))
        count += 4 if code == SOFTMAX else 1
    return tape


def evaluate(tape: list[tuple[int, tuple[int, ...]]], xs: Sequence[float], sums: bool) -> tuple[float, list[float]]:
    """Return the root on `xs` and its gradient, by running the tape forwards and backwards."""
    values = list(xs)
    for code, indices in tape:
        if code == SOFTPLUS:
            x = values[indices[0]]
            values.append(x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x)))
        elif code == SUM:
            a, b, c, d = indices
            values.append(values[a] + values[b] + values[c] + values[d])
        elif code == PRODUCT:
            a, b = indices
            values.append(values[a] * values[b])
        else:
            a, b, c, d = indices
            largest = max(values[a : d + 1])
            powers = [math.exp(x - largest) for x in values[a : d + 1]]
            scale = 1 / sum(powers)
            values += [power * scale for power in powers]
    adjoints = [1.0 if sums else 0.0] * len(values)
    adjoints[-1] = 1.0
    end = len(values)
    for code, indices in reversed(tape):
        if code == SOFTPLUS:
            end -= 1
            (a,) = indices
            x = values[a]
            adjoints[a] += adjoints[end] * (1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x)))
        elif code == SUM:
            end -= 1
            g = adjoints[end]
            for a in indices:
                adjoints[a] += g
        elif code == PRODUCT:
            end -= 1
            g = adjoints[end]
            a, b = indices
            adjoints[a] += g * values[b]
            adjoints[b] += g * values[a]
        else:
            end -= 4
            outs, gs = values[end : end + 4], adjoints[end : end + 4]
            mean = sum(g * out for g, out in zip(gs, outs, strict=True))
            for a, g, out in zip(indices, gs, outs, strict=True):
                adjoints[a] += out * (g - mean)
    return sum(values) if sums else values[-1], adjoints[:INPUTS]
