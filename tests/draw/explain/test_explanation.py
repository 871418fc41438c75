"""The chain rule written out: numbers that `backward()` would give, and the words and formulas for them."""

import math as standard
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from microgrid import Value, define_rule, draw, jit, math
from microgrid.draw.explain.chain_rule import names_of
from microgrid.draw.explain.explanation import IN_A_CELL, Explanation
from microgrid.draw.explain.markdown import escaped
from microgrid.draw.explain.text import substituted
from microgrid.draw.graphs.picture import picture
from microgrid.engine import graph
from microgrid.engine.recording import apply
from microgrid.nn import MLP
from microgrid.rules.table import ROWS, Rule
from microgrid.testing.strategies.values import points
from tests.profiles import examples

OPERATIONS = [
    lambda x, y, z: x * y,
    lambda x, y, z: x - y,
    lambda x, y, z: x * 0.5,
    lambda x, y, z: x.tanh(),
    lambda x, y, z: x.relu(),
    lambda x, y, z: math.dot([x, y], [z, Value(3.0)], y),
    lambda x, y, z: math.prod([x, y, z]),
    lambda x, y, z: math.maximum(x, y),
    lambda x, y, z: x / (2 + z * z),
]


@st.composite
def graphs(draw: st.DrawFn) -> Value:
    nodes = [Value(draw(st.integers(-3, 3)) / 2) for _ in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(0, 10))):
        x, y, z = (draw(st.sampled_from(nodes)) for _ in range(3))
        nodes.append(draw(st.sampled_from(OPERATIONS))(x, y, z))
    return nodes[-1]


def fresh_gradients(root: Value) -> list[float]:
    inner = graph.inner_nodes(root)
    for leaf in [root, *graph.leaves(inner)]:
        leaf.zero_grad()
    root.backward()
    return [node.grad for node in Explanation(root).nodes]


@given(graphs())
def test_gradients_are_those_of_backward(root: Value) -> None:
    explanation = draw.explain(root)
    found = [explanation.gradients[node] for node in explanation.nodes]
    assert found == pytest.approx(fresh_gradients(root), rel=1e-12, abs=1e-12, nan_ok=True)


@given(graphs())
def test_gradients_are_the_sums_that_are_shown(root: Value) -> None:
    explanation = draw.explain(root)
    for node in explanation.nodes:
        uses = explanation.contributions[node]
        total = sum(explanation.gradients[use.node] * use.partial for use in uses if use.contribution is not None)
        assert explanation.gradients[node] == pytest.approx(total + (node is root), rel=1e-9, abs=1e-9)
        assert all(explanation.gradients[use.node] == 0 for use in uses if use.contribution is None)


@given(graphs())
def test_no_gradient_is_touched(root: Value) -> None:
    nodes = Explanation(root).nodes
    for index, node in enumerate(nodes):
        node.grad = float(index)
    _ = str(draw.explain(root)), draw.explain(root).markdown()
    assert [node.grad for node in nodes] == list(range(len(nodes)))


@pytest.mark.parametrize("rule", ROWS, ids=[rule.name for rule in ROWS])
@examples(4)  # of each row: the words depend little on the numbers
@given(data=st.data())
def test_every_row_is_explained(rule: Rule, data: st.DataObject) -> None:
    arguments: list[Any] = []
    for name, value in data.draw(points(rule)).items():
        nodes = list(map(Value, value)) if isinstance(value, list) else Value(value)
        arguments.append(nodes if rule.is_differentiable(name) else value)
    try:
        root = apply(rule, *arguments)
    except (ArithmeticError, ValueError):
        reject()
    explanation = draw.explain(root)
    root.backward()
    found = [explanation.gradients[leaf] for leaf in root.parents]
    assert found == pytest.approx([leaf.grad for leaf in root.parents], rel=1e-12, nan_ok=True)
    text, markdown = str(explanation), explanation.markdown()
    assert text.count("\n") == 2 + 3 * len(root.parents) + 1
    assert escaped(rule.doc) in markdown and markdown.count("$$") == 4


def neuron() -> Value:
    w, x = [Value(-3.0, label="w1"), Value(1.0, label="w2")], [Value(2.0, label="x1"), Value(0.0, label="x2")]
    out = math.dot(w, x, 6.5).tanh()
    out.label = "o"
    return out


def test_text_of_a_neuron() -> None:
    assert (
        str(draw.explain(neuron()))
        == """\
Forward: every number, and the partial derivatives of each operation
  w1 = -3
  w2 = 1
  x1 = 2
  x2 = 0
  v1 = dot([w1, w2], [x1, x2], 6.5) = dot([-3, 1], [2, 0], 6.5) = 0.5
      ∂v1/∂w1 = x1 = 2
      ∂v1/∂w2 = x2 = 0
      ∂v1/∂x1 = w1 = -3
      ∂v1/∂x2 = w2 = 1
  o = tanh(v1) = tanh(0.5) = 0.462117
      ∂o/∂v1 = 1 - o * o = 1 - 0.462117 * 0.462117 = 0.786448
Backward: every gradient is a sum over the uses of a number
  grad o = 1
  grad v1 = grad o · ∂o/∂v1 = 1 · 0.786448 = 0.786448
  grad w1 = grad v1 · ∂v1/∂w1 = 0.786448 · 2 = 1.5729
  grad w2 = grad v1 · ∂v1/∂w2 = 0.786448 · 0 = 0
  grad x1 = grad v1 · ∂v1/∂x1 = 0.786448 · (-3) = -2.35934
  grad x2 = grad v1 · ∂v1/∂x2 = 0.786448 · 1 = 0.786448"""
    )


def test_operands_are_read_from_left_to_right() -> None:
    a, b, c, d = (Value(float(i), label=name) for i, name in enumerate("abcd", start=1))
    root = (a * b).exp() + c / (d - a)
    explanation = draw.explain(root)
    assert [explanation.names[node] for node in explanation.nodes] == ["a", "b", "c", "d", "v1", "v2", "v3", "v4", "v5"]
    assert [node.data for node in explanation.nodes[4:]] == [2.0, root.parents[0].data, 3.0, 1.0, root.data]


@pytest.mark.parametrize(
    ("node", "text", "formula"),
    [
        (Value(-3.0, label="x") ** 2, "2 * x ** (2 - 1) =", r"2 \cdot x^{2 - 1} ="),
        (Value(0.0, label="x") ** 1, "1 * x ** (1 - 1) =", r"1 \cdot x^{1 - 1} ="),
        (
            Value(0.0, label="x") ** 0,
            "0 * x ** (0 - where(0 * (0 - 1), 1, step(abs(x) / 2 ** 51 + 0))) =",
            r"\right|",
        ),
        (2.0 ** Value(3.0, label="x"), "v1 * log(2) =", r"v_{1} \cdot \ln\left(2\right) ="),
        (math.atan2(Value(3.0, label="x"), 2.0), "2 / (2 * 2 + x * x) =", r"\frac{2}{2^{2} + x^{2}} ="),
        (math.dot([Value(-3.0, label="x")], [2.0], 0.0), "dot([x], [2], 0) =", r"v_{1} &= x \cdot 2 ="),
    ],
)
def test_formulas_are_those_of_a_textbook_but_at_edges(node: Value, text: str, formula: str) -> None:
    explanation = draw.explain(node)
    assert text in str(explanation) and formula in explanation.markdown()


def test_markdown_of_a_square() -> None:
    x = Value(-3.0, label="x")
    y = x * x
    y.label = "a label"
    assert draw.explain(y).markdown() == MARKDOWN


MARKDOWN = r"""**Forward: every number, and the partial derivatives of each operation**

- $x = -3$

$v_{1}$, **mul** (a label): product

$$
\begin{aligned}
v_{1} &= x \cdot x = \left(-3\right) \cdot \left(-3\right) = 9 \\[0.4em]
\left.\frac{\partial v_{1}}{\partial x}\right|_{\mathrm{x}} &= x = -3 \\[0.4em]
\left.\frac{\partial v_{1}}{\partial x}\right|_{\mathrm{y}} &= x = -3
\end{aligned}
$$

**Backward: every gradient is a sum over the uses of a number**

$$
\begin{aligned}
\frac{\mathrm{d} v_{1}}{\mathrm{d} v_{1}} &= 1 \\[0.4em]
\frac{\mathrm{d} v_{1}}{\mathrm{d} x} &= FIRST + SECOND = 1 \cdot \left(-3\right) + 1 \cdot \left(-3\right) = -6
\end{aligned}
$$
"""
for mark, argument in (("FIRST", "x"), ("SECOND", "y")):
    product = r"\frac{\mathrm{d} v_{1}}{\mathrm{d} v_{1}} \cdot \left.\frac{\partial v_{1}}{\partial x}\right|"
    MARKDOWN = MARKDOWN.replace(mark, f"{product}_{{\\mathrm{{{argument}}}}}")


def test_a_leaf_is_explained() -> None:
    x = Value(3.0, label="my x")
    assert str(draw.explain(x)).splitlines()[1::2] == ["  v1 = 3    (my x)", "  grad v1 = 1"]
    assert "- $v_{1} = 3$ (my x)" in draw.explain(x).markdown()


def test_dead_branches_are_told() -> None:
    x = Value(-2.0, label="x")
    lines = str(draw.explain((3 * x).relu())).splitlines()
    assert lines[-1] == "  grad x = 0: the results that depend on it have gradient 0"
    assert lines[-2] == "  grad v1 = grad v2 · ∂v2/∂v1 = 1 · 0 = 0"


def test_fractions_stay_exact() -> None:
    x = Value(Fraction(1, 3), label="x")
    text = str(draw.explain(2 / x))
    assert "= 2 / x = 2 / (1/3) = 6" in text
    assert "grad x = grad v1 · ∂v1/∂x = 1 · (-18) = -18" in text
    assert draw.explain(2 / x).gradients[x] == Fraction(-18)


def test_partials_that_raise_are_infinite() -> None:
    x = Value(0.0, label="x")
    assert "∂v1/∂x = 1 / (2 * v1) = 1 / (2 * 0) = inf" in str(draw.explain(x.sqrt()))
    assert draw.explain(x.sqrt()).gradients[x] == standard.inf


def test_many_uses_are_shortened() -> None:
    x = Value(1.0, label="x")
    y = math.fsum([x * i for i in range(9)])
    text, markdown = str(draw.explain(y)), draw.explain(y).markdown()
    assert "fsum([v9, v8, v7, v6, …, v1])" in text or "fsum([v1, v2, v3, v4, …, v9])" in text
    assert re.search(r"grad x = (grad \w+ · ∂\w+/∂x \+ ){4}… \+ grad \w+ · ∂\w+/∂x = ", text)
    assert r"\cdots" in markdown and r"\sum_{i} x_{i}" in markdown


@pytest.mark.usefixtures("rules_restored")
def test_added_rules_are_explained() -> None:
    x = Value(2.0, label="x")
    cube = define_rule("explained_cube(x)", lambda x: x**3, "third power", x=lambda x, out: 3 * x * x)
    text = str(draw.explain(cube(x)))
    assert "v1 = explained_cube(x) = explained_cube(2) = 8" in text
    assert "∂v1/∂x = explained_cube_partial_x(x, v1) = explained_cube_partial_x(2, 8) = 12" in text
    assert r"\mathrm{explained\_cube}\left(x\right)" in draw.explain(cube(x)).markdown()


def by_hand(x: Value, y: Value) -> Value:
    out = Value(x.data * x.data * y.data, (x, x, y), "x²y $")

    def backward() -> None:
        x.grad += 2 * x.data * y.data * out.grad
        y.grad += x.data**2 * out.grad

    out._backward = backward
    return out


def test_operations_written_by_hand_are_asked() -> None:
    x, y = Value(3.0, label="x"), Value(2.0, label="y")
    x.grad, y.grad = 7.0, 8.0
    root = by_hand(x, y) * 10
    explanation = draw.explain(root)
    assert (explanation.gradients[x], explanation.gradients[y]) == (120.0, 90.0)
    assert (x.grad, y.grad, root.grad) == (7.0, 8.0, 0.0)
    assert "v1 = x²y $(x, x, y) = x²y $(3, 3, 2) = 18\n      ∂v1/∂x = 12\n      ∂v1/∂y = 9" in str(explanation)
    assert "operation written by hand" in explanation.markdown()
    assert explanation.markdown().count("$") % 2 == 0
    assert str(draw.explain(Value(1.0, (y,), " "))).splitlines()[2] == "  v1 =  (y) =  (2) = 1"


def test_compiled_calls_are_explained() -> None:
    @jit
    def both(x: Value, y: Value) -> tuple[Value, Value]:
        return x * y, x + y

    x, y = Value(3.0, label="x"), Value(2.0, label="y")
    first, second = both(x, y)
    root = first * second
    explanation = draw.explain(root)
    assert (explanation.gradients[x], explanation.gradients[y]) == (16.0, 21.0)
    assert "both[0](x, y) = both[0](3, 2) = 6\n      ∂v1/∂x = 2\n      ∂v1/∂y = 3" in str(explanation)
    assert "compiled function" in explanation.markdown() and explanation.markdown().count("$$") == 8
    root.backward()
    assert {str(box.grad) for box in picture(root).boxes} == {"16", "21", "5", "6", "1", "0"}
    assert "└── #1 both data=6 grad=0\n" in draw.to_text(root).replace("│   ", "") + "\n"
    assert "None" not in draw.to_svg(root) and "object at" not in draw.to_dot(root)

    square = jit(lambda x: x * x)
    assert draw.explain(square(x) * 2).gradients[x] == 12.0


def test_gradients_are_put_back_if_a_function_fails() -> None:
    x = Value(1.0)
    x.grad = 5.0
    out = Value(1.0, (x,), "broken")

    def backward() -> None:
        raise KeyError("broken")

    out._backward = backward
    with pytest.raises(KeyError):
        draw.explain(out)
    assert (x.grad, out.grad) == (5.0, 0.0)


def test_names_are_short_and_different() -> None:
    nodes = [Value(1.0, label=label) for label in ("a", "v1", "twice", "twice", "two words", "x" * 30, "", "π")]
    nodes.append(Value(1.0, label=5))  # type: ignore[arg-type]
    names = [*names_of(nodes).values()]
    assert names == ["a", "v1", "v2", "v3", "v4", "v5", "v6", "π", "v7"]


@pytest.mark.parametrize("label", ["$x$ **b** _i_ `c` <b>", "a\n\n# head", "\\end{aligned}$$"])
def test_labels_are_text_in_markdown(label: str) -> None:
    leaf = Value(1.0, label=label)
    root = Value(2.0, (leaf,), label)
    text, markdown = str(draw.explain(root)), draw.explain(root).markdown()
    assert text.count("\n") == 6
    assert markdown.count("$") == 2 + 2 + 8 and markdown.count(r"\end{aligned}") == 2
    assert "<b>" not in markdown and "**b**" not in markdown and "\n# " not in markdown


def test_large_graphs_are_not_shown_unasked() -> None:
    x = Value(1.0)
    y = x
    for _ in range(IN_A_CELL - 1):
        y = y * x
    assert draw.explain(y)._repr_markdown_() == draw.explain(y).markdown()
    assert draw.explain(y * x)._repr_markdown_().startswith("61 nodes are too many")
    assert repr(draw.explain(x)) == str(draw.explain(x))


def test_deep_graphs_are_explained() -> None:
    y = x = Value(1.0, label="x")
    for _ in range(1500):
        y = y * x
    explanation = draw.explain(y)
    assert explanation.gradients[x] == 1501.0
    assert str(explanation).count("\n") == 2 + 1501 + 2 * 1500 + 1501 - 1


def test_wide_operations_are_explained() -> None:
    net = MLP(50, [2, 1], rng=0)
    y = net([Value(1.0) for _ in range(50)])
    text = str(draw.explain(y))
    assert re.search(r"dot\(\[(v\d+, ){4}…, v\d+\], \[(v\d+, ){4}…, v\d+\], v\d+\)", text)


def test_brackets_stand_where_they_are_needed() -> None:
    names = {"x": "-2", "y": "1/3", "xs": "[-1, 1/2]"}
    assert substituted("x", names) == "-2"
    assert substituted("f(x, y)", names) == "f(-2, 1/3)"
    assert substituted("x * y", names) == "(-2) * (1/3)"
    assert substituted("ties(xs, x) + xs", names) == "ties([-1, 1/2], -2) + [-1, 1/2]"


@pytest.mark.parametrize("root", [2.0, None, "x"])
def test_only_nodes_are_explained(root: object) -> None:
    with pytest.raises(TypeError, match="expected a Value to explain, got"):
        draw.explain(root)  # type: ignore[arg-type]
