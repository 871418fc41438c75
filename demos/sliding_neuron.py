"""What is a convolution? One neuron slid along its input: at every place the same weights.

A neuron with two inputs looks at each pair of neighbours in a row of bits, and learns to say where a 1 follows a 0. A
layer with a neuron of its own for each place learns the same. But in all examples the right half of the row is empty:
what the sliding neuron learned on the left it knows everywhere, in longer rows too; the layer does not.
"""

from collections.abc import Sequence
from itertools import pairwise

from common import parsed, run
from microgrid import Value, math, no_grad
from microgrid.datasets import parity
from microgrid.draw import sparkline
from microgrid.losses import binary_cross_entropy_with_logits
from microgrid.nn import Layer, Module, Neuron
from microgrid.optim import Adam
from microgrid.training import fit

LENGTH = 8
ALL = parity(LENGTH)[0]
EXAMPLES = [row for row in ALL if not any(row[LENGTH // 2 :])]
LONGER = [float(bit) for bit in "0010111001010000110110010100111101000101"]


class Sliding(Module):
    """A neuron that looks at each pair of neighbours: a convolution with a kernel of two weights."""

    def __init__(self, rng: int) -> None:
        self.neuron = Neuron(2, nonlin=False, rng=rng)

    def __call__(self, row: Sequence[float]) -> list[Value]:
        """Return a logit for each place between two inputs."""
        return [self.neuron(pair) for pair in pairwise(row)]


def edges(row: Sequence[float]) -> list[float]:
    """Return for each pair of neighbours whether it is 0 and then 1."""
    return [float(left < right) for left, right in pairwise(row)]


def taught(model: Module, epochs: int) -> list[float]:
    """Return the losses while `model` learns the examples."""
    data, optimizer = (EXAMPLES, [*map(edges, EXAMPLES)]), Adam(model.parameters(), lr=0.2)
    return fit(model, data, loss=binary_cross_entropy_with_logits, optimizer=optimizer, epochs=epochs).loss


@no_grad()
def found(model: Module, row: Sequence[float]) -> list[float]:
    """Return for each pair whether the model says that it is an edge."""
    return [float(logit > 0) for logit in model(row)]


def flawless(model: Module, rows: Sequence[Sequence[float]]) -> int:
    """Return in how many rows every edge is found, and nothing else."""
    return sum(found(model, row) == edges(row) for row in rows)


def text(bits: Sequence[float]) -> str:
    """Return bits as dots and hashes."""
    return "".join(".#"[int(bit)] for bit in bits)


def main(argv: Sequence[str] | None = None) -> None:
    """Teach both, and let the sliding neuron read a longer row."""
    options = parsed(__doc__, argv, seed=0, epochs=150)
    models = {
        "one neuron, slid": Sliding(options.seed),
        "a neuron for each": Layer(LENGTH, LENGTH - 1, nonlin=False, rng=options.seed),
    }
    print(f"{'':19}parameters  {'loss (log)':42}right of {len(EXAMPLES)} examples, of all {len(ALL)} rows")
    counts = []
    for name, model in models.items():
        logs = [math.log10(loss) for loss in taught(model, options.epochs)]
        counts.append(flawless(model, ALL))
        picture = sparkline(logs, low=-3, high=0)
        print(f"{name:19}{len(model.parameters()):10}  {picture:42}{flawless(model, EXAMPLES):11}{counts[-1]:20}")
    sliding = models["one neuron, slid"]
    left, right = (weight.data for weight in sliding.neuron.w)
    print(f"\nits kernel: {left:.2f} {right:.2f}, bias {sliding.neuron.b.data:.2f}")
    print(f"a longer row  {text(LONGER)}")
    print(f"edges found    {text(found(sliding, LONGER))}\n")
    print(
        f"Shared weights carried what was learned to where no example was: {counts[0]} rows right against {counts[1]}."
    )


if __name__ == "__main__":
    run(main)
