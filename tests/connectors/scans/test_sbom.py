"""SBOMs of every format and in every state of repair."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scans.sbom import read_sbom
from meddojo.errors import InputError
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom


def read(document: Any) -> Sbom:
    return read_sbom(json.dumps(document).encode(), "x")


def cyclonedx(*components: Any, **others: Any) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": list(components), **others}


def spdx(*packages: Any, **others: Any) -> dict[str, Any]:
    return {"spdxVersion": "SPDX-2.3", "packages": list(packages), **others}


CYCLONEDX_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1">
  <metadata>
    <timestamp>2024-09-01T00:00:00Z</timestamp>
    <component type="device" bom-ref="pump"><name>Pump</name><version>2.1</version></component>
  </metadata>
  <components>
    <component type="library" bom-ref="ssl">
      <supplier><name>OpenSSL project</name></supplier>
      <name>openssl</name><version>3.0.1</version>
      <cpe>cpe:/a:openssl:openssl:3.0.1</cpe><purl>pkg:generic/openssl@3.0.1</purl>
      <components>
        <component type="library" bom-ref="crypto"><publisher>P</publisher><name>libcrypto</name></component>
      </components>
    </component>
  </components>
  <dependencies>
    <dependency ref="pump"><dependency ref="ssl"/><dependency ref="gone"/></dependency>
    <dependency ref="ssl"/>
  </dependencies>
</bom>
"""
CYCLONEDX_JSON = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {
        "timestamp": "2024-09-01T00:00:00Z",
        "component": {"type": "device", "bom-ref": "pump", "name": "Pump", "version": "2.1"},
    },
    "components": [
        {
            "type": "library",
            "bom-ref": "ssl",
            "supplier": {"name": "OpenSSL project"},
            "name": "openssl",
            "version": "3.0.1",
            "cpe": "cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*",
            "purl": "pkg:generic/openssl@3.0.1",
            "components": [{"type": "library", "bom-ref": "crypto", "publisher": "P", "name": "libcrypto"}],
        }
    ],
    "dependencies": [{"ref": "pump", "dependsOn": ["ssl", "gone"]}, {"ref": "ssl"}],
}


def test_cyclonedx_json_and_xml_say_the_same() -> None:
    sbom = read(CYCLONEDX_JSON)
    assert sbom == read_sbom(CYCLONEDX_XML, "x")
    assert sbom == Sbom(
        format="CycloneDX 1.6",
        components=(
            Component("pump", "Pump", "2.1", kind="device"),
            Component(
                ref="ssl",
                name="openssl",
                version="3.0.1",
                purl="pkg:generic/openssl@3.0.1",
                cpe="cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*",
                supplier="OpenSSL project",
                kind="library",
            ),
            Component("crypto", "libcrypto", supplier="P", kind="library"),
        ),
        root="pump",
        dependencies=(Dependency("pump", "ssl"), Dependency("ssl", "crypto", DependencyKind.CONTAINS)),
        created=datetime(2024, 9, 1, tzinfo=UTC),
        unresolved=("gone",),
        version="1",
    )


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4", "1.5", "1.6"])
def test_cyclonedx_versions(version: str) -> None:
    assert read(cyclonedx({"name": "a"}) | {"specVersion": version}).format == f"CycloneDX {version}"
    xml = CYCLONEDX_XML.replace(b"bom/1.6", f"bom/{version}".encode())
    assert read_sbom(xml, "x").format == f"CycloneDX {version}"


def test_a_cycle_is_data() -> None:
    parts = [{"bom-ref": ref, "name": ref} for ref in "abc"]
    edges = [{"ref": a, "dependsOn": [b]} for a, b in ("ab", "bc", "ca", "aa")]
    sbom = read(cyclonedx(*parts, dependencies=edges))
    assert sbom.dependencies == tuple(Dependency(a, b) for a, b in ("ab", "bc", "ca", "aa"))


def test_names_keep_what_no_purl_tells() -> None:
    sbom = read(
        cyclonedx(
            {"group": "@angular", "name": "core", "purl": "pkg:npm/%40angular/core@1"},
            {"group": "org.x", "name": "y", "purl": "pkg:maven/org.x/y@1"},
            {"group": "org.x", "name": "y"},
        )
    )
    assert [part.name for part in sbom.components] == ["@angular/core", "y", "org.x/y"]


def test_no_component_is_lost_to_a_taken_reference() -> None:
    sbom = read(
        cyclonedx(
            {"bom-ref": "a", "name": "one"},
            {"bom-ref": "a", "name": "two"},
            {"bom-ref": "a", "name": "one"},
            {"bom-ref": "b", "name": "b"},
            dependencies=[{"ref": "b", "dependsOn": ["a", "a"]}],
        )
    )
    assert [part.label for part in sbom.components] == ["one", "two", "b"]
    assert len({part.ref for part in sbom.components}) == 3
    assert sbom.dependencies == (Dependency("b", "a"),)
    assert len(sbom.problems) == 1 and "two has the reference 'a' of one" in sbom.problems[0]


def test_a_blemish_costs_no_component() -> None:
    sbom = read(
        cyclonedx(
            {"type": "widget", "name": "a", "version": 1.1, "hashes": [{"alg": "SHA9"}], "purl": "none"},
            {"version": "1"},
            7,
            {"name": "b", "components": {"name": "c"}},
            metadata={"timestamp": "yesterday", "component": []},
            dependencies=[{"ref": "a", "dependsOn": "b"}, 5],
            serialNumber="?",
        )
    )
    assert [part.name for part in sbom.components] == ["a", "b"]
    assert sbom.components[0].version == "" and sbom.created is None
    assert "/components/0/version: a number where a text belongs" in sbom.problems
    assert "/components/1/name: is missing, so this component was left out" in sbom.problems
    assert len(sbom.problems) == 7


def test_a_nameless_main_component_is_no_root() -> None:
    sbom = read(cyclonedx({"name": "b"}, metadata={"component": {"components": [{"name": "a"}]}}))
    assert sbom.root == "" and [part.name for part in sbom.components] == ["a", "b"]


@pytest.mark.parametrize(
    "document", [cyclonedx(), cyclonedx(metadata={"component": {"name": "x"}}, vulnerabilities=[]), spdx()]
)
def test_nothing_listed_is_said(document: Any) -> None:
    assert read(document).problems == ("no component is listed; is this a VEX document or an empty export?",)


SPDX_JSON = spdx(
    {
        "SPDXID": "SPDXRef-app",
        "name": "console",
        "versionInfo": "2.3.0",
        "supplier": "Organization: Acme GmbH (sbom@acme.example)",
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    },
    {
        "SPDXID": "SPDXRef-ssl",
        "name": "openssl",
        "versionInfo": "NOASSERTION",
        "supplier": "NOASSERTION",
        "originator": "Person: A. Nyone (Ltd)",
        "externalRefs": [
            {"referenceCategory": "SECURITY", "referenceType": "cpe22Type", "referenceLocator": "cpe:/a:b:c:1"},
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "http://spdx.org/rdf/references/purl",
                "referenceLocator": "pkg:generic/openssl@1",
            },
        ],
    },
    {"SPDXID": "SPDXRef-test", "name": "pytest", "versionInfo": "8"},
    creationInfo={"created": "2024-09-01T00:00:00Z"},
    documentDescribes=["SPDXRef-app"],
    files=[{"SPDXID": "SPDXRef-File-1", "fileName": "./bin/x"}],
    relationships=[
        {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
        for one, kind, other in (
            ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-app"),
            ("SPDXRef-app", "DEPENDS_ON", "SPDXRef-ssl"),
            ("SPDXRef-ssl", "RUNTIME_DEPENDENCY_OF", "SPDXRef-app"),
            ("SPDXRef-test", "TEST_TOOL_OF", "SPDXRef-app"),
            ("SPDXRef-app", "CONTAINS", "SPDXRef-File-1"),
        )
    ],
)
SPDX_TEXT = b"""# exported
SPDXVersion: SPDX-2.3
SPDXID: SPDXRef-DOCUMENT
DocumentComment: <text>PackageName: not one
</text>
Created: 2024-09-01T00:00:00Z
Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app

PackageName: console
SPDXID: SPDXRef-app
PackageVersion: 2.3.0
PackageSupplier: Organization: Acme GmbH (sbom@acme.example)
PrimaryPackagePurpose: OPERATING-SYSTEM
PackageDescription: <text>one
PackageVersion: 9</text>
FileName: ./bin/x
SPDXID: SPDXRef-File-1

PackageName: openssl
SPDXID: SPDXRef-ssl
PackageVersion: NOASSERTION
PackageSupplier: NOASSERTION
PackageOriginator: Person: A. Nyone (Ltd)
ExternalRef: SECURITY cpe22Type cpe:/a:b:c:1
ExternalRef: PACKAGE-MANAGER http://spdx.org/rdf/references/purl pkg:generic/openssl@1
PackageName: pytest
SPDXID: SPDXRef-test
PackageVersion: 8
Relationship: SPDXRef-app DEPENDS_ON SPDXRef-ssl
Relationship: SPDXRef-test TEST_TOOL_OF SPDXRef-app
Relationship: SPDXRef-app CONTAINS SPDXRef-File-1
"""


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_spdx_json_and_tag_value_say_the_same(end: bytes) -> None:
    sbom = read(SPDX_JSON)
    assert sbom == read_sbom(SPDX_TEXT.replace(b"\n", end), "x")
    assert sbom == Sbom(
        format="SPDX 2.3",
        components=(
            Component(
                "SPDXRef-app",
                "console",
                "2.3.0",
                supplier="Acme GmbH",
                kind="operating-system",
                contacts=("sbom@acme.example",),
            ),
            Component(
                ref="SPDXRef-ssl",
                name="openssl",
                purl="pkg:generic/openssl@1",
                cpe="cpe:2.3:a:b:c:1:*:*:*:*:*:*:*",
                supplier="A. Nyone (Ltd)",
                unknown=("version",),
            ),
            Component("SPDXRef-test", "pytest", "8"),
        ),
        root="SPDXRef-app",
        dependencies=(
            Dependency("SPDXRef-app", "SPDXRef-ssl"),
            Dependency("SPDXRef-app", "SPDXRef-test", DependencyKind.DEVELOPMENT),
        ),
        created=datetime(2024, 9, 1, tzinfo=UTC),
    )


def test_spdx_in_the_envelope_of_github() -> None:
    assert read({"sbom": SPDX_JSON}) == read(SPDX_JSON)


def test_spdx_that_describes_several_packages_has_no_root() -> None:
    sbom = read(spdx({"SPDXID": "a", "name": "a"}, {"SPDXID": "b", "name": "b"}, documentDescribes=["a", "b", 3]))
    assert sbom.root == "" and "describes 2 packages" in sbom.problems[0]


def test_a_bad_line_of_tag_value_is_noted() -> None:
    sbom = read_sbom(SPDX_TEXT + b"Relationship: SPDXRef-app\n", "x")
    assert sbom.problems == ("/relationships/4: a text where an object belongs",)
    assert len(sbom.components) == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    assert read_sbom(json.dumps(CYCLONEDX_JSON).encode(encoding), "x") == read(CYCLONEDX_JSON)
    assert read_sbom(SPDX_TEXT.decode().encode(encoding), "x") == read(SPDX_JSON)
    assert read_sbom(gzip.compress(SPDX_TEXT), "x") == read(SPDX_JSON)


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><metadata>&b;</metadata></bom>"""
PASSWD = b"""<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><metadata>&x;</metadata></bom>"""
DEEP = b'<bom xmlns="http://cyclonedx.org/schema/bom/1.4">' + b"<components><component>" * 10_000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not an SBOM"),
        (b"[]", "not an SBOM"),
        (b"[" * 10_000, "nested deeper|ends too early"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested deeper"),
        (b'{"bomFormat": "CycloneDX", "comp', "line 1.*ends too early"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "2.0"}', "/specVersion: CycloneDX '2.0' is not"),
        (b'{"bomFormat": "other"}', "is not CycloneDX"),
        (b'{"bomFormat": 5}', "a number where a text belongs"),
        (b'{"spdxVersion": "SPDX-1.2"}', "/spdxVersion: 'SPDX-1.2' is not"),
        (b'{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}', "not an SBOM"),
        (b'{"matches": []}', "not an SBOM"),
        (b"SPDXVersion: SPDX-2.3\nPackageComment: <text>x\n", "line 2: a <text> without its end"),
        (b"SPDXVersion: SPDX-2.3\0", "NUL"),
        (b"SPDXVersion: SPDX-2.3\nPackageName: M\xfcller", "not UTF-8"),
        (b'{"bomFormat": "M\xfcller"}', "not UTF-8"),
        (LAUGHS, "document type or entities"),
        (PASSWD, "document type or entities"),
        (DEEP, "nested deeper"),
        (CYCLONEDX_XML[:300], r"line \d+, column \d+: not well-formed XML"),
        (CYCLONEDX_XML.replace(b"Pump", b"Pu\0mp"), "not well-formed XML"),
        (CYCLONEDX_XML.replace(b"UTF-8", b"klingon"), "XML"),
        (b'<bom xmlns="http://example.org/"/>', "is not CycloneDX"),
        (b"\x1f\x8b\x08broken", "damaged|early"),
    ],
)
def test_malformed(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_sbom(data, "bad.json")
    assert str(caught.value).startswith("bad.json: ") and caught.value.hint


_KEYS = "bom-ref name version purl cpe group type supplier publisher components metadata component dependencies ref"
_MORE = "dependsOn SPDXID versionInfo externalRefs referenceType referenceLocator relationships spdxElementId"
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*_KEYS.split(), *_MORE.split()]), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(
    st.sampled_from([{"bomFormat": "CycloneDX", "specVersion": "1.4"}, {"spdxVersion": "SPDX-2.2"}, {}]),
    st.dictionaries(
        st.sampled_from(
            ["components", "dependencies", "metadata", "packages", "relationships", "creationInfo", "documentDescribes"]
        ),
        _ANY,
    ),
)
def test_any_document_is_read_or_refused(head: dict[str, Any], body: dict[str, Any]) -> None:
    try:
        sbom = read(head | body)
    except InputError:
        assert not head
        return
    refs = {part.ref for part in sbom.components}
    assert len(refs) == len(sbom.components) and all(part.name for part in sbom.components)
    assert all(one in refs and other in refs for one, other, _ in sbom.dependencies)
    assert sbom.root in refs | {""}


@given(st.binary(max_size=80), st.sampled_from([b"", b"{", b"<bom ", b"SPDXVersion: SPDX-2.3\n", b"\xff\xfe"]))
def test_any_bytes_are_read_or_refused(data: bytes, head: bytes) -> None:
    try:
        read_sbom(head + data, "x")
    except InputError as error:
        assert error.origin == "x"


def test_many_components_with_one_reference_take_no_time() -> None:
    sbom = read(cyclonedx(*({"bom-ref": "a", "name": str(number)} for number in range(20_000))))
    assert len(sbom.components) == 20_000


@pytest.mark.parametrize(
    ("name", "components", "dependencies"),
    [
        ("cyclonedx/keycloak.cdx.json", 904, 994),
        ("cyclonedx/dropwizard-1.3.15.cdx.json", 168, 170),
        ("cyclonedx/laravel-7.12.0.cdx.json", 63, 113),
        ("medical_device_narrow.cdx.json", 56, 0),
    ],
)
def test_real_files(shared_data: Path, name: str, components: int, dependencies: int) -> None:
    sbom = read_sbom((shared_data / "sbom" / name).read_bytes(), name)
    assert (len(sbom.components), len(sbom.dependencies)) == (components, dependencies)
    assert sbom.problems == () and sbom.root == sbom.components[0].ref


@pytest.mark.parametrize("name", ["laravel-7.12.0", "dropwizard-1.3.15"])
def test_real_json_and_xml_agree(shared_data: Path, name: str) -> None:
    folder = shared_data / "sbom" / "cyclonedx"
    from_json, from_xml = (read_sbom((folder / f"{name}.cdx.{end}").read_bytes(), "x") for end in ("json", "xml"))
    # this one component has its licence in the JSON file only
    stated = [
        replace(part, licences=()) if part.name == "osgi-resource-locator" else part for part in from_json.components
    ]
    assert replace(from_json, components=tuple(stated)) == from_xml


def test_the_examples(hospital: Path) -> None:
    for file in (hospital / "sboms").iterdir():
        sbom = read_sbom(file.read_bytes(), file.name)
        assert len(sbom.components) > 10 and sbom.dependencies and sbom.root and not sbom.problems
