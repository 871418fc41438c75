"""Which conversions to a float lose a derivative, and what is said of them."""

import array
import cmath
import ctypes
import functools
import gc
import itertools
import json
import linecache
import math
import operator
import random
import re
import statistics
import struct
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from microgrid import LostDerivativeWarning, Value, grad, jit, no_grad, vmap
from microgrid import math as ours
from microgrid.compiler.trace.trace import Trace
from microgrid.engine import calls, lost
from microgrid.nn import MLP, Neuron
from microgrid.optim import SGD
from microgrid.training import fit

TO_WRITE = "drops the derivative: write `from microgrid import math` in place of `import math`, or compute it by "

COMPUTES = [
    "math.sin(v)",
    "y = math.sin(v)",
    "y = w * math.exp(-v) + 1",
    "y = math.hypot(v, w)",
    "y = math.atan2(1.0, v)",
    "y = math.log(v, 2)",
    "y = math.pow(v, 2)",
    "y = math.fsum([v, w])",
    "y = math.dist([v, w], [0.0, 1.0])",
    "y = math.copysign(1.0, v)",
    "y = math.degrees(v)",
    "y = cmath.exp(v)",
    "y = sine(v)",
    "y = getattr(math, 'sin')(v)",
    "y = FUNCTIONS['sin'](v)",
    "y = holder.function(v)",
    "y = Holder.function(v)",
    "y = applied(math.sin, v)",
    "y = applied(*(math.sin, v))",
    "y = math.sin(*[v])",
    "y = (lambda x: math.tanh(x))(v)",
    "y = [math.sin(x) for x in vs]",
    "y = {x: math.sin(x) for x in vs}",
    "y = sum(math.sin(x) for x in vs)",
    "y = math.sin(\n    v\n)",
    "y = (\n    math\n    .sin(v)\n)",
    "s = 'é'; y = math.sin(v)",
    "text = f'{math.sin(v):.3f}'",
    "if math.sin(v) > 0: pass",
    "assert math.cos(v) < 2",
    "print(math.sin(v))",
    "y = list(map(math.sin, vs))",
    "list(map(sine, vs))",
    "y = [*map(math.sin, vs)]",
    "y = {*map(math.sin, vs)}",
    "a, b = map(math.sin, vs)",
    "a, *b = map(math.sin, vs)",
    "for y in map(math.sin, vs): pass",
    "for y in zip(names, map(math.sin, vs)):\n    pass",
    "y = [x + 1 for x in map(math.sin, vs)]",
    "y = 1 + sum([x for x in map(math.sin, vs)])",
    "y = {x for x in map(math.sin, vs)}",
    "y = {x: 1 for x in map(math.sin, vs)}",
    "y = tuple(x for x in map(math.sin, vs))",
    "y = dict(zip(names, map(math.sin, vs)))",
    "mapped = map(math.sin, vs); y = list(mapped)",
    "y = sum(map(math.sin, vs))",
    "y = max(map(math.sin, vs))",
    "y = max(map(math.sin, vs), key=float)",
    "y = list(zip(map(float, vs), map(math.sin, vs)))",
    "y = list(map(float, map(math.sin, vs)))",
    "y = list(filter(None, map(math.sin, vs)))",
    "y = next(map(math.sin, vs))",
    "y = max(*map(math.sin, vs))",
    "y = functools.reduce(math.hypot, vs)",
    "y = list(itertools.starmap(math.atan2, [(v, w)]))",
    "y = list(itertools.accumulate(vs, math.hypot))",
    "y = functools.partial(math.pow, 2.0)(v)",
    "y = powers_of_two(v)",
    "y = operator.call(math.sin, v)",
    "y = array.array('d', map(math.sin, vs))",
    "y = statistics.fmean(vs)",
    "y = random.lognormvariate(v, 1.0)",
    "y = c_function(v)",
    "y = vmap(math.sin)(vs)",
    "y = Neuron(2, activation=math.sin, rng=0)([1.0, 2.0])",
    "y = MLP(2, [2, 1], activation=math.tanh, rng=0)([1.0, 2.0])",
    "y = grad(lambda x: x * math.sin(v))(2.0)",
    "y = ours.sin(math.sin(v))",
    "y = math.sin(ours.sin(v))",
    "y = math.sin(v * 2)",
    "y = math.sin(Child(1.0))",
]

READS = [
    "y = float(v)",
    "float(v)",
    "y = math.sin(float(v))",
    "y = math.sin(v.data)",
    "y = number(v)",
    "y = v.__float__()",
    "y = Value.__float__(v)",
    "y = complex(v)",
    "y = ctypes.c_double(v)",
    "y = applied(float, v)",
    "y = applied(math.isfinite, v)",
    "y = [float(x) for x in vs]",
    "y = list(map(float, vs))",
    "mapped = map(float, vs); y = list(mapped)",
    "y = [*map(float, vs)]",
    "a, b = map(float, vs)",
    "for y in map(float, vs): pass",
    "for y in zip(names, map(float, vs)): pass",
    "y = [x for x in map(float, vs)]",
    "y = {n: x for n, x in zip(names, map(float, vs))}",
    "y = math.fsum(map(float, vs))",
    "y = sorted(vs, key=float)",
    "y = sorted(vs, key=math.sin)",
    "y = max(vs, key=math.fabs)",
    "vs.sort(key=math.sin)",
    "y = list(filter(math.sin, vs))",
    "y = list(filter(functools.partial(math.pow, 2.0), vs))",
    "y = [x for x in vs if math.isfinite(x)]",
    "y = list(itertools.takewhile(math.sin, vs))",
    "y = any(map(math.isnan, vs))",
    "y = operator.call(float, v)",
    "y = functools.partial(math.isclose, 1.0)(v)",
    "y = math.isnan(v) or math.isinf(v) or not math.isfinite(v)",
    "y = is_nan(v)",
    "y = math.isclose(v, 1.0)",
    "y = ours.isnan(v)",
    "y = ours.isclose(v, w)",
    "y = math.ulp(v)",
    "y = math.nextafter(v, 2.0)",
    "y = ours.nextafter(v, 2.0)",
    "y = ours.nextafter(1.0, v, steps=3)",
    "y = math.floor(v) + math.ceil(v) + math.trunc(v)",
    "y = int(v) + round(v)",
    "y = round(v, 2)",
    "y = bool(v) and v > 1 and v == w",
    "y = '%f' % v",
    "y = '%.2f, %g' % (v, w)",
    "y = '%.2f'.__mod__(v)",
    "y = f'{v:.2f} {v} {v!r} {float(v):.1f}'",
    "y = '{:.2f}'.format(v)",
    "y = format(v, '.2f') + str(v) + repr(v)",
    "print('%f' % v, v)",
    "y = array.array('d', [v, w])",
    "y = array.array('d', vs)",
    "numbers[0] = v",
    "numbers.append(v)",
    "numbers.extend(vs)",
    "y = [numbers.append(x) for x in vs]",
    "y = struct.pack('2d', v, w)",
    "y = json.dumps({'loss': v}, default=float)",
    "c_function(v)",
    "assert v == pytest.approx(1.25)",
    "y = random.choices('ab', weights=vs)",
    "y = random.gauss(v, 1.0)",
    "y = statistics.NormalDist(v, 1.0)",
    "y = ours.sin(v) + ours.fsum(vs) + ours.dist([v], [1.0]) + v.tanh()",
    "y = grad(lambda x: x * float(v))(2.0)",
    "y = Neuron(2, activation=float, rng=0)([1.0, 2.0])",
    "y = eval('math.sin(v)')",
    "exec('y = math.sin(v)')",
    "with no_grad(): y = math.sin(v)",
    "with no_grad(): y = grad(lambda x: x * math.sin(v))(2.0)",
    "with no_grad(): y = grad(lambda x: grad(lambda t: t * x * math.sin(v))(x))(2.0)",
]

NUMPY_COMPUTES = [
    "y = np.interp(v, [0.0, 1.0], [0.0, 1.0])",
    "y = np.random.default_rng(0).normal(v, 1.0)",
    "np.random.normal(v)",
    "y = np.random.default_rng(0).standard_gamma(v, dtype=float)",
    "y = np.vectorize(math.sin)(vs)",
    "y = math.sin(np.array(vs)[0])",
]

NUMPY_READS = [
    "y = np.array(vs, dtype=float)",
    "y = np.array([v, 1.0])",
    "y = np.asarray(vs, float)",
    "y = np.array(vs).astype(float)",
    "y = np.full(3, v, dtype=float)",
    "y = np.full_like(table, v)",
    "table[0] = v",
    "table[:] = vs",
    "table.fill(v)",
    "table.put(0, v)",
    "np.place(table, [True, True], vs)",
    "np.putmask(table, [True, True], vs)",
    "table.__setitem__(0, v)",
    "y = np.asanyarray(vs, 'f') + np.ascontiguousarray(vs, 'f') + np.asfortranarray(vs, 'f')",
    "y = np.float16(v) + np.longdouble(v) + np.complex64(v) + np.complex128(v) + np.clongdouble(v)",
    "y = np.float64(v) + np.float32(v)",
    "y = np.fromiter(vs, float)",
    "y = np.sin(v) + np.exp(v)",
    "y = np.mean(vs)",
    "y = np.linalg.norm(vs)",
    "y = np.vectorize(float)(vs)",
    "y = np.arange(0, v)",
]

PLOTS = [
    "axes.plot(vs, vs)",
    "axes.scatter(vs, vs)",
    "axes.bar([0, 1], vs)",
    "axes.axhline(v)",
    "axes.axvline(v)",
    "axes.text(v, w, 'here')",
    "axes.hist(list(map(float, vs)))",
    "axes.errorbar([0, 1], vs, yerr=vs)",
]


class Holder:
    """What has a function."""

    function = math.cos


class Child(Value):
    """A node of another type."""


def applied(function: Callable[[Any], Any], x: Any) -> Any:
    return function(x)


c_function = ctypes.PyDLL(None).PyFloat_FromDouble  # does nothing but convert its argument
c_function.argtypes, c_function.restype = [ctypes.c_double], ctypes.py_object


MODULES = (array, cmath, ctypes, functools, itertools, json, math, operator, pytest, random, statistics, struct)
OURS = (Child, Holder, MLP, Neuron, Value, applied, grad, no_grad, vmap)


def namespace() -> dict[str, Any]:
    """Return what the lines may name."""
    v, w = Value(1.25), Value(2.5)
    found: dict[str, Any] = {one.__name__: one for one in (*MODULES, *OURS)}
    found |= {"v": v, "w": w, "vs": [v, w], "names": "ab", "numbers": array.array("d", [0.0]), "number": float}
    found |= {"sine": math.sin, "is_nan": math.isnan, "ours": ours, "c_function": c_function, "holder": Holder()}
    found |= {"FUNCTIONS": {"sin": math.sin}, "powers_of_two": functools.partial(math.pow, 2.0)}
    found["holder"].function = math.sin
    return found


files = itertools.count()


def caught(line: str, names: dict[str, Any]) -> list[str]:
    """Return the warnings that `line` gives, run as the body of a function and as a module."""
    found = []
    for source in (line + "\n", "def run():\n    " + line.replace("\n", "\n    ") + "\nrun()\n"):
        file = f"<lines {next(files)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("default", LostDerivativeWarning)
            exec(compile(source, file, "exec"), {**names, "__name__": "__main__"})
        assert all(warning.category is LostDerivativeWarning for warning in warned)
        assert all(warning.filename in (file, __file__) for warning in warned)
        found.append([str(warning.message) for warning in warned])
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("line", COMPUTES)
def test_a_call_that_computes_warns(line: str) -> None:
    (message,) = caught(line, namespace())
    assert TO_WRITE in message and message.endswith(" and v.data where a plain number is meant")


@pytest.mark.parametrize("line", READS)
def test_a_number_that_is_only_read_is_silent(line: str) -> None:
    assert caught(line, namespace()) == []


@pytest.mark.parametrize("line", NUMPY_COMPUTES)
def test_what_numpy_computes_warns(line: str) -> None:
    np = pytest.importorskip("numpy")
    (message,) = caught(line, namespace() | {"np": np, "table": np.zeros(2)})
    assert TO_WRITE in message


@pytest.mark.parametrize("line", NUMPY_READS)
def test_filling_an_array_is_silent(line: str) -> None:
    np = pytest.importorskip("numpy")
    assert caught(line, namespace() | {"np": np, "table": np.zeros(2)}) == []


@pytest.mark.parametrize("line", PLOTS)
def test_plotting_is_silent(line: str) -> None:
    figure = pytest.importorskip("matplotlib.figure")
    assert caught(line, namespace() | {"axes": figure.Figure().subplots()}) == []


# What only reads a number, once more: what is spelled wrong in the library would be said of who uses it.
NAMES = """
float __float__ complex __complex__ int bool str float16 float32 float64 longdouble half single double complex64
complex128 clongdouble c_float c_double c_longdouble from_param isnan isinf isfinite isclose allclose sorted sort min
max floor ceil trunc ulp nextafter range arange dropwhile filter filterfalse takewhile print repr format __format__
__mod__ array asarray asanyarray ascontiguousarray asfortranarray fromiter full full_like astype copyto append extend
insert fromlist fill put putmask _place itemset __setitem__ pack pack_into
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_what_only_reads_is_known_by_its_name(name: str) -> None:
    libraries = [SimpleNamespace(**{name: c_function, "other": c_function})]
    assert caught(f"y = libraries[0].{name}(v)", namespace() | {"libraries": libraries}) == []
    assert len(caught("y = libraries[0].other(v)", namespace() | {"libraries": libraries})) == 1


def library(name: str) -> Any:
    """Return a module of a library with this name, which computes with a number."""
    found, source = ModuleType(f"{name}.parts"), "import math\ndef drawn(x):\n    return math.sin(x)\n"
    file = f"<library {next(files)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), vars(found))
    return found


@pytest.mark.parametrize("name", "matplotlib mpl_toolkits seaborn plotly bokeh altair tkinter turtle".split())
def test_what_plots_is_known_by_its_name(name: str) -> None:
    assert caught("y = library.drawn(v)", namespace() | {"library": library(name)}) == []


@pytest.mark.parametrize("name", "numpy pandas scipy statistics".split())
def test_the_lines_of_a_library_are_not_the_users(name: str) -> None:
    (message,) = caught("y = library.drawn(v)", namespace() | {"library": library(name)})
    assert message.startswith("math.sin in library.drawn(v) drops")


@pytest.mark.parametrize("name", "math cmath numpy scipy".split())
def test_what_computes_may_be_tried_out(name: str) -> None:
    function = ctypes.PyDLL(None)["PyFloat_FromDouble"]  # of its own, not the one above
    function.argtypes, function.restype = c_function.argtypes, c_function.restype
    function.__module__ = f"{name}.parts"
    assert len(caught("function(v)", namespace() | {"function": function})) == 1


def messages(run: Callable[[], object], action: Any = "default") -> list[str]:
    """Return the warnings that `run` gives."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter(action)
        run()
    return [f"{warning.category.__name__}: {warning.message}" for warning in warned]


def test_each_line_warns_once() -> None:
    v = Value(1.25)

    def run() -> None:
        for _ in range(3):
            v.data += 1.0
            _ = math.sin(v) + math.cos(v)
            _ = math.cos(v)

    assert [message.partition(" drops")[0] for message in messages(run)] == [
        "LostDerivativeWarning: math.sin(v)",
        "LostDerivativeWarning: math.cos(v)",
    ]
    assert len(messages(run, "always")) == 9 and not messages(run, "ignore")
    with pytest.raises(LostDerivativeWarning, match=r"^math\.sin\(v\) drops the derivative: write"):
        messages(run, "error")


def test_a_module_can_be_silenced() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module=re.escape(__name__))
        math.sin(Value(0.0))


def test_the_line_is_the_users() -> None:
    net, shown = Neuron(2, activation=math.sin, rng=0), []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        net([1.0, 2.0])
        statistics.fmean(net.w[:1])
    for warning in warned:
        assert warning.filename == __file__
        shown.append((str(warning.message).partition(" drops")[0], linecache.getline(__file__, warning.lineno).strip()))
    assert shown == [
        ("math.sin in net([1.0, 2.0])", "net([1.0, 2.0])"),
        ("math.fsum in statistics.fmean(net.w[:1])", "statistics.fmean(net.w[:1])"),
    ]


def test_long_source_is_shortened() -> None:
    v, a_name_that_takes_half_of_the_line = Value(1.0), 2.0
    (message,) = messages(lambda: math.hypot(v, a_name_that_takes_half_of_the_line, a_name_that_takes_half_of_the_line))
    assert "math.hypot(v, a_name_that_takes_half_of_the_line, a_name_th… drops" in message
    assert lost.shortened("x" * 60) == "x" * 60 and lost.shortened("x" * 61) == "x" * 59 + "…"


def test_a_thread_of_a_pool_has_no_line_of_the_users() -> None:
    def run() -> None:
        with ThreadPoolExecutor(1) as pool:
            assert list(pool.map(math.sin, [Value(0.0)])) == [0.0]
            assert list(pool.map(float, [Value(0.0)])) == [0.0]

    (message,) = messages(run)
    assert "math.sin in " in message or "(*" in message


def test_a_name_that_means_one_thing_after_the_other() -> None:
    """What was found for one call does not hold for the next, unless it is the same function for good."""
    v = Value(1.0)

    def run() -> None:
        for function in (float, math.sin, float, math.isnan, math.cos):
            applied(function, v)
        for numbers in (map(float, [v]), map(math.sin, [v]), [v.data]):
            for _ in numbers:
                pass

    assert len(messages(run, "always")) == 3


def test_a_library_is_told_what_to_call_anew_each_time() -> None:
    line = "y = json.dumps({{'loss': v}}, default={})"
    assert caught(line.format("float"), namespace()) == []
    assert len(caught(line.format("math.sin"), namespace())) == 1


def test_what_is_remembered_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    v = Value(1.0)
    for module in (calls, lost):
        monkeypatch.setattr(module, "MOST_KEPT", 2)
    for index in range(5):
        assert caught(f"y = float(v) + {index}", {"v": v}) == []
        assert len(caught(f"y = math.sin(v) + {index}", {"v": v, "math": math})) == 1
        assert len(lost._known) <= 2 and len(calls._found) <= 2
    del v
    gc.collect()


def test_without_positions_nothing_is_said() -> None:
    source = "y = math.sin(v)\n"
    linecache.cache["<bare>"] = (len(source), None, [source], "<bare>")
    linecache.cache["<short>"] = (len(source), None, [source], "<short>")
    code = compile(source, "<bare>", "exec")
    names = {"math": math, "v": Value(0.0)}
    assert len(messages(lambda: exec(code, names))) == 1
    units = len(code.co_code) // 2
    lines_alone = b"".join(bytes([0x80 | 13 << 3 | min(8, units - start) - 1, 0]) for start in range(0, units, 8))
    assert not messages(lambda: exec(code.replace(co_linetable=lines_alone), names))
    assert not messages(lambda: exec(compile("\n\n" + source, "<short>", "exec"), names))
    assert not messages(lambda: exec(compile("\n".join(["(", source[4:], ")"]), "<short>", "exec"), names))


def test_source_that_has_changed_meanwhile() -> None:
    for changed in ("y = math.sin(", "y = v + 2*(v)\n", "y = ))))))))))))\n", "y =é math.sin(v)\n"):
        file = f"<changed {next(files)}>"
        linecache.cache[file] = (len(changed), None, [changed], file)
        assert not messages(lambda file=file: exec(compile("y = math.sin(v)\n", file, "exec"), namespace()))


def test_an_input_of_a_transform_raises_as_before() -> None:
    with pytest.raises(TypeError, match="would drop the derivative"):
        grad(lambda x: math.sin(x))(1.0)
    with pytest.raises(TypeError, match="would drop the derivative"), Trace([]):
        grad(lambda x: math.sin(x))(1.0)


def test_other_threads_warn_while_one_traces() -> None:
    """`Value` is instrumented then, for all threads."""

    def run() -> None:
        with Trace([]), ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: (float(Value(0.0)), math.sin(Value(0.0)))).result() == (0.0, 0.0)

    (message,) = messages(run)
    assert "math.sin(Value(0.0)) drops the derivative" in message


def standard_loss(score: Value, y: float) -> Any:
    return (math.tanh(score) - y) ** 2 + score


def test_fit_says_that_the_derivative_is_lost() -> None:
    net = MLP(1, [1], rng=0)
    xs, ys = [[0.0], [1.0]], [0.0, 1.0]
    lossy, eager = messages(
        lambda: fit(net, (xs, ys), loss=standard_loss, optimizer=SGD(net.parameters(), lr=0.1), epochs=2)
    )
    assert "LostDerivativeWarning: math.tanh(score) drops the derivative: write" in lossy
    line = standard_loss.__code__.co_firstlineno + 1
    assert "RuntimeWarning: fit runs eagerly: math.tanh(score) at" in eager
    assert f"{__file__}:{line} drops the derivative: write `from microgrid import math`" in eager


def test_jit_says_that_the_derivative_is_lost() -> None:
    (lossy, eager) = messages(lambda: jit(lambda x: math.sin(x) * x)(Value(1.0)))
    assert lossy.startswith("LostDerivativeWarning: math.sin(x) drops the derivative")
    assert "runs eagerly: math.sin(x) at " in eager and "drops the derivative: write" in eager
    (eager,) = messages(lambda: jit(lambda x: float(x) * x)(Value(1.0)))
    assert "runs eagerly: float() at " in eager and "drops" not in eager


def test_a_line_without_source_is_shown_by_what_it_reached() -> None:
    names = {"statistics": statistics, "v": Value(0.0)}
    (message,) = messages(lambda: exec("y = statistics.fmean([v])", names))
    assert message.startswith("LostDerivativeWarning: math.fsum drops the derivative")
