"""CycloneDX XML brought into the JSON form, as far as the readers look at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from connectors.scans.safe_xml import fold_xml
from meddojo.errors import InputError

Children = list[tuple[str, Any]]

_ROOT = re.compile(r"\{https?://cyclonedx\.org/schema/bom/([^}]*)\}bom")
_SPACE = re.compile(r"\{https?://cyclonedx\.org/schema/bom/[^}]*\}")

_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

_LISTS = frozenset(
    "components services compositions properties hashes authors lifecycles vulnerabilities ratings references"
    " advisories affects versions cwes assemblies dependencies".split()
)
"""Elements that stand for a list of their children."""
_UNREAD = frozenset(
    "copyright evidence pedigree releaseNotes modelCard swid data formulation"
    " annotations declarations definitions text cryptoProperties".split()
)
"""Elements that no reader looks at, and that may be large."""


def cyclonedx_xml_to_mapping(data: bytes, origin: str) -> dict[str, Any]:
    """Parse the XML form.

    Raises
    ------
    InputError
        If it is not well-formed, unsafe, or not a CycloneDX document.
    """
    root, document = fold_xml(data, origin, _build)
    matched = _ROOT.fullmatch(root)
    if not matched:
        raise InputError(origin, f"element {root[:100]}", "this XML is not CycloneDX", "export CycloneDX 1.2 to 1.6")
    content: dict[str, Any] = document if isinstance(document, dict) else {}
    revision = str(content.pop("version", ""))
    if revision.isascii() and revision.isdigit():
        content["version"] = int(revision)
    return {"bomFormat": "CycloneDX", "specVersion": matched[1], **content}


def _build(tag: str, attributes: Mapping[str, str], text: str, children: Children) -> Any:
    """The JSON form of an element; what is of another namespace says nothing."""
    name = _local(tag)
    if not name or name in _UNREAD:
        return None
    if not children and not attributes and name not in _SPECIAL and name not in _LISTS:
        return text
    inner = [(_local(child), value) for child, value in children]
    if name in _SPECIAL:
        return _SPECIAL[name](attributes, text, inner)
    if name in _LISTS:
        return [value for _, value in inner]
    if not inner and (text.strip() or not attributes):
        return text
    return {**attributes, **dict(reversed(inner))}  # of elements with one name the first counts


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    """Name of an element of CycloneDX, or of the signature in it; empty for those of another namespace."""
    if tag == _SIGNATURE:
        return "signature"
    space = _SPACE.match(tag)
    return tag[space.end() :] if space else ""


def _organisation(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    if not inner:
        return text
    lists = {key: [value for name, value in inner if name == key] for key in ("url", "contact")}
    return {**dict(reversed(inner)), **{key: values for key, values in lists.items() if values}}


def _references(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    """Those to what is deployed; there may be thousands of others, and no reader looks at them."""
    return [value for _, value in inner if isinstance(value, dict) and value.get("type") == "distribution"]


def _signature(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    return {"algorithm": "XML Signature"}


def _licences(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    return [{name: value} for name, value in inner]


def _hash(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    return {"alg": attributes.get("alg"), "content": text}


def _property(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    return {"name": attributes.get("name"), "value": text}


def _dependency(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    """An entry of the graph; without entries of its own it may also be a bare reference to one."""
    entry: dict[str, Any] = {"ref": attributes.get("ref")}
    for name, key in (("dependency", "dependsOn"), ("provides", "provides")):
        needed = [value.get("ref") for child, value in inner if child == name and isinstance(value, dict)]
        if needed:
            entry[key] = needed
    return entry


def _composition(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    entry = {**attributes, **dict(inner)}
    for key in ("assemblies", "dependencies"):
        if key in entry:
            entry[key] = [each.get("ref") for each in entry[key] if isinstance(each, dict)]
    return entry


def _tools(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    """A list of tools up to 1.4, components and services from 1.5 on."""
    tools = [value for name, value in inner if name == "tool"]
    return tools or dict(inner)


def _number(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _cwe(attributes: Mapping[str, str], text: str, inner: Children) -> Any:
    return int(text) if text.strip().isascii() and text.strip().isdigit() else text


_SPECIAL: Mapping[str, Callable[[Mapping[str, str], str, Children], Any]] = {
    "licenses": _licences,
    "hash": _hash,
    "property": _property,
    "dependency": _dependency,
    "provides": _dependency,
    "assembly": _dependency,
    "composition": _composition,
    "tools": _tools,
    "score": _number,
    "cwe": _cwe,
    "supplier": _organisation,
    "manufacturer": _organisation,
    "manufacture": _organisation,
    "externalReferences": _references,
    "signature": _signature,
}
"""Elements whose JSON form has a shape of its own."""
