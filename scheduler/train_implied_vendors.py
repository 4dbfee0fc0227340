"""Learn which names imply a vendor: ``python -m scheduler.train_implied_vendors ../shared/data``.

Needs pyarrow; takes some minutes and 2 GB of memory.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from analyzers.advisory_text import implied_vendors
from analyzers.advisory_text.vendor_training import LEAST_PROBABILITY, learn, write_table
from scheduler.training_records import HELD_OUT, LATE, training_records


def main(folder: Path) -> None:
    """Learn, and write table and manifest beside their module."""
    records = list(training_records(folder / "cve_dev.parquet", LATE))
    print(f"{len(records):,} records", flush=True)
    table = learn(records)
    text = write_table(table)
    target = Path(implied_vendors.__file__).parent
    (target / "implied_vendors.tsv").write_text(text, "utf-8")
    (target / "implied_vendors.toml").write_text(
        "# Written by the training run: python -m scheduler.train_implied_vendors\n"
        f'sha256 = "{hashlib.sha256(text.encode()).hexdigest()}"\n'
        f"names = {len(table)}\n"
        f"records = {len(records)}  # published before {LATE}, without the {HELD_OUT:,} of the benchmark\n"
        f"least_probability = {LEAST_PROBABILITY}\n"
        'limits = "vendors as NVD names them; figures: benchmarks/advisory_text.py"\n',
        "utf-8",
    )
    print(f"{len(table):,} names, {len(text.encode()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
