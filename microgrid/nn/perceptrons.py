"""Neurons, layers of them, and modules one after the other: the multi-layer perceptron.

`Neuron`, `Layer` and `MLP` have micrograd's arguments and attributes; the same seed draws the same first weights.
"""

from __future__ import annotations

from microgrid import math
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
        nin: the number of inputs.
        nonlin: whether there is an activation.
        activation: a name in `microgrid.math` or a function of a `Value`.
        init: draws the weights: the name of an initialiser or a function of a `random.Random`; see
            `microgrid.nn.initialisers`. Uniform in [-1, 1] unless given.
        bias: whether there is a bias; it starts at zero.
        fan_out: how many neurons stand side by side, for the initialisers that ask.
        rng: None (the module `random`), a seed, or a `random.Random`.

    Attributes:
        w: the weights, a list of `nin` `Value`s.
        b: the bias, a `Value`, or None.
        nonlin: as given.

    Raises:
        ValueError: if `nin` is less than 1, or when called with another number of inputs.
        TypeError: if `nin` is no whole number.

    >>> neuron = Neuron(2, activation="tanh", rng=0)
    >>> neuron
    TanhNeuron(2)
    >>> len(neuron.parameters())
    3
    """

    _holders = ("w", "b", "activation")
    activation: Activation = "relu"  # here, with its function, for a subclass that makes micrograd's attributes alone
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
        super().__setattr__(name, given)  # not by `vars(self)`: Python would look all attributes up more slowly
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
    """Neurons side by side, all with the same inputs.

    Args:
        nin: the number of inputs.
        nout: the number of neurons.
        options: handed on to each `Neuron`; a seed given as `rng` serves the whole layer.

    Calling it returns a list of `nout` values, or the bare value if there is only one neuron.

    >>> Layer(2, 3, nonlin=False)
    Layer of [LinearNeuron(2), LinearNeuron(2), LinearNeuron(2)]
    """

    _holders = ("neurons",)

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        check_size("Layer", "nout", nout, 0)
        options = {"fan_out": nout, **options, "rng": random_source(options.get("rng"))}
        self.neurons = [Neuron(nin, **options) for _ in range(nout)]

    def __call__(self, x: Sequence[Number]) -> Any:
        if self.neurons and type(self.neurons[0]).__call__ is Neuron.__call__:  # others may take anything
            x = checked_inputs(self, len(self.neurons[0].w), x)
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class Sequential(Module):
    """Modules, or functions, one after the other: each takes what the one before returned.

    Args:
        layers: what is called in turn. What a layer of one neuron returns bare is handed on as a list.

    Raises:
        TypeError: if something cannot be called.

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
                raise TypeError(f"Sequential expects modules or functions, got {type(layer).__name__} {layer!r:.60}")
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
    """A multi-layer perceptron: layers one after the other, linear at the end.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons in each layer.
        activation: of the hidden layers, a name in `microgrid.math` or a function of a `Value`.
        output: of the last layer, likewise; None for a linear output.
        init, bias, rng: as for `Neuron`; the layers draw from the same source.

    Calling it returns the outputs of the last layer, bare if there is only one.

    Raises:
        ValueError: if a size is too small, an activation is unknown, or when called with another number of inputs than
            `nin`.
        TypeError: if a size is no whole number.

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
            raise TypeError(f"MLP expects nouts to be the sizes of its layers, such as [4, 1], got {nouts!r:.60}")
        check_size("MLP", "nin", nin)
        for nout in nouts:
            check_size("MLP", "each of nouts", nout, 0)
        activation_function(activation)  # a bad one is refused though there is no hidden layer
        sizes = [nin, *nouts]
        layers = []
        for index, (size, nout) in enumerate(zip(sizes, nouts, strict=False)):
            last = index == len(nouts) - 1
            options = {"activation": output if last else activation, "nonlin": not last or output is not None}
            layers.append(Layer(size, nout, init=init, bias=bias, rng=source, **options))
        super().__init__(*layers)
