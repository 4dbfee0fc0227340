"""What is read from prose, against what publishers state as data, beside a plain regular expression in the same run.

    python benchmarks/advisory_text.py            # one table
    python benchmarks/advisory_text.py --errors   # and what was missed or invented

Texts and truth, from ../shared/data:

- *notes*: title, document and vulnerability notes of each ICSMA document, against its product tree. They name only
  some of what the document states as data: the rows "named at all" say how much of it occurs in the text letter by
  letter, and how much of that was found.
- *notes and list*: the same with the full product names as list items, as the advisory's web page has them.
- *descriptions*: 2,000 descriptions of CVE records, drawn by the digest of their id, against NVD's vendor and product.

A name counts as found if `compare_products` relates it to the true one with a probability of 0.8 or more, in either
direction; a vendor if `compare_vendors` relates the two; a range if the name is found and both texts say the same of
every version that either names and of its neighbours. Rules were written looking at documents with an even digest;
"odd" is what they had not seen. The tagger was trained on other documents and records altogether
(`scheduler/train_tagger.py`).
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from analyzers.advisory_text import extract
from analyzers.advisory_text.statements import Status
from analyzers.matching.names.comparison import compare_products
from analyzers.matching.names.normalise import squash
from analyzers.matching.names.vendors import VendorRelation, compare_vendors
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import Verdict, contains
from connectors.feeds.csaf.document import parse_document
from connectors.reading import read_json_lines
from meddojo.advisory import Advisory
from meddojo.interface import Skipped

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
ADVISORIES = SHARED / "cisa_csaf_icsma.jsonl.zst"
RECORDS = SHARED / "cve_dev.parquet"
DESCRIPTIONS = 2_000
SAME_NAME = 0.8
SHOWN_ERRORS = 25
READERS = ("MedDojo", "rules alone", "one pattern")

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
    cves: frozenset[str]
    vectors: frozenset[str]


@dataclass
class Tally:
    """Hits among what was said, and among what was to be said."""

    right: int = 0
    said: int = 0
    found: int = 0
    true: int = 0
    errors: list[str] = field(default_factory=list)

    def row(self) -> str:
        """Precision, recall, F1 and counts."""
        precision = self.right / self.said if self.said else 0.0
        recall = self.found / self.true if self.true else 0.0
        both = precision + recall
        score = 2 * precision * recall / both if both else 0.0
        return f"{precision:6.3f} {recall:6.3f} {score:6.3f}   {self.said:6,} said, {self.true:6,} true"


Reader = Callable[[str], Reading]


def by_meddojo(text: str) -> Reading:
    read = extract(text)
    affected = read.of(Status.AFFECTED)
    vendors = [product.vendor.text for product in affected if product.vendor]
    vendors += [read.vendor.text] if read.vendor else []
    return Reading(
        tuple((product.name.text, product.phrase.versions if product.phrase else "") for product in affected),
        tuple(dict.fromkeys(vendors)),
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
        frozenset(re.findall(r"CVE-\d{4}-\d{4,}", text)),
        frozenset(_metrics(vector) for vector in _PLAIN_VECTOR.findall(text)),
    )


def main() -> None:
    if not ADVISORIES.is_file():
        print("skipped: the real data folder ../shared/data is not on this machine")
        return
    readers: Mapping[str, Reader] = dict(zip(READERS, (by_meddojo, by_rules_alone, by_one_pattern), strict=True))
    tallies: dict[tuple[str, str, str, str], Tally] = {}
    named = Counter[str]()
    for document, advisory in _advisories():
        part = "odd" if _odd(advisory.id) else "even"
        for shape, text in (("notes", _notes(document)), ("notes and list", _with_list(document, advisory))):
            for name, reader in readers.items():
                _score_advisory(tallies, (shape, part, name), advisory, reader(text))
            if shape == "notes":
                _count_named(named, part, advisory, text)
    for cve, description, vendor, product in _descriptions():
        part = "odd" if _odd(cve) else "even"
        for name, reader in readers.items():
            _score_description(tallies, (part, name), (cve, vendor, product), reader(description))
    _print(tallies, named, "--errors" in sys.argv[1:])


def _count_named(named: Counter[str], part: str, advisory: Advisory, text: str) -> None:
    """Of what the document states as data, what its text names at all, and what of that is found."""
    reading = by_meddojo(text)
    vendor = advisory.products[0].vendor if advisory.products else ""
    ids = {each.id for each in advisory.vulnerabilities if each.id.startswith("CVE-")}
    vectors = {_metrics(score.cvss.vector) for each in advisory.vulnerabilities for score in each.scores}
    for what, true, found in (
        ("products", {each.product for each in advisory.products}, None),
        ("CVE ids", ids, reading.cves),
        ("CVSS vectors", vectors, reading.vectors),
    ):
        inside = {each for each in true if each in text or (found is None and squash(each) in squash(text))}
        hits = {
            each
            for each in inside
            if (any(_same_name(vendor, each, name) for name, _ in reading.products) if found is None else each in found)
        }
        named.update({f"{part} {what} true": len(true), f"{part} {what} named": len(inside)})
        named.update({f"{part} {what} found": len(hits)})


def _score_advisory(
    tallies: dict[tuple[str, str, str, str], Tally], key: tuple[str, str, str], advisory: Advisory, reading: Reading
) -> None:
    shape, part, reader = key
    leaves = [(leaf.vendor, leaf.product, leaf.version_text) for leaf in advisory.products]
    names = {(vendor, product) for vendor, product, _ in leaves}
    vendor = leaves[0][0] if leaves else ""
    said = dict.fromkeys(name for name, _ in reading.products)

    def tally(what: str) -> Tally:
        return tallies.setdefault((shape, what, part, reader), Tally())

    _count(tally("products"), advisory.id, list(said), list(names), lambda one, true: _same_name(true[0], true[1], one))
    ranges = [(name, versions) for name, versions in reading.products if versions]
    true_ranges = list(dict.fromkeys((leaf[0], leaf[1], leaf[2]) for leaf in leaves if leaf[2]))
    _count(
        tally("version ranges"),
        advisory.id,
        ranges,
        true_ranges,
        lambda one, true: _same_name(true[0], true[1], one[0]) and _same_versions(true[2], one[1]),
    )
    _count(tally("vendors"), advisory.id, list(reading.vendors), [vendor], lambda one, true: _same_vendor(true, one))
    if shape == "notes":
        cves = {each.id for each in advisory.vulnerabilities if each.id.startswith("CVE-")}
        vectors = {_metrics(score.cvss.vector) for each in advisory.vulnerabilities for score in each.scores}
        _count(tally("CVE ids"), advisory.id, list(reading.cves), list(cves), lambda one, true: one == true)
        _count(tally("CVSS vectors"), advisory.id, list(reading.vectors), list(vectors), lambda one, true: one == true)


def _score_description(
    tallies: dict[tuple[str, str, str, str], Tally],
    key: tuple[str, str],
    truth: tuple[str, str, str],
    reading: Reading,
) -> None:
    part, reader = key
    cve, vendor, product = truth
    said = list(dict.fromkeys(name for name, _ in reading.products))
    products = tallies.setdefault(("descriptions", "products", part, reader), Tally())
    _count(products, cve, said, [product], lambda one, true: _same_name(vendor, true, one))
    vendors = tallies.setdefault(("descriptions", "vendors", part, reader), Tally())
    _count(vendors, cve, list(reading.vendors), [vendor], lambda one, true: _same_vendor(true, one))


def _count(tally: Tally, origin: str, said: list[Any], true: list[Any], same: Callable[[Any, Any], bool]) -> None:
    right = [one for one in said if any(same(one, each) for each in true)]
    found = [each for each in true if any(same(one, each) for one in said)]
    tally.right += len(right)
    tally.said += len(said)
    tally.found += len(found)
    tally.true += len(true)
    tally.errors += [f"{origin}: invented {one}" for one in said if one not in right]
    tally.errors += [f"{origin}: missed {each}" for each in true if each not in found]


def _same_name(vendor: str, true: str, said: str) -> bool:
    if squash(true) == squash(said):
        return True
    one, other = compare_products(vendor, true, vendor, said), compare_products(vendor, said, vendor, true)
    return any(match is not None and match.probability >= SAME_NAME for match in (one, other))


def _same_vendor(true: str, said: str) -> bool:
    match = compare_vendors(said, true)
    return match is not None and match.relation is not VendorRelation.UNSTATED


def _same_versions(true: str, said: str) -> bool:
    one, other = parse_versions(true), parse_versions(said)
    stated = {word.strip("()<>=,;|") for word in f"{true} {said}".split() if any(sign.isdigit() for sign in word)}
    stated |= set(re.findall(r"\b[A-Z](?:\.\w+)*\b", f"{true} {said}"))
    probes = {probe for word in stated for probe in (word, f"{word}.1")} | {"0.0.1", "99999.9"}
    affected = [{probe for probe in probes if contains(each, probe) is Verdict.AFFECTED} for each in (one, other)]
    return affected[0] == affected[1]


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


def _descriptions() -> Iterable[tuple[str, str, str, str]]:
    """CVE id, description, vendor and product of the records whose ids have the smallest digests."""
    try:
        import pyarrow.parquet
    except ImportError:
        print("descriptions left out: reading them needs pyarrow (pip install pyarrow)")
        return []
    table = pyarrow.parquet.read_table(RECORDS, columns=["cve", "description", "vendor", "product"])
    rows = [
        (cve, description, vendor, product.replace("_", " ").removesuffix(" firmware"))
        for cve, description, vendor, product in zip(*(column.to_pylist() for column in table.columns), strict=True)
        if description and vendor and product and vendor != "n/a" and product != "n/a"
    ]
    return sorted(rows, key=lambda row: hashlib.sha256(row[0].encode()).digest())[:DESCRIPTIONS]


def _print(tallies: Mapping[tuple[str, str, str, str], Tally], named: Mapping[str, int], errors: bool) -> None:
    print(f"{'text':<15} {'item':<15} {'part':<5} {'reader':<12} {'prec.':>6} {'recall':>6} {'F1':>6}")
    whole: dict[tuple[str, str, str, str], Tally] = {}
    for (shape, what, part, reader), tally in tallies.items():
        total = whole.setdefault((shape, what, "all", reader), Tally())
        whole[shape, what, part, reader] = tally
        for name in ("right", "said", "found", "true"):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        total.errors += tally.errors
    order = {"odd": 0, "all": 1, "even": 2}
    for key in sorted(whole, key=lambda key: (key[0], key[1], order[key[2]], READERS.index(key[3]))):
        print(f"{key[0]:<15} {key[1]:<15} {key[2]:<5} {key[3]:<12} {whole[key].row()}")
    for what in ("products", "CVE ids", "CVSS vectors"):
        for part in ("odd", "even"):
            true, inside, found = (named[f"{part} {what} {each}"] for each in ("true", "named", "found"))
            share = f"{inside:,} of {true:,} named at all, {found:,} of those found ({found / max(1, inside):.3f})"
            print(f"{'notes':<15} {what:<15} {part:<5} {share}")
    for (shape, what, part, reader), tally in whole.items():
        if errors and reader == "MedDojo" and part == "odd":
            print(f"\n{shape}: {what}, {len(tally.errors)} errors, the first {SHOWN_ERRORS}")
            for line in tally.errors[:SHOWN_ERRORS]:
                print(f"  {line}")


if __name__ == "__main__":
    main()
