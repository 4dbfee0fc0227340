"""Spelling that does not matter: case, accents, punctuation, trademark signs, blanks."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LENGTH_CAP = 400
"""Names are compared by this many characters; the longest in CISA's feeds has 202."""

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l"})
_MARKS = re.compile(r"[®™©]|\((?:r|tm|c)\)", re.I)
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Lower case, without accents, trademark signs and typographic dashes; punctuation stays.

    Longer texts are cut off at `LENGTH_CAP`.
    """
    cut = text[:LENGTH_CAP]
    if cut.isascii():
        bare = _MARKS.sub(" ", cut).lower()
    else:
        decomposed = unicodedata.normalize("NFKD", _DASHES.sub("-", _MARKS.sub(" ", cut)))
        bare = "".join(character for character in decomposed if not unicodedata.combining(character))
        bare = bare.casefold().translate(_LETTERS).replace("\u2019", "")
    return bare.replace("&", " and ").replace("'", "")


@lru_cache(maxsize=65536)
def squash(text: str) -> str:
    """Letters and digits only: the same for ``PIC iX``, ``PICiX`` and ``pic-ix``."""
    return re.sub(r"[^0-9a-z]+", "", fold(text))
