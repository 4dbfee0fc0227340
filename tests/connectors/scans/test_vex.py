"""VEX documents of three formats, read into statements."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.reading import read_json
from connectors.scans.detect import recognise
from connectors.scans.readers import VEX
from connectors.scans.vex import read_csaf_vex, read_cyclonedx_vex, read_openvex
from meddojo.errors import InputError
from meddojo.vex import Justification, VexStatus

NOW = datetime(2026, 1, 2, tzinfo=UTC)

OPENVEX: dict[str, Any] = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://vendor.example.org/vex/1",
    "author": "Vendor PSIRT",
    "timestamp": "2025-01-01T00:00:00Z",
    "last_updated": "2025-02-01T00:00:00Z",
    "version": 3,
    "statements": [
        {
            "vulnerability": {"name": "CVE-2023-0001", "aliases": ["GHSA-2gwj-7jmv-h26r"]},
            "timestamp": "2025-01-15T00:00:00Z",
            "products": [
                {
                    "@id": "pkg:generic/pump@4.2",
                    "subcomponents": [
                        {"@id": "pkg:npm/left-pad@1"},
                        {"identifiers": {"cpe22": "cpe:/a:zlib:zlib:1.2"}},
                    ],
                },
                {"identifiers": {"cpe23": "cpe:2.3:a:vendor:pump_console:5.0:*:*:*:*:*:*:*"}},
            ],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
            "impact_statement": "The parser is never called.",
        },
        {"vulnerability": {"name": "CVE-2023-0002"}, "products": [{"@id": "urn:x"}], "status": "fixed"},
        {
            "vulnerability": {"name": "CVE-2023-0003"},
            "products": [{"@id": "urn:x"}],
            "status": "affected",
            "action_statement": "Keep it off the network.",
        },
    ],
}


def test_openvex() -> None:
    document, skipped = read_openvex(OPENVEX, "x", NOW)
    assert not skipped and (document.author, document.version) == ("Vendor PSIRT", "3")
    assert document.timestamp == datetime(2025, 2, 1, tzinfo=UTC)
    pump, console, fixed, affected = document.statements
    assert pump.names == {"CVE-2023-0001", "GHSA-2GWJ-7JMV-H26R"}
    assert (pump.status, pump.justification) == (VexStatus.NOT_AFFECTED, Justification.CODE_NOT_EXECUTED)
    assert pump.detail == "The parser is never called." and pump.timestamp == datetime(2025, 1, 15, tzinfo=UTC)
    assert (pump.products[0].purl, pump.products[0].version_text) == ("pkg:generic/pump@4.2", "4.2")
    assert [(part.name, part.version) for part in pump.components] == [("left-pad", "1"), ("zlib", "1.2")]
    assert console.products[0].version_text == "5.0" and not console.components
    assert fixed.status is VexStatus.FIXED and fixed.timestamp == document.timestamp
    assert affected.detail == "Keep it off the network."


def test_openvex_of_the_first_version() -> None:
    """0.0.1: vulnerabilities and products were texts."""
    statement = {
        "vulnerability": "CVE-2023-0001",
        "products": ["pkg:oci/pump@sha256%3Aabc"],
        "status": "under_investigation",
    }
    old = OPENVEX | {"@context": "https://openvex.dev/ns", "version": "1", "statements": [statement]}
    (read,) = read_openvex(old, "x", NOW)[0].statements
    assert read.vulnerability == "CVE-2023-0001" and read.products[0].purl == "pkg:oci/pump@sha256%3Aabc"


def test_openvex_skips_bad_statements_one_by_one() -> None:
    good = OPENVEX["statements"][1]
    bad: list[Any] = [3, good | {"status": "fine"}, good | {"products": []}, good | {"vulnerability": {}}]
    document, skipped = read_openvex(OPENVEX | {"statements": [*bad, good]}, "x", NOW)
    assert len(document.statements) == 1 and len(skipped) == 4
    with pytest.raises(InputError, match="not an OpenVEX"):
        read_openvex(OPENVEX | {"@context": "https://example.org"}, "x", NOW)
    with pytest.raises(InputError, match="/author: is missing"):
        read_openvex(OPENVEX | {"author": ""}, "x", NOW)


CSAF: dict[str, Any] = {
    "document": {
        "category": "csaf_vex",
        "csaf_version": "2.0",
        "title": "Pump",
        "publisher": {"category": "vendor", "name": "Vendor", "namespace": "https://vendor.example.org"},
        "tracking": {
            "id": "V-1",
            "version": "2",
            "initial_release_date": "2025-01-01T00:00:00Z",
            "current_release_date": "2025-02-01T00:00:00Z",
        },
    },
    "product_tree": {
        "branches": [
            {
                "category": "vendor",
                "name": "Vendor",
                "branches": [
                    {
                        "category": "product_name",
                        "name": "Pump",
                        "branches": [
                            {
                                "category": "product_version",
                                "name": "4.2",
                                "product": {"name": "Vendor Pump 4.2", "product_id": "P"},
                            }
                        ],
                    }
                ],
            },
            {
                "category": "product_name",
                "name": "zlib",
                "product": {
                    "name": "zlib 1.2",
                    "product_id": "Z",
                    "product_identification_helper": {"purl": "pkg:generic/zlib@1.2"},
                },
            },
        ],
        "relationships": [
            {
                "category": "default_component_of",
                "product_reference": "Z",
                "relates_to_product_reference": "P",
                "full_product_name": {"name": "zlib in Pump", "product_id": "ZP"},
            }
        ],
        "product_groups": [{"group_id": "G", "product_ids": ["P", "ZP"]}],
    },
    "vulnerabilities": [
        {
            "cve": "CVE-2023-0001",
            "product_status": {"known_not_affected": ["P"]},
            "flags": [{"label": "component_not_present", "group_ids": ["G"]}],
        },
        {
            "cve": "CVE-2023-0002",
            "product_status": {"known_not_affected": ["ZP"], "recommended": ["P"]},
            "threats": [
                {"category": "impact", "details": "Never called.", "product_ids": ["ZP"]},
                {"category": "exploit_status", "details": "Known.", "product_ids": ["ZP"]},
            ],
        },
        {
            "cve": "CVE-2023-0003",
            "product_status": {"known_affected": ["P"], "first_fixed": ["Z"], "under_investigation": ["ZP"]},
            "remediations": [{"category": "mitigation", "details": "Keep it off the network.", "product_ids": ["P"]}],
        },
    ],
}


def test_csaf() -> None:
    document, _ = read_csaf_vex(CSAF, "x", NOW)
    assert (document.author, document.id, document.version) == ("Vendor", "V-1", "2")
    by_name: dict[str, list[Any]] = {}
    for statement in document.statements:
        by_name.setdefault(statement.vulnerability, []).append(statement)
    (whole,) = by_name["CVE-2023-0001"]
    assert whole.justification is Justification.COMPONENT_NOT_PRESENT and not whole.components
    assert (whole.products[0].vendor, whole.products[0].version_text) == ("Vendor", "4.2")
    (part,) = by_name["CVE-2023-0002"]
    assert part.products[0].product_id == "P" and part.components[0].purl == "pkg:generic/zlib@1.2"
    assert (part.detail, part.justification) == ("Never called.", None)
    assert {each.status: each.detail for each in by_name["CVE-2023-0003"]} == {
        VexStatus.AFFECTED: "Keep it off the network.",
        VexStatus.FIXED: "",
        VexStatus.UNDER_INVESTIGATION: "",
    }


CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "version": 7,
    "metadata": {
        "timestamp": "2025-01-01T00:00:00Z",
        "manufacturer": {"name": "Vendor PSIRT"},
        "component": {
            "type": "device",
            "bom-ref": "pump",
            "name": "Pump",
            "version": "4.2",
            "supplier": {"name": "Vendor"},
            "components": [{"type": "library", "bom-ref": "z", "name": "zlib", "version": "1.2"}],
        },
    },
    "vulnerabilities": [
        {
            "id": "CVE-2023-0001",
            "analysis": {
                "state": "not_affected",
                "justification": "requires_configuration",
                "detail": "Off by default.",
                "lastUpdated": "2025-01-15T00:00:00Z",
            },
            "affects": [{"ref": "pump"}, {"ref": "z"}],
        }
    ],
}


def test_cyclonedx() -> None:
    document, skipped = read_cyclonedx_vex(CYCLONEDX, "x", NOW)
    assert not skipped and (document.author, document.version) == ("Vendor PSIRT", "7")
    whole, part = document.statements
    product = whole.products[0]
    assert (product.vendor, product.product, product.version_text) == ("Vendor", "Pump", "4.2")
    assert whole.justification is None and whole.detail == "requires configuration; Off by default."
    assert whole.timestamp == datetime(2025, 1, 15, tzinfo=UTC)
    assert part.products == whole.products and part.components[0].label == "zlib 1.2"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("resolved", VexStatus.FIXED),
        ("resolved_with_pedigree", VexStatus.FIXED),
        ("exploitable", VexStatus.AFFECTED),
        ("in_triage", VexStatus.UNDER_INVESTIGATION),
        ("false_positive", VexStatus.NOT_AFFECTED),
    ],
)
def test_states_of_cyclonedx(state: str, status: VexStatus) -> None:
    changed = copy.deepcopy(CYCLONEDX)
    changed["vulnerabilities"][0]["analysis"]["state"] = state
    assert read_cyclonedx_vex(changed, "x", NOW)[0].statements[0].status is status


def test_vulnerabilities_without_an_analysis_say_nothing() -> None:
    changed = copy.deepcopy(CYCLONEDX)
    del changed["vulnerabilities"][0]["analysis"]
    assert read_cyclonedx_vex(changed, "x", NOW)[0].statements == ()
    changed["vulnerabilities"][0]["analysis"] = {"state": "perhaps"}
    assert "is not a state" in read_cyclonedx_vex(changed, "x", NOW)[1][0].reason


def test_documents_without_an_author_do_not_speak_for_one_another() -> None:
    changed = copy.deepcopy(CYCLONEDX)
    del changed["metadata"]["manufacturer"], changed["metadata"]["component"]["supplier"]
    other = changed | {"serialNumber": "urn:uuid:00000000-395b-41f5-a30f-a58921a69b79"}
    assert read_cyclonedx_vex(changed, "x", NOW)[0].author != read_cyclonedx_vex(other, "x", NOW)[0].author


def test_the_use_cases_of_cisa(shared_data: Path) -> None:
    folder = shared_data / "sbom" / "vex" / "CISA-Use-Cases"
    files = sorted(folder.glob("*/vex*.json"))
    assert len(files) == 11
    read = {}
    for file in files:
        raw = read_json(file)
        document, skipped = VEX[recognise(raw)](raw, str(file), NOW)
        assert not skipped and document.statements
        read[f"{file.parent.name}/{file.stem}"] = document.statements
    assert [each.status for each in read["Case-1/vex-fixed"]] == [VexStatus.FIXED]
    several = {(each.status, product.version_text) for each in read["Case-6/vex"] for product in each.products}
    assert (VexStatus.AFFECTED, "2.4") in several and (VexStatus.NOT_AFFECTED, "2.5") in several
    assert (VexStatus.NOT_AFFECTED, "2.4") not in several
    assert {product.full_name for each in read["Case-7/vex"] for product in each.products} == {
        "product-ABC",
        "product-JKL",
    }


VALUES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2) | st.just({})


@given(st.sampled_from(sorted(OPENVEX["statements"][0])), VALUES)
def test_any_openvex_statement_is_read_or_skipped(key: str, value: Any) -> None:
    statements = [OPENVEX["statements"][0] | {key: value}]
    document, skipped = read_openvex(OPENVEX | {"statements": statements}, "x", NOW)
    assert document.statements or skipped


@given(st.sampled_from(["id", "analysis", "affects", "references"]), VALUES)
def test_any_cyclonedx_vulnerability_is_read_or_skipped(key: str, value: Any) -> None:
    vulnerabilities = [CYCLONEDX["vulnerabilities"][0] | {key: value}]
    document, skipped = read_cyclonedx_vex(CYCLONEDX | {"vulnerabilities": vulnerabilities}, "x", NOW)
    assert document.statements or skipped or key in ("analysis", "affects")
