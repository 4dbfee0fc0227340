"""The words FDA names devices by, weighed against the words vulnerabilities are described in.

``python -m analyzers.vuln_classifier.medical_lexicon --codes FOICLASS.txt.gz --data CVE.parquet`` writes
``medical_words.tsv``. Source of the names: FDA, product code classification database (public domain).
"""

from __future__ import annotations

import argparse
import gzip
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

from analyzers.vuln_classifier.labels import published_within, read_examples
from analyzers.vuln_classifier.medical_tables import LEXICON
from analyzers.vuln_classifier.medical_text import words_of
from meddojo.errors import InputError

END = date(2021, 1, 1)
"""Descriptions of later records are not looked at: they are what the model is measured on."""
FEWEST_NAMES = 3
FEWEST_LETTERS = 3
SMALLEST_WEIGHT = 2.0
LARGEST_WEIGHT = 6.0
_HEAD = (
    "# Words of FDA's device names and definitions: natural log-odds against the descriptions of CVE records\n"
    "# published before {end}; made by `python -m analyzers.vuln_classifier.medical_lexicon`\n"
)
_ENCODING = "latin-1"


def read_codes(path: Path) -> Iterator[dict[str, str]]:
    """Rows of FDA's product code file, by the names in its first line.

    Raises
    ------
    InputError
        If it cannot be read or a line has more fields than the first.
    """
    try:
        with gzip.open(path, "rt", encoding=_ENCODING) as lines:
            names = next(lines, "").rstrip("\r\n").split("|")
            for number, line in enumerate(lines, start=2):
                fields = line.rstrip("\r\n").split("|")
                if len(fields) > len(names):
                    raise InputError(str(path), f"line {number}", f"has {len(fields)} fields, not {len(names)}")
                yield dict(zip(names, fields, strict=False))
    except (OSError, EOFError) as error:
        raise InputError(str(path), "", f"is no gzip file of product codes: {error}") from error


def device_words(devices: Iterable[str], descriptions: Iterable[str]) -> dict[str, float]:
    """Log-odds of each word of the devices that stands out against the descriptions.

    Returns
    -------
    dict
        ``ln((d + 0.5) / (D + 1)) - ln((c + 0.5) / (C + 1))`` for a word in d of D devices and c of C descriptions, at
        most `LARGEST_WEIGHT`; words below `SMALLEST_WEIGHT`, rare and short ones are left out.
    """
    ours, number = _document_counts(devices)
    others, total = _document_counts(descriptions)
    found = {
        word: math.log((count + 0.5) / (number + 1)) - math.log((others[word] + 0.5) / (total + 1))
        for word, count in ours.items()
        if count >= FEWEST_NAMES and len(word) >= FEWEST_LETTERS
    }
    return {word: min(weight, LARGEST_WEIGHT) for word, weight in found.items() if weight >= SMALLEST_WEIGHT}


def _document_counts(texts: Iterable[str]) -> tuple[Counter[str], int]:
    counts: Counter[str] = Counter()
    number = 0
    for text in texts:
        counts.update(set(words_of(text)))
        number += 1
    return counts, number


def main() -> None:
    """Write the table into the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=Path, required=True, help="FDA's foiclass file, gzip")
    parser.add_argument("--data", type=Path, required=True, help="Parquet table of CVE records")
    options = parser.parse_args()
    earlier = published_within(read_examples(options.data), date.min, END)
    devices = (f"{row.get('DEVICENAME', '')} {row.get('DEFINITION', '')}" for row in read_codes(options.codes))
    found = device_words(devices, (example.record.description for example in earlier))
    rows = "".join(f"{word}\t{weight:.2f}\n" for word, weight in sorted(found.items()))
    path = Path(str(files("analyzers.vuln_classifier").joinpath(LEXICON)))
    path.write_text(_HEAD.format(end=END) + rows, "utf-8")
    print(f"{len(found):,} words")


if __name__ == "__main__":
    main()
