"""Train the tagger that advisory texts are read with: ``python -m scheduler.train_tagger ../shared/data``.

Learns from the notes of CISA's ICSA advisories and from descriptions of CVE records, each against the names of its own
record. Never seen are all ICSMA advisories and the records that `scheduler.training_records` holds back:
``benchmarks/advisory_text.py`` measures on those. A date behind the folder leaves later records out, too, to see what
the tagger makes of a year it does not know. Needs pyarrow; takes some minutes.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from analyzers.advisory_text import tagger
from analyzers.advisory_text.training import Example, example, train
from connectors.feeds.csaf.document import parse_document
from connectors.reading import read_json_lines
from meddojo.errors import InputError
from meddojo.interface import Skipped
from scheduler.training_records import training_records

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


def main(folder: Path, before: str = "") -> None:
    """Train, and write weights and manifest beside the tagger."""
    advisories = list(_of_advisories(folder / "cisa_csaf_icsa.jsonl.zst"))
    descriptions = list(_of_descriptions(folder / "cve_dev.parquet", before))
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
        f"descriptions_of_records = {len(descriptions)}  # CVE records published before {before or '2024-07-01'}\n"
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


def _of_descriptions(file: Path, before: str) -> Iterator[Example]:
    found = (
        example(each.text[:_LONGEST], {each.vendor, _LEGAL_FORM.sub("", each.vendor)}, {each.product})
        for each in training_records(file, before)
    )
    yield from islice((each for each in found if each), DESCRIPTIONS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
