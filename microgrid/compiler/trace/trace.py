"""Tracing: one run of a function on recording values, translated to a program."""

from __future__ import annotations

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.trace.batch import Batch
from microgrid.compiler.trace.mapping import results_of
from microgrid.compiler.trace.recorder import Recorder
from microgrid.compiler.trace.rows import Rows
from microgrid.compiler.trace.translator import Translator
from microgrid.transforms.run import surrounding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.compiler.program.form import Program

MOST_STEPS = 200_000  # of a program: so many take about half a minute to compile


class Trace(Recorder):
    """The mode in which a function is traced: a recorder whose record becomes a program.

    Attributes:
        identified_others: once there is a program, the externals that were hashed by identity.
    """

    def mapped(self, function: Callable[..., Any], batch: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the results of `function` for the rows of a batch, which become a loop if possible."""
        if not self.rolls or self._rows is not None or len(batch) < 2:
            return [function(*arguments) for arguments in batch]
        in_transform = surrounding() is not None
        derived = Batch(function) if in_transform else None
        events, self._rows = self.events, Rows(in_transform)
        events.append(self._rows)
        try:
            results = results_of(self, self._rows, derived.call if derived else function, batch)
            if derived:
                derived.join(self._rows)
            return results
        finally:
            self.events, self._rows = events, None

    def checked_program(self, outputs: Sequence[Any]) -> Program:
        """Return `program(outputs)`.

        Raises:
            Unfit: if there was an obstacle, or the program is too long to compile.
        """
        choosing = [rows for output in outputs for rows in self.choosing(output)]
        self.depends.update(["is_silent"] if choosing else [])
        for rows in choosing if self.is_silent else ():
            rows.are_regular = False
        program = self.program(outputs)
        self.release()
        if self.obstacle:
            raise Unfit(self.obstacle)
        if program.size > MOST_STEPS:
            advice = "compile a part of it that is called often"
            raise Unfit(f"{program.size:,} operations are too many to compile; {advice}")
        return program

    def program(self, outputs: Sequence[Any]) -> Program:
        """Return the program of the run; `outputs` are the leaves of the result."""
        self.types_matter([output for output in outputs if id(output) in self.exact])
        self.externals = []
        translator = Translator(self)
        program = translator.program(outputs)
        self.identified_others = translator.names.externals_among(self.identified)
        return program
