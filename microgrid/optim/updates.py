"""An optimiser's `update` of one parameter, traced and written as source: lines for each parameter, or a function."""

from __future__ import annotations

from microgrid.compiler.arguments import Unfit
from microgrid.compiler.cases import defined
from microgrid.compiler.parts import traced_program
from microgrid.compiler.program.form import Guard, Program, Step, names_in, operands
from microgrid.compiler.source.emit import Writer, as_function, indented
from microgrid.engine.operations import dependents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from microgrid.engine.value import Value


# Rules whose result is infinite or nan whenever one of their first arguments is, and how many: x / y propagates an
# infinite x, but not an infinite y.
PROPAGATING = {"add": 2, "sub": 2, "mul": 2, "div": 1, "neg": 1, "abs": 1, "sqrt": 1, "pow_2": 1}


class Update:
    """The update of one parameter as lines of source, in which `@` is replaced by the index of the parameter.

    Args:
        optimizer: an `Optimizer`.
        slots: the count of numbers in the state of a parameter.
        step: the next step, 1 for the first.
        lr: its learning rate. If `update` branches on `step` or `lr`, guards check that later steps take that branch.

    Attributes:
        hides: whether an infinite gradient can leave all results finite, as in `sign(gradient)`.
        counts: whether the lines refer to the step count, as `steps`.

    Raises:
        Unfit: if `update` cannot be compiled.
    """

    def __init__(self, optimizer: Any, slots: int, step: int, lr: float) -> None:
        self.slots = slots

        def update(parameter: Value, gradient: Value, step: Value, lr: Value, *state: Value) -> list[Any]:
            moved, kept = optimizer.update(parameter, gradient, state, step, lr)
            return [moved, *kept]

        program, externals = traced_program(update, [0.5, 0.5, step, lr, *[0.5] * slots], whole=[2])
        if externals:
            raise Unfit("the optimiser uses a Value that is not an argument of update")
        if len(program.outputs) != 1 + slots:
            raise Unfit(f"update returns {len(program.outputs) - 1} numbers as the state of a parameter, not {slots}")
        names = ["parameter@", "gradient@", "steps", "lr", *(f"state{slot}_of@" for slot in range(slots)), "steps"]
        program = program.renamed(dict(zip(program.inputs, names, strict=False)))
        common, own = split(program)
        used = {name for step in own.steps for name in names_in(operands(step))} | {*names_in(own.outputs)}
        outside = tuple([name for name in targets(common) if name in used])
        # The writer inlines what is used only once. Every parameter uses these, so they are listed twice.
        self._common = common._replace(outputs=outside * 2)
        self.counts = any("steps" in names_in(operands(step)) for step in program.steps) or "steps" in own.outputs
        self.hides = unbounded(own).isdisjoint(own.outputs)
        writer = Writer(own)
        self.own = writer.forward()
        self.outputs = [writer.bare(output) for output in own.outputs]

    def common(self, missed: str = "return None") -> list[str]:
        """Return the lines that compute what all parameters share; if a guard fails, they run the lines `missed`."""
        return Writer(self._common).forward(missed)

    def lines(self, index: int) -> list[str]:
        """Return the lines that update the parameter at `index`, and its state."""
        kept = ", ".join(["parameter@", *(f"state{slot}_of@" for slot in range(self.slots))])
        return [line.replace("@", str(index)) for line in [*self.own, f"{kept} = {', '.join(self.outputs)}"]]

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
    """Return the names in an update that are infinite or nan whenever the gradient is."""
    found = {"gradient@"}
    for step in program.steps:
        if isinstance(step, Step) and not found.isdisjoint(step.arguments[: PROPAGATING.get(step.rule.name, 0)]):
            found.add(step.target)
    return found


def targets(program: Program) -> list[str]:
    """Return the names that `program` computes."""
    return [step.target for step in program.steps if isinstance(step, Step)]


def split(program: Program) -> tuple[Program, Program]:
    """Return two programs: what an update computes from `steps` and `lr` alone, and what it computes per parameter.

    Raises:
        Unfit: if it branches on a parameter, a gradient or a state.
    """
    known = {"steps", "lr"}
    common: list[Any] = []
    own: list[Any] = []
    for step in program.steps:
        if known.issuperset(names_in(operands(step))):
            common.append(step)
            known.update([step.target] if isinstance(step, Step) else [])
        elif isinstance(step, Guard):
            raise Unfit("the optimiser branches on a parameter, its gradient or its state")
        else:
            own.append(step)
    for_all = program._replace(inputs=("steps", "lr"), steps=tuple(common), outputs=())
    for_each = program._replace(steps=tuple(own))
    names = {name: f"{name}_of_all" for name in targets(for_all)} | {name: f"{name}_of@" for name in targets(for_each)}
    return for_all.renamed(names), for_each.renamed(names)


def unmet(*given: Any) -> None:
    """Return None, as generated code does where a guard fails."""


def refused(*given: Any) -> None:
    """Raise Unfit: the function of an optimiser that cannot be compiled."""
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
        """Forget the function; the next step compiles it again."""
        self._made_for = None

    def __call__(
        self, numbers: Sequence[float], gradients: Sequence[float], states: Sequence[Sequence[float]], lr: float
    ) -> list[list[float]]:
        """Return the parameters after the next step, then their states by columns.

        Args:
            numbers, gradients: the values and gradients of the parameters.
            states: the states by columns: the first number of every state, then the second, ….
            lr: the learning rate.

        Raises:
            Unfit: if the optimiser's `update` cannot be compiled.
            ArithmeticError, ValueError: if the generated code does.
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
