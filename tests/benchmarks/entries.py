"""The lines of the benchmark's table: who was measured, with what result, and what is claimed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Claim:
    """What we say of a figure: that it is `"at least"` or `"at most"` the bound."""

    relation: str
    bound: float
    unit: str

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}{self.unit}"

    def holds(self, figure: float) -> bool:
        """Return whether it is so."""
        return figure >= self.bound if self.relation == "at least" else figure <= self.bound


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    Args:
        contestant: who or what was measured.
        result: the measurement as text, or why there is none.
        ratio: how many times the first result of the case it is.
        claim: what we say of it.
        figure: the number that the claim speaks of; None if it could not be measured.
    """

    contestant: str
    result: str
    ratio: float | None = None
    claim: Claim | None = None
    figure: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the claim is met, as text; empty if there is none."""
        if self.claim is None:
            return ""
        if self.figure is None:
            return "not measured"
        return "yes" if self.claim.holds(self.figure) else "NO"


@dataclass(frozen=True)
class Case:
    """A question that is put to some contestants.

    Args:
        title: what is measured.
        claim: what we say of the answer, if anything.
        measure: returns the entries, given the claim and a number of repeats.
        repeats: how many samples are taken, with and without `--quick`.
    """

    title: str
    claim: Claim | None
    measure: Callable[[Any, int], Iterator[Entry]]
    repeats: tuple[int, int]

    def entries(self, quick: bool) -> list[Entry]:
        """Return what was measured."""
        return list(self.measure(self.claim, self.repeats[0 if quick else 1]))


def duration(seconds: float) -> str:
    """Return `seconds` with three digits, in a unit that suits them."""
    scale, unit = next((pair for pair in ((1, "s"), (1e3, "ms"), (1e6, "µs")) if seconds * pair[0] >= 1), (1e9, "ns"))
    return f"{seconds * scale:.3g} {unit}" if seconds * scale < 1000 else f"{seconds * scale:.0f} {unit}"


def beside(
    peers: Mapping[str, Claim | None], found: Mapping[str, float], ours: float, shown: Callable[[float], str] = duration
) -> Iterator[Entry]:
    """Yield a line for each of `peers`: its figure among those `found`, over `ours`, or that it is missing.

    Args:
        peers: for each what we say of the ratio, if anything.
        found: the figures of those that are installed.
        ours: the figure that they are compared with.
        shown: the text of a figure.
    """
    for peer, claim in peers.items():
        if peer in found:
            ratio = found[peer] / ours
            yield Entry(peer, shown(found[peer]), ratio, claim, ratio)
        else:
            yield Entry(peer, "missing", claim=claim)


def saved(
    figures: Mapping[str, float], *claims: Claim | None, shown: Callable[[float], str] = duration
) -> Iterator[Entry]:
    """Yield a line for each of `figures`, all but the first compared with that.

    Args:
        figures: what was measured, by name.
        claims: for each of them but the first what we say of how many times less it is.
        shown: the text of a figure.
    """
    (name, most), *others = figures.items()
    yield Entry(name, shown(most), 1)
    for (name, figure), claim in zip(others, claims, strict=True):
        yield Entry(name, shown(figure), figure / most, claim, most / figure)
