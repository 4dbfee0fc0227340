"""What is read from prose, against what publishers state as data, beside a plain regular expression in the same run.

    python benchmarks/advisory_text.py            # one table
    python benchmarks/advisory_text.py --errors   # and what was missed or invented

Texts and truth, from ../shared/data:

- *notes*: title, document and vulnerability notes of each ICSMA document, against its product tree. Most name few of
  the products, and versions hardly ever: the tree has them.
- *notes and list*: the same with the full product names as list items, as the advisory's web page has them.
- *descriptions*: 2,000 descriptions of CVE records, drawn by the digest of their id, against NVD's vendor and product.
- *of 2024*: 2,000 more, published in 2024. The implied vendors were learnt from nothing so late, the tagger from other
  records of the same months, too.

A name counts as found if `compare_products` relates it to the true one with a probability of 0.8 or more, in either
direction; a vendor if `compare_vendors` relates the two; a range if the name is found and both texts say the same of
every version that either names and of its neighbours. "vendors, implied" counts a vendor the product's name implies
where the text names none.

What no text says cannot be read from it: "in text" is the share of the true items that stand in the text (all words of
a name, all numbers of a range, a vendor without its legal form), "of that" the recall among those.

Rules were written looking at documents and records with an even digest: "odd" is what they had not seen, and
``--errors`` shows the even ones alone, by cause. The tagger and the implied vendors were learnt from other documents
and records altogether (`scheduler/training_records.py`).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from support.advisory_truth import (
    Product,
    Tally,
    Text,
    same_name,
    same_vendor,
    same_versions,
    why_invented_name,
    why_invented_range,
    why_missed_name,
    why_missed_range,
)

from analyzers.advisory_text import extract
from analyzers.advisory_text.statements import Status
from connectors.feeds.csaf.document import parse_document
from connectors.reading import read_json_lines
from meddojo.advisory import Advisory
from meddojo.errors import ConfigError
from meddojo.interface import Skipped
from scheduler.training_records import described_records, held_out, product_words

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
ADVISORIES = SHARED / "cisa_csaf_icsma.jsonl.zst"
RECORDS = SHARED / "cve_dev.parquet"
SHOWN_ERRORS = 6
LATER = "of 2024"

_VERSION = r"v?\d+(?:\.\w+)+"
_PLAIN = re.compile(
    rf"((?:[A-Z][\w-]*)(?: [A-Z0-9][\w.-]*){{0,5}}),?:? (?:[Vv]ersions? )?"
    rf"((?:prior to |before |up to |through |<=? ?)?{_VERSION}(?: (?:and|or) (?:prior|earlier|below))?)"
)
_PLAIN_VECTOR = re.compile(r"(?:CVSS:3\.\d/)?AV:[NALP](?:/[A-Z]{1,2}:[A-Z]){7}")


@dataclass(frozen=True)
class Reading:
    """What one reader took from one text."""

    products: tuple[tuple[str, str], ...]
    vendors: tuple[str, ...]
    implied: tuple[str, ...]
    cves: frozenset[str]
    vectors: frozenset[str]


Reader = Callable[[str], Reading]
Key = tuple[str, str, str, str]
"""Kind of text, item, part and reader."""
Description = tuple[str, str, str, str]
"""CVE id, description, vendor and product."""


def by_meddojo(text: str) -> Reading:
    read = extract(text)
    affected = read.of(Status.AFFECTED)
    vendors = [product.vendor.text for product in affected if product.vendor]
    vendors += [read.vendor.text] if read.vendor else []
    return Reading(
        tuple((product.name.text, product.phrase.versions if product.phrase else "") for product in affected),
        tuple(dict.fromkeys(vendors)),
        (read.implied_vendor.name,) if read.implied_vendor else (),
        frozenset(found.value for found in read.cves),
        frozenset(_metrics(vector.vector) for vector in read.vectors),
    )


def by_rules_alone(text: str) -> Reading:
    """Without the trained tagger."""
    with patch("analyzers.advisory_text.statements.tagged_names", return_value=[]):
        return by_meddojo(text)


def by_one_pattern(text: str) -> Reading:
    found = [(match[1], match[2]) for match in _PLAIN.finditer(text)]
    return Reading(
        tuple(dict.fromkeys(found)),
        tuple(dict.fromkeys(name.split()[0] for name, _ in found)),
        (),
        frozenset(re.findall(r"CVE-\d{4}-\d{4,}", text)),
        frozenset(_metrics(vector) for vector in _PLAIN_VECTOR.findall(text)),
    )


READERS: Mapping[str, Reader] = {"MedDojo": by_meddojo, "rules alone": by_rules_alone, "one pattern": by_one_pattern}


def main() -> None:
    if not ADVISORIES.is_file():
        print("skipped: the real data folder ../shared/data is not on this machine")
        return
    tallies: dict[Key, Tally] = {}
    for document, advisory in _advisories():
        part = "odd" if _odd(advisory.id) else "even"
        for shape, text in (("notes", _notes(document)), ("notes and list", _with_list(document, advisory))):
            held = Text.of(text)
            for name, reader in READERS.items():
                _score_advisory(tallies, (shape, part, name), advisory, reader(text), held)
    for shape, records in _descriptions().items():
        for cve, description, vendor, product in records:
            part = "all" if shape == LATER else "odd" if _odd(cve) else "even"
            held = Text.of(description)
            for name, reader in READERS.items():
                _score_description(tallies, (shape, part, name), (cve, vendor, product), reader(description), held)
    _print(tallies, "--errors" in sys.argv[1:])


def _score_advisory(
    tallies: dict[Key, Tally], key: tuple[str, str, str], advisory: Advisory, reading: Reading, text: Text
) -> None:
    shape, part, reader = key
    leaves = [(leaf.vendor, leaf.product, leaf.version_text) for leaf in advisory.products]
    vendor = leaves[0][0] if leaves else ""

    def tally(what: str) -> Tally:
        return tallies.setdefault((shape, what, part, reader), Tally())

    _count_products(tally("products"), advisory.id, reading, [(each[0], each[1]) for each in leaves], text)
    said = [("", name, versions) for name, versions in reading.products if versions]
    true = [leaf for leaf in leaves if leaf[2]]
    _count(
        tally("version ranges"),
        advisory.id,
        Items(said, true, lambda one, each: same_name(each[0], each[1], one[1]) and same_versions(each[2], one[2])),
        lambda each: text.holds_name(each[1]) and text.holds_versions(each[2]),
        lambda each: why_missed_range(each, said, text),
        lambda one: why_invented_range(one, true),
    )
    _count_vendor(tally("vendors"), advisory.id, reading.vendors, vendor, text)
    if shape == "notes":
        cves = {each.id for each in advisory.vulnerabilities if each.id.startswith("CVE-")}
        vectors = {_metrics(score.cvss.vector) for each in advisory.vulnerabilities for score in each.scores}
        for what, got, wanted in (("CVE ids", reading.cves, cves), ("CVSS vectors", reading.vectors, vectors)):
            items = Items(sorted(got), sorted(wanted), lambda one, each: bool(one == each))
            _count(tally(what), advisory.id, items, lambda each: each in text.text)


def _score_description(
    tallies: dict[Key, Tally], key: tuple[str, str, str], truth: tuple[str, str, str], reading: Reading, text: Text
) -> None:
    shape, part, reader = key
    cve, vendor, product = truth

    def tally(what: str) -> Tally:
        return tallies.setdefault((shape, what, part, reader), Tally())

    _count_products(tally("products"), cve, reading, [(vendor, product)], text)
    _count_vendor(tally("vendors"), cve, reading.vendors, vendor, text)
    _count_vendor(tally("vendors, implied"), cve, (*reading.vendors, *reading.implied), vendor, text)


def _count_products(tally: Tally, origin: str, reading: Reading, true: Sequence[Product], text: Text) -> None:
    said = [name for name, _ in reading.products]
    names = [name for _, name in true]
    _count(
        tally,
        origin,
        Items(said, true, lambda one, each: same_name(each[0], each[1], one)),
        lambda each: text.holds_name(each[1]),
        lambda each: why_missed_name(each[1], said, text),
        lambda one: why_invented_name(one, names),
    )


def _count_vendor(tally: Tally, origin: str, said: Sequence[str], vendor: str, text: Text) -> None:
    _count(
        tally,
        origin,
        Items(said, [vendor], lambda one, each: same_vendor(each, one)),
        text.holds_vendor,
        lambda each: "missed: in the text" if text.holds_vendor(each) else "missed: not in the text",
    )


@dataclass(frozen=True)
class Items:
    """What was said, what is true, and when one of either are the same; each counts once."""

    said: Sequence[Any]
    true: Sequence[Any]
    same: Callable[[Any, Any], bool]


def _count(
    tally: Tally,
    origin: str,
    items: Items,
    within: Callable[[Any], bool],
    missed: Callable[[Any], str] = lambda each: "missed",
    invented: Callable[[Any], str] = lambda one: "invented",
) -> None:
    said, true = list(dict.fromkeys(items.said)), list(dict.fromkeys(items.true))
    right = [one for one in said if any(items.same(one, each) for each in true)]
    found = [each for each in true if any(items.same(one, each) for one in said)]
    reachable = [each for each in true if within(each)]
    tally.right += len(right)
    tally.said += len(said)
    tally.found += len(found)
    tally.true += len(true)
    tally.within += len(reachable)
    tally.found_within += len([each for each in reachable if each in found])
    for one in said:
        if one not in right:
            tally.error(invented(one), f"{origin}: {one}")
    for each in true:
        if each not in found:
            tally.error(missed(each), f"{origin}: {each}")


def _metrics(vector: str) -> str:
    return re.sub(r"^CVSS:\d\.\d/", "", vector)


def _odd(identifier: str) -> bool:
    return hashlib.sha256(identifier.encode()).digest()[-1] % 2 == 1


def _advisories() -> Iterator[tuple[dict[str, Any], Advisory]]:
    for item in read_json_lines(ADVISORIES):
        if not isinstance(item, Skipped):
            origin, document = item
            yield document, parse_document(document, origin)


def _notes(document: Mapping[str, Any]) -> str:
    """Title and notes, one a line; the boilerplate that is the same in all documents is left out."""
    head = document["document"]
    kept = [
        note for note in head.get("notes", []) if note.get("category") in ("summary", "description", "details", "other")
    ]
    texts = [note["text"] for note in kept]
    texts += [note["text"] for each in document["vulnerabilities"] for note in each.get("notes", [])]
    title = re.sub(r"^ICSMA-\S+?_", "", head["title"])
    return "\n".join([title, *texts])


def _with_list(document: Mapping[str, Any], advisory: Advisory) -> str:
    title, _, rest = _notes(document).partition("\n")
    items = "\n".join(f"- {product.full_name}" for product in advisory.products)
    return f"{title}\nAffected products\n{items}\nVulnerability overview\n{rest}"


def _descriptions() -> Mapping[str, Sequence[Description]]:
    """The records nothing is trained on: of all years, and late ones."""
    try:
        parts = held_out(described_records(RECORDS))
    except ConfigError as error:
        print(f"descriptions left out: {error.message}")
        return {}
    return {
        shape: [(cve, description, vendor, product_words(product)) for cve, _, description, vendor, product in rows]
        for shape, rows in zip(("descriptions", LATER), parts, strict=True)
    }


def _print(tallies: Mapping[Key, Tally], errors: bool) -> None:
    print(
        f"{'text':<15} {'item':<16} {'part':<5} {'reader':<12} {'prec.':>6} {'recall':>6} {'F1':>6} {'in text':>8} "
        f"{'of that':>8}"
    )
    whole = dict(tallies)
    for (shape, what, part, reader), tally in tallies.items():
        if part != "all":
            total = whole.setdefault((shape, what, "all", reader), Tally())
            total += tally
    parts, readers = ("odd", "all", "even"), list(READERS)
    for key in sorted(whole, key=lambda key: (key[0], key[1], parts.index(key[2]), readers.index(key[3]))):
        print(f"{key[0]:<15} {key[1]:<16} {key[2]:<5} {key[3]:<12} {whole[key].row()}")
    for (shape, what, part, reader), tally in tallies.items():
        if errors and reader == "MedDojo" and part == "even":
            count = sum(map(len, tally.errors.values()))
            print(f"\n{shape}, {what}, even half: {count} errors")
            for cause, examples in sorted(tally.errors.items(), key=lambda pair: -len(pair[1])):
                print(f"  {len(examples):4} {cause}")
                for line in examples[:SHOWN_ERRORS]:
                    print(f"         {line}")


if __name__ == "__main__":
    main()
