"""Bulk synchronisation with the NVD API 2.0.

Source: NVD, "Vulnerability APIs" (pages of 2,000, windows of at most 120 days, both ends of a window required) and
"Best practices" (6 seconds between requests; with an API key ten times as many are allowed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from connectors.feeds.source import fetch, parse_stamp, stamp
from connectors.http import HttpRefusedError, PoliteSession
from connectors.reading import JsonObject, parse_json
from meddojo.errors import InputError, RemoteError, TransientError
from meddojo.interface import Checkpoint

API = "https://services.nvd.nist.gov/rest/json/cves/2.0"
API_KEY_HEADER = "apiKey"
KEYLESS_PAUSE = 6.0
KEYED_PAUSE = 0.6

PAGE_SIZE = 2000
LONGEST_WINDOW = timedelta(days=120)
OVERLAP = timedelta(hours=2)
"""A record may become visible some time after its modification date, so this much is asked for again."""

_REFUSALS = 3
_REFUSED_PAUSE = 30.0
_INDEX_MARK = " startIndex="
"""In the cursor of a first synchronisation that is not finished."""

Wait = Callable[..., None]


def update_live(
    session: PoliteSession, url: str, cursor: str | None, started: datetime, wait: Wait
) -> Iterator[JsonObject | Checkpoint]:
    """Yield the pages of everything modified since `cursor`, and a `Checkpoint` after each window.

    Without a cursor everything is fetched, with a checkpoint after each page.

    Parameters
    ----------
    started
        The clock before the first request; it becomes the next cursor.
    wait
        Called between two requests; with a number of seconds after a refusal.

    Raises
    ------
    TransientError
        When NVD does not answer; the last checkpoint stands.
    RemoteError
        When it refuses the request or the API key.
    InputError
        When an answer is not what the API documents.
    """
    if cursor is None or _INDEX_MARK in cursor:
        yield from _everything(session, url, cursor, started, wait)
        return
    begin = parse_stamp(cursor) - OVERLAP
    first = True
    while begin < started:
        end = min(begin + LONGEST_WINDOW, started)
        window = {"lastModStartDate": _date(begin), "lastModEndDate": _date(end)}
        for page, _ in _pages(session, url, window, wait, first=first):
            yield page
        first = False
        yield Checkpoint(stamp(end))
        begin = end
    if first:
        yield Checkpoint(stamp(started))


def _everything(
    session: PoliteSession, url: str, cursor: str | None, started: datetime, wait: Wait
) -> Iterator[JsonObject | Checkpoint]:
    """The first synchronisation; records are added at the end, so an interrupted one goes on where it stopped."""
    since, _, index = (cursor or f"{stamp(started)}{_INDEX_MARK}0").partition(_INDEX_MARK)
    begun = stamp(parse_stamp(since))
    for page, following in _pages(session, url, {}, wait, index=int(index) if index.isdecimal() else 0):
        yield page
        if following:
            yield Checkpoint(f"{begun}{_INDEX_MARK}{following}")
    yield Checkpoint(begun)


def _pages(
    session: PoliteSession, url: str, query: Mapping[str, str], wait: Wait, *, index: int = 0, first: bool = True
) -> Iterator[tuple[JsonObject, int]]:
    """Pages with the index of the following one, which is 0 after the last."""
    while True:
        if not first:
            wait()
        first = False
        page = _page(session, url, {**query, "resultsPerPage": PAGE_SIZE, "startIndex": index}, wait)
        total = page.number("totalResults")
        records = page.value.get("vulnerabilities")
        if total is None or not isinstance(records, list):
            raise InputError(url, "", "the answer has no totalResults or vulnerabilities", "check the feed's source")
        index += len(records)
        if not records and index < total:
            raise TransientError(f"{url} sent {index} of {total:.0f} records", "the next run tries again")
        yield page, index if index < total else 0
        if index >= total:
            return


def _page(session: PoliteSession, url: str, parameters: Mapping[str, str | int], wait: Wait) -> JsonObject:
    """One answer; NVD says 403 to those who ask too often, and names a wrong API key in a header."""
    for _ in range(_REFUSALS):
        try:
            return JsonObject.of(parse_json(fetch(session, url, parameters=parameters), url), url)
        except HttpRefusedError as error:
            message = error.response.headers.get("message", "")
            if "apikey" in message.lower():
                raise RemoteError(f"{url} does not know the API key", "check feeds.nvd.api_key") from None
            if error.status != 403:
                raise
        wait(_REFUSED_PAUSE)
    raise TransientError(
        f"{url} answered HTTP 403, tried {_REFUSALS} times",
        "NVD limits how often one may ask; set feeds.nvd.api_key, or let the next run try again",
    )


def _date(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
