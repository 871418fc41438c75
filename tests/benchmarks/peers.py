"""Peers that train the same networks, the same numbers in the same steps, each in its library's own way."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from networks import Task, Trainer, in_order


class Micrograd:
    """micrograd, as in its demo."""

    def __init__(self, task: Task) -> None:
        from micrograd.nn import MLP

        self.net, self.task = MLP(task.sizes[0], list(task.sizes[1:])), task
        for parameter, number in zip(self.net.parameters(), task.start(), strict=True):
            parameter.data = number

    def run(self, steps: int) -> None:
        task = self.task
        for _ in range(steps):
            scores = [self.net(point) for point in task.points]
            if task.hinge:
                losses = [(1 + -y * score).relu() for y, score in zip(task.targets, scores, strict=True)]
            else:
                losses = [(score - y) ** 2 for y, score in zip(task.targets, scores, strict=True)]
            loss = sum(losses) * (1.0 / len(losses))
            if task.hinge:
                loss = loss + task.decay * sum(p * p for p in self.net.parameters())
            self.net.zero_grad()
            loss.backward()
            for p in self.net.parameters():
                p.data -= task.lr * p.grad

    def parameters(self) -> list[float]:
        return [parameter.data for parameter in self.net.parameters()]


class Torch:
    """PyTorch, eager, on whole batches."""

    def __init__(self, task: Task) -> None:
        import torch

        torch.set_num_threads(1)  # more only slow such small tensors down
        self.task, self.torch = task, torch
        modules: list[Any] = []
        for weights, biases in task.layers(task.start()):
            linear = torch.nn.Linear(len(weights[0]), len(weights), dtype=torch.float64)
            linear.weight.data = torch.tensor(weights, dtype=torch.float64)
            linear.bias.data = torch.tensor(biases, dtype=torch.float64)
            modules += [linear, torch.nn.ReLU()]
        self.linears, self.net = modules[::2], torch.nn.Sequential(*modules[:-1])
        self.points = torch.tensor(task.points, dtype=torch.float64)
        self.targets = torch.tensor(task.targets, dtype=torch.float64)
        decay = 2 * task.decay if task.hinge else 0.0
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=task.lr, weight_decay=decay)

    def run(self, steps: int) -> None:
        torch = self.torch
        for _ in range(steps):
            scores = self.net(self.points)[:, 0]
            if self.task.hinge:
                loss = torch.relu(1 - self.targets * scores).mean()
            else:
                loss = torch.nn.functional.mse_loss(scores, self.targets)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def parameters(self) -> list[float]:
        return in_order([(linear.weight.tolist(), linear.bias.tolist()) for linear in self.linears])


class Jax:
    """JAX: one compiled step, dispatched from Python."""

    def __init__(self, task: Task) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self.layers = [(jnp.array(weights), jnp.array(biases)) for weights, biases in task.layers(task.start())]
        self.points, self.targets = jnp.array(task.points), jnp.array(task.targets)

        def loss(layers: Any, points: Any, targets: Any) -> Any:
            x = points
            for weights, biases in layers[:-1]:
                x = jnp.maximum(x @ weights.T + biases, 0)
            weights, biases = layers[-1]
            scores = (x @ weights.T + biases)[:, 0]
            if not task.hinge:
                return ((scores - targets) ** 2).mean()
            squares = sum((part**2).sum() for layer in layers for part in layer)
            return jnp.maximum(1 - targets * scores, 0).mean() + task.decay * squares

        @jax.jit
        def step(layers: Any, points: Any, targets: Any) -> Any:
            gradient = jax.grad(loss)(layers, points, targets)
            return jax.tree.map(lambda p, g: p - task.lr * g, layers, gradient)

        self.step, self.jax = step, jax

    def run(self, steps: int) -> None:
        layers = self.layers
        for _ in range(steps):
            layers = self.step(layers, self.points, self.targets)
        self.layers = self.jax.block_until_ready(layers)

    def parameters(self) -> list[float]:
        return in_order([(weights.tolist(), biases.tolist()) for weights, biases in self.layers])


class Arrays:
    """The parameters as a list of arrays, weights and biases of each layer in turn."""

    def __init__(self, task: Task) -> None:
        import numpy

        self.task, self.numpy = task, numpy
        self.arrays = [numpy.array(part) for layer in task.layers(task.start()) for part in layer]
        self.points, self.targets = numpy.array(task.points), numpy.array(task.targets)

    def gradient(self) -> list[Any]:
        """Return the gradient by each array."""
        raise NotImplementedError

    def run(self, steps: int) -> None:
        for _ in range(steps):
            for array, slope in zip(self.arrays, self.gradient(), strict=True):
                array -= self.task.lr * slope

    def parameters(self) -> list[float]:
        return in_order(list(zip(self.arrays[::2], self.arrays[1::2], strict=True)))


class Numpy(Arrays):
    """NumPy: no engine at all, the chain rule written out on whole batches."""

    def gradient(self) -> list[Any]:
        np, task, signals = self.numpy, self.task, [self.points]
        for weights, biases in zip(self.arrays[:-2:2], self.arrays[1:-2:2], strict=True):
            signals.append(np.maximum(signals[-1] @ weights.T + biases, 0))
        scores = (signals[-1] @ self.arrays[-2].T + self.arrays[-1])[:, 0]
        if task.hinge:
            slopes = np.where(1 - self.targets * scores > 0, -self.targets, 0.0)
        else:
            slopes = 2 * (scores - self.targets)
        deltas = (slopes / len(scores))[:, None]
        gradient: list[Any] = []
        for weights, xs in zip(self.arrays[-2::-2], reversed(signals), strict=True):
            gradient = [deltas.T @ xs, deltas.sum(axis=0), *gradient]
            deltas = (deltas @ weights) * (xs > 0)
        if task.hinge:
            gradient = [g + 2 * task.decay * array for g, array in zip(gradient, self.arrays, strict=True)]
        return gradient


class Autograd(Arrays):
    """HIPS autograd: the loss in NumPy's functions, differentiated at each step."""

    def __init__(self, task: Task) -> None:
        import autograd
        import autograd.numpy as np

        super().__init__(task)

        def loss(arrays: list[Any]) -> Any:
            x = self.points
            for weights, biases in zip(arrays[:-2:2], arrays[1:-2:2], strict=True):
                x = np.maximum(x @ weights.T + biases, 0)
            scores = (x @ arrays[-2].T + arrays[-1])[:, 0]
            if not task.hinge:
                return np.mean((scores - self.targets) ** 2)
            squares = sum(np.sum(array**2) for array in arrays)
            return np.mean(np.maximum(1 - self.targets * scores, 0)) + task.decay * squares

        self.derivative = autograd.grad(loss)

    def gradient(self) -> list[Any]:
        gradient: list[Any] = self.derivative(self.arrays)
        return gradient


PEERS: dict[str, Callable[[Task], Trainer]] = {
    "micrograd": Micrograd,
    "torch": Torch,
    "jax": Jax,
    "autograd": Autograd,
    "numpy": Numpy,
}


def is_installed(name: str) -> bool:
    """Return whether a package can be imported."""
    return importlib.util.find_spec(name) is not None
