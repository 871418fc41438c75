"""The small change of LaTeX: names, numbers, text and brackets, within what KaTeX and MathJax both know."""

from __future__ import annotations

from string import digits

from microgrid.engine.messages import number, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Written = tuple[str, int]  # LaTeX, and how tightly its outermost operation binds

ANY, NEGATIVE, SUM, PRODUCT, POWER, ATOM = range(6)
PLUS, TIMES = " + ", r" \cdot "
# A `<` would begin an element where Markdown becomes HTML.
SPECIAL = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", " ": r"\ ", "*": r"\ast ", "<": r"\lt ", ">": r"\gt "}
SPECIAL |= {character: f"\\{character}" for character in "{}_&%#"}
SPECIAL |= {"$": r"\text{＄}", "`": r"\text{‘}"}  # in some notebooks they would end the formula, or begin code


def upright(text: object) -> str:
    """Return `text` in upright letters."""
    return rf"\mathrm{{{''.join(map(upright_character, printable(text)))}}}"


def upright_character(character: str) -> str:
    """Return a character as it is written among upright letters."""
    return SPECIAL.get(character) or (character if character.isascii() else rf"\text{{{character}}}")


def name_formula(name: str) -> str:
    r"""Return a name as LaTeX: a letter slanted, a word upright, digits at its end as an index.

    >>> print(*map(name_formula, ["x", "w12", "loss", "learning_rate"]))
    x w_{12} \mathrm{loss} \mathrm{learning\_rate}
    """
    stem = name.rstrip(digits)
    index, stem = name[len(stem) :], stem.removesuffix("_")
    letter = stem if len(stem) == 1 and stem.isalpha() else upright(stem)
    return f"{letter}_{{{index}}}" if index else letter


def number_formula(x: Any) -> str:
    r"""Return a number as LaTeX.

    >>> print(*map(number_formula, [2.0, -0.5, 1.5e-9, float("inf")]))
    2 -0.5 1.5 \times 10^{-9} \infty
    """
    shown = number(x, 6)
    if shown.lstrip("-") in ("inf", "nan"):
        return shown.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    mantissa, e, exponent = shown.partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else shown


def number_written(x: Any) -> Written:
    """Return a number as a part of formulas."""
    shown = number_formula(x)
    if shown.startswith("-"):
        return shown, NEGATIVE
    return shown, PRODUCT if "/" in shown or "times" in shown else ATOM


def bracketed(written: Written, level: int) -> str:
    """Return a formula, in brackets if it binds less tightly than `level`."""
    text, own = written
    return text if own >= level else rf"\left({text}\right)"
