"""Safe reading of untrusted files: size and depth caps, strict text, and errors that name file, position and cause.

Whatever is in a file, these functions return a value or raise `meddojo.errors.InputError`, within bounded memory.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from pydantic_core import from_json

from connectors.unpacking import MEBIBYTE as MEBIBYTE
from connectors.unpacking import data_chunks, file_chunks
from meddojo.errors import InputError
from meddojo.interface import Skipped

MAX_BYTES = 512 * MEBIBYTE
"""Largest file taken into memory, compressed or decompressed."""
MAX_JSON_BYTES = 256 * MEBIBYTE
"""Largest single JSON document."""
MAX_STREAM_BYTES = 8192 * MEBIBYTE
"""Largest file read line by line."""
MAX_LINE_BYTES = 64 * MEBIBYTE
"""Longest line of a ``.jsonl`` or ``.csv`` file."""
MAX_DEPTH = 200
"""Deepest nesting of a JSON document."""

_UNSTORABLE_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a file, decompressing gzip and Zstandard, which are recognised by their first bytes.

    Parameters
    ----------
    max_bytes
        Cap on the size, compressed and decompressed.

    Raises
    ------
    InputError
        If the file is missing, unreadable, too large, truncated or damaged.
    """
    return b"".join(file_chunks(path, max_bytes))


def unpack(data: bytes, origin: str, max_bytes: int = MAX_BYTES) -> bytes:
    """Decompress gzip or Zstandard data, recognised by its first bytes; other data comes back as it is.

    Raises
    ------
    InputError
        If it is larger than `max_bytes`, truncated or damaged.
    """
    return b"".join(data_chunks(data, origin, max_bytes))


def decode_text(data: bytes, origin: str) -> str:
    """Decode UTF-8, or UTF-16 that begins with a byte order mark; nothing is guessed.

    Raises
    ------
    InputError
        On bytes that are not in that encoding and on NUL characters, naming the offset.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        # utf-8-sig counts from behind the mark
        offset = error.start + (len(data) - len(error.object))
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
        raise InputError(origin, f"byte {offset}", f"not {name} text", "save the file as UTF-8") from None
    nul = text.find("\0")
    if nul >= 0:
        unit = "byte" if encoding == "utf-8-sig" else "character"
        offset = data.index(b"\0") if encoding == "utf-8-sig" else nul
        raise InputError(
            origin, f"{unit} {offset}", "a NUL byte in a text", "the file is damaged, binary, or not UTF-8"
        )
    return text


def parse_json(data: bytes, origin: str) -> Any:
    """Parse one JSON document (RFC 8259; no NaN or Infinity, nesting up to `MAX_DEPTH`).

    Escaped NUL characters and lone surrogates, which no text column can hold, become U+FFFD.

    Raises
    ------
    InputError
        Naming line and column.
    """
    try:
        # Several times as fast, and it refuses what is nested too deeply.
        with collector_paused():
            document = from_json(data, allow_inf_nan=False)
    except ValueError:
        return _parse_again(decode_text(data, origin), origin)
    return storable(document) if _UNSTORABLE_ESCAPE.search(data) else document


def _parse_again(text: str, origin: str) -> Any:
    """What the fast parser refuses: a document after all (UTF-16, lone surrogates), or the place of the error."""
    if not text.strip():
        raise InputError(origin, "", "the document is empty", "fetch or export it again")
    too_deep = InputError(origin, "", f"nested deeper than {MAX_DEPTH} levels", "no real report or advisory is")
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        ended = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        cause = f"the document ends too early ({error.msg})" if ended else f"not valid JSON: {error.msg}"
        hint = "fetch or export it again" if ended else "correct that place, or export it again"
        raise InputError(origin, f"line {error.lineno}, column {error.colno}", cause, hint) from None
    except RecursionError:
        raise too_deep from None
    except ValueError as error:
        raise InputError(origin, "", f"not valid JSON: {error}", "correct that number") from None
    if _deeper_than(document, MAX_DEPTH):
        raise too_deep
    return storable(document)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without garbage collection, which would look through a large document again and again while it grows."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def read_json(path: Path, max_bytes: int = MAX_JSON_BYTES) -> Any:
    """Read one JSON document from a file, compressed or not.

    Raises
    ------
    InputError
        As `read_bytes` and `parse_json`.
    """
    return parse_json(read_bytes(path, max_bytes), str(path))


def read_lines(path: Path, max_bytes: int = MAX_STREAM_BYTES) -> Iterator[tuple[str, bytes] | Skipped]:
    """Stream the lines of a file, compressed or not, as ``("file: line N", bytes)``, counted from 1.

    Line ends are removed and blank lines left out; a line longer than `MAX_LINE_BYTES` is skipped.

    Raises
    ------
    InputError
        If the file as a whole is missing, unreadable, too large, truncated or damaged.
    """
    return _lines(file_chunks(path, max_bytes), str(path))


def split_lines(data: bytes, origin: str, max_bytes: int = MAX_STREAM_BYTES) -> Iterator[tuple[str, bytes] | Skipped]:
    """Like `read_lines`, of data that is already here: the body of an HTTP answer, a member of an archive."""
    return _lines(data_chunks(data, origin, max_bytes), origin)


def read_json_lines(path: Path, max_bytes: int = MAX_STREAM_BYTES) -> Iterator[tuple[str, Any] | Skipped]:
    """Stream a ``.jsonl`` file, compressed or not, as ``("file: line N", document)``; bad lines as `Skipped`.

    Raises
    ------
    InputError
        If the file as a whole is missing, unreadable, too large, truncated or damaged.
    """
    for line in read_lines(path, max_bytes):
        if isinstance(line, Skipped):
            yield line
            continue
        origin, data = line
        try:
            document = parse_json(data, origin)
        except InputError as error:
            yield skipped(error)
        else:
            yield origin, document


def skipped(error: InputError) -> Skipped:
    """The record that an error took out of a batch."""
    return Skipped(error.origin, f"{error.position}: {error.cause}" if error.position else error.cause)


def parse_instant(text: str) -> datetime | None:
    """Read an ISO 8601 time as aware UTC (a time without a zone is UTC); None when it is not one."""
    try:
        instant = datetime.fromisoformat(text.strip().upper())
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _lines(chunks: Iterator[bytes], origin: str) -> Iterator[tuple[str, bytes] | Skipped]:
    pending = bytearray()
    number = 1
    overlong = False
    for chunk in chunks:
        *ends, rest = chunk.split(b"\n")
        for piece in ends:
            pending += piece
            line = _line(origin, number, bytes(pending), overlong)
            if line is not None:
                yield line
            pending.clear()
            overlong = False
            number += 1
        pending += rest
        if len(pending) > MAX_LINE_BYTES:
            overlong = True
            pending.clear()
    line = _line(origin, number, bytes(pending), overlong)
    if line is not None:
        yield line


def _line(origin: str, number: int, data: bytes, overlong: bool) -> tuple[str, bytes] | Skipped | None:
    where = f"{origin}: line {number}"
    if overlong or len(data) > MAX_LINE_BYTES:
        return Skipped(where, f"longer than {MAX_LINE_BYTES // MEBIBYTE} MiB")
    return (where, data.rstrip(b"\r")) if data.strip() else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _deeper_than(document: Any, limit: int) -> bool:
    """Breadth first over containers only: cheap, and no recursion."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(limit):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list) and child
        ]
        if not level:
            return False
    return True


def storable(value: Any) -> Any:
    """The value without NUL characters and lone surrogates, which no text column can hold: they become U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value
