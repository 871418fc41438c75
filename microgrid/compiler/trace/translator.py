"""Translation: a recorded run becomes the steps of a program."""

from __future__ import annotations

from microgrid.compiler.program.form import AS_FLOAT, DETACH, INDEX, Guard, Loop, Program, Step
from microgrid.compiler.trace.names import Names
from microgrid.compiler.trace.rolling import Roller
from microgrid.compiler.trace.rows import Alias, Irregular, Rows
from microgrid.engine import graph
from microgrid.engine.operations import BASE_FUNCTIONS
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from microgrid.compiler.trace.recorder import Recorder
    from microgrid.engine.value import Value

FOLLOWED = True  # by traces: see `compiler.trace.instrument`

MIXED = ("add", "sub", "mul", "div")  # what Python does with an integer and a float as with two floats
OWN = ("d", "p", "row", "kept")  # what other names in generated code begin with


class Translator:
    """Makes the program of a recorded run.

    Args:
        run: the recorded run.
    """

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self.names = Names(run)

    def program(self, outputs: Sequence[Any]) -> Program:
        """Return what happened as a program; `outputs` are the leaves of the result."""
        run, names = self.run, self.names
        while True:
            names.meet_all()
            try:
                steps, named = self.steps(unrolled(run.events)), tuple(map(names.name_as_is, outputs))
            except Irregular as found:
                found.rows.are_regular = False
                continue
            inputs = [f"input{place}" for place in range(len(run.inputs))]
            if run.keeps_types:
                inputs += [f"whole{place}" for place in sorted(run.wholes)]
            return Program((*inputs, *(f"leaf{index}" for index in range(len(run.externals)))), tuple(steps), named)

    def steps(self, events: Sequence[Any], prefix: str = "") -> list[Any]:
        """Return the steps that `events` are; names end in `prefix` and a number."""
        steps: list[Step | Guard | Loop] = []
        for place, event in enumerate(events):
            number = f"{prefix}{place}"
            if isinstance(event, Guard):
                name = self.names.name_as_is if event.test == INDEX else self.names.name
                steps.append(event._replace(operands=tuple(map(name, event.operands))))
            elif isinstance(event, Alias):
                self.names.stand_for([event], [self.names.name(event.source)])
            elif isinstance(event, Rows):
                steps.append(Roller(self.names, self.steps, number, event).loop())
            elif event[1] is not None:
                self.add_operation(steps, number, *event)
            else:
                self.add_leaf(steps, number, *event[::2])
        return steps

    def names_of(self, steps: list[Any], number: str, operands: Iterable[Any]) -> list[Any]:
        """Return the names of what a function takes as floats, after adding the steps that convert them."""
        names: list[Any] = []
        for operand in operands:
            name = self.names.name(operand)
            if isinstance(operand, tuple):
                name = tuple(self.names_of(steps, f"{number}_{len(names)}", operand))
            elif self.run.keeps_types and self.run.is_computed(operand):
                target = variable(AS_FLOAT, f"{number}_{len(names)}")
                steps.append(Step(target, AS_FLOAT, (name,)))
                name = target
            names.append(name)
        return names

    def add_operation(self, steps: list[Any], number: str, node: Value, op: Any, x: Any, y: Any) -> None:
        """Add the steps for a node that an operation made."""
        target = variable(op.rule, number)
        given = graph.operands(op, x, y)
        if id(node) in self.run.exact or id(node) in self.run.quotients:
            names = list(map(self.names.name_as_is, given))
        elif op.rule.name in MIXED:
            names = list(map(self.names.name, given))
        else:
            names = self.names_of(steps, number, given)
        steps.append(Step(target, op.rule, tuple(names)))
        if node.op is None:  # made under no_grad
            steps.append(Step(f"{target}_", DETACH, (target,)))
            target += "_"
        sources = self.run.sources.get(id(node))
        is_value = map(self.run.is_value, given) if sources is None else map(self.names.is_source, sources)
        self.names.give(node, target, any(is_value))

    def add_leaf(self, steps: list[Any], number: str, leaf: Value, source: Value | None) -> None:
        """Add the step for a leaf that was made: of a number, or with that of another one."""
        if source is None:
            self.names.give(leaf, leaf.data)
            return
        rule = DETACH if leaf.op is None else RULES["identity"]  # a transform made it a node afterwards
        steps.append(Step(variable(rule, number), rule, tuple(self.names_of(steps, number, [source]))))
        self.names.give(leaf, variable(rule, number), self.run.is_value(source))


def unrolled(events: Iterable[Any]) -> list[Any]:
    """Return what was recorded, with what happened in rows that are no loop in their place."""
    found: list[Any] = []
    for event in events:
        found += event.events() if isinstance(event, Rows) and not event.are_regular else [event]
    return found


def variable(rule: Rule, number: int | str) -> str:
    """Return a name for the result of `rule`, made from the rule's: not one that something else has.

    >>> variable(RULES["mul"], 3), variable(RULES["log"], "2_0")
    ('mul_3', 'log_2_0')
    """
    name = f"{rule.name}_{number}"
    taken = name in BASE_FUNCTIONS or name in RULES or rule.name in OWN or rule.name.startswith(("d_", "p_"))
    taken = taken or rule.name.rpartition("_")[2].isdigit()  # as what is in a loop
    return f"{rule.name}__{number}" if taken else name
