"""Who made it: vendors in a bulletin."""

from __future__ import annotations

import re

from analyzers.advisory_text.spans import Span, span
from analyzers.matching.vendors import leading_vendor

_LABEL = re.compile(
    r"(?:^|\n)\s?(?:vendor|manufacturer|supplier|company|issued by|publisher)(?: name)?\s?[:|]\s?([^\n|]{2,80})", re.I
)
_COPYRIGHT = re.compile(
    r"(?:\u00a9|\(c\)|copyright)\s(?:\u00a9\s|\(c\)\s)?(?:20\d\d(?:\s?[-\u2013]\s?20\d\d)?\s)?(?:by\s)?([A-Z][\w.&, -]{1,60})",
    re.I,
)
_WORD = re.compile(r"[^\s]+")


def vendor_before(text: str, name: Span) -> tuple[Span | None, Span]:
    """Part a name into vendor and product, where it begins with a vendor that is known."""
    known = leading_vendor(name.text)
    if not known:
        return None, name
    words = list(_WORD.finditer(name.text))
    for count in range(1, min(5, len(words))):
        head = name.text[: words[count].start()].rstrip(" ,'\u2019")
        if leading_vendor(f"{head} x") == known:
            # The longest spelling: "B. Braun Melsungen AG", not "B. Braun".
            longer = count
            while longer + 1 < len(words) and leading_vendor(f"{name.text[: words[longer + 1].start()]} x") == known:
                if not _is_more_of_the_vendor(words[longer].group()):
                    break
                longer += 1
            cut = words[longer].start()
            return span(text, name.start, name.start + cut), span(text, name.start + cut, name.end)
    return None, name


_MORE = frozenset(
    "inc corp corporation company co ltd limited gmbh ag llc sa nv bv healthcare medical melsungen systems technologies".split()
)


def _is_more_of_the_vendor(word: str) -> bool:
    return word.strip(".,'").lower() in _MORE


def stated_vendor(text: str) -> Span | None:
    """The vendor a label or a copyright line names."""
    for pattern in (_LABEL, _COPYRIGHT):
        match = pattern.search(text)
        if match:
            found = span(text, match.start(1), match.end(1))
            trimmed = found.text.rstrip(" .,")
            if trimmed:
                return Span(found.start, found.start + len(trimmed), trimmed)
    return None
