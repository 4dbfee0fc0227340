from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sinks.facts import decisions_by_identity, headline_score, vulnerability_page, web_link
from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.severity import CvssScore, Severity
from tests.connectors.sinks.report_samples import STARTED


@pytest.mark.parametrize(
    "address",
    [
        "https://www.cisa.gov/a?b=c#d",
        "http://[2001:db8::1]/x",
        " https://example.org ",
        "HTTPS://EXAMPLE.ORG/",
        "https://é.example/",
    ],
)
def test_web_addresses_are_links(address: str) -> None:
    assert web_link(address) == address.strip()


@pytest.mark.parametrize(
    "address",
    [
        "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "file:///etc/passwd",
        "//example.org/x", "/x", "ftp://example.org", "https:", "https://", "https:///p", "https://[::1", "vbscript:x",
        "https://example.org@evil.example/", 'https://example.org/"onclick="x', "https://example.org/<b>", "\x01https://a.b",
        "https://exa mple.org", "https://example.org/\u2028x",
    ],
)  # fmt: skip
def test_everything_else_is_text(address: str) -> None:
    assert web_link(address) == ""


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    link = web_link(text)
    assert link == "" or link.lower().startswith(("http://", "https://"))


def test_the_headline_is_the_score_that_gave_the_severity() -> None:
    scores = tuple(CvssScore("", score, "3.1", "x") for score in (float("nan"), 11.0, 5.0, 8.8, 7.1))
    finding = Finding(Stream.VULNERABILITIES, "d", "CVE-2024-0001", "t", Severity.HIGH, "", 1.0, cvss=scores)
    assert headline_score(finding) == scores[3]


def test_the_headline_is_the_first_score_when_none_fits() -> None:
    finding = Finding(
        Stream.VULNERABILITIES, "d", "c", "t", Severity.LOW, "", 1.0, cvss=(CvssScore("", 9.8, "3.1", "x"),)
    )
    score = headline_score(finding)
    assert score is not None
    assert score.base_score == 9.8
    assert headline_score(Finding(Stream.COMPLIANCE, "d", "c", "t", Severity.LOW, "", 1.0)) is None


@pytest.mark.parametrize(
    ("identifier", "page"),
    [
        ("CVE-2024-0001", "https://nvd.nist.gov/vuln/detail/CVE-2024-0001"),
        ("GHSA-jfh8-c2jp-5v3q", "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q"),
        ("CVE-2024-0001/../x", ""),
        ("FDA-524B", ""),
    ],
)
def test_public_pages(identifier: str, page: str) -> None:
    assert vulnerability_page(identifier) == page


def test_the_latest_decision_counts() -> None:
    undated = Decision("a", Verdict.MITIGATED, "x", "1")
    early = Decision("a", Verdict.FALSE_POSITIVE, "x", "2", STARTED)
    late = Decision("a", Verdict.RISK_ACCEPTED, "y", "3", STARTED + timedelta(days=1))
    assert decisions_by_identity([late, early, undated]) == {"a": late}
