"""Updates: what an optimiser does with one parameter, traced and written as lines for any of them, or as a function."""

from __future__ import annotations

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.cases import defined
from microgrid.compiler.parts import traced
from microgrid.compiler.program.form import Guard, Program, Step, names_in, operands
from microgrid.compiler.source.emit import Writer, as_function, indented
from microgrid.engine.operations import dependents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.engine.value import Value


# Rules whose result is infinite or nan where one of the first so many arguments is.
KEEPING = {"add": 2, "sub": 2, "mul": 2, "div": 1, "neg": 1, "abs": 1, "sqrt": 1, "pow_2": 1}


class Update:
    """What an optimiser does with one parameter, as lines of source for each of them; `@` stands for its number.

    Args:
        optimizer: an `Optimizer`.
        slots: how many numbers it keeps for a parameter.
        step: the number of the next step.
        lr: its learning rate. If `update` decides by these two, the lines hold where they are decided alike.

    Attributes:
        hides: whether an infinite gradient may leave all that the lines compute finite.
        counts: whether the lines speak of the number of the step, which they call `steps`.

    Raises:
        Unfit: if `update` cannot be compiled.
    """

    def __init__(self, optimizer: Any, slots: int, step: int, lr: float) -> None:
        self.slots = slots

        def update(parameter: Value, gradient: Value, step: Value, lr: Value, *state: Value) -> list[Any]:
            moved, kept = optimizer.update(parameter, gradient, state, step, lr)
            return [moved, *kept]

        program, externals = traced(update, [0.5, 0.5, step, lr, *[0.5] * slots], whole=[2])
        if externals:
            raise Unfit("the optimiser uses a Value of its own")
        if len(program.outputs) != 1 + slots:
            raise Unfit(f"the optimiser keeps {len(program.outputs) - 1} numbers of a parameter, not {slots}")
        names = ["parameter@", "gradient@", "steps", "lr", *(f"state{slot}_of@" for slot in range(slots)), "steps"]
        program = program.renamed(dict(zip(program.inputs, names, strict=False)))
        common, own = parted(program)
        used = {name for step in own.steps for name in names_in(operands(step))} | {*names_in(own.outputs)}
        outside = tuple([name for name in targets(common) if name in used])
        # Every parameter uses them: as outputs given twice they are not written where they are used.
        self._common = common._replace(outputs=outside * 2)
        self.counts = any("steps" in names_in(operands(step)) for step in program.steps) or "steps" in own.outputs
        self.hides = unbounded(own).isdisjoint(own.outputs)
        writer = Writer(own)
        self.own = writer.forward()
        self.outputs = [writer.bare(output) for output in own.outputs]

    def common(self, missed: str = "return None") -> list[str]:
        """Return the lines that compute what all parameters share; where a guard fails, the statements `missed`."""
        return Writer(self._common).forward(missed)

    def lines(self, number: int) -> list[str]:
        """Return the lines that update the parameter of that number, and its state."""
        kept = ", ".join(["parameter@", *(f"state{slot}_of@" for slot in range(self.slots))])
        return [line.replace("@", str(number)) for line in [*self.own, f"{kept} = {', '.join(self.outputs)}"]]

    def loop_source(self) -> str:
        """Return the source of a function that updates any number of parameters."""
        states = [f"state{slot}_of@" for slot in range(self.slots)]
        given = ", ".join(["parameters", "gradients", *(f"states{slot}" for slot in range(self.slots))])
        kept = [f"new{slot}" for slot in range(self.slots + 1)]
        lines = [
            *self.common(),
            *(f"{name} = []" for name in kept),
            f"for {', '.join(['parameter@', 'gradient@', *states])} in zip({given}):",
            *indented([*self.own, *(f"{name}.append({text})" for name, text in zip(kept, self.outputs, strict=True))]),
            f"return [{', '.join(kept)}]",
        ]
        return as_function("updated", f"{given}, steps, lr", lines).replace("_of@", "").replace("@", "")


def unbounded(program: Program) -> set[Any]:
    """Return the names in an update that are infinite or nan where the gradient is."""
    found = {"gradient@"}
    for step in program.steps:
        if isinstance(step, Step) and step.rule.name in KEEPING:
            place = KEEPING[step.rule.name]
            if not found.isdisjoint(step.arguments[:place]):
                found.add(step.target)
    return found


def targets(program: Program) -> list[str]:
    """Return the names of what `program` computes."""
    return [step.target for step in program.steps if isinstance(step, Step)]


def parted(program: Program) -> tuple[Program, Program]:
    """Return what an update does with `steps` and `lr` alone, once for all parameters, and what it does with each.

    Raises:
        Unfit: if it decides by the number of a parameter.
    """
    known = {"steps", "lr"}
    common: list[Any] = []
    own: list[Any] = []
    for step in program.steps:
        if known.issuperset(names_in(operands(step))):
            common.append(step)
            known.update([step.target] if isinstance(step, Step) else [])
        elif isinstance(step, Guard):
            raise Unfit("the optimiser decides by the numbers of a parameter")
        else:
            own.append(step)
    for_all = program._replace(inputs=("steps", "lr"), steps=tuple(common), outputs=())
    for_each = program._replace(steps=tuple(own))
    names = {name: f"{name}_of_all" for name in targets(for_all)} | {name: f"{name}_of@" for name in targets(for_each)}
    return for_all.renamed(names), for_each.renamed(names)


def unmet(*given: Any) -> None:
    """Return None, as generated code does where it meets something new."""


def refused(*given: Any) -> None:
    """Raise what generated code would, if there were some."""
    raise Unfit("the optimiser cannot be compiled")


class CompiledUpdate:
    """The update of all parameters as one generated function.

    Args:
        optimizer: an `Optimizer`.

    Attributes:
        source: the generated program; empty before the first step.
    """

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.source = ""
        self._made_for: Any = None
        self._function: Callable[..., Any] = unmet
        dependents.add(self)

    def cache_clear(self) -> None:
        """Forget the function, which is made again at the next step."""
        self._made_for = None

    def __call__(
        self, numbers: Sequence[float], gradients: Sequence[float], states: Sequence[Sequence[float]], lr: float
    ) -> list[list[float]]:
        """Return the parameters after the next step, and then their states, part by part.

        Args:
            numbers, gradients: of the parameters.
            states: the first part of all states, then the second, ….
            lr: the learning rate.

        Raises:
            Unfit: if the optimiser's `update` cannot be compiled.
            ArithmeticError, ValueError: where the generated code does.
        """
        step, made_for = self.optimizer.steps + 1, [len(states), *self.optimizer.settings()]
        if made_for != self._made_for:
            self._made_for, self._function = made_for, unmet
        moved = self._function(numbers, gradients, *states, step, lr)
        if moved is None:
            self._function = refused  # unless what follows succeeds
            self.source = Update(self.optimizer, len(states), step, lr).loop_source()
            self._function = defined(self.source, "updated")
            moved = self._function(numbers, gradients, *states, step, lr)
        result: list[list[float]] = moved
        return result
