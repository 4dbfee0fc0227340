"""The order of device firmware and software versions.

No packaging scheme fits what manufacturers print on their devices, so a version is read as a row of numbers and letter
groups. A service pack, update, hotfix or build ranks below the next number (3.2 < 3.2 SP1 < 3.2.1 < 3.3), a
pre-release below its release, a revision letter above the version it revises (1.03 < 1.03D < 1.04), and zeros at the
end say nothing (3 = 3.0). Versions of different kinds (``M.01`` and ``3.2``, a date and a number) are not comparable,
and `compare` says so instead of guessing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

Token = tuple[int, int, str]
"""Rank of the kind, number or length, text; tokens compare like tuples."""

_PRE, _END, _BUILD, _HOTFIX, _PATCH, _UPDATE, _PACK, _RELEASE, _LETTERS, _NUMBER = range(10)
_END_TOKEN: Token = (_END, 0, "")

_MARKERS = {
    _PRE: "dev snapshot alpha pre preview beta rc",
    _BUILD: "build bld bn",
    _HOTFIX: "hf hotfix",
    _PATCH: "patch p pl",
    _UPDATE: "update upd up uc u cu qu ru",
    _PACK: "sp fp mp servicepack featurepack",
    _RELEASE: "r rel release rev revision edition sr ed",
}
_MARKER_RANK = {word: rank for rank, words in _MARKERS.items() for word in words.split()}
_PRE_ORDER = {word: index for index, word in enumerate(_MARKERS[_PRE].split())}
_NEEDS_NUMBER = {"p", "u", "r"}

_PHRASES = (
    (re.compile(r"\bservice[\s_-]*(?:packs?|releases?)\b"), " sp "),
    (re.compile(r"\bfeature[\s_-]*packs?\b"), " fp "),
    (re.compile(r"\bhot[\s_-]*fix\b"), " hf "),
    (re.compile(r"\b(?:security|cumulative|quick)[\s_-]+(?=patch|update)"), " "),
    (re.compile(r"\bbuild\s*(?:nr|no|number)\b\.?"), " build "),
)
_LEADING = re.compile(
    r"^(?:(?:software|firmware|bios|image)\s+)?(?:versions?|vers|ver|v|releases?|rel|r|revision|rev|fw|firmware|software|sw)"
    r"[\s._:#-]*(?=\d)|^(?:versions?|ver|revisions?|rev)[\s.:#]+(?=[a-z])"
)
_ALLOWED = re.compile(r"[a-z0-9\s._/()\[\]{},+:#*~-]+")
_WILDCARD_END = re.compile(r"(?:[\s._-]+(?:x+|\*))+$")
_MIXED_WILDCARD = re.compile(r"(?:^|[\s._-])(?:x+|\*)(?=[\s._-])|\d(?:x+|\*+)$|\*")
_REVISION_X = re.compile(r"\d\dX$")
_PIECES = re.compile(r"\d+|[a-z]+")

_MONTHS = {month: index + 1 for index, month in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
_MONTH_NAMES = "|".join(month + "[a-z]*" for month in _MONTHS)
_DATES = (
    re.compile(rf"(?P<m>{_MONTH_NAMES})[\s/.,-]+(?P<d>\d{{1,2}})[\s/.,-]+(?P<y>\d{{4}})"),
    re.compile(rf"(?P<d>\d{{1,2}})[\s/.,-]+(?P<m>{_MONTH_NAMES})[\s/.,-]+(?P<y>\d{{4}})"),
    re.compile(rf"(?P<m>{_MONTH_NAMES})[\s/.,-]+(?P<y>\d{{4}})"),
    re.compile(r"(?P<y>(?:19|20)\d{2})[-/.](?P<m>0?[1-9]|1[0-2])[-/.](?P<d>0[1-9]|[12]\d|3[01])"),
    re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])"),
)


class Scheme(StrEnum):
    """What a version begins with; different schemes are never compared."""

    NUMBER = "number"
    LETTERS = "letters"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Version:
    """One version, ready to be compared.

    Attributes
    ----------
    text
        As written.
    tokens
        Canonical tokens: zeros that say nothing removed, closed by an end token.
    pattern
        Tokens before a final wildcard (``14.1.x``), zeros kept; only of use when `open`.
    open
        True for a pattern that stands for every version that begins so.
    """

    text: str
    scheme: Scheme
    tokens: tuple[Token, ...]
    pattern: tuple[Token, ...]
    open: bool = False


@lru_cache(maxsize=65536)
def parse_version(text: str) -> Version | None:
    """Read one version; None when the text is not one (empty, prose, a wildcard in the middle)."""
    lowered = text.strip().lower()
    if not lowered or len(lowered) > 100 or not _ALLOWED.fullmatch(lowered):
        return None
    date = _read_date(lowered)
    if date is not None:
        return Version(text, Scheme.DATE, (*date, _END_TOKEN), date)
    for pattern, marker in _PHRASES:
        lowered = pattern.sub(marker, lowered)
    lowered = _LEADING.sub("", lowered.strip(" .,:-_()[]{}"))
    closed = _WILDCARD_END.sub("", lowered)
    letter = _REVISION_X.search(text.strip()) is not None
    if not closed or (_MIXED_WILDCARD.search(closed) and not letter):
        return None
    tokens = _tokenise(_PIECES.findall(closed))
    if not tokens:
        return None
    scheme = Scheme.NUMBER if tokens[0][0] == _NUMBER else Scheme.LETTERS
    return Version(text, scheme, (*_without_idle_zeros(tokens), _END_TOKEN), tokens, closed != lowered)


def compare(installed: Version, stated: Version) -> int | None:
    """Order of two versions.

    Parameters
    ----------
    installed
        When open (``5.x``), comparable only with what lies wholly on one side of it, or with the same series.
    stated
        May be open, or a bare revision letter: then every version that begins like it compares as 0.

    Returns
    -------
    int or None
        -1, 0 or 1 for older, equal, newer; None when the two are not comparable.
    """
    if not _comparable(installed, stated):
        return None
    if installed.open:
        length = min(len(installed.pattern), len(stated.pattern))
        own, other = installed.pattern[:length], stated.pattern[:length]
        return (own > other) - (own < other)
    if stated.open or _is_revision_letter(stated):
        length = len(stated.pattern)
        own = _padded(installed.pattern, length)[:length]
        return (own > stated.pattern) - (own < stated.pattern)
    return (installed.tokens > stated.tokens) - (installed.tokens < stated.tokens)


def _is_revision_letter(version: Version) -> bool:
    """``N`` stands for N.00, N.01 and so on."""
    return len(version.pattern) == 1 and version.scheme is Scheme.LETTERS


def same_style(installed: Version, stated: Version) -> bool:
    """Whether two versions that differ can be called different: a bare number may be a model, not a version."""
    bare = [len(version.pattern) == 1 and version.pattern[0][1] >= 100 for version in (installed, stated)]
    return bare[0] == bare[1]


def _read_date(text: str) -> tuple[Token, ...] | None:
    cleaned = text.strip(" .,")
    for pattern in _DATES:
        found = pattern.fullmatch(cleaned)
        if found:
            parts = found.groupdict()
            month = parts["m"]
            number = _MONTHS[month[:3]] if month[:3] in _MONTHS else int(month)
            numbers = [int(parts["y"]), number, *([int(parts["d"])] if parts.get("d") else [])]
            return tuple((_NUMBER, value, "") for value in numbers)
    return None


def _tokenise(pieces: list[str]) -> tuple[Token, ...]:
    tokens: list[Token] = []
    for index, piece in enumerate(pieces):
        if piece.isdigit():
            tokens.append((_NUMBER, int(piece), ""))
            continue
        followed = index + 1 < len(pieces) and pieces[index + 1].isdigit()
        if piece in ("v", "version", "ver") and index and followed:
            continue
        rank = _MARKER_RANK.get(piece, _LETTERS)
        if index == 0 or (piece in _NEEDS_NUMBER and not followed):
            rank = _LETTERS
        tokens.append((rank, len(piece), piece) if rank == _LETTERS else (rank, _PRE_ORDER.get(piece, 0), ""))
    return tuple(tokens)


def _without_idle_zeros(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Drop zeros before a letter group or the end, but never the first token: 10.0a is 10a."""
    kept: list[Token] = []
    for token in reversed(tokens):
        if token[:2] == (_NUMBER, 0) and (not kept or kept[-1][0] != _NUMBER):
            continue
        kept.append(token)
    kept.reverse()
    return tuple(kept) if kept and kept[0][0] == tokens[0][0] else (tokens[0], *kept)


def _padded(tokens: tuple[Token, ...], length: int) -> tuple[Token, ...]:
    return tokens + ((_NUMBER, 0, ""),) * max(0, length - len(tokens))


def _comparable(installed: Version, stated: Version) -> bool:
    if installed.scheme is not stated.scheme:
        return False
    if installed.open and _overlaps(installed, stated):
        return False
    own, other = installed.pattern[0], stated.pattern[0]
    if installed.scheme is Scheme.LETTERS:
        return _comparable_letters(installed, stated)
    if installed.scheme is Scheme.NUMBER:
        years = [1990 <= token[1] <= 2099 for token in (own, other)]
        if years[0] != years[1] and min(own[1], other[1]) < 100:
            return False
        return abs(len(str(own[1])) - len(str(other[1]))) < 4
    shorter = min(len(installed.pattern), len(stated.pattern))
    same_precision = len(installed.pattern) == len(stated.pattern)
    return same_precision or installed.pattern[:shorter] != stated.pattern[:shorter]


def _overlaps(series: Version, stated: Version) -> bool:
    """Whether an installed series (``5.x``) may lie on both sides of the stated version."""
    length = min(len(series.pattern), len(stated.pattern))
    same = stated.open and series.pattern == stated.pattern
    return not same and series.pattern[:length] == stated.pattern[:length]


def _comparable_letters(installed: Version, stated: Version) -> bool:
    """Revision letters have an order; the words of different naming schemes have none."""
    own, other = installed.pattern[0][2], stated.pattern[0][2]
    if own == other:
        return True
    if len(installed.pattern) == len(stated.pattern) == 1 and max(len(own), len(other)) <= 2:
        return True
    if len(own) != len(other) or len(own) > 2:
        return False
    return len(own) == 1 or own[0] == other[0]
