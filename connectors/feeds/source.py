"""What every feed needs to find its documents: folders, files and URLs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.http import PoliteSession
from connectors.reading import (
    MAX_JSON_BYTES,
    MAX_STREAM_BYTES,
    parse_instant,
    parse_json,
    read_json,
    read_json_lines,
    skipped,
    unpack,
)
from connectors.zipped import is_archive, zip_members
from meddojo.errors import ConfigError, InputError
from meddojo.interface import Skipped

_LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")
_FILES_MARK = "files read "
_DOCUMENTS = (".json", ".json.gz", ".json.zst")


def is_url(source: str) -> bool:
    """True for a web address, False for a path.

    Raises
    ------
    ConfigError
        For addresses other than ``http`` and ``https``.
    """
    scheme = urlsplit(source).scheme if "://" in source else ""
    if scheme and scheme not in ("http", "https"):
        raise ConfigError(f"the feed source {source!r} is neither a path nor a web address", "use https://")
    return bool(scheme)


def now() -> datetime:
    """The clock, aware UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as a cursor."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def files_cursor(moment: datetime) -> str:
    """Cursor of a feed that reads files, which it reads whole each time."""
    return f"{_FILES_MARK}{stamp(moment)}"


def web_cursor(cursor: str | None) -> str | None:
    """The cursor if it was written by a feed that reads from the web: files say nothing about what a server has."""
    return None if not cursor or cursor.startswith(_FILES_MARK) else cursor


def parse_stamp(cursor: str) -> datetime:
    """Read what `stamp` wrote.

    Raises
    ------
    ConfigError
        If the cursor comes from elsewhere.
    """
    moment = parse_instant(cursor)
    if moment is None:
        raise ConfigError(f"the feed cursor {cursor[:80]!r} is not a time", "remove it, the feed then starts afresh")
    return moment


def fetch(session: PoliteSession, url: str, max_bytes: int = MAX_JSON_BYTES) -> bytes:
    """Fetch one document, decompressed.

    Raises
    ------
    MeddojoError
        If it cannot be fetched, or is larger than `max_bytes`.
    """
    return unpack(session.get(url, max_bytes=max_bytes), url, max_bytes)


def load_json(source: str, session: PoliteSession) -> Any:
    """One JSON document from a file or URL.

    Raises
    ------
    InputError
        If it cannot be read.
    MeddojoError
        If it cannot be fetched.
    """
    if is_url(source):
        return parse_json(fetch(session, source), source)
    return read_json(Path(source))


def documents(path: Path) -> Iterator[tuple[str, Any] | Skipped]:
    """JSON documents of a folder (recursively, in order of path), a ``.zip``, a ``.jsonl`` or a ``.json`` file.

    Yields
    ------
    tuple of (origin, document), or Skipped
        A bad document of a folder or an archive, or a bad line, is skipped.

    Raises
    ------
    InputError
        If the folder holds no documents, or the one file given cannot be read.
    """
    if not path.is_dir():
        yield from _of_archive(path) if is_archive(path) else _of_file(path)
        return
    files = sorted(file for file in path.rglob("*") if file.name.lower().endswith(_DOCUMENTS + _LINES))
    if not files:
        raise InputError(str(path), "", "no .json or .jsonl file in this folder", "check the feed's source")
    for file in files:
        try:
            yield from _of_file(file)
        except InputError as error:
            yield skipped(error)


def _of_file(path: Path) -> Iterator[tuple[str, Any] | Skipped]:
    if path.name.lower().endswith(_LINES):
        yield from read_json_lines(path)
    else:
        yield str(path), read_json(path)


def _of_archive(path: Path) -> Iterator[tuple[str, Any] | Skipped]:
    for item in zip_members(path, MAX_JSON_BYTES, MAX_STREAM_BYTES):
        if isinstance(item, Skipped):
            yield item
        elif item[0].lower().endswith(_DOCUMENTS):
            origin = f"{path}: {item[0]}"
            try:
                yield origin, parse_json(unpack(item[1], origin, MAX_JSON_BYTES), origin)
            except InputError as error:
                yield skipped(error)
