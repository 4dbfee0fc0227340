"""CycloneDX 1.2 to 1.6 (ECMA-424) in its JSON form."""

from __future__ import annotations

import re

from connectors.reading import JsonObject, parse_instant
from connectors.scans.cpe import to_cpe23
from connectors.scans.sbom.assembly import connected, objects, optional_object, optional_text, place, sentence
from meddojo.errors import InputError
from meddojo.sbom import Component, Sbom

_VERSION = re.compile(r"1\.\d{1,2}")


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
    problems: list[str] = []
    placed: dict[str, Component] = {}
    metadata = optional_object(document, "metadata", problems)
    main = optional_object(metadata, "component", problems)
    nested = _place_all([main] if main.value else [], placed, problems)
    root = next(iter(placed), "") if main.value.get("name") else ""
    parts = _place_all(objects(document, "components", problems), placed, problems)
    stated = _edges(document, problems)
    return Sbom(
        format=f"CycloneDX {version}",
        components=tuple(placed.values()),
        root=root,
        dependencies=connected([*stated, *nested, *parts], placed),
        created=parse_instant(optional_text(metadata, "timestamp", problems)),
        problems=tuple(problems),
    )


def _place_all(nodes: list[JsonObject], placed: dict[str, Component], problems: list[str]) -> list[tuple[str, str]]:
    """Place components and what is nested in them, in document order; return ``(whole, part)`` for what is nested."""
    edges: list[tuple[str, str]] = []
    waiting = [(node, "") for node in reversed(nodes)]
    while waiting:
        node, whole = waiting.pop()
        component = _component(node, problems)
        ref = place(component, placed, problems) if component else ""
        if ref and whole:
            edges.append((whole, ref))
        waiting += [(part, ref or whole) for part in reversed(objects(node, "components", problems))]
    return edges


def _component(node: JsonObject, problems: list[str]) -> Component | None:
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
    return Component(
        ref=optional_text(node, "bom-ref", problems) or purl or f"{name}@{version}",
        name=name,
        version=version,
        purl=purl,
        cpe=to_cpe23(optional_text(node, "cpe", problems)),
        supplier=_supplier(node, problems),
        kind=optional_text(node, "type", problems),
    )


def _supplier(node: JsonObject, problems: list[str]) -> str:
    for key in ("supplier", "manufacturer"):
        name = optional_text(optional_object(node, key, problems), "name", problems)
        if name:
            return name
    return optional_text(node, "publisher", problems)


def _edges(document: JsonObject, problems: list[str]) -> list[tuple[str, str]]:
    edges = []
    for node in objects(document, "dependencies", problems):
        needed = node.value.get("dependsOn")
        ref = optional_text(node, "ref", problems)
        if needed is not None and not isinstance(needed, list):
            problems.append(sentence(node.error("dependsOn", "is not a list")))
            continue
        edges += [(ref, other.strip()) for other in needed or () if isinstance(other, str)]
    return edges
