"""Writes ``product_codes.csv`` from FDA's product classification database (``foiclass.txt``, public domain).

    python -m analyzers.clinical_risk.product_code_table foiclass.txt > analyzers/clinical_risk/product_codes.csv

One line a code: product code, device class, medical specialty, and ``L`` (life-sustaining or life-supporting) and
``I`` (implant) where the database flags it.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path


def rows(lines: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """The facts of every product code that is a medical device, in alphabetical order.

    Parameters
    ----------
    lines
        ``foiclass.txt``: a header, then one code a line, fields divided by bars.
    """
    for row in sorted(csv.DictReader(lines, delimiter="|", quoting=csv.QUOTE_NONE), key=lambda row: row["PRODUCTCODE"]):
        life = "L" if row["Life_Sustain_support_flag"] == "Y" else ""
        implant = "I" if row["Implant_Flag"] == "Y" else ""
        specialty = row["MEDICALSPECIALTY"] or row["REVIEW_PANEL"]
        yield row["PRODUCTCODE"], row["DEVICECLASS"].upper(), specialty, life + implant


def main(file: Path) -> None:
    """Write the table to standard output."""
    data = file.read_bytes()
    text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("cp1252")
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows(text.splitlines()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
