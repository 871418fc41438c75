"""Projections: what each of several results adds to the derivatives of the one node that has them all."""

from microgrid import Value, jit
from microgrid.compiler.projections import Seeds


def test_seeds_add_up_by_index() -> None:
    total = 0.0 + Seeds({0: 1.0, 1: 2.0}) + Seeds({1: 3.0, 2: 4.0})
    assert total.by_index == {0: 1.0, 1: 5.0, 2: 4.0}
    assert (total + 0.0) is total


def test_recorded_gradients_of_one_of_several_results() -> None:
    first, _ = jit(lambda x: [x * 2, x * 3])(Value(1.0))
    (first * first).backward(create_graph=True)
    assert first.grad.data == 4.0
