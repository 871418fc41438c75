"""Training steps as one function: what is generated, and when it is generated anew."""

import math

import pytest

from microgrid import Value, define_rule
from microgrid import math as mg
from microgrid.compiler.arguments import Unfit
from microgrid.compiler.program.form import MOST_PATHS
from microgrid.losses import mse_loss
from microgrid.nn import MLP
from microgrid.optim import SGD, Adam, Optimizer
from microgrid.training.generated import CompiledSteps

XOR_ROWS = [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]


def steps_of(loss, optimizer, slots=0, size=1, rows=(), samples=()):
    return CompiledSteps(loss, optimizer, optimizer.params, slots, rows, samples or [[0.5] * size])


def step_of(loss, optimizer, slots=0, **sizes):
    """Return a function that takes one step, and has what `CompiledSteps` has."""
    steps = steps_of(loss, optimizer, slots, **sizes)

    def step(numbers, rows, number, lr):
        (loss,), moved = steps(numbers, [rows], number - 1, [lr])
        return loss, moved

    step.compiled = steps
    return step


def test_a_step_is_one_readable_function():
    w, b = Value(2.0), Value(1.0)
    step = step_of(lambda x, y: (w * x + b - y) ** 2, SGD([w, b], lr=0.5), size=2)
    assert step.compiled.source == ""
    assert step([2.0, 1.0], [[1.0, 2.0], [0.0, 1.0]], 1, 0.5) == (0.5, [1.5, 0.5])
    assert step.compiled.source == (
        "def training_steps(numbers, leaves, batches, rates, steps):\n"
        "    parameter0, parameter1 = numbers\n"
        "    losses, missed = [], None\n"
        "    for rows, lr in zip(batches, rates):\n"
        "        gradient0 = gradient1 = 0.0\n"
        "        loss, scale = 0.0, 1.0 / len(rows)\n"
        "        for row in rows:\n"
        "            input0, input1 = row\n"
        "            sub_2 = parameter0 * input0 + parameter1 - input1\n"
        "            loss += sub_2 ** 2.0\n"
        "            d_sub_2 = scale * (2.0 * sub_2)\n"
        "            gradient0 += d_sub_2 * input0\n"
        "            gradient1 += d_sub_2\n"
        "        parameter0 = parameter0 - lr * gradient0\n"
        "        parameter1 = parameter1 - lr * gradient1\n"
        "        losses.append(loss * scale)\n"
        "    return losses, [parameter0, parameter1], missed\n"
    )
    assert (w.data, b.data, w.grad, b.grad) == (2.0, 1.0, 0.0, 0.0)


def test_several_steps_end_before_something_new():
    """The second step meets a new way, the fourth a new update: the numbers are those after the steps before."""

    class Late(Optimizer):
        def update(self, parameter, gradient, state, step, lr):
            return (parameter - lr * gradient if step < 4 else parameter + step, ())

    w = Value(1.0)
    steps = steps_of(lambda x: w * x if x > 0 else w * x * 2, Late([w]))
    batches = [[[1.0], [1.0]], [[1.0], [-1.0]], [[1.0]], [[1.0]], [[1.0]]]
    rates = [0.5, 1.0, 0.25, 1.0, 1.0]
    assert steps([1.0], batches, 0, rates) == ([1.0], [0.5])
    assert steps([0.5], batches[1:], 1, rates[1:]) == ([-0.25, 1.0], [0.75])
    assert steps([0.75], batches[3:], 3, rates[3:]) == ([0.75, 4.75], [9.75])
    assert (len(steps.paths), len(steps.updates)) == (2, 2)


def test_a_shared_parameter_gains_term_by_term_as_in_an_eager_pass():
    w = Value(2.0)
    step = step_of(lambda x: w * x - w, SGD([w]))
    assert step([2.0], [[3.0]], 1, 1.0) == (4.0, [0.0])
    gains = [line.strip() for line in step.compiled.source.splitlines() if "gradient0 +=" in line]
    assert sorted(gains) == ["gradient0 += -scale", "gradient0 += scale * input0"]


def test_dead_units_add_nothing():
    """What only a unit of the first layer needs is computed in its block; the adjoints of the second go on to it."""
    net = MLP(2, [2, 3, 1], activation="relu", rng=1)
    optimizer = SGD(net.parameters())
    step = step_of(lambda a, b, y: mse_loss(net([a, b]), y), optimizer, size=3)
    step([parameter.data for parameter in optimizer.params], XOR_ROWS, 1, 0.1)
    lines = [line.strip() for line in step.compiled.source.splitlines()]
    assert len([line for line in lines if line.startswith("if dot_")]) == 2
    assert len([line for line in lines if line.startswith("if d_dot_")]) == 3
    first = lines.index("if dot_0 > 0.0:")
    assert lines[first + 1 : first + 5] == [
        "d_dot_0 = d_dot_8 * parameter12 + d_dot_6 * parameter9 + d_dot_4 * parameter6",
        "gradient0 += d_dot_0 * input0",
        "gradient1 += d_dot_0 * input1",
        "gradient2 += d_dot_0",
    ]


def test_paths_are_added_as_they_are_met_with_the_numbers_that_lead_there():
    traces = []
    w = Value(1.0)

    def loss(x):
        traces.append(x)
        return w * x if w * x > 0 else w * 3.0

    step = step_of(loss, SGD([w]))
    assert step([1.0], [[1.0], [2.0]], 1, 1.0) == (1.5, [-0.5])
    assert len(traces) == 1 and w.data == 1.0
    assert step([-0.5], [[1.0], [-1.0]], 2, 1.0) == ((-1.5 + 0.5) / 2, [-1.5])
    assert len(traces) == 2 and w.data == -0.5
    assert step([-0.5], [[1.0], [-1.0]], 3, 1.0)[1] == [-1.5] and len(traces) == 2
    assert step.compiled.source.count("for _ in (0,):") == 2 and step.compiled.source.count("missed = row") == 1


def test_paths_are_bounded():
    w = Value(1.0)
    step = step_of(lambda x: w * int(x), SGD([w]))
    rows = [[float(number)] for number in range(MOST_PATHS + 1)]
    assert step([1.0], rows[:-1], 1, 1.0)[0] == sum(range(MOST_PATHS)) / MOST_PATHS
    with pytest.raises(Unfit, match="more than 16 paths through the loss"):
        step([1.0], rows, 2, 1.0)


def test_integers_are_indices():
    table = [Value(1.0), Value(2.0), Value(3.0)]
    rows = [[2.0], [0.0]]
    step = step_of(lambda x: table[x], SGD(table), rows=rows, samples=[[2], [0]])
    assert step([1.0, 2.0, 3.0], rows, 1, 1.0) == (2.0, [0.5, 2.0, 2.5]) and rows == [[2.0, 2], [0.0, 0]]
    steps_of(lambda x: table[x], SGD(table), rows=rows, samples=[[2], [0]])
    assert rows == [[2.0], [0.0]]
    with pytest.raises(Unfit, match="a trial run raised TypeError"):
        step_of(lambda x: table[x], SGD(table))([1.0, 2.0, 3.0], [[2.0]], 1, 1.0)


def test_leaves_of_others_are_read_at_each_step():
    w, first, second = Value(1.0), Value(0.5), Value(0.5)
    step = step_of(lambda x: w * first * x + second if x > 0 else second * w * x, SGD([w]))
    assert step([1.0], [[1.0]], 1, 1.0) == (1.0, [0.5])
    assert step([1.0], [[-1.0]], 1, 1.0) == (-0.5, [1.5])
    first.data, second.data = 2.0, 4.0
    assert step([1.0], [[1.0]], 2, 1.0) == (6.0, [-1.0])
    assert step([1.0], [[-1.0]], 2, 1.0) == (-4.0, [5.0])
    assert len(step.compiled.others) == 2


def test_hyperparameters_are_asked_for_anew():
    w = Value(1.0)
    step = step_of(lambda x: w * x, optimizer := SGD([w]))
    assert step([1.0], [[1.0]], 1, 0.5) == (1.0, [0.5])
    step.compiled.refresh()
    assert len(step.compiled.updates) == 1
    optimizer.weight_decay = 1.0
    assert step([1.0], [[1.0]], 1, 0.5) == (1.0, [0.5])
    step.compiled.refresh()
    assert step([1.0], [[1.0]], 1, 0.5) == (1.0, [0.0]) and len(step.compiled.paths) == 1
    step.compiled.refresh()
    assert len(step.compiled.updates) == 1


@pytest.mark.usefixtures("rules_restored")
@pytest.mark.parametrize("name", ["state", "add_1_of", "d_add", "update", "total_loss", "parameter_", "lr0"])
def test_rules_may_be_called_nearly_like_what_is_generated(name):
    """The names of traces end in an underscore and a number; no other name does."""
    double = define_rule(f"{name}(x)", lambda x: 2 * x, x="2")
    a, b = Value(1.0), Value(3.0)

    def loss(x, y):
        return double(double(double(a * x) + b) + y)

    step = step_of(loss, SGD([a, b], momentum=0.5), 1, size=2)
    assert step([1.0, 3.0, 0.0, 0.0], [[1.0, 5.0]], 1, 1.0) == (30.0, [-7.0, -1.0, 8.0, 4.0])


@pytest.mark.usefixtures("rules_restored")
@pytest.mark.parametrize(
    "name", ["scale", "row", "rates", "missed", "steps", "loss", "parameter0", "leaf12", "state1_of3", "gradient"]
)
def test_rules_that_are_called_like_what_is_generated_are_refused(name):
    double = define_rule(f"{name}(x)", lambda x: 2 * x, x="2")
    with pytest.raises(Unfit, match=f"an operation is called {name}, a name that"):
        step_of(lambda x: double(x), SGD([Value(1.0)]))([1.0], [[1.0]], 1, 1.0)


def test_rows_and_helpers_have_their_names():
    """The partials of a power call `step`, a row; `total` is a row as well."""
    w = Value(2.0)
    step = step_of(lambda x: w**x + mg.step(w) + mg.tanh(w) * x, SGD([w]))
    value, (moved,) = step([2.0], [[3.0]], 1, 1.0)
    assert value == pytest.approx(9 + 3 * math.tanh(2)) and moved == pytest.approx(2 - 12 - 3 / math.cosh(2) ** 2)


def test_what_is_shared_by_updates_and_what_a_sample_computes_have_names_of_their_own():
    """However long the loss: its results could be numbered like those of the update."""
    for length in range(25):
        w = Value(0.5)

        def loss(x, w=w, length=length):
            total = w * x
            for _ in range(length):
                total = 1.0 - total
            return total

        optimizer = Adam([w], lr=0.1)
        _, (moved, *_) = step_of(loss, optimizer, 2)([0.5, 0.0, 0.0], [[1.0]], 1, 0.1)
        assert moved == pytest.approx(0.5 - 0.1 * (-1) ** length, rel=1e-6)


def test_generated_code_raises_what_it_raises():
    w = Value(1.0)
    step = step_of(lambda x: (w * x).log(), SGD([w]))
    assert step([1.0], [[1.0]], 1, 1.0) == (0.0, [0.0])
    with pytest.raises(ValueError, match="math domain error"):
        step([1.0], [[-1.0]], 2, 1.0)
    assert math.isnan(step([math.nan], [[1.0]], 2, 1.0)[0])


@pytest.mark.usefixtures("rules_restored")
def test_steps_are_compiled_again_where_a_rule_was_defined_again():
    class Own(Optimizer):
        def update(self, parameter, gradient, state, step, lr):
            return parameter - lr * stretched(gradient), ()

    stretched = define_rule("stretched(x)", "2 * x", x="2")
    a, b = Value(1.0), Value(3.0)
    step = step_of(lambda x: stretched(a * x) if x < 5 else b * x, Own([a]))
    assert step([1.0], [[1.0]], 1, 0.25) == (2.0, [0.0])
    assert step([1.0], [[9.0]], 1, 0.25) == (27.0, [1.0])
    define_rule("stretched(x)", "4 * x", x="4")
    assert step([1.0], [[1.0]], 1, 0.25) == (4.0, [-3.0])
    assert (len(step.compiled.paths), step.compiled.others) == (1, [])
