"""The CSAF feed: documents of a folder, a file, or a provider on the web."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.feeds.csaf.document import parse_document
from connectors.feeds.csaf.provider import update_from_provider
from connectors.feeds.source import documents, files_cursor, is_url, now
from connectors.http import PoliteSession
from connectors.reading import skipped
from meddojo.advisory import Advisory
from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Skipped

CISA = "https://www.cisa.gov/sites/default/files/csaf/provider-metadata.json"
_OTHER_FILES = ("distributions", "feed", "aggregator")


def build(config: FeedConfig) -> CsafFeed:
    """The feed of the ``[feeds.csaf]`` section; `source` is a folder, a file, or a provider's URL."""
    return CsafFeed(config.source or CISA, PoliteSession(config.network))


@dataclass(frozen=True, slots=True)
class CsafFeed:
    """Yields one `Advisory` a document."""

    source: str
    session: PoliteSession
    name: str = "csaf"

    def update(self, cursor: str | None) -> Iterator[Advisory | Skipped | Checkpoint]:
        """Yield all advisories of a folder or file, or those a provider changed since.

        Raises
        ------
        MeddojoError
            If the source as a whole cannot be read or fetched.
        """
        if is_url(self.source):
            yield from update_from_provider(self.session, self.source, cursor)
            return
        started = files_cursor(now())
        for item in documents(Path(self.source)):
            if isinstance(item, Skipped):
                yield item
            elif not _accompanies(item[1]):
                yield _advisory(*item)
        yield Checkpoint(started)


def _advisory(origin: str, document: Any) -> Advisory | Skipped:
    try:
        return parse_document(document, origin)
    except InputError as error:
        return skipped(error)


def _accompanies(document: Any) -> bool:
    """True for what lies beside the advisories in a mirror of a provider: its metadata and ROLIE feeds."""
    return isinstance(document, dict) and "document" not in document and any(key in document for key in _OTHER_FILES)
