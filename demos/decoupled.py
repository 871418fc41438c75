"""Must a layer wait for the backward pass? Decoupled neural interfaces: a small model guesses the gradient instead.

A hidden layer computes its outputs and updates at once, along a synthetic gradient that a model predicts from these
outputs and the target. The layer above trains as always; the true gradient that it finds comes later, and serves only
to teach the model (Jaderberg et al., Decoupled Neural Interfaces using Synthetic Gradients, ICML 2017).

Beside it: the same network trained by backpropagation, and one whose hidden layer stays as it was drawn.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

from common import new_figure, parsed, run
from microgrid import Value, math
from microgrid.datasets import truth_table
from microgrid.draw import plot_history, sparkline
from microgrid.losses import accuracy, binary_cross_entropy_with_logits, mse_loss
from microgrid.nn import MLP, Layer, Sequential
from microgrid.optim import SGD, Adam
from microgrid.training import fit

ROWS, TARGETS = truth_table("xor")
UNITS = 4


class Course(NamedTuple):
    """What a training was like: the losses, how well synthetic gradients point along the true ones, rows right."""

    losses: list[float]
    agreement: list[float]
    rights: int


def layers(rng: random.Random) -> tuple[Layer, Layer]:
    """Return the hidden layer and the output neuron."""
    return Layer(2, UNITS, activation="tanh", rng=rng), Layer(UNITS, 1, nonlin=False, rng=rng)


def decoupled(seed: int, epochs: int) -> Course:
    """Train the hidden layer by synthetic gradients only."""
    rng = random.Random(seed)
    lower, upper = layers(rng)
    guesser = MLP(UNITS + 1, [8, UNITS], activation="tanh", init="glorot_uniform", rng=rng)
    steps = SGD(lower.parameters(), lr=0.5), SGD(upper.parameters(), lr=0.5), Adam(guesser.parameters(), lr=0.02)
    losses, agreement = [], []
    for _ in range(epochs):
        for optimizer in steps:
            optimizer.zero_grad()
        outputs = [lower(row) for row in ROWS]
        received = [[Value(unit.data) for unit in units] for units in outputs]  # all that crosses the boundary
        guesses = [guesser([*units, target]) for units, target in zip(received, TARGETS, strict=True)]

        along(outputs, guesses).backward()  # at once: the layer above has not run yet
        steps[0].step()

        loss = binary_cross_entropy_with_logits([upper(units) for units in received], TARGETS)
        loss.backward()
        steps[1].step()

        true = [len(ROWS) * unit.grad for units in received for unit in units]  # of each row's own loss
        guessed = [slope for row in guesses for slope in row]
        agreement.append(cosine([slope.data for slope in guessed], true))
        mse_loss(guessed, true).backward()
        steps[2].step()
        losses.append(loss.data)
    return Course(losses, agreement, rights(lower, upper))


def along(outputs: list[list[Value]], gradients: list[list[Value]]) -> Value:
    """Return a number whose gradient by the outputs is the one given, so that `backward` carries it further down."""
    rows = zip(outputs, gradients, strict=True)
    return math.mean([math.dot(units, [slope.data for slope in gradient]) for units, gradient in rows])


def cosine(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors: 1 if they point the same way, 0 if one of them is zero."""
    return math.dot(xs, ys) / (math.hypot(*xs) * math.hypot(*ys) or 1.0)


def rights(lower: Layer, upper: Layer) -> int:
    """Return how many rows are right."""
    return round(4 * accuracy([upper(lower(row)) for row in ROWS], TARGETS, 0.0))


def coupled(seed: int, epochs: int, *, frozen: bool = False) -> Course:
    """Train both layers by backpropagation, or only the upper one."""
    lower, upper = layers(random.Random(seed))
    if frozen:
        lower.freeze()
    optimizer = SGD([*lower.parameters(), *upper.parameters()], lr=0.5)
    net, data = Sequential(lower, upper), (ROWS, TARGETS)
    history = fit(net, data, loss=binary_cross_entropy_with_logits, optimizer=optimizer, epochs=epochs)
    return Course(history.loss, [], rights(lower, upper))


def draw(file: str, courses: dict[str, Course]) -> None:
    """Draw the losses, and how well the synthetic gradients agree with the true ones."""
    figure = new_figure(10, 4)
    losses, agreement = figure.subplots(1, 2)
    plot_history({name: course.losses for name, course in courses.items()}, losses, log=True)
    agreement.plot(courses["synthetic gradients"].agreement)
    agreement.set(title="cosine of synthetic and true gradient", xlabel="epoch", ylim=(-1.05, 1.05))
    figure.savefig(file)


def main(argv: Sequence[str] | None = None) -> int:
    """Train in three ways; return 0 if synthetic gradients were enough."""
    options = parsed(__doc__, argv, seed=0, epochs=400, plot=True)
    courses = {
        "synthetic gradients": decoupled(options.seed, options.epochs),
        "true gradients": coupled(options.seed, options.epochs),
        "hidden layer frozen": coupled(options.seed, options.epochs, frozen=True),
    }
    print(f"{'hidden layer trained by':24}{'loss (log)':42}at the end  right of 4")
    for name, (losses, _, count) in courses.items():
        logs = [math.log10(loss) for loss in losses]
        print(f"{name:24}{sparkline(logs, low=-2, high=0):42}{losses[-1]:10.4f}{count:8}")
    agreement = courses["synthetic gradients"].agreement
    print(f"\n{'cosine with the true':24}{sparkline(agreement, low=-1, high=1):42}{agreement[-1]:10.4f}\n")
    if options.plot:
        draw(options.plot, courses)
    learned = courses["synthetic gradients"].rights == 4
    found = "learned" if learned else "did not learn"
    print(f"Without ever waiting for a gradient, the hidden layer {found} what xor needs.")
    return 0 if learned else 1


if __name__ == "__main__":
    run(main)
