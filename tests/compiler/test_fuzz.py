"""The fuzzer: what it writes, that it finds planted faults, and that it allows for roundings only."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from microgrid import Value, grad, jit
from tests.compiler import twins
from tests.compiler.choices import Choices
from tests.compiler.fuzz import drawn, made, shown, shrunk
from tests.compiler.scripts import Script
from tests.compiler.twins import Outcome, bound, compiled_program
from tests.compiler.vocabulary import FEATURES


def test_a_program_is_the_same_for_the_same_choices() -> None:
    for number in range(20):
        choices = Choices(random.Random(number))
        text = Script(choices, FEATURES).text
        assert Script(Choices(choices.made), FEATURES).text == text
        assert drawn(0, number).script.text == drawn(0, number).script.text


def test_a_program_without_choices_is_the_simplest() -> None:
    assert Script(Choices([]), FEATURES[:1]).text.splitlines() == [
        "def program(jit, call):", "    def function(x):", "        return x", "    f = jit(function)",
        "    call(f, 2.0)", "    call(f, 2.0)",
    ]  # fmt: skip


def twisted(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a `jit` that changes the results of functions called with a negative number."""

    def compiler(function: Any) -> Any:
        def called(x: Any, *more: Any) -> Any:
            result = function(x, *more)
            return change(result) if isinstance(x, float | Value) and x < 0 else result

        return called

    return compiler


def raised(result: Any) -> Any:
    """Raise an error in place of a result."""
    raise ValueError("planted")


def times(factor: float) -> Callable[[Any], Any]:
    """Return a function that changes the gradient alone."""
    return lambda result: result + (result - result.data) * (factor - 1) if isinstance(result, Value) else result


FAULTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a kind": (lambda result: result.data if isinstance(result, Value) else result, "kinds"),
    "an int": (lambda result: int(result) if result == 1 and type(result) is float else result, "kinds"),
    "the last bit": (lambda result: result * (1 + 2**-52) if type(result) is float else result, "values"),
    "the sign of zero": (lambda result: -result if type(result) is float and result == 0 else result, "values"),
    "an error": (raised, "kinds"),
    "a gradient": (times(1 + 1e-9), "gradients"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_shrinks(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, kind = FAULTS[fault]
    monkeypatch.setattr(twins, "jit", twisted(change))
    programs = (drawn(2, number, without=["outside", "loops", "nested"]) for number in range(1000))
    found = next(program for program in programs if kind in program.kinds)
    smallest = shrunk(found, {kind})
    assert kind in smallest.kinds and len(smallest.script.text) <= min(400, len(found.script.text))
    assert f"{kind} differ" in shown("2:0", smallest)


def outcome(*lines: str) -> Outcome:
    """Return what a program of these lines gives."""
    return Outcome(compiled_program("\n".join(["def program(jit, call):", *[f"    {line}" for line in lines]])))


def test_roundings_of_sums_are_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("f = jit(lambda x: sum([x * (0.1 * k) for k in range(1, 9)]))", "call(f, Value(-3.0))")
    monkeypatch.setattr(twins, "jit", twisted(times(1 + 2**-51)))
    assert not outcome(*lines).differences
    monkeypatch.setattr(twins, "jit", twisted(times(1 + 2**-40)))
    assert [name for _, name, _, _ in outcome(*lines).differences] == ["gradients"]


def test_derivatives_of_what_is_compiled_may_be_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("f = jit(lambda x: x * x * 0.3)", "call(grad(f), -3.0, derived=True)", "call(f, -3.0, twice=True)")
    monkeypatch.setattr(twins, "jit", twisted(times(1 + 2**-51)))
    assert not outcome(*lines).differences
    monkeypatch.setattr(twins, "jit", twisted(times(1 + 2**-40)))
    assert [name for _, name, _, _ in outcome(*lines).differences] == ["values"]


def test_a_run_that_is_eager_says_why() -> None:
    found = outcome("f = jit(lambda x, o: x)", "call(f, 2.0, object())")
    assert found.reasons == ["an argument of type object"] and not found.differences


def test_a_call_with_an_error_is_compared_by_its_words() -> None:
    assert not outcome("f = jit(lambda x: math.log(x))", "call(f, -1.0)", "call(f, Value(-1.0))").differences


def test_the_bound_of_a_sum_that_cancels_is_that_of_its_terms() -> None:
    x = Value(1e9)
    assert 1e-7 < bound(x * 1.5 - x * 1.5) < 1e-4
    assert bound(x * 1.5) < 1e-4 and bound(x) == 0.0
    assert 0.0 < bound(grad(lambda v: v * v - v * v)(x)) < 1e-4


def test_what_differs_is_shown_as_a_program_that_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(twins, "jit", twisted(FAULTS["the last bit"][0]))
    program = next(each for number in range(1000) if (each := drawn(2, number)).outcome.differences)
    exec(compile(shown("label", program), "<shown>", "exec"), {"__name__": "__main__"})
    assert "differ" in capsys.readouterr().out
    monkeypatch.setattr(twins, "jit", jit)
    twins.show(compiled_program(made(Choices([]), []).script.text))
    assert capsys.readouterr().out == "no difference\n"
