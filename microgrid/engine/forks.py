"""Forks: what holds in a process that was forked while other threads, which it does not have, were at work."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import RLock
    from collections.abc import Callable


def free_in_forks(lock: RLock) -> RLock:
    """Return `lock`, which is taken for every fork: so in the new process no other thread has it.

    What it protects is whole there, too. A thread that holds it must not wait for one that forks.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


def after_fork(function: Callable[[], object]) -> None:
    """Let `function` be called in every process that is forked from now on, at its beginning."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=function)


if TYPE_CHECKING:
    from functools import cached_property

    once = cached_property
else:

    class once:
        """What a method returns as an attribute, found out when it is first read.

        In Python 3.11 `functools.cached_property` has a lock, which a thread would hold all the while that it compiles.
        """

        def __init__(self, method):
            self.method, self.__doc__ = method, method.__doc__

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            found = vars(instance)[self.method.__name__] = self.method(instance)
            return found
