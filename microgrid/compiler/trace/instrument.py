"""Instruments: while a function is traced in any thread, `Value` reports to the trace everything except operations.

A comparison, a truth value, a hash, a conversion to an integer becomes a guard; new leaves are recorded. Reading
`.data` or `.grad` or converting to a float cannot be followed: it becomes the obstacle, with the line that did it. In
threads and tasks without a trace, a `Value` behaves as always. When the last trace ends, `Value` is restored; if Ctrl-C
prevents that, the next use of a changed attribute does it.
"""

from __future__ import annotations

import math
import operator
import sys
from _thread import RLock
from itertools import chain, repeat

from microgrid.compiler.program.form import INDEX
from microgrid.engine.forks import after_fork, free_in_forks
from microgrid.engine.lost import ADVICE, before_computing, computing
from microgrid.engine.modes import observers, tracing
from microgrid.engine.numbers import MATH_ERRORS, is_node, is_number
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.rules.methods import DUNDER_NAMES, UNARY_OPERATORS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

STRUCTURE = ("label", "op", "parents", "constants", "_prev", "_op")
COMPARISONS = {"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
INTEGERS = {"__int__": "int", "__trunc__": "trunc", "__floor__": "floor", "__ceil__": "ceil"}
CONVERSIONS: dict[str, Callable[[Any], int]] = {
    "int": int, "trunc": math.trunc, "floor": math.floor, "ceil": math.ceil,
}  # fmt: skip
UNFOLLOWED = ("__format__", "__repr__", "__copy__", "__deepcopy__", "__reduce__", "backward", "zero_grad")

# By id, of all active traces: the `Value`s that are plain numbers in an eager run, those that may be integers there.
plain_ids: set[int] = set()
exact: dict[int, int | float] = {}


def present() -> Any:
    """Return the active trace of this thread or task, or None; if no thread has one, restore `Value`."""
    trace = tracing()
    if trace is None and not is_needed():
        restore()
    return trace


def number_of(operand: Any) -> Any:
    """Return the number that `operand` is in an eager run."""
    return exact.get(id(operand), operand.data) if isinstance(operand, Value) else operand


def arithmetic(name: str, original: Callable[..., Any], is_reflected: bool = False) -> Callable[..., Any]:
    """Return the operator for the rule `name`, which leaves operands that may all be integers to the trace."""

    def operate(self: Value, *others: Any) -> Any:
        if not exact or (id(self) not in exact and id(others[0] if others else self) not in exact):
            return original(self, *others)
        operands = (*others, self) if is_reflected else (self, *others)
        trace = present()
        if trace is None or not all([isinstance(x, int) or id(x) in exact for x in operands]):
            if trace is not None:
                trace.check_operands(others)
            return original(self, *others)
        return trace.whole(name, operands, lambda: original(self, *others))

    return operate


def comparison(name: str, original: Callable[[Value, Any], Any]) -> Callable[[Value, Any], Any]:
    """Return a comparison that is a guard in a trace."""
    test = f"{{}} {COMPARISONS[name]} {{}}"
    function = getattr(operator, name)

    def compare(self: Value, other: Any) -> Any:
        is_exact = exact and (id(self) in exact or id(other) in exact)
        outcome = function(number_of(self), number_of(other)) if is_exact else original(self, other)
        trace = present()
        if trace is None or not (is_node(other) or is_number(other)):
            return outcome
        return trace.guard(test, (self, other), outcome)

    return compare


def conversion(test: str, original: Callable[[Value], Any], function: Callable[[Any], Any]) -> Callable[[Value], Any]:
    """Return a conversion to an integer or a bool that is a guard in a trace; `function` converts plain numbers."""

    def convert(self: Value) -> Any:
        trace = present()
        try:
            outcome = function(exact[id(self)]) if id(self) in exact else original(self)
        except MATH_ERRORS:  # raised for inf and nan only
            if trace is not None:
                trace.guard("isnan({})" if self.data != self.data else "isinf({})", (self,), True)
            raise
        return outcome if trace is None else trace.guard(test, (self,), outcome)

    return convert


def hashing(original: Callable[[Value], int]) -> Callable[[Value], int]:
    """Return the hash: by value, with a guard, for a plain number of a trace; else, and in the library, by identity."""

    def hashed(self: Value) -> int:
        trace = None if is_own(sys._getframe(1).f_globals.get("__name__", "")) else present()
        if trace is None:
            return original(self)
        number: int = trace.hashed(self) if id(self) in plain_ids else original(trace.identify(self))
        return number

    return hashed


def is_own(module: str) -> bool:
    """Return whether `module` is one of this library, whose sets and dicts tell nodes apart by identity."""
    return module == "microgrid" or module.startswith("microgrid.")


def rounding(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method behind `round`: a conversion to an integer, or an operation."""
    to_integer = conversion("round({})", original, round)
    to_decimals = arithmetic("round", original)

    def rounded(self: Value, ndigits: int | None = None) -> Any:
        return to_integer(self) if ndigits is None else to_decimals(self, ndigits)

    return rounded


def index(self: Value) -> int:
    """Return a number that is an integer in an eager run as an index, with a guard; raise TypeError for others."""
    trace = present()
    if trace is None or not trace.is_integer(self):
        raise TypeError(f"{type(self).__name__!r} object cannot be interpreted as an integer")
    return int(trace.guard(INDEX, (self,), exact[id(self)]))


def missing(self: Value, name: str) -> Any:
    """Raise AttributeError; an attribute that a plain number would have is an obstacle for the trace."""
    if id(self) in plain_ids and not is_own(sys._getframe(1).f_globals.get("__name__", "")):
        trace = present()
        if trace is not None and (hasattr(1, name) or hasattr(1.0, name)):
            trace.cannot_follow(f"reading .{name}")
    raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)


def to_float(original: Callable[[Value], float]) -> Callable[[Value], float]:
    """Return the conversion to a float, which a trace cannot follow, and which may lose a derivative."""

    def convert(self: Value) -> float:
        frame, trace = sys._getframe(1), present()
        if trace is not None:
            what = computing(frame)
            trace.cannot_follow(what or "float()", f" drops the derivative: {ADVICE}" if what else "")
        number = original(self)  # it sees this frame as its caller, which computes nothing
        if trace is None:
            before_computing(frame)
        return number

    return convert


def unfollowed(what: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that a trace cannot follow."""

    def method(self: Value, *arguments: Any, **keywords: Any) -> Any:
        trace = present()
        if trace is not None:
            trace.cannot_follow(what)
        return original(self, *arguments, **keywords)

    return method


def watched(slot: Any) -> property:
    """Return a property for `slot`, the data or gradient of a `Value`, that reports reads and writes to the trace."""
    name = slot.__name__
    look = looking(is_followed)
    get, put, reading, assigning = slot.__get__, slot.__set__, f"reading .{name}", f"assigning .{name}"

    def read(self: Value) -> Any:
        look(sys._getframe(1), reading)
        return get(self)

    def write(self: Value, number: Any) -> None:
        look(sys._getframe(1), assigning)
        put(self, number)

    return property(read, write)


def looking(accepts: Callable[[Any, dict[str, Any]], bool]) -> Callable[[Any, str], None]:
    """Return a function that reports an act of a frame to the trace, unless `accepts` its code and its globals."""
    known: dict[
        int, tuple[bool, Any]
    ] = {}  # by the id of the code, since its hash is slow; kept, so the id stays its own

    def look(frame: Any, what: str) -> None:
        code = frame.f_code
        found = known.get(id(code))
        if found is None:
            found = known[id(code)] = accepts(code, frame.f_globals), code
        if not found[0]:
            trace = present()
            if trace is not None:
                trace.cannot_follow(what)

    return look


def seen(name: str, attribute: Any) -> property:
    """Return a property for `attribute`, the label or parents of a `Value`, that reports reads to the trace.

    The arguments of a traced function are leaves without a label, unlike those of an eager run.
    """
    look = looking(lambda code, names: is_own(names.get("__name__", "")))
    get, reading = attribute.__get__, f"reading .{name}"

    def read(self: Value) -> Any:
        look(sys._getframe(1), reading)
        return get(self)

    return property(read, getattr(attribute, "__set__", None))


def is_followed(code: Any, names: dict[str, Any]) -> bool:
    """Return whether `.data` and `.grad` may be used by `code`, in a module with these globals, without an obstacle.

    A module says so by `FOLLOWED`: it reads `.data` only to compute results that are recorded, or for its type, and
    `.grad` only for new nodes.
    """
    return names.get("FOLLOWED") is marks.FOLLOWED and code.co_name != "on_data"


def making(init: Callable[..., None]) -> Callable[..., None]:
    """Return `Value.__init__` that reports the new leaf to the trace."""

    def make(self: Value, *arguments: Any, **keywords: Any) -> None:
        init(self, *arguments, **keywords)
        trace = present()
        if trace is not None:
            trace.made(self)

    return make


def detaching(detach: Callable[[Value], Value]) -> Callable[[Value], Value]:
    """Return `Value.detach` that lets the trace make the leaf; of a plain number there is nothing to detach."""

    def detached(self: Value) -> Value:
        trace = present()
        if trace is None:
            return detach(self)
        leaf: Value = self if id(self) in plain_ids else trace.detached(self)
        return leaf

    return detached


def changes() -> dict[str, Any]:
    """Return the attributes that `Value` has while there is a trace."""
    own = vars(Value)
    changed: dict[str, Any] = {name: comparison(name, own[name]) for name in COMPARISONS}
    for rule, name in DUNDER_NAMES.items():
        changed[f"__{name}__"] = arithmetic(rule, own[f"__{name}__"])
        changed[f"__r{name}__"] = arithmetic(rule, own[f"__r{name}__"], is_reflected=True)
    changed |= {f"__{name}__": arithmetic(name, own[f"__{name}__"]) for name in UNARY_OPERATORS}
    changed |= {name: conversion(f"{test}({{}})", own[name], CONVERSIONS[test]) for name, test in INTEGERS.items()}
    changed |= {name: unfollowed(f"{name.strip('_')}()", own[name]) for name in UNFOLLOWED}
    changed |= {"__bool__": conversion("{} != 0.0", own["__bool__"], bool), "__round__": rounding(own["__round__"])}
    changed["__hash__"] = hashing(own["__hash__"])
    changed["__float__"] = to_float(own["__float__"])
    changed |= {"__init__": making(own["__init__"]), "detach": detaching(own["detach"])}
    changed |= {name: seen(name, getattr(Value, name)) for name in STRUCTURE}
    changed |= {"__index__": index, "__getattr__": missing}
    return {**changed, **{name: watched(getattr(Value, name)) for name in ("data", "grad")}}


_lock = free_in_forks(RLock())
_originals: dict[str, Any] = {}
_added: list[str] = []  # the attributes without an original: `Value` lacks or inherits them otherwise


def is_instrumented() -> bool:
    """Return whether `Value` is instrumented; one attribute tells, since `set_all` changes all of them at once."""
    return "data" in vars(Value)


def is_needed() -> bool:
    """Return whether a trace is active in some thread."""
    return any([entry.mode.traces for entry in [*observers]])  # a copy: another thread may leave a mode


def set_all(attributes: dict[str, Any], gone: Iterable[str] = ()) -> None:
    """Set `attributes` of `Value` and delete the names `gone`: in one opcode, so that Ctrl-C cannot come between."""
    change = map(setattr, repeat(Value), attributes, attributes.values())
    [*chain(change, map(delattr, repeat(Value), gone))]


def instrument() -> None:
    """Instrument `Value`, unless it is."""
    with _lock:
        if not is_instrumented():
            changed = changes()
            _originals.update({name: vars(Value)[name] for name in changed if name in vars(Value)})
            _added[:] = changed.keys() - _originals.keys()
            set_all(changed)


def restore() -> None:
    """Restore `Value`, unless a trace is active in some thread."""
    with _lock:
        if is_instrumented() and not is_needed():
            plain_ids.clear()  # entries of an interrupted trace
            exact.clear()
            set_all(_originals, gone=_added)


after_fork(restore)
