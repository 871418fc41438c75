"""Pickles that an earlier version wrote load: one of every kind, in `pickles`."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from microgrid import losses, math, optim
from microgrid.engine.value import Value
from microgrid.nn import MLP
from microgrid.training import History

PICKLES = Path(__file__).parent / "pickles"


def loaded(name: str) -> Any:
    return pickle.loads((PICKLES / f"{name}.pickle").read_bytes())


def test_values() -> None:
    leaf = loaded("leaf")
    assert (type(leaf), leaf.data, leaf.label) == (Value, 2.0, "x")
    y, x = loaded("graph")
    before = x.grad
    x.grad = 0.0
    y.backward()
    assert y.data == math.tanh(3 * x.data + math.sin(x.data)) and x.grad == before != 0.0
    out = loaded("call")
    out.backward()
    assert out.data == 16.0


def test_models() -> None:
    assert repr(loaded("model")) == repr(MLP(2, [3, 1], rng=0))
    for module, inputs in zip(loaded("modules"), ([1.0, 2.0], 1, [1.0, 2.0], [1.0, 2.0]), strict=True):
        assert module.parameters() and module(inputs) is not None


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_optimisers(name: str) -> None:
    model, optimizer = loaded(name.lower())
    assert type(optimizer) is getattr(optim, name)
    before = [parameter.data for parameter in model.parameters()]
    optimizer.step()
    assert [parameter.data for parameter in model.parameters()] != before


def test_what_is_left() -> None:
    assert loaded("jitted")([1.0, 2.0], [1.0, 4.0]) == losses.mse_loss([1.0, 2.0], [1.0, 4.0]) == 2.0
    history = loaded("history")
    assert type(history) is History and len(history.loss) == 3
