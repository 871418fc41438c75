"""What modules do with their parameters: freezing, saving, loading. How they find them is tested in test_nn."""

import copy
import json
import math
import pickle
import random
import re
import struct
from fractions import Fraction

import pytest

from microgrid import Value, losses
from microgrid.engine import graph
from microgrid.nn import MLP, Frozen, Module
from microgrid.optim import SGD
from tests.interruptions import everywhere


def network(seed=0):
    return MLP(2, [3, 1], activation="tanh", rng=seed)


def numbers(module):
    return [parameter.data for parameter in module.parameters()]


# Freezing


def test_what_is_frozen_has_no_gradient_and_passes_gradients_on():
    net, twin, inputs, others = network(), network(), [Value(0.5), Value(-1.0)], [Value(0.5), Value(-1.0)]
    leaves = net.parameters()
    net.layers[0].freeze()
    for module, x in ((net, inputs), (twin, others)):
        module(x).backward()
    assert [leaf is again for leaf, again in zip(leaves, net.parameters(), strict=True)] == [True] * len(leaves)
    assert [p.grad for p in net.layers[0].parameters()] == [0.0] * 9
    assert [p.grad for p in net.layers[1].parameters()] == [p.grad for p in twin.layers[1].parameters()] != [0.0] * 4
    assert [x.grad for x in inputs] == [x.grad for x in others] != [0.0] * 2
    assert repr(leaves[0]) == f"Value(data={leaves[0].data}, grad=0.0)"


def test_unfreezing_starts_from_zero():
    net = network()
    net([1.0, 2.0]).backward()
    before = [p.grad for p in net.parameters()]
    net.unfreeze()
    assert [p.grad for p in net.parameters()] == before, "nothing was frozen"
    net.freeze()
    net.freeze()
    assert all(type(p) is Frozen and p.grad == 0 for p in net.parameters())
    net([1.0, 2.0]).backward()
    net.unfreeze()
    assert all(type(p) is Value and p.grad == 0 for p in net.parameters())
    net([1.0, 2.0]).backward()
    assert [p.grad for p in net.parameters()] == before


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_stay_frozen(duplicate):
    net = network()
    net.layers[0].freeze()
    twin = duplicate(net)
    assert [type(p) for p in twin.parameters()] == [Frozen] * 9 + [Value] * 4
    twin.unfreeze()
    twin([1.0, 2.0]).backward()
    assert all(p.grad for p in twin.parameters())


def test_a_shared_parameter_is_frozen_everywhere():
    one, other = network(1), network(2)
    other.layers[0].neurons[0].b = one.layers[0].neurons[0].b
    one.freeze()
    assert [type(p) is Frozen for p in other.parameters()] == [False, False, True] + [False] * 10


def test_higher_derivatives_through_frozen_parameters():
    net = MLP(1, [1], output="tanh", rng=0)
    net.freeze()
    x = Value(0.5)
    net([x]).backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward()
    w = net.parameters()[0].data
    t = math.tanh(0.5 * w)
    assert first.data == pytest.approx(w * (1 - t * t), rel=1e-14)
    assert x.grad == pytest.approx(-2 * w * w * t * (1 - t * t), rel=1e-14)


def test_fractions_can_be_frozen():
    module = Module()
    module.w = Value(Fraction(1, 3))
    module.freeze()
    x = Value(Fraction(2))
    (module.w * x).backward()
    assert (x.grad, module.w.grad) == (Fraction(1, 3), 0) and isinstance(module.w.grad, Fraction)


def test_other_kinds_of_leaves_are_refused():
    class Special(Value):
        pass

    module = Module()
    module.first, module.second = Value(1.0), Special(2.0)
    with pytest.raises(TypeError, match=r"^only a plain Value can be frozen, but model\.second is a Special$"):
        module.freeze()
    assert type(module.first) is Value


def test_a_layer_is_reused():
    """Transfer: a hidden layer learned for one task, frozen, serves another."""
    net = network(3)
    net.layers[0].freeze()
    hidden = numbers(net.layers[0])
    optimizer = SGD(net.parameters(), lr=0.5, momentum=0.9)
    rows = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    for _ in range(60):
        loss = losses.binary_cross_entropy_with_logits([net(row) for row in rows], [0, 1, 1, 1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert [net(row) > 0 for row in rows] == [False, True, True, True]
    assert numbers(net.layers[0]) == hidden


# State


def test_state_is_the_numbers_by_name():
    net = MLP(2, [1], rng=0)
    state = net.state_dict()
    assert state == {name: parameter.data for name, parameter in net.named_parameters()}
    assert list(state) == ["layers.0.neurons.0.w.0", "layers.0.neurons.0.w.1", "layers.0.neurons.0.b"]
    assert json.loads(json.dumps(state)) == state


def test_loading_keeps_the_leaves_and_their_gradients():
    net, other = network(1), network(2)
    net.layers[0].freeze()
    leaves = net.parameters()
    net([1.0, 2.0]).backward()
    gradients = [p.grad for p in leaves]
    net.load_state_dict(other.state_dict())
    assert numbers(net) == numbers(other)
    assert all(leaf is again for leaf, again in zip(leaves, net.parameters(), strict=True))
    assert [p.grad for p in leaves] == gradients
    assert type(leaves[0]) is Frozen
    assert net([0.3, 0.7]).data == other([0.3, 0.7]).data


def test_numbers_go_to_their_parameters_whatever_a_module_lists():
    class Line(Module):
        def __init__(self):
            self.slope, self.offset, self.unit = Value(2.0), Value(1.0), Value(5.0)

        def parameters(self):
            return [self.offset, self.slope]

    line = Line()
    assert line.state_dict() == {"slope": 2.0, "offset": 1.0, "unit": 5.0}
    line.load_state_dict({"slope": 20.0, "offset": 10.0, "unit": 50.0})
    assert (line.slope.data, line.offset.data, line.unit.data) == (20.0, 10.0, 50.0)


def test_numbers_of_any_kind_become_floats():
    module = Module()
    module.w = Value(Fraction(1, 4))
    assert module.state_dict() == {"w": 0.25} and type(module.state_dict()["w"]) is float
    module.load_state_dict({"w": 3})
    assert module.w.data == 3.0 and type(module.w.data) is float


def test_memory_holds_what_a_file_does_not():
    module = Module()
    module.w = Value(math.inf)
    module.load_state_dict(module.state_dict() | {"w": math.nan})
    assert math.isnan(module.w.data)


def test_names_that_two_parameters_share():
    module = Module()
    module.table = {1: Value(1.0), "1": Value(2.0)}
    for call in (module.state_dict, lambda: module.load_state_dict({"table.1": 5.0})):
        with pytest.raises(ValueError, match=r"^two parameters are called 'table\.1'$"):
            call()
    assert numbers(module) == [1.0, 2.0]


MISFITS = [
    ([], TypeError, "expected a dict of numbers by name, got list []"),
    (None, TypeError, "expected a dict of numbers by name, got NoneType None"),
    ({}, ValueError, "the state lacks 'a' and 1 more"),
    ({"a": 1.0}, ValueError, "the state lacks 'b.0'"),
    ({"a": 1.0, "b.0": 2.0, "c": 3.0}, ValueError, "the model has no use for 'c'"),
    ({"a": 1.0, "b.0": 2.0, "c": 3.0, "d": 1.0, 5: 1.0}, ValueError, "the model has no use for 'c' and 2 more"),
    ({"a": 1.0, "b": [2.0]}, ValueError, "the state lacks 'b.0'"),
    ({"a": 1.0, "b.0": [2.0]}, ValueError, "b.0 is not a number: list [2.0]"),
    ({"a": 1.0, "b.0": "2.0"}, ValueError, "b.0 is not a number: str '2.0'"),
    ({"a": 1.0, "b.0": None}, ValueError, "b.0 is not a number: NoneType None"),
    ({"a": 1.0, "b.0": True}, ValueError, "b.0 is not a number: bool True"),
    ({"a": 1.0, "b.0": Value(2.0)}, ValueError, "b.0 is not a number: Value Value(data=2.0, grad=0.0)"),
    ({"a": 1.0, "b.0": 10**400}, ValueError, "b.0 is too large for a float"),
]


def small():
    module = Module()
    module.a, module.b = Value(5.0), [Value(6.0)]
    return module


@pytest.mark.parametrize(("state", "error", "message"), MISFITS)
def test_a_state_that_does_not_fit_changes_nothing(state, error, message):
    module = small()
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        module.load_state_dict(state)
    assert numbers(module) == [5.0, 6.0]


# Files


def test_a_file_brings_a_network_back(tmp_path):
    net, other = network(1), network(2)
    net.save(tmp_path / "net.json")
    other.load(str(tmp_path / "net.json"))
    assert numbers(other) == numbers(net)
    assert other([0.3, 0.7]).data == net([0.3, 0.7]).data


def test_floats_come_back_bit_for_bit(tmp_path):
    bits = random.Random(0).getrandbits
    patterns = [struct.unpack("<d", bits(64).to_bytes(8, "little"))[0] for _ in range(3000)]
    edges = [0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1 / 3, 2.0**53 + 1, 1e22, 1e23]
    module, other = Module(), Module()
    module.w = [Value(x) for x in [*edges, *patterns] if math.isfinite(x)]
    other.w = [Value(1.0) for _ in module.w]
    module.save(tmp_path / "floats.json")
    other.load(tmp_path / "floats.json")
    assert [x.hex() for x in numbers(other)] == [x.hex() for x in numbers(module)]


def test_a_file_that_does_not_fit_says_which_and_why(tmp_path):
    path = tmp_path / "net.json"
    small().save(path)
    net = network()
    before = numbers(net)
    message = f"{path} does not fit the model: the state lacks 'layers.0.neurons.0.w.0' and 12 more"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        net.load(path)
    assert numbers(net) == before
    with pytest.raises(FileNotFoundError):
        net.load(tmp_path / "nothing.json")


def test_an_interruption_finds_all_parameters_loaded_or_none():
    net, found = MLP(2, [2], rng=1), []
    before = net.state_dict()
    after = {name: number + 1.0 for name, number in before.items()}
    for _ in everywhere(lambda: net.load_state_dict(after), Module, graph):
        found.append([before, after].index(net.state_dict()))
        net.load_state_dict(before)
    assert {*found} == {0, 1}
