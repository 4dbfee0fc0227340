"""A snapshot knows what was known on its day, and its labels are of the year after."""

from __future__ import annotations

import lzma
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from analyzers.sbom_graph.forecast import debian, snapshot
from analyzers.sbom_graph.forecast.snapshot import Record, Snapshot, read_parts, read_records, read_snapshot
from analyzers.sbom_graph.forecast.wording import Product
from meddojo.errors import InputError

DAY = date(2023, 6, 30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("curl", "zlib", "quiet")
    packages = "\n".join(f"Package: {name}\nDepends: {'zlib' if name == 'curl' else ''}\n" for name in names)
    for path, text in (
        (debian.SOURCES, "\n".join(f"Package: {name}\n" for name in names)),
        (debian.PACKAGES, packages),
    ):
        file = tmp_path / "bookworm" / path
        file.parent.mkdir(parents=True)
        file.write_bytes(lzma.compress(text.encode()))
    return tmp_path


def _record(name: str, published: date | None, year: int = 2023) -> Record:
    return Record("CVE-2023-1", published, year, Product(name, name, ""))


def _read(folder: Path, *records: Record) -> Snapshot:
    return read_snapshot(folder, "bookworm", DAY, records)


def test_history_ends_on_the_day_and_labels_begin_after_it(folder: Path) -> None:
    found = _read(
        folder,
        _record("curl", DAY),
        _record("zlib", DAY + timedelta(days=1)),
        _record("quiet", DAY + timedelta(days=366)),
    )
    assert found.names == ("curl", "quiet", "zlib")
    assert found.past().tolist() == [1, 0, 0] and found.labels.tolist() == [0, 0, 1]


def test_what_is_published_after_the_day_changes_no_feature(folder: Path) -> None:
    before = [_record("curl", DAY - timedelta(days=100)), _record("zlib", DAY - timedelta(days=800))]
    after = [_record(name, DAY + timedelta(days=days)) for name in ("curl", "zlib", "quiet") for days in (1, 200, 900)]
    one, other = _read(folder, *before), _read(folder, *before, *after)
    assert np.array_equal(one.inputs, other.inputs)
    assert one.labels.sum() == 0 and other.labels.sum() == 3


def test_a_record_without_a_day_is_past_when_its_year_is_long_over_and_never_a_label(folder: Path) -> None:
    assert _read(folder, _record("curl", None, 2021)).past().tolist() == [1, 0, 0]
    recent = _read(folder, _record("curl", None, 2022), _record("curl", None, 2023))
    assert recent.past().sum() == 0 and recent.labels.sum() == 0


def test_the_table_is_read_and_what_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow
    import pyarrow.parquet

    row = {"cve": "CVE-2020-7", "published": None, "vendor": "a", "product": None, "description": "d", "cna": "c"}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "cve.parquet")
    assert read_records(tmp_path / "cve.parquet") == (Record("CVE-2020-7", None, 2020, Product("a", "", "d", "c")),)
    (tmp_path / "other").write_text("no table")
    with pytest.raises(InputError, match="other"):
        read_records(tmp_path / "other")


def test_parts_are_what_is_installed_together_measured_inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PART_SIZES", (1, 2))
    whole = _read(folder, _record("curl", DAY), _record("zlib", DAY + timedelta(days=5)))
    parts = read_parts(folder, "bookworm", whole)
    assert [part.names for part in parts] == [("curl", "zlib")], "nothing came to what stands alone"
    assert parts[0].labels.tolist() == [0, 1] and parts[0].past().tolist() == [1, 0]
    assert parts[0].graph.needs.nnz == 1 and len(parts[0].inputs) == 2
