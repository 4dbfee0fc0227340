"""A sink: one line a finding, in a text file that can be pinned to the wall; crossed-out lines are decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from meddojo.config import Config
from meddojo.device import Device
from meddojo.finding import Decision, Verdict
from meddojo.interface import Delivery, RunContext, StreamResult
from meddojo.store import Store


@dataclass(frozen=True)
class WardList:
    """Writes ``ward-list.txt`` beside the report."""

    file: Path
    name: str = "ward_list"

    def listen(self, devices: Sequence[Device]) -> Iterable[Decision]:
        """A line that begins with ``x`` was accepted by somebody."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        for number, line in enumerate(lines, start=1):
            if line.startswith("x "):
                yield Decision(line.split()[1], Verdict.RISK_ACCEPTED, self.name, f"line {number}")

    def deliver(self, results: Sequence[StreamResult], context: RunContext) -> Delivery:
        """Write the list anew, keeping the crosses."""
        crossed = {decision.identity for decision in context.decisions}
        findings = [finding for result in results for finding in result.findings]
        lines = [
            f"{'x' if finding.identity in crossed else '-'} {finding.identity} {finding.device_id} {finding.check}"
            for finding in findings
        ]
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("\n".join(lines) + "\n", "utf-8")
        return Delivery(self.name, str(self.file), created=len(lines))


def build(config: Config, store: Store) -> WardList:
    """The sink; it writes into the folder of the report."""
    return WardList(Path(config.report.directory) / "ward-list.txt")
