"""The analyzer as a whole, and the shipped hospital judged by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analyzers.clinical_risk import build
from meddojo.case import Case
from meddojo.clinical import SsvcDecision
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.finding import Finding, Stream
from meddojo.interface import Analyzer
from meddojo.profile import Profile, Purpose
from meddojo.serialise import from_json, to_json
from meddojo.severity import CvssScore, Severity
from meddojo.store import Store
from meddojo.store.findings import StreamState
from meddojo.vulnerability import SsvcPoints, Vulnerability

NOW = datetime(2024, 9, 1, tzinfo=UTC)
MILD = CvssScore("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:L", 6.5, "3.1", "nvd@nist.gov")
FINDING = Finding(
    Stream.VULNERABILITIES,
    "d",
    "CVE-2024-0001",
    "t",
    MILD.severity,
    "CVSS 3.1 base score 6.5 by NVD",
    1.0,
    aliases=("CVE-2024-0001", "GHSA-aaaa"),
    cvss=(MILD,),
    tags=("kev",),
)
UNKNOWN = Device("d", "Acme", "Box")
VENTILATOR = replace(UNKNOWN, fda_product_code="CBK")
LAMP = replace(UNKNOWN, iec62304_class="A", profile=Profile(purpose=Purpose.SUPPORT))


def judged(
    device: Device, finding: Finding = FINDING, *records: Vulnerability, severity: str = "environmental"
) -> Finding:
    config = AnalyzerConfig(severity=severity)  # type: ignore[arg-type]
    (result,) = build(config).judge(Case(device, NOW, vulnerabilities=records), [finding])
    return result


def test_is_an_analyzer() -> None:
    assert isinstance(build(AnalyzerConfig()), Analyzer)


def test_the_same_vulnerability_is_severe_here_and_mild_there() -> None:
    grave, mild = judged(VENTILATOR), judged(LAMP)
    assert (grave.severity, mild.severity) == (Severity.CRITICAL, Severity.MEDIUM)
    assert grave.clinical is not None and mild.clinical is not None
    assert grave.clinical.environmental is not None and mild.clinical.environmental is not None
    assert grave.clinical.environmental.score > MILD.base_score > mild.clinical.environmental.score


def test_the_reason_names_both_scores_and_the_published_score_stays() -> None:
    grave = judged(VENTILATOR)
    assert grave.severity_reason.startswith("CVSS 3.1 environmental score 9.8 on this device: CVSS:3.1/")
    assert grave.severity_reason.endswith("; published: CVSS 3.1 base score 6.5 by NVD")
    assert grave.cvss == (MILD,)
    assert grave.clinical is not None and grave.clinical.environmental is not None
    assert (grave.clinical.environmental.base_score, grave.clinical.environmental.base_vector) == (6.5, MILD.vector)


def test_every_answer_has_an_origin() -> None:
    clinical = judged(VENTILATOR).clinical
    assert clinical is not None
    assert all(answer.origin for answer in clinical.answers)
    scored = clinical.environmental
    assert scored is not None
    extra = set(scored.vector.split("/")) - set(MILD.vector.split("/"))
    assert extra == {answer.gives for answer in clinical.answers if answer.gives}
    assert any("(FDA product code CBK)" in answer.origin for answer in clinical.answers)


def test_the_published_severity_can_be_kept() -> None:
    kept = judged(VENTILATOR, severity="published")
    assert (kept.severity, kept.severity_reason) == (FINDING.severity, FINDING.severity_reason)
    assert kept.clinical is not None and kept.clinical.environmental is not None
    assert not kept.clinical.environmental.delivered and kept.clinical.environmental.score == 9.8


def test_a_device_nothing_is_stated_of_changes_no_severity() -> None:
    plain = judged(UNKNOWN)
    assert (plain.severity, plain.severity_reason) == (FINDING.severity, FINDING.severity_reason)
    assert plain.clinical is not None and plain.clinical.environmental is None
    assert plain.clinical.decision is SsvcDecision.TRACK and "(default: " in plain.clinical.path


@pytest.mark.parametrize("cvss", [(), (CvssScore("nonsense", 7.0, "3.1", "x"),)])
def test_an_unrated_finding_keeps_its_severity(cvss: tuple[CvssScore, ...]) -> None:
    unrated = judged(
        VENTILATOR, replace(FINDING, cvss=cvss, severity=Severity.MEDIUM, severity_reason="nobody rates it")
    )
    assert (unrated.severity, unrated.severity_reason) == (Severity.MEDIUM, "nobody rates it")
    assert unrated.clinical is not None and unrated.clinical.environmental is None
    assert "no source rates the impact" in unrated.clinical.hazard


def test_the_score_starts_from_the_one_the_severity_came_from() -> None:
    second = CvssScore("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:L", 1.6, "3.1", "vendor")
    clinical = judged(VENTILATOR, replace(FINDING, cvss=(MILD, second))).clinical
    assert clinical is not None and clinical.environmental is not None
    assert clinical.environmental.base_vector == MILD.vector


def test_tags_say_the_decision_once() -> None:
    assert judged(VENTILATOR).tags == ("kev", "ssvc-attend")
    assert judged(VENTILATOR, replace(FINDING, tags=("kev", "ssvc-act"))).tags == ("kev", "ssvc-attend")


def test_ssvc_of_the_record_is_found_by_an_alias() -> None:
    other = Vulnerability("GHSA-aaaa", "x", ssvc=SsvcPoints("CISA Coordinator", "active", "no", "total"))
    clinical = judged(VENTILATOR, FINDING, other).clinical
    assert clinical is not None and clinical.decision is SsvcDecision.ACT
    assert "Automatable: no (automatable" not in clinical.path and "SSVC by CISA Coordinator" in clinical.path


def test_findings_of_other_streams_are_left_alone() -> None:
    model = replace(FINDING, stream=Stream.IMAGING_MODEL)
    assert judged(VENTILATOR, model) == model


def test_judging_again_changes_nothing() -> None:
    once = judged(VENTILATOR)
    published = replace(once, severity=FINDING.severity, severity_reason=FINDING.severity_reason)
    assert judged(VENTILATOR, published) == once


def test_survives_json_and_the_store(tmp_path: Path) -> None:
    finding = judged(VENTILATOR)
    assert from_json(Finding, to_json(finding)) == finding
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        state = {Stream.VULNERABILITIES: StreamState(1, "")}
        store.findings.replace("d", [finding], state, NOW)
        assert store.findings.of_device("d") == (finding,)
        assert store.findings.replace("d", [judged(VENTILATOR)], state, NOW).changed == 0
