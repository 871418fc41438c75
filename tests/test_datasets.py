"""Data sets: their points, and the same numbers for a seed on every Python."""

import itertools
import math
import random
import re

import pytest

from microgrid import datasets
from microgrid.datasets import (
    GATES,
    exam_scores,
    make_circles,
    make_moons,
    make_spirals,
    one_hot,
    parity,
    train_test_split,
    truth_table,
)

PLANE = [make_moons, make_circles, make_spirals]


@pytest.fixture(autouse=True)
def _module_random_as_it_was():
    state = random.getstate()
    yield
    random.setstate(state)


# Bits


def test_the_sixteen_gates_are_all_there_are():
    assert sorted(GATES.values()) == sorted(itertools.product((0, 1), repeat=4))


@pytest.mark.parametrize("name", GATES)
def test_a_gate_does_what_its_name_says(name):
    rows, targets = truth_table(name)
    assert rows == [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    assert all(type(x) is float for row in rows for x in row) and all(type(y) is int for y in targets)
    text = name.replace("xnor", "==").replace("xor", "!=")
    text = re.sub(r"a n(and|or) b", r"not (a \1 b)", text)
    constants = {"true": 1, "false": 0}
    assert targets == [int(eval(text, constants | {"a": int(a), "b": int(b)})) for a, b in rows]


@pytest.mark.parametrize("short", ["and", "or", "xor", "nand", "nor", "xnor"])
def test_short_names(short):
    assert truth_table(short) == truth_table(f"a {short} b")


def test_truth_tables_are_made_anew():
    truth_table("or")[0][0][0] = 5.0
    truth_table("or")[1][0] = 5
    assert truth_table("or") == ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 1])


def test_an_unknown_gate():
    with pytest.raises(ValueError, match=r"^no gate is called 'maybe'; try 'false', 'a and b', 'a and not b', 'a', "):
        truth_table("maybe")


def test_parity():
    assert parity(1) == ([[0.0], [1.0]], [0, 1])
    assert parity(2) == truth_table("xor")
    rows, targets = parity(5)
    assert rows == [[float(bit) for bit in f"{number:05b}"] for number in range(32)]
    assert targets == [number.bit_count() % 2 for number in range(32)]
    for wrong in (0, "a", 1.5):
        with pytest.raises(ValueError, match=rf"^parity expects at least 1 bit, got {wrong!r}$"):
            parity(wrong)


def test_exam_scores():
    exam_scores()[1].clear()
    assert exam_scores() == ([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]], [75, 82, 93])


# Points in the plane


def flat(rows):
    return [x for row in rows for x in row]


def test_moons_are_half_circles():
    rows, targets = make_moons(11, shuffle=False)
    assert targets == [0] * 5 + [1] * 6
    assert flat(rows[:3]) == pytest.approx([1.0, 0.0, 0.5**0.5, 0.5**0.5, 0.0, 1.0], abs=1e-15)
    assert flat(rows[4:6] + rows[-1:]) == pytest.approx([-1.0, 0.0, 0.0, 0.5, 2.0, 0.5], abs=1e-15)
    for (x, y), target in zip(rows, targets, strict=True):
        assert math.hypot(x - target, y - target / 2) == pytest.approx(1.0, rel=1e-15)
        assert (y <= 0.5) if target else (y >= 0)
    assert make_moons((3, 2), shuffle=False)[1] == [0, 0, 0, 1, 1]
    assert make_moons((1, 0)) == ([[1.0, 0.0]], [0])


def test_circles_are_evenly_spaced():
    rows, targets = make_circles((4, 3), shuffle=False, factor=0.25)
    assert targets == [0] * 4 + [1] * 3
    assert flat(rows[:4]) == pytest.approx([1, 0, 0, 1, -1, 0, 0, -1], abs=1e-15)
    height = 3**0.5 / 8
    assert flat(rows[4:]) == pytest.approx([0.25, 0, -0.125, height, -0.125, -height], abs=1e-15)
    assert math.hypot(*make_circles(2, shuffle=False)[0][1]) == 0.8


def test_spirals_wind_out_to_radius_one():
    rows, targets = make_spirals(40, shuffle=False, turns=2.0)
    assert targets == [0] * 20 + [1] * 20
    for place, ((x, y), (u, v)) in enumerate(zip(rows[:20], rows[20:], strict=True), 1):
        assert math.hypot(x, y) == pytest.approx(place / 20, rel=1e-15)
        assert (u, v) == pytest.approx((-x, -y), abs=1e-15)
        angle = math.tau * 2 * place / 20
        assert math.cos(math.atan2(y, x) - angle) == pytest.approx(1, rel=1e-15)
    assert make_spirals(8, shuffle=False) == make_spirals(8, shuffle=False, turns=1.5)


@pytest.mark.parametrize("make", PLANE)
def test_shuffling_keeps_each_point_with_its_class(make):
    rows, targets = make(50, shuffle=False)
    mixed, classes = make(50, rng=0)
    assert mixed != rows and classes != targets
    assert sorted(zip(mixed, classes, strict=True)) == sorted(zip(rows, targets, strict=True))


@pytest.mark.parametrize("make", PLANE)
def test_noise_is_added_to_every_coordinate(make):
    plain, _ = make(4000, shuffle=False)
    noisy, _ = make(4000, shuffle=False, noise=0.25, rng=1)
    added = [x - y for x, y in zip(flat(noisy), flat(plain), strict=True)]
    assert len({*added}) == 8000
    assert sum(added) / 8000 == pytest.approx(0, abs=5 * 0.25 / 8000**0.5)
    assert math.hypot(*added) / 8000**0.5 == pytest.approx(0.25, rel=5 / 16000**0.5)
    assert make(6, noise=0.0, shuffle=False) == make(6, shuffle=False)


RECORDED = {
    make_moons: [
        *[1.0230800785099559, -0.05391818790332351, 0.1102286832953886, 0.5280880468804181, 1.1753307891894125],
        *[-0.48463061045805533, 2.0314178443689066, 0.6083396201242491, -1.035184208828063, 0.1189323929498453],
    ],
    make_circles: [
        *[1.0230800785099559, -0.05391818790332351, 0.9102286832953886, 0.02808804688041805, -0.22466921081058733],
        *[0.7081897125694957, -0.36858215563109364, -0.5844807029033015, -1.035184208828063, 0.1189323929498453],
    ],
    make_spirals: [
        *[0.02308007850995583, -0.5539181879033235, 0.4435620166287219, 0.028088046880417966, -0.4913358774772541],
        *[0.015369389541944898, 1.0314178443689066, 0.10833962012424872, -1.035184208828063, 0.11893239294984553],
    ],
}


@pytest.mark.parametrize("make", PLANE)
def test_recorded_points(make):
    rows, targets = make(5, noise=0.1, rng=3)
    assert flat(rows) == pytest.approx(RECORDED[make], rel=1e-14)  # the last bit of a sine is the machine's
    assert targets == [0, 1, 1, 1, 0]


@pytest.mark.parametrize("make", PLANE)
def test_sources_of_random_numbers(make):
    expected = make(9, noise=0.1, rng=7)
    source = random.Random(7)
    assert make(9, noise=0.1, rng=source) == expected != make(9, noise=0.1, rng=source)
    random.seed(7)
    assert make(9, noise=0.1) == expected
    assert [type(part) for part in expected] == [list, list]
    assert {type(x) for x in flat(expected[0])} == {float} and {type(y) for y in expected[1]} == {int}


@pytest.mark.parametrize("make", PLANE)
def test_bad_options(make):
    name = make.__name__
    for wrong in (-1, (1, 2, 3), (1, -1), (1.5, 2), 1.5, None, "ab"):
        message = f"{name} expects n_samples to be one or two numbers of at least 0, got {wrong!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            make(wrong)
    for wrong in (-0.1, math.nan, "a"):
        with pytest.raises(ValueError, match=rf"^{name} expects noise of at least 0, got {wrong!r}$"):
            make(noise=wrong)


@pytest.mark.parametrize("factor", [-0.1, 1.0, math.nan, "a"])
def test_the_inner_circle_is_inside(factor):
    with pytest.raises(ValueError, match=rf"^make_circles expects factor of at least 0 and below 1, got {factor!r}$"):
        make_circles(factor=factor)


def test_turns_are_a_number():
    with pytest.raises(ValueError, match=r"^make_spirals expects turns to be a number, got 'a'$"):
        make_spirals(turns="a")


# Preparing


def test_one_hot():
    assert one_hot([2, 0]) == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert one_hot((1,), 3) == [[0.0, 1.0, 0.0]]
    assert one_hot(2, 3) == [0.0, 0.0, 1.0] == one_hot(2)
    assert one_hot([], 3) == []
    assert type(one_hot(0)[0]) is float


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1.0],), TypeError, "one_hot expects indices of classes, got [0, 1.0]"),
        (("ab",), TypeError, "one_hot expects indices of classes, got 'ab'"),
        ((None,), TypeError, "one_hot expects indices of classes, got None"),
        (([0, -1],), ValueError, "one_hot expects classes from 0 to 0, got -1"),
        (([0, 2], 2), ValueError, "one_hot expects classes from 0 to 1, got 2"),
        (([],), ValueError, "one_hot expects num_classes if there are no targets"),
    ],
)
def test_what_is_no_class(arguments, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        one_hot(*arguments)


@pytest.mark.parametrize(
    ("count", "options", "sizes"),
    [
        (8, {}, (6, 2)),
        (10, {}, (7, 3)),
        (10, {"test_size": 0.25}, (7, 3)),
        (10, {"test_size": 4}, (6, 4)),
        (10, {"train_size": 0.25}, (2, 8)),
        (10, {"train_size": 4}, (4, 6)),
        (10, {"train_size": 4, "test_size": 0.5}, (4, 5)),
        (10, {"train_size": 0.6, "test_size": 2}, (6, 2)),
    ],
)
@pytest.mark.parametrize("shuffle", [True, False])
def test_sizes_of_a_split(count, options, sizes, shuffle):
    rows = [[float(i)] for i in range(count)]
    train, test, train_targets, test_targets = train_test_split(
        rows, tuple(range(count)), rng=5, shuffle=shuffle, **options
    )
    assert (len(train), len(test)) == sizes
    assert [[float(i)] for i in train_targets] == train and [[float(i)] for i in test_targets] == test
    drawn = train_targets + test_targets
    assert len({*drawn}) == len(drawn)
    assert (drawn == list(range(sum(sizes)))) is not shuffle
    if len(drawn) == count:
        assert sorted(drawn) == list(range(count))


def test_a_recorded_split():
    assert train_test_split(list(range(8)), rng=2) == [[5, 3, 4, 1, 2, 6], [7, 0]]
    random.seed(2)
    assert train_test_split(range(8)) == [[5, 3, 4, 1, 2, 6], [7, 0]]


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ([], {}, "train_test_split expects sequences of equal length, at least one, got lengths []"),
        ([[1, 2], [1]], {}, "train_test_split expects sequences of equal length, at least one, got lengths [2, 1]"),
        ([[1]], {}, "train_test_split cannot split 1 samples into 0 and 1, at least 1 each"),
        ([[1, 2]], {"test_size": 2}, "train_test_split cannot split 2 samples into 0 and 2, at least 1 each"),
        ([[1, 2]], {"train_size": 2}, "train_test_split cannot split 2 samples into 2 and 0, at least 1 each"),
        ([[1, 2]], {"train_size": 1, "test_size": 2}, "train_test_split cannot split 2 samples into 1 and 2, at least"),
        ([[1, 2]], {"test_size": 0}, "train_test_split cannot split 2 samples into 2 and 0, at least 1 each"),
        ([[1, 2]], {"test_size": 1.5}, "train_test_split expects test_size to be whole or between 0 and 1, got 1.5"),
        (
            [[1, 2]],
            {"train_size": math.nan},
            "train_test_split expects train_size to be whole or between 0 and 1, got n",
        ),
        ([[1, 2]], {"train_size": "1"}, "train_test_split expects train_size to be whole or between 0 and 1, got '1'"),
    ],
)
def test_what_cannot_be_split(arrays, options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        train_test_split(*arrays, **options)


def test_helpers_need_no_random_numbers():
    state = random.getstate()
    truth_table("or"), parity(3), exam_scores(), one_hot(2), datasets.bits(2)
    make_moons(4, shuffle=False), train_test_split([1, 2], shuffle=False)
    assert random.getstate() == state
