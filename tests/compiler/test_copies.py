"""Copies of graphs with calls of compiled functions: they hold operations of rules in the place of the calls."""

import copy
import pickle
import weakref
from typing import Any

import pytest

from microgrid import Value, grad, jit, vmap
from microgrid.compiler.call import Call
from microgrid.compiler.projections import Projection
from microgrid.engine import graph


def cube(x: Any) -> Any:
    return x * x * x


def pickled(nest: Any) -> Any:
    return pickle.loads(pickle.dumps(nest))


@pytest.mark.parametrize("copying", [copy.deepcopy, pickled])
def test_graphs_with_calls_are_copied_as_operations(copying: Any) -> None:
    weight = Value(3.0, label="weight")
    inner = jit(lambda x: x * x)
    several = jit(lambda x, y: [inner(x) * weight, x * 1.0, y, 7.0, x])
    x = Value(2.0, label="x")
    first, second, number, constant, same = several(x * 1.0, 5.0)
    out = jit(cube)(first * second + inner(weight)) * same
    out.label = "out"
    out.backward()
    twin, leaf, other, *numbers = copying([out, x, weight, number, constant])
    assert numbers == [5.0, 7.0] and (twin.data, twin.grad, twin.label) == (out.data, 1.0, "out")
    assert not any(isinstance(node.op, Call | Projection) for node in graph.inner_nodes(twin))
    assert (leaf.grad, other.grad) == (x.grad, weight.grad)
    leaf.zero_grad()
    other.zero_grad()
    twin.backward(create_graph=True)
    assert (leaf.grad.data, other.grad.data) == (x.grad, weight.grad)
    out.backward()  # the original is what it was
    assert x.grad == 2 * leaf.grad.data


def test_copies_of_calls_share_what_their_originals_share() -> None:
    x = Value(2.0)
    first, second = jit(lambda x: [x * x, x**3])(x)
    call = jit(cube)(x)
    one, two, three, leaf, again, last = copy.deepcopy([first * call, second, call, x, second + 1, call + 1])
    assert again.parents[0] is two and one.parents[1] is last.parents[0] is three
    (one + two + again).backward()
    assert leaf.grad == 5 * 2.0**4 + 2 * 3 * 2.0**2 and x.grad == 0.0


@pytest.mark.parametrize("copying", [copy.deepcopy, pickled])
def test_results_keep_their_labels_and_gradients(copying: Any) -> None:
    _, result = jit(lambda x: [x * x, x**3])(Value(2.0))
    result.label = "result"
    (result * 3).backward()
    twin = copying(result)
    assert (twin.label, twin.data, twin.grad) == ("result", 8.0, 3.0)


def test_copies_of_many_calls_are_not_mistaken_for_one_another() -> None:
    xs = [Value(float(number)) for number in range(20)]
    jitted = jit(cube)
    twins = copy.deepcopy([jitted(x) * x for x in xs])
    assert [twin.data for twin in twins] == [x.data**4 for x in xs]
    for twin in twins:
        assert [node.data for node in graph.leaves(graph.inner_nodes(twin))] == [twin.data**0.25]


@pytest.mark.parametrize("copying", [copy.deepcopy, pickled])
def test_a_copy_has_the_numbers_of_the_call(copying: Any) -> None:
    weight, x = Value(3.0), Value(2.0)
    functions = (lambda x: x * weight, lambda x: [x, x * weight], lambda x: x if weight < 4 else 1.0)
    for function in functions:
        out = [jit(function)(x)]
        out = out[0] if isinstance(out[0], list) else out
        weight.data = 5.0
        twin, leaf = copying([out[-1], weight])
        weight.data = 3.0
        assert (twin.data, leaf.data) == (out[-1].data, 5.0)
        (twin * 2).backward(create_graph=True)
        out[-1].backward(2.0)
        assert weight.grad == getattr(leaf.grad, "data", leaf.grad)
        weight.zero_grad()


def test_nodes_of_replays_are_not_mistaken_for_later_ones() -> None:
    several, one = jit(lambda x, y, d: [d * 1, x * 1]), jit(lambda x, y: y + Value(2.0) * x)
    for _ in range(20):
        leaves = [Value(2.0), Value(2.0), Value(1.0)]
        results, twins = copy.deepcopy((several(*leaves), leaves))
        results[1].backward()
        assert [twin.grad for twin in twins] == [1.0, 0.0, 0.0]
        outs, twins = copy.deepcopy(([one(x, Value(3.0)) for x in leaves], leaves))
        for out in outs:
            out.backward()
        assert [twin.grad for twin in twins] == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("copying", [copy.deepcopy, pickled])
def test_operations_on_constants_are_copied_too(copying: Any) -> None:
    leaf, x = Value(2.0), Value(3.0)
    for function in (lambda x: x + leaf.detach() * 2, lambda x: x * (Value(1.0) + 1), lambda x: leaf.detach() * 2 + x):
        out = jit(function)(x)
        twin, other = copying([out, x])
        twin.backward()
        fixed, _ = copying([jit(lambda x: x.detach() * 2 + x)(x), x])
        assert fixed.data == 9.0
        assert twin.data == out.data and other.grad == function(Value(1.0)).data - function(Value(0.0)).data


@pytest.mark.parametrize("copying", [copy.deepcopy, pickled])
def test_rows_that_give_a_constant_are_copied_too(copying: Any) -> None:
    xs = [Value(2.0), Value(-1.0)]
    results, twins = copying((jit(vmap(lambda x: x * x if x > 0 else grad(lambda t: 3.0)(x)))(xs), xs))
    assert [result.data for result in results] == [4.0, 0.0]
    for result in results:
        result.backward()
    assert [twin.grad for twin in twins] == [4.0, 0.0]


def test_no_id_in_a_memo_is_given_to_another_node(monkeypatch: pytest.MonkeyPatch) -> None:
    written_out, made = graph.written_out, []

    def watched(nodes: Any, stands: Any) -> list[Value]:
        order = written_out(nodes, stands)
        made.extend([(id(node), weakref.ref(node)) for node in (*order, *stands.values())])
        return order

    monkeypatch.setattr(graph, "written_out", watched)
    x = Value(2.0)
    memo: dict[int, Any] = {}
    twin = copy.deepcopy(jit(lambda x: jit(cube)(x) * x)(x) + 1.0, memo)
    assert twin.data == 17.0 and len(made) > 5
    assert all(ref() is not None for key, ref in made if key in memo)
