"""Neurons, layers, sequences of modules, and the multi-layer perceptron.

`Neuron`, `Layer` and `MLP` have micrograd's arguments and attributes; the same seed draws the same first weights.
"""

from __future__ import annotations

from microgrid import math
from microgrid.engine.messages import brief
from microgrid.engine.numbers import random_source
from microgrid.engine.value import Value
from microgrid.nn.activations import activation_function, activation_name
from microgrid.nn.initialisers import initialiser_function
from microgrid.nn.module import Module, check_size, checked_inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.nn.activations import Activation
    from microgrid.nn.initialisers import Initialiser
    from microgrid.nn.module import Number


class Neuron(Module):
    """`activation(b + w[0] * x[0] + w[1] * x[1] + …)`: one `dot` node and an activation.

    Args:
        nin: the count of inputs.
        nonlin: whether there is an activation.
        activation: the name of a function in `microgrid.math`, or a function of a `Value`.
        init: draws the weights: the name of an initialiser, or a function of a `random.Random` (see
            `microgrid.nn.initialisers`). Uniform in [-1, 1] unless given.
        bias: whether there is a bias; it starts at zero.
        fan_out: the count of neurons in the layer, for initialisers that depend on it.
        rng: None (the module `random`), a seed, or a `random.Random`.

    Attributes:
        w: the weights, a list of `nin` `Value`s.
        b: the bias, a `Value`, or None.
        nonlin: as given.

    Raises:
        ValueError: if `nin` is less than 1, or it is called with another count of inputs.
        TypeError: if `nin` is not a whole number.

    >>> neuron = Neuron(2, activation="tanh", rng=0)
    >>> neuron
    TanhNeuron(2)
    >>> len(neuron.parameters())
    3
    """

    _holders = ("w", "b", "activation")
    # Defaults on the class, for subclasses whose `__init__` sets only the attributes of micrograd.
    activation: Activation = "relu"
    _function: Callable[[Value], Value] = staticmethod(activation_function("relu"))

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: Activation = "relu",
        init: Initialiser = None,
        bias: bool = True,
        fan_out: int = 1,
        rng: random.Random | int | None = None,
    ) -> None:
        source = random_source(rng)
        check_size("Neuron", "nin", nin)
        draw = initialiser_function(init, nin, fan_out)
        self.w = [Value(draw(source)) for _ in range(nin)]
        self.b = Value(0.0) if bias else None
        self.nonlin = nonlin
        self.activation = activation

    def __setattr__(self, name: str, given: Any) -> None:
        function = activation_function(given) if name == "activation" else None
        super().__setattr__(name, given)  # writing to `vars(self)` would make every later attribute lookup slower
        if function is not None:
            super().__setattr__("_function", function)

    def __call__(self, x: Sequence[Number]) -> Value:
        if type(x) is not tuple or len(x) != len(self.w):
            x = checked_inputs(self, len(self.w), x)
        act = math.dot(self.w, x, 0.0 if self.b is None else self.b)
        return self._function(act) if self.nonlin else act

    def __repr__(self) -> str:
        return f"{activation_name(self.activation if self.nonlin else None)}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons that share their inputs.

    Args:
        nin: the count of inputs.
        nout: the count of neurons.
        options: passed to each `Neuron`; a seed for `rng` seeds the whole layer.

    Called with inputs, it returns a list of `nout` values; a single one is returned bare.

    >>> Layer(2, 3, nonlin=False)
    Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]
    """

    _holders = ("neurons",)

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        check_size("Layer", "nout", nout, 0)
        options = {"fan_out": nout, **options, "rng": random_source(options.get("rng"))}
        self.neurons = [Neuron(nin, **options) for _ in range(nout)]

    def __call__(self, x: Sequence[Number]) -> Any:
        if self.neurons and type(self.neurons[0]).__call__ is Neuron.__call__:  # others may take any input
            x = checked_inputs(self, len(self.neurons[0].w), x)
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class Sequential(Module):
    """A sequence of modules or functions: each is called with the result of the one before.

    Args:
        layers: the modules or functions. The bare result of a layer of one neuron is passed on as a list.

    Raises:
        TypeError: if one cannot be called.

    >>> from microgrid import math
    >>> from microgrid.nn import Embedding
    >>> net = Sequential(Embedding(5, 2, rng=0), Layer(2, 3, rng=0), math.softmax)
    >>> round(sum(net(4)).data, 12)
    1.0
    """

    _holders = ("layers",)
    layers: list[Any]

    def __init__(self, *layers: Callable[[Any], Any]) -> None:
        for layer in layers:
            if not callable(layer):
                raise TypeError(f"Sequential expects modules or functions, got {type(layer).__name__} {brief(layer)}")
        self.layers = [*layers]

    def __call__(self, x: Any) -> Any:
        inputs = x
        for layer in self.layers:
            x = layer(inputs)
            inputs = [x] if isinstance(x, Value) else x
        return x

    def __repr__(self) -> str:
        return f"{type(self).__name__} of [{', '.join(map(str, self.layers))}]"


class MLP(Sequential):
    """A multi-layer perceptron: a sequence of layers, the last one linear by default.

    Args:
        nin: the count of inputs.
        nouts: the count of neurons in each layer.
        activation: the activation of the hidden layers: the name of a function in `microgrid.math`, or a function of a
            `Value`.
        output: the activation of the last layer, likewise; None for a linear output.
        init, bias, rng: as for `Neuron`; the layers draw from the same source.

    Called with inputs, it returns a list of the outputs of the last layer; a single one is returned bare.

    Raises:
        ValueError: if a size is too small, an activation is unknown, or it is called with another count of inputs than
            `nin`.
        TypeError: if a size is not a whole number.

    >>> net = MLP(2, [4, 1], activation="tanh", rng=0)
    >>> len(net.parameters())
    17
    >>> net([1.0, 0.0]).backward()
    """

    layers: list[Layer]

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        *,
        activation: Activation = "relu",
        output: Activation = None,
        init: Initialiser = None,
        bias: bool = True,
        rng: random.Random | int | None = None,
    ) -> None:
        source = random_source(rng)
        if not hasattr(nouts, "__len__"):
            raise TypeError(f"MLP expects nouts to be the sizes of its layers, such as [4, 1], got {brief(nouts)}")
        check_size("MLP", "nin", nin)
        for nout in nouts:
            check_size("MLP", "each of nouts", nout, 0)
        activation_function(activation)  # reports a bad one even without hidden layers
        sizes = [nin, *nouts]
        layers = []
        for index, (size, nout) in enumerate(zip(sizes, nouts, strict=False)):
            last = index == len(nouts) - 1
            options = {"activation": output if last else activation, "nonlin": not last or output is not None}
            layers.append(Layer(size, nout, init=init, bias=bias, rng=source, **options))
        super().__init__(*layers)
