"""The derivative roles of a row, as source: how a node hands its adjoint on to its parents, or takes their tangents.

Each function made here serves one rule recorded on one pattern of parents and constants. It is built when the first
node of that kind is differentiated, from the row's partials alone:

- `pull(node, g)` adds `g` times each partial to the parents' `grad`, on floats; `exact(node, g)` does it on fractions,
  with the row's integer literals;
- `vjp(node, g)` returns the products, one for each parent; `record(node, g)` returns them as new nodes, so that they
  can be differentiated again;
- `jvp(node, tangents)` returns the sum of each partial times the tangent of its parent, where `tangents` has one;
  `jvp_record(node, tangents)` returns it as a new node.

`trace` and `jvp_trace` are like `record` and `jvp_record`, but choose nothing by a number: every choice is a node.

Where the plain text raises, `total`, `vjp_total`, `record_total`, `jvp_total` and `jvp_record_total` do the same over
functions that return inf or nan.
"""

from __future__ import annotations

import ast
import copy

from microgrid.rules import methods
from microgrid.rules.source import define, fan, sequences, with_float_literals
from microgrid.rules.table import RULES, Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

CHOICES = ("sign", "step", "less", "where")
ADDING = ("pull", "exact", "total")  # the roles that add to the gradients of the parents
TOTAL_OPERATORS = {ast.Div: "div", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.Pow: "power"}


def expression(text: str) -> ast.expr:
    """Return the syntax tree of the expression `text`."""
    return ast.parse(text, mode="eval").body


class Substitute(ast.NodeTransformer):
    """Replaces names by expressions.

    Args:
        replacements: what stands for a name.
        numbers: what stands for it within a function whose derivative is zero, of which nothing need be recorded.
    """

    def __init__(self, replacements: Mapping[str, ast.expr], numbers: Mapping[str, ast.expr] | None = None) -> None:
        self.replacements, self.numbers = replacements, numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return what stands for the name."""
        return copy.deepcopy(self.replacements.get(node.id, node))

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Return the call with its arguments replaced."""
        rule = RULES.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if self.numbers and rule is not None and rule.is_piecewise_constant():
            return Substitute(self.numbers).visit_Call(node)
        self.generic_visit(node)
        return node


def choice(test: ast.expr, body: ast.expr, orelse: ast.expr) -> ast.expr:
    """Return the expression for `body if test else orelse`; between literals, a test that is a choice is taken apart.

    >>> ast.unparse(choice(expression("1 if x > 0 else 0 if x <= 0 else x"), expression("2"), expression("3")))
    '2 if x > 0 else 3 if x <= 0 else 2 if x else 3'
    """
    if isinstance(body, ast.Constant) and isinstance(orelse, ast.Constant):
        match test:
            case ast.IfExp(inner, first, second):
                return ast.IfExp(inner, choice(first, body, orelse), choice(second, body, orelse))
            case ast.Constant(value):
                return body if value else orelse
    return ast.IfExp(test, body, orelse)


class Inline(ast.NodeTransformer):
    """Replaces calls of the small rules on plain names by their forward text: a branch is cheaper than a call."""

    def __init__(self, names: Sequence[str], literals: Callable[[str], str]) -> None:
        self.names, self.literals = names, literals

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Return the forward expression of an inlined rule on the call's arguments, or the call."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in self.names:
            return node
        rule = RULES[node.func.id]
        arguments = dict(zip(rule.arguments, node.args, strict=True))
        if rule.name == "where":
            return choice(*node.args)
        if not all(isinstance(argument, ast.Name) for argument in node.args):
            return node  # it would be evaluated several times
        body: ast.expr = Substitute(arguments).visit(expression(self.literals(rule.forward)))
        return body


class Totalise(ast.NodeTransformer):
    """Replaces the operators that can raise by calls of their total functions."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Return the call that stands for the operator."""
        self.generic_visit(node)
        name = TOTAL_OPERATORS.get(type(node.op))
        return ast.Call(ast.Name(name), [node.left, node.right], []) if name else node


def product(g: ast.expr, partial: ast.expr) -> ast.expr:
    """Return the expression for `g * partial`, simplified where that is exact.

    The factor goes into the branches of a choice, so that an infinite one does not turn a dead branch into nan; into
    those of a recorded one where it makes no operation more.

    >>> partials = map(expression, ("1", "-x", "1 / x", "x * y", "1 if x > 0 else 0"))
    >>> [ast.unparse(product(ast.Name("g"), partial)) for partial in partials]
    ['g', '-(g * x)', 'g / x', 'g * (x * y)', 'g if x > 0 else 0']
    """
    match partial:
        case ast.IfExp(test, body, orelse):
            return ast.IfExp(test, product(g, body), product(g, orelse))
        case ast.Call(ast.Name("where"), [test, body, orelse]) if is_short(body) or is_short(orelse):
            return ast.Call(partial.func, [test, product(g, body), product(g, orelse)], [])
        case ast.Constant(0):
            return partial
        case ast.Constant(1):
            return g
        case ast.UnaryOp(ast.USub(), operand):
            return ast.UnaryOp(ast.USub(), product(g, operand))
        case ast.BinOp(ast.Constant(1), ast.Div(), denominator):
            return ast.BinOp(g, ast.Div(), denominator)
    return ast.BinOp(g, ast.Mult(), partial)


def is_short(partial: ast.expr) -> bool:
    """Return whether a product with `partial` needs no multiplication."""
    return isinstance(partial, ast.Constant) and partial.value in (0, 1)


def names_in(tree: ast.AST) -> set[str]:
    """Return the names that occur in `tree`."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def is_zero(tree: ast.expr) -> bool:
    """Return whether `tree` is the literal zero, a partial that contributes nothing."""
    return isinstance(tree, ast.Constant) and tree.value == 0


def may_raise(tree: ast.expr) -> bool:
    """Return whether evaluating `tree` on floats can raise: products and sums of floats cannot."""
    return any(isinstance(node, ast.Call) or type(node) in TOTAL_OPERATORS for node in ast.walk(tree))


def added(target: str, amount: ast.expr) -> str:
    """Return the statement that adds `amount` to `target`."""
    if isinstance(amount, ast.UnaryOp) and isinstance(amount.op, ast.USub):
        return f"{target} -= {ast.unparse(amount.operand)}"
    return f"{target} += {ast.unparse(amount)}"


class Pullback:
    """One derivative role of `rule`, recorded on the arguments that `mask` marks as parents.

    Args:
        rule: a row of the calculus table.
        mask: for each argument whether nodes stand there; elsewhere are constants and parameters.
        role: one of the names in the module's docstring.
    """

    def __init__(self, rule: Rule, mask: tuple[bool, ...], role: str) -> None:
        self.rule, self.role = rule, role
        self.parents = [name for name, node in zip(rule.arguments, mask, strict=True) if node]
        self.constants = [name for name in rule.arguments if name not in self.parents]
        self.sequences = sequences(rule)
        self.traces, self.pushes, self.adds = "trace" in role, role.startswith("jvp"), role in ADDING
        self.records = self.traces or "record" in role
        self.literals = with_float_literals if role in ("pull", "total") else str
        self.numbers = {"out": "node.data"}  # what stands for plain numbers
        for name in self.parents:
            element = name[:-1]
            self.numbers |= (
                {name: f"[{element}.data for {element} in {name}]", element: f"{element}.data"}
                if name in self.sequences
                else {name: f"{name}.data"}
            )
        self.meanings = {"out": "node"} if self.records else self.numbers

    def contribution(self, argument: str) -> ast.expr:
        """Return the product for `argument`, or for an element of a sequence, or for all of it a list or their sum."""
        key = argument if argument in self.rule.partials else argument[:-1]
        whole = key in self.sequences
        partial = expression(self.literals(self.rule.partials[key]))
        # Recording keeps the calls that give plain numbers: their text could give a node.
        inlined = () if self.traces else ("where",) if self.records else CHOICES
        partial = Inline(inlined, self.literals).visit(partial)
        if whole and self.pushes:
            factors = expression(f"[tangents.get({argument[:-1]}, 0) for {argument[:-1]} in {argument}]")
            amount: ast.expr = ast.Call(ast.Name("combined"), [factors, self.with_meanings(partial)], [])
        elif whole:
            amount = self.with_meanings(ast.Call(ast.Name("scaled"), [ast.Name("g"), partial], []))
        else:
            element = argument[:-1] if argument in self.sequences else argument
            factor = expression(f"tangents[{element}]" if self.pushes else "g")
            amount = product(factor, self.with_meanings(partial))
        return Totalise().visit(amount) if self.role.endswith("total") else amount

    def with_meanings(self, tree: ast.expr) -> ast.expr:
        """Return `tree` with the row's names replaced by what stands for them in this role."""
        meanings = {name: expression(text) for name, text in self.meanings.items()}
        numbers = {} if self.traces else {name: expression(text) for name, text in self.numbers.items()}
        replaced: ast.expr = Substitute(meanings, numbers).visit(tree)
        return replaced

    def loop(self, argument: str, *amounts: ast.expr) -> str:
        """Return the head of the loop over the elements of the sequences that `amounts` refer to."""
        used = set().union(*map(names_in, amounts)) | {argument[:-1]}
        looped = [name for name in self.sequences if name[:-1] in used]
        if len(looped) == 1:
            return f"for {looped[0][:-1]} in {looped[0]}"
        return f"for {', '.join(name[:-1] for name in looped)} in zip({', '.join(looped)})"

    def listed(self, argument: str, amount: ast.expr) -> str:
        """Return the text of the list of what each element of the sequence `argument` gains."""
        if argument in self.rule.partials:
            return ast.unparse(amount)
        return f"[{ast.unparse(amount)} {self.loop(argument, amount)}]"

    def chooses(self) -> bool:
        """Return whether a choice may hide that the data of the only parent is not a number, which `pull` checks then.

        Other operations on something else raise, or pass it on, so that `backward` finds it in its root.
        """
        return self.role == "pull" and " if " in self.rule.forward and methods.is_method(self.rule)

    def unpacking(self, used: set[str]) -> list[str]:
        """Return the lines that bind the parents, and the constants among `used`, to the row's names."""
        parents, constants = ", ".join(self.parents), ", ".join(self.constants)
        match fan(self.rule, [name in self.parents for name in self.rule.arguments]):
            case 1:
                lines = [f"{parents} = node._x"]
            case 2:
                lines = [f"{parents} = node._x, node._y"]
            case _:
                lines = [f"({parents},) = node._x" if len(self.parents) == 1 else f"{parents} = node._x"]
        if used.intersection([*self.constants, *(name[:-1] for name in self.constants)]):
            lines.append(f"{constants} = node._y")
        if "n" in used and "n" not in self.rule.arguments:
            lines.append(f"n = len({self.sequences[0]})")
        return lines

    def pushing(self, amounts: Mapping[str, ast.expr]) -> list[str]:
        """Return the lines that add up what each parent's tangent contributes."""
        if len(self.parents) == 1 and not self.sequences:
            return [f"return {ast.unparse(amount)}" for amount in amounts.values()]
        lines = ["tangent = None"]  # not 0, or a recorded sum would begin with a node that adds 0
        for name, amount in amounts.items():
            more = [f"amount = {ast.unparse(amount)}", "tangent = amount if tangent is None else tangent + amount"]
            if name in self.rule.partials and name in self.sequences:
                lines += more
            elif not is_zero(amount):
                looped = name in self.sequences
                margin = "    " * looped
                lines += [f"{self.loop(name, amount)}:"] * looped
                lines.append(f"{margin}if {name[:-1] if looped else name} in tangents:")
                first = len(lines) == 2 and not looped
                lines += [f"{margin}    {line}" for line in ([f"tangent = {ast.unparse(amount)}"] if first else more)]
        return [*lines, "return tangent"]

    def returning(self, amounts: Mapping[str, ast.expr]) -> list[str]:
        """Return the line that returns what each parent gains, in the order of the node's parents."""
        texts = [
            f"*{self.listed(name, amount)}" if name in self.sequences else ast.unparse(amount)
            for name, amount in amounts.items()
        ]
        return [f"return {', '.join(texts)}{',' * (len(texts) == 1)}"]

    def adding(self, amounts: Mapping[str, ast.expr]) -> list[str]:
        """Return the lines that add to each parent's adjoint, none before all amounts that can raise are known."""
        amounts = {name: amount for name, amount in amounts.items() if not is_zero(amount)}
        looped = [name for name in amounts if name in self.sequences]
        single = [name for name in amounts if name not in self.sequences]
        lines = []
        if (looped or len(single) > 1) and any(map(may_raise, amounts.values())):
            for name, amount in amounts.items():
                if name in looped:
                    lines.append(f"g{name} = {self.listed(name, amount)}")
                elif may_raise(amount):
                    lines.append(f"g{name} = {ast.unparse(amount)}")
                    amounts[name] = ast.Name(f"g{name}")
            lines += [f"for {x[:-1]}, g{x[:-1]} in zip({x}, g{x}):\n        {x[:-1]}.grad += g{x[:-1]}" for x in looped]
        elif looped:
            lines.append(self.loop(looped[0], *(amounts[name] for name in looped)) + ":")
            lines += ["    " + added(f"{name[:-1]}.grad", amounts[name]) for name in looped]
        return lines + [added(f"{name}.grad", amounts[name]) for name in single] or ["pass"]

    def source(self) -> str:
        """Return the source of the function.

        >>> print(Pullback(RULES["mul"], (True, True), "pull").source(), end="")
        def mul_pull(node, g):
            x, y = node._x, node._y
            x.grad += g * y.data
            y.grad += g * x.data
        >>> print(Pullback(RULES["dot"], (True, False, True), "pull").source(), end="")
        def dot_pull(node, g):
            ws, b = node._x
            xs = node._y
            for w, x in zip(ws, xs):
                w.grad += g * x
            b.grad += g
        >>> print(Pullback(RULES["sin"], (True,), "record").source(), end="")
        def sin_record(node, g):
            x = node._x
            return g * cos(x),
        >>> print(Pullback(RULES["mul"], (True, True), "jvp").source(), end="")
        def mul_jvp(node, tangents):
            x, y = node._x, node._y
            tangent = None
            if x in tangents:
                tangent = tangents[x] * y.data
            if y in tangents:
                amount = tangents[y] * x.data
                tangent = amount if tangent is None else tangent + amount
            return tangent
        """
        amounts = {name: self.contribution(name) for name in self.parents}
        used = set().union(*map(names_in, amounts.values()))
        body = self.adding(amounts) if self.adds else self.pushing(amounts) if self.pushes else self.returning(amounts)
        if self.chooses():
            (parent,) = self.parents
            check = [f"if type({parent}.data) is not float:", f"    check_data({parent})"]
            body = check if body == ["pass"] else check + body
        unpacking = [] if body == ["pass"] else self.unpacking(used)
        lines = [f"def {self.rule.name}_{self.role}(node, {'tangents' if self.pushes else 'g'}):", *unpacking, *body]
        return "\n    ".join(lines) + "\n"


def build(rule: Rule, mask: tuple[bool, ...], role: str, names: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function of a derivative role; `names` are the functions that row text may call."""
    pullback = Pullback(rule, mask, role)
    name = f"{rule.name}_{role}"
    function: Callable[..., Any] = define(pullback.source(), f"{name}_{'_'.join(pullback.parents)}", names)[name]
    return function
