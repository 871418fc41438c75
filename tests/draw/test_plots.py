"""What holds for every plot: axes in and out, no pyplot, the model left as it was; what is said without matplotlib."""

import subprocess
import sys
from fractions import Fraction

import pytest

from microgrid import datasets, draw, math
from microgrid.losses import mse_loss
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.training import Recorder, fit

XOR = datasets.truth_table("xor")


@pytest.fixture(scope="module")
def run():
    """Return a trained network, how that went, and its recorder."""
    net = MLP(2, [2, 1], activation="tanh", rng=3)
    recorder = Recorder(net)
    optimizer = SGD(net.parameters(), lr=0.5)
    return net, fit(net, XOR, loss=mse_loss, optimizer=optimizer, epochs=9, callbacks=[recorder]), recorder


def hidden_and_readout(net):
    return {"hidden": net.layers[0], "data": XOR, "readout": net.layers[1]}


PLOTS = {
    "history": lambda net, history, recorder, ax: draw.plot_history(history, ax),
    "boundary": lambda net, history, recorder, ax: draw.plot_decision_boundary(net, XOR, ax, resolution=5),
    "boundary without data": lambda net, history, recorder, ax: draw.plot_decision_boundary(net, ax=ax, resolution=5),
    "representation": lambda net, history, recorder, ax: draw.plot_representation(**hidden_and_readout(net), ax=ax),
    "representation over epochs": lambda net, history, recorder, ax: draw.plot_representation(
        **hidden_and_readout(net), ax=ax, recorder=recorder, epoch=4
    ),
    "parameters": lambda net, history, recorder, ax: draw.plot_parameters(net, ax),
    "gradients": lambda net, history, recorder, ax: draw.plot_parameters(net, ax, grads=True),
    "parameters over epochs": lambda net, history, recorder, ax: draw.plot_parameters(net, ax, recorder=recorder),
    "surface": lambda net, history, recorder, ax: draw.plot_loss_surface(
        net, XOR, ax, loss=mse_loss, resolution=4, rng=0, compile=False
    ),
    "compiled surface and path": lambda net, history, recorder, ax: draw.plot_loss_surface(
        net, XOR, ax, loss=mse_loss, resolution=4, recorder=recorder
    ),
}
EVERY_PLOT = pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)


def state(net):
    return [(leaf, leaf.data, leaf.grad, leaf.label, leaf.op) for leaf in net.parameters()]


@pytest.mark.dev
@EVERY_PLOT
def test_axes_in_axes_out(plot, run):
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    left, right = figure.subfigures(1, 2)
    for ax in (left.subplots(), right.subplots(2, 2)[1, 0]):
        assert plot(*run, ax) is ax
        assert ax.has_data() and ax.get_title()
    figure.draw_without_rendering()  # with warnings as errors: the layout fits


@pytest.mark.dev
@EVERY_PLOT
def test_a_figure_of_its_own(plot, run, tmp_path):
    ax, other = plot(*run, None), plot(*run, None)
    assert ax.figure is not other.figure
    ax.figure.savefig(tmp_path / "figure.svg")
    assert ax.get_xlabel() or ax.get_title() in ("parameters", "gradients")


@pytest.mark.dev
@EVERY_PLOT
def test_the_model_is_left_as_it_was(plot, run):
    net, history, recorder = run
    mse_loss([net(row) for row in XOR[0]], XOR[1]).backward()
    before, taken_down = state(net), [*recorder.parameters]
    plot(net, history, recorder, None)
    assert all(x is y for old, new in zip(before, state(net), strict=True) for x, y in zip(old, new, strict=True))
    assert recorder.parameters == taken_down


@pytest.mark.dev
@pytest.mark.filterwarnings("ignore:jit:RuntimeWarning")
@pytest.mark.parametrize("plot", ["representation over epochs", "surface", "compiled surface and path"])
def test_the_model_is_left_as_it_was_when_something_is_wrong(plot, run):
    """The model fails as soon as its parameters are others than they are."""
    net, history, recorder = run
    expected = [leaf.data for leaf in net.parameters()]

    class Touchy:
        layers = net.layers
        parameters, named_parameters = net.parameters, net.named_parameters

        def __call__(self, x):
            if [leaf.data for leaf in net.parameters()] != expected:
                raise RuntimeError("touched")
            return net(x)

    touchy = Touchy()
    touchy.layers = [touchy, net.layers[1]]
    with pytest.raises(RuntimeError, match="touched"):
        PLOTS[plot](touchy, history, recorder, None)
    assert [leaf.data for leaf in net.parameters()] == expected


@pytest.mark.dev
def test_exact_parameters_stay_exact():
    net = MLP(2, [1], rng=0)
    for leaf in net.parameters():
        leaf.data = Fraction(1, 3)
    before = state(net)
    draw.plot_loss_surface(net, XOR, loss=mse_loss, resolution=2, compile=False, rng=0)
    draw.plot_parameters(net)
    assert state(net) == before and {type(leaf.data) for leaf in net.parameters()} == {Fraction}


@pytest.mark.dev
def test_pyplot_is_never_touched():
    program = (
        "import sys\n"
        "from microgrid import draw\n"
        "assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "draw.plot_history([1.0, 0.5]).figure.draw_without_rendering()\n"
        "draw.plot_decision_boundary(lambda x: x[0], resolution=3).figure.draw_without_rendering()\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@EVERY_PLOT
def test_without_matplotlib(plot, run, monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.colors"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError) as raised:
        plot(*run, None)
    name, _, rest = str(raised.value).partition(" ")
    assert name.startswith("plot_")
    assert rest.startswith("needs matplotlib: install microgrid with the extra plot (pip install '.[plot]')")
    twin = f"draw.{name.removeprefix('plot_')}_text"
    assert hasattr(draw, twin.removeprefix("draw.")) == rest.endswith(f", or use {twin}, which does without")


@EVERY_PLOT
def test_what_are_no_axes(plot, run):
    with pytest.raises(TypeError, match=r"^plot_\w+ expects ax to be matplotlib Axes, got int 3$"):
        plot(*run, 3)


@pytest.mark.dev
def test_pyplot_is_no_axes():
    import matplotlib.pyplot

    with pytest.raises(TypeError, match=r"^plot_history expects ax to be matplotlib Axes, got module <module 'matp"):
        draw.plot_history([1.0], matplotlib.pyplot)


@pytest.mark.dev
def test_points_are_shown_by_class():
    from matplotlib.colors import to_hex

    ax = draw.plot_decision_boundary(lambda x: [x[0], x[1], 0.5], ([[0, 0], [1, 0], [0, 1]], [2, 0, 1]), resolution=5)
    clouds = [cloud for cloud in ax.collections if cloud.get_label() in ("0", "1", "2")]
    assert [cloud.get_offsets().tolist() for cloud in clouds] == [[[1, 0]], [[0, 1]], [[0, 0]]]
    assert len({to_hex(cloud.get_facecolor()[0]) for cloud in clouds}) == 3
    assert len({str(cloud.get_paths()[0].vertices) for cloud in clouds}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2"]
    alone = draw.plot_decision_boundary(lambda x: math.tanh(x[0]), ([[0, 0], [1, 0]], [0, 0]), resolution=5)
    assert alone.get_legend() is None
