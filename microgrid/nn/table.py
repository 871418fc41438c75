"""The architecture of a network as an HTML table: its modules, their types, and the counts of their parameters.

Anything with `named_parameters` counts as a module; parts are found as there: in attributes, lists, tuples and dicts.
Equal neighbours share a row.
"""

from __future__ import annotations

from html import escape
from itertools import islice

from microgrid.engine.messages import counted, label_of, number, printable
from microgrid.engine.numbers import is_node
from microgrid.transforms.nests import is_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Part = tuple[str, Any]  # a module or a parameter, with its path

MOST_ROWS = 50
WIDEST = 80  # the most characters in a cell
LEFT = ' style="text-align:left"'


def parts(module: Any, path: str) -> Iterator[Part]:
    """Yield the direct parts of `module`, which is at `path`: modules and parameters."""
    stack: list[Part] = [(path, vars(module))]
    seen: set[int] = set()
    while stack:
        where, item = stack.pop()
        if is_module(item) or (is_node(item) and item.op is None):
            yield where, item
        elif isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            pairs = item.items() if isinstance(item, dict) else enumerate(item)
            stack += reversed([(f"{where}.{name}" if where else str(name), part) for name, part in pairs])


def has_modules(module: Any) -> bool:
    """Return whether `module` contains modules."""
    return any(is_module(item) for _, item in parts(module, ""))


def described(part: Part) -> tuple[str, str]:
    """Return the path of the module that contains `part`, and its description; neighbours equal in both share a row."""
    path, item = part
    where = path.rpartition(".")[0]
    if is_node(item):
        return where, "parameter"
    return (path, type(item).__name__) if has_modules(item) else (where, printable(repr(item), WIDEST))


def row(group: list[Part]) -> tuple[str, str, int]:
    """Return the cells of a row for equal neighbours: their paths, their description, the count of their parameters."""
    (path, item), (last, _) = group[0], group[-1]
    what, several = described(group[0])[1], len(group) > 1
    paths = f"{path} … {last.rpartition('.')[2]}" if several else path
    if is_node(item):
        number_or_count = f"{len(group)} parameters" if several else f"{label_of(item)} {number(item.data)}".strip()
        return paths, number_or_count, len(group)
    count = sum(1 for _, item in group for _ in item.named_parameters())
    return paths, f"{len(group)} × {what}" if several else what, count


def rows(network: Any) -> Iterator[tuple[str, str, int]]:
    """Yield the rows of `network`: each module once, before its parts."""
    seen = {id(network)}
    stack: list[Part] = []

    def descend(module: Any, path: str) -> None:
        stack.extend(reversed(list(parts(module, path))))

    descend(network, "")
    while stack:
        key, group = described(stack[-1]), []
        while stack and described(stack[-1]) == key:
            part = stack.pop()
            if id(part[1]) not in seen:  # shared, or a module that contains itself
                seen.add(id(part[1]))
                group.append(part)
        if group:
            yield row(group)
        if len(group) == 1 and is_module(group[0][1]) and has_modules(group[0][1]):
            descend(group[0][1], group[0][0])


def to_html(network: Any) -> str:
    """Return the architecture of `network`, a `Module`, as an HTML table.

    >>> from microgrid.nn import MLP
    >>> print(to_html(MLP(2, [1])).replace(LEFT, ""))
    <table><caption>MLP with 3 parameters</caption>
    <tr><th>module</th><th>what it is</th><th>parameters</th></tr>
    <tr><td>layers.0</td><td>Layer</td><td>3</td></tr>
    <tr><td>layers.0.neurons.0</td><td>LinearNeuron(2)</td><td>3</td></tr>
    </table>
    """
    total = sum(1 for _ in network.named_parameters())
    shown = list(islice(rows(network), MOST_ROWS + 1))
    cells = [(printable(path, WIDEST), what, f"{count:,}") for path, what, count in shown[:MOST_ROWS]]
    cells += [("…", "", "")] if len(shown) > MOST_ROWS else []
    title = f"{type(network).__name__} with {counted(total, 'parameter')}"
    lines = [f"<table><caption>{escape(title)}</caption>"]
    lines.append(f"<tr><th{LEFT}>module</th><th{LEFT}>what it is</th><th>parameters</th></tr>")
    lines += [f"<tr><td{LEFT}>{escape(a)}</td><td{LEFT}>{escape(b)}</td><td>{c}</td></tr>" for a, b, c in cells]
    return "\n".join([*lines, "</table>"])
