"""Parts of generated functions: what can be traced, and how names are replaced."""

import pytest

from microgrid import Value, math
from microgrid.compiler.arguments import Unfit
from microgrid.compiler.parts import traced_program
from microgrid.compiler.program.form import Program, Step
from microgrid.rules.table import RULES


def test_names_are_replaced_everywhere():
    program = Program(("a", "b"), (Step("c", RULES["dot"], (("a", 1.0), ("b", "a"), "b")),), ("c", "a"))
    assert program.renamed({"a": "x", "c": "z"}) == Program(
        ("x", "b"), (Step("z", RULES["dot"], (("x", 1.0), ("b", "x"), "b")),), ("z", "x")
    )


def test_traces_that_are_refused():
    x, node = Value(1.0), Value(1.0) * 2.0
    with pytest.raises(Unfit, match=r"reading \.data at .*test_parts\.py:\d+"):
        traced_program(lambda y: [y * y.data], [1.0])
    with pytest.raises(Unfit, match=r"an error in div at .*test_parts\.py:\d+"):
        traced_program(lambda y: [y / 0.0], [1.0])
    with pytest.raises(Unfit, match="a trial run raised KeyError: 1"):
        traced_program(lambda y: [{}[1]], [1.0])
    with pytest.raises(Unfit, match=r"reading \.data at"):
        traced_program(lambda y: [{}[y.data]], [1.0])
    with pytest.raises(Unfit, match="it uses a node that was made before"):
        traced_program(lambda y: [y * node], [1.0])
    program, externals = traced_program(lambda y: [math.tanh(y * x)], [0.5])
    assert len(externals) == 1 and externals[0] is x and len(program.steps) == 2
