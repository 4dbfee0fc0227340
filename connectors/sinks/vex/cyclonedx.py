"""CycloneDX 1.6 VEX (ECMA-424): a document without components, that says how the device stands to vulnerabilities."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from connectors.scans.cpe import to_cpe23
from connectors.sinks.facts import vulnerability_page
from connectors.sinks.vex.identity import canonical_purl
from connectors.sinks.vex.triage import Entry, Outgoing, description
from meddojo import __version__
from meddojo.device import Device
from meddojo.vex import Justification, VexStatus, device_urn

_STATES = {
    VexStatus.NOT_AFFECTED: "not_affected",
    VexStatus.AFFECTED: "exploitable",
    VexStatus.FIXED: "resolved",
    VexStatus.UNDER_INVESTIGATION: "in_triage",
}
_JUSTIFICATIONS = {
    Justification.COMPONENT_NOT_PRESENT: "code_not_present",
    Justification.CODE_NOT_PRESENT: "code_not_present",
    Justification.CODE_NOT_EXECUTED: "code_not_reachable",
    Justification.MITIGATED_INLINE: "protected_by_mitigating_control",
}
"""CycloneDX has no word for code that an adversary cannot control; there only the detail says it."""


def document(outgoing: Outgoing) -> dict[str, Any]:
    """Write the document; its serial number stays the same in all versions."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, outgoing.address)}",
        "version": outgoing.issue.version,
        "metadata": {
            "timestamp": _moment(outgoing.issue.issued),
            "tools": {"components": [{"type": "application", "name": "MedDojo", "version": __version__}]},
            "manufacturer": {"name": outgoing.author, "url": [outgoing.namespace]},
            "component": _component(outgoing.device),
        },
        "vulnerabilities": [_vulnerability(entry, outgoing.device) for entry in outgoing.entries],
    }


def _component(device: Device) -> dict[str, Any]:
    optional = {"version": device.version, "cpe": to_cpe23(device.cpe), "purl": canonical_purl(device.purl)}
    udi = [{"name": "udi-di", "value": device.udi_di}] if device.udi_di else []
    return {
        "type": "device",
        "bom-ref": device_urn(device),
        "supplier": {"name": device.vendor},
        "name": device.model,
        **{key: value for key, value in optional.items() if value},
        **({"properties": udi} if udi else {}),
    }


def _vulnerability(entry: Entry, device: Device) -> dict[str, Any]:
    finding = entry.finding
    page = vulnerability_page(finding.check)
    source = {"source": {"name": "NVD" if finding.check.startswith("CVE-") else "GitHub", "url": page}} if page else {}
    references = [
        {"id": alias, "source": {"name": "NVD" if alias.startswith("CVE-") else alias.partition("-")[0]}}
        for alias in dict.fromkeys(finding.aliases)
        if alias != finding.check
    ]
    return {
        "id": finding.check,
        **source,
        **({"references": references} if references else {}),
        "description": description(finding),
        **({"cwes": list(finding.cwes)} if finding.cwes else {}),
        "analysis": _analysis(entry),
        "affects": [{"ref": device_urn(device)}],
    }


def _analysis(entry: Entry) -> dict[str, Any]:
    analysis: dict[str, Any] = {"state": _STATES[entry.status], "lastUpdated": _moment(entry.dated)}
    if entry.justification in _JUSTIFICATIONS:
        analysis["justification"] = _JUSTIFICATIONS[entry.justification]
    if entry.status is VexStatus.AFFECTED:
        analysis["response"] = ["workaround_available" if entry.mitigated else "will_not_fix"]
    if entry.status is VexStatus.FIXED:
        analysis["response"] = ["update"]
    return analysis | ({"detail": entry.detail} if entry.detail else {})


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
