"""Decompression of untrusted data, piece by piece, so that a small file cannot fill the memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import zstandard

from meddojo.errors import InputError

MEBIBYTE = 2**20

_CHUNK = 64 * 1024
_ZSTD_STEP = 1024  # a zstd block of 4 bytes may stand for 128 KiB, so one step yields at most 32 MiB
_ZSTD_WINDOW = 128 * MEBIBYTE
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def file_chunks(path: Path, max_bytes: int) -> Iterator[bytes]:
    """Content of a file in pieces of bounded size, decompressed if it begins as gzip or Zstandard does.

    Raises
    ------
    InputError
        If the file is missing, unreadable, larger than `max_bytes` (packed or unpacked), truncated or damaged.
    """
    with _errors_named(str(path)), path.open("rb") as handle:
        if path.stat().st_size > max_bytes:
            raise _too_large(str(path), max_bytes)
        yield from _chunks(handle, str(path), max_bytes)


def data_chunks(data: bytes, origin: str, max_bytes: int) -> Iterator[bytes]:
    """Like `file_chunks`, of data that is already here."""
    with _errors_named(origin):
        yield from _chunks(io.BufferedReader(io.BytesIO(data)), origin, max_bytes)


def _chunks(handle: io.BufferedReader, origin: str, max_bytes: int) -> Iterator[bytes]:
    """Decompressed content in pieces of bounded size, `max_bytes` in all."""
    magic = handle.peek(4)[:4]
    if magic.startswith(_GZIP_MAGIC):
        pieces = _gzip_chunks(handle)
    elif magic == _ZSTD_MAGIC:
        pieces = zstd_chunks(handle)
    else:
        pieces = iter(lambda: handle.read(_CHUNK), b"")
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > max_bytes:
            raise _too_large(origin, max_bytes)
        yield piece


def _gzip_chunks(handle: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=handle) as stream:
        yield from iter(lambda: stream.read(_CHUNK), b"")


def zstd_chunks(handle: BinaryIO) -> Iterator[bytes]:
    """The frames of a Zstandard file (RFC 8878), one after another."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = decompressor.decompressobj()
    begun = False
    while data := handle.read(_ZSTD_STEP):
        while data:
            begun = True
            yield frame.decompress(data)
            if not frame.eof:
                break
            data = frame.unused_data
            frame = decompressor.decompressobj()
            begun = False
    if begun:
        raise EOFError


@contextmanager
def _errors_named(origin: str) -> Iterator[None]:
    """Turn what the operating system and the decompressors raise into an `InputError`."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(origin, "", "no such file", "check the path") from None
    except EOFError:
        raise InputError(origin, "", "the compressed data ends too early", "copy or fetch the file again") from None
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise InputError(origin, "", f"damaged compressed data: {error}", "copy or fetch the file again") from None
    except OSError as error:
        raise InputError(origin, "", error.strerror or str(error), "check the path and its permissions") from None


def _too_large(origin: str, max_bytes: int) -> InputError:
    limit = f"{max_bytes // MEBIBYTE} MiB" if max_bytes >= MEBIBYTE else f"{max_bytes} bytes"
    return InputError(origin, "", f"larger than {limit} when unpacked", "split the file, or check where it came from")
