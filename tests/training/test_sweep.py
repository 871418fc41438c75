"""`sweep`: many runs at once, none lost."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from microgrid import Value
from microgrid.losses import mse_loss
from microgrid.nn import MLP
from microgrid.optim import Adam
from microgrid.training import History, SerialExecutor, fit, sweep
from microgrid.training.sweep import attempt, let_one_pass, own_executor, portable, workers_for

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


class Awkward(Exception):
    """An error that cannot be unpickled."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def trained(seed):
    """Return all that a run has to show."""
    net = MLP(2, [2, 1], activation="tanh", rng=seed)
    optimizer = Adam(net.parameters(), lr=0.1)
    return net, optimizer, fit(net, XOR, loss=mse_loss, optimizer=optimizer, epochs=5)


def moody(number):
    if number == 1:
        raise ValueError("one", number)
    if number == 2:
        raise Awkward("two", "more")
    if number == 3:
        return lambda: number  # no process can send it
    return number * number


# Jobs have to be found by the processes: this module is not on their path, but where fork copies it.
FORKS = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")


def forked():
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"))


def assert_moody(results):
    """Check what became of 0 to 4."""
    assert [result.configuration for result in results] == [0, 1, 2, 3, 4]
    assert [result.returned for result in results if result.error is None] == [0, 16]
    assert results[4].value == 16
    with pytest.raises(ValueError, match="one") as raised:
        results[1].value
    assert raised.value.args == ("one", 1)
    (note,) = raised.value.__notes__
    assert "for the configuration 1:\nTraceback" in note and "raise ValueError(" in note


@FORKS
def test_results_come_in_order_and_errors_lose_nothing():
    with forked() as executor:
        results = sweep(moody, range(5), executor)
    assert_moody(results)
    assert str(results[2].error) == "Awkward: two and more" and type(results[2].error) is RuntimeError
    assert "moody.<locals>.<lambda>" in str(results[3].error)


def test_threads_serve_as_well():
    with ThreadPoolExecutor(3) as executor:
        results = sweep(moody, iter(range(5)), executor)
        assert sweep(moody, [], executor) == []
    assert_moody([*results[:3], results[3]._replace(error=RuntimeError()), results[4]])
    assert results[3].value() == 3
    assert all(type(result.seconds) is float and result.seconds >= 0 for result in results)


def test_jobs_run_one_after_the_other_where_they_are_handed_in():
    ran = []

    def job(number):
        ran.append((number, threading.current_thread()))
        return moody(number)

    results = sweep(job, range(5), SerialExecutor())
    assert ran == [(number, threading.main_thread()) for number in range(5)]
    assert_moody([*results[:3], results[3]._replace(error=RuntimeError()), results[4]])
    future = SerialExecutor().submit(int, "z", base=16)
    assert future.done() and isinstance(future.exception(), ValueError)


def test_ctrl_c_in_the_process_that_asks_keeps_what_is_done():
    def job(number):
        if number == 2:
            raise KeyboardInterrupt
        return number

    results = sweep(job, range(4), SerialExecutor())
    assert [result.returned for result in results] == [0, 1, None, None]
    assert all(isinstance(result.error, CancelledError) for result in results[2:])


@FORKS
def test_models_optimisers_and_histories_come_back():
    with forked() as executor:
        results = sweep(trained, [1, 2], executor)
    for result in results:
        net, optimizer, history = result.value
        expected_net, expected_optimizer, expected = trained(result.configuration)
        assert isinstance(history, History) and history.loss == expected.loss
        assert net.state_dict() == expected_net.state_dict()
        assert optimizer.state_dict() == expected_optimizer.state_dict()
        assert all(x is y for x, y in zip(optimizer.params, net.parameters(), strict=True))
        fit(net, XOR, loss=mse_loss, optimizer=optimizer, epochs=1)


@FORKS
def test_configurations_are_those_that_were_given():
    configurations = [{"lr": Value(0.1)}, {"lr": Value(0.2)}]
    with forked() as executor:
        results = sweep(len, configurations, executor)
    assert all(result.configuration is given for result, given in zip(results, configurations, strict=True))


@pytest.fixture
def told(monkeypatch):
    """What a bar of progress is told."""
    told = []

    class Told:
        def __init__(self, show, total, desc):
            told.append((show, total, desc))

        def advance(self, words):
            told.append(words())

        def close(self):
            told.append("closed")

    monkeypatch.setattr(sys.modules["microgrid.training.sweep"], "Progress", Told)
    return told


def test_progress_counts_what_failed(told):
    with ThreadPoolExecutor(1) as executor:
        sweep(moody, range(4), executor, progress=True)
    assert told[0] == (True, 4, "sweep") and told[-2:] == ["2 failed", "closed"] and len(told) == 6


def test_progress_is_shown_while_jobs_are_handed_in(told):
    def job(number):
        assert len(told) == 1 + number

    assert not any(result.error for result in sweep(job, range(3), SerialExecutor(), progress=True))


@FORKS
def test_a_process_that_dies_is_reported():
    """An executor that was given takes no more jobs then: no result is left out."""
    with forked() as executor:
        (result,) = sweep(os._exit, [3], executor)
        others = sweep(trained, [1, 2], executor)
    assert "terminated abruptly" in str(result.error)
    assert [type(other.error) for other in others] == [BrokenProcessPool] * 2
    notes = [f"a process died before the job returned for the configuration {number}" for number in (3, 1, 2)]
    assert [note for result in [result, *others] for note in result.error.__notes__] == notes


def fragile(configuration):
    """Return the number, after the process was killed as often as there are files to take away."""
    folder, number = configuration
    for name in (f"{number}-first", f"{number}-second"):
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))
            os._exit(3)
    return number


@pytest.fixture
def pools(monkeypatch):
    """The executors that sweeps make for themselves: they fork."""
    pools = []

    def own(job, count):
        pools.append(ProcessPoolExecutor(workers_for(count), mp_context=multiprocessing.get_context("fork")))
        return pools[-1]

    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(sys.modules["microgrid.training.sweep"], "own_executor", own)
    yield pools
    for pool in pools:
        with pytest.raises(RuntimeError):  # none was left open
            pool.submit(abs, 1)


@FORKS
def test_jobs_lost_with_a_killed_process_are_run_again(tmp_path, told, pools):
    for name in ("1-first", "4-first", "4-second", "6-first"):
        (tmp_path / name).touch()
    configurations = [(tmp_path, number) for number in range(9)]
    results = sweep(fragile, configurations)
    assert [result.configuration for result in results] == configurations
    died = [number for number, result in enumerate(results) if result.error]
    assert {*died} <= {4, 6}, "1 kills a process once; so does 6, in the first run or in the second"
    assert [result.returned for result in results if not result.error] == [n for n in range(9) if n not in died]
    assert all(isinstance(results[number].error, BrokenProcessPool) for number in died)
    assert told[-1] == "closed" and len(told) == 11  # each of nine is told once


@FORKS
def test_ctrl_c_lets_second_runs_end(tmp_path, told, pools, monkeypatch):
    """It comes when the first of three has ended: the second one runs then."""
    progress = sys.modules["microgrid.training.sweep"].Progress

    def interrupted(self, words):
        raise KeyboardInterrupt

    monkeypatch.setattr(progress, "advance", interrupted)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    (tmp_path / "0-first").touch()
    results = sweep(fragile, [(tmp_path, number) for number in range(3)])
    assert [result.returned for result in results] == [0, None, None] and len(pools) == 2
    assert all(isinstance(result.error, BrokenProcessPool) for result in results[1:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), "sweep expects configurations to be a list, or another iterable, got int 3"),
        (([1], 3), "sweep expects executor to have the methods of concurrent.futures.Executor, got int 3"),
    ],
)
def test_what_is_not_swept(arguments, message):
    with pytest.raises(TypeError) as caught:
        sweep(abs, *arguments)
    assert str(caught.value) == message


def test_a_job_is_a_function():
    with pytest.raises(TypeError, match=r"^sweep expects job to be a function, got int 3$"):
        sweep(3, [1])


def test_a_job_that_no_process_finds_is_refused():
    words = r"^sweep cannot send the job .*<lambda> to other processes \(.*\): define it at the top of a module"
    with pytest.raises(TypeError, match=words):
        sweep(lambda seed: seed, [1])


def test_a_job_of_a_notebook_needs_fork(monkeypatch):
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "job_of_a_notebook", moody, raising=False)
    monkeypatch.setattr(moody, "__module__", "__main__")
    monkeypatch.setattr(moody, "__qualname__", "job_of_a_notebook")
    monkeypatch.delattr(main, "__file__", raising=False)
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "spawn")
    with pytest.raises(
        TypeError, match=r"the job job_of_a_notebook to other processes \(it is defined interactively\)"
    ):
        own_executor(moody, 1)
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "fork")
    own_executor(moody, 1).shutdown()


class Interrupted(ThreadPoolExecutor):
    """One thread; Ctrl-C comes as the third job is handed in."""

    def __init__(self):
        super().__init__(1)
        self.futures = []

    def submit(self, *given):
        if len(self.futures) == 3:
            raise KeyboardInterrupt
        self.futures.append(super().submit(*given))
        return self.futures[-1]


def slowly(number):
    time.sleep(0.1)
    return number


def test_ctrl_c_cancels_what_has_not_begun_and_keeps_what_is_done():
    with Interrupted() as executor:
        results = sweep(slowly, range(5), executor)
    assert [result.configuration for result in results] == [*range(5)]
    assert results[0].value == 0
    assert all(isinstance(result.error, CancelledError) for result in results[2:])
    with pytest.raises(CancelledError, match="cancelled before it began"):
        results[4].value


def test_a_future_that_was_cancelled_elsewhere():
    class Cancelling(ThreadPoolExecutor):
        def submit(self, *given):
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    (result,) = sweep(slowly, [1], Cancelling())
    assert isinstance(result.error, CancelledError)


SCRIPT = """
import os, signal, sys, threading, time
from microgrid.losses import mse_loss
from microgrid.nn import Neuron
from microgrid.optim import SGD
from microgrid.training import fit, sweep

def job(number):
    open(os.path.join(sys.argv[1], str(number)), "w").close()
    if number < 2:
        while not os.path.exists(os.path.join(sys.argv[1], "interrupted")):
            time.sleep(0.01)
    line = Neuron(1, rng=number)
    return fit(line, ([[1.0]], [2.0]), loss=mse_loss, optimizer=SGD(line.parameters()), epochs=3)

def interrupt():
    while not os.path.exists(os.path.join(sys.argv[1], "0")):
        time.sleep(0.01)
    os.killpg(os.getpgid(0), signal.SIGINT)
    open(os.path.join(sys.argv[1], "interrupted"), "w").close()

if __name__ == "__main__":
    os.cpu_count = lambda: 2
    if sys.argv[2] == "interrupted":
        interrupter = threading.Timer(0.2, interrupt)
        interrupter.start()
    else:
        open(os.path.join(sys.argv[1], "interrupted"), "w").close()
    import multiprocessing
    if sys.argv[3] == "spawn":
        multiprocessing.set_start_method("spawn")
    for result in sweep(job, range(6)):
        print(result.configuration, result.returned, repr(result.error))
"""


def run_script(tmp_path, *arguments):
    """Return what the script prints, as one line for each result."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-W", "ignore", str(script), str(tmp_path), *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    assert process.returncode == 0 and not process.stderr, process.stderr
    return process.stdout.splitlines()


def test_a_script_starts_processes_anew(tmp_path):
    lines = run_script(tmp_path, "whole", "spawn")
    assert [line.partition(",")[0] for line in lines] == [f"{number} <History of 3 epochs" for number in range(6)]


@pytest.mark.usefixtures("interruptible")
def test_a_real_interruption_lets_running_jobs_end(tmp_path):
    """SIGINT reaches all processes of a terminal: workers go on with the job they have, whose training is whole."""
    lines = run_script(tmp_path, "interrupted", "default")
    assert lines[0].startswith("0 <History of 3 epochs, loss") and lines[-1].startswith("5 None CancelledError")
    begun = {path.name for path in tmp_path.iterdir()}
    assert all(("History of 3" in line) == (line[0] in begun) for line in lines)


def test_what_a_worker_does():
    """Here, since no tool sees what happens in another process."""
    result = attempt(moody, 1)
    assert isinstance(result.error, ValueError) and result.returned is None
    assert attempt(moody, 5)[:3] == (5, 25, None)
    assert type(portable(Awkward(1, 2))) is RuntimeError and type(portable(KeyError(1))) is KeyError
    before = signal.getsignal(signal.SIGINT)
    try:
        let_one_pass()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
