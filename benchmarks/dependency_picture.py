"""The picture of a dependency graph: seconds to write it, its size, and how soon a person can use it in Chromium.

Of a real SBOM (Keycloak, 904 components) and of graphs of 5,000 and 50,000 components drawn by lot, all risk drawn by
lot. Beside it, the plain alternative: the whole graph as one SVG of the same layout, which has no script to run but an
element for everything. Times are medians of five loads, from the start of navigation until the page takes input (its
own mark), and for the SVG until it is loaded and painted.

    python benchmarks/dependency_picture.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from connectors.sinks.dependency_graph import to_html, to_svg
from meddojo.dependency_picture import DependencyPicture
from tests.connectors.sinks import picture_samples as samples
from tests.connectors.sinks.browser import CHROMIUM, Browser

LOADS = 5
DRAWN_WHOLE = 5_000
SBOM = Path("sbom", "cyclonedx", "keycloak.cdx.json")
INTERACTIVE = "performance.getEntriesByName('interactive')[0].startTime"
PAINTED = """Math.max(performance.getEntriesByType('navigation')[0].loadEventEnd,
  ...performance.getEntriesByType('paint').map((each) => each.startTime))"""
AFTER_PAINT = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun))))"
SEARCH = """begun = performance.now();
  document.getElementById('search').value = 'core';
  document.getElementById('search').dispatchEvent(new Event('input'));
  document.querySelector('#components button').click();"""
EVERYTHING = "begun = performance.now(); document.getElementById('everything').click();"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real SBOM")
    arguments = parser.parse_args()
    if CHROMIUM is None:
        print("no Chromium on this machine: nothing measured")
        return
    with tempfile.TemporaryDirectory() as name, Browser(Path(name)) as browser:
        browser.screen(1400, 900)
        for picture in pictures(arguments.data):
            measure(browser, Path(name), picture)
    print(f"peak memory of writing {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def pictures(data: Path) -> Iterator[DependencyPicture]:
    if (data / SBOM).exists():
        yield samples.of_sbom(data / SBOM)
    else:
        print(f"{data / SBOM} is missing: graphs drawn by lot only")
    yield samples.grown(5_000)
    yield samples.grown(50_000)


def measure(browser: Browser, folder: Path, picture: DependencyPicture) -> None:
    count = len(picture.nodes)
    print(f"{count:,} components, {len(picture.edges):,} dependencies")
    page, taken = write(folder / "graph.html", lambda: to_html(picture))
    ready = load(browser, page, INTERACTIVE)
    opened = browser.run("dependencyGraph.shown().length")
    print(
        f"  page: {taken:.2f} s, {page.stat().st_size / 1e6:.2f} MB, interactive after {ready:,.0f} ms ({opened} drawn)"
    )
    print(f"  search and select: {spent(browser, SEARCH):,.0f} ms", end="")
    if not browser.run("document.getElementById('everything').disabled"):
        print(f"; everything drawn: {spent(browser, EVERYTHING):,.0f} ms", end="")
    assert not browser.named("Runtime.exceptionThrown")
    drawing, taken = write(folder / "graph.svg", lambda: to_svg(picture))
    print(f"\n  SVG of the risky paths: {taken:.2f} s, {drawing.stat().st_size / 1e6:.2f} MB")
    if count > DRAWN_WHOLE:
        print("  SVG of everything: not tried")
        return
    everything = replace(
        picture, nodes=tuple(replace(each, direct_risk=each.direct_risk + 0.01) for each in picture.nodes)
    )
    whole, taken = write(folder / "whole.svg", lambda: to_svg(everything, most=count))
    painted = load(browser, whole, PAINTED)
    print(f"  SVG of everything: {taken:.2f} s, {whole.stat().st_size / 1e6:.2f} MB, painted after {painted:,.0f} ms")
    print(f"  SVG of everything to page: {painted / ready:.1f} times as long")


def write(file: Path, make: Callable[[], str]) -> tuple[Path, float]:
    begun = time.perf_counter()
    file.write_text(make(), encoding="utf-8")
    return file, time.perf_counter() - begun


def load(browser: Browser, file: Path, moment: str) -> float:
    """Milliseconds from the start of navigation, median."""
    times = []
    for _ in range(LOADS):
        browser.open(file.as_uri())
        times.append(browser.run(moment))
    return statistics.median(times)


def spent(browser: Browser, action: str) -> float:
    """Milliseconds until the picture after an action is painted."""
    found: float = browser.run(f"{action}; {AFTER_PAINT}")
    return found


if __name__ == "__main__":
    main()
