"""Trivy JSON: schema version 2, and the bare list of results that Trivy wrote before 0.20.

What Trivy finds besides vulnerabilities (misconfigurations, secrets, licences) is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.json_object import JsonObject
from connectors.reading import parse_instant, skipped
from connectors.scans.ratings import cvss_score, cwe_numbers, web_links
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import Component, ScanMatch, ScanReport
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import Vulnerability, canonical_id

SCHEMA_VERSION = 2

_CVSS = (("V40Vector", "V40Score", "4.0"), ("V3Vector", "V3Score", "3.1"), ("V2Vector", "V2Score", "2.0"))
_FIX_STATES = {"fixed": "fixed", "will_not_fix": "wont-fix", "affected": "not-fixed", "fix_deferred": "not-fixed"}
_FRACTION = re.compile(r"\.(\d{6})\d+")
"""Go writes nanoseconds."""


def read_trivy(document: Any, origin: str, received: datetime) -> tuple[ScanReport, tuple[Skipped, ...]]:
    """Read one Trivy report.

    Parameters
    ----------
    document
        The parsed JSON: an object with ``Results``, or in the old form the list of results itself.
    received
        Stands in for the time of the scan, which the old form never says; aware.

    Returns
    -------
    report
        All vulnerabilities that could be read, in document order; none is a valid result.
    skipped
        One for each that could not be read.

    Raises
    ------
    InputError
        If it is no Trivy report, or of a schema version that is not known.
    """
    root = JsonObject.of({"SchemaVersion": 2, "Results": document} if isinstance(document, list) else document, origin)
    version = root.number("SchemaVersion")
    if version != SCHEMA_VERSION:
        raise InputError(origin, "/SchemaVersion", f"{version} is not a schema that is read", "use Trivy 0.20 or later")
    matches: list[ScanMatch] = []
    left_out: list[Skipped] = []
    targets: list[str] = []
    for result in root.entries("Results"):
        if isinstance(result, Skipped):
            left_out.append(result)
            continue
        targets.append(result.text("Target"))
        for entry in result.entries("Vulnerabilities"):
            if isinstance(entry, Skipped):
                left_out.append(entry)
                continue
            try:
                matches += _matches(entry, result.text("Type"))
            except InputError as error:
                left_out.append(skipped(error))
    report = ScanReport(
        scanner="trivy",
        scanner_version=root.object("Trivy").text("Version"),
        created=parse_instant(_FRACTION.sub(r".\1", root.text("CreatedAt"))) or received,
        target=root.text("ArtifactName") or ", ".join(filter(None, dict.fromkeys(targets))),
        matches=tuple(matches),
    )
    return report, tuple(left_out)


def _matches(entry: JsonObject, kind: str) -> Iterator[ScanMatch]:
    """One vulnerability of a package; none where the report says itself that the package does not have it."""
    status = entry.text("Status")
    if status == "not_affected":
        return
    fixed = tuple(version.strip() for version in entry.text("FixedVersion").split(",") if version.strip())
    yield ScanMatch(
        vulnerability=_vulnerability(entry),
        component=_component(entry, kind),
        severity=Severity.parse(entry.text("Severity")),
        fix_state="fixed" if fixed else _FIX_STATES.get(status, "unknown"),
        fix_versions=fixed,
    )


def _vulnerability(entry: JsonObject) -> Vulnerability:
    main = entry.required_text("VulnerabilityID").strip()
    # Vendor ids (DSA-…, RHSA-…) name advisories that stand for several vulnerabilities: they are no aliases.
    name = canonical_id([main])
    return Vulnerability(
        id=name,
        source=entry.text("SeveritySource") or "trivy",
        description=entry.text("Description").strip() or entry.text("Title").strip(),
        cvss=tuple(_ratings(entry)),
        cwes=cwe_numbers(entry.texts("CweIDs")),
        references=web_links((entry.text("PrimaryURL"), *entry.texts("References"))),
        published=parse_instant(entry.text("PublishedDate")),
        modified=parse_instant(entry.text("LastModifiedDate")),
    )


def _ratings(entry: JsonObject) -> Iterator[CvssScore]:
    by_source = entry.object("CVSS")
    for source in by_source.value:
        rating = by_source.object(source)
        for vector, score, version in _CVSS:
            found = cvss_score(rating.text(vector), rating.number(score), source, version)
            if found:
                yield found


def _component(entry: JsonObject, kind: str) -> Component:
    name = entry.required_text("PkgName").strip()
    version = entry.text("InstalledVersion").strip()
    purl = entry.object("PkgIdentifier").text("PURL").strip()
    return Component(
        ref=entry.text("PkgID") or purl or f"{name}@{version}", name=name, version=version, purl=purl, kind=kind
    )
