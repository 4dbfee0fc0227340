"""What a provider has: entries of ROLIE feeds and directories (CSAF 2.0, sections 7.1.11 to 7.1.15)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from connectors.feeds.csaf.integrity import HASHES, strongest_first
from connectors.feeds.csaf.links import below, joined, load, permitted
from connectors.feeds.csaf.metadata import Provider
from connectors.feeds.csaf.policy import Label, Policy
from connectors.feeds.source import fetch
from connectors.http import PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import decode_text, parse_instant, skipped
from meddojo.errors import InputError, RemoteError, TerminalError
from meddojo.interface import Skipped


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the provider.

    Attributes
    ----------
    updated
        When it was last changed; None when the provider does not say.
    hashes, signature
        Addresses of the files beside it, the strongest hash first.
    """

    url: str
    updated: datetime | None
    hashes: tuple[str, ...]
    signature: str

    @property
    def fingerprint(self) -> str:
        """Eight characters for this state of this document.

        The cursor is made of them. Unlike a time it also tells late what appears late: CISA has published
        documents years after the release date they carry.
        """
        digest = hashlib.sha256(f"{self.url} {self.updated}".encode("utf-8", "replace")).digest()
        return base64.urlsafe_b64encode(digest[:6]).decode()


def entries_of(session: PoliteSession, provider: Provider, policy: Policy) -> Iterator[Entry | Skipped]:
    """Every document of a provider; ROLIE feeds are preferred to directories, which list the same.

    A feed or directory that cannot be read is skipped, if there is another.

    Raises
    ------
    MeddojoError
        If there is nothing to read.
    """
    for url in provider.documents:
        yield _entry(url, None)
    feeds = [feed.url for feed in provider.feeds if feed.label is None or Label.parse(feed.label) in policy.tlp]
    places = [(feed, True) for feed in feeds] or [(directory, False) for directory in provider.directories]
    if not places and not provider.documents:
        labels = ", ".join(sorted({str(feed.label) for feed in provider.feeds}))
        raise InputError(
            provider.url, "/distributions", f"has only feeds labelled TLP:{labels}", "see options.tlp of this feed"
        )
    failures: list[Skipped] = []
    for address, is_feed in places:
        try:
            permitted(provider.url, address)
            listed = _rolie_entries(load(session, address), provider.url) if is_feed else _directory(session, address)
            yield from listed
        except TerminalError as error:
            if len(failures) + 1 == len(places):
                raise
            failures.append(Skipped(address, error.message))
            yield failures[-1]


def _entry(url: str, updated: datetime | None, hashes: tuple[str, ...] = (), signature: str = "") -> Entry:
    """An entry whose files beside it are called as the standard has it, unless they are listed."""
    return Entry(url, updated, hashes or tuple(url + extension for extension in HASHES), signature or f"{url}.asc")


def _rolie_entries(root: JsonObject, provider: str) -> Iterator[Entry | Skipped]:
    """Entries of a ROLIE feed (RFC 8322; section 7.1.15)."""
    for entry in root.object("feed").entries("entry"):
        if isinstance(entry, Skipped):
            yield entry
            continue
        try:
            links = [(link.text("rel"), joined(root.origin, link.text("href"))) for link in entry.objects("link")]
            own = next((target for relation, target in links if relation == "self"), "")
            url = joined(root.origin, entry.object("content").text("src")) or own
            hashes = strongest_first(target for relation, target in links if relation == "hash")
            signature = next((target for relation, target in links if relation == "signature"), "")
            found = _entry(url, entry.instant("updated"), hashes, signature)
            for address in (found.url, *found.hashes, found.signature):
                permitted(provider, address)
            yield found
        except InputError as error:
            yield skipped(error)


def _directory(session: PoliteSession, directory: str) -> Iterator[Entry | Skipped]:
    """Documents of a directory-based distribution (sections 7.1.12 and 7.1.13)."""
    base = directory.rstrip("/") + "/"
    changed = dict(_changes(session, base))
    index = base + "index.txt"
    names = decode_text(fetch(session, index), index).splitlines()
    for name in dict.fromkeys([*(name.strip() for name in names), *changed]):
        if not name.lower().endswith(".json"):
            continue
        url = below(base, name)
        yield _entry(url, changed.get(name)) if url else Skipped(index, f"{name[:80]!r} lies outside the directory")


def _changes(session: PoliteSession, base: str) -> Iterator[tuple[str, datetime | None]]:
    """``changes.csv``: path and time of each document; a provider without one is read whole."""
    address = base + "changes.csv"
    try:
        text = decode_text(fetch(session, address), address)
    except RemoteError:
        return
    try:
        for row in csv.reader(io.StringIO(text)):
            if len(row) >= 2:
                yield row[0].strip(), parse_instant(row[1])
    except csv.Error as error:
        raise InputError(address, "", f"not a table: {error}", "report it to the publisher") from None
