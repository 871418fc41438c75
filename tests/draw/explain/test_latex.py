"""Formulas from row text: what each piece of syntax becomes, and that every row has its formulas."""

import re

import pytest

from microgrid.draw.explain.latex import Formula, rule_formulas
from microgrid.draw.explain.tex import number_written
from microgrid.rules.table import ROWS, RULES, Rule

WRITTEN = [
    # sums, products, signs
    ("x - (y - z)", r"x - \left(y - z\right)"),
    ("x - y + z", "x - y + z"),
    ("x + (y + z)", "x + y + z"),
    ("x + -y", "x - y"),
    ("x - -y * z", r"x + y \cdot z"),
    ("-(x + y)", r"-\left(x + y\right)"),
    ("--x", "x"),
    ("(x + y) * z", r"\left(x + y\right) \cdot z"),
    ("x * (y * z)", r"x \cdot y \cdot z"),
    ("3 * x * x", r"3 \cdot x^{2}"),
    ("x * x * x", "x^{3}"),
    ("(x * x) ** y", r"\left(x^{2}\right)^{y}"),
    # quotients and powers
    ("x / y / y", r"\frac{x}{y^{2}}"),
    ("x / (y / z)", r"\frac{x}{\frac{y}{z}}"),
    ("-x / 2", r"-\frac{x}{2}"),
    ("(x / y) ** 2", r"\left(\frac{x}{y}\right)^{2}"),
    ("x ** (y - 1)", "x^{y - 1}"),
    ("(-x) ** 2", r"\left(-x\right)^{2}"),
    ("2 ** x ** y", "2^{x^{y}}"),
    ("x // 1", r"\left\lfloor x \right\rfloor"),
    ("x // y", r"\left\lfloor \frac{x}{y} \right\rfloor"),
    ("x % (y + 1)", r"x \bmod \left(y + 1\right)"),
    ("0.5 * x", r"0.5 \cdot x"),
    ("1e-12 * x", r"1 \times 10^{-12} \cdot x"),
    # functions
    ("exp(-x)", "e^{-x}"),
    ("exp(x) * y", r"e^{x} \cdot y"),
    ("sin(x) ** 2", r"\left(\sin\left(x\right)\right)^{2}"),
    ("log(x) / log(2)", r"\frac{\ln\left(x\right)}{\ln\left(2\right)}"),
    ("sqrt(2 * pi)", r"\sqrt{2 \cdot \pi}"),
    ("cbrt(x)", r"\sqrt[3]{x}"),
    ("abs(x)", r"\left|x\right|"),
    ("floordiv(x, y) + pow(x, y)", r"\left\lfloor \frac{x}{y} \right\rfloor + x^{y}"),
    ("mod(x, y)", r"x \bmod y"),
    ("hypot(x, y)", r"\sqrt{x^{2} + y^{2}}"),
    ("maximum(x, y)", r"\max\left(x, y\right)"),
    ("my_function(x, y)", r"\mathrm{my\_function}\left(x, y\right)"),
    # choices
    ("step(x) * y", r"\left[x \gt 0\right] \cdot y"),
    ("less(x, y)", r"\left[x \lt y\right]"),
    ("x if x > 0 else -x", r"\begin{cases} x & \text{if } x \gt 0 \\ -x & \text{otherwise} \end{cases}"),
    ("where(step(x), 1, 0)", r"\begin{cases} 1 & \text{if } x \gt 0 \\ 0 & \text{otherwise} \end{cases}"),
    ("x if c else y", r"\begin{cases} x & \text{if } c \ne 0 \\ y & \text{otherwise} \end{cases}"),
    ("-1 < x <= 1 and x != 0 or y == 0", r"-1 \lt x \le 1 \land x \ne 0 \lor y = 0"),
    # sequences
    ("fsum(xs) / n", r"\frac{\sum_{i} x_{i}}{n}"),
    ("fsum([x * x for x in xs])", r"\sum_{i} x_{i}^{2}"),
    ("sumprod(ps, qs)", r"\sum_{i} p_{i} \cdot q_{i}"),
    ("b; out + w * x", r"b + \sum_{i} w_{i} \cdot x_{i}"),
    ("1; out * (x - c)", r"1 \cdot \prod_{i} \left(x_{i} - c_{i}\right)"),
    ("b; maximum(out, x)", r"\mathrm{b;\ maximum(out,\ x)}"),
    ("minimum(*xs)", r"\min_{k} x_{k}"),
    # what has no formula of its own
    ("x @ y", r"\mathrm{x\ @\ y}"),
    ("x[0]", r"\mathrm{x[0]}"),
    ("x in y", r"\mathrm{x\ in\ y}"),
    ("f(x)(y)", r"\mathrm{f(x)(y)}"),
    ("~x", r"\mathrm{\sim x}"),
]


@pytest.mark.parametrize(("text", "formula"), WRITTEN, ids=[text for text, _ in WRITTEN])
def test_syntax(text: str, formula: str) -> None:
    assert Formula({}, {}).of(text) == formula


ELEMENTS = [
    ("cofactors(xs, start)", r"\mathrm{start} \cdot \prod_{j \ne i} x_{j}"),
    ("ties(xs, out)", r"\frac{\left[x_{i} = \mathrm{out}\right]}{\sum_{j} \left[x_{j} = \mathrm{out}\right]}"),
    (
        "normalised([exp(d) for d in shifted(xs)])",
        r"\frac{e^{x_{i} - \max_{k} x_{k}}}{\sum_{j} e^{x_{j} - \max_{k} x_{k}}}",
    ),
    ("weights(xs)", r"\left(\mathrm{weights}\left(\mathrm{xs}\right)\right)_{i}"),
]


@pytest.mark.parametrize(("text", "formula"), ELEMENTS, ids=[text for text, _ in ELEMENTS])
def test_elements_of_lists(text: str, formula: str) -> None:
    assert Formula({}, {}).of(text, "i") == formula


def with_numbers(**numbers: float | list[float]) -> Formula:
    names = {name: number_written(x) for name, x in numbers.items() if isinstance(x, float)}
    lists = {name: [number_written(x) for x in xs] for name, xs in numbers.items() if isinstance(xs, list)}
    return Formula(names, lists)


def test_numbers_put_in() -> None:
    assert with_numbers(x=-2.0, y=3.0).of("x * y + x - y") == (r"\left(-2\right) \cdot 3 + \left(-2\right) - 3")
    assert with_numbers(x=-2.0).of("x ** 2 + x") == r"\left(-2\right)^{2} + \left(-2\right)"
    assert with_numbers(x=-2.0).of("tanh(x)") == r"\tanh\left(-2\right)"
    assert with_numbers(x=1e-9).of("x ** 2") == r"\left(1 \times 10^{-9}\right)^{2}"


def test_short_sequences_are_written_out() -> None:
    few = with_numbers(ws=[2.0, -3.0], xs=[-1.0, 4.0], b=0.5)
    assert few.of("b; out + w * x") == r"0.5 + 2 \cdot \left(-1\right) + \left(-3\right) \cdot 4"
    assert few.of("fsum(xs)") == r"\left(-1\right) + 4"
    assert few.of("maximum(*xs)") == r"\max\left(-1, 4\right)"
    assert few.of("hypot(*xs)") == r"\sqrt{\left(-1\right)^{2} + 4^{2}}"
    assert few.of("logsumexp(xs)") == r"\ln\left(e^{-1} + e^{4}\right)"
    assert with_numbers(xs=[2.0, 3.0, 4.0], start=1.0).of("cofactors(xs, start)", 1) == r"1 \cdot 2 \cdot 4"
    assert with_numbers(xs=[2.0], start=5.0).of("cofactors(xs, start)", 0) == r"5 \cdot 1"
    assert with_numbers(xs=[2.0, 3.0], out=3.0).of("ties(xs, out)", 0) == (
        r"\frac{\left[2 = 3\right]}{\left[2 = 3\right] + \left[3 = 3\right]}"
    )


def test_long_sequences_keep_their_sign() -> None:
    assert Formula({}, {"xs": [number_written(1.0)] * 7}).of("fsum(xs)") == r"\sum_{i} x_{i}"
    assert Formula({}, {"xs": []}).of("maximum(*xs)") == r"\max_{k} x_{k}"


@pytest.mark.parametrize("rule", ROWS, ids=[rule.name for rule in ROWS])
def test_every_row_has_balanced_formulas(rule: Rule) -> None:
    forward, partials = rule_formulas(rule)
    assert {*partials} == {*rule.partials}
    for formula in (forward, *partials.values()):
        bare = re.sub(r"\\[{}]", "", formula)
        assert bare.count("{") == bare.count("}")
        assert formula.count(r"\left") == formula.count(r"\right")
        assert formula.count(r"\begin{cases}") == formula.count(r"\end{cases}")
        assert "None" not in formula


def test_rows_of_several_arguments() -> None:
    assert rule_formulas(RULES["dot"]) == (
        r"b + \sum_{i} w_{i} \cdot x_{i}",
        {"w": "x_{i}", "x": "w_{i}", "b": "1"},
    )
    assert rule_formulas(RULES["tanh"]) == (r"\tanh\left(x\right)", {"x": r"1 - \mathrm{out}^{2}"})
