"""One CSAF document to one `Advisory` (OASIS CSAF 2.0, section 3; the additions of 2.1 are understood too)."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.feeds.csaf.product_tree import expand, parse_groups, parse_products
from connectors.json_object import JsonObject
from meddojo.advisory import Advisory, AdvisoryVulnerability, ProductScore, ProductStatus, Remediation, ThreatNote
from meddojo.errors import InputError
from meddojo.severity import CvssScore
from meddojo.vulnerability import CVE_PATTERN

Groups = Mapping[str, tuple[str, ...]]

_CWE = re.compile(r"CWE-([0-9]{1,6})")
_SELF_EXPLAINING_ID = re.compile(r"(?:CVE|GHSA|PYSEC|RUSTSEC|GO|DSA|DLA|USN|RHSA)-[0-9A-Za-z:-]+")
_DESCRIBING_NOTES = ("description", "summary", "details", "general")
_CVSS_KEYS = (("cvss_v4", "4.0"), ("cvss_v3", "3.1"), ("cvss_v2", "2.0"))
_SLUG_LENGTH = 60


def parse_document(document: Any, origin: str) -> Advisory:
    """Read a CSAF document.

    Names and texts are kept as published, trailing blanks too.

    Parameters
    ----------
    document
        The parsed JSON.
    origin
        File, line or URL, for errors.

    Raises
    ------
    InputError
        If it is no CSAF 2.x document, or a value has the wrong type, naming its JSON pointer.
    """
    root = JsonObject.of(document, origin)
    head = root.object("document")
    if not head.text("csaf_version").startswith("2."):
        raise InputError(origin, "/document/csaf_version", "not a CSAF 2 document", "is this the right kind of file?")
    tracking = head.object("tracking")
    publisher = head.object("publisher")
    tree = root.object("product_tree")
    identifier = tracking.required_text("id")
    references = _urls(head)
    return Advisory(
        id=identifier,
        title=head.text("title"),
        publisher=publisher.text("name"),
        namespace=publisher.text("namespace"),
        revision=tracking.text("version"),
        published=_release(tracking, "initial_release_date"),
        updated=_release(tracking, "current_release_date"),
        products=tuple(parse_products(tree).values()),
        vulnerabilities=_vulnerabilities(root, identifier, publisher.text("name"), parse_groups(tree)),
        url=_web_page(head),
        tlp=head.object("distribution").object("tlp").text("label"),
        references=references,
    )


def _vulnerabilities(
    root: JsonObject, advisory: str, publisher: str, groups: Groups
) -> tuple[AdvisoryVulnerability, ...]:
    """The vulnerabilities, each under an id of its own that does not depend on their order."""
    found = [_vulnerability(entry, advisory, publisher, groups) for entry in root.objects("vulnerabilities")]
    times = Counter(vulnerability.id for vulnerability in found)
    return tuple(
        replace(vulnerability, id=f"{vulnerability.id}-{_digest(vulnerability.title + vulnerability.description)}")
        if times[vulnerability.id] > 1 and vulnerability.id.startswith(f"{advisory}:")
        else vulnerability
        for vulnerability in found
    )


def _vulnerability(entry: JsonObject, advisory: str, publisher: str, groups: Groups) -> AdvisoryVulnerability:
    cwes = _cwes(entry)
    foreign = tuple(dict.fromkeys(_foreign_ids(entry)))
    title = entry.text("title")
    cve = entry.text("cve").strip().upper()
    if CVE_PATTERN.fullmatch(cve):
        identifier = cve
    else:
        distinguishing = " ".join(foreign) or title or cve or " ".join(f"CWE-{number}" for number in cwes)
        identifier = f"{advisory}:{_slug(distinguishing)}"
    return AdvisoryVulnerability(
        id=identifier,
        title=title,
        description=_description(entry),
        aliases=tuple(alias for alias in foreign if alias != identifier),
        cwes=cwes,
        scores=tuple(_scores(entry, publisher, groups)),
        statuses=tuple(_statuses(entry.object("product_status"), groups)),
        remediations=tuple(_remediation(item, groups) for item in entry.objects("remediations")),
        references=_urls(entry),
        flags=tuple(_flags(entry, groups)),
        threats=tuple(_threat(item, groups) for item in entry.objects("threats")),
    )


def _release(tracking: JsonObject, key: str) -> datetime:
    moment = tracking.instant(key)
    if moment is None:
        raise tracking.error(key, "is missing")
    return moment


def _urls(owner: JsonObject) -> tuple[str, ...]:
    urls = (reference.text("url").strip() for reference in owner.objects("references"))
    return tuple(dict.fromkeys(filter(None, urls)))


def _web_page(head: JsonObject) -> str:
    """The first ``self`` reference that is not the JSON document itself."""
    for reference in head.objects("references"):
        url = reference.text("url").strip()
        if reference.text("category") == "self" and url and not _names_json(url):
            return url
    return ""


def _names_json(url: str) -> bool:
    try:
        return urlsplit(url).path.lower().endswith(".json")
    except ValueError:
        return False


def _foreign_ids(entry: JsonObject) -> Iterator[str]:
    """Ids of other systems (section 3.2.3.6); a bare bug number is told apart by the name of its tracker."""
    for item in entry.objects("ids"):
        text = item.text("text").strip()
        system = item.text("system_name").strip()
        if _SELF_EXPLAINING_ID.fullmatch(text):
            yield text
        elif text:
            yield f"{system}: {text}" if system else text


def _cwes(entry: JsonObject) -> tuple[int, ...]:
    """``cwe`` of CSAF 2.0 (section 3.2.3.3), ``cwes`` of 2.1."""
    names = [entry.object("cwe").text("id"), *(item.text("id") for item in entry.objects("cwes"))]
    numbers = (_CWE.fullmatch(name.strip()) for name in names)
    return tuple(dict.fromkeys(int(number[1]) for number in numbers if number))


def _description(entry: JsonObject) -> str:
    """The notes of the most describing category there is (section 3.1.5)."""
    texts: dict[str, list[str]] = {}
    for note in entry.objects("notes"):
        texts.setdefault(note.text("category"), []).append(note.text("text"))
    for category in _DESCRIBING_NOTES:
        if any(text.strip() for text in texts.get(category, ())):
            return "\n\n".join(dict.fromkeys(texts[category]))
    return ""


def _scores(entry: JsonObject, publisher: str, groups: Groups) -> Iterator[ProductScore]:
    """``scores`` of CSAF 2.0 (section 3.2.3.13), ``metrics`` of 2.1."""
    for score in entry.objects("scores"):
        yield from _ratings(score, score, publisher, groups)
    for metric in entry.objects("metrics"):
        yield from _ratings(metric, metric.object("content"), metric.text("source") or publisher, groups)


def _ratings(owner: JsonObject, content: JsonObject, scorer: str, groups: Groups) -> Iterator[ProductScore]:
    for key, version in _CVSS_KEYS:
        if content.value.get(key) is None:
            continue
        cvss = content.object(key)
        base_score = cvss.number("baseScore")
        if base_score is None or not 0.0 <= base_score <= 10.0:
            raise cvss.error("baseScore", "is not a number from 0 to 10")
        rating = CvssScore(cvss.text("vectorString").strip(), base_score, cvss.text("version") or version, scorer)
        yield ProductScore(rating, expand(owner.texts("products"), groups))


def _statuses(owner: JsonObject, groups: Groups) -> Iterator[tuple[str, ProductStatus]]:
    for status in ProductStatus:
        for product_id in expand(owner.texts(status.value), groups):
            yield product_id, status


def _remediation(item: JsonObject, groups: Groups) -> Remediation:
    return Remediation(
        category=item.text("category"),
        details=item.text("details"),
        url=item.text("url").strip(),
        product_ids=_product_ids(item, groups),
    )


def _threat(item: JsonObject, groups: Groups) -> ThreatNote:
    return ThreatNote(item.text("category"), item.text("details"), _product_ids(item, groups))


def _flags(entry: JsonObject, groups: Groups) -> Iterator[tuple[str, str]]:
    """Why products are not affected (section 3.2.3.5); a flag without products says nothing (test 6.1.32)."""
    for flag in entry.objects("flags"):
        label = flag.text("label").strip()
        for product_id in _product_ids(flag, groups) if label else ():
            yield product_id, label


def _product_ids(item: JsonObject, groups: Groups) -> tuple[str, ...]:
    """Products of a remediation, threat or flag, those of its groups included."""
    names = item.texts("group_ids")
    unknown = next((name for name in names if name not in groups), None)
    if unknown is not None:
        # Left out, what is said here would be read as said about all products.
        raise item.error("group_ids", f"{unknown[:40]!r} is not a product group of this document")
    members = tuple(member for name in names for member in groups[name])
    if names and not members and not item.texts("product_ids"):
        raise item.error("group_ids", "the product groups are empty")
    return tuple(dict.fromkeys((*item.texts("product_ids"), *members)))


def _slug(text: str) -> str:
    """Lower-case ASCII letters, digits and hyphens; a long text or one in another script ends in its digest."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(slug) > _SLUG_LENGTH or (not slug and text.strip()):
        return f"{slug[:_SLUG_LENGTH].rstrip('-')}-{_digest(text)}".lstrip("-")
    return slug or "unnamed"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]
