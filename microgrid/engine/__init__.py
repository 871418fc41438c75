"""The engine: `Value`, a number that remembers how it was computed, and the chain rule over the graph of them.

`node` has the slots, `value` has `backward()`; the operators and methods in `methods` are made of the calculus table.
`graph` walks over graphs, `operations` are what a node was made by, `recording` makes nodes, `sweeps` keep adjoints and
tangents in tables, `modes` change what is recorded, `anomaly` finds the first bad number, `define` adds operations.
`numbers` says what counts as one.
"""

from microgrid.engine.public import publish
from microgrid.engine.value import Value

__all__ = ["Value"]

__dir__ = publish(globals())
