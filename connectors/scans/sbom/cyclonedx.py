"""CycloneDX 1.2 to 1.6 (ECMA-424) in its JSON form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connectors.json_object import JsonObject
from connectors.reading import parse_instant
from connectors.scans.cpe import to_cpe23
from connectors.scans.sbom.assembly import connected, objects, optional_object, optional_text, place, sentence
from connectors.scans.sbom.cyclonedx_document import (
    NOBODY,
    Organisation,
    is_signed,
    read_authors,
    read_completeness,
    read_lifecycle,
    read_mails,
    read_organisation,
    read_revision,
    read_tools,
)
from connectors.scans.sbom.statements import capped, hash_text, read_support
from meddojo.errors import InputError
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom

_MAKERS = ("supplier", "manufacturer")
_FILENAME = "bsi:component:filename"
"""Name of the file a component is, in BSI's taxonomy of properties; the standard has no field for it."""
_VERSION = re.compile(r"1\.\d{1,2}")

_SCOPES: Mapping[str, DependencyKind] = {
    "optional": DependencyKind.OPTIONAL,
    "excluded": DependencyKind.DEVELOPMENT,
}
"""What a component that is not ``required`` is to those that need it (1.6, ``components[].scope``)."""

_DEVELOPMENT = frozenset({"cdx:npm:package:development", "cdx:composer:package:isDevRequirement"})
"""Properties of CycloneDX's taxonomy that, when true, say the same as the scope ``excluded``."""


def read_cyclonedx(document: JsonObject) -> Sbom:
    """Read a bill of materials.

    Raises
    ------
    InputError
        If it is of another format or of a major version that is not known.
    """
    if document.text("bomFormat").lower() != "cyclonedx":
        raise document.error("bomFormat", "is not CycloneDX")
    version = document.text("specVersion").strip()
    if not _VERSION.fullmatch(version):
        raise InputError(
            document.origin,
            "/specVersion",
            f"CycloneDX {version[:20]!r} is not a version that is read",
            "export 1.2 to 1.6",
        )
    parts = _Parts()
    problems = parts.problems
    metadata = optional_object(document, "metadata", problems)
    main = optional_object(metadata, "component", problems)
    makers = (read_organisation(metadata, key, problems) for key in ("supplier", "manufacture"))
    maker = next((each for each in makers if each.name), NOBODY)
    parts.place([main] if main.value else [], maker)
    root = next(iter(parts.placed), "") if main.value.get("name") else ""
    parts.place(objects(document, "components", problems))
    services = {optional_text(each, "bom-ref", problems) for each in objects(document, "services", problems)}
    edges = [*_stated(document, parts), *parts.nested]
    dependencies, unresolved = connected(edges, parts.placed, services | {""})
    authors, contacts = read_authors(metadata, problems)
    complete, incomplete = read_completeness(document, root, parts.placed, problems)
    return Sbom(
        format=f"CycloneDX {version}",
        components=tuple(parts.placed.values()),
        root=root,
        dependencies=dependencies,
        created=parse_instant(optional_text(metadata, "timestamp", problems)),
        problems=tuple(problems),
        authors=authors,
        tools=read_tools(metadata, problems),
        lifecycle=read_lifecycle(metadata, problems),
        complete=complete,
        unresolved=unresolved,
        incomplete=incomplete,
        contacts=contacts,
        identifier=optional_text(document, "serialNumber", problems),
        version=read_revision(document),
        signed=is_signed(document),
    )


class _Parts:
    """Components as they are placed, in document order, and what is nested in what.

    Attributes
    ----------
    kinds
        What those components that are not required are to those that need them, by reference.
    """

    def __init__(self) -> None:
        self.placed: dict[str, Component] = {}
        self.kinds: dict[str, DependencyKind] = {}
        self.nested: list[Dependency] = []
        self.problems: list[str] = []

    def place(self, nodes: list[JsonObject], usual: Organisation = NOBODY) -> None:
        """Place components and what is nested in them; the outermost are by `usual` unless they say otherwise."""
        waiting = [(node, "", usual) for node in reversed(nodes)]
        while waiting:
            node, whole, maker = waiting.pop()
            properties = _properties(node, self.problems)
            component = _component(node, properties, maker, self.problems)
            ref = place(component, self.placed, self.problems) if component else ""
            kind = _kind(node, properties)
            if ref and kind:
                self.kinds[ref] = kind
            if ref and whole:
                self.nested.append(Dependency(whole, ref, kind or DependencyKind.CONTAINS))
            if "components" in node.value:
                inner = objects(node, "components", self.problems)
                waiting += [(part, ref or whole, NOBODY) for part in reversed(inner)]


def _kind(node: JsonObject, properties: list[tuple[str, str]]) -> DependencyKind | None:
    """What the component is to those that need it, where that is something else than ``required``.

    The scope goes first: cdxgen calls what npm installs optionally both optional and a development dependency.
    """
    scope = node.value.get("scope")
    kind = _SCOPES.get(scope.strip().lower()) if isinstance(scope, str) else None
    if kind is None and any(name in _DEVELOPMENT and value.lower() == "true" for name, value in properties):
        return DependencyKind.DEVELOPMENT
    return kind


def _component(
    node: JsonObject, properties: list[tuple[str, str]], usual: Organisation, problems: list[str]
) -> Component | None:
    name = optional_text(node, "name", problems)
    if not name:
        problems.append(sentence(node.error("name", "is missing, so this component was left out")))
        return None
    version = optional_text(node, "version", problems)
    purl = optional_text(node, "purl", problems)
    group = optional_text(node, "group", problems)
    # elsewhere the PURL tells the group; an npm scope is part of the package's name
    if group and (group.startswith("@") or not purl) and not name.startswith(f"{group}/"):
        name = f"{group}/{name}"
    scope = optional_text(node, "scope", problems)
    others = [each for each in properties if each[0] != _FILENAME]
    support = read_support([*others, ("scope", scope)] if scope not in ("", "required") else others)
    makers = [read_organisation(node, key, problems) for key in _MAKERS]
    supplier = next((each.name for each in makers if each.name), "") or optional_text(node, "publisher", problems)
    contacts = capped([*read_mails(node, "authors", problems), *(each for maker in makers for each in maker.contacts)])
    files = _distributions(node, problems)
    return Component(
        ref=optional_text(node, "bom-ref", problems) or purl or f"{name}@{version}",
        name=name,
        version=version,
        purl=purl,
        cpe=to_cpe23(optional_text(node, "cpe", problems)),
        supplier=supplier or usual.name,
        kind=optional_text(node, "type", problems),
        licences=capped(_licences(node, problems)),
        hashes=capped(_hashes(node, problems)),
        support_level=support.level,
        end_of_support=support.last_day,
        properties=support.others,
        contacts=contacts if supplier else contacts or usual.contacts,
        filename=next((value for key, value in properties if key == _FILENAME), ""),
        distribution_urls=capped(optional_text(each, "url", problems) for each in files),
        distribution_hashes=capped(text for each in files for text in _hashes(each, problems)),
    )


def _hashes(node: JsonObject, problems: list[str]) -> Iterator[str]:
    for each in objects(node, "hashes", problems):
        yield hash_text(optional_text(each, "alg", problems), optional_text(each, "content", problems))


def _distributions(node: JsonObject, problems: list[str]) -> list[JsonObject]:
    """References to what is deployed (1.6, ``externalReferences[].type``)."""
    if "externalReferences" not in node.value:
        return []
    references = objects(node, "externalReferences", problems)
    return [each for each in references if each.value.get("type") == "distribution"]


def _properties(node: JsonObject, problems: list[str]) -> list[tuple[str, str]]:
    if "properties" not in node.value:
        return []
    return [
        (optional_text(each, "name", problems), optional_text(each, "value", problems))
        for each in objects(node, "properties", problems)
    ]


def _licences(node: JsonObject, problems: list[str]) -> Iterator[str]:
    for choice in objects(node, "licenses", problems):
        licence = optional_object(choice, "license", problems)
        yield (
            optional_text(choice, "expression", problems)
            or optional_text(licence, "id", problems)
            or optional_text(licence, "name", problems)
        )


def _stated(document: JsonObject, parts: _Parts) -> Iterator[Dependency]:
    """The graph of dependencies; what a component ``provides`` (1.6) is an algorithm or standard it brings along."""
    for node in objects(document, "dependencies", parts.problems):
        ref = optional_text(node, "ref", parts.problems)
        for key, usual in (("dependsOn", DependencyKind.RUNTIME), ("provides", DependencyKind.CONTAINS)):
            needed = node.value.get(key)
            if needed is None:
                continue
            if not isinstance(needed, list):
                parts.problems.append(sentence(node.error(key, "is not a list")))
                continue
            for other in needed:
                if isinstance(other, str):
                    target = other.strip()
                    yield Dependency(ref, target, parts.kinds.get(target, usual))
