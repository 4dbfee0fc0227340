"""What a record says about medicine: its words, and how many of them belong to care, to its devices or its makers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analyzers.vuln_classifier.medical_tables import (
    Terms,
    kind_phrases,
    medical_terms,
    phrases_by_first_word,
    product_names,
)
from analyzers.vuln_classifier.record import PublishedRecord, assigner_name
from analyzers.vuln_classifier.text import MAX_CHARACTERS
from analyzers.vuln_classifier.vectors import Floats

_MARKUP = re.compile(r"<[^<>]{0,200}>")
_MARKS = str.maketrans({"™": " ", "®": " ", "©": " ", "_": " ", "'": "", "’": "", "\\": ""})
_BROKEN_MARK = "â„¢"  # a trade mark sign read in the wrong encoding, as published
_WORD = re.compile(r"[a-z][a-z0-9]*")
WRITTEN_DOWN = (
    "maker among the names", "maker in the text",
    "maker of much else among the names", "maker of much else in the text",
    "product families among the names", "product families in the text", "medical assigner",
)  # fmt: skip
"""Signs that rest on names written down by hand: figures are given without them too."""
COLUMNS = {
    "strongest device word in the text": 1, "second device word in the text": 1, "third device word in the text": 1,
    "strongest device word in the names": 1, "second device word in the names": 1,
    "words of care in the text": 1, "words of care in the names": 1,
    "weaker words of care in the text": 1, "weaker words of care in the names": 1,
    "phrases of a kind of device in the text": 1, "phrases of a kind of device in the names": 1,
    "misleading words": -1, "medical part of a name": 1,
    "maker among the names": 1, "maker in the text": 1,
    "maker of much else among the names": 1, "maker of much else in the text": 1,
    "product families among the names": 1, "product families in the text": 1,
    "medical assigner": 1, "assigner of industrial advisories": 0, "names are stated": 0,
}  # fmt: skip
"""Each sign with the way it may point: for medicine, against it, or either."""


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """The words of a record.

    Attributes
    ----------
    text, names
        Words of the description, and of vendor and product, in their order.
    phrases, name_phrases
        The phrases of the tables among them.
    """

    text: tuple[str, ...]
    names: tuple[str, ...]
    phrases: frozenset[str]
    name_phrases: frozenset[str]
    assigner: str

    def terms(self) -> Iterator[str]:
        """Words and pairs of words of the text, and words of the names marked as such."""
        yield from self.text
        yield from (f"{first} {second}" for first, second in zip(self.text, self.text[1:], strict=False))
        yield from (f"name={word}" for word in self.names)


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words without markup, accents and punctuation; a word begins with a letter."""
    plain = _MARKUP.sub(" ", text[:MAX_CHARACTERS].replace(_BROKEN_MARK, " ").translate(_MARKS))
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return tuple(_WORD.findall(plain.lower()))


def read(record: PublishedRecord) -> ReadRecord:
    """Split a record into its words."""
    text, names = words_of(record.description), words_of(f"{record.vendor} {record.product}")
    return ReadRecord(text, names, _phrases(text), _phrases(names), assigner_name(record.assigner))


def signs(records: Sequence[ReadRecord]) -> Floats:
    """What speaks for or against medicine in each record, shape (records, len(COLUMNS))."""
    table = medical_terms()
    return np.array([_signs(record, table) for record in records], dtype=np.float32).reshape(-1, len(COLUMNS))


def telling_phrases(record: ReadRecord, kind: frozenset[str]) -> tuple[str, ...]:
    """What a reader is shown: phrases of the kind of device, then makers and words of care, then device words.

    The longest, or strongest, of each first; no word twice.
    """
    table = medical_terms()
    phrases = record.phrases | record.name_phrases
    ordered = [
        *sorted(phrases & kind, key=lambda phrase: (-len(phrase), phrase)),
        *sorted(phrases & (table.makers | table.strong), key=lambda phrase: (-len(phrase), phrase)),
        *sorted({*record.text, *record.names} & table.devices.keys(), key=lambda word: (-table.devices[word], word)),
    ]
    found: list[str] = []
    for phrase in ordered:
        if not any(f" {phrase} " in f" {each} " for each in found):
            found.append(phrase)
    return tuple(found)


def _phrases(words: tuple[str, ...]) -> frozenset[str]:
    """The phrases of the tables that occur."""
    table = phrases_by_first_word()
    return frozenset(
        " ".join(phrase)
        for place, word in enumerate(words)
        for phrase in table.get(word, ())
        if words[place : place + len(phrase)] == phrase
    )


def _signs(record: ReadRecord, table: Terms) -> tuple[float, ...]:
    products, kinds = product_names(), kind_phrases()
    return (
        *_strongest(record.text, table, 3),
        *_strongest(record.names, table, 2),
        len(record.phrases & table.strong),
        len(record.name_phrases & table.strong),
        len(record.phrases & table.weak),
        len(record.name_phrases & table.weak),
        len(record.phrases & kinds),
        len(record.name_phrases & kinds),
        len(record.phrases & table.misleading) + len(record.name_phrases & table.misleading),
        any(part in word for word in record.names for part in table.name_parts),
        bool(record.name_phrases & table.makers),
        bool(record.phrases & table.makers),
        bool(record.name_phrases & table.also_makers),
        bool(record.phrases & table.also_makers),
        len(record.name_phrases & products),
        len(record.phrases & products),
        any(name in record.assigner for name in table.assigners),
        any(name in record.assigner for name in table.industrial_assigners),
        bool(record.names),
    )


def _strongest(words: tuple[str, ...], table: Terms, number: int) -> tuple[float, ...]:
    found = sorted((table.devices.get(word, 0.0) for word in {*words}), reverse=True)[:number]
    return (*found, *(0.0,) * (number - len(found)))
