"""The cases of compiled code: whole training steps, a GPT, and a graph that is evaluated again and again."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import tape
from entries import Case, Claim, Entry, beside, duration, saved
from measure import Contestant, medians_in_turn, require_agreement
from networks import XOR, Microgrid, Task, Trainer, by_hand
from peers import PEERS, is_installed
from scalar_gpt import ScalarGPT
from workloads import two_moons

from microgrid import Value, jit, math, vmap
from microgrid.nn import MLP
from microgrid.optim import Adam

sys.path.insert(0, str(Path(__file__).parents[2] / "demos"))

CHECKED_STEPS = 5
OTHERS: dict[str, Claim | None] = {"autograd": None, "numpy": None}  # measured to compare, without a claim


def trainers(task: Task, peers: Sequence[str]) -> Iterator[tuple[str, Trainer]]:
    """Yield who trains, each after it has shown that its steps are those done by hand."""
    makers: dict[str, Callable[[Task], Trainer]] = {"microgrid, fit": Microgrid}
    makers["microgrid, eager"] = partial(Microgrid, compile=False)
    makers |= {peer: PEERS[peer] for peer in peers if is_installed(peer)}
    for name, make in makers.items():
        trainer = make(task)
        trainer.run(CHECKED_STEPS)
        require_agreement(name, trainer.parameters(), by_hand(task, CHECKED_STEPS))
        yield name, trainer


def measure_steps(
    claims: Mapping[str, Claim | None], repeats: int, task: Task, steps: Mapping[str, int]
) -> Iterator[Entry]:
    """Yield the time of a training step for each.

    Args:
        claims: for each peer what we say of its time over that of `fit`, if anything.
        repeats: how many samples are taken.
        task: what is trained.
        steps: how many are taken for one sample.
    """
    found = dict(trainers(task, list(claims)))
    contestants = {name: Contestant(partial(trainer.run, steps[name])) for name, trainer in found.items()}
    medians = {name: time / steps[name] for name, time in medians_in_turn(contestants, repeats).items()}
    ours = medians["microgrid, fit"]
    for name in ("microgrid, fit", "microgrid, eager"):
        yield Entry(name, duration(medians[name]), medians[name] / ours)
    yield from beside(claims, medians, ours)


def measure_xor(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the time of a step on XOR."""
    claims = {"micrograd": claim, "torch": Claim("at least", 30, "×"), "jax": Claim("at least", 3.5, "×")}
    steps = {"microgrid, fit": 20_000, "microgrid, eager": 300, "micrograd": 100, "torch": 300, "jax": 2000}
    steps |= {"autograd": 300, "numpy": 2000}
    yield from measure_steps({**claims, **OTHERS}, repeats, Task((2, 4, 1), *XOR, lr=0.05), steps)


def moons(width: int) -> Task:
    """Return the two moons of micrograd's demo, for a network of that width."""
    points, labels = two_moons(100)
    return Task((2, width, width, 1), points, list(map(float, labels)), lr=0.1, hinge=True)


def measure_moons(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the time of a step on two moons; engines that compute with arrays are the faster here."""
    steps = {"microgrid, fit": 200, "microgrid, eager": 5, "micrograd": 1, "torch": 200, "jax": 2000}
    steps |= {"autograd": 100, "numpy": 1000}
    yield from measure_steps({"micrograd": claim, "torch": None, "jax": None, **OTHERS}, repeats, moons(16), steps)


def measure_crossover(claim: None, repeats: int) -> Iterator[Entry]:
    """Yield the time of a step on two moons by the width of the network, beside PyTorch's."""
    for width in (2, 4, 8, 16, 32):
        task, ours, theirs = moons(width), f"width {width}: microgrid", f"width {width}: torch"
        contestants = {ours: Contestant(partial(Microgrid(task).run, 200))}
        if is_installed("torch"):
            contestants[theirs] = Contestant(partial(PEERS["torch"](task).run, 200))
        times = {name: time / 200 for name, time in medians_in_turn(contestants, repeats).items()}
        yield Entry(ours, duration(times[ours]), 1)
        yield from beside({theirs: None}, times, times[ours])


class GPTSteps:
    """A step of the GPT of `demos/gpt.py`, eager or compiled, and on the scalar engine that it is compared with."""

    def __init__(self) -> None:
        import gpt

        words = gpt.words_of_the_library()
        letters = gpt.END + "".join(sorted({*"".join(words)}))
        self.models = [gpt.GPT(letters, random.Random(1)) for _ in range(2)]
        for model in self.models:
            for parameter in model.parameters():
                parameter.data += 1e-3  # no matrix of zeros
        matrices = {name: rows for name, rows in vars(self.models[0]).items() if isinstance(rows, list)}
        self.scalar = ScalarGPT({name: [[p.data for p in row] for row in rows] for name, rows in matrices.items()})
        self.optimizers = [Adam(model.parameters(), lr=0.01, betas=(0.85, 0.99)) for model in self.models]
        self.compiled = jit(partial(self.loss, self.models[1]))
        self.words, self.letters = words, letters

    @staticmethod
    def loss(model: Any, rows: Any, targets: Any) -> Value:
        """Return the loss of a word."""
        return math.mean([math.cross_entropy(*pair) for pair in zip(model.logits(rows), targets, strict=True)])

    def step(self, which: int, word: str) -> float:
        """Return the loss before one step of microgrid: eager (0) or compiled (1)."""
        encoded = self.models[which].encoded(word)
        value = self.compiled(*encoded) if which else self.loss(self.models[0], *encoded)
        self.optimizers[which].zero_grad()
        value.backward()
        self.optimizers[which].step()
        return float(value.data)

    def numbers(self, word: str) -> list[int]:
        """Return the tokens of a word."""
        return [self.letters.index(letter) for letter in f".{word}."]


def measure_gpt(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the time of a GPT step of 8 positions; the claim is about the compiled one."""
    steps, word = GPTSteps(), "session"
    for _ in range(CHECKED_STEPS):
        reference = [steps.scalar.step(steps.numbers(word), 0.01)]
        require_agreement("eager", [steps.step(0, word)], reference)
        require_agreement("compiled", [steps.step(1, word)], reference)
    contestants = {
        "minimal scalar engine": Contestant(lambda: steps.scalar.step(steps.numbers(word), 0.01)),
        "microgrid, eager": Contestant(lambda: steps.step(0, word)),
        "microgrid, compiled": Contestant(lambda: steps.step(1, word), loops=10),
    }
    yield from saved(medians_in_turn(contestants, repeats), Claim("at least", 6, "×"), claim)


def measure_gpt_job(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the time of the job of a thousand steps, compiling included; the scalar engine's is told from fifty."""
    steps = GPTSteps()
    words = [word for word in steps.words if len(word) < 16]
    random.Random(42).shuffle(words)
    begun = perf_counter()
    for index in range(1000):
        steps.step(1, words[index % len(words)])
    ours = perf_counter() - begun
    times = []
    for word in words[:50]:
        begun = perf_counter()
        steps.scalar.step(steps.numbers(word), 0.01)
        times.append((perf_counter() - begun) / (len(word) + 1))
    letters = sum(len(words[index % len(words)]) + 1 for index in range(1000))
    theirs = median(times) * letters
    yield from saved({"minimal scalar engine, from 50 steps": theirs, "microgrid, compiled as needed": ours}, claim)


def measure_tape(claim: Claim, repeats: int, operations: int, sums: bool) -> Iterator[Entry]:
    """Yield the time of evaluating the graph with its gradient, beside an index tape, and that of compiling it."""
    rng = random.Random(0)
    xs = [rng.uniform(-1, 1) for _ in range(tape.INPUTS)]
    recorded = tape.record(operations)
    root, gradient = tape.evaluate(recorded, xs, sums)
    compiled = jit(lambda xs: tape.graph(xs, operations, sums))
    leaves = list(map(Value, xs))

    def evaluate() -> Value:
        for leaf in leaves:
            leaf.grad = 0.0
        out: Value = compiled(leaves)
        out.backward()
        return out

    begun = process_time()  # there is one sample only, which must not wait for others
    out = evaluate()
    compiling = process_time() - begun
    require_agreement("microgrid", [out.data, *(leaf.grad for leaf in leaves)], [root, *gradient])
    loops = max(1, 20_000 // operations)
    contestants = {
        "index tape, interpreted": Contestant(lambda: tape.evaluate(recorded, xs, sums), loops),
        "microgrid, compiled": Contestant(evaluate, loops),
    }
    yield from saved(medians_in_turn(contestants, repeats), claim)
    bound = Claim("at most", 1.5, " s") if operations == 10_000 else None
    yield Entry("microgrid, tracing and compiling", duration(compiling), claim=bound, figure=compiling)


def measure_loop(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the time of a loss with its gradient, compiled as a loop over the rows or written out for each of them."""
    points, labels = two_moons(100)
    net = MLP(2, [16, 16, 1], activation="tanh", rng=0)

    def loss_of(x: Any, y: Any) -> Any:
        return math.binary_cross_entropy_with_logits(net(x), y)

    def written_out(rows: Any, targets: Any) -> Any:
        return math.mean([loss_of(x, y) for x, y in zip(rows, targets, strict=True)])

    def mapped(rows: Any, targets: Any) -> Any:
        return math.mean(vmap(loss_of)(rows, targets))

    found = []
    for function in (written_out, mapped):
        compiled = jit(function)

        def evaluate(compiled: Any = compiled) -> list[float]:
            net.zero_grad()
            out = compiled(points, labels)
            out.backward()
            return [out.data, *(parameter.grad for parameter in net.parameters())]

        begun = process_time()
        numbers = evaluate()
        found.append((numbers, process_time() - begun, len(compiled.source), evaluate))
    (expected, slower, longer, outright), (numbers, faster, shorter, looped) = found
    require_agreement("microgrid, as a loop", numbers, expected)
    medians = medians_in_turn({"written out": Contestant(outright), "as a loop": Contestant(looped)}, repeats)
    long, short = medians.values()
    yield Entry("written out: a call with its gradient", duration(long), 1)
    yield Entry(
        "as a loop: a call with its gradient", duration(short), short / long, Claim("at most", 1.25, "×"), short / long
    )
    yield from saved({"written out: tracing and compiling": slower, "as a loop: tracing and compiling": faster}, claim)
    sizes = {"written out: source": longer, "as a loop: source": shorter}
    yield from saved(sizes, Claim("at least", 40, "×"), shown="{:,} characters".format)


TAPE = '"Fastest Autograd in the West"'
COMPILED_CASES = (
    Case("training step, XOR, MLP(2, [4, 1]), 4 points", Claim("at least", 70, "×"), measure_xor, repeats=(3, 9)),
    Case(
        "training step, two moons, 100 points, MLP(2, [16, 16, 1])",
        Claim("at least", 400, "×"),
        measure_moons,
        repeats=(3, 5),
    ),
    Case(
        "training step, two moons, by the width of the hidden layers",
        None,
        measure_crossover,
        repeats=(3, 5),
    ),
    Case(
        "loss and gradient, 100 points, MLP(2, [16, 16, 1]), jit with vmap and without",
        Claim("at least", 4, "×"),
        measure_loop,
        repeats=(3, 9),
    ),
    Case("step of a GPT, 8 positions, 4,192 parameters", Claim("at least", 35, "×"), measure_gpt, repeats=(3, 9)),
    Case("job of 1,000 steps of the GPT", Claim("at least", 8, "×"), measure_gpt_job, repeats=(1, 1)),
    *(
        Case(
            f"graph of {TAPE}, {operations:,} operations, {what}",
            Claim("at least", 3, "×"),
            partial(measure_tape, operations=operations, sums=sums),
            repeats=(3, 9),
        )
        for operations in (1000, 10_000)
        for sums, what in ((False, "the last as root"), (True, "the sum of all as root"))
    ),
)
