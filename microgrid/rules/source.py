"""Row text becomes Python source, and source becomes functions: what all roles of a row share.

Here too is the first role, the forward function on plain numbers. `methods` writes the operators, methods and functions
that record nodes, `derivatives` the derivatives.

Source is built from row text and from names made here, never from a user's data. Tracebacks and debuggers show it.
"""

from __future__ import annotations

import builtins
import math
import sys
from itertools import combinations

from microgrid.rules import marks, newer_math, special
from microgrid.rules import sequences as of_sequences
from microgrid.rules.table import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

LIBRARY = (builtins, math, newer_math, special, of_sequences)  # what row text may call; of one name the last
# Splitting at these is what `tokens` does, at the speed that the import of the whole table needs.
BLANKS = str.maketrans(dict.fromkeys("()[]{}.,:;=+-*/%<>!\"'`|\n", " "))

generated = type(sys)("microgrid.generated", "The parent of the modules of generated code.")
generated.__path__ = []
sys.modules[generated.__name__] = generated


class SourceText:
    """The loader of a generated module, from which tracebacks, debuggers and `inspect` fetch its source."""

    def __init__(self, source: str) -> None:
        self.source = source

    def get_source(self, name: str) -> str:
        """Return the source text, whatever the module's name."""
        return self.source


def tokens(text: str) -> Iterator[str]:
    """Yield the words, numbers and single other characters of `text`.

    >>> list(tokens("1 - log(x2)"))
    ['1', ' ', '-', ' ', 'log', '(', 'x2', ')']
    """
    word = ""
    for character in text:
        if character.isalnum() or character in "_.":
            word += character
        else:
            if word:
                yield word
            word = ""
            yield character
    if word:
        yield word


def words(source: str) -> set[str]:
    """Return the names and keywords in `source`.

    >>> sorted(words("x.grad += f(y)"))
    ['f', 'grad', 'x', 'y']
    """
    return set(source.translate(BLANKS).split())


def with_float_literals(text: str) -> str:
    """Return `text` with its integers written as floats: mixed arithmetic is slower and could return an `int`.

    >>> with_float_literals("1 - log(x2) / 20")
    '1.0 - log(x2) / 20.0'
    """
    return "".join(token + ".0" if token.isdecimal() else token for token in tokens(text))


def define(source: str, name: str, names: Mapping[str, Any], passing: bool = False) -> dict[str, Any]:
    """Return what `source` defines when it runs with exactly those of `names` that occur in it.

    It runs as the module `microgrid.generated.` `name`, in the file `<microgrid>/name.py` that does not exist.

    Args:
        source: the text of function definitions.
        name: the last part of the module's name.
        names: the functions and constants that the text may use.
        passing: whether the module is forgotten with the functions, and cannot use builtins that are not in `names`.
    """
    module = type(sys)(f"{generated.__name__}.{name}")
    used = words(source)
    given = {word: meaning for word, meaning in dict(names).items() if word in used}  # a copy: another thread may add
    namespace = vars(module)
    namespace.update(
        given,
        FOLLOWED=marks.FOLLOWED,
        COMPUTES=marks.COMPUTES,
        __loader__=SourceText(source),
        __file__=f"<microgrid>/{name}.py",
    )
    if passing:
        namespace["__builtins__"] = {}
    before = dict(namespace)
    exec(compile(source, namespace["__file__"], "exec"), namespace)
    made = {
        word: defined
        for word, defined in namespace.items()
        if word != "__builtins__" and (word not in before or defined is not before[word])
    }
    if not passing:
        sys.modules[module.__name__] = module
        return made
    for word in made:
        del namespace[word]  # a function that its own globals know is freed by the garbage collector only
    return made


def is_call_of_itself(rule: Rule) -> bool:
    """Return whether the forward text of `rule` calls a function of the rule's name: one that is written elsewhere."""
    return rule.forward.startswith(rule.name + "(")


def sequences(rule: Rule) -> list[str]:
    """Return the arguments of `rule` that are sequences."""
    return [argument for argument in rule.arguments if rule.is_sequence(argument)]


def fan(rule: Rule, mask: Sequence[bool]) -> int:
    """Return how a node of `rule` keeps its parents, where `mask` marks the arguments that are nodes.

    1: the only parent is in slot `_x`, the constants are in `_y`. 2: the parents are in `_x` and `_y`, no constants.
    0: `_x` is a tuple of the parent arguments, sequences as tuples, the constants are in `_y`.
    Constants are None, the only one, or a tuple of several.
    """
    parents = sum(mask)
    if any(node and rule.is_sequence(name) for name, node in zip(rule.arguments, mask, strict=True)):
        return 0
    return parents if parents == 1 or parents == len(mask) == 2 else 0


def parameters(rule: Rule) -> str:
    """Return the parameter list of the function of `rule`: positional, but for those with a default.

    >>> from microgrid.rules.table import RULES
    >>> [parameters(RULES[name]) for name in ("tanh", "prod", "hypot", "elu")]
    ['x, /', 'xs, /, *, start=1', '*xs', 'x, /, alpha=1.0']
    """
    if rule.variadic:
        return "*" + rule.arguments[0]
    positional = [name for name in rule.arguments if name not in rule.defaults]
    defaults = [f"{name}={default}" for name, default in rule.defaults.items()]
    return ", ".join([*positional, *(["/"] if positional else []), *(["*"] if rule.keyword_only else []), *defaults])


def forward_source(rule: Rule, literals: Callable[[str], str]) -> str:
    """Return the source of the function that computes `rule` on plain numbers.

    >>> from microgrid.rules.table import RULES
    >>> print(forward_source(RULES["dot"], with_float_literals), end="")
    def dot(ws, xs, b):
        out = b
        for w, x in zip(ws, xs):
            out = out + w * x
        return out
    """
    head = f"def {rule.name}({'*' * rule.variadic}{', '.join(rule.arguments)}):"
    return "\n    ".join([head, *forward_lines(rule, literals)]) + "\n"


def forward_lines(rule: Rule, literals: Callable[[str], str]) -> list[str]:
    """Return the lines of the body of that function."""
    text = literals(rule.forward)
    lines = []
    if "n" in tokens(text) and "n" not in rule.arguments:
        lines.append(f"n = len({sequences(rule)[0]})")
    start, fold, step = text.partition("; ")
    if fold:
        looped = sequences(rule)
        source = f"zip({', '.join(looped)})" if len(looped) > 1 else looped[0]
        lines += [
            f"out = {start}",
            f"for {', '.join(name[:-1] for name in looped)} in {source}:",
            f"    out = {step}",
            "return out",
        ]
    else:
        lines.append(f"return {text}")
    return lines


def number_functions(
    name: str, rules: Iterable[Rule], given: Mapping[str, Any], literals: Callable[[str], str]
) -> dict[str, Any]:
    """Return `given` and the forward functions of all `rules`, on plain numbers; `name` is for their module."""
    source = "\n\n".join(forward_source(rule, literals) for rule in rules if not is_call_of_itself(rule))
    return {**given, **define(source, name, given)}


def operation_name(rule: Rule, pattern: Iterable[str]) -> str:
    """Return the name that generated source uses for `rule` recorded on the arguments in `pattern`."""
    return f"{rule.name}_{''.join(pattern)}"


def recorded(source: str, rules: Iterable[Rule]) -> Iterator[tuple[str, str, tuple[bool, ...]]]:
    """Yield the operations of `rules` that `source` records: the name there, the rule's name, and what are nodes.

    >>> from microgrid.rules.table import ROWS
    >>> list(recorded("out.op = mul_xy if isinstance(y, Value) else mul_x", ROWS))
    [('mul_x', 'mul', (True, False)), ('mul_xy', 'mul', (True, True))]
    """
    used = words(source)
    for rule in rules:
        for size in (1, 2, 3):
            for pattern in combinations(rule.arguments, size):
                name = operation_name(rule, pattern)
                if name in used:
                    yield name, rule.name, tuple(argument in pattern for argument in rule.arguments)
