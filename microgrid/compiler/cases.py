"""A case: the compiled form of one way that a function went, for one shape of its arguments."""

from __future__ import annotations

import math
from itertools import count

from microgrid.codegen import define
from microgrid.compiler.emit import Writer, summed
from microgrid.compiler.passes import optimised
from microgrid.compiler.program import Program
from microgrid.operations import NUMBERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from microgrid.engine import Value

ERRORS = (ArithmeticError, ValueError, TypeError)
_numbers = count()


class Case:
    """One compiled case.

    Args:
        program: what the function did.
        count: how many numbers are in its arguments; the rest of the program's inputs are `externals`.
        places: the numbers of those arguments that are `Value`s.
        externals: the values of others that the function used; their data is read at each call.
        out: the nest of the result.

    Attributes:
        recorded: for each output whether it depends on a `Value`.
    """

    def __init__(
        self, program: Program, count: int, places: Sequence[int], externals: Sequence[Value], out: Any
    ) -> None:
        self.program = optimised(program)
        self.count, self.places, self.externals, self.out = count, places, externals, out
        names = self.program.inputs
        self.wanted = [*(names[place] for place in places), *names[count:]]
        reached = Writer(program, self.wanted).active
        self.recorded = [isinstance(output, str) and output in reached for output in program.outputs]
        self._forward: Any = None
        self._gradient: Any = None

    def forward_source(self) -> str:
        """Return the source of the function that computes the outputs, or None if a guard fails."""
        writer = Writer(self.program)
        lines = [*self.unpacking(), *writer.forward()]
        lines.append(f"return [{', '.join(map(writer.bare, self.program.outputs))}]")
        return as_function("forward", "numbers", lines)

    def gradient_source(self) -> str:
        """Return the source of the function that computes the products of `seeds` and the Jacobian matrix."""
        writer = Writer(self.program, self.wanted, forwards=False)
        outputs = self.program.outputs
        lines = [*self.unpacking(), *unpacked([f"seed{index}" for index in range(len(outputs))], "seeds")]
        lines += writer.forward()
        terms: dict[str, list[str]] = {}
        for index, output in enumerate(outputs):
            if isinstance(output, str) and output in writer.active:
                terms.setdefault(output, []).append(f"seed{index}")
        reverse, found = writer.backward(terms)
        lines += reverse
        for name, gained in found.items():
            lines += summed(f"d_{name}", gained or ["0.0"])
        lines.append(f"return [{', '.join(f'd_{name}' for name in found)}]")
        return as_function("gradient", "numbers, seeds", lines)

    def unpacking(self) -> list[str]:
        """Return the statement that gives the inputs their names."""
        return unpacked(list(self.program.inputs), "numbers")

    def run(self, numbers: Sequence[float]) -> list[float] | None:
        """Return the outputs for `numbers`, None if a guard fails.

        Raises:
            ArithmeticError, ValueError: if the program does, or one of the outputs is nan.
        """
        if self._forward is None:
            self._forward = defined(self.forward_source(), "forward")
        outputs: list[float] | None = self._forward(numbers)
        if outputs is not None and any(output != output for output in outputs):
            raise ArithmeticError("a result is nan")
        return outputs

    def gradient(self, numbers: Sequence[float], seeds: Sequence[float]) -> list[float] | None:
        """Return the products of `seeds` and the Jacobian matrix, for each wanted input; None if code cannot tell."""
        if self._gradient is None:
            self._gradient = defined(self.gradient_source(), "gradient")
        try:
            amounts: list[float] | None = self._gradient(numbers, seeds)
        except ERRORS:
            return None
        return None if amounts is None or math.isnan(sum(amounts)) else amounts

    @property
    def source(self) -> str:
        """The source of the case, with its gradient if there is one."""
        return self.forward_source() + (f"\n\n{self.gradient_source()}" if any(self.recorded) else "")


def unpacked(names: Sequence[str], source: str) -> list[str]:
    """Return the statement that gives the elements of `source` their names."""
    return [f"{', '.join(names)}{',' * (len(names) == 1)} = {source}"] if names else []


def as_function(name: str, parameters: str, lines: Sequence[str]) -> str:
    """Return the source of a function."""
    return "\n    ".join([f"def {name}({parameters}):", *lines]) + "\n"


def defined(source: str, name: str) -> Any:
    """Return the function called `name` that `source` defines."""
    return define(source, f"compiled_{next(_numbers)}", NUMBERS, passing=True)[name]
