"""What is written down from the calculus table for readers: declarations for type checkers, and a table in Markdown.

`python -m microgrid.math.reference` writes them where they belong; a test holds them true.
"""

from __future__ import annotations

import math as standard
from pathlib import Path

from microgrid import math as ours
from microgrid.math.functions import FUNCTIONS
from microgrid.rules import methods as eager
from microgrid.rules import source as codegen
from microgrid.rules.table import ROWS, RULES, Rule

HEADER = "# Written by `python -m microgrid.math.reference` from the calculus table.\n"

OPERATIONS = (
    HEADER
    + '''from typing import Any, SupportsFloat

from microgrid.engine.value import Value

class Operations:
    """The operators and methods of `Value` that come from the calculus table."""

'''
)

MATH = (
    HEADER
    + """# mypy: disable-error-code="overload-overlap"
from collections.abc import Iterable
{imports}from typing import SupportsFloat, SupportsIndex, TypeAlias, overload

from microgrid.engine.value import Value

__all__ = [
{names}]

Number: TypeAlias = SupportsFloat | SupportsIndex

{constants}
{functions}{compositions}"""
)

# The functions that are not made from one row.
COMPOSITIONS = """\
@overload
def dist(p: Iterable[float], q: Iterable[float], /) -> float: ...
@overload
def dist(p: Iterable[Value | float], q: Iterable[Value | float], /) -> Value: ...
@overload
def fabs(x: Value, /) -> Value: ...
@overload
def fabs(x: Number, /) -> float: ...
@overload
def frexp(x: Value, /) -> tuple[Value, int]: ...
@overload
def frexp(x: Number, /) -> tuple[float, int]: ...
@overload
def log(x: Value, base: Value | Number = ..., /) -> Value: ...
@overload
def log(x: Number, base: Value, /) -> Value: ...
@overload
def log(x: Number, base: Number = ..., /) -> float: ...
@overload
def log_softmax(xs: Iterable[float], /) -> list[float]: ...
@overload
def log_softmax(xs: Iterable[Value | float], /) -> list[Value]: ...
@overload
def modf(x: Value, /) -> tuple[Value, Value]: ...
@overload
def modf(x: Number, /) -> tuple[float, float]: ...
def nextafter(x: Number, y: Number, /, *, steps: SupportsIndex | None = None) -> float: ...
@overload
def pow(x: Value, y: Value | Number, /) -> Value: ...
@overload
def pow(x: Number, y: Value, /) -> Value: ...
@overload
def pow(x: Number, y: Number, /) -> float: ...
@overload
def softmax(xs: Iterable[float], /) -> list[float]: ...
@overload
def softmax(xs: Iterable[Value | float], /) -> list[Value]: ...
"""


def declare_operations() -> str:
    """Return the declaration of the operators and methods that `Value` has from the table."""
    lines = []
    for rule in ROWS:
        if rule.name in eager.DUNDER_NAMES:
            dunder = eager.DUNDER_NAMES[rule.name]
            lines += [f"def __{prefix}{dunder}__(self, other: SupportsFloat) -> Value: ..." for prefix in ("", "r")]
        others = (f", {name}: {'float = ...' if name in rule.defaults else 'int'}" for name in rule.arguments[1:])
        declared = "".join(["self", *others])
        lines += [f"def {name}({declared}) -> Value: ..." for name in eager.method_names(rule)]
    for dunder in eager.COMPARISONS:
        kind = "object" if dunder in ("eq", "ne") else "Any"
        lines.append(f"def __{dunder}__(self, other: {kind}) -> bool: ...")
    return OPERATIONS + "".join(f"    {line}\n" for line in lines)


def declare_function(rule: Rule) -> str:
    """Return the overloads of the function of `rule`: numbers give a float, any `Value` gives a `Value`."""
    nodes = [name for name in rule.arguments if rule.is_differentiable(name)]
    if codegen.sequences(rule):
        plain = dict.fromkeys(rule.arguments, "float") | dict.fromkeys(codegen.sequences(rule), "Iterable[float]")
        mixed = plain | {name: plain[name].replace("float", "Value | float") for name in nodes}
        forms = [(plain, "float"), (mixed, "Value")]
    else:
        plain = {name: "float" if name in rule.defaults else "int" for name in rule.arguments}
        plain |= dict.fromkeys(nodes, "Number")
        forms = [(plain | {name: "Value"}, "Value") for name in nodes] + [(plain, "float")]
    text = ""
    for kinds, result in forms:
        parameters = codegen.parameters(rule).split(", ")
        for index, parameter in enumerate(parameters):
            name = parameter.lstrip("*").partition("=")[0]
            if name in kinds:
                kind = kinds[name].removeprefix("Iterable[").removesuffix("]") if rule.variadic else kinds[name]
                parameters[index] = f"{'*' * rule.variadic}{name}: {kind}{' = ...' * (name in rule.defaults)}"
        text += f"@overload\ndef {rule.name}({', '.join(parameters)}) -> {result}: ...\n"
    return text


def declare_math() -> str:
    """Return the declaration of the module `microgrid.math`."""
    own = {name for name in ours.__all__ if f"def {name}(" in COMPOSITIONS}
    from_rows = [name for name in ours.__all__ if name in FUNCTIONS and name not in own]
    unchanged = [name for name in ours.__all__ if name not in from_rows and name not in own]
    constants = [name for name in unchanged if isinstance(getattr(standard, name), float)]
    return MATH.format(
        imports="".join(f"from math import {name} as {name}\n" for name in unchanged if name not in constants),
        constants="".join(f"{name}: float\n" for name in constants),
        functions="".join(declare_function(RULES[name]) for name in from_rows),
        compositions=COMPOSITIONS,
        names="".join(f"    {name!r},\n" for name in ours.__all__).replace("'", '"'),
    )


def calculus_table() -> str:
    """Return the calculus table in Markdown."""
    lines = ["| operation | forward | partials | defined and smooth |", "| --- | --- | --- | --- |"]
    for rule in ROWS:
        partials = ", ".join(f"`{name}`: `{partial}`" for name, partial in rule.partials.items())
        domain = f"`{rule.domain}`" if rule.domain else "everywhere"
        lines.append(f"| `{rule.name}` | `{rule.forward}` | {partials} | {domain} |")
    return "\n".join(lines) + "\n"


def between(text: str, mark: str, body: str) -> str:
    """Return `text` with what stands between the two comments `mark` replaced by `body`."""
    start, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}{body}{end}{after}"


def documents() -> dict[Path, str]:
    """Return the files that are written from the table, with the text that each should have."""
    package = Path(__file__).parent.parent
    readme = package / "rules" / "README.md"
    return {
        package / "engine" / "_operations.pyi": declare_operations(),
        package / "math" / "__init__.pyi": declare_math(),
        readme: between(readme.read_text(encoding="utf-8"), "calculus table", calculus_table()),
    }


def write() -> None:
    """Write the files."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
