"""Can a network of scalar `Value`s learn XOR? Run `make demo`, or `python demos/xor.py --seed 7`.

No restarts are needed, because the network has eight hidden tanh units: none of 10,000 seeds got stuck. Four units can
say XOR too, but 28 of 2,000 seeds ended in a flat valley, two rows right and the others guessed to be 1/2. So did 3 of
4,000 with eight units and first weights from [-2, 2] instead of [-1, 1]: large ones saturate tanh from the start.
Momentum shortens the plateau at the beginning; without it, 200 epochs are too few for some seeds.

The output neuron can only divide by a plane: what training does is to move the four rows in the space of the hidden
units until one fits between the zeros and the ones. Watch it below the losses, or in a figure with --plot.
"""

import sys
from collections.abc import Iterator, Sequence
from textwrap import indent

from common import new_figure, parsed, run
from microgrid import math, no_grad
from microgrid.draw import (
    decision_boundary_text,
    plot_history,
    plot_parameters,
    plot_representation,
    sparkline,
)
from microgrid.draw.plots import terminal
from microgrid.losses import binary_cross_entropy_with_logits
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.training import History, Recorder

ROWS = {(0.0, 0.0): 0, (0.0, 1.0): 1, (1.0, 0.0): 1, (1.0, 1.0): 0}
DATA = [*ROWS], [*ROWS.values()]
COLUMNS, LINES = 33, 13  # multiples of four, plus one: then each of the four rows falls on a cell


def train(net: MLP, epochs: int) -> Iterator[tuple[int, float, int]]:
    """Train `net` on all four rows at once; yield each epoch's number, its loss and how many rows it had right."""
    targets = list(ROWS.values())
    optimizer = SGD(net.parameters(), lr=0.2, momentum=0.9)
    for epoch in range(1, epochs + 1):
        logits = [net(row) for row in ROWS]
        loss = binary_cross_entropy_with_logits(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield epoch, loss.data, sum((logit > 0) == target for logit, target in zip(logits, targets, strict=True))


def progress(epoch: int, epochs: int, loss: float, rights: int) -> str:
    """Return the line that tells how far the training has come, with a bar as long as the loss."""
    line = f"epoch {epoch:{len(str(epochs))}}  loss {loss:.4f}  accuracy {rights / 4:4.0%}  "
    bar = terminal.shades()[-1] * round(20 * min(loss, 1))
    return (line + bar[: max(terminal.width() - len(line), 0)]).rstrip()


@no_grad()
def probability(net: MLP, a: float, b: float) -> float:
    """Return how sure `net` is that `a` xor `b` is 1."""
    return float(math.sigmoid(net((a, b))))


def picture(net: MLP) -> str:
    """Return a map of `net` from -0.5 to 1.5 in both inputs, with the four rows marked by their targets."""
    columns = min(COLUMNS, max(terminal.width() - 5, 4) // 4 * 4 + 1)
    ends, size = (-0.5, 1.5), {"width": columns + 2, "height": LINES}
    return decision_boundary_text(lambda row: probability(net, *row), DATA, xlim=ends, ylim=ends, **size)


def demonstrate(net: MLP) -> int:
    """Print what `net` has learned, as a picture and as a table; return how many rows it has right."""
    print("\nits answers, a to the right and b upwards")
    print(indent(picture(net), "  "))
    print("\n  a  b  a xor b  predicted")
    rights = 0
    for (a, b), target in ROWS.items():
        guess = probability(net, a, b)
        right = (guess > 0.5) == target
        rights += right
        print(f"{a:3.0f}{b:3.0f}{target:9}{guess:11.3f}  {'right' if right else 'wrong'}")
    return rights


@no_grad()
def hidden(net: MLP) -> list[list[float]]:
    """Return where the four rows land in the space of the hidden units."""
    return [[unit.data for unit in net.layers[0](row)] for row in ROWS]


def direction(net: MLP) -> tuple[list[float], float]:
    """Return the direction in hidden space that the output neuron looks along, and where it divides 0 from 1."""
    output = net.layers[1].neurons[0]
    length = math.hypot(*(weight.data for weight in output.w)) or 1.0
    return [weight.data / length for weight in output.w], -output.b.data / length


def distances(net: MLP) -> list[float]:
    """Return how far the rows land from where the output neuron divides; below zero it says 0."""
    axis, threshold = direction(net)
    return [math.dot(place, axis) - threshold for place in hidden(net)]


def landing(found: Sequence[float], reach: float, width: int) -> str:
    """Return a line from `-reach` to `reach` with 0 or 1 where each row lands, * where both do, and | in the middle."""
    cells = [" "] * width
    cells[width // 2] = "|"
    for distance, target in zip(found, ROWS.values(), strict=True):
        cell = round((1 + distance / (reach or 1.0)) / 2 * (width - 1))
        cells[cell] = str(target) if cells[cell] in (" ", "|", str(target)) else "*"
    return "".join(cells)


def show_training(net: MLP, recorder: Recorder, epochs: Sequence[int]) -> None:
    """Print how the rows came apart in the hidden layer, as they were when these epochs began, and every parameter."""
    print("\nwhere the rows land in hidden space: left of | the output neuron says 0, right 1")
    found = []
    for epoch in epochs:
        with recorder.restored(epoch - 1):
            found.append(distances(net))
    reach, width = max(abs(distance) for row in found for distance in row), min(COLUMNS, max(terminal.width() - 7, 5))
    for epoch, row in zip(epochs, found, strict=True):
        print(f"{epoch:5}  {landing(row, reach, width)}".rstrip())
    print("\nthe parameters over the epochs, and what they are in the end")
    print("unit" + "".join(f"  {name:16}" for name in ("from a", "from b", "bias", "to the output")).rstrip())
    paths = [f"{sparkline(path, 10)}{path[-1]:z6.2f}" for path in zip(*recorder.parameters, strict=True)]
    count = len(net.layers[0].neurons)
    for unit in range(count):
        print(f"{unit + 1:4}  " + "  ".join([*paths[3 * unit : 3 * unit + 3], paths[3 * count + unit]]))
    print(f" out{'':38}  {paths[-1]}")


def draw(file: str, net: MLP, recorder: Recorder, history: History) -> None:
    """Draw loss and accuracy, every parameter, and the paths of the rows through hidden space."""
    figure = new_figure(13, 4)
    left, middle, space = figure.subplots(1, 3)
    plot_history(history, left)
    plot_parameters(net, middle, recorder=recorder)
    axis, threshold = direction(net)
    places = hidden(net)
    spread = [one - other for one, other in zip(places[3], places[0], strict=True)]
    along = math.dot(spread, axis)
    across = [part - along * share for part, share in zip(spread, axis, strict=True)]
    scale = math.hypot(*across) or 1.0

    def projected(row: Sequence[float]) -> list[float]:
        units = [unit.data for unit in net.layers[0](row)]
        return [math.dot(units, axis), math.dot(units, across) / scale]

    plot_representation(projected, DATA, space, recorder=recorder)
    space.axvline(threshold, color="grey")
    space.set(xlabel="along the weights of the output", ylabel="across them")
    figure.savefig(file)


def main(argv: Sequence[str] | None = None) -> int:
    """Train and show the network that `argv` asks for; return 0 if it has learned all four rows."""
    options = parsed(__doc__, argv, seed=2, epochs=200, plot=True)
    net, done = MLP(2, [8, 1], activation="tanh", rng=options.seed), 0
    print(f"XOR, four rows, MLP(2, [8, 1]) with tanh: {len(net.parameters())} parameters, seed {options.seed}\n")
    recorder, history, counts, told = Recorder(net), History(["accuracy"]), [], []
    try:
        for done, loss, rights in train(net, options.epochs):
            if done in (1, options.epochs) or done % -(-options.epochs // 10) == 0:
                print(progress(done, options.epochs, loss, rights))
                told.append(done)
            recorder()
            history.add([loss], {"accuracy": rights / 4})
            counts.append(rights)
        show_training(net, recorder, told)
        rights = demonstrate(net)
        if options.plot:
            draw(options.plot, net, recorder, history)
    except KeyboardInterrupt:
        print(f"\ninterrupted after {done} of {options.epochs} epochs", file=sys.stderr)
        return 130
    steps = [f"{count / 4:.0%} from epoch {counts.index(count) + 1}" for count in (2, 3, 4) if count in counts]
    print(f"\naccuracy: {', '.join(steps)}")
    print(f"\n{rights} of 4 right" + ("" if rights == 4 else ": try more --epochs, or another --seed"))
    return 0 if rights == 4 else 1


if __name__ == "__main__":
    run(main)
