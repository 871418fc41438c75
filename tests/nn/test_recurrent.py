"""`LSTMCell` against `torch.nn.LSTMCell`, whose numbers were printed by PyTorch 2.13 in float64."""

import json
import re
from pathlib import Path

import pytest

from microgrid import Value
from microgrid.nn import LSTMCell

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "lstm.json").read_text())


def flat(nest):
    """Return the numbers of a nest of lists, in order."""
    return [x for part in nest for x in flat(part)] if isinstance(nest, list | tuple) else [nest]


def leaves(nest):
    return [leaves(part) for part in nest] if isinstance(nest, list) else Value(nest)


@pytest.mark.parametrize("entry", REFERENCE, ids=["bias", "no bias"])
def test_three_steps_of_pytorch(entry):
    cell = LSTMCell(2, 3, bias=entry["bias"])
    assert {name.partition(".")[0] for name, _ in cell.named_parameters()} == entry["parameters"].keys()
    for name, numbers in entry["parameters"].items():
        setattr(cell, name, leaves(numbers))
    inputs, h, c = leaves(entry["inputs"]), leaves(entry["h"]), leaves(entry["c"])
    state, outputs = (h, c), []
    for x in inputs:
        state = cell(x, state)
        outputs.append(state)
    nodes = flat(outputs)
    assert [x.data for x in nodes] == pytest.approx(flat(entry["outputs"]), rel=1e-13, abs=0)
    sum(place * node for place, node in enumerate(nodes, 1)).backward()
    found = {name: getattr(cell, name) for name in entry["parameters"]} | {"inputs": inputs, "h": h, "c": c}
    for name, gradients in entry["gradients"].items():
        assert [x.grad for x in flat(found[name])] == pytest.approx(flat(gradients), rel=1e-12, abs=0), name


def test_the_first_state_is_zero():
    cell = LSTMCell(1, 2, rng=0)
    (h, c), (other_h, other_c) = cell([0.5]), cell((0.5,), ([0.0, 0.0], (0.0, 0.0)))
    assert [x.data for x in h + c] == [x.data for x in other_h + other_c]


def test_parameters_and_their_first_numbers():
    cell = LSTMCell(2, 3, rng=0)
    assert len(cell.parameters()) == 12 * (2 + 3 + 2)
    numbers = [parameter.data for parameter in cell.parameters()]
    assert max(map(abs, numbers)) <= 3**-0.5 and min(numbers) < -0.5 < 0.5 < max(numbers)
    assert (
        numbers == [p.data for p in LSTMCell(2, 3, rng=0).parameters()] != [p.data for p in LSTMCell(2, 3).parameters()]
    )
    assert numbers[:2] == [0.3977040973855517, 0.29786008795246566]
    assert len(LSTMCell(2, 3, bias=False).parameters()) == 12 * (2 + 3)
    assert repr(cell) == "LSTMCell(2, 3)"


def test_sizes_are_checked():
    for sizes, name in (((0, 1), "input_size"), ((1, 0), "hidden_size")):
        with pytest.raises(ValueError, match=f"^LSTMCell expects {name} of at least 1, got 0$"):
            LSTMCell(*sizes)
    cell = LSTMCell(2, 3)
    for arguments, message in [
        (([1.0],), "LSTMCell(2, 3) expects 2 inputs, got 1"),
        (([1.0, 2.0], ([0.0] * 2, [0.0] * 3)), "LSTMCell(2, 3) expects 3 inputs, got 2"),
        (([1.0, 2.0], ([0.0] * 3, [0.0] * 4)), "LSTMCell(2, 3) expects 3 inputs, got 4"),
    ]:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            cell(*arguments)
    for state, got in (([0.0] * 3, "list [0.0, 0.0, 0.0]"), (0.5, "float 0.5")):
        with pytest.raises(
            TypeError, match=f"^{re.escape(f'LSTMCell(2, 3) expects the state as a pair (h, c), got {got}')}$"
        ):
            cell([1.0, 2.0], state)
    with pytest.raises(TypeError, match=r"^LSTMCell\(2, 3\) expects a sequence of 2 inputs, got float 1.0$"):
        cell(1.0)
