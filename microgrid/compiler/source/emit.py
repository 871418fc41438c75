"""Source from programs: plain Python on local floats, made to be read.

A number that is used once is written where it is used, if the line stays short; every adjoint is one expression, the
sum of the terms that the results it went into propagate to it.
"""

from __future__ import annotations

from collections import Counter

from microgrid.compiler.program.form import SHARE, SOFTMAX, Guard, Loop, Program, Step, descendants, names_in, operands
from microgrid.compiler.source.templates import ATOM, LOOSE, SPREAD, SUM, bindings, elements_of, recipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from microgrid.compiler.source.templates import AdjointTerm, Template

LONGEST = 100  # characters of an expression that is written in the place of a name
TERMS = 40  # of a sum in one statement: the stack of Python's parser is bounded


def kept_together(terms: list[str]) -> list[str]:
    """Return `terms` as operands of a sum: conditional expressions get parentheses unless there is just one term."""
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
    """Return the statement that unpacks `source` into `names`.

    >>> unpacked(["x"], "numbers"), unpacked([], "numbers")
    (['x, = numbers'], [])
    """
    return [f"{', '.join(names)}{',' * (len(names) == 1)} = {source}"] if names else []


def indented(lines: Iterable[str]) -> list[str]:
    """Return `lines` indented as a block."""
    return ["    " + line for line in lines]


def as_function(name: str, parameters: str, lines: Sequence[str]) -> str:
    """Return the source of a function."""
    return "\n    ".join([f"def {name}({parameters}):", *lines]) + "\n"


def active_names(program: Program, wanted: Iterable[str]) -> set[str]:
    """Return the names that depend on the `wanted` ones through partials that are not zero."""
    return descendants(program, wanted, lambda step, names: bool(recipe(step.rule).active_terms(step.arguments, names)))


class Writer:
    """Writes the statements of one program.

    Args:
        program: the program.
        wanted: the names by which the outputs are differentiated.

    Attributes:
        active: the names that depend on the wanted ones through partials that are not zero.
    """

    def __init__(self, program: Program, wanted: Iterable[str] = ()) -> None:
        self.program, self.wanted = program, list(wanted)
        self.active = active_names(program, self.wanted)
        self.texts: dict[str, tuple[str, int]] = {}  # the text that is written in place of a name, and its level
        self.adjoint_terms: dict[str, list[AdjointTerm]] = {}
        self.backwards: set[str] = set()  # the names that the reverse pass refers to
        self.fixed: set[str] = set()  # the names that occur twice in one text, which would be evaluated twice
        self.skipped: set[str] = set()  # the names whose text would not always be evaluated where they are used
        self.raising: set[str] = set()  # the names whose text may raise
        self.adjoints: dict[str, str] = {}  # the adjoints of the results of softmax
        self.shares: dict[str, dict[int, str]] = {}  # by the target of a softmax, the names of its results by index
        used = names_in(program.outputs)
        for step in program.steps:
            used += names_in(operands(step))
            if isinstance(step, Step):
                self.scan(step)
        self.uses = Counter(used)

    def scan(self, step: Step) -> None:
        """Record which names the text of `step`, and its reverse, will refer to."""
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
            self.adjoint_terms[step.target] = adjoint_terms = made.active_terms(arguments, self.active)
            for term in adjoint_terms:
                self.backwards.update(names_in(tuple([arguments[position] for position in term.positions])))
                if term.uses_out:
                    self.backwards.add(step.target)

    # Operands

    def text(self, operand: Any, level: int = ATOM) -> str:
        """Return the text of an operand, in parentheses if it binds less tightly than `level`."""
        if isinstance(operand, str):
            text, own = self.texts.get(operand, (operand, ATOM))
            return text if own >= level else f"({text})"
        if isinstance(operand, tuple):
            inside = ", ".join([self.text(element, LOOSE) for element in operand])
            return inside if level == SPREAD else f"[{inside}]"
        text = repr(operand)
        return f"({text})" if text.startswith("-") and level > LOOSE else text

    def bare(self, operand: Any) -> str:
        """Return the text of an operand without parentheses around it."""
        return self.text(operand, LOOSE)

    def filled(self, template: Template, given: Mapping[str, Any]) -> str:
        """Return the text of `template`, with operands in its places."""
        return template.text.format(*[self.text(given[place], level) for place, level in template.fields])

    # Forwards

    def forward(self, missed: str = "return None") -> list[str]:
        """Return the statements of the forward pass, with the statements `missed` for a guard that fails."""
        lines: list[str] = []
        for step in self.program.steps:
            lines += self.lines_of(step, missed)
        return lines

    def lines_of(self, step: Step | Guard | Loop, missed: str) -> list[str]:
        """Return the statements of one step."""
        assert not isinstance(step, Loop)
        return self.statement(step) if isinstance(step, Step) else self.decision(step, missed)

    def decision(self, guard: Guard, missed: str) -> list[str]:
        """Return the statement that does `missed` if a guard fails."""
        return [f"if {self.failure(guard)}:", *indented(missed.splitlines())]

    def failure(self, guard: Guard) -> str:
        """Return the text of the condition under which a guard fails."""
        test = guard.test.format(*[self.text(operand, SUM) for operand in guard.operands])
        if guard.outcome is True:
            return f"not ({test})"
        return test if guard.outcome is False else f"{test} != {guard.outcome!r}"

    def statement(self, step: Step) -> list[str]:
        """Return the statements of `step`: an empty list if its text is written where its target is used."""
        if step.rule is SOFTMAX:
            return self.softmax(step)
        if step.rule is SHARE:  # written by `softmax`
            return []
        start, *strides = recipe(step.rule).forward
        given = bindings(step.rule, step.target, step.arguments)
        if strides:
            return self.fold(step, start, strides[0], given)
        text, target = self.filled(start, given), step.target
        if text.isidentifier():  # an alias
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
        """Return the statements of a result that is accumulated from left to right over sequences."""
        strides = [self.filled(stride, {**given, **row}) for row in elements_of(step.rule, step.arguments)]
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
            adjoints: the terms of the adjoints of outputs: their seeds.
        """
        lines: list[str] = []
        terms_of = {name: list(terms) for name, terms in adjoints.items()}
        for step in reversed(self.program.steps):
            lines += self.reverse_of(step, terms_of)
        return lines, {name: terms_of.get(name, []) for name in self.wanted}

    def reverse_of(self, step: Step | Guard | Loop, terms_of: dict[str, list[str]]) -> list[str]:
        """Propagate the adjoint of one step: add terms for its arguments, and return the statements they need."""
        if not isinstance(step, Step) or step.target not in self.adjoint_terms or not terms_of.get(step.target):
            return []
        terms = terms_of.pop(step.target)
        lines: list[str] = []
        g = terms[0]
        if len(terms) > 1 or not g.isidentifier():
            g = f"d_{step.target}"
            lines += summed(g, terms)
        if step.rule is SHARE:
            self.adjoints[step.target] = g
        elif step.rule is SOFTMAX:
            self.propagate_softmax(step, g, terms_of)
            return lines
        given = bindings(step.rule, step.target, step.arguments) | {"g": g}
        for term in self.adjoint_terms[step.target]:
            lines += self.propagate(step, term, given, terms_of)
        return lines

    def propagate_softmax(self, step: Step, g: str, terms_of: dict[str, list[str]]) -> None:
        """Add terms for the arguments of softmax, given `g`, the sum of the results times their adjoints."""
        for x, share in zip(step.arguments[0], self.shares[step.target].values(), strict=True):
            if x in self.active:
                own = self.adjoints.get(share)
                terms_of.setdefault(x, []).append(f"({own} - {g}) * {share}" if own else f"-({g} * {share})")

    def propagate(
        self, step: Step, term: AdjointTerm, given: Mapping[str, Any], terms_of: dict[str, list[str]]
    ) -> list[str]:
        """Add a term for an argument of `step`, or for each element of it, and return the statements they need."""
        argument = step.arguments[term.position]
        if not isinstance(argument, tuple):
            terms_of.setdefault(argument, []).append(self.filled(term.template, given))
        elif term.is_whole:
            names = [f"p_{step.target}_{term.argument}_{index}" for index in range(len(argument))]
            for element, name in zip(argument, names, strict=True):
                if element in self.active:
                    terms_of.setdefault(element, []).append(name)
            return unpacked(names, self.filled(term.template, given))
        else:
            for element, row in zip(argument, elements_of(step.rule, step.arguments), strict=True):
                if element in self.active:
                    terms_of.setdefault(element, []).append(self.filled(term.template, {**given, **row}))
        return []
