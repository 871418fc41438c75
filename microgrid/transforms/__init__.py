"""Transforms: functions that differentiate functions, with JAX's names and conventions.

`gradients` has the derivatives, `vmap` maps a function over the rows of a batch. Every transform begins with a `run`:
it calls the function on fresh leaves in place of the arguments. `series` and `taylor` are Taylor mode. `nests` takes
lists, dicts and modules of numbers apart and puts them together again; `arrays` does the same for NumPy and pandas.
"""

from microgrid.engine.public import publish
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

__all__ = [
    "derivative",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "stop_gradient",
    "taylor",
    "value_and_grad",
    "vjp",
    "vmap",
]

__dir__ = publish(globals())
