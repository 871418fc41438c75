"""`Embedding`: the rows of a table."""

import random

import pytest

from microgrid import Value
from microgrid.nn import Embedding, Layer, Sequential


def test_rows():
    table = Embedding(4, 2, rng=0)
    assert [name for name, _ in table.named_parameters()] == [f"weight.{i}.{j}" for i in range(4) for j in range(2)]
    row = table(2)
    assert row == table.weight[2] and row is not table.weight[2]
    assert all(x is y for x, y in zip(row, table.weight[2], strict=True))
    (row[0] * 3 + table(0)[1]).backward()
    assert [[x.grad for x in row] for row in table.weight] == [[0.0, 1.0], [0.0, 0.0], [3.0, 0.0], [0.0, 0.0]]


def test_first_numbers():
    source = random.Random(7)
    expected = [source.normalvariate(0.0, 1.0) for _ in range(6)]
    assert [p.data for p in Embedding(3, 2, rng=7).parameters()] == expected
    assert [p.data for p in Embedding(2, 2, init="constant").parameters()] == [1.0] * 4
    fans = Embedding(5, 3, init=lambda rng, fan_in, fan_out: 10 * fan_in + fan_out)
    assert {p.data for p in fans.parameters()} == {53.0}


def test_what_is_no_index():
    table = Embedding(4, 2)
    for index in (-1, 4):
        with pytest.raises(IndexError, match=rf"^Embedding\(4, 2\) expects an index from 0 to 3, got {index}$"):
            table(index)
    for index, got in ((1.0, "float 1.0"), ("a", "str 'a'"), (Value(1.0), r"Value Value\(data=1.0, grad=0.0\)")):
        with pytest.raises(TypeError, match=rf"^Embedding\(4, 2\) expects the index of a row, got {got}$"):
            table(index)
    for sizes, name in (((0, 1), "num_embeddings"), ((1, 0), "embedding_dim")):
        with pytest.raises(ValueError, match=f"^Embedding expects {name} of at least 1, got 0$"):
            Embedding(*sizes)


def test_first_in_a_sequence():
    table, layer = Embedding(4, 3, rng=0), Layer(3, 2, rng=0)
    assert [x.data for x in Sequential(table, layer)(1)] == [x.data for x in layer(table.weight[1])]
