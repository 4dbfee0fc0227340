"""A CSAF provider on the web (OASIS CSAF 2.0, section 7.1): its metadata, ROLIE feeds or directories, its documents."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urljoin, urlsplit

from connectors.feeds.csaf.document import parse_document
from connectors.feeds.source import fetch, now
from connectors.http import PoliteSession
from connectors.reading import MEBIBYTE, JsonObject, decode_text, parse_instant, parse_json, skipped
from meddojo.advisory import Advisory
from meddojo.errors import InputError, RemoteError, TerminalError
from meddojo.interface import Checkpoint, Skipped

MAX_DOCUMENT_BYTES = 64 * MEBIBYTE
SETTLED = timedelta(days=1)
"""A document younger than this is fetched once more: caches may hand out the one before."""

_CHECKPOINT_EVERY = 100
_OPEN_LABELS = ("", "WHITE", "CLEAR", "UNLABELED")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_CURSOR_MARK = "csaf1 "


@dataclass(frozen=True, slots=True)
class Entry:
    """A document of the provider, and when it was last changed; None when the provider does not say."""

    url: str
    updated: datetime | None

    @property
    def fingerprint(self) -> str:
        """Eight characters for this state of this document.

        The cursor is made of them. Unlike a time it also tells late what appears late: CISA has published
        documents years after the release date they carry.
        """
        digest = hashlib.sha256(f"{self.url} {self.updated}".encode("utf-8", "replace")).digest()
        return base64.urlsafe_b64encode(digest[:6]).decode()


def update_from_provider(
    session: PoliteSession, url: str, cursor: str | None
) -> Iterator[Advisory | Skipped | Checkpoint]:
    """Yield the advisories that `cursor` does not know as read, oldest first, with checkpoints on the way.

    A document that is refused or unreadable is skipped now and tried again by the next update.

    Parameters
    ----------
    url
        A ``provider-metadata.json``, a ROLIE feed or a single document.

    Raises
    ------
    TransientError
        When the provider stops answering; the last checkpoint stands.
    MeddojoError
        When its metadata or its lists cannot be read.
    """
    settled = now() - SETTLED
    listed: dict[str, Entry] = {}
    for item in _entries(session, url):
        if isinstance(item, Skipped):
            yield item
        else:
            listed[item.url] = item
    read = _read_before(cursor) & {entry.fingerprint for entry in listed.values()}
    wanted = sorted((entry for entry in listed.values() if entry.fingerprint not in read), key=_age)
    for number, entry in enumerate(wanted, 1):
        advisory = _advisory(session, entry.url)
        yield advisory
        if isinstance(advisory, Advisory) and entry.updated is not None and entry.updated < settled:
            read.add(entry.fingerprint)
        if number % max(_CHECKPOINT_EVERY, len(wanted) // 20) == 0 and number < len(wanted):
            yield _checkpoint(read)
    yield _checkpoint(read)


def _read_before(cursor: str | None) -> set[str]:
    """Fingerprints in a cursor; none in one of another kind."""
    return set(cursor.removeprefix(_CURSOR_MARK).split()) if cursor and cursor.startswith(_CURSOR_MARK) else set()


def _checkpoint(read: set[str]) -> Checkpoint:
    return Checkpoint(_CURSOR_MARK + " ".join(sorted(read)))


def _age(entry: Entry) -> tuple[datetime, str]:
    return entry.updated or _LONG_AGO, entry.url


def _advisory(session: PoliteSession, url: str) -> Advisory | Skipped:
    try:
        return parse_document(parse_json(fetch(session, url, MAX_DOCUMENT_BYTES), url), url)
    except InputError as error:
        return skipped(error)
    except TerminalError as error:
        return Skipped(url, error.message)


def _entries(session: PoliteSession, url: str) -> Iterator[Entry | Skipped]:
    """Every document of the provider; ROLIE feeds are preferred to directories, which list the same."""
    root = JsonObject.of(parse_json(fetch(session, url), url), url)
    if "feed" in root.value:
        yield from _rolie_entries(root, url)
        return
    if "document" in root.value:
        yield Entry(url, None)
        return
    distributions = list(root.objects("distributions"))
    feeds = [feed for item in distributions for feed in item.object("rolie").objects("feeds")]
    feed_urls = [feed.required_text("url") for feed in feeds if feed.text("tlp_label").upper() in _OPEN_LABELS]
    directories = [item.text("directory_url") for item in distributions if item.text("directory_url")]
    if not feed_urls and not directories:
        raise InputError(url, "/distributions", "names no open ROLIE feed and no directory", "check the feed's source")
    for address in feed_urls:
        _permitted(url, address)
        feed = JsonObject.of(parse_json(fetch(session, address), address), address)
        yield from _rolie_entries(feed, url)
    for directory in () if feed_urls else directories:
        _permitted(url, directory)
        yield from _directory_entries(session, directory)


def _rolie_entries(root: JsonObject, provider: str) -> Iterator[Entry | Skipped]:
    """Entries of a ROLIE feed (RFC 8322; CSAF 2.0, section 7.1.15)."""
    for entry in root.object("feed").entries("entry"):
        if isinstance(entry, Skipped):
            yield entry
            continue
        try:
            links = {link.text("rel"): link.text("href") for link in entry.objects("link")}
            address = entry.object("content").text("src") or links.get("self", "")
            url = _joined(root.origin, address)
            _permitted(provider, url)
            yield Entry(url, entry.instant("updated"))
        except InputError as error:
            yield skipped(error)


def _directory_entries(session: PoliteSession, directory: str) -> Iterator[Entry | Skipped]:
    """Documents of a directory-based distribution (sections 7.1.12 and 7.1.13)."""
    base = directory.rstrip("/") + "/"
    changed = dict(_changes(session, base))
    index = base + "index.txt"
    names = decode_text(fetch(session, index), index).splitlines()
    for name in dict.fromkeys([*(name.strip() for name in names), *changed]):
        if not name.lower().endswith(".json"):
            continue
        url = _below(base, name)
        if url:
            yield Entry(url, changed.get(name))
        else:
            yield Skipped(index, f"{name[:80]!r} lies outside the directory")


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


def _below(base: str, name: str) -> str:
    """The URL of a path in an index; empty unless it stays below the index."""
    parts = unquote(name).replace("\\", "/").split("/")
    if ".." in parts or ":" in parts[0] or not parts[0]:
        return ""
    url = _joined(base, name)
    return url if url.startswith(base) else ""


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address) if address else ""
    except ValueError:
        return ""


def _permitted(provider: str, url: str) -> None:
    """Allow https wherever it leads, and plain http only on the provider's own host."""
    try:
        target, home = urlsplit(url), urlsplit(provider)
        plausible = bool(target.hostname) and target.port != 0
    except ValueError:
        plausible = False
    if not plausible or (target.scheme != "https" and (target.scheme, target.netloc) != (home.scheme, home.netloc)):
        raise InputError(provider, "", f"links to {url[:120]!r}, which is not fetched", "only https links are followed")
