"""What a device's SBOM makes people look at.

Two streams, by what the finding is about. An element that FDA's guidance asks for and the document lacks is a
requirement that is not met, though nothing on the device is the worse for it: stream *compliance*, as for every
requirement catalogue. A component that nobody supports any more is on the device, whatever the paper says: stream
*supply chain*.

Nothing in a finding tells the time of the run: the same document gives the same texts on the next day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from analyzers.sbom_quality.assessment import Assessment, Missing, RuleResult
from analyzers.sbom_quality.catalogues import Level
from analyzers.sbom_quality.predicates import end_of_support_remark, plain
from meddojo.advisory import Remediation
from meddojo.device import Device
from meddojo.finding import Citation, Finding, Stream
from meddojo.sbom import Component, Sbom
from meddojo.severity import Severity

TAG = "sbom"
LISTED = 20
"""How many components a text names."""

# "no longer maintained" and "abandoned" are FDA's own examples (V.A.4(b)); the others are what documents say.
_UNSUPPORTED = re.compile(
    r"\b(no longer|not|un)[ -]?(actively )?(maintained|supported)|abandon|inactive|deprecated|obsolete|discontinued"
    r"|\bend[ -]of[ -](life|support)|\be(ol|os)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SupportCheck:
    """A way in which components are without support.

    Attributes
    ----------
    fault
        What a component shows for it, on a day; empty if it does not.
    """

    check: str
    title: str
    fault: Callable[[Component, date], str]


def _ended(component: Component, today: date) -> str:
    end = component.end_of_support
    return f"end of support {end.isoformat()}" if end is not None and end < today else ""


def _unsupported(component: Component, _: date) -> str:
    said = (("support level", component.support_level), ("end of support", end_of_support_remark(component)))
    return next((f"{name} '{plain(text)}'" for name, text in said if _UNSUPPORTED.search(text)), "")


SUPPORT_CHECKS = (
    SupportCheck("sbom-end-of-support-passed", "The end of support has passed for software on the device", _ended),
    SupportCheck("sbom-unsupported-component", "Software on the device is stated to be unsupported", _unsupported),
)


def listing(missing: Sequence[Missing], most: int = LISTED) -> str:
    """The first of them in a row, and how many more there are."""
    more = len(missing) - most
    named = "; ".join(each.sentence for each in missing[:most])
    return f"{named}; … and {more:,} more" if more > 0 else named


def submission_findings(device: Device, assessment: Assessment) -> Iterator[Finding]:
    """One for each rule for which a submission would be sent back; the components are in the text."""
    for result in assessment.blocking:
        yield _submission_finding(device, assessment, result)


def support_findings(device: Device, sbom: Sbom, today: date) -> Iterator[Finding]:
    """One for each way in which components are without support on `today`; their last day still counts as supported."""
    for each in SUPPORT_CHECKS:
        faults = ((component, each.fault(component, today)) for component in sbom.components)
        found = [Missing(component.ref, component.label, fault) for component, fault in faults if fault]
        if found:
            yield _support_finding(device, each, found)


def _submission_finding(device: Device, assessment: Assessment, result: RuleResult) -> Finding:
    rule, catalogue = result.rule, assessment.catalogue
    counted = f"Missing for {len(result.missing):,} of {result.judged:,} components. "
    return Finding(
        stream=Stream.COMPLIANCE,
        device_id=device.id,
        check=f"sbom-{rule.id}",
        title=f"SBOM incomplete for an FDA submission: {_lower(rule.title)}",
        severity=rule.severity,
        severity_reason="a submission would be sent back for it; no weakness of the device follows from it",
        probability=1.0,
        summary=("" if rule.level is Level.DOCUMENT else counted) + listing(result.missing),
        remediations=(Remediation("mitigation", f"Add it to the SBOM: {rule.hint}"),),
        citations=(Citation(catalogue.title, catalogue.url, 1.0, f"asked for in {rule.source}"),),
        references=(catalogue.url,),
        tags=(TAG, "sbom-quality"),
    )


def _support_finding(device: Device, check: SupportCheck, found: Sequence[Missing]) -> Finding:
    return Finding(
        stream=Stream.SUPPLY_CHAIN,
        device_id=device.id,
        check=check.check,
        title=check.title,
        severity=Severity.MEDIUM,
        severity_reason="without support, vulnerabilities found from now on stay open; none is known by this alone",
        probability=1.0,
        summary=f"{len(found):,} of the components: {listing(found)}",
        remediations=(Remediation("mitigation", "Ask the manufacturer for a version with supported software"),),
        citations=(Citation("SBOM of the device", "", 1.0, "the document says so of each component named"),),
        tags=(TAG, "end-of-support"),
    )


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
