"""Whether an SBOM says what it has to say: the analyzer ``sbom_quality``.

The catalogues of NTIA, CISA, FDA and BSI are rules in data; ``docs/sbom-quality.md`` tells what they ask and where our
reading of them is a judgement. All of them are judged by ``scheduler.sbom_quality``; findings come of FDA's alone,
whose reviewers send a submission back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.sbom_quality.assessment import assess
from analyzers.sbom_quality.catalogues import catalogue
from analyzers.sbom_quality.findings import submission_findings, support_findings
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.finding import Finding


@dataclass(frozen=True, slots=True)
class SbomQuality:
    """Analyzer that adds what is wrong with a device's SBOM; it changes no other finding.

    Attributes
    ----------
    submission
        Catalogue whose blocking rules make findings; empty for none.
    """

    submission: str = "fda"
    name: str = "sbom_quality"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return the findings, and those about the SBOM; none for a device without one."""
        if case.sbom is None:
            return findings
        support = support_findings(case.device, case.sbom, case.as_of.date())
        if not self.submission:
            return (*findings, *support)
        assessment = assess(case.sbom, catalogue(self.submission))
        return (*findings, *submission_findings(case.device, assessment), *support)


def build(config: AnalyzerConfig) -> SbomQuality:
    """Make the analyzer; entry point ``meddojo.analyzers``."""
    return SbomQuality(config.sbom_submission)
