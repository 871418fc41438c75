"""The operators, methods and functions that are written from rows."""

import inspect
import pickle

import pytest

from microgrid import Value, eager
from microgrid.functions import FUNCTIONS
from microgrid.rules import ROWS, RULES


def test_generated_methods_have_name_module_and_documentation() -> None:
    assert Value.tanh.__qualname__ == "Value.tanh" and Value.tanh.__module__ == "microgrid.generated.value"
    assert "hyperbolic tangent" in (Value.tanh.__doc__ or "")
    assert pickle.loads(pickle.dumps(Value.tanh)) is Value.tanh
    assert str(inspect.signature(Value.leaky_relu)) == "(self, negative_slope=0.01)"


def test_methods_are_rules_of_one_differentiable_number() -> None:
    methods = {rule.name for rule in ROWS if eager.is_method(rule)}
    assert {"tanh", "relu", "leaky_relu", "round", "ldexp"} <= methods
    assert not methods & {"mul", "atan2", "fsum", "hypot", "dot", "polygamma", "logsumexp", "maximum"}
    assert all(callable(getattr(Value, name)) for name in methods)


@pytest.mark.parametrize(
    ("name", "names"),
    [("neg", ["__neg__", "neg"]), ("abs", ["__abs__", "abs", "fabs"]), ("tanh", ["tanh"]), ("mul", []), ("dot", [])],
)
def test_names_of_methods(name: str, names: list[str]) -> None:
    assert eager.method_names(RULES[name]) == names
    assert all(hasattr(Value, method) for method in names)


def test_functions_of_the_standard_module_are_known() -> None:
    standard = {rule.name for rule in ROWS if eager.is_standard(rule)}
    assert {"tanh", "hypot", "prod", "fma", "sumprod", "ldexp"} <= standard
    assert not standard & {"relu", "sigmoid", "maximum", "pow", "dot", "mean", "add"}


@pytest.mark.parametrize("name", ["sigmoid", "elu", "dot", "prod", "atan2"])
def test_documentation_says_what_and_shows_how(name: str) -> None:
    documentation = FUNCTIONS[name].__doc__ or ""
    assert documentation.startswith("Return ") and "The partial by" in documentation and f">>> {name}(" in documentation
