"""Strategies for leaves, points and networks."""

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from microgrid import Value, define_rule, testing
from microgrid.engine.modes import no_grad
from microgrid.engine.recording import apply
from microgrid.rules.table import ROWS, RULES, Rule
from microgrid.testing import networks, points, values
from microgrid.testing.strategies import values as strategies
from microgrid.testing.strategies.domains import bounds, forward, in_domain, is_inside, places, replaced
from tests.profiles import examples

by_row = pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)


def kinks(name: str) -> list[Any]:
    """Return conditions on points, each of an edge of the row that has to be reached."""
    return {
        "abs": [lambda p: p["x"] == 0],
        "acosh": [lambda p: p["x"] == 1, lambda p: p["x"] == math.nextafter(1, 2)],
        "asin": [lambda p: p["x"] == 1, lambda p: p["x"] == -1],
        "clip": [lambda p: p["x"] == p["low"], lambda p: p["x"] == p["high"], lambda p: p["low"] > p["high"]],
        "copysign": [lambda p: p["x"] == 0 < p["y"], lambda p: p["y"] == 0 < p["x"], lambda p: p["x"] == p["y"] == 0],
        "atan2": [lambda p: p["x"] == p["y"] == 0, lambda p: p["x"] < 0 == p["y"]],
        "binary_cross_entropy": [lambda p: p["p"] == 5e-324, lambda p: p["p"] == math.nextafter(1, 0)],
        "dot": [lambda p: 0.0 in p["ws"] and math.inf in p["xs"]],
        "hypot": [lambda p: not any(p["xs"]), lambda p: math.inf in p["xs"], lambda p: max(p["xs"]) > 1e307],
        "less": [lambda p: p["x"] == p["y"] != 0],
        "log": [lambda p: p["x"] == 5e-324, lambda p: p["x"] == math.inf, lambda p: p["x"] > 1e307],
        "maximum": [lambda p: len(p["xs"]) > 1 and len({*p["xs"]}) == 1],
        "mod": [lambda p: p["x"] == 2 * p["y"] != 0, lambda p: p["y"] == math.inf],
        "pow": [lambda p: p["x"] == p["y"] == 0, lambda p: p["x"] < 0, lambda p: p["x"] == 0 < p["y"] < 1],
        "prod": [lambda p: p["xs"].count(0.0) == 1 < len(p["xs"]), lambda p: p["xs"].count(0.0) > 1],
        "remainder": [lambda p: 2 * p["x"] == p["y"]],
        "round": [lambda p: p["x"] == 0.5 and p["ndigits"] == 0],
        "where": [lambda p: p["c"] == 0],
    }.get(name, [])


@by_row
@examples(10)
@given(data=st.data())
def test_points_are_inside(rule: Rule, data: st.DataObject) -> None:
    point = data.draw(points(rule))
    assert [*point] == [*rule.arguments]
    assert is_inside(rule, point, strategies.MARGIN) and math.isfinite(forward(rule, point))
    assert all(type(x) is float for _, x in places(rule, point))


@by_row
@examples(10)
@given(data=st.data())
def test_derivatives_at_edges_do_not_raise(rule: Rule, data: st.DataObject) -> None:
    point = data.draw(points(rule, edges=True))
    for create_graph in (False, True):
        leaves = [Value(x) for _, x in places(rule, point)]
        out = apply(rule, *replaced(rule, point, leaves).values())
        out.backward(create_graph=create_graph)
        assert all(isinstance(leaf.grad, Value if create_graph else float) for leaf in leaves)


@pytest.mark.parametrize("name", [rule.name for rule in ROWS if kinks(rule.name)])
def test_every_kind_of_edge_is_reached(name: str) -> None:
    for condition in kinks(name):
        find(points(name, edges=True), condition, settings=settings(max_examples=20_000, database=None))


@by_row
def test_bounds_are_reached(rule: Rule) -> None:
    for name in rule.arguments:
        for limit in bounds(rule, name):
            if math.isfinite(limit):
                assert {limit, math.nextafter(limit, 9), math.nextafter(limit, -9)} <= {
                    *strategies.edges_of(rule, name)
                }


def test_points_by_function_and_name() -> None:
    assert find(points("log"), lambda point: True) == find(points(RULES["log"]), lambda point: True) == {"x": 1.0}
    with pytest.raises(ValueError, match="expected a rule, its name or its function, got 'ln'"):
        points("ln")


@pytest.mark.usefixtures("rules_restored")
def test_points_of_rules_of_ones_own() -> None:
    far = define_rule("far(x, k, share=0.25)", "x ** k * share", x="k * out / x", domain="x > 1000 and share < 1")
    near = define_rule("near(x)", "x", x="1", domain="abs(x) < 1e-6 and x != 0")
    below = define_rule("below(xs)", "fsum(xs)", x="1", domain="all(x < -5 for x in xs) and max(xs) - min(xs) > 1")
    point = find(points(far), lambda point: True)
    assert point["x"] > 1000 and point["k"] == 1 and point["share"] == 0.25
    assert 0 < abs(find(points(near), lambda point: point["x"] < 0)["x"]) < 1e-6
    assert max(find(points(below), lambda point: len(point["xs"]) == 3)["xs"]) < -5
    assert find(points(far, edges=True), lambda point: point["x"] == 1000)["share"] == 0.25
    find(points(near, edges=True), lambda point: point["x"] == -1e-6)


@pytest.mark.usefixtures("rules_restored")
def test_impossible_domains_are_unsatisfiable() -> None:
    never = define_rule("never(x)", "x", x="1", domain="x * x < 0")
    nowhere = define_rule("nowhere(x)", "log(-x * x)", x="1")
    for strategy in (points(never), points(nowhere), points(nowhere, edges=True)):
        with pytest.raises(Unsatisfiable):
            find(strategy, lambda point: True, settings=settings(max_examples=3))


@given(values(-2, 3))
def test_values_are_leaves_between_bounds(x: Value) -> None:
    assert x.op is None and -2 <= x.data <= 3 and x.label == ""


def test_values_reach_what_is_allowed() -> None:
    assert math.isnan(find(values(allow_nan=True), lambda x: math.isnan(x.data)).data)
    assert find(values(allow_infinity=True), lambda x: math.isinf(x.data)).data == math.inf
    assert find(values(labels=st.sampled_from(["a", "b"])), lambda x: x.label == "b").data == 0.0


@given(st.from_type(Value))
def test_hypothesis_knows_values(x: Value) -> None:
    assert math.isfinite(x.data)


@examples(50)
@given(networks(inputs=2, outputs=3, max_layers=2, max_width=3, activations=("tanh",)))
def test_networks_of_given_sizes(drawn: Any) -> None:
    net, inputs = drawn
    out = net(inputs)
    assert len(inputs) == 2 and len(out) == 3 and 1 <= len(net.layers) <= 2
    assert all(len(layer.neurons) <= 3 and layer.neurons[0].activation == "tanh" for layer in net.layers[:-1])


@examples(50)
@given(networks())
def test_networks_work(drawn: Any) -> None:
    net, inputs = drawn
    out = net(inputs)
    out.backward()
    with no_grad():
        assert math.isfinite(net(inputs).data)
    assert all(math.isfinite(parameter.grad) for parameter in net.parameters()) and all(inputs)


def test_networks_vary_and_shrink() -> None:
    net, inputs = find(networks(), lambda drawn: True)
    assert (str(net), inputs) == ("MLP of [Layer of [LinearNeuron(1)]]", [1.0])
    deep, _ = find(networks(), lambda drawn: len(drawn[0].layers) == 3)
    assert [len(layer.neurons) for layer in deep.layers] == [1, 1, 1]
    linear = find(networks(activations=[None, "relu"]), lambda drawn: len(drawn[0].layers) == 2)[0]
    assert linear.layers[0].neurons[0].activation is None


def test_networks_that_falsify_can_be_pasted() -> None:
    @settings(database=None, print_blob=False)
    @given(networks())
    def fails(drawn: Any) -> None:
        raise AssertionError

    with pytest.raises(AssertionError) as caught:
        fails()
    text = " ".join("".join(caught.value.__notes__).split())
    assert "drawn=(MLP(1, [1], activation='tanh', rng=0), [1.0])" in text


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True).stdout


def test_hypothesis_is_imported_only_for_strategies() -> None:
    loaded = "print('hypothesis' in sys.modules)"
    program = f"import sys, microgrid.testing as testing; {loaded}; testing.values; {loaded}"
    assert run(program).split() == ["False", "True"]


def test_from_type_works_by_itself() -> None:
    program = (
        "import sys; from hypothesis import find, strategies as st; from microgrid import Value\n"
        "print('microgrid.testing.strategies.values' in sys.modules)\n"
        "print(find(st.from_type(Value), lambda x: x > 1).data)"
    )
    assert run(program).split() == ["False", "2.0"]


def test_the_names_of_the_module() -> None:
    assert {"Expression", "expressions", "networks", "points", "values"} <= {*testing.__all__} <= {*dir(testing)}
    assert all(getattr(testing, name) for name in testing.__all__)
    with pytest.raises(AttributeError, match=r"module 'microgrid.testing' has no attribute 'forms'"):
        _ = testing.forms  # type: ignore[attr-defined]


def test_readable_numbers() -> None:
    assert strategies.readable(0.4, 0.8) == [0.5, 0.75] and strategies.readable(1000.0, 1001.0) == [1000.0]
    assert strategies.readable(0.12, 0.124) == [0.12]
    assert in_domain(RULES["log"], {"x": strategies.round_between(5e-324, 1e-323)})


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (
            "hypothesis",
            r"^values needs Hypothesis: install microgrid with the extra test \(pip install '\.\[test\]'\)$",
        ),
        ("microgrid.testing.strategies.domains", "domains"),
    ],
)
def test_what_is_missing_is_named(missing: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "microgrid.testing.strategies.values")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError, match=message) as caught:
        _ = testing.values
    assert caught.value.name == missing
