"""Providers, their ``provider-metadata.json``, and how both are found (CSAF 2.0, sections 7.1.7 to 7.1.10 and 7.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.feeds.csaf.links import load, permitted
from connectors.feeds.source import fetch
from connectors.http import PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import decode_text, skipped
from meddojo.errors import InputError, MeddojoError, TransientError
from meddojo.interface import Skipped

_WELL_KNOWN = "/.well-known/csaf/provider-metadata.json"
_SECURITY_TXT = ("/.well-known/security.txt", "/security.txt")
_DNS_PREFIX = "csaf.data.security."
_MAX_SECURITY_TXT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key as it is announced; the fingerprint may be missing."""

    url: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RolieFeed:
    """A ROLIE feed and its TLP label; None for one that was configured by its own address."""

    url: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a publisher keeps documents and keys.

    Attributes
    ----------
    url
        Where this was read: the ``provider-metadata.json``, or the feed or document that was configured instead.
    role
        ``csaf_publisher``, ``csaf_provider`` or ``csaf_trusted_provider``; only the last one promises hashes and
        signatures.
    """

    url: str
    role: str = ""
    keys: tuple[PublishedKey, ...] = ()
    feeds: tuple[RolieFeed, ...] = ()
    directories: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()


def locate(session: PoliteSession, source: str) -> Iterator[Provider | Skipped]:
    """Find the providers behind an address.

    Parameters
    ----------
    source
        A ``provider-metadata.json``, an ``aggregator.json``, a ROLIE feed, a document, or a domain:
        ``https://example.com``.

    Yields
    ------
    Provider or Skipped
        Skipped only for providers that an aggregator lists and that do not answer.

    Raises
    ------
    MeddojoError
        If there is no provider.
    """
    if not urlsplit(source).path.strip("/"):
        yield from _discover(session, source)
        return
    root = load(session, source)
    if "aggregator" in root.value or "csaf_providers" in root.value:
        yield from _aggregated(session, root)
    else:
        yield _read_provider(root)


def _read_provider(root: JsonObject) -> Provider:
    url = root.origin
    if "feed" in root.value:
        return Provider(url, feeds=(RolieFeed(url),))
    if "document" in root.value:
        return Provider(url, documents=(url,))
    distributions = list(root.objects("distributions"))
    if not distributions:
        raise InputError(url, "/distributions", "names neither a ROLIE feed nor a directory", "check the feed's source")
    keys = [*root.objects("public_openpgp_keys"), *root.objects("pgp_keys")]  # drafts of CSAF 2.0 said pgp_keys
    return Provider(
        url,
        role=root.text("role"),
        keys=tuple(PublishedKey(key.required_text("url").strip(), key.text("fingerprint")) for key in keys),
        feeds=tuple(
            RolieFeed(feed.required_text("url").strip(), feed.text("tlp_label"))
            for item in distributions
            for feed in item.object("rolie").objects("feeds")
        ),
        directories=tuple(filter(None, (item.text("directory_url").strip() for item in distributions))),
    )


def _aggregated(session: PoliteSession, root: JsonObject) -> Iterator[Provider | Skipped]:
    """Each issuing party of an aggregator or lister (section 7.1.21), from itself or else from a mirror.

    A mere publisher has no metadata of its own; there the mirrors come first.
    """
    for kind in ("csaf_providers", "csaf_publishers"):
        for entry in root.entries(kind):
            if isinstance(entry, Skipped):
                yield entry
                continue
            try:
                own = entry.object("metadata").text("url").strip()
                mirrors = [_metadata_below(mirror.strip()) for mirror in entry.texts("mirrors")]
            except InputError as error:
                yield skipped(error)
            else:
                addresses = [own, *mirrors] if kind == "csaf_providers" else [*mirrors, own]
                yield _first_answering(session, root.origin, addresses)


def _first_answering(session: PoliteSession, home: str, addresses: list[str]) -> Provider | Skipped:
    causes = []
    for address in filter(None, addresses):
        try:
            return _read_provider(load(session, permitted(home, address)))
        except MeddojoError as error:
            causes.append(error.message)
    return Skipped(next(filter(None, addresses), home), "; ".join(causes) or "the aggregator gives no address")


def _metadata_below(mirror: str) -> str:
    return mirror if mirror.endswith(".json") or not mirror else mirror.rstrip("/") + "/provider-metadata.json"


def _discover(session: PoliteSession, source: str) -> Iterator[Provider]:
    """The providers of a domain, from the first of the places of section 7.3.1 that has one."""
    problems: list[MeddojoError] = []
    for addresses in _places(session, source, problems):
        found = []
        for address in addresses:
            try:
                found.append(_read_provider(load(session, permitted(source, address))))
            except MeddojoError as error:
                problems.append(error)
        if found:
            yield from found
            return
    causes = "; ".join(dict.fromkeys(problem.message for problem in problems))
    if any(isinstance(problem, TransientError) for problem in problems):
        raise TransientError(f"{source} shows no CSAF provider: {causes}", "the next run tries again")
    raise InputError(source, "", f"shows no CSAF provider: {causes}", "configure the provider-metadata.json itself")


def _places(session: PoliteSession, source: str, problems: list[MeddojoError]) -> Iterator[Iterable[str]]:
    parts = urlsplit(source)
    home = f"{parts.scheme}://{parts.netloc}"
    yield [home + _WELL_KNOWN]
    yield _announced(session, home, problems)
    domain = (parts.hostname or "").removeprefix("www.")
    yield [home if domain.startswith(_DNS_PREFIX) else f"https://{_DNS_PREFIX}{domain}"]


def _announced(session: PoliteSession, home: str, problems: list[MeddojoError]) -> list[str]:
    """The ``CSAF`` fields of the security.txt (section 7.1.8; RFC 9116)."""
    for path in _SECURITY_TXT:
        url = home + path
        try:
            lines = decode_text(fetch(session, url, _MAX_SECURITY_TXT_BYTES), url).splitlines()
        except MeddojoError as error:
            problems.append(error)
            continue
        fields = [line.partition(":") for line in lines]
        return [value.strip() for name, _, value in fields if name.strip().lower() == "csaf" and value.strip()]
    return []
