"""Known vulnerabilities of SARIF logs, as several scanners write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scans.sarif import read_sarif
from meddojo.errors import InputError
from meddojo.sbom import ScanMatch
from meddojo.severity import Severity

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def log(results: list[Any], rules: list[Any] | None = None, name: str = "Scanner", **run: Any) -> dict[str, Any]:
    driver = {"name": name, "semanticVersion": "1.2.3", "rules": rules or []}
    return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results} | run]}


def only(document: dict[str, Any]) -> ScanMatch:
    read, skipped = read_sarif(document, "log.sarif", NOW)
    assert not skipped and len(read.matches) == 1
    return read.matches[0]


def test_as_trivy_writes_it() -> None:
    rule = {
        "id": "CVE-2023-0001",
        "fullDescription": {"text": "A parser reads too far."},
        "helpUri": "https://example.org/CVE-2023-0001",
        "properties": {"security-severity": "9.8", "tags": ["security", "CRITICAL", "external/cwe/cwe-125"]},
    }
    text = "Package: tinyxml\nInstalled Version: 1.0\nVulnerability CVE-2023-0001\nFixed Version: 1.1\nLink: x"
    match = only(
        log([{"ruleId": "CVE-2023-0001", "ruleIndex": 0, "level": "error", "message": {"text": text}}], [rule])
    )
    assert match.component.label == "tinyxml 1.0" and match.fix_versions == ("1.1",)
    assert match.severity is Severity.CRITICAL and match.vulnerability.cwes == (125,)
    assert match.vulnerability.description == "A parser reads too far."
    assert match.vulnerability.references == ("https://example.org/CVE-2023-0001",)


def test_as_grype_writes_it() -> None:
    rule = {
        "id": "GHSA-2gwj-7jmv-h26r-django",
        "help": {"text": "Package: Django\nVersion: 3.2.5\nFix Version: 3.2.13\nType: python"},
        "properties": {"security-severity": "7.0", "purls": ["pkg:pypi/django@3.2.5"]},
    }
    result = {"ruleId": "GHSA-2gwj-7jmv-h26r-django", "message": {"text": "a high vulnerability"}}
    match = only(log([result], [rule]))
    assert match.vulnerability.id == "GHSA-2gwj-7jmv-h26r"
    assert match.component.purl == "pkg:pypi/django@3.2.5" and match.component.label == "Django 3.2.5"
    assert match.severity is Severity.HIGH and match.fix_versions == ("3.2.13",)


@pytest.mark.parametrize(
    ("result", "label"),
    [
        ({"properties": {"purl": "pkg:npm/%40scope/left-pad@1.0.0"}}, "@scope/left-pad 1.0.0"),
        ({"properties": {"packageName": "zlib", "packageVersion": "1.2"}}, "zlib 1.2"),
        (
            {"locations": [{"logicalLocations": [{"fullyQualifiedName": "pump/pkg:deb/debian/zlib@1.2"}]}]},
            "debian/zlib 1.2",
        ),
        ({"locations": [{"physicalLocation": {"artifactLocation": {"uri": "lib/a.jar"}}}]}, "lib/a.jar"),
    ],
)
def test_where_the_component_stands(result: dict[str, Any], label: str) -> None:
    assert only(log([{"ruleId": "CVE-2023-0001"} | result])).component.label == label


def test_aliases_come_from_the_rule_and_the_cve_goes_first() -> None:
    rule = {"id": "GHSA-2gwj-7jmv-h26r", "properties": {"aliases": ["CVE-2022-28346", "nothing"]}}
    match = only(log([{"ruleIndex": 0, "properties": {"package": "django"}}], [rule]))
    assert match.vulnerability.id == "CVE-2022-28346" and match.vulnerability.aliases == ("GHSA-2gwj-7jmv-h26r",)


def test_what_is_no_known_vulnerability_is_counted_once() -> None:
    results = [{"ruleId": "S1192"}, {"ruleId": "no-eval"}, {"ruleId": "CVE-2023-0001", "properties": {"package": "a"}}]
    read, skipped = read_sarif(log(results), "log.sarif", NOW)
    assert len(read.matches) == 1
    assert [each.reason.split(":")[0] for each in skipped] == ["2 of 3 results are about no known vulnerability"]


@pytest.mark.parametrize(
    "state",
    [
        {"kind": "pass"},
        {"baselineState": "absent"},
        {"suppressions": [{"kind": "external"}]},
        {"suppressions": [{"kind": "external", "status": "accepted"}]},
    ],
)
def test_what_the_scanner_takes_back_is_no_match(state: dict[str, Any]) -> None:
    result = {"ruleId": "CVE-2023-0001", "properties": {"package": "a"}}
    assert read_sarif(log([result | state]), "x", NOW)[0].matches == ()
    rejected = {"suppressions": [{"kind": "external", "status": "rejected"}]}
    assert len(read_sarif(log([result | rejected]), "x", NOW)[0].matches) == 1


def test_runs_count_together_and_the_oldest_dates_them() -> None:
    one = log(
        [{"ruleId": "CVE-2023-0001", "properties": {"package": "a"}}],
        invocations=[{"endTimeUtc": "2025-05-02T00:00:00Z"}],
    )
    other = log(
        [{"ruleId": "CVE-2023-0002", "properties": {"package": "b"}}],
        name="Other",
        invocations=[{"endTimeUtc": "2025-05-01T00:00:00Z"}],
    )
    read, _ = read_sarif(one | {"runs": one["runs"] + other["runs"]}, "x", NOW)
    assert read.scanner == "Scanner, Other" and len(read.matches) == 2
    assert read.created == datetime(2025, 5, 1, tzinfo=UTC)


def test_a_result_without_a_component_is_skipped() -> None:
    read, skipped = read_sarif(log([{"ruleId": "CVE-2023-0001"}]), "x", NOW)
    assert not read.matches and "names no component" in skipped[0].reason


def test_our_own_log_and_other_versions_are_refused() -> None:
    with pytest.raises(InputError, match="MedDojo wrote this"):
        read_sarif(log([], name="MedDojo"), "x", NOW)
    with pytest.raises(InputError, match=r"2\.1\.0"):
        read_sarif({"version": "2.0.0", "runs": []}, "x", NOW)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["ruleId", "properties", "locations", "message", "text", "purl"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(JSON)
def test_any_result_is_read_counted_or_skipped(result: Any) -> None:
    try:
        read, skipped = read_sarif(log([result, {"ruleId": "CVE-2023-0001", "properties": result}]), "x", NOW)
    except InputError:
        assert not isinstance(result, dict)
    else:
        assert len(read.matches) + len(skipped) >= 1
