"""What is known about exploitation: KEV, EPSS, threats, and the tags for them. The analyzer ``enrichment``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from analyzers.threat_context import TAG_USED, ThreatContext
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.finding import Finding

Entry = TypeVar("Entry")

TAG_EPSS_RISING = "epss-rising"
TAG_KEV = "kev"
TAG_RANSOMWARE = "ransomware"
TAG_REVIEW = "needs-review"


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Analyzer that adds KEV, EPSS and threats; it neither adds nor removes findings."""

    name: str = "enrichment"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings, enriched; an EPSS score of the scan report stays only where the feed has none."""
        context = ThreatContext(case)
        return tuple(_enrich(case, context, finding) for finding in findings)


def build(config: AnalyzerConfig) -> Enrichment:
    """Make the analyzer; entry point ``meddojo.analyzers``."""
    return Enrichment()


def _enrich(case: Case, context: ThreatContext, finding: Finding) -> Finding:
    names = (finding.check, *finding.aliases)
    kev = _first(case.kev, names) or finding.kev
    epss = _first(case.epss, names) or finding.epss
    finding = replace(finding, kev=kev, epss=epss)
    threats, used = context.lines(finding)
    tags = set(finding.tags)
    if kev is not None:
        tags.add(TAG_KEV)
    if kev is not None and kev.ransomware_use:
        tags.add(TAG_RANSOMWARE)
    if epss is not None and epss.rising:
        tags.add(TAG_EPSS_RISING)
    if used:
        tags.add(TAG_USED)
    if finding.needs_review:
        tags.add(TAG_REVIEW)
    return replace(finding, threats=threats, tags=tuple(sorted(tags)))


def _first(entries: Mapping[str, Entry], names: Sequence[str]) -> Entry | None:
    return next((entries[name] for name in names if name in entries), None)
