"""SPDX tag-value texts brought into the JSON form, as far as the reader looks at it (SPDX 2.3, clause 4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connectors.reading import decode_text
from meddojo.errors import InputError

_PACKAGE_TEXTS = {
    "SPDXID": "SPDXID",
    "PackageVersion": "versionInfo",
    "PackageSupplier": "supplier",
    "PackageOriginator": "originator",
    "PrimaryPackagePurpose": "primaryPackagePurpose",
}
_RELATIONSHIP = ("spdxElementId", "relationshipType", "relatedSpdxElement")
_EXTERNAL_REFERENCE = ("referenceCategory", "referenceType", "referenceLocator")
_OTHER_SECTIONS = ("FileName", "SnippetSPDXID", "LicenseID", "Reviewer", "Annotator")


def spdx_tag_value_to_mapping(data: bytes, origin: str) -> dict[str, Any]:
    """Parse the tag-value form; tags the reader has no use for are passed over.

    Raises
    ------
    InputError
        If the text is not an SPDX document or is damaged.
    """
    document: dict[str, Any] = {"creationInfo": {}, "packages": [], "relationships": []}
    section: dict[str, Any] | None = None  # the package at hand; None elsewhere
    for tag, value in _tags(decode_text(data, origin), origin):
        if tag == "SPDXVersion":
            document["spdxVersion"] = value
        elif tag == "Created":
            document["creationInfo"]["created"] = value
        elif tag == "PackageName":
            section = {"name": value, "externalRefs": []}
            document["packages"].append(section)
        elif tag in _OTHER_SECTIONS:
            section = None
        elif tag == "Relationship":
            document["relationships"].append(_fields(value, _RELATIONSHIP))
        elif section is not None and tag in _PACKAGE_TEXTS:
            section.setdefault(_PACKAGE_TEXTS[tag], value)
        elif section is not None and tag == "ExternalRef":
            section["externalRefs"].append(_fields(value, _EXTERNAL_REFERENCE))
    if "spdxVersion" not in document:
        raise InputError(origin, "", "not an SBOM of a known format", "export CycloneDX 1.2 to 1.6 or SPDX 2.2 or 2.3")
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
