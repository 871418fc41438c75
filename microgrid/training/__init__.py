"""Training: the loop that shows a model its data, epoch after epoch."""

from __future__ import annotations

from microgrid.training.fit import fit
from microgrid.training.history import History

__all__ = ["History", "fit"]
