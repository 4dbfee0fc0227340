"""An analyzer: devices without a known version have to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.finding import Citation, Finding, Stream
from meddojo.severity import Severity


class Inspection:
    """Adds one finding to the stream of compliance."""

    name = "ward_inspection"

    def judge(self, case: Case, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Return `findings`, and one more if the version is unknown."""
        if case.device.version:
            return findings
        reason = f"the inventory has no version for {case.device.label}"
        unknown = Finding(
            stream=Stream.COMPLIANCE,
            device_id=case.device.id,
            check="WARD-1",
            title="Software version unknown",
            severity=Severity.LOW,
            severity_reason="house rule 1",
            probability=1.0,
            summary=reason,
            citations=(Citation("house rules", "rule 1", 1.0, reason),),
        )
        return [*findings, unknown]


def build(config: AnalyzerConfig) -> Inspection:
    """The analyzer; it has no settings."""
    return Inspection()
