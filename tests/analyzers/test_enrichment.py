"""KEV, EPSS and tags on findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from analyzers.enrichment import build
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.finding import Finding, Stream
from meddojo.interface import Analyzer
from meddojo.severity import Severity
from meddojo.vulnerability import EpssScore, KevEntry

DAY = date(2024, 9, 1)
FINDING = Finding(
    Stream.VULNERABILITIES, "d1", "CVE-2024-0001", "t", Severity.HIGH, "r", 0.9, aliases=("CVE-2024-0001", "GHSA-aaaa")
)


def enrich(finding: Finding, **parts: object) -> Finding:
    case = Case(Device("d1", "Acme", "Pump"), datetime(2024, 9, 1, tzinfo=UTC), **parts)  # type: ignore[arg-type]
    (enriched,) = build(AnalyzerConfig()).judge(case, [finding])
    return enriched


def test_is_an_analyzer_and_leaves_a_plain_finding_as_it_is() -> None:
    assert isinstance(build(AnalyzerConfig()), Analyzer)
    assert enrich(FINDING) == FINDING


def test_kev_is_found_by_the_check_and_tagged() -> None:
    entry = KevEntry("CVE-2024-0001", DAY, ransomware_use=True)
    enriched = enrich(FINDING, kev={"CVE-2024-0001": entry})
    assert enriched.kev == entry
    assert enriched.tags == ("kev", "ransomware")


def test_epss_is_found_by_an_alias_and_the_feed_goes_before_the_scan() -> None:
    old, new = EpssScore("CVE-2024-0002", 0.1, 0.2, DAY), EpssScore("CVE-2024-0002", 0.3, 0.4, DAY)
    finding = replace(FINDING, check="GHSA-aaaa", aliases=("CVE-2024-0002", "GHSA-aaaa"), epss=old)
    assert enrich(finding, epss={"CVE-2024-0002": new}).epss == new
    assert enrich(finding).epss == old


def test_a_finding_for_review_is_tagged_and_its_other_tags_stay() -> None:
    assert enrich(replace(FINDING, needs_review=True, tags=("mine",))).tags == ("mine", "needs-review")
