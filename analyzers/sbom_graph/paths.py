"""How a component came onto the device: the shortest chains of dependencies."""

from __future__ import annotations

import heapq
from itertools import count

from analyzers.sbom_graph.graph import NOWHERE, DependencyGraph

PATHS = 3
_STEPS = 20_000
_LONGEST = 100
"""Nodes beyond which one chain has to do: a person reads no longer ones, and comparing them costs their square."""


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
    first = shortest_path(graph, node)
    if limit < 2 or len(first) > _LONGEST:
        return (first,)[:limit] if first else ()
    place, ends = graph.places[node], {graph.device, *graph.tops}
    order = count()
    # Of chains of equal length, the one that has got nearest to the root goes on.
    heap: list[tuple[int, int, int, tuple[int, ...]]] = [(graph.depth[node], graph.depth[node], next(order), (node,))]
    found = [first] if first else []
    steps = 0
    while heap and len(found) < limit and steps < _STEPS:
        *_, chain = heapq.heappop(heap)
        steps += 1
        if chain[0] in ends and chain != first:
            found.append(chain)
        if chain[0] == graph.device or len(heap) > _STEPS:
            continue
        for above in graph.needed_by[chain[0]][:_STEPS]:
            length = len(chain) + graph.depth[above]
            if graph.places[above] is place and length < _LONGEST and above not in chain:
                heapq.heappush(heap, (length, graph.depth[above], next(order), (above, *chain)))
    return tuple(found)
