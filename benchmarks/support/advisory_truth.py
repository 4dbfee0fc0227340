"""What an advisory text is to say: when two readings are the same, what a text holds at all, and why one went wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from analyzers.matching.names.comparison import compare_products
from analyzers.matching.names.normalise import fold, squash
from analyzers.matching.names.vendors import VendorRelation, compare_vendors
from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import Verdict, contains

SAME_NAME = 0.8
_WORDS = re.compile(r"[0-9a-z]+")
_NUMBERS = re.compile(r"\d\w*(?:\.\w+)*")
_ALL_VERSIONS = re.compile(r"\b(?:all|any)\b[^.\n]{0,40}\bversions?\b|\*", re.I)
_LEGAL_FORM = frozenset("project inc corporation corp ltd software foundation gmbh ag technologies systems".split())

Product = tuple[str, str]
"""Vendor and name."""
Range = tuple[str, str, str]
"""Vendor, name and versions; a reading leaves the vendor empty."""


@dataclass
class Tally:
    """Hits among what was said, among what was to be said, and among what of that stands in the text."""

    right: int = 0
    said: int = 0
    found: int = 0
    true: int = 0
    within: int = 0
    found_within: int = 0
    errors: dict[str, list[str]] = field(default_factory=dict)

    def error(self, cause: str, example: str) -> None:
        """Keep an example under its cause."""
        self.errors.setdefault(cause, []).append(example)

    def __iadd__(self, other: Tally) -> Tally:
        for name in ("right", "said", "found", "true", "within", "found_within"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for cause, examples in other.errors.items():
            self.errors.setdefault(cause, []).extend(examples)
        return self

    def row(self) -> str:
        """Precision, recall, F1, the share of the truth that stands in the text, recall of that, and counts."""
        precision, recall = _share(self.right, self.said), _share(self.found, self.true)
        score = _share(2 * precision * recall, precision + recall)
        ceiling, reached = _share(self.within, self.true), _share(self.found_within, self.within)
        return (
            f"{precision:6.3f} {recall:6.3f} {score:6.3f} {ceiling:8.3f} {reached:8.3f}"
            f"   {self.said:6,} said, {self.true:6,} true, {self.within:6,} in the text"
        )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


@dataclass(frozen=True)
class Text:
    """A text, and whether it holds what its record states as data."""

    text: str
    words: frozenset[str]
    squashed: str

    @classmethod
    def of(cls, text: str) -> Text:
        """Fold the lines one by one: names are compared by their first few hundred characters only."""
        pieces = [text[at : at + 300] for at in range(0, len(text), 300)]
        folded = "".join(fold(piece) for piece in pieces)
        return cls(text, frozenset(_WORDS.findall(folded)), re.sub(r"[^0-9a-z]+", "", folded))

    def holds_name(self, name: str) -> bool:
        """Every word of the name, wherever; or the name as one word."""
        wanted = set(_WORDS.findall(fold(name)))
        return bool(wanted) and (wanted <= self.words or squash(name) in self.squashed)

    def holds_vendor(self, vendor: str) -> bool:
        """The vendor's name without its legal form."""
        words = [word for word in _WORDS.findall(fold(vendor)) if word not in _LEGAL_FORM]
        bracketed = re.findall(r"\(([^()]+)\)", vendor)
        return any(self.holds_name(name) for name in (" ".join(words), vendor, *bracketed))

    def holds_versions(self, versions: str) -> bool:
        """Every number of a version text; of "all versions" the words."""
        numbers = _NUMBERS.findall(versions)
        if not numbers:
            return bool(_ALL_VERSIONS.search(self.text)) if "*" in versions else versions.lower() in self.text.lower()
        return all(re.search(rf"(?<!\d)(?<!\d\.){re.escape(number)}(?!\w)", self.text, re.I) for number in numbers)


def same_name(vendor: str, true: str, said: str) -> bool:
    """Whether matching relates one name to the other, in either direction."""
    if squash(true) == squash(said):
        return True
    one, other = compare_products(vendor, true, vendor, said), compare_products(vendor, said, vendor, true)
    return any(match is not None and match.probability >= SAME_NAME for match in (one, other))


def same_vendor(true: str, said: str) -> bool:
    """Whether matching relates the two vendors."""
    match = compare_vendors(said, true)
    return match is not None and match.relation is not VendorRelation.UNSTATED


def same_versions(true: str, said: str) -> bool:
    """Whether both texts say the same of every version that either names and of its neighbours."""
    one, other = parse_versions(true), parse_versions(said)
    stated = {word.strip("()<>=,;|") for word in f"{true} {said}".split() if any(sign.isdigit() for sign in word)}
    stated |= set(re.findall(r"\b[A-Z](?:\.\w+)*\b", f"{true} {said}"))
    probes = {probe for word in stated for probe in (word, f"{word}.1")} | {"0.0.1", "99999.9"}
    affected = [{probe for probe in probes if contains(each, probe) is Verdict.AFFECTED} for each in (one, other)]
    return affected[0] == affected[1]


def why_missed_name(name: str, said: Iterable[str], text: Text) -> str:
    """Why a name was not found."""
    if not text.holds_name(name):
        return "missed: the text does not hold all words of the name"
    if squash(name) not in text.squashed:
        return "missed: its words stand apart from each other"
    if any(_share_words(name, other) for other in said):
        return "missed: read with other words, before or behind"
    return "missed: the name stands in the text and was not read"


def why_invented_name(name: str, true: Iterable[str]) -> str:
    """Why a name was said that is none of the record."""
    if any(_share_words(name, other) for other in true):
        return "invented: a relative of a true name (other words, another model)"
    return "invented: no word of a true name"


def why_missed_range(wanted: Range, said: Iterable[Range], text: Text) -> str:
    """Why the versions of a product were not found."""
    vendor, name, versions = wanted
    if not text.holds_name(name):
        return "missed: the text does not hold the name"
    if not text.holds_versions(versions):
        return "missed: the text does not hold the versions"
    if any(same_name(vendor, name, other) for _, other, _ in said):
        return "missed: other versions were read with the name"
    if any(same_versions(versions, other) for _, _, other in said):
        return "missed: the versions were read with another name"
    return "missed: name and versions stand in the text and were not read together"


def why_invented_range(said: Range, true: Iterable[Range]) -> str:
    """Why versions were said that the record does not state of the product."""
    if any(same_name(vendor, name, said[1]) for vendor, name, _ in true):
        return "invented: other versions than the record states of this product"
    return "invented: of a product the record does not name"


def _share_words(one: str, other: str) -> bool:
    common = set(_WORDS.findall(fold(one))) & set(_WORDS.findall(fold(other)))
    return any(len(word) > 2 for word in common)
