"""Several sources, one finding."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from analyzers.matching.candidates import Candidate, Source
from analyzers.matching.merge import UNRATED, merge
from meddojo.advisory import Remediation
from meddojo.case import Case
from meddojo.device import Device
from meddojo.finding import Citation, Finding, Stream
from meddojo.sbom import Component
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore, Vulnerability

CASE = Case(Device("d1", "Acme", "Pump 3"), datetime(2024, 9, 1, tzinfo=UTC))
CVE, GHSA = "CVE-2024-0001", "GHSA-aaaa-bbbb-cccc"


def cvss(score: float, version: str = "3.1", scorer: str = "nvd@nist.gov") -> CvssScore:
    return CvssScore(f"CVSS:{version}/{score}", score, version, scorer)


ADVISORY = Candidate(
    (CVE,),
    Source.ADVISORY,
    Citation("CISA ICSMA-24-001-01", "https://a.example", 0.97, "named"),
    summary="from the advisory",
    cvss=(cvss(7.5, scorer="CISA"),),
    cwes=(79,),
    remediations=(Remediation("vendor_fix", "update"),),
    fix_versions=("2.0",),
    references=("https://b.example",),
)
RECORD = Candidate(
    (CVE,), Source.RECORD, Citation("NVD", CVE, 0.85, "cpe"), "from NVD", (cvss(9.8, "4.0"), cvss(9.1)), (79, 20)
)
SCAN = Candidate(
    (GHSA, CVE),
    Source.SCAN,
    Citation("grype", "pkg:npm/a@1", 0.9, "scan"),
    cvss=(cvss(5.0, scorer="github"),),
    severity=Severity.LOW,
    epss=EpssScore(CVE, 0.5, 0.9, date(2024, 9, 1)),
    components=(Component("1", "a", "1"),),
    fix_versions=("1.1",),
)


def one(*claims: Candidate, case: Case = CASE) -> Finding:
    (finding,) = merge(case, claims, 0.8, 0.5)
    return finding


def test_one_finding_cites_every_source() -> None:
    finding = one(SCAN, RECORD, ADVISORY)
    assert finding.stream is Stream.VULNERABILITIES
    assert finding.component_key == ""
    assert (finding.check, finding.aliases) == (CVE, (CVE, GHSA))
    assert finding.title == f"{CVE} in Acme Pump 3"
    assert [citation.source for citation in finding.citations] == ["CISA ICSMA-24-001-01", "NVD", "grype"]
    assert finding.probability == 0.97
    assert finding.summary == "from the advisory"
    assert finding.cwes == (20, 79)
    assert finding.fix_versions == ("1.1", "2.0")
    assert finding.components == (Component("1", "a", "1"),)
    assert finding.epss is not None
    assert len(finding.cvss) == 4


@pytest.mark.parametrize(
    ("claims", "severity", "words"),
    [
        (
            [SCAN, RECORD, ADVISORY],
            Severity.HIGH,
            "CVSS 3.1 base score 7.5 by CISA ICSMA-24-001-01 (CISA): CVSS:3.1/7.5",
        ),
        ([SCAN, RECORD], Severity.CRITICAL, "CVSS 4.0 base score 9.8 by NVD"),
        ([SCAN], Severity.MEDIUM, "CVSS 3.1 base score 5.0 by grype (github)"),
        ([replace(SCAN, cvss=())], Severity.LOW, "grype rates it Low"),
        ([replace(ADVISORY, cvss=())], Severity.MEDIUM, UNRATED),
    ],
)
def test_severity_names_its_source(claims: list[Candidate], severity: Severity, words: str) -> None:
    finding = one(*claims)
    assert finding.severity is severity
    assert words in finding.severity_reason


def test_a_record_that_does_not_name_the_device_still_describes() -> None:
    record = Vulnerability(CVE, "NVD", "what it is", cvss=(cvss(9.1),), cwes=(20,), references=("https://n.example",))
    bare = replace(ADVISORY, cvss=(), summary="", cwes=())
    finding = one(bare, case=replace(CASE, vulnerabilities=(record,)))
    assert finding.severity is Severity.CRITICAL
    assert finding.summary == "what it is"
    assert finding.cwes == (20,)
    assert [citation.source for citation in finding.citations] == ["CISA ICSMA-24-001-01"]


def test_nvd_goes_before_other_scorers_of_its_record() -> None:
    record = replace(RECORD, cvss=(cvss(9.9, "4.0", "vendor@x"), cvss(5.0, "3.0"), cvss(4.1, "2.0")))
    assert one(record).severity is Severity.MEDIUM


@pytest.mark.parametrize(("probability", "review"), [(0.8, False), (0.7999, True), (0.5, True)])
def test_the_review_band(probability: float, review: bool) -> None:
    claim = replace(ADVISORY, citation=replace(ADVISORY.citation, probability=probability))
    assert one(claim).needs_review is review


def test_below_the_review_band_nothing_is_delivered_unless_another_source_is_surer() -> None:
    weak = replace(ADVISORY, citation=replace(ADVISORY.citation, probability=0.49))
    assert merge(CASE, [weak], 0.8, 0.5) == ()
    assert one(weak, ADVISORY).probability == ADVISORY.citation.probability


def test_an_alias_published_later_keeps_the_identity() -> None:
    before = one(replace(SCAN, identifiers=(GHSA,)))
    after = one(SCAN, ADVISORY, case=replace(CASE, known_as={GHSA: GHSA}))
    assert before.check == GHSA
    assert after.identity == before.identity
    assert CVE in after.aliases


def test_the_order_of_the_input_does_not_matter() -> None:
    other = replace(RECORD, identifiers=("CVE-2024-0002",), citation=Citation("NVD", "CVE-2024-0002", 0.6, "x"))
    claims = [ADVISORY, RECORD, SCAN, other, replace(SCAN, components=(Component("2", "b", "1"),))]
    expected = merge(CASE, claims, 0.8, 0.5)
    generator = random.Random(3)
    for _ in range(20):
        generator.shuffle(claims)
        assert merge(CASE, claims, 0.8, 0.5) == expected
