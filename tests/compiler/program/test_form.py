"""Programs: their text, and the check that every name is made once and before it is used."""

import re

import pytest

from microgrid.compiler.program.form import (
    DETACH,
    SHARE,
    SOFTMAX,
    Guard,
    Loop,
    Program,
    Step,
    operands,
    renamed,
    targets,
)
from microgrid.rules.table import RULES, Rule

MUL = Step("mul_0", RULES["mul"], ("x", 2.0))
FSUM = Step("fsum_1", RULES["fsum"], (("x", "mul_0", 1.0),))
GUARD = Guard("{} < {}", ("fsum_1", 3.0), False)
PATH = Program(("row_2_0",), (Step("mul_2_0", RULES["mul"], ("row_2_0", "mul_0")),), ("mul_2_0",))
LOOP = Loop("2", (("map_2_0_0", "map_2_0_1"),), (("x", 1.0),), (PATH,))


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


def test_text_shows_loops() -> None:
    text = str(Program(("x",), (MUL, LOOP), ("map_2_0_1",)))
    assert text.splitlines() == [
        "inputs x",
        "mul_0 = mul(x, 2.0)",
        "loop 2 over [x, 1.0]",
        "  inputs row_2_0",
        "  mul_2_0 = mul(row_2_0, mul_0)",
        "  outputs mul_2_0",
        "makes [map_2_0_0, map_2_0_1]",
        "outputs map_2_0_1",
    ]
    assert operands(LOOP) == (("x", 1.0), "mul_0") and targets(LOOP) == ["map_2_0_0", "map_2_0_1"]
    assert str(LOOP._replace(columns=(("x", 1.0), ("x", "x")))).startswith("loop 2 over [x, 1.0], [x, x]\n")


def test_a_loop_counts_once() -> None:
    assert Program(("x",), (MUL, LOOP, GUARD), ()).size == 3
    assert Program(("x",), (MUL, LOOP._replace(paths=(PATH, PATH))), ()).size == 3


def test_rows_have_nothing_in_common_unless_it_is_said() -> None:
    assert LOOP.shape is None


def test_names_are_replaced_in_loops() -> None:
    renamed = Program(("x",), (MUL, LOOP), ("map_2_0_1",)).renamed({"x": "y", "mul_0": "z"})
    assert renamed.inputs == ("y",) and renamed.steps[0] == MUL._replace(target="z", arguments=("y", 2.0))
    assert operands(renamed.steps[1]) == (("y", 1.0), "z")
    assert LOOP.renamed({"mul_0": 3.0}).paths[0].steps == (Step("mul_2_0", RULES["mul"], ("row_2_0", 3.0)),)


def test_names_are_replaced_in_guards() -> None:
    (guard,) = Program(("x",), (GUARD,), ()).renamed({"fsum_1": "y"}).steps
    assert guard == GUARD._replace(operands=("y", 3.0))


def test_names_are_replaced_and_numbers_are_not() -> None:
    assert renamed(("x", 2.0, "y", ("x", 1.0, "y")), {"x": "z", "w": 2.0}) == ("z", 2.0, "y", ("z", 1.0, "y"))
    assert renamed(("x", "w"), {"w": 2.0}) == ("x", 2.0) and renamed(("x",), {}) == ("x",)


@pytest.mark.parametrize(
    ("rule", "signature", "forward", "partials"),
    [
        (DETACH, ("detach", "x"), "x", {"x": "0"}),
        (SOFTMAX, ("softmax", "xs"), "softmax(xs)", {"x": "-out"}),
        (SHARE, ("share", "x", "index"), "x", {"x": "out"}),
    ],
)
def test_steps_that_are_no_rows(rule: Rule, signature: tuple[str, ...], forward: str, partials: dict[str, str]) -> None:
    assert (rule.name, *rule.arguments) == signature and (rule.forward, rule.partials) == (forward, partials)
    assert re.fullmatch("[a-z ]+", rule.doc), "a few words, as of every rule"


def test_a_sound_program_passes() -> None:
    Program(("x",), (MUL, FSUM, GUARD), ("fsum_1",)).check()
    Program(("x",), (MUL, LOOP, FSUM), ("fsum_1", "map_2_0_0")).check()


@pytest.mark.parametrize(
    ("steps", "outputs", "reason"),
    [
        ((FSUM,), (), "mul_0 is not known here"),
        ((GUARD,), (), "fsum_1 is not known here"),
        ((MUL, MUL), (), "mul_0 is made twice"),
        ((MUL._replace(target="x"),), (), "x is made twice"),
        ((MUL._replace(arguments=("x",)),), (), "mul takes 2 arguments"),
        ((LOOP,), (), "mul_0 is not known here"),
        ((MUL, LOOP, LOOP), (), "map_2_0_0 is made twice"),
        ((MUL, LOOP._replace(paths=(PATH._replace(outputs=("y",)),))), (), "y is not known here"),
        ((MUL, LOOP._replace(paths=(PATH._replace(steps=PATH.steps * 2),))), (), "mul_2_0 is made twice"),
        ((MUL,), ("fsum_1",), "the outputs .*fsum_1.* are not all known"),
    ],
)
def test_an_unsound_program_is_refused(steps: tuple[Step, ...], outputs: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Program(("x",), steps, outputs).check()
