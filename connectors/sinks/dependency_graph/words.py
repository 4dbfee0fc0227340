"""Names from outside made fit to be drawn: nothing in them acts, reverses, overprints or fills the page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

NAME_LENGTH = 300
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})
_MOST_MARKS = 3
_EMS = {
    character: ems
    for ems, characters in (
        (0.28, "ijlI.,/'| "), (0.34, "ft-()[]:;!"), (0.39, "r*"), (0.5, "z"), (0.56, "aceksvxy0123456789_J+"),
        (0.61, "bdghnopquFLTZ"), (0.67, "EPSVXY"), (0.73, "ABCDHKNRU"), (0.78, "wGOQ"), (0.84, "M"), (0.89, "m"),
        (0.98, "@W%…—"),
    )
    for character in characters
}  # fmt: skip
"""Widths of the bold face of Arial, which Liberation Sans and Helvetica share."""
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
    """Of a line in bold Arial, in the unit of `size`; rather too wide for characters beyond ASCII, and for regular."""
    return 1.02 * size * sum(_EMS.get(each) or _em(each) for each in text)


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
