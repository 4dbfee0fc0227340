"""Proper-name phrases in the prose of a CVE record, each with the version statement that belongs to it.

A phrase is a run of capitalised words and model designations, with the lower-case words that name kinds of devices
(``Medfusion 4000 Wireless Syringe Infusion Pump``); it ends at the first other word, at a version and with its
sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from analyzers.matching.names.words import DESCRIPTORS
from analyzers.matching.records.version_phrases import (
    counts,
    is_month,
    is_version,
    opens_version,
    version_before,
    version_opening,
)

LENGTH_CAP = 4000
"""Descriptions are read this far, in characters; the longest in NVD has 3,999."""

_WORD_CAP = 40
"""Longest phrase, in words: a list of some twenty models."""

_SENTENCE_END = re.compile(
    r"(?<=[\w)\]'\"][.!?])(?<!\b[A-Z]\.)(?<!\bInc\.)(?<!\bCo\.)(?<!\bLtd\.)(?<!\bCorp\.)\s+(?=[A-Z(*])"
)
_CHUNK = re.compile(r"\S+")
_MARKS = re.compile(r"[®™©]|\((?:R|TM|tm|r|C|c)\)")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_ATTACHED = re.compile(r"(?<=\w)\((?=[A-Za-z<])")
_POSSESSIVE = re.compile(r"['\u2019]s\b")
_DATE = re.compile(r"(?:19|20)\d\d(?:-\d\d){0,2}")
_NAME_SIGN = re.compile(r"[^\W_a-z]")
_EDGE = " \t\n,;:.()[]\"'`*"
_CONNECTORS = frozenset({"and", "or", "&", "/", "-", "+"})
_KINDS = DESCRIPTORS | frozenset(
    "series family families models model devices monitors pumps systems programmers controllers routers switches "
    "gateways gateway switch router camera cameras module modules edition devices".split()
)
_REMARKS = _KINDS | _CONNECTORS
_NOT_NAMES = frozenset(
    "a an the this that these those in on of by from when where while if it its an all some several multiple "
    "unspecified certain various due because there which affected successful exploitation attackers attacker note "
    "for to with via using is are was were has have and or as at".split()
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A proper-name phrase.

    Attributes
    ----------
    text
        As written, without the marks at its ends.
    before, after
        What stands around it in its sentence.
    since, until
        What stands between it and the phrases beside it.
    """

    text: str
    before: str
    after: str
    since: str
    until: str

    @property
    def version_text(self) -> str:
        """The version statement that follows it or leads up to it, for `parse_versions`; empty without one."""
        return version_opening(self.until) or version_before(self.since)


@lru_cache(maxsize=4096)
def read_phrases(description: str) -> tuple[Phrase, ...]:
    """Every proper-name phrase of a description, in order."""
    found: list[Phrase] = []
    for sentence in read_sentences(description):
        spans = list(_spans(sentence))
        for position, (start, end) in enumerate(spans):
            rest = sentence[end:]
            until = spans[position + 1][0] - end if position + 1 < len(spans) else len(rest)
            since = spans[position - 1][1] if position else 0
            found.append(Phrase(sentence[start:end], sentence[:start], rest, sentence[since:start], rest[:until]))
    return tuple(found)


@lru_cache(maxsize=4096)
def read_sentences(description: str) -> tuple[str, ...]:
    """Sentences of a description, without accents and trademark signs."""
    text = _POSSESSIVE.sub("", _MARKS.sub("", _DASHES.sub("-", description[:LENGTH_CAP])))
    text = _ATTACHED.sub(" (", text)
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return tuple(" ".join(sentence.split()) for sentence in _SENTENCE_END.split(text) if sentence.strip())


def _spans(sentence: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each phrase of a sentence."""
    begin = end = -1
    length = 0
    previous = ""
    chunks = list(_CHUNK.finditer(sentence))
    for number, chunk in enumerate(chunks):
        word = chunk.group()
        bare = word.strip(_EDGE)
        following = chunks[number + 1].group() if number + 1 < len(chunks) else ""
        opening = word.startswith("(") and not _names_models(sentence, chunk.start())
        if begin >= 0 and (opening or length >= _WORD_CAP or not _continues(bare, following)):
            yield begin, end
            begin = -1
        if begin < 0 and _begins(bare) and not (bare.isdigit() and counts(previous)):
            begin, length = chunk.start() + len(word) - len(word.lstrip(_EDGE)), 0
        if begin >= 0:
            length += 1
            if bare.lower() not in _CONNECTORS:
                end = chunk.start() + len(word.rstrip(_EDGE))
            if word[-1:] in ";:" or (word.endswith(",") and not _lists(following)):
                yield begin, end
                begin = -1
        previous = bare
    if begin >= 0:
        yield begin, end


def _begins(bare: str) -> bool:
    telling = any(sign.isalpha() for sign in bare) or len(bare) > 2
    return (
        bare[:1].isalnum() and telling and _is_name(bare) and bare.lower() not in _KINDS and not _DATE.fullmatch(bare)
    )


def _continues(bare: str, following: str) -> bool:
    if not bare or bare.lower() in _CONNECTORS:
        return _lists(following)
    return _is_name(bare) or bare.lower() in _KINDS


def _lists(following: str) -> bool:
    """Whether a list goes on with the next word."""
    bare = following.strip(_EDGE)
    return bare.lower() in _CONNECTORS or (bool(bare) and _is_name(bare)) or bare.lower() in _KINDS


def _is_name(bare: str) -> bool:
    """Capitalised, or a model designation; no version and none of the words that only begin a sentence."""
    if not _NAME_SIGN.search(bare):
        return False  # most words
    if bare.lower() in _NOT_NAMES or is_month(bare) or opens_version(bare) or is_version(bare):
        return False
    return any(sign.isupper() or sign.isdigit() for sign in bare)


def _names_models(sentence: str, start: int) -> bool:
    """Whether parentheses hold names (``(MX400-MX550)``) and not a version or a remark."""
    content = sentence[start + 1 :].partition(")")[0]
    words = [word.strip(_EDGE) for word in content.split()]
    return bool(words) and all(_is_name(word) or word.lower() in _REMARKS for word in words if word)
