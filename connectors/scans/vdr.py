"""CycloneDX vulnerability disclosure reports (VDR): which known vulnerabilities the parts of a product have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.reading import JsonObject, skipped
from connectors.scans.cyclonedx_parts import Parts, read_parts
from connectors.scans.ratings import cvss_score, web_links
from connectors.scans.vex.cyclonedx import STATES
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import Component, ScanMatch, ScanReport
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import Vulnerability, canonical_id

_CVSS_METHODS: Mapping[str, str] = {"CVSSv2": "2.0", "CVSSv3": "3.0", "CVSSv31": "3.1", "CVSSv4": "4.0"}
"""Other methods (OWASP, SSVC, other) rate on scales of their own: only their band is taken."""

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
    bands = [Severity.parse(rating.text("severity")) for rating in entry.objects("ratings")]
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
    )


def _scores(entry: JsonObject) -> Iterator[CvssScore]:
    for rating in entry.objects("ratings"):
        version = _CVSS_METHODS.get(rating.text("method"))
        scorer = rating.object("source").text("name") or entry.object("source").text("name")
        if version:
            found = cvss_score(rating.text("vector"), rating.number("score"), scorer, version)
            if found:
                yield found
