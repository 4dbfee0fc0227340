"""From people's decisions to statements.

==================  ==================================================================================================
decided             stated
==================  ==================================================================================================
false positive      not affected; with the justification whose VEX label the note names, else with the note alone
risk accepted       affected; the note is the action statement
mitigated           fixed, where the note tells of a fix; else affected, with the note as mitigation: the evidence
                    still says that this version has the vulnerability
out of scope        nothing: that somebody else looks after it says nothing about the product
nothing yet         under investigation; nothing about findings that still need review
==================  ==================================================================================================

A finding that others have answered by VEX is theirs to state, unless somebody decided about it here as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from connectors.sinks.facts import decisions_by_identity
from meddojo.advisory import AffectedProduct, VersionKind
from meddojo.device import Device
from meddojo.finding import Decision, Finding, Stream, Verdict
from meddojo.store.vex import VexIssue
from meddojo.vex import Justification, VexStatus, device_urn, find_justification

_FIX = re.compile(
    r"\b(?:patch(?:ed|es)?|hot-?fix(?:ed)?|fix(?:ed)?|updated?|upgraded?)\b(?!\s+(?:is\s+)?(?:not|planned|pending))",
    re.IGNORECASE,
)
_NO_FIX = re.compile(
    r"\b(?:no|not|never|without|cannot|can't|awaiting|until|before)\b(?:\W+\w+){0,3}?\W+(?:patch|hot-?fix|fix|updat|upgrad)",
    re.IGNORECASE,
)
_NO_NOTE = "No reason was written down."
_CAUTION = (VexStatus.AFFECTED, VexStatus.UNDER_INVESTIGATION, VexStatus.FIXED, VexStatus.NOT_AFFECTED)


@dataclass(frozen=True, slots=True)
class Entry:
    """What we state about one vulnerability of the device.

    Attributes
    ----------
    detail
        Impact statement of what is not affected, action statement of what is.
    mitigated
        For what is affected: people took measures, rather than accept the risk.
    dated
        When it was decided, or first seen.
    """

    finding: Finding
    status: VexStatus
    justification: Justification | None
    detail: str
    mitigated: bool
    dated: datetime


@dataclass(frozen=True, slots=True)
class Triage:
    """All entries, by vulnerability, and how many findings nothing is stated about."""

    entries: tuple[Entry, ...]
    unstated: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Everything a document says, whatever its format.

    Attributes
    ----------
    author, namespace, role, tlp
        See `meddojo.config.VexConfig`.
    issues
        All versions of the document, the present one last.
    """

    device: Device
    entries: tuple[Entry, ...]
    author: str
    namespace: str
    role: str
    tlp: str
    issues: tuple[VexIssue, ...]

    @property
    def id(self) -> str:
        """The same for all versions."""
        return f"MEDDOJO-VEX-{quote(self.device.id, safe='')}"

    @property
    def address(self) -> str:
        """The id as an IRI within the author's namespace."""
        return f"{self.namespace.rstrip('/')}/vex/{self.id}"

    @property
    def issue(self) -> VexIssue:
        """The present version."""
        return self.issues[-1]

    @property
    def title(self) -> str:
        """For people."""
        return f"Vulnerabilities of {self.device.label} {self.device.version}".strip()


def triage(
    findings: Iterable[Finding], decisions: Iterable[Decision], first_seen: Mapping[str, datetime], now: datetime
) -> Triage:
    """What to state about the vulnerabilities of one device; where findings share one, the more cautious counts.

    Parameters
    ----------
    first_seen
        By identity of the finding.
    now
        Stands in where neither a decision nor the store has a time.
    """
    decided = decisions_by_identity(decisions)
    by_check: dict[str, Entry] = {}
    unstated = 0
    for finding in findings:
        if finding.stream is not Stream.VULNERABILITIES:
            continue
        decision = decided.get(finding.identity)
        seen = first_seen.get(finding.identity, now)
        entry = _entry(finding, decision, decision.decided or seen if decision else seen)
        if entry is None:
            unstated += 1
            continue
        known = by_check.get(finding.check)
        if known is None or _CAUTION.index(entry.status) < _CAUTION.index(known.status):
            by_check[finding.check] = entry
    return Triage(tuple(by_check[check] for check in sorted(by_check)), unstated)


def _entry(finding: Finding, decision: Decision | None, dated: datetime) -> Entry | None:
    if decision is None:
        if finding.needs_review or finding.suppressed:
            return None
        return Entry(finding, VexStatus.UNDER_INVESTIGATION, None, "", False, dated)
    note = decision.justification.strip()
    said = note or _NO_NOTE
    match decision.verdict:
        case Verdict.FALSE_POSITIVE:
            label = find_justification(note)
            return Entry(finding, VexStatus.NOT_AFFECTED, label, f"Judged a false positive. {said}", False, dated)
        case Verdict.RISK_ACCEPTED:
            return Entry(finding, VexStatus.AFFECTED, None, f"The risk was accepted. {said}", False, dated)
        case Verdict.MITIGATED:
            fixed = bool(_FIX.search(note)) and not _NO_FIX.search(note)
            status = VexStatus.FIXED if fixed else VexStatus.AFFECTED
            return Entry(finding, status, None, f"Mitigated. {said}", True, dated)
        case Verdict.OUT_OF_SCOPE:
            return None


def product(device: Device) -> AffectedProduct:
    """The device as a product that other programs recognise."""
    return AffectedProduct(
        product_id=device_urn(device),
        vendor=device.vendor,
        product=device.model,
        version_text=device.version,
        version_kind=VersionKind.EXACT if device.version else VersionKind.UNSTATED,
        full_name=f"{device.label} {device.version}".strip(),
        cpe=device.cpe,
        purl=device.purl,
    )


def content(device: Device, entries: Iterable[Entry], author: str, namespace: str) -> str:
    """Everything a document says but its version and dates, to tell whether it changed."""
    identity = (device.id, device.vendor, device.model, device.version, device.cpe, device.purl, device.udi_di)
    stated = [
        (
            entry.finding.check,
            entry.finding.aliases,
            description(entry.finding),
            entry.status,
            entry.justification,
            entry.detail,
            entry.dated.isoformat(),
        )
        for entry in entries
    ]
    return json.dumps([identity, author, namespace, stated])


def description(finding: Finding) -> str:
    """What the vulnerability is."""
    return finding.summary.strip() or finding.title.strip() or finding.check
