"""Modules, neurons, layers and perceptrons. What they share with micrograd is held fixed in test_micrograd."""

import cmath
import copy
import math
import pickle
import random
import re
from fractions import Fraction

import pytest

from microgrid import Value, losses, optim
from microgrid import math as mg
from microgrid.nn import MLP, Layer, Module, Neuron, Sequential


@pytest.fixture(autouse=True)
def _module_random_as_it_was():
    state = random.getstate()
    yield
    random.setstate(state)


# Modules


class Bag(Module):
    """A module with the attributes it is given."""

    def __init__(self, **attributes):
        vars(self).update(attributes)


def test_parameters_are_found_in_attributes_lists_tuples_dicts_and_modules():
    a, b, c, d, e, f, g = (Value(float(i)) for i in range(7))
    net = Bag(a=a, rows=[b, (c, [d])], table={"x": e, 3: [f]}, inner=Bag(g=g))
    expected = {"a": a, "rows.0": b, "rows.1.0": c, "rows.1.1.0": d, "table.x": e, "table.3.0": f, "inner.g": g}
    found = list(net.named_parameters())
    assert [name for name, _ in found] == list(expected)
    assert [id(parameter) for _, parameter in found] == [id(parameter) for parameter in expected.values()]
    assert [id(parameter) for parameter in net.parameters()] == [id(parameter) for _, parameter in found]


def test_paths_in_a_network():
    names = [name for name, _ in MLP(2, [1, 1]).named_parameters()]
    assert names == [
        "layers.0.neurons.0.w.0",
        "layers.0.neurons.0.w.1",
        "layers.0.neurons.0.b",
        "layers.1.neurons.0.w.0",
        "layers.1.neurons.0.b",
    ]


def test_only_leaves_are_parameters():
    x = Value(2.0)
    net = Bag(x=x, cached=x * 2, number=3.0, text="w", nothing=None, function=math.sin, names={"x"})
    assert [name for name, _ in net.named_parameters()] == ["x"]


def test_a_shared_parameter_is_found_once_under_its_first_name():
    w = Value(1.0)
    shared = Bag(w=w)
    net = Bag(first=shared, weights=[w, w], again=shared)
    assert [name for name, _ in net.named_parameters()] == ["first.w"]


def test_equal_parameters_are_all_found():
    assert len(Bag(rows=[Value(1.0), Value(1.0)], more=[Value(1.0)]).parameters()) == 3


def test_modules_that_lead_back_to_themselves():
    child, rows = Bag(w=Value(1.0)), []
    parent = Bag(child=child, b=Value(2.0), rows=rows)
    child.parent = parent
    rows.append(rows)
    assert [name for name, _ in parent.named_parameters()] == ["child.w", "b"]
    assert [name for name, _ in child.named_parameters()] == ["w", "parent.b"]


def test_deeply_nested_modules():
    net = Bag(w=Value(1.0))
    for _ in range(20_000):
        net = Bag(inner=net)
    ((name, _),) = net.named_parameters()
    assert name.count("inner.") == 20_000
    while "inner" in vars(net):  # the interpreter itself frees a deep nest by recursion
        net = net.inner


def test_parameters_added_later_are_found():
    net = Neuron(2)
    net.scale = Value(1.0)
    net.w.append(Value(5.0))
    assert [name for name, _ in net.named_parameters()] == ["w.0", "w.1", "w.2", "b", "scale"]


def test_module_without_parameters():
    assert Module().parameters() == []
    Module().zero_grad()


def test_zero_grad():
    inner, frozen = Bag(w=Value(2.0)), Value(7.0)
    exact = Value(Fraction(1, 3))
    net = Bag(rows=[inner], exact=exact)
    inner.w.grad, exact.grad, frozen.grad = 3.0, Fraction(1, 2), 4.0
    net.zero_grad()
    assert (inner.w.grad, exact.grad, frozen.grad) == (0.0, 0, 4.0)
    assert isinstance(exact.grad, Fraction)


# Neurons


@pytest.mark.parametrize("inputs", [[1.5, -2.0], (Value(1.5), Value(-2.0)), [Value(1.5), -2.0], [1.5, Value(-2.0)]])
def test_a_neuron_is_one_dot_and_an_activation(inputs):
    neuron = Neuron(2, activation="tanh", rng=0)
    neuron.b.data = 0.25
    out = neuron(inputs)
    assert out.op.name == "tanh"
    (act,) = out.parents
    assert act.op.name == "dot"
    expected = [*neuron.w, neuron.b] + [x for x in inputs if isinstance(x, Value)]
    assert {id(parent) for parent in act.parents} >= {id(node) for node in expected}
    assert all(parent.op is None for parent in act.parents)
    w0, w1 = (w.data for w in neuron.w)
    assert act.data == 0.25 + w0 * 1.5 + w1 * -2.0
    assert out.data == math.tanh(act.data)


def test_a_linear_neuron_is_one_dot():
    for neuron in (Neuron(2, nonlin=False), Neuron(2, False, activation="tanh"), Neuron(2, activation=None)):
        out = neuron([1.0, 2.0])
        assert out.op.name == "dot"
        assert out.data == neuron.w[0].data + neuron.w[1].data * 2.0


def test_gradient_of_a_neuron():
    neuron = Neuron(2, activation="sigmoid", rng=1)
    x = [Value(0.5), Value(-1.5)]
    neuron(x).backward()
    w = [weight.data for weight in neuron.w]
    s = 1 / (1 + math.exp(-(w[0] * 0.5 + w[1] * -1.5)))
    slope = s * (1 - s)
    assert neuron.b.grad == pytest.approx(slope, rel=1e-14)
    assert [weight.grad for weight in neuron.w] == pytest.approx([slope * 0.5, slope * -1.5], rel=1e-14)
    assert [node.grad for node in x] == pytest.approx([slope * w[0], slope * w[1]], rel=1e-14)


def test_inputs_may_be_any_iterable():
    neuron = Neuron(3, nonlin=False, rng=0)
    expected = neuron([1.0, 2.0, 3.0]).data
    assert neuron((1, 2, 3)).data == expected
    assert neuron(range(1, 4)).data == expected
    assert neuron(iter([1.0, 2.0, 3.0])).data == expected
    assert Layer(3, 2, rng=0)(iter([1.0, 2.0, 3.0]))[0].data == max(expected, 0.0)


@pytest.mark.parametrize("nin", [0, -1])
def test_a_neuron_needs_inputs(nin):
    with pytest.raises(ValueError, match=rf"^Neuron expects nin of at least 1, got {nin}$"):
        Neuron(nin)


def test_the_sizes_of_an_mlp_are_a_sequence():
    with pytest.raises(TypeError, match=r"^MLP expects nouts to be the sizes of its layers, such as \[4, 1\], got 3$"):
        MLP(2, 3)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: Neuron(1.0), TypeError, "Neuron expects nin to be a whole number, got float 1.0"),
        (lambda: Layer(2, "3"), TypeError, "Layer expects nout to be a whole number, got str '3'"),
        (lambda: Layer(2, -1), ValueError, "Layer expects nout of at least 0, got -1"),
        (lambda: MLP("2", [4]), TypeError, "MLP expects nin to be a whole number, got str '2'"),
        (lambda: MLP(0, [4]), ValueError, "MLP expects nin of at least 1, got 0"),
        (lambda: MLP(2, [4, "1"]), TypeError, "MLP expects each of nouts to be a whole number, got str '1'"),
        (lambda: MLP(2, [4, -1]), ValueError, "MLP expects each of nouts of at least 0, got -1"),
    ],
)
def test_sizes_are_whole_numbers(build, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        build()


@pytest.mark.parametrize("name", ["hypot", "floor", "softmax", "atan2", "pi", "detach", "fabs"])
def test_an_activation_is_an_operation_on_one_number(name):
    with pytest.raises(ValueError, match=f"no activation is called '{name}'"):
        Neuron(2, activation=name)


# Options


def test_activation_by_name_and_as_a_function():
    for activation, expected in [
        ("relu", lambda x: max(x, 0.0)),
        ("tanh", math.tanh),
        ("sin", math.sin),
        (mg.tanh, math.tanh),
        (lambda x: x * x, lambda x: x * x),
        (None, float),
        ("linear", float),
    ]:
        neuron = Neuron(1, activation=activation, init=lambda rng: -1.25)
        assert neuron([2.0]).data == expected(-2.5)
        assert neuron([-2.0]).data == expected(2.5)


def test_an_activation_may_have_parameters():
    class Slope(Module):
        def __init__(self):
            self.slope = Value(0.5)

        def __call__(self, x):
            return self.slope * x

    slope = Slope()
    layer = Layer(1, 2, activation=slope)
    assert [name for name, _ in layer.named_parameters()] == [
        "neurons.0.w.0",
        "neurons.0.b",
        "neurons.0.activation.slope",
        "neurons.1.w.0",
        "neurons.1.b",
    ]
    sum(layer([1.0])).backward()
    assert slope.slope.grad == layer.neurons[0].w[0].data + layer.neurons[1].w[0].data


def test_activation_and_output_of_a_network():
    net = MLP(2, [3, 2, 1], activation="tanh", output="sigmoid", rng=0)
    assert [layer.neurons[0].activation for layer in net.layers] == ["tanh", "tanh", "sigmoid"]
    x = [0.5, -1.0]
    for layer, function in zip(net.layers, [math.tanh, math.tanh, lambda v: 1 / (1 + math.exp(-v))], strict=True):
        x = [
            function(neuron.b.data + sum(w.data * v for w, v in zip(neuron.w, x, strict=True)))
            for neuron in layer.neurons
        ]
    assert net([0.5, -1.0]).data == pytest.approx(x[0], rel=1e-14)
    assert repr(net) == (
        "MLP of [Layer of [TanhNeuron(2), TanhNeuron(2), TanhNeuron(2)], Layer of [TanhNeuron(3), TanhNeuron(3)], "
        "Layer of [SigmoidNeuron(2)]]"
    )


def test_network_is_linear_at_the_end():
    for net in (MLP(1, [1]), MLP(1, [1], activation="tanh"), MLP(1, [1], output=None)):
        assert net.layers[0].neurons[0].nonlin is False
        net.layers[0].neurons[0].w[0].data = 2.0
        assert (net([-3.0]).data, net([4.0]).data) == (-6.0, 8.0)


def test_names_of_activations_in_representations():
    def squared(x):
        return x * x

    class Cubed:
        def __call__(self, x):
            return x**3

        def __repr__(self):
            return "Cubed()"

    for activation, expected in [
        ("relu", "ReLU"),
        ("tanh", "Tanh"),
        ("linear", "Linear"),
        (None, "Linear"),
        (squared, "squared"),
        (Cubed(), "Cubed()"),
    ]:
        assert repr(Neuron(2, activation=activation)) == f"{expected}Neuron(2)"
    assert repr(Neuron(2, False, activation="tanh")) == "LinearNeuron(2)"


@pytest.mark.parametrize("activation", ["nope", "pi", "", 5, 0])
@pytest.mark.parametrize("build", [lambda a: Neuron(2, activation=a), lambda a: MLP(2, [2, 1], activation=a)])
def test_unknown_activation(build, activation):
    with pytest.raises(ValueError, match=rf"no activation is called {activation!r}; try 'relu', 'tanh'"):
        build(activation)


def test_unknown_activations():
    with pytest.raises(ValueError, match="no activation is called 'nope'"):
        MLP(2, [1], output="nope")
    with pytest.raises(ValueError, match="no activation is called 'nope'"):
        MLP(2, [1], activation="nope")  # there is no hidden layer


def test_init_draws_each_weight_from_the_source():
    def init(source):
        return source.gauss(0.0, 0.5)

    expected = random.Random(3)
    net = MLP(2, [2, 1], init=init, rng=3)
    for layer in net.layers:
        for neuron in layer.neurons:
            assert [w.data for w in neuron.w] == [expected.gauss(0.0, 0.5) for _ in neuron.w]
            assert neuron.b.data == 0.0


def test_init_may_return_any_real_number():
    assert [w.data for w in Neuron(2, init=lambda source: 1).w] == [1.0, 1.0]
    with pytest.raises(TypeError, match="expected a real number, got str 'x'"):
        Neuron(2, init=lambda source: "x")


def test_without_bias():
    net = MLP(2, [3, 1], bias=False)
    assert len(net.parameters()) == 2 * 3 + 3
    assert [neuron.b for neuron in net.layers[0].neurons] == [None] * 3
    assert net([0.0, 0.0]).data == 0.0
    neuron = Neuron(2, nonlin=False, bias=False)
    assert neuron([1.0, 2.0]).data == neuron.w[0].data + neuron.w[1].data * 2.0
    assert Layer(2, 2, bias=False).neurons[1].b is None


@pytest.mark.parametrize("build", [lambda rng: Neuron(3, rng=rng), lambda rng: Layer(3, 2, rng=rng),
                                   lambda rng: MLP(3, [2, 1], rng=rng)])  # fmt: skip
def test_sources_of_random_numbers(build):
    def weights(rng):
        return [w.data for name, w in build(rng).named_parameters() if not name.endswith("b")]

    source = random.Random(7)
    by_hand = [source.uniform(-1, 1) for _ in weights(0)]
    assert weights(7) == by_hand
    source = random.Random(7)
    assert weights(source) == by_hand
    assert weights(source) != by_hand  # the source goes on
    random.seed(7)
    assert weights(None) == by_hand
    random.seed(8)
    assert weights(7) == by_hand
    assert random.random() == random.Random(8).random()  # a seed leaves the module's source alone


def test_weights_are_uniform_between_minus_one_and_one():
    weights = [w.data for w in Neuron(2000, rng=0).w]
    assert all(-1 <= w <= 1 for w in weights)
    assert min(weights) < -0.99
    assert max(weights) > 0.99
    assert abs(sum(weights)) < 100


# Outputs


def test_a_single_output_comes_bare():
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    for out in (Layer(2, 3)([1.0, 2.0]), MLP(2, [3])([1.0, 2.0])):
        assert type(out) is list
        assert [type(x) for x in out] == [Value] * 3


def test_a_hidden_layer_of_one_neuron():
    net = MLP(2, [1, 1, 2], activation="tanh", rng=0)
    first, second = net.layers[0].neurons[0], net.layers[1].neurons[0]
    h = math.tanh(first.w[0].data * 0.5 + first.w[1].data * 2.0)
    h = math.tanh(second.w[0].data * h)
    out = net([0.5, 2.0])
    assert [x.data for x in out] == pytest.approx([neuron.w[0].data * h for neuron in net.layers[2].neurons], rel=1e-14)


def test_empty_layers():
    assert Layer(2, 0)([1.0, 2.0]) == []
    assert MLP(2, [])([1.0, 2.0]) == [1.0, 2.0]
    assert MLP(2, []).parameters() == []


# Bad inputs


BUILDS = {
    "ReLUNeuron(2)": lambda: Neuron(2),
    "LinearNeuron(2)": lambda: Neuron(2, nonlin=False),
    "Layer of [ReLUNeuron(2), ReLUNeuron(2)]": lambda: Layer(2, 2),
    "Layer": lambda: Layer(2, 5),  # whose text is long
    "Layer of [TanhNeuron(2)]": lambda: MLP(2, [1, 1], activation="tanh"),
}


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize("inputs", [[], [1.0], (1.0, 2.0, 3.0), [Value(1.0)], range(5)])
def test_wrong_number_of_inputs(name, inputs):
    module = BUILDS[name]()
    with pytest.raises(ValueError, match="inputs, got") as caught:
        module(inputs)
    assert str(caught.value) == f"{name} expects 2 inputs, got {len(inputs)}"
    assert caught.value.__cause__ is None
    module([1.0, 2.0])


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize(
    ("inputs", "got"),
    [(3.0, "float 3.0"), (None, "NoneType None"), (Value(2.0), "Value Value(data=2.0, grad=0.0)"), (True, "bool True")],
)
def test_inputs_that_are_no_sequence(name, inputs, got):
    with pytest.raises(TypeError, match="expects a sequence") as caught:
        BUILDS[name]()(inputs)
    assert str(caught.value) == f"{name} expects a sequence of 2 inputs, got {got}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("name", BUILDS)
@pytest.mark.parametrize(
    ("inputs", "got"),
    [
        ("ab", "str 'a'"),
        ([1.0, None], "NoneType None"),
        ([[1.0, 2.0], [3.0, 4.0]], r"list \[1.0, 2.0\]"),
        ([1j, 1.0], "complex 1j"),
    ],
)
def test_inputs_that_are_no_numbers(name, inputs, got):
    with pytest.raises(TypeError, match=rf"^dot\(.*\): expected a real number, got {got}"):
        BUILDS[name]()(inputs)


def test_one_input_is_no_plural():
    with pytest.raises(ValueError, match=r"^LinearNeuron\(1\) expects 1 input, got 2$"):
        Neuron(1, nonlin=False)([1.0, 2.0])
    with pytest.raises(TypeError, match=r"^LinearNeuron\(1\) expects a sequence of 1 input, got float 1.0$"):
        Neuron(1, nonlin=False)(1.0)


def test_a_network_whose_layers_do_not_fit():
    net = MLP(2, [3, 1])
    net.layers[1] = Layer(4, 1)
    with pytest.raises(ValueError, match=r"^Layer of \[ReLUNeuron\(4\)\] expects 4 inputs, got 3$"):
        net([1.0, 2.0])


# Copies


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
@pytest.mark.parametrize("activation", ["tanh", mg.sigmoid, None])
def test_copies_of_a_network(duplicate, activation):
    net = MLP(2, [3, 2], activation=activation, output="softplus", rng=0)
    net.tied = net.layers[0].neurons[0].w[0]  # shared parameters stay shared
    net.layers[0].neurons[1].b = net.layers[0].neurons[0].b
    sum(net([0.5, -1.0])).backward()
    twin = duplicate(net)
    assert repr(twin) == repr(net)
    assert twin.tied is twin.layers[0].neurons[0].w[0]
    assert twin.layers[0].neurons[1].b is twin.layers[0].neurons[0].b
    old, new = dict(net.named_parameters()), dict(twin.named_parameters())
    assert list(new) == list(old)
    assert len(new) == 16
    for name in old:
        assert new[name] is not old[name]
        assert (new[name].data, new[name].grad) == (old[name].data, old[name].grad)
    assert [x.data for x in twin([0.3, 0.9])] == [x.data for x in net([0.3, 0.9])]
    before = [x.data for x in net([0.3, 0.9])]
    for parameter in twin.parameters():
        parameter.data += 1.0
    assert [x.data for x in net([0.3, 0.9])] == before


# Gradients of whole networks


def plain_loss(net, weights, points):
    """Return the mean squared error of a network of the shape of `net` on complex weights, without microgrid."""
    weights = iter(weights)
    total = 0
    shape = [[len(neuron.w) for neuron in layer.neurons] for layer in net.layers]
    table = [[([next(weights) for _ in range(n)], next(weights)) for n in layer] for layer in shape]
    for inputs, target in points:
        x = inputs
        for index, layer in enumerate(table):
            x = [b + sum(w * v for w, v in zip(ws, x, strict=True)) for ws, b in layer]
            if index < len(table) - 1:
                x = [cmath.tanh(v) for v in x]
        total += (x[0] - target) ** 2
    return total / len(points)


def test_gradient_of_a_network_agrees_with_complex_steps():
    net = MLP(2, [4, 3, 1], activation="tanh", rng=5)
    points = [([0.5, -1.0], 1.0), ([-0.25, 0.75], -0.5), ([2.0, 1.5], 0.3)]
    loss = losses.mse_loss([net(x) for x, _ in points], [target for _, target in points])
    loss.backward()
    weights = [parameter.data for parameter in net.parameters()]
    assert loss.data == pytest.approx(plain_loss(net, weights, points).real, rel=1e-14)
    for index, parameter in enumerate(net.parameters()):
        moved = [w + 1e-30j * (i == index) for i, w in enumerate(weights)]
        assert parameter.grad == pytest.approx(plain_loss(net, moved, points).imag / 1e-30, rel=1e-12, abs=1e-15)


def test_gradient_of_a_network_with_kinks_agrees_with_differences():
    net = MLP(2, [5, 4, 1], rng=2)
    points = [([0.5, -1.0], 1.0), ([-0.25, 0.75], 0.0), ([2.0, 1.5], 1.0)]

    def loss():
        return losses.binary_cross_entropy_with_logits([net(x) for x, _ in points], [y for _, y in points])

    loss().backward()
    gradients = [parameter.grad for parameter in net.parameters()]
    assert sum(map(bool, gradients)) > 20
    for parameter, gradient in zip(net.parameters(), gradients, strict=True):
        start, h = parameter.data, 1e-5
        parameter.data = start + h
        above = loss().data
        parameter.data = start - h
        below = loss().data
        parameter.data = start
        assert gradient == pytest.approx((above - below) / (2 * h), rel=1e-7, abs=1e-10)


def test_second_derivative_of_a_network():
    net = MLP(1, [3, 1], activation="tanh", rng=0)
    x = Value(0.4)
    net([x]).backward(create_graph=True)
    slope = x.grad
    x.zero_grad()
    slope.backward()
    expected = 0.0
    for hidden, w in zip(net.layers[0].neurons, net.layers[1].neurons[0].w, strict=True):
        v = hidden.w[0].data
        t = math.tanh(v * 0.4)
        expected += w.data * v * v * -2 * t * (1 - t * t)
    assert x.grad == pytest.approx(expected, rel=1e-13)


# The main job


@pytest.mark.parametrize("seed", range(5))
def test_xor_is_learned(seed):
    xor = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]
    targets = [y for _, y in xor]
    net = MLP(2, [4, 1], activation="tanh", rng=seed)
    optimizer = optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    history = []
    for _ in range(200):
        loss = losses.binary_cross_entropy_with_logits([net(x) for x, _ in xor], targets)
        history.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert history[0] > 0.5
    assert history[-1] < 0.01
    assert [float(mg.sigmoid(net(x)) > 0.5) for x, _ in xor] == targets


# One after the other


def test_modules_and_functions_in_turn():
    first, second = Layer(2, 3, rng=0), Layer(3, 1, nonlin=False, rng=1)
    net = Sequential(first, lambda xs: [x * 2 for x in xs], second, Neuron(1, activation="tanh", rng=2))
    inner = second([x * 2 for x in first([1.0, -2.0])])
    assert net([1.0, -2.0]).data == net.layers[3]([inner]).data
    assert len(net.parameters()) == 9 + 4 + 2
    assert net.layers == [first, net.layers[1], second, net.layers[3]]
    assert repr(Sequential(second)) == "Sequential of [Layer of [LinearNeuron(3)]]"
    assert Sequential()(5) == 5


def test_a_perceptron_is_a_sequence_of_its_layers():
    net = MLP(2, [3, 2, 1], activation="tanh", rng=0)
    assert isinstance(net, Sequential)
    assert Sequential(*net.layers)([0.5, 0.25]).data == net([0.5, 0.25]).data


@pytest.mark.parametrize(("wrong", "got"), [("tanh", "str 'tanh'"), ([Neuron(1)], r"list \[ReLUNeuron\(1\)\]")])
def test_what_cannot_be_in_a_sequence(wrong, got):
    with pytest.raises(TypeError, match=f"^Sequential expects modules or functions, got {got}$"):
        Sequential(Neuron(2), wrong)


def test_the_activation_of_a_neuron_can_be_changed() -> None:
    neuron = Neuron(1, rng=0)
    neuron.w[0].data = -2.0
    assert (neuron.activation, neuron([1.0]).data) == ("relu", 0.0)
    neuron.activation = "tanh"
    assert (repr(neuron), neuron.activation, neuron([1.0]).data) == ("TanhNeuron(1)", "tanh", math.tanh(-2.0))
    with pytest.raises(ValueError, match="no activation is called 'tang'"):
        neuron.activation = "tang"
    assert (neuron.activation, neuron([1.0]).data) == ("tanh", math.tanh(-2.0))
