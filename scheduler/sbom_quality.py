"""SBOMs judged by hand: score, grade and what is missing, for ``meddojo sbom quality``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console as RichConsole
from rich.table import Table
from rich.text import Text

from analyzers.sbom_quality.assessment import Assessment, RuleResult, assess
from analyzers.sbom_quality.catalogues import EVERY, Catalogue, selected
from analyzers.sbom_quality.predicates import plain
from connectors.reading import read_bytes
from connectors.scans.sbom import read_sbom
from meddojo.errors import InputError
from meddojo.sbom import Sbom
from scheduler.console import Console
from scheduler.gate import ExitCode, exit_code

LISTED, LISTED_OF_SEVERAL = 10, 3
"""How many components a person is shown of each rule, by one catalogue or several; the JSON has them all."""

_COLOURS = {"A": "green", "B": "green", "C": "yellow", "D": "red", "F": "bold red"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One file, judged."""

    origin: str
    sbom: Sbom
    assessments: tuple[Assessment, ...]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "file": self.origin,
            "format": self.sbom.format,
            "components": len(self.sbom.components),
            "dependencies": len(self.sbom.dependencies),
            "catalogues": [each.as_dict() for each in self.assessments],
        }


def quality(
    paths: Sequence[Path],
    console: Console,
    *,
    catalogue: str = EVERY,
    fail_under: float | None = None,
    as_json: bool = False,
    every: bool = False,
) -> ExitCode:
    """Judge files and print how they do.

    Parameters
    ----------
    catalogue
        Name or family of catalogues, or `EVERY`.
    fail_under
        Trip the gate when a file scores less than this (0 to 100) by any of them.
    every
        Name every component that misses something.

    Returns
    -------
    ExitCode
        GATE if one scored too little, INCOMPLETE if one of several files could not be read.

    Raises
    ------
    ConfigError
        If there is no such catalogue.
    InputError
        If none of the files could be read.
    """
    catalogues = selected(catalogue)
    judged: list[Judged] = []
    errors: list[InputError] = []
    for path in paths:
        try:
            judged.append(judge_file(path, catalogues))
        except InputError as error:
            errors.append(error)
    if errors and not judged:
        raise errors[0]
    for unread in errors:
        console.error(str(unread))
    if as_json:
        print(json.dumps([each.as_dict() for each in judged], indent=2))
    else:
        print_judged(judged, every)
    scores = [each.score for file in judged for each in file.assessments]
    tripped = fail_under is not None and min(scores, default=100.0) < fail_under
    return exit_code(undelivered=False, tripped=tripped, incomplete=bool(errors))


def judge_file(path: Path, catalogues: Sequence[Catalogue]) -> Judged:
    """Read an SBOM and judge it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    sbom = read_sbom(read_bytes(path), str(path))
    return Judged(str(path), sbom, tuple(assess(sbom, each) for each in catalogues))


def print_judged(judged: Sequence[Judged], every: bool) -> None:
    """A table for each file, and under it what is missing where."""
    out = RichConsole(highlight=False)
    for file in judged:
        sbom = file.sbom
        listed = sys.maxsize if every else LISTED if len(file.assessments) == 1 else LISTED_OF_SEVERAL
        head = f"\n{file.origin}: {sbom.format}, {len(sbom.components):,} components"
        out.print(Text(head), style="bold", soft_wrap=True)
        out.print(_overview(file.assessments))
        for assessment in file.assessments:
            for line, style in _details(assessment, listed):
                out.print(Text(line), style=style, soft_wrap=True)


def _overview(assessments: Sequence[Assessment]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("catalogue", "grade", "score", "rules passed", "sent back"):
        table.add_column(heading, justify="right" if heading == "score" else "left", no_wrap=True)
    for each in assessments:
        passed = sum(result.passed for result in each.results)
        blocks = any(rule.blocking for rule in each.catalogue.rules)
        table.add_row(
            each.catalogue.name,
            Text(each.grade, style=_COLOURS[each.grade]),
            f"{each.score:.1f}",
            f"{passed} of {len(each.results)}",
            f"yes, for {len(each.blocking)}" if each.blocking else "no" if blocks else "",
        )
    return table


def _details(assessment: Assessment, listed: int) -> Iterator[tuple[str, str]]:
    failed = [result for result in assessment.results if not result.passed]
    if failed:
        yield f"\n{assessment.catalogue.title}: {assessment.catalogue.status}", "bold"
    for result in failed:
        rule = result.rule
        share = "" if result.judged == 1 else f" ({result.fulfilled:,} of {result.judged:,})"
        yield f"{'!' if rule.blocking else '-'} {rule.id}: {rule.title}{share}", "red" if rule.blocking else ""
        yield from ((f"    {line}", "dim") for line in _missing(result, listed))
        yield f"    fix: {rule.hint}", ""


def _missing(result: RuleResult, listed: int) -> Iterator[str]:
    faults = {each.fault for each in result.missing}
    if len(result.missing) == result.judged > listed and len(faults) == 1:
        yield f"each of the {result.judged:,}: {faults.pop()}"
        return
    shown = result.missing[:listed]
    for each in shown:
        yield f"{each.sentence} [{plain(each.ref)}]" if each.ref else each.sentence
    if len(shown) < len(result.missing):
        yield f"… and {len(result.missing) - len(shown):,} more"
