"""The debug mode that finds the first nan."""

import math as standard
from collections.abc import Callable
from pathlib import Path

import pytest

from microgrid import Value, detect_anomaly, math, no_grad
from microgrid.engine import modes
from microgrid.engine.anomaly import AnomalyError
from microgrid.nn import MLP

HERE = Path(__file__).name


def line_of(marker: str) -> int:
    """Return the number of the line of this file that ends with the comment `marker`."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {marker}"))


def test_the_first_result_that_is_not_finite_raises() -> None:
    x = Value(1e200, label="x")
    with detect_anomaly():
        y = x * 2.0
        with pytest.raises(AnomalyError) as caught:
            y * y  # overflows
    text = str(caught.value)
    assert text.startswith("mul(2e+200, 2e+200) gave inf; the node was made at ")
    assert text.endswith(f"{HERE}:{line_of('overflows')}")


def test_the_first_partial_in_forward_order_raises_before_anything_is_differentiated() -> None:
    x = Value(0.0, label="x")
    y = Value(0.0)
    with detect_anomaly():
        root = x.sqrt()  # the first
        root.label = "root"
        total = root + y.sqrt()
        with pytest.raises(AnomalyError) as caught:
            total.backward()
    text = str(caught.value)
    assert text.startswith("the partial of 'root', made by sqrt(x=0.0) by x=0.0 is inf; the node was made at ")
    assert text.endswith(f"{HERE}:{line_of('the first')}")
    assert (x.grad, y.grad) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: x**0.5, r"the partial of pow\(x=0.0, 0.5\) by x=0.0 is inf"),
        (lambda x: math.hypot(x, 0.0), r"the partial of hypot\(x=0.0, 0.0\) by x=0.0 is nan"),
        (lambda x: x.cbrt(), r"the partial of cbrt\(x=0.0\) by x=0.0 is inf"),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_partials_of_every_kind(make: Callable[[Value], Value], message: str, create_graph: bool) -> None:
    x = Value(0.0, label="x")
    with detect_anomaly(), pytest.raises(AnomalyError, match=message):
        make(x).backward(create_graph=create_graph)


def test_a_leaf_that_changed_is_named() -> None:
    x = Value(2.0, label="weight")
    with detect_anomaly():
        y = x * x
        x.data = 3.0
        with pytest.raises(
            AnomalyError, match=r"^the data of a leaf was 2.0 in the forward pass and is weight=3.0 now$"
        ):
            y.backward()
        x.data = 2.0
        y.backward()
    assert x.grad == 4.0


def test_a_leaf_that_is_nan_has_not_changed() -> None:
    x, choice = Value(standard.nan), Value(1.0)
    with detect_anomaly():
        math.where(choice, 2.0, x).backward()
    assert x.grad == 0.0


def test_nodes_made_before_are_checked_too() -> None:
    root = Value(0.0).sqrt()
    with detect_anomaly(), pytest.raises(AnomalyError, match="was made at a line before detect_anomaly was entered"):
        root.backward()


def test_a_healthy_graph_gives_the_same_gradients() -> None:
    net = MLP(2, [4, 1], activation="tanh", rng=1)
    expected, found = [], []
    net([0.5, -1.0]).backward()
    expected = [parameter.grad for parameter in net.parameters()]
    net.zero_grad()
    with detect_anomaly():
        net([0.5, -1.0]).backward()
    found = [parameter.grad for parameter in net.parameters()]
    assert found == expected


def test_hand_written_operations_are_checked_by_their_results() -> None:
    x = Value(2.0)
    out = Value(4.0, (x,), "mine")
    out._backward = lambda: setattr(x, "grad", 7.0)
    with detect_anomaly():
        (out * 1.0).backward()
        assert x.grad == 7.0
        with pytest.raises(AnomalyError, match=r"^mul\(4.0, inf\) gave inf"):
            out * standard.inf


def test_it_ends_with_its_block() -> None:
    with detect_anomaly(), pytest.raises(AnomalyError):
        Value(standard.inf) * 2.0
    assert not modes.observers and (Value(standard.inf) * 2.0).data == standard.inf


def test_it_works_within_no_grad() -> None:
    with no_grad(), detect_anomaly(), pytest.raises(AnomalyError, match=r"^an operation under no_grad gave inf"):
        Value(1e308) * 10.0
    with detect_anomaly(), no_grad(), pytest.raises(AnomalyError, match=r"^mul\(1e\+308, 10.0\) gave inf"):
        Value(1e308) * 10.0


def test_a_leaf_may_change_between_one_pass_and_the_next():
    """As optimisers do: only the graph that is differentiated counts."""
    x = Value(3.0)
    with detect_anomaly():
        for expected in (6.0, 3.0, 1.5):
            y = x * x
            x.zero_grad()
            y.backward()
            assert x.grad == expected
            x.data /= 2
        with pytest.raises(AnomalyError, match=r"the data of a leaf was 0\.75 in the forward pass and is .*0\.375"):
            y.backward()
