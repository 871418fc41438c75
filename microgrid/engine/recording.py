"""Recording: how an operation on nodes and numbers becomes a node.

`apply` does it for every row and mixture of arguments. The operators and methods of `Value`, which `methods` has, are
the fast ways for the frequent ones.
"""

from __future__ import annotations

from microgrid.engine import methods
from microgrid.engine.messages import check_data, check_sequences, named
from microgrid.engine.modes import observe, observers, tracing
from microgrid.engine.node import new
from microgrid.engine.numbers import FORWARD_ERRORS, all_of, as_number, constant, is_fraction, is_number
from microgrid.engine.operations import FUNCTIONS_OF_ROLE, NUMBERS, functions_for, operation, operation_of
from microgrid.engine.value import Value
from microgrid.rules import marks
from microgrid.rules.source import recorded
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`

UNEXPECTED = (AttributeError, IndexError, OverflowError, TypeError)  # where a fast way does not fit


def convert(rule: Rule, name: str, argument: Any) -> tuple[Any, Any, bool]:
    """Return `argument` as it is kept, as plain numbers, and whether there are nodes in it.

    In a sequence with a node in it, numbers become nodes too.
    """
    if rule.is_sequence(name):
        elements = tuple(argument)
        if not has_value(elements):
            numbers = tuple(map(as_number, elements))
            return numbers, numbers, False
        nodes = as_nodes(elements)
        numbers = tuple([x.data for x in nodes])
        if not all_of(float, numbers):
            for x in nodes:
                check_data(x)
        return nodes, numbers, True
    if isinstance(argument, Value):
        if not rule.is_differentiable(name):
            raise TypeError(f"{name} is a plain number, never differentiated; got a Value")
        check_data(argument)
        return argument, argument.data, True
    if rule.is_differentiable(name):
        argument = as_number(argument)
    elif not is_number(argument):
        raise TypeError(f"{name} is a plain number; got {type(argument).__name__} {argument!r:.60}")
    return argument, argument, False


def as_nodes(elements: Iterable[Any]) -> tuple[Value, ...]:
    """Return `elements` with leaves in the place of numbers."""
    return tuple([x if isinstance(x, Value) else stand_in(x) for x in elements])


def stand_in(number: Any) -> Value:
    """Return a leaf in the place of a number among the elements of a sequence, of which a trace is told."""
    leaf = Value(number)
    trace = tracing() if observers else None
    if trace is not None:
        trace.stands_in(leaf)
    return leaf


def evaluate(rule: Rule, numbers: Iterable[Any], functions: Mapping[str, Any]) -> Any:
    """Return the result of the forward function of `rule` on plain numbers."""
    given = dict(zip(rule.arguments, numbers, strict=True))
    keywords = {name: given.pop(name) for name in rule.defaults} if rule.keyword_only else {}
    positional = given.values()
    return functions[rule.name](*(next(iter(positional)) if rule.variadic else positional), **keywords)


def apply(rule: Rule, *arguments: Any, functions: Mapping[str, Any] = NUMBERS) -> Any:
    """Return the node of `rule` on `arguments`, or a number if there is no node among them.

    Args:
        rule: a row of the calculus table.
        arguments: one for each argument of the rule, a sequence where the rule has one.
        functions: where the forward function is taken from.

    Raises:
        TypeError, ValueError, ArithmeticError: naming the operation and its operands.
    """
    try:
        kept, numbers, mask = zip(*map(convert, [rule] * len(arguments), rule.arguments, arguments), strict=True)
        lengths = {name: len(x) for name, x in zip(rule.arguments, kept, strict=True) if rule.is_sequence(name)}
        if len(set(lengths.values())) > 1:
            raise ValueError("unequal lengths: " + ", ".join(f"{name} has {n}" for name, n in lengths.items()))
        if 0 in lengths.values() and rule.domain:
            raise ValueError("expected at least one number, got none")
        data = evaluate(rule, numbers, functions)
    except FORWARD_ERRORS as error:
        raise named(error, rule.name, *arguments) from None
    if not any(mask):
        return data
    parents = tuple(argument for argument, node in zip(kept, mask, strict=True) if node)
    constants = tuple(argument for argument, node in zip(kept, mask, strict=True) if not node)
    out = new(Value)
    out.op = operation_of(rule, mask)
    out._y = constants if len(constants) > 1 else constants[0] if constants else None
    match out.op.fan:
        case 1:
            (out._x,) = parents
        case 2:
            out._x, out._y = parents
        case _:
            out._x = parents
    out.data = data if type(data) is float or is_fraction(data) else float(data)
    out.grad = 0.0
    out.label = ""
    return observe(out) if observers else out


def apply_exactly(rule: Rule, *arguments: Any) -> Any:
    """Return what `apply` does, computed with the row's integer literals if a fraction is among the arguments."""
    is_exact = any([is_fraction(x.data if isinstance(x, Value) else x) for x in flattened(arguments)])
    return apply(rule, *arguments, functions=functions_for("exact") if is_exact else NUMBERS)


def flattened(arguments: Iterable[Any]) -> Iterator[Any]:
    """Return an iterator over `arguments`, with the elements of sequences in the place of these."""
    return (x for argument in arguments for x in (argument if isinstance(argument, tuple | list) else (argument,)))


def has_value(elements: Iterable[Any]) -> bool:
    """Return whether there is a `Value` among `elements`."""
    return any(isinstance(element, Value) for element in elements)


def lifted(functions: Mapping[str, Any], everything: bool = False) -> dict[str, Any]:
    """Return `functions` with those of the table taking nodes too, which they record.

    Functions whose derivative is zero everywhere give plain numbers, so that no graph is kept for their sake; unless
    `everything` is to be recorded.
    """

    def lift(rule: Rule) -> Callable[..., Any]:
        def on_data(*arguments: Any) -> Any:
            return functions[rule.name](*(x.data if isinstance(x, Value) else x for x in arguments))

        def function(*arguments: Any) -> Any:
            packed = (arguments,) if rule.variadic else arguments
            records = has_value(flattened(packed))
            return apply(rule, *packed, functions=functions) if records else functions[rule.name](*arguments)

        return function if everything or not rule.is_piecewise_constant() else on_data

    names = {**functions, **{name: lift(rule) for name, rule in RULES.items()}}
    return names | {"power": names["pow"]}


def followed(names: dict[str, Any]) -> dict[str, Any]:
    """Return `names` with rows in place of the comparisons in functions of sequences, so that a trace can follow."""
    maximum, less, choose = names["maximum"], names["less"], names["where"]

    def shifted(xs: Sequence[Any]) -> list[Any]:
        largest = maximum(*xs)
        largest = largest.detach() if isinstance(largest, Value) else largest  # the same shift for all changes nothing
        return [x - largest for x in xs]

    def ties(xs: Sequence[Any], out: Any) -> list[Any]:
        hits = [1 - less(x, out) - less(out, x) for x in xs]
        return [hit / sum(hits) for hit in hits]

    def where(c: Any, x: Any, y: Any) -> Any:
        return choose(c, x, y) if isinstance(c, Value) else x if c else y

    return names | {"shifted": shifted, "ties": ties, "where": where}


FUNCTIONS_OF_ROLE["record"] = lambda: lifted(functions_for("exact"))
FUNCTIONS_OF_ROLE["record_total"] = lambda: lifted(functions_for("total"))
FUNCTIONS_OF_ROLE["trace"] = lambda: followed(lifted(functions_for("exact"), everything=True))
FUNCTIONS_OF_ROLE["trace_total"] = lambda: followed(lifted(functions_for("total"), everything=True))


def names_for(source: str) -> dict[str, Any]:
    """Return what generated source may name: row text's functions, the engine's, and the operations it records."""
    names: dict[str, Any] = {**NUMBERS, **{f"number_{name}": function for name, function in NUMBERS.items()}}
    names |= {name: operation(rule, mask) for name, rule, mask in recorded(source, RULES.values())}
    engine = (Value, apply, constant, has_value, named, check_sequences, observe)
    names |= {function.__name__: function for function in engine}
    names |= {"new": new, "RULES": RULES, "observers": observers}
    return names | {"FORWARD_ERRORS": FORWARD_ERRORS, "UNEXPECTED": UNEXPECTED}


# What NumPy calls a function that it looks for among the methods of what an array holds: `np.arctan(x)` of `Value`s.
NUMPY_NAMES = {
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "deg2rad": "radians",
    "rad2deg": "degrees",
}


def install_methods() -> None:
    """Give `Value` the operators and methods of the table, those that NumPy calls otherwise by both names."""
    vars(methods).update(Value=Value, apply=apply)
    for name, method in vars(methods.Methods).items():
        if callable(method):
            method.__qualname__ = f"Value.{name}"  # where pickle finds it, in the `Value` that its module uses
            setattr(Value, name, method)
    for name, own in NUMPY_NAMES.items():
        setattr(Value, name, vars(Value)[own])


install_methods()
