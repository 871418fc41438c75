"""What `data` may be."""

import pytest

from microgrid.training.samples import checked_samples


class Rows(list):
    """As an array of NumPy: rows that give their numbers away when asked."""

    def tolist(self):
        return [[float(x) for x in row] for row in self]


def test_pairs_of_an_input_and_a_target():
    assert checked_samples("fit", [Rows([[1], [2]]), (0, 1)]) == [([1.0], 0), ([2.0], 1)]


@pytest.mark.parametrize("data", [None, 3, "ab", ([[1.0]],), ([[1.0]], [1.0], [2.0]), ([[1.0]], 1.0)])
def test_what_is_no_pair(data):
    with pytest.raises(TypeError, match=r"^plot expects data to be a pair, the inputs and the targets, got "):
        checked_samples("plot", data)


@pytest.mark.parametrize("data", [([], []), ([[1.0]], [])])
def test_what_does_not_go_together(data):
    counts = f"{len(data[0])} and 0"
    with pytest.raises(ValueError, match=f"^plot expects as many inputs as targets, at least one, got {counts}$"):
        checked_samples("plot", data)
