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

from microgrid import recording as _recording  # gives Value its operators
from microgrid.engine import Value
from microgrid.extend import define_rule
from microgrid.lost import LostDerivativeWarning
from microgrid.modes import gc_paused, no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from microgrid import datasets, draw, losses, math, nn, optim, training
    from microgrid.anomaly import detect_anomaly
    from microgrid.batches import vmap
    from microgrid.compiler.jit import jit
    from microgrid.transforms import (
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

    __version__: str

__all__ = [
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

del _recording

# What is imported when it is first used, and the modules of what is no module itself.
_SUBMODULES = ("datasets", "draw", "losses", "math", "nn", "optim", "training")
_HOMES = {"detect_anomaly": "anomaly", "jit": "compiler.jit", "vmap": "batches"}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _version()
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'transforms')}"), name)


def _version() -> str:
    """Return the version of the installed distribution; in a folder that was not installed none is known."""
    from importlib import metadata

    try:
        return metadata.version("microgrid-autograd")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
