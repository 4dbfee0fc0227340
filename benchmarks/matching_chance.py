"""How many devices that no advisory can mean are delivered all the same, because their names agree by chance.

The devices have invented model names at real vendors and version 1.0, and go through the same index as a fleet. Names
are made in another way than those the weights were fitted on (`benchmarks/calibrate_matching.py`).

    python benchmarks/matching_chance.py                     counts by band
    python benchmarks/matching_chance.py --list              and what was delivered, with the reason
"""

from __future__ import annotations

import argparse
from collections import Counter

from support import feeds
from support.hospital_group import invented_devices

from analyzers.matching.fleet import index_leaves, match_fleet
from meddojo.config import AnalyzerConfig

CONFIG = AnalyzerConfig()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=3_000, help="invented devices")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--list", action="store_true", help="print each delivered device with the reason")
    arguments = parser.parse_args()
    if feeds.missing():
        print(f"not measured, {feeds.missing()}")
        return
    medical, industrial = (list(feeds.advisories_of(feed)) for feed in (feeds.MEDICAL, feeds.INDUSTRIAL))
    devices = invented_devices(arguments.size, medical, industrial, arguments.seed)
    bands: Counter[str] = Counter()
    for matches in match_fleet(devices, index_leaves([*medical, *industrial])):
        best = max((found.citation for found in matches.statements), key=lambda found: found.probability, default=None)
        bands[band(best.probability if best else 0.0)] += 1
        if arguments.list and best and best.probability >= CONFIG.threshold:
            print(f"{best.probability:.2f} {best.reason}")
    print(f"{len(devices):,} devices that do not exist (seed {arguments.seed}), by their most probable match:")
    for name in ("delivered", "for review", "dropped", "no match"):
        print(f"  {name:12} {bands[name]:6,}")


def band(probability: float) -> str:
    """What happens to a match of this probability."""
    if probability >= CONFIG.threshold:
        return "delivered"
    if probability >= CONFIG.review_threshold:
        return "for review"
    return "dropped" if probability > 0 else "no match"


if __name__ == "__main__":
    main()
