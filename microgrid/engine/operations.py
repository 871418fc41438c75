"""What the `op` of a node is: a rule on one pattern of parents and constants, with its derivative roles.

The functions of a role are built when a node of the kind is first differentiated.
"""

from __future__ import annotations

import math
from _thread import RLock
from weakref import WeakSet, WeakValueDictionary

from microgrid.engine.forks import free_in_forks
from microgrid.engine.messages import check_data
from microgrid.engine.numbers import MATH_ERRORS, is_node
from microgrid.rules import forward
from microgrid.rules import source as codegen
from microgrid.rules.table import ROWS, RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from microgrid.engine.node import Node

BASE_FUNCTIONS: dict[str, Any] = {
    name: function for module in codegen.LIBRARY for name, function in vars(module).items() if not name.startswith("_")
}
NUMBERS = BASE_FUNCTIONS | {
    rule.name: getattr(forward, rule.name) for rule in ROWS if not codegen.is_call_of_itself(rule)
}


def exact_numbers() -> Mapping[str, Any]:
    """Return the forward functions as the table writes them, with integer literals."""
    return codegen.number_functions("exact_numbers", RULES.values(), BASE_FUNCTIONS, str)


def total_numbers() -> Mapping[str, Any]:
    """Return the forward functions over functions that return inf or nan where `math` raises."""
    from microgrid.rules.ieee import TOTAL

    others = [rule for rule in RULES.values() if rule.name not in TOTAL]
    given = {**BASE_FUNCTIONS, **TOTAL, **{name: or_nan(function) for name, function in _callables.items()}}
    return codegen.number_functions("total_numbers", others, given, codegen.with_float_literals)


def or_nan(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, but giving nan where it raises an arithmetic error."""

    def total(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except MATH_ERRORS:
            return math.nan

    return total


# What row text may call in each derivative role; `recording` adds the roles that record nodes.
FUNCTIONS_OF_ROLE: dict[str, Callable[[], Mapping[str, Any]]] = {
    "pull": lambda: NUMBERS,
    "exact": exact_numbers,
    "total": total_numbers,
}
ROLES = ("pull", "exact", "total", "vjp", "vjp_total", "record", "record_total", "trace", "trace_total",
         "jvp", "jvp_total", "jvp_record", "jvp_record_total", "jvp_trace", "jvp_trace_total")  # fmt: skip
SHARED = {"vjp": "exact", "jvp": "exact"}  # with integer literals a role serves floats and fractions
_functions: dict[str, Mapping[str, Any]] = {}
_callables: dict[str, Callable[..., Any]] = {}  # of rules that were given as functions
_owners: WeakValueDictionary[str, Owner] = WeakValueDictionary()  # of these, which live as long as their rules
registering = free_in_forks(RLock())  # held while the table changes, and while something is made of all of it


class Owner:
    """What a rule, its copies and nothing else refer to."""

    __slots__ = ("__weakref__",)


class Dependents(WeakSet):  # type: ignore[type-arg] # at run time it has no parameters
    """What keeps something made of rules, until `cache_clear` is called."""

    def add(self, item: Any) -> None:
        """Add `item`, but not while they are told."""
        with registering:
            super().add(item)


dependents = Dependents()


def register(rule: Rule, callables: Mapping[str, Callable[..., Any]], former: Rule | None = None) -> None:
    """Add a row to the table, whose text may call `callables`, in the place of `former` if there is one.

    Nodes that were recorded before keep their rules as they were. What is recorded afterwards has the new one, also
    where the text of another rule calls it.

    Args:
        rule: the row.
        callables: functions by names that nothing else has.
        former: the row of that name.

    Raises:
        ValueError: if another row of the name is there.
    """
    with registering:
        if RULES.get(rule.name) is not former:
            raise ValueError(f"rule {rule!r}: the name {rule.name!r} is taken")
        outdated = [*dependents] if former else []
        others = [other for other in RULES.values() if other not in (*ROWS, former)] if former else []
        given = {**NUMBERS, **callables}
        made = codegen.number_functions(f"{rule.name}_forward", [rule, *others], given, codegen.with_float_literals)
        if former:
            part_with_operations()
        forget_callables()
        rule.owner = Owner()
        _owners.update(dict.fromkeys(callables, rule.owner))
        _callables.update(callables)
        BASE_FUNCTIONS.update(callables)
        NUMBERS.update(made)
        RULES[rule.name] = rule
        for role in [role for role in _functions if role != "pull"]:
            del _functions[role]  # they are made again, with the new row
        for dependent in outdated:
            dependent.cache_clear()


def forget_callables() -> None:
    """Forget the functions of rules that are gone: that were replaced, and no node has any more."""
    for name in [name for name in _callables if name not in _owners]:
        for table in (_callables, BASE_FUNCTIONS, NUMBERS):
            table.pop(name, None)


def part_with_operations() -> None:
    """Leave the operations of rules that programs added to the nodes that have them, with all roles as they are now.

    The rules are entered anew, since what is made of their texts may call the one that is replaced.
    """
    import copy

    for key in [key for key in _operations if key[0] not in ROWS]:
        for role in ROLES:
            getattr(_operations[key], role)
        del _operations[key]
    RULES.update({name: copy.copy(rule) for name, rule in RULES.items() if rule not in ROWS})


def functions_for(role: str) -> Mapping[str, Any]:
    """Return the functions that row text calls in a derivative role, made on first use."""
    role = SHARED.get(role) or role.removeprefix("vjp_").removeprefix("jvp_")
    found = _functions.get(role)
    if found is None:
        with registering:
            found = _functions[role] = FUNCTIONS_OF_ROLE[role]()
    return found


class Operation:
    """A rule recorded on one pattern of nodes and constants; what the `op` of a node is.

    Attributes:
        rule: the row of the calculus table; None for operations of other kinds, by hand and of compiled calls.
        mask: for each argument of the rule whether nodes stand there.
        fan: where a node keeps its parents; see `codegen.fan`.
        is_number: whether a node of it is a number; only the compiled call of several results is none.
        pull and the other `ROLES`: the derivative roles, built when first used; see `pullbacks`.
    """

    __slots__ = (*ROLES, "fan", "mask", "rule")
    is_number = True

    def __init__(self, rule: Rule, mask: tuple[bool, ...]) -> None:
        self.rule, self.mask, self.fan = rule, mask, codegen.fan(rule, mask)

    def __getattr__(self, role: str) -> Callable[[Node, Any], Any]:
        """Build a derivative role, whose slot is empty until it is first used."""
        if role not in ROLES:
            raise AttributeError(f"an operation has no attribute {role!r}")
        from microgrid.rules.derivatives import build

        function = build(self.rule, self.mask, role, {**functions_for(role), "check_data": check_data})
        setattr(self, role, function)
        return function

    @property
    def name(self) -> str:
        """The name of the rule."""
        return self.rule.name

    @property
    def symbol(self) -> str:
        """What is drawn on a node."""
        return self.rule.symbol

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return operation, (self.name, self.mask)


class HandWritten:
    """The operation of a node whose `_backward` was assigned, as in micrograd's lecture: first order, eager only."""

    __slots__ = ("name", "pull", "symbol")
    fan, is_number, rule = 0, True, None

    def __init__(self, name: str, hand_on: Callable[[Any], object]) -> None:
        self.name = self.symbol = name
        self.pull = lambda node, g: hand_on(g)

    exact = property(lambda self: self.pull)

    def written_out(self, node: Node, stands: Mapping[Any, Any]) -> Any:
        """Refuse to be copied or pickled.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"the operation {self.name!r} was added by assigning _backward, so its graph cannot be copied or "
            f"pickled: the function would go on using the nodes it was written for"
        )

    def total(self, node: Node, g: Any) -> None:
        """Raise the error that the function has just raised."""
        raise

    def record(self, node: Node, g: Any, *more: Any) -> Any:
        """Refuse to differentiate a closure.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"the operation {self.name!r} was added by assigning _backward, so it has a first derivative only, by "
            f"backward(); for more, build it from functions of microgrid.math, or add it with define_rule"
        )

    record_total = vjp = vjp_total = jvp = jvp_total = jvp_record = jvp_record_total = record
    trace = trace_total = jvp_trace = jvp_trace_total = expand = record

    def __repr__(self) -> str:
        return self.name


_operations: dict[tuple[Rule, tuple[bool, ...]], Operation] = {}


def operation_of(rule: Rule, mask: tuple[bool, ...]) -> Operation:
    """Return the operation that records `rule` where `mask` marks the nodes among its arguments."""
    return _operations.get((rule, mask)) or _operations.setdefault((rule, mask), Operation(rule, mask))


def operation(name: str, mask: tuple[bool, ...]) -> Operation:
    """Return the operation that records the rule called `name` where `mask` marks the nodes among its arguments.

    Raises:
        LookupError: if no rule has the name.
    """
    if name not in RULES:
        raise LookupError(f"no rule is called {name!r}: define it before you load a graph with it")
    return operation_of(RULES[name], mask)


IDENTITY = operation("identity", (True,))  # of a link: the leaf of a transform's run, after the run


def make_links(leaves: Iterable[Node], sources: Iterable[Any]) -> None:
    """Make each of `leaves` a link to its source, if that is a node: derivatives propagate to it."""
    for leaf, source in zip(leaves, sources, strict=True):
        if is_node(source):
            leaf.op, leaf._x = IDENTITY, source
