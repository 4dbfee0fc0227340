"""Spelling that does not matter: case, accents, punctuation, trademark signs, blanks, and slips of the pen."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rapidfuzz.distance import OSA

LENGTH_CAP = 400
"""Names are compared by this many characters; the longest in CISA's feeds has 202."""

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l"})
_MARKS = re.compile(r"[®™©]|\((?:r|tm|c)\)", re.I)
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_MISREAD = re.compile("[\u00c2\u00c3][\u0080-\u00bf\u2018-\u2122]")
_VOWELS = re.compile(r"[aeiouy]")
_TWICE = re.compile(r"(.)\1+")
_SHORTEST_MISSPELT = 6
_TWO_SLIPS = 10


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case, without accents, trademark signs and typographic dashes; punctuation stays.

    Longer texts are cut off at `LENGTH_CAP`.
    """
    cut = _reread(text[:LENGTH_CAP])
    if cut.isascii():
        bare = _MARKS.sub(" ", cut).lower()
    else:
        decomposed = unicodedata.normalize("NFKD", _DASHES.sub("-", _MARKS.sub(" ", cut)))
        bare = "".join(character for character in decomposed if not unicodedata.combining(character))
        bare = bare.casefold().translate(_LETTERS).replace("\u2019", "")
    return bare.replace("&", " and ").replace("'", "").replace(" w/", " with ").replace("wi-fi", "wifi")


@lru_cache(maxsize=65536)
def squash(text: str) -> str:
    """Letters and digits only: the same for ``PIC iX``, ``PICiX`` and ``pic-ix``."""
    return re.sub(r"[^0-9a-z]+", "", fold(text))


@lru_cache(maxsize=65536)
def misspelt(one: str, other: str) -> bool:
    """Whether two words of letters differ as a slip of the pen does.

    One letter left out, doubled, changed or swapped with its neighbour (optimal string alignment distance) in six to
    nine letters, two in ten or more; the first letter is hardly ever wrong.
    """
    length = min(len(one), len(other))
    if length < _SHORTEST_MISSPELT or one[0] != other[0] or not (one.isalpha() and other.isalpha()):
        return False
    allowed = 2 if length >= _TWO_SLIPS else 1
    if one.startswith(other) or other.startswith(one):
        return False  # PRISMA and PrisMax
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """What most slips of the pen leave alone, so that a misspelt word shares its index key: consonants, once each."""
    bare = word[:1] + _VOWELS.sub("", word[1:])
    return _TWICE.sub(r"\1", bare)


def _reread(text: str) -> str:
    """Put right UTF-8 that somebody read as Windows-1252: ``GeutebrÃ¼ck``."""
    if not _MISREAD.search(text):
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text
