"""The CVE records that the reader of advisory texts may learn from: never those its benchmark measures on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from analyzers.advisory_text.vendor_training import Record
from meddojo.errors import ConfigError

HELD_OUT = 2_000
"""Records with the smallest digests of their ids: ``benchmarks/advisory_text.py`` measures on them."""
BEFORE = "2024-01-01"
"""Published later, the benchmark measures on them as well: what comes after the training."""


def training_records(file: Path) -> Iterator[Record]:
    """Records of a Parquet file with description, vendor and product, in the order of the digests of their ids.

    Raises
    ------
    ConfigError
        If pyarrow is not installed.
    """
    try:
        # For training only; the installed suite does without.
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigError("training reads Parquet files, which needs pyarrow", "pip install pyarrow") from None
    table = parquet.read_table(file, columns=["cve", "published", "description", "vendor", "product"])
    rows = [
        row
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
        if row[0] and all(row[2:]) and "n/a" not in row[3:]
    ]
    rows.sort(key=lambda row: hashlib.sha256(row[0].encode()).digest())
    for _, published, description, vendor, product in rows[HELD_OUT:]:
        if (published or "9") < BEFORE:
            yield Record(description, vendor.replace("_", " "), product.replace("_", " ").removesuffix(" firmware"))
