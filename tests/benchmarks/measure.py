"""How the benchmarks measure: time in turn, memory, the start of an interpreter, and whether results agree."""

from __future__ import annotations

import gc
import math
import os
import resource
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Contestant:
    """What is timed: `run`, called `loops` times for one sample, so that a sample is long enough for `clock`."""

    run: Callable[[], object]
    loops: int = 1
    clock: Callable[[], float] = perf_counter

    def seconds(self) -> float:
        """Return the time of one run in one more sample.

        An untimed sample leads in: where graphs are cyclic, as micrograd's are, a step pays for the garbage of the one
        before. No contestant pays for the garbage of another, or for a collector that looks at the objects of all the
        libraries that have been imported.
        """
        gc.collect()
        gc.freeze()
        try:
            self.sample()
            start = self.clock()
            self.sample()
            return (self.clock() - start) / self.loops
        finally:
            gc.unfreeze()

    def sample(self) -> None:
        """Run `loops` times."""
        for _ in range(self.loops):
            self.run()


def medians_in_turn(contestants: Mapping[str, Contestant], repeats: int) -> dict[str, float]:
    """Return the median time of each contestant in seconds; they are timed in turn, so that all meet the same noise."""
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            samples[name].append(contestant.seconds())
    return {name: median(times) for name, times in samples.items()}


def require_agreement(who: str, results: Sequence[float], reference: Sequence[float]) -> None:
    """Stop the benchmark unless `results` are those of the reference, to nine digits, or twelve of the largest."""
    error = 1e-12 * max(map(abs, reference))
    close = [math.isclose(*pair, rel_tol=1e-9, abs_tol=error) for pair in zip(results, reference, strict=True)]
    if not all(close):
        index = close.index(False)
        raise SystemExit(f"{who}: result {index} is {results[index]!r}, and the reference has {reference[index]!r}")


def bytes_of(make: Callable[[], Any]) -> int:
    """Return how many bytes are allocated, and still in use, for what `make` returns."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    made = make()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del made
    return after - before


def processor_time_of_children() -> float:
    """Return the seconds that processes started from here, and ended, have spent on a processor."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def interpreter_medians(programs: Mapping[str, str], folder: Path, repeats: int) -> dict[str, float]:
    """Return for each program the median processor time in seconds that a new interpreter takes to run it.

    Bytecode is cached, in a temporary directory; the lead-in run writes it. On an idle machine the processor time is
    the time that passes; on a busy one processes this short wait for several times as long as they run.

    Args:
        programs: the text of each.
        folder: where programs import from first.
        repeats: how many samples are taken.
    """
    with tempfile.TemporaryDirectory() as cache:
        environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))

        def starter(program: str) -> Contestant:
            command = [sys.executable, "-c", program]
            return Contestant(
                lambda: subprocess.run(command, env=environment, cwd=cache, check=True),
                clock=processor_time_of_children,
            )

        return medians_in_turn({name: starter(program) for name, program in programs.items()}, repeats)
