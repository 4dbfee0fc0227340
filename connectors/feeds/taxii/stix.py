"""STIX 2.1 objects as `Threat` and `ThreatRelation`.

Read as plain mappings, one object at a time: the parser of the ``stix2`` package refuses each of the 30 malware objects
of MITRE's own ATT&CK for ICS bundle (no ``is_family``), and takes ten times as long to import and parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from connectors.json_object import JsonObject
from meddojo.errors import InputError
from meddojo.threat import HEALTHCARE, Threat, ThreatRelation
from meddojo.vulnerability import CVE_PATTERN

LONGEST_TEXT = 4000
_MOST_VALUES = 50
_MOST_CVES = 500
_LONGEST_NAME = 300

_IDENTIFIER = re.compile(r"([a-z0-9][a-z0-9-]{1,249})--[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MEDICAL = re.compile(r"\b(?:health[ -]?care|hospitals?|medical|clinics?|clinical)\b", re.IGNORECASE)
_MEDICAL_SECTORS = frozenset({"health", "health-care", "health care", "hospital", "hospitals", "medical"})
_DOMAINS = {"ics-attack": "ATT&CK for ICS", "enterprise-attack": "ATT&CK", "mobile-attack": "ATT&CK Mobile"}
_CATALOGUES = {"mitre-attack": "ATT&CK", "mitre-ics-attack": "ATT&CK for ICS", "capec": "CAPEC", "cve": "CVE"}


def parse_object(item: JsonObject) -> Threat | ThreatRelation | None:
    """Read one STIX object.

    Returns
    -------
    Threat, ThreatRelation or None
        None for objects without versions or history (section 3.6), such as addresses and files: they tell no story.

    Raises
    ------
    InputError
        If its identifier, type or time of modification is missing or malformed.
    """
    name = item.required_text("id")
    kind = item.required_text("type")
    match = _IDENTIFIER.fullmatch(name)
    if match is None or match[1] != kind:
        raise item.error("id", f"{name[:80]!r} is not a STIX identifier of the type {kind[:40]!r}")
    modified = item.instant("modified") or item.instant("created")
    if modified is None:
        return None
    revoked = item.flag("revoked") or item.flag("x_mitre_deprecated")
    return _relation(item, modified, revoked) if kind == "relationship" else _threat(item, modified, revoked)


def _relation(item: JsonObject, modified: datetime, revoked: bool) -> ThreatRelation:
    description = item.text("description")
    return ThreatRelation(
        id=item.text("id"),
        kind=item.required_text("relationship_type")[:_LONGEST_NAME],
        source_id=_reference(item, "source_ref"),
        target_id=_reference(item, "target_ref"),
        modified=modified,
        description=description[:LONGEST_TEXT],
        cves=_cves([description, *_reference_texts(item)]),
        revoked=revoked,
    )


def _threat(item: JsonObject, modified: datetime, revoked: bool) -> Threat:
    description = item.text("description")
    references = _references(item)
    numbered = [each for each in references if each.text("external_id")]
    texts = [item.text("name"), description, _optional_text(item, "pattern"), *_reference_texts(item)]
    return Threat(
        id=item.text("id"),
        kind=item.text("type"),
        name=(item.text("name") or item.text("id"))[:_LONGEST_NAME],
        modified=modified,
        source=_catalogue(item, numbered),
        description=description[:LONGEST_TEXT],
        external_ids=_few(each.text("external_id") for each in numbered),
        aliases=_few((*_texts(item, "aliases"), *_texts(item, "x_mitre_aliases"))),
        cves=_cves(texts),
        sectors=_sectors(item, description),
        url=next((each.text("url") for each in numbered or references if each.text("url")), "")[:2000],
        revoked=revoked,
    )


def _reference(item: JsonObject, key: str) -> str:
    name = item.required_text(key)
    if _IDENTIFIER.fullmatch(name) is None:
        raise item.error(key, f"{name[:80]!r} is not a STIX identifier")
    return name


def _references(item: JsonObject) -> list[JsonObject]:
    """External references (section 2.5) that can be read; a bad one costs itself, not its object."""
    found = []
    for each in _entries(item, "external_references"):
        try:
            for key in ("source_name", "external_id", "url", "description"):
                each.text(key)
        except InputError:
            continue
        found.append(each)
    return found


def _entries(item: JsonObject, key: str) -> list[JsonObject]:
    try:
        return [each for each in item.entries(key) if isinstance(each, JsonObject)]
    except InputError:
        return []


def _reference_texts(item: JsonObject) -> list[str]:
    return [each.text(key) for each in _references(item) for key in ("external_id", "description", "url")]


def _texts(item: JsonObject, key: str) -> tuple[str, ...]:
    """Texts of an optional list that producers write in many ways; anything else counts as absent."""
    try:
        return item.texts(key)
    except InputError:
        return ()


def _optional_text(item: JsonObject, key: str) -> str:
    try:
        return item.text(key)
    except InputError:
        return ""


def _catalogue(item: JsonObject, numbered: list[JsonObject]) -> str:
    domains = _texts(item, "x_mitre_domains")
    known = next((name for domain, name in _DOMAINS.items() if domain in domains), "")
    published = numbered[0].text("source_name") if numbered else ""
    return known or _CATALOGUES.get(published, published)[:_LONGEST_NAME]


def _sectors(item: JsonObject, description: str) -> tuple[str, ...]:
    named = {text.strip().lower() for key in ("sectors", "x_mitre_sectors") for text in _texts(item, key)}
    if named & _MEDICAL_SECTORS or _MEDICAL.search(f"{item.text('name')} {description}"):
        named.add(HEALTHCARE)
    return _few(sorted(named - {""}))


def _cves(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for text in texts for name in CVE_PATTERN.findall(text.upper())}))[:_MOST_CVES]


def _few(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value[:_LONGEST_NAME] for value in values if value))[:_MOST_VALUES]
