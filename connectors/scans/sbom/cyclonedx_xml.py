"""CycloneDX XML brought into the JSON form, as far as the reader looks at it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from connectors.scans.safe_xml import parse_xml
from meddojo.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROOT = re.compile(r"\{https?://cyclonedx\.org/schema/bom/([^}]*)\}bom")
_TEXTS = ("group", "name", "version", "purl", "cpe", "publisher")
_ORGANISATIONS = ("supplier", "manufacturer")
_ATTRIBUTES = ("type", "bom-ref")


def cyclonedx_xml_to_mapping(data: bytes, origin: str) -> dict[str, Any]:
    """Parse the XML form.

    Raises
    ------
    InputError
        If it is not well-formed, unsafe, or not a CycloneDX document.
    """
    root = parse_xml(data, origin)
    matched = _ROOT.fullmatch(root.tag)
    if not matched:
        raise InputError(
            origin, f"element {root.tag[:100]}", "this XML is not CycloneDX", "export CycloneDX 1.2 to 1.6"
        )
    space = root.tag.removesuffix("bom")
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": matched[1],
        "components": _components(root.find(f"{space}components"), space),
        "dependencies": _dependencies(root.findall(f"{space}dependencies/{space}dependency"), space),
    }
    metadata = root.find(f"{space}metadata")
    if metadata is not None:
        main = metadata.find(f"{space}component")
        document["metadata"] = {
            "timestamp": metadata.findtext(f"{space}timestamp"),
            "component": None if main is None else _component(main, space),
        }
    return document


def _components(parent: Element | None, space: str) -> list[dict[str, Any]]:
    return [] if parent is None else [_component(node, space) for node in parent.findall(f"{space}component")]


def _component(node: Element, space: str) -> dict[str, Any]:
    """One component; the depth of nesting was capped by the parser."""
    return {
        **{key: node.get(key) for key in _ATTRIBUTES},
        **{key: node.findtext(f"{space}{key}") for key in _TEXTS},
        **{key: {"name": node.findtext(f"{space}{key}/{space}name")} for key in _ORGANISATIONS},
        "components": _components(node.find(f"{space}components"), space),
    }


def _dependencies(nodes: Iterable[Element], space: str) -> list[dict[str, Any]]:
    return [
        {"ref": node.get("ref"), "dependsOn": [other.get("ref") for other in node.findall(f"{space}dependency")]}
        for node in nodes
    ]
