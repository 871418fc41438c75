"""Optimisers: how parameters follow their gradients, with the names, defaults and formulas of `torch.optim`.

A schedule is a plain function of the step count, passed as `lr`: `SGD(params, lr=lambda step: 0.1 * 0.99**step)`.
"""

from __future__ import annotations

from microgrid.engine.public import publish
from microgrid.optim.adam import Adam, AdamW
from microgrid.optim.clipping import clip_grad_norm_, clip_grad_value_
from microgrid.optim.optimizer import Optimizer
from microgrid.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "clip_grad_norm_", "clip_grad_value_"]

__dir__ = publish(globals())
