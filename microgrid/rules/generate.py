"""What is made of the calculus table ahead of time: modules of functions, operators and methods, and the table to read.

`make generate` writes them where they belong; a test holds them true. Nothing here imports what is written, so that a
file that is broken or gone can be made again.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import indent

from microgrid.rules import methods as eager
from microgrid.rules.source import (
    LIBRARY,
    forward_lines,
    is_call_of_itself,
    recorded,
    sequences,
    with_float_literals,
)
from microgrid.rules.table import ROWS, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = Path(__file__).resolve().parent.parent
HEADER = "# Made by `make generate` from the calculus table: change `rules/table.py`, and make it again.\n"

# Where generated modules find what they name, besides the functions of rows.
HOMES = {
    "FORWARD_ERRORS": "microgrid.engine.numbers",
    "RULES": "microgrid.rules.table",
    "UNEXPECTED": "microgrid.engine.recording",
    "Node": "microgrid.engine.node",
    "Value": "microgrid.engine.value",
    "apply": "microgrid.engine.recording",
    "check_sequences": "microgrid.engine.messages",
    "constant": "microgrid.engine.numbers",
    "has_value": "microgrid.engine.recording",
    "marks": "microgrid.rules",
    "modules": "sys",
    "named": "microgrid.engine.messages",
    "new": "microgrid.engine.node",
    "observe": "microgrid.engine.modes",
    "observers": "microgrid.engine.modes",
    "operation": "microgrid.engine.operations",
}

FORWARD = '''\
"""The forward functions of rows that are written in the table, on plain numbers."""

from __future__ import annotations

{imports}
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


COMPUTES = marks.COMPUTES  # with plain numbers: see `Value.__float__`


{functions}'''

METHODS = '''\
# mypy: disable-error-code="no-any-return"
"""The operators and methods of `Value` that come from the calculus table."""

from __future__ import annotations

{imports}
TYPE_CHECKING: bool = False  # not known to be false: jedi would skip what is under it
if TYPE_CHECKING:
    from typing import Any, Self, SupportsFloat

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`
COMPUTES = marks.COMPUTES  # with plain numbers: see `Value.__float__`

# What stands above this file; `recording` puts it here.
Value: Any = Node
apply: Any = None

{operations}

{methods}

{earlier}'''

FUNCTIONS = '''\
# mypy: disable-error-code="overload-overlap"
"""Every row of the calculus table as a function: numbers in, number out; any `Value` in, `Value` out.

`microgrid.math` is the module to import them from.
"""

from __future__ import annotations

{imports}
TYPE_CHECKING: bool = False  # not known to be false: jedi would skip what is under it
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsFloat, SupportsIndex, TypeAlias, overload

    Number: TypeAlias = SupportsFloat | SupportsIndex

FOLLOWED = marks.FOLLOWED  # by traces: see `compiler.trace.instrument`
COMPUTES = marks.COMPUTES  # with plain numbers: see `Value.__float__`

{operations}

{functions}

FUNCTIONS: dict[str, Callable[..., Any]] = {{
{names}}}
{earlier}'''

MATH = '''\
"""Drop-in for the standard `math` module: the same names, and `Value`s are welcome.

Numbers in, the standard result out, bit for bit, errors included. Any `Value` in, `Value` out, and its derivative is
known. As in `math`, `floor`, `ceil` and `trunc` give integers, predicates give bools, `ulp` and `nextafter` floats, and
functions of integers refuse a `Value`. What the newest `math` has is here on every supported Python. Besides, there are
the functions that networks need: `relu`, `sigmoid`, `softmax`, `dot` and their like.

The standard functions take a `Value` too, but only its number: the derivative is lost. In place of `import math` write
`from microgrid import math`; where that was forgotten, a `LostDerivativeWarning` says so.

>>> from microgrid import Value, math
>>> math.sin(0.5) == math.sin(Value(0.5)).data
True
>>> math.floor(Value(2.5)), math.isnan(Value(2.5))
(2, False)
"""

{imports}
__all__ = [
{names}]


def __dir__() -> list[str]:
    return sorted(__all__)
'''

EARLIER = 'modules["microgrid.generated.{name}"] = modules[__name__]  # where pickles of earlier versions look\n'

# What the standard module has and no derivative.
STANDARD = (
    "ceil", "comb", "e", "factorial", "floor", "gcd", "inf", "isclose", "isfinite", "isinf", "isnan", "isqrt", "lcm",
    "nan", "perm", "pi", "tau", "trunc", "ulp",
)  # fmt: skip
NO_FUNCTIONS = (*eager.DUNDER_NAMES, *eager.UNARY_OPERATORS, "round")  # rows that `math` leaves to operators


def natural(name: str) -> list[object]:
    """Return the key that sorts names as people do: `log2` before `log10`."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.partition(" as ")[0])]


def imported(names: Iterable[tuple[str, str]]) -> str:
    """Return the lines that import `names`, each given with the module that has it, in the usual order.

    >>> print(imported([("microgrid.rules.special", "power"), ("math", "sin as number_sin")]), end="")
    from math import sin as number_sin
    <BLANKLINE>
    from microgrid.rules.special import power
    """
    modules: dict[str, list[str]] = {}
    for module, name in sorted(set(names)):
        modules.setdefault(module, []).append(name)
    blocks = {False: "", True: ""}
    for module, members in modules.items():
        own = module.startswith("microgrid.")
        together = [name for name in sorted(members, key=in_imports) if " as " not in name]
        for name in sorted({*members} - {*together}, key=natural):
            blocks[own] += f"from {module} import {name}\n"
        line, listed = f"from {module} import {', '.join(together)}\n", "".join(f"    {name},\n" for name in together)
        if together:
            blocks[own] += line if len(line) <= 121 else f"from {module} import (\n{listed})\n"
    return "\n".join(filter(None, blocks.values()))


def in_imports(name: str) -> tuple[int, list[object]]:
    """Return the key that sorts names within an import: constants, classes, functions."""
    return 0 if name.isupper() else 1 if name[0].isupper() else 2, natural(name)


def library_home(name: str) -> str:
    """Return the module that has the function `name`, which row text calls; empty if none has it.

    >>> library_home("power"), library_home("fma"), library_home("tanh"), library_home("maximize")
    ('microgrid.rules.special', 'microgrid.rules.newer_math', 'math', '')
    """
    return next((module.__name__ for module in reversed(LIBRARY) if hasattr(module, name)), "")


def names_in(source: str) -> set[str]:
    """Return the names that `source` uses and does not define, at its top or as arguments."""
    tree = ast.parse(source)
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return used - defined - {argument.arg for argument in ast.walk(tree) if isinstance(argument, ast.arg)}


def import_of(name: str) -> tuple[str, str]:
    """Return the module that a generated one imports `name` from, and what it imports; empty for other names.

    >>> import_of("number_sin"), import_of("Value"), import_of("len")
    (('math', 'sin as number_sin'), ('microgrid.engine.value', 'Value'), ('', ''))
    """
    if name in HOMES:
        return HOMES[name], name
    plain = name.removeprefix("number_")
    home = library_home(plain)
    return ("", "") if home in ("", "builtins") else (home, name if name == plain else f"{plain} as {name}")


def imports_for(source: str, *more: str, without: Iterable[str] = ()) -> str:
    """Return the import lines of a module in which `source` stands, and the names `more` are used."""
    return imported(filter(all, map(import_of, names_in(source).union(more).difference(without))))


def operations_for(source: str) -> str:
    """Return the lines that define the operations that `source` records."""
    return "".join(f'{name} = operation("{rule}", {mask})\n' for name, rule, mask in recorded(source, ROWS))


def forward_function(rule: Rule) -> str:
    """Return the source of the forward function of `rule`, with its types and what it returns."""
    kinds = {name: "Sequence[Any]" if rule.is_sequence(name) else "Any" for name in rule.arguments}
    head = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
    lines = [f'"""{eager.summary(rule)}"""', *forward_lines(rule, with_float_literals)]
    return "\n    ".join([f"def {rule.name}({head}) -> Any:", *lines]) + "\n"


def forward_module() -> str:
    """Return the text of the module of forward functions."""
    functions = "\n\n".join(forward_function(rule) for rule in ROWS if not is_call_of_itself(rule))
    return HEADER + FORWARD.format(imports=imports_for(functions, "marks"), functions=functions)


def methods_module() -> str:
    """Return the text of the module of operators and methods."""
    methods = eager.value_methods(ROWS)
    return HEADER + METHODS.format(
        imports=imports_for(methods, "marks", "modules", "operation", without={"Value", "apply"}),
        operations=operations_for(methods),
        methods=methods,
        earlier=EARLIER.format(name="value"),
    )


def overloads(rule: Rule) -> str:
    """Return the overloads of the function of `rule`: numbers give a float, any `Value` gives a `Value`."""
    nodes = [name for name in rule.arguments if rule.is_differentiable(name)]
    plain = {name: "float" if name in rule.defaults else "int" for name in rule.arguments}
    if sequences(rule):
        plain |= dict.fromkeys(nodes, "float")
        forms = [(plain, "float"), (plain | dict.fromkeys(nodes, "Value | float"), "Value")]
    else:
        plain |= dict.fromkeys(nodes, "Number")
        forms = [*((plain | {name: "Value"}, "Value") for name in nodes), (plain, "float")]
    text = ""
    for kinds, result in forms:
        if not rule.variadic:
            kinds = kinds | {name: f"Iterable[{kinds[name]}]" for name in sequences(rule)}
        text += f"@overload\ndef {rule.name}({eager.typed_parameters(rule, kinds)}) -> {result}: ...\n"
    return text


def functions_module() -> str:
    """Return the text of the module of functions."""
    sources = {rule.name: eager.function_source(rule).lstrip() for rule in ROWS}
    pieces = [f"if TYPE_CHECKING:\n\n{indent(overloads(rule), '    ')}\n\n{sources[rule.name]}" for rule in ROWS]
    source = "\n".join(sources.values())
    return HEADER + FUNCTIONS.format(
        imports=imports_for(source, "marks", "modules", "operation"),
        operations=operations_for(source),
        functions="\n\n".join(pieces),
        names="".join(f'    "{name}": {name},\n' for name in sources),
        earlier=EARLIER.format(name="functions"),
    )


def compositions() -> list[str]:
    """Return the names of the functions that `math` has besides those of rows: what their module calls public."""
    tree = ast.parse((PACKAGE / "math" / "compositions.py").read_text(encoding="utf-8"))
    (names,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and "__all__" in ast.unparse(node))
    return list(ast.literal_eval(names))


def math_module() -> str:
    """Return the text of the package `math`, where all of its functions are found."""
    composed = compositions()
    from_rows = [rule.name for rule in ROWS if rule.name not in (*composed, *NO_FUNCTIONS)]
    homes = {
        **dict.fromkeys(STANDARD, "math"),
        **dict.fromkeys(composed, "microgrid.math.compositions"),
        **dict.fromkeys(from_rows, "microgrid.math.functions"),
        "nextafter": "microgrid.rules.newer_math",
    }
    names = "".join(f'    "{name}",\n' for name in sorted(homes, key=natural))
    return HEADER + MATH.format(imports=imported((home, name) for name, home in homes.items()), names=names)


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
    """Return the files that are made of the table, with the text that each should have."""
    page = PACKAGE / "rules" / "README.md"
    return {
        PACKAGE / "rules" / "forward.py": forward_module(),
        PACKAGE / "engine" / "methods.py": methods_module(),
        PACKAGE / "math" / "functions.py": functions_module(),
        PACKAGE / "math" / "__init__.py": math_module(),
        page: between(page.read_text(encoding="utf-8"), "calculus table", calculus_table()),
    }


def write() -> None:
    """Write the files."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
