"""What is said where a `Value` becomes a plain number that something is computed with, so that its derivative is lost.

The standard `math.sin(v)` asks `v` for its number and gives a number. That a number is wanted is not a mistake by
itself: `float(v)`, `'%f' % v`, a plot, an array only read it. What tells them apart is the call that is being made
where `__float__` is reached. This is not a proof: a number that was read may be computed with later, and where there
is no source nothing is said.
"""

from __future__ import annotations

import sys

from microgrid.engine.modes import is_unrecorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

ADVICE = (
    "write `from microgrid import math` in place of `import math`, or compute it by functions of microgrid.math, and "
    "v.data where a plain number is meant"
)

# What only reads a number, by name: conversions; decisions, and what has no derivative; text; the filling of an array.
READING = {
    "float", "__float__", "complex", "__complex__", "int", "bool", "str", "float16", "float32", "float64", "longdouble",
    "half", "single", "double", "complex64", "complex128", "clongdouble", "c_float", "c_double", "c_longdouble",
    "from_param",
    "isnan", "isinf", "isfinite", "isclose", "allclose", "sorted", "sort", "min", "max", "floor", "ceil", "trunc",
    "ulp", "nextafter", "range", "arange", "dropwhile", "filter", "filterfalse", "takewhile",
    "print", "repr", "format", "__format__", "__mod__",
    "array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "fromiter", "full", "full_like", "astype",
    "copyto", "append", "extend", "insert", "fromlist", "fill", "put", "putmask", "_place", "itemset", "__setitem__",
    "pack", "pack_into",
}  # fmt: skip
PLOTTING = {"matplotlib", "mpl_toolkits", "seaborn", "plotly", "bokeh", "altair", "tkinter", "turtle"}
COMPUTING = {"math", "cmath", "numpy", "scipy"}  # whatever becomes of the result: it may be tried out
LIBRARIES = PLOTTING | {"microgrid", "numpy", "pandas", "scipy"}  # whose lines are not the user's, as the standard ones

MOST_KEPT = 4096
# By file and line, what `warnings` has shown. (Those of Python are kept by module and line: the cells of a notebook
# would share them.)
_registries: dict[tuple[str, int], dict[Any, int]] = {}
_known: dict[tuple[int, int], tuple[CodeType, str]] = {}  # by instruction; the code is kept, so that its id is too


class LostDerivativeWarning(UserWarning):
    """A function that knows no `Value` computed with the number of one: its result is a constant for `backward()`.

    It is given once for each line, where the standard `math`, NumPy or another library written in C converts a `Value`
    to a float to compute something, outside `no_grad()`. `float(v)`, `v.data`, predicates, formatting, plotting and
    filling an array are silent.

    >>> import math, warnings
    >>> from microgrid import LostDerivativeWarning, Value
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", LostDerivativeWarning)
    ...     y = math.sin(Value(0.0))
    >>> str(caught[0].message).partition(":")[0]
    'math.sin(Value(0.0)) drops the derivative'
    """


def before_computing(frame: FrameType) -> None:
    """Warn if what `frame` is in the middle of computes with the plain number that it asks a `Value` for."""
    known = _known.get((id(frame.f_code), frame.f_lasti))
    if (known is not None and not known[1]) or is_unrecorded():
        return
    what = computing(frame)
    if what:
        import warnings

        place, _ = users_frame(frame)
        file, line = place.f_code.co_filename, place.f_lineno
        module = place.f_globals.get("__name__") or file  # without one nothing would be shown
        registry = _registries.setdefault((file, line), {})
        first = next((key[0] for key in registry if key != "version"), None)  # others of that line would be shown too
        message = first or f"{what} drops the derivative: {ADVICE}"
        warnings.warn_explicit(message, LostDerivativeWarning, file, line, module, registry)


def computing(frame: FrameType) -> str:
    """Return what is called where `frame` asks for a plain number and computes with it; empty if it only reads it."""
    key = id(frame.f_code), frame.f_lasti
    if key in _known:
        return _known[key][1]
    what, is_settled = look(frame)
    if is_settled:
        if len(_known) >= MOST_KEPT:
            _known.clear()
        _known[key] = frame.f_code, what
    return what


def look(frame: FrameType) -> tuple[str, bool]:
    """Return what `computing` does, and whether it is the same whenever `frame` is at this instruction."""
    from microgrid.engine import calls

    if calls.is_nothing(frame):
        return "", True
    applied = calls.applied(frame)
    functions = applied or calls.called(frame)
    is_settled = bool(functions) and all([function.is_settled for function in functions])
    are_reading = [function.name in READING for function in functions]
    if all(are_reading) if applied else any(are_reading) or not functions:
        return "", is_settled
    first = functions[are_reading.index(False)]
    if root_of(frame) == "microgrid" and not first.is_local:  # not a function of the user's
        return "", is_settled
    if first.home not in COMPUTING and calls.is_discarded(frame):
        return "", is_settled
    place, passed = users_frame(frame)
    given = calls.called(place)[1:] if place is not frame else []  # as `default` of `json.dumps`
    if not PLOTTING.isdisjoint(passed) or any([function.name in READING for function in given]):
        return "", False
    text = shortened(calls.source_at(place).text)
    if place is frame:
        return text, is_settled
    return f"{first} in {text}" if text else str(first), False


def users_frame(frame: FrameType) -> tuple[FrameType, set[str]]:
    """Return the innermost frame, from `frame` on, whose line is the user's, and the packages within it.

    Where all are of libraries, as in a thread of a pool, the line of the innermost one is all there is.
    """
    place: FrameType | None = frame
    passed: set[str] = set()
    while place is not None:
        root = root_of(place)
        if root not in LIBRARIES and root not in sys.stdlib_module_names:
            return place, passed
        passed.add(root)
        place = place.f_back
    return frame, passed


def root_of(frame: FrameType) -> str:
    """Return the package or module whose code `frame` runs; an example in a docstring belongs to who reads it."""
    is_example = frame.f_code.co_filename.startswith("<doctest ")
    return "" if is_example else str(frame.f_globals.get("__name__", "")).partition(".")[0]


def shortened(source: str) -> str:
    """Return `source` on one line, and its beginning if that is long.

    >>> shortened("math.sin(\\n    x)"), len(shortened("x + " * 100))
    ('math.sin( x)', 60)
    """
    line = " ".join(source.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
