"""Is backpropagation what one would calculate by hand? Four examples, each number beside that of the engine.

The left column is school arithmetic, forward through the formulas and back by the chain rule, both written out. The
right one is what `Value`s find by themselves: for them only the way forward is written.
"""

from collections.abc import Iterator, Sequence
from math import exp

from common import parsed, run
from microgrid import Value, grad, math
from microgrid.losses import mse_loss
from microgrid.nn import MLP, Neuron
from microgrid.optim import SGD
from microgrid.training import fit

Line = tuple[str, float, float]  # what it is, by hand, by the engine
INPUTS, TARGETS = (0.05, 0.10), (0.01, 0.99)
WEIGHTS, BIASES = [0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55], (0.35, 0.60)
W, X = [[0.1, 0.5], [-0.3, 0.8]], [0.2, 0.4]


def sigmoid(x: float) -> float:
    """Return the sigmoid of `x`, as it stands in a textbook."""
    return 1 / (1 + exp(-x))


def one_neuron() -> Iterator[Line]:
    """Yield one step of a hidden neuron before two output neurons; by hand it is rounded on the way."""
    neuron = Neuron(2, activation="sigmoid")
    for parameter, number in zip(neuron.parameters(), (0.46, 0.03, 0.12), strict=True):
        parameter.data = number
    hidden = neuron([1, 1])
    yield "weighted sum: 0.46 * 1 + 0.03 * 1 + 0.12", 0.61, math.dot(neuron.w, [1, 1], neuron.b).data
    yield "its sigmoid", 0.6479, hidden.data

    output = Value(math.log(0.77 / 0.23))  # the weighted sum of an output neuron that says 0.77
    (mse_loss(output.sigmoid(), 1.0) / 2).backward()
    yield "an output's delta: (0.77 - 1) * 0.77 * 0.23", -0.040733, output.grad

    outputs = 0.37 * hidden, 0.13 * hidden  # as far as they depend on it
    (-0.040 * outputs[0] + 0.146 * outputs[1]).backward()  # the deltas of both come back
    yield "hidden error: 0.37 * -0.040 + 0.13 * 0.146", 0.00418, hidden.grad
    yield "its delta: 0.00418 * 0.65 * 0.35", 0.00095, neuron.b.grad
    SGD(neuron.parameters(), lr=0.1).step()
    yield "new weight: 0.46 - 0.1 * 0.001 * 1", 0.4599, neuron.w[0].data
    yield "new bias: 0.12 - 0.1 * 0.001", 0.1199, neuron.b.data


def loss_and_gradient(weights: Sequence[float]) -> tuple[float, list[float]]:
    """Return the loss of the network of two inputs, H1, H2, O1 and O2, and its derivatives by w1 ... w8, by hand."""
    w1, w2, w3, w4, w5, w6, w7, w8 = weights
    (i1, i2), (t1, t2), (b1, b2) = INPUTS, TARGETS, BIASES
    h1, h2 = sigmoid(w1 * i1 + w2 * i2 + b1), sigmoid(w3 * i1 + w4 * i2 + b1)
    o1, o2 = sigmoid(w5 * h1 + w6 * h2 + b2), sigmoid(w7 * h1 + w8 * h2 + b2)
    loss = (t1 - o1) ** 2 / 2 + (t2 - o2) ** 2 / 2
    d1, d2 = (o1 - t1) * o1 * (1 - o1), (o2 - t2) * o2 * (1 - o2)
    e1, e2 = (d1 * w5 + d2 * w7) * h1 * (1 - h1), (d1 * w6 + d2 * w8) * h2 * (1 - h2)
    return loss, [e1 * i1, e1 * i2, e2 * i1, e2 * i2, d1 * h1, d1 * h2, d2 * h1, d2 * h2]


def half_squares(outputs: Sequence[Value], targets: Sequence[float]) -> Value:
    """Return half the sum of squared errors."""
    return mse_loss(outputs, targets, reduction="sum") / 2


def network() -> tuple[MLP, list[Value]]:
    """Return the same network made of `Value`s, and w1 ... w8; biases are plain numbers, which no step moves."""
    net = MLP(2, [2, 2], activation="sigmoid", output="sigmoid")
    for layer, bias in zip(net.layers, BIASES, strict=True):
        for neuron in layer.neurons:
            neuron.b = bias
    weights = net.parameters()
    for leaf, number in zip(weights, WEIGHTS, strict=True):
        leaf.data = number
    return net, weights


def stepped(weights: Sequence[float]) -> list[float]:
    """Return the weights after one step of gradient descent, by hand; the biases stay."""
    return [weight - 0.5 * slope for weight, slope in zip(weights, loss_and_gradient(weights)[1], strict=True)]


def two_layers(steps: int) -> Iterator[Line]:
    """Yield losses and weights of that network along so many steps."""
    net, leaves = network()
    data, optimizer = ([INPUTS], [TARGETS]), SGD(leaves, lr=0.5)
    before = fit(net, data, loss=half_squares, optimizer=optimizer, epochs=1)
    yield "loss of the network with two layers", loss_and_gradient(WEIGHTS)[0], before.loss[0]
    weights = stepped(WEIGHTS)
    for place, (weight, leaf) in enumerate(zip(weights, leaves, strict=True), start=1):
        yield f"w{place} after one step", weight, leaf.data
    after = fit(net, data, loss=half_squares, optimizer=optimizer, epochs=steps)
    yield "loss after one step", loss_and_gradient(weights)[0], after.loss[0]
    for _ in range(1, steps):
        weights = stepped(weights)
    yield f"loss after {steps:,} steps", loss_and_gradient(weights)[0], after.loss[-1]


def one_weight() -> Iterator[Line]:
    """Yield the factors of the chain for w22 of layer 2, from H2 to O2, and their product."""
    net, leaves = network()
    h1, h2 = (neuron(INPUTS).data for neuron in net.layers[0].neurons)
    w21, w22 = (leaf.data for leaf in leaves[6:])
    total, target = w21 * h1 + w22 * h2 + BIASES[1], TARGETS[1]
    out = sigmoid(total)
    half_squares(net(INPUTS), TARGETS).backward()
    yield "cost by output: o2 - t2", out - target, grad(lambda o: (target - o) ** 2 / 2)(out)
    yield "output by weighted sum: o2 * (1 - o2)", out * (1 - out), grad(math.sigmoid)(total)
    yield "weighted sum by w22: h2", h2, grad(lambda w: w21 * h1 + w * h2 + BIASES[1])(w22)
    yield "cost by w22, the product of the three", (out - target) * out * (1 - out) * h2, leaves[7].grad


def squared_norm() -> Iterator[Line]:
    """Yield f(x, W) = |W x|^2, with q = W x, and its derivatives: 2 q x^T by W and 2 W^T q by x."""

    def f(matrix: list[list[Value]], x: list[Value]) -> Value:
        products = [math.dot(row, x) for row in matrix]
        return math.dot(products, products)

    q = W[0][0] * X[0] + W[0][1] * X[1], W[1][0] * X[0] + W[1][1] * X[1]
    by_matrix, by_x = grad(f, argnums=(0, 1))(W, X)
    yield "f = |W x|^2", q[0] ** 2 + q[1] ** 2, f(W, X)
    for i in range(2):
        for j in range(2):
            yield f"f by W{i + 1}{j + 1}", 2 * q[i] * X[j], by_matrix[i][j]
    for j in range(2):
        yield f"f by x{j + 1}", 2 * (W[0][j] * q[0] + W[1][j] * q[1]), by_x[j]


def main(argv: Sequence[str] | None = None) -> None:
    """Print the four examples."""
    options = parsed(__doc__, argv, epochs=10_000)
    sections = (
        ("One neuron, one step (rounded by hand as in school)", one_neuron()),
        ("Two layers of two neurons", two_layers(options.epochs)),
        ("The chain rule for a single weight", one_weight()),
        ("The squared norm of a product", squared_norm()),
    )
    exact = []
    for title, lines in sections:
        print(f"{title}\n{'':45}{'by hand':>16}{'by the engine':>16}")
        for words, by_hand, found in lines:
            digits = 9 if abs(by_hand) > 1e-3 else 13
            print(f"{words:45}{by_hand:16.{digits}f}{found:16.{digits}f}")
            exact.append(math.isclose(by_hand, found, rel_tol=1e-9))
        print()
    print(f"The engine's numbers are those of the formulas: {sum(exact)} of {len(exact)} agree to 9 digits,")
    print("and the others were rounded by hand on the way.")


if __name__ == "__main__":
    run(main)
