"""Source from programs: plain Python on local floats, made to be read.

A value that is used once is written where it is used, as far as a line stays short; every adjoint is one expression,
the sum of what it gains from the results that the value went into.
"""

from __future__ import annotations

from collections import Counter

from microgrid.compiler.program.form import SHARE, SOFTMAX, Guard, Loop, Program, Step, names_in, operands
from microgrid.compiler.source.templates import ATOM, LOOSE, SPREAD, SUM, meanings, recipe, rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from microgrid.compiler.source.templates import Gain, Template

LONGEST = 100  # characters of an expression that is written in the place of a name
TERMS = 40  # of a sum in one statement: the parser's stack is bounded


def kept_together(terms: list[str]) -> list[str]:
    """Return `terms` as they stand in a sum: a choice in parentheses, unless it is the only one."""
    return [f"({term})" if " if " in term else term for term in terms] if len(terms) > 1 else terms


def joined(terms: Iterable[str]) -> str:
    """Return the text of a sum.

    >>> joined(["a", "-b", "c * d"])
    'a - b + c * d'
    """
    first, *others = terms
    return first + "".join([f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in others])


def summed(target: str, terms: list[str]) -> list[str]:
    """Return the statements that make `target` the sum of `terms`, from left to right."""
    terms = kept_together(terms)
    lines = [f"{target} = {joined(terms[:TERMS])}"]
    for start in range(TERMS, len(terms), TERMS):
        lines.append(f"{target} = {joined([target, *terms[start : start + TERMS]])}")
    return lines


def unpacked(names: Sequence[str], source: str) -> list[str]:
    """Return the statement that gives the elements of `source` their names.

    >>> unpacked(["x"], "numbers"), unpacked([], "numbers")
    (['x, = numbers'], [])
    """
    return [f"{', '.join(names)}{',' * (len(names) == 1)} = {source}"] if names else []


def indented(lines: Iterable[str]) -> list[str]:
    """Return `lines` as those of a block."""
    return ["    " + line for line in lines]


def as_function(name: str, parameters: str, lines: Sequence[str]) -> str:
    """Return the source of a function."""
    return "\n    ".join([f"def {name}({parameters}):", *lines]) + "\n"


def dependents(program: Program, wanted: Iterable[str]) -> set[str]:
    """Return the names that depend on what is wanted, through partials that are not zero."""
    active = set(wanted)
    for step in program.steps:
        if isinstance(step, Step) and recipe(step.rule).gains_by(step.arguments, active):
            active.add(step.target)
        elif isinstance(step, Loop):
            active.update(dependents_of(step, active))
    return active


def dependents_of(loop: Loop, active: set[str]) -> Iterator[str]:
    """Yield the results of a loop that depend on the names `active`."""
    for way in loop.ways:
        numbers = [name for name, column in zip(way.inputs, loop.columns, strict=True) if not active.isdisjoint(column)]
        inside = dependents(way, [*active.intersection(way.outside()), *numbers])
        for output, column in zip(way.outputs, loop.targets, strict=True):
            if output in inside:
                yield from column


class Writer:
    """Writes the statements of one program.

    Args:
        program: what is computed.
        wanted: the names by which the outputs are differentiated.

    Attributes:
        active: the names that depend on what is wanted, through partials that are not zero.
    """

    def __init__(self, program: Program, wanted: Iterable[str] = ()) -> None:
        self.program, self.wanted = program, list(wanted)
        self.active = dependents(program, self.wanted)
        self.texts: dict[str, tuple[str, int]] = {}  # what is written in the place of a name, and its level
        self.gains: dict[str, list[Gain]] = {}
        self.backwards: set[str] = set()  # the names that the reverse pass speaks of
        self.fixed: set[str] = set()  # the names that are used twice within one text
        self.skipped: set[str] = set()  # those whose text would not always be evaluated where it is used
        self.raising: set[str] = set()  # those whose text may raise
        self.adjoints: dict[str, str] = {}  # the texts of those of the results of softmax
        self.shares: dict[str, dict[int, str]] = {}  # these results, by their numbers
        used = names_in(program.outputs)
        for step in program.steps:
            used += names_in(operands(step))
            if isinstance(step, Step):
                self.look_at(step)
        self.uses = Counter(used)

    def look_at(self, step: Step) -> None:
        """Take note of what the text of `step`, and of its part in the reverse pass, will speak of."""
        arguments, made = step.arguments, recipe(step.rule)
        if step.rule is SHARE:
            whole, index = arguments
            self.shares[whole][index] = step.target
        elif step.rule is SOFTMAX:
            self.shares[step.target] = {index: f"{step.target}_{index}" for index in range(len(arguments[0]))}
            self.fixed.update(names_in(arguments))
        for position in made.repeated:
            self.fixed.update(names_in((arguments[position],)))
        for position in made.skipped:
            self.skipped.update(names_in((arguments[position],)))
        if step.target in self.active:
            self.gains[step.target] = gains = made.gains_by(arguments, self.active)
            for gain in gains:
                self.backwards.update(names_in(tuple([arguments[position] for position in gain.positions])))
                if gain.uses_out:
                    self.backwards.add(step.target)

    # Operands

    def text(self, operand: Any, level: int = ATOM) -> str:
        """Return the text of an operand, in parentheses where it holds together less than `level`."""
        if isinstance(operand, str):
            text, own = self.texts.get(operand, (operand, ATOM))
            return text if own >= level else f"({text})"
        if isinstance(operand, tuple):
            inside = ", ".join([self.text(element, LOOSE) for element in operand])
            return inside if level == SPREAD else f"[{inside}]"
        text = repr(operand)
        return f"({text})" if text.startswith("-") and level > LOOSE else text

    def bare(self, operand: Any) -> str:
        """Return the text of an operand that stands by itself."""
        return self.text(operand, LOOSE)

    def filled(self, template: Template, given: Mapping[str, Any]) -> str:
        """Return the text of `template`, with operands in its places."""
        return template.text.format(*[self.text(given[place], level) for place, level in template.fields])

    # Forwards

    def forward(self, missed: str = "return None") -> list[str]:
        """Return the statements that compute the program; where a guard fails, the statements `missed`."""
        lines: list[str] = []
        for step in self.program.steps:
            lines += self.lines_of(step, missed)
        return lines

    def lines_of(self, step: Step | Guard | Loop, missed: str) -> list[str]:
        """Return the statements of one step."""
        assert not isinstance(step, Loop)
        return self.statement(step) if isinstance(step, Step) else self.decision(step, missed)

    def decision(self, guard: Guard, missed: str) -> list[str]:
        """Return the statement that does `missed` where a guard fails."""
        return [f"if {self.failure(guard)}:", *indented(missed.splitlines())]

    def failure(self, guard: Guard) -> str:
        """Return the text of what holds where a guard fails."""
        test = guard.test.format(*[self.text(operand, SUM) for operand in guard.operands])
        if guard.outcome is True:
            return f"not ({test})"
        return test if guard.outcome is False else f"{test} != {guard.outcome!r}"

    def statement(self, step: Step) -> list[str]:
        """Return the statements that compute `step`; none if its text goes where it is used."""
        if step.rule is SOFTMAX:
            return self.softmax(step)
        if step.rule is SHARE:  # made with the others
            return []
        start, *strides = recipe(step.rule).forward
        given = meanings(step.rule, step.target, step.arguments)
        if strides:
            return self.fold(step, start, strides[0], given)
        text, target = self.filled(start, given), step.target
        if text.isidentifier():  # another name of the same
            self.texts[target] = text, ATOM
            return []
        if target in self.backwards or self.uses[target] > 1:
            return [f"{target} = {text}"]
        if not self.uses[target]:
            return [text]  # it may raise
        raises = recipe(step.rule).raises or not self.raising.isdisjoint(names_in(step.arguments))
        if len(text) > LONGEST or target in self.fixed or (raises and target in self.skipped):
            return [f"{target} = {text}"]
        if raises:
            self.raising.add(target)
        self.texts[target] = text, start.level
        return []

    def fold(self, step: Step, start: Template, stride: Template, given: Mapping[str, Any]) -> list[str]:
        """Return the statements of a result that is taken plainly from left to right over sequences."""
        strides = [self.filled(stride, {**given, **row}) for row in rows_of(step.rule, step.arguments)]
        first, plus = self.filled(start, given), f"{step.target} + "
        if stride.text.startswith("{} + ") and stride.fields[0][0] == "out" and "out" in stride.once:
            return summed(step.target, [first, *(text.removeprefix(plus) for text in strides)])
        return [f"{step.target} = {text}" for text in (first, *strides)]

    def softmax(self, step: Step) -> list[str]:
        """Return the statements that compute all results of softmax."""
        first, *others = texts = [self.bare(x) for x in step.arguments[0]]
        shares = self.shares[step.target].values()
        largest, scale = f"{step.target}_largest", f"{step.target}_scale"
        lines = [f"{largest} = {first}"]
        for text in others:
            lines += [f"if {text} > {largest}:", f"    {largest} = {text}"]
        lines += [f"{share} = exp({text} - {largest})" for share, text in zip(shares, texts, strict=True)]
        *before, last = summed(scale, [*shares])
        total = last.removeprefix(f"{scale} = ")
        return [*lines, *before, f"{scale} = 1.0 / ({total})", *(f"{share} *= {scale}" for share in shares)]

    # Backwards

    def backward(self, adjoints: Mapping[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
        """Return the statements of the reverse pass, and the terms of the adjoint of each wanted name.

        Args:
            adjoints: the terms that the adjoints of the outputs begin with.
        """
        lines: list[str] = []
        gained = {name: list(terms) for name, terms in adjoints.items()}
        for step in reversed(self.program.steps):
            lines += self.reverse_of(step, gained)
        return lines, {name: gained.get(name, []) for name in self.wanted}

    def reverse_of(self, step: Step | Guard | Loop, gained: dict[str, list[str]]) -> list[str]:
        """Add to `gained` what the arguments of one step gain; return the statements that prepare it."""
        if not isinstance(step, Step) or step.target not in self.gains or not gained.get(step.target):
            return []
        terms = gained.pop(step.target)
        lines: list[str] = []
        g = terms[0]
        if len(terms) > 1 or not g.isidentifier():
            g = f"d_{step.target}"
            lines += summed(g, terms)
        if step.rule is SHARE:
            self.adjoints[step.target] = g
        elif step.rule is SOFTMAX:
            self.softmax_gains(step, g, gained)
            return lines
        given = meanings(step.rule, step.target, step.arguments) | {"g": g}
        for gain in self.gains[step.target]:
            lines += self.handed_on(step, gain, given, gained)
        return lines

    def softmax_gains(self, step: Step, g: str, gained: dict[str, list[str]]) -> None:
        """Add to `gained` what the arguments of softmax gain: `g` is the sum of the results times their adjoints."""
        for x, share in zip(step.arguments[0], self.shares[step.target].values(), strict=True):
            if x in self.active:
                own = self.adjoints.get(share)
                gained.setdefault(x, []).append(f"({own} - {g}) * {share}" if own else f"-({g} * {share})")

    def handed_on(self, step: Step, gain: Gain, given: Mapping[str, Any], gained: dict[str, list[str]]) -> list[str]:
        """Add to `gained` what an argument of `step` gains; return the statements that prepare it."""
        argument = step.arguments[gain.position]
        if not isinstance(argument, tuple):
            gained.setdefault(argument, []).append(self.filled(gain.template, given))
        elif gain.is_whole:
            names = [f"p_{step.target}_{gain.argument}_{index}" for index in range(len(argument))]
            for element, name in zip(argument, names, strict=True):
                if element in self.active:
                    gained.setdefault(element, []).append(name)
            return unpacked(names, self.filled(gain.template, given))
        else:
            for element, row in zip(argument, rows_of(step.rule, step.arguments), strict=True):
                if element in self.active:
                    gained.setdefault(element, []).append(self.filled(gain.template, {**given, **row}))
        return []
