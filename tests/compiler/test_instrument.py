"""The instruments: what `Value` tells a trace, and that it is untouched otherwise."""

import math
import operator
from typing import Any

import pytest

from microgrid import Value
from microgrid.compiler.instrument import instrument, is_followed, restore
from microgrid.compiler.program import Guard
from microgrid.compiler.trace import Trace
from microgrid.modes import Mode


def guards(function: Any, number: float = 1.5) -> list[tuple[str, Any]]:
    """Return the tests and outcomes of the guards that a function makes."""
    trace = Trace([number])
    with trace:
        function(*trace.inputs)
    return [(step.test, step.outcome) for step in trace.program([]).steps if isinstance(step, Guard)]


@pytest.mark.parametrize(
    ("function", "test", "outcome"),
    [
        (lambda x: x == 1, "{} == {}", False), (lambda x: x != 1, "{} != {}", True), (lambda x: x < 2, "{} < {}", True),
        (lambda x: x <= 2, "{} <= {}", True), (lambda x: x > 2, "{} > {}", False),
        (lambda x: x >= 2, "{} >= {}", False),
        (bool, "{} != 0.0", True), (int, "int({})", 1), (math.floor, "floor({})", 1), (math.ceil, "ceil({})", 2),
        (math.trunc, "trunc({})", 1), (round, "round({})", 2),
    ],
)  # fmt: skip
def test_decisions_are_guards(function: Any, test: str, outcome: Any) -> None:
    assert guards(function) == [(test, outcome)]


def test_a_comparison_with_no_number_is_none() -> None:
    assert guards(lambda x: (x == "a", x != None)) == []  # noqa: E711


def test_values_do_what_they_did_outside_of_the_trace() -> None:
    before = dict(vars(Value))
    other = Mode(lambda node: None)
    other.traces = True
    instrument()
    instrument()
    try:
        x = Value(2.5)
        x.data = 3.5
        assert (x.data, float(x), int(x), round(x), round(x, 1).data, x > 3, bool(x)) == (
            3.5,
            3.5,
            3,
            4,
            3.5,
            True,
            True,
        )
        assert x.detach().data == 3.5 and f"{x}" == repr(x) and vars(Value) != before
        with pytest.raises(TypeError, match="'Value' object cannot be interpreted as an integer"):
            operator.index(x)
        with other:
            restore()
        assert vars(Value) != before
    finally:
        restore()
    assert dict(vars(Value)) == before
    with pytest.raises(TypeError, match="'Value' object cannot be interpreted as an integer"):
        operator.index(Value(1.0))


def test_reading_data_is_followed_in_the_library_only() -> None:
    code = test_values_do_what_they_did_outside_of_the_trace.__code__
    for module, followed in {"microgrid.recording": True, "microgrid.generated.value": True, "microgrid.nn": False,
                             "recording": False, "microgrid.compiler.trace": True, "": False}.items():  # fmt: skip
        assert is_followed(code, module) is followed


def test_the_first_obstacle_is_told() -> None:
    trace = Trace([2.0])
    with trace:
        (x,) = trace.inputs
        float(x)
        x.data = x.data + 1
    assert trace.obstacle.startswith(f"float() at {__file__}:")
