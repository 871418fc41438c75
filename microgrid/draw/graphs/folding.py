"""Folding a graph that is too large to draw: which of its items share a box."""

from __future__ import annotations

from itertools import islice

from microgrid.draw.graphs.sketch import CONSTANT, OPERATION, Sketch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def fold(sketch: Sketch, limit: int) -> list[list[int]]:
    """Return the items in at most `limit` groups, one per box, each after the groups it depends on.

    First, leaves that are operands of the same operations form groups. If that is not enough, the groups nearest to the
    root are kept, each only if all its uses are; the others are merged, by the kept groups that use them.
    """
    count = len(sketch.items)
    if count <= limit:
        return [[index] for index in range(count)]
    uses: list[list[int]] = [[] for _ in range(count)]
    for source, target in sketch.edges:
        uses[source].append(target)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for index in range(count):
        kind = sketch.kind(index)
        alike.setdefault((kind, index if kind in (OPERATION, CONSTANT) else tuple(uses[index])), []).append(index)
    groups = list(alike.values())
    return groups if len(groups) <= limit else nearest(sketch, groups, limit)


def nearest(sketch: Sketch, groups: list[list[int]], limit: int) -> list[list[int]]:
    """Return the `groups` nearest to the root, and before them the others, merged."""
    group_of = [0] * len(sketch.items)
    for place, group in enumerate(groups):
        for index in group:
            group_of[index] = place
    links = sorted({(group_of[source], group_of[target]) for source, target in sketch.edges})
    sources: list[list[int]] = [[] for _ in groups]
    waiting = [0] * len(groups)
    for source, target in links:
        sources[target].append(source)
        waiting[source] += 1
    ready = [group_of[-1]]
    kept: set[int] = set()
    room = max(limit * 3 // 4, 1)  # leaves some of the limit, which is at least 2, for merged groups
    for place in islice(ready, room):  # it grows during the loop
        kept.add(place)
        for source in sources[place]:
            waiting[source] -= 1
            if not waiting[source]:
                ready.append(source)
    rest = parts_by_use(links, len(groups), kept)
    if len(rest) + len(kept) > limit:
        rest = [[place for part in rest for place in part]]
    gathered = [[index for place in sorted(part) for index in groups[place]] for part in rest]
    return gathered + [groups[place] for place in sorted(kept)]


def parts_by_use(links: Sequence[tuple[int, int]], count: int, kept: set[int]) -> list[list[int]]:
    """Return the groups that are not kept, merged if they are connected, or used by the same kept ones."""
    leader = list(range(count))

    def find(group: int) -> int:
        while leader[group] != group:
            leader[group] = leader[leader[group]]
            group = leader[group]
        return group

    users: dict[int, set[int]] = {}
    for source, target in links:
        if source not in kept and target not in kept:
            leader[find(source)] = find(target)
    for source, target in links:
        if source not in kept and target in kept:
            users.setdefault(find(source), set()).add(target)
    parts: dict[frozenset[int], list[int]] = {}
    for group in range(count):
        if group not in kept:
            parts.setdefault(frozenset(users[find(group)]), []).append(group)
    return list(parts.values())
