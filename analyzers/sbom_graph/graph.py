"""The dependency graph of an SBOM, by integer index: who needs whom, and where each component sits.

Only what is on the device takes part. A dependency for development places nothing there, so a component that is
needed for development alone has no place, carries no risk, and none of its own dependencies counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analyzers.sbom_graph.cycles import strong_components
from analyzers.sbom_graph.dominators import immediate_dominators
from meddojo.sbom import Component, DependencyKind, Sbom

CARRIES: Mapping[DependencyKind, float] = {
    DependencyKind.RUNTIME: 1.0,
    DependencyKind.CONTAINS: 0.8,
    DependencyKind.OPTIONAL: 0.5,
    DependencyKind.DEVELOPMENT: 0.0,
}
"""How much of a component's risk reaches what needs it. What is needed at work is used. What is contained is there,
used or not. What is optional may not even be there. The figures are a judgement; their order is what matters."""

NOWHERE = -1


class Place(StrEnum):
    """What a document says about where a component is."""

    REACHED = "reached"
    """A chain of dependencies leads to it from what the document describes."""
    LISTED = "listed"
    """It is listed, but no chain from the root leads to it."""
    DEVELOPMENT = "development"
    """It is needed to build, test or document something, and for nothing else."""


@dataclass(frozen=True, slots=True)
class DependencyGraph:
    """Nodes ``0 .. n-1`` are the components, in the order of the document; `device` is the node everything hangs on.

    Attributes
    ----------
    device
        The root of the document, or the node ``n`` where none is stated: the device as such.
    needs, weights
        Targets of each node's dependencies, each once, and how much they carry (`CARRIES`); of nodes on the device
        only. The node `device` has none of the links that `tops` stands for.
    needed_by
        The same edges, turned round.
    places
        By node.
    tops
        Listed components that no other listed one needs: with no better knowledge they hang on the device.
    depth
        Steps from the root; for listed components from the nearest of the `tops`, which have 1; `NOWHERE` for those
        of development.
    dominators
        Node without which a node were not there (see `immediate_dominators`), links to `tops` included.
    """

    components: tuple[Component, ...]
    device: int
    needs: tuple[tuple[int, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    needed_by: tuple[tuple[int, ...], ...]
    places: tuple[Place, ...]
    tops: tuple[int, ...]
    depth: tuple[int, ...]
    dominators: tuple[int, ...]

    @property
    def stated_root(self) -> bool:
        """Whether the document says what it describes."""
        return self.device < len(self.components)

    @property
    def edges(self) -> int:
        """Number of dependencies that carry risk."""
        return sum(map(len, self.needs))

    @property
    def strengths(self) -> tuple[float, ...]:
        """How much its dependencies carry: every different weight, the weakest first; 1 if there is none."""
        return tuple(sorted({weight for weights in self.weights for weight in weights})) or (1.0,)

    def needs_from(self, floor: float) -> Sequence[Sequence[int]]:
        """`needs`, only over dependencies that carry at least `floor`."""
        if floor <= self.strengths[0]:
            return self.needs
        return [
            [target for target, weight in zip(targets, weights, strict=True) if weight >= floor]
            for targets, weights in zip(self.needs, self.weights, strict=True)
        ]

    def label(self, node: int) -> str:
        """Name and version of a component; ``device`` for the node that stands for none."""
        return self.components[node].label if node < len(self.components) else "device"

    @property
    def links(self) -> Sequence[Sequence[int]]:
        """`needs`, with the tops hanging on the device."""
        return _links(self.needs, self.device, self.tops)


def build_graph(sbom: Sbom, others: Iterable[Component] = ()) -> DependencyGraph:
    """The graph of an SBOM.

    Parameters
    ----------
    others
        Components that somebody else found on the device and the SBOM does not list; they are listed in its stead.
    """
    components = (*sbom.components, *others)
    index = {component.ref: node for node, component in enumerate(sbom.components)}
    device = index.get(sbom.root, len(components))
    size = max(len(components), device + 1)
    carried, development = _edges(sbom, index, size)
    present = _present(carried, development, device)
    carried = [targets if present[node] else {} for node, targets in enumerate(carried)]
    needs = tuple(tuple(targets) for targets in carried)
    needed_by = turned(needs)
    reached = distances([(device, 0)], needs)
    loose = [node for node in range(size) if present[node] and reached[node] == NOWHERE]
    tops = _tops(loose, needs)
    below = distances([(top, 1) for top in tops], needs)
    depth = tuple(below[node] if near == NOWHERE else near for node, near in enumerate(reached))
    return DependencyGraph(
        components=components,
        device=device,
        needs=needs,
        weights=tuple(tuple(targets.values()) for targets in carried),
        needed_by=needed_by,
        places=tuple(_place(present[node], reached[node]) for node in range(size)),
        tops=tops,
        depth=depth,
        dominators=tuple(immediate_dominators(_links(needs, device, tops), device)),
    )


def turned(successors: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """All edges the other way round."""
    sources: list[list[int]] = [[] for _ in successors]
    for source, targets in enumerate(successors):
        for target in targets:
            sources[target].append(source)
    return tuple(map(tuple, sources))


def _links(needs: Sequence[tuple[int, ...]], device: int, tops: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    below = tuple(dict.fromkeys((*needs[device], *tops)))
    return (*needs[:device], below, *needs[device + 1 :])


def _edges(sbom: Sbom, index: Mapping[str, int], size: int) -> tuple[list[dict[int, float]], list[set[int]]]:
    """Edges that carry, each with the weight of its strongest kind; and those for development only."""
    carried: list[dict[int, float]] = [{} for _ in range(size)]
    development: list[set[int]] = [set() for _ in range(size)]
    for dependency in sbom.dependencies:
        source, target = index.get(dependency.source), index.get(dependency.target)
        if source is None or target is None or source == target:
            continue
        weight = CARRIES[dependency.kind]
        if weight:
            carried[source][target] = max(weight, carried[source].get(target, 0.0))
        else:
            development[source].add(target)
    return carried, development


def _present(carried: Sequence[Mapping[int, float]], development: Sequence[set[int]], device: int) -> list[bool]:
    """Whether each node is on the device: needed by nobody, or for more than development by something that is."""
    holders = Counter(target for targets in carried for target in targets)
    wanted = {target for targets in development for target in targets}
    present = [True] * len(carried)
    absent = [node for node in wanted if not holders[node] and node != device]
    while absent:
        node = absent.pop()
        present[node] = False
        for target in carried[node]:
            holders[target] -= 1
            if not holders[target] and target != device:
                absent.append(target)
    return present


def _place(present: bool, reached: int) -> Place:
    if not present:
        return Place.DEVELOPMENT
    return Place.LISTED if reached == NOWHERE else Place.REACHED


def _tops(loose: Sequence[int], needs: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Of the nodes that nothing leads to, those no other of them needs; all members of a circle nobody needs."""
    number = {node: place for place, node in enumerate(loose)}
    inner = [[number[target] for target in needs[node] if target in number] for node in loose]
    circles = strong_components(inner)
    circle_of = {member: place for place, members in enumerate(circles) for member in members}
    entered = {
        circle_of[target]
        for source, targets in enumerate(inner)
        for target in targets
        if circle_of[source] != circle_of[target]
    }
    return tuple(loose[node] for node in range(len(loose)) if circle_of[node] not in entered)


def distances(starts: Iterable[tuple[int, int]], successors: Sequence[Sequence[int]]) -> list[int]:
    """Steps to each node, by breadth-first search from starts of equal depth; `NOWHERE` if none leads there."""
    distance = [NOWHERE] * len(successors)
    queue: list[int] = []
    for node, depth in starts:
        distance[node] = depth
        queue.append(node)
    for node in queue:
        for target in successors[node]:
            if distance[target] == NOWHERE:
                distance[target] = distance[node] + 1
                queue.append(target)
    return distance
