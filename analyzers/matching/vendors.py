"""Vendor names: legal forms, spellings, trading names and acquisitions (``vendor_aliases.toml``)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

from analyzers.matching.normalise import fold, misspelt, skeleton

ANY_VENDOR = "*"
"""Index key of a source that names no vendor."""

_LEGAL_FORMS = frozenset(
    "inc incorporated gmbh ltd limited llc corporation corp ag co company plc sa sas spa bv nv kg kgaa oy oyj ab as "
    "aps pty pte srl se".split()
)
_GENERAL_WORDS = frozenset(
    "medical healthcare health systems system technologies technology international group electronics diagnostics "
    "laboratories laboratory solutions products devices holdings services usa us america europe software".split()
)
_UNSTATED = frozenset({"", "na", "unknown", "unspecified", "multiple", "multipleopensource", "various"})
_SEPARATORS = re.compile(r"[,;/()]|\band\b|\bformerly\b|\ba subsidiary of\b|\bby\b")


class VendorRelation(StrEnum):
    """How two vendor names belong together."""

    EXACT = "exact"
    ALIAS = "alias"
    GENERAL_WORDS = "same but for general words"
    ACQUIRED = "acquired"
    RELATED = "related company"
    MISSPELT = "spelled a little differently"
    UNSTATED = "not stated"


VENDOR_FACTOR = {
    VendorRelation.EXACT: 1.0,
    VendorRelation.ALIAS: 1.0,
    VendorRelation.GENERAL_WORDS: 0.95,
    VendorRelation.ACQUIRED: 0.93,
    VendorRelation.RELATED: 0.9,
    VendorRelation.MISSPELT: 0.9,
    VendorRelation.UNSTATED: 0.7,
}
"""What a vendor relation leaves of the product's probability; set by judgement, not yet calibrated on labels."""


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

    @property
    def factor(self) -> float:
        """0 to 1, see `VENDOR_FACTOR`."""
        return VENDOR_FACTOR[self.relation]


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
    best = max(found, key=lambda relation: (VENDOR_FACTOR[relation], relation is VendorRelation.EXACT))
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
        name = _lookup(part)
        if name is not None:
            phrases.update(_table().phrases[_table().cluster[name]])
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
        if one != two:
            return _table().relations.get(frozenset({one, two}))
        if {_key(own), _key(other)} <= _table().names.keys():
            return VendorRelation.ALIAS
        known = {_base(own), _base(other)} <= {_base(each) for each in _table().phrases[_table().cluster[one]]}
        return VendorRelation.GENERAL_WORDS if known else VendorRelation.MISSPELT
    base, other_base = _base(own), _base(other)
    if base and base == other_base:
        return VendorRelation.GENERAL_WORDS
    return VendorRelation.MISSPELT if misspelt(base, other_base) else None


@lru_cache(maxsize=65536)
def _parts(text: str) -> tuple[str, ...]:
    """The companies a vendor field names, without legal forms."""
    whole = " ".join(_words(text))
    if _key(whole) in _UNSTATED:
        return ()
    if _key(whole) in _table().names:
        return (whole,)
    pieces = [" ".join(_words(piece)) for piece in _SEPARATORS.split(fold(text))]
    kept = [piece for piece in pieces if _key(piece) not in _UNSTATED]
    return tuple(dict.fromkeys([whole, *kept] if len(kept) > 1 else kept or [whole]))


def _words(text: str) -> list[str]:
    words = [word for word in re.split(r"[^0-9a-z]+", fold(text)) if word]
    kept = [word for word in words if word not in _LEGAL_FORMS]
    return kept or words


def _key(words: str) -> str:
    return words.replace(" ", "")


def _base(words: str) -> str:
    return "".join(word for word in words.split() if word not in _GENERAL_WORDS)


@lru_cache(maxsize=65536)
def _lookup(part: str) -> str | None:
    """The vendor of the table that is meant, even if it is spelled a little differently."""
    names = _table().names
    exact = names.get(_key(part)) or names.get(_base(part))
    if exact is not None:
        return exact
    close = {names[key] for key in names for word in (_key(part), _base(part)) if misspelt(word, key)}
    return close.pop() if len(close) == 1 else None


def _cluster(part: str) -> str:
    name = _lookup(part)
    return _table().cluster[name] if name is not None else skeleton(_base(part) or _key(part))


@cache
def _table() -> _Table:
    """Read the alias table that is shipped beside this module."""
    data = tomllib.loads(files("analyzers.matching").joinpath("vendor_aliases.toml").read_text(encoding="utf-8"))
    spellings = {row["name"]: [row["name"], *row["same"]] for row in data["vendor"]}
    names = {_key(" ".join(_words(text))): name for name, texts in spellings.items() for text in texts}
    relations = {
        frozenset({row["vendor"], row["other"]}): VendorRelation[row["kind"].upper()] for row in data["relation"]
    }
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
