"""The file that carries feeds into a network without internet.

A plain tar archive (POSIX ustar): ``manifest.json``, its detached signature ``manifest.json.asc`` if it is signed, and
one ``FEED/KIND.jsonl.zst`` for each kind of record, in the order of the manifest. The members are compressed, not the
archive, so that signature and checksums are verified before anything is unpacked; ``tar`` and ``zstdcat`` read it, too.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard
from pydantic import TypeAdapter, ValidationError

from connectors.unpacking import MEBIBYTE, zstd_chunks
from meddojo.errors import InputError

FORMAT = "meddojo-bundle"
VERSION = 1
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.asc"

MAX_FILE_BYTES = 16 * 1024 * MEBIBYTE
MAX_UNPACKED_BYTES = 64 * 1024 * MEBIBYTE
MAX_MANIFEST_BYTES = 4 * MEBIBYTE
MAX_SIGNATURE_BYTES = MEBIBYTE // 16
MAX_LINE_BYTES = 32 * MEBIBYTE
MAX_MEMBERS = 2000

_BLOCK = 512
_LEVEL = 9
_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,99}/[a-z_]{1,40}\.jsonl\.zst", re.ASCII)
_AGAIN = "copy it again from where it was made"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of records.

    Attributes
    ----------
    records, bytes
        Lines, and octets of them unpacked.
    packed_bytes, sha256
        Of the member as it is in the archive.
    """

    name: str
    kind: str
    records: int
    bytes: int
    packed_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BundledFeed:
    """A feed, how it stood when the bundle was made, and its members."""

    name: str
    cursor: str | None
    last_attempt: datetime | None
    last_success: datetime | None
    members: tuple[Member, ...]
    problem: str = ""
    skipped: int = 0
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a bundle."""

    created: datetime
    meddojo: str
    feeds: tuple[BundledFeed, ...]
    format: str = FORMAT
    version: int = VERSION

    @property
    def members(self) -> tuple[Member, ...]:
        """Every member, in the order of the archive."""
        return tuple(member for feed in self.feeds for member in feed.members)


_manifests = TypeAdapter(Manifest)


def member_name(feed: str, kind: str) -> str:
    """Where the records of a feed are in the archive.

    Raises
    ------
    InputError
        If the feed has a name that is no file name everywhere.
    """
    name = f"{feed}/{kind}.jsonl.zst"
    if not _NAME.fullmatch(name):
        raise InputError(
            f"feed {feed!r}", "", "cannot be part of a bundle", "name it with letters, digits, dot, hyphen, underscore"
        )
    return name


def pack(lines: Iterable[str], name: str, kind: str, target: Path) -> Member:
    """Compress lines into a file: the same lines always give the same octets."""
    packed, records, size = hashlib.sha256(), 0, 0
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()
    with target.open("wb") as handle:

        def put(data: bytes) -> None:
            packed.update(data)
            handle.write(data)

        for line in lines:
            data = line.encode() + b"\n"
            records, size = records + 1, size + len(data)
            put(compressor.compress(data))
        put(compressor.flush())
        return Member(name, kind, records, size, handle.tell(), packed.hexdigest())


def manifest_text(manifest: Manifest) -> bytes:
    """The manifest as it is written and signed."""
    plain = _manifests.dump_python(manifest, mode="json")
    return (json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write_bundle(target: Path, text: bytes, signature: bytes | None, members: Iterable[tuple[Member, Path]]) -> None:
    """Write the archive beside its place, and move it there when it is complete."""
    partial = target.with_name(f".{target.name}.partial")
    with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in ((MANIFEST, text), (SIGNATURE, signature)):
            if data is not None:
                archive.addfile(_entry(name, len(data)), io.BytesIO(data))
        for member, path in members:
            with path.open("rb") as handle:
                archive.addfile(_entry(member.name, member.packed_bytes), handle)
    partial.replace(target)


@dataclass(frozen=True, slots=True)
class Bundle:
    """An open bundle whose outline is sound; what it holds is to be verified.

    Attributes
    ----------
    text
        The manifest, octet by octet as it was signed.
    signature
        None if there is none.
    places
        Where each member begins in the archive.
    """

    origin: str
    manifest: Manifest
    text: bytes
    signature: bytes | None
    places: Mapping[str, int]
    handle: BinaryIO

    def verify(self, member: Member) -> None:
        """Compare a member with its checksum.

        Raises
        ------
        InputError
            If it is another than the manifest says.
        """
        window = self._window(member)
        while window.read(MEBIBYTE):
            pass
        self._compare(member, window)

    def lines(self, member: Member) -> Iterator[str]:
        """The records of a member. Its checksum is compared once more: the file may have changed since `verify`.

        Raises
        ------
        InputError
            If it is damaged, or holds more or less than the manifest says.
        """
        window, rest, records, size = self._window(member), b"", 0, 0
        try:
            for chunk in zstd_chunks(cast(BinaryIO, window)):
                size += len(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                if size > member.bytes or len(rest) > MAX_LINE_BYTES:
                    raise self._wrong(member, "is larger than the manifest says, or one line of it is too long")
                records += len(lines)
                yield from (line.decode() for line in lines)
        except (zstandard.ZstdError, EOFError, UnicodeDecodeError) as error:
            raise self._wrong(member, f"is damaged: {error}") from None
        self._compare(member, window)
        if rest or records != member.records or size != member.bytes:
            raise self._wrong(member, f"has {records:,} records, the manifest says {member.records:,}")

    def _window(self, member: Member) -> _Window:
        return _Window(self.handle, self.places[member.name], member.packed_bytes)

    def _compare(self, member: Member, window: _Window) -> None:
        if window.left or window.digest.hexdigest() != member.sha256:
            raise self._wrong(member, "is not what the manifest says: its SHA-256 differs")

    def _wrong(self, member: Member, cause: str) -> InputError:
        return InputError(self.origin, member.name, cause, f"nothing of it was stored; {_AGAIN}")


class _Window(io.RawIOBase):
    """Part of a file, and the digest of what was read of it."""

    def __init__(self, handle: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        handle.seek(start)
        self._handle = handle
        self.left = size
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self.left if size is None or size < 0 else min(size, self.left)
        data = self._handle.read(wanted)
        self.left -= len(data)
        self.digest.update(data)
        return data


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a bundle and check its outline: format, version, names and sizes.

    Raises
    ------
    InputError
        If it is no bundle, of a newer format, truncated, too large, or holds anything its manifest does not name.
    """
    origin = str(path)
    try:
        handle = path.open("rb")
        total = path.stat().st_size
    except OSError as error:
        raise InputError(origin, "", error.strerror or str(error), "check the path and its permissions") from None
    with handle:
        if total > MAX_FILE_BYTES:
            raise InputError(origin, "", f"larger than {MAX_FILE_BYTES // MEBIBYTE:,} MiB", _AGAIN)
        places = _places(handle, origin, total)
        text = _small(handle, places, MANIFEST, MAX_MANIFEST_BYTES, origin)
        if text is None:
            raise InputError(
                origin, "", f"holds no {MANIFEST}: it is no bundle", "make one with: meddojo bundle export"
            )
        manifest = _manifest(text, f"{origin}: {MANIFEST}")
        _check_outline(manifest, places, origin)
        signature = _small(handle, places, SIGNATURE, MAX_SIGNATURE_BYTES, origin)
        starts = {name: start for name, (start, _) in places.items()}
        yield Bundle(origin, manifest, text, signature, starts, handle)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    """The same for everybody who makes it: no owner, no time."""
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _places(handle: BinaryIO, origin: str, total: int) -> dict[str, tuple[int, int]]:
    """Name -> where its data begins and how long it is; a bundle holds plain files and nothing else."""
    places: dict[str, tuple[int, int]] = {}
    position = 0
    while True:
        handle.seek(position)
        header = handle.read(_BLOCK)
        if header == bytes(_BLOCK):
            return places
        try:
            if len(header) < _BLOCK:
                raise InputError(origin, f"octet {position}", "the file ends too early", _AGAIN)
            entry = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError):
            raise InputError(origin, f"octet {position}", "not a bundle, or a damaged one", _AGAIN) from None
        known = entry.name in (MANIFEST, SIGNATURE) or _NAME.fullmatch(entry.name)
        if entry.type != tarfile.REGTYPE or not known or entry.name in places or len(places) > MAX_MEMBERS:
            raise InputError(
                origin, f"octet {position}", f"holds {entry.name[:100]!r}, which no bundle holds", "do not trust it"
            )
        position += _BLOCK
        if entry.size < 0 or position + entry.size > total:
            raise InputError(origin, entry.name, "the file ends too early", _AGAIN)
        places[entry.name] = (position, entry.size)
        position += -(-entry.size // _BLOCK) * _BLOCK


def _small(
    handle: BinaryIO, places: Mapping[str, tuple[int, int]], name: str, max_bytes: int, origin: str
) -> bytes | None:
    if name not in places:
        return None
    start, size = places[name]
    if size > max_bytes:
        raise InputError(origin, name, f"larger than {max_bytes:,} octets", "do not trust it")
    handle.seek(start)
    return handle.read(size)


def _manifest(text: bytes, origin: str) -> Manifest:
    try:
        plain: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(origin, "", "is no JSON", _AGAIN) from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise InputError(origin, "/format", f"is not {FORMAT!r}", "make a bundle with: meddojo bundle export")
    version = plain.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise InputError(
            origin, "/version", f"is {version}, this MedDojo reads {VERSION}", "update MedDojo on this machine first"
        )
    try:
        manifest = _manifests.validate_python(plain)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InputError(origin, "/".join(["", *map(str, first["loc"])]), first["msg"], _AGAIN) from None
    stamps = [manifest.created, *(stamp for feed in manifest.feeds for stamp in (feed.last_attempt, feed.last_success))]
    if any(stamp is not None and stamp.tzinfo is None for stamp in stamps):
        raise InputError(origin, "", "holds a time without its zone", _AGAIN)
    return manifest


def _check_outline(manifest: Manifest, places: Mapping[str, tuple[int, int]], origin: str) -> None:
    """What is in the archive is what the manifest names, with the sizes it says."""
    for feed in manifest.feeds:
        member_name(feed.name, "any")
        for member in feed.members:
            if member.name != member_name(feed.name, member.kind):
                raise InputError(origin, MANIFEST, f"calls a member {member.name[:100]!r}", "do not trust it")
            if places.get(member.name, (0, -1))[1] != member.packed_bytes:
                raise InputError(origin, member.name, "is missing, or has another size than the manifest says", _AGAIN)
    names = [member.name for member in manifest.members]
    strangers = set(places) - {MANIFEST, SIGNATURE} - set(names)
    if strangers or len(set(names)) != len(names):
        raise InputError(
            origin, "", "holds files that its manifest does not name, or names one twice", "do not trust it"
        )
    if min((member.bytes for member in manifest.members), default=0) < 0 or (
        sum(member.bytes for member in manifest.members) > MAX_UNPACKED_BYTES
    ):
        raise InputError(origin, MANIFEST, f"says more than {MAX_UNPACKED_BYTES // MEBIBYTE:,} MiB", "do not trust it")
