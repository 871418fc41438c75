"""Programs for generated functions that combine several: the loss of each sample, the update of each parameter."""

from __future__ import annotations

import re

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.program.form import Program, Step
from microgrid.compiler.program.passes import optimised
from microgrid.compiler.trace.trace import Trace
from microgrid.rules import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from microgrid.engine.value import Value

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

# Local names of generated code: an operation of that name would be hidden there.
OWN_NAMES = re.compile(
    r"training_steps|updated|numbers|leaves|batches|rates|losses|missed|rows?|scale|hidden|steps|lr|loss|parameters|gradients|"
    r"(states|new)\d+|state\d+(_of\d+)?|"
    r"(parameter|gradient|input|whole|leaf)\d*"
)


def traced_program(
    function: Callable[..., Sequence[Any]], numbers: Sequence[float], whole: Collection[int] = ()
) -> tuple[Program, list[Value]]:
    """Return the program of `function` on `numbers`, and the external `Value`s that it uses.

    Args:
        function: takes the numbers.
        numbers: its arguments in the run that is traced.
        whole: the positions of arguments that may be integers. If it matters for one, such as an index, the program
            gets it unconverted as well, as an input called `whole` and the position; externals follow after these.

    Raises:
        Unfit: if it does something that a program cannot express, or raises an error, which only a trace may meet.
    """
    trace = Trace(list(map(float, numbers)), numbers, rolls=False, whole=whole)
    program = trace.checked_program(trace.run(function, *trace.inputs))
    for name in {step.rule.name for step in program.steps if isinstance(step, Step)}:
        if OWN_NAMES.fullmatch(name):
            raise Unfit(f"an operation is called {name}, a name that generated code has for something else")
    for value in trace.externals:
        if value.op is not None:
            raise Unfit(f"it uses a node that was made before, {value!r:.60}")
        if type(value.data) is not float:
            raise Unfit(f"it uses a leaf that is not a float, {value!r:.60}")
    return optimised(program), trace.externals
