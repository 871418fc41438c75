"""The passes: plain functions from program to program, in the order in which they are applied.

A pass changes no bit of a result, and which inputs raise an error stays the same.
"""

from __future__ import annotations

from functools import cache

from microgrid.compiler.program.form import DETACH, SOFTMAX, Guard, Loop, Program, Step, names_in, operands, renamed
from microgrid.engine.numbers import MATH_ERRORS
from microgrid.engine.operations import dependents, functions_for
from microgrid.engine.recording import evaluate
from microgrid.rules.derivatives import expression, may_raise
from microgrid.rules.table import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def folded(program: Program, floats: bool | None = None) -> Program:
    """Return `program` with steps on numbers alone computed, and identities and guards on numbers removed.

    A step that raises on its numbers stays, and raises whenever the program runs. Products with 1 are removed if all
    numbers are `floats`: for an integer `n`, `n * 1.0` is another number than `n`.
    """
    floats = not program.takes_integers if floats is None else floats
    known: dict[str, Any] = {}
    steps: list[Step | Guard | Loop] = []
    for step in program.steps:
        if isinstance(step, Loop):
            steps.append(step.renamed(known).changed(lambda path: folded(path, floats)))
            continue
        arguments = renamed(operands(step), known)
        if isinstance(step, Guard):
            steps += [Guard(step.test, arguments, step.outcome)] if names_in(arguments) else []
        elif (operand := unchanged(step.rule, arguments, floats)) is not None:
            known[step.target] = operand
        elif names_in(arguments) or step.rule is SOFTMAX:
            steps.append(Step(step.target, step.rule, arguments))
        else:
            try:
                known[step.target] = float(evaluate(step.rule, arguments, functions_for("pull")))
            except MATH_ERRORS:
                steps.append(Step(step.target, step.rule, arguments))
    return Program(program.inputs, tuple(steps), renamed(program.outputs, known))


def unchanged(rule: Rule, operands: tuple[Any, ...], floats: bool) -> Any:
    """Return the operand that is the result of `rule`, bit for bit, if one is; else None."""
    if rule.name == "identity" or (rule is DETACH and not isinstance(operands[0], str)):
        return operands[0]
    if floats and rule.name in ("mul", "div", "pow") and is_one(operands[1]):
        return operands[0]
    return operands[1] if floats and rule.name == "mul" and is_one(operands[0]) else None


def is_one(operand: Any) -> bool:
    """Return whether `operand` is the constant 1."""
    return type(operand) is float and operand == 1


@cache
def power_by(exponent: int) -> Rule:
    """Return the rule of `x ** exponent` by `x` alone, for a whole exponent other than zero, which excludes `0 ** 0`.

    >>> power_by(3).forward, power_by(3).partials
    ('x ** 3', {'x': '3 * x ** 2'})
    """
    partial = {1: "1", 2: "2 * x"}.get(exponent) or f"{exponent} * x ** {exponent - 1}"
    return Rule(f"pow{'_minus' * (exponent < 0)}_{abs(exponent)}(x)", f"x ** {exponent}", "power", x=partial)


def with_whole_powers(program: Program) -> Program:
    """Return `program` with powers by a constant whole exponent other than zero replaced by those of `power_by`."""
    steps = list(program.steps)
    for index, step in enumerate(steps):
        if isinstance(step, Step) and step.rule.name == "pow":
            exponent = step.arguments[1]
            if isinstance(exponent, float) and exponent and exponent.is_integer() and abs(exponent) < 1e15:
                steps[index] = Step(step.target, power_by(int(exponent)), step.arguments[:1])
        elif isinstance(step, Loop):
            steps[index] = step.changed(with_whole_powers)
    return program._replace(steps=tuple(steps))


def shared(program: Program) -> Program:
    """Return `program` with repeated steps done once; numbers are the same if they have the same bits."""
    known: dict[str, Any] = {}
    targets: dict[tuple[Any, ...], str] = {}
    steps: list[Step | Guard | Loop] = []
    for step in program.steps:
        if isinstance(step, Loop):
            steps.append(step.renamed(known).changed(shared))
            continue
        arguments = renamed(operands(step), known)
        if isinstance(step, Guard):
            steps.append(Guard(step.test, arguments, step.outcome))
            continue
        is_plain = all([isinstance(argument, str) for argument in arguments])
        # As numbers, 0.0 and -0.0 would be the same and nan would differ from itself; as text it is the reverse.
        key = (step.rule, *arguments) if is_plain else (step.rule, repr(arguments))
        if key in targets:
            known[step.target] = targets[key]
        else:
            targets[key] = step.target
            steps.append(Step(step.target, step.rule, arguments))
    return Program(program.inputs, tuple(steps), renamed(program.outputs, known))


@cache
def can_raise(rule: Rule) -> bool:
    """Return whether `rule` raises on some floats."""
    return any(may_raise(expression(text)) for text in rule.forward.split("; "))


dependents.add(can_raise)


def is_safe(step: Step, floats: bool) -> bool:
    """Return whether `step` never raises: a quotient of `floats` by a constant other than zero, for example.

    One of integers does, where they are too large for a float.
    """
    if floats and step.rule.name == "div" and type(step.arguments[1]) is float:
        return step.arguments[1] != 0
    return step.rule.name == "abs" or not can_raise(step.rule)


def pruned(program: Program) -> Program:
    """Return `program` without the steps that no output or guard needs and that cannot raise."""
    floats = not program.takes_integers
    live = set(names_in(program.outputs))
    kept: list[Step | Guard | Loop] = []
    for step in reversed(program.steps):
        if isinstance(step, Loop):
            step = pruned_loop(step, live)
            live.update(names_in(operands(step)))
            kept += [step] if step.targets or any(path.steps for path in step.paths) else []
        elif isinstance(step, Guard) or step.target in live or not is_safe(step, floats):
            live.update(names_in(operands(step)))
            kept.append(step)
    return program._replace(steps=tuple(reversed(kept)))


def pruned_loop(loop: Loop, live: set[str]) -> Loop:
    """Return `loop` without results that are `live` in no row, and the steps and columns that only they need."""
    results = [position for position, column in enumerate(loop.targets) if not live.isdisjoint(column)]
    loop = loop.changed(
        lambda path: pruned(path._replace(outputs=tuple([path.outputs[position] for position in results])))
    )
    used = {name for path in loop.paths for step in path.steps for name in names_in(operands(step))}
    used.update(name for path in loop.paths for name in names_in(path.outputs))
    numbers = [position for position, name in enumerate(loop.paths[0].inputs) if name in used]
    inputs = tuple([loop.paths[0].inputs[position] for position in numbers])
    return loop.changed(lambda path: path._replace(inputs=inputs))._replace(
        targets=tuple([loop.targets[position] for position in results]),
        columns=tuple([loop.columns[position] for position in numbers]),
    )


PASSES = (folded, with_whole_powers, shared, pruned)


def optimised(program: Program) -> Program:
    """Return `program` after all passes."""
    for apply in PASSES:
        program = apply(program)
    program.check()
    return program
