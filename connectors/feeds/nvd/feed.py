"""The NVD feed: answers of the API 2.0 from files, or live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.feeds.nvd.api import API, API_KEY_HEADER, NvdApi, Patience
from connectors.feeds.nvd.limiter import RequestLimiter
from connectors.feeds.nvd.live import update_live
from connectors.feeds.nvd.options import read_options
from connectors.feeds.nvd.record import parse_cve
from connectors.feeds.source import documents, files_cursor, is_url, now, web_cursor
from connectors.http import PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import collector_paused, skipped
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Skipped
from meddojo.vulnerability import Vulnerability


def build(config: FeedConfig) -> NvdFeed:
    """The feed of the ``[feeds.nvd]`` section; `source` is a folder, a file, or the URL of the API or a mirror.

    Raises
    ------
    ConfigError
        On an unknown option, naming the nearest one.
    """
    key = config.api_key.get_secret_value()
    options = read_options(config.options, bool(key))
    api = NvdApi(
        config.source or API,
        PoliteSession(config.network, {API_KEY_HEADER: key} if key else None),
        RequestLimiter(options.requests_per_30_seconds),
        Patience(config.network.attempts, options.max_outage_minutes * 60),
        options.page_size,
    )
    return NvdFeed(api.url, api, timedelta(hours=options.overlap_hours))


@dataclass(frozen=True, slots=True)
class NvdFeed:
    """Yields one `Vulnerability` a record.

    Attributes
    ----------
    overlap
        How much before the cursor is asked for again.
    """

    source: str
    api: NvdApi
    overlap: timedelta
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
            for page in update_live(self.api, web_cursor(cursor), self.clock(), self.overlap):
                if isinstance(page, Checkpoint):
                    yield page
                else:
                    with collector_paused():
                        records = list(_records(page.value, page.origin))
                    yield from records
            return
        started = files_cursor(self.clock())
        for item in documents(Path(self.source)):
            if isinstance(item, Skipped):
                yield item
            else:
                yield from _records(item[1], item[0])
        yield Checkpoint(started)


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
