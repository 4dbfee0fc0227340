"""What a person is told to look at first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from meddojo.clinical import ClinicalRisk, SsvcDecision
from meddojo.finding import Finding, Stream
from meddojo.severity import Severity
from meddojo.vulnerability import KevEntry
from scheduler.summary import urgency


def finding(check: str, severity: Severity, decision: SsvcDecision | None = None) -> Finding:
    clinical = ClinicalRisk(decision, "", "", "") if decision else None
    return Finding(Stream.VULNERABILITIES, "d", check, "t", severity, "r", 1.0, clinical=clinical)


def test_the_decision_goes_before_the_severity_and_doubt_goes_last() -> None:
    track = finding("CVE-2024-0001", Severity.CRITICAL, SsvcDecision.TRACK)
    act = finding("CVE-2024-0002", Severity.MEDIUM, SsvcDecision.ACT)
    graver = finding("CVE-2024-0003", Severity.HIGH, SsvcDecision.ACT)
    doubtful = replace(finding("CVE-2024-0004", Severity.CRITICAL, SsvcDecision.ACT), needs_review=True)
    undecided = replace(finding("CVE-2024-0005", Severity.CRITICAL), kev=KevEntry("CVE-2024-0005", date(2024, 9, 1)))
    ordered = sorted([undecided, doubtful, track, act, graver], key=urgency)
    assert ordered == [graver, act, track, undecided, doubtful]
