"""What would remove most risk: upgrades and removals, ranked without scoring the device anew for each.

Hazards add up, and neither exposure nor dependents depend on vulnerabilities: an upgrade changes the part of its own
component only, exactly. A removal takes away the parts of all that the component alone brings in, its subtree in the
dominator tree; what stays can only lose dependents and shorter ways to it, so that at least so much goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cmp_to_key

from analyzers.matching.versions.order import Version, compare, parse_version
from analyzers.sbom_graph.dominators import NOBODY, subtree_sums
from analyzers.sbom_graph.locate import package_of, version_of
from analyzers.sbom_graph.rating import RatedVulnerability
from analyzers.sbom_graph.risk import ComponentRisk, DeviceRisk, combined, hazard_of, score_of

LISTED = 10
_MOST_VERSIONS = 40
_BRANCH = 2
"""Numbers of a version that make a branch, which has fixes of its own: 2.9.10.8 is no fix for 2.10.1."""
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One package, brought to a version that fixes vulnerabilities of it.

    Attributes
    ----------
    nodes
        Every place where it stands in the SBOM, and the packages that are upgraded with it: those of the same versions
        that the same version rids of the same vulnerabilities, as packages of one source do.
    versions
        Installed so far.
    fixes, leaves
        Vulnerabilities that go and that stay.
    hazard
        What it takes away from the hazard of the device; exact.
    score
        Of the device afterwards.
    """

    nodes: tuple[int, ...]
    versions: tuple[str, ...]
    target: str
    fixes: tuple[str, ...]
    leaves: tuple[str, ...]
    hazard: float
    score: float


@dataclass(frozen=True, slots=True)
class Removal:
    """One component, taken away with everything that it alone brings in.

    Attributes
    ----------
    components
        How many go, itself included.
    removes
        Vulnerabilities that are nowhere else on the device.
    hazard, score
        The device loses at least so much, and scores at most so high afterwards.
    """

    node: int
    components: int
    removes: tuple[str, ...]
    hazard: float
    score: float


def rank_upgrades(risk: DeviceRisk, limit: int = LISTED) -> tuple[Upgrade, ...]:
    """Upgrades to versions that sources name as fixes, those that remove most risk first."""
    groups: dict[tuple[str, str], list[ComponentRisk]] = {}
    for each in risk.components:
        if each.hazard > 0.0 and each.node < len(risk.graph.components):
            component = risk.graph.components[each.node]
            groups.setdefault((package_of(component), version_of(component)), []).append(each)
    of_package: dict[tuple[str, str], list[Upgrade]] = {}
    for (package, version), parts in groups.items():
        upgrade = _best_upgrade(risk, version, parts)
        if upgrade is not None:
            of_package.setdefault((package, upgrade.target), []).append(upgrade)
    of_source: dict[tuple[object, ...], list[Upgrade]] = {}
    for upgrade in (_joined(risk, upgrades) for upgrades in of_package.values()):
        of_source.setdefault((upgrade.versions, upgrade.target, upgrade.fixes), []).append(upgrade)
    found = [_joined(risk, upgrades) for upgrades in of_source.values()]
    return tuple(sorted(found, key=lambda each: (-each.hazard, risk.graph.label(each.nodes[0]), each.nodes))[:limit])


def rank_removals(risk: DeviceRisk, limit: int = LISTED) -> tuple[Removal, ...]:
    """Removals, those that take most risk away first; of those that take the same, only the smallest.

    What brings in more than half of all components is not removed, but another device.
    """
    graph = risk.graph
    hazards = subtree_sums(graph.dominators, [each.hazard for each in risk.components])
    sizes = subtree_sums(graph.dominators, [1.0] * len(hazards))
    largest_below = [0.0] * len(hazards)
    for node, above in enumerate(graph.dominators):
        if above not in (NOBODY, node):
            largest_below[above] = max(largest_below[above], hazards[node])
    candidates = [
        node
        for node, hazard in enumerate(hazards)
        if node != graph.device
        and sizes[node] <= len(graph.components) / 2
        and hazard > max(_NOTHING, largest_below[node] * (1.0 + _NOTHING))
    ]
    candidates.sort(key=lambda node: (-hazards[node], sizes[node], graph.label(node), node))
    return tuple(_removals(risk, candidates[:limit], hazards, sizes))


def brought_in(risk: DeviceRisk, node: int) -> tuple[int, ...]:
    """Everything that goes with a component, itself included: its subtree in the dominator tree."""
    return tuple(_subtree(_children(risk.graph.dominators), node))


def fixed_by(target: str, fix_versions: Iterable[str]) -> bool:
    """Whether a version carries a fix: none of the fixed versions lies above it, or one of its own branch lies below.

    Versions that cannot be compared fix nothing.
    """
    reached = parse_version(target)
    if reached is None:
        return target in fix_versions
    stated = [parse_version(text) for text in fix_versions]
    orders = [(version, compare(reached, version)) for version in stated if version is not None]
    below = [version for version, order in orders if order is not None and order >= 0]
    above = [version for version, order in orders if order == -1]
    if not above:
        return bool(below)
    own = _branch(reached)
    return any(_branch(version) == own for version in below) and all(_branch(version) != own for version in above)


def _best_upgrade(risk: DeviceRisk, version: str, parts: Sequence[ComponentRisk]) -> Upgrade | None:
    before = sum(part.hazard for part in parts)
    best: tuple[float, str] = (0.0, "")
    for target in _targets(version, parts):
        gone = before - sum(_hazard_at(target, part) for part in parts)
        if gone > best[0] * (1.0 + _NOTHING):
            best = gone, target
    gone, target = best
    if gone <= _NOTHING:
        return None
    known = {each.check: each for part in parts for each in part.vulnerabilities}
    fixes = tuple(sorted(check for check, each in known.items() if fixed_by(target, each.fix_versions)))
    return Upgrade(
        nodes=tuple(part.node for part in parts),
        versions=(version,),
        target=target,
        fixes=fixes,
        leaves=tuple(sorted(known.keys() - set(fixes))),
        hazard=gone,
        score=score_of(max(risk.hazard - gone, 0.0)),
    )


def _joined(risk: DeviceRisk, upgrades: Sequence[Upgrade]) -> Upgrade:
    """Several versions of one package, or packages of one source, as one upgrade: hazards add up."""
    gone = sum(each.hazard for each in upgrades)
    return replace(
        upgrades[0],
        nodes=tuple(sorted(node for each in upgrades for node in each.nodes)),
        versions=tuple(sorted({version for each in upgrades for version in each.versions})),
        fixes=tuple(sorted({check for each in upgrades for check in each.fixes})),
        leaves=tuple(sorted({check for each in upgrades for check in each.leaves})),
        hazard=gone,
        score=score_of(max(risk.hazard - gone, 0.0)),
    )


def _targets(version: str, parts: Iterable[ComponentRisk]) -> list[str]:
    """Fixed versions above the installed one, the lowest first; beyond a number of them only the highest.

    A whole series (``6.x``) is nothing one can install.
    """
    stated = {text for part in parts for each in part.vulnerabilities for text in each.fix_versions if text}
    installed = parse_version(version)
    found: list[tuple[str, Version]] = []
    for text in sorted(stated):
        read = parse_version(text)
        if read is not None and not read.open and (installed is None or compare(installed, read) == -1):
            found.append((text, read))
    found.sort(key=cmp_to_key(_order))
    return [text for text, _ in found[-_MOST_VERSIONS:]]


def _order(one: tuple[str, Version], other: tuple[str, Version]) -> int:
    return compare(one[1], other[1]) or 0


def _hazard_at(target: str, part: ComponentRisk) -> float:
    return hazard_of(combined(_remaining(target, part.vulnerabilities)), part.exposure, part.dependents)


def _remaining(target: str, vulnerabilities: Iterable[RatedVulnerability]) -> list[float]:
    return [each.chance for each in vulnerabilities if not fixed_by(target, each.fix_versions)]


def _branch(version: Version) -> tuple[object, ...]:
    return version.tokens[:_BRANCH]


def _removals(
    risk: DeviceRisk, nodes: Iterable[int], hazards: Sequence[float], sizes: Sequence[float]
) -> Iterator[Removal]:
    children = _children(risk.graph.dominators)
    places: dict[str, int] = {}
    for part in risk.components:
        for each in part.vulnerabilities if part.hazard > 0.0 else ():
            places[each.check] = places.get(each.check, 0) + 1
    for node in nodes:
        inside: dict[str, int] = {}
        for below in _subtree(children, node):
            part = risk.components[below]
            for each in part.vulnerabilities if part.hazard > 0.0 else ():
                inside[each.check] = inside.get(each.check, 0) + 1
        removes = tuple(sorted(check for check, number in inside.items() if number == places[check]))
        after = score_of(max(risk.hazard - hazards[node], 0.0))
        yield Removal(node, round(sizes[node]), removes, hazards[node], after)


def _children(dominators: Sequence[int]) -> Sequence[Sequence[int]]:
    children: list[list[int]] = [[] for _ in dominators]
    for node, above in enumerate(dominators):
        if above not in (NOBODY, node):
            children[above].append(node)
    return children


def _subtree(children: Sequence[Sequence[int]], node: int) -> Sequence[int]:
    found = [node]
    for each in found:  # grows while it is walked
        found.extend(children[each])
    return found
