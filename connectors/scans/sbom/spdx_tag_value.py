"""SPDX tag-value texts brought into the JSON form, as far as the reader looks at it (SPDX 2.3, clause 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.reading import decode_text
from connectors.scans.sbom.formats import UNDERSTOOD
from meddojo.errors import InputError

_PACKAGE_TEXTS = {
    "SPDXID": "SPDXID",
    "PackageVersion": "versionInfo",
    "PackageFileName": "packageFileName",
    "PackageDownloadLocation": "downloadLocation",
    "PackageSupplier": "supplier",
    "PackageOriginator": "originator",
    "PrimaryPackagePurpose": "primaryPackagePurpose",
    "PackageLicenseDeclared": "licenseDeclared",
    "PackageLicenseConcluded": "licenseConcluded",
    "PackageComment": "comment",
    "ValidUntilDate": "validUntilDate",
}
_SECTIONS = {"PackageName": "packages", "FileName": "files", "SnippetSPDXID": "snippets", "Annotator": "annotations"}
"""Tags that open a section of its own; the value of ``PackageName`` is the name, of ``SnippetSPDXID`` the reference."""
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "packages": _PACKAGE_TEXTS,
    "files": {"SPDXID": "SPDXID"},
    "snippets": {},
    "annotations": {"SPDXREF": "SPDXID", "AnnotationComment": "comment"},
    "": {"SPDXID": "SPDXID"},
}
_OTHER_SECTIONS = ("LicenseID", "Reviewer")
_RELATIONSHIP = ("spdxElementId", "relationshipType", "relatedSpdxElement")
_EXTERNAL_REFERENCE = ("referenceCategory", "referenceType", "referenceLocator")


def spdx_tag_value_to_mapping(data: bytes, origin: str) -> dict[str, Any]:
    """Parse the tag-value form; tags the reader has no use for are passed over.

    Raises
    ------
    InputError
        If the text is not an SPDX document or is damaged.
    """
    creation: dict[str, Any] = {"creators": []}
    document: dict[str, Any] = {"creationInfo": creation, "relationships": []}
    document |= {key: [] for key in _SECTIONS.values()}
    section, kind = document, ""  # what the lines at hand are about
    for tag, value in _tags(decode_text(data, origin), origin):
        if tag == "SPDXVersion":
            document["spdxVersion"] = value
        elif tag == "DocumentNamespace":
            document["documentNamespace"] = value
        elif tag == "Created":
            creation["created"] = value
        elif tag == "Creator":
            creation["creators"].append(value)
        elif tag in _SECTIONS:
            kind = _SECTIONS[tag]
            section = {"SPDXID" if kind == "snippets" else "name": value}
            document[kind].append(section)
        elif tag in _OTHER_SECTIONS:
            section, kind = {}, "snippets"
        elif tag == "Relationship":
            document["relationships"].append(_fields(value, _RELATIONSHIP))
        elif tag in _FIELDS[kind]:
            section.setdefault(_FIELDS[kind][tag], value)
        elif kind == "packages" and tag == "ExternalRef":
            section.setdefault("externalRefs", []).append(_fields(value, _EXTERNAL_REFERENCE))
        elif kind == "packages" and tag == "PackageChecksum":
            algorithm, _, digest = value.partition(":")
            section.setdefault("checksums", []).append({"algorithm": algorithm, "checksumValue": digest.strip()})
    if "spdxVersion" not in document:
        raise InputError(origin, "", "not an SBOM of a known format", f"export {UNDERSTOOD}")
    return document


def _tags(text: str, origin: str) -> Iterator[tuple[str, str]]:
    """``(tag, value)``; a value in ``<text>`` may run over several lines."""
    lines = enumerate(re.split(r"\r\n?|\n", text), start=1)
    for number, line in lines:
        tag, colon, value = line.strip().partition(":")
        if not colon or tag.startswith("#"):
            continue
        value = value.strip()
        if value.startswith("<text>"):
            parts = [value.removeprefix("<text>")]
            while "</text>" not in parts[-1]:
                _, following = next(lines, (0, None))
                if following is None:
                    raise InputError(origin, f"line {number}", "a <text> without its end", "the document is cut off")
                parts.append(following)
            value = "\n".join(parts).partition("</text>")[0].strip()
        yield tag.strip(), value


def _fields(value: str, keys: tuple[str, str, str]) -> dict[str, str] | str:
    """The three words of a value by name; as it stands when there are not three, which the reader then reports."""
    words = value.split(maxsplit=2)
    return dict(zip(keys, words, strict=True)) if len(words) == len(keys) else value
