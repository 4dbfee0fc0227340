"""What the readers of all SBOM formats make of licences, hashes, and what is stated by name and value."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

MAX_STATEMENTS = 100
"""Most licences, most hashes and most properties of one component."""
MAX_STATEMENT_LENGTH = 2000
"""Longest licence, hash, and name or value of a property, in characters."""

_ALGORITHM = re.compile(r"(SHA|BLAKE)[-_]?(\d[\w-]*)", re.IGNORECASE)
_FAMILY = re.compile(r"^(SHA|BLAKE)-(2B|3)(?=-|$)")
_NOT_A_LETTER = re.compile(r"[^a-z]")

_LAST_DAYS = (
    # the end of all support
    ("endofsupport", "endofsupportdate", "supportenddate", "supportend", "eos", "eosdate", "supporteduntil"),
    ("endofsecuritysupport", "endofsecurityupdates", "eossec"),
    # often used for the same, and no later
    ("endoflife", "endoflifedate", "eol", "eoldate"),
    ("endofguaranteedsupport", "validuntil", "validuntildate"),
)
"""Names of properties that say until when something is supported, the most telling first; letters only.

``cdx:lifecycle:milestone:endOfSupport`` is from CycloneDX's taxonomy of properties, the others from SBOMs in the field.
"""
_LEVELS = ("supportlevel", "levelofsupport", "supportstatus", "maintenancestatus", "softwarelevelofsupport")
"""Names of properties that say how something is supported (FDA, premarket guidance of 2023, V.A.4.b)."""
_KNOWN = frozenset((*_LEVELS, *(name for group in _LAST_DAYS for name in group)))

_DATES = ("%Y/%m/%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y")
_MONTHS = ("%Y-%m", "%Y/%m", "%B %Y", "%b %Y")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Support:
    """How and until when a component is supported, and the properties that say something else."""

    level: str
    last_day: date | None
    others: tuple[tuple[str, str], ...]


def read_support(properties: Iterable[tuple[str, str]]) -> Support:
    """Find support level and end of support among properties.

    A date that cannot be read ("until hardware support ends") stays a property; so does one that says less than
    another.
    """
    kept = capped_pairs(properties)
    if not kept:
        return _UNSTATED
    names = [_bare_name(name) for name, _ in kept]
    if not any(name in _KNOWN for name in names):
        return Support("", None, kept)
    taken: set[int] = set()
    level = ""
    for index in (index for index, name in enumerate(names) if name in _LEVELS and kept[index][1]):
        level = kept[index][1]
        taken.add(index)
        break
    last_day = None
    for index in (index for group in _LAST_DAYS for index, name in enumerate(names) if name in group):
        last_day = read_day(kept[index][1])
        if last_day:
            taken.add(index)
            break
    return Support(level, last_day, tuple(pair for index, pair in enumerate(kept) if index not in taken))


_UNSTATED = Support("", None, ())


def is_support(name: str) -> bool:
    """Whether a property of this name says how or until when something is supported."""
    return _bare_name(name) in _KNOWN


@lru_cache(maxsize=4096)
def _bare_name(name: str) -> str:
    """``cdx:lifecycle:milestone:endOfSupport``, ``End-of-Support`` -> ``endofsupport``."""
    return _NOT_A_LETTER.sub("", name.rpartition(":")[2].lower())


def read_day(text: str) -> date | None:
    """The last day of the date, month or year in `text`; None when it is none of them or could be two."""
    text = text.strip()
    try:
        return datetime.fromisoformat(text.upper()).date()
    except ValueError:
        pass
    for form in _DATES:
        found = _parse(text, form)
        if found:
            return found
    for form in _MONTHS:
        found = _parse(text, form)
        if found:
            return found.replace(day=monthrange(found.year, found.month)[1])
    return date(int(text), 12, 31) if _YEAR.fullmatch(text) else None


def _parse(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def hash_text(algorithm: str, digest: str) -> str:
    """``SHA-256:9f86d0...``, whichever way the algorithm is spelt; empty without a digest."""
    named = _algorithm(algorithm)
    digest = digest.strip().lower()
    return f"{named}:{digest}" if digest and named else ""


@lru_cache(maxsize=256)
def _algorithm(name: str) -> str:
    """``sha256``, ``SHA_256`` -> ``SHA-256``; SHA-3 and the BLAKEs keep the number of their family."""
    spelt = _ALGORITHM.sub(r"\1-\2", name.strip().upper().replace("_", "-"))
    return _FAMILY.sub(r"\1\2", spelt)


def capped(texts: Iterable[str]) -> tuple[str, ...]:
    """Without what is empty or said before, cut to `MAX_STATEMENTS` of `MAX_STATEMENT_LENGTH`."""
    found = dict.fromkeys(_cut(text) for text in texts if text)
    return tuple(found)[:MAX_STATEMENTS]


def capped_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Like `capped`, of names and values; a name without a value says nothing."""
    found = dict.fromkeys((_cut(name), _cut(value)) for name, value in pairs if name and value)
    return tuple(found)[:MAX_STATEMENTS]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_STATEMENT_LENGTH else f"{text[: MAX_STATEMENT_LENGTH - 1]}…"
