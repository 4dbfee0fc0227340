"""Devices found by the description of CVE records alone, against what the records' CPE names say.

Six hundred devices are drawn from the hardware and firmware CPEs of device vendors and looked for in descriptions: in
every record of those vendors and in 40,000 others. The plain alternative takes a record when vendor and product stand
in its text, in lower case and with blanks for hyphens. Vendors are split in halves by a hash of their name: the
probabilities in `analyzers.matching.records.descriptions` were set on the first half, the second is the test.
Versions are compared on the records of the API sample, which have bounds.

A record counts as right only if it has the device's CPE name to the letter. Many texts list models for which the data
have no CPE, and many CPE names are of another granularity: precision is a lower bound for both ways.

    python benchmarks/description_matching.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import zstandard

from analyzers.matching.identifiers import cpe_names, parse_cpe
from analyzers.matching.index import description_keys, device_keys
from analyzers.matching.names.normalise import squash
from analyzers.matching.names.vendors import compare_vendors
from analyzers.matching.records.descriptions import Mention, best_mention
from analyzers.matching.records.device import match_record
from connectors.feeds.nvd.record import parse_record
from meddojo.device import Device
from meddojo.vulnerability import Vulnerability

RECORDS = "cve_dev.parquet"
SAMPLE = "nvd_api2_medical_sample.jsonl.zst"
DEVICES = 600
A_VENDOR = 25
OTHERS = 40_000
VENDORS = frozenset(
    "philips gehealthcare medtronic medtronicdiabetes bd becton_dickinson_and_co baxter hillrom hospira smiths- "
    "medical carefusion bbraun draeger abbott animas bostonscientific zoll natus contec contechealth contec-touch "
    "roche vyaire ypsomed illumina beckmancoulter carestream fujifilm swisslog-healthcare silextechnology "
    "capsuletech siemens omron moxa schneider-electric abb advantech rockwellautomation emerson ge honeywell "
    "phoenixcontact wago mitsubishielectric yokogawa lantronix axis hikvision sick boschrexroth belden hirschmann "
    "beckhoff pepperl-fuchs trane janitza eaton apc kepware opto22 hms-networks ewon mobotix geutebrueck loytec "
    "carel delta deltaww fatek ls-electric weintek fujielectric keysight sel selinc 3s-software codesys festo lenze "
    "keyence wibu endress honeywell-home tridium automatedlogic contemporarycontrols echelon prosoft-technology "
    "aveva inductiveautomation progea 7t redlion sierrawireless westermo digi johnsoncontrols kunbus auma bosch".split()
)


_KNOWN = frozenset(squash(vendor) for vendor in VENDORS)
Pair = tuple[str, str]
Index = dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Row:
    """A record with what its CPE names and its vendor and product say.

    Attributes
    ----------
    truth
        Pairs of vendor and product, squashed, ``_firmware`` left out.
    devices
        The same of hardware and firmware, in words.
    """

    record: Vulnerability
    truth: frozenset[Pair]
    devices: frozenset[Pair]


@dataclass(frozen=True, slots=True)
class Score:
    """Right, wrong and missed pairs of a device and a record."""

    right: int
    wrong: int
    missed: int

    def __str__(self) -> str:
        precision = self.right / max(1, self.right + self.wrong)
        recall = self.right / max(1, self.right + self.missed)
        counts = f"{self.right} right, {self.wrong} wrong, {self.missed} missed"
        return f"precision {precision:.2f}, recall {recall:.2f} ({counts})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real records")
    parser.add_argument("--classes", action="store_true", help="the first half, by class of evidence")
    parser.add_argument("--errors", type=int, default=0, help="show so many wrong and missed ones of the first half")
    arguments = parser.parse_args()
    if not (arguments.data / RECORDS).exists():
        print(f"{arguments.data / RECORDS} is missing: nothing measured")
        return
    rows = list(read_rows(arguments.data))
    devices = draw_devices(rows)
    begun = time.perf_counter()
    counts = sorted(len(description_keys(row.record.description)) for row in rows)
    taken = time.perf_counter() - begun
    print(f"{len(rows):,} records, {len(devices)} devices of {len({device.vendor for device in devices})} vendors")
    print(
        f"keys a record: median {counts[len(counts) // 2]}, 90 % {counts[len(counts) * 9 // 10]}, most {counts[-1]}; ",
        end="",
    )
    print(f"{taken / len(rows) * 1e6:,.0f} microseconds a record")
    index = by_key(rows)
    for half, name in ((0, "half the probabilities were set on"), (1, "held-out half")):
        chosen = [device for device in devices if half_of(device.vendor) == half]
        report(name, chosen, rows, index)
        if half == 0 and arguments.classes:
            report_classes(chosen, rows, index)
        if half == 0 and arguments.errors:
            show_errors(chosen, rows, index, arguments.errors)
    if (arguments.data / SAMPLE).exists():
        report_versions(list(read_sample(arguments.data)))


def read_rows(data: Path) -> Iterator[Row]:
    import pyarrow.parquet

    columns = ["cve", "description", "vendor", "product", "cpes", "cna"]
    generator = random.Random(7)
    for row in pyarrow.parquet.read_table(data / RECORDS, columns=columns).to_pylist():
        names = dict(named(row))
        truth = frozenset((squash(vendor), squash(product)) for vendor, product in names)
        ours = any(vendor in _KNOWN for vendor, _ in truth)
        if truth and row["description"] and (ours or generator.random() < OTHERS / 220_000):
            devices = frozenset(pair for pair, part in names.items() if part in "oh" and squash(pair[0]) in _KNOWN)
            yield Row(Vulnerability(row["cve"], "nvd", row["description"], assigner=row["cna"] or ""), truth, devices)


def named(row: dict[str, str | None]) -> Iterator[tuple[Pair, str]]:
    """Vendor and product in words, with the CPE's part; the columns, which know no part, as an application."""
    if row["vendor"] and row["product"]:
        names = cpe_names(f"cpe:2.3:a:{row['vendor']}:{row['product'].replace(':', '')}".replace(" ", "_"))
        if names is not None:
            yield names, "a"
    for text in (row["cpes"] or "").split("|"):
        cpe = parse_cpe(f"cpe:2.3:{text}")
        names = cpe_names(f"cpe:2.3:{text}")
        if cpe is not None and names is not None:
            yield names, cpe.part if cpe.part == "h" or cpe.product.endswith("_firmware") else "a"


def draw_devices(rows: Iterable[Row]) -> list[Device]:
    """At most `A_VENDOR` devices of a vendor, by names that hold more than a number."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for vendor, model in row.devices:
            if any(sign.isalpha() for sign in model):
                found[vendor].add(model)
    generator = random.Random(11)
    drawn = [
        Device(f"{vendor}-{model}", vendor, model)
        for vendor in sorted(found)
        for model in generator.sample(sorted(found[vendor]), min(A_VENDOR, len(found[vendor])))
    ]
    return generator.sample(drawn, min(DEVICES, len(drawn)))


def half_of(vendor: str) -> int:
    return hashlib.sha256(squash(vendor).encode()).digest()[0] % 2


def by_key(rows: Sequence[Row]) -> Index:
    found: Index = defaultdict(list)
    for number, row in enumerate(rows):
        for key in description_keys(row.record.description):
            found[key].append(number)
    return found


def mentions(device: Device, rows: Sequence[Row], index: Index) -> Iterator[tuple[Row, Mention]]:
    """What is found of a device among the nominated records."""
    for number in sorted({number for key in device_keys(device) for number in index.get(key, ())}):
        mention = best_mention(device, rows[number].record)
        if mention is not None:
            yield rows[number], mention


def is_about(device: Device, row: Row) -> bool:
    """Whether the record's names are the device: the same product of the same vendor, or one of its aliases."""
    product = squash(device.model)
    return any(product == stated and compare_vendors(device.vendor, vendor) is not None for vendor, stated in row.truth)


def plainly(device: Device, text: str) -> bool:
    """The named alternative: vendor and product stand in the text, in lower case and with blanks for hyphens."""
    return _plain(device.vendor) in text and _plain(device.model) in text


def _plain(text: str) -> str:
    return text.lower().replace("-", " ")


def report(name: str, devices: Sequence[Device], rows: Sequence[Row], index: Index) -> None:
    texts = [_plain(row.record.description) for row in rows]
    by_product: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        for _, product in row.truth:
            by_product[product].append(number)
    counts = {
        "by description, from 0.7 on": Counter[str](),
        "by description, from 0.5 on": Counter[str](),
        "by description, any": Counter[str](),
        "plain": Counter[str](),
    }
    numbers = {id(row): number for number, row in enumerate(rows)}
    for device in devices:
        truth = {number for number in by_product[squash(device.model)] if is_about(device, rows[number])}
        found = {numbers[id(row)]: mention.probability for row, mention in mentions(device, rows, index)}
        answers = {
            "by description, from 0.7 on": {number for number, probability in found.items() if probability >= 0.7},
            "by description, from 0.5 on": {number for number, probability in found.items() if probability >= 0.5},
            "by description, any": set(found),
            "plain": {number for number, text in enumerate(texts) if plainly(device, text)},
        }
        for way, answer in answers.items():
            counts[way].update(right=len(answer & truth), wrong=len(answer - truth), missed=len(truth - answer))
    print(f"{name}: {len(devices)} devices")
    for way, count in counts.items():
        print(f"  {way:28}", Score(count["right"], count["wrong"], count["missed"]))


def report_classes(devices: Sequence[Device], rows: Sequence[Row], index: Index) -> None:
    counts: dict[tuple[bool, str, str], Counter[bool]] = defaultdict(Counter)
    for device in devices:
        for row, mention in mentions(device, rows, index):
            counts[mention.beside, mention.standing.name, mention.agreement.name][is_about(device, row)] += 1
    for (beside, *kind), count in sorted(counts.items()):
        label = " ".join(kind) + (" beside" if beside else "")
        print(f"  {label:28} {count[True] / count.total():.2f} of {count.total()}")


def show_errors(devices: Sequence[Device], rows: Sequence[Row], index: Index, limit: int) -> None:
    wrong = [
        (device, row, mention)
        for device in devices
        for row, mention in mentions(device, rows, index)
        if mention.probability >= 0.5 and not is_about(device, row)
    ]
    for device, row, mention in random.Random(1).sample(wrong, min(limit, len(wrong))):
        print("WRONG", device.label, "|", mention.standing, mention.product.reason, "|", sorted(row.truth)[:4])
        print("      ", row.record.description[:300])
    missed = []
    for device in devices:
        found = {row.record.id for row, _ in mentions(device, rows, index)}
        missed += [(device, row) for row in rows if row.record.id not in found and is_about(device, row)]
    for device, row in random.Random(1).sample(missed, min(limit, len(missed))):
        print("MISSED", device.label, "|", row.record.id, row.record.description[:300])


def read_sample(data: Path) -> Iterator[Vulnerability]:
    with (data / SAMPLE).open("rb") as handle, zstandard.ZstdDecompressor().stream_reader(handle) as reader:
        for line in reader.read().splitlines():
            yield parse_record(json.loads(line)["cve"], SAMPLE)


def report_versions(records: Iterable[Vulnerability]) -> None:
    """Versions at and around every bound: the verdict by description against the verdict by CPE."""
    counts: Counter[str] = Counter()
    for record in records:
        bare = replace(record, configurations=(), affected=())
        for device in around_bounds(record):
            by_cpe = any(True for _ in match_record(device, record))
            claim = next(match_record(device, bare), None)
            if best_mention(device, bare) is None:
                counts["not found"] += 1
            else:
                counts["right" if (claim is not None) == by_cpe else "wrong, said" if claim else "wrong, silent"] += 1
    print("versions at the bounds of the API sample:", dict(counts))


def around_bounds(record: Vulnerability) -> Iterator[Device]:
    seen = set()
    for configuration in record.configurations:
        for node in configuration.nodes:
            for match in node.matches:
                names = cpe_names(match.criteria)
                ends = (match.version_end_including, match.version_end_excluding)
                for version in filter(None, (*ends, match.version_start_including)):
                    if names is not None and match.vulnerable:
                        seen.add((names, version))
                        seen.add((names, f"{version}.1"))
    for (vendor, product), version in sorted(seen):
        yield Device("d", vendor, product, version)


if __name__ == "__main__":
    main()
