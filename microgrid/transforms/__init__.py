"""Transforms: functions that differentiate functions, with JAX's names and conventions.

`gradients` has them, `vmap` maps a function over the rows of batches. `run` runs a function on leaves of its own, which
is what all of them begin with; `series` and `taylor` do Taylor mode; `nests` walk through nests of numbers, and
`arrays` tell what others keep numbers in.
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
