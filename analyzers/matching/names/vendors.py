"""Vendor names: legal forms, spellings, trading names and acquisitions (``vendor_aliases.toml``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

from analyzers.matching.names.normalise import fold, misspelt, skeleton

ANY_VENDOR = "*"
"""Index key of a source that names no vendor."""

_LEGAL_FORMS = frozenset(
    "inc incorporated gmbh ltd limited llc lp llp corporation corp ag co cie company plc sa sas spa sarl srl sro "
    "bv nv kg kgaa og oy oyj ab as aps ou zoo pty pte pvt se mfg".split()
)
_GENERAL_WORDS = frozenset(
    "medical healthcare health systems system technologies technology international group electronics diagnostics "
    "laboratories laboratory solutions products devices holding holdings services software worldwide global "
    "security communications networks networking instruments automation industries engineering europe asia "
    "pacific nordic usa us america north uk nederland netherlands deutschland germany austria finland france "
    "italia italy japan china india canada australia project".split()
)
_COMMON_FIRST = frozenset(
    "general national american advanced digital united first smart control delta universal standard open real "
    "applied integrated precision global pacific".split()
)
"""First words that several unrelated companies begin with."""

_UNSTATED = frozenset({"", "na", "unknown", "unspecified", "multiple", "multipleopensource", "various"})
_SEPARATORS = re.compile(r"[,;/()]|\band\b|\bformerly\b|\ba subsidiary of\b|\bby\b")
_INITIALS = re.compile(r"\b(?:[a-z]\.){2,}")
_NO_NAME = re.compile(r"\bopen source\b")
_SLASHED_FORM = re.compile(r"\b([as])/([as])\b")
_LONGEST_NAME = 5


class VendorRelation(StrEnum):
    """How two vendor names belong together, the closest first."""

    EXACT = "exact"
    ALIAS = "alias"
    GENERAL_WORDS = "same but for general words"
    ACQUIRED = "acquired"
    SUBSIDIARY = "begins with the same name"
    RELATED = "related company"
    MISSPELT = "spelled a little differently"
    UNSTATED = "not stated"


UNSTATED = 0.7
"""What a source that names no vendor leaves of the product's probability: a judgement, no labelled pair has one."""


@dataclass(frozen=True, slots=True)
class VendorMatch:
    """Relation of a device's vendor to the vendor a source names.

    Attributes
    ----------
    reason
        Part of a sentence: ``vendor 'Philips Healthcare' = 'Philips' (alias)``.
    """

    relation: VendorRelation
    reason: str


@dataclass(frozen=True, slots=True)
class _Table:
    """The alias table: squashed spelling -> vendor, vendor -> cluster, cluster -> spellings, and relations of pairs."""

    names: dict[str, str]
    relations: dict[frozenset[str], VendorRelation]
    cluster: dict[str, str]
    phrases: dict[str, tuple[str, ...]]


@lru_cache(maxsize=65536)
def compare_vendors(device_vendor: str, stated: str) -> VendorMatch | None:
    """Relate a device's vendor to the one a source names; None when they are strangers.

    A source may name several companies in one field; the closest one counts.
    """
    if not _parts(stated):
        return VendorMatch(VendorRelation.UNSTATED, "the source names no vendor")
    found = [
        relation
        for own in _parts(device_vendor)
        for other in _parts(stated)
        if (relation := _relate(own, other)) is not None
    ]
    if not found:
        return None
    best = min(found, key=list(VendorRelation).index)
    return VendorMatch(best, f"vendor {device_vendor.strip()!r} = {stated.strip()!r} ({best})")


@lru_cache(maxsize=65536)
def vendor_keys(text: str) -> frozenset[str]:
    """Index keys: two names that `compare_vendors` relates share one; `ANY_VENDOR` when none is stated."""
    keys = {_cluster(part) for part in _parts(text)}
    return frozenset(keys) or frozenset({ANY_VENDOR})


@lru_cache(maxsize=65536)
def vendor_phrases(text: str) -> tuple[str, ...]:
    """Folded spellings of a vendor and its relatives, longest first, as they are repeated in product names."""
    phrases = set()
    for part in _parts(text):
        phrases.add(part)
        known = _lookup(part)
        if known is not None:
            phrases.update(_table().phrases[_table().cluster[known.name]])
    return tuple(sorted(phrases, key=lambda phrase: (-len(phrase), phrase)))


@lru_cache(maxsize=65536)
def leading_vendor(product: str) -> str:
    """The known vendor a product name begins with; empty when it begins with none."""
    words = _words(product)
    for length in range(min(4, len(words) - 1), 0, -1):
        name = _table().names.get("".join(words[:length]))
        if name is not None:
            return name
    return ""


def _relate(own: str, other: str) -> VendorRelation | None:
    if _key(own) == _key(other):
        return VendorRelation.EXACT
    one, two = _lookup(own), _lookup(other)
    if one is not None and two is not None:
        if one.name != two.name:
            return _table().relations.get(frozenset({one.name, two.name}))
        return max(one.how, two.how, key=_FAR.index)
    base, other_base = _base(own), _base(other)
    if base and base == other_base:
        return VendorRelation.GENERAL_WORDS
    if _begins_alike(own.split(), other.split()):
        return VendorRelation.SUBSIDIARY
    return VendorRelation.MISSPELT if misspelt(base, other_base) else None


def _begins_alike(own: list[str], other: list[str]) -> bool:
    """Whether one name is the other with something after it."""
    own, other = ([word for word in words if word not in _GENERAL_WORDS] or words for words in (own, other))
    shorter, longer = sorted((own, other), key=len)
    return longer[: len(shorter)] == shorter and len(shorter[0]) > 2 and shorter[0] not in _COMMON_FIRST


@lru_cache(maxsize=65536)
def _parts(text: str) -> tuple[str, ...]:
    """The companies a vendor field names, without legal forms."""
    whole = " ".join(_words(text))
    if _key(whole) in _UNSTATED:
        return ()
    if _key(whole) in _table().names:
        return (whole,)
    pieces = [" ".join(_words(piece)) for piece in _SEPARATORS.split(_SLASHED_FORM.sub(r"\1\2", fold(text)))]
    kept = [piece for piece in pieces if _key(piece) not in _UNSTATED]
    return tuple(dict.fromkeys([whole, *kept] if len(kept) > 1 else kept or [whole]))


def _words(text: str) -> list[str]:
    joined = _SLASHED_FORM.sub(r"\1\2", _INITIALS.sub(lambda found: found.group().replace(".", "") + " ", fold(text)))
    joined = _NO_NAME.sub(" ", joined) or joined
    words = [word for word in re.split(r"[^0-9a-z]+", joined) if word]
    kept = [word for word in words if word not in _LEGAL_FORMS]
    return kept or words


def _key(words: str) -> str:
    return words.replace(" ", "")


def _base(words: str) -> str:
    return "".join(word for word in words.split() if word not in _GENERAL_WORDS)


@dataclass(frozen=True, slots=True)
class _Known:
    """A vendor of the table, and how the text says its name."""

    name: str
    how: VendorRelation


_FAR = (VendorRelation.ALIAS, VendorRelation.GENERAL_WORDS, VendorRelation.SUBSIDIARY, VendorRelation.MISSPELT)


@lru_cache(maxsize=65536)
def _lookup(part: str) -> _Known | None:
    """The vendor of the table that is meant: by name, without general words, by its first words, or misspelt."""
    names = _table().names
    if (name := names.get(_key(part))) is not None:
        return _Known(name, VendorRelation.ALIAS)
    if (name := names.get(_base(part))) is not None:
        return _Known(name, VendorRelation.GENERAL_WORDS)
    words = part.split()
    for length in range(min(len(words) - 1, _LONGEST_NAME), 0, -1):
        if (name := names.get("".join(words[:length]))) is not None:
            return _Known(name, VendorRelation.SUBSIDIARY)
    close = {names[key] for key in names for word in (_key(part), _base(part)) if misspelt(word, key)}
    return _Known(close.pop(), VendorRelation.MISSPELT) if len(close) == 1 else None


def _cluster(part: str) -> str:
    known = _lookup(part)
    if known is not None:
        return _table().cluster[known.name]
    words = part.split()
    alone = words[0] if len(words[0]) > 2 and words[0] not in _COMMON_FIRST else _base(part) or _key(part)
    return skeleton(alone)


@cache
def _table() -> _Table:
    """Read the alias table that is shipped beside this module."""
    data = tomllib.loads(files("analyzers.matching.names").joinpath("vendor_aliases.toml").read_text(encoding="utf-8"))
    spellings = {row["name"]: [row["name"], *row["same"]] for row in data["vendor"]}
    names = {_key(" ".join(_words(text))): name for name, texts in spellings.items() for text in texts}
    owners = {row["name"]: row.get("now_part_of", []) for row in data["vendor"]}
    relations = {frozenset({row["vendor"], row["other"]}): VendorRelation.RELATED for row in data["related"]}
    for name in spellings:
        relations |= {frozenset({name, owner}): VendorRelation.ACQUIRED for owner in _owners(name, owners)}
    cluster = {name: name for name in spellings}
    for pair in sorted(sorted(pair) for pair in relations):
        low, high = sorted(cluster[name] for name in pair)
        cluster = {name: low if group == high else group for name, group in cluster.items()}
    phrases = {
        group: tuple(
            sorted({" ".join(_words(text)) for name in cluster if cluster[name] == group for text in spellings[name]})
        )
        for group in set(cluster.values())
    }
    return _Table(
        names,
        relations,
        {name: fold(group) for name, group in cluster.items()},
        {fold(g): p for g, p in phrases.items()},
    )


def _owners(name: str, owners: Mapping[str, Sequence[str]]) -> set[str]:
    """Every company that a company went to, along the whole chain."""
    found: set[str] = set()
    pending = list(owners[name])
    while pending:
        owner = pending.pop()
        if owner not in found and owner != name:
            found.add(owner)
            pending += owners[owner]
    return found
