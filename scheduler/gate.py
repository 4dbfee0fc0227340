"""The gate: from what a run did to the exit code a CI job acts on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meddojo.finding import Decision, Finding
    from meddojo.interface import StreamResult
    from meddojo.severity import Severity


class ExitCode(IntEnum):
    """What the process returns; the first that applies of UNDELIVERED, GATE, INCOMPLETE, CLEAN."""

    CLEAN = 0
    GATE = 1
    USAGE = 2
    INCOMPLETE = 3
    UNDELIVERED = 4


def tripping(
    results: Iterable[StreamResult], decisions: Iterable[Decision], fail_on: Severity | None
) -> tuple[Finding, ...]:
    """Findings that trip the gate: at or above `fail_on`, certain enough to be delivered, undecided by people."""
    if fail_on is None:
        return ()
    decided = {decision.identity for decision in decisions}
    return tuple(
        finding
        for result in results
        for finding in result.findings
        if finding.severity.rank >= fail_on.rank and not finding.needs_review and finding.identity not in decided
    )


def exit_code(*, undelivered: bool, tripped: bool, incomplete: bool) -> ExitCode:
    """The most urgent of the three, or CLEAN."""
    if undelivered:
        return ExitCode.UNDELIVERED
    if tripped:
        return ExitCode.GATE
    return ExitCode.INCOMPLETE if incomplete else ExitCode.CLEAN
