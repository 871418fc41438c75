"""The passes: plain functions from program to program, in the order in which they are applied.

No pass changes a result by a bit, nor which inputs raise an error.
"""

from __future__ import annotations

from functools import cache

from microgrid.compiler.program import DETACH, Guard, Program, Step, names_in, operands, renamed
from microgrid.conversions import MATH_ERRORS
from microgrid.operations import functions_for
from microgrid.pullbacks import expression, may_raise
from microgrid.recording import evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from microgrid.rules import Rule


def folded(program: Program) -> Program:
    """Return `program` with every step on numbers alone computed, and identities left out."""
    known: dict[str, Any] = {}
    steps: list[Step | Guard] = []
    for step in program.steps:
        arguments = renamed(operands(step), known)
        if isinstance(step, Guard):
            steps.append(step._replace(operands=arguments))
        elif (step.rule is DETACH and not isinstance(arguments[0], str)) or step.rule.name == "identity":
            known[step.target] = arguments[0]
        elif names_in(arguments):
            steps.append(step._replace(arguments=arguments))
        else:
            try:
                known[step.target] = float(evaluate(step.rule, arguments, functions_for("pull")))
            except MATH_ERRORS:
                steps.append(step._replace(arguments=arguments))
    return program._replace(steps=tuple(steps), outputs=renamed(program.outputs, known))


def shared(program: Program) -> Program:
    """Return `program` with steps that do the same done once; numbers are the same if they have the same bits."""
    known: dict[str, Any] = {}
    targets: dict[tuple[Any, ...], str] = {}
    steps: list[Step | Guard] = []
    for step in program.steps:
        arguments = renamed(operands(step), known)
        if isinstance(step, Guard):
            steps.append(step._replace(operands=arguments))
            continue
        key = (step.rule.name, repr(arguments))  # 0.0 and -0.0 differ, and nan is the same as itself
        if key in targets:
            known[step.target] = targets[key]
        else:
            targets[key] = step.target
            steps.append(step._replace(arguments=arguments))
    return program._replace(steps=tuple(steps), outputs=renamed(program.outputs, known))


@cache
def can_raise(rule: Rule) -> bool:
    """Return whether `rule` raises on some floats."""
    return any(may_raise(expression(text)) for text in rule.forward.split("; "))


def pruned(program: Program) -> Program:
    """Return `program` without the steps that nothing needs, if they cannot raise."""
    return program._replace(steps=needed(program.steps, names_in(program.outputs), can_raise))


def needed(
    steps: Sequence[Step | Guard], names: Iterable[str], keeps: Callable[[Rule], bool] = lambda rule: False
) -> tuple[Step | Guard, ...]:
    """Return the guards among `steps`, the steps that `names` need, and those of the rules that `keeps` tells."""
    live = set(names)
    kept: list[Step | Guard] = []
    for step in reversed(steps):
        if isinstance(step, Guard) or step.target in live or keeps(step.rule):
            live.update(names_in(operands(step)))
            kept.append(step)
    return tuple(reversed(kept))


PASSES = (folded, shared, pruned)


def optimised(program: Program) -> Program:
    """Return `program` after all passes."""
    for apply in PASSES:
        program = apply(program)
    program.check()
    return program
