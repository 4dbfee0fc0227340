"""Which components will probably receive a CVE within a year, by the records that the case holds of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from analyzers.matching.index import component_keys, vulnerability_keys
from analyzers.sbom_graph.forecast import History, forecast
from meddojo.case import Case
from meddojo.finding import Prediction
from meddojo.sbom import Sbom

MODEL = "sbom-forecast"
BANDS = ((0.5, "over 50 %"), (0.2, "20 to 50 %"))
"""Told as bands, because a figure to the per cent changes from day to day and says no more."""
_NAMED = 8


def histories(case: Case, sbom: Sbom) -> Mapping[str, History]:
    """Past CVEs of each component, of whatever version: those of the case's records and reports that name it.

    Names join them as they nominate records for matching: by package URL, CPE or the name of the package.

    Returns
    -------
    mapping
        `Component.ref` to its history; components that nothing names are left out.
    """
    known: defaultdict[str, dict[str, date | None]] = defaultdict(dict)
    for record in case.vulnerabilities:
        published = record.published.date() if record.published else None
        for key in () if record.rejected else vulnerability_keys(record):
            known[key][record.id] = known[key].get(record.id) or published
    for match in (match for report in case.scans for match in report.matches):
        for key in component_keys(match.component):
            known[key].setdefault(match.vulnerability.id, None)
    found: dict[str, History] = {}
    for component in sbom.components:
        days: dict[str, date | None] = {}
        for key in component_keys(component):
            for name, day in known.get(key, {}).items():
                days[name] = days.get(name) or day  # a record tells the day, a report of the same CVE does not
        if days:
            dated = [day for day in days.values() if day is not None]
            found[component.ref] = History.of(dated, case.as_of.date(), undated=len(days) - len(dated))
    return found


def next_cves(case: Case, sbom: Sbom) -> dict[str, float]:
    """Probability of each component, by reference, to receive a CVE in the year after the case's day."""
    return forecast(sbom, histories(case, sbom))


def foretold(sbom: Sbom, chances: Mapping[str, float]) -> Prediction | None:
    """The components that stand out, for the supply-chain finding; None where none does."""
    lines = tuple(_lines(sbom, chances))
    return Prediction(MODEL, remarks=lines) if lines else None


def _lines(sbom: Sbom, chances: Mapping[str, float]) -> Iterator[str]:
    ceiling = 1.1
    for floor, said in BANDS:
        names = sorted({part.name for part in sbom.components if floor <= chances.get(part.ref, 0.0) < ceiling})
        ceiling = floor
        if names:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            yield f"a new CVE within a year is expected with {said} in: {', '.join(names[:_NAMED])}{more}"
