"""Bulk synchronisation with the NVD API 2.0, first and incremental: window after window of modification dates.

Source: NVD, "Vulnerability APIs" (pages of 2,000; windows of at most 120 days, both ends required) and "Best
practices" (synchronise by modification date).

A cursor is either the time up to which everything is here, or a place within a window (`Window.cursor`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connectors.feeds.nvd.api import NvdApi
from connectors.feeds.source import parse_stamp, stamp
from connectors.json_object import JsonObject
from meddojo.errors import TransientError
from meddojo.interface import Checkpoint

LONGEST_WINDOW = timedelta(days=120)
EARLIEST = datetime(1988, 10, 1, tzinfo=UTC)
"""When the oldest record was published; none was modified before."""

_SHORTEST_SPLIT = timedelta(minutes=1)
_MOST_PAGES = 20
"""A larger window is split: the longer it takes to read, the likelier it changes meanwhile."""
_READINGS = 5
_CURSOR = re.compile(r"(\S{1,40})/(\S{1,40}) startIndex=(\d{1,9}) totalResults=(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """Records modified from `begin` to `end`, both included, and how far they are read.

    Attributes
    ----------
    index
        Of the record to read next.
    total
        What the server counted when reading began; None before.
    readings
        How often it was begun again because the records shifted.
    """

    begin: datetime
    end: datetime
    index: int = 0
    total: int | None = None
    readings: int = 0

    @property
    def cursor(self) -> str:
        """The window and the place within it, as a cursor."""
        return f"{stamp(self.begin)}/{stamp(self.end)} startIndex={self.index} totalResults={self.total}"

    @property
    def divisible(self) -> bool:
        """Whether two halves make sense."""
        return self.end - self.begin > _SHORTEST_SPLIT

    def halves(self) -> tuple[Window, Window]:
        """The earlier and the later half, unread."""
        middle = (self.begin + (self.end - self.begin) / 2).replace(microsecond=0)
        return Window(self.begin, middle), Window(middle, self.end)


def update_live(
    api: NvdApi, cursor: str | None, started: datetime, overlap: timedelta
) -> Iterator[JsonObject | Checkpoint]:
    """Yield the pages of everything modified since `cursor`, and a `Checkpoint` after each.

    A window without records moves the cursor only together with a later one that has some: asking for it again costs
    one request, while an empty answer may be an error of the server.

    Parameters
    ----------
    started
        The clock before the first request; where the next synchronisation begins.
    overlap
        How much before `cursor` is asked for again.

    Raises
    ------
    TransientError
        When NVD does not answer, naming the window; the last checkpoint stands.
    RemoteError
        When it refuses the request or the API key.
    InputError
        When an answer is not what the API documents.
    ConfigError
        If the cursor comes from elsewhere.
    """
    pending = deque(planned(cursor, started, overlap))
    while pending:
        window = pending.popleft()
        instead = yield from _read(api, window)
        pending.extendleft(reversed(instead))


def planned(cursor: str | None, started: datetime, overlap: timedelta) -> Iterator[Window]:
    """The windows between `cursor` (less `overlap`) and `started`, without a gap, none longer than 120 days."""
    place = _CURSOR.fullmatch(cursor or "")
    begin = EARLIEST
    if place:
        unfinished = Window(parse_stamp(place[1]), parse_stamp(place[2]), int(place[3]), int(place[4]))
        yield unfinished
        begin = min(unfinished.end, started) - overlap
    elif cursor:
        begin = min(parse_stamp(cursor), started) - overlap
    begin, last = begin.replace(microsecond=0), started.replace(microsecond=0)
    while begin < last:
        end = min(begin + LONGEST_WINDOW, last)
        yield Window(begin, end)
        begin = end


def _read(api: NvdApi, window: Window) -> Generator[JsonObject | Checkpoint, None, tuple[Window, ...]]:
    """Yield the rest of a window; return what has to be read instead if its records shift under the reading.

    A record that is modified meanwhile leaves the window, and all behind it move up by one: the one that crosses the
    boundary of a page would be lost.
    """
    while True:
        page = api.page(window.begin, window.end, window.index)
        if window.total is not None and page.total != window.total:
            return _afresh(window, page.total)
        if window.total is None and page.total > _MOST_PAGES * api.page_size and window.divisible:
            return window.halves()
        window = replace(window, index=window.index + page.count, total=page.total)
        yield page.answer
        if window.index >= page.total:
            if page.total:
                yield Checkpoint(stamp(window.end))
            return ()
        yield Checkpoint(window.cursor)


def _afresh(window: Window, total: int) -> tuple[Window, ...]:
    if window.divisible:
        return window.halves()
    if window.readings >= _READINGS:
        raise TransientError(
            f"the number of records modified from {stamp(window.begin)} to {stamp(window.end)} "
            f"keeps changing while they are read ({window.total:,}, now {total:,})",
            "the next run reads them again",
        )
    return (Window(window.begin, window.end, readings=window.readings + 1),)
