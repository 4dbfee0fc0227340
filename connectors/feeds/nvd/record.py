"""One ``cve`` object of the NVD API 2.0 to one `Vulnerability`.

Source: NVD, "CVE API JSON schema 2.0"; times without a zone are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connectors.feeds.nvd.affected import parse_affected
from connectors.json_object import JsonObject
from meddojo.severity import CvssScore
from meddojo.vulnerability import CVE_PATTERN, Configuration, CpeMatch, CpeNode, KevEntry, SsvcPoints, Vulnerability

_METRICS = (
    ("cvssMetricV40", "4.0"),
    ("cvssMetricV31", "3.1"),
    ("cvssMetricV30", "3.0"),
    ("cvssMetricV2", "2.0"),
)
_SSVC_VALUES = {
    "exploitation": {"none": "none", "poc": "public poc", "public poc": "public poc", "active": "active"},
    "automatable": {"no": "no", "yes": "yes"},
    "technicalImpact": {"partial": "partial", "total": "total"},
}
_CWE = re.compile(r"CWE-([0-9]{1,6})")


def parse_record(record: Any, origin: str) -> Vulnerability:
    """Read the ``cve`` object of an NVD API 2.0 answer.

    Rejected records are read too; their `status` tells.

    Parameters
    ----------
    record
        The parsed JSON, without the ``{"cve": ...}`` around it.
    origin
        File, line or URL, for errors.

    Raises
    ------
    InputError
        If it is no such record, or a value has the wrong type, naming its JSON pointer.
    """
    return parse_cve(JsonObject.of(record, origin))


def parse_cve(record: JsonObject) -> Vulnerability:
    """Like `parse_record`, of an object whose place in a larger document is known."""
    identifier = record.text("id").strip()
    if not CVE_PATTERN.fullmatch(identifier):
        raise record.error("id", f"{identifier[:40]!r} is not a CVE id")
    return Vulnerability(
        id=identifier,
        source="nvd",
        description=_description(record),
        cvss=tuple(dict.fromkeys(_scores(record))),
        cwes=tuple(dict.fromkeys(_cwes(record))),
        references=_references(record),
        configurations=tuple(_configuration(item) for item in record.objects("configurations")),
        affected=tuple(parse_affected(record)),
        published=record.instant("published"),
        modified=record.instant("lastModified"),
        status=record.text("vulnStatus"),
        kev=_kev(identifier, record),
        tags=tuple(dict.fromkeys(tag for entry in record.objects("cveTags") for tag in entry.texts("tags"))),
        assigner=record.text("sourceIdentifier").strip(),
        ssvc=_ssvc(record),
    )


def _description(record: JsonObject) -> str:
    texts = {text.text("lang").lower().partition("-")[0]: text.text("value") for text in record.objects("descriptions")}
    return texts.get("en", "")


def _scores(record: JsonObject) -> Iterator[CvssScore]:
    metrics = record.object("metrics")
    for key, version in _METRICS:
        for metric in metrics.objects(key):
            cvss = metric.object("cvssData")
            score = cvss.number("baseScore")
            if score is None or not 0.0 <= score <= 10.0:
                raise cvss.error("baseScore", "is not a number from 0 to 10")
            vector = cvss.text("vectorString").strip()
            yield CvssScore(vector, score, cvss.text("version") or version, metric.text("source"))


def _cwes(record: JsonObject) -> Iterator[int]:
    for weakness in record.objects("weaknesses"):
        for description in weakness.objects("description"):
            number = _CWE.fullmatch(description.text("value").strip())
            if number:
                yield int(number[1])


def _references(record: JsonObject) -> tuple[str, ...]:
    urls = (reference.text("url").strip() for reference in record.objects("references"))
    return tuple(dict.fromkeys(filter(None, urls)))


def _kev(identifier: str, record: JsonObject) -> KevEntry | None:
    """What NVD repeats of CISA's catalogue, which says nothing of ransomware."""
    added = record.day("cisaExploitAdd")
    if added is None:
        return None
    return KevEntry(
        cve=identifier,
        date_added=added,
        due_date=record.day("cisaActionDue"),
        required_action=record.text("cisaRequiredAction").strip(),
        name=record.text("cisaVulnerabilityName").strip(),
    )


def _ssvc(record: JsonObject) -> SsvcPoints | None:
    """CISA's decision points (vulnrichment), which NVD repeats as ``ssvcV203``; other words are left out."""
    for metric in record.object("metrics").objects("ssvcV203"):
        data = metric.object("ssvcData")
        points = {
            name: known[value]
            for option in data.objects("options")
            for name, known in _SSVC_VALUES.items()
            if (value := option.text(name).lower()) in known
        }
        if points:
            return SsvcPoints(
                data.text("role") or "CISA Coordinator",
                points.get("exploitation", ""),
                points.get("automatable", ""),
                points.get("technicalImpact", ""),
            )
    return None


def _configuration(item: JsonObject) -> Configuration:
    return Configuration(
        operator=_operator(item),
        nodes=tuple(_node(node) for node in item.objects("nodes")),
        negate=item.flag("negate"),
    )


def _node(node: JsonObject) -> CpeNode:
    return CpeNode(
        operator=_operator(node),
        matches=tuple(_match(match) for match in node.objects("cpeMatch")),
        negate=node.flag("negate"),
    )


def _operator(item: JsonObject) -> str:
    """``AND`` or ``OR``, which is what a lone statement means."""
    operator = item.text("operator") or "OR"
    if operator not in ("AND", "OR"):
        raise item.error("operator", f"{operator[:20]!r} is neither AND nor OR")
    return operator


def _match(match: JsonObject) -> CpeMatch:
    return CpeMatch(
        criteria=match.required_text("criteria"),
        vulnerable=match.flag("vulnerable", default=True),
        version_start_including=match.text("versionStartIncluding"),
        version_start_excluding=match.text("versionStartExcluding"),
        version_end_including=match.text("versionEndIncluding"),
        version_end_excluding=match.text("versionEndExcluding"),
    )
