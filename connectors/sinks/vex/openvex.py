"""OpenVEX 0.2.0 (openvex.dev)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from connectors.scans.cpe import to_cpe23
from connectors.sinks.facts import vulnerability_page
from connectors.sinks.vex.identity import canonical_purl
from connectors.sinks.vex.triage import Entry, Outgoing, description
from meddojo import __version__
from meddojo.device import Device
from meddojo.vex import VexStatus, device_urn

CONTEXT = "https://openvex.dev/ns/v0.2.0"


def document(outgoing: Outgoing) -> dict[str, Any]:
    """Write the document; each statement bears the time of its decision."""
    return {
        "@context": CONTEXT,
        "@id": outgoing.address,
        "author": f"{outgoing.author} <{outgoing.namespace}>",
        "role": outgoing.role,
        "timestamp": _moment(outgoing.issues[0].issued),
        "last_updated": _moment(outgoing.issue.issued),
        "version": outgoing.issue.version,
        "tooling": f"MedDojo {__version__}",
        "statements": [_statement(entry, outgoing.device) for entry in outgoing.entries],
    }


def _statement(entry: Entry, device: Device) -> dict[str, Any]:
    finding = entry.finding
    page = vulnerability_page(finding.check)
    aliases = [alias for alias in dict.fromkeys(finding.aliases) if alias != finding.check]
    statement: dict[str, Any] = {
        "vulnerability": {
            **({"@id": page} if page else {}),
            "name": finding.check,
            "description": description(finding),
            **({"aliases": aliases} if aliases else {}),
        },
        "timestamp": _moment(entry.dated),
        "products": [_product(device)],
        "status": entry.status.value,
        "supplier": device.vendor,
    }
    match entry.status:
        case VexStatus.NOT_AFFECTED:
            label = {"justification": entry.justification.value} if entry.justification else {}
            statement |= {**label, "impact_statement": entry.detail}
        case VexStatus.AFFECTED:
            statement |= {"action_statement": entry.detail}
        case VexStatus.FIXED:
            statement |= {"status_notes": entry.detail}
        case VexStatus.UNDER_INVESTIGATION:
            pass
    return statement


def _product(device: Device) -> dict[str, Any]:
    cpe = to_cpe23(device.cpe)
    identifiers = {"purl": canonical_purl(device.purl), "cpe23": cpe}
    known = {key: value for key, value in identifiers.items() if value}
    return {"@id": device_urn(device)} | ({"identifiers": known} if known else {})


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
