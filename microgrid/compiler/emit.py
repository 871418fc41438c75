"""Source from programs: plain Python on local floats, made to be read.

A value that is used once is written where it is used, as far as a line stays short; every adjoint is one expression,
the sum of what it gains from the results that the value went into.
"""

from __future__ import annotations

from collections import Counter

from microgrid.codegen import sequences
from microgrid.compiler.passes import needed
from microgrid.compiler.program import DETACH, Guard, Program, Step, names_in, operands
from microgrid.compiler.templates import Template, contribution, forward, is_whole, power_by

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from microgrid.rules import Rule

LONGEST = 100  # characters of an expression that is written in the place of a name
TERMS = 40  # of a sum in one statement: the parser's stack is bounded


def literal(operand: Any) -> str:
    """Return the text of a name or number as an operand."""
    if isinstance(operand, str):
        return operand
    text = repr(float(operand)) if isinstance(operand, float) else repr(operand)
    return f"({text})" if text.startswith("-") else text


def exponent_of(step: Step) -> int | None:
    """Return the exponent of a power if it is a constant whole number other than zero, whose text can be simpler."""
    if step.rule.name == "pow" and isinstance(step.arguments[1], float):
        exponent = step.arguments[1]
        if exponent and exponent.is_integer() and abs(exponent) < 1e15:
            return int(exponent)
    return None


def summed(target: str, terms: list[str]) -> list[str]:
    """Return the statements that make `target` the sum of `terms`, from left to right."""
    terms = kept_together(terms)
    lines = [f"{target} = {' + '.join(terms[:TERMS])}"]
    for start in range(TERMS, len(terms), TERMS):
        lines.append(f"{target} = {' + '.join([target, *terms[start : start + TERMS]])}")
    return lines


def kept_together(terms: list[str]) -> list[str]:
    """Return `terms` as they stand in a sum: a choice in parentheses, unless it is the only one."""
    return [f"({term})" if " if " in term else term for term in terms] if len(terms) > 1 else terms


class Writer:
    """Writes the statements of one program.

    Args:
        program: what is computed.
        wanted: the names by which the outputs are differentiated.
        forwards: whether the outputs themselves are wanted; else the guards are known to hold.
    """

    def __init__(self, program: Program, wanted: Iterable[str] = (), forwards: bool = True) -> None:
        self.wanted = list(wanted)
        self.steps = [step for step in program.steps if isinstance(step, Step)]
        self.active = self.dependents()
        self.texts: dict[str, tuple[str, bool]] = {}  # what is written in the place of a name; whether it is atomic
        self.backwards = set(self.used_backwards())
        outputs = names_in(program.outputs) if forwards else []
        self.computed = program.steps if forwards else needed(self.steps, self.backwards)
        self.uses = Counter(name for step in self.computed for name in names_in(operands(step)))
        self.uses.update(outputs)
        self.movable = {name for step in self.steps for name in self.single_places(step)}.union(outputs)

    def dependents(self) -> set[str]:
        """Return the names that depend on what is wanted, through operations that have a derivative."""
        active = set(self.wanted)
        for step in self.steps:
            if step.rule is not DETACH and not active.isdisjoint(names_in(step.arguments)):
                active.add(step.target)
        return active

    # Forwards

    def text(self, operand: Any) -> str:
        """Return the text of an operand, in parentheses if it needs them."""
        if isinstance(operand, str) and operand in self.texts:
            text, atomic = self.texts[operand]
            return text if atomic else f"({text})"
        return literal(operand)

    def bare(self, operand: Any) -> str:
        """Return the text of an operand that stands by itself."""
        if isinstance(operand, str):
            return self.texts[operand][0] if operand in self.texts else operand
        return repr(operand)

    def bindings(self, step: Step) -> dict[str, str]:
        """Return what is written in the places of a template of `step`."""
        bindings: dict[str, str] = {"out": step.target, "out_bare": step.target}
        for name, argument in zip(step.rule.arguments, step.arguments, strict=True):
            if isinstance(argument, tuple):
                inside = ", ".join(map(self.bare, argument))
                bindings |= {name: f"[{inside}]", f"{name}_bare": f"[{inside}]", f"{name}_spread": inside}
                bindings.setdefault("n", repr(float(len(argument))))
            else:
                bindings |= {name: self.text(argument), f"{name}_bare": self.bare(argument)}
        return bindings

    def forward(self, missed: str = "return None") -> list[str]:
        """Return the statements that compute the program; where a guard fails, the statement `missed`."""
        lines: list[str] = []
        for step in self.computed:
            if isinstance(step, Guard):
                test = step.test.format(*(self.text(operand) for operand in step.operands))
                if isinstance(step.outcome, bool):
                    lines.append(f"if not ({test}):" if step.outcome else f"if {test}:")
                else:
                    lines.append(f"if {test} != {step.outcome!r}:")
                lines.append(f"    {missed}")
            else:
                lines += self.statement(step)
        return lines

    def statement(self, step: Step) -> list[str]:
        """Return the statements that compute `step`; none if its text goes where it is used."""
        exponent, parts = exponent_of(step), forward(step.rule)
        if exponent is not None:
            text, atomic = f"{self.text(step.arguments[0])} ** {literal(float(exponent))}", False
        elif len(parts) > 1:
            return self.fold(step, *parts)
        else:
            (template,) = parts
            text, atomic = template.text.format_map(self.bindings(step)), template.atomic
        moves = self.uses[step.target] == 1 and step.target in self.movable and step.target not in self.backwards
        if moves and len(text) <= LONGEST:
            self.texts[step.target] = text, atomic
            return []
        return [f"{step.target} = {text}" if self.uses[step.target] or step.target in self.backwards else text]

    def single_places(self, step: Step) -> Iterable[str]:
        """Yield the arguments of `step` whose place occurs once in its text."""
        parts = forward(step.rule)
        for name, argument in zip(step.rule.arguments, step.arguments, strict=True):
            if len(parts) > 1 or exponent_of(step) is not None or parts[0].counts.get(name, 0) == 1:
                yield from names_in((argument,))

    def fold(self, step: Step, start: Template, stride: Template) -> list[str]:
        """Return the statements of a result that is taken plainly from left to right over sequences."""
        bindings = self.bindings(step)
        looped = sequences(step.rule)
        rows = [step.arguments[step.rule.arguments.index(name)] for name in looped]
        first, plus = start.text.format_map(bindings), "{out} + "
        strides = [{**bindings, **self.places(looped, elements)} for elements in zip(*rows, strict=True)]
        if stride.text.startswith(plus) and stride.counts["out"] == 1:
            stride_text = stride.text.removeprefix(plus)
            return summed(step.target, [first, *(stride_text.format_map(places) for places in strides)])
        return [f"{step.target} = {text}" for text in (first, *(stride.text.format_map(places) for places in strides))]

    def places(self, looped: Sequence[str], elements: Sequence[Any]) -> dict[str, str]:
        """Return what is written in the places for one element of each sequence."""
        pairs = list(zip(looped, elements, strict=True))
        return {name[:-1]: self.text(x) for name, x in pairs} | {f"{name[:-1]}_bare": self.bare(x) for name, x in pairs}

    # Backwards

    def gains(self, step: Step) -> Iterable[tuple[str, Template | None, dict[str, str]]]:
        """Yield each active argument of `step` with the template of what its adjoint gains, and bindings for it."""
        exponent = exponent_of(step)
        for name, argument in zip(step.rule.arguments, step.arguments, strict=True):
            if not step.rule.is_differentiable(name) or self.active.isdisjoint(names_in((argument,))):
                continue
            if exponent is not None:
                yield argument, power_by(exponent), {}
            elif not isinstance(argument, tuple):
                yield argument, contribution(step.rule, name), {}
            elif is_whole(step.rule, name):
                for index, element in enumerate(argument):
                    if element in self.active:
                        yield element, None, {"index": str(index), "argument": name}
            else:
                looped = sequences(step.rule)
                rows = [step.arguments[step.rule.arguments.index(other)] for other in looped]
                for element, beside in zip(argument, zip(*rows, strict=True), strict=True):
                    if element in self.active:
                        yield element, contribution(step.rule, name), self.places(looped, beside)

    def used_backwards(self) -> list[str]:
        """Return the names that the reverse pass speaks of."""
        found: list[str] = []
        for step in self.steps:
            if step.target not in self.active:
                continue
            places = [places_of(step.rule, template) for _, template, _ in self.gains(step)]
            used = set().union(*places) if places else set()
            for name, argument in zip(step.rule.arguments, step.arguments, strict=True):
                if name in used or name[:-1] in used:
                    found += names_in((argument,))
            if "out" in used:
                found.append(step.target)
        return found

    def backward(self, adjoints: Mapping[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
        """Return the statements of the reverse pass, and the terms of the adjoint of each wanted name.

        Args:
            adjoints: the terms that the adjoints of the outputs begin with.
        """
        lines: list[str] = []
        gained = {name: list(terms) for name, terms in adjoints.items()}

        def adjoint(name: str) -> str | None:
            terms = gained.pop(name, [])
            if not terms:
                return None
            if len(terms) == 1 and terms[0].isidentifier():
                return terms[0]
            lines.extend(summed(f"d_{name}", terms))
            return f"d_{name}"

        for step in reversed(self.steps):
            if step.target not in self.active or step.rule is DETACH:
                continue
            g = adjoint(step.target)
            if g is None:
                continue
            bindings = {**self.bindings(step), "g": g, "g_bare": g}
            for name in step.rule.arguments:
                partials = contribution(step.rule, name) if is_whole(step.rule, name) else None
                if partials is not None:
                    lines.append(f"p_{step.target}_{name} = {partials.text.format_map(bindings)}")
            for element, template, more in self.gains(step):
                if "index" in more:
                    term = f"p_{step.target}_{more['argument']}[{more['index']}]"
                elif template is None:
                    continue
                else:
                    term = template.text.format_map({**bindings, **more})
                gained.setdefault(element, []).append(term)
        return lines, {name: gained.get(name, []) for name in self.wanted}


def places_of(rule: Rule, template: Template | None) -> set[str]:
    """Return the places that a product of the chain rule fills; all, where it is taken from a list of partials."""
    if template is not None:
        return set(template.counts)
    return {*rule.arguments, "out"}
