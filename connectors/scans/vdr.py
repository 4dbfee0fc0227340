"""CycloneDX vulnerability disclosure reports (VDR): which known vulnerabilities the parts of a product have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.json_object import JsonObject
from connectors.reading import skipped
from connectors.scans.cyclonedx_parts import Parts, read_parts
from connectors.scans.ratings import cvss_score, rated, web_links
from connectors.scans.vex.cyclonedx import STATES
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import Component, ScanMatch, ScanReport
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import SsvcPoints, Vulnerability, canonical_id

_CVSS_METHODS: Mapping[str, str] = {"CVSSv2": "2.0", "CVSSv3": "3.0", "CVSSv31": "3.1", "CVSSv4": "4.0"}
"""OWASP and other methods rate on scales of their own: only their band is taken. Of SSVC the decision points are."""

_SSVC_POINTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "E": ("exploitation", {"N": "none", "P": "public poc", "A": "active"}),
    "A": ("automatable", {"N": "no", "Y": "yes"}),
    "T": ("technical_impact", {"P": "partial", "T": "total"}),
}
"""Metric of an SSVC vector (``SSVCv2/E:A/A:Y/T:T/2024-01-01T00:00:00Z``) -> decision point, and its values."""

_FIX = re.compile(r"\b(?:upgrade|update)\b[^.;]*?\bto\b[^.;]*?\b(?:version )?v?(\d[\w.+-]*\w)", re.IGNORECASE)


def read_vdr(document: Any, origin: str, received: datetime) -> tuple[ScanReport, tuple[Skipped, ...]]:
    """Read the vulnerabilities of a CycloneDX document, one match for each component they affect.

    A vulnerability whose analysis says that it is resolved, false positive or does not affect is no match.

    Parameters
    ----------
    received
        Stands in for the time of a document that has none; aware.

    Returns
    -------
    report
        All matches that could be read, in document order; none is a valid result.
    skipped
        One for each vulnerability that could not be read.

    Raises
    ------
    InputError
        If it is no CycloneDX document.
    """
    root = JsonObject.of(document, origin)
    if root.text("bomFormat").lower() != "cyclonedx":
        raise root.error("bomFormat", "is not CycloneDX")
    metadata = root.object("metadata")
    parts = read_parts(root)
    matches: list[ScanMatch] = []
    left_out: list[Skipped] = []
    for entry in root.entries("vulnerabilities"):
        if isinstance(entry, Skipped):
            left_out.append(entry)
            continue
        try:
            matches += _matches(entry, parts)
        except InputError as error:
            left_out.append(skipped(error))
    name, version = _tool(metadata)
    report = ScanReport(
        scanner=name or "CycloneDX VDR",
        scanner_version=version,
        created=metadata.instant("timestamp") or received,
        target=parts.root.label if parts.root else "",
        matches=tuple(matches),
    )
    return report, tuple(left_out)


def _tool(metadata: JsonObject) -> tuple[str, str]:
    """The first tool: an entry of a list up to 1.4, a component from 1.5 on."""
    tools = metadata.value.get("tools")
    entries = metadata.objects("tools") if isinstance(tools, list) else metadata.object("tools").objects("components")
    return next(((tool.text("name").strip(), tool.text("version").strip()) for tool in entries), ("", ""))


def _matches(entry: JsonObject, parts: Parts) -> Iterator[ScanMatch]:
    state = STATES.get(entry.object("analysis").text("state"))
    if state is not None and state.clears:
        return
    vulnerability = _vulnerability(entry)
    bands = [_band(rating) for rating in entry.objects("ratings")]
    fix = _FIX.search(entry.text("recommendation"))
    for component, constraint in _affected(entry, parts):
        yield ScanMatch(
            vulnerability=vulnerability,
            component=component,
            severity=max((band for band in bands if band), key=lambda band: band.rank, default=None),
            fix_state="fixed" if fix else "unknown",
            fix_versions=(fix[1],) if fix else (),
            constraint=constraint,
        )


def _affected(entry: JsonObject, parts: Parts) -> Iterator[tuple[Component, str]]:
    """Each affected component with the versions stated for it; without any, what the document describes."""
    targets = list(entry.objects("affects"))
    if not targets:
        if parts.root is None:
            raise entry.error("affects", "is missing, and the document describes no component")
        yield parts.root, ""
    for target in targets:
        component = parts.find(target.required_text("ref"))
        stated = [
            (each.text("version") or each.text("range"), each.text("status") or "affected")
            for each in target.objects("versions")
        ]
        if component.version and any(
            version == component.version and status == "unaffected" for version, status in stated
        ):
            continue
        yield component, " | ".join(version for version, status in stated if version and status == "affected")


def _vulnerability(entry: JsonObject) -> Vulnerability:
    source = entry.object("source")
    names = [entry.required_text("id").strip()]
    names += [each.text("id").strip() for each in entry.objects("references") if each.text("id").strip()]
    name = canonical_id(names[:1])
    numbers = entry.value.get("cwes")
    cwes = [number for number in numbers if isinstance(number, int)] if isinstance(numbers, list) else []
    links = (source.text("url"), *(advisory.text("url") for advisory in entry.objects("advisories")))
    return Vulnerability(
        id=name,
        source=source.text("name") or "CycloneDX VDR",
        description=entry.text("description").strip() or entry.text("detail").strip(),
        aliases=tuple(sorted(set(names) - {name})),
        cvss=tuple(_scores(entry)),
        cwes=tuple(dict.fromkeys(number for number in cwes if number > 0)),
        references=web_links(links),
        published=entry.instant("published"),
        modified=entry.instant("updated"),
        ssvc=_ssvc(entry),
    )


def _band(rating: JsonObject) -> Severity | None:
    """The band stated, or that of the score where it is one of CVSS."""
    score = rating.number("score")
    stated = Severity.parse(rating.text("severity"))
    if stated or score is None or not 0.0 <= score <= 10.0 or rating.text("method") not in _CVSS_METHODS:
        return stated
    return Severity.from_score(score)


def _ssvc(entry: JsonObject) -> SsvcPoints | None:
    """Decision points of the first rating that has some."""
    for rating in entry.objects("ratings"):
        if rating.text("method") != "SSVC":
            continue
        points: dict[str, str] = {}
        for part in rating.text("vector").split("/"):
            metric, _, value = part.partition(":")
            name, values = _SSVC_POINTS.get(metric.strip().upper(), ("", {}))
            if value.strip().upper() in values:
                points.setdefault(name, values[value.strip().upper()])
        if points:
            return SsvcPoints(publisher=_scorer(rating, entry), **points)
    return None


def _scorer(rating: JsonObject, entry: JsonObject) -> str:
    return rating.object("source").text("name") or entry.object("source").text("name")


def _scores(entry: JsonObject) -> Iterator[CvssScore]:
    """Ratings by CVSS, also where only the vector says so; a score that is missing is worked out."""
    for rating in entry.objects("ratings"):
        vector, score = rating.text("vector").strip(), rating.number("score")
        version = _CVSS_METHODS.get(rating.text("method")) or ("3.1" if vector.startswith("CVSS:") else "")
        if not version or not vector:
            continue
        if score is None and version != "2.0" and not vector.startswith("CVSS:"):
            vector = f"CVSS:{version}/{vector}"
        scorer = _scorer(rating, entry)
        found = rated(vector, scorer) if score is None else cvss_score(vector, score, scorer, version)
        if found:
            yield found
