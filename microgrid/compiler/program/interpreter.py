"""The interpreter: runs a program step by step on numbers and nodes, which records the graph of a call.

It serves where generated code does not: derivatives of derivatives, forward and Taylor mode, copies. It uses the
numbers of the call and never reads closures again, so a call can be replayed long after leaves have changed.
"""

from __future__ import annotations

from collections import ChainMap

from microgrid.compiler.program.form import AS_FLOAT, DETACH, SHARE, SOFTMAX, Guard, Loop, Program
from microgrid.compiler.source.templates import helpers
from microgrid.engine.operations import NUMBERS
from microgrid.engine.recording import apply, evaluate, flattened, has_value
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence
    from typing import Any


def interpreted(program: Program, given: Sequence[Any]) -> list[Any]:
    """Return the outputs of a program for `given` inputs: numbers and nodes."""
    outputs = outputs_of(program, dict(zip(program.inputs, given, strict=True)))
    assert outputs is not None, "generated code has checked all guards for these inputs"
    return outputs


def outputs_of(program: Program, known: MutableMapping[str, Any]) -> list[Any] | None:
    """Return the outputs of a program, or None if a guard fails; the numbers and nodes by name are added to `known`."""
    for step in program.steps:
        if isinstance(step, Guard):
            if not holds(step, found(step.operands, known)):
                return None
        elif isinstance(step, Loop):
            rows = [row_of(step, index, known) for index in range(step.length)]
            for column, results in zip(step.targets, zip(*rows, strict=True), strict=True):
                known.update(zip(column, results, strict=True))
        else:
            known[step.target] = result_of(step.rule, found(step.arguments, known))
    return [*found(program.outputs, known)]


def row_of(loop: Loop, index: int, known: MutableMapping[str, Any]) -> list[Any]:
    """Return the results of one row of a loop."""
    numbers = found(tuple([column[index] for column in loop.columns]), known)
    results = (outputs_of(path, ChainMap(dict(zip(path.inputs, numbers, strict=True)), known)) for path in loop.paths)
    return next(outputs for outputs in results if outputs is not None)  # generated code took one of the paths


def found(operands: tuple[Any, ...], known: MutableMapping[str, Any]) -> tuple[Any, ...]:
    """Return `operands` with names replaced by the numbers and nodes that they refer to, in sequences too."""
    return tuple(
        [
            known[operand] if type(operand) is str else found(operand, known) if type(operand) is tuple else operand
            for operand in operands
        ]
    )


def holds(guard: Guard, operands: Sequence[Any]) -> bool:
    """Return whether the test of a guard has its outcome on `operands`."""
    names = {f"x{index}": getattr(operand, "data", operand) for index, operand in enumerate(operands)}
    return bool(eval(guard.test.format(*names), {**NUMBERS, **helpers, **names}) == guard.outcome)


def result_of(rule: Rule, arguments: tuple[Any, ...]) -> Any:
    """Return the number or node that `rule` makes of `arguments`."""
    if rule is DETACH:
        (x,) = arguments
        return x.detach() if hasattr(x, "detach") else x
    if rule is SOFTMAX:
        return softmax(*arguments)
    if rule is SHARE:
        shares, index = arguments
        return shares[index]
    if rule is AS_FLOAT:
        return float(*arguments)
    if not has_value(flattened(arguments)):
        return evaluate(rule, arguments, NUMBERS)  # integers stay integers
    return apply(rule, *arguments)


def softmax(xs: Sequence[Any]) -> list[Any]:
    """Return the softmax of `xs`, by the same operations as in an eager run."""
    largest = max(getattr(x, "data", x) for x in xs)
    powers = [apply(RULES["exp"], apply(RULES["sub"], x, largest)) for x in xs]
    scale = apply(RULES["div"], 1, apply(RULES["total"], powers, 0.0))
    return [apply(RULES["mul"], power, scale) for power in powers]
