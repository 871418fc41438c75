"""Translation: a recorded run becomes the steps of a program."""

from __future__ import annotations

from microgrid.compiler.program.form import AS_FLOAT, DETACH, INDEX, Guard, Loop, Program, Step
from microgrid.compiler.trace.names import Names
from microgrid.compiler.trace.rolling import Roller
from microgrid.compiler.trace.rows import Alias, Irregular, Rows
from microgrid.engine import graph
from microgrid.engine.operations import BASE_FUNCTIONS
from microgrid.rules import marks
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from microgrid.compiler.trace.recorder import Recorder
    from microgrid.engine.value import Value

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

MIXED = ("add", "sub", "mul", "div")  # of an integer and a float, Python's own arithmetic converts the integer
OWN = ("d", "p", "row", "kept")  # prefixes of other names in generated code


class Translator:
    """Makes the program of a recorded run.

    Args:
        run: the recorded run.
    """

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self.names = Names(run)

    def program(self, outputs: Sequence[Any]) -> Program:
        """Return the program of the run; `outputs` are the leaves of the result."""
        run, names = self.run, self.names
        while True:
            names.restart()
            try:
                steps, named = self.steps(unrolled(run.events)), tuple(map(names.name_as_is, outputs))
            except Irregular as found:
                found.rows.are_regular = False
                continue
            inputs = [f"input{position}" for position in range(len(run.inputs))]
            if run.keeps_types:
                inputs += [f"whole{position}" for position in sorted(run.wholes)]
            return Program((*inputs, *(f"leaf{index}" for index in range(len(run.externals)))), tuple(steps), named)

    def steps(self, events: Sequence[Any], prefix: str = "") -> list[Any]:
        """Return the steps of `events`; names end in `prefix` and the index of the event."""
        steps: list[Step | Guard | Loop] = []
        for position, event in enumerate(events):
            suffix = f"{prefix}{position}"
            if isinstance(event, Guard):
                name = self.names.name_as_is if event.test == INDEX else self.names.name
                steps.append(event._replace(operands=tuple(map(name, event.operands))))
            elif isinstance(event, Alias):
                self.names.alias([event], [self.names.name(event.source)])
            elif isinstance(event, Rows):
                steps.append(Roller(self.names, self.steps, suffix, event).loop())
            elif event[1] is not None:
                self.add_operation(steps, suffix, *event)
            else:
                self.add_leaf(steps, suffix, *event[::2])
        return steps

    def names_of(self, steps: list[Any], suffix: str, operands: Iterable[Any]) -> list[Any]:
        """Return the names of operands of a function of floats, after adding the steps that convert integers."""
        names: list[Any] = []
        for operand in operands:
            name = self.names.name(operand)
            if isinstance(operand, tuple):
                name = tuple(self.names_of(steps, f"{suffix}_{len(names)}", operand))
            elif self.run.keeps_types and self.run.is_computed(operand):
                target = variable(AS_FLOAT, f"{suffix}_{len(names)}")
                steps.append(Step(target, AS_FLOAT, (name,)))
                name = target
            names.append(name)
        return names

    def add_operation(self, steps: list[Any], suffix: str, node: Value, op: Any, x: Any, y: Any) -> None:
        """Add the steps for the node of an operation."""
        target = variable(op.rule, suffix)
        given = graph.operands(op, x, y)
        if id(node) in self.run.exact or id(node) in self.run.quotients:
            names = list(map(self.names.name_as_is, given))
        elif op.rule.name in MIXED:
            names = list(map(self.names.name, given))
        else:
            names = self.names_of(steps, suffix, given)
        steps.append(Step(target, op.rule, tuple(names)))
        if node.op is None:  # made under no_grad
            steps.append(Step(f"{target}_", DETACH, (target,)))
            target += "_"
        sources = self.run.sources.get(id(node))
        is_value = map(self.run.is_value, given) if sources is None else map(self.names.is_source, sources)
        self.names.give(node, target, any(is_value))

    def add_leaf(self, steps: list[Any], suffix: str, leaf: Value, source: Value | None) -> None:
        """Add the step for a new leaf: a constant, or the number of another `Value`."""
        if source is None:
            self.names.give(leaf, leaf.data)
            return
        rule = DETACH if leaf.op is None else RULES["identity"]  # a transform made it a node afterwards
        steps.append(Step(variable(rule, suffix), rule, tuple(self.names_of(steps, suffix, [source]))))
        self.names.give(leaf, variable(rule, suffix), self.run.is_value(source))


def unrolled(events: Iterable[Any]) -> list[Any]:
    """Return the events with rows that cannot be a loop replaced by their events."""
    found: list[Any] = []
    for event in events:
        found += event.events() if isinstance(event, Rows) and not event.are_regular else [event]
    return found


def variable(rule: Rule, suffix: int | str) -> str:
    """Return a name for the result of `rule`: the name of the rule and a suffix, distinct from other names in the code.

    >>> variable(RULES["mul"], 3), variable(RULES["log"], "2_0")
    ('mul_3', 'log_2_0')
    """
    name = f"{rule.name}_{suffix}"
    taken = name in BASE_FUNCTIONS or name in RULES or rule.name in OWN or rule.name.startswith(("d_", "p_"))
    taken = taken or rule.name.rpartition("_")[2].isdigit()  # `f_1` with suffix 2 would be `f` in the loop 1
    return f"{rule.name}__{suffix}" if taken else name
