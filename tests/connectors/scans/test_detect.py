"""Files are told apart by what is in them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from connectors.reading import read_bytes
from connectors.scans.detect import Kind, detect, recognise
from meddojo.errors import InputError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["bomFormat", "descriptor", "name", "document", "cve", "id", "vulnStatus", "sbom"]), inner
        )
    ),
    max_leaves=12,
)

DOCUMENTS: list[tuple[Kind, Any]] = [
    (Kind.CSAF, {"document": {"csaf_version": "2.0"}, "vulnerabilities": []}),
    (Kind.NVD, {"format": "NVD_CVE", "vulnerabilities": []}),
    (Kind.NVD, {"resultsPerPage": 0, "totalResults": 0, "vulnerabilities": []}),
    (Kind.NVD, {"cve": {"id": "CVE-2020-1", "vulnStatus": "Analyzed"}}),
    (Kind.NVD, [{"id": "CVE-2020-1", "vulnStatus": "Analyzed"}]),
    (Kind.KEV, {"catalogVersion": "1", "vulnerabilities": []}),
    (Kind.STIX, {"type": "bundle", "id": "bundle--1", "objects": []}),
    (Kind.GRYPE, {"matches": [], "source": {}, "descriptor": {}}),
    (Kind.GRYPE, {"descriptor": {"name": "grype"}}),
    (Kind.TRIVY, {"SchemaVersion": 2, "ArtifactName": "image"}),
    (Kind.TRIVY, [{"Target": "debian", "Type": "debian", "Vulnerabilities": None}]),
    (Kind.SARIF, {"version": "2.1.0", "runs": []}),
    (Kind.OPENVEX, {"@context": "https://openvex.dev/ns/v0.2.0", "statements": []}),
    (Kind.CSAF_VEX, {"document": {"csaf_version": "2.0", "category": "csaf_vex"}}),
    (Kind.CSAF, {"document": {"csaf_version": "2.0", "category": "csaf_security_advisory"}}),
    (Kind.CYCLONEDX, {"vulnerabilities": [], "bomFormat": "CycloneDX"}),
    (Kind.CYCLONEDX_VEX, {"bomFormat": "CycloneDX", "vulnerabilities": [{"analysis": {"state": "resolved"}}]}),
    (Kind.CYCLONEDX_VDR, {"bomFormat": "CycloneDX", "vulnerabilities": [{"id": "CVE-2020-0001"}]}),
    (
        Kind.CYCLONEDX_VDR,
        {"bomFormat": "CycloneDX", "components": [{}], "vulnerabilities": [{"analysis": {"state": "resolved"}}]},
    ),
    (Kind.SPDX, {"spdxVersion": "SPDX-2.3"}),
    (Kind.SPDX, {"sbom": {"spdxVersion": "SPDX-2.3"}}),
]
TEXTS = [
    (Kind.EPSS, "#model_version:v2023.03.01,score_date:2024-09-01T00:00:00+0000\ncve,epss,percentile\n"),
    (Kind.EPSS, "cve,epss,percentile\nCVE-2020-0001,0.1,0.2\n"),
    (Kind.SPDX, "# made by hand\nSPDXVersion: SPDX-2.2\n"),
    (Kind.CYCLONEDX, '<?xml version="1.0"?>\n<!-- x --><bom xmlns="http://cyclonedx.org/schema/bom/1.4"/>'),
]


@pytest.mark.parametrize(("kind", "document"), DOCUMENTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_json(kind: Kind, document: Any, indent: int | None) -> None:
    assert recognise(document) is kind
    assert detect(json.dumps(document, indent=indent).encode(), "x") is kind


@pytest.mark.parametrize(("kind", "text"), TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_and_xml(kind: Kind, text: str, encoding: str) -> None:
    if encoding == "utf-16" and text.startswith("<"):
        text = text.replace('"1.0"?', '"1.0" encoding="utf-16"?')
    assert detect(text.encode(encoding), "x") is kind


def test_json_lines_and_compression(tmp_path: Path) -> None:
    lines = b"\n".join(json.dumps(DOCUMENTS[0][1]).encode() for _ in range(3)) + b"\n{broken"
    assert detect(lines, "x") is Kind.CSAF
    for packed in (gzip.compress(lines), zstandard.compress(lines)):
        file = tmp_path / "no-telling-name"
        file.write_bytes(packed)
        assert detect(packed, "x") is detect(read_bytes(file), "x") is Kind.CSAF


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a kind of file(.|\n)*CSAF 2.0(.|\n)*SPDX"),
        (b"hello\n", "not a kind of file"),
        (b"[]", "not a kind of file"),
        (b'{"SchemaVersion": 2, "Artifact": []}', "not a kind of file"),
        (b"<note></note>", "not a kind of file"),
        (b"<note><br/></note>", "not a kind of file"),
        (b"<!doctype note><note></note>", "not well-formed XML"),
        (b"<!DOCTYPE note><note></note>", "document type or entities"),
        (b"<", "not well-formed XML"),
        (b'{"matches": [', "ends too early"),
        (b'{"matches": [\n{}', "line 2"),
        (b"[" * 10_000, "nested deeper|ends too early"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested deeper"),
        (b"hello\0world", "NUL"),
        (b"M\xfcller", "not UTF-8"),
        (b"\x1f\x8b\x08broken", "damaged|early"),
    ],
)
def test_what_is_not_understood(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        detect(data, "some-file")
    assert str(caught.value).startswith("some-file: ") and caught.value.hint


@given(JSON)
def test_any_json_is_recognised_or_unknown(document: Any) -> None:
    assert recognise(document) in Kind


@given(st.binary(max_size=60), st.sampled_from([b"", b"{", b"[", b"<", b"\xff\xfe", b"\x1f\x8b", b"(\xb5/\xfd"]))
def test_any_bytes_are_detected_or_refused(data: bytes, head: bytes) -> None:
    try:
        assert detect(head + data, "x") is not Kind.UNKNOWN
    except InputError as error:
        assert error.origin == "x"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cisa_csaf_icsma.jsonl.zst", Kind.CSAF),
        ("nvd_api2_medical_sample.jsonl.zst", Kind.NVD),
        ("kev_2024-06-30.json.gz", Kind.KEV),
        ("attack_ics_v18.1_stix.json.zst", Kind.STIX),
        ("grype/anchore_grype_many_vulns.json.gz", Kind.GRYPE),
        ("grype/anchore_grype_many_vulns_with_epss_values.json.gz", Kind.GRYPE),
        ("grype/trivy_legacy_many_vulns.json.gz", Kind.TRIVY),
        ("sbom/vex/CISA-Use-Cases/Case-8/vex.json", Kind.CYCLONEDX_VEX),
        ("sbom/vex/CISA-Use-Cases/Case-8/bom-1.json", Kind.CYCLONEDX),
        ("sbom/medical_device_narrow.cdx.json", Kind.CYCLONEDX),
        ("sbom/cyclonedx/laravel-7.12.0.cdx.xml", Kind.CYCLONEDX),
    ],
)
def test_real_files(shared_data: Path, name: str, kind: Kind) -> None:
    assert detect((shared_data / name).read_bytes(), name) is kind


def test_other_real_files_are_refused(shared_data: Path) -> None:
    name = "sbom/sbom_containers_graph.jsonl.zst"
    with pytest.raises(InputError, match="not a kind of file"):
        detect((shared_data / name).read_bytes(), name)


def test_the_example(hospital: Path) -> None:
    files = [file for room in ("feeds", "sboms", "scans") for file in (hospital / room).rglob("*.json")]
    kinds = {detect(file.read_bytes(), file.name) for file in files}
    assert kinds == {Kind.CSAF, Kind.NVD, Kind.KEV, Kind.GRYPE, Kind.CYCLONEDX, Kind.SPDX}
