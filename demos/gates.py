"""What can one neuron say of two bits? Sixteen gates are taught to a perceptron and to neurons with a gradient.

A neuron divides the plane by a line. Fourteen gates have one with their zeros on one side and their ones on the other;
"a xor b" and "a xnor b" have none, and no way of learning helps. Three neurons together are enough.
"""

from collections.abc import Sequence

from common import parsed, run
from microgrid.datasets import GATES, one_hot, truth_table
from microgrid.losses import accuracy, binary_cross_entropy_with_logits, cross_entropy
from microgrid.nn import MLP, Layer, Module, Neuron
from microgrid.optim import SGD
from microgrid.training import fit


def perceptron(gate: str) -> tuple[Neuron, int, int]:
    """Return a neuron with a binary step, taught by Rosenblatt's rule; at most how many rows it had right, and epochs.

    The rule: where the answer is wrong, add or subtract the inputs. It ends when all is right, or when an epoch ends
    with weights that an earlier one ended with: then it would go around forever.
    """
    neuron, seen, best = Neuron(2, activation="step", init="zeros"), set[tuple[float, ...]](), 0
    while (weights := tuple(parameter.data for parameter in neuron.parameters())) not in seen and best < 4:
        seen.add(weights)
        for row, target in zip(*truth_table(gate), strict=True):
            error = target - neuron(row).data
            for weight, x in zip(neuron.parameters(), [*row, 1.0], strict=True):
                weight.data += error * x
        best = max(best, rights(neuron, gate))
    return neuron, best, len(seen)


def rights(model: Module, gate: str, threshold: float = 0.5) -> int:
    """Return how many rows of the gate it has right."""
    rows, targets = truth_table(gate)
    return round(4 * accuracy([model(row) for row in rows], targets, threshold))


def by_gradient(model: Module, gate: str, epochs: int) -> Module:
    """Return the model, taught by gradient descent to give each row a logit, the more the surer the 1."""
    optimizer = SGD(model.parameters(), lr=1.0, momentum=0.9)
    fit(model, truth_table(gate), loss=binary_cross_entropy_with_logits, optimizer=optimizer, epochs=epochs)
    return model


def by_softmax(model: Module, gate: str, epochs: int) -> int:
    """Teach the model two logits for each row, one for no and one for yes; return how many rows it has right."""
    rows, targets = truth_table(gate)
    optimizer = SGD(model.parameters(), lr=1.0, momentum=0.9)
    fit(model, (rows, one_hot(targets, 2)), loss=cross_entropy, optimizer=optimizer, epochs=epochs)
    return round(4 * accuracy([model(row) for row in rows], targets))


def sixteen(seed: int, epochs: int) -> list[str]:
    """Print what becomes of each gate; return those that no neuron could learn."""
    print(f"{'':14}perceptron                     sigmoid                     softmax of two")
    print("gate          right  epochs  w_a w_b  b      right   w_a    w_b     b    right")
    hopeless = []
    for gate in GATES:
        stepped, best, count = perceptron(gate)
        sigmoid = by_gradient(Neuron(2, nonlin=False, rng=seed), gate, epochs)
        counts = best, rights(sigmoid, gate, 0.0), by_softmax(Layer(2, 2, nonlin=False, rng=seed), gate, epochs)
        whole = "".join(f"{weight.data:4.0f}" for weight in stepped.parameters())
        weights = "".join(f"{weight.data:z7.2f}" for weight in sigmoid.parameters())
        print(f"{gate:13}{counts[0]:4}{count:9}  {whole}{counts[1]:11}  {weights}{counts[2]:7}")
        if max(counts) < 4:
            hopeless.append(gate)
    return hopeless


def composed_xor() -> list[float]:
    """Return the answers of three perceptrons, each taught a gate, that together say a xor b."""
    conjunction, negated, disjunction = (perceptron(gate)[0] for gate in ("a and b", "a nand b", "a or b"))
    return [conjunction([negated(row), disjunction(row)]).data for row in truth_table("xor")[0]]


def by_layers(layers: list[int], activation: str, gates: Sequence[str], seed: int, epochs: int) -> list[int]:
    """Return for each gate how many rows are right after training such a network, with a sigmoid at its output."""
    nets = [by_gradient(MLP(2, layers, activation=activation, rng=seed), gate, epochs) for gate in gates]
    return [rights(net, gate, 0.0) for net, gate in zip(nets, gates, strict=True)]


def main(argv: Sequence[str] | None = None) -> None:
    """Teach all gates to one neuron, and xor to three."""
    options = parsed(__doc__, argv, seed=1, epochs=300)
    hopeless = sixteen(options.seed, options.epochs)
    print("\n'a nor b' is NOT a AND NOT b: an AND like 'a and b', but of other weights, which is all that was learned.")
    print("\nxor composed of three perceptrons, and(nand(a, b), or(a, b)):", *map(int, composed_xor()))
    print("\nright of 4, by a network of layers    and   or  xor")
    for layers, activation in (([1], ""), ([2, 1], "tanh"), ([2, 1], "relu")):
        counts = by_layers(layers, activation or "linear", ("and", "or", "xor"), options.seed, options.epochs)
        print(f"{f'{layers} {activation}':>34} " + "".join(f"{count:5}" for count in counts))
    learned = len(GATES) - len(hopeless)
    print(f"\nOne neuron learned {learned} of {len(GATES)} gates; it failed on {' and '.join(hopeless) or 'none'}.")


if __name__ == "__main__":
    run(main)
