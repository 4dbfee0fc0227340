"""CycloneDX with vulnerabilities (ECMA-424, section on vulnerabilities; 1.4 to 1.6, JSON).

One document may be three things: a bill of materials, a VEX (``analysis``) and a vulnerability disclosure report. What
it states is read here; what it reports is read by `connectors.scans.vdr`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.json_object import JsonObject
from connectors.reading import skipped
from connectors.scans.cyclonedx_parts import Parts, read_parts
from meddojo.advisory import AffectedProduct, VersionKind
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import Component
from meddojo.vex import Justification, VexDocument, VexStatement, VexStatus

FORMAT = "CycloneDX VEX"

STATES = {
    "resolved": VexStatus.FIXED,
    "resolved_with_pedigree": VexStatus.FIXED,
    "exploitable": VexStatus.AFFECTED,
    "in_triage": VexStatus.UNDER_INVESTIGATION,
    "false_positive": VexStatus.NOT_AFFECTED,
    "not_affected": VexStatus.NOT_AFFECTED,
}
"""``analysis.state`` in the words of VEX."""

_JUSTIFICATIONS = {
    "code_not_present": Justification.CODE_NOT_PRESENT,
    "code_not_reachable": Justification.CODE_NOT_EXECUTED,
    "protected_by_compiler": Justification.MITIGATED_INLINE,
    "protected_at_runtime": Justification.MITIGATED_INLINE,
    "protected_by_mitigating_control": Justification.MITIGATED_INLINE,
}
"""The others (``requires_…``, ``protected_at_perimeter``) are no words of VEX; they stay in the detail."""

_EXCLUDED = {VexStatus.NOT_AFFECTED: "affected", VexStatus.FIXED: "affected", VexStatus.AFFECTED: "unaffected"}
"""A version listed with this status is an exception from what the analysis states."""


def read_cyclonedx_vex(document: Any, origin: str, received: datetime) -> tuple[VexDocument, tuple[Skipped, ...]]:
    """Read what a document states about its vulnerabilities; those without an analysis say nothing.

    Parameters
    ----------
    received
        Stands in for the time of a document that has none; aware.

    Raises
    ------
    InputError
        If it is no CycloneDX document.
    """
    root = JsonObject.of(document, origin)
    if root.text("bomFormat").lower() != "cyclonedx":
        raise root.error("bomFormat", "is not CycloneDX")
    metadata = root.object("metadata")
    version = root.value.get("version")
    name = root.text("serialNumber").strip() or f"CycloneDX document {_digest(document)}"
    head = VexDocument(
        format=FORMAT,
        id=name,
        # Two documents whose authors are not named are not taken for one author's.
        author=_author(metadata) or f"the unnamed author of {name}",
        version=str(version) if isinstance(version, int) else "",
        timestamp=metadata.instant("timestamp") or received,
        statements=(),
    )
    parts = read_parts(root)
    statements: list[VexStatement] = []
    left_out: list[Skipped] = []
    for entry in root.entries("vulnerabilities"):
        if isinstance(entry, Skipped):
            left_out.append(entry)
            continue
        try:
            statements += _statements(entry, parts, head)
        except InputError as error:
            left_out.append(skipped(error))
    return VexDocument(FORMAT, head.id, head.author, head.version, head.timestamp, tuple(statements)), tuple(left_out)


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _author(metadata: JsonObject) -> str:
    """Who made the document: ``manufacturer`` (1.6), ``authors``, or whoever supplies what it describes."""
    named = [metadata.object(key).text("name") for key in ("manufacturer", "manufacture")]
    named += [author.text("name") for author in metadata.objects("authors")]
    component = metadata.object("component")
    named += [metadata.object("supplier").text("name"), component.object("supplier").text("name")]
    return next((name.strip() for name in named if name.strip()), "")


def _statements(entry: JsonObject, parts: Parts, head: VexDocument) -> Iterator[VexStatement]:
    """One statement for each thing the vulnerability affects."""
    analysis = entry.object("analysis")
    state = analysis.text("state")
    if not state:
        return
    if state not in STATES:
        raise analysis.error("state", f"{state[:40]!r} is not a state of CycloneDX")
    status = STATES[state]
    name = entry.required_text("id").strip()
    label = analysis.text("justification")
    justification = _JUSTIFICATIONS.get(label)
    unsaid = label.replace("_", " ") if label and not justification else ""
    for target in entry.objects("affects"):
        products, components = _subject(target, parts, status)
        if not products:
            continue
        yield VexStatement(
            vulnerability=name,
            aliases=tuple(
                dict.fromkeys(alias for each in entry.objects("references") if (alias := each.text("id")) != name)
            ),
            status=status,
            products=products,
            components=components,
            justification=justification if status is VexStatus.NOT_AFFECTED else None,
            detail="; ".join(filter(None, (unsaid, analysis.text("detail").strip()))),
            author=head.author,
            document=head.id,
            version=head.version,
            timestamp=analysis.instant("lastUpdated") or entry.instant("updated") or head.timestamp,
        )


def _subject(
    target: JsonObject, parts: Parts, status: VexStatus
) -> tuple[tuple[AffectedProduct, ...], tuple[Component, ...]]:
    """The product, in each version the statement is about, and the part of it if one is named."""
    component = parts.find(target.required_text("ref"))
    if parts.root is not None and component.ref != parts.root.ref and parts.holds(component):
        return (_product(parts.root, parts.root.version),), (component,)
    entries = list(target.objects("versions"))
    if not entries:
        return (_product(component, component.version),), ()
    kept = [each for each in entries if each.text("status") != _EXCLUDED.get(status)]
    return tuple(_product(component, each.text("version") or each.text("range")) for each in kept), ()


def _product(component: Component, version: str) -> AffectedProduct:
    named = component.name if component.name != component.ref else ""
    return AffectedProduct(
        product_id=component.ref,
        vendor=component.supplier,
        product=named,
        version_text=version,
        version_kind=VersionKind.RANGE if version.startswith("vers:") else VersionKind.EXACT,
        full_name="" if component.ref.startswith("urn:") and not named else component.name,
        purl=component.purl,
        cpe=component.cpe,
    )
