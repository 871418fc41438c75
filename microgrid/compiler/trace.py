"""Tracing: one run of a function on recording values, and what it did as a program.

While a function is traced, `Value` itself is instrumented: a comparison, a truth value, a conversion to an integer
becomes a guard; reading `.data` or converting to a float cannot be followed, and is remembered with the line that did
it. Values of other threads are left alone.
"""

from __future__ import annotations

import sys
from _thread import RLock

from microgrid import modes
from microgrid.compiler.program import DETACH, Guard, Program, Step
from microgrid.conversions import is_node, is_number
from microgrid.engine import Value
from microgrid.graph import arguments
from microgrid.operations import BASE_FUNCTIONS
from microgrid.rules import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

# Where `.data` is read to compute a result that is recorded, or only for its type.
FOLLOWED = {"recording", "runs", "engine", "conversions", "graph", "compiler.trace"}
COMPARISONS = {"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
INTEGERS = {"__int__": "int", "__trunc__": "trunc", "__floor__": "floor", "__ceil__": "ceil", "__index__": "int"}

UNFOLLOWED = ("__float__", "__format__", "__repr__", "__round__", "__copy__", "__deepcopy__", "__reduce__", "backward")


class Trace(modes.Mode):
    """The mode in which a function is traced.

    Attributes:
        inputs: the leaves in the place of the arguments.
        externals: the values of others that the function used, in the order of their first use.
        obstacle: what could not be followed, with its line; empty if all could.
    """

    traces = True

    def __init__(self, numbers: Sequence[Any]) -> None:
        super().__init__(self.see)
        self.obstacle = ""
        self.externals: list[Value] = []
        self.inputs = [Value(number) for number in numbers]
        self._names: dict[int, Any] = {id(leaf): f"input{index}" for index, leaf in enumerate(self.inputs)}
        self._events: list[Any] = []  # nodes as they were made, and guards; they keep every id from being used again

    def __enter__(self) -> Any:
        self._outside = modes._entered.get()
        modes._entered.set(())
        super().__enter__()
        instrument()
        return self

    def __exit__(self, *exception: object) -> None:
        restore()
        super().__exit__(*exception)
        modes._entered.set(tuple(entry for entry in self._outside if entry.on))

    def see(self, node: Value) -> None:
        """Take note of a new node, with what it was made of."""
        self._events.append((node, node.op, arguments(node)))

    def guard(self, test: str, operands: tuple[Any, ...], outcome: Any) -> Any:
        """Take note of a decision; return its outcome."""
        self._events.append(Guard(test, operands, outcome))
        return outcome

    def made(self, value: Value, source: Value | None) -> None:
        """Take note of a leaf that is made in the trace: of a constant, or of the number of `source`."""
        self._events.append((value, None, [source]))

    def cannot_follow(self, what: str) -> None:
        """Take note of something that a program cannot tell."""
        self.obstacle = self.obstacle or f"{what} at {line_of_user()}"

    def name(self, operand: Any) -> Any:
        """Return the name of a value, that of a new input if it was made elsewhere; numbers are as they are."""
        if isinstance(operand, tuple | list):
            return tuple(map(self.name, operand))
        if not is_node(operand):
            return operand
        if id(operand) not in self._names:
            self._names[id(operand)] = f"leaf{len(self.externals)}"
            self.externals.append(operand)
        return self._names[id(operand)]

    def program(self, outputs: Sequence[Any]) -> Program:
        """Return what happened as a program; `outputs` are the leaves of the result."""
        steps: list[Step | Guard] = []
        for number, event in enumerate(self._events):
            if isinstance(event, Guard):
                steps.append(event._replace(operands=self.name(event.operands)))
                continue
            node, op, given = event
            if op is None and given[0] is None:
                self._names[id(node)] = node.data
                continue
            if op is None:  # detached; a transform may have made it a node afterwards
                rule = DETACH if node.op is None else RULES["identity"]
            else:
                rule = op.rule
            target = variable(rule, number)
            steps.append(Step(target, rule, self.name(tuple(given))))
            if op is not None and node.op is None:  # made under no_grad
                steps.append(Step(f"{target}_detached", DETACH, (target,)))
                target = f"{target}_detached"
            self._names[id(node)] = target
        named = self.name(tuple(outputs))
        inputs = [f"input{index}" for index in range(len(self.inputs))]
        return Program((*inputs, *(f"leaf{index}" for index in range(len(self.externals)))), tuple(steps), named)


def variable(rule: Rule, number: int) -> str:
    """Return a name for the result of `rule`, made from the rule's: not one that a function has."""
    name = f"{rule.name}_{number}"
    while name in BASE_FUNCTIONS or name in RULES:
        name += "_"
    return name


def tracer() -> Trace | None:
    """Return the trace that this thread or task is in."""
    for mode in modes.active():
        if isinstance(mode, Trace):
            return mode
    return None


def line_of_user() -> str:
    """Return file and line of the innermost frame that is not of this package."""
    from microgrid.anomaly import users_line

    return users_line()


# Instrumentation

_lock = RLock()
_depth = 0
_originals: dict[str, Any] = {}


def comparison(name: str, original: Callable[[Value, Any], Any]) -> Callable[[Value, Any], Any]:
    """Return a comparison that a trace takes for a guard."""
    symbol = COMPARISONS[name]

    def compare(self: Value, other: Any) -> Any:
        outcome = original(self, other)
        trace = tracer()
        if trace is None or not (is_node(other) or is_number(other)):
            return outcome
        return trace.guard(f"{{}} {symbol} {{}}", (self, other), outcome)

    return compare


def conversion(test: str, original: Callable[[Value], Any]) -> Callable[[Value], Any]:
    """Return a conversion to an integer or a bool that a trace takes for a guard."""

    def convert(self: Value) -> Any:
        outcome = original(self)
        trace = tracer()
        return outcome if trace is None else trace.guard(test, (self,), outcome)

    return convert


def unfollowed(what: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that a trace cannot follow."""

    def method(self: Value, *arguments: Any, **keywords: Any) -> Any:
        trace = tracer()
        if trace is not None:
            trace.cannot_follow(what)
        return original(self, *arguments, **keywords)

    return method


def is_followed(frame: Any) -> bool:
    """Return whether a trace follows what the code of `frame` does with `.data`."""
    package, _, module = frame.f_globals.get("__name__", "").partition(".")
    if package != "microgrid" or frame.f_code.co_name == "on_data":
        return False
    return module in FOLLOWED or module.startswith("generated.")


def instrument() -> None:
    """Let `Value` tell traces what is done with it."""
    global _depth
    with _lock:
        _depth += 1
        if _depth > 1:
            return
        slot = vars(Value)["data"]

        def read(self: Value) -> Any:
            if not is_followed(sys._getframe(1)):
                trace = tracer()
                if trace is not None:
                    trace.cannot_follow("reading .data")
            return slot.__get__(self)

        init, detach = Value.__init__, Value.detach

        def write(self: Value, number: Any) -> None:
            if not is_followed(sys._getframe(1)):
                trace = tracer()
                if trace is not None:
                    trace.cannot_follow("assigning .data")
            slot.__set__(self, number)

        def make(self: Value, *arguments: Any, **keywords: Any) -> None:
            init(self, *arguments, **keywords)
            trace = tracer()
            if trace is not None:
                trace.made(self, None)
                if self.op is not None:
                    trace.cannot_follow("a hand-written operation")

        def detached(self: Value) -> Value:
            trace = tracer()
            if trace is None:
                return detach(self)
            leaf = object.__new__(Value)
            init(leaf, self.data, label=self.label)
            trace.made(leaf, self)
            return leaf

        changes: dict[str, Any] = {"data": property(read, write), "__init__": make, "detach": detached}
        changes |= {name: comparison(name, getattr(Value, name)) for name in COMPARISONS}
        integer = Value.__int__
        for name, function in INTEGERS.items():
            changes[name] = conversion(f"{function}({{}})", getattr(Value, name, integer))
        changes["__bool__"] = conversion("bool({})", Value.__bool__)
        for name in UNFOLLOWED:
            changes[name] = unfollowed(f"{name.strip('_')}()", getattr(Value, name))
        for name, change in changes.items():
            _originals[name] = vars(Value).get(name)
            setattr(Value, name, change)


def restore() -> None:
    """Make `Value` what it was when the last trace ends."""
    global _depth
    with _lock:
        _depth -= 1
        if not _depth:
            for name, original in _originals.items():
                if original is None:
                    delattr(Value, name)
                else:
                    setattr(Value, name, original)
            _originals.clear()
