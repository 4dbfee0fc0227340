"""Train the tagger that advisory texts are read with: ``python -m scheduler.train_tagger ../shared/data``.

Learns from the notes of CISA's ICSA advisories and from descriptions of CVE records, each against the names of its own
record. Never seen are all ICSMA advisories and the 2,000 records whose ids have the smallest digests:
``benchmarks/advisory_text.py`` measures on those. Needs pyarrow; takes some minutes.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from analyzers.advisory_text import tagger
from analyzers.advisory_text.training import Example, example, train
from connectors.feeds.csaf.document import parse_document
from connectors.reading import read_json_lines
from meddojo.errors import ConfigError, InputError
from meddojo.interface import Skipped

HELD_OUT = 2_000
DESCRIPTIONS = 50_000
EPOCHS = 4
SMALLEST = 1.5
SEED = 1
_ADVISORY_COPIES = 2  # they are few, and nearer to what is to be read
_LONGEST = 800
_LEGAL_FORM = re.compile(
    r"[ ,]*\b(?:project|inc|corporation|corp|ltd|software foundation|foundation|gmbh|ag|technologies|systems"
    r"|networks)\.?$",
    re.I,
)


def main(folder: Path) -> None:
    """Train, and write weights and manifest beside the tagger."""
    advisories = list(_of_advisories(folder / "cisa_csaf_icsa.jsonl.zst"))
    descriptions = list(_of_descriptions(folder / "cve_dev.parquet"))
    examples = advisories * _ADVISORY_COPIES + descriptions
    print(f"{len(advisories):,} notes, {len(descriptions):,} descriptions", flush=True)
    weights = train(examples, EPOCHS, SMALLEST, SEED, lambda line: print(line, flush=True))
    text = tagger.write_weights(weights)
    target = Path(tagger.__file__).parent
    (target / "tagger.tsv").write_text(text, "utf-8")
    (target / "tagger.toml").write_text(
        f'# Written by the training run: python -m scheduler.train_tagger\nsha256 = "{_digest(text)}"\n'
        f"features = {len(weights.of)}\nseed = {SEED}\nepochs = {EPOCHS}\nsmallest_weight = {SMALLEST}\n"
        f"notes_of_advisories = {len(advisories)}  # CISA ICSA, 2017 to 2023\n"
        f"descriptions_of_records = {len(descriptions)}  # CVE records published before 2024-07-01\n"
        f'limits = "English; software and devices as NVD and CISA name them; figures: benchmarks/advisory_text.py"\n',
        "utf-8",
    )
    print(f"{len(weights.of):,} features, {len(text.encode()) / 1e6:.1f} MB")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _of_advisories(file: Path) -> Iterator[Example]:
    for item in read_json_lines(file):
        if isinstance(item, Skipped):
            continue
        origin, document = item
        try:
            advisory = parse_document(document, origin)
        except InputError:
            continue
        vendors = {product.vendor.strip() for product in advisory.products}
        vendors |= {vendor.split()[0] for vendor in vendors if vendor}
        products = {product.product.strip() for product in advisory.products}
        products |= {re.sub(r"\s*\([^()]*\)", "", name) for name in products}
        products |= {name.removeprefix(vendor).strip() for name in products for vendor in vendors if vendor}
        notes = [note for note in document["document"].get("notes", []) if note.get("category") != "legal_disclaimer"]
        notes += [note for each in document.get("vulnerabilities", []) for note in each.get("notes", [])]
        for text in (advisory.title, *(note.get("text", "") for note in notes)):
            for line in text.split("\n"):
                found = example(line[:_LONGEST], vendors, products)
                if found:
                    yield found


def _of_descriptions(file: Path) -> Iterator[Example]:
    try:
        # For training only; the installed suite does without.
        parquet = import_module("pyarrow.parquet")
    except ImportError:
        raise ConfigError("training reads Parquet files, which needs pyarrow", "pip install pyarrow") from None
    table = parquet.read_table(file, columns=["cve", "description", "vendor", "product"])
    rows = [
        row
        for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
        if all(row) and "n/a" not in row[2:]
    ]
    rows.sort(key=lambda row: hashlib.sha256(row[0].encode()).digest())
    count = 0
    for _, description, vendor, product in rows[HELD_OUT:]:
        name = vendor.replace("_", " ")
        found = example(
            description[:_LONGEST],
            {name, _LEGAL_FORM.sub("", name)},
            {product.replace("_", " ").removesuffix(" firmware")},
        )
        if found:
            count += 1
            yield found
        if count == DESCRIPTIONS:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]))
