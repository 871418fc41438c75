"""Rows as templates of source: the forward expression and the products of the chain rule, with places for operands.

They are made once for each row, from the same text as the eager roles. A place that occurs twice must be filled with a
name, so that nothing is computed twice.
"""

from __future__ import annotations

import ast
import copy
import re
from functools import cache

from microgrid.engine.operations import NUMBERS, dependents
from microgrid.rules.derivatives import Inline, Substitute, expression, is_zero, may_raise, names_in, product
from microgrid.rules.source import define, sequences, with_float_literals
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

# Choices without a case for nan: a nan that results from one is found at the end, and the call is made eagerly.
CHOICES = {
    "sign": "1 if x > 0 else -1 if x < 0 else 0",
    "step": "1 if x > 0 else 0",
    "less": "1 if x < y else 0",
    "where": "x if c else y",
}
SMALL = {  # functions that are written out, since a call takes longer than their expression
    "sigmoid": "1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))",
    "softplus": "x + log1p(exp(-x)) if x > 0 else log1p(exp(x))",
}
FOLDS = {  # functions of sequences that are written out, element by element; a nan is kept
    "maximum": "-inf; x if x > out or x != x else out",
    "minimum": "inf; x if x < out or x != x else out",
}
SCOPES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
MARK = re.compile(r"__(\w+?)__([0-9])__")

# How tightly an expression binds: an operand that binds less tightly than its place demands needs parentheses.
LOOSE, SUM, PRODUCT, MINUS, POWER, ATOM, SPREAD = range(7)  # SPREAD asks for the elements of a sequence: `*xs`
LEVELS = {ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT, ast.FloorDiv: PRODUCT, ast.Mod: PRODUCT}


def index_of(number: Any) -> int | None:
    """Return `number` if it is an integer, else None."""
    return number if isinstance(number, int) else None


# Functions that generated code calls; `without_scopes` adds those made from rows.
OWN_HELPERS: dict[str, Callable[..., Any]] = {"index_of": index_of}
helpers = dict(OWN_HELPERS)


def level_of(tree: ast.expr) -> int:
    """Return how tightly the text of `tree` binds."""
    match tree:
        case ast.BinOp(op=ast.Pow()):
            return POWER
        case ast.BinOp(op=op):
            return LEVELS.get(type(op), LOOSE)
        case ast.UnaryOp(op=ast.USub()):
            return MINUS
        case ast.Name() | ast.Call() | ast.Constant():
            return ATOM
    return LOOSE


class Mark(ast.NodeTransformer):
    """Replaces the names of places by marks that say how tightly an operand has to bind there."""

    def __init__(self, places: set[str]) -> None:
        self.places = places

    def marked(self, node: ast.expr, level: int) -> ast.expr:
        """Return the mark for a place; any other expression is visited."""
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Name) and node.value.id in self.places:
            node, level = node.value, SPREAD
        if isinstance(node, ast.Name) and node.id in self.places:
            return ast.Name(f"__{node.id}__{level}__")
        replaced: ast.expr = self.visit(node)
        return replaced

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the mark for a place."""
        return self.marked(node, ATOM) if node.id in self.places else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Return the operation with marks; the right operand has to bind more tightly, as in `a - (b - c)`."""
        level = LEVELS.get(type(node.op), ATOM)
        node.left, node.right = self.marked(node.left, level), self.marked(node.right, min(level + 1, ATOM))
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Return the call with marks for its arguments."""
        node.args = [self.marked(argument, LOOSE) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.marked(keyword.value, LOOSE)
        return node


class Template:
    """Source with places for operands.

    Args:
        tree: an expression.
        places: the names in it that are replaced by operands.

    Attributes:
        text: for `str.format`.
        fields: the places in the order of their occurrence, each with the level that an operand has to have there.
        places: the names of the places that occur.
        once: those that occur once.
        level: how tightly the text binds.

    >>> template = Template(expression("f(x) * (1.0 - y)"), {"x", "y"})
    >>> template.text, template.fields == [("x", LOOSE), ("y", PRODUCT)], template.level == PRODUCT
    ('f({}) * (1.0 - {})', True, True)
    """

    def __init__(self, tree: ast.expr, places: set[str]) -> None:
        self.level = level_of(tree)
        alone = ATOM if isinstance(tree, ast.Name) else LOOSE  # a text that is just a place counts as an atom
        whole = ast.unparse(Mark(places).marked(copy.deepcopy(tree), alone))
        self.fields = [(place, int(level)) for place, level in MARK.findall(whole)]
        self.text = MARK.sub("{}", whole.replace("{", "{{").replace("}", "}}"))
        used = [place for place, _ in self.fields]
        self.places = {*used}
        self.once = {place for place in used if used.count(place) == 1}


class WriteOut(Inline):
    """Replaces calls of small functions by their texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__(("where",), with_float_literals)
        self.texts = texts

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Return the text of a small function if its arguments are plain names or numbers, else the call."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in self.texts or name == "where":
            return super().visit_Call(node)
        self.generic_visit(node)
        if not all(isinstance(argument, ast.Name | ast.Constant) for argument in node.args):
            return node  # its arguments would be evaluated several times
        given = dict(zip(RULES[name].arguments, node.args, strict=True))
        written: ast.expr = Substitute(given).visit(expression(with_float_literals(self.texts[name])))
        return written


def without_scopes(name: str, tree: ast.expr, places: set[str]) -> ast.expr:
    """Return `tree`, or if it has a comprehension, the call of a new helper `name` that evaluates it.

    The time that Python takes to compile a comprehension grows with the number of variables around it, and generated
    code has thousands. If `name` is taken, by an older rule for example, underscores are appended.
    """
    if not any(isinstance(node, SCOPES) for node in ast.walk(tree)):
        return tree
    used = ", ".join(sorted(places & names_in(tree)))
    while name in helpers or name in NUMBERS:
        name += "_"
    helpers[name] = define(f"def {name}({used}):\n    return {ast.unparse(tree)}\n", name, NUMBERS)[name]
    return expression(f"{name}({used})")


def names_skipped(tree: ast.expr) -> Iterator[str]:
    """Yield the names in those parts of `tree` that are not always evaluated: of choices, `and`, `or`, `a < b < c`.

    >>> sorted(names_skipped(expression("f(x if c else y) + (a and b) * (d < e < g)")))
    ['b', 'g', 'x', 'y']
    """
    for node in ast.walk(tree):
        match node:
            case ast.IfExp(body=body, orelse=orelse):
                parts = [body, orelse]
            case ast.BoolOp(values=[_, *parts]) | ast.Compare(comparators=[_, *parts]):
                pass
            case _:
                continue
        for part in parts:
            yield from names_in(part)


def places_of(rule: Rule, elements: bool) -> set[str]:
    """Return the names of operands in the texts of `rule`, with `elements` those of single elements too."""
    singular = {name[:-1] for name in sequences(rule)} if elements else ()
    return {*rule.arguments, *singular, "out", "n"}


class AdjointTerm:
    """The term that an operation propagates from `g`, the adjoint of its result, to that of one argument.

    Attributes:
        argument: the name of the argument.
        position: its position among the arguments.
        template: the template of the term; for a sequence, of the term of one element, or of the list of all terms.
        is_whole: whether it is that list, because the row gives the partials of all elements at once.
        positions: the positions of the arguments that the template refers to.
        uses_out: whether the template refers to the result.
    """

    def __init__(self, rule: Rule, argument: str, partial: ast.expr) -> None:
        self.argument, self.position = argument, rule.arguments.index(argument)
        self.is_whole = argument in sequences(rule) and argument in rule.partials
        places = places_of(rule, elements=argument in sequences(rule) and not self.is_whole)
        tree = without_scopes(f"{rule.name}_by_{argument}", partial, places)
        g = ast.Name("g")
        self.template = Template(
            ast.Call(ast.Name("scaled"), [g, tree], []) if self.is_whole else product(g, tree), {*places, "g"}
        )
        used = self.template.places
        looped = sequences(rule)
        self.positions = [
            position
            for position, name in enumerate(rule.arguments)
            if name in used or (name in looped and name[:-1] in used)
        ]
        self.uses_out = "out" in used


class Recipe:
    """All templates of a row.

    Attributes:
        forward: the template of the result, or two for a result accumulated from left to right: its start and its step.
        repeated: the positions of arguments whose place occurs more than once, or not at all.
        skipped: the positions of arguments that are not always evaluated, such as `x` and `y` in `x if c else y`.
        raises: whether the forward expression may raise on floats.
        looped: by the name of an element, the position of its sequence.
        adjoint_terms: a term for each argument whose partial is not zero.
    """

    def __init__(self, rule: Rule) -> None:
        elements = {name[:-1]: rule.arguments.index(name) for name in sequences(rule)}
        small = WriteOut(SMALL)
        texts = FOLDS.get(rule.name, rule.forward).split("; ")
        trees = [small.visit(expression(with_float_literals(text))) for text in texts]
        places = places_of(rule, elements=len(trees) > 1)
        self.forward = [Template(without_scopes(f"{rule.name}_result", tree, places), places) for tree in trees]
        texts = [place for template in self.forward for place, _ in template.fields]
        singular = {name: name[:-1] for name in sequences(rule)} if len(trees) > 1 else {}
        counts = [texts.count(singular.get(name, name)) for name in rule.arguments]
        self.repeated = [position for position, count in enumerate(counts) if count != 1]
        chosen = {name for tree in trees for name in names_skipped(tree)}
        self.skipped = [position for position, name in enumerate(rule.arguments) if singular.get(name, name) in chosen]
        self.raises = any(map(may_raise, trees))
        self.looped = elements
        self.adjoint_terms = list(self.find_terms(rule))

    def active_terms(self, arguments: tuple[Any, ...], active: set[str]) -> list[AdjointTerm]:
        """Return the terms for those `arguments` that are, or contain, one of the names `active`."""
        return [
            term
            for term in self.adjoint_terms
            if (argument := arguments[term.position]) in active
            or (type(argument) is tuple and not active.isdisjoint(argument))
        ]

    @staticmethod
    def find_terms(rule: Rule) -> Iterator[AdjointTerm]:
        """Yield the term of each argument whose partial is not zero."""
        for argument in filter(rule.is_differentiable, rule.arguments):
            key = argument if argument in rule.partials else argument[:-1]
            partial = WriteOut(CHOICES | SMALL).visit(expression(with_float_literals(rule.partials[key])))
            if not is_zero(partial):
                yield AdjointTerm(rule, argument, partial)


recipe: Callable[[Rule], Recipe] = cache(Recipe)


class RecipeCache:
    """The recipes and helpers, forgotten when a rule is replaced; compiled code keeps the helpers it calls."""

    def cache_clear(self) -> None:
        """Forget all recipes, and the helpers made for them."""
        recipe.cache_clear()  # type: ignore[attr-defined] # declared as a function, so that its argument is checked
        helpers.clear()
        helpers.update(OWN_HELPERS)


recipe_cache = RecipeCache()
dependents.add(recipe_cache)


def bindings(rule: Rule, target: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Return the operands of a step by the places of the templates of `rule`."""
    operands: dict[str, Any] = dict(zip(rule.arguments, arguments, strict=True))
    looped = recipe(rule).looped
    if looped:
        operands.setdefault("n", float(len(arguments[next(iter(looped.values()))])))
    operands["out"] = target
    return operands


def elements_of(rule: Rule, arguments: tuple[Any, ...]) -> Iterator[Mapping[str, Any]]:
    """Yield the elements of the sequences of `rule` by their places: the first of each, then the second of each."""
    looped = recipe(rule).looped
    for elements in zip(*(arguments[position] for position in looped.values()), strict=True):
        yield dict(zip(looped, elements, strict=True))
