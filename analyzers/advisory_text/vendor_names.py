"""Who made it: vendors in a bulletin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analyzers.advisory_text.spans import Span, span
from analyzers.matching.names.vendors import leading_vendor

_LABEL = re.compile(
    r"(?:^|\n)\s?(?:vendor|manufacturer|supplier|company|issued by|publisher)(?: name)?\s?[:|]\s?([^\n|]{2,80})", re.I
)
_LETTERHEAD = re.compile(
    r"(?:\W{0,20})((?-i:[A-Z])[\w.&-]*(?:[ ](?:(?-i:[A-Z])[\w.&-]*|&|and)){0,4})\s{1,3}(?:product\s)?(?:cyber[- "
    r"]?)?security\s"
    r"(?:bulletin|advisory|notice|notification|update)\b",
    re.I,
)
_COPYRIGHT = re.compile(
    r"(?:\u00a9|\(c\)|copyright)\s(?:\u00a9\s|\(c\)\s)?(?:20\d\d(?:\s?[-\u2013]\s?20\d\d)?\s)?(?:by\s)?"
    r"([A-Z][\w.&, -]{1,60})",
    re.I,
)
_WORD = re.compile(r"\S+")
_WORDS_OF_A_NAME = 4
_WORDS_LOOKED_AT = 2_000
_GOES_ON = frozenset(
    "inc corp corporation company co ltd limited gmbh ag llc sa nv bv healthcare medical melsungen kabi systems "
    "laboratories technologies technology".split()
)
"""A vendor's name may go on with these: the longest spelling is taken."""


def vendor_before(text: str, name: Span) -> tuple[Span | None, Span]:
    """Part a name into vendor and product, where it begins with a vendor that is known."""
    words = list(_WORD.finditer(name.text))
    count = _vendor_length([word.group() for word in words])
    if not 0 < count < len(words):
        return None, name
    cut = words[count].start()
    head = span(text, name.start, name.start + cut)
    bare = head.text.rstrip(" ,'\u2019")
    rest = span(text, name.start + cut, name.end)
    return Span(head.start, head.start + len(bare), bare), rest


def known_vendor(text: str, start: int, end: int) -> Span | None:
    """The first vendor in a stretch of text that the alias table knows, written with a capital."""
    words = list(_WORD.finditer(text, start, end))[:_WORDS_LOOKED_AT]
    for index, word in enumerate(words):
        if word.group()[0].isupper():
            following = words[index : index + _WORDS_OF_A_NAME + 2]
            count = _vendor_length([each.group() for each in following])
            if count:
                found = span(text, word.start(), following[count - 1].end())
                bare = re.sub(r"(?:['\u2019]s?)?[\s,.;:]*$", "", found.text)
                return Span(found.start, found.start + len(bare), bare) if bare else None
    return None


def _vendor_length(words: Sequence[str]) -> int:
    """How many of the words are the vendor that they begin with; 0 if none is known."""
    if not words or not leading_vendor(" ".join([*words[: _WORDS_OF_A_NAME + 1], "x"])):
        return 0
    for count in range(1, min(_WORDS_OF_A_NAME, len(words)) + 1):
        if leading_vendor(f"{' '.join(words[:count])} x"):
            while count < len(words) and words[count].strip(".,'()").lower() in _GOES_ON:
                count += 1
            return count
    return 0


def stated_vendor(text: str) -> Span | None:
    """The vendor that a label, the first lines ("Acme Security Bulletin") or a copyright line name."""
    for match in (_LABEL.search(text), _LETTERHEAD.match(text), _COPYRIGHT.search(text)):
        if match:
            found = span(text, match.start(1), match.end(1))
            trimmed = found.text.rstrip(" .,")
            if trimmed:
                return Span(found.start, found.start + len(trimmed), trimmed)
    return None
