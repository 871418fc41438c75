"""Hypothesis profiles, and guards for every test."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import settings

from tests import profiles

profiles.register()
settings.load_profile(os.environ.get("MICROGRID_PROFILE", "default"))  # --hypothesis-profile comes later and wins


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Keep --doctest-modules from importing the scripts beside the tests, which may need packages of other extras."""
    is_script = collection_path.suffix == ".py" and not collection_path.name.startswith(("test_", "conftest"))
    return True if is_script else None


# What no test may leave changed: how to read it, and how to put it back.
_GUARDED: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "gc.isenabled()": (gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    "gc.get_threshold()": (gc.get_threshold, lambda counts: gc.set_threshold(*counts)),
    "sys.getrecursionlimit()": (sys.getrecursionlimit, sys.setrecursionlimit),
    "os.getcwd()": (os.getcwd, os.chdir),
}


@pytest.fixture(autouse=True)
def _no_leaked_state() -> Iterator[None]:
    """Fail a test that leaves the interpreter changed, and put things back so that no later test is blamed."""
    before = {name: read() for name, (read, _) in _GUARDED.items()}
    yield
    leaks = []
    for name, (read, restore) in _GUARDED.items():
        if (after := read()) != before[name]:
            restore(before[name])
            leaks.append(f"{name} was {before[name]} and is {after}")
    if leaks:
        pytest.fail("the test leaks global state: " + "; ".join(leaks), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def _no_conversion_of_ours() -> Iterator[None]:
    """Fail a test in which the library itself asks a `Value` for a float: that is for the user's code to do."""
    from microgrid.engine import calls, lost, value

    before_computing = value.before_computing

    def checked(frame: FrameType) -> None:
        functions = calls.applied(frame) or calls.called(frame)
        is_ours = lost.root_of(frame) == "microgrid" and not any(function.is_local for function in functions)
        is_ours = (
            is_ours and frame.f_globals["__name__"] != "microgrid.rules.newer_math"
        )  # `nextafter`, up to Python 3.11
        assert not is_ours, f"{frame.f_code.co_filename}:{frame.f_lineno} converts a Value to a float"
        before_computing(frame)

    value.before_computing = checked
    yield
    value.before_computing = before_computing


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt the programs a test starts, as at a terminal: background jobs of scripts ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def rules_restored() -> Iterator[None]:
    """Take out of the calculus table what a test adds to it."""
    from microgrid.engine import define, operations
    from microgrid.rules.table import RULES

    tables: list[Any] = [
        RULES,
        operations.NUMBERS,
        operations.BASE_FUNCTIONS,
        operations._callables,
        operations._operations,
        define._defined,
    ]
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        table.clear()
        table.update(entries)
    operations._functions.clear()
