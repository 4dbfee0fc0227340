"""Reading the training table: records as they were at publication, and the labels that came later.

The table's columns are described where it comes from; counts of references, applicability statements and dates of
later snapshots are never asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from analyzers.vuln_classifier.record import PublishedRecord, Scorer
from analyzers.vuln_classifier.vectors import parse_vector
from meddojo.errors import InputError

COLUMNS = (
    "cve", "published", "description", "cna", "vendor", "product", "cvss3", "cvss3_src", "rh_cvss3", "cwe", "cwe_src",
    "ssvc_exploitation", "ssvc_automatable", "ssvc_impact", "kev_date",
)  # fmt: skip
_SCORERS = {scorer.value: scorer for scorer in Scorer}
_CWE = re.compile(r"CWE-(\d+)")


@dataclass(frozen=True, slots=True)
class Rating:
    """One scorer's vector, as the class of each metric."""

    scorer: Scorer
    metrics: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A published record with everything that was later said about it.

    Attributes
    ----------
    ratings
        The primary one first.
    weakness
        CWE number anybody stated, for training the model of the weakness; 0 if none.
    exploitation, automatable, impact
        SSVC decision points; empty if CISA stated none.
    exploited
        Day of its KEV entry.
    """

    cve: str
    published: date
    record: PublishedRecord
    ratings: tuple[Rating, ...]
    weakness: int = 0
    exploitation: str = ""
    automatable: str = ""
    impact: str = ""
    exploited: date | None = None


def read_examples(path: Path) -> list[Example]:
    """Read the table, ordered by day of publication.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path, columns=list(COLUMNS))
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(str(path), "", f"is no table of CVE records: {error}", "name one with --data") from error
    found = [example for row in _rows(table) if (example := _example(row)) is not None]
    return sorted(found, key=lambda example: (example.published, example.cve))


def read_scores(path: Path) -> dict[str, float]:
    """EPSS of one day: CVE id to probability."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=["cve", "epss"]).to_pydict()
    return dict(zip(table["cve"], table["epss"], strict=True))


def _rows(table: Any) -> Iterator[Mapping[str, Any]]:
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()


def _example(row: Mapping[str, Any]) -> Example | None:
    """None for a record without a day of publication: it has no place in a split by time."""
    published = _day(row["published"])
    if published is None:
        return None
    cwe = _CWE.fullmatch(row["cwe"] or "")
    number = int(cwe[1]) if cwe else 0
    stated = (number,) if number and row["cwe_src"] == "cna" else ()
    return Example(
        cve=row["cve"],
        published=published,
        record=PublishedRecord(
            row["description"] or "", row["cna"] or "", row["vendor"] or "", row["product"] or "", stated
        ),
        ratings=tuple(_ratings(row)),
        weakness=number,
        exploitation=row["ssvc_exploitation"] or "",
        automatable=row["ssvc_automatable"] or "",
        impact=row["ssvc_impact"] or "",
        exploited=_day(row["kev_date"]),
    )


def _ratings(row: Mapping[str, Any]) -> Iterator[Rating]:
    scorer = _SCORERS.get(row["cvss3_src"] or "")
    metrics = parse_vector(row["cvss3"] or "")
    if scorer is not None and metrics is not None:
        yield Rating(scorer, metrics)
    beside = parse_vector(row["rh_cvss3"] or "")
    if beside is not None and scorer is not Scorer.RED_HAT:
        yield Rating(Scorer.RED_HAT, beside)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def published_within(examples: Sequence[Example], first: date, end: date) -> list[Example]:
    """Examples published from `first` up to, but not on, `end`."""
    return [example for example in examples if first <= example.published < end]
