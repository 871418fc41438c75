"""Source from programs with loops: one loop forwards over the rows of a batch, and one backwards.

Forwards each row appends its results to lists, and to another list what the reverse pass needs of it. Backwards what
names outside gain is added up in local variables, and what the numbers of rows gain is appended to lists. Where rows
may go several ways the body branches at the guards.
"""

from __future__ import annotations

from itertools import groupby

from microgrid.compiler.program.form import Guard, Loop, Program, Step, names_in, operands, targets
from microgrid.compiler.program.units import names_of, with_gains
from microgrid.compiler.source.emit import TERMS, Writer, indented, joined, kept_together, summed, unpacked
from microgrid.compiler.source.templates import ATOM, SPREAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

MOST_RUNS = 8


class LoopWriter(Writer):
    """Writes the statements of a program in which there may be loops; the inputs are the elements of `numbers`.

    Args:
        program: what is computed.
        wanted: the names by which the outputs are differentiated.
    """

    def __init__(self, program: Program, wanted: Iterable[str] = ()) -> None:
        super().__init__(program, wanted)
        self.lists: dict[tuple[Any, ...], str] = {}  # what all operands of a sequence are the elements of
        self.bodies: dict[str, Body] = {}
        places = {name: place for place, name in enumerate(program.inputs)}
        self.named = set(names_in(program.outputs))  # the inputs that are spoken of by name
        for step in program.steps:
            if isinstance(step, Loop):
                outside = step.outside()
                self.backwards.update(outside)  # they are used again and again
                slices = {column: slice_of([places.get(name, -1) for name in column]) for column in step.columns}
                self.lists.update({column: text for column, text in slices.items() if text})
                self.named.update(outside, names_in(tuple([column for column in step.columns if not slices[column]])))
            else:
                self.named.update(names_in(operands(step)))

    def inputs(self) -> list[str]:
        """Return the statements that give the inputs their names, as far as they are spoken of by them."""
        names = self.program.inputs
        runs = [
            [place for place, _ in run]
            for is_named, run in groupby(enumerate(names), lambda pair: pair[1] in self.named)
            if is_named
        ]
        if len(runs) > MOST_RUNS or [len(run) for run in runs] == [len(names)]:
            return unpacked(names, "numbers")
        return [
            line for run in runs for line in unpacked(names[run[0] : run[-1] + 1], f"numbers[{run[0]}:{run[-1] + 1}]")
        ]

    def text(self, operand: Any, level: int = ATOM) -> str:
        """Return the text of an operand; of a sequence that is a list already, that list."""
        known = self.lists.get(operand) if type(operand) is tuple else None
        if known is None:
            return super().text(operand, level)
        return f"*{known}" if level == SPREAD else known

    # Forwards

    def lines_of(self, step: Step | Guard | Loop, missed: str) -> list[str]:
        """Return the statements of one step."""
        if not isinstance(step, Loop):
            return super().lines_of(step, missed)
        body = self.bodies[step.name] = Body(self, step)
        lists = [f"map_{step.name}_{index}" for index in range(len(step.targets))]
        for name, column in zip(lists, step.targets, strict=True):
            self.lists[column] = name
            self.texts.update({target: (f"{name}[{place}]", ATOM) for place, target in enumerate(column)})
        kept = [f"kept_{step.name}"] if body.keeps else []
        heads = over(list(step.ways[0].inputs), [self.text(column) for column in step.columns], body.count)
        return [f"{name} = []" for name in [*lists, *kept]] + [heads, *indented(body.forward(missed))]

    # Backwards

    def reverse_of(self, step: Step | Guard | Loop, gained: dict[str, list[str]]) -> list[str]:
        """Add to `gained` what the arguments of one step gain; return the statements that prepare it."""
        if not isinstance(step, Loop):
            return super().reverse_of(step, gained)
        body = self.bodies[step.name]
        terms = {seed: [gained.pop(name, []) for name in column] for seed, column in body.seeds.items()}
        if not any(any(found) for found in terms.values()):
            return []
        lines: list[str] = []
        rows = body.kept_rows()
        for seed, found in terms.items():
            texts = [total(f"p{seed[1:]}_{place}", row, lines) for place, row in enumerate(found)]
            if len({*texts}) == 1:
                lines.append(f"{seed} = {texts[0]}")
            else:
                lines.append(f"{seed}_by_row = [{', '.join(texts)}]")
                rows[seed] = f"reversed({seed}_by_row)"
        lines += begun([name for name in body.outside if name not in gained])
        for name in body.outside:
            sum_so_far = gained.get(name, [f"d_{name}"])
            lines += summed(f"d_{name}", sum_so_far) if sum_so_far != [f"d_{name}"] else []
            gained[name] = [f"d_{name}"]
        lines += [f"d_{name} = []" for name in body.inputs]
        lines += [over([*rows], [*rows.values()], body.count), *indented(body.backward())]
        for name, column in body.inputs.items():
            for place, entry in enumerate(reversed(column)):
                if entry in self.active:
                    gained.setdefault(entry, []).append(f"d_{name}[{place}]")
        return lines


class Body:
    """The body of a loop.

    Args:
        writer: that of the program around it, which has written what stands before it.
        loop: the loop.

    Attributes:
        count: how many rows there are.
        seeds: the names of the adjoints of the results of a row, each with what the result becomes row by row.
        outside: the names outside that gain something.
        inputs: the numbers of a row that do, each with what it is row by row.
        keeps: whether the reverse pass needs something of each row.
    """

    def __init__(self, writer: LoopWriter, loop: Loop) -> None:
        self.name = loop.name
        self.count = loop.length
        columns = dict(zip(loop.ways[0].inputs, loop.columns, strict=True))
        active = [name for name, column in columns.items() if not writer.active.isdisjoint(column)]
        self.ways = [Way(writer, loop.name, way, active) for way in loop.ways]
        gaining = {name for way in self.ways for name, terms in way.gained.items() if terms}
        self.outside = [name for name in loop.outside() if name in gaining]
        self.inputs = {name: columns[name] for name in active if name in gaining}
        self.seeds = {
            f"d_out_{loop.name}_{index}": column
            for index, column in enumerate(loop.targets)
            if not writer.active.isdisjoint(column)
        }
        self.keeps = bool(self.seeds) and (len(self.ways) > 1 or bool(self.ways[0].kept))

    def forward(self, missed: str) -> list[str]:
        """Return the statements of the forward pass; for a row that goes yet another way, the statements `missed`."""
        for number, way in enumerate(self.ways):
            if self.keeps:
                kept = [str(number), *way.kept] if len(self.ways) > 1 else way.kept
                way.blocks[-1][0].append((f"kept_{self.name}.append({in_tuple(kept)})",))
        return branches(self.ways, missed.splitlines())

    def kept_rows(self) -> dict[str, str]:
        """Return what the loop backwards runs over for what was kept: its target, with the text of the list."""
        if not self.keeps:
            return {}
        target = "kept" if len(self.ways) > 1 else in_tuple(self.ways[0].kept)
        return {target: f"reversed(kept_{self.name})"}

    def backward(self) -> list[str]:
        """Return the statements of the reverse pass of a row."""
        if len(self.ways) == 1:
            return self.ways[0].backward(self.inputs)
        lines: list[str] = []
        for number, way in enumerate(self.ways):
            names = [f"_, {', '.join(way.kept)} = kept"] if way.kept else []
            test = f"{'elif' if number else 'if'} kept[0] == {number}:"
            lines += [test, *indented([*names, *way.backward(self.inputs)] or ["pass"])]
        return lines


class Way:
    """One way through the body.

    Args:
        writer: that of the program around the loop.
        name: what the names of the loop end in.
        program: what is done on this way.
        active: the numbers of a row that depend on what is wanted.

    Attributes:
        blocks: statements, each block with the guard that follows: a text that holds where it fails, and the outcome.
        gained: the terms of what names outside, and the numbers of a row, gain.
        kept: the names that the reverse pass speaks of.
    """

    def __init__(self, writer: LoopWriter, name: str, program: Program, active: list[str]) -> None:
        own = Writer(program, [*filter(writer.active.__contains__, program.outside()), *active])
        own.texts.update(writer.texts)
        self.blocks: list[tuple[list[tuple[str, ...]], tuple[str, Any] | None]] = []
        statements: list[tuple[str, ...]] = []
        for step in program.steps:
            if isinstance(step, Guard):
                self.blocks.append((statements, (own.failure(step), step.outcome)))
                statements = []
            else:
                statements.append(tuple(own.lines_of(step, "")))
        results = [own.bare(output) for output in program.outputs]
        statements += [(f"map_{name}_{index}.append({text})",) for index, text in enumerate(results)]
        self.blocks.append((statements, None))
        seeds: dict[str, list[str]] = {}
        for index, output in enumerate(program.outputs):
            if output in own.active:
                seeds.setdefault(output, []).append(f"d_out_{name}_{index}")
        self.reverse, self.gained = own.backward(seeds)
        spoken = {*names_of([*self.reverse, *(term for terms in self.gained.values() for term in terms)])}
        made = [name for step in program.steps for name in targets(step)]
        made += [name for shares in own.shares.values() for name in shares.values() if name not in made]
        self.kept = [name for name in (*program.inputs, *made) if name in spoken]

    def outcome(self, depth: int) -> Any:
        """Return the outcome of the guard after the block `depth`."""
        guard = self.blocks[depth][1]
        return guard and guard[1]

    def backward(self, inputs: Iterable[str]) -> list[str]:
        """Return the statements of the reverse pass; `inputs` are the numbers of a row that gain something."""
        others: list[str] = []
        for name in inputs:
            text = total(f"p_{name}", self.gained.get(name, []), others)
            others.append(f"d_{name}.append({text})")
        sums = {name: f"d_{name}" for name in self.gained if name not in inputs}
        return with_gains(self.reverse, self.gained, sums, others)


def branches(
    ways: Sequence[Way], missed: list[str], depth: int = 0, done: frozenset[Any] = frozenset(), decided: bool = False
) -> list[str]:
    """Return the statements of some ways, from their block `depth` on.

    Args:
        ways: they went alike up to there.
        missed: the statements for a row that goes yet another way.
        done: statements that were done before; they are not done again.
        decided: whether the guard after that block is known to hold.
    """
    guard = ways[0].blocks[depth][1]
    statements = [statement for block, _ in ways[0].blocks[: depth + 1] for statement in block if statement not in done]
    lines = [line for statement in statements for line in statement]
    if guard is None:
        return lines
    failure, outcome = guard
    alike = [way for way in ways if way.outcome(depth) == outcome]
    others = [way for way in ways if way.outcome(depth) != outcome]
    done |= {*statements}
    inside = branches(alike, missed, depth + 1, done)
    if decided:
        return lines + inside
    if not others:
        return [*lines, f"if {failure}:", *indented(missed), *inside]
    otherwise = branches(others, missed, depth, done, type(outcome) is bool)
    return [*lines, f"if {failure}:", *indented(otherwise or ["pass"]), "else:", *indented(inside or ["pass"])]


def in_tuple(names: Sequence[str]) -> str:
    """Return the text of a tuple.

    >>> in_tuple(["x"]), in_tuple(["x", "y"])
    ('(x,)', '(x, y)')
    """
    return f"({', '.join(names)}{',' * (len(names) == 1)})"


def over(names: Sequence[str], lists: Sequence[str], count: int) -> str:
    """Return the head of a loop in which `names` are the elements of `lists`.

    >>> over(["x", "y"], ["xs", "ys"], 3), over([], [], 3)
    ('for x, y in zip(xs, ys):', 'for _ in range(3):')
    """
    if not names:
        return f"for _ in range({count}):"
    source = f"zip({', '.join(lists)})" if len(lists) > 1 else lists[0]
    return f"for {', '.join(names)} in {source}:"


def begun(names: Sequence[str]) -> list[str]:
    """Return the statement that begins the sums of adjoints of `names`."""
    return [f"{' = '.join(f'd_{name}' for name in names)} = 0.0"] if names else []


def total(name: str, terms: Sequence[str], lines: list[str]) -> str:
    """Return the text of the sum of `terms`; a long one gets a name, by a statement added to `lines`."""
    if len(terms) > TERMS:
        lines += summed(name, [*terms])
        return name
    return joined(kept_together([*terms])) if terms else "0.0"


def slice_of(places: Sequence[int]) -> str:
    """Return the text of the list of the numbers at `places`; empty if it is no slice.

    >>> slice_of([1, 3, 5]), slice_of([4, 5]), slice_of([1, 2, 4]), slice_of([-1, -1])
    ('numbers[1:6:2]', 'numbers[4:6]', '', '')
    """
    stride = places[1] - places[0] if len(places) > 1 else 1
    end = places[-1] + 1
    if places[0] < 0 or stride < 1 or [*range(places[0], end, stride)] != [*places]:
        return ""
    return f"numbers[{places[0]}:{end}{f':{stride}' if stride > 1 else ''}]"
