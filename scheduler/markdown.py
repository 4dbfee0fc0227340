"""The summary of a run as Markdown, for CI servers that show one and for people who open the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from meddojo.errors import ConfigError
from scheduler.gate import ExitCode

if TYPE_CHECKING:
    from scheduler.pipeline import Outcome

_STEP_SUMMARIES = ("GITEA_STEP_SUMMARY", "GITHUB_STEP_SUMMARY")
_SHOWN = 20
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>&])")
_MEANINGS = {
    ExitCode.CLEAN: "clean",
    ExitCode.GATE: "the gate tripped: undecided findings at or above the limit",
    ExitCode.USAGE: "wrong usage or configuration",
    ExitCode.INCOMPLETE: "finished, but a source or a device was skipped, or a stream is in doubt",
    ExitCode.UNDELIVERED: "a destination took nothing at all",
}


def of_outcome(outcome: Outcome) -> str:
    """What a run found, what is new, what was in doubt, and how it ended."""
    from scheduler.pipeline import count_by_severity
    from scheduler.summary import urgency

    findings = outcome.findings
    tripped = {finding.identity for finding in outcome.tripped}
    change = outcome.change
    counts = count_by_severity(findings)
    lines = [
        *_heading(outcome.code, f"{outcome.started:%Y-%m-%d %H:%M} UTC"),
        f"{outcome.devices:,} devices, {len({finding.device_id for finding in findings}):,} with findings. "
        f"Since the last run: {change.new:,} new, {change.changed:,} changed, {change.gone:,} gone. "
        f"{outcome.decisions:,} decided by people, {outcome.answered:,} stated not affected or fixed.",
        "",
        *_table([severity.value for severity in counts], [[f"{number:,}" for number in counts.values()]]),
    ]
    if findings:
        rows = [
            [
                finding.severity.value,
                finding.check,
                finding.device_id,
                finding.clinical.decision.value if finding.clinical else "",
                f"{finding.epss.probability:.1%}" if finding.epss else "",
                ", ".join(
                    note
                    for note, applies in (
                        ("gate", finding.identity in tripped),
                        ("known exploited", finding.kev is not None),
                        ("needs review", finding.needs_review),
                    )
                    if applies
                ),
            ]
            for finding in sorted(findings, key=urgency)[:_SHOWN]
        ]
        lines += [
            "### Look at these first",
            "",
            *_table(["severity", "finding", "device", "SSVC", "EPSS", "why"], rows),
        ]
    lines += _list("In doubt, nothing was closed", outcome.doubts)
    lines += _list("Skipped", [f"{each.origin}: {each.reason}" for each in outcome.skipped])
    lines += _list("Not delivered", [f"{each.origin}: {each.reason}" for each in outcome.deliveries.problems])
    lines += _list("Delivered", [f"{each.sink}: {each.destination}" for each in outcome.deliveries.done])
    return "\n".join(lines)


def of_stopped_run(minutes: float) -> str:
    """What there is to say of a run that reached its time limit."""
    why = f"stopped after its time limit of {minutes:g} minutes; the next run goes on from what was committed"
    return "\n".join([*_heading(ExitCode.UNDELIVERED, why), ""])


def write(text: str, file: Path | None, environment: Mapping[str, str] | None = None) -> None:
    """Write a summary into `file`, and append it to the page of the CI job where there is one.

    Raises
    ------
    ConfigError
        If one of them cannot be written.
    """
    variables = os.environ if environment is None else environment
    pages = {Path(variables[name]) for name in _STEP_SUMMARIES if variables.get(name)}
    for path, mode in [*((page, "a") for page in sorted(pages)), *([(file, "w")] if file else [])]:
        try:
            with path.open(mode, encoding="utf-8") as handle:
                handle.write(text)
        except OSError as error:
            raise ConfigError(f"summary {path}: {error.strerror}", "check the folder and its permissions") from None


def _heading(code: ExitCode, remark: str) -> list[str]:
    return ["## MedDojo", "", f"**Exit code {int(code)}**: {_MEANINGS[code]} ({remark})", ""]


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    titles = [_escaped(heading) for heading in headings]
    lines = [titles, ["---"] * len(titles), *([_escaped(cell) for cell in row] for row in rows)]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def _list(title: str, items: Iterable[str]) -> list[str]:
    texts = list(items)
    if not texts:
        return []
    shown = [f"- {_escaped(text)}" for text in texts[:_SHOWN]]
    more = [f"- and {len(texts) - _SHOWN:,} more"] if len(texts) > _SHOWN else []
    return [f"### {title} ({len(texts):,})", "", *shown, *more, ""]


def _escaped(text: str) -> str:
    """Text of strangers, on one line and without a meaning in Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
