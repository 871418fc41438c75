"""Can a network read bits one at a time and say xor of all of them? An LSTM with three memory cells learns parity.

A feed-forward network has a fixed number of inputs, and parity of more bits takes a larger one. A recurrent network
needs to learn only what one more bit changes: taught all rows of four bits, it goes on to fifty and more.
"""

import random
from collections.abc import Sequence
from itertools import accumulate
from operator import xor

from common import parsed, run
from microgrid import Value, math, no_grad
from microgrid.datasets import parity
from microgrid.draw import sparkline
from microgrid.losses import binary_cross_entropy_with_logits
from microgrid.nn import LSTMCell, Module, Neuron
from microgrid.optim import Adam
from microgrid.training import fit

LONG = 50


class Reader(Module):
    """An LSTM and a neuron that looks at it after each bit."""

    def __init__(self, size: int, rng: random.Random) -> None:
        self.cell = LSTMCell(1, size, rng=rng)
        self.output = Neuron(size, nonlin=False, rng=rng)

    def __call__(self, bits: Sequence[float]) -> list[Value]:
        """Return a logit after each bit: whether the number of ones so far is odd."""
        state, logits = None, []
        for bit in bits:
            state = self.cell([bit], state)
            logits.append(self.output(state[0]))
        return logits


def parities(bits: Sequence[float]) -> list[int]:
    """Return after each bit whether the number of ones so far is odd."""
    return [*accumulate(map(int, bits), xor)]


def trained(seed: int, epochs: int) -> tuple[Reader, list[float]]:
    """Return a reader that was taught all rows of four bits, and its losses."""
    reader, rows = Reader(3, random.Random(seed)), parity(4)[0]
    data, optimizer = (rows, [*map(parities, rows)]), Adam(reader.parameters(), lr=0.1)
    return reader, fit(reader, data, loss=binary_cross_entropy_with_logits, optimizer=optimizer, epochs=epochs).loss


@no_grad()
def read(reader: Reader, bits: Sequence[float]) -> list[int]:
    """Return what the reader says after each bit."""
    return [int(logit > 0) for logit in reader(bits)]


def flawless(reader: Reader, sequences: int, length: int, rng: random.Random) -> int:
    """Return how many random sequences of that length are read without a mistake at any bit."""
    drawn = ([float(rng.getrandbits(1)) for _ in range(length)] for _ in range(sequences))
    return sum(read(reader, bits) == parities(bits) for bits in drawn)


def main(argv: Sequence[str] | None = None) -> int:
    """Train on four bits, and read longer sequences; return 0 if all are read right."""
    options = parsed(__doc__, argv, seed=0, epochs=300)
    reader, losses = trained(options.seed, options.epochs)
    print(f"{len(reader.parameters())} parameters, all 16 rows of 4 bits, parity asked for after every bit\n")
    print(f"loss (log)  {sparkline([math.log(loss) for loss in losses])}  {losses[-1]:.4f}\n")
    for bits in parity(2)[0]:
        print(f"two bits   {bits[0]:.0f} {bits[1]:.0f}   xor {read(reader, bits)[-1]}")
    rng = random.Random(options.seed)
    bits = [float(rng.getrandbits(1)) for _ in range(LONG)]
    print(f"\n{LONG} bits   {''.join(f'{bit:.0f}' for bit in bits)}")
    print(f"parity    {''.join(map(str, parities(bits)))}")
    print(f"it says   {''.join(map(str, read(reader, bits)))}\n")
    right = flawless(reader, 20, LONG, rng)
    print(f"Taught 4 bits, it read {right} of 20 random sequences of {LONG} bits without a mistake.")
    return 0 if right == 20 else 1


if __name__ == "__main__":
    run(main)
