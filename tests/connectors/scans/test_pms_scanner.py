"""Grype reports, old and new."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.reading import read_json
from connectors.scans.pms_scanner import read_grype
from meddojo.errors import InputError
from meddojo.sbom import ScanMatch
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore

RECEIVED = datetime(2024, 9, 1, 12, tzinfo=timezone(timedelta(hours=2)))
V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
V2 = "AV:N/AC:L/Au:N/C:P/I:P/A:P"


def match(**changes: Any) -> dict[str, Any]:
    vulnerability = {"id": "CVE-2021-44228", "severity": "Critical", **changes.pop("vulnerability", {})}
    return {
        "vulnerability": vulnerability,
        "artifact": {"id": "a1", "name": "log4j-core", "version": "2.14.1", "type": "java-archive"},
        **changes,
    }


def read_one(value: dict[str, Any]) -> ScanMatch:
    report, skipped = read_grype({"matches": [value]}, "r.json", RECEIVED)
    assert skipped == ()
    (only,) = report.matches
    return only


def test_a_ghsa_goes_by_its_cve() -> None:
    cvss = {"version": "3.1", "vector": V31, "metrics": {"baseScore": 10}}
    nvd = {**cvss, "source": "nvd@nist.gov"}
    read = read_one(
        match(
            vulnerability={
                "id": "GHSA-jfh8-c2jp-5v3q",
                "namespace": "github:language:java",
                "dataSource": "https://github.com/advisories/GHSA-jfh8-c2jp-5v3q",
                "description": "",
                "urls": ["https://example.org/a", "javascript:alert(1)", "https://example.org/a"],
                "cvss": [cvss, nvd],
                "fix": {"state": "fixed", "versions": ["2.15.0", "2.15.0"]},
                "epss": [{"cve": "CVE-2021-44228", "epss": 0.97, "percentile": 0.99, "date": "2024-09-01"}],
                "cwes": [{"cve": "CVE-2021-44228", "cwe": "CWE-502"}, {"cve": "CVE-1999-1", "cwe": "CWE-1"}],
            },
            relatedVulnerabilities=[
                {"id": "CVE-2021-44228", "namespace": "nvd:cpe", "description": "JNDI lookups.", "cvss": [nvd, nvd]}
            ],
        )
    )
    record = read.vulnerability
    assert (record.id, record.aliases, record.source) == (
        "CVE-2021-44228",
        ("GHSA-jfh8-c2jp-5v3q",),
        "github:language:java",
    )
    assert record.description == "JNDI lookups."
    assert record.cvss == (
        CvssScore(V31, 10.0, "3.1", "github:language:java"),
        CvssScore(V31, 10.0, "3.1", "nvd@nist.gov"),
    )
    assert record.references == ("https://github.com/advisories/GHSA-jfh8-c2jp-5v3q", "https://example.org/a")
    assert record.cwes == (502,)
    assert (read.severity, read.fix_state, read.fix_versions) == (Severity.CRITICAL, "fixed", ("2.15.0",))
    assert read.epss == EpssScore("CVE-2021-44228", 0.97, 0.99, date(2024, 9, 1))


def test_an_advisory_for_several_cves_is_several_vulnerabilities() -> None:
    value = match(
        vulnerability={"id": "ALAS-2021-1", "dataSource": "https://example.org/ALAS-2021-1"},
        relatedVulnerabilities=[
            {"id": "CVE-2021-0002", "cvss": [{"version": "2.0", "vector": V2, "metrics": {"baseScore": 7.5}}]},
            {"id": "CVE-2021-0001"},
        ],
    )
    report, _ = read_grype({"matches": [value]}, "r", RECEIVED)
    records = [item.vulnerability for item in report.matches]
    assert [record.id for record in records] == ["CVE-2021-0001", "CVE-2021-0002"]
    assert [record.aliases for record in records] == [(), ()]
    assert [len(record.cvss) for record in records] == [0, 1]
    assert all(record.references == ("https://example.org/ALAS-2021-1",) for record in records)


def test_the_strongest_way_of_matching_counts() -> None:
    details = [
        {"type": "cpe-match", "found": {"versionConstraint": "<= 3"}},
        {"type": "exact-indirect-match", "found": {"versionConstraint": "< 2.15"}},
    ]
    for order in (details, details[::-1]):
        read = read_one(match(matchDetails=order))
        assert (read.match_type, read.constraint) == ("exact-indirect-match", "< 2.15")


def test_the_shape_of_grype_0_7() -> None:
    value = {
        "vulnerability": {
            "id": "CVE-2020-36221",
            "severity": "Negligible",
            "links": ["https://example.org/x"],
            "cvssV2": {"baseScore": 5, "vector": V2},
            "fixedInVersion": "2.4.47",
        },
        "matchDetails": {"matcher": "python-matcher", "searchKey": {"cpe": "x"}, "matchedOn": {"constraint": "< 3"}},
        "artifact": {
            "name": "ldap",
            "version": "2.4+1",
            "type": "python",
            "cpes": [{"Part": "a", "Vendor": "", "Product": "ldap", "Version": "2.4+1"}],
        },
    }
    read = read_one(value)
    assert read.component.cpe == "cpe:2.3:a:*:ldap:2.4\\+1:*:*:*:*:*:*:*"
    assert read.component.ref == "ldap@2.4+1"
    assert (read.match_type, read.constraint, read.fix_versions) == ("cpe-match", "< 3", ("2.4.47",))
    assert read.vulnerability.cvss == (CvssScore(V2, 5.0, "2.0", "grype"),)
    assert read.severity is Severity.INFO


@pytest.mark.parametrize(
    ("descriptor", "created"),
    [
        ({"timestamp": "2025-06-19T11:43:35.523947199Z"}, datetime(2025, 6, 19, 11, 43, 35, 523947, tzinfo=UTC)),
        ({"timestamp": "2025-06-19T11:43:35+02:00"}, datetime(2025, 6, 19, 9, 43, 35, tzinfo=UTC)),
        ({"timestamp": "yesterday"}, datetime(2024, 9, 1, 10, tzinfo=UTC)),
        ({"timestamp": 7}, datetime(2024, 9, 1, 10, tzinfo=UTC)),
        (None, datetime(2024, 9, 1, 10, tzinfo=UTC)),
    ],
)
def test_time_of_the_scan(descriptor: Any, created: datetime) -> None:
    report, skipped = read_grype({"matches": [], "descriptor": descriptor}, "r", RECEIVED)
    assert report.created == created and report.created.tzinfo is UTC
    assert report.scanner == "grype" and report.matches == () and skipped == ()


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ({"type": "image", "target": {"userInput": "python:3.6", "imageID": "sha256:1"}}, "python:3.6"),
        ({"type": "directory", "target": "/opt/gateway"}, "/opt/gateway"),
        ({"type": "image", "target": {"imageID": "sha256:1"}}, "sha256:1"),
        (None, ""),
        ("x", ""),
    ],
)
def test_target(source: Any, target: str) -> None:
    assert read_grype({"matches": [], "source": source}, "r", RECEIVED)[0].target == target


@pytest.mark.parametrize("document", [{}, {"matches": None}, {"matches": {}}, [], "x", None])
def test_a_report_without_matches(document: Any) -> None:
    with pytest.raises(InputError, match=r"r\.json(.|\n)*hint"):
        read_grype(document, "r.json", RECEIVED)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (7, "/matches/0: a number where an object belongs"),
        ({}, "/matches/0/vulnerability/id: is missing"),
        ({"vulnerability": {"id": "CVE-2020-0001"}}, "/matches/0/artifact/name: is missing"),
        (match(vulnerability={"severity": 3}), "/matches/0/vulnerability/severity: a number where a text belongs"),
        (match(vulnerability={"fix": {"versions": [1]}}), "/matches/0/vulnerability/fix/versions/0: a number"),
        (match(relatedVulnerabilities=[{}]), "/matches/0/relatedVulnerabilities/0/id: is missing"),
    ],
)
def test_an_unreadable_match_is_skipped_and_the_rest_goes_on(bad: Any, reason: str) -> None:
    report, (skipped,) = read_grype({"matches": [bad, match()]}, "r.json", RECEIVED)
    assert [item.vulnerability.id for item in report.matches] == ["CVE-2021-44228"]
    assert skipped.origin == "r.json" and skipped.reason.startswith(reason)


@pytest.mark.parametrize("score", [None, -1, 11, "9"])
def test_a_rating_that_is_none_costs_no_wrong_score(score: Any) -> None:
    rating = {"version": "3.1", "vector": V31, "metrics": {"baseScore": score}}
    report, _ = read_grype({"matches": [match(vulnerability={"cvss": [rating]})]}, "r", RECEIVED)
    assert all(item.vulnerability.cvss == () for item in report.matches)


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("CVE-2021-0001")
_KEYS = (
    "vulnerability artifact id name version severity cvss metrics baseScore vector fix versions epss cve date cwes cwe"
)
_ANY = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*_KEYS.split(), "matchDetails", "found", "cpes", "relatedVulnerabilities"]), inner
        )
    ),
    max_leaves=20,
)


@given(st.fixed_dictionaries({}, optional={"matches": st.lists(_ANY) | _ANY, "descriptor": _ANY, "source": _ANY}))
def test_any_document_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        report, skipped = read_grype(document, "r", RECEIVED)
    except InputError:
        return
    assert len(report.matches) + len(skipped) >= len(document["matches"])


@given(_ANY, st.sampled_from(["cvss", "fix", "epss", "cwes", "urls", "cvssV2", "namespace"]), _ANY, _ANY)
def test_any_match_is_read_or_skipped(value: Any, key: str, details: Any, related: Any) -> None:
    item = match(vulnerability={key: value}, matchDetails=details, relatedVulnerabilities=related)
    report, skipped = read_grype({"matches": [item]}, "r", RECEIVED)
    assert bool(report.matches) != bool(skipped)


def test_real_reports(shared_data: Path) -> None:
    folder = shared_data / "grype"
    old, skipped = read_grype(read_json(folder / "anchore_grype_many_vulns.json.gz"), "old", RECEIVED)
    assert (old.scanner_version, old.target, len(old.matches), skipped) == ("0.7.0", "python:3.6", 1509, ())
    assert sum(item.fix_state == "fixed" for item in old.matches) == 32
    assert sum(bool(item.vulnerability.cvss) for item in old.matches) == 1426
    assert sum(item.match_type == "cpe-match" for item in old.matches) == 2
    assert all(item.component.cpe for item in old.matches)
    name = "anchore_grype_many_vulns_with_epss_values.json.gz"
    new, skipped = read_grype(read_json(folder / name), "new", RECEIVED)
    assert (new.scanner_version, new.target, len(new.matches), skipped) == ("0.94.0", "busybox:1.32.1", 15, ())
    assert all(item.epss and item.match_type == "cpe-match" and item.constraint for item in new.matches)
    assert new.created.date() == date(2025, 6, 19)


def test_the_example(hospital: Path) -> None:
    file = hospital / "scans" / "infusion-gateway.grype.json"
    report, skipped = read_grype(read_json(file), str(file), RECEIVED)
    assert report.matches and not skipped
    for item in report.matches:
        names = (item.vulnerability.id, *item.vulnerability.aliases)
        assert item.vulnerability.id.startswith("CVE-") or not any(name.startswith("CVE-") for name in names)
