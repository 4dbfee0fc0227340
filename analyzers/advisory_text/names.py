"""Product names in prose, found from what stands beside them."""

from __future__ import annotations

import re

from analyzers.advisory_text.name_words import ABBREVIATIONS, JOINERS, NEVER, SUFFIXES
from analyzers.advisory_text.spans import Span, span

_WINDOW = 200
"""Longest name, in characters."""
_WORDS_OF_AN_ITEM = 18
_WORD = re.compile(r"[^\s|]+")
_EDGE = " \t,;:|(-\u2013\u2014*\u2022\u00b7\u25cf\u25aa\u2013\"'\u2018\u2019\u201c\u201d=<>"
_BEFORE_VERSION = re.compile(
    r"(?:[\s,(|:;\-\u2013\u2014]|\b(?:with|running|using|on|has|have|at|in|of|the|affected|is|are|to|for|that|which|all|any|only|if|when|and|or"
    r"|software|firmware|versions?|releases?|revisions?|models?|products?)\b)+$",
    re.I,
)
_BEFORE_COLON = re.compile(
    r"(?:[\s,(|:;\-\u2013\u2014]|\b(?:(?:all|any|the|affected)\s{1,2}){0,2}(?:(?:software|firmware)\s{1,2})?"
    r"(?:versions?|releases?|revisions?)\b)+$",
    re.I,
)
_DESIGNATION = re.compile(r"(?=\S*\d)\w[\w./+-]{2,30}|[a-z][\w-]{3,30}")
_TRAILING_JOINER = re.compile(r"(?:^|\s)(?:and|or|&|\+|/|for|with|by|of|de|la|und|von)$", re.I)
_LEADING_JOINER = re.compile(r"^(?:and|or|&|\+|/|for|with|by|of|de|la|und|von)\s", re.I)
_MARKS = re.compile(r"\((?:r|tm|c)\)|[\u00ae\u2122\u2120\u00a9]", re.I)
_LETTERS = re.compile(r"[^\W\d_]")
_FOLLOWING = re.compile(r"[\s,]{0,3}(?:of|in|for)\s{1,2}(?:the\s{1,2})?(?=[^\W_])")


def name_before(text: str, start: int, floor: int) -> Span | None:
    """The name that ends before `start`, where versions are named; no further back than `floor`."""
    floor = max(floor, start - _WINDOW)
    window = text[floor:start]
    stripped = _BEFORE_VERSION.search(window)
    end = floor + (stripped.start() if stripped else len(window))
    words = list(_WORD.finditer(text, floor, end))
    # A word cut by the window is no word.
    if words and floor > 0 and words[0].start() == floor and not text[floor - 1].isspace():
        words = words[1:]
    first = len(words)
    for index in range(len(words) - 1, -1, -1):
        following = words[index + 1].group() if index + 1 < len(words) else ""
        if not _belongs(words[index].group(), following, index == len(words) - 1):
            break
        first = index
    return _trimmed(text, words[first].start(), end) if first < len(words) else None


def item_name(text: str, start: int, end: int) -> Span | None:
    """The name that a list item consists of, or begins with up to its versions; small words are part of it."""
    window = text[start:end]
    stripped = _BEFORE_VERSION.search(window)
    found = _trimmed(text, start, start + (stripped.start() if stripped else len(window)))
    return found if found and len(found.text) <= _WINDOW and len(found.text.split()) <= _WORDS_OF_AN_ITEM else None


def labelled_name(text: str, start: int, end: int) -> Span | None:
    """The name that stands before the colon of a list item: ``mGuard firmware: versions ...``, ``750-829: ...``."""
    stripped = _BEFORE_COLON.search(text, start, end)
    stop = stripped.start() if stripped else end
    found = _trimmed(text, start, stop)
    if found is None:
        bare = span(text, start, stop)
        found = bare if _DESIGNATION.fullmatch(bare.text) else None
    return found if found and len(found.text) <= _WINDOW and len(found.text.split()) <= _WORDS_OF_AN_ITEM else None


def name_after(text: str, end: int, ceiling: int) -> Span | None:
    """The name that is introduced after `end`: ``2.1 and earlier of the Acme Pump``."""
    opening = _FOLLOWING.match(text, end, ceiling)
    return name_from(text, opening.end(), ceiling) if opening else None


def name_from(text: str, start: int, ceiling: int) -> Span | None:
    """The name that begins at `start`."""
    last = start
    previous = ""
    for word in _WORD.finditer(text, start, min(ceiling, start + _WINDOW)):
        bare = word.group().strip(_EDGE).lower()
        if bare in NEVER or not (_is_name_word(word.group()) or (previous and bare in SUFFIXES | JOINERS)):
            break
        last = word.end()
        previous = bare
        if word.group()[-1] in ",;:.)" and word.group().lower() not in ABBREVIATIONS:
            break
    return _trimmed(text, start, last) if last > start else None


def _belongs(word: str, following: str, last: bool) -> bool:
    """Whether a word is part of the name whose next word is `following`."""
    bare = _MARKS.sub("", word).strip(_EDGE).lower()
    if not last and word[-1] in ".;:!?|" and word.lower() not in ABBREVIATIONS:
        return False
    if not last and word.endswith(","):
        # Within a list of models only: "MX100, MX400, and MX850".
        listed = any(sign.isdigit() for sign in word)
        if not (listed and (following.lower() in ("and", "or") or any(sign.isdigit() for sign in following))):
            return False
    if bare in NEVER:
        return False
    if not bare or bare in JOINERS:
        return not last and bool(following)
    return _is_name_word(word) or bare in SUFFIXES


def _is_name_word(word: str) -> bool:
    bare = _MARKS.sub("", word).strip(_EDGE + ".)")
    if not bare or bare.lower() in NEVER or not _LETTERS.search(bare):
        return bool(re.fullmatch(r"\d[\w/.-]{0,20}", bare)) if bare else False
    return bare[0].isupper() or any(sign.isdigit() or sign.isupper() or sign in "/_" for sign in bare)


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The span without joiners, punctuation and small words at its ends; None if no name is left."""
    while True:
        found = span(text, start, end)
        piece = found.text
        left = len(piece) - len(piece.lstrip(_EDGE + "./&+)"))
        right = len(piece) - len(piece.rstrip(_EDGE + ".,"))
        if right and piece.rstrip().lower().split()[-1:] and piece.split()[-1].lower() in ABBREVIATIONS:
            right = 0
        start, end = found.start + left, found.end - right
        piece = text[start:end]
        joiner, leading = _TRAILING_JOINER.search(piece), _LEADING_JOINER.match(piece)
        if joiner:
            end = start + joiner.start()
        elif leading:
            start += leading.end()
        elif not left and not right:
            break
        if start >= end:
            return None
    # A bracket that is opened in the name is closed in it.
    if piece.count("(") > piece.count(")") and text[end : end + 1] == ")":
        end += 1
    elif piece.count(")") > piece.count("("):
        # One that was opened before is a remark on what stood there.
        closing = start + piece.index(")")
        return _trimmed(text, closing + 1, end) or _trimmed(text, start, closing)
    found = span(text, start, end)
    words = found.text.split()
    telling = [word for word in words if _is_name_word(word) and _LETTERS.search(word)]
    return found if telling and len(_LETTERS.findall(found.text)) >= 2 else None
