"""Hypothesis strategies for leaves, for the arguments of a rule, and for small networks.

`expressions` has a module of its own. Both are imported when they are first used, so that only those who test with
Hypothesis need it.
"""

from __future__ import annotations

import ast
import math

from hypothesis import reject
from hypothesis import strategies as st

from microgrid.engine.numbers import MATH_ERRORS
from microgrid.engine.value import Value
from microgrid.nn import MLP
from microgrid.rules.table import Rule
from microgrid.testing.strategies.domains import (
    MARGIN,
    bounds,
    forward,
    in_domain,
    is_inside,
    limits,
    places,
    radius,
    replaced,
    row,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from hypothesis.strategies import DrawFn, SearchStrategy

    Arguments = dict[str, Any]

__all__ = ["in_domain", "networks", "points", "values"]

# Draws shrink to these numbers and fall back on them: easy to read, and few are multiples of each other.
READABLE = (1.0, 2.0, 0.5, 3.0, -1.0, 1.5, -2.0, 0.25, -0.5, 2.5, 0.75, -1.5, 1.25, -3.0, 0.3, 5.0)
LARGEST = 300.0  # products and exponentials of smaller numbers do not overflow

PARAMETERS: dict[str, SearchStrategy[Any]] = {
    "alpha": st.sampled_from([1.0, 2.0, 0.5]) | st.floats(0.1, 3.0),
    "delta": st.sampled_from([1.0, 2.0, 0.5]) | st.floats(0.1, 3.0),
    "i": st.integers(-20, 20),
    "n": st.integers(1, 4),
    "ndigits": st.integers(0, 2),
    "negative_slope": st.sampled_from([0.01, 0.5, -0.5]) | st.floats(-1.0, 1.0),
    "start": st.sampled_from([1, -2.5, 3]),
}
EDGE_PARAMETERS: dict[str, tuple[Any, ...]] = {
    "alpha": (1.0, 0.0, -1.0, 1e300),
    "delta": (1.0, 1e-300, 1e300),
    "i": (0, 1, -1, 1100, -1100),
    "n": (1, 2, 30, 200),
    "ndigits": (0, 1, -1, 20, -320),
    "negative_slope": (0.0, 1.0, -1.0),
    "start": (1, 0, -1, 1e300),
}


def values(
    min_value: float | None = None,
    max_value: float | None = None,
    *,
    allow_nan: bool = False,
    allow_infinity: bool = False,
    labels: SearchStrategy[str] | None = None,
) -> SearchStrategy[Value]:
    """Return a strategy for leaves: `Value`s of floats, finite unless allowed otherwise.

    Args:
        min_value, max_value, allow_nan, allow_infinity: as for `hypothesis.strategies.floats`.
        labels: a strategy for the labels; without it, they are empty.

    >>> from hypothesis import find
    >>> find(values(min_value=1.5), lambda x: x > 2)
    Value(data=3.0, grad=0.0)
    """
    floats = st.floats(min_value, max_value, allow_nan=allow_nan, allow_infinity=allow_infinity)
    return st.builds(Value, floats) if labels is None else st.builds(Value, floats, label=labels)


# Points


def points(rule: Rule | str | Callable[..., Any], edges: bool = False) -> SearchStrategy[Arguments]:
    """Return a strategy for the arguments of a rule, by name: floats, lists of floats, and parameters.

    The rule is defined there, and its result finite. Every number `x` keeps a distance of `0.001 * max(1, abs(x))` from
    kinks and from the ends of the domain. Parameters with names that the library does not know are the default in the
    row, or small integers if there is none.

    Args:
        rule: a row of the calculus table, its name or its function.
        edges: draw edge cases instead: the ends of the domain and their neighbours, kinks, zeros, ties, infinities,
            huge and tiny numbers, wherever the forward function accepts them.

    Raises:
        ValueError: if there is no such rule.

    >>> from hypothesis import find
    >>> find(points("atan2"), lambda point: True)
    {'y': 1.0, 'x': 1.0}
    >>> find(points("asin", edges=True), lambda point: True)
    {'x': -1.0}
    """
    return _edge_points(row(rule)) if edges else _smooth_points(row(rule))


@st.composite
def _smooth_points(draw: DrawFn, rule: Rule) -> Arguments:
    size = draw(st.integers(1, 5))
    drawn: Arguments = {}
    for name in rule.arguments:
        if rule.is_sequence(name):
            drawn[name] = draw(st.lists(inner_floats(rule, name), min_size=size, max_size=size))
        else:
            drawn[name] = draw(inner_floats(rule, name) if rule.is_differentiable(name) else parameter(rule, name))
    if is_smooth(rule, drawn):
        return drawn
    pools = [readable(*inner_bounds(rule, name)) for name, _ in places(rule, drawn)]
    for numbers in alternatives(pools):
        if is_smooth(rule, arguments := replaced(rule, drawn, numbers)):
            return arguments
    reject()


def is_smooth(rule: Rule, arguments: Arguments) -> bool:
    """Return whether `arguments` are well inside the domain of `rule`, and its result finite."""
    return is_inside(rule, arguments) and accepts(rule, arguments, math.isfinite)


def accepts(rule: Rule, arguments: Arguments, condition: Callable[[float], bool] = lambda out: True) -> bool:
    """Return whether `rule` accepts `arguments`, and its result satisfies `condition`."""
    try:
        return condition(forward(rule, arguments))
    except MATH_ERRORS:
        return False


def inner_bounds(rule: Rule, name: str, margin: float = MARGIN, largest: float = LARGEST) -> tuple[float, float]:
    """Return bounds of the argument `name` well within the domain, about `largest` where that is unbounded."""
    low, high = bounds(rule, name)
    inner_low, inner_high = min(-largest, high - largest), max(largest, low + largest)
    if math.isfinite(low):
        inner_low = low + 2 * radius(rule, name, low, margin)
    if math.isfinite(high):
        inner_high = high - 2 * radius(rule, name, high, margin)
    return inner_low, max(inner_low, inner_high)


def inner_floats(rule: Rule, name: str, margin: float = MARGIN, largest: float = LARGEST) -> SearchStrategy[float]:
    """Return a strategy for floats well within the bounds of the argument `name`, readable ones first."""
    low, high = inner_bounds(rule, name, margin, largest)
    close = st.floats(max(low, min(-9.0, high)), min(high, max(9.0, low)))
    return st.sampled_from(readable(low, high)) | close | st.floats(low, high)


def readable(low: float, high: float) -> list[float]:
    """Return numbers between the bounds that are easy to read."""
    return [x for x in READABLE if low <= x <= high] or [round_between(low, high)]


def round_between(low: float, high: float) -> float:
    """Return a number between the bounds with few digits."""
    middle = (low + high) / 2
    return next((x for digits in range(-3, 18) if low <= (x := round(middle, digits)) <= high), middle)


def parameter(rule: Rule, name: str) -> SearchStrategy[Any]:
    """Return a strategy for the parameter `name`: by the name, else the default in the row, else 1 to 3."""
    if name in PARAMETERS:
        return PARAMETERS[name]
    return st.just(ast.literal_eval(rule.defaults[name])) if name in rule.defaults else st.integers(1, 3)


def alternatives(pools: Sequence[Sequence[float]]) -> Iterator[tuple[float, ...]]:
    """Yield tuples of one number per pool: first of different numbers; in the end every pair from two pools has come.

    >>> from itertools import islice
    >>> list(islice(alternatives([READABLE, READABLE]), 3))
    [(1.0, 2.0), (2.0, 0.5), (0.5, 3.0)]
    """
    for stride in range(1, len(READABLE)):
        for start in range(len(READABLE)):
            yield tuple(pool[(start + stride * index) % len(pool)] for index, pool in enumerate(pools))


# Edges

EXTREMES = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 5e-324, -5e-324, 1e-308, 1e-200, -1e-200, 1e200, -1e200, 1.7e308, -1.7e308)
INFINITIES = (math.inf, -math.inf)


@st.composite
def _edge_points(draw: DrawFn, rule: Rule) -> Arguments:
    size = draw(st.integers(1, 3))
    others = [name for name in rule.arguments if not rule.is_differentiable(name)]
    parameters = {name: draw(edge_parameter(rule, name)) for name in others}
    sizes = [size if rule.is_sequence(name) else 1 for name in rule.arguments if name not in others]
    starts = draw(st.lists(st.integers(0, 99), min_size=sum(sizes), max_size=sum(sizes)))
    for turn in range(100):
        arguments = edge_arguments(rule, size, parameters, [start + turn for start in starts])
        if accepts(rule, arguments):
            return arguments
    reject()


def edge_parameter(rule: Rule, name: str) -> SearchStrategy[Any]:
    """Return a strategy for the parameter `name` at its extremes, if they are known."""
    return st.sampled_from(EDGE_PARAMETERS[name]) if name in EDGE_PARAMETERS else parameter(rule, name)


def edge_arguments(rule: Rule, size: int, parameters: Arguments, picks: Sequence[int]) -> Arguments:
    """Return arguments at edges of `rule`, with sequences of length `size`; `picks` selects the edges."""
    picked: list[float] = []

    def pick(name: str) -> float:
        ties = [tied for x in picked[-2:] for tied in (x, -x, 2 * x, x / 2)]
        edges = [*edges_of(rule, name), *ties]
        picked.append(edges[picks[len(picked)] % len(edges)])
        return picked[-1]

    arguments = dict(parameters)
    for name in rule.arguments:
        if name not in parameters:
            arguments[name] = [pick(name) for _ in range(size)] if rule.is_sequence(name) else pick(name)
    return {name: arguments[name] for name in rule.arguments}


def edges_of(rule: Rule, name: str) -> list[float]:
    """Return the constants that the domain of `rule` compares `name` with, their neighbours, and extreme numbers."""
    numbers = dict.fromkeys(number for _, number in limits(rule, name))
    near = [math.nextafter(number, side) for number in numbers for side in INFINITIES]
    return [*numbers, *near, *EXTREMES, *INFINITIES]


# Networks

INPUTS = st.sampled_from(READABLE) | st.floats(-3.0, 3.0).filter(lambda x: abs(x) > MARGIN)


@st.composite
def networks(
    draw: DrawFn,
    *,
    inputs: int | None = None,
    outputs: int = 1,
    max_layers: int = 3,
    max_width: int = 4,
    activations: Sequence[str | None] = ("tanh", "sigmoid", "softplus", "gelu", "relu", None),
) -> tuple[MLP, list[float]]:
    """Draw a small network and inputs for it.

    Args:
        inputs: the count of inputs; one to three unless given.
        outputs: the count of outputs.
        max_layers: the largest count of layers.
        max_width: the largest count of neurons in a hidden layer.
        activations: what to choose from for the hidden layers. With relu, a whole layer may be dead; the next layer
            then sits at its kink.

    >>> from hypothesis import find
    >>> find(networks(inputs=2), lambda drawn: len(drawn[0].layers) == 2)
    (MLP of [Layer of [TanhNeuron(2)], Layer of [LinearNeuron(1)]], [1.0, 1.0])
    """
    nin = draw(st.integers(1, 3)) if inputs is None else inputs
    hidden = draw(st.lists(st.integers(1, max_width), max_size=max_layers - 1))
    activation, seed = draw(st.sampled_from(activations)), draw(st.integers(0, 2**16))
    options = {"activation": st.just(activation), "rng": st.just(seed)}
    net = draw(st.builds(MLP, st.just(nin), st.just([*hidden, outputs]), **options))
    return net, draw(st.lists(INPUTS, min_size=nin, max_size=nin))
