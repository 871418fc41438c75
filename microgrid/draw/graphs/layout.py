"""A layered layout for directed acyclic graphs, drawn from left to right: where boxes stand, and how edges run.

This module knows boxes by their sizes only. It follows Sugiyama, Tagawa and Toda: every box gets a layer, an edge that
spans several layers gets a waypoint in each, boxes are reordered within the layers to reduce crossings, and coordinates
come last. All edges that leave a box share one line for as long as they run together.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import groupby

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Point = tuple[float, float]

PATIENCE = 4  # sweeps without fewer crossings before it gives up
ROUNDS = 12  # of alignment; further ones change little
STRAIGHT = 8.0  # the pull of a line between two waypoints, relative to one between two boxes
WAYPOINT_HEIGHT = 6.0


class Layout:
    """The coordinates of boxes and edges.

    Attributes:
        layers: the layer of each box, from 0 at the left.
        positions: the upper left corner of each box.
        routes: for each edge the points that it passes, the first at its source, the last at its target; the line is
            horizontal wherever two neighbours have the same height.
        width, height: the size of the drawing.
        crossings: the count of crossings between lines.
    """

    def __init__(self, sizes: Sequence[Point], edges: Sequence[tuple[int, int]], *, gap: float, spacing: float) -> None:
        self.sizes, self.edges, self.gap, self.spacing = sizes, edges, gap, spacing
        self.layers = assign_layers(len(sizes), edges)
        self.columns: list[list[int]] = [[] for _ in range(max(self.layers, default=-1) + 1)]
        self.via: dict[tuple[int, int], int] = {}  # the waypoint, by box and layer, of the line that leaves the box
        self.before: list[list[int]] = [[] for _ in sizes]  # neighbours in the layer to the left
        self.after: list[list[int]] = [[] for _ in sizes]
        self._connect()
        self.crossings = self._reduce_crossings()
        self.centres = self._align()
        self._place()

    def _connect(self) -> None:
        """Put boxes and waypoints into columns, ordered by `first_visits`, and connect neighbours."""
        rank = first_visits(len(self.sizes), self.edges)
        for box in sorted(range(len(self.sizes)), key=rank.__getitem__):
            self.columns[self.layers[box]].append(box)
        for source, target in sorted(set(self.edges), key=lambda edge: (rank[edge[1]], rank[edge[0]])):
            last = source
            for layer in range(self.layers[source] + 1, self.layers[target]):
                waypoint = self.via.get((source, layer))
                if waypoint is None:
                    waypoint = self.via[source, layer] = len(self.before)
                    self.before.append([last])
                    self.after.append([])
                    self.after[last].append(waypoint)
                    self.columns[layer].append(waypoint)
                last = waypoint
            self.after[last].append(target)
            self.before[target].append(last)

    # Order within the layers

    def _reduce_crossings(self) -> int:
        """Order each column to reduce crossings, and return how many are left."""
        best, columns, idle = self.count_crossings(), [list(column) for column in self.columns], 0
        forward = False
        while best and idle < PATIENCE:
            forward = not forward
            indices = range(1, len(self.columns)) if forward else range(len(self.columns) - 2, -1, -1)
            for index in indices:
                self._order_by_neighbours(index, self.before if forward else self.after, -1 if forward else 1)
            self._swap_neighbours()
            crossings, idle = self.count_crossings(), idle + 1
            if crossings < best:
                best, columns, idle = crossings, [list(column) for column in self.columns], 0
        self.columns = columns
        return best

    def _order_by_neighbours(self, index: int, neighbours: Sequence[list[int]], side: int) -> None:
        """Sort a column by the mean position of the neighbours; a box without neighbours stays where it is."""
        place = {vertex: order for order, vertex in enumerate(self.columns[index + side])}
        column = self.columns[index]
        moving = [vertex for vertex in column if neighbours[vertex]]
        mean = {v: sum(place[other] for other in neighbours[v]) / len(neighbours[v]) for v in moving}
        ordered = iter(sorted(moving, key=mean.__getitem__))
        self.columns[index] = [next(ordered) if neighbours[vertex] else vertex for vertex in column]

    def _swap_neighbours(self) -> None:
        """Swap neighbours in a column where that reduces crossings."""
        for index, column in enumerate(self.columns):
            sides = [
                (neighbours, {vertex: order for order, vertex in enumerate(self.columns[index + side])})
                for neighbours, side in ((self.before, -1), (self.after, 1))
                if 0 <= index + side < len(self.columns)
            ]
            places = {v: [sorted(place[o] for o in neighbours[v]) for neighbours, place in sides] for v in column}
            for i in range(len(column) - 1):
                upper, lower = places[column[i]], places[column[i + 1]]
                pairs = list(zip(upper, lower, strict=True))
                if sum(inversions(a, b) for a, b in pairs) > sum(inversions(b, a) for a, b in pairs):
                    column[i], column[i + 1] = column[i + 1], column[i]

    def count_crossings(self) -> int:
        """Return the count of crossings in the current order."""
        total = 0
        for left, right in zip(self.columns, self.columns[1:], strict=False):
            place = {vertex: order for order, vertex in enumerate(right)}
            ends: list[int] = []
            for vertex in left:
                own = sorted(place[other] for other in self.after[vertex])
                total += inversions(ends, own)
                for end in own:
                    insort(ends, end)
        return total

    # Coordinates

    def _height(self, vertex: int) -> float:
        return self.sizes[vertex][1] if vertex < len(self.sizes) else WAYPOINT_HEIGHT

    def _pull(self, vertex: int, other: int, facing: Sequence[list[int]]) -> float:
        """Return the pull of the line to `other`: the fewer lines, the stronger, so that chains become straight."""
        waypoints = (vertex >= len(self.sizes)) + (other >= len(self.sizes))
        return (1.0, 2.0, STRAIGHT)[waypoints] / len(facing[other])

    def _align(self) -> list[float]:
        """Return the vertical centre of every box and waypoint: near its neighbours, without overlaps."""
        centres = [0.0] * len(self.before)
        for sweep in range(2 * ROUNDS):
            sides = (self.before, self.after) if sweep > ROUNDS else (self.before,) if sweep % 2 else (self.after,)
            columns = self.columns if sweep % 2 else self.columns[::-1]
            for column in columns:
                for vertex, centre in zip(column, self._spread(column, sides, centres), strict=True):
                    centres[vertex] = centre
        top = min((centres[v] - self._height(v) / 2 for v in range(len(centres))), default=0.0)
        return [centre - top for centre in centres]

    def _spread(self, column: Sequence[int], sides: Iterable[list[list[int]]], centres: Sequence[float]) -> list[float]:
        """Return the centres in a column: as near to where the lines pull as the spacing allows."""
        wishes, weights, offsets, offset = [], [], [], 0.0
        for above, vertex in zip((None, *column), column, strict=False):
            if above is not None:
                offset += (self._height(above) + self._height(vertex)) / 2 + self.spacing
            pulls = [
                (self._pull(vertex, other, self.after if neighbours is self.before else self.before), centres[other])
                for neighbours in sides
                for other in neighbours[vertex]
            ]
            weight = sum(pull for pull, _ in pulls)
            wish = sum(pull * centre for pull, centre in pulls) / weight if pulls else centres[vertex]
            wishes.append(wish - offset)
            weights.append(weight or 0.1)
            offsets.append(offset)
        return [rise + offset for rise, offset in zip(ascending(wishes, weights), offsets, strict=True)]

    def _place(self) -> None:
        """Set `positions`, `routes` and the size of the drawing."""
        widths = [max(self.sizes[v][0] for v in column if v < len(self.sizes)) for column in self.columns]
        left, lefts = 0.0, []
        for column, width in zip(self.columns, widths, strict=True):
            lefts.append(left)
            left += width + self._gap_after(column)
        self.width = lefts[-1] + widths[-1] if lefts else 0.0
        self.height = max((self.centres[v] + self._height(v) / 2 for v in range(len(self.centres))), default=0.0)
        self.positions = [
            (lefts[layer] + (widths[layer] - width) / 2, self.centres[box] - height / 2)
            for box, ((width, height), layer) in enumerate(zip(self.sizes, self.layers, strict=True))
        ]
        spans = list(zip(lefts, widths, strict=True))
        ports = self._ports()
        self.routes = [self._route(edge, spans, port) for edge, port in zip(self.edges, ports, strict=True)]

    def _gap_after(self, column: Sequence[int]) -> float:
        """Return the gap to the right of a column: wider if lines climb far, so that they are not too steep."""
        climbs = [abs(self.centres[vertex] - self.centres[other]) for vertex in column for other in self.after[vertex]]
        return self.gap + min(0.2 * max(climbs, default=0.0), 2 * self.gap)

    def _last_before(self, source: int, target: int) -> int:
        return self.via.get((source, self.layers[target] - 1), source)

    def _ports(self) -> list[float]:
        """Return for each edge the height at which it arrives: edges from above arrive higher."""
        arriving: dict[int, list[int]] = {}
        for index, (_, target) in enumerate(self.edges):
            arriving.setdefault(target, []).append(index)
        ports = [0.0] * len(self.edges)
        for target, indices in arriving.items():
            indices.sort(key=lambda index: self.centres[self._last_before(*self.edges[index])])
            step = min(9.0, (self.sizes[target][1] - 12) / max(len(indices) - 1, 1))
            for order, index in enumerate(indices):
                ports[index] = self.centres[target] + (order - (len(indices) - 1) / 2) * step
        return ports

    def _route(self, edge: tuple[int, int], spans: Sequence[Point], port: float) -> list[Point]:
        source, target = edge
        x, y = self.positions[source][0] + self.sizes[source][0], self.centres[source]
        points = [(x, y), (sum(spans[self.layers[source]]), y)]
        for layer in range(self.layers[source] + 1, self.layers[target]):
            (left, width), y = spans[layer], self.centres[self.via[source, layer]]
            points += [(left, y), (left + width, y)]
        points += [(spans[self.layers[target]][0], port), (self.positions[target][0], port)]
        return [point for point, _ in groupby(points)]


def assign_layers(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """Return a layer for each of `count` boxes; every edge leads to a higher one. Boxes are as far right as edges
    allow, except that a box with more edges in than out is as far left as they allow.

    Raises:
        ValueError: if an edge does not lead from a lower to a higher index.

    >>> assign_layers(4, [(0, 2), (1, 3), (2, 3)])
    [0, 1, 1, 2]
    """
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        if not 0 <= source < target < count:
            raise ValueError(f"expected edges from a lower to a higher index below {count}, got {source} to {target}")
        sources[target].append(source)
        targets[source].append(target)
    distance = [0] * count  # to the last layer
    for box in reversed(range(count)):
        distance[box] = max((distance[target] + 1 for target in targets[box]), default=0)
    layers = [max(distance, default=0) - far for far in distance]
    for box in range(count):
        if len(sources[box]) > len(targets[box]) > 0:
            layers[box] = max(layers[source] for source in sources[box]) + 1
    return layers


def first_visits(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """Return the turn of each of `count` boxes in a depth-first walk from the last ones against the edges, in order.

    >>> first_visits(4, [(1, 3), (0, 3), (2, 3)])
    [2, 1, 3, 0]
    """
    sources: list[list[int]] = [[] for _ in range(count)]
    ends = dict.fromkeys(range(count))
    for source, target in edges:
        sources[target].append(source)
        ends.pop(source, None)
    visits: dict[int, int] = {}
    stack = list(ends)
    while stack:
        box = stack.pop()
        if box not in visits:
            visits[box] = len(visits)
            stack += reversed(sources[box])
    return [visits[box] for box in range(count)]


def inversions(first: Sequence[int], second: Iterable[int]) -> int:
    """Return how many pairs of a number in `first`, which is sorted, and a smaller one in `second` there are."""
    return sum(len(first) - bisect_right(first, end) for end in second)


def ascending(wishes: Iterable[float], weights: Iterable[float]) -> list[float]:
    """Return the ascending numbers nearest to `wishes` by weighted least squares.

    >>> ascending([1.0, 4.0, 2.0, 5.0], [1.0, 1.0, 1.0, 1.0])
    [1.0, 3.0, 3.0, 5.0]
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight and size of each run of equal numbers
    for wish, own in zip(wishes, weights, strict=True):
        mean, weight, size = wish, own, 1
        while blocks and blocks[-1][0] > mean:
            other, pull, more = blocks.pop()
            mean = (mean * weight + other * pull) / (weight + pull)
            weight, size = weight + pull, size + more
        blocks.append((mean, weight, size))
    return [mean for mean, _, size in blocks for _ in range(size)]
