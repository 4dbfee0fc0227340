"""The order of device firmware and software versions.

No packaging scheme fits what manufacturers print on their devices, so a version is read as a row of numbers and letter
groups. A service pack, update, hotfix or build ranks below the next number (3.2 < 3.2 SP1 < 3.2.1 < 3.3), a
pre-release below its release, a revision letter above the version it revises (1.03 < 1.03D < 1.04), and zeros at the
end say nothing (3 = 3.0). Versions of different kinds (``M.01`` and ``3.2``, a date and a number) are not comparable,
and `compare` says so instead of guessing. A wildcard stands for a series (``14.1.x``), for one number (``3.X.17``) or
for one digit (``8.1x``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from analyzers.matching.versions.words import (
    ANY_NUMBER,
    BUILD,
    END,
    NUMBER,
    PRE_RELEASE,
    Token,
    read_date,
    strip_version,
    tokenise,
)

_END_TOKEN: Token = (END, 0, "")
_DIGIT = "digit"
"""Text of a number token whose last digit is a wildcard: ``8.1x`` is 8.1.x, or 8.10 to 8.19."""


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
        Tokens before a final wildcard (``14.1.x``), zeros kept.
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
    """Read one version, also as inventories write it: ``Ver. 2.3.1``, ``SW 2.3``, ``2,3``, ``2.3 (build 45)``.

    Returns
    -------
    Version or None
        None when the text is not one: empty, prose, nothing but wildcards, longer than 100 characters.
    """
    date = read_date(text)
    if date is not None:
        return Version(text, Scheme.DATE, (*date, _END_TOKEN), date)
    bare, series, digit = strip_version(text)
    tokens = tokenise(bare)
    if not tokens or (digit and tokens[-1][0] != NUMBER):
        return None
    if digit:
        tokens = (*tokens[:-1], (NUMBER, tokens[-1][1], _DIGIT))
    scheme = Scheme.NUMBER if tokens[0][0] == NUMBER else Scheme.LETTERS
    return Version(text, scheme, _canonical(tokens), tokens, series or digit)


def compare(installed: Version, stated: Version) -> int | None:
    """Order of two versions.

    Parameters
    ----------
    installed
        When open (``5.x``), comparable only with what lies wholly on one side of it, or with the same series.
    stated
        May be open, or a bare revision letter: then every version that begins like it compares as 0. A number left
        open in the middle (``3.X.17``) takes the value of the installed version.

    Returns
    -------
    int or None
        -1, 0 or 1 for older, equal, newer; None when the two are not comparable.
    """
    if ANY_NUMBER in installed.pattern:
        return None
    if ANY_NUMBER in stated.pattern:
        stated = _filled(stated, installed)
    if not _comparable(installed, stated):
        return None
    if installed.open:
        length = min(len(installed.pattern), len(stated.pattern))
        return _order(_plain(installed.pattern)[:length], _plain(stated.pattern)[:length])
    if stated.open or _is_revision_letter(stated):
        own = _padded(installed.pattern, len(stated.pattern))[: len(stated.pattern)]
        if stated.pattern[-1][2] == _DIGIT and own[:-1] == stated.pattern[:-1] and own[-1][0] == NUMBER:
            return _compare_digit(own[-1][1], stated.pattern[-1][1])
        return _order(own, _plain(stated.pattern))
    return _order(installed.tokens, stated.tokens)


def leaves_out(installed: Version, stated: Version) -> bool:
    """Whether the installed version may be a short form of the stated one: ``2.0`` of 2.0.3, ``7.4`` of 7.4 SP1.

    True for one or two numbers, which inventories abbreviate to, and the beginning of the stated version.
    """
    length = len(installed.pattern)
    surplus = stated.pattern[length:]
    return (
        installed.scheme is Scheme.NUMBER
        and length <= 2
        and bool(surplus)
        and surplus[0][0] not in (PRE_RELEASE, BUILD)
        and stated.pattern[:length] == installed.pattern
    )


def differs_by_build(installed: Version, stated: Version) -> bool:
    """Whether the installed version is the stated one with a build number, which makes it no other version."""
    length = len(stated.tokens) - 1
    return installed.tokens[:length] == stated.tokens[:length] and installed.tokens[length][0] == BUILD


def same_style(installed: Version, stated: Version) -> bool:
    """Whether two versions that differ can be called different: a bare number may be a model, not a version."""
    bare = [len(version.pattern) == 1 and version.pattern[0][1] >= 100 for version in (installed, stated)]
    return bare[0] == bare[1]


def branch_of(version: Version, length: int) -> Version | None:
    """The series a version belongs to, by its first tokens: ``4.2.x`` of 4.2.21; None when it cannot be written."""
    text = ".".join(token[2] or str(token[1]) for token in version.pattern[:length]) + ".x"
    series = parse_version(text)
    return series if series is not None and series.pattern == version.pattern[:length] else None


def _order(own: tuple[Token, ...], other: tuple[Token, ...]) -> int:
    return (own > other) - (own < other)


def _compare_digit(own: int, stem: int) -> int | None:
    """A number against ``1x``: 1 and 10 to 19 are meant, and whether 2 to 9 lie below or above is not known."""
    if own == stem or own // 10 == stem > 0:
        return 0
    if stem < own < max(10 * stem, 10):
        return None
    return (own > stem) - (own < stem)


def _filled(stated: Version, installed: Version) -> Version:
    own = _padded(installed.pattern, len(stated.pattern))
    pattern = tuple(mine if token == ANY_NUMBER else token for token, mine in zip(stated.pattern, own, strict=False))
    return Version(stated.text, stated.scheme, _canonical(pattern), pattern, stated.open)


def _plain(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    return (*tokens[:-1], (*tokens[-1][:2], "")) if tokens and tokens[-1][2] == _DIGIT else tokens


def _is_revision_letter(version: Version) -> bool:
    """``N`` stands for N.00, N.01 and so on."""
    return len(version.pattern) == 1 and version.scheme is Scheme.LETTERS


def _canonical(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Drop zeros before a letter group or the end, but never the first token: 10.0a is 10a."""
    kept: list[Token] = []
    for token in reversed(tokens):
        if token[:2] == (NUMBER, 0) and (not kept or kept[-1][0] != NUMBER):
            continue
        kept.append(token)
    kept.reverse()
    return (*(kept if kept and kept[0][0] == tokens[0][0] else (tokens[0], *kept)), _END_TOKEN)


def _padded(tokens: tuple[Token, ...], length: int) -> tuple[Token, ...]:
    return tokens + ((NUMBER, 0, ""),) * max(0, length - len(tokens))


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
