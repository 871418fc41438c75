"""Programs: their text, and the check that every name is made once and before it is used."""

import pytest

from microgrid.compiler.program import Guard, Program, Step, operands
from microgrid.rules import RULES

MUL = Step("mul_0", RULES["mul"], ("x", 2.0))
FSUM = Step("fsum_1", RULES["fsum"], (("x", "mul_0", 1.0),))
GUARD = Guard("{} < {}", ("fsum_1", 3.0), False)


def test_text_shows_sequences_and_guards() -> None:
    text = str(Program(("x", "y"), (MUL, FSUM, GUARD), ("fsum_1", 2.0)))
    assert text.splitlines() == [
        "inputs x, y",
        "mul_0 = mul(x, 2.0)",
        "fsum_1 = fsum([x, mul_0, 1.0])",
        "guard fsum_1 < 3.0 is False",
        "outputs fsum_1, 2.0",
    ]
    assert operands(GUARD) == ("fsum_1", 3.0)


def test_a_sound_program_passes() -> None:
    Program(("x",), (MUL, FSUM, GUARD), ("fsum_1",)).check()


@pytest.mark.parametrize(
    ("steps", "outputs", "reason"),
    [
        ((FSUM,), (), "mul_0 is not known here"),
        ((GUARD,), (), "fsum_1 is not known here"),
        ((MUL, MUL), (), "mul_0 is made twice"),
        ((MUL._replace(target="x"),), (), "x is made twice"),
        ((MUL._replace(arguments=("x",)),), (), "mul takes 2 arguments"),
        ((MUL,), ("fsum_1",), "the outputs .*fsum_1.* are not all known"),
    ],
)
def test_an_unsound_program_is_refused(steps: tuple[Step, ...], outputs: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Program(("x",), steps, outputs).check()
