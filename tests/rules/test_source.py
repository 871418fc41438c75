"""Source made from row text, and functions made from source."""

import importlib
import inspect
import linecache
import sys
import traceback
from typing import Any

import pytest

from microgrid import math
from microgrid.engine.value import Value
from microgrid.rules.source import (
    define,
    fan,
    forward_source,
    number_functions,
    parameters,
    tokens,
    with_float_literals,
    words,
)
from microgrid.rules.table import ROWS, RULES, Rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1 - x", "1.0 - x"), ("x2 + 10", "x2 + 10.0"), ("0.5 * x", "0.5 * x"), ("f(1, n)", "f(1.0, n)"), ("x", "x")],
)
def test_integer_literals_become_floats(text: str, expected: str) -> None:
    assert with_float_literals(text) == expected


def test_names_may_come_while_a_function_is_defined() -> None:
    class Growing(str):
        def __hash__(self) -> int:  # as if another thread had its turn
            names[f"late_{len(names)}"] = None
            return super().__hash__()

    names: dict[str, Any] = {"helper": abs}
    names |= {Growing("first"): len, Growing("second"): len}
    assert define("def f(x):\n    return helper(x)\n", "somewhere", names)["f"](-2) == 2


def test_defined_functions_see_only_the_names_they_use() -> None:
    names = {"helper": abs, "secret": object(), "size": len}
    defined = define("def f(x):\n    return helper(x)\n", "somewhere", names)
    assert (
        list(defined) == ["f"] and defined["f"](-2) == 2 and defined["f"].__module__ == "microgrid.generated.somewhere"
    )
    names = {name for name, item in defined["f"].__globals__.items() if callable(item) and not name.startswith("__")}
    assert names == {"helper", "f"}


def test_what_is_passing_has_no_builtins_and_is_forgotten() -> None:
    source = "def f(x):\n    return size(x)\n\ndef g(x):\n    return len(x)\n"
    passing = define(source, "passing_by", {"size": len}, passing=True)
    assert passing["f"]([1, 2]) == 2 and [*passing] == ["f", "g"]
    with pytest.raises(NameError, match="'len'"):
        passing["g"]([])
    assert "microgrid.generated.passing_by" not in sys.modules and "f" not in passing["f"].__globals__
    assert define(source, "staying", {"size": len})["g"]([]) == 0
    assert sys.modules.pop("microgrid.generated.staying")


def test_a_name_defined_anew_is_returned() -> None:
    assert define("def f(x):\n    return x\n", "anew", {"f": abs})["f"](-1) == -1


@pytest.mark.parametrize(
    ("function", "line"), [(Value.__mul__, "out.data = x * y"), (math.atan2, "def atan2(y: Any, x: Any, /) -> Any:")]
)
def test_inspect_shows_generated_source(function: Any, line: str) -> None:
    assert line in inspect.getsource(function)


def test_tracebacks_show_generated_source() -> None:
    with pytest.raises(ValueError, match="math domain error") as caught:
        Value(-1.0).log()
    linecache.clearcache()
    text = "".join(traceback.format_exception(caught.value))
    assert 'raise named(error, "log", self)' in text


@pytest.mark.parametrize(
    ("name", "mask", "expected"),
    [
        ("exp", [True], 1),
        ("mul", [True, True], 2),
        ("mul", [False, True], 1),
        ("clip", [True, False, False], 1),
        ("clip", [True, True, False], 0),
        ("clip", [True, True, True], 0),
        ("fsum", [True], 0),
        ("dot", [True, False, True], 0),
    ],
)
def test_fan_says_how_parents_are_kept(name: str, mask: list[bool], expected: int) -> None:
    assert fan(RULES[name], mask) == expected


@pytest.mark.parametrize("rule", ROWS, ids=lambda rule: rule.name)
def test_every_forward_source_compiles_and_names_its_arguments(rule: Rule) -> None:
    source = forward_source(rule, with_float_literals)
    functions = define(source, "one_forward", {})
    assert tuple(inspect.signature(functions[rule.name]).parameters) == rule.arguments


@pytest.mark.parametrize("text", ["aXb", "x_1", "X", "x.y"])
def test_a_word_is_one_token(text: str) -> None:
    assert list(tokens(text)) == [text] and words(text) == set(text.split("."))


def test_generated_modules_have_a_parent_that_holds_nothing_else() -> None:
    parent = importlib.import_module("microgrid.generated")
    assert parent.__path__ == [] and (parent.__doc__ or "").startswith("The parent of")
    assert importlib.import_module("microgrid.generated.value") is sys.modules[Value.tanh.__module__]
    assert importlib.import_module("microgrid.generated.functions") is sys.modules[math.tanh.__module__]


def test_arguments_with_defaults_alone_have_nothing_before_them() -> None:
    rule = Rule("grown(x=1, y=2)", "x * y", "a product", x="y", y="x")
    assert parameters(rule) == "x=1, y=2"


def test_forward_source_counts_and_names_elements() -> None:
    assert forward_source(RULES["mean"], str).splitlines()[1:] == ["    n = len(xs)", "    return fsum(xs) / n"]
    assert "    for x in xs:" in forward_source(RULES["total"], str).splitlines()
    rule = Rule("f(weights, values)", "0; out + weight * value", "sum", weight="value", value="weight")
    assert "    for weight, value in zip(weights, values):" in forward_source(rule, str).splitlines()


def test_functions_of_numbers_live_in_the_module_they_are_given() -> None:
    functions = number_functions("somewhere_else", [RULES["relu"]], {"given": abs}, str)
    assert functions["given"] is abs and functions["relu"].__module__ == "microgrid.generated.somewhere_else"
