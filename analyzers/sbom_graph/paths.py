"""How a component came onto the device: the shortest chains of dependencies."""

from __future__ import annotations

import heapq
from itertools import count

from analyzers.sbom_graph.graph import NOWHERE, DependencyGraph

PATHS = 3
_PUSHES = 20_000
_DEEP = 100
"""Steps beyond which one chain has to do: a person reads no longer ones, and comparing them costs their square."""


def shortest_path(graph: DependencyGraph, node: int) -> tuple[int, ...]:
    """A shortest chain from the root, or from one of the tops, down to a component; empty for one of development."""
    if graph.depth[node] == NOWHERE:
        return ()
    chain = [node]
    first = 1 if graph.places[node] is not graph.places[graph.device] else 0
    while graph.depth[chain[-1]] > first:
        nearer = graph.depth[chain[-1]] - 1
        place = graph.places[node]
        chain.append(
            next(
                above
                for above in graph.needed_by[chain[-1]]
                if graph.depth[above] == nearer and graph.places[above] is place
            )
        )
    return tuple(reversed(chain))


def shortest_paths(graph: DependencyGraph, node: int, limit: int = PATHS) -> tuple[tuple[int, ...], ...]:
    """The shortest chains from the root to a component, without circles, the shortest first.

    Walks up from the component, always on the chain that is shortest in all; the depth of its upper end says exactly
    what is still to come (A*; P. E. Hart, N. J. Nilsson, B. Raphael, 1968), so that hardly a step is in vain.

    Parameters
    ----------
    limit
        How many; fewer come back where there are no more, or where looking for them takes too many steps.

    Returns
    -------
    tuple of tuple of int
        Nodes from the root down to `node`. A listed component's chains begin at one of `DependencyGraph.tops`; those
        of a component for development are not told.
    """
    if limit < 2 or not 0 <= graph.depth[node] <= _DEEP:
        return (shortest_path(graph, node),)[: max(limit, 0)] if graph.depth[node] != NOWHERE else ()
    place, ends = graph.places[node], {graph.device, *graph.tops}
    order = count()
    heap: list[tuple[int, int, tuple[int, ...]]] = [(graph.depth[node], next(order), (node,))]
    found: list[tuple[int, ...]] = []
    while heap and len(found) < limit:
        _, _, chain = heapq.heappop(heap)
        if chain[0] in ends:
            found.append(chain)
        if chain[0] == graph.device or len(heap) > _PUSHES:
            continue
        for above in graph.needed_by[chain[0]][:_PUSHES]:
            if graph.places[above] is place and above not in chain:
                heapq.heappush(heap, (len(chain) + graph.depth[above], next(order), (above, *chain)))
    return tuple(found)
