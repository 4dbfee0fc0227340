"""One shape for the text of every format: lines, cells and nothing invisible."""

from __future__ import annotations

import re

MAX_CHARACTERS = 2_000_000
"""Longest text of a bulletin."""

_WIDEST = 160
_NARROWEST = 40
_FULL = 0.9  # letters of print are not all of one width
_BEGINS_ANEW = re.compile(r"(?:[-*\u2022\u00b7\u25cf\u25aa\u2013o]|\(?\d{1,2}[.)])\s|[^:]{1,40}:\s")
_LINE_ENDS = re.compile(r"\r\n|[\r\x0b\x85\u2028\u2029]")
_PAGES = re.compile(r"\x0c")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_EDGES = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")


def unwrap(text: str) -> str:
    """Join lines that were broken only because the page was not wide enough.

    A line was broken there if the first word of the next one would not have fitted into the width of the text.
    List items, table rows and lines behind a blank one or the end of a sentence begin anew.
    """
    lines = text.split("\n")
    lengths = sorted(len(line) for line in lines if len(line) <= _WIDEST)
    width = lengths[int(len(lengths) * 0.95)] if lengths else 0
    if width < _NARROWEST:
        return text
    joined: list[str] = []
    last = ""  # the line before, as it was written
    for line in lines:
        word = line.split(" ", 1)[0]
        full = len(last) + 1 + len(word) > _FULL * width
        if (
            last
            and line
            and full
            and last[-1] not in ".:!?"
            and " | " not in last + line
            and not _BEGINS_ANEW.match(line)
        ):
            joined[-1] += f" {line}"
        else:
            joined.append(line)
        last = line
    return "\n".join(joined)


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
