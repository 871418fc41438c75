"""The scale of a Taylor expansion: a power of two for its variable that keeps the terms in the range of floats.

With `x + 2**exponent * t` in place of `x + t` the term of the power k is multiplied by `2**(k * exponent)`. That is
exact, so that a scale changes no bits, unless terms overflow or underflow without it.
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
LARGEST = 1000
MOST_TRIALS = 12
FLOAT_FACTORIALS = 170  # so many are floats


def expanded(run: Run, order: int) -> list[tuple[list[Any], int]]:
    """Return the terms of each output up to the power `order`, and the exponent of the scale they were found at."""
    expand = expansions_of(run, run.nodes, order)
    if is_within(expand(0, run.records), MODERATE):
        return [(run.terms(out, expand(0, run.records), order), 0) for out in run.outputs]
    if len(run.outputs) == 1:
        return [expanded_at_best(run, expand, run.outputs[0], order)]
    return [expanded_at_best(run, expansions_of(run, nodes_of(run, out), order), out, order) for out in run.outputs]


def nodes_of(run: Run, out: Any) -> list[Value]:
    """Return those of the nodes of `run` that `out` depends on."""
    inner = set(graph.inner_nodes(out)) if is_node(out) else ()
    return [node for node in run.nodes if node in inner]


def expansions_of(run: Run, nodes: Sequence[Value], order: int) -> Expand:
    """Return a function of an exponent, and of whether terms are nodes, that returns the series of `nodes`."""
    return cache(lambda exponent, records: run.expand(nodes, order, exponent, records))


def expanded_at_best(run: Run, expand: Expand, out: Any, order: int) -> tuple[list[Any], int]:
    """Return the terms of `out` and the exponent of their scale, the best one for what `expand` expands."""
    with apart(lambda mode: not mode.traces):  # a trace does not record trials
        exponent = best_exponent(lambda exponent: expand(exponent, False))
    table = expand(exponent, run.records)
    is_within(table, LARGEST)  # for a trace: the scale serves calls of which this is true as well
    return run.terms(out, table, order), exponent


def last_derivative(terms: list[Any], exponent: int) -> Any:
    """Return the derivative of the order that `terms` end with, which were found at the scale of `exponent`."""
    order, term = len(terms) - 1, terms[-1]
    factor = factorial(order)
    if (exponent == 0 and order <= FLOAT_FACTORIALS) or type(plain(term)) is not float:
        return magnified(term * factor, -order * exponent)
    bits = factor.bit_length()  # rounded once to a float below 1, as the factor itself would be
    return magnified(term * (factor / (1 << bits)), bits - order * exponent)


def best_exponent(expand: Callable[[int], Table]) -> int:
    """Return the exponent at which the terms in the table `expand(exponent)` are nearest to 1.

    Where none keeps all of them in the range, those that are largest for their power decide: others are lost beside
    them. Where these need no scale it is 0. It is less where a scale would make infinite what is finite without it: not
    all that is computed on the way to a term is in the table.
    """
    known: Sizes = {}
    exponent = settled(expand, known, dict)
    if extent(known, exponent) > LARGEST:
        exponent = 0 if extent(greatest(known), 0) <= MODERATE else settled(expand, known, greatest)
    while exponent and is_finite(expand(0)) and not is_finite(expand(exponent)):
        exponent = int(exponent / 2)
    return exponent


def settled(expand: Callable[[int], Table], known: Sizes, choose: Callable[[Sizes], Sizes]) -> int:
    """Return the exponent that is best for the sizes that `choose` chooses of those `known`, or as good as needed.

    Terms out of the range have no size: they get known as trials with other exponents bring them into it.
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
    """Return the exponent for which the extent is least.

    >>> balanced({1: (0, 0), 2: (-90, -30)})
    30
    """
    exponents = range(-LARGEST, LARGEST)
    place = bisect_left(exponents, True, key=lambda e: extent(sizes, e + 1) >= extent(sizes, e))  # it is convex
    return place - LARGEST


def extent(sizes: Sizes, exponent: int) -> int:
    """Return how far terms of these sizes are from 1 at the scale of `exponent`, in powers of two."""
    return max((abs(size + power * exponent) for power, pair in sizes.items() for size in pair), default=0)


def greatest(sizes: Sizes) -> Sizes:
    """Return the greatest size of each power, twice."""
    return {power: (high, high) for power, (_, high) in sizes.items()}


def numbers_in(table: Table) -> Iterator[tuple[int, float]]:
    """Yield the floats that are not 0 among the terms in `table`, but for the first ones, with their powers."""
    for series in table.values():
        if isinstance(series, Series):  # not the results of a compiled call, which follow one by one
            for power, term in enumerate(series.terms[1:], 1):
                number = plain(term)
                if type(number) is float and number:
                    yield power, number


def is_finite(table: Table) -> bool:
    """Return whether all terms in `table` are finite."""
    return all(isfinite(number) for _, number in numbers_in(table))


def is_within(table: Table, limit: int) -> bool:
    """Return whether all terms in `table` are 0, or between `2**-limit` and `2**limit` in magnitude.

    A trace makes guards of that, with the Euclidean length of the terms for the largest one.
    """
    large = 2.0**limit
    terms = [term for series in table.values() if isinstance(series, Series) for term in series.terms[1:]]
    nodes = [term for term in terms if is_node(term)]
    if nodes and tracing():
        where, hypot = map(functions_for("trace").__getitem__, ("where", "hypot"))
        inverses = [1 / where(term, term, 1.0) for term in nodes]
        return bool(hypot(*nodes) < large) and bool(hypot(*inverses) < large)
    return all(1 / large < abs(number) < large for _, number in numbers_in(table))
