"""The call that a frame is in the middle of: its source, and the functions that do its work.

A function written in C has no frame: where it calls a method of ours, the calling frame is that of the Python code that
called it. Python knows for each instruction where it stands in the source; names are looked up there without running
any of the user's code. Where there is no source, as in `exec` of a string, no call is found.
"""

from __future__ import annotations

import ast
import linecache
from functools import partial
from itertools import islice
from opcode import opmap, opname
from textwrap import dedent
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType
    from typing import Any

APPLYING = frozenset(["call", "map", "reduce", "starmap"])  # what the first argument does
SELECTING = frozenset(["dropwhile", "filter", "filterfalse", "takewhile"])  # a function decides, and its result is gone
PASSING = frozenset(["chain", "enumerate", "islice", "iter", "zip"])  # what their arguments do
LAZY = APPLYING | SELECTING | PASSING
# Instructions that ask for elements: where their position is that of an iterable, and where it is that of the names.
ASKING = frozenset(["FOR_ITER", "LIST_EXTEND", "SET_UPDATE"])
NAMING = frozenset(["FOR_ITER", "UNPACK_EX", "UNPACK_SEQUENCE"])
MOST_KEPT = 4096  # instructions whose source is kept: more than a program converts numbers at

_found: dict[tuple[int, int], Source] = {}


class Source:
    """The source at one instruction of `code`.

    Attributes:
        code: kept, so that its id is not used again.
        text: of what is evaluated; empty if that is not known.
        call: what is evaluated, if it is a call.
        iterated: what elements are taken from one after the other, as in a loop or for several names, if it is not.
    """

    __slots__ = ("call", "code", "iterated", "text")

    def __init__(self, code: CodeType, instruction: int) -> None:
        self.code = code
        self.call: ast.Call | None = None
        self.iterated: ast.expr | None = None
        self.text, lines = excerpt(code, instruction)
        operation = opname[code.co_code[instruction]]
        match parsed(f"({self.text}\n)"):
            case [ast.Expr(value=ast.Call() as call)]:
                self.call = call
                return
            case [ast.Expr(value=iterated)] if operation in ASKING:
                self.iterated = iterated
                return
        match parsed(lines) if operation in NAMING else []:
            case [ast.For(iter=iterated)] | [ast.Assign(value=iterated)]:
                self.iterated = iterated


def excerpt(code: CodeType, instruction: int) -> tuple[str, str]:
    """Return the source at `instruction` of `code`, and the lines on which it stands; empty if that is not known."""
    positions = islice(code.co_positions(), instruction // 2, None)
    first, last, start, end = next(positions, (None, None, None, None))
    if first is None or last is None or start is None or end is None:  # as under -X no_debug_ranges
        return "", ""
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename)[first - 1 : last]
    if len(lines) <= last - first:
        return "", ""
    encoded = [line.encode() for line in lines]  # columns count bytes
    encoded[-1] = encoded[-1][:end]
    encoded[0] = encoded[0][start:]
    return b"".join(encoded).decode(errors="replace"), dedent("".join(lines))


def parsed(source: str) -> list[ast.stmt]:
    """Return the statements of `source`, nothing if it is not Python by itself."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError):
        return []


def source_at(frame: FrameType) -> Source:
    """Return the source of what `frame` is evaluating."""
    key = id(frame.f_code), frame.f_lasti
    if key not in _found:
        if len(_found) >= MOST_KEPT:
            _found.clear()
        _found[key] = Source(frame.f_code, frame.f_lasti)
    return _found[key]


class Function:
    """A function that a call works with.

    Attributes:
        name: its own name where it was found, else the last one in the source; empty for what has none.
        home: the package or module that it comes from; empty if that is not known.
        is_local: whether it was reached through a local variable.
        is_settled: whether it is taken to be the same at each call: it is a builtin, a function of a module, or global
            and called in a function.
    """

    __slots__ = ("home", "is_local", "is_settled", "name")

    def __init__(self, name: str, found: Any = None, is_local: bool = False, is_settled: bool = False) -> None:
        while isinstance(found, partial):
            found = found.func
        own = getattr(found, "__name__", None)
        self.name = own.partition(" ")[0] if isinstance(own, str) else name  # NumPy says 'float (vectorized)'
        owner = getattr(found, "__objclass__", type(getattr(found, "__self__", None)))  # of a method
        home = getattr(found, "__module__", None) or owner.__module__
        self.home = home.partition(".")[0] if isinstance(home, str) and found is not None else ""
        self.is_local, self.is_settled = is_local, is_settled

    def __str__(self) -> str:
        is_plain = self.home in ("", "builtins", "__main__")
        return self.name if is_plain else f"{self.home}.{self.name}"


def called(frame: FrameType) -> list[Function]:
    """Return what is called where `frame` is, and after it the functions given to it, as `key` of `sorted`.

    There is nothing where `frame` is in no call.
    """
    call, scope = source_at(frame).call, Scope(frame)
    return [scope.function(call.func), *scope.given(call)] if call else []


def applied(frame: FrameType) -> list[Function]:
    """Return the functions that an iterator applies to one element after the other, as `map` does, where `frame` is."""
    source = source_at(frame)
    return [*Scope(frame).applied(source.call or source.iterated)]


def is_nothing(frame: FrameType) -> bool:
    """Return whether `frame` is neither in a call nor asking for elements, at this instruction always."""
    source = source_at(frame)
    return source.call is source.iterated is None


class Scope:
    """What names mean in `frame`."""

    def __init__(self, frame: FrameType) -> None:
        self.frame = frame

    def lookup(self, expression: ast.expr | None) -> Any:
        """Return what a name, or names with dots, refer to, or None if that is not known."""
        match expression:
            case ast.Name(id=name):
                frame = self.frame
                scopes = (frame.f_locals, frame.f_globals, frame.f_builtins)
                return next((scope[name] for scope in scopes if name in scope), None)
            case ast.Attribute(value=value, attr=name):
                owner = self.lookup(value)
                return None if owner is None else attribute(owner, name)
        return None

    def function(self, expression: ast.expr | None) -> Function:
        """Return the function that `expression` means."""
        match expression:
            case ast.Call(func=func, args=[first, *_]) if self.function(func).name == "partial":
                return self.function(first)
        root = expression
        while isinstance(root, ast.Attribute):
            root = root.value
        frame, code = self.frame, self.frame.f_code
        name = root.id if isinstance(root, ast.Name) else ""
        is_local = name in code.co_varnames or name in code.co_freevars or name in code.co_cellvars
        is_settled = name not in frame.f_locals or isinstance(self.lookup(root), ModuleType)
        last = getattr(expression, "attr", name)
        return Function(last, self.lookup(expression), is_local, is_settled)

    def applied(self, expression: ast.expr | None) -> Iterator[Function]:
        """Yield the functions that are applied while the elements of `expression` are asked for, or it is called."""
        match expression:
            case ast.Starred(value=value):
                yield from self.applied(value)
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                for element in elements:
                    if isinstance(element, ast.Starred):
                        yield from self.applied(element)
            case ast.Call(func=func, args=arguments):
                function = self.function(func)
                within = [found for argument in arguments if self.is_lazy(argument) for found in self.applied(argument)]
                if within:
                    yield from within
                elif function.name in SELECTING:
                    yield function
                elif function.name in APPLYING and arguments:
                    yield self.function(arguments[0])
            case (
                ast.ListComp(generators=loops)
                | ast.SetComp(generators=loops)
                | ast.DictComp(generators=loops)
                | ast.GeneratorExp(generators=loops)
            ):
                for loop in loops:
                    yield from self.applied(loop.iter)
            case ast.Name():
                found = self.lookup(expression)
                if type(found) is map:
                    yield Function("", found.__reduce__()[1][0], is_local=True)

    def is_lazy(self, argument: ast.expr) -> bool:
        """Return whether an iterator may come in as `argument` whose elements have not been asked for."""
        return not isinstance(argument, ast.Call) or self.function(argument.func).name in LAZY

    def given(self, call: ast.Call) -> Iterator[Function]:
        """Yield the functions that `call` is given to call in its turn, as `key` of `sorted`."""
        keywords = [keyword.value for keyword in call.keywords if keyword.arg != "dtype"]
        for argument in [*call.args, *keywords]:
            if isinstance(argument, ast.Name | ast.Attribute) and callable(self.lookup(argument)):
                yield self.function(argument)


def attribute(owner: Any, name: str) -> Any:
    """Return the attribute `name` of `owner` without running a property or `__getattr__`, or None."""
    try:
        own = object.__getattribute__(owner, "__dict__")
    except AttributeError:
        own = {}
    kinds = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    return next((space[name] for space in (own, *map(vars, kinds)) if name in space), None)


def is_discarded(frame: FrameType) -> bool:
    """Return whether the result of the call that `frame` is in the middle of is thrown away: a statement by itself."""
    code = frame.f_code.co_code
    following = (code[place] for place in range(frame.f_lasti + 2, len(code), 2))
    return next((operation for operation in following if operation != opmap["CACHE"]), None) == opmap["POP_TOP"]
