"""Hypothesis strategies made from the calculus table: arguments inside the domain of a rule."""

import ast
import math
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from microgrid.rules import Rule

PARAMETERS: Mapping[str, st.SearchStrategy[Any]] = {
    "alpha": st.floats(0.1, 3.0),
    "delta": st.floats(0.1, 3.0),
    "i": st.integers(-20, 20),
    "n": st.integers(1, 4),
    "ndigits": st.integers(0, 5),
    "negative_slope": st.floats(-1.0, 1.0),
    "start": st.sampled_from([1, -2.5, 3]),
}


def finite(low: float = -300.0, high: float = 300.0) -> st.SearchStrategy[float]:
    """Return floats between the bounds; zero and its neighbourhood are one, so that products do not underflow."""
    return st.floats(low, high).map(lambda x: x if abs(x) > 1e-15 or not low < 0.0 < high else 0.0)


def bounds(rule: Rule, name: str) -> tuple[float, float]:
    """Return the interval that comparisons with constants in the domain of `rule` leave to `name`, moved inwards."""
    low, high = -300.0, 300.0
    for node in ast.walk(ast.parse(rule.domain or "True", mode="eval")):
        match node:
            case ast.Compare(ast.Name(id), [ast.Gt()], [limit]) if id == name:
                low = math.nextafter(ast.literal_eval(limit), math.inf)
            case ast.Compare(limit, [ast.Lt(), ast.Lt()], [ast.Name(id), upper]) if id == name:
                low = math.nextafter(ast.literal_eval(limit), math.inf)
                high = math.nextafter(ast.literal_eval(upper), -math.inf)
    return low, high


def in_domain(rule: Rule, arguments: Mapping[str, Any]) -> bool:
    """Return whether the domain of `rule` holds for `arguments`."""
    names = dict(arguments)
    lengths = [len(value) for value in arguments.values() if isinstance(value, list)]
    return bool(eval(rule.domain or "True", {"n": lengths[0] if lengths else 0, **names}))


@st.composite
def points(draw: st.DrawFn, rule: Rule) -> dict[str, Any]:
    """Draw arguments at which `rule` is defined and smooth: floats, lists of floats, and parameters."""
    size = draw(st.integers(1, 5))
    arguments: dict[str, Any] = {}
    for name in rule.arguments:
        if rule.is_sequence(name):
            arguments[name] = draw(st.lists(finite(), min_size=size, max_size=size))
        elif rule.is_differentiable(name):
            low, high = bounds(rule, name)
            arguments[name] = draw(finite(max(low, 1e-15) if low > 0 else low, high))
        else:
            arguments[name] = draw(PARAMETERS[name])
    return arguments
