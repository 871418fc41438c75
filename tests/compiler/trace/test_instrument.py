"""The instruments: what `Value` tells a trace, and that it is untouched otherwise."""

import contextvars
import math
import operator
from contextlib import suppress
from typing import Any

import pytest

from microgrid import Value, no_grad
from microgrid.compiler.arguments import Unfit
from microgrid.compiler.program.form import Guard
from microgrid.compiler.trace import instrument as instrument_module
from microgrid.compiler.trace.instrument import instrument, is_followed, restore
from microgrid.compiler.trace.trace import Trace
from microgrid.engine import recording
from microgrid.engine.modes import Mode, active, apart, observers, tracing
from microgrid.nn import perceptrons
from tests.interruptions import everywhere


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
    other, task = Mode(lambda node: None), contextvars.copy_context()
    other.traces = True
    instrument()
    instrument()
    task.run(other.__enter__)
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
        restore()
        assert vars(Value) != before
    finally:
        task.run(other.__exit__)
        restore()
    assert dict(vars(Value)) == before
    with pytest.raises(TypeError, match="'Value' object cannot be interpreted as an integer"):
        operator.index(Value(1.0))


USES = {
    "a leaf": lambda x: Value(1.0),
    "reading": lambda x: x.data,
    "assigning": lambda x: setattr(x, "grad", 1.0),
    "a comparison": lambda x: x > 2,
    "a conversion": int,
    "rounding": round,
    "text": repr,
    "detach": Value.detach,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_what_is_left_over_heals_where_no_trace_is_on(use: Any) -> None:
    x, before = Value(2.5), dict(vars(Value))
    instrument()
    with no_grad():
        use(x)
    assert dict(vars(Value)) == before
    instrument()
    with pytest.raises(TypeError, match="'Value' object cannot be interpreted as an integer"):
        operator.index(x)
    assert dict(vars(Value)) == before


@pytest.mark.parametrize("function", [lambda x: x * 2.0, lambda x: 1 / 0])
def test_an_interruption_leaves_nothing_of_a_trace(function: Any) -> None:
    before, found = dict(vars(Value)), []

    def run() -> None:
        found.append(tracing())
        with suppress(Unfit):
            Trace([1.5]).run(function)

    entering = Trace.run, Trace.__enter__, Trace.__exit__, Trace.close, Mode, apart, instrument, restore
    with no_grad() as outer:
        for _ in everywhere(run, *entering, instrument_module.set_all):
            while instrument_module._lock._is_owned():  # signals are handled at calls, not between a block and its end
                instrument_module._lock.release()
            assert dict(vars(Value)) == before
            assert active() == [outer] == [entry.mode for entry in observers]
            assert not instrument_module.plain_ids and not instrument_module.exact
    assert {*found} == {None}


def test_reading_data_is_followed_in_the_library_only() -> None:
    code = test_values_do_what_they_did_outside_of_the_trace.__code__
    assert is_followed(code, vars(recording)) and is_followed(code, Value.tanh.__globals__)
    assert not is_followed(code, vars(perceptrons)) and not is_followed(code, {"FOLLOWED": True})  # a user's


def test_the_first_obstacle_is_told() -> None:
    trace = Trace([2.0])
    with trace:
        (x,) = trace.inputs
        float(x)
        x.data = x.data + 1
    assert trace.obstacle.startswith(f"float() at {__file__}:")


def test_numbers_of_a_trace_are_values_where_it_does_not_reach() -> None:
    with Trace([3.0], [3]) as trace:
        (n,) = trace.inputs
        with apart():
            assert (n * 2).data == 6.0 and hash(n) == object.__hash__(n)
            with pytest.raises(OverflowError):
                int(Value(math.inf))
    assert trace.obstacle == "" and len(trace.program([]).steps) == 0
