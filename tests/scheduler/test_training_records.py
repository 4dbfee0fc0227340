"""What the reader of advisory texts learns from is never what it is measured on."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from scheduler.training_records import HELD_OUT, LATE, described_records, held_out, training_records

pyarrow = pytest.importorskip("pyarrow")


def test_held_out_and_later_records_are_not_learnt_from(tmp_path: Path) -> None:
    import pyarrow.parquet

    ids = sorted(
        (f"CVE-2023-{number}" for number in range(2 * HELD_OUT + 100)),
        key=lambda cve: hashlib.sha256(cve.encode()).digest(),
    )
    early = set(ids[:-50:2])
    table = pyarrow.table(
        {
            "cve": ids,
            "published": ["2023-12-31T23:59:59.000" if cve in early else "2024-01-01T00:00:00.000" for cve in ids],
            "description": [f"A flaw, {cve}." for cve in ids],
            "vendor": ["n/a" if cve == ids[HELD_OUT] else "acme_labs" for cve in ids],
            "product": ["pump_x1_firmware"] * len(ids),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "records.parquet")
    rows = described_records(tmp_path / "records.parquet")
    smallest, late = held_out(rows)
    # The record without a vendor counts for nothing: the next one is held out in its place.
    assert [row[0] for row in smallest] == [*ids[:HELD_OUT], ids[HELD_OUT + 1]][:HELD_OUT]
    assert {row[0] for row in late} <= set(ids) - early - {row[0] for row in smallest}
    spared = {row[0] for row in (*smallest, *late)}
    found = list(training_records(tmp_path / "records.parquet"))
    assert found
    assert not {record.text for record in found} & {f"A flaw, {cve}." for cve in spared}
    assert len(found) == len(rows) - len(spared)
    assert {(record.vendor, record.product) for record in found} == {("acme labs", "pump x1")}
    before = list(training_records(tmp_path / "records.parquet", LATE))
    assert {record.text for record in before} == {f"A flaw, {row[0]}." for row in rows[HELD_OUT:] if row[0] in early}
