"""Parts of generated functions: what a function does with numbers, as a program whose names can be chosen.

So programs of several functions come to stand side by side in one: the losses of samples, the update of a parameter.
"""

from __future__ import annotations

import re

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.program.form import Program, Step
from microgrid.compiler.program.passes import optimised
from microgrid.compiler.trace.trace import Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from microgrid.engine.value import Value

FOLLOWED = True  # by traces: see `compiler.trace.instrument`

# What generated code calls its own: an operation of that name cannot be called there.
OWN = re.compile(
    r"training_steps|updated|numbers|leaves|batches|rates|losses|missed|rows?|scale|hidden|steps|lr|loss|parameters|gradients|"
    r"(states|new)\d+|state\d+(_of\d+)?|"
    r"(parameter|gradient|input|whole|leaf)\d*"
)


def traced(
    function: Callable[..., Sequence[Any]], numbers: Sequence[float], whole: Collection[int] = ()
) -> tuple[Program, list[Value]]:
    """Return what `function` does with `numbers` as a program, and the values of others that it uses.

    Args:
        function: takes the numbers.
        numbers: those that it is traced with.
        whole: the positions of those that may be integers. Of which it matters, the program gets unconverted too: as
            inputs called `whole` and the position, which stand before the values of others.

    Raises:
        Unfit: if it does something that a program cannot tell, or raises an error: it may be one of the trace.
    """
    trace = Trace(list(map(float, numbers)), numbers, rolls=False, whole=whole)
    program = trace.checked_program(trace.run(function, *trace.inputs))
    for name in {step.rule.name for step in program.steps if isinstance(step, Step)}:
        if OWN.fullmatch(name):
            raise Unfit(f"an operation is called {name}, a name that generated code has for something else")
    for value in trace.externals:
        if value.op is not None:
            raise Unfit(f"it uses a node that was made before, {value!r:.60}")
        if type(value.data) is not float:
            raise Unfit(f"it uses a leaf that is no float, {value!r:.60}")
    return optimised(program), trace.externals
