"""One page of the NVD API 2.0: asked for politely, again after a failure, and checked before it is believed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.feeds.nvd.limiter import RequestLimiter
from connectors.http import HttpRefusedError, HttpUnavailableError, PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import MAX_JSON_BYTES, parse_json, unpack
from meddojo.errors import InputError, RemoteError, TransientError

API = "https://services.nvd.nist.gov/rest/json/cves/2.0"
API_KEY_HEADER = "apiKey"

_MAY_PASS = frozenset({403, 408, 425})
"""Refusals a repetition may change; 403 is what NVD says to those who ask too often."""
_HASTE_PAUSE_SECONDS = 30.0
_LONGEST_BACKOFF_SECONDS = 600.0
_LONGEST_OBEYED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Page:
    """An answer.

    Attributes
    ----------
    total
        Records of the whole window, as the server counts them.
    count
        Records in this answer.
    """

    answer: JsonObject
    total: int
    count: int


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server in trouble is tried again.

    Attributes
    ----------
    attempts
        Made in any case, unless the server asks to be left alone for longer than five minutes.
    outage_seconds
        After them it is tried for as long as this.
    """

    attempts: int
    outage_seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def allows(self, attempt: int, waited: float, pause: float) -> bool:
        """Whether to try again after `pause` seconds, with `waited` seconds and `attempt` attempts behind."""
        if waited + pause <= self.outage_seconds:
            return True
        return attempt < self.attempts and pause <= _LONGEST_OBEYED_SECONDS


@dataclass(frozen=True, slots=True)
class NvdApi:
    """The API or a mirror of it."""

    url: str
    session: PoliteSession
    limiter: RequestLimiter
    patience: Patience
    page_size: int

    def page(self, begin: datetime, end: datetime, index: int) -> Page:
        """The records modified from `begin` to `end`, both included, from the `index`-th on.

        Raises
        ------
        TransientError
            When the server stays in trouble, naming the window.
        RemoteError
            When it refuses the request or the API key.
        InputError
            When it keeps answering something that is not what the API documents.
        """
        parameters: dict[str, str | int] = {
            "lastModStartDate": _date(begin),
            "lastModEndDate": _date(end),
            "resultsPerPage": self.page_size,
            "startIndex": index,
        }
        began = self.patience.clock()
        attempt = 0
        while True:
            attempt += 1
            self.limiter.wait()
            try:
                return self._ask(parameters, index)
            except (TransientError, InputError) as error:
                waited, pause = self.patience.clock() - began, _pause(error, attempt)
                if not self.patience.allows(attempt, waited, pause):
                    window = f"records modified from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, from {index:,} on"
                    raise _final(error, window, attempt, waited) from None
            self.patience.sleep(pause)

    def _ask(self, parameters: Mapping[str, str | int], index: int) -> Page:
        try:
            # One attempt at a time: the limiter has to see them all.
            response = self.session.send("GET", self.url, attempts=1, max_bytes=MAX_JSON_BYTES, params=dict(parameters))
        except HttpRefusedError as error:
            raise _refusal(self.url, error) from None
        answer = JsonObject.of(parse_json(unpack(response.body, self.url, MAX_JSON_BYTES), self.url), self.url)
        return _checked(answer, index)


def _refusal(url: str, error: HttpRefusedError) -> RemoteError | HttpUnavailableError:
    """NVD says why in a header, and answers 404 to a wrong key."""
    reason = error.response.headers.get("message", "")[:200]
    if "apikey" in reason.lower():
        return RemoteError(f"{url} does not know the API key", "check feeds.nvd.api_key")
    said = f"{url} answered HTTP {error.status} ({reason or error.response.excerpt(120)})"
    if error.status in _MAY_PASS or error.status >= 500:
        text = error.response.headers.get("Retry-After", "").strip()
        wait = float(text) if text.isascii() and text.isdigit() else 0.0
        hint = "NVD limits how often one may ask: set feeds.nvd.api_key, or let the next run try again"
        return HttpUnavailableError(said, hint if error.status == 403 else "", error.status, wait)
    return RemoteError(said, "the request will not succeed as it is; check feeds.nvd.source")


def _checked(answer: JsonObject, index: int) -> Page:
    """The answer, if its counts agree with each other."""
    total, records = answer.number("totalResults"), answer.value.get("vulnerabilities")
    if total is None or not isinstance(records, list):
        raise InputError(
            answer.origin, "", "the answer has no totalResults or vulnerabilities", "check feeds.nvd.source"
        )
    count = len(records)
    start, stated = answer.number("startIndex"), answer.number("resultsPerPage")
    ends_early = not records and index < total
    if ends_early or (records and index + count > total) or start not in (None, index) or (stated or count) < count:
        raise TransientError(f"{answer.origin} sent {count:,} records from {index:,} on of {total:,.0f}: they disagree")
    return Page(answer, int(total), count)


def _pause(error: TransientError | InputError, attempt: int) -> float:
    """Seconds to leave the server alone."""
    asked = error.retry_after if isinstance(error, HttpUnavailableError) else 0.0
    if asked:
        return asked
    if isinstance(error, HttpUnavailableError) and error.status == 403:
        return _HASTE_PAUSE_SECONDS
    # Jitter, so that many clients of a recovering server do not return at once.
    return random.uniform(0.5, 1.0) * min(_LONGEST_BACKOFF_SECONDS, 2.0 ** min(attempt, 16))  # noqa: S311


def _final(
    error: TransientError | InputError, window: str, attempts: int, waited: float
) -> TransientError | InputError:
    tried = f"tried {attempts} time(s) in {waited / 60:.0f} minutes"
    if isinstance(error, InputError):
        where = f"{window}: {error.position}" if error.position else window
        return InputError(error.origin, where, f"{error.cause} ({tried})", error.hint)
    hint = error.hint or "NVD is in trouble"
    return TransientError(
        f"{error.message}; {window}; {tried}",
        f"{hint}. The next run goes on there; feeds.nvd.options.max_outage_minutes waits longer",
    )


def _date(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
