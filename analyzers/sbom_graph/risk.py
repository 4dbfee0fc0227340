"""The risk of each component and of the device, by the formula that ``docs/sbom.md`` explains.

Chances are combined as independent (noisy-OR; J. Pearl, *Probabilistic Reasoning in Intelligent Systems*, 1988, section
4.3.2; used on attack graphs by N. Poolsappasit, R. Dewri, I. Ray, IEEE TDSC 9 (2012)). Unlike there, each vulnerable
component counts once for whatever needs it, however many paths lead to it, so that shared dependencies and circles are
counted right. All sums are of ``-ln(1 - chance)``, called hazard here: hazards of independent causes add up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzers.sbom_graph.exposure import exposures
from analyzers.sbom_graph.graph import CARRIES, NOWHERE, DependencyGraph, Place, distances
from analyzers.sbom_graph.rating import RatedVulnerability
from analyzers.sbom_graph.reach import (
    EXACT_UP_TO,
    Condensation,
    condense,
    count_dependents,
    estimate_dependents,
    sums_below,
)
from meddojo.sbom import DependencyKind
from meddojo.severity import Severity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALONE = 0.8
"""What counts of a component that no other needs; the rest comes with the number of its dependents."""

HALF_SCORE = 0.25
"""Hazard of a device that scores 50: about one critical vulnerability of which no exploitation is known."""

BANDS: Mapping[Severity, float] = {
    Severity.CRITICAL: 90.0,
    Severity.HIGH: 70.0,
    Severity.MEDIUM: 40.0,
    Severity.LOW: 0.0,
}
"""Scores above which a band begins: those of CVSS, times ten."""

_NEARLY_ONE = 1.0 - 2.0**-40
_SEED = 1997


@dataclass(frozen=True, slots=True)
class ComponentRisk:
    """What is known of one node.

    Attributes
    ----------
    direct
        0 to 1: that one of its own vulnerabilities does harm.
    exposure
        0 to 1, see `exposures`.
    dependents
        How many other components on the device need it, directly or not; the device itself is not counted.
    dependents_exact
        False where the number is an estimate (6 % standard error), which no score rests on.
    propagated
        0 to 1: that one of its vulnerabilities, or of anything it needs, does harm to it.
    hazard
        Its part in the risk of the device; the parts of all components add up.
    """

    node: int
    place: Place
    depth: int
    direct: float
    exposure: float
    dependents: int
    dependents_exact: bool
    propagated: float
    hazard: float
    vulnerabilities: tuple[RatedVulnerability, ...]


@dataclass(frozen=True, slots=True)
class DeviceRisk:
    """The risk of a device.

    Attributes
    ----------
    components
        By node; the last one is the device itself where the document states no root.
    hazard
        Sum of the hazards of all components.
    """

    graph: DependencyGraph
    components: tuple[ComponentRisk, ...]
    hazard: float

    @property
    def chance(self) -> float:
        """0 to 1: that any vulnerability of any component does harm, if all were independent."""
        return -math.expm1(-self.hazard)

    @property
    def score(self) -> float:
        """0 to 100, see `score_of`."""
        return score_of(self.hazard)

    @property
    def severity(self) -> Severity:
        """Band of the score, see `BANDS`; info without any risk."""
        return next((band for band, floor in BANDS.items() if self.score > floor), Severity.INFO)

    @property
    def ranking(self) -> tuple[ComponentRisk, ...]:
        """Components with a part in the risk, the largest first."""
        risky = (each for each in self.components if each.hazard > 0.0)
        return tuple(sorted(risky, key=lambda each: (-each.hazard, self.graph.label(each.node), each.node)))


def score_of(hazard: float) -> float:
    """Score of a device, 0 to 100: ``100 * hazard / (hazard + HALF_SCORE)``.

    It rises with the chance of harm as long as that is small, and still tells devices apart where it is close to 1.
    """
    return 100.0 * hazard / (hazard + HALF_SCORE)


def spread(dependents: int) -> float:
    """How much of a component's risk counts: ``ALONE`` without dependents, slowly rising to 1 with their number."""
    return 1.0 - (1.0 - ALONE) / (1.0 + math.log1p(dependents))


def combined(chances: Sequence[float]) -> float:
    """That at least one of independent chances comes true; a further one never lowers it."""
    return min(-math.expm1(math.fsum(math.log1p(-chance) for chance in sorted(chances))), _NEARLY_ONE)


def hazard_of(direct: float, exposure: float, dependents: int) -> float:
    """Part of a component in the risk of the device: ``-ln(1 - direct * exposure * spread)``."""
    return -math.log1p(-min(direct * exposure * spread(dependents), _NEARLY_ONE))


def score(graph: DependencyGraph, vulnerabilities: Mapping[int, Sequence[RatedVulnerability]]) -> DeviceRisk:
    """Score a device.

    Parameters
    ----------
    vulnerabilities
        By node: what is known of it and not answered by VEX or a person.
    """
    size = len(graph.needs)
    direct = [0.0] * size
    for node, known in vulnerabilities.items():
        direct[node] = combined([each.chance for each in known])
    vulnerable = [node for node in range(size) if direct[node] > 0.0 and graph.places[node] is not Place.DEVELOPMENT]
    condensed = {floor: condense(graph.needs_from(floor)) for floor in graph.strengths}
    dependents, exact = _dependents(graph, condensed[graph.strengths[0]], vulnerable)
    propagated = _propagated(graph, condensed, vulnerable, direct)
    exposed = exposures(graph)
    components = tuple(
        ComponentRisk(
            node=node,
            place=graph.places[node],
            depth=graph.depth[node],
            direct=direct[node],
            exposure=exposed[node],
            dependents=dependents[node],
            dependents_exact=exact[node],
            propagated=propagated[node],
            hazard=hazard_of(direct[node], exposed[node], dependents[node]),
            vulnerabilities=tuple(vulnerabilities.get(node, ())),
        )
        for node in range(size)
    )
    return DeviceRisk(graph, components, math.fsum(each.hazard for each in components))


def _dependents(
    graph: DependencyGraph, condensed: Condensation, vulnerable: Sequence[int]
) -> tuple[list[int], list[bool]]:
    """Number of dependents by node, and whether it is exact: always where a score rests on it."""
    size = len(graph.needs)
    small = size <= EXACT_UP_TO
    asked = list(range(size)) if small else list(vulnerable)
    counts: list[int] = [0] * size if small else estimate_dependents(condensed, graph.device, _SEED).tolist()
    for node, number in zip(asked, count_dependents(condensed, asked, graph.device).tolist(), strict=True):
        counts[node] = number
    known = set(asked)
    return counts, [node in known for node in range(size)]


def _propagated(
    graph: DependencyGraph,
    condensed: Mapping[float, Condensation],
    vulnerable: Sequence[int],
    direct: Sequence[float],
) -> list[float]:
    """Chance by node, over the weakest link of the best chain to each vulnerable component that it reaches.

    What is reached over stronger links is reached over weaker ones, too; so each stronger level adds the difference.
    The device contains whatever is listed, and needs some of it.
    """
    import numpy as np

    own = np.array([direct[node] for node in vulnerable])
    hazards: NDArray[np.float64] = np.zeros(len(graph.needs))
    nearest = np.array([1.0 if node == graph.device else CARRIES[DependencyKind.CONTAINS] for node in vulnerable])
    weaker: NDArray[np.float64] = np.zeros(len(vulnerable))
    for floor in condensed:
        level: NDArray[np.float64] = -np.log1p(-floor * own)
        sums = sums_below(condensed[floor], vulnerable, level - weaker)
        hazards += sums[np.array(condensed[floor].circle)]
        weaker = level
        reached = distances([(graph.device, 0)], graph.needs_from(floor))
        nearest = np.maximum(nearest, [floor * (reached[node] != NOWHERE) for node in vulnerable])
    # To itself a component is no further than the strongest link.
    hazards[vulnerable] += -np.log1p(-own) - weaker
    hazards[graph.device] = -np.log1p(-nearest * own).sum()
    chances: list[float] = (-np.expm1(-hazards)).tolist()
    return [
        direct[node] if place is Place.DEVELOPMENT else chance
        for node, (place, chance) in enumerate(zip(graph.places, chances, strict=True))
    ]
