"""Who needs whom, by the relationships of every format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.scans.detect import Kind, detect
from connectors.scans.sbom import read_sbom
from connectors.scans.sbom.relationships import SPDX2, SPDX3, SYFT
from meddojo.sbom import Dependency, DependencyKind, Sbom

RUNTIME, CONTAINS = DependencyKind.RUNTIME, DependencyKind.CONTAINS
OPTIONAL, DEVELOPMENT = DependencyKind.OPTIONAL, DependencyKind.DEVELOPMENT

# SPDX 2.3, clause 11.1, table 68
OF_SPDX_2_3 = """
DESCRIBES DESCRIBED_BY CONTAINS CONTAINED_BY DEPENDS_ON DEPENDENCY_OF DEPENDENCY_MANIFEST_OF BUILD_DEPENDENCY_OF
DEV_DEPENDENCY_OF OPTIONAL_DEPENDENCY_OF PROVIDED_DEPENDENCY_OF TEST_DEPENDENCY_OF RUNTIME_DEPENDENCY_OF EXAMPLE_OF
GENERATES GENERATED_FROM ANCESTOR_OF DESCENDANT_OF VARIANT_OF DISTRIBUTION_ARTIFACT PATCH_FOR PATCH_APPLIED COPY_OF
FILE_ADDED FILE_DELETED FILE_MODIFIED EXPANDED_FROM_ARCHIVE DYNAMIC_LINK STATIC_LINK DATA_FILE_OF TEST_CASE_OF
BUILD_TOOL_OF DEV_TOOL_OF TEST_OF TEST_TOOL_OF DOCUMENTATION_OF OPTIONAL_COMPONENT_OF METAFILE_OF PACKAGE_OF AMENDS
PREREQUISITE_FOR HAS_PREREQUISITE REQUIREMENT_DESCRIPTION_FOR SPECIFICATION_FOR OTHER
""".split()
# SPDX 3.0.1, Core/Vocabularies/RelationshipType
OF_SPDX_3_0_1 = """
affects amendedBy ancestorOf availableFrom configures contains coordinatedBy copiedTo delegatedTo dependsOn
descendantOf describes doesNotAffect expandsTo exploitCreatedBy fixedBy fixedIn foundBy generates hasAddedFile
hasAssessmentFor hasAssociatedVulnerability hasConcludedLicense hasDataFile hasDeclaredLicense hasDeletedFile
hasDependencyManifest hasDistributionArtifact hasDocumentation hasDynamicLink hasEvidence hasExample hasHost hasInput
hasMetadata hasOptionalComponent hasOptionalDependency hasOutput hasPrerequisite hasProvidedDependency hasRequirement
hasSpecification hasStaticLink hasTest hasTestCase hasVariant invokedBy modifiedBy other packagedBy patchedBy
publishedBy reportedBy republishedBy serializedInArtifact testedOn trainedOn underInvestigationFor usesTool
""".split()


def read(document: Any) -> Sbom:
    return read_sbom(json.dumps(document).encode(), "x")


def spdx(*relationships: tuple[str, str, str]) -> Sbom:
    keys = ("spdxElementId", "relationshipType", "relatedSpdxElement")
    packages = [{"SPDXID": ref, "name": ref} for ref in "ab"]
    stated = [dict(zip(keys, each, strict=True)) for each in relationships]
    return read({"spdxVersion": "SPDX-2.3", "packages": packages, "relationships": stated})


def test_the_tables_are_those_of_the_standards() -> None:
    assert sorted(SPDX2) == sorted(OF_SPDX_2_3) and len(OF_SPDX_2_3) == 45
    assert sorted(SPDX3) == sorted(OF_SPDX_3_0_1) and len(OF_SPDX_3_0_1) == 59


@pytest.mark.parametrize("kind", OF_SPDX_2_3)
def test_direction_is_in_the_name(kind: str) -> None:
    """``A …_OF B``, ``…_FOR B``, ``…_BY B`` and the like say something of A that B needs; the others of B."""
    sbom = spdx(("a", kind, "b"))
    assert sbom.problems == ()
    meaning = SPDX2[kind]
    if meaning is None:
        assert sbom.dependencies == ()
        return
    turned = kind.endswith(("_OF", "_FOR", "_BY", "_FROM_ARCHIVE", "_ADDED"))
    assert sbom.dependencies == (Dependency("b", "a", meaning.kind) if turned else Dependency("a", "b", meaning.kind),)


@pytest.mark.parametrize(
    ("kind", "edge"),
    [
        ("DEPENDS_ON", Dependency("a", "b", RUNTIME)),
        ("DEPENDENCY_OF", Dependency("b", "a", RUNTIME)),
        ("HAS_PREREQUISITE", Dependency("a", "b", RUNTIME)),
        ("PREREQUISITE_FOR", Dependency("b", "a", RUNTIME)),
        ("CONTAINS", Dependency("a", "b", CONTAINS)),
        ("CONTAINED_BY", Dependency("b", "a", CONTAINS)),
        ("PACKAGE_OF", Dependency("b", "a", CONTAINS)),
        ("OPTIONAL_DEPENDENCY_OF", Dependency("b", "a", OPTIONAL)),
        ("TEST_DEPENDENCY_OF", Dependency("b", "a", DEVELOPMENT)),
        ("BUILD_TOOL_OF", Dependency("b", "a", DEVELOPMENT)),
        ("DOCUMENTATION_OF", Dependency("b", "a", DEVELOPMENT)),
    ],
)
def test_some_by_hand(kind: str, edge: Dependency) -> None:
    assert spdx(("a", kind, "b")).dependencies == (edge,)


def test_of_several_relationships_the_strongest_counts() -> None:
    assert spdx(("a", "BUILD_DEPENDENCY_OF", "b"), ("b", "DEPENDS_ON", "a")).dependencies == (Dependency("b", "a"),)
    assert spdx(("b", "DEPENDS_ON", "a"), ("a", "TEST_TOOL_OF", "b")).dependencies == (Dependency("b", "a"),)


def test_what_is_no_relationship_is_said_once() -> None:
    sbom = spdx(("a", "NEEDS", "b"), ("b", "NEEDS", "a"), ("a", "DEPENDS_ON", "NOASSERTION"), ("a", "contains", "b"))
    assert sbom.problems == ("'NEEDS' is no relationship of SPDX; those of this kind were left out",)
    assert sbom.dependencies == (Dependency("a", "b", CONTAINS),)


def test_references_to_nothing_are_kept() -> None:
    sbom = spdx(("a", "DEPENDS_ON", "c"), ("a", "DEPENDS_ON", "d"), ("c", "DEPENDS_ON", "DocumentRef-x:SPDXRef-y"))
    assert sbom.dependencies == () and sbom.problems == ()
    assert sbom.unresolved == ("c", "d", "DocumentRef-x:SPDXRef-y")


def test_syft_knows_parents_and_children() -> None:
    sbom = read(SYFT_JSON)
    assert detect(json.dumps(SYFT_JSON).encode(), "x") is Kind.SYFT
    assert sbom.format == "Syft 16.0.24" and sbom.tools == ("syft 1.20.0",) and sbom.problems == ()
    assert sbom.root == "src" and sbom.dependencies == (
        Dependency("src", "py", CONTAINS),
        Dependency("src", "req", CONTAINS),
        Dependency("req", "url"),
        Dependency("deb", "py", CONTAINS),
        Dependency("src", "distro:debian@12", CONTAINS),
    )
    source, py, req, url, deb, distro = sbom.components
    assert (source.name, source.version, source.kind) == ("clinic/app", "sha256:1", "container")
    assert py.licences == ("MIT",) and py.cpe == "cpe:2.3:a:p:p:1:*:*:*:*:*:*:*"
    assert py.properties == (("syft:package:foundBy", "python"), ("syft:location:0:path", "/usr/lib/p"))
    assert req.licences == ("Apache-2.0",) and req.hashes == ("SHA-1:ab",)
    assert deb.contacts == ("x@debian.example",) and py.contacts == ()
    assert deb.supplier == "Debian Perl Group" and deb.kind == "deb" and url.purl == "pkg:pypi/urllib3@1"
    assert (distro.name, distro.version, distro.kind) == ("debian", "12", "operating-system")
    assert set(SYFT) >= {"contains", "dependency-of", "ownership-by-file-overlap", "evident-by", "described-by"}


def test_syft_of_long_ago() -> None:
    sbom = read(
        {
            "artifacts": [
                {"name": "a", "version": "1", "type": "rpm", "licenses": ["GPL"], "metadata": {"vendor": "V"}}
            ],
            "source": {"type": "directory", "target": "/srv/app"},
            "distro": {"name": "centos", "version": "7", "idLike": "rhel"},
            "descriptor": {"name": "syft", "version": "0.1"},
        }
    )
    assert [part.name for part in sbom.components] == ["/srv/app", "a", "centos"]
    assert sbom.components[1].supplier == "V" and sbom.components[1].licences == ("GPL",)


SYFT_JSON = {
    "artifacts": [
        {
            "id": "py",
            "name": "p",
            "version": "1",
            "type": "python",
            "foundBy": "python",
            "locations": [{"path": "/usr/lib/p"}],
            "licenses": [{"value": "mit license", "spdxExpression": "MIT"}],
            "cpes": [{"cpe": "cpe:2.3:a:p:p:1:*:*:*:*:*:*:*", "source": "syft-generated"}],
            "purl": "pkg:pypi/p@1",
        },
        {
            "id": "req",
            "name": "requests",
            "version": "2",
            "licenses": [{"value": "Apache-2.0", "spdxExpression": ""}],
            "cpes": ["cpe:2.3:a:r:r:2:*:*:*:*:*:*:*"],
            "metadata": {"digest": [{"algorithm": "sha1", "value": "AB"}]},
        },
        {"id": "url", "name": "urllib3", "version": "1", "purl": "pkg:pypi/urllib3@1"},
        {
            "id": "deb",
            "name": "python3-p",
            "type": "deb",
            "metadata": {"maintainer": "Debian Perl Group <x@debian.example>"},
        },
    ],
    "artifactRelationships": [
        {"parent": "src", "child": "py", "type": "contains"},
        {"parent": "src", "child": "req", "type": "contains"},
        {"parent": "url", "child": "req", "type": "dependency-of"},
        {"parent": "deb", "child": "py", "type": "ownership-by-file-overlap", "metadata": {"files": ["/usr/lib/p"]}},
        {"parent": "py", "child": "f1", "type": "evident-by"},
        {"parent": "deb", "child": "f1", "type": "contains"},
    ],
    "files": [{"id": "f1", "location": {"path": "/usr/lib/p"}}],
    "source": {
        "id": "src",
        "name": "clinic/app",
        "version": "sha256:1",
        "type": "image",
        "metadata": {"userInput": "clinic/app:1"},
    },
    "distro": {"id": "debian", "versionID": "12", "prettyName": "Debian GNU/Linux 12"},
    "descriptor": {"name": "syft", "version": "1.20.0"},
    "schema": {"version": "16.0.24"},
}
