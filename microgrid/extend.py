"""The door through which a program adds operations of its own: one more row, with the rights of the library's.

Row text is code and is run as such: write it in the program, never build it from data.
"""

from __future__ import annotations

import keyword
import sys

from microgrid import codegen, eager
from microgrid.operations import BASE_FUNCTIONS, register
from microgrid.recording import apply_exactly, names_for
from microgrid.rules import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Part = str | Callable[..., Any]


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
        ValueError: if the name is taken or no identifier, a text is no expression in the arguments and known functions,
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
    rule, callables = assembled(signature, forward, partials, doc=doc, domain=domain, symbol=symbol)
    check(rule, {*BASE_FUNCTIONS, *RULES, *callables})
    register(rule, callables)
    function = function_of(rule)
    asker = sys._getframe(1).f_globals
    function.__module__ = asker.get("__name__", "__main__")  # where pickle looks for it, and inspect does not
    return function


def assembled(
    signature: str, forward: Part, partials: Mapping[str, Part], **about: str
) -> tuple[Rule, dict[str, Callable[..., Any]]]:
    """Return the row, with calls in the place of parts that are callables, and these by the names it calls them.

    Raises:
        ValueError: if a name is taken, or there is no partial.
        TypeError: if a part is neither text nor callable.
    """
    draft = Rule(signature, "", "", **dict.fromkeys(partials, ""))
    require_free_names(draft, signature)
    if not partials:
        raise ValueError(f"rule {signature!r}: expected a partial for at least one argument")
    callables: dict[str, Callable[..., Any]] = {}

    def as_text(role: str, part: Part, arguments: Sequence[str]) -> str:
        if isinstance(part, str):
            return part
        if not callable(part):
            raise TypeError(f"rule {signature!r}: expected text or a function as {role}, got {part!r:.60}")
        callables[f"{draft.name}_{role}"] = part
        return f"{draft.name}_{role}({', '.join(arguments)})"

    texts = {}
    for key, part in partials.items():
        arguments = [key if name == f"{key}s" else name for name in draft.arguments]
        texts[key] = as_text(f"partial_{key}", part, [*arguments, "out"])
    whole = ["*" * draft.variadic + name for name in draft.arguments]
    return Rule(signature, as_text("forward", forward, whole), **about, **texts), callables


def require_free_names(draft: Rule, signature: str) -> None:
    """Raise ValueError if a name of the rule is one that Python, the table or generated source uses already."""
    used = {"RULES", "apply", "g", "node", "out", *(f"g{name}" for name in draft.arguments)}
    taken = [draft.name] if draft.name in {*RULES, *BASE_FUNCTIONS} or keyword.iskeyword(draft.name) else []
    taken += [name for name in draft.arguments if name in used or keyword.iskeyword(name)]
    if taken:
        raise ValueError(f"rule {signature!r}: the name {taken[0]!r} is taken")


def function_of(rule: Rule) -> Callable[..., Any]:
    """Return the function of `rule`, whose source is known to tracebacks and `inspect`."""
    import linecache

    source = eager.general_function_source(rule, "Added by `define_rule`.")
    names = {**names_for(source), "apply": apply_exactly}
    function: Callable[..., Any] = codegen.define(source, rule.name, names)[rule.name]
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
