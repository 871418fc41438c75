"""Testing derivatives: a numerical oracle, checks against it, and Hypothesis strategies for code that uses microgrid.

Everything that needs Hypothesis is imported when it is first used.

>>> from hypothesis import find, strategies
>>> from microgrid import Value
>>> find(strategies.from_type(Value), lambda x: x > 1)
Value(data=2.0, grad=0.0)
"""

from microgrid.engine.public import publish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from microgrid.testing.gradients import check_gradients
    from microgrid.testing.oracle.numerical import Estimate, NotDifferentiableError, numerical_derivative
    from microgrid.testing.rule_checks import check_rule
    from microgrid.testing.strategies.drafting import expressions
    from microgrid.testing.strategies.expression import Expression
    from microgrid.testing.strategies.values import networks, points, values

_HOMES = {
    "Estimate": "oracle.numerical",
    "Expression": "strategies.expression",
    "NotDifferentiableError": "oracle.numerical",
    "check_gradients": "gradients",
    "check_rule": "rule_checks",
    "expressions": "strategies.drafting",
    "networks": "strategies.values",
    "numerical_derivative": "oracle.numerical",
    "points": "strategies.values",
    "values": "strategies.values",
}

__all__ = [
    "Estimate",
    "Expression",
    "NotDifferentiableError",
    "check_gradients",
    "check_rule",
    "expressions",
    "networks",
    "numerical_derivative",
    "points",
    "values",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        found.__module__ = __name__
        return found
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        hint = "install microgrid with the extra test (pip install '.[test]')"
        raise ModuleNotFoundError(f"{name} needs Hypothesis: {hint}", name=error.name) from None


__dir__ = publish(globals())


def _hypothesis_setup_hook() -> None:
    """Register a strategy for `from_type(Value)`. Hypothesis calls this when it is imported."""
    from hypothesis import strategies

    from microgrid.engine.value import Value

    def drawn(_: type[Value]) -> strategies.SearchStrategy[Value]:
        from microgrid.testing.strategies.values import values

        return values()

    strategies.register_type_strategy(Value, drawn)
