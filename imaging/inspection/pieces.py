"""The pieces of a model's folder, one by one: its files, and what is packed inside them; nothing is written or run.

Everything is bounded: files, bytes, members of archives, and how deep archives lie in each other. What lies beyond a
bound is not passed over in silence: it comes as `Unread`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from imaging.networks.seal import files_below

MAX_FILE_BYTES = 512 * 2**20
MAX_UNPACKED_BYTES = 1024 * 2**20
"""Of one file with all that is packed in it."""
MAX_MEMBERS = 20_000
MAX_DEPTH = 4
"""Archives within archives."""
_DAMAGE = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error, lzma.LZMAError,
    zipfile.BadZipFile, tarfile.TarError,
)  # fmt: skip
"""What unpacking damaged or encrypted data raises."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or something that is packed in one.

    Attributes
    ----------
    file
        Path below the model's folder.
    inside
        Path within the archive; empty for the file itself.
    """

    file: str
    inside: str
    content: bytes

    @property
    def name(self) -> str:
        """Of the innermost file, in small letters."""
        return (self.inside or self.file).rpartition("/")[2].lower()

    def at(self, position: str = "") -> str:
        """A position within the piece, as a position within the file."""
        return ": ".join(filter(None, (f"member {self.inside}" if self.inside else "", position)))


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link that leaves the folder."""

    file: str
    target: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Something nobody looked at, and why."""

    file: str
    reason: str


Found = Piece | Link | Unread


@dataclass(slots=True)
class _Budget:
    """What may still be unpacked out of one file."""

    members: int = MAX_MEMBERS
    bytes: int = MAX_UNPACKED_BYTES


def pieces(folder: Path) -> Iterator[Found]:
    """Every file below a folder, and everything packed in it, in order.

    Raises
    ------
    InputError
        If it is no folder, or holds too many files.
    """
    root = folder.resolve()
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            target = path.resolve()
            if not target.is_relative_to(root):
                yield Link(name, str(path.readlink())[:200])
            continue
        try:
            content = _read(path)
        except (OSError, ValueError) as error:
            yield Unread(name, f"cannot be read: {getattr(error, 'strerror', None) or error}")
            continue
        if len(content) > MAX_FILE_BYTES:
            yield Unread(name, f"is larger than {MAX_FILE_BYTES // 2**20} MiB; only its beginning was looked at")
            yield Piece(name, "", content[: 2**20])
            continue
        yield from _unpacked(Piece(name, "", content), 0, _Budget())


def is_packed(content: bytes) -> bool:
    """Whether something else is packed in it, which comes as pieces of its own."""
    return _opener(content) is not None


def _opener(content: bytes) -> Callable[[bytes], _Members] | None:
    return next((opened for fits, opened in _ARCHIVES if fits(content)), None)


def _read(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("is no plain file")
        return file.read(MAX_FILE_BYTES + 1)


def _unpacked(piece: Piece, depth: int, budget: _Budget) -> Iterator[Found]:
    yield piece
    opener = _opener(piece.content)
    if opener is None:
        return
    if depth == MAX_DEPTH:
        yield Unread(piece.file, f"{piece.at()}: archives lie deeper than {MAX_DEPTH} in each other")
        return
    try:
        for name, stream, checksum in opener(piece.content):
            budget.members -= 1
            inside = f"{piece.inside}/{name}" if piece.inside else name
            content, problem = _bounded(stream, budget.bytes)
            budget.bytes -= len(content)
            if not problem and checksum is not None and zlib.crc32(content) != checksum:
                problem = "its CRC does not hold, so it is damaged or encrypted"
            if problem and (content or not _may_be_chance(piece)):
                yield Unread(piece.file, f"member {inside[:200]}: {problem}")
            yield from _unpacked(Piece(piece.file, inside[:500], content), depth + 1, budget)
            if budget.members < 0 or budget.bytes <= 0:
                yield Unread(piece.file, "unpacks to too much; the rest was not looked at")
                return
    except _DAMAGE as error:
        if not _may_be_chance(piece):
            yield Unread(piece.file, f"{piece.at('cannot be unpacked')}: {str(error)[:200]}")


def _bounded(stream: Callable[[], IO[bytes]], most: int) -> tuple[bytes, str]:
    """What a stream gives until it ends, fails or exceeds `most`; and what went wrong."""
    content = bytearray()
    try:
        with stream() as handle:
            while part := handle.read(min(2**20, most - len(content))):
                content += part
                if len(content) >= most:
                    return bytes(content), "is too large; the rest was not looked at"
    except _DAMAGE as error:
        # What came before the damage is looked at: some loaders do not check as strictly.
        return bytes(content), f"cannot be unpacked: {str(error)[:200]}"
    return bytes(content), ""


_Members = Iterator[tuple[str, Callable[[], IO[bytes]], int | None]]
"""Name of a member, how it is opened, and its CRC-32 if it has one."""


def _zip(content: bytes) -> _Members:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                # Other loaders care neither about the checksum nor about the mark of encryption: both are set aside
                # so that what they would load is looked at.
                checksum = member.CRC
                del member.CRC
                member.flag_bits &= ~1
                yield member.filename, lambda each=member: archive.open(each), checksum  # type: ignore[misc]


def _tar(content: bytes) -> _Members:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        for member in archive:
            if member.isfile():
                yield member.name, lambda each=member: archive.extractfile(each) or io.BytesIO(), None  # type: ignore[misc]


def _single(opened: Callable[[IO[bytes]], Any]) -> Callable[[bytes], _Members]:
    def members(content: bytes) -> _Members:
        yield "content", lambda: opened(io.BytesIO(content)), None

    return members


class _Inflated(io.RawIOBase):
    """A zlib stream, as joblib writes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._inflater = file, zlib.decompressobj()

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        while not self._inflater.eof:
            given = self._inflater.unconsumed_tail or self._file.read(2**16)
            if not given:
                return b""
            if part := self._inflater.decompress(given, size):
                return part
        return b""


def _is_zip(content: bytes) -> bool:
    # Also with something before it: who opens it as an archive does not mind.
    return content.startswith(b"PK\x03\x04") or zipfile.is_zipfile(io.BytesIO(content))


def _is_zlib(content: bytes) -> bool:
    return content[:1] == b"\x78" and len(content) > 2 and int.from_bytes(content[:2]) % 31 == 0


_ARCHIVES: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], _Members]], ...] = (
    (_is_zip, _zip),
    (lambda content: content[257:262] == b"ustar", _tar),
    (lambda content: content.startswith(b"\x1f\x8b"), _single(lambda file: gzip.GzipFile(fileobj=file))),
    (lambda content: content.startswith(b"BZh"), _single(bz2.BZ2File)),
    (lambda content: content.startswith((b"\xfd7zXZ\0", b"\x5d\0\0")), _single(lzma.LZMAFile)),
    (_is_zlib, _single(_Inflated)),
)


def _may_be_chance(piece: Piece) -> bool:
    """Whether bytes that look like the beginning or end of an archive may well be those of something else."""
    return not piece.content.startswith((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"))
