"""What the score says about ten real bills of materials: the figures that docs/sbom.md discusses.

SBOMs of ../shared/data and of the example hospital. Vulnerabilities come from the reports there are, and else from the
CVE records of ../shared/data by product name, with the version bounds that their descriptions state in words ("before
2.9.10.8", "1.2 through 1.4"): a record without such words is left out, so that fewer are found than there are.

    python benchmarks/sbom_rankings.py --lines 3
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from support.feeds import REPOSITORY, SHARED

from analyzers.enrichment import Enrichment
from analyzers.matching import Matching
from analyzers.matching.index import component_keys, package_key
from analyzers.sbom_graph.assess import assess
from analyzers.sbom_graph.graph import Place
from analyzers.sbom_graph.telling import position, removal_line, upgrade_line
from analyzers.sbom_graph.what_if import rank_removals, rank_upgrades
from connectors.reading import read_bytes, read_json_lines, unpack
from connectors.scans.readers import read_contents
from connectors.scans.sbom import read_sbom
from meddojo.case import Case
from meddojo.device import Device
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom, ScanReport
from meddojo.severity import CvssScore
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, EpssScore, KevEntry, Vulnerability

NOW = datetime(2024, 9, 1, tzinfo=UTC)
HOSPITAL = REPOSITORY / "examples" / "hospital"
CONTAINERS = (
    "spdx-syft-balenalib_amd64-alpine-node",
    "spdx-trivy-atlassian_confluence-server",
    "spdx-syft-docker_dtr-nginx",
)
_RELATIONS = {"CONTAINS": (False, DependencyKind.CONTAINS), "DEPENDENCY_OF": (True, DependencyKind.RUNTIME)}
_NUMBER = r"v?(\d+(?:\.\w+)*)"
_RANGE = re.compile(rf"{_NUMBER} (?:through|to) {_NUMBER}")
_FROM = re.compile(
    rf"(?:starting with|since|from)(?: version)? {_NUMBER}[^.;]{{0,40}}?(?:through|before|prior to|up to) {_NUMBER}",
    re.I,
)
_SERIES = re.compile(rf"(\d+(?:\.\d+)*)\.x (?:before|prior to) {_NUMBER}", re.I)
_BELOW = re.compile(rf"(?:before|prior to|earlier than)(?: version)? {_NUMBER}", re.I)
_UP_TO = re.compile(rf"{_NUMBER} and (?:earlier|prior|below|older)|(?:through|up to)(?: version)? {_NUMBER}", re.I)


@dataclass(frozen=True)
class Subject:
    """A device to be ranked."""

    name: str
    sbom: Sbom
    scans: tuple[ScanReport, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=3, help="components, upgrades and removals of each device")
    lines = parser.parse_args().lines
    if not (SHARED / "sbom").is_dir():
        print(f"not measured, missing: {SHARED / 'sbom'}")
        return
    found = list(subjects())
    records, kev, epss = known_about(found)
    for subject in found:
        own = frozenset().union(*map(component_keys, subject.sbom.components))
        named = tuple(record for record in records if not own.isdisjoint(_keys(record)))
        show(subject, () if subject.scans else named, kev, epss, lines)


def subjects() -> Iterator[Subject]:
    """The ten."""
    for file in ("keycloak", "dropwizard-1.3.15", "laravel-7.12.0"):
        yield Subject(file, _read(SHARED / "sbom" / "cyclonedx" / f"{file}.cdx.json"))
    yield Subject("medical device", _read(SHARED / "sbom" / "medical_device_narrow.cdx.json"))
    gateway = _read(HOSPITAL / "sboms" / "infusion-gateway.cdx.json")
    yield Subject("infusion gateway", gateway, (_report(HOSPITAL / "scans" / "infusion-gateway.grype.json"),))
    yield Subject("nurse call console", _read(HOSPITAL / "sboms" / "nurse-call-console.spdx.json"))
    yield from _containers()
    report = _report(SHARED / "grype" / "anchore_grype_many_vulns.json.gz")
    parts = {match.component.ref: match.component for match in report.matches}
    yield Subject("python:3.6, by its Grype report alone", Sbom("none", tuple(parts.values())), (report,))


def show(
    subject: Subject,
    records: tuple[Vulnerability, ...],
    kev: dict[str, KevEntry],
    epss: dict[str, EpssScore],
    lines: int,
) -> None:
    """The score, and the first lines of each ranking."""
    case = Case(
        Device(subject.name, "", subject.name), NOW, sbom=subject.sbom, scans=subject.scans, vulnerabilities=records,
        kev=kev, epss=epss,
    )  # fmt: skip
    findings = Enrichment().judge(case, Matching(0.8, 0.5).judge(case, ()))
    risk = assess(case, subject.sbom, findings).risk
    places = {place.value: risk.graph.places.count(place) for place in Place}
    checks = {each.check for part in risk.ranking for each in part.vulnerabilities}
    print(f"\n== {subject.name}: {risk.score:.1f} {risk.severity.value}, chance {risk.chance:.2f}")
    print(f"   {len(subject.sbom.components)} components {places}, {risk.graph.edges} links,", end=" ")
    print(f"{len(checks)} vulnerabilities in {len(risk.ranking)} components")
    for part in risk.ranking[:lines]:
        known = ", ".join(f"{each.check} {each.chance:.2f}" for each in part.vulnerabilities[:4])
        print(f"   {part.hazard / risk.hazard:4.0%} direct {part.direct:.2f} {position(risk, part.node)}; {known}")
    for upgrade in rank_upgrades(risk, lines):
        print(f"   {upgrade_line(risk, upgrade)}")
    for removal in rank_removals(risk, lines):
        print(f"   {removal_line(risk, removal)}")


def known_about(found: Iterable[Subject]) -> tuple[list[Vulnerability], dict[str, KevEntry], dict[str, EpssScore]]:
    """Records that name a component of any subject, with KEV and EPSS as of the days of the files."""
    import pyarrow.parquet as parquet

    named = frozenset().union(*(component_keys(part) for subject in found for part in subject.sbom.components))
    columns = ["cve", "description", "cvss3", "cvss3_score", "cpes", "kev"]
    records = []
    for batch in parquet.ParquetFile(SHARED / "cve_dev.parquet").iter_batches(columns=columns):
        for row in batch.to_pylist():
            record = _record(row, named)
            records += [record] if record is not None else []
    cves = {record.id for record in records} | {
        name for subject in found for scan in subject.scans for match in scan.matches
        for name in (match.vulnerability.id, *match.vulnerability.aliases)
    }  # fmt: skip
    table = parquet.read_table(SHARED / "epss_2024-09-01.parquet").to_pylist()
    epss = {
        row["cve"]: EpssScore(row["cve"], row["epss"], row["percentile"], NOW.date())
        for row in table
        if row["cve"] in cves
    }
    catalogue = json.loads(gzip.decompress((SHARED / "kev_2024-06-30.json.gz").read_bytes()))
    kev = {
        each["cveID"]: KevEntry(each["cveID"], date.fromisoformat(each["dateAdded"]))
        for each in catalogue["vulnerabilities"]
        if each["cveID"] in cves
    }
    return records, kev, epss


def _record(row: dict[str, Any], named: frozenset[str]) -> Vulnerability | None:
    names = [cpe for cpe in re.split(r"[ ,;|]+", row["cpes"] or "") if cpe.count(":") == 2]
    names = [cpe for cpe in names if package_key(cpe.split(":")[2]) in named]
    bounds = list(_bounds(row["description"] or "")) if names else []
    if not bounds:
        return None
    matches = tuple(replace(bound, criteria=f"cpe:2.3:{cpe}:*:*:*:*:*:*:*:*") for cpe in names for bound in bounds)
    scores = (CvssScore(row["cvss3"], row["cvss3_score"], "3.1", "cve_dev"),) if row["cvss3"] else ()
    return Vulnerability(
        row["cve"], "cve_dev", row["description"], cvss=scores,
        configurations=(Configuration("OR", (CpeNode("OR", matches),)),),
    )  # fmt: skip


def _bounds(text: str) -> Iterator[CpeMatch]:
    """Ranges that a description states; what a longer phrase says is not read again in a shorter one."""
    for start, end in _SERIES.findall(text):
        yield CpeMatch("", version_start_including=start, version_end_excluding=end)
    text = _SERIES.sub(" ", text)
    for pattern in (_FROM, _RANGE):
        for start, end in pattern.findall(text):
            yield CpeMatch("", version_start_including=start, version_end_including=end)
        text = pattern.sub(" ", text)
    for end in _BELOW.findall(text):
        yield CpeMatch("", version_end_excluding=end)
    for one, other in _UP_TO.findall(text):
        yield CpeMatch("", version_end_including=one or other)


def _keys(record: Vulnerability) -> frozenset[str]:
    return frozenset(
        package_key(match.criteria.split(":")[4])
        for configuration in record.configurations
        for node in configuration.nodes
        for match in node.matches
    )


def _containers() -> Iterator[Subject]:
    wanted = set(CONTAINERS)
    for _, row in read_json_lines(SHARED / "sbom" / "sbom_containers_graph.jsonl.zst"):
        name = next((name for name in sorted(wanted) if row["f"].startswith(f"{name}-sha256")), "")
        if name:
            wanted.remove(name)
            yield Subject(name.removeprefix("spdx-"), _container_sbom(row))


def _container_sbom(row: dict[str, Any]) -> Sbom:
    components = tuple(
        Component(str(number), name, version or "", purl or "") for number, (name, version, purl) in enumerate(row["n"])
    )
    edges = []
    for one, other, relation in row["e"]:
        if relation in _RELATIONS:
            turned, kind = _RELATIONS[relation]
            source, target = (other, one) if turned else (one, other)
            edges.append(Dependency(str(source), str(target), kind))
    return Sbom("SPDX 2.3, reduced", components, "", tuple(edges))


def _read(file: Path) -> Sbom:
    return read_sbom(read_bytes(file), str(file))


def _report(file: Path) -> ScanReport:
    contents = read_contents(unpack(read_bytes(file), str(file)), str(file), NOW)
    assert contents.report is not None
    return contents.report


if __name__ == "__main__":
    main()
