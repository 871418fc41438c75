"""The cases of the benchmark, each with what we claim of it. Results are checked before the time is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from time import process_time
from typing import Any

from entries import Case, Claim, Entry, beside, duration
from measure import Contestant, bytes_of, interpreter_medians, medians_in_turn, require_agreement
from workloads import (
    README_RESULTS,
    Engine,
    chain,
    chain_by_formula,
    differentiate_chain,
    engine,
    readme_expression,
    rosenbrock,
    rosenbrock_hvp,
    training_step,
    training_step_by_hand,
    two_moons,
    two_moons_model,
)

import microgrid

PEERS = ("micrograd",)  # with the same API, so that they run the same text
SIZES = (1_000, 10_000, 100_000, 1_000_000)
INPUTS = (10, 100, 1000)
SIZES_FOR_PEERS = (100, 300, 500, 700, 900, *SIZES)  # most recurse, and end at the recursion limit


def installed_engines() -> dict[str, Engine]:
    """Return microgrid and those of its peers that are installed, by name."""
    found = {name: engine(name) for name in ("microgrid", *PEERS)}
    return {name: library for name, library in found.items() if library is not None}


def beside_peers(medians: Mapping[str, float], claim: Claim) -> Iterator[Entry]:
    """Yield what each engine took; the claim is about each peer's time over microgrid's."""
    ours = medians["microgrid"]
    yield Entry("microgrid", duration(ours), 1)
    yield from beside(dict.fromkeys(PEERS, claim), medians, ours)


def measure_readme_expression(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the time of the example of micrograd's README."""
    contestants = {}
    for name, library in installed_engines().items():
        require_agreement(name, readme_expression(library.Value), README_RESULTS)
        contestants[name] = Contestant(partial(readme_expression, library.Value), loops=500)
    yield from beside_peers(medians_in_turn(contestants, repeats), claim)


def measure_training_step(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the time of one step on two moons."""
    points, labels = two_moons(100)
    contestants = {}
    for name, library in installed_engines().items():
        model = two_moons_model(library)
        parameters = model.parameters()
        expected = training_step_by_hand([p.data for p in parameters], points, labels)
        loss = training_step(library, model, points, labels)
        results = [loss, *(p.grad for p in parameters), *(p.data for p in parameters)]
        require_agreement(name, results, expected)
        contestants[name] = Contestant(partial(training_step, library, model, points, labels))
    yield from beside_peers(medians_in_turn(contestants, repeats), claim)


def measure_memory(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the bytes per node of a chain before `backward`, exact without repeats; the claim is about microgrid."""
    nodes = 10_000
    engines = installed_engines().items()
    sizes = {name: bytes_of(partial(chain, library.Value, nodes)) / nodes for name, library in engines}
    ours = sizes["microgrid"]
    yield Entry("microgrid", f"{ours:.0f} bytes", 1, claim, ours)
    yield from beside(dict.fromkeys(PEERS), sizes, ours, "{:.0f} bytes".format)


def survives(library: Engine, nodes: int) -> bool:
    """Return whether `library` differentiates a chain of `nodes` within the recursion limit; the result is checked."""
    try:
        results = differentiate_chain(library.Value, nodes)
    except RecursionError:
        return False
    require_agreement(f"{library.name}, {nodes:,} nodes", results, chain_by_formula(nodes))
    return True


def differentiate_chain_paused(Value: Callable[[float], Any], nodes: int) -> None:
    """Build a chain, differentiate it and let go of it while the garbage collector rests."""
    with microgrid.gc_paused():
        differentiate_chain(Value, nodes)


def measure_chain(
    claim: Claim, repeats: int, run: Callable[..., object] = differentiate_chain, peers: Sequence[str] = PEERS
) -> Iterator[Entry]:
    """Yield the time per node of building, differentiating and freeing chains.

    Args:
        claim: about microgrid's largest time per node over its smallest.
        repeats: how many samples are taken.
        run: what is timed, given a type of node and a size.
        peers: other engines, each timed on the longest chain that it survives.
    """
    engines = installed_engines()
    sizes = {f"microgrid, {nodes:,} nodes": (engines["microgrid"], nodes) for nodes in SIZES}
    if not all(survives(*size) for size in sizes.values()):
        raise SystemExit("microgrid: RecursionError on a chain")
    notes = [Entry(peer, "missing") for peer in peers if peer not in engines]
    for library in (engines[peer] for peer in peers if peer in engines):
        survived = list(takewhile(partial(survives, library), SIZES_FOR_PEERS))
        if survived:
            sizes[f"{library.name}, {survived[-1]:,} nodes"] = library, survived[-1]
        if len(survived) < len(SIZES_FOR_PEERS):
            notes.append(Entry(f"{library.name}, {SIZES_FOR_PEERS[len(survived)]:,} nodes", "RecursionError"))
    contestants = {
        name: Contestant(partial(run, library.Value, nodes), loops=max(1, 100_000 // nodes))
        for name, (library, nodes) in sizes.items()
    }
    medians = medians_in_turn(contestants, repeats)
    times = {name: medians[name] / nodes for name, (_, nodes) in sizes.items()}
    ours = list(times.values())[: len(SIZES)]
    yield from (Entry(name, f"{duration(time)} a node", time / ours[0]) for name, time in times.items())
    yield from notes
    growth = max(ours) / min(ours)
    yield Entry("microgrid, slowest size to fastest", "", growth, claim, growth)


def product_of_rosenbrock(x: Sequence[float], v: Sequence[float]) -> list[float]:
    """Return the product of Rosenbrock's Hessian matrix at `x` and `v`."""
    product: list[float] = microgrid.hvp(rosenbrock, (x,), (v,))[0]
    return product


def measure_hvp(claim: Claim, repeats: int, compiled: bool = False) -> Iterator[Entry]:
    """Yield the processor time of Hessian-vector products; the claim is about the most, over that of the function.

    The function is recorded, or with `compiled` both are compiled.
    """
    functions = [rosenbrock, product_of_rosenbrock]
    function, product = map(microgrid.jit, functions) if compiled else functions
    factors = []
    for inputs in INPUTS:
        x, v = [0.5 + k / inputs for k in range(inputs)], [1.0 - k / inputs for k in range(inputs)]
        require_agreement(f"microgrid, {inputs} inputs", product(x, v), rosenbrock_hvp(x, v))
        values = x if compiled else [microgrid.Value(number) for number in x]
        loops = max(1, (10_000 if compiled else 1000) // inputs)
        contestants = {
            "function": Contestant(partial(function, values), loops, process_time),
            "product": Contestant(partial(product, x, v), loops, process_time),
        }
        with microgrid.gc_paused():
            medians = medians_in_turn(contestants, repeats)
        factors.append(medians["product"] / medians["function"])
        yield Entry(f"microgrid, {inputs} inputs, the function", duration(medians["function"]), 1)
        yield Entry(f"microgrid, {inputs} inputs, the product", duration(medians["product"]), factors[-1])
    yield Entry("microgrid, largest factor", "", max(factors), claim, max(factors))


def measure_import(claim: Claim, repeats: int) -> Iterator[Entry]:
    """Yield the processor time that `import microgrid` adds to an interpreter's start; the claim is in milliseconds."""
    folder = Path(microgrid.__file__).parents[1]
    medians = interpreter_medians({"bare": "pass", "importing": "import microgrid"}, folder, repeats)
    added = medians["importing"] - medians["bare"]
    yield Entry("bare interpreter", duration(medians["bare"]), 1)
    yield Entry("`import microgrid`, on top", duration(added), added / medians["bare"], claim, added * 1e3)


CHAIN = "chain of `*` and `+`"
CASES = (
    Case(
        "expression of micrograd's README, forward and backward",
        Claim("at least", 2.5, "×"),
        measure_readme_expression,
        repeats=(5, 25),
    ),
    Case(
        "eager training step, two moons, 100 points, MLP(2, [16, 16, 1])",
        Claim("at least", 40, "×"),
        measure_training_step,
        repeats=(3, 5),
    ),
    Case(f"{CHAIN}: memory of a node before backward", Claim("at most", 160, " bytes"), measure_memory, repeats=(1, 1)),
    Case(
        f"{CHAIN}: build, backward, free, under gc_paused()",
        Claim("at most", 2, "×"),
        partial(measure_chain, run=differentiate_chain_paused, peers=()),
        repeats=(1, 3),
    ),
    Case(
        f"{CHAIN}: build, backward, free, collector on",
        Claim("at most", 4, "×"),
        measure_chain,
        repeats=(1, 3),
    ),
    Case(
        "Hessian-vector product of Rosenbrock's function, beside recording it",
        Claim("at most", 40, "×"),
        measure_hvp,
        repeats=(3, 9),
    ),
    Case(
        "Hessian-vector product of Rosenbrock's function, compiled, beside the compiled function",
        Claim("at most", 6, "×"),
        partial(measure_hvp, compiled=True),
        repeats=(3, 9),
    ),
    Case("start of an interpreter, processor time", Claim("at most", 10, " ms"), measure_import, repeats=(5, 15)),
)
