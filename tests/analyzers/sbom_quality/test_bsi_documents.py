"""Documents written as BSI TR-03183-2 v2.1.0 maps its fields (section 8.2), read from file and judged."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from analyzers.sbom_quality.assessment import assess
from analyzers.sbom_quality.catalogues import catalogue
from connectors.scans.sbom import read_sbom

SHA512 = "ab" * 64
BASE = "https://devices.example/sbom/7#"
MAKER = {"name": "Example Devices", "contact": [{"email": "sbom@devices.example"}]}
CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:6e3d1f2e-0f0e-4a4e-9f3a-0d2f6a2a1b11",
    "version": 1,
    "metadata": {
        "timestamp": "2026-01-31T12:00:00Z",
        "manufacturer": {**MAKER},
        "component": {
            "type": "device",
            "bom-ref": "pump",
            "name": "Pump",
            "version": "2.1",
            "purl": "pkg:generic/pump@2.1",
            "manufacturer": MAKER,
            "licenses": [{"expression": "LicenseRef-devices-own", "acknowledgement": "concluded"}],
        },
    },
    "components": [
        {
            "type": "library",
            "bom-ref": "zlib",
            "name": "zlib",
            "version": "1.3.1",
            "purl": "pkg:generic/zlib@1.3.1",
            "manufacturer": {"name": "zlib project", "url": ["https://zlib.example"]},
            "licenses": [{"expression": "Zlib", "acknowledgement": "concluded"}],
            "externalReferences": [
                {
                    "type": "distribution",
                    "url": "https://zlib.example/libz.so.1",
                    "hashes": [{"alg": "SHA-512", "content": SHA512}],
                }
            ],
            "properties": [
                {"name": "bsi:component:filename", "value": "libz.so.1"},
                {"name": "bsi:component:executable", "value": "executable"},
                {"name": "bsi:component:archive", "value": "no archive"},
                {"name": "bsi:component:structured", "value": "unstructured"},
            ],
        }
    ],
    "dependencies": [{"ref": "pump", "dependsOn": ["zlib"]}, {"ref": "zlib"}],
    "compositions": [
        {"aggregate": "incomplete", "dependencies": ["pump"]},
        {"aggregate": "unknown", "dependencies": ["zlib"]},
    ],
}


def _package(ref: str, **others: Any) -> dict[str, Any]:
    return {
        "type": "software_Package",
        "spdxId": BASE + ref,
        "name": ref,
        "software_packageVersion": "1.3.1",
        "software_packageUrl": f"pkg:generic/{ref}@1.3.1",
        "originatedBy": [BASE + "maker"],
        "software_downloadLocation": f"https://devices.example/{ref}",
        **others,
    }


def _relation(kind: str, one: str, *others: str) -> dict[str, Any]:
    ends = {"from": BASE + one, "to": [BASE + other for other in others]}
    return {"type": "Relationship", "relationshipType": kind, "completeness": "complete", **ends}


SPDX = {
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [
        {
            "type": "CreationInfo",
            "@id": "_:c",
            "specVersion": "3.0.1",
            "created": "2026-01-31T12:00:00Z",
            "createdBy": [BASE + "maker"],
        },
        {
            "type": "Organization",
            "spdxId": BASE + "maker",
            "name": "Example Devices",
            "externalIdentifier": [{"externalIdentifierType": "email", "identifier": "sbom@devices.example"}],
        },
        {"type": "SpdxDocument", "spdxId": BASE + "doc", "creationInfo": "_:c", "rootElement": [BASE + "pump"]},
        _package("pump", software_primaryPurpose="device"),
        _package("zlib", software_primaryPurpose="library"),
        {
            "type": "software_File",
            "spdxId": BASE + "file",
            "name": "libz.so.1",
            "verifiedUsing": [{"type": "Hash", "algorithm": "sha512", "hashValue": SHA512}],
            "software_additionalPurpose": ["executable", "firmware"],
            "comment": "software_additionalPurpose field is used to indicate the properties of BSI TR-03183-2",
        },
        {
            "type": "simplelicensing_LicenseExpression",
            "spdxId": BASE + "licence",
            "simplelicensing_licenseExpression": "Zlib",
        },
        _relation("hasDistributionArtifact", "zlib", "file"),
        _relation("hasConcludedLicense", "zlib", "licence"),
        _relation("hasConcludedLicense", "pump", "licence"),
        _relation("dependsOn", "pump", "zlib"),
    ],
}


def failed(document: Any) -> list[str]:
    made = assess(read_sbom(json.dumps(document).encode(), "x"), catalogue("bsi"))
    return [result.rule.id for result in made.results if not result.passed]


@pytest.mark.parametrize("document", [CYCLONEDX, SPDX], ids=["CycloneDX", "SPDX 3"])
def test_a_document_by_the_mapping_lacks_nothing(document: Any) -> None:
    assert failed(document) == []


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        (("serialNumber",), ["bsi-uri"]),
        (("compositions",), ["bsi-completeness"]),
        (("compositions", 1), ["bsi-completeness"]),
        (("metadata", "manufacturer", "contact"), ["bsi-creator"]),
        (("components", 0, "manufacturer", "url"), ["bsi-component-creator"]),
        (("components", 0, "externalReferences"), ["bsi-hash", "bsi-deployable-uri"]),
        (("components", 0, "externalReferences", 0, "hashes"), ["bsi-hash"]),
        (("components", 0, "properties", 0), ["bsi-filename"]),
        (("components", 0, "properties", 1), ["bsi-executable"]),
    ],
)
def test_what_is_taken_out_of_it_is_missed(path: tuple[Any, ...], rules: list[str]) -> None:
    document = copy.deepcopy(CYCLONEDX)
    place = document
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    assert failed(document) == rules
