"""What a vulnerability on this device means for a patient: the analyzer ``clinical_risk``.

Published base scores rate a vulnerability wherever it may be. This analyzer adds what the inventory says of the
device: the CVSS environmental score, the SSVC decision, and a line on hazard and harm. Nothing published is lost: base
score and vector stay on the finding, and each figure names what it rests on. ``docs/clinical-risk.md`` tells how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analyzers.clinical_risk import exploitation, hazards, rubric, ssvc, vectors
from analyzers.clinical_risk.circumstances import circumstances
from analyzers.clinical_risk.rules import Fact, answer_all
from meddojo.case import Case
from meddojo.clinical import ClinicalRisk, EnvironmentalScore, SsvcDecision
from meddojo.config import AnalyzerConfig
from meddojo.finding import Finding, Stream
from meddojo.severity import Severity
from meddojo.vulnerability import Vulnerability

_TAGS = frozenset(decision.tag for decision in SsvcDecision)


@dataclass(frozen=True, slots=True)
class ClinicalRiskAnalyzer:
    """Analyzer that rates vulnerabilities for the device they are on; it neither adds nor removes findings."""

    config: AnalyzerConfig
    name: str = "clinical_risk"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings, those of the vulnerability stream rated."""
        known = circumstances(case.device, self.config)
        records: dict[str, list[Vulnerability]] = {}
        for record in sorted(case.vulnerabilities, key=lambda record: (record.source, record.id)):
            records.setdefault(record.id, []).append(record)
        return tuple(
            self._rated(case, finding, known, records) if finding.stream is Stream.VULNERABILITIES else finding
            for finding in findings
        )

    def _rated(
        self, case: Case, finding: Finding, known: Mapping[str, Fact], records: Mapping[str, Sequence[Vulnerability]]
    ) -> Finding:
        published = finding.cvss[0] if finding.cvss else None
        vector = vectors.parse(published) if published else None
        measured = vectors.facts(vector) if vector else {}
        about = [
            record for name in dict.fromkeys((finding.check, *finding.aliases)) for record in records.get(name, ())
        ]
        facts = answer_all(rubric.questions(), {**known, **measured, **exploitation.evidence(finding, about)})
        outcome = ssvc.decide(facts)
        scored, answers = rubric.score(vector, published, facts) if vector and published else (None, ())
        delivered = scored is not None and self.config.severity == "environmental"
        finding = replace(
            finding,
            clinical=ClinicalRisk(
                decision=outcome.decision,
                path=outcome.path,
                ssvc_vector=outcome.vector,
                hazard=hazards.line(facts, case.device.profile),
                environmental=replace(scored, delivered=delivered) if scored else None,
                answers=(*answers, *outcome.answers),
            ),
            tags=tuple(sorted({*(tag for tag in finding.tags if tag not in _TAGS), outcome.decision.tag})),
        )
        return _with_severity(finding, scored) if delivered and scored else finding


def build(config: AnalyzerConfig) -> ClinicalRiskAnalyzer:
    """Make the analyzer; entry point ``meddojo.analyzers``."""
    return ClinicalRiskAnalyzer(config)


def _with_severity(finding: Finding, scored: EnvironmentalScore) -> Finding:
    """Deliver the band of the environmental score, naming both scores."""
    reason = f"CVSS {scored.version} environmental score {scored.score:.1f} on this device: {scored.vector}"
    return replace(
        finding,
        severity=Severity.from_score(scored.score),
        severity_reason=f"{reason}; published: {finding.severity_reason}",
    )
