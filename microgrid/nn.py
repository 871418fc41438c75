"""Neural networks of `Value`s: `Neuron`, `Layer` and `MLP`, with micrograd's arguments and defaults.

A network is a nest of `Module`s; a module finds its parameters by itself, in its attributes, lists and dicts. There
are no tensors here: a layer takes a sequence of numbers or `Value`s, and a sample is one such sequence.
"""

from __future__ import annotations

import random

from microgrid import math
from microgrid.engine import Value
from microgrid.rules import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Activation = str | Callable[[Value], Value] | None
    Initialiser = Callable[[random.Random], float]
    Number = Value | float


def random_source(rng: random.Random | int | None) -> random.Random:
    """Return the source of random numbers that `rng` means: `random`'s own, a new one for a seed, or `rng`."""
    if rng is None:
        shared: random.Random = random.uniform.__self__  # type: ignore[attr-defined] # a method of the module's Random
        return shared
    return rng if isinstance(rng, random.Random) else random.Random(rng)


def activation_function(activation: Activation) -> Callable[[Value], Value]:
    """Return the function that `activation` means: itself, a method of `Value` by name, or None for the identity.

    Raises:
        ValueError: if no operation of that name takes one number.

    >>> activation_function("relu")(Value(-2.0)).data
    0.0
    """
    if activation is None or activation == "linear":
        return identity
    if callable(activation):
        return activation
    if activation not in RULES or not hasattr(Value, activation):
        raise ValueError(f"no activation is called {activation!r}; try 'relu', 'tanh', 'sigmoid' or 'linear'")
    function: Callable[[Value], Value] = getattr(math, activation)
    return function


def identity(x: Value) -> Value:
    """Return `x`."""
    return x


def activation_name(activation: Activation) -> str:
    """Return what a representation calls `activation`."""
    if activation is None or isinstance(activation, str):
        return {None: "Linear", "relu": "ReLU"}.get(activation, str(activation).capitalize())
    return getattr(activation, "__name__", repr(activation))


class Module:
    """What has parameters: the leaf `Value`s among its attributes, those of the modules there, and in lists, tuples and
    dicts of either.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> [name for name, parameter in Line().named_parameters()]
    ['slope', 'offset']
    """

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Yield each parameter once, with its path of attribute names, indices and keys, joined by dots."""
        seen: set[int] = set()
        stack: list[tuple[str, Any]] = [("", self)]
        while stack:
            path, item = stack.pop()
            if id(item) in seen:  # shared, or a module that leads back to itself
                continue
            seen.add(id(item))
            parts: Any = ()
            if isinstance(item, Value):
                if item.op is None:
                    yield path, item
            elif isinstance(item, Module):
                parts = vars(item).items()
            elif isinstance(item, dict):
                parts = item.items()
            elif isinstance(item, list | tuple):
                parts = enumerate(item)
            stack += reversed([(f"{path}.{name}" if path else str(name), part) for name, part in parts])

    def parameters(self) -> list[Value]:
        """Return the parameters, in the order of `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradients of all parameters to zero."""
        for parameter in self.parameters():
            parameter.zero_grad()


class Neuron(Module):
    """`activation(b + w[0] * x[0] + w[1] * x[1] + …)`: one `dot` node and an activation.

    Args:
        nin: the number of inputs.
        nonlin: whether there is an activation.
        activation: a name in `microgrid.math` or a function of a `Value`.
        init: a function that draws a weight from a `random.Random`; uniform in [-1, 1] unless given.
        bias: whether there is a bias; it starts at zero.
        rng: None (the module `random`), a seed, or a `random.Random`.

    Attributes:
        w: the weights, a list of `nin` `Value`s.
        b: the bias, a `Value`, or None.
        nonlin: as given.

    Raises:
        ValueError: if `nin` is less than 1, or when called with another number of inputs.

    >>> neuron = Neuron(2, activation="tanh", rng=0)
    >>> neuron
    TanhNeuron(2)
    >>> len(neuron.parameters())
    3
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: Initialiser | None = None,
        bias: bool = True,
        rng: random.Random | int | None = None,
    ) -> None:
        source = random_source(rng)
        draw = uniform_weight if init is None else init
        if nin < 1 or not callable(draw):
            raise ValueError(f"Neuron expects nin of at least 1 and init to be a function, got {nin!r} and {init!r}")
        self.w = [Value(draw(source)) for _ in range(nin)]
        self.b = Value(0.0) if bias else None
        self.nonlin = nonlin
        self.activation = activation
        self._function = activation_function(activation)

    def __call__(self, x: Sequence[Number]) -> Value:
        if type(x) is not tuple or len(x) != len(self.w):
            x = checked_inputs(self, len(self.w), x)
        act = math.dot(self.w, x, 0.0 if self.b is None else self.b)
        return self._function(act) if self.nonlin else act

    def __repr__(self) -> str:
        return f"{activation_name(self.activation if self.nonlin else None)}Neuron({len(self.w)})"


def checked_inputs(module: Module, nin: int, x: Sequence[Number]) -> tuple[Number, ...]:
    """Return `x` as a tuple of `nin` inputs.

    Raises:
        TypeError: if `x` is no sequence.
        ValueError: if it has another length.
    """
    try:
        inputs = tuple(x)
    except TypeError:
        given = f"{type(x).__name__} {x!r:.60}"
        raise TypeError(f"{module!r:.60} expects a sequence of {nin} inputs, got {given}") from None
    if len(inputs) != nin:
        raise ValueError(f"{module!r:.60} expects {nin} inputs, got {len(inputs)}")
    return inputs


def uniform_weight(source: random.Random) -> float:
    """Return a number drawn uniformly from [-1, 1]."""
    return source.uniform(-1, 1)


class Layer(Module):
    """Neurons side by side, all with the same inputs.

    Args:
        nin: the number of inputs.
        nout: the number of neurons.
        options: handed on to each `Neuron`; a seed given as `rng` serves the whole layer.

    Calling it returns a list of `nout` values, or the bare value if there is only one neuron.

    >>> Layer(2, 3, nonlin=False)
    Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]
    """

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        options["rng"] = random_source(options.get("rng"))
        self.neurons = [Neuron(nin, **options) for _ in range(nout)]

    def __call__(self, x: Sequence[Number]) -> Any:
        inputs = checked_inputs(self, len(self.neurons[0].w), x) if self.neurons else ()
        out = [neuron(inputs) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multi-layer perceptron: layers one after the other, linear at the end.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons in each layer.
        activation: of the hidden layers, a name in `microgrid.math` or a function of a `Value`.
        output: of the last layer, likewise; None for a linear output.
        init, bias, rng: as for `Neuron`; the layers draw from the same source.

    Calling it returns the outputs of the last layer, bare if there is only one.

    Raises:
        ValueError: when called with another number of inputs than `nin`.

    >>> net = MLP(2, [4, 1], activation="tanh", rng=0)
    >>> len(net.parameters())
    17
    >>> net([1.0, 0.0]).backward()
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation = "relu",
        output: Activation = None,
        init: Initialiser | None = None,
        bias: bool = True,
        rng: random.Random | int | None = None,
    ) -> None:
        source = random_source(rng)
        if not hasattr(nouts, "__len__"):
            raise TypeError(f"MLP expects nouts to be the sizes of its layers, such as [4, 1], got {nouts!r:.60}")
        sizes = [nin, *nouts]
        self.layers = []
        for index, (size, nout) in enumerate(zip(sizes, nouts, strict=False)):
            last = index == len(nouts) - 1
            options = {"activation": output if last else activation, "nonlin": not last or output is not None}
            self.layers.append(Layer(size, nout, init=init, bias=bias, rng=source, **options))

    def __call__(self, x: Sequence[Number]) -> Any:
        inputs = x
        for layer in self.layers:
            x = layer(inputs)
            inputs = [x] if isinstance(x, Value) else x  # a single neuron hands on its output bare
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
