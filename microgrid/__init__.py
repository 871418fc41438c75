"""microgrid: a pure-Python scalar autograd engine.

`Value` records a computation graph as it computes; `backward()` walks it and applies the chain rule. The submodules
(`math`, `nn`, `losses`, `optim`) are imported when they are first used.

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
from microgrid.modes import gc_paused, no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from microgrid import losses, math, nn, optim
    from microgrid.anomaly import detect_anomaly

__all__ = ["Value", "define_rule", "detect_anomaly", "gc_paused", "losses", "math", "nn", "no_grad", "optim"]


del _recording


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name == "detect_anomaly":
        return import_module(f"{__name__}.anomaly").detect_anomaly
    return import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
