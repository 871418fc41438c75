"""One rule at one point, for `rule_checks`: its derivatives in each role, and those that the oracle finds."""

from __future__ import annotations

from contextlib import contextmanager

from hypothesis.errors import UnsatisfiedAssumption

from microgrid.engine.numbers import MATH_ERRORS, plain_float
from microgrid.engine.operations import _callables
from microgrid.engine.recording import apply
from microgrid.engine.sweeps import adjoints
from microgrid.engine.value import Value
from microgrid.rules import source
from microgrid.rules.table import Rule
from microgrid.testing.oracle import complex_step
from microgrid.testing.oracle.numerical import SURE, Estimate, agreed
from microgrid.testing.strategies.domains import forward, places, replaced
from microgrid.transforms.series import Series, expansions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

    Arguments = dict[str, Any]

BACKWARD = ("total", "vjp", "vjp_total", "record", "record_total")
FORWARD = ("jvp", "jvp_total", "jvp_record", "jvp_record_total")


class Trial:
    """One rule at one point.

    Args:
        rule: a row of the table.
        arguments: its arguments by name.
    """

    def __init__(self, rule: Rule, arguments: Arguments) -> None:
        self.rule, self.arguments = rule, arguments
        found = places(rule, arguments)
        self.numbers = [float(x) for _, x in found]
        counts: dict[str, int] = {}
        self.names = []
        is_text = not source.words(" ".join(rule.partials.values())) & _callables.keys()
        self.taylor_roles = ["taylor"] if is_text else []  # functions take numbers and nodes, not series
        for name, _ in found:
            index = counts[name] = counts.get(name, -1) + 1
            self.names.append(f"{name}[{index}]" if rule.is_sequence(name) else name)

    def with_number(self, i: int, x: Any) -> Arguments:
        """Return the arguments with `x` in place `i`."""
        return replaced(self.rule, self.arguments, [*self.numbers[:i], x, *self.numbers[i + 1 :]])

    def moved(self, i: int, x: float) -> Trial:
        """Return the trial with `x` in place `i`."""
        return Trial(self.rule, self.with_number(i, x))

    def node(self) -> tuple[Value, list[Value]]:
        """Return a new node of the rule, and its leaves."""
        leaves = [Value(x) for x in self.numbers]
        return apply(self.rule, *replaced(self.rule, self.arguments, leaves).values()), leaves

    def fail(self, role: str, *which: int, reason: str) -> NoReturn:
        """Raise AssertionError naming the rule, the role, the arguments in places `which` and the point."""
        by = " and ".join(self.names[i] for i in which)
        point = ", ".join(f"{name}={argument!r}" for name, argument in self.arguments.items())
        raise AssertionError(f"rule {self.rule.name!r}, {role}{by and f' by {by}'} at {point}: {reason}")

    @contextmanager
    def during(self, role: str) -> Iterator[None]:
        """Turn any error into an AssertionError that names the rule, the role and the point."""
        try:
            yield
        except (AssertionError, UnsatisfiedAssumption):
            raise
        except Exception as error:
            self.fail(role, reason=f"it raises {type(error).__name__}: {error}")

    def hold(self, role: str, *which: int, engine: float, oracle: Estimate, rtol: float, atol: float = 0.0) -> None:
        """Check a derivative of the engine against that of the oracle."""
        if not abs(engine - oracle.derivative) <= rtol * abs(oracle.derivative) + atol + SURE * oracle.error:
            found = f"the oracle finds {oracle.derivative!r} ({oracle.method}, error {oracle.error:.0e})"
            self.fail(role, *which, reason=f"the engine gives {engine!r}, {found}")


# The engine's derivatives


def pulled(trial: Trial) -> list[float]:
    """Return the gradients by `backward`. The seed is 2, not 1, so that a rule that drops the adjoint is caught."""
    out, leaves = trial.node()
    out.backward(2.0)
    return [leaf.grad / 2 for leaf in leaves]


def first_derivatives(trial: Trial, role: str) -> list[float]:
    """Return the first derivatives that a role computes."""
    out, leaves = trial.node()
    if role == "taylor":
        return [taylor(trial, i)[1] for i in range(len(leaves))]
    seed = Value(2.0) if "record" in role else 2.0
    if role in FORWARD:
        return [plain_float(or_zero(getattr(out.op, role)(out, {leaf: seed}))) / 2 for leaf in leaves]
    found = getattr(out.op, role)(out, seed) or [leaf.grad for leaf in leaves]
    return [plain_float(adjoint) / 2 for adjoint in found]


def or_zero(tangent: Any) -> Any:
    """Return a tangent, zero if nothing contributes to it."""
    return 0.0 if tangent is None else tangent


def taylor(trial: Trial, i: int) -> list[float]:
    """Return the Taylor coefficients in the number in place `i`, up to the second power."""
    out, leaves = trial.node()
    table = {leaves[i]: Series([leaves[i].data, 1.0, 0.0])}
    expansions([out], table)
    return [float(term) for term in table[out].terms]


def recorded(trial: Trial, i: int) -> tuple[Any, list[Value]]:
    """Return the recorded gradient by the number in place `i`, and the leaves."""
    out, leaves = trial.node()
    return adjoints([out], {out: Value(1.0)}, "record").get(leaves[i], 0.0), leaves


# The oracle's derivatives


def steps(trial: Trial, i: int = -1) -> complex_step.Step:
    """Return the result of the forward text on complex numbers, with a complex step in place `i`."""
    lifted = [complex_step.Step(complex(x, complex_step.H * (j == i))) for j, x in enumerate(trial.numbers)]
    return complex_step.evaluate(trial.rule, *replaced(trial.rule, trial.arguments, lifted).values())


def has_complex_version(trial: Trial) -> bool:
    """Return whether the forward text can be evaluated on complex numbers."""
    try:
        steps(trial)
    except (*MATH_ERRORS, TypeError, NameError):
        return False
    return True


def slope(trial: Trial, i: int) -> Estimate:
    """Return the derivative by the number in place `i`, as the oracle finds it."""

    def at(x: float) -> float:
        return forward(trial.rule, trial.with_number(i, x))

    def along(x: float) -> float:
        return steps(trial.moved(i, x), i).z.imag / complex_step.H

    return agreed(at, trial.numbers[i], along, largest_partial_sum(trial))


def largest_partial_sum(trial: Trial) -> float:
    """Return the size of the largest partial sum of a rule that adds from left to right; 0.0 for other rules.

    The rounding error of the result is relative to it. Partial sums are the results for shorter sequences.
    """
    rule = trial.rule
    if "; " not in rule.forward:
        return 0.0
    elements = {name: trial.arguments[name] for name in source.sequences(rule)}
    shorter = range(len(next(iter(elements.values()))))
    cuts = [trial.arguments | {name: xs[:count] for name, xs in elements.items()} for count in shorter]
    return max((abs(forward(rule, cut)) for cut in cuts), default=0.0)
