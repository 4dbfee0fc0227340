"""Places in a text; everything that is read from a bulletin keeps its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SENTENCE_END = re.compile(
    r"(?<![A-Z]\.)(?<!\b[A-Z])(?<!\bInc)(?<!\bLtd)(?<!\bCo)(?<!\bvs)(?<!\bNo)[.!?](?=\s{1,3}[A-Z\"(\[])|\n"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a text, counted from 0; ``text`` is what stands there."""

    start: int
    end: int
    text: str


def span(text: str, start: int, end: int) -> Span:
    """The span without the blanks at its ends."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    piece = piece.strip()
    return Span(start, start + len(piece), piece)


def sentences(text: str) -> Iterator[Span]:
    """Sentences, lines and list items, in order; a line break ends a sentence, as `Bulletin` has one a paragraph."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if text[start : end.end()].strip():
            yield span(text, start, end.end())
        start = end.end()
    if text[start:].strip():
        yield span(text, start, len(text))
