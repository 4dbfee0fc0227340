"""Results as tables a person reads in a terminal or a CI log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from meddojo.severity import Severity

if TYPE_CHECKING:
    from meddojo.finding import Finding
    from scheduler.doctor import Check
    from scheduler.pipeline import Outcome

_COLOURS = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
_TOP = 10


def print_outcome(outcome: Outcome, *, quiet: bool) -> None:
    """Summary of a run: what to look at first, what was in doubt, how it ended."""
    if quiet:
        return
    from scheduler.pipeline import count_by_severity

    console = _console()
    findings = outcome.findings
    touched = len({finding.device_id for finding in findings})
    counts = ", ".join(f"{number:,} {severity}" for severity, number in count_by_severity(findings).items() if number)
    console.print(f"\n{outcome.devices:,} devices, {touched:,} with findings: {counts or 'no findings'}", markup=False)
    console.print(
        f"{sum(finding.kev is not None for finding in findings):,} known exploited, "
        f"{sum(finding.needs_review for finding in findings):,} need review, {outcome.decisions:,} decided by people, "
        f"{outcome.answered:,} stated not affected or fixed",
        markup=False,
    )
    change = outcome.change
    console.print(
        f"since the last run: {change.new:,} new, {change.changed:,} changed, {change.gone:,} gone", markup=False
    )
    if findings:
        console.print(_top(findings))
    for label, lines in (
        ("in doubt, nothing was closed", outcome.doubts),
        ("skipped", [f"{each.origin}: {each.reason}" for each in outcome.skipped]),
        ("not delivered", [f"{each.origin}: {each.reason}" for each in outcome.deliveries.problems]),
    ):
        if lines:
            console.print(f"{label} ({len(lines):,}):", markup=False, style="yellow")
            for line in lines[:_TOP]:
                console.print(f"  {line}", markup=False)
            if len(lines) > _TOP:
                console.print(f"  … and {len(lines) - _TOP:,} more", markup=False)
    if outcome.tripped:
        console.print(f"gate: {len(outcome.tripped):,} undecided findings trip --fail-on", style="bold red")
    for delivery in outcome.deliveries.done:
        console.print(f"{delivery.sink}: {delivery.destination}", markup=False)


def print_checks(found: Iterable[Check]) -> None:
    """What ``meddojo doctor`` saw."""
    console = _console()
    for check in found:
        mark = Text("ok   ", style="green") if check.works else Text("FAILS", style="bold red")
        console.print(Text.assemble(mark, " ", (check.name, "bold"), ": ", check.found))
        if not check.works and check.hint:
            console.print(Text(f"      -> {check.hint}"))


def _whole(heading: str) -> Column:
    """A column whose values are never cut, however narrow the log is."""
    return Column(heading, overflow="fold")


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _top(findings: Iterable[Finding]) -> Table:
    table = Table(
        "",
        _whole("finding"),
        _whole("device"),
        "SSVC",
        "EPSS",
        "why",
        box=None,
        pad_edge=False,
        title="look at these first",
        title_justify="left",
    )
    for finding in sorted(findings, key=urgency)[:_TOP]:
        epss = f"{finding.epss.probability:.1%}" if finding.epss else ""
        notes = ["known exploited"] if finding.kev else []
        notes += ["needs review"] if finding.needs_review else []
        table.add_row(
            Text(finding.severity.value, style=_COLOURS[finding.severity]),
            Text(finding.check),
            Text(finding.device_id),
            finding.clinical.decision.value if finding.clinical else "",
            epss,
            Text(", ".join(notes) or finding.citations[0].source if finding.citations else ""),
        )
    return table


def urgency(finding: Finding) -> tuple[bool, int, bool, int, float, str, str]:
    """Order of findings: certain before doubtful, then by SSVC decision, exploited, severity and likelihood."""
    likely = finding.epss.probability if finding.epss else 0.0
    return (
        finding.needs_review,
        -(finding.clinical.decision.rank if finding.clinical else -1),
        finding.kev is None,
        -finding.severity.rank,
        -likely,
        finding.check,
        finding.device_id,
    )
