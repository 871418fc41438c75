"""Why does a network need activations? Linear layers one upon the other are one linear layer, which cannot say xor.

Three layers without activation are trained on xor, deep as they are. Then their matrices are multiplied: one matrix and
one bias give the same answers. The same network with tanh between the layers learns xor.
"""

from collections.abc import Sequence
from functools import reduce

from common import parsed, run
from microgrid import math, no_grad
from microgrid.datasets import truth_table
from microgrid.draw import sparkline
from microgrid.losses import mse_loss
from microgrid.nn import MLP, Layer
from microgrid.optim import SGD
from microgrid.training import fit

Affine = tuple[list[list[float]], list[float]]  # a matrix and a bias
ROWS, TARGETS = truth_table("xor")


def affine(layer: Layer) -> Affine:
    """Return the matrix of a layer, a row for each neuron, and its biases."""
    return [[w.data for w in neuron.w] for neuron in layer.neurons], [neuron.b.data for neuron in layer.neurons]


def after(first: Affine, second: Affine) -> Affine:
    """Return the map that is `first` and then `second`: B (A x + a) + b = (B A) x + (B a + b)."""
    (inner, a), (outer, b) = first, second
    product = [[math.dot(row, column) for column in zip(*inner, strict=True)] for row in outer]
    return product, [math.dot(row, a, offset) for row, offset in zip(outer, b, strict=True)]


def trained(activation: str | None, seed: int, epochs: int) -> tuple[MLP, list[float]]:
    """Return a network of three layers with that activation, taught xor, and its losses."""
    net = MLP(2, [4, 4, 1], activation=activation, init="glorot_uniform", rng=seed)
    optimizer = SGD(net.parameters(), lr=0.1, momentum=0.9)
    return net, fit(net, (ROWS, TARGETS), loss=mse_loss, optimizer=optimizer, epochs=epochs).loss


@no_grad()
def answers(net: MLP) -> list[float]:
    """Return what the network says to the four rows."""
    return [net(row).data for row in ROWS]


def told(numbers: Sequence[float]) -> str:
    """Return numbers in columns; one that is zero but for roundings is plainly zero."""
    return "".join(f"{number:z9.4f}" for number in numbers)


def main(argv: Sequence[str] | None = None) -> None:
    """Train both networks, and multiply the matrices of the linear one."""
    options = parsed(__doc__, argv, seed=1, epochs=300)
    linear, losses = trained(None, options.seed, options.epochs)
    matrix, bias = reduce(after, map(affine, linear.layers))
    collapsed = [math.dot(matrix[0], row, bias[0]) for row in ROWS]
    bent, bent_losses = trained("tanh", options.seed, options.epochs)

    print(f"xor, layers of 4, 4 and 1 neurons, {len(linear.parameters())} parameters; targets{told(TARGETS)}\n")
    print(f"loss of the linear network  {sparkline(losses)} {losses[-1]:.4f}")
    print(f"loss of the one with tanh   {sparkline(bent_losses)} {bent_losses[-1]:.4f}\n")
    print(f"the linear network says     {told(answers(linear))}")
    print(f"its matrices multiplied     {told(collapsed)}   = [{told(matrix[0])} ] x + {told(bias)}")
    print(f"the one with tanh says      {told(answers(bent))}\n")
    print("All linear layers together were one neuron, and the best that it can say is 1/2 to everything.")


if __name__ == "__main__":
    run(main)
