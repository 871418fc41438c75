"""How can training fail, and what helps? One network learns xor; then one thing at a time is changed for the worse.

First the learning rate: too small, right, too large, and too large with the gradient clipped. Then what else goes
wrong, each mistake followed by its cure. The training loop is written out, since half of the mistakes are made in it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from common import new_figure, parsed, run
from microgrid import Value, math, no_grad
from microgrid.datasets import truth_table
from microgrid.draw import sparkline
from microgrid.losses import accuracy, mse_loss
from microgrid.nn import MLP
from microgrid.optim import SGD, clip_grad_norm_

ROWS, TARGETS = truth_table("xor")
RIGHT = 0.1  # the learning rate that serves


class Attempt(NamedTuple):
    """What became of a training: the mean squared error of each epoch, and how many rows are right at the end."""

    errors: list[float]
    rights: int

    @property
    def learned(self) -> bool:
        """Whether all rows are right, and clearly so."""
        return self.rights == 4 and self.errors[-1] < 0.01


def network(seed: int, sizes: Sequence[int] = (8, 1), **options: object) -> MLP:
    """Return the network that learns, unless something else is asked for."""
    return MLP(2, sizes, **{"activation": "relu", "rng": seed, **options})


def train(
    net: MLP,
    epochs: int,
    lr: float = RIGHT,
    *,
    loss: Callable[[list[Value], list[int]], Value] = mse_loss,
    max_norm: float = math.inf,
    forgetful: bool = False,
) -> Attempt:
    """Return what becomes of `net`; it ends early where numbers are too large to go on."""
    optimizer, errors = SGD(net.parameters(), lr=lr), []
    for _ in range(epochs):
        try:
            outputs = [net(row) for row in ROWS]
            errors.append(mse_loss(outputs, TARGETS).data)
            if not forgetful:
                optimizer.zero_grad()
            loss(outputs, TARGETS).backward()
            clip_grad_norm_(net.parameters(), max_norm)
            optimizer.step()
        except OverflowError:
            errors.append(math.inf)
        if not math.isfinite(errors[-1]):
            break
    with no_grad():
        return Attempt(errors, round(4 * accuracy([net(row) for row in ROWS], TARGETS)))


def rates(seed: int, epochs: int) -> dict[str, Attempt]:
    """Return what becomes of the network at several learning rates."""
    return {
        "0.001, too small": train(network(seed), epochs, 0.001),
        "0.1, right": train(network(seed), epochs),
        "3, too large": train(network(seed), epochs, 3.0),
        "3, clipped": train(network(seed), epochs, 3.0, max_norm=0.02),
    }


def mistakes(seed: int, epochs: int) -> dict[str, Attempt]:
    """Return what becomes of the network by mistakes, and by their cures."""
    right = train(network(seed), epochs)
    return {
        "all first weights alike": train(network(seed, init="constant"), epochs),
        "    drawn at random": right,
        "zero_grad forgotten": train(network(seed), epochs, forgetful=True),
        "    not forgotten": right,
        "every relu dead": train(biased(network(seed), -2.0), epochs),
        "    elu instead, as biased": train(biased(network(seed, activation="elu"), -2.0), epochs),
        "two hidden units, stuck": train(network(seed, (2, 1)), epochs),
        "    eight of them": right,
        "errors with their sign": train(network(seed), epochs, loss=signed_error),
        "    squared": right,
    }


def biased(net: MLP, bias: float) -> MLP:
    """Return `net` with that bias in all hidden units; a relu that is 0 for every row learns nothing anymore."""
    for neuron in net.layers[0].neurons:
        neuron.b.data = bias
    return net


def signed_error(outputs: list[Value], targets: list[int]) -> Value:
    """Return the mean error, which is no loss: errors of different sign cancel, and it has no smallest value."""
    return math.mean([output - target for output, target in zip(outputs, targets, strict=True)])


def show(title: str, attempts: dict[str, Attempt]) -> None:
    """Print each attempt: its errors on a logarithmic scale, the last one, and how many rows are right."""
    print(f"{title:28}{'error, from 1e-6 to 1':41}{'at the end':>10}  right of 4")
    for name, (errors, rights) in attempts.items():
        logs = [math.log10(max(error, 1e-6)) for error in errors]
        print(f"{name:28}{sparkline(logs, low=-6, high=0):41}{errors[-1]:10.2g}{rights:8}")
    print()


def draw(file: str, sections: Sequence[dict[str, Attempt]]) -> None:
    """Draw the errors of all attempts."""
    figure = new_figure(11, 5)
    for axes, attempts in zip(figure.subplots(1, len(sections), sharey=True), sections, strict=True):
        for name, (errors, _) in attempts.items():
            axes.semilogy(
                [min(error, 1e6) for error in errors], "--" if name.startswith(" ") else "-", label=name.strip()
            )
        axes.set(xlabel="epoch", ylabel="mean squared error", ylim=(1e-12, 1e6))
        axes.legend()
    figure.savefig(file)


def main(argv: Sequence[str] | None = None) -> None:
    """Show the learning rates, and the mistakes with their cures."""
    options = parsed(__doc__, argv, seed=3, epochs=400, plot=True)
    studied, made = rates(options.seed, options.epochs), mistakes(options.seed, options.epochs)
    show("learning rate", studied)
    show("mistake, and cure", made)
    if options.plot:
        draw(options.plot, (studied, made))
    failed = sum(not attempt.learned for name, attempt in made.items() if not name.startswith(" "))
    cured = sum(attempt.learned for name, attempt in made.items() if name.startswith(" "))
    print("A step must be small enough for the error to fall, and no smaller; a clipped gradient forgives more.")
    print(f"Of five mistakes {failed} kept the network from learning; of their cures {cured} let it learn.")


if __name__ == "__main__":
    run(main)
