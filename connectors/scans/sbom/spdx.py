"""SPDX 2.2 (ISO/IEC 5962) and 2.3 in their JSON form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connectors.json_object import JsonObject
from connectors.reading import parse_instant
from connectors.scans.cpe import to_cpe23
from connectors.scans.sbom.assembly import connected, names, objects, optional_object, optional_text, place, sentence
from connectors.scans.sbom.relationships import SPDX2
from connectors.scans.sbom.statements import capped, hash_text, is_support, read_support
from meddojo.errors import InputError
from meddojo.sbom import Component, Dependency, Sbom

_VERSION = re.compile(r"SPDX-(2\.\d{1,2})")
_DOCUMENT = "SPDXRef-DOCUMENT"
_UNKNOWN = "NOASSERTION"
_NOTHING = (_UNKNOWN, "NONE")
_NEEDS = ("DEPENDS_ON", "CONTAINS")
_TOOL = "Tool"
_MAKERS = ("Organization", "Person", _TOOL)
_SUPPLIERS = ("supplier", "originator")
_VERSIONED = re.compile(r"(.+?)-(v?\d[\w.+~-]*)")
"""``syft-1.4.0``, as clause 6.8 asks tools to be named."""
_VALID_UNTIL = "validUntilDate"
_PAIR = re.compile(r"([\w .:/-]{2,80}?)(?::\s|\s?=)\s*(\S.*)")
_LONGEST_COMMENT = 10_000
_SHOWN = 40


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
    outside = _annotations(document, problems)
    for node in objects(document, "packages", problems):
        component = _component(node, outside, problems)
        if component:
            place(component, placed, problems)
    relations = list(_relations(document, problems))
    creation = optional_object(document, "creationInfo", problems)
    dependencies, unresolved = connected(_edges(relations, problems), placed, _others(document))
    complete, incomplete = (_closed(relations, placed, end) for end in ("NONE", _UNKNOWN))
    makers = [_maker(text) for text in names(creation, "creators", problems)]
    return Sbom(
        format=f"SPDX {version[1]}",
        components=tuple(placed.values()),
        root=_root(document, relations, placed, problems),
        dependencies=dependencies,
        created=parse_instant(optional_text(creation, "created", problems)),
        problems=tuple(problems),
        authors=capped(each.name for each in makers if each.kind != _TOOL),
        tools=capped(_VERSIONED.sub(r"\1 \2", each.name) for each in makers if each.kind == _TOOL),
        complete=complete,
        unresolved=unresolved,
        incomplete=incomplete,
        contacts=capped(each.mail for each in makers if each.kind != _TOOL),
        identifier=optional_text(document, "documentNamespace", problems),
    )


def _component(node: JsonObject, outside: Mapping[str, list[tuple[str, str]]], problems: list[str]) -> Component | None:
    name = optional_text(node, "name", problems)
    if not name:
        problems.append(sentence(node.error("name", "is missing, so this package was left out")))
        return None
    version = _stated(node, "versionInfo", problems)
    identifiers = _identifiers(node, problems)
    makers = [_maker(_stated(node, key, problems)) for key in _SUPPLIERS]
    supplier = next((each.name for each in makers if each.name), "")
    ref = optional_text(node, "SPDXID", problems) or identifiers.get("purl", "") or f"{name}@{version}"
    support = read_support(
        [
            (_VALID_UNTIL, optional_text(node, _VALID_UNTIL, problems)),
            *_pairs(optional_text(node, "comment", problems), only_support=True),
            *(pair for each in objects(node, "annotations", problems) for pair in _remark(each, problems)),
            *outside.get(ref, ()),
        ]
    )
    return Component(
        ref=ref,
        name=name,
        version=version,
        purl=identifiers.get("purl", ""),
        cpe=to_cpe23(identifiers.get("cpe23Type") or identifiers.get("cpe22Type", "")),
        supplier=supplier,
        kind=optional_text(node, "primaryPackagePurpose", problems).lower().replace("_", "-"),
        licences=capped(_stated(node, key, problems) for key in ("licenseDeclared", "licenseConcluded")),
        hashes=capped(
            hash_text(optional_text(each, "algorithm", problems), optional_text(each, "checksumValue", problems))
            for each in objects(node, "checksums", problems)
        ),
        support_level=support.level,
        end_of_support=support.last_day,
        properties=support.others,
        contacts=capped(each.mail for each in makers),
        filename=_stated(node, "packageFileName", problems),
        distribution_urls=capped([_stated(node, "downloadLocation", problems)]),
        unknown=_unknown(node, supplier, version),
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


def _unknown(node: JsonObject, supplier: str, version: str) -> tuple[str, ...]:
    """Which of the two the author does not assert (clauses 7.3 and 7.5)."""
    asked = (("supplier", supplier, _SUPPLIERS), ("version", version, ("versionInfo",)))
    return tuple(
        name for name, known, keys in asked if not known and any(node.value.get(key) == _UNKNOWN for key in keys)
    )


class _Maker(NamedTuple):
    kind: str
    name: str
    mail: str


def _maker(text: str) -> _Maker:
    """``Organization: Acme (mail)`` -> ``("Organization", "Acme", "mail")`` (clauses 6.8 and 7.5)."""
    kind, colon, name = text.partition(":")
    if not colon or kind.strip() not in _MAKERS:
        kind, name = "", text
    name = name.strip()
    head, bracket, tail = name.rpartition("(")
    if not bracket or not tail.endswith(")") or (tail != ")" and "@" not in tail):
        return _Maker(kind.strip(), name, "")
    return _Maker(kind.strip(), head.strip(), tail[:-1].strip())


def _annotations(document: JsonObject, problems: list[str]) -> Mapping[str, list[tuple[str, str]]]:
    """What annotations beside the packages state by name and value (tag-value: ``SPDXREF``), by reference."""
    found: dict[str, list[tuple[str, str]]] = {}
    for node in objects(document, "annotations", problems):
        ref = optional_text(node, "SPDXID", problems)
        if ref:
            found.setdefault(ref, []).extend(_remark(node, problems))
    return found


def _remark(node: JsonObject, problems: list[str]) -> list[tuple[str, str]]:
    return _pairs(optional_text(node, "comment", problems), only_support=False)


def _pairs(text: str, only_support: bool) -> list[tuple[str, str]]:
    """Lines of a comment that read ``name: value`` or ``name=value``."""
    found = []
    for line in text[:_LONGEST_COMMENT].splitlines():
        pair = _PAIR.fullmatch(line.strip())
        if pair and (not only_support or is_support(pair[1])):
            found.append((pair[1].strip(), pair[2].strip()))
    return found


def _relations(document: JsonObject, problems: list[str]) -> Iterator[tuple[str, str, str]]:
    for node in objects(document, "relationships", problems):
        yield (
            optional_text(node, "spdxElementId", problems),
            optional_text(node, "relationshipType", problems).upper(),
            optional_text(node, "relatedSpdxElement", problems),
        )


def _edges(relations: list[tuple[str, str, str]], problems: list[str]) -> Iterator[Dependency]:
    strange: set[str] = set()
    for one, kind, other in relations:
        meaning = SPDX2.get(kind)
        if meaning is not None and other not in _NOTHING:
            yield meaning.edge(one, other)
        elif kind not in SPDX2 and kind not in strange:
            strange.add(kind)
            problems.append(f"{kind[:_SHOWN]!r} is no relationship of SPDX; those of this kind were left out")


def _others(document: JsonObject) -> frozenset[str]:
    """References of the document itself, its files and its snippets, which are no components."""
    nodes = (
        node
        for key in ("files", "snippets")
        if isinstance(document.value.get(key), list)
        for node in document.value[key]
        if isinstance(node, dict)
    )
    ids = {document.value.get("SPDXID"), *(node.get("SPDXID") for node in nodes)}
    return frozenset({_DOCUMENT, "", *(each for each in ids if isinstance(each, str))})


def _closed(relations: list[tuple[str, str, str]], placed: Mapping[str, Component], end: str) -> tuple[str, ...]:
    """Those of which the document says that they need nothing else (``A DEPENDS_ON NONE``), or it is unknown (11.1)."""
    closed = [one for one, kind, other in relations if kind in _NEEDS and other == end]
    return tuple(ref for ref in dict.fromkeys(closed) if ref in placed)


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
