"""Can what was learned for one gate serve another? Two hidden units learn a gate, and are kept for the next one.

They are frozen: only a new output neuron is trained. Beside it stand the same on hidden units as they were drawn, which
have learned nothing, and a network that trains all of its parameters.
"""

from collections.abc import Sequence

from common import parsed, run
from microgrid import math
from microgrid.datasets import truth_table
from microgrid.draw import sparkline
from microgrid.losses import binary_cross_entropy_with_logits
from microgrid.nn import MLP, Layer
from microgrid.optim import SGD
from microgrid.training import fit

PAIRS = ("xor", "xnor"), ("xor", "and"), ("xor", "or"), ("and", "xor"), ("or", "xor")
LEARNED = 0.1  # the cross-entropy from which a gate counts as learned


def network(seed: int) -> MLP:
    """Return a network of 2-2-1 neurons."""
    return MLP(2, [2, 1], activation="tanh", rng=seed)


def taught(net: MLP, gate: str, epochs: int) -> list[float]:
    """Return the losses while `net` learns a gate, with those parameters that are not frozen."""
    optimizer = SGD(net.parameters(), lr=0.5, momentum=0.9)
    return fit(net, truth_table(gate), loss=binary_cross_entropy_with_logits, optimizer=optimizer, epochs=epochs).loss


def kept(net: MLP, seed: int) -> MLP:
    """Return `net` with its hidden layer frozen and a new output neuron."""
    net.layers[0].freeze()
    net.layers[1] = Layer(2, 1, nonlin=False, rng=seed)
    return net


def transferred(source: str, target: str, seed: int, epochs: int) -> dict[str, list[float]]:
    """Return the losses while the gate `target` is learned in three ways."""
    learned = network(seed)
    taught(learned, source, epochs)
    return {
        f"kept from {source}": taught(kept(learned, seed), target, epochs),
        "as drawn": taught(kept(network(seed), seed), target, epochs),
        "all trained": taught(network(seed), target, epochs),
    }


def duration(losses: Sequence[float]) -> int | None:
    """Return in which epoch a gate was learned, None for never."""
    return next((epoch for epoch, loss in enumerate(losses, 1) if loss < LEARNED), None)


def main(argv: Sequence[str] | None = None) -> None:
    """Try some pairs of gates."""
    options = parsed(__doc__, argv, seed=2, epochs=300)
    print(f"{'gate':6}{'hidden units':18}{'loss (log)':42}learned in epoch")
    sooner = []
    for source, target in PAIRS:
        durations = []
        for way, losses in transferred(source, target, options.seed, options.epochs).items():
            durations.append(duration(losses))
            logs = [math.log10(loss) for loss in losses]
            print(f"{target:6}{way:18}{sparkline(logs, low=-3, high=0):42}{durations[-1] or 'never'}")
        print()
        if durations[0] and all(other is None or durations[0] < other for other in durations[1:]):
            sooner.append(f"{source} to {target}")
    print(f"Kept units learned soonest from {', '.join(sooner) or 'no gate to another'}.")
    print("Units that learned xor are of use elsewhere, if not from every --seed: two are few. Those of an easier gate")
    print("had no reason to find what xor needs.")


if __name__ == "__main__":
    run(main)
