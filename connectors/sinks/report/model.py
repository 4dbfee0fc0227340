"""What the report says, computed once: devices, counts, the top list and the state of the sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from connectors.sinks.facts import decisions_by_identity, headline_score
from meddojo.clinical import SsvcDecision
from meddojo.device import Device
from meddojo.finding import Decision, Finding
from meddojo.interface import RunContext, SourceState, StreamResult
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore, KevEntry

SEVERITIES = tuple(reversed(Severity))
STALE_AFTER = timedelta(days=7)
TOP_LENGTH = 15

# These say how urgent a vulnerability is, not which product it is in: nothing is compared against them.
_ENRICHMENT = {"kev", "epss", "taxii"}


def ssvc_rank(finding: Finding) -> int:
    """0 for Track to 3 for Act; -1 where nothing was decided."""
    return finding.clinical.decision.rank if finding.clinical else -1


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding with what people decided about it; `score` is the one shown beside the severity."""

    finding: Finding
    decision: Decision | None
    score: CvssScore | None

    @property
    def urgency(self) -> tuple[object, ...]:
        """Sort key, the most urgent first."""
        finding = self.finding
        return (
            self.decision is not None,
            -ssvc_rank(finding),
            finding.kev is None,
            -finding.severity.rank,
            -(finding.epss.probability if finding.epss else 0.0),
            -(self.score.base_score if self.score else 0.0),
            -finding.probability,
            finding.check,
            finding.component_key,
        )


@dataclass(frozen=True)
class DeviceView:
    """One device of the run with all its findings, the most urgent first."""

    device: Device
    entries: tuple[Entry, ...]
    streams: tuple[str, ...]
    doubts: tuple[str, ...]

    @cached_property
    def open(self) -> tuple[Entry, ...]:
        """Entries nobody has decided yet."""
        return tuple(entry for entry in self.entries if entry.decision is None)

    @cached_property
    def counts(self) -> Mapping[Severity, int]:
        """Open findings by severity."""
        return Counter(entry.finding.severity for entry in self.open)

    @cached_property
    def exploited(self) -> int:
        """Open findings that are known to be exploited."""
        return sum(entry.finding.kev is not None for entry in self.open)

    @cached_property
    def urgency(self) -> tuple[object, ...]:
        """Sort key, the device with the worst open findings first."""
        return (-self.exploited, *(-self.counts.get(each, 0) for each in SEVERITIES), self.device.label, self.device.id)

    @property
    def basis(self) -> str:
        """What there was to compare with, and what was missing."""
        device = self.device
        name = "vendor, model and version" if device.version else "vendor and model only, the version is not known"
        identifiers = [label for label, value in (("CPE", device.cpe), ("purl", device.purl)) if value]
        sbom = "SBOM" if device.sbom_file else "no SBOM in the inventory"
        return "; ".join([", ".join([name, *identifiers]), sbom])


@dataclass(frozen=True)
class Topic:
    """One vulnerability over all devices it was found on."""

    check: str
    entries: tuple[tuple[Device, Entry], ...]

    @cached_property
    def lead(self) -> Entry:
        """The most urgent entry."""
        return min((entry for _, entry in self.entries), key=lambda entry: entry.urgency)

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """Every device once."""
        return tuple({device.id: device for device, _ in self.entries}.values())

    @property
    def units(self) -> int:
        """Units of all these devices."""
        return sum(device.quantity for device in self.devices)

    @property
    def probability(self) -> float:
        """That it applies to the device it fits best."""
        return max(entry.finding.probability for _, entry in self.entries)

    @property
    def needs_review(self) -> bool:
        """True when it is certain for none of the devices."""
        return all(entry.finding.needs_review for _, entry in self.entries)

    @property
    def kev(self) -> KevEntry | None:
        """Its entry in the catalogue of exploited vulnerabilities."""
        return self.lead.finding.kev

    @property
    def epss(self) -> EpssScore | None:
        """Its exploit prediction."""
        return self.lead.finding.epss

    @cached_property
    def urgency(self) -> tuple[object, ...]:
        """Sort key: SSVC decision, then exploited, severity, EPSS and units."""
        finding = self.lead.finding
        epss = finding.epss.probability if finding.epss else 0.0
        return (-ssvc_rank(finding), finding.kev is None, -finding.severity.rank, -epss, -self.units, self.check)

    @property
    def action(self) -> str:
        """What to do, in a few words."""
        fixes = list(dict.fromkeys(fix for _, entry in self.entries for fix in entry.finding.fix_versions))
        if fixes:
            return "Update to " + ", ".join(fixes[:4]) + (" …" if len(fixes) > 4 else "")
        steps = [step for _, entry in self.entries for step in entry.finding.remediations]
        fixing = [step for step in steps if step.category == "vendor_fix"]
        return next((step.details for step in fixing or steps), "")


@dataclass(frozen=True, slots=True)
class SourceView:
    """How a source stands, in a word (`state`, also its style class) and a sentence."""

    source: SourceState
    state: str
    note: str


@dataclass(frozen=True)
class Report:
    """All the page shows. "Open" means that nobody has decided about the finding.

    Attributes
    ----------
    answered
        Findings that are no work, because somebody states (VEX) that the device is not affected or fixed.
    """

    started: datetime
    devices: tuple[DeviceView, ...]
    unmatched: tuple[DeviceView, ...]
    sources: tuple[SourceView, ...]
    context: RunContext
    topics: tuple[Topic, ...] = field(repr=False)
    answered: tuple[tuple[Device, Finding], ...] = field(default=(), repr=False)

    @cached_property
    def counts(self) -> Mapping[Severity, int]:
        """Open findings by severity."""
        return sum((Counter(view.counts) for view in self.devices), Counter())

    @property
    def everything(self) -> tuple[DeviceView, ...]:
        """Devices with and without findings."""
        return self.devices + self.unmatched

    @cached_property
    def open(self) -> int:
        """Open findings."""
        return sum(self.counts.values())

    @cached_property
    def total(self) -> int:
        """All findings, decided ones included."""
        return sum(len(view.entries) for view in self.devices)

    @cached_property
    def exploited(self) -> int:
        """Open findings that are known to be exploited."""
        return sum(view.exploited for view in self.devices)

    @cached_property
    def ssvc(self) -> Mapping[SsvcDecision, int]:
        """Open findings by SSVC decision."""
        rated = (entry.finding.clinical for view in self.devices for entry in view.open)
        return Counter(each.decision for each in rated if each)

    @cached_property
    def to_review(self) -> int:
        """Open findings of which it is not certain that the device is meant."""
        return sum(entry.finding.needs_review for view in self.devices for entry in view.open)

    @cached_property
    def verdicts(self) -> Mapping[str, int]:
        """Findings that people decided, by verdict."""
        decided = (entry.decision for view in self.devices for entry in view.entries if entry.decision)
        return Counter(decision.verdict.value for decision in decided)

    @property
    def decided(self) -> int:
        """Findings that people decided."""
        return self.total - self.open

    @cached_property
    def doubts(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each reason why a stream is not complete, with the devices it concerns."""
        devices: dict[str, list[str]] = {}
        for view in self.everything:
            for doubt in view.doubts:
                devices.setdefault(doubt, []).append(view.device.label)
        return tuple((doubt, tuple(labels)) for doubt, labels in devices.items())

    @property
    def ailing(self) -> tuple[SourceView, ...]:
        """Sources whose data is old, missing or incomplete."""
        return tuple(view for view in self.sources if view.state != "current")

    @property
    def compared_against(self) -> str:
        """How much the devices were compared with, source by source."""
        sources = [view.source for view in self.sources if view.source.name not in _ENRICHMENT]
        parts = [f"{source.records:,} record{_s(source.records)} of {source.name}" for source in sources]
        return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else ""

    @property
    def headline(self) -> str:
        """The state of things in one sentence."""
        if not self.everything:
            return "No device was examined."
        if not self.open:
            decided = f" {self.decided:,} are decided." if self.decided else ""
            return f"No open finding on {len(self.everything):,} device{_s(len(self.everything))}.{decided}"
        bands = [f"{self.counts[band]:,} {band.value.lower()}" for band in SEVERITIES[:2] if self.counts.get(band)]
        worst = f", {' and '.join(bands)}" if bands else ""
        affected = sum(bool(view.open) for view in self.devices)
        start = f"{self.open:,} open finding{_s(self.open)} on {affected:,} device{_s(affected)}{worst}."
        return f"{start} {self.exploited:,} known to be exploited." if self.exploited else start


def read(results: Sequence[StreamResult], context: RunContext) -> Report:
    """Order the results of a run for the page."""
    decisions = decisions_by_identity(context.decisions)
    streams: dict[str, list[StreamResult]] = {}
    for result in results:
        streams.setdefault(result.device.id, []).append(result)
    views = sorted((_device_view(group, decisions) for group in streams.values()), key=lambda view: view.urgency)
    devices = tuple(view for view in views if view.entries)
    return Report(
        started=context.started,
        devices=devices,
        unmatched=tuple(view for view in views if not view.entries),
        sources=tuple(_source_view(source, context.started) for source in context.sources),
        context=context,
        topics=_topics(devices),
        answered=tuple((result.device, finding) for result in results for finding in result.suppressed),
    )


def _device_view(results: Sequence[StreamResult], decisions: Mapping[str, Decision]) -> DeviceView:
    entries = [
        Entry(finding, decisions.get(finding.identity), headline_score(finding))
        for result in results
        for finding in result.findings
    ]
    return DeviceView(
        device=results[0].device,
        entries=tuple(sorted(entries, key=lambda entry: entry.urgency)),
        streams=tuple(result.stream.value for result in results),
        doubts=tuple(
            f"{result.stream.value}: {result.doubt or 'the run was not complete'}"
            for result in results
            if not result.complete
        ),
    )


def _topics(devices: Iterable[DeviceView]) -> tuple[Topic, ...]:
    entries: dict[str, list[tuple[Device, Entry]]] = {}
    for view in devices:
        for entry in view.open:
            entries.setdefault(entry.finding.check, []).append((view.device, entry))
    topics = (Topic(check, tuple(pairs)) for check, pairs in entries.items())
    return tuple(sorted(topics, key=lambda topic: topic.urgency))


def _source_view(source: SourceState, now: datetime) -> SourceView:
    skipped = f"{source.skipped:,} record{_s(source.skipped)} could not be read" if source.skipped else ""
    note = "; ".join(filter(None, (source.problem, skipped)))
    if source.last_success is None:
        return SourceView(source, "failed", note or "never read successfully: nothing is known from this source")
    if source.last_attempt is not None and source.last_attempt > source.last_success:
        return SourceView(source, "stale", f"{note or 'the last attempt failed'}; earlier data is used")
    if now - source.last_success > STALE_AFTER:
        days = (now - source.last_success).days
        return SourceView(source, "stale", "; ".join(filter(None, (f"not refreshed for {days:,} days", note))))
    return SourceView(source, "partial" if note else "current", note)


def _s(number: int) -> str:
    return "" if number == 1 else "s"
