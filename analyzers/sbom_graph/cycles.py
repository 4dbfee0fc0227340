"""Components that need each other in a circle, found in one pass."""

from __future__ import annotations

from collections.abc import Sequence


def strong_components(successors: Sequence[Sequence[int]]) -> list[list[int]]:
    """Strongly connected components of a directed graph, what is needed before what needs it.

    R. E. Tarjan, *Depth-first search and linear graph algorithms*, SIAM J. Comput. 1 (1972), without recursion.

    Parameters
    ----------
    successors
        Targets of the edges of each node, by index.

    Returns
    -------
    list of list of int
        Every node in exactly one of them. No edge leads from a component to a later one.
    """
    count = len(successors)
    number = [-1] * count
    lowest = [0] * count
    taken = [False] * count
    waiting: list[int] = []
    found: list[list[int]] = []
    seen = 0
    for start in range(count):
        if number[start] >= 0:
            continue
        number[start] = lowest[start] = seen
        seen += 1
        waiting.append(start)
        trail = [(start, iter(successors[start]))]
        while trail:
            node, rest = trail[-1]
            for target in rest:
                if number[target] < 0:
                    number[target] = lowest[target] = seen
                    seen += 1
                    waiting.append(target)
                    trail.append((target, iter(successors[target])))
                    break
                if not taken[target] and number[target] < lowest[node]:
                    lowest[node] = number[target]
            else:
                trail.pop()
                if trail and lowest[node] < lowest[trail[-1][0]]:
                    lowest[trail[-1][0]] = lowest[node]
                if lowest[node] == number[node]:
                    cut = len(waiting) - 1
                    while waiting[cut] != node:
                        cut -= 1
                    found.append(waiting[cut:])
                    del waiting[cut:]
                    for member in found[-1]:
                        taken[member] = True
    return found
