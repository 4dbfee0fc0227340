"""Invented bills of materials of any size, shaped like real ones, and findings about their components."""

from __future__ import annotations

import hashlib
import json
import random
from datetime import UTC, date, datetime

from meddojo.case import Case
from meddojo.device import Device
from meddojo.finding import Finding, Stream
from meddojo.sbom import Sbom
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import EpssScore

VULNERABLE = 0.03
_EDGES = 4
_BACKWARDS = 0.005
_VECTOR = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
DEVICE = Device("device", "Example", "Large device", "1.0")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def edges(size: int, seed: int) -> list[tuple[int, int]]:
    """About four dependencies a component, by preferential attachment (D. J. de Solla Price, 1976), node 0 the root.

    Every component is needed by an earlier one, so that all are reached. The other dependencies go to components in
    proportion to how many need them already: few are needed by very many, as in real package graphs. One in two
    hundred goes backwards, and closes a circle.
    """
    chance = random.Random(seed)
    found: dict[tuple[int, int], None] = {}
    popular: list[int] = []
    busy = [0]
    for node in range(1, size):
        parent = chance.choice(busy)
        found[parent, node] = None
        busy += [node, parent] if chance.random() < 0.5 else [node]
        popular.append(node)
        for _ in range(_EDGES - 1):
            other = chance.choice(popular)
            source, target = (node, other) if chance.random() < _BACKWARDS else (min(node, other), max(node, other))
            if source != target:
                found[source, target] = None
                popular.append(target)
    return list(found)


def cyclonedx(size: int, seed: int) -> bytes:
    """A CycloneDX 1.5 document with package URLs, hashes and licences."""
    below: dict[int, list[str]] = {}
    for source, target in edges(size, seed):
        below.setdefault(source, []).append(f"ref-{target}")
    parts = [_component(number) for number in range(size)]
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "metadata": {"component": parts[0]},
            "components": parts[1:],
            "dependencies": [{"ref": f"ref-{node}", "dependsOn": targets} for node, targets in below.items()],
        }
    ).encode()


def case_of(sbom: Sbom) -> Case:
    """The case of a device with nothing but an SBOM."""
    return Case(DEVICE, NOW, sbom=sbom)


def findings_about(sbom: Sbom, seed: int) -> list[Finding]:
    """One vulnerability each in three components of a hundred."""
    chance = random.Random(seed + 1)
    chosen = sorted(chance.sample(range(1, len(sbom.components)), max(1, round(len(sbom.components) * VULNERABLE))))
    return [_finding(sbom, number, chance) for number in chosen]


def _component(number: int) -> dict[str, object]:
    name, version = f"package-{number}", f"1.{number % 30}.{number % 7}"
    return {
        "type": "library",
        "bom-ref": f"ref-{number}",
        "name": name,
        "version": version,
        "purl": f"pkg:npm/{name}@{version}",
        "licenses": [{"license": {"id": "MIT"}}],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(name.encode()).hexdigest()}],
    }


def _finding(sbom: Sbom, number: int, chance: random.Random) -> Finding:
    check = f"CVE-2025-{number:05d}"
    score = round(chance.uniform(3.0, 9.8), 1)
    return Finding(
        Stream.VULNERABILITIES,
        DEVICE.id,
        check,
        check,
        Severity.from_score(score),
        "",
        1.0,
        cvss=(CvssScore(_VECTOR, score, "3.1", "example"),),
        epss=EpssScore(check, chance.random() ** 8, 0.5, date(2026, 1, 1)),
        components=(sbom.components[number],),
        fix_versions=("2.0.0",) if chance.random() < 0.8 else (),
    )
