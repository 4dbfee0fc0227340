"""SPDX 3.0 (https://spdx.github.io/spdx-spec/v3.0.1) in its JSON-LD serialisation: one graph of elements.

The reader takes the names that SPDX's own JSON-LD context gives (``software_Package``, ``relationshipType``), which
the specification's JSON schema requires; it is no general reader of linked data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connectors.json_object import JsonObject
from connectors.reading import parse_instant
from connectors.scans.cpe import to_cpe23
from connectors.scans.sbom.assembly import connected, names, objects, optional_object, optional_text, place, sentence
from connectors.scans.sbom.relationships import SPDX3, SPDX3_DEVELOPMENT_SCOPES
from connectors.scans.sbom.spdx3_artifacts import NO_ARTIFACT, Artifact, artifacts_by_package, read_hashes
from connectors.scans.sbom.spdx3_licences import licences_by_subject
from connectors.scans.sbom.statements import capped, read_day, read_support
from meddojo.errors import InputError
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom

_PACKAGES = frozenset({"software_Package", "ai_AIPackage", "dataset_DatasetPackage"})
_DOCUMENTS = ("SpdxDocument",)
_BOMS = ("software_Sbom", "Bom")
_NOWHERE = ("NoneElement", "NoAssertionElement")
_UNKNOWN = "NoAssertionElement"
_MAKERS = ("suppliedBy", "originatedBy")
_ADDRESSES = ("email", "urlScheme", "other")
_OPEN = ("incomplete", "noAssertion")
_SHOWN = 40


def read_spdx3(document: JsonObject) -> Sbom:
    """Read an SPDX 3 document; its packages are the components, its files are left out.

    Raises
    ------
    InputError
        If it is of a version that is not known.
    """
    if "spdx.org/rdf/3" not in str(document.value.get("@context")):
        raise document.error("@context", "is not that of SPDX 3")
    problems: list[str] = []
    graph = objects(document, "@graph", problems)
    elements = {ref: node for node in graph if (ref := _ref(node))}
    relations = [node for node in graph if "relationshipType" in node.value]
    head = _first(graph, _DOCUMENTS) or _first(graph, _BOMS) or JsonObject({}, document.origin, "/@graph")
    creation = _creation(head, graph, elements, problems)
    version = optional_text(creation, "specVersion", problems)
    if version and not version.startswith("3."):
        raise InputError(
            document.origin, creation.pointer, f"SPDX {version[:20]!r} is not a version that is read", "export SPDX 3.0"
        )
    licences = licences_by_subject(relations, elements)
    artifacts = artifacts_by_package(relations, elements, problems)
    placed: dict[str, Component] = {}
    for node in graph:
        if _kind(node) in _PACKAGES:
            component = _component(node, elements, licences, artifacts, problems)
            if component:
                place(component, placed, problems)
    dependencies, unresolved = connected(_edges(relations, problems), placed, elements.keys())
    complete, incomplete = _completeness(relations, placed)
    boms = [node for node in graph if _kind(node) in _BOMS]
    return Sbom(
        format=f"SPDX {version or '3'}",
        components=tuple(placed.values()),
        root=_root(head, elements, placed, problems),
        dependencies=dependencies,
        created=parse_instant(optional_text(creation, "created", problems)),
        problems=tuple(problems),
        authors=capped(_names(creation, "createdBy", elements, problems)),
        tools=capped(_names(creation, "createdUsing", elements, problems)),
        lifecycle=", ".join(capped(kind for node in boms for kind in names(node, "software_sbomType", problems))),
        complete=complete,
        unresolved=unresolved,
        incomplete=incomplete,
        contacts=capped(_contacts(creation, ("createdBy",), elements, problems)),
        identifier=_ref(head),
    )


def _ref(node: JsonObject) -> str:
    ref = node.value.get("spdxId") or node.value.get("@id")
    return ref.strip() if isinstance(ref, str) else ""


def _kind(node: JsonObject) -> str:
    kind = node.value.get("type") or node.value.get("@type")
    return kind if isinstance(kind, str) else ""


def _first(graph: Iterable[JsonObject], kinds: tuple[str, ...]) -> JsonObject | None:
    return next((node for node in graph if _kind(node) in kinds), None)


def _creation(
    head: JsonObject, graph: list[JsonObject], elements: Mapping[str, JsonObject], problems: list[str]
) -> JsonObject:
    """How the document was made: an element of the graph, or written where it is used."""
    stated = head.value.get("creationInfo")
    if isinstance(stated, dict):
        return optional_object(head, "creationInfo", problems)
    known = elements.get(stated.strip()) if isinstance(stated, str) else None
    return known or _first(graph, ("CreationInfo",)) or JsonObject({}, head.origin, "/@graph")


def _names(node: JsonObject, key: str, elements: Mapping[str, JsonObject], problems: list[str]) -> Iterator[str]:
    """Names of the people, organisations or tools at `key`."""
    for ref, agent in _agents(node, key, elements):
        if agent is not None:
            yield optional_text(agent, "name", problems)
        elif not ref.endswith(_NOWHERE):
            yield ref.rpartition("/")[2]  # of an element of another document, only the end of its address is known


def _contacts(
    node: JsonObject, keys: Iterable[str], elements: Mapping[str, JsonObject], problems: list[str]
) -> Iterator[str]:
    """How to reach the people or organisations at `keys`."""
    for key in keys:
        for _, agent in _agents(node, key, elements):
            for each in objects(agent, "externalIdentifier", problems) if agent is not None else ():
                if each.value.get("externalIdentifierType") in _ADDRESSES:
                    yield optional_text(each, "identifier", problems)


def _agents(node: JsonObject, key: str, elements: Mapping[str, JsonObject]) -> Iterator[tuple[str, JsonObject | None]]:
    """Elements at `key`, with the references that lead to them: written out, or somewhere in the graph, or nowhere."""
    value = node.value.get(key)
    for index, each in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(each, dict):
            yield "", JsonObject(each, node.origin, f"{node.pointer}/{key}/{index}")
        elif isinstance(each, str):
            yield each.strip(), elements.get(each.strip())


def _component(
    node: JsonObject,
    elements: Mapping[str, JsonObject],
    licences: Mapping[str, list[str]],
    artifacts: Mapping[str, Artifact],
    problems: list[str],
) -> Component | None:
    name = optional_text(node, "name", problems)
    if not name:
        problems.append(sentence(node.error("name", "is missing, so this package was left out")))
        return None
    version = optional_text(node, "software_packageVersion", problems)
    identifiers = _identifiers(node, problems)
    purl = optional_text(node, "software_packageUrl", problems) or identifiers.get("packageUrl", "")
    suppliers = (each for key in _MAKERS for each in _names(node, key, elements, problems))
    supplier = next(filter(None, suppliers), "")
    ref = _ref(node) or purl or f"{name}@{version}"
    artifact = artifacts.get(ref, NO_ARTIFACT)
    support = read_support([*_extension(node, problems), *artifact.properties])
    return Component(
        ref=ref,
        name=name,
        version=version,
        purl=purl,
        cpe=to_cpe23(identifiers.get("cpe23") or identifiers.get("cpe22", "")),
        supplier=supplier,
        kind=_words(optional_text(node, "software_primaryPurpose", problems)).replace(" ", "-"),
        licences=capped(licences.get(ref, ())),
        hashes=read_hashes(node, problems),
        support_level=support.level or ", ".join(_words(each) for each in names(node, "supportLevel", problems)),
        end_of_support=read_day(optional_text(node, "validUntilTime", problems)) or support.last_day,
        properties=support.others,
        contacts=capped(_contacts(node, _MAKERS, elements, problems)),
        filename=artifact.name,
        distribution_urls=capped([optional_text(node, "software_downloadLocation", problems)]),
        distribution_hashes=artifact.hashes,
        unknown=() if supplier or not _is_unknown(node, elements) else ("supplier",),
    )


def _is_unknown(node: JsonObject, elements: Mapping[str, JsonObject]) -> bool:
    """Whether the document says that it does not assert who made this."""
    return any(ref.endswith(_UNKNOWN) for key in _MAKERS for ref, _ in _agents(node, key, elements))


def _words(name: str) -> str:
    """``limitedSupport`` -> ``limited support``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _identifiers(node: JsonObject, problems: list[str]) -> dict[str, str]:
    """First external identifier of each type."""
    found: dict[str, str] = {}
    for each in objects(node, "externalIdentifier", problems):
        kind = optional_text(each, "externalIdentifierType", problems)
        found.setdefault(kind, optional_text(each, "identifier", problems))
    return found


def _extension(node: JsonObject, problems: list[str]) -> Iterator[tuple[str, str]]:
    """Properties of CycloneDX, which SPDX carries as an extension of its own."""
    for extension in objects(node, "extension", problems):
        for each in objects(extension, "extension_cdxProperty", problems):
            yield (
                optional_text(each, "extension_cdxPropName", problems),
                optional_text(each, "extension_cdxPropValue", problems),
            )


def _ends(node: JsonObject) -> tuple[str, list[str]]:
    one, others = node.value.get("from"), node.value.get("to")
    many = others if isinstance(others, list) else [others]
    return one.strip() if isinstance(one, str) else "", [each.strip() for each in many if isinstance(each, str)]


def _edges(relations: list[JsonObject], problems: list[str]) -> Iterator[Dependency]:
    strange: set[str] = set()
    for node in relations:
        kind = optional_text(node, "relationshipType", problems)
        meaning = SPDX3.get(kind)
        if meaning is None:
            if kind not in SPDX3 and kind not in strange:
                strange.add(kind)
                problems.append(f"{kind[:_SHOWN]!r} is no relationship of SPDX 3; those of this kind were left out")
            continue
        developing = kind == "dependsOn" and node.value.get("scope") in SPDX3_DEVELOPMENT_SCOPES
        one, others = _ends(node)
        for other in others:
            if not other.endswith(_NOWHERE):
                edge = meaning.edge(one, other)
                yield edge._replace(kind=DependencyKind.DEVELOPMENT) if developing else edge


def _completeness(
    relations: list[JsonObject], placed: Mapping[str, Component]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those whose dependencies are stated to be all there, in every relationship that lists some; those stated not to.

    ``noAssertion`` is how BSI TR-03183-2 has it said that nobody knows.
    """
    said: dict[str, bool] = {}
    open_: dict[str, None] = {}
    for node in relations:
        meaning = SPDX3.get(str(node.value.get("relationshipType")))
        one, _ = _ends(node)
        if meaning is not None and not meaning.backwards:
            stated = node.value.get("completeness")
            said[one] = said.get(one, True) and stated == "complete"
            if isinstance(stated, str) and stated.endswith(_OPEN):
                open_[one] = None
    return (
        tuple(ref for ref, complete in said.items() if complete and ref in placed),
        tuple(ref for ref in open_ if ref in placed),
    )


def _root(
    head: JsonObject, elements: Mapping[str, JsonObject], placed: Mapping[str, Component], problems: list[str]
) -> str:
    """The one package that the document is about: its root element, or that of the bill of materials at its root."""
    found: dict[str, None] = {}
    for ref in names(head, "rootElement", problems):
        node = elements.get(ref)
        inner = names(node, "rootElement", problems) if node is not None and _kind(node) in _BOMS else [ref]
        found.update({each: None for each in inner if each in placed})
    if len(found) > 1:
        problems.append(f"the document describes {len(found)} packages at once; none was taken as the root")
    return next(iter(found)) if len(found) == 1 else ""
