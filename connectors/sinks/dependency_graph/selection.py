"""Which part of a graph a picture opens on: vulnerable components, and the paths that bring them in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meddojo.dependency_picture import DependencyPicture
from meddojo.sbom import DependencyKind

NONE = -1
_FORECASTS_SHOWN = 20
_WITHOUT_RISK = 60


@dataclass(frozen=True, slots=True)
class Structure:
    """The graph by position, without repetitions and loops.

    Attributes
    ----------
    kinds
        Ends -> kind; of several kinds between two components, the first in `DependencyKind`.
    needs, needed_by
        Neighbours of each node, in the order of the edges.
    parents
        The node before it on a shortest path from the root; `NONE` for the root and for `tops`.
    tops
        Nodes other than the root at which a path begins because the file leads no path there: those that nothing
        needs, and one of each cycle that remains.
    """

    kinds: Mapping[tuple[int, int], DependencyKind]
    needs: Sequence[Sequence[int]]
    needed_by: Sequence[Sequence[int]]
    parents: Sequence[int]
    tops: Sequence[int]


@dataclass(frozen=True, slots=True)
class Selection:
    """Nodes to draw, and how many vulnerable ones had no room."""

    nodes: tuple[int, ...]
    vulnerable: int
    vulnerable_left_out: int


def structure_of(picture: DependencyPicture) -> Structure:
    """Neighbours and shortest paths, in time linear in nodes and edges."""
    count = len(picture.nodes)
    kinds = _kinds(picture)
    needs: list[list[int]] = [[] for _ in range(count)]
    needed_by: list[list[int]] = [[] for _ in range(count)]
    for source, target in kinds:
        needs[source].append(target)
        needed_by[target].append(source)
    parents, reached, tops = [NONE] * count, [False] * count, []
    if picture.root is not None:
        _reach(picture.root, needs, parents, reached)
    for starts in ((node for node in range(count) if not needed_by[node]), range(count)):
        for node in starts:
            if not reached[node]:
                tops.append(node)
                _reach(node, needs, parents, reached)
    return Structure(kinds, needs, needed_by, parents, tops)


def _kinds(picture: DependencyPicture) -> dict[tuple[int, int], DependencyKind]:
    rank = {kind: number for number, kind in enumerate(DependencyKind)}
    found: dict[tuple[int, int], DependencyKind] = {}
    for source, target, kind in picture.edges:
        if source != target:
            known = found.setdefault((source, target), kind)
            if rank[kind] < rank[known]:
                found[source, target] = kind
    return found


def _reach(start: int, needs: Sequence[Sequence[int]], parents: list[int], reached: list[bool]) -> None:
    reached[start] = True
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for target in needs[node]:
            if not reached[target]:
                reached[target], parents[target] = True, node
                waiting.append(target)


def by_risk(picture: DependencyPicture) -> list[int]:
    """Positions of the vulnerable components, the worst first."""
    nodes = picture.nodes
    vulnerable = (position for position, node in enumerate(nodes) if node.vulnerabilities or node.direct_risk > 0)
    return sorted(
        vulnerable,
        key=lambda position: (
            -nodes[position].direct_risk,
            -(severity.rank if (severity := nodes[position].severity) else 0),
            -nodes[position].propagated_risk,
            position,
        ),
    )


def risky(picture: DependencyPicture, structure: Structure, most: int) -> Selection:
    """The vulnerable components with a shortest path to each, then other paths, while these fill half the room.

    Without any vulnerable component: those with the highest forecast, and what is nearest to the root.

    Parameters
    ----------
    most
        Nodes in all. The worst go first; one whose path has no room is left out and counted.
    """
    chosen: dict[int, None] = {} if picture.root is None else {picture.root: None}
    wanted = by_risk(picture)
    for node in wanted:
        _add(node, structure, chosen, most)
    left_out = sum(node not in chosen for node in wanted)
    if wanted:
        for node in _ancestors([node for node in wanted if node in chosen], structure):
            if len(chosen) >= most // 2:
                break
            _add(node, structure, chosen, most)
    else:
        for node in _forecast(picture):
            _add(node, structure, chosen, most)
        for node in _from_the_top(picture, structure):
            if len(chosen) >= min(most, _WITHOUT_RISK):
                break
            chosen[node] = None
    return Selection(tuple(sorted(chosen)), len(wanted), left_out)


def _add(node: int, structure: Structure, chosen: dict[int, None], most: int) -> None:
    """The node with its shortest path, if there is room; no step is taken beyond the room there is."""
    new: list[int] = []
    while node != NONE and node not in chosen:
        if len(chosen) + len(new) == most:
            return
        new.append(node)
        node = structure.parents[node]
    chosen.update(dict.fromkeys(new))


def _ancestors(nodes: Iterable[int], structure: Structure) -> Iterable[int]:
    """Everything that needs one of the nodes, the nearest first."""
    waiting = deque(nodes)
    seen = set(waiting)
    while waiting:
        for source in structure.needed_by[waiting.popleft()]:
            if source not in seen:
                seen.add(source)
                waiting.append(source)
                yield source


def _forecast(picture: DependencyPicture) -> list[int]:
    known = [(-node.forecast, position) for position, node in enumerate(picture.nodes) if node.forecast is not None]
    return [position for _, position in sorted(known)[:_FORECASTS_SHOWN]]


def _from_the_top(picture: DependencyPicture, structure: Structure) -> Iterable[int]:
    """All nodes, level by level, so that no node comes before the one that needs it."""
    waiting = deque(structure.tops if picture.root is None else [picture.root, *structure.tops])
    while waiting:
        node = waiting.popleft()
        yield node
        waiting.extend(target for target in structure.needs[node] if structure.parents[target] == node)
