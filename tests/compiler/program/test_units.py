"""Units: which lines stand in the block of a unit, which are left out where it is dead."""

from microgrid.compiler.program.units import with_sums, with_units

CHOICE = "d_b = d_a if b > 0.0 else 0.0"


def test_sums_are_in_the_blocks_of_their_units() -> None:
    terms = {"v": ["d_b * x"], "w": ["d_b * y", "d_b * z"], "u": ["d_b"], "t": [], "r": ["d_b * w"]}
    sums = {name: f"d_{name}" for name in "vwut"}
    assert with_sums([CHOICE], terms, sums, ["d_r.append(d_b * w)"]) == [
        CHOICE,
        "if d_b:",
        "    d_v += d_b * x",
        "    d_u += d_b",
        "d_w += d_b * y",
        "d_w += d_b * z",
        "d_r.append(d_b * w)",
    ]


def test_what_else_needs_an_adjoint_keeps_it_outside_of_the_block() -> None:
    choice = "d_b = d_a if b > 0.0 else 0.0"
    unit = ["gradient0 += d_b * x", "gradient1 += d_b"]
    block = ["if d_b:", *("    " + line for line in unit)]
    assert with_units(["d_a = g * w", choice, "d_c = d_b * v"], {"d_b": unit}) == [
        "d_a = g * w",
        choice,
        "d_c = d_b * v",
        *block,
    ]
    assert with_units([choice], {"d_b": unit, "": ["gradient2 += d_b"]}) == [choice, *block, "gradient2 += d_b"]
    leaky = "d_b = d_a if b > 0.0 else 0.1 * d_a"
    nested = "d_b = d_a if b > 0.0 else d_c if c > 0.0 else 0.0"
    for line in (leaky, nested):
        assert with_units([line], {"d_b": unit}) == [line, *block]


def test_an_amount_moves_into_the_block_that_alone_needs_it() -> None:
    choice, unit, other = "d_b = d_a if b > 0.0 else 0.0", ["gradient0 += d_b * x"], ["gradient2 += d_a"]
    block = ["if b > 0.0:", "    d_b = d_a", "    gradient0 += d_b * x"]
    moved = ["if b > 0.0:", "    d_b = g * w", "    gradient0 += d_b * x"]
    assert with_units(["d_a = g * w", choice], {"d_b": unit}) == moved
    assert with_units(["d_a = g * w", choice], {"d_b": unit, "": other}) == ["d_a = g * w", *block, *other]
    summed = ["d_a = g * w", "d_a = d_a + h * w"]
    assert with_units([*summed, choice], {"d_b": unit}) == [*summed, *block]
    assert with_units([choice], {"d_b": unit}) == block
