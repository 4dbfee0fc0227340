"""SPDX 3.0 JSON-LD."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scans.detect import Kind, detect
from connectors.scans.sbom import read_sbom
from connectors.scans.sbom.relationships import SPDX3
from meddojo.errors import InputError
from meddojo.sbom import Dependency, DependencyKind, Sbom

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
BASE = "https://acme.example/sbom#"


def document(*elements: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"@context": CONTEXT, "@graph": list(elements), **others}


def read(*elements: dict[str, Any]) -> Sbom:
    return read_sbom(json.dumps(document(*elements)).encode(), "x")


def package(ref: str, **others: Any) -> dict[str, Any]:
    return {"type": "software_Package", "spdxId": BASE + ref, "creationInfo": "_:c", "name": ref, **others}


def relation(kind: str, source: str, *targets: str, **others: Any) -> dict[str, Any]:
    ends = {"from": BASE + source, "to": [BASE + target for target in targets]}
    return {"type": "Relationship", "spdxId": f"{BASE}r-{kind}-{source}", "relationshipType": kind, **ends, **others}


WHOLE = (
    {
        "type": "CreationInfo",
        "@id": "_:c",
        "specVersion": "3.0.1",
        "created": "2025-02-01T10:00:00Z",
        "createdBy": [BASE + "acme"],
        "createdUsing": [BASE + "tool"],
    },
    {"type": "Organization", "spdxId": BASE + "acme", "name": "Acme", "creationInfo": "_:c"},
    {"type": "Tool", "spdxId": BASE + "tool", "name": "bommer 2", "creationInfo": "_:c"},
    {"type": "SpdxDocument", "spdxId": BASE + "doc", "creationInfo": "_:c", "rootElement": [BASE + "bom"]},
    {
        "type": "software_Sbom",
        "spdxId": BASE + "bom",
        "creationInfo": "_:c",
        "rootElement": [BASE + "app"],
        "software_sbomType": ["build"],
    },
    package("app", suppliedBy=BASE + "acme", software_primaryPurpose="operatingSystem"),
    package(
        "ssl",
        software_packageVersion="3.0.1",
        software_packageUrl="pkg:generic/openssl@3.0.1",
        originatedBy=["https://openssl.example/org/OpenSSL"],
        supportLevel=["limitedSupport"],
        validUntilTime="2026-09-07T00:00:00Z",
        verifiedUsing=[{"type": "Hash", "algorithm": "sha256", "hashValue": "AB"}, {"type": "PackageVerificationCode"}],
        externalIdentifier=[
            {
                "type": "ExternalIdentifier",
                "externalIdentifierType": "cpe23",
                "identifier": "cpe:2.3:a:openssl:openssl:3.0.1:*:*:*:*:*:*:*",
            }
        ],
        extension=[
            {
                "type": "extension_CdxPropertiesExtension",
                "extension_cdxProperty": [{"extension_cdxPropName": "a", "extension_cdxPropValue": "b"}],
            }
        ],
    ),
    package("make"),
    {"type": "software_File", "spdxId": BASE + "file", "name": "x"},
    {
        "type": "simplelicensing_LicenseExpression",
        "spdxId": BASE + "licence",
        "simplelicensing_licenseExpression": "Apache-2.0 OR MIT",
    },
    relation("dependsOn", "app", "ssl", completeness="complete"),
    relation("dependsOn", "app", "make", scope="build", type="LifecycleScopedRelationship", completeness="complete"),
    relation("contains", "app", "file", completeness="complete"),
    relation("hasDeclaredLicense", "ssl", "licence"),
    {
        "type": "Relationship",
        "relationshipType": "hasConcludedLicense",
        "from": BASE + "ssl",
        "to": ["https://spdx.org/licenses/BSD-3-Clause"],
    },
)


def test_a_whole_document() -> None:
    sbom = read(*WHOLE)
    assert detect(json.dumps(document(*WHOLE)).encode(), "x") is Kind.SPDX
    assert sbom.format == "SPDX 3.0.1" and sbom.created == datetime(2025, 2, 1, 10, tzinfo=UTC) and not sbom.problems
    assert sbom.authors == ("Acme",) and sbom.tools == ("bommer 2",) and sbom.lifecycle == "build"
    assert sbom.root == BASE + "app" and sbom.complete == (BASE + "app",)
    app, ssl, _ = sbom.components
    assert app.supplier == "Acme" and app.kind == "operating-system"
    assert (ssl.version, ssl.purl, ssl.supplier) == ("3.0.1", "pkg:generic/openssl@3.0.1", "OpenSSL")
    assert ssl.cpe and ssl.hashes == ("SHA-256:ab",) and ssl.properties == (("a", "b"),)
    assert ssl.support_level == "limited support" and ssl.end_of_support == date(2026, 9, 7)
    assert ssl.licences == ("Apache-2.0 OR MIT", "BSD-3-Clause")
    assert sbom.dependencies == (
        Dependency(BASE + "app", BASE + "ssl"),
        Dependency(BASE + "app", BASE + "make", DependencyKind.DEVELOPMENT),
    )


def agent(ref: str, *identifiers: tuple[str, str]) -> dict[str, Any]:
    stated = [{"externalIdentifierType": kind, "identifier": text} for kind, text in identifiers]
    return {"type": "Organization", "spdxId": BASE + ref, "name": ref, "externalIdentifier": stated}


def file(ref: str, *purposes: str, **others: Any) -> dict[str, Any]:
    digest = [{"type": "Hash", "algorithm": "sha512", "hashValue": "AB" * 64}]
    named = {"type": "software_File", "spdxId": BASE + ref, "name": f"{ref}.bin", "verifiedUsing": digest}
    return {**named, "software_additionalPurpose": list(purposes), **others}


def test_who_can_be_reached() -> None:
    creation = {**WHOLE[0], "createdBy": [BASE + "acme", "https://elsewhere.example/B"]}
    sbom = read(
        creation,
        agent("acme", ("email", "sbom@acme.example"), ("cve", "CVE-2024-0001")),
        agent("zlib", ("urlScheme", "https://zlib.example")),
        package("a", suppliedBy=BASE + "acme", originatedBy=[BASE + "zlib"], software_downloadLocation="https://d"),
    )
    (part,) = sbom.components
    assert sbom.authors == ("acme", "B") and sbom.contacts == ("sbom@acme.example",)
    assert part.supplier == "acme" and part.contacts == ("sbom@acme.example", "https://zlib.example")
    assert part.distribution_urls == ("https://d",) and part.unknown == ()


def test_the_file_a_package_is_delivered_as() -> None:
    meant = "software_additionalPurpose field is used to indicate the properties of BSI TR-03183-2"
    sbom = read(
        *(package(ref) for ref in "abc"),
        file("x", "archive", "container", comment=meant),
        file("y", "executable"),
        relation("hasDistributionArtifact", "a", "missing", "x", "y"),
        relation("hasDistributionArtifact", "b", "y"),
        relation("hasDistributionArtifact", "c", "a"),
    )
    a, b, c = sbom.components
    assert a.filename == "x.bin" and a.distribution_hashes == ("SHA-512:" + "ab" * 64,) and a.hashes == ()
    assert a.properties == (
        ("bsi:component:executable", "non-executable"),
        ("bsi:component:archive", "archive"),
        ("bsi:component:structured", "structured"),
    )
    assert b.filename == "y.bin", "without the remark, what is not listed is not denied"
    assert b.properties == (("bsi:component:executable", "executable"),)
    assert (c.filename, c.distribution_hashes, c.properties) == ("", (), ())


def test_what_is_stated_to_be_incomplete_or_unknown() -> None:
    nobody = "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"
    sbom = read(
        WHOLE[3],
        *(package(ref) for ref in "abcd"),
        package("e", suppliedBy=nobody),
        relation("dependsOn", "a", "b", completeness="complete"),
        relation("contains", "a", "c", completeness="incomplete"),
        relation("dependsOn", "b", "c", completeness="noAssertion"),
        relation("dependsOn", "c", "d"),
    )
    assert sbom.complete == () and sbom.incomplete == (BASE + "a", BASE + "b")
    assert sbom.identifier == BASE + "doc"
    assert [part.unknown for part in sbom.components] == [(), (), (), (), ("supplier",)]
    assert sbom.components[4].supplier == ""


@pytest.mark.parametrize("kind", sorted(SPDX3))
def test_every_relationship(kind: str) -> None:
    sbom = read(package("a"), package("b"), relation(kind, "a", "b"))
    meaning = SPDX3[kind]
    ends = (BASE + "b", BASE + "a") if kind == "packagedBy" else (BASE + "a", BASE + "b")
    assert sbom.dependencies == (() if meaning is None else (Dependency(*ends, meaning.kind),))
    assert sbom.problems == ()


def test_licences_are_put_together() -> None:
    both = {"type": "expandedlicensing_ConjunctiveLicenseSet", "spdxId": BASE + "both"}
    either = {"type": "expandedlicensing_DisjunctiveLicenseSet", "spdxId": BASE + "either"}
    later = {"type": "expandedlicensing_OrLaterOperator", "spdxId": BASE + "later"}
    added = {"type": "expandedlicensing_WithAdditionOperator", "spdxId": BASE + "added"}
    own = {"type": "expandedlicensing_CustomLicense", "spdxId": BASE + "LicenseRef-own", "name": "Our own"}
    list_ = "https://spdx.org/licenses/"
    both["expandedlicensing_member"] = [BASE + "either", BASE + "LicenseRef-own"]  # type: ignore[assignment]
    either["expandedlicensing_member"] = [BASE + "later", BASE + "added"]  # type: ignore[assignment]
    later["expandedlicensing_subjectLicense"] = list_ + "EPL-1.0"
    added["expandedlicensing_subjectExtendableLicense"] = list_ + "GPL-2.0-only"
    added["expandedlicensing_subjectAddition"] = list_ + "Classpath-exception-2.0"
    sbom = read(package("a"), both, either, later, added, own, relation("hasDeclaredLicense", "a", "both"))
    assert sbom.components[0].licences == ("(EPL-1.0+ OR GPL-2.0-only WITH Classpath-exception-2.0) AND Our own",)


def test_licences_that_contain_themselves_end() -> None:
    loop = {
        "type": "expandedlicensing_ConjunctiveLicenseSet",
        "spdxId": BASE + "loop",
        "expandedlicensing_member": [BASE + "loop", BASE + "loop"],
    }
    chain = [
        {**loop, "spdxId": f"{BASE}l{number}", "expandedlicensing_member": [f"{BASE}l{number + 1}"] * 50}
        for number in range(3000)
    ]
    for ref, elements in (("loop", [loop]), ("l0", chain)):
        sbom = read(package("a"), *elements, relation("hasDeclaredLicense", "a", ref))
        assert all(len(text) <= 2000 for text in sbom.components[0].licences)


def test_no_licence_and_no_dependency_are_nothing() -> None:
    none = {
        "type": "Relationship",
        "relationshipType": "dependsOn",
        "from": BASE + "a",
        "to": ["https://spdx.org/rdf/3.0.1/terms/Core/NoneElement"],
        "completeness": "complete",
    }
    unknown = {**none, "relationshipType": "hasDeclaredLicense", "to": ["https://spdx.org/licenses/NOASSERTION"]}
    sbom = read(package("a"), none, unknown)
    assert sbom.dependencies == () and sbom.complete == (BASE + "a",) and sbom.components[0].licences == ()
    assert sbom.problems == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps({"@context": "https://schema.org", "@graph": []}), "/@context: is not that of SPDX 3"),
        (json.dumps(document({"type": "CreationInfo", "specVersion": "4.0"})), "SPDX '4.0' is not"),
    ],
)
def test_what_is_not_spdx_3(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_sbom(text.encode(), "x")


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "a", "b", "software_Package", "software_File", "dependsOn", "hasDistributionArtifact"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type spdxId name from to relationshipType rootElement creationInfo createdBy suppliedBy scope"
                " verifiedUsing extension externalIdentifier supportLevel expandedlicensing_member completeness"
                " software_additionalPurpose externalIdentifierType".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(_ANY, st.lists(_ANY, max_size=4))
def test_any_graph_is_read(graph: Any, more: list[Any]) -> None:
    elements = [*more, *(graph if isinstance(graph, list) else [graph]), package("a"), WHOLE[3]]
    sbom = read_sbom(json.dumps({"@context": [CONTEXT], "@graph": elements}).encode(), "x")
    refs = {part.ref for part in sbom.components}
    assert BASE + "a" in refs and len(refs) == len(sbom.components)
    assert all(one in refs and other in refs for one, other, _ in sbom.dependencies)
