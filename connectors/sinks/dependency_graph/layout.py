"""A layered drawing of a directed graph: who needs stands left of what it needs.

The four steps of K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Transactions on Systems, Man, and Cybernetics 11 (1981): cycles are cut (at the back edges of a
depth-first search), nodes are put into layers (by the longest path, so that edges lead to the right), each layer is
ordered by the barycentres of its neighbours, and places are given. Ordering two layers with the fewest crossings is
NP-hard; sweeps of a barycentre or median stay close (P. Eades and N. Wormald, "Edge crossings in drawings of bipartite
graphs", Algorithmica 11 (1994)). Places within a layer minimise the squared distance to the neighbours' mean under the
given order and spacing, which is isotonic regression, solved by pooling adjacent violators.

A layer of very many boxes (SBOMs of devices are often flat lists) passes some that lead nowhere on to the next, which
keeps the drawing from becoming a ribbon; E. Coffman and R. Graham bounded the width of layers first (1972).

Edges over several layers to the same target share one lane of dummies, and so do those from one source to targets that
nothing else needs. There are never more dummies than nodes times layers, and a sweep takes O(n log n).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

BOX_HEIGHT = 26.0
BOX_GAP = 9.0
LANE_HEIGHT = 5.0
MOST_IN_LAYER = 36
_MOVED_TOGETHER = 8
_END = -1
_ORDERING_SWEEPS = 12
_PLACING_SWEEPS = 10


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of nodes and of lanes; y is of the middle, in CSS pixels, from 0 downwards.

    Attributes
    ----------
    layers
        Column of each node, from 0 at the left.
    y
        Of each node.
    lanes
        Target and layer -> y of the place at which edges to that target pass that layer; targets may share one.
    height
        Lower end of the lowest box.
    """

    layers: Sequence[int]
    y: Sequence[float]
    lanes: Mapping[tuple[int, int], float]
    height: float

    def route(self, source: int, target: int) -> list[float]:
        """The y at each layer between the two, from left to right; empty for neighbours and for backward edges."""
        return [self.lanes[target, layer] for layer in range(self.layers[source] + 1, self.layers[target])]


def lay_out(count: int, edges: Sequence[tuple[int, int]]) -> Layout:
    """Place `count` nodes; the same input gives the same places.

    Parameters
    ----------
    edges
        Source and target; those of a cycle that had to be cut lead to the left.
    """
    if not count:
        return Layout((), (), {}, 0.0)
    layers = _wrapped(_layers(count, edges), edges)
    items, links = _with_lanes(layers, edges)
    columns = _ordered(_columns(count, layers, items), links)
    places = _placed(columns, links, count)
    top = min(y - _height(item, count) / 2 for item, y in places.items())
    places = {item: y - top for item, y in places.items()}
    return Layout(
        layers,
        [places[node] for node in range(count)],
        {lane: places[item] for lane, item in items.items()},
        max(y + _height(item, count) / 2 for item, y in places.items()),
    )


def _layers(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """Longest path from any source, back edges of a depth-first search left out."""
    needs: list[list[int]] = [[] for _ in range(count)]
    entered = [False] * count
    for source, target in edges:
        needs[source].append(target)
        entered[target] = True
    unseen, open_, done = 0, 1, 2
    state = [unseen] * count
    finished: list[int] = []
    forward: list[list[int]] = [[] for _ in range(count)]
    for start in sorted(range(count), key=lambda node: entered[node]):
        if state[start] != unseen:
            continue
        state[start] = open_
        stack = [(start, iter(needs[start]))]
        while stack:
            node, rest = stack[-1]
            target = next(rest, _END)
            if target == _END:
                state[node] = done
                finished.append(node)
                stack.pop()
            elif state[target] != open_:
                forward[node].append(target)
                if state[target] == unseen:
                    state[target] = open_
                    stack.append((target, iter(needs[target])))
    layers = [0] * count
    for node in reversed(finished):
        for target in forward[node]:
            layers[target] = max(layers[target], layers[node] + 1)
    return layers


def _wrapped(layers: list[int], edges: Iterable[tuple[int, int]]) -> list[int]:
    """With what is too much for one layer moved on to the next: many that the same node needs and that need nothing."""
    wrapped = list(layers)
    forward = [(source, target) for source, target in edges if layers[source] < layers[target]]
    sources: dict[int, list[int]] = {}
    for source, target in forward:
        sources.setdefault(target, []).append(source)
    leading_on = {source for source, _ in forward}
    members: dict[int, list[int]] = {}
    for node, layer in enumerate(layers):
        members.setdefault(layer, []).append(node)
    layer = 0
    while layer in members:
        excess = len(members[layer]) - MOST_IN_LAYER
        leaves: dict[tuple[int, ...], list[int]] = {}
        for node in members[layer]:
            if node not in leading_on and len(sources.get(node, ())) < 2:
                leaves.setdefault(tuple(sources.get(node, ())), []).append(node)
        movable = [node for group in leaves.values() if len(group) >= _MOVED_TOGETHER for node in group]
        for node in movable[-excess:] if excess > 0 else ():
            wrapped[node] = layer + 1
            members.setdefault(layer + 1, []).append(node)
        layer += 1
    return wrapped


def _with_lanes(
    layers: Sequence[int], edges: Iterable[tuple[int, int]]
) -> tuple[dict[tuple[int, int], int], list[tuple[int, int]]]:
    """Lanes as further items after the nodes, and the links between items of neighbouring layers."""
    sources: dict[int, list[int]] = {}
    for source, target in edges:
        if layers[source] < layers[target]:
            sources.setdefault(target, []).append(source)
    shared: dict[tuple[bool, int, int], int] = {}
    items: dict[tuple[int, int], int] = {}
    links: dict[tuple[int, int], None] = {}
    for target, needed_by in sources.items():
        alone = len(needed_by) == 1
        for layer in range(min(layers[source] for source in needed_by) + 1, layers[target]):
            lane = (alone, needed_by[0] if alone else target, layer)
            items[target, layer] = shared.setdefault(lane, len(layers) + len(shared))
        for source in needed_by:
            steps = [items[target, layer] for layer in range(layers[source] + 1, layers[target])]
            links |= dict.fromkeys(pairwise([source, *steps, target]))
    return items, list(links)


def _columns(count: int, layers: Sequence[int], items: Mapping[tuple[int, int], int]) -> list[list[int]]:
    columns: list[list[int]] = [[] for _ in range(max(layers) + 1)]
    for node in range(count):
        columns[layers[node]].append(node)
    lanes: list[dict[int, None]] = [{} for _ in columns]
    for (_, layer), item in items.items():
        lanes[layer][item] = None
    for column, passing in zip(columns, lanes, strict=True):
        middle = len(column) // 2  # the best place for a lane that leads to many, when nothing else speaks for any
        column[middle:middle] = passing
    return columns


def _neighbours(links: Iterable[tuple[int, int]]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    left: dict[int, list[int]] = {}
    right: dict[int, list[int]] = {}
    for source, target in links:
        right.setdefault(source, []).append(target)
        left.setdefault(target, []).append(source)
    return left, right


def _ordered(columns: list[list[int]], links: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The order with the fewest crossings that sweeps to the right and to the left came by."""
    left, right = _neighbours(links)
    best, fewest = columns, _crossings(columns, right)
    for sweep in range(_ORDERING_SWEEPS):
        if not fewest:
            break
        columns = [list(column) for column in columns]
        rightwards = sweep % 2 == 0
        order = range(1, len(columns)) if rightwards else range(len(columns) - 2, -1, -1)
        for layer in order:
            beside = columns[layer - 1] if rightwards else columns[layer + 1]
            _sort(columns[layer], beside, left if rightwards else right)
        crossings = _crossings(columns, right)
        if crossings < fewest:
            best, fewest = columns, crossings
    return best


def _sort(column: list[int], beside: Sequence[int], neighbours: Mapping[int, Sequence[int]]) -> None:
    """By the mean position of the neighbours; those without any keep about the place they have."""
    position = {item: number / max(1, len(beside)) for number, item in enumerate(beside)}
    own = {item: number / max(1, len(column)) for number, item in enumerate(column)}

    def barycentre(item: int) -> float:
        around = neighbours.get(item)
        return sum(position[each] for each in around) / len(around) if around else own[item]

    column.sort(key=barycentre)


def _crossings(columns: Sequence[Sequence[int]], right: Mapping[int, Sequence[int]]) -> int:
    """Pairs of links that cross, counted with a Fenwick tree (W. Barth, M. Juenger, P. Mutzel 2004)."""
    total = 0
    for column, beside in pairwise(columns):
        position = {item: number for number, item in enumerate(beside)}
        tree, seen = [0] * (len(beside) + 1), 0
        for item in column:
            ends = sorted(position[each] for each in right.get(item, ()))
            for end in ends:
                total += seen - _prefix(tree, end + 1)
            for end in ends:
                seen += 1
                index = end + 1
                while index < len(tree):
                    tree[index] += 1
                    index += index & -index
    return total


def _prefix(tree: Sequence[int], index: int) -> int:
    total = 0
    while index:
        total += tree[index]
        index -= index & -index
    return total


def _placed(columns: Sequence[Sequence[int]], links: Sequence[tuple[int, int]], count: int) -> dict[int, float]:
    """A place for every item: near its neighbours, without touching the next."""
    left, right = _neighbours(links)
    places: dict[int, float] = {}
    for column in columns:
        places.update(zip(column, settle([0.0] * len(column), _spacing(column, count)), strict=True))
    for sweep in range(_PLACING_SWEEPS):
        rightwards = sweep % 2 == 0
        for column in columns if rightwards else reversed(columns):
            around = left if rightwards else right
            wanted = [_mean([places[each] for each in around.get(item, (item,))]) for item in column]
            places.update(zip(column, settle(wanted, _spacing(column, count)), strict=True))
    return places


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _height(item: int, count: int) -> float:
    return BOX_HEIGHT if item < count else LANE_HEIGHT


def _spacing(column: Sequence[int], count: int) -> list[float]:
    """Least distance of each item's middle from the one before it."""
    return [(_height(one, count) + _height(other, count)) / 2 + BOX_GAP for one, other in pairwise(column)]


def settle(wanted: Sequence[float], spacing: Sequence[float]) -> list[float]:
    """Places in the given order, at least `spacing` apart, with the least squared distance from those wanted.

    Pooling adjacent violators (R. E. Barlow and others, "Statistical inference under order restrictions", 1972).
    """
    offsets = [0.0]
    for distance in spacing:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, int]] = []  # mean, size
    for value, offset in zip(wanted, offsets, strict=False):
        mean, size = value - offset, 1
        while pools and pools[-1][0] >= mean:
            above, number = pools.pop()
            mean, size = (above * number + mean * size) / (number + size), number + size
        pools.append((mean, size))
    flat = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=False)]
