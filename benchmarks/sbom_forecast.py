"""The forecast of components' CVEs beside what it has to beat, and how fast the shipped model is.

Learns from Debian bullseye on 2022-06-30 and the year after, measures on Debian bookworm on 2023-06-30 and the year
after; the alternatives are the number of past CVEs, dependents, PageRank, logistic regression and XGBoost with and
without the graph, and GraphSAGE without its edges or with random ones.

    python benchmarks/sbom_forecast.py --packages ../debian --fetch http://MIRROR/debian
    python benchmarks/sbom_forecast.py --packages ../debian --data ../shared/data
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from analyzers.sbom_graph.forecast.artefacts import shipped, shipped_folder
from analyzers.sbom_graph.forecast.debian import LARGEST, PACKAGES, SOURCES
from analyzers.sbom_graph.forecast.features import matrix
from analyzers.sbom_graph.forecast.graph import Graph
from analyzers.sbom_graph.forecast.history import History
from analyzers.sbom_graph.forecast.snapshot import RELEASES, read_parts, read_records, read_snapshot
from analyzers.sbom_graph.forecast.tables import markdown
from analyzers.sbom_graph.forecast.training import best, compare, measured

TABLE = "cve_dev.parquet"
SIZES = (100, 1_000, 10_000, 50_000)
LOADING = """
import time
begun = time.perf_counter()
from analyzers.sbom_graph.forecast import forecast
from meddojo.sbom import Component, Sbom
imported = time.perf_counter()
forecast(Sbom("CycloneDX 1.5", (Component("a", "a"),)), {})
print(f"{imported - begun:.2f} s to import, {time.perf_counter() - imported:.2f} s to load and forecast one component")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--packages", type=Path, default=Path("../debian"), help="folder with the indices of both releases"
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--fetch", metavar="URL", help="fetch the indices from this Debian mirror, and stop")
    parser.add_argument("--speed-only", action="store_true", help="measure the shipped model's speed alone")
    arguments = parser.parse_args()
    if arguments.fetch:
        fetch(arguments.fetch, arguments.packages)
        return
    speed()
    if arguments.speed_only:
        return
    for needed in (arguments.packages / "bookworm", arguments.data / TABLE):
        if not needed.exists():
            print(f"{needed} is missing: nothing compared")
            return
    compared(arguments.packages, arguments.data / TABLE)


def fetch(mirror: str, folder: Path) -> None:
    """The four indices, 35 MB."""
    for release, _ in RELEASES.values():
        for name in (SOURCES, PACKAGES):
            target = folder / release / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with urlopen(f"{mirror.rstrip('/')}/dists/{release}/main/{name.as_posix()}", timeout=60) as answer:  # noqa: S310
                target.write_bytes(answer.read(LARGEST))
            print(f"{target}: {target.stat().st_size:,} bytes")


def speed() -> None:
    """A fresh interpreter, then graphs of growing size, each component with three dependencies."""
    size = sum(len(file.read_bytes()) for file in shipped_folder().iterdir())
    done = subprocess.run([sys.executable, "-c", LOADING], text=True, capture_output=True, check=True)
    print(f"shipped model: {size / 1e3:.0f} kB; {done.stdout.strip()}")
    random = np.random.default_rng(1)
    shipped().probabilities(Graph.of("a", ()), matrix(Graph.of("a", ()), "a", [History()]))  # loads what it needs
    before = 0.0
    for number in SIZES:
        refs = [f"component-{each}" for each in range(number)]
        ends = (number * random.random((3 * number, 2)) ** 2).astype(int)
        histories = [History(int(count), 0, 0, 500 if count else None) for count in random.poisson(0.2, number)]
        begun = time.perf_counter()
        graph = Graph.of(refs, ((refs[a], refs[b]) for a, b in ends))
        shipped().probabilities(graph, matrix(graph, refs, histories))
        took = time.perf_counter() - begun
        print(
            f"{number:,} components: {took:.2f} s" + (f", {took / before:.1f} times the size before" if before else "")
        )
        before = took


def compared(packages: Path, table: Path) -> None:
    from scheduler.train_forecast import fit_network

    begun = time.perf_counter()
    records = read_records(table)
    year, later = (read_snapshot(packages, release, day, records) for release, day in RELEASES.values())
    parts = read_parts(packages, RELEASES["test"][0], later)
    comparison = compare(year, fit_network, lambda _: None)
    winner = best(comparison, later)
    for each in measured(comparison, winner, year, later, parts):
        print(markdown(each), flush=True)
    print(f"best: {winner.name}; trained and measured in {time.perf_counter() - begun:,.0f} s")


if __name__ == "__main__":
    main()
