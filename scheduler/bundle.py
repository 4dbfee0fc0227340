"""Feeds out of a store into a bundle, and out of a bundle into a store."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analyzers.matching.index import INDEX_VERSION
from connectors.bundle import (
    Bundle,
    BundledFeed,
    Manifest,
    Member,
    manifest_text,
    member_name,
    open_bundle,
    pack,
    write_bundle,
)
from meddojo import __version__
from meddojo.errors import ConfigError, InputError
from meddojo.signature import sign, verify
from meddojo.store import Store
from meddojo.store.transfer import KINDS, FeedState
from scheduler.console import Console
from scheduler.intake import record_keys

_CLOCK_TOLERANCE = timedelta(hours=1)


def export_bundle(
    store: Store, target: Path, key_file: Path | None, console: Console, now: datetime | None = None
) -> Manifest:
    """Write all feeds of the store into one file; the same store gives the same members, octet by octet.

    Raises
    ------
    ConfigError
        If the store holds no feed, the key cannot sign, or the file cannot be written.
    TransientError
        If a run is under way.
    """
    with store.lock("run"):
        states = store.transfer.feeds()
        if not states:
            raise ConfigError("the store holds no feed", "read some first: meddojo pull")
        try:
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".bundle-") as folder:
                manifest, paths = _pack_all(store, states, Path(folder), console, now or datetime.now(UTC))
                text = manifest_text(manifest)
                signature = sign(text, key_file) if key_file else None
                write_bundle(target, text, signature, zip(manifest.members, paths, strict=True))
        except OSError as error:
            raise ConfigError(
                f"{target}: {error.strerror}", "check the folder, its permissions and its space"
            ) from None
    console.say(
        f"{target}: {len(manifest.feeds)} feeds, {sum(member.records for member in manifest.members):,} records, "
        f"{target.stat().st_size / 1e6:,.1f} MB, {'signed' if signature else 'not signed'}"
    )
    if not signature:
        console.warn("whoever carries an unsigned bundle can change it; make a key with: meddojo bundle keygen")
    return manifest


def import_bundle(
    store: Store,
    source: Path,
    trusted_keys: Sequence[Path],
    console: Console,
    *,
    allow_unsigned: bool = False,
    allow_older: bool = False,
    now: datetime | None = None,
) -> Manifest:
    """Verify signature and every checksum of a bundle, then take in its feeds, one transaction each.

    Raises
    ------
    InputError
        If the bundle is not what its signature and checksums say, or older than what the store has.
    ConfigError
        If there is nothing to verify it with.
    TransientError
        If a run is under way.
    """
    with store.lock("run"), open_bundle(source) as bundle:
        moment = now or datetime.now(UTC)
        _check_signature(bundle, trusted_keys, allow_unsigned, console, moment)
        _check_age(bundle, store, allow_older, moment)
        with console.track("verifying", len(bundle.manifest.members)) as advance:
            for member in bundle.manifest.members:
                bundle.verify(member)
                advance(member.name)
        store.records.reindex(INDEX_VERSION, record_keys)
        for feed in bundle.manifest.feeds:
            members = ((member.kind, bundle.lines(member)) for member in feed.members)
            changed = store.transfer.restore(_state(feed), members, record_keys)
            total = sum(member.records for member in feed.members)
            read = f"{feed.last_success:%Y-%m-%d %H:%M} UTC" if feed.last_success else "never completely"
            console.say(f"{feed.name}: {total:,} records, {changed:,} new or changed; read {read}")
    return bundle.manifest


def _pack_all(
    store: Store, states: Sequence[FeedState], folder: Path, console: Console, now: datetime
) -> tuple[Manifest, list[Path]]:
    feeds: list[BundledFeed] = []
    paths: list[Path] = []
    with console.track("packing", len(states)) as advance:
        for state in states:
            members: list[Member] = []
            for kind in store.transfer.kinds_of(state.name):
                paths.append(folder / str(len(paths)))
                name = member_name(state.name, kind)
                members.append(pack(store.transfer.lines(state.name, kind), name, kind, paths[-1]))
            feeds.append(BundledFeed(members=tuple(members), **asdict(state)))
            advance(state.name)
    return Manifest(now.replace(microsecond=0), __version__, tuple(feeds)), paths


def _state(feed: BundledFeed) -> FeedState:
    return FeedState(
        feed.name, feed.cursor, feed.last_attempt, feed.last_success, feed.problem, feed.skipped, feed.notes
    )


def _check_signature(
    bundle: Bundle, trusted_keys: Sequence[Path], allow_unsigned: bool, console: Console, now: datetime
) -> None:
    if bundle.signature is not None and trusted_keys:
        fingerprint = verify(bundle.text, bundle.signature, trusted_keys, bundle.origin, now)
        console.say(f"signed with the key {fingerprint} at {bundle.manifest.created:%Y-%m-%d %H:%M} UTC")
    elif allow_unsigned:
        console.warn(f"{bundle.origin}: nobody's signature was verified (--allow-unsigned)")
    elif bundle.signature is None:
        raise InputError(
            bundle.origin, "", "is not signed", "sign it with `bundle export --key`, or import with --allow-unsigned"
        )
    else:
        raise ConfigError(
            f"{bundle.origin} is signed, and no key was named to verify it with",
            "name the .pub file of those who made it with --trusted-key",
        )


def _check_age(bundle: Bundle, store: Store, allow_older: bool, now: datetime) -> None:
    """A bundle of last year, validly signed as it is, must not undo last night's."""
    manifest = bundle.manifest
    unknown = [member.kind for member in manifest.members if member.kind not in KINDS]
    if unknown:
        raise InputError(bundle.origin, "", f"holds records of the unknown kind {unknown[0]!r}", "update MedDojo here")
    stamps = [manifest.created, *(feed.last_success for feed in manifest.feeds if feed.last_success)]
    if max(stamps) > now + _CLOCK_TOLERANCE:
        raise InputError(
            bundle.origin,
            "",
            f"was made at {max(stamps):%Y-%m-%d %H:%M} UTC, which is still to come",
            "set the clock of this machine, or of the one that made it",
        )
    if allow_older:
        return
    known = {state.name: state.last_success for state in store.transfer.feeds()}
    for feed in manifest.feeds:
        present = known.get(feed.name)
        if present and (feed.last_success is None or feed.last_success < present):
            read = f"{feed.last_success:%Y-%m-%d %H:%M} UTC" if feed.last_success else "never"
            raise InputError(
                bundle.origin,
                "",
                f"is older than the store: its feed {feed.name} was read {read}, the store's at "
                f"{present:%Y-%m-%d %H:%M} UTC",
                "bring a newer bundle, or import this one with --allow-older",
            )
