"""Inventories of 1,000, 10,000 and 100,000 assets against all real CSAF documents of ../shared/data.

Every figure is measured in a process of its own, on cold caches. The alternative is the plain one: each asset handed to
the same matcher with every advisory, timed on a sample of the assets and extrapolated. On that sample the statements
of both ways are compared, and all names are compared without the index as well: what it costs in matches.

    python benchmarks/matching_scale.py --sizes 1000 10000 100000 --seed 2026
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from support import feeds
from support.hospital_group import hospital_group

from analyzers.matching.advisories import Clearance, match_advisory
from analyzers.matching.fleet import DeviceMatches, LeafIndex, index_leaves, match_fleet, named_leaves
from analyzers.matching.names.comparison import compare_products
from analyzers.matching.names.vendors import compare_vendors
from analyzers.matching.stated import stated_products
from meddojo.advisory import Advisory
from meddojo.config import AnalyzerConfig
from meddojo.device import Device

SAMPLE = 200
SAMPLE_WITHOUT_KEYS = 30
BANDS = ("delivered", "review", "dropped", "cleared")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="assets")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--part", choices=sorted(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--processes", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if feeds.missing():
        print(feeds.missing())
    elif arguments.part:
        size = arguments.sizes[0]
        print(json.dumps(PARTS[arguments.part](size=size, seed=arguments.seed, processes=arguments.processes)))
    else:
        report(arguments.sizes, arguments.seed)


def report(sizes: Sequence[int], seed: int) -> None:
    """Measure part by part, and print what came of it."""
    print(f"{os.cpu_count()} processors; seed {seed}")
    seconds: dict[tuple[int, int], float] = {}
    for processes in (1, 2):
        for size in sizes:
            part = _measured("fleet", size, seed, processes)
            seconds[size, processes] = part["match"]
            if (processes, size) == (1, sizes[0]):
                print(
                    f"{part['advisories']:,} documents, {part['leaves']:,} product leaves: loaded and parsed in "
                    f"{part['load']:.2f} s, index of {part['keys']:,} keys built in {part['index']:.2f} s"
                )
            if processes == 1:
                print(
                    f"{size:,} assets: {part['triples']:,} distinct (vendor, model, version), {part['names']:,} "
                    f"(vendor, model); {part['matched']:,} assets are named by an advisory"
                )
            counts = ", ".join(f"{part['bands'].get(band, 0):,} {band}" for band in BANDS)
            print(
                f"  {processes} process(es): {part['match']:7.2f} s, "
                f"peak of the largest process {part['peak']:,.0f} MiB; {counts}"
            )
        print(f"  growth: seconds ~ assets^{_exponent([(size, seconds[size, processes]) for size in sizes]):.2f}")
    _alternative(sizes, seed, seconds)


def _alternative(sizes: Sequence[int], seed: int, seconds: dict[tuple[int, int], float]) -> None:
    plain = _measured("plain", sizes[0], seed)
    indexed = _measured("sample", sizes[0], seed)
    each = plain["match"] / plain["assets"]
    same = "the same" if plain["digest"] == indexed["digest"] else "NOT THE SAME"
    print(
        f"plain alternative, {plain['assets']} of the {sizes[0]:,} assets with every advisory: {plain['match']:.1f} s"
    )
    print(f"  {same} {plain['statements']:,} statements as through the index")
    print(
        f"  names compared without the index, {plain['unkeyed']} assets with {plain['stated']:,} stated products: "
        f"{plain['related']:,} related, {plain['lost']} of them not nominated"
    )
    for size in sizes:
        print(
            f"  {size:,} assets would take {each * size:,.0f} s (extrapolated): {each * size / seconds[size, 1]:.0f} "
            "times as long as the index on one process"
        )


def measure_fleet(size: int, seed: int, processes: int) -> dict[str, Any]:
    """The whole inventory, on one process or several."""
    began = time.perf_counter()
    medical, industrial = _load()
    loaded = time.perf_counter()
    index = index_leaves(medical + industrial)
    built = time.perf_counter()
    devices = hospital_group(size, medical, industrial, seed)
    began_matching = time.perf_counter()
    bands, matched, peak = _matched(devices, index, processes)
    return {
        "match": time.perf_counter() - began_matching,
        "load": loaded - began,
        "index": built - loaded,
        "advisories": len(index.advisories),
        "leaves": sum(len(advisory.products) for advisory in index.advisories),
        "keys": len(index.groups),
        "triples": len({(device.vendor, device.model, device.version) for device in devices}),
        "names": len({(device.vendor, device.model) for device in devices}),
        "bands": bands,
        "matched": matched,
        "peak": peak,
    }


def measure_plain(size: int, seed: int, processes: int) -> dict[str, Any]:
    """A sample of the inventory, each asset with every advisory; then all names, without asking for a shared key."""
    medical, industrial = _load()
    every = medical + industrial
    index_leaves(every)  # both ways find the keys of the leaves read
    sample = _sample(size, medical, industrial, seed)
    began = time.perf_counter()
    found = [
        DeviceMatches(device, tuple(said for advisory in every for said in match_advisory(device, advisory)))
        for device in sample
    ]
    seconds = time.perf_counter() - began
    return {"match": seconds, "assets": len(sample)} | _digest(found) | _without_keys(sample, index_leaves(every))


def measure_sample(size: int, seed: int, processes: int) -> dict[str, Any]:
    """The same sample through the index."""
    medical, industrial = _load()
    index = index_leaves(medical + industrial)
    return _digest(match_fleet(_sample(size, medical, industrial, seed), index))


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "fleet": measure_fleet,
    "plain": measure_plain,
    "sample": measure_sample,
}


def _load() -> tuple[list[Advisory], list[Advisory]]:
    return list(feeds.advisories_of(feeds.MEDICAL)), list(feeds.advisories_of(feeds.INDUSTRIAL))


def _sample(size: int, medical: Sequence[Advisory], industrial: Sequence[Advisory], seed: int) -> list[Device]:
    devices = hospital_group(size, medical, industrial, seed)
    return random.Random(seed).sample(devices, min(SAMPLE, len(devices)))


def _matched(devices: Sequence[Device], index: LeafIndex, processes: int) -> tuple[dict[str, int], int, float]:
    """Matches by band, assets with any, and the peak memory of the largest process; only counts travel between them."""
    if processes == 1:
        return _counted(index, devices)
    _INDEX.append(index)  # a forked process has it without being sent it
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        counted = pool.map(_counted_of_shared, _shares(devices, processes * 4), chunksize=1)
    bands = sum((Counter(part[0]) for part in counted), Counter())
    return bands, sum(part[1] for part in counted), max(feeds.peak_memory(), *(part[2] for part in counted))


def _counted(index: LeafIndex, devices: Iterable[Device]) -> tuple[dict[str, int], int, float]:
    bands: Counter[str] = Counter()
    matched = 0
    for found in match_fleet(devices, index):
        matched += bool(found.statements)
        bands.update(_band(said) for said in found.statements)
    return bands, matched, feeds.peak_memory()


_INDEX: list[LeafIndex] = []


def _counted_of_shared(devices: Sequence[Device]) -> tuple[dict[str, int], int, float]:
    return _counted(_INDEX[0], devices)


def _shares(devices: Sequence[Device], number: int) -> list[list[Device]]:
    """The inventory in parts of about the same size; what is called alike stays together."""
    shares: list[list[Device]] = [[] for _ in range(number)]
    for _, alike in groupby(sorted(devices, key=_called), key=_called):
        min(shares, key=len).extend(alike)
    return shares


def _called(device: Device) -> tuple[str, str]:
    return device.vendor, device.model


def _band(said: Any) -> str:
    limits = AnalyzerConfig()
    if isinstance(said, Clearance):
        return "cleared"
    probability = said.citation.probability
    if probability >= limits.threshold:
        return "delivered"
    return "review" if probability >= limits.review_threshold else "dropped"


def _digest(found: Iterable[DeviceMatches]) -> dict[str, Any]:
    """One number for all that is said about all devices."""
    lines = sorted(
        f"{each.device.id} {said.identifiers} {_band(said)} {said.citation}"
        for each in found
        for said in each.statements
    )
    return {"digest": hashlib.sha256("\n".join(lines).encode()).hexdigest(), "statements": len(lines)}


def _without_keys(sample: Sequence[Device], index: LeafIndex) -> dict[str, int]:
    """How many products that are related by their names the index leaves out."""
    stated = {
        (each.vendor, each.product)
        for leaves in index.leaves
        for _, product in leaves
        for each in stated_products(product)
    }
    lost = related = 0
    for device in sample[:SAMPLE_WITHOUT_KEYS]:
        nominated = {
            (each.vendor, each.product)
            for products in named_leaves(device, index).values()
            for product in products
            for each in stated_products(product)
        }
        akin = {
            name
            for name in stated
            if compare_vendors(device.vendor, name[0]) and compare_products(device.vendor, device.model, *name)
        }
        related += len(akin)
        lost += len(akin - nominated)
    return {
        "unkeyed": min(len(sample), SAMPLE_WITHOUT_KEYS),
        "stated": len(stated),
        "related": related,
        "lost": lost,
    }


def _exponent(points: Sequence[tuple[int, float]]) -> float:
    """Slope of the straight line through sizes and seconds, both as logarithms (least squares)."""
    if len(points) < 2:
        return math.nan
    x, y = zip(*((math.log(size), math.log(seconds)) for size, seconds in points), strict=True)
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def _measured(part: str, size: int, seed: int, processes: int = 1) -> dict[str, Any]:
    """Run one part in a process of its own."""
    options = {"--part": part, "--sizes": size, "--seed": seed, "--processes": processes}
    words = [str(word) for option in options.items() for word in option]
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()
