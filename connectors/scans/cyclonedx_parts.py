"""What the vulnerabilities of a CycloneDX document refer to (``affects[].ref``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from connectors.json_object import JsonObject
from connectors.reading import MAX_DEPTH
from connectors.scans.cpe import to_cpe23
from connectors.scans.identified import component_of
from meddojo.sbom import Component

_BOM_LINK = "urn:cdx:"


@dataclass(frozen=True, slots=True)
class Parts:
    """Components and services of one document by their reference.

    Attributes
    ----------
    root
        What the document describes; None when it does not say.
    serial
        UUID of the document, for links to itself.
    """

    known: Mapping[str, Component]
    root: Component | None
    serial: str

    def find(self, reference: str) -> Component:
        """What a reference means: a part of this document, or by name something in another (BOM-Link)."""
        name = reference.strip()
        if name in self.known:
            return self.known[name]
        document, separator, fragment = name.removeprefix(_BOM_LINK).partition("#")
        inner = unquote(fragment)
        if name.startswith(_BOM_LINK) and separator:
            if inner in self.known and document.partition("/")[0].lower() in ("", self.serial):
                return self.known[inner]
            name = inner
        return component_of(name, name if name.startswith("pkg:") else "", "")

    def holds(self, component: Component) -> bool:
        """Whether it is listed here, not only referred to."""
        return self.known.get(component.ref) == component


def read_parts(root: JsonObject) -> Parts:
    """Every component and service of a document, nested ones too.

    Raises
    ------
    InputError
        If a list is not a list, or nested too deep.
    """
    main = root.object("metadata").object("component")
    top = [main] if main.value else []
    waiting = [(node, 1) for node in (*top, *root.objects("components"), *root.objects("services"))]
    known: dict[str, Component] = {}
    first = None
    while waiting:
        node, depth = waiting.pop(0)
        if depth > MAX_DEPTH:
            raise node.error("components", f"nested deeper than {MAX_DEPTH} levels")
        component = _component(node)
        known.setdefault(component.ref, component)
        if node is main:
            first = component
        waiting += [(child, depth + 1) for key in ("components", "services") for child in node.objects(key)]
    serial = root.text("serialNumber").strip().lower().removeprefix("urn:uuid:")
    return Parts(known, first, serial)


def _component(node: JsonObject) -> Component:
    name, version, purl = (node.text(key).strip() for key in ("name", "version", "purl"))
    group = node.text("group").strip()
    if group and not purl and not name.startswith(f"{group}/"):
        name = f"{group}/{name}"
    makers = [node.object(key).text("name") for key in ("supplier", "manufacturer", "provider")]
    return Component(
        ref=node.text("bom-ref") or purl or f"{name}@{version}",
        name=name,
        version=version,
        purl=purl,
        cpe=to_cpe23(node.text("cpe")),
        supplier=next((maker.strip() for maker in (*makers, node.text("publisher")) if maker.strip()), ""),
        kind=node.text("type"),
    )
