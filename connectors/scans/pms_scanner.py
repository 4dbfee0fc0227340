"""Grype JSON, as PMS-scanner writes it: from Grype 0.7 to the present.

The shape is that of Grype's ``grype/presenter/models``. What changed over the years and is read in every form:
``cvssV2``/``cvssV3`` became the list ``cvss``, ``fixedInVersion`` became ``fix``, ``links`` became ``urls``,
``matchDetails`` became a list, ``searchKey``/``matchedOn`` became ``searchedBy``/``found``, and CPEs became texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from connectors.json_object import JsonObject
from connectors.reading import parse_instant, skipped
from connectors.scans.cpe import cpe23_from_parts, to_cpe23
from meddojo.errors import InputError
from meddojo.interface import Skipped
from meddojo.sbom import Component, ScanMatch, ScanReport
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import CVE_PATTERN, EpssScore, Vulnerability, canonical_id

T = TypeVar("T")

_FIX_STATES = ("fixed", "not-fixed", "wont-fix")
_MATCH_TYPES = ("exact-direct-match", "exact-indirect-match", "cpe-match")
"""Strongest first; a match that was found in several ways counts as the strongest of them."""
_OLD_CPE_KEYS = (
    "Part",
    "Vendor",
    "Product",
    "Version",
    "Update",
    "Edition",
    "Language",
    "SWEdition",
    "TargetSW",
    "TargetHW",
    "Other",
)
_OLD_CVSS = (("cvssV2", "2.0"), ("cvssV3", "3.0"))
_CWE = re.compile(r"(?:CWE-)?([1-9]\d{0,5})")
_CVSS_PREFIX = re.compile(r"CVSS:(\d\.\d)/")


def read_grype(document: Mapping[str, Any], origin: str, received: datetime) -> tuple[ScanReport, tuple[Skipped, ...]]:
    """Read one Grype report.

    A match whose advisory stands for several CVEs (``ALAS-…``, ``ELSA-…``) becomes one match for each CVE: they are
    different vulnerabilities, and the advisory's own id is no alias of any of them.

    Parameters
    ----------
    document
        The parsed JSON.
    origin
        File or URL, for messages.
    received
        Stands in for the time of the scan when the report does not say it; aware.

    Returns
    -------
    report
        All matches that could be read, in document order; none is a valid result.
    skipped
        One for each match that could not be read.

    Raises
    ------
    InputError
        If the document is not a Grype report.
    """
    root = JsonObject.of(document, origin)
    matches = root.value.get("matches")
    if not isinstance(matches, list):
        found = "no list of matches" if "matches" in root.value else 'no key "matches"'
        raise InputError(
            origin, "/matches", f"{found} in this Grype report", "scan again with: grype TARGET --output json"
        )
    read: list[ScanMatch] = []
    left_out: list[Skipped] = []
    for index, value in enumerate(matches):
        try:
            read += list(_matches(JsonObject.of(value, origin, f"/matches/{index}")))
        except InputError as error:
            left_out.append(skipped(error))
    descriptor = _object_or_empty(root, "descriptor")
    report = ScanReport(
        scanner=_text_or_empty(descriptor, "name") or "grype",
        scanner_version=_text_or_empty(descriptor, "version"),
        created=parse_instant(_text_or_empty(descriptor, "timestamp")) or received.astimezone(UTC),
        target=_target(root),
        matches=tuple(read),
    )
    return report, tuple(left_out)


def _matches(match: JsonObject) -> Iterator[ScanMatch]:
    """One match of the report, once for each vulnerability it stands for."""
    main = match.object("vulnerability")
    main.required_text("id")
    component = _component(match.object("artifact"))
    severity = Severity.parse(main.text("severity"))
    fix_state, fix_versions = _fix(main)
    match_type, constraint = _how(match)
    for vulnerability, scores in _vulnerabilities(main, list(match.objects("relatedVulnerabilities"))):
        yield ScanMatch(
            vulnerability=vulnerability,
            component=component,
            severity=severity,
            fix_state=fix_state,
            fix_versions=fix_versions,
            match_type=match_type,
            constraint=constraint,
            epss=next((score for score in scores if score.cve == vulnerability.id), None),
        )


def _vulnerabilities(
    main: JsonObject, related: Sequence[JsonObject]
) -> Iterator[tuple[Vulnerability, tuple[EpssScore, ...]]]:
    """What the record and those it relates to are about, as one vulnerability or, with several CVEs, as many."""
    records = [main, *related]
    names = [record.required_text("id").strip() for record in records]
    cves = sorted({name for name in names if CVE_PATTERN.fullmatch(name)})
    if len(cves) < 2:
        yield _vulnerability(canonical_id(names), names, records), _epss(records)
        return
    shared = () if names[0] in cves else (main,)
    for cve in cves:
        own = [record for record, name in zip(records, names, strict=True) if name == cve]
        yield _vulnerability(cve, [cve], [*own, *shared]), _epss(records)


def _vulnerability(name: str, names: Iterable[str], records: Sequence[JsonObject]) -> Vulnerability:
    return Vulnerability(
        id=name,
        source=records[0].text("namespace") or "grype",
        description=next((text for record in records if (text := record.text("description").strip())), ""),
        aliases=tuple(sorted(set(names) - {name})),
        cvss=_unique(score for record in records for score in _cvss(record)),
        cwes=_unique(number for record in records for number in _cwes(record, name)),
        references=_unique(link for record in records for link in _links(record)),
    )


def _cvss(record: JsonObject) -> Iterator[CvssScore]:
    """Ratings with a vector and a base score within 0 to 10; Grype leaves the score at 0 where it has none."""
    scorer = record.text("namespace") or "grype"
    for rating in record.objects("cvss"):
        score = rating.object("metrics").number("baseScore")
        yield from _score(rating, score, rating.text("version"), rating.text("source") or scorer)
    for key, version in _OLD_CVSS:
        rating = record.object(key)
        yield from _score(rating, rating.number("baseScore"), version, scorer)


def _score(rating: JsonObject, base_score: float | None, version: str, scorer: str) -> Iterator[CvssScore]:
    vector = rating.text("vector").strip()
    prefix = _CVSS_PREFIX.match(vector)
    if vector and base_score is not None and 0.0 <= base_score <= 10.0:
        yield CvssScore(vector, base_score, prefix[1] if prefix else version or "2.0", scorer)


def _cwes(record: JsonObject, name: str) -> Iterator[int]:
    for entry in record.objects("cwes"):
        number = _CWE.fullmatch(entry.text("cwe").strip())
        if number and entry.text("cve") in ("", name):
            yield int(number[1])


def _links(record: JsonObject) -> Iterator[str]:
    for link in (record.text("dataSource"), *record.texts("urls"), *record.texts("links")):
        if link.startswith(("https://", "http://")):
            yield link


def _epss(records: Iterable[JsonObject]) -> tuple[EpssScore, ...]:
    scores = []
    for entry in (entry for record in records for entry in record.objects("epss")):
        probability, percentile, day = entry.number("epss"), entry.number("percentile"), entry.day("date")
        if probability is None or percentile is None or day is None:
            continue
        if not (0.0 <= probability <= 1.0 and 0.0 <= percentile <= 1.0):
            raise entry.error("epss", "is not between 0 and 1")
        scores.append(EpssScore(entry.required_text("cve"), probability, percentile, day))
    return tuple(scores)


def _fix(record: JsonObject) -> tuple[str, tuple[str, ...]]:
    """State and versions of the fix."""
    old = record.text("fixedInVersion").strip()
    if old:
        return "fixed", (old,)
    fix = record.object("fix")
    state = fix.text("state")
    return state if state in _FIX_STATES else "unknown", _unique(fix.texts("versions"))


def _how(match: JsonObject) -> tuple[str, str]:
    """How the scanner decided: the strongest match type and its version constraint."""
    details = match.value.get("matchDetails")
    if isinstance(details, dict):
        detail = match.object("matchDetails")
        by_cpe = any(key in detail.object("searchKey").value for key in ("cpe", "cpes"))
        return "cpe-match" if by_cpe else detail.text("matcher"), detail.object("matchedOn").text("constraint")
    found = [(detail.text("type"), _constraint(detail)) for detail in match.objects("matchDetails")]
    rank = {name: place for place, name in enumerate(_MATCH_TYPES)}
    return min(found, key=lambda item: rank.get(item[0], len(rank)), default=("", ""))


def _constraint(detail: JsonObject) -> str:
    found = _object_or_empty(detail, "found")
    return found.text("versionConstraint") or found.text("constraint")


def _component(artifact: JsonObject) -> Component:
    name = artifact.required_text("name").strip()
    version = artifact.text("version").strip()
    purl = artifact.text("purl").strip()
    return Component(
        ref=artifact.text("id") or purl or f"{name}@{version}",
        name=name,
        version=version,
        purl=purl,
        cpe=_first_cpe(artifact),
        kind=artifact.text("type"),
    )


def _first_cpe(artifact: JsonObject) -> str:
    cpes = artifact.value.get("cpes")
    first = cpes[0] if isinstance(cpes, list) and cpes else ""
    if isinstance(first, dict):
        entry = JsonObject(first, artifact.origin, f"{artifact.pointer}/cpes/0")
        return to_cpe23(entry.text("cpe")) or cpe23_from_parts(entry.text(key) for key in _OLD_CPE_KEYS)
    return to_cpe23(first) if isinstance(first, str) else ""


def _target(root: JsonObject) -> str:
    """What was scanned: an image's name, or the path of a directory, file or SBOM."""
    target = _object_or_empty(root, "source").value.get("target")
    if isinstance(target, str):
        return target
    keys = ("userInput", "name", "path", "imageID")
    values = [target.get(key) for key in keys] if isinstance(target, dict) else []
    return next((value for value in values if isinstance(value, str) and value), "")


def _object_or_empty(parent: JsonObject, key: str) -> JsonObject:
    """The object at `key`; an empty one when there is something else, where that costs no finding."""
    value = parent.value.get(key)
    return JsonObject(value if isinstance(value, dict) else {}, parent.origin, f"{parent.pointer}/{key}")


def _text_or_empty(parent: JsonObject, key: str) -> str:
    value = parent.value.get(key)
    return value.strip() if isinstance(value, str) else ""


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    """Without repetitions, in order."""
    return tuple(dict.fromkeys(values))
