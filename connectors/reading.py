"""Safe reading of untrusted files: size and depth caps, strict text, and errors that name file, position and cause.

Whatever is in a file, these functions return a value or raise `meddojo.errors.InputError`, within bounded memory.
"""

from __future__ import annotations

import gc
import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
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


class JsonObject:
    """An object of an untrusted JSON document, read by type; a value of another type is an `InputError`.

    A key that is absent or null counts as empty. Values are never converted: a number is not a text.

    Attributes
    ----------
    value
        The object itself.
    origin
        File, line or URL it comes from.
    """

    __slots__ = ("_index", "_parent", "_pointer", "origin", "value")

    def __init__(
        self,
        value: Mapping[str, Any],
        origin: str,
        pointer: str = "",
        parent: JsonObject | None = None,
        index: int | None = None,
    ) -> None:
        self.value = value
        self.origin = origin
        # The pointer is put together when an error needs it: hardly ever.
        self._pointer = pointer
        self._parent = parent
        self._index = index

    @property
    def pointer(self) -> str:
        """Where in the document it is (JSON pointer, RFC 6901)."""
        pointer = self._pointer if self._parent is None else f"{self._parent.pointer}/{self._pointer}"
        return pointer if self._index is None else f"{pointer}/{self._index}"

    @classmethod
    def of(cls, value: Any, origin: str, pointer: str = "") -> JsonObject:
        """Wrap `value`, which has to be an object."""
        if not isinstance(value, dict):
            raise InputError(
                origin, pointer, f"{_kind(value)} where an object belongs", "is this the right kind of file?"
            )
        return cls(value, origin, pointer)

    def text(self, key: str) -> str:
        """Text, verbatim; empty when absent."""
        value = self.value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong(key, value, "a text")
        return value

    def required_text(self, key: str) -> str:
        """Text that must not be absent or blank."""
        text = self.text(key)
        if not text.strip():
            raise self.error(key, "is missing")
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """List of texts."""
        values = self._list(key)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self._wrong(f"{key}/{index}", value, "a text")
        return tuple(values)

    def number(self, key: str) -> float | None:
        """A finite number; None when absent."""
        value = self.value.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(key, value, "a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.error(key, "is out of range")
        return number

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false; `default` when absent."""
        value = self.value.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self._wrong(key, value, "true or false")
        return value

    def instant(self, key: str) -> datetime | None:
        """ISO 8601 time as aware UTC (a time without a zone is UTC); None when absent or blank."""
        text = self.text(key)
        if not text.strip():
            return None
        instant = parse_instant(text)
        if instant is None:
            raise self.error(key, f"{text[:40]!r} is not an ISO 8601 time")
        return instant

    def day(self, key: str) -> date | None:
        """ISO 8601 date; None when absent or blank."""
        text = self.text(key)
        if not text.strip():
            return None
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise self.error(key, f"{text[:40]!r} is not an ISO 8601 date") from None

    def object(self, key: str) -> JsonObject:
        """The object at `key`; an empty one when absent."""
        value = self.value.get(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self._wrong(key, value, "an object")
        return JsonObject(value, self.origin, key, self)

    def objects(self, key: str) -> Iterator[JsonObject]:
        """The objects of the list at `key`."""
        for index, value in enumerate(self._list(key)):
            if not isinstance(value, dict):
                self._wrong(f"{key}/{index}", value, "an object")
            yield JsonObject(value, self.origin, key, self, index)

    def entries(self, key: str) -> Iterator[JsonObject | Skipped]:
        """Like `objects`, for a list of records: one that is not an object is skipped."""
        for index, value in enumerate(self._list(key)):
            if isinstance(value, dict):
                yield JsonObject(value, self.origin, key, self, index)
            else:
                yield Skipped(self.origin, f"{self.pointer}/{key}/{index}: {_kind(value)} where an object belongs")

    def error(self, key: str, cause: str) -> InputError:
        """The error to raise about the value at `key`."""
        return InputError(
            self.origin, f"{self.pointer}/{key}", cause, "report it to whoever wrote this document; all others are read"
        )

    def _list(self, key: str) -> list[Any]:
        values = self.value.get(key)
        if values is None:
            return []
        if not isinstance(values, list):
            self._wrong(key, values, "a list")
        return values

    def _wrong(self, key: str, value: Any, expected: str) -> NoReturn:
        raise self.error(key, f"{_kind(value)} where {expected} belongs")


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


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    names = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)
