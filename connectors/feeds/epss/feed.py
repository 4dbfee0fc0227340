"""EPSS: a CSV of one day, with the day in its first line, read whole each time.

Layout: ``#model_version:...,score_date:2024-09-01T00:00:00+0000``, a header, then ``cve,epss,percentile``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from connectors.feeds.source import is_url, now, stamp
from connectors.http import PoliteSession
from connectors.reading import MEBIBYTE, read_bytes, split_lines
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Skipped
from meddojo.vulnerability import CVE_PATTERN, EpssScore

CURRENT_SCORES = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
MAX_BYTES = 512 * MEBIBYTE

_COLUMNS = b"cve,epss,percentile"
_SCORE_DATE = re.compile(rb"score_date:\s*([0-9]{4}-[0-9]{2}-[0-9]{2})")
_MODEL = re.compile(rb"model_version:\s*([A-Za-z0-9._-]{1,40})")
_DATE_IN_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DIGEST = " sha256:"


def build(config: FeedConfig) -> EpssFeed:
    """The feed of the ``[feeds.epss]`` section; `source` is a file or URL."""
    return EpssFeed(config.source or CURRENT_SCORES, PoliteSession(config.network))


@dataclass(frozen=True, slots=True)
class EpssFeed:
    """Yields one `EpssScore` a row."""

    source: str
    session: PoliteSession
    name: str = "epss"

    def update(self, cursor: str | None) -> Iterator[EpssScore | Skipped | Checkpoint]:
        """Yield the scores of the day; none if they are those of the last update.

        Raises
        ------
        MeddojoError
            If the file cannot be fetched, is damaged, or is no EPSS table.
        """
        started = stamp(now())
        if is_url(self.source):
            data = self.session.get(self.source, max_bytes=MAX_BYTES)
            name = urlsplit(self.source).path
        else:
            data = read_bytes(Path(self.source), MAX_BYTES)
            name = Path(self.source).name
        digest = f"{_DIGEST}{hashlib.sha256(data).hexdigest()}"
        if not (cursor or "").endswith(digest):
            lines = split_lines(data, self.source, MAX_BYTES)
            yield from parse_rows(lines, self.source, _day(_DATE_IN_NAME.search(name)))
        yield Checkpoint(f"{started}{digest}")


def parse_rows(
    lines: Iterable[tuple[str, bytes] | Skipped], origin: str, day: date | None = None
) -> Iterator[EpssScore | Skipped]:
    """Read an EPSS table.

    Parameters
    ----------
    lines
        As `connectors.reading.read_lines` yields them.
    day
        The day of the scores, unless a comment line names it.

    Raises
    ------
    InputError
        If there is no header, no row, or no day.
    """
    rows = iter(lines)
    day, model = _preamble(rows, origin, day)
    empty = True
    for line in rows:
        if isinstance(line, Skipped):
            yield line
            continue
        empty = False
        yield _row(*line, day, model)
    if empty:
        raise InputError(origin, "", "no scores below the header", "fetch the file again")


def _preamble(rows: Iterator[tuple[str, bytes] | Skipped], origin: str, day: date | None) -> tuple[date, str]:
    """Read up to the header; the day of the scores, and the model that gave them."""
    model = ""
    for line in rows:
        data = b"" if isinstance(line, Skipped) else line[1].removeprefix(_BYTE_ORDER_MARK).strip()
        if data.startswith(b"#"):
            day = _day(_SCORE_DATE.search(data)) or day
            named = _MODEL.search(data)
            model = named[1].decode() if named else model
            continue
        if data.replace(b" ", b"").lower() != _COLUMNS:
            break
        if day is None:
            raise InputError(origin, "", "no score_date in a comment line", "keep the file as it was published")
        return day, model
    raise InputError(origin, "", "no header cve,epss,percentile", "is this an EPSS table?")


def _row(origin: str, data: bytes, day: date, model: str) -> EpssScore | Skipped:
    try:
        cve, probability, percentile = data.decode("ascii").split(",")
        score = EpssScore(cve.strip(), float(probability), float(percentile), day, model)
    except (ValueError, UnicodeDecodeError):
        return Skipped(origin, "not a row of CVE id, probability and percentile")
    if not CVE_PATTERN.fullmatch(score.cve):
        return Skipped(origin, f"{score.cve[:40]!r} is not a CVE id")
    if not (0.0 <= score.probability <= 1.0 and 0.0 <= score.percentile <= 1.0):
        return Skipped(origin, f"{score.cve}: probability and percentile must lie between 0 and 1")
    return score


def _day(found: re.Match[bytes] | re.Match[str] | None) -> date | None:
    if found is None:
        return None
    text = found[found.lastindex or 0]
    try:
        return date.fromisoformat(text.decode() if isinstance(text, bytes) else text)
    except ValueError:
        return None
