"""SPDX 2.2 and 2.3 XML brought into the JSON form: every element is the key of its name, repeated for a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.scans.safe_xml import fold_xml
from connectors.scans.sbom.formats import UNDERSTOOD
from meddojo.errors import InputError

ROOT = "Document"

_LISTS = frozenset(
    "annotations checksums creators documentDescribes externalRefs files packages relationships snippets".split()
)
"""Elements that are lists in the JSON form, also where there is only one."""


def spdx_xml_to_mapping(data: bytes, origin: str) -> Any:
    """Parse the XML form.

    Raises
    ------
    InputError
        If it is not well-formed, unsafe, or not an SPDX document.
    """
    root, document = fold_xml(data, origin, _build)
    if root != ROOT or not isinstance(document, dict) or "spdxVersion" not in document:
        raise InputError(origin, f"element {root[:100]}", "not an SBOM of a known format", f"export {UNDERSTOOD}")
    return document


def _build(tag: str, attributes: Mapping[str, str], text: str, children: list[tuple[str, Any]]) -> Any:
    if not children:
        return text
    found: dict[str, Any] = {}
    for name, value in children:
        if name in _LISTS:
            found.setdefault(name, []).append(value)
        else:
            found.setdefault(name, value)
    return found
