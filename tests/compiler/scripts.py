"""Random programs in plain Python: a function for `jit`, its arguments, and calls of it in turn.

A program is the text of a function `program(jit, call)`: run with the real `jit` and with one that leaves functions as
they are, it has to give the same.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.compiler.choices import Choices
from tests.compiler.grammar import Writer
from tests.compiler.vocabulary import (
    CAUGHT,
    EXTREMES,
    FLOATS,
    IN_LOOPS,
    INTEGERS,
    LARGER,
    OUTSIDE,
    OUTSIDE_OF_NESTS,
    PRELUDE,
    RESULTS,
    TEXTS,
    TRIED,
    WRAPPED,
)

TAIL = """
if __name__ == "__main__":
    from tests.compiler.twins import show

    show(program)
"""


class Parameter(NamedTuple):
    """A parameter of the function.

    Attributes:
        name: its name.
        kind: that of the names which it makes known.
        places: these names: expressions for what is in it.
        drawn: writes an argument for a call.
    """

    name: str
    kind: str
    places: Sequence[str]
    drawn: Callable[[], str]


class Script:
    """The writer of a program.

    Args:
        choices: decide what it is like.
        features: what it may use besides arithmetic and branches.

    Attributes:
        features: what it does use.
        text: the text of the function `program`.
    """

    def __init__(self, choices: Choices, features: Sequence[str]) -> None:
        self.choices, self.enabled = choices, features
        self.writer = Writer(choices, features)
        self.mixture = choices.below(4)  # whether arguments are all floats, all Values, or of both kinds
        self.leaves = ["w", "v"][: 1 + choices.below(2)] if {"leaves", "kinds"} & {*features} else []
        self.state: list[str] = []  # what changes the state of an argument between calls
        self.objects: list[str] = []  # arguments that are made once
        self.is_scalar = True  # whether it is a function of a number that returns one
        self.parameters = self.drawn_parameters()
        self.text = self.program()
        self.features = sorted(self.writer.used - {""})

    def has(self, feature: str, parts: int = 1) -> bool:
        """Return whether to use `feature` here, once in `parts` times."""
        return self.writer.has(feature, parts)

    # Arguments

    def literal(self) -> str:
        """Return a number as an argument: a float, a `Value`, or an integer."""
        number = self.choices.often(FLOATS)
        if "errors" in self.enabled and self.choices.happens(5):
            number = self.choices.one_of(EXTREMES)
        if "integers" in self.enabled and self.choices.happens(6):
            return self.choices.often(INTEGERS)
        is_value = self.choices.happens(2) if self.mixture > 1 else self.mixture
        return f"Value({number})" if is_value else number

    def integer(self) -> str:
        """Return an integer as an argument, seldom another number."""
        return self.literal() if self.choices.happens(6) else self.choices.often(INTEGERS)

    def numbers(self, count: int) -> str:
        """Return a list of numbers."""
        return f"[{', '.join([self.literal() for _ in range(count)])}]"

    def drawn_parameters(self) -> list[Parameter]:
        """Return the parameters of the function."""
        found = [Parameter("x", "number", ["x"], self.literal)]
        if self.choices.below(3):
            found.append(Parameter("y", "number", ["y"], self.literal))
        if {"integers", "hashing"} & {*self.enabled} and self.choices.below(4):
            found.append(Parameter("n", "integer", ["n"], self.integer))
        if "settings" in self.enabled:
            found.append(Parameter("s", "setting", ["s"], lambda: self.choices.often(TEXTS)))
        if {"rows", "nests"} & {*self.enabled} and self.choices.below(3):
            found.append(Parameter("xs", "list", ["xs"], self.batch()))
        if "nests" in self.enabled:
            found.append(self.nest())
        if "state" in self.enabled:
            found += self.with_state()
        return found

    def batch(self) -> Callable[[], str]:
        """Return what writes batches, of one length or of several."""
        count = 2 + self.choices.below(3)
        varies = self.choices.happens(4)
        return lambda: self.numbers(1 + self.choices.below(4) if varies else count)

    def nest(self) -> Parameter:
        """Return a parameter that is a nest."""
        forms = (
            (("d['a']", "d['b']"), "{{'a': {}, 'b': {}}}"),
            (("d.x", "d.y"), "Pair({}, {})"),
            (("d[0]", "d[1]"), "({}, {})"),
            (("d['a'][0]", "d['a'][1]"), "{{'a': [{}, {}]}}"),
            (("d.x", "d.x"), "Box({}, {})"),
            (("d[1]", "d[Mode.MEAN]"), "{{1: {}, Mode.MEAN: {}}}"),
            (("d[0][0]", "d[1]"), "[Pair({}, None), {}]"),
        )
        places, form = forms[self.choices.below(len(forms))]
        return Parameter("d", "nested", places, lambda: form.format(self.literal(), self.literal()))

    def with_state(self) -> list[Parameter]:
        """Return a parameter whose state is more than its numbers, once a name for its places and one for tests."""
        scale, text = (lambda: self.choices.one_of(("2.0", "3.0", "-1.0"))), (lambda: self.choices.one_of(TEXTS[:3]))
        number, one = self.literal, self.choices.one_of
        levels = ("Level.LOW", "1", "Level.HIGH")
        sets, functions = ("frozenset([1])", "frozenset([2, 3])", "range(3)", "{1, 2}"), ("math.sin", "math.exp", "abs")
        in_pairs = "[{} for k, v in m.items()][0]"
        forms: tuple[tuple[Sequence[str], Sequence[str], Callable[[], str]], ...] = (
            (["m.x", "m.scale"], ["m.mode == 'a'"], lambda: f"boxed({number()}, {text()}, scale={scale()})"),
            (["m[0]", "m.scale"], ["len(m) > 1"], lambda: f"scaled(Weights([{number()}]), {scale()})"),
            (["m['a']", "m.scale"], ["'b' in m"], lambda: f"scaled(Table(a={number()}), {scale()})"),
            (["m(x)", "m.scale", "m.weight"], ["2 in m.skipped", "len(m.skipped) > 1"], lambda: "net"),
            (["m"], ["m.label == 'a'", "m.op is None", "m.parents"], lambda: f"Value({scale()}, label={text()})"),
            (["m"], ["m is Level.LOW", "isinstance(m, Level)", "m == 1"], lambda: one(levels)),
            ([in_pairs.format("math.copysign(v, k)")], ["0 in m"], lambda: f"{{{one(('0.0', '-0.0'))}: {number()}}}"),
            ([in_pairs.format("v if k is True else -v")], ["1 in m"], lambda: f"{{{one(('1', 'True'))}: 2.0}}"),
            (["sum(m)"], ["1 in m", "len(m) > 1"], lambda: one(sets)),
            (["m(x)", "m(2.0)"], ["m is math.sin"], lambda: one((*functions, "Value", "float"))),
            (["len(m)"], ["m == b'a'", "b'a' in m"], lambda: one(("b'a'", "b'b'", "b''"))),
            (["m.x", "m.more[0]"], ["len(m.more) > 1"], lambda: f"boxed({number()}, more=[{scale()}])"),
        )
        places, tests, drawn = forms[self.choices.below(len(forms))]
        if "net" in drawn():
            self.objects = [f"net = Net({self.choices.one_of(FLOATS)})"]
            self.state = ["net.skipped.add(2)", "net.scale = 3.0", "net.weight.data = -1.0", "net.skipped = {2}"]
        return [Parameter("m", "state", places, drawn), Parameter("", "test", tests, drawn)]

    def arguments(self) -> str:
        """Return arguments for a call."""
        return ", ".join([parameter.drawn() for parameter in self.parameters if parameter.name])

    # The function

    def body(self) -> list[str]:
        """Return the lines of the function."""
        writer = self.writer
        for parameter in self.parameters:
            writer.scope[parameter.kind] = [*writer.names(parameter.kind), *parameter.places]
        writer.scope["leaf"] = [*self.leaves]
        lines: list[str] = []
        for _ in range(self.choices.below(4)):
            name = writer.fresh("t")
            lines += self.statement(name)
            writer.scope["number"] = [name, *writer.names("number")]
        return [*lines, f"return {self.result()}"]

    def statement(self, name: str) -> list[str]:
        """Return lines that give `name` a number."""
        writer, depth = self.writer, 2
        kind = self.choices.below(6)
        if kind == 1:
            return [
                f"{name} = {writer.number(depth)}",
                f"if {writer.truth(depth)}:",
                f"    {name} = {writer.number(depth)}",
            ]
        if kind == 2:
            lines = [f"{name} = {writer.atom()}", "for i in range(2):"]
            with writer.bound("number", name), writer.bound("integer", "i"):
                return [*lines, f"    {name} = {writer.number(depth)}"]
        if kind == 3 and writer.names("list"):
            lines = [f"{name} = {writer.atom()}", f"for z in {writer.names('list')[0]}:"]
            with writer.bound("number", name, "z"):
                return [*lines, f"    {name} = {name} + {writer.number(depth)}"]
        if kind == 4 and self.has("errors"):
            return self.caught(name)
        if kind == 5 and self.choices.happens(2):
            return [
                f"if {writer.truth(depth)}:",
                f"    return {writer.number(depth)}",
                f"{name} = {writer.number(depth)}",
            ]
        return [f"{name} = {writer.number(depth + 1)}"]

    def caught(self, name: str) -> list[str]:
        """Return lines that try something that may raise."""
        writer = self.writer
        tried = self.choices.often(TRIED)
        tried = tried.format(
            *[writer.atom() if self.choices.below(3) else writer.integer_atom() for _ in range(tried.count("{}"))]
        )
        last = writer.atom() if self.choices.happens(2) else "-1.0"
        return ["try:", f"    {name} = {tried}", f"except {self.choices.often(CAUGHT)}:", f"    {name} = {last}"]

    def result(self) -> str:
        """Return an expression for the result."""
        writer = self.writer
        number = writer.number(3)
        if not self.has("nests", 2) and not self.choices.happens(8):
            return number
        self.is_scalar = False
        return self.choices.often(RESULTS).format(n=number, m=writer.atom(), t=writer.truth(1))

    # The calls

    def program(self) -> str:
        """Return the whole text."""
        names = ", ".join([parameter.name for parameter in self.parameters if parameter.name])
        body = self.body()
        lines = [f"{leaf} = Value({self.choices.one_of(FLOATS)})" for leaf in self.leaves]
        if self.has("loops", 2):
            lines += self.loop(names)
        else:
            lines += [
                f"def function({names}):",
                *[f"    {line}" for line in body],
                f"f = jit({self.wrapped('function')})",
            ]
        lines = [*self.writer.helpers, *self.objects, *lines]
        for index in range(2 + self.choices.below(3)):
            lines += self.between() if index else []
            lines += self.call()
        return "\n".join(["def program(jit, call):", *[f"    {line}" for line in lines]]) + "\n"

    def loop(self, names: str) -> list[str]:
        """Return lines of a function that adds up calls of compiled ones, which close over what changes."""
        writer = self.writer
        with writer.bound("number", "k", "q"):
            body = writer.number(3)
        over = self.choices.often(("(1.0, 2.0)", "(x, 2.0)", "range(1, 3)"))
        added = self.choices.often(IN_LOOPS).format(b=body)
        return [
            f"def f({names}):", "    t = 0.0", f"    for k in {over}:", f"        t = t + {added}", "    return t",
        ]  # fmt: skip

    def wrapped(self, function: str) -> str:
        """Return what is compiled: the function, or a transform of it."""
        if not self.has("transforms", 4):
            return f"vmap({function}, in_axes={self.axes()})" if self.vectorised() else function
        shape = self.choices.one_of(WRAPPED if self.is_scalar else WRAPPED[:4])
        self.is_scalar = self.is_scalar and shape != "value_and_grad({})"
        return shape.format(function)

    def vectorised(self) -> bool:
        """Return whether the function is mapped over its first argument, which becomes a batch."""
        if not self.has("rows", 3):
            return False
        batch = self.batch()
        self.parameters[0] = self.parameters[0]._replace(drawn=batch)
        self.is_scalar = False
        return True

    def axes(self) -> str:
        """Return the axes of a function whose first argument is a batch."""
        count = len([parameter for parameter in self.parameters if parameter.name])
        return f"({', '.join(['0', *['None'] * (count - 1)])},)"

    def between(self) -> list[str]:
        """Return lines that change what the function closes over, or the state of an argument."""
        if self.writer.helpers:
            return []  # what was kept for a leaf would be that of another number
        lines = [f"{leaf}.data = {self.choices.one_of(FLOATS)}" for leaf in self.leaves if self.choices.below(2)]
        if self.state and self.choices.below(2):
            lines.append(self.choices.one_of(self.state))
        return lines

    @property
    def is_derived(self) -> bool:
        """Whether derivatives are among what is computed."""
        return bool({"transforms", "nested", "loops", "outside"} & self.writer.used)

    def call(self) -> list[str]:
        """Return lines that call the function."""
        arguments, function, how = self.arguments(), "f", ""
        if self.has("outside", 2):
            return self.outside(arguments)
        if self.has("larger", 2):
            if self.choices.happens(2):
                function = self.choices.often(LARGER) if self.is_scalar else "f" if self.is_derived else "no_grad()(f)"
            how = self.choices.often((", twice=True", "", ", through=copy.deepcopy", ", through=pickled"))
        if self.choices.happens(8) and all(parameter.kind == "number" for parameter in self.parameters):
            value = f"Value({self.choices.often(FLOATS)})"
            arguments = ", ".join(["z"] * len(self.parameters))
            return [f"z = {value}", self.written(function, arguments, how)]
        return [self.written(function, arguments, how)]

    def written(self, function: str, arguments: str, how: str) -> str:
        """Return a line that calls `function`."""
        leaves = ", ".join([*self.leaves, *["net.weight"] * bool(self.objects)])
        closed_over = f", leaves=[{leaves}]" if leaves else ""
        derived = ", derived=True" if self.is_derived else ""
        return f"call({function}, {arguments}{closed_over}{how}{derived})"

    def outside(self, arguments: str) -> list[str]:
        """Return lines that call a transform of the function."""
        shape = self.choices.often(OUTSIDE if self.is_scalar else OUTSIDE_OF_NESTS)
        how = self.choices.often(("", ", twice=True")) if "larger" in self.enabled else ""
        return [self.written(shape, arguments, how)]


def runnable(text: str) -> str:
    """Return a program that runs by itself, in the root of the repository."""
    return f"{PRELUDE}\n{text}{TAIL}"
