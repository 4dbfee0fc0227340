"""A vendor's bulletin: what it says in prose, before anybody has read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BulletinFormat(StrEnum):
    """What kind of file the text was taken from."""

    TEXT = "text"
    HTML = "HTML"
    PDF = "PDF"


@dataclass(frozen=True, slots=True)
class Bulletin:
    r"""The text of a bulletin: a line for each paragraph, heading, list item or table row the file tells apart.

    Attributes
    ----------
    text
        Without control characters; line ends are ``\n``, cells of a table are set apart by `` | ``. Whatever is read
        from a bulletin names its place by characters of this text, counted from 0.
    format
        The kind of file.
    digest
        SHA-256 of the file, hexadecimal.
    title
        As the file's own metadata have it; empty when they have none.
    """

    text: str
    format: BulletinFormat
    digest: str
    title: str = ""
