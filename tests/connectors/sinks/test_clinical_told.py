"""What a vulnerability means for a patient, as the destinations show it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.sinks import sarif
from connectors.sinks.facts import headline_score
from connectors.sinks.generic_findings import row
from connectors.sinks.report.embedded import details, index
from connectors.sinks.report.model import read
from connectors.sinks.report.page import render
from meddojo.clinical import Answer, ClinicalRisk, EnvironmentalScore, SsvcDecision
from meddojo.finding import Finding, Stream
from meddojo.interface import RunContext, StreamResult
from meddojo.severity import Severity
from tests.connectors.sinks.defectdojo_ward import Ward, counts
from tests.connectors.sinks.defectdojo_ward import finding as of_pump
from tests.connectors.sinks.report_samples import CT, STARTED, finding
from tests.standin.server import DefectDojoStandin

PLAIN = finding(CT, "CVE-2015-5374", score=7.5)
BASE, HERE = PLAIN.cvss[0].vector, PLAIN.cvss[0].vector + "/IR:H/AR:H/MAV:A"
SCORED = EnvironmentalScore(HERE, 8.8, "3.1", BASE, 7.5, delivered=True)
CLINICAL = ClinicalRisk(
    SsvcDecision.TRACK_CLOSELY,
    "Exploitation: none (default: <b>no</b> evidence) → Track*",
    "SSVCv2/E:N/A:N/T:T/P:E/B:A/M:H/D:R/",
    "Hazardous situation: therapy could stop. Possible harm: underdose. Existing controls: none stated.",
    SCORED,
    (Answer("AR", "H", "AR:H", "delivers yes (inventory)"), Answer("Exploitation", "none", "", "default: no evidence")),
)
TOLD = replace(PLAIN, clinical=CLINICAL, tags=("ssvc-track-closely",))


def ranked(check: str, decision: SsvcDecision, severity: Severity) -> Finding:
    clinical = replace(CLINICAL, decision=decision, environmental=None)
    return replace(finding(CT, check), clinical=clinical, severity=severity)


def test_the_headline_is_the_score_that_was_delivered() -> None:
    score = headline_score(TOLD)
    assert score is not None and (score.base_score, score.vector, score.scorer) == (8.8, HERE, "on this device")
    kept = replace(TOLD, clinical=replace(CLINICAL, environmental=replace(SCORED, delivered=False)))
    assert headline_score(kept) == PLAIN.cvss[0] == headline_score(PLAIN)


def test_in_defectdojo_where_texts_may_change() -> None:
    plain, told = row(PLAIN, CT), row(TOLD, CT)
    assert told["impact"].index("Hazardous situation: therapy could stop.") < told["impact"].index("**Device:**")
    reason = told["severity_justification"]
    assert f"- **On this device:** CVSS 3.1 8.8 {HERE}" in reason and f"- **Published:** CVSS 3.1 7.5 {BASE}" in reason
    assert r"default: \<b\>no\</b\> evidence" in reason and r"→ Track\*" in reason
    assert "- AR:H from AR = H: delivers yes (inventory)" in reason
    assert "ssvc-track-closely" in told["tags"]
    assert "Hazardous" not in plain["impact"] and "SSVC" not in plain["severity_justification"]
    for field in ("title", "description", "unique_id_from_tool", "cvssv3"):
        assert plain[field] == told[field]


def test_without_an_environmental_score_the_published_one_stands_alone() -> None:
    reason = row(replace(TOLD, clinical=replace(CLINICAL, environmental=None)), CT)["severity_justification"]
    assert "On this device" not in reason and "**SSVC:**" in reason


def test_in_sarif() -> None:
    log = sarif.document([StreamResult(CT, TOLD.stream, (TOLD,))], RunContext(STARTED, ()))
    (result,) = log["runs"][0]["results"]
    clinical = result["properties"]["clinical"]
    assert clinical["ssvc"] == {"decision": "Track*", "path": CLINICAL.path, "vector": CLINICAL.ssvc_vector}
    assert clinical["environmental"]["score"] == 8.8 and clinical["environmental"]["baseScore"] == 7.5
    assert clinical["answers"][0]["origin"] == "delivers yes (inventory)" and clinical["hazard"] == CLINICAL.hazard
    assert "SSVC decision: Track*." in result["message"]["text"]
    (rule,) = log["runs"][0]["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == "8.8"


def test_in_the_report() -> None:
    results = [StreamResult(CT, TOLD.stream, (TOLD, finding(CT, "CVE-2015-5375")))]
    report = read(results, RunContext(STARTED, ()))
    listed, told = index(report.devices), details(report.devices)
    column = listed["columns"].index("ssvc")
    assert sorted(each[column] for each in listed["rows"]) == [-1, 1]
    pooled = told["pool"][told["rows"][0][told["columns"].index("clinical")]]
    assert pooled["scores"] == [["on this device", "3.1", 8.8, HERE], ["published", "3.1", 7.5, BASE]]
    assert pooled["hazard"] == CLINICAL.hazard and pooled["answers"][1] == [
        "Exploitation",
        "",
        "none",
        "default: no evidence",
    ]
    page = render(results, RunContext(STARTED, ()))
    assert '<span class="badge ssvc-track-closely">Track*</span>' in page
    assert 'name="ssvc" value="Act"' in page and "<b>no</b>" not in page


def test_a_report_without_decisions_offers_no_filter_for_them() -> None:
    assert 'name="ssvc"' not in render([StreamResult(CT, PLAIN.stream, (PLAIN,))], RunContext(STARTED, ()))


def test_the_report_puts_the_decision_before_the_severity() -> None:
    findings = (
        ranked("CVE-2024-0001", SsvcDecision.TRACK, Severity.CRITICAL),
        ranked("CVE-2024-0002", SsvcDecision.ACT, Severity.MEDIUM),
        ranked("CVE-2024-0003", SsvcDecision.ACT, Severity.HIGH),
    )
    report = read([StreamResult(CT, Stream.VULNERABILITIES, findings)], RunContext(STARTED, ()))
    expected = ["CVE-2024-0003", "CVE-2024-0002", "CVE-2024-0001"]
    assert [topic.check for topic in report.topics] == expected
    assert [entry.finding.check for entry in report.devices[0].entries] == expected
    assert report.ssvc == {SsvcDecision.ACT: 2, SsvcDecision.TRACK: 1}


@pytest.mark.parametrize("lost", [False, True])
def test_a_second_push_patches_nothing(tmp_path: Path, lost: bool) -> None:
    rated = replace(of_pump(1), clinical=CLINICAL, tags=("ssvc-track-closely",))
    with DefectDojoStandin() as dojo:
        ward = Ward(tmp_path, dojo.url, dojo.token)
        assert counts(ward.push(rated)) == (1, 0, 0, 0)
        if lost:
            ward.lose_ledger()
        second = ward.push(rated)
        assert counts(second) == (0, 0, 0, 0) and second.patched == 0
        other = replace(rated, clinical=replace(CLINICAL, hazard="Hazardous situation: another."))
        assert ward.push(other).patched == 1 and ward.push(other).patched == 0
        ward.close()
