"""The feed: a TAXII 2.1 server from where the last update ended, or STIX bundles read whole each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.feeds.source import documents, files_cursor, is_url, now, web_cursor
from connectors.feeds.taxii.options import TaxiiOptions, authorization, read_options
from connectors.feeds.taxii.server import collections, pages
from connectors.feeds.taxii.stix import parse_object
from connectors.http import PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import skipped
from meddojo.config import FeedConfig
from meddojo.errors import ConfigError, InputError, RemoteError
from meddojo.interface import Checkpoint, Skipped
from meddojo.threat import Threat, ThreatRelation

Item = Threat | ThreatRelation | Skipped | Checkpoint


def build(config: FeedConfig) -> TaxiiFeed:
    """The feed of a section of type ``taxii``; `source` is a server, a bundle or a folder of bundles.

    Raises
    ------
    ConfigError
        If it has no source, or an option is wrong.
    """
    if not config.source:
        raise ConfigError("feeds.taxii names no source", "give the address of a TAXII server, or the path of a bundle")
    options = read_options(config.options)
    headers = authorization(config.options, config.api_key.get_secret_value())
    return TaxiiFeed(config.source, PoliteSession(config.network, headers), options)


@dataclass(frozen=True, slots=True)
class TaxiiFeed:
    """Yields `Threat` and `ThreatRelation`, with a checkpoint a page."""

    source: str
    session: PoliteSession
    options: TaxiiOptions
    name: str = "taxii"

    def update(self, cursor: str | None) -> Iterator[Item]:
        """Yield the objects added since `cursor`, which holds the server's own ``X-TAXII-Date-Added-Last``.

        Raises
        ------
        MeddojoError
            If the server or the bundle cannot be read; pages read before stay read.
        """
        if is_url(self.source):
            yield from self._from_server(web_cursor(cursor))
            return
        started = now()
        for document in documents(Path(self.source)):
            if isinstance(document, Skipped):
                yield document
            else:
                yield from parse_objects(JsonObject.of(document[1], document[0]))
        yield Checkpoint(files_cursor(started))

    def _from_server(self, cursor: str | None) -> Iterator[Item]:
        reached = _reached(cursor)
        refused: list[RemoteError] = []
        for collection in collections(self.source, self.session, self.options.collections):
            if isinstance(collection, Skipped):
                yield collection
                continue
            try:
                for page in pages(collection, reached.get(collection.url, ""), self.options.page_size):
                    yield from parse_objects(page.envelope)
                    if page.resume > reached.get(collection.url, ""):
                        reached[collection.url] = page.resume
                    yield Checkpoint(json.dumps(reached, sort_keys=True))
            except RemoteError as error:
                # One that is refused must not keep those behind it from being read.
                refused.append(error)
        if refused:
            raise refused[0]


def parse_objects(container: JsonObject) -> Iterator[Threat | ThreatRelation | Skipped]:
    """Read the objects of a STIX bundle or a TAXII envelope; a bad one is skipped.

    Raises
    ------
    InputError
        If it has none where they belong: a bundle without a list of objects is none.
    """
    if container.value.get("type") != "bundle" and container.value and not container.value.keys() & {"objects", "more"}:
        raise InputError(container.origin, container.pointer, "neither a STIX bundle nor a TAXII envelope", "check it")
    for item in container.entries("objects"):
        if isinstance(item, Skipped):
            yield item
            continue
        try:
            parsed = parse_object(item)
        except InputError as error:
            yield skipped(error)
        else:
            if parsed is not None:
                yield parsed


def _reached(cursor: str | None) -> dict[str, str]:
    """Collection -> ``added_after``. What another kind of feed left behind counts as nothing."""
    try:
        held = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in held.items()} if isinstance(held, dict) else {}
