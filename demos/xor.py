"""Can a network of scalar `Value`s learn XOR? Run `make demo`, or `python demos/xor.py --seed 7`.

No restarts are needed, because the network has eight hidden tanh units: none of 10,000 seeds got stuck. Four units can
say XOR too, but 28 of 2,000 seeds ended in a flat valley, two rows right and the others guessed to be 1/2. So did 3 of
4,000 with eight units and first weights from [-2, 2] instead of [-1, 1]: large ones saturate tanh from the start.
Momentum shortens the plateau at the beginning; without it, 200 epochs are too few for some seeds.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from microgrid import math, no_grad
from microgrid.losses import binary_cross_entropy_with_logits
from microgrid.nn import MLP
from microgrid.optim import SGD

ROWS = {(0.0, 0.0): 0, (0.0, 1.0): 1, (1.0, 0.0): 1, (1.0, 1.0): 0}
COLUMNS, LINES = 33, 13  # multiples of four, plus one: then each of the four rows falls on a cell


class Terminal(NamedTuple):
    """What can be drawn: five shades from 0 to 1, their colours (numbers of the 256-colour palette), the width."""

    shades: str
    colours: tuple[int, ...]
    width: int

    def cell(self, probability: float, mark: str = "") -> str:
        """Return one cell of the picture: the shade of `probability`, or `mark` on it."""
        level = min(int(probability * len(self.shades)), len(self.shades) - 1)
        if self.colours:
            return f"\033[1;97;48;5;{self.colours[level]}m{mark or ' '}\033[0m"
        return mark or self.shades[level]


def terminal() -> Terminal:
    """Return what the standard output can show: colours only where a person looks on and NO_COLOR is not set."""
    shades = " ░▒▓█"
    try:
        shades.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        shades = " .:*#"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return Terminal(shades, () if plain else (25, 67, 245, 173, 166), shutil.get_terminal_size().columns)


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


def progress(epoch: int, epochs: int, loss: float, rights: int, screen: Terminal) -> str:
    """Return the line that tells how far the training has come, with a bar as long as the loss."""
    line = f"epoch {epoch:{len(str(epochs))}}  loss {loss:.4f}  accuracy {rights / 4:4.0%}  "
    bar = screen.shades[-1] * round(20 * min(loss, 1))
    return (line + bar[: max(screen.width - len(line), 0)]).rstrip()


@no_grad()
def probability(net: MLP, a: float, b: float) -> float:
    """Return how sure `net` is that `a` xor `b` is 1."""
    return float(math.sigmoid(net((a, b))))


def picture(net: MLP, screen: Terminal) -> Iterator[str]:
    """Yield the lines of a map of `net` from -0.5 to 1.5 in both inputs, with the four rows marked by their targets."""
    columns = min(COLUMNS, max(screen.width - 5, 4) // 4 * 4 + 1)
    frame = f"  +{'-' * columns}+"
    yield frame
    for line in range(LINES):
        b = 1.5 - 2 * line / (LINES - 1)
        points = [(2 * column / (columns - 1) - 0.5, b) for column in range(columns)]
        cells = [screen.cell(probability(net, *point), str(ROWS.get(point, ""))) for point in points]
        yield f"  |{''.join(cells)}|"
    yield frame


def demonstrate(net: MLP, screen: Terminal) -> int:
    """Print what `net` has learned, as a picture and as a table; return how many rows it has right."""
    scale = "".join(screen.cell(level / 4) for level in range(5))
    print(f"\nits answers, from 0 [{scale}] to 1 (a to the right, b upwards)")
    print(*picture(net, screen), sep="\n")
    print("\n  a  b  a xor b  predicted")
    rights = 0
    for (a, b), target in ROWS.items():
        guess = probability(net, a, b)
        right = (guess > 0.5) == target
        rights += right
        print(f"{a:3.0f}{b:3.0f}{target:9}{guess:11.3f}  {'right' if right else 'wrong'}")
    return rights


def main(argv: Sequence[str] | None = None) -> int:
    """Train and show the network that `argv` asks for; return 0 if it has learned all four rows."""
    parser = argparse.ArgumentParser(description="Train a small network of scalar values on XOR and look at it.")
    parser.add_argument("--seed", type=int, default=2, help="of the first weights (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=200, help="steps of training (default: %(default)s)")
    options = parser.parse_args(argv)
    if options.epochs < 1:
        parser.error(f"argument --epochs: expected at least 1, got {options.epochs}")
    net, screen, done = MLP(2, [8, 1], activation="tanh", rng=options.seed), terminal(), 0
    print(f"XOR, four rows, MLP(2, [8, 1]) with tanh: {len(net.parameters())} parameters, seed {options.seed}\n")
    try:
        for done, loss, rights in train(net, options.epochs):
            if done in (1, options.epochs) or done % -(-options.epochs // 10) == 0:
                print(progress(done, options.epochs, loss, rights, screen))
        rights = demonstrate(net, screen)
    except KeyboardInterrupt:
        print(f"\ninterrupted after {done} of {options.epochs} epochs", file=sys.stderr)
        return 130
    print(f"\n{rights} of 4 right" + ("" if rights == 4 else ": try more --epochs, or another --seed"))
    return 0 if rights == 4 else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
