"""Random expressions in plain Python, for numbers, integers and decisions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.compiler.choices import Choices
from tests.compiler.vocabulary import (
    BINARY,
    CHOSEN,
    CONSTANT_KINDS,
    CONSTANTS,
    CONTAINED,
    FINITE,
    FROM_NESTS,
    IN_ROWS,
    LOOKED_UP,
    NESTED,
    OF_BATCH,
    OF_EACH,
    OF_INTEGERS,
    OF_LIST,
    OF_ONE,
    OF_SETTINGS,
    OF_SEVERAL,
    PAIRED_ROWS,
    PULLED,
    PUSHED,
    RISKY,
    ROWS,
    TEXTS,
    UNARY,
    WHOLE,
)

MOST_LEVELS = 2  # of functions within the function
INNER = {"transforms", "rows", "nested"}  # what makes these


class Writer:
    """The writer of one program.

    Args:
        choices: decide what it is like.
        features: what it may use besides arithmetic and branches.

    Attributes:
        scope: names that stand for numbers, integers, settings, lists and so on, by their kind.
        used: the features that it does use.
    """

    def __init__(self, choices: Choices, features: Sequence[str]) -> None:
        self.choices, self.features = choices, features
        self.scope: dict[str, list[str]] = {}
        self.used: set[str] = set()
        self.helpers: list[str] = []  # functions beside the one that is compiled
        self.fixed = False  # whether the expression may depend on nothing but its own names
        self.level = 0  # of functions within the function

    # Scopes

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind."""
        return self.scope.get(kind, [])

    @contextmanager
    def bound(self, kind: str, *names: str) -> Iterator[None]:
        """Let names be known meanwhile."""
        before = self.scope
        self.scope = {**before, kind: [*names, *before.get(kind, [])]}
        yield
        self.scope = before

    @contextmanager
    def only(self, kind: str, *names: str) -> Iterator[None]:
        """Let no other names be known meanwhile."""
        before, fixed = self.scope, self.fixed
        self.scope, self.fixed = {kind: [*names]}, True
        yield
        self.scope, self.fixed = before, fixed

    def body(self, depth: int, *names: str) -> str:
        """Return the number that a function of numbers with these names returns."""
        self.level += 1
        with self.bound("number", *names):
            body = self.number(max(depth, 1))
        self.level -= 1
        return body

    def fresh(self, letter: str) -> str:
        """Return a name that is not used yet in what is known."""
        known = {name for names in self.scope.values() for name in names}
        return next(name for count in range(100) if (name := f"{letter}{count or ''}") not in known)

    def has(self, feature: str, parts: int = 1) -> bool:
        """Return whether to use `feature` here, once in `parts` times."""
        if feature not in self.features or self.fixed or not (parts == 1 or self.choices.happens(parts)):
            return False
        self.used.add(feature)
        return True

    def use(self, written: dict[str, Sequence[Callable[[int], str]]], depth: int) -> str:
        """Return what one of the writers of enabled features writes."""
        enabled = [feature for feature in written if feature == "" or (feature in self.features and not self.fixed)]
        if self.level == MOST_LEVELS:
            enabled = [feature for feature in enabled if feature not in INNER]
        feature = self.choices.one_of(enabled)
        self.used.add(feature)
        writers = written[feature]
        return writers[self.choices.below(len(writers))](depth)

    # Numbers

    def number(self, depth: int) -> str:
        """Return an expression for a number."""
        if depth <= 0 or self.choices.below(6) == 0:
            return self.atom()
        return self.use(
            {
                "": (self.unary, self.binary, self.conditional, self.binary, self.conditional, self.simple),
                "transforms": (self.transformed,),
                "rows": (self.mapped,),
                "integers": (self.of_integer, self.integer),
                "hashing": (self.hashed,),
                "where": (self.where,),
                "nests": (self.from_nest,),
                "settings": (self.set,),
                "kinds": (self.constant_kind,),
                "nested": (self.nested,),
                "state": (self.stateful,),
            },
            depth - 1,
        )

    def atom(self) -> str:
        """Return a name or a constant."""
        names = self.names("number") + (self.names("leaf") if "leaves" in self.features else [])
        index = self.choices.below(2 * len(names) + 1)
        if index < 2 * len(names):
            name = names[self.choices.below(1 + index // 2)]  # inner ones, which come first, more often
            self.used.update(["leaves"] if name in self.names("leaf") else [])
            return name
        return self.choices.one_of(CONSTANTS)

    def simple(self, depth: int) -> str:
        """Return an operation on a name and a constant."""
        return f"({self.choices.one_of(BINARY[:4]).format(self.atom(), self.choices.one_of(CONSTANTS))})"

    def unary(self, depth: int) -> str:
        """Return an operation on a number."""
        inner = self.number(depth)
        return f"({self.choices.one_of(UNARY).replace('{}', inner if inner.isalnum() else f'({inner})')})"

    def binary(self, depth: int) -> str:
        """Return an operation on two numbers."""
        return f"({self.choices.often(BINARY).format(self.number(depth), self.number(depth))})"

    def conditional(self, depth: int) -> str:
        """Return one of two numbers."""
        return f"({self.number(depth)} if {self.truth(depth)} else {self.number(depth)})"

    # Decisions

    def truth(self, depth: int) -> str:
        """Return an expression for a bool."""
        return self.use(
            {
                "": (self.comparison, self.comparison, self.between),
                "integers": (self.of_parity,),
                "hashing": (self.contained,),
                "settings": (self.of_setting,),
                "state": (self.of_state,),
                "errors": (self.finite,),
            },
            depth - 1,
        )

    def comparison(self, depth: int) -> str:
        """Return a comparison."""
        sign = self.choices.often((">", "<", ">=", "<=", "==", "!="))
        return f"{self.atom()} {sign} {self.number(depth) if self.choices.happens(2) else '0.0'}"

    def between(self, depth: int) -> str:
        """Return a decision made of several, or a truth value."""
        shape = self.choices.one_of(("not {}", "({}) * 1", "0 < {} < 2", "{} > 0 and {} < 2", "{} < 0 or {} == 1"))
        return f"({shape.replace('{}', self.atom())})"

    def of_parity(self, depth: int) -> str:
        """Return a decision on an integer."""
        return self.choices.one_of(("{} % 2", "{} == 2", "{} > 2", "{} in (1, 2, 5)", "{} % 2 == 0")).format(
            self.integer_atom()
        )

    def contained(self, depth: int) -> str:
        """Return whether something is in a set, or is found equal by hash."""
        item = self.integer_atom() if self.names("integer") else self.atom()
        if self.choices.happens(3):
            return f"len({{{self.atom()}, {self.atom()}}}) == 1"
        return self.choices.one_of(CONTAINED).format(item)

    def of_setting(self, depth: int) -> str:
        """Return a decision on an argument that is not a number."""
        names = self.names("setting")
        if not names:
            return self.comparison(depth)
        return self.choices.one_of(OF_SETTINGS).format(self.choices.one_of(names), self.choices.one_of(TEXTS))

    def finite(self, depth: int) -> str:
        """Return a test of a number."""
        return self.choices.often(FINITE).format(self.atom())

    # Transforms

    def point(self, depth: int) -> str:
        """Return where to differentiate: often at a constant."""
        return (
            self.number(depth) if self.choices.below(3) else self.choices.one_of(("2.0", "1.0", "-1.0", "0.5", "0.0"))
        )

    def transformed(self, depth: int) -> str:
        """Return a number made of a derivative."""
        q = self.fresh("q")
        point = self.point(depth)
        kinds = (self.of_one, self.pushed, self.pulled, self.of_list, self.of_several, self.of_batch)
        return kinds[self.choices.below(len(kinds))](q, point, depth)

    def of_one(self, q: str, point: str, depth: int) -> str:
        """Return a derivative of a function of one number."""
        body = self.body(depth, q)
        return self.choices.often(OF_ONE).format(q=q, b=body, p=point)

    def pushed(self, q: str, point: str, depth: int) -> str:
        """Return a product with a tangent."""
        body = self.body(depth, q)
        tangent = self.atom()
        return self.choices.often(PUSHED).format(q=q, b=body, p=point, t=tangent)

    def pulled(self, q: str, point: str, depth: int) -> str:
        """Return a product with a cotangent."""
        body = self.body(depth, q)
        cotangent = self.atom()
        return self.choices.often(PULLED).format(q=q, b=body, p=point, c=cotangent)

    def of_list(self, q: str, point: str, depth: int) -> str:
        """Return a derivative by a list or a dict."""
        first, second = (f"{q}[0]", f"{q}[1]") if self.choices.below(3) else (f"{q}['a']", f"{q}['b']")
        body, other = self.body(depth, first, second), self.body(0, first, second)
        points = f"[{point}, {self.atom()}]" if "0" in first else f"{{'a': {point}, 'b': {self.atom()}}}"
        at = first.removeprefix(q)
        return self.choices.often(OF_LIST).format(q=q, b=body, o=other, p=points, a=at)

    def of_several(self, q: str, point: str, depth: int) -> str:
        """Return a derivative of a function of two numbers."""
        body = self.body(depth, q, f"{q}_")
        return self.choices.often(OF_SEVERAL).format(q=q, b=body, p=point, o=self.atom())

    def of_batch(self, q: str, point: str, depth: int) -> str:
        """Return a derivative of what is done for rows, or derivatives for rows."""
        known = ((OF_BATCH, ("r", f"{q}[0]")), (IN_ROWS, (q, "r")), (OF_EACH, ("r",)))
        forms, names = known[self.choices.below(len(known))]
        body = self.body(depth, *names)
        return self.choices.often(forms).format(q=q, b=body, p=self.batch(point), o=self.atom())

    # Rows

    def batch(self, *given: str) -> str:
        """Return a list of numbers."""
        lists = self.names("list")
        if lists and self.choices.below(3):
            return self.choices.one_of(lists)
        return f"[{', '.join([*given, *[self.atom() for _ in range(2 - len(given) + self.choices.below(3))]])}]"

    def mapped(self, depth: int) -> str:
        """Return a number made of what is done for rows."""
        row = self.fresh("r")
        batch = self.batch()
        body = self.body(depth, row, *([f"{row}_"] if self.choices.happens(3) else []))
        if f"{row}_" in body:
            rows = self.choices.one_of(PAIRED_ROWS).format(r=row, b=body, p=batch, o=self.atom())
        else:
            rows = self.choices.often(ROWS).format(r=row, b=body, p=batch, o=self.atom())
        return self.choices.often(
            ("sum({0})", "{0}[0]", "{0}[-1]", "max({0})", "({0}, {1})[1]", "math.dot({0}, {0})")
        ).format(rows, self.atom())

    # Integers

    def integer_atom(self) -> str:
        """Return a name of an integer, or a constant."""
        names = self.names("integer")
        index = self.choices.below(3 * len(names) + 1)
        return names[index // 3] if index < 3 * len(names) else self.choices.one_of(("2", "3", "1", "0", "-1", "7"))

    def integer(self, depth: int) -> str:
        """Return an expression for an integer."""
        if depth <= 0:
            return self.integer_atom()
        return self.choices.often(WHOLE).format(self.integer(depth - 1), self.integer_atom(), self.atom())

    def of_integer(self, depth: int) -> str:
        """Return a number made of an integer."""
        integer = self.integer(depth) if self.choices.happens(2) else self.integer_atom()
        return self.choices.often(OF_INTEGERS).format(integer, self.atom(), self.integer_atom())

    # Hashing

    def hashed(self, depth: int) -> str:
        """Return a number that is looked up by another."""
        key = self.integer_atom() if self.names("integer") and self.choices.below(2) else self.atom()
        if self.choices.happens(4):
            return f"{self.helper()}({key})"
        return self.choices.often(LOOKED_UP).format(k=key, n=self.number(depth), m=self.atom())

    def helper(self) -> str:
        """Return the name of a function that keeps what it returned."""
        number = len(self.helpers) or ""
        with self.only("number", "key"):
            body = self.number(2)
        if self.choices.below(2):
            self.helpers += [f"memo{number} = {{}}", f"def cached{number}(key):", f"    if key not in memo{number}:"]
            # As a float, since 2 and 2.0 are one key.
            self.helpers += [f"        memo{number}[key] = 1.0 * ({body}) + 0.0", f"    return memo{number}[key]"]
        else:
            self.helpers += ["@functools.lru_cache", f"def cached{number}(key):", f"    return 1.0 * ({body}) + 0.0"]
        return f"cached{number}"

    # Other features

    def where(self, depth: int) -> str:
        """Return a choice between two numbers, both computed, which may raise."""
        condition = self.atom() if self.choices.below(2) else self.truth(depth)
        one, other = (self.choices.often(RISKY).format(self.atom()) for _ in range(2))
        shape = self.choices.often(("math.where({0}, {1}, {2})", "math.where({0}, {2}, {1})", "({1}, {2})[1]"))
        return shape.format(condition, self.number(depth), other if self.choices.below(2) else one)

    def from_nest(self, depth: int) -> str:
        """Return a number out of a nest."""
        places = self.names("nested")
        if places and self.choices.below(3):
            return self.choices.one_of(places)
        return self.choices.often(FROM_NESTS).format(n=self.number(depth), m=self.atom())

    def set(self, depth: int) -> str:
        """Return a number that a setting chooses."""
        names = self.names("setting")
        if not names:
            return self.atom()
        name, one, other = self.choices.one_of(names), self.number(depth), self.atom()
        return self.choices.often(CHOSEN).format(name, one, other, self.of_setting(depth), self.choices.one_of(TEXTS))

    def constant_kind(self, depth: int) -> str:
        """Return a number whose kind is decided by what is constant in it."""
        leaf = self.choices.one_of(self.names("leaf") or ["Value(2.0)"])
        return f"({self.choices.often(CONSTANT_KINDS).format(w=leaf, n=self.number(depth))})"

    def nested(self, depth: int) -> str:
        """Return a call of a function that is compiled itself."""
        body = self.body(depth, "u")
        return self.choices.often(NESTED).format(b=body, p=self.atom(), o=self.atom())

    def stateful(self, depth: int) -> str:
        """Return a number that depends on the state of an argument."""
        places = self.names("state")
        if not places:
            return self.atom()
        return f"({self.choices.one_of(places)} * {self.number(depth)})"

    def of_state(self, depth: int) -> str:
        """Return a decision on the state of an argument."""
        tests = self.names("test")
        return self.choices.one_of(tests) if tests else self.comparison(depth)
