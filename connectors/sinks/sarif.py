"""Findings as SARIF 2.1.0 (OASIS, *Static Analysis Results Interchange Format*), for viewers that speak nothing else.

Every vulnerability is a rule, every finding a result. A device is no source file, so each result names the device as a
logical location (section 3.33) and points to the first line of the device's SBOM or of the inventory, because the
viewers of code forges show no result without a physical location.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from connectors.sinks.facts import decisions_by_identity, headline_score, vulnerability_page, web_link
from meddojo import __version__
from meddojo.clinical import ClinicalRisk
from meddojo.device import Device
from meddojo.finding import Decision, Finding
from meddojo.interface import RunContext, StreamResult
from meddojo.severity import Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# Where nothing published a score that fits the band, viewers still derive the band from this number.
_BAND_SCORE = {
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 2.0,
    Severity.INFO: 0.0,
}
_MESSAGE_LIMIT = 1000
_DESCRIPTION_LIMIT = 4000


def document(results: Sequence[StreamResult], context: RunContext, inventory: str = "inventory.toml") -> dict[str, Any]:
    """All findings as one SARIF log.

    Parameters
    ----------
    results
        The present truth, stream by stream.
    context
        The run; its skipped inputs and source problems become notifications, its decisions suppressions.
    inventory
        Path of the inventory as viewers of the log know it: relative to the repository, never absolute.

    Returns
    -------
    dict
        A JSON-serialisable log with one run (section 3.14).
    """
    decisions = decisions_by_identity(context.decisions)
    pairs = [(result.device, finding) for result in results for finding in result.findings]
    worst: dict[str, Finding] = {}
    for _, finding in pairs:
        known = worst.get(finding.check)
        if known is None or _security_severity(finding) > _security_severity(known):
            worst[finding.check] = finding
    rule_index = {check: index for index, check in enumerate(worst)}
    run = {
        "tool": {
            "driver": {
                "name": "MedDojo",
                "semanticVersion": __version__,
                "rules": [_rule(finding) for finding in worst.values()],
            }
        },
        "automationDetails": {"id": "meddojo/"},
        "invocations": [_invocation(results, context)],
        "results": [
            _result(device, finding, rule_index[finding.check], decisions.get(finding.identity), inventory)
            for device, finding in pairs
        ],
        "columnKind": "unicodeCodePoints",
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _security_severity(finding: Finding) -> float:
    score = headline_score(finding)
    return score.base_score if score and score.severity == finding.severity else _BAND_SCORE[finding.severity]


def _rule(finding: Finding) -> dict[str, Any]:
    """``reportingDescriptor`` (section 3.49) of one vulnerability or check, from its most severe finding."""
    title = _clip(finding.title or finding.check, 200)
    summary = _clip(finding.summary or title, _DESCRIPTION_LIMIT)
    rule: dict[str, Any] = {
        "id": finding.check,
        "shortDescription": {"text": _literal(title)},
        "fullDescription": {"text": _literal(summary)},
        "help": {"text": _literal(_help_text(finding, summary))},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {
            "security-severity": f"{_security_severity(finding):.1f}",
            "tags": ["security", "medical-device", *(f"external/cwe/cwe-{cwe:03d}" for cwe in finding.cwes)],
            "aliases": [alias for alias in finding.aliases if alias != finding.check],
        },
    }
    page = vulnerability_page(finding.check) or next(filter(None, map(web_link, finding.references)), "")
    return rule | ({"helpUri": page} if page else {})


def _help_text(finding: Finding, summary: str) -> str:
    steps = [f"{step.category}: {step.details} {web_link(step.url)}".strip() for step in finding.remediations]
    links = [link for link in map(web_link, finding.references) if link]
    return _clip("\n".join([summary, *steps, *links]), _DESCRIPTION_LIMIT)


def _result(
    device: Device, finding: Finding, rule_index: int, decision: Decision | None, inventory: str
) -> dict[str, Any]:
    """``result`` (section 3.27) of one finding."""
    return {
        "ruleId": finding.check,
        "ruleIndex": rule_index,
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": _literal(_clip(_message(device, finding), _MESSAGE_LIMIT))},
        "locations": [_location(device, finding, inventory)],
        # Code forges compare results by this one name; without it they would hash a line every device shares.
        "partialFingerprints": {"meddojoIdentity/v1": finding.identity, "primaryLocationLineHash": finding.identity},
        # Present in every result or in none (section 3.27.23): an empty list says "not suppressed".
        "suppressions": [_suppression(decision)] if decision else [],
        "properties": _result_properties(device, finding),
    }


def _message(device: Device, finding: Finding) -> str:
    installed = f"{device.label} {device.version}".strip()
    where = ", ".join(part for part in (device.location, device.network_zone) if part)
    units = f"{device.quantity} unit{'' if device.quantity == 1 else 's'}"
    sentences = [
        f"{finding.title or finding.check} on {installed} ({units}{', ' + where if where else ''}).",
        "Needs review: it is not certain that this device is meant." if finding.needs_review else "",
        "Known to be exploited." if finding.kev else "",
        f"{finding.epss.movement}." if finding.epss and finding.epss.movement else "",
        f"Severity {finding.severity.value}: {finding.severity_reason}." if finding.severity_reason else "",
        f"SSVC decision: {finding.clinical.decision.value}." if finding.clinical else "",
        f"Fixed in {', '.join(finding.fix_versions)}." if finding.fix_versions else "",
        f"Matched with probability {finding.probability:.2f}:",
        "; ".join(f"{citation.source}: {citation.reason}" for citation in finding.citations),
    ]
    return " ".join(filter(None, sentences)).rstrip(":") + ("" if finding.citations else ".")


def _location(device: Device, finding: Finding, inventory: str) -> dict[str, Any]:
    component = finding.components[0] if finding.components else None
    places = [{"name": device.label, "fullyQualifiedName": device.id, "kind": "resource"}]
    if component is not None:
        qualified = f"{device.id}/{component.purl or component.name}"
        places.append({"name": component.label, "fullyQualifiedName": qualified, "kind": "module"})
    file = _sbom_path(device, inventory) if component is not None else inventory
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": 1, "startColumn": 1}},
        "logicalLocations": places,
    }


def _sbom_path(device: Device, inventory: str) -> str:
    """The device's SBOM next to the inventory; an absolute path would tell of the machine and name its file only."""
    if not device.sbom_file:
        return inventory
    sbom = PurePath(device.sbom_file.replace("\\", "/"))
    if sbom.is_absolute() or ".." in sbom.parts or ":" in sbom.parts[0]:
        return inventory if sbom.name in ("", "..") else sbom.name
    return (PurePath(inventory).parent / sbom).as_posix()


def _suppression(decision: Decision) -> dict[str, Any]:
    reason = decision.justification or "no reason given"
    moment = {"decided": _utc(decision.decided)} if decision.decided else {}
    return {
        "kind": "external",
        "status": "accepted",
        "justification": _clip(f"{decision.verdict.value}: {reason}", _MESSAGE_LIMIT),
        "properties": {
            "verdict": decision.verdict.value,
            "sink": decision.sink,
            "reference": decision.reference,
            **moment,
        },
    }


def _result_properties(device: Device, finding: Finding) -> dict[str, Any]:
    epss, kev = finding.epss, finding.kev
    properties: dict[str, Any] = {
        "stream": finding.stream.value,
        "severity": finding.severity.value,
        "probability": finding.probability,
        "needsReview": finding.needs_review,
        "knownExploited": kev is not None,
        "device": {
            "id": device.id,
            "vendor": device.vendor,
            "model": device.model,
            "version": device.version,
            "quantity": device.quantity,
            "location": device.location,
            "networkZone": device.network_zone,
        },
        "cvss": [
            {"version": each.version, "vector": each.vector, "baseScore": each.base_score, "scorer": each.scorer}
            for each in finding.cvss
        ],
        "components": [component.purl or component.label for component in finding.components],
        "fixVersions": list(finding.fix_versions),
        "sources": [citation.source for citation in finding.citations],
        "threats": list(finding.threats),
        "supplyPath": list(finding.supply_path),
    }
    if epss is not None:
        day = epss.day.isoformat()
        moved = {"movement": epss.movement} if epss.movement else {}
        properties["epss"] = {"probability": epss.probability, "percentile": epss.percentile, "date": day, **moved}
    if finding.clinical is not None:
        properties["clinical"] = _clinical(finding.clinical)
    if kev is not None:
        due = {"dueDate": kev.due_date.isoformat()} if kev.due_date else {}
        properties["kev"] = {"dateAdded": kev.date_added.isoformat(), "ransomwareUse": kev.ransomware_use, **due}
    return properties


def _clinical(clinical: ClinicalRisk) -> dict[str, Any]:
    """What it means for a patient, each figure with what it rests on."""
    scored = clinical.environmental
    told: dict[str, Any] = {
        "ssvc": {"decision": clinical.decision.value, "path": clinical.path, "vector": clinical.ssvc_vector},
        "hazard": clinical.hazard,
        "answers": [
            {"question": each.question, "answer": each.answer, "gives": each.gives, "origin": each.origin}
            for each in clinical.answers
        ],
    }
    if scored is not None:
        told["environmental"] = {
            "version": scored.version,
            "vector": scored.vector,
            "score": scored.score,
            "baseVector": scored.base_vector,
            "baseScore": scored.base_score,
        }
    return told


def _invocation(results: Sequence[StreamResult], context: RunContext) -> dict[str, Any]:
    """``invocation`` (section 3.20); what could not be read or compared is a notification, not silence."""
    return {
        "executionSuccessful": True,
        "startTimeUtc": _utc(context.started),
        "toolExecutionNotifications": [
            {"level": "warning", "message": {"text": _literal(_clip(text, _MESSAGE_LIMIT))}}
            for text in _notices(results, context)
        ],
    }


def _notices(results: Sequence[StreamResult], context: RunContext) -> Iterator[str]:
    for source in context.sources:
        if source.problem:
            yield f"source {source.name}: {source.problem}"
    for item in context.skipped:
        yield f"skipped {item.origin}: {item.reason}"
    for result in results:
        if not result.complete:
            yield f"{result.device.label}, {result.stream.value}, is not complete: {result.doubt}"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _literal(text: str) -> str:
    """Take the meaning out of what SARIF reads as a placeholder or an embedded link (sections 3.11.5 and 3.11.6).

    Links are broken with a space, not with a backslash: not every viewer knows the escape, and no hostile text can
    escape the escape.
    """
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")
