"""Every row as a function."""

import doctest
from typing import Any

import pytest

from microgrid.math import functions
from microgrid.math.functions import FUNCTIONS
from microgrid.rules.table import RULES

EXAMPLES = {test.name.rpartition(".")[2] for test in doctest.DocTestFinder(exclude_empty=True).find(functions)}


def test_there_is_a_function_for_every_row() -> None:
    assert list(FUNCTIONS) == list(RULES)


@pytest.mark.parametrize("name", list(RULES))
def test_functions_are_attributes_of_the_module_with_doctests(name: str) -> None:
    function: Any = getattr(functions, name)
    assert function is FUNCTIONS[name] and name in EXAMPLES
    assert function.__module__ == "microgrid.math.functions" and function.__qualname__ == name
