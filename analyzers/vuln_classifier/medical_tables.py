"""The tables of medicine that come with the package: words of care, makers, words of devices, kinds of device."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LEXICON = "medical_words.tsv"
_TERMS = "medical_terms.toml"
_TYPES = "device_types.toml"


@dataclass(frozen=True, slots=True)
class Terms:
    """The table ``medical_terms.toml``, and the words of device names with their log-odds (``medical_words.tsv``)."""

    strong: frozenset[str]
    weak: frozenset[str]
    misleading: frozenset[str]
    name_parts: tuple[str, ...]
    makers: frozenset[str]
    also_makers: frozenset[str]
    assigners: frozenset[str]
    industrial_assigners: frozenset[str]
    devices: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DeviceType:
    """A row of ``device_types.toml``: general words, and names of product families and their makers."""

    name: str
    words: frozenset[str]
    names: frozenset[str]
    regulations: tuple[str, ...]


@cache
def medical_terms() -> Terms:
    """Words of care, makers and device words."""
    rows = (line.split("\t") for line in _text(LEXICON).splitlines() if line and not line.startswith("#"))
    table = tomllib.loads(_text(_TERMS))
    sets = {name: frozenset(row) for name, row in table.items() if name != "name_parts"}
    return Terms(**sets, name_parts=tuple(table["name_parts"]), devices={word: float(weight) for word, weight in rows})


@cache
def device_types() -> tuple[DeviceType, ...]:
    """Kinds of device, in the order of the table."""
    rows = tomllib.loads(_text(_TYPES))["type"]
    return tuple(
        DeviceType(row["name"], frozenset(row["words"]), frozenset(row["names"]), tuple(row["regulations"]))
        for row in rows
    )


@cache
def product_names() -> frozenset[str]:
    """Product families and their makers, of all kinds."""
    return frozenset(name for kind in device_types() for name in kind.names)


@cache
def kind_phrases() -> frozenset[str]:
    """Phrases of two and more words that name a kind of device."""
    return frozenset(phrase for kind in device_types() for phrase in kind.words if " " in phrase)


@cache
def phrases_by_first_word() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Every phrase of the tables, as words, under its first word: to find them in a text in one pass."""
    terms = medical_terms()
    phrases = {*terms.strong, *terms.weak, *terms.misleading, *terms.makers, *terms.also_makers}
    phrases.update(word for kind in device_types() for word in kind.words | kind.names)
    found: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for phrase in sorted(phrases):
        words = tuple(phrase.split())
        found[words[0]].append(words)
    return {first: tuple(rows) for first, rows in found.items()}


def _text(name: str) -> str:
    return files("analyzers.vuln_classifier").joinpath(name).read_text("utf-8")
