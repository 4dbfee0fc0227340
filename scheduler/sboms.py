"""One bill of materials judged by itself, for ``meddojo sbom``: no inventory, nothing stored, nothing delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analyzers.sbom_graph.assess import Assessment, assess
from analyzers.sbom_graph.diff import Move, SbomDiff, compare_sboms
from analyzers.sbom_graph.forthcoming import next_cves
from analyzers.sbom_graph.locate import package_of
from analyzers.sbom_graph.paths import shortest_paths
from analyzers.sbom_graph.risk import ComponentRisk, DeviceRisk
from analyzers.sbom_graph.what_if import Removal, Upgrade, rank_removals, rank_upgrades
from analyzers.vex import bind
from connectors.reading import read_bytes, unpack
from connectors.scans.readers import parse_document, read_contents
from connectors.scans.sbom import read_sbom
from connectors.scans.vdr import read_vdr
from connectors.scans.vex import read_cyclonedx_vex
from meddojo.case import Case
from meddojo.config import Config
from meddojo.device import Device
from meddojo.errors import InputError
from meddojo.finding import Finding
from meddojo.sbom import Component, Sbom, ScanReport
from meddojo.store import Store
from meddojo.vex import VexDocument, VexStatement
from scheduler.cases import build_case_of
from scheduler.console import Console
from scheduler.judging import analyzers, judge

_OWN = "sbom_graph"
WORTH_TELLING = 0.05
"""Probability of a CVE within a year below which a component is not named: one in a hundred of Debian's has one."""


@dataclass(frozen=True, slots=True)
class Scored:
    """An SBOM with what is known of its components.

    Attributes
    ----------
    findings
        What touches it, before positions are told.
    """

    file: str
    sbom: Sbom
    case: Case
    findings: tuple[Finding, ...]
    assessment: Assessment

    @property
    def risk(self) -> DeviceRisk:
        """Its risk."""
        return self.assessment.risk


def score_file(
    file: Path, scans: Iterable[Path], statements: Iterable[Path], config: Config, store: Store, console: Console
) -> Scored:
    """Read an SBOM and score it.

    Vulnerabilities come from the document itself (VDR), from scan reports, and from the records of the store.

    Parameters
    ----------
    scans, statements
        Reports of Grype or Trivy, SARIF, VDR; VEX documents. A file of either kind may hold both.

    Raises
    ------
    InputError
        If one of the files cannot be read.
    """
    data = read_bytes(file)
    sbom = read_sbom(data, str(file))
    for problem in sbom.problems:
        console.detail(f"{file}: {problem}")
    now = datetime.now(UTC)
    reports, documents = _own_contents(data, str(file), now, console)
    for path in (*scans, *statements):
        contents = read_contents(read_bytes(path), str(path), now)
        reports += [contents.report] if contents.report else []
        documents += [(str(path), contents.statements)] if contents.statements else []
        for miss in contents.skipped:
            console.warn(f"{miss.origin}: {miss.reason}")
    device = _device(sbom, file)
    case = build_case_of(device, sbom, reports, store, now)
    case = replace(case, vex=(*case.vex, *_stated(documents, device, sbom, reports, str(file), console)))
    steps = [step for step in analyzers(config.analyzers) if step.name != _OWN]
    findings = judge(case, steps)
    return Scored(str(file), sbom, case, findings, assess(case, sbom, findings))


def compare(old: Scored, new: Scored) -> SbomDiff:
    """What changed from one SBOM to the next."""
    return compare_sboms(old.sbom, new.sbom)


def vulnerabilities(scored: Scored) -> frozenset[tuple[str, str]]:
    """Vulnerability and package, without versions, of everything that has a part in the risk."""
    graph = scored.risk.graph
    return frozenset(
        (each.check, package_of(graph.components[part.node]))
        for part in scored.risk.ranking
        for each in part.vulnerabilities
    )


def expected_next(scored: Scored, limit: int) -> list[tuple[Component, float]]:
    """Components that will most probably receive a CVE within a year, with the probability: a prediction."""
    chances = next_cves(scored.case, scored.sbom)
    likely = [
        (part, chances[part.ref]) for part in scored.sbom.components if chances.get(part.ref, 0.0) >= WORTH_TELLING
    ]
    return sorted(likely, key=lambda pair: (-pair[1], pair[0].label))[:limit]


def score_as_dict(scored: Scored, limit: int) -> dict[str, Any]:
    """For ``--json``: every risky component, and the first `limit` upgrades and removals."""
    risk, sbom = scored.risk, scored.sbom
    return {
        "file": scored.file,
        "format": sbom.format,
        "device": scored.case.device.model,
        "version": scored.case.device.version,
        "components": len(sbom.components),
        "dependencies": len(sbom.dependencies),
        "unlisted": [component.label for component in scored.assessment.unlisted],
        **_totals(risk),
        "ranking": [_component(risk, part) for part in risk.ranking],
        "upgrades": [_upgrade(risk, each) for each in rank_upgrades(risk, limit)],
        "removals": [_removal(risk, each) for each in rank_removals(risk, limit)],
        "predicted_cve_within_a_year": [
            {**_named(component), "probability": round(chance, 3)} for component, chance in expected_next(scored, limit)
        ],
        "problems": list(sbom.problems),
    }


def diff_as_dict(old: Scored, new: Scored) -> dict[str, Any]:
    """For ``--json``."""
    found = compare(old, new)
    before, after = vulnerabilities(old), vulnerabilities(new)
    return {
        "old": {"file": old.file, "components": len(old.sbom.components), **_totals(old.risk)},
        "new": {"file": new.file, "components": len(new.sbom.components), **_totals(new.risk)},
        "added": [_named(component) for component in found.added],
        "removed": [_named(component) for component in found.removed],
        "upgraded": list(map(_move, found.upgraded)),
        "downgraded": list(map(_move, found.downgraded)),
        "changed": list(map(_move, found.changed)),
        "unchanged": found.unchanged,
        "vulnerabilities_gone": _pairs(before - after),
        "vulnerabilities_new": _pairs(after - before),
    }


def _own_contents(
    data: bytes, origin: str, now: datetime, console: Console
) -> tuple[list[ScanReport], list[tuple[str, VexDocument]]]:
    """What a CycloneDX document reports and states about its own components."""
    text = unpack(data, origin)
    document = parse_document(text, origin) if text.lstrip()[:1] in (b"{", b"<") else None
    if not isinstance(document, dict) or "bomFormat" not in document or not document.get("vulnerabilities"):
        return [], []
    report, missed = read_vdr(document, origin, now)
    statements, unstated = read_cyclonedx_vex(document, origin, now)
    for miss in dict.fromkeys((*missed, *unstated)):
        console.warn(f"{miss.origin}: {miss.reason}")
    return [report], [(origin, statements)] if statements.statements else []


def _stated(
    documents: Iterable[tuple[str, VexDocument]],
    device: Device,
    sbom: Sbom,
    reports: Sequence[ScanReport],
    own: str,
    console: Console,
) -> list[VexStatement]:
    """What VEX documents state, taken to be about this product; its own may name parts that go by no other name."""
    found: list[VexStatement] = []
    for origin, document in documents:
        try:
            found += bind(document, device, sbom, reports, origin).statements
        except InputError as error:
            if origin != own:
                raise
            console.detail(error.message)
    return found


def _device(sbom: Sbom, file: Path) -> Device:
    """The product that an SBOM describes; without a root it goes by the name of the file."""
    root = next((component for component in sbom.components if component.ref == sbom.root), None)
    if root is None:
        return Device(f"sbom:{file.name}", "", file.name)
    return Device(f"sbom:{root.ref}", root.supplier, root.name, root.version, cpe=root.cpe, purl=root.purl)


def _totals(risk: DeviceRisk) -> dict[str, Any]:
    known = {each.check for part in risk.ranking for each in part.vulnerabilities}
    return {
        "score": round(risk.score, 2),
        "severity": risk.severity.value,
        "chance": round(risk.chance, 6),
        "vulnerabilities": len(known),
        "vulnerable_components": len(risk.ranking),
    }


def _component(risk: DeviceRisk, part: ComponentRisk) -> dict[str, Any]:
    graph = risk.graph
    return {
        **_named(graph.components[part.node]),
        "share": round(part.hazard / risk.hazard, 6),
        "direct": round(part.direct, 6),
        "exposure": round(part.exposure, 6),
        "propagated": round(part.propagated, 6),
        "place": part.place.value,
        "depth": part.depth,
        "dependents": part.dependents,
        "vulnerabilities": [asdict(each) for each in part.vulnerabilities],
        "paths": [[graph.label(node) for node in path] for path in shortest_paths(graph, part.node)],
    }


def _upgrade(risk: DeviceRisk, upgrade: Upgrade) -> dict[str, Any]:
    return {
        **_named(risk.graph.components[upgrade.nodes[0]]),
        "components": [risk.graph.label(node) for node in upgrade.nodes],
        "to": upgrade.target,
        "score": round(upgrade.score, 2),
        "takes_away": round(upgrade.hazard / risk.hazard, 6),
        "fixes": list(upgrade.fixes),
        "leaves": list(upgrade.leaves),
    }


def _removal(risk: DeviceRisk, removal: Removal) -> dict[str, Any]:
    return {
        **_named(risk.graph.components[removal.node]),
        "components": removal.components,
        "score_at_most": round(removal.score, 2),
        "takes_away": round(removal.hazard / risk.hazard, 6),
        "removes": list(removal.removes),
    }


def _named(component: Component) -> Mapping[str, str]:
    return {
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
        "cpe": component.cpe,
        "ref": component.ref,
    }


def _move(move: Move) -> dict[str, str]:
    return {"name": move.after.name, "purl": move.after.purl, "from": move.before.version, "to": move.after.version}


def _pairs(found: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"vulnerability": check, "package": package} for check, package in sorted(found)]
