"""What to do about it: fixes, mitigations, workarounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzers.advisory_text.sections import Line, Topic
from analyzers.advisory_text.spans import Span, sentences

_URL = re.compile(r"https?://[^\s<>\"')\]]{3,300}")
_CATEGORIES = (
    (
        "no_fix_planned",
        re.compile(
            r"\b(?:no (?:fix|patch|update) (?:is|will be) planned|will not (?:be )?(?:fix"
            r"|patch|update)|end[- ]of[- ]life)",
            re.I,
        ),
    ),
    (
        "none_available",
        re.compile(
            r"\bno (?:fix|patch|update|remediation|workaround"
            r"|mitigation)e?s?\b.{0,30}\b(?:available|exists?|known|identified)",
            re.I,
        ),
    ),
    ("workaround", re.compile(r"\bwork-?arounds?\b", re.I)),
    (
        "vendor_fix",
        re.compile(
            r"\b(?:upgrad|updat|patch|hotfix|new (?:software|firmware)? ?(?:version|release)"
            r"|fixed in|instal)\w*",
            re.I,
        ),
    ),
)
_ADVICE = re.compile(
    r"\b(?:recommends?|recommended|advises?|should|must|please|encourages?|urges?|work-?arounds?|mitigations?|to "
    r"mitigate|to (?:reduce|minimi[sz]e) the risk)\b"
    r"|^(?:restrict|disable|enable|isolate|limit|block|apply|ensure|use|change|install|update|upgrade|place|locate|segment|monitor|avoid|disconnect|contact)\b",
    re.I,
)
_MAX_REMEDIES = 60


@dataclass(frozen=True, slots=True)
class Remedy:
    """A measure; `category` as in CSAF 2.0, section 3.2.3.12.1."""

    category: str
    span: Span
    url: str


def remedies(lines: Sequence[Line]) -> Iterator[Remedy]:
    """Measures in the sections about them, and sentences elsewhere that advise something."""
    count = 0
    for line in lines:
        if line.heading or line.topic in (Topic.AFFECTED, Topic.UNAFFECTED, Topic.ASIDE):
            continue
        if line.topic in (Topic.FIX, Topic.MITIGATION):
            pieces = [line.span]
        else:
            pieces = [
                Span(line.span.start + sentence.start, line.span.start + sentence.end, sentence.text)
                for sentence in sentences(line.span.text)
                if _ADVICE.search(sentence.text)
            ]
        for piece in pieces:
            if len(piece.text) < 12 or count >= _MAX_REMEDIES:
                continue
            count += 1
            url = _URL.search(piece.text)
            yield Remedy(_category(piece.text), piece, url.group().rstrip(".,;") if url else "")


def _category(text: str) -> str:
    return next((name for name, pattern in _CATEGORIES if pattern.search(text)), "mitigation")
