"""The door through which a program adds operations of its own: one more row, with the rights of the library's.

Row text is code and is run as such: write it in the program, never build it from data.
"""

from __future__ import annotations

import keyword
import sys

from microgrid import codegen, eager
from microgrid.operations import BASE_FUNCTIONS, register
from microgrid.recording import names_for
from microgrid.rules import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def define_rule(
    signature: str,
    forward: str | Callable[..., Any],
    doc: str = "",
    *,
    domain: str = "",
    symbol: str = "",
    **partials: str | Callable[..., Any],
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
            element, and the partial `xs` the list of all.

    Raises:
        ValueError: if the name is taken or no identifier, a text is no expression in the arguments and known functions,
            a partial branches, or there is none.
        TypeError: if a part is neither text nor callable.

    >>> from microgrid import Value
    >>> third_power = define_rule("third_power(x)", "x * x * x", "third power", x="3 * x * x")
    >>> x = Value(2.0)
    >>> y = third_power(x)
    >>> y.backward()
    >>> y.data, x.grad, third_power(2.0)
    (8.0, 12.0, 8.0)
    """
    import linecache

    draft = Rule(signature, "", doc, **dict.fromkeys(partials, ""))
    taken = {"RULES", "apply", "g", "node", "out", *(f"g{name}" for name in draft.arguments)}  # by generated source
    if (
        draft.name in {*RULES, *BASE_FUNCTIONS}
        or taken.intersection(draft.arguments)
        or any(map(keyword.iskeyword, (draft.name, *draft.arguments)))
    ):
        raise ValueError(f"rule {signature!r}: a name is taken")
    if not partials:
        raise ValueError(f"rule {signature!r}: expected a partial for at least one argument")
    callables: dict[str, Callable[..., Any]] = {}

    def as_text(role: str, given: str | Callable[..., Any], arguments: list[str]) -> str:
        if isinstance(given, str):
            return given
        if not callable(given):
            raise TypeError(f"rule {signature!r}: expected text or a function as {role}, got {given!r:.60}")
        callables[f"{draft.name}_{role}"] = given
        return f"{draft.name}_{role}({', '.join(arguments)})"

    texts = {}
    for key, given in partials.items():
        arguments = [key if name == f"{key}s" else name for name in draft.arguments]
        texts[key] = as_text(f"partial_{key}", given, [*arguments, "out"])
    whole = ["*" * draft.variadic + name for name in draft.arguments]
    rule = Rule(signature, as_text("forward", forward, whole), doc, domain=domain, symbol=symbol, **texts)
    check(rule, {*BASE_FUNCTIONS, *RULES, *callables})
    register(rule, callables)
    source = eager.general_function_source(rule, "Added by `define_rule`.")
    function: Callable[..., Any] = codegen.define(source, rule.name, names_for(source))[rule.name]
    function.__module__ = sys._getframe(1).f_globals["__name__"]  # where pickle looks for it, and inspect does not
    file = function.__code__.co_filename
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return function


def check(rule: Rule, known: set[str]) -> None:
    """Check the texts of `rule`, which may call the functions `known`.

    Raises:
        ValueError: if one is no expression in the arguments, or a partial branches.
    """
    import ast

    branches = (ast.IfExp, ast.Compare, ast.BoolOp, ast.NamedExpr, ast.Lambda)
    elements = {name[:-1] for name in rule.arguments if rule.is_sequence(name)}
    known = {*known, *rule.arguments, *elements, "out"} | ({"n"} if elements else set())
    texts = [("forward", text) for text in rule.forward.split("; ")]
    for role, text in [*texts, *((f"partial by {name}", partial) for name, partial in rule.partials.items())]:
        where = f"rule {rule.name!r}: the {role} {text!r}"
        try:
            nodes = list(ast.walk(ast.parse(text, mode="eval")))
        except SyntaxError:
            raise ValueError(f"{where} is not an expression") from None
        names = [node for node in nodes if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}  # within a comprehension
        unknown = sorted({node.id for node in names} - known - bound)
        if unknown:
            raise ValueError(f"{where} speaks of {', '.join(unknown)}, expected arguments and known functions")
        if role != "forward" and any(isinstance(node, branches) for node in nodes):
            raise ValueError(f"{where} branches: write it with where, step, sign or less, so that it can be recorded")
