"""OpenVEX 0.0.1 to 0.2.0 (openvex.dev)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.json_object import JsonObject
from connectors.reading import skipped
from connectors.scans.cpe import to_cpe23
from connectors.scans.identified import component_of, product_of
from meddojo.advisory import AffectedProduct
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import Component
from meddojo.vex import Justification, VexDocument, VexStatement, VexStatus

FORMAT = "OpenVEX"


def read_openvex(document: Any, origin: str, received: datetime) -> tuple[VexDocument, tuple[Skipped, ...]]:
    """Read one document.

    What a statement leaves out (time, products) it has from its document. Version 0.0.1, where vulnerabilities and
    products are plain texts, is read too.

    Parameters
    ----------
    received
        Stands in for the time of a document that has none; aware.

    Returns
    -------
    document
        All statements that could be read.
    skipped
        One for each that could not be.

    Raises
    ------
    InputError
        If it is no OpenVEX document.
    """
    root = JsonObject.of(document, origin)
    if not root.text("@context").startswith("https://openvex.dev/ns"):
        raise InputError(origin, "/@context", "not an OpenVEX document", "is this the right kind of file?")
    version = root.value.get("version")
    head = VexDocument(
        format=FORMAT,
        id=root.required_text("@id"),
        author=root.required_text("author"),
        version=str(version) if isinstance(version, str | int) else "",
        timestamp=root.instant("last_updated") or root.instant("timestamp") or received,
        statements=(),
    )
    statements: list[VexStatement] = []
    left_out: list[Skipped] = []
    for entry in root.entries("statements"):
        if isinstance(entry, Skipped):
            left_out.append(entry)
            continue
        try:
            statements += _statements(entry, root, head)
        except InputError as error:
            left_out.append(skipped(error))
    return VexDocument(FORMAT, head.id, head.author, head.version, head.timestamp, tuple(statements)), tuple(left_out)


def _statements(entry: JsonObject, root: JsonObject, head: VexDocument) -> list[VexStatement]:
    """One statement for each set of subcomponents that its products have."""
    status = entry.text("status")
    if status not in set(VexStatus):
        raise entry.error("status", f"{status[:40]!r} is not a status of VEX")
    name, aliases = _vulnerability(entry)
    label = entry.text("justification")
    known = Justification(label) if label in set(Justification) else None
    owner = entry if entry.value.get("products") else root
    supplier = entry.text("supplier")
    grouped: dict[tuple[Component, ...], list[AffectedProduct]] = {}
    for product in _objects(owner, "products"):
        parts = tuple(component_of(*_identified(part)) for part in _objects(product, "subcomponents"))
        grouped.setdefault(parts, []).append(product_of(*_identified(product), vendor=supplier))
    if not grouped:
        raise entry.error("products", "is missing, here and in the document")
    return [
        VexStatement(
            vulnerability=name,
            aliases=aliases,
            status=VexStatus(status),
            products=tuple(products),
            components=parts,
            justification=known,
            detail=_detail(entry, "" if known else label),
            author=head.author,
            document=head.id,
            version=head.version,
            timestamp=entry.instant("last_updated") or entry.instant("timestamp") or head.timestamp,
        )
        for parts, products in grouped.items()
    ]


def _vulnerability(entry: JsonObject) -> tuple[str, tuple[str, ...]]:
    if isinstance(entry.value.get("vulnerability"), str):
        return entry.required_text("vulnerability").strip(), ()
    struct = entry.object("vulnerability")
    name = struct.required_text("name").strip()
    return name, tuple(alias for alias in struct.texts("aliases") if alias != name)


def _detail(entry: JsonObject, label: str) -> str:
    texts = (label, *(entry.text(key) for key in ("impact_statement", "action_statement", "status_notes")))
    return " ".join(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _objects(owner: JsonObject, key: str) -> list[JsonObject]:
    """Products or subcomponents; a plain text stands for its ``@id``."""
    values = owner.value.get(key)
    if not isinstance(values, list):
        return list(owner.objects(key))
    wrapped = [{"@id": value} if isinstance(value, str) else value for value in values]
    return list(JsonObject({key: wrapped}, owner.origin, owner.pointer).objects(key))


def _identified(struct: JsonObject) -> tuple[str, str, str]:
    """``@id``, package URL and CPE 2.3 name."""
    identifiers = struct.object("identifiers")
    name = struct.text("@id").strip()
    purl = identifiers.text("purl").strip() or (name if name.startswith("pkg:") else "")
    cpe = to_cpe23(identifiers.text("cpe23")) or to_cpe23(identifiers.text("cpe22"))
    if not (name or purl or cpe):
        raise struct.error("@id", "is missing, and there is no identifier either")
    return name or purl or cpe, purl, cpe
