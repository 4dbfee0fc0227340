"""What several sources say about one vulnerability on one device becomes one finding that cites them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzers.matching.aliases import group_by_alias
from analyzers.matching.candidates import Candidate, Source
from meddojo.case import Case
from meddojo.finding import Finding, Stream
from meddojo.sbom import Component
from meddojo.severity import CvssScore, Severity
from meddojo.vulnerability import Vulnerability, canonical_id

NVD_SCORER = "nvd@nist.gov"
UNRATED = "no source rates it yet; shown as Medium until one does"


@dataclass(frozen=True, slots=True)
class _Rating:
    """A published score with the source that carries it; smaller `rank` goes first."""

    rank: int
    source: str
    cvss: CvssScore


def merge(
    case: Case, candidates: Sequence[Candidate], threshold: float, review_threshold: float
) -> tuple[Finding, ...]:
    """Merge candidates into findings, sorted by vulnerability.

    Parameters
    ----------
    threshold, review_threshold
        Findings at or above `threshold` are delivered, those from `review_threshold` on need review, the rest is
        left out.
    """
    records = _records_by_alias(case.vulnerabilities)
    findings = []
    for group in group_by_alias(candidates, case.known_as):
        probability = max(candidate.citation.probability for candidate in group)
        if probability >= review_threshold:
            findings.append(_finding(case, group, records, probability < threshold))
    return tuple(sorted(findings, key=lambda finding: finding.check))


def check_id(identifiers: Iterable[str], known_as: Mapping[str, str]) -> str:
    """The id a vulnerability goes by: the one it was found under before, else its canonical id."""
    names = sorted(set(identifiers))
    known = sorted({known_as[name] for name in names if name in known_as})
    return canonical_id(known or names)


def _records_by_alias(records: Iterable[Vulnerability]) -> Mapping[str, tuple[Vulnerability, ...]]:
    """Records of the case by every name of theirs: they describe a vulnerability, whatever products they name."""
    found: dict[str, list[Vulnerability]] = {}
    for record in sorted(records, key=lambda record: (record.source, record.id)):
        for name in dict.fromkeys((record.id, *record.aliases)):
            found.setdefault(name, []).append(record)
    return {name: tuple(entries) for name, entries in found.items()}


def _finding(
    case: Case, group: Sequence[Candidate], records: Mapping[str, tuple[Vulnerability, ...]], review: bool
) -> Finding:
    ordered = sorted(group, key=_order)
    identifiers = sorted({name for candidate in ordered for name in candidate.identifiers})
    check = check_id(identifiers, case.known_as)
    described = [record for name in identifiers for record in records.get(name, ()) if record.id in identifiers]
    described = list({(record.source, record.id): record for record in described}.values())
    sources: list[Candidate | Vulnerability] = [*ordered, *described]
    severity, severity_reason = _severity(ordered, described)
    epss = next((candidate.epss for candidate in ordered if candidate.epss is not None), None)
    return Finding(
        stream=Stream.VULNERABILITIES,
        device_id=case.device.id,
        check=check,
        title=f"{check} in {case.device.label}",
        severity=severity,
        severity_reason=severity_reason,
        probability=max(candidate.citation.probability for candidate in ordered),
        needs_review=review,
        aliases=tuple(sorted({*identifiers, check})),
        summary=next((text for text in _summaries(ordered, described) if text), ""),
        cvss=tuple(dict.fromkeys(rating.cvss for rating in _ratings(ordered, described))),
        cwes=tuple(sorted({cwe for source in sources for cwe in source.cwes})),
        epss=epss,
        components=tuple(
            sorted({part for candidate in ordered for part in candidate.components}, key=_component_order)
        ),
        remediations=tuple(dict.fromkeys(item for candidate in ordered for item in candidate.remediations)),
        fix_versions=tuple(sorted({version for candidate in ordered for version in candidate.fix_versions})),
        citations=tuple(dict.fromkeys(candidate.citation for candidate in ordered)),
        references=tuple(sorted({url for source in sources for url in source.references})),
    )


def _order(candidate: Candidate) -> tuple[int, float, str, str, str, tuple[str, ...]]:
    citation = candidate.citation
    return (
        candidate.source,
        -citation.probability,
        citation.source,
        citation.document,
        citation.reason,
        candidate.identifiers,
    )


def _component_order(component: Component) -> tuple[str, str, str, str]:
    return component.name, component.version, component.purl, component.ref


def _summaries(ordered: Sequence[Candidate], described: Sequence[Vulnerability]) -> Iterator[str]:
    yield from (candidate.summary for candidate in ordered if candidate.source is not Source.SCAN)
    yield from (record.description for record in described)
    yield from (candidate.summary for candidate in ordered)


def _ratings(ordered: Sequence[Candidate], described: Sequence[Vulnerability]) -> list[_Rating]:
    """All published scores, the one that decides first: the advisory's, NVD's, others', the scanner's."""
    ratings = [
        _Rating(_rank(candidate.source, cvss), candidate.citation.source, cvss)
        for candidate in ordered
        for cvss in candidate.cvss
    ]
    ratings += [
        _Rating(_rank(Source.RECORD, cvss), record.source, cvss) for record in described for cvss in record.cvss
    ]
    return sorted(set(ratings), key=_rating_order)


def _rank(source: Source, cvss: CvssScore) -> int:
    if source is Source.RECORD:
        return 1 if cvss.scorer == NVD_SCORER else 2
    return 0 if source is Source.ADVISORY else 3


def _rating_order(rating: _Rating) -> tuple[int, float, float, str, str, str]:
    cvss = rating.cvss
    return rating.rank, -_number(cvss.version), -cvss.base_score, rating.source, cvss.scorer, cvss.vector


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


def _severity(ordered: Sequence[Candidate], described: Sequence[Vulnerability]) -> tuple[Severity, str]:
    ratings = _ratings(ordered, described)
    if ratings:
        first = ratings[0]
        cvss = first.cvss
        by = first.source if cvss.scorer in ("", first.source) else f"{first.source} ({cvss.scorer})"
        return cvss.severity, f"CVSS {cvss.version} base score {cvss.base_score} by {by}: {cvss.vector}"
    bands = [(candidate.severity, candidate.citation.source) for candidate in ordered if candidate.severity is not None]
    if bands:
        severity, source = max(bands, key=lambda band: (band[0].rank, band[1]))
        return severity, f"{source} rates it {severity.value}; no CVSS score is published"
    return Severity.MEDIUM, UNRATED
