"""The CVE records that the reader of advisory texts may learn from: never those its benchmark measures on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from analyzers.advisory_text.vendor_training import Record
from meddojo.errors import ConfigError

HELD_OUT = 2_000
"""Never learnt from are as many with the smallest digests of their ids, and as many with the largest of `LATE` ones."""
LATE = "2024-01-01"
"""The benchmark measures on records published since then apart."""

DescriptionRow = tuple[str, str, str, str, str]
"""CVE id, date of publication (ISO, perhaps empty), description, vendor and product, names as NVD writes them."""


def described_records(file: Path) -> list[DescriptionRow]:
    """Records of a Parquet file with description, vendor and product, in the order of the digests of their ids.

    Raises
    ------
    ConfigError
        If pyarrow is not installed.
    """
    try:
        # For training and measuring only; the installed suite does without.
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigError("reading Parquet files needs pyarrow", "pip install pyarrow") from None
    table = parquet.read_table(file, columns=["cve", "published", "description", "vendor", "product"])
    rows = [
        (cve, published or "", description, vendor, product)
        for cve, published, description, vendor, product in zip(
            *(column.to_pylist() for column in table.columns), strict=True
        )
        if description and vendor and product and "n/a" not in (vendor, product)
    ]
    return sorted(rows, key=lambda row: hashlib.sha256(row[0].encode()).digest())


def held_out(rows: Sequence[DescriptionRow]) -> tuple[Sequence[DescriptionRow], Sequence[DescriptionRow]]:
    """Those that are never learnt from: of all years, and late ones."""
    return rows[:HELD_OUT], [row for row in rows[HELD_OUT:] if row[1] >= LATE][-HELD_OUT:]


def training_records(file: Path, before: str = "") -> Iterator[Record]:
    """All others, names in words; with a date, only those known to be published before it.

    Raises
    ------
    ConfigError
        If pyarrow is not installed.
    """
    rows = described_records(file)
    spared = {row[0] for part in held_out(rows) for row in part}
    for cve, published, description, vendor, product in rows:
        if cve not in spared and (not before or "" < published < before):
            yield Record(description, vendor.replace("_", " "), product_words(product))


def product_words(product: str) -> str:
    """NVD's name of a product as a text writes it: ``pump_x1_firmware`` is the Pump X1."""
    return product.replace("_", " ").removesuffix(" firmware")
