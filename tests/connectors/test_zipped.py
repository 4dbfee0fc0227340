"""ZIP archives of untrusted documents."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.zipped import is_archive, zip_members
from meddojo.errors import InputError
from meddojo.interface import Skipped

MEBI = 2**20


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def test_members_in_order(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", b=b"2", a=b"1")
    assert is_archive(path) and list(zip_members(path, 10, 10)) == [("b", b"2"), ("a", b"1")]
    assert not is_archive(tmp_path / "none")


def test_what_is_too_large_is_skipped_or_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", bomb=bytes(5 * MEBI), small=b"1")
    first, second = zip_members(path, MEBI, 10 * MEBI)
    assert isinstance(first, Skipped) and first.reason == "larger than 1 MiB" and second == ("small", b"1")
    with pytest.raises(InputError, match="more than 2 MiB when unpacked"):
        list(zip_members(archive(tmp_path / "y.zip", a=bytes(MEBI), b=bytes(MEBI), c=bytes(MEBI)), MEBI, 2 * MEBI))


def test_damage(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", a=b"some text, long enough" * 100, b=b"1")
    data = bytearray(path.read_bytes())
    data[40:45] = b"\xff" * 5
    path.write_bytes(data)
    first, second = zip_members(path, MEBI, MEBI)
    assert isinstance(first, Skipped) and "cannot be unpacked" in first.reason and second == ("b", b"1")
    path.write_bytes(data[:60])
    with pytest.raises(InputError, match="no ZIP archive"):
        list(zip_members(path, MEBI, MEBI))


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("zip") / "x.zip"
    path.write_bytes(b"PK\x03\x04" + data)
    with pytest.raises(InputError, match="no ZIP archive"):
        list(zip_members(path, MEBI, MEBI))
