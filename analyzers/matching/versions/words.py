"""Words and signs inside one version: prefixes, markers such as SP and build, wildcards, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping

Token = tuple[int, int, str]
"""Rank of the kind, number or length, text; tokens compare like tuples."""

PRE_RELEASE, END, BUILD, HOTFIX, PATCH, UPDATE, PACK, RELEASE, LETTERS, NUMBER = range(10)
"""Ranks: a pre-release lies below the end of a version, everything else above it."""

ANY_NUMBER: Token = (NUMBER, -1, "*")

_MARKERS: Mapping[int, str] = {
    PRE_RELEASE: "dev snapshot alpha pre preview beta rc",
    BUILD: "build bld bn",
    HOTFIX: "hf hotfix",
    PATCH: "patch p pl qf quickfix",
    UPDATE: "update upd up uc u cu qu ru",
    PACK: "sp fp mp servicepack featurepack",
    RELEASE: "r rel release rev revision edition sr ed",
}
_MARKER_RANK = {word: rank for rank, words in _MARKERS.items() for word in words.split()}
_PRE_ORDER = {word: index for index, word in enumerate(_MARKERS[PRE_RELEASE].split())}
_NEEDS_NUMBER = {"p", "u", "r"}

_PHRASES = (
    (re.compile(r"\bservice[\s_-]*(?:packs?|releases?)\b"), " sp "),
    (re.compile(r"\bfeature[\s_-]*packs?\b"), " fp "),
    (re.compile(r"\bhot[\s_-]*fix\b"), " hf "),
    (re.compile(r"\b(?:security|cumulative|quick)[\s_-]+(?=patch|update)"), " "),
    (re.compile(r"\bbuild\s*(?:nr|no|number)\b\.?"), " build "),
)
_PREFIX = (
    r"software|firmware|bios|image|os|application|system|product|versions?|vers|ver|v|releases?|rel|r|revisions?|rev"
    r"|frn|fw|sw"
)
_LEADING = re.compile(
    rf"^(?:(?:{_PREFIX})[\s._:#-]*)+(?=\d)|^(?:(?:software|firmware|fw|sw)[\s.:#]+)?(?:versions?|ver|revisions?|rev)"
    r"[\s.:#]+(?=[a-z])|^(?:software|firmware|fw|sw)[\s.:#]+(?=[a-z]{1,2}[\s._-]?\d)|^[=~]+\s*"
)
_HARDWARE = re.compile(r"(?<=[\da-z])[\s,;/|]+(?:hw|hardware)\b.*$")
_IDLE_REMARK = re.compile(r"\s*\((?![^()]*\d)[^()]*\)$|[\s,(]+(?:x64|x86|(?:32|64)[\s-]?bit)\)?$")
_WORD = r"(?!(?:{})\b)[a-z]{{4,}}".format("|".join(word for word in _MARKER_RANK if len(word) > 3))
_IDLE_WORDS = re.compile(rf"(?<=[\da-z)])(?:[\s,]+(?:{_WORD}|for|the|and|with)\b)+$")
_ALLOWED = re.compile(r"[a-z0-9\s._/()\[\]{},+:;|=#*~-]+")
_SERIES_END = re.compile(r"(?:[\s._-]+(?:x+|\*))+$")
_DIGIT_END = re.compile(r"(?<=\d)(?:x|\*)$")
_INNER_WILDCARD = re.compile(r"(?<=[\d][._-])(?:x+|\*)(?=[._-]\d)")
_OTHER_WILDCARD = re.compile(r"(?:^|[\s._-])x+(?=[\s._-])|\dx{2,}$|\*")
_REVISION_X = re.compile(r"\d\dX$")
_ANY_WORD = "~"
_PIECES = re.compile(r"\d+|[a-z]+|~")

_MONTHS = {month: index + 1 for index, month in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
_MONTH_NAMES = "|".join(month + "[a-z]*" for month in _MONTHS)
_DATES = (
    re.compile(rf"(?P<m>{_MONTH_NAMES})[\s/.,-]+(?P<d>\d{{1,2}})[\s/.,-]+(?P<y>\d{{4}})"),
    re.compile(rf"(?P<d>\d{{1,2}})[\s/.,-]+(?P<m>{_MONTH_NAMES})[\s/.,-]+(?P<y>\d{{4}})"),
    re.compile(rf"(?P<m>{_MONTH_NAMES})[\s/.,-]+(?P<y>\d{{4}})"),
    re.compile(r"(?P<y>(?:19|20)\d{2})[-/.](?P<m>0?[1-9]|1[0-2])[-/.](?P<d>0[1-9]|[12]\d|3[01])"),
    re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])"),
    re.compile(r"(?P<d>0[1-9]|[12]\d|3[01])\.(?P<m>0[1-9]|1[0-2])\.(?P<y>(?:19|20)\d{2})"),
)


def read_date(text: str) -> tuple[Token, ...] | None:
    """Year, month and, when it is given, day; None when the text is no date."""
    cleaned = text.strip(" .,").lower()
    for pattern in _DATES:
        found = pattern.fullmatch(cleaned)
        if found:
            parts = found.groupdict()
            month = parts["m"]
            number = _MONTHS[month[:3]] if month[:3] in _MONTHS else int(month)
            numbers = [int(parts["y"]), number, *([int(parts["d"])] if parts.get("d") else [])]
            return tuple((NUMBER, value, "") for value in numbers)
    return None


def strip_version(text: str) -> tuple[str, bool, bool]:
    """Take away what says nothing: prefixes, remarks, the revision of the hardware.

    Returns
    -------
    tuple of str, bool, bool
        The rest in lower case, empty when the text is no version; whether it ended in a wildcard for a whole series;
        whether in one for a digit.
    """
    lowered = text.strip().lower()
    if not lowered or len(lowered) > 100 or not _ALLOWED.fullmatch(lowered):
        return "", False, False
    lowered = _HARDWARE.sub("", lowered)
    for pattern, marker in _PHRASES:
        lowered = pattern.sub(marker, lowered)
    lowered = _IDLE_WORDS.sub("", _IDLE_REMARK.sub("", lowered.strip()))
    lowered = _LEADING.sub("", lowered.strip(" .,:;|-_()[]{}"))
    closed = _SERIES_END.sub("", lowered)
    series = closed != lowered
    digit = not series and not _REVISION_X.search(text.strip()) and _DIGIT_END.search(closed) is not None
    if digit:
        closed = _DIGIT_END.sub("", closed)
    if "~" in closed or (_OTHER_WILDCARD.search(rest := _INNER_WILDCARD.sub(_ANY_WORD, closed))):
        return "", False, False
    return rest, series, digit


def tokenise(text: str) -> tuple[Token, ...]:
    """Numbers, markers and letter groups of a stripped version, in order."""
    pieces = _PIECES.findall(text)
    tokens: list[Token] = []
    for index, piece in enumerate(pieces):
        if piece.isdigit():
            tokens.append((NUMBER, int(piece), ""))
            continue
        if piece == _ANY_WORD:
            tokens.append(ANY_NUMBER)
            continue
        followed = index + 1 < len(pieces) and pieces[index + 1].isdigit()
        if piece in ("v", "version", "ver") and index and followed:
            continue
        rank = _MARKER_RANK.get(piece, LETTERS)
        if index == 0 or (piece in _NEEDS_NUMBER and not followed):
            rank = LETTERS
        tokens.append((rank, len(piece), piece) if rank == LETTERS else (rank, _PRE_ORDER.get(piece, 0), ""))
    return tuple(tokens)
