"""Which vulnerabilities touch this device, how probably, and why: the analyzer ``matching``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.matching.advisories import Clearance, match_advisory
from analyzers.matching.candidates import Candidate
from analyzers.matching.components import match_scan
from analyzers.matching.merge import merge
from analyzers.matching.records.device import match_record
from analyzers.matching.records.packages import by_key, match_packages
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.finding import Finding

__all__ = ["Candidate", "Matching", "build", "candidates", "merge"]


@dataclass(frozen=True, slots=True)
class Matching:
    """Analyzer of the stream "vulnerabilities".

    Attributes
    ----------
    threshold, review_threshold
        See `meddojo.config.AnalyzerConfig`.
    """

    threshold: float
    review_threshold: float
    name: str = "matching"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Add one finding for each vulnerability that touches the device."""
        return (*findings, *merge(case, candidates(case), self.threshold, self.review_threshold))


def build(config: AnalyzerConfig) -> Matching:
    """Make the analyzer; entry point ``meddojo.analyzers``."""
    return Matching(config.threshold, config.review_threshold)


def candidates(case: Case) -> tuple[Candidate, ...]:
    """Every source's claim about the device of a case, unmerged and in no particular order.

    A CVE record that matches by name or CPE is left out where an advisory states that this device, at this version,
    is fixed or not affected; claims of other advisories, of scan reports and about components stand.
    """
    claims: list[Candidate] = []
    cleared: set[str] = set()
    for advisory in case.advisories:
        for statement in match_advisory(case.device, advisory, sbom=case.sbom):
            if isinstance(statement, Clearance):
                cleared.update(statement.identifiers)
            else:
                claims.append(statement)
    packages = by_key(case.sbom) if case.sbom is not None else {}
    for record in case.vulnerabilities:
        matched = match_record(case.device, record, packages)
        claims.extend(claim for claim in matched if cleared.isdisjoint(claim.identifiers))
        claims.extend(match_packages(record, packages, case.device))
    for report in case.scans:
        claims.extend(match_scan(report, case.sbom))
    return tuple(claims)
