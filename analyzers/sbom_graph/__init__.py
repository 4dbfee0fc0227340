"""Which vulnerable components matter where they sit, and which upgrade removes most risk: the analyzer ``sbom_graph``.

Each vulnerability finding that names components is told where these sit. It stays one finding per device and
vulnerability: a CVE in four packages of one source is one piece of work, and one decision. The device as a whole gets
one finding of the stream "supply chain", with its score and the ranked upgrades. ``docs/sbom.md`` tells how.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analyzers.sbom_graph.assess import Assessment, assess
from analyzers.sbom_graph.forthcoming import foretold, next_cves
from analyzers.sbom_graph.graph import Place
from analyzers.sbom_graph.telling import positions, reason, removal_line, upgrade_line
from analyzers.sbom_graph.what_if import rank_removals, rank_upgrades
from meddojo.advisory import Remediation
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.finding import Citation, Finding, Stream
from meddojo.sbom import Sbom

CHECK = "sbom-upgrades"
SUMMARY = (
    "Risk of the device by its software components: their known vulnerabilities, weighed by how near each component"
    " is to whoever reaches the device and by how much needs it; and the upgrades that take most of it away."
)
_REMOVALS = 3


@dataclass(frozen=True, slots=True)
class SbomGraph:
    """Analyzer that tells where components sit, and adds one finding for a device whose components carry risk."""

    name: str = "sbom_graph"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings with their positions, and the supply-chain finding where there is any risk."""
        sbom = case.sbom
        if sbom is None or all(component.ref == sbom.root for component in sbom.components):
            return tuple(findings)
        assessment = assess(case, sbom, findings)
        nodes, risk = assessment.nodes, assessment.risk
        told = tuple(
            replace(finding, supply_path=positions(risk, nodes[finding.identity]))
            if finding.identity in nodes
            else finding
            for finding in findings
        )
        return (*told, supply_chain_finding(case, sbom, assessment)) if risk.hazard > 0.0 else told


def build(config: AnalyzerConfig) -> SbomGraph:
    """Make the analyzer; entry point ``meddojo.analyzers``."""
    return SbomGraph()


def supply_chain_finding(case: Case, sbom: Sbom, assessment: Assessment) -> Finding:
    """The one finding about the components of a device as a whole."""
    risk = assessment.risk
    return Finding(
        stream=Stream.SUPPLY_CHAIN,
        device_id=case.device.id,
        check=CHECK,
        title=f"Supply-chain risk of {case.device.label}",
        severity=risk.severity,
        severity_reason=reason(risk),
        probability=1.0,
        summary=SUMMARY,
        remediations=tuple(_remediations(assessment)),
        citations=(Citation("SBOM", sbom.format, 1.0, _evidence(assessment)),),
        supply_path=positions(risk, [part.node for part in risk.ranking]),
        predicted=foretold(sbom, next_cves(case, sbom)),
    )


def _remediations(assessment: Assessment) -> Iterator[Remediation]:
    risk = assessment.risk
    for upgrade in rank_upgrades(risk):
        yield Remediation("vendor_fix", upgrade_line(risk, upgrade))
    for removal in rank_removals(risk, _REMOVALS):
        yield Remediation("mitigation", removal_line(risk, removal))


def _evidence(assessment: Assessment) -> str:
    graph = assessment.risk.graph
    reached = graph.places.count(Place.REACHED) - (not graph.stated_root)
    unlisted = len(assessment.unlisted)
    said = f"{len(graph.components) - unlisted:,} components with {graph.edges:,} dependencies between them"
    said += f", of which {reached:,} are reached from the root" if graph.stated_root else "; it states no root"
    return f"{said}; {unlisted:,} more are not in it, but reported by others" if unlisted else said
