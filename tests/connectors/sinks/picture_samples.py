"""Dependency graphs to draw: of a real SBOM, of any size, and a hostile one. All risk in them is drawn by lot."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from connectors.scans.sbom import read_sbom
from meddojo.dependency_picture import DependencyPicture, PictureEdge, PictureNode, PictureVulnerability
from meddojo.sbom import DependencyKind
from meddojo.severity import Severity

GENERATED = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "<!--<script>alert(1)</script>",
    "]]></text><script>alert(1)</script>",
    "{{7*7}}{% raw %}",
    "javascript:alert(1)",
    "invoice\u202egnp.exe",
    "null\x00bell\x07escape\x1b[31m",
    "line\nbreak\u2028and\u2029more",
    "half \ud800 a pair",
    "Z" + "\u0310\u0311\u0312" * 200,
    "wide 漢字 " + "界" * 100,
    "w" * 10_000,
    "&lt;b&gt;&amp;",
    "__proto__",
    "constructor",
    "",
)


def of_sbom(file: Path, share: float = 0.04, seed: int = 1) -> DependencyPicture:
    """A real SBOM's graph, `share` of its components made vulnerable by lot."""
    sbom = read_sbom(file.read_bytes(), file.name)
    place = {component.ref: number for number, component in enumerate(sbom.components)}
    lot = random.Random(seed)
    nodes = [_node(each.ref, each.name, each.version, each.kind, share, lot) for each in sbom.components]
    edges = [PictureEdge(place[each.source], place[each.target], each.kind) for each in sbom.dependencies]
    root = place.get(sbom.root)
    title = sbom.components[root].label if root is not None else file.name
    return _picture(title, nodes, edges, root, f"{file.name}, {sbom.format}")


def grown(count: int, share: float = 0.02, seed: int = 1) -> DependencyPicture:
    """`count` components that came one after the other, each needed by one to three of those before it.

    Who needs much is likely to need more: out-degrees are as uneven as those of real lock files, paths as short.
    """
    lot = random.Random(seed)
    words = ("core", "http", "json", "image", "codec", "parser", "client", "driver", "crypto", "table", "log", "wave")
    nodes = [_node("root", "infusion-gateway", "4.2.0", "firmware", 0, lot)]
    edges: list[PictureEdge] = []
    sources = [0] * 40
    for number in range(1, count):
        name = f"{lot.choice(words)}-{lot.choice(words)}-{number}"
        version = f"{lot.randrange(12)}.{lot.randrange(40)}.{lot.randrange(9)}"
        nodes.append(_node(f"pkg:generic/{name}@{version}", name, version, "library", share, lot))
        for source in {lot.choice(sources) for _ in range(lot.choice((1, 1, 2, 3)))}:
            edges.append(PictureEdge(source, number, lot.choice((DependencyKind.RUNTIME,) * 9 + tuple(DependencyKind))))
            sources.append(source)
        sources.append(number)
    return _picture(f"A device with {count:,} components", nodes, edges, 0, "drawn by lot")


def hostile(attacks: Sequence[str] = HOSTILE) -> DependencyPicture:
    """Every text of the picture is an attack."""
    root = PictureNode(attacks[0], attacks[0], attacks[0], attacks[0], advice=attacks[0])
    nodes = [root]
    for number, attack in enumerate(attacks):
        flaw = PictureVulnerability(attack or "CVE-2024-0001", list(Severity)[number % 5], attack, number % 3 == 0)
        nodes.append(PictureNode(attack, attack, attack, attack, 5.0, 6.0, (flaw,), 0.5, attack))
    edges = [PictureEdge(0, number) for number in range(1, len(nodes))]
    edges += [PictureEdge(number, number % len(attacks) + 1) for number in range(1, len(nodes))]  # a cycle
    title = attacks[0] + attacks[1]
    return DependencyPicture(title, tuple(nodes), tuple(edges), 0, title, float("nan"), GENERATED)


def _node(ref: str, name: str, version: str, kind: str, share: float, lot: random.Random) -> PictureNode:
    flaws: tuple[PictureVulnerability, ...] = ()
    if lot.random() < share:
        flaws = tuple(_flaw(lot) for _ in range(lot.choice((1, 1, 1, 2, 3, 5))))
    risk = max((2.2 * each.severity.rank + each.exploited for each in flaws), default=0.0)
    advice = "upgrade to 99.1.0" if risk > 8 else ""
    return PictureNode(
        ref, name, version, kind, risk, min(10, risk + lot.random()), flaws, lot.betavariate(1, 20), advice
    )


def _flaw(lot: random.Random) -> PictureVulnerability:
    severity = lot.choices(list(Severity), (1, 3, 6, 4, 1))[0]
    note = f"CVSS {2.2 * severity.rank:.1f}, fixed in 99.1.0"
    return PictureVulnerability(
        f"CVE-{lot.randint(2015, 2025)}-{lot.randint(1000, 49999)}", severity, note, lot.random() < 0.05
    )


def _picture(
    title: str, nodes: Iterable[PictureNode], edges: Iterable[PictureEdge], root: int | None, subtitle: str
) -> DependencyPicture:
    return DependencyPicture(title, tuple(nodes), tuple(edges), root, subtitle, 6.3, GENERATED)
