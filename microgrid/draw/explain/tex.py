"""Pieces of LaTeX that KaTeX and MathJax both know: names, numbers, text and brackets."""

from __future__ import annotations

from string import digits

from microgrid.engine.messages import number, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Written = tuple[str, int]  # LaTeX, and the precedence of its outermost operation

ANY, NEGATIVE, SUM, PRODUCT, POWER, ATOM = range(6)
PLUS, TIMES = " + ", r" \cdot "
# A `<` would open an element when Markdown becomes HTML.
SPECIAL = {"\\": r"\backslash ", "^": r"\wedge ", "~": r"\sim ", " ": r"\ ", "*": r"\ast ", "<": r"\lt ", ">": r"\gt "}
SPECIAL |= {character: f"\\{character}" for character in "{}_&%#"}
SPECIAL |= {"$": r"\text{＄}", "`": r"\text{‘}"}  # in some notebooks they would end the formula or start code


def upright(text: object) -> str:
    """Return `text` in upright letters."""
    return rf"\mathrm{{{''.join(map(upright_character, printable(text)))}}}"


def upright_character(character: str) -> str:
    """Return a character as LaTeX, for use in `upright`."""
    return SPECIAL.get(character) or (character if character.isascii() else rf"\text{{{character}}}")


def name_formula(name: str) -> str:
    r"""Return a name as LaTeX: a letter in italics, a word upright, digits at the end as an index.

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
    """Return a number as LaTeX, with its precedence."""
    shown = number_formula(x)
    if shown.startswith("-"):
        return shown, NEGATIVE
    return shown, PRODUCT if "/" in shown or "times" in shown else ATOM


def bracketed(written: Written, level: int) -> str:
    """Return a formula, in brackets if its precedence is lower than `level`."""
    text, own = written
    return text if own >= level else rf"\left({text}\right)"
