"""Ctrl-C at every place: a function runs again and again, and each time the interruption comes at another opcode."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from hypothesis import settings

from tests.profiles import NORMAL


def codes_of(item: Any) -> Iterator[CodeType]:
    """Yield the code of a function, or of all functions that a module or class defines."""
    if isinstance(item, FunctionType):
        yield item.__code__
        return
    module = item.__name__ if isinstance(item, ModuleType) else item.__module__
    for part in vars(item).values():
        if isinstance(part, FunctionType | type) and part.__module__ == module:
            yield from codes_of(part)
        elif isinstance(part, property) and isinstance(part.fget, FunctionType):
            yield part.fget.__code__


def opcodes(function: Callable[[], object], codes: set[CodeType], place: int = -1) -> int:
    """Call `function`, with a KeyboardInterrupt before its opcode number `place`; return how many it had until then.

    Only opcodes of `codes` count.
    """
    seen = 0

    def look() -> None:
        nonlocal seen
        seen += 1
        if seen == place + 1:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt), (traced if sys.version_info < (3, 12) else monitored)(codes, look):
        function()
    return seen


@contextmanager
def traced(codes: set[CodeType], look: Callable[[], None]) -> Iterator[None]:
    """Let `look` be called before every opcode of `codes`."""
    before = sys.gettrace()

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code not in codes:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            look()
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def monitored(codes: set[CodeType], look: Callable[[], None]) -> Iterator[None]:
    """Do what `traced` does, which from Python 3.12 on misses opcodes of code that was not traced before."""
    monitoring, tool = sys.monitoring, 3  # type: ignore[attr-defined] # of Python 3.12
    monitoring.use_tool_id(tool, "interruptions")
    monitoring.register_callback(tool, monitoring.events.INSTRUCTION, lambda code, offset: look())
    try:
        for code in codes:
            monitoring.set_local_events(tool, code, monitoring.events.INSTRUCTION)
        yield
    finally:
        for code in codes:
            monitoring.set_local_events(tool, code, 0)
        monitoring.free_tool_id(tool)


def everywhere(function: Callable[[], object], *within: Any, most: int = 200) -> Iterator[int]:
    """Yield after each of the interrupted calls of `function`, and after two whole ones, the number of the opcode.

    Args:
        function: what is interrupted.
        within: the functions, classes and modules in whose code it is.
        most: how many places are tried, drawn from all: so many in the normal profile, in others more or less.
    """
    codes = {code for item in within for code in codes_of(item)}
    total = opcodes(function, codes)
    yield -1
    count = min(total, max(1, most * settings().max_examples // NORMAL))
    for place in sorted(random.Random(total).sample(range(total), count)):
        opcodes(function, codes, place)
        yield place
    opcodes(function, codes)
    yield total
