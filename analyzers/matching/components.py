"""Scan reports of a device, weighed by whether its bill of materials lists the component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from analyzers.matching.candidates import Candidate, Source
from analyzers.matching.factors import IN_SBOM
from analyzers.matching.identifiers import purl_key, purl_version
from analyzers.matching.names.normalise import squash
from analyzers.matching.versions.order import compare, parse_version
from meddojo.finding import Citation
from meddojo.sbom import Component, Sbom, ScanMatch, ScanReport

SCANNER_ONLY = 0.9
OTHER_VERSION = 0.7
"""Probability that the component is on the device, where its bill of materials does not list it as reported."""

MATCH_TYPE_FACTOR: Mapping[str, float] = {"cpe-match": 0.92, "exact-indirect-match": 0.97}
"""How sure the scanner's own way of matching is; 1 for direct matches."""


def match_scan(report: ScanReport, sbom: Sbom | None) -> Iterator[Candidate]:
    """Each match of a scan report as a candidate, weighed by the device's bill of materials."""
    inventory = _versions_by_name(sbom) if sbom is not None else None
    for match in report.matches:
        probability, said = _weigh(match.component, inventory)
        probability = round(probability * MATCH_TYPE_FACTOR.get(match.match_type, 1.0), 4)
        yield _candidate(report, match, probability, said)


def _candidate(report: ScanReport, match: ScanMatch, probability: float, said: str) -> Candidate:
    record = match.vulnerability
    how = f" ({match.match_type})" if match.match_type else ""
    within = f", version in {match.constraint!r}" if match.constraint else ""
    reason = f"{report.scanner} reports {record.id} in {match.component.label!r}{how}{within}; {said}"
    document = match.component.purl or match.component.label
    return Candidate(
        identifiers=tuple(dict.fromkeys((record.id, *record.aliases))),
        source=Source.SCAN,
        citation=Citation(report.scanner, document, probability, reason),
        summary=record.description,
        cvss=record.cvss,
        cwes=record.cwes,
        severity=match.severity,
        epss=match.epss,
        components=(match.component,),
        fix_versions=match.fix_versions,
        references=record.references,
    )


def _weigh(component: Component, inventory: Mapping[str, frozenset[str]] | None) -> tuple[float, str]:
    if inventory is None:
        return SCANNER_ONLY, "the device has no bill of materials to compare with"
    listed = next((inventory[key] for key in _look_up(component) if key in inventory), frozenset())
    version = component.version or purl_version(component.purl)
    if not listed:
        return SCANNER_ONLY, "the bill of materials does not list this component"
    if not version or any(_same_version(version, other) for other in listed):
        return (
            IN_SBOM,
            "the bill of materials lists it at that version" if version else "the bill of materials lists it",
        )
    if listed == {""}:
        return SCANNER_ONLY, "the bill of materials lists it without a version"
    others = ", ".join(sorted(other for other in listed if other))
    return OTHER_VERSION, f"the bill of materials lists it at another version: {others}"


def _versions_by_name(sbom: Sbom) -> Mapping[str, frozenset[str]]:
    versions: dict[str, set[str]] = {}
    for component in sbom.components:
        for key in _listed_as(component):
            versions.setdefault(key, set()).add(component.version or purl_version(component.purl))
    return {key: frozenset(found) for key, found in versions.items()}


@lru_cache(maxsize=65536)
def _listed_as(component: Component) -> tuple[str, ...]:
    """Keys of a listed component: package URL without its version, and its name."""
    name = squash(component.name)
    purl = purl_key(component.purl)
    return (purl, f"name:{name}") if purl else (f"bare:{name}", f"name:{name}")


@lru_cache(maxsize=65536)
def _look_up(component: Component) -> tuple[str, ...]:
    """Keys under which a scanned component may be listed; a bare name never stands for another ecosystem's package."""
    name = squash(component.name)
    purl = purl_key(component.purl)
    return (purl, f"bare:{name}") if purl else (f"name:{name}",)


def _same_version(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = parse_version(one), parse_version(other)
    return bool(first and second and compare(first, second) == 0)
