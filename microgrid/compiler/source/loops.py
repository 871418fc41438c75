"""Source from programs with loops: one loop forwards over the rows of a batch, and one backwards.

The forward loop appends the results of a row to lists, and the numbers that the reverse pass needs to another list. The
backward loop sums the adjoints of names from outside in local variables, and appends the adjoints of a row's numbers to
lists. If rows may take several paths, the body branches at the guards.
"""

from __future__ import annotations

from itertools import groupby

from microgrid.compiler.program.form import Guard, Loop, Program, Step, names_in, operands, targets
from microgrid.compiler.program.units import names_of, with_sums
from microgrid.compiler.source.emit import TERMS, Writer, indented, joined, kept_together, summed, unpacked
from microgrid.compiler.source.templates import ATOM, SPREAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

MOST_RUNS = 8  # of inputs that are unpacked from slices; if there are more, all inputs are unpacked at once


class LoopWriter(Writer):
    """Writes the statements of a program in which there may be loops; the inputs are the elements of `numbers`.

    Args:
        program: the program.
        wanted: the names by which the outputs are differentiated.
    """

    def __init__(self, program: Program, wanted: Iterable[str] = ()) -> None:
        super().__init__(program, wanted)
        self.lists: dict[tuple[Any, ...], str] = {}  # the text of a list whose elements are these operands
        self.bodies: dict[str, Body] = {}
        positions = {name: position for position, name in enumerate(program.inputs)}
        self.named = set(names_in(program.outputs))  # the inputs that generated code refers to by name
        for step in program.steps:
            if isinstance(step, Loop):
                outside = step.outside()
                self.backwards.update(outside)  # as variables, or each row would evaluate their text
                slices = {column: slice_of([positions.get(name, -1) for name in column]) for column in step.columns}
                self.lists.update({column: text for column, text in slices.items() if text})
                self.named.update(outside, names_in(tuple([column for column in step.columns if not slices[column]])))
            else:
                self.named.update(names_in(operands(step)))

    def inputs(self) -> list[str]:
        """Return the statements that unpack the inputs to which generated code refers by name."""
        names = self.program.inputs
        runs = [
            [position for position, _ in run]
            for is_named, run in groupby(enumerate(names), lambda pair: pair[1] in self.named)
            if is_named
        ]
        if len(runs) > MOST_RUNS or [len(run) for run in runs] == [len(names)]:
            return unpacked(names, "numbers")
        return [
            line for run in runs for line in unpacked(names[run[0] : run[-1] + 1], f"numbers[{run[0]}:{run[-1] + 1}]")
        ]

    def text(self, operand: Any, level: int = ATOM) -> str:
        """Return the text of an operand; for a sequence that generated code has as a list, that list."""
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
            self.texts.update({target: (f"{name}[{position}]", ATOM) for position, target in enumerate(column)})
        kept = [f"kept_{step.name}"] if body.keeps else []
        heads = over(list(step.paths[0].inputs), [self.text(column) for column in step.columns], body.count)
        return [f"{name} = []" for name in [*lists, *kept]] + [heads, *indented(body.forward(missed))]

    # Backwards

    def reverse_of(self, step: Step | Guard | Loop, terms_of: dict[str, list[str]]) -> list[str]:
        """Propagate the adjoint of one step: add terms for its operands, and return the statements they need."""
        if not isinstance(step, Loop):
            return super().reverse_of(step, terms_of)
        body = self.bodies[step.name]
        terms = {seed: [terms_of.pop(name, []) for name in column] for seed, column in body.seeds.items()}
        if not any(any(found) for found in terms.values()):
            return []
        lines: list[str] = []
        rows = body.kept_rows()
        for seed, found in terms.items():
            texts = [total(f"p{seed[1:]}_{position}", row, lines) for position, row in enumerate(found)]
            if len({*texts}) == 1:
                lines.append(f"{seed} = {texts[0]}")
            else:
                lines.append(f"{seed}_by_row = [{', '.join(texts)}]")
                rows[seed] = f"reversed({seed}_by_row)"
        lines += begun([name for name in body.outside if name not in terms_of])
        for name in body.outside:
            sum_so_far = terms_of.get(name, [f"d_{name}"])
            lines += summed(f"d_{name}", sum_so_far) if sum_so_far != [f"d_{name}"] else []
            terms_of[name] = [f"d_{name}"]
        lines += [f"d_{name} = []" for name in body.inputs]
        lines += [over([*rows], [*rows.values()], body.count), *indented(body.backward())]
        for name, column in body.inputs.items():
            for position, entry in enumerate(reversed(column)):
                if entry in self.active:
                    terms_of.setdefault(entry, []).append(f"d_{name}[{position}]")
        return lines


class Body:
    """The body of a loop.

    Args:
        writer: the writer of the program around it, which has written the steps before the loop.
        loop: the loop.

    Attributes:
        count: the number of rows.
        seeds: the names of the adjoints of the results of a row, each with the targets of that result, row by row.
        outside: the names from outside that have an adjoint.
        inputs: the numbers of a row that have one, each with its column.
        keeps: whether the reverse pass needs numbers, or the path, of each row.
    """

    def __init__(self, writer: LoopWriter, loop: Loop) -> None:
        self.name = loop.name
        self.count = loop.length
        columns = dict(zip(loop.paths[0].inputs, loop.columns, strict=True))
        active = [name for name, column in columns.items() if not writer.active.isdisjoint(column)]
        self.paths = [PathWriter(writer, loop.name, path, active) for path in loop.paths]
        with_terms = {name for path in self.paths for name, terms in path.terms_of.items() if terms}
        self.outside = [name for name in loop.outside() if name in with_terms]
        self.inputs = {name: columns[name] for name in active if name in with_terms}
        self.seeds = {
            f"d_out_{loop.name}_{index}": column
            for index, column in enumerate(loop.targets)
            if not writer.active.isdisjoint(column)
        }
        self.keeps = bool(self.seeds) and (len(self.paths) > 1 or bool(self.paths[0].kept))

    def forward(self, missed: str) -> list[str]:
        """Return the statements of the forward pass, with the statements `missed` for a row that takes another path."""
        for index, path in enumerate(self.paths):
            if self.keeps:
                kept = [str(index), *path.kept] if len(self.paths) > 1 else path.kept
                path.blocks[-1][0].append((f"kept_{self.name}.append({in_tuple(kept)})",))
        return branches(self.paths, missed.splitlines())

    def kept_rows(self) -> dict[str, str]:
        """Return the target of the backward loop that unpacks the kept numbers, with the text of the list of them."""
        if not self.keeps:
            return {}
        target = "kept" if len(self.paths) > 1 else in_tuple(self.paths[0].kept)
        return {target: f"reversed(kept_{self.name})"}

    def backward(self) -> list[str]:
        """Return the statements of the reverse pass of a row."""
        if len(self.paths) == 1:
            return self.paths[0].backward(self.inputs)
        lines: list[str] = []
        for index, path in enumerate(self.paths):
            names = [f"_, {', '.join(path.kept)} = kept"] if path.kept else []
            test = f"{'elif' if index else 'if'} kept[0] == {index}:"
            lines += [test, *indented([*names, *path.backward(self.inputs)] or ["pass"])]
        return lines


class PathWriter:
    """Writes the statements of one path through the body.

    Args:
        writer: the writer of the program around the loop.
        name: the suffix of the names of the loop.
        program: the program of this path.
        active: the numbers of a row that depend on wanted names.

    Attributes:
        blocks: statements, each block with the guard that follows: the condition under which it fails, and its outcome.
        terms_of: the terms of the adjoints of names from outside, and of the numbers of a row.
        kept: the names of the row that the reverse pass refers to.
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
        self.reverse, self.terms_of = own.backward(seeds)
        referred = {*names_of([*self.reverse, *(term for terms in self.terms_of.values() for term in terms)])}
        made = [name for step in program.steps for name in targets(step)]
        made += [name for shares in own.shares.values() for name in shares.values() if name not in made]
        self.kept = [name for name in (*program.inputs, *made) if name in referred]

    def outcome(self, depth: int) -> Any:
        """Return the outcome of the guard after the block `depth`."""
        guard = self.blocks[depth][1]
        return guard and guard[1]

    def backward(self, inputs: Iterable[str]) -> list[str]:
        """Return the statements of the reverse pass; `inputs` are the numbers of a row that have an adjoint."""
        others: list[str] = []
        for name in inputs:
            text = total(f"p_{name}", self.terms_of.get(name, []), others)
            others.append(f"d_{name}.append({text})")
        sums = {name: f"d_{name}" for name in self.terms_of if name not in inputs}
        return with_sums(self.reverse, self.terms_of, sums, others)


def branches(
    paths: Sequence[PathWriter],
    missed: list[str],
    depth: int = 0,
    done: frozenset[Any] = frozenset(),
    decided: bool = False,
) -> list[str]:
    """Return the statements of some paths, from their block `depth` on.

    Args:
        paths: paths with the same guards and outcomes up to there.
        missed: the statements for a row that takes another path.
        done: statements that were written before; they are not repeated.
        decided: whether the guard after that block is known to hold: its opposite has failed.
    """
    guard = paths[0].blocks[depth][1]
    statements = [
        statement for block, _ in paths[0].blocks[: depth + 1] for statement in block if statement not in done
    ]
    lines = [line for statement in statements for line in statement]
    if guard is None:
        return lines
    failure, outcome = guard
    alike = [path for path in paths if path.outcome(depth) == outcome]
    others = [path for path in paths if path.outcome(depth) != outcome]
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
    """Return the statement that sets the adjoints of `names` to zero."""
    return [f"{' = '.join(f'd_{name}' for name in names)} = 0.0"] if names else []


def total(name: str, terms: Sequence[str], lines: list[str]) -> str:
    """Return the text of the sum of `terms`; a long sum is assigned to `name`, by statements added to `lines`."""
    if len(terms) > TERMS:
        lines += summed(name, [*terms])
        return name
    return joined(kept_together([*terms])) if terms else "0.0"


def slice_of(positions: Sequence[int]) -> str:
    """Return the text of the slice of `numbers` at `positions`; empty if they are not those of a slice.

    >>> slice_of([1, 3, 5]), slice_of([4, 5]), slice_of([1, 2, 4]), slice_of([-1, -1])
    ('numbers[1:6:2]', 'numbers[4:6]', '', '')
    """
    stride = positions[1] - positions[0] if len(positions) > 1 else 1
    end = positions[-1] + 1
    if positions[0] < 0 or stride < 1 or [*range(positions[0], end, stride)] != [*positions]:
        return ""
    return f"numbers[{positions[0]}:{end}{f':{stride}' if stride > 1 else ''}]"
