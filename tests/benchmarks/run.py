"""Measure microgrid's speed and memory beside other engines, and print the results as a Markdown table.

`make bench` runs this. All contestants are timed in turn in one run; times are medians. A peer that is not installed
is reported as missing.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path

from cases import CASES
from compiled import COMPILED_CASES
from entries import Case, Entry
from peers import PEERS

from microgrid.rules.generate import between

PAGE = Path(__file__).parent / "README.md"  # all that was measured
README = Path(__file__).parents[2] / "README.md"  # the training steps alone
ALL = (*CASES, *COMPILED_CASES)
HEADER = ("case", "contestant", "result", "ratio", "claim", "met")
RIGHT = ("result", "ratio")


def processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def version(package: str) -> str:
    """Return the version of an installed package, or that it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def surroundings() -> Iterator[str]:
    """Yield lines about the machine and the versions in use."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    yield f"{processor()}, {os.cpu_count()} cores{load}; {platform.platform()}"
    yield f"{platform.python_implementation()} {platform.python_version()}, {platform.python_compiler()}"
    yield ", ".join(f"{package} {version(package)}" for package in ("microgrid-autograd", *PEERS))


def cells(title: str, entry: Entry) -> tuple[str, ...]:
    """Return the texts of one line of the table."""
    ratio = "" if entry.ratio is None else f"{entry.ratio:.2f}×"
    return title, entry.contestant, entry.result, ratio, str(entry.claim or ""), entry.verdict


def table(results: Iterable[tuple[Case, list[Entry]]]) -> str:
    """Return the Markdown table of `results`; a case's title stands in its first line only."""
    rows = [
        cells("" if index else case.title, entry) for case, entries in results for index, entry in enumerate(entries)
    ]
    widths = [max(map(len, column)) for column in zip(HEADER, *rows, strict=True)]
    rule = ["-" * (width - 1) + (":" if name in RIGHT else "-") for name, width in zip(HEADER, widths, strict=True)]
    lines = []
    for row in (HEADER, rule, *rows):
        texts = [
            text.rjust(width) if name in RIGHT else text.ljust(width)
            for name, text, width in zip(HEADER, row, widths, strict=True)
        ]
        lines.append(f"| {' | '.join(texts)} |")
    return "\n".join(lines)


def summary(results: Iterable[tuple[Case, list[Entry]]]) -> str:
    """Return the Markdown table of the training steps: a line for each network, a column for each contestant."""
    steps = {case.title: entries for case, entries in results if re.match("training step.*MLP", case.title)}
    names = list(dict.fromkeys(entry.contestant for entries in steps.values() for entry in entries))
    lines = [["training step", *names], ["---", *["---:"] * len(names)]]
    for title, entries in steps.items():
        found = {entry.contestant: entry.result for entry in entries}
        lines.append([title.removeprefix("training step, "), *(found.get(name, "") for name in names)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def rewrite(page: Path, mark: str, body: str) -> None:
    """Put `body` between the two comments `mark` of a page."""
    page.write_text(between(page.read_text(encoding="utf-8"), mark, body), encoding="utf-8")


def entries(place: int, quick: bool) -> list[Entry]:
    """Return what was measured for the case in that place."""
    return ALL[place].entries(quick)


def measured_apart(place: int, quick: bool) -> list[Entry]:
    """Return what `entries` does in an interpreter of its own.

    The libraries that one case imports would slow the garbage collector down, or let it rest, in all that follow.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(entries, place, quick).result()


def main() -> int:
    """Run every case, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure microgrid's speed and memory beside other engines.")
    parser.add_argument("--quick", action="store_true", help="take fewer samples")
    parser.add_argument("--check", action="store_true", help="exit with 1 unless every claim is measured and met")
    parser.add_argument("--only", default="", metavar="TEXT", help="measure the cases with TEXT in their titles")
    parser.add_argument("--update", action="store_true", help="write the tables into the READMEs as well")
    options = parser.parse_args()
    if options.update and options.only:
        parser.error("--update writes the whole table, so it needs every case: leave out --only")
    about = "\n".join(f"- {line}" for line in surroundings())
    print(about, end="\n\n", flush=True)
    results = []
    for place, case in enumerate(ALL):
        if options.only in case.title:
            print(f"measuring: {case.title}", file=sys.stderr)
            results.append((case, measured_apart(place, options.quick)))
    measured = f"{table(results)}\n\nTimes are medians, ratios are to the first line of each case.\n"
    print(measured, end="")
    if options.update:
        rewrite(PAGE, "benchmarks", f"{about}\n\n{measured}")
        rewrite(README, "training steps", summary(results))
    failed = [case.title for case, entries in results for entry in entries if entry.verdict not in ("", "yes")]
    if options.check and failed:
        print("\nClaims that are not met: " + "; ".join(failed))
    return 1 if options.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
