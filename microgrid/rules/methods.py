"""The eager roles of a row, as source: the operator or method of `Value`, the function of numbers or `Value`s.

They are written from plain templates: for rows of the table into modules (see `generate`), for rules that a program
adds while it runs.
"""

from __future__ import annotations

import math

from microgrid.rules.source import (
    is_call_of_itself,
    operation_name,
    parameters,
    sequences,
    tokens,
    with_float_literals,
)
from microgrid.rules.table import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DUNDER_NAMES = {"add": "add", "sub": "sub", "mul": "mul", "div": "truediv", "floordiv": "floordiv", "mod": "mod",
                "pow": "pow"}  # fmt: skip
UNARY_OPERATORS = ("neg", "abs")
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

RECORD = """\
    out.grad = 0.0
    out.label = ""
    return observe(out) if observers else out
"""

METHOD = '''
def {method}({head}) -> Self:
    """{doc}
    """
{checks}    out = new(Value)
    {x} = self.data
    try:
        out.data = {forward}
    except FORWARD_ERRORS as error:
        raise named(error, "{name}", {operands}) from None
    out.op = {op}
    out._x = self
    out._y = {constants}
'''

GENERAL_METHOD = '''
def {method}({head}) -> Self:
    """{doc}
    """
    return apply({rule}, {operands})
'''

OPERATOR = '''
def __{dunder}__(self, other: SupportsFloat) -> Self:
    """{doc}
    """
    out = new(Value)
    x = self.data
    try:
        if isinstance(other, Value):
            y = other.data
            out.data = {forward}
            out.op = {op_xy}
        else:
            if type(other) is not float:
                other = constant(other, x)
                if other is NotImplemented:
                    return NotImplemented
            y = other
            out.data = {forward}
            out.op = {op_x}
    except FORWARD_ERRORS as error:
        raise named(error, "{name}", self, other) from None
    out._x = self
    out._y = other
'''

REFLECTED = '''
def __r{dunder}__(self, other: SupportsFloat) -> Self:
    """{doc}
    """
    out = new(Value)
    y = self.data
    try:
        if type(other) is not float:
            other = constant(other, y)
            if other is NotImplemented:
                return NotImplemented
        x: Any = other
        out.data = {forward}
    except FORWARD_ERRORS as error:
        raise named(error, "{name}", other, self) from None
    out.op = {op_y}
    out._x = self
    out._y = other
'''

COMPARISON = '''
def __{dunder}__(self, other: {kind}) -> bool:
    """Return whether the number here `{symbol}` the other one."""
    return self.data {symbol} (other.data if isinstance(other, Value) else other)
'''

FUNCTION = '''
def {name}({head}){returns}:
    """{doc}

    {example}
    """
{tuples}    if {test}:
        return {recorded}
    return {plain}
'''

GENERAL_FUNCTION = '''
def {name}({head}){returns}:
    """{doc}

    {example}
    """
{tuples}    return {recorded}
'''

FOLD = '''
def {name}({head}){returns}:
    """{doc}

    {example}
    """
{tuples}    node = new(Value)
    try:
        starts = isinstance({b}, Value)
        out = {b}.data if starts else {b}
        if isinstance({xs}[0], Value):
            for {w}, {x} in zip({ws}, {xs}):
                out = {step_wx}
            node.op, node._x, node._y = ({op_wxb}, ({ws}, {xs}, {b}), None) if starts else ({op_wx}, ({ws}, {xs}), {b})
        else:
            for {w}, {x} in zip({ws}, {xs}):
                out = {step_w}
            node.op, node._x, node._y = ({op_wb}, ({ws}, {b}), {xs}) if starts else ({op_w}, ({ws},), ({xs}, {b}))
    except UNEXPECTED:
        out = None
    if type(out) is not float or len({ws}) != len({xs}):  # another mixture of nodes and numbers, or an error
        return apply({rule}, {ws}, {xs}, {b})
    node.data = out
    node.grad = 0.0
    node.label = ""
    return observe(node) if observers else node
'''


def rule_in_source(rule: Rule) -> str:
    """Return the expression for `rule` in generated source."""
    return f'RULES["{rule.name}"]'


def describe(rule: Rule) -> str:
    """Return what the docstring of a generated function says of `rule`: what it is, its partials, its domain.

    >>> from microgrid.rules.table import RULES
    >>> print(describe(RULES["log"]))
    Return `log(x)`: natural logarithm.
    <BLANKLINE>
        The partial by x is `1 / x`. It is defined and smooth where `x > 0`.
    """
    phrases = [f"by {name} is `{partial}`," for name, partial in rule.partials.items()]
    phrases[0] = f"The partial {phrases[0]}"
    phrases[-1] = phrases[-1].removesuffix(",") + "."
    if rule.domain:
        phrases.append(f"It is defined and smooth where `{rule.domain}`.")
    return f"{summary(rule)}\n\n    {filled(phrases)}"


def summary(rule: Rule) -> str:
    """Return the first line of that docstring."""
    what = rule.doc if "; " in rule.forward else f"`{rule.forward}`" + f": {rule.doc}" * bool(rule.doc)
    return f"Return {what}."


def filled(phrases: Iterable[str]) -> str:
    """Return `phrases` one after the other, on lines that fit into a docstring of a method."""
    lines = [""]
    for phrase in phrases:
        if lines[-1] and len(lines[-1]) + len(phrase) > 110:
            lines.append("")
        lines[-1] += " " * bool(lines[-1]) + phrase
    return "\n    ".join(lines)


def method_source(rule: Rule, method: str) -> str:
    """Return the source of a method of `Value` for a rule of one differentiable argument.

    >>> from microgrid.rules.table import RULES
    >>> print(method_source(RULES["exp"], "exp"), end="")
    <BLANKLINE>
    def exp(self) -> Self:
        \"""Return `exp(x)`: e to the power x.
    <BLANKLINE>
        The partial by x is `out`.
        \"""
        out = new(Value)
        x = self.data
        try:
            out.data = exp(x)
        except FORWARD_ERRORS as error:
            raise named(error, "exp", self) from None
        out.op = exp_x
        out._x = self
        out._y = None
        out.grad = 0.0
        out.label = ""
        return observe(out) if observers else out
    """
    x, *others = rule.arguments
    typed = (f"{name}: float = {rule.defaults[name]}" if name in rule.defaults else f"{name}: int" for name in others)
    head = ", ".join(["self", *typed])
    constants = ", ".join(others) or "None"
    checks = "".join(
        f"    if type({name}) is not float:\n        return apply({rule_in_source(rule)}, self, {', '.join(others)})\n"
        for name in others
    )
    fields = {"method": method, "head": head, "doc": describe(rule), "x": x, "name": rule.name, "constants": constants}
    fields |= {"checks": checks, "operands": ", ".join(["self", *others]), "rule": rule_in_source(rule)}
    if rule.forward == x or any(name not in rule.defaults for name in others):  # nothing to compute, whole numbers
        return GENERAL_METHOD.format(**fields)
    return METHOD.format(forward=with_float_literals(rule.forward), op=operation_name(rule, x), **fields) + RECORD


def operator_source(rule: Rule) -> str:
    """Return the source of a binary operator of `Value` and of its reflected twin."""
    fields = {"dunder": DUNDER_NAMES[rule.name], "name": rule.name, "forward": rule.forward, "doc": describe(rule)}
    ops = {f"op_{pattern}": operation_name(rule, pattern) for pattern in ("xy", "x", "y")}
    return OPERATOR.format(**fields, **ops) + RECORD + REFLECTED.format(**fields, **ops) + RECORD


def is_method(rule: Rule) -> bool:
    """Return whether `rule` is a method of `Value`: its first argument is the only one with a partial, and a number."""
    first, *others = rule.arguments
    is_scalar = first in rule.partials and not rule.is_sequence(first)
    return is_scalar and not any(map(rule.is_differentiable, others))


def method_names(rule: Rule) -> list[str]:
    """Return the names under which `rule` is a method of `Value`, besides binary operators."""
    names = [f"__{rule.name}__"] if rule.name in UNARY_OPERATORS else []
    if is_method(rule):
        names.append(rule.name)
    return [*names, "fabs"] if rule.name == "abs" else names


def value_methods(rules: Iterable[Rule]) -> str:
    """Return the source of a class `Methods` with every generated operator and method of `Value`."""
    pieces = ['"""The operators and methods that `Value` has from the calculus table."""\n']
    for rule in rules:
        if rule.name in DUNDER_NAMES:
            pieces.append(operator_source(rule))
        pieces += [method_source(rule, name) for name in method_names(rule)]
    for dunder, symbol in COMPARISONS.items():
        kind = "object" if dunder in ("eq", "ne") else "Any"
        pieces.append(COMPARISON.format(dunder=dunder, symbol=symbol, kind=kind))
    lines = "".join(pieces).splitlines()
    return "class Methods(Node):\n" + "\n".join("    " + line if line else "" for line in lines) + "\n"


SAMPLES = {"n": "2", "i": "3", "ndigits": "1", "x": "0.5", "y": "0.25", "z": "2.0", "c": "1.0", "low": "0.75",
           "high": "1.0", "p": "0.5"}  # fmt: skip


def example(rule: Rule) -> str:
    """Return a doctest that calls the function of `rule` on a `Value` and on a number."""
    samples = {**SAMPLES, "x": "1.5"} if rule.domain == "x > 1" else SAMPLES
    differentiable = next(name for name in rule.arguments if rule.is_differentiable(name))
    sequence = "{}, 2.0" if rule.variadic else "[{}, 2.0]"

    def call(form: str) -> str:
        texts = []
        for name in [name for name in rule.arguments if name not in rule.defaults]:
            text = sequence.format("0.5") if rule.is_sequence(name) else samples[name]
            if name == differentiable:
                text = text.replace("0.5", form) if "0.5" in text else form.replace("0.5", text)
            texts.append(text)
        return f"{rule.name}({', '.join(texts)})"

    return f">>> from microgrid import Value\n    >>> {call('Value(0.5)')}.data == {call('0.5')}\n    True"


def is_standard(rule: Rule) -> bool:
    """Return whether the function of `rule` is one of the standard `math`, of this Python or a newer one."""
    return is_call_of_itself(rule) and rule.name in {*vars(math), "fma", "sumprod"}


def tuple_lines(rule: Rule) -> str:
    """Return the lines that make tuples of the sequences a function of `rule` is given, which may be iterators."""
    names = ", ".join(sequences(rule))
    if rule.variadic or not names:
        return ""
    made = ", ".join(f"tuple({name})" for name in sequences(rule))
    caught = f'    except TypeError:\n        check_sequences("{rule.name}", {names})\n        raise\n'
    return f"    try:\n        {names} = {made}\n{caught}"


def general_call(rule: Rule) -> str:
    """Return the call of `apply` that serves every mixture of arguments."""
    return f"apply({', '.join([rule_in_source(rule), *rule.arguments])})"


def typed_parameters(rule: Rule, kinds: Mapping[str, str]) -> str:
    """Return the parameter list of the function of `rule`, with the type in `kinds` for each argument.

    >>> from microgrid.rules.table import RULES
    >>> typed_parameters(RULES["elu"], {"x": "Value", "alpha": "float"})
    'x: Value, /, alpha: float = 1.0'
    """

    def typed(parameter: str) -> str:
        name, equals, default = parameter.lstrip("*").partition("=")
        stars = parameter[: len(parameter) - len(parameter.lstrip("*"))]
        return f"{stars}{name}: {kinds[name]}{' = ' * bool(equals)}{default}" if name in kinds else parameter

    return ", ".join(map(typed, parameters(rule).split(", ")))


def general_function_source(rule: Rule, example: str, head: str = "", returns: str = "") -> str:
    """Return the source of a function of `rule` without a fast way, with `example` in its docstring.

    Args:
        rule: the row.
        example: text for the docstring.
        head: the parameter list, without types unless given.
        returns: the annotation of the result, if any.
    """
    fields = {"name": rule.name, "doc": describe(rule), "head": head or parameters(rule), "example": example}
    fields["returns"] = returns
    return GENERAL_FUNCTION.format(tuples=tuple_lines(rule), recorded=general_call(rule), **fields)


def function_source(rule: Rule) -> str:
    """Return the source of the function of `rule` that takes numbers or `Value`s."""
    fields = {"name": rule.name, "doc": describe(rule), "example": example(rule), "rule": rule_in_source(rule)}
    fields["head"] = head = typed_parameters(rule, dict.fromkeys(rule.arguments, "Any"))
    fields["returns"] = " -> Any"
    _, fold, step = rule.forward.partition("; ")
    if fold and len(sequences(rule)) == 2:
        ws, xs, b = rule.arguments
        w, x = ws[:-1], xs[:-1]
        fields |= {"ws": ws, "xs": xs, "b": b, "w": w, "x": x}
        data = {w: f"{w}.data", x: f"{x}.data"}
        fields["step_w"] = "".join(f"{w}.data" if token == w else token for token in tokens(step))
        fields["step_wx"] = "".join(data.get(token, token) for token in tokens(step))
        patterns = {"op_w": (ws,), "op_wb": (ws, b), "op_wx": (ws, xs), "op_wxb": (ws, xs, b)}
        fields |= {op: operation_name(rule, pattern) for op, pattern in patterns.items()}
        return FOLD.format(tuples=tuple_lines(rule), **fields)
    recorded = plain = general_call(rule)
    first, *others = rule.arguments
    if is_method(rule) and not (others and is_standard(rule)):
        recorded = f"{first}.{rule.name}({', '.join(others)})"
    if is_standard(rule):
        given = ", ".join(f"{name}={name}" if name in rule.defaults else name for name in rule.arguments)
        plain = f"number_{rule.name}({'*' * rule.variadic}{given})"
    if recorded == plain:
        return general_function_source(rule, example(rule), head, " -> Any")
    looked_at = [first] if is_method(rule) and not is_standard(rule) else rule.arguments
    test = " or ".join(f"has_value({x})" if rule.is_sequence(x) else f"isinstance({x}, Value)" for x in looked_at)
    return FUNCTION.format(tuples=tuple_lines(rule), test=test, recorded=recorded, plain=plain, **fields)
