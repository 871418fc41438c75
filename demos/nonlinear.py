"""How does a network bend a line? Three networks are shown 33 points of a curve, and asked for those between.

One neuron draws a straight line, the best there is. Each hidden layer of tanh bends what the layer before gives it:
a line becomes an S, and sums of them follow any smooth curve. What was not shown is asked for too, since a network
could learn points by heart.
"""

from collections.abc import Sequence

from common import new_figure, parsed, run
from microgrid import math, no_grad
from microgrid.losses import mse_loss
from microgrid.nn import MLP
from microgrid.optim import Adam
from microgrid.training import fit

SHOWN = [place / 16 - 1 for place in range(33)]
BETWEEN = [place / 16 - 1 + 1 / 32 for place in range(32)]
DEPTHS = [1], [8, 1], [8, 8, 1]


def truth(x: float) -> float:
    """Return the height of the curve at `x`."""
    return math.sin(4 * x) + x * x / 2


def trained(layers: list[int], seed: int, epochs: int) -> MLP:
    """Return a network of these layers that was shown the points."""
    net = MLP(1, layers, activation="tanh", init="glorot_uniform", rng=seed)
    data = [[x] for x in SHOWN], [truth(x) for x in SHOWN]
    optimizer = Adam(net.parameters(), lr=lambda step: 0.03 * 0.997**step)
    fit(net, data, loss=mse_loss, optimizer=optimizer, epochs=epochs)
    return net


@no_grad()
def heights(net: MLP, xs: Sequence[float]) -> list[float]:
    """Return what the network says at `xs`."""
    return [net([x]).data for x in xs]


def error(net: MLP, xs: Sequence[float]) -> float:
    """Return the root mean square of the errors at `xs`."""
    return math.sqrt(mse_loss(heights(net, xs), [truth(x) for x in xs]))


def picture(net: MLP, lines: int = 13) -> list[str]:
    """Return the lines of a picture: o for a point that was shown, . for the network's curve, which may hide it."""
    cells = [[" "] * (2 * len(SHOWN) - 1) for _ in range(lines)]
    xs = sorted(SHOWN + BETWEEN)
    for mark, places, found in (("o", SHOWN, map(truth, SHOWN)), (".", xs, heights(net, xs))):
        for x, y in zip(places, found, strict=True):
            line = round((1.6 - y) / 2.6 * (lines - 1))
            cells[min(max(line, 0), lines - 1)][round(32 * (x + 1))] = mark
    return ["".join(row).rstrip() for row in cells]


def draw(file: str, nets: Sequence[MLP]) -> None:
    """Draw the points and all curves."""
    figure = new_figure()
    axes = figure.subplots()
    axes.plot(SHOWN, [truth(x) for x in SHOWN], "ko", markersize=3, label="shown")
    fine = [place / 100 - 1 for place in range(201)]
    for layers, net in zip(DEPTHS, nets, strict=True):
        axes.plot(fine, heights(net, fine), label=f"layers {layers}")
    axes.legend()
    figure.savefig(file)


def main(argv: Sequence[str] | None = None) -> None:
    """Train networks of several depths, and show the curve of the deepest."""
    options = parsed(__doc__, argv, seed=1, epochs=800, plot=True)
    nets = [trained(layers, options.seed, options.epochs) for layers in DEPTHS]
    print("layers     parameters  error where shown  between")
    for layers, net in zip(DEPTHS, nets, strict=True):
        print(f"{layers!s:11}{len(net.parameters()):10}{error(net, SHOWN):19.4f}{error(net, BETWEEN):9.4f}")
    for net in (nets[0], nets[-1]):
        print("", *picture(net), sep="\n")
    if options.plot:
        draw(options.plot, nets)
    gain = error(nets[0], BETWEEN) / error(nets[-1], BETWEEN)
    print(f"\nTwo hidden layers come {gain:.0f} times as near as a straight line, between the points shown too.")


if __name__ == "__main__":
    run(main)
