"""Losses against `torch.nn.functional`, whose numbers were printed by PyTorch 2.13 in float64.

Where PyTorch's own formula cancels, the numbers are those of mpmath with 40 digits.
"""

import json
import math
import re
import warnings
from fractions import Fraction
from pathlib import Path

import pytest

from microgrid import Value, jit, losses
from microgrid.losses import (
    accuracy,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge_loss,
    huber_loss,
    l1_loss,
    mse_loss,
)

LOSSES = [mse_loss, l1_loss, huber_loss, binary_cross_entropy, binary_cross_entropy_with_logits]
REFERENCE = json.loads((Path(__file__).parent / "reference" / "losses.json").read_text())


def loss_and_gradients(loss, predictions, targets):
    """Return the loss and its derivative by each prediction."""
    nodes = [Value(prediction) for prediction in predictions]
    out = loss(nodes, targets)
    out.backward()
    return out.data, [node.grad for node in nodes]


# Against PyTorch


@pytest.mark.filterwarnings("ignore:cross_entropy expects a row of probabilities")  # PyTorch takes any numbers
@pytest.mark.parametrize("entry", REFERENCE, ids=lambda entry: f"{entry['name']}-{entry['options']}")
def test_every_reduction_of_pytorch(entry):
    loss, rows = getattr(losses, entry["name"]), isinstance(entry["input"][0], list)
    nodes = [[Value(x) for x in row] if rows else Value(row) for row in entry["input"]]
    leaves = [x for row in nodes for x in row] if rows else nodes
    slopes = [x for row in entry["gradient"] for x in row] if rows else entry["gradient"]
    for reduction in ("none", "sum", "mean"):
        out = loss(nodes, entry["target"], reduction=reduction, **entry["options"])
        plain = loss(entry["input"], entry["target"], reduction=reduction, **entry["options"])
        if reduction == "none":
            assert [x.data for x in out] == plain
            out = sum(out)
            expected = sum(entry["none"])
            assert plain == pytest.approx(entry["none"], rel=1e-14, abs=1e-15)
        else:
            expected = entry[reduction]
            assert out.data == plain
        assert out.data == pytest.approx(expected, rel=1e-14, abs=0)
        for leaf in leaves:
            leaf.zero_grad()
        out.backward()
        share = len(nodes) if reduction == "mean" else 1
        # PyTorch forms 1 - p, which cancels: hence a bound that is not relative.
        assert [x.grad * share for x in leaves] == pytest.approx(slopes, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize(
    ("loss", "predictions", "targets", "value", "gradients"),
    [
        (mse_loss, [0.5, -1.25, 3.0, 2.0], [1.0, -1.0, 0.5, 2.0], 1.640625, [-0.25, -0.125, 1.25, 0.0]),
        (mse_loss, [0.1, 0.2, 0.3], [0.7, -0.4, 1000.0], 333133.60333333333, [-0.4, 0.4, -666.4666666666667]),
        (
            binary_cross_entropy,
            [0.9, 0.2, 0.35, 0.6],
            [1.0, 0.0, 1.0, 0.25],
            0.5483126615794569,
            [-0.2777777777777778, 0.31249999999999994, -0.7142857142857144, 0.3645833333333333],
        ),
        (
            binary_cross_entropy_with_logits,
            [2.0, -1.0, 0.0, -3.5],
            [1.0, 0.0, 1.0, 0.25],
            0.5095218243484403,
            [-0.02980073050552942, 0.06723535534249878, -0.125, -0.055171942312160924],
        ),
    ],
)
def test_several_predictions(loss, predictions, targets, value, gradients):
    found, slopes = loss_and_gradients(loss, predictions, targets)
    assert found == pytest.approx(value, rel=1e-15, abs=0)
    assert slopes == pytest.approx(gradients, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("p", "target", "value", "gradient"),
    [
        (1e-10, 0.0, 1.00000000005e-10, 1.0000000001),
        (1e-10, 1.0, 23.025850929940457, -10000000000.0),
        (1e-10, 0.3, 6.907755279052137, -2999999999.2999997),
        (0.001, 0.0, 0.0010005003335835335, 1.0010010010010009),
        (0.001, 1.0, 6.907755278982137, -999.9999999999999),
        (0.001, 0.3, 2.0730269339281495, -299.29929929929926),
        (0.5, 0.0, 0.6931471805599453, 2.0),
        (0.5, 1.0, 0.6931471805599453, -2.0),
        (0.5, 0.3, 0.6931471805599453, 0.8),
        (0.9999999999, 0.0, 23.02585084720009, 9999999172.59636),
        (0.9999999999, 1.0, 1.000000082790371e-10, -1.0000000001),
        (0.9999999999, 0.3, 16.118095593070063, 6999999420.51745),
    ],
)
def test_binary_cross_entropy(p, target, value, gradient):
    found, (slope,) = loss_and_gradients(binary_cross_entropy, [p], [target])
    assert found == pytest.approx(value, rel=1e-15, abs=0)
    assert slope == pytest.approx(gradient, rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("p", "target", "value", "gradient"),
    [
        (0.0, 0.0, 0.0, 0.0),
        (0.0, 1.0, 100.0, -1000000003995.8029),
        (0.0, 0.3, 30.0, -300000001198.74084),
        (1.0, 0.0, 100.0, 1000000003995.8029),
        (1.0, 1.0, 0.0, 0.0),
        (1.0, 0.3, 70.0, 700000002797.0619),
        (1e-300, 1.0, 100.0, -1000000003995.8029),
        (1e-300, 0.0, 1e-300, 1e-288),
        (1e-44, 1.0, 100.0, -1000000003995.8029),
        (1e-40, 1.0, 92.10340371976183, -1.0000000039958e12),
        (1e-13, 1.0, 29.933606208922594, -1.0000000039957e12),
        (1e-13, 0.0, 1e-13, 0.1),
        (1 - 2**-53, 1.0, 1.1102230246251565e-16, -1.1102230290e-4),
        (1 - 2**-53, 0.0, 36.7368005696771, 1.0e12),
    ],
)
def test_binary_cross_entropy_at_the_ends(p, target, value, gradient):
    found, (slope,) = loss_and_gradients(binary_cross_entropy, [p], [target])
    assert found == pytest.approx(value, rel=1e-13, abs=0)
    assert slope == pytest.approx(gradient, rel=1e-8, abs=0)  # PyTorch's bound is the float32 next to 1e-12
    assert binary_cross_entropy(p, target) == found


@pytest.mark.parametrize(
    ("x", "target", "value", "gradient"),
    [
        (-1000.0, 0.0, 0.0, 0.0),
        (-1000.0, 1.0, 1000.0, -1.0),
        (-1000.0, 0.25, 250.0, -0.25),
        (-100.0, 0.0, 3.720075976020836e-44, 3.720075976020836e-44),  # exp(-100)
        (-100.0, 1.0, 100.0, -1.0),
        (-40.0, 0.0, 4.248354255291589e-18, 4.248354255291589e-18),  # PyTorch: 0 for the value
        (-40.0, 1.0, 40.0, -1.0),
        (-5.0, 0.0, 0.006715348489118068, 0.0066928509242848554),
        (-5.0, 1.0, 5.006715348489118, -0.9933071490757152),
        (-5.0, 0.25, 1.256715348489118, -0.24330714907571516),
        (-1e-9, 0.0, 0.6931471800599454, 0.49999999975),
        (0.0, 0.0, 0.6931471805599453, 0.5),
        (0.0, 1.0, 0.6931471805599453, -0.5),
        (0.0, 0.25, 0.6931471805599453, 0.25),
        (1e-9, 1.0, 0.6931471800599454, -0.49999999975),
        (5.0, 0.0, 5.006715348489118, 0.9933071490757152),
        (5.0, 1.0, 0.006715348489118068, -0.0066928509242848554),
        (5.0, 0.25, 3.7567153484891183, 0.7433071490757152),
        (20.0, 1.0, 2.061153620314381e-09, -2.0611536181902037e-09),
        (40.0, 0.0, 40.0, 1.0),
        (40.0, 1.0, 4.248354255291589e-18, -4.248354255291589e-18),  # PyTorch: 0 for the gradient
        (100.0, 1.0, 3.720075976020836e-44, -3.720075976020836e-44),
        (1000.0, 0.0, 1000.0, 1.0),
        (1000.0, 1.0, 0.0, 0.0),
        (1000.0, 0.25, 750.0, 0.75),
        (1.5e308, 0.0, 1.5e308, 1.0),
        (-1.5e308, 0.0, 0.0, 0.0),
    ],
)
def test_binary_cross_entropy_with_logits(x, target, value, gradient):
    found, (slope,) = loss_and_gradients(binary_cross_entropy_with_logits, [x], [target])
    assert found == pytest.approx(value, rel=1e-14, abs=0)
    assert slope == pytest.approx(gradient, rel=1e-14, abs=0)


def test_second_derivatives():
    for loss, x, y, expected in [
        (mse_loss, 0.7, 0.2, 2.0),
        (huber_loss, 0.7, 0.2, 1.0),
        (huber_loss, 1.7, 0.2, 0.0),
        (lambda x, y: cross_entropy([x, 0.2], 1), 0.7, 0.2, math.exp(-0.5) / (1 + math.exp(-0.5)) ** 2),
        (binary_cross_entropy, 0.7, 0.2, 0.2 / 0.49 + 0.8 / 0.09),
        (binary_cross_entropy_with_logits, 0.7, 0.2, math.exp(-0.7) / (1 + math.exp(-0.7)) ** 2),
    ]:
        node = Value(x)
        loss(node, y).backward(create_graph=True)
        slope = node.grad
        node.zero_grad()
        slope.backward()
        assert node.grad == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("logits", "target", "value", "gradient"),
    [
        ([0.0, 0.0], 0, math.log(2), [-0.5, 0.5]),
        ([1000.0, 0.0], 0, 0.0, [0.0, 0.0]),
        ([1000.0, 0.0], 1, 1000.0, [1.0, -1.0]),
        ([40.0, 0.0], 0, 4.248354255291589e-18, [-4.248354255291589e-18, 4.248354255291589e-18]),
        ([-700.0, 0.0], 1, math.exp(-700), [math.exp(-700), -math.exp(-700)]),
        ([1e10, 1e10 - 1.0], 0, math.log1p(math.exp(-1)), [-1 / (1 + math.e), 1 / (1 + math.e)]),
        ([1.5e308, -1.5e308], 0, 0.0, [0.0, 0.0]),
        ([-1e308, 0.5e308], 0, 1.5e308, [-1.0, 1.0]),
        ([-math.inf, 0.0, 0.0], 1, math.log(2), [0.0, -0.5, 0.5]),  # a class that is masked
        ([-math.inf, 0.0, 0.0], [0.0, 0.5, 0.5], math.log(2), [0.0, 0.0, 0.0]),
        ([7.0], 0, 0.0, [0.0]),
        ([1000.0, 0.0], [0.5, 0.5], 500.0, [0.5, -0.5]),
    ],
)
def test_cross_entropy_of_extreme_logits(logits, target, value, gradient):
    for reduction in ("mean", "sum", "none"):
        nodes = [Value(x) for x in logits]
        out = cross_entropy(nodes, target, reduction=reduction)
        out.backward()
        assert out.data == pytest.approx(value, rel=1e-15, abs=0)
        assert [x.grad for x in nodes] == pytest.approx(gradient, rel=1e-14, abs=0)


def test_cross_entropy_of_an_infinite_logit_is_nan():
    for logits in ([math.inf, 0.0], [-math.inf, -math.inf]):
        assert math.isnan(cross_entropy([Value(x) for x in logits], 0).data)


def test_a_loss_is_few_nodes():
    """One node a sample, or two, and one for all."""
    x, y = Value(0.5), Value(0.25)
    assert binary_cross_entropy([x], [1.0]).parents[0].parents == (x,)
    assert binary_cross_entropy_with_logits([x], [1.0]).parents[0].parents == (x,)
    assert cross_entropy([[x, y]], [1]).parents[0].parents == (x, y)
    assert cross_entropy([[x, y]], [[0.5, 0.5]]).parents[0].parents == (x, y)
    for loss in (mse_loss, l1_loss, huber_loss):
        assert loss([x], [1.0]).parents[0].parents[0].parents == (x,)


def test_cross_entropy_agrees_with_its_binary_sister():
    for x in (-30.0, -1.0, 0.0, 2.5, 30.0):
        for y in (0.0, 0.25, 1.0):
            node, other = Value(x), Value(x)
            binary = binary_cross_entropy_with_logits(node, y)
            both = cross_entropy([other, 0.0], [y, 1 - y])
            assert both.data == pytest.approx(binary.data, rel=1e-14)
            binary.backward()
            both.backward()
            assert other.grad == pytest.approx(node.grad, rel=1e-13)


def test_hinge_at_its_kink_is_flat():
    for x, slope in [(1.0, 0.0), (math.nextafter(1.0, 0.0), -1.0)]:
        node = Value(x)
        hinge_loss([node], [1]).backward()
        assert node.grad == slope


def test_fractions_stay_exact():
    third = Fraction(1, 3)
    for loss, expected in ((mse_loss, Fraction(4, 9)), (l1_loss, Fraction(2, 3)), (hinge_loss, Fraction(2, 3))):
        out = loss(Value(third), 1, reduction="none")
        assert isinstance(out.data, Fraction) and out.data == expected


# Kinds of arguments


@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_in_number_out(loss):
    predictions, targets = [0.25, 0.5], [1.0, 0.0]
    expected = loss([Value(p) for p in predictions], targets)
    assert isinstance(expected, Value)
    for out in (loss(predictions, targets), loss(tuple(predictions), iter(targets)), loss(predictions, [1, 0])):
        assert type(out) is float
        assert out == expected.data


@pytest.mark.parametrize("loss", LOSSES)
def test_single_numbers(loss):
    expected = loss([0.25], [1.0])
    for prediction in (0.25, Value(0.25), [Value(0.25)]):
        for target in (1.0, 1, [1.0]):
            out = loss(prediction, target)
            assert type(out) is (float if type(prediction) is float else Value)
            assert float(out) == expected


@pytest.mark.parametrize(
    ("loss", "slope"),
    [
        (mse_loss, -2 * (0.25 - 0.5)),
        (l1_loss, 1.0),
        (huber_loss, 0.25),
        (lambda p, y: cross_entropy([[p[0], 0.5]], [[y[0], 0.5]]), math.log1p(math.exp(0.25))),
        (binary_cross_entropy, math.log(0.75) - math.log(0.25)),
        (binary_cross_entropy_with_logits, -0.25),
    ],
)
def test_targets_have_gradients_too(loss, slope):
    for prediction in (0.25, Value(0.25)):
        target = Value(0.5)
        loss([prediction], [target]).backward()
        assert target.grad == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_mean_of_single_losses(loss):
    predictions, targets = [0.1, 0.4, 0.8], [0.0, 1.0, 0.25]
    singles = [loss(p, y) for p, y in zip(predictions, targets, strict=True)]
    assert loss(predictions, targets) == pytest.approx(math.fsum(singles) / 3, rel=1e-15)


# Bad input


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("predictions", "targets", "lengths"),
    [
        ([], [], "0 and 0"),
        ([0.5], [], "1 and 0"),
        ([], [0.5], "0 and 1"),
        ([0.5, 0.5], [1.0], "2 and 1"),
        (Value(0.5), [1.0, 0.0], "1 and 2"),
        ([Value(0.5), Value(0.5)], 1.0, "2 and 1"),
    ],
)
def test_unequal_lengths_and_nothing_at_all(loss, predictions, targets, lengths):
    message = f"{loss.__name__} expects as many predictions as targets, at least one, got {lengths}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        loss(predictions, targets)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("predictions", "targets", "got"),
    [
        ([[Value(0.5)]], [1.0], "list [Value(data=0.5, grad=0.0)]"),
        ([Value(0.5)], [[1.0]], "list [1.0]"),
        ("a", "b", "str 'a'"),
        (Value(0.5), None, "NoneType None"),
        ([0.5, 0.5], [1.0, 1j], "complex 1j"),
    ],
)
def test_what_is_no_number(loss, predictions, targets, got):
    with pytest.raises(TypeError, match=f"^{loss.__name__} expects real numbers, got {re.escape(got)}$"):
        loss(predictions, targets)


@pytest.mark.parametrize("p", [-0.1, 1.1, -5e-324, 1 + 2**-52, math.inf, -math.inf])
def test_what_is_no_probability(p):
    for prediction in (p, Value(p)):
        with pytest.raises(ValueError, match=re.escape(f"expected a probability between 0 and 1, got {p}")):
            binary_cross_entropy([0.5, prediction], [1.0, 1.0])


def test_nan_is_handed_on():
    for loss in LOSSES:
        assert math.isnan(loss([Value(math.nan), Value(0.5)], [1.0, 0.0]).data)
    for logits in ([math.nan, 0.0], [0.0, math.nan]):
        for target in (0, 1, [0.5, 0.5]):
            assert math.isnan(cross_entropy([Value(x) for x in logits], target).data)
    assert math.isnan(hinge_loss([Value(math.nan)], [1]).data)


@pytest.mark.parametrize("loss", [*LOSSES, cross_entropy])
def test_an_unknown_reduction(loss):
    for reduction in ("average", None):
        message = f"{loss.__name__} expects reduction to be 'mean', 'sum' or 'none', got {reduction!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            loss([[0.5]] if loss is cross_entropy else [0.5], [0], reduction=reduction)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_single_number_without_reduction_comes_bare(loss):
    assert loss(0.5, 1.0, reduction="none") == loss(0.5, 1.0)
    for prediction, target in (([0.5], [1.0]), ([0.5], 1.0), (0.5, [1.0])):
        assert loss(prediction, target, reduction="none") == [loss(0.5, 1.0)]
    assert cross_entropy([0.5, 1.0], 0, reduction="none") == cross_entropy([[0.5, 1.0]], [0], reduction="none")[0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: huber_loss([1.0], [0.0], delta=0.0), ValueError, "huber_loss expects delta above 0, got 0.0"),
        (lambda: huber_loss([1.0], [0.0], delta=math.nan), ValueError, "huber_loss expects delta above 0, got nan"),
        (lambda: huber_loss([1.0], [0.0], delta="a"), ValueError, "huber_loss expects delta above 0, got 'a'"),
        (lambda: hinge_loss([1.0], [0]), ValueError, "hinge_loss expects targets of -1 and 1, got 0"),
        (lambda: cross_entropy(1.0, 0), TypeError, "cross_entropy expects rows of logits, got float 1.0"),
        (
            lambda: cross_entropy([], []),
            ValueError,
            "cross_entropy expects as many predictions as targets, at least one",
        ),
        (
            lambda: cross_entropy([[1.0]], [0, 0]),
            ValueError,
            "cross_entropy expects as many predictions as targets, at le",
        ),
        (lambda: cross_entropy([[1.0]], [1]), IndexError, "cross_entropy expects a class from 0 to 0, got 1"),
        (lambda: cross_entropy([[1.0]], [-1]), IndexError, "cross_entropy expects a class from 0 to 0, got -1"),
        (
            lambda: cross_entropy([1.0, 2.0], 1.0),
            TypeError,
            "cross_entropy expects the index of a class or a row of probabilities, got float 1.0",
        ),
        (lambda: cross_entropy([[1.0, "a"]], [0]), TypeError, "cross_entropy([1.0, 'a'], [1.0, 0.0]): "),
        (
            lambda: cross_entropy([[Value(1.0)]], [[]]),
            ValueError,
            "cross_entropy([1.0], []): unequal lengths: xs has 1, y",
        ),
        (lambda: cross_entropy([[1.0]], [[0.5, 0.5]]), ValueError, "cross_entropy([1.0], [0.5, 0.5]): unequal lengths"),
        (lambda: cross_entropy([[]], [0]), ValueError, "cross_entropy expects rows of at least one logit, got []"),
        (
            lambda: cross_entropy([[1.0], 2.0], [0, 0]),
            TypeError,
            "cross_entropy expects rows of logits, got float 2.0 among them",
        ),
        (lambda: accuracy([0.6], [1], threshold="a"), TypeError, "accuracy expects real numbers, got str 'a'"),
        (lambda: accuracy([[0.6, 1.0]], ["1"]), TypeError, "accuracy expects real numbers, got str '1'"),
        (lambda: accuracy([[0.6, 1.0]], [None]), TypeError, "accuracy expects real numbers, got NoneType None"),
        (lambda: accuracy([[]], [1]), ValueError, "accuracy expects rows of at least one score, got []"),
        (lambda: accuracy([[1.0]], [[]]), ValueError, "accuracy expects rows of at least one score, got []"),
        (lambda: accuracy([0.6], ["a"]), TypeError, "accuracy expects real numbers, got str 'a'"),
        (lambda: accuracy([None], [1]), TypeError, "accuracy expects real numbers, got NoneType None"),
        (lambda: accuracy([], []), ValueError, "accuracy expects as many predictions as targets, at least one"),
    ],
)
def test_what_a_loss_refuses(call, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        call()


# Rows of probabilities


def test_one_output_for_each_sample_is_not_a_row_of_classes():
    """A column of logits without its brackets is one sample with soft targets, and its loss looks plausible."""
    logits = [Value(0.5) for _ in range(4)]
    words = r"^cross_entropy expects a row of prob.* adds up to 2; .* use binary_cross_entropy_with_logits, .*brackets"
    with pytest.warns(UserWarning, match=words) as caught:
        found = cross_entropy(logits, [0, 1, 1, 0])
    assert found.data == pytest.approx(2 * math.log(4)) and caught[0].filename == __file__


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ([0.25, 0.75], False),
        ([0.1] * 10, False),
        ([1 / 3, 1 / 3, 1 / 3 + 1e-7], False),
        ([Value(0.5), 0.5], False),
        ([Fraction(1, 3), Fraction(2, 3)], False),
        ([math.nan, 1.0], False),
        ([1.0, 0.001], True),
        ([0, 0, 0], True),
        ([Value(0.5), 0.25], True),
        ([math.inf, 1.0], True),
    ],
)
@pytest.mark.parametrize("wrap", [lambda loss: loss, jit], ids=["eager", "jit"])
def test_probabilities_add_up_to_one(target, told, wrap):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wrap(cross_entropy)([[0.5] * len(target)], [target])
    assert any("expects a row of probabilities" in str(warning.message) for warning in caught) == told


# Accuracy


@pytest.mark.parametrize(
    ("predictions", "targets", "options", "expected"),
    [
        ([0.2, 0.7, 0.9, 0.6], [0, 1, 1, 0], {}, 0.75),
        ([0.5], [0], {}, 1.0),
        ([-2.0, 0.1, 3.0], [-1, -1, 1], {"threshold": 0}, 2 / 3),
        ([-2.0, 0.1, 3.0], [0, 1, 1], {"threshold": 0.0}, 1.0),
        ([[0.1, 2.0, 0.3], [5.0, 1.0, 2.0]], [1, 2], {}, 0.5),
        ([[0.1, 2.0], [5.0, 1.0]], [[0, 1], [1, 0]], {}, 1.0),
        ([[1.0, 1.0]], [0], {}, 1.0),
        (0.7, 1, {}, 1.0),
        ([math.nan, math.nan], [1, 1], {}, 0.0),
    ],
)
def test_accuracy(predictions, targets, options, expected):
    found = accuracy(predictions, targets, **options)
    assert type(found) is float and found == expected
    if isinstance(predictions, list):
        nodes = [[Value(x) for x in p] if isinstance(p, list) else Value(p) for p in predictions]
        assert (
            accuracy(nodes, [*map(Value, targets)] if isinstance(targets[0], int) else targets, **options) == expected
        )
