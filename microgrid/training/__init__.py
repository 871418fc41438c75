"""Training: `fit` shows a model its data epoch after epoch, `sweep` runs many such jobs at once."""

from __future__ import annotations

from microgrid.engine.public import publish
from microgrid.training.fit import fit
from microgrid.training.history import History
from microgrid.training.recorder import Recorder
from microgrid.training.sweep import Result, SerialExecutor, sweep

__all__ = ["History", "Recorder", "Result", "SerialExecutor", "fit", "sweep"]

__dir__ = publish(globals())
