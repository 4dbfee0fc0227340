"""The analyzer in the road: what is missing is filled in, what is published stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analyzers.matching.merge import UNRATED
from analyzers.vuln_classifier import TAG_PREDICTED, VulnerabilityClassifier, build, published_record
from analyzers.vuln_classifier.classifier import Classifier
from analyzers.vuln_classifier.filling import has_enough
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.finding import Finding, Prediction, Stream
from meddojo.interface import Analyzer
from meddojo.serialise import from_json, to_json
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import Vulnerability

TEXT = "In the pump of version 9.1.2 a remote attacker runs arbitrary code on the network."
CASE = Case(Device("d1", "Acme", "Pump"), datetime(2024, 9, 1, tzinfo=UTC))
UNKNOWN = Finding(
    Stream.VULNERABILITIES,
    "d1",
    "CVE-2024-1",
    "t",
    Severity.MEDIUM,
    UNRATED,
    0.9,
    aliases=("CVE-2024-1",),
    summary=TEXT,
)
RATED = replace(
    UNKNOWN,
    severity=Severity.LOW,
    severity_reason="CVSS 3.1 base score 2.0 by NVD",
    cvss=(CvssScore("CVSS:3.1/AV:P", 2.0, "3.1", "NVD"),),
    cwes=(79,),
)


def judge(classifier: Classifier, finding: Finding, case: Case = CASE) -> Finding:
    (judged,) = VulnerabilityClassifier(classifier).judge(case, [finding])
    return judged


def test_what_nobody_rated_is_rated_marked_and_explained(small: Classifier) -> None:
    judged = judge(small, UNKNOWN)
    assert judged.predicted is not None
    assert (judged.severity, judged.predicted.severity) == (Severity.CRITICAL, Severity.CRITICAL)
    assert (
        judged.severity_reason.startswith("predicted Critical with probability 0.") or "1.00" in judged.severity_reason
    )
    assert small.version in judged.severity_reason and judged.predicted.vector in judged.severity_reason
    assert TAG_PREDICTED in judged.tags
    assert any('"' in line and "moved" in line for line in judged.predicted.lines)
    assert judged.cvss == () and judged.cwes == ()  # a prediction is never among the published values
    assert judged.identity == UNKNOWN.identity


def test_a_published_rating_and_weakness_win(small: Classifier) -> None:
    assert judge(small, RATED) == RATED


def test_a_missing_weakness_alone_is_filled_in_and_the_rating_stays(small: Classifier) -> None:
    judged = judge(small, replace(RATED, cwes=()))
    assert judged.predicted is not None
    assert (judged.severity, judged.severity_reason) == (RATED.severity, RATED.severity_reason)
    assert judged.predicted.severity is None and TAG_PREDICTED not in judged.tags
    assert judged.predicted.weaknesses[0][0] == 94


def test_a_source_that_states_a_band_without_a_score_wins_too(small: Classifier) -> None:
    stated = replace(UNKNOWN, severity=Severity.HIGH, severity_reason="grype rates it High; no CVSS score is published")
    assert judge(small, stated).severity is Severity.HIGH


@pytest.mark.parametrize(
    "text", ["", "To be announced.", "漏洞详情尚未公布", "\x00\x01\x02", "<html><body></body></html>"]
)
def test_where_there_is_not_enough_to_go_on_it_says_so(small: Classifier, text: str) -> None:
    judged = judge(small, replace(UNKNOWN, summary=text))
    assert judged.severity is Severity.MEDIUM
    assert "not enough to go on" in judged.severity_reason and UNRATED in judged.severity_reason
    assert TAG_PREDICTED not in judged.tags


def test_below_the_floor_it_abstains(small: Classifier) -> None:
    judged = judge(replace(small, floor=1.1), UNKNOWN)
    assert judged.severity is Severity.MEDIUM and "not enough to go on" in judged.severity_reason
    assert judged.predicted is not None and judged.predicted.probability > 0.5


@pytest.mark.parametrize(
    "text", [TEXT * 500, TEXT.replace(" ", "\x00 "), f"<p>{TEXT}</p>" * 3, TEXT.upper(), TEXT + "\ud800" + "é" * 9999]
)
def test_strange_texts_do_not_break_it(small: Classifier, text: str) -> None:
    assert judge(small, replace(UNKNOWN, summary=text)).predicted is not None


def test_the_record_of_the_cve_tells_assigner_and_product(small: Classifier) -> None:
    record = Vulnerability("CVE-2024-1", "nvd", "own words", assigner="psirt@acme.example")
    found = published_record(UNKNOWN, {"CVE-2024-1": [record]})
    assert (found.description, found.assigner) == ("own words", "psirt@acme.example")
    assert has_enough(small, found) is False
    case = replace(CASE, vulnerabilities=(replace(record, description=TEXT),))
    assert judge(small, replace(UNKNOWN, summary=""), case).severity is Severity.CRITICAL


def test_the_same_case_gives_the_same_findings_and_they_survive_the_store(small: Classifier) -> None:
    first, again = judge(small, UNKNOWN), judge(small, UNKNOWN)
    assert first == again
    assert from_json(Finding, to_json(first)) == first


def test_it_is_an_analyzer_and_leaves_other_streams_alone(small: Classifier) -> None:
    assert isinstance(build(AnalyzerConfig()), Analyzer)
    other = replace(UNKNOWN, stream=Stream.COMPLIANCE)
    assert judge(small, other) == other


def test_the_shipped_model_rates_a_plain_case() -> None:
    text = (
        "An unauthenticated remote attacker on the network can execute arbitrary code on the pump by sending a "
        "crafted request, which leads to a stack-based buffer overflow."
    )
    (judged,) = build(AnalyzerConfig()).judge(CASE, [replace(UNKNOWN, summary=text)])
    assert judged.severity in (Severity.CRITICAL, Severity.HIGH)
    assert judged.predicted is not None and judged.predicted.vector.startswith("CVSS:3.1/AV:N/AC:L/PR:N")


def test_lines_of_a_prediction_name_what_is_expected() -> None:
    lines = Prediction("m", weaknesses=((79, 0.8),), exploited=0.012, remarks=("r",)).lines
    assert lines == (
        "expected weakness: CWE-79 (0.80)",
        "estimated chance to be listed as known exploited within a year: 1.2%",
        "r",
    )
