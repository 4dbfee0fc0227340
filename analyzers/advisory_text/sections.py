"""What a part of a bulletin is about, told by its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from analyzers.advisory_text.spans import Span

_HEADING_LENGTH = 90


class Topic(StrEnum):
    """What a section tells."""

    AFFECTED = "affected products"
    UNAFFECTED = "products that are not affected"
    FIX = "updates"
    MITIGATION = "mitigations"
    DETAILS = "vulnerabilities"
    ASIDE = "references, contact, legal and the like"
    OPEN = "no heading says"


_TOPICS = (
    (Topic.UNAFFECTED, r"(?:un|not |non-?)(?:affected|impacted|vulnerable)|not (?:being )?affected"),
    (
        Topic.AFFECTED,
        r"(?:affected|impacted|vulnerable) (?:\w+ ){0,2}(?:products?|devices?|systems?|versions?"
        r"|software|equipment|models?)"
        r"|products? (?:and versions? )?(?:affected|impacted)|affected|scope|applicab\w+"
        r"|(?:affected )?products?(?: and versions?)?",
    ),
    (
        Topic.FIX,
        r"(?:solutions?|remediations?|fix(?:es|ed)?|patch(?:es)?|(?:software |firmware |security "
        r")?updates?|resolutions?|corrective actions?)"
        r"(?: (?:and|/) (?:mitigations?|workarounds?))?",
    ),
    (
        Topic.MITIGATION,
        r"mitigat\w+|work-?arounds?|(?:interim |compensating )?(?:controls|measures)|recommend\w+"
        r"|countermeasures?"
        r"|(?:general |security )?recommendations?|what (?:should|can) (?:customers|users|you) do"
        r"|actions? (?:required|to take)",
    ),
    (
        Topic.DETAILS,
        r"(?:vulnerabilit(?:y|ies)|technical)(?: (?:details?|overview|description|summary"
        r"|information|characterization|classification))?"
        r"|details?|description|summary|overview|impact|risk(?: evaluation)?|background|executive "
        r"summary|introduction",
    ),
    (
        Topic.ASIDE,
        r"references?|contact\w*(?: \w+)?|acknowledge?ments?|credits?|disclaimer|legal\w*|terms of use"
        r"|revision history|document history"
        r"|history|about \w+|copyright|further information|additional (?:information|resources)|more "
        r"information|links",
    ),
)
_PATTERNS = tuple(
    (
        topic,
        re.compile(
            rf"(?:\d+(?:\.\d+)*[.)]?\s+)?(?:(?:\w+ ){{0,2}})?(?:{pattern})(?: (?:section|include|are|is))?\s*:?", re.I
        ),
    )
    for topic, pattern in _TOPICS
)
_BULLET = re.compile(r"(?:[-*\u2022\u00b7\u25cf\u25aa\u2013o]|\(?\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line with the topic of its section.

    Attributes
    ----------
    bullet
        Whether it is an item of a list; `span` begins after the bullet.
    """

    span: Span
    topic: Topic
    bullet: bool = False
    heading: bool = False


def lines(text: str) -> Iterator[Line]:
    """The lines that hold anything, in order."""
    topic = Topic.OPEN
    at = 0
    for raw in text.split("\n"):
        start, at = at, at + len(raw) + 1
        piece = raw.strip()
        if not piece:
            continue
        start += raw.index(piece[0])
        bullet = _BULLET.match(piece)
        offset = bullet.end() if bullet else 0
        found = heading_topic(piece)
        rest = _after_heading(piece) if found is None else 0
        if found is None and rest:
            found = heading_topic(piece[:rest])
        if found is not None:
            topic = found
            if not rest:
                yield Line(Span(start, start + len(piece), piece), topic, heading=True)
                continue
            offset = rest
        body = piece[offset:].lstrip()
        begin = start + len(piece) - len(body)
        yield Line(Span(begin, begin + len(body), body), topic, bool(bullet))


def heading_topic(line: str) -> Topic | None:
    """The topic a heading announces; None when the line is none that is known."""
    if len(line) > _HEADING_LENGTH or line[-1] in ".;,":
        return None
    bare = line.strip(" #*=_-:\u2013")
    for topic, pattern in _PATTERNS:
        if pattern.fullmatch(bare):
            return topic
    return None


def _after_heading(line: str) -> int:
    """Where the text begins in a line like ``Affected products: Acme Pump``; 0 where it is no such line."""
    colon = line.find(":", 0, _HEADING_LENGTH)
    return colon + 1 if 0 < colon < len(line) - 1 and line[colon + 1] == " " else 0
