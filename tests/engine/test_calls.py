"""The call that a frame is in the middle of."""

import array
import ast
import functools
import itertools
import linecache
import math
import operator
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from microgrid.engine import calls


class Probe:
    """A number that remembers in which call it was asked for."""

    def __float__(self) -> float:
        frame = sys._getframe(1)
        self.text = calls.source_at(frame).text
        self.called = [str(function) for function in calls.called(frame)]
        self.applied = [str(function) for function in calls.applied(frame)]
        self.are_local = [function.is_local for function in calls.applied(frame)]
        self.is_settled = all(function.is_settled for function in calls.called(frame) + calls.applied(frame))
        self.is_discarded = calls.is_discarded(frame)
        self.is_nothing = calls.is_nothing(frame)
        return 1.0


class Holder:
    """What has functions in several places."""

    __slots__ = ("own",)
    of_class = math.cos
    static = staticmethod(math.sin)

    @property
    def computed(self) -> Any:
        raise AssertionError("looking a name up runs nothing")


files = itertools.count()


def probed(source: str) -> Probe:
    """Return a number that was asked for in `source`, the body of a function."""
    probe, holder = Probe(), Holder()
    text = "def run(p, holder):\n    " + source.replace("\n", "\n    ") + "\nrun(p, holder)\n"
    file = f"<calls {next(files)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    modules: dict[str, Any] = {one.__name__: one for one in (array, functools, itertools, math, operator)}
    exec(compile(text, file, "exec"), {**modules, "p": probe, "holder": holder, "sine": math.sin, "f": float})
    return probe


@pytest.mark.parametrize(
    ("source", "called"),
    [
        ("y = math.sin(p)", ["math.sin"]),
        ("y = sine(p)", ["math.sin"]),
        ("y = f(p)", ["float"]),
        ("g = math.sin; y = g(p)", ["math.sin"]),
        ("y = holder.of_class(p)", ["math.cos"]),
        ("y = holder.static(p)", ["math.sin"]),
        ("y = type(holder).of_class(p)", ["of_class"]),
        ("y = [math.sin][0](p)", [""]),
        ("y = functools.partial(math.pow, 2.0)(p)", ["math.pow"]),
        ("g = functools.partial(functools.partial(math.pow), 2.0); y = g(p)", ["math.pow"]),
        ("y = sorted([p], key=float)", ["sorted", "float"]),
        ("y = array.array('d', [p])", ["array.array"]),
        ("numbers = array.array('d'); y = numbers.append(p)", ["array.append"]),
        ("append = array.array('d').append; y = append(p)", ["array.append"]),
        ("y = math.hypot(1.0,\n  p)", ["math.hypot"]),
        ("y = '%f' % p", []),
    ],
)
def test_what_is_called(source: str, called: list[str]) -> None:
    assert probed(source).called == called


@pytest.mark.parametrize(
    ("source", "applied"),
    [
        ("y = math.sin(p)", []),
        ("y = list(map(math.sin, [p]))", ["math.sin"]),
        ("m = map(math.sin, [p]); y = list(m)", ["math.sin"]),
        ("y = list(zip('a', enumerate(map(math.sin, [p]))))", ["math.sin"]),
        ("y = list(map(float, map(math.sin, [p])))", ["math.sin"]),
        ("y = list(filter(math.sin, [p]))", ["filter"]),
        ("y = list(filter(functools.partial(math.pow, 2.0), [p]))", ["filter"]),
        ("y = list(itertools.filterfalse(math.sin, [p]))", ["itertools.filterfalse"]),
        ("y = list(itertools.dropwhile(math.sin, [p]))", ["itertools.dropwhile"]),
        ("y = list(itertools.starmap(math.sin, [(p,)]))", ["math.sin"]),
        ("y = list(itertools.chain(map(math.sin, [p])))", ["math.sin"]),
        ("y = list(itertools.islice(map(math.sin, [p]), 1))", ["math.sin"]),
        ("y = list(iter(map(math.sin, [p])))", ["math.sin"]),
        ("y = list(map(functools.partial(math.pow, 2.0), [p]))", ["math.pow"]),
        ("y = functools.reduce(math.hypot, [p, p])", ["math.hypot"]),
        ("y = operator.call(math.sin, p)", ["math.sin"]),
        ("y = [*map(math.sin, [p])]", ["math.sin"]),
        ("y = {1, *map(math.sin, [p])}", ["math.sin"]),
        ("y = [x for x in map(math.sin, [p])]", ["math.sin"]),
        ("(y,) = map(math.sin, [p])", ["math.sin"]),
        ("for y in map(math.sin, [p]):\n    pass", ["math.sin"]),
        ("y = math.fsum(list(map(float, [1])) + [p])", []),
        ("y = math.hypot(sum(map(float, [1])), p)", []),
    ],
)
def test_what_is_applied(source: str, applied: list[str]) -> None:
    assert probed(source).applied == applied


def test_what_is_reached_through_a_local_variable() -> None:
    assert probed("m = map(math.sin, [p]); y = list(m)").are_local == [True]
    assert probed("y = list(map(math.sin, [p]))").are_local == [False]


def test_what_is_the_same_at_each_call() -> None:
    settled = ["y = float(p)", "y = math.sin(p)", "y = sine(p)", "y = list(map(float, [p]))"]
    assert all(probed(source).is_settled for source in settled)
    assert not any(probed(source).is_settled for source in ["g = float; y = g(p)", "y = holder.static(p)"])


def test_what_is_discarded() -> None:
    assert probed("math.sin(p)").is_discarded
    assert not any(probed(source).is_discarded for source in ["y = math.sin(p)", "return math.sin(p)"])


def test_what_is_not_a_call() -> None:
    assert probed("y = '%f' % p").is_nothing and probed("y = '%f' % p").text == "'%f' % p"
    assert not probed("y = math.sin(p)").is_nothing and not probed("y, *_ = map(float, [p])").is_nothing


def test_names_are_looked_up_without_running_code() -> None:
    scope = calls.Scope(sys._getframe())
    holder = Holder()
    assert calls.attribute(holder, "computed") is vars(Holder)["computed"]
    assert calls.attribute(holder, "missing") is None and calls.attribute(holder, "own") is vars(Holder)["own"]
    assert calls.attribute(Holder, "of_class") is math.cos and calls.attribute(math, "sin") is math.sin
    assert calls.attribute(type("Heir", (Holder,), {}), "of_class") is math.cos
    assert scope.lookup(ast.parse("missing.__doc__", mode="eval").body) is None
    unknown = scope.function(None)
    assert unknown.name == unknown.home == "" and not unknown.is_local


def test_where_functions_come_from() -> None:
    for module, home, shown in [("__main__", "__main__", "f"), ("a.b", "a", "a.f"), (5, "", "f")]:
        function = calls.Function("f", SimpleNamespace(__module__=module))
        assert (function.home, str(function), function.is_local) == (home, shown, False)


def test_without_source_there_is_no_text() -> None:
    probe = Probe()
    exec("float(probe)", {"probe": probe})
    assert probe.text == "" and probe.is_nothing
    code = compile("float(probe)\n", "<bare>", "exec")
    linecache.cache["<bare>"] = (13, None, ["float(probe)\n"], "<bare>")
    units = len(code.co_code) // 2
    lines_alone = b"".join(bytes([0x80 | 13 << 3 | min(8, units - start) - 1, 0]) for start in range(0, units, 8))
    exec(code.replace(co_linetable=lines_alone), {"probe": probe})
    assert probe.text == ""
