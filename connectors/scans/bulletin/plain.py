"""One shape for the text of every format: lines, cells and nothing invisible."""

from __future__ import annotations

import re

MAX_CHARACTERS = 2_000_000
"""Longest text of a bulletin."""

_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x85\u2028\u2029]")
_PAGES = re.compile(r"\x0c")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_EDGES = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")


def plain_text(text: str) -> str:
    """Bring a text into the shape that `meddojo.bulletin.Bulletin` describes.

    A tab sets cells apart, as it does where a table was copied into a text. What cannot be seen (soft hyphens, marks
    of direction, zero-width blanks) is dropped, so that a name is found however it is broken up.
    """
    text = _PAGES.sub("\n\n", _LINE_ENDS.sub("\n", text))
    text = _CONTROL.sub(" ", _INVISIBLE.sub("", text))
    lines = (_cells(line) if "\t" in line.strip() else line for line in text.split("\n"))
    text = _BLANKS.sub(" ", "\n".join(lines))
    return _GAPS.sub("\n\n", _EDGES.sub("\n", text)).strip()


def _cells(line: str) -> str:
    return " | ".join(cell.strip() for cell in line.strip().split("\t") if cell.strip())
