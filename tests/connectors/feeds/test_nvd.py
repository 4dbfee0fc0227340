"""NVD records: scores with their scorers, CPE configurations, and the assigner's products as range texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from connectors.feeds.nvd import build, parse_record
from meddojo.advisory import VersionKind
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Feed, Skipped
from meddojo.serialise import from_json, to_json
from meddojo.severity import CvssScore
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, KevEntry, SsvcPoints, Vulnerability

PUMP = "cpe:2.3:o:acme:pump_firmware:*:*:*:*:*:*:*:*"
HARDWARE = "cpe:2.3:h:acme:pump:-:*:*:*:*:*:*:*"
V31 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def _metric(source: str, version: str, vector: str, score: float) -> dict[str, Any]:
    return {"source": source, "cvssData": {"version": version, "vectorString": vector, "baseScore": score}}


def _affected(*versions: dict[str, Any], **entry: Any) -> dict[str, Any]:
    data = {"vendor": "Acme", "product": "Pump", "versions": list(versions), **entry}
    return {"id": "CVE-2024-1000", "affected": [{"source": "cna@acme.example", "affectedData": [data]}]}


RECORD = {
    "id": "CVE-2024-1000",
    "published": "2024-02-06T23:15:08.107",
    "lastModified": "2024-03-01T00:00:00.000",
    "vulnStatus": "Modified",
    "descriptions": [{"lang": "es", "value": "Una bomba."}, {"lang": "en", "value": "A pump."}],
    "metrics": {
        "cvssMetricV2": [_metric("nvd@nist.gov", "2.0", "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5)],
        "cvssMetricV31": [_metric("nvd@nist.gov", "3.1", V31, 9.8), _metric("cna@acme.example", "3.1", V31, 9.8)],
        "cvssMetricV30": [_metric("x@y.example", "3.0", V31.replace("3.1", "3.0"), 9.8)],
        "cvssMetricV40": [_metric("cna@acme.example", "4.0", "CVSS:4.0/AV:N", 9.3)],
        "ssvcV203": [{"source": "x"}],
    },
    "weaknesses": [
        {"source": "nvd@nist.gov", "description": [{"lang": "en", "value": "CWE-798"}]},
        {"source": "x", "description": [{"lang": "en", "value": "NVD-CWE-noinfo"}, {"lang": "en", "value": "CWE-798"}]},
    ],
    "configurations": [
        {
            "operator": "AND",
            "nodes": [
                {
                    "operator": "OR",
                    "negate": False,
                    "cpeMatch": [
                        {
                            "vulnerable": True,
                            "criteria": PUMP,
                            "versionStartIncluding": "1.0",
                            "versionEndExcluding": "2.4",
                        },
                        {
                            "vulnerable": True,
                            "criteria": PUMP,
                            "versionStartExcluding": "3",
                            "versionEndIncluding": "4",
                        },
                    ],
                },
                {"operator": "OR", "negate": True, "cpeMatch": [{"vulnerable": False, "criteria": HARDWARE}]},
            ],
        },
        {"negate": True, "nodes": [{"operator": "AND", "cpeMatch": [{"criteria": PUMP}]}]},
    ],
    "affected": _affected({"version": "0", "lessThan": "2.4", "status": "affected"})["affected"],
    "references": [{"url": "https://acme.example/1"}, {"url": "https://acme.example/1"}],
}


def test_record() -> None:
    record = parse_record(RECORD, "x")
    assert (record.id, record.source, record.status) == ("CVE-2024-1000", "nvd", "Modified")
    assert record.description == "A pump."
    assert record.published == datetime(2024, 2, 6, 23, 15, 8, 107000, tzinfo=UTC)
    assert record.modified == datetime(2024, 3, 1, tzinfo=UTC)
    assert record.cwes == (798,)
    assert record.references == ("https://acme.example/1",)
    assert [(score.version, score.scorer) for score in record.cvss] == [
        ("4.0", "cna@acme.example"),
        ("3.1", "nvd@nist.gov"),
        ("3.1", "cna@acme.example"),
        ("3.0", "x@y.example"),
        ("2.0", "nvd@nist.gov"),
    ]
    assert record.cvss[1] == CvssScore(V31, 9.8, "3.1", "nvd@nist.gov")
    assert from_json(Vulnerability, to_json(record)) == record


def test_configurations() -> None:
    first, second = parse_record(RECORD, "x").configurations
    assert first == Configuration(
        "AND",
        (
            CpeNode(
                "OR",
                (
                    CpeMatch(PUMP, version_start_including="1.0", version_end_excluding="2.4"),
                    CpeMatch(PUMP, version_start_excluding="3", version_end_including="4"),
                ),
            ),
            CpeNode("OR", (CpeMatch(HARDWARE, vulnerable=False),), negate=True),
        ),
    )
    assert second == Configuration("OR", (CpeNode("AND", (CpeMatch(PUMP),)),), negate=True)


@pytest.mark.parametrize(
    ("versions", "texts"),
    [
        ([{"version": "2.4", "status": "affected"}], ["2.4"]),
        ([{"version": "0", "lessThan": "3.2", "status": "affected"}], ["< 3.2"]),
        ([{"version": "unspecified", "lessThanOrEqual": "3.2", "status": "affected"}], ["<= 3.2"]),
        ([{"version": "1.0", "lessThan": "2.0", "status": "affected"}], [">= 1.0 | < 2.0"]),
        ([{"version": "1.0", "lessThan": "*", "status": "affected"}], [">= 1.0"]),
        ([{"version": "0", "lessThan": "*", "status": "affected"}], ["*"]),
        ([{"version": "1", "status": "affected"}, {"version": "2", "status": "unaffected"}], ["1"]),
        ([{"version": "< 3.2", "status": "affected"}], ["< 3.2"]),
        ([{"version": "n/a", "status": "affected"}], [""]),
        ([{"version": "2", "status": "unaffected"}], []),
        ([{"version": "2", "status": "unknown"}], []),
        (
            [
                {
                    "version": "1.0",
                    "lessThan": "3.0",
                    "status": "affected",
                    "changes": [{"at": "1.5", "status": "unaffected"}, {"at": "2.0", "status": "affected"}],
                }
            ],
            [">= 1.0 | < 1.5", ">= 2.0 | < 3.0"],
        ),
        ([], [""]),
    ],
)
def test_versions_of_the_assigner(versions: list[dict[str, Any]], texts: list[str]) -> None:
    assert [product.version_text for product in parse_record(_affected(*versions), "x").affected] == texts


@pytest.mark.parametrize(
    ("versions", "text", "kind"),
    [
        ([{"version": "3.2", "lessThan": "*", "status": "unaffected"}], "< 3.2", VersionKind.RANGE),
        ([{"version": "3.2", "status": "unaffected"}], "", VersionKind.UNSTATED),
        ([], "", VersionKind.UNSTATED),
    ],
)
def test_affected_by_default(versions: list[dict[str, Any]], text: str, kind: VersionKind) -> None:
    (product,) = parse_record(_affected(*versions, defaultStatus="affected"), "x").affected
    assert (product.version_text, product.version_kind) == (text, kind)


def test_products_of_the_assigner() -> None:
    entry = _affected({"version": "1", "status": "affected"}, cpes=[PUMP], packageURL="pkg:generic/pump")
    (product,) = parse_record(entry, "x").affected
    assert (product.vendor, product.product, product.cpe, product.purl) == ("Acme", "Pump", PUMP, "pkg:generic/pump")
    assert product.version_kind is VersionKind.EXACT
    assert parse_record(_affected(product="n/a", vendor="n/a"), "x").affected == ()
    (package,) = parse_record(_affected(product=None, packageName="libpump", vendor="n/a"), "x").affected
    assert (package.vendor, package.product) == ("", "libpump")


def test_rejected_record_is_kept() -> None:
    record = parse_record({"id": "CVE-2024-1001", "vulnStatus": "Rejected", "metrics": {}, "cveTags": []}, "x")
    assert (record.status, record.cvss, record.published) == ("Rejected", (), None)


@pytest.mark.parametrize("status", ["Deferred", "Awaiting Analysis", "Undergoing Analysis", "Received"])
def test_status_of_records_nobody_enriched_is_kept(status: str) -> None:
    assert parse_record({**RECORD, "vulnStatus": status}, "x").status == status


def test_tags_and_assigner() -> None:
    tags = [{"sourceIdentifier": "a", "tags": ["disputed"]}, {"sourceIdentifier": "b", "tags": ["disputed", "other"]}]
    record = parse_record({"id": "CVE-2024-1000", "cveTags": tags, "sourceIdentifier": "cna@acme.example"}, "x")
    assert record.tags == ("disputed", "other")
    assert record.assigner == "cna@acme.example"
    assert record.disputed
    plain = parse_record({"id": "CVE-2024-1000"}, "x")
    assert (plain.tags, plain.assigner, plain.disputed, plain.rejected) == ((), "", False, False)


@pytest.mark.parametrize(
    ("description", "status", "rejected", "disputed"),
    [
        ("** REJECT ** Do not use.", "", True, False),
        ("Rejected reason: a duplicate.", "Rejected", True, False),
        ("A pump.", "Rejected", True, False),
        ("** DISPUTED ** A pump.", "Modified", False, True),
        ("A pump that is disputed.", "Modified", False, False),
    ],
)
def test_what_the_text_says_about_the_record(description: str, status: str, rejected: bool, disputed: bool) -> None:
    record = Vulnerability("CVE-2024-1000", "nvd", description, status=status)
    assert (record.rejected, record.disputed) == (rejected, disputed)


def test_known_exploited() -> None:
    record = parse_record(
        {
            **RECORD,
            "cisaExploitAdd": "2022-03-03",
            "cisaActionDue": "2022-03-24",
            "cisaRequiredAction": " Apply updates. ",
            "cisaVulnerabilityName": "Acme Pump Hard-coded Credentials Vulnerability",
        },
        "x",
    )
    name = "Acme Pump Hard-coded Credentials Vulnerability"
    assert record.kev == KevEntry(
        record.id, date(2022, 3, 3), date(2022, 3, 24), "Apply updates.", ransomware_use=False, name=name
    )
    assert from_json(Vulnerability, to_json(record)) == record
    assert parse_record(RECORD, "x").kev is None


@pytest.mark.parametrize(
    ("change", "position"),
    [
        ({"id": "2024-1000"}, "/id"),
        ({"published": "soon"}, "/published"),
        ({"cisaExploitAdd": "soon"}, "/cisaExploitAdd"),
        ({"metrics": {"cvssMetricV31": [{"cvssData": {}}]}}, "/metrics/cvssMetricV31/0/cvssData/baseScore"),
        ({"configurations": [{"operator": "XOR"}]}, "/configurations/0/operator"),
        ({"configurations": [{"nodes": [{"cpeMatch": [{}]}]}]}, "/configurations/0/nodes/0/cpeMatch/0/criteria"),
        ({"references": {}}, "/references"),
    ],
)
def test_wrong_record_names_the_place(change: dict[str, Any], position: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_record({**RECORD, **change}, "x")
    assert caught.value.position == position


@given(data=st.data())
def test_any_record_is_read_or_refused(
    data: Any, anything: st.SearchStrategy[Any], mutated: Callable[[Any], st.SearchStrategy[Any]]
) -> None:
    record = data.draw(mutated(RECORD) | anything)
    with suppress(InputError):
        vulnerability = parse_record(record, "x")
        assert from_json(Vulnerability, to_json(vulnerability)) == vulnerability


def _update(source: Path) -> list[Any]:
    feed = build(FeedConfig(source=str(source)))
    assert isinstance(feed, Feed)
    return list(feed.update(None))


def test_files_of_answers_and_lines(tmp_path: Path) -> None:
    answer = {"totalResults": 3, "vulnerabilities": [{"cve": RECORD}, {"cve": {"id": 7}}, 5, {"cve": RECORD}]}
    (tmp_path / "page1.json").write_text(json.dumps(answer), encoding="utf-8")
    lines = json.dumps({"cve": RECORD}) + "\n{\n" + json.dumps(RECORD) + "\n[]\n"
    (tmp_path / "page2.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(lines.encode()))
    (tmp_path / "page3.json").write_text('{"vulnerabilities": 1}', encoding="utf-8")
    *items, checkpoint = _update(tmp_path)
    assert isinstance(checkpoint, Checkpoint)
    assert [isinstance(item, Vulnerability) for item in items] == [1, 0, 0, 1, 1, 0, 1, 0, 0]
    reasons = [item.reason for item in items if isinstance(item, Skipped)]
    assert reasons[0].startswith("/vulnerabilities/1/cve/id: a number")
    assert reasons[1].startswith("/vulnerabilities/2: a number")
    assert len(_update(tmp_path / "page1.json")) == 5


def test_real_records(shared_data: Path) -> None:
    *items, _ = _update(shared_data / "nvd_api2_medical_sample.jsonl.zst")
    assert len(items) == 84
    assert all(isinstance(item, Vulnerability) for item in items)
    matches = [match for item in items for part in item.configurations for node in part.nodes for match in node.matches]
    assert len(matches) == 385
    assert sum(bool(match.version_end_excluding) for match in matches) == 50
    assert all(item.published and item.published.tzinfo is UTC for item in items)
    assert sum(item.kev is not None for item in items) == 2
    assert any(product.version_text == "< 8.3.0" for item in items for product in item.affected)


def with_ssvc(*options: dict[str, Any], role: str = "CISA Coordinator") -> Vulnerability:
    data = {"timestamp": "2025-01-16T19:32:50.230975Z", "id": "CVE-2024-0001", "options": list(options), "role": role}
    metrics = {"ssvcV203": [{"source": "134c704f", "ssvcData": data}]}
    return parse_record({"id": "CVE-2024-0001", "metrics": metrics}, "here")


def test_ssvc_points_that_cisa_published() -> None:
    options = ({"exploitation": "poc"}, {"automatable": "yes"}, {"technicalImpact": "total"})
    record = with_ssvc(*options)
    assert record.ssvc == SsvcPoints("CISA Coordinator", "public poc", "yes", "total")
    assert from_json(Vulnerability, to_json(record)) == record


def test_ssvc_points_nobody_knows_are_left_out() -> None:
    assert with_ssvc({"exploitation": "perhaps"}, {"mood": "grim"}).ssvc is None
    assert with_ssvc({"automatable": "NO"}, role="").ssvc == SsvcPoints("CISA Coordinator", automatable="no")
    assert parse_record({"id": "CVE-2024-0001"}, "here").ssvc is None


def test_real_records_carry_ssvc(shared_data: Path) -> None:
    *items, _ = _update(shared_data / "nvd_api2_medical_sample.jsonl.zst")
    points = {each.id: each.ssvc for each in items if isinstance(each, Vulnerability) and each.ssvc}
    assert len(points) == 6
    assert points["CVE-2015-1635"] == SsvcPoints("CISA Coordinator", "active", "yes", "total")


def test_who_assigned_the_id_is_kept() -> None:
    assert parse_record(RECORD | {"sourceIdentifier": " cna@acme.example "}, "x").assigner == "cna@acme.example"
    assert (
        parse_record({name: value for name, value in RECORD.items() if name != "sourceIdentifier"}, "x").assigner == ""
    )
