"""What has a form of its own: CVE and CWE ids, CVSS vectors, dates, the number of the document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from analyzers.advisory_text.spans import Span, span

CVE = re.compile(r"(?:(?<![\w-])CVE|(?-i:(?<=[a-z])CVE))[-\u2010-\u2013](\d{4})[-\u2010-\u2013](\d{4,19})(?!\d)", re.I)
"""CVE Numbering Authority rules, 4.1: four digits and more; dashes as word processors make them.

A blank that was lost before it ("the operating systemCVE-2018-8870", ICSMA-18-179-01) hides none.
"""
CWE = re.compile(r"(?<![\w-])CWE[-\u2010-\u2013: ]{0,2}(\d{1,4})(?!\d)", re.I)
_METRIC = r"[A-Za-z]{1,3}:[A-Za-z]{1,2}"
_VECTOR = re.compile(rf"(?:CVSS:(?P<version>[34]\.[01])\s?/\s?)?(?<![\w:])AV:[A-Z](?:\s?/\s?{_METRIC}){{5,36}}", re.I)
_NAMED_VERSION = re.compile(r"CVSS\s?v?(?:ersion)?\s?:?(2\.0|3\.0|3\.1|4\.0)", re.I)
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_DATE = re.compile(
    r"(?<!\d)(?:(?P<iso>20\d\d[-/.](?:0[1-9]|1[0-2])[-/.](?:0[1-9]|[12]\d|3[01]))"
    rf"|(?P<month>{_MONTH})\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>20\d\d)"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?[\s.-](?P<month2>{_MONTH})[\s,.-]{{1,2}}(?P<year2>20\d\d))(?!\d)",
    re.I,
)
_PUBLISHED = re.compile(
    r"\b(?:publish\w*|publication|released?|release date|issue[ds]?|issue date|initial\w*|first \w+"
    r"|date)\b[^.\n]{0,40}\Z",
    re.I,
)
_UPDATED = re.compile(r"\b(?:updat\w*|revis\w*|modif\w*|last (?:changed|review\w*))\b[^.\n]{0,40}\Z", re.I)
_LABELLED_NUMBER = re.compile(
    r"\b(?:advisory|bulletin|document|notification|notice|publication|reference|case)"
    r"(?:\s(?:id|identifier|no\.?|number|nr\.?))?\s?[:#|]\s?(?P<number>[A-Z][A-Z0-9]{0,11}[-_/ "
    r"]?[A-Z0-9]{0,8}[-_/]?\d[\w./-]{1,24})",
    re.I,
)
_KNOWN_NUMBER = re.compile(
    r"(?<![\w-])(?P<number>ICS[AM]{1,2}-\d\d-\d{3}-\d\d[A-Z]?|SSA-\d{6}|[A-Z]{2,8}-(?:PSA|SA|SB|PSIRT)-\d[\w-]{2,20})(?![\w-])"
)
_HEAD = 600
"""A number of a known form counts in the head of a text; further down it belongs to another document."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the place it was read at; `value` is in the form of its standard."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Vector:
    """A CVSS vector that `cvss` accepts.

    Attributes
    ----------
    vector, version, base_score
        As `meddojo.severity.CvssScore` has them; the score is computed.
    """

    vector: str
    version: str
    base_score: float
    span: Span


def cve_ids(text: str) -> Iterator[Found]:
    """CVE ids, each place of each; written with hyphens and capitals."""
    for match in CVE.finditer(text):
        yield Found(f"CVE-{match[1]}-{match[2]}", Span(match.start(), match.end(), match.group()))


def cwe_ids(text: str) -> Iterator[Found]:
    """Numbers of weaknesses, without the prefix."""
    for match in CWE.finditer(text):
        if int(match[1]):
            yield Found(str(int(match[1])), Span(match.start(), match.end(), match.group()))


def vectors(text: str) -> Iterator[Vector]:
    """Complete CVSS base vectors (v2.0, v3.0, v3.1, v4.0) that the library accepts; others are left alone.

    A vector of version 3 without its prefix (CVSS v3.1, section 6 demands it) is taken for 3.1, unless the text before
    it says 3.0; the base scores differ in rare cases only (section 7).
    """
    for match in _VECTOR.finditer(text):
        metrics = re.sub(r"\s", "", match.group())
        metrics = metrics[metrics.upper().index("AV:") :].rstrip("/")
        version = match["version"] or _version(metrics, text[max(0, match.start() - 120) : match.start()])
        normal = "/".join(_metric(part) for part in metrics.split("/"))
        scored = _scored(normal if version == "2.0" else f"CVSS:{version}/{normal}", version)
        if scored is not None:
            yield Vector(*scored, span(text, match.start(), match.end()))


def _metric(part: str) -> str:
    """``av:n`` -> ``AV:N``; the one metric with a small letter is ``Au`` of version 2."""
    name, _, value = part.partition(":")
    small = name.lower() == "au"
    return f"{'Au' if small else name.upper()}:{value.upper()}"


def _version(metrics: str, before: str) -> str:
    upper = metrics.upper()
    if "/AU:" in upper:
        return "2.0"
    if "/AT:" in upper:
        return "4.0"
    named = _NAMED_VERSION.findall(before)
    return named[-1] if named and named[-1].startswith("3") else "3.1"


def _scored(vector: str, version: str) -> tuple[str, str, float] | None:
    from cvss import CVSS2, CVSS3, CVSS4
    from cvss.exceptions import CVSSError

    kinds = {"2.0": CVSS2, "4.0": CVSS4}
    try:
        cvss = kinds.get(version, CVSS3)(vector)
    except CVSSError:
        return None
    return vector, version, float(cvss.base_score)


def dates(text: str) -> Iterator[tuple[datetime, str, Span]]:
    """Dates and what they are said to be: ``published``, ``updated`` or nothing; figures alone only as ISO 8601."""
    for match in _DATE.finditer(text):
        moment = _moment(match)
        if moment is not None:
            before = text[max(0, match.start() - 60) : match.start()]
            kind = "updated" if _UPDATED.search(before) else "published" if _PUBLISHED.search(before) else ""
            yield moment, kind, Span(match.start(), match.end(), match.group())


def _moment(match: re.Match[str]) -> datetime | None:
    if match["iso"]:
        year, month, day = (int(part) for part in re.split(r"[-/.]", match["iso"]))
    else:
        name = (match["month"] or match["month2"]).lower()[:3]
        month = next(number for number, full in enumerate(_MONTHS, 1) if full.startswith(name))
        year, day = int(match["year"] or match["year2"]), int(match["day"] or match["day2"])
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None


def document_number(text: str) -> Span | None:
    """The number the publisher gave the document, where it is called so or has a known form."""
    for match in (_LABELLED_NUMBER.search(text), _KNOWN_NUMBER.search(text, 0, _HEAD)):
        number = match["number"].rstrip("./-") if match else ""
        if match and not CVE.match(number):
            return Span(match.start("number"), match.start("number") + len(number), number)
    return None
