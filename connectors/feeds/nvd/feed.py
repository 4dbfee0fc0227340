"""The NVD feed: answers of the API 2.0 from files, or live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.feeds.nvd.live import API, API_KEY_HEADER, KEYED_PAUSE, KEYLESS_PAUSE, update_live
from connectors.feeds.nvd.record import parse_cve
from connectors.feeds.source import documents, files_cursor, is_url, now, web_cursor
from connectors.http import PoliteSession
from connectors.reading import JsonObject, skipped
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Skipped
from meddojo.vulnerability import Vulnerability


def build(config: FeedConfig) -> NvdFeed:
    """The feed of the ``[feeds.nvd]`` section; `source` is a folder, a file, or the URL of the API or a mirror."""
    key = config.api_key.get_secret_value()
    session = PoliteSession(config.network, {API_KEY_HEADER: key} if key else None)
    return NvdFeed(config.source or API, session, KEYED_PAUSE if key else KEYLESS_PAUSE)


@dataclass(frozen=True, slots=True)
class NvdFeed:
    """Yields one `Vulnerability` a record.

    Attributes
    ----------
    pause_seconds
        Between two pages, as NVD asks for.
    """

    source: str
    session: PoliteSession
    pause_seconds: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], datetime] = now
    name: str = "nvd"

    def update(self, cursor: str | None) -> Iterator[Vulnerability | Skipped | Checkpoint]:
        """Yield all records of a folder or file, or those NVD modified since `cursor`.

        Raises
        ------
        MeddojoError
            If the source as a whole cannot be read or fetched; the last checkpoint stands.
        """
        if is_url(self.source):
            pages = update_live(self.session, self.source, web_cursor(cursor), self.clock(), self._wait)
            for page in pages:
                if isinstance(page, Checkpoint):
                    yield page
                else:
                    yield from _records(page.value, page.origin)
            return
        started = files_cursor(self.clock())
        for item in documents(Path(self.source)):
            if isinstance(item, Skipped):
                yield item
            else:
                yield from _records(item[1], item[0])
        yield Checkpoint(started)

    def _wait(self, seconds: float = 0.0) -> None:
        self.sleep(seconds or self.pause_seconds)


def _records(document: Any, origin: str) -> Iterator[Vulnerability | Skipped]:
    """The records of an API answer, of a line ``{"cve": ...}``, or a bare record."""
    try:
        root = JsonObject.of(document, origin)
        entries = root.entries("vulnerabilities") if "vulnerabilities" in root.value else iter((root,))
        for entry in entries:
            yield _record(entry)
    except InputError as error:
        yield skipped(error)


def _record(entry: JsonObject | Skipped) -> Vulnerability | Skipped:
    if isinstance(entry, Skipped):
        return entry
    try:
        return parse_cve(entry.object("cve") if "cve" in entry.value else entry)
    except InputError as error:
        return skipped(error)
