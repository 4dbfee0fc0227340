"""Positions, paths and changes in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzers.sbom_graph.graph import Place
from analyzers.sbom_graph.paths import shortest_path
from analyzers.sbom_graph.risk import BANDS, DeviceRisk
from analyzers.sbom_graph.what_if import Removal, Upgrade

_NAMED = 5
_LONGEST = 6
_CONTRIBUTORS = 3


def chain(risk: DeviceRisk, nodes: Sequence[int]) -> str:
    """``gateway 4.2 > nginx 1.18 > openssl 1.1.1k``, the middle of a long one left out."""
    names = [risk.graph.label(node) for node in nodes]
    if len(names) > _LONGEST:
        names = [*names[: _LONGEST // 2], f"({len(names) - _LONGEST} more)", *names[-_LONGEST // 2 :]]
    return " > ".join(names)


def position(risk: DeviceRisk, node: int) -> str:
    """Where a component sits, for a person to read."""
    own = risk.components[node]
    name = risk.graph.label(node)
    if own.place is Place.DEVELOPMENT:
        return f"{name}: needed for development only, not on the device; it has no part in the score"
    if node == risk.graph.device:
        return f"{name}: what the bill of materials describes"
    way = chain(risk, shortest_path(risk.graph, node))
    if own.place is Place.REACHED:
        where = f"{_steps(own.depth)} from the root by {way}"
    else:
        where = "nothing leads to it from the root" if risk.graph.stated_root else "the document states no root"
        where = f"{_steps(own.depth - 1)} from the top by {way}; {where}" if own.depth > 1 else f"at the top; {where}"
    return f"{name}: {where}; {_needed_by(own.dependents)}; exposure {own.exposure:.2f}"


def positions(risk: DeviceRisk, nodes: Iterable[int], limit: int = _NAMED) -> tuple[str, ...]:
    """Lines of `position`, those first that count most."""
    ordered = sorted(nodes, key=lambda node: (-risk.components[node].hazard, risk.graph.label(node), node))
    lines = [position(risk, node) for node in ordered[:limit]]
    more = len(ordered) - limit
    return (*lines, f"and {more:,} more") if more > 0 else tuple(lines)


def upgrade_line(risk: DeviceRisk, upgrade: Upgrade) -> str:
    """What to upgrade, and what comes of it."""
    names = list(dict.fromkeys(risk.graph.label(node) for node in upgrade.nodes))
    others = f" and {listed(names[1:])}" if names[1:] else ""
    places = f" in {len(upgrade.nodes)} places" if len(upgrade.nodes) > len(names) else ""
    left = f"; {listed(upgrade.leaves)} stay" if upgrade.leaves else ""
    return (
        f"upgrade {names[0]}{others}{places} to {upgrade.target}: takes {share(risk, upgrade.hazard)} of the risk"
        f" away, the score falls from {risk.score:.1f} to {upgrade.score:.1f}; fixes {listed(upgrade.fixes)}{left}"
    )


def removal_line(risk: DeviceRisk, removal: Removal) -> str:
    """What to remove, and what comes of it."""
    others = removal.components - 1
    along = f" with {_number(others, 'component')} that only it brings in" if others else ""
    gone = f"; removes {listed(removal.removes)}" if removal.removes else ""
    return (
        f"remove {risk.graph.label(removal.node)}{along}: takes at least {share(risk, removal.hazard)} of the risk"
        f" away, the score falls from {risk.score:.1f} to at most {removal.score:.1f}{gone}"
    )


def reason(risk: DeviceRisk) -> str:
    """Why the device has the score it has."""
    ranking = risk.ranking
    known = {each.check for part in ranking for each in part.vulnerabilities}
    most = ", ".join(f"{risk.graph.label(part.node)} ({share(risk, part.hazard)})" for part in ranking[:_CONTRIBUTORS])
    above = ", ".join(f"{band.value} above {floor:g}" for band, floor in BANDS.items())
    return (
        f"supply-chain score {risk.score:.1f} of 100 ({above}): {_number(len(known), 'vulnerability')} in"
        f" {len(ranking):,} of {_number(len(risk.graph.components), 'component')}; most of it by {most}"
    )


def share(risk: DeviceRisk, hazard: float) -> str:
    """Part of the risk of the device: ``34 %``, ``under 1 %``."""
    part = hazard / risk.hazard
    return f"{part:.0%}".replace("%", " %") if part >= 0.01 else "under 1 %"


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _steps(depth: int) -> str:
    return "1 step" if depth == 1 else f"{depth} steps"


def _needed_by(dependents: int) -> str:
    if not dependents:
        return "no other component needs it"
    return f"{_number(dependents, 'component')} need{'s' if dependents == 1 else ''} it"


def _number(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
