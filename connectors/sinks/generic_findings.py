"""Findings as rows of DefectDojo's Generic Findings Import, valid before they leave the house.

The server answers HTTP 500 to values it cannot store and keeps what it had saved until then, so every row is clipped,
cleaned and checked here. Title and description depend on nothing but the finding's identity: the server's default
hash is made of them (and of the CWE), and a changed hash closes the finding and opens another without its history.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from connectors.sinks.facts import web_link
from meddojo.device import Device
from meddojo.finding import Finding
from meddojo.interface import StreamResult
from meddojo.severity import CvssScore

Row = dict[str, Any]

TITLE_LENGTH = 500
_TEXT_LENGTH = 60_000
_LINE_LENGTH = 2000
_IDENTIFIER_LENGTH = 50
_LARGEST_CWE = 9_999_999
# Everything XML 1.0 and PostgreSQL refuse: control characters but tab and line feed, and lone surrogates.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>!|#~])")
_NOT_IN_TAG = re.compile(r"[^A-Za-z0-9._:+-]+")
_FIX_CATEGORIES = frozenset({"vendor_fix"})


def document(results: Sequence[StreamResult], test_type: str = "MedDojo") -> dict[str, Any]:
    """A file DefectDojo imports as it is: scan type "Generic Findings Import".

    Parameters
    ----------
    results
        Streams whose findings go into the file.
    test_type
        Becomes the test type "<test_type> Scan (Generic Findings Import)".
    """
    rows = [row(finding, result.device) for result in results for finding in result.findings]
    return {"name": "MedDojo", "type": test_type, "findings": rows}


def row(finding: Finding, device: Device) -> Row:
    """One finding as the server will store it.

    Returns
    -------
    dict
        Only keys the import accepts, every value within the length and type the database holds.
    """
    component = finding.components[0] if finding.components else None
    values: Row = {
        "title": clean(finding.title, TITLE_LENGTH, one_line=True) or clean(finding.check, TITLE_LENGTH, one_line=True),
        "severity": finding.severity.value,
        "description": _text("description", finding, device),
        "impact": _text("impact", finding, device),
        "mitigation": _text("mitigation", finding, device),
        "steps_to_reproduce": _text("steps_to_reproduce", finding, device),
        "severity_justification": _text("severity_justification", finding, device),
        "references": "\n".join(clean(_link(url), _LINE_LENGTH, one_line=True) for url in finding.references),
        "unique_id_from_tool": finding.identity,
        "vuln_id_from_tool": clean(finding.check, 500, one_line=True),
        "vulnerability_ids": vulnerability_ids(finding),
        "fix_available": bool(finding.fix_versions) or _has_fix(finding),
        "fix_version": clean(", ".join(finding.fix_versions), 100, one_line=True),
        "known_exploited": finding.kev is not None,
        "ransomware_used": finding.kev is not None and finding.kev.ransomware_use,
        "kev_date": finding.kev.date_added.isoformat() if finding.kev else None,
        "tags": tags(finding),
    }
    cwe = next((number for number in finding.cwes if 0 < number <= _LARGEST_CWE), None)
    if cwe:
        values["cwe"] = cwe
    if component:
        values["component_name"] = clean(component.name, 500, one_line=True)
        values["component_version"] = clean(component.version, 100, one_line=True)
    if finding.epss and 0.0 <= finding.epss.probability <= 1.0 and 0.0 <= finding.epss.percentile <= 1.0:
        values["epss_score"] = round(finding.epss.probability, 5)
        values["epss_percentile"] = round(finding.epss.percentile, 5)
    return values | _vectors(finding.cvss)


def clean(text: str, length: int, *, one_line: bool = False) -> str:
    """Text without what a database refuses, cut to `length` characters with an ellipsis."""
    text = _UNSTORABLE.sub("", text.replace("\r\n", "\n"))
    if one_line:
        text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def vulnerability_ids(finding: Finding) -> list[str]:
    """Identifiers the server's column holds, the canonical one first."""
    names = (clean(name, 500, one_line=True) for name in (finding.check, *sorted(finding.aliases)))
    return list(dict.fromkeys(name for name in names if 0 < len(name) <= _IDENTIFIER_LENGTH))


def tags(finding: Finding) -> list[str]:
    """Tags in the alphabet the server keeps as it is."""
    names = [_NOT_IN_TAG.sub("-", name).strip("-")[:60].lower() for name in ("meddojo", finding.stream, *finding.tags)]
    return sorted({name for name in names if name})


def _has_fix(finding: Finding) -> bool:
    return any(remediation.category in _FIX_CATEGORIES for remediation in finding.remediations)


def _vectors(scores: Iterable[CvssScore]) -> Row:
    """First valid CVSS v3 and v4 vector; the server stores an invalid one without complaint and without a score."""
    values: Row = {}
    for score in scores:
        field = {"3": "cvssv3", "4": "cvssv4"}.get(score.version[:1])
        if field and field not in values:
            values |= _rated(field, score.vector)
    return values


@cache
def _rated(field: str, vector: str) -> Row:
    """The vector in the order of the standard, as the server writes it too, with its base score; empty if invalid."""
    from cvss import CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    try:
        rating = CVSS3(vector) if field == "cvssv3" else CVSS4(vector)
    except CVSSError:
        return {}
    return {field: rating.clean_vector(), f"{field}_score": float(rating.scores()[0])}


def _text(field: str, finding: Finding, device: Device) -> str:
    rendered: str = _template(f"finding/{field}.md.j2").render(finding=finding, device=device)
    return clean(rendered.strip(), _TEXT_LENGTH)


@cache
def _template(name: str) -> Any:
    return _environment().get_template(name)


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Markdown, not HTML: `plain` escapes what DefectDojo's renderer would act on.
    environment = Environment(  # noqa: S701
        loader=PackageLoader("templates", ""), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: Mapping[str, Callable[..., str]] = {"plain": _plain, "link": _link}
    environment.filters.update(filters)
    return environment


def _plain(text: object) -> str:
    """Foreign text, so that no character of it is Markdown or HTML."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def _link(url: str) -> str:
    """An address as a Markdown autolink if it is one of the web, else as plain text."""
    address = web_link(url)
    return f"<{address}>" if address else _plain(url)
