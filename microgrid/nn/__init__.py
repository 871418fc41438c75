"""Neural networks of `Value`s: neurons, layers, and other modules to build a network from.

A network is a nest of `Module`s; a module finds its parameters in its attributes, also within lists and dicts. There
are no tensors: a layer takes a sequence of numbers or `Value`s, which is one sample. `Neuron`, `Layer` and `MLP` have
micrograd's arguments and defaults, `LSTMCell` and `Embedding` those of PyTorch.
"""

from __future__ import annotations

from microgrid.engine.numbers import random_source
from microgrid.engine.public import publish
from microgrid.nn.activations import activation_function, activation_name
from microgrid.nn.embedding import Embedding
from microgrid.nn.initialisers import (
    constant,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    normal,
    uniform,
    zeros,
)
from microgrid.nn.module import Frozen, Module
from microgrid.nn.perceptrons import MLP, Layer, Neuron, Sequential
from microgrid.nn.recurrent import LSTMCell

__all__ = [
    "MLP",
    "Embedding",
    "Frozen",
    "LSTMCell",
    "Layer",
    "Module",
    "Neuron",
    "Sequential",
    "activation_function",
    "activation_name",
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "normal",
    "random_source",
    "uniform",
    "zeros",
]

__dir__ = publish(globals())
