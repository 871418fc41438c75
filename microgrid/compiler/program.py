"""A program: what a function did with its inputs, as a list of steps on named numbers.

It is what a trace gives, what each pass takes and returns, and what source is written from. Data only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from microgrid.rules import Rule

DETACH = Rule("detach(x)", "x", "the number without its derivative", x="0")
# A softmax is a step for all of it, and one for each result, with the number of that. The adjoint of all of it, `g`, is
# the sum of the results times their adjoints `d`; what an argument gains is `(d - g) * out` of its own result. That sum
# is one for all, where the operations that softmax is made of in an eager run have several more.
SOFTMAX = Rule("softmax(xs)", "softmax(xs)", "positive numbers that add up to one", x="-out")
SHARE = Rule("share(x, index)", "x", "one of the results of softmax", x="out")


class Step(NamedTuple):
    """One operation: `target` becomes `rule` of `arguments`: names, numbers, and tuples of them for sequences."""

    target: str
    rule: Rule
    arguments: tuple[Any, ...]


class Guard(NamedTuple):
    """A decision that the function took: what follows holds only where the value of `test` is `outcome` again.

    `test` is an expression with places for `operands`, such as `"{} < {}"`.
    """

    test: str
    operands: tuple[Any, ...]
    outcome: Any


class Program(NamedTuple):
    """Steps from inputs to outputs.

    Attributes:
        inputs: the names of the numbers that come in.
        steps: what is computed, in this order.
        outputs: names or numbers.

    >>> from microgrid.rules import RULES
    >>> steps = (Step("mul_0", RULES["mul"], ("x", 2.0)), Guard("{} > {}", ("mul_0", 1.0), True))
    >>> print(Program(("x",), steps, ("mul_0",)))
    inputs x
    mul_0 = mul(x, 2.0)
    guard mul_0 > 1.0 is True
    outputs mul_0
    """

    inputs: tuple[str, ...]
    steps: tuple[Step | Guard, ...]
    outputs: tuple[Any, ...]

    def __str__(self) -> str:
        lines = [f"inputs {', '.join(self.inputs)}"]
        for step in self.steps:
            if isinstance(step, Step):
                lines.append(f"{step.target} = {step.rule.name}({', '.join(map(shown, step.arguments))})")
            else:
                lines.append(f"guard {step.test.format(*map(shown, step.operands))} is {step.outcome}")
        return "\n".join([*lines, f"outputs {', '.join(map(shown, self.outputs))}"])

    def check(self) -> None:
        """Check that every name is made once, and before it is used.

        Raises:
            ValueError: naming the step that is wrong.
        """
        known = set(self.inputs)
        for step in self.steps:
            if not known.issuperset(names_in(operands(step))):
                unknown = [name for name in names_in(operands(step)) if name not in known]
                raise ValueError(f"{step}: {', '.join(unknown)} is not known here")
            if isinstance(step, Step):
                if step.target in known:
                    raise ValueError(f"{step}: {step.target} is made twice")
                if len(step.arguments) != len(step.rule.arguments):
                    raise ValueError(f"{step}: {step.rule.name} takes {len(step.rule.arguments)} arguments")
                known.add(step.target)
        if not known.issuperset(names_in(self.outputs)):
            raise ValueError(f"the outputs {self.outputs} are not all known")


def operands(step: Step | Guard) -> tuple[Any, ...]:
    """Return what a step works on."""
    return step.arguments if isinstance(step, Step) else step.operands


def shown(operand: Any) -> str:
    """Return the text of an operand."""
    if isinstance(operand, tuple):
        return f"[{', '.join(map(shown, operand))}]"
    return operand if isinstance(operand, str) else repr(operand)


def names_in(arguments: tuple[Any, ...]) -> list[str]:
    """Return the names among `arguments`, in sequences too, in order and as often as they occur.

    >>> names_in(("x", 2.0, ("y", 1.0, "x")))
    ['x', 'y', 'x']
    """
    found: list[str] = []
    for argument in arguments:
        if isinstance(argument, str):
            found.append(argument)
        elif isinstance(argument, tuple):
            found += [element for element in argument if isinstance(element, str)]
    return found


def renamed(arguments: tuple[Any, ...], names: dict[str, Any]) -> tuple[Any, ...]:
    """Return `arguments` with names replaced as `names` tells.

    >>> renamed(("x", 2.0, ("y", "x")), {"x": "z"})
    ('z', 2.0, ('y', 'z'))
    """
    if not names:
        return arguments
    return tuple([
        tuple([names.get(x, x) if isinstance(x, str) else x for x in argument])
        if isinstance(argument, tuple)
        else names.get(argument, argument)
        if isinstance(argument, str)
        else argument
        for argument in arguments
    ])  # fmt: skip
