"""Names, numbers and text in LaTeX."""

import math

import pytest

from microgrid.draw.explain.tex import ANY, ATOM, NEGATIVE, PRODUCT, bracketed, name_formula, number_written, upright


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("x", "x"),
        ("λ", "λ"),
        ("x1", "x_{1}"),
        ("w_12", "w_{12}"),
        ("loss", r"\mathrm{loss}"),
        ("h2o", r"\mathrm{h2o}"),
        ("a_b", r"\mathrm{a\_b}"),
        ("größe", r"\mathrm{gr\text{ö}\text{ß}e}"),
        ("_", r"\mathrm{}"),
    ],
)
def test_names(name: str, formula: str) -> None:
    assert name_formula(name) == formula


@pytest.mark.parametrize(
    ("x", "written"),
    [
        (2.0, ("2", ATOM)),
        (-2.0, ("-2", NEGATIVE)),
        (1e30, (r"1 \times 10^{30}", PRODUCT)),
        (-1.5e-7, (r"-1.5 \times 10^{-7}", NEGATIVE)),
        (math.inf, (r"\infty", ATOM)),
        (-math.inf, (r"-\infty", NEGATIVE)),
        (math.nan, (r"\mathrm{nan}", ATOM)),
    ],
)
def test_numbers(x: float, written: tuple[str, int]) -> None:
    assert number_written(x) == written


def test_brackets_stand_where_they_are_needed() -> None:
    assert bracketed(("-2", NEGATIVE), ATOM) == r"\left(-2\right)"
    assert bracketed(("-2", NEGATIVE), ANY) == "-2"


def test_text_commands_nothing() -> None:
    assert upright("\\a{b}_c&d%e#f^g~h i<j>\n") == (
        r"\mathrm{\backslash a\{b\}\_c\&d\%e\#f\wedge g\sim h\ i\lt j\gt \backslash n}"
    )
    assert "$" not in upright("$x$")
