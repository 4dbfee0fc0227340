"""Trivy reports, old and new."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.reading import read_json
from connectors.scans.trivy import read_trivy
from meddojo.errors import InputError
from meddojo.severity import CvssScore, Severity

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ENTRY: dict[str, Any] = {
    "VulnerabilityID": "CVE-2023-0001",
    "VendorIDs": ["DSA-1-1"],
    "PkgID": "tinyxml@1.0",
    "PkgName": "tinyxml",
    "PkgIdentifier": {"PURL": "pkg:deb/debian/tinyxml@1.0?arch=amd64"},
    "InstalledVersion": "1.0",
    "FixedVersion": "1.1, 0.9.8",
    "Status": "fixed",
    "SeveritySource": "nvd",
    "PrimaryURL": "https://example.org/CVE-2023-0001",
    "Title": "short",
    "Description": "A parser reads too far.",
    "Severity": "CRITICAL",
    "CweIDs": ["CWE-125"],
    "CVSS": {
        "nvd": {"V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "V3Score": 9.8},
        "ghsa": {"V40Vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "V40Score": 9.3},
        "old": {"V2Vector": "AV:N/AC:L/Au:N/C:P/I:P/A:P", "V2Score": 7.5, "V3Score": 5},
    },
    "References": ["https://example.org/a", "not an address"],
    "PublishedDate": "2023-01-01T00:00:00Z",
}


def report(*entries: Any, **head: Any) -> dict[str, Any]:
    return {
        "SchemaVersion": 2,
        "CreatedAt": "2025-03-01T10:11:12.123456789+01:00",
        "ArtifactName": "gateway:4.2",
        "Trivy": {"Version": "0.60.0"},
        "Results": [
            {"Target": "gateway:4.2 (debian)", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": list(entries)},
            {"Target": "Dockerfile", "Class": "config", "Type": "dockerfile", "Misconfigurations": [{"ID": "DS002"}]},
        ],
    } | head


def test_current_schema() -> None:
    read, skipped = read_trivy(report(ENTRY), "scan.json", NOW)
    assert not skipped
    assert (read.scanner, read.scanner_version, read.target) == ("trivy", "0.60.0", "gateway:4.2")
    assert read.created == datetime(2025, 3, 1, 9, 11, 12, 123456, tzinfo=UTC)
    (match,) = read.matches
    assert match.vulnerability.id == "CVE-2023-0001" and match.vulnerability.aliases == ()
    assert match.vulnerability.description == "A parser reads too far." and match.vulnerability.cwes == (125,)
    assert {(score.scorer, score.version, score.base_score) for score in match.vulnerability.cvss} == {
        ("nvd", "3.1", 9.8),
        ("ghsa", "4.0", 9.3),
        ("old", "2.0", 7.5),
    }
    assert match.vulnerability.references == ("https://example.org/CVE-2023-0001", "https://example.org/a")
    assert match.component.purl == "pkg:deb/debian/tinyxml@1.0?arch=amd64" and match.component.kind == "debian"
    assert match.severity is Severity.CRITICAL
    assert (match.fix_state, match.fix_versions) == ("fixed", ("1.1", "0.9.8"))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("affected", "not-fixed"),
        ("will_not_fix", "wont-fix"),
        ("end_of_life", "unknown"),
        ("fix_deferred", "not-fixed"),
    ],
)
def test_fix_states(status: str, state: str) -> None:
    read, _ = read_trivy(report(ENTRY | {"Status": status, "FixedVersion": ""}), "x", NOW)
    assert (read.matches[0].fix_state, read.matches[0].fix_versions) == (state, ())


def test_what_the_report_itself_clears_is_no_match() -> None:
    read, skipped = read_trivy(report(ENTRY | {"Status": "not_affected"}), "x", NOW)
    assert read.matches == () and not skipped


def test_bad_entries_are_skipped_one_by_one() -> None:
    read, skipped = read_trivy(report(3, {"PkgName": "a"}, ENTRY, ENTRY | {"PkgName": ""}), "scan.json", NOW)
    assert len(read.matches) == 1
    assert [each.reason.partition(":")[0] for each in skipped] == [
        "/Results/0/Vulnerabilities/0",
        "/Results/0/Vulnerabilities/1/VulnerabilityID",
        "/Results/0/Vulnerabilities/3/PkgName",
    ]


def test_nothing_found_is_a_report() -> None:
    head = report()
    del head["Results"]
    read, skipped = read_trivy(head, "x", NOW)
    assert read.matches == () and not skipped and read.target == "gateway:4.2"


def test_another_schema_is_refused() -> None:
    with pytest.raises(InputError, match="SchemaVersion: 3"):
        read_trivy({"SchemaVersion": 3}, "x", NOW)


def test_a_real_report_of_the_old_form(shared_data: Path) -> None:
    document = read_json(shared_data / "grype" / "trivy_legacy_many_vulns.json.gz")
    read, skipped = read_trivy(document, "old.json", NOW)
    assert not skipped and len(read.matches) == 93 and read.created == NOW
    assert read.target == "debian (debian 10.8)"
    first = read.matches[0]
    assert first.vulnerability.id == "CVE-2011-3374" and first.component.label == "apt 1.8.2.2"
    assert CvssScore("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N", 3.7, "3.1", "nvd") in first.vulnerability.cvss
    assert sum(match.vulnerability.id.startswith("TEMP-") for match in read.matches) > 0


@given(
    st.sampled_from(sorted(ENTRY)),
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
)
def test_any_value_is_read_or_skipped(key: str, value: Any) -> None:
    read, skipped = read_trivy(report(copy.deepcopy(ENTRY) | {key: value}), "x", NOW)
    assert len(read.matches) + len(skipped) == 1
