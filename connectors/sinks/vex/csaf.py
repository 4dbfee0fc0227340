"""CSAF 2.0 with the profile VEX (OASIS CSAF 2.0, sections 3 and 4.5).

There is one product, the device, so every status, flag, threat and remediation names the same product id.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from connectors.scans.cpe import to_cpe23
from connectors.sinks.facts import vulnerability_page
from connectors.sinks.vex.identity import canonical_purl
from connectors.sinks.vex.triage import Entry, Outgoing, description, product
from meddojo import __version__
from meddojo.vex import VexStatus
from meddojo.vulnerability import CVE_PATTERN

_STATUS_KEYS = {
    VexStatus.NOT_AFFECTED: "known_not_affected",
    VexStatus.AFFECTED: "known_affected",
    VexStatus.FIXED: "fixed",
    VexStatus.UNDER_INVESTIGATION: "under_investigation",
}
# Section 6.1.31: a product_version that holds one of these reads as a range.
_RANGE = re.compile(r"[<>]|\b(?:after|all|before|earlier|later|prior|versions)\b", re.IGNORECASE)
_CPE = re.compile(
    r"cpe:2\.3:[aho*\-](?::(?:(?:\?*|\*?)(?:[a-zA-Z0-9\-._]|\\[\\*?!\"#$%&'()+,/:;<=>@\[\]^`{|}~])+(?:\?*|\*?)|[*\-])){5}"
    r":(?:[a-zA-Z]{2,3}(?:-(?:[a-zA-Z]{2}|[0-9]{3}))?|[*\-])"
    r"(?::(?:(?:\?*|\*?)(?:[a-zA-Z0-9\-._]|\\[\\*?!\"#$%&'()+,/:;<=>@\[\]^`{|}~])+(?:\?*|\*?)|[*\-])){4}"
)
# Where a device identifier of the UDI can be looked up; CSAF has no field for it.
_UDI = "https://accessgudid.nlm.nih.gov"
_SYSTEMS = {"GHSA-": "GitHub Advisory Database", "RHSA-": "Red Hat", "DSA-": "Debian", "USN-": "Ubuntu"}


def document(outgoing: Outgoing) -> dict[str, Any]:
    """Write the document; mandatory tests 6.1 hold for it."""
    return {
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "distribution": {"tlp": {"label": outgoing.tlp}},
            "publisher": {
                "category": outgoing.role,
                "name": outgoing.author,
                "namespace": outgoing.namespace,
            },
            "title": outgoing.title,
            "tracking": _tracking(outgoing),
        },
        "product_tree": {"branches": [_branches(outgoing)]},
        "vulnerabilities": _vulnerabilities(outgoing),
    }


def file_name(identifier: str) -> str:
    """Name of the file, derived from the id of the document (section 5.1)."""
    return re.sub(r"[^+\-a-z0-9]+", "_", identifier.lower()) + ".json"


def _tracking(outgoing: Outgoing) -> dict[str, Any]:
    return {
        "current_release_date": _moment(outgoing.issue.issued),
        "generator": {"engine": {"name": "MedDojo", "version": __version__}},
        "id": outgoing.id,
        "initial_release_date": _moment(outgoing.issues[0].issued),
        "revision_history": [
            {"date": _moment(issue.issued), "number": str(issue.version), "summary": issue.summary}
            for issue in outgoing.issues
        ],
        "status": "final",
        "version": str(outgoing.issue.version),
    }


def _branches(outgoing: Outgoing) -> dict[str, Any]:
    """Vendor, product name and version, with the product at the last of them."""
    device = outgoing.device
    leaf = {"product": _full_product_name(outgoing)}
    version = device.version.strip()
    if version and not _RANGE.search(version):
        name: dict[str, Any] = {
            "branches": [{"category": "product_version", "name": device.version} | leaf],
        }
    else:
        name = leaf
    model = name | {"category": "product_name", "name": device.model}
    return {"branches": [model], "category": "vendor", "name": device.vendor}


def _full_product_name(outgoing: Outgoing) -> dict[str, Any]:
    device, named = outgoing.device, product(outgoing.device)
    helper: dict[str, Any] = {}
    if _CPE.fullmatch(to_cpe23(device.cpe)):
        helper["cpe"] = to_cpe23(device.cpe)
    if canonical_purl(device.purl):
        helper["purl"] = canonical_purl(device.purl)
    uris = [{"namespace": outgoing.namespace, "uri": named.product_id}]
    if re.fullmatch(r"[0-9A-Za-z]+", device.udi_di):
        uris.append({"namespace": _UDI, "uri": f"{_UDI}/devices/{device.udi_di}"})
    helper["x_generic_uris"] = uris
    return {"name": named.full_name, "product_id": named.product_id, "product_identification_helper": helper}


def _vulnerabilities(outgoing: Outgoing) -> list[dict[str, Any]]:
    written = []
    used: set[str] = set()
    for entry in outgoing.entries:
        cve = _cve(entry, used)
        used.add(cve)
        written.append(_vulnerability(entry, cve, product(outgoing.device).product_id))
    return written


def _cve(entry: Entry, used: set[str]) -> str:
    """The CVE id, which only one vulnerability of a document may carry (section 6.1.23); empty without one."""
    names = [name for name in (entry.finding.check, *entry.finding.aliases) if CVE_PATTERN.fullmatch(name)]
    single = names[0] if names and (len(set(names)) == 1 or names[0] == entry.finding.check) else ""
    return "" if single in used else single


def _vulnerability(entry: Entry, cve: str, product_id: str) -> dict[str, Any]:
    finding, ids = entry.finding, [product_id]
    others = [name for name in dict.fromkeys((finding.check, *finding.aliases)) if name != cve]
    written: dict[str, Any] = {"cve": cve} if cve else {}
    if others:
        written["ids"] = [{"system_name": _system(name), "text": name} for name in others]
    written["notes"] = [{"category": "description", "text": description(finding)}]
    written["product_status"] = {_STATUS_KEYS[entry.status]: ids}
    page = vulnerability_page(cve or finding.check)
    if page:
        written["references"] = [{"category": "external", "summary": cve or finding.check, "url": page}]
    date = _moment(entry.dated)
    match entry.status:
        case VexStatus.NOT_AFFECTED:
            written["threats"] = [{"category": "impact", "date": date, "details": entry.detail, "product_ids": ids}]
            if entry.justification:
                written["flags"] = [{"date": date, "label": entry.justification.value, "product_ids": ids}]
        case VexStatus.AFFECTED:
            category = "mitigation" if entry.mitigated else "no_fix_planned"
            written["remediations"] = [
                {"category": category, "date": date, "details": entry.detail, "product_ids": ids}
            ]
        case VexStatus.FIXED:
            written["notes"].append({"category": "details", "text": entry.detail})
        case VexStatus.UNDER_INVESTIGATION:
            pass
    return dict(sorted(written.items()))


def _system(name: str) -> str:
    if CVE_PATTERN.fullmatch(name):
        return "CVE"
    return next((system for prefix, system in _SYSTEMS.items() if name.startswith(prefix)), "alias")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
