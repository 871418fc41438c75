"""Forks while other threads trace, compile and define: the new process has nothing of theirs to wait for."""

import _thread
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from microgrid.engine.forks import after_fork, free_in_forks, once

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
BEGIN = """
import gc, os, threading, time
from microgrid import *
from microgrid import math
from microgrid.engine import graph
from microgrid.engine import modes
from microgrid.engine import operations
from microgrid.compiler import jit as jitting
from microgrid.compiler.trace import instrument
before, begun, end = dict(vars(Value)), threading.Event(), threading.Event()

def forked(thread, child):
    thread.start()
    begun.wait()
    process = os.fork()
    if not process:
        try:
            child()
            print("whole", end="", flush=True)
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    end.set()
    thread.join()
"""


def output_of(program: str) -> str:
    """Return what a program prints."""
    command = [sys.executable, "-W", "ignore", "-c", BEGIN + textwrap.dedent(program)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return process.stdout + process.stderr


@FORKS
@pytest.mark.parametrize("name", ["operations.registering", "instrument._lock", "modes._counting", "jitting.entering"])
def test_no_lock_is_held_by_a_thread_that_is_not_there(name: str) -> None:
    program = f"""
        def hold():
            with {name}:
                begun.set()
                time.sleep(0.1)

        def child():
            assert {name}.acquire(blocking=False)

        forked(threading.Thread(target=hold), child)
    """
    assert output_of(program) == "whole"


@FORKS
def test_a_trace_of_another_thread_is_over() -> None:
    program = """
        def slow(x):
            begun.set()
            end.wait()
            return x * x

        def child():
            assert dict(vars(Value)) == before and gc.isenabled()
            assert modes.active() == [outer] == [entry.mode for entry in modes.observers]
            assert jit(grad(lambda x: x * x))(3.0) == 6.0

        with no_grad() as outer:
            forked(threading.Thread(target=lambda: jit(slow)(2.0)), child)
        assert dict(vars(Value)) == before and not modes.observers and gc.isenabled()
    """
    assert output_of(program) == "whole"


@FORKS
def test_a_process_that_is_forked_within_a_pause_goes_on_with_it() -> None:
    program = """
        def child():
            assert not gc.isenabled()
            pause.__exit__()
            assert gc.isenabled()

        pause = gc_paused()
        pause.__enter__()
        forked(threading.Thread(target=begun.set), child)
    """
    assert output_of(program) == "whole"


def test_what_is_done_at_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[dict[str, Callable[[], object]]] = []
    monkeypatch.setattr(os, "register_at_fork", lambda **given: hooks.append(given), raising=False)
    lock, calls = _thread.RLock(), []
    assert free_in_forks(lock) is lock
    after_fork(lambda: calls.append("in the child"))
    taking, telling = hooks
    for place in ("after_in_parent", "after_in_child"):
        taking["before"]()
        assert lock._is_owned()
        taking[place]()
        assert not lock._is_owned()
    assert [*telling] == ["after_in_child"]
    telling["after_in_child"]()
    assert calls == ["in the child"]


def test_where_nothing_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    lock = _thread.RLock()
    assert free_in_forks(lock) is lock
    after_fork(lambda: None)


def test_once() -> None:
    class Case:
        @once
        def number(self) -> int:
            """The number."""
            found.append(self)
            return len(found)

    found: list[Case] = []
    case = Case()
    assert (case.number, case.number, Case().number, len(found)) == (1, 1, 2, 2)
    assert Case.number.__doc__ == "The number."
