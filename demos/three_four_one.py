"""What does a mistake in a hand-written gradient cost? Two networks of 3-4-1 sigmoid neurons learn xor.

The first has no biases but a third input that is always 1. The second has biases, and was published with an update
written by hand. It looks like backpropagation, and the error falls, but it holds two mistakes:

- the sigmoid's slope is taken at the neuron's output, not at its weighted sum;
- the hidden biases get the mean over the hidden units, one number for each sample, not over the samples one for each
  unit. It runs only because there are as many samples as hidden units.

A differentiated loss cannot make them. Both are run from the same first weights.
"""

from collections.abc import Iterable, Sequence
from functools import partial, reduce
from itertools import pairwise
from math import exp
from operator import add, mul

from common import new_figure, parsed, run
from microgrid import no_grad
from microgrid.draw import sparkline
from microgrid.losses import l1_loss, mse_loss
from microgrid.nn import MLP, uniform
from microgrid.optim import SGD
from microgrid.training import History, fit

FIRST = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], [0, 1, 1, 0]
SECOND = [[0, 1, 1], [1, 0, 1], [1, 1, 1], [0, 0, 1]], [1, 1, 0, 0]
HIDDEN = [  # a row for each input, a column for each hidden unit
    [1.6243453636632417, -0.6117564136500754, -0.5281717522634557, -1.0729686221561705],
    [0.8654076293246785, -2.3015386968802827, 1.74481176421648, -0.7612069008951028],
    [0.31903909605709857, -0.2493703754774101, 1.462107937044974, -2.060140709497654],
]
HIDDEN_BIAS = [-0.17242820755043575, -0.8778584179213718, 0.04221374671559283, 0.5828152137158222]
OUTPUT = [-0.3224172040135075, -0.38405435466841564, 1.1337694423354374, -1.0998912673140309]
OUTPUT_BIAS = -1.1006191772129212
UNITS = range(4)


def without_biases(seed: int, epochs: int) -> list[float]:
    """Return what the first network says after training on the sum of squared errors with the learning rate 0.1."""
    init = partial(uniform, low=0.0, high=1.0)
    net = MLP(3, [4, 1], activation="sigmoid", output="sigmoid", bias=False, init=init, rng=seed)
    optimizer = SGD(net.parameters(), lr=4 * 0.1)  # `fit` follows the mean of four errors
    fit(net, FIRST, loss=mse_loss, optimizer=optimizer, epochs=epochs)
    return answers(net, FIRST[0])


def published() -> MLP:
    """Return the second network with its first weights."""
    net = MLP(3, [4, 1], activation="sigmoid", output="sigmoid")
    hidden, output = net.layers
    numbers = [number for unit in UNITS for number in (*(row[unit] for row in HIDDEN), HIDDEN_BIAS[unit])]
    for leaf, number in zip(hidden.parameters() + output.parameters(), [*numbers, *OUTPUT, OUTPUT_BIAS], strict=True):
        leaf.data = number
    return net


@no_grad()
def answers(net: MLP, rows: Sequence[Sequence[float]]) -> list[float]:
    """Return what the network says to the rows."""
    return [net(row).data for row in rows]


def by_hand(epochs: int) -> list[float]:
    """Return the mean absolute error at every tenth epoch, with the published update kept as it is."""
    (rows, targets), columns = SECOND, [*zip(*SECOND[0], strict=True)]
    hidden, output = [[*units] for units in zip(*HIDDEN, strict=True)], OUTPUT[:]  # hidden: one list for each unit
    hidden_bias, output_bias = HIDDEN_BIAS[:], OUTPUT_BIAS
    errors = []
    for epoch in range(epochs + 1):
        seen = [[sigmoid(dot(w, row) + b) for w, b in zip(hidden, hidden_bias, strict=True)] for row in rows]
        said = [sigmoid(dot(output, units) + output_bias) for units in seen]
        if epoch % 10 == 0:
            errors.append(l1_loss(said, targets))
        deltas = [(out - target) * slope(out) for out, target in zip(said, targets, strict=True)]
        backs = [
            [delta * output[j] * slope(units[j]) for j in UNITS] for delta, units in zip(deltas, seen, strict=True)
        ]
        output = [output[j] - dot(deltas, [units[j] for units in seen]) for j in UNITS]
        for j in UNITS:
            back = [sample[j] for sample in backs]
            hidden[j] = [weight - dot(column, back) for weight, column in zip(hidden[j], columns, strict=True)]
        output_bias -= plain_sum(deltas) / 4
        hidden_bias = [
            bias - plain_sum(sample) / 4 for bias, sample in zip(hidden_bias, backs, strict=True)
        ]  # the mix-up
    return errors


def sigmoid(x: float) -> float:
    """Return the sigmoid of `x`."""
    return 1 / (1 + exp(-x))


def plain_sum(xs: Iterable[float]) -> float:
    """Return the sum from left to right: the builtin rounds less from Python 3.12 on, and the last bit counts here."""
    return reduce(add, xs)


def dot(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the sum of products."""
    return plain_sum(map(mul, xs, ys))


def slope(out: float) -> float:
    """Return the slope of the sigmoid at `out`, which is not where it should be taken."""
    return sigmoid(out) * (1 - sigmoid(out))


def by_engine(epochs: int) -> list[float]:
    """Return the mean absolute error at every tenth epoch, along the gradient of half the sum of squared errors."""
    net, (rows, targets) = published(), SECOND
    errors = [l1_loss(answers(net, rows), targets)]

    def look(epoch: int, history: History) -> None:
        if epoch % 10 == 0:
            errors.append(l1_loss(answers(net, rows), targets))

    optimizer = SGD(net.parameters(), lr=4 / 2 * 1.0)
    fit(net, SECOND, loss=mse_loss, optimizer=optimizer, epochs=epochs, callbacks=[look])
    return errors


def first_below(errors: Sequence[float], bound: float) -> str:
    """Return the first epoch seen with an error below `bound`."""
    return next((f"{10 * place:,}" for place, error in enumerate(errors) if error < bound), "never")


def jumps(errors: Sequence[float]) -> int:
    """Return how often an error is more than twice the one seen before."""
    return sum(after > 2 * before for before, after in pairwise(errors))


def draw(file: str, errors: dict[str, list[float]]) -> None:
    """Draw the errors over the epochs."""
    figure = new_figure()
    axes = figure.subplots()
    for name, numbers in errors.items():
        axes.semilogy(range(0, 10 * len(numbers), 10), numbers, label=name)
    axes.set(title="3-4-1 network on xor", xlabel="epoch", ylabel="mean absolute error")
    axes.legend()
    figure.savefig(file)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the first network, and the second one in both ways."""
    options = parsed(__doc__, argv, seed=2, epochs=10_000, plot=True)
    said = without_biases(options.seed, options.epochs)
    print(f"without biases, {options.epochs:,} epochs, targets 0 1 1 0:" + "".join(f"{out:7.3f}" for out in said))
    errors = {"by hand": by_hand(options.epochs), "gradient": by_engine(options.epochs)}
    print(f"\nwith biases, mean absolute error{'by hand':>20}{'gradient':>20}")
    for epoch in range(0, options.epochs + 1, 1000):
        print(f"{epoch:>32,}" + "".join(f"{numbers[epoch // 10]:20.16f}" for numbers in errors.values()))
    for bound in (0.1, 0.05):
        print(f"{f'below {bound} in epoch':>32}" + "".join(f"{first_below(n, bound):>20}" for n in errors.values()))
    print()
    for name, numbers in errors.items():
        print(f"{name:9}{sparkline(numbers)}")
    if options.plot:
        draw(options.plot, errors)
    wrong, right = errors.values()
    print(f"\nThe error more than doubled {jumps(wrong)} times by the rule, and {jumps(right)} times by the gradient.")
    print(f"In the end the rule is {wrong[-1] / right[-1]:.1f} times as far off.")


if __name__ == "__main__":
    run(main)
