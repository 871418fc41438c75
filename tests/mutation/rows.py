"""Is every row of the calculus table held by its tests? Faults in its expressions, one at a time, against them.

Every expression of every row is changed by its syntax tree: a sign, an operator, a constant or a name for another,
arguments swapped, a function replaced by a sibling, a term left out. A mutant is the text of the table with one such
fault; the whole package is made from it, and the row's tests are called until one fails.

    python tests/mutation/rows.py             # all rows
    python tests/mutation/rows.py tanh mod    # these
    python tests/mutation/rows.py --list tanh # print the mutants, test nothing
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import itertools
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

from workers import PACKAGE, ROOT, Mutant, Replaced, forget_package, fork, outcomes, print_table, report, survivors

# Functions that could be mistaken for each other.
SIBLINGS = """
sin cos tan / asin acos atan / sinh cosh tanh / asinh acosh atanh / exp exp2 expm1 / log log1p log2 log10 / sqrt cbrt
erf erfc / gamma lgamma digamma / sigmoid softplus logsigmoid silu / maximum minimum / sign step abs / fmod remainder
degrees radians / fsum prod / copysign atan2 hypot / power floordiv
""".replace("\n", " / ")
REPLACEMENTS = {
    name: [other for other in group.split() if other != name] for group in SIBLINGS.split("/") for name in group.split()
}
OPERATORS: dict[type[ast.AST], Sequence[type[ast.AST]]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Mod: (ast.Div, ast.FloorDiv),
    ast.Pow: (ast.Mult,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
}

EVEN = ("abs", "cos", "cosh", "hypot")
SYMMETRIC = ("hypot", "maximum", "minimum")
# Where the tests of rows are, the quick ones first. `pull` and its kind read as text are no tests of rows.
MODULES = (
    "rules.test_table",
    "test_edges",
    "engine.test_recording",
    "test_derivatives",
    "testing.test_rule_checks",
    "test_math",
)
NOT_CHANGED = {("Call", "func"), ("comprehension", "target")}


def faults(node: ast.expr, names: Sequence[str]) -> Iterator[ast.expr]:
    """Yield what may stand by mistake in the place of `node`; `names` are those that its expression may use."""
    match node:
        case ast.Constant(int(value)):
            yield from (ast.Constant(value + 1), ast.UnaryOp(ast.USub(), node) if value else ast.Constant(-1))
            yield from [ast.Constant(value - 1)] * (value > 0)
        case ast.Name(name):
            yield from (ast.Name(other) for other in names if other != name)
            if name in names:
                yield ast.UnaryOp(ast.USub(), node)
        case ast.UnaryOp(ast.USub(), operand):
            yield operand
        case ast.BinOp(left, operator, right):
            yield from (ast.BinOp(left, other(), right) for other in OPERATORS[type(operator)])  # type: ignore[arg-type]
            yield from (left, right, ast.UnaryOp(ast.USub(), node))
            if not isinstance(operator, ast.Add | ast.Mult):
                yield ast.BinOp(right, operator, left)
        case ast.Compare(left, [operator], [right]):
            yield from (ast.Compare(left, [other()], [right]) for other in OPERATORS[type(operator)])  # type: ignore[list-item]
        case ast.IfExp(test, body, orelse):
            yield from (body, orelse, ast.IfExp(test, orelse, body))
        case ast.Call(ast.Name(name), arguments, keywords):
            yield from (ast.Call(ast.Name(other), arguments, keywords) for other in REPLACEMENTS.get(name, ()))
            yield from (argument for argument in arguments if not isinstance(argument, ast.Starred))
            yield ast.UnaryOp(ast.USub(), node)
            if keywords:
                yield ast.Call(node.func, arguments, [])
            for i, one in enumerate(arguments):
                for j, other in enumerate(arguments[:i]):
                    swapped = [*arguments[:j], one, *arguments[j + 1 : i], other, *arguments[i + 1 :]]
                    yield ast.Call(node.func, swapped, keywords)


def places(tree: ast.AST) -> Iterator[tuple[Any, Any, ast.expr]]:
    """Yield the dict or list that holds an expression in `tree`, its key, itself; not for names called or bound."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.expr) and (type(parent).__name__, field) not in NOT_CHANGED:
                yield vars(parent), field, value
            elif isinstance(value, list):
                yield from ((value, index, item) for index, item in enumerate(value) if isinstance(item, ast.expr))


class Normal(ast.NodeTransformer):
    """Writes in one way what is the same in several: even functions, symmetric ones, tests for not being zero."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Return the call without signs that do not count, the arguments in order where none counts."""
        self.generic_visit(node)
        name = ast.unparse(node.func)
        if name in EVEN:
            node.args = list(map(unsigned, node.args))
        if name in SYMMETRIC:
            node.args.sort(key=ast.unparse)
        if name == "where":
            node.args[0] = unsigned(node.args[0])
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.IfExp:
        """Return the choice without a sign before its test."""
        self.generic_visit(node)
        node.test = unsigned(node.test)
        return node


def unsigned(node: ast.expr) -> ast.expr:
    """Return `node` without a minus before it."""
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node


def normal(text: str) -> str:
    """Return the normal form of an expression.

    >>> normal("where(-c, hypot(y, -x), abs(-x))")
    'where(c, hypot(x, y), abs(x))'
    """
    return ast.unparse(Normal().visit(ast.parse(text, mode="eval")))


def mutated_texts(text: str, names: Sequence[str]) -> Iterator[str]:
    """Yield the expression `text` with one fault each, none the same as another; it may be `start; step`.

    >>> list(mutated_texts("-x", ["x", "y"]))
    ['x', '-y', '--x']
    """
    start, fold, step = text.partition("; ")
    if fold:
        yield from (f"{mutated}; {step}" for mutated in mutated_texts(start, names))
        yield from (f"{start}; {mutated}" for mutated in mutated_texts(step, names))
        return
    tree = ast.parse(text, mode="eval")
    seen = {normal(text)}
    for holder, key, node in list(places(tree)):
        for fault in faults(node, names):
            holder[key] = fault
            mutated = ast.unparse(tree)
            holder[key] = node
            if normal(mutated) not in seen:
                seen.add(normal(mutated))
                yield mutated


def table() -> Any:
    """Return a module made from the table, which is not the package's own: that is imported anew for every mutant."""
    spec = importlib.util.spec_from_file_location("table_without_faults", PACKAGE / "rules" / "table.py")
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def scope(rule: Any, part: str) -> list[str]:
    """Return the names that the expression `part` of `rule` may use, `forward` or an argument."""
    each = (part in rule.partials and part not in rule.arguments) or "; " in rule.forward
    names = [name[:-1] if each and rule.is_sequence(name) else name for name in rule.arguments]
    if any(map(rule.is_sequence, rule.arguments)):
        names.append("n")
    return names if part == "forward" and "; " not in rule.forward else [*names, "out"]


def mutants(source: str) -> Iterator[tuple[str, Mutant]]:
    """Yield the name of a row and the text of the table with one fault in that row, for every row."""
    rules = table().RULES
    lines = source.encode().splitlines(keepends=True)
    for call in ast.walk(ast.parse(source)):
        match call:
            case ast.Call(ast.Name("Rule"), [ast.Constant(str(signature)), ast.Constant() as forward, _], keywords):
                rule = rules[signature.partition("(")[0]]
                parts: dict[str, Any] = {str(word.arg): word.value for word in keywords if word.arg in rule.partials}
                for part, literal in {"forward": forward, **parts}.items():
                    row, first, last = literal.lineno - 1, literal.col_offset, literal.end_col_offset
                    text = literal.value
                    for mutated in mutated_texts(text, scope(rule, part)):
                        line = lines[row][:first] + f'"{mutated}"'.encode() + lines[row][last:]
                        whole = b"".join([*lines[:row], line, *lines[row + 1 :]]).decode()
                        yield rule.name, Mutant(f"{rule.name}.{part}", text, mutated, whole)


def cases(test: Callable[..., object]) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each call that `pytest.mark.parametrize` makes of `test`."""
    choices = []
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            names, values = mark.args
            names = names.split(",") if isinstance(names, str) else names
            values = (value.values if hasattr(value, "marks") else value for value in values)  # of pytest.param
            choices.append([dict(zip(names, value if len(names) > 1 else (value,), strict=True)) for value in values])
    for choice in itertools.product(*choices):
        yield dict(itertools.chain.from_iterable(part.items() for part in choice))


def tests_of(name: str) -> Iterator[Callable[[], object]]:
    """Yield the tests of the row `name`: calls with its rule, its name or an entry of its name in a reference table."""
    forms = {"clip_const": "clip", "pow_const": "pow"}
    for module in map(importlib.import_module, MODULES):
        for test in vars(module).values():
            wanted = set(inspect.signature(test).parameters) if inspect.isfunction(test) else set()
            for case in cases(test):
                about = [value.get("name") if isinstance(value, dict) else value for value in case.values()]
                about = [getattr(value, "name", value) for value in about]
                if name in [forms.get(word, word) for word in about if isinstance(word, str)] and wanted == {*case}:
                    yield functools.partial(test, **case)


def generate() -> None:
    """Let what is made of the table ahead of time be imported as this table makes it."""
    package = ModuleType("microgrid")  # in its place one that finds the rooms, and imports nothing
    package.__path__ = [str(PACKAGE)]
    sys.modules["microgrid"] = package
    for path, text in importlib.import_module("microgrid.rules.generate").documents().items():
        if path.suffix == ".py":
            *folders, name = path.relative_to(PACKAGE).with_suffix("").parts
            sys.meta_path.insert(0, Replaced(".".join([*folders, *[name] * (name != "__init__")]), text))
    forget_package()


def run_tests(name: str) -> int:
    """Call the tests of a row; one that fails raises."""
    from hypothesis import settings

    generate()
    settings.register_profile("rows", settings.get_profile("mutation"), max_examples=30)
    settings.load_profile("rows")
    sys.path.insert(0, str(ROOT / "tests"))
    for test in tests_of(name):
        test()
    return 0


def main(arguments: Sequence[str]) -> int:
    """Print what survives, and the table; return 1 if something survives that is not listed as the same."""
    source = (PACKAGE / "rules" / "table.py").read_text()
    chosen = [argument for argument in arguments if not argument.startswith("-")] or list(table().RULES)
    if unknown := {*chosen} - {*table().RULES}:
        sys.exit(f"expected names of rows; got {', '.join(unknown)}")
    found = [(name, mutant) for name, mutant in mutants(source) if name in chosen]
    if "--list" in arguments:
        for name, mutant in found:
            print(name, *mutant.change, sep=" | ")
        return 0
    began = time.monotonic()
    for name, failed, _ in outcomes(chosen, lambda name: fork("rules.table", source, lambda: run_tests(name), 600)):
        if failed:
            sys.exit(f"the tests of the row {name} fail without a mutant")
    results = outcomes(found, lambda job: fork("rules.table", job[1].source, lambda: run_tests(job[0]), 60))
    alive = [(name, mutant) for (name, mutant), killed, _ in results if not killed]
    count = Counter(name for name, _ in found)
    survived = Counter(name for name, _ in alive)
    listed = {change for change in survivors("rules.table") if change[0].partition(".")[0] in chosen}
    good = report("rules.table", listed, (mutant for _, mutant in found), (mutant for _, mutant in alive))
    print()
    print_table(
        ("row", "mutants", "killed", "the same"),
        [(name, count[name], count[name] - survived[name], survived[name]) for name in chosen]
        + [("all", len(found), len(found) - len(alive), len(alive))],
    )
    print(f"\n{time.monotonic() - began:.0f} seconds")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
