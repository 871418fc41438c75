"""The door through which a program adds operations of its own: one more row, with the rights of the library's.

Row text is code and is run as such: write it in the program, never build it from data.
"""

from __future__ import annotations

import sys
from itertools import count

from microgrid.engine.operations import BASE_FUNCTIONS, _callables, register, registering
from microgrid.engine.recording import apply_exactly, names_for
from microgrid.rules.source import define
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FunctionType
    from typing import Any

    Part = str | Callable[..., Any]

_defined: dict[str, FunctionType] = {}  # the functions of rules that programs added


def define_rule(
    signature: str,
    forward: Part,
    doc: str = "",
    *,
    domain: str = "",
    symbol: str = "",
    **partials: Part,
) -> Callable[..., Any]:
    """Return the function of a new operation, which takes numbers and `Value`s.

    Derivatives of higher order need partials that can be recorded: text can, and a callable that is written with
    operators and `microgrid.math`. Where a partial raises an arithmetic error, the derivative is nan.

    A module may define a name of its own again, as a notebook does where a cell is run twice: the same function comes
    back, which means the new rule from then on, wherever it is used. Nodes that were recorded before keep the old one;
    compiled functions are compiled again; a graph that was pickled is loaded with the rule that has the name.

    Args:
        signature: `"name(x, y)"`, with `*xs` for any number of arguments, `name=default` for a default.
        forward: an expression in the arguments, or a callable that takes them as plain numbers.
        doc: what the operation is, in a few words.
        domain: where it is defined and smooth, a condition on the arguments; empty for everywhere.
        symbol: what is drawn on a node; the name unless given.
        partials: for each differentiable argument its partial derivative: an expression in the arguments and `out`, or
            a callable that takes the arguments and then `out`. For a sequence `xs`, the partial `x` is that by one
            element, and the partial `xs` the list of all. An argument of a longer name that ends in `s` (`bias`) is a
            sequence if there is a partial of its singular, or a star before it; else it is a number.

    Raises:
        ValueError: if a name is taken or no identifier, a text is no expression in the arguments and known functions,
            a partial branches, belongs to no argument or to two, or there is none.
        TypeError: if a part is neither text nor callable.

    >>> from microgrid import Value
    >>> third_power = define_rule("third_power(x)", "x * x * x", "third power", x="3 * x * x")
    >>> x = Value(2.0)
    >>> y = third_power(x)
    >>> y.backward()
    >>> y.data, x.grad, third_power(2.0)
    (8.0, 12.0, 8.0)
    """
    asker = sys._getframe(1).f_globals
    module = asker.get("__name__", "__main__")  # where pickle looks for the function, and inspect does not
    for name, text in {"signature": signature, "doc": doc, "domain": domain, "symbol": symbol}.items():
        if not isinstance(text, str):
            raise TypeError(f"define_rule expects {name} to be text, got {type(text).__name__} {text!r:.60}")
    draft = Rule(signature, "", "", **dict.fromkeys(partials, ""))
    with registering:  # or another thread could take the name meanwhile
        former = RULES.get(draft.name)
        require_free_names(draft, signature, module)
        rule, callables = assembled(draft, signature, forward, partials, doc=doc, domain=domain, symbol=symbol)
        check(rule, {*BASE_FUNCTIONS, *RULES, *callables} - {rule.name})
        try:
            function = function_of(rule)
        except SyntaxError as error:
            raise ValueError(f"rule {signature!r}: {error.msg}; expected one such as 'name(x, y)'") from None
        register(rule, callables, former)
        if former:
            known = _defined[rule.name]
            for part in ("__code__", "__defaults__", "__kwdefaults__", "__doc__"):
                setattr(known, part, getattr(function, part))
            return known
        function.__module__ = module
        _defined[rule.name] = function
        return function


def assembled(
    draft: Rule, signature: str, forward: Part, partials: Mapping[str, Part], **about: str
) -> tuple[Rule, dict[str, Callable[..., Any]]]:
    """Return the row, with calls in the place of parts that are callables, and these by the names it calls them.

    These are names that nothing has, not even an older rule of the name.

    Raises:
        ValueError: if there is no partial.
        TypeError: if a part is neither text nor callable, or does not take what it would be given.
    """
    if not partials:
        raise ValueError(f"rule {signature!r}: expected a partial for at least one argument")
    callables: dict[str, Callable[..., Any]] = {}

    def as_text(role: str, part: Part, arguments: Sequence[str], sequence: str = "") -> str:
        if isinstance(part, str):
            return part
        if not callable(part):
            raise TypeError(f"rule {signature!r}: expected text or a function as {role}, got {part!r:.60}")
        where = f"rule {signature!r}: expected {role}"
        require_arity(where, part, arguments)
        names = (f"{draft.name}{'' if number == 1 else number}_{role}" for number in count(1))
        name = next(name for name in names if name not in BASE_FUNCTIONS and name not in RULES)
        callables[name] = checked(where, part, arguments.index(sequence) if sequence else None)
        return f"{name}({', '.join(arguments)})"

    texts = {}
    for key, part in partials.items():
        arguments = [key if name == f"{key}s" else name for name in draft.arguments]
        texts[key] = as_text(f"partial_{key}", part, [*arguments, "out"], key if draft.is_sequence(key) else "")
    whole = ["*" * draft.variadic + name for name in draft.arguments]
    return Rule(signature, as_text("forward", forward, whole), **about, **texts), callables


def require_arity(where: str, part: Callable[..., Any], arguments: Sequence[str]) -> None:
    """Raise TypeError, which begins with `where`, if `part` does not take `arguments`, as far as can be told."""
    from inspect import signature

    try:
        taken = signature(part)
    except (TypeError, ValueError):  # of some functions written in C
        return
    try:
        taken.bind(*(name for name in arguments for _ in range(9 if name.startswith("*") else 1)))
    except TypeError:
        raise TypeError(f"{where} to take ({', '.join(arguments)}), got a function of {taken}") from None


def checked(where: str, part: Callable[..., Any], sequence: int | None) -> Callable[..., Any]:
    """Return `part`, but with a TypeError, which begins with `where`, in the place of a result that is not fit.

    Args:
        where: what the error begins with.
        part: a function that returns a number, of whatever kind it is given.
        sequence: the position of the argument for whose elements it returns a number each; None if it returns one.
    """

    def number(*arguments: Any) -> Any:
        found = part(*arguments)
        if type(found) is not float and not calculates(found):
            raise TypeError(f"{where} to return a number, got {type(found).__name__} {found!r:.60}")
        return found

    def numbers(*arguments: Any) -> Any:
        found, count = part(*arguments), len(arguments[sequence or 0])
        each = [*found] if hasattr(found, "__iter__") else []
        if len(each) != count or not all(map(calculates, each)):
            raise TypeError(f"{where} to return a list of {count} numbers, got {type(found).__name__} {found!r:.60}")
        return each

    return number if sequence is None else numbers


def calculates(found: object) -> bool:
    """Return whether `found` is a number of any kind: a float, a node, a power series."""
    return hasattr(found, "__rmul__") and not hasattr(found, "__iter__")


def require_free_names(draft: Rule, signature: str, module: str) -> None:
    """Raise ValueError if a name of the rule, which `module` defines, has another meaning, and say who gives it."""
    import keyword

    generated = {"RULES", "apply", "g", "node", "out", "tangent", "tangents"}
    elements = [name[:-1] for name in draft.arguments if draft.is_sequence(name)]
    names = (draft.name, *draft.arguments, *elements)
    owners = {name: "Python" for name in names if keyword.iskeyword(name)}
    owners |= {name: "generated source" for name in names if name in generated or name == draft.name == "n"}
    owners |= {name: "generated source" for name in draft.arguments if name[0] == "g" and name[1:] in draft.arguments}
    owner = owner_of(draft.name)
    if owner and owner != f"the module {module!r}":
        owners[draft.name] = owner
    for name, owner in owners.items():
        raise ValueError(f"rule {signature!r}: the name {name!r} is taken by {owner}")


def owner_of(name: str) -> str:
    """Return who gives `name` a meaning in row text, in words; empty if nobody does."""
    if name in _callables:
        return "a part of another rule"
    if name in _defined and name in RULES:
        return f"the module {_defined[name].__module__!r}"
    return "the library" if name in RULES or name in BASE_FUNCTIONS else ""


def function_of(rule: Rule) -> FunctionType:
    """Return the function of `rule`, whose source is known to tracebacks and `inspect`."""
    import linecache

    from microgrid.rules import methods

    source = methods.general_function_source(rule, "Added by `define_rule`.")
    names = {**names_for(source), "apply": apply_exactly}
    function: FunctionType = define(source, rule.name, names)[rule.name]
    file = function.__code__.co_filename
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return function


def check(rule: Rule, known: set[str]) -> None:
    """Check the texts of `rule`, which may call the functions `known`.

    Raises:
        ValueError: if one is no expression in the arguments or has an index, or a partial branches or gives an argument
            another meaning.
    """
    import ast

    def has_literal(tree: ast.expr) -> bool:
        return any(isinstance(node, ast.Constant) for node in ast.walk(tree))

    def parsed(where: str, text: str) -> list[ast.AST]:
        try:
            return list(ast.walk(ast.parse(text, mode="eval")))
        except SyntaxError:
            raise ValueError(f"{where} is not an expression") from None

    branches = (ast.IfExp, ast.Compare, ast.BoolOp, ast.NamedExpr, ast.Lambda)
    elements = {name[:-1] for name in rule.arguments if rule.is_sequence(name)}
    known = {*known, *rule.arguments, *elements, "out"} | ({"n"} if elements else set())
    parsed(f"rule {rule.name!r}: the domain {rule.domain!r}", rule.domain or "True")
    texts = [("forward", text) for text in rule.forward.split("; ")]
    for role, text in [*texts, *((f"partial by {name}", partial) for name, partial in rule.partials.items())]:
        where = f"rule {rule.name!r}: the {role} {text!r}"
        nodes = parsed(where, text)
        names = [node for node in nodes if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}  # within a comprehension
        if any(isinstance(node, ast.Subscript) and has_literal(node.slice) for node in nodes):
            raise ValueError(f"{where} has an index: numbers in texts are floats; write it as a function")
        unknown = sorted({node.id for node in names} - known - bound)
        if unknown:
            raise ValueError(f"{where} speaks of {', '.join(unknown)}, expected arguments and known functions")
        if role == "forward":
            continue
        again = sorted(bound.intersection({*rule.arguments, *elements, "out"}))
        if again:
            raise ValueError(f"{where} has another meaning for {', '.join(again)}: expected a name that is new")
        if any(isinstance(node, branches) for node in nodes):
            raise ValueError(f"{where} branches: write it with where, step, sign or less, so that it can be recorded")
