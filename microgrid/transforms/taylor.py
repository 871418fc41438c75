"""The scale of a Taylor expansion: a power of two for its variable that keeps the terms in the range of floats.

With `x + 2**exponent * t` in place of `x + t` the term of the power k is multiplied by `2**(k * exponent)`. That is
exact: the scale changes no bit of a result unless terms would overflow or underflow without it.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cache
from math import factorial, frexp, isfinite

from microgrid.engine import graph
from microgrid.engine.modes import apart, tracing
from microgrid.engine.numbers import is_node
from microgrid.engine.operations import functions_for
from microgrid.transforms.run import plain
from microgrid.transforms.series import Series, magnified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from microgrid.engine.value import Value
    from microgrid.transforms.run import Run

    Table = Mapping[Value, Any]
    Expand = Callable[[int, bool], Table]
    Sizes = dict[int, tuple[int, int]]  # by the power, the least and the greatest binary exponent of its terms

MODERATE = 500  # the largest binary exponent of terms whose products with others are in the range, too
LARGEST = 1000  # of a term alone, with room for a sum of some: floats end at 1024
MOST_TRIALS = 12
FLOAT_FACTORIALS = 170  # the largest number whose factorial is a float


def expanded(run: Run, order: int) -> list[tuple[list[Any], int]]:
    """Return for each output its terms up to the power `order`, and the exponent of their scale."""
    expand = expansions_of(run, run.nodes, order)
    if is_within(expand(0, run.records), MODERATE):
        return [(run.terms(out, expand(0, run.records), order), 0) for out in run.outputs]
    if len(run.outputs) == 1:
        return [expanded_at_best(run, expand, run.outputs[0], order)]
    return [expanded_at_best(run, expansions_of(run, nodes_of(run, out), order), out, order) for out in run.outputs]


def nodes_of(run: Run, out: Any) -> list[Value]:
    """Return the nodes of `run` that `out` depends on."""
    inner = set(graph.inner_nodes(out)) if is_node(out) else ()
    return [node for node in run.nodes if node in inner]


def expansions_of(run: Run, nodes: Sequence[Value], order: int) -> Expand:
    """Return a cached function that returns the series of `nodes` by the exponent and by whether terms are recorded."""
    return cache(lambda exponent, records: run.expand(nodes, order, exponent, records))


def expanded_at_best(run: Run, expand: Expand, out: Any, order: int) -> tuple[list[Any], int]:
    """Return the terms of `out` and the exponent of their scale, the best one for the nodes that `expand` expands."""
    with apart(lambda mode: not mode.traces):  # a trace does not record trials
        exponent = best_exponent(lambda exponent: expand(exponent, False))
    table = expand(exponent, run.records)
    is_within(table, LARGEST)  # in a trace, a guard: this scale serves other calls for which it holds
    return run.terms(out, table, order), exponent


def last_derivative(terms: list[Any], exponent: int) -> Any:
    """Return the derivative whose order is that of the last of `terms`, which are scaled by `exponent`."""
    order, term = len(terms) - 1, terms[-1]
    factor = factorial(order)
    if (exponent == 0 and order <= FLOAT_FACTORIALS) or type(plain(term)) is not float:
        return magnified(term * factor, -order * exponent)
    bits = factor.bit_length()  # the quotient below is rounded once, as the factor would be if it were a float
    return magnified(term * (factor / (1 << bits)), bits - order * exponent)


def best_exponent(expand: Callable[[int], Table]) -> int:
    """Return the exponent at which the terms in the table `expand(exponent)` are nearest to 1.

    If no exponent keeps all terms in the range, the largest ones of each power decide, since small ones vanish in sums
    with them; if the largest need no scale, the exponent is 0. At last it is halved while the scale makes terms
    infinite that are finite without it: intermediate results may overflow though no term in the table does.
    """
    known: Sizes = {}
    exponent = settled(expand, known, dict)
    if extent(known, exponent) > LARGEST:
        exponent = 0 if extent(greatest(known), 0) <= MODERATE else settled(expand, known, greatest)
    while exponent and is_finite(expand(0)) and not is_finite(expand(exponent)):
        exponent = int(exponent / 2)
    return exponent


def settled(expand: Callable[[int], Table], known: Sizes, choose: Callable[[Sizes], Sizes]) -> int:
    """Return the exponent that is best for the sizes that `choose` picks from those `known`, or one that will do.

    A term that overflows or underflows has no size yet. Trials with other exponents bring it into the range, and its
    size is added to `known`.
    """
    exponent, tried = 0, set[int]()
    while exponent not in tried and len(tried) < MOST_TRIALS:
        tried.add(exponent)
        table = expand(exponent)
        sizes = [
            (power, frexp(number)[1] - power * exponent) for power, number in numbers_in(table) if isfinite(number)
        ]
        for power, size in sizes:
            low, high = known.get(power, (size, size))
            known[power] = min(low, size), max(high, size)
        if tried != {0} and extent(choose(known), exponent) <= MODERATE:
            break
        exponent = balanced(choose(known))
    return exponent


def balanced(sizes: Sizes) -> int:
    """Return the exponent with the least extent.

    >>> balanced({1: (0, 0), 2: (-90, -30)})
    30
    """
    exponents = range(-LARGEST, LARGEST)
    index = bisect_left(exponents, True, key=lambda e: extent(sizes, e + 1) >= extent(sizes, e))  # extent is convex
    return index - LARGEST


def extent(sizes: Sizes, exponent: int) -> int:
    """Return the distance from 1 of the farthest term at the scale of `exponent`, in powers of two."""
    return max((abs(size + power * exponent) for power, pair in sizes.items() for size in pair), default=0)


def greatest(sizes: Sizes) -> Sizes:
    """Return the sizes of the largest terms alone: for each power its greatest exponent, as least and greatest."""
    return {power: (high, high) for power, (_, high) in sizes.items()}


def numbers_in(table: Table) -> Iterator[tuple[int, float]]:
    """Yield the nonzero float terms of the series in `table` with their powers, from the power 1 on."""
    for series in table.values():
        if isinstance(series, Series):  # a compiled call has a list of series here; each projection has its own entry
            for power, term in enumerate(series.terms[1:], 1):
                number = plain(term)
                if type(number) is float and number:
                    yield power, number


def is_finite(table: Table) -> bool:
    """Return whether all terms in `table` are finite."""
    return all(isfinite(number) for _, number in numbers_in(table))


def is_within(table: Table, limit: int) -> bool:
    """Return whether all terms in `table` are 0, or between `2**-limit` and `2**limit` in magnitude.

    In a trace that is two guards on the Euclidean length of the terms and of their inverses, not two for each term.
    """
    large = 2.0**limit
    terms = [term for series in table.values() if isinstance(series, Series) for term in series.terms[1:]]
    nodes = [term for term in terms if is_node(term)]
    if nodes and tracing():
        where, hypot = map(functions_for("trace").__getitem__, ("where", "hypot"))
        inverses = [1 / where(term, term, 1.0) for term in nodes]
        return bool(hypot(*nodes) < large) and bool(hypot(*inverses) < large)
    return all(1 / large < abs(number) < large for _, number in numbers_in(table))
