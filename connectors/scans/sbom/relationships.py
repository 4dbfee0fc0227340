"""What the relationships of SPDX and Syft say about who needs whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meddojo.sbom import Dependency, DependencyKind

_RUNTIME, _CONTAINS = DependencyKind.RUNTIME, DependencyKind.CONTAINS
_OPTIONAL, _DEVELOPMENT = DependencyKind.OPTIONAL, DependencyKind.DEVELOPMENT


@dataclass(frozen=True, slots=True)
class Meaning:
    """A relationship that is a dependency.

    Attributes
    ----------
    backwards
        Whether the second end needs the first, as in ``A DEPENDENCY_OF B``.
    """

    kind: DependencyKind
    backwards: bool = False

    def edge(self, one: str, other: str) -> Dependency:
        """The dependency that ``one RELATIONSHIP other`` states."""
        return Dependency(other, one, self.kind) if self.backwards else Dependency(one, other, self.kind)


SPDX2: Mapping[str, Meaning | None] = {
    "CONTAINS": Meaning(_CONTAINS),
    "DEPENDS_ON": Meaning(_RUNTIME),
    "DYNAMIC_LINK": Meaning(_RUNTIME),
    "STATIC_LINK": Meaning(_RUNTIME),
    "HAS_PREREQUISITE": Meaning(_RUNTIME),
    "CONTAINED_BY": Meaning(_CONTAINS, backwards=True),
    "PACKAGE_OF": Meaning(_CONTAINS, backwards=True),
    "EXPANDED_FROM_ARCHIVE": Meaning(_CONTAINS, backwards=True),
    "FILE_ADDED": Meaning(_CONTAINS, backwards=True),
    "DEPENDENCY_OF": Meaning(_RUNTIME, backwards=True),
    "RUNTIME_DEPENDENCY_OF": Meaning(_RUNTIME, backwards=True),
    "PROVIDED_DEPENDENCY_OF": Meaning(_RUNTIME, backwards=True),
    "PREREQUISITE_FOR": Meaning(_RUNTIME, backwards=True),
    "DATA_FILE_OF": Meaning(_RUNTIME, backwards=True),
    "OPTIONAL_DEPENDENCY_OF": Meaning(_OPTIONAL, backwards=True),
    "OPTIONAL_COMPONENT_OF": Meaning(_OPTIONAL, backwards=True),
    # The standard's example is Maven's scope "compile", which is needed at work as well; those who write SPDX (Yocto,
    # npm) state what is needed at work beside it, and then that counts.
    "BUILD_DEPENDENCY_OF": Meaning(_DEVELOPMENT, backwards=True),
    "DEV_DEPENDENCY_OF": Meaning(_DEVELOPMENT, backwards=True),
    "TEST_DEPENDENCY_OF": Meaning(_DEVELOPMENT, backwards=True),
    "BUILD_TOOL_OF": Meaning(_DEVELOPMENT, backwards=True),
    "DEV_TOOL_OF": Meaning(_DEVELOPMENT, backwards=True),
    "TEST_TOOL_OF": Meaning(_DEVELOPMENT, backwards=True),
    "TEST_CASE_OF": Meaning(_DEVELOPMENT, backwards=True),
    "TEST_OF": Meaning(_DEVELOPMENT, backwards=True),
    "EXAMPLE_OF": Meaning(_DEVELOPMENT, backwards=True),
    "DOCUMENTATION_OF": Meaning(_DEVELOPMENT, backwards=True),
    # what the document is about
    "DESCRIBES": None,
    "DESCRIBED_BY": None,
    "AMENDS": None,
    # where something comes from, and what is like it
    "GENERATES": None,
    "GENERATED_FROM": None,
    "ANCESTOR_OF": None,
    "DESCENDANT_OF": None,
    "VARIANT_OF": None,
    "COPY_OF": None,
    "DISTRIBUTION_ARTIFACT": None,
    "PATCH_FOR": None,
    "PATCH_APPLIED": None,
    "FILE_DELETED": None,
    "FILE_MODIFIED": None,
    # papers
    "DEPENDENCY_MANIFEST_OF": None,
    "METAFILE_OF": None,
    "REQUIREMENT_DESCRIPTION_FOR": None,
    "SPECIFICATION_FOR": None,
    "OTHER": None,
}
"""Every relationship of SPDX 2.3, clause 11.1, table 68; None for those that are no dependency."""

SPDX3: Mapping[str, Meaning | None] = {
    "contains": Meaning(_CONTAINS),
    "expandsTo": Meaning(_CONTAINS),
    "hasAddedFile": Meaning(_CONTAINS),
    "packagedBy": Meaning(_CONTAINS, backwards=True),
    "dependsOn": Meaning(_RUNTIME),
    "hasDynamicLink": Meaning(_RUNTIME),
    "hasStaticLink": Meaning(_RUNTIME),
    "hasPrerequisite": Meaning(_RUNTIME),
    "hasProvidedDependency": Meaning(_RUNTIME),
    "hasDataFile": Meaning(_RUNTIME),
    "hasOptionalDependency": Meaning(_OPTIONAL),
    "hasOptionalComponent": Meaning(_OPTIONAL),
    "usesTool": Meaning(_DEVELOPMENT),
    "hasTest": Meaning(_DEVELOPMENT),
    "hasTestCase": Meaning(_DEVELOPMENT),
    "hasExample": Meaning(_DEVELOPMENT),
    "hasDocumentation": Meaning(_DEVELOPMENT),
    **dict.fromkeys(
        # where something comes from, and what is like it
        "amendedBy ancestorOf availableFrom copiedTo descendantOf generates hasDeletedFile hasDistributionArtifact"
        " hasVariant modifiedBy patchedBy describes serializedInArtifact"
        # builds, data and people
        " configures delegatedTo hasHost hasInput hasOutput invokedBy testedOn trainedOn"
        # papers
        " hasConcludedLicense hasDeclaredLicense hasDependencyManifest hasEvidence hasMetadata hasRequirement"
        " hasSpecification other"
        # vulnerabilities
        " affects coordinatedBy doesNotAffect exploitCreatedBy fixedBy fixedIn foundBy hasAssessmentFor"
        " hasAssociatedVulnerability publishedBy reportedBy republishedBy underInvestigationFor".split()
    ),
}
"""Every relationship of SPDX 3.0.1, Core profile, vocabulary RelationshipType; ``from`` comes first."""

SPDX3_DEVELOPMENT_SCOPES = frozenset({"design", "development", "build", "test"})
"""Scopes of a ``LifecycleScopedRelationship`` in which a dependency is none at work."""

SYFT: Mapping[str, Meaning | None] = {
    "contains": Meaning(_CONTAINS),
    # a package of the distribution brings one of a language along
    "ownership-by-file-overlap": Meaning(_CONTAINS),
    "dependency-of": Meaning(_RUNTIME, backwards=True),
    "runtime-dependency-of": Meaning(_RUNTIME, backwards=True),
    "dev-dependency-of": Meaning(_DEVELOPMENT, backwards=True),
    "build-dependency-of": Meaning(_DEVELOPMENT, backwards=True),
    "evident-by": None,
    "described-by": None,
    "ancestor-of": None,
}
"""Types of ``artifactRelationships``, past and present; ``parent`` comes first."""
