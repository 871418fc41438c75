"""Units: what a reverse pass does for parameters, left out where the unit that they belong to is dead.

The adjoint of a dead unit, as of `relu` below zero, is zero, and adds nothing to any gradient.
"""

from __future__ import annotations

import re
from collections import Counter

from microgrid.compiler.source.emit import indented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = re.compile(r"[A-Za-z_]\w*")
ELSE = " else 0.0"  # what the adjoint of a dead unit ends with


def with_gains(
    reverse: list[str], gained: Mapping[str, list[str]], sums: Mapping[str, str], others: Sequence[str] = ()
) -> list[str]:
    """Return the lines of a reverse pass, and those that add up what names gain by it.

    Args:
        reverse: as for `with_units`.
        gained: the terms of what each name gains.
        sums: what the terms are added to, for each name for which they are.
        others: lines that are to follow in any case.

    >>> lines = ["d_b = g if b > 0.0 else 0.0"]
    >>> for line in with_gains(lines, {"w": ["d_b * x"], "v": ["-g"]}, {"w": "d_w", "v": "d_v"}):
    ...     print(line)
    if b > 0.0:
        d_b = g
        d_w += d_b * x
    d_v += -g
    """
    choices = {line.partition(" = ")[0] for line in reverse if " if " in line}
    units: dict[str, list[str]] = {}  # by the adjoint that they do nothing for where it is zero
    for name, total in sums.items():
        terms = gained[name]
        adjoint = terms[0].partition(" * ")[0] if len(terms) == 1 else ""
        units.setdefault(adjoint if adjoint in choices else "", []).extend(f"{total} += {term}" for term in terms)
    units[""] = [*units.get("", ()), *others]
    return with_units(reverse, units)


def names_of(lines: Sequence[str]) -> list[str]:
    """Return the names in lines of source, as often as they occur."""
    return NAME.findall(" ".join(lines))


def with_units(reverse: list[str], units: Mapping[str, list[str]]) -> list[str]:
    """Return the lines of a reverse pass, and those of each unit in a block that is left out where it is dead.

    What only that block needs is computed there.

    Args:
        reverse: lines that make adjoints, each name once but for sums that are continued.
        units: lines by the adjoint that they are about, a choice; those without one by "".

    >>> lines = ["d_a = g * w", "d_b = d_a if b > 0.0 else 0.0"]
    >>> for line in with_units(lines, {"d_b": ["gradient0 += d_b * x"]}):
    ...     print(line)
    if b > 0.0:
        d_b = g * w
        gradient0 += d_b * x
    """
    parts = [line.partition(" = ") for line in reverse]
    made = {name: text for name, _, text in parts}
    additions = [line for unit in units.values() for line in unit]
    uses = Counter(names_of([*(text for _, _, text in parts), *additions]))
    inside: set[str] = set()
    blocks: list[str] = []
    for adjoint, unit in units.items():
        text = made.get(adjoint, "")
        if not adjoint:
            blocks += unit
        elif text.endswith(ELSE) and text.count(" if ") == 1 and uses[adjoint] == names_of(unit).count(adjoint):
            amount, condition = text.removesuffix(ELSE).split(" if ")
            inside.add(adjoint)
            if uses[amount] == 1 and amount in made:
                inside.add(amount)
                amount = made[amount]
            blocks += [f"if {condition}:", *indented([f"{adjoint} = {amount}", *unit])]
        else:
            blocks += [f"if {adjoint}:", *indented(unit)]
    return [line for line, (name, _, _) in zip(reverse, parts, strict=True) if name not in inside] + blocks
