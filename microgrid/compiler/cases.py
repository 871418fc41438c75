"""A case: one path through a function, compiled for one shape of its arguments.

It is compiled at first use, to one of two forms. For plain numbers it is a function. If the results depend on a `Value`
it is a generator, whose frame is the tape: it yields the results, is sent their adjoints, and yields those of the
inputs.
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

# Errors of generated code after which the call is made eagerly. (ValueError also if another thread runs the tape.)
ERRORS = (*MATH_ERRORS, NameError, StopIteration, TypeError)
NUMBER, VALUE, RECORDED, GIVEN = range(4)  # kinds of results
_serial_numbers = count()  # for the file names of generated code


class Case:
    """One compiled case.

    Args:
        trace: the recorded run.
        program: its program.
        results: the nest of the result.

    Attributes:
        unoptimised: the program as it was traced.
        program: the optimised program.
        kinds: for each result whether a caller gets a `NUMBER`, a new leaf (`VALUE`), a `RECORDED` node, or the very
            argument or leaf that the function returned (`GIVEN`).
        given: for each `GIVEN` result the position of the argument, or the leaf; `None` for others.
        records: whether a result is recorded.
        has_values: whether a result is not a plain number.
        externals: the `Value`s used by the function that are not arguments; their data is read at each call.
        positions: the positions of those inputs of the program that are `Value`s and that the results depend on.
        parents: these `Value`s: positions of arguments, and externals.
        wanted: the names of these inputs.
        wholes: the positions of arguments that the program gets unconverted as well, since they may be integers.
        floats: the positions of arguments that must not be integers.
        serves: the contexts of the calls that it serves.
        identified: externals that were hashed by identity: no argument may be one of them.
        identifies_inputs: whether arguments were hashed by identity: which ones are the same must be known.
    """

    def __init__(self, trace: Trace, program: Program, results: Results) -> None:
        self.unoptimised, self.results, self.externals = program, results, trace.externals
        self.wholes = sorted(trace.wholes) if trace.keeps_types else []
        self.floats = frozenset(() if trace.keeps_types else trace.wholes)
        self.serves, self.identified = trace.serves, frozenset(trace.identified_others)
        self.identifies_inputs = trace.identifies_inputs
        self.program = optimised(program)
        known: list[Any] = [position if trace.is_value(leaf) else None for position, leaf in enumerate(trace.inputs)]
        known += [*[None] * len(self.wholes), *self.externals]
        reached = sources(self.program)
        self.positions = [
            position for position, name in enumerate(program.inputs) if known[position] is not None and name in reached
        ]
        self.parents = [known[position] for position in self.positions]
        self.wanted = [program.inputs[position] for position in self.positions]
        recorded = descendants(self.program, self.wanted)
        passed: dict[int, Any] = {id(leaf): leaf for leaf in self.externals}
        passed |= {id(leaf): position for position, leaf in enumerate(trace.inputs)}
        self.given = [passed.get(id(trace.resolved(leaf))) for leaf in results.leaves]
        self.kinds = [
            GIVEN if given is not None else kind_of(trace.is_value(leaf), output in recorded)
            for given, leaf, output in zip(self.given, results.leaves, self.program.outputs, strict=True)
        ]
        self.records = RECORDED in self.kinds
        self.has_values = self.kinds.count(NUMBER) < len(self.kinds)
        results.leaves.clear()  # the graph of the trace

    @property
    def has_loops(self) -> bool:
        """Whether the program has loops, to which another run may add paths."""
        return any(isinstance(step, Loop) for step in self.unoptimised.steps)

    def numbers_of(self, arguments: Arguments) -> list[Any]:
        """Return the inputs of the program that are arguments, converted and unconverted."""
        return arguments.numbers + [arguments.leaves[position] for position in self.wholes]

    def results_of(
        self, leaves: Sequence[Any], outputs: Sequence[Any], recorded: Callable[[int, float], Value]
    ) -> list[Any]:
        """Return the results of a call.

        Args:
            leaves: the leaves of the arguments.
            outputs: the outputs of the program.
            recorded: returns the node of a `RECORDED` result, given its index and output.
        """
        found: list[Any] = []
        for index, (output, kind, given) in enumerate(zip(outputs, self.kinds, self.given, strict=True)):
            if kind == GIVEN:
                found.append(leaves[given] if type(given) is int else given)
            elif kind == RECORDED:
                found.append(recorded(index, output))
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
        """The source of the generator that yields the outputs, and for each list of seeds the wanted adjoints."""
        writer = LoopWriter(self.program, self.wanted)
        outputs = self.program.outputs
        lines = writer.inputs() + writer.forward("yield None\nreturn")
        seeds: dict[str, list[str]] = {}
        for index, output in enumerate(outputs):
            if output in writer.active:
                seeds.setdefault(output, []).append(f"seed{index}")
        reverse, terms_of = writer.backward(seeds)
        adjoints = []
        for name, terms in terms_of.items():
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
        """The source of the tape if results are recorded, else that of the function."""
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
            ArithmeticError, ValueError, TypeError: if the program raises one, or an output is nan.
        """
        outputs: list[float] | None = self._forward(numbers)
        return checked(outputs)

    def record(self, numbers: Sequence[float]) -> tuple[list[float] | None, Tape]:
        """Return the outputs for `numbers`, None if a guard fails, and the tape that `tape_gradient` takes.

        Raises:
            ArithmeticError, ValueError, TypeError: as `run`.
        """
        tape: Tape = self._tape(numbers)
        return checked(next(tape)), tape


def kind_of(is_value: bool, is_recorded: bool) -> int:
    """Return the kind of a result that was made in the call."""
    return NUMBER if not is_value else RECORDED if is_recorded else VALUE


def checked(outputs: list[float] | None) -> list[float] | None:
    """Return `outputs`.

    Raises:
        ArithmeticError: if one is nan: the eager run may know better, where generated code has simplified a choice.
    """
    if outputs is not None and not has_no_nan(outputs):
        raise ArithmeticError("a result is nan")
    return outputs


def tape_gradient(tape: Tape, seeds: Sequence[float]) -> list[float] | None:
    """Return the products of `seeds` and the Jacobian matrix, for each wanted input; None if a replay has to find them.

    It has to if one is infinite: the tape adds adjoints before it multiplies them, and a sum may have overflowed.
    """
    try:
        adjoints = tape.send(seeds)
        return adjoints if adjoints is not None and are_finite(adjoints) else None
    except ERRORS:
        return None


def defined(source: str, name: str, names: Mapping[str, Any] = NUMBERS) -> Any:
    """Return the function called `name` that `source` defines."""
    return define(source, f"compiled_{next(_serial_numbers)}", {**names, **helpers}, passing=True)[name]
