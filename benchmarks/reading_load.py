"""How many findings a person has to read: every document for anybody, documents that look familiar, or MedDojo.

The example hospital and 1,000 generated assets against all real CSAF documents of ../shared/data, three ways:

- DefectDojo's CSAF parser: every product of every vulnerability of every document is a finding, whoever reads it.
- The same rule, only for documents of which a vendor or a product is written in the inventory, letter by letter but for
  case: what a person can filter by hand.
- MedDojo: one finding for each vulnerability and device that an advisory concerns, delivered or for review.

    python benchmarks/reading_load.py --assets 1000 --seed 2026
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from support import feeds
from support.hospital_group import hospital_group

from analyzers.matching import build
from analyzers.matching.fleet import LeafIndex, index_leaves, named_leaves
from connectors.inventory import read_inventory
from meddojo.advisory import Advisory
from meddojo.case import Case
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.finding import Finding

NOW = datetime(2024, 9, 1, tzinfo=UTC)
ANCHOR, ANCHOR_DOCUMENTS = 42_548, 2_380
"""What DefectDojo's parser made of CISA's whole feed, measured elsewhere; ../shared/data has a part of that feed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", type=int, default=1000, help="size of the generated inventory")
    parser.add_argument("--seed", type=int, default=2026)
    arguments = parser.parse_args()
    if feeds.missing():
        print(feeds.missing())
        return
    medical, industrial = (list(feeds.advisories_of(file)) for file in (feeds.MEDICAL, feeds.INDUSTRIAL))
    every = medical + industrial
    findings = for_anybody(every)
    print(
        f"{len(every):,} documents: {findings:,} findings for anybody, {findings / len(every):.1f} a document "
        f"({ANCHOR:,} in {ANCHOR_DOCUMENTS:,} documents are reported, {ANCHOR / ANCHOR_DOCUMENTS:.1f} a document)"
    )
    example = read_inventory(feeds.REPOSITORY / "examples" / "hospital" / "inventory.toml").devices
    report("example hospital", example, every)
    report("generated inventory", hospital_group(arguments.assets, medical, industrial, arguments.seed), every)


def report(name: str, devices: Sequence[Device], advisories: Sequence[Advisory]) -> None:
    """Print the three counts and their ratios."""
    familiar = written_in(devices, advisories)
    findings = [finding for device, found in matched(devices, advisories) for finding in found]
    review = sum(finding.needs_review for finding in findings)
    affected = len({finding.device_id for finding in findings})
    print(f"{name}: {len(devices):,} assets")
    counts = {
        "every document": for_anybody(advisories),
        f"{len(familiar):,} documents that name a vendor or product of it": for_anybody(familiar),
        f"MedDojo ({len(findings) - review:,} delivered, {review:,} for review, on {affected:,} assets)": len(findings),
    }
    for way, count in counts.items():
        ratio = f"{count / len(findings):.1f} times MedDojo" if findings else "MedDojo has none"
        each = count / len(devices) * 1000
        print(f"  {count:>7,} findings, {each:>10,.0f} per 1,000 assets, {ratio}: {way}")


def for_anybody(advisories: Sequence[Advisory]) -> int:
    """Findings by DefectDojo's rule: products of vulnerabilities, whatever their status and version."""
    return sum(len(dict(each.statuses)) for advisory in advisories for each in advisory.vulnerabilities)


def written_in(devices: Sequence[Device], advisories: Sequence[Advisory]) -> list[Advisory]:
    """Advisories of which a vendor or product is the vendor or model of a device."""
    vendors = {device.vendor.strip().casefold() for device in devices}
    models = {device.model.strip().casefold() for device in devices}
    return [
        advisory
        for advisory in advisories
        if any(
            product.vendor.strip().casefold() in vendors or product.product.strip().casefold() in models
            for product in advisory.products
        )
    ]


def matched(devices: Sequence[Device], advisories: Sequence[Advisory]) -> list[tuple[Device, Sequence[Finding]]]:
    """What MedDojo delivers about each device, from these advisories alone."""
    index, matching = index_leaves(advisories), build(AnalyzerConfig())
    return [
        (device, matching.judge(Case(device, NOW, advisories=_nominated(device, advisories, index)), ()))
        for device in devices
    ]


def _nominated(device: Device, advisories: Sequence[Advisory], index: LeafIndex) -> tuple[Advisory, ...]:
    return tuple(advisories[number] for number in sorted(named_leaves(device, index)))


if __name__ == "__main__":
    main()
