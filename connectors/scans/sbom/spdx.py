"""SPDX 2.2 (ISO/IEC 5962) and 2.3 in their JSON form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.reading import JsonObject, parse_instant
from connectors.scans.cpe import to_cpe23
from connectors.scans.sbom.assembly import connected, objects, optional_object, optional_text, place, sentence
from meddojo.errors import InputError
from meddojo.sbom import Component, Sbom

_VERSION = re.compile(r"SPDX-(2\.\d{1,2})")
_DOCUMENT = "SPDXRef-DOCUMENT"
_NOTHING = ("NOASSERTION", "NONE")

# SPDX 2.3, clause 11: relationships that say what a package needs at work. Tools that only build, test or document it
# are components, but nothing on the device depends on them.
_NEEDS = frozenset(
    {
        "DEPENDS_ON",
        "CONTAINS",
        "DYNAMIC_LINK",
        "STATIC_LINK",
        "HAS_PREREQUISITE",
    }
)
_NEEDED_BY = frozenset(
    {
        "DEPENDENCY_OF",
        "CONTAINED_BY",
        "RUNTIME_DEPENDENCY_OF",
        "BUILD_DEPENDENCY_OF",
        "OPTIONAL_DEPENDENCY_OF",
        "PROVIDED_DEPENDENCY_OF",
        "OPTIONAL_COMPONENT_OF",
        "PREREQUISITE_FOR",
        "PACKAGE_OF",
    }
)


def read_spdx(document: JsonObject) -> Sbom:
    """Read an SPDX document; its packages are the components, its files are left out.

    Raises
    ------
    InputError
        If it is of a version that is not known.
    """
    stated = document.text("spdxVersion").strip()
    version = _VERSION.fullmatch(stated)
    if not version:
        raise InputError(
            document.origin, "/spdxVersion", f"{stated[:20]!r} is not a version that is read", "export SPDX 2.2 or 2.3"
        )
    problems: list[str] = []
    placed: dict[str, Component] = {}
    for node in objects(document, "packages", problems):
        component = _component(node, problems)
        if component:
            place(component, placed, problems)
    relations = list(_relations(document, problems))
    return Sbom(
        format=f"SPDX {version[1]}",
        components=tuple(placed.values()),
        root=_root(document, relations, placed, problems),
        dependencies=connected(_edges(relations), placed),
        created=parse_instant(optional_text(optional_object(document, "creationInfo", problems), "created", problems)),
        problems=tuple(problems),
    )


def _component(node: JsonObject, problems: list[str]) -> Component | None:
    name = optional_text(node, "name", problems)
    if not name:
        problems.append(sentence(node.error("name", "is missing, so this package was left out")))
        return None
    version = _stated(node, "versionInfo", problems)
    identifiers = _identifiers(node, problems)
    return Component(
        ref=optional_text(node, "SPDXID", problems) or identifiers.get("purl", "") or f"{name}@{version}",
        name=name,
        version=version,
        purl=identifiers.get("purl", ""),
        cpe=to_cpe23(identifiers.get("cpe23Type") or identifiers.get("cpe22Type", "")),
        supplier=_organisation(_stated(node, "supplier", problems) or _stated(node, "originator", problems)),
        kind=optional_text(node, "primaryPackagePurpose", problems).lower().replace("_", "-"),
    )


def _identifiers(node: JsonObject, problems: list[str]) -> dict[str, str]:
    """First external reference of each type (clause 7.21)."""
    found: dict[str, str] = {}
    for reference in objects(node, "externalRefs", problems):
        kind = optional_text(reference, "referenceType", problems).rpartition("/")[2]
        found.setdefault(kind, optional_text(reference, "referenceLocator", problems))
    return found


def _stated(node: JsonObject, key: str, problems: list[str]) -> str:
    text = optional_text(node, key, problems)
    return "" if text in _NOTHING else text


def _organisation(text: str) -> str:
    """``Organization: Acme (mail)`` -> ``Acme`` (clause 7.5)."""
    kind, colon, name = text.partition(":")
    name = name.strip() if colon and kind.strip() in ("Organization", "Person", "Tool") else text
    head, bracket, tail = name.rpartition("(")
    return head.strip() if bracket and (tail == ")" or (tail.endswith(")") and "@" in tail)) else name


def _relations(document: JsonObject, problems: list[str]) -> Iterator[tuple[str, str, str]]:
    for node in objects(document, "relationships", problems):
        yield (
            optional_text(node, "spdxElementId", problems),
            optional_text(node, "relationshipType", problems).upper(),
            optional_text(node, "relatedSpdxElement", problems),
        )


def _edges(relations: list[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    for one, kind, other in relations:
        if kind in _NEEDS:
            yield one, other
        elif kind in _NEEDED_BY:
            yield other, one


def _root(
    document: JsonObject,
    relations: list[tuple[str, str, str]],
    placed: dict[str, Component],
    problems: list[str],
) -> str:
    """The one package that the document describes."""
    listed = document.value.get("documentDescribes")
    described = [ref for ref in listed if isinstance(ref, str)] if isinstance(listed, list) else []
    described += [other for one, kind, other in relations if kind == "DESCRIBES" and one == _DOCUMENT]
    described += [one for one, kind, other in relations if kind == "DESCRIBED_BY" and other == _DOCUMENT]
    known = [ref for ref in dict.fromkeys(described) if ref in placed]
    if len(known) > 1:
        problems.append(f"the document describes {len(known)} packages at once; none was taken as the root")
    return known[0] if len(known) == 1 else ""
