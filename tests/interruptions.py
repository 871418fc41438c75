"""Ctrl-C at every place: a function runs again and again, and each time the interruption comes at another opcode."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    before, seen = sys.gettrace(), 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        if frame.f_code not in codes:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            seen += 1
            if seen == place + 1:
                raise KeyboardInterrupt
        return trace

    try:
        with suppress(KeyboardInterrupt):
            sys.settrace(trace)
            function()
    finally:
        sys.settrace(before)
    return seen


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
