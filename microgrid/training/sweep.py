"""`sweep`: many training runs at once, through anything that has the interface of `concurrent.futures.Executor`."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import time
import traceback
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
    wait,
)
from contextlib import nullcontext
from itertools import zip_longest
from typing import Any, NamedTuple

from microgrid.engine.messages import brief
from microgrid.training.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Job = Callable[[Any], Any]

MOST_WORKERS = 61  # Windows cannot wait for more processes at once


class Result(NamedTuple):
    """The result of the job for one configuration.

    Attributes:
        configuration: the argument of the job.
        returned: what the job returned; None if it raised.
        error: what the job raised, with its traceback in a note; None if it returned.
        seconds: how long the job took.

    >>> Result(7, "seven", None, 0.1).value
    'seven'
    >>> Result(8, None, ValueError("too many"), 0.1).value
    Traceback (most recent call last):
        ...
    ValueError: too many
    """

    configuration: Any
    returned: Any
    error: BaseException | None
    seconds: float

    @property
    def value(self) -> Any:
        """What the job returned; if it raised an error, that is raised again."""
        if self.error is not None:
            raise self.error
        return self.returned


def attempt(job: Job, configuration: Any) -> Result:
    """Run `job` in a worker, and return its result."""
    begun = time.perf_counter()
    returned, error = None, None
    try:
        returned = job(configuration)
    except Exception as raised:
        error = portable(raised)
        trace = "".join(traceback.format_exception(raised))
        error.add_note(f"raised by {brief(job)} for the configuration {brief(configuration)}:\n{trace}")
    return Result(configuration, returned, error, time.perf_counter() - begun)


def portable(error: Exception) -> Exception:
    """Return `error`, or if it cannot be pickled, a RuntimeError with its type and message."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def let_one_pass() -> None:
    """Ignore the first Ctrl-C in a worker, so that a running job is finished; the second one ends it."""
    signal.signal(signal.SIGINT, lambda number, frame: signal.signal(signal.SIGINT, signal.default_int_handler))


def check_importable(job: Job) -> None:
    """Check that processes can find `job` by its name.

    Raises:
        TypeError: otherwise, with advice.
    """
    obstacle = ""
    try:
        pickle.dumps(job)
    except Exception as error:
        obstacle = str(error)
    interactive = getattr(job, "__module__", "") == "__main__" and not hasattr(sys.modules["__main__"], "__file__")
    if interactive and multiprocessing.get_start_method() != "fork":
        obstacle = "it is defined interactively"
    if obstacle:
        name = getattr(job, "__qualname__", repr(job))
        advice = "define it at the top of a module that can be imported, or pass an executor of threads"
        raise TypeError(f"sweep cannot send the job {name:.100} to other processes ({obstacle}): {advice}")


def sweep(
    job: Job, configurations: Iterable[Any], executor: Executor | None = None, *, progress: bool | None = None
) -> list[Result]:
    """Run `job` for every configuration, in parallel, and return a `Result` for each, in order.

    If a job raises, its result has the error, and the other jobs go on. The first Ctrl-C cancels the jobs that have not
    begun, waits for the running ones, and returns all results; those of cancelled jobs have a `CancelledError`. If a
    process is killed, the pool is lost: all unfinished jobs run once more, each alone in its process, and a job whose
    process dies again gets an error. With an `executor` of your own, lost jobs get an error at once.

    Args:
        job: a function of one configuration, such as a seed or a dict of settings. For processes it has to be defined
            at the top of a module, and its result is pickled; models, optimisers and histories can be.
        configurations: the arguments for `job`.
        executor: a `concurrent.futures.Executor`, or anything with its interface: `client.get_executor()` of Dask,
            `MPIPoolExecutor` of mpi4py, a `SerialExecutor` to run one job after the other. None for one process per
            processor (a browser has none, and runs one job after the other). As always with processes, the script then
            needs `if __name__ == "__main__":`.
        progress: whether to show progress; None to show it in a terminal or a notebook.

    Raises:
        TypeError: if `job` is not a function, or other processes cannot find it; if another argument does not fit.

    >>> from microgrid.losses import mse_loss
    >>> from microgrid.nn import Neuron
    >>> from microgrid.optim import SGD
    >>> from microgrid.training import fit
    >>> def final_loss(lr):
    ...     line = Neuron(1, nonlin=False, rng=0)
    ...     optimizer = SGD(line.parameters(), lr=lr)
    ...     return fit(line, ([[0.0], [1.0]], [1.0, 3.0]), loss=mse_loss, optimizer=optimizer, epochs=20).loss[-1]
    >>> results = sweep(final_loss, [0.01, 0.1], SerialExecutor())
    >>> [(result.configuration, round(result.value, 3)) for result in results]
    [(0.01, 1.19), (0.1, 0.015)]
    """
    if not callable(job):
        raise TypeError(f"sweep expects job to be a function, got {type(job).__name__} {brief(job)}")
    if not hasattr(configurations, "__iter__"):
        given = f"{type(configurations).__name__} {brief(configurations)}"
        raise TypeError(f"sweep expects configurations to be a list, or another iterable, got {given}")
    if not (executor is None or hasattr(executor, "submit")):
        given = f"{type(executor).__name__} {brief(executor)}"
        raise TypeError(f"sweep expects executor to have the methods of concurrent.futures.Executor, got {given}")
    asked = list(configurations)
    with own_executor(job, len(asked)) if executor is None else nullcontext(executor) as pool:
        futures: list[Future[Result]] = []
        ended = as_they_end(pool, job, asked, futures)
        try:
            watch(with_second_runs(ended, job, asked, futures) if executor is None else ended, len(asked), progress)
        except KeyboardInterrupt:
            for future in reversed(futures):
                future.cancel()
            wait([future for future in futures if not future.cancelled()])
    return [result_of(future, configuration) for future, configuration in zip_longest(futures, asked)]


class SerialExecutor(Executor):
    """Runs each job when it is submitted, in the same thread: for debugging, or where there are no processes.

    >>> SerialExecutor().submit(divmod, 7, 2).result()
    (3, 1)
    """

    def submit(self, job: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        """Run `job`, and return its finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(job(*arguments, **keywords))
        except Exception as error:
            future.set_exception(error)
        return future


def own_executor(job: Job, count: int) -> Executor:
    """Return an executor for `count` runs of `job`.

    Raises:
        TypeError: if its processes cannot find `job`.
    """
    if sys.platform == "emscripten":
        return SerialExecutor()
    check_importable(job)
    return ProcessPoolExecutor(workers_for(count), initializer=let_one_pass)


def workers_for(count: int) -> int:
    """Return the count of processes for `count` jobs."""
    return max(1, min(count, os.cpu_count() or 1, MOST_WORKERS))


def as_they_end(
    pool: Executor, job: Job, configurations: Iterable[Any], futures: list[Future[Result]]
) -> Iterator[Future[Result]]:
    """Submit the runs of `job` to `pool`, append their futures to `futures`, and yield them as they end."""
    waiting = []
    for configuration in configurations:
        futures.append(submitted(pool, job, configuration))
        if futures[-1].done():
            yield futures[-1]
        else:
            waiting.append(futures[-1])
    yield from as_completed(waiting)


def submitted(pool: Executor, job: Job, configuration: Any) -> Future[Result]:
    """Submit a run of `job`, and return its future: a failed one if `pool` takes no more jobs, since a process died."""
    try:
        return pool.submit(attempt, job, configuration)
    except BrokenExecutor as error:
        lost: Future[Result] = Future()
        lost.set_exception(error)
        return lost


def is_lost(future: Future[Result]) -> bool:
    """Return whether the job of `future`, which is done, was lost with a process that died."""
    return not future.cancelled() and isinstance(future.exception(), BrokenExecutor)


def with_second_runs(
    ended: Iterator[Future[Result]], job: Job, configurations: Sequence[Any], futures: list[Future[Result]]
) -> Iterator[Future[Result]]:
    """Yield the futures that end; run lost jobs a second time, and put the new futures into `futures`."""
    for future in ended:
        if not is_lost(future):
            yield future
    lost = [place for place, future in enumerate(futures) if is_lost(future)]
    waiting, idle = lost[::-1], [own_executor(job, 1) for _ in range(workers_for(len(lost)) if lost else 0)]
    running: dict[Future[Result], Executor] = {}
    try:
        while waiting or running:
            while waiting and idle:
                place, pool = waiting.pop(), idle.pop()
                futures[place] = submitted(pool, job, configurations[place])
                running[futures[place]] = pool
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pool = running.pop(future)
                if is_lost(future):
                    pool.shutdown()
                    pool = own_executor(job, 1)
                idle.append(pool)
                yield future
    finally:
        for pool in [*idle, *running.values()]:
            pool.shutdown()


def watch(futures: Iterable[Future[Result]], count: int, progress: bool | None) -> None:
    """Show how many of `count` futures are done, as they end."""
    bar, failed = Progress(progress, count, "sweep"), 0

    def words() -> str:
        return f"{failed} failed" if failed else ""

    try:
        for future in futures:
            failed += result_of(future, None).error is not None
            bar.advance(words)
    finally:
        bar.close()


def result_of(future: Future[Result] | None, configuration: Any) -> Result:
    """Return the result for `configuration`; `future` is None if its job was never submitted."""
    if future is None or future.cancelled():
        return Result(configuration, None, CancelledError("cancelled before it began"), 0.0)
    error = future.exception()
    if isinstance(error, BrokenExecutor):
        error = type(error)(*error.args)  # all lost jobs of a pool share one error, and the note would pile up
        error.add_note(f"a process died before the job returned for the configuration {brief(configuration)}")
    if error is not None:  # the pool's, or what the job returned cannot be pickled
        return Result(configuration, None, error, 0.0)
    return future.result()._replace(configuration=configuration)
