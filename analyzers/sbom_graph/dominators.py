"""What a component alone brings in: the dominator tree."""

from __future__ import annotations

from collections.abc import Sequence

NOBODY = -1


def immediate_dominators(successors: Sequence[Sequence[int]], root: int) -> list[int]:
    """Nearest node that every path from `root` to a node passes.

    T. Lengauer, R. E. Tarjan, *A fast algorithm for finding dominators in a flowgraph*, ACM TOPLAS 1 (1979), with
    path compression: O(m log n) on any graph. The iterative scheme of Cooper, Harvey and Kennedy is shorter, but
    quadratic on long chains, and an SBOM may come from an adversary.

    Returns
    -------
    list of int
        By node: its immediate dominator; the root's is itself, that of nodes it does not reach is `NOBODY`.
    """
    order, parent = _depth_first(successors, root)
    count = len(order)
    position = {node: place for place, node in enumerate(order)}
    into: list[list[int]] = [[] for _ in range(count)]
    for place, node in enumerate(order):
        for target in successors[node]:
            into[position[target]].append(place)
    semi = list(range(count))
    forest = _Forest(semi)
    dominator = [0] * count
    bucket: list[list[int]] = [[] for _ in range(count)]
    for place in range(count - 1, 0, -1):
        for source in into[place]:
            semi[place] = min(semi[place], semi[forest.best(source)])
        bucket[semi[place]].append(place)
        above = parent[place]
        forest.ancestor[place] = above
        for waiting in bucket[above]:
            best = forest.best(waiting)
            dominator[waiting] = best if semi[best] < semi[waiting] else above
        bucket[above] = []
    for place in range(1, count):
        if dominator[place] != semi[place]:
            dominator[place] = dominator[dominator[place]]
    found = [NOBODY] * len(successors)
    for place, node in enumerate(order):
        found[node] = order[dominator[place]]
    return found


def subtree_sums(dominators: Sequence[int], values: Sequence[float]) -> list[float]:
    """For each node, the sum of `values` over what it dominates, itself included; 0 for nodes not reached."""
    children: list[list[int]] = [[] for _ in dominators]
    roots = []
    for node, above in enumerate(dominators):
        if above == node:
            roots.append(node)
        elif above != NOBODY:
            children[above].append(node)
    order = list(roots)
    for node in order:  # grows while it is walked: every node after its dominator
        order.extend(children[node])
    sums = [0.0] * len(dominators)
    for node in reversed(order):
        sums[node] = values[node] + sum(sums[child] for child in children[node])
    return sums


def _depth_first(successors: Sequence[Sequence[int]], root: int) -> tuple[list[int], list[int]]:
    """Nodes in preorder, and by place in it the place of the parent."""
    order, parent = [root], [0]
    place = {root: 0}
    trail = [(0, iter(successors[root]))]
    while trail:
        above, rest = trail[-1]
        for target in rest:
            if target not in place:
                place[target] = len(order)
                order.append(target)
                parent.append(above)
                trail.append((place[target], iter(successors[target])))
                break
        else:
            trail.pop()
    return order, parent


class _Forest:
    """Nodes linked so far; asks for the node of least semidominator on the way up, compressing the way as it goes."""

    def __init__(self, semi: list[int]) -> None:
        self.ancestor = [NOBODY] * len(semi)
        self._label = list(range(len(semi)))
        self._semi = semi

    def best(self, node: int) -> int:
        ancestor, label, semi = self.ancestor, self._label, self._semi
        if ancestor[node] == NOBODY:
            return label[node]
        way = []
        while ancestor[ancestor[node]] != NOBODY:
            way.append(node)
            node = ancestor[node]
        for below in reversed(way):
            above = ancestor[below]
            if semi[label[above]] < semi[label[below]]:
                label[below] = label[above]
            ancestor[below] = ancestor[above]
        return label[way[0]] if way else label[node]
