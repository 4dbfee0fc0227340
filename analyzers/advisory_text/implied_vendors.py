"""Whose product it is where no vendor is named: names that nearly always were one vendor's, ``Acrobat`` Adobe's.

A decision list (Yarowsky, ACL 1994): of all names of the table that a text holds, the surest one decides.
``implied_vendors.tsv`` was learnt from CVE records (`analyzers.advisory_text.vendor_training`).
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from analyzers.advisory_text.spans import Span
from analyzers.advisory_text.tagger import tokens
from meddojo.errors import TerminalError

LONGEST_TEXT = 800
"""How much of a text is looked at, in characters, when learning as when reading."""
_LONGEST_NAME = 48
_WORDS = 3


@dataclass(frozen=True, slots=True)
class ImpliedVendor:
    """A vendor that a text does not name, or not as the vendor.

    Attributes
    ----------
    span
        The name that implies it.
    probability
        Share of the records with this name that were the vendor's, of one more than there were.
    """

    name: str
    span: Span
    probability: float


Table = Mapping[str, tuple[str, float]]
"""Name in small letters -> vendor and probability."""


def implied_vendor(text: str, table: Table | None = None) -> ImpliedVendor | None:
    """The vendor that the surest name in the beginning of a text implies; None where there is no such name.

    Parameters
    ----------
    table
        The shipped one if left out.
    """
    known = shipped_table() if table is None else table
    found = [(known[name][1], span, known[name][0]) for name, span in names(text) if name in known]
    if not found:
        return None
    probability, place, vendor = max(found, key=lambda each: (each[0], len(each[1].text), -each[1].start))
    return ImpliedVendor(vendor, place, probability)


def names(text: str) -> Iterator[tuple[str, Span]]:
    """Runs of words of which one is written like a name (``macOS``, ``Acrobat reader``), in small letters."""
    words = tokens(text, 0, min(len(text), LONGEST_TEXT))
    for first in range(len(words)):
        like_a_name = telling = False
        parts: list[str] = []
        for word in words[first : first + _WORDS]:
            if not word.text[0].isalnum():
                break
            like_a_name |= not (word.text.isalpha() and word.text.islower())
            telling |= any(sign.isalpha() for sign in word.text)
            parts.append(word.text.lower())
            name = " ".join(parts)
            if like_a_name and telling and len(name) < _LONGEST_NAME:
                start = words[first].start
                yield name, Span(start, word.end, text[start : word.end])


@cache
def shipped_table() -> Table:
    """The table beside this module, once its digest is that of the manifest (``implied_vendors.toml``).

    Raises
    ------
    TerminalError
        If it is another.
    """
    folder = files("analyzers.advisory_text")
    data = folder.joinpath("implied_vendors.tsv").read_bytes()
    manifest = tomllib.loads(folder.joinpath("implied_vendors.toml").read_text("utf-8"))
    if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
        raise TerminalError("the table of implied vendors is not the one that was shipped", "install MedDojo again")
    return read_table(data.decode("utf-8"))


def read_table(text: str) -> Table:
    """Name, vendor and probability of each line, with tabs between them."""
    rows = (line.split("\t") for line in text.split("\n") if line)
    return {name: (vendor, float(probability)) for name, vendor, probability in rows}
