"""What SPDX 3.0 says of the file that a package is delivered as: an element of its own, tied to it by a relationship.

BSI TR-03183-2 v2.1.0 (section 8.2) has this file carry name and SHA-512, and in ``software_additionalPurpose`` whether
it is executable, an archive, structured; a comment says that the list is meant so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.json_object import JsonObject
from connectors.scans.sbom.assembly import names, objects, optional_text
from connectors.scans.sbom.statements import capped, hash_text

_RELATION = "hasDistributionArtifact"
_FILE = "software_File"
_MARK = "TR-03183"
_PURPOSES = (
    ("bsi:component:executable", (("executable", "executable"),), "non-executable"),
    ("bsi:component:archive", (("archive", "archive"),), "no archive"),
    ("bsi:component:structured", (("container", "structured"), ("firmware", "unstructured")), ""),
)
"""Property of BSI's taxonomy, what a purpose means for it, and what it means that there is no such purpose."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """The file that a package is delivered as.

    Attributes
    ----------
    properties
        What is said of it in the words of BSI's CycloneDX properties.
    """

    name: str = ""
    hashes: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


NO_ARTIFACT = Artifact()


def artifacts_by_package(
    relations: Iterable[JsonObject], elements: Mapping[str, JsonObject], problems: list[str]
) -> Mapping[str, Artifact]:
    """The first file of each package, by the reference of the package."""
    found: dict[str, Artifact] = {}
    for node in relations:
        package, files = (node.value.get(key) for key in ("from", "to"))
        if node.value.get("relationshipType") != _RELATION or not isinstance(package, str):
            continue
        for each in files if isinstance(files, list) else [files]:
            file = elements.get(each.strip()) if isinstance(each, str) else None
            if file is not None and file.value.get("type") == _FILE and package.strip() not in found:
                found[package.strip()] = _artifact(file, problems)
    return found


def read_hashes(node: JsonObject, problems: list[str]) -> tuple[str, ...]:
    """Digests of an element; other ways to verify it are none."""
    return capped(
        hash_text(optional_text(each, "algorithm", problems), optional_text(each, "hashValue", problems))
        for each in objects(node, "verifiedUsing", problems)
        if "hashValue" in each.value
    )


def _artifact(file: JsonObject, problems: list[str]) -> Artifact:
    return Artifact(
        optional_text(file, "name", problems), read_hashes(file, problems), tuple(_properties(file, problems))
    )


def _properties(file: JsonObject, problems: list[str]) -> Iterator[tuple[str, str]]:
    """What is missing from the list means the opposite only where it is said to be meant as BSI asks."""
    purposes = names(file, "software_additionalPurpose", problems)
    meant = _MARK in optional_text(file, "comment", problems)
    for name, values, otherwise in _PURPOSES:
        value = next((said for purpose, said in values if purpose in purposes), otherwise if meant else "")
        if value:
            yield name, value
