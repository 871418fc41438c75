"""The passes: plain functions from program to program, in the order in which they are applied.

No pass changes a result by a bit, nor which inputs raise an error.
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
    """Return `program` with every step on numbers alone computed; identities and decisions on numbers are left out.

    A step that raises on its numbers stays, and raises whenever the program runs. So does a product with 1 that may
    make a float of an integer: with `floats` there are none.
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
    """Return the operand that is the result of `rule`, bit for bit; None if there is none."""
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
    """Return the rule of `x ** exponent` alone, for a whole number other than zero: it needs no care about `0 ** 0`.

    >>> power_by(3).forward, power_by(3).partials
    ('x ** 3', {'x': '3 * x ** 2'})
    """
    partial = {1: "1", 2: "2 * x"}.get(exponent) or f"{exponent} * x ** {exponent - 1}"
    return Rule(f"pow{'_minus' * (exponent < 0)}_{abs(exponent)}(x)", f"x ** {exponent}", "power", x=partial)


def with_whole_powers(program: Program) -> Program:
    """Return `program` with powers by a constant whole number other than zero as operations of their own."""
    steps = list(program.steps)
    for number, step in enumerate(steps):
        if isinstance(step, Step) and step.rule.name == "pow":
            exponent = step.arguments[1]
            if isinstance(exponent, float) and exponent and exponent.is_integer() and abs(exponent) < 1e15:
                steps[number] = Step(step.target, power_by(int(exponent)), step.arguments[:1])
        elif isinstance(step, Loop):
            steps[number] = step.changed(with_whole_powers)
    return program._replace(steps=tuple(steps))


def shared(program: Program) -> Program:
    """Return `program` with steps that do the same done once; numbers are the same if they have the same bits."""
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
        # As text, 0.0 and -0.0 differ, and nan is the same as itself.
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


def is_safe(step: Step) -> bool:
    """Return whether `step` raises on no floats: a quotient by a constant other than zero does not, say."""
    if step.rule.name == "div" and type(step.arguments[1]) is float:
        return step.arguments[1] != 0
    return step.rule.name == "abs" or not can_raise(step.rule)


def pruned(program: Program) -> Program:
    """Return `program` without the steps that nothing needs, if they cannot raise."""
    live = set(names_in(program.outputs))
    kept: list[Step | Guard | Loop] = []
    for step in reversed(program.steps):
        if isinstance(step, Loop):
            step = pruned_loop(step, live)
            live.update(names_in(operands(step)))
            kept += [step] if step.targets or any(way.steps for way in step.ways) else []
        elif isinstance(step, Guard) or step.target in live or not is_safe(step):
            live.update(names_in(operands(step)))
            kept.append(step)
    return program._replace(steps=tuple(reversed(kept)))


def pruned_loop(loop: Loop, live: set[str]) -> Loop:
    """Return `loop` without the results of which none is in `live`, and what only they need."""
    results = [place for place, column in enumerate(loop.targets) if not live.isdisjoint(column)]
    loop = loop.changed(lambda way: pruned(way._replace(outputs=tuple([way.outputs[place] for place in results]))))
    used = {name for way in loop.ways for step in way.steps for name in names_in(operands(step))}
    used.update(name for way in loop.ways for name in names_in(way.outputs))
    numbers = [place for place, name in enumerate(loop.ways[0].inputs) if name in used]
    inputs = tuple([loop.ways[0].inputs[place] for place in numbers])
    return loop.changed(lambda way: way._replace(inputs=inputs))._replace(
        targets=tuple([loop.targets[place] for place in results]),
        columns=tuple([loop.columns[place] for place in numbers]),
    )


PASSES = (folded, with_whole_powers, shared, pruned)


def optimised(program: Program) -> Program:
    """Return `program` after all passes."""
    for apply in PASSES:
        program = apply(program)
    program.check()
    return program
