"""CSAF providers on the web (CSAF 2.0, section 7): what changed since, each document checked before it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.feeds.csaf.document import parse_document
from connectors.feeds.csaf.integrity import MAX_SIDECAR_BYTES, fault_of
from connectors.feeds.csaf.links import permitted
from connectors.feeds.csaf.listing import Entry, entries_of
from connectors.feeds.csaf.metadata import Provider, locate
from connectors.feeds.csaf.openpgp import MAX_KEY_BYTES, Key, KeyRing, fingerprint_of, read_keys
from connectors.feeds.csaf.policy import PROVIDER_POLICY, Check, Policy
from connectors.feeds.source import now
from connectors.http import HttpRefusedError, PoliteSession
from connectors.reading import MEBIBYTE, parse_json, skipped, unpack
from meddojo.advisory import Advisory
from meddojo.errors import InputError, MeddojoError, TerminalError, TransientError
from meddojo.interface import Checkpoint, Skipped

MAX_DOCUMENT_BYTES = 64 * MEBIBYTE
SETTLED = timedelta(days=1)
"""A document younger than this is fetched once more: caches may hand out the one before."""
PATIENCE = 3
"""So many documents in a row that cannot be fetched mean that the provider is gone."""

_CHECKPOINT_EVERY = 100
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_CURSOR_MARK = "csaf1 "


@dataclass(slots=True)
class _Progress:
    """Fingerprints of what has been read and of what is listed, and whether the lists are whole."""

    read: set[str]
    listed: set[str] = field(default_factory=set)
    whole: bool = True

    def checkpoint(self, last: bool = False) -> Checkpoint:
        """The cursor of this moment; the last one forgets what no list names any more."""
        kept = self.read & self.listed if last and self.whole else self.read
        return Checkpoint(_CURSOR_MARK + " ".join(sorted(kept)))


def update_from_provider(
    session: PoliteSession, url: str, cursor: str | None, policy: Policy = PROVIDER_POLICY
) -> Iterator[Advisory | Skipped | Checkpoint]:
    """Yield the advisories that `cursor` does not know as read, oldest first, with checkpoints on the way.

    A document that is refused, quarantined or unreadable is skipped now and tried again by the next update. Of
    several providers, one that fails is skipped and the others are read.

    Parameters
    ----------
    url
        A ``provider-metadata.json``, an ``aggregator.json``, a domain (``https://example.com``), a ROLIE feed or a
        single document; the last two name no keys.

    Raises
    ------
    TransientError
        When the provider stops answering; the last checkpoint stands.
    MeddojoError
        When its metadata, its lists or its keys cannot be read.
    """
    settled = now() - SETTLED
    progress = _Progress(_read_before(cursor))
    located = list(locate(session, url))
    missed = [item for item in located if isinstance(item, Skipped)]
    providers = [item for item in located if isinstance(item, Provider)]
    if not providers:
        causes = "; ".join(item.reason for item in missed[:3]) or "it lists none"
        raise InputError(url, "", f"leads to no provider: {causes}", "check the feed's source")
    progress.whole = not missed
    yield from missed
    failures = 0
    for provider in providers:
        try:
            yield from _update(session, provider, policy, progress, settled)
        except MeddojoError as error:
            failures += 1
            if failures == len(providers):
                raise
            progress.whole = False
            yield Skipped(provider.url, error.message)
    yield progress.checkpoint(last=True)


def fetch_keys(session: PoliteSession, provider: Provider, check: Check) -> KeyRing:
    """The keys a provider publishes, each with the fingerprint it is announced by (section 7.1.20).

    Raises
    ------
    MeddojoError
        If signatures are to be verified and there is no key to do so.
    """
    if check is Check.OFF:
        return KeyRing()
    keys: list[Key] = []
    unusable: dict[str, str] = {}
    outage: TransientError | None = None
    for published in provider.keys:
        try:
            data = session.get(permitted(provider.url, published.url), max_bytes=MAX_KEY_BYTES)
            keys += read_keys(data, published.url, published.fingerprint)
        except MeddojoError as error:
            unusable[fingerprint_of(published.fingerprint) or published.url] = error.message
            outage = error if isinstance(error, TransientError) else outage
    if outage and not keys:
        raise outage
    if unusable and not keys:
        raise InputError(provider.url, "", f"none of its OpenPGP keys can be used: {'; '.join(unusable.values())}")
    if not keys and check is Check.REQUIRED:
        role = f" (its role is {provider.role})" if provider.role else ""
        raise InputError(
            provider.url,
            "",
            f"names no OpenPGP key{role}, so that no signature can be verified; if it signs nothing and you trust it "
            'all the same, set options.signature and options.hash to "when-present"',
        )
    return KeyRing(tuple(keys), unusable)


def _update(
    session: PoliteSession, provider: Provider, policy: Policy, progress: _Progress, settled: datetime
) -> Iterator[Advisory | Skipped | Checkpoint]:
    ring = fetch_keys(session, provider, policy.signature)
    listed: dict[str, Entry] = {}
    for item in entries_of(session, provider, policy):
        if isinstance(item, Skipped):
            progress.whole = False
            yield item
        else:
            listed[item.url] = item
    progress.listed |= {entry.fingerprint for entry in listed.values()}
    wanted = sorted((entry for entry in listed.values() if entry.fingerprint not in progress.read), key=_age)
    outages = 0
    for number, entry in enumerate(wanted, 1):
        try:
            advisory = _advisory(session, entry, policy, ring)
            outages = 0
        except TransientError as error:
            outages += 1
            if outages == PATIENCE:
                raise
            advisory = Skipped(entry.url, error.message)
        yield advisory
        if isinstance(advisory, Advisory) and entry.updated is not None and entry.updated < settled:
            progress.read.add(entry.fingerprint)
        if number % max(_CHECKPOINT_EVERY, len(wanted) // 20) == 0 and number < len(wanted):
            yield progress.checkpoint()


def _read_before(cursor: str | None) -> set[str]:
    """Fingerprints in a cursor; none in one of another kind."""
    return set(cursor.removeprefix(_CURSOR_MARK).split()) if cursor and cursor.startswith(_CURSOR_MARK) else set()


def _age(entry: Entry) -> tuple[datetime, str]:
    return entry.updated or _LONG_AGO, entry.url


def _advisory(session: PoliteSession, entry: Entry, policy: Policy, ring: KeyRing) -> Advisory | Skipped:
    try:
        data = session.get(entry.url, max_bytes=MAX_DOCUMENT_BYTES)
        fault = fault_of(
            data, entry.hashes, entry.signature, lambda address: _sidecar(session, address), policy, ring, now()
        )
        if fault:
            return Skipped(entry.url, f"quarantined: {fault}")
        advisory = parse_document(parse_json(unpack(data, entry.url, MAX_DOCUMENT_BYTES), entry.url), entry.url)
    except InputError as error:
        return skipped(error)
    except TerminalError as error:
        return Skipped(entry.url, error.message)
    refusal = policy.refusal(advisory)
    return Skipped(entry.url, refusal) if refusal else advisory


def _sidecar(session: PoliteSession, address: str) -> bytes | None:
    """A file beside a document; None when the server has none."""
    try:
        return session.get(address, max_bytes=MAX_SIDECAR_BYTES)
    except HttpRefusedError:
        return None
