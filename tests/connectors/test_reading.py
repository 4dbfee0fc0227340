"""Untrusted files: a value or one clear error, in bounded memory."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from connectors import reading
from connectors.reading import decode_text, parse_instant, parse_json, read_bytes, read_json, read_json_lines
from meddojo.errors import InputError
from meddojo.interface import Skipped

DOCUMENT = b'{"name": "Infusomat \xc3\xa4", "n": [1, 2.5, null, true]}'
PACKERS = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "two gzip members": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    "zstd": lambda data: _zstd(data),
    "two zstd frames": lambda data: b"".join(
        zstandard.ZstdCompressor().compress(part) for part in (data[:9], data[9:])
    ),
}


def _file(folder: Path, data: bytes, name: str = "x.json") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def _zstd_stream(data: bytes) -> bytes:
    """A frame without the content size in its header, as a pipe writes it."""
    target = io.BytesIO()
    with zstandard.ZstdCompressor().stream_writer(target, closefd=False) as writer:
        writer.write(data)
    return target.getvalue()


@pytest.mark.parametrize("packing", PACKERS)
def test_compression_is_recognised_by_content(packing: str, tmp_path: Path) -> None:
    path = _file(tmp_path, PACKERS[packing](DOCUMENT))
    assert read_bytes(path) == DOCUMENT
    assert read_json(path)["name"] == "Infusomat ä"
    assert reading.unpack(path.read_bytes(), "x") == DOCUMENT


@pytest.mark.parametrize("pack", [gzip.compress, PACKERS["zstd"], _zstd_stream])
def test_zeros_are_stopped_before_they_fill_memory(pack: Any, tmp_path: Path) -> None:
    path = _file(tmp_path, pack(bytes(64 * reading.MEBIBYTE)))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="larger than 2 MiB"):
            read_bytes(path, max_bytes=2 * reading.MEBIBYTE)
        assert tracemalloc.get_traced_memory()[1] < 48 * reading.MEBIBYTE
    finally:
        tracemalloc.stop()


def test_large_plain_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as handle:
        handle.truncate(reading.MAX_BYTES + 1)
    with pytest.raises(InputError, match="larger than 512 MiB"):
        read_bytes(path)


@pytest.mark.parametrize("packing", ["gzip", "zstd", "two zstd frames", "two gzip members"])
@pytest.mark.parametrize("missing", [1, 5, 15])
def test_truncated_compressed_file(packing: str, missing: int, tmp_path: Path) -> None:
    path = _file(tmp_path, PACKERS[packing](DOCUMENT * 50)[:-missing])
    with pytest.raises(InputError, match=r"ends too early|damaged"):
        read_bytes(path)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_damaged_compressed_file(packing: str, tmp_path: Path) -> None:
    data = bytearray(PACKERS[packing](bytes(range(256)) * 64))
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    with pytest.raises(InputError, match=r"ends too early|damaged"):
        read_bytes(_file(tmp_path, bytes(data)))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_bytes(tmp_path / "absent")
    with pytest.raises(InputError, match="directory") as caught:
        read_bytes(tmp_path)
    assert caught.value.origin == str(tmp_path)


def test_text_encodings() -> None:
    assert decode_text(b"\xef\xbb\xbfM\xc3\xbcnchen", "x") == "München"
    assert decode_text("München".encode("utf-16"), "x") == "München"
    assert decode_text(b"\xfe\xff" + "München".encode("utf-16-be"), "x") == "München"
    assert decode_text(b"", "x") == ""


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"M\xfcnchen", "byte 1"),
        (b"\xef\xbb\xbfab\xff", "byte 5"),
        (b"ab\0c", "byte 2"),
        (b"\xef\xbb\xbfab\0c", "byte 5"),
        ("ab".encode("utf-16-le"), "byte 1"),
        (b"\xff\xfea\0\0\0", "character 1"),
        (b"\xff\xfea", "byte 2"),
    ],
)
def test_wrong_encoding_names_the_offset(data: bytes, position: str) -> None:
    with pytest.raises(InputError) as caught:
        decode_text(data, "report.json")
    assert (caught.value.origin, caught.value.position) == ("report.json", position)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("data", "position", "cause"),
    [
        (b'{"a": 1,\n "b": }', "line 2, column 7", "not valid JSON"),
        (b'{"a": [1, 2', "line 1, column 12", "ends too early"),
        (b'{"a": "tex', "line 1, column 7", "ends too early"),
        (b"{'a': 1}", "line 1, column 2", "not valid JSON"),
        (b'{"a": 1} {}', "line 1, column 10", "not valid JSON"),
        (b"<html>", "line 1, column 1", "not valid JSON"),
        (b"", "", "empty"),
        (b" \n", "", "empty"),
        (b'{"a": NaN}', "", "NaN"),
        (b"[-Infinity]", "", "Infinity"),
        (b"[" + b"9" * 5000 + b"]", "", "not valid JSON"),
        (b"[" * 10_000 + b"]" * 10_000, "", "nested deeper"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "", "nested deeper"),
        (b"[" * 201 + b"1" + b"]" * 201, "", "nested deeper"),
    ],
)
def test_bad_json_is_one_error(data: bytes, position: str, cause: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_json(data, "x.json")
    assert caught.value.position == position
    assert cause in caught.value.cause
    assert caught.value.hint


def test_deepest_permitted_nesting_and_duplicate_keys() -> None:
    assert parse_json(b"[" * 200 + b"1" + b"]" * 200, "x")
    assert parse_json(b'{"a": 1, "a": 2}', "x") == {"a": 2}


def test_characters_no_store_can_hold_are_replaced() -> None:
    document = parse_json(rb'{"a\u0000": ["\ud83d\ude00", "x\ud800", "\\u0000"]}', "x")
    assert document == {"a\ufffd": ["😀", "x\ufffd", "\\u0000"]}
    json.dumps(document, ensure_ascii=False).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    for parse in (parse_json, decode_text, reading.unpack):
        with suppress(InputError):
            parse(data, "x")


@given(st.sampled_from(sorted(PACKERS)), st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_any_damage_is_read_or_refused(packing: str, place: int, value: int, length: int) -> None:
    data = bytearray(PACKERS[packing](DOCUMENT * 3))
    data[place % len(data)] = value
    with suppress(InputError):
        assert len(reading.unpack(bytes(data[: max(1, length)]), "x", 10_000)) <= 10_000


def test_lines_are_counted_and_bad_ones_skipped(tmp_path: Path) -> None:
    text = b'{"a": 1}\r\n\n{"a": \n[2]\nM\xfcnchen\n{"a": "x\0"}\n"last"'
    path = _file(tmp_path, zstandard.ZstdCompressor().compress(text), "x.jsonl.zst")
    read = list(read_json_lines(path))
    assert read[0] == (f"{path}: line 1", {"a": 1})
    assert [item for item in read if isinstance(item, tuple)][1:] == [
        (f"{path}: line 4", [2]),
        (f"{path}: line 7", "last"),
    ]
    reasons = {item.origin: item.reason for item in read if isinstance(item, Skipped)}
    assert sorted(reasons) == [f"{path}: line {number}" for number in (3, 5, 6)]
    assert reasons[f"{path}: line 5"] == "byte 1: not UTF-8 text"


def test_overlong_line_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_LINE_BYTES", reading.MEBIBYTE)
    path = _file(tmp_path, b"1\n" + b"7" * (3 * reading.MEBIBYTE) + b"\n3\n", "x.jsonl")
    first, second, third = read_json_lines(path)
    assert (first, third) == ((f"{path}: line 1", 1), (f"{path}: line 3", 3))
    assert second == Skipped(f"{path}: line 2", "longer than 1 MiB")


def test_truncated_line_file_yields_what_came_before(tmp_path: Path) -> None:
    lines = b"".join(b'{"n": %d}\n' % number for number in range(30_000))
    path = _file(tmp_path, gzip.compress(lines)[:-100], "x.jsonl.gz")
    read: list[Any] = []
    with pytest.raises(InputError, match="ends too early"):
        read.extend(read_json_lines(path))
    assert len(read) > 10_000


@given(st.lists(st.binary(max_size=30), max_size=20), st.integers(1, 7))
def test_lines_do_not_depend_on_chunks(lines: list[bytes], size: int) -> None:
    data = b"\n".join(line.replace(b"\n", b"").replace(b"\r", b"") for line in lines)
    chunks = (data[start : start + size] for start in range(0, len(data), size))
    expected = [(f"x: line {n}", line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    assert list(reading._lines(chunks, "x")) == expected


def test_times_become_aware_utc() -> None:
    assert parse_instant("2024-02-06T23:15:08.107") == datetime(2024, 2, 6, 23, 15, 8, 107000, tzinfo=UTC)
    assert parse_instant("2024-02-06t23:00:00.000000z") == datetime(2024, 2, 6, 23, tzinfo=UTC)
    assert parse_instant("2024-02-06T23:00:00+02:00") == datetime(2024, 2, 6, 21, tzinfo=UTC)
    assert parse_instant("0001-01-01T00:00:00+14:00") is None
    assert parse_instant("yesterday") is None
