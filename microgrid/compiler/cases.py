"""A case: the compiled form of one way that a function went, for one shape of its arguments.

It is compiled at first use, to one of two forms. For plain numbers it is a function. Where a `Value` takes part it is a
generator, whose frame is the tape: it yields the results, is sent their adjoints, and yields those of the inputs.
"""

from __future__ import annotations

from itertools import count

from microgrid.compiler.arguments import Arguments, Results
from microgrid.compiler.program.form import Loop, descendants, sources
from microgrid.compiler.program.passes import optimised
from microgrid.compiler.source.emit import LONGEST, as_function, joined, kept_together, summed
from microgrid.compiler.source.loops import LoopWriter
from microgrid.compiler.source.templates import helpers
from microgrid.engine.forks import once
from microgrid.engine.modes import gc_paused
from microgrid.engine.numbers import MATH_ERRORS
from microgrid.engine.operations import NUMBERS
from microgrid.engine.value import Value
from microgrid.rules.sequences import are_finite, has_no_nan
from microgrid.rules.source import define

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import Any

    from microgrid.compiler.program.form import Program
    from microgrid.compiler.trace.trace import Trace

    Tape = Generator[list[float] | None, Sequence[float], None]

# What generated code raises where an eager run would know better. (A generator that another thread runs: ValueError.)
ERRORS = (*MATH_ERRORS, NameError, StopIteration, TypeError)
NUMBER, VALUE, RECORDED, GIVEN = range(4)
_numbers = count()


class Case:
    """One compiled case.

    Args:
        trace: what the function did.
        program: the same as a program.
        results: the nest of the result.

    Attributes:
        traced: the program as it was traced.
        program: the optimised program.
        kinds: for each output whether a caller gets a number, a `Value` that is a leaf, one that was recorded, or the
            very argument or leaf that the function was given.
        given: for outputs of the last kind the number of the argument, or the leaf; for others None.
        records: whether some are recorded.
        has_values: whether some are anything else than numbers of the program.
        externals: the values of others that the function used; their data is read at each call.
        places: where the numbers of those `Value`s stand that the results depend on.
        parents: for each of these the number of the argument, or the value of others.
        wholes: the numbers of those that the program gets unconverted too, since they may be integers.
        floats: the numbers of those that must not be integers.
        serves: what may surround the calls that it serves.
        identified: values of others that were hashed by identity: no argument may be one of them.
    """

    def __init__(self, trace: Trace, program: Program, results: Results) -> None:
        self.traced, self.results, self.externals = program, results, trace.externals
        self.wholes = sorted(trace.wholes) if trace.keeps_types else []
        self.floats = frozenset(() if trace.keeps_types else trace.wholes)
        self.serves, self.identified = trace.serves, frozenset(trace.identified_others)
        self.program = optimised(program)
        known: list[Any] = [place if trace.is_value(leaf) else None for place, leaf in enumerate(trace.inputs)]
        known += [*[None] * len(self.wholes), *self.externals]
        reached = sources(self.program)
        self.places = [
            place for place, name in enumerate(program.inputs) if known[place] is not None and name in reached
        ]
        self.parents = [known[place] for place in self.places]
        self.wanted = [program.inputs[place] for place in self.places]
        recorded = descendants(self.program, self.wanted)
        passed: dict[int, Any] = {id(leaf): leaf for leaf in self.externals}
        passed |= {id(leaf): place for place, leaf in enumerate(trace.inputs)}
        self.given = [passed.get(id(trace.passed_on(leaf))) for leaf in results.leaves]
        self.kinds = [
            GIVEN if given is not None else kind_of(trace.is_value(leaf), output in recorded)
            for given, leaf, output in zip(self.given, results.leaves, self.program.outputs, strict=True)
        ]
        self.records = RECORDED in self.kinds
        self.has_values = self.kinds.count(NUMBER) < len(self.kinds)
        results.leaves.clear()  # the graph of the trace

    @property
    def has_loops(self) -> bool:
        """Whether there are loops in it, which may get more ways."""
        return any(isinstance(step, Loop) for step in self.traced.steps)

    def numbers_of(self, arguments: Arguments) -> list[Any]:
        """Return the numbers that the program takes of the arguments, besides those of other values."""
        return arguments.numbers + [arguments.leaves[place] for place in self.wholes]

    def results_of(
        self, leaves: Sequence[Any], outputs: Sequence[Any], recorded: Callable[[int, float], Value]
    ) -> list[Any]:
        """Return the results of a call, where `recorded` returns one that was recorded.

        Args:
            leaves: those of the arguments.
            outputs: those of the program.
            recorded: takes the number of a result, and its output.
        """
        found: list[Any] = []
        for number, (output, kind, given) in enumerate(zip(outputs, self.kinds, self.given, strict=True)):
            if kind == GIVEN:
                found.append(leaves[given] if type(given) is int else given)
            elif kind == RECORDED:
                found.append(recorded(number, output))
            else:
                found.append(Value(output) if kind else output)
        return found

    # Source

    @once
    def forward_source(self) -> str:
        """The source of the function that computes the outputs, or None if a guard fails."""
        writer = LoopWriter(self.program)
        lines = writer.inputs() + writer.forward()
        return as_function("forward", "numbers", [*lines, f"return {writer.bare(self.program.outputs)}"])

    @once
    def tape_source(self) -> str:
        """The source of the generator that yields the outputs, and for adjoints of them those of what is wanted."""
        writer = LoopWriter(self.program, self.wanted)
        outputs = self.program.outputs
        lines = writer.inputs() + writer.forward("yield None\nreturn")
        seeds: dict[str, list[str]] = {}
        for index, output in enumerate(outputs):
            if output in writer.active:
                seeds.setdefault(output, []).append(f"seed{index}")
        reverse, gained = writer.backward(seeds)
        adjoints = []
        for name, terms in gained.items():
            text = joined(kept_together(terms)) if terms else "0.0"
            if len(text) > LONGEST:
                reverse += summed(f"d_{name}", terms)
                text = f"d_{name}"
            adjoints.append(text)
        received = ", ".join(f"seed{index}" for index in range(len(outputs))) + "," * (len(outputs) == 1)
        lines += [f"{received} = yield {writer.bare(outputs)}", "while True:"]
        lines += [f"    {line}" for line in [*reverse, f"{received} = yield [{', '.join(adjoints)}]"]]
        return as_function("tape", "numbers", lines)

    @property
    def source(self) -> str:
        """The source of the form that serves `Value`s, if one takes part."""
        return self.tape_source if self.records else self.forward_source

    # Running

    @once
    def _forward(self) -> Any:
        with gc_paused():
            return defined(self.forward_source, "forward")

    @once
    def _tape(self) -> Any:
        with gc_paused():
            return defined(self.tape_source, "tape")

    def run(self, numbers: Sequence[float]) -> list[float] | None:
        """Return the outputs for `numbers`, None if a guard fails.

        Raises:
            ArithmeticError, ValueError, TypeError: if the program does, or one of the outputs is nan.
        """
        outputs: list[float] | None = self._forward(numbers)
        return checked(outputs)

    def record(self, numbers: Sequence[float]) -> tuple[list[float] | None, Tape]:
        """Return the outputs for `numbers`, None if a guard fails, and the tape that `gradient` takes.

        Raises:
            ArithmeticError, ValueError, TypeError: as `run`.
        """
        tape: Tape = self._tape(numbers)
        return checked(next(tape)), tape


def kind_of(is_value: bool, is_recorded: bool) -> int:
    """Return the kind of a result that was made in the call."""
    return NUMBER if not is_value else RECORDED if is_recorded else VALUE


def checked(outputs: list[float] | None) -> list[float] | None:
    """Return `outputs`, in which no nan may be.

    Raises:
        ArithmeticError: if there is one.
    """
    if outputs is not None and not has_no_nan(outputs):
        raise ArithmeticError("a result is nan")
    return outputs


def gradient(tape: Tape, seeds: Sequence[float]) -> list[float] | None:
    """Return the products of `seeds` and the Jacobian matrix, for each wanted input; None if code cannot tell.

    It cannot where one is infinite: adjoints may have left the range, since they are added before they are multiplied.
    """
    try:
        amounts = tape.send(seeds)
        return amounts if amounts is not None and are_finite(amounts) else None
    except ERRORS:
        return None


def defined(source: str, name: str, names: Mapping[str, Any] = NUMBERS) -> Any:
    """Return the function called `name` that `source` defines."""
    return define(source, f"compiled_{next(_numbers)}", {**names, **helpers}, passing=True)[name]
