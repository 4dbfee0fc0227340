"""OSV records of a folder, an archive or a file, read whole each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.feeds.osv.record import parse_record
from connectors.feeds.source import documents, files_cursor, is_url, now
from connectors.reading import skipped
from meddojo.config import FeedConfig
from meddojo.errors import ConfigError, InputError
from meddojo.interface import Checkpoint, Skipped
from meddojo.vulnerability import Vulnerability


def build(config: FeedConfig) -> OsvFeed:
    """The feed of an ``[feeds.osv]`` section; `source` is a folder, a ``.zip`` as osv.dev exports it, or a file.

    Raises
    ------
    ConfigError
        If no source is named, or an address on the web.
    """
    if not config.source or is_url(config.source):
        raise ConfigError(
            "the feed osv reads files", "name a folder, a .zip or a .json file with [feeds.osv] source = …"
        )
    return OsvFeed(Path(config.source))


@dataclass(frozen=True, slots=True)
class OsvFeed:
    """Yields a `Vulnerability` a record; one whose advisory stands for several CVEs gives one for each."""

    source: Path
    name: str = "osv"

    def update(self, cursor: str | None) -> Iterator[Vulnerability | Skipped | Checkpoint]:
        """Yield every record; one that was withdrawn comes as rejected, so that it replaces what was known.

        Raises
        ------
        MeddojoError
            If nothing can be read.
        """
        started = files_cursor(now())
        for item in documents(self.source):
            if isinstance(item, Skipped):
                yield item
            else:
                yield from _records(*item)
        yield Checkpoint(started)


def _records(origin: str, document: Any) -> Iterator[Vulnerability | Skipped]:
    try:
        yield from parse_record(document, origin)
    except InputError as error:
        yield skipped(error)
