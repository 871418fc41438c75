"""What must work in Pyodide, the Python of JupyterLite and of web pages; run.mjs runs it there."""

import pickle
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import microgrid
from microgrid import Value, draw, grad, jit, math
from microgrid.losses import binary_cross_entropy_with_logits
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.training import fit, sweep

ROWS, TARGETS = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def xor() -> tuple[MLP, SGD]:
    """Return an untrained network for XOR, with its optimizer."""
    net = MLP(2, [4, 1], activation="tanh", rng=1)
    return net, SGD(net.parameters(), lr=0.5, momentum=0.9)


def answers(net: MLP) -> list[int]:
    """Return what `net` says about the four rows."""
    return [round(net(row).sigmoid().data) for row in ROWS]


def test_this_is_pyodide() -> None:
    assert sys.platform == "emscripten"


def test_it_is_installed_as_a_wheel() -> None:
    about = distribution("microgrid-autograd")
    assert Path(microgrid.__file__).is_relative_to(about.locate_file(""))
    assert [entry.value for entry in about.entry_points if entry.group == "hypothesis"] == [
        "microgrid.testing:_hypothesis_setup_hook"
    ]
    carried = {Path(file).name for file in about.files or []}
    assert carried >= {"LICENSE", "CHANGELOG.md", "py.typed", "METADATA"}


def test_xor_is_learned_eagerly() -> None:
    net, optimizer = xor()
    assert answers(net) != TARGETS
    for _ in range(200):
        loss = binary_cross_entropy_with_logits([net(row) for row in ROWS], TARGETS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert answers(net) == TARGETS


def test_xor_is_learned_by_compiled_steps() -> None:
    net, optimizer = xor()
    history = fit(net, (ROWS, TARGETS), loss=binary_cross_entropy_with_logits, optimizer=optimizer, epochs=200)
    assert len(history.loss) == 200 and history.loss[-1] < 0.05
    assert answers(net) == TARGETS


def test_a_sweep_runs_one_job_after_the_other() -> None:
    assert [result.value for result in sweep(abs, [-1, 2])] == [1, 2]


def test_jit_gives_the_answer_and_the_gradients_of_the_function() -> None:
    def energy(x: Value, y: Value) -> Value:
        return math.exp(-x * x) + y**3 if x > 0 else x * y

    compiled = jit(energy)
    for at in ((0.5, 2.0), (-0.5, 2.0)):
        assert compiled(*map(Value, at)).data == energy(*map(Value, at)).data
        assert grad(compiled, argnums=(0, 1))(*at) == pytest.approx(grad(energy, argnums=(0, 1))(*at), rel=1e-15)
    assert "def tape(numbers):" in compiled.source


def test_a_graph_is_drawn() -> None:
    x = Value(2.0, label="speed")
    picture = draw.to_svg(x * x.tanh())
    assert picture.startswith("<svg ") and "speed" in picture
    assert (x * x)._repr_svg_().startswith("<svg ")


def test_a_deep_graph_needs_no_deep_stack() -> None:
    """Built, differentiated, copied, drawn and freed: a browser gives a program little stack."""
    depth = 100_000
    x = end = Value(1.0)
    for _ in range(depth):
        end = end + x
    end.backward()
    assert (end.data, x.grad) == (depth + 1.0, depth + 1.0)
    assert pickle.loads(pickle.dumps(end)).data == end.data
    assert draw.to_svg(end, max_nodes=20).startswith("<svg ")
    del end
