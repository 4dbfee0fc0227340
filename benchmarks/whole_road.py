"""The whole road at hospital-group size: all real feeds of ../shared/data against a generated inventory.

Prints findings per source, wall time and peak memory, and the ratio to the plain alternative measured in the same run:
comparing every device with every product of every advisory, without the matching index.

    python benchmarks/whole_road.py --devices 1000
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.util
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from analyzers import matching
from connectors.feeds import csaf, nvd
from connectors.inventory import read_inventory
from meddojo.advisory import Advisory
from meddojo.config import AnalyzerConfig, FeedConfig
from meddojo.device import Device
from meddojo.store import Store
from meddojo.vulnerability import Vulnerability
from scheduler.cases import build_case

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared" / "data"
NAIVE_DEVICES = 50
COUNTS = ("devices", "devices_with_findings", "findings", "needs_review", "known_exploited")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000, help="size of the generated inventory")
    parser.add_argument("--keep", type=Path, help="folder to work in, kept afterwards")
    arguments = parser.parse_args()
    missing = [] if SHARED.is_dir() else ["the real data ../shared/data"]
    missing += [] if importlib.util.find_spec("pyarrow") else ["pyarrow (pip install pyarrow)"]
    if missing:
        print(f"not measured, missing: {', '.join(missing)}")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        prepare(folder, arguments.devices)
        measure(folder)


def prepare(folder: Path, devices: int) -> None:
    """Feeds as files, and an inventory drawn from the product names of the advisories themselves and from others."""
    (folder / "csaf").mkdir(exist_ok=True)
    for name in ("cisa_csaf_icsma", "cisa_csaf_icsa"):
        target = folder / "csaf" / f"{name}.jsonl.zst"
        target.write_bytes((SHARED / target.name).read_bytes())
    (folder / "nvd.jsonl.zst").write_bytes((SHARED / "nvd_api2_medical_sample.jsonl.zst").read_bytes())
    (folder / "kev.json").write_bytes(gzip.decompress((SHARED / "kev_2024-06-30.json.gz").read_bytes()))
    write_epss(folder / "epss.csv.gz")
    write_inventory(folder / "inventory.csv", devices, folder)
    (folder / "meddojo.toml").write_text(
        '[inventory]\nfile = "inventory.csv"\n[store]\nurl = "sqlite:///store.db"\n'
        '[feeds.csaf]\nsource = "csaf"\n[feeds.nvd]\nsource = "nvd.jsonl.zst"\n'
        '[feeds.kev]\nsource = "kev.json"\n[feeds.epss]\nsource = "epss.csv.gz"\n',
        encoding="utf-8",
    )


def write_epss(target: Path) -> None:
    """The day's EPSS scores as FIRST publishes them."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(SHARED / "epss_2024-09-01.parquet")
    with gzip.open(target, "wt", encoding="utf-8", newline="") as handle:
        handle.write("#model_version:v2023.03.01,score_date:2024-09-01T00:00:00+0000\n")
        rows = csv.writer(handle)
        rows.writerow(["cve", "epss", "percentile"])
        rows.writerows(zip(*(table[name].to_pylist() for name in ("cve", "epss", "percentile")), strict=True))


def write_inventory(target: Path, devices: int, folder: Path) -> None:
    """Half of the devices carry names of the feeds and a version picked at random, half are in no feed."""
    dice = random.Random(2026)
    advised, recorded = names_in_advisories(folder), names_in_records(folder)
    with target.open("w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["id", "vendor", "model", "version", "quantity", "location", "network zone"])
        for number in range(devices):
            vendor, model = f"Maker {number % 97}", f"Unit {number:04d}"
            if number % 2 == 0:
                vendor, model = dice.choice(recorded if number % 10 == 0 else advised)
            version = "" if number % 20 == 2 else f"{dice.randint(0, 12)}.{dice.randint(0, 9)}.{dice.randint(0, 30)}"
            rows.writerow([f"asset-{number:05d}", vendor, model, version, dice.randint(1, 40), "ward", "clinical"])


def names_in_advisories(folder: Path) -> list[tuple[str, str]]:
    """Vendor and product of every leaf of every product tree."""
    read = csaf.build(FeedConfig(source=str(folder / "csaf"))).update(None)
    products = (product for item in read if isinstance(item, Advisory) for product in item.products)
    return sorted({(each.vendor.strip(), each.product) for each in products if each.vendor.strip() and each.product})


def names_in_records(folder: Path) -> list[tuple[str, str]]:
    """Vendor and product of every vulnerable CPE of the NVD records, as a person would write them."""
    read = nvd.build(FeedConfig(source=str(folder / "nvd.jsonl.zst"))).update(None)
    criteria = {
        match.criteria
        for item in read
        if isinstance(item, Vulnerability)
        for configuration in item.configurations
        for node in configuration.nodes
        for match in node.matches
        if match.vulnerable
    }
    return sorted({tuple(part.replace("_", " ").title() for part in each.split(":")[3:5]) for each in criteria})


def measure(folder: Path) -> None:
    """Run the command twice, then the alternative on a sample."""
    for label in ("first run", "second run"):
        began = time.perf_counter()
        command = [sys.executable, "-m", "scheduler.cli", "run", "-c", str(folder / "meddojo.toml"), "--json", "-q"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if not done.stdout:
            sys.exit(done.stderr)
        result = json.loads(done.stdout)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{label}: {seconds:.1f} s, peak {peak:,.0f} MiB, exit code {done.returncode}")
        print("  " + ", ".join(f"{result[name]:,} {name.replace('_', ' ')}" for name in COUNTS), result["changes"])
    report(folder)
    compare(folder)


def report(folder: Path) -> None:
    """Findings per source, from the store."""
    with Store(f"sqlite:///{folder / 'store.db'}") as store:
        for state in store.records.states():
            print(f"  {state.name}: {state.records:,} records, {state.skipped} skipped")
        sources: Counter[str] = Counter()
        for device in devices_of(folder):
            for finding in store.findings.of_device(device.id):
                sources.update({citation.source.split()[0] for citation in finding.citations})
    print("  findings per source:", ", ".join(f"{name} {number:,}" for name, number in sources.most_common()))


def compare(folder: Path) -> None:
    """Nomination by index against handing every advisory to the matcher, both with warm caches."""
    chosen = devices_of(folder)[: NAIVE_DEVICES * 10 : 10]
    read = csaf.build(FeedConfig(source=str(folder / "csaf"))).update(None)
    every = tuple(item for item in read if isinstance(item, Advisory))
    matcher, now = matching.build(AnalyzerConfig()), datetime.now(UTC)
    seconds, found = {}, {}
    with Store(f"sqlite:///{folder / 'store.db'}") as store:
        for label in ("warming", "index", "all"):
            began = time.perf_counter()
            cases = [build_case(device, store, now) for device in chosen]
            if label != "index":
                cases = [replace(case, advisories=every) for case in cases]
            found[label] = [{finding.check for finding in matcher.judge(case, ())} for case in cases]
            seconds[label] = time.perf_counter() - began
    print(
        f"matching {len(chosen)} devices: {seconds['index']:.2f} s with the index, {seconds['all']:.2f} s with every "
        f"advisory: ratio {seconds['all'] / seconds['index']:.1f}, same findings: {found['index'] == found['all']}"
    )


def devices_of(folder: Path) -> list[Device]:
    """The generated inventory."""
    return list(read_inventory(folder / "inventory.csv").devices)


if __name__ == "__main__":
    main()
