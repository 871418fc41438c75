"""Functions mapped over rows within a compiled function: the answers of the eager ones, from one loop."""

import warnings
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid import (
    Value,
    define_rule,
    grad,
    jit,
    jvp,
    math,
    no_grad,
    stop_gradient,
    value_and_grad,
    vmap,
)
from microgrid.compiler.program.form import MOST_PATHS, Loop
from microgrid.nn import MLP
from microgrid.optim import SGD
from microgrid.rules.table import RULES
from microgrid.training import fit
from microgrid.transforms import nests
from tests.compiler.programs import Line, check_same, function_of, lines, numbers, outcome

Batch = list[tuple[float, float]]
COMBINED: dict[str, Callable[[list[Any]], Any]] = {
    "mean": math.mean,
    "sum": sum,
    "first": lambda ys: ys[0] * 2,
    "every second": lambda ys: sum(ys[::2]) * ys[-1],
    "largest": max,
    "twice": lambda ys: sum(vmap(lambda y: y * y if y > 0 else y)(ys)),
}


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    """Draw some batches of equally many rows."""
    count = draw(st.integers(2, 5))
    rows = st.lists(st.tuples(numbers, numbers), min_size=count, max_size=count)
    return draw(st.lists(rows, min_size=1, max_size=4))


def leaves_of(batch: Batch, weight: float) -> tuple[list[tuple[Value, Value]], Value]:
    return [(Value(x), Value(y)) for x, y in batch], Value(weight)


@given(lines(), lines(), batches(), st.sampled_from([*COMBINED]), numbers)
def test_random_functions_of_rows_give_the_same(
    program: list[Line], outer: list[Line], inputs: list[Batch], combined: str, weight: float
) -> None:
    inner, around = function_of(program), function_of(outer)

    def function(rows: Any, w: Any) -> Any:
        v = around(w, 0.5)
        return COMBINED[combined](vmap(lambda x, y: inner(inner(x, v), y))(*zip(*rows, strict=True)))

    jitted = jit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for batch in inputs:
            ours, theirs = leaves_of(batch, weight), leaves_of(batch, weight)
            eager, compiled = outcome(function, *ours), outcome(jitted, *theirs)
            if isinstance(eager, tuple):
                assert compiled == eager
            else:
                leaves, twins = ([leaf for row in rows for leaf in row] + [w] for rows, w in (ours, theirs))
                check_same(eager, compiled, leaves, twins)


def loops_of(function: Any) -> list[Loop]:
    return [step for case in function.cases for step in case.program.steps if isinstance(step, Loop)]


def check(function: Callable[..., Any], *calls: tuple[Any, ...], loops: int, cases: int = 1) -> Any:
    """Check a function on some arguments, and how many loops there are in how many cases; return it compiled."""
    jitted = jit(function)
    for arguments in calls:
        ours, theirs = (nests.converted(detached, arguments) for _ in range(2))
        eager, compiled = (nests.leaves("out", call(*given)) for call, given in ((function, ours), (jitted, theirs)))
        leaves, twins = (list(filter(is_value, nests.leaves("arguments", given))) for given in (ours, theirs))
        for y, z in zip(eager, compiled, strict=True):
            for leaf in (*leaves, *twins):
                leaf.grad = 0.0
            check_same(y, z, leaves, twins)
    assert (len(loops_of(jitted)), len(jitted.cases)) == (loops, cases)
    return jitted


def detached(leaf: Any) -> Any:
    return leaf.detach() if is_value(leaf) else leaf


def is_value(leaf: Any) -> bool:
    return isinstance(leaf, Value)


def values(*numbers: float) -> list[Value]:
    return list(map(Value, numbers))


# One loop


def test_a_loop_is_readable() -> None:
    w, b = Value(3.0), Value(0.5)
    neuron = check(
        lambda xs, ys: math.mean(vmap(lambda x, y: (w * x + b).tanh() * y)(xs, ys)),
        ([1.0, 2.0, 3.0], values(2.0, -1.0, 0.5)),
        loops=1,
    )
    assert neuron.source.splitlines() == [
        "def tape(numbers):",
        "    leaf0, leaf1 = numbers[6:8]",
        "    map_0_0 = []",
        "    kept_0 = []",
        "    for row_0_0, row_0_1 in zip(numbers[0:3], numbers[3:6]):",
        "        tanh_0_2 = tanh(leaf0 * row_0_0 + leaf1)",
        "        map_0_0.append(tanh_0_2 * row_0_1)",
        "        kept_0.append((row_0_0, row_0_1, tanh_0_2))",
        "    seed0, = yield [fsum(map_0_0) / 3.0]",
        "    while True:",
        "        d_out_0_0 = seed0 / 3.0",
        "        d_leaf0 = d_leaf1 = 0.0",
        "        d_row_0_1 = []",
        "        for (row_0_0, row_0_1, tanh_0_2) in reversed(kept_0):",
        "            d_tanh_0_2 = d_out_0_0 * row_0_1",
        "            d_add_0_1 = d_tanh_0_2 * (1.0 - tanh_0_2 * tanh_0_2)",
        "            d_leaf0 += d_add_0_1 * row_0_0",
        "            d_leaf1 += d_add_0_1",
        "            d_row_0_1.append(d_out_0_0 * tanh_0_2)",
        "        seed0, = yield [d_row_0_1[2], d_row_0_1[1], d_row_0_1[0], d_leaf0, d_leaf1]",
    ]


def test_the_source_does_not_grow_with_the_rows() -> None:
    net = MLP(2, [3, 1], rng=0)
    jitted = jit(lambda rows: math.mean(vmap(net)(rows)))
    for count in (2, 100):
        jitted([[0.5, float(row)] for row in range(count)]).backward()
    one, other = sorted([case.source for case in jitted.cases], key=len)
    assert len(one.splitlines()) == len(other.splitlines()) and len(other) - len(one) < 20


def test_gradients_are_summed_in_the_order_of_unrolled_code() -> None:
    net = MLP(2, [3, 1], activation="tanh", rng=0)
    rows = [[0.1 * row, 0.3 - row] for row in range(7)]
    slopes = []
    for mapped in (vmap(net), lambda rows: [net(row) for row in rows]):
        net.zero_grad()
        jit(lambda rows, mapped=mapped: math.mean(mapped(rows)))(rows).backward()
        slopes.append([parameter.grad for parameter in net.parameters()])
    assert slopes[0] == slopes[1]


def test_one_loop_takes_what_another_gave() -> None:
    check(lambda xs: math.fsum(vmap(lambda y: y * y)(vmap(math.sin)(xs))), (values(1.0, 2.0, 3.0),), loops=2)
    check(lambda xs: vmap(lambda x, y: x - y)(xs, vmap(math.exp)(xs[::-1])), (values(1.0, 2.0),), loops=2)


def test_whole_columns_and_single_numbers_of_them_are_used() -> None:
    check(lambda xs: [math.hypot(*xs), *vmap(lambda x: x * x[0] if isinstance(x, list) else x * 2)(xs), xs[0]],
          (values(1.0, 2.0),), loops=1)  # fmt: skip
    check(lambda xs: math.hypot(*vmap(abs)(xs)) - math.maximum(*vmap(abs)(xs)), (values(1.0, -2.0),), loops=2)


def test_what_is_no_batch_stays_outside() -> None:
    x, y = values(2.0, 3.0)
    check(lambda xs, w: sum(vmap(math.prod, (0,))([[x, w] for x in xs])), (values(1.0, 2.0), y), loops=1)
    check(lambda xs, w: sum(vmap(lambda x, w: x * w[0], (0, None))(xs, [w * w])), (values(1.0, 2.0), y), loops=1)
    check(lambda xs: sum(vmap(lambda _: x * y)(xs)), (values(1.0, 2.0),), loops=1)


def test_what_stands_outside_is_done_once() -> None:
    def function(xs: Any, w: Any) -> Any:
        shifted, again, fixed = w * 3 + 1, w * 3 + 1, stop_gradient(w)
        ys = vmap(lambda x: x * shifted + again * fixed)(xs)
        return math.fsum(vmap(lambda x: x * w * ys[0])(ys)) + sum(vmap(lambda x: w - x)(ys)) * w

    jitted = check(function, (values(1.0, 2.0), Value(0.5)), loops=3)
    assert jitted.source.count("* 3.0 + 1.0") == 1
    jitted = check(function, ([1.0, 2.0], 0.5), loops=3)
    outside, inside, *_ = jitted.source.split("    for row")
    assert "* 3.0 + 1.0" in outside and "* 3.0 + 1.0" not in inside


def test_softmax_of_a_row() -> None:
    w = Value(0.5)
    check(lambda xs: vmap(lambda x: math.softmax([x, w, x * x])[0])(xs), (values(1.0, 2.0),), loops=1)


def test_closed_over_numbers_are_constants_of_the_rows() -> None:
    targets = [0.0, -0.0, 1.0]
    mapped = check(lambda xs: vmap(lambda x, y: x * y)(xs, targets), (values(1.0, 2.0, 3.0),), loops=1)
    assert "[0.0, -0.0, 1.0]" in mapped.source
    check(lambda xs: vmap(lambda x, y: (x, y, 2.5))(xs, targets), (values(1.0, 2.0, 3.0),), loops=0)
    check(lambda xs: vmap(lambda x, y: x * y)(xs, targets[:2]), (values(1.0, 2.0),), loops=1)


def test_numbers_and_values_among_the_rows() -> None:
    w = Value(2.0)
    check(lambda xs: vmap(lambda x: [x, w, x * 3, Value(1.0)])(xs), ([1.0, Value(2.0)],), loops=1)
    check(lambda xs: vmap(lambda x: x * 3)(xs), ([1.0, 2.0],), loops=1)
    check(lambda xs: vmap(lambda x: [x.detach() * x, x * 3])(xs), (values(1.0, 2.0),), loops=1)

    def unrecorded(xs: Any) -> Any:
        with no_grad():
            ys = vmap(lambda x: x * 3)(xs)
        return [*ys, *vmap(lambda y: y * w)(ys)]

    check(unrecorded, (values(1.0, 2.0),), loops=2)


def test_results_are_nests() -> None:
    def function(x: Any, y: Any) -> Any:
        return {"same": (x, x), "other": [y * 2, "text", None, True]}

    check(
        lambda rows: [(r["same"][0] * r["same"][1], r["other"][0]) for r in vmap(function)(*zip(*rows, strict=True))],
        ([values(1.0, 2.0), values(3.0, 4.0)],),
        loops=1,
    )
    assert jit(lambda xs: vmap(function)(xs, xs))([1.0, 2.0])[1] == {
        "same": (2.0, 2.0),
        "other": [4.0, "text", None, True],
    }


def test_a_dict_of_columns_is_a_batch_too() -> None:
    leaf = Value(0.5)
    data = {"x": [1.0, -2.0, 3.0], "targets": {"y": [0.0, 1.0, 1.0]}}
    loss = check(
        lambda d: math.mean(vmap(lambda row: (leaf * row["x"] - row["targets"]["y"]) ** 2)(d)), (data,), loops=1
    )
    columns = check(
        lambda xs, ys: math.mean(vmap(lambda x, y: (leaf * x - y) ** 2)(xs, ys)),
        (data["x"], data["targets"]["y"]),
        loops=1,
    )
    assert loss.source == columns.source


def test_long_sums_are_several_statements() -> None:
    many = [0.5 + place for place in range(50)]
    check(lambda xs: sum([y * z for y in vmap(math.sin)(xs) for z in many]), (values(1.0, 2.0),), loops=1)
    check(lambda xs: math.fsum(vmap(lambda x: sum([x * z for z in many]))(xs)), (values(1.0, 2.0),), loops=1)


def test_no_name_of_an_operation_is_taken_for_another() -> None:
    for name in ("row", "map_0", "row_0", "kept", "tanh_0", "d_out"):
        rule = define_rule(f"{name}(x)", lambda x: x * 1.5, x=lambda x, out: 1.5)
        try:
            check(lambda xs, rule=rule: math.fsum(vmap(lambda x: math.tanh(rule(x)) * x)(xs)) * rule(xs[0]),
                  (values(1.0, 2.0),), loops=1)  # fmt: skip
        finally:
            del RULES[name]


def test_jit_and_vmap_go_into_one_another() -> None:
    xs = values(1.0, 2.0)
    check(vmap(math.sin), (xs,), loops=1)
    assert [y.data for y in vmap(jit(math.sin))(xs)] == [x.sin().data for x in xs]
    check(lambda xs: vmap(jit(math.sin))(xs), (xs,), loops=1)


# Branches


def kinked(x: Any) -> Any:
    if x > 2:
        return [x * 2, x.exp()]
    if x < -2:
        return [x, x]
    return [x * x, x - 1]


def test_rows_take_several_paths() -> None:
    def function(xs: Any) -> Any:
        return [a * b for a, b in vmap(kinked)(xs)]

    batches = [values(1.0, 0.5), values(3.0, 1.0), values(-1.0, -3.0), values(-3.0, 5.0), values(-3.0, -3.0)]
    jitted = check(function, *((batch,) for batch in batches), loops=1)
    assert len(loops_of(jitted)[0].paths) == 3
    assert jitted.source.count("kept_0.append") == 3
    assert jitted.source.count("row_0_0 > 2") == jitted.source.count("row_0_0 < (-2)") == 1, "decided once"


def test_common_steps_of_paths_are_done_once() -> None:
    def function(x: Any, y: Any) -> Any:
        both, only = (x + 1).exp(), x - 0.25
        if x > 5:
            return x
        if only > y:
            return both + y
        return both * only * (only + y)

    def mapped(rows: Any) -> Any:
        return vmap(function)(*zip(*rows, strict=True))

    pairs = [values(*pair) for pair in ((1.0, 0.1), (1.0, 5.0), (0.5, -2.0), (6.0, 1.0))]
    jitted = check(mapped, (pairs[:2],), loops=1)
    forwards = jitted.source.partition("while True:")[0]
    assert forwards.count("exp(") == 1, "named on both paths"
    assert forwards.count("- 0.25") == 2, "once in the decision, once named"
    check(mapped, *(([pair, pairs[0]],) for pair in pairs), loops=1)


def test_paths_that_whole_numbers_tell_apart() -> None:
    check(
        lambda xs: vmap(lambda x: x * math.floor(x) if math.floor(x) != 2 else x)(xs),
        *((values(*batch),) for batch in ((0.5, 1.5), (2.5, 3.5), (-1.5, 0.5), (3.5, 2.0))),
        loops=1,
    )


def test_rows_of_one_path_know_the_leaves_of_another() -> None:
    a, b, c = values(2.0, 3.0, 5.0)

    def function(x: Any) -> Any:
        return x * a + b if x > 0 else x * b - c

    jitted = jit(lambda xs: sum(vmap(function)(xs)))
    for batch in ((1.0, 2.0), (-1.0, -2.0), (-1.0, 2.0)):
        xs, twins = values(*batch), values(*batch)
        parameters, sums = [a, b, c], []
        for out in (sum(map(function, xs)), jitted(twins)):
            for leaf in parameters:
                leaf.grad = 0.0
            out.backward()
            sums.append([out.data, *(leaf.grad for leaf in parameters)])
        assert sums[0] == sums[1]
    assert len(jitted.cases) == 1 and jitted.cases[0].externals == [a, b, c]


def test_paths_with_other_results_are_cases() -> None:
    def function(x: Any) -> Any:
        return x * 2 if x > 0 else 1.0

    calls = [(values(1.0, 2.0),), (values(-1.0, 2.0),), (values(-1.0, -2.0),), (values(1.0, -2.0),)]
    check(lambda xs: vmap(function)(xs), *calls, loops=2, cases=4)
    check(
        lambda xs: sum(vmap(lambda x: (x, x > 0))(xs)[0]), (values(1.0, 2.0),), (values(-1.0, 2.0),), loops=1, cases=2
    )


def test_paths_that_return_a_number_or_a_value_are_not_a_loop() -> None:
    w = Value(3.0)
    calls = [([1.0, -2.0],), ([-1.0, 2.0],), ([1.0, 2.0],)]
    check(lambda xs: vmap(lambda x: x * 2 if x > 0 else w)(xs), *calls, loops=1, cases=3)


def test_too_many_paths_are_not_a_loop() -> None:
    numbers = values(*(number + 0.5 for number in range(MOST_PATHS + 1)))
    check(lambda xs: vmap(lambda x: x * math.floor(x))(xs), (numbers[1:],), loops=1)
    check(lambda xs: vmap(lambda x: x * math.floor(x))(xs), (numbers,), loops=0)
    check(
        lambda xs: vmap(lambda x: x * math.floor(x))(xs),
        (numbers[1:],),
        ([*numbers[2:], numbers[0]],),
        loops=2,
        cases=2,
    )


def test_rows_with_constants_that_take_several_paths_are_not_a_loop() -> None:
    def function(xs: Any) -> Any:
        return vmap(lambda x, y: x * y if x > 0 else x - y)(xs, [1.0, 2.0, 3.0])

    check(function, (values(1.0, 2.0, 3.0),), (values(1.0, -2.0, 3.0),), loops=1, cases=2)
    check(lambda xs: vmap(lambda x, y: x * 2 if y else x)(xs, [True, False]), (values(1.0, 2.0),), loops=0)


def test_paths_that_no_guard_tells_apart_are_not_a_loop() -> None:
    turns = cycle([True, False])
    check(lambda xs: vmap(lambda x: x * 2 if next(turns) else x + 1)(xs), (values(1.0, 2.0),), loops=0)
    check(lambda xs, w: vmap(lambda x: x if next(turns) else w)(xs), (values(1.0, 2.0), Value(3.0)), loops=0)
    assert next(turns)
    turns = cycle([True, False, True, False, False, True])  # the last two for the copies

    def function(x: Any) -> Any:
        y = x * 2 if next(turns) else x + 1
        return y if x > 0 else -y

    check(lambda xs: vmap(function)(xs), (values(1.0, -2.0),), loops=0)
    assert next(turns)


# What is no loop


def test_what_rows_share_is_no_loop() -> None:
    def running(xs: Any) -> Any:
        total = [xs[0]]
        vmap(lambda x: total.append(total[-1] * x))(xs)
        return total

    check(running, (values(1.0, 2.0, 3.0),), loops=0)

    def leaking(xs: Any) -> Any:
        made: list[Any] = []
        ys = vmap(lambda x: [made.append(x * x), x * 2][1])(xs)
        return made[0] * ys[1]

    check(leaking, (values(1.0, 2.0),), loops=0)


def test_rows_of_several_shapes() -> None:
    check(lambda rows: vmap(sum)(rows), ([values(1.0), values(2.0, 3.0)],), loops=0)
    check(
        lambda rows: vmap(lambda row: row["x"] * 2)([{"x": x, 0: object()} for x in rows]), (values(1.0, 2.0),), loops=1
    )
    mixed = [Value(1.0), values(2.0, 3.0)]
    check(lambda rows: vmap(lambda x: x if isinstance(x, list) else [x, x])(rows), (mixed,), loops=0)
    check(lambda rows: vmap(lambda x: x if isinstance(x, list) else [x, x * 1])(rows), (mixed,), loops=0)


def test_one_row_and_none() -> None:
    check(lambda xs: [Value(1.0), *vmap(lambda x: x * 2)(xs)], (values(1.0),), ([],), loops=0, cases=2)


def test_indices() -> None:
    table = values(1.0, 2.0, 3.0)
    check(lambda rows: vmap(lambda i: table[i] * 2)(rows), ([0, 2],), loops=0)
    check(lambda rows: [table[i] for i in vmap(lambda i: i)(rows)], ([0, 2],), loops=0)


def test_an_index_is_an_integer_whatever_was_met_before() -> None:
    table = values(1.0, 2.0, 3.0)
    jitted = jit(lambda rows: vmap(lambda i: table[i] * 2 if i > 0 else table[0] * i)(rows))
    for rows in ([1, 1], [-1, -1]):
        jitted(rows)
    with pytest.raises(TypeError, match=r"indices must be integers|interpreted as an integer"):
        jitted([1.5, 1.5])


def test_a_loop_in_a_loop_is_unrolled() -> None:
    check(
        lambda rows: vmap(lambda row: sum(vmap(lambda x: x * x)(row)))(rows),
        ([values(1.0, 2.0), values(3.0, 4.0)],),
        loops=1,
    )


def test_one_of_several_may_be_no_loop() -> None:
    def function(xs: Any) -> Any:
        made: list[Any] = []
        ys = vmap(lambda x: [made.append(x * x), x * 3][1])(xs)
        return sum(vmap(lambda x, y: x * y)(ys, made))

    check(function, (values(1.0, 2.0),), loops=1)


def test_rows_that_are_changed() -> None:
    def changing(xs: Any) -> Any:
        rows = [[x, x * 2] for x in xs]
        vmap(lambda row: row.reverse() if row[0] > 1 else row.append(row[0]))(rows)
        return rows

    check(changing, (values(2.0, 3.0),), (values(-1.0, -2.0),), loops=2, cases=2)
    check(changing, (values(2.0, -2.0),), loops=0)


def test_what_changes_results_or_more_runs_eagerly() -> None:
    def sharing(xs: Any) -> Any:
        made: list[Any] = []
        return vmap(lambda x: [made.append(x), made][1])(xs)[0]

    def noting(xs: Any) -> Any:
        made: list[Any] = []
        vmap(lambda x: [made.append(x * 2 if x > 1 else x * 3), x][1])(xs)
        return made

    for function, words in ((sharing, "changes what it returned"), (noting, "does more than return a result")):
        jitted = jit(function)
        with pytest.warns(RuntimeWarning, match=rf"runs eagerly: a function under vmap that {words}( at .*)?$"):
            found = jitted(values(1.0, 2.0))
        assert [y.data for y in found] == [y.data for y in function(values(1.0, 2.0))]


def test_functions_may_tell_rows_from_others() -> None:
    def pulls(bodies: Any) -> Any:
        def pull(body: Any) -> Any:
            others = [other for other in bodies if other is not body]
            return sum((body[0] - other[0]) * other[1] for other in others)

        return vmap(pull)(bodies)

    bodies = [values(*body) for body in ((1.0, 2.0), (3.0, 4.0), (-2.0, 0.5))]
    check(pulls, (bodies,), loops=1)
    check(lambda xs: vmap(lambda x: sum([x / y for y in xs if y is not x]))(xs), (values(1.0, 2.0, 3.0),), loops=1)
    near = ((values(1.0, 3.0, 9.0),), (values(1.0, 30.0, 9.0),), (values(1.0, -3.0, 3.0),))
    check(
        lambda xs: vmap(lambda x: sum([x * y if x - y < 5 else x - y for y in xs if y is not x]))(xs),
        *near, loops=0, cases=3,
    )  # fmt: skip


def test_functions_may_use_other_rows() -> None:
    def relative(xs: Any) -> Any:
        return vmap(lambda x: x - xs[0] if x > 1 else x * xs[1])(xs)

    check(relative, (values(2.0, 0.5, 0.25),), (values(2.0, 3.0, 4.0),), (values(0.0, 3.0, 0.5),), loops=1)
    check(lambda xs: vmap(lambda x: x - xs[0])(xs), (values(2.0, 0.5, 0.25),), loops=1)
    check(lambda xs: vmap(lambda x, y: x - y if x > 1 else y)(xs, [xs[0]] * 3), (values(2.0, 0.5, 0.25),), loops=1)


def test_functions_that_fail_on_a_copy_are_no_loop() -> None:
    def function(xs: Any) -> Any:
        known = {x: 2.0 for x in xs}
        return vmap(lambda x: x * known[x] if x > 1 else x)(xs)

    check(function, (values(1.0, 2.0),), loops=0)


def test_errors_in_rows() -> None:
    def careful(xs: Any) -> Any:
        try:
            return vmap(lambda x: (x - 3).log())(xs)
        except ValueError:
            return [x * 2 for x in xs]

    with pytest.warns(RuntimeWarning, match="an error in log at"):
        assert [y.data for y in jit(careful)(values(5.0, 1.0))] == [10.0, 2.0]
    with pytest.raises(ValueError, match="log"):
        jit(lambda xs: vmap(lambda x: x.log())(xs))(values(1.0, -1.0))
    jitted = jit(lambda xs: vmap(lambda x: x.log())(xs))
    jitted(values(1.0, 2.0))
    with pytest.raises(ValueError, match="log"):
        jitted(values(1.0, -2.0))


# Derivatives of all kinds


def test_transforms_reach_through() -> None:
    w = Value(0.5)

    def function(xs: Any) -> Any:
        return math.fsum(vmap(lambda x: (w * x * x).sin() if x > 0 else x * w)(xs))

    jitted, point, direction = jit(function), [1.0, -2.0, 3.0], [1.0, 0.5, -1.0]
    (value, slopes), (other, others) = value_and_grad(jitted)(point), value_and_grad(function)(point)
    assert value == other and slopes == pytest.approx(others, rel=1e-14)
    assert jvp(jitted, (point,), (direction,)) == jvp(function, (point,), (direction,))
    assert loops_of(jitted)
    seconds = []
    for call in (function, jitted):
        xs = values(*point)
        call(xs).backward(create_graph=True)
        slope, xs[0].grad = xs[0].grad, 0.0
        w.grad = 0.0
        slope.backward()
        seconds.append((slope.data, float(xs[0].grad), float(w.grad)))
    assert seconds[0] == pytest.approx(seconds[1], rel=1e-14)
    w.grad = 0.0
    with no_grad():
        assert jitted(values(*point)).parents == () and jitted(point).data == function(point).data


def test_transforms_within() -> None:
    w = Value(0.5)
    check(lambda xs: vmap(grad(lambda x: x * x * w))(xs), (values(1.0, 2.0),), loops=1)
    check(lambda xs: grad(lambda ys: math.fsum(vmap(lambda y: y * y * w)(ys)))(xs), (values(1.0, 2.0),), loops=2)


def test_the_reverse_pass_can_be_made_again() -> None:
    jitted = jit(lambda xs: vmap(lambda x: x * x)(xs))
    xs = values(1.0, 2.0)
    first, second = jitted(xs)
    for out in (first, first, second):
        out.backward()
    assert [x.grad for x in xs] == [4.0, 4.0]


def test_training_steps_hold_what_is_mapped() -> None:
    data = [[0.1, 0.2], [0.4, -0.5]], [0.5, -0.5]

    def trained(compile: bool) -> float:
        w = Value(0.5)
        fit(
            lambda xs: sum(vmap(lambda x: (w * x).tanh() if x > 0 else x * w)(xs)),
            data, loss=lambda p, y: (p - y) ** 2, optimizer=SGD([w], lr=0.1), epochs=3, compile=compile,
        )  # fmt: skip
        return w.data

    assert trained(compile=True) == pytest.approx(trained(compile=False), rel=1e-14)
