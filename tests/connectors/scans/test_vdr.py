"""CycloneDX vulnerability disclosure reports."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.scans.readers import read_contents
from connectors.scans.vdr import read_vdr
from meddojo.severity import Severity
from meddojo.vex import VexStatus
from meddojo.vulnerability import SsvcPoints

NOW = datetime(2026, 1, 2, tzinfo=UTC)
VECTOR = "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def vdr(*vulnerabilities: Any, **head: Any) -> dict[str, Any]:
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": {
            "timestamp": "2025-03-01T00:00:00Z",
            "tools": {"components": [{"type": "application", "name": "disclose", "version": "2"}]},
            "component": {"type": "device", "bom-ref": "pump", "name": "Pump", "version": "4.2"},
        },
        "components": [
            {"type": "library", "bom-ref": "a", "name": "zlib", "version": "1.2", "purl": "pkg:generic/zlib@1.2"},
            {"type": "library", "bom-ref": "b", "name": "expat", "components": [{"bom-ref": "c", "name": "inner"}]},
        ],
        "vulnerabilities": list(vulnerabilities),
    } | head


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "CVE-2023-0001",
        "source": {"name": "NVD", "url": "https://nvd.nist.gov/vuln/detail/CVE-2023-0001"},
        "references": [{"id": "GHSA-2gwj-7jmv-h26r", "source": {"name": "GitHub"}}],
        "description": "A parser reads too far.",
        "cwes": [125],
        "affects": [{"ref": "a"}],
    } | changes


def test_one_match_for_each_component() -> None:
    read, skipped = read_vdr(vdr(entry(affects=[{"ref": "a"}, {"ref": "c"}])), "x", NOW)
    assert not skipped and [match.component.name for match in read.matches] == ["zlib", "inner"]
    assert (read.scanner, read.scanner_version, read.target) == ("disclose", "2", "Pump 4.2")
    found = read.matches[0].vulnerability
    assert (found.id, found.aliases, found.cwes, found.source) == (
        "CVE-2023-0001",
        ("GHSA-2gwj-7jmv-h26r",),
        (125,),
        "NVD",
    )


@pytest.mark.parametrize(
    ("method", "vector", "written", "version"),
    [
        ("CVSSv2", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "AV:N/AC:L/Au:N/C:P/I:P/A:P", "2.0"),
        ("CVSSv3", VECTOR, f"CVSS:3.0/{VECTOR}", "3.0"),
        ("CVSSv31", f"CVSS:3.1/{VECTOR}", f"CVSS:3.1/{VECTOR}", "3.1"),
        ("CVSSv4", "CVSS:4.0/AV:N", "CVSS:4.0/AV:N", "4.0"),
    ],
)
def test_cvss_ratings(method: str, vector: str, written: str, version: str) -> None:
    rating = {"source": {"name": "CNA"}, "score": 7.5, "method": method, "vector": vector}
    (score,) = read_vdr(vdr(entry(ratings=[rating])), "x", NOW)[0].matches[0].vulnerability.cvss
    assert (score.vector, score.version, score.scorer, score.base_score) == (written, version, "CNA", 7.5)


@pytest.mark.parametrize("method", ["OWASP", "SSVC", "other", None])
def test_other_methods_give_their_band_only(method: str | None) -> None:
    ratings = [{"severity": "low", "method": method}, {"severity": "high", "score": 55, "method": method}]
    match = read_vdr(vdr(entry(ratings=ratings)), "x", NOW)[0].matches[0]
    assert match.vulnerability.cvss == () and match.severity is Severity.HIGH


@pytest.mark.parametrize("method", [None, "other", "CVSSv31"])
def test_a_vector_is_enough(method: str | None) -> None:
    vector = VECTOR if method == "CVSSv31" else f"CVSS:3.1/{VECTOR}"
    match = read_vdr(vdr(entry(ratings=[{"method": method, "vector": vector}])), "x", NOW)[0].matches[0]
    (score,) = match.vulnerability.cvss
    assert (score.vector, score.base_score, score.version) == (f"CVSS:3.1/{VECTOR}", 9.8, "3.1")


def test_a_score_alone_gives_its_band() -> None:
    ratings = [{"method": "CVSSv3", "score": 7.5}, {"method": "OWASP", "score": 9.9}, {"method": "CVSSv3", "score": 11}]
    match = read_vdr(vdr(entry(ratings=ratings)), "x", NOW)[0].matches[0]
    assert match.severity is Severity.HIGH and match.vulnerability.cvss == ()


def test_ssvc_gives_its_decision_points() -> None:
    vector = "SSVCv2/E:A/A:Y/V:C/T:P/2024-01-01T00:00:00Z"
    ratings = [{"method": "SSVC", "vector": "none"}, {"method": "SSVC", "vector": vector, "source": {"name": "CISA"}}]
    found = read_vdr(vdr(entry(ratings=ratings)), "x", NOW)[0].matches[0].vulnerability
    assert found.ssvc == SsvcPoints("CISA", "active", "yes", "partial")
    assert read_vdr(vdr(entry()), "x", NOW)[0].matches[0].vulnerability.ssvc is None


@pytest.mark.parametrize(
    ("state", "matched", "status"),
    [
        ("exploitable", True, VexStatus.AFFECTED),
        ("in_triage", True, VexStatus.UNDER_INVESTIGATION),
        ("resolved", False, VexStatus.FIXED),
        ("resolved_with_pedigree", False, VexStatus.FIXED),
        ("false_positive", False, VexStatus.NOT_AFFECTED),
        ("not_affected", False, VexStatus.NOT_AFFECTED),
    ],
)
def test_every_state_of_the_analysis(state: str, matched: bool, status: VexStatus) -> None:
    contents = read_contents(json.dumps(vdr(entry(analysis={"state": state}))).encode(), "x", NOW)
    assert contents.report is not None and bool(contents.report.matches) is matched
    assert contents.statements is not None and contents.statements.statements[0].status is status


def test_what_is_affected() -> None:
    versions = [{"version": "1.2", "status": "unaffected"}, {"range": "vers:generic/<1.2"}]
    listed = entry(affects=[{"ref": "a", "versions": versions}, {"ref": "b", "versions": versions}])
    (match,) = read_vdr(vdr(listed), "x", NOW)[0].matches
    assert match.component.name == "expat" and match.constraint == "vers:generic/<1.2"
    (whole,) = read_vdr(vdr(entry(affects=None)), "x", NOW)[0].matches
    assert whole.component.label == "Pump 4.2"


@pytest.mark.parametrize(
    ("reference", "name", "purl"),
    [
        ("urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#a", "zlib", "pkg:generic/zlib@1.2"),
        ("urn:cdx:00000000-395b-41f5-a30f-a58921a69b79/1#pkg%3Anpm%2Fleft-pad%401", "left-pad", "pkg:npm/left-pad@1"),
        ("elsewhere", "elsewhere", ""),
    ],
)
def test_links_to_other_documents(reference: str, name: str, purl: str) -> None:
    component = read_vdr(vdr(entry(affects=[{"ref": reference}])), "x", NOW)[0].matches[0].component
    assert (component.name, component.purl) == (name, purl)


def test_recommendation_names_the_fix() -> None:
    match = read_vdr(vdr(entry(recommendation="Upgrade zlib to version 1.3.1 or later.")), "x", NOW)[0].matches[0]
    assert match.fix_versions == ("1.3.1",)


def test_what_the_analysis_clears_is_stated_not_reported() -> None:
    import json

    cleared = entry(id="CVE-2023-0002", analysis={"state": "not_affected", "justification": "code_not_reachable"})
    open_one = entry(id="CVE-2023-0003", analysis={"state": "exploitable"})
    contents = read_contents(json.dumps(vdr(entry(), cleared, open_one)).encode(), "x", NOW)
    assert contents.report and contents.statements
    assert [match.vulnerability.id for match in contents.report.matches] == ["CVE-2023-0001", "CVE-2023-0003"]
    stated = {each.vulnerability: each for each in contents.statements.statements}
    assert {name: each.status for name, each in stated.items()} == {
        "CVE-2023-0002": VexStatus.NOT_AFFECTED,
        "CVE-2023-0003": VexStatus.AFFECTED,
    }
    assert stated["CVE-2023-0002"].products[0].product == "Pump"
    assert stated["CVE-2023-0002"].components[0].name == "zlib"


def test_bad_entries_are_skipped_one_by_one() -> None:
    read, skipped = read_vdr(vdr(3, {"id": ""}, entry(affects=[{}]), entry()), "x", NOW)
    assert len(read.matches) == 1 and len(skipped) == 3
