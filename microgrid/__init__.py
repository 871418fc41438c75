"""microgrid: a pure-Python scalar autograd engine.

`Value` records a computation graph as it computes; `backward()` walks it and applies the chain rule. The submodules
(`draw`, `math`, `nn`, `losses`, `optim`, `training`, `datasets`) are imported when they are first used.

>>> from microgrid import Value
>>> x = Value(2.0)
>>> y = (x**2 + 1).log()
>>> y.backward()
>>> x.grad
0.8
"""

import sys as _sys

from microgrid.engine import graph as _graph
from microgrid.engine import operations as _operations
from microgrid.engine import recording as _recording  # gives Value its operators
from microgrid.engine.define import define_rule
from microgrid.engine.lost import LostDerivativeWarning
from microgrid.engine.modes import gc_paused, no_grad
from microgrid.engine.value import Value

TYPE_CHECKING: bool = False  # not known to be false: jedi would skip what is under it
if TYPE_CHECKING:
    from microgrid import datasets, draw, losses, math, nn, optim, training
    from microgrid.compiler.jit import jit
    from microgrid.engine.anomaly import AnomalyError, detect_anomaly
    from microgrid.transforms.gradients import (
        derivative,
        grad,
        hessian,
        hvp,
        jacfwd,
        jacobian,
        jacrev,
        jvp,
        stop_gradient,
        taylor,
        value_and_grad,
        vjp,
    )
    from microgrid.transforms.vmap import vmap

    __version__: str

__all__ = [
    "AnomalyError",
    "LostDerivativeWarning",
    "Value",
    "datasets",
    "define_rule",
    "derivative",
    "detect_anomaly",
    "draw",
    "gc_paused",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "losses",
    "math",
    "nn",
    "no_grad",
    "optim",
    "stop_gradient",
    "taylor",
    "training",
    "value_and_grad",
    "vjp",
    "vmap",
]

# What pickles of the first version name.
_sys.modules |= {f"{__name__}.graph": _graph, f"{__name__}.operations": _operations}
del _graph, _operations, _recording, _sys

# Imported at first use: submodules, and other names with the modules that they are in.
_SUBMODULES = ("datasets", "draw", "losses", "math", "nn", "optim", "training")
_HOMES = {"AnomalyError": "engine.anomaly", "detect_anomaly": "engine.anomaly", "jit": "compiler.jit"}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _version()
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'transforms')}"), name)


def _repr_svg_(self: Value) -> str:
    """Return what a notebook shows: the graph, if it is small."""
    from microgrid.draw.graphs.svg import for_cell

    return for_cell(self)


Value._repr_svg_ = _repr_svg_


def _version() -> str:
    """Return the version of the installed distribution; in a folder that was not installed none is known."""
    from importlib import metadata

    try:
        return metadata.version("microgrid-autograd")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


for _public in (LostDerivativeWarning, define_rule, gc_paused, no_grad):
    _public.__module__ = __name__
