"""Processes that each run with one module mutated: what both mutators of this folder share.

A mutant is the source text of one module with one fault in it. The process that tests it is forked from one that has
pytest and Hypothesis loaded but nothing of microgrid, so the whole package is imported anew, and a fault in what runs
at import is tested like any other.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import TypeVar

import pytest  # noqa: F401 # loaded here, once, for all the processes
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "microgrid"
SURVIVORS = Path(__file__).with_name("survivors.txt")
PROCESSES = 2
PATIENCE = 4  # how many times its processor time a process may take
MEMORY = 4 * 2**30

Job = TypeVar("Job")
Change = tuple[str, str, str]  # place, text before, text after

# The same examples for every mutant, and no shrinking: whether a test fails is all that is asked.
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Mutant:
    """One fault in one place: where it is, the text before and after, and the whole source with it."""

    place: str
    before: str
    after: str
    source: str

    @property
    def change(self) -> Change:
        """What names this mutant in the list of survivors: it holds for as long as the line does."""
        return self.place, self.before, self.after


def file_of(module: str) -> str:
    """Return the path of a module of the package, whose name is given without that of the package."""
    path = PACKAGE.joinpath(*module.split("."))
    return str(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


def test_of(module: str) -> str:
    """Return the path of the tests that mirror a module."""
    folder, _, name = module.replace(".", "/").rpartition("/")
    return str(ROOT / "tests" / folder / f"test_{name}.py")


class Replaced(SourceFileLoader):
    """Finds one module of the package, and gives it another source text than its file has."""

    def __init__(self, module: str, source: str) -> None:
        super().__init__(f"microgrid.{module}", file_of(module))
        self.source = source

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the spec of the replaced module."""
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_data(self, path: str) -> bytes:
        """Return the replaced source text; nothing is read from or written to a cache."""
        if path != self.path:
            raise OSError
        return self.source.encode()

    def set_data(self, *arguments: object, **keywords: object) -> None:
        """Write no byte code."""


def forget_package() -> None:
    """Forget that anything of the package was imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "microgrid"]:
        del sys.modules[name]


def fork(module: str, source: str, test: Callable[[], int], limit: float) -> int:
    """Start a process that imports `module` from `source` and ends with the status that `test` returns.

    It has `limit` seconds of processor time, however busy the machine is, and ends at last if it waits for ever.
    """
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        signal.setitimer(signal.ITIMER_PROF, limit)  # its signal ends the process
        signal.setitimer(signal.ITIMER_REAL, PATIENCE * limit)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        forget_package()
        sys.meta_path.insert(0, Replaced(module, source))
        status = test()
    finally:
        os._exit(status)


def outcomes(jobs: Iterable[Job], start: Callable[[Job], int]) -> Iterator[tuple[Job, bool, float]]:
    """Yield for each job, as it ends, whether its process failed, and its seconds of processor time.

    `start` returns the process.
    """
    running: dict[int, Job] = {}

    def ended() -> tuple[Job, bool, float]:
        process, status, used = os.wait3(0)
        return running.pop(process), status != 0, used.ru_utime + used.ru_stime

    for job in jobs:
        if len(running) == PROCESSES:
            yield ended()
        running[start(job)] = job
    while running:
        yield ended()


def survivors(section: str) -> dict[Change, str]:
    """Return the listed survivors of a section of `survivors.txt`: the reason by place, text before and text after."""
    found, here = {}, ""
    place = before = reason = kind = ""
    for line in SURVIVORS.read_text().splitlines():
        previous, kind, text = kind, line[:1], line[2:]
        match kind:
            case "[":
                here = line.strip("[]")
            case "#":
                reason = f"{reason} {text}" if previous == "#" else text
            case "@":
                place = text
            case "-":
                before = text
            case "+" if here == section:
                found[place, before, text] = reason
    return found


def report(section: str, listed: Set[Change], mutants: Iterable[Mutant], alive: Iterable[Mutant]) -> bool:
    """Print where `alive` and what is `listed` disagree; return whether all that is alive is listed, and is a mutant.

    What is listed and was killed is only told: another version of Python may have functions of its own.
    """
    known, left = {mutant.change for mutant in mutants}, {mutant.change for mutant in alive}
    texts = {
        "survived, and is not listed": left - listed,
        "is listed, but was killed": listed & known - left,
        "is listed, but is no mutant any more": listed - known,
    }
    for text, changes in texts.items():
        for place, before, after in sorted(changes):
            print(f"{section}: this {text}\n@ {place}\n- {before}\n+ {after}")
    return left <= listed <= known


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table, the first column to the left and the others to the right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    for start, *cells in lines:
        print(start.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)), sep="  ")
