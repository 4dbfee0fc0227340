"""From the findings of a device to the risk of its components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzers.sbom_graph.fixes import Fixes
from analyzers.sbom_graph.graph import build_graph
from analyzers.sbom_graph.locate import Locator
from analyzers.sbom_graph.rating import RatedVulnerability, rate
from analyzers.sbom_graph.risk import DeviceRisk, score
from analyzers.vex import cleared_components
from meddojo.case import Case
from meddojo.finding import Finding, Stream, Verdict
from meddojo.sbom import Component, Sbom

ANSWERED = frozenset({Verdict.FALSE_POSITIVE, Verdict.OUT_OF_SCOPE, Verdict.MITIGATED})
"""Verdicts of people after which a vulnerability is no risk here. An accepted risk is still one."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The risk of a device, and where its findings sit.

    Attributes
    ----------
    unlisted
        Components that somebody found on the device and the SBOM does not list; they are the last ones of the graph.
    nodes
        Identity of each vulnerability finding that names components -> their nodes.
    """

    risk: DeviceRisk
    unlisted: tuple[Component, ...]
    nodes: Mapping[str, tuple[int, ...]]


def assess(case: Case, sbom: Sbom, findings: Sequence[Finding]) -> Assessment:
    """Score the components of a device by its findings.

    A finding counts for every component it names, except those that VEX clears; not at all where VEX answers all of
    it or a person decided so (`ANSWERED`). Findings about the device as a whole are no matter of its components.

    Parameters
    ----------
    findings
        Of the case, enriched; other streams than that of vulnerabilities are ignored.
    """
    about = [each for each in findings if each.stream is Stream.VULNERABILITIES and each.components]
    listed = Locator(sbom.components)
    unlisted = listed.strangers(part for finding in about for part in finding.components)
    others = Locator(unlisted)
    offset = len(sbom.components)
    nodes_of: dict[Component, tuple[int, ...]] = {}
    for part in (part for finding in about for part in finding.components):
        if part not in nodes_of:
            nodes_of[part] = listed.find(part) or tuple(offset + node for node in others.find(part))
    nodes = {
        finding.identity: tuple(dict.fromkeys(node for part in finding.components for node in nodes_of[part]))
        for finding in about
    }
    risk = score(build_graph(sbom, unlisted), _rated(case, about, nodes_of))
    return Assessment(risk, unlisted, nodes)


def _rated(
    case: Case, findings: Sequence[Finding], nodes_of: Mapping[Component, tuple[int, ...]]
) -> Mapping[int, Sequence[RatedVulnerability]]:
    answered = {decision.identity for decision in case.decisions if decision.verdict in ANSWERED}
    cleared = cleared_components(case, findings)
    fixes = Fixes(case)
    rated: dict[int, dict[str, RatedVulnerability]] = {}
    for finding in findings:
        if finding.suppressed or finding.identity in answered:
            continue
        free = cleared.get(finding.identity, frozenset())
        for part in finding.components:
            if part not in free:
                known = rate(finding, fixes.of(finding, part))
                for node in nodes_of[part]:
                    rated.setdefault(node, {}).setdefault(finding.check, known)
    return {node: tuple(known.values()) for node, known in rated.items()}
