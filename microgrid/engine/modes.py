"""Modes: what changes how operations are recorded, or how the interpreter works meanwhile.

An operation pays for modes with one test of an empty list. While any mode is on anywhere, every new node is shown
to the observers of its own thread or async task, which may change it.
"""

from __future__ import annotations

import gc
from _thread import RLock, get_ident
from contextvars import ContextVar

from microgrid.engine.forks import after_fork, free_in_forks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TypeVar, overload

    from microgrid.engine.node import N, Node

    F = TypeVar("F", bound=Callable[..., Any])
    Observer = Callable[[Node], None]

IS_GENERATOR, IS_COROUTINE, IS_ASYNC_GENERATOR = 0x20, 0x80, 0x200


class Entry:
    """One entering of a mode: it is on until it is left, in whatever context that happens."""

    __slots__ = ("mode", "on", "thread")

    def __init__(self, mode: Mode) -> None:
        self.mode, self.on, self.thread = mode, True, get_ident()


epoch = 0  # of transforms: how many runs of functions have begun; a leaf keeps the one in which it was made
_counting = free_in_forks(RLock())  # leaves that other threads make meanwhile are older, or made within the run
observers: list[Entry] = []  # of all threads: what operations test
guards: list[Entry] = []  # of all threads: what a conversion to float tests
_entered: ContextVar[tuple[Entry, ...]] = ContextVar("microgrid_modes", default=())
_pausing: set[int] = set()  # the threads that let the garbage collector rest


def forget_other_threads() -> None:
    """Forget in a forked process what threads that it does not have were about, and would end some time."""
    own = get_ident()
    for entries in (observers, guards):
        entries[:] = [entry for entry in entries if entry.thread == own]
    if _pausing and own not in _pausing:
        gc.enable()
    _pausing.intersection_update({own})


after_fork(forget_other_threads)


def entered() -> tuple[Entry, ...]:
    """Return the entries of this thread or task."""
    return _entered.get()


def active() -> list[Mode]:
    """Return the modes that are on in this thread or task."""
    return [entry.mode for entry in _entered.get() if entry.on]


def tracing() -> Any:
    """Return the trace that is on in this thread or task, or None."""
    return next((mode for mode in active() if mode.traces), None)


def following() -> Any:
    """Return the trace that is on in this thread or task, if no other mode is within it, or None."""
    modes = active() if observers else ()
    return modes[-1] if modes and modes[-1].traces else None


def observe(node: N) -> N:
    """Return `node` after the modes of this thread or task have seen it."""
    for mode in active():
        if mode.observer:
            mode.observer(node)
    return node


def is_silent() -> bool:
    """Return whether nothing is recorded in this thread or task."""
    return any(isinstance(mode, no_grad) for mode in active())


def is_unrecorded() -> bool:
    """Return whether nobody in this thread or task asks for derivatives, but for a transform within."""
    return any([isinstance(mode, no_grad) or mode.is_unrecorded for mode in active()])


def before_backward(root: Node) -> None:
    """Let the modes of this thread or task look at the graph of `root`, which is about to be differentiated."""
    for mode in active():
        mode.before_backward(root)


def before_float(node: Node) -> None:
    """Let the modes of this thread or task object to the conversion of `node` to a plain float."""
    for mode in active():
        mode.before_float(node)


class Mode:
    """A context manager that lets `observer` see every new node of the thread or async task that enters it.

    Without an observer, it only guards conversions to float.

    Attributes:
        traces: whether a trace sees the nodes, so that nothing recorded may depend on a number unseen.
        is_unrecorded: whether what is inside of it is recorded for its own sake, and nothing outside needs it.

    It can be entered again and again, nested, and by several threads at once. A generator may leave it out of turn, a
    task may be started in it and outlive it.
    """

    traces = is_unrecorded = False

    def __init__(self, observer: Observer | None) -> None:
        self.observer = observer
        self._list = observers if observer else guards
        self._entries: list[Entry] = []

    def __enter__(self) -> Self:
        entry = Entry(self)
        _entered.set((*_entered.get(), entry))
        self._entries.append(entry)
        self._list.append(entry)
        return self

    def __exit__(self, *exception: object) -> None:
        own = [entry for entry in _entered.get() if entry.on and entry.mode is self]
        entry = own[-1] if own else self._entries[-1]
        entry.on = False
        self._list.remove(entry)
        self._entries.remove(entry)
        _entered.set(tuple(entry for entry in _entered.get() if entry.on))

    def abandon(self, outside: tuple[Entry, ...]) -> None:
        """Leave what is left of it to leave, and let the entries `outside` be those of this thread or task.

        Ctrl-C may come while a mode is entered or left: what comes after that in `__enter__` or `__exit__` is not done.
        """
        while self._entries:
            entry = self._entries[-1]
            entry.on = False
            if entry in self._list:
                self._list.remove(entry)
            self._entries.pop()
        _entered.set(tuple(entry for entry in outside if entry.on))

    def before_backward(self, root: Node) -> None:
        """Look at the graph of `root`, which is about to be differentiated; a mode that cares says how."""

    def before_float(self, node: Node) -> None:
        """Object to the conversion of `node` to a plain float; a mode that cares says how."""


def new_epoch() -> int:
    """Return the number of an epoch that begins now: leaves of earlier ones were made before."""
    global epoch
    with _counting:
        epoch += 1
        return epoch


def forget(node: Node) -> None:
    """Make `node` a leaf."""
    node.op, node._x, node._y = None, epoch, None


class NumbersAlone(Mode):
    """Context manager: a function is asked for numbers alone, so that a derivative which is lost is not missed."""

    is_unrecorded = True

    def __init__(self) -> None:
        super().__init__(None)


class apart:
    """Context manager: no mode of this thread or task reaches inside, but for those that `keeps` tells."""

    def __init__(self, keeps: Callable[[Mode], bool] = lambda mode: False) -> None:
        self.keeps = keeps

    def __enter__(self) -> Self:
        self._outside = _entered.get()
        _entered.set(tuple(entry for entry in self._outside if entry.on and self.keeps(entry.mode)))
        return self

    def __exit__(self, *exception: object) -> None:
        _entered.set(tuple(entry for entry in self._outside if entry.on))


class no_grad(Mode):
    """Context manager and decorator: results of operations are leaves, nothing is recorded.

    It holds for the thread or async task that entered it. As a decorator, `@no_grad()` or `@no_grad`, it serves
    functions and coroutine functions.

    Raises:
        TypeError: on decorating a generator, whose body runs after the call has returned, or what is no function.

    >>> from microgrid import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.parents
    ()
    """

    if TYPE_CHECKING:

        @overload
        def __new__(cls, function: None = None) -> Self: ...

        @overload
        def __new__(cls, function: F) -> F: ...  # type: ignore[misc] # not an instance, which mypy does not follow

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        mode = super().__new__(cls)
        return mode if function is None else cls()(function)

    def __init__(self, function: None = None) -> None:
        super().__init__(forget)

    def __call__(self, function: F) -> F:
        from functools import wraps

        if not callable(function):
            raise TypeError(f"no_grad decorates functions, got {type(function).__name__} {function!r:.60}")
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        if flags & (IS_GENERATOR | IS_ASYNC_GENERATOR):
            raise TypeError(
                "no_grad cannot decorate a generator: its body runs between lines of the one who iterates over it; "
                "compute each item in `with no_grad():`, and yield it outside of that"
            )

        @wraps(function)
        def plain(*args: Any, **kwargs: Any) -> Any:
            with no_grad():
                return function(*args, **kwargs)

        @wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with no_grad():
                return await function(*args, **kwargs)

        return coroutine if flags & IS_COROUTINE else plain  # type: ignore[return-value] # wraps keeps the signature


class Recording(Mode):
    """Context manager: operations are recorded, whatever `no_grad` stands around it. It serves once."""

    def __init__(self) -> None:
        super().__init__(None)
        self._apart = apart(lambda mode: not isinstance(mode, no_grad))

    def __enter__(self) -> Self:
        self.is_unrecorded = is_unrecorded()
        self._apart.__enter__()
        return super().__enter__()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._apart.__exit__()


class gc_paused:
    """Context manager: the cyclic garbage collector rests, and is put back as it was found.

    Graphs are acyclic and freed by reference counting, so what the collector does while one is built is pure loss:
    building a graph of many nodes is several times as fast without. (Recorded gradients are the exception: they refer
    to the graph that refers to them. Set them to zero when done, or let the collector run.)

    >>> import gc
    >>> with gc_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """

    def __init__(self) -> None:
        self._found: list[bool] = []

    def __enter__(self) -> Self:
        self._found.append(gc.isenabled())
        try:
            if self._found[-1]:  # else it rests already, and whoever stopped it may start it before this is left
                _pausing.add(get_ident())
                gc.disable()
            return self
        except BaseException:  # Ctrl-C comes after a call, and what was not entered whole is never left
            self.__exit__()
            raise

    def __exit__(self, *exception: object) -> None:
        if self._found[-1]:
            gc.enable()  # before the next call, after which Ctrl-C could come
            _pausing.discard(get_ident())
        self._found.pop()
