"""Is every line of these modules held by a test? mutmut's mutations, one at a time, against the mirroring tests.

The mutations are mutmut's. Its own runner is not used, for two reasons that were measured: it plants faults in the
bodies of functions only, and switches them on after the import, while much of this package is made at import, from
tables and row text. Here each mutant is a module of its own and the package is imported with it. (cosmic-ray does that
too, but has no mutation of arguments, assignments and strings, more than half of its mutants replace one
binary operator by each of the others, and at a second of start-up for each they take over half an hour.)

    python tests/mutation/modules.py              # all modules
    python tests/mutation/modules.py engine.graph rules.ieee  # these
    python tests/mutation/modules.py --list engine.graph # print the mutants, test nothing
"""

from __future__ import annotations

import ast
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper
from mutmut.mutation.mutators import mutation_operators
from workers import ROOT, Mutant, file_of, fork, outcomes, print_table, report, survivors, test_of

LEAST = 95.0  # per cent that must be killed

# For each module the tests that hold it, besides those that mirror it and its doctests; of other modules, the doctests.
TESTS: dict[str, str] = {
    "rules.special": "",
    "rules.sequences": "",
    "rules.ieee": "",
    "rules.newer_math": "",
    "engine.value": "engine/test_graph test_micrograd",
    "rules.derivatives": "test_edges",
    "engine.graph": "engine/test_value test_micrograd compiler/test_copies",
    "engine.recording": "rules/test_methods engine/test_value engine/test_define",
    "engine.operations": "engine/test_define",
    "rules.source": "rules/test_derivatives rules/test_generate engine/test_recording",
    "rules.methods": "rules/test_generate",
    "rules.generate": "",
    "math.compositions": "",
    "engine.numbers": "engine/test_value",
    "engine.modes": "",
    "engine.sweeps": "transforms/test_gradients",
    "transforms.nests": "",
    "transforms.run": "transforms/test_gradients",
    "transforms.series": "",
    "compiler.program.form": "compiler/source/test_loops",
    "compiler.program.passes": "compiler/source/test_loops",
    "compiler.trace.recorder": "compiler/trace/test_rolling compiler/source/test_loops",
    "compiler.source.emit": "compiler/source/test_loops",
    "compiler.cases": "compiler/source/test_loops compiler/test_call compiler/trace/test_rows",
    "engine.forks": "",
    "compiler.settings": "",
    "compiler.program.interpreter": "",
    "training.mistakes": "",
    "engine.lost": "",
    "engine.calls": "engine/test_lost",
    "transforms.taylor": "",
    "compiler.trace.batch": "",
}
SLOW = "million"  # tests of size, not of meaning: each would take seconds, thousands of times


class Finder(cst.CSTVisitor):
    """Collects what mutmut would do to the nodes of a module, but for annotations, docstrings and the words of errors.

    `isinstance` and `len` are left alone as mutmut does: almost any change of their arguments raises.
    """

    def __init__(self) -> None:
        self.found: list[tuple[str, cst.CSTNode, cst.CSTNode]] = []
        self.place: list[str] = []
        self.raising = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        match node:
            case cst.Annotation() | cst.Import() | cst.ImportFrom() | cst.Decorator():
                return False
            case cst.Call(func=cst.Name("isinstance" | "len")):
                return False
            case cst.If(test=cst.Name("TYPE_CHECKING")):
                return False
            case cst.Assign(targets=[cst.AssignTarget(cst.Name("TYPE_CHECKING" | "__slots__"))]):
                return False
            case cst.FunctionDef(name=name) | cst.ClassDef(name=name):
                self.place.append(name.value)
            case cst.Raise() | cst.Assert():
                self.raising += 1
        if not (self.raising and isinstance(node, cst.BaseString)):
            for kind, operator in mutation_operators:
                if isinstance(node, kind):
                    for mutated in operator(node):
                        self.found.append((".".join(self.place), node, mutated))
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.place.pop()
        self.raising -= isinstance(node, cst.Raise | cst.Assert)


def changed_lines(source: str, mutated: str) -> tuple[str, str]:
    """Return the lines that differ, of each text, as one line each."""
    before, after = source.splitlines(), mutated.splitlines()
    while before and after and before[-1] == after[-1]:
        before.pop(), after.pop()
    start = next(
        (i for i, (x, y) in enumerate(zip(before, after, strict=False)) if x != y), min(len(before), len(after))
    )
    return tuple(" ".join(map(str.strip, lines[start:])) for lines in (before, after))  # type: ignore[return-value]


def unguarded(text: str) -> str:
    """Return `text` without the `strict` of `zip`: a guard against mistakes of our own, which has nothing to do."""
    return re.sub(r",\s*(strict=\w+)?\)", ")", text)


def mutants(source: str) -> Iterator[Mutant]:
    """Yield the mutants of a module that Python can compile, each once."""
    module = MetadataWrapper(cst.parse_module(source)).module  # a copy in which no node occurs twice
    finder = Finder()
    module.visit(finder)
    seen = {unguarded(source)}
    for place, node, mutated_node in finder.found:
        mutated = module.deep_replace(node, mutated_node).code  # type: ignore[union-attr]
        try:
            ast.parse(mutated)
        except SyntaxError:
            continue
        if unguarded(mutated) not in seen:
            seen.add(unguarded(mutated))
            yield Mutant(place, *changed_lines(source, mutated), mutated)


def run_tests(module: str) -> int:
    """Return pytest's status on the tests of `module`."""
    import microgrid.math  # noqa: F401 # the package first: pytest would begin with the module

    files = [f"tests/{name}.py" if "test_" in name else file_of(name) for name in TESTS[module].split()]
    files += [test_of(module)]
    options = ["-x", "-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
    chosen = ["-m", "", "-k", f"not {SLOW}"]  # those of the dev extra too
    return int(pytest.main([*options, *chosen, file_of(module), *files]))


def examine(module: str) -> tuple[list[Mutant], list[Mutant], float]:
    """Return the mutants of `module`, those that survive, and the seconds it took."""
    source = Path(file_of(module)).read_text()
    began = time.monotonic()
    for _, failed, seconds in outcomes([module], lambda job: fork(job, source, lambda: run_tests(job), 600)):
        if failed:
            sys.exit(f"the tests of {module} fail without a mutant")
        limit = 5 + 5 * seconds
    found = list(mutants(source))
    alive = [
        mutant
        for mutant, killed, _ in outcomes(found, lambda job: fork(module, job.source, lambda: run_tests(module), limit))
        if not killed
    ]
    return found, alive, time.monotonic() - began


def main(arguments: Sequence[str]) -> int:
    """Print what survives, and the table; return 1 if too much does, or something that is not listed."""
    chosen = [argument for argument in arguments if not argument.startswith("-")] or list(TESTS)
    if unknown := {*chosen} - {*TESTS}:
        sys.exit(f"expected modules of {', '.join(TESTS)}; got {', '.join(unknown)}")
    if "--list" in arguments:
        for module in chosen:
            for mutant in mutants(Path(file_of(module)).read_text()):
                print(module, *mutant.change, sep=" | ")
        return 0
    rows, good = [], True
    for module in chosen:
        found, alive, seconds = examine(module)
        percent = 100 - 100 * len(alive) / max(len(found), 1)
        good &= report(module, survivors(module).keys(), found, alive) and percent >= LEAST
        rows.append((module, len(found), len(found) - len(alive), len(alive), f"{percent:.1f}", f"{seconds:.0f}"))
        print(f"{module}: {percent:.1f} % of {len(found)} killed in {seconds:.0f} s", flush=True)
    print()
    print_table(("module", "mutants", "killed", "survived", "%", "seconds"), rows)
    return 0 if good else 1


if __name__ == "__main__":
    import os

    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
