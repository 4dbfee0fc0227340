"""Names from outside made fit to be drawn: nothing in them acts, reverses, overprints or fills the page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

NAME_LENGTH = 300
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 3
_EMS = dict.fromkeys("ijlI.,:;'|! ", 0.3) | dict.fromkeys("ftr-()[]/", 0.36) | dict.fromkeys("mwMW@%—…", 0.95)
_SAFE = re.compile(r"[ -~]*")


def drawable(text: str, limit: int = NAME_LENGTH) -> str:
    """The text on one line, with whatever cannot be seen made visible.

    Control, bidirectional and other format characters become their code point in brackets (``[U+202E]``), which also
    keeps them out of XML, where most are illegal; of marks piled on one letter the first three stay.

    Parameters
    ----------
    text
        From an untrusted file.
    limit
        Most characters kept; the last is then an ellipsis.
    """
    if len(text) <= limit and _SAFE.fullmatch(text):
        return text
    shown = "".join(_visible(text[: limit + 1]))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(text: str) -> Iterator[str]:
    piled = 0
    for character in text:
        category = unicodedata.category(character)
        piled = piled + 1 if category in _MARKS else 0
        if category in _UNSEEN:
            yield " " if character in "\t\n\r" else f"[U+{ord(character):04X}]"
        elif piled <= _MOST_MARKS:
            yield character


def width(text: str, size: float) -> float:
    """Estimate, rather too wide, of a line in bold Arial or one of the same measures, in the unit of `size`."""
    return size * sum(_EMS.get(each) or _em(each) for each in text)


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    return 0.0 if unicodedata.category(character) in _MARKS else 0.74 if character.isupper() else 0.62


def fitted(text: str, size: float, room: float) -> str:
    """The text, or as much of its beginning as fits, with an ellipsis; empty when next to nothing fits."""
    if width(text, size) <= room:
        return text
    left = room - size
    kept = 0
    for kept, character in enumerate(text):  # noqa: B007
        left -= width(character, size)
        if left < 0:
            break
    return text[:kept].rstrip() + "…" if kept > 1 else ""
