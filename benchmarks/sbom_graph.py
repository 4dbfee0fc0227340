"""Reading, scoring and what-if of bills of materials with 1,000, 10,000 and 50,000 components.

The SBOMs are invented (`support.big_sboms`): four dependencies a component, vulnerabilities in three of a hundred.
Every size is measured in a process of its own. The aim for 50,000 is under 10 s and 1.5 GB for all three together, and
growth close to linear: the exponent of a power law through the points is printed. Seconds are those of the processor,
one thread, so that whatever else runs on the machine does not count.

Two yardsticks in the same run: networkx, an algorithm at a time, each result compared with ours; and what-if by scoring
anew for every upgrade, timed on a few and extrapolated. networkx is no dependency of MedDojo; without it that part is
left out.

    python benchmarks/sbom_graph.py --sizes 1000 10000 50000 --seed 2026
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from support import big_sboms
from support.feeds import peak_memory

from analyzers.sbom_graph.assess import assess
from analyzers.sbom_graph.cycles import strong_components
from analyzers.sbom_graph.dominators import immediate_dominators
from analyzers.sbom_graph.graph import DependencyGraph, build_graph, distances
from analyzers.sbom_graph.paths import shortest_paths
from analyzers.sbom_graph.reach import EXACT_UP_TO, condense, count_dependents, estimate_dependents
from analyzers.sbom_graph.risk import score
from analyzers.sbom_graph.what_if import rank_removals, rank_upgrades
from connectors.scans.sbom import read_sbom

SAMPLE = 40
STEPS = ("read", "score", "what-if")
AIM_SECONDS, AIM_MEBIBYTES = 10.0, 1536.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 50_000], help="components")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--part", choices=("ours", "networkx"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        gc.set_threshold(20_000, 20, 20)  # as the command does
        print(json.dumps(PARTS[options.part](options.sizes[0], options.seed)))
        return
    found = {size: _measured("ours", size, options.seed) for size in options.sizes}
    print(f"{'components':>10} {'edges':>8} {'file':>8} {'read':>8} {'score':>8} {'what-if':>8} {'all':>8} {'peak':>9}")
    for size, each in found.items():
        times = "".join(f" {each[step]:>6.2f} s" for step in STEPS)
        print(
            f"{size:>10,} {each['edges']:>8,} {each['file'] / 1e6:>5.1f} MB{times} {each['all']:>6.2f} s"
            f" {each['peak']:>5.0f} MiB  score {each['points']:.2f}, first: {each['first']}"
        )
    for step in (*STEPS, "all"):
        print(f"growth of {step}: size ** {_exponent([(size, each[step]) for size, each in found.items()]):.2f}")
    largest = found[max(found)]
    met = largest["all"] < AIM_SECONDS and largest["peak"] < AIM_MEBIBYTES
    print(f"aim at {max(found):,}: under {AIM_SECONDS:g} s and {AIM_MEBIBYTES:g} MiB: {'met' if met else 'MISSED'}")
    print("\nwhat-if by scoring anew for every upgrade, extrapolated from a few:")
    for size, each in found.items():
        print(
            f"{size:>10,}: {each['anew']:>8.1f} s against {each['what-if']:.2f} s"
            f" ({each['anew'] / each['what-if']:,.0f}x)"
        )
    if importlib.util.find_spec("networkx") is None:
        print("\nnetworkx is not installed: not compared")
        return
    print("\nnetworkx on the same graphs (seconds: theirs, ours, ratio), and whether the results are equal:")
    for size in options.sizes:
        for name, row in _measured("networkx", size, options.seed).items():
            print(
                f"{size:>10,}  {name:<34} {row['theirs']:>8.3f} {row['ours']:>8.3f}"
                f" {row['theirs'] / row['ours']:>7.1f}x  {row['said']}"
            )


def measure_ours(size: int, seed: int) -> dict[str, Any]:
    """Everything that ``meddojo sbom score`` does beyond matching."""
    data = big_sboms.cyclonedx(size, seed)
    base = peak_memory()
    seconds: dict[str, float] = {}
    sbom = _timed(seconds, "read", lambda: read_sbom(data, "generated"))
    findings = big_sboms.findings_about(sbom, seed)
    case = big_sboms.case_of(sbom)
    risk = _timed(seconds, "score", lambda: assess(case, sbom, findings)).risk

    def what_if() -> Any:
        upgrades, removals = rank_upgrades(risk), rank_removals(risk)
        return upgrades, removals, [shortest_paths(risk.graph, part.node) for part in risk.ranking[:10]]

    upgrades, _, _ = _timed(seconds, "what-if", what_if)
    peak = peak_memory()
    known = {part.node: part.vulnerabilities for part in risk.ranking}
    candidates = len(rank_upgrades(risk, len(risk.components)))
    began = time.process_time()
    few = min(3, candidates)
    for upgrade in rank_upgrades(risk, few):
        score(risk.graph, {node: each for node, each in known.items() if node not in upgrade.nodes})
    anew = (time.process_time() - began) / few * candidates
    return seconds | {
        "all": sum(seconds.values()),
        "edges": len(sbom.dependencies),
        "file": len(data),
        "peak": peak,
        "base": base,
        "points": risk.score,
        "first": risk.graph.label(upgrades[0].nodes[0]),
        "anew": anew,
    }


def measure_networkx(size: int, seed: int) -> dict[str, Any]:
    """One algorithm after the other, theirs and ours on the same graph."""
    import networkx

    sbom = read_sbom(big_sboms.cyclonedx(size, seed), "generated")
    drawn = networkx.DiGraph()
    graph = build_graph(sbom)
    drawn.add_nodes_from(range(size))
    drawn.add_edges_from((node, target) for node, targets in enumerate(graph.needs) for target in targets)
    chosen = range(1, size, max(1, size // SAMPLE))
    rows = {}
    rows["circles"] = _compare(
        lambda: sorted(map(sorted, networkx.strongly_connected_components(drawn))),
        lambda: sorted(map(sorted, strong_components(graph.needs))),
    )
    rows["dominators"] = _compare(
        lambda: _above(networkx.immediate_dominators(drawn, graph.device), graph.device),
        lambda: _above(dict(enumerate(immediate_dominators(graph.links, graph.device))), graph.device),
    )
    rows["depth"] = _compare(
        lambda: dict(networkx.single_source_shortest_path_length(drawn, graph.device)),
        lambda: dict(enumerate(distances([(graph.device, 0)], graph.needs))),
    )
    rows[f"dependents of {len(chosen)} components"] = _compare(
        lambda: [len(networkx.ancestors(drawn, node) - {graph.device}) for node in chosen],
        lambda: count_dependents(condense(graph.needs), chosen, graph.device).tolist(),
    )
    rows["dependents of all"] = _all_dependents(drawn, graph, networkx)
    began = time.process_time()
    networkx.pagerank(drawn)
    theirs = time.process_time() - began
    began = time.process_time()
    score(graph, {})
    rows["pagerank against our whole score"] = {
        "theirs": theirs,
        "ours": time.process_time() - began,
        "said": "not the same thing",
    }
    return rows


def _all_dependents(drawn: Any, graph: DependencyGraph, networkx: Any) -> dict[str, Any]:
    """Theirs from a sample; ours exact up to a size, then estimated, with the error against the exact numbers."""
    size = len(graph.needs)
    chosen = range(1, size, max(1, size // SAMPLE))
    began = time.process_time()
    for node in chosen:
        networkx.ancestors(drawn, node)
    theirs = (time.process_time() - began) / len(chosen) * size
    condensed = condense(graph.needs)
    began = time.process_time()
    exact = count_dependents(condensed, range(size), graph.device)
    ours, said = time.process_time() - began, "theirs extrapolated"
    if size > EXACT_UP_TO:
        counted = ours
        began = time.process_time()
        estimated = estimate_dependents(condensed, graph.device, 1)
        ours = time.process_time() - began
        many = exact >= 50
        error = math.sqrt((((estimated[many] - exact[many]) / exact[many]) ** 2).mean())
        said += f"; ours estimated, {error:.1%} off where 50 or more (exact: {counted:.2f} s)"
    return {"theirs": theirs, "ours": ours, "said": said}


PARTS: dict[str, Callable[[int, int], dict[str, Any]]] = {"ours": measure_ours, "networkx": measure_networkx}


def _above(dominators: dict[int, Any], device: int) -> dict[int, int]:
    return {node: above for node, above in dominators.items() if node != device and above is not None}


def _compare(theirs: Callable[[], Any], ours: Callable[[], Any]) -> dict[str, Any]:
    seconds: dict[str, float] = {}
    expected, found = _timed(seconds, "theirs", theirs), _timed(seconds, "ours", ours)
    if expected != found:
        sys.exit("our result is not that of networkx")
    return {**seconds, "said": "equal"}


def _timed(seconds: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    began = time.process_time()
    result = work()
    seconds[name] = time.process_time() - began
    return result


def _exponent(points: Sequence[tuple[int, float]]) -> float:
    """Slope of the straight line through sizes and seconds, both as logarithms (least squares)."""
    if len(points) < 2:
        return math.nan
    x, y = zip(*((math.log(size), math.log(seconds)) for size, seconds in points), strict=True)
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def _measured(part: str, size: int, seed: int) -> dict[str, Any]:
    """Run one part in a process of its own."""
    words = ["--part", part, "--sizes", str(size), "--seed", str(seed)]
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


if __name__ == "__main__":
    main()
